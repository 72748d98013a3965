"""Expressions read from text: what Python would record, or an error that shows the place, and nothing else."""

from __future__ import annotations

import math
import pickle
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Dual, Graph, Value, dot, jvp, ops, primitive
from autograd.languages.expression import (
    CONSTANTS,
    MAX_DIGITS,
    MAX_LENGTH,
    MAX_NESTING,
    MAX_TOKENS,
    Expression,
    ExpressionError,
    functions,
    read,
)
from autograd.ops.op import Op

NAMES = ("a", "b", "x0", "w_1", "θ", "数", "ﬁ", "E")  # the ligature is one of the letters that Python takes for others
SIGMOID = "1/(1+exp(-(w0*x0+w1*x1+w2)))"
POINT = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}

# Well-formed expressions -------------------------------------------------------------------------------------------------


def called(op: Op) -> Callable[..., Any]:
    """A function of a sequence as expressions have it: f(a, b, c) or f([a, b, c])."""
    return lambda *x: op.apply(*(x[0] if isinstance(x[0], list) else x))


SCALAR = {name: op for name, op in functions().items() if op.arity is not None}
SEQUENCE = {name: op for name, op in functions().items() if op.arity is None and name != "dot"}
PYTHON: dict[str, Any] = {**SCALAR, **{name: called(op) for name, op in SEQUENCE.items()}, "dot": dot, **CONSTANTS}

