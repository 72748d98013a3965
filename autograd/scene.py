"""What a picture shows, before it is anyone's language: boxes, arrows and the groups around them.

A box is a node of the graph, or a closed group of them. Large graphs are shown with groups closed, as many levels as are
needed to stay under the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .graph import Graph
from .groups import Group
from .value import Value


class Box(NamedTuple):
    """A node, or a closed group with what it holds."""

    id: str
    members: tuple[Value, ...]
    group: Group | None  # the closed group, None for a node
    within: Group | None  # the open group around the box


class Arrow(NamedTuple):
    """Edges from one box to another: one between nodes, as many as there are between closed groups."""

    id: str
    tail: str
    head: str
    partials: tuple[float, ...]


class Scene(NamedTuple):
    """Everything to draw."""

    graph: Graph
    boxes: list[Box]
    arrows: list[Arrow]
    level: int | None  # groups at this depth are closed; None: all are open


def arrange(graph: Graph, max_nodes: int, groups: bool) -> Scene:
    """The scene of a graph with at most `max_nodes` boxes, with as few groups closed as that needs.

    Raises:
        ValueError: if closing groups does not make it small enough.
    """
    home = homes(graph) if groups else {}
    if len(graph) <= max_nodes:
        return _scene(graph, home, None)
    deepest = max((len(g.path) for g in home.values()), default=0)
    for level in range(deepest, 0, -1):
        count = len({_closed(home.get(id(node)), level) or id(node) for node in graph})
        if count <= max_nodes:
            return _scene(graph, home, level)
    raise ValueError(_too_large(graph, max_nodes, bool(home)))


def _too_large(graph: Graph, max_nodes: int, grouped: bool) -> str:
    way_out = (
        "close more of it in groups"
        if grouped
        else 'name its parts with `with autograd.group("..."):`, so that they can be drawn as one box each'
    )
    return f"the graph has {len(graph):,} nodes, too many to draw with max_nodes={max_nodes}: draw a part of it, {way_out}, or raise max_nodes"


def homes(graph: Graph) -> dict[int, Group]:
    """The group of each node that has one. A leaf belongs where it is used: to the innermost group around all its uses."""
    home = {id(node): node.group for node in graph if node.group is not None}
    users: dict[int, tuple[Group, ...]] = {}
    for node in graph:
        path = node.group.path if node.group else ()
        for parent in node.parents:
            if parent.op is None:
                users[id(parent)] = _common(users[id(parent)], path) if id(parent) in users else path
    return home | {key: path[-1] for key, path in users.items() if path}


def _common(a: Sequence[Group], b: Sequence[Group]) -> tuple[Group, ...]:
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] is b[shared]:
        shared += 1
    return tuple(a[:shared])


def _closed(group: Group | None, level: int | None) -> Group | None:
    """The group at `level` that holds this one, if it lies that deep."""
    if group is None or level is None:
        return None
    path = group.path
    return path[level - 1] if len(path) >= level else None


def _scene(graph: Graph, home: dict[int, Group], level: int | None) -> Scene:
    members: dict[int, list[Value]] = {}
    closed: dict[int, Group | None] = {}
    key_of: dict[int, int] = {}
    for node in graph:
        group = _closed(home.get(id(node)), level)
        key = id(group) if group is not None else id(node)
        key_of[id(node)] = key
        closed[key] = group
        members.setdefault(key, []).append(node)
    names = {key: f"n{i}" for i, key in enumerate(members)}
    boxes = [
        Box(names[key], tuple(nodes), closed[key], _around(home.get(id(nodes[0])), closed[key])) for key, nodes in members.items()
    ]
    return Scene(graph, boxes, _arrows(graph, key_of, names), level)


def _around(home: Group | None, closed: Group | None) -> Group | None:
    return closed.parent if closed is not None else home


def _arrows(graph: Graph, key_of: dict[int, int], names: dict[int, str]) -> list[Arrow]:
    """An arrow per edge between open nodes, one for all edges between boxes of which one is closed."""
    single: list[Arrow] = []
    bundles: dict[tuple[str, str], list[float]] = {}
    for node in graph:
        head = names[key_of[id(node)]]
        head_is_node = key_of[id(node)] == id(node)
        for k, (parent, partial) in enumerate(zip(node.parents, node.partials(), strict=True)):
            tail = names[key_of[id(parent)]]
            if head_is_node and key_of[id(parent)] == id(parent):
                single.append(Arrow(f"{head}-{k}", tail, head, (partial,)))
            elif head != tail:
                bundles.setdefault((tail, head), []).append(partial)
    return single + [Arrow(f"{tail}-{head}", tail, head, tuple(partials)) for (tail, head), partials in bundles.items()]


def largest_gradient(nodes: Sequence[Value]) -> float:
    """The largest finite absolute gradient, 0 if there is none."""
    return max((abs(n.grad) for n in nodes if math.isfinite(n.grad)), default=0.0)
