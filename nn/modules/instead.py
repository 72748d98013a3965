"""Instead: a block within which attributes of modules read as something else, while the modules themselves stay as they are.

So one thread or task computes with other numbers in a model, or uses it, while another one trains it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import FrameType, MappingProxyType
from typing import Any

_active: ContextVar[tuple[Instead, ...]] = ContextVar("instead", default=())  # the innermost first
_blocks, _read = _active.get, object.__getattribute__


class Instead:
    """The block. It holds for what it runs, in its own thread and task; that of a generator holds while the generator runs.

    Args:
        attributes: what attributes read as, for each module by its id. What the block assigns to them goes there, and with the block.
        numbers: what stands for Values among them, by their ids.
    """

    def __init__(self, attributes: dict[int, dict[str, Any]], numbers: Mapping[int, Any] = MappingProxyType({})) -> None:
        self.attributes = attributes
        self.numbers = numbers
        self._generator: FrameType | None = None

    def __enter__(self) -> None:
        self._generator = _generator(sys._getframe(1))
        _active.set((self, *_blocks()))
        _hang_in(+1)

    def __exit__(self, kind: type[BaseException] | None, *exception: Any) -> None:
        blocks = list(_blocks())
        if self in blocks:
            _hang_in(-1)
            blocks.remove(self)
            _active.set(tuple(blocks))
        elif kind is None:
            raise RuntimeError("the block ends in another thread or context than it began in, where the module was used as it is")

    def holds(self) -> bool:
        return self._generator is None or self._generator.f_back is not None  # a suspended frame was called by nobody


def _generator(frame: FrameType) -> FrameType | None:
    """The frame, if it is a generator's; but one that contextlib makes a context manager of is suspended in order to run the block."""
    caller = frame.f_back
    by_contextlib = caller is not None and caller.f_globals.get("__name__") == "contextlib"
    return frame if frame.f_code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR) and not by_contextlib else None


def replacing(owner: object, attribute: str) -> Instead | None:
    """The innermost block within which the attribute reads as something else."""
    for block in _blocks():
        if attribute in block.attributes.get(id(owner), ()) and block.holds():
            return block
    return None


class Replaceable:
    """An object whose attributes may read as something else. While no block is entered anywhere, they are read as any others are."""


def _reading(self: Replaceable, name: str) -> Any:
    block = replacing(self, name) if _blocks() else None
    return _read(self, name) if block is None else block.attributes[id(self)][name]


def _writing(self: Replaceable, name: str, x: Any) -> None:
    block = replacing(self, name)
    if block is None:
        object.__setattr__(self, name, x)
    else:
        block.attributes[id(self)][name] = x


_entered = 0  # how many blocks are entered, in all threads
_entering = threading.Lock()


def _hang_in(change: int) -> None:
    """Have attributes looked up in blocks while there are any: it takes longer."""
    global _entered
    with _entering:
        before, _entered = _entered, _entered + change
        if before == 0 and change > 0:
            Replaceable.__getattribute__, Replaceable.__setattr__ = _reading, _writing  # type: ignore[method-assign, assignment]
        elif _entered == 0:
            del Replaceable.__getattribute__, Replaceable.__setattr__
