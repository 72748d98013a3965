"""Neural networks on top of autograd: modules whose parameters are Values.

>>> import nn
>>> model = nn.MLP(2, [4, 1], seed=0)
>>> len(model.parameters())
17
"""

import importlib as _importlib
import typing as _typing

import autograd as _autograd

if getattr(_autograd, "__distribution__", None) != "scalar-autograd":
    raise ImportError(
        f"nn needs the package autograd of scalar-autograd, but `import autograd` found another one, in {_autograd.__file__}. HIPS's "
        "autograd has the same import name; keep one of them in an environment. To use nn:\n"
        "    pip uninstall autograd scalar-autograd && pip install scalar-autograd"
    )

from . import init as init
from . import losses as losses
from . import optim as optim
from . import regularizers as regularizers
from . import schedules as schedules
from .fitting.fit import evaluate as evaluate
from .fitting.fit import fit as fit
from .fitting.fit import row_loss as row_loss
from .fitting.history import History as History
from .fitting.run import TrainingError as TrainingError
from .modules.activations import Activation as Activation
from .modules.activations import PReLU as PReLU
from .modules.activations import Swish as Swish
from .modules.layers import MLP as MLP
from .modules.layers import Layer as Layer
from .modules.layers import Linear as Linear
from .modules.layers import Maxout as Maxout
from .modules.layers import Neuron as Neuron
from .modules.layers import Sequential as Sequential
from .modules.module import Module as Module
from .modules.normalization import BatchNorm as BatchNorm
from .modules.normalization import Dropout as Dropout

if _typing.TYPE_CHECKING:
    from . import datasets as datasets
    from . import linear as linear
    from . import plot as plot
    from . import preprocessing as preprocessing

_LAZY = ("datasets", "linear", "plot", "preprocessing")  # need NumPy or Matplotlib, and so wait until they are used


def _later(name: str) -> object:
    if name in _LAZY:
        try:
            return _importlib.import_module(f".{name}", __name__)
        except ModuleNotFoundError as error:
            raise ImportError(f'nn.{name} needs {error.name}: pip install "scalar-autograd[plot]"', name=error.name) from None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if not _typing.TYPE_CHECKING:  # to which any name would then be an attribute
    __getattr__ = _later


def __dir__() -> list[str]:
    """What is meant for users, and no module that was imported on the way."""
    return sorted({*__all__, *_LAZY, *(name for name in globals() if name.startswith("__"))})


__all__ = [
    "MLP", "Activation", "BatchNorm", "Dropout", "History", "Layer", "Linear", "Maxout", "Module", "Neuron", "PReLU", "Sequential", "Swish",
    "TrainingError", "evaluate", "fit", "init", "losses", "optim", "regularizers", "row_loss", "schedules",
]  # fmt: skip
