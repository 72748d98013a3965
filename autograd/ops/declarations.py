# mypy: disable-error-code="has-type"
# (a rule may use an op that is declared further down)
"""Every primitive, declared once: name, kernel on floats, partial derivatives, and where it is defined and smooth.

The methods of Value, the functions of the package, NumPy's protocol, the gradient tests, the labels in pictures and the
file format all derive from this table. To add a primitive, add a row.

Values are right to 4 units in the last place (ulps) and first derivatives to 8, over the whole line; the doc of an op says where
they are not. A rule is chosen such that it does not cancel when it is differentiated again.

Conventions at kinks. A function of one number takes the derivative of its flat side: relu'(0) = 0, hardtanh'(+-1) = 0,
leaky_relu'(0) = slope, elu'(0) = elu''(0) = alpha, and abs'(0) = 0, midway. Operands that tie share the derivative equally:
maximum, minimum and clip at a tie give 1/2 and 1/2, max and min of k equal numbers 1/k each. hypot and norm have
derivative 0 at the origin, and pow(0, 0) derivative 0 in the base. arctan2 has none at the origin: it is nan there.
At nan, which compares with nothing, all that select (relu, hardtanh, clip, maximum, minimum, max and min of several) are flat.

Conventions at infinity. The softmax of numbers among which one is inf, or all of which are -inf, is the limit where the largest
share equally: (1/2, 1/2, 0) for (inf, inf, 0). So are the derivatives of logsumexp and logaddexp there.

Where a result does not depend on an operand (the branch not taken, the operand not selected, the flat side of a kink), the rule says
so by `when` or ZERO: such a zero contributes nothing, even to an infinite derivative (see zeros.py).
"""

from __future__ import annotations

import builtins
import copyreg
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..support.plain import as_sequence, is_plain, shown
from . import ieee
from .op import ACTIVATION, INDICATOR, REAL, Op
from .zeros import ZERO, when

_inf = math.inf
_POSITIVE = (0.0, _inf)
_UNIT = (-1.0, 1.0)
_LN2, _LOG2_E, _LOG10_E = 0.6931471805599453, 1.4426950408889634, 0.4342944819032518
_SQRT1_2 = math.sqrt(0.5)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_NORMAL_PEAK = 1.0 / math.sqrt(2.0 * math.pi)


def at(*points: float) -> Callable[..., tuple[float, ...]]:
    """Kinks of a function of one number (and parameters): at the given points."""
    return lambda x, *_: tuple(x - p for p in points)


def _gap(a: float, b: float, *_: float) -> tuple[float, ...]:
    return (a - b if a != b else 0.0,)


def _interval(offset: float, number: int) -> tuple[float, ...]:
    """Zero where the offset is. The signs are the binary digits of the number, so that no two intervals look alike."""
    return (offset, 1.0 if number >= 0 else -1.0, *(1.0 if digit == "1" else -1.0 for digit in f"{builtins.abs(number):b}"))


def _integers(x: float) -> tuple[float, ...]:
    below = ieee.floor(x)
    return _interval(x - below, int(below)) if math.isfinite(x) else (1.0,)


def _integers_but_zero(x: float) -> tuple[float, ...]:
    whole = ieee.trunc(x)
    return _interval(x - whole if whole else 1.0, int(whole)) if math.isfinite(x) else (1.0,)


def _poles(x: float) -> tuple[float, ...]:
    """Kinks at 0, -1, -2, ..."""
    return _integers(x) if x <= 0.0 else _interval(x, 0)


def _multiples(a: float, b: float) -> tuple[float, ...]:
    """Kinks of mod: where a is a multiple of b."""
    return *_interval(ieee.mod(a, b), _quotient(a, b)), b


def _multiples_but_zero(a: float, b: float) -> tuple[float, ...]:
    """Kinks of fmod, which has none around a = 0."""
    whole = _quotient(builtins.abs(a), builtins.abs(b))
    return *_interval(ieee.fmod(a, b) if whole else 1.0, whole), b


def _quotient(a: float, b: float) -> int:
    """The floor of a / b, without rounding; 0 where there is none."""
    if not (math.isfinite(a) and math.isfinite(b) and b):
        return 0
    (n, d), (p, q) = a.as_integer_ratio(), b.as_integer_ratio()
    return n * q // (d * p)


