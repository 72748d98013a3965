"""Primitives of one's own: equal in rank to the built-in ones."""

from __future__ import annotations

import copy
import math
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Graph, Op, Value, grad, gradcheck, hessian, hvp, jvp, numeric_grad, ops, primitive
from autograd.numbers.primitive import forget, forgetting
from autograd.ops.op import REAL
from autograd.testing import Expression, assert_gradients, expressions, points_for
from tests.extras import extra

np = extra("numpy")


@pytest.fixture(autouse=True, scope="module")
def declared() -> None:
    @primitive(partials=lambda y, x: (3.0 * x * x,), symbol="³")
    def cube(x: float) -> float:
        """The third power."""
        return x * x * x

    @primitive(partials=lambda y, a, b: (b / (a + b) * y / a, a / (a + b) * y / b), domain=(0.0, math.inf))
    def harmonic(a: float, b: float) -> float:
        return a * b / (a + b)

    @primitive(partials=lambda y, x, k: (k * autograd.cos(k * x), x * autograd.cos(k * x)))
    def wave(x: float, k: float = 2.0) -> float:
        return math.sin(k * x)

    @primitive(partials=lambda y, *x: tuple(2.0 * v for v in x))
    def energy(*x: float) -> float:
        return math.fsum(v * v for v in x)

    @primitive(partials=lambda y, x: (autograd.where(autograd.greater(x, 1.0), 2.0, -1.0),), kinks=1.0)
    def bent(x: float) -> float:
        return 2.0 * x - 3.0 if x > 1.0 else -x


OWN = ["cube", "harmonic", "wave", "energy", "bent"]


# A full citizen -----------------------------------------------------------------------------------------------------------


def test_it_is_in_the_table_after_the_built_in_ones() -> None:
    assert list(ops.table)[-len(OWN) :] == OWN
    assert not ops.builtin & set(OWN)
    assert [ops.table[name].arity for name in OWN] == [1, 2, 2, None, 1]


def test_it_is_called_with_every_kind_of_number() -> None:
    cube = ops.table["cube"]
    assert type(cube) is Op
    assert type(cube(2.0)) is float
    assert cube(2) == cube(np.float32(2)) == 8.0
    assert cube(Value(2.0)).op is cube
    assert cube(np.array([1.0, 2.0])).tolist() == [1.0, 8.0]
    assert autograd.data(cube(autograd.array([1.0, 2.0]))).tolist() == [1.0, 8.0]
    assert jvp(cube, (2.0,), (1.0,)) == (8.0, 12.0)
    assert (cube.__name__, cube.__doc__, cube.symbol) == ("cube", "The third power.", "³")


def test_methods() -> None:
    x: Any = Value(2.0)
    assert x.cube().op is ops.table["cube"]
    assert x.wave().args == (x, 2.0)
    assert x.wave(3).args == (x, 3.0)
    assert not hasattr(x, "harmonic")
    assert not hasattr(x, "energy")
    assert autograd.Dual(2.0, 1.0).cube().tangent == 12.0


@pytest.mark.parametrize("name", OWN)
@given(data=st.data())
def test_gradients_to_second_order(name: str, data: st.DataObject) -> None:
    op = ops.table[name]
    x = data.draw(points_for(op, limit=3.0))
    near_zero = name == "harmonic" and min(x) < 0.05
    if not near_zero:
        assert_gradients(op.apply, *x, order=2 if len(x) <= 2 else 1)


@given(data=st.data())
def test_points_are_in_the_domain_and_off_the_kinks(data: st.DataObject) -> None:
    assert min(data.draw(points_for("harmonic"))) > 0.0
    assert data.draw(points_for("bent")) != (1.0,)
    assert len(data.draw(points_for("energy"))) >= 1


@given(expressions(OWN))
def test_expressions_of_own_primitives(e: Expression) -> None:
    root = e.value()
    root.backward()
    assert {n.op.name for n in Graph(root) if n.op} <= {*OWN, "square"}
    assert grad(lambda x: e(*x))(list(e.point)) == pytest.approx([leaf.grad for leaf in gradients(e)], rel=1e-12)


