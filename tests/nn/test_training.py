"""fit: what it does, what it gives back, and that nothing goes wrong quietly."""

from __future__ import annotations

import gc
import json
import math
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import TrackingError, Value, stop_gradient
from autograd.support import files
from nn import MLP, BatchNorm, Dropout, History, Linear, Module, Sequential, TrainingError, fit, losses, optim, regularizers, schedules
from nn.fitting.interrupting import interruptible
from nn.fitting.progress import Progress
from tests.extras import extra

mpmath, np = extra("mpmath"), extra("numpy")

rng = Random(4)
X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(24)]
SIGNS = [1 if a * b > 0 else -1 for a, b in X]
CLASSES = [int(a > 0) + int(b > 0) for a, b in X]


def model(seed: int = 1) -> MLP:
    return MLP(2, [4, 1], activation="tanh", seed=seed)


def train(m: Module, y: Any = SIGNS, **settings: Any) -> History:
    return fit(m, X, y, **{"loss": "hinge", "epochs": 4, "batch_size": 8, "progress": False, **settings})


# What it computes ---------------------------------------------------------------------------------------------------------


def test_full_batch_is_plain_gradient_descent() -> None:
    """Against the loop that a user would write."""
    fitted, by_hand = model(), model()
    history = train(fitted, optimizer=optim.SGD(fitted, lr=0.3), batch_size=None, epochs=5, regularizer=regularizers.l2(0.1))
    expected = []
    for _ in range(5):
        by_hand.zero_grad()
        loss = losses.hinge([by_hand(x) for x in X], SIGNS)
        (loss + regularizers.l2(0.1)(by_hand)).backward()
        for p in by_hand.parameters():
            p.data -= 0.3 * p.grad
        expected.append(loss.data)
    assert history.loss == pytest.approx(expected, rel=1e-12)
    assert list(fitted.state_dict().values()) == pytest.approx(list(by_hand.state_dict().values()), rel=1e-10)


@pytest.mark.parametrize("limit", [{"clip_norm": 0.01}, {"clip_value": 0.001}])
def test_clipping_limits_the_step(limit: dict[str, float]) -> None:
    m = model()
    before = m.state_dict()
    train(m, optimizer=optim.SGD(m, lr=1.0), epochs=1, batch_size=None, **limit)
    steps = [after - before[name] for name, after in m.state_dict().items()]
    if "clip_norm" in limit:
        assert np.linalg.norm(steps) == pytest.approx(0.01, rel=1e-9)
    else:
        assert max(map(abs, steps)) == pytest.approx(0.001, rel=1e-9)


def test_a_schedule_sets_the_rate_of_each_epoch() -> None:
    m = model()
    history = train(m, optimizer=optim.SGD(m, lr=1.0), schedule=schedules.step_decay(0.4, every=2))
    assert history.learning_rate == [0.4, 0.4, 0.2, 0.2]


def test_every_epoch_takes_each_row_once_in_a_new_order() -> None:
    seen: list[float] = []

    class Noted(Linear):
        def forward(self, x: Any) -> Any:
            if self.training:
                seen.append(x[0])
            return super().forward(x)

    rows = [[float(i)] for i in range(10)]
    m = Noted(1, 1)
    settings: dict[str, Any] = {"batch_size": 3, "epochs": 3, "progress": False, "compiled": False}
    fit(m, rows, [0.0] * 10, loss="mse", optimizer=optim.SGD(m, lr=0.0), **settings)
    epochs = [seen[i : i + 10] for i in range(0, 30, 10)]
    assert [sorted(epoch) for epoch in epochs] == [[float(i) for i in range(10)]] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3
    seen.clear()
    fit(m, rows, [0.0] * 10, loss="mse", optimizer=optim.SGD(m, lr=0.0), **{**settings, "batch_size": None})
    assert seen == [float(i) for i in range(10)] * 3  # of one batch another order would change nothing but roundings
    seen.clear()
    fit(m, rows, [0.0] * 10, loss="mse", optimizer=optim.SGD(m, lr=0.0), **settings, replacement=True)
    assert any(len(set(seen[i : i + 12])) < 10 for i in range(0, 36, 12))


def test_the_history_says_what_was_measured() -> None:
    pytest.importorskip("numpy")
    m = model()
    history = train(m, epochs=6, validation=0.25)
    assert len(history) == 6
    assert history.metric_name == "accuracy"
    assert {len(column) for column in (history.loss, history.metric, history.validation_loss, history.validation_metric)} == {6}
    assert all(0.0 <= a <= 1.0 for a in history.metric)
    assert history.validation_loss[history.best_epoch - 1] == min(history.validation_loss)
    assert history.stopped == "completed"
    lines = str(history).splitlines()
    assert lines[0].split()[:3] == ["epoch", "loss", "accuracy"]
    assert sum("best" in line for line in lines) == 1
    assert lines[-1] == "completed, compiled"
    assert str(History()) == "no epochs"


