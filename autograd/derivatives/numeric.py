"""Numerical differentiation: derivatives from values of the function alone, to hold the others against.

Step sizes balance truncation against rounding (Press et al., Numerical Recipes, 3rd ed., section 5.7): sqrt(eps) for one-sided
and cbrt(eps) for central differences, times the scale of the argument. A step that leaves the domain of the function, seen
by nan or inf, is made smaller.
"""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, overload

from ..numbers.number import Number
from ..ops.meaning import Mathematics
from ..ops.op import Op
from ..support.plain import as_float, shown
from ..support.structure import leaves, rebuild
from .slopes import EPS, slope

if TYPE_CHECKING:
    from .signatures import Floats, Function, P, Structure

Scalar = Callable[[float], float]
Method = Literal["central", "forward", "complex", "richardson"]


@overload
def numeric_grad(f: Function[P], x: float, /, *, method: Method = "central") -> float: ...
@overload
def numeric_grad(f: Function[P], x: Floats, /, *, method: Method = "central") -> Floats: ...
@overload
def numeric_grad(f: Function[P], *args: Structure, method: Method = "central") -> Structure: ...
def numeric_grad(f: Function[P], *args: Structure, method: Method = "central") -> Structure:
    """The gradient of `f` at `args`, by evaluating `f` only: a derivative that owes nothing to the rules of this package.

    Args:
        f: takes numbers or nested structures of them, returns one number.
        args: where to differentiate.
        method: "central" (error about 1e-10 times the scale), "forward" (1e-8; never steps below the argument), "complex"
            (exact to rounding, for functions analytic in their arguments; Squire & Trapp 1998) or "richardson"
            (differences extrapolated over steps of every length, about 1e-11; the mean of both sides at a kink).

    Returns:
        The gradient with the structure of the argument; a tuple with one entry per argument where there are several.

    >>> round(numeric_grad(lambda x: x**3, 2.0), 6)
    12.0
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))} (got {shown(method)})")
    if not args:
        raise TypeError("numeric_grad needs at least one argument to differentiate with respect to: numeric_grad(f, x)")
    differentiate = METHODS[method]
    numbers = [as_float(x, "an argument of numeric_grad") for x in leaves(args)]
    partials = [differentiate(along(f, args, numbers, i), x) for i, x in enumerate(numbers)]
    structured = rebuild(args, iter(partials))
    return structured[0] if len(args) == 1 else structured


def along(f: Callable[..., Any], args: tuple[Any, ...], numbers: Sequence[Any], i: int) -> Callable[[Any], Any]:
    """`f` as a function of its i-th number, the others held."""

    def section(x: Any) -> Any:
        return f(*rebuild(args, iter([*numbers[:i], x, *numbers[i + 1 :]])))

    return section


def scale(x: float) -> float:
    """The distance over which a function of x may be expected to change."""
    return max(abs(x), 1.0)


def central(f: Scalar, x: float) -> float:
    """(f(x + h) - f(x - h)) / 2h."""
    return _in_domain(lambda h: _difference(f, x + h, x - h), EPS ** (1 / 3) * scale(x))


def forward(f: Scalar, x: float) -> float:
    """(f(x + h) - f(x)) / h."""
    return _in_domain(lambda h: _difference(f, x + h, x), math.sqrt(EPS) * scale(x))


def complex_step(f: Callable[[Any], Any], x: float) -> float:
    """Im f(x + ih) / h: no difference, so no cancellation, and h can be tiny."""
    h = 1e-100 * scale(x)
    y = f(Complex(complex(x, h)))
    return y.number.imag / h if isinstance(y, Complex) else 0.0


def richardson(f: Scalar, x: float) -> float:
    """Polynomials through the values on either side, over steps of every length, differentiated at x; between the sides at a kink."""
    sides = sorted((s for side in (1.0, -1.0) if (s := slope(lambda z: float(f(z)), x, side)) is not None), key=lambda s: s.width)
    if not sides:
        return math.nan
    best, other = sides[0], sides[-1]
    return best.middle if best.low <= other.high and other.low <= best.high else 0.5 * (best.middle + other.middle)


def _difference(f: Scalar, above: float, below: float) -> float:
    """The difference quotient over the step that was really taken after rounding."""
    return (float(f(above)) - float(f(below))) / (above - below) if above != below else math.nan


def _in_domain(quotient: Scalar, h: float) -> float:
    result = quotient(h)
    while not math.isfinite(result) and 0.0 < h < math.inf:
        h /= 10.0
        result = quotient(h)
    return result


class Complex(Number):
    """A complex number that the functions of this package accept, for the complex step."""

    __slots__ = ("number",)
    _rank: ClassVar[int] = 4

    def __init__(self, number: complex) -> None:
        self.number: complex = number

    def _real(self) -> float:
        return self.number.real

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Complex:
        numbers = [x.number if isinstance(x, Complex) else as_float(x, f"operand of {op.name}") for x in operands]
        try:
            if op.meaning is not None:
                return Complex(complex(op.meaning(_MATHEMATICS, *numbers)))
        except AttributeError:  # made of something that is not analytic
            pass
        raise ValueError(
            f"method 'complex' needs analytic operations, and {op.name!r} has no continuation to complex numbers here: "
            "use method 'richardson' or 'central'"
        )


class _Complex(Mathematics):
    """Mathematics of complex numbers: what is analytic. Formulas are those that neither overflow nor cancel."""

    exp, log, root = staticmethod(cmath.exp), staticmethod(cmath.log), staticmethod(cmath.sqrt)
    sin, cos, tan = staticmethod(cmath.sin), staticmethod(cmath.cos), staticmethod(cmath.tan)
    arcsin, arccos, arctan = staticmethod(cmath.asin), staticmethod(cmath.acos), staticmethod(cmath.atan)
    sinh, cosh, tanh = staticmethod(cmath.sinh), staticmethod(cmath.cosh), staticmethod(cmath.tanh)
    arcsinh, arccosh, arctanh = staticmethod(cmath.asinh), staticmethod(cmath.acosh), staticmethod(cmath.atanh)
    power, over = staticmethod(operator.pow), staticmethod(operator.truediv)

    def expm1(self, z: complex) -> complex:
        return 2 * cmath.exp(z / 2) * cmath.sinh(z / 2)

    def log1p(self, z: complex) -> complex:
        return 2 * cmath.atanh(z / (2 + z)) if abs(z) < 0.5 else cmath.log(1 + z)

    def logistic(self, z: complex) -> complex:
        return 0.5 + 0.5 * cmath.tanh(z / 2)

    def log_of_sum(self, *z: complex) -> complex:
        top = max(z, key=lambda x: x.real)
        return top + cmath.log(sum(cmath.exp(x - top) for x in z))


_MATHEMATICS: Final = _Complex()

METHODS: dict[str, Callable[[Callable[[Any], Any], float], float]] = {
    "central": central,
    "forward": forward,
    "complex": complex_step,
    "richardson": richardson,
}
