"""`with group(...)`: naming parts of a graph while it is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar, Token
from typing import Any

from ..numbers.groups import Group, outermost_first
from ..numbers.value import Value
from ..numbers.watching import unwatch, watch
from ..support.plain import shown

_entered: ContextVar[Group | None] = ContextVar("group", default=None)


class group:
    """Name the part of the graph that the block records.

    >>> from autograd import Value
    >>> x = Value(2.0)
    >>> with group("layer 1"):
    ...     with group("neuron"):
    ...         y = x * x
    >>> y.group
    <Group layer 1 / neuron>
    """

    __slots__ = ("_token", "name")

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a group must be a str (got {shown(name)}, {type(name).__name__})")
        self.name: str = name

    def __enter__(self) -> Group:
        around = _entered.get()
        entered = Group(self.name, around)
        self._token: Token[Group | None] = _entered.set(entered)
        if around is None:
            watch(_tag)
        return entered

    def __exit__(self, *exception: Any) -> None:
        _entered.reset(self._token)
        if _entered.get() is None:
            unwatch(_tag)


def current() -> Group | None:
    """The innermost block that runs here."""
    return _entered.get()


def _tag(node: Value) -> None:
    entered = _entered.get()
    if entered is not None:
        node._about = entered


def groups_of(nodes: Iterable[Value]) -> dict[Group, int]:
    """The groups of these nodes and those around them, each after the one around it, with their places in that order."""
    return outermost_first([node.group for node in nodes] if Group.exist else ())
