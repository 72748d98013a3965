"""What cannot be recorded, and what does not fit: errors that say what is wrong, where and what to do."""

from __future__ import annotations

import builtins
import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import RecordingError, Value, compile, relu

from .checks import BACKENDS

every_backend = pytest.mark.parametrize("backend", BACKENDS)

REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "if": lambda p, x: p[0] if x[0] > 0 else p[1],
    "truth": lambda p, x: p[0] if x[0] else p[1],
    "and": lambda p, x: x[0] and p[0],
    "not": lambda p, x: not x[0],
    "equal": lambda p, x: p[0] if p[0] == x[0] else 1.0,
    "unequal": lambda p, x: p[0] if p[0] != 0 else 1.0,
    "at most": lambda p, x: p[0] if p[0] <= 0 else 1.0,
    "float": lambda p, x: p[0] * float(x[0]),
    "int": lambda p, x: p[int(x[0])],
    "index": lambda p, x: p[x[0]],
    "range": lambda p, x: sum(p[i] for i in range(x[0])),
    "round": lambda p, x: round(x[0]),
    "complex": lambda p, x: abs(complex(x[0])),
    "largest": lambda p, x: builtins.max(p),
    "sorted": lambda p, x: sorted(x)[0],
    "math": lambda p, x: math.exp(x[0]),
    "argmax": lambda p, x: p[autograd.argmax(p)],
    "np.max": lambda p, x: np.max(np.array(p)),
    "np.where": lambda p, x: np.where(np.array(p) > 0, 1, 2).sum(),
    "array of floats": lambda p, x: np.array(x, dtype=float).sum(),
    "in": lambda p, x: p[0] * (1.0 in x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_a_value_is_refused_with_the_line(name: str) -> None:
    with pytest.raises(RecordingError, match="stands for all rows") as caught:
        compile(REFUSED[name], [1.0, 2.0], [0.5, 0.5])
    line = REFUSED[name].__code__.co_firstlineno
    assert f'at line {line} of "{__file__}", in <lambda>' in str(caught.value)
    assert "lambda p, x:" in str(caught.value)


def test_a_branch_is_pointed_to_where() -> None:
    with pytest.raises(RecordingError, match=r"Write where\(greater\(a, b\), x, y\), maximum, minimum or clip"):
        compile(REFUSED["if"], [1.0, 2.0], [0.5])


def test_it_is_a_type_error() -> None:
    assert issubclass(RecordingError, TypeError)


def test_copies_are_refused() -> None:
    with pytest.raises(RecordingError, match="copying or pickling"):
        compile(lambda p, x: copy.deepcopy(p[0]), [1.0], [0.5])


def test_branches_on_parameters_that_a_model_holds_are_refused() -> None:
    model = nn.MLP(2, [3, 1])
    w = model.parameters()
    with pytest.raises(RecordingError, match=r"depends on params.*autograd.max, min and abs"):
        compile(lambda p, x: model(x) + builtins.max(abs(v) for v in w), w, [0.5, 0.5])
    assert float(w[0]) == w[0].data  # only while recording
    assert Value(1.0) < Value(2.0)


def test_other_values_may_be_compared_meanwhile() -> None:
    w, limit = Value(2.0), Value(1.0)
    f = compile(lambda p, x: p[0] * x[0] if limit > 0.5 else x[0], [w], [0.5])
    assert f([3.0], [[2.0]]) == [6.0]


def test_a_model_whose_parameters_were_not_passed() -> None:
    model = nn.MLP(2, [3, 1])
    with pytest.raises(RecordingError, match=r"pass the Values themselves \(model.parameters\(\)\) as params"):
        compile(lambda p, x: model(x), [0.0] * 13, [0.5, 0.5])


def test_values_from_elsewhere_are_constants_and_reported() -> None:
    offset = Value(2.0)
    f = compile(lambda p, x: p[0] * x[0] + offset, [1.0], [0.5])
    assert f([3.0], [[1.0]]) == [5.0]
    assert f.report.declined == ["1 Values that are not among params were taken for constants, as they were when fn was recorded"]


def test_numbers_of_an_ended_recording() -> None:
    kept: list[Any] = []
    compile(lambda p, x: kept.append(p[0]) or p[0], [1.0], [0.5])
    with pytest.raises(RecordingError, match="another recording"):
        compile(lambda p, x: p[0] * kept[0], [1.0], [0.5])


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([], "a list of 0"),
        ([1.0, [2.0]], "a list of 2"),
        (({"a": 1.0},), "a tuple of 1"),
        (np.ones((3, 2)), r"an array of shape \(3, 2\)"),
        (None, "None: is a return missing"),
        ("a", "'a', a str"),
        ({}, "a dict"),
    ],
)
def test_results_that_are_no_numbers(result: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        compile(lambda p, x: result, [1.0], [0.5])


@every_backend
def test_several_results_have_no_gradient(backend: str) -> None:
    f = compile(lambda p, x: [p[0] * x[0], x[0]], [1.0], [0.5], backend=backend)
    with pytest.raises(TypeError, match="fn returns 2 numbers, and the gradient is that of one: compile a function that reduces them"):
        f.value_and_grad([1.0], [[2.0]])
    with pytest.raises(TypeError, match="fn returns 2 numbers"):
        f.input_grads([1.0], [])


@pytest.mark.parametrize("look", [lambda x: {3.0: 5.0}.get(x, -1.0), lambda x: x in {3.0}, lambda x: {x: 1.0}])
def test_recorded_numbers_are_not_looked_up(look: Callable[[Any], Any]) -> None:
    with pytest.raises(RecordingError, match=r"looking up a recorded number .*where\(equal\(x, 0\), a, b\)"):
        compile(lambda p, x: p[0] * look(x[0]), [1.0], [0.5])


def test_params_in_another_order() -> None:
    for backend in BACKENDS:
        f = compile(lambda p, x: p["w"] * x[0] + p["b"], {"w": 2.0, "b": 3.0}, [0.0], backend=backend)
        with pytest.raises(ValueError, match="params must have the structure that was compiled"):
            f.value_and_grad({"b": 3.0, "w": 2.0}, [[5.0]])


def test_errors_of_the_function_come_through() -> None:
    def fn(p: Any, x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        compile(fn, [1.0], [0.5])


@pytest.mark.parametrize(("params", "inputs"), [(["a"], [1.0]), ([1.0], [None]), ([1j], [1.0])])
def test_examples_that_are_not_numbers(params: Any, inputs: Any) -> None:
    with pytest.raises(TypeError, match="must be a real number"):
        compile(lambda p, x: p[0] * x[0], params, inputs)


def test_unknown_backends() -> None:
    with pytest.raises(ValueError, match=r"backend must be one of 'auto', 'numpy', 'reference' \(got 'gpu'\)"):
        compile(lambda p, x: p[0], [1.0], [0.5], backend="gpu")


# Calls -------------------------------------------------------------------------------------------------------------------


def linear(backend: str) -> Any:
    return compile(lambda p, x: autograd.dot(p["w"], x) + p["b"], {"w": np.ones(2), "b": 0.0}, [0.0, 0.0], backend)


GOOD = {"w": np.ones(2), "b": 1.0}


@every_backend
@pytest.mark.parametrize(
    "params", [{"w": np.ones(3), "b": 0.0}, [1.0, 2.0], {"w": np.ones(2)}, {"b": 0.0, "x": np.ones(2)}, {"w": 1.0, "b": 0.0}, 3.0]
)
def test_params_of_another_structure(backend: str, params: Any) -> None:
    f = linear(backend)
    for call in (f, f.value_and_grad, f.input_grads):
        with pytest.raises(ValueError, match=r"params must have the structure that was compiled, {'w': an array of shape \(2,\), 'b': a n"):
            call(params, [[1.0, 2.0]])


@every_backend
@pytest.mark.parametrize("params", [{"w": np.ones(2), "b": "a"}, {"w": np.ones(2), "b": None}])
def test_params_that_are_not_numbers(backend: str, params: Any) -> None:
    with pytest.raises(TypeError, match="each number of params must be a real number"):
        linear(backend)(params, [[1.0, 2.0]])


@every_backend
@pytest.mark.parametrize(
    "rows", [[[1.0, 2.0, 3.0]], [[1.0]], [[1.0, 2.0], [1.0]], [1.0, 2.0], [[[1.0], [2.0]]], 5.0, "ab", np.ones((3, 3)), np.ones(2)]
)
def test_rows_of_another_structure(backend: str, rows: Any) -> None:
    f = linear(backend)
    for call in (f, f.value_and_grad, f.input_grads):
        with pytest.raises(ValueError, match="must"):
            call(GOOD, rows)


@every_backend
@pytest.mark.parametrize("rows", [[[1.0, "a"]], [[1.0, None]], [[1.0, 1j]]])
def test_rows_that_are_not_numbers(backend: str, rows: Any) -> None:
    with pytest.raises(TypeError, match="each number of each row must be a real number"):
        linear(backend)(GOOD, rows)


MASKED = np.ma.array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 0], [0, 1]])


