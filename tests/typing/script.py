"""A script as users write it, and what type checkers have to know of it. It runs, too: then the types are held against the values.

mypy --strict and pyright in strict mode find nothing to say about it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import (
    Graph,
    Op,
    Value,
    compile,
    dot,
    draw,
    exp,
    grad,
    gradcheck,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    maximum,
    numeric_grad,
    primitive,
    relu,
    sin,
    softmax,
    steps,
    value_and_grad,
    vjp,
    where,
)
from nn.support.types import Output, Prediction

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:
    from tests.typing.holding import assert_type

# Arithmetic
x, y = Value(2.0, "x"), Value(-1.0, label="y")
assert_type(x + 1, Value)
assert_type(1 + x, Value)
assert_type(x * y, Value)
assert_type(x**2, Value)
assert_type(2**x, Value)
assert_type(1 / x - y % 3.0, Value)
assert_type(-x, Value)
assert_type(abs(y), Value)
assert_type(x * np.float64(2.0), Value)
assert_type(x < y, bool)
assert_type(x == 2, bool)
assert_type(float(x), float)
assert_type(round(x, 2), float)
assert_type(sum([x, y], Value(0.0)), Value)
x += 1
assert_type(x.data, float)

# Methods
assert_type(x.exp(), Value)
assert_type(x.tanh().relu(), Value)
assert_type(x.leaky_relu(0.1), Value)
assert_type(x.hypot(y), Value)
assert_type(x.label, str)
assert_type(x.op, Op | None)
assert_type(x.args, tuple[Value | float, ...])

# Functions of the package: floats, Values, arrays, sequences
assert_type(exp(1), float)
assert_type(exp(x), Value)
assert_type(exp(np.array([1.0, 2.0])), NDArray[Any])
assert_type(maximum(x, 0.0), Value)
assert_type(maximum(1, 2.0), float)
assert_type(where(x > y, log(x), 0.0), Value)
assert_type(autograd.sum([x, y, 1.0]), Value)
assert_type(autograd.mean([1.0, 2]), float)
assert_type(dot([x, y], [0.5, 2.0]), Value)
assert_type(softmax([x, y]), list[Value])
assert_type(autograd.argmax([x, y]), int)
assert_type(sin.name, str)
assert_type(autograd.array([1.0, 2.0]), NDArray[np.object_])

# Derivatives
assert_type(grad(sin)(1.0), float)
assert_type(grad(grad(lambda t: t**3 * sin(t)))(2), float)
assert_type(grad(lambda p: p[0] * p[1])([3.0, 4]), list[float])
assert_type(grad(lambda a, b: a * b, argnums=(0, 1))(3.0, 4.0), tuple[float, ...])
assert_type(value_and_grad(lambda p: p["w"] * 2)({"w": 3.0}), tuple[float, dict[str, float]])
assert_type(hessian(lambda p: p[0] ** 2 * p[1])([3.0, 4.0]), list[list[float]])
assert_type(hvp(lambda p: p[0] ** 2 * p[1], ([3.0, 4.0],), ([1.0, 0.0],)), list[float])
assert_type(jvp(lambda a, b: a * b, (3.0, 4.0), (1.0, 0.0)), tuple[Any, Any])
assert_type(vjp(lambda a, b: [a * b], 3.0, 4.0)[1]([1.0]), tuple[float, ...])
assert_type(jacobian(lambda p: [p[0] * p[1]])([3.0, 4.0]), Any)
assert_type(numeric_grad(lambda t: t**3, 2.0, method="richardson"), float)
assert_type(bool(gradcheck(lambda a, b: relu(a) * b, 1.0, 2.0)), bool)


def energy(t: Value) -> Value:
    return t * t + sin(t)


assert_type(grad(energy)(1.0), float)
assert_type(grad(energy)(x), Value)


@primitive(partials=lambda y, x: (3.0 * x * x,))
def cube(x: float) -> float:
    return x * x * x


assert_type(cube(2.0), float)
assert_type(cube(x), Value)

# Networks
X, labels = nn.datasets.moons(20, noise=0.1, seed=0)
model = nn.MLP(2, [4, 1], activation="tanh", seed=0)
score = model([1.0, 2.0])
assert_type(score, Output)
assert_type(relu(1 - score), Value)
assert_type(nn.losses.hinge(score, 1), Value)
assert_type(softmax(nn.Linear(2, 3)([1.0, x])), list[Value])
assert_type(model.parameters(), list[Value])
assert_type(model[0].neurons[0].w, list[Value])
assert_type(model.predict(X), list[Prediction])
assert_type(nn.regularizers.l2(0.1)(model), Value)
assert_type(nn.preprocessing.Standardizer().fit_transform(X), NDArray[np.float64])
history = nn.fit(model, X, labels, loss="hinge", optimizer=nn.optim.Adam(model, lr=0.01), epochs=2, progress=False)
assert_type(history.loss, list[float])

# Compiled
f = compile(lambda p, row: relu(1 - row[2] * model(row[:2])), model.parameters(), [0.0, 0.0, 0.0], backend="numpy")
rows = [[1.0, 2.0, 1.0], [0.5, -1.0, -1.0]]
assert_type(f(model.parameters(), rows), NDArray[np.float64])
assert_type(f.value_and_grad(model.parameters(), rows), tuple[float, list[float]])
line = compile(lambda p, row: (p["w"] * row[0] - row[1]) ** 2, {"w": 0.0}, [0.0, 0.0])
assert_type(line.value_and_grad({"w": 2.0}, [[1.0, 2.0]], reduction="sum"), tuple[float, dict[str, float]])

# Graphs and pictures
graph = Graph(relu(1 - model([1.0, 2.0])))
graph.roots[0].backward()
assert_type([v.grad for v in graph], list[float])
assert_type(graph.counts, dict[str, int])
assert_type(draw(graph.roots[0], direction="TB", partials=True).source, str)
assert_type(steps(x * y)[0].phase, Literal["forward", "backward"])
save: Callable[[str | Path], object] = graph.save
