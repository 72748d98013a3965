"""No derivative is lost silently: floats of numbers that are followed, stop_gradient, data set too late."""

from __future__ import annotations

import asyncio
import copy
import math
import pickle
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import (
    Dual,
    Graph,
    StaleGraphError,
    TrackingError,
    Value,
    compile,
    exp,
    floor,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    sign,
    steps,
    stop_gradient,
    to_source,
    value_and_grad,
    vjp,
)

from .extras import extra

np = extra("numpy")
Function = Callable[[Any], Any]


def filled(x: Any) -> Any:
    a = np.zeros(2)
    a[0] = x
    return a.sum()


def in_a_thread(f: Callable[..., Any], *args: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(f, *args).result()


LOSES: dict[str, Function] = {
    "math": lambda x: math.exp(x),
    "float": lambda x: float(x) * x,
    "complex": lambda x: abs(complex(x)) * x,
    "filling an array": filled,
    "array of floats": lambda x: np.array([x, 2.0 * x], dtype=float).sum(),
    "np.fromiter": lambda x: np.fromiter([x, x], dtype=float).sum(),
    "np.gradient": lambda x: np.gradient(np.array([x, x * x, x], dtype=object), [x, 2.0, 3.0]).sum(),
    "np.float64": lambda x: np.float64(x) * x,
    "math.isnan": lambda x: 0.0 * x if math.isnan(x) else x,
    "inside another": lambda x: grad(lambda y: y * float(x))(2.0) * x,
    "inside another, forward": lambda x: jvp(lambda y: y * float(x), (2.0,), (1.0,))[1] * x,
    "of a result": lambda x: float(exp(x) * 2.0 + 1.0) * x,
    "in a thread": lambda x: in_a_thread(lambda: math.exp(x)) * x,
    "of a result in a thread": lambda x: in_a_thread(lambda y: float(y), exp(x)) * x,
    "the trace of a compiled function": lambda x: compile(lambda p, row: p * row[0], 1.0, [1.0]).trace(x, [2.0]),
}
CUTS: dict[str, Function] = {  # what only Values can do
    "copy": lambda x: copy.copy(x) * x,
    "deepcopy": lambda x: copy.deepcopy([x, x * x])[1],
    "pickle": lambda x: pickle.loads(pickle.dumps([x * x]))[0],
    "backward": lambda x: ((x * x).backward(), x.grad)[1],
    "backward of another": lambda x: (lambda w: ((w * x).backward(), w.grad)[1])(Value(3.0)),
    "compiled as a constant": lambda x: compile(lambda p, row: p * x * row[0], 1.0, [1.0])(2.0, [[1.0]])[0],
    "of a result compiled as a constant": lambda x: compile(lambda p, row: p * exp(x), x, [])(x, [[]])[0],
}
TRANSFORMATIONS: dict[str, Callable[[Function], Any]] = {
    "grad": lambda f: grad(f)(1.5),
    "value_and_grad": lambda f: value_and_grad(f)(1.5),
    "jacobian": lambda f: jacobian(lambda x: [f(x[0]), x[0]])([1.5]),
    "hessian": lambda f: hessian(lambda x: f(x[0]))([1.5]),
    "jvp": lambda f: jvp(f, (1.5,), (1.0,)),
    "vjp": lambda f: vjp(f, 1.5),
    "hvp": lambda f: hvp(f, (1.5,), (1.0,)),
    "grad of jvp": lambda f: grad(lambda x: jvp(f, (x,), (1.0,))[1])(1.5),
}


@pytest.mark.parametrize("transformation", TRANSFORMATIONS.values(), ids=TRANSFORMATIONS.keys())
@pytest.mark.parametrize("name", LOSES)
def test_a_float_that_would_lose_a_derivative_is_refused(name: str, transformation: Callable[[Function], Any]) -> None:
    with pytest.raises(TrackingError, match=r"would lose its derivative.*stop_gradient\(x\)") as caught:
        transformation(LOSES[name])
    assert __file__ in str(caught.value)
    assert float(Value(2.0)) == 2.0  # only meanwhile


@pytest.mark.parametrize("transformation", [f for name, f in TRANSFORMATIONS.items() if name not in ("jvp", "hvp", "grad of jvp")])
@pytest.mark.parametrize("name", CUTS)
def test_what_would_cut_a_number_off_is_refused(name: str, transformation: Callable[[Function], Any]) -> None:
    with pytest.raises(TrackingError, match=r"would lose its derivative; where a constant is meant, stop_gradient\(x\)") as caught:
        transformation(CUTS[name])
    assert __file__ in str(caught.value)
    assert jvp(CUTS["deepcopy"], (1.5,), (1.0,))[1] == 3.0  # a copied Dual carries its derivative along


@pytest.mark.parametrize("transformation", [f for name, f in TRANSFORMATIONS.items() if name != "vjp"])
def test_a_thread_of_a_function_may_compute(transformation: Callable[[Function], Any]) -> None:
    f = compile(lambda p, row: p**2 * row[0], 1.0, [1.0])

    def g(x: Any) -> Any:
        return f(x, [[3.0]])[0] * exp(x)

    assert transformation(lambda x: in_a_thread(g, x)) == transformation(g)


def test_what_is_compiled_in_a_derivative_may_meet_constants() -> None:
    w = Value(5.0)
    assert grad(lambda x: x * compile(lambda p, row: p * w * row[0], 1.0, [1.0])(2.0, [[1.0]])[0])(3.0) == 10.0
    assert grad(lambda x: compile(lambda p, row: grad(lambda q: q * q * w)(p), 1.0, [])(x, [[]])[0])(3.0) == 10.0


def test_the_message_shows_the_line() -> None:
    with pytest.raises(TrackingError) as caught:
        grad(LOSES["math"])(1.0)
    line = LOSES["math"].__code__.co_firstlineno
    assert f'at line {line} of "{__file__}", in <lambda>: "math": lambda x: math.exp(x)' in str(caught.value)
    assert issubclass(TrackingError, TypeError)


KEEPS: dict[str, tuple[Function, float]] = {  # at 2.5
    "comparison": (lambda x: 2.0 * x if x > 1 else x, 2.0),
    "truth": (lambda x: 2.0 * x if x else x, 2.0),
    "int, round": (lambda x: x * int(x) * round(x), 4.0),
    "printing": (lambda x: [f"{x:.3f}", repr(x), str(x), x * x][-1], 5.0),
    "argmax": (lambda x: [x, 3.0 * x][autograd.argmax([x, 3.0 * x])], 3.0),
    "max": (lambda x: max(x, 3.0 * x), 3.0),
    "a float of a flat result": (lambda x: float(floor(x)) * x, 2.0),
    "a float of a sign": (lambda x: float(sign(x * x)) * x, 1.0),
    "a float of a constant": (lambda x: float(Value(3.0) * 2.0) * x, 6.0),
    "a float of what is held": (lambda x: float(stop_gradient(x)) * x, 2.5),
    "the function math.floor": (lambda x: x * math.floor(x), 2.0),
}


@pytest.mark.parametrize(("f", "derivative"), KEEPS.values(), ids=KEEPS.keys())
def test_what_loses_nothing_is_allowed(f: Function, derivative: float) -> None:
    assert grad(f)(2.5) == derivative
    assert jvp(f, (2.5,), (1.0,))[1] == derivative
    assert grad(grad(lambda x: f(x) * x))(2.5) == 2.0 * grad(f)(2.5) + 2.5 * grad(grad(f))(2.5)


def test_a_direction_without_a_component_loses_nothing() -> None:
    assert jvp(lambda x, y: math.exp(x) * y, (1.0, 2.0), (0.0, 1.0))[1] == math.exp(1.0)


def test_another_context_is_not_concerned() -> None:
    """Guards belong to the context in which the function runs."""
    started, done = asyncio.Event(), asyncio.Event()

    async def other() -> float:
        await started.wait()
        value = float(Value(1.0) * 2.0)
        done.set()
        return value

    async def main() -> tuple[float, float]:
        task = asyncio.create_task(other())
        started.set()
        derivative = grad(lambda x: x * x)(3.0)
        await done.wait()
        return derivative, await task

    with ThreadPoolExecutor(1) as alone:  # a driver of a browser may keep a loop running in this thread
        assert alone.submit(asyncio.run, main()).result() == (6.0, 2.0)


# stop_gradient ---------------------------------------------------------------------------------------------------------------


def test_stop_gradient_holds_a_number_constant_in_every_mode() -> None:
    def f(x: Any) -> Any:
        return stop_gradient(x * x) * x

    x = Value(3.0)
    y = f(x)
    y.backward()
    assert (y.data, x.grad) == (27.0, 9.0)
    assert grad(f)(3.0) == jvp(f, (3.0,), (1.0,))[1] == 9.0
    assert f(Dual(3.0, 1.0)).tangent == 9.0
    assert grad(grad(f))(3.0) == 0.0
    assert stop_gradient(2.0) == 2.0
    assert stop_gradient(np.array([1.0, 2.0])).tolist() == [1.0, 2.0]
    assert Graph(y).forward({x: 2.0}) == 8.0  # it is held by derivatives only
    assert "return stop_gradient(" in to_source(y)
    for backend in ("reference", "numpy"):
        g = compile(lambda p, row: f(p[0] * row[0]), [1.0], [1.0], backend)
        assert g([1.0], [[3.0]]).tolist() == [27.0]
        assert g.value_and_grad([1.0], [[3.0]]) == (27.0, [27.0])
        assert g.input_grads([1.0], [[3.0]]).tolist() == [[9.0]]


# Data set too late -----------------------------------------------------------------------------------------------------------


def test_a_graph_of_two_points_is_refused() -> None:
    x, w = Value(2.0, "x"), Value(5.0)
    y = exp(x) * x + w
    x.data = 3.0
    x.grad = w.grad = 7.0
    for use in (y.backward, lambda: steps(y), lambda: grad(lambda t: y * t)(1.0) and jacobian(lambda t: y * x * t)(1.0)):
        with pytest.raises(StaleGraphError, match=r"'x' was given new data \(3.0\) after exp had been computed from it.*forward\(\)"):
            use()
    assert (x.grad, w.grad) == (7.0, 7.0)
    Graph(y).forward()
    y.zero_grad()
    y.backward()
    assert x.grad == pytest.approx(math.exp(3.0) * 4.0)


def test_part_of_a_graph_recomputed() -> None:
    x = Value(2.0)
    h = x * x
    y = h * 3.0
    Graph(h).forward({x: 5.0})
    with pytest.raises(StaleGraphError, match="the result of mul was given new data"):
        y.backward()
    Graph(y).forward()
    y.backward()
    assert x.grad == 30.0


def saved(y: Value) -> Value:
    with tempfile.TemporaryDirectory() as folder:
        Graph(y).save(f"{folder}/graph.json")
        return Graph.load(f"{folder}/graph.json").roots[0]


COPIES: dict[str, Callable[[Value], Value]] = {
    "itself": lambda y: y,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda y: pickle.loads(pickle.dumps(y)),
    "file": saved,
}


PLANS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.0, 1.0, -1.0])), max_size=20)


