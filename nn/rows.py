"""Data as training takes it: rows of floats and their targets, every entry checked before anything is changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Row = list[float]
Data = tuple[list[Row], list[Any]]


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
    targets = [_row(t, f"{name}[{i}]") if hasattr(t, "__len__") else _number(t, f"{name}[{i}]") for i, t in enumerate(_listed(y, name))]
    if len(targets) != count:
        raise ValueError(f"{of} and {name} must have one entry per row each (got {count} and {len(targets)})")
    return targets


def _listed(data: Any, name: str) -> Sequence[Any]:
    """The data as a sequence; data frames by rows."""
    data = data.to_numpy() if hasattr(data, "to_numpy") else data
    if isinstance(data, (str, bytes, dict)) or not hasattr(data, "__len__"):
        raise TypeError(f"{name} must be a sequence with one entry per row, or an array (got {type(data).__name__})")
    if len(data) == 0:
        raise ValueError(f"{name} is empty: there is nothing to learn from")
    return list(data)


def _row(row: Any, name: str) -> Row:
    if hasattr(row, "__len__") and not isinstance(row, str):
        return [_number(x, f"{name}[{j}]") for j, x in enumerate(row)]
    return [_number(row, name)]


def _number(x: Any, name: str) -> float:
    if isinstance(x, str) or hasattr(x, "__len__") or not hasattr(x, "__float__"):
        raise TypeError(f"{name} must be a number (got {x!r}, {type(x).__name__})")
    number = float(x)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}: fill in or leave out what is missing")
    return number
