"""Random functions of (params, row) as people write them, with points at which they are smooth, each from a seed."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

import autograd
from autograd import Value, dot, exp, log, logsumexp, maximum, ops, primitive, relu, sigmoid, softmax, softplus, tanh, where
from autograd.ops.ieee import extended
from autograd.ops.op import Op
from autograd.testing import smooth

Function = Callable[[Any, Any], Any]


class Program:
    """A function, parameters and rows for it, and how it came about."""

    def __init__(self, fn: Function, params: Any, rows: list[Any], about: str) -> None:
        self.fn, self.params, self.rows, self.about = fn, params, rows, about

    def __repr__(self) -> str:
        return self.about


def random_program(seed: int) -> Program:
    rng = Random(seed)
    kind = rng.choice([dag, dag, layered, layered, network, network, network, mixed, mixed, unrolled, unrolled, wide])
    program = kind(rng)
    program.about = f"seed {seed}, {kind.__name__}: {program.about}"
    return program


# Primitives of a user ----------------------------------------------------------------------------------------------------


def primitives() -> list[Op]:
    """One whose rule is written with operators, one whose rule only floats can run, and one of a sequence."""
    cosine, sine = extended(math.cos), extended(math.sin)

    @primitive(partials=lambda y, x: (3.0 * x * x + 1.0,))
    def cubic(x: float) -> float:
        return x * x * x + x

    @primitive(partials=lambda y, a, b: (cosine(a) * b if a > 0 else b * cosine(a), sine(a)))
    def wave(a: float, b: float) -> float:
        return sine(a) * b

    @primitive(partials=lambda y, *x: tuple(2.0 * v / len(x) for v in x))
    def mean_square(*x: float) -> float:
        return math.fsum(v * v for v in x) / len(x)

    return [cubic, wave, mean_square]


# Random graphs -----------------------------------------------------------------------------------------------------------

_LIMIT = 30.0
Step = tuple[Op, tuple[Any, ...]]


def dag(rng: Random) -> Program:
    """Any ops on any operands: parameters, inputs, constants and earlier results."""
    operations = [*(ops.table[name] for name in sorted(ops.builtin)), *primitives()]
    n_params, n_inputs, n_rows = rng.randint(0, 5), rng.randint(0, 4), rng.randint(1, 4)
    if n_params + n_inputs == 0:
        n_params = 1
    params = [_number(rng) for _ in range(n_params)]
    rows = [[_number(rng) for _ in range(n_inputs)] for _ in range(n_rows)]
    numbers = [[*params, *row] for row in rows]  # of each row, all results so far
    steps: list[Step] = []
    deep = rng.random() < 0.5
    for _ in range(rng.randint(1, 30)):
        op = rng.choice(operations)
        operands = _operands(rng, op, len(numbers[0]), deep)
        at = [tuple(known[x] if isinstance(x, int) else x for x in operands) for known in numbers]
        if all(smooth(op, x) and abs(op.forward(*x)) < _LIMIT for x in at):
            steps.append((op, operands))
            for known, x in zip(numbers, at, strict=True):
                known.append(op.forward(*x))
    weights = [(i, rng.choice([1.0, -1.0, 0.5])) for i in range(len(numbers[0])) if rng.random() < 0.4]

    def fn(p: Any, x: Any) -> Any:
        known = [*p, *x]
        for op, operands in steps:
            known.append(op.apply(*(known[v] if isinstance(v, int) else v for v in operands)))
        return sum((c * known[i] for i, c in weights), known[-1])

    return Program(fn, params, rows, f"{n_params} params, {n_inputs} inputs, {[(op.name, x) for op, x in steps]}, {weights}")


def _number(rng: Random) -> float:
    return rng.choice([rng.uniform(-2.0, 2.0), rng.uniform(0.05, 3.0), rng.uniform(-0.99, 0.99)])


def _operands(rng: Random, op: Op, count: int, deep: bool) -> tuple[Any, ...]:
    def operand(i: int) -> Any:
        if i in op.choices:
            return rng.choice(op.choices[i])
        if rng.random() < 0.15:
            return rng.choice([0.0, 1.0, -1.0, 2.0, 3.0, 0.5, rng.uniform(-2.0, 2.0)])
        return rng.randrange(max(0, count - 4) if deep and rng.random() < 0.8 else 0, count)

    arity = op.arity if op.arity is not None else rng.randint(1, 5) * (2 if op.name == "dot" else 1)
    return tuple(operand(i) for i in range(arity))


def layered(rng: Random) -> Program:
    """Wide graphs: every layer applies a few ops to many operands, so that there is much to group, regular and not."""
    unary = [tanh, sigmoid, softplus, autograd.sin, autograd.arctan, exp, autograd.square, autograd.gelu, autograd.elu, autograd.erf]
    width, depth = rng.randint(2, 9), rng.randint(1, 4)
    n_params, n_inputs = rng.randint(1, 2 * width), rng.randint(1, width)
    plan: list[list[tuple[Any, ...]]] = []
    count = n_params + n_inputs
    for _ in range(depth):
        shift = rng.randint(0, count)
        scattered = rng.random() < 0.4
        chosen = [rng.choice(unary) for _ in range(rng.randint(1, 2))]
        layer: list[tuple[Any, ...]] = []
        for k in range(width):
            a, b, c = ((rng.randrange(count) if scattered else (shift + step * k) % count) for step in (1, 1, 2))
            layer.append((rng.choice(chosen), a, b, c, rng.randrange(6)))
        same = rng.random() < 0.5
        plan.append([(f, a, b, c, layer[0][4] if same else form) for f, a, b, c, form in layer])
        count += width

    def fn(p: Any, x: Any) -> Any:
        known = [*p, *x]
        for layer in plan:
            known += [_form(f, known[a], known[b], known[c], form) for f, a, b, c, form in layer]
        return sum(known[-width:]) / width

    return Program(fn, _numbers(rng, n_params), [_numbers(rng, n_inputs) for _ in range(rng.randint(1, 4))], f"{plan}")


def _form(f: Any, a: Any, b: Any, c: Any, form: int) -> Any:
    forms: list[Callable[[], Any]] = [
        lambda: f(0.3 * a),
        lambda: 0.3 * a * b - c,
        lambda: f(0.2 * a - b * 0.3) * c,
        lambda: tanh(a) + tanh(b) * c,
        lambda: maximum(a, b + 0.123) * 0.5,
        lambda: where(autograd.greater(a, 0.0), b, tanh(c)),
    ]
    return forms[form]()


def _numbers(rng: Random, count: int, scale: float = 1.0) -> list[float]:
    return [rng.uniform(-scale, scale) for _ in range(count)]


# Networks in many styles -------------------------------------------------------------------------------------------------

Affine = Callable[[Sequence[Any], Any, Sequence[Any]], Any]
Combine = Callable[[Sequence[Any]], Any]


def _pairwise(terms: Sequence[Any]) -> Any:
    terms = list(terms)
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)] + ([terms[-1]] if len(terms) % 2 else [])
    return terms[0]


def _products(w: Sequence[Any], x: Sequence[Any]) -> list[Any]:
    return [a * b for a, b in zip(w, x, strict=True)]


def _loop(w: Sequence[Any], b: Any, x: Sequence[Any]) -> Any:
    total = b
    for a, v in zip(w, x, strict=True):
        total += v * a
    return total


AFFINE: dict[str, Affine] = {
    "bias last": lambda w, b, x: sum(_products(w, x)) + b,
    "bias first": lambda w, b, x: sum(_products(w, x), b),
    "bias first, reduce": lambda w, b, x: functools.reduce(operator.add, _products(w, x), b),
    "loop": _loop,
    "sum from 0.0": lambda w, b, x: sum(_products(x, w), 0.0) + b,
    "autograd.sum": lambda w, b, x: autograd.sum(_products(w, x)) + b,
    "autograd.sum with bias": lambda w, b, x: autograd.sum([*_products(w, x), b]),
    "dot": lambda w, b, x: dot(w, x) + b,
    "dot, bias first": lambda w, b, x: b + dot(x, w),
    "pairwise tree": lambda w, b, x: _pairwise(_products(w, x)) + b,
    "pairwise tree with bias": lambda w, b, x: _pairwise([b, *_products(w, x)]),
    "subtraction": lambda w, b, x: b - sum(-(a * v) for a, v in zip(w, x, strict=True)),
    "subtraction of negatives": lambda w, b, x: b - sum((-a) * v for a, v in zip(w, x, strict=True)),
    "twice negative": lambda w, b, x: -(-b - sum(_products(w, x))),
    "minus each": lambda w, b, x: functools.reduce(operator.sub, [(-v) * a for a, v in zip(w, x, strict=True)], b),
    "halves": lambda w, b, x: 0.5 * (sum(_products(w, x)) + b) + (b + sum(_products(w, x))) / 2,
    "no bias": lambda w, b, x: sum(_products(w, x)),
    "product by sum": lambda w, b, x: autograd.sum([autograd.multiply(v, a) for a, v in zip(w, x, strict=True)]) + b,
    "reversed": lambda w, b, x: sum(_products(w[::-1], x[::-1])) + b,
}

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": relu,
    "method relu": lambda z: z.relu(),
    "maximum": lambda z: maximum(z, 0.0),
    "where": lambda z: where(autograd.greater(z, 0.0), z, 0.0),
    "tanh": tanh,
    "sigmoid": sigmoid,
    "1/(1+exp(-z))": lambda z: 1 / (1 + exp(-z)),
    "1.0/(exp(-z)+1.0)": lambda z: 1.0 / (exp(-z) + 1.0),
    "exp(z)/(1+exp(z))": lambda z: exp(z) / (1 + exp(z)),
    "log(1+exp(z))": lambda z: log(1 + exp(z)),
    "z*sigmoid(z)": lambda z: z * sigmoid(z),
    "elu": autograd.elu,
    "gelu": autograd.gelu,
    "leaky": lambda z: autograd.leaky_relu(z, 0.1),
    "square": lambda z: z**2,
    "cube": lambda z: z**3 * 0.1,
    "abs": abs,
    "identity": lambda z: z,
}


def _nll(z: Sequence[Any], y: Sequence[Any]) -> Any:
    shares = softmax(z)
    return -sum(t * log(s) for t, s in zip(y, shares, strict=True))


def _by_hand(z: Sequence[Any], y: Sequence[Any]) -> Any:
    terms = [exp(v) for v in z]
    whole = sum(terms)
    return -sum(t * log(e / whole) for t, e in zip(y, terms, strict=True))


LOSSES: dict[str, Callable[[Sequence[Any], Sequence[Any]], Any]] = {
    "hinge": lambda z, y: sum(relu(1 - t * s) for s, t in zip(z, y, strict=True)),
    "hinge by method": lambda z, y: sum((1 + -t * s).relu() for s, t in zip(z, y, strict=True)) * (1.0 / len(z)),
    "square": lambda z, y: sum((s - t) ** 2 for s, t in zip(z, y, strict=True)),
    "half square": lambda z, y: autograd.mean([(t - s) * (t - s) for s, t in zip(z, y, strict=True)]) / 2,
    "logsumexp": lambda z, y: logsumexp(z) - dot(z, y),
    "log sum exp": lambda z, y: log(sum(exp(v) for v in z)) - sum(t * v for t, v in zip(y, z, strict=True)),
    "log softmax": lambda z, y: -dot(autograd.log_softmax(z), y),
    "softmax": _nll,
    "softmax by hand": _by_hand,
    "logistic": lambda z, y: sum(log(1 + exp(-t * s)) for s, t in zip(z, y, strict=True)),
    "binary": lambda z, y: -sum(t * log(sigmoid(s)) + (1 - t) * log(1 - sigmoid(s)) for s, t in zip(z, y, strict=True)),
    "softplus": lambda z, y: sum(softplus(-t * s) for s, t in zip(z, y, strict=True)),
    "largest": lambda z, y: autograd.max(z) - dot(z, y),
    "norm": lambda z, y: autograd.norm([s - t for s, t in zip(z, y, strict=True)]),
}

# Written like this they lose digits far from 0, which the compiled program does not: there the two may differ.
UNSTABLE = ("log sum exp", "softmax", "softmax by hand", "logistic", "binary")
BOUNDED = ("tanh", "sigmoid", "1/(1+exp(-z))", "1.0/(exp(-z)+1.0)", "exp(z)/(1+exp(z))")


class Shapes:
    """How parameters are laid out, as flat vector or by layer."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = list(sizes)
        self.pairs = list(itertools.pairwise(sizes))

    def random(self, rng: Random, layout: str) -> Any:
        if layout == "flat":
            return _numbers(rng, sum((i + 1) * o for i, o in self.pairs))
        if layout == "array":
            return np.array(self.random(rng, "flat"))
        if layout == "arrays":
            return [{"W": np.array(_numbers(rng, i * o)).reshape(o, i), "b": np.array(_numbers(rng, o))} for i, o in self.pairs]
        if layout == "by input":
            return {f"layer{k}": (np.array(_numbers(rng, i * o)).reshape(i, o), _numbers(rng, o)) for k, (i, o) in enumerate(self.pairs)}
        return [([_numbers(rng, i) for _ in range(o)], _numbers(rng, o)) for i, o in self.pairs]

    def layers(self, p: Any, layout: str) -> list[tuple[Any, Any]]:
        """For each layer the rows of its matrix, and its biases."""
        if layout in ("flat", "array"):
            numbers = iter(p)
            found = []
            for i, o in self.pairs:
                units = [([next(numbers) for _ in range(i)], next(numbers)) for _ in range(o)]
                found.append(([w for w, _ in units], [b for _, b in units]))
            return found
        if layout == "arrays":
            return [(layer["W"], layer["b"]) for layer in p]
        if layout == "by input":
            return [(layer[0].T, layer[1]) for layer in p.values()]
        return list(p)


