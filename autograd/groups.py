"""Groups: names for parts of a graph, given by the code that records them. Pictures show them as boxes and can close them."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar, Token
from typing import Any, ClassVar

from .op import shown
from .tables import printable
from .value import Value
from .watching import unwatch, watch

_TOLD = 12  # groups of a path that are written out


class Group:
    """A part of a graph: one run of a `with group(...)` block, inside another or none."""

    __slots__ = ("name", "parent")

    exist: ClassVar[bool] = False  # to ask a million nodes for a group that none can have takes its time

    def __new__(cls, *_: Any) -> Group:
        Group.exist = True
        return object.__new__(cls)

    def __init__(self, name: str, parent: Group | None = None) -> None:
        self.name = name
        self.parent = parent

    @property
    def path(self) -> tuple[Group, ...]:
        """The groups around it and itself, outermost first."""
        path: list[Group] = []
        group: Group | None = self
        while group is not None:
            path.append(group)
            group = group.parent
        return tuple(path[::-1])

    def __str__(self) -> str:
        names = [printable(group.name) for group in self.path]
        return " / ".join(names if len(names) <= _TOLD else [*names[:2], "...", *names[2 - _TOLD :]])

    def __repr__(self) -> str:
        return f"<Group {self}>"

    def __copy__(self) -> Group:
        return self

    def __deepcopy__(self, memo: object) -> Group:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        from .pickling import reduce_group

        return reduce_group(self)


def groups_of(nodes: Iterable[Value]) -> dict[Group, int]:
    """The groups of these nodes and those around them, each after the one around it, with their places in that order."""
    return outermost_first([node.group for node in nodes] if Group.exist else ())


def outermost_first(groups: Iterable[Group | None]) -> dict[Group, int]:
    """These groups and those around them, each after the one around it, with their places in that order."""
    places: dict[Group, int] = {}
    for group in dict.fromkeys(groups):
        new = []
        while group is not None and group not in places:
            new.append(group)
            group = group.parent
        for inner in reversed(new):
            places[inner] = len(places)
    return places


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
            raise TypeError(f"the name of a group must be a str (got {shown(name)}, {type(name).__name__})")
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
