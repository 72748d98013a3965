"""grad and its relatives: every mode against the others, nested and mixed, over numbers and structures."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from autograd import Dual, Value, exp, grad, hessian, hvp, jacobian, jvp, log, sin, tanh, value_and_grad, vjp
from autograd.testing import Expression, expressions
from tests.extras import extra

np = extra("numpy")

Transformation = Callable[[Callable[[Any], Any]], Callable[[Any], Any]]


def forward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The derivative of a function of one number by forward mode."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def backward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The derivative of a function of one number by a pullback."""
    return lambda x: vjp(f, x)[1](1.0)[0]


MODES: list[Transformation] = [grad, forward, backward]


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
class TestNesting:
    def test_perturbations_are_not_confused(self, outer: Transformation, inner: Transformation) -> None:
        """The classic of Siskind and Pearlmutter: d/dx (x * d/dy (x + y)) = 1, not 2."""
        assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
        assert outer(lambda x: x * inner(lambda y: x * y)(x))(3.0) == 6.0
        assert outer(lambda x: inner(lambda y: x * y * y)(x) * inner(lambda y: y + x)(2.0))(3.0) == 12.0

    def test_second_derivative(self, outer: Transformation, inner: Transformation) -> None:
        assert outer(inner(lambda x: sin(x) * exp(x)))(0.5) == pytest.approx(2 * math.cos(0.5) * math.exp(0.5), rel=1e-14)

    @pytest.mark.parametrize("third", MODES)
    def test_third_derivative(self, third: Transformation, outer: Transformation, inner: Transformation) -> None:
        expected = 2 * math.exp(0.5) * (math.cos(0.5) - math.sin(0.5))
        assert third(outer(inner(lambda x: sin(x) * exp(x))))(0.5) == pytest.approx(expected, rel=1e-13)

    def test_inner_derivative_of_a_constant(self, outer: Transformation, inner: Transformation) -> None:
        assert outer(lambda x: x * inner(lambda y: x * x)(2.0))(3.0) == 0.0
        assert outer(lambda x: 5.0)(1.0) == 0.0

    def test_derivative_at_a_computed_point(self, outer: Transformation, inner: Transformation) -> None:
        """d/dx f'(x^2) = 2x f''(x^2)."""
        assert outer(lambda x: inner(sin)(x * x))(0.7) == pytest.approx(-1.4 * math.sin(0.49), rel=1e-14)


@settings(max_examples=60)
@given(expressions(max_size=15))
def test_all_modes_agree(e: Expression) -> None:
    n = len(e.point)
    unit = [[float(i == j) for j in range(n)] for i in range(n)]
    gradient = grad(lambda x: e(*x))(e.point)
    assert grad(e, tuple(range(n)))(*e.point) == tuple(gradient)
    assert jacobian(lambda x: e(*x))(e.point) == gradient
    assert list(vjp(e, *e.point)[1](1.0)) == gradient
    tangents = [jvp(lambda x: e(*x), (e.point,), (u,))[1] for u in unit]
    assert tangents == pytest.approx(gradient, rel=1e-10, abs=1e-10)

    leaves = [Value(x) for x in e.point]
    e(*leaves).backward()
    assert [x.grad for x in leaves] == pytest.approx(gradient, rel=1e-12, abs=1e-12)


@settings(max_examples=40)
@given(expressions(operations=["add", "mul", "sub", "sin", "exp", "tanh", "sigmoid", "square", "div", "softplus"], max_size=10))
def test_hessian_is_symmetric_and_equals_its_products(e: Expression) -> None:
    def f(x: Any) -> Any:
        return e(*x)

    h = np.array(hessian(f)(e.point))
    size = np.abs(h).max()
    np.testing.assert_allclose(h, h.T, rtol=1e-9, atol=1e-12 * size)
    for i in range(len(e.point)):
        unit = [float(i == j) for j in range(len(e.point))]
        np.testing.assert_allclose(hvp(f, (e.point,), (unit,)), h[i], rtol=1e-9, atol=1e-12 * size)
        reverse_over_forward = grad(lambda x: jvp(f, (x,), (unit,))[1])(e.point)  # noqa: B023
        np.testing.assert_allclose(reverse_over_forward, h[i], rtol=1e-9, atol=1e-12 * size)


Point = namedtuple("Point", "x y")


