"""Graph: order, figures, printing, and recomputing in place."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Graph, Op, Value
from autograd.testing import Expression, expressions


def recorded(e: Expression) -> tuple[list[Value], Value]:
    leaves = [Value(x, f"x{i}") for i, x in enumerate(e.point)]
    return leaves, e(*leaves)


@given(expressions())
def test_every_node_once_and_after_its_operands(e: Expression) -> None:
    _, root = recorded(e)
    g = Graph(root)
    place = {id(node): i for i, node in enumerate(g)}
    assert len(place) == len(g) == len(g.nodes)
    assert g[-1] is root
    for i, node in enumerate(g):
        assert all(place[id(parent)] < i for parent in node.parents)
    reached = {id(root)} | {id(p) for node in g for p in node.parents}
    assert reached == set(place)


@given(expressions())
def test_figures(e: Expression) -> None:
    """Leaves, edges, depth and counts by their definitions, computed by recursion and from the expression's own steps."""
    _, root = recorded(e)
    g = Graph(root)

    def depth(node: Value) -> int:
        return 1 + max(map(depth_of, node.parents)) if node.op else 0

    known: dict[int, int] = {}

    def depth_of(node: Value) -> int:
        if id(node) not in known:
            known[id(node)] = depth(node)
        return known[id(node)]

    assert g.depth == depth_of(root)
    assert [id(x) for x in g.leaves] == [id(x) for x in g if x.op is None]
    assert g.edges == sum(len([a for a in node.args if isinstance(a, Value)]) for node in g)
    assert sum(g.counts.values()) + len(g.leaves) == len(g)
    for name, count in g.counts.items():
        assert count == len([n for n in g if n.op and n.op.name == name])
    assert list(g.counts.values()) == sorted(g.counts.values(), reverse=True)


def test_membership_is_identity() -> None:
    a = Value(1.0)
    g = Graph(a * 2)
    assert a in g
    assert Value(1.0) not in g
    assert 1.0 not in g
    assert "a" not in g


def test_a_graph_is_a_sequence() -> None:
    a = Value(1.0)
    y = a * 2 + 1
    g = Graph(y)
    assert (g[0], g[-1], g[1:], next(reversed(g))) == (a, y, [g[1], y], y)
    assert g.index(y) == 2
    with pytest.raises(IndexError):
        g[3]


def test_several_roots_share_their_graph() -> None:
    a = Value(2.0)
    u = a * a
    g = Graph([u + 1, u - 1, u])
    assert len(g) == 4
    assert g.forward({a: 3.0}) == [10.0, 8.0, 9.0]
    assert Graph([u]).forward() == [9.0]
    assert Graph(u).forward() == 9.0


def test_a_leaf_and_nothing_are_graphs() -> None:
    a = Value(2.0)
    assert (len(Graph(a)), Graph(a).depth, Graph(a).edges, Graph(a).counts) == (1, 0, 0, {})
    assert Graph(a).forward({a: 3.0}) == 3.0
    empty = Graph([])
    assert (len(empty), empty.depth, empty.forward()) == (0, 0, [])
    assert "0 nodes" in str(empty)


def test_repeated_roots_and_operands() -> None:
    a = Value(3.0)
    assert len(Graph([a, a])) == 1
    assert Graph(a * a).edges == 2


# Recomputing --------------------------------------------------------------------------------------------------------------


@given(expressions(), st.data())
def test_forward_equals_rebuilding(e: Expression, data: st.DataObject) -> None:
    leaves, root = recorded(e)
    g = Graph(root)
    point = [data.draw(st.floats(-3.0, 3.0)) for _ in leaves]
    rebuilt: Value = e(*map(Value, point))
    present = {id(x) for x in g.leaves}
    by_label = data.draw(st.booleans())
    updates: dict[Any, float] = {(x.label if by_label else x): v for x, v in zip(leaves, point, strict=True) if id(x) in present}
    result = g.forward(updates)
    assert repr(result) == repr(rebuilt.data)
    assert repr(root.data) == repr(rebuilt.data)
    assert [repr(n.data) for n in g] == [repr(n.data) for n in Graph(rebuilt)]
    root.zero_grad()
    root.backward()
    rebuilt.backward()
    assert [repr(n.grad) for n in g] == [repr(n.grad) for n in Graph(rebuilt)]


@given(expressions())
def test_forward_without_updates_changes_nothing(e: Expression) -> None:
    _, root = recorded(e)
    g = Graph(root)
    before = [repr(n.data) for n in g]
    assert repr(g.forward()) == before[-1]
    assert [repr(n.data) for n in g] == before


