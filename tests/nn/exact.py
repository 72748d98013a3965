"""What the losses mean, from the mathematics in arbitrary precision; and how near to it a result has to be.

Nothing here calls the packages under test. Each loss is written for one row: its predictions one by one, then the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp, mpf  # type: ignore[import-untyped]

from .. import oracle

_softplus = oracle.ORACLE["softplus"]
Row = float | Sequence[float]
TOLERANCE = 1e-12


def _surprise(z: Sequence[Any], i: int) -> Any:
    """-log of the share of logit i."""
    return -oracle.ORACLE["log_softmax"](z[i], *z[:i], *z[i + 1 :])


def _cross_entropy(z: Sequence[Any], target: Any) -> Any:
    if isinstance(target, int):
        return _surprise(z, target)
    return sum((mpf(p) * _surprise(z, i) for i, p in enumerate(target)), mpf(0))


def _kl_divergence(z: Sequence[Any], target: Sequence[float]) -> Any:
    return sum((mpf(p) * (mp.log(mpf(p)) + _surprise(z, i)) for i, p in enumerate(target) if p), mpf(0))


def _mse(x: Sequence[Any], target: Any) -> Any:
    wanted = target if isinstance(target, Sequence) else [target]
    return sum(((a - mpf(b)) ** 2 for a, b in zip(x, wanted, strict=True)), mpf(0)) / len(x)


def _of_margin(f: Callable[[Any], Any]) -> Callable[[Sequence[Any], Any], Any]:
    return lambda x, target: f(x[0] * target)


LOSSES: dict[str, Callable[[Sequence[Any], Any], Any]] = {
    "mse": _mse,
    "half_mse": lambda x, target: _mse(x, target) / 2,
    "cross_entropy": _cross_entropy,
    "kl_divergence": _kl_divergence,
    "binary_cross_entropy": lambda x, y: mpf(y) * _softplus(-x[0]) + (1 - mpf(y)) * _softplus(x[0]),
    "hinge": _of_margin(lambda m: max(mpf(0), 1 - m)),
    "squared_hinge": _of_margin(lambda m: max(mpf(0), 1 - m) ** 2 / 2),
    "logistic": _of_margin(lambda m: _softplus(-m)),
    "perceptron": _of_margin(lambda m: max(mpf(0), -m)),
}


def loss(name: str, prediction: Row, target: Any) -> float:
    with mp.workdps(60):
        return oracle.rounded(LOSSES[name]([mpf(x) for x in _listed(prediction)], target))


def loss_slopes(name: str, prediction: Row, target: Any) -> list[float]:
    """The derivative in every prediction."""
    x = _listed(prediction)
    return [oracle.rounded(oracle.slope(lambda *at: LOSSES[name](at, target), x, i)) for i in range(len(x))]


def op(name: str, *x: float) -> float:
    return oracle.rounded(oracle.value(name, x))


def op_slopes(name: str, *x: float) -> list[float]:
    """The derivative in every operand."""
    return [oracle.rounded(oracle.first(name, x, i)) for i in range(len(x))]


def close(a: float, b: float) -> bool:
    """Equal to 1e-12 of b, or to the spacing of numbers that are too small for that."""
    return a == b or abs(a - b) <= TOLERANCE * abs(b) + 1e-310


def blur(z: Sequence[float]) -> float:
    """What rounding may take from a difference of terms as large as these logits (and their entropy, of order 1)."""
    return 8.0 * math.ulp(max(1.0, *map(abs, z)))


def _listed(x: Row) -> list[float]:
    return list(x) if isinstance(x, Sequence) else [x]
