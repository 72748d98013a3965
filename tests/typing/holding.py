"""What `assert_type` does when the script runs: it holds the value against the type that checkers are to see."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

T = TypeVar("T")


def assert_type(value: T, of: Any) -> T:
    assert holds(value, of), f"{value!r} is no {of}"
    return value


def holds(value: Any, of: Any) -> bool:
    """Whether the value is of the type, as far as it can be seen."""
    origin, args = get_origin(of), get_args(of)
    if of is Any:
        return True
    if origin is None:
        return isinstance(value, of)
    if hasattr(origin, "__value__"):  # an alias by `type`, as newer NumPy's NDArray
        return holds(value, origin.__value__)
    if origin in (Union, UnionType):
        return any(holds(value, kind) for kind in args)
    if origin is Literal:
        return value in args
    if origin is tuple and len(args) > 1 and args[1] is not ...:
        return isinstance(value, tuple) and all(holds(x, kind) for x, kind in zip(value, args, strict=True))
    if origin in (list, tuple):
        return isinstance(value, origin) and all(holds(x, args[0]) for x in value)
    if origin is dict:
        return isinstance(value, dict) and all(holds(k, args[0]) and holds(x, args[1]) for k, x in value.items())
    return isinstance(value, origin)
