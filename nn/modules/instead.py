"""Instead: a block within which attributes of modules read as something else, while the modules themselves stay as they are.

So one thread or task computes with other numbers in a model, or uses it, while another one trains it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any

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

    def __exit__(self, kind: type[BaseException] | None, *exception: Any) -> None:
        blocks = list(_blocks())
        if self in blocks:
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
    """An object whose attributes may read as something else."""

    if not TYPE_CHECKING:  # to which any name would then be an attribute

        def __getattribute__(self, name: str) -> Any:
            if _blocks():
                block = replacing(self, name)
                if block is not None:
                    return block.attributes[id(self)][name]
            return _read(self, name)

        def __setattr__(self, name: str, x: Any) -> None:
            block = replacing(self, name)
            if block is None:
                super().__setattr__(name, x)
            else:
                block.attributes[id(self)][name] = x
