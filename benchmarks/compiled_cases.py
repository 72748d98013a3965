"""The jobs of the comparison of compiled code: parameters, rows, and the scalar code of one row, the same at every call."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import autograd

Array = NDArray[Any]
Layers = list[tuple[Any, Any]]  # weights (n_out, n_in) and biases (n_out) of each


@dataclass(frozen=True)
class Case:
    """What is to be differentiated: the mean of `scalar(params, row)` over the rows, in params."""

    label: str
    count: int  # of rows
    kind: ClassVar[str]
    of_inputs: ClassVar[bool] = False  # the gradient of each row's value in its inputs is wanted instead

    @property
    def name(self) -> str:
        """For the tables."""
        return f"{self.label}, {f'{self.count:,}'.replace(',', ' ')} rows"

    @property
    def params(self) -> Array:
        """A flat array."""
        raise NotImplementedError

    @property
    def rows(self) -> Array:
        """An array (count, n_inputs)."""
        raise NotImplementedError

    def scalar(self, p: Sequence[Any], row: Sequence[Any]) -> Any:
        """The value of one row, as a user of this library writes it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Network(Case):
    """The mean loss of a ReLU network. A row holds the inputs, and the label 1 or -1 (hinge loss) or the class, one-hot (cross entropy)."""

    sizes: tuple[int, ...]
    kind: ClassVar[str] = "network"

    @property
    def is_hinge(self) -> bool:
        """Whether the loss is max(0, 1 - y score), else the cross entropy of the softmax."""
        return self.sizes[-1] == 1

    @cached_property
    def params(self) -> Array:
        """Weights, then biases, layer by layer."""
        rng = np.random.default_rng(0)
        layers = [(rng.normal(0, (2 / n_in) ** 0.5, n_in * n_out), rng.normal(0, 0.1, n_out)) for n_in, n_out in pairwise(self.sizes)]
        return np.concatenate([numbers for layer in layers for numbers in layer])

    @cached_property
    def inputs(self) -> Array:
        """What the network sees."""
        return np.random.default_rng(1).uniform(-1, 1, (self.count, self.sizes[0]))

    @cached_property
    def labels(self) -> Array:
        """1 and -1, or the numbers of classes."""
        rng = np.random.default_rng(2)
        return rng.choice((-1.0, 1.0), self.count) if self.is_hinge else rng.integers(0, self.sizes[-1], self.count)

    @cached_property
    def rows(self) -> Array:
        """The inputs with the targets."""
        targets = self.labels[:, None] if self.is_hinge else np.eye(self.sizes[-1])[self.labels]
        return np.concatenate([self.inputs, targets], axis=1)

    @property
    def layers(self) -> Layers:
        """The parameters as matrices and vectors."""
        p, layers = self.params, []
        for n_in, n_out in pairwise(self.sizes):
            weights, biases, p = p[: n_in * n_out], p[n_in * n_out : (n_in + 1) * n_out], p[(n_in + 1) * n_out :]
            layers.append((weights.reshape(n_out, n_in).copy(), biases.copy()))
        return layers

    def scalar(self, p: Sequence[Any], row: Sequence[Any]) -> Any:
        """Loops, sums and products."""
        numbers, x = iter(p), row[: self.sizes[0]]
        for layer, (n_in, n_out) in enumerate(pairwise(self.sizes)):
            weights = [[next(numbers) for _ in range(n_in)] for _ in range(n_out)]
            x = [sum((w * xi for w, xi in zip(ws, x, strict=True)), next(numbers)) for ws in weights]
            if layer < len(self.sizes) - 2:
                x = [autograd.relu(h) for h in x]
        targets = row[self.sizes[0] :]
        if self.is_hinge:
            return autograd.relu(1 - targets[0] * x[0])
        return autograd.logsumexp(x) - sum(t * score for t, score in zip(targets, x, strict=True))


@dataclass(frozen=True)
class Neuron(Case):
    """The sigmoid neuron 1 / (1 + e^-(w0 x0 + w1 x1 + w2))."""

    kind: ClassVar[str] = "neuron"

    @property
    def params(self) -> Array:
        """w0, w1, w2."""
        return np.array([2.0, -3.0, -3.0])

    @cached_property
    def rows(self) -> Array:
        """x0 and x1."""
        return np.random.default_rng(0).normal(size=(self.count, 2))

    def scalar(self, p: Sequence[Any], row: Sequence[Any]) -> Any:
        """As it stands in the textbooks."""
        return 1 / (1 + autograd.exp(-(p[0] * row[0] + p[1] * row[1] + p[2])))


@dataclass(frozen=True)
class NeuronInputs(Neuron):
    """The same, differentiated in x0 and x1, row by row."""

    kind: ClassVar[str] = "neuron_inputs"
    of_inputs: ClassVar[bool] = True


