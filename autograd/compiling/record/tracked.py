"""A compiled function called with numbers that somebody follows: inside grad, jacobian, jvp, and inside another compiled function.

Each row is one node with a rule of its own. On floats the rule runs the program; on any other numbers it replays the recording, so that
it can be differentiated again. Inside another recording the operations themselves are recorded, to be optimised with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...numbers.dual import Dual
from ...numbers.number import Number
from ...numbers.tracking import guards, is_tracked
from ...ops.op import Op
from ...support.plain import is_array
from .layout import Layout, as_rows
from .recording import Recorded
from .replay import Replay


def any_tracked(*trees: Any) -> bool:
    """Whether anybody follows a number of these structures."""
    return bool(guards()) and any(map(_is_followed, _numbers(trees)))


def _is_followed(x: Number) -> bool:
    return isinstance(x, (Dual, Recorded)) or is_tracked(x)


def _numbers(trees: Any) -> Iterator[Number]:
    """The numbers of this package in nested structures."""
    waiting = list(trees)
    while waiting:
        x = waiting.pop()
        if isinstance(x, Number):
            yield x
        elif isinstance(x, (list, tuple)):
            waiting += x
        elif isinstance(x, dict):
            waiting += x.values()
        elif is_array(x) and x.dtype == object:
            waiting += x.flat


class Tracked:
    """What a compiled function does with numbers that are followed.

    Args:
        machine: what runs the program on floats.
        replay: the recording.
        params, inputs: the structures that were compiled.
    """

    def __init__(self, machine: Any, replay: Replay, params: Layout, inputs: Layout) -> None:
        self._machine, self._replay = machine, replay
        self._params, self._inputs = params, inputs
        self._ops = [self._op(k) for k in range(len(replay.roots))]

    def values(self, params: Any, rows: Any) -> Any:
        """The result for each row, as nodes."""
        results = [self._row(p, row) for p, row in self._each(params, rows)]
        return _array(results if self._replay.several else [y for (y,) in results])

    def value_and_grad(self, params: Any, rows: Any, seed: float) -> tuple[Any, list[Any]]:
        """The sum of seed * result over the rows, and its gradient in the parameters."""
        total: Any = 0.0
        grads: list[Any] = [0.0] * self._params.size
        for p, row in self._each(params, rows):
            value, shares, _ = self._replay.gradient(p, row, seed)
            total = total + value * seed
            grads = [a + b for a, b in zip(grads, shares, strict=True)]
        return total, grads

    def input_grads(self, params: Any, rows: Any) -> Any:
        """The gradient of each result in its row."""
        return _array([self._replay.gradient(p, row, 1.0)[2] for p, row in self._each(params, rows)])

    def _each(self, params: Any, rows: Any) -> Iterator[tuple[list[Any], list[Any]]]:
        """The parameters and the numbers of each row: those that are followed as they are, others as floats."""
        p = _followed(self._params, params)
        return ((p, _followed(self._inputs, row)) for row in as_rows(rows))

    def _row(self, params: list[Any], row: list[Any]) -> list[Any]:
        if any(map(_is_recorded, (*params, *row))):
            return self._replay.values(params, row)
        return [op.apply(*params, *row) for op in self._ops]

    def _op(self, k: int) -> Op:
        """The k-th result as a function of all parameters and all numbers of a row."""
        n, machine, replay = self._params.size, self._machine, self._replay

        def forward(*x: float) -> float:
            results = machine.values(*machine.one(x[:n], x[n:]))[0]
            return float(results[k] if replay.several else results)

        def partials(y: Any, *x: Any) -> tuple[Any, ...]:
            if type(y) is not float or replay.several:
                _, grads, input_grads = replay.gradient(x[:n], x[n:], 1.0, k)
                return (*grads, *input_grads)
            one = machine.one(x[:n], x[n:])
            return (*map(float, machine.value_and_grad(*one, 1.0)[1]), *map(float, machine.input_grads(*one)[0]))

        return Op("compiled", forward, partials, arity=None, doc="A compiled function of its parameters and the numbers of one row.")


def _followed(layout: Layout, tree: Any) -> list[Any]:
    return [x if isinstance(x, Number) and _is_followed(x) else layout.number(x) for x in layout.leaves(tree)]


def _is_recorded(x: Any) -> bool:
    while isinstance(x, Dual):
        x = x.primal
    return isinstance(x, Recorded)


def _array(results: list[Any]) -> Any:
    """The results as an array of objects where there is NumPy, else as they are."""
    try:
        import numpy as np
    except ImportError:
        return results
    return np.array(results, dtype=object)
