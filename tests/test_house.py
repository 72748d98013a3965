"""The plan of the house: who may import whom. A number flows down; nothing calls back up."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("autograd", "nn")
    for path in sorted((ROOT / package).rglob("*.py"))
}

# From the ground up. What stands on one line stands side by side: such rooms may not see each other.
FLOORS = [
    ["autograd.support"],
    ["autograd.ops"],
    ["autograd.numbers"],
    ["autograd.graphs", "autograd.derivatives"],
    ["autograd.pictures", "autograd.languages"],
    ["autograd.stepping", "autograd.compiling.record"],
    ["autograd.compiling.program"],
    ["autograd.compiling.passes"],
    ["autograd.compiling.backends"],
    ["autograd.compiling"],
    ["autograd.testing", "autograd.extend"],
    ["autograd._pytest"],
    ["autograd"],
    ["nn.support"],
    ["nn.init", "nn.schedules", "nn.datasets", "nn.preprocessing"],
    ["nn.modules"],
    ["nn.losses", "nn.optim", "nn.regularizers"],
    ["nn.plot"],
    ["nn.fitting"],
    ["nn.linear"],
    ["nn"],
    ["nn.demo", "autograd.demo"],
    ["autograd.__main__"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
APART = {  # rooms that could see each other, and have no business to
    "autograd.languages": ["autograd.derivatives"],
    "autograd.pictures": ["autograd.derivatives"],
    "autograd.stepping": ["autograd.derivatives", "autograd.languages"],
    "autograd.compiling.record": ["autograd.pictures", "autograd.graphs", "autograd.derivatives"],
    "autograd.compiling.passes": ["autograd.languages", "autograd.pictures", "autograd.graphs", "autograd.derivatives"],
    "autograd.compiling": ["autograd.stepping", "autograd.pictures"],
}
FACES = {"autograd", "autograd.extend", "autograd.ops", "autograd.testing"}  # what libraries on top may import
OPTIONAL = {  # rooms of what may not be installed, imported inside functions
    "autograd.compiling.backends.numpy.machine",
    "autograd.compiling.backends.numpy.kernels",
    "nn.fitting.compiled_run",
    "nn.plot",
    "nn.datasets",
    "autograd.testing",
}


class Import(NamedTuple):
    """One name that a module imports from another of ours."""

    module: str
    name: str
    line: int
    inside: bool  # a function
    for_types: bool


def imported(module: str) -> list[Import]:
    return list(_imported(module))


def _imported(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
    functions = _within(node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    types = _within(node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for name in node.names:
                whole = f"{source}.{name.name}"
                target = whole if whole in MODULES else source
                if target in MODULES:
                    yield Import(target, "" if target == whole else name.name, node.lineno, node in functions, node in types)
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name in MODULES:
                    yield Import(name.name, "", node.lineno, node in functions, node in types)


def _within(nodes: Iterable[ast.AST]) -> set[ast.AST]:
    return {inner for node in nodes for inner in ast.walk(node)}


@cache
def room(module: str) -> str:
    while module not in FLOOR:
        module = module.rpartition(".")[0]
    return module


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_imports_stands_below_it(module: str) -> None:
    here = room(module)
    for found in imported(module):
        there = room(found.module)
        where = f"{MODULES[module].relative_to(ROOT)}:{found.line} imports {found.module}"
        if there != here and not (module == here == "autograd" and found.for_types):
            assert FLOOR[there] < FLOOR[here], f"{where}, which does not stand below {here}: move what both need down, or hand it in"
        assert there not in APART.get(here, ()), f"{where}: {here} has no business with {there}"
        if module.startswith("nn"):
            assert found.module.startswith("nn") or found.module in FACES, f"{where}: nn sees the faces of autograd only (autograd.extend)"
        assert not found.name.startswith("_") or found.name.startswith("__"), f"{where}'s private {found.name}: make it public"
        if found.inside and module != "autograd":
            assert found.module in OPTIONAL, f"{where} inside a function: import it at the top; if that makes a circle, break it"


def test_no_circle() -> None:
    graph = {module: {found.module for found in imported(module)} - {module} for module in MODULES}
    graph["autograd"] = graph["nn"] = set()  # the faces hand on what all others make
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise AssertionError(f"a circle of imports: {' <- '.join(error.args[1])}") from None


def test_every_room_says_what_lives_there() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py":
            doc = ast.get_docstring(ast.parse(path.read_text("utf-8")))
            assert doc, f"{module} needs a line that says what lives there, and what may not"


@pytest.mark.parametrize("module", MODULES)
def test_only_optional_packages_are_imported(module: str) -> None:
    """At the top, a module imports the standard library and what is always installed; NumPy only in rooms that need it."""
    needs_numpy = {"autograd.numbers.arrays", "autograd.languages.array_formulas", "nn.fitting.compiled_run", "nn.datasets"}
    allowed = {"graphviz", "hypothesis", "pytest", *sys.stdlib_module_names, "autograd", "nn"}
    if module in needs_numpy or module.startswith("autograd.compiling.backends.numpy"):
        allowed |= {"numpy"}
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    names = [name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names]
    names += [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom) if not node.level]
    assert {name.partition(".")[0] for name in names} <= allowed
