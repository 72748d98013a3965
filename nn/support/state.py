"""States: numbers by name, as plain floats. What models and optimisers save, and how files hold it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from os import PathLike
from typing import Any

from autograd.extend import files, short, shown

from .rows import number

VERSION = 1


def checked(given: Any, names: Collection[str], whose: str) -> dict[str, float]:
    """The numbers of a state, if they are those that are needed and no others.

    Raises:
        TypeError, ValueError: naming what is missing, left over or no number.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"a state must be a dict of numbers by name, as state_dict() gives it (got {type(given).__name__})")
    missing, unknown = [n for n in names if n not in given], [n for n in given if n not in names]
    problems = [f"{what} {_some(which)}" for what, which in (("it lacks", missing), ("it has in addition", unknown)) if which]
    if problems:
        raise ValueError(f"the state has another shape than {whose}, which has {len(names)} numbers: {', '.join(problems)}")
    return {name: _number(name, given[name]) for name in names}


def _some(names: list[str]) -> str:
    return short(str(names[0]), 100) + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _number(name: str, x: Any) -> float:
    try:
        return number(None if isinstance(x, bool) else x, name)
    except (TypeError, ValueError):
        raise ValueError(f"the state holds no number for {short(name, 100)} (got {shown(x)}, {type(x).__name__})") from None


def save(path: str | PathLike[str], kind: str, numbers: Mapping[str, float]) -> None:
    """Write a state to a file."""
    files.save(path, kind, VERSION, encoded(numbers))


def load(path: str | PathLike[str], kind: str) -> dict[str, float]:
    """The state in a file."""
    return files.load(path, kind, VERSION, decoded)


def encoded(numbers: Mapping[str, float]) -> dict[str, Any]:
    """The state in terms of JSON, which has no nan and no inf: these become strings."""
    return {name: x if math.isfinite(x) else repr(x) for name, x in numbers.items()}


def decoded(contents: Any) -> dict[str, float]:
    if not isinstance(contents, dict):
        return files.invalid("its state is not numbers by name")
    return {name: _decoded(name, x) for name, x in contents.items()}


def _decoded(name: str, x: Any) -> float:
    if type(x) in (int, float) or x in ("nan", "inf", "-inf"):
        with suppress(OverflowError):
            return float(x)
    return files.invalid(f"{short(name, 100)} is no number: {str(x)[:40]!r}")