LAYOUTS = ("flat", "array", "arrays", "by input", "lists")


def network(rng: Random, sizes: Sequence[int] | None = None) -> Program:
    """A multilayer perceptron with its loss in a random style, perhaps with residuals, tied layers and penalties."""
    if sizes is None:
        hidden = [rng.randint(1, 6)] * rng.randint(0, 3) if rng.random() < 0.5 else [rng.randint(1, 6) for _ in range(rng.randint(0, 2))]
        sizes = [rng.randint(1, 5), *hidden, rng.randint(1, 4)]
    styles = rng.choice(list(AFFINE)), rng.choice(list(ACTIVATIONS)), rng.choice(list(LOSSES))
    if styles[2] in UNSTABLE and styles[1] not in BOUNDED:
        styles = styles[0], "tanh", styles[2]
    layout = rng.choice(LAYOUTS)
    residual, tied, penalty = rng.random() < 0.3, rng.random() < 0.2, rng.choice([None, None, "l2", "l1", "squares", "inside"])
    numpy_style = layout in ("arrays", "by input") and rng.random() < 0.5
    fn = network_function(sizes, *styles, layout, residual=residual, tied=tied, penalty=penalty, numpy_style=numpy_style)
    shapes = Shapes(sizes)
    rows = [_numbers(rng, sizes[0]) + [float(rng.choice([-1, 1])) for _ in range(sizes[-1])] for _ in range(rng.randint(1, 5))]
    about = f"{sizes} {styles} {layout} residual={residual} tied={tied} penalty={penalty} numpy={numpy_style}"
    return Program(fn, shapes.random(rng, layout), rows, about)


