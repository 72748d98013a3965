"""The trace of a graph: the forward pass node by node, and the backward pass edge by edge, with every number that takes part.

The backward pass is the chain rule, one edge at a time: the gradient that has arrived at a result, times the local derivative of
that result in one operand, is that operand's contribution, and contributions add up.

    dL/dx += dL/dy * dy/dx

So a node may pass its gradient on only once all of it has arrived. That is why the order matters, and why reverse topological
order (every node after all that use it) is the one to take. In b = a + a; c = b + b each node has two edges to the same operand:

>>> from autograd import steps
>>> a = Value(1.0, "a"); b = a + a; b.label = "b"; c = b + b; c.label = "c"
>>> for step in steps(c).backward: print(step.node.label, step.receiver.label, step.total)
c c 1.0
c b 1.0
c b 2.0
b a 2.0
b a 4.0

b passes on 2, not the 1 that arrived first. In a diamond a wrong order goes wrong: here b is used by c and by d, and c by d.

>>> c = b * 2.0; d = b + c
>>> def gradient_of_a(order): return [step.total for step in sweep(d, order) if step.parent is a][-1]
>>> gradient_of_a([d, c, b])  # both contributions to b, 1 and 2, arrive before b passes them on
6.0
>>> gradient_of_a([d, b, c])  # too early: b passes on 1 while the 2 from c is still to come
2.0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, overload

from ..graphs.graph import Graph
from ..numbers.local import local
from ..numbers.value import Value, require_current
from ..ops.op import Op
from ..ops.zeros import ZERO, contribution, number, plus
from ..support.tables import short, table

FORWARD: Final = "forward"
BACKWARD: Final = "backward"
_INFIX = frozenset({"+", "-", "*", "/", "**", "%", ">", ">=", "<", "<=", "==", "!="})
_OPERANDS = 6  # written out in a rule; the others of a longer sequence are left out

# A rule is written as parts, (role, text) each, so that a page can set every part in its own type: the name of a node, a forward value,
# a gradient, a local derivative, a sign. A derivative has three: ("d", of, in).
Part = tuple[str, ...]


class Step(NamedTuple):
    """One step: a node computed (forward), or a gradient sent along one edge (backward).

    Attributes:
        phase: "forward" or "backward".
        node: forward the node computed; backward the result whose gradient is passed on (the root, at the seed).
        parent: the operand that receives the contribution; None in the forward phase and at the seed.
        value: the forward value of `node`.
        upstream: the gradient of `node`, complete.
        partial: the local derivative of `node` in `parent`.
        contribution: upstream * partial, 0 if either is a structural zero; 1 at the seed.
        total: the gradient of the receiver so far.
    """

    phase: Literal["forward", "backward"]
    node: Value
    parent: Value | None
    value: float
    upstream: float | None
    partial: float | None
    contribution: float | None
    total: float | None

    @property
    def receiver(self) -> Value:
        """The node whose gradient changes: `parent`, and at the seed the root."""
        return self.node if self.parent is None else self.parent


def sweep(root: Value, order: Iterable[Value]) -> list[Step]:
    """The backward steps when the nodes of `order`, one after another, pass on the gradient that has arrived so far.

    In reverse topological order these are the steps of `backward`; any other order shows what goes wrong.
    """
    return list(_sweep(root, order, {id(node): node.data for node in Graph(root)}))


def _sweep(root: Value, order: Iterable[Value], data: Mapping[int, float]) -> Iterator[Step]:
    """The steps one by one, where the nodes have this data by their ids."""
    total = {id(root): 1.0}
    yield Step(BACKWARD, root, None, data[id(root)], None, None, 1.0, 1.0)
    for node in order:
        if node.op is None:
            continue
        value, upstream = data[id(node)], total.get(id(node), ZERO)
        partials = local(node.op, value, *[data[id(x)] if type(x) is Value else x for x in node.args])
        for x, partial in zip(node.args, partials, strict=True):
            if type(x) is Value:
                share = contribution(upstream, partial)
                so_far = total[id(x)] = plus(total.get(id(x), ZERO), share)
                yield Step(BACKWARD, node, x, value, *map(number, (upstream, partial, share, so_far)))


class Trace(Sequence[Step]):
    """The forward steps, then the backward steps. Prints as a table.

    They are those of the moment at which it was made, and computed when they are asked for.
    """

    def __init__(self, root: Value) -> None:
        self.root = root
        self.graph: Graph = Graph(root)
        require_current(self.graph.nodes)
        self._values = [node.data for node in self.graph.nodes]
        self._sizes = len(self.graph), 1 + self.graph.edges

    @cached_property
    def forward(self) -> list[Step]:
        """One step for each node, in topological order."""
        return [self._computed(i) for i in range(self._sizes[0])]

    @cached_property
    def backward(self) -> list[Step]:
        """The seed, then one step for each edge, in reverse topological order of the results."""
        return list(self._passed_on())

    def _computed(self, i: int) -> Step:
        return Step(FORWARD, self.graph[i], None, self._values[i], None, None, None, None)

    def _passed_on(self) -> Iterator[Step]:
        return _sweep(self.root, reversed(self.graph.nodes), self._data)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: without what is found by the ids of nodes."""
        return {name: vars(self)[name] for name in ("root", "graph", "_values", "_sizes")}

    def __len__(self) -> int:
        return sum(self._sizes)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place, (count, _) = range(len(self))[index], self._sizes
        return self.forward[place] if place < count else self.backward[place - count]

    @cached_property
    def arrivals(self) -> list[tuple[int, int]]:
        """For each backward step, which contribution to its receiver it is, and of how many: (1, 2)."""
        return [arrival for _, arrival in self._arriving()]

    def _arriving(self) -> Iterator[tuple[Step, tuple[int, int]]]:
        """The backward steps, one by one, with their arrivals."""
        expected = Counter([id(parent) for node in self.graph for parent in node.parents])
        expected[id(self.root)] += 1
        arrived = dict.fromkeys(expected, 0)
        for step in self._passed_on():
            receiver = id(step.receiver)
            arrived[receiver] += 1
            yield step, (arrived[receiver], expected[receiver])

    @cached_property
    def names(self) -> dict[int, str]:
        """What the rules call each node, by its id."""
        return {key: short(name, 24) for key, name in self.graph.names().items()}

    def formula(self, index: int) -> str:
        """The rule of one step, written out with its numbers: "dL/dw += dL/dy * dy/dw = 0.5 * -1 = -0.5"."""
        return self._formula(self[index])

    def _formula(self, step: Step) -> str:
        return "".join(f"d{part[1]}/d{part[2]}" if part[0] == "d" else part[1] for part in self._rule(step))

    def parts(self, index: int) -> list[Part]:
        """The rule of one step in parts: (role, text) each, or ("d", of, in) for a derivative."""
        return self._rule(self[index])

    def _rule(self, step: Step) -> list[Part]:
        return self._forward_rule(step) if step.phase == FORWARD else self._backward_rule(step)

    def _forward_rule(self, step: Step) -> list[Part]:
        node, name = step.node, self._name(step.node)
        rule = [name, ("sign", " = ")]
        if node.op is not None:
            shown = node.args[:_OPERANDS]
            more = len(node.args) > _OPERANDS
            rule += [*_applied(node.op, [self._name(x) for x in shown], more), ("sign", " = ")]
            rule += [*_applied(node.op, [self._value(x) for x in shown], more), ("sign", " = ")]
        return [*rule, ("value", _number(step.value))]

    def _backward_rule(self, step: Step) -> list[Part]:
        root, node = self.names[id(self.root)], self.names[id(step.node)]
        if step.parent is None:
            return [("d", root, node), ("sign", " = "), ("gradient", _number(step.total))]
        parent = self.names[id(step.parent)]
        rule: list[Part] = [("d", root, parent), ("sign", " += "), ("d", root, node), ("sign", " * "), ("d", node, parent)]
        rule += [("sign", " = "), ("gradient", _number(step.upstream)), ("sign", " * "), ("partial", _number(step.partial))]
        return [*rule, ("sign", " = "), ("gradient", _number(step.contribution))]

    def _name(self, x: Value | float) -> Part:
        return ("name", self.names[id(x)]) if isinstance(x, Value) else ("constant", _number(x))

    def _value(self, x: Value | float) -> Part:
        return ("value", _number(self._data[id(x)])) if isinstance(x, Value) else ("constant", _number(x))

    @cached_property
    def _data(self) -> dict[int, float]:
        """What each node held when the steps were taken, by its id."""
        return dict(zip(map(id, self.graph), self._values, strict=True))

    def table(self, limit: int = 1000) -> str:
        """Both phases as tables, with the rule of every step. The middle of a phase of more than `limit` steps is left out."""
        n, m = self._sizes
        forward = [(str(i), _number(self._values[i]), self._formula(self._computed(i))) for i in _shown(n, limit)]
        shown = set(_shown(m, limit))
        backward = [
            (str(n + i), _number(step.total), f"{arrived} of {expected}", self._formula(step))
            for i, (step, (arrived, expected)) in enumerate(self._arriving())
            if i in shown
        ]
        return (
            f"forward: every node after its operands\n{table(('step', 'value', 'rule'), _gap(forward, n))}\n\n"
            f"backward: every node after all that use it\n{table(('step', 'total', 'arrived', 'rule'), _gap(backward, m))}"
        )

    def __str__(self) -> str:
        return self.table(60)

    def __repr__(self) -> str:
        (name,) = self.graph.names([self.root]).values()
        return f"<{type(self).__name__} of {short(name, 24)}: {self._sizes[0]} forward, {self._sizes[1]} backward>"


