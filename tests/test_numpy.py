"""NumPy: its functions on arrays of Values and on Values, and the way there and back."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import autograd
from autograd import Value, ops

Array = NDArray[Any]
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.pow]
shapes = st.sampled_from([(), (1,), (3,), (2, 3), (1, 3), (2, 1), (2, 1, 3), (0,), (2, 0)])


def numbers(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.asarray(np.random.default_rng(seed).uniform(0.2, 0.9, shape))


# There and back -----------------------------------------------------------------------------------------------------------


@given(shapes, st.sampled_from(["float64", "float32", "int64", "uint8", "bool"]))
def test_array_and_data_are_inverse(shape: tuple[int, ...], dtype: str) -> None:
    original = (10 * numbers(shape)).astype(dtype)
    a = autograd.array(original)
    assert (a.dtype, a.shape) == (np.dtype(object), shape)
    assert all(type(v) is Value and v.op is None for v in a.flat)
    back = autograd.data(a)
    assert (back.dtype, back.shape) == (np.dtype(float), shape)
    assert np.array_equal(back, original.astype(float))
    assert len({id(v) for v in a.flat}) == original.size


def test_array_of_lists_and_numbers() -> None:
    assert autograd.array([[1, 2], [3, 4]]).shape == (2, 2)
    assert autograd.array(3.0).shape == ()
    assert autograd.data([Value(1.0), 2]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("bad", ["abc", [1j], [None], [Value(1.0)], [["a", "b"]]])
def test_array_of_anything_else_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="array needs an array of real numbers"):
        autograd.array(bad)


@given(shapes)
def test_grads_have_the_shape_of_their_array(shape: tuple[int, ...]) -> None:
    x = numbers(shape)
    a = autograd.array(x)
    total = np.sum(a * a)
    if isinstance(total, Value):
        total.backward()
    found = autograd.grads(a)
    assert found.dtype == np.dtype(float)
    assert np.array_equal(found, 2 * x)


def test_grads_of_plain_numbers_are_zero() -> None:
    v = Value(1.0)
    v.grad = 3.0
    assert autograd.grads([v, 2.0]).tolist() == [3.0, 0.0]


# Functions of NumPy -------------------------------------------------------------------------------------------------------

UFUNCS = [op for op in ops.table.values() if isinstance(getattr(np, op.numpy, None), np.ufunc) and op.arity in (1, 2)]
BOOLEAN = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
# On arrays NumPy carries these out by Python's operators and comparisons, or not at all: autograd.logaddexp takes arrays.
BY_OPERATORS = ("sign", "square", "maximum", "minimum", *BOOLEAN)
ON_ARRAYS = [op for op in UFUNCS if op.name != "logaddexp"]


def near(a: Any, b: Any) -> bool:
    return bool(np.allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=1e-14, atol=1e-15))


@pytest.mark.parametrize("op", ON_ARRAYS, ids=lambda op: op.numpy)
@given(shape=shapes)
def test_ufunc_on_arrays(op: autograd.Op, shape: tuple[int, ...]) -> None:
    """On one operand or two of one shape: NumPy's numbers, and on Values our ops."""
    ufunc = getattr(np, op.numpy)
    x = [numbers(shape, i) + (1.0 if op.name == "arccosh" else 0.0) for i in range(op.arity or 0)]
    found = ufunc(*map(autograd.array, x)) if shape else ufunc(*(Value(v) for v in x))
    assert near(autograd.data(found), ufunc(*x))
    if op.name not in BY_OPERATORS:
        assert all(type(v) is Value and v.op is op for v in np.asarray(found, dtype=object).flat)


