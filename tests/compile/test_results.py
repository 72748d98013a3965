"""Values and gradients of compiled functions: shapes, structures, batches of every size, odd numbers, threads."""

from __future__ import annotations

import math
import threading
from collections import namedtuple
from random import Random
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value, compile, dot, relu, sigmoid, tanh
from autograd.compiling.backends.numpy import machine as numpy_backend
from autograd.compiling.program.instructions import Reduce

from .checks import BACKENDS, check, difference
from .programs import Program, Shapes, network_function
from .rounding import bounds

every_backend = pytest.mark.parametrize("backend", BACKENDS)
Pair = namedtuple("Pair", "w b")


def model(p: Any, x: Any) -> Any:
    return tanh(dot(p["w"], x) + p["b"]) * p["s"][0][0] + 0.1 * p["b"] ** 2


PARAMS: dict[str, Any] = {"w": np.array([0.5, -1.5]), "b": 0.25, "s": [[2.0], (3.0,)]}
ROWS = np.array([[0.1, 0.2], [0.3, -0.4], [1.0, 2.0]])


@every_backend
def test_shapes_and_structures(backend: str) -> None:
    f = compile(model, PARAMS, [0.0, 0.0], backend)
    assert f(PARAMS, ROWS).shape == (3,)
    assert f.input_grads(PARAMS, ROWS).shape == (3, 2)
    value, grads = f.value_and_grad(PARAMS, ROWS)
    assert type(value) is float
    assert list(grads) == ["w", "b", "s"]
    assert grads["w"].shape == (2,)
    assert type(grads["b"]) is float
    assert type(grads["s"]) is list
    assert type(grads["s"][1]) is tuple
    assert grads["s"][1] == (0.0,)


@every_backend
def test_the_gradient_is_that_of_the_eager_engine(backend: str) -> None:
    f = compile(model, PARAMS, [0.0, 0.0], backend)
    value, grads = f.value_and_grad(PARAMS, ROWS)
    expected, slopes = autograd.value_and_grad(lambda p: sum(model(p, row) for row in ROWS) / 3)(PARAMS)
    assert value == pytest.approx(expected, rel=1e-12)
    assert grads["w"] == pytest.approx(slopes["w"], rel=1e-12)
    assert grads["b"] == pytest.approx(slopes["b"], rel=1e-12)


@every_backend
@pytest.mark.parametrize("rows", [[], np.ones((0, 2)), ()])
def test_no_rows(backend: str, rows: Any) -> None:
    f = compile(model, PARAMS, [0.0, 0.0], backend)
    assert f(PARAMS, rows).shape == (0,)
    assert f.input_grads(PARAMS, rows).shape == (0, 2)
    value, grads = f.value_and_grad(PARAMS, rows, reduction="sum")
    assert value == 0.0
    assert not grads["w"].any()
    assert (grads["b"], grads["s"]) == (0.0, [[0.0], (0.0,)])


@every_backend
@pytest.mark.parametrize(
    ("example", "rows"),
    [
        ([0.0, 0.0], [[1.0, 2.0], [3.0, 4.0]]),
        ((0.0, 0.0), [(1.0, 2.0), (3, 4)]),
        (np.zeros(2), np.array([[1, 2], [3, 4]])),
        ([0.0, 0.0], np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)),
        ([0.0, 0.0], np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])),
        ([0.0, 0.0], np.array([[1.0, 9.0, 2.0, 9.0], [3.0, 9.0, 4.0, 9.0]])[:, ::2]),
        (np.zeros((1, 2)), np.array([[[1.0, 2.0]], [[3.0, 4.0]]])),
        ([[0.0, 0.0]], [[[1.0, 2.0]], [[3.0, 4.0]]]),
        ({"a": 0.0, "b": 0.0}, [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]),
        (([0.0], 0.0), [([1.0], 2.0), ([3.0], 4.0)]),
    ],
    ids=str,
)
def test_rows_of_every_structure(backend: str, example: Any, rows: Any) -> None:
    def fn(p: Any, x: Any) -> Any:
        from autograd.support.structure import leaves

        a, b = leaves(x)
        return p[0] * a + a * b

    f = compile(fn, [0.0], example, backend)
    assert f([10.0], rows).tolist() == [12.0, 42.0]
    assert f.input_grads([10.0], rows).tolist() == [[12.0, 1.0], [14.0, 3.0]]
    assert f.value_and_grad([10.0], rows, "sum") == (54.0, [4.0])


