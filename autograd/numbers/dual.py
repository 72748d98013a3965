"""Forward mode: numbers that carry a derivative along."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, ClassVar, final

from ..ops.op import Op
from ..ops.zeros import ZERO, contribution, number, plus, when
from . import watching
from .local import local
from .number import Number, real

# Every differentiation has a tag of its own, so that nested ones keep their perturbations apart (Siskind & Pearlmutter 2008).
fresh_tag: Callable[[], int] = count(1).__next__


@final
class Dual(Number):
    """primal + tangent * epsilon, with epsilon^2 = 0.

    Args:
        primal: the value: a float, a Value, or a Dual of an outer differentiation.
        tangent: its derivative along the chosen direction, of the same kinds.
        tag: which differentiation epsilon belongs to; a later (inner) one has a larger tag.

    >>> x = Dual(3.0, 1.0)
    >>> x * x
    Dual(9.0, 6.0)
    """

    __slots__ = ("_tangent", "primal", "tag")

    _rank: ClassVar[int] = 3

    def __init__(self, primal: float | Number, tangent: float | Number = 0.0, tag: int = 0) -> None:
        self.primal: float | Number = primal
        self._tangent = tangent
        self.tag: int = tag

    @property
    def tangent(self) -> float | Number:
        """The derivative along the chosen direction."""
        derivative: float | Number = number(self._tangent)
        return derivative

    def _real(self) -> float:
        return real(self.primal)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Dual:
        """The chain rule: the tangent of the result is the sum of partial x tangent over the operands."""
        tag = max([x.tag for x in operands if type(x) is Dual])
        primals = [x.primal if type(x) is Dual and x.tag == tag else x for x in operands]
        y = op.apply(*primals)
        tangent: Any = ZERO
        for x, partial in zip(operands, local(op, y, *primals), strict=True):
            if type(x) is Dual and x.tag == tag:
                tangent = plus(tangent, contribution(x._tangent, partial))
        if watching.on_derivative is not None and tangent is not ZERO:
            watching.on_derivative(op, operands, tangent)
        return Dual(y, tangent, tag)

    def _when(self, derivative: Any) -> Any:
        return when(self.primal, derivative)


def primal(x: Any, tag: int) -> Any:
    """`x` without the perturbation of this tag."""
    return x.primal if isinstance(x, Dual) and x.tag == tag else x


def tangent(x: Any, tag: int) -> Any:
    """The derivative of `x` along the perturbation of this tag."""
    return x._tangent if isinstance(x, Dual) and x.tag == tag else ZERO
