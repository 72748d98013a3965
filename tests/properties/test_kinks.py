"""The conventions at kinks, one row for each case, in reverse and forward mode (see the docstring of autograd.ops)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from autograd import Dual, Value, clip, compile, dot, hypot, maximum, minimum, norm, ops, where
from autograd import max as largest
from autograd import min as smallest

from ..extras import extra

np = extra("numpy")
BACKENDS = ("reference", "numpy") if np else ("reference",)

half, third = 0.5, 1.0 / 3.0

# name of the op, operands, value, derivative in each operand
CASES: list[tuple[str, tuple[float, ...], float, tuple[float, ...]]] = [
    ("relu", (0.0,), 0.0, (0.0,)),
    ("relu", (-0.0,), 0.0, (0.0,)),
    ("abs", (0.0,), 0.0, (0.0,)),
    ("abs", (-0.0,), 0.0, (0.0,)),
    ("leaky_relu", (0.0, 0.01), 0.0, (0.01, 0.0)),
    ("leaky_relu", (0.0, 0.3), 0.0, (0.3, 0.0)),
    ("elu", (0.0, 1.0), 0.0, (1.0, 0.0)),
    ("elu", (0.0, 0.5), 0.0, (0.5, 0.0)),
    ("hardtanh", (1.0,), 1.0, (0.0,)),
    ("hardtanh", (-1.0,), -1.0, (0.0,)),
    ("maximum", (2.0, 2.0), 2.0, (half, half)),
    ("minimum", (2.0, 2.0), 2.0, (half, half)),
    ("maximum", (0.0, -0.0), 0.0, (half, half)),
    ("minimum", (0.0, -0.0), 0.0, (half, half)),
    ("maximum", (math.inf, math.inf), math.inf, (half, half)),
    ("clip", (1.0, 1.0, 3.0), 1.0, (half, half, 0.0)),
    ("clip", (3.0, 1.0, 3.0), 3.0, (half, 0.0, half)),
    ("clip", (0.0, 1.0, 3.0), 1.0, (0.0, 1.0, 0.0)),
    ("clip", (4.0, 1.0, 3.0), 3.0, (0.0, 0.0, 1.0)),
    ("clip", (0.0, 3.0, 1.0), 1.0, (0.0, 0.0, 1.0)),  # bounds crossed: the upper one wins, as in NumPy
    ("max", (5.0,), 5.0, (1.0,)),
    ("max", (1.0, 5.0, 5.0), 5.0, (0.0, half, half)),
    ("max", (5.0, 5.0, 5.0), 5.0, (third, third, third)),
    ("min", (1.0, 1.0, 5.0), 1.0, (half, half, 0.0)),
    ("min", (5.0, 5.0, 5.0), 5.0, (third, third, third)),
    ("max", (7.0,) * 7, 7.0, (1.0 / 7.0,) * 7),
    ("hypot", (0.0, 0.0), 0.0, (0.0, 0.0)),
    ("norm", (0.0,), 0.0, (0.0,)),
    ("norm", (0.0, -0.0, 0.0), 0.0, (0.0, 0.0, 0.0)),
    ("pow", (0.0, 0.0), 1.0, (0.0, 0.0)),
    ("pow", (2.0, 0.0), 1.0, (0.0, math.log(2.0))),
    ("pow", (0.0, 1.0), 0.0, (1.0, 0.0)),
    ("pow", (0.0, 2.0), 0.0, (0.0, 0.0)),
    ("pow", (0.0, 2.5), 0.0, (0.0, 0.0)),
    ("pow", (0.0, 0.5), 0.0, (math.inf, 0.0)),
    ("sign", (0.0,), 0.0, (0.0,)),
    ("step", (0.0,), 1.0, (0.0,)),
    ("step", (-0.0,), 1.0, (0.0,)),
    ("floor", (2.0,), 2.0, (0.0,)),
    ("ceil", (2.0,), 2.0, (0.0,)),
    ("trunc", (2.0,), 2.0, (0.0,)),
    ("trunc", (0.0,), 0.0, (0.0,)),
    ("greater", (1.0, 1.0), 0.0, (0.0, 0.0)),
    ("greater_equal", (1.0, 1.0), 1.0, (0.0, 0.0)),
    ("less", (1.0, 1.0), 0.0, (0.0, 0.0)),
    ("less_equal", (1.0, 1.0), 1.0, (0.0, 0.0)),
    ("equal", (1.0, 1.0), 1.0, (0.0, 0.0)),
    ("not_equal", (1.0, 1.0), 0.0, (0.0, 0.0)),
    ("where", (0.0, 2.0, 3.0), 3.0, (0.0, 0.0, 1.0)),
    ("where", (1.0, 2.0, 3.0), 2.0, (0.0, 1.0, 0.0)),
    ("where", (-0.5, 2.0, 3.0), 2.0, (0.0, 1.0, 0.0)),
    ("prod", (0.0, 2.0, 3.0), 0.0, (6.0, 0.0, 0.0)),
    ("prod", (0.0, 0.0, 3.0), 0.0, (0.0, 0.0, 0.0)),
    ("mod", (6.0, 3.0), 0.0, (1.0, -2.0)),
    ("fmod", (-6.0, 3.0), 0.0, (1.0, 2.0)),
    ("arctan2", (0.0, -1.0), math.pi, (-1.0, 0.0)),
    ("logsumexp", (math.inf, math.inf, 0.0), math.inf, (half, half, 0.0)),
    ("logsumexp", (0.0, math.inf), math.inf, (0.0, 1.0)),
    ("logsumexp", (-math.inf, -math.inf), -math.inf, (half, half)),
    ("logsumexp", (-math.inf, 3.0), 3.0, (0.0, 1.0)),
    ("logaddexp", (math.inf, math.inf), math.inf, (half, half)),
    ("logaddexp", (-math.inf, -math.inf), -math.inf, (half, half)),
    ("logaddexp", (math.inf, 0.0), math.inf, (1.0, 0.0)),
    ("softmax", (math.inf, 0.0), 1.0, (0.0, 0.0)),
    ("softmax", (math.inf, math.inf, 0.0), half, (0.25, -0.25, 0.0)),
    ("softmax", (-math.inf, -math.inf), half, (0.25, -0.25)),
    ("log_softmax", (math.inf, 0.0), 0.0, (0.0, 0.0)),
    ("log_softmax", (0.0, math.inf), -math.inf, (1.0, -1.0)),
    ("log_softmax", (-math.inf, -math.inf), -math.log(2.0), (half, -half)),
    ("cbrt", (0.0,), 0.0, (math.inf,)),
    ("sqrt", (0.0,), 0.0, (math.inf,)),
]


@pytest.mark.parametrize(("name", "x", "value", "partials"), CASES, ids=[f"{name}{x}" for name, x, *_ in CASES])
def test_convention(name: str, x: tuple[float, ...], value: float, partials: tuple[float, ...]) -> None:
    op = ops.table[name]
    leaves = [Value(v) for v in x]
    y = op.apply(*leaves)
    assert y.data == value
    assert y.partials() == partials
    y.backward()
    assert tuple(leaf.grad for leaf in leaves) == partials
    duals = [op.apply(*x[:i], Dual(v, 1.0), *x[i + 1 :]) for i, v in enumerate(x)]
    assert [d.primal for d in duals] == [value] * len(x)
    assert tuple(d.tangent for d in duals) == partials


@pytest.mark.parametrize("name", ["relu", "hardtanh", "clip", "maximum", "minimum", "max", "min"])
def test_what_selects_is_flat_at_nan(name: str) -> None:
    op = ops.table[name]
    x = (math.nan, 1.0, 2.0)[: op.arity or 3]
    leaves = [Value(v) for v in x]
    y = op.apply(*leaves)
    y.backward()
    assert math.isnan(y.data)
    assert [leaf.grad for leaf in leaves] == [0.0] * len(x)
    for backend in BACKENDS:
        f = compile(lambda p, row: op.apply(*row), [], list(x), backend)
        assert math.isnan(f([], [x])[0])
        assert list(f.input_grads([], [x])[0]) == [0.0] * len(x)


@pytest.mark.parametrize("order", list(permutations([0.0, -0.0, -0.0])))
def test_zeros_of_both_signs_in_any_order(order: tuple[float, ...]) -> None:
    for op, sign in ((ops.max, 1.0), (ops.min, -1.0)):
        found = [op.apply(*order), op.apply(*map(Value, order)).data]
        found += [compile(lambda p, x: op.apply(*x), [], list(order), b)([], [order])[0] for b in BACKENDS]  # noqa: B023
        assert [math.copysign(1.0, y) for y in found] == [sign] * len(found)


@pytest.mark.parametrize("backend", ["reference", "numpy"])
@pytest.mark.parametrize("name", ["logsumexp", "logaddexp", "softmax", "log_softmax"])
def test_conventions_at_infinity_are_those_of_compiled_code(name: str, backend: str) -> None:
    if backend == "numpy":
        pytest.importorskip("numpy")
    for case, x, value, partials in CASES:
        if case == name:
            f = compile(lambda p, row: ops.table[name].apply(*row), [], list(x), backend)
            assert f([], [x])[0] == pytest.approx(value, rel=1e-15, abs=0.0)
            assert list(f.input_grads([], [x])[0]) == pytest.approx(partials, rel=1e-15, abs=0.0), x


def test_one_value_as_both_operands_of_a_tie_gets_all_of_the_derivative() -> None:
    """Reverse and forward mode add up the shares, so that maximum(x, x) is x."""
    functions: tuple[Callable[[Any], Any], ...] = (
        lambda v: maximum(v, v),
        lambda v: minimum(v, v),
        lambda v: largest([v, v, v]),
        lambda v: smallest([v, v, v, v]),
        lambda v: clip(v, v, v),
        lambda v: where(True, v, v),
    )
    for f in functions:
        x = Value(3.0)
        f(x).backward()
        assert abs(x.grad - 1.0) <= 2.3e-16
        assert f(Dual(3.0, 1.0)).tangent == x.grad


def test_derivatives_at_the_origin_stay_finite_further_down_the_graph() -> None:
    functions: tuple[Callable[..., Any], ...] = (hypot, lambda a, b: norm([a, b]), lambda a, b: dot([a, b], [a, b]))
    for f in functions:
        a, b = Value(0.0), Value(0.0)
        (f(a, b) * 3.0).backward()
        assert (a.grad, b.grad) == (0.0, 0.0)
