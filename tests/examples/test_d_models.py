"""The worked examples D: models solved exactly, in closed form and by descent on the scalar graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice, pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value, data, dot, square
from nn import losses, optim, regularizers, schedules
from nn.linear import LinearClassifier, LinearRegression, Perceptron, Polynomial, Ridge
from nn.preprocessing import minibatches

DISTANCE, MINUTES = [2.7, 4.1, 1.0, 5.2, 2.8], [25.0, 33.0, 15.0, 45.0, 22.0]
COMMUTE = [[1.0, *row] for row in nn.datasets.commute().X.tolist()]  # the column of ones carries w0
LEAST_SQUARES = [6.08613445378149, 6.53361344537816, 2.11274509803922]
PREDICTED = [25.8396358543418, 34.9866946778712, 12.6197478991597, 42.1736694677872, 24.3802521008403]
RIDGE = [4.435171061233367, 7.022771845718024, 1.5489213336238954]
EXACT = 1e-10
COST = losses.half_mse(PREDICTED, MINUTES)  # of the least squares

Batch = list[int]


def steps(w: list[Value], optimizer: optim.Optimizer, loss: Any, X: list[list[float]], y: list[float], batches: Iterable[Batch]) -> None:
    """One update of w for each batch, from the mean of the loss over its rows. No bias."""
    for batch in batches:
        optimizer.zero_grad()
        loss([dot(w, X[i]) for i in batch], [y[i] for i in batch]).backward()
        optimizer.step()


def leaves(n: int) -> list[Value]:
    return [Value(0.0) for _ in range(n)]


def cost(w: list[Value]) -> float:
    return float(losses.half_mse([float(dot(w, x)) for x in COMMUTE], MINUTES))


# D1, D2, D3: least squares


def test_D1_least_squares_in_closed_form() -> None:
    model = LinearRegression(bias=False).fit(COMMUTE, MINUTES)
    assert data(model.w) == pytest.approx(LEAST_SQUARES, abs=EXACT)
    assert model.predict(COMMUTE) == pytest.approx(PREDICTED, abs=EXACT)

    model = LinearRegression().fit(*nn.datasets.commute())
    assert model.b is not None
    assert [model.b.data, *data(model.w)] == pytest.approx(LEAST_SQUARES, abs=EXACT)


def test_D1_gradient_descent() -> None:
    """Every step brings W nearer: slowly, for the valley is 140 times as long as wide."""
    distances = [math.hypot(*LEAST_SQUARES)]
    model = LinearRegression(bias=False)
    model.descend(COMMUTE, MINUTES, lr=0.14, epochs=2200, on_epoch=lambda _: distances.append(math.dist(data(model.w), LEAST_SQUARES)))
    assert all(after < before or after < EXACT for before, after in pairwise(distances))
    assert data(model.w) == pytest.approx(LEAST_SQUARES, abs=EXACT)
    assert model.predict(COMMUTE) == pytest.approx(PREDICTED, abs=EXACT)


@pytest.mark.parametrize("seed", range(3))
def test_D1_stochastic_gradient_descent_goes_towards_the_solution(seed: int) -> None:
    """eta_t = C / sqrt(t), one row at a time: the distance to W* ends at a fraction of where it began."""
    rng = Random(seed)
    w = leaves(3)
    distances = [math.dist(data(w), LEAST_SQUARES)]
    optimizer = optim.SGD(w, lr=schedules.inverse_sqrt(0.06))
    for _ in range(4):
        epochs = (batch for _ in range(100) for batch in minibatches(5, 1, rng))
        steps(w, optimizer, losses.half_mse, COMMUTE, MINUTES, epochs)
        distances.append(math.dist(data(w), LEAST_SQUARES))
    assert optimizer.t == 2000
    assert distances[-1] < min(distances[:2])
    assert distances[-1] < 0.25 * distances[0]
    assert cost(w) < 2 * COST


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("replacement", [False, True])
def test_D1_minibatch_descent_stops_near_the_solution(seed: int, replacement: bool) -> None:
    """C = 0.06, b = 2, until |W_{t+1} - W_t| < 0.02."""
    rng = Random(seed)
    w = leaves(3)
    optimizer = optim.SGD(w, lr=schedules.inverse_sqrt(0.06))
    while True:
        for batch in minibatches(5, 2, rng, replacement):
            before = data(w)
            steps(w, optimizer, losses.half_mse, COMMUTE, MINUTES, [batch])
            if math.dist(before, data(w)) < 0.02:
                break
        else:
            continue
        break
    assert optimizer.t > 5
    assert math.dist(data(w), LEAST_SQUARES) < math.hypot(*LEAST_SQUARES)
    assert cost(w) < 0.1 * cost(leaves(3))


def test_D2_ridge_in_closed_form() -> None:
    model = Ridge(0.1, bias=False).fit(COMMUTE, MINUTES)
    assert data(model.w) == pytest.approx(RIDGE, abs=EXACT)

    X, Y = np.array(COMMUTE), np.array(MINUTES)
    formula = np.linalg.inv(X.T @ X / 5 + 0.1 * np.eye(3)) @ (X.T @ Y / 5)
    assert formula == pytest.approx(RIDGE, abs=EXACT)


def test_D2_gradient_descent_on_the_graph() -> None:
    model = Ridge(0.1, bias=False)
    model.descend(COMMUTE, MINUTES, lr=0.14, epochs=2200)
    assert data(model.w) == pytest.approx(RIDGE, abs=EXACT)


def test_D2_the_gradient_of_the_penalty_is_lambda_w() -> None:
    """The slip of the derivation, where it becomes 2W, is not in the closed form: only lambda W vanishes there."""
    w = [Value(x) for x in RIDGE]
    (losses.half_mse([dot(w, x) for x in COMMUTE], MINUTES) + regularizers.l2(0.1)(w)).backward()
    assert [p.grad for p in w] == pytest.approx([0.0] * 3, abs=EXACT)
    w = [Value(x) for x in RIDGE]
    regularizers.l2(0.1)(w).backward()
    assert [p.grad for p in w] == pytest.approx([0.1 * x for x in RIDGE], abs=EXACT)


@given(st.integers(1, 3), st.floats(0.01, 1.0))
def test_D3_polynomial_regression(degree: int, strength: float) -> None:
    """The closed forms (1.6) and (1.9) on phi(x) = [1, x, ..., x^m]."""
    phi = np.vander(DISTANCE, degree + 1, increasing=True)
    Y = np.array(MINUTES)
    scale = np.linalg.cond(phi) ** 2 * 1e-14  # what the formula itself loses

    plain = Polynomial(degree, bias=False).fit(DISTANCE, MINUTES)
    W = np.linalg.solve(phi.T @ phi, phi.T @ Y)
    assert data(plain.w) == pytest.approx(W, rel=scale, abs=scale)
    assert plain.predict(DISTANCE) == pytest.approx(phi @ W, abs=max(scale, 1e-9))

    penalised = Polynomial(degree, strength, bias=False).fit(DISTANCE, MINUTES)
    W = np.linalg.solve(phi.T @ phi / 5 + strength * np.eye(degree + 1), phi.T @ Y / 5)
    assert data(penalised.w) == pytest.approx(W, rel=scale, abs=scale)


def test_D3_polynomial_by_descent() -> None:
    x = [-1.0, -0.5, 0.0, 0.5, 1.0]
    y = [1.0 - 2.0 * v + 3.0 * v * v for v in x]
    model = Polynomial(2)
    model.descend(x, y, lr=0.9, epochs=1000)
    assert model.b is not None
    assert [model.b.data, *data(model.w)] == pytest.approx([1.0, -2.0, 3.0], abs=EXACT)


# D4: the exercises, to three decimals

THREE_DECIMALS = 5e-4
EXERCISES = nn.datasets.exercises()
X4, Y4 = EXERCISES.X.tolist(), EXERCISES.y.tolist()
Make = Callable[[list[Value]], optim.Optimizer]


def in_turn() -> Iterator[Batch]:
    """Sample t mod 8."""
    return ([t % 8] for t in range(80))


def all_at_once() -> Iterator[Batch]:
    return (list(range(8)) for _ in range(25))


def exercise(make: Make, batches: Iterable[Batch]) -> list[float]:
    w = leaves(4)
    steps(w, make(w), losses.squared_hinge, X4, Y4, batches)
    return [p.data for p in w]


def test_D4_the_loss_of_the_exercises() -> None:
    """C_i = (1 - y w.x)^2 / 2 below a margin of 1, else 0, and its gradient (1.7): (w.x - y) x, else 0."""
    for x, y in zip(X4, Y4, strict=True):
        for start in ([0.0] * 4, [3.0 * y * v for v in x]):
            w = [Value(v) for v in start]
            margin = y * float(np.dot(start, x))
            loss = losses.squared_hinge(dot(w, x), y)
            loss.backward()
            assert loss.data == pytest.approx(0.5 * (1 - margin) ** 2 if margin < 1 else 0.0)
            assert [p.grad for p in w] == pytest.approx([(np.dot(start, x) - y) * v if margin < 1 else 0.0 for v in x])


def test_D4_exercise_6_gradient_descent() -> None:
    w = exercise(lambda w: optim.SGD(w, lr=0.5), all_at_once())
    assert w == pytest.approx([-0.527, 1.220, -1.047, -0.445], abs=THREE_DECIMALS)


def test_D4_exercise_7_stochastic_gradient_descent() -> None:
    w = exercise(lambda w: optim.SGD(w, lr=0.1), in_turn())
    assert w == pytest.approx([-0.469, 0.890, -0.799, -0.449], abs=THREE_DECIMALS)


def test_D4_exercise_8_momentum() -> None:
    """v <- 0.5 v - 0.5 g, w <- w + v: the momentum of `optim`, whose v is that of the exercise divided by -eta."""
    w = exercise(lambda w: optim.SGD(w, lr=0.5, momentum=0.5), all_at_once())
    assert w == pytest.approx([-0.598, 1.829, -1.557, -0.502], abs=THREE_DECIMALS)


def test_D4_exercise_9_adagrad() -> None:
    w = exercise(lambda w: optim.AdaGrad(w, lr=0.1, eps=1e-6), in_turn())
    assert w == pytest.approx([-0.478, 0.849, -0.722, -0.380], abs=THREE_DECIMALS)


def test_D4_exercise_10_perceptron() -> None:
    model = Perceptron(bias=False).fit(X4, Y4, epochs=1)
    assert data(model.w) == pytest.approx([-0.35, 0.75, -0.85, -0.75], abs=1e-15)


@pytest.mark.parametrize(
    ("momentum", "expected"), [(0.0, [-0.527, 1.220, -1.047, -0.445]), (0.5, [-0.598, 1.829, -1.557, -0.502])]
)
def test_D4_exercises_6_and_8_by_a_linear_classifier(momentum: float, expected: list[float]) -> None:
    model = LinearClassifier("squared_hinge", bias=False)
    model.descend(*EXERCISES, optimizer=partial(optim.SGD, momentum=momentum), lr=0.5, epochs=25)
    assert data(model.w) == pytest.approx(expected, abs=THREE_DECIMALS)
    assert model.score(*EXERCISES) == 1.0


# D5, D6


@given(st.integers(1, 6), st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_D5_parameters_of_an_mlp(n_in: int, sizes: list[int]) -> None:
    model = nn.MLP(n_in, sizes)
    assert len(model.weights()) == sum(a * b for a, b in zip([n_in, *sizes], sizes, strict=False))
    assert len(model.parameters()) - len(model.weights()) == sum(sizes)


def test_D5_the_6_5_10_3_network_has_128() -> None:
    model = nn.MLP(6, [5, 10, 3])
    assert len(model.parameters()) == 128
    assert len(model.weights()) == 110
    assert len([name for name in model.named_parameters() if name.endswith(".b")]) == 18
    assert "128" in model.summary()


def test_D5_convolution_against_full_connection() -> None:
    """A 3x3 kernel is one neuron that looks at 9 pixels at a time; a layer of n^2 neurons looks at all n^2 pixels: (n^2 + 1) n^2."""
    kernel = nn.Neuron(9, None, rng=0)
    assert len(kernel.parameters()) == 10

    n = 4  # padded by one pixel, the image keeps its size
    image = np.pad(np.arange(n * n, dtype=float).reshape(n, n), 1)
    patches = [image[i : i + 3, j : j + 3].ravel().tolist() for i in range(n) for j in range(n)]
    assert len(kernel.predict(patches)) == n * n
    assert len(nn.Linear(n * n, n * n).parameters()) == fully_connected(n)

    assert fully_connected(50) == 6252500
    assert fully_connected(50) - 10 == 6252490


def fully_connected(n: int) -> int:
    return (n * n + 1) * n * n


@given(*[st.lists(st.floats(-10, 10), min_size=2, max_size=2)] * 2)
def test_D6_the_nearest_point_to_two(x1: list[float], x2: list[float]) -> None:
    """||X - x1||^2 + 2 ||X - x2||^2 is least at (x1 + 2 x2)/3: the gradient vanishes there, and Newton's step of 1/6 lands on it."""
    best = [(a + 2 * b) / 3 for a, b in zip(x1, x2, strict=True)]
    for start in (best, [0.0, 0.0]):
        X = [Value(v) for v in start]
        total = sum(square(v - a) + 2 * square(v - b) for v, a, b in zip(X, x1, x2, strict=True))
        total.backward()
        if start is best:
            assert [v.grad for v in X] == pytest.approx([0.0, 0.0], abs=1e-12)
        optim.SGD(X, lr=1 / 6).step()
        assert [v.data for v in X] == pytest.approx(best, abs=1e-12)


def test_the_order_of_the_stochastic_exercises() -> None:
    assert [i for (i,) in islice(in_turn(), 9)] == [0, 1, 2, 3, 4, 5, 6, 7, 0]
