"""Report: what compiling made of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import ops
from ..ops.op import Op
from .program.instructions import Map, Reduce
from .program.program import Program
from .record.private_ops import peak
from .record.recording import Recording, record_partials


class Report:
    """How many recorded operations became how many instructions, and what was declined and why.

    Attributes:
        nodes: operations recorded for one row.
        instructions: how many they became.
        scalars: how many of these compute a single number.
        repaired: formulas that overflow or lose digits as they were written, replaced by forms that do not, and how many of each.
        products: how many products of matrices are left to BLAS: where there are any, the last bits of a row depend on its batch.
        declined: what could not be grouped or compiled to array operations, and why. It runs all the same, only slower.
    """

    def __init__(self, recording: Recording, program: Program, repaired: Mapping[str, int], backend: str, deterministic: bool) -> None:
        self.nodes: int = recording.size
        self.instructions: int = len(program)
        self.scalars: int = sum(instruction.out.size == 1 for instruction in program.instructions)
        self.repaired: dict[str, int] = dict(repaired)
        self.products: int = 0 if deterministic else program.products
        self.declined: list[str] = [*_frozen(recording), *_sequences(program), *_rules(program)]
        if backend == "numpy":
            self.declined += _kernels(program)

    def __str__(self) -> str:
        head = f"{self.nodes} operations for one row became {self.instructions} instructions, {self.scalars} of them on a single number"
        if self.products:
            head += f"\n{self.products} products of matrices are left to BLAS: deterministic=True gives a row the same bits in every batch"
        repairs = [f"{formula} is computed in a form that does not overflow ({count} x)" for formula, count in self.repaired.items()]
        return "\n".join([head, *(f"- {line}" for line in (*repairs, *self.declined))])

    __repr__ = __str__


def _frozen(recording: Recording) -> Iterator[str]:
    if recording.frozen:
        yield f"{recording.frozen} Values that are not among params were taken for constants, as they were when fn was recorded"


def _sequences(program: Program) -> Iterator[str]:
    for instruction in program.instructions:
        if isinstance(instruction, Reduce) and instruction.out.size > 1 and instruction.op not in (ops.logsumexp, peak):
            yield f"{instruction.op.name} of {instruction.out.size} sequences: computed together, but differentiated one by one"


def _rules(program: Program) -> Iterator[str]:
    """Rules of the user's own that cannot be recorded."""
    seen: set[tuple[Op, int]] = set()
    for instruction in program.instructions:
        if isinstance(instruction, (Map, Reduce)) and instruction.op.name not in ops.builtin:
            count = len(instruction.operands) if isinstance(instruction, Map) else instruction.operand.shape[1]
            if (instruction.op, count) not in seen:
                seen.add((instruction.op, count))
                try:
                    record_partials(instruction.op, [None] * count)
                except Exception as error:
                    why = str(error).partition("\n")[0]
                    yield f"the partials of {instruction.op.name} are computed on floats, one by one: {type(error).__name__}: {why}"


def _kernels(program: Program) -> Iterator[str]:
    """Ops that NumPy has no function for."""
    from .backends.numpy.kernels import is_vectorised

    for op in dict.fromkeys(instruction.op for instruction in program.instructions if isinstance(instruction, (Map, Reduce))):
        if not is_vectorised(op):
            yield f"{op.name} is computed on floats, one by one: NumPy has no such function"
