"""Recover: find the loops in a tape that was recorded one number at a time.

1. Flatten: single-use trees of + - and products become sums: constant + plain terms + products, whatever the order and
   the brackets in which they were written.
2. Level: what can be computed after the same number of steps is looked at together.
3. Group: nodes of a level that do the same become one instruction on arrays. Which nodes are grouped decides how fast the
   program is, never what it computes: an instruction on one element means the same as on a thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ... import ops
from ...ops.op import Op
from ..program.instructions import Forward, Map, Memory, Operand, Reduce, Ref, Sum, Term
from ..record.tape import Tape
from .flatten import CONSTANT, FEW_PRODUCTS, ONCE, ROW, Flat, Units

_FEW_TERMS, _FEW_UNITS, _LARGE = 4, 4, 16


class Recovery(Units):
    """The instructions for a tape.

    Args:
        tape, roots, leaves: as for Units.
        memory: where blocks are taken from.

    Attributes:
        once, rows: the instructions.
        roots: the places of the results.
    """

    def __init__(self, tape: Tape, roots: Sequence[int], leaves: dict[int, tuple[bool, int]], memory: Memory) -> None:
        super().__init__(tape, roots, leaves)
        self.memory = memory
        self.at: dict[int, int] = {i: place for i, (_, place) in leaves.items()}
        self.home: dict[int, int] = {place: -1 for once, place in leaves.values() if not once}  # the block of each place of `rows`
        self.once: list[Forward] = []
        self.rows: list[Forward] = []
        for kind in (ONCE, ROW):
            self._emit(kind)
        self.roots: list[Ref] = [self._result(root) for root in roots]

    # Groups: what becomes one instruction ---------------------------------------------------------------------------------

    def _emit(self, kind: int) -> None:
        """Level by level, one instruction for each group."""
        chosen = sorted((i for i in self._units if self.depends[i] == kind), key=lambda i: (self._order[i], i))
        level: dict[int, int] = {}
        levels: list[tuple[list[int], list[tuple[int, int]]]] = []  # of each the units, and those that are copies; first copies of leaves
        for i in chosen:
            same = self._same_as(i)
            below = [level[j] for j in self._atoms(i) if j in self._units and self.depends[j] == kind]
            level[i] = its = max(below, default=-1) + (same is None)
            while its + 1 >= len(levels):
                levels.append(([], []))
            if same is None:
                levels[its + 1][0].append(i)
            else:
                levels[its + 1][1].append((i, same))
        out = self.rows if kind == ROW else self.once
        for units, copies in levels:
            out += self._groups(units)
            for i, same in copies:
                self.at[i] = self.at[same]

    def _groups(self, units: list[int]) -> Iterable[Forward]:
        buckets: dict[Any, dict[Any, list[tuple[int, Any]]]] = {}
        for i in sorted(units):
            flat = self._units[i]
            if flat is None:
                key, homes, parts = self._map_key(i)
            else:
                key, homes, parts = self._sum_key(flat, self.depends[i])
            buckets.setdefault(key, {}).setdefault(homes, []).append((i, parts))
        for key, by_home in buckets.items():
            large = [members for members in by_home.values() if len(members) >= _FEW_UNITS]
            small = [member for members in by_home.values() if len(members) < _FEW_UNITS for member in members]
            for members in [*large, small] if small else large:
                if key[0] == "sum":
                    yield from self._sums(key, members)
                else:
                    yield self._map(key, members)

    def _place_all(self, units: Sequence[int]) -> Ref:
        """A new block for the results of a group."""
        out = self.memory.take(self.depends[units[0]] != ROW, len(units))
        for i, place in zip(units, out.places, strict=True):
            self.at[i] = place
            if not out.once:
                self.home[place] = out.start
        return out

    # Functions

    def _map_key(self, i: int) -> tuple[Any, Any, Any]:
        node = self.nodes[i]
        op = node[0]
        if i in self._sequences or op.arity is None:
            operands = self._sequences.get(i, node[1:])
            if self.depends[i] != ROW:
                return ("sequence", op, len(operands)), (), operands
            return ("sequence", op, len(operands)), tuple({self.home[self.at[j]] for j in operands}), operands
        kinds = tuple([self._operand_kind(op, j) for j in node[1:]])
        homes = tuple([self.home[self.at[j]] for j in node[1:] if self.depends[j] == ROW])
        return ("map", op, kinds), homes, node[1:]

    def _operand_kind(self, op: Op, j: int) -> Any:
        kind = self.depends[j]
        return ("constant", self.nodes[j][1]) if kind == CONSTANT and op is ops.power else kind

    def _map(self, key: Any, members: list[tuple[int, Any]]) -> Forward:
        op = key[1]
        operands = [operands for _, operands in members]
        if key[0] == "sequence":
            refs = self._ref([j for row in operands for j in row], (len(members), key[2]))
            assert isinstance(refs, Ref)
            return Reduce(self._place_all([i for i, _ in members]), op, refs)
        refs_each = tuple(self._ref_or_number(column) for column in zip(*operands, strict=True))
        return Map(self._place_all([i for i, _ in members]), op, refs_each)

    def _ref_or_number(self, column: Sequence[int]) -> Operand:
        if self.depends[column[0]] != CONSTANT:
            return self._ref(column, (len(column),))
        numbers = [self.nodes[j][1] for j in column]
        if len({repr(x) for x in numbers}) == 1:
            return float(numbers[0])
        return self.memory.take_constants(numbers)

    def _ref(self, column: Sequence[int], shape: tuple[int, ...]) -> Ref:
        """The places of nodes. Constants among them get places of their own."""
        kinds = {self.depends[j] for j in column}
        if kinds == {CONSTANT}:
            return self.memory.take_constants([self.nodes[j][1] for j in column]).reshaped(*shape)
        if CONSTANT in kinds:
            assert ROW not in kinds, "constants among numbers of rows"
            for j in column:
                if self.depends[j] == CONSTANT and j not in self.at:
                    self.at[j] = self.memory.take_constants([self.nodes[j][1]]).start
        assert ROW not in kinds or kinds == {ROW}, "numbers of both memories in one operand"
        return Ref(ROW not in kinds, shape, tuple([self.at[j] for j in column]))

    # Sums

    def _sum_key(self, flat: Flat, kind: int) -> tuple[Any, Any, Any]:
        """What units of a group have in common, the blocks they read, and the parts of this one."""
        parts: list[tuple[Any, ...]] = []
        for c, p in flat.once:
            parts.append(("add", c, [p]))
        self._plain_parts(flat, parts)
        self._pair_parts(flat, parts)
        self._weighted_parts(flat, parts)
        key = ("sum", *[(part[0], part[1], len(part[2]), *[self.depends[column[0]] for column in part[2:]]) for part in parts])
        homes = tuple([self._home_of(j) for part in parts for column in part[2:] for j in column[:1]]) if kind == ROW else ()
        return key, homes, (flat.constant, parts)

    def _home_of(self, j: int) -> int:
        return self.home[self.at[j]] if self.depends[j] == ROW else -2

    def _plain_parts(self, flat: Flat, parts: list[tuple[Any, ...]]) -> None:
        terms = sorted((self.at[j], c, j) for (j, _), c in flat.plain.items())
        plain = [j for _, _, j in terms]
        if len(terms) <= _FEW_TERMS:
            parts += [("add", c, [j]) for _, c, j in terms]
        elif len(scales := set(flat.plain.values())) == 1:
            parts.append(("total", scales.pop(), plain))
        else:
            kind = "product" if self.depends[plain[0]] == ROW else "dot"
            parts.append((kind, 1.0, [self._constant(c) for _, c, _ in terms], plain))

    def _pair_parts(self, flat: Flat, parts: list[tuple[Any, ...]]) -> None:
        at = self.at
        pairs = sorted((at[a], at[b], c, a, b) if at[a] <= at[b] else (at[b], at[a], c, b, a) for c, a, b in flat.pairs)
        scales = {pair[2] for pair in pairs}
        if len(pairs) > FEW_PRODUCTS and len(scales) == 1:
            parts.append(("dot", scales.pop(), [pair[3] for pair in pairs], [pair[4] for pair in pairs]))
        else:
            parts += [("mul", c, [a], [b]) for _, _, c, a, b in pairs]

    def _weighted_parts(self, flat: Flat, parts: list[tuple[Any, ...]]) -> None:
        """One part for each block that is read; what is read again in further parts."""
        at, home = self.at, self.home
        columns: dict[tuple[int, int, float], list[tuple[int, int, int]]] = {}
        seen: Counter[int] = Counter()
        for c, p, r in flat.weighted:
            place = at[r]
            columns.setdefault((seen[r], home[place], c), []).append((place, p, r))
            seen[r] += 1
        for (_, _, c), column in sorted(columns.items()):
            column.sort()
            weights, read = [p for _, p, _ in column], [r for _, _, r in column]
            parts.append(("product" if len(column) > 1 else "mul", c, weights, read))

    def _sums(self, key: Any, members: list[tuple[int, Any]]) -> Iterable[Forward]:
        """One instruction for units that read the same, or all of one for many families that read differently."""
        matrices = [n for n, part in enumerate(key[1:]) if part[0] == "product"]
        families: dict[Any, list[tuple[int, Any]]] = {}
        for member in members:
            parts = member[1][1]
            families.setdefault(tuple([tuple(parts[n][3]) for n in matrices]), []).append(member)
        together: dict[Any, list[list[tuple[int, Any]]]] = {}
        for family in families.values():
            weights: Any = None
            if matrices and len(family) >= _LARGE:  # matrices of their own are as fast, unless they are all the same
                weights = tuple([tuple(parts[n][2]) for _, (_, parts) in family for n in matrices])
            together.setdefault((len(family), weights), []).append(family)
        for (size, _), alike in together.items():
            yield self._sum(alike, size)

    def _sum(self, families: list[list[tuple[int, Any]]], size: int) -> Forward:
        members = [member for family in families for member in family]
        constants = [constant for _, (constant, _) in members]
        terms = []
        for n, (kind, scale, *_) in enumerate(members[0][1][1]):
            columns = [parts[n][2:] for _, (_, parts) in members]
            terms.append(self._term(kind, scale, columns, len(families), size))
        out = self._place_all([i for i, _ in members])
        if len(set(constants)) == 1 or all(c != c for c in constants):
            return Sum(out, tuple(terms), constants[0])
        return Sum(out, (*terms, Term("add", 1.0, self.memory.take_constants(constants))))

    def _term(self, kind: str, scale: float, columns: list[Any], families: int, size: int) -> Term:
        count, length = len(columns), len(columns[0][0])
        if kind == "product":
            right = self._ref([j for k in range(0, count, size) for j in columns[k][1]], (families, length))
            first = [j for column in columns[:size] for j in column[0]]
            every = [j for column in columns for j in column[0]]
            if families > 1 and every == first * families:
                return Term(kind, scale, self._ref(first, (1, size, length)), right)
            return Term(kind, scale, self._ref(every, (families, size, length)), right)
        shape = (count, length) if kind in ("total", "dot") else (count,)
        refs = [self._ref([j for column in columns for j in column[side]], shape) for side in range(len(columns[0]))]
        return Term(kind, scale, *refs)

    def _result(self, root: int) -> Ref:
        return self._ref([root], (1,))
