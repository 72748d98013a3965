# mypy: disable-error-code="has-type"
# (a rule may use an op that is declared further down)
"""Every primitive, declared once: name, kernel on floats, partial derivatives, and where it is defined and smooth.

The methods of Value, the functions of the package, NumPy's protocol, the gradient tests, the labels in pictures and the
file format all derive from this table. To add a primitive, add a row.

Conventions at kinks. A function of one number takes the derivative of its flat side: relu'(0) = 0, hardtanh'(+-1) = 0,
leaky_relu'(0) = slope, elu'(0) = alpha, and abs'(0) = 0, midway. Operands that tie share the derivative equally:
maximum, minimum and clip at a tie give 1/2 and 1/2, max and min of k equal numbers 1/k each. hypot and norm have
derivative 0 at the origin, and pow(0, 0) derivative 0 in the base.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from . import ieee
from .op import REAL, Op, as_sequence

_inf = math.inf
_POSITIVE = (0.0, _inf)
_UNIT = (-1.0, 1.0)
_LN2, _LN10 = math.log(2.0), math.log(10.0)
_SQRT1_2 = math.sqrt(0.5)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_NORMAL_PEAK = 1.0 / math.sqrt(2.0 * math.pi)


def _at(*points: float) -> Callable[..., tuple[float, ...]]:
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

add      = Op("add", operator.add, lambda y, a, b: (1.0, 1.0), symbol="+", arity=2)
subtract = Op("sub", operator.sub, lambda y, a, b: (1.0, -1.0), symbol="-", arity=2, numpy="subtract")
multiply = Op("mul", operator.mul, lambda y, a, b: (b, a), symbol="*", arity=2, numpy="multiply")
divide   = Op("div", ieee.divide, lambda y, a, b: (1.0 / b, -y / b), symbol="/", arity=2, numpy="divide",
              kinks=lambda a, b: (b,))
negative = Op("neg", operator.neg, lambda y, x: (-1.0,), symbol="-x", numpy="negative")
positive = Op("pos", operator.pos, lambda y, x: (1.0,), symbol="+", numpy="positive")


def _power_partials(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The partials b a^(b-1) and y log a, each 0 where it meets 0 * inf: at base 0, with b = 0 or b >= 0."""
    base = where(equal(a, 0.0) * equal(b, 0.0), 0.0, b * power(a, b - 1.0))
    exponent = where(equal(a, 0.0) * greater_equal(b, 0.0), 0.0, y * log(a))
    return base, exponent


power      = Op("pow", ieee.power, _power_partials, symbol="**", arity=2, numpy="power", domain=(_POSITIVE, REAL),
                kinks=_base)
reciprocal = Op("reciprocal", ieee.reciprocal, lambda y, x: (-y * y,), symbol="1/x", kinks=_at(0.0))
mod        = Op("mod", ieee.mod, lambda y, a, b: (1.0, (y - a) / b), symbol="%", arity=2, numpy="remainder",
                kinks=_multiples)
fmod       = Op("fmod", ieee.fmod, lambda y, a, b: (1.0, (y - a) / b), arity=2,
                kinks=_multiples_but_zero)
abs        = Op("abs", operator.abs, lambda y, x: (sign(x),), symbol="abs", numpy="absolute", kinks=_at(0.0))
sign       = Op("sign", ieee.sign, lambda y, x: (0.0,), kinks=_at(0.0))
square     = Op("square", lambda x: x * x, lambda y, x: (2.0 * x,))
sqrt       = Op("sqrt", ieee.sqrt, lambda y, x: (0.5 / y,), domain=(_POSITIVE,))
cbrt       = Op("cbrt", ieee.cbrt, lambda y, x: (1.0 / (3.0 * y * y),), kinks=_at(0.0))

# Exponentials and logarithms ---------------------------------------------------------------------------------------------

