"""Training by compiled programs is training by the eager engine, to 1e-9, and says why where it cannot be."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from nn import (
    MLP,
    Activation,
    BatchNorm,
    Dropout,
    History,
    Linear,
    Maxout,
    Module,
    PReLU,
    Sequential,
    Swish,
    TrainingError,
    fit,
    optim,
    regularizers,
)

rng = Random(8)
X = [[rng.gauss(0, 1), rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(30)]
SIGNS = [1 if a * b > c else -1 for a, b, c in X]
CLASSES = [int(a > 0) + int(b > 0) for a, b, c in X]


def train(model: Module, y: Any = SIGNS, **settings: Any) -> History:
    return fit(model, X, y, **{"loss": "hinge", "epochs": 5, "batch_size": 8, "progress": False, **settings})


def assert_alike(make: Any, y: Any = SIGNS, optimizer: Any = None, **settings: Any) -> None:
    """Compiled and eager training of what `make` makes end at the same numbers, by the same history."""
    results = []
    for compiled in (True, False):
        model = make()
        chosen = {"optimizer": optimizer(model)} if optimizer else {}
        history = train(model, y, compiled=compiled, **settings, **chosen)
        results.append((model.state_dict(), history, model.training))
    (state, history, mode), (eager_state, eager_history, eager_mode) = results
    assert (history.engine, eager_history.engine) == ("compiled", "eager, as asked for")
    assert list(state.values()) == pytest.approx(list(eager_state.values()), rel=1e-9, abs=1e-9)
    for name in ("loss", "metric", "validation_loss", "validation_metric", "learning_rate"):
        assert getattr(history, name) == pytest.approx(getattr(eager_history, name), rel=1e-9, abs=1e-9), name
    assert (history.best_epoch, history.stopped, mode) == (eager_history.best_epoch, eager_history.stopped, eager_mode)


class Residual(Module):
    """A module of a user's own: a skip connection, a weight used twice, a matrix of Values."""

    def __init__(self) -> None:
        self.first, self.tied = Linear(3, 3, "tanh", rng=1), Linear(3, 3, "softplus", rng=2)
        self.matrix = autograd.array(np.eye(3) * 0.5)
        self.out = {"w": [Value(0.3), Value(-0.2), Value(0.1)]}

    def forward(self, x: Any) -> Any:
        h = [a + b for a, b in zip(x, self.first(x), strict=True)]
        h = [a + b for a, b in zip(h, self.tied(self.tied(h)), strict=True)]
        return autograd.dot(self.out["w"], self.matrix @ h)


MODELS = {
    "MLP": lambda: MLP(3, [6, 5, 1], seed=1),
    "tanh": lambda: MLP(3, [6, 1], activation="tanh", output="tanh", seed=1),
    "of every layer": lambda: Sequential(
        Linear(3, 4, rng=1), PReLU(4), Maxout(4, 3, rng=2), Swish(0.8), Activation("gelu"), PReLU(), Linear(3, 1, bias=False, rng=3)
    ),
    "dropout": lambda: Sequential(
        Linear(3, 8, "relu", rng=1), Dropout(0.4), Linear(8, 6, "tanh", rng=2), Dropout(0.2), Linear(6, 1, rng=3)
    ),
    "residual": Residual,
}
OPTIMIZERS = {
    "SGD": lambda m: optim.SGD(m, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "AdaGrad": lambda m: optim.AdaGrad(m, 0.05),
    "RMSprop": lambda m: optim.RMSprop(m, 0.01),
    "Adam": lambda m: optim.Adam(m, nn.schedules.inverse_sqrt(0.05)),
    "AdamW": lambda m: optim.AdamW(m, 0.05),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    assert_alike(MODELS[name])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str) -> None:
    assert_alike(MODELS["tanh"], optimizer=OPTIMIZERS[name])


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "logistic", "perceptron", "mse", "half_mse"])
def test_losses_of_scores(loss: str) -> None:
    assert_alike(MODELS["tanh"], loss=loss)


