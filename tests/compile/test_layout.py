"""Structures of parameters and rows: what fits, how the parts are called, and how messages describe them."""

from __future__ import annotations

import re
from collections import namedtuple
from typing import Any

import pytest

from autograd import Value
from autograd.compiling.record.layout import Layout, as_rows, described
from tests.extras import extra

np = extra("numpy")
Pair = namedtuple("Pair", "a b")
DEEP: Any = {"a": {"b": {"c": {"d": 1.0}, "e": 2.0}}}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (1, "a number"),
        (1.5, "a number"),
        (Value(1.0), "a number"),
        ("text", "'text'"),
        ([], "0 numbers"),
        ([1.0], "1 number"),
        ((1.0, 2), "2 numbers"),
        ([[1.0], 2.0], "[1 number, a number]"),
        ([{"x": 1.0}], "[{'x': a number}]"),
        ([[1.0]] * 8, f"[{', '.join(['1 number'] * 8)}]"),
        ([[1.0]] * 9, "a list of 9"),
        (([1.0],) * 9, "a tuple of 9"),
        ([[[[1.0]]]], "[[a list of 1]]"),
        ([[[1.0]]], "[[1 number]]"),
        (DEEP, "{'a': {'b': a dict of 2}}"),
        ({1: [0.0] * 20, "b": ()}, "{1: 20 numbers, 'b': 0 numbers}"),
        (Pair(1.0, [2.0]), "[a number, 1 number]"),
    ],
)
def test_structures_in_words(tree: Any, words: str) -> None:
    assert described(tree) == words


def test_arrays_in_words() -> None:
    assert described(np.zeros((2, 3))) == "an array of shape (2, 3)"
    assert described([np.zeros(2), 1.0]) == "[an array of shape (2,), a number]"
    assert described([[np.zeros(2)]]) == "[[an array of shape (2,)]]"
    assert described([[[np.zeros(2)]]]) == "[[a list of 1]]"


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (1.0, [("", 0, 1)]),
        ([], [("", 0, 0)]),
        ([1.0, 2.0], [("", 0, 2)]),
        ([[1.0, 2.0], [3.0]], [("p0", 0, 2), ("p1", 2, 1)]),
        ([1.0, [2.0, 3.0]], [("p0", 0, 1), ("p1", 1, 2)]),
        ({"w": [1.0, 2.0], "b": 3.0}, [("w", 0, 2), ("b", 2, 1)]),
        ([{"w": 1.0, "b": 2.0}, {"w": (3.0, 4.0)}], [("p0.w", 0, 1), ("p0.b", 1, 1), ("p1.w", 2, 2)]),
        ({"a": [[1.0, 2.0], [3.0]], 5: {"b": 4.0}}, [("a.0", 0, 2), ("a.1", 2, 1), ("5.b", 3, 1)]),
    ],
)
def test_names_of_parts(tree: Any, names: list[tuple[str, int, int]]) -> None:
    layout = Layout("params", tree)
    assert layout.names() == names
    assert layout.size == sum(size for _, _, size in names)


def test_names_of_arrays() -> None:
    layout = Layout("params", [{"W": np.ones((2, 3)), "b": np.ones(2)}, np.array(1.0), 2.0])
    assert layout.names() == [("p0.W", 0, 6), ("p0.b", 6, 2), ("p1", 8, 1), ("p2", 9, 1)]
    assert Layout("params", [np.ones(2)]).names() == [("p0", 0, 2)]


@pytest.mark.parametrize(
    ("tree", "shape", "is_flat"),
    [
        (1.0, (), False),
        ([], (0,), True),
        ([1.0, 2.0], (2,), True),
        (((1.0, 2.0), [3.0, 4.0]), (2, 2), False),
        ([[1.0, 2.0], [3.0]], None, False),
        ([1.0, [2.0]], None, False),
        ({"a": 1.0}, None, False),
        ([{"a": 1.0}], None, False),
        ([[], []], (2, 0), False),
    ],
)
def test_shapes(tree: Any, shape: tuple[int, ...] | None, is_flat: bool) -> None:
    layout = Layout("each row", tree)
    assert (layout.shape, layout.is_flat) == (shape, is_flat)


@pytest.mark.parametrize(
    ("example", "other"),
    [
        (1.0, [1.0]),
        ([1.0], [1.0, 2.0]),
        ([1.0], 1.0),
        ({"a": 1.0}, {"b": 1.0}),
        ([[1.0]], [1.0]),
        ([1.0], {0: 1.0}),
        ([[1.0], [2.0]], [1.0, 2.0]),
    ],
)
def test_another_structure_is_refused(example: Any, other: Any) -> None:
    layout = Layout("params", example)
    assert not layout.fits(other)
    message = f"params must have the structure that was compiled, {described(example)} (got {described(other)})"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        layout.numbers(other)


def test_lists_and_arrays_of_one_shape_fit() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    for example, tree in ((a, a.tolist()), (a.tolist(), a), (a[0], (1.0, 2.0)), ([0.0, 0.0], a[0]), (a, a + 1)):
        assert Layout("params", example).numbers(tree) == np.ravel(tree).tolist()
    for example, tree in ((a, a[0]), (a[0].tolist(), a), (a, [[1.0, 2.0], [3.0]]), ({"a": 1.0}, a), (a[0], {"a": 1.0}), (a, a.T[:1])):
        assert not Layout("params", example).fits(tree)


def test_numbers() -> None:
    layout = Layout("params", {"w": [0.0, 0.0], "b": 0.0})
    found = layout.numbers({"w": [Value(1.5), True], "b": 3})
    assert found == [1.5, 1.0, 3.0]
    assert [type(x) for x in found] == [float] * 3
    assert layout.rebuilt([1, 2, 3]) == {"w": [1, 2], "b": 3}
    assert layout.rebuilt([1, 2, 3], like={"u": (0.0, 0.0), "c": 0.0}) == {"u": (1, 2), "c": 3}
    with pytest.raises(TypeError, match=r"each number of params must be a real number \(got '1', a str\)"):
        layout.numbers({"w": [1.0, "1"], "b": 3})


def test_an_example_is_not_kept_alive() -> None:
    values = [Value(1.0), Value(2.0)]
    assert Layout("params", {"w": values}).example == {"w": [0.0, 0.0]}


def test_rows() -> None:
    assert as_rows([[1.0], [2.0]]) == [[1.0], [2.0]]
    assert as_rows(()) == []
    assert [row.tolist() for row in as_rows(np.ones((2, 1)))] == [[1.0], [1.0]]
    for rows in (5.0, "ab", {"a": 1.0}, None, np.array(1.0), iter([[1.0]])):
        with pytest.raises(ValueError, match="rows must be an array or a sequence of rows"):
            as_rows(rows)
