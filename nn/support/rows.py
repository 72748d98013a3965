"""Data as training takes it: rows of floats and their targets, every entry checked before anything is changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Complex, Real
from typing import Any

from autograd.extend import is_array, is_masked, shown

Row = list[float]
Data = tuple[list[Row], list[Any]]
_DEEPEST = 100  # levels of sequences within a row


def features(X: Any, name: str = "X") -> list[Row]:
    """The rows of a list, array or data frame as lists of floats; plain numbers become rows of one.

    Raises:
        TypeError, ValueError: if there are none, their lengths differ, or something is no finite number; naming the place.
    """
    rows = [_row(row, f"{name}[{i}]") for i, row in enumerate(_listed(X, name))]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(f"all rows of {name} must have one length: {name}[0] has {len(rows[0])} numbers, {name}[{i}] has {len(row)}")
    return rows


def labels(y: Any, count: int, name: str = "y", of: str = "X") -> list[Any]:
    """The targets of `count` rows: numbers, or lists of numbers."""
    targets = [_row(t, f"{name}[{i}]") if _is_sequence(t) else finite(t, f"{name}[{i}]") for i, t in enumerate(_listed(y, name))]
    if len(targets) != count:
        raise ValueError(f"{of} and {name} must have one entry per row each (got {count} and {len(targets)})")
    return targets


def unmasked(data: Any, name: str) -> Any:
    """The data itself, unless some of it is masked: taken apart, an array would forget its mask."""
    if is_masked(data):
        raise ValueError(f"{name} is masked, or some of it: fill in what is missing with filled(), or leave it out")
    return data


def by_rows(data: Any, name: str) -> Any:
    """The data as something to be iterated over, of which none is masked; a data frame would give the names of its columns."""
    return unmasked(data.to_numpy() if hasattr(data, "to_numpy") else data, name)


def number(x: Any, name: str) -> float:
    """A real number as a float."""
    if type(x) is not float:
        x = x[()] if is_array(unmasked(x, name)) else x  # one of no dimensions is a number
        is_complex = isinstance(x, Complex) and not isinstance(x, Real)
        if is_complex or hasattr(x, "__len__") or not hasattr(x, "__float__"):
            raise TypeError(f"{name} must be a {'real ' * is_complex}number (got {shown(x)}, {type(x).__name__})")
    return float(x)


def finite(x: Any, name: str) -> float:
    """A finite number as a float."""
    found = number(x, name)
    if not math.isfinite(found):
        raise ValueError(f"{name} is {found}: fill in or leave out what is missing")
    return found


def plain(x: Any, name: str, depth: int = 0) -> Any:
    """A number as a float, nested sequences of numbers as lists of floats."""
    if not _is_sequence(x):
        return number(x, name)
    if isinstance(x, dict) or depth == _DEEPEST:
        got = "a dict" if isinstance(x, dict) else f"more than {_DEEPEST} levels of them"
        raise TypeError(f"{name} must be a number, or nested lists of numbers (got {got})")
    return [plain(item, f"{name}[{i}]", depth + 1) for i, item in enumerate(unmasked(x, name))]


def _is_sequence(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, str) and not (is_array(x) and x.ndim == 0)


def _listed(data: Any, name: str) -> Sequence[Any]:
    """The data as a sequence; data frames by rows."""
    data = by_rows(data, name)
    if isinstance(data, (bytes, dict)) or not _is_sequence(data):
        raise TypeError(f"{name} must be a sequence with one entry per row, or an array (got {type(data).__name__})")
    if len(data) == 0:
        raise ValueError(f"{name} is empty: there is nothing to learn from")
    return list(data)


def _row(row: Any, name: str) -> Row:
    if _is_sequence(row):
        return [finite(x, f"{name}[{j}]") for j, x in enumerate(unmasked(row, name))]
    return [finite(row, name)]
