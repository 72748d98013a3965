"""Data sets: the points of scikit-learn's generators, balanced classes, labels of one's choice, no global state."""

from __future__ import annotations

import copy
import hashlib
import pickle
import random
import sys
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import datasets
from nn.datasets import Dataset, blobs, breast_cancer, circles, commute, digits, exercises, iris, moons, spiral, xor

TOYS: dict[str, Callable[..., Dataset]] = {"moons": moons, "circles": circles, "blobs": blobs, "xor": xor, "spiral": spiral}
CLASSES = {"moons": 2, "circles": 2, "blobs": 3, "xor": 2, "spiral": 3}
SEED = st.integers(0, 2**32 - 1)
SIZE = st.integers(4, 60)
NOISE = st.floats(0.0, 2.0)
ROUNDING = 1e-15

each_toy = pytest.mark.parametrize("name", TOYS)


@given(n=SIZE, noise=NOISE, seed=SEED)
def test_moons_and_circles_are_those_of_scikit_learn(n: int, noise: float, seed: int) -> None:
    theirs = pytest.importorskip("sklearn.datasets")
    for ours, expected in (
        (moons(n, noise, seed, labels=(0, 1)), theirs.make_moons(n, noise=noise, random_state=seed)),
        (circles(n, noise, 0.3, seed, labels=(0, 1)), theirs.make_circles(n, noise=noise, factor=0.3, random_state=seed)),
    ):
        np.testing.assert_allclose(ours.X, expected[0], rtol=0, atol=ROUNDING)
        assert (ours.y == expected[1]).all()


@given(n=SIZE, k=st.integers(1, 4), features=st.integers(1, 5), noise=NOISE, seed=SEED)
def test_blobs_are_those_of_scikit_learn(n: int, k: int, features: int, noise: float, seed: int) -> None:
    theirs = pytest.importorskip("sklearn.datasets")
    X, y = theirs.make_blobs(n, features, centers=k, cluster_std=noise, random_state=seed)
    ours = blobs(n, k, noise, features, seed)
    assert (ours.X == X).all()
    assert (ours.y == y).all()


@each_toy
@given(n=SIZE, noise=NOISE, seed=SEED)
def test_toy_sets_are_balanced_and_depend_on_the_seed_alone(name: str, n: int, noise: float, seed: int) -> None:
    make = TOYS[name]
    before = random.getstate(), repr(np.random.get_state())
    data = make(n, noise=noise, seed=seed)
    assert (random.getstate(), repr(np.random.get_state())) == before
    again = make(n, noise=noise, seed=seed)
    assert (again.X == data.X).all()
    assert (again.y == data.y).all()

    assert data.X.shape == (n, 2)
    assert data.y.shape == (n,)
    assert data.X.dtype == float
    counts = [int(np.sum(data.y == label)) for label in data.class_names]
    assert len(counts) == CLASSES[name]
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1


@each_toy
def test_another_seed_gives_other_points_and_no_seed_gives_fresh_ones(name: str) -> None:
    make = TOYS[name]
    clouds = [make(40, noise=0.1, seed=seed).X for seed in (0, 1, None, None)]
    for i, a in enumerate(clouds):
        for b in clouds[:i]:
            assert not (a == b).all()


@each_toy
def test_labels_rename_the_classes_and_move_no_point(name: str) -> None:
    labels = [7.5, -2.0, 3.0][: CLASSES[name]]
    default, renamed = TOYS[name](20), TOYS[name](20, labels=labels)
    assert (renamed.X == default.X).all()
    assert list(renamed.class_names) == labels
    names = list(default.class_names.values())
    assert list(renamed.class_names.values()) == names
    assert [renamed.class_names[label] for label in renamed.y.tolist()] == [default.class_names[label] for label in default.y.tolist()]


@each_toy
def test_two_class_sets_are_labelled_minus_one_and_one_and_the_others_count(name: str) -> None:
    expected = {-1, 1} if name in ("moons", "circles", "xor") else {0, 1, 2}
    assert set(TOYS[name]().y.tolist()) == expected


def test_without_noise_the_points_lie_on_their_curves() -> None:
    X, y = moons(51, noise=0.0)
    upper, lower = X[y == -1], X[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, atol=ROUNDING)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, atol=ROUNDING)
    assert upper[:, 1].min() >= 0 > lower[:, 1].min()

    X, y = circles(51, noise=0.0, factor=0.25)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == -1, 1, 0.25), atol=ROUNDING)

    X, y = spiral(51, arms=3, noise=0.0, turns=1.5)
    radius = np.hypot(*X.T)
    assert (radius.min(), radius.max()) == pytest.approx((0.1, 1.0))
    angle = np.arctan2(X[:, 1], X[:, 0]) - 2 * np.pi * (1.5 * radius + y / 3)
    np.testing.assert_allclose(np.cos(angle), 1, atol=1e-12)

    X, y = blobs(9, centers=[[1, 2], [3, 4], [5, 6]], noise=0.0)
    assert (np.array([[1, 2], [3, 4], [5, 6]])[y] == X).all()