def test_forward_after_setting_leaves() -> None:
    a = Value(2.0)
    y = (a * a).exp()
    a.data = 0.0
    assert Graph(y).forward() == y.data == 1.0


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("nowhere", "no leaf of this graph"),
        ("twice", "2 leaves have this label"),
        ("product", "no leaf of this graph"),
        ("", "no leaf of this graph"),
        (3, "no leaf of this graph"),
        (None, "no leaf of this graph"),
    ],
)
def test_unknown_and_ambiguous_keys_change_nothing(key: Any, problem: str) -> None:
    a, b, c, d = Value(1.0, "a"), Value(2.0, "twice"), Value(3.0, "twice"), Value(4.0)
    product = a * b
    product.label = "product"
    g = Graph(product + c * d * Value(5.0))
    before = [n.data for n in g]
    with pytest.raises(KeyError, match=problem) as caught:
        g.forward({a: 10.0, key: 5.0})
    assert "a, twice" in str(caught.value)
    assert [n.data for n in g] == before


def test_a_value_of_another_graph_is_no_key() -> None:
    a = Value(1.0)
    g = Graph(a * 2)
    for stranger in (Value(1.0), g[-1]):
        with pytest.raises(KeyError, match="no leaf of this graph"):
            g.forward({a: 3.0, stranger: 2.0})
        assert a.data == 1.0


@pytest.mark.parametrize("bad", ["1", None, 1j, [2.0]])
def test_bad_data_changes_nothing(bad: Any) -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    g = Graph(a * b)
    with pytest.raises(TypeError, match="new data of 'b' must be a real number"):
        g.forward({"a": 5.0, "b": bad})
    assert (a.data, b.data, g[-1].data) == (1.0, 2.0, 2.0)


def test_a_failing_primitive_changes_nothing() -> None:
    def picky(x: float) -> float:
        if x > 1.0:
            raise RuntimeError("too large")
        return x

    op = Op("picky", picky, lambda y, x: (1.0,))
    a = Value(0.5)
    g = Graph(op(a * 2) + 1)
    before = [n.data for n in g]
    with pytest.raises(RuntimeError, match="too large"):
        g.forward({a: 4.0})
    assert [n.data for n in g] == before


# Printing -----------------------------------------------------------------------------------------------------------------


def test_table() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    y = a * b + 1
    y.backward()
    figures, *table = str(Graph(y)).splitlines()
    assert figures == "<Graph of 4 nodes, 2 leaves, 3 edges, depth 2>"
    head, line, *rows = table
    assert head.split() == ["node", "operation", "data", "grad"]
    assert set(line) == {"-", " "}
    assert [row.split() for row in rows] == [
        ["a", "leaf", "2", "3"],
        ["b", "leaf", "3", "2"],
        ["v2", "mul(a,", "b)", "6", "1"],
        ["v3", "add(v2,", "1)", "7", "1"],
    ]


@given(expressions())
def test_table_has_a_row_for_each_node(e: Expression) -> None:
    _, root = recorded(e)
    g = Graph(root)
    names = g.names()
    assert len(set(names.values())) == len(g)
    rows = str(g).splitlines()[3:]
    assert [row.split()[0] for row in rows] == [names[id(n)] for n in g]


def test_names_of_labels_that_nodes_share() -> None:
    a, b = Value(1.0, "x"), Value(2.0, "x")
    y = a * b
    y.label = "v1"  # as the second node would be called
    g = Graph(y)
    assert len(set(g.names().values())) == 3
    assert g.names()[id(y)] == "v1"


def test_long_tables_leave_out_the_middle() -> None:
    x = Value(1.0)
    for _ in range(10_000):
        x = x + 1
    text = str(Graph(x))
    assert len(text.splitlines()) < 100
    assert "more" in text
    assert "v10000" in text


def test_wide_nodes_are_abbreviated() -> None:
    from autograd import sum

    text = str(Graph(sum([Value(math.pi, "x" * i) for i in range(1000)])))
    assert len(max(text.splitlines(), key=len)) < 1200


@pytest.mark.parametrize("bad", [1, None, 1.5, "x", [1.0], [Value(1.0), "y"], {1: 2}])
def test_roots_must_be_values(bad: Any) -> None:
    with pytest.raises(TypeError, match="Graph needs a Value or a sequence of Values"):
        Graph(bad)
