"""Neural networks on top of autograd: modules whose parameters are Values.

>>> import nn
>>> model = nn.MLP(2, [4, 1], seed=0)
>>> len(model.parameters())
17
"""

from __future__ import annotations

import autograd as _autograd

if getattr(_autograd, "__distribution__", None) != "scalar-autograd":
    raise ImportError(
        f"nn needs the package autograd of scalar-autograd, but `import autograd` found another one, in {_autograd.__file__}. HIPS's "
        "autograd has the same import name; keep one of them in an environment. To use nn:\n"
        "    pip uninstall autograd scalar-autograd && pip install scalar-autograd"
    )

from .modules import MLP, Layer, Linear, Module, Neuron

__all__ = ["MLP", "Layer", "Linear", "Module", "Neuron"]
