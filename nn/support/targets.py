"""What a model is asked to predict: which targets make sense, and when a prediction counts as right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

from autograd import argmax
from autograd.extend import shown


class Targets(NamedTuple):
    """A kind of target.

    Attributes:
        meaning: what they are, for errors.
        fits: whether a target suits a prediction.
        right: whether a prediction is right, for the accuracy; None where right and wrong mean nothing.
        of_classes: whether a number is the index of a class.
    """

    meaning: str
    fits: Callable[[Any, Any], bool]
    right: Callable[[Any, Any], bool] | None
    of_classes: bool = False

    def check(self, target: Any, prediction: Any, where: str = "the target") -> None:
        """Raise a ValueError if the target makes no sense for the prediction. Values and the like are taken on trust."""
        if not self.fits(target, prediction):
            several = hasattr(prediction, "__len__") and not self.of_classes
            wanted = self.meaning.format(last=_width(prediction) - 1) + f", for each of the {_width(prediction)} outputs" * several
            raise ValueError(f"{where} must be {wanted} (got {shown(target)})")

    def check_all(self, targets: Sequence[Any], prediction: Any, name: str) -> None:
        """`check` each target of a column, given what one prediction looks like."""
        for i, target in enumerate(targets):
            self.check(target, prediction, f"{name}[{i}]")


def _width(prediction: Any) -> int:
    return len(prediction) if hasattr(prediction, "__len__") else 1


def _is_finite(y: Any) -> bool:
    return not isinstance(y, Real) or math.isfinite(y)


def _is_index(y: Any, count: int) -> bool:
    return math.isfinite(y) and y == int(y) and 0 <= y < count


def _is_real(y: Any, prediction: Any) -> bool:
    if hasattr(prediction, "__len__"):
        return hasattr(y, "__len__") and len(y) == len(prediction) and all(map(_is_number, y))
    return _is_number(y)


def _is_number(y: Any) -> bool:
    return not hasattr(y, "__len__") and _is_finite(y)


def _is_sign(y: Any, prediction: Any) -> bool:
    return _is_real(y, prediction) and _all(lambda v: v in (-1, 1), y)


def _is_probability(y: Any, prediction: Any) -> bool:
    return _is_real(y, prediction) and _all(lambda v: 0 <= v <= 1, y)


def _is_class(y: Any, logits: Any) -> bool:
    if hasattr(y, "__len__"):
        return _is_probability(y, logits) and (not all(isinstance(v, Real) for v in y) or math.isclose(sum(y), 1.0, abs_tol=1e-6))
    return not isinstance(y, Real) or _is_index(y, _width(logits))


def _all(condition: Callable[[Any], bool], y: Any) -> bool:
    return all(not isinstance(v, Real) or condition(v) for v in (y if hasattr(y, "__len__") else (y,)))


def _right_sign(score: Any, y: Any) -> bool:
    return float(score) * (1.0 if y > 0 else -1.0) > 0.0


def _right_probability(logit: Any, y: Any) -> bool:
    return not math.isnan(logit) and (float(logit) > 0.0) is bool(y > 0.5)


def _right_class(logits: Any, y: Any) -> bool:
    largest = argmax(logits)  # a nan, if there is one
    return not math.isnan(logits[largest]) and largest == (argmax(y) if hasattr(y, "__len__") else int(y))


REALS = Targets("a finite number", _is_real, None)
SIGNS = Targets("-1 or 1", _is_sign, _right_sign)
PROBABILITIES = Targets("from 0 to 1", _is_probability, _right_probability)
CLASSES = Targets("an index of a class from 0 to {last}, or a probability for each class, which add up to 1", _is_class, _right_class, True)
ANY = Targets("anything", lambda y, prediction: True, None)