@every_backend
@pytest.mark.parametrize("rows", [MASKED, list(MASKED), [[1.0, 2.0], MASKED[1]], (MASKED[1],), MASKED + 1j, np.ones((2, 2)) * 1j])
def test_masked_and_complex_rows(backend: str, rows: Any) -> None:
    f = linear(backend)
    for call in (f, f.value_and_grad, f.input_grads):
        with pytest.raises(TypeError, match=r"each number of each row must be a real number \(got (masked|np.complex128|.*j)"):
            call(GOOD, rows)
    scalar = compile(lambda p, x: p[0] * x, [1.0], 0.0, backend)
    with pytest.raises(TypeError, match="each number of each row must be a real number"):
        scalar([1.0], MASKED[1])


@every_backend
def test_masked_and_complex_params(backend: str) -> None:
    f = linear(backend)
    for w in (MASKED[1], np.ones(2) * 1j, np.ones(2, dtype=np.complex64)):
        for call in (f, f.value_and_grad, f.input_grads):
            with pytest.raises(TypeError, match=r"each number of params must be a real number \(got (masked|np.complex|.*j)"):
                call({"w": w, "b": 0.0}, [[1.0, 2.0]])
    flat = compile(lambda p, x: p[0] * x[0] + p[1], np.ones(2), [0.0], backend)
    with pytest.raises(TypeError, match=r"each number of params must be a real number \(got masked"):
        flat(MASKED[1], [[1.0]])


