"""Regularisers: penalties on the size of weights, added to the loss. Biases are left out.

>>> from autograd import Value
>>> w = [Value(3.0), Value(-1.0)]
>>> l1(0.1)(w).data, l2(0.1)(w).data
(0.4, 0.5)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

from autograd import abs as magnitude
from autograd import dot
from autograd import sum as total
from autograd.extend import shown

from .modules.module import Module

if TYPE_CHECKING:
    from autograd import Dual, Value

    N = TypeVar("N", float, Value, Dual)
Regularizer: TypeAlias = Callable[[Any], Any]  # of a module, or of a sequence of numbers of any kind


class Penalty(Protocol):
    """What the regularisers here are."""

    @overload
    def __call__(self, model: Module, /) -> Value: ...
    @overload
    def __call__(self, model: Sequence[N], /) -> N: ...


def l1(strength: float) -> Penalty:
    """strength * sum |w|: drives weights to exactly 0 (Tibshirani 1996).

    Returns:
        A function of a module, or of a sequence of numbers.
    """
    _check("strength", strength)
    return lambda model: strength * total([magnitude(w) for w in _weights(model)])


def l2(strength: float) -> Penalty:
    """strength / 2 * sum w^2: pulls weights towards 0 in proportion to their size."""
    _check("strength", strength)

    def penalty(model: Any) -> Any:
        w = _weights(model)
        return 0.5 * strength * dot(w, w)

    return penalty


def elastic_net(strength: float, mixing: float = 0.5) -> Penalty:
    """strength * (mixing * sum |w| + (1 - mixing) / 2 * sum w^2), with mixing from 0 to 1 (Zou & Hastie 2005)."""
    _check("strength", strength)
    _check("mixing", mixing, 1.0)
    sparse, small = l1(strength * mixing), l2(strength * (1.0 - mixing))

    def penalty(model: Any) -> Any:
        return sparse(model) + small(model)

    return penalty


def _weights(model: Module | Sequence[Any]) -> list[Any]:
    return model.weights() if isinstance(model, Module) else list(model)


def _check(name: str, x: float, largest: float = sys.float_info.max) -> None:
    if not isinstance(x, (int, float)) or not 0.0 <= x <= largest:
        limits = "and finite" if largest == sys.float_info.max else f"and at most {largest:g}"
        raise ValueError(f"{name} must be at least 0 {limits} (got {shown(x)})")
