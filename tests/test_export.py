"""Exports: what is written means what the graph computes, stands alone, and can be read."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
import sympy  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Graph, Value, exp, greater, log, logsumexp, ops, primitive, tanh, where
from autograd.languages.latex import to_latex
from autograd.languages.source import to_source as export_source
from autograd.languages.sympy import to_sympy
from autograd.ops.op import Op
from autograd.testing import Expression, expressions, points_for

BUILTIN = [ops.table[name] for name in sorted(ops.builtin)]
STYLES = ("python", "numpy")
SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 40.0, -40.0, 1000.0, -1000.0, 1e200, -1e200)
SMOOTH = ["add", "sub", "mul", "div", "neg", "pow", "exp", "tanh", "where", "greater", "maximum", "relu", "sigmoid", "clip"]
SYMPY_SKIPS = {"mod", "fmod"}  # at large quotients a float's last bit decides


def function(v: Value | Graph, style: str, name: str = "f") -> Callable[..., Any]:
    """What the source defines, executed on its own."""
    namespace: dict[str, Any] = {}
    exec(export_source(v, name, style), namespace)
    f: Callable[..., Any] = namespace[name]
    return f


def same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)


def close(a: float, b: float, scale: float = 1.0, tolerance: float = 1e-12) -> bool:
    return same(a, b) or (math.isfinite(a) and math.isfinite(b) and abs(a - b) <= tolerance * max(scale, abs(b)))


def applied(op: Op, x: Sequence[float]) -> Value:
    """The op recorded at x, its operands labelled a, b, c, ..."""
    v: Value = op.apply(*(Value(v, label) for v, label in zip(x, "abcdefgh", strict=False)))
    return v


def arguments(op: Op) -> list[tuple[float, ...]]:
    """Special values in every combination, or many of them."""
    if op.arity is not None and op.arity <= 2:
        return list(itertools.product(SPECIAL, repeat=op.arity))
    rng = Random(op.name)
    sizes = [op.arity] if op.arity else [2, 4] if op.name == "dot" else [1, 2, 3, 5]
    return [tuple(rng.choice(SPECIAL) for _ in range(rng.choice(sizes) or 0)) for _ in range(200)]


# The table ---------------------------------------------------------------------------------------------------------------


def test_every_primitive_has_a_meaning() -> None:
    assert all(op.meaning is not None for op in BUILTIN)


@pytest.mark.parametrize("op", BUILTIN, ids=lambda op: op.name)
@settings(max_examples=20)
@given(st.data())
def test_every_formula_means_its_op(op: Op, data: st.DataObject) -> None:
    x = data.draw(points_for(op, 20.0))
    v = applied(op, x)
    assert function(v, "python")(*x) == v.data
    assert close(float(function(v, "numpy")(*x)), v.data, max(1.0, *map(abs, x)))
    expression = to_sympy(v)
    if op.name not in SYMPY_SKIPS or max(map(abs, x)) < 1e3 * min(map(abs, x)):
        exact = {sympy.Symbol(label): sympy.Float(v, 40) for v, label in zip(x, "abcdefgh", strict=False)}
        assert close(float(sympy.N(expression.subs(exact), 30)), v.data, tolerance=1e-11)
    assert balanced(to_latex(v))


@pytest.mark.parametrize("op", BUILTIN, ids=lambda op: op.name)
def test_special_values(op: Op) -> None:
    """To the last bit in Python; with NumPy to a few, and all at once."""
    cases = arguments(op)
    for size in {len(x) for x in cases}:
        rows = [x for x in cases if len(x) == size]
        v = applied(op, rows[0])
        expected = [op.forward(*x) for x in rows]
        f, g = function(v, "python"), function(v, "numpy")
        assert all(same(f(*x), y) for x, y in zip(rows, expected, strict=True))
        columns = np.array(rows).T
        wrong = [(x, a, y) for x, a, y in zip(rows, g(*columns).tolist(), expected, strict=True) if not close(a, y, size_of(x))]
        assert not wrong


def size_of(x: Sequence[float]) -> float:
    return max(1.0, *(abs(v) for v in x if math.isfinite(v)), 1.0)


# Whole graphs ------------------------------------------------------------------------------------------------------------


def labelled(e: Expression) -> Value:
    root: Value = e(*(Value(x, f"x{i}") for i, x in enumerate(e.point)))
    return root


def used(v: Value, point: Sequence[float]) -> dict[str, float]:
    labels = {leaf.label for leaf in Graph(v).leaves}
    return {f"x{i}": x for i, x in enumerate(point) if f"x{i}" in labels}


@settings(max_examples=150)
@given(expressions())
def test_source_computes_the_graph(e: Expression) -> None:
    v = labelled(e)
    point = used(v, e.point)
    assert function(v, "python")(**point) == v.data
    f = function(v, "numpy")
    size = max(abs(node.data) for node in Graph(v))
    smooth = not {node.op.name for node in Graph(v) if node.op} & {
        "tan",
        "polygamma",
        "lgamma",
        "mod",
        "fmod",
        "arctanh",
        "reciprocal",
        "div",
    }
    if smooth:  # others magnify the last bit of their operands without bound
        assert close(float(f(**point)), v.data, size, 1e-9)
        columns = {name: np.full(3, x) for name, x in point.items()}
        assert np.array_equal(f(**columns), np.full(3, float(f(**point))), equal_nan=True) or close(
            float(f(**columns)[1]), v.data, size, 1e-9
        )


@settings(max_examples=40)
@given(expressions(SMOOTH, max_size=8))
def test_sympy_computes_the_graph(e: Expression) -> None:
    v = labelled(e)
    at = {sympy.Symbol(name): sympy.Float(x, 40) for name, x in used(v, e.point).items()}
    assert close(float(sympy.N(to_sympy(v).subs(at), 20)), v.data, max(abs(node.data) for node in Graph(v)), 1e-8)


@settings(max_examples=150)
@given(expressions(["add", "sub", "mul", "div", "neg", "square", "sqrt", "reciprocal", "sum", "mean", "prod", "dot"], max_size=12))
def test_latex_means_the_graph(e: Expression) -> None:
    """Precedence and brackets: the formula, read as mathematics, gives the result."""
    v = labelled(e)
    names: dict[str, float] = {re.sub(r"(\d+)", r"_{\1}", name): x for name, x in used(v, e.point).items()}
    text = to_latex(v)
    assert balanced(text)
    equations = re.sub(r"\\(begin|end)\{aligned\}", "", text).strip().split(" \\\\\n")
    for equation in equations:
        name, _, formula = equation.replace("&", "").rpartition(" = ")
        result = names[name] = evaluated(formula, names)
    assert close(result, v.data, max(abs(node.data) for node in Graph(v)), 1e-9)


_TOKEN = re.compile(r"\\frac|\\sqrt|\\cdot|\\,|\\left\(|\\right\)|[-+^{}]|(?:\d+\.?\d*(?: \\cdot 10\^\{-?\d+\})?)|[a-z]_\{\d+\}|[a-z]")


class evaluated(float):
    """What a formula of sums, products, fractions, squares and roots comes to, read from left to right by the usual rules."""

    def __new__(cls, formula: str, names: dict[str, float]) -> evaluated:
        tokens = [*_TOKEN.findall(formula), ""]
        result = _Reader(tokens, names).sum()
        assert tokens == [""], f"cannot read {tokens[:-1]}"
        return super().__new__(cls, result)


class _Reader:
    def __init__(self, tokens: list[str], names: dict[str, float]) -> None:
        self.tokens, self.names = tokens, names

    def take(self, token: str | None = None) -> str:
        assert token in (None, self.tokens[0]), f"{token} instead of {self.tokens[0]}"
        return self.tokens.pop(0)

    def sum(self) -> float:
        total = -self.product() if self.tokens[0] == "-" and self.take() else self.product()
        while self.tokens[0] in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total += sign * self.product()
        return total

    def product(self) -> float:
        result = self.power()
        while self.tokens[0] in (r"\,", r"\cdot"):
            self.take()
            result *= self.power()
        return result

    def power(self) -> float:
        base = self.atom()
        if self.tokens[0] != "^":
            return base
        self.take()
        return float(base ** self.group())

    def group(self) -> float:
        self.take("{")
        result = self.sum()
        self.take("}")
        return result

    def atom(self) -> float:
        token = self.take()
        if token == r"\left(":
            result = self.sum()
            self.take(r"\right)")
            return result
        if token == r"\frac":
            return self.group() / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token in self.names:
            return self.names[token]
        return float(token.replace(r" \cdot 10^{", "e").rstrip("}"))


def balanced(text: str) -> bool:
    """Whether braces, growing brackets and environments are closed in the order in which they are opened."""
    stack: list[str] = []
    closing = {"}": "{", "right": "left", "end": "begin"}
    for piece in re.findall(r"(?<!\\)[{}]|(?<=\\)(?:left|right|begin|end)(?![a-z])", text):
        if piece not in closing:
            stack.append(piece)
        elif not stack or stack.pop() != closing[piece]:
            return False
    return not stack


# LaTeX -------------------------------------------------------------------------------------------------------------------


def leaf(label: str, data: float = 0.5) -> Value:
    return Value(data, label)


def test_a_neuron() -> None:
    w, x, b = leaf("w"), leaf("x"), leaf("b")
    y = tanh(w * x + b)
    assert to_latex(y) == r"\tanh\left(w \, x + b\right)"
    y.label = "y"
    assert to_latex(y) == r"y = \tanh\left(w \, x + b\right)"


def test_what_is_shared_or_labelled_has_an_equation() -> None:
    w, x = leaf("w"), leaf("x")
    h = w * x
    loss = (h - 1) ** 2 + h
    loss.label = "L"
    assert to_latex(loss) == "\\begin{aligned}\nv_{2} &= w \\, x \\\\\nL &= \\left(v_{2} - 1\\right)^{2} + v_{2}\n\\end{aligned}"
    h.label = "h"
    assert to_latex(loss) == "\\begin{aligned}\nh &= w \\, x \\\\\nL &= \\left(h - 1\\right)^{2} + h\n\\end{aligned}"


A, B, C = leaf("a"), leaf("b"), leaf("c")


@pytest.mark.parametrize(
    ("v", "text"),
    [
        (A - (B - C), r"a - \left(b - c\right)"),
        (A - B - C, "a - b - c"),
        (A + -B, "a - b"),
        (A - -B, r"a - \left(-b\right)"),
        (A * (B + C), r"a \, \left(b + c\right)"),
        (-A * B, r"-a \, b"),
        (-(A * B), r"-a \, b"),
        (-(A + B), r"-\left(a + b\right)"),
        (A * 2 * 3, r"a \cdot 2 \cdot 3"),
        (2 * A - 3, r"2 \, a - 3"),
        (-2.5 * A, r"-2.5 \, a"),
        ((-A) ** 2, r"\left(-a\right)^{2}"),
        (A / (B / C), r"\frac{a}{\frac{b}{c}}"),
        ((A / B) ** C, r"\left(\frac{a}{b}\right)^{c}"),
        ((A**B) ** C, r"\left(a^{b}\right)^{c}"),
        (A ** (B + 1), "a^{b + 1}"),
        (exp(-A) + 1e-7, r"e^{-a} + 1 \cdot 10^{-7}"),
        (exp(A) ** 2, r"\left(e^{a}\right)^{2}"),
        (A % B * C, r"\left(a \;\mathrm{mod}\; b\right) \, c"),
        (where(greater(A, 0.0), A, B), r"\begin{cases} a & \text{if } a > 0 \\ b & \text{otherwise} \end{cases}"),
        (where(A, B, C) + 1, r"\left(\begin{cases} b & \text{if } a \neq 0 \\ c & \text{otherwise} \end{cases}\right) + 1"),
        (greater(A, B) * 2, r"\left[a > b\right] \cdot 2"),
        (A.swish(), r"a \, \sigma\left(a\right)"),
        (ops.swish(A, B), r"a \, \sigma\left(b \, a\right)"),
        (logsumexp([A, B]), r"\log\left(e^{a} + e^{b}\right)"),
        (ops.dot([A, B], [C, 2.0]), r"a \, c + b \cdot 2"),
        (ops.softmax([A, B])[0], r"\frac{e^{a}}{e^{a} + e^{b}}"),
        (A + math.inf, r"a + \infty"),
        (A + -math.inf, r"a - \infty"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_brackets(v: Value, text: str) -> None:
    assert to_latex(v) == text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("w", "w"),
        ("w0", "w_{0}"),
        ("w_12", "w_{12}"),
        ("W1[2][3]", "W_{1,2,3}"),
        ("x[0]", "x_{0}"),
        ("alpha", r"\alpha"),
        ("theta_1", r"\theta_{1}"),
        ("θ1", r"\theta_{1}"),
        ("Ω", r"\Omega"),
        ("loss", r"\mathrm{loss}"),
        ("w_in", r"w_{\mathrm{in}}"),
        ("my loss", r"\mathrm{my\ loss}"),
        ("50%_{x}", r"\mathrm{50\%\_\{x\}}"),
        ("数", r"\mathrm{数}"),
        ("a'", "a'"),
    ],
)
def test_labels_in_latex(label: str, text: str) -> None:
    assert to_latex(exp(leaf(label))) == f"e^{{{text}}}"


def test_labels_that_would_look_alike_stay_apart() -> None:
    assert to_latex(leaf("w1") + leaf("w_1")) == r"\mathrm{w1} + \mathrm{w\_1}"


def test_long_formulas_are_broken_into_equations() -> None:
    terms = [leaf(f"w{i}") * leaf(f"x{i}") for i in range(40)]
    lines = to_latex(sum(terms, Value(0.0, "b"))).split("\n")
    assert len(lines) > 5
    assert max(len(re.sub(r"\\[a-z]+|[{}_ ]", "", line)) for line in lines) < 80


def test_several_roots() -> None:
    a, b = leaf("a", 2.0), leaf("b", 3.0)
    graph = Graph([a * b, a + b])
    assert to_sympy(graph) == [sympy.Symbol("a") * sympy.Symbol("b"), sympy.Symbol("a") + sympy.Symbol("b")]
    assert to_latex(graph) == "\\begin{aligned}\nv_{2} &= a \\, b \\\\\nv_{3} &= a + b\n\\end{aligned}"
    assert [function(graph, style)(2.0, 3.0) for style in STYLES] == [(6.0, 5.0), (6.0, 5.0)]


def test_matplotlib_can_show_it() -> None:
    from matplotlib.mathtext import MathTextParser

    parser: Any = MathTextParser("path")
    for op in BUILTIN:
        text = to_latex(applied(op, (0.5, 0.25) if op.arity is None else (0.5,) * op.arity))
        if "cases" not in text:
            parser.parse(f"${text}$")


# SymPy -------------------------------------------------------------------------------------------------------------------


def test_symbols_are_the_leaves() -> None:
    v = leaf("x") * Value(2.0) + leaf("w1")
    assert {str(s) for s in to_sympy(v).free_symbols} == {"x", "v1", "w1"}
    assert set(Graph(v).names().values()) >= {"x", "v1", "w1"}


def test_derivatives_agree() -> None:
    x, w = leaf("x", 0.7), leaf("w", -1.3)
    y = tanh(w * x) * exp(-x * x) + log(1 + x**2)
    y.backward()
    expression = to_sympy(y, real=True)
    at = {sympy.Symbol("x", real=True): 0.7, sympy.Symbol("w", real=True): -1.3}
    for node in (x, w):
        assert close(float(sympy.diff(expression, sympy.Symbol(node.label, real=True)).subs(at)), node.grad)


def test_numbers_in_sympy() -> None:
    x = sympy.Symbol("x")
    assert to_sympy(leaf("x") ** 2 * 3) == 3 * x**2
    assert to_sympy(leaf("x") * 0.5) == 0.5 * x
    assert to_sympy(leaf("x") + math.inf) == sympy.oo + x


def test_deep_networks_of_relus_are_built_at_once() -> None:
    """SymPy's own Max compares all pairs at every depth, which takes years."""
    y = leaf("x")
    for _ in range(30):
        y = (y * 0.5 + 1).relu()
    assert close(float(to_sympy(y).subs(sympy.Symbol("x"), 0.5)), y.data)


