"""Scalar automatic differentiation with computational graphs that can be read, watched, trusted and run.

>>> from autograd import Value, exp
>>> x = Value(2.0, label="x")
>>> y = 1 / (1 + exp(-x))
>>> y.backward()
>>> round(x.grad, 6)
0.104994
"""

from .support.guard import check as _check
from .support.guard import leave_current_folder as _leave_current_folder

_leave_current_folder()
_check()

import builtins as _builtins
import importlib as _importlib
import typing as _typing

import autograd.graphs.pickling as _pickling  # noqa: F401  (Values are pickled by its rules)
import autograd.numbers.value as _value

from . import ops as ops
from .derivatives.functional import TrackingError as TrackingError
from .derivatives.functional import grad as grad
from .derivatives.functional import hessian as hessian
from .derivatives.functional import hvp as hvp
from .derivatives.functional import jacobian as jacobian
from .derivatives.functional import jvp as jvp
from .derivatives.functional import value_and_grad as value_and_grad
from .derivatives.functional import vjp as vjp
from .graphs.anomaly import AnomalyError as AnomalyError
from .graphs.anomaly import detect_anomaly as detect_anomaly
from .graphs.graph import Graph as Graph
from .graphs.grouping import group as group
from .numbers.dual import Dual as Dual
from .numbers.groups import Group as Group
from .numbers.primitive import primitive as primitive
from .numbers.value import StaleGraphError as StaleGraphError
from .numbers.value import Value as Value
from .ops import *  # noqa: F403  (every primitive)
from .ops.op import Op as Op
from .ops.zeros import when as when
from .support.errors import RecordingError as RecordingError

if _typing.TYPE_CHECKING:  # these wait until they are used, see _later
    from . import testing as testing
    from .compiling.compiled import compile as compile
    from .derivatives.checking import GradCheck as GradCheck
    from .derivatives.checking import gradcheck as gradcheck
    from .derivatives.numeric import numeric_grad as numeric_grad
    from .languages.latex import to_latex as to_latex
    from .languages.source import to_source as to_source
    from .languages.sympy import to_sympy as to_sympy
    from .numbers.arrays import array as array
    from .numbers.arrays import data as data
    from .numbers.arrays import grads as grads
    from .pictures.draw import Drawing as Drawing
    from .pictures.draw import draw as draw
    from .stepping.steps import Steps as Steps
    from .stepping.steps import steps as steps
    from .stepping.trace import Step as Step

__version__ = "0.1.0"
__distribution__ = "scalar-autograd"

_LATER = {
    ".compiling.compiled": ("compile",),
    ".derivatives.checking": ("GradCheck", "gradcheck"),
    ".derivatives.numeric": ("numeric_grad",),
    ".languages.latex": ("to_latex",),
    ".languages.source": ("to_source",),
    ".languages.sympy": ("to_sympy",),
    ".numbers.arrays": ("array", "data", "grads"),  # need NumPy
    ".pictures.draw": ("Drawing", "draw"),
    ".stepping.steps": ("Steps", "steps"),
    ".stepping.trace": ("Step",),
}
_HOME = {name: module for module, names in _LATER.items() for name in names}
_HIDING = ("array", "compile", "data", "grads")  # or need NumPy: not for `import *`


def _later(name: str) -> object:
    """What was not imported before it is used: so `import autograd` is quick, and needs no NumPy."""
    if name == "testing":
        return _importlib.import_module(".testing", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found: object = getattr(_importlib.import_module(_HOME[name], __name__), name)
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise ImportError(f"autograd.{name} needs NumPy, which is not installed: pip install numpy", name=error.name) from None
    globals()[name] = found
    return found


if not _typing.TYPE_CHECKING:  # to which any name would then be an attribute
    __getattr__ = _later


def __dir__() -> list[str]:
    """What is meant for users, and no module that was imported on the way."""
    return sorted({*_now, *ops.__all__, *_HOME, "ops", "testing", *(name for name in globals() if name.startswith("__"))})


def _display(v: Value) -> dict[str, str]:
    from .pictures.draw import notebook_display

    return notebook_display(v)


_value.on_display = _display

# For `import *`: all of the above but submodules, what needs NumPy and, as in NumPy, names that would hide Python's own (abs, max, ...).
_now = [name for name, x in globals().items() if name[0] != "_" and getattr(x, "__module__", "").startswith(__name__)]
globals()["__all__"] = [name for name in (*_now, *_HOME) if name not in _HIDING and not hasattr(_builtins, name)]
