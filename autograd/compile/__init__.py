"""compile: record a scalar function for one row, recover its loops, run it over all rows.

The steps, each in its module: recording -> simplify -> recover -> program and its adjoint -> a backend. Imported when `compile` is
first called, so that `import autograd` stays light.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiled import Compiled


class RecordingError(TypeError):
    """A function that is being compiled needs the value of a recorded number, as a branch does. The message shows the line."""


def compile(
    fn: Callable[[Any, Any], Any], params: Any, inputs: Any, backend: str = "auto", *, deterministic: bool = False
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
    from .compiled import Compiled

    return Compiled(fn, params, inputs, backend, deterministic=deterministic)
