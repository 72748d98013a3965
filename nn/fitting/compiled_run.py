"""CompiledRun: a training run whose loss is compiled, and whose parameters live in an array while it lasts.

`autograd.compile` records the loss of one row and computes it for all rows of a batch. What a recording takes for granted, that every row
is computed in the same way from parameters and row alone, is made sure of here; else the run stays with the eager engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd import Value, mean

from ..losses import Loss
from ..modules.instead import Instead
from ..modules.layers import Sequential
from ..modules.module import Module
from ..modules.normalization import Dropout
from ..modules.places import survey
from ..optim import shortened
from ..regularizers import Regularizer
from ..support.rows import Data
from .run import Run, mean_metric

Array = NDArray[Any]
Recordable = Callable[[Array, Array], Any]
Mask = Callable[[int], list[Any]]
TRIED = 3  # rows that are computed by both engines before training


class Uncompilable(Exception):
    """Why a run cannot be compiled, in a line."""


# What code of the user's that cannot be recorded may raise.
_REASONS = (Uncompilable, TypeError, ValueError, ArithmeticError, AttributeError, LookupError)


class CompiledRun(Run):
    """A Run that takes gradients of batches by compiled programs, and updates all parameters at once. `prepare` it first."""

    _given_up = False

    def prepare(self) -> None:
        """Compile what the run needs. Raises Uncompilable."""
        self._values = self.model.parameters()
        place = {id(p): i for i, p in enumerate(self._values)}
        self._trained = np.array([place[id(p)] for p in self.optimizer.params])
        self._outputs = _width(self.model.predict(self.data[0][:1])[0])
        self._table, self._held_out_table = self._rows(self.data), self._rows(self.held_out) if self.held_out else None
        self._pull()
        self._compile()
        self._watchful = self.watched or not all(map(_is_ours, _callables(self)))
        if self._changed():
            raise Uncompilable("the model or the loss computes differently each time")
        self._try_out()

    # Programs -------------------------------------------------------------------------------------------------------------

    def _compile(self) -> None:
        modules = self.model.modules()
        for module in modules:
            if type(module).batch not in (Module.batch, Sequential.batch):
                raise Uncompilable(f"{type(module).__name__} looks at a whole batch in training, and rows are compiled one by one")
        self._dropouts = [module for module in modules if isinstance(module, Dropout)]
        row = np.zeros(self._table.shape[1])
        self._widths: list[int] = []
        with self.model.mode(training=False):
            self._predict, self._loss = self._predict_in_use, self._loss_in_use = self._programs(row)
        if self._dropouts:
            with self.model.mode(training=True):
                self._widths = self._dropped()
                self._predict, self._loss = self._programs(np.zeros(len(row) + sum(self._widths)))
        self._penalty = _compiled(_penalty(self.model, self.regularizer), self._w, np.zeros(0)) if self.regularizer else None

    def _programs(self, row: Array) -> tuple[Any, Any]:
        """The prediction for a row, and its loss."""
        prediction = _prediction(self.model, len(self.data[0][0]), self._table.shape[1], self._dropouts, self._widths)
        loss = _row_loss(prediction, self.loss, slice(len(self.data[0][0]), self._table.shape[1]), self._targets_are_lists)
        return _compiled(prediction, self._w, row), _compiled(loss, self._w, row)

    def _try_out(self) -> None:
        """Compare loss and gradient of a few rows with those of the eager engine: code that asks what kind of number it is given, say by
        isinstance, may go another way when it is recorded."""
        try:
            for i, (x, y) in enumerate(zip(*self.data, strict=True)):
                if i == TRIED:
                    break
                row = np.concatenate([self._table[i], np.ones(sum(self._widths))])[None]
                loss, g = self._loss.value_and_grad(self._w, row)
                if not np.allclose([loss, *g], self._tried(x, y), rtol=1e-7, atol=1e-7, equal_nan=True):
                    raise Uncompilable("the model or the loss computes something else when it is recorded")
                mean_metric(self.metric, self._predict(self._w, row).tolist(), [y])
        except _REASONS as error:
            raise Uncompilable(_line(error)) from None

    def _tried(self, x: Any, y: Any) -> list[float]:
        """The loss of a row and its gradient by the eager engine, dropping nothing. Values of its own stand for those of the model."""
        found = survey(self.model)
        copies = {id(place.value): Value(place.value.data) for place in found.places}
        with found.instead(copies, training=True), _masking({dropout: (lambda n: [1.0] * n) for dropout in self._dropouts}):
            loss = self.loss.row(self.model(x), y)
        if isinstance(loss, Value):
            loss.backward()
        return [float(loss), *(copies[id(p)].grad for p in self._values)]

    def _changed(self) -> bool:
        """Whether the loss would be recorded differently now: code of the user's may do anything."""
        with self.model.mode(training=True):
            return self._watchful and not (self._loss.unchanged() and (self._penalty is None or self._penalty.unchanged()))

    def _renew(self) -> None:
        """Compile anew what has changed; what can no longer be compiled is left to the eager engine from here on."""
        if self._given_up or not self._watchful:
            return
        try:
            if list(map(id, self.model.parameters())) != list(map(id, self._values)):
                raise Uncompilable("the model has other parameters than when training began")
            if self._changed():
                self._compile()
        except _REASONS as reason:
            self._given_up = True
            self.history.engine = f"eager from epoch {len(self.history) + 1} on: {_line(reason)}"

    def _rows(self, data: Data) -> Array:
        """The rows, each followed by its target: for classes a one for the right one and zeros."""
        X, y = data
        lists = [hasattr(t, "__len__") for t in y]
        if len(set(lists)) > 1:
            raise Uncompilable("some targets are numbers and some are lists")
        targets = y if lists[0] else [[t] for t in y]
        if self.loss.targets.of_classes and not lists[0]:
            targets = [[float(k == t) for k in range(self._outputs)] for t in y]
        self._targets_are_lists = lists[0] or self.loss.targets.of_classes
        return np.array([x + list(t) for x, t in zip(X, targets, strict=True)])

    # Dropout: what is kept of a row comes as further inputs ---------------------------------------------------------------

    def _dropped(self) -> list[int]:
        """How many numbers of a row each Dropout sees."""
        seen: list[tuple[Dropout, int]] = []

        def noting(dropout: Dropout) -> Mask:
            def mask(n: int) -> list[float]:
                seen.append((dropout, n))
                return [1.0] * n

            return mask

        with _masking({dropout: noting(dropout) for dropout in self._dropouts}):
            self.model(self.data[0][0])
        if [d for d, _ in seen] != self._dropouts:
            raise Uncompilable("a Dropout is used more or less than once for a row, or in another order than it was made")
        return [n for _, n in seen]

    def _batch(self, where: tuple[int, int], batch: Sequence[int]) -> Array:
        rows = self._table[batch]
        if not self._dropouts:
            return rows
        with self._drawing(where):
            masks = [np.array(d.mask(n * len(batch))).reshape(len(batch), n) for d, n in zip(self._dropouts, self._widths, strict=True)]
        return np.concatenate([rows, *masks], axis=1)

    # Training -------------------------------------------------------------------------------------------------------------

    def epoch(self, interrupted: Callable[[], bool]) -> bool:
        self._pull()  # whoever was called after the last epoch may have changed something
        try:
            return super().epoch(interrupted)
        finally:
            self.sync()

    def _record(self, figures: list[tuple[int, float, float | None]]) -> None:
        self.sync()
        super()._record(figures)

    def update(self, where: tuple[int, int], batch: Sequence[int]) -> tuple[float, float | None]:
        if where[1] == 1:
            self._renew()  # by now the schedule has been called, too
        if self._given_up:
            return self._eagerly(where, batch)
        rows = self._batch(where, batch)
        loss, g = self._loss.value_and_grad(self._w, rows)
        metric = mean_metric(self.metric, self._predict(self._w, rows).tolist(), [self.data[1][j] for j in batch]) if self.metric else None
        if self._penalty is not None:
            g = g + self._penalty.value_and_grad(self._w, np.zeros((1, 0)))[1]
        with np.errstate(all="ignore"):
            clipped = self._clipped(g[self._trained])
            w, running = self._stepped(clipped)
        if not (np.isfinite(loss) and np.isfinite(g).all() and np.isfinite(w).all()):
            return self._eagerly(where, batch)
        g[self._trained] = clipped
        self._w[self._trained], self._running, self._g = w, running, g
        self.optimizer.t += 1
        return loss, metric

    def _clipped(self, g: Array) -> Array:
        if self.clip_value is not None:
            g = np.clip(g, -self.clip_value, self.clip_value)
        return g if self.clip_norm is None else np.array(shortened(g.tolist(), self.clip_norm))

    def _stepped(self, g: Array) -> tuple[Array, list[Array]]:
        optimizer = self.optimizer
        w, *running = optimizer.rule(optimizer.rate(optimizer.t + 1), self._w[self._trained], g, *self._running)
        return w, running

    def _eagerly(self, where: tuple[int, int], batch: Sequence[int]) -> tuple[float, float | None]:
        """The same batch by the eager engine, which says what is not finite."""
        self.sync()
        figures = super().update(where, batch)
        self._pull()
        return figures

    def measured(self) -> tuple[float, float | None]:
        if self._given_up:
            return super().measured()
        assert self.held_out is not None
        losses, predictions = self._loss_in_use(self._w, self._held_out_table), self._predict_in_use(self._w, self._held_out_table)
        return mean(losses.tolist()), mean_metric(self.metric, predictions.tolist(), self.held_out[1])

    # Between the array and the Values -------------------------------------------------------------------------------------

    def _pull(self) -> None:
        """Take the parameters and the state of the optimiser over from where they are kept."""
        self._w, self._g = np.array([p.data for p in self._values]), np.array([p.grad for p in self._values])
        self._running = [np.array(column) for column in self.optimizer.running.values()]

    def sync(self) -> None:
        """Give them back."""
        for p, x, g in zip(self._values, self._w.tolist(), self._g.tolist(), strict=True):
            p.data, p.grad = x, g
        self.optimizer.running = {name: column.tolist() for name, column in zip(self.optimizer.slots, self._running, strict=True)}


