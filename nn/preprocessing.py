"""Data before training: standardised columns, a held-out part, minibatches. Lists stay lists, arrays stay arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence, Sized
from numbers import Integral
from operator import index
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd.extend import shown

from .support.rows import Data, Row, features, labels, unmasked

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from .support.types import Table

T = TypeVar("T", bound=Sized)
U = TypeVar("U", bound=Sized)


def minibatches(n: int | Sized, size: int, rng: Random | int | None = None, replacement: bool = False) -> Iterator[list[int]]:
    """The indices of one epoch, in batches of `size`: each row once in a fresh order, or drawn with replacement. Rows that all fit in one
    batch keep their order, as another would change nothing but roundings.

    Args:
        n: the number of rows, or the rows.
        size: rows per batch. Without replacement the last batch holds what is left.
        rng: a random.Random, which goes on from epoch to epoch, or a seed; None draws anew.
        replacement: draw the rows of each batch independently; then an epoch is as many whole batches as without.

    >>> list(minibatches(3, 3))
    [[0, 1, 2]]
    >>> [len(batch) for batch in minibatches(10, 4)]
    [4, 4, 2]
    >>> X = [[0.0], [1.0], [2.0]]
    >>> [len(batch) for batch in minibatches(X, 2, replacement=True)]
    [2, 2]
    """
    n = len(n) if isinstance(n, Sized) else index(n)
    if n < 1:
        raise ValueError(f"minibatches need at least one row (got {n})")
    if not isinstance(size, Integral) or size < 1:
        raise ValueError(f"size of a minibatch must be a positive int (got {shown(size)})")
    rng = rng if isinstance(rng, Random) else Random(rng)
    if replacement:
        return (rng.choices(range(n), k=size) for _ in range(0, n, size))
    order = list(range(n))
    if size < n:
        rng.shuffle(order)
    return (order[i : i + size] for i in range(0, n, size))


def train_test_split(X: T, y: U, test: float = 0.25, seed: int | None = 0, stratify: bool = False) -> tuple[T, T, U, U]:
    """X_train, X_test, y_train, y_test: the rows in a random order, the part `test` of them held out.

    Args:
        X, y: lists or arrays of the same length.
        test: the fraction held out, strictly between 0 and 1; the number of rows is rounded up, as in scikit-learn.
        seed: of the order; None draws anew.
        stratify: hold out the same fraction of every class in `y`, to the nearest row.

    >>> X_train, X_test, y_train, y_test = train_test_split([[0], [1], [2], [3]], [0, 1, 2, 3])
    >>> len(X_train), len(X_test), [x for x, in X_train] == y_train
    (3, 1, True)
    """
    n = len(unmasked(X, "X"))
    if len(unmasked(y, "y")) != n:
        raise ValueError(f"X and y must have the same length (got {n} rows and {len(y)} targets)")
    if not isinstance(test, (int, float)) or not 0 < test < 1:
        raise ValueError(f"test must be a fraction between 0 and 1 (got {shown(test)})")
    held_out = math.ceil(test * n)
    if held_out >= n:
        raise ValueError(f"test={shown(test)} of {n} row(s) leaves nothing to train on: give more rows or a smaller test")

    order = list(range(n))
    Random(seed).shuffle(order)
    chosen = set((_evenly(order, y) if stratify else order)[:held_out])
    parts = [i for i in order if i not in chosen], [i for i in order if i in chosen]
    X_train, X_test = (_take(X, part) for part in parts)
    y_train, y_test = (_take(y, part) for part in parts)
    return X_train, X_test, y_train, y_test


def _evenly(order: list[int], y: Any) -> list[int]:
    """The same indices, so arranged that every class runs out at the same pace: any beginning is a stratified sample."""
    labels = _array_of(y)
    classes: dict[Any, list[int]] = {}
    for i in order:
        classes.setdefault(labels[i], []).append(i)
    pace = {i: (rank + 0.5) / len(members) for members in classes.values() for rank, i in enumerate(members)}
    return sorted(order, key=pace.__getitem__)


def _take(data: Any, indices: list[int]) -> Any:
    """The elements at `indices`: an array from an array (or a data frame), else a list."""
    data = _array_of(data)
    return data[indices] if hasattr(data, "__array__") else [data[i] for i in indices]


def split_off(X: Any, y: Any, validation: float | tuple[Any, Any] | None, seed: int) -> tuple[Data, Data | None]:
    """The rows to train on and those held out: none, a fraction, or other rows."""
    given = features(X)
    targets = labels(y, len(given))
    if validation is None:
        return (given, targets), None
    if isinstance(validation, tuple) and len(validation) == 2:
        held_out = features(validation[0], "validation X")
        return (given, targets), (held_out, labels(validation[1], len(held_out), "validation y", "validation X"))
    if not isinstance(validation, float) or not 0.0 < validation < 1.0:
        raise ValueError(f"validation must be a fraction between 0 and 1 of the rows, or a pair (X, y) (got {shown(validation)})")
    X_train, X_held_out, y_train, y_held_out = train_test_split(given, targets, validation, seed)
    return (X_train, y_train), (X_held_out, y_held_out)


class Standardizer:
    """x -> (x - mean) / std of each column, both taken from the training data: every feature then counts alike.

    `std` is the population's, sqrt(mean((x - mean)^2)), as in scikit-learn's StandardScaler. A column whose values are all
    the same has scale 1: it becomes 0, and comes back unchanged.

    Attributes:
        mean: the mean of each column, a list of floats.
        scale: the standard deviation of each column, 1 for a constant one, a list of floats.

    Rows are lists of numbers or a 2-D array (plain numbers count as rows of one); `transform` and `inverse` give lists for lists, arrays
    for arrays.

    >>> s = Standardizer()
    >>> s.fit_transform([[1.0, 5.0], [3.0, 5.0]])
    [[-1.0, 0.0], [1.0, 0.0]]
    >>> s.transform([[4.0, 6.0]])
    [[2.0, 1.0]]
    >>> s.inverse([[2.0, 1.0]])
    [[4.0, 6.0]]
    """

    mean: list[float]
    scale: list[float]

    def fit(self, X: Table) -> Standardizer:
        """Learn mean and scale from rows; gives the Standardizer itself."""
        columns = [_column(column, j) for j, column in enumerate(zip(*features(X), strict=True))]
        self.mean = [mean for mean, _ in columns]
        self.scale = [scale for _, scale in columns]
        return self

    @overload
    def transform(self, X: NDArray[Any]) -> NDArray[float64]: ...
    @overload
    def transform(self, X: Sequence[Any]) -> list[Row]: ...
    @overload
    def transform(self, X: Table) -> Table: ...
    def transform(self, X: Table) -> Table:
        """(x - mean) / scale, with the mean and scale of the data that `fit` saw."""
        rows = self._fitting(X)
        return _like(X, [[(x - m) / s for x, m, s in zip(row, self.mean, self.scale, strict=True)] for row in rows])

    @overload
    def inverse(self, X: NDArray[Any]) -> NDArray[float64]: ...
    @overload
    def inverse(self, X: Sequence[Any]) -> list[Row]: ...
    @overload
    def inverse(self, X: Table) -> Table: ...
    def inverse(self, X: Table) -> Table:
        """x * scale + mean: undoes `transform`."""
        rows = self._fitting(X)
        return _like(X, [[x * s + m for x, m, s in zip(row, self.mean, self.scale, strict=True)] for row in rows])

    @overload
    def fit_transform(self, X: NDArray[Any]) -> NDArray[float64]: ...
    @overload
    def fit_transform(self, X: Sequence[Any]) -> list[Row]: ...
    @overload
    def fit_transform(self, X: Table) -> Table: ...
    def fit_transform(self, X: Table) -> Table:
        """`fit`, then `transform` of the same rows."""
        return self.fit(X).transform(X)

    def _fitting(self, X: Any) -> list[Row]:
        if not hasattr(self, "mean"):
            raise ValueError("this Standardizer has no mean and scale yet: call fit(X) with the training data first")
        rows = features(X)
        if len(rows[0]) != len(self.mean):
            raise ValueError(f"X must have the {len(self.mean)} column(s) that fit saw (got {len(rows[0])})")
        return rows

    def __repr__(self) -> str:
        return f"Standardizer({len(self.mean)} columns)" if hasattr(self, "mean") else "Standardizer()"


def _column(column: tuple[float, ...], j: int) -> tuple[float, float]:
    """Mean and scale of one column. The mean is summed exactly; hypot neither overflows nor underflows."""
    if min(column) == max(column):
        return column[0], 1.0
    n = len(column)
    mean = math.fsum(x / n for x in column)
    scale = math.hypot(*(x - mean for x in column)) / math.sqrt(n)
    if not 0.0 < scale < math.inf:
        raise ValueError(f"the spread of column {j} of X does not fit a float (from {min(column)} to {max(column)}): rescale it first")
    return mean, scale


def _array_of(data: Any) -> Any:
    """The array of what holds one (a data frame iterates over the names of its columns), else the data itself."""
    return data.__array__() if hasattr(data, "__array__") else data


def _like(X: Any, rows: list[Row]) -> Any:
    if not hasattr(X, "__array__"):
        return rows
    import numpy as np

    return np.array(rows)
