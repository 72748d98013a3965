"""Tracking: who follows numbers at the moment, so that none is turned into a plain float unnoticed.

A transformation follows its arguments while the function runs, a recording its parameters. `float(x)` of such a number, or what calls it
(`math.exp(x)`, storing it in a NumPy array of floats), would cut it off from what it was computed from, as would a copy of it: its guard
objects.

Guards of numbers that others may use at the same time, as the parameters of a model, belong to the context in which the function runs.
Those of numbers that only the function can have handed on belong everywhere: it may have given them to a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

FLOAT = "float() of"


class Guard(Protocol):
    """One who follows numbers."""

    def tracks(self, x: Any) -> bool:
        """Whether it follows a number."""

    def converted(self, x: Any, doing: str = FLOAT) -> None:
        """Told before a number becomes a float, or whatever else would cut it off; raises if it follows that number."""

    def compared(self, x: Any) -> None:
        """Told before a number is compared, or becomes a bool or an int; raises if that may not be."""


_here: ContextVar[tuple[Guard, ...]] = ContextVar("guards", default=())
_everywhere: tuple[Guard, ...] = ()
_changing = threading.Lock()


def guards() -> tuple[Guard, ...]:
    """All that have to be asked in this context."""
    return (*_everywhere, *_here.get())


@contextmanager
def guarded(guard: Guard) -> Iterator[None]:
    """Within the block and in this context, numbers are guarded."""
    token = _here.set((*_here.get(), guard))
    try:
        yield
    finally:
        _here.reset(token)


@contextmanager
def guarded_everywhere(guard: Guard) -> Iterator[None]:
    """Within the block, numbers are guarded, whoever has got hold of them."""
    global _everywhere
    with _changing:
        _everywhere = (*_everywhere, guard)
    try:
        yield
    finally:
        with _changing:
            _everywhere = tuple([other for other in _everywhere if other is not guard])


def is_tracked(x: Any) -> bool:
    """Whether anybody follows a number."""
    return any(guard.tracks(x) for guard in guards())


def refuse_if_tracked(x: Any, doing: str) -> None:
    """Raise if somebody follows a number, which `doing` would cut off."""
    for guard in guards():
        guard.converted(x, doing)
