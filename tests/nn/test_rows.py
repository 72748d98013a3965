"""Data that is not what it seems, masked or complex, is refused by name wherever numbers come in; what is whole is taken as it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

import nn
from nn import datasets, linear, losses, plot, preprocessing
from nn.support.rows import features, finite, labels, number, plain

mpl.use("Agg")

ROWS, Y = [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]], [1, -1, 1]
MASK = [[0, 0], [0, 1], [0, 0]]
masked = np.ma.array(ROWS, mask=MASK)
HIDING: dict[str, Any] = {
    "an array": masked,
    "rows": list(masked),
    "a tuple of rows": tuple(masked),
    "a row among lists": [ROWS[0], masked[1], ROWS[2]],
    "an entry": [ROWS[0], [3.0, np.ma.masked], ROWS[2]],
}
COMPLEX: dict[str, Any] = {
    "an array": np.array(ROWS) + 1j,
    "single precision": np.array(ROWS, dtype=np.complex64),
    "a number": [ROWS[0], [3.0, 4j], ROWS[2]],
    "a number of NumPy's": [ROWS[0], [np.complex128(3.0), 4.0], ROWS[2]],
    "an array of no dimensions": [ROWS[0], [3.0, np.array(4.0 + 0j)], ROWS[2]],
}


@pytest.fixture(autouse=True)
def _no_figures() -> Iterator[None]:
    yield
    plt.close("all")


def model() -> nn.Linear:
    return nn.Linear(2, 1, rng=0)


TAKERS: dict[str, Callable[[Any], Any]] = {
    "fit": lambda X: nn.fit(model(), X, Y, loss="hinge", epochs=1, progress=False),
    "validation": lambda X: nn.fit(model(), ROWS, Y, loss="hinge", epochs=1, validation=(X, Y), progress=False),
    "evaluate": lambda X: nn.evaluate(model(), X, Y, "hinge"),
    "predict": lambda X: model().predict(X),
    "Standardizer.fit": lambda X: preprocessing.Standardizer().fit(X),
    "Standardizer.transform": lambda X: preprocessing.Standardizer().fit(ROWS).transform(X),
    "Standardizer.inverse": lambda X: preprocessing.Standardizer().fit(ROWS).inverse(X),
    "LinearRegression.fit": lambda X: linear.LinearRegression().fit(X, Y),
    "LinearRegression.score": lambda X: linear.LinearRegression().fit(ROWS, Y).score(X, Y),
    "Perceptron.fit": lambda X: linear.Perceptron().fit(X, Y),
    "Perceptron.classify": lambda X: linear.Perceptron().fit(ROWS, Y).classify(X),
    "descend": lambda X: linear.LinearClassifier().descend(X, Y),
    "decision_boundary": lambda X: plot.decision_boundary(model(), X, Y, resolution=3),
    "TrainingGif": lambda X: plot.TrainingGif(model(), X, Y, resolution=3),
    "gradient_flow": lambda X: plot.gradient_flow(model(), X, Y, "hinge"),
    "sensitivity": lambda X: plot.sensitivity(model(), X),
    "zero_one": lambda X: losses.zero_one(X, [0, 1, 0]),
}
TARGET_TAKERS: dict[str, Callable[[Any], Any]] = {
    "fit": lambda y: nn.fit(nn.Linear(2, 2, rng=0), ROWS, y, loss="mse", epochs=1, progress=False),
    "validation": lambda y: nn.fit(nn.Linear(2, 2, rng=0), ROWS, ROWS, loss="mse", epochs=1, validation=(ROWS, y), progress=False),
    "evaluate": lambda y: nn.evaluate(nn.Linear(2, 2, rng=0), ROWS, y, "mse"),
    "gradient_flow": lambda y: plot.gradient_flow(nn.Linear(2, 2, rng=0), ROWS, y, "mse"),
    "LinearRegression.fit": lambda y: linear.LinearRegression().fit(ROWS, y),
    "zero_one": lambda y: losses.zero_one(ROWS, y),
}
each_taker = pytest.mark.parametrize("taker", TAKERS)
each_target_taker = pytest.mark.parametrize("taker", TARGET_TAKERS)
of_masked = pytest.mark.parametrize("kind", HIDING)
of_complex = pytest.mark.parametrize("kind", COMPLEX)


@of_masked
@each_taker
def test_masked_rows(taker: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r"(X|rows|predictions)(\[1\](\[1\])?)? is masked, or some of it: fill in what is missing"):
        TAKERS[taker](HIDING[kind])


@of_masked
@each_target_taker
def test_masked_targets(taker: str, kind: str) -> None:
    with pytest.raises(ValueError, match=r"(y|targets)(\[1\](\[1\])?)? is masked, or some of it: fill in what is missing"):
        TARGET_TAKERS[taker](HIDING[kind])


@of_complex
@each_taker
def test_complex_rows(taker: str, kind: str) -> None:
    with pytest.raises(TypeError, match=r"(X|rows|predictions)\[[01]\]\[[01]\] must be a real number \(got .*j\)?, complex"):
        TAKERS[taker](COMPLEX[kind])


@of_complex
@each_target_taker
def test_complex_targets(taker: str, kind: str) -> None:
    with pytest.raises(TypeError, match=r"(y|targets)\[[01]\]\[[01]\] must be a real number \(got .*j\)?, complex"):
        TARGET_TAKERS[taker](COMPLEX[kind])


@each_taker
def test_masks_that_hide_nothing_are_no_matter(taker: str) -> None:
    TAKERS[taker](np.ma.array(ROWS))
    TAKERS[taker](np.ma.array(ROWS, mask=np.zeros((3, 2))))


OTHERS: dict[str, tuple[Callable[[], Any], str]] = {
    "split": (lambda: preprocessing.train_test_split(masked, Y), "X is masked"),
    "split of targets": (lambda: preprocessing.train_test_split(ROWS, np.ma.array(Y, mask=[0, 1, 0])), "y is masked"),
    "predictions of a loss": (lambda: losses.mse(masked[1], ROWS[1]), "predictions is masked"),
    "targets of a loss": (lambda: losses.mse(ROWS, masked), "targets is masked"),
    "targets among those of a loss": (lambda: losses.mse(ROWS, list(masked)), "targets is masked"),
    "centres": (lambda: datasets.blobs(6, centers=masked), "centers is masked"),
    "complex centres": (lambda: datasets.blobs(6, centers=COMPLEX["an array"]), "finite points"),
    "states": (lambda: model().load_state_dict({**model().state_dict(), "neurons.0.b": np.complex128(1j)}), "no number for neurons.0.b"),
    "masked states": (lambda: model().load_state_dict({**model().state_dict(), "neurons.0.b": np.ma.masked}), "no number for neurons.0.b"),
    "predictions": (lambda: plot.decision_boundary(Predicting(1j), ROWS, Y, resolution=3), "the prediction for .* must be a real number"),
    "surfaces": (lambda: plot.loss_surface(lambda a, b: np.complex128(a)), "f must be a real number"),
    "paths": (lambda: plot.descent_path(lambda a, b: a, masked), r"path\[1\]\[1\] is masked"),
}


class Predicting:
    def __init__(self, x: Any) -> None:
        self.x = x

    def predict(self, rows: Any) -> list[Any]:
        return [np.complex64(self.x) for _ in rows]


@pytest.mark.parametrize("case", OTHERS)
def test_wherever_else_numbers_come_in(case: str) -> None:
    f, message = OTHERS[case]
    with pytest.raises((TypeError, ValueError), match=message):
        f()


# What is taken ------------------------------------------------------------------------------------------------------------

scalars = st.one_of(
    st.floats(-9, 9),
    st.integers(-9, 9),
    st.booleans(),
    st.floats(-9, 9).map(np.float64),
    st.floats(-9, 9, width=32).map(np.float32),
    st.integers(-9, 9).map(np.int8),
    st.floats(-9, 9).map(np.array),
    st.floats(-9, 9).map(nn.modules.module.Value),
)


@given(st.lists(st.lists(scalars, min_size=2, max_size=2), min_size=1, max_size=4))
def test_every_kind_of_real_number(rows: list[list[Any]]) -> None:
    expected = [[float(x) for x in row] for row in rows]
    assert features(rows) == plain(rows, "rows") == plain(tuple(map(tuple, rows)), "rows") == expected
    assert labels([row[0] for row in rows], len(rows)) == [row[0] for row in expected]
    assert labels(rows, len(rows)) == expected
    assert features([row[0] for row in rows]) == [row[:1] for row in expected]
    assert {type(x) for row in features(rows) for x in row} == {float}
    assert features(np.array(expected)) == features(np.ma.array(expected)) == expected


@pytest.mark.parametrize("x", ["1", b"1", None, [1.0], {"a": 1.0}, np.ones(1), object()])
def test_what_is_no_number(x: Any) -> None:
    with pytest.raises(TypeError, match=r"X\[0\] must be a number \(got "):
        number(x, "X[0]")


@pytest.mark.parametrize("x", [float("nan"), float("inf"), np.float32("-inf")])
def test_what_is_not_finite(x: Any) -> None:
    with pytest.raises(ValueError, match=r"X\[0\] is (nan|inf|-inf): fill in or leave out what is missing"):
        finite(x, "X[0]")
    assert str(plain([x], "rows")) == str([float(x)])


def test_nested_rows_are_lists_of_floats_whatever_their_depth() -> None:
    picture = np.arange(8.0).reshape(2, 2, 2)
    assert plain(picture, "rows") == picture.tolist()
    deep: Any = 1.0
    for _ in range(100):
        deep = [deep]
    assert plain(deep, "rows") == deep
    loop: list[Any] = [1.0]
    loop.append(loop)
    for nested, got in (([deep], "more than 100 levels"), (loop, "more than 100 levels"), ({"a": 1.0}, "a dict"), ([{"a": 1.0}], "a dict")):
        with pytest.raises(TypeError, match=rf"must be a number, or nested lists of numbers \(got {got}"):
            plain(nested, "rows")
    del loop[:]


@pytest.mark.parametrize("X", [b"ab", {0: [1.0]}, "ab", 3.0, np.array(1.0)])
def test_what_is_no_sequence(X: Any) -> None:
    with pytest.raises(TypeError, match="X must be a sequence with one entry per row, or an array"):
        features(X)


def test_models_that_predict_arrays_of_no_dimensions() -> None:
    class Array(nn.Module):
        def forward(self, x: Any) -> Any:
            return np.array(2.0 * x[0])

    assert Array().predict([[1.0], [np.array(3.0)]]) == [2.0, 6.0]
    with pytest.raises(TypeError, match=r"the prediction for rows\[1\] must be a real number"):
        Sneaky().predict([[1.0], [-1.0]])


class Sneaky(nn.Module):
    def forward(self, x: Any) -> Any:
        return np.sqrt(np.complex128(x[0])) if x[0] < 0 else x[0]


class Frame:
    """A data frame gives the names of its columns when it is iterated over, which may be numbers."""

    def to_numpy(self) -> Any:
        return np.array([[1.0], [5.0]])

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[int]:
        return iter([0])


def test_data_frames_are_taken_by_rows() -> None:
    line = nn.Neuron.of([2.0])
    assert line.predict(Frame()) == [2.0, 10.0]
    assert nn.evaluate(line, Frame(), [2.0, 10.0], "mse")[0] == 0.0


def test_no_numpy_is_needed() -> None:
    program = """
import sys
sys.modules["numpy"] = None
import nn
neuron = nn.Neuron.of([2.0], bias=False)
with neuron.using([3.0]):  # by code that nothing calls
    assert neuron(1.0) == 3.0
assert nn.Linear(2, 1, rng=0).predict([[1.0, 2]])
nn.fit(nn.Linear(2, 1, rng=0), [[1, 2], [3.0, 4]], [1, -1], loss="hinge", epochs=1, progress=False)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
