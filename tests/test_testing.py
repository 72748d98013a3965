"""The tools for users' own tests, used as users would."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from autograd import Graph, Op, Value, gradcheck, ops
from autograd.numbers.local import local
from autograd.testing import Expression, assert_gradients, expressions, points_for, smooth, values

UNSHRUNK = settings(phases=[Phase.generate], max_examples=1000, database=None)
SHRUNK = settings(max_examples=1000, database=None)


@given(st.from_type(Value))
def test_values_from_their_type(v: Value) -> None:
    assert math.isfinite(v.data)
    assert v.op is None


@given(values(2.0, 3.0))
def test_values_within_bounds(v: Value) -> None:
    assert 2.0 <= v.data <= 3.0


def test_the_fixture(gradcheck: Callable[..., Any]) -> None:
    assert gradcheck(lambda x: x**3, 2.0)
    with pytest.raises(AssertionError, match="1 of 1 derivatives are wrong"):
        gradcheck(lambda x: Value(x.data) * x, 2.0)


def test_assert_gradients_shows_the_table() -> None:
    with pytest.raises(AssertionError, match=r"analytic +numeric"):
        assert_gradients(lambda x: x * x.data, 2.0)


def test_failures_show_the_users_line_and_nothing_of_the_checker(gradcheck: Callable[..., Any]) -> None:
    for check in (assert_gradients, gradcheck):
        with pytest.raises(AssertionError) as failure:
            check(Op("wrong", lambda x: x * x, lambda y, x: (x,)), 2.0)
        (shown,) = failure.traceback.filter(failure)
        assert shown.path == Path(__file__)


def too_rough(x: Any) -> Any:
    return ops.sin(1e17 * x)


def test_what_numerics_cannot_tell_fails_an_example() -> None:
    with pytest.raises(AssertionError, match=r"1 of 1 derivatives cannot be told.*\n.*\n.*\nx .* numerics too rough"):
        assert_gradients(too_rough, 1.0)


def test_what_numerics_cannot_tell_does_not_count_in_a_property_test() -> None:
    seen: list[float] = []

    @settings(max_examples=20, database=None)
    @given(st.sampled_from([1.0, 2.0, 3.0]))
    def some_examples(x: float) -> None:
        assert_gradients(lambda x: too_rough(x) if x.data < 2.5 else x, x)
        seen.append(x)

    @settings(max_examples=20, database=None)
    @given(st.just(1.0))
    def all_examples(x: float) -> None:
        assert_gradients(too_rough, x)

    some_examples()
    assert set(seen) == {3.0}
    with pytest.raises(hypothesis.errors.Unsatisfiable):
        all_examples()


@pytest.mark.parametrize("name", ops.table)
@settings(max_examples=25)
@given(data=st.data())
def test_points_lie_inside_the_domain_and_off_the_kinks(name: str, data: st.DataObject) -> None:
    op = ops.table[name]
    x = data.draw(points_for(name))
    assert math.isfinite(op.forward(*x))
    assert all(map(math.isfinite, local(op, op.forward(*x), *x)))
    assert smooth(op, x)


@settings(max_examples=100)
@given(expressions())
def test_expressions_are_functions_of_any_number(e: Expression) -> None:
    on_floats = e(*e.point)
    assert math.isfinite(on_floats)
    root = e.value()
    assert root.data == on_floats
    assert len([node for node in Graph(root) if node.op]) == len(e.steps)


def test_expressions_come_in_every_shape() -> None:
    """Sharing, repeated operands, constants, deep chains and wide fans all occur."""

    def shared(e: Expression) -> bool:
        uses = [x for _, operands in e.steps for x in operands if isinstance(x, int)]
        return any(uses.count(x) > 2 for x in uses)

    def find(strategy: Any, condition: Callable[[Expression], bool]) -> None:
        hypothesis.find(strategy, condition, settings=UNSHRUNK)

    find(expressions(), shared)
    find(expressions(), lambda e: any(len(set(x)) < len(x) for _, x in e.steps))
    find(expressions(), lambda e: any(isinstance(v, float) for _, x in e.steps for v in x))
    find(expressions(operations=["add", "tanh"]), lambda e: Graph(e.value()).depth >= 8)
    find(expressions(), lambda e: len(Graph(e.value()).leaves) >= 3)


def parts_of(e: Expression) -> set[int]:
    return {x for _, operands in e.steps for x in operands if isinstance(x, int)}


@given(expressions(max_inputs=3, max_size=12))
def test_expressions_have_no_idle_parts(e: Expression) -> None:
    last = len(e.point) + len(e.steps) - 1
    assert parts_of(e) == set(range(last))
    assert 1 <= len(e.point) <= 3
    assert 1 <= len(e.steps) <= 12


SQUARE = Op("wrong", lambda x: x * x, lambda y, x: (x,))
PRODUCT = Op("wrong", lambda a, b: a * b, lambda y, a, b: (b, b), arity=2)
ABOVE = Op("wrong", lambda x: x * x if x < 2.0 else 4.0 * x - 4.0, lambda y, x: (2.0 * x if x < 2.0 else x,))
ENERGY = Op("wrong", lambda *x: sum(v * v for v in x), lambda y, *x: (2.0 * x[0],) * len(x), arity=None)


@pytest.mark.parametrize("wrong", [SQUARE, PRODUCT, *(pytest.param(op, marks=pytest.mark.slow) for op in (ABOVE, ENERGY))])
def test_a_failing_example_shrinks_to_the_op_that_is_wrong(wrong: Op) -> None:
    others = ["add", "mul", "exp", "sin", "tanh", "sqrt", "maximum", "sum", "relu", "div"]
    e = hypothesis.find(expressions([*others, wrong]), lambda e: not gradcheck(e, *e.point), settings=SHRUNK)
    assert [op for op, _ in e.steps] == [wrong]
    assert len(repr(e).splitlines()) <= 3


@given(expressions(operations=["add", ops.mul, "tanh"]))
def test_expressions_of_chosen_ops(e: Expression) -> None:
    assert {op.name for op, _ in e.steps} <= {"add", "mul", "tanh", "square"}


def test_failing_examples_read_as_code() -> None:
    e = Expression([2.0], [(ops.mul, (0, 0)), (ops.add, (1, 1.0))])
    assert repr(e).splitlines() == ["Expression:", "x0 = 2.0", "v1 = mul(x0, x0)", "v2 = add(v1, 1.0)"]
    assert repr(Expression([2.0, 3.0], [(ops.sub, (1, 0))])).splitlines() == ["Expression:", "x0, x1 = 2.0, 3.0", "v2 = sub(x1, x0)"]
    with pytest.raises(TypeError, match="takes 1 numbers"):
        e(1.0, 2.0)


def test_unknown_ops_are_named() -> None:
    with pytest.raises(LookupError, match="did you mean 'tanh'"):
        points_for("tanhh")


def test_every_op_can_occur_in_an_expression() -> None:
    def occurs(op: Op) -> bool:
        return bool(
            hypothesis.find(expressions(operations=[op]), lambda e: any(used is op for used, _ in e.steps), settings=UNSHRUNK)
        )

    assert all(map(occurs, ops.table.values()))
