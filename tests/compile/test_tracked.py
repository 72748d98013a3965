"""Compiled functions inside transformations and inside each other, and transformations inside compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import RecordingError, Value, compile, dot, grad, hessian, hvp, jacobian, jvp, log, relu, tanh, value_and_grad, vjp, where
from autograd.ops import greater

from .checks import BACKENDS

Function = Callable[[Any, Any], Any]
every_backend = pytest.mark.parametrize("backend", BACKENDS)
numbers = st.floats(-2.0, 2.0)

FUNCTIONS: dict[str, Function] = {
    "product": lambda p, x: p[0] ** 2 * x[0],
    "network": lambda p, x: dot([tanh(p[0] * x[0] + p[1] * x[1]), relu(p[1] * x[0])], p) + x[1] * p[0],
    "branches": lambda p, x: where(greater(x[0], 0.0), p[0] * x[0] ** 3, tanh(p[1] * x[1])),
    "of parameters only": lambda p, x: p[0] * p[1] ** 2,
    "of inputs only": lambda p, x: x[0] * x[1] ** 2,
}


def close(a: Any, b: Any) -> bool:
    return np.allclose(np.array(a, dtype=float), np.array(b, dtype=float), rtol=1e-12, atol=1e-12)


@every_backend
@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=8)
@given(p=st.tuples(numbers, numbers), x=st.tuples(numbers, numbers), v=st.tuples(numbers, numbers))
def test_it_is_the_function_itself_in_every_transformation(backend: str, name: str, p: Any, x: Any, v: Any) -> None:
    fn = FUNCTIONS[name]
    f = compile(fn, [1.0, 2.0], [0.5, 0.25], backend)
    p, x, v, other = list(p), list(x), list(v), [0.3, -0.7]

    def compiled(q: Any, r: Any) -> Any:
        first, second = f(q, [r, other])
        return first * second + first

    def eager(q: Any, r: Any) -> Any:
        return fn(q, r) * fn(q, other) + fn(q, r)

    for argnum in (0, 1):
        assert close(grad(compiled, argnum)(p, x), grad(eager, argnum)(p, x))
        assert close(hessian(compiled, argnum)(p, x), hessian(eager, argnum)(p, x))
    assert close(value_and_grad(compiled)(p, x)[0], eager(p, x))
    assert close(jvp(compiled, (p, x), (v, v)), jvp(eager, (p, x), (v, v)))
    assert close(hvp(lambda q: compiled(q, x), (p,), (v,)), hvp(lambda q: eager(q, x), (p,), (v,)))
    assert close(vjp(compiled, p, x)[1](2.0), vjp(eager, p, x)[1](2.0))
    assert close(jacobian(lambda q: list(f(q, [x, other])))(p), jacobian(lambda q: [fn(q, x), fn(q, other)])(p))
    assert close(grad(lambda t: grad(lambda s: compiled([s, p[1]], x))(t))(p[0]), grad(grad(lambda s: eager([s, p[1]], x)))(p[0]))


@every_backend
def test_its_own_derivatives_can_be_differentiated(backend: str) -> None:
    fn = FUNCTIONS["network"]
    f = compile(fn, [1.0, 2.0], [0.5, 0.25], backend)
    p, rows = [0.4, -1.3], [[0.5, 1.5], [-0.3, 0.2]]

    def mean(q: Any) -> Any:
        return (fn(q, rows[0]) + fn(q, rows[1])) / 2

    assert close(grad(lambda q: f.value_and_grad(q, rows)[0])(p), grad(mean)(p))
    assert close(jacobian(lambda q: f.value_and_grad(q, rows)[1])(p), hessian(mean)(p))
    slopes = jacobian(lambda q: list(f.input_grads(q, rows)[1]))(p)
    assert close(slopes, jacobian(lambda q: grad(fn, 1)(q, rows[1]))(p))
    with pytest.raises(ValueError, match="the mean of no rows"):
        grad(lambda q: f.value_and_grad(q, [])[0])(p)


@every_backend
def test_the_published_example(backend: str) -> None:
    f = compile(lambda p, x: p[0] ** 2 * x[0], [1.0], [0.0], backend)
    assert grad(lambda q: f(q, [[3.0]])[0])([2.0]) == [12.0]
    assert grad(lambda q: f(q, [[3.0]])[0] + q[0])([2.0]) == [13.0]


@every_backend
def test_structures_and_several_results(backend: str) -> None:
    f = compile(lambda p, x: [p["w"] @ x["a"], p["b"] * x["c"]], {"w": np.ones(2), "b": 1.0}, {"a": np.ones(2), "c": 1.0}, backend)
    rows = [{"a": np.array([1.0, 2.0]), "c": 3.0}]
    slopes = jacobian(lambda q: list(f(q, rows)[0]))({"w": np.array([4.0, 5.0]), "b": 6.0})
    assert [(s["w"].tolist(), s["b"]) for s in slopes] == [([1.0, 2.0], 0.0), ([0.0, 0.0], 3.0)]
    with pytest.raises(ValueError, match="params must have the structure that was compiled"):
        grad(lambda q: f({"w": q, "b": 1.0, "d": 2.0}, rows)[0][0])(np.ones(2))


@every_backend
def test_values_outside_are_numbers(backend: str) -> None:
    """Leaves of the user's are read, as ever: only what is being differentiated makes nodes."""
    w = [Value(2.0), Value(3.0)]
    f = compile(FUNCTIONS["product"], w, [0.5, 0.25], backend)
    assert type(f(w, [[1.0, 1.0]])[0]) is np.float64
    assert grad(lambda x: f(w, [[x, 1.0]])[0])(1.0) == 4.0


