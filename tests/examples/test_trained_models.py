"""What the networks of the worked examples reach when trained, each with one setting for all seeds."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest

import nn
from nn import datasets
from nn.losses import zero_one
from nn.optim import Adam
from nn.preprocessing import Standardizer, train_test_split

SEEDS = range(5)


def test_moons_are_told_apart_within_100_epochs() -> None:
    X, y = datasets.moons(100, noise=0.1, seed=0)
    model = nn.MLP(2, [16, 16, 1], seed=0)
    history = nn.fit(model, X, y, loss="hinge", epochs=60, batch_size=20, progress=False, seed=0)
    assert history.metric[-1] == 1.0
    assert zero_one(model.predict(X), y) == 0.0


def test_xor_is_solved_from_almost_any_start() -> None:
    X, y = datasets.xor()
    assert sum(_solves(seed, X, y) for seed in range(10)) >= 9


def _solves(seed: int, X: Any, y: Any) -> bool:
    model = nn.MLP(2, [4, 1], activation="tanh", seed=seed)
    nn.fit(model, X, y, loss="logistic", optimizer=Adam(model, lr=0.1), epochs=100, progress=False, seed=seed)
    return zero_one(model.predict(X), y) == 0.0


def test_a_linear_model_cannot_solve_xor() -> None:
    """The witness that the hidden layer does it: no line has more than three of the four corners on their sides."""
    X, y = datasets.xor()
    model = nn.Linear(2, 1, rng=0)
    nn.fit(model, X, y, loss="logistic", optimizer=Adam(model, lr=0.1), epochs=100, progress=False)
    assert zero_one(model.predict(X), y) >= 0.25


def test_iris_of_plants_not_seen() -> None:
    accuracy = fmean(_held_out("cross_entropy", [8, 3], 40, *_split(datasets.iris(), seed), seed) for seed in SEEDS)
    assert accuracy >= 0.95


def test_breast_cancer_as_well_as_logistic_regression() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    splits = [_split(datasets.breast_cancer(labels=(0, 1)), seed) for seed in SEEDS]
    ours = fmean(_held_out("binary_cross_entropy", [8, 1], 10, *split, seed) for seed, split in zip(SEEDS, splits, strict=True))
    theirs = fmean(_of_scikit_learn(linear.LogisticRegression(max_iter=1000), *split) for split in splits)
    assert ours >= theirs - 0.01


@pytest.mark.slow
def test_digits_as_well_as_logistic_regression() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    split = _split(datasets.digits(), 0)
    ours = _held_out("cross_entropy", [32, 10], 10, *split, 0)
    theirs = _of_scikit_learn(linear.LogisticRegression(max_iter=1000), *split)
    assert ours >= theirs - 0.01


def _split(data: Any, seed: int) -> tuple[Any, Any, Any, Any]:
    """A quarter held out of every class, standardised by what is left."""
    X, y = data
    X_train, X_test, y_train, y_test = train_test_split(X, y, 0.25, seed=seed, stratify=True)
    standardizer = Standardizer().fit(X_train)
    return standardizer.transform(X_train), standardizer.transform(X_test), y_train, y_test


def _held_out(loss: str, sizes: list[int], epochs: int, X_train: Any, X_test: Any, y_train: Any, y_test: Any, seed: int) -> float:
    """The accuracy on rows that training has not seen."""
    model = nn.MLP(len(X_train[0]), sizes, activation="tanh", seed=seed)
    nn.fit(model, X_train, y_train, loss=loss, epochs=epochs, batch_size=16, progress=False, seed=seed)
    return 1.0 - zero_one(model.predict(X_test), y_test)


def _of_scikit_learn(model: Any, X_train: Any, X_test: Any, y_train: Any, y_test: Any) -> float:
    return float(model.fit(X_train, y_train).score(X_test, y_test))
