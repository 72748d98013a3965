"""An op over NumPy arrays. Called where an array is in hand, so that NumPy is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..support.plain import shown
from ..support.structure import is_masked

if TYPE_CHECKING:
    from numpy.typing import NDArray


def elementwise(apply: Callable[..., Any], operands: tuple[Any, ...]) -> NDArray[Any]:
    """`apply` over arrays, broadcast as NumPy does; floats if no operand holds other kinds of number."""
    import numpy as np

    for x in operands:
        unmasked(x)
    with np.errstate(all="ignore"):  # the kernels give the limits of IEEE 754
        result = np.frompyfunc(apply, len(operands), 1)(*map(wrapped, operands))
    plain = all(np.asarray(wrapped(x)).dtype.kind in "biuf" for x in operands)
    return np.asarray(result, dtype=float) if plain else result


def wrapped(x: Any) -> Any:
    """A number of ours as an array of no dimensions, so that NumPy takes it for an object and does not ask it again."""
    if not hasattr(type(x), "_rank"):
        return x
    import numpy as np

    a = np.empty((), dtype=object)
    a[()] = x
    return a


def unmasked(x: Any) -> Any:
    """`x`; a ValueError if some of its entries are masked."""
    if is_masked(x):
        way_out = "fill them in with filled(), or leave them out"
        raise ValueError(f"some entries are masked, and would be computed with: {way_out} (got {shown(x)})")
    return x