@every_backend
def test_a_single_number_as_row_and_as_parameter(backend: str) -> None:
    f = compile(lambda p, x: p * x, 0.0, 0.0, backend)
    assert f(2.0, [1.0, 3.0]).tolist() == [2.0, 6.0]
    assert f.value_and_grad(2.0, np.array([1.0, 3.0])) == (4.0, 2.0)
    assert f.input_grads(2.0, [1.0, 3.0]).tolist() == [[2.0], [2.0]]


@every_backend
@pytest.mark.parametrize(
    "params",
    [[1.0, 2.0], (1.0, 2.0), Pair(1.0, 2.0), np.array([1.0, 2.0]), np.array([1, 2]), [1, np.float64(2.0)], [Value(1.0), Value(2.0)]],
    ids=str,
)
def test_params_of_every_structure(backend: str, params: Any) -> None:
    for example in (params, [0.0, 0.0]):
        f = compile(lambda p, x: p[0] * p[1] * x[0], example, [0.0], backend)
        value, grads = f.value_and_grad(params, [[3.0]])
        assert value == 6.0
        assert list(grads) == [6.0, 3.0]
        assert type(grads) is type(params)
        assert all(isinstance(g, float) for g in grads)


@every_backend
@pytest.mark.parametrize(("fn", "value", "grads", "slopes"), [
    (lambda p, x: 3.5, 3.5, [0.0, 0.0], [0.0, 0.0]),
    (lambda p, x: p[1], 2.0, [0.0, 1.0], [0.0, 0.0]),
    (lambda p, x: x[1], 4.0, [0.0, 0.0], [0.0, 1.0]),
    (lambda p, x: p[0] * p[1], 2.0, [2.0, 1.0], [0.0, 0.0]),
    (lambda p, x: x[0] * x[1], 12.0, [0.0, 0.0], [4.0, 3.0]),
    (lambda p, x: autograd.floor(p[0] * x[0]), 3.0, [0.0, 0.0], [0.0, 0.0]),
])  # fmt: skip
def test_functions_that_ignore_something(backend: str, fn: Any, value: float, grads: list[float], slopes: list[float]) -> None:
    f = compile(fn, [0.0, 0.0], [0.0, 0.0], backend)
    rows = [[3.0, 4.0]] * 2
    assert f([1.0, 2.0], rows).tolist() == [value, value]
    assert f.value_and_grad([1.0, 2.0], rows) == (value, grads)
    assert f.value_and_grad([1.0, 2.0], rows, "sum") == (2 * value, [2 * g for g in grads])
    assert f.input_grads([1.0, 2.0], rows).tolist() == [slopes, slopes]


@every_backend
def test_without_params_or_inputs(backend: str) -> None:
    f = compile(lambda p, x: x[0] ** 2, [], [0.0], backend)
    assert f.value_and_grad([], [[3.0]]) == (9.0, [])
    f = compile(lambda p, x: p[0] ** 2, [0.0], [], backend)
    assert f.value_and_grad([3.0], [[], []], "sum") == (18.0, [12.0])
    assert f.input_grads([3.0], [[], []]).shape == (2, 0)


@every_backend
def test_rows_with_nan_and_infinities(backend: str) -> None:
    f = compile(lambda p, x: p[0] * relu(x[0]) + sigmoid(x[1]), [0.0], [0.0, 0.0], backend)
    rows = [[1.0, 0.0], [np.nan, 0.0], [2.0, np.inf], [2.0, -np.inf], [-np.inf, 0.0]]
    assert difference(f([2.0], rows), [2.5, np.nan, 5.0, 4.0, 0.5]) == 0.0
    value, grads = f.value_and_grad([2.0], rows)
    assert np.isnan(value)
    assert np.isnan(grads).all()
    clean, (slope,) = f.value_and_grad([2.0], rows[:1])
    assert (clean, slope) == (2.5, 1.0)


