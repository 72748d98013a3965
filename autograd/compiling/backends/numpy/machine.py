"""The NumPy backend: a program written out as straight-line NumPy code on preallocated arrays.

For each pass (values, gradient in the parameters, gradient in the inputs) one script is generated. It is executed once for each number
of rows, which makes the views that its functions need; these run without allocating. Rows lie along the last axis, so that a block is
contiguous; many rows are done in chunks whose temporaries stay in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ....support.plain import is_array
from ...passes.adjoint import Backward
from ...program.instructions import Memory
from ...program.program import Program
from ...record.layout import Layout, as_rows
from ...record.replay import Replay
from .lanes import all_finite, mend_input_grads, mend_values, value_and_grad
from .vectors import flat, numeric, unflat
from .writer import Writer

Array = NDArray[Any]
CACHE: Final = 1 << 21  # bytes that the values of a chunk should fit in
SHORTEST, LONGEST = 1024, 16384  # rows of a chunk
_SIZES = 8  # numbers of rows for which a workspace keeps its views


class NumPy:
    """Runs a program on arrays."""

    name = "numpy"

    def __init__(self, program: Program, backward_of: Any, replay: Replay, deterministic: bool) -> None:
        self._program, self._deterministic = program, deterministic
        self._backward_of = backward_of
        self._replay = replay
        self._passes: dict[str, Pass] = {}

    def _pass(self, kind: str) -> Pass:
        known = self._passes.get(kind)
        if known is None:
            memory, steps = (self._program.memory, None) if kind == "values" else self._backward_of(kind == "input_grads")
            known = self._passes[kind] = Pass(self._program, memory, steps, self._deterministic)
        return known

    # Numbers in and out

    def params(self, layout: Layout, tree: Any) -> Array:
        if type(tree) is np.ndarray and tree.ndim == 1 and tree.dtype == np.float64 and len(tree) == layout.size and layout.is_flat:
            return in_order(tree)
        return flat(layout, tree)

    def rows(self, layout: Layout, rows: Any) -> Array:
        """The rows as an array (n, n_inputs) of floats."""
        shape = layout.shape
        array = numeric(rows) if shape is not None else None
        if array is not None and shape is not None:
            if array.ndim == len(shape) + 1 and array.shape[1:] == shape:
                return in_order(array).reshape(len(array), layout.size)
            if array.shape == (0,):
                return array.reshape(0, layout.size)
            if is_array(rows):
                raise ValueError(f"rows must have the shape (n, {', '.join(map(str, shape))}) (got an array of shape {array.shape})")
        numbers = [layout.numbers(row) for row in as_rows(rows)]
        return np.array(numbers, dtype=float).reshape(len(numbers), layout.size)

    def one(self, params: Sequence[float], row: Sequence[float]) -> tuple[Array, Array]:
        """Parameters and one row from plain floats."""
        return np.array(params, dtype=float), np.array([row], dtype=float)

    def rebuilt(self, layout: Layout, like: Any, numbers: Array) -> Any:
        if isinstance(like, np.ndarray) and layout.is_flat:
            return numbers.reshape(like.shape)
        return unflat(like, numbers)

    # Passes

    @np.errstate(all="ignore")
    def values(self, params: Array, rows: Array) -> Array:
        """The result for each row."""
        out = self._pass("values").values(params, rows)
        mend_values(self._replay, params, rows, out)
        return out if self._program.several else out[:, 0]

    @np.errstate(all="ignore")
    def value_and_grad(self, params: Array, rows: Array, seed: float) -> tuple[float, Array]:
        """The sum of seed * result over the rows, and its gradient in the parameters."""
        total, grads = self._pass("grads").value_and_grad(params, rows, seed)
        if math.isfinite(total) and all_finite(grads):
            return total, grads
        return value_and_grad(self._replay, params, rows, seed)

    @np.errstate(all="ignore")
    def input_grads(self, params: Array, rows: Array) -> Array:
        """The gradient of each result in its row."""
        out = self._pass("input_grads").input_grads(params, rows)
        mend_input_grads(self._replay, params, rows, out)
        return out

    def source(self, kind: str = "grads") -> str:
        """The generated code of a pass: "values", "grads" or "input_grads"."""
        return self._pass(kind).code.source


class Code:
    """The generated source of a pass, and what it needs."""

    def __init__(self, program: Program, memory: Memory, steps: Backward | None, deterministic: bool) -> None:
        self.results, self.memory, self.goes_back = program.results, memory, steps is not None
        writer = Writer(program, memory, steps, deterministic)
        self.source, self.constants, self.copied = writer.source(), writer.constants, writer.copied()
        self.script = compile(self.source, f"<compiled program of {len(program)} instructions>", "exec")
        self.chunk = chunk_for(memory.rows + (writer.adjoint_rows if steps else 0))


class Pass:
    """Code, and the workspaces that it runs in."""

    def __init__(self, program: Program, memory: Memory, steps: Backward | None, deterministic: bool) -> None:
        self.program, self.code = program, Code(program, memory, steps, deterministic)
        self.chunk, self._deterministic = self.code.chunk, deterministic
        self._idle: list[Workspace] = []

    def _workspace(self) -> Workspace:
        """A workspace that nobody else uses: threads and calls within calls have their own."""
        try:
            return self._idle.pop()
        except IndexError:
            return Workspace(self.code)

    def _paired(self, rows: Array) -> Array:
        """A row alone as two: an axis of length 1 is none to NumPy, whose loops then go another way and add up in another order."""
        return np.concatenate((rows, rows)) if self._deterministic and len(rows) == 1 else rows

    def values(self, params: Array, rows: Array) -> Array:
        count, rows = len(rows), self._paired(rows)
        out = np.empty((len(rows), len(self.program.results)))
        work = self._workspace()
        work.start(params)
        for part, bound in self._chunks(work, params, rows, 0.0):
            for k, result in enumerate(bound.results):
                out[part, k] = result
        self._idle.append(work)
        return out[:count]

    def value_and_grad(self, params: Array, rows: Array, seed: float) -> tuple[float, Array]:
        count, rows = len(rows), self._paired(rows)
        if not count:
            return 0.0, np.zeros(self.program.n_params)
        work = self._workspace()
        work.start(params)
        if count <= self.chunk:
            bound = work.bound(len(rows))
            bound.run(params, rows.T, seed * (count / len(rows)))
            value = bound.total(count)
        else:
            bound, value = self._summed(work, params, rows, seed)
        bound.after()
        grads = work.d_once[: self.program.n_params] + 0.0  # zeros are +0, as those of sums that begin at 0
        self._idle.append(work)
        return float(seed * value), grads

    def _chunks(self, work: Workspace, params: Array, rows: Array, seed: float) -> Iterator[tuple[slice, Bound]]:
        """Run the code on one part of the rows after another: which rows, and what holds their results."""
        lo, count = 0, len(rows)
        while lo < count:
            hi = min(lo + self.chunk, count)
            hi -= count - hi == 1  # no row is left alone: see `_paired`
            bound = work.bound(hi - lo)
            bound.run(params, rows[lo:hi].T, seed)
            yield slice(lo, hi), bound
            lo = hi

    def _summed(self, work: Workspace, params: Array, rows: Array, seed: float) -> tuple[Bound, float]:
        """The last part, after the adjoints in `once` of all parts have been added up, and the sum of the results."""
        sums = np.zeros_like(work.d_once)
        total = 0.0
        for part, bound in self._chunks(work, params, rows, seed):
            total += bound.total(part.stop - part.start)
            sums += work.d_once
        work.d_once[:] = sums
        return bound, total

    def input_grads(self, params: Array, rows: Array) -> Array:
        count, rows = len(rows), self._paired(rows)
        out = np.empty((len(rows), self.program.n_inputs))
        work = self._workspace()
        work.start(params)
        for part, bound in self._chunks(work, params, rows, 1.0):
            np.add(bound.d_rows[: self.program.n_inputs].T, 0.0, out=out[part])  # zeros are +0, as those of sums that begin at 0
            (result,) = bound.results
            if not all_finite(result):
                np.copyto(out[part], np.nan, where=~np.isfinite(result)[:, None])  # to be replayed
        self._idle.append(work)
        return out[:count]


def in_order(array: Array) -> Array:
    """The array itself, or a copy, so that numbers lie where NumPy expects them: how a loop rounds may depend on how it walks."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


