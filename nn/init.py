"""Initial weights: functions (n_in, n_out, rng) -> n_out rows of n_in floats.

Random weights must differ, or neurons of a layer stay copies of each other (`zeros` shows it), and their variance must suit the fan-in
and fan-out, or signals and gradients shrink or grow from layer to layer:

    Xavier   Var w = 2 / (n_in + n_out)   keeps both for units that are linear near 0 (Glorot & Bengio 2010, eq. 12 and 16)
    He       Var w = 2 / n_in             makes up for the half that a ReLU cuts off (He et al. 2015, eq. 10)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any, Literal, TypeAlias

from autograd.extend import shown

from .support.checks import positive_int

Matrix = list[list[float]]
Initializer = Callable[..., Matrix]
Seed = int | Random | None

_RECTIFIERS = ("relu", "leaky_relu", "elu", "swish", "gelu", "softplus")


def zeros(n_in: int, n_out: int, rng: Seed = None) -> Matrix:
    """Every weight 0: neurons of a layer then get the same gradient and never part."""
    return constant(n_in, n_out, rng, value=0.0)


def constant(n_in: int, n_out: int, rng: Seed = None, *, value: float) -> Matrix:
    """Every weight the same."""
    return _matrix(n_in, n_out, lambda: float(value))


def uniform(n_in: int, n_out: int, rng: Seed = None, *, low: float = -1.0, high: float = 1.0) -> Matrix:
    """U(low, high)."""
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"low and high must be numbers, low the smaller (got {shown(low)} and {shown(high)})")
    draw = generator(rng)
    return _matrix(n_in, n_out, lambda: draw.uniform(low, high))


def normal(n_in: int, n_out: int, rng: Seed = None, *, mean: float = 0.0, std: float = 1.0) -> Matrix:
    """N(mean, std^2)."""
    if not (math.isfinite(mean) and 0.0 <= std < math.inf):
        raise ValueError(f"mean must be a number, and std one of at least 0 (got {shown(mean)} and {shown(std)})")
    draw = generator(rng)
    return _matrix(n_in, n_out, lambda: draw.gauss(mean, std))


def xavier_uniform(n_in: int, n_out: int, rng: Seed = None) -> Matrix:
    """U(-a, a) with a = sqrt(6 / (n_in + n_out)).

    >>> [[round(w, 3) for w in row] for row in xavier_uniform(3, 2, rng=0)]
    [[0.755, 0.565, -0.174], [-0.528, 0.025, -0.208]]
    """
    _check_sizes(n_in, n_out)
    a = math.sqrt(6.0 / (n_in + n_out))
    return uniform(n_in, n_out, rng, low=-a, high=a)


def xavier_normal(n_in: int, n_out: int, rng: Seed = None) -> Matrix:
    """N(0, 2 / (n_in + n_out))."""
    _check_sizes(n_in, n_out)
    return normal(n_in, n_out, rng, std=math.sqrt(2.0 / (n_in + n_out)))


def he_uniform(n_in: int, n_out: int, rng: Seed = None) -> Matrix:
    """U(-a, a) with a = sqrt(6 / n_in)."""
    _check_sizes(n_in, n_out)
    a = math.sqrt(6.0 / n_in)
    return uniform(n_in, n_out, rng, low=-a, high=a)


def he_normal(n_in: int, n_out: int, rng: Seed = None) -> Matrix:
    """N(0, 2 / n_in)."""
    _check_sizes(n_in, n_out)
    return normal(n_in, n_out, rng, std=math.sqrt(2.0 / n_in))


Name: TypeAlias = Literal["zeros", "uniform", "normal", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal"]
NAMES: dict[str, Initializer] = {f.__name__: f for f in (zeros, uniform, normal, xavier_uniform, xavier_normal, he_uniform, he_normal)}


def named(init: Name | Initializer | None, activation: Any = None) -> Initializer:
    """The initialiser of that name, or the one itself; for None He's for rectifiers and Xavier's for all others."""
    if init is None:
        return he_uniform if activation in _RECTIFIERS else xavier_uniform
    if callable(init):
        return init
    if init not in NAMES:
        raise ValueError(f"init must be one of {', '.join(NAMES)}, or a function (n_in, n_out, rng) (got {shown(init)})")
    return NAMES[init]


def generator(rng: Seed) -> Random:
    """The generator itself, or a new one from a seed."""
    return rng if isinstance(rng, Random) else Random(rng)


def _matrix(n_in: int, n_out: int, draw: Callable[[], float]) -> Matrix:
    _check_sizes(n_in, n_out)
    return [[draw() for _ in range(n_in)] for _ in range(n_out)]


def _check_sizes(n_in: int, n_out: int) -> None:
    positive_int("n_in", n_in)
    positive_int("n_out", n_out)