def test_validation_is_measured_on_rows_of_its_own_in_use() -> None:
    m = Sequential(Linear(2, 8, "relu", rng=1), Dropout(0.5), Linear(8, 1, rng=2))
    other = [[0.5, 0.5], [-0.5, 1.0], [0.3, -2.0]], [1, -1, -1]
    history = train(m, validation=other)
    loss, accuracy = nn.evaluate(m, *other, "hinge")
    assert (history.validation_loss[-1], history.validation_metric[-1]) == (loss, accuracy)
    assert not m.training


def test_metrics() -> None:
    def error(prediction: Any, target: Any) -> float:
        return abs(float(prediction) - target)

    m = model()
    history = train(m, y=[float(c) for c in CLASSES], loss="mse", metric=error)
    assert history.metric_name == "error"
    errors = [error(p, c) for p, c in zip(m.predict(X), CLASSES, strict=True)]
    assert nn.evaluate(m, X, CLASSES, "mse", error)[1] == pytest.approx(np.mean(errors))
    assert train(model(), y=CLASSES, loss="mse").metric == []
    three = MLP(2, [6, 3], seed=0)
    history = train(three, y=CLASSES, loss="cross_entropy", epochs=30, optimizer=optim.Adam(three, 0.05))
    right = [int(np.argmax(p)) == c for p, c in zip(three.predict(X), CLASSES, strict=True)]
    assert nn.evaluate(three, X, CLASSES, "cross_entropy")[1] == np.mean(right) > 0.8


def test_a_loss_of_ones_own() -> None:
    def absolute(prediction: Any, target: Any) -> Any:
        return abs(prediction - target)

    m = model()
    history = train(m, y=[0.3] * 24, loss=absolute, epochs=20, optimizer=optim.Adam(m, 0.05))
    assert history.loss[-1] < 0.2 * history.loss[0]


def test_early_stopping_returns_to_the_best() -> None:
    m = model()
    states = []

    def note(history: History) -> None:
        states.append(m.state_dict())

    history = train(m, optimizer=optim.SGD(m, lr=3.0), epochs=60, early_stopping=4, validation=0.25, on_epoch=note)
    assert history.stopped == "early stopping"
    assert len(history) == history.best_epoch + 4 < 60
    assert m.state_dict() == states[history.best_epoch - 1] != states[-1]


def test_data_of_every_kind() -> None:
    losses_seen = []
    tuples = tuple(map(tuple, X)), np.array(SIGNS, dtype=np.int8)
    for data, targets in ((X, SIGNS), (np.array(X), np.array(SIGNS)), tuples, (Frame(X), Frame(SIGNS))):
        m = model()
        losses_seen.append(fit(m, data, targets, loss="hinge", epochs=2, progress=False).loss)
    assert all(column == losses_seen[0] for column in losses_seen)
    line = Linear(1, 1, rng=0)
    fit(line, [0.0, 1.0, 2.0], [1.0, 3.0, 5.0], loss="mse", optimizer=optim.SGD(line, 0.1), epochs=500, progress=False)
    assert line.predict([3.0]) == pytest.approx([7.0], rel=1e-6)
    two = Linear(1, 2, rng=0)
    fit(two, [0.0, 1.0], [[1.0, 0.0], [2.0, -1.0]], loss="mse", optimizer=optim.SGD(two, 0.3), epochs=500, progress=False)
    assert two.predict([2.0])[0] == pytest.approx([3.0, -2.0], rel=1e-6)


