"""Nested structures of numbers: lists, tuples, named tuples, dicts and NumPy arrays, taken apart and put together again.

A structure that is nested deeper than `DEEPEST` levels, or holds itself, is refused by `leaves` and `same_structure`, one of which sees
each structure first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from .plain import is_array

DEEPEST = 100


def is_masked(x: object) -> bool:
    """Whether `x` is a masked array of NumPy's that hides some of its entries."""
    ma = sys.modules.get("numpy.ma")
    return ma is not None and isinstance(x, ma.MaskedArray) and bool(ma.is_masked(x))


def leaves(tree: Any) -> list[Any]:
    """The numbers of a nested structure, in order: dicts in order of insertion, arrays row by row."""
    return list(_each(tree, 0))


def _each(tree: Any, depth: int) -> Iterator[Any]:
    check_depth(depth)
    if is_array(tree):
        yield from tree.flat
    elif isinstance(tree, dict):
        for branch in tree.values():
            yield from _each(branch, depth + 1)
    elif isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from _each(branch, depth + 1)
    else:
        yield tree


def check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"the structure is nested more than {DEEPEST} levels deep: does it contain itself?")


def rebuild(tree: Any, numbers: Iterator[Any]) -> Any:
    """A structure like `tree` that takes its numbers one by one from `numbers`. Arrays become arrays of floats where they can."""
    if is_array(tree):
        return _array([next(numbers) for _ in range(tree.size)], tree.shape)
    if isinstance(tree, dict):
        return {key: rebuild(branch, numbers) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _like(tree, [rebuild(branch, numbers) for branch in tree])
    return next(numbers)


def transform(f: Callable[[Any], Any], tree: Any) -> Any:
    """The structure with `f` of each number in its place."""
    return rebuild(tree, iter([f(x) for x in leaves(tree)]))


def same_structure(a: Any, b: Any) -> bool:
    """Whether two structures have their numbers in the same places; lists and tuples count as alike."""
    if _alike(a, b, 0):
        return True
    leaves(a), leaves(b)  # what is no structure at all is not told from another one
    return False


def _alike(a: Any, b: Any, depth: int) -> bool:
    check_depth(depth)
    if is_array(a) or is_array(b):
        return is_array(a) and is_array(b) and a.shape == b.shape
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(_alike(a[k], b[k], depth + 1) for k in a)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(_alike(x, y, depth + 1) for x, y in zip(a, b, strict=True))
    return not isinstance(b, (dict, list, tuple))


def outer(rows_tree: Any, columns_tree: Any, rows: list[list[Any]]) -> Any:
    """A matrix as a structure like `rows_tree` with one like `columns_tree` in the place of each number.

    Where an array meets an array the block is one array of shape rows + columns, as NumPy's outer products have it.
    """
    return _outer(rows_tree, columns_tree, iter(rows))


def _outer(tree: Any, columns_tree: Any, rows: Iterator[list[Any]]) -> Any:
    if is_array(tree):
        block = [next(rows) for _ in range(tree.size)]
        return _stacked(tree.shape, columns_tree, [iter(row) for row in block])
    if isinstance(tree, dict):
        return {key: _outer(branch, columns_tree, rows) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _like(tree, [_outer(branch, columns_tree, rows) for branch in tree])
    return rebuild(columns_tree, iter(next(rows)))


def _stacked(shape: tuple[int, ...], tree: Any, rows: list[Iterator[Any]]) -> Any:
    """`tree` with arrays for its leaves: the leaves of all rows, stacked in `shape`."""
    if isinstance(tree, dict):
        return {key: _stacked(shape, branch, rows) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _like(tree, [_stacked(shape, branch, rows) for branch in tree])
    size, inner = (tree.size, tree.shape) if is_array(tree) else (1, ())
    return _array([next(row) for row in rows for _ in range(size)], shape + inner)


def _like(tree: Any, branches: list[Any]) -> Any:
    if isinstance(tree, list):
        return branches
    return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)


def _array(numbers: list[Any], shape: tuple[int, ...]) -> Any:
    numpy = sys.modules["numpy"]
    plain = all(isinstance(x, (float, int)) for x in numbers)
    array = numpy.empty(len(numbers), dtype=float if plain else object)
    array[:] = numbers
    return array.reshape(shape)
