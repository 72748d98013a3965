"""Layers that behave differently in training and in use: Dropout, BatchNorm."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from autograd import Value, group, mean, square, stop_gradient
from autograd.extend import shown

from .. import init as initial
from ..support.checks import positive_int
from .module import Module

if TYPE_CHECKING:
    from ..support.types import Output


class Dropout(Module):
    """In training each number is dropped with probability p, and the others grow to x / (1 - p), so that the expectation stays; in use
    nothing happens (Srivastava et al. 2014, inverted).

    Args:
        p: the probability to drop, in [0, 1).
        rng: a seed or generator for what is dropped; `nn.fit` has generators of its own, by its seed.
    """

    rng: Random

    def __init__(self, p: float = 0.5, rng: initial.Seed = None) -> None:
        if not isinstance(p, (int, float)) or not 0.0 <= p < 1.0:
            raise ValueError(f"p must be at least 0 and below 1 (got {shown(p)})")
        self.p: float = float(p)
        self.rng = initial.generator(rng)

    def mask(self, n: int) -> list[float]:
        """Factors for n numbers: 0 for what is dropped, 1 / (1 - p) for the rest."""
        kept = 1.0 / (1.0 - self.p)
        return [0.0 if self.rng.random() < self.p else kept for _ in range(n)]

    def forward(self, x: Any) -> Any:
        if not self.training:
            return x
        row = x if hasattr(x, "__len__") else [x]
        out = [v * factor for v, factor in zip(row, self.mask(len(row)), strict=True)]
        return out if row is x else out[0]

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class BatchNorm(Module):
    """scale * (x - mean) / sqrt(variance + eps) + shift, for each of n numbers over the rows of a batch (Ioffe & Szegedy 2015).

    In training mean and variance are those of the batch (divided by its size), and running ones follow them (the variance divided by
    its size less one, as in PyTorch); in use the running ones take their place. As it looks at a whole batch, a network in training is
    called by `model.batch(rows)`, as `nn.fit` does. After few updates the running statistics lag behind the network: smaller batches, a
    larger momentum, or a few passes of `model.train().batch(rows)` let them settle.

    Args:
        n: how many numbers a row has.
        eps: keeps the root away from 0.
        momentum: the share of the batch in the running statistics.
    """

    biases: ClassVar[tuple[str, ...]] = ("scale", "shift")
    smallest_batch: ClassVar[int] = 2
    buffers: ClassVar[tuple[str, ...]] = ("running_mean", "running_variance")

    n: int
    eps: float
    momentum: float

    def __init__(self, n: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        positive_int("n", n)
        if not (eps > 0.0 and 0.0 <= momentum <= 1.0):
            raise ValueError(f"eps must be above 0 and momentum from 0 to 1 (got {shown(eps)} and {shown(momentum)})")
        self.n, self.eps, self.momentum = n, eps, momentum
        self.shape: str = f"{n} -> {n}"
        self.scale: list[Value] = [Value(1.0, "scale") for _ in range(n)]
        self.shift: list[Value] = [Value(0.0, "shift") for _ in range(n)]
        self.running_mean: list[Value] = [Value(0.0) for _ in range(n)]
        self.running_variance: list[Value] = [Value(1.0) for _ in range(n)]

    def forward(self, x: Any) -> Any:
        if self.training:
            raise ValueError("BatchNorm needs the rows of a batch in training: call model.batch(rows), or model.eval() for single rows")
        row = self._row(x)
        out = [self._normalized(j, v, self.running_mean[j].data, self.running_variance[j].data) for j, v in enumerate(row)]
        return out if hasattr(x, "__len__") else out[0]

    def batch(self, rows: Sequence[Any]) -> list[Output]:
        if not self.training:
            return super().batch(rows)
        if len(rows) < 2:
            raise ValueError(f"BatchNorm needs at least two rows in a batch in training (got {len(rows)})")
        with group(self.label or "BatchNorm"):
            columns = [self._column(j, column) for j, column in enumerate(zip(*map(self._row, rows), strict=True))]
        out: list[Any] = [list(row) for row in zip(*columns, strict=True)]
        return out if hasattr(rows[0], "__len__") else [v for (v,) in out]

    def _column(self, j: int, x: Sequence[Any]) -> list[Any]:
        center = mean(x)
        variance = mean([square(v - center) for v in x])
        self._follow(self.running_mean[j], float(stop_gradient(center)))
        self._follow(self.running_variance[j], float(stop_gradient(variance)) * len(x) / (len(x) - 1))
        return [self._normalized(j, v, center, variance) for v in x]

    def _normalized(self, j: int, x: Any, center: Any, variance: Any) -> Any:
        return self.scale[j] * ((x - center) / (variance + self.eps) ** 0.5) + self.shift[j]

    def _follow(self, running: Value, x: float) -> None:
        running.data += self.momentum * (x - running.data)

    def _row(self, x: Any) -> Any:
        row = x if hasattr(x, "__len__") else [x]
        if len(row) != self.n:
            raise ValueError(f"this BatchNorm takes {self.n} numbers (got {len(row)})")
        return row
