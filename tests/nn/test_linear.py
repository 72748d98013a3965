"""Linear models: closed forms where the graph's own gradient vanishes, descent that reaches them, Rosenblatt's rule and its bound."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nn
from autograd import data, grads
from nn import losses, optim, regularizers
from nn.linear import LinearClassifier, LinearModel, LinearRegression, Perceptron, Polynomial, Ridge
from tests.extras import extra

np = extra("numpy")

Table = tuple[list[list[float]], list[float]]
NUMBERS = st.integers(-80, 80).map(lambda k: k / 8)  # dyadic: sums and products of a few are exact
SEPARABLE = [[0.0, 1.0], [1.0, 3.0], [2.0, 0.0], [4.0, 1.0]], [1.0, 1.0, -1.0, -1.0]
MODELS: dict[str, Callable[[], LinearModel]] = {
    "Perceptron": Perceptron,
    "LinearRegression": LinearRegression,
    "Ridge": partial(Ridge, 0.1),
    "LinearClassifier": LinearClassifier,
}
each_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


@st.composite
def tables(draw: st.DrawFn, targets: st.SearchStrategy[float] = NUMBERS) -> Table:
    width = draw(st.integers(1, 3))
    rows = draw(st.lists(st.tuples(st.lists(NUMBERS, min_size=width, max_size=width), targets), min_size=1, max_size=8))
    return [x for x, _ in rows], [y for _, y in rows]


def gradient(model: LinearModel, X: Any, y: Any) -> list[float]:
    """Of the mean loss and the penalty, by backward on the graph."""
    model.zero_grad()
    (model.loss(model.batch(X), y) + regularizers.l2(model.strength)(model)).backward()
    return [p.grad for p in model.parameters()]


# Closed forms


@given(tables(), st.sampled_from([0.0, 0.01, 1.0, 100.0]), st.booleans())
def test_at_the_solution_the_gradient_of_the_graph_vanishes(table: Table, strength: float, bias: bool) -> None:
    X, y = table
    model = Ridge(strength, bias).fit(X, y)
    assert gradient(model, X, y) == pytest.approx([0.0] * len(model.parameters()), abs=1e-9)


@given(tables(), st.sampled_from([0.01, 1.0, 100.0]), st.booleans())
def test_ridge_is_that_of_scikit_learn(table: Table, strength: float, bias: bool) -> None:
    theirs = pytest.importorskip("sklearn.linear_model")
    X, y = table
    expected = theirs.Ridge(alpha=len(y) * strength, fit_intercept=bias, solver="svd").fit(X, y)
    model = Ridge(strength, bias).fit(X, y)
    assert data(model.w) == pytest.approx(expected.coef_, abs=1e-9)
    if model.b is not None:
        assert model.b.data == pytest.approx(float(expected.intercept_), abs=1e-8)


def test_where_many_solutions_fit_the_shortest_is_taken() -> None:
    model = LinearRegression(bias=False).fit([[1.0, 1.0], [2.0, 2.0]], [2.0, 4.0])
    assert data(model.w) == pytest.approx([1.0, 1.0])


@given(st.lists(NUMBERS, min_size=2, max_size=5), st.booleans())
def test_polynomial_finds_the_coefficients(coefficients: list[float], bias: bool) -> None:
    degree = len(coefficients) - 1
    x = [k / 2 for k in range(-5, 6)]
    y = [sum(c * v**k for k, c in enumerate(coefficients)) for v in x]
    model = Polynomial(degree, bias=bias).fit(x, y)
    found = [*data(model.w)] if model.b is None else [model.b.data, *data(model.w)]
    assert found == pytest.approx(coefficients, abs=1e-9)
    assert model.predict(x) == pytest.approx(y, abs=1e-8)
    assert model.predict([[v] for v in x]) == model.predict(np.array(x)) == model.predict(x)


@given(st.integers(1, 4), st.floats(0.01, 1.0))
def test_polynomial_without_bias_is_ridge_on_the_powers_with_their_constant(degree: int, strength: float) -> None:
    x, y = [-1.0, -0.5, 0.0, 0.3, 1.0], [1.0, -2.0, 0.5, 3.0, 2.0]
    model = Polynomial(degree, strength, bias=False).fit(x, y)
    same = Ridge(strength, bias=False).fit([[v**k for k in range(degree + 1)] for v in x], y)
    assert data(model.w) == pytest.approx(data(same.w), abs=1e-12)


def test_many_powers_lose_no_more_than_the_powers_themselves_do() -> None:
    """Degree 11 through 12 points: the normal equations would square a condition number of 5e8."""
    x = [k / 5.5 - 1 for k in range(12)]
    y = [math.sin(3 * v) for v in x]
    assert Polynomial(11).fit(x, y).predict(x) == pytest.approx(y, abs=1e-8)


# Descent


@pytest.mark.parametrize(
    "make", [LinearRegression, partial(Ridge, 0.1), partial(LinearRegression, bias=False), partial(Polynomial, 2, 0.1)]
)
@pytest.mark.parametrize("optimizer", [optim.SGD, partial(optim.SGD, momentum=0.8), partial(optim.SGD, momentum=0.8, nesterov=True)])
def test_descent_reaches_the_closed_form(make: Callable[[], LinearRegression], optimizer: Callable[..., optim.Optimizer]) -> None:
    X, y = [[-1.0], [0.0], [0.5], [2.0]], [1.0, 3.0, 2.0, 4.0]
    descended, solved = make(), make().fit(X, y)
    history = descended.descend(X, y, optimizer=optimizer, lr=0.15, epochs=1000)
    assert data(descended.parameters()) == pytest.approx(data(solved.parameters()), abs=1e-9)
    assert len(history.loss) == 1000
    assert history.loss[-1] == pytest.approx(losses.half_mse(solved.predict(X), y))


def test_descent_goes_on_where_it_is() -> None:
    X, y = SEPARABLE
    for compiled in (True, False):
        whole, halves = LinearRegression(), LinearRegression()
        whole.descend(X, y, epochs=6, lr=0.05, compiled=compiled)
        for _ in range(2):
            halves.descend(X, y, epochs=3, lr=0.05, compiled=compiled)
        assert data(whole.parameters()) == pytest.approx(data(halves.parameters()), rel=1e-12)
    assert data(whole.parameters()).tolist() == data(halves.parameters()).tolist()  # to the bit: all rows at once have one order


def test_the_bias_is_left_out_of_the_penalty() -> None:
    X, y = [[1.0], [-1.0]], [5.0, 5.0]
    for model in (Ridge(1e6).fit(X, y), Ridge(1e6)):
        if not model.w:
            model.descend(X, y, lr=1e-6, epochs=5)
            assert model.b is not None
            assert model.b.data > 0
        else:
            assert model.b is not None
            assert model.b.data == pytest.approx(5.0)
        assert data(model.w) == pytest.approx([0.0], abs=1e-5)


# The perceptron


@given(tables(st.sampled_from([-1.0, 1.0])), st.booleans(), st.integers(1, 6))
def test_perceptron_follows_rosenblatts_rule(table: Table, bias: bool, epochs: int) -> None:
    X, y = table
    w = np.zeros(len(X[0]) + bias)
    mistakes = []
    for _ in range(epochs):
        mistakes.append(0)
        for x, t in zip(np.hstack([X, np.ones((len(X), int(bias)))]), y, strict=True):
            if t * (w @ x) <= 0:
                w += t * x
                mistakes[-1] += 1
        if not mistakes[-1]:
            break
    model = Perceptron(bias).fit(X, y, epochs=epochs)
    assert data(model.parameters()) == pytest.approx(w, abs=1e-9)
    assert model.mistakes == mistakes


@given(tables(), st.lists(NUMBERS, min_size=4, max_size=4))
def test_perceptron_makes_no_more_mistakes_than_novikoffs_bound(table: Table, direction: list[float]) -> None:
    X, _ = table
    w = np.array(direction[: len(X[0])])
    assume(np.linalg.norm(w) > 0)
    scores = X @ w / np.linalg.norm(w)
    margin = np.abs(scores).min()
    radius = np.linalg.norm(X, axis=1).max()
    assume(margin > radius / 20)
    y = np.sign(scores)
    model = Perceptron(bias=False).fit(X, y, epochs=401)
    assert model.mistakes[-1] == 0
    assert sum(model.mistakes) <= (radius / margin) ** 2 * (1 + 1e-9)
    assert model.score(X, y) == 1.0
    assert model.classify(X) == y.tolist()


def test_perceptron_stops_where_no_line_separates() -> None:
    X, y = nn.datasets.xor()
    model = Perceptron().fit(X, y, epochs=7)
    assert len(model.mistakes) == 7
    assert min(model.mistakes) > 0
    assert model.score(X, y) < 1.0


def test_a_score_of_nan_is_a_mistake() -> None:
    far = [[1.7e308, 1.7e308], [-1.7e308, 1.7e308]], [1, -1]
    assert Perceptron().fit(*far, epochs=1).mistakes == [2]  # the second score is inf - inf


def test_perceptron_begins_anew_at_each_fit() -> None:
    model = Perceptron().fit(*SEPARABLE)
    before = data(model.parameters()).tolist()
    assert data(model.fit(*SEPARABLE).parameters()).tolist() == before


# Classification by descent


@pytest.mark.parametrize("loss", LinearClassifier.LOSSES)
def test_every_margin_loss_separates(loss: str) -> None:
    X, y = SEPARABLE
    model = LinearClassifier(loss).fit(X, y, batch_size=2, lr=0.1, epochs=60)
    assert model.score(X, y) == 1.0
    assert model.classify(X) == y
    assert all(score * t > 0 for score, t in zip(model.predict(X), y, strict=True))


def test_logistic_descent_is_scikit_learns_logistic_regression() -> None:
    theirs = pytest.importorskip("sklearn.linear_model")
    X, y = nn.datasets.blobs(30, centers=[[0, 0], [1, 2]], labels=(-1, 1))
    expected = theirs.LogisticRegression(C=1 / (0.1 * len(y)), tol=1e-10).fit(X, y)
    model = LinearClassifier("logistic", strength=0.1)
    model.descend(X, y, optimizer=partial(optim.SGD, momentum=0.9), lr=0.5, epochs=400)
    assert gradient(model, X, y) == pytest.approx([0.0] * 3, abs=1e-9)
    assert data(model.w) == pytest.approx(expected.coef_[0], abs=1e-5)
    assert model.b is not None
    assert model.b.data == pytest.approx(expected.intercept_[0], abs=1e-5)
    assert model.score(X, y) == pytest.approx(expected.score(X, y))


@settings(max_examples=30)
@given(tables(st.sampled_from([-1.0, 1.0])), st.sampled_from(LinearClassifier.LOSSES), st.booleans())
def test_one_full_step_is_the_gradient_of_the_loss(table: Table, loss: str, bias: bool) -> None:
    X, y = table
    model = LinearClassifier(loss, strength=0.3, bias=bias)
    model.descend(X, y, epochs=1, lr=0.01)
    before = data(model.parameters())
    expected = before - 0.05 * np.array(gradient(model, X, y))
    model.descend(X, y, epochs=1, lr=0.05)
    assert data(model.parameters()) == pytest.approx(expected, abs=1e-12)


# Scores


def test_r_squared() -> None:
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 2.0, 1.0, 3.0]
    model = LinearRegression().fit(X, y)
    assert model.score(X, y) == pytest.approx(np.corrcoef(np.ravel(X), y)[0, 1] ** 2)
    assert LinearRegression().fit([[1.0], [2.0]], [3.0, 3.0]).score([[1.0]], [4.0]) == 0.0
    constant = Ridge(1.0).fit([[0.0], [0.0]], [3.0, 3.0])
    assert constant.score([[0.0]], [constant.predict([[0.0]])[0]]) == 1.0


def test_r_squared_of_numbers_whose_squares_overflow() -> None:
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    assert model.score([[0.0], [1.0]], [1e200, -1e200]) != model.score([[0.0], [1.0]], [1e200, -1e200])  # inf / inf


def test_accuracy_counts_a_score_of_zero_as_wrong() -> None:
    model = Perceptron(bias=False).fit([[1.0], [2.0]], [1, 1])
    assert model.score([[1.0], [0.0], [-1.0], [3.0]], [1, 1, 1, 1]) == 0.5
    assert model.classify([[0.0]]) == [-1]


# Modules


@each_model
def test_they_are_modules(make: Callable[[], LinearModel], tmp_path: Path) -> None:
    model: Any = make().fit(*SEPARABLE)  # type: ignore[attr-defined]
    assert list(model.named_parameters()) == ["w.0", "w.1", "b"]
    assert model.weights() == model.w
    assert model.predict(SEPARABLE[0]) == pytest.approx([float(model(x)) for x in SEPARABLE[0]])
    assert "2 -> 1" in model.summary()
    assert repr(model) == f"{type(model).__name__}(2 weights)"

    model(SEPARABLE[0][1]).backward()
    assert grads(model.parameters()).tolist() == [*SEPARABLE[0][1], 1.0]

    path = tmp_path / "model.json"
    model.save(path)
    fresh = make().load(path)
    assert fresh.state_dict() == model.state_dict()
    assert fresh.predict(SEPARABLE[0]) == model.predict(SEPARABLE[0])


@each_model
def test_data_of_another_width_makes_new_weights(make: Callable[[], LinearModel]) -> None:
    model: Any = make().fit(*SEPARABLE)  # type: ignore[attr-defined]
    model.fit([[1.0], [2.0]], [-1, 1])
    assert len(model.w) == 1
    with pytest.raises(ValueError, match=r"1 weights \(got a row of 2 numbers\)"):
        model([1.0, 2.0])


@each_model
def test_before_a_fit_there_are_no_weights(make: Callable[[], LinearModel]) -> None:
    model: Any = make()
    for use in (partial(model, [1.0]), partial(model.predict, [[1.0]]), partial(model.score, [[1.0]], [1])):
        with pytest.raises(ValueError, match=r"no weights yet: call fit\(X, y\)"):
            use()


@each_model
def test_a_pure_function_of_the_weights(make: Callable[[], LinearModel]) -> None:
    model: Any = make().fit(*SEPARABLE)  # type: ignore[attr-defined]
    before = model.state_dict()
    with model.using([3.0, 4.0, 5.0]):
        assert model([1.0, 2.0]) == 16.0
    assert model.state_dict() == before


def test_what_overflows_in_training_keeps_the_weights_before() -> None:
    model = LinearRegression()
    with pytest.raises(nn.TrainingError, match="learning rate"):
        model.descend([[1.0], [2.0]], [1.0, 2.0], lr=1e200)
    assert len(model.w) == 1
    assert all(math.isfinite(p.data) for p in model.parameters())


def test_only_the_closed_forms_need_numpy() -> None:
    program = """