@pytest.mark.parametrize("op", UFUNCS, ids=lambda op: op.numpy)
def test_ufunc_on_a_value(op: autograd.Op) -> None:
    ufunc, points = getattr(np, op.numpy), (0.5, 0.25) if op.name != "arccosh" else (1.5,)
    x = tuple(map(Value, points[: op.arity]))
    y = ufunc(*x)
    assert near(float(y), ufunc(*points[: op.arity]))
    if op.name in BOOLEAN:
        assert type(y) is bool
    else:
        assert y.op is op
        assert y.args == x
    if op.arity == 2:
        for mixed in (ufunc(x[0], points[1]), ufunc(np.float64(points[0]), x[1]), ufunc(np.float32(points[0]), x[1])):
            assert float(mixed) == float(y)


@pytest.mark.parametrize("f", BINARY)
@given(left=shapes, right=shapes)
def test_broadcasting_is_numpys(f: Callable[..., Any], left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = numbers(left, 1), numbers(right, 2)
    try:
        expected = f(a, b)
    except ValueError:
        with pytest.raises(ValueError, match="broadcast"):
            f(autograd.array(a), autograd.array(b))
        return
    for result in (f(autograd.array(a), autograd.array(b)), f(autograd.array(a), b), f(a, autograd.array(b))):
        assert near(autograd.data(result), expected)
        assert np.shape(result) == np.shape(expected)


@pytest.mark.parametrize("f", BINARY)
@given(shape=shapes)
def test_a_value_meets_an_array_on_either_side(f: Callable[..., Any], shape: tuple[int, ...]) -> None:
    a, v = numbers(shape), Value(1.5)
    for array in (a, autograd.array(a)):
        for found, expected in ((f(v, array), f(1.5, a)), (f(array, v), f(a, 1.5))):
            assert np.shape(found) == shape
            assert near(autograd.data(found), expected)
            assert all(type(x) is Value for x in np.asarray(found, dtype=object).flat)
    total = np.sum(f(a, v) + f(v, a))
    if a.size:
        total.backward()
        step = 1e-6
        slope = [(np.sum(f(a, t) + f(t, a))) for t in (1.5 + step, 1.5 - step)]
        assert v.grad == pytest.approx((slope[0] - slope[1]) / (2 * step), rel=1e-6)


def test_in_place_on_an_array_of_values() -> None:
    a, v = autograd.array([1.0, 2.0]), Value(3.0)
    a *= v
    a += [1.0, 1.0]
    assert autograd.data(a).tolist() == [4.0, 7.0]
    np.sum(a).backward()
    assert v.grad == 3.0


def test_in_place_on_floats_is_refused_not_rounded() -> None:
    a = np.array([1.0, 2.0])
    with pytest.raises(TypeError):
        a *= Value(3.0)
    assert a.tolist() == [1.0, 2.0]


@given(st.integers(1, 4), st.integers(1, 4))
def test_matrix_products(m: int, n: int) -> None:
    w, x = numbers((m, n), 1), numbers((n,), 2)
    weights, inputs = autograd.array(w), autograd.array(x)
    for y in (weights @ inputs, np.dot(weights, inputs), weights @ x, np.matmul(weights, inputs), np.einsum("ij,j->i", weights, inputs)):
        assert near(autograd.data(y), w @ x)
    (weights @ inputs).sum().backward()
    assert near(autograd.grads(weights), np.tile(x, (m, 1)))
    assert near(autograd.grads(inputs), w.sum(axis=0))
    assert near(autograd.data(np.outer(inputs, inputs)), np.outer(x, x))
    assert near(autograd.data(w @ inputs), w @ x)


REDUCTIONS: dict[str, Callable[[Array], Any]] = {
    "sum": lambda a: a.sum(),
    "sum of rows": lambda a: a.sum(axis=0),
    "np.sum keepdims": lambda a: np.sum(a, axis=1, keepdims=True),
    "mean": lambda a: a.mean(axis=0),
    "prod": lambda a: np.prod(a),
    "max": lambda a: a.max(axis=1),
    "np.min": lambda a: np.min(a),
    "cumsum": lambda a: np.cumsum(a, axis=0),
    "add.reduce": lambda a: np.add.reduce(a),
    "add.outer": lambda a: np.add.outer(a[0], a[1]),
    "maximum.accumulate": lambda a: np.maximum.accumulate(a, axis=0),
    "diff": lambda a: np.diff(a, axis=0),
    "var": lambda a: a.var(axis=0),
    "clip": lambda a: np.clip(a, 0.3, 0.6),
    "sort": lambda a: np.sort(a, axis=None),
    "trace": lambda a: np.trace(a),
    "reshape": lambda a: a.T.reshape(-1)[::-1],
    "concatenate": lambda a: np.concatenate([a, 1 - a]),
    "where": lambda a: np.where(a > 0.5, a, -a),
    "where of data": lambda a: np.where(autograd.data(a) > 0.5, a * 2, 0.0),
    "boolean index": lambda a: a[a > 0.4],
    "maximum with a constant": lambda a: np.maximum(a, 0.5),
    "softmax by hand": lambda a: np.exp(a) / np.exp(a).sum(axis=1, keepdims=True),
    "norm by hand": lambda a: np.sqrt(np.sum(a**2)),
    "vectorize": lambda a: np.vectorize(lambda v: v * v + 1.0, otypes=[object])(a),
    "power": lambda a: np.power(2.0, a),
    "square": lambda a: np.square(a),
    "negative": lambda a: -a,
    "absolute": lambda a: np.abs(-a),
}


@pytest.mark.parametrize("name", sorted(REDUCTIONS))
def test_code_written_for_arrays_runs_on_values(name: str) -> None:
    """The data is NumPy's, and the gradient is that of our own transformations of the same code."""
    f, x = REDUCTIONS[name], numbers((3, 3), 7)
    a = autograd.array(x)
    found = np.asarray(f(a), dtype=object)
    assert near(autograd.data(found), f(x).astype(float) if isinstance(f(x), np.ndarray) else f(x))
    found.sum().backward()
    step = 1e-6
    for index in np.ndindex(3, 3):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        slope = (np.sum(f(above)) - np.sum(f(below))) / (2 * step)
        assert a[index].grad == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["exp", "tanh", "relu", "sigmoid", "softplus", "erf", "maximum", "where", "hypot"])