def wide(rng: Random) -> Program:
    """A network whose layers are large enough to be matrices of their own."""
    width = rng.choice([16, 17, 20, 24])
    return network(rng, [rng.choice([width, rng.randint(1, 20)]), *[width] * rng.randint(1, 2), rng.choice([1, width, rng.randint(1, 20)])])


def network_function(
    sizes: Sequence[int],
    affine: str,
    activation: str,
    loss: str,
    layout: str,
    *,
    residual: bool = False,
    tied: bool = False,
    penalty: str | None = None,
    numpy_style: bool = False,
) -> Function:
    shapes = Shapes(sizes)
    combine, activate, lose = AFFINE[affine], ACTIVATIONS[activation], LOSSES[loss]

    def fn(p: Any, row: Any) -> Any:
        layers = shapes.layers(p, layout)
        x = list(row[: sizes[0]])
        for k, (matrix, bias) in enumerate(layers):
            if tied and k and len(matrix) == len(layers[k - 1][0]) and len(matrix[0]) == len(layers[k - 1][0][0]):
                matrix = layers[k - 1][0]
            if numpy_style:
                z = list(matrix @ np.array(x, dtype=object) + np.array(bias, dtype=object))
            else:
                z = [combine(list(w), b, x) for w, b in zip(matrix, bias, strict=True)]
            a = [activate(v) for v in z] if k < len(layers) - 1 else z
            x = [v + u for v, u in zip(a, x, strict=True)] if residual and len(a) == len(x) else a
        y = list(row[sizes[0] :])
        result = lose(x, y)
        weights = [w for matrix, _ in layers for unit in matrix for w in unit]
        if penalty == "l2":
            result = result + 0.01 * sum(w * w for w in weights)
        elif penalty == "l1":
            result = 0.01 * sum(abs(w) for w in weights) + result
        elif penalty == "squares":
            for w in weights:
                result += 0.1 * w**2
        elif penalty == "inside":
            result = result * (1 + 0.1 * autograd.norm(weights))
        return result

    return fn


