"""What every primitive means, in arbitrary precision: the judge of the package's kernels and rules.

Of the package it takes the meaning of each op alone, which no kernel and no rule uses. Derivatives are central differences of these
functions at a precision that is raised until the digits that the difference cancels no longer matter, so a wrong rule cannot hide behind
a formula copied from it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp, mpf  # type: ignore[import-untyped]

from autograd import Op, ops
from autograd.ops.meaning import Mathematics

Oracle = Callable[..., Any]

STEP = 100  # bits of the step, relative to operands below 1: well inside the gap of any double to a pole or the end of a domain
DIGITS = (80, 400, 1000)  # tried in turn
LEAST = mpf(10) ** -330  # no double is as small


def _sign(x: Any) -> Any:
    return mpf((x > 0) - (x < 0))


def _erfc(x: Any) -> Any:
    if x < 0:
        return 2 - _erfc(-x)
    if x < 50:
        return mp.erfc(x)
    # Laplace's continued fraction; it converges at once where mpmath's own series needs too many digits.
    fraction = x
    for k in range(60, 0, -1):
        fraction = x + mpf(k) / 2 / fraction
    return mp.exp(-x * x) / (fraction * mp.sqrt(mp.pi))


def _erf(x: Any) -> Any:
    return mp.erf(x) if abs(x) < 50 else _sign(x) * (1 - _erfc(abs(x)))


def _erf_tail(x: Any) -> Any:
    """erf less its limit, which would cancel in a difference. No double is within a step of 1.1."""
    return mp.erf(x) if abs(x) < mpf(11) / 10 else -_sign(x) * _erfc(abs(x))


def _lgamma(x: Any) -> Any:
    if x > 0:
        return mp.loggamma(x)
    return mp.log(mp.pi / abs(mp.sinpi(x))) - mp.loggamma(1 - x)


def _polygamma(n: Any, x: Any) -> Any:
    if x > -50:
        return mp.psi(int(n), x)
    cot, csc2 = mp.cot(mp.pi * x), 1 / mp.sinpi(x) ** 2  # mpmath recurs through every pole from x up to 0
    derivatives = (
        cot,
        -mp.pi * csc2,
        2 * mp.pi**2 * cot * csc2,
        -2 * mp.pi**3 * csc2 * (3 * csc2 - 2),
        8 * mp.pi**4 * csc2 * cot * (3 * csc2 - 1),
    )
    return (-1) ** int(n) * mp.psi(int(n), 1 - x) - mp.pi * derivatives[int(n)]


class _Exact(Mathematics):
    """Mathematics in arbitrary precision. Where a formula would cancel more digits than are carried, another one is computed."""

    exp, expm1, log, log1p, root = map(staticmethod, (mp.exp, mp.expm1, mp.log, mp.log1p, mp.sqrt))
    sin, cos, tan, floor, ceil = map(staticmethod, (mp.sin, mp.cos, mp.tan, mp.floor, mp.ceil))
    arcsin, arccos, arctan, arctan2 = map(staticmethod, (mp.asin, mp.acos, mp.atan, mp.atan2))
    sinh, cosh, tanh = map(staticmethod, (mp.sinh, mp.cosh, mp.tanh))
    arcsinh, arccosh, arctanh = map(staticmethod, (mp.asinh, mp.acosh, mp.atanh))
    erf, erfc, loggamma, polygamma = map(staticmethod, (_erf, _erfc, _lgamma, _polygamma))
    abs, max, min, sign, constant = map(staticmethod, (abs, lambda *x: max(x), lambda *x: min(x), _sign, lambda x: x))
    over = staticmethod(operator.truediv)
    greater, greater_equal, less = map(staticmethod, (operator.gt, operator.ge, operator.lt))
    less_equal, equal, not_equal = map(staticmethod, (operator.le, operator.eq, operator.ne))

    def power(self, a: Any, b: Any) -> Any:
        return mp.exp(b * mp.log(a)) if a > 0 else mp.power(a, b)

    def square(self, x: Any) -> Any:
        return x * x

    def cbrt(self, x: Any) -> Any:
        return _sign(x) * mp.cbrt(abs(x))

    def mod(self, a: Any, b: Any) -> Any:
        return a - b * mp.floor(a / b)

    def trunc(self, x: Any) -> Any:
        return mp.floor(x) if x >= 0 else mp.ceil(x)

    def where(self, condition: bool, x: Any, y: Any) -> Any:
        return x if condition else y

    def total(self, *x: Any) -> Any:
        return mp.fsum(x)  # rounded once

    def product(self, *x: Any) -> Any:
        return mp.fprod(x)

    def log_of_sum(self, *x: Any) -> Any:
        top, *rest = sorted(x, reverse=True)
        return top + mp.log1p(sum((mp.exp(v - top) for v in rest), mpf(0)))

    def share(self, x: Any, *others: Any) -> Any:
        return 1 / (1 + sum((mp.exp(v - x) for v in others), mpf(0)))

    def log_share(self, x: Any, *others: Any) -> Any:
        return -mp.log1p(sum((mp.exp(v - x) for v in others), mpf(0)))


_EXACT = _Exact()


def meant(op: Op) -> Oracle:
    """What an op means, in the precision of the moment."""
    return lambda *x: mp.mpmathify(op.meaning(_EXACT, *x))  # type: ignore[misc]


ORACLE: dict[str, Oracle] = {name: meant(ops.table[name]) for name in sorted(ops.builtin)}
# 0 at the origin by convention, where it means nothing.
ORACLE["direction_cosine"] = lambda a, b: a / mp.sqrt(a * a + b * b) if a or b else mpf(0)


# Operands that are held constant by convention: an order, a scale, a condition.
HELD = {("polygamma", 0), ("exp_neg_square", 1), ("stop_gradient", 0), ("where", 0)}

# Where a derivative has a name of its own, mpmath computes that function by a way of its own, and faster than a difference.
KNOWN: dict[tuple[str, int], Oracle] = {
    ("lgamma", 0): lambda x: _polygamma(0, x),
    ("polygamma", 1): lambda n, x: _polygamma(n + 1, x),
    **dict.fromkeys(HELD, lambda *x: mpf(0)),
}

# Functions with the same derivatives, of which a difference cancels less.
SHIFTED: dict[str, Oracle] = {"erf": _erf_tail, "erfc": lambda x: -_erf_tail(x)}


def value(name: str, x: Sequence[float], digits: int = 50) -> Any:
    """The op at floats x."""
    with mp.workdps(digits):
        return ORACLE[name](*map(mpf, x))


def first(name: str, x: Sequence[float], i: int, digits: Sequence[int] = DIGITS) -> Any:
    """The derivative of the op in operand i, to a relative 1e-20."""
    if (name, i) in KNOWN:
        with mp.workdps(40):
            return KNOWN[name, i](*map(mpf, x))
    return slope(SHIFTED.get(name, ORACLE[name]), x, i, digits)


def second(name: str, x: Sequence[float], i: int, j: int) -> Any:
    """The second derivative of the op in operands i and j, to a relative 1e-15 or better."""
    if name in ("lgamma", "polygamma"):
        with mp.workdps(40):
            orders = {"lgamma": (1, *x), "polygamma": (x[0] + 2.0, x[-1])}
            order, at = orders[name]
            return _polygamma(order, mpf(at)) if i == j == len(x) - 1 else mpf(0)
    if (name, i) in KNOWN or (name, j) in KNOWN:
        return mpf(0)
    return curvature(SHIFTED.get(name, ORACLE[name]), x, i, j)


def slope(f: Oracle, x: Sequence[float], i: int, digits: Sequence[int] = DIGITS) -> Any:
    """The derivative of f in operand i by a central difference, of error h^2 and free of cancellation."""
    for d in digits:
        with mp.workdps(d):
            at = list(map(mpf, x))
            h = step(at[i], STEP)
            values = f(*_moved(at, i, h)), f(*_moved(at, i, -h))
            difference = values[0] - values[1]
            quotient = difference / (2 * h)
            if _settled(difference, values, h) and at[i] + h - at[i] == h:
                break
    return quotient


def curvature(f: Oracle, x: Sequence[float], i: int, j: int) -> Any:
    """The second derivative of f in operands i and j: a central difference of central differences."""
    for d in (150, 500, 1500):
        with mp.workdps(d):
            at = list(map(mpf, x))
            h, k = step(at[i], STEP), step(at[j], STEP)
            values = [f(*_moved(_moved(at, i, s * h), j, t * k)) for s, t in ((1, 1), (-1, -1), (1, -1), (-1, 1))]
            difference = values[0] + values[1] - values[2] - values[3]
            quotient = difference / (4 * h * k)
            if _settled(difference, values, h * k):
                break
    return quotient


# Weights of five points at distance h for h^n times the n-th derivative.
FIVE_POINTS = ((0, -0.5, 0, 0.5, 0), (0, 1, -2, 1, 0), (-0.5, 1, 0, -1, 0.5), (1, -4, 6, -4, 1))
SINGULAR_AT_0 = {"log", "log2", "log10", "sqrt", "cbrt", "reciprocal", "div", "pow", "lgamma", "hypot", "arctan2", "direction_cosine"}


def orders(name: str, x: Sequence[float], i: int) -> list[Any]:
    """The derivatives of the op in operand i of orders 1 to 4, each to a relative 1e-20, by central differences."""
    f, found = SHIFTED.get(name, ORACLE[name]), [mpf(0)] * 4
    if (name, i) in HELD:
        return found
    open_ = set(range(4))
    for d in (200, 500, 1500, 3000):
        with mp.workdps(d):
            at = list(map(mpf, x))
            h = step(at[i] if name in SINGULAR_AT_0 else 1, STEP)
            values = [f(*_moved(at, i, k * h)) for k in (-2, -1, 0, 1, 2)]
            for n in sorted(open_):
                terms = [w * v for w, v in zip(FIVE_POINTS[n], values, strict=True)]
                found[n] = mp.fsum(terms) / h ** (n + 1)
                if _settled(mp.fsum(terms), terms, h ** (n + 1)):
                    open_.remove(n)
        if not open_:
            break
    return found


def _settled(difference: Any, values: Sequence[Any], divisor: Any) -> bool:
    """Whether what rounding adds to the difference is a small part of it, or below all doubles after the division."""
    noise = mp.ldexp(sum(map(abs, values)), 8 - mp.prec)
    return bool(noise <= abs(difference) * mpf(10) ** -20 or noise < divisor * LEAST)


def step(x: Any, bits: int) -> Any:
    """A step that suits the point: small beside it, and beside one, over which functions of large numbers may oscillate.

    A power of two, so that x + h and x - h are exact.
    """
    return mp.ldexp(1, (min(mp.mag(x), 0) if x else 0) - bits)


def _moved(x: list[Any], i: int, h: Any) -> list[Any]:
    return [*x[:i], x[i] + h, *x[i + 1 :]]


def rounded(x: Any) -> float:
    """The nearest double, an infinity beyond the largest and a denormal or 0 below the smallest normal one."""
    try:
        return float(x)
    except OverflowError:
        return math.copysign(math.inf, mp.sign(x))
