"""compile, and Compiled, which it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args, overload

from ..numbers.tracking import refuse_if_tracked
from ..numbers.value import Value
from ..support.plain import shown
from ..support.structure import leaves
from .backends import source as exporting
from .backends.reference import Reference
from .passes.adjoint import Backward, backward
from .passes.recover import Recovery
from .passes.simplify import simplified
from .program.instructions import Memory
from .program.program import Program
from .record.layout import Layout, as_rows
from .record.recording import Recording
from .record.replay import Replay
from .record.tape import INPUT, PARAM
from .record.tracked import Tracked, any_tracked
from .report import Report

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from ..derivatives.signatures import Floats, Structure

Backend: TypeAlias = Literal["auto", "numpy", "reference"]
Reduction: TypeAlias = Literal["mean", "sum"]


def compile(
    fn: Callable[[Any, Any], Any], params: Structure, inputs: Structure, backend: Backend = "auto", *, deterministic: bool = False
) -> Compiled:
    """Turn a scalar function of one row into an array program for all rows.

    Args:
        fn: `fn(params, inputs)` returns one number (or a flat list of them, which have values but no gradient), in ordinary scalar
            code: loops, lists, helpers, NumPy object arrays, modules of `nn`. It is called once, with recorded numbers in the places
            of numbers; branching on them raises RecordingError.
        params: numbers in any nested structure of lists, tuples, dicts and arrays. Values in it are parameters wherever `fn` meets
            them: `compile(lambda p, x: loss(model(x)), model.parameters(), row)`.
        inputs: one example row, of any such structure. Of params and inputs only the structure counts.
        backend: "numpy", "reference" (plain Python, for reading and testing), or "auto": the fastest there is.
        deterministic: whether everything must be added up in one order: see below.

    A compiled function and the eager engine compute the same formulas, nan, infinities, structural zeros and signs of zeros included, but
    round in another order: sums are not those of math.fsum, (x + 1e16) - 1e16 becomes x, and where two operands of max or min differ by
    roundings only, either may count as the larger; a product of derivatives that overflows on its way to 0 may be nan in one.
    Formulas that overflow or underflow as written (1 / (1 + exp(-z)), log(sum(exp))) are replaced by forms that do not; `f.report` names
    them. What `fn` does besides computing (printing, drawing random numbers) happens once. `f.unchanged()` tells whether recording it again
    gives the same.

    The same call gives the same bits, however params and rows are kept in memory. Where `f.deterministic` is true, a row moreover has the
    same value and input gradient, to the bit, alone and in any batch, and the number of threads changes nothing: so it is if asked for,
    on the reference backend, and in programs without products of matrices. Else NumPy leaves these products to BLAS, which is faster (1.5
    times for small networks, up to 15 for large ones), but adds up in an order that depends on the batch: a sum of N terms may then differ
    by N 2^-52 times the sum of their sizes, and what is computed from it accordingly.

    Returns:
        A Compiled, which is called with params and rows.

    Raises:
        RecordingError: if `fn` needs the value of a recorded number.
        TypeError: if `fn` returns anything but numbers, or params or inputs hold anything but numbers.
        ValueError: if the backend is unknown or not installed, or deterministic is not True or False.

    >>> from autograd import compile
    >>> f = compile(lambda p, x: (p["w"] * x[0] + p["b"] - x[1]) ** 2, {"w": 0.0, "b": 0.0}, [0.0, 0.0], backend="reference")
    >>> f.value_and_grad({"w": 2.0, "b": 1.0}, [[1.0, 2.0], [2.0, 6.0]])
    (1.0, {'w': -1.0, 'b': 0.0})
    """
    return Compiled(fn, params, inputs, backend, deterministic=deterministic)


class Compiled:
    """A function of params and rows, compiled.

    Attributes:
        program: its instructions; print it.
        report: how many recorded operations became how many instructions, and what could not be grouped or differentiated by rule.
        recording: the tape as it was recorded.
        backend: the name of what runs it.
        deterministic: whether a row gives the same bits alone and in any batch, with any number of threads; see `compile`.
    """

    program: Program

    def __init__(
        self, fn: Callable[[Any, Any], Any], params: Structure, inputs: Structure, backend: Backend = "auto", *, deterministic: bool = False
    ) -> None:
        if type(deterministic) is not bool:
            raise ValueError(f"deterministic must be True or False (got {shown(deterministic)})")
        self._fn, self._example = fn, (params, inputs)
        self._params, self._inputs = Layout("params", params), Layout("each row", inputs)
        self.backend: str = _chosen(backend)
        self.recording: Recording = Recording(fn, params, inputs)
        self.program, repaired = _recovered(self.recording, self._params)
        self.deterministic: bool = deterministic or self.backend == "reference" or not self.program.products
        self.report: Report = Report(self.recording, self.program, repaired, self.backend, self.deterministic)
        replay, machine = Replay(self.recording), _machine(self.backend)
        self._machine = machine(self.program, _backward_of(self.program), replay, self.deterministic)
        self._tracked = Tracked(self._machine, replay, self._params, self._inputs)

    def __call__(self, params: Structure, rows: Structure) -> NDArray[float64]:
        """The value of each row, shape (n,); where fn returns k numbers, shape (n, k).

        With numbers that are being differentiated or recorded (inside `grad`, `jvp`, another compiled function), it gives an object array
        of such numbers, one node each, to any order.

        Args:
            params: numbers in the structure that was compiled.
            rows: an array of shape (n, ...) or a sequence of n rows, each of the structure of the example. n may be 0.

        Raises:
            ValueError: if params or a row have another structure.
        """
        values: NDArray[float64]
        if any_tracked(params, rows):
            values = self._tracked.values(params, rows)
        else:
            values = self._machine.values(self._machine.params(self._params, params), self._rows(rows))
        return values

    @overload
    def value_and_grad(self, params: list[Value], rows: Structure, reduction: Reduction = "mean") -> tuple[float, list[float]]: ...
    @overload
    def value_and_grad(self, params: Floats, rows: Structure, reduction: Reduction = "mean") -> tuple[float, Floats]: ...
    @overload
    def value_and_grad(self, params: Structure, rows: Structure, reduction: Reduction = "mean") -> tuple[float, Structure]: ...
    def value_and_grad(self, params: Structure, rows: Structure, reduction: Reduction = "mean") -> tuple[float, Structure]:
        """The mean (or sum) of the values, and its gradient in params, of their structure.

        A row whose value is nan makes the value nan, and whatever gradient it reaches.

        Raises:
            ValueError: if params or a row have another structure, the reduction is unknown, or the mean of no rows is asked for.
        """
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction must be 'mean' or 'sum' (got {shown(reduction)})")
        self._require_one()
        if any_tracked(params, rows):
            value, grads = self._tracked.value_and_grad(params, rows, _seed(reduction, len(as_rows(rows))))
            return value, self._params.rebuilt(grads, params)
        numbers, given = self._machine.params(self._params, params), self._rows(rows)
        value, grads = self._machine.value_and_grad(numbers, given, _seed(reduction, len(given)))
        return value, self._machine.rebuilt(self._params, params, grads)

    def input_grads(self, params: Structure, rows: Structure) -> NDArray[float64]:
        """The derivative of each row's value in the numbers of that row, shape (n, n_inputs)."""
        self._require_one()
        grads: NDArray[float64]
        if any_tracked(params, rows):
            grads = self._tracked.input_grads(params, rows)
        else:
            grads = self._machine.input_grads(self._machine.params(self._params, params), self._rows(rows))
        return grads

    def trace(self, params: Structure, row: Structure) -> Any:
        """The graph of one row, from leaves labelled p0, p1, ... and x0, x1, ...: to be drawn, stepped and differentiated.

        The function runs as it was written, on Values: its nodes are those of the code, not of the program. Where it returns several
        numbers, so does this.
        """
        for number in leaves([params, row]):
            refuse_if_tracked(number, "the trace of")
        p, x = self._params.numbers(params), self._inputs.numbers(row)
        labelled = [
            layout.rebuilt([Value(number, f"{name}{j}") for j, number in enumerate(numbers)])
            for layout, numbers, name in ((self._params, p, "p"), (self._inputs, x, "x"))
        ]
        result = self._fn(*labelled)
        if self.program.several:
            return [x if isinstance(x, Value) else Value(x) for x in result]
        return result if isinstance(result, Value) else Value(result)

    def source(self, module: Literal["numpy", "jax"] = "numpy", name: str = "f") -> str:
        """The source of a function of (params, rows) that gives the values, for "numpy" or "jax"; it runs without this package."""
        return exporting.source(self.program, self._params, self._inputs, module, name)

    def to_jax(self, functions: Mapping[str, Callable[..., Any]] | None = None) -> Callable[[Any, Any], Any]:
        """A pure function of (params, rows) -> values that jax.jit, jax.grad and jax.vmap take.

        Args:
            functions: for primitives of your own, by name, a function of JAX arrays.

        Raises:
            ImportError: if JAX is not installed.
            ValueError: if a primitive of your own is missing among functions.
        """
        return exporting.to_jax(self.program, self._params, self._inputs, functions or {})

    def unchanged(self) -> bool:
        """Whether recording the function again gives the same tape: False if it has come to compute something else, or draws at random."""
        again = Recording(self._fn, *self._example)
        return (again.nodes, again.roots) == (self.recording.nodes, self.recording.roots)

    def _require_one(self) -> None:
        if self.program.several:
            count = len(self.program.results)
            raise TypeError(f"fn returns {count} numbers, and the gradient is that of one: compile a function that reduces them")

    def _rows(self, rows: Any) -> Any:
        return self._machine.rows(self._inputs, rows)

    def __repr__(self) -> str:
        return f"<compiled function of {self._params} and rows of {self._inputs}: {len(self.program)} instructions, {self.backend}>"


