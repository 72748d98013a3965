"""Tracking: who follows numbers at the moment, so that none is turned into a plain float unnoticed.

A transformation follows its arguments while the function runs, a recording its parameters. `float(x)` of such a number, or what calls it
(`math.exp(x)`, storing it in a NumPy array of floats), would cut it off from what it was computed from: its guard objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Guard(Protocol):
    """One who follows numbers."""

    def tracks(self, x: Any) -> bool:
        """Whether it follows a number."""

    def converted(self, x: Any) -> None:
        """Told before a number becomes a float; raises if it follows that number."""

    def compared(self, x: Any) -> None:
        """Told before a number is compared, or becomes a bool or an int; raises if that may not be."""


guards: ContextVar[tuple[Guard, ...]] = ContextVar("guards", default=())


@contextmanager
def guarded(guard: Guard) -> Iterator[None]:
    """Within the block and in this context, numbers are guarded."""
    token = guards.set((*guards.get(), guard))
    try:
        yield
    finally:
        guards.reset(token)


def is_tracked(x: Any) -> bool:
    """Whether anybody follows a number."""
    return any(guard.tracks(x) for guard in guards.get())
