# Written by docs/stubs.py, from the table of ops.
# mypy: disable-error-code="overload-overlap, overload-cannot-match"
# (the first that fits is meant)
"""Methods: what every kind of number can do, by operators and methods of the table's names. `Number` installs them; the stub beside this
file, which docs/stubs.py writes from the table, tells editors and type checkers what they are."""

from typing import Any, TypeVar, overload

from numpy.typing import NDArray
from typing_extensions import Self

from ..support.plain import Real
from .number import Number

_N = TypeVar("_N", bound=Number)

class Methods:
    """What every kind of number can do."""

    def __neg__(self) -> Self: ...
    def __pos__(self) -> Self: ...
    def __abs__(self) -> Self: ...
    def __floor__(self) -> Self: ...
    def __ceil__(self) -> Self: ...
    def __trunc__(self) -> Self: ...
    @overload
    def __add__(self, other: Self | Real, /) -> Self: ...
    @overload
    def __add__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __add__(self, other: _N, /) -> Self | _N: ...
    @overload
    def __radd__(self, other: Real, /) -> Self: ...
    @overload
    def __radd__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __sub__(self, other: Self | Real, /) -> Self: ...
    @overload
    def __sub__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __sub__(self, other: _N, /) -> Self | _N: ...
    @overload
    def __rsub__(self, other: Real, /) -> Self: ...
    @overload
    def __rsub__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __mul__(self, other: Self | Real, /) -> Self: ...
    @overload
    def __mul__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __mul__(self, other: _N, /) -> Self | _N: ...
    @overload
    def __rmul__(self, other: Real, /) -> Self: ...
    @overload
    def __rmul__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __truediv__(self, other: Self | Real, /) -> Self: ...
    @overload
    def __truediv__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __truediv__(self, other: _N, /) -> Self | _N: ...
    @overload
    def __rtruediv__(self, other: Real, /) -> Self: ...
    @overload
    def __rtruediv__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __pow__(self, other: Self | Real, /) -> Self: ...
    @overload
    def __pow__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __pow__(self, other: _N, /) -> Self | _N: ...
    @overload
    def __rpow__(self, other: Real, /) -> Self: ...
    @overload
    def __rpow__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __mod__(self, other: Self | Real, /) -> Self: ...
    @overload
    def __mod__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    @overload
    def __mod__(self, other: _N, /) -> Self | _N: ...
    @overload
    def __rmod__(self, other: Real, /) -> Self: ...
    @overload
    def __rmod__(self, other: NDArray[Any], /) -> NDArray[Any]: ...
    def neg(self) -> Self:
        """The function that NumPy calls negative, for every kind of number."""
    def pos(self) -> Self:
        """The function that NumPy calls positive, for every kind of number."""
    def reciprocal(self) -> Self:
        """The function that NumPy calls reciprocal, for every kind of number."""
    def fmod(self, b: Self | Real, /) -> Self:
        """The function that NumPy calls fmod, for every kind of number."""
    def abs(self) -> Self:
        """The function that NumPy calls absolute, for every kind of number."""
    def sign(self) -> Self:
        """The function that NumPy calls sign, for every kind of number."""
    def square(self) -> Self:
        """The function that NumPy calls square, for every kind of number."""
    def sqrt(self) -> Self:
        """The function that NumPy calls sqrt, for every kind of number."""
    def cbrt(self) -> Self:
        """The function that NumPy calls cbrt, for every kind of number."""
    def exp(self) -> Self:
        """The function that NumPy calls exp, for every kind of number."""
    def exp2(self) -> Self:
        """The function that NumPy calls exp2, for every kind of number."""
    def expm1(self) -> Self:
        """The function that NumPy calls expm1, for every kind of number."""
    def log(self) -> Self:
        """The function that NumPy calls log, for every kind of number."""
    def log2(self) -> Self:
        """The function that NumPy calls log2, for every kind of number."""
    def log10(self) -> Self:
        """The function that NumPy calls log10, for every kind of number."""
    def log1p(self) -> Self:
        """The function that NumPy calls log1p, for every kind of number."""
    def sin(self) -> Self:
        """The function that NumPy calls sin, for every kind of number."""
    def cos(self) -> Self:
        """The function that NumPy calls cos, for every kind of number."""
    def tan(self) -> Self:
        """The function that NumPy calls tan, for every kind of number."""
    def arcsin(self) -> Self:
        """The function that NumPy calls arcsin, for every kind of number."""
    def arccos(self) -> Self:
        """The function that NumPy calls arccos, for every kind of number."""
    def arctan(self) -> Self:
        """The function that NumPy calls arctan, for every kind of number."""
    def arctan2(self, x: Self | Real, /) -> Self:
        """The function that NumPy calls arctan2, for every kind of number."""
    def sinh(self) -> Self:
        """The function that NumPy calls sinh, for every kind of number."""
    def cosh(self) -> Self:
        """The function that NumPy calls cosh, for every kind of number."""
    def tanh(self) -> Self:
        """The function that NumPy calls tanh, for every kind of number."""
    def arcsinh(self) -> Self:
        """The function that NumPy calls arcsinh, for every kind of number."""
    def arccosh(self) -> Self:
        """The function that NumPy calls arccosh, for every kind of number."""
    def arctanh(self) -> Self:
        """The function that NumPy calls arctanh, for every kind of number."""
    def hypot(self, b: Self | Real, /) -> Self:
        """The function that NumPy calls hypot, for every kind of number."""
    def erf(self) -> Self:
        """The error function."""
    def erfc(self) -> Self:
        """1 - erf(x), without cancellation."""
    def lgamma(self) -> Self:
        """The logarithm of |gamma(x)|. Below 0, where it has roots, right to ulps of log gamma(1 - x)."""
    def floor(self) -> Self:
        """The function that NumPy calls floor, for every kind of number."""
    def ceil(self) -> Self:
        """The function that NumPy calls ceil, for every kind of number."""
    def trunc(self) -> Self:
        """The function that NumPy calls trunc, for every kind of number."""
    def step(self) -> Self:
        """0 below 0, 1 from 0 on."""
    def stop_gradient(self) -> Self:
        """x, held constant: no derivative flows through it, in any mode."""
    def sigmoid(self) -> Self:
        """1 / (1 + e^-x), the logistic function."""
    def log_sigmoid(self) -> Self:
        """log(sigmoid(x)), finite far below 0."""
    def softplus(self) -> Self:
        """log(1 + e^x), a smooth max(x, 0)."""
    def relu(self) -> Self:
        """max(x, 0)."""
    def leaky_relu(self, slope: Self | Real = 0.01, /) -> Self:
        """x above 0, slope * x below (Maas et al. 2013)."""
    def elu(self, alpha: Self | Real = 1.0, /) -> Self:
        """x above 0, alpha * (e^x - 1) below (Clevert et al. 2016)."""
    def swish(self, beta: Self | Real = 1.0, /) -> Self:
        """x * sigmoid(beta * x) (Ramachandran et al. 2017). The root of its derivative near beta x = -5/4 is right to ulps of 1/4.
        Compiled, and differentiated again, all is right to ulps times beta x where beta is not 1."""
    def gelu(self) -> Self:
        """x times the normal distribution function (Hendrycks & Gimpel 2016), not its tanh approximation. The root of its derivative
        near -3/4 is right to ulps of 1/4."""
    def hardtanh(self) -> Self:
        """x between -1 and 1, held at -1 and 1 outside."""
