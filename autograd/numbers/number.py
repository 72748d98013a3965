"""Python's operator protocol, once, for everything that behaves like a number here.

A subclass of Number says how an op is carried out on it (`_apply`) and what its plain float is (`_real`); it receives
every operator, a method for every op of one operand, comparisons, conversions and NumPy's protocol. A subclass for which
speed matters supplies leaner methods through `_method` and `_reflected`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from .. import ops
from ..ops.broadcasting import wrapped
from ..ops.op import Op
from ..support.plain import Real, is_array, is_plain
from .methods import Methods
from .tracking import guards

if TYPE_CHECKING:
    from typing_extensions import Self

# Left to Python's operators, which know better: comparisons give bools, 1 / x is a reciprocal.
_OPERATORS = {
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "divide": operator.truediv,
}

Method = Callable[..., Any]
_kinds: list[type[Number]] = []


class Number(Methods):
    """What Value and Dual have in common: they are numbers."""

    __slots__ = ()
    _rank: ClassVar[int]

    def __init_subclass__(cls) -> None:
        _kinds.append(cls)
        for op in ops.table.values():
            if op.operator is not None:
                setattr(cls, f"__{op.operator}__", cls._method(op))
                if op.arity == 2:
                    setattr(cls, f"__r{op.operator}__", cls._reflected(op))
        for op in methods():
            setattr(cls, op.name, cls._method(op))

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Any:
        """Carry `op` out on `operands`, at least one of which is of this class and none of a class of higher rank."""
        raise NotImplementedError

    @classmethod
    def _method(cls, op: Op) -> Method:
        """The method for `op` with self as its first operand."""

        def method(self: Number, *others: Any) -> Any:
            if others and not _is_number(others[0]):
                return NotImplemented
            return op(self, *others)

        return method

    @classmethod
    def _reflected(cls, op: Op) -> Method:
        """The method for `op` with self as its second operand, after a plain number."""

        def method(self: Number, other: Any) -> Any:
            if not _is_number(other):
                return NotImplemented
            if op is ops.divide and other == 1:
                return ops.reciprocal(self)  # 1 / x is the primitive that its name says
            return op(other, self)

        return method

    def _real(self) -> float:
        """The plain float, whoever tracks the number."""
        raise NotImplementedError

    def __float__(self) -> float:
        for guard in guards():
            guard.converted(self)
        return self._real()

    def _compared(self) -> float:
        """The plain float, for a comparison or the like."""
        for guard in guards():
            guard.compared(self)
        return self._real()

    def __bool__(self) -> bool:
        return bool(self._compared())

    def __int__(self) -> int:
        return int(self._compared())

    def __round__(self, ndigits: int | None = None) -> float:
        return round(self._compared(), ndigits)

    def __format__(self, spec: str) -> str:
        return format(self._real(), spec) if spec else str(self)

    def conjugate(self) -> Self:
        """The number itself, for NumPy."""
        return self

    # Comparisons look at the data and give a bool; for one that can be recorded use autograd.greater and its like.

    def __eq__(self, other: object) -> bool:
        return self._compared() == _compared(other) if _is_number(other) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return self._compared() != _compared(other) if _is_number(other) else NotImplemented

    def __lt__(self, other: Number | Real) -> bool:
        return self._compared() < _compared(other) if _is_number(other) else NotImplemented

    def __le__(self, other: Number | Real) -> bool:
        return self._compared() <= _compared(other) if _is_number(other) else NotImplemented

    def __gt__(self, other: Number | Real) -> bool:
        return self._compared() > _compared(other) if _is_number(other) else NotImplemented

    def __ge__(self, other: Number | Real) -> bool:
        return self._compared() >= _compared(other) if _is_number(other) else NotImplemented

    if TYPE_CHECKING:

        def __hash__(self) -> int: ...

    else:
        __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's functions on a Number, and operators between a Number and an array."""
        name = ufunc.__name__
        inputs = tuple(x[()] if is_array(x) and x.ndim == 0 else x for x in inputs)  # NumPy compares scalars as arrays
        if method == "__call__" and not kwargs:
            if name in _OPERATORS and all(map(_is_number, inputs)):
                return _OPERATORS[name](*(x if isinstance(x, Number) else float(x) for x in inputs))
            op = next((op for op in ops.table.values() if op.numpy == name and name not in _OPERATORS), None)
            if op is not None and op.arity == len(inputs):
                return op.apply(*inputs)
        return getattr(ufunc, method)(*map(wrapped, inputs), **kwargs)


def methods() -> list[Op]:
    """The ops that are methods of every number, too."""
    asked_for = ops.arctan2, ops.fmod, ops.hypot  # by NumPy
    return [op for op in ops.table.values() if (op.takes_one and op.name not in ops.helpers) or op in asked_for]


_adopted: set[str] = set()


def adopt(op: Op) -> None:
    """Give every kind of number a method for a primitive declared later, in place of an earlier one of that name."""
    disown(op.name)
    if op.takes_one:
        for kind in _kinds:
            setattr(kind, op.name, kind._method(op))
        _adopted.add(op.name)


def disown(name: str) -> None:
    """Take the method of an adopted primitive away again, if it has one."""
    if name in _adopted:
        for kind in _kinds:
            delattr(kind, name)
        _adopted.remove(name)


def is_taken(name: str) -> bool:
    """Whether a method of that name would hide something that numbers have."""
    return name not in _adopted and any(hasattr(kind, name) for kind in _kinds)


def real(x: Any) -> float:
    """The float behind a number of any kind, whoever tracks it."""
    return x._real() if isinstance(x, Number) else float(x)


def _compared(x: Any) -> float:
    return x._compared() if isinstance(x, Number) else float(x)


def _is_number(x: object) -> bool:
    return isinstance(x, Number) or is_plain(x)


class Float(Number, float):  # type: ignore[misc]  # it is meant to differ from float
    """A float with IEEE 754 arithmetic: 1 / Float(0.0) is infinite, where Python's own division raises."""

    __slots__ = ()
    _rank = 1

    def __float__(self) -> float:
        return float.__pos__(self)

    _real = __float__

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Float:
        return cls(op.forward(*map(float, operands)))