def _compiled(f: Callable[[Any, Any], Any], params: Array, row: Array) -> Any:
    try:
        return autograd.compile(f, params, row)
    except _REASONS as error:
        raise Uncompilable(_line(error)) from None


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]


# What is recorded. These functions know nothing of the run: a program keeps them, and the run keeps the program.


def _prediction(model: Module, n_in: int, n_row: int, dropouts: list[Dropout], widths: list[int]) -> Recordable:
    """The model's prediction, from parameters and a row; behind the numbers of the row come factors for dropout."""
    ends = list(accumulate(widths))

    def f(p: Array, row: Array) -> Any:
        factors = list(row[n_row:])
        parts = (factors[end - n : end] for end, n in zip(ends, widths, strict=True))
        with model.using(list(p)), _masking({dropout: _always(part) for dropout, part in zip(dropouts, parts, strict=False)}):
            return model(list(row[:n_in]))

    return f


def _always(factors: list[Any]) -> Mask:
    return lambda n: factors


def _row_loss(prediction: Recordable, loss: Loss, target: slice, is_list: bool) -> Recordable:
    def f(p: Array, row: Array) -> Any:
        y = list(row[target])
        return loss.row(prediction(p, row), y if is_list else y[0])

    return f


def _penalty(model: Module, regularizer: Regularizer) -> Recordable:
    def f(p: Array, row: Array) -> Any:
        with model.using(list(p)):
            return regularizer(model)

    return f


def _masking(masks: dict[Dropout, Mask]) -> Instead:
    """A block within which dropouts take these for the factors that they would draw."""
    return Instead({id(dropout): {"mask": mask} for dropout, mask in masks.items()})


def _callables(run: Run) -> Iterator[Any]:
    """Whatever takes part in computing a row."""
    yield from (run.loss.formula, run.regularizer, run.schedule)
    for module in run.model.modules():
        yield module
        for content in vars(module).values():
            yield from (x for x in (content if isinstance(content, list) else [content]) if callable(x))


def _is_ours(x: Any) -> bool:
    """Whether the library wrote it, so that it computes the same every time."""
    return x is None or getattr(x, "__module__", "").partition(".")[0] in ("nn", "autograd")


def _width(prediction: Any) -> int:
    return len(prediction) if hasattr(prediction, "__len__") else 1
