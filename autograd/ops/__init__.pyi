# Written by docs/stubs.py, from the table of ops.
# mypy: disable-error-code="overload-overlap, overload-cannot-match"
# (the first that fits is meant)
"""Ops: what each primitive is, and nothing of what is done with it. Its row in `declarations` says all of it."""

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias, TypeVar, overload

from numpy.typing import NDArray

from ..numbers.dual import Dual
from ..numbers.number import Number
from ..numbers.value import Value
from ..support.plain import Real
from . import ieee as ieee
from .declarations import is_builtin as is_builtin
from .declarations import named as named
from .meaning import Mathematics as Mathematics
from .op import Op as Op

_N = TypeVar("_N", bound=Number)
_K = TypeVar("_K", float, Value, Dual, Number)  # one kind of number alone
_Broadcast: TypeAlias = NDArray[Any] | Number | Real
_K1 = TypeVar("_K1", NDArray[Any], float, Value, Dual, Number, Value | float)  # arrays first: without NumPy it is not known what they are

class Primitive(Op):
    """A primitive of your own, of so many operands as its function takes."""

    @overload
    def __call__(self, x: _K1, /) -> _K1: ...
    @overload
    def __call__(self, *operands: _K) -> _K: ...
    @overload
    def __call__(self, *operands: _N | Real) -> _N: ...
    @overload
    def __call__(self, x: Iterable[_K], /) -> _K: ...
    @overload
    def __call__(self, x: Iterable[_N | Real], /) -> _N: ...
    @overload
    def __call__(self, *operands: _Broadcast) -> NDArray[Any]: ...

table: Final[dict[str, Op]]
"""Every primitive by its name, in the order of declaration; NumPy's name of one finds it too."""
builtin: Final[frozenset[str]]
"""The names of those that come with the package."""
helpers: Final[frozenset[str]]
"""Those among them that only rules are made of."""

Unary: TypeAlias = Literal[
    "neg", "pos", "reciprocal", "abs", "sign", "square", "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "erf", "erfc",
    "lgamma", "floor", "ceil", "trunc", "step", "stop_gradient", "sigmoid", "log_sigmoid", "softplus", "relu", "leaky_relu", "elu",
    "swish", "gelu", "hardtanh",
]
"""The names of the functions of one number."""

__all__ = [  # noqa: RUF022 (in the order of the table)
    "add", "subtract", "multiply", "divide", "negative", "positive", "power", "reciprocal", "mod", "fmod", "abs", "sign", "square",
    "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "sin", "cos", "tan", "arcsin", "arccos",
    "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "hypot", "erf", "erfc", "lgamma", "polygamma",
    "floor", "ceil", "trunc", "step", "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "maximum", "minimum",
    "clip", "where", "stop_gradient", "sigmoid", "log_sigmoid", "softplus", "relu", "leaky_relu", "elu", "swish", "gelu", "hardtanh",
    "sum", "mean", "prod", "max", "min", "norm", "logsumexp", "dot", "softmax", "log_softmax", "argmax", "sub", "mul", "div", "neg",
    "pos", "pow",
]

class Of_a_b(Op):
    @overload
    def __call__(self, a: _K, b: _K, /) -> _K: ...
    @overload
    def __call__(self, a: _N | float, b: _N | float, /) -> _N: ...
    @overload
    def __call__(self, a: _Broadcast, b: _Broadcast, /) -> NDArray[Any]: ...

class Of_x(Op):
    def __call__(self, x: _K1, /) -> _K1: ...

class Of_y_x(Op):
    @overload
    def __call__(self, y: _K, x: _K, /) -> _K: ...
    @overload
    def __call__(self, y: _N | float, x: _N | float, /) -> _N: ...
    @overload
    def __call__(self, y: _Broadcast, x: _Broadcast, /) -> NDArray[Any]: ...

class Of_n_x(Op):
    @overload
    def __call__(self, n: _K, x: _K, /) -> _K: ...
    @overload
    def __call__(self, n: _N | float, x: _N | float, /) -> _N: ...
    @overload
    def __call__(self, n: _Broadcast, x: _Broadcast, /) -> NDArray[Any]: ...

class Of_x_low_high(Op):
    @overload
    def __call__(self, x: _K, low: _K, high: _K, /) -> _K: ...
    @overload
    def __call__(self, x: _N | float, low: _N | float, high: _N | float, /) -> _N: ...
    @overload
    def __call__(self, x: _Broadcast, low: _Broadcast, high: _Broadcast, /) -> NDArray[Any]: ...

class Of_condition_x_y(Op):
    @overload
    def __call__(self, condition: _K, x: _K, y: _K, /) -> _K: ...
    @overload
    def __call__(self, condition: _N | float, x: _N | float, y: _N | float, /) -> _N: ...
    @overload
    def __call__(self, condition: _Broadcast, x: _Broadcast, y: _Broadcast, /) -> NDArray[Any]: ...

