"""The worked examples E: how training goes, each technique shown by what it does. The optimisers' update rules are compared elsewhere."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import nn
from autograd import Value, data, dot, grads, square
from nn import init, losses, optim, schedules
from nn.linear import LinearRegression, Perceptron
from nn.preprocessing import Standardizer

EXACT = 1e-12
X, Y = [[float(i)] for i in range(10)], [float(i) for i in range(10)]  # a target says which row it is
XOR = nn.datasets.xor()


class Recorder(NamedTuple):
    """A loss, and the targets that it was asked for: in training a Value is predicted, in measuring a float."""

    loss: Callable[[Any, Any], Any]
    trained: list[int]
    measured: list[int]


def recorder() -> Recorder:
    trained: list[int] = []
    measured: list[int] = []

    def loss(prediction: Any, target: Any) -> Any:
        (trained if isinstance(prediction, Value) else measured).append(int(target))
        return square(prediction - target)

    return Recorder(loss, trained, measured)


def line(w: float = 0.0, b: float = 0.0) -> nn.Neuron:
    """w x + b."""
    neuron = nn.Neuron.of([w])
    assert neuron.b is not None
    neuron.b.data = b
    return neuron


def train(model: nn.Module, X: Any, y: Any, lr: float = 1e-3, **options: Any) -> nn.History:
    return nn.fit(model, X, y, optimizer=optim.SGD(model, lr), progress=False, **{"loss": "half_mse", **options})


def descended(slope: float, lr: float, steps: int, w: float = 1.0) -> list[float]:
    """The path of gradient descent on slope/2 w^2."""
    p = Value(w)
    optimizer = optim.SGD([p], lr=lr)
    path = [p.data]
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * slope * square(p)).backward()
        optimizer.step()
        path.append(p.data)
    return path


# Descent ------------------------------------------------------------------------------------------------------------------


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.01, 0.99), st.integers(1, 10))
def test_E_gradient_descent(w: float, slope: float, lr: float, steps: int) -> None:
    """w <- w - eta dC/dw: on C = slope/2 w^2 each step multiplies w by 1 - eta slope."""
    assert descended(slope, lr, steps, w)[-1] == pytest.approx(w * (1 - lr * slope) ** steps, abs=EXACT, rel=EXACT)


def test_E_gradient_descent_with_each_kind_of_learning_rate() -> None:
    small, right, large, too_large = (descended(2.0, lr, 20) for lr in (0.01, 0.5, 0.99, 1.01))
    assert all(0.9 * a < b < a for a, b in pairwise(small))
    assert right[1] == 0.0
    assert all(a * b < 0 and abs(b) < abs(a) for a, b in pairwise(large))
    assert all(a * b < 0 and abs(b) > abs(a) for a, b in pairwise(too_large))


def test_E_sgd_reshuffles_each_epoch() -> None:
    note = recorder()
    train(line(), X, Y, loss=note.loss, epochs=6, batch_size=1)
    epochs = [note.trained[i : i + 10] for i in range(0, 60, 10)]
    assert len(note.trained) == 60
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({*map(tuple, epochs), tuple(range(10))}) == 7


def test_E_sgd_updates_after_every_row() -> None:
    """With rows that touch one weight each, the order does not matter: an epoch moves every weight by its own row."""
    model = LinearRegression(bias=False)
    model.descend(np.eye(4), [1.0, 2.0, 3.0, 4.0], lr=0.5, epochs=1, batch_size=1)
    assert data(model.w).tolist() == [0.5, 1.0, 1.5, 2.0]


def test_E_minibatches_without_replacement() -> None:
    note = recorder()
    train(line(), X, Y, loss=note.loss, epochs=5, batch_size=4)
    assert all(sorted(note.trained[i : i + 10]) == list(range(10)) for i in range(0, 50, 10))


def test_E_minibatches_with_replacement() -> None:
    """As many whole batches as without; some rows come twice, others not at all."""
    note = recorder()
    train(line(), X, Y, loss=note.loss, epochs=5, batch_size=4, replacement=True)
    epochs = [note.trained[i : i + 12] for i in range(0, 60, 12)]
    assert len(note.trained) == 60
    assert any(len(set(epoch)) < 10 for epoch in epochs)
    assert set(note.trained) == set(range(10))


def test_E_a_batch_of_all_rows_is_gradient_descent_only_without_replacement() -> None:
    full, without, with_replacement = (line() for _ in range(3))
    train(full, X, Y, epochs=3)
    train(without, X, Y, epochs=3, batch_size=10)
    train(with_replacement, X, Y, epochs=3, batch_size=10, replacement=True)
    assert without.predict(X) == pytest.approx(full.predict(X), abs=EXACT)
    assert with_replacement.predict(X) != pytest.approx(full.predict(X), abs=1e-6)


# Learning rates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (schedules.constant(0.1), [0.1, 0.1, 0.1, 0.1, 0.1]),
        (schedules.inverse_sqrt(0.06), [0.06, 0.06 / math.sqrt(2), 0.06 / math.sqrt(3), 0.03, 0.06 / math.sqrt(5)]),
        (schedules.step_decay(0.8, every=2), [0.8, 0.8, 0.4, 0.4, 0.2]),
        (schedules.step_decay(0.8, every=1), [0.8, 0.4, 0.2, 0.1, 0.05]),  # halving at every step
    ],
)
def test_E_schedules(schedule: schedules.Schedule, expected: list[float]) -> None:
    """A schedule given to fit counts epochs, one given to an optimiser updates; either way each step is eta_t dC/dw."""
    model = line()
    assert train(model, X, Y, epochs=5, batch_size=5, schedule=schedule).learning_rate == pytest.approx(expected)

    w = Value(0.0)
    optimizer = optim.SGD([w], lr=schedule)
    moves = []
    for _ in expected:
        before = w.data
        optimizer.zero_grad()
        (-w).backward()
        optimizer.step()
        moves.append(w.data - before)
    assert moves == pytest.approx(expected)


# The perceptron -----------------------------------------------------------------------------------------------------------


@given(*[st.lists(st.integers(-9, 9), min_size=3, max_size=3)] * 2, st.sampled_from([-1, 1]))
def test_E_perceptron_rule(w: list[int], x: list[int], y: int) -> None:
    """On the wrong side w <- w + y x, which is a gradient step on max(0, -y w.x) of rate 1; on the right side nothing."""
    assume(np.dot(w, x) != 0)
    values = [Value(v) for v in w]
    losses.perceptron(dot(values, x), y).backward()
    optim.SGD(values, lr=1.0).step()
    wrong = y * np.dot(w, x) < 0
    assert [p.data for p in values] == [a + y * b if wrong else a for a, b in zip(w, x, strict=True)]


def test_E_perceptron_ends_when_all_is_right() -> None:
    separable = [[2.0, 1.0], [1.0, 3.0], [-1.0, 1.0], [-2.0, -1.0]], [1, 1, -1, -1]
    model = Perceptron().fit(*separable, epochs=50)
    assert model.mistakes[-1] == 0
    assert len(model.mistakes) < 50
    assert 0 not in model.mistakes[:-1]
    assert model.classify(separable[0]) == separable[1]


# Clipping -----------------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=5), st.floats(0.01, 50))
def test_E_gradient_clipping(gradient: list[float], limit: float) -> None:
    """By norm the direction stays and the length is at most the limit; by value each partial is."""
    length = math.hypot(*gradient)

    def with_gradient() -> list[Value]:
        params = [Value(0.0) for _ in gradient]
        for p, g in zip(params, gradient, strict=True):
            p.grad = g
        return params

    params = with_gradient()
    assert optim.clip_grad_norm(params, limit) == pytest.approx(length)
    factor = min(1.0, limit / length) if length else 1.0
    assert grads(params) == pytest.approx([g * factor for g in gradient], abs=EXACT)

    params = with_gradient()
    optim.clip_grad_value(params, limit)
    assert grads(params).tolist() == [min(max(g, -limit), limit) for g in gradient]


FAR = [[1.0], [1000.0]], [1.0, -1000.0]


@pytest.mark.parametrize(("option", "longest"), [({"clip_norm": 2.0}, 2.0), ({"clip_value": 2.0}, 2.0 * math.sqrt(2))])
def test_E_clipping_bounds_every_step_of_training(option: dict[str, Any], longest: float) -> None:
    """A row far off throws descent away; with gradients clipped no step is longer than eta times the limit."""
    model = line()
    path = [data(model.parameters())]
    train(model, *FAR, lr=0.1, epochs=5, on_epoch=lambda _: path.append(data(model.parameters())), **option)
    assert len(path) == 6
    assert all(0 < math.dist(a, b) <= 0.1 * longest + EXACT for a, b in pairwise(path))

    free = line()
    train(free, *FAR, lr=0.1, epochs=1)
    assert math.hypot(*data(free.parameters())) > 1e4


# Validation ---------------------------------------------------------------------------------------------------------------


def test_E_early_stopping_restores_the_best_weights() -> None:
    """Training wants a slope of 1, validation one of 0.5: its loss falls, then rises."""
    wanted = [[1.0], [2.0]], [0.5, 1.0]
    slopes: list[float] = []
    model = LinearRegression(bias=False)
    rows, targets = [[1.0], [2.0]], [1.0, 2.0]

    def note(_: nn.History) -> None:
        slopes.append(model.w[0].data)

    history = model.descend(rows, targets, lr=0.03, epochs=200, validation=wanted, early_stopping=3, on_epoch=note)
    best = history.best_epoch
    assert history.validation_loss[best - 1] == min(history.validation_loss)
    assert len(history) == best + 3 < 200
    assert history.stopped == "early stopping"
    assert model.w[0].data == slopes[best - 1]
    assert abs(model.w[0].data - 0.5) < abs(slopes[-1] - 0.5)
    assert nn.evaluate(model, *wanted, "half_mse")[0] == min(history.validation_loss)
    assert history.loss[-1] == min(history.loss)  # training alone would have gone on

    model.descend(rows, targets, lr=0.03, epochs=200, validation=wanted)
    assert model.w[0].data == pytest.approx(1.0, abs=1e-3)


def test_E_validation_split() -> None:
    """The rows held out are measured after every epoch and never trained on."""
    note = recorder()
    history = train(line(), X, Y, loss=note.loss, epochs=4, batch_size=2, validation=0.3)
    held_out = set(note.measured)
    assert len(held_out) == 3
    assert len(note.measured) == 12
    assert set(note.trained) == set(range(10)) - held_out
    assert len(history.validation_loss) == 4

    other = recorder()
    train(line(), X, Y, loss=other.loss, epochs=1, validation=0.3, seed=1)
    assert set(other.measured) != held_out


# Standardisation ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "expected"), [(1, 1), (20, 70), (40, 139)])
def test_E_a_narrow_valley_takes_long(a: int, expected: int) -> None:
    """On L = w1^2 + a w2^2 the best rate, 1/(1 + a), shrinks w by (a - 1)/(a + 1) a step: the steps to 1/1000 grow with a."""
    w = [Value(1.0), Value(1.0)]
    optimizer = optim.SGD(w, lr=1 / (1 + a))
    while max(abs(p.data) for p in w) > 1e-3:
        optimizer.zero_grad()
        (square(w[0]) + a * square(w[1])).backward()
        optimizer.step()
    assert optimizer.t == expected
    assert a == 1 or expected == math.ceil(math.log(1e-3) / math.log((a - 1) / (a + 1)))


@pytest.mark.parametrize("a", [1, 20, 40])
def test_E_standardisation_makes_the_valley_round(a: int) -> None:
    """Features of variance 1 and a give the loss (e1^2 + a e2^2)/2 in the errors of the weights; standardised, one step arrives."""
    rows = [[s + 5.0, t * math.sqrt(a) - 3.0] for s in (-1.0, 1.0) for t in (-1.0, 1.0)]
    targets = [3.0 * u + 2.0 * v for u, v in rows]
    solved = LinearRegression().fit(rows, targets)
    assert data(solved.w) == pytest.approx([3.0, 2.0])

    scaler = Standardizer().fit(rows)
    assert scaler.mean == pytest.approx([5.0, -3.0])
    assert scaler.scale == pytest.approx([1.0, math.sqrt(a)])
    model = LinearRegression()
    model.descend(scaler.transform(rows), targets, lr=1.0, epochs=1)
    assert model.predict(scaler.transform(rows)) == pytest.approx(targets)
    assert [w / s for w, s in zip(data(model.w), scaler.scale, strict=True)] == pytest.approx([3.0, 2.0])

    centred = [[u - 5.0, v + 3.0] for u, v in rows]
    raw = LinearRegression()
    raw.descend(centred, targets, lr=2 / (1 + a), epochs=1)
    errors = data(raw.w) - [3.0, 2.0]
    shrunk = (a - 1) / (a + 1)
    assert errors == pytest.approx([-3.0 * shrunk, 2.0 * shrunk], abs=EXACT)


# Dropout and batch normalisation ------------------------------------------------------------------------------------------


@given(st.floats(0.0, 0.9), st.integers(0, 1000))
def test_E_dropout_is_inverted_and_for_training_only(p: float, seed: int) -> None:
    layer = nn.Dropout(p, rng=seed)
    row = [1.0, -2.0, 3.0]
    out = layer(row)
    assert all(o == 0.0 or o == pytest.approx(v / (1 - p)) for o, v in zip(out, row, strict=True))
    assert layer.eval()(row) == row
    assert layer.predict([row]) == [row]


def test_E_dropout_keeps_the_expectation_and_drops_with_probability_p() -> None:
    n, p = 20_000, 0.3
    out = nn.Dropout(p, rng=0)([1.0] * n)
    deviation = math.sqrt(p / (1 - p))  # of one output, whose mean is 1
    assert statistics.fmean(out) == pytest.approx(1.0, abs=4 * deviation / math.sqrt(n))
    assert out.count(0.0) / n == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / n))


def test_E_dropped_units_get_no_gradient() -> None:
    x = [Value(1.0) for _ in range(50)]
    out = nn.Dropout(0.5, rng=0)(x)
    sum(out).backward()
    assert [v.grad for v in x] == [float(o) for o in out]
    assert {v.grad for v in x} == {0.0, 2.0}


def batch_statistics(rows: list[list[float]]) -> tuple[Any, Any]:
    return np.mean(rows, axis=0), np.var(rows, axis=0)


def test_E_batch_norm_in_training_uses_the_batch() -> None:
    rng = Random(0)
    rows = [[rng.gauss(5.0, 2.0), rng.gauss(-1.0, 0.1)] for _ in range(16)]
    layer = nn.BatchNorm(2)
    out = data(layer.batch(rows))
    center, variance = batch_statistics(rows)
    assert out == pytest.approx((rows - center) / np.sqrt(variance + 1e-5), abs=EXACT, rel=EXACT)

    assert len(layer.parameters()) == 4
    for p, x in zip(layer.scale + layer.shift, [2.0, 3.0, -1.0, 4.0], strict=True):
        p.data = x
    assert data(layer.batch(rows)) == pytest.approx(out * [2.0, 3.0] + [-1.0, 4.0], abs=EXACT, rel=EXACT)


def test_E_batch_norm_in_use_goes_by_running_statistics() -> None:
    rng = Random(1)
    layer = nn.BatchNorm(1)
    running = np.array([0.0]), np.array([1.0])
    for size in (4, 8, 5):
        rows = [[rng.gauss(3.0, 2.0)] for _ in range(size)]
        layer.batch(rows)
        center, variance = batch_statistics(rows)
        running = 0.9 * running[0] + 0.1 * center, 0.9 * running[1] + 0.1 * variance * size / (size - 1)
    before = layer.state_dict()
    expected = (2.5 - running[0]) / np.sqrt(running[1] + 1e-5)
    assert layer.predict([[2.5]]) == [pytest.approx(expected)]
    assert data(layer.eval()([2.5])) == pytest.approx(expected)
    assert layer.state_dict() == before


def test_E_batch_norm_learns_scale_and_shift() -> None:
    """The normalised batch has mean 0 and deviation 1; fitting targets of mean 4 and deviation 3 teaches shift 4 and scale 3."""
    rows = [[-1.0], [1.0], [-1.0], [1.0]]
    model = nn.BatchNorm(1)
    train(model, rows, [[4.0 + 3.0 * x] for (x,) in rows], lr=1.0, epochs=30)
    assert [data(model.shift)[0], data(model.scale)[0]] == pytest.approx([4.0, 3.0], rel=1e-4)


# Initialisation -----------------------------------------------------------------------------------------------------------


def hidden(model: nn.MLP) -> list[list[float]]:
    return [[p.data for p in neuron.parameters()] for neuron in model[0].neurons]


def constant(n_in: int, n_out: int, rng: init.Seed = None) -> init.Matrix:
    return init.constant(n_in, n_out, rng, value=0.5)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_E_equal_weights_stay_equal(activation: str) -> None:
    """Neurons that begin as copies get the same gradient, and remain copies: XOR, which needs two different ones, is never learned."""
    model = nn.MLP(2, [3, 1], activation=activation, init=constant)
    start = hidden(model)
    history = train(model, *XOR, loss="hinge", lr=0.1, epochs=40)
    first, *others = hidden(model)
    assert first != start[0]
    assert all(other == pytest.approx(first, abs=EXACT) for other in others)
    assert history.metric[-1] < 1.0


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_E_zero_weights_do_not_move_at_all(activation: str) -> None:
    """With no weight above, nothing flows back; with no activation below, the weight above gets nothing. Only the last bias learns."""
    model = nn.MLP(2, [3, 1], activation=activation, init="zeros")
    train(model, *nn.datasets.moons(20), loss="half_mse", lr=0.1, epochs=5)
    assert {p.data for p in model.parameters()[:-1]} == {0.0}


def test_E_random_weights_part() -> None:
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    train(model, *XOR, loss="hinge", lr=0.1, epochs=40)
    assert len({tuple(neuron) for neuron in hidden(model)}) == 3


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 100))
def test_E_xavier_range(n_in: int, n_out: int, seed: int) -> None:
    """U(+-sqrt(6 / (n + m)))."""
    limit = math.sqrt(6 / (n_in + n_out))
    weights = [w for row in init.xavier_uniform(n_in, n_out, seed) for w in row]
    assert len(weights) == n_in * n_out
    assert max(map(abs, weights)) <= limit


def test_E_xavier_and_he_fill_their_ranges() -> None:
    """Means and deviations of 40 000 weights, whose standard errors are below 0.5 % of the deviation."""
    n, m = 200, 200
    for draw, deviation in (
        (init.xavier_uniform, math.sqrt(2 / (n + m))),
        (init.xavier_normal, math.sqrt(2 / (n + m))),
        (init.he_normal, math.sqrt(2 / n)),
        (init.he_uniform, math.sqrt(2 / n)),
        (init.uniform, 1 / math.sqrt(3)),
        (init.normal, 1.0),
    ):
        weights = [w for row in draw(n, m, 0) for w in row]
        assert statistics.pstdev(weights) == pytest.approx(deviation, rel=0.02)
        assert statistics.fmean(weights) == pytest.approx(0.0, abs=0.02 * deviation)
    assert max(map(abs, (w for row in init.xavier_uniform(n, m, 0) for w in row))) > 0.999 * math.sqrt(6 / (n + m))


def test_E_he_keeps_the_size_of_signals_through_rectifiers() -> None:
    """Through 10 layers of 50 ReLUs the mean square keeps its order of magnitude with He's weights, and vanishes with Xavier's."""
    rng = Random(0)
    size = {}
    for name in ("he_normal", "xavier_normal"):
        x = [rng.gauss(0, 1) for _ in range(50)]
        for _ in range(10):
            x = np.maximum(np.array(getattr(init, name)(50, 50, rng)) @ x, 0.0).tolist()
        size[name] = statistics.fmean(v * v for v in x)
    assert 0.1 < size["he_normal"] < 10
    assert size["xavier_normal"] < 0.02
