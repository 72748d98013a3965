"""Code written for micrograd runs with only the import changed: its interface, on functions and training like those it is known by."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import MLP, Layer, Module, Neuron
from tests.extras import extra

np = extra("numpy")

# Engine -------------------------------------------------------------------------------------------------------------------


def polynomial(x: Any, relu: Any) -> Any:
    """Rectifiers that are open and closed, constants on both sides, results used several times."""
    u = 2 * x + 2 + x
    v = relu(u) + u * x
    return relu(u * u) + v + v * x


def rational(a: Any, b: Any, relu: Any) -> Any:
    """In-place operators, powers, and division of and by constants: e^2 / 2 + 10 / e^2 of e = c - d."""
    c = a + b
    c += c + 1
    c += 1 + c + (-a)
    d = b**3 + a * b
    d += 2 * d + relu(a + b)
    d += d * 3 + relu(b - a)
    e = (c - d) ** 2
    half = e / 2.0
    half += 10.0 / e
    return half


def relu(x: Value) -> Value:
    result: Value = x.relu()
    return result


class Exact:
    """A fraction and its derivative: what to expect, by arithmetic of its own."""

    def __init__(self, value: Fraction | float, slope: Fraction | float = 0) -> None:
        self.value, self.slope = Fraction(value), Fraction(slope)

    def __add__(self, other: Any) -> Exact:
        other = exact(other)
        return Exact(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> Exact:
        other = exact(other)
        return Exact(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other: Any) -> Exact:
        other = exact(other)
        return Exact(self.value / other.value, (self.slope * other.value - self.value * other.slope) / other.value**2)

    def __pow__(self, n: int) -> Exact:
        return Exact(self.value**n, n * self.value ** (n - 1) * self.slope)

    def __neg__(self) -> Exact:
        return self * -1

    def __sub__(self, other: Any) -> Exact:
        return self + exact(other) * -1

    def __rtruediv__(self, other: Any) -> Exact:
        return exact(other) / self

    __radd__, __rmul__ = __add__, __mul__


def exact(x: Any) -> Exact:
    return x if isinstance(x, Exact) else Exact(x)


def exact_relu(x: Exact) -> Exact:
    return x if x.value > 0 else Exact(0)


def test_polynomial() -> None:
    x = Value(-4.0)
    y = polynomial(x, relu)
    y.backward()
    expected = polynomial(Exact(-4, 1), exact_relu)
    assert (y.data, x.grad) == (expected.value, expected.slope) == (-20.0, 46.0)


def test_rational() -> None:
    a, b = Value(-4.0), Value(2.0)
    g = rational(a, b, relu)
    g.backward()
    by_a, by_b = rational(Exact(-4, 1), Exact(2), exact_relu), rational(Exact(-4), Exact(2, 1), exact_relu)
    figures = (24.70408163265306, 138.8338192419825, 645.5772594752186)
    assert (float(by_a.value), float(by_a.slope), float(by_b.slope)) == pytest.approx(figures, rel=1e-15)
    assert (g.data, a.grad, b.grad) == pytest.approx(figures, rel=1e-15)


@given(st.integers(-8, 8), st.integers(-8, 8))
def test_both_anywhere(p: int, q: int) -> None:
    x, a, b = Value(p), Value(p), Value(q)
    y = polynomial(x, relu)
    y.backward()
    one = polynomial(Exact(p, 1), exact_relu)
    assert (y.data, x.grad) == (one.value, one.slope)
    try:
        by_a, by_b = rational(Exact(p, 1), Exact(q), exact_relu), rational(Exact(p), Exact(q, 1), exact_relu)
    except ZeroDivisionError:
        return
    g = rational(a, b, relu)
    g.backward()
    assert (g.data, a.grad, b.grad) == pytest.approx((float(by_a.value), float(by_a.slope), float(by_b.slope)), rel=1e-13)


@pytest.mark.parametrize("x", [-1.0, 0.123, 2.0])
def test_methods(x: float) -> None:
    for f, value, slope in (
        (Value.tanh, np.tanh(x), 1 - np.tanh(x) ** 2),
        (Value.exp, np.exp(x), np.exp(x)),
        (Value.relu, max(x, 0.0), float(x > 0)),
    ):
        v = Value(x)
        y = f(v)
        y.backward()
        assert (y.data, v.grad) == pytest.approx((value, slope), rel=1e-14)


def test_leaves_accumulate_until_zeroed() -> None:
    a = Value(2.0)
    for times in (1, 2, 3):
        (a * 5).backward()
        assert a.grad == 5.0 * times
    a.grad = 0
    (a * 5).backward()
    assert a.grad == 5.0


# Networks -----------------------------------------------------------------------------------------------------------------


def test_modules() -> None:
    model = MLP(2, [16, 16, 1])
    assert isinstance(model, Module)
    assert len(model.parameters()) == 3 * 16 + 17 * 16 + 17
    assert [type(layer) for layer in model.layers] == [Layer] * 3
    assert all(type(neuron) is Neuron for layer in model.layers for neuron in layer.neurons)
    assert all(type(p) is Value for p in model.parameters())
    assert repr(model).startswith("MLP of [Layer of [relu Neuron(2), ")


def two_moons(count: int) -> tuple[Any, Any]:
    """Two half circles that reach into each other, with noise, labelled -1 and 1."""
    rng = np.random.default_rng(1)
    angle, y = rng.uniform(0, np.pi, count), np.arange(count) % 2
    x = np.stack([np.cos(angle) * (1 - 2 * y) + y, np.sin(angle) * (1 - 2 * y) + 0.5 * y], axis=1)
    return x + rng.normal(0, 0.1, x.shape), y * 2 - 1


def loss_and_accuracy(model: MLP, x: Any, y: Any, alpha: float = 1e-4) -> tuple[Value, float]:
    """The max-margin loss with an L2 penalty; rows become Values, labels stay NumPy integers."""
    scores: list[Any] = [model([Value(p) for p in row]) for row in x]
    losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    penalty = alpha * sum(p * p for p in model.parameters())
    right = [(yi > 0) == (score.data > 0) for yi, score in zip(y, scores, strict=True)]
    return data_loss + penalty, sum(right) / len(right)


def test_training() -> None:
    x, y = two_moons(24)
    model = MLP(2, [16, 16, 1])
    history = []
    for step in range(12):
        total, accuracy = loss_and_accuracy(model, x, y)
        model.zero_grad()
        total.backward()
        learning_rate = 0.2 - 0.1 * step / 12
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        history.append(total.data)
    assert history[-1] < 0.5 * history[0]
    assert history[-1] == min(history)
    assert accuracy > 0.8
    boundary(model, x)


def boundary(model: MLP, x: Any) -> None:
    """The sides of the decision boundary over a grid, as for a filled contour plot."""
    columns, rows = np.meshgrid(np.arange(x[:, 0].min() - 1, x[:, 0].max() + 1, 0.5), np.arange(x[:, 1].min() - 1, x[:, 1].max() + 1, 0.5))
    grid = np.c_[columns.ravel(), rows.ravel()]
    scores: list[Any] = [model(list(map(Value, row))) for row in grid]
    sides = np.array([s.data > 0 for s in scores]).reshape(columns.shape)
    assert sides.dtype == np.dtype(bool)
    assert 0.1 < sides.mean() < 0.9
    assert [s.data for s in scores] == [float(model(row)) for row in grid]
