"""NumPy: arrays of Values, and NumPy's functions on Values. The only module that needs NumPy, imported when arrays are used."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ops
from .op import Op, is_plain, shown
from .operators import Number, real
from .structure import is_masked
from .value import Value

Array = NDArray[Any]
# Left to Python's operators, which know better: comparisons give bools, 1 / x is a reciprocal.
_OPERATORS = {
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "divide": operator.truediv,
}


def array(data: Any) -> Array:
    """An object array of leaf Values with the shape of `data` (anything NumPy makes a real array of).

    >>> import numpy as np
    >>> w = array([[1.0, 2.0], [3.0, 4.0]])
    >>> float(np.sum(w @ [1.0, 1.0]))
    10.0
    """
    numbers = np.asarray(_unmasked(data))
    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"array needs an array of real numbers (got {shown(data)} of dtype {numbers.dtype})")
    return _map(Value, numbers)


def data(a: Any) -> Array:
    """The data of an array (or sequence) of Values as an array of floats of the same shape."""
    return np.asarray(_map(real, np.asarray(a, dtype=object)), dtype=float)


def grads(a: Any) -> Array:
    """The gradients of an array (or sequence) of Values as an array of floats of the same shape; 0 for plain numbers."""
    return np.asarray(_map(lambda v: v.grad if isinstance(v, Value) else 0.0, np.asarray(a, dtype=object)), dtype=float)


def elementwise(op: Op, operands: tuple[Any, ...]) -> Array:
    """`op` over arrays, broadcast as NumPy does; floats if no operand holds other kinds of number."""
    for x in operands:
        _unmasked(x)
    with np.errstate(all="ignore"):  # the kernels give the limits of IEEE 754
        result = np.frompyfunc(op.apply, len(operands), 1)(*map(_wrapped, operands))
    plain = all(np.asarray(_wrapped(x)).dtype.kind in "biuf" for x in operands)
    return np.asarray(result, dtype=float) if plain else result


def _unmasked(x: Any) -> Any:
    if is_masked(x):
        way_out = "fill them in with filled(), or leave them out"
        raise ValueError(f"some entries are masked, and would be computed with: {way_out} (got {shown(x)})")
    return x


def ufunc_on_numbers(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What NumPy does with `ufunc` where an input is a Number: the op of that name, else the loop for objects."""
    name = ufunc.__name__
    inputs = tuple(x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in inputs)  # NumPy compares scalars as arrays
    if method == "__call__" and not kwargs:
        if name in _OPERATORS and all(isinstance(x, Number) or is_plain(x) for x in inputs):
            return _OPERATORS[name](*(x if isinstance(x, Number) else float(x) for x in inputs))
        op = next((op for op in ops.table.values() if op.numpy == name and name not in _OPERATORS), None)
        if op is not None and op.arity == len(inputs):
            return op.apply(*inputs)
    return getattr(ufunc, method)(*map(_wrapped, inputs), **kwargs)


def _map(f: Any, a: Array) -> Array:
    result = np.empty(a.shape, dtype=object)
    result[...] = np.frompyfunc(f, 1, 1)(a)
    return result


def _wrapped(x: Any) -> Any:
    """A Number as an array of no dimensions, so that NumPy takes it for an object and does not ask it again."""
    if not isinstance(x, Number):
        return x
    a = np.empty((), dtype=object)
    a[()] = x
    return a