class Frame:
    """What a data frame has in common with pandas'."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def to_numpy(self) -> Any:
        return np.array(self.data)


# Reproducible -------------------------------------------------------------------------------------------------------------


def network() -> Sequential:
    return Sequential(Linear(2, 4, "tanh", rng=1), BatchNorm(4), Dropout(0.3), Linear(4, 1, rng=2))


OPTIMIZERS = {
    "SGD": lambda m: optim.SGD(m, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "AdaGrad": lambda m: optim.AdaGrad(m, 0.1),
    "RMSprop": lambda m: optim.RMSprop(m, 0.01),
    "Adam": lambda m: optim.Adam(m, schedules.inverse_sqrt(0.05)),
    "AdamW": lambda m: optim.AdamW(m, 0.05),
}


def test_the_seed_decides_everything() -> None:
    def run(seed: int | None) -> tuple[list[float], list[float]]:
        m = network()
        history = train(m, seed=seed, validation=0.25)
        return history.loss, list(m.state_dict().values())

    import random

    def order(seed: int | None) -> list[float]:
        """The losses of the first epochs, without rows held out."""
        return train(model(), seed=seed, epochs=2).loss

    before = random.getstate()
    assert order(3) == order(3) != order(4)
    assert order(None) != order(None)
    assert train(model()).loss == train(model(), seed=0).loss
    assert run(3) == run(3)
    assert run(3) != run(4)
    assert run(None) != run(None)
    assert random.getstate() == before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_checkpoint_goes_on_as_if_never_stopped(name: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"validation": 0.25, "schedule": schedules.exponential(0.05, 0.9) if name == "SGD" else None}
    whole, first, second = network(), network(), network()
    expected = train(whole, optimizer=OPTIMIZERS[name](whole), epochs=6, **settings)
    path = tmp_path / "run.json"
    train(first, optimizer=OPTIMIZERS[name](first), epochs=2, checkpoint=path, **settings)
    history = train(second, optimizer=OPTIMIZERS[name](second), epochs=6, checkpoint=path, **settings)
    assert second.state_dict() == whole.state_dict()
    assert history == expected
    assert train(second, optimizer=OPTIMIZERS[name](second), epochs=6, checkpoint=path, **settings) == expected


def test_files_are_of_the_first_version(tmp_path: Path) -> None:
    m = model()
    optimizer = optim.SGD(m, 0.1)
    m.save(tmp_path / "model.json")
    optimizer.save(tmp_path / "optimizer.json")
    train(m, optimizer=optimizer, epochs=1, checkpoint=tmp_path / "checkpoint.json")
    for kind in ("model", "optimizer", "checkpoint"):
        document = json.loads((tmp_path / f"{kind}.json").read_text())
        assert (document["format"], document["version"]) == (f"scalar-autograd {kind}", 1)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_saved_loaded_and_resumed_by_hand(name: str, tmp_path: Path) -> None:
    """With model.save and optimizer.save, and batches of one's own."""

    def steps(m: Module, optimizer: optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            losses.hinge([m(x) for x in X], SIGNS).backward()
            optimizer.step()

    whole, first, second = model(), model(), model(seed=2)
    steps(whole, OPTIMIZERS[name](whole), 7)
    optimizer = OPTIMIZERS[name](first)
    steps(first, optimizer, 3)
    first.save(tmp_path / "model.json")
    optimizer.save(tmp_path / "optimizer.json")
    resumed = OPTIMIZERS[name](second.load(tmp_path / "model.json"))
    resumed.load(tmp_path / "optimizer.json")
    steps(second, resumed, 4)
    assert second.state_dict() == whole.state_dict()


def test_the_best_of_before_is_returned_to_after_a_checkpoint(tmp_path: Path) -> None:
    wanted = [[0.5, 0.5], [1.0, -1.0]], [1, 1]
    settings: dict[str, Any] = {"validation": wanted, "early_stopping": 3, "checkpoint": tmp_path / "run.json"}

    def worse(history: History) -> None:
        """From then on the model predicts nonsense."""
        fitted.layers[1].neurons[0].b.data = -1e3

    fitted = model()
    first = train(fitted, epochs=1, optimizer=optim.SGD(fitted, 1e-3), on_epoch=worse, compiled=False, **settings)
    state = fitted.state_dict()
    fitted = model()
    history = train(fitted, epochs=9, optimizer=optim.SGD(fitted, 1e-3), on_epoch=worse, **settings)
    assert (first.best_epoch, history.best_epoch, history.stopped, len(history)) == (1, 1, "early stopping", 4)
    assert fitted.state_dict() == state
    engine = "compiled" if np else "eager: numpy is not installed"
    assert (first.engine, history.engine) == ("eager, as asked for", engine)  # what goes on, not what was


def test_a_checkpoint_of_another_model_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    train(model(), epochs=1, checkpoint=path)
    other = MLP(2, [5, 1])
    before = other.state_dict()
    with pytest.raises(ValueError, match="another shape than the model"):
        train(other, epochs=2, checkpoint=path)
    m = model()
    before_m = m.state_dict()
    with pytest.raises(ValueError, match="another shape than the optimiser"):
        train(m, epochs=2, checkpoint=path, optimizer=optim.SGD(m, 0.1))
    assert (other.state_dict(), m.state_dict()) == (before, before_m)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(ValueError, match="is not a checkpoint file, or was cut short"):
        train(m, epochs=2, checkpoint=path)


def test_a_checkpoint_of_nonsense_is_said_to_be_one(tmp_path: Path) -> None:
    path, m = tmp_path / "run.json", model()
    before = m.state_dict()
    whole: dict[str, Any] = {"model": {}, "optimizer": {}, "best": {}, "history": History().encoded(), "seed": 0}
    nonsense = [
        ({"model": {"b": "x"}}, "b is no number: 'x'"),
        ({"model": {"b": True}}, "b is no number: 'True'"),
        ({"model": {"b": 10**400}}, "b is no number: '10000"),
        ({"model": [1.0]}, "its state is not numbers by name"),
        ({"optimizer": {"t": None}}, "t is no number"),
        ({"best": 3}, "its state is not numbers by name"),
        ({"history": {}}, "it must have engine"),
    ]
    for wrong, message in nonsense:
        files.save(path, "checkpoint", 1, {**whole, **wrong})
        with pytest.raises(ValueError, match=f"cannot be read as a checkpoint: {message}"):
            train(m, checkpoint=path)
    for name in whole:
        files.save(path, "checkpoint", 1, {k: v for k, v in whole.items() if k != name})
        with pytest.raises(ValueError, match=f"cannot be read as a checkpoint: it has no {name}"):
            train(m, checkpoint=path)
    files.save(path, "checkpoint", 2, whole)
    with pytest.raises(ValueError, match="it has version 2, and this release reads version 1"):
        train(m, checkpoint=path)
    assert m.state_dict() == before


# Interrupted --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def python_handles_ctrl_c() -> Iterator[None]:
    """As in a terminal; where tests run in the background, it may be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_ctrl_c_keeps_model_and_history() -> None:
    m, whole = model(), model()
    seen: list[int] = []
    went_on = []

    def press(history: History) -> None:
        seen.append(len(history))
        if len(history) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            went_on.append(signal.getsignal(signal.SIGINT))

    def updates(fitted: Module, **settings: Any) -> tuple[History, int]:
        optimizer = optim.SGD(fitted, 0.1)
        return train(fitted, optimizer=optimizer, **settings), optimizer.t

    history, count = updates(m, epochs=50, on_epoch=press)
    assert (history.stopped, len(history)) == ("interrupted", 2)
    assert seen == [1, 2]
    assert went_on == [signal.default_int_handler]  # nothing was raised, and a second time would be as usual
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    expected, of_three = updates(whole, epochs=3)
    assert history.loss == expected.loss[:2]
    assert (count, of_three) == (7, 9)  # one batch into the third epoch
    assert not m.training


def test_an_interrupt_within_a_batch_leaves_whole_updates() -> None:
    m, whole = model(), model()
    calls = []

    def impatient(prediction: Any, target: Any) -> Any:
        calls.append(1)
        if len(calls) == 24 + 8 + 3:  # in the second batch of the second epoch
            raise KeyboardInterrupt
        return losses.hinge(prediction, target)

    history = train(m, loss=impatient, epochs=5, compiled=False)
    assert (history.stopped, len(history)) == ("interrupted", 1)
    batches: list[int] = []

    def counted(prediction: Any, target: Any) -> Any:
        batches.append(1)
        if len(batches) == 24 + 8 + 1:
            raise KeyboardInterrupt
        return losses.hinge(prediction, target)

    train(whole, loss=counted, epochs=5, compiled=False)
    assert m.state_dict() == whole.state_dict()


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_ctrl_c_twice_is_the_usual_exception() -> None:
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with interruptible() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_a_program_that_handles_ctrl_c_goes_on_doing_so() -> None:
    def own(number: int, frame: Any) -> None:
        noted.append(number)

    noted: list[int] = []
    signal.signal(signal.SIGINT, own)
    with interruptible() as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        assert (noted, interrupted()) == ([signal.SIGINT], False)
        assert signal.getsignal(signal.SIGINT) is own
    assert signal.getsignal(signal.SIGINT) is own


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_in_a_thread_signals_are_left_alone() -> None:
    histories: list[History] = []
    handlers: list[Any] = []

    def work() -> None:
        histories.append(train(model(), epochs=1, on_epoch=lambda _: handlers.append(signal.getsignal(signal.SIGINT))))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert histories[0].stopped == "completed"
    assert handlers == [signal.default_int_handler]


# Dropout ------------------------------------------------------------------------------------------------------------------


def test_dropout_is_drawn_anew_for_every_batch_and_layer() -> None:
    class Noted(Dropout):
        def mask(self, n: int) -> list[float]:
            masks.append(tuple(super().mask(n)))
            return list(masks[-1])

    class Own(Module):
        """Has a generator that is nobody else's business."""

        def __init__(self) -> None:
            self.rng = Random(7)

        def forward(self, x: Any) -> Any:
            draws.append(self.rng.random())
            return x

    masks: list[tuple[float, ...]] = []
    draws: list[float] = []
    m = Sequential(Linear(2, 40, rng=1), Noted(0.5), Noted(0.5), Own(), Linear(40, 1, rng=2))
    rng_of_layers = [layer.rng for layer in m if isinstance(layer, Dropout)]
    train(m, epochs=2, batch_size=24, compiled=False, validation=None)
    assert len(masks) == len(set(masks)) == 2 * 2 * 24
    own = Random(7)
    assert draws == [own.random() for _ in draws]
    assert [layer.rng for layer in m if isinstance(layer, Dropout)] == rng_of_layers


# nan and inf --------------------------------------------------------------------------------------------------------------


def test_nan_stops_with_epoch_batch_and_node() -> None:
    m = model()
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1: square gave inf for operands sub = -?1e\+300\n") as caught:
        train(m, y=[1e300 * s for s in SIGNS], loss="mse")
    assert (len(caught.value.history), caught.value.history.stopped) == (0, "nan or inf")
    m.layers[1].neurons[0].b.data = 1.7e308
    m.layers[1].neurons[0].w[0].data = float("inf")
    before = m.state_dict()
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1: dot in layer 2 / neuron 1 gave (-?inf|nan) for operands w0 = inf, "):
        train(m)
    assert m.state_dict() == before


def late(epoch: int, batch: int) -> Any:
    """A loss that is nan for the rows of one batch of 8, from its first row on."""
    calls: list[int] = []

    def loss(prediction: Any, target: Any) -> Any:
        calls.append(1)
        nan = len(calls) > 24 * (epoch - 1) + 8 * (batch - 1)
        return (prediction * 0.0 - 1.0).log() if nan else prediction * 0.0

    return loss


def test_the_message_counts_epochs_and_batches() -> None:
    m = model()
    with pytest.raises(TrainingError, match="training stopped in epoch 2, batch 3: log gave nan") as caught:
        train(m, loss=late(2, 3), compiled=False)
    assert len(caught.value.history) == 1
    with pytest.raises(TrainingError, match=r"Try a learning rate below 0.05, clip_norm, or standardised columns.$"):
        train(m, loss=late(2, 1), compiled=False, optimizer=optim.SGD(m, lambda t: 0.2 / t))  # 0.2 / 4 is the rate of the update


def test_what_is_not_finite_once_only_is_said_so() -> None:
    calls: list[int] = []

    def once(prediction: Any, target: Any) -> Any:
        calls.append(1)
        return prediction * (math.inf if len(calls) == 1 else 0.0)

    with pytest.raises(TrainingError, match="epoch 1, batch 1: the loss or a gradient is not finite\n"):
        train(model(), loss=once, compiled=False)


def test_nan_in_a_loss_of_ones_own_tells_its_line() -> None:
    with pytest.raises(TrainingError, match=r"log gave nan for operands sub = -1.0\n  at line \d+ of .*test_training.py., in careless"):
        train(model(), loss=careless)


def test_a_step_into_infinity_is_not_taken() -> None:
    m = Linear(2, 1, rng=0)
    with pytest.raises(TrainingError, match=r"batch 1: the update gives a parameter -?inf.*\nThe model is as before.* rate below 1e\+308"):
        train(m, y=[1e10] * 24, loss="mse", optimizer=optim.SGD(m, 1e308))
    assert m.state_dict() == Linear(2, 1, rng=0).state_dict()


def test_the_parameter_that_would_be_infinite_is_shown() -> None:
    m = Sequential(BatchNorm(2), Linear(2, 1, rng=0))
    before = m.state_dict()
    params = [m[0].shift[0], m[1].neurons[0].b]
    gradients: list[float] = []

    class Careless(optim.SGD):
        def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
            gradients.append(g)
            return (-math.inf if len(gradients) % 2 == 0 else w), *running

    with pytest.raises(TrainingError, match="batch 1: the update gives a parameter -inf\n"):
        train(m, optimizer=Careless(params, 0.1))
    assert m.state_dict() == before  # running statistics, too


def test_running_statistics_are_restored_after_a_nan() -> None:
    m = network()
    m.layers[3].neurons[0].w[0].data = float("inf")
    before = str(m.state_dict())
    with pytest.raises(TrainingError, match="4 Linear"):
        train(m)
    assert str(m.state_dict()) == before


# nan among figures --------------------------------------------------------------------------------------------------------

def failing(when: set[int]) -> tuple[Any, Any]:
    """A loss of one's own that is nan in use, in epochs that `on_epoch` counts."""
    epochs = [1]

    def loss(prediction: Any, target: Any) -> Any:
        return math.nan if epochs[0] in when and not isinstance(prediction, Value) else autograd.square(prediction - target)

    return loss, lambda history: epochs.append(epochs.pop() + 1)


def test_a_nan_at_first_does_not_win_for_ever() -> None:
    loss, count = failing({1, 2, 4})
    m, states = model(), []
    settings: dict[str, Any] = {"loss": loss, "validation": 0.25, "early_stopping": 3, "compiled": False}
    history = train(m, y=[0.3] * 24, on_epoch=lambda h: (states.append(m.state_dict()), count(h)), epochs=12, **settings)
    assert [i for i, x in enumerate(history.validation_loss, start=1) if math.isnan(x)] == [1, 2, 4]
    best = history.best_epoch
    assert history.validation_loss[best - 1] == min(history.validation_loss[2:3] + history.validation_loss[4:])
    assert m.state_dict() == states[best - 1]


def test_if_all_are_nan_there_is_no_best(tmp_path: Path) -> None:
    loss, count = failing(set(range(1, 20)))
    m, states = model(), []
    settings: dict[str, Any] = {"loss": loss, "validation": 0.25, "compiled": False, "checkpoint": tmp_path / "run.json"}
    history = train(m, y=[0.3] * 24, on_epoch=lambda h: (states.append(m.state_dict()), count(h)), epochs=9, early_stopping=4, **settings)
    assert (len(history), history.best_epoch, history.stopped) == (4, 0, "early stopping")
    assert m.state_dict() == states[-1]
    assert "best" not in str(history)
    resumed = train(model(), y=[0.3] * 24, epochs=6, early_stopping=9, **settings)
    assert (len(resumed), resumed.stopped) == (6, "completed")


huge = st.floats(-1.7e308, 1.7e308).filter(lambda x: x == 0.0 or abs(x) > 1e-100)


@given(st.lists(huge, min_size=1, max_size=5), st.floats(1e-3, 1e3))
def test_clipping_keeps_the_direction_however_long_the_gradient_is(g: list[float], limit: float) -> None:
    """The norm itself may not fit a float."""
    params = [Value(0.0) for _ in g]
    for p, x in zip(params, g, strict=True):
        p.grad = x
    norm = optim.clip_grad_norm(params, limit)
    assert norm == math.hypot(*g)
    exact = mpmath.sqrt(mpmath.fsum(mpmath.mpf(x) ** 2 for x in g))
    factor = min(1, limit / exact) if exact else 1
    assert [p.grad for p in params] == pytest.approx([float(x * factor) for x in g], rel=1e-14, abs=1e-300)
    assert optim.shortened(g, limit) == [p.grad for p in params]


def test_clipping_does_not_hide_nan() -> None:
    for g in ([math.nan, 1.0], [math.nan, math.inf], [math.inf, 1.0], [math.nan, 1e308, 1.7e308]):
        for p in (params := [Value(0.0) for _ in g]):
            p.grad = g[params.index(p)]
        optim.clip_grad_norm(params, 1.0)
        assert any(math.isnan(p.grad) for p in params)
        optim.clip_grad_value(params, 1.0)
        assert any(math.isnan(p.grad) for p in params)


@pytest.mark.parametrize("compiled", [True, False])
def test_figures_that_overflow_are_infinite(compiled: bool) -> None:
    if compiled:
        pytest.importorskip("numpy")

    def metric(prediction: Any, target: Any) -> float:
        return 1.7e308 if target > 0 else math.inf

    m = Linear(2, 1, rng=0)
    far = [[1e154, 1e153]] * 3, [-1e154] * 3
    history = train(m, loss="mse", y=[float(s) for s in SIGNS], validation=far, metric=metric, epochs=1, compiled=compiled)
    assert (history.validation_loss, history.metric, history.validation_metric) == ([math.inf], [math.inf], [math.inf])


def test_a_checkpoint_goes_on_with_what_it_measured(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    train(model(), epochs=1, checkpoint=path)
    m = model()
    before = m.state_dict()
    with pytest.raises(ValueError, match=r"run.json' was written without validation: go on as training began"):
        train(m, epochs=2, checkpoint=path, validation=0.25)
    with pytest.raises(ValueError, match=r"run.json' was written with a metric: go on as training began"):
        train(m, y=[float(s) for s in SIGNS], loss="mse", epochs=2, checkpoint=path)
    assert m.state_dict() == before


# Nothing is left behind ---------------------------------------------------------------------------------------------------


def careless(prediction: Any, target: Any) -> Any:
    return (prediction * 0.0 - 1.0).log()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"validation": 0.25, "early_stopping": 2, "regularizer": regularizers.l2(0.1), "clip_norm": 1.0, "on_epoch": lambda history: None},
        {"loss": careless},
    ],
)
def test_a_fit_leaves_nothing_in_cycles(settings: dict[str, Any]) -> None:
    def run() -> None:
        with suppress(TrainingError):
            train(model(), compiled=False, **settings)

    run()
    gc.collect()
    gc.disable()
    try:
        run()
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_while_graphs_grow(enabled: bool) -> None:
    def noting(prediction: Any, target: Any) -> Any:
        seen.append(gc.isenabled())
        if len(seen) == 30:
            raise KeyboardInterrupt
        return losses.hinge(prediction, target)

    seen: list[bool] = []
    (gc.enable if enabled else gc.disable)()
    try:
        train(model(), loss=noting, compiled=False)
        assert set(seen) == {False}
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