def _applied(op: Op, operands: list[Part], more: bool) -> list[Part]:
    """An op and its operands as formulas have them."""
    if op.symbol in _INFIX and len(operands) == 2:
        base = _bracketed(operands[0]) if op.symbol == "**" and operands[0][1].startswith("-") else operands[0]
        return [base, ("sign", f" {op.symbol} "), operands[1]]
    if op.name == "neg":
        return [("sign", "-"), _bracketed(operands[0])]
    if op.name == "reciprocal":
        return [("constant", "1"), ("sign", " / "), operands[0]]
    listed: list[Part] = [("function", op.name), ("sign", "(")]
    for i, operand in enumerate(operands):
        listed += [("sign", ", "), operand] if i else [operand]
    return [*listed, ("sign", ", ...)" if more else ")")]


def _bracketed(part: Part) -> Part:
    role, text = part
    return part if role == "name" else (role, f"({text})")


def _number(x: Any) -> str:
    return f"{x:.4g}"


def _shown(count: int, limit: int) -> list[int]:
    """The indices to show of so many: all, or as many as the limit allows at both ends."""
    if count <= limit:
        return list(range(count))
    ends = max(limit // 2, 1)
    return [*range(ends), *range(count - ends, count)]


def _gap(rows: list[Any], count: int) -> list[Any]:
    """The rows with a line in the middle that says how many are left out there."""
    if len(rows) == count:
        return rows
    half = len(rows) // 2
    missing = ("...", *("" for _ in rows[0][2:]), f"({count - len(rows):,} more)")
    return [*rows[:half], missing, *rows[half:]]