import sys
sys.modules["numpy"] = None
from nn.linear import *
OR = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, 1]
assert Perceptron().fit(*OR).score(*OR) == 1.0
assert LinearClassifier().fit(*OR).score(*OR) == 1.0
assert Ridge(0.1).descend(*OR).loss
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_bias_there_is_no_b() -> None:
    for model in (Perceptron(bias=False).fit(*SEPARABLE), Ridge(0.1, bias=False).fit(*SEPARABLE)):
        assert model.b is None
        assert list(model.named_parameters()) == ["w.0", "w.1"]
        assert model.predict([[0.0, 0.0]]) == [0.0]


# Errors

Errors = type[Exception]
BAD_DATA = [
    ([], [], ValueError, "X is empty"),
    ([[1.0], [2.0]], [1.0], ValueError, r"X and y must have one entry per row each \(got 2 and 1\)"),
    ([[1.0], [math.nan]], [1.0, -1.0], ValueError, r"X\[1\]\[0\] is nan"),
    ([[1.0], [2.0]], [1.0, math.inf], ValueError, r"y\[1\] is inf"),
    ([[1.0], [2.0, 3.0]], [1.0, -1.0], ValueError, "all rows of X must have one length"),
    ([["a"]], [1.0], TypeError, r"X\[0\]\[0\] must be a number"),
    ([[1.0], [2.0]], [[1.0], [1.0, 2.0]], ValueError, r"y must hold one number for each row \(y\[0\] is \[1.0\]\)"),
]


