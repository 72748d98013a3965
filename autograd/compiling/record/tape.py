"""Tape: a recorded computation as a flat list of nodes.

A node is a tuple: its op and the places of its operands, or, for a leaf, one of the markers below and what it stands for.
Equal nodes are one node, so common subexpressions are shared from the start.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from ...ops.op import Op
from ...ops.zeros import ZERO

PARAM: Final = "param"  # (PARAM, j): the j-th parameter
INPUT: Final = "input"  # (INPUT, j): the j-th number of the row
CONST: Final = "const"  # (CONST, x): a plain float

Node = tuple[Any, ...]


class Tape:
    """The nodes of a recording, each after its operands."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._places: dict[Any, int] = {}
        self.repaired: Counter[str] = Counter()  # formulas that overflow or cancel as written, replaced by what does not
        self.logs: dict[int, int] = {}  # the places of sums of exponentials, and those of their logarithms

    def __len__(self) -> int:
        return len(self.nodes)

    def put(self, node: Node) -> int:
        """The place of a node; a new one if there is none like it."""
        place = self._places.get(node)
        if place is None:
            place = self._places[node] = len(self.nodes)
            self.nodes.append(node)
        return place

    def constant(self, x: float) -> int:
        """The place of a constant. 0.0, -0.0 and ZERO are three; every nan is new."""
        key = x if x else (CONST, x is ZERO, math.copysign(1.0, x))
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.nodes)
            self.nodes.append((CONST, x))
        return place

    def apply(self, op: Op, operands: Iterable[int]) -> int:
        return self.put((op, *operands))

    def value(self, place: int) -> float | None:
        """The float of a constant, None for any other node."""
        node = self.nodes[place]
        return node[1] if node[0] is CONST else None


def live(nodes: list[Node], roots: Iterable[int]) -> bytearray:
    """A mark for every node that the roots depend on."""
    marks = bytearray(len(nodes))
    for root in roots:
        marks[root] = 1
    for i in range(len(nodes) - 1, -1, -1):
        if marks[i]:
            node = nodes[i]
            if node[0].__class__ is Op:
                for place in node[1:]:
                    marks[place] = 1
    return marks
