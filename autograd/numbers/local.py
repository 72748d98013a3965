"""The local derivatives of an op, whatever its rule runs into."""

from __future__ import annotations

from typing import Any

from ..ops.op import Op
from .number import Float


def local(op: Op, y: Any, *x: Any) -> tuple[Any, ...]:
    """The partial derivatives of `op` where its operands are x and its result is y, checked to be one number per operand.

    Total on floats, where Python's own division raises.
    """
    try:
        partials = op.partials(y, *x)
    except (ZeroDivisionError, OverflowError):
        partials = _by_ieee(op, y, *x)
    if not isinstance(partials, tuple):
        kind = type(partials).__name__
        raise TypeError(f"partials of primitive {op.name!r} must return a tuple with one entry per operand, got {kind}")
    if len(partials) != len(x):
        raise ValueError(
            f"partials of primitive {op.name!r} returned {len(partials)} values for {len(x)} operand(s): "
            "return one partial derivative per operand, in their order"
        )
    return partials


def _by_ieee(op: Op, y: Any, *x: Any) -> Any:
    """The same by IEEE arithmetic: the rule runs on Floats, whose operations are the kernels of the table."""
    partials = op.partials(*(Float(v) if type(v) is float else v for v in (y, *x)))
    if isinstance(partials, tuple):
        partials = tuple(float(d) if type(d) is Float else d for d in partials)
    return partials
