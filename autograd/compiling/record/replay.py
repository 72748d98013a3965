"""Replay: a row computed as it was recorded, one operation after another, by the rules of the eager engine.

A program adds in another order than the code, and multiplies by zeros that are structural (see `ops.zeros`) as by any others. As long
as all is finite that is the same. Where it may not be, because a result or a derivative is nan or infinite, or a zero of
doubtful sign, backends replay the rows: so what comes out is what the eager engine gives, whoever runs the program.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import Any

from ... import ops
from ...numbers.local import local
from ...ops.op import Op
from ...ops.zeros import ZERO, contribution, number, plus
from .recording import Recording
from .tape import CONST, PARAM, live

_EXACT_ON_FLOATS = frozenset({ops.power, ops.norm})
_SUMS = frozenset({ops.add, ops.subtract, ops.sum, ops.mean, ops.table["dot"]})  # programs add in another order


class Replay:
    """A recording, gone through node by node, on numbers of any kind: floats, Lanes (those of several rows at once), Values, Duals."""

    def __init__(self, recording: Recording) -> None:
        marks = live(recording.nodes, recording.roots)
        self._nodes = [(i, node) for i, node in enumerate(recording.nodes) if marks[i]]
        self.roots: list[int] = recording.roots
        self.several: bool = recording.several
        self._sizes = recording.n_params, recording.n_inputs
        of_doubtful_sign = _of_doubtful_sign(self._nodes)
        self.doubtful: list[bool] = [root in of_doubtful_sign for root in self.roots]  # whose zeros may have the wrong sign

    def in_doubt(self, results: Sequence[float]) -> bool:
        """Whether a row with these results has to be replayed."""
        return any(not math.isfinite(y) or (y == 0.0 and sign) for y, sign in zip(results, self.doubtful, strict=True))

    def values(self, params: Sequence[Any], row: Sequence[Any]) -> list[Any]:
        """The results."""
        at = self._forward(params, row)
        return [at[root] for root in self.roots]

    def gradient(self, params: Sequence[Any], row: Sequence[Any], seed: float, k: int = 0) -> tuple[Any, list[Any], list[Any]]:
        """The k-th result, and its derivatives in the parameters and in the inputs, times `seed`."""
        at = self._forward(params, row)
        root = self.roots[k]
        adjoints: dict[int, Any] = {root: seed}
        grads: tuple[list[Any], list[Any]] = ([0.0] * self._sizes[0], [0.0] * self._sizes[1])
        for i, node in reversed(self._nodes):
            upstream = adjoints.pop(i, ZERO)
            if upstream is ZERO or node[0] is CONST:
                continue
            if type(node[0]) is not Op:
                grads[node[0] is not PARAM][node[1]] = number(upstream)
                continue
            for j, partial in zip(node[1:], _partials(node[0], at[i], [at[j] for j in node[1:]]), strict=True):
                adjoints[j] = plus(adjoints.get(j, ZERO), contribution(upstream, partial))
        return at[root], *grads

    def _forward(self, params: Sequence[Any], row: Sequence[Any]) -> dict[int, Any]:
        at: dict[int, Any] = {}
        for i, node in self._nodes:
            head, *rest = node
            if type(head) is Op:
                at[i] = head.apply(*[at[j] for j in rest])
            else:
                at[i] = rest[0] if head is CONST else (params if head is PARAM else row)[rest[0]]
        return at


def _partials(op: Op, y: Any, x: list[Any]) -> Iterable[Any]:
    """The rule of an op; row by row where it keeps more digits of floats, or is a user's own that cannot run on several rows at once."""
    each = getattr(y, "partials_each", None)
    if each is not None and op in _EXACT_ON_FLOATS:
        return each(op, x)  # type: ignore[no-any-return]
    try:
        return local(op, y, *x)
    except Exception:
        if each is None:
            raise
        return each(op, x)  # type: ignore[no-any-return]


# Zeros whose sign a program may get wrong ------------------------------------------------------------------------------------


def _of_doubtful_sign(nodes: Sequence[tuple[int, Any]]) -> set[int]:
    """The nodes that come from sums, whose order decides on the sign of a zero, by ops that pass it on."""
    found: set[int] = set()
    for i, (head, *operands) in nodes:
        if head in _SUMS or (type(head) is Op and not found.isdisjoint(operands) and _passes_on_signs_of_zeros(head, len(operands))):
            found.add(i)
    return found


@cache
def _passes_on_signs_of_zeros(op: Op, count: int) -> bool:
    """Whether the sign of an operand that is zero is seen in the result."""
    if op.name not in ops.builtin or count > 3:
        return True
    for x in product((0.0, 1.0, -1.0), repeat=count):
        for k, v in enumerate(x):
            if v == 0.0 and repr(op.forward(*x)) != repr(op.forward(*x[:k], -0.0, *x[k + 1 :])):
                return True
    return False
