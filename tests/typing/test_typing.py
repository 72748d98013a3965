"""What editors and type checkers know of the package: that it is written down, true, and all there is to see."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

import autograd
import nn
from autograd import Dual, Value, ops
from autograd.derivatives.numeric import METHODS, Method
from autograd.numbers import number
from nn import init, losses
from tests.extras import extra

ROOT = Path(__file__).parents[2]


def stubs() -> Any:
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "docs" / "stubs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", stubs().STUBS, ids=lambda path: path.name)
def test_stubs_are_those_of_the_table(path: Path) -> None:
    assert path.read_text("utf-8") == stubs().STUBS[path](), "write the stubs anew: python docs/stubs.py"


@pytest.mark.parametrize("kind", [Value, Dual, number.Float])
def test_the_methods_of_the_stub_are_those_of_numbers(kind: type[number.Number]) -> None:
    """Each is there, takes what the stub says, and gives a number of the same kind."""
    stub = ast.parse((ROOT / "autograd" / "numbers" / "methods.pyi").read_text("utf-8"))
    methods = {node.name: node for node in ast.walk(stub) if isinstance(node, ast.FunctionDef)}
    assert {op.name for op in number.methods()} <= {*methods}
    for name, node in methods.items():
        operands = [0.5] * (len(node.args.posonlyargs or node.args.args) - 1)
        assert type(getattr(kind(0.25), name)(*operands)) is kind, name
        if not name.startswith("__"):
            assert (ast.get_docstring(node) or "").split() == (ops.table[name].__doc__ or "").split()


@pytest.mark.parametrize("package", [autograd, nn])
def test_completion_shows_public_names_only(package: ModuleType) -> None:
    shown = {name for name in dir(package) if not name.startswith("__")}
    more = {"array", "compile", "data", "grads", "max", "ops", "testing"} if package is autograd else {"datasets", "linear", "plot"}
    assert more | set(package.__all__) <= shown
    assert not [name for name in shown if name.startswith("_")]
    for name in shown & {*vars(package)}:
        x = getattr(package, name)
        home = x.__name__ if isinstance(x, ModuleType) else getattr(x, "__module__", "")
        assert home.startswith(package.__name__), f"{name} of {home} leaks"


def test_names_to_choose_from_are_those_there_are() -> None:
    assert {*get_args(losses.Name)} == {*losses.NAMES}
    assert {*get_args(init.Name)} == {*init.NAMES}
    assert {*get_args(Method)} == {*METHODS}


def test_the_script_runs_and_its_types_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    extra("numpy").zeros(1)
    monkeypatch.delitem(sys.modules, "tests.typing.script", raising=False)
    importlib.import_module("tests.typing.script")


def test_mypy_finds_the_mistakes_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="needs mypy")
    files = [f"tests/typing/{name}.py" for name in ("script", "mistakes")]
    options = ["--config-file=", "--strict", "--follow-imports=silent", f"--cache-dir={tmp_path}"]
    command = [sys.executable, "-m", "mypy", *options, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