# Python source -----------------------------------------------------------------------------------------------------------


def test_how_source_reads() -> None:
    w, x = leaf("w", 2.0), leaf("x", 3.0)
    h = w * x
    h.label = "h"
    y = h * h + Value(0.25) * w
    assert export_source(y, "model") == "def model(w, x, v4=0.25):\n    h = w * x\n    return h * h + v4 * w"
    assert export_source(y, "model", "numpy") == (
        "import numpy as np\n\n\n"
        '@np.errstate(all="ignore")  # the limits of IEEE 754 without warnings: 1 / 0 = inf\n'
        "def model(w, x, v4=0.25):\n    w, x, v4 = map(np.float64, (w, x, v4))\n    h = w * x\n    return h * h + v4 * w"
    )


def test_defaults_are_the_data() -> None:
    v = Value(0.1) + Value(math.nan) * Value(-math.inf) + Value(0.2)
    assert all(math.isnan(function(v, style)()) for style in STYLES)
    assert all(close(float(function(v, style)(v1=1.0, v2=2.0)), 2.3) for style in STYLES)


def test_labels_that_cannot_be_names() -> None:
    labels = ["x[0]", "class", "exp", "np", "sum", "two words", "1st", "θ", "f", "x", "x_0", "math", "float", "", "-", "inf", "stack"]
    leaves = [Value(1.0 + i / 7.0, label) for i, label in enumerate(labels)]
    v = logsumexp([exp(leaf) for leaf in leaves]) / leaves[0] + (leaves[1] > 0.0) + greater(leaves[2], leaves[3]) - math.inf * leaves[5]
    v = where(1.0, logsumexp([exp(leaf) for leaf in leaves]) / leaves[0] + greater(leaves[2], leaves[3]), v)
    for style in STYLES:
        f = function(v, style)
        assert close(float(f(*(leaf.data for leaf in leaves if leaf.label))), v.data)


