"""An op is declared once: where its name stands, and what its row is enough for."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import pytest

from autograd import Op, Value, compile, draw, grad, jvp, numeric_grad, ops, primitive, steps, to_latex, to_source
from autograd.languages.source import array_form

ROOT = Path(__file__).parents[1]
FILES = {path: path.read_text("utf-8") for package in ("autograd", "nn") for path in (ROOT / package).rglob("*.py")}

# Beside the row and the kernels (on floats, on arrays, as source), an op may be named by what knows its algebra, by a language that has a
# form of its own for it, and by what is about this very function.
ALGEBRA = {f"autograd/compiling/{part}" for part in ("passes", "record", "report.py", "backends/source.py")}
LANGUAGES = {"autograd/languages/source.py", "autograd/languages/expression"}
KERNELS = {"autograd/ops/ieee.py", "autograd/compiling/backends/numpy/kernels.py", "autograd/languages/array_formulas.py"}
ROW = "autograd/ops/declarations.py"


def named(path: Path) -> set[str]:
    """The ops that a module names, as attributes of `ops`, as keys, or as the names of functions."""
    tree = ast.parse(FILES[path])
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ops":
            found.add(node.attr)
        elif isinstance(node, ast.Dict):
            found |= {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    of_exported = {name: op.name for name, op in vars(ops).items() if isinstance(op, Op)}
    return {of_exported.get(name, name) for name in found} & ops.builtin


def test_tables_of_ops_there_are_none_but_one() -> None:
    """A dictionary with the names of more than half the ops is a table of ops."""
    for path, text in FILES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Dict):
                keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
                assert len(keys & ops.builtin) <= len(ops.builtin) // 2, f"{path.relative_to(ROOT)}:{node.lineno} is a second table of ops"


def test_files_that_name_an_op() -> None:
    """Of those that may, few name the same."""
    knowing = {ROW, *KERNELS, *LANGUAGES, *ALGEBRA}
    files: dict[str, list[str]] = {name: [] for name in ops.builtin}
    for path in FILES:
        where = path.relative_to(ROOT).as_posix()
        if where.startswith("autograd/") and any(where.startswith(part) for part in knowing):
            for name in named(path):
                files[name].append(where)
    counts = sorted(map(len, files.values()))
    assert counts[len(counts) // 2] <= 4
    assert counts[-1] <= 12


def test_one_row_is_enough() -> None:
    """What an op can do of which there is nothing but the row."""
    sinc = Op(
        "sinc_of_the_test",
        lambda x: ops.sin(x) / x,
        lambda y, x: ((ops.cos(x) - y) / x,),
        meaning=lambda m, x: m.over(m.sin(x), x),
    )
    x = Value(0.7, "x")
    y = sinc(x)
    y.backward()
    assert x.grad == grad(sinc)(0.7) == jvp(sinc, (0.7,), (1.0,))[1]
    s, c = math.sin(0.7), math.cos(0.7)
    assert grad(grad(sinc))(0.7) == pytest.approx(-s / 0.7 - 2.0 * c / 0.7**2 + 2.0 * s / 0.7**3, rel=1e-12)
    assert to_latex(y) == r"\frac{\sin\left(x\right)}{x}"
    f = compile(lambda p, row: sinc(row[0]), [], [0.0], backend="reference")
    assert f([], [[0.7]])[0] == y.data
    assert "sinc_of_the_test" in draw(y).source
    assert "sinc_of_the_test(x)" in to_source(y)
    assert "sinc_of_the_test" in steps(y).formula(1)


def test_a_primitive_with_a_meaning_is_mathematics_everywhere() -> None:
    @primitive(partials=lambda y, x: (3.0 * x * x,), meaning=lambda m, x: m.power(x, 3))
    def cubed(x: float) -> float:
        return x * x * x

    assert to_latex(cubed(Value(2.0, "x"))) == "x^{3}"
    assert numeric_grad(cubed, 2.0, method="complex") == pytest.approx(12.0, rel=1e-15)
    with pytest.raises(TypeError, match="meaning of a primitive must be a function"):
        primitive(partials=lambda y, x: (1.0,), meaning="x")(lambda x: x)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", sorted(ops.builtin - ops.helpers))
def test_every_row_is_whole(name: str) -> None:
    op = ops.table[name]
    assert op.meaning is not None
    assert op.__doc__
    assert re.fullmatch(r"[a-z_0-9]+", op.name)
    assert array_form(op, {}).level >= 0
