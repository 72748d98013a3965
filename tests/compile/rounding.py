"""How far roundings may move what a program computes, whatever the order in which it adds up: to first order, derived, not guessed.

A sum of N products is off by at most N u times the sum of their sizes, in any order and with or without fused multiply-add, where
u = 2^-53 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). A function passes on what its operands are off,
times its derivatives, and adds ULPS units in the last place of its own. The program read out loud on such numbers gives the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import ops
from autograd.compiling.backends.reference import Machine
from autograd.compiling.compiled import Compiled
from autograd.compiling.program.instructions import Map, Opaque, Reduce, Shares
from autograd.numbers.local import local
from autograd.ops.op import Op

U = 2.0**-53
ULPS = 4  # of a kernel


class Rounded:
    """A float, and how far another computation of it may be off.

    Attributes:
        carried: what its operands bring along.
        size, roundings: of the sum that it is: the sum of the sizes of its terms, and how many roundings each may have gone through.
    """

    __slots__ = ("carried", "roundings", "size", "x")

    def __init__(self, x: float, carried: float, size: float, roundings: int) -> None:
        self.x, self.carried, self.size, self.roundings = x, carried, size, roundings

    @property
    def off(self) -> float:
        return self.carried + self.roundings * U * self.size

    def __add__(self, other: Any) -> Rounded:
        a, b = self, _rounded(other)
        return Rounded(a.x + b.x, a.carried + b.carried, a.size + b.size, a.roundings + b.roundings + 1)

    def __mul__(self, other: Any) -> Rounded:
        a, b = self, _rounded(other)
        return Rounded(a.x * b.x, abs(a.x) * b.off + abs(b.x) * a.off, abs(a.x * b.x), 1)

    __radd__, __rmul__ = __add__, __mul__


def _rounded(x: Any) -> Rounded:
    return x if isinstance(x, Rounded) else Rounded(x, 0.0, abs(x), 0)


class Rounding(Machine):
    """Computes with Rounded numbers."""

    def get(self, x: Any) -> list[Any]:
        return [_rounded(v) for v in super().get(x)]

    def adjoints(self, ref: Any) -> list[Any]:
        return [_rounded(v) for v in super().adjoints(ref)]

    def _map(self, m: Map) -> None:
        columns = [self.get(x) * (m.out.size if isinstance(x, float) else 1) for x in m.operands]
        self._put(m.out, [_function(m.op, x, 1) for x in zip(*columns, strict=True)])

    def _reduce(self, s: Reduce) -> None:
        numbers, length = self.get(s.operand), s.operand.shape[1]
        self._put(s.out, [_function(s.op, numbers[k : k + length], length) for k in range(0, len(numbers), length)])

    def _shares(self, s: Shares) -> None:
        numbers, length = self.get(s.operand), s.operand.shape[1]
        rows = [numbers[k : k + length] for k in range(0, len(numbers), length)]
        self._put(s.out, [_function(ops.table["softmax"], [x, *row[:i], *row[i + 1 :]], length) for row in rows for i, x in enumerate(row)])

    def _opaque(self, o: Opaque) -> None:
        raise NotImplementedError("a rule of the user's own is not differentiated again")


def _function(op: Op, operands: Sequence[Rounded], terms: int) -> Rounded:
    """An op of so many terms, added up inside in any order."""
    numbers = [v.x for v in operands]
    y = op.forward(*numbers)
    slopes = [abs(float(d)) for d in local(op, y, *numbers)]
    carried = sum(d * v.off for d, v in zip(slopes, operands, strict=True) if v.off)
    inside = sum(d * abs(v.x) for d, v in zip(slopes, operands, strict=True)) if terms > 1 else 0.0
    return Rounded(y, carried + U * terms * inside, abs(y), 2 * ULPS)


def bounds(f: Compiled, params: Sequence[float], row: Sequence[float]) -> tuple[list[float], list[float] | None]:
    """How far two computations of a row may differ in its values, and in its input gradient: None if there are several values,
    or a rule that cannot be recorded."""
    program = f.program
    memory, steps = f._machine._backward_of(True)
    machine = Rounding(memory)
    machine.once[: program.n_params] = params
    machine.run(program.once)
    machine.rows[: program.n_inputs] = row
    machine.run(program.rows)
    values = [2.0 * x.off for ref in program.results for x in machine.get(ref)]
    if program.several or steps.opaque:
        return values, None
    machine._add(program.result, [1.0])
    machine.run(steps.rows)
    return values, [2.0 * _rounded(g).off for g in machine.rows_adjoint[: program.n_inputs]]