def test_equal_labels_stay_apart() -> None:
    v = Value(2.0, "a") - Value(3.0, "a")
    assert [function(v, style)() for style in STYLES] == [-1.0, -1.0]


def test_arrays_broadcast() -> None:
    a, b = leaf("a"), leaf("b")
    f = function(tanh(a) * logsumexp([a, b, 1.0]) + ops.gelu(b) / a, "numpy")
    x, y = np.linspace(0.1, 2.0, 5)[:, None], np.linspace(-3.0, 3.0, 4)
    expected = [[float(tanh(s) * logsumexp([s, t, 1.0]) + ops.gelu(t) / s) for t in y.tolist()] for s in x[:, 0].tolist()]
    assert np.allclose(f(x, y), expected, rtol=1e-13, atol=0.0)
    assert np.allclose(f(x.tolist(), y.tolist()), expected, rtol=1e-13, atol=0.0)
    assert close(float(f(1, 2)), float(f(1.0, 2.0)))


def test_source_runs_without_the_package() -> None:
    """Every primitive in one function, in a process of its own."""
    x = leaf("x", 0.6)
    terms = [op.apply(*[x] * (op.arity or 2)) for op in BUILTIN if op.name != "polygamma"]
    v = ops.sum([*terms, ops.polygamma(1.0, x)])
    for style in STYLES:
        code = f"{export_source(v, 'g', style)}\nimport sys\nprint(repr(float(g(0.6))), 'autograd' in sys.modules)"
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=True)
        result, imported = done.stdout.split()
        assert close(float(result), v.data)
        assert imported == "False"


