"""Settings: each is refused by name beyond its borders, and taken on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd import Value
from nn import datasets, init, linear, losses, optim, regularizers, schedules

NAN, INF = math.nan, math.inf
MAX, TINY = 1.7976931348623157e308, 5e-324
Make = Callable[[Any], Any]


def params() -> list[Value]:
    return [Value(1.0), Value(2.0)]


POSITIVE: list[Any] = [0.0, -0.1, NAN, INF, "1", None]
NOT_NEGATIVE: list[Any] = [-TINY, NAN, INF, "1", None]
BELOW_ONE: list[Any] = [-TINY, 1.0, NAN, INF, "0.5", None]
SETTINGS: dict[str, tuple[Make, str, list[Any], list[Any]]] = {  # how to set it, its name, what is taken, what is refused
    "constant lr": (schedules.constant, "lr", [TINY, 1, MAX], POSITIVE),
    "inverse_sqrt lr": (schedules.inverse_sqrt, "lr", [TINY, 1], POSITIVE),
    "step_decay lr": (lambda x: schedules.step_decay(x, 2), "lr", [TINY, 1], POSITIVE),
    "step_decay every": (lambda x: schedules.step_decay(0.1, x), "every", [1, 7], POSITIVE),
    "step_decay factor": (lambda x: schedules.step_decay(0.1, 2, x), "factor", [TINY, 2.0], POSITIVE),
    "exponential lr": (lambda x: schedules.exponential(x, 0.9), "lr", [TINY, 1], POSITIVE),
    "exponential rate": (lambda x: schedules.exponential(0.1, x), "rate", [TINY, 1.0], POSITIVE),
    "cosine lr": (lambda x: schedules.cosine(x, 5), "lr", [TINY, 1], POSITIVE),
    "cosine steps": (lambda x: schedules.cosine(0.1, x), "steps", [1, 7], POSITIVE),
    "cosine final": (lambda x: schedules.cosine(0.1, 5, x), "final", [0.0, 0.1], [-0.1, 0.2, NAN]),
    "l1": (regularizers.l1, "strength", [0, 0.0, MAX], NOT_NEGATIVE),
    "l2": (regularizers.l2, "strength", [0, 0.0, MAX], NOT_NEGATIVE),
    "elastic_net": (regularizers.elastic_net, "strength", [0, 0.0, 1.0], NOT_NEGATIVE),
    "elastic_net mixing": (lambda x: regularizers.elastic_net(1.0, x), "mixing", [0.0, 1.0], [-TINY, 1.1, NAN, "1"]),
    "SGD lr": (lambda x: optim.SGD(params(), x), "lr", [0.0, 1, MAX], NOT_NEGATIVE),
    "SGD momentum": (lambda x: optim.SGD(params(), 0.1, momentum=x), "momentum", [0.0, 0.999], BELOW_ONE),
    "SGD weight_decay": (lambda x: optim.SGD(params(), 0.1, weight_decay=x), "weight_decay", [0.0, 1.0], NOT_NEGATIVE),
    "AdaGrad lr": (lambda x: optim.AdaGrad(params(), x), "lr", [0.0], NOT_NEGATIVE),
    "AdaGrad eps": (lambda x: optim.AdaGrad(params(), 0.1, eps=x), "eps", [0.0], NOT_NEGATIVE),
    "RMSprop lr": (lambda x: optim.RMSprop(params(), x), "lr", [0.0], NOT_NEGATIVE),
    "RMSprop alpha": (lambda x: optim.RMSprop(params(), alpha=x), "alpha", [0.0, 0.999], BELOW_ONE),
    "RMSprop eps": (lambda x: optim.RMSprop(params(), eps=x), "eps", [0.0], NOT_NEGATIVE),
    "Adam lr": (lambda x: optim.Adam(params(), x), "lr", [0.0], NOT_NEGATIVE),
    "Adam betas": (lambda x: optim.Adam(params(), betas=x), "betas", [[0.9, 0.99]], [0.9, (0.9,), (0.9, 0.9, 0.9), "ab", None]),
    "Adam beta 1": (lambda x: optim.Adam(params(), betas=(x, 0.9)), r"betas\[0\]", [0.0, 0.999], BELOW_ONE),
    "Adam beta 2": (lambda x: optim.Adam(params(), betas=(0.9, x)), r"betas\[1\]", [0.0, 0.999], BELOW_ONE),
    "Adam eps": (lambda x: optim.Adam(params(), eps=x), "eps", [0.0], NOT_NEGATIVE),
    "AdamW lr": (lambda x: optim.AdamW(params(), x), "lr", [0.0], NOT_NEGATIVE),
    "AdamW weight_decay": (lambda x: optim.AdamW(params(), weight_decay=x), "weight_decay", [0.0], NOT_NEGATIVE),
    "clip_grad_norm": (lambda x: optim.clip_grad_norm(params(), x), "max_norm", [0.0, 1.0], NOT_NEGATIVE),
    "clip_grad_value": (lambda x: optim.clip_grad_value(params(), x), "limit", [0.0, 1.0], NOT_NEGATIVE),
    "uniform low": (lambda x: init.uniform(2, 1, low=x, high=1.0), "low", [-MAX, 1.0], [1.1, -INF, NAN]),
    "uniform high": (lambda x: init.uniform(2, 1, low=-1.0, high=x), "high", [-1.0, 1e300], [-1.1, INF, NAN]),
    "normal mean": (lambda x: init.normal(2, 1, mean=x), "mean", [-1.0], [INF, NAN]),
    "normal std": (lambda x: init.normal(2, 1, std=x), "std", [0.0, 1.0], [-0.1, INF, NAN]),
    "init n_in": (lambda x: init.zeros(x, 1), "n_in", [1], [0, -1, 1.0, "1", None]),
    "init n_out": (lambda x: init.zeros(1, x), "n_out", [1], [0, -1, 1.0, "1", None]),
    "Ridge strength": (linear.Ridge, "strength", [0, 0.0, MAX], NOT_NEGATIVE),
    "LinearClassifier strength": (lambda x: linear.LinearClassifier(strength=x), "strength", [0, 0.0, MAX], NOT_NEGATIVE),
    "Polynomial degree": (linear.Polynomial, "degree", [1], [0, 1.0, "1"]),
    "moons n": (datasets.moons, "n must be an int of at least 2", [2], [1, 2.0, "2"]),
    "circles n": (datasets.circles, "n must be an int of at least 2", [2], [1, 2.0]),
    "xor n": (datasets.xor, "n must be an int of at least 4", [4], [3, 4.0]),
    "blobs n": (datasets.blobs, "n must be an int of at least 3", [3], [2, 3.0]),
    "spiral n": (datasets.spiral, "n must be an int of at least 3", [3], [2, 3.0]),
    "spiral arms": (lambda x: datasets.spiral(30, x), "arms", [2, 30], [1, 2.0, "2"]),
    "spiral turns": (lambda x: datasets.spiral(30, turns=x), "turns", [0.0, -1.0], [INF, NAN]),
    "noise": (lambda x: datasets.moons(10, x), "noise", [0, 0.0, 2.5], NOT_NEGATIVE),
    "circles factor": (lambda x: datasets.circles(10, factor=x), "factor", [0, 0.999], [-TINY, 1.0, NAN]),
    "blobs centres": (lambda x: datasets.blobs(10, x), "cent(re|ers)", [1, 10, [[0.0], [1.0]]], [0, [[NAN]], [0.0, 1.0], [["a"]]]),
    "blobs features": (lambda x: datasets.blobs(10, features=x), "feature", [1], [0]),
    "clip_norm": (lambda x: fit(clip_norm=x), "clip_norm", [0.0, 1.0], [-TINY, NAN, INF]),
    "clip_value": (lambda x: fit(clip_value=x), "clip_value", [0.0, 1.0], [-TINY, NAN, INF]),
    "epochs": (lambda x: fit(epochs=x), "epochs", [1], [0, 1.0, "1"]),
    "batch_size": (lambda x: fit(batch_size=x), "batch_size", [1, 7], [0, 1.0, "1"]),
    "early_stopping": (lambda x: fit(early_stopping=x), "early_stopping", [1], [0, 1.0, "1"]),
    "validation": (lambda x: fit(validation=x), "validation", [0.5], [0.0, 1.0, 1, NAN, "1", ([[1.0]],), ([[1.0]], [1], 0)]),
}  # fmt: skip


def fit(**settings: Any) -> nn.History:
    data = [[1.0], [2.0], [3.0]], [1, -1, 1]
    return nn.fit(nn.Neuron(1, None, rng=0), *data, **{"loss": "hinge", "epochs": 1, "compiled": False, "progress": False, **settings})


@pytest.mark.parametrize("setting", SETTINGS)
def test_borders(setting: str) -> None:
    make, name, taken, refused = SETTINGS[setting]
    for x in taken:
        make(x)
    for x in refused:
        with pytest.raises(ValueError, match=name):
            make(x)


def test_what_holds_if_nothing_is_said() -> None:
    """Defaults are PyTorch's where it has the same, and part of what is promised."""
    p = params()
    sgd, adagrad, rmsprop, adam, adamw = optim.SGD(p, 0.1), optim.AdaGrad(p), optim.RMSprop(p), optim.Adam(p), optim.AdamW(p)
    assert (sgd.lr, sgd.momentum, sgd.nesterov, sgd.weight_decay) == (0.1, 0.0, False, 0.0)
    assert (adagrad.lr, adagrad.eps) == (0.01, 1e-10)
    assert (rmsprop.lr, rmsprop.alpha, rmsprop.eps) == (0.01, 0.99, 1e-8)
    assert (adam.lr, adam.betas, adam.eps) == (1e-3, (0.9, 0.999), 1e-8)
    assert (adamw.lr, adamw.betas, adamw.eps, adamw.weight_decay) == (1e-3, (0.9, 0.999), 1e-8, 0.01)
    assert [schedules.step_decay(1.0, 1)(t) for t in (1, 2, 3)] == [1.0, 0.5, 0.25]
    assert schedules.cosine(1.0, 4)(5) == 0.0
    w = [3.0, -1.0]
    assert regularizers.elastic_net(1.0)(w) == 0.5 * regularizers.l1(1.0)(w) + 0.5 * regularizers.l2(1.0)(w)
    assert linear.LinearClassifier().loss is losses.hinge
    assert (linear.LinearClassifier().strength, linear.Polynomial(2).strength, linear.Ridge(2).strength) == (0.0, 0.0, 2.0)
    assert nn.Swish().parameters()[0].data == 1.0
    assert nn.PReLU().parameters()[0].data == 0.25
    assert len(nn.Maxout(1, 1).pieces) == 2


