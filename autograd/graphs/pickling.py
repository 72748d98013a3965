"""Pickling graphs of any depth: every node is written after its operands, so that pickle never recurses.

A node is reduced to its operation, operands and figures, and pickle would follow the operands down. So the reduction of a
node first lists everything it depends on, operands first. While that list is written, its nodes are reduced plainly: their
operands are in the pickle already, and pickle refers back to them. Nodes that several pickled Values share stay shared.
Groups, which lie in groups, are written likewise.
"""

from __future__ import annotations

import copyreg
import threading
import weakref
from collections.abc import Callable, Collection
from typing import Any

from ..numbers.groups import Group
from ..numbers.tracking import refuse_if_tracked
from ..numbers.value import Value, described, made, outdated, stale, topological_order
from ..ops.op import Op
from .grouping import groups_of


class _Prelude:
    """Everything that a node or a group depends on, unpickled as a plain list."""

    def __init__(self, groups: Collection[Group], nodes: Collection[Value] = (), stale: Collection[int] = ()) -> None:
        self.groups, self.nodes, self.stale = groups, nodes, stale
        self.ids = frozenset(map(id, (*groups, *nodes)))

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, iter([_Mark(weakref.ref(self)), *self.groups, *self.nodes, _Mark(_none)])


class _Mark:
    """Before the first item of a prelude and after its last. Picklers ask a list for items ahead of writing them, so that only an
    item of the list itself can tell where the writing has come to.
    """

    def __init__(self, prelude: Callable[[], _Prelude | None]) -> None:
        self.prelude = prelude

    def __reduce__(self) -> tuple[Any, ...]:
        _writing.prelude = self.prelude
        return bool, ()


def _stale(nodes: Collection[Value]) -> frozenset[int]:
    return frozenset(map(id, stale([x for x in nodes if x.op is not None], [x for x in nodes if x.op is None])))


def _none() -> None:
    return None


class _Writing(threading.local):
    """The prelude that this thread is writing; weakly, so that a pickle that fails half-way leaves nothing behind."""

    def __init__(self) -> None:
        self.prelude: Callable[[], _Prelude | None] = _none


_writing = _Writing()


def reduce(node: Value) -> tuple[Any, ...]:
    """How pickle takes a node apart."""
    prelude = _writing.prelude()
    if prelude is None:
        refuse_if_tracked(node, "pickling")
    if prelude is not None and id(node) in prelude.ids:
        made = _made_outdated if id(node) in prelude.stale else _whole
        if not hasattr(node, "_about"):  # as nearly all in a large graph, where a call more for each takes its time
            return made, (node.op, node._a, node._b, node._data, node._grad)
        return made, _record(node, bool(prelude.groups))
    if node.op is None:
        return _whole, _record(node, True)
    nodes = topological_order([node])
    ids = _stale(nodes)
    made = _made_outdated if id(node) in ids else _whole
    return _after, (_Prelude(groups_of(nodes), nodes[:-1], ids), made, *_record(node, True))


def _record(node: Value, grouped: bool) -> tuple[Any, ...]:
    return node.op, node._a, node._b, node._data, node._grad, node.label, node.group if grouped else None


def reduce_group(group: Group) -> tuple[Any, ...]:
    """How pickle takes a group apart."""
    record = (group.name, group.parent)
    prelude = _writing.prelude()
    if group.parent is None or (prelude is not None and id(group) in prelude.ids):
        return Group, record
    return _after, (_Prelude(group.path[:-1]), Group, *record)


copyreg.pickle(Value, reduce)
copyreg.pickle(Group, reduce_group)


def _whole(op: Op | None, a: Any, b: Any, data: float, grad: float, label: str = "", group: Group | None = None) -> Value:
    node = made(op, a, b, data, grad)
    return described(node, label, group) if label or group is not None else node


def _made_outdated(*record: Any) -> Value:
    return outdated(_whole(*record))


def _after(prelude: list[Any], made: Callable[..., Any], *record: Any) -> Any:
    return made(*record)
