"""What a picture shows, before it is anyone's language: boxes, arrows and the groups around them.

A box is a node of the graph, or a closed group of them. A large graph is shown with as little closed as brings it under the limit:
first its groups, from the innermost outwards; then runs of the same code, which have groups of the same names, in one box, with one box
for all leaves outside; at last with one box for everything else that is outside all groups, too.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from .graph import Graph
from .groups import Group
from .value import Value

_ARROWS = 3  # for each box that is allowed: the time of a layout depends on them, too


class Box(NamedTuple):
    """A node, or a closed group with what it holds."""

    id: str
    members: tuple[Value, ...]
    title: str | None  # of a closed group; None for a node
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


class Detail(NamedTuple):
    """How much is closed."""

    level: int | None = None  # groups at this depth and deeper; None: none
    runs: bool = False  # groups of the same names are one box, and so are leaves outside
    outside: bool = False  # and so are operations outside


def arrange(graph: Graph, max_nodes: int, groups: bool) -> Scene:
    """The scene of a graph with at most `max_nodes` boxes and three times as many arrows, with as little closed as that needs.

    Raises:
        ValueError: if closing groups does not make it small enough.
    """
    home = homes(graph) if groups else {}
    for detail in _details(home):
        boxes = [_closed(node, home.get(id(node)), detail) for node in graph]
        if len(set(boxes)) <= max_nodes and _count_arrows(graph, boxes) <= _ARROWS * max_nodes:
            return _scene(graph, home, detail, boxes)
    way_out = "close more of it in groups" if home else 'name its parts by `with autograd.group("..."):`, to have each drawn as one box'
    raise ValueError(
        f"the graph has {len(graph):,} nodes and {graph.edges:,} edges, too many to draw with max_nodes={max_nodes}: "
        f"draw a part of it, {way_out}, or raise max_nodes"
    )


def _count_arrows(graph: Graph, boxes: list[Hashable]) -> int:
    box_of = {id(node): box for node, box in zip(graph, boxes, strict=True)}
    ends = [(box_of[id(parent)], box_of[id(node)]) for node in graph for parent in node.parents]
    between_nodes = sum(isinstance(tail, int) and isinstance(head, int) for tail, head in ends)
    return between_nodes + len({(tail, head) for tail, head in ends if not (isinstance(tail, int) and isinstance(head, int))})


def _details(home: dict[int, Group]) -> Iterator[Detail]:
    yield Detail()
    levels = range(max((len(g.path) for g in home.values()), default=0), 0, -1)
    yield from (Detail(level) for level in levels)
    yield from (Detail(level, runs=True) for level in levels)
    if home:
        yield Detail(1, runs=True, outside=True)


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


def _closed(node: Value, home: Group | None, detail: Detail) -> Hashable:
    """What stands for the node: its id, the group that is closed around it, the names of such groups, or "leaves" or "outside"."""
    path = home.path if home is not None else ()
    if detail.level is not None and len(path) >= detail.level:
        group = path[detail.level - 1]
        return tuple(g.name for g in group.path) if detail.runs else group
    if detail.runs and not path and node.op is None:
        return "leaves"
    return "outside" if detail.outside and not path else id(node)


def _scene(graph: Graph, home: dict[int, Group], detail: Detail, keys: list[Hashable]) -> Scene:
    members: dict[Hashable, list[Value]] = {}
    for node, key in zip(graph, keys, strict=True):
        members.setdefault(key, []).append(node)
    names = {key: f"n{i}" for i, key in enumerate(members)}
    boxes = [Box(names[key], tuple(nodes), _title(key, nodes, home), _around(key, nodes, home)) for key, nodes in members.items()]
    box_of = {id(node): (names[key], type(key) is int) for node, key in zip(graph, keys, strict=True)}
    return Scene(graph, boxes, _arrows(graph, box_of))


def _title(key: Hashable, nodes: list[Value], home: dict[int, Group]) -> str | None:
    if isinstance(key, int):
        return None
    if isinstance(key, str):
        return key
    if isinstance(key, Group):
        return key.name
    assert isinstance(key, tuple)
    runs = len({home[id(node)].path[len(key) - 1] for node in nodes})
    name = " / ".join(key)
    return f"{name} ({runs} runs)" if runs > 1 else name


def _around(key: Hashable, nodes: list[Value], home: dict[int, Group]) -> Group | None:
    if isinstance(key, Group):
        return key.parent
    return home.get(id(nodes[0])) if isinstance(key, int) else None


def _arrows(graph: Graph, box_of: dict[int, tuple[str, bool]]) -> list[Arrow]:
    """An arrow for each edge between open nodes, one for all edges between two boxes of which one is closed."""
    single: list[Arrow] = []
    bundles: dict[tuple[str, str], list[float]] = {}
    for node in graph:
        head, head_is_node = box_of[id(node)]
        tails = [box_of[id(parent)] for parent in node.parents]
        if not head_is_node and all(tail == head for tail, _ in tails):
            continue
        for k, ((tail, tail_is_node), partial) in enumerate(zip(tails, node.partials(), strict=True)):
            if head_is_node and tail_is_node:
                single.append(Arrow(f"{head}-{k}", tail, head, (partial,)))
            elif head != tail:
                bundles.setdefault((tail, head), []).append(partial)
    return single + [Arrow(f"{tail}-{head}", tail, head, tuple(partials)) for (tail, head), partials in bundles.items()]


def largest_gradient(nodes: Sequence[Value]) -> float:
    """The largest finite absolute gradient, 0 if there is none."""
    return max((abs(n.grad) for n in nodes if math.isfinite(n.grad)), default=0.0)


def span(graph: Graph) -> int:
    """The total length of the edges in ranks, a leaf being right before its first use."""
    rank: dict[int, int] = {}
    for node in graph:
        if node.op is not None:
            rank[id(node)] = 1 + max((rank.get(id(parent), 0) for parent in node.parents), default=0)
            for parent in node.parents:
                if parent.op is None:
                    rank[id(parent)] = min(rank.get(id(parent), rank[id(node)]), rank[id(node)] - 1)
    return sum(rank[id(node)] - rank[id(parent)] for node in graph for parent in node.parents)
