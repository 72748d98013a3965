"""Vectors: the numbers of nested structures as NumPy vectors, and back, without a step of Python for each number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ....support.structure import is_masked
from ...record.layout import Layout

Array = NDArray[Any]
_PLAIN: Final = {float, int, np.float64}
_LISTS: Final = {list, tuple}


def numeric(rows: Any) -> Array | None:
    """The rows as an array of floats, None if they are ragged or hold something else than plain numbers, such as masked ones."""
    if _is_masked(rows):
        return None
    try:
        array = np.asarray(rows)
    except ValueError:
        return None
    if array.dtype.kind not in "biuf" or (array is not rows and np.isnan(array).any()):  # nan is what lists have for masked entries, too
        return None
    return array.astype(float, copy=False)


def _is_masked(rows: Any) -> bool:
    """Whether an array, or one of several rows, hides entries: NumPy would forget it."""
    if isinstance(rows, np.ndarray) or not isinstance(rows, Iterable):
        return is_masked(rows)
    return not set(map(type, rows)) <= _LISTS and any(map(is_masked, rows))


def flat(layout: Layout, tree: Any) -> Array:
    """The numbers of a structure as a vector."""
    out = np.empty(layout.size)
    if _fill(layout.example, tree, out, 0) != layout.size:
        out[:] = layout.numbers(tree)  # which says what is wrong, if anything is
    return out


def _fill(example: Any, tree: Any, out: Array, at: int) -> int:
    """Write the numbers of a structure like the example to `out` from `at`; where it ended, or -1 if it is not one of plain numbers."""
    if type(example) is np.ndarray:
        if type(tree) is not np.ndarray or tree.shape != example.shape or tree.dtype.kind not in "biuf":
            return -1
        out[at : at + tree.size] = tree.ravel()
        return at + int(tree.size)
    if type(example) is dict:
        if type(tree) is not dict or list(tree) != list(example):
            return -1
        return _fill_all(example.values(), tree.values(), out, at)
    if isinstance(example, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(example):
            return -1
        if set(map(type, tree)) <= _PLAIN:
            if not set(map(type, example)) <= _PLAIN:
                return -1
            out[at : at + len(tree)] = tree
            return at + len(tree)
        return _fill_all(example, tree, out, at)
    if type(tree) not in _PLAIN:
        return -1
    out[at] = tree
    return at + 1


def _fill_all(examples: Iterable[Any], trees: Iterable[Any], out: Array, at: int) -> int:
    for example, tree in zip(examples, trees, strict=True):
        at = _fill(example, tree, out, at)
        if at < 0:
            return at
    return at


def unflat(like: Any, numbers: Array) -> Any:
    """A structure like `like` of the numbers of a vector; arrays are views of it."""
    return _unflat(like, numbers, 0)[0]


def _unflat(like: Any, numbers: Array, at: int) -> tuple[Any, int]:
    if isinstance(like, np.ndarray):
        return numbers[at : at + like.size].reshape(like.shape), at + int(like.size)
    if isinstance(like, dict):
        branches: Any = {}
        for key, branch in like.items():
            branches[key], at = _unflat(branch, numbers, at)
        return branches, at
    if isinstance(like, (list, tuple)):
        if like and not any(issubclass(kind, (list, tuple, dict, np.ndarray)) for kind in set(map(type, like))):
            branches, at = numbers[at : at + len(like)].tolist(), at + len(like)
        else:
            branches = []
            for branch in like:
                one, at = _unflat(branch, numbers, at)
                branches.append(one)
        if isinstance(like, tuple):
            branches = type(like)(*branches) if hasattr(like, "_fields") else tuple(branches)
        return branches, at
    return float(numbers[at]), at + 1
