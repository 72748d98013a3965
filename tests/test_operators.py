"""Python's operators on Values: every spelling records the op that it says, with right data and gradients."""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd import Value, grad, ops
from tests.extras import extra

np = extra("numpy")

OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "mod": operator.mod,
    "pow": operator.pow,
}
IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.imod, operator.ipow]
REALS: list[Any] = [float, int, bool]
if np:
    REALS += [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint8, np.bool_]
OTHERS = [np.complex128(1j), np.datetime64("2020")] if np else []

moderate = st.floats(0.1, 10.0)
binary = st.sampled_from(sorted(OPERATORS))


@given(binary, moderate, moderate)
def test_data_is_that_of_floats(name: str, a: float, b: float) -> None:
    f = OPERATORS[name]
    reflected = ops.reciprocal if (name, a) == ("div", 1.0) else ops.table[name]
    for y, op in ((f(Value(a), Value(b)), ops.table[name]), (f(Value(a), b), ops.table[name]), (f(a, Value(b)), reflected)):
        assert type(y) is Value
        assert y.op is op
        assert y.data == f(a, b)


@given(binary, moderate, moderate)
def test_gradients_are_the_same_whatever_is_constant(name: str, a: float, b: float) -> None:
    f = OPERATORS[name]
    x, y, u, v = Value(a), Value(b), Value(a), Value(b)
    f(x, y).backward()
    f(u, b).backward()
    f(a, v).backward()
    assert u.grad == x.grad
    assert v.grad == pytest.approx(y.grad, rel=1e-15)


@pytest.mark.parametrize("kind", REALS)
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_reflected_with_every_kind_of_number(name: str, kind: Any) -> None:
    f, number, x = OPERATORS[name], kind(1), Value(2.5)
    left, right = f(number, x), f(x, number)
    assert (left.data, right.data) == (f(1.0, 2.5), f(2.5, 1.0))
    assert left.op is (ops.reciprocal if name == "div" else ops.table[name])
    assert right.op is ops.table[name]
    for y in (left, right):
        assert type(y) is Value
        assert all(type(a) in (Value, float) for a in y.args)
        y.backward()
    assert x.grad == grad(lambda t: f(1.0, t) + f(t, 1.0))(2.5)


@pytest.mark.parametrize("kind", REALS)
@pytest.mark.parametrize("f", IN_PLACE)
def test_in_place_makes_a_new_node(f: Any, kind: Any) -> None:
    x = Value(3.0)
    y = f(x, kind(1))
    assert y is not x
    assert y.args == (x, 1.0)
    assert x.data == 3.0
    assert f(x, Value(2.0)).data == f(3.0, 2.0)


def test_in_place_statements() -> None:
    x = Value(3.0)
    y = x
    y += 1
    y -= Value(2.0)
    y *= 4
    y /= 2
    y %= 10
    y **= 2
    y.backward()
    assert (x.data, y.data, x.grad) == (3.0, 16.0, 16.0)


@given(st.floats(0.1, 5.0), st.floats(-3.0, 3.0))
def test_power_both_ways(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    z = x**y
    z.backward()
    assert z.data == pytest.approx(a**b, rel=1e-14)
    assert x.grad == pytest.approx(b * a ** (b - 1), rel=1e-13)
    assert y.grad == pytest.approx(a**b * math.log(a), rel=1e-13, abs=1e-15)
    assert (a**y).data == z.data == (x**b).data == pow(x, y).data


@given(st.integers(-4, 4), st.floats(-5.0, 5.0))
def test_integer_powers_of_any_base(n: int, a: float) -> None:
    assume(abs(a) > 0.01)
    x = Value(a)
    (x**n).backward()
    assert x.grad == pytest.approx(n * a ** (n - 1), rel=1e-13)


def test_power_of_three_arguments_is_refused() -> None:
    with pytest.raises(TypeError):
        pow(Value(2.0), 3, 5)  # type: ignore[call-overload]


@given(st.floats(-100.0, 100.0))
def test_unary(a: float) -> None:
    assume(a != 0.0)
    x = Value(a)
    results = (-x, +x, abs(x), math.floor(x), math.ceil(x), math.trunc(x))
    expected = (-a, a, abs(a), math.floor(a), math.ceil(a), math.trunc(a))
    assert [y.data for y in results] == list(expected)
    assert [y.op.name for y in results if y.op] == ["neg", "pos", "abs", "floor", "ceil", "trunc"]
    assert [y.partials()[0] for y in results] == [-1.0, 1.0, math.copysign(1.0, a), 0.0, 0.0, 0.0]


@pytest.mark.parametrize("other", ["a", None, 1j, [1.0], (1.0,), {}, object(), *OTHERS])
@pytest.mark.parametrize("f", [*OPERATORS.values(), *IN_PLACE])
def test_other_operands_are_type_errors(f: Any, other: Any) -> None:
    if other == "a" and f in (operator.mod, operator.imod):
        with pytest.raises(TypeError):
            f(Value(1.0), other)  # "a" % x is str formatting
        return
    for pair in ((Value(1.0), other), (other, Value(1.0))):
        with pytest.raises(TypeError):
            f(*pair)


@pytest.mark.parametrize("name", [name for name, op in ops.table.items() if op.takes_one and name not in ops.helpers])
def test_every_op_of_one_operand_is_a_method_and_a_function(name: str) -> None:
    op = ops.table[name]
    point = 1.5 if name == "arccosh" else 0.4
    x = Value(point)
    y, z = getattr(x, name)(), op(x)
    assert y.op is z.op is op
    assert y.data == z.data == op(point)
    assert type(op(point)) is float
    assert y.args == z.args == (x, *op.defaults)


def test_methods_take_the_operands_that_have_defaults() -> None:
    x = Value(-2.0)
    assert x.leaky_relu(0.2).data == -0.4
    assert x.elu(Value(3.0)).parents[0] is x
    assert len(x.elu(Value(3.0)).parents) == 2
    assert x.swish(0).data == -1.0
