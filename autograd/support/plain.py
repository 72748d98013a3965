"""Plain numbers: what counts as one, and how errors speak of what does not."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy

    Real: TypeAlias = float | numpy.floating[Any] | numpy.integer[Any] | numpy.bool_
    """A plain real number, for type checkers: int, float, bool or a NumPy scalar."""
else:
    Real = float


def is_plain(x: object) -> bool:
    """Whether `x` is a real number as Python and NumPy have them: int, float, bool or a NumPy scalar."""
    if isinstance(x, (float, int)):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, (numpy.floating, numpy.integer, numpy.bool_))


def is_array(x: object) -> bool:
    """Whether `x` is a NumPy array, found out without importing NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(x, numpy.ndarray)


def as_float(x: Any, what: str) -> float:
    """`x` as a float if it is a plain real number, else a TypeError that names `what`."""
    if is_plain(x):
        return float(x)
    raise TypeError(f"{what} must be a real number (got {shown(x)}, {article(type(x).__name__)})")


def shown(x: object) -> str:
    """A value for an error message, no more than its beginning if it is long; only its kind if it cannot be written."""
    try:
        text = repr(x)
    except Exception:  # it is nested too deeply, or its own method fails
        text = object.__repr__(x)
    return text if len(text) <= 60 else text[:57] + "..."


def article(name: str) -> str:
    """The name with its indefinite article."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def as_sequence(x: Any, usage: str) -> tuple[Any, ...]:
    """The numbers of a sequence, or a TypeError that shows how the function is used."""
    if not isinstance(x, Iterable):
        raise TypeError(f"{usage.partition('(')[0]}() takes numbers in a sequence: write {usage}")
    return tuple(x)