def _seed(reduction: str, count: int) -> float:
    """What the value of each row is multiplied by."""
    if reduction == "mean" and not count:
        raise ValueError("the mean of no rows has no value: give at least one row, or reduction='sum', which gives 0")
    return 1.0 / count if reduction == "mean" else 1.0


def _chosen(backend: str) -> str:
    if backend not in get_args(Backend):
        raise ValueError(f"backend must be one of {', '.join(map(repr, get_args(Backend)))} (got {shown(backend)})")
    if backend == "reference":
        return backend
    try:
        import numpy  # noqa: F401
    except ImportError:
        if backend == "numpy":
            raise ValueError("backend 'numpy' needs NumPy, which is not installed: pip install numpy, or use 'reference'") from None
        return "reference"
    return "numpy"


def _machine(backend: str) -> Any:
    if backend == "reference":
        return Reference
    from .backends.numpy.machine import NumPy

    return NumPy


def _backward_of(program: Program) -> Callable[[bool], tuple[Memory, Backward]]:
    """The backward pass to the inputs, or to the parameters, and the memory it needs; made when first asked for."""

    @cache
    def made(inputs: bool) -> tuple[Memory, Backward]:
        memory = deepcopy(program.memory)
        return memory, backward(program, memory, inputs=inputs)

    return made


def _recovered(recording: Recording, params: Layout) -> tuple[Program, Mapping[str, int]]:
    """The program, and which formulas were replaced because they overflow as written."""
    tape, roots = simplified(recording, recording.roots)
    memory = Memory(once=recording.n_params, rows=recording.n_inputs)
    places = {i: (node[0] is PARAM, node[1]) for i, node in enumerate(tape.nodes) if node[0] in (PARAM, INPUT)}
    recovery = Recovery(tape, roots, places, memory)
    results = tuple(recovery.roots)
    sizes = recording.n_params, recording.n_inputs
    program = Program(*sizes, recovery.once, recovery.rows, results, recording.several, memory, params.names())
    return program, tape.repaired

