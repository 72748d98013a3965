"""NumPy: arrays of Values. The only module that needs NumPy, imported when arrays are used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..ops.broadcasting import unmasked
from ..support.plain import shown
from .number import real
from .value import Value

Array = NDArray[Any]
Objects = NDArray[np.object_]
Floats = NDArray[np.float64]


def array(data: ArrayLike) -> Objects:
    """An object array of leaf Values with the shape of `data` (anything NumPy makes a real array of).

    >>> import numpy as np
    >>> w = array([[1.0, 2.0], [3.0, 4.0]])
    >>> float(np.sum(w @ [1.0, 1.0]))
    10.0
    """
    numbers = np.asarray(unmasked(data))
    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"array needs an array of real numbers (got {shown(data)} of dtype {numbers.dtype})")
    return _map(Value, numbers)


def data(a: Objects | Sequence[Any]) -> Floats:
    """The data of an array (or sequence) of Values as an array of floats of the same shape."""
    return np.asarray(_map(real, np.asarray(a, dtype=object)), dtype=float)


def grads(a: Objects | Sequence[Any]) -> Floats:
    """The gradients of an array (or sequence) of Values as an array of floats of the same shape; 0 for plain numbers."""
    return np.asarray(_map(lambda v: v.grad if isinstance(v, Value) else 0.0, np.asarray(a, dtype=object)), dtype=float)


def _map(f: Any, a: Array) -> Array:
    result = np.empty(a.shape, dtype=object)
    result[...] = np.frompyfunc(f, 1, 1)(a)
    return result
