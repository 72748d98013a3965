"""Value: construction, properties, backward."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Graph, Value, exp, ops, primitive
from autograd.numbers.value import topological_order
from autograd.testing import Expression, expressions, values
from tests.extras import extra

np = extra("numpy")

any_float = st.floats()
finite = st.floats(-1e6, 1e6)
NUMPY_REALS = "float64", "float32", "float16", "int64", "int8", "uint16", "bool_"


def same(a: float, b: float) -> bool:
    """Equal to the bit, nan to nan."""
    return (a == b and math.copysign(1.0, a) == math.copysign(1.0, b)) or (a != a and b != b)


# Construction -------------------------------------------------------------------------------------------------------------


@given(st.one_of(any_float, st.integers(-(2**60), 2**60), st.booleans()))
def test_data_is_a_float(number: float) -> None:
    v = Value(number)
    assert type(v.data) is float
    assert same(v.data, float(number))
    assert (v.grad, v.label, v.op, v.args, v.parents, v.partials()) == (0.0, "", None, (), (), ())


@pytest.mark.parametrize("kind", NUMPY_REALS)
def test_data_of_numpy_scalars(kind: str) -> None:
    v = Value(getattr(np, kind)(1))
    assert type(v.data) is float
    assert v.data == 1.0


@given(st.text())
def test_label(label: str) -> None:
    v = Value(1.0, label)
    assert v.label == label == Value(1.0, label=label).label
    v.label = label + "!"
    assert v.label == label + "!"
    v.label = ""
    assert v.label == ""


@given(any_float, any_float)
def test_setters(data: float, grad: float) -> None:
    v = Value(1.0)
    v.data, v.grad = data, grad
    assert same(v.data, data)
    assert same(v.grad, grad)


def test_setters_take_any_real_number() -> None:
    v = Value(1.0)
    v.data = np.float32(0.5)
    v.grad = True
    assert (v.data, v.grad) == (0.5, 1.0)
    assert type(v.data) is type(v.grad) is float


def test_data_of_computed_value_is_fixed() -> None:
    y = Value(2.0) * 3
    with pytest.raises(AttributeError, match=r"'mul'.*Graph\(\.\.\.\)\.forward\(\)"):
        y.data = 1.0
    y.grad, y.label = 4.0, "y"
    assert (y.data, y.grad, y.label) == (6.0, 4.0, "y")


def test_no_attribute_but_its_own() -> None:
    with pytest.raises(AttributeError):
        Value(1.0).colour = "red"  # type: ignore[attr-defined]


def test_no_subclass() -> None:
    with pytest.raises(TypeError, match=r"hold a Value in your class.*primitive"):
        type("Sub", (Value,), {})


# Records ------------------------------------------------------------------------------------------------------------------


def test_repeated_operand_has_two_edges() -> None:
    a = Value(3.0)
    y = a * a
    assert y.parents == y.args == (a, a)
    assert y.partials() == (3.0, 3.0)
    y.backward()
    assert a.grad == 6.0


@pytest.mark.parametrize(
    ("build", "op", "constants"),
    [
        (lambda x: x + 1, "add", (None, 1.0)),
        (lambda x: 1 + x, "add", (1.0, None)),
        (lambda x: x - True, "sub", (None, 1.0)),
        (lambda x: 2 - x, "sub", (2.0, None)),
        (lambda x: 2 * x, "mul", (2.0, None)),
        (lambda x: x / 2, "div", (None, 2.0)),
        (lambda x: 3 / x, "div", (3.0, None)),
        (lambda x: x % 2, "mod", (None, 2.0)),
        (lambda x: 5 % x, "mod", (5.0, None)),
        (lambda x: x**2, "pow", (None, 2.0)),
        (lambda x: 2**x, "pow", (2.0, None)),
        (lambda x: np.float32(2) * x, "mul", (2.0, None)),
        (lambda x: x * np.int64(2), "mul", (None, 2.0)),
        (lambda x: 1 / x, "reciprocal", (None,)),
        (lambda x: np.float64(1) / x, "reciprocal", (None,)),
        (lambda x: ops.clip(x, 0, 5), "clip", (None, 0.0, 5.0)),
        (lambda x: ops.sum([1, x, 2]), "sum", (1.0, None, 2.0)),
        (lambda x: x.leaky_relu(), "leaky_relu", (None, 0.01)),
    ],
)
def test_constants_live_in_the_operand_slot(build: Any, op: str, constants: tuple[float | None, ...]) -> None:
    x = Value(1.5)
    y = build(x)
    assert y.op is ops.table[op]
    assert len(Graph(y)) == 2
    assert len(y.args) == len(constants)
    for arg, constant in zip(y.args, constants, strict=True):
        assert arg is x if constant is None else (type(arg) is float and arg == constant)
    assert y.parents == (x,)
    assert len(y.partials()) == 1


def test_the_sigmoid_graph_has_the_nodes_that_its_formula_says() -> None:
    w0, x0, w1, x1, w2 = (Value(v) for v in (2.0, -1.0, -3.0, -2.0, -3.0))
    f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    assert [n.op.name for n in Graph(f) if n.op] == ["mul", "mul", "add", "add", "neg", "exp", "add", "reciprocal"]
    f.backward()
    slope = 0.19661193324148185
    grads = [v.grad for v in (w0, x0, w1, x1, w2)]
    assert grads == pytest.approx([-slope, 2 * slope, -2 * slope, -3 * slope, slope], rel=1e-15)


@given(expressions())
def test_partials_match_parents(e: Expression) -> None:
    for node in topological_order([e.value()]):
        assert node.parents == tuple(x for x in node.args if isinstance(x, Value))
        assert len(node.partials()) == len(node.parents)
        assert all(type(d) is float for d in node.partials())


# Backward -----------------------------------------------------------------------------------------------------------------


def grads_of(root: Value) -> list[float]:
    return [node.grad for node in topological_order([root])]


@given(expressions())
def test_backward_is_the_sum_of_upstream_times_local(e: Expression) -> None:
    """The definition, in every node: its adjoint is the sum of result's adjoint x partial over its uses."""
    root = e.value()
    root.backward()
    expected = {id(root): 1.0}
    for node in reversed(topological_order([root])):
        for parent, partial in zip(node.parents, node.partials(), strict=True):
            expected[id(parent)] = expected.get(id(parent), 0.0) + expected[id(node)] * partial
    for node in topological_order([root]):
        assert node.grad == pytest.approx(expected[id(node)], rel=1e-12, abs=1e-12, nan_ok=True)


