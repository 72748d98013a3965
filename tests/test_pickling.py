"""Pickling and copying: structure, figures and sharing, at every protocol, by both of Python's picklers."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Graph, Op, Value, ops, primitive
from autograd.testing import Expression, expressions

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)
Copier = Callable[[Any], Any]


def by_c(protocol: int) -> Copier:
    return lambda x: pickle.loads(pickle.dumps(x, protocol))


def by_python(protocol: int) -> Copier:
    def copied(x: Any) -> Any:
        file = io.BytesIO()
        pickle._Pickler(file, protocol).dump(x)  # type: ignore[attr-defined]
        return pickle._loads(file.getvalue())  # type: ignore[attr-defined]

    return copied


COPIERS: dict[str, Copier] = {
    "deepcopy": copy.deepcopy,
    **{f"C, protocol {p}": by_c(p) for p in PROTOCOLS},
    **{f"Python, protocol {p}": by_python(p) for p in PROTOCOLS},
}
copiers = pytest.mark.parametrize("copied", list(COPIERS.values()), ids=list(COPIERS))


def record(roots: list[Value]) -> list[Any]:
    """Structure with sharing, data, gradients and labels."""
    g = Graph(roots)
    place = {id(node): i for i, node in enumerate(g)}
    nodes = [
        (node.op, [place[id(x)] if isinstance(x, Value) else repr(x) for x in node.args], repr(node.data), repr(node.grad), node.label)
        for node in g
    ]
    return [*nodes, [place[id(root)] for root in roots]]


def chain(length: int) -> Value:
    x = Value(0.0)
    for _ in range(length):
        x = x + 1.0
    return x


@copiers
@given(e=expressions(), data=st.data())
def test_any_graph(copied: Copier, e: Expression, data: st.DataObject) -> None:
    root = e.value()
    root.backward()
    for node in Graph(root):
        node.label = data.draw(st.sampled_from(["", "x", "wéight"]))
    twin = copied(root)
    assert twin is not root
    assert record([twin]) == record([root])
    twin.zero_grad()
    root.zero_grad()
    twin.backward()
    root.backward()
    assert record([twin]) == record([root])


@copiers
@given(e=expressions(), data=st.data())
def test_several_values_of_a_graph_stay_shared(copied: Copier, e: Expression, data: st.DataObject) -> None:
    nodes = data.draw(st.lists(st.sampled_from(list(Graph(e.value()))), min_size=1, max_size=8))
    assert record(copied(nodes)) == record(nodes)
    assert record(list(copied(tuple(nodes)))) == record(nodes)
    twins = copied({"first": nodes, "again": [nodes[0], {"deeper": nodes[-1]}]})
    assert twins["again"][0] is twins["first"][0]
    assert twins["again"][1]["deeper"] is twins["first"][-1]


@copiers
def test_values_interleaved_with_other_things(copied: Copier) -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    u = a * b
    things: list[Any] = [u, "text", a, [u + a, 3.5, (b, u)], {1: u.exp()}, None, u]
    twin = copied(things)
    v, left, right = twin[0], twin[2], twin[3][2][0]
    assert v.args == (left, right)
    assert twin[3][0].args[0] is v
    assert twin[3][0].args[1] is left
    assert twin[3][2][1] is v
    assert twin[4][1].args[0] is v
    assert twin[6] is v
    assert (left.label, right.label, twin[1], twin[5]) == ("a", "b", "text", None)


@copiers
@pytest.mark.parametrize("length", [1, 2, 500, 998, 999, 1000, 1001, 2500])
def test_chains_around_the_batches_of_pickle(copied: Copier, length: int) -> None:
    root = chain(length)
    twin = copied(root)
    assert (len(Graph(twin)), twin.data) == (length + 1, length)
    both = copied([root, root.args[0]])
    assert both[0].args[0] is both[1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_grows_with_the_graph_and_no_faster(protocol: int) -> None:
    def size(length: int) -> int:
        file = io.BytesIO()
        pickle._Pickler(file, protocol).dump(chain(length))  # type: ignore[attr-defined]
        assert abs(len(file.getvalue()) - len(pickle.dumps(chain(length), protocol))) < 50
        return len(file.getvalue())

    assert size(900) < 1.2 * 9 * size(100)


def test_a_graph_object_can_be_pickled() -> None:
    g = Graph([chain(3), Value(1.0)])
    twin = pickle.loads(pickle.dumps(g))
    assert record(list(twin.roots)) == record(list(g.roots))
    assert [id(n) for n in twin] == [id(n) for n in Graph(twin.roots)]


def test_a_pickle_that_fails_half_way_leaves_nothing_behind() -> None:
    class Full(io.RawIOBase):
        def __init__(self) -> None:
            self.left = 40_000

        def write(self, data: Any) -> int:
            self.left -= len(data)
            if self.left < 0:
                raise OSError("no space left on device")
            return len(data)

    root = chain(20_000)
    for pickler in (pickle.Pickler, pickle._Pickler):  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="no space left"):
            pickler(Full(), 4).dump(root)
        inner = root.args[0]
        assert pickle.loads(pickle.dumps(inner)).data == 19_999.0


def test_inside_threads() -> None:
    shared = chain(3000)

    def work(i: int) -> float:
        own = shared * float(i) + Value(1.0)
        twin = by_python(4)([own, shared]) if i % 2 else by_c(4)([own, shared])
        assert twin[0].args[0].args[0] is twin[1]
        return float(twin[0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == [3000.0 * i + 1.0 for i in range(24)]


# copy.copy ----------------------------------------------------------------------------------------------------------------


@given(expressions())
def test_a_shallow_copy_shares_its_operands(e: Expression) -> None:
    root = e.value()
    root.backward()
    root.label = "root"
    twin = copy.copy(root)
    assert twin is not root
    assert all(a is b for a, b in zip(twin.args, root.args, strict=True))
    assert (twin.op, repr(twin), twin.label) == (root.op, repr(root), "root")
    twin.label = "twin"
    assert root.label == "root"


def test_copies_are_independent() -> None:
    a = Value(1.0)
    for twin in (copy.copy(a), copy.deepcopy(a)):
        twin.data, twin.grad = 5.0, 6.0
        assert (a.data, a.grad) == (1.0, 0.0)


# Ops ----------------------------------------------------------------------------------------------------------------------


@copiers
def test_ops_are_themselves_after_copying(copied: Copier) -> None:
    for op in ops.table.values():
        assert copied(op) is op
        assert copy.copy(op) is op


def test_ops_are_pickled_by_name() -> None:
    op = primitive(lambda x: x, partials=lambda y, x: (1.0,), name="mine")
    text = pickle.dumps(op(Value(1.0)))
    assert b"mine" in text
    again = primitive(lambda x: x, partials=lambda y, x: (1.0,), name="mine")
    assert pickle.loads(text).op is again
    stray = Op("stray", lambda x: x, lambda y, x: (1.0,))
    with pytest.raises(LookupError, match=r"no primitive called 'stray'.*declared before it is used"):
        pickle.loads(pickle.dumps(stray(Value(1.0))))
