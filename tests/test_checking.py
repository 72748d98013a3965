"""gradcheck: right gradients pass, wrong ones are caught, kinks and domains are called what they are."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf  # type: ignore[import-untyped]

from autograd import (
    Op,
    Value,
    abs,
    arccosh,
    arcsin,
    cbrt,
    clip,
    cos,
    equal,
    exp,
    floor,
    gradcheck,
    greater,
    hypot,
    log,
    log1p,
    maximum,
    norm,
    ops,
    primitive,
    relu,
    sign,
    sin,
    softmax,
    sqrt,
    square,
    step,
    stop_gradient,
    tan,
    where,
)
from autograd.derivatives.checking import BORDER, KINK, OK, OUTSIDE, UNSURE, WRONG
from autograd.numbers.local import local
from autograd.testing import Expression, expressions, points_for, smooth

from . import oracle
from .extras import extra

np = extra("numpy")

Function = Callable[..., Any]
INF = math.inf


def verdicts(f: Function, *args: Any, **options: Any) -> list[str]:
    return [row.verdict for row in gradcheck(f, *args, **options).rows]


def check_that_it_is_right(e: Expression, order: int = 1) -> None:
    """Where numerics are too rough to tell, which a few in ten thousand are, the example does not count."""
    result = gradcheck(e, *e.point, order=order)
    assert not result.failures
    assume(result)


@settings(max_examples=150)
@given(expressions())
def test_right_gradients_pass(e: Expression) -> None:
    check_that_it_is_right(e)


@settings(max_examples=60)
@given(expressions(max_size=8))
def test_right_second_derivatives_pass(e: Expression) -> None:
    check_that_it_is_right(e, order=2)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(expressions())
def test_right_gradients_of_very_many_expressions(e: Expression) -> None:
    check_that_it_is_right(e)


def distorted(op: Op, i: int, error: float) -> Op:
    """The op with its i-th partial derivative wrong by so much of its size."""

    def partials(y: Any, *x: Any) -> tuple[Any, ...]:
        return tuple(d + error * max(1.0, abs(float(d))) if j == i else d for j, d in enumerate(op.partials(y, *x)))

    return Op("distorted", op.forward, partials, arity=op.arity, domain=op.domain, kinks=op.kinks)


UNDERFLOWING: dict[str, Function] = {
    "a summand": lambda x: 1e-3 * sin(100.0 * x) + x,
    "a factor": lambda x: 1e-3 * (0.3 * x) + 1e-3 * x,
    "out of range and back": lambda x: x * 1e-300 * 1e300,
    "product": lambda x: ops.table["prod"]((x, 1e200, 1e100)),
    "of a square root": lambda x: sqrt(x * x + x * x) if abs(x) > 1e-160 else x,
}


@given(st.sampled_from(sorted(UNDERFLOWING)), st.sampled_from([1.0, -1.0]), st.floats(1.0, 2.0), st.integers(-1074, -480))
@example("a summand", 1.0, 1.0, -1074)
@example("of a square root", 1.0, 1.0, -531)
def test_numbers_that_underflow_do_not_make_right_gradients_wrong(name: str, sign: float, x: float, exponent: int) -> None:
    """Floats there are so far apart that a function looks flat: numerics must not take it for that."""
    result = gradcheck(UNDERFLOWING[name], math.ldexp(sign * x, exponent))
    assert not result.failures, result


@pytest.mark.parametrize("name", sorted(ops.builtin - {"stop_gradient"}))
@settings(max_examples=15)
@given(data=st.data(), error=st.sampled_from([-2.0, -0.01, 0.01, 1.0]))
def test_wrong_gradients_are_caught(name: str, data: st.DataObject, error: float) -> None:
    op = ops.table[name]
    point = data.draw(points_for(op, limit=20.0))
    assume(smooth(op, point, margin=1e-2) and all(v == 0.0 or abs(v) > 1e-6 for v in point))
    for h in (-1e-3, 1e-3):  # not at the border of the domain
        assume(smooth(op, [v if j in op.choices else v + h for j, v in enumerate(point)]))
    i = data.draw(st.sampled_from([i for i in range(len(point)) if i not in op.choices]))
    wrong = distorted(op, i, error)

    def held(apply: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda x: apply(*point[:i], x, *point[i + 1 :])

    assert verdicts(held(op.apply), point[i]) == [OK]
    assert verdicts(held(wrong.apply), point[i]) == [WRONG]


def test_a_wrong_primitive_is_reported_with_its_figures() -> None:
    @primitive(partials=lambda y, x: (2 * x * x,))
    def cube(x: float) -> float:
        return x**3

    result = gradcheck(cube, 2.0)
    assert not result
    (row,) = result.failures
    assert (row.input, row.analytic, round(row.numeric, 6), row.verdict) == ("x", 8.0, 12.0, WRONG)
    assert "WRONG" in str(result)


def test_wrong_second_derivative_is_caught() -> None:
    """The rule is right on floats, but reads the data of what is differentiated and so loses the derivative of the derivative."""

    @primitive(partials=lambda y, x: (2 * getattr(x, "data", x),))
    def squared(x: float) -> float:
        return x * x

    assert gradcheck(squared, 3.0)
    assert not gradcheck(squared, 3.0, order=2)


def test_what_is_held_constant_is_held_by_numerics_too() -> None:
    assert verdicts(lambda x: x**2 * stop_gradient(x), 2.0, order=2) == [OK, OK]
    assert verdicts(lambda x: exp(stop_gradient(x)) * abs(x), 0.0) == [KINK]
    assert verdicts(stop_gradient, 2.0) == [OK]
    assert verdicts(lambda x: x.data * x, 2.0) == [WRONG]


# Rules planted beside kinks, borders and steep spots ---------------------------------------------------------------------


class Planted(NamedTuple):
    """One partial derivative of an op, held to be `slope` in one operand, inside a function of that operand."""

    op: Op
    x: tuple[float, ...]
    i: int
    slope: float
    context: str

    def __call__(self, z: Any) -> Any:
        op, i = self.op, self.i

        def partials(y: Any, *x: Any) -> tuple[Any, ...]:
            return (*op.partials(y, *x)[:i], self.slope, *op.partials(y, *x)[i + 1 :])

        planted = Op("planted", op.forward, partials, arity=len(self.x), domain=op.domain, kinks=op.kinks)
        return CONTEXTS[self.context](planted.apply(*self.x[:i], z, *self.x[i + 1 :]), z)


CONTEXTS: dict[str, Function] = {
    "alone": lambda y, z: y,
    "beside a power": lambda y, z: y + z**2,
    "in a line": lambda y, z: 3.0 * y - 1.0,
    "beside a kink": lambda y, z: y + maximum(z, -z),
    "in a product": lambda y, z: y * (4.0 + cos(z)),
}
SPECIAL = [0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.0, 2.5, -1.5, 20.0, -40.0, 700.0, -700.0]
DISTORTED: dict[str, Callable[[float], float]] = {
    "doubled": lambda d: 2.0 * d,
    "halved": lambda d: 0.5 * d,
    "off by a hundredth": lambda d: 1.01 * d,
    "of the other sign": lambda d: -d,
    "dropped": lambda d: 0.0,
    "shifted": lambda d: d + 1.0,
    "infinite": lambda d: INF,
    "nan": lambda d: math.nan,
}
PLANTABLE = [ops.table[name] for name in sorted(ops.builtin - {"polygamma"})]


@st.composite
def spots(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Op, tuple[float, ...], int]:
    """An op with operands at or beside special numbers, and one of them."""
    op = draw(st.sampled_from(PLANTABLE))
    beside = st.sampled_from([0.0, 0.0, 1e-15, -1e-15, 1e-12, -1e-12, 1e-9, -1e-9, 1e-6, -1e-6])
    near = st.builds(lambda p, d: p + d * max(1.0, math.fabs(p)), st.sampled_from(SPECIAL), beside)
    x = draw(st.tuples(*[near] * (op.arity or {"dot": 4}.get(op.name, 3))))
    if draw(st.booleans()):
        x = (x[0], *(x[0] + draw(beside) for _ in x[1:]))  # operands that tie, or nearly
    return op, x, draw(st.sampled_from([i for i in range(len(x)) if i not in op.choices]))


def slopes_of(op: Op, x: tuple[float, ...], i: int) -> tuple[float, float]:
    """The slopes in operand i on the left and on the right, by the mathematics; of the inside, twice, at a border."""
    found = []
    with mp.workdps(300):
        at, h = list(map(mpf, x)), mpf(2) ** -300
        for side in (-h, h):
            try:
                near, far = (oracle.ORACLE[op.name](*at[:i], at[i] + k * side, *at[i + 1 :]) for k in (1, 2))
            except (ValueError, ZeroDivisionError, TypeError, OverflowError):
                continue
            if not (isinstance(near, mp.mpc) or isinstance(far, mp.mpc)):
                rise = (far - near) / side
                found.append(oracle.rounded(rise if math.fabs(rise) < mpf(2) ** 130 * (1 + math.fabs(near)) else mp.sign(rise) * mp.inf))
    assume(found)
    return found[0], found[-1]


def jumps(op: Op, x: tuple[float, ...], i: int) -> bool:
    """Whether the value at x is not the limit on some side, so that in a product the slope of a side is not what the rule gives."""
    with mp.workdps(300):
        at, h = list(map(mpf, x)), mpf(2) ** -300
        try:
            here, *beside = (oracle.ORACLE[op.name](*at[:i], at[i] + side, *at[i + 1 :]) for side in (0, -h, h))
        except (ValueError, ZeroDivisionError, OverflowError):
            return False  # at a border or a pole
        return any(mp.fabs(there - here) > mpf(2) ** -100 * (1 + mp.fabs(here)) for there in beside)


def planted(spot: tuple[Op, tuple[float, ...], int], context: str, distorted: str | None = None) -> Planted:
    """The right rule, or a wrong one: neither the slope of a side nor between them."""
    op, x, i = spot
    y = op.forward(*x)
    assume(context != "in a product" or op.kinks is None or not jumps(op, x, i))
    left, right = slopes_of(*spot)
    low, high, margin = min(left, right), max(left, right), 1e-3 if distorted else -1e-7
    slope = local(op, y, *x)[i]
    if distorted:
        slope = DISTORTED[distorted](slope)
    is_right = low == slope or high == slope or low - margin * (1.0 + math.fabs(low)) <= slope <= high + margin * (1.0 + math.fabs(high))
    assume(math.isfinite(y) and is_right != bool(distorted))
    if distorted and context == "beside a kink" and math.fabs(x[i]) < 1e-9:  # which excuses what lies between its sides
        assume(not low - 1.01 <= slope <= high + 1.01)
    return Planted(op, x, i, slope, context)


everywhere = (st.sampled_from(sorted(CONTEXTS)), spots())


@settings(max_examples=200)
@given(st.sampled_from(sorted(DISTORTED)), *everywhere)
def test_no_wrong_rule_passes(distorted: str, context: str, spot: Any) -> None:
    check_that_it_fails(planted(spot, context, distorted))


@pytest.mark.slow
@settings(max_examples=20_000)
@given(st.sampled_from(sorted(DISTORTED)), *everywhere)
def test_no_wrong_rule_passes_of_very_many(distorted: str, context: str, spot: Any) -> None:
    check_that_it_fails(planted(spot, context, distorted))


@settings(max_examples=200)
@given(*everywhere)
def test_right_rules_pass(context: str, spot: Any) -> None:
    check_that_it_passes(planted(spot, context))


@pytest.mark.slow
@settings(max_examples=20_000)
@given(*everywhere)
def test_very_many_right_rules_pass(context: str, spot: Any) -> None:
    check_that_it_passes(planted(spot, context))


def check_that_it_fails(rule: Planted) -> None:
    x = rule.x[rule.i]
    assume(math.isfinite(float(rule(x))))
    assert not gradcheck(rule, x), gradcheck(rule, x)


def check_that_it_passes(rule: Planted) -> None:
    x = rule.x[rule.i]
    assume(math.isfinite(float(rule(x))))
    result = gradcheck(rule, x)
    assert not result.failures
    assume(result)  # between two kinks that are a few roundings apart, say, numerics cannot tell


class TestKinks:
    @pytest.mark.parametrize(
        "f",
        [relu, abs, floor, lambda x: maximum(x, 0.0), lambda x: clip(x, 0.0, 1.0), lambda x: hypot(x, x), lambda x: relu(-x * x + x)],
    )
    def test_at_a_kink(self, f: Function) -> None:
        assert verdicts(f, 0.0) == [KINK]
        assert gradcheck(f, 0.0)

    def test_both_slopes_are_told(self) -> None:
        assert "at a kink: -1 on the left, 1 on the right" in str(gradcheck(abs, 0.0))
        assert "at a kink: 2 on the left, 3 on the right" in str(gradcheck(lambda x: relu(x) + 2.0 * x, 0.0))

    @settings(max_examples=40)
    @given(st.floats(1e-150, 1e-1))
    def test_beside_a_kink_is_as_anywhere(self, distance: float) -> None:
        for x in (distance, -distance):
            assert verdicts(relu, x) == [OK]
            assert verdicts(lambda x: abs(x) * exp(x), x) == [OK]
            assert verdicts(lambda x: sqrt(sqrt(square(x))), x) == [OK]

    @settings(max_examples=40)
    @given(st.sampled_from([1.0, 3.0, 700.0]), st.integers(1, 10**9))
    def test_a_few_roundings_beside_a_kink(self, kink: float, roundings: int) -> None:
        for x in (kink + roundings * math.ulp(kink), kink - roundings * math.ulp(kink)):
            assert verdicts(lambda x: maximum(x, kink) * x, x) == [OK]
            assert verdicts(floor, x) == [OK]

    def test_smooth_points_nearby_are_checked(self) -> None:
        assert verdicts(lambda x: relu(x - 1e-6), 0.0) == [OK]
        assert verdicts(lambda x: hypot(x, 3.0), 0.0) == [OK]
        assert verdicts(lambda x: hypot(x, 3.0), -3.0) == [OK]
        assert verdicts(lambda x: norm([x, 0.0, 1e-9]), 0.0) == [OK]
        assert verdicts(lambda x: sqrt(x * x + 1e-24), 0.0) == [OK]

    def test_a_kink_in_one_input_only(self) -> None:
        assert verdicts(lambda x, y: relu(x) * y + log(y), 0.0, 2.0) == [KINK, OK]

    def test_a_branch_in_the_code_counts_as_a_kink(self) -> None:
        assert verdicts(lambda x: x * 2 if x > 1 else x * x + x * 0, 1.0) == [KINK]

    @pytest.mark.parametrize("slope", [-1.001, 1.001, math.nan, INF, -INF])
    def test_the_derivative_lies_between_both_slopes(self, slope: float) -> None:
        planted = Op("planted", math.fabs, lambda y, x: (slope,), kinks=lambda x: (x,))
        assert verdicts(planted, 0.0) == [WRONG]
        assert "WRONG at a kink: -1 on the left, 1 on the right" in str(gradcheck(planted, 0.0))

    @pytest.mark.parametrize("kinked", [abs, relu, floor, sign, step, cbrt, lambda x: maximum(x, 0.0), lambda x: greater(x, 0.0), square])
    @pytest.mark.parametrize("kinks", [None, lambda x: (x,), lambda x: (0.0,), lambda x: (x * math.inf,), lambda x: (1.0 / x,)])
    def test_a_kink_excuses_nothing_beside_it(self, kinked: Function, kinks: Function | None) -> None:
        broken = Op("broken", lambda x: 2.0 * x, lambda y, x: (100.0,), kinks=kinks)
        f = lambda x: broken(x) + kinked(x)  # noqa: E731
        if kinked is not cbrt:
            assert verdicts(f, 0.0) == [WRONG]
        assert verdicts(lambda x, y: broken(x) + kinked(y), 0.0, 0.0)[0] == WRONG

    @pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7])
    def test_whole_powers_have_no_kink(self, exponent: int) -> None:
        assert verdicts(lambda x: x**exponent, 0.0) == [OK]
        assert verdicts(lambda x: x**exponent, -1e-9) == [OK]

    @pytest.mark.parametrize(("exponent", "derivative"), [(0.5, INF), (1.5, 0.0), (0.25, INF), (2.5, 0.0)])
    def test_other_powers_end_at_0(self, exponent: float, derivative: float) -> None:
        (row,) = gradcheck(lambda x: x**exponent, 0.0).rows
        assert (row.verdict, row.analytic) == (BORDER, derivative)
        assert row.numeric == pytest.approx(derivative)

    def test_a_removed_singularity_does_not_pass_for_the_branch_that_removes_it(self) -> None:
        assert verdicts(lambda x: where(equal(x, 0.0), 0.0, x), 0.0) == [WRONG]
        assert verdicts(lambda x: where(x, x, 0.0), 0.0) == [WRONG]
        assert verdicts(lambda x: where(equal(x, 0.0), 1.0, cos(x)), 0.0) == [OK]

    @pytest.mark.parametrize("f", [lambda x: x, cbrt, sqrt, log1p, lambda x: sin(x * 1e17)])
    @pytest.mark.parametrize("x", [0.0, 1.0])
    def test_nan_never_passes_where_the_function_is_finite(self, f: Function, x: float) -> None:
        planted = Op("planted", lambda x: x, lambda y, x: (math.nan,))
        assert verdicts(lambda x: f(planted(x)), x) == [WRONG]

    @pytest.mark.parametrize("f", [lambda x, y: maximum(x, y), lambda x, y: ops.max([x, y, x]), lambda x, y: clip(x, y, 9.0)])
    def test_ties_share(self, f: Function) -> None:
        assert verdicts(f, 2.0, 2.0) == [KINK, KINK]

    def test_ties_that_last_are_no_kink(self) -> None:
        assert verdicts(lambda x: maximum(x, x), 2.0) == [OK]
        assert verdicts(lambda x: ops.max([x, 0.5 * x + 0.5 * x, 0.0]), 2.0) == [OK]
        assert verdicts(lambda x: softmax([x, x, x])[1], 2.0) == [OK]

    def test_second_derivatives(self) -> None:
        assert verdicts(lambda x: x**3, 0.0, order=2) == [OK, OK]
        assert verdicts(lambda x: relu(x) * x, 0.0, order=2)[1] == KINK
        wrong = Op("wrong", lambda x: x * x, lambda y, x: (2.0 * x + relu(x) - relu(x).data if isinstance(x, Value) else 2.0 * x,))
        assert verdicts(wrong, 0.0, order=2) == [OK, OK]  # between 2 and 3
        assert verdicts(wrong, 1.0, order=2) == [OK, WRONG]


class TestDomains:
    @pytest.mark.parametrize(("f", "x", "op"), [(log, -1.0, "log"), (sqrt, -2.0, "sqrt"), (lambda x: 1 / x, 0.0, "reciprocal")])
    def test_outside(self, f: Function, x: float, op: str) -> None:
        result = gradcheck(f, x)
        assert [row.verdict for row in result.rows] == [OUTSIDE]
        assert f"outside the domain of {op} at {x:g}" in str(result)
        assert result

    @pytest.mark.parametrize("f", [log, sqrt])
    @given(st.floats(0.0, 1.0))
    def test_near_zero(self, f: Function, x: float) -> None:
        assert gradcheck(f, x)

    @pytest.mark.parametrize("f", [lambda x: log1p(x - 1.0), lambda x: arcsin(1.0 - x), lambda x: arccosh(1.0 + x)])
    @given(st.floats(1e-15, 1.0))
    def test_near_another_border(self, f: Function, x: float) -> None:
        assert gradcheck(f, x)

    def test_at_the_border(self) -> None:
        for f, x, op in ((arccosh, 1.0, "arccosh"), (arcsin, 1.0, "arcsin"), (arcsin, -1.0, "arcsin"), (sqrt, 0.0, "sqrt")):
            assert f"at the border of the domain of {op}" in str(gradcheck(f, x))
            assert gradcheck(f, x)
            planted = Op("planted", f.forward, lambda y, x: (1e9,))
            assert verdicts(planted, x) == [WRONG]

    def test_one_rounding_inside_the_border(self) -> None:
        for f, x in ((arccosh, math.nextafter(1.0, 2.0)), (arcsin, math.nextafter(1.0, 0.0)), (sqrt, 5e-324), (log, 5e-324)):
            assert verdicts(f, x) == [OK]

    def test_power_of_a_negative_base(self) -> None:
        assert verdicts(lambda x: x**3, -2.0) == [OK]
        assert verdicts(lambda a, b: a**b, -2.0, 3.0) == [OK, OUTSIDE]  # the exponent cannot be moved

    def test_where_code_raises_it_is_outside(self) -> None:
        def halves(x: Any) -> Any:
            if x > 1.0:
                raise ValueError("too large")
            return x * x

        assert verdicts(halves, 1.0) == [BORDER]
        assert verdicts(Op("cut", lambda x: math.sqrt(1.0 - x), lambda y, x: (-0.5 / y,)), 0.9999999) == [OK]

    def test_a_branch_not_taken_does_not_matter(self) -> None:
        planted = Op("planted", ops.table["where"].forward, lambda r, c, x, y: (0.0, float(c), 1.0 - float(c)), arity=3)
        assert verdicts(lambda x: planted(greater(x, 0.0), x * 3.0, log(-x)), -2.0) == [OK]


STEEP: list[tuple[Function, float]] = [
    (log, 1e-308),
    (log, 5e-324),
    (lambda x: sqrt(sqrt(square(x))), 2.9977928678517973e-15),
    (lambda x: 1.0 / x, 1e-150),
    (exp, 709.0),
    (exp, -745.0),
    (tan, 1.57),
    (lambda x: x, 1e308),
    (lambda x: x * x, 1e150),
    (lambda x: (x - 1e9) ** 2, 1e9),
]
ANYWHERE: list[Function] = [log, sqrt, exp, relu, abs, floor, sin, cbrt, lambda x: 1 / x, lambda x: x * x, lambda x: x**1.5]


class TestSteepSpots:
    @pytest.mark.parametrize(("f", "x"), STEEP)
    def test_right_ones_pass(self, f: Function, x: float) -> None:
        assert verdicts(f, x) == [OK]
        assert verdicts(lambda x: f(x) * 1.0 + 0.0, x) == [OK]

    @given(st.floats(1e-150, 1e150), st.floats(1e-150, 1e150))
    def test_a_norm_by_hand(self, a: float, b: float) -> None:
        assert gradcheck(lambda a, b: sqrt(a * a + b * b), a, b)

    @pytest.mark.parametrize("f", ANYWHERE)
    @settings(max_examples=40)
    @given(x=st.floats())
    def test_every_float_gets_a_verdict(self, f: Function, x: float) -> None:
        (row,) = gradcheck(f, x).rows
        assert row.verdict in (OK, KINK, BORDER, OUTSIDE, UNSURE)
        assert math.isfinite(x) or row.verdict == OUTSIDE

    def test_what_numerics_cannot_tell_is_no_pass(self) -> None:
        result = gradcheck(lambda x, y: sin(x) + y, 1e17, 1.0)
        assert [row.verdict for row in result.rows] == [UNSURE, OK]
        assert not result
        assert result.failures == ()
        assert result.undecided == result.rows[:1]

    def test_rounding_does_not_drown_what_the_graph_tells(self) -> None:
        assert verdicts(lambda x: (x + 1e10) - 1e10, 1.0) == [OK]
        assert verdicts(lambda x: log(exp(x) + 1e16) * 1e16, 1.0) == [OK]


class TestFunctionsThatAreNotTheirGraph:
    @pytest.mark.parametrize("f", [lambda x: x * x.data, lambda x: Value(x.data) * x, lambda x: sin(x.data), lambda x: x.data**2 + 0.0 * x])
    @settings(max_examples=20)
    @given(st.floats(0.1, 3.0))
    def test_a_cut_graph_is_seen(self, f: Function, x: float) -> None:
        assert verdicts(f, x) == [WRONG]

    @settings(max_examples=20)
    @given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
    def test_a_cut_that_cancels_is_none(self, a: float, b: float) -> None:
        def by_hand(*x: Any) -> Any:
            largest = max(v.data for v in x)
            return log(sum(exp(v - largest) for v in x)) + largest

        assume(a == b or math.fabs(a - b) > 1e-3)
        assert gradcheck(by_hand, a, b)


def test_names_of_inputs() -> None:
    def model(p: Any, y: Any) -> Any:
        return p["w"][0] * y[0, 1] + p["b"]

    def names(f: Function, *args: Any, **options: Any) -> list[str]:
        return [row.input for row in gradcheck(f, *args, **options).rows]

    assert names(model, {"w": [1.0], "b": 2.0}, np.array([[3.0, 4.0]])) == ["p['w'][0]", "p['b']", "y[0, 0]", "y[0, 1]"]
    assert names(lambda a, b=2.0: a * b, 1.0) == ["a"]
    assert names(lambda x: x[0] * x[1], [1.0, 2.0], order=2)[2:] == ["x[0], x[0]", "x[0], x[1]", "x[1], x[0]", "x[1], x[1]"]
    assert names(functools.partial(lambda first, second: first * second, 2.0), 3.0) == ["second"]
    assert names(Expression([1.0, 2.0], [(ops.mul, (0, 1))]), 1.0, 2.0) == ["x0", "x1"]
    for without_names in (lambda *x: x[0] * x[1], lambda a, *rest: a * rest[0], hypot, math.prod, ops.table["mul"]):
        assert names(without_names if without_names is not math.prod else lambda *x: x[0] + x[1], 1.0, 2.0) == ["x", "y"]


def test_prints_as_a_table() -> None:
    lines = str(gradcheck(lambda x: x * x, 3.0)).splitlines()
    assert lines[0].split() == ["input", "analytic", "numeric", "error", "verdict"]
    assert lines[2].split()[:3] == ["x", "6", "6"]
    assert lines[2].endswith("ok")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gradcheck(log, 1.0, order=3), ValueError, r"order must be 1 or 2 \(got 3\)"),
        (lambda: gradcheck(log, 1.0, rtol=-1.0), ValueError, r"rtol must be 0 or more \(got -1.0\)"),
        (lambda: gradcheck(log, 1.0, atol=float("nan")), ValueError, "atol must be 0 or more"),
        (lambda: gradcheck(log), TypeError, "at least one argument"),
        (lambda: gradcheck(lambda x: [x], 1.0), TypeError, "jacobian"),
        (lambda: gradcheck(log, Value(1.0)), TypeError, "must be a real number"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
