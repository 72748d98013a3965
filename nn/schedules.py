"""Learning rates over time: functions of t = 1, 2, 3, ..., which counts updates in an optimiser and epochs in `nn.fit`.

>>> schedule = step_decay(0.1, every=2)
>>> [schedule(t) for t in range(1, 6)]
[0.1, 0.1, 0.05, 0.05, 0.025]
"""

from __future__ import annotations

import math
from collections.abc import Callable

from autograd.extend import shown

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """lr."""
    _positive("lr", lr)
    return lambda t: lr


def inverse_sqrt(lr: float) -> Schedule:
    """lr / sqrt(t), with which stochastic gradient descent converges on convex losses (Zinkevich 2003)."""
    _positive("lr", lr)
    return lambda t: lr / math.sqrt(t)


def step_decay(lr: float, every: int, factor: float = 0.5) -> Schedule:
    """lr * factor^k after k times `every` steps."""
    _positive("lr", lr)
    _positive("every", every)
    _positive("factor", factor)
    return lambda t: lr * factor ** ((t - 1) // every)


def exponential(lr: float, rate: float) -> Schedule:
    """lr * rate^(t - 1)."""
    _positive("lr", lr)
    _positive("rate", rate)
    return lambda t: lr * rate ** (t - 1)


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """Half a cosine from lr at t = 1 down to `final` at t = steps + 1, and `final` from then on (Loshchilov & Hutter 2017)."""
    _positive("lr", lr)
    _positive("steps", steps)
    if not 0.0 <= final <= lr:
        raise ValueError(f"final must be from 0 to lr (got {shown(final)})")
    return lambda t: final + 0.5 * (lr - final) * (1.0 + math.cos(math.pi * min(t - 1, steps) / steps))


def _positive(name: str, x: float) -> None:
    if not isinstance(x, (int, float)) or not 0.0 < x < math.inf:
        raise ValueError(f"{name} must be a positive number (got {shown(x)})")
