"""The slope of a function of one float, found by differences, between bounds.

A polynomial through values on one side of the point is differentiated at the point. Steps of every length are tried, from as
far as the function may be smooth down to where rounding is nearly all that is left, and each gives a slope and how far it may be off.
The most exact one counts that none of the shorter steps contradicts: a kink or a peak that longer steps pass over, shorter ones see
(Lepskii 1990).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from operator import mul
from typing import Final, NamedTuple

EPS: Final = sys.float_info.epsilon
Scalar = Callable[[float], float]


class Slope(NamedTuple):
    """A slope between two bounds."""

    low: float
    high: float
    size: float  # of the terms that it is the sum of, when they do not cancel

    @property
    def middle(self) -> float:
        return self.low if self.low == self.high else 0.5 * self.low + 0.5 * self.high

    @property
    def width(self) -> float:
        return 0.0 if self.low == self.high else self.high - self.low


ZERO: Final = Slope(0.0, 0.0, 0.0)
UNKNOWN: Final = Slope(-math.inf, math.inf, math.inf)


def plus(a: Slope, b: Slope) -> Slope:
    low, high = a.low + b.low, a.high + b.high
    return Slope(low, high, a.size + b.size) if low <= high else UNKNOWN  # infinities of either sign make nan


def times(a: Slope, b: Slope) -> Slope:
    """Their product. Exactly zero is stronger than whatever it meets."""
    products = [x * y if x and y else 0.0 for x in a[:2] for y in b[:2]]
    return Slope(min(products), max(products), a.size * b.size if a.size and b.size else 0.0)


def slope(
    f: Scalar, x: float, side: float, reach: float = 1.0, borders: Sequence[float] = (), continuous: bool = True
) -> Slope | None:
    """The derivative of `f` at `x` seen from one side, between bounds; None where no step to that side stays where `f` is finite.

    Args:
        f: gives nan where it must not be used.
        side: 1.0 for the right, -1.0 for the left.
        reach: a distance over which the function may change, to be tried if 1 and |x| are too rough.
        borders: beside which it may behave like a root or the logarithm of the distance, to be tried if straight steps are too rough.
        continuous: whether `f` may be used at the point itself, too. Where it jumps it may not.
    """
    best: Slope | None = None
    nodes = _CLOSED if continuous else _OPEN
    for path in _paths(x, side, reach, borders):
        best = _narrower(best, _most_exact(f, x, path, nodes))
        if best is not None and best.width <= 1e-8 * abs(best.middle):
            break
    return best


# Ways to go --------------------------------------------------------------------------------------------------------------


class _Path(NamedTuple):
    """A way from x to one side, by a coordinate v that is 0 at x and in which the function may be smooth."""

    place: Scalar  # v -> x
    coordinate: Scalar | None  # x -> v, None where places are exact
    unit: float  # dx / dv where v = 0
    lengths: tuple[float, ...]  # over which the function may change


def _paths(x: float, side: float, reach: float, borders: Sequence[float]) -> Iterator[_Path]:
    for lengths in ((1.0, abs(x)), (1.0, abs(x), reach)):
        yield _Path(lambda v: x + side * v, None, side, lengths)
    for border in borders:
        if 0.0 < (x - border) * side < math.inf:
            yield _by_roots(x, side, border)
            yield _by_logarithms(x, side, border)


def _by_roots(x: float, side: float, border: float) -> _Path:
    root = math.sqrt((x - border) * side)

    def coordinate(z: float) -> float:
        return (z - x) * side / (math.sqrt((z - border) * side) + root)

    return _Path(lambda v: border + side * ((root + v) * (root + v)), coordinate, 2.0 * side * root, (1.0, root))


def _by_logarithms(x: float, side: float, border: float) -> _Path:
    distance = (x - border) * side

    def coordinate(z: float) -> float:
        return math.log1p((z - x) * side / distance) / 16.0

    return _Path(lambda v: border + side * (distance * math.exp(16.0 * v)), coordinate, 16.0 * side * distance, (1.0,))


def _steps(x: float, path: _Path) -> Iterator[float]:
    """From short to long, powers of two: for each length about half of it and five shorter ones, each 64 times shorter."""
    longest = {math.frexp(length)[1] // 6 for length in path.lengths if 0.0 < length < math.inf}
    for k in sorted({top - i for top in longest for i in range(6)}):
        h = math.ldexp(0.5, 6 * k)
        if path.coordinate or h > 1e-13 * abs(x):  # so that all places of a step can be told apart
            yield h


# Estimates ---------------------------------------------------------------------------------------------------------------


def _most_exact(f: Scalar, x: float, path: _Path, nodes: tuple[float, ...]) -> Slope | None:
    """The slope over the step of the least error, of those that no shorter one contradicts."""
    tried = [found for h in _steps(x, path) if (found := _over(f, x, path, h, nodes)) is not None]
    smooth = [found for found in tried if found[0] != UNKNOWN]
    best = UNKNOWN if tried else None
    if len(smooth) < 2 < len(tried) - len(smooth):
        return best  # it only looks smooth from afar
    low, high = -math.inf, math.inf
    for k, (s, margin) in enumerate(smooth):
        if s.high < low or s.low > high:
            return best if k > 1 else UNKNOWN  # the shortest step must not stand alone
        low, high = max(low, s.low - margin), min(high, s.high + margin)
        best = _narrower(best, s)
    return best


def _narrower(a: Slope | None, b: Slope | None) -> Slope | None:
    return b if a is None or (b is not None and b.width < a.width) else a


def _over(f: Scalar, x: float, path: _Path, h: float, nodes: tuple[float, ...]) -> tuple[Slope, float] | None:
    """The slope by values over one step: unknown if the function is not smooth over it, None if the step is not wholly usable.

    Beside it a margin, by which the bounds may be missed if the values are rounded worse than expected.
    """
    points = [path.place(h * t) for t in nodes]
    if path.coordinate:
        points = list(dict.fromkeys(points))
    values = [f(z) for z in points]
    if len(points) < 5 or not all(map(math.isfinite, values)):
        return None
    size = math.frexp(max(map(abs, values)))[1]
    values = [math.ldexp(y, -size) for y in values]  # so that nothing overflows
    if path.coordinate:
        s, *corrections = _derivative([path.coordinate(z) / h for z in points], values)
    else:
        s, *corrections = (sum(map(mul, weights, values)) for weights in _WEIGHTS[nodes])
    rounding = max(EPS if any(values) else 0.0, math.ldexp(1.0, -1074 - size))
    error, spread, noise = 2.0 * sum(map(abs, corrections)), max(values) - min(values), 128.0 * rounding
    if error > max(0.02 * spread, noise):
        return UNKNOWN, math.inf
    margin = 9.0 * min(error + noise, 100.0 * noise) + 1e-4 * abs(s)
    if spread < 4.0 * noise:  # so flat a function may yet be less flat close by
        error = max(error, h / max(0.5, 1e-10 * abs(x)) * max(spread, 2.0 * rounding))
    error += noise
    (unit, i), (length, j) = math.frexp(path.unit), math.frexp(h)
    low, high, extra = (_scaled(v / (unit * length), size - i - j) for v in (s - error, s + error, margin))
    return Slope(min(low, high), max(low, high), max(abs(low), abs(high))), abs(extra)


def _scaled(x: float, exponent: int) -> float:
    try:
        return math.ldexp(x, exponent)
    except OverflowError:
        return math.copysign(math.inf, x)


def _derivative(u: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """The derivative at 0 of the polynomial through (u, y), by Newton's differences, and what the last two points change in it."""
    differences = list(y)
    for k in range(1, len(u)):
        differences[k:] = [(differences[j] - differences[j - 1]) / (u[j] - u[j - k]) for j in range(k, len(u))]
    terms, product, slope_of_product = [], 1.0, 0.0
    for difference, v in zip(differences, u, strict=True):
        terms.append(difference * slope_of_product)
        product, slope_of_product = -v * product, product - v * slope_of_product
    return math.fsum(terms), terms[-1], terms[-2]