def test_xor_is_the_truth_table_again_and_again() -> None:
    table = [[0.0, 0.0, -1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, -1.0]]
    X, y = xor(8)
    assert np.column_stack([X, y]).tolist() == table * 2


def test_noise_has_the_standard_deviation_that_was_asked_for() -> None:
    """Of 20 000 numbers: its own standard error is 1 / sqrt(40 000), half a per cent."""
    for make in (moons, circles, xor):
        spread = np.std(make(10_000, noise=0.3).X - make(10_000, noise=0.0).X)
        assert spread == pytest.approx(0.3, rel=0.03)


@each_toy
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"n": 1}, "n must be an int of at least .* one point"),
        ({"n": 10.0}, "n must be an int"),
        ({"noise": -0.1}, "noise must be a standard deviation, finite and not negative"),
        ({"noise": float("nan")}, "noise must be"),
        ({"noise": float("inf")}, "noise must be"),
        ({"labels": (1, 1, 1)}, "labels must be . different numbers"),
        ({"labels": (1,)}, "labels must be"),
    ],
)
def test_bad_arguments_are_named(name: str, bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TOYS[name](**bad)


@pytest.mark.parametrize(
    ("make", "bad", "message"),
    [
        (circles, {"factor": 1.0}, "factor must be the radius of the inner circle"),
        (circles, {"factor": -0.1}, "factor"),
        (spiral, {"arms": 1}, "arms must be an int of at least 2"),
        (spiral, {"arms": 2.0}, "arms"),
        (spiral, {"turns": float("inf")}, "turns must be a finite number"),
        (blobs, {"centers": 0}, "at least one centre"),
        (blobs, {"features": 0}, "one feature"),
        (blobs, {"centers": [1.0, 2.0]}, "centers must be a number of blobs or a list of finite points"),
        (blobs, {"centers": [[1.0, float("nan")]]}, "finite points"),
    ],
)
def test_bad_shapes_are_named(make: Callable[..., Dataset], bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**bad)


def test_commute_and_exercises_are_the_documents() -> None:
    X, y = commute()
    assert X.tolist() == [[2.7, 1], [4.1, 1], [1.0, 0], [5.2, 1], [2.8, 0]]
    assert y.tolist() == [25, 33, 15, 45, 22]
    assert commute().feature_names == ("distance", "weekday")
    assert commute().class_names == {}

    X, y = exercises()
    assert X[0].tolist() == [-0.5, 0.25, -0.8, -1]
    assert X[-1].tolist() == [0, -0.25, 0.25, 0.1]
    assert y.tolist() == [1, 1, -1, -1, 1, -1, 1, -1]


def test_iris_is_the_file_that_its_provenance_names() -> None:
    path = files("nn").joinpath("data")
    checksum = hashlib.sha256(path.joinpath("iris.csv").read_bytes()).hexdigest()
    assert checksum in path.joinpath("README.md").read_text(encoding="utf-8")


def test_iris_has_fishers_values_where_other_copies_err() -> None:
    X, y = iris()
    assert X.shape == (150, 4)
    assert [int(np.sum(y == k)) for k in range(3)] == [50, 50, 50]
    assert X[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert X[37].tolist() == [4.9, 3.6, 1.4, 0.1]
    assert iris().class_names == {0: "setosa", 1: "versicolor", 2: "virginica"}
    np.testing.assert_allclose(X.mean(axis=0), [5.843333, 3.057333, 3.758, 1.199333], atol=1e-6)


def test_sets_of_scikit_learn() -> None:
    theirs = pytest.importorskip("sklearn.datasets")
    for ours, raw in (
        (iris(), theirs.load_iris()),
        (breast_cancer(labels=(0, 1)), theirs.load_breast_cancer()),
        (digits(), theirs.load_digits()),
    ):
        assert (raw.data == ours.X).all()
        assert (ours.y == raw.target).all()
        assert len(ours.feature_names) == ours.X.shape[1]
        assert list(ours.class_names.values()) == [str(name) for name in raw.target_names]
    data = breast_cancer()
    assert {data.class_names[label]: int(np.sum(data.y == label)) for label in (-1, 1)} == {"malignant": 212, "benign": 357}


@pytest.mark.parametrize("make", [breast_cancer, digits])
def test_without_scikit_learn_the_error_says_how_to_get_it(make: Callable[[], Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=f"{make.__name__} comes from scikit-learn.*pip install scikit-learn"):
        make()


def test_a_dataset_unpacks_prints_copies_and_pickles() -> None:
    data = moons(5)
    X, y = data
    assert X is data.X
    assert y is data.y
    assert repr(data) == "<moons: 5 rows of 2 features (x0, x1), 2 of class -1 (upper moon), 3 of class 1 (lower moon)>"
    for other in (copy.copy(data), copy.deepcopy(data), pickle.loads(pickle.dumps(data))):
        assert type(other) is Dataset
        assert repr(other) == repr(data)
        assert (other.X == X).all()


def test_every_public_set_is_tested_here() -> None:
    made = {name for name, f in vars(datasets).items() if getattr(f, "__annotations__", {}).get("return") == "Dataset" and name[0] != "_"}
    assert made == {*TOYS, "commute", "exercises", "iris", "breast_cancer", "digits"}
