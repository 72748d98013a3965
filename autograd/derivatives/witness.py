"""What numerical differentiation says of a function at a point: the witness that gradcheck hears.

The difference quotient of a long computation drowns in rounding, and a kink anywhere in it spoils all steps that reach so far. So
the function is recorded, each operation of the graph is differenced by itself, and the chain rule joins their slopes: between
bounds, so that it is known how exact the outcome is. No rule for a derivative is asked.

That holds where each operation is smooth and where the graph is the function: points beside must record the same graph with the
same constants. At kinks, jumps and borders the slopes at points ever nearer on one side lead to that side's slope. Where neither
tells the slope, differences of the function's values do, as well as they can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..numbers.value import Value, topological_order
from ..ops import stop_gradient
from ..ops.op import Op
from .slopes import UNKNOWN, ZERO, Slope, distances, limit, plus, slope, times

Function = Callable[[list[Value]], list[Any]]


class Recorded:
    """The outputs of a function at a point, and their graph.

    Attributes:
        nodes: the operations, in order.
        form: what was computed, but for what the inputs bring. Points of one form lie on one formula.
    """

    inputs: list[Value]
    outputs: list[Any]
    nodes: list[Value]
    form: tuple[list[tuple[str, ...]], list[str]]

    def __init__(self, f: Function, at: Sequence[float]) -> None:
        self.inputs = [Value(x) for x in at]
        self.outputs = f(self.inputs)
        self.nodes = [node for node in topological_order([y for y in self.outputs if isinstance(y, Value)]) if node.op is not None]
        places = {id(node): place for place, node in enumerate([*self.inputs, *self.nodes])}

        def named(x: Any) -> str:
            return f"#{places[id(x)]}" if id(x) in places else repr(float(x))

        self.form = [(node.op.name, *map(named, node.args)) for node in self.nodes if node.op], [*map(named, self.outputs)]
        self._partials: dict[tuple[int, int], Slope | None] = {}

    def value(self, i: int) -> float:
        """The i-th output."""
        return float(self.outputs[i])

    def slope(self, i: int, j: int) -> Slope:
        """The derivative of the i-th output in the j-th input, by the chain rule from differences of each operation."""
        y, x = self.outputs[i], self.inputs[j]
        depends = {id(x)}
        for node in self.nodes:
            if any(id(a) in depends for a in node.args):
                depends.add(id(node))
        adjoints = {id(y): Slope(1.0, 1.0, 1.0)} if id(y) in depends else {}
        for node in reversed(self.nodes):
            if id(node) in depends and id(node) in adjoints:
                for a in {id(a): a for a in node.parents if id(a) in depends}.values():
                    slope = self._partial(node, a)
                    if slope is not None:
                        share = times(adjoints[id(node)], slope) if slope != UNKNOWN else UNKNOWN  # even times 0: it may be a jump
                        adjoints[id(a)] = plus(adjoints.get(id(a), ZERO), share)
        return adjoints.get(id(x), ZERO)

    def _partial(self, node: Value, operand: Value) -> Slope | None:
        key = id(node), id(operand)
        if key not in self._partials:
            self._partials[key] = partial(node, operand)
        return self._partials[key]

    def sides(self) -> list[Any]:
        """The operations, and on which side of their kinks the point lies."""
        return [(node.op.name, switches(node.op, [*map(float, node.args)])) for node in self.nodes if node.op]

    def outside(self) -> Value | None:
        """The first operation that is not finite although its operands are."""
        return next((y for y in self.nodes if not math.isfinite(y.data) and all(math.isfinite(float(x)) for x in y.args)), None)


# One operation -----------------------------------------------------------------------------------------------------------

_PROBES = (math.nan, 0.0, 1.0, -1e10, 1e10)
_FAR = [side * 2.0**k for side in (-1.0, 1.0) for k in range(12)]


def partial(node: Value, operand: Value) -> Slope | None:
    """The derivative of an operation in one of its operands, by differences on that side of its kinks where it is.

    None if the operation does not look at the operand, as `where` does not at the branch not taken.
    """
    op, x = node.op, operand.data
    assert op is not None
    if op is stop_gradient:
        return None
    operands, places = [*map(float, node.args)], [k for k, a in enumerate(node.args) if a is operand]
    here, seen, at = switches(op, operands), set(), [*operands]

    def moved(z: float) -> float:
        for k in places:
            at[k] = z
        try:
            y = float(op.forward(*at)) if not here or switches(op, at) == here else math.nan
        except (ArithmeticError, ValueError):
            y = math.nan
        seen.add(y)
        return y

    if all(moved(z) == node.data for z in _PROBES):
        return None
    if not math.isfinite(x):
        return UNKNOWN
    seen.clear()
    reach = max(abs(v) for v in operands if math.isfinite(v))
    borders = {0.0, float(round(x)), *filter(math.isfinite, op.domain[min(places[0], len(op.domain) - 1)])}
    sides = [s for side in (1.0, -1.0) if (s := slope(moved, x, side, reach, sorted(borders))) is not None]
    if sides and all(y == node.data or (here and y != y) for y in (*seen, *(moved(x + d) for d in _FAR))):
        return ZERO  # constant, everywhere or between its kinks
    found = _joined(sides)
    return found._replace(size=max(found.size, abs(node.data) / max(1.0, reach)))


def switches(op: Op, operands: Sequence[float]) -> tuple[float, ...]:
    """The signs of what vanishes at the kinks of an op."""
    if op.kinks is None:
        return ()
    try:
        return tuple(math.copysign(1.0, s) if s else 0.0 for s in op.kinks(*operands))
    except (ArithmeticError, ValueError):
        return (math.nan,)


def _joined(sides: list[Slope]) -> Slope:
    """One slope from those of either side; unknown where they contradict each other, at a kink that nobody declared."""
    if len(sides) < 2:
        return sides[0] if sides else UNKNOWN
    a, b = sorted(sides, key=lambda s: s.width)
    low, high = max(a.low, b.low), min(a.high, b.high)
    if low <= high:
        return a
    return Slope(high, low, a.size) if low - high <= 1e-6 * a.size else UNKNOWN


# A whole function --------------------------------------------------------------------------------------------------------


class Witness:
    """The slopes of a function of many numbers at a point.

    Args:
        f: takes Values in a list, returns numbers in a list.
        at: the point.
    """

    def __init__(self, f: Function, at: Sequence[float]) -> None:
        self.f = f
        self.at: list[float] = [*at]
        self.here: Recorded = Recorded(f, at)
        self._moved, self._seen = -1, dict[float, Recorded | None]()  # what was recorded along one input

    def slopes(self, i: int, j: int, enough: Callable[[Slope], bool]) -> tuple[Slope | None, Slope | None]:
        """The slopes of output i in input j on the left and on the right; None where the function is not finite.

        Of the ways to find one, the first counts that is exact `enough`; the others must not contradict it.
        """
        found = self.here.slope(i, j) if self._is_its_graph(j) else UNKNOWN
        if enough(found):
            return found, found
        left, right = (self._beside(i, j, side, enough) for side in (-1.0, 1.0))
        return _unless_apart(left, found), _unless_apart(right, found)

    def breaks(self, i: int, j: int) -> bool:
        """Whether output i jumps at the point, or is computed by other operations on its other side."""
        left, right = (self._finite(i, j, side) for side in (-1.0, 1.0))
        operations = [[name for name, _ in samples[0].sides()] for samples in (left, right)]
        return operations[0] != operations[1] or self._jumps(i, left) or self._jumps(i, right)

    def outside(self, j: int) -> str:
        """The name of the operation that is outside its domain beside the point, if one is."""
        nodes = [sample.outside() for side in (-1.0, 1.0) for sample in self._samples(j, side)[:1] if sample]
        return next((node.op.name for node in nodes if node is not None and node.op is not None), "the function")

    def _recorded(self, j: int, x: float) -> Recorded | None:
        """The function recorded where its j-th input is x; None if it raises there."""
        if j != self._moved:
            self._moved, self._seen = j, {}
        if x not in self._seen:
            try:
                self._seen[x] = Recorded(self.f, [*self.at[:j], x, *self.at[j + 1 :]])
            except (ArithmeticError, ValueError):
                self._seen[x] = None
        return self._seen[x]

    def _is_its_graph(self, j: int) -> bool:
        """Whether the function is of the same form on both sides, some way out."""
        x = self.at[j]
        for h in (length * 2.0**-k for length in (max(abs(x), 1.0), abs(x)) for k in (10, 20, 30)):
            if all(sample and sample.form == self.here.form for sample in (self._recorded(j, x + h), self._recorded(j, x - h))):
                return True
        return False

    def _samples(self, j: int, side: float) -> list[Recorded | None]:
        """The function recorded at points beside, the nearest first."""
        return [self._recorded(j, self.at[j] + side * d) for d in distances(self.at[j])]

    def _finite(self, i: int, j: int, side: float) -> list[Recorded]:
        """Those samples where output i is finite; none if it is not finite next to the point."""
        samples = self._samples(j, side)
        finite = [sample for sample in samples if sample and math.isfinite(sample.value(i))]
        return finite if any(sample in finite for sample in samples[:3]) else []

    def _jumps(self, i: int, samples: Sequence[Recorded]) -> bool:
        """Whether output i comes no nearer to its value at the point while the samples do."""
        rises = [abs(sample.value(i) - self.here.value(i)) for sample in samples[:4]]
        return rises[0] > 0.95 * rises[-1] + 1e-9 * abs(self.here.value(i)) and len(rises) > 1

    def _beside(self, i: int, j: int, side: float, enough: Callable[[Slope], bool]) -> Slope | None:
        """The slope on one side; None if the function is not finite there."""
        samples = self._finite(i, j, side)
        if not samples:
            return None if self._samples(j, side) else UNKNOWN
        pieces = self.here.sides(), samples[0].sides()
        next_to = self._recorded(j, math.nextafter(self.at[j], math.copysign(math.inf, side)))
        is_same_piece = pieces[0] == pieces[1] and samples[0].form == self.here.form
        if (next_to and next_to.sides() not in pieces) or (is_same_piece and self._jumps(i, samples)):
            return UNKNOWN  # something happens in less than the samples are away
        found = _limit(samples, i, j, enough)
        return found or self._by_values(i, j, side, pieces[1], is_same_piece)

    def _by_values(self, i: int, j: int, side: float, piece: list[Any], continuous: bool) -> Slope:
        """From differences of the function itself, within one piece between its kinks."""

        if any(node.op is stop_gradient for node in self.here.nodes):
            return UNKNOWN  # differences see what it holds constant

        def value(x: float) -> float:
            sample = self._recorded(j, x)
            return sample.value(i) if sample and sample.sides() == piece else math.nan

        return slope(value, self.at[j], side, continuous=continuous) or UNKNOWN


def _unless_apart(a: Slope | None, b: Slope) -> Slope | None:
    """The first slope; unknown if the bounds of the other exclude it: the function is a staircase there, by roundings."""
    return a if a is None or (a.low <= b.high and b.low <= a.high) else UNKNOWN


def _limit(samples: list[Recorded], i: int, j: int, enough: Callable[[Slope], bool]) -> Slope | None:
    """The limit of the slopes at points ever nearer: of the nearest four of one form that tell it."""
    if all(sample.slope(i, j) == UNKNOWN for sample in (samples[0], samples[-1])):
        return None  # operands that tie there tie everywhere
    for k in range(len(samples) - 3):
        four = samples[k : k + 4]
        if all(sample.form == four[0].form for sample in four):
            slopes = [sample.slope(i, j) for sample in four]
            found = limit(slopes) if UNKNOWN not in slopes else None
            if found is not None and enough(found):
                return found
    return None