def _base(a: float, b: float) -> tuple[float, ...]:
    """Kinks of the power: at base 0, but for the exponents 0, 1, 2, ..., which make a polynomial."""
    return (1.0 if b >= 0.0 and b == ieee.floor(b) else a,)


def _at_origin(*x: float) -> tuple[float, ...]:
    """Zero at the origin; a line through it changes sign there (and others at a tilted plane, where nothing else happens)."""
    tilted = builtins.sum(v * (0.5 + (i * 0.6180339887) % 1.0) for i, v in enumerate(x))
    return (math.copysign(math.hypot(*x), tilted),)


def _at_cut(y: float, x: float) -> tuple[float, ...]:
    """Zero on the negative x axis, where arctan2 jumps by 2 pi; the way back round changes sign at an odd angle."""
    return (math.copysign(builtins.abs(y) if x < 0.0 else math.hypot(x, y), math.atan2(y, x) - 0.7312),)


def _bounds(x: float, low: float, high: float) -> tuple[float, ...]:
    """Kinks of clip: at the lower bound, unless it lies above the upper one, and at the upper one."""
    return _gap(x, low)[0] if low <= high else 1.0, *_gap(builtins.max(x, low), high)


def _leads(best: Callable[[Sequence[float]], float]) -> Callable[..., tuple[float, ...]]:
    """Kinks of max and min: where the best two tie. Of each operand, its lead over the best of the others."""
    return lambda *x: tuple(_gap(v, best(x[:i] + x[i + 1 :]))[0] for i, v in enumerate(x)) if len(x) > 1 else ()


# Arithmetic --------------------------------------------------------------------------------------------------------------

add      = Op("add", operator.add, lambda y, a, b: (1.0, 1.0),
              meaning=lambda m, a, b: a + b, operator="add", symbol="+", arity=2)
subtract = Op("sub", operator.sub, lambda y, a, b: (1.0, -1.0),
              meaning=lambda m, a, b: a - b, operator="sub", symbol="-", arity=2, numpy="subtract")
multiply = Op("mul", operator.mul, lambda y, a, b: (b, a),
              meaning=lambda m, a, b: a * b, operator="mul", symbol="*", arity=2, numpy="multiply")
divide   = Op("div", ieee.divide, lambda y, a, b: (1.0 / b, -y / b),
              meaning=lambda m, a, b: m.over(a, b), operator="truediv", symbol="/", arity=2, numpy="divide",
              kinks=lambda a, b: (b,))
negative = Op("neg", operator.neg, lambda y, x: (-1.0,),
              meaning=lambda m, x: -x, operator="neg", symbol="-x", numpy="negative")
positive = Op("pos", operator.pos, lambda y, x: (1.0,),
              meaning=lambda m, x: x, operator="pos", symbol="+", numpy="positive")


