"""The worked examples B: activations and their derivatives, by the formulas of the lecture notes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, grad

mp = mpmath.mp.clone()
mp.dps = 50
moderate = st.floats(-30, 30)
WIDE = [-1e6, -1000.0, -30.0, -1.0, -1e-8, 1e-8, 0.5, 1.0, 30.0, 1000.0, 1e6]


def s(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


# name: the function, and its derivative as the notes write it, from x and f(x); both exact in 50 digits
FORMULAS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "sigmoid": (s, lambda x, f: f * s(-x)),  # s (1 - s)
    "tanh": (mp.tanh, lambda x, f: 1 / mp.cosh(x) ** 2),  # 1 - t^2
    "arctan": (mp.atan, lambda x, f: 1 / (1 + x**2)),
    "step": (lambda x: mp.mpf(x >= 0), lambda x, f: mp.mpf(0)),
    "hardtanh": (lambda x: max(-1, min(1, x)), lambda x, f: mp.mpf(-1 < x < 1)),
    "relu": (lambda x: max(0, x), lambda x, f: mp.mpf(x > 0)),
    "leaky_relu": (lambda x: max(x, mp.mpf(0.01) * x), lambda x, f: mp.mpf(1) if x > 0 else mp.mpf(0.01)),
    "elu": (lambda x: x if x > 0 else mp.expm1(x), lambda x, f: mp.mpf(1) if x > 0 else mp.exp(x)),  # f(x) + gamma
    "softplus": (lambda x: x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x)), lambda x, f: s(x)),
    "swish": (lambda x: x * s(x), lambda x, f: s(x) + x * s(x) * s(-x)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_B_activation_and_derivative(name: str) -> None:
    f, derivative = FORMULAS[name]
    activation = nn.Activation(name)
    for x in [*WIDE, *(k / 7 for k in range(-50, 51) if k % 7)]:
        v = Value(x)
        y = activation(v)
        y.backward()
        exact = f(mp.mpf(x))
        assert y.data == pytest.approx(float(exact), rel=1e-13, abs=1e-300), x
        assert v.grad == pytest.approx(float(derivative(mp.mpf(x), exact)), rel=1e-11, abs=1e-300), x


@given(moderate)
def test_B_logistic_derivative_is_at_most_a_quarter(x: float) -> None:
    y = autograd.sigmoid(x)
    assert 0.0 < grad(autograd.sigmoid)(x) <= 0.25
    assert grad(autograd.sigmoid)(x) == pytest.approx(y * (1 - y), rel=1e-9, abs=1e-15)
    assert grad(autograd.sigmoid)(0.0) == 0.25


@given(moderate)
def test_B_tanh_derivative_is_at_most_one(x: float) -> None:
    assert 0.0 < grad(autograd.tanh)(x) <= 1.0
    assert grad(autograd.tanh)(x) == pytest.approx(1 - math.tanh(x) ** 2, abs=1e-15)
    assert grad(autograd.tanh)(0.0) == 1.0


@given(moderate)
def test_B_softplus_is_the_integral_of_the_logistic_function(x: float) -> None:
    assert grad(autograd.softplus)(x) == autograd.sigmoid(x)


@given(moderate, st.floats(0.1, 3.0))
def test_B_elu_with_gamma(x: float, gamma: float) -> None:
    f = autograd.elu(x, gamma)
    assert f == (x if x > 0 else pytest.approx(gamma * math.expm1(x), rel=1e-14, abs=1e-300))
    assert grad(autograd.elu)(x, gamma) == (1.0 if x > 0 else pytest.approx(f + gamma, rel=1e-9))


@given(moderate)
def test_B_swish_lies_between_half_and_relu(x: float) -> None:
    assert autograd.swish(x, 0.0) == x / 2
    assert autograd.swish(x, 1e6) == pytest.approx(max(x, 0.0), abs=1e-5)
    assert nn.Swish(beta=0.0).predict([x]) == [x / 2]


def test_B_prelu_learns_a_slope_per_neuron() -> None:
    prelu = nn.PReLU(2, slope=0.25)
    out = prelu([-2.0, 3.0])
    assert [v.data for v in out] == [-0.5, 3.0]
    autograd.sum(out).backward()
    assert [p.grad for p in prelu.parameters()] == [-2.0, 0.0]  # min(x, 0)


def test_B_swish_learns_beta() -> None:
    swish = nn.Swish(beta=1.0)
    y = swish(2.0)
    y.backward()
    assert swish.parameters()[0].grad == pytest.approx(4 * float(s(2) * s(-2)), rel=1e-13)  # x^2 s'(beta x)
    assert nn.Swish(beta=1.0, learnable=False).parameters() == []


def test_B_maxout_is_the_largest_of_affine_pieces_of_the_whole_input() -> None:
    maxout = nn.Maxout(2, 1, pieces=3)
    pieces = [([1.0, 0.0], 0.0), ([-1.0, 0.5], 0.25), ([0.0, 2.0], -1.0)]
    for piece, (w, b) in zip(maxout.pieces, pieces, strict=True):
        neuron = piece.neurons[0]
        neuron.w[0].data, neuron.w[1].data, neuron.b.data = *w, b
    for x in ([2.0, 1.0], [-2.0, 0.5], [0.1, 3.0]):
        z = [w[0] * x[0] + w[1] * x[1] + b for w, b in pieces]
        maxout.zero_grad()
        y = maxout(x)
        y.backward()
        assert y.data == max(z)
        chosen = z.index(max(z))
        assert [p.grad for p in maxout.pieces[chosen].parameters()] == [*x, 1.0]
        assert all(p.grad == 0.0 for k, piece in enumerate(maxout.pieces) if k != chosen for p in piece.parameters())


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=5))
def test_B_softmax(z: list[float]) -> None:
    exact = [mp.exp(v) for v in z]
    shares = [float(e / sum(exact)) for e in exact]
    assert autograd.softmax(z) == pytest.approx(shares, rel=1e-13)
    jacobian = autograd.jacobian(autograd.softmax)(z)
    for i, p in enumerate(shares):
        assert jacobian[i] == pytest.approx([p * ((i == j) - q) for j, q in enumerate(shares)], abs=1e-14)


@pytest.mark.parametrize("extreme", [1000.0, 1e6, 1e300])
def test_B_stable_far_out(extreme: float) -> None:
    for name in nn.modules.activations.ACTIVATIONS:
        for x in (extreme, -extreme):
            v = Value(x)
            y = nn.Activation(name)(v)
            y.backward()
            assert math.isfinite(y.data), name
            assert math.isfinite(v.grad), name
    assert autograd.softmax([extreme, -extreme, 0.0]) == [1.0, 0.0, 0.0]
    assert autograd.softmax([extreme, extreme]) == [0.5, 0.5]
    assert autograd.jacobian(autograd.softmax)([extreme, -extreme]) == [[0.0, 0.0], [0.0, 0.0]]
