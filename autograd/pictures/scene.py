"""What a picture shows, before it is anyone's language: boxes, arrows and the groups around them.

A box is a node of the graph, or a closed group of them. A large graph is shown with as little closed as brings it under the limit:
first its groups, from the innermost outwards; then runs of the same code, which have groups of the same names, in one box, with one box
for all leaves outside; at last with one box for everything else that is outside all groups, too. Groups deeper than can be framed are
always closed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ..graphs.graph import Graph
from ..numbers.groups import Group, outermost_first
from ..numbers.value import Value

_DEEPEST = 30  # frames inside each other
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


class Plan(NamedTuple):
    """Which box each node of a graph is in, by a key: its id, the group that is closed around it, the names of such groups, or a word."""

    graph: Graph
    keys: list[Hashable]
    home: dict[int, Group]  # the group of each node
    closed: dict[Group, Group]  # of groups that are not open, the closed one that holds them


def arrange(graph: Graph, max_nodes: int, groups: bool) -> Scene:
    """The scene of a graph with at most `max_nodes` boxes and three times as many arrows, with as little closed as that needs.

    Raises:
        ValueError: if closing groups does not make it small enough.
    """
    return _scene(plan(graph, max_nodes, groups))


def plan(graph: Graph, max_nodes: int, groups: bool) -> Plan:
    """What `arrange` closes. Nothing of the scene is made yet."""
    home = homes(graph) if groups else {}
    depths = _depths(home.values())
    for detail in _details(max(depths.values(), default=0)):
        if detail.level is not None or len(graph) <= max_nodes:
            closed = _closed(depths, detail.level)
            keys = _keys(graph, home, closed, detail)
            if len(set(keys)) <= max_nodes and _count_arrows(graph, keys) <= _ARROWS * max_nodes:
                return Plan(graph, keys, home, closed)
    way_out = "close more of it in groups" if home else 'name its parts by `with autograd.group("..."):`, to have each drawn as one box'
    raise ValueError(
        f"the graph has {len(graph):,} nodes and {graph.edges:,} edges, too many to draw with max_nodes={max_nodes}: "
        f"draw a part of it, {way_out}, or raise max_nodes"
    )


def _details(deepest: int) -> Iterator[Detail]:
    """From all open to all closed; what lies in more groups than a picture can frame is closed from the beginning."""
    if deepest < _DEEPEST:
        yield Detail()
    levels = range(min(deepest, _DEEPEST), 0, -1)
    yield from (Detail(level) for level in levels)
    yield from (Detail(level, runs=True) for level in levels)
    if deepest:
        yield Detail(1, runs=True, outside=True)


def _count_arrows(graph: Graph, keys: list[Hashable]) -> int:
    box_of = {id(node): key for node, key in zip(graph, keys, strict=True)}
    ends = [(box_of[id(parent)], box_of[id(node)]) for node in graph for parent in node.parents]
    between_nodes = sum(isinstance(tail, int) and isinstance(head, int) for tail, head in ends)
    return between_nodes + len({(tail, head) for tail, head in ends if not (isinstance(tail, int) and isinstance(head, int))})


# Groups ------------------------------------------------------------------------------------------------------------------


def homes(graph: Graph) -> dict[int, Group]:
    """The group of each node that has one, no deeper than can be framed. A leaf belongs where it is used: to the innermost group around
    all its uses.
    """
    home = {id(node): node.group for node in graph if node.group is not None} if Group.exist else {}
    if not home:
        return {}
    depths = _depths(home.values())
    framed = _closed(depths, _DEEPEST)
    home = {key: framed.get(group, group) for key, group in home.items()}
    users: dict[int, Group | None] = {}
    for node in graph:
        for parent in node.parents:
            if parent.op is None:
                group = home.get(id(node))
                users[id(parent)] = _common(users[id(parent)], group, depths) if id(parent) in users else group
    return home | {key: group for key, group in users.items() if group is not None}


def _common(a: Group | None, b: Group | None, depths: dict[Group, int]) -> Group | None:
    """The innermost group around both."""
    while a is not b:
        if a is None or b is None:
            return None
        outer = depths[a] <= depths[b], depths[b] <= depths[a]
        a, b = a.parent if outer[1] else a, b.parent if outer[0] else b
    return a


def _depths(groups: Iterable[Group]) -> dict[Group, int]:
    """How deep these groups lie, and those around them, the outermost first, at depth 1."""
    depths: dict[Group, int] = {}
    for group in outermost_first(groups):
        depths[group] = 1 + (depths[group.parent] if group.parent else 0)
    return depths


def _closed(depths: dict[Group, int], level: int | None) -> dict[Group, Group]:
    closed: dict[Group, Group] = {}
    for group, depth in depths.items():
        if depth == level:
            closed[group] = group
        elif group.parent in closed:
            closed[group] = closed[group.parent]
    return closed


# Boxes -------------------------------------------------------------------------------------------------------------------


def _keys(graph: Graph, home: dict[int, Group], closed: dict[Group, Group], detail: Detail) -> list[Hashable]:
    of_group: dict[Group, Hashable] = {group: _names(whole) if detail.runs else whole for group, whole in closed.items()}

    def key(node: Value) -> Hashable:
        around = home.get(id(node))
        if around is not None:
            return of_group.get(around, id(node))
        return "leaves" if detail.runs and node.op is None else "outside" if detail.outside else id(node)

    return [key(node) for node in graph]


def _names(group: Group) -> tuple[str, ...]:
    return tuple(g.name for g in group.path)


def _scene(plan: Plan) -> Scene:
    graph, keys, home, _ = plan
    members: dict[Hashable, list[Value]] = {}
    for node, key in zip(graph, keys, strict=True):
        members.setdefault(key, []).append(node)
    names = {key: f"n{i}" for i, key in enumerate(members)}
    boxes = [Box(names[key], tuple(nodes), _title(key, nodes, plan), _around(key, nodes, home)) for key, nodes in members.items()]
    box_of = {id(node): (names[key], type(key) is int) for node, key in zip(graph, keys, strict=True)}
    return Scene(graph, boxes, _arrows(graph, box_of))


def _title(key: Hashable, nodes: list[Value], plan: Plan) -> str | None:
    if isinstance(key, int):
        return None
    if isinstance(key, str):
        return key
    if isinstance(key, Group):
        return key.name
    assert isinstance(key, tuple)
    runs = len({plan.closed[plan.home[id(node)]] for node in nodes})
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
