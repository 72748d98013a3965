"""gradcheck: right gradients pass, wrong ones are caught, kinks and domains are called what they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd import Op, Value, arccosh, clip, exp, floor, gradcheck, hypot, log, maximum, ops, primitive, relu, sqrt
from autograd.checking import KINK, OK, OUTSIDE, WRONG
from autograd.testing import _CHOICES, Expression, expressions, points_for, smooth
from tests.extras import extra

np = extra("numpy")


def verdicts(f: Callable[..., Any], *args: Any, **options: Any) -> list[str]:
    return [row.verdict for row in gradcheck(f, *args, **options).rows]


@settings(max_examples=150, deadline=None)
@given(expressions())
def test_right_gradients_pass(e: Expression) -> None:
    assert gradcheck(e, *e.point)


@settings(max_examples=30, deadline=None)
@given(expressions(max_size=8))
def test_right_second_derivatives_pass(e: Expression) -> None:
    assume(all(x == 0.0 or abs(x) > 1e-6 for x in e.point))
    assert gradcheck(e, *e.point, order=2, rtol=1e-4, atol=1e-5)


def distorted(op: Op, i: int, error: float) -> Op:
    """The op with its i-th partial derivative wrong by so much of its size."""

    def partials(y: Any, *x: Any) -> tuple[Any, ...]:
        return tuple(d + error * max(1.0, abs(float(d))) if j == i else d for j, d in enumerate(op.partials(y, *x)))

    return Op("distorted", op.forward, partials, arity=op.arity, domain=op.domain, kinks=op.kinks)


@pytest.mark.parametrize("name", ops.table)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), error=st.sampled_from([-2.0, -0.01, 0.01, 1.0]))
def test_wrong_gradients_are_caught(name: str, data: st.DataObject, error: float) -> None:
    op = ops.table[name]
    point = data.draw(points_for(op, limit=20.0))
    assume(smooth(op, point, margin=1e-2) and all(v == 0.0 or abs(v) > 1e-6 for v in point))
    for h in (-1e-3, 1e-3):  # not at the border of the domain
        assume(smooth(op, [v if (name, j) in _CHOICES else v + h for j, v in enumerate(point)]))
    i = data.draw(st.sampled_from([i for i in range(len(point)) if (name, i) not in _CHOICES]))
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
    """The rule is right on floats, but rounds through float() and so loses the derivative of the derivative."""

    @primitive(partials=lambda y, x: (2 * float(x),))
    def squared(x: float) -> float:
        return x * x

    assert gradcheck(squared, 3.0)
    assert not gradcheck(squared, 3.0, order=2)


class TestKinks:
    @pytest.mark.parametrize(
        "f",
        [relu, abs, floor, lambda x: maximum(x, 0.0), lambda x: clip(x, 0.0, 1.0), lambda x: hypot(x, x), lambda x: relu(-x * x + x)],
    )
    def test_at_a_kink(self, f: Callable[[Any], Any]) -> None:
        assert verdicts(f, 0.0) == [KINK]
        assert gradcheck(f, 0.0)

    @given(st.floats(1e-9, 1e-1))
    def test_near_a_kink_is_not_wrong(self, distance: float) -> None:
        for x in (distance, -distance):
            assert verdicts(relu, x) in ([OK], [KINK])
            assert verdicts(lambda x: abs(x) * exp(x), x) in ([OK], [KINK])

    def test_smooth_points_nearby_are_checked(self) -> None:
        assert verdicts(relu, 1e-6) == [OK]
        assert verdicts(lambda x: relu(x - 1e-6), 0.0) == [OK]
        assert verdicts(lambda x: hypot(x, 3.0), 0.0) == [OK]
        assert verdicts(lambda x: hypot(x, 3.0), -3.0) == [OK]

    def test_a_kink_in_one_input_only(self) -> None:
        assert verdicts(lambda x, y: relu(x) * y + log(y), 0.0, 2.0) == [KINK, OK]

    def test_a_branch_in_the_code_counts_as_a_kink(self) -> None:
        assert verdicts(lambda x: x * 2 if x > 1 else x * x + x * 0, 1.0) == [KINK]


class TestDomains:
    @pytest.mark.parametrize(("f", "x", "op"), [(log, -1.0, "log"), (sqrt, -2.0, "sqrt"), (lambda x: 1 / x, 0.0, "reciprocal")])
    def test_outside(self, f: Callable[[Any], Any], x: float, op: str) -> None:
        result = gradcheck(f, x)
        assert [row.verdict for row in result.rows] == [OUTSIDE]
        assert f"outside the domain of {op} at {x:g}" in str(result)
        assert result

    @pytest.mark.parametrize("x", [1e-12, 1e-6, 1e-3, 1.0])
    def test_near_the_border(self, x: float) -> None:
        assert verdicts(log, x) == [OK]
        assert verdicts(sqrt, x) == [OK]

    def test_at_the_border(self) -> None:
        assert "at the border of the domain of arccosh" in str(gradcheck(arccosh, math.nextafter(1.0, 2.0)))

    def test_power_of_a_negative_base(self) -> None:
        assert verdicts(lambda x: x**3, -2.0) == [OK]


def test_names_of_inputs() -> None:
    result = gradcheck(lambda p, y: p["w"][0] * y[0, 1] + p["b"], {"w": [1.0], "b": 2.0}, np.array([[3.0, 4.0]]))
    assert [row.input for row in result.rows] == ["x['w'][0]", "x['b']", "y[0, 0]", "y[0, 1]"]
    result = gradcheck(lambda x: x[0] * x[1], [1.0, 2.0], order=2)
    assert [row.input for row in result.rows] == ["x[0]", "x[1]", "x[0], x[0]", "x[0], x[1]", "x[1], x[0]", "x[1], x[1]"]


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
