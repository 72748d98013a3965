"""Pickling graphs of any depth: every node is written after its operands, so that pickle never recurses.

A node is reduced to its operation, operands and figures, and pickle would follow the operands down. So the reduction of a
node first lists everything it depends on, operands first. While that list is written, its nodes are reduced plainly: their
operands are in the pickle already, and pickle refers back to them. Nodes that several pickled Values share stay shared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from .op import Op
from .value import Value, _restored, topological_order


class _Listed(threading.local):
    ids: frozenset[int] = frozenset()


_listed = _Listed()


class _Prelude:
    """Everything a node depends on, unpickled as a plain list."""

    def __init__(self, nodes: list[Value]) -> None:
        self.nodes = nodes

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, self._each()

    def _each(self) -> Iterator[Value | None]:
        before, _listed.ids = _listed.ids, frozenset(map(id, self.nodes))
        try:
            yield from self.nodes
            yield None  # pickle looks one item ahead: the last node must be written before this ends
            yield None
        finally:
            _listed.ids = before


def reduce(node: Value) -> tuple[Any, ...]:
    """What Value.__reduce__ answers."""
    record = (node.op, node.args, node.data, node.grad, node.label)
    if node.op is None or id(node) in _listed.ids:
        return _restored, record
    return _restored_after, (_Prelude(topological_order([node])[:-1]), *record)


def _restored_after(prelude: list[Any], op: Op, args: tuple[Any, ...], data: float, grad: float, label: str) -> Value:
    return _restored(op, args, data, grad, label)