@pytest.mark.parametrize("loss", ["cross_entropy", "kl_divergence"])
def test_losses_of_classes(loss: str) -> None:
    assert_alike(lambda: MLP(3, [5, 3], seed=2), CLASSES, loss=loss, validation=0.25)
    shares = [[0.5, 0.25, 0.25] if c else [0.0, 1.0, 0.0] for c in CLASSES]
    assert_alike(lambda: MLP(3, [5, 3], seed=2), shares, loss=loss)


class Masked(Module):
    """Of three classes, the last cannot be."""

    def __init__(self) -> None:
        self.first = Linear(3, 3, rng=1)

    def forward(self, x: Any) -> Any:
        a, b, c = self.first(x)
        return [a, b, autograd.where(0.0, c, -math.inf)]


@pytest.mark.parametrize("loss", ["cross_entropy", "kl_divergence"])
def test_masked_classes(loss: str) -> None:
    assert_alike(Masked, [c % 2 for c in CLASSES], loss=loss)


def test_targets_of_two_kinds() -> None:
    mixed = [[0.0, 1.0, 0.0] if c == 1 else c for c in CLASSES]
    history = train(MLP(3, [5, 3], seed=2), mixed, loss="cross_entropy")
    assert history.engine == "eager: some targets are numbers and some are lists"
    assert history.loss == pytest.approx(train(MLP(3, [5, 3], seed=2), CLASSES, loss="cross_entropy").loss, rel=1e-9)


def test_other_losses() -> None:
    assert_alike(MODELS["tanh"], [int(y > 0) for y in SIGNS], loss="binary_cross_entropy")
    assert_alike(lambda: MLP(3, [4, 2], seed=0), [[a, -b] for a, b, _ in X], loss="mse")
    assert_alike(MODELS["tanh"], loss=lambda prediction, target: abs(prediction - target) ** 1.5)


SETTINGS: dict[str, dict[str, Any]] = {
    "all rows at once": {"batch_size": None},
    "single rows": {"batch_size": 1},
    "with replacement": {"replacement": True},
    "l1": {"regularizer": regularizers.l1(0.01)},
    "l2": {"regularizer": regularizers.l2(0.1)},
    "elastic net": {"regularizer": regularizers.elastic_net(0.1, 0.3)},
    "penalty of one's own": {"regularizer": lambda model: 0.1 * autograd.sum(w**4 for w in model.layers[0].weights())},
    "clipped norm": {"clip_norm": 0.05},
    "clipped values": {"clip_value": 0.01},
    "validation": {"validation": 0.3},
    "early stopping": {"validation": 0.3, "early_stopping": 2, "epochs": 40},
    "schedule": {"schedule": nn.schedules.exponential(0.1, 0.8)},
    "metric": {"metric": lambda prediction, target: abs(float(prediction) - target)},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str) -> None:
    assert_alike(MODELS["tanh"], **SETTINGS[name])


def test_dropout_with_everything() -> None:
    assert_alike(MODELS["dropout"], validation=0.3, regularizer=regularizers.l2(0.1), optimizer=OPTIMIZERS["Adam"], clip_norm=0.5)


def test_the_demo_draws_the_same_boundary() -> None:
    points, labels = nn.datasets.moons(100, noise=0.1, seed=0)
    grid = [[x / 4, y / 4] for x in range(-6, 11) for y in range(-4, 7)]
    scores = []
    for compiled in (True, False):
        model = MLP(2, [16, 16, 1], seed=0)
        settings: dict[str, Any] = {"loss": "hinge", "epochs": 10, "batch_size": 20, "progress": False}
        fit(model, points, labels, optimizer=optim.Adam(model, lr=0.01), compiled=compiled, **settings)
        scores.append(model.predict(grid))
    assert scores[0] == pytest.approx(scores[1], rel=1e-9, abs=1e-9)
    assert [s > 0 for s in scores[0]] == [s > 0 for s in scores[1]]


def test_some_parameters_trained_and_some_not() -> None:
    def last(model: Any) -> Any:
        return optim.SGD(reversed(model.layers[1].parameters()), 0.1, momentum=0.5)

    assert_alike(MODELS["tanh"], optimizer=last, clip_norm=0.1)