@pytest.mark.parametrize("make", [model, lambda: Sequential(Linear(2, 3, rng=1), Dropout(0.5), Linear(3, 1, rng=2))])
def test_a_compiled_run_ends_with_the_fit(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    CompiledRun = pytest.importorskip("nn.fitting.compiled_run").CompiledRun

    runs: list[Any] = []
    prepare = CompiledRun.prepare

    def noting(run: CompiledRun) -> None:
        runs.append(weakref.ref(run))
        prepare(run)

    monkeypatch.setattr(CompiledRun, "prepare", noting)
    gc.disable()
    try:
        assert train(make(), regularizer=regularizers.l2(0.1), validation=0.25).engine == "compiled"
        assert [run() for run in runs] == [None]
    finally:
        gc.enable()


# Errors: clear, and the model unchanged -----------------------------------------------------------------------------------

THREE = {"model": MLP(2, [3]), "loss": "cross_entropy"}
NAN = [*X[:3], [0.0, float("nan")], *X[4:]]
ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "nan in the data": ({"X": NAN}, r"X\[3\]\[1\] is nan"),
    "inf in the targets": ({"y": [float("inf"), *SIGNS[1:]], "loss": "mse"}, r"y\[0\] is inf"),
    "text in the data": ({"X": [["a", "b"], *X[1:]]}, r"X\[0\]\[0\] must be a number \(got 'a', str\)"),
    "ragged rows": ({"X": [*X[:-1], [1.0]]}, r"X\[0\] has 2 numbers, X\[23\] has 1"),
    "empty": ({"X": [], "y": []}, "X is empty"),
    "no sequence": ({"X": 3.0}, "X must be a sequence"),
    "different lengths": ({"y": SIGNS[:-1]}, r"one entry per row each \(got 24 and 23\)"),
    "rows of another width": ({"X": [[1.0, 2.0, 3.0]] * 24}, r"takes 2 inputs \(got 3\)"),
    "labels that are no signs": ({"y": [*SIGNS[:5], 0, *SIGNS[6:]]}, r"y\[5\] must be -1 or 1 \(got 0.0\)"),
    "probabilities above one": ({"y": [2] * 24, "loss": "binary_cross_entropy"}, r"y\[0\] must be from 0 to 1 \(got 2.0\)"),
    "class out of range": ({**THREE, "y": [3] * 24}, r"y\[0\] must be an index of a class from 0 to 2"),
    "class that is no index": ({**THREE, "y": [0.5] * 24}, r"index of a class from 0 to 2.*\(got 0.5\)"),
    "distribution of another sum": ({**THREE, "y": [[0.5, 0.5, 0.5]] * 24}, "which add up to 1"),
    "labels for one of two outputs": ({"model": MLP(2, [2])}, r"y\[0\] must be -1 or 1, for each of the 2 outputs"),
    "labels held out": ({"validation": ([[0.0, 0.0]], [5])}, r"validation y\[0\] must be -1 or 1 \(got 5.0\)"),
    "unknown loss": ({"loss": "hinges"}, r"loss must be one of mse, .*'hinges'"),
    "no epochs": ({"epochs": 0}, r"epochs must be a positive int \(got 0\)"),
    "half a row": ({"batch_size": 0.5}, r"batch_size must be a positive int \(got 0.5\)"),
    "impatience": ({"early_stopping": 0}, "early_stopping must be a positive int"),
    "validation of all": ({"validation": 1.0}, r"validation must be a fraction between 0 and 1.*\(got 1.0\)"),
    "validation of a row": ({"validation": 1}, "validation must be a fraction"),
    "batches of one": ({"model": Sequential(Linear(2, 1), BatchNorm(1)), "batch_size": 23}, "leaves a batch of 1 of 24 rows.*needs 2"),
    "optimizer of another model": ({"optimizer": optim.SGD(MLP(2, [1]), 0.1)}, "parameters that the model does not have"),
    "clipping to less than nothing": ({"clip_norm": -1.0}, r"clip_norm must be a number, at least 0 \(got -1.0\)"),
    "clipping values to less than nothing": ({"clip_value": -1.0}, r"clip_value must be a number, at least 0"),
    "compiling": ({"compiled": "maybe"}, "compiled"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case: str) -> None:
    settings, message = ERRORS[case]
    m = settings.get("model", model())
    before = m.state_dict()
    data = {"X": X, "y": SIGNS, "loss": "hinge", "progress": False, **settings, "model": m}
    with pytest.raises((ValueError, TypeError), match=message):
        fit(**data)
    assert m.state_dict() == before


def test_a_model_without_parameters() -> None:
    class Constant(Module):
        def forward(self, x: Any) -> Any:
            return 0.5

    m = Constant()
    with pytest.raises(ValueError, match="params must be a module or leaf Values, at least one"):
        train(m)

    class Detached(Linear):
        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            return getattr(y, "data", y)

    with pytest.raises(TypeError, match="the loss must depend on the model's parameters"):
        train(Detached(2, 1))


@pytest.mark.parametrize("compiled", ["auto", False])
def test_a_float_that_would_lose_a_gradient_is_refused(compiled: bool | str) -> None:
    """In the model, the loss and the regulariser; the metric and other models are free to use it."""

    class Rounded(Linear):
        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            return y + math.sin(y)

    def of_a_float(y: Any, t: Any) -> Any:
        return (y - t) ** 2 * (1.0 + float(y) ** 2)

    X, y = [[1.0], [2.0]], [1.0, 3.0]
    settings: dict[str, Any] = {"epochs": 2, "compiled": compiled, "progress": False}
    model = Linear(1, 1)
    weights = model.state_dict()
    for refused in (
        lambda: nn.fit(Rounded(1, 1), X, y, loss="mse", **settings),
        lambda: nn.fit(model, X, y, loss=of_a_float, **settings),
        lambda: nn.fit(model, X, y, loss="mse", regularizer=lambda m: m.weights()[0] ** 2 + math.exp(m.weights()[0]), **settings),
    ):
        with pytest.raises(TrackingError, match=r"stop_gradient\(x\).*\n.*test_training.py"):
            refused()
    assert model.state_dict() == weights

    teacher = Linear(1, 1)
    nn.fit(model, X, y, loss=lambda y, t: (y - float(teacher([t]))) ** 2, metric=lambda y, t: abs(float(y) - t), **settings)
    nn.fit(model, X, y, loss=lambda y, t: (y - t) ** 2 * (1.0 + stop_gradient(y) ** 2), **settings)


OPTIMIZER_ERRORS = {
    "negative learning rate": (lambda p: optim.SGD(p, -0.1), r"lr must be a number, at least 0 \(got -0.1\)"),
    "learning rate of text": (lambda p: optim.Adam(p, "fast"), r"lr must be a number.*'fast'"),
    "nan": (lambda p: optim.Adam(p, float("nan")), "lr must be a number"),
    "momentum of one": (lambda p: optim.SGD(p, 0.1, momentum=1.0), r"momentum must be a number, at least 0 and below 1"),
    "nesterov without momentum": (lambda p: optim.SGD(p, 0.1, nesterov=True), "nesterov needs a momentum above 0"),
    "beta": (lambda p: optim.Adam(p, 0.1, betas=(0.9, 1.5)), r"betas\[1\]"),
    "no parameters": (lambda p: optim.SGD([], 0.1), "params must be"),
    "results": (lambda p: optim.SGD([Value(1.0) * 2.0], 0.1), "leaf Values"),
    "schedule": (lambda p: schedules.constant(-1.0), r"lr must be a positive number \(got -1.0\)"),
    "decay": (lambda p: schedules.step_decay(0.1, every=0), "every must be a positive number"),
    "strength": (lambda p: regularizers.l1(-1.0), r"strength must be at least 0 and finite \(got -1.0\)"),
    "mixing": (lambda p: regularizers.elastic_net(1.0, 1.5), r"mixing must be at least 0 and at most 1 \(got 1.5\)"),
}


@pytest.mark.parametrize("case", OPTIMIZER_ERRORS)
def test_settings_of_optimizers(case: str) -> None:
    f, message = OPTIMIZER_ERRORS[case]
    with pytest.raises(ValueError, match=message):
        f([Value(1.0)])  # type: ignore[no-untyped-call]


def test_an_optimizer_state_that_does_not_fit_changes_nothing() -> None:
    optimizer = optim.Adam([Value(1.0), Value(2.0)])
    optimizer.step()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"another shape than the optimiser, .*it lacks m.1 and 1 more"):
        optimizer.load_state_dict(optim.Adam([Value(1.0)]).state_dict())
    assert optimizer.state_dict() == before


# Seen ---------------------------------------------------------------------------------------------------------------------


class Terminal:
    """A stderr that claims to be a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("bar", [True, False])
def test_progress(bar: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    if not bar:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    train(model(), epochs=3, progress=True)
    assert "3/3" in terminal.text
    assert "loss" in terminal.text
    assert "accuracy" in terminal.text
    assert terminal.text.endswith("\n")
    default = Terminal()
    monkeypatch.setattr(sys, "stderr", default)
    fit(model(), X, SIGNS, loss="hinge", epochs=3, batch_size=8)
    assert "3/3" in default.text
    silent = Terminal()
    monkeypatch.setattr(sys, "stderr", silent)
    train(model(), epochs=3, progress=False)
    assert silent.text == ""


def test_the_plain_line_tells_the_time_left() -> None:
    progress = Progress(total=100, done=20, shown=True)
    with progress:
        progress.done = 30
        assert progress.line("loss 0.5", elapsed=10.0) == "epoch 30/100: loss 0.5, 1:10 left"


def test_no_progress_where_nobody_looks(capfd: pytest.CaptureFixture[str]) -> None:
    train(model(), progress=True)
    assert capfd.readouterr().err == ""