# Places in the unit step, nearly Chebyshev's, which floats hold exactly: with the point itself and without it.
_CLOSED: Final = tuple(k / 128.0 for k in (0, 6, 24, 50, 78, 104, 122, 128))
_OPEN: Final = tuple(k / 128.0 for k in (1, 11, 28, 52, 76, 100, 117, 127))
_WEIGHTS: Final = {
    nodes: tuple(zip(*(_derivative(nodes, [float(v == u) for v in nodes]) for u in nodes), strict=True)) for nodes in (_CLOSED, _OPEN)
}


# Limits ------------------------------------------------------------------------------------------------------------------


def distances(x: float) -> Iterator[float]:
    """From x to points beside it, the nearest first: from a few roundings of x to a thousandth of it."""
    start = math.frexp(x)[1] - 46 if x else -80
    for exponent in range(start, start + 40 if x else -8, 4):
        if x + math.ldexp(1.0, exponent) != x:
            yield math.ldexp(1.0, exponent)


def limit(slopes: Sequence[Slope]) -> Slope | None:
    """Where four slopes lead whose distances from the point shrink sixteen-fold, the nearest first; None if they tell nothing.

    Aitken's extrapolation, which is exact for a + b * distance^p; for p < 0 the limit is infinite.
    """
    near, *others = (s.middle for s in slopes)
    a, b, c = (x - y for x, y in zip((near, *others), others, strict=False))
    noise, size = max(s.width for s in slopes), max(s.size for s in slopes)
    if not math.isfinite(a + b + c + noise):
        return slopes[0] if slopes[0] == slopes[1] else None
    if abs(a) <= noise + 1e-8 * abs(near):
        return Slope(slopes[0].low - abs(a), slopes[0].high + abs(a), size)
    if min(abs(b), abs(c)) <= 4.0 * noise or a * b <= 0.0 or b * c <= 0.0:
        return None
    same = 0.002 + min(0.1, 4.0 * noise / min(abs(b), abs(c)))  # the ratio changes by more if it grows from a point one rounding further
    if 1.001 < a / b < 15.0 and abs(a / b - b / c) < same * (b / c):  # a finite value does not grow faster
        end = math.copysign(math.inf, a)
        return Slope(end, end, math.inf)
    if a / b < 0.999 and b / c < 0.999:
        ends = near + a * a / (b - a), others[0] + b * b / (c - b)
        error = abs(ends[0] - ends[1]) + noise * (1.0 + 4.0 / (1.0 - a / b) ** 2)
        return Slope(ends[0] - error, ends[0] + error, size)
    return None