def test_a_graph_of_a_hundred_thousand_nodes() -> None:
    """Nothing recurses, and nothing grows faster than the graph: long chains, wide sums and reuse of everything."""
    x = leaf("x", 0.3)
    chain = x
    for i in range(33_000):
        chain = tanh(chain * 0.9 + (x if i % 3 else 0.1))
    shared = x
    for _ in range(500):
        shared = shared * shared * 0.5 + x * 0.1
    wide = ops.sum([x * float(i) for i in range(3000)])
    v = chain + shared + wide * 1e-9
    assert len(Graph(v)) > 100_000
    source = export_source(v)
    assert max(map(len, source.splitlines())) <= 120
    assert function(v, "python")(0.3) == v.data
    assert close(float(function(shared + wide, "numpy")(0.3)), (shared + wide).data)


def test_large_graphs_are_no_formulas() -> None:
    y = leaf("x")
    for _ in range(100_000):
        y = y + 1
    for export in (to_latex, to_sympy):
        with pytest.raises(ValueError, match=rf"too large to be read: 100001 nodes, {export.__name__} writes up to max_nodes=500"):
            export(y)


def test_sympy_shares_nothing() -> None:
    y = leaf("x")
    for _ in range(60):
        y = exp(y) + tanh(y)
    with pytest.raises(ValueError, match=r"as SymPy does not share what is used more than once.*to_source"):
        to_sympy(y)
    assert to_latex(y).count(r"\tanh") == 60


