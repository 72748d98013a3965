"""Vocabulary: the names that mean something in every expression."""

from __future__ import annotations

import math
import unicodedata
from typing import Final

from ... import ops
from ...ops.op import Op

CONSTANTS: Final = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
NOT_ONE_NUMBER: Final = {
    "softmax": "softmax gives several numbers, an expression is one: write exp(a - logsumexp(a, b, c))",
    "log_softmax": "log_softmax gives several numbers, an expression is one: write a - logsumexp(a, b, c)",
    "argmax": "argmax gives a position, which has no derivative: write max(a, b, c) for the largest number",
}


def functions() -> dict[str, Op]:
    """Everything that can be called in an expression, by its names: every public primitive, those of your own included."""
    exported = {name: op for name, op in vars(ops).items() if isinstance(op, Op) and not name.startswith("_")}
    return {name: op for name, op in (ops.table | exported).items() if name not in ops.helpers and name not in NOT_ONE_NUMBER}


def normal(name: str) -> str:
    """The name as Python sees it: some letters have several forms."""
    return unicodedata.normalize("NFKC", name)