def gradients(e: Expression) -> list[Value]:
    leaves = [Value(x) for x in e.point]
    e(*leaves).backward()
    return leaves


def test_gradcheck_knows_its_kinks_and_domain() -> None:
    assert "at a kink" in str(gradcheck(ops.table["bent"], 1.0))
    assert gradcheck(ops.table["bent"], 1.5)
    wrong = Op("wrong", lambda x: x * x, lambda y, x: (x,))
    assert not gradcheck(wrong, 2.0)


def test_graphs_files_copies_and_pictures(tmp_path: Path) -> None:
    x = Value(0.5, "x")
    y = ops.table["energy"]([x, 1.0, ops.table["cube"](x)]) + ops.table["wave"](x)
    y.backward()
    g = Graph(y)
    assert g.counts == {"cube": 1, "energy": 1, "wave": 1, "add": 1}
    assert "energy(x, 1, v1)" in str(g)
    g.save(tmp_path / "own.json")
    for twin in (Graph.load(tmp_path / "own.json")[-1], pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        assert str(Graph(twin)) == str(g)
        assert [n.op for n in Graph(twin)] == [n.op for n in g]
    assert "³" in autograd.draw(y).source
    assert g.forward({"x": 0.0}) == 1.0


def test_hessian_and_hvp() -> None:
    cube = ops.table["cube"]
    assert hessian(cube)(2.0) == 12.0
    assert grad(grad(grad(cube)))(2.0) == 6.0
    assert hvp(cube, (2.0,), (3.0,)) == 36.0
    assert numeric_grad(cube, 2.0) == pytest.approx(12.0, rel=1e-8)


# Declaring ----------------------------------------------------------------------------------------------------------------


def test_both_forms_of_the_decorator() -> None:
    def f(x: float) -> float:
        return x

    direct = primitive(f, partials=lambda y, x: (1.0,), name="direct")
    decorated = primitive(partials=lambda y, x: (1.0,), name="decorated")(f)
    assert (direct(3.0), decorated(3.0), direct.name, decorated.name) == (3.0, 3.0, "direct", "decorated")


def test_what_is_declared_in_a_block_is_forgotten_after_it() -> None:
    """Table, methods and order are as before, also after an error, and what was replaced or forgotten in the block is back."""
    before, x = list(ops.table.items()), Value(2.0)
    with suppress(KeyError), forgetting():
        primitive(lambda a: a, partials=lambda y, a: (1.0,), name="fleeting")
        primitive(lambda a, b: a, partials=lambda y, a, b: (1.0, 0.0), name="cube")
        forget("bent")
        assert x.fleeting().data == 2.0
        assert not hasattr(x, "cube")
        assert not hasattr(x, "bent")
        raise KeyError
    assert list(ops.table.items()) == before
    assert not hasattr(x, "fleeting")
    assert x.cube().op is ops.table["cube"]
    assert x.bent().data == 1.0


def test_forgetting() -> None:
    y = ops.table["cube"](Value(2.0))
    forget("cube")
    assert "cube" not in ops.table
    assert not hasattr(y, "cube")
    y.backward()
    assert y.parents[0].grad == 12.0
    with pytest.raises(LookupError, match="no primitive called 'cube'"):
        forget("cube")
    with pytest.raises(ValueError, match="'multiply' is a built-in primitive: only your own can be forgotten"):
        forget("multiply")
    assert Value(2.0) * 3 == 6.0


def test_declaring_again_replaces() -> None:
    first = primitive(lambda x: x, partials=lambda y, x: (1.0,), name="again")
    x: Any = Value(2.0)
    y = x.again()
    second = primitive(lambda x: x + 1, partials=lambda y, x: (1.0,), name="again")
    assert ops.table["again"] is second
    assert x.again().op is second
    assert y.op is first
    third = primitive(lambda a, b: a, partials=lambda y, a, b: (1.0, 0.0), name="again")
    assert ops.table["again"] is third
    assert not hasattr(x, "again")
    assert primitive(lambda x: x, partials=lambda y, x: (1.0,), name="again")(x).data == 2.0
    assert x.again().data == 2.0


@pytest.mark.parametrize("name", ["exp", "add", "mul", "where", "sum"])
def test_built_in_names_are_taken(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is a built-in primitive: choose another name"):
        primitive(lambda x: x, partials=lambda y, x: (1.0,), name=name)


@pytest.mark.parametrize("name", ["data", "grad", "backward", "op", "label", "args", "_a", "__init__", "__add__"])
def test_names_of_attributes_are_taken(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is an attribute of the package's numbers: choose another name"):
        primitive(lambda x: x, partials=lambda y, x: (1.0,), name=name)


@pytest.mark.parametrize("name", ["two words", "1st", "a-b", "<lambda>", "x;y"])
def test_names_must_be_identifiers(name: str) -> None:
    with pytest.raises(ValueError, match=r"must be an identifier .*pass name="):
        primitive(lambda x: x, partials=lambda y, x: (1.0,), name=name)


def test_a_lambda_needs_a_name() -> None:
    with pytest.raises(ValueError, match=r"must be an identifier \(got '<lambda>'\): pass name="):
        primitive(lambda x: x, partials=lambda y, x: (1.0,))


def test_failed_declarations_declare_nothing() -> None:
    before = dict(ops.table)
    for bad in ({"domain": (1.0, 0.0)}, {"domain": ((0, 1), (0, 1))}, {"kinks": "x"}, {"name": "exp"}):
        with pytest.raises((TypeError, ValueError)):
            primitive(lambda x: x, **{"partials": lambda y, x: (1.0,), "name": "failed", **bad})
    assert dict(ops.table) == before
    assert not hasattr(Value, "failed")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"partials": None}, TypeError, "partials of a primitive must be a function"),
        ({"partials": (1.0,)}, TypeError, "partials of a primitive must be a function"),
        ({"domain": (1.0, 1.0)}, ValueError, "low < high"),
        ({"domain": (math.nan, 1.0)}, ValueError, "low < high"),
        ({"domain": ((0.0, 1.0), (0.0, 1.0))}, ValueError, "one interval, or one for each of the 1 operands"),
        ({"domain": ("0", 1.0)}, (TypeError, ValueError), "domain"),
        ({"domain": 3.0}, (TypeError, ValueError), "domain"),
        ({"domain": (0.0, 1.0, 2.0)}, (TypeError, ValueError), "domain"),
        ({"domain": ()}, (TypeError, ValueError), "domain"),
        ({"kinks": "x"}, TypeError, "point of kinks"),
        ({"kinks": [None]}, TypeError, "point of kinks"),
        ({"domain": {}}, (TypeError, ValueError), "domain"),
    ],
)
def test_bad_declarations(arguments: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        primitive(lambda x: x, **{"partials": lambda y, x: (1.0,), "name": "bad", **arguments})


def test_bad_functions() -> None:
    with pytest.raises(TypeError, match="the decorated object of a primitive must be a function"):
        primitive(3, partials=lambda y: ())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"needs at least one operand: 'nothing' takes none"):

        @primitive(partials=lambda y: ())
        def nothing() -> float:
            return 1.0

    with pytest.raises(TypeError, match="default of 'k' must be a real number"):

        @primitive(partials=lambda y, x, k: (1.0, 0.0))
        def defaulted(x: float, k: Any = None) -> float:
            return x


