"""Every primitive, in every mode, against its meaning in arbitrary precision.

Tolerances. A first derivative is right to 1e-10 of itself. Where terms of opposite sign cancel, no formula in floats can do
that: there, 1e-14 of the size of the terms (`terms_of_derivative`) is allowed on top, some 50 roundings of them. Values likewise,
with 1e-14 of themselves and of their terms.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Dual, Value, grad, jvp, ops
from autograd.numbers.local import local
from autograd.ops.op import Op
from autograd.testing import points_for, smooth

from .. import oracle

OPS = [ops.table[name] for name in ops.table if name in ops.builtin]
Point = tuple[float, ...]
TINY = 1e-307  # below it a result has lost digits to underflow

every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
draws = settings(max_examples=30, deadline=None)


def test_the_oracle_knows_every_built_in_op() -> None:
    assert set(oracle.ORACLE) == ops.builtin


# First order -------------------------------------------------------------------------------------------------------------


@every_op
@draws
@given(data=st.data())
def test_value_reverse_and_forward_mode_are_those_of_the_mathematics(op: Op, data: st.DataObject) -> None:
    x = data.draw(points_for(op))
    check_value(op, x)
    check_first_order(op, x)


def check_value(op: Op, x: Point) -> None:
    exact = oracle.rounded(oracle.value(op.name, x))
    allowed = 1e-14 * (abs(exact) + terms_of_value(op, x)) + TINY
    for y in (op.apply(*x), op.apply(*map(Value, x)).data, op.apply(*map(Dual, x)).primal):
        assert y == exact or abs(y - exact) <= allowed, f"{op.name}{x} = {y}, not {exact}"


def check_first_order(op: Op, x: Point) -> float:
    """The largest relative error of a partial derivative."""
    leaves = [Value(v) for v in x]
    root = op.apply(*leaves)
    root.backward()
    reverse = [leaf.grad for leaf in leaves]
    assert same(root.partials(), reverse)
    assert same(forward_mode(op, x), reverse)
    return max(error_of(op, x, i, d) for i, d in enumerate(reverse))


def forward_mode(op: Op, x: Point) -> list[float]:
    return [op.apply(*x[:i], Dual(v, 1.0), *x[i + 1 :]).tangent for i, v in enumerate(x)]


def same(a: Any, b: Any) -> bool:
    return all(u == v or (u != u and v != v) for u, v in zip(a, b, strict=True))


def error_of(op: Op, x: Point, i: int, derivative: float) -> float:
    """The relative error, 1e-4 of the terms counting as part of the size where they cancel."""
    exact = oracle.rounded(oracle.first(op.name, x, i))
    underflow = TINY * max(1.0, x[0] ** 2) if op.name == "swish" else TINY  # its x^2 multiplies sigmoids that underflow
    if derivative == exact or abs(derivative - exact) <= underflow:
        return 0.0
    size = abs(exact) + 1e-4 * terms_of_derivative(op, x, i)
    relative = abs(derivative - exact) / size if size else math.inf
    assert relative <= 1e-10, f"d {op.name}{x} in operand {i} is {derivative}, not {exact}: relative error {relative:.2g}"
    return relative


def terms_of_value(op: Op, x: Point) -> float:
    """The size of the terms that may cancel in the value, or of the rounding of an intermediate result that it depends on."""
    if op.name in ("logaddexp", "logsumexp", "mean"):
        return max(map(abs, x))
    if op.name == "dot":
        n = len(x) // 2
        return math.fsum(abs(a * b) for a, b in zip(x[:n], x[n:], strict=True))
    if op.name == "swish":
        return abs(x[0] * x[1] * float(op.apply(*x)))  # the rounding of beta x moves its exponential by as much
    if op.name == "lgamma":
        return 1.0 + math.log1p(abs(x[0]))
    return terms_of_polygamma(int(x[0]), x[1]) if op.name == "polygamma" else 0.0


def terms_of_derivative(op: Op, x: Point, i: int) -> float:
    """The size of the terms of the derivative in operand i, where they have opposite signs somewhere."""
    if op.name == "swish" and i == 0:
        s, beta = float(ops.sigmoid(x[0] * x[1])), x[1]
        return s + abs(beta * x[0] * s * (1.0 - s))
    if op.name == "gelu":
        return 0.5 * math.erfc(-x[0] / math.sqrt(2.0)) + abs(x[0]) * math.exp(-0.5 * x[0] * x[0])
    if op.name == "lgamma":
        return terms_of_polygamma(0, x[0])
    return terms_of_polygamma(int(x[0]) + 1, x[1]) if op.name == "polygamma" and i == 1 else 0.0


def terms_of_polygamma(n: int, x: float) -> float:
    """log x and the terms n! / (x + k)^(n+1) of its recurrence, the nearest pole's being the largest."""
    nearest = min(0.0, float(round(x)))
    poles = {abs(x - nearest), *(abs(x + k) for k in range(20))}
    return math.log1p(abs(x)) + math.factorial(n) * math.fsum(ops.power(p, -n - 1.0) for p in poles if p)