@given(PLANS, st.sampled_from([*COPIES]))
def test_exactly_mixtures_are_refused(plan: list[tuple[int, int, float]], how: str) -> None:
    """Against the values that the expression has when it is built anew. What is given back its old data is at one point again."""
    leaves = [Value(float(k + 2)) for k in range(3)]
    numbers = list(leaves)
    rules: list[tuple[int, int]] = []
    for a, b, change in plan:
        if change:
            leaves[a].data = leaves[a].data + change
        else:
            numbers.append(numbers[-1 - a] * leaves[b])
            rules.append((len(numbers) - 2 - a, b))
    fresh = [leaf.data for leaf in leaves]
    for place, b in rules:
        fresh.append(fresh[place] * leaves[b].data)
    known = Graph(numbers[-1]).nodes
    mixed = any(repr(x.data) != repr(y) for x, y in zip(numbers, fresh, strict=True) if any(x is node for node in known))
    copied = COPIES[how](numbers[-1])
    with pytest.raises(StaleGraphError) if mixed else nullcontext():
        copied.backward()


@pytest.mark.parametrize("how", COPIES.values(), ids=COPIES.keys())
def test_a_copy_of_a_mixture_is_a_mixture(how: Callable[[Value], Value]) -> None:
    x = Value(0.0)
    y = 1.0 / x
    x.data = -0.0
    copied = how(y)
    with pytest.raises(StaleGraphError):
        copied.backward()
    Graph(copied).forward()
    copied.backward()
    assert copied.data == -math.inf


def test_a_gradient_checked_by_hand() -> None:
    """The loss is recorded before each parameter is moved, and moved back."""
    w, b = Value(0.5), Value(-0.2)

    def loss() -> Value:
        y: Value = exp(w * 3.0 + b) - b
        return y

    y, slopes = loss(), []
    for p in (w, b):
        before, values = p.data, []
        for h in (1e-6, -1e-6):
            p.data = before + h
            values.append(loss().data)
        p.data = before
        slopes.append((values[0] - values[1]) / 2e-6)
    y.backward()
    assert [w.grad, b.grad] == pytest.approx(slopes, rel=1e-6)


def test_training_loops_go_on() -> None:
    w = Value(1.0)
    for _ in range(5):
        loss = (w * 3.0 - 1.0) ** 2
        w.grad = 0.0
        loss.backward()
        w.data -= 0.05 * w.grad
    assert w.data == pytest.approx(1.0 / 3.0, abs=1e-3)