@pytest.mark.parametrize(
    ("domain", "intervals"),
    [
        (None, (REAL, REAL)),
        ((0, 1), ((0.0, 1.0),)),
        ([0, math.inf], ((0.0, math.inf),)),
        (((0, 1), (-1, 2)), ((0.0, 1.0), (-1.0, 2.0))),
        ([[0, 1], [-1, 2]], ((0.0, 1.0), (-1.0, 2.0))),
        *([((np.float64(0), np.float64(1)), ((0.0, 1.0),)), (np.array([0.0, 1.0]), ((0.0, 1.0),))] if np else []),
    ],
)
def test_forms_of_domain(domain: Any, intervals: Any) -> None:
    op = primitive(lambda a, b: a + b, partials=lambda y, a, b: (1.0, 1.0), name="on_domain", domain=domain)
    assert op.domain == intervals


@pytest.mark.parametrize(
    ("kinks", "switches"),
    [
        (2, (1.0,)),
        *([(np.float64(2), (1.0,))] if np else []),
        ([2, 3], (1.0, 0.0)),
        ((), ()),
        (lambda x: x - 1, (2.0,)),
        (lambda x: (x, -x), (3.0, -3.0)),
        (lambda x: [x], (3.0,)),
    ],
)
def test_forms_of_kinks(kinks: Any, switches: tuple[float, ...]) -> None:
    op = primitive(lambda x: x, partials=lambda y, x: (1.0,), name="on_kinks", kinks=kinks)
    assert op.kinks is not None
    assert op.kinks(3.0) == switches


