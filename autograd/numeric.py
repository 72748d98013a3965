"""Numerical differentiation: derivatives from values of the function alone, to hold the others against.

Step sizes balance truncation against rounding (Press et al., Numerical Recipes, 3rd ed., section 5.7): sqrt(eps) for one-sided
and cbrt(eps) for central differences, times the scale of the argument. A step that leaves the domain of the function, seen
by nan or inf, is made smaller.
"""

from __future__ import annotations

import cmath
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from . import ops
from .op import Op, as_float
from .operators import Number
from .structure import leaves, rebuild

EPS = sys.float_info.epsilon
Scalar = Callable[[float], float]


def numeric_grad(f: Callable[..., Any], *args: Any, method: str = "central") -> Any:
    """The gradient of `f` at `args`, by evaluating `f` only: a derivative that owes nothing to the rules of this package.

    Args:
        f: takes numbers or nested structures of them, returns one number.
        args: where to differentiate.
        method: "central" (error about 1e-10 times the scale), "forward" (1e-8; never steps below the argument), "complex"
            (exact to rounding, for functions analytic in their arguments; Squire & Trapp 1998) or "richardson"
            (extrapolated central differences, about 1e-12; Ridders 1982).

    Returns:
        The gradient with the structure of the argument; a tuple with one entry per argument where there are several.

    >>> round(numeric_grad(lambda x: x**3, 2.0), 6)
    12.0
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))} (got {method!r})")
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
    """Central differences at shrinking steps, extrapolated to h = 0, the entry of least estimated error."""
    return ridders(f, x)[0]


def ridders(f: Scalar, x: float, h: float | None = None) -> tuple[float, float]:
    """The extrapolated derivative and an estimate of its error; (nan, inf) where no step stays inside the domain.

    Steps begin at a tenth of the scale of x (or at `h`). While the result is not beyond doubt they begin again at shorter ones, since
    the function may change over a distance like 1 where x is large, like x where it is small, or less near a singularity.
    """
    longest = 0.1 * scale(x) if h is None else h
    shorter = {s for s in (0.1, 0.1 * abs(x), 0.1 * longest, 0.01 * longest) if 0.0 < s < longest}
    best = (math.nan, math.inf)
    for start in (longest, *sorted(shorter, reverse=True)):
        best = min(best, _neville(f, x, start), key=lambda result: result[1])
        if best[1] <= 1e-10 * abs(best[0]):
            break
    return best


def _neville(f: Scalar, x: float, h: float) -> tuple[float, float]:
    """Neville's table over steps that shrink by 1.4: each column removes two more orders of the truncation error.

    The error of an entry is its distance from its neighbours, and no less than what rounding f alone makes of it.
    """
    best, error = math.nan, math.inf
    row: list[float] = []
    for _ in range(24):
        above, below = float(f(x + h)), float(f(x - h))
        previous, row = row, [(above - below) / ((x + h) - (x - h)) if x + h != x - h else math.nan]
        rounding = EPS * (abs(above) + abs(below)) / h
        factor = 1.96
        for older in previous:
            row.append((row[-1] * factor - older) / (factor - 1.0))
            factor *= 1.96
            estimate = max(abs(row[-1] - row[-2]), abs(row[-1] - older), rounding)
            if estimate <= error:
                best, error = row[-1], estimate
        if previous and abs(row[-1] - previous[-1]) >= 2.0 * error:
            break  # rounding has taken over
        if not math.isfinite(row[0]):
            row = []
        h /= 1.4
    return best, error


def _difference(f: Scalar, above: float, below: float) -> float:
    """The difference quotient over the step that was really taken after rounding."""
    return (float(f(above)) - float(f(below))) / (above - below) if above != below else math.nan


def _in_domain(quotient: Scalar, h: float) -> float:
    for _ in range(12):
        result = quotient(h)
        if math.isfinite(result):
            break
        h /= 10.0
    return result


class Complex(Number):
    """A complex number that the functions of this package accept, for the complex step."""

    __slots__ = ("number",)
    _rank: ClassVar[int] = 4

    def __init__(self, number: complex) -> None:
        self.number = number

    def _real(self) -> float:
        return self.number.real

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Complex:
        if op.name not in ANALYTIC:
            raise ValueError(
                f"method 'complex' needs analytic operations, and {op.name!r} has no continuation to complex numbers here: "
                "use method 'richardson' or 'central'"
            )
        numbers = (x.number if isinstance(x, Complex) else as_float(x, f"operand of {op.name}") for x in operands)
        return Complex(complex(ANALYTIC[op.name](*numbers)))


def _complex_sum(*z: complex) -> complex:
    return sum(z, 0j)


# The ops that have a continuation to the complex plane, by formulas of their own.
ANALYTIC: dict[str, Callable[..., complex]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda z: -z,
    "pos": lambda z: z,
    "pow": lambda a, b: a**b,
    "reciprocal": lambda z: 1 / z,
    "square": lambda z: z * z,
    "sqrt": cmath.sqrt,
    "exp": cmath.exp,
    "exp2": lambda z: cmath.exp(z * math.log(2)),
    "expm1": lambda z: 2 * cmath.exp(z / 2) * cmath.sinh(z / 2),
    "log": cmath.log,
    "log2": lambda z: cmath.log(z) / math.log(2),
    "log10": cmath.log10,
    "log1p": lambda z: 2 * cmath.atanh(z / (2 + z)),
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "arcsinh": cmath.asinh,
    "arccosh": cmath.acosh,
    "arctanh": cmath.atanh,
    "sigmoid": lambda z: 0.5 + 0.5 * cmath.tanh(z / 2),
    "swish": lambda z, beta: z * (0.5 + 0.5 * cmath.tanh(beta * z / 2)),
    "sum": _complex_sum,
    "mean": lambda *z: _complex_sum(*z) / len(z),
    "dot": lambda *z: _complex_sum(*(a * b for a, b in zip(z[: len(z) // 2], z[len(z) // 2 :], strict=True))),
}

METHODS: dict[str, Callable[[Callable[[Any], Any], float], float]] = {
    "central": central,
    "forward": forward,
    "complex": complex_step,
    "richardson": richardson,
}
assert set(ANALYTIC) <= set(ops.table)