@given(expressions())
def test_leaves_accumulate_and_interior_nodes_are_set_afresh(e: Expression) -> None:
    root = e.value()
    order = topological_order([root])
    root.backward()
    once = grads_of(root)
    root.backward()
    for node, grad in zip(order, once, strict=True):
        assert node.grad == (grad if node.op else grad + grad)


@given(expressions(), st.sampled_from([-2.0, 0.0, 0.5, 4.0]))
def test_seed_scales_every_gradient(e: Expression, seed: float) -> None:
    a, b = e.value(), e.value()
    a.backward()
    b.backward(seed=seed)
    for x, y in zip(grads_of(a), grads_of(b), strict=True):
        assert y == pytest.approx(seed * x, rel=1e-14, abs=1e-300)


@given(expressions())
def test_zero_grad_reaches_every_node(e: Expression) -> None:
    root = e.value()
    root.backward()
    fresh = grads_of(root)
    root.zero_grad()
    assert not any(grads_of(root))
    root.backward()
    assert grads_of(root) == fresh


@given(values(), finite, finite)
def test_backward_of_a_leaf_adds_the_seed(leaf: Value, before: float, seed: float) -> None:
    leaf.grad = before
    leaf.backward(seed)
    assert leaf.grad == before + seed


def test_gradients_flow_to_leaves_reached_by_several_roots() -> None:
    x = Value(3.0)
    u = x * 2
    (u + 1).backward()
    (u * u).backward()
    assert u.grad == 12.0
    assert x.grad == 2.0 + 24.0


def test_backward_from_within_a_graph() -> None:
    x = Value(2.0)
    u = x * x
    y = u * 5
    y.backward()
    u.backward()
    assert (u.grad, y.grad, x.grad) == (1.0, 1.0, 20.0 + 4.0)


def test_grad_is_never_a_graph() -> None:
    x = Value(2.0)
    (x**3).backward(np.float64(1))
    assert type(x.grad) is float


