"""Scalar automatic differentiation with computational graphs that can be read, watched, trusted and run.

>>> from autograd import Value, exp
>>> x = Value(2.0, label="x")
>>> y = 1 / (1 + exp(-x))
>>> y.backward()
>>> round(x.grad, 6)
0.104994
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _guard

_guard.check()

from . import ops
from .anomaly import AnomalyError, detect_anomaly
from .checking import GradCheck, gradcheck
from .draw import Drawing, draw
from .dual import Dual
from .functional import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .graph import Graph
from .numeric import numeric_grad
from .op import Op
from .ops import (
    abs, add, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, argmax, cbrt, ceil, clip, cos, cosh, div, divide, dot, elu, equal,
    erf, erfc, exp, exp2, expm1, floor, fmod, gelu, greater, greater_equal, hardtanh, hypot, leaky_relu, less, less_equal, lgamma, log,
    log1p, log2, log10, log_sigmoid, log_softmax, logaddexp, logsumexp, max, maximum, mean, min, minimum, mod, mul, multiply, neg, negative,
    norm, not_equal, polygamma, pos, positive, pow, power, prod, reciprocal, relu, sigmoid, sign, sin, sinh, softmax, softplus, sqrt, square,
    step, sub, subtract, sum, swish, tan, tanh, trunc, where,
)  # fmt: skip
from .primitive import primitive
from .value import Value

if TYPE_CHECKING:
    from .arrays import array, data, grads

__version__ = "0.1.0"
__distribution__ = "scalar-autograd"

# Names whose modules need more than the engine (NumPy) are imported when they are first used.
_ON_USE = {
    "array": "arrays",
    "data": "arrays",
    "grads": "arrays",
}


def __getattr__(name: str) -> Any:
    if name in _ON_USE:
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{_ON_USE[name]}"), name)
        globals()[name] = found
        return found
    if name == "testing":
        from importlib import import_module

        return import_module(f"{__name__}.testing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_USE, "testing"})


__all__ = sorted([*(name for name in globals() if not name.startswith("_") and name not in ("annotations", "TYPE_CHECKING", "Any")), *_ON_USE])