Step = tuple[str, int, int]  # the function, and which of the earlier numbers it takes: params, then inputs, then results


@dataclass(frozen=True)
class Irregular(Case):
    """A random graph without any repeated structure, the same elementary functions in any order on any operands."""

    operations: int
    n_params: int = 8
    n_inputs: int = 8
    kind: ClassVar[str] = "irregular"

    @cached_property
    def params(self) -> Array:
        """Around 0."""
        return np.random.default_rng(0).uniform(-1, 1, self.n_params)

    @cached_property
    def rows(self) -> Array:
        """Around 0."""
        return np.random.default_rng(1).uniform(-1, 1, (self.count, self.n_inputs))

    @cached_property
    def steps(self) -> list[Step]:
        """Operands are parameters, inputs, and results that are recent, as in code."""
        rng, given = Random(0), self.n_params + self.n_inputs
        steps: list[Step] = []
        for known in range(given, given + self.operations):
            name = "tanh" if known % 4 == 3 else rng.choice(("add", "sub", "mul", "mul", "sin", "sigmoid"))  # tanh: lest they grow
            a, b = (rng.randrange(given) if rng.random() < 0.25 else known - 1 - int(rng.expovariate(1 / 16)) % known for _ in range(2))
            steps.append((name, a, b))
        return steps

    @cached_property
    def ends(self) -> list[int]:
        """The results that no other operation takes."""
        used = {x for name, a, b in self.steps for x in ((a, b) if name in _BINARY else (a,))}
        first = self.n_params + self.n_inputs
        return [n for n in range(first, first + self.operations) if n not in used]

    def apply(self, p: Sequence[Any], row: Sequence[Any], functions: Any) -> Any:
        """The sum of the ends, with tanh, sin and sigmoid of a library."""
        numbers = [*p, *row]
        for name, a, b in self.steps:
            numbers.append(_BINARY[name](numbers[a], numbers[b]) if name in _BINARY else getattr(functions, name)(numbers[a]))
        return sum((numbers[n] for n in self.ends[1:]), numbers[self.ends[0]])

    def scalar(self, p: Sequence[Any], row: Sequence[Any]) -> Any:
        """Operation by operation."""
        return self.apply(p, row, autograd)

    def source(self, function: str) -> str:
        """Value and adjoints of parameters and inputs written out in Python, an assignment each, as one does by hand."""
        first = self.n_params + self.n_inputs
        lines = [f"def {function}({', '.join(f'v{n}' for n in range(first))}):"]
        lines += [f"    v{first + n} = {_FORMULAS[name].format(a=f'v{a}', b=f'v{b}')}" for n, (name, a, b) in enumerate(self.steps)]
        lines += [f"    value = {' + '.join(f'v{n}' for n in self.ends)}"]
        reached = set(self.ends)
        lines += [f"    d{n} = 1.0" for n in self.ends]
        for n, (name, a, b) in reversed(list(enumerate(self.steps))):
            for operand, partial in zip((a, b), _PARTIALS[name], strict=False):
                term = partial.format(y=f"v{first + n}", d=f"d{first + n}", a=f"v{a}", b=f"v{b}")
                lines.append(f"    d{operand} = {f'd{operand} + ' if operand in reached else ''}{term}")
                reached.add(operand)
        lines += [f"    d{n} = 0.0" for n in range(first) if n not in reached]
        return "\n".join([*lines, f"    return value, {', '.join(f'd{n}' for n in range(self.n_params))}"])


_BINARY = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_FORMULAS = {
    "add": "{a} + {b}",
    "sub": "{a} - {b}",
    "mul": "{a} * {b}",
    "sin": "sin({a})",
    "tanh": "tanh({a})",
    "sigmoid": "1.0 / (1.0 + exp(-{a}))",
}
_PARTIALS = {
    "add": ("{d}", "{d}"),
    "sub": ("{d}", "-{d}"),
    "mul": ("{d} * {b}", "{d} * {a}"),
    "sin": ("{d} * cos({a})",),
    "tanh": ("{d} * (1.0 - {y} * {y})",),
    "sigmoid": ("{d} * ({y} * (1.0 - {y}))",),
}


def cases() -> Iterator[Case]:
    """All that is measured."""
    for count in (100, 1000, 10_000):
        yield Network("2-16-16-1, hinge", count, (2, 16, 16, 1))
    for count in (32, 1000):
        yield Network("64-32-10, cross entropy", count, (64, 32, 10))
    for count in (32, 256):
        yield Network("784-128-10, cross entropy", count, (784, 128, 10))
    yield Neuron("sigmoid neuron", 1_000_000)
    yield NeuronInputs("sigmoid neuron, in the inputs", 1_000_000)
    for operations in (100, 1000):
        yield Irregular(f"irregular graph of {operations} operations", 1000, operations)
