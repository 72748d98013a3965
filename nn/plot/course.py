"""Course: what the pictures of a training run need to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Course(Protocol):
    """The figures of each epoch, as `nn.History` has them."""

    @property
    def loss(self) -> Sequence[float]: ...
    @property
    def metric(self) -> Sequence[float]: ...
    @property
    def validation_loss(self) -> Sequence[float]: ...
    @property
    def validation_metric(self) -> Sequence[float]: ...
    @property
    def metric_name(self) -> str: ...
    @property
    def best_epoch(self) -> int: ...
    def __len__(self) -> int: ...