# Everything else people write --------------------------------------------------------------------------------------------


def mixed(rng: Random) -> Program:
    """One of the forms that once went wrong elsewhere, or might."""
    n = rng.randint(2, 6)
    form = rng.randrange(len(_MIXED))
    params = [rng.uniform(0.2, 1.5) * rng.choice([-1, 1]) for _ in range(3 * n)]
    rows = [[rng.uniform(0.2, 1.5) * rng.choice([-1, 1]) for _ in range(2 * n)] for _ in range(rng.randint(1, 5))]
    return Program(lambda p, x: _MIXED[form](list(p), list(x), n), params, rows, f"form {form}, n {n}")


_MIXED: list[Callable[[list[Any], list[Any], int], Any]] = [
    lambda p, x, n: sum(p[k] * x[k] for k in range(n)) * sum(p[k] * x[n - 1 - k] for k in range(n)),
    lambda p, x, n: sum(x[k] * x[n + k] for k in range(n)) + sum(p[k] * p[n + k] for k in range(n)),
    lambda p, x, n: sum(tanh(p[k] * x[k] + p[n + k]) for k in range(n)),
    lambda p, x, n: sum(tanh(p[k]) * tanh(x[k]) for k in range(n)) / autograd.norm(p),
    lambda p, x, n: sum(softmax(p[:n])[k] * x[k] for k in range(n)),
    lambda p, x, n: dot(softmax(x[:n]), p[:n]) + dot(softmax([a * b for a, b in zip(p, x, strict=False)]), x[: 2 * n]),
    lambda p, x, n: sum((p[k] - x[k]) ** 2 for k in range(n)),
    lambda p, x, n: autograd.sum([relu(p[k] - x[k]) * p[n + k] for k in range(n)]) - p[0] * p[1] - p[2],
    lambda p, x, n: sum(x[k] * (k + 1.5) for k in range(n)) + sum((-1) ** k * p[k] * x[k] for k in range(n)),
    lambda p, x, n: sum(exp(-((x[k] - p[k]) ** 2) / (0.5 + p[n + k] ** 2)) for k in range(n)),
    lambda p, x, n: p[0] - sum(-(p[k] * x[k]) for k in range(n)) + x[0] + x[0],
    lambda p, x, n: sum(p[k] * x[k] * x[n + k] for k in range(n)) + sum(p[k] * p[n + k] * x[k] for k in range(n)),
    lambda p, x, n: sum(p[k] * (x[k] + p[n + k]) for k in range(n)) + sum(x[k] * (x[n + k] - x[k]) for k in range(n)),
    lambda p, x, n: sum(dot(p[k : k + 3], x[k : k + 3]) ** 2 for k in range(n - 2)) if n > 2 else x[0] * p[0],
    lambda p, x, n: sum(tanh(dot(p[:2], x[k : k + 2]) + p[2]) for k in range(2 * n - 1)),
    lambda p, x, n: sum(tanh(dot(p[2 * f : 2 * f + 2], x[k : k + 2])) for k in range(2 * n - 1) for f in range(n)),
    lambda p, x, n: autograd.prod([p[k] + x[k] for k in range(n)]) + autograd.prod(p[:n]),
    lambda p, x, n: autograd.max([p[k] * x[k] for k in range(n)]) + autograd.min([x[k] - p[k] for k in range(n)]),
    lambda p, x, n: sum((autograd.group("g"), p[k] * x[k])[1] for k in range(n)) + 0.0,
    lambda p, x, n: logsumexp([p[k] * x[k] for k in range(n)]) + logsumexp(p) + logsumexp(x) + logsumexp([x[0], 0.5, p[1]]),
    lambda p, x, n: sum(autograd.elu(x[k], autograd.square(p[k])) for k in range(n)),
    lambda p, x, n: sum(x[k] ** 2 + x[k] ** 3 + p[k] ** 4 + x[k] ** -1 + p[k] ** -2 for k in range(n)),
    lambda p, x, n: tanh(0.5 * x[0] + 0.5 * x[0]) * tanh(p[0] * 0.25 + p[0] * 0.75) + (2 * x[1] - x[1]),
    lambda p, x, n: sum(tanh(0.5 * v + 0.5 * v) for v in (tanh(p[0] * x[0]), tanh(p[1] * x[1]) * 2 - tanh(p[1] * x[1]))),
    lambda p, x, n: dot([*x[:n], p[0], 2.0, p[1]], [*x[n : 2 * n], p[1], p[2], x[0]]) + dot([x[0], p[0]], [3.0, p[0]]),
    lambda p, x, n: p[0],
    lambda p, x, n: x[0],
    lambda p, x, n: 3.5,
    lambda p, x, n: p[0] * p[1] + 2,
    lambda p, x, n: x[0] * x[1] + 2,
    lambda p, x, n: sum(abs(x[k] - y) for k in range(n) for y in (p[0], p[1])),
    lambda p, x, n: sum(_products(_products(p, p), [*x, *x][: 3 * n])),
    lambda p, x, n: sum(p[(k * 7) % (3 * n)] * x[(k * 5) % (2 * n)] for k in range(2 * n)),
    lambda p, x, n: sum(tanh(sum(p[(k * j) % (3 * n)] * x[j] for j in range(n))) for k in range(n)),
    lambda p, x, n: sum(tanh(sum(sigmoid(p[k]) * x[j] * 2 for j in range(n)) - x[k]) for k in range(n)),
    lambda p, x, n: sum(tanh(sum((2.0 if j % 2 else -0.5) * p[j] * x[j] for j in range(n)) * (k + 1)) for k in range(n)),
    lambda p, x, n: sum(tanh(x[k]) * (0.1 * k + 1) * tanh(x[n + k]) for k in range(n)),
    lambda p, x, n: sum(sum(v * v for v in softmax([p[i] * x[j] for j in range(n)])) for i in range(n)),
]


