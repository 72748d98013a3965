"""Small data sets to learn from, as NumPy arrays: X, y = moons(100, noise=0.1, seed=0).

The toy sets have scikit-learn's shapes and draw as it does, so that `moons(n, noise, seed)` are the points of its
`make_moons(n, noise=noise, random_state=seed)`. The generator is NumPy's RandomState, whose numbers are the same in every version;
no global state is read or changed.

Two-class sets are labelled -1 and 1, as the margin losses want them; `labels=(0, 1)` is for the cross entropies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.extend import shown

from .support.rows import unmasked

Array = NDArray[Any]
Labels = Sequence[float]


class Dataset(tuple[Array, Array]):
    """X and y of one data set: it unpacks as `X, y = data`, and says what the numbers mean.

    Attributes:
        name: of the data set.
        X: array of shape (rows, features).
        y: array of shape (rows,).
        feature_names: what each column of X is.
        class_names: the name of each label in y, a dict; empty where y is not a class.

    >>> data = exercises()
    >>> X, y = data
    >>> X.shape, y.shape
    ((8, 4), (8,))
    >>> data
    <exercises: 8 rows of 4 features (x0, x1, x2, x3), 4 of class -1 (negative), 4 of class 1 (positive)>
    """

    name: str
    feature_names: tuple[str, ...]
    class_names: dict[float, str]

    def __new__(
        cls, name: str, X: Array, y: Array, feature_names: Sequence[str], class_names: Mapping[float, str] | None = None
    ) -> Dataset:
        data = super().__new__(cls, (X, y))
        data.name = name
        data.feature_names = tuple(feature_names)
        data.class_names = dict(class_names or {})
        return data

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.name, self.X, self.y, self.feature_names, self.class_names)

    @property
    def X(self) -> Array:
        return self[0]

    @property
    def y(self) -> Array:
        return self[1]

    def __repr__(self) -> str:
        names = self.feature_names if len(self.feature_names) <= 4 else (*self.feature_names[:3], "...")
        named = {label: f"{label}" if name == str(label) else f"{label} ({name})" for label, name in self.class_names.items()}
        classes = [f", {np.sum(self.y == label)} of class {name}" for label, name in named.items()]
        return f"<{self.name}: {len(self.y)} rows of {self.X.shape[1]} features ({', '.join(names)}){''.join(classes)}>"


def moons(n: int = 100, noise: float = 0.1, seed: int | None = 0, labels: Labels = (-1, 1)) -> Dataset:
    """Two half circles that reach into each other, the upper one of label -1, the lower one of label 1.

    Args:
        n: the number of points, half of them in each moon.
        noise: standard deviation of the normal noise on both coordinates.
        seed: of the order and the noise; None draws anew.
        labels: of the two classes.

    >>> X, y = moons(100, noise=0.1, seed=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((100, 2), [-1, 1])
    """
    _check(n, 2, noise)
    upper, lower = np.linspace(0, np.pi, n // 2), np.linspace(0, np.pi, n - n // 2)
    X = np.concatenate([_circle(upper), [1, 0.5] - _circle(lower)])
    return _two_rings("moons", X, noise, seed, labels, ("upper moon", "lower moon"))


def circles(n: int = 100, noise: float = 0.05, factor: float = 0.5, seed: int | None = 0, labels: Labels = (-1, 1)) -> Dataset:
    """A circle of radius 1, of label -1, around one of radius `factor`, of label 1.

    Args:
        n: the number of points, half of them on each circle.
        noise: standard deviation of the normal noise on both coordinates.
        factor: the radius of the inner circle, between 0 and 1.
        seed: of the order and the noise; None draws anew.
        labels: of the two classes.
    """
    _check(n, 2, noise)
    if not 0 <= factor < 1:
        raise ValueError(f"factor must be the radius of the inner circle, at least 0 and less than 1 (got {shown(factor)})")
    outer, inner = (np.linspace(0, 2 * np.pi, m, endpoint=False) for m in (n // 2, n - n // 2))
    X = np.concatenate([_circle(outer), factor * _circle(inner)])
    return _two_rings("circles", X, noise, seed, labels, ("outer circle", "inner circle"))


def blobs(
    n: int = 100,
    centers: int | Sequence[Sequence[float]] = 3,
    noise: float = 1.0,
    features: int = 2,
    seed: int | None = 0,
    labels: Labels | None = None,
) -> Dataset:
    """Clouds of normally distributed points, labelled 0, 1, ... in the order of their centres.

    Args:
        n: the number of points, divided evenly among the blobs.
        centers: how many blobs, their centres drawn from [-10, 10]; or the centres themselves.
        noise: the standard deviation of every blob.
        features: the dimension of the space, where the centres are drawn.
        seed: of the centres, the points and their order; None draws anew.
        labels: of the classes, instead of 0, 1, ...

    >>> X, y = blobs(6, centers=[[0.0, 0.0], [5.0, 5.0]], noise=0.0, labels=(-1, 1))
    >>> bool(((X.sum(axis=1) > 5) == (y == 1)).all())
    True
    """
    rng = np.random.RandomState(seed)
    if isinstance(centers, Integral):
        if centers < 1 or features < 1:
            raise ValueError(f"blobs need at least one centre and one feature (got centers={shown(centers)}, features={shown(features)})")
        centres = rng.uniform(-10, 10, size=(int(centers), features))
    else:
        centres = np.array(unmasked(centers, "centers"))
        if centres.ndim != 2 or centres.dtype.kind not in "biuf" or not np.isfinite(centres).all():
            raise ValueError(f"centers must be a number of blobs or a list of finite points of the same dimension (got {shown(centers)})")
    k = len(centres)
    _check(n, k, noise)
    sizes = [n // k + (i < n % k) for i in range(k)]
    X = np.concatenate([rng.normal(centre, noise, (size, len(centre))) for centre, size in zip(centres, sizes, strict=True)])
    index = np.repeat(range(k), sizes)
    order = _order(n, rng)
    return _classes("blobs", X[order], index[order], labels, [f"blob {i + 1}" for i in range(k)])


def xor(n: int = 4, noise: float = 0.0, seed: int | None = 0, labels: Labels = (-1, 1)) -> Dataset:
    """The corners of the unit square, label 1 where exactly one coordinate is 1; no line separates them.

    Args:
        n: the number of points, dealt to the corners (0, 0), (0, 1), (1, 0), (1, 1) in turn.
        noise: standard deviation of the normal noise on both coordinates.
        seed: of the noise; None draws anew.
        labels: of the two classes: coordinates equal, coordinates different.

    >>> X, y = xor()
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [-1, 1, 1, -1])
    """
    _check(n, 4, noise)
    corner = np.arange(n) % 4
    X = np.stack([corner // 2, corner % 2], axis=1)
    index = (corner // 2) ^ (corner % 2)
    return _classes("xor", X + np.random.RandomState(seed).normal(0.0, noise, X.shape), index, labels, ["equal", "different"])


def spiral(
    n: int = 300, arms: int = 3, noise: float = 0.02, turns: float = 0.75, seed: int | None = 0, labels: Labels | None = None
) -> Dataset:
    """Arms that wind around the origin: arm j of k runs through t (cos, sin)(2 pi (turns t + j/k)) for t from 0.1 to 1. Labels 0, 1, ...

    Args:
        n: the number of points, divided evenly among the arms.
        arms: how many, at least 2.
        noise: standard deviation of the normal noise on both coordinates.
        turns: how far each arm winds.
        seed: of the order and the noise; None draws anew.
        labels: of the classes, instead of 0, 1, ...

    >>> X, y = spiral(30, arms=2, labels=(-1, 1))
    >>> X.shape, int(y.sum())
    ((30, 2), 0)
    """
    if not isinstance(arms, Integral) or arms < 2:
        raise ValueError(f"arms must be an int of at least 2 (got {shown(arms)})")
    if not np.isfinite(turns):
        raise ValueError(f"turns must be a finite number (got {shown(turns)})")
    _check(n, arms, noise)
    rng = np.random.RandomState(seed)
    sizes = [n // arms + (j < n % arms) for j in range(arms)]
    index = np.repeat(range(arms), sizes)
    t = np.concatenate([np.linspace(0.1, 1.0, size) for size in sizes])
    X = t[:, None] * _circle(2 * np.pi * (turns * t + index / arms))
    order = _order(n, rng)
    return _classes("spiral", X[order] + rng.normal(0.0, noise, X.shape), index[order], labels, [f"arm {j + 1}" for j in range(arms)])


def commute() -> Dataset:
    """Five commutes: distance in km and whether it was a weekday, and the minutes it took. A regression.

    >>> commute()
    <commute: 5 rows of 2 features (distance, weekday)>
    """
    distance, weekday = [2.7, 4.1, 1.0, 5.2, 2.8], [1.0, 1.0, 0.0, 1.0, 0.0]
    minutes = [25.0, 33.0, 15.0, 45.0, 22.0]
    return Dataset("commute", np.column_stack([distance, weekday]), np.array(minutes), ("distance", "weekday"))


def exercises(labels: Labels = (-1, 1)) -> Dataset:
    """Eight points of four features that a linear model without bias is to separate; the set on which optimisers are compared by hand."""
    columns = [
        [-0.5, -1, 0.5, -0.2, -0.8, -0.15, -1, 0],
        [0.25, -0.1, 0, -0.3, 0, -0.5, 0, -0.25],
        [-0.8, -0.1, 0.25, 0.2, -0.8, 0.05, -1, 0.25],
        [-1, -1, 0.1, 0, -1, -0.25, -1, 0.1],
    ]
    return _classes("exercises", np.column_stack(columns), np.array([1, 1, 0, 0, 1, 0, 1, 0]), labels, ["negative", "positive"])


def iris() -> Dataset:
    """Fisher's irises: 150 flowers, four lengths in cm, species 0 setosa, 1 versicolor, 2 virginica (50 of each, in this order).

    The data is a copy of scikit-learn's file, which agrees with Fisher's paper where the UCI repository's does not; data/README.md beside
    this module has its history.

    >>> iris()
    <iris: 150 rows of 4 features (sepal length, sepal width, petal length, petal width),
     50 of class 0 (setosa), 50 of class 1 (versicolor), 50 of class 2 (virginica)>
    """
    header, *lines = files("nn").joinpath("data/iris.csv").read_text(encoding="utf-8").split()
    table = np.array([line.split(",") for line in lines], dtype=float)
    species = header.split(",")[2:]
    names = ("sepal length", "sepal width", "petal length", "petal width")
    return _classes("iris", table[:, :4], table[:, 4].astype(int), None, species, names)


def breast_cancer(labels: Labels = (-1, 1)) -> Dataset:
    """Breast Cancer Wisconsin (Diagnostic): 569 tumours, 30 features of cell nuclei, -1 malignant (212) and 1 benign (357).

    From scikit-learn, which must be installed. `labels=(0, 1)` gives its own target. The features differ in scale by a
    factor of 10 000: standardise them.

    Raises:
        ImportError: where scikit-learn is not installed.
    """
    raw = _from_sklearn("breast_cancer")
    return _classes("breast_cancer", raw.data, raw.target, labels, raw.target_names, raw.feature_names)


def digits() -> Dataset:
    """1797 handwritten digits, 8x8 pixels of 0 to 16 row by row, labelled 0 to 9. From scikit-learn, which must be installed.

    Raises:
        ImportError: where scikit-learn is not installed.
    """
    raw = _from_sklearn("digits")
    return _classes("digits", raw.data, raw.target, None, [str(i) for i in range(10)], raw.feature_names)


def _from_sklearn(name: str) -> Any:
    try:
        module = import_module("sklearn.datasets")
    except ImportError as error:
        raise ImportError(f"the data set {name} comes from scikit-learn, which could not be imported: pip install scikit-learn") from error
    return getattr(module, f"load_{name}")()


def _check(n: int, classes: int, noise: float) -> None:
    if not isinstance(n, Integral) or n < classes:
        raise ValueError(f"n must be an int of at least {classes}, one point for each part of the set (got {shown(n)})")
    if not isinstance(noise, Real) or not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a standard deviation, finite and not negative (got {shown(noise)})")


def _circle(angle: Array) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _order(n: int, rng: np.random.RandomState) -> Array:
    order = np.arange(n)
    rng.shuffle(order)
    return order


def _two_rings(name: str, X: Array, noise: float, seed: int | None, labels: Labels, class_names: Sequence[str]) -> Dataset:
    """The first half of X of class 0, the rest of class 1; shuffled, then moved by the noise."""
    rng = np.random.RandomState(seed)
    n = len(X)
    order = _order(n, rng)
    index = np.arange(n) >= n // 2
    return _classes(name, X[order] + rng.normal(0.0, noise, X.shape), index[order].astype(int), labels, class_names)


def _classes(
    name: str, X: Array, index: Array, labels: Labels | None, class_names: Sequence[str], feature_names: Sequence[str] | None = None
) -> Dataset:
    """A data set whose classes 0, 1, ... go by `labels`."""
    k = len(class_names)
    labels = range(k) if labels is None else labels
    if len(labels) != k or len(set(labels)) != k:
        raise ValueError(f"labels must be {k} different numbers, one for each class of {name} (got {shown(labels)})")
    y = np.array(labels)[index]
    features = [f"x{j}" for j in range(X.shape[1])] if feature_names is None else [str(feature) for feature in feature_names]
    return Dataset(name, X.astype(float), y, features, dict(zip(labels, map(str, class_names), strict=True)))