@every_backend
def test_a_branch_not_taken_may_hold_a_compiled_function_with_infinite_slopes(backend: str) -> None:
    f = compile(lambda p, x: log(x[0]) * p[0], [1.0], [1.0], backend)
    assert grad(lambda x: where(greater(x, 0.0), f([2.0], [[x]])[0], 0.0))(0.0) == 0.0
    assert jvp(lambda x: where(greater(x, 0.0), f([2.0], [[x]])[0], 0.0), (0.0,), (1.0,))[1] == 0.0


@pytest.mark.parametrize(("outer", "inner"), list(product(BACKENDS, BACKENDS)))
def test_one_inside_another_is_optimised_with_it(outer: str, inner: str) -> None:
    fn = FUNCTIONS["network"]
    f = compile(fn, [1.0, 2.0], [0.5, 0.25], inner)

    def nested(p: Any, x: Any) -> Any:
        return tanh(f([p[0] * p[1], p[1]], [x])[0]) + f.value_and_grad(p, [x])[1][0] + f.input_grads(p, [x])[0][1]

    def plain(p: Any, x: Any) -> Any:
        return tanh(fn([p[0] * p[1], p[1]], x)) + grad(fn)(p, x)[0] + grad(fn, 1)(p, x)[1]

    p, rows = [0.4, -1.3], [[0.5, 1.5], [-0.3, 0.2]]
    g = compile(nested, p, rows[0], outer)
    assert not g.report.declined
    assert close(g(p, rows), [plain(p, row) for row in rows])
    value, slopes = g.value_and_grad(p, rows, "sum")
    expected = value_and_grad(lambda q: plain(q, rows[0]) + plain(q, rows[1]))(p)
    assert close([value, *slopes], [expected[0], *expected[1]])