def test_kinks_are_none_by_default() -> None:
    assert ops.table["cube"].kinks is None


# Use ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partials", [lambda y, x: (), lambda y, x: (1.0, 2.0)])
def test_wrong_number_of_partials(partials: Any) -> None:
    op = Op("miscounted", lambda x: x, partials)
    uses = (lambda: op(Value(1.0)).partials(), lambda: op(Value(1.0)).backward(), lambda: grad(op)(1.0), lambda: jvp(op, (1.0,), (1.0,)))
    for use in uses:
        with pytest.raises(ValueError, match=r"partials of primitive 'miscounted' returned \d values for 1 operand.*one partial"):
            use()


@pytest.mark.parametrize("partials", [lambda y, x: 1.0, lambda y, x: None, lambda y, x: [1.0, 2.0]])
def test_partials_must_be_a_tuple(partials: Any) -> None:
    op = Op("untupled", lambda x: x, partials)
    uses = (lambda: op(Value(1.0)).partials(), lambda: op(Value(1.0)).backward(), lambda: grad(op)(1.0), lambda: jvp(op, (1.0,), (1.0,)))
    for use in uses:
        with pytest.raises(TypeError, match=r"partials of primitive 'untupled' must return a tuple with one entry per operand, got"):
            use()


@pytest.mark.parametrize("result", [None, "1", 1j, [1.0]])
def test_results_must_be_numbers(result: Any) -> None:
    op = Op("odd", lambda x: result, lambda y, x: (1.0,))
    with pytest.raises(TypeError, match="result of primitive 'odd' must be a real number"):
        op(Value(1.0))


@pytest.mark.parametrize("result", [1, True, *([np.float32(1)] if np else [])])
def test_results_become_floats(result: Any) -> None:
    y = Op("plain", lambda x: result, lambda y, x: (1.0,))(Value(1.0))
    assert type(y.data) is float


def test_numbers_of_operands() -> None:
    for call in (lambda: ops.table["cube"](), lambda: ops.table["cube"](1.0, 2.0), lambda: ops.table["wave"](1.0, 2.0, 3.0)):
        with pytest.raises(TypeError, match=r"takes (1|1 to 2) operands?, got"):
            call()
    for call in (lambda: ops.table["energy"](1.0), lambda: ops.table["energy"]([1.0], [2.0]), lambda: ops.table["energy"](Value(1.0))):
        with pytest.raises(TypeError, match=r"energy\(\) takes numbers in a sequence: write energy\(\[a, b, c\]\)"):
            call()
    assert ops.table["energy"](v for v in (1.0, 2.0)) == 5.0


def test_an_op_is_immutable() -> None:
    for change in (lambda: setattr(ops.table["cube"], "name", "x"), lambda: delattr(ops.table["cube"], "name")):
        with pytest.raises(AttributeError, match="an Op is immutable"):
            change()
