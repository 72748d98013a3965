"""Scalar automatic differentiation with computational graphs that can be read, watched, trusted and run.

>>> from autograd import Value, exp
>>> x = Value(2.0, label="x")
>>> y = 1 / (1 + exp(-x))
>>> y.backward()
>>> round(x.grad, 6)
0.104994
"""

from . import _guard

_guard.leave_current_folder()
_guard.check()

import builtins
from typing import TYPE_CHECKING, Any

from . import ops as ops
from .anomaly import AnomalyError as AnomalyError
from .anomaly import detect_anomaly as detect_anomaly
from .checking import GradCheck as GradCheck
from .checking import gradcheck as gradcheck
from .compile import RecordingError as RecordingError
from .compile import compile as compile
from .draw import Drawing as Drawing
from .draw import draw as draw
from .dual import Dual as Dual
from .functional import TrackingError as TrackingError
from .functional import grad as grad
from .functional import hessian as hessian
from .functional import hvp as hvp
from .functional import jacobian as jacobian
from .functional import jvp as jvp
from .functional import value_and_grad as value_and_grad
from .functional import vjp as vjp
from .graph import Graph as Graph
from .groups import Group as Group
from .groups import group as group
from .numeric import numeric_grad as numeric_grad
from .op import Op as Op
from .ops import *  # noqa: F403  (every primitive)
from .primitive import primitive as primitive
from .stepping import Step as Step
from .stepping import Steps as Steps
from .stepping import steps as steps
from .value import StaleGraphError as StaleGraphError
from .value import Value as Value
from .zeros import when as when

if TYPE_CHECKING:
    from . import testing as testing
    from .arrays import array as array
    from .arrays import data as data
    from .arrays import grads as grads
    from .export import to_latex as to_latex
    from .export import to_source as to_source
    from .export import to_sympy as to_sympy

__version__ = "0.1.0"
__distribution__ = "scalar-autograd"

_EXPORTS = ("to_latex", "to_source", "to_sympy")  # wait until they are used
_NUMPY = ("array", "data", "grads")  # live in a module that imports NumPy, and so wait until they are used


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _NUMPY:
        try:
            return getattr(import_module(".arrays", __name__), name)
        except ModuleNotFoundError as error:
            raise ImportError(f"autograd.{name} needs NumPy, which is not installed: pip install numpy", name=error.name) from None
    if name in _EXPORTS:
        return getattr(import_module(".export", __name__), name)
    if name == "testing":
        return import_module(".testing", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_NUMPY, *_EXPORTS, "testing"})


# For `import *`: all of the above but submodules, what needs NumPy and, as in NumPy, names that would hide Python's own (abs, max, ...).
_public = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "").startswith(__name__)]
globals()["__all__"] = [name for name in _public if not hasattr(builtins, name)]