def test_our_functions_take_arrays(name: str) -> None:
    op = ops.table[name]
    x = [numbers((2, 3), i) - 0.5 for i in range(op.arity or 1)]
    plain = op(*x)
    assert plain.dtype == np.dtype(float)
    assert plain.tolist() == [[op(*(float(a[i, j]) for a in x)) for j in range(3)] for i in range(2)]
    found = op(*map(autograd.array, x))
    assert all(v.op is op for v in found.flat)
    assert np.array_equal(autograd.data(found), plain)


@given(shapes)
def test_our_functions_broadcast(shape: tuple[int, ...]) -> None:
    a = numbers(shape)
    found = autograd.maximum(Value(0.5), a)
    assert np.array_equal(autograd.data(found), np.maximum(0.5, a))
    assert np.shape(autograd.where(a > 0.5, Value(1.0), a)) == shape


def test_unsupported_ufuncs_are_type_errors() -> None:
    for f in (np.isnan, np.bitwise_and, np.frexp):
        with pytest.raises(TypeError):
            f(*[Value(1.0)] * (2 if f is np.bitwise_and else 1))  # type: ignore[operator]


@pytest.mark.parametrize("name", sorted(ops.builtin))
def test_masked_entries_are_not_computed_with(name: str) -> None:
    """In arrays, and among the numbers of a sequence."""
    op = ops.table[name]
    masked = np.ma.array([0.5, 0.75], mask=[False, True])
    operands = [0.25] * (op.arity or 2)
    for k in range(len(operands)):
        for hidden in (masked, masked[1]):
            given = [*operands[:k], hidden, *operands[k + 1 :]]
            with pytest.raises(ValueError, match=r"some entries are masked.*filled\(\)"):
                op(given) if op.arity is None else op(*given)
    with pytest.raises(ValueError, match="some entries are masked"):
        autograd.array(masked)
    assert autograd.array(np.ma.array([0.5, 0.75]))[1].data == 0.75