def test_depth_that_sympy_cannot_bear() -> None:
    y = leaf("x")
    for _ in range(1500):
        y = tanh(y * 0.7 + 1.3)
    with pytest.raises(ValueError, match="nested too deeply for SymPy"):
        to_sympy(y, max_nodes=10_000)
    assert len(to_latex(y, max_nodes=10_000)) > 1500


# Primitives of a user ----------------------------------------------------------------------------------------------------


@pytest.fixture
def cube() -> Op:
    @primitive(partials=lambda y, x: (3.0 * x * x,))  # type: ignore[untyped-decorator]
    def cube(x: float) -> float:
        return x * x * x

    op: Op = cube
    return op


def test_own_primitives(cube: Op) -> None:
    x = sympy.Symbol("x")
    v = cube(leaf("x", 2.0)) + 1
    assert to_latex(v) == r"\mathrm{cube}\left(x\right) + 1"
    assert to_sympy(v) == sympy.Function("cube")(x) + 1
    assert to_sympy(v, functions={"cube": lambda x: x**3}) == x**3 + 1
    for style in STYLES:
        f = function(v, style)
        assert f(2.0, cube=cube) == f(2.0, cube=lambda x: x**3) == 9.0
        with pytest.raises(TypeError, match="cube"):
            f(2.0)


