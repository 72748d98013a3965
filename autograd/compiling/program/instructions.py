"""Instructions: what programs are made of, and the memory that they work on.

Every scalar has a place in one of two memories. `once` holds what is the same for all rows: the parameters first, then constants
and what depends on these alone. `rows` holds what each row has of its own: its inputs first. A block is a run of places that one
instruction writes; an operand is a Ref, an array of places. Each place is written once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ...ops.op import Op


@dataclass(frozen=True)
class Ref:
    """An array of places in one of the memories, row by row.

    Attributes:
        once: whether they are in `once`, else in `rows`.
        shape: of the array.
        places: its entries.
    """

    once: bool
    shape: tuple[int, ...]
    places: tuple[int, ...]

    @cached_property
    def strides(self) -> tuple[int, ...] | None:
        """Where the places are start + sum of index * stride, as in a view of memory: the strides. Else None."""
        steps, inner = [], 1
        for length in reversed(self.shape):
            steps.append(self.places[inner] - self.places[0] if length > 1 else 0)
            inner *= length
        expected = [self.places[0]]
        for length, step in zip(self.shape, reversed(steps), strict=True):
            expected = [at + k * step for at in expected for k in range(length)] if length > 1 else expected
        return tuple(reversed(steps)) if tuple(expected) == self.places else None

    @cached_property
    def distinct(self) -> bool:
        """Whether no place occurs twice."""
        return len(set(self.places)) == len(self.places)

    @property
    def start(self) -> int:
        return self.places[0]

    @property
    def size(self) -> int:
        return len(self.places)

    @cached_property
    def is_block(self) -> bool:
        """Whether the places follow one another."""
        return self.places == tuple(range(self.start, self.start + self.size))

    def reshaped(self, *shape: int) -> Ref:
        return Ref(self.once, shape, self.places)


def block(once: bool, start: int, size: int) -> Ref:
    return Ref(once, (size,), tuple(range(start, start + size)))


Operand = Ref | float


@dataclass(frozen=True)
class Term:
    """One summand of a Sum, for each of its K places, times `scale`.

    Kinds, with the shapes of left and right (P families of F units each, K = P F):
        add      left                          (K)
        mul      left * right                  (K) (K)
        total    left summed over t            (K, T)
        dot      left * right summed over t    (K, T) (K, T)
        product  left @ right, left in `once`  (P or 1, F, T) (P, T): a matrix for each family, or one that all share
    """

    kind: str
    scale: float
    left: Ref
    right: Ref | None = None


@dataclass(frozen=True)
class Sum:
    """out = constant + the sum of terms."""

    out: Ref
    terms: tuple[Term, ...]
    constant: float = 0.0


@dataclass(frozen=True)
class Map:
    """out = op(operands), element by element."""

    out: Ref
    op: Op
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Reduce:
    """out = op(operand), a function of a sequence such as max, for each row of the operand (K, T)."""

    out: Ref
    op: Op
    operand: Ref


# Of the backward pass, where memory holds adjoints at the same places beside values.


@dataclass(frozen=True)
class Accumulate:
    """adjoint of target += scale * (adjoint of source) * factor. The source (K) is repeated along a second axis of the target (K, T).

    Adjoints of places in `once` sum over the rows.
    """

    target: Ref
    source: Ref
    scale: float = 1.0
    factor: Ref | None = None


@dataclass(frozen=True)
class Pull:
    """The adjoint of right in a product: adjoint of right (P, T) += scale * left^T @ (adjoint of out)."""

    target: Ref
    left: Ref
    source: Ref
    scale: float


@dataclass(frozen=True)
class Outer:
    """The adjoint of left in a product: adjoint of left (P or 1, F, T) += scale * (adjoint of out) @ right^T, summed over the rows."""

    target: Ref
    source: Ref
    right: Ref
    scale: float


@dataclass(frozen=True)
class Shares:
    """out (K, T) = e^x over the sum of e^x, for each row x of the operand (K, T) of a logsumexp: its partial derivatives."""

    out: Ref
    operand: Ref


@dataclass(frozen=True)
class Opaque:
    """outs = op.partials(result, operands) on floats one by one: for rules that cannot be recorded."""

    outs: tuple[Ref, ...]
    op: Op
    result: Ref
    operands: tuple[Operand, ...]


Forward = Sum | Map | Reduce
Instruction = Forward | Accumulate | Pull | Outer | Shares | Opaque


@dataclass
class Memory:
    """How many places there are, and what the constants among them hold."""

    once: int
    rows: int
    constants: dict[int, float] = field(default_factory=dict)

    def take(self, once: bool, count: int) -> Ref:
        """A new block."""
        if once:
            start, self.once = self.once, self.once + count
        else:
            start, self.rows = self.rows, self.rows + count
        return block(once, start, count)

    def take_constants(self, numbers: Sequence[float]) -> Ref:
        """A new block that holds constants."""
        run = self.take(True, len(numbers))
        self.constants.update(zip(run.places, numbers, strict=True))
        return run
