"""Initialisers: shapes, seeds, and whether the draws follow the distribution that the name promises.

Seeds are fixed, so that nothing here is left to chance; limits are those that a right generator would exceed once in a
million seeds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn

SIGMAS = 4.9  # two-sided probability 1e-6
KOLMOGOROV = math.sqrt(math.log(2e6) / 2)  # of the largest gap between distributions, times the root of the number of draws: the same
N_IN, N_OUT = 100, 300  # far apart, so that neither passes for the other
N = N_IN * N_OUT

Spread = tuple[str, float]  # uniform: half its width; normal: its standard deviation
RANDOM: dict[str, tuple[dict[str, float], float, Spread]] = {  # settings, mean, spread
    "uniform": ({}, 0.0, ("uniform", 1.0)),
    "uniform of given bounds": ({"low": 2.0, "high": 5.0}, 3.5, ("uniform", 1.5)),
    "normal": ({}, 0.0, ("normal", 1.0)),
    "normal of given moments": ({"mean": -3.0, "std": 0.1}, -3.0, ("normal", 0.1)),
    "xavier_uniform": ({}, 0.0, ("uniform", math.sqrt(6.0 / (N_IN + N_OUT)))),
    "xavier_normal": ({}, 0.0, ("normal", math.sqrt(2.0 / (N_IN + N_OUT)))),
    "he_uniform": ({}, 0.0, ("uniform", math.sqrt(6.0 / N_IN))),
    "he_normal": ({}, 0.0, ("normal", math.sqrt(2.0 / N_IN))),
}
NAMES = ["uniform", "normal", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal"]
SEEDS = [0, 1, 2]

every_distribution = pytest.mark.parametrize("case", RANDOM)
every_seed = pytest.mark.parametrize("seed", SEEDS)
every_name = pytest.mark.parametrize("name", NAMES)


def init(name: str) -> Callable[..., list[list[float]]]:
    f: Callable[..., list[list[float]]] = getattr(nn.init, name)
    return f


def draws(case: str, seed: int) -> list[float]:
    rows = init(case.partition(" ")[0])(N_IN, N_OUT, rng=seed, **RANDOM[case][0])
    return [x for row in rows for x in row]


# Shapes and seeds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["zeros", "constant", *NAMES])
@given(n_in=st.integers(1, 7), n_out=st.integers(1, 7))
@settings(max_examples=10)
def test_a_row_of_floats_for_each_neuron(name: str, n_in: int, n_out: int) -> None:
    rows = init(name)(n_in, n_out, **({"value": 0.5} if name == "constant" else {}))
    assert [len(row) for row in rows] == [n_in] * n_out
    assert all(type(x) is float for row in rows for x in row)


def test_those_that_draw_nothing() -> None:
    assert nn.init.zeros(2, 3) == [[0.0, 0.0]] * 3
    assert nn.init.constant(3, 2, value=0.5) == [[0.5, 0.5, 0.5]] * 2


@pytest.mark.parametrize("name", ["zeros", "constant"])
def test_no_two_rows_are_one_list(name: str) -> None:
    rows = init(name)(2, 2, **({"value": 1.0} if name == "constant" else {}))
    rows[0][0] = 7.0
    assert rows[1][0] != 7.0


@every_name
@given(seed=st.integers(0, 2**32))
@settings(max_examples=10)
def test_a_seed_decides(name: str, seed: int) -> None:
    first = init(name)(3, 4, rng=seed)
    assert first == init(name)(3, 4, rng=seed)
    assert first == init(name)(3, 4, rng=random.Random(seed))
    assert first != init(name)(3, 4, rng=seed + 1)


@every_name
def test_a_generator_goes_on(name: str) -> None:
    rng = random.Random(0)
    assert init(name)(3, 4, rng=rng) != init(name)(3, 4, rng=rng)


@every_name
def test_the_global_generator_is_left_alone(name: str) -> None:
    before = random.getstate()
    first, again = init(name)(3, 4), init(name)(3, 4)
    assert random.getstate() == before
    assert first != again
    random.setstate(before)
    random.seed(7)
    one = init(name)(3, 4)
    random.seed(7)
    other = init(name)(3, 4)
    random.setstate(before)
    assert one != other


@every_name
def test_no_global_seed_reaches_a_seeded_draw(name: str) -> None:
    before = random.getstate()
    try:
        random.seed(1)
        first = init(name)(3, 4, rng=5)
        random.seed(2)
        assert init(name)(3, 4, rng=5) == first
    finally:
        random.setstate(before)


# Distributions -----------------------------------------------------------------------------------------------------------


@every_distribution
@every_seed
def test_mean(case: str, seed: int) -> None:
    _, mean, spread = RANDOM[case]
    error = sum(draws(case, seed)) / N - mean
    assert abs(error) <= SIGMAS * deviation(spread) / math.sqrt(N)


@every_distribution
@every_seed
def test_variance(case: str, seed: int) -> None:
    """The variance of a sample variance is sigma^4 (kurtosis - 1) / N."""
    _, mean, spread = RANDOM[case]
    kurtosis = 3.0 if spread[0] == "normal" else 1.8
    got = sum((x - mean) ** 2 for x in draws(case, seed)) / N
    assert abs(got / deviation(spread) ** 2 - 1.0) <= SIGMAS * math.sqrt((kurtosis - 1.0) / N)


@every_distribution
@every_seed
def test_shape_of_the_distribution(case: str, seed: int) -> None:
    """The test of Kolmogorov and Smirnov: the largest gap to the promised distribution function."""
    _, mean, spread = RANDOM[case]
    shares = [cumulative((x - mean) / spread[1], spread[0]) for x in sorted(draws(case, seed))]
    gap = max(max((i + 1) / N - p, p - i / N) for i, p in enumerate(shares))
    assert gap * math.sqrt(N) <= KOLMOGOROV


@every_distribution
@every_seed
def test_bounds(case: str, seed: int) -> None:
    """A uniform distribution fills its interval and never leaves it; a normal one is not cut off."""
    _, mean, (kind, size) = RANDOM[case]
    reach = max(abs(x - mean) for x in draws(case, seed)) / size
    if kind == "uniform":
        assert 1.0 - 14.0 / N <= reach <= 1.0  # (1 - 14/N)^N < 1e-6
    else:
        assert 3.0 <= reach <= 7.0


@every_distribution
@pytest.mark.parametrize("lag", [1, 2, N_IN])
def test_draws_are_independent(case: str, lag: int) -> None:
    """Of the next one, and of the one below in the matrix."""
    assert abs(correlation((x := draws(case, 0))[lag:], x[:-lag])) <= SIGMAS / math.sqrt(N - lag)


@every_distribution
def test_seeds_are_independent(case: str) -> None:
    assert abs(correlation(draws(case, 0), draws(case, 1))) <= SIGMAS / math.sqrt(N)


def deviation(spread: Spread) -> float:
    kind, size = spread
    return size / math.sqrt(3.0) if kind == "uniform" else size


def cumulative(x: float, kind: str) -> float:
    return (x + 1.0) / 2.0 if kind == "uniform" else math.erfc(-x / math.sqrt(2.0)) / 2.0


def correlation(x: list[float], y: list[float]) -> float:
    mx, my = sum(x) / len(x), sum(y) / len(y)
    xy = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    return xy / math.sqrt(sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))


# What they are for -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal"])
def test_xavier_keeps_the_variance_of_a_signal_through_linear_layers(name: str) -> None:
    assert 0.5 <= gain(init(name), lambda z: z) <= 2.0


@pytest.mark.parametrize("name", ["he_uniform", "he_normal"])
def test_he_keeps_the_mean_square_of_a_signal_through_relu_layers(name: str) -> None:
    assert 0.5 <= gain(init(name), lambda z: max(z, 0.0)) <= 2.0


def test_others_do_not() -> None:
    assert gain(nn.init.xavier_normal, lambda z: max(z, 0.0)) < 0.1
    assert gain(nn.init.he_normal, lambda z: z) > 10.0


def gain(initialise: Callable[..., list[list[float]]], f: Callable[[float], float], width: int = 80, depth: int = 5) -> float:
    """The mean square after some layers over that before."""
    rng = random.Random(0)
    signal = [rng.gauss(0.0, 1.0) for _ in range(width)]
    before = mean_square(signal)
    for _ in range(depth):
        signal = [f(sum(w * x for w, x in zip(row, signal, strict=True))) for row in initialise(width, width, rng=rng)]
    return mean_square(signal) / before


def mean_square(x: list[float]) -> float:
    return sum(v * v for v in x) / len(x)


# Models ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [lambda seed: nn.MLP(3, [4, 2], seed=seed), lambda seed: nn.Linear(3, 4, rng=random.Random(seed))])
def test_models_follow_their_seed_and_nothing_else(build: Callable[[int], Any]) -> None:
    before = random.getstate()
    first = build(3).state_dict()
    assert random.getstate() == before
    random.seed(11)
    again = build(3).state_dict()
    random.setstate(before)
    assert again == first
    assert build(4).state_dict() != first


def test_biases_start_at_zero() -> None:
    model = nn.MLP(3, [4, 2])
    weights = set(map(id, model.weights()))
    biases = [p.data for p in model.parameters() if id(p) not in weights]
    assert biases == [0.0] * 6


@every_name
def test_a_layer_takes_an_initialiser(name: str) -> None:
    layer = nn.Linear(3, 4, init=init(name), rng=random.Random(2))
    assert [p.data for p in layer.weights()] == [x for row in init(name)(3, 4, rng=random.Random(2)) for x in row]