def _power_partials(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """b a^(b-1) and y log a. x**0 is 1 for every x; 0**x is 0 for all x > 0, and at the jump to 1 its flat side counts.

    An exponent that is differentiated next may pass through 0 and is no structural zero there, unless the base is 0.
    """
    if is_plain(b):
        in_base = when(not_equal(b, 0.0), _power_slope(y, a, b))
    else:
        in_base = when(not_equal(a, 0.0) + not_equal(b, 0.0), where(equal(b, 0.0), b * y / a, _power_slope(y, a, b)))
    return in_base, when(not_equal(a, 0.0) + less(b, 0.0), y * log(a))


def _minus_quotient(y: Any, a: Any, b: Any) -> Any:
    """-q of the remainder y = a - q b: it does not depend on b where q = 0, and q = -1 where y = b, were both infinite."""
    return when(not_equal(y, a), where(equal(y, b), 1.0, (y - a) / b))


def _power_slope(y: Any, a: Any, b: Any) -> Any:
    """b a^(b-1). A float b below 1/2 or far above would be rounded when 1 is subtracted, and a^(b-1) may overflow where y / a does not."""
    if type(a) is type(b) is float and not 0.5 <= b <= 2.0**53 and 0.0 < builtins.abs(a) < _inf:
        return b * y / a
    return b * power(a, b - 1.0)


power      = Op("pow", ieee.power, _power_partials,
                meaning=lambda m, a, b: m.power(a, b), operator="pow", symbol="**", arity=2, numpy="power", domain=(_POSITIVE, REAL),
                kinks=_base,
                doc="a to the power of b. Differentiated again, the derivative in a is b a^(b-1) as written: right to ulps of log a where "
                    "b is below 1/2.")
reciprocal = Op("reciprocal", ieee.reciprocal, lambda y, x: (-y * y,),
                meaning=lambda m, x: m.over(1, x), symbol="1/x", kinks=at(0.0))
mod        = Op("mod", ieee.mod, lambda y, a, b: (1.0, _minus_quotient(y, a, b)),
                meaning=lambda m, a, b: m.mod(a, b), operator="mod", symbol="%", arity=2, numpy="remainder",
                kinks=_multiples)
fmod       = Op("fmod", ieee.fmod, lambda y, a, b: (1.0, _minus_quotient(y, a, b)),
                meaning=lambda m, a, b: m.fmod(a, b), arity=2,
                kinks=_multiples_but_zero)
abs        = Op("abs", operator.abs, lambda y, x: (when(not_equal(x, 0.0), sign(x)),),
                meaning=lambda m, x: m.abs(x), operator="abs", symbol="abs", numpy="absolute", kinks=at(0.0))
sign       = Op("sign", ieee.sign, lambda y, x: (ZERO,),
                meaning=lambda m, x: m.sign(x), kinks=at(0.0))
square     = Op("square", lambda x: x * x, lambda y, x: (2.0 * x,),
                meaning=lambda m, x: m.square(x))
sqrt       = Op("sqrt", ieee.sqrt, lambda y, x: (0.5 / y,),
                meaning=lambda m, x: m.root(x), domain=(_POSITIVE,))
cbrt       = Op("cbrt", ieee.cbrt, lambda y, x: (1.0 / (3.0 * y * y),),
                meaning=lambda m, x: m.cbrt(x), kinks=at(0.0))

# Exponentials and logarithms ---------------------------------------------------------------------------------------------

exp       = Op("exp", ieee.exp, lambda y, x: (y,),
               meaning=lambda m, x: m.exp(x))
exp2      = Op("exp2", ieee.exp2, lambda y, x: (y * _LN2,),
               meaning=lambda m, x: m.exp2(x))
expm1     = Op("expm1", ieee.expm1, lambda y, x: (exp(x),),
               meaning=lambda m, x: m.expm1(x))
log       = Op("log", ieee.log, lambda y, x: (1.0 / x,),
               meaning=lambda m, x: m.log(x), domain=(_POSITIVE,))
log2      = Op("log2", ieee.log2, lambda y, x: (_LOG2_E / x,),
               meaning=lambda m, x: m.log_to(2, x), domain=(_POSITIVE,))
log10     = Op("log10", ieee.log10, lambda y, x: (_LOG10_E / x,),
               meaning=lambda m, x: m.log_to(10, x), domain=(_POSITIVE,))
log1p     = Op("log1p", ieee.log1p, lambda y, x: (1.0 / (1.0 + x),),
               meaning=lambda m, x: m.log1p(x), domain=((-1.0, _inf),))
logaddexp = Op("logaddexp", ieee.logaddexp, lambda y, a, b: (_sigmoid_difference(a, b), _sigmoid_difference(b, a)),
               meaning=lambda m, a, b: m.log_of_sum(a, b), arity=2,
               doc="log(e^a + e^b), without overflow. Near its root, where e^a + e^b is 1, right to ulps of a and b.")

# Circular and hyperbolic functions ---------------------------------------------------------------------------------------

sin     = Op("sin", ieee.sin, lambda y, x: (cos(x),),
             meaning=lambda m, x: m.sin(x))
cos     = Op("cos", ieee.cos, lambda y, x: (-sin(x),),
             meaning=lambda m, x: m.cos(x))
tan     = Op("tan", ieee.tan, lambda y, x: (1.0 + y * y,),
             meaning=lambda m, x: m.tan(x), kinks=lambda x: (ieee.cos(x),))
arcsin  = Op("arcsin", ieee.arcsin, lambda y, x: (1.0 / _cohypot(1.0, x),),
             meaning=lambda m, x: m.arcsin(x), domain=(_UNIT,))
arccos  = Op("arccos", ieee.arccos, lambda y, x: (-1.0 / _cohypot(1.0, x),),
             meaning=lambda m, x: m.arccos(x), domain=(_UNIT,))
arctan  = Op("arctan", math.atan, lambda y, x: (square(1.0 / hypot(1.0, x)),),
             meaning=lambda m, x: m.arctan(x), family=ACTIVATION)
arctan2 = Op("arctan2", math.atan2, lambda r, y, x: _arctan2_partials(y, x),
             meaning=lambda m, y, x: m.arctan2(y, x), arity=2, kinks=_at_cut)
sinh    = Op("sinh", ieee.sinh, lambda y, x: (cosh(x),),
             meaning=lambda m, x: m.sinh(x))
cosh    = Op("cosh", ieee.cosh, lambda y, x: (sinh(x),),
             meaning=lambda m, x: m.cosh(x))
tanh    = Op("tanh", math.tanh, lambda y, x: (4.0 * _sigmoid_slope(2.0 * x),),
             meaning=lambda m, x: m.tanh(x), family=ACTIVATION)  # 1 - y*y would cancel for large x
arcsinh = Op("arcsinh", math.asinh, lambda y, x: (1.0 / hypot(1.0, x),),
             meaning=lambda m, x: m.arcsinh(x))
arccosh = Op("arccosh", ieee.arccosh, lambda y, x: (1.0 / _cohypot(x, 1.0),),
             meaning=lambda m, x: m.arccosh(x), domain=((1.0, _inf),))
arctanh = Op("arctanh", ieee.arctanh, lambda y, x: (square(1.0 / _cohypot(1.0, x)),),
             meaning=lambda m, x: m.arctanh(x), domain=(_UNIT,))


def _arctan2_partials(y: Any, x: Any) -> tuple[Any, Any]:
    r = hypot(y, x)
    return x / r / r, -y / r / r


def _hypot_partials(r: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return when(not_equal(r, 0.0), _direction_cosine(a, b)), when(not_equal(r, 0.0), _direction_cosine(b, a))


hypot   = Op("hypot", math.hypot, _hypot_partials,
             meaning=lambda m, a, b: m.norm(a, b), arity=2, kinks=_at_origin)

# Special functions -------------------------------------------------------------------------------------------------------

erf       = Op("erf", math.erf, lambda y, x: (_TWO_OVER_SQRT_PI * _exp_neg_square(x, 1.0),),
               meaning=lambda m, x: m.erf(x),
               doc="The error function.")
erfc      = Op("erfc", math.erfc, lambda y, x: (-_TWO_OVER_SQRT_PI * _exp_neg_square(x, 1.0),),
               meaning=lambda m, x: m.erfc(x),
               doc="1 - erf(x), without cancellation.")
lgamma    = Op("lgamma", ieee.lgamma, lambda y, x: (polygamma(0.0, x),),
               meaning=lambda m, x: m.loggamma(x),
               kinks=_poles,
               doc="The logarithm of |gamma(x)|. Below 0, where it has roots, right to ulps of log gamma(1 - x).")
polygamma = Op("polygamma", ieee.polygamma, lambda y, n, x: (ZERO, polygamma(n + 1.0, x)),
               meaning=lambda m, n, x: m.polygamma(n, x), choices={0: (0.0, 1.0, 2.0)}, arity=2,
               kinks=lambda n, x: _poles(x),
               doc="The (n+1)-th derivative of lgamma at x, for an order n of 0, 1, ..., 150 that is held constant. Near its roots "
               "right to ulps of log x and of its largest term n! / (x + k)^(n+1).")

# Rounding and comparison -------------------------------------------------------------------------------------------------

floor         = Op("floor", ieee.floor, lambda y, x: (ZERO,),
                   meaning=lambda m, x: m.floor(x), operator="floor", kinks=_integers)
ceil          = Op("ceil", ieee.ceil, lambda y, x: (ZERO,),
                   meaning=lambda m, x: m.ceil(x), operator="ceil", kinks=_integers)
trunc         = Op("trunc", ieee.trunc, lambda y, x: (ZERO,),
                   meaning=lambda m, x: m.trunc(x), operator="trunc", kinks=_integers_but_zero)
step          = Op("step", ieee.step, lambda y, x: (ZERO,),
                   meaning=lambda m, x: m.indicator(m.greater_equal(x, 0)), family=ACTIVATION, kinks=at(0.0),
                   doc="0 below 0, 1 from 0 on.")
greater       = Op("greater", ieee.greater, lambda y, a, b: (ZERO, ZERO),
                   meaning=lambda m, a, b: m.indicator(m.greater(a, b)), family=INDICATOR, symbol=">", arity=2, kinks=_gap)
greater_equal = Op("greater_equal", ieee.greater_equal, lambda y, a, b: (ZERO, ZERO),
                   meaning=lambda m, a, b: m.indicator(m.greater_equal(a, b)), family=INDICATOR, symbol=">=", arity=2, kinks=_gap)
less          = Op("less", ieee.less, lambda y, a, b: (ZERO, ZERO),
                   meaning=lambda m, a, b: m.indicator(m.less(a, b)), family=INDICATOR, symbol="<", arity=2, kinks=_gap)
less_equal    = Op("less_equal", ieee.less_equal, lambda y, a, b: (ZERO, ZERO),
                   meaning=lambda m, a, b: m.indicator(m.less_equal(a, b)), family=INDICATOR, symbol="<=", arity=2, kinks=_gap)
equal         = Op("equal", ieee.equal, lambda y, a, b: (ZERO, ZERO),
                   meaning=lambda m, a, b: m.indicator(m.equal(a, b)), family=INDICATOR, symbol="==", arity=2, kinks=_gap)
not_equal     = Op("not_equal", ieee.not_equal, lambda y, a, b: (ZERO, ZERO),
                   meaning=lambda m, a, b: m.indicator(m.not_equal(a, b)), family=INDICATOR, symbol="!=", arity=2, kinks=_gap)

# Selection ---------------------------------------------------------------------------------------------------------------


def _tie(a: Any, b: Any) -> Any:
    """1/2 where a and b tie, else 1."""
    return 1.0 - 0.5 * equal(a, b)


def _share(a: Any, b: Any) -> Any:
    """1 where a > b, 1/2 where they tie, nothing where b is selected."""
    return when(greater_equal(a, b), _tie(a, b))


def _clip_partials(y: Any, x: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    inner = maximum(x, low)
    inside = greater_equal(high, inner)
    of_inner = _tie(high, inner) * _tie(x, low)
    return when(inside * greater_equal(x, low), of_inner), when(inside * greater_equal(low, x), of_inner), _share(inner, high)


maximum = Op("maximum", ieee.maximum, lambda y, a, b: (_share(a, b), _share(b, a)),
             meaning=lambda m, a, b: m.max(a, b), symbol="max", arity=2, kinks=_gap)
minimum = Op("minimum", ieee.minimum, lambda y, a, b: (_share(b, a), _share(a, b)),
             meaning=lambda m, a, b: m.min(a, b), symbol="min", arity=2, kinks=_gap)
clip    = Op("clip", ieee.clip, _clip_partials,
             meaning=lambda m, x, low, high: m.min(m.max(x, low), high), arity=3, kinks=_bounds,
             doc="clip(x, low, high): min(max(x, low), high).")
where   = Op("where", ieee.where, lambda r, c, x, y: (ZERO, when(not_equal(c, 0.0), 1.0), when(equal(c, 0.0), 1.0)),
             meaning=lambda m, c, x, y: m.where(m.nonzero(c), x, y), choices={0: (0.0, 1.0)}, arity=3,
             kinks=lambda c, x, y: (1.0 if c else -1.0,),
             doc="where(condition, x, y): x where the condition is true (not 0), else y. No derivative flows to the condition.")

stop_gradient = Op("stop_gradient", ieee.stop_gradient, lambda y, x: (ZERO,),
                   meaning=lambda m, x: m.constant(x), symbol="stop",
                   doc="x, held constant: no derivative flows through it, in any mode.")

# Activations -------------------------------------------------------------------------------------------------------------

sigmoid     = Op("sigmoid", ieee.sigmoid, lambda y, x: (_sigmoid_slope(x),),
                 meaning=lambda m, x: m.logistic(x), family=ACTIVATION, symbol="σ",  # y * (1 - y) would cancel for large x
                 doc="1 / (1 + e^-x), the logistic function.")
log_sigmoid = Op("log_sigmoid", ieee.log_sigmoid, lambda y, x: (sigmoid(-x),),
                 meaning=lambda m, x: m.log_logistic(x), family=ACTIVATION,
                 doc="log(sigmoid(x)), finite far below 0.")
softplus    = Op("softplus", ieee.softplus, lambda y, x: (sigmoid(x),),
                 meaning=lambda m, x: m.log1p(m.exp(x)), family=ACTIVATION,
                 doc="log(1 + e^x), a smooth max(x, 0).")
relu        = Op("relu", ieee.relu, lambda y, x: (when(greater(x, 0.0), 1.0),),
                 meaning=lambda m, x: m.max(0, x), family=ACTIVATION, kinks=at(0.0),
                 doc="max(x, 0).")
leaky_relu  = Op("leaky_relu", ieee.leaky_relu, lambda y, x, slope: (where(greater(x, 0.0), 1.0, slope), when(less(x, 0.0), x)),
                 meaning=lambda m, x, slope: m.max(0, x) + slope * m.min(0, x), family=ACTIVATION,
                 arity=2, defaults=(0.01,), kinks=at(0.0),
                 doc="x above 0, slope * x below (Maas et al. 2013).")
elu         = Op("elu", ieee.elu, lambda y, x, alpha: _elu_partials(x, alpha),
                 meaning=lambda m, x, alpha: m.max(0, x) + alpha * m.expm1(m.min(0, x)), family=ACTIVATION,
                 arity=2, defaults=(1.0,), kinks=at(0.0),
                 doc="x above 0, alpha * (e^x - 1) below (Clevert et al. 2016).")
swish       = Op("swish", ieee.swish, lambda y, x, beta: _swish_partials(x, beta),
                 meaning=lambda m, x, beta: x * m.logistic(m.scaled(beta, x)), family=ACTIVATION, arity=2, defaults=(1.0,),
                 doc="x * sigmoid(beta * x) (Ramachandran et al. 2017). The root of its derivative near beta x = -5/4 is right to ulps of "
                     "1/4. Compiled, and differentiated again, all is right to ulps times beta x where beta is not 1.")
gelu        = Op("gelu", ieee.gelu, lambda y, x: (0.5 * erfc(-x * _SQRT1_2) + x * (_NORMAL_PEAK * _exp_neg_square(x, 0.5)),),
                 meaning=lambda m, x: x * m.normal(x), family=ACTIVATION,
                 doc="x times the normal distribution function (Hendrycks & Gimpel 2016), not its tanh approximation. The root of its "
                     "derivative near -3/4 is right to ulps of 1/4.")
hardtanh    = Op("hardtanh", ieee.hardtanh, lambda y, x: (when(greater(x, -1.0) * less(x, 1.0), 1.0),),
                 meaning=lambda m, x: m.min(m.max(x, -1), 1), family=ACTIVATION, kinks=at(-1.0, 1.0),
                 doc="x between -1 and 1, held at -1 and 1 outside.")


def _elu_partials(x: Any, alpha: Any) -> tuple[Any, Any]:
    return where(greater(x, 0.0), 1.0, alpha * exp(x)), when(less(x, 0.0), expm1(x))


def _swish_partials(x: Any, beta: Any) -> tuple[Any, Any]:
    """The partials s + beta x s' and x^2 s', multiplied in an order that no product overflows before s' vanishes."""
    z = beta * x
    s, slope = sigmoid(z), _sigmoid_slope(z)
    if type(z) is float and (lost := ieee.product_error(beta, x)):
        s, slope = s + lost * slope, slope + lost * (1.0 - 2.0 * s) * slope
    x_slope = x * slope
    return s + beta * x_slope, x * x_slope


# Functions of a sequence -------------------------------------------------------------------------------------------------


def _prod_partials(y: Any, *x: Any) -> tuple[Any, ...]:
    """Products of all operands but one, without dividing. Of more than eight, those before it times those after it."""
    if len(x) <= 8:
        return tuple(prod.apply(*x[:i], *x[i + 1 :]) for i in range(len(x)))
    before, after = [1.0], [1.0]
    for a, b in zip(x[:-1], x[:0:-1], strict=True):
        before.append(before[-1] * a)
        after.append(after[-1] * b)
    return tuple(a * b for a, b in zip(before, reversed(after), strict=True))


def _shares(x: Sequence[Any]) -> list[Any]:
    """The softmax of x in one pass."""
    if len(x) == 1:
        return [1.0]
    if all(type(v) is float for v in x):
        return ieee.shares(*x)
    top = max(x)
    terms = [_exp_difference(v, top) for v in x]
    whole = sum(terms)
    return [t / whole for t in terms]


def _softmax_partials(y: Any, *x: Any) -> tuple[Any, ...]:
    _, *others = _shares(x)
    return (y * sum(others), *(-y * p for p in others))


def _log_softmax_partials(y: Any, *x: Any) -> tuple[Any, ...]:
    _, *others = _shares(x)
    return (sum(others), *(-p for p in others))


def _norm_partials(y: Any, x: tuple[Any, ...]) -> tuple[Any, ...]:
    if type(y) is float and y and all(type(v) is float for v in x):
        return ieee.directions(y, *x)
    return tuple(when(not_equal(y, 0.0), v / y) for v in x)


def _ties(y: Any, *x: Any) -> tuple[Any, ...]:
    if len(x) == 1:
        return (1.0,)
    reached = [equal(v, y) for v in x]
    count = sum(reached)
    return tuple(when(r, 1.0 / count) for r in reached)


sum       = Op("sum", ieee.total, lambda y, *x: (1.0,) * len(x),
               meaning=lambda m, *x: m.total(*x), symbol="Σ", arity=None,
               doc="The sum of a sequence, rounded once.")
mean      = Op("mean", ieee.mean, lambda y, *x: (1.0 / len(x),) * len(x),
               meaning=lambda m, *x: m.over(m.total(*x), len(x)), arity=None,
               doc="The mean of a sequence.")
prod      = Op("prod", ieee.prod, _prod_partials,
               meaning=lambda m, *x: m.product(*x), symbol="Π", arity=None,
               doc="The product of a sequence. No part of it overflows, nor of its derivatives if it has up to eight operands.")
max       = Op("max", ieee.largest, _ties,
               meaning=lambda m, *x: m.max(*x), arity=None, kinks=_leads(builtins.max),
               doc="The largest of a sequence.")
min       = Op("min", ieee.smallest, _ties,
               meaning=lambda m, *x: m.min(*x), arity=None, kinks=_leads(builtins.min),
               doc="The smallest of a sequence.")
norm      = Op("norm", ieee.norm, lambda y, *x: _norm_partials(y, x),
               meaning=lambda m, *x: m.norm(*x), arity=None, kinks=_at_origin,
               doc="The Euclidean norm of a sequence. Its higher derivatives cancel far along one operand; compiled, the first has as many "
                   "digits as the norm, which is few below 1e-308.")
logsumexp = Op("logsumexp", ieee.logsumexp, lambda y, *x: tuple(_shares(x)),
               meaning=lambda m, *x: m.log_of_sum(*x), arity=None,
               doc="log of the sum of e^x over a sequence, without overflow. Near its roots right to ulps of the largest x.")
_dot      = Op("dot", ieee.dot, lambda y, *x: x[len(x) // 2 :] + x[: len(x) // 2],
               meaning=lambda m, *x: m.total(*map(operator.mul, x[: len(x) // 2], x[len(x) // 2 :])), arity=None)
_softmax  = Op("softmax", ieee.softmax, _softmax_partials,
               meaning=lambda m, *x: m.share(*x), arity=None)
_log_softmax = Op("log_softmax", ieee.log_softmax, _log_softmax_partials,
                  meaning=lambda m, *x: m.log_share(*x), arity=None)

# What rules are made of, so that they do not cancel when they are differentiated again -------------------------------------

_sigmoid_slope = Op("sigmoid_slope", ieee.sigmoid_slope, lambda y, x: (-y * tanh(0.5 * x),),
                    meaning=lambda m, x: m.logistic_slope(x),
                    doc="The derivative of sigmoid: sigmoid(x) * sigmoid(-x).")
_sigmoid_difference = Op("sigmoid_difference", ieee.sigmoid_difference, lambda y, a, b: _difference_partials(a, b),
                         meaning=lambda m, a, b: m.logistic(a - b), arity=2,
                         doc="sigmoid(a - b), the share of e^a in e^a + e^b: the derivative of logaddexp.")
_exp_difference = Op("exp_difference", ieee.exp_difference, lambda y, a, b: (y, -y),
                     meaning=lambda m, a, b: m.exp(a - b), arity=2,
                     doc="e^(a - b), and 1 for equal infinities.")
_direction_cosine = Op("direction_cosine", ieee.direction_cosine, lambda y, a, b: _turns(y, a, b),
                       meaning=lambda m, a, b: m.over(a, m.norm(a, b)), arity=2, kinks=_at_origin,
                       doc="a / hypot(a, b), the derivative of hypot; 0 at the origin.")
_exp_neg_square = Op("exp_neg_square", ieee.exp_neg_square, lambda y, x, scale: (-2.0 * stop_gradient(scale) * (x * y), ZERO),
                     meaning=lambda m, x, scale: m.exp(-m.scaled(scale, m.square(x))), choices={1: (0.5, 1.0)},
                     arity=2,
               doc="e^(-scale x^2), for a scale of 1/2 or 1 that is held constant: the derivative of erf.")
_cohypot = Op("cohypot", ieee.cohypot, lambda y, a, b: (a / y, -b / y),
              meaning=lambda m, a, b: m.root(m.square(a) - m.square(b)), arity=2, domain=((1.0, _inf), _UNIT),
              doc="sqrt(a^2 - b^2): the other leg of a right triangle.")


def _turns(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """sin^2 / r and -cos sin / r."""
    r, sine = hypot(a, b), _direction_cosine(b, a)
    if type(r) is float and r == _inf:  # of halves it does not overflow
        r, sine, y = hypot(0.5 * a, 0.5 * b), 0.5 * sine, 0.5 * y
        return 2.0 * sine * (sine / r), -2.0 * y * (sine / r)
    return sine * sine / r, -y * sine / r


def _difference_partials(a: Any, b: Any) -> tuple[Any, Any]:
    slope = _sigmoid_slope(a - b)
    return slope, -slope


def dot(x: Sequence[Any], y: Sequence[Any]) -> Any:
    """The inner product of two sequences of one length, as one node."""
    x, y = as_sequence(x, "dot([a, b], [c, d])"), as_sequence(y, "dot([a, b], [c, d])")
    if len(x) != len(y):
        raise ValueError(f"dot needs two sequences of one length (got {len(x)} and {len(y)} numbers)")
    return _dot.apply(*x, *y)


def softmax(x: Sequence[Any]) -> list[Any]:
    """The shares e^x_i / sum_j e^x_j, one node each; exact to a few ulps also where one share dominates."""
    return _each_first(_softmax, x)


def log_softmax(x: Sequence[Any]) -> list[Any]:
    """The logarithms of `softmax`, one node each."""
    return _each_first(_log_softmax, x)


def _each_first(op: Op, x: Sequence[Any]) -> list[Any]:
    x = as_sequence(x, f"{op.name}([a, b, c])")
    return [op.apply(v, *x[:i], *x[i + 1 :]) for i, v in enumerate(x)]


def argmax(x: Sequence[Any]) -> int:
    """The index of the largest number, the first of equals; nan counts as largest. An int: it carries no derivative."""
    values = [v._compared() if hasattr(v, "_compared") else float(v) for v in as_sequence(x, "argmax([a, b, c])")]
    ieee.largest(*values) if values else ieee._not_empty("argmax", ())
    return builtins.max(range(len(values)), key=lambda i: (values[i] != values[i], values[i]))


sub, mul, div, neg, pos, pow = subtract, multiply, divide, negative, positive, power


class _Table(dict[str, Op]):
    """Name to Op, in declaration order. NumPy's name of an op finds it too: table["multiply"] is table["mul"]."""

    def __missing__(self, name: str) -> Op:
        for op in self.values():
            if op.numpy == name:
                return op
        raise KeyError(name)


table: Final = _Table((op.name, op) for op in list(globals().values()) if isinstance(op, Op))
builtin: Final = frozenset(table)


def is_builtin(op: Op) -> bool:
    """Whether it is an op of this table. One of the user's may have the same name."""
    return op.name in builtin and table.get(op.name) is op


def named(name: str) -> Op:
    """The op of that name; a LookupError names the nearest where there is none."""
    try:
        return table[name]
    except KeyError:
        pass
    from difflib import get_close_matches

    near = get_close_matches(str(name)[:100], table, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "see autograd.ops.table"
    raise LookupError(f"there is no primitive called {shown(name)}: {hint} (a primitive of your own must be declared before it is used)")


copyreg.pickle(Op, lambda op: (named, (op.name,)))

# What the package exports: every op and function of sequences above. Computed, so that a new row is all it takes.
_functions = [name for name, x in globals().items() if isinstance(x, Op) or x in (dot, softmax, log_softmax, argmax)]
globals()["__all__"] = [name for name in _functions if not name.startswith("_")]
helpers: Final = builtin.difference(globals()["__all__"])  # what rules are made of: in the table, but nothing that users call