class Of_x_slope(Op):
    @overload
    def __call__(self, x: _K, slope: _K | Real = 0.01, /) -> _K: ...
    @overload
    def __call__(self, x: _N | float, slope: _N | float | Real = 0.01, /) -> _N: ...
    @overload
    def __call__(self, x: _Broadcast, slope: _Broadcast = 0.01, /) -> NDArray[Any]: ...

class Of_x_alpha(Op):
    @overload
    def __call__(self, x: _K, alpha: _K | Real = 1.0, /) -> _K: ...
    @overload
    def __call__(self, x: _N | float, alpha: _N | float | Real = 1.0, /) -> _N: ...
    @overload
    def __call__(self, x: _Broadcast, alpha: _Broadcast = 1.0, /) -> NDArray[Any]: ...

class Of_x_beta(Op):
    @overload
    def __call__(self, x: _K, beta: _K | Real = 1.0, /) -> _K: ...
    @overload
    def __call__(self, x: _N | float, beta: _N | float | Real = 1.0, /) -> _N: ...
    @overload
    def __call__(self, x: _Broadcast, beta: _Broadcast = 1.0, /) -> NDArray[Any]: ...

class Of_sequence(Op):
    @overload
    def __call__(self, x: Iterable[_K], /) -> _K: ...
    @overload
    def __call__(self, x: Iterable[Value | float], /) -> Value: ...
    @overload
    def __call__(self, x: Iterable[_N | float], /) -> _N: ...

