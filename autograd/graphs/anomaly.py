"""detect_anomaly: stop at the first nan or inf, forward or backward, and say where it came from."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..numbers import value, watching
from ..numbers.number import real
from ..numbers.value import Value
from ..ops.op import Op
from ..support.callers import user_line
from ..support.tables import short
from .grouping import current

_TOLD = 6  # operands of a longer sequence that are written out
_active: ContextVar[bool] = ContextVar("detect_anomaly", default=False)
_users = 0
_lock = threading.Lock()


class AnomalyError(ArithmeticError):
    """A nan or inf appeared. The message names op, group, operands, labels and the line of the user's code."""


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """While active in this thread, raise AnomalyError at the first nan or inf that an operation or a backward pass produces.

    Costs nothing outside the block. Arithmetic elsewhere follows IEEE 754 and raises nothing.

    >>> from autograd import Value, log
    >>> with detect_anomaly():
    ...     log(Value(-1.0, label="x"))
    Traceback (most recent call last):
        ...
    autograd.graphs.anomaly.AnomalyError: log gave nan for operands x = -1.0 ...
    """
    token = _active.set(True)
    watching.watch(_check_record)
    _watch_derivatives(+1)
    try:
        yield
    finally:
        _watch_derivatives(-1)
        watching.unwatch(_check_record)
        _active.reset(token)


def _watch_derivatives(change: int) -> None:
    """Hang the checks into the engine while at least one block is active in any thread."""
    global _users
    with _lock:
        _users += change
        value.on_sweep = _check_sweep if _users else None
        watching.on_derivative = _check_derivative if _users else None


def _check_record(node: Value) -> None:
    if _active.get() and not math.isfinite(node.data):
        raise AnomalyError(f"{_described(node)}{user_line()}")


def _check_sweep(nodes: Iterator[Value]) -> Iterator[Value]:
    """The nodes, looking after each at the gradients it has passed on."""
    if not _active.get():
        yield from nodes
        return
    for node in nodes:
        if not math.isfinite(node.grad):
            raise AnomalyError(f"backward began with gradient {node.grad} of {_described(node)}{user_line()}")
        yield node
        for parent, partial in zip(node.parents, node.partials(), strict=True):
            if not math.isfinite(parent.grad):
                raise AnomalyError(
                    f"backward gave gradient {parent.grad} to {_operand(parent)}: upstream {node.grad} x local derivative {partial} "
                    f"of {_described(node)}{user_line()}"
                )


def _check_derivative(op: Op, operands: Sequence[Any], derivative: Any) -> None:
    if _active.get() and not math.isfinite(real(derivative)):
        raise AnomalyError(f"{op.name} passed on the derivative {real(derivative)} for operands {_operands(operands)}{user_line()}")


def _described(node: Value) -> str:
    name = node.op.name if node.op else "a leaf"
    label = f" ({short(node.label)})" if node.label else ""
    group = node.group or current()  # at the time of recording a node may not have been told its group yet
    place = f" in {group}" if group else ""
    return f"{name}{label}{place} gave {node.data} for operands {_operands(node.args)}"


def _operands(operands: Sequence[Any]) -> str:
    """The operands; of many the first, and those that are not finite."""
    told = [x for i, x in enumerate(operands) if i < _TOLD or not math.isfinite(real(x))][: 2 * _TOLD]
    return ", ".join([*map(_operand, told), *(["..."] if len(told) < len(operands) else [])])


def _operand(x: Any) -> str:
    if isinstance(x, Value):
        return f"{short(x.label) or (x.op.name if x.op else 'leaf')} = {x.data}"
    return str(x)
