"""Primitives of your own, equal in rank to the built-in ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, cast, overload

from .. import ops
from ..ops import declarations, named
from ..ops.op import REAL, Interval, Op
from ..support.plain import as_float, is_plain, shown
from . import number

if TYPE_CHECKING:
    from ..ops import Primitive

Q = ParamSpec("Q")
Kinks: TypeAlias = float | Sequence[float] | Callable[..., Any] | None
Partials: TypeAlias = Callable[[Any, Any], tuple[Any, ...]] | Callable[[Any, Any, Any], tuple[Any, ...]] | Callable[Q, tuple[Any, ...]]
"""A rule. The last says it all; the others tell of a lambda of one or two operands that its parameters are Any."""


@overload
def primitive(
    f: Callable[..., float],
    *,
    partials: Partials[Q],
    name: str | None = None,
    symbol: str | None = None,
    domain: Interval | Sequence[Interval] | None = None,
    kinks: Kinks = None,
    meaning: Callable[..., Any] | None = None,
) -> Primitive: ...
@overload
def primitive(
    f: None = None,
    *,
    partials: Partials[Q],
    name: str | None = None,
    symbol: str | None = None,
    domain: Interval | Sequence[Interval] | None = None,
    kinks: Kinks = None,
    meaning: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., float]], Primitive]: ...
def primitive(
    f: Callable[..., float] | None = None,
    *,
    partials: Partials[Q],
    name: str | None = None,
    symbol: str | None = None,
    domain: Interval | Sequence[Interval] | None = None,
    kinks: Kinks = None,
    meaning: Callable[..., Any] | None = None,
) -> Primitive | Callable[[Callable[..., float]], Primitive]:
    """Declare a function of floats as a primitive: a decorator.

    The result is an Op: call it with floats, Values, Duals or arrays; it appears in graphs, tables, files and pictures, can be
    differentiated to any order, and if it takes one operand it is also a method of Value.

    Args:
        partials: `partials(y, *x)` returns the tuple of partial derivatives of the result y in each operand, written with operators
            and functions of this package, so that derivatives can be differentiated again.
        name: its name in graphs; the function's own by default. Declaring a name again replaces your earlier primitive.
        symbol: how pictures write it.
        domain: the open interval in which it is defined, or one interval per operand; all reals by default.
        kinks: where the derivative jumps or does not exist: points (of the first operand), or a function of the operands giving
            numbers that vanish there and change sign across.
        meaning: `meaning(m, *x)` says it as mathematics, in the words of `autograd.ops.Mathematics`: then SymPy, LaTeX and the complex
            step know it, as in `meaning=lambda m, x: m.power(x, 3)`. Without, exports write a call.

    Raises:
        ValueError: if the name cannot be one in Python, or is that of a built-in primitive or of an attribute of Value, or the domain is
            empty. On use, if `partials` returns the wrong number of derivatives.

    >>> from autograd import Value, grad
    >>> @primitive(partials=lambda y, x: (3.0 * x * x,))
    ... def cube(x):
    ...     return x * x * x
    >>> grad(cube)(2.0)
    12.0
    """
    if f is None:
        return lambda g: primitive(g, partials=partials, name=name, symbol=symbol, domain=domain, kinks=kinks, meaning=meaning)
    for argument, given in (("the decorated object", f), ("partials", partials), ("meaning", meaning)):
        if not callable(given) and (given is not None or argument != "meaning"):
            raise TypeError(f"{argument} of a primitive must be a function (got {shown(given)})")
    name = getattr(f, "__name__", "") if name is None else name
    arity, defaults = _signature(f)
    op = Op(
        name,
        f,
        partials,
        meaning=meaning,
        symbol=symbol,
        arity=arity,
        defaults=defaults,
        domain=_intervals(domain, arity),
        kinks=_switches(kinks),
        doc=f.__doc__,
    )
    _check_is_free(name)
    _declare(op)
    return cast("Primitive", op)


def _declare(op: Op) -> None:
    number.adopt(op)
    ops.table[op.name] = op


def forget(name: str) -> None:
    """Take a primitive of your own out of the table, and its method off the numbers. Graphs that hold it stay as they are.

    Raises:
        LookupError: if there is no primitive of that name.
        ValueError: if it is a built-in one.
    """
    op = named(name)
    if op.name in ops.builtin:
        raise ValueError(f"{name!r} is a built-in primitive: only your own can be forgotten")
    number.disown(op.name)
    del ops.table[op.name]


@contextmanager
def forgetting() -> Iterator[None]:
    """Primitives declared in the block are forgotten at its end, and those that they replaced are back.

    >>> with forgetting():
    ...     half = primitive(lambda x: x / 2, partials=lambda y, x: (0.5,), name="half")
    ...     "half" in ops.table
    True
    >>> "half" in ops.table
    False
    """
    before = dict(ops.table)
    try:
        yield
    finally:
        if ops.table != before:
            for name in set(ops.table) - ops.builtin:
                forget(name)
            for name in [name for name in before if name not in ops.table]:
                _declare(before[name])


def _check_is_free(name: str) -> None:
    if name in ops.builtin:
        raise ValueError(f"{name!r} is a built-in primitive: choose another name")
    if number.is_taken(name):
        raise ValueError(f"{name!r} is an attribute of the package's numbers: choose another name")


def _signature(f: Callable[..., float]) -> tuple[int | None, tuple[float, ...]]:
    """The number of operands, None for *operands, and the defaults of trailing ones."""
    import inspect  # here, as it would take a tenth of the time to import the package

    parameters = list(inspect.signature(f).parameters.values())
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None, ()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if not positional:
        raise TypeError(f"a primitive needs at least one operand: {getattr(f, '__name__', f)!r} takes none")
    defaults = (as_float(p.default, f"default of {p.name!r}") for p in positional if p.default is not p.empty)
    return len(positional), tuple(defaults)


def _intervals(domain: Any, arity: int | None) -> tuple[Interval, ...]:
    if domain is None:
        return (REAL,) * (arity or 1)
    try:
        pairs = [(low, high) for low, high in ([domain] if is_plain(domain[0]) else domain)]
    except (TypeError, ValueError, LookupError):
        raise ValueError(f"domain must be an interval (low, high), or one for each operand (got {shown(domain)})") from None
    intervals = []
    for pair in pairs:
        low, high = (as_float(bound, "a bound of domain") for bound in pair)
        if not low < high:
            raise ValueError(f"domain must be an interval (low, high) with low < high (got {shown(pair)})")
        intervals.append((low, high))
    if arity and len(intervals) not in (1, arity):
        raise ValueError(f"domain must be one interval, or one for each of the {arity} operands (got {len(intervals)})")
    return tuple(intervals)


def _switches(kinks: Kinks) -> Callable[..., tuple[float, ...]] | None:
    if kinks is None:
        return None
    if callable(kinks):
        given = kinks

        def switches(*x: float) -> tuple[float, ...]:
            result = given(*x)
            return tuple(result) if isinstance(result, (tuple, list)) else (float(result),)

        return switches
    points = kinks if isinstance(kinks, Iterable) else [kinks]
    return declarations.at(*(as_float(p, "a point of kinks") for p in points))
