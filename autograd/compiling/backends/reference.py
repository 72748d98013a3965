"""The reference backend: the program read out loud, one row after another, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...numbers.local import local
from ...ops import ieee
from ..passes.adjoint import Backward
from ..program.instructions import Accumulate, Instruction, Map, Memory, Opaque, Operand, Outer, Pull, Reduce, Ref, Shares, Sum, Term
from ..program.program import Program
from ..record.layout import Layout, as_rows
from ..record.replay import Replay


class Machine:
    """Values and adjoints of all places, for one row at a time."""

    def __init__(self, memory: Memory) -> None:
        self.once = [0.0] * memory.once
        self.rows = [0.0] * memory.rows
        self.once_adjoint = [0.0] * memory.once
        self.rows_adjoint = [0.0] * memory.rows
        for place, x in memory.constants.items():
            self.once[place] = x

    def run(self, instructions: Iterable[Instruction]) -> None:
        for instruction in instructions:
            getattr(self, f"_{type(instruction).__name__.lower()}")(instruction)

    def get(self, x: Operand | None) -> list[float]:
        if x is None:
            return [1.0]
        if not isinstance(x, Ref):
            return [x]
        memory = self.once if x.once else self.rows
        return [memory[place] for place in x.places]

    def adjoints(self, ref: Ref) -> list[float]:
        memory = self.once_adjoint if ref.once else self.rows_adjoint
        return [memory[place] for place in ref.places]

    def _put(self, out: Ref, numbers: Sequence[float]) -> None:
        memory = self.once if out.once else self.rows
        for place, x in zip(out.places, numbers, strict=True):
            memory[place] = x

    def _add(self, target: Ref, numbers: Sequence[float]) -> None:
        memory = self.once_adjoint if target.once else self.rows_adjoint
        for place, x in zip(target.places, numbers, strict=True):
            memory[place] += x

    # Forward

    def _sum(self, s: Sum) -> None:
        total = [s.constant or -0.0] * s.out.size  # -0 is what changes nothing
        for term in s.terms:
            total = [a + term.scale * b for a, b in zip(total, self._term(term), strict=True)]
        self._put(s.out, total)

    def _term(self, term: Term) -> list[float]:
        left, right = self.get(term.left), self.get(term.right)
        if term.kind == "add":
            return left
        if term.kind == "mul":
            return [a * b for a, b in zip(left, right, strict=True)]
        assert term.left is not None
        if term.kind == "total":
            return [sum(row, -0.0) for row in _split(left, term.left.shape[1])]
        if term.kind == "dot":
            length = term.left.shape[1]
            return [_dot(a, b) for a, b in zip(_split(left, length), _split(right, length), strict=True)]
        assert term.right is not None
        return [_dot(w, x) for w, x in _families(left, term.left.shape, right)]

    def _map(self, m: Map) -> None:
        columns = [self.get(x) * (m.out.size if not isinstance(x, Ref) else 1) for x in m.operands]
        self._put(m.out, [m.op.forward(*x) for x in zip(*columns, strict=True)])

    def _reduce(self, s: Reduce) -> None:
        self._put(s.out, [s.op.forward(*row) for row in _split(self.get(s.operand), s.operand.shape[1])])

    # Backward

    def _accumulate(self, a: Accumulate) -> None:
        repeat = a.target.size // a.source.size
        source = [g for g in self.adjoints(a.source) for _ in range(repeat)]
        factor = self.get(a.factor) * (a.target.size if a.factor is None else 1)
        self._add(a.target, [a.scale * g * f for g, f in zip(source, factor, strict=True)])

    def _pull(self, p: Pull) -> None:
        length = p.left.shape[2]
        weights = self.get(p.left)
        shares = p.source.shape[0] * length * [0.0]
        for unit, g in enumerate(self.adjoints(p.source)):
            family = unit // p.source.shape[1]
            for t in range(length):
                w = weights[(unit * length + t) % len(weights)]
                shares[family * length + t] += p.scale * g * w
        self._add(p.target, shares)

    def _outer(self, o: Outer) -> None:
        length = o.right.shape[1]
        right = self.get(o.right)
        shares = o.target.size * [0.0]
        for unit, g in enumerate(self.adjoints(o.source)):
            family = unit // o.source.shape[1]
            for t in range(length):
                shares[(unit * length + t) % len(shares)] += o.scale * g * right[family * length + t]
        self._add(o.target, shares)

    def _shares(self, s: Shares) -> None:
        self._put(s.out, [share for row in _split(self.get(s.operand), s.operand.shape[1]) for share in ieee.shares(*row)])

    def _opaque(self, o: Opaque) -> None:
        columns = [self.get(x) * (o.result.size if not isinstance(x, Ref) else 1) for x in (o.result, *o.operands)]
        partials = [local(o.op, *x) for x in zip(*columns, strict=True)]
        for out, numbers in zip(o.outs, zip(*partials, strict=True), strict=True):
            self._put(out, [float(x) for x in numbers])


def _split(numbers: Sequence[float], length: int) -> list[Sequence[float]]:
    return [numbers[k : k + length] for k in range(0, len(numbers), length)]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum([x * y for x, y in zip(a, b, strict=True)], -0.0)


def _families(left: list[float], shape: tuple[int, ...], right: list[float]) -> list[tuple[Sequence[float], Sequence[float]]]:
    """For each unit its weights and what they are multiplied with."""
    families, size, length = shape
    rows = _split(right, length)
    weights = _split(left, length)
    return [(weights[(p * size + f) % (families * size)], x) for p, x in enumerate(rows) for f in range(size)]


class Reference:
    """Runs a program on lists of floats, and row by row: it is always deterministic."""

    name = "reference"

    def __init__(self, program: Program, backward_of: Any, replay: Replay, deterministic: bool = True) -> None:
        self._program = program
        self._backward_of = backward_of
        self._replay = replay

    def params(self, layout: Layout, tree: Any) -> list[float]:
        return layout.numbers(tree)

    def rows(self, layout: Layout, rows: Any) -> list[list[float]]:
        return [layout.numbers(row) for row in as_rows(rows)]

    def one(self, params: Sequence[float], row: Sequence[float]) -> tuple[list[float], list[list[float]]]:
        """Parameters and one row from plain floats."""
        return list(params), [list(row)]

    def rebuilt(self, layout: Layout, like: Any, numbers: list[float]) -> Any:
        return layout.rebuilt(numbers, like)

    def _machine(self, params: Sequence[float], memory: Memory) -> Machine:
        machine = Machine(memory)
        machine.once[: self._program.n_params] = params
        machine.run(self._program.once)
        return machine

    def values(self, params: Sequence[float], rows: Sequence[Sequence[float]]) -> Any:
        """The result for each row."""
        machine = self._machine(params, self._program.memory)
        results = []
        for row in rows:
            machine.rows[: self._program.n_inputs] = row
            machine.run(self._program.rows)
            found = [x for ref in self._program.results for x in machine.get(ref)]
            results.append(self._replay.values(params, row) if self._replay.in_doubt(found) else found)
        if not self._program.several:
            return _array([x for (x,) in results], len(rows))
        return _array(results, len(rows), len(self._program.results))

    def value_and_grad(self, params: Sequence[float], rows: Sequence[Sequence[float]], seed: float) -> tuple[float, list[float]]:
        """The sum of seed * result over the rows, and its gradient in the parameters."""
        memory, steps = self._backward_of(False)
        machine = self._machine(params, memory)
        total = 0.0
        for row in rows:
            total += seed * self._row(machine, row, steps, seed)
        machine.run(steps.once)
        grads = machine.once_adjoint[: self._program.n_params]
        return (total, grads) if all(map(math.isfinite, (total, *grads))) else self._replayed(params, rows, seed)

    def _replayed(self, params: Sequence[float], rows: Sequence[Sequence[float]], seed: float) -> tuple[float, list[float]]:
        total, grads = 0.0, [0.0] * len(params)
        for row in rows:
            value, shares, _ = self._replay.gradient(params, row, seed)
            total += seed * value
            grads = [a + b for a, b in zip(grads, shares, strict=True)]
        return total, grads

    def input_grads(self, params: Sequence[float], rows: Sequence[Sequence[float]]) -> Any:
        """The gradient of each result in its row."""
        memory, steps = self._backward_of(True)
        machine = self._machine(params, memory)
        grads = []
        for row in rows:
            result = self._row(machine, row, steps, 1.0)
            found = machine.rows_adjoint[: self._program.n_inputs]
            grads.append(found if all(map(math.isfinite, (result, *found))) else self._replay.gradient(params, row, 1.0)[2])
        return _array(grads, len(rows), self._program.n_inputs)

    def _row(self, machine: Machine, row: Sequence[float], steps: Backward, seed: float) -> float:
        machine.rows[: self._program.n_inputs] = row
        machine.rows_adjoint = [0.0] * len(machine.rows_adjoint)
        machine.run(self._program.rows)
        machine._add(self._program.result, [seed])
        machine.run(steps.rows)
        return machine.get(self._program.result)[0]


def _array(numbers: list[Any], *shape: int) -> Any:
    """The numbers as an array where NumPy is installed, else as they are."""
    try:
        import numpy as np
    except ImportError:
        return numbers
    return np.array(numbers, dtype=float).reshape(shape)