def test_a_checkpoint_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole, first, second = (MODELS["dropout"]() for _ in range(3))
    expected = train(whole, optimizer=OPTIMIZERS["Adam"](whole), epochs=6, validation=0.25)
    for model, epochs in ((first, 3), (second, 6)):
        history = train(
            model, optimizer=OPTIMIZERS["Adam"](model), epochs=epochs, validation=0.25, checkpoint=tmp_path / "run.json", compiled=True
        )
    assert second.state_dict() == whole.state_dict()
    assert history == expected
    assert history.engine == "compiled"


# What user code does between and within epochs ----------------------------------------------------------------------------


def test_changes_between_epochs_are_seen() -> None:
    def run(compiled: bool) -> tuple[dict[str, float], History]:
        swish = Swish(1.0, learnable=False)
        model = Sequential(Linear(3, 4, rng=1), swish, Linear(4, 1, rng=2))

        def change(history: History) -> None:
            swish.beta = 1.0 + len(history)  # recorded as a constant
            model.layers[0].neurons[0].w[0].data = 0.125  # held in an array meanwhile

        history = train(model, on_epoch=change, compiled=compiled)
        return model.state_dict(), history

    (state, history), (eager_state, eager_history) = run(True), run(False)
    assert list(state.values()) == pytest.approx(list(eager_state.values()), rel=1e-9)
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-9)
    assert state["layers.0.neurons.0.w.0"] == 0.125


def test_dropout_that_is_added_on_the_way_draws_for_every_row() -> None:
    def run(compiled: bool) -> tuple[dict[str, float], History]:
        model = Sequential(Linear(3, 6, "tanh", rng=1), Linear(6, 1, rng=2))

        def change(history: History) -> None:
            if len(history) == 2:
                model.layers.insert(1, Dropout(0.5))

        history = train(model, on_epoch=change, optimizer=optim.SGD(model, 0.1), compiled=compiled)
        return model.state_dict(), history

    (state, history), (eager_state, eager_history) = run(True), run(False)
    assert history.engine == "compiled"
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-9)
    assert list(state.values()) == pytest.approx(list(eager_state.values()), rel=1e-9)


def test_a_penalty_a_schedule_and_weights_that_change_are_seen() -> None:
    def run(compiled: bool) -> tuple[dict[str, float], History]:
        strength = [0.01]
        model = MLP(3, [4, 1], activation="tanh", seed=1)

        def change(history: History) -> None:
            strength[0] *= 10.0
            model.layers[0].neurons[0] = nn.Neuron(3, "tanh", rng=len(history))

        def schedule(epoch: int) -> float:
            strength[0] += 0.001
            return 0.1 / epoch

        optimizer = optim.SGD(model.layers[1].parameters(), 0.1)
        penalty = lambda m: strength[0] * autograd.sum(v * v for v in m.parameters())  # noqa: E731
        history = train(model, regularizer=penalty, schedule=schedule, on_epoch=change, optimizer=optimizer, epochs=3, compiled=compiled)
        return model.state_dict(), history

    (state, history), (eager_state, eager_history) = run(True), run(False)
    assert list(state.values()) == pytest.approx(list(eager_state.values()), rel=1e-9)
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-9)


def test_what_can_no_longer_be_compiled_goes_on_eagerly() -> None:
    def run(compiled: bool) -> tuple[dict[str, float], History]:
        model = Sequential(Linear(3, 2, rng=1), Linear(2, 1, rng=2))

        def change(history: History) -> None:
            if len(history) == 2:
                model.layers[1] = Branching(2, 1, rng=3)

        optimizer = optim.SGD(model.layers[0].parameters(), 0.1)
        history = train(model, on_epoch=change, optimizer=optimizer, validation=0.3, compiled=compiled)
        return model.state_dict(), history

    (state, history), (eager_state, eager_history) = run(True), run(False)
    assert history.engine == "eager from epoch 3 on: the model has other parameters than when training began"
    assert history.loss == pytest.approx(eager_history.loss, rel=1e-9)
    assert history.validation_loss == pytest.approx(eager_history.validation_loss, rel=1e-9)
    assert list(state.values()) == pytest.approx(list(eager_state.values()), rel=1e-9)