def unrolled(rng: Random) -> Program:
    """Loops over time and over positions, unrolled by the user."""
    steps, size, features = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 3)
    style = rng.choice(["rnn", "gates", "windows", "attention", "samples", "differences"])
    params = {
        "W": np.array(_numbers(rng, size * size)).reshape(size, size),
        "U": np.array(_numbers(rng, size * features)).reshape(size, features),
        "b": _numbers(rng, size),
        "v": _numbers(rng, size),
    }
    rows: list[Any] = [np.array(_numbers(rng, (steps + 2) * features)).reshape(steps + 2, features) for _ in range(rng.randint(1, 3))]
    return Program(functools.partial(_UNROLLED[style], size), params, rows, f"{style}: {steps} steps, {size} units, {features} features")


def _rnn(size: int, p: Any, x: Any) -> Any:
    h: Any = [0.0] * size
    for row in x:
        h = [tanh(dot(p["W"][k], h) + dot(p["U"][k], row) + p["b"][k]) for k in range(size)]
    return dot(p["v"], h)


def _gates(size: int, p: Any, x: Any) -> Any:
    h = np.zeros(size, dtype=object)
    for row in x:
        z = [sigmoid(v) for v in p["W"] @ h + p["U"] @ row]
        c = [tanh(v) for v in p["U"] @ row + np.array(p["b"])]
        h = np.array([(1 - a) * b + a * d for a, b, d in zip(z, h, c, strict=True)], dtype=object)
    return np.array(p["v"]) @ h


