"""Structural zeros contribute nothing, whatever comes from upstream, in every mode; other zeros are numbers, and 0 * inf is nan."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf  # type: ignore[import-untyped]

import autograd
from autograd import (
    AnomalyError,
    Dual,
    Value,
    compile,
    detect_anomaly,
    exp,
    grad,
    hessian,
    jacobian,
    jvp,
    log,
    ops,
    primitive,
    relu,
    sqrt,
    steps,
    vjp,
    when,
    where,
)
from autograd.ops import greater

Function = Callable[..., Any]

# Modes: the derivative of f at x, by each way there is.


def by_backward(f: Function, x: float) -> float:
    leaf = Value(x)
    y = f(leaf)
    if isinstance(y, Value):
        y.backward()
    return leaf.grad


def by_steps(f: Function, x: float) -> float:
    leaf = Value(x)
    totals = {id(step.receiver): step.total for step in steps(f(leaf) + 0.0 * leaf).backward}
    return float(totals[id(leaf)] or 0.0)


def by_reverse_over_forward(f: Function, x: float) -> float:
    """The derivative of a directional derivative along its direction."""
    return float(grad(lambda t: jvp(f, (x,), (t,))[1])(1.0))


def by_vjp(f: Function, x: float) -> float:
    """Beside another output of which nothing is asked."""
    return float(vjp(lambda x: [f(x), log(x - x)], x)[1]([1.0, 0.0])[0])


def by_jvp_beside_another(f: Function, x: float) -> float:
    return float(jvp(lambda x, y: f(x) + sqrt(y), (x, 0.0), (1.0, 0.0))[1])


def by_program(backend: str, which: str) -> Function:
    def derivative(f: Function, x: float) -> float:
        if which == "param":
            return float(compile(lambda p, row: f(p[0]) + 0.0 * row[0], [1.0], [1.0], backend).value_and_grad([x], [[1.0]])[1][0])
        return float(compile(lambda p, row: f(row[0]) + 0.0 * p[0], [1.0], [1.0], backend).input_grads([1.0], [[2.0], [x], [0.5]])[1][0])

    return derivative


def by_forward_in_program(backend: str) -> Function:
    return lambda f, x: float(compile(lambda p, row: jvp(f, (row[0],), (1.0,))[1], [1.0], [1.0], backend)([1.0], [[2.0], [x]])[1])


MODES: dict[str, Function] = {
    "backward": by_backward,
    "grad": lambda f, x: grad(f)(x),
    "steps": by_steps,
    "jacobian": lambda f, x: jacobian(lambda x: [f(x)])(x)[0],
    "jvp": lambda f, x: jvp(f, (x,), (1.0,))[1],
    "jvp beside another": by_jvp_beside_another,
    "vjp": by_vjp,
    "reverse over forward": by_reverse_over_forward,
    **{f"{backend}, {which}": by_program(backend, which) for backend in ("reference", "numpy") for which in ("param", "input")},
    **{f"forward in a program, {backend}": by_forward_in_program(backend) for backend in ("reference", "numpy")},
}
every_mode = pytest.mark.parametrize("derivative", MODES.values(), ids=MODES.keys())


# name, function, where, derivative there
CASES: list[tuple[str, Function, float, float]] = [
    ("where", lambda x: where(greater(x, 0.0), log(x), 0.0), 0.0, 0.0),
    ("where, other branch", lambda x: where(greater(x, 0.0), 3.0 * x, log(x)), 1.0, 3.0),
    ("nested where", lambda x: where(greater(x, 1.0), x, where(greater(x, 0.0), sqrt(x), 2.0 * x)), 0.0, 2.0),
    ("sqrt of relu", lambda x: sqrt(relu(x)), -1.0, 0.0),
    ("log of relu", lambda x: log(relu(x)), -1.0, 0.0),
    ("power of relu", lambda x: relu(x) ** 0.5, -2.0, 0.0),
    ("reciprocal of relu", lambda x: 1 / relu(x), -2.0, 0.0),
    ("division by relu", lambda x: 2.0 / relu(x) + x, -2.0, 1.0),
    ("sqrt of maximum", lambda x: sqrt(ops.maximum(x, 0.0)), -1.0, 0.0),
    ("sqrt of minimum", lambda x: sqrt(-ops.minimum(x, 0.0)), 1.0, 0.0),
    ("sqrt of max", lambda x: sqrt(ops.max([x, 0.0, -3.0])), -1.0, 0.0),
    ("sqrt of min", lambda x: sqrt(ops.min([x, 0.0, 3.0])), 1.0, 0.0),
    ("log of clip", lambda x: log(ops.clip(x, 0.0, 1.0)), -1.0, 0.0),
    ("arccos of clip", lambda x: ops.arccos(ops.clip(x, -1.0, 1.0)), 2.0, 0.0),
    ("arcsin of hardtanh", lambda x: ops.arcsin(ops.hardtanh(x)), -3.0, 0.0),
    ("arctanh of hardtanh", lambda x: ops.arctanh(ops.hardtanh(x)), 1.5, 0.0),
    ("sqrt of abs at 0", lambda x: sqrt(abs(x)), 0.0, 0.0),
    ("sqrt of hypot at 0", lambda x: sqrt(ops.hypot(x, x)), 0.0, 0.0),
    ("sqrt of norm at 0", lambda x: sqrt(ops.norm([x, x])), 0.0, 0.0),
    ("step of exp", lambda x: ops.step(exp(1000.0 * x)), 1.0, 0.0),
    ("floor of an infinity", lambda x: ops.floor(exp(1000.0 * x)), 1.0, 0.0),
    ("sign of a pole", lambda x: ops.sign(1.0 / x), 0.0, 0.0),
    ("comparison of poles", lambda x: greater(log(x), 1.0 / x) + x, 0.0, 1.0),
    ("condition with a pole", lambda x: where(log(x), x, 2.0 * x), 0.0, 1.0),
    ("log of leaky_relu's slope", lambda s: log(ops.leaky_relu(2.0, s) - 2.0), 1.0, 0.0),
    ("log of elu's alpha", lambda a: log(ops.elu(2.0, a) - 2.0), 1.0, 0.0),
    ("x**0", lambda x: log(x**0 - 1.0), 3.0, 0.0),
    ("x**0 at 0", lambda x: sqrt(x**0 - 1.0) + x, 0.0, 1.0),
    ("0**x", lambda x: sqrt(0.0**x), 2.0, 0.0),
    ("mod below", lambda x: sqrt(ops.mod(2.0, x) - 2.0), 3.0, 0.0),
    ("fmod below", lambda x: sqrt(ops.fmod(-2.0, x) + 2.0), 3.0, 0.0),
    ("fmod of an infinity", lambda x: ops.fmod(2.0 * x, math.inf), 1.0, 2.0),
    ("mod of an infinity", lambda x: ops.mod(-2.0, x), math.inf, 1.0),
    ("order of polygamma", lambda n: log(ops.polygamma(n, 1.0) * 0.0), 1.0, 0.0),
]


@every_mode
@pytest.mark.parametrize(("f", "x", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_structural_zero_contributes_nothing(derivative: Function, f: Function, x: float, expected: float) -> None:
    assert derivative(f, x) == expected


STEEP: dict[str, tuple[Function, float]] = {  # of each function a point where its derivative is infinite or nan, or its value is
    "log": (log, 0.0),
    "log off its domain": (log, -1.0),
    "sqrt": (sqrt, 0.0),
    "reciprocal": (lambda x: 1.0 / x, 0.0),
    "power": (lambda x: x**-1.5, 0.0),
    "cbrt": (ops.cbrt, 0.0),
    "arcsin": (ops.arcsin, 1.0),
    "arccosh": (ops.arccosh, 0.5),
    "exp": (exp, 1000.0),
    "lgamma": (ops.lgamma, -1.0),
    "square of a pole": (lambda x: (1.0 / x) ** 2, 0.0),
}


@every_mode
@pytest.mark.parametrize("name", STEEP)
def test_no_double_where_is_needed(derivative: Function, name: str) -> None:
    """The branch not taken may be anything."""
    f, x = STEEP[name]
    assert derivative(lambda v: where(ops.equal(v, x), 2.0 * v, f(v)), x) == 2.0
    assert derivative(lambda v: where(ops.not_equal(v, x), f(v), 5.0), x) == 0.0
    assert derivative(lambda v: f(where(ops.not_equal(v, x), v, x)), x) == 0.0


@settings(max_examples=40)
@given(
    inner=st.sampled_from(["relu", "hardtanh", "floor", "sign", "step", "abs"]),
    outer=st.sampled_from(["sqrt", "log", "reciprocal", "arcsin", "exp", "cbrt", "square"]),
    x=st.sampled_from([-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0]),
)
def test_all_modes_agree_where_flat_meets_steep(inner: str, outer: str, x: float) -> None:
    def f(v: Any) -> Any:
        return ops.table[outer].apply(ops.table[inner].apply(v))

    expected = grad(f)(x)
    for name, derivative in MODES.items():
        assert derivative(f, x) == pytest.approx(expected, rel=1e-14, nan_ok=True), name


# Zeros that are numbers ------------------------------------------------------------------------------------------------------


@every_mode
@pytest.mark.parametrize(
    ("f", "x"),
    [(lambda x: sqrt(x) ** 2, 0.0), (lambda x: sqrt(x) * sqrt(x), 0.0), (lambda x: sqrt(x * x), 0.0), (lambda x: 0.0 * sqrt(x), 0.0)],
    ids=["square of a root", "product of roots", "root of a square", "times a number that is 0"],
)
def test_other_zeros_are_numbers(derivative: Function, f: Function, x: float) -> None:
    """sqrt(x)**2 has the derivative 1 at 0: to make it 0 would be wrong, nan is honest."""
    assert math.isnan(derivative(f, x))


def test_an_anomaly_is_still_found() -> None:
    with detect_anomaly(), pytest.raises(AnomalyError, match="gradient nan to"):
        grad(lambda x: sqrt(x) ** 2)(0.0)
    with detect_anomaly():
        assert grad(lambda x: where(greater(x, 0.0), x / x, 2.0 * x))(3.0) == 0.0


# Higher orders ---------------------------------------------------------------------------------------------------------------


def nested(f: Function, order: int, way: str) -> Function:
    for mode in way[:order]:
        f = grad(f) if mode == "r" else (lambda g: lambda x: jvp(g, (x,), (1.0,))[1])(f)
    return f


@pytest.mark.parametrize("way", ["".join(modes) for modes in product("rf", repeat=4)])
def test_to_order_4(way: str) -> None:
    def polynomial(x: Any) -> Any:
        return sum(c * x**i for i, c in enumerate([1.0, 2.0, 3.0, 4.0, 5.0]))

    for order, derivative in enumerate([1.0, 2.0, 6.0, 24.0, 120.0]):
        assert nested(polynomial, order, way)(0.0) == derivative
    for order, derivative in enumerate([1.0, 0.0, -2.0, 0.0, 12.0]):
        assert nested(lambda x: exp(-(x**2)), order, way)(0.0) == derivative
        assert nested(lambda x: where(greater(x, -1.0), exp(-(x**2)), log(x + 1.0)), order, way)(0.0) == derivative
        assert nested(lambda x: exp(-(x**2)) + relu(x - 1.0) ** 0.5, order, way)(0.0) == derivative
    for order in (1, 2, 3, 4):
        assert nested(lambda x: x**0, order, way)(0.0) == 0.0
        assert nested(lambda x: where(greater(x, 0.0), log(x), 0.0), order, way)(0.0) == 0.0
        assert nested(lambda x: sqrt(relu(x)), order, way)(-1.0) == 0.0


@settings(max_examples=60)
@given(
    base=st.sampled_from([-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 3.0]),
    exponent=st.integers(-3, 6),
    order=st.integers(1, 4),
    way=st.text("rf", min_size=4, max_size=4),
)
def test_integer_powers_to_order_4(base: float, exponent: int, order: int, way: str) -> None:
    """Equal to the mathematics wherever the power is smooth: for exponents from 0 on everywhere."""
    if exponent < 0 and base == 0.0:
        return
    with mp.workdps(30):
        exact = mp.ff(exponent, order) * (mpf(base) ** (exponent - order) if mp.ff(exponent, order) else 0)
    assert nested(lambda x: x**exponent, order, way)(base) == pytest.approx(float(exact), rel=1e-14)


def test_hessians() -> None:
    form = hessian(lambda x: sum(c * x[0] ** i * x[1] ** (2 - i) for i, c in enumerate([1.0, 2.0, 3.0])))
    assert form([0.0, 0.0]) == [[6.0, 2.0], [2.0, 2.0]]
    assert hessian(lambda x: where(greater(x[0], 0.0), log(x[0]) * x[1], x[1] ** 2))([0.0, 1.0]) == [[0.0, 0.0], [0.0, 2.0]]


# The user's own --------------------------------------------------------------------------------------------------------------


def test_a_rule_of_ones_own_says_where_it_is_flat() -> None:
    @primitive(partials=lambda y, x: (when(greater(x, 0.0), 1.0),))
    def ramp(x: float) -> float:
        return max(x, 0.0)

    for name, derivative in MODES.items():
        assert derivative(lambda x: log(ramp(x)), -1.0) == 0.0, name
        assert derivative(lambda x: log(ramp(x)), 2.0) == 0.5, name


def test_a_rule_that_branches_says_so_too() -> None:
    """It cannot run on all rows at once, so compiled programs run it on floats, one after another."""

    @primitive(partials=lambda y, x: (1.0 if x > 0 else autograd.ops.zeros.ZERO,))
    def branching(x: float) -> float:
        return max(x, 0.0)

    for name in ("backward", "grad", "jvp", "numpy, param", "numpy, input", "reference, param", "reference, input"):
        assert MODES[name](lambda x: log(branching(x)), -1.0) == 0.0, name
        assert MODES[name](lambda x: log(branching(x)), 2.0) == 0.5, name


def test_callers_see_ordinary_floats() -> None:
    x = Value(-1.0)
    y = relu(x)
    y.backward()
    assert type(x.grad) is float
    assert all(type(d) is float for d in (*y.partials(), *where(True, Value(1.0), Value(2.0)).partials()))
    assert type(Dual(-1.0, 1.0).relu().tangent) is float
    assert type(grad(relu)(-1.0)) is float
    assert all(type(d) is float for row in jacobian(lambda x: [relu(x[0]), x[1]])([-1.0, 2.0]) for d in row)
    assert type(jvp(relu, (-1.0,), (1.0,))[1]) is float
    assert type(vjp(relu, -1.0)[1](1.0)[0]) is float
    assert all(type(step.contribution) in (float, type(None)) for step in steps(y))


def test_a_seed_of_zero_asks_for_nothing() -> None:
    x = Value(0.0)
    sqrt(x).backward(0.0)
    assert x.grad == 0.0
    assert vjp(sqrt, 0.0)[1](0.0) == (0.0,)
    assert jvp(sqrt, (0.0,), (0.0,))[1] == 0.0
