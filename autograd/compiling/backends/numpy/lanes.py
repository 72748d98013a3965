"""Lanes: a number of several rows at once, as an array; and rows replayed together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from ....numbers.local import local
from ....numbers.number import Number
from ....ops.op import Op
from ....ops.zeros import ZERO
from ...record.gated import Gated
from ...record.replay import Replay
from .kernels import kernel_of, sequence_kernel_of, ufunc_of

Array = NDArray[Any]
TOGETHER: Final = 4096  # rows that are replayed at once


@final
class Lanes(Number):
    """The numbers of some rows, in an array (n)."""

    __slots__ = ("array",)
    _rank: ClassVar[int] = 2

    def __init__(self, array: Array) -> None:
        self.array = array

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Lanes:
        columns = _columns(operands)
        out = np.empty(columns[0].shape)
        if op.arity is None:
            sequence_kernel_of(op)(np.stack(columns)[None], out[None])
        elif (ufunc := ufunc_of(op)) is not None:
            getattr(np, ufunc)(*columns, out=out)
        else:
            kernel_of(op)(*columns, out)
        return cls(out)

    def _when(self, derivative: Any) -> Gated:
        return Gated(self, derivative)

    def _real(self) -> float:
        raise TypeError("the numbers of several rows have no single value")


    def partials_each(self, op: Op, x: Sequence[Any]) -> list[Gated]:
        """The rule of an op with this result run on floats, one row after another; a partial may be a structural zero in some rows."""
        rows = zip(*(column.tolist() for column in _columns([self, *x])), strict=True)
        each = zip(*(local(op, *row) for row in rows), strict=True)
        return [Gated(Lanes(np.array([float(d is not ZERO) for d in column])), Lanes(np.array(column, dtype=float))) for column in each]


def _columns(numbers: Sequence[Any]) -> list[Array]:
    """Numbers as arrays of one length."""
    length = next(len(x.array) for x in numbers if type(x) is Lanes)
    return [x.array if type(x) is Lanes else np.full(length, x) for x in numbers]


# Rows replayed --------------------------------------------------------------------------------------------------------------


def mend_values(replay: Replay, params: Array, rows: Array, out: Array) -> None:
    """Replace the results (n, k) of rows in doubt."""
    if any(replay.doubtful):
        sure = np.isfinite(out) & ((out != 0.0) | ~np.array(replay.doubtful))
    elif all_finite(out):
        return
    else:
        sure = np.isfinite(out)
    _mend(out, sure, rows, lambda lanes: replay.values(params.tolist(), lanes))


def mend_input_grads(replay: Replay, params: Array, rows: Array, out: Array) -> None:
    """Replace the derivatives (n, n_inputs) of rows in doubt."""
    if not all_finite(out):
        _mend(out, np.isfinite(out), rows, lambda lanes: replay.gradient(params.tolist(), lanes, 1.0)[2])


def all_finite(out: Array) -> bool:
    """Whether there is no nan and no infinity in an array: there may be none where their sum is finite."""
    return math.isfinite(np.add.reduce(out, axis=None)) or bool(np.isfinite(out).all())


def _mend(out: Array, sure: Array, rows: Array, compute: Callable[[list[Lanes]], list[Any]]) -> None:
    doubtful = np.flatnonzero(~sure.all(axis=1))
    if len(doubtful) % TOGETHER == 1:
        doubtful = np.append(doubtful, doubtful[-1])  # no row is left alone: NumPy adds up along an axis of length 1 in another order
    for chosen, lanes in _rows(doubtful, rows):
        for k, x in enumerate(compute(lanes)):
            out[chosen, k] = x.array if type(x) is Lanes else x


def value_and_grad(replay: Replay, params: Array, rows: Array, seed: float) -> tuple[float, Array]:
    """The sum of seed * result over the rows, and its gradient in the parameters."""
    total, grads = 0.0, np.zeros(len(params))
    for chosen, lanes in _rows(np.arange(len(rows)), rows):
        value, shares, _ = replay.gradient(params.tolist(), lanes, seed)
        total += _sum(value, len(chosen))
        grads += [_sum(share, len(chosen)) for share in shares]
    return seed * total, grads


def _rows(chosen: Array, rows: Array) -> Iterator[tuple[Array, list[Lanes]]]:
    """The chosen rows, some at a time, as Lanes."""
    for start in range(0, len(chosen), TOGETHER):
        some = chosen[start : start + TOGETHER]
        yield some, [Lanes(column) for column in rows[some].T.copy()]


def _sum(x: Any, count: int) -> float:
    return float(np.add.reduce(x.array)) if type(x) is Lanes else x * count
