"""Flatten: which nodes have to be computed, and sums written in any order and with any brackets as one sum each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from ... import ops
from ...ops.op import Op
from ..record.private_ops import spread
from ..record.tape import CONST, Node, Tape, live

CONSTANT, ONCE, ROW = 0, 1, 2

_dot = ops.table["dot"]
_SUMS = frozenset({ops.add, ops.subtract, ops.negative, ops.positive, ops.sum, ops.mean, ops.multiply, ops.divide, ops.square, _dot})
FEW_PRODUCTS: Final = 3


def _in_range(x: float) -> bool:
    """Whether a factor is far from overflow, and from the numbers that lose digits."""
    return 1e-290 < abs(x) < 1e290


class Flat:
    """A flattened sum: constant + scale * once + scale * row + scale * row * row + scale * once * row."""

    __slots__ = ("constant", "once", "pairs", "plain", "weighted")

    def __init__(self) -> None:
        self.constant: float = 0.0
        self.once: list[tuple[float, int]] = []
        self.plain: dict[tuple[int, bool], float] = {}  # the scale of a node, and apart from it a negative one: inf - inf is no 0 * inf
        self.pairs: list[tuple[float, int, int]] = []
        self.weighted: list[tuple[float, int, int]] = []

    def add(self, c: float, i: int) -> None:
        """Add a plain term."""
        key = i, c > 0.0
        self.plain[key] = self.plain.get(key, 0.0) + c

    def atoms(self) -> Iterable[int]:
        yield from (i for i, _ in self.plain)
        yield from (i for _, i in self.once)
        for _, a, b in self.pairs:
            yield a
            yield b
        for _, p, r in self.weighted:
            yield p
            yield r


class Units:
    """The nodes of a tape that become part of an instruction.

    Args:
        tape: simplified. Auxiliary nodes are added to it.
        roots: the places of the results on it.
        leaves: for each leaf but constants, whether it is in `once` and its place there.
    """

    def __init__(self, tape: Tape, roots: Sequence[int], leaves: dict[int, tuple[bool, int]]) -> None:
        self.tape: Tape = tape
        self.nodes: list[Node] = tape.nodes
        self.depends: list[int] = []
        self.uses: list[int] = []
        self._leaves = leaves
        self._count(roots)
        self._units: dict[int, Flat | None] = {}
        self._sequences: dict[int, tuple[int, ...]] = {}  # the operands of functions of a sequence, all of them numbers of rows
        self._order: dict[int, float] = {}
        needed = set(roots)
        for kind in (ROW, ONCE):
            self._find_units(kind, needed)

    # What depends on what -----------------------------------------------------------------------------------------------

    def _count(self, roots: Sequence[int]) -> None:
        """What each node depends on, and how often it is used."""
        nodes = self.nodes
        uses = self.uses = [0] * len(nodes)
        marks = live(nodes, roots)
        depends = self.depends
        for i, node in enumerate(nodes):
            depends.append(self._kind(node, i))
            if marks[i] and node[0].__class__ is Op:
                for j in node[1:]:
                    uses[j] += 1
        for root in roots:
            uses[root] += 1

    def _kind(self, node: Node, i: int) -> int:
        head = node[0]
        if head is CONST:
            return CONSTANT
        if head.__class__ is not Op:
            return ONCE if self._leaves[i][0] else ROW
        if head is spread:
            return ROW
        depends, kind = self.depends, CONSTANT
        for j in node[1:]:
            if depends[j] > kind:
                kind = depends[j]
                if kind == ROW:
                    break
        return kind

    def _new(self, op: Op, *operands: int) -> int:
        """An auxiliary node."""
        place = self.tape.put((op, *operands))
        if place == len(self.depends):
            self.depends.append(self._kind(self.nodes[place], place))
            self.uses.append(1)
        return place

    def _constant(self, x: float) -> int:
        place = self.tape.constant(x)
        if place == len(self.depends):
            self.depends.append(CONSTANT)
            self.uses.append(1)
        return place

    # Units: what becomes part of an instruction --------------------------------------------------------------------------

    def _find_units(self, kind: int, needed: set[int]) -> None:
        """From the results down: the nodes that have to be computed, sums flattened."""
        i = len(self.nodes)
        while i > 0:
            i -= 1
            if i in needed and self.depends[i] == kind and self.nodes[i][0].__class__ is Op:
                self._add_unit(i, float(i), needed)

    def _add_unit(self, i: int, order: float, needed: set[int]) -> None:
        known = self._order.get(i)
        if known is not None:
            self._order[i] = min(known, order)
            return
        self._order[i] = order
        node = self.nodes[i]
        flat = self._units[i] = self._flattened(i) if node[0] in _SUMS and self._is_sum(i) else None
        if flat is not None:
            self._tidy(flat)
            atoms = flat.atoms()
        elif node[0].arity is None and self.depends[i] == ROW:
            atoms = [self._as_row(j) for j in node[1:]]
            self._sequences[i] = tuple(atoms)
        else:
            atoms = node[1:]
        for j in atoms:
            needed.add(j)
            if j >= i and self.depends[j] == self.depends[i]:  # an auxiliary node; its operands come before this one
                self._add_unit(j, order - 0.5, needed)

    def _as_row(self, i: int) -> int:
        return i if self.depends[i] == ROW else self._new(spread, i)

    def _is_sum(self, i: int) -> bool:
        """Whether this use of the op is a sum: division by a constant only."""
        node = self.nodes[i]
        return node[0] is not ops.divide or self._divisor(node) is not None

    def _divisor(self, node: Node) -> float | None:
        c = self.tape.value(node[2])
        return c if c and _in_range(1.0 / c) else None

    def _stands_apart(self, node: Node, c: float) -> bool:
        """Whether a scale must not be moved into a node: constants that would overflow or vanish together, where what stands between
        them in the code brings them back; and a difference, whose digits would be lost if its parts were scaled and rounded first.
        """
        if abs(c) == 1.0:
            return False
        op, value = node[0], self.tape.value
        if op is ops.divide:
            return not _in_range(c / (value(node[2]) or 1.0))
        if op is ops.multiply:
            return any(k and k - k == 0.0 and not _in_range(c * k) for k in map(value, node[1:]))
        if op is ops.subtract or (op is ops.add and any(self.depends[j] == CONSTANT for j in node[1:])):
            return abs(math.frexp(c)[0]) != 0.5 and not all(self.nodes[j][0] in _SUMS for j in node[1:])  # scaling by 2^k is exact
        return False

    def _flattened(self, root: int) -> Flat:
        flat = Flat()
        nodes, depends, uses = self.nodes, self.depends, self.uses
        kind = depends[root]
        stack = [(root, 1.0)]
        while stack:
            i, c = stack.pop()
            node = nodes[i]
            op = node[0]
            if i != root:
                its = depends[i]
                if its == CONSTANT:
                    flat.constant += c * node[1]
                    continue
                if its != kind:
                    while nodes[i][0] is ops.negative:
                        i, c = nodes[i][1], -c
                    flat.once.append((c, i))
                    continue
                if uses[i] != 1 or op not in _SUMS or (op is ops.divide and self._divisor(node) is None) or self._stands_apart(node, c):
                    flat.add(c, i)
                    continue
            if op is ops.add:
                stack += ((node[2], c), (node[1], c))
            elif op is ops.multiply:
                self._multiply(flat, stack, kind, c, node[1], node[2])
            elif op is ops.subtract:
                stack += ((node[2], -c), (node[1], c))
            elif op is ops.negative:
                stack.append((node[1], -c))
            elif op is ops.square:
                self._multiply(flat, stack, kind, c, node[1], node[1])
            elif op is ops.divide:
                stack.append((node[1], c / self.tape.nodes[node[2]][1]))
            elif op is _dot:
                half = len(node) // 2
                for a, b in zip(node[1 : 1 + half], node[1 + half :], strict=True):
                    self._multiply(flat, stack, kind, c, a, b)
            else:
                scale = c / (len(node) - 1) if op is ops.mean else c
                stack += [(j, scale) for j in node[1:]]
        return flat

    def _multiply(self, flat: Flat, stack: list[tuple[int, float]], kind: int, c: float, a: int, b: int) -> None:
        """One product of a sum of this kind: signs and constants taken out, then sorted by what the factors depend on."""
        nodes, depends = self.nodes, self.depends
        while nodes[a][0] is ops.negative:
            a, c = nodes[a][1], -c
        while nodes[b][0] is ops.negative:
            b, c = nodes[b][1], -c
        kind_a, kind_b = depends[a], depends[b]
        if kind_a == CONSTANT:
            stack.append((b, c * nodes[a][1]))
        elif kind_b == CONSTANT:
            stack.append((a, c * nodes[b][1]))
        elif kind_a == kind_b == ONCE and kind == ROW:
            flat.once.append((c, self._new(ops.multiply, a, b)))
        elif kind_a == kind_b:
            flat.pairs.append((c, a, b))
        elif kind_a == ONCE:
            flat.weighted.append((c, a, b))
        else:
            flat.weighted.append((c, b, a))

    def _tidy(self, flat: Flat) -> None:
        """What depends on parameters only is summed and scaled once for all rows."""
        if len(flat.once) > 1:
            flat.once = [(1.0, self._new(ops.sum, *[self._scaled(c, p) for c, p in flat.once]))]
        if len({c for c, _, _ in flat.weighted}) > 1:
            flat.weighted = [(1.0, self._scaled(c, p), r) for c, p, r in flat.weighted]
        if len(flat.pairs) > FEW_PRODUCTS and len({c for c, _, _ in flat.pairs}) > 1:
            for c, a, b in flat.pairs:
                flat.add(c, self._new(ops.multiply, a, b))
            flat.pairs = []

    def _scaled(self, c: float, p: int) -> int:
        return p if c == 1.0 else self._new(ops.negative, p) if c == -1.0 else self._new(ops.multiply, self._constant(c), p)

    def _atoms(self, i: int) -> Iterable[int]:
        flat = self._units[i]
        return flat.atoms() if flat is not None else self._sequences.get(i) or self.nodes[i][1:]

    def _same_as(self, i: int) -> int | None:
        """What a unit is a mere copy of, after its sum has been flattened."""
        flat = self._units[i]
        if flat is None or flat.constant or flat.once or flat.pairs or flat.weighted or list(flat.plain.values()) != [1.0]:
            return None
        return next(iter(flat.plain))[0]