@every_backend
def test_formulas_that_overflow_as_written(backend: str) -> None:
    written = compile(lambda p, x: 1 / (1 + autograd.exp(-p[0] * x[0])), [1.0], [0.0], backend)
    value, grads = written.value_and_grad([1.0], [[-800.0], [800.0]], "sum")
    assert (value, grads) == (1.0, [0.0])
    total = compile(lambda p, x: autograd.log(sum(autograd.exp(p[0] * v) for v in x)), [1.0], [0.0, 0.0], backend)
    assert total([1.0], [[1000.0, 1000.0]]) == pytest.approx([1000.0 + np.log(2.0)])
    assert total.input_grads([1.0], [[1000.0, 1000.0]]) == pytest.approx(np.array([[0.5, 0.5]]))
    inverse = compile(lambda p, x: autograd.log(1 - sigmoid(p[0] * x[0])), [1.0], [0.0], backend)
    assert inverse([1.0], [[50.0]]) == pytest.approx([-50.0])


@every_backend
@pytest.mark.parametrize("z", [0.0, 3.0, 40.0, 700.0])
def test_confident_classifiers_keep_their_digits(backend: str, z: float) -> None:
    f = compile(lambda p, x: -autograd.log_softmax([p[0] * x[0], 0.0, 1.0])[0], [1.0], [0.0], backend)
    assert f([1.0], [[z]])[0] == pytest.approx(-autograd.log_softmax([z, 0.0, 1.0])[0], rel=1e-13)


