"""Groups: names for parts of a graph, given by the code that records them. Pictures show them as boxes and can close them."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from .value import Value
from .watching import unwatch, watch


class Group:
    """A part of a graph: one run of a `with group(...)` block, inside another or none."""

    __slots__ = ("name", "parent")

    def __init__(self, name: str, parent: Group | None = None) -> None:
        self.name = name
        self.parent = parent

    @property
    def path(self) -> tuple[Group, ...]:
        """The groups around it and itself, outermost first."""
        return (*self.parent.path, self) if self.parent else (self,)

    def __repr__(self) -> str:
        return f"<Group {' / '.join(g.name for g in self.path)}>"

    def __copy__(self) -> Group:
        return self

    def __deepcopy__(self, memo: object) -> Group:
        return self


_current: ContextVar[Group | None] = ContextVar("group", default=None)


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
            raise TypeError(f"the name of a group must be a str (got {name!r}, {type(name).__name__})")
        self.name = name

    def __enter__(self) -> Group:
        around = _current.get()
        entered = Group(self.name, around)
        self._token: Token[Group | None] = _current.set(entered)
        if around is None:
            watch(_tag)
        return entered

    def __exit__(self, *exception: Any) -> None:
        _current.reset(self._token)
        if _current.get() is None:
            unwatch(_tag)


def _tag(node: Value) -> None:
    entered = _current.get()
    if entered is not None:
        node._about = entered
