"""Float kernels: what every primitive computes on plain floats.

Each is total in the sense of IEEE 754: where Python's `math` raises, a kernel returns the limit, an infinity or nan, as
NumPy, torch and JAX do. Formulas are chosen to be accurate to 4 units in the last place over the whole real line.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import cache

inf, nan = math.inf, math.nan
TINY = 2.0**-1022  # below it numbers have fewer digits
LN2 = math.log(2.0)
SQRT1_2 = math.sqrt(0.5)


def extended(
    f: Callable[[float], float],
    *,
    at: dict[float, float] | None = None,
    invalid: float = nan,
    odd: bool = False,
) -> Callable[[float], float]:
    """`f` on the extended reals: `at` gives its limits at poles, `invalid` its value off its domain.

    Overflow gives +inf, or an infinity of the sign of x when `f` is odd.
    """
    limits = at or {}

    def kernel(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            return limits.get(x, invalid)
        except OverflowError:
            return math.copysign(inf, x) if odd else inf

    return kernel


sqrt = extended(math.sqrt)
exp = extended(math.exp)
expm1 = extended(math.expm1)
log = extended(math.log, at={0.0: -inf})
log2 = extended(math.log2, at={0.0: -inf})
log10 = extended(math.log10, at={0.0: -inf})
log1p = extended(math.log1p, at={-1.0: -inf})
sin = extended(math.sin)
cos = extended(math.cos)
tan = extended(math.tan)
arcsin = extended(math.asin)
arccos = extended(math.acos)
sinh = extended(math.sinh, odd=True)
cosh = extended(math.cosh)
arccosh = extended(math.acosh)
arctanh = extended(math.atanh, at={1.0: inf, -1.0: -inf})


def divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0.0 or a != a:
            return nan
        return math.copysign(inf, a) * math.copysign(1.0, b)


def reciprocal(x: float) -> float:
    return divide(1.0, x)


def power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except ValueError:
        if a != 0.0:
            return nan
        return math.copysign(inf, a) if math.isfinite(b) and math.fmod(b, 2.0) == -1.0 else inf  # before Python 3.11, b may be -inf
    except OverflowError:
        return math.copysign(inf, a) if math.fmod(b, 2.0) in (1.0, -1.0) else inf


def exp2(x: float) -> float:
    return power(2.0, x)


def cbrt(x: float) -> float:
    """The real cube root (`math.cbrt` needs Python 3.11): a guess by `pow` and one Newton step."""
    if x == 0.0 or not math.isfinite(x):
        return x
    r = math.copysign(math.pow(abs(x), 1.0 / 3.0), x)
    return r - (r - x / r / r) / 3.0


def mod(a: float, b: float) -> float:
    """The remainder with the sign of `b`, as Python's % and NumPy's mod."""
    try:
        return a % b
    except ZeroDivisionError:
        return nan


def fmod(a: float, b: float) -> float:
    """The remainder with the sign of `a`, as C's and NumPy's fmod."""
    try:
        return math.fmod(a, b)
    except ValueError:
        return nan


def rounding(f: Callable[[float], int]) -> Callable[[float], float]:
    """`f` with the sign of x also where the result is 0."""

    def kernel(x: float) -> float:
        return math.copysign(float(f(x)), x) if math.isfinite(x) else x

    return kernel


floor = rounding(math.floor)
ceil = rounding(math.ceil)
trunc = rounding(math.trunc)


def sign(x: float) -> float:
    return math.copysign(1.0, x) if x < 0.0 or x > 0.0 else x + 0.0  # nan, or 0.0


def step(x: float) -> float:
    return x if x != x else float(x >= 0.0)


def relu(x: float) -> float:
    return 0.0 if x <= 0.0 else x  # in this order nan stays nan


def stop_gradient(x: float) -> float:
    """x, held constant."""
    return x


def maximum(a: float, b: float) -> float:
    return a if a >= b or a != a else b


def minimum(a: float, b: float) -> float:
    return a if a <= b or a != a else b


def clip(x: float, low: float, high: float) -> float:
    return minimum(maximum(x, low), high)


def hardtanh(x: float) -> float:
    return clip(x, -1.0, 1.0)


def where(condition: float, x: float, y: float) -> float:
    return x if condition else y


def leaky_relu(x: float, slope: float) -> float:
    return x if x > 0.0 else slope * x


def elu(x: float, alpha: float) -> float:
    return x if x > 0.0 else alpha * math.expm1(x)


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), written so that the exponential never overflows."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    z = math.exp(x)
    return z / (1.0 + z)


def sigmoid_slope(x: float) -> float:
    """sigmoid(x) sigmoid(-x), which is even in x."""
    z = math.exp(x if x < 0.0 else -x)
    y = z / ((1.0 + z) * (1.0 + z))
    return 0.25 if y > 0.25 else y  # rounding would pass the peak


def sigmoid_difference(a: float, b: float) -> float:
    """sigmoid(a - b), with what rounding a - b loses fed back. Equal infinities share equally."""
    if a < b:
        z = exp_difference(a, b)
        return z / (1.0 + z)
    return 1.0 / (1.0 + exp_difference(b, a))


def softplus(x: float) -> float:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    return (x if x > 0.0 else 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    return -softplus(-x)


def swish(x: float, beta: float) -> float:
    z = beta * x
    if not z < -1.0:
        return x * sigmoid(z)
    error = product_error(beta, x)
    if z > -700.0:
        share = sigmoid(z)
        return x * (share + error * share * (1.0 - share))
    root = math.exp(0.5 * z)  # of sigmoid(z), which would be denormal before it is multiplied
    return x * root * (root + error * root) if root else math.copysign(0.0, x)  # -inf times 0 would be nan, the limit is 0


def gelu(x: float) -> float:
    """x times the normal distribution function (Hendrycks & Gimpel 2016, the exact form)."""
    return x * normal_cdf(x) if x > -40.0 else x * 0.0 if x != -inf else -0.0


def exp_neg_square(x: float, scale: float) -> float:
    """e^(-scale x^2), where the scale is a power of two. The exponential would magnify what rounding x^2 loses 700 times."""
    exponent = scale * (x * x)
    y = exp(-exponent)
    return y * (1.0 - scale * product_error(x, x)) if 2.0 < exponent < 800.0 else y


def normal_cdf(x: float) -> float:
    """erfc(-x / sqrt 2) / 2, with the rounding error of the argument fed back to first order.

    erfc falls as fast as e^(-z^2): half a unit in the last place of z = 26 alone would cost 700 in the result.
    """
    z = -x * SQRT1_2
    if not -27.0 < z < 27.0:
        return 0.5 * math.erfc(z)
    error = product_error(-x, SQRT1_2) - x * _SQRT1_2_TAIL
    return 0.5 * (math.erfc(z) - error * _TWO_OVER_SQRT_PI * math.exp(-z * z))


_SQRT1_2_TAIL = -4.833646656726457e-17  # sqrt(1/2) less its float64 rounding
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


def _split(x: float) -> tuple[float, float]:
    """Two halves of 26 bits whose sum is x (Veltkamp 1968)."""
    c = 134217729.0 * x
    high = c - (c - x)
    return high, x - high


def product_error(a: float, b: float) -> float:
    """What rounding loses of a*b (Dekker 1971), 0 where a*b overflows or loses digits below the normal numbers."""
    p = a * b
    if a == 1.0 or not 1e-280 < abs(p) < inf:
        return 0.0
    (a, i), (b, j) = math.frexp(a), math.frexp(b)  # near 1 no half overflows
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return math.ldexp(((a_high * b_high - a * b) + a_high * b_low + a_low * b_high) + a_low * b_low, i + j)


def cohypot(a: float, b: float) -> float:
    """sqrt(a^2 - b^2) for a >= |b|, without overflow and cancellation."""
    return sqrt(a - b) * sqrt(a + b)


def direction_cosine(a: float, b: float) -> float:
    """a / hypot(a, b), and 0 at the origin."""
    return directions(math.hypot(a, b), a, b)[0]


def directions(r: float, *x: float) -> tuple[float, ...]:
    """x / r, where r is the norm of x. Where r has overflowed, or is denormal and has few digits, that of x times a power of two."""
    if not TINY <= r < inf:
        scale = 2.0**60 if r < 1.0 else 2.0**-60
        x = tuple([v * scale for v in x])
        r = math.hypot(*x)
    return tuple([v / r for v in x]) if r else (0.0,) * len(x)


def logaddexp(a: float, b: float) -> float:
    if a == b:
        return a + LN2  # also for two infinities, whose difference is nan
    high, low = (a, b) if a > b else (b, a)
    return high + math.log1p(exp(low - high))


def greater(a: float, b: float) -> float:
    return float(a > b)


def greater_equal(a: float, b: float) -> float:
    return float(a >= b)


def less(a: float, b: float) -> float:
    return float(a < b)


def less_equal(a: float, b: float) -> float:
    return float(a <= b)


def equal(a: float, b: float) -> float:
    return float(a == b)


def not_equal(a: float, b: float) -> float:
    return float(a != b)


# Kernels of sequences.


def total(*x: float) -> float:
    """The sum, rounded once (Shewchuk's `fsum`); plain where infinities cancel."""
    try:
        return math.fsum(x)
    except OverflowError:
        return math.fsum([v * 2.0**-60 for v in x]) * 2.0**60  # a part of it overflows
    except ValueError:
        return nan


def mean(*x: float) -> float:
    _not_empty("mean", x)
    y = total(*x) / len(x)
    return y if math.isfinite(y) else total(*[v * 2.0**-60 for v in x]) / len(x) * 2.0**60


def prod(*x: float) -> float:
    """The product. Powers of two are kept apart where a part of it might overflow, or lose digits below the normal numbers."""
    sizes, edge = list(map(abs, x)), 2.0 ** (1000.0 / max(len(x), 1))
    if x and 1.0 / edge < min(sizes) and max(sizes) < edge:
        return math.prod(x)
    product, power_of_2 = 1.0, 0
    for v in x:
        mantissa, exponent = math.frexp(v)
        product, shift = math.frexp(product * mantissa)
        power_of_2 += exponent + shift
    try:
        return math.ldexp(product, power_of_2)
    except OverflowError:
        return math.copysign(inf, product)


def dot(*xy: float) -> float:
    n, odd = divmod(len(xy), 2)
    if odd:
        raise ValueError(f"dot needs two sequences of one length (got {len(xy)} numbers in all)")
    y = total(*map(operator.mul, xy[:n], xy[n:]))
    if math.isfinite(y) or not all(map(math.isfinite, xy)):
        return y
    return total(*[(a * 2.0**-520) * (b * 2.0**-520) for a, b in zip(xy[:n], xy[n:], strict=True)]) * 2.0**520 * 2.0**520


def norm(*x: float) -> float:
    return math.hypot(*x)


def largest(*x: float) -> float:
    """The largest, in whatever order they come: 0.0 counts as larger than -0.0."""
    _not_empty("max", x)
    y = nan if any(v != v for v in x) else max(x)
    return y or sum([v for v in x if not v], -0.0)


def smallest(*x: float) -> float:
    _not_empty("min", x)
    y = nan if any(v != v for v in x) else min(x)
    return y or -sum([-v for v in x if not v], -0.0)


def logsumexp(*x: float) -> float:
    """log of the sum of e^x. The largest term is taken out, so that log1p sees the small rest."""
    if not x:
        return -inf
    m = largest(*x)
    return m if len(x) == 1 or not math.isfinite(m) else m + _log_excess(x, m)


def softmax(x: float, *others: float) -> float:
    """e^x over the sum of e^x and the e^others: the share of the first operand."""
    m = largest(x, *others)
    term = exp_difference(x, m)
    return term / total(term, *[exp_difference(v, m) for v in others])


def shares(*x: float) -> list[float]:
    """The softmax of x in one pass."""
    m = largest(*x) if x else 0.0
    terms = [exp_difference(v, m) for v in x]
    whole = total(*terms)
    return [term / whole for term in terms]


def log_softmax(x: float, *others: float) -> float:
    """log of the share of the first operand, exact also where that share is nearly one."""
    terms = (x, *others)
    m = largest(*terms)
    return _difference(x, m) - _log_excess(terms, m)


def _log_excess(x: tuple[float, ...], m: float) -> float:
    """log of the sum of e^(x - m), where m is the largest x: log1p of all terms but that one."""
    if m != m:
        return nan
    rest = list(x)
    rest.remove(m)
    return math.log1p(total(*[exp_difference(v, m) for v in rest]))


def _difference(a: float, b: float) -> float:
    """a - b, and 0 for equal infinities."""
    return a - b if a != b else 0.0


def exp_difference(a: float, b: float) -> float:
    """e^(a - b), with what rounding a - b loses (Knuth's two-sum) fed back: e^40 would magnify it 40 times."""
    d = _difference(a, b)
    e = exp(d)
    if d == 0.0 or not 0.0 < e < inf:
        return e
    t = d - a
    return e + e * ((a - (d - t)) - (b + t))


def fraction(a: float, b: float) -> float:
    return divide(a, a + b)


def log_fraction(x: float, top: float, rest: float) -> float:
    """log of e^(x - top) / (e^(x - top) + rest), where the sum is at least 1: exact also where that is nearly one."""
    d = _difference(x, top)
    return d - log1p(rest + math.expm1(d))


def _not_empty(name: str, x: tuple[float, ...]) -> None:
    if not x:
        raise ValueError(f"{name} of an empty sequence has no value: give it at least one number")


# log gamma and its derivatives.

_lgamma = extended(math.lgamma, invalid=inf)
_SLOPE_AT_2, _SLOPE_TAIL = 0.42278433509846713, 4.942915152430645e-18  # of lgamma: 1 - Euler's constant, in two parts


def lgamma(x: float) -> float:
    """By the series at 2 from 0 to 10, where `math.lgamma` loses digits, most near the roots 1 and 2."""
    if not 0.0 < x < 10.0:
        return _lgamma(x)
    if x < 0.5:
        return _lgamma_beyond_2(x) - math.log(x * (1.0 + x))
    if x < 1.25:
        return _lgamma_beyond_2(x - 1.0) - math.log1p(x - 1.0)
    product = 1.0
    while x > 2.5:
        x -= 1.0
        product *= x
    return _lgamma_beyond_2(x - 2.0) + math.log(product)


def _lgamma_beyond_2(z: float) -> float:
    """lgamma(2 + z) by Taylor's series, for z from -3/4 to 1/2. Its first term may cancel the others, so it is kept exact."""
    rest = 0.0
    for c in _lgamma_series():
        rest = rest * z + c
    return total(_SLOPE_AT_2 * z, product_error(_SLOPE_AT_2, z), _SLOPE_TAIL * z, rest * z * z)


@cache
def _lgamma_series() -> list[float]:
    """The coefficients from the second on, the highest first."""
    return [polygamma(k - 1.0, 2.0) / math.factorial(k) for k in range(41, 1, -1)]


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)