@pytest.mark.slow
@every_op
def test_first_order_at_very_many_points(op: Op) -> None:
    """AUTOGRAD_POINTS in the environment is the number of points for each op, 200 000 unless set."""
    wanted = int(os.environ.get("AUTOGRAD_POINTS", "200000"))
    assert worst_of(op, islice(random_points(op, seed=0), wanted)) <= 1e-10


def worst_of(op: Op, points: Iterator[Point]) -> float:
    return max(check_first_order(op, x) for x in points)


def random_points(op: Op, seed: int) -> Iterator[Point]:
    """Points over the domain where the op is smooth, half of their operands over 24 decades and half uniform."""
    rng = random.Random(f"{op.name} {seed}")
    for _ in count():
        n = op.arity or (2 * rng.randint(1, 3) if op.name == "dot" else rng.randint(1, 6))
        x = tuple(random_operand(op, i, rng) for i in range(n))
        if smooth(op, x):
            yield x


def random_operand(op: Op, i: int, rng: random.Random) -> float:
    if i in op.choices:
        return rng.choice(op.choices[i])
    low, high = op.domain[min(i, len(op.domain) - 1)]
    if math.isinf(low) and math.isinf(high):
        return rng.choice((-1.0, 1.0)) * magnitude(rng, 12.0) if rng.random() < 0.5 else rng.uniform(-30.0, 30.0)
    if math.isinf(high):
        return rng.choice((low + magnitude(rng, 12.0), magnitude(rng, 12.0), low * magnitude(rng, 0.0), low + rng.uniform(0.0, 30.0)))
    if rng.random() < 0.5:
        return rng.uniform(low, high)
    return rng.choice((low + magnitude(rng, 0.0), high - magnitude(rng, 0.0), rng.choice((low, high)) * magnitude(rng, 0.0)))


def magnitude(rng: random.Random, top: float) -> float:
    return float(10.0 ** rng.uniform(-12.0, top))


# Second order ------------------------------------------------------------------------------------------------------------


@given(st.floats(1e-100, 1e100), st.sampled_from([0.0, -0.0]))
def test_an_exponent_that_passes_through_0(a: float, b: float) -> None:
    """It is no constant: d/db of b a^(b-1) is 1 / a there, and of that 2 log(a) / a."""
    for compose in COMPOSITIONS.values():
        assert compose(ops.power, (a, b), 0, 1) == pytest.approx(1.0 / a, rel=1e-14)
        assert compose(ops.power, (a, b), 1, 0) == pytest.approx(1.0 / a, rel=1e-14)
        twice = compose(lambda a, b, compose=compose: jvp(lambda t: a**t, (b,), (1.0,))[1], (a, b), 0, 1)
        assert twice == pytest.approx(2.0 * math.log(a) / a, rel=1e-13, abs=1e-14 / a)


@every_op
@draws
@given(data=st.data())
def test_second_order_by_all_four_compositions(op: Op, data: st.DataObject) -> None:
    """Each right to 1e-9; where terms cancel, to 1e-12 of the first derivatives, of whose products the terms consist.

    The unit of length is 1, or less where the op changes faster: swish over 1 / beta, arctan2, hypot
    and norm over the distance to the origin. Rounding of an intermediate argument
    (x*x of a normal density, beta*x) is magnified by up to the exponent, some 700.
    """
    x = data.draw(points_for(op))
    i, j = (data.draw(st.integers(0, len(x) - 1)) for _ in range(2))
    exact = oracle.rounded(oracle.second(op.name, x, i, j))
    allowed = 1e-9 * abs(exact) + 1e-12 * terms_of_second(op, x, i, j) + TINY
    for name, compose in COMPOSITIONS.items():
        d = compose(op.apply, x, i, j)
        assert d == exact or abs(d - exact) <= allowed, f"d2 {op.name}{x} in {i}, {j}, {name}: {d}, not {exact}"


def terms_of_second(op: Op, x: Point, i: int, j: int) -> float:
    if op.name in ("lgamma", "polygamma"):
        order = 1 if op.name == "lgamma" else int(x[0]) + 2
        return terms_of_polygamma(order, x[-1])
    rate = 1.0
    if op.name == "swish":
        rate += abs(x[1])
    if op.name in ("arctan2", "hypot", "norm"):
        rate += 1.0 / math.hypot(*x)
    return rate * sum(abs(oracle.rounded(oracle.first(op.name, x, k))) for k in (i, j))


