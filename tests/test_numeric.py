"""Numerical differentiation: each method as exact as it promises, over many orders of magnitude."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import Op, exp, log, numeric_grad, ops, sigmoid, sin, sqrt
from autograd.derivatives.numeric import Complex
from autograd.ops import table
from autograd.testing import points_for
from tests.extras import extra

np = extra("numpy")

PROMISED = {"central": 1e-8, "forward": 1e-6, "complex": 1e-13, "richardson": 1e-9}
SMOOTH: list[tuple[Callable[[Any], Any], Callable[[float], float]]] = [
    (lambda x: sin(x) + x, lambda x: math.cos(x) + 1),
    (lambda x: exp(x / 4), lambda x: math.exp(x / 4) / 4),
    (lambda x: x**3 + 4 * x, lambda x: 3 * x * x + 4),
    (sigmoid, lambda x: 1 / (2 + 2 * math.cosh(x))),
]


@pytest.mark.parametrize("method", PROMISED)
@pytest.mark.parametrize(("f", "derivative"), SMOOTH)
@given(x=st.floats(-5, 5))
def test_accuracy(method: str, f: Callable[[Any], Any], derivative: Callable[[float], float], x: float) -> None:
    expected = derivative(x)
    size = abs(expected) + abs(float(f(x)))
    assert abs(numeric_grad(f, x, method=method) - expected) <= PROMISED[method] * (size + 1)


@pytest.mark.parametrize("method", ["central", "richardson"])
@pytest.mark.parametrize("x", [1e-9, 1e-6, 1e-3, 1.0, 1e5])
def test_steps_stay_inside_the_domain(method: str, x: float) -> None:
    assert numeric_grad(sqrt, x, method=method) == pytest.approx(0.5 / math.sqrt(x), rel=0.2 if method == "central" else 1e-6)


def test_structures() -> None:
    def f(p: Any, y: Any) -> Any:
        return p["a"] * p["b"][0] + y**2

    first, second = numeric_grad(f, {"a": 2.0, "b": [3.0]}, 4.0)
    assert first["a"] == pytest.approx(3.0)
    assert first["b"] == pytest.approx([2.0])
    assert second == pytest.approx(8.0)
    gradient = numeric_grad(lambda x: (x**2).sum(), np.array([[1.0, 2.0]]))
    np.testing.assert_allclose(gradient, [[2.0, 4.0]])


def _is_analytic(op: Op) -> bool:
    try:
        op.apply(*[Complex(0.5 + 0.25 * i + 0j) for i in range(op.arity or 2)])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name in sorted(ops.builtin) if _is_analytic(ops.table[name])])
@given(data=st.data())
def test_complex_continuations_agree_with_the_ops_on_the_real_line(name: str, data: st.DataObject) -> None:
    op = table[name]
    point = data.draw(points_for(op, limit=20.0))
    y = op.apply(*map(Complex, map(complex, point)))
    assume(name != "log1p" or point[0] > -0.99)  # the formula is exact only near 0, as log1p is meant for
    assert y.number.real == pytest.approx(op.forward(*point), rel=1e-12, abs=1e-12)


def test_complex_needs_analytic_operations() -> None:
    with pytest.raises(ValueError, match=r"'abs' has no continuation.*richardson"):
        numeric_grad(abs, 1.0, method="complex")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: numeric_grad(log, 1.0, method="x"), ValueError, r"method must be one of 'central'.*got 'x'"),
        (lambda: numeric_grad(log), TypeError, "at least one argument"),
        (lambda: numeric_grad(log, "1"), TypeError, "'1'"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
