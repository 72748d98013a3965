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
from typing import Any, Final

from .. import ops
from ..op import Op
from .program import Instruction, Map, Memory, Operand, Ref, Sequence_, Sum, Term
from .tape import CONST, Node, Tape, live

CONSTANT, ONCE, ROW = 0, 1, 2

spread: Final = Op("spread", lambda x: x, lambda y, x: (1.0,), doc="What is the same for all rows, as a number of each row.")

_dot = ops.table["dot"]
_SUMS = frozenset({ops.add, ops.subtract, ops.negative, ops.positive, ops.sum, ops.mean, ops.multiply, ops.divide, ops.square, _dot})
_FEW_TERMS, _FEW_PRODUCTS, _FEW_UNITS, _LARGE = 4, 3, 4, 16


class Flat:
    """A flattened sum: constant + scale * once + scale * row + scale * row * row + scale * once * row."""

    __slots__ = ("constant", "once", "pairs", "plain", "weighted")

    def __init__(self) -> None:
        self.constant = 0.0
        self.once: list[tuple[float, int]] = []
        self.plain: dict[int, float] = {}
        self.pairs: list[tuple[float, int, int]] = []
        self.weighted: list[tuple[float, int, int]] = []

    def atoms(self) -> Iterable[int]:
        yield from self.plain
        yield from (i for _, i in self.once)
        for _, a, b in self.pairs:
            yield a
            yield b
        for _, p, r in self.weighted:
            yield p
            yield r


class Recovery:
    """The instructions for a tape.

    Args:
        tape: simplified. Auxiliary nodes are added to it.
        roots: the places of the results on it.
        leaves: for each leaf but constants, whether it is in `once` and its place there.
        memory: where blocks are taken from.
    """

    def __init__(self, tape: Tape, roots: Sequence[int], leaves: dict[int, tuple[bool, int]], memory: Memory) -> None:
        self.tape, self.nodes, self.memory = tape, tape.nodes, memory
        self.depends: list[int] = []
        self.uses: list[int] = []
        self.at: dict[int, int] = {i: place for i, (_, place) in leaves.items()}
        self.home: dict[int, int] = {place: -1 for once, place in leaves.values() if not once}  # the block of each place of `rows`
        self.once: list[Instruction] = []
        self.rows: list[Instruction] = []
        self._leaves = leaves
        self._count(roots)
        self._units: dict[int, Flat | None] = {}
        self._sequences: dict[int, tuple[int, ...]] = {}  # the operands of functions of a sequence, all of them numbers of rows
        self._order: dict[int, float] = {}
        needed = set(roots)
        for kind in (ROW, ONCE):
            self._find_units(kind, needed)
        for kind in (ONCE, ROW):
            self._emit(kind)
        self.roots = [self._result(root) for root in roots]

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
        return c if c and c - c == 0.0 else None

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
                if uses[i] != 1 or op not in _SUMS or (op is ops.divide and self._divisor(node) is None):
                    flat.plain[i] = flat.plain.get(i, 0.0) + c
                    continue
            if op is ops.add:
                stack += ((node[2], c), (node[1], c))
            elif op is ops.multiply:
                self._multiply(flat, stack, c, node[1], node[2])
            elif op is ops.subtract:
                stack += ((node[2], -c), (node[1], c))
            elif op is ops.negative:
                stack.append((node[1], -c))
            elif op is ops.square:
                self._multiply(flat, stack, c, node[1], node[1])
            elif op is ops.divide:
                stack.append((node[1], c / self.tape.nodes[node[2]][1]))
            elif op is _dot:
                half = len(node) // 2
                for a, b in zip(node[1 : 1 + half], node[1 + half :], strict=True):
                    self._multiply(flat, stack, c, a, b)
            else:
                scale = c / (len(node) - 1) if op is ops.mean else c
                stack += [(j, scale) for j in node[1:]]
        return flat

    def _multiply(self, flat: Flat, stack: list[tuple[int, float]], c: float, a: int, b: int) -> None:
        """One product: signs and constants taken out, then sorted by what the factors depend on."""
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
        if len(flat.pairs) > _FEW_PRODUCTS and len({c for c, _, _ in flat.pairs}) > 1:
            for c, a, b in flat.pairs:
                product = self._new(ops.multiply, a, b)
                flat.plain[product] = flat.plain.get(product, 0.0) + c
            flat.pairs = []

    def _scaled(self, c: float, p: int) -> int:
        return p if c == 1.0 else self._new(ops.negative, p) if c == -1.0 else self._new(ops.multiply, self._constant(c), p)

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

    def _same_as(self, i: int) -> int | None:
        """What a unit is a mere copy of, after its sum has been flattened."""
        flat = self._units[i]
        if flat is None or flat.constant or flat.once or flat.pairs or flat.weighted or list(flat.plain.values()) != [1.0]:
            return None
        return next(iter(flat.plain))

    def _atoms(self, i: int) -> Iterable[int]:
        flat = self._units[i]
        return flat.atoms() if flat is not None else self._sequences.get(i) or self.nodes[i][1:]

    def _groups(self, units: list[int]) -> Iterable[Instruction]:
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

    def _map(self, key: Any, members: list[tuple[int, Any]]) -> Instruction:
        op = key[1]
        operands = [operands for _, operands in members]
        if key[0] == "sequence":
            refs = self._ref([j for row in operands for j in row], (len(members), key[2]))
            assert isinstance(refs, Ref)
            return Sequence_(self._place_all([i for i, _ in members]), op, refs)
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
        plain = sorted(flat.plain, key=self.at.__getitem__)
        if len(plain) <= _FEW_TERMS:
            parts += [("add", flat.plain[j], [j]) for j in plain]
        elif len(scales := set(flat.plain.values())) == 1:
            parts.append(("total", scales.pop(), plain))
        elif self.depends[plain[0]] == ROW:
            parts.append(("product", 1.0, [self._constant(flat.plain[j]) for j in plain], plain))
        else:
            parts.append(("dot", 1.0, [self._constant(flat.plain[j]) for j in plain], plain))

    def _pair_parts(self, flat: Flat, parts: list[tuple[Any, ...]]) -> None:
        at = self.at
        pairs = sorted((at[a], at[b], c, a, b) if at[a] <= at[b] else (at[b], at[a], c, b, a) for c, a, b in flat.pairs)
        scales = {pair[2] for pair in pairs}
        if len(pairs) > _FEW_PRODUCTS and len(scales) == 1:
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

    def _sums(self, key: Any, members: list[tuple[int, Any]]) -> Iterable[Instruction]:
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

    def _sum(self, families: list[list[tuple[int, Any]]], size: int) -> Instruction:
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