class TestStructures:
    def test_the_gradient_has_the_structure_of_the_argument(self) -> None:
        def f(p: Any) -> Any:
            return p["w"][0] * p["w"][1] + 3 * p["b"]

        assert grad(f)({"w": [2.0, 5.0], "b": 1.0}) == {"w": [5.0, 2.0], "b": 3.0}
        assert grad(lambda p: p.x * p.y)(Point(2.0, 5.0)) == Point(5.0, 2.0)
        assert grad(lambda t: t[0] * t[1][0])((2.0, (5.0,))) == (5.0, (2.0,))

    def test_arrays(self) -> None:
        a = np.array([[1.0, 2.0], [3.0, 4.0]])
        gradient = grad(lambda x: (x * x).sum())(a)
        assert gradient.dtype == float
        np.testing.assert_array_equal(gradient, 2 * a)
        np.testing.assert_array_equal(grad(lambda x: x.sum())(np.arange(3)), np.ones(3))
        np.testing.assert_array_equal(grad(lambda x: x[()] ** 2)(np.array(3.0)), 6.0)
        assert grad(lambda x: 1.0)(np.zeros((0, 2))).shape == (0, 2)

    def test_jacobian_blocks(self) -> None:
        m = np.array([[1.0, 2.0, 0.5], [3.0, 4.0, 0.25]])
        np.testing.assert_array_equal(jacobian(lambda x: m @ x)(np.ones(3)), m)
        assert jacobian(lambda x: np.stack([x, x]))(np.ones((2, 3))).shape == (2, 2, 3, 2, 3)
        rows = jacobian(lambda x: {"a": x[0] * x[1], "b": [x[0]]})([2.0, 3.0])
        assert rows == {"a": [3.0, 2.0], "b": [[1.0, 0.0]]}
        blocks = jacobian(lambda x: m @ np.array(x))([1.0, 1.0, 1.0])
        assert len(blocks) == 3
        np.testing.assert_array_equal(blocks[2], [0.5, 0.25])
        np.testing.assert_array_equal(hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0])), [[6.0, 0.0], [0.0, 12.0]])

    def test_several_arguments(self) -> None:
        def f(x: Any, y: Any, scale: float = 1.0) -> Any:
            return scale * x * y * y

        assert grad(f, 1)(2.0, 3.0) == 12.0
        assert grad(f, -1)(2.0, 3.0) == 12.0
        assert grad(f, (0, 1))(2.0, 3.0, scale=2.0) == (18.0, 24.0)
        assert hessian(f, (0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
        assert jvp(f, (2.0, 3.0), (1.0, 1.0)) == (18.0, 21.0)
        assert hvp(f, (2.0, 3.0), (1.0, 0.0)) == (0.0, 6.0)
        assert value_and_grad(f, (1,))(2.0, 3.0) == (18.0, (12.0,))

    def test_ints_bools_and_numpy_scalars_are_numbers(self) -> None:
        assert grad(lambda x: x * x)(3) == 6.0
        assert grad(lambda x: x * x)(np.float32(3)) == 6.0
        assert grad(lambda x: x * x)(True) == 2.0


class TestValuesFromOutside:
    """f may depend on Values that are not its arguments: the derivative is then a Value, too."""

    def test_the_gradient_can_be_differentiated_again(self) -> None:
        w = Value(2.0)
        slope = grad(lambda x: w * x * x)(3.0)
        assert slope == 12.0
        slope.backward()
        assert w.grad == 6.0

    def test_the_argument_can_be_a_value(self) -> None:
        x = Value(3.0)
        y = grad(lambda t: t**3)(x)
        y.backward()
        assert (y.data, x.grad) == (27.0, 18.0)

    def test_gradients_of_outside_values_are_left_alone(self) -> None:
        w = Value(2.0)
        u = w * w
        u.backward()
        grad(lambda x: u * x)(3.0)
        value_and_grad(lambda x: u * x)(w)
        assert (w.grad, u.grad) == (4.0, 1.0)

    def test_constants_of_an_inner_derivative_are_not_from_outside(self) -> None:
        outer = grad(lambda a: grad(lambda a, b: a / b, (0, 1))(a, 2.0)[1])(1.0)
        assert (type(outer), outer) == (float, -0.25)

    def test_results_are_floats_otherwise(self) -> None:
        y, (dx, dy) = value_and_grad(lambda a: a[0] * a[1])([2.0, 3.0])
        assert [type(v) for v in (y, dx, dy)] == [float] * 3
        assert [type(v) for v in jvp(tanh, (1.0,), (1.0,))] == [float] * 2


def test_dual_numbers_by_hand() -> None:
    y = log(Dual(2.0, 1.0)) * 3
    assert (y.primal, y.tangent) == (3 * math.log(2.0), 1.5)
    assert Dual(2.0, 1.0) < 3 < Dual(4.0)
    assert float(Dual(2.0, 1.0)) == 2.0
    assert repr(1 / Dual(2.0, 1.0)) == "Dual(0.5, -0.25)"
    mixed = Dual(2.0, 1.0) * Value(5.0)
    assert (mixed.primal.data, mixed.tangent.data) == (10.0, 5.0)


def test_pullback_is_linear_and_reusable() -> None:
    y, pullback = vjp(lambda x: [x[0] * x[1], sin(x[0])], [2.0, 3.0])
    assert y == [6.0, math.sin(2.0)]
    first, second = pullback([1.0, 0.0])[0], pullback([0.0, 1.0])[0]
    both = pullback([2.0, -1.0])[0]
    assert both == pytest.approx([2 * a - b for a, b in zip(first, second, strict=True)])


def test_names_tell_the_story() -> None:
    assert grad(math.sin).__name__ == "grad(sin)"
    assert grad(grad(math.sin)).__name__ == "grad(grad(sin))"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), TypeError, "list of 2: try jacobian"),
        (lambda: grad(lambda x: np.array([x]))(1.0), TypeError, r"array of shape \(1,\): try jacobian"),
        (lambda: grad(lambda x: "a")(1.0), TypeError, "'a'"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "None"),
        (lambda: grad(lambda x: x, 1)(1.0), ValueError, r"argnums 1 is out of range.*1 positional"),
        (lambda: grad(lambda x: x, (0, -1))(1.0), ValueError, "each argument once"),
        (lambda: grad(lambda x: x, 0.5)(1.0), TypeError, "argnums"),  # type: ignore[arg-type]
        (lambda: grad(lambda x: x)("a"), TypeError, "'a'"),
        (lambda: jvp(sin, 1.0, (1.0,)), TypeError, "primals must be a tuple"),  # type: ignore[arg-type]
        (lambda: jvp(sin, (1.0,), (1.0, 2.0)), ValueError, "tangents must have the structure of primals"),
        (lambda: vjp(sin, 1.0)[1]([1.0]), ValueError, "cotangent must have the structure of the output"),
        (lambda: hvp(lambda x: x[0], ([1.0],), (1.0,)), ValueError, "structure"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_structure_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contain itself"):
        grad(lambda x: x)(loop)