@each_model
@pytest.mark.parametrize(("X", "y", "error", "message"), BAD_DATA)
def test_bad_data_is_named_and_changes_nothing(make: Callable[[], LinearModel], X: Any, y: Any, error: Errors, message: str) -> None:
    model: Any = make().fit(*SEPARABLE)  # type: ignore[attr-defined]
    before = model.state_dict()
    for use in (model.fit, model.descend, model.score):
        with pytest.raises(error, match=message):
            use(X, y)
        assert model.state_dict() == before


@each_model
@pytest.mark.parametrize("bad", [{"lr": -1.0}, {"epochs": -1}, {"batch_size": 0}, {"loss": "sharp"}, {"epochs": "many"}])
def test_bad_settings_change_nothing(make: Callable[[], LinearModel], bad: dict[str, Any]) -> None:
    fitted: Any = make().fit(*SEPARABLE)  # type: ignore[attr-defined]
    for model in (fitted, make()):
        before = model.state_dict()
        with pytest.raises((TypeError, ValueError), match=next(iter(bad))):
            model.descend(*SEPARABLE, **bad)
        assert model.state_dict() == before


@pytest.mark.parametrize("make", [Perceptron, LinearClassifier])
@pytest.mark.parametrize("y", [[0, 1], [1, 2], [1, 0.5]])
def test_labels_other_than_signs_are_refused(make: Callable[[], Any], y: list[float]) -> None:
    for use in (make().fit, make().descend, make().score):
        with pytest.raises(ValueError, match=r"labels -1 and 1 \(y\[.\] is .*\): for labels 0 and 1 write 2 \* y - 1"):
            use([[1.0], [2.0]], y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(Ridge, -1.0), "strength must be a finite number of at least 0"),
        (partial(Ridge, math.nan), "strength"),
        (lambda: Ridge("1"), "strength"),  # type: ignore[arg-type]
        (partial(LinearClassifier, strength=-1.0), "strength"),
        (partial(LinearClassifier, "mse"), "loss must be one of hinge, squared_hinge, logistic, perceptron"),
        (partial(Polynomial, 0), "degree must be a positive int"),
        (lambda: Polynomial(1.5), "degree"),  # type: ignore[arg-type]
        (partial(Perceptron().fit, [[1.0]], [1], epochs=0), "epochs must be a positive int"),
    ],
)
def test_bad_models_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_polynomial_is_of_one_number() -> None:
    with pytest.raises(ValueError, match=r"function of one number \(got a row of 2\)"):
        Polynomial(2).fit(*SEPARABLE)
    with pytest.raises(ValueError, match=r"powers of X\[1\]\[1\] is inf"):
        Polynomial(2).fit([1.0, 1e200], [1.0, 2.0])


def test_a_state_that_does_not_fit_leaves_a_fresh_model_fresh() -> None:
    model = LinearRegression()
    for state in ({"w.0": 1.0}, {"w.0": 1.0, "b": "x"}, None, {"v.0": 1.0}):
        with pytest.raises((TypeError, ValueError), match="state"):
            model.load_state_dict(state)  # type: ignore[arg-type]
        assert model.w == []
