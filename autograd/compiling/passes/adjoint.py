"""Adjoint: the backward pass of a program, instruction by instruction.

Sums have adjoints of their own kinds. Functions are differentiated by the rule of their Op: `op.partials` runs on recorded
numbers, and what it did becomes instructions. A rule that cannot be recorded is run on floats, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ... import ops
from ...ops.op import Op
from ...ops.zeros import ZERO
from ..program.instructions import (
    Accumulate,
    Forward,
    Instruction,
    Map,
    Memory,
    Opaque,
    Operand,
    Outer,
    Pull,
    Reduce,
    Ref,
    Shares,
    Sum,
    Term,
    block,
)
from ..program.program import Program
from ..record.recording import record_partials
from ..record.tape import CONST, INPUT, Tape
from .recover import Recovery
from .simplify import simplified


@dataclass
class Backward:
    """The instructions that come after a program's own.

    Attributes:
        rows: for each row, after the program's rows.
        once: after all rows, when the adjoints of `once` have been summed over them.
        opaque: the names of ops whose rule could not be recorded.
    """

    rows: list[Instruction] = field(default_factory=list)
    once: list[Instruction] = field(default_factory=list)
    opaque: set[str] = field(default_factory=set)


def backward(program: Program, memory: Memory, *, inputs: bool) -> Backward:
    """The backward pass of `program` to its parameters, or to its inputs.

    Args:
        memory: where room for partial derivatives is taken from.
    """
    wanted = set(range(program.n_inputs if inputs else program.n_params))
    active: dict[bool, set[int]] = {True: set() if inputs else wanted, False: wanted if inputs else set()}
    for instruction in program.instructions:
        _spread(instruction, active)
    result = Backward()
    differentiation = _Differentiation(memory, active, result.opaque)
    for instructions, steps in ((program.rows, result.rows), (program.once, result.once)):
        for instruction in reversed(instructions):
            if instruction.out.start in active[instruction.out.once]:
                steps += differentiation.steps(instruction)
    return result


def _spread(instruction: Forward, active: dict[bool, set[int]]) -> None:
    """What an instruction writes is active if anything it reads is."""
    if any(not active[ref.once].isdisjoint(ref.places) for ref in reads(instruction)):
        active[instruction.out.once].update(instruction.out.places)


def reads(instruction: Instruction) -> Iterator[Ref]:
    """The operands of an instruction of a program."""
    if isinstance(instruction, Sum):
        for term in instruction.terms:
            yield term.left
            if term.right is not None:
                yield term.right
    elif isinstance(instruction, Map):
        yield from (x for x in instruction.operands if isinstance(x, Ref))
    elif isinstance(instruction, Reduce):
        yield instruction.operand


class _Differentiation:
    """The backward steps of one instruction."""

    def __init__(self, memory: Memory, active: dict[bool, set[int]], opaque: set[str]) -> None:
        self.memory, self.active, self.opaque = memory, active, opaque
        self._rules: dict[Any, tuple[Tape, list[int]] | None] = {}  # what has been recorded already

    def steps(self, instruction: Forward) -> list[Instruction]:
        if isinstance(instruction, Sum):
            return [step for term in instruction.terms for step in self._term(term, instruction.out)]
        if isinstance(instruction, Map):
            return self._map(instruction)
        return self._sequence(instruction)

    def _is_active(self, ref: Operand | None) -> bool:
        return isinstance(ref, Ref) and not self.active[ref.once].isdisjoint(ref.places)

    def _rule(self, op: Op, known: list[float | None], wanted: Sequence[int]) -> tuple[Tape, list[int]] | None:
        """The simplified tape of the wanted partials of an op, and their places; None if its rule cannot be recorded."""
        key = op, tuple(map(repr, known)), tuple(wanted)
        if key not in self._rules:
            try:
                tape, partials = record_partials(op, known)
                self._rules[key] = simplified(tape, [partials[j] for j in wanted])
            except Exception:  # a rule of the user's own may do anything
                self._rules[key] = None
        return self._rules[key]

    # Sums

    def _term(self, term: Term, out: Ref) -> Iterator[Instruction]:
        left, right, scale = term.left, term.right, term.scale
        if term.kind == "product" and right is not None:
            families, size = right.shape[0], len(out.places) // right.shape[0]
            source = out.reshaped(families, size)
            if self._is_active(left):
                yield Outer(left, source, right, scale)
            if self._is_active(right):
                yield Pull(right, left, source, scale)
            return
        if self._is_active(left):
            yield Accumulate(left, out, scale, right)
        if right is not None and self._is_active(right):
            yield Accumulate(right, out, scale, left)

    # Functions of numbers

    def _map(self, instruction: Map) -> list[Instruction]:
        out, op = instruction.out, instruction.op
        known = [None if isinstance(x, Ref) else x for x in instruction.operands]
        wanted = [j for j, x in enumerate(instruction.operands) if self._is_active(x)]
        rule = self._rule(op, known, wanted)
        if rule is None:
            return self._opaque(op, out, instruction.operands)
        tape, places = rule
        steps: list[Instruction] = []
        at = self._on_blocks(tape, [*instruction.operands, out], out, steps)
        for j, place in zip(wanted, places, strict=True):
            target, partial = instruction.operands[j], at[place]
            assert isinstance(target, Ref)
            if isinstance(partial, Ref):
                steps.append(Accumulate(target, out, 1.0, partial))
            elif partial is not ZERO:
                steps.append(Accumulate(target, out, partial))
        return steps

    def _on_blocks(self, tape: Tape, inputs: Sequence[Operand], out: Ref, steps: list[Instruction]) -> list[Operand]:
        """Each node of the tape as a Map over whole blocks, or as what it stands for."""
        at: list[Operand] = []
        for node in tape.nodes:
            if node[0] is CONST:
                at.append(node[1])
            elif node[0] is INPUT:
                at.append(inputs[node[1]])
            elif node[0].arity is None:
                steps_in, place = self._sequence_on_blocks(node[0], [at[j] for j in node[1:]], out)
                steps += steps_in
                at.append(place)
            else:
                partial = self.memory.take(out.once, out.size)
                steps.append(Map(partial, node[0], tuple([at[j] for j in node[1:]])))
                at.append(partial)
        return at

    def _sequence_on_blocks(self, op: Op, operands: list[Operand], out: Ref) -> tuple[list[Instruction], Ref]:
        """A function of a sequence inside a rule for numbers: operands copied to blocks, so that all are places of rows."""
        steps: list[Instruction] = []
        columns = []
        for x in operands:
            column = self.memory.take(out.once, out.size)
            steps.append(Map(column, ops.positive, (x,)))
            columns.append(column.places)
        places = tuple([place for row in zip(*columns, strict=True) for place in row])
        result = self.memory.take(out.once, out.size)
        steps.append(Reduce(result, op, Ref(out.once, (out.size, len(operands)), places)))
        return steps, result

    def _opaque(self, op: Op, out: Ref, operands: tuple[Operand, ...]) -> list[Instruction]:
        self.opaque.add(op.name)
        partials = tuple([self.memory.take(out.once, out.size) for _ in operands])
        steps: list[Instruction] = [Opaque(partials, op, out, operands)]
        for target, partial in zip(operands, partials, strict=True):
            if self._is_active(target):
                assert isinstance(target, Ref)
                steps.append(Accumulate(target, out, 1.0, partial))
        return steps

    # Functions of sequences

    def _sequence(self, instruction: Reduce) -> list[Instruction]:
        """Each row of the operand by itself: the rule's operations on the elements of the sequence are grouped like any others."""
        if instruction.op is ops.logsumexp:
            return self._logsumexp(instruction)
        op, out, length = instruction.op, instruction.out, instruction.operand.shape[1]
        rule = self._rule(op, [None] * length, range(length))
        if rule is None:
            return self._opaque_sequence(instruction)
        tape, roots = rule
        if all(tape.value(root) is ZERO for root in roots):
            return []
        steps: list[Instruction] = []
        for k, place in enumerate(out.places):
            row = Ref(out.once, (length,), instruction.operand.places[k * length : (k + 1) * length])
            if self._is_active(row):
                steps += self._of_row(tape, roots, row, block(out.once, place, 1))
        return steps

    def _of_row(self, tape: Tape, roots: list[int], row: Ref, out: Ref) -> list[Instruction]:
        places = (*row.places, *out.places)
        leaves = {i: (out.once, places[node[1]]) for i, node in enumerate(tape.nodes) if node[0] is INPUT}
        copy = Tape()
        for node in tape.nodes:
            copy.constant(node[1]) if node[0] is CONST else copy.put(node)
        recovery = Recovery(copy, roots, leaves, self.memory)
        steps: list[Instruction] = [*recovery.once, *recovery.rows]
        factor = Ref(out.once, (1, row.size), tuple([ref.start for ref in recovery.roots]))
        if len({ref.once for ref in recovery.roots}) > 1 or recovery.roots[0].once != out.once:  # constants among them
            copies = self.memory.take(out.once, row.size)
            for place, ref in zip(copies.places, recovery.roots, strict=True):
                steps.append(Map(block(out.once, place, 1), ops.positive, (ref,)))
            factor = copies.reshaped(1, row.size)
        steps.append(Accumulate(row.reshaped(1, row.size), out, 1.0, factor))
        return steps

    def _logsumexp(self, instruction: Reduce) -> list[Instruction]:
        """Its rule in one instruction: the exponentials are there already."""
        operand = instruction.operand
        shares = self.memory.take(operand.once, operand.size).reshaped(*operand.shape)
        return [Shares(shares, operand), Accumulate(operand, instruction.out, 1.0, shares)]

    def _opaque_sequence(self, instruction: Reduce) -> list[Instruction]:
        out, length = instruction.out, instruction.operand.shape[1]
        steps: list[Instruction] = []
        for k, place in enumerate(out.places):
            row = instruction.operand.places[k * length : (k + 1) * length]
            operands = tuple([block(out.once, j, 1) for j in row])
            steps += self._opaque(instruction.op, block(out.once, place, 1), operands)
        return steps

