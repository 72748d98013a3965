"""Activations as modules, where they are layers of their own or have parameters to learn.

The functions themselves (relu, tanh, sigmoid, swish, ...) are primitives of autograd; here are Activation, which makes a layer of one,
PReLU and Swish, whose shape is learned.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import autograd
from autograd import Value, leaky_relu, ops, swish
from autograd.extend import ACTIVATION, shown

from ..support.checks import positive_int
from .module import Module

if TYPE_CHECKING:
    from autograd.ops import Unary

    Name: TypeAlias = Unary
    OfAll: TypeAlias = Literal["softmax", "log_softmax"]

Function: TypeAlias = Callable[[Any], Any]  # of a number of any kind
ACTIVATIONS = tuple(op.name for op in ops.table.values() if op.family == ACTIVATION)
_OF_ALL = ("softmax", "log_softmax")  # functions of the whole layer


def activation_function(activation: Name | Function | None) -> Function | None:
    """The function of one number that is meant; None for a linear unit."""
    if activation is None or callable(activation):
        return activation
    op = ops.table.get(activation) if isinstance(activation, str) else None
    if op is None or not op.takes_one or activation in ops.helpers:
        raise ValueError(f"activation must be the name of a function of one number, or None (got {shown(activation)}): {_hint(activation)}")
    return op


def _hint(activation: Any) -> str:
    if activation in _OF_ALL:
        return f"put nn.Activation({activation!r}), which is of a whole layer, into a Sequential"
    near = difflib.get_close_matches(activation, ACTIVATIONS, 1) if isinstance(activation, str) else ()
    return f"did you mean {near[0]!r}?" if near else f"such as {', '.join(ACTIVATIONS)}"


class Activation(Module):
    """A function of each number of a row, or "softmax" and "log_softmax" of the row as a whole, as a layer.

    >>> Activation("softmax").predict([[0.0, 0.0]])
    [[0.5, 0.5]]
    """

    def __init__(self, activation: Name | OfAll | Function) -> None:
        self.activation = activation
        of_all = activation in _OF_ALL
        self._f: Any = getattr(autograd, str(activation)) if of_all else activation_function(activation)  # type: ignore[arg-type]
        if self._f is None:
            raise ValueError("an Activation needs a function (got None)")
        self._of_all = of_all

    def forward(self, x: Any) -> Any:
        return self._f(x) if self._of_all else _each(self._f, x)

    def __repr__(self) -> str:
        return f"Activation({self.activation!r})"


class PReLU(Module):
    """max(x, 0) + slope * min(x, 0) with a slope to learn for each number, or one for all (He et al. 2015).

    Args:
        n: how many numbers a row has; 1 shares one slope among any number.
        slope: the slope to begin with.
    """

    biases: ClassVar[tuple[str, ...]] = ("slopes",)  # regularisers would pull it towards ReLU

    def __init__(self, n: int = 1, slope: float = 0.25) -> None:
        positive_int("n", n)
        self.slopes: list[Value] = [Value(slope, "slope") for _ in range(n)]
        self.shape: str = f"{n} -> {n}" if n > 1 else ""

    def forward(self, x: Any) -> Any:
        if len(self.slopes) == 1:
            return _each(lambda v: leaky_relu(v, self.slopes[0]), x)
        if not isinstance(x, Sequence) or len(x) != len(self.slopes):
            raise ValueError(f"this PReLU takes {len(self.slopes)} numbers (got {len(x) if hasattr(x, '__len__') else 1})")
        return [leaky_relu(v, slope) for v, slope in zip(x, self.slopes, strict=True)]


class Swish(Module):
    """x * sigmoid(beta * x): x/2 for beta = 0, towards ReLU for large beta (Ramachandran et al. 2017).

    Args:
        beta: to begin with, or for good.
        learnable: whether beta is a parameter.
    """

    biases: ClassVar[tuple[str, ...]] = ("beta",)

    def __init__(self, beta: float = 1.0, learnable: bool = True) -> None:
        self.beta: Value | float = Value(beta, "β") if learnable else float(beta)

    def forward(self, x: Any) -> Any:
        return _each(lambda v: swish(v, self.beta), x)


def _each(f: Function, x: Any) -> Any:
    return [f(v) for v in x] if hasattr(x, "__len__") else f(x)
