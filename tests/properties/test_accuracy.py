"""IEEE semantics at every kind of operand, and accuracy in units in the last place (ulps) where formulas are delicate."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp  # type: ignore[import-untyped]

from autograd import Dual, Value, grad, jvp, ops
from autograd.numbers.local import local
from autograd.ops.op import Op
from autograd.testing import _inside

from .. import oracle
from .test_ops import terms_of_polygamma

OPS = [ops.table[name] for name in ops.table if name in ops.builtin]
FINITE = [s * v for v in (1e-300, 1e-8, 1.0, 40.0, 1000.0, 1e300) for s in (1.0, -1.0)]
SPECIAL = [0.0, -0.0, math.nan, math.inf, -math.inf, *FINITE]
FEW = [0.0, math.nan, math.inf, -math.inf, -1000.0, 1.0, 1e300]
Point = tuple[float, ...]

every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


def special_points(op: Op) -> list[Point]:
    """All combinations for one or two operands, those of fewer numbers for three, some sequences."""
    if op.arity == 3:
        return list(product(FEW, FEW, FEW))
    if op.arity is not None:
        return list(product(SPECIAL, repeat=op.arity))
    if op.name == "dot":
        return list(product(SPECIAL, repeat=2)) + list(product(FEW[:5], repeat=4))
    return [(x,) for x in SPECIAL] + list(product(SPECIAL, repeat=2)) + list(product(FEW, repeat=3))


@every_op
def test_nothing_raises_in_any_mode(op: Op) -> None:
    """Not the value, nor the first and second derivatives in reverse and forward mode; all of them are floats."""
    for x in special_points(op):
        leaves = [Value(v) for v in x]
        root = op.apply(*leaves)
        root.backward()
        numbers = [root.data, *(leaf.grad for leaf in leaves), *forward_mode(op, x)]
        assert all(type(d) is float for d in numbers), (x, numbers)
        assert same(numbers[1 : 1 + len(x)], numbers[1 + len(x) :]), (x, numbers)


@every_op
def test_nothing_raises_at_second_order(op: Op) -> None:
    for x in special_points(op):
        tangents = tuple(1.0 for _ in x)
        for f in (grad(op.apply, range(len(x))), lambda *at: jvp(op.apply, at, tuple(1.0 for _ in at))[1]):
            assert all(type(d) is float for d in flat(jvp(f, x, tangents)[1]))
        for i in range(len(x)):
            float(grad(grad(op.apply, i), len(x) - 1)(*x))


def forward_mode(op: Op, x: Point) -> list[float]:
    return [op.apply(*x[:i], Dual(v, 1.0), *x[i + 1 :]).tangent for i, v in enumerate(x)]


def flat(x: Any) -> list[Any]:
    return list(x) if isinstance(x, tuple) else [x]


def same(a: Any, b: Any) -> bool:
    return all(u == v or (u != u and v != v) for u, v in zip(a, b, strict=True))


# NumPy as the reference for infinities, nan and signs -------------------------------------------------------------------

UFUNCS = [op for op in OPS if isinstance(getattr(np, op.numpy, None), np.ufunc)]
REDUCTIONS: dict[str, Callable[..., Any]] = {"sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min}


@pytest.mark.parametrize("op", UFUNCS, ids=lambda op: op.name)
def test_values_are_those_of_numpy(op: Op) -> None:
    reference = getattr(np, op.numpy)
    for x in special_points(op):
        with np.errstate(all="ignore"):
            expected = float(reference(*map(np.float64, x)))
        assert agrees(op.apply(*x), expected), f"{op.name}{x} is {op.apply(*x)}, NumPy's is {expected}"
        if expected == 0.0 and op.name not in ("maximum", "minimum"):  # of zeros of both signs NumPy may take either
            assert math.copysign(1.0, op.apply(*x)) == math.copysign(1.0, expected) or op.apply(*x) != 0.0, f"{op.name}{x}"


def test_rounding_keeps_the_sign_of_zero() -> None:
    for x in (-0.5, -0.0, 0.0, 0.5):
        for op in (ops.floor, ops.ceil, ops.trunc):
            y = op(x)
            assert math.copysign(1.0, y) == math.copysign(1.0, x), (op.name, x)
            assert math.copysign(1.0, op(Value(x)).data) == math.copysign(1.0, x), (op.name, x)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_are_those_of_numpy(name: str) -> None:
    """But for products of finite numbers, parts of which overflow there."""
    for x in special_points(ops.table[name]):
        with np.errstate(all="ignore"):
            expected = float(REDUCTIONS[name](np.array(x)))
        if name == "prod" and all(map(math.isfinite, x)):
            expected = oracle.rounded(oracle.value(name, x))
        y = ops.table[name].apply(*x)
        cancelled = 1e-15 * sum(map(abs, x)) if name in ("sum", "mean") and math.isfinite(y) else 0.0
        assert agrees(y, expected, cancelled), f"{name}{x} is {y}, NumPy's is {expected}"


def agrees(y: float, expected: float, absolute: float = 0.0) -> bool:
    """The same infinity, both nan, or equal to a few ulps: the two may call different mathematical libraries."""
    if math.isnan(expected) or math.isinf(expected):
        return same([y], [expected])
    return math.isclose(y, expected, rel_tol=1e-15, abs_tol=absolute + 5e-324)


# Accuracy ----------------------------------------------------------------------------------------------------------------

# Values are right to 4 ulps and first derivatives to 8, over the whole real line, denormal numbers and neighbours of borders included.
# An ulp is that of the exact result, but for what is listed here: there, that of a term of the given size if it is larger. No formula
# in floats does better where terms of opposite sign cancel, and where a factor has underflowed before it is multiplied.
VALUE, SLOPE = 4.0, 8.0
TINY = sys.float_info.min  # below it numbers have fewer digits
Size = Callable[..., float]
TERMS_OF_VALUE: dict[str, tuple[Size, str]] = {
    "logaddexp": (lambda *x: max(map(abs, x)), "near its root, where e^a + e^b is 1"),
    "logsumexp": (lambda *x: max(map(abs, x)), "near its roots"),
    "dot": (lambda *x: max(abs(a * b) for a, b in halves(x)), "products are rounded, their sum is not"),
    "lgamma": (lambda x: 0.0 if x > 0.0 else 1.0 + abs(ops.lgamma(1.0 - x)), "between its poles, by reflection"),
    "polygamma": (lambda n, x: terms_of_polygamma(int(n), x), "near its roots, and by reflection"),
    "gelu": (lambda x: TINY * abs(x), "x times a probability that has underflowed"),
}
TERMS_OF_SLOPE: dict[tuple[str, int], tuple[Size, str]] = {
    ("div", 1): (lambda a, b: TINY / abs(b), "a / b has underflowed before it is divided again"),
    ("arctan2", 0): (lambda *x: TINY / math.hypot(*x) if math.isfinite(math.hypot(*x)) else math.inf, "as for div; hypot has overflowed"),
    ("arctan2", 1): (lambda *x: TINY / math.hypot(*x) if math.isfinite(math.hypot(*x)) else math.inf, "as for div; hypot has overflowed"),
    ("pow", 1): (lambda a, b: TINY * abs(ops.log(a)), "a^b has underflowed before it is multiplied by log a"),
    ("gelu", 0): (lambda x: 0.25 if -1.0 < x < 0.0 else TINY * abs(x), "at its root near -3/4; e^(-x^2 / 2) has underflowed"),
    ("swish", 0): (
        lambda x, beta: 0.25 if -2.0 < x * beta < 0.0 else TINY * (1.0 + abs(x * beta)),
        "at its root near beta x = -5/4; the slope of sigmoid has underflowed",
    ),
    ("swish", 1): (lambda x, beta: TINY * (1.0 + x * x), "the slope of sigmoid has underflowed"),
    ("exp_neg_square", 0): (lambda x, scale: TINY * abs(x), "e^(-scale x^2) has underflowed"),
    ("elu", 0): (lambda x, alpha: TINY * abs(alpha), "e^x has underflowed"),
    ("lgamma", 0): (lambda x: terms_of_polygamma(0, x), "as polygamma"),
    ("polygamma", 1): (lambda n, x: terms_of_polygamma(int(n) + 1, x), "as its values"),
    ("sigmoid_difference", 0): (lambda a, b: abs(a - b) * ops.table["sigmoid_slope"](a - b), "rounding a - b moves an exponential"),
    ("sigmoid_difference", 1): (lambda a, b: abs(a - b) * ops.table["sigmoid_slope"](a - b), "rounding a - b moves an exponential"),
}


def halves(x: Point) -> Iterator[Point]:
    n = len(x) // 2
    return zip(x[:n], x[n:], strict=True)


def near(x: float) -> list[float]:
    return [math.nextafter(x, -math.inf), x, math.nextafter(x, math.inf)]


MAGNITUDES = [
    *near(0.5), *near(1.0), *near(2.0), *near(TINY), 5e-324, 1e-320, 1e-300, 1e-160, 1e-18, 1e-8, 1e-3, 0.1, 0.75, 1.0 - 1e-10, 1.0 + 1e-10,
    1.4616, 3.0, 5.5, 10.0, 26.4, 36.0, 38.0, 355.0, 372.0, 700.0, 709.7, 710.4, 745.1, 1e3, 1e5, 1e17, 1e100, 1e155, 1e300, 1.7e308,
]  # fmt: skip
LINE = [0.0, *(s * v for v in MAGNITUDES for s in (1.0, -1.0))]
REALS = st.one_of(st.floats(-40.0, 40.0), st.floats(-1e3, 1e3), st.floats(allow_nan=False, allow_infinity=False))
UNTESTED = {"mod", "fmod"}  # exact; far from 0 their derivatives hang by digits that no oracle has
every_smooth_op = pytest.mark.parametrize("op", [op for op in OPS if op.name not in UNTESTED], ids=lambda op: op.name)


def landmarks(op: Op) -> list[Point]:
    """All of the line, or many combinations."""
    if op.arity == 1:
        return [(x,) for x in LINE]
    rng = random.Random(op.name)
    lengths = [op.arity or (rng.choice((2, 4)) if op.name == "dot" else rng.choice((1, 2, 3, 6))) for _ in range(80 if op.arity else 30)]
    return [tuple(chosen(op, i, rng.choice(LINE)) for i in range(n)) for n in lengths]


def operands(op: Op) -> st.SearchStrategy[Point]:
    lengths = st.just(op.arity) if op.arity else st.sampled_from((2, 4) if op.name == "dot" else (1, 2, 3, 6))
    points = lengths.flatmap(lambda n: st.tuples(*[REALS] * (n or 1)))
    return points.map(lambda x: tuple(chosen(op, i, v) for i, v in enumerate(x)))


def chosen(op: Op, i: int, x: float) -> float:
    choices = op.choices.get(i)
    return choices[hash(x) % len(choices)] if choices else x


@every_smooth_op
def test_accuracy_at_landmarks(op: Op) -> None:
    for x in landmarks(op):
        check_accuracy(op, x)


@every_smooth_op
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_accuracy_anywhere(op: Op, data: st.DataObject) -> None:
    check_accuracy(op, data.draw(operands(op)))


def check_accuracy(op: Op, x: Point) -> None:
    """Of the value, and of the first derivatives where there are any."""
    y = op.apply(*x)
    if not is_defined(op, x):
        return
    size = TERMS_OF_VALUE[op.name][0](*x) if op.name in TERMS_OF_VALUE else 0.0
    check_ulps(f"{op.name}{x}", y, oracle.value(op.name, x), VALUE, size)
    if not math.isfinite(y) or (op.kinks is not None and any(abs(k) < 1e-25 for k in op.kinks(*x))):
        return
    for i, slope in enumerate(local(op, y, *x)):
        if i not in op.choices:
            size = TERMS_OF_SLOPE[op.name, i][0](*x) if (op.name, i) in TERMS_OF_SLOPE else 0.0
            check_ulps(f"d {op.name}{x} in operand {i}", slope, oracle.first(op.name, x, i), SLOPE, size)


DENORMAL = st.one_of(st.integers(-40, 40).map(lambda n: n * 5e-324), st.floats(-1e-307, 1e-307))
HUGE = st.sampled_from([1.7e308, -1.7e308, 1e308, 3.0, -1e300])


@given(x=st.one_of(st.lists(DENORMAL, min_size=2, max_size=4), st.lists(HUGE, min_size=2, max_size=4)))
def test_directions_next_to_the_origin_and_where_the_norm_overflows(x: list[float]) -> None:
    """The derivatives of norm and hypot are those of numbers of any other size, though the norm has few digits, or none."""
    for op, at in ((ops.norm, x), (ops.hypot, x[:2])):
        if not any(at):
            continue
        with mp.workdps(50):
            r = mp.sqrt(mp.fsum([mp.mpf(v) ** 2 for v in at]))
            exact = [mp.mpf(v) / r for v in at]
        for v, slope, dual in zip(exact, local(op, op.apply(*at), *at), forward_mode(op, tuple(at)), strict=True):
            check_ulps(f"d {op.name}{at}", slope, v, SLOPE, TINY)
            assert dual == slope


def is_defined(op: Op, x: Point) -> bool:
    """Inside the domain, not at a pole; and not where the oracle would need all digits between tiny and huge numbers."""
    if op.name in ("lgamma", "polygamma") and ((x[-1] <= 0.0 and x[-1] == math.floor(x[-1])) or abs(x[-1]) > 1e15):
        return False
    if (op.name in ("div", "reciprocal") and x[-1] == 0.0) or (op.name == "arctan2" and x[0] == x[1] == 0.0):
        return False
    return _inside(op, x) and not (op.name == "swish" and abs(x[0]) > 1e15)


def check_ulps(what: str, y: float, exact: Any, bound: float, size: float) -> None:
    nearest = oracle.rounded(exact)
    if y == nearest or (math.isinf(nearest) and abs(y) >= sys.float_info.max * (1.0 - 1e-15)):
        return
    with mp.workdps(50):
        error = float(abs(y - exact) / math.ulp(max(abs(nearest), size)))
    assert error <= bound, f"{what} is {y}, not {nearest}: {error:.3g} ulps"


COMPARING = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
NOT_LOOKED_AT = {("where", 0), ("where", 2), ("leaky_relu", 1), ("elu", 1)}  # with 0.7 for the other operands


@pytest.mark.parametrize("name", sorted(set(ops.builtin) - COMPARING))
def test_nan_goes_through(name: str) -> None:
    op = ops.table[name]
    count = 4 if op.arity is None else op.arity
    for i in range(count):
        x = [0.7] * count
        x[i] = math.nan
        y = op.forward(*x)
        assert math.isnan(y) or ((name, i) in NOT_LOOKED_AT and y == 0.7), i