def polygamma(n: float, x: float) -> float:
    """The (n+1)-th derivative of log gamma at x; n = 0 is the digamma function.

    Recurrence up to x >= 15 + n, then the asymptotic series (Abramowitz & Stegun 6.3.18, 6.4.11); far below 0, reflection (6.4.7).
    """
    order = int(n) if math.isfinite(n) else -1
    if order != n or not 0 <= order <= 150 or x != x or x == -inf:  # beyond 150 the factorials of the series overflow
        return nan
    if x <= 0.0 and x == math.floor(x):
        return nan
    if x < -50.0:
        return _reflected_polygamma(order, x)
    if x == inf:
        return inf if order == 0 else 0.0
    sign = -1.0 if order % 2 == 0 else 1.0
    terms = []
    while x < 15.0 + order:
        terms.append(sign * math.factorial(order) * power(x, -(order + 1.0)))
        x += 1.0
    return total(*reversed(terms), _polygamma_series(order, x, sign))


def _polygamma_series(n: int, x: float, sign: float) -> float:
    scale = power(x, -float(n))
    head = -math.log(x) if n == 0 else math.factorial(n - 1) * scale
    half = 0.5 * math.factorial(n) * scale / x
    tail, f = [], power(x, -2.0)
    term = scale
    for k, b in enumerate(_BERNOULLI, start=1):
        term *= f
        tail.append(b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) * term)
    return sign * total(head, half, *tail)


def _reflected_polygamma(n: int, x: float) -> float:
    """psi_n(x) = (-1)^n psi_n(1 - x) - pi d^n/dx^n cot(pi x)."""
    f = x - round(x)  # exact, and small near a pole
    c = 1.0 / math.tan(math.pi * f) if abs(f) < 0.25 else math.tan(math.pi * (math.copysign(0.5, f) - f))
    polynomial = [0.0, 1.0]  # d^k cot(pi x) as a polynomial in c: c' = -pi (1 + c^2)
    for _ in range(n):
        slope = [k * a for k, a in enumerate(polynomial)][1:]
        polynomial = [-math.pi * (a + b) for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope], strict=True)]
    cot = total(*(a * power(c, float(k)) for k, a in enumerate(polynomial)))
    return (-1.0) ** n * polygamma(float(n), 1.0 - x) - math.pi * cot
