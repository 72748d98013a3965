"""Linear models, w . x + b: the perceptron, least squares in closed form, and any of them by descent on the graph.

>>> model = LinearRegression().fit([[1.0], [2.0], [3.0]], [3.0, 5.0, 7.0])
>>> [round(w.data, 6) for w in model.w], round(model.b.data, 6)
([2.0], 1.0)

They are modules, whose weights exist once data has shown how many there are. `bias=False` leaves b out; a column of ones among the
features then takes its place, and a penalty acts on it as on any other weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import mul
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from autograd import Value, dot, mean, square
from autograd import sum as total
from autograd.extend import shown

from . import init, losses, regularizers
from .fitting.fit import fit as train
from .fitting.history import History
from .losses import Loss
from .modules.module import Module
from .optim import SGD, Optimizer
from .schedules import Schedule
from .support.checks import positive_int
from .support.rows import Row, features, labels

M = TypeVar("M", bound="LinearRegression")
P = TypeVar("P", bound="Perceptron")
C = TypeVar("C", bound="LinearClassifier")
Rows = list[Row]
Margin: TypeAlias = Literal["hinge", "squared_hinge", "logistic", "perceptron"]


class LinearModel(Module):
    """w . x + b. What the models below have in common.

    Attributes:
        w: the weights, a list of Values; empty before the first fit.
        b: the bias, a Value; None without.
        loss: the loss that descent minimises.
        strength: of the penalty strength/2 |w|^2 on the weights; the bias is left out.
    """

    loss: Loss = losses.half_mse
    strength: float = 0.0

    def __init__(self, bias: bool = True) -> None:
        self.w: list[Value] = []
        self.b: Value | None = Value(0.0, "b") if bias else None

    def features(self, x: Any) -> Sequence[Any]:
        """What the weights multiply, from one row."""
        return x if hasattr(x, "__len__") else [x]

    def forward(self, x: Any) -> Any:
        if not self.w:
            raise ValueError(f"this {type(self).__name__} has no weights yet: call fit(X, y) or descend(X, y) first")
        phi = self.features(x)
        if len(phi) != len(self.w):
            raise ValueError(f"the model has {len(self.w)} weights (got a row of {len(phi)} numbers)")
        z = dot(self.w, phi)
        return z if self.b is None else z + self.b

    def descend(
        self, X: Any, y: Any, optimizer: Callable[..., Optimizer] = SGD, lr: float | Schedule = 0.1, epochs: int = 100, **options: Any
    ) -> History:
        """Minimise the mean loss and the penalty by descent on the graph, from the present weights (0 in a new model).

        Args:
            X, y: rows of numbers, and a target for each.
            optimizer: makes the optimiser from the parameters and lr: a class of `nn.optim`, or `partial(SGD, momentum=0.5)`.
            lr: the learning rate, or a schedule that counts updates.
            epochs: how often to go through the data.
            **options: of `nn.fit`, such as batch_size=1. All rows make one batch unless it says otherwise.
        """
        rows, targets = self._data(X, y)
        before = self.w
        self._resize(len(self.features(rows[0])))
        try:
            penalty = regularizers.l2(self.strength) if self.strength else None
            settings = {"loss": self.loss, "regularizer": penalty, "progress": False, **options}
            return train(self, rows, targets, optimizer=optimizer(self.parameters(), lr), epochs=epochs, **settings)
        except (TypeError, ValueError):
            self.w = before  # bad settings change nothing, even if this data was the first
            raise

    def load_state_dict(self, given: Mapping[str, float]) -> None:
        """Take over a state; a model without weights takes as many as it holds."""
        before = self.w
        if not before and isinstance(given, Mapping):
            self._resize(sum(str(name).startswith("w.") for name in given))
        try:
            super().load_state_dict(given)
        except Exception:
            self.w = before
            raise

    def _data(self, X: Any, y: Any) -> tuple[Rows, list[float]]:
        """The rows and targets, checked, as lists."""
        rows = features(X)
        targets = labels(y, len(rows))
        for i, t in enumerate(targets):
            if isinstance(t, list):
                raise ValueError(f"y must hold one number for each row (y[{i}] is {shown(t)})")
        return rows, targets

    def _initial(self, n: int) -> list[float]:
        return [0.0] * n

    def _resize(self, n: int) -> None:
        if len(self.w) != n:
            self.w = [Value(x, f"w{j}") for j, x in enumerate(self._initial(n))]
            self.shape: str = f"{n} -> 1"

    def _set(self, w: Sequence[float], b: float) -> None:
        self._resize(len(w))
        for p, number in zip(self.w, w, strict=True):
            p.data = number
        if self.b is not None:
            self.b.data = b

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.w)} weights)"


# Regression ---------------------------------------------------------------------------------------------------------------


class LinearRegression(LinearModel):
    """Least squares: w and b minimise 1/(2n) sum (w . x + b - y)^2. Where many do, the shortest (w, b) is taken."""

    def fit(self: M, X: Any, y: Any) -> M:
        """Set the weights to the solution in closed form."""
        rows, targets = self._data(X, y)
        phi = [list(self.features(row)) for row in rows]
        bias = self.b is not None
        solution = _least_squares([[*row, *[1.0] * bias] for row in phi], targets, [self.strength] * len(phi[0]) + [0.0] * bias)
        self._set(solution[: len(phi[0])], solution[-1])
        return self

    def score(self, X: Any, y: Any) -> float:
        """The share of the variance of y that is explained, R^2 = 1 - sum (y - y_hat)^2 / sum (y - mean)^2. For a constant y,
        1 if it is predicted exactly, else 0.
        """
        rows, targets = self._data(X, y)
        center = mean(targets)
        residual = total([square(t - p) for t, p in zip(targets, self.predict(rows), strict=True)])
        variation = total([square(t - center) for t in targets])
        return 1.0 - residual / variation if variation else float(residual == 0.0)


def _least_squares(A: Rows, y: list[float], penalty: list[float]) -> list[float]:
    """The w that minimises 1/(2n) |A w - y|^2 + 1/2 sum penalty_j w_j^2, which solves (A^T A / n + diag(penalty)) w = A^T y / n.

    As least squares of A on y with one more row for each weight, sqrt(n penalty_j) w_j = 0: so the condition of A is not squared.
    """
    try:
        import numpy as np
    except ModuleNotFoundError as error:
        raise ImportError("fit needs NumPy, which is not installed: pip install numpy, or use descend", name=error.name) from None
    n, d = len(A), len(penalty)
    shrink = np.diag(np.sqrt(n * np.array(penalty)))
    solution, *_ = np.linalg.lstsq(np.vstack([np.array(A, dtype=float), shrink]), np.array([*y, *[0.0] * d]), rcond=None)
    return [float(w) for w in solution]


class Ridge(LinearRegression):
    """Least squares with a penalty: 1/(2n) sum (w . x + b - y)^2 + strength/2 |w|^2, solved by (X^T X / n + strength I)^-1 X^T y / n.

    Args:
        strength: of the penalty, at least 0. The bias is left out of it.
        bias: whether there is one.

    >>> commute = [[1, 2.7, 1], [1, 4.1, 1], [1, 1.0, 0], [1, 5.2, 1], [1, 2.8, 0]]
    >>> model = Ridge(0.1, bias=False).fit(commute, [25, 33, 15, 45, 22])
    >>> [round(w.data, 6) for w in model.w]
    [4.435171, 7.022772, 1.548921]
    """

    def __init__(self, strength: float, bias: bool = True) -> None:
        super().__init__(bias)
        self.strength: float = _strength(strength)


class Polynomial(Ridge):
    """b + w1 x + w2 x^2 + ... + wm x^m, by least squares. X is a sequence of numbers, or of rows of one.

    Args:
        degree: m, at least 1.
        strength: of the penalty, as for Ridge.
        bias: without, the weights are those of [1, x, ..., x^m], and the penalty acts on all of them.

    >>> model = Polynomial(2).fit([-1.0, 0.0, 1.0, 2.0], [2.0, 1.0, 2.0, 5.0])
    >>> [round(y, 6) for y in model.predict([3.0])]
    [10.0]
    """

    def __init__(self, degree: int, strength: float = 0.0, bias: bool = True) -> None:
        super().__init__(strength, bias)
        positive_int("degree", degree)
        self.degree = degree

    def features(self, x: Any) -> list[Any]:
        """x, x^2, ..., x^m, after a 1 where there is no bias."""
        if hasattr(x, "__len__"):
            if len(x) != 1:
                raise ValueError(f"a Polynomial is a function of one number (got a row of {len(x)})")
            (x,) = x
        powers = list(accumulate([x] * self.degree, mul))
        return powers if self.b is not None else [1.0, *powers]

    def _data(self, X: Any, y: Any) -> tuple[Rows, list[float]]:
        rows, targets = super()._data(X, y)
        features([self.features(row) for row in rows], "powers of X")
        return rows, targets


# Classification -----------------------------------------------------------------------------------------------------------


class Classifier(LinearModel):
    """A linear score w . x + b, whose sign is the class, -1 or 1: `predict` gives scores, as that of any module, `classify` classes."""

    def classify(self, X: Any) -> list[int]:
        """1 where the score is above 0, else -1."""
        return [1 if score > 0.0 else -1 for score in self.predict(X)]

    def score(self, X: Any, y: Any) -> float:
        """The accuracy: the share of rows whose score has the sign of y."""
        rows, targets = self._data(X, y)
        return 1.0 - losses.zero_one(self.predict(rows), targets)

    def _data(self, X: Any, y: Any) -> tuple[Rows, list[float]]:
        rows, targets = super()._data(X, y)
        for i, t in enumerate(targets):
            if t not in (-1, 1):
                raise ValueError(f"y must hold the labels -1 and 1 (y[{i}] is {t:g}): for labels 0 and 1 write 2 * y - 1")
        return rows, targets


class Perceptron(Classifier):
    """Rosenblatt's rule (1958): w <- w + y x and b <- b + y for each row on the wrong side, y (w . x + b) <= 0.

    If a hyperplane separates the classes it ends, after at most (R / margin)^2 mistakes for rows no longer than R (Novikoff 1962);
    if none does it never would, and stops after `epochs`.

    Attributes:
        mistakes: how many rows were on the wrong side, for each pass through the data. The last is 0 if the data is separated.

    >>> OR = Perceptron().fit([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, 1])
    >>> OR.mistakes[-1], OR.classify([[0, 0], [1, 0]])
    (0, [-1, 1])
    """

    loss: Loss = losses.perceptron

    def fit(self: P, X: Any, y: Any, epochs: int = 100) -> P:
        """Start from 0 and go through the rows in their order, at most `epochs` times, until a pass makes no mistake."""
        rows, targets = self._data(X, y)
        positive_int("epochs", epochs)
        w, b = [0.0] * len(rows[0]), 0.0
        mistakes: list[int] = []
        while len(mistakes) < epochs and 0 not in mistakes:
            mistakes.append(0)
            for x, t in zip(rows, targets, strict=True):
                if not t * (dot(w, x) + b) > 0.0:  # nan is no side
                    w = [wj + t * xj for wj, xj in zip(w, x, strict=True)]
                    b += t * (self.b is not None)
                    mistakes[-1] += 1
        self._set(w, b)
        self.mistakes = mistakes
        return self


class LinearClassifier(Classifier):
    """A linear score that minimises the mean of a margin loss, by descent.

    Args:
        loss: "hinge" (with a penalty the linear support vector machine), "squared_hinge", "logistic" (logistic regression) or "perceptron".
        strength: of the penalty strength/2 |w|^2; the bias is left out.
        bias: whether there is one.

    >>> model = LinearClassifier("logistic").fit([[0.0], [1.0], [2.0], [3.0]], [-1, -1, 1, 1], epochs=200)
    >>> model.classify([[0.5], [2.5]])
    [-1, 1]
    """

    LOSSES: ClassVar[tuple[Margin, ...]] = ("hinge", "squared_hinge", "logistic", "perceptron")

    def __init__(self, loss: Margin = "hinge", strength: float = 0.0, bias: bool = True) -> None:
        super().__init__(bias)
        if loss not in self.LOSSES:
            raise ValueError(f"loss must be one of {', '.join(self.LOSSES)} (got {shown(loss)})")
        self.loss: Loss = losses.named(loss)
        self.strength: float = _strength(strength)

    def fit(self: C, X: Any, y: Any, **options: Any) -> C:
        """`descend` with these options; gives the model itself."""
        self.descend(X, y, **options)
        return self

    def _initial(self, n: int) -> list[float]:
        """Zeros; but there the loss of the perceptron is flat, and descent would never begin."""
        return init.xavier_uniform(n, 1, rng=0)[0] if self.loss is losses.perceptron else super()._initial(n)


def _strength(x: float) -> float:
    if not isinstance(x, (int, float)) or not 0.0 <= x < math.inf:
        raise ValueError(f"strength must be a finite number of at least 0 (got {shown(x)})")
    return float(x)
