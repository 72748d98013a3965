"""Ops of the compiler's own: users write none of them, passes put them in."""

from __future__ import annotations

from typing import Any, Final

from ... import ops
from ...ops import ieee
from ...ops.op import Op
from ...ops.zeros import ZERO

# The largest of a sequence with derivative 0, to be subtracted where the result does not depend on what is subtracted.
peak: Final = Op("peak", ieee.largest, lambda y, *x: (ZERO,) * len(x), arity=None, doc="The largest of a sequence, held constant.")

spread: Final = Op("spread", lambda x: x, lambda y, x: (1.0,), numpy="positive",
                   doc="What is the same for all rows, as a number of each row.")

# A softmax in parts that its outputs have in common: the exponentials e^(x - peak), and for each of them the sum of all others. Its
# derivatives do not cancel where one share is nearly 1, and its logarithm is exact there.
exp_difference: Final = ops.table["exp_difference"]
fraction: Final = Op("fraction", ieee.fraction, lambda y, a, b: (b / (a + b) / (a + b), -y / (a + b)), arity=2, doc="a / (a + b).")
log_fraction: Final = Op("log_fraction", ieee.log_fraction, lambda y, x, top, rest: _log_fraction_partials(y, x, top, rest), arity=3,
                         doc="log of fraction(e^(x - top), rest).")  # fmt: skip


def _log_fraction_partials(y: Any, x: Any, top: Any, rest: Any) -> tuple[Any, ...]:
    return -ops.expm1(y), ZERO, -1.0 / (exp_difference(x, top) + rest)


ALL: Final = frozenset({peak, spread, fraction, log_fraction})
