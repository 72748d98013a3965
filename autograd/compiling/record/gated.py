"""Gated: a derivative that is a structural zero in some rows, where `when` meets a condition that differs from row to row."""

from __future__ import annotations

from typing import Any, final

from ...ops import where


@final
class Gated:
    """`derivative` in the rows in which `condition` holds (is not 0), nothing in the others: a product with nothing is nothing."""

    __slots__ = ("condition", "derivative")

    def __init__(self, condition: Any, derivative: Any) -> None:
        self.condition: Any = condition
        self.derivative: Any = derivative

    def _plain(self) -> Any:
        """As a number like any other, 0 where it is nothing."""
        return where(self.condition, self.derivative, 0.0)

    def __mul__(self, other: Any) -> Gated:
        if isinstance(other, Gated):
            return Gated(where(self.condition, other.condition, 0.0), self.derivative * other.derivative)
        return Gated(self.condition, self.derivative * other)

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Gated):
            return Gated(where(self.condition, 1.0, other.condition), self._plain() + other._plain())
        return other + self._plain()

    __radd__ = __add__