def test_what_fit_does_if_nothing_is_said() -> None:
    data = [[1.0], [2.0], [3.0]], [1, -1, 1]
    plain, said = nn.Neuron(1, None, rng=0), nn.Neuron(1, None, rng=0)
    history = nn.fit(plain, *data, loss="hinge")
    settings: dict[str, Any] = {"epochs": 100, "batch_size": 3, "replacement": False, "compiled": "auto", "progress": True, "seed": 0}
    assert nn.fit(said, *data, loss="hinge", optimizer=optim.Adam(said, 0.01), **settings) == history
    assert (len(history), history.engine) == (100, "compiled")
    assert said.state_dict() == plain.state_dict()


@pytest.mark.parametrize(("y", "message"), [([1, 2], "y must be -1|y.1. must be -1 or 1"), ([1], "one entry per row")])
def test_evaluate_checks_its_targets(y: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.evaluate(nn.Neuron(1, None, rng=0), [[1.0], [2.0]], y, "hinge")


@pytest.mark.parametrize("t", range(1, 12))
def test_schedules(t: int) -> None:
    assert schedules.constant(0.3)(t) == 0.3
    assert schedules.inverse_sqrt(0.3)(t) == pytest.approx(0.3 / t**0.5)
    assert schedules.step_decay(0.3, 3, 0.2)(t) == pytest.approx(0.3 * 0.2 ** ([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3][t - 1]))
    assert schedules.exponential(0.3, 0.7)(t) == pytest.approx(0.3 * 0.7 ** (t - 1))
    share = (1 + math.cos(math.pi * (t - 1) / 8)) / 2 if t < 9 else 0.0
    assert schedules.cosine(0.3, 8, 0.1)(t) == pytest.approx(0.1 + 0.2 * share)


def test_an_optimizer_without_a_rule() -> None:
    with pytest.raises(NotImplementedError):
        optim.Optimizer(params(), 0.1).step()
