"""Run: the state of one training run, and how an epoch and a batch of it go."""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from random import Random
from typing import Any

from autograd import AnomalyError, Value, detect_anomaly, mean
from autograd import sum as total
from autograd.extend import files, following, shown

from ..losses import Loss
from ..modules.instead import Instead
from ..modules.module import Module
from ..modules.normalization import Dropout
from ..modules.places import check_held, survey
from ..optim import Optimizer, clip_grad_norm, clip_grad_value
from ..preprocessing import minibatches
from ..regularizers import Regularizer
from ..schedules import Schedule
from ..support import state
from ..support.rows import Data, plain
from .history import History

VERSION = 1
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
Metric = Callable[[Any, Any], Any]
State = dict[str, float]


class TrainingError(ArithmeticError):
    """Training met a nan or inf, in the epoch, batch and node that the message names. The model is as it was before that batch.

    Attributes:
        history: of the epochs before.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


@dataclass
class Run:
    """One training run. The arguments are those of `nn.fit`, checked and completed."""

    model: Module
    data: Data
    loss: Loss
    optimizer: Optimizer
    batch_size: int | None
    replacement: bool
    regularizer: Regularizer | None
    schedule: Schedule | None
    clip_norm: float | None
    clip_value: float | None
    metric: Metric | None
    held_out: Data | None
    seed: int
    watched: bool = False  # whether code of the user's runs between epochs
    history: History = field(default_factory=History)
    best: State | None = None

    def __post_init__(self) -> None:
        accuracy = "accuracy" if self.loss.targets.right else ""
        self.history.metric_name = getattr(self.metric, "__name__", "metric") if self.metric else accuracy
        self.metric = self.metric or self.loss.targets.right

    def check(self) -> None:
        """Raise a ValueError for what would fail later on, before anything is changed."""
        X, y = self.data
        with self.model.mode(training=False):
            output = self.model.batch(X[:1])[0]
        check_held(self.model, output)
        prediction = plain(output, "the prediction for X[0]")
        self.loss.targets.check_all(y, prediction, "y")
        if self.held_out:
            self.loss.targets.check_all(self.held_out[1], prediction, "validation y")
        parameters = {id(p) for p in self.model.parameters()}
        if not all(id(p) in parameters for p in self.optimizer.params):
            raise ValueError("optimizer holds parameters that the model does not have: make it with model.parameters() of this model")
        size = self.batch_size or len(X)
        for name, limit in (("clip_norm", self.clip_norm), ("clip_value", self.clip_value)):
            if limit is not None and not 0.0 <= limit < math.inf:
                raise ValueError(f"{name} must be a number, at least 0 (got {shown(limit)})")
        least = max(module.smallest_batch for module in self.model.modules())
        smallest = size if self.replacement else min(size, len(X) % size or size)
        if smallest < least:
            raise ValueError(f"batch_size {size} leaves a batch of {smallest} of {len(X)} rows, and the model needs {least} at least")

    # An epoch -------------------------------------------------------------------------------------------------------------

    def epoch(self, interrupted: Callable[[], bool]) -> bool:
        """One epoch, and its entry in the history; False if it was interrupted."""
        number, count = len(self.history) + 1, len(self.data[0])
        if self.schedule is not None:
            self.optimizer.lr = self.schedule(number)
        figures = []
        batches = minibatches(count, self.batch_size or count, Random(f"{self.seed}/{number}"), self.replacement)
        for i, batch in enumerate(batches, start=1):
            figures.append((len(batch), *self.update((number, i), batch)))
            if interrupted():
                return False
        self._record(figures)
        return True

    def _record(self, figures: list[tuple[int, float, float | None]]) -> None:
        count = sum(n for n, _, _ in figures)
        self.history.add(loss=total([n * loss for n, loss, _ in figures]) / count, learning_rate=self.optimizer.rate(self.optimizer.t))
        if self.metric:
            self.history.add(metric=total([n * metric for n, _, metric in figures if metric is not None]) / count)
        if self.held_out:
            loss, metric = self.measured()
            self.history.add(validation_loss=loss)
            if metric is not None:
                self.history.add(validation_metric=metric)
        if self.history.best_epoch == len(self.history):
            self.best = self.model.state_dict()

    def measured(self) -> tuple[float, float | None]:
        """The mean loss and metric of the rows held out, as in use."""
        assert self.held_out is not None
        return measured(self.model, self.held_out, self.loss, self.metric)

    # A batch --------------------------------------------------------------------------------------------------------------

    def update(self, where: tuple[int, int], batch: Sequence[int]) -> tuple[float, float | None]:
        """Forward, backward, clipping, update with these rows. Gives the mean loss and metric before the update."""
        X, y = ([column[j] for j in batch] for column in self.data)
        buffers = [(v, v.data) for v in self._buffers()]
        loss, metric = self.gradients(where, X, y)
        if not all(math.isfinite(x) for x in (loss, *(p.grad for p in self.optimizer.params))):
            self._restore(buffers)
            reason = self._cause(where, X, y)
            self._restore(buffers)
            self._stop(where, reason)
        if self.clip_value is not None:
            clip_grad_value(self.optimizer.params, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer.params, self.clip_norm)
        w, running = self.optimizer.updated([p.data for p in self.optimizer.params], [p.grad for p in self.optimizer.params])
        if not all(map(math.isfinite, w)):
            self._restore(buffers)
            self._stop(where, f"the update gives a parameter {next(x for x in w if not math.isfinite(x))}")
        self.optimizer.take(w, running)
        return loss, metric

    def gradients(self, where: tuple[int, int], X: Sequence[Any], y: Sequence[Any]) -> tuple[float, float | None]:
        """Forward and backward: leaves the gradients of the mean loss and the penalty in the parameters. Gives the mean loss and metric."""
        self.model.zero_grad()
        with _collector_off(), self._drawing(where):
            with following(self.optimizer.params):
                predictions = self.model.batch(X)
                loss = mean([self.loss.row(p, t) for p, t in zip(predictions, y, strict=True)])
                objective = loss if self.regularizer is None else loss + self.regularizer(self.model)
            if not isinstance(objective, Value):
                problem = f"the loss must depend on the model's parameters (got {shown(objective)})"
                raise TypeError(f"{problem}: does the model hold them as Values?")
            objective.backward()
        return float(loss), mean_metric(self.metric, predictions, y)

    def _drawing(self, where: tuple[int, int]) -> Instead:
        """A block within which dropout has the randomness of this batch, whatever has been drawn before or is drawn elsewhere."""
        dropouts = [module for module in self.model.modules() if isinstance(module, Dropout)]
        return Instead({id(d): {"rng": Random(f"{self.seed}/{where[0]}/{where[1]}/{i}")} for i, d in enumerate(dropouts)})

    def _cause(self, where: tuple[int, int], X: Sequence[Any], y: Sequence[Any]) -> str:
        try:
            with detect_anomaly():
                self.gradients(where, X, y)
        except AnomalyError as anomaly:
            what, _, line = str(anomaly).partition("\n")
            return what if _HERE in line else str(anomaly)  # a line of this package would explain nothing
        return "the loss or a gradient is not finite"

    def _stop(self, where: tuple[int, int], reason: str) -> None:
        self.history.stopped = "nan or inf"
        lr = self.optimizer.rate(self.optimizer.t + 1)
        message = f"training stopped in epoch {where[0]}, batch {where[1]}: {reason}\nThe model is as before this batch. "
        raise TrainingError(f"{message}Try a learning rate below {lr:g}, clip_norm, or standardised columns.", self.history)

    def _buffers(self) -> list[Value]:
        return [place.value for place in survey(self.model).places if not place.trained]

    def _restore(self, buffers: list[tuple[Value, float]]) -> None:
        for v, x in buffers:
            v.data = x

    # Checkpoints ----------------------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything that the next epoch depends on."""
        contents = {
            "model": state.encoded(self.model.state_dict()),
            "optimizer": state.encoded(self.optimizer.state_dict()),
            "best": state.encoded(self.best or {}),
            "history": self.history.encoded(),
            "seed": self.seed,
        }
        files.save(path, "checkpoint", VERSION, contents)

    def resume(self, path: str | PathLike[str]) -> None:
        """Take over what `save` wrote, all of it or nothing."""
        model, optimizer, best, history, seed = files.load(path, "checkpoint", VERSION, _decoded)
        for what, measured, now in (("validation", history.validation_loss, self.held_out), ("a metric", history.metric, self.metric)):
            if len(history) and bool(measured) != (now is not None):
                raise ValueError(f"{os.fspath(path)!r} was written {'with' if measured else 'without'} {what}: go on as training began")
        before = self.model.state_dict()
        self.model.load_state_dict(model)
        try:
            self.optimizer.load_state_dict(optimizer)
        except ValueError:
            self.model.load_state_dict(before)
            raise
        history.engine = self.history.engine
        self.best, self.history, self.seed = best or None, history, seed


def _decoded(contents: dict[str, Any]) -> tuple[State, State, State, History, int]:
    """What `Run.save` wrote."""
    missing = [name for name in ("model", "optimizer", "best", "history", "seed") if name not in contents]
    if missing:
        files.invalid(f"it has no {missing[0]}")
    model, optimizer, best = (state.decoded(contents[name]) for name in ("model", "optimizer", "best"))
    return model, optimizer, best, History.decoded(contents["history"]), contents["seed"]


def measured(model: Module, data: Data, loss: Loss, metric: Metric | None) -> tuple[float, float | None]:
    """The mean loss and metric over rows, as in use."""
    X, y = data
    predictions = model.predict(X)
    return mean([float(loss.row(p, t)) for p, t in zip(predictions, y, strict=True)]), mean_metric(metric, predictions, y)


def mean_metric(metric: Metric | None, predictions: Sequence[Any], y: Sequence[Any]) -> float | None:
    """The mean of a metric over rows; None without one."""
    if metric is None:
        return None
    average: float = mean([float(metric(p, t)) for p, t in zip(predictions, y, strict=True)])
    return average


@contextmanager
def _collector_off() -> Iterator[None]:
    """Python's collector looks for cycles in a graph again and again while it grows, and there are none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