add: Of_a_b
"""The function that NumPy calls add, for every kind of number."""
subtract: Of_a_b
"""The function that NumPy calls subtract, for every kind of number."""
multiply: Of_a_b
"""The function that NumPy calls multiply, for every kind of number."""
divide: Of_a_b
"""The function that NumPy calls divide, for every kind of number."""
negative: Of_x
"""The function that NumPy calls negative, for every kind of number."""
positive: Of_x
"""The function that NumPy calls positive, for every kind of number."""
power: Of_a_b
"""a to the power of b. Differentiated again, the derivative in a is b a^(b-1) as written: right to ulps of log a where b is below
1/2."""
reciprocal: Of_x
"""The function that NumPy calls reciprocal, for every kind of number."""
mod: Of_a_b
"""The function that NumPy calls remainder, for every kind of number."""
fmod: Of_a_b
"""The function that NumPy calls fmod, for every kind of number."""
abs: Of_x
"""The function that NumPy calls absolute, for every kind of number."""
sign: Of_x
"""The function that NumPy calls sign, for every kind of number."""
square: Of_x
"""The function that NumPy calls square, for every kind of number."""
sqrt: Of_x
"""The function that NumPy calls sqrt, for every kind of number."""
cbrt: Of_x
"""The function that NumPy calls cbrt, for every kind of number."""
exp: Of_x
"""The function that NumPy calls exp, for every kind of number."""
exp2: Of_x
"""The function that NumPy calls exp2, for every kind of number."""
expm1: Of_x
"""The function that NumPy calls expm1, for every kind of number."""
log: Of_x
"""The function that NumPy calls log, for every kind of number."""
log2: Of_x
"""The function that NumPy calls log2, for every kind of number."""
log10: Of_x
"""The function that NumPy calls log10, for every kind of number."""
log1p: Of_x
"""The function that NumPy calls log1p, for every kind of number."""
logaddexp: Of_a_b
"""log(e^a + e^b), without overflow. Near its root, where e^a + e^b is 1, right to ulps of a and b."""
sin: Of_x
"""The function that NumPy calls sin, for every kind of number."""
cos: Of_x
"""The function that NumPy calls cos, for every kind of number."""
tan: Of_x
"""The function that NumPy calls tan, for every kind of number."""
arcsin: Of_x
"""The function that NumPy calls arcsin, for every kind of number."""
arccos: Of_x
"""The function that NumPy calls arccos, for every kind of number."""
arctan: Of_x
"""The function that NumPy calls arctan, for every kind of number."""
arctan2: Of_y_x
"""The function that NumPy calls arctan2, for every kind of number."""
sinh: Of_x
"""The function that NumPy calls sinh, for every kind of number."""
cosh: Of_x
"""The function that NumPy calls cosh, for every kind of number."""
tanh: Of_x
"""The function that NumPy calls tanh, for every kind of number."""
arcsinh: Of_x
"""The function that NumPy calls arcsinh, for every kind of number."""
arccosh: Of_x
"""The function that NumPy calls arccosh, for every kind of number."""
arctanh: Of_x
"""The function that NumPy calls arctanh, for every kind of number."""
hypot: Of_a_b
"""The function that NumPy calls hypot, for every kind of number."""
erf: Of_x
"""The error function."""
erfc: Of_x
"""1 - erf(x), without cancellation."""
lgamma: Of_x
"""The logarithm of |gamma(x)|. Below 0, where it has roots, right to ulps of log gamma(1 - x)."""
polygamma: Of_n_x
"""The (n+1)-th derivative of lgamma at x, for an order n of 0, 1, ..., 150 that is held constant. Near its roots right to ulps of log x
and of its largest term n! / (x + k)^(n+1)."""
floor: Of_x
"""The function that NumPy calls floor, for every kind of number."""
ceil: Of_x
"""The function that NumPy calls ceil, for every kind of number."""
trunc: Of_x
"""The function that NumPy calls trunc, for every kind of number."""
step: Of_x
"""0 below 0, 1 from 0 on."""
greater: Of_a_b
"""The function that NumPy calls greater, for every kind of number."""
greater_equal: Of_a_b
"""The function that NumPy calls greater_equal, for every kind of number."""
less: Of_a_b
"""The function that NumPy calls less, for every kind of number."""
less_equal: Of_a_b
"""The function that NumPy calls less_equal, for every kind of number."""
equal: Of_a_b
"""The function that NumPy calls equal, for every kind of number."""
not_equal: Of_a_b
"""The function that NumPy calls not_equal, for every kind of number."""
maximum: Of_a_b
"""The function that NumPy calls maximum, for every kind of number."""
minimum: Of_a_b
"""The function that NumPy calls minimum, for every kind of number."""
clip: Of_x_low_high
"""clip(x, low, high): min(max(x, low), high)."""
where: Of_condition_x_y
"""where(condition, x, y): x where the condition is true (not 0), else y. No derivative flows to the condition."""
stop_gradient: Of_x
"""x, held constant: no derivative flows through it, in any mode."""
sigmoid: Of_x
"""1 / (1 + e^-x), the logistic function."""
log_sigmoid: Of_x
"""log(sigmoid(x)), finite far below 0."""
softplus: Of_x
"""log(1 + e^x), a smooth max(x, 0)."""
relu: Of_x
"""max(x, 0)."""
leaky_relu: Of_x_slope
"""x above 0, slope * x below (Maas et al. 2013)."""
elu: Of_x_alpha
"""x above 0, alpha * (e^x - 1) below (Clevert et al. 2016)."""
swish: Of_x_beta
"""x * sigmoid(beta * x) (Ramachandran et al. 2017). The root of its derivative near beta x = -5/4 is right to ulps of 1/4. Compiled,
and differentiated again, all is right to ulps times beta x where beta is not 1."""
gelu: Of_x
"""x times the normal distribution function (Hendrycks & Gimpel 2016), not its tanh approximation. The root of its derivative near -3/4
is right to ulps of 1/4."""
hardtanh: Of_x
"""x between -1 and 1, held at -1 and 1 outside."""
sum: Of_sequence
"""The sum of a sequence, rounded once."""
mean: Of_sequence
"""The mean of a sequence."""
prod: Of_sequence
"""The product of a sequence. No part of it overflows, nor of its derivatives if it has up to eight operands."""
max: Of_sequence
"""The largest of a sequence."""
min: Of_sequence
"""The smallest of a sequence."""
norm: Of_sequence
"""The Euclidean norm of a sequence. Its higher derivatives cancel far along one operand; compiled, the first has as many digits as the
norm, which is few below 1e-308."""
logsumexp: Of_sequence
"""log of the sum of e^x over a sequence, without overflow. Near its roots right to ulps of the largest x."""
sub: Of_a_b
"""The function that NumPy calls subtract, for every kind of number."""
mul: Of_a_b
"""The function that NumPy calls multiply, for every kind of number."""
div: Of_a_b
"""The function that NumPy calls divide, for every kind of number."""
neg: Of_x
"""The function that NumPy calls negative, for every kind of number."""
pos: Of_x
"""The function that NumPy calls positive, for every kind of number."""
pow: Of_a_b
"""a to the power of b. Differentiated again, the derivative in a is b a^(b-1) as written: right to ulps of log a where b is below
1/2."""
@overload
def dot(x: Iterable[_K], y: Iterable[_K], /) -> _K: ...
@overload
def dot(x: Iterable[Value | float], y: Iterable[Value | float], /) -> Value: ...
@overload
def dot(x: Iterable[_N | float], y: Iterable[_N | float], /) -> _N:
    """The inner product of two sequences of one length, as one node."""
@overload
def softmax(x: Iterable[_K], /) -> list[_K]: ...
@overload
def softmax(x: Iterable[Value | float], /) -> list[Value]: ...
@overload
def softmax(x: Iterable[_N | float], /) -> list[_N]:
    """The shares e^x_i / sum_j e^x_j, one node each; exact to a few ulps also where one share dominates."""
@overload
def log_softmax(x: Iterable[_K], /) -> list[_K]: ...
@overload
def log_softmax(x: Iterable[Value | float], /) -> list[Value]: ...
@overload
def log_softmax(x: Iterable[_N | float], /) -> list[_N]:
    """The logarithms of `softmax`, one node each."""
def argmax(x: Iterable[Number | Real], /) -> int:
    """The index of the largest number, the first of equals; nan counts as largest. An int: it carries no derivative."""
