"""The worked examples A: computational graphs, from the lecture notes the library follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from autograd import Graph, Value, add, dot, exp, grad, jvp, log_softmax, mul, numeric_grad, relu, sigmoid, sin, softmax, square, sub, tanh
from autograd.demo import sigmoid_example
from tests.extras import extra

sympy = extra("sympy")

EXACT = 1e-12


def test_A1_sigmoid_graph() -> None:
    f = sigmoid_example()
    f.backward()
    graph = Graph(f)

    chain = [node.op.name for node in graph if node.op]
    assert chain == ["mul", "mul", "add", "add", "neg", "exp", "add", "reciprocal"]

    expected = {
        "w0": (2, -0.19661193324148185),
        "x0": (-1, 0.3932238664829637),
        "w0*x0": (-2, 0.19661193324148185),
        "w1": (-3, -0.3932238664829637),
        "x1": (-2, -0.5898357997244456),
        "w1*x1": (6, 0.19661193324148185),
        "w0*x0 + w1*x1": (4, 0.19661193324148185),
        "w2": (-3, 0.19661193324148185),
        "... + w2": (1, 0.19661193324148185),
        "neg": (-1, -0.19661193324148185),
        "exp": (0.36787944117144233, -0.534446645388523),
        "+ 1": (1.3678794411714423, -0.534446645388523),
        "reciprocal": (0.7310585786300049, 1),
    }
    assert len(graph) == len(expected)
    for node, (name, (data, gradient)) in zip(graph, expected.items(), strict=True):
        assert node.data == pytest.approx(data, abs=EXACT), name
        assert node.grad == pytest.approx(gradient, abs=EXACT), name


def test_A1_local_derivatives() -> None:
    """w*x -> (x, w); x+y -> (1, 1); x+1 -> 1; -x -> -1; exp(x) -> exp(x); 1/x -> -1/x^2."""
    local = [node.partials() for node in Graph(sigmoid_example()) if node.op]
    expected = [(-1, 2), (-2, -3), (1, 1), (1, 1), (-1,), (math.exp(-1),), (1,), (-1 / (1 + math.exp(-1)) ** 2,)]
    assert len(local) == len(expected)
    for got, want in zip(local, expected, strict=True):
        assert got == pytest.approx(want, abs=EXACT)


def test_A2_linear_regression_graph() -> None:
    w, x, b, y = Value(5.0), Value(1.0), Value(1.0), Value(2.0)
    u = w * x
    y_hat = u + b
    e = y_hat - y
    c = e**2
    c.backward()
    assert (u.data, y_hat.data, e.data, c.data) == (5, 6, 4, 16)
    assert (e.grad, y_hat.grad, u.grad) == (8, 8, 8)
    assert (w.grad, b.grad, x.grad, y.grad) == (8, 8, 40, -8)


def test_A3_multivariate_chain_rule() -> None:
    def f(t: Any) -> Any:
        x, y = t.cos(), t**2
        return y + exp(x * y)

    t = Value(0.7)
    root = f(t)
    root.backward()
    assert root.data == pytest.approx(1.944660691587142, abs=EXACT)
    assert t.grad == pytest.approx(2.498432319393961, abs=EXACT)

    x, y = math.cos(0.7), 0.49
    closed_form = (y * math.exp(x * y)) * -math.sin(0.7) + (1 + x * math.exp(x * y)) * 2 * 0.7
    assert t.grad == pytest.approx(closed_form, abs=EXACT)


def test_A4_one_neuron_stores_dC_dz_once() -> None:
    w, x, b, y = Value(0.6), Value(1.5), Value(-0.4), 1.0
    z = w * x + b
    a = sigmoid(z)
    cost = (a - y) ** 2 / 2
    cost.backward()
    dC_dz = (a.data - y) * a.data * (1 - a.data)
    assert z.grad == pytest.approx(dC_dz, abs=EXACT)
    assert w.grad == pytest.approx(z.grad * x.data, abs=EXACT)
    assert b.grad == pytest.approx(z.grad, abs=EXACT)


@pytest.mark.parametrize("seed", range(20))
def test_A5_softmax_with_cross_entropy(seed: int) -> None:
    rng = Random(seed)
    logits = [Value(rng.uniform(-5, 5)) for _ in range(4)]
    target = rng.randrange(4)
    loss = -log_softmax(logits)[target]
    loss.backward()
    y_hat = softmax([z.data for z in logits])
    for i, z in enumerate(logits):
        assert z.grad == pytest.approx(y_hat[i] - (i == target), abs=EXACT)


Matrix = list[list[Any]]


def matvec(w: Matrix, x: list[Any], b: list[Any]) -> list[Any]:
    return [dot(row, x) + bias for row, bias in zip(w, b, strict=True)]


def transposed_matvec(w: Matrix, delta: list[float]) -> list[float]:
    return [math.fsum(float(row[k]) * d for row, d in zip(w, delta, strict=True)) for k in range(len(w[0]))]


def random_network(rng: Random, widths: list[int]) -> tuple[list[Matrix], list[list[Value]]]:
    weights = [[[Value(rng.gauss(0, 1)) for _ in range(n)] for _ in range(m)] for n, m in pairwise(widths)]
    biases = [[Value(rng.gauss(0, 1)) for _ in range(m)] for m in widths[1:]]
    return weights, biases


def assert_layer(w: Matrix, b: list[Value], delta: list[float], a: list[float], decay: float = 0.0) -> None:
    """dC/dW = delta a^T (+ decay W), dC/db = delta."""
    for row, bias, d in zip(w, b, delta, strict=True):
        assert bias.grad == pytest.approx(d, rel=EXACT, abs=EXACT)
        for weight, activation in zip(row, a, strict=True):
            assert weight.grad == pytest.approx(d * activation + decay * weight.data, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("seed", range(10))
def test_A5_closed_forms_of_a_3_4_3_2_network(seed: int) -> None:
    """Two ReLU layers, softmax with cross entropy, and lambda * Omega with Omega half the squared weights: layer by layer."""
    rng, decay = Random(seed), 0.1
    weights, biases = random_network(rng, [3, 4, 3, 2])
    x, target = [rng.gauss(0, 1) for _ in range(3)], rng.randrange(2)

    z1 = matvec(weights[0], x, biases[0])
    a1 = [relu(z) for z in z1]
    z2 = matvec(weights[1], a1, biases[1])
    a2 = [relu(z) for z in z2]
    z3 = matvec(weights[2], a2, biases[2])
    omega = sum((square(w) for layer in weights for row in layer for w in row), Value(0.0)) / 2
    (-log_softmax(z3)[target] + decay * omega).backward()

    y_hat = softmax([z.data for z in z3])
    delta3 = [p - (i == target) for i, p in enumerate(y_hat)]
    delta2 = [d * (z.data > 0) for d, z in zip(transposed_matvec(weights[2], delta3), z2, strict=True)]
    delta1 = [d * (z.data > 0) for d, z in zip(transposed_matvec(weights[1], delta2), z1, strict=True)]
    assert_layer(weights[2], biases[2], delta3, [a.data for a in a2], decay)
    assert_layer(weights[1], biases[1], delta2, [a.data for a in a1], decay)
    assert_layer(weights[0], biases[0], delta1, x, decay)


@pytest.mark.parametrize("seed", range(10))
def test_A6_delta_recursion(seed: int) -> None:
    """delta_L = dC/da_L * f'(z_L); delta_l = f'(z_l) * W^T delta; dC/dW_l = delta_l a^T; dC/db_l = delta_l."""
    rng = Random(seed)
    widths = [rng.randint(1, 5) for _ in range(rng.randint(3, 6))]
    weights, biases = random_network(rng, widths)
    activations: list[list[Any]] = [[rng.gauss(0, 1) for _ in range(widths[0])]]
    target = [rng.random() for _ in range(widths[-1])]
    for w, b in zip(weights, biases, strict=True):
        activations.append([sigmoid(z) for z in matvec(w, activations[-1], b)])
    cost = sum(((a - t) ** 2 for a, t in zip(activations[-1], target, strict=True)), Value(0.0)) / 2
    cost.backward()

    data = [[float(a) for a in layer] for layer in activations]
    delta = [(a - t) * a * (1 - a) for a, t in zip(data[-1], target, strict=True)]
    for i in reversed(range(len(weights))):
        assert_layer(weights[i], biases[i], delta, data[i])
        delta = [d * a * (1 - a) for d, a in zip(transposed_matvec(weights[i], delta), data[i], strict=True)]


def test_A6_gradient_is_the_sum_over_paths() -> None:
    """dz/dx = the sum over all paths of the product of the local derivatives along them."""

    def paths(node: Value, x: Value) -> float:
        if node is x:
            return 1.0
        return math.fsum(d * paths(p, x) for p, d in zip(node.parents, node.partials(), strict=True))

    rng = Random(0)
    for _ in range(20):
        x = Value(rng.uniform(0.5, 2.0))
        nodes: list[Any] = [x, x * 2, x + 1]
        for _ in range(8):
            operation = rng.choice([mul, add, sub, lambda a, _: tanh(a)])
            nodes.append(operation(rng.choice(nodes), rng.choice(nodes)))
        x.grad = 0.0
        nodes[-1].backward()
        assert x.grad == pytest.approx(paths(nodes[-1], x), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("x", [-1e300, -2.5, -1e-300, 0.0, 1e-300, 3.0, 1e300])
def test_A7_absolute_value_as_a_network(x: float) -> None:
    """|x| as a 1-2-1 ReLU network: w = (1, -1), b = (0, 0), output weights (1, 1), output bias 0."""
    v = Value(x)
    y = relu(1 * v + 0) * 1 + relu(-1 * v + 0) * 1 + 0
    y.backward()
    assert y.data == abs(x)
    assert v.grad == (x > 0) - (x < 0)


FUNCTIONS: list[tuple[Callable[[Any], Any], Callable[[Any], Any], float]] = [
    (lambda x: x**3 - 2 * x, lambda x: x**3 - 2 * x, 1.3),
    (lambda x: exp(-x * x) * x, lambda x: sympy.exp(-x * x) * x, 0.4),
    (lambda x: 1 / (1 + exp(-x)), lambda x: 1 / (1 + sympy.exp(-x)), -0.8),
    (lambda x: sin(x) / x, lambda x: sympy.sin(x) / x, 2.0),
]


@pytest.mark.parametrize(("f", "formula", "x"), FUNCTIONS)
def test_A8_three_ways_to_differentiate(f: Callable[[Any], Any], formula: Callable[[Any], Any], x: float) -> None:
    """Numerical, symbolic, and automatic in forward and in reverse mode agree, each as well as it can."""
    symbol = sympy.Symbol("x")
    symbolic = float(sympy.diff(formula(symbol), symbol).subs(symbol, x).evalf(30))
    assert grad(f)(x) == pytest.approx(symbolic, rel=1e-14)
    assert jvp(f, (x,), (1.0,))[1] == pytest.approx(symbolic, rel=1e-14)
    assert numeric_grad(f, x, method="forward") == pytest.approx(symbolic, rel=1e-6)
    assert numeric_grad(f, x, method="central") == pytest.approx(symbolic, rel=1e-9)
    assert numeric_grad(f, x, method="complex") == pytest.approx(symbolic, rel=1e-14)
    assert numeric_grad(f, x, method="richardson") == pytest.approx(symbolic, rel=1e-11)


def test_A8_rounding_against_truncation() -> None:
    """As the step shrinks the error of a difference falls (h for one-sided, h^2 for central), then rounding lets it grow again."""

    def errors(quotient: Callable[[float], float]) -> list[float]:
        return [abs(quotient(10.0**-k) - math.cos(1.0)) for k in range(1, 15)]

    forward = errors(lambda h: (math.sin(1 + h) - math.sin(1)) / h)
    central = errors(lambda h: (math.sin(1 + h) - math.sin(1 - h)) / (2 * h))
    assert forward[1] / forward[0] == pytest.approx(0.1, rel=0.1)
    assert central[1] / central[0] == pytest.approx(0.01, rel=0.1)
    assert forward.index(min(forward)) in (6, 7, 8)
    assert central.index(min(central)) in (4, 5)
    assert forward[-1] > 1e3 * min(forward)
    assert central[-1] > 1e3 * min(central)


def test_A8_numerical_differentiation_needs_evaluations_in_proportion_to_the_parameters() -> None:
    calls = 0

    def f(x: list[Any]) -> Any:
        nonlocal calls
        calls += 1
        return dot(x, x)

    for n in (1, 10, 100):
        calls = 0
        numeric_grad(f, [1.0] * n)
        assert calls == 2 * n
        calls = 0
        grad(f)([1.0] * n)
        assert calls == 1
