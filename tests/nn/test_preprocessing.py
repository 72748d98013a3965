"""Preprocessing: standardised columns, a held-out part, minibatches; lists stay lists, arrays stay arrays."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nn.preprocessing import Standardizer, minibatches, train_test_split

NUMBERS = st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-100 else 0.0)


@st.composite
def tables(draw: st.DrawFn, least: int = 1) -> list[list[float]]:
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(NUMBERS, min_size=width, max_size=width), min_size=least, max_size=12))


# Minibatches


@given(n=st.integers(1, 50), size=st.integers(1, 60), seed=st.integers())
def test_minibatches_without_replacement_are_a_partition(n: int, size: int, seed: int) -> None:
    batches = list(minibatches(n, size, seed))
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= size
    assert list(minibatches(n, size, seed)) == batches
    assert list(minibatches([[0.0]] * n, size, Random(seed))) == batches


@given(n=st.integers(1, 50), size=st.integers(1, 60), seed=st.integers())
def test_minibatches_with_replacement_are_whole_draws(n: int, size: int, seed: int) -> None:
    batches = list(minibatches(n, size, seed, replacement=True))
    assert [len(batch) for batch in batches] == [size] * math.ceil(n / size)
    assert {i for batch in batches for i in batch} <= set(range(n))
    assert list(minibatches(n, size, seed, replacement=True)) == batches


@given(n=st.integers(1, 50), more=st.integers(0, 5), seed=st.integers())
def test_all_rows_in_one_batch_keep_their_order(n: int, more: int, seed: int) -> None:
    rng = Random(seed)
    state = rng.getstate()
    assert list(minibatches(n, n + more, rng)) == [list(range(n))]
    assert rng.getstate() == state


def test_draws_with_replacement_repeat_and_are_uniform() -> None:
    draws = [i for seed in range(100) for batch in minibatches(10, 10, replacement=True, rng=seed) for i in batch]
    counts = Counter(draws)
    assert sum((count - 100) ** 2 / 100 for count in counts.values()) < 27.9  # chi-squared of 9 degrees of freedom, 0.1 %
    assert any(len(set(batch)) < 10 for batch in minibatches(10, 10, 0, replacement=True))


def test_one_generator_reshuffles_each_epoch() -> None:
    rng = Random(0)
    epochs = [[i for batch in minibatches(20, 5, rng) for i in batch] for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs != [[i for batch in minibatches(20, 5) for i in batch] for _ in range(3)]


@pytest.mark.parametrize("size", [0, -1, 2.5, "2", None])
def test_minibatches_name_a_bad_size_at_once(size: Any) -> None:
    with pytest.raises(ValueError, match="size of a minibatch must be a positive int"):
        minibatches(4, size)


@pytest.mark.parametrize("rows", [0, [], -3])
def test_minibatches_of_nothing(rows: Any) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        minibatches(rows, 2)


def test_minibatches_accept_numpy_integers() -> None:
    assert list(minibatches(np.int64(5), np.int64(2), 0)) == list(minibatches(5, 2, 0))
    assert list(minibatches(np.zeros((5, 3)), 2, 0)) == list(minibatches(5, 2, 0))


# Splitting


@given(n=st.integers(2, 60), test=st.floats(0.01, 0.99), seed=st.integers(), stratify=st.booleans())
def test_a_split_keeps_every_row_with_its_target(n: int, test: float, seed: int, stratify: bool) -> None:
    assume(math.ceil(test * n) < n)
    X, y = [[float(i)] for i in range(n)], [i % 3 for i in range(n)]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test, seed, stratify)
    assert len(X_test) == math.ceil(test * n)
    assert sorted(X_train + X_test) == X
    for rows, targets in ((X_train, y_train), (X_test, y_test)):
        assert [int(x) % 3 for (x,) in rows] == targets
    assert train_test_split(X, y, test, seed, stratify) == (X_train, X_test, y_train, y_test)

    parts = train_test_split(np.array(X), np.array(y), test, seed, stratify)
    assert all(isinstance(part, np.ndarray) for part in parts)
    assert [part.tolist() for part in parts] == [X_train, X_test, y_train, y_test]


@given(counts=st.lists(st.integers(2, 30), min_size=2, max_size=4), test=st.floats(0.1, 0.9), seed=st.integers())
def test_a_stratified_split_holds_out_the_same_fraction_of_every_class(counts: list[int], test: float, seed: int) -> None:
    """Each class is rounded by itself; what rounding leaves over is shared, less than one row more for each class."""
    y = [k for k, count in enumerate(counts) for _ in range(count)]
    assume(math.ceil(test * len(y)) < len(y))
    _, _, _, y_test = train_test_split(y, y, test, seed, stratify=True)
    share = len(y_test) / len(y)
    for k, count in enumerate(counts):
        rounding = 0.5 + count / len(y) * len(counts) / 2
        assert abs(y_test.count(k) - share * count) <= rounding + 1e-9


def test_a_stratified_split_of_balanced_classes_is_exact_and_still_mixed() -> None:
    y = [0] * 40 + [1] * 40
    _, _, y_train, y_test = train_test_split(y, y, 0.25, seed=0, stratify=True)
    assert (y_test.count(0), y_test.count(1)) == (10, 10)
    assert y_train not in (sorted(y_train), sorted(y_train, reverse=True), [0, 1] * 30, [1, 0] * 30)


def test_another_seed_splits_otherwise() -> None:
    rows = list(range(100))
    assert train_test_split(rows, rows, seed=0) != train_test_split(rows, rows, seed=1)
    assert train_test_split(rows, rows, seed=None) != train_test_split(rows, rows, seed=None)


def test_a_split_of_data_frames() -> None:
    class Frame:
        """Iterated over, it gives the names of its columns."""

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.arange(16.0).reshape(8, 2)

        def __len__(self) -> int:
            return 8

        def __iter__(self) -> Any:
            return iter("ab")

    parts = train_test_split(Frame(), Frame(), seed=3)
    assert [part.tolist() for part in parts] == [p.tolist() for p in train_test_split(*[np.arange(16.0).reshape(8, 2)] * 2, seed=3)]


def test_a_split_is_of_a_quarter_by_seed_0_and_not_stratified() -> None:
    X, y = list(range(10)), [0] * 6 + [1] * 4
    assert train_test_split(X, y) == train_test_split(X, y, 0.25, 0, False)
    assert len(train_test_split(X, y)[1]) == 3


@pytest.mark.parametrize("test", [0, 1, -0.2, 1.5, float("nan"), "0.25", None])
def test_a_split_names_a_bad_fraction(test: Any) -> None:
    with pytest.raises(ValueError, match="test must be a fraction between 0 and 1"):
        train_test_split([1, 2, 3], [1, 2, 3], test)


@pytest.mark.parametrize("n", [0, 1])
def test_a_split_needs_rows_on_both_sides(n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} row.*leaves nothing to train on"):
        train_test_split([1] * n, [1] * n)


def test_a_split_needs_as_many_targets_as_rows() -> None:
    with pytest.raises(ValueError, match=r"same length \(got 3 rows and 2 targets"):
        train_test_split([1, 2, 3], [1, 2])


# Standardizing


@given(tables())
def test_standardized_columns_have_mean_0_and_deviation_1(X: list[list[float]]) -> None:
    s = Standardizer()
    Z = np.array(s.fit_transform(X))
    A = np.array(X)
    constant = A.max(axis=0) == A.min(axis=0)
    resolution = np.finfo(float).eps * np.abs(A).max(axis=0) / s.scale  # what the rounding of the mean costs in units of the scale
    assert (np.abs(Z.mean(axis=0)) <= 4 * resolution + 1e-15).all()
    resolved = np.array(s.scale) > 1e-6 * np.abs(A).max(axis=0)
    np.testing.assert_allclose(Z.std(axis=0)[~constant & resolved], 1, rtol=1e-9)
    assert (Z[:, constant] == 0).all()
    assert (np.array(s.scale)[constant] == 1).all()


@given(tables())
def test_inverse_undoes_transform(X: list[list[float]]) -> None:
    s = Standardizer().fit(X)
    largest = np.abs(X).max(axis=0)
    error = np.abs(np.array(s.inverse(s.transform(X))) - X)
    assert (error <= 4 * np.finfo(float).eps * largest).all()


@given(tables(least=2))
def test_standardizing_agrees_with_scikit_learn(X: list[list[float]]) -> None:
    theirs = pytest.importorskip("sklearn.preprocessing")
    A = np.array(X)
    spread = A.std(axis=0)
    assume(((spread > 1e-6 * np.abs(A).max(axis=0)) & (spread > 1e-100)).all())  # scikit-learn takes nearly constant columns for constant
    scaler = theirs.StandardScaler().fit(A)
    s = Standardizer().fit(X)
    np.testing.assert_allclose(s.mean, scaler.mean_, rtol=1e-12, atol=1e-12 * np.abs(A).max())
    np.testing.assert_allclose(s.scale, scaler.scale_, rtol=1e-9)


def test_the_test_data_is_measured_by_the_training_data() -> None:
    s = Standardizer().fit([[0.0, 3.0], [2.0, 3.0]])
    assert (s.mean, s.scale) == ([1.0, 3.0], [1.0, 1.0])
    assert s.transform([[5.0, 4.5]]) == [[4.0, 1.5]]


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 1e300, -5e-324, 0.0])
def test_a_constant_column_becomes_exactly_0_and_comes_back(constant: float) -> None:
    X = [[constant]] * 7
    s = Standardizer()
    assert s.fit_transform(X) == [[0.0]] * 7
    assert s.inverse([[0.0]]) == [[constant]]


def test_lists_stay_lists_and_arrays_arrays() -> None:
    rows = [[1, 10], [2, 30], [6, 20]]
    from_rows, from_array = Standardizer().fit(rows), Standardizer().fit(np.array(rows))
    assert (from_rows.mean, from_rows.scale) == (from_array.mean, from_array.scale)
    for state in (from_array.mean, from_array.scale):
        assert type(state) is list
        assert {type(number) for number in state} == {float}
    lists, array = from_rows.transform(rows), from_array.transform(np.array(rows))
    assert type(lists) is list
    assert type(array) is np.ndarray
    assert array.tolist() == lists
    assert Standardizer().fit([np.array(row) for row in rows]).transform([np.array(row) for row in rows]) == lists
    assert isinstance(from_array.inverse(array), np.ndarray)


def test_plain_numbers_are_rows_of_one() -> None:
    assert Standardizer().fit_transform([1.0, 3.0]) == [[-1.0], [1.0]]


def test_before_fit_the_error_says_what_to_do() -> None:
    for use in (Standardizer().transform, Standardizer().inverse):
        with pytest.raises(ValueError, match=r"call fit\(X\) with the training data first"):
            use([[1.0]])
    assert repr(Standardizer()) == "Standardizer()"
    assert repr(Standardizer().fit([[1.0, 2.0]])) == "Standardizer(2 columns)"


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "X is empty"),
        ([[1.0], [math.nan]], ValueError, r"X\[1\]\[0\] is nan"),
        ([[1.0, math.inf]], ValueError, r"X\[0\]\[1\] is inf"),
        ([[1.0], ["2"]], TypeError, r"X\[1\]\[0\] must be a number \(got '2'"),
        ([[1.0], [None]], TypeError, r"X\[1\]\[0\] must be a number"),
        ([[1.0, 2.0], [3.0]], ValueError, r"all rows of X must have one length"),
        (["ab", "cd"], TypeError, r"X\[0\] must be a number"),
        ([[1.7e308], [-1.7e308]], ValueError, "spread of column 0 of X does not fit"),
        ([[0.0]] * 99 + [[5e-324]], ValueError, "spread of column 0 of X does not fit"),
    ],
)
def test_bad_rows_are_named_and_the_state_is_kept(X: Any, error: type[Exception], message: str) -> None:
    s = Standardizer().fit([[0.0], [2.0]])
    with pytest.raises(error, match=message):
        s.fit(X)
    assert (s.mean, s.scale) == ([1.0], [1.0])


def test_other_widths_are_refused() -> None:
    s = Standardizer().fit([[0.0, 1.0], [2.0, 5.0]])
    for use in (s.transform, s.inverse):
        with pytest.raises(ValueError, match=r"the 2 column\(s\) that fit saw \(got 3"):
            use([[1.0, 2.0, 3.0]])


def test_lists_need_no_numpy() -> None:
    program = """
import sys
sys.modules["numpy"] = None
from nn.preprocessing import *
assert len(list(minibatches(5, 2, 0))) == 3
assert len(train_test_split([[1.0]] * 8, [0, 1] * 4, stratify=True)[1]) == 2
assert Standardizer().fit_transform([[1.0], [3.0]]) == [[-1.0], [1.0]]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