@every_backend
def test_masks_that_hide_nothing_and_rows_of_nan(backend: str) -> None:
    f = linear(backend)
    assert list(f({"w": MASKED[0], "b": 1.0}, np.ma.array([[1.0, 2.0]]))) == [6.0]
    assert np.isnan(f(GOOD, [[1.0, math.nan]]))
    assert np.isnan(f(GOOD, np.array([[1.0, math.nan]])))


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element to nan")
@every_backend
def test_masked_entries_among_lists(backend: str) -> None:
    with pytest.raises(ValueError, match="each row must have the structure that was compiled"):
        linear(backend)(GOOD, [[1.0, np.ma.masked]])


@every_backend
def test_unknown_reductions(backend: str) -> None:
    with pytest.raises(ValueError, match=r"reduction must be 'mean' or 'sum' \(got 'max'\)"):
        linear(backend).value_and_grad(GOOD, [[1.0, 2.0]], reduction="max")


@every_backend
def test_the_mean_of_no_rows(backend: str) -> None:
    with pytest.raises(ValueError, match="the mean of no rows has no value"):
        linear(backend).value_and_grad(GOOD, [])


def test_where_is_the_way_out() -> None:
    f = compile(lambda p, x: autograd.where(autograd.greater(x[0], 0.0), p[0], p[1]) * relu(x[0] + 2), [1.0, 2.0], [0.5])
    assert list(f([3.0, 4.0], [[1.0], [-1.0]])) == [9.0, 4.0]
