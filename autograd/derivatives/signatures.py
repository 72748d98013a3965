"""What the transformations take and return, as checkers and editors see it: functions whose result has the structure of an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from ..numbers.number import Number
    from ..support.plain import Real

    Floats = TypeVar("Floats", list[float], list[list[float]], tuple[float, ...], dict[str, float], NDArray[float64])
    N = TypeVar("N", bound=Number)
T = TypeVar("T")
P = ParamSpec("P")
Structure: TypeAlias = Any  # numbers of any kind in lists, tuples, dicts and arrays, as a function of the user's has them
Function: TypeAlias = Callable[[Any], Any] | Callable[[Any, Any], Any] | Callable[[Any, Any, Any], Any] | Callable[P, Any]
"""A function of numbers of any kind in any structure. The last says it all; the others tell of a lambda that its parameters are Any."""


class Gradient(Protocol):
    """The gradient in the first argument: it has the structure of that."""

    __name__: str

    @overload
    def __call__(self, x: Real, /, *others: Any, **options: Any) -> float: ...
    @overload
    def __call__(self, x: list[float], /, *others: Any, **options: Any) -> list[float]: ...
    @overload
    def __call__(self, x: T, /, *others: Any, **options: Any) -> T: ...


class GradientInAny(Protocol):
    """The gradient in an argument that is chosen by its position."""

    __name__: str

    @overload
    def __call__(self, *args: Real, **options: Any) -> float: ...
    @overload
    def __call__(self, *args: T, **options: Any) -> T: ...


class GradientInSeveral(Protocol):
    """The gradients in several arguments: a tuple."""

    __name__: str

    @overload
    def __call__(self, *args: Real, **options: Any) -> tuple[float, ...]: ...
    @overload
    def __call__(self, *args: T, **options: Any) -> tuple[T, ...]: ...


class ValueAndGradient(Protocol):
    """The value, and the gradient in the first argument."""

    __name__: str

    @overload
    def __call__(self, x: Real, /, *others: Any, **options: Any) -> tuple[float, float]: ...
    @overload
    def __call__(self, x: Floats, /, *others: Any, **options: Any) -> tuple[float, Floats]: ...
    @overload
    def __call__(self, x: N, /, *others: Any, **options: Any) -> tuple[N, N]: ...
    @overload
    def __call__(self, x: list[N], /, *others: Any, **options: Any) -> tuple[N, list[N]]: ...
    @overload
    def __call__(self, x: T, /, *others: Any, **options: Any) -> tuple[Any, T]: ...


class ValueAndGradientInAny(Protocol):
    """The value, and the gradient in an argument that is chosen by its position, or the gradients in several."""

    __name__: str

    def __call__(self, *args: Any, **options: Any) -> tuple[Any, Any]: ...


class Hessian(Protocol):
    """The matrix of second derivatives: for each number of the first argument a structure like it."""

    __name__: str

    @overload
    def __call__(self, x: Real, /, *others: Any, **options: Any) -> float: ...
    @overload
    def __call__(self, x: list[float], /, *others: Any, **options: Any) -> list[list[float]]: ...
    @overload
    def __call__(self, x: dict[str, float], /, *others: Any, **options: Any) -> dict[str, dict[str, float]]: ...
    @overload
    def __call__(self, x: NDArray[float64], /, *others: Any, **options: Any) -> NDArray[float64]: ...
    @overload
    def __call__(self, x: N, /, *others: Any, **options: Any) -> N: ...
    @overload
    def __call__(self, x: list[N], /, *others: Any, **options: Any) -> list[list[N]]: ...
    @overload
    def __call__(self, x: Any, /, *others: Any, **options: Any) -> Any: ...
