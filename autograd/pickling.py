"""Pickling graphs of any depth: every node is written after its operands, so that pickle never recurses.

A node is reduced to its operation, operands and figures, and pickle would follow the operands down. So the reduction of a
node first lists everything it depends on, operands first. While that list is written, its nodes are reduced plainly: their
operands are in the pickle already, and pickle refers back to them. Nodes that several pickled Values share stay shared.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from .value import Value, _restored, topological_order


class _Prelude:
    """Everything a node depends on, unpickled as a plain list."""

    def __init__(self, nodes: list[Value]) -> None:
        self.nodes = nodes
        self.ids = frozenset(map(id, nodes))

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (), None, iter([_Mark(weakref.ref(self)), *self.nodes, _Mark(_none)])


class _Mark:
    """Before the first node of a prelude and after its last. Picklers ask a list for items ahead of writing them, so that only an
    item of the list itself can tell where the writing has come to.
    """

    def __init__(self, prelude: Callable[[], _Prelude | None]) -> None:
        self.prelude = prelude

    def __reduce__(self) -> tuple[Any, ...]:
        _writing.prelude = self.prelude
        return bool, ()


def _none() -> None:
    return None


class _Writing(threading.local):
    """The prelude that this thread is writing; weakly, so that a pickle that fails half-way leaves nothing behind."""

    def __init__(self) -> None:
        self.prelude: Callable[[], _Prelude | None] = _none


_writing = _Writing()


def reduce(node: Value) -> tuple[Any, ...]:
    """What Value.__reduce__ answers."""
    record = (node.op, node.args, node.data, node.grad, node.label, node.group)
    prelude = _writing.prelude()
    if node.op is None or (prelude is not None and id(node) in prelude.ids):
        return _restored, record
    return _restored_after, (_Prelude(topological_order([node])[:-1]), *record)


def _restored_after(prelude: list[Any], *record: Any) -> Value:
    return _restored(*record)
