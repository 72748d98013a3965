"""Losses: one formula each, for one row; over several rows their mean.

A prediction is what a model gives for a row: a number, or a list of them. The margin losses take a score and a label y of -1 or 1, and look
at the margin m = y * score; the cross entropies take logits, which is the stable form.

>>> hinge(0.25, 1)
0.75
>>> hinge([0.25, -2.0], [1, -1])  # two rows
0.375
>>> cross_entropy([[2.0, 0.0, -1.0], [0.0, 3.0, 0.0]], [0, 1])  # rows of logits, indices of classes
0.13238...
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

from autograd import dot, log, logsumexp, maximum, mean, ops, relu, softplus, square, where
from autograd import sum as total
from autograd.extend import check_depth, is_plain, shown

from .support.rows import plain, unmasked
from .support.targets import ANY, CLASSES, PROBABILITIES, REALS, SIGNS, Targets

if TYPE_CHECKING:
    from autograd import Dual, Value

    from .support.types import Table

    N = TypeVar("N", Value, Dual)
Formula: TypeAlias = Callable[[Any, Any], Any]  # of a prediction and a target, numbers of any kind or lists of them
Name: TypeAlias = Literal[
    "mse", "half_mse", "hinge", "squared_hinge", "logistic", "perceptron", "binary_cross_entropy", "cross_entropy", "kl_divergence",
]  # fmt: skip
_log_share = ops.table["log_softmax"]  # of its first operand among all


class Loss:
    """A loss. `row(prediction, target)` is its formula. Calling it checks the targets; of a batch it gives the mean.

    Args:
        formula: of a prediction and a target.
        targets: what targets make sense.
        of_all: whether the formula is of all outputs of a row; otherwise it is of one, and several outputs give the mean.
    """

    def __init__(self, formula: Formula, targets: Targets, of_all: bool = False) -> None:
        self.name: Any | str = getattr(formula, "__name__", type(formula).__name__)
        self.targets = targets
        self.of_all = of_all
        self.formula = formula
        self.__doc__ = formula.__doc__

    def row(self, prediction: Any, target: Any) -> Any:
        """The loss of one row, a pure function of prediction and target."""
        if self.of_all or not hasattr(prediction, "__len__"):
            return self.formula(prediction, target)
        return mean([self.formula(p, t) for p, t in zip(prediction, target, strict=True)])

    @overload
    def __call__(self, predictions: float | Sequence[float] | Sequence[Sequence[float]], targets: Table) -> float: ...
    @overload
    def __call__(self, predictions: N | Sequence[N] | Sequence[Sequence[N]], targets: Table) -> N: ...
    @overload
    def __call__(self, predictions: Table, targets: Table) -> Any: ...
    def __call__(self, predictions: Any, targets: Any) -> Any:
        return self._over(predictions, targets, 0)

    def _over(self, predictions: Any, targets: Any, depth: int) -> Any:
        check_depth(depth)
        unmasked(predictions, "predictions"), unmasked(targets, "targets")
        if self.of_all and (not hasattr(predictions, "__len__") or len(predictions) == 0):
            raise ValueError(f"{self.name} needs a list of logits for each row, and at least one row (got {shown(predictions)})")
        if not hasattr(predictions[0] if self.of_all else predictions, "__len__"):
            self.targets.check(targets, predictions)
            return self.formula(predictions, targets)
        if len(predictions) == 0 or not hasattr(targets, "__len__") or len(predictions) != len(targets):
            count = len(targets) if hasattr(targets, "__len__") else 1
            raise ValueError(f"{self.name} needs a target for each prediction, and at least one (got {len(predictions)} and {count})")
        return mean([self._over(p, t, depth + 1) for p, t in zip(predictions, targets, strict=True)])

    def __repr__(self) -> str:
        return f"<loss {self.name}>"


def _loss(targets: Targets, of_all: bool = False) -> Callable[[Formula], Loss]:
    return lambda formula: Loss(formula, targets, of_all)


# Regression ---------------------------------------------------------------------------------------------------------------


@_loss(REALS)
def mse(y_hat: Any, y: Any) -> Any:
    """(y_hat - y)^2; over rows the mean squared error, with 1/n."""
    return square(y_hat - y)


@_loss(REALS)
def half_mse(y_hat: Any, y: Any) -> Any:
    """(y_hat - y)^2 / 2; over rows half the mean squared error, with 1/(2n)."""
    return 0.5 * square(y_hat - y)


# Margins ------------------------------------------------------------------------------------------------------------------


@_loss(SIGNS)
def hinge(score: Any, y: Any) -> Any:
    """max(0, 1 - m) (Cortes & Vapnik 1995)."""
    return relu(1.0 - y * score)


@_loss(SIGNS)
def squared_hinge(score: Any, y: Any) -> Any:
    """max(0, 1 - m)^2 / 2."""
    return 0.5 * square(relu(1.0 - y * score))


@_loss(SIGNS)
def logistic(score: Any, y: Any) -> Any:
    """log(1 + e^-m)."""
    return softplus(-(y * score))


@_loss(SIGNS)
def perceptron(score: Any, y: Any) -> Any:
    """max(0, -m) (Rosenblatt 1958)."""
    return relu(-(y * score))


# Entropies ----------------------------------------------------------------------------------------------------------------


def _counted(x: Any, weight: Any) -> Any:
    """x, but 0 where its weight is 0: a class that is not right may have the logit -inf."""
    if is_plain(weight):
        return x if weight else 0.0
    return where(weight, x, 0.0)


@_loss(PROBABILITIES)
def binary_cross_entropy(logit: Any, y: Any) -> Any:
    """-y log p - (1 - y) log(1 - p) with p = sigmoid(logit); the gradient is p - y."""
    return y * _counted(softplus(-logit), y) + (1.0 - y) * _counted(softplus(logit), 1.0 - y)


@_loss(CLASSES, of_all=True)
def cross_entropy(logits: Sequence[Any], y: Any) -> Any:
    """-log p_y with p = softmax(logits), for the index y of a class; -sum y_k log p_k for a distribution y. The gradient is p - y."""
    if hasattr(y, "__len__"):
        return logsumexp(logits) - dot(y, [_counted(logit, p) for p, logit in zip(y, logits, strict=True)])
    k = int(y)
    return -_log_share.apply(logits[k], *logits[:k], *logits[k + 1 :])  # as the difference above it would cancel where p_k is nearly 1


@_loss(CLASSES, of_all=True)
def kl_divergence(logits: Sequence[Any], y: Any) -> Any:
    """sum y_k log(y_k / p_k) of a distribution y from p = softmax(logits): the cross entropy less the entropy of y.

    The order of arguments is that of the other losses, prediction first.
    """
    if not hasattr(y, "__len__"):
        return cross_entropy.row(logits, y)
    return cross_entropy.row(logits, y) + total([p * log(maximum(p, sys.float_info.min)) for p in y])


# Reporting ----------------------------------------------------------------------------------------------------------------


def zero_one(predictions: Table, targets: Table) -> float:
    """The share of predictions that are wrong: scores against labels of -1 or 1 (or logits against 0 or 1), or logits against classes.

    >>> zero_one([0.3, -0.2, 0.1], [1, -1, -1])
    0.333...
    """
    predictions, targets = (x if isinstance(x, list) else [x] for x in (plain(predictions, "predictions"), plain(targets, "targets")))
    if not predictions or len(predictions) != len(targets):
        raise ValueError(f"zero_one needs a target for each prediction, and at least one (got {len(predictions)} and {len(targets)})")
    kind = CLASSES if isinstance(predictions[0], list) else SIGNS
    assert kind.right is not None
    return sum(not kind.right(p, t) for p, t in zip(predictions, targets, strict=True)) / len(predictions)


NAMES: dict[str, Loss] = {loss.name: loss for loss in list(globals().values()) if isinstance(loss, Loss)}


def named(loss: Name | Loss | Formula) -> Loss:
    """The loss of that name, the one itself, or one from a function of a prediction and a target."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in NAMES:
        return NAMES[loss]
    if callable(loss):
        return Loss(loss, ANY, of_all=True)
    raise ValueError(f"loss must be one of {', '.join(NAMES)}, or a function of a prediction and a target (got {shown(loss)})")