def unit(n: int, i: int) -> Point:
    return tuple(float(k == i) for k in range(n))


Function = Callable[..., Any]


def reverse_over_reverse(f: Function, x: Point, i: int, j: int) -> float:
    return float(grad(grad(f, i), j)(*x))


def forward_over_forward(f: Function, x: Point, i: int, j: int) -> float:
    return float(jvp(lambda *at: jvp(f, at, unit(len(x), i))[1], x, unit(len(x), j))[1])


def forward_over_reverse(f: Function, x: Point, i: int, j: int) -> float:
    return float(jvp(grad(f, i), x, unit(len(x), j))[1])


def reverse_over_forward(f: Function, x: Point, i: int, j: int) -> float:
    return float(grad(lambda *at: jvp(f, at, unit(len(x), i))[1], j)(*x))


COMPOSITIONS = {
    "reverse over reverse": reverse_over_reverse,
    "forward over forward": forward_over_forward,
    "forward over reverse": forward_over_reverse,
    "reverse over forward": reverse_over_forward,
}


# Kinds of numbers --------------------------------------------------------------------------------------------------------


@every_op
@draws
@given(data=st.data())
def test_all_kinds_of_number_agree(op: Op, data: st.DataObject) -> None:
    x = data.draw(points_for(op))
    y = op.apply(*x)
    assert type(y) is float
    assert op.apply(*map(np.float64, x)) == y
    assert op.apply(*map(Value, x)).data == y
    in_arrays = op.apply(*(np.array([v, v]) for v in x))
    assert in_arrays.dtype == float
    assert in_arrays.tolist() == [y, y]
    of_values = op.apply(*(np.array([[Value(v)], [Value(v)]], dtype=object) for v in x))
    assert of_values.shape == (2, 1)
    assert [v.data for v in of_values.flat] == [y, y]
    if op.arity is not None:
        assert op(*x) == op(*map(Value, x)).data == y
    elif op.name not in ("dot", "softmax", "log_softmax"):
        assert op(x) == op(list(map(Value, x))).data == op(np.array(x)) == y
    ufunc = getattr(np, op.numpy, None)
    if isinstance(ufunc, np.ufunc) and ufunc.nin == len(x):
        node = ufunc(*map(Value, x))
        assert (node.data if isinstance(node, Value) else float(node)) == y


@every_op
@draws
@given(data=st.data())
def test_integers_are_taken_as_floats(op: Op, data: st.DataObject) -> None:
    n = op.arity or 2
    x = tuple(data.draw(st.integers(-40, 40)) for _ in range(n))
    y = op.apply(*map(float, x))
    for kind in (int, np.int64, np.int8, np.float32):
        assert same([op.apply(*map(kind, x))], [y])
    assert same(op.apply(*(np.array([v]) for v in x)), [y])
    assert same([op.apply(Value(x[0]), *x[1:]).data], [y])
    assert same([op.apply(True, *x[1:])], [op.apply(1.0, *map(float, x[1:]))])


@every_op
@draws
@given(data=st.data())
def test_a_constant_in_each_position(op: Op, data: st.DataObject) -> None:
    x = data.draw(points_for(op))
    expected = local(op, op.apply(*x), *x)
    for i in range(len(x)):
        alone = op.apply(*x[:i], Value(x[i]), *x[i + 1 :])
        assert same(alone.partials(), expected[i : i + 1])
        alone.backward()
        assert alone.parents[0].grad == expected[i]
        if len(x) > 1:
            rest = op.apply(*(v if k == i else Value(v) for k, v in enumerate(x)))
            assert rest.args[i] == x[i]
            assert same(rest.partials(), expected[:i] + expected[i + 1 :])
            assert same([p.grad for p in backward(rest).parents], rest.partials())


def backward(root: Value) -> Value:
    root.backward()
    return root


@pytest.mark.parametrize("op", [op for op in OPS if op.takes_one and op.name not in ops.helpers], ids=lambda op: op.name)
@draws
@given(data=st.data())
def test_the_method_is_the_function(op: Op, data: st.DataObject) -> None:
    x, *parameters = data.draw(points_for(op))
    for given_parameters in ((), tuple(parameters)):
        if len(given_parameters) in (len(parameters), len(parameters) - len(op.defaults)):
            method = getattr(Value(x), op.name)(*given_parameters)
            function = op(Value(x), *given_parameters)
            assert method.op is function.op is op
            assert method.args[1:] == function.args[1:]
            assert method.data == function.data == op(x, *given_parameters)
            assert method.partials() == function.partials()
