"""Writer: a program and its backward pass as the source of a Python function that calls NumPy."""

from __future__ import annotations

from typing import Any

from ...passes.adjoint import Backward, reads
from ...program.instructions import Accumulate, Instruction, Memory, Opaque, Outer, Pull, Ref
from ...program.program import Program
from .adjoints import Adjoints


class Writer(Adjoints):
    """Writes the source of one pass.

    Args:
        deterministic: whether all is added up in one order, whatever the number of rows and threads, which BLAS does not promise.
    """

    def __init__(self, program: Program, memory: Memory, steps: Backward | None, deterministic: bool) -> None:
        super().__init__(program, memory, deterministic, direct=not deterministic and _reads_inputs_directly(program, steps))
        self.steps = steps
        self._write_all()
        self.adjoint_rows = sum(self._written[False])

    def _write_all(self) -> None:
        program, steps = self.program, self.steps
        for instruction in program.once:
            self._write(instruction)
        self.part = "run"
        if not self._direct and program.n_inputs:
            self._line(f"{self._name('x', 'inputs', f'rows[:{program.n_inputs}]')}[...] = x")
        for instruction in program.rows:
            self._write(instruction)
        if steps is None:
            return
        self._seed()
        for step in steps.rows:
            self._write(step)
        self.part = "after"
        for step in steps.once:
            self._write(step)

    def _seed(self) -> None:
        result = self.program.result
        memory = "d_once" if result.once else "d_rows"
        self._line(f"{memory}[{result.start}] = seed{' * n' if result.once else ''}")
        self._written[result.once][result.start] = 1

    def _write(self, instruction: Instruction) -> None:
        getattr(self, f"_{type(instruction).__name__.lower()}")(instruction)


def _reads_inputs_directly(program: Program, steps: Backward | None) -> bool:
    """Whether all that is read of the inputs are slices, so that the rows need not be copied."""
    n = program.n_inputs
    if any(not result.once and result.start < n for result in program.results):
        return False
    instructions = [*program.rows, *(steps.rows if steps else ())]
    for instruction in instructions:
        for ref in (*reads(instruction), *_reads_backward(instruction)):
            if not ref.once and min(ref.places) < n:
                line = ref.reshaped(ref.size)
                if max(ref.places) >= n or line.strides is None or (line.size > 1 and line.strides[0] <= 0):
                    return False
                if len(ref.shape) > 1 and ref.shape[0] > 1:
                    return False
    return True


def _reads_backward(instruction: Any) -> list[Ref]:
    """The values that a backward step reads."""
    if isinstance(instruction, Accumulate):
        return [instruction.factor] if instruction.factor is not None else []
    if isinstance(instruction, Outer):
        return [instruction.right]
    if isinstance(instruction, Pull):
        return [instruction.left]
    if isinstance(instruction, Opaque):
        return [x for x in (instruction.result, *instruction.operands) if isinstance(x, Ref)]
    return []