# Sizes of batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 511, 512, 513, 600])
def test_chunks(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch gives what its rows give one at a time, wherever it is cut."""
    monkeypatch.setattr(numpy_backend, "CACHE", 1)
    monkeypatch.setattr(numpy_backend, "SHORTEST", 256)
    sizes = [3, 5, 2]
    fn = network_function(sizes, "dot", "tanh", "logsumexp", "flat", penalty="l2")
    params, rows = np.array(Shapes(sizes).random(Random(1), "flat")), np.random.default_rng(count).normal(size=(count, 5))
    f = compile(fn, params, rows[0])
    each = [f.value_and_grad(params, row[None], "sum") for row in rows]
    value, grads = f.value_and_grad(params, rows, "sum")
    assert f._machine._pass("grads").chunk == 256
    assert value == pytest.approx(sum(v for v, _ in each), rel=1e-12)
    assert difference(grads, sum(g for _, g in each)) < 1e-12
    values, slopes = f(params, rows), f.input_grads(params, rows)
    for k in {0, 255, 256, 511, 512, count - 1} & set(range(count)):
        allowed, allowed_slopes = bounds(f, params.tolist(), rows[k].tolist())
        assert (abs(values[k] - f(params, rows[k : k + 1])) <= allowed).all()
        assert (abs(slopes[k] - f.input_grads(params, rows[k : k + 1])) <= allowed_slopes).all()


def test_chunks_fit_the_cache() -> None:
    assert numpy_backend.chunk_for(1) == numpy_backend.LONGEST
    assert numpy_backend.chunk_for(10**9) == numpy_backend.SHORTEST
    for places in (20, 100, 250):
        assert 8 * places * numpy_backend.chunk_for(places) <= numpy_backend.CACHE


def test_many_sizes_of_batches_do_not_fill_the_memory() -> None:
    f = compile(model, PARAMS, [0.0, 0.0], deterministic=True)
    expected = f(PARAMS, ROWS[:1])
    for count in range(1, 40):
        assert (f(PARAMS, np.repeat(ROWS[:1], count, axis=0)) == expected).all()
    (work,) = f._machine._pass("values")._idle
    assert len(work._bound) <= 8


CONSTANTS: dict[str, tuple[Any, list[float]]] = {
    "that overflow together": (lambda x: x[0] * 1e200 * 1e200, [0.0, 1.0]),
    "that vanish together": (lambda x: x[0] / 1e-200 / 1e-200, [1e-300, 1.0]),
    "whose reciprocal overflows": (lambda x: x[0] / 1e-310, [0.0, 1.0]),
    "that come back": (lambda x: ((x[0] * 1e-300) * 1e300) * 1e300, [1.0, 1.0]),
    "that come back in a product": (lambda x: ((x[0] * 1e200) * 1e-200) * 1e-200 * x[1], [1.0, 1e200]),
    "times a difference of large numbers": (lambda x: autograd.sin(6.283 * (x[0] - x[1])), [1.6e9 + 0.37, 1.6e9]),
    "times a difference from a large constant": (lambda x: autograd.sin(6.283 * (x[0] - 1.6e9)), [1.6e9 + 0.37, 0.0]),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_not_merged_where_digits_would_be_lost(name: str, backend: str) -> None:
    fn, row = CONSTANTS[name]
    x = [Value(v) for v in row]
    y = Value(1.0) * fn(x)
    y.backward()
    f = compile(lambda p, x: p[0] * fn(x), [1.0], row, backend=backend)
    assert f([1.0], [row]).tolist() == pytest.approx([y.data], rel=1e-12)
    slopes = [got if math.isinf(v.grad) else v.grad for got, v in zip(f.input_grads([1.0], [row])[0].tolist(), x, strict=True)]
    assert f.input_grads([1.0], [row])[0].tolist() == pytest.approx(slopes, rel=1e-12)  # going back, the eager engine may overflow


def test_arrays_of_other_classes() -> None:
    f = compile(lambda p, x: p["W"][0, 0] * x[0] + p["b"], {"W": np.zeros((2, 2)), "b": 0.0}, [0.0])
    _, grads = f.value_and_grad({"W": np.ones((2, 2)).view(np.recarray), "b": 3.0}, [[5.0]])
    assert (np.asarray(grads["W"]).tolist(), grads["b"]) == ([[5.0, 0.0], [0.0, 0.0]], 1.0)


def test_logs_of_running_sums_are_gone_through_once() -> None:
    """A forward algorithm: each step takes the log of all so far and one more."""

    def fn(p: Any, x: Any) -> Any:
        total, logs = autograd.exp(p[0]), []
        for k in range(300):
            total = total + autograd.exp(p[k % 3] * x[0])
            logs.append(autograd.log(total))
        return autograd.sum(logs)

    f = compile(fn, [0.1, 0.2, 0.3], [0.0])
    widths = [i.operand.shape[1] for i in f.program.instructions if isinstance(i, Reduce) and i.op is autograd.ops.logsumexp]
    assert len(widths) == 300
    assert max(widths) == 2
    numbers, row = [0.1, 0.2, 0.3], [0.7]
    assert f(numbers, [row])[0] == pytest.approx(fn(numbers, row), rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [0, 1, 5, 700])
def test_several_results(backend: str, count: int) -> None:
    """Of rows, of parameters alone, constants, inputs as they are, and one twice."""

    def fn(p: Any, x: Any) -> Any:
        h = tanh(dot(p, x))
        return [h, p[0] * p[1], 2.5, x[1], h, relu(x[0] - h)]

    p, rows = [0.3, -0.8], np.random.default_rng(1).normal(size=(count, 2))
    f = compile(fn, p, [0.0, 0.0], backend=backend)
    expected = [fn(p, row.tolist()) for row in rows]
    assert f(p, rows).shape == (count, 6)
    assert difference(f(p, rows), expected) < 1e-12
    assert [float(v) for v in f.trace(p, [0.5, 1.5])] == fn(p, [0.5, 1.5])
    assert compile(lambda p, x: np.array([p[0], x[0]]), p, [0.0], backend=backend)(p, [[7.0]]).tolist() == [[0.3, 7.0]]
    assert compile(lambda p, x: (x[0],), p, [0.0], backend=backend)(p, [[7.0]]).shape == (1, 1)


def test_several_results_read_like_a_layer() -> None:
    model = nn.MLP(3, [4, 2])
    f = compile(lambda p, x: model(x), model.parameters(), [0.0] * 3)
    lines = str(f.program).splitlines()
    assert lines[-2] == "return h2"


def test_the_same_call_gives_the_same_bits() -> None:
    sizes = [4, 6, 3]
    params, rows = np.array(Shapes(sizes).random(Random(2), "flat")), np.random.default_rng(0).normal(size=(50, 7))
    f, g = (compile(network_function(sizes, "loop", "relu", "softmax", "flat"), params, rows[0]) for _ in range(2))
    value, grads = f.value_and_grad(params, rows)
    f.value_and_grad(params * 2, rows[:7])
    for h in (f, g):
        again, slopes = h.value_and_grad(params, rows)
        assert again == value
        assert (slopes == grads).all()
    assert f._machine.source() == g._machine.source()


def test_results_are_the_callers_own() -> None:
    f = compile(lambda p, x: dot(p, x), np.zeros(2), [0.0, 0.0])
    params, rows = np.array([1.0, 2.0]), np.array([[3.0, 4.0]])
    values, (_, grads), slopes = f(params, rows), f.value_and_grad(params, rows), f.input_grads(params, rows)
    f(params * 5, rows * 5), f.value_and_grad(params * 5, rows * 5), f.input_grads(params * 5, rows * 5)
    assert values.tolist() == [11.0]
    assert grads.tolist() == [3.0, 4.0]
    assert slopes.tolist() == [[1.0, 2.0]]
    assert (params.tolist(), rows.tolist()) == ([1.0, 2.0], [[3.0, 4.0]])


def test_threads_have_buffers_of_their_own() -> None:
    sizes = [6, 20, 4]
    params = np.array(Shapes(sizes).random(Random(3), "flat"))
    f = compile(network_function(sizes, "dot", "tanh", "logsumexp", "flat"), params, [0.0] * 10)
    batches = [np.random.default_rng(k).normal(size=(200 + k, 10)) for k in range(6)]
    expected = [f.value_and_grad(params * (k + 1), batch) for k, batch in enumerate(batches)]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(60):
            value, grads = f.value_and_grad(params * (k + 1), batches[k])
            if value != expected[k][0] or (grads != expected[k][1]).any():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Looking inside ----------------------------------------------------------------------------------------------------------


def test_the_graph_of_a_row_can_be_traced() -> None:
    f = compile(model, PARAMS, [0.0, 0.0])
    y = f.trace(PARAMS, ROWS[1])
    y.backward()
    labelled = {v.label: v.grad for v in autograd.Graph(y).leaves}
    assert y.data == pytest.approx(f(PARAMS, ROWS)[1], rel=1e-14)
    assert [labelled["x0"], labelled["x1"]] == pytest.approx(f.input_grads(PARAMS, ROWS)[1].tolist())
    assert {"p0", "p1", "p2", "x0", "x1"} <= set(labelled)


def test_it_shows_what_it_is() -> None:
    f = compile(model, PARAMS, [0.0, 0.0])
    assert repr(f) == (
        "<compiled function of {'w': an array of shape (2,), 'b': a number, 's': [1 number, 1 number]} and rows of 2 numbers: "
        f"{len(f.program)} instructions, numpy>"
    )


def test_auto_is_numpy_where_there_is_numpy() -> None:
    assert compile(model, PARAMS, [0.0, 0.0]).backend == "numpy"


def test_derivatives_inside_the_function() -> None:
    """Forward mode runs on recorded numbers: a slope as part of a loss."""

    def fn(p: Any, x: Any) -> Any:
        y, slope = autograd.jvp(lambda t: tanh(p[0] * t) * p[1], (x[0],), (1.0,))
        return (slope + y) ** 2

    rows = [[0.3], [-1.2]]
    for backend in BACKENDS:
        f = compile(fn, [0.0, 0.0], [0.0], backend)
        value, grads = f.value_and_grad([0.7, 1.3], rows, "sum")
        expected, slopes = autograd.value_and_grad(lambda p: sum(fn(p, row) for row in rows))([0.7, 1.3])
        assert value == pytest.approx(expected, rel=1e-12)
        assert grads == pytest.approx(slopes, rel=1e-10)


def test_numpy_functions_on_recorded_numbers() -> None:
    def fn(p: Any, x: Any) -> Any:
        a, w = np.array(x), np.array(p).reshape(2, 2)
        return np.exp(w @ a).sum() + np.tanh(a) @ autograd.maximum(w[0], 0.25) + np.mean(w) * np.float64(3.0) + np.dot(a, a) - np.prod(a)

    check(Program(fn, [0.1, 0.2, 0.3, 0.4], [[0.5, -0.6], [0.7, 0.8]], "numpy"))


def test_without_numpy() -> None:
    """The reference backend needs no NumPy, and gives lists."""
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from autograd import compile, tanh\n"
        "f = compile(lambda p, x: tanh(p[0] * x[0] + p[1]), [0.0, 0.0], [0.0])\n"
        "print(f.backend, f([0.0, 0.0], [[1.0], [2.0]]), f.value_and_grad([0.0, 0.0], [[1.0], [2.0]], 'sum'))\n"
        "try: compile(lambda p, x: p[0], [0.0], [0.0], backend='numpy')\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == (
        "reference [0.0, 0.0] (0.0, [3.0, 2.0])\n"
        "backend 'numpy' needs NumPy, which is not installed: pip install numpy, or use 'reference'\n"
    )


def test_importing_the_package_imports_nothing_of_it() -> None:
    import subprocess
    import sys

    code = "import sys, autograd; print(sorted(name for name in sys.modules if name.startswith('autograd.compiling')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
