"""Targets: which make sense, what is said of those that do not, and when a prediction counts as right."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value
from nn import losses
from nn.support.targets import ANY, CLASSES, PROBABILITIES, REALS, SIGNS, Targets

NAN, INF = math.nan, math.inf
KINDS = {"reals": REALS, "signs": SIGNS, "probabilities": PROBABILITIES, "classes": CLASSES, "any": ANY}
ONE, THREE = 0.5, [0.1, 0.2, 0.3]  # predictions
FITTING: dict[str, list[tuple[Any, Any]]] = {
    "reals": [(-7.5, ONE), (0, ONE), (Value(NAN), ONE), ([1.0, -2.0, 3.5], THREE), ((0, 0, 0), THREE), ([Value(INF), 1, 2], THREE)],
    "signs": [(1, ONE), (-1.0, ONE), (Value(0.3), ONE), ([1, -1, 1], THREE)],
    "probabilities": [(0, ONE), (1.0, ONE), (0.3, ONE), (Value(7.0), ONE), ([0, 0.5, 1], THREE)],
    "classes": [
        (0, ONE), (0, THREE), (2.0, THREE), (Value(9.0), THREE), ([0.2, 0.3, 0.5], THREE), ([0, 1, 0], THREE),
        ([0.2, 0.3, 0.5000009], THREE), ([0.2, 0.3, Value(0.9)], THREE),
    ],
    "any": [(1, ONE), ("x", ONE), (None, THREE)],
}  # fmt: skip
UNFIT: dict[str, list[tuple[Any, Any]]] = {
    "reals": [(NAN, ONE), (-INF, ONE), ([1.0], ONE), (1.0, THREE), ([1.0, 2.0], THREE), ([1.0, 2.0, NAN], THREE), ([[1.0]] * 3, THREE)],
    "signs": [(0, ONE), (0.5, ONE), (2, ONE), (NAN, ONE), ([1, -1], THREE), ([1, -1, 0], THREE), ([1], ONE), (1, THREE)],
    "probabilities": [(-0.1, ONE), (1.1, ONE), (NAN, ONE), ([0.5, 0.5], THREE), ([0.5, 0.5, 1.5], THREE), (0.5, THREE)],
    "classes": [
        (1, ONE), (3, THREE), (-1, THREE), (0.5, THREE), (NAN, THREE), (INF, THREE), ([0.5, 0.5], THREE), ([0.2, 0.3, 0.4], THREE),
        ([0.2, 0.3, 0.500003], THREE), ([-0.5, 0.5, 1.0], THREE), ([1.5, -0.5, 0.0], THREE), ([0.2, -0.3, Value(1.1)], THREE),
    ],
    "any": [],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_fits(kind: str) -> None:
    for target, prediction in FITTING[kind]:
        assert KINDS[kind].fits(target, prediction), (target, prediction)
        KINDS[kind].check(target, prediction)
    for target, prediction in UNFIT[kind]:
        assert not KINDS[kind].fits(target, prediction), (target, prediction)
        with pytest.raises(ValueError, match=r"^the target must be "):
            KINDS[kind].check(target, prediction)


@pytest.mark.parametrize(
    ("kind", "target", "prediction", "message"),
    [
        (SIGNS, 0, ONE, r"^y\[1\] must be -1 or 1 \(got 0\)$"),
        (SIGNS, 0, THREE, r"^y\[1\] must be -1 or 1, for each of the 3 outputs \(got 0\)$"),
        (REALS, NAN, ONE, r"^y\[1\] must be a finite number \(got nan\)$"),
        (PROBABILITIES, 2, THREE, r"^y\[1\] must be from 0 to 1, for each of the 3 outputs \(got 2\)$"),
        (CLASSES, 3, THREE, r"^y\[1\] must be an index of a class from 0 to 2, or a probability for each .*, which add up to 1 \(got 3\)$"),
        (CLASSES, 1, ONE, r"^y\[1\] must be an index of a class from 0 to 0, or .* \(got 1\)$"),
    ],
)
def test_what_is_said_of_a_target_in_a_column(kind: Targets, target: Any, prediction: Any, message: str) -> None:
    right = FITTING[next(name for name, known in KINDS.items() if known is kind)]
    fitting = next(t for t, p in right if p is prediction)
    with pytest.raises(ValueError, match=message):
        kind.check_all([fitting, target], prediction, "y")
    kind.check_all([fitting, fitting], prediction, "y")


scores = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, 1e-300]))


@given(scores)
def test_right_signs_and_probabilities(score: float) -> None:
    """Right is the side of 0 on which the score is; at 0 the sign is right for nobody, and a probability of 1/2 means class 0."""
    sign, probability = SIGNS.right, PROBABILITIES.right
    assert sign is not None
    assert probability is not None
    for x in (score, Value(score)):
        assert sign(x, 1) is (score > 0)
        assert sign(x, -1.0) is (score < 0)
        for y in (0.0, 0.3, 0.5, 1):
            assert probability(x, y) is bool((score > 0 and y > 0.5) or (score <= 0 and y <= 0.5))


@given(st.lists(scores, min_size=1, max_size=4), st.data())
def test_right_classes(logits: list[float], data: st.DataObject) -> None:
    """The first of the largest; none if there is a nan."""
    right = CLASSES.right
    assert right is not None
    k = data.draw(st.integers(0, len(logits) - 1))
    expected = not any(map(math.isnan, logits)) and logits.index(max(logits)) == k
    shares = [0.6 if j == k else 0.4 / len(logits) for j in range(len(logits))]
    for given_logits in (logits, list(map(Value, logits))):
        assert right(given_logits, k) is expected
        assert right(given_logits, float(k)) is expected
        assert right(given_logits, shares) is expected


def test_a_nan_is_counted_as_wrong() -> None:
    row = [0.0, NAN]
    for name, prediction, target in (("hinge", NAN, 1), ("hinge", NAN, -1), ("cross_entropy", row, 1), ("cross_entropy", row, 0)):
        assert losses.zero_one([prediction], [target]) == 1.0
        right = losses.named(name).targets.right
        assert right is not None
        assert not right(prediction, target)


def test_what_knows_no_right_and_wrong() -> None:
    assert REALS.right is ANY.right is None
    assert [kind.of_classes for kind in KINDS.values()] == [False, False, False, True, False]
    expected = {"hinge": SIGNS, "squared_hinge": SIGNS, "logistic": SIGNS, "perceptron": SIGNS, "mse": REALS, "half_mse": REALS}
    expected |= {"binary_cross_entropy": PROBABILITIES, "cross_entropy": CLASSES, "kl_divergence": CLASSES}
    assert {name: loss.targets for name, loss in losses.NAMES.items()} == expected
