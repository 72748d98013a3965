"""Group: a named part of a graph. Pictures show it as a box and can close it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ..support.tables import printable

_TOLD = 12  # groups of a path that are written out


class Group:
    """A part of a graph: one run of a `with group(...)` block, inside another or none."""

    __slots__ = ("name", "parent")

    exist: ClassVar[bool] = False  # to ask a million nodes for a group that none can have takes its time

    def __new__(cls, *_: Any) -> Group:
        Group.exist = True
        return object.__new__(cls)

    def __init__(self, name: str, parent: Group | None = None) -> None:
        self.name: str = name
        self.parent: Group | None = parent

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