@pytest.mark.parametrize("failure", [RuntimeError, KeyError, KeyboardInterrupt, ValueError, ZeroDivisionError])
def test_failing_backward_leaves_the_gradients_of_leaves(failure: type[BaseException]) -> None:
    def fail(y: float, x: float) -> tuple[float]:
        raise failure("no derivative")

    broken = primitive(lambda x: x, partials=fail, name="broken")
    a, b = Value(1.0), Value(2.0)
    a.grad, b.grad = 7.0, 8.0
    y = (a * 2 + broken(b * 3)) * a
    with pytest.raises(failure):
        y.backward()
    assert (a.grad, b.grad) == (7.0, 8.0)
    (a * b).backward()
    assert (a.grad, b.grad) == (9.0, 9.0)


@pytest.mark.parametrize("partials", [lambda y, x: (1.0, 2.0), lambda y, x: (), lambda y, x: [], lambda y, x: 1.0])
def test_backward_through_a_bad_rule_leaves_the_gradients_of_leaves(partials: Any) -> None:
    broken = primitive(lambda x: x, partials=partials, name="broken")
    x = Value(1.0)
    x.grad = 5.0
    with pytest.raises((TypeError, ValueError), match="partials of primitive 'broken'"):
        (broken(x) * 2).backward()
    assert x.grad == 5.0


@given(st.sampled_from(["1", None, 1j, [1.0]]))
def test_seed_must_be_a_number(seed: Any) -> None:
    x = Value(1.0)
    with pytest.raises(TypeError, match="seed of backward"):
        (x * 2).backward(seed)
    assert x.grad == 0.0


# IEEE 754 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "data"),
    [
        (lambda x: 1 / x, math.inf),
        (lambda x: -1 / x, -math.inf),
        (lambda x: x / x, math.nan),
        (lambda x: x.log(), -math.inf),
        (lambda x: (x - 1).log(), math.nan),
        (lambda x: (x + 1000).exp(), math.inf),
        (lambda x: x**-1, math.inf),
        (lambda x: x % x, math.nan),
        (lambda x: (x - 8) ** 0.5, math.nan),
    ],
)
def test_nothing_raises(y: Any, data: float) -> None:
    x = Value(0.0)
    root = y(x)
    assert same(root.data, data)
    root.backward()
    assert type(x.grad) is float


# Looks --------------------------------------------------------------------------------------------------------------------


@given(any_float)
def test_conversions_are_those_of_the_data(x: float) -> None:
    v = Value(x)
    assert same(float(v), x)
    assert bool(v) is bool(x)
    for spec in (".3f", "g", "+.2e", ">12"):
        assert format(v, spec) == format(x, spec)
    assert f"{v}" == str(v) == repr(v) == f"Value(data={x!r}, grad=0.0)"
    if math.isfinite(x):
        assert int(v) == int(x)
        assert round(v) == round(x)
        assert type(round(v)) is int
        assert same(round(v, 2), round(x, 2))


def test_repr_shows_data_grad_and_label() -> None:
    v = Value(2.0, "w[0] 'x'")
    v.grad = -1.0
    assert repr(v) == "Value(data=2.0, grad=-1.0, label=\"w[0] 'x'\")"


@given(any_float, any_float)
def test_comparisons_are_those_of_the_data(a: float, b: float) -> None:
    u, v = Value(a), Value(b)
    pairs = [(u, v), (u, b), (a, v), (u, np.float64(b)), (np.float64(a), v)]
    for p, q in pairs:
        found = [p < q, p <= q, p > q, p >= q, p == q, p != q]
        assert all(type(f) is bool for f in found)
        assert found == [a < b, a <= b, a > b, a >= b, a == b, a != b]


@given(finite)
def test_hash_is_identity(x: float) -> None:
    u, v = Value(x), Value(x)
    assert u == v
    assert len({u, v}) == 2
    assert {u: 1}[u] == 1
    assert hash(u) == object.__hash__(u)


def test_equality_with_other_things_is_false() -> None:
    assert Value(1.0) != "1.0"
    assert Value(1.0) != None  # noqa: E711
    assert (Value(1.0) == [1.0]) is False
    with pytest.raises(TypeError):
        Value(1.0) < "a"  # noqa: B015
