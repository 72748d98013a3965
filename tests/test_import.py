"""Importing: what comes with it, and what does not."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
from autograd import Op, ops

SPARED = ["numpy", "hypothesis", "pytest", "graphviz", "pygraphviz", "inspect", "dataclasses", "sympy", "matplotlib", "nn"]

PRIMITIVES = re.findall(r"\w+", """
    add subtract multiply divide negative power reciprocal mod fmod abs sign square sqrt cbrt
    exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh
    hypot floor ceil trunc erf erfc lgamma maximum minimum clip where logaddexp
    sigmoid log_sigmoid softplus relu leaky_relu elu swish gelu hardtanh step
    sum mean prod dot logsumexp softmax log_softmax max min argmax norm
""")  # fmt: skip


def run(code: str, *, cwd: Path | None = None) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_brings_nothing_that_it_does_not_need() -> None:
    code = f"import sys, autograd; print([name for name in {SPARED} if name in sys.modules])"
    assert run(code) == "[]"


def test_computing_brings_nothing_either() -> None:
    code = (
        "import sys; from autograd import Graph, Value, exp, grad, gradcheck, sin; x = Value(0.5, 'x'); y = exp(x) / (1 + sin(x)); "
        "y.backward(); grad(lambda t: t * t)(1.0); "
        f"gradcheck(exp, 1.0); str(Graph(y)); print([name for name in {SPARED} if name in sys.modules])"
    )
    assert run(code) == "[]"


def test_star() -> None:
    namespace: dict[str, object] = {}
    exec("from autograd import *", namespace)
    assert set(autograd.__all__) <= set(namespace)
    assert {"Value", "Graph", "grad", "exp", "where", "gradcheck", "draw", "primitive"} <= set(namespace)


@pytest.mark.parametrize("name", autograd.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert hasattr(autograd, name)
    assert name in dir(autograd)
    assert not name.startswith("_")


def test_no_module_is_exported_in_place_of_a_function() -> None:
    """Names of submodules come by import alone; __all__ holds what users call, and the module of ops."""
    from types import ModuleType

    assert {name for name in autograd.__all__ if isinstance(getattr(autograd, name), ModuleType)} <= {"ops"}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_is_a_function_of_the_package(name: str) -> None:
    f = getattr(autograd, name)
    assert f is getattr(ops, name)
    assert callable(f)
    assert (name in autograd.__all__) == (not hasattr(builtins, name))
    if isinstance(f, Op):
        assert ops.table[f.name] is f
        assert ops.table[name] is f


@pytest.mark.parametrize(("name", "op"), [(op.numpy, op) for op in ops.table.values()])
def test_the_table_knows_numpys_names(name: str, op: Op) -> None:
    assert ops.table[name] is op
    assert ops.table[op.name] is op


def test_unknown_names() -> None:
    with pytest.raises(KeyError):
        ops.table["nowhere"]
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'nowhere'"):
        autograd.nowhere  # noqa: B018


@pytest.mark.parametrize("first", ["autograd.testing", "hypothesis", "nn", "autograd.numbers.value", "autograd.numbers.arrays", "numpy"])
def test_any_module_may_be_imported_first(first: str) -> None:
    if first in ("numpy", "autograd.numbers.arrays"):
        pytest.importorskip("numpy")
    rest = "import autograd, autograd.testing; from hypothesis import strategies as st; st.from_type(autograd.Value).validate()"
    assert run(f"import {first}; {rest}") == ""


def test_without_numpy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None; import autograd, nn; from autograd import *; y = exp(Value(1.0)) * 2; y.backward()\n"
        "print(grad(sin)(0.0), len(nn.MLP(1, [1]).parameters()))\n"
        "for needed in (lambda: autograd.array, lambda: nn.datasets, lambda: nn.linear.LinearRegression().fit([[1.0]], [1.0])):\n"
        "    try: needed()\n"
        "    except ImportError as error: print(error, error.name)"
    )
    assert run(code).splitlines() == [
        "1.0 2",
        "autograd.array needs NumPy, which is not installed: pip install numpy numpy",
        'nn.datasets needs numpy: pip install "scalar-autograd[plot]" numpy',
        "fit needs NumPy, which is not installed: pip install numpy, or use descend numpy",
    ]


def test_the_demo_runs(tmp_path: Path) -> None:
    assert "reciprocal" in run(f"from autograd.__main__ import main; from pathlib import Path; main(['demo', '--out', {str(tmp_path)!r}])")