exp       = Op("exp", ieee.exp, lambda y, x: (y,))
exp2      = Op("exp2", ieee.exp2, lambda y, x: (y * _LN2,))
expm1     = Op("expm1", ieee.expm1, lambda y, x: (exp(x),))
log       = Op("log", ieee.log, lambda y, x: (1.0 / x,), domain=(_POSITIVE,))
log2      = Op("log2", ieee.log2, lambda y, x: (1.0 / (x * _LN2),), domain=(_POSITIVE,))
log10     = Op("log10", ieee.log10, lambda y, x: (1.0 / (x * _LN10),), domain=(_POSITIVE,))
log1p     = Op("log1p", ieee.log1p, lambda y, x: (1.0 / (1.0 + x),), domain=((-1.0, _inf),))
logaddexp = Op("logaddexp", ieee.logaddexp, lambda y, a, b: (sigmoid(a - b), sigmoid(b - a)), arity=2,
               doc="log(e^a + e^b), without overflow.")

# Circular and hyperbolic functions ---------------------------------------------------------------------------------------

sin     = Op("sin", ieee.sin, lambda y, x: (cos(x),))
cos     = Op("cos", ieee.cos, lambda y, x: (-sin(x),))
tan     = Op("tan", ieee.tan, lambda y, x: (1.0 + y * y,), kinks=lambda x: (ieee.cos(x),))
arcsin  = Op("arcsin", ieee.arcsin, lambda y, x: (1.0 / sqrt((1.0 - x) * (1.0 + x)),), domain=(_UNIT,))
arccos  = Op("arccos", ieee.arccos, lambda y, x: (-1.0 / sqrt((1.0 - x) * (1.0 + x)),), domain=(_UNIT,))
arctan  = Op("arctan", math.atan, lambda y, x: (square(1.0 / hypot(1.0, x)),))
arctan2 = Op("arctan2", math.atan2, lambda r, y, x: _arctan2_partials(y, x), arity=2, kinks=_at_cut)
sinh    = Op("sinh", ieee.sinh, lambda y, x: (cosh(x),))
cosh    = Op("cosh", ieee.cosh, lambda y, x: (sinh(x),))
tanh    = Op("tanh", math.tanh, lambda y, x: (4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x),))  # 1 - y*y would cancel for large x
arcsinh = Op("arcsinh", math.asinh, lambda y, x: (1.0 / hypot(1.0, x),))
arccosh = Op("arccosh", ieee.arccosh, lambda y, x: (1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),), domain=((1.0, _inf),))
arctanh = Op("arctanh", ieee.arctanh, lambda y, x: (1.0 / ((1.0 - x) * (1.0 + x)),), domain=(_UNIT,))


def _arctan2_partials(y: Any, x: Any) -> tuple[Any, Any]:
    r = hypot(y, x)
    return x / r / r, -y / r / r