def chunk_for(places: int) -> int:
    """How many rows at a time: a power of two, so that as many values as there are places fit in the cache."""
    rows = max(CACHE // (8 * max(places, 1)), 1)
    return min(max(1 << (rows.bit_length() - 1), SHORTEST), LONGEST)


class Workspace:
    """The memories of one call, and the code bound to them for each number of rows."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self.once = np.zeros(code.memory.once)
        self.d_once = np.zeros(code.memory.once)
        for place, x in code.memory.constants.items():
            self.once[place] = x
        self._bound: dict[int, Bound] = {}
        self._ready: set[int] = set()

    def start(self, params: Array) -> None:
        """Take in new parameters."""
        for part in self._code.copied:
            self.once[part] = params[part]
        self._ready.clear()

    def bound(self, count: int) -> Bound:
        """The code for a number of rows, all that depends on parameters alone computed."""
        known = self._bound.get(count)
        if known is None:
            if len(self._bound) >= _SIZES:
                del self._bound[next(iter(self._bound))]
            known = self._bound[count] = Bound(self._code, self, count)
            self._ready.discard(count)
        if count not in self._ready:
            known.before()
            self._ready.add(count)
        return known


class Bound:
    """The code bound to arrays for one number of rows."""

    def __init__(self, code: Code, work: Workspace, count: int) -> None:
        self.rows = np.zeros((code.memory.rows, count))
        self.d_rows = np.zeros((code.memory.rows if code.goes_back else 0, count))
        self.ones = np.ones(count)
        self.results = [work.once[r.start : r.start + 1] if r.once else self.rows[r.start] for r in code.results]
        names = {"np": np, "as_strided": as_strided, "scatter": scatter, "ones": self.ones, "n": count, **code.constants}
        names |= {"once": work.once, "d_once": work.d_once, "rows": self.rows, "d_rows": self.d_rows}
        exec(code.script, names)  # what it defines sees the names: if it stayed among them, that would be a cycle
        self.before, self.run, self.after = names.pop("before"), names.pop("run"), names.pop("after")

    def total(self, count: int) -> float:
        """The sum of the results of so many rows."""
        (result,) = self.results
        return float(np.add.reduce(result[:count])) if len(result) == len(self.ones) else float(result[0]) * count


def scatter(memory: Array, layers: Sequence[tuple[Any, Any]], shares: Array) -> None:
    """Add shares to places, some of which occur more than once: layer by layer, in each of which they are distinct."""
    for places, chosen in layers:
        memory[places] += shares[chosen]
