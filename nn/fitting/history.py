"""History: what a training run measured, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from os import PathLike
from typing import Any

from autograd.extend import files, printable, table

VERSION = 1


@dataclass
class History:
    """One entry per epoch in each list. Epochs count from 1.

    Attributes:
        loss: the mean over the rows of the epoch, without the penalty of a regulariser.
        metric: the accuracy, or whatever metric was asked for; empty without one.
        validation_loss, validation_metric: of the rows held out, after the epoch; empty without such.
        learning_rate: what the optimiser used last in the epoch.
        metric_name: what `metric` is.
        stopped: why training ended: "completed", "early stopping", "interrupted"; empty while it runs.
        engine: what computed the gradients: "compiled", or "eager" and why.
    """

    loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_metric: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    metric_name: str = ""
    stopped: str = ""
    engine: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def monitored(self) -> list[float]:
        """The loss that early stopping and `best_epoch` go by: that of validation if there is one."""
        return self.validation_loss or self.loss

    @property
    def best_epoch(self) -> int:
        """The first epoch of the lowest loss; 0 where there is none, before the first or if all are nan."""
        losses = [(loss, epoch) for epoch, loss in enumerate(self.monitored, start=1) if not math.isnan(loss)]
        return min(losses)[1] if losses else 0

    def add(self, **figures: float) -> None:
        """Append one epoch's figures to the lists of these names."""
        for name, x in figures.items():
            getattr(self, name).append(x)

    def plot(self, ax: Any = None) -> Any:
        """Loss and metric over the epochs; see `nn.plot.history`."""
        from .. import plot  # needs Matplotlib

        return plot.history(self, ax=ax)

    def describe(self, epoch: int) -> str:
        """The figures of an epoch in one line."""
        figures = [f"{name.replace('_', ' ')} {x:.4g}" for name, x in self._figures(epoch) if name != "learning_rate"]
        return ", ".join(figures)

    def _figures(self, epoch: int) -> list[tuple[str, float]]:
        named = ((f.name.replace("metric", printable(self.metric_name)), getattr(self, f.name)) for f in fields(self))
        return [(name, column[epoch - 1]) for name, column in named if isinstance(column, list) and column]

    def __str__(self) -> str:
        """A table of the epochs, of long runs about a dozen, the best and the last among them; why it ended, and what computed it."""
        if not len(self):
            return "no epochs"
        every = math.ceil(len(self) / 10)
        chosen = sorted({*range(1, len(self) + 1, every), self.best_epoch or 1, len(self)})
        head = ("epoch", *(name.replace("_", " ") for name, _ in self._figures(1)), "")
        body = [(f"{e}", *(f"{x:.6g}" for _, x in self._figures(e)), "best" * (e == self.best_epoch)) for e in chosen]
        return "\n".join([table(head, body), printable(", ".join(filter(None, (self.stopped, self.engine))))])

    def save(self, path: str | PathLike[str]) -> None:
        """Write the history to a file of JSON."""
        files.save(path, "history", VERSION, self.encoded())

    @staticmethod
    def load(path: str | PathLike[str]) -> History:
        """The history in a file that `save` wrote."""
        return files.load(path, "history", VERSION, History.decoded)

    def encoded(self) -> dict[str, Any]:
        """The history in terms of JSON: numbers as strings, since JSON has no nan and no inf."""
        return {name: x if isinstance(x, str) else [repr(v) for v in x] for name, x in asdict(self).items()}

    @staticmethod
    def decoded(contents: Mapping[str, Any]) -> History:
        names = {f.name for f in fields(History)}
        if set(contents) != names:
            return files.invalid(f"it must have {', '.join(sorted(names))}")
        history = History()
        for name, x in contents.items():
            setattr(history, name, str(x) if name in ("metric_name", "stopped", "engine") else _floats(name, x))
        for name, column in vars(history).items():
            if isinstance(column, list) and len(column) not in (0, len(history)):
                return files.invalid(f"{name} has {len(column)} entries for {len(history)} epochs")
        return history


def _floats(name: str, column: Any) -> list[float]:
    try:
        return [float(x) for x in column]
    except (TypeError, ValueError, OverflowError):
        return files.invalid(f"{name} is not a list of numbers")