def _hypot_partials(r: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return where(equal(r, 0.0), 0.0, a / r), where(equal(r, 0.0), 0.0, b / r)


hypot = Op("hypot", math.hypot, _hypot_partials, arity=2, kinks=_at_origin)

# Special functions -------------------------------------------------------------------------------------------------------

erf       = Op("erf", math.erf, lambda y, x: (_TWO_OVER_SQRT_PI * exp(-x * x),),
               doc="The error function.")
erfc      = Op("erfc", math.erfc, lambda y, x: (-_TWO_OVER_SQRT_PI * exp(-x * x),),
               doc="1 - erf(x), without cancellation.")
lgamma    = Op("lgamma", ieee.lgamma, lambda y, x: (polygamma(0.0, x),),
               kinks=_poles,
               doc="The logarithm of |gamma(x)|.")
polygamma = Op("polygamma", ieee.polygamma, lambda y, n, x: (0.0, polygamma(n + 1.0, x)), arity=2,
               kinks=lambda n, x: _poles(x),
               doc="The (n+1)-th derivative of lgamma at x, for an order n of 0, 1, ..., 150 that is held constant.")

# Rounding and comparison -------------------------------------------------------------------------------------------------

floor         = Op("floor", ieee.floor, lambda y, x: (0.0,), kinks=_integers)
ceil          = Op("ceil", ieee.ceil, lambda y, x: (0.0,), kinks=_integers)
trunc         = Op("trunc", ieee.trunc, lambda y, x: (0.0,), kinks=_integers_but_zero)
step          = Op("step", ieee.step, lambda y, x: (0.0,), kinks=_at(0.0),
                   doc="0 below 0, 1 from 0 on.")
greater       = Op("greater", ieee.greater, lambda y, a, b: (0.0, 0.0), symbol=">", arity=2, kinks=_gap)
greater_equal = Op("greater_equal", ieee.greater_equal, lambda y, a, b: (0.0, 0.0), symbol=">=", arity=2, kinks=_gap)
less          = Op("less", ieee.less, lambda y, a, b: (0.0, 0.0), symbol="<", arity=2, kinks=_gap)
less_equal    = Op("less_equal", ieee.less_equal, lambda y, a, b: (0.0, 0.0), symbol="<=", arity=2, kinks=_gap)
equal         = Op("equal", ieee.equal, lambda y, a, b: (0.0, 0.0), symbol="==", arity=2, kinks=_gap)
not_equal     = Op("not_equal", ieee.not_equal, lambda y, a, b: (0.0, 0.0), symbol="!=", arity=2, kinks=_gap)

# Selection ---------------------------------------------------------------------------------------------------------------


def _share(a: Any, b: Any) -> Any:
    """1 where a > b, 1/2 where they tie."""
    return greater(a, b) + 0.5 * equal(a, b)


def _clip_partials(y: Any, x: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    inner = maximum(x, low)
    through = _share(high, inner)
    return through * _share(x, low), through * _share(low, x), _share(inner, high)


maximum = Op("maximum", ieee.maximum, lambda y, a, b: (_share(a, b), _share(b, a)), symbol="max", arity=2, kinks=_gap)
minimum = Op("minimum", ieee.minimum, lambda y, a, b: (_share(b, a), _share(a, b)), symbol="min", arity=2, kinks=_gap)
clip    = Op("clip", ieee.clip, _clip_partials, arity=3, kinks=_bounds,
             doc="clip(x, low, high): min(max(x, low), high).")
where   = Op("where", ieee.where, lambda r, c, x, y: (0.0, not_equal(c, 0.0), equal(c, 0.0)), arity=3,
             kinks=lambda c, x, y: (1.0 if c else -1.0,),
             doc="where(condition, x, y): x where the condition is true (not 0), else y. No derivative flows to the condition.")

# Activations -------------------------------------------------------------------------------------------------------------

sigmoid     = Op("sigmoid", ieee.sigmoid, lambda y, x: (y * sigmoid(-x),), symbol="σ",  # 1 - y would cancel for large x
                 doc="1 / (1 + e^-x), the logistic function.")
log_sigmoid = Op("log_sigmoid", ieee.log_sigmoid, lambda y, x: (sigmoid(-x),),
                 doc="log(sigmoid(x)), finite far below 0.")
softplus    = Op("softplus", ieee.softplus, lambda y, x: (sigmoid(x),),
                 doc="log(1 + e^x), a smooth max(x, 0).")
relu        = Op("relu", ieee.relu, lambda y, x: (greater(x, 0.0),), kinks=_at(0.0),
                 doc="max(x, 0).")
leaky_relu  = Op("leaky_relu", ieee.leaky_relu, lambda y, x, slope: (where(greater(x, 0.0), 1.0, slope), minimum(x, 0.0)),
                 arity=2, defaults=(0.01,), kinks=_at(0.0),
                 doc="x above 0, slope * x below (Maas et al. 2013).")
elu         = Op("elu", ieee.elu, lambda y, x, alpha: _elu_partials(x, alpha), arity=2, defaults=(1.0,), kinks=_at(0.0),
                 doc="x above 0, alpha * (e^x - 1) below (Clevert et al. 2016).")
swish       = Op("swish", ieee.swish, lambda y, x, beta: _swish_partials(x, beta), arity=2, defaults=(1.0,),
                 doc="x * sigmoid(beta * x) (Ramachandran et al. 2017).")
gelu        = Op("gelu", ieee.gelu, lambda y, x: (0.5 * erfc(-x * _SQRT1_2) + x * (_NORMAL_PEAK * exp(-0.5 * x * x)),),
                 doc="x times the normal distribution function (Hendrycks & Gimpel 2016), not its tanh approximation.")
hardtanh    = Op("hardtanh", ieee.hardtanh, lambda y, x: (greater(x, -1.0) * less(x, 1.0),), kinks=_at(-1.0, 1.0),
                 doc="x between -1 and 1, held at -1 and 1 outside.")


def _elu_partials(x: Any, alpha: Any) -> tuple[Any, Any]:
    below = minimum(x, 0.0)  # keeps the branch not taken finite
    return where(greater(x, 0.0), 1.0, alpha * exp(below)), expm1(below)


def _swish_partials(x: Any, beta: Any) -> tuple[Any, Any]:
    """The partials s + beta x s' and x^2 s', multiplied in an order that no product overflows before s' vanishes."""
    s = sigmoid(beta * x)
    x_slope = x * (s * sigmoid(-beta * x))
    return s + beta * x_slope, x * x_slope


# Functions of a sequence -------------------------------------------------------------------------------------------------


def _prod_partials(y: Any, *x: Any) -> tuple[Any, ...]:
    """Products of all operands but one, without dividing: those before it times those after it."""
    before, after = [1.0], [1.0]
    for a, b in zip(x[:-1], x[:0:-1], strict=True):
        before.append(before[-1] * a)
        after.append(after[-1] * b)
    return tuple(a * b for a, b in zip(before, reversed(after), strict=True)) if x else ()


def _shares(x: Sequence[Any]) -> list[Any]:
    """The softmax of x in one pass."""
    m = max(x)
    terms = [exp(v - m) for v in x]
    whole = sum(terms)
    return [t / whole for t in terms]


def _softmax_partials(y: Any, *x: Any) -> tuple[Any, ...]:
    _, *others = _shares(x)
    return (y * sum(others), *(-y * p for p in others))


def _log_softmax_partials(y: Any, *x: Any) -> tuple[Any, ...]:
    _, *others = _shares(x)
    return (sum(others), *(-p for p in others))


def _ties(y: Any, *x: Any) -> tuple[Any, ...]:
    reached = [equal(v, y) for v in x]
    count = sum(reached)
    return tuple(r / count for r in reached)


sum       = Op("sum", ieee.total, lambda y, *x: (1.0,) * len(x), symbol="Σ", arity=None,
               doc="The sum of a sequence, rounded once.")
mean      = Op("mean", ieee.mean, lambda y, *x: (1.0 / len(x),) * len(x), arity=None,
               doc="The mean of a sequence.")
prod      = Op("prod", ieee.prod, _prod_partials, symbol="Π", arity=None,
               doc="The product of a sequence.")
max       = Op("max", ieee.largest, _ties, arity=None, kinks=_leads(builtins.max),
               doc="The largest of a sequence.")
min       = Op("min", ieee.smallest, _ties, arity=None, kinks=_leads(builtins.min),
               doc="The smallest of a sequence.")
norm      = Op("norm", ieee.norm, lambda y, *x: tuple(where(equal(y, 0.0), 0.0, v / y) for v in x), arity=None,
               kinks=_at_origin, doc="The Euclidean norm of a sequence.")
logsumexp = Op("logsumexp", ieee.logsumexp, lambda y, *x: tuple(_shares(x)) if x else (), arity=None,
               doc="log of the sum of e^x over a sequence, without overflow.")
_dot      = Op("dot", ieee.dot, lambda y, *x: x[len(x) // 2 :] + x[: len(x) // 2], arity=None)
_softmax  = Op("softmax", ieee.softmax, _softmax_partials, arity=None)
_log_softmax = Op("log_softmax", ieee.log_softmax, _log_softmax_partials, arity=None)


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
    values = [float(v) for v in as_sequence(x, "argmax([a, b, c])")]
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

# What the package exports: every op and function of sequences above. Computed, so that a new row is all it takes.
_functions = [name for name, x in globals().items() if isinstance(x, Op) or x in (dot, softmax, log_softmax, argmax)]
globals()["__all__"] = [name for name in _functions if not name.startswith("_")]
