"""The worked examples C: losses and regularisers, by the formulas of the lecture notes."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, grad
from nn import MLP, losses, regularizers

mp = mpmath.mp.clone()
mp.dps = 50
scores = st.floats(-20, 20)
signs = st.sampled_from([-1, 1])
logits = st.lists(scores, min_size=2, max_size=5)


def softmax(z: list[float]) -> list[Any]:
    terms = [mp.exp(v) for v in z]
    return [t / sum(terms) for t in terms]


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=6))
def test_C_mean_squared_error(pairs: list[tuple[float, float]]) -> None:
    y_hat, y = map(list, zip(*pairs, strict=True))
    n = len(pairs)
    whole = math.fsum((a - b) ** 2 for a, b in pairs)
    assert losses.mse(y_hat, y) == pytest.approx(whole / n, rel=1e-13, abs=1e-300)
    assert losses.half_mse(y_hat, y) == pytest.approx(whole / (2 * n), rel=1e-13, abs=1e-300)
    assert grad(losses.mse)(y_hat, y) == pytest.approx([2 * (a - b) / n for a, b in pairs], rel=1e-13)
    assert grad(losses.half_mse)(y_hat, y) == pytest.approx([(a - b) / n for a, b in pairs], rel=1e-13)


@given(scores, signs)
def test_C_margin_losses(score: float, y: int) -> None:
    m = y * score
    assert losses.hinge(score, y) == max(0.0, 1.0 - m)
    assert losses.squared_hinge(score, y) == max(0.0, 1.0 - m) ** 2 / 2
    assert losses.logistic(score, y) == pytest.approx(float(mp.log1p(mp.exp(-m))), rel=1e-13)
    assert losses.perceptron(score, y) == max(0.0, -m)
    assert grad(losses.hinge)(score, y) == (-y if m < 1 else 0.0)
    assert grad(losses.squared_hinge)(score, y) == pytest.approx(-y * max(0.0, 1.0 - m))
    assert grad(losses.logistic)(score, y) == pytest.approx(float(-y / (1 + mp.exp(m))), rel=1e-12)
    assert grad(losses.perceptron)(score, y) == (-y if m < 0 else 0.0)


@given(scores, st.floats(0, 1))
def test_C_binary_cross_entropy_from_logits(z: float, y: float) -> None:
    p = 1 / (1 + mp.exp(-mp.mpf(z)))
    exact = -(mp.mpf(y) * mp.log(p) + (1 - mp.mpf(y)) * mp.log(1 / (1 + mp.exp(mp.mpf(z)))))
    assert losses.binary_cross_entropy(z, y) == pytest.approx(float(exact), rel=1e-12, abs=1e-14)
    assert grad(losses.binary_cross_entropy)(z, y) == pytest.approx(float(p - y), abs=1e-15)


@given(logits, st.data())
def test_C_cross_entropy_on_index_and_one_hot_targets(z: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(z) - 1))
    one_hot = [float(i == k) for i in range(len(z))]
    p = softmax(z)
    for target in (k, one_hot):
        assert losses.cross_entropy(z, target) == pytest.approx(float(-mp.log(p[k])), rel=1e-12, abs=1e-14)
        assert grad(losses.cross_entropy)(z, target) == pytest.approx([float(a - b) for a, b in zip(p, one_hot, strict=True)], abs=1e-15)


@given(logits, st.data())
def test_C_cross_entropy_and_kl_divergence_of_distributions(z: list[float], data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.integers(0, 5), min_size=len(z), max_size=len(z)).filter(any))
    y = [part / sum(parts) for part in parts]
    p = softmax(z)
    cross = -sum(mp.mpf(a) * mp.log(b) for a, b in zip(y, p, strict=True))
    divergence = sum(mp.mpf(a) * mp.log(mp.mpf(a) / b) for a, b in zip(y, p, strict=True) if a)
    assert losses.cross_entropy(z, y) == pytest.approx(float(cross), rel=1e-12, abs=1e-13)
    assert losses.kl_divergence(z, y) == pytest.approx(float(divergence), rel=1e-12, abs=1e-13)
    assert losses.kl_divergence(z, y) >= -1e-14
    assert grad(losses.kl_divergence)(z, y) == pytest.approx([float(b - a) for a, b in zip(y, p, strict=True)], abs=1e-14)
    assert losses.kl_divergence([math.log(a) for a in y if a], [a for a in y if a]) == pytest.approx(0.0, abs=1e-14)


def test_C_zero_one_loss() -> None:
    assert losses.zero_one([0.3, -0.2, 0.0, 2.0], [1, -1, 1, -1]) == 0.5
    assert losses.zero_one([[1.0, 2.0], [3.0, 0.0]], [1, 1]) == 0.5
    assert losses.zero_one(0.5, -1) == 1.0
    assert isinstance(losses.zero_one([Value(0.3)], [1]), float)


@given(st.lists(scores, min_size=1, max_size=5), st.lists(signs, min_size=5, max_size=5))
def test_C_the_loss_of_a_batch_is_the_mean_over_rows(z: list[float], y: list[int]) -> None:
    y = y[: len(z)]
    for loss in (losses.hinge, losses.squared_hinge, losses.logistic, losses.perceptron):
        assert loss(z, y) == pytest.approx(math.fsum(loss(a, b) for a, b in zip(z, y, strict=True)) / len(z), rel=1e-14, abs=1e-300)
    rows = [z, z[::-1]]
    mean = (losses.cross_entropy(z, 0) + losses.cross_entropy(z[::-1], 0)) / 2
    assert losses.cross_entropy(rows, [0, 0]) == pytest.approx(mean, rel=1e-14, abs=1e-300)


@given(st.floats(0, 5), st.floats(0, 1))
def test_C_regularisers_leave_out_biases(strength: float, mixing: float) -> None:
    model = MLP(3, [2, 1], seed=4)
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.b.data = 7.0
    w = [p.data for layer in model.layers for neuron in layer.neurons for p in neuron.w]
    absolute, squares = math.fsum(map(abs, w)), math.fsum(v * v for v in w)
    assert float(regularizers.l1(strength)(model)) == pytest.approx(strength * absolute)
    assert float(regularizers.l2(strength)(model)) == pytest.approx(strength / 2 * squares)
    net = strength * (mixing * absolute + (1 - mixing) / 2 * squares)
    assert float(regularizers.elastic_net(strength, mixing)(model)) == pytest.approx(net)
    model.zero_grad()
    regularizers.elastic_net(strength, mixing)(model).backward()
    for p in model.weights():
        slope = strength * (mixing * math.copysign(1.0, p.data) + (1 - mixing) * p.data)
        assert p.grad == pytest.approx(slope, rel=1e-13, abs=1e-300)
    assert all(p.grad == 0.0 for p in model.parameters() if p.label == "b")


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "logistic", "perceptron"])
def test_C_stable_far_out(loss: str) -> None:
    f = losses.NAMES[loss]
    for score in (-1e6, -1000.0, 1000.0, 1e6):
        for y in (-1, 1):
            assert math.isfinite(f(score, y))
            assert math.isfinite(grad(f)(score, y))


def test_C_cross_entropies_far_out() -> None:
    assert losses.cross_entropy([1000.0, -1000.0, 0.0], 1) == 2000.0
    assert losses.cross_entropy([1000.0, -1000.0, 0.0], 0) == 0.0
    assert grad(losses.cross_entropy)([1000.0, -1000.0, 0.0], 1) == [1.0, -1.0, 0.0]
    assert losses.binary_cross_entropy(-1000.0, 1) == 1000.0
    assert losses.binary_cross_entropy(1000.0, 1) == 0.0
    assert losses.kl_divergence([1000.0, -1000.0], [0.5, 0.5]) == pytest.approx(1000.0 + math.log(0.5), rel=1e-14)


def test_C_errors() -> None:
    with pytest.raises(ValueError, match=r"the target must be -1 or 1 \(got 0\)"):
        losses.hinge(0.5, 0)
    with pytest.raises(ValueError, match=r"an index of a class from 0 to 1, .*\(got 2\)"):
        losses.cross_entropy([0.1, 0.2], 2)
    with pytest.raises(ValueError, match=r"mse needs a target for each prediction, and at least one \(got 2 and 3\)"):
        losses.mse([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"\(got 0 and 0\)"):
        losses.mse([], [])
    with pytest.raises(ValueError, match=r"from 0 to 1 \(got 1.5\)"):
        losses.binary_cross_entropy(0.5, 1.5)
    assert isinstance(losses.hinge(Value(0.5), Value(1.0)), Value)
    assert autograd.gradcheck(lambda z, y: losses.binary_cross_entropy(z, y), 0.3, 0.6)