names = st.sampled_from(NAMES)
decimals = st.one_of(st.floats(0.0, 1e3), st.floats(0.0, allow_infinity=False), st.sampled_from((0.0, 0.5, 1.0, 2.0))).map(repr)
constants = st.one_of(decimals, st.sampled_from(sorted(CONSTANTS)))
spaces = st.sampled_from(("", " ", "  ", "\t", " \n"))
infix = st.tuples(spaces, st.sampled_from("+-*/%"), spaces).map("".join)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions from smaller ones, each with a name in it. Integers meet only names: among themselves Python has them exact."""
    named = st.tuples(st.sampled_from(("", "-", "+")), names, st.sampled_from(("", "*2", " + 1", "/7", "%3"))).map("".join)
    operand = st.one_of(inner, constants)
    pairs = st.lists(st.tuples(operand, operand), max_size=2)
    return st.one_of(
        named,
        st.tuples(inner, infix, operand).map("".join),
        st.tuples(constants, infix, inner).map("".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from("+-"), inner).map("".join),
        st.tuples(inner, operand).map("({0[0]})**({0[1]})".format),
        st.tuples(constants, inner).map("{0[0]} ** ({0[1]})".format),
        st.tuples(st.integers(1, 9), inner).map("{0[0]}/({0[1]})".format),
        inner.map("1/({})".format),
        st.sampled_from(sorted(SCALAR)).flatmap(lambda name: call(SCALAR[name], inner, operand)),
        st.tuples(st.sampled_from(sorted(SEQUENCE)), operands(inner, operand, 0, 3)).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(sorted(SEQUENCE)), operands(inner, operand, 0, 3)).map("{0[0]}([{0[1]}])".format),
        st.tuples(inner, operand, pairs).map(lambda t: inner_product([t[:2], *t[2]])),
    )


def inner_product(pairs: list[tuple[str, str]]) -> str:
    return f"dot([{', '.join(a for a, _ in pairs)}], [{', '.join(b for _, b in pairs)}])"


def operands(first: st.SearchStrategy[str], others: st.SearchStrategy[str], least: int, most: int) -> st.SearchStrategy[str]:
    return st.tuples(first, st.lists(others, min_size=least, max_size=most)).map(lambda t: ", ".join([t[0], *t[1]]))


def call(op: Op, first: st.SearchStrategy[str], others: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    most = (op.arity or 0) - 1
    return st.tuples(operands(first, others, most - len(op.defaults), most), spaces).map(lambda t: f"{op.name}({t[0]}{t[1]})")


terms = st.recursive(names, larger, max_leaves=12)
expressions = st.tuples(st.lists(st.tuples(terms, infix), max_size=3), terms).map(lambda t: "".join(map("".join, t[0])) + t[1])
points = st.fixed_dictionaries({unicodedata.normalize("NFKC", name): st.floats() | st.floats(-3.0, 3.0) for name in NAMES})


def record(v: Value) -> list[tuple[Any, ...]]:
    """Everything that a graph holds, in terms that can be compared: nan equals nan and -0.0 is not 0.0."""
    place = {id(node): i for i, node in enumerate(Graph(v))}
    return [
        (node.op, node.label, repr(node.data), repr(node.grad), [repr(x) if isinstance(x, float) else place[id(x)] for x in node.args])
        for node in Graph(v)
    ]


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(expressions, points)
@example("1/(θ*2)", dict.fromkeys(NAMES, 0.0))
@example("-a**-2.0**b", {"a": -3.0, "b": 0.5})
def test_an_expression_records_what_python_records(text: str, point: dict[str, float]) -> None:
    try:
        expected = eval(f"({text})", {**PYTHON, **{name: Value(x, name) for name, x in point.items()}})
    except (ZeroDivisionError, OverflowError):
        assume(False)  # Python's floats raise where the package's are infinite
    got = read(text, point)
    for v in (got, expected):
        v.backward()
    assert record(got) == record(expected)


def test_the_sigmoid_neuron() -> None:
    v = read(SIGMOID, POINT)
    v.backward()
    assert [node.op.name for node in Graph(v) if node.op] == ["mul", "mul", "add", "add", "neg", "exp", "add", "reciprocal"]
    assert {x.label: x.data for x in Graph(v).leaves} == POINT
    assert v.data == 0.7310585786300049


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_can_be_called(name: str) -> None:
    op = functions()[name]
    if name == "dot":
        assert record(read("dot([x, 2], [y, x])", {"x": 3.0, "y": 4.0}))[-1][0] is op
        return
    operands = ["x", "y", "0.25"][: op.arity or 3]
    v = read(f"{name}({', '.join(operands)})", {"x": 0.5, "y": 2.0})
    direct = op.apply(*[{"x": Value(0.5, "x"), "y": Value(2.0, "y")}.get(x, 0.25) for x in operands])
    assert record(v) == record(direct)


def test_every_exported_primitive_has_its_names() -> None:
    several = {"softmax", "log_softmax"}  # these give lists
    exported = {name for name, x in vars(ops).items() if isinstance(x, Op) and name[0] != "_"}
    assert set(functions()) == ((set(ops.table) - ops.helpers) | exported) - several


def test_what_rules_are_made_of_is_offered_to_nobody() -> None:
    assert ops.helpers < ops.builtin
    for names in (functions(), dir(autograd), autograd.__all__, dir(Value), ops.declarations.__all__):
        assert not ops.helpers & set(names)


def test_a_primitive_of_your_own_can_be_called() -> None:
    def cubed_here(x: float) -> float:
        return x * x * x

    primitive(cubed_here, partials=lambda y, x: (3.0 * x * x,))
    assert read("cubed_here(x) + 1", {"x": 2}).data == 9.0


# Names -------------------------------------------------------------------------------------------------------------------


def test_one_leaf_for_each_name() -> None:
    v = read("x*x + y + x", {"x": 3, "y": 4, "unused": 5})
    assert [leaf.label for leaf in Graph(v).leaves] == ["x", "y"]


def test_values_are_used_as_they_are() -> None:
    x = Value(2.0, "mine")
    assert read("x", {"x": x}) is x
    assert read("x + 1", {"x": x}).args == (x, 1.0)
    assert x.label == "mine"


def test_names_in_order_of_appearance() -> None:
    e = Expression("b*exp(a) + pi*b - sum([c, a])")
    assert (e.names, e.constants, str(e)) == (("b", "a", "c"), ("pi",), "b*exp(a) + pi*b - sum([c, a])")


@given(st.floats(-5.0, 5.0))
def test_forward_mode(x: float) -> None:
    e = Expression("x*exp(x) + 1")
    value, tangent = jvp(lambda x: e.evaluate({"x": x}), (x,), (1.0,))
    v = e.evaluate({"x": Value(x)})
    (leaf,) = Graph(v).leaves
    v.backward()
    assert (value, tangent) == (v.data, pytest.approx(leaf.grad, rel=1e-14, abs=1e-14))
    assert isinstance(e.evaluate({"x": Dual(x, 1.0)}), Dual)


def test_constants_can_be_replaced() -> None:
    assert read("e*2", {}).data == 2.0 * math.e
    assert read("e*2", {"e": 3}).data == 6.0


def test_a_function_and_a_name_do_not_meet() -> None:
    assert read("step(step) + exp", {"step": 1.0, "exp": 2.0}).data == 3.0


VALUES = [("2**10", 1024.0), ("1/0", math.inf), ("9**9**9", math.inf), ("-2**2", -4.0), ("1_000", 1000.0), ("7.5 % 2", 1.5)]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_without_names(text: str, value: float) -> None:
    v = read(text, {})
    assert (v.data, v.op, v.label) == (value, None, "")


def test_numbers_only() -> None:
    with pytest.raises(TypeError, match="the value of x must be a real number"):
        read("x", {"x": "1"})
    with pytest.raises(TypeError, match="must be a str"):
        read(b"x", {})  # type: ignore[arg-type]


# Errors ------------------------------------------------------------------------------------------------------------------


def error_of(text: str, point: Mapping[str, Any] | None = None) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        read(text, point or {})
    return caught.value


ESCAPES = [
    ("__import__('os')", 12),
    ("().__class__", 3),
    ("x.data", 2),
    ("exp.__call__(1)", 4),
    ("1 .real", 3),
    ("1..real", 3),
    ("lambda: 0", 1),
    ("(lambda x: x)(1)", 2),
    ("[x for x in (1, 2)]", 4),
    ("sum(x for x in y)", 7),
    ("(y := 1)", 4),
    ("f'{x}'", 2),
    ("b'1'", 2),
    ("'1'", 1),
    ('exp("1")', 5),
    ("x[0]", 1),
    ("[x][0]", 1),
    ("{x}", 1),
    ("f(*x)", 3),
    ("exp(*x)", 5),
    ("exp(**x)", 7),
    ("*x, y", 1),
    ("exp(x=1)", 6),
    ("exp; exp", 4),
    ("x if y else z", 3),
    ("x and y", 3),
    ("not x", 1),
    ("await x", 1),
    ("yield", 1),
    ("True", 1),
    ("None", 1),
    ("...", 1),
    ("𝐥𝐚𝐦𝐛𝐝𝐚", 1),
    ("eval(x)", 1),
    ("exec(x)", 1),
    ("getattr(x, y)", 1),
    ("exp(exp)(x)", 1),
    ("(exp)", 2),
    ("x < y", 3),
    ("x == y", 3),
    ("x // y", 3),
    ("x @ y", 3),
    ("x | y", 3),
    ("~x", 1),
    ("x # y", 3),
    ("x \\\n + y", 3),
    ("x\0", 2),
    ("2j", 1),
    ("1 + 2.5j", 5),
    ("0x10", 2),
]


@pytest.mark.parametrize(("text", "column"), ESCAPES)
def test_nothing_else_is_read(text: str, column: int) -> None:
    assert error_of(text).column == column


MISTAKES = [
    ("x^2", 2, r"write \*\* for powers"),
    ("2x", 2, r"write 2 \* x"),
    ("2 x", 3, r"write 2 \* x"),
    ("x y", 3, r"write x \* y"),
    ("(x) y", 5, r"write \) \* y"),
    ("exp x", 5, r"exp\(x\)"),
    ("x(1 + x)", 1, r"write x \* \(...\)"),
    ("2(x)", 1, r"write \* before the bracket"),
    ("sigmod(x)", 1, "did you mean sigmoid"),
    ("1 + ln(x)", 5, "did you mean log"),
    ("x + atan2(x, x)", 5, "did you mean arctan2"),
    ("softmax(x)", 1, "several numbers"),
    ("argmax(x, x)", 1, "position"),
    ("x +", 4, "missing here"),
    ("x + * x", 5, "missing here"),
    ("exp(x,, x)", 7, "missing here"),
    ("(x", 1, "never closed"),
    ("(x]", 3, "nothing before this ] opens it"),
    ("x + x)", 6, r"nothing before this \) opens it"),
    ("x + ()", 5, "nothing between"),
    ("exp()", 1, "takes 1 operand, here it has 0"),
    ("x*hypot(x)", 3, "takes 2 operands, here it has 1"),
    ("swish(x, 1, 2)", 1, "takes 1 to 2 operands, here it has 3"),
    ("exp([x])", 5, "numbers, not a list"),
    ("sum()", 1, "at least one operand"),
    ("max([])", 1, "at least one operand"),
    ("sum([x], x)", 1, "one list"),
    ("sum([[x]])", 6, "list"),
    ("dot([x], [x, x])", 1, "two lists of one length"),
    ("dot(x, x)", 1, "two lists"),
    ("1,5", 1, "1.5"),
    ("[x]", 1, "list"),
    ("007", 1, "leading zeros"),
    ("x²", 2, r"\*\*2"),
    ("x−1", 2, "write - for minus"),
    ("2·x", 2, r"write \* for a product"),
    ("a ? b", 3, r"\? has no meaning"),
    ("", 1, "empty"),
    (" \t\n", 4, "empty"),
]


@pytest.mark.parametrize(("text", "column", "message"), MISTAKES)
def test_mistakes(text: str, column: int, message: str) -> None:
    error = error_of(text, {"x": 1.0})
    assert error.column == column
    with pytest.raises(ExpressionError, match=message):
        raise error


def test_all_names_without_a_number() -> None:
    error = error_of("w0*x + w1*x + pie", {"w2": 1.0, "x": 1.0, "w0": 2.0})
    assert str(error) == (
        "no value for w1 (did you mean w2?), pie (did you mean pi?)\n"
        "    w0*x + w1*x + pie\n"
        "           ^^     ^^^"
    )
    assert "exp is a function: write exp(...)" in str(error_of("x*exp", {"x": 1.0}))


def test_errors_survive_pickling() -> None:
    error = error_of("1 + 2^x")
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.spans, copied.text) == (str(error), error.spans, error.text)


# The width of each piece in a terminal; the last is a letter and a combining macron.
WIDTHS = {"a": 1, "é": 1, "θ": 1, "数": 2, "ｘ": 2, "x̄": 1}


@given(st.lists(st.sampled_from(sorted(WIDTHS)), min_size=1, max_size=8), st.sampled_from(("", " ", "\t", "\n", "\u3000")))
def test_carets_stand_below_the_place(pieces: list[str], space: str) -> None:
    text = f"{space}{''.join(pieces)}{space}^ 2"
    error = error_of(text)
    _, shown, marks = str(error).split("\n")
    assert text[error.column - 1] == "^"
    assert shown == f"    {' ' * len(space)}{''.join(pieces)}{' ' * len(space)}^ 2"
    assert marks == " " * (4 + 2 * len(space) + sum(WIDTHS[p] for p in pieces)) + "^"


@given(st.integers(0, 300), st.integers(0, 300))
def test_carets_in_an_excerpt_of_a_long_expression(before: int, after: int) -> None:
    error = error_of("x+" * before + "x @ x" + "+x" * after)
    _, shown, marks = str(error).split("\n")
    assert error.column == 2 * before + 3
    assert len(shown) <= 82
    assert marks.strip() == "^"
    assert shown[marks.index("^")] == "@"
    assert shown.strip().strip("…") in error.text


# Limits ------------------------------------------------------------------------------------------------------------------


def test_limits() -> None:
    n = MAX_TOKENS // 2
    assert read("x" + "+x" * (n - 1), {"x": 1.0}).data == n
    assert "too large" in error_of("x" + "+x" * n, {"x": 1.0}).message
    assert read("(" * MAX_NESTING + "x" + ")" * MAX_NESTING, {"x": 1.0}).data == 1.0
    assert error_of("(" * (MAX_NESTING + 1) + "x" + ")" * (MAX_NESTING + 1)).column == MAX_NESTING + 1
    assert read(" " * (MAX_LENGTH - 1) + "1", {}).data == 1.0
    assert "too long" in error_of(" " * MAX_LENGTH + "1").message
    assert read("1" * MAX_DIGITS, {}).data == float("1" * MAX_DIGITS)
    assert f"more than {MAX_DIGITS}" in error_of("1" * (MAX_DIGITS + 1)).message


@pytest.mark.parametrize("text", ["-" * 1500 + "x", "2**" * 900 + "x", "exp(" * 99 + "x" + ")" * 99, "max([" * 49 + "x" + "])" * 49])
def test_deep_expressions_are_read_or_refused(text: str) -> None:
    assert_number_or_error(text)


# Anything at all ---------------------------------------------------------------------------------------------------------


def assert_number_or_error(text: str) -> None:
    try:
        e = Expression(text)
        v = e.evaluate(dict.fromkeys(e.names, 0.5))
    except ExpressionError as error:
        assert_points_into_the_text(error, text)
    else:
        assert type(v) is Value
        v.backward()


def assert_points_into_the_text(error: ExpressionError, text: str) -> None:
    assert error.text == text
    assert error.spans
    assert all(0 <= start <= end <= len(text) for start, end in error.spans)
    message, shown, marks = str(error).split("\n")
    assert message
    assert len(shown) <= 82
    assert "^" in marks
    assert set(marks) <= {" ", "^"}


fuzz = settings(max_examples=800, suppress_health_check=list(HealthCheck))
anything = st.text(st.characters(exclude_categories=()), max_size=40)  # surrogates included
HOSTILE = "xe019 .,+-*/%()[]{}:=<>!@^&|~'\"\\#$?;`_ \t\n\r\x0b\x0c\0\x1b\x85\u2028é数²·−ﬁ\u0304\U0001d431j\ud800"
hostile = st.text(st.sampled_from(HOSTILE), max_size=40)
soup = st.lists(
    st.sampled_from(("x", "y", "exp", "sum", "dot", "max", "where", "polygamma", "lambda", "if", "1", "2.5", "1e308", ".5", "e", "nan"))
    | st.sampled_from(("(", ")", "[", "]", ",", "+", "-", "*", "/", "%", "**", "//", " ", "=", ".", "1j", "'", "for x in", ":=", "\n")),
    max_size=25,
).map("".join)
binary = st.binary(max_size=60)
decoded = binary.map(lambda b: b.decode("utf-8", "surrogateescape")) | binary.map(lambda b: b.decode("utf-16", "replace"))
repeated = st.tuples(
    st.sampled_from(("(", "[", "-", "exp(", "sum([", "2**", "x+", "x,", "(x,", " ", "9", "_", "x.", "lambda:", "not ", "é", "-+")),
    st.sampled_from(("x", "1", "", "x^")),
    st.sampled_from((")", "]", "])", "", "+x", "**2", "(x)", "[0]", "!", "\n")),
    st.integers(0, 300) | st.integers(0, 12_000),
    st.integers(0, 300),
).map(lambda t: t[0] * t[3] + t[1] + t[2] * min(t[3], t[4]))


WELL_FORMED = (SIGMOID, "sum([x, 2*y])/max(x, y)", "-x**-2.5e-3 % (hypot(x, y)+pi)", "dot([x, y], [1, e])*where(x, y, 2)")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A well-formed expression with some characters lost, repeated elsewhere, or added."""
    text = draw(st.sampled_from(WELL_FORMED))
    for _ in range(draw(st.integers(0, 4))):
        i, j = draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))
        added = draw(st.sampled_from((text[j : j + 6], *HOSTILE, "")))
        text = text[:i] + added + text[i + (not added) :]
    return text


@fuzz
@given(anything | decoded)
def test_anything_is_a_number_or_an_error(text: str) -> None:
    assert_number_or_error(text)


@fuzz
@given(hostile)
def test_hostile_characters(text: str) -> None:
    assert_number_or_error(text)


@fuzz
@given(soup)
def test_soup_of_tokens(text: str) -> None:
    assert_number_or_error(text)


@fuzz
@given(mutated())
def test_slightly_wrong_expressions(text: str) -> None:
    assert_number_or_error(text)


@fuzz
@given(repeated)
def test_long_and_deep_texts(text: str) -> None:
    assert_number_or_error(text)


@pytest.mark.slow
@settings(fuzz, max_examples=100_000)
@given(anything | decoded | hostile | soup | mutated() | repeated)
def test_very_many_texts(text: str) -> None:
    assert_number_or_error(text)