def _windows(size: int, p: Any, x: Any) -> Any:
    total = 0.0
    for t in range(len(x) - 1):
        for k in range(size):
            total = total + p["v"][k] * relu(dot(p["U"][k], x[t]) + dot(p["U"][k], x[t + 1]) + p["b"][k])
    return total


def _attention(size: int, p: Any, x: Any) -> Any:
    q = [[dot(p["U"][k], row) for k in range(size)] for row in x]
    out = []
    for a in q:
        shares = softmax([dot(a, b) for b in q])
        out += [sum(s * b[k] for s, b in zip(shares, q, strict=True)) for k in range(size)]
    return sum(v * v for v in out) + dot(p["v"], p["b"])


def _samples(size: int, p: Any, x: Any) -> Any:
    return sum(sigmoid(sum(u * v for u, v in zip(p["U"][0], row, strict=True)) + p["b"][0]) for row in x) / len(x)


def _differences(size: int, p: Any, x: Any) -> Any:
    energy = sum((b - a) ** 2 for row, after in itertools.pairwise(x) for a, b in zip(row, after, strict=True))
    return energy * p["b"][0] + sum((w - v) ** 2 for w, v in zip(p["v"], p["b"], strict=True))


_UNROLLED = {
    "rnn": _rnn, "gates": _gates, "windows": _windows, "attention": _attention, "samples": _samples, "differences": _differences,
}  # fmt: skip


# The eager engine ------------------------------------------------------------------------------------------------------------


def eager(program: Program, params: list[float], rows: list[list[float]]) -> tuple[list[float], list[float], list[list[float]]]:
    """Values, the gradient of their sum in the parameters, and the gradient of each in its row, from numbers in order."""
    from autograd.support.structure import rebuild

    leaves = [Value(v) for v in params]
    p = rebuild(program.params, iter(leaves))
    values, input_grads = [], []
    for example, row in zip(program.rows, rows, strict=True):
        x = [Value(v) for v in row]
        y = program.fn(p, rebuild(example, iter(x)))
        if isinstance(y, Value):
            y.backward()
        values.append(float(y))
        input_grads.append([v.grad for v in x])
    return values, [v.grad for v in leaves], input_grads