def test_own_primitives_of_a_sequence() -> None:
    @primitive(partials=lambda y, *x: (1.0,) * len(x))  # type: ignore[untyped-decorator]
    def together(*x: float) -> float:
        return math.fsum(x)

    v = together([leaf("a"), 2.0, leaf("b")])
    for style in STYLES:
        assert function(v, style)(1.0, 3.0, together=together) == 6.0
    assert np.array_equal(function(v, "numpy")(np.array([1.0, 2.0]), 3.0, together=together), [6.0, 7.0])


def test_a_label_that_is_the_name_of_an_own_primitive(cube: Op) -> None:
    v = cube(leaf("cube", 2.0))
    assert export_source(v) == "def f(cube_, *, cube):\n    return cube(cube_)"


# Errors ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two words", "exp", "class", "", "np", "sum"])
def test_names_of_functions(name: str) -> None:
    with pytest.raises(ValueError, match="name must be an identifier that means nothing else in the source"):
        export_source(leaf("x") + 1, name)


def test_styles() -> None:
    with pytest.raises(ValueError, match=r"style must be one of 'python', 'numpy' \(got 'torch'\)"):
        export_source(leaf("x") + 1, style="torch")


@pytest.mark.parametrize("export", [to_latex, to_sympy, export_source])
def test_only_graphs_can_be_exported(export: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="Graph needs a Value"):
        export(2.0)


def test_what_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['numpy'] = sys.modules['sympy'] = None\n"
        "from autograd import Value\nfrom autograd import to_source, to_sympy\n"
        "y = Value(1.0, 'x').sigmoid()\nassert 'def sigmoid' in to_source(y, style='numpy')\n"
        "try:\n    to_sympy(y)\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "to_sympy needs SymPy, which is not installed: pip install sympy"