def test_gradients_are_left_behind_as_in_eager_training() -> None:
    models = [MODELS["tanh"](), MODELS["tanh"]()]
    for model, compiled in zip(models, (True, False), strict=True):
        train(model, compiled=compiled, clip_norm=1e-3)
    assert [p.grad for p in models[0].parameters()] == pytest.approx([p.grad for p in models[1].parameters()], rel=1e-9, abs=1e-12)


class Noisy(Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x) + rng.gauss(0, 1)


class Branching(Linear):
    def forward(self, x: Any) -> Any:
        z = super().forward(x)
        return z if z > 0 else 0.1 * z


class Centred(Linear):
    def batch(self, rows: Any) -> list[Any]:
        outputs = super().batch(rows)
        return [y - autograd.mean(outputs) for y in outputs]


class Twice(Sequential):
    def forward(self, x: Any) -> Any:
        return super().forward(super().forward(x))


class Sniffing(Linear):
    """Asks what it is given: recorded numbers are neither floats nor Values."""

    def forward(self, x: Any) -> Any:
        z = super().forward(x)
        return z if isinstance(z, (float, Value)) else 2.0 * z


REASONS = {
    "batch normalisation": (lambda: Sequential(Linear(3, 2), BatchNorm(2), Linear(2, 1)), "BatchNorm looks at a whole batch"),
    "batches of one's own": (lambda: Centred(3, 1), "Centred looks at a whole batch"),
    "noise": (lambda: Noisy(3, 1), "computes differently each time"),
    "kinds of numbers": (lambda: Sniffing(3, 1), "computes something else when it is recorded"),
    "branches": (lambda: Branching(3, 1), "comparing a recorded number needs its value"),
    "dropout twice": (lambda: Sequential(Twice(Linear(3, 3), Dropout(0.5)), Linear(3, 1)), "Dropout is used more or less than once"),
}


@pytest.mark.parametrize("name", REASONS)
def test_what_cannot_be_compiled_is_trained_eagerly_with_a_reason(name: str) -> None:
    make, reason = REASONS[name]
    history = train(make(), batch_size=6)
    assert history.engine.startswith("eager: ")
    assert reason in history.engine
    assert "\n" not in history.engine
    assert len(history) == 5
    model = make()
    before = model.state_dict()
    with pytest.raises(ValueError, match=f"compiled=True, but this cannot be compiled: .*{reason}"):
        train(model, batch_size=6, compiled=True)
    assert model.state_dict() == before
    assert model.training


def test_nan_is_found_by_the_eager_engine() -> None:
    model = MLP(3, [4, 1], activation="tanh", seed=1)
    model.layers[1].neurons[0].w[0].data = float("inf")
    before = model.state_dict()
    with pytest.raises(TrainingError, match="epoch 1, batch 1: dot in layer 2 / neuron 1 gave"):
        train(model, compiled=True)
    assert model.state_dict() == before


def test_an_interrupt_keeps_whole_updates() -> None:
    model, whole = MODELS["tanh"](), MODELS["tanh"]()

    def stop(prediction: Any, target: Any) -> float:
        calls.append(1)
        if epochs and len(calls) == 8 + 1:  # in the second batch of the second epoch, before its update
            raise KeyboardInterrupt
        return 0.0

    def count(history: History) -> None:
        epochs.append(len(history))
        calls.clear()

    calls: list[int] = []
    epochs: list[int] = []
    history = train(model, metric=stop, on_epoch=count, compiled=True)
    assert (history.stopped, len(history)) == ("interrupted", 1)
    epochs.clear()
    train(whole, metric=stop, on_epoch=count, compiled=False)
    assert list(model.state_dict().values()) == pytest.approx(list(whole.state_dict().values()), rel=1e-9)


def test_settings_that_cannot_be_meant() -> None:
    with pytest.raises(ValueError, match=r"compiled must be 'auto', True or False \(got 'maybe'\)"):
        train(MODELS["tanh"](), compiled="maybe")