INSIDE: dict[str, Function] = {
    "grad": lambda p, x: grad(lambda t: tanh(p[0] * t) * p[1])(x[0]) * x[1],
    "grad of grad": lambda p, x: grad(grad(lambda t: tanh(p[0] * t) * p[1]))(x[0]) + p[0],
    "of a constant": lambda p, x: grad(lambda t: t * t * x[0] * p[0])(3.0) + grad(lambda t: t * x[1])(3.0),
    "of a constant alone": lambda p, x: grad(lambda t: t * t)(3.0) * x[0] * p[1],
    "value_and_grad": lambda p, x: sum(value_and_grad(lambda t: t**3 * p[0])(x[0])),
    "jacobian": lambda p, x: sum(sum(row) for row in jacobian(lambda t: [t[0] * t[1] * p[0], t[0] ** 2])([x[0], x[1]])),
    "hessian": lambda p, x: sum(sum(row) for row in hessian(lambda q: q[0] ** 2 * q[1] * x[0])([p[0], p[1]])),
    "hvp": lambda p, x: hvp(lambda q: tanh(q[0] * q[1]) * x[0], ([p[0], p[1]],), ([1.0, x[1]],))[0],
    "vjp": lambda p, x: vjp(lambda t: [t * x[0], t * t], p[0])[1]([1.0, x[1]])[0],
    "jvp of grad": lambda p, x: jvp(grad(lambda t: tanh(p[0] * t)), (x[0],), (p[1],))[1],
    "grad of jvp": lambda p, x: grad(lambda t: jvp(lambda s: tanh(p[0] * s), (t,), (x[1],))[1])(x[0]),
    "structural zeros": lambda p, x: grad(lambda t: where(greater(t, 0.0), log(t) * p[0], t * p[1]))(x[0]),
    "independent": lambda p, x: grad(lambda t: x[0] * p[0])(x[1]) + x[0],
    "the argument itself": lambda p, x: grad(lambda t: t)(x[0]) * p[0],
    "penalty": lambda p, x: grad(lambda q: (q[0] * x[0] + q[1] - x[1]) ** 2)([p[0], p[1]])[0] ** 2,
}


@every_backend
@pytest.mark.parametrize("name", INSIDE)
@settings(max_examples=5)
@given(p=st.tuples(numbers, numbers), x=st.tuples(numbers, numbers))
def test_derivatives_inside_are_recorded(backend: str, name: str, p: Any, x: Any) -> None:
    fn = INSIDE[name]
    f = compile(fn, [1.0, 2.0], [0.5, 0.25], backend)
    rows = [list(x), [0.5, 1.5], [-0.3, 0.0]]
    assert close(f(list(p), rows), [fn(list(p), row) for row in rows])
    value, slopes = f.value_and_grad(list(p), rows, "sum")
    expected, gradient = value_and_grad(lambda q: sum(fn(q, row) for row in rows))(list(p))
    assert close([value, *slopes], [expected, *gradient])
    assert close(f.input_grads(list(p), rows), [grad(fn, 1)(list(p), row) for row in rows])


@every_backend
def test_a_differential_equation_as_a_loss(backend: str) -> None:
    """u'' + u = 0, for the network u, whose parameters are Values that the function holds."""
    model = nn.MLP(1, [5, 1], activation="tanh", seed=1)
    params = model.parameters()

    def residual(p: Any, row: Any) -> Any:
        return (grad(grad(lambda t: model([t])))(row[0]) + model(list(row))) ** 2

    f = compile(residual, params, [0.3], backend)
    rows = [[0.3], [1.2], [-0.4]]
    value, slopes = f.value_and_grad(params, rows, "sum")
    with model.using([v.data for v in params]):
        assert value == pytest.approx(sum(float(residual(None, row)) for row in rows), rel=1e-10)

    def loss(p: Any) -> Any:
        with model.using(p):
            return sum(residual(None, row) for row in rows)

    assert slopes == pytest.approx(grad(loss)([v.data for v in params]), rel=1e-9)


def test_numbers_of_another_recording_are_refused() -> None:
    kept: list[Any] = []
    compile(lambda p, x: kept.append(x[0]) or p[0], [1.0], [0.5])
    with pytest.raises(RecordingError, match="another recording"):
        compile(lambda p, x: grad(lambda t: t * kept[0])(x[0]), [1.0], [0.5])
