"""What numerical differentiation says of a function at a point: the witness that gradcheck hears.

The difference quotient of a long computation drowns in rounding, and a kink anywhere in it spoils all steps that reach so far. So
the function is recorded, each operation of the graph is differenced by itself, and the chain rule joins their slopes: as
intervals, so that it is known how exact the outcome is. No rule of the package is asked for a derivative.

That holds where each operation is smooth and where the graph is the function: points beside must record the same graph with the
same constants. At kinks, jumps and borders the slopes at points ever nearer on one side lead to that side's slope. Where neither tells
the slope, differences of the function's values do, as well as they can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .slopes import UNKNOWN, ZERO, Interval, distances, limit, middle, plus, slope, times, width
from .value import Value, topological_order

Function = Callable[[list[Value]], list[Any]]
_PROBES = (0.0, 1.0, -1e10)


class Recorded:
    """The outputs of a function at a point, and their graph.

    Attributes:
        nodes: all that the outputs depend on, in order.
        form: what was computed, but for what the inputs bring. Points of one form lie on one formula.
    """

    def __init__(self, f: Function, at: Sequence[float]) -> None:
        self.inputs = [Value(x) for x in at]
        self.outputs = f(self.inputs)
        self.nodes = topological_order([y for y in self.outputs if isinstance(y, Value)])
        places = {id(x): f"input {i}" for i, x in enumerate(self.inputs)}
        self.form: list[Any] = []
        for node in self.nodes:
            if node.op is not None:
                places[id(node)] = f"result {len(self.form)}"
                self.form.append((node.op, *(_named(x, places) for x in node.args)))
        self.form.append([_named(y, places) for y in self.outputs])
        self._partials: dict[tuple[int, int], Interval] = {}

    def value(self, i: int) -> float:
        """The i-th output."""
        y = self.outputs[i]
        return y.data if isinstance(y, Value) else float(y)

    def slope(self, i: int, j: int) -> Interval:
        """The derivative of the i-th output in the j-th input by the chain rule, from differences of each operation."""
        depends = {id(self.inputs[j])}
        path = []
        for node in self.nodes:
            if any(id(x) in depends for x in node.parents):
                depends.add(id(node))
                path.append(node)
        adjoints = {id(self.outputs[i]): (1.0, 1.0)}
        for node in reversed(path):
            upstream = adjoints.get(id(node), ZERO)
            if upstream != ZERO:
                for k, x in enumerate(node.args):
                    if id(x) in depends:
                        adjoints[id(x)] = plus(adjoints.get(id(x), ZERO), times(upstream, self._partial(node, k)))
        return adjoints.get(id(self.inputs[j]), ZERO)

    def _partial(self, node: Value, k: int) -> Interval:
        key = id(node), k
        if key not in self._partials:
            self._partials[key] = partial(node, k)
        return self._partials[key]

    def sides(self) -> list[Any]:
        """On which side of each kink the point lies."""
        return [(node.op, switches(node.op, [float(x) for x in node.args])) for node in self.nodes if node.op is not None]

    def outside(self) -> str:
        """The first operation that is not finite although its operands are, and where; empty if there is none."""
        for node in self.nodes:
            operands = [float(a) for a in node.args]
            if node.op is not None and not math.isfinite(node.data) and all(map(math.isfinite, operands)):
                return f"{node.op.name} at {', '.join(f'{a:.6g}' for a in operands)}"
        return ""


def _named(x: Any, places: dict[int, str]) -> Any:
    if id(x) in places:
        return places[id(x)]
    constant = float(x)
    return constant if constant == constant else "nan"


def switches(op: Any, operands: Sequence[float]) -> tuple[float, ...]:
    """The signs of what vanishes at the kinks of an op."""
    return tuple(math.copysign(1.0, s) if s else 0.0 for s in op.kinks(*operands)) if op.kinks is not None else ()


def partial(node: Value, k: int) -> Interval:
    """The derivative of an operation in its k-th operand, by differences on the side of its kinks where it is."""
    op = node.op
    operands = [float(x) for x in node.args]
    x, seen = operands[k], set()

    def moved(z: float) -> float:
        at = [*operands[:k], z, *operands[k + 1 :]]
        try:
            y = float(op.forward(*at)) if switches(op, at) == here else math.nan
        except (ArithmeticError, ValueError):
            y = math.nan
        seen.add(y)
        return y

    here = switches(op, operands)
    if not math.isfinite(x):
        return ZERO if all(op.forward(*operands[:k], z, *operands[k + 1 :]) == node.data for z in _PROBES) else UNKNOWN
    reach = max(abs(v) for v in operands if math.isfinite(v))
    borders = (0.0, *(b for b in op.domain[min(k, len(op.domain) - 1)] if math.isfinite(b)))
    found = [slope(moved, x, side, reach, borders) for side in (1.0, -1.0)]
    if here and {y for y in seen if y == y} == {node.data}:
        return ZERO  # constant between its kinks
    return _joined([s for s in found if s is not None])


def _joined(sides: list[Interval]) -> Interval:
    """One slope from those of either side; unknown where they contradict each other, at a kink that nobody declared."""
    if not sides:
        return UNKNOWN
    a, b = min(sides, key=width), max(sides, key=width)
    low, high = max(a[0], b[0]), min(a[1], b[1])
    if low <= high:
        return a
    return (high, low) if low - high <= 1e-6 * max(abs(middle(a)), abs(middle(b))) else UNKNOWN


class Witness:
    """The slopes of the outputs of `f` in each of its inputs, at a point.

    Args:
        f: takes Values in a list, returns numbers in a list.
        at: the point.
    """

    def __init__(self, f: Function, at: Sequence[float]) -> None:
        self.f = f
        self.at = list(at)
        self.here = Recorded(f, at)

    def slopes(self, i: int, j: int, enough: Callable[[Interval], bool]) -> tuple[Interval | None, Interval | None]:
        """The slopes of output i in input j on the left and on the right, None where the function is not finite.

        `enough` says whether a slope is exact enough; if it is not, other ways to find it are tried.
        """
        if self._is_its_graph(j):
            found = self.here.slope(i, j)
            if enough(found):
                return found, found
        return self._beside(i, j, -1.0, enough), self._beside(i, j, 1.0, enough)

    def recorded(self, j: int, x: float) -> Recorded | None:
        """The function recorded where its j-th input is x; None if it raises there."""
        try:
            return Recorded(self.f, [*self.at[:j], x, *self.at[j + 1 :]])
        except (ArithmeticError, ValueError):
            return None

    def _is_its_graph(self, j: int) -> bool:
        """Whether the function has the same form on both sides of the point, some way out."""
        x = self.at[j]
        for h in (s * 2.0**-k for s in sorted({max(abs(x), 1.0), abs(x)} - {0.0}, reverse=True) for k in (10, 20, 30)):
            beside = self.recorded(j, x + h), self.recorded(j, x - h)
            if all(sample is not None and sample.form == self.here.form for sample in beside):
                return True
        return False

    def _beside(self, i: int, j: int, side: float, enough: Callable[[Interval], bool]) -> Interval | None:
        """The limit of the slopes at points ever nearer on one side."""
        run: list[Interval] = []
        form = None
        for k, d in enumerate(distances(self.at[j])):
            sample = self.recorded(j, self.at[j] + side * d)
            if sample is None or not math.isfinite(sample.value(i)):
                if k >= 2 and form is None:
                    return None
                run = []
                continue
            if sample.form != form:
                run, form = [], sample.form
            run.append(sample.slope(i, j))
            if UNKNOWN in run[-4:] or len(run) < 4:
                continue
            found = limit(run[-4:])
            if found is not None and enough(found):
                return found
        return self._by_values(i, j, side)

    def _by_values(self, i: int, j: int, side: float) -> Interval:
        """From differences of the function itself, on one side of all its kinks."""
        near = next((s for d in distances(self.at[j]) if (s := self.recorded(j, self.at[j] + side * d))), None)
        if near is None:
            return UNKNOWN
        sides = near.sides()

        def value(x: float) -> float:
            sample = self.recorded(j, x)
            return sample.value(i) if sample is not None and sample.sides() == sides else math.nan

        return slope(value, self.at[j], side) or UNKNOWN
