"""The job of the comparison: one training step of a small network, in scalar code that is the same for every library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

SIZES = (2, 16, 16, 1)
Number = Any  # float, or the number class of a library
Layers = list[list[tuple[list[Number], Number]]]  # for each layer, for each neuron: weights and bias
NeuronRule = Callable[[Sequence[Number], Sequence[Number], Number], Number]


@dataclass(frozen=True)
class Problem:
    """Weights and data as floats. The labels are 1 and -1."""

    layers: Layers
    rows: list[list[float]]
    labels: list[int]


def problem(samples: int = 100, seed: int = 0) -> Problem:
    """A 2-16-16-1 network and data for it, the same at every call."""
    rng = Random(seed)
    layers = [
        [([rng.uniform(-1.0, 1.0) for _ in range(n_in)], rng.uniform(-0.1, 0.1)) for _ in range(n_out)] for n_in, n_out in pairwise(SIZES)
    ]
    rows = [[rng.uniform(-1.0, 1.0) for _ in range(SIZES[0])] for _ in range(samples)]
    return Problem(layers, rows, [rng.choice((-1, 1)) for _ in rows])


def converted(layers: Layers, number: Callable[[float], Number]) -> Layers:
    """The layers with every weight and bias made a number of a library."""
    return [[(list(map(number, weights)), number(bias)) for weights, bias in layer] for layer in layers]


def parameters(layers: Layers) -> Iterator[Number]:
    """Every weight and bias."""
    for layer in layers:
        for weights, bias in layer:
            yield from weights
            yield bias


def neuron(weights: Sequence[Number], x: Sequence[Number], bias: Number) -> Number:
    """w . x + b before the activation, as micrograd's demo writes it."""
    return sum((wi * xi for wi, xi in zip(weights, x, strict=True)), bias)


def score(layers: Layers, x: list[Number], relu: Callable[[Number], Number], rule: NeuronRule = neuron) -> Number:
    """The network's output for one row: ReLU in all layers but the last."""
    *hidden, last = layers
    for layer in hidden:
        x = [relu(rule(weights, x, bias)) for weights, bias in layer]
    ((weights, bias),) = last
    return rule(weights, x, bias)


def hinge_loss(
    layers: Layers, rows: list[list[Number]], labels: list[int], relu: Callable[[Number], Number], rule: NeuronRule = neuron
) -> Number:
    """The mean of max(0, 1 - label * score) over the rows."""
    scores = [score(layers, row, relu, rule) for row in rows]
    losses = [relu(1 + -y * s) for y, s in zip(labels, scores, strict=True)]
    return sum(losses) * (1.0 / len(losses))
