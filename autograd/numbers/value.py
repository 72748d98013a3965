"""Value: one node of the computational graph, and the backward pass.

A node keeps what computed it (`op` and its operands) and nothing else: no closure, no list of children, no stored
derivative. Edges point from results to operands only, so nodes never form cycles, and dropping the last reference to a
result frees its graph at once. Partial derivatives are computed from the record when they are asked for.

This is the reference implementation, written to be read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, final

from .. import ops
from ..ops.op import Op
from ..ops.zeros import ZERO, number
from ..support.plain import Real, as_float, is_plain, shown
from .groups import Group
from .local import local
from .number import Method, Number
from .tracking import refuse_if_tracked

_new = object.__new__
_sweeping = threading.RLock()  # a sweep marks the nodes that it reaches: one at a time
_editing = threading.Lock()
_edits = 0  # how often the data of any leaf has been set: what is computed notes the count, so that a later edit below it is seen

# Hooks, None unless somebody watches (see watching.py): one is told of each new node, one follows the nodes of each backward sweep. The
# last says what a notebook shows of a node.
on_record: Callable[[Value], None] | None = None
on_sweep: Callable[[Iterator[Value]], Iterator[Value]] | None = None
on_display: Callable[[Value], dict[str, str]] | None = None


def _record(op: Op, operands: tuple[Any, ...], data: float) -> Value:
    node = restored(op, operands, data, 0.0)
    if on_record is not None:
        on_record(node)
    return node


def _lean(op: Op) -> Method:
    """Records `op` of one or two operands, the first of which is a Value, without detours."""
    return _unary(op) if op.arity == 1 else _binary(op)


def _unary(op: Op) -> Method:
    forward = op.forward

    def method(self: Value) -> Value:
        node = _new(Value)
        node._data = forward(self._data)
        node._grad = 0.0
        node.op = op
        node._a = self
        node._b = None
        node._edits = _edits
        if on_record is not None:
            on_record(node)
        return node

    return method


def _binary(op: Op) -> Method:
    forward = op.forward

    def method(self: Value, other: Any) -> Any:
        node = _new(Value)
        if type(other) is Value:
            node._data = forward(self._data, other._data)
        else:
            if type(other) is not float:
                if not is_plain(other):
                    return NotImplemented
                other = float(other)
            node._data = forward(self._data, other)
        node._grad = 0.0
        node.op = op
        node._a = self
        node._b = other
        node._edits = _edits
        if on_record is not None:
            on_record(node)
        return node

    return method


def _constant_first(op: Op) -> Method:
    forward = op.forward
    is_division = op is ops.divide

    def method(self: Value, other: Any) -> Any:
        if type(other) is not float:
            if not is_plain(other):
                return NotImplemented
            other = float(other)
        if is_division and other == 1.0:
            return self.reciprocal()  # 1 / x is the primitive of that name
        node = _new(Value)
        node._data = forward(other, self._data)
        node._grad = 0.0
        node.op = op
        node._a = other
        node._b = self
        node._edits = _edits
        if on_record is not None:
            on_record(node)
        return node

    return method


@final
class Value(Number):
    """A real number that remembers how it was computed.

    Args:
        data: a real number: int, float, bool or a NumPy scalar.
        label: a name for pictures and tables.

    Raises:
        TypeError: if `data` is anything else, or `label` is not a str.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    # One flat record of 88 bytes beside its two floats. The operands are _a and _b (a Value, a float, or None where there is no second);
    # an op of three or more keeps the tuple of them in _a. _about is the label, the group or a pair of both; unset where there is neither.
    __slots__ = ("_a", "_about", "_b", "_data", "_edits", "_grad", "op")

    _rank: ClassVar[int] = 2
    op: Op | None
    _a: Any
    _b: Any
    _about: Any
    _edits: int

    def __init__(self, data: Real, label: str = "") -> None:
        self._data = data if type(data) is float else as_float(data, "data of a Value")
        self._grad = 0.0
        self.op = None
        self._a = self._b = None
        self._edits = 0
        if label:
            self.label = label

    def __init_subclass__(cls) -> None:
        raise TypeError("Value cannot be subclassed: hold a Value in your class, or declare an operation with autograd.primitive")

    @property
    def data(self) -> float:
        """The value of this node. Only a leaf's can be set; Graph(...).forward() then recomputes what depends on it."""
        return self._data

    @data.setter
    def data(self, data: Real) -> None:
        if self.op is not None:
            raise AttributeError(
                f"data of a computed Value cannot be set (this one is the result of {self.op.name!r}): "
                "set the data of leaves, then recompute with autograd.Graph(...).forward()"
            )
        _edit(self, as_float(data, "data of a Value"))

    @property
    def grad(self) -> float:
        """The adjoint: derivative of the last backward's root in this node; leaves accumulate it from call to call."""
        return self._grad

    @grad.setter
    def grad(self, grad: Real) -> None:
        self._grad = as_float(grad, "grad of a Value")

    @property
    def label(self) -> str:
        about = getattr(self, "_about", "")
        return about if type(about) is str else about[0] if type(about) is tuple else ""

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"label of a Value must be a str (got {shown(label)}, {type(label).__name__})")
        described(self, label, self.group)

    @property
    def group(self) -> Group | None:
        """The innermost `autograd.group` block that recorded this node, None outside all and for leaves."""
        about: Any = getattr(self, "_about", "")
        group: Group | None = None if type(about) is str else about[1] if type(about) is tuple else about
        return group

    @property
    def args(self) -> tuple[Value | float, ...]:
        """The operands in order, constants as floats. a * a has (a, a)."""
        if self._b is not None:
            return (self._a, self._b)
        if type(self._a) is tuple:
            return self._a
        return () if self._a is None else (self._a,)

    @property
    def parents(self) -> tuple[Value, ...]:
        """The Values among `args`: one for each edge into this node."""
        a, b = self._a, self._b
        if type(a) is Value:
            return (a, b) if type(b) is Value else (a,)
        if type(a) is tuple:
            return tuple([x for x in a if type(x) is Value])
        return (b,) if type(b) is Value else ()

    def partials(self) -> tuple[float, ...]:
        """The local derivatives of this node, one for each of `parents`."""
        return tuple(map(number, derivatives(self)))

    def backward(self, seed: float = 1.0) -> None:
        """Set the `grad` of every node this one depends on to its derivative, times `seed`.

        Interior nodes are set afresh at each call; leaves add to what they have, until `zero_grad`. If a primitive
        fails on the way, the leaves keep what they had. Threads may call it on one graph: they take turns.

        Raises:
            StaleGraphError: if the data of a leaf was set after something here was computed from it.
        """
        seed = as_float(seed, "seed of backward")
        refuse_if_tracked(self, "backward() from")
        with _sweeping:
            for leaf, before in propagate(self, seed, float("0")):
                leaf._grad += before

    def zero_grad(self) -> None:
        """Set to zero the grad of this node and of every node it depends on."""
        for node in topological_order([self]):
            node._grad = 0.0

    def _real(self) -> float:
        return self._data

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{label})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """In a notebook: its picture while the graph is small, else a summary."""
        return on_display(self) if on_display is not None else {"text/plain": repr(self)}

    def __copy__(self) -> Value:
        refuse_if_tracked(self, "copying")
        copied = restored(self.op, self.args, self._data, self._grad, self.label, self.group)
        copied._edits = self._edits
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        refuse_if_tracked(self, "copying")
        for node in topological_order([self], known=memo):
            args = tuple([memo[id(x)] if type(x) is Value else x for x in node.args])
            copied = memo[id(node)] = restored(node.op, args, node._data, node._grad, node.label, node.group)
            copied._edits = node._edits
        whole: Value = memo[id(self)]
        return whole

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Value:
        operands = tuple([x if type(x) is Value or type(x) is float else as_float(x, f"operand of {op.name}") for x in operands])
        data = op.forward(*[x._data if type(x) is Value else x for x in operands])
        if type(data) is not float:
            data = as_float(data, f"result of primitive {op.name!r}")
        return _record(op, operands, data)

    # The methods below do what Number's do, without detours: recording is most of the time of eager code.

    @classmethod
    def _method(cls, op: Op) -> Method:
        if op.name not in ops.builtin or op.arity not in (1, 2):
            return super()._method(op)
        return super()._method(op) if op.defaults else _lean(op)

    @classmethod
    def _reflected(cls, op: Op) -> Method:
        return _constant_first(op)


for _op in ops.table.values():  # functions take the same short way as operators: exp(v), maximum(v, w)
    if _op.arity in (1, 2):
        _op.shortcuts[Value] = _lean(_op)


def topological_order(roots: Iterable[Value], known: Iterable[int] = ()) -> list[Value]:
    """The roots and all they depend on, every node after its operands; those whose id is in `known` left out."""
    order: list[Value] = []
    seen: set[int] = set(known)
    stack: list[Any] = [*roots][::-1]
    push, pop = stack.append, stack.pop
    while stack:
        node = pop()
        if node is None:  # everything the next node depends on is in order
            order.append(pop())
        elif id(node) not in seen:
            seen.add(id(node))
            if node.op is None:
                order.append(node)
                continue
            push(node)
            push(None)
            a, b = node._a, node._b
            if type(b) is Value:
                push(b)
            if type(a) is Value:
                push(a)
            elif type(a) is tuple:
                stack.extend(x for x in reversed(a) if type(x) is Value)
    return order


def propagate(root: Value, seed: float, zero: float) -> list[tuple[Value, float]]:
    """Give every node that root depends on its derivative, leaves too. Returns the leaves with the grad that they had.

    Args:
        zero: a fresh object of the value 0. A node that carries it as its grad has been reached, and no derivative has arrived there.
    """
    order: list[Value] = []
    leaves: list[tuple[Value, float]] = []
    try:
        _reach(root, zero, order, leaves)
        if _edits:
            require_current(order, [leaf for leaf, _ in leaves])
        if seed != 0.0:
            root._grad = 0.0 + seed
        _sweep(reversed(order), zero)
    except BaseException:
        for node in order:
            node._grad = 0.0
        for leaf, before in leaves:
            leaf._grad = before
        raise
    return leaves


class StaleGraphError(RuntimeError):
    """A graph holds numbers of two points: a leaf was given new data after something was computed from it. The message names the leaf."""


def _edit(leaf: Value, data: float) -> None:
    """Set the data of a leaf."""
    global _edits
    if data == leaf._data != 0.0:  # zeros have signs
        return
    with _editing:
        _edits += 1
        leaf._data, leaf._edits = data, _edits


def recomputed(nodes: Iterable[Value], data: Iterable[float]) -> None:
    """Set the data of computed nodes to what their operands give now."""
    for node, x in zip(nodes, data, strict=True):
        node._data, node._edits = x, _edits


def require_current(nodes: Sequence[Value], leaves: Sequence[Value] = ()) -> None:
    """Raise a StaleGraphError if an operand among the leaves, or among `nodes` themselves, has changed since a node was computed."""
    for node in stale(nodes, leaves):
        x = next(x for x in node.parents if x._edits > node._edits)
        name = repr(x.label) if x.label else "a leaf" if x.op is None else f"the result of {x.op.name}"
        raise StaleGraphError(
            f"{name} was given new data ({x.data!r}) after {node.op.name} had been computed from it: the graph holds numbers of "  # type: ignore[union-attr]
            "two points. Recompute it with autograd.Graph(...).forward(), or build the expression again"
        )


def stale(nodes: Sequence[Value], leaves: Sequence[Value]) -> list[Value]:
    """The nodes that are not what their operands give: one has changed since, and has not been given its old data back.

    Args:
        nodes: operands first.
        leaves: those that are not among them.
    """
    newest = max([leaf._edits for leaf in leaves], default=0)
    for node in nodes:  # most graphs are built without an edit in between
        if node._edits < newest:
            break
        newest = node._edits
    else:
        return []
    return [node for node in nodes if any(x._edits > node._edits for x in node.parents) and _differs(node)]


def _differs(node: Value) -> bool:
    try:
        now = node.op.forward(*[x._data if type(x) is Value else x for x in node.args])  # type: ignore[union-attr]
    except Exception:  # a primitive of the user's own need not be defined at the new point
        return True
    return repr(now) != repr(node._data)


def outdated(node: Value) -> Value:
    """The node, restored from a record, marked as older than its operands."""
    global _edits
    with _editing:
        _edits += 1
    node._edits = -1
    return node


def _reach(root: Value, zero: float, order: list[Value], leaves: list[tuple[Value, float]]) -> None:
    """Give every node that root depends on the grad `zero`; list interior nodes after their operands, leaves with their grad.

    As `topological_order`, but the grad itself serves as the mark: it has to be zeroed anyway.
    """
    stack: list[Any] = [root]
    push, pop = stack.append, stack.pop
    while stack:
        node = pop()
        if node is None:
            order.append(pop())
        elif node._grad is not zero:
            if node.op is None:
                leaves.append((node, node._grad))
                node._grad = zero
                continue
            node._grad = zero
            push(node)
            push(None)
            a, b = node._a, node._b
            if type(b) is Value and b._grad is not zero:
                push(b)
            if type(a) is Value and a._grad is not zero:
                push(a)
            elif type(a) is tuple:
                stack += [x for x in reversed(a) if type(x) is Value and x._grad is not zero]


def _sweep(nodes: Iterator[Value], zero: float) -> None:
    """Pass every node's grad on to its operands: each receives upstream grad x local derivative, nothing if either is nothing."""
    if on_sweep is not None:
        nodes = on_sweep(nodes)
    for node in nodes:
        g, a, b = node._grad, node._a, node._b
        if g is zero:
            continue
        partials = node.op.partials  # type: ignore[union-attr]
        try:
            if type(a) is Value:
                if b is None:
                    (da,) = partials(node._data, a._data)
                    if da is not ZERO:
                        a._grad += g * da
                elif type(b) is Value:
                    da, db = partials(node._data, a._data, b._data)
                    if da is not ZERO:
                        a._grad += g * da
                    if db is not ZERO:
                        b._grad += g * db
                else:
                    da, _ = partials(node._data, a._data, b)
                    if da is not ZERO:
                        a._grad += g * da
            elif type(b) is Value:
                _, db = partials(node._data, a, b._data)
                if db is not ZERO:
                    b._grad += g * db
            else:
                _pass_on(node)
        except (ArithmeticError, TypeError, ValueError):
            _pass_on(node)  # nothing was passed on yet: the rule divided by zero, or says itself what is wrong with it


def _pass_on(node: Value) -> None:
    """The step of `_sweep` for any number of operands, with every check."""
    g = node._grad
    for x, partial in zip(node.parents, derivatives(node), strict=True):
        if partial is not ZERO:
            x._grad += g * partial


def derivatives(node: Value) -> list[float]:
    """The local derivatives of a node, one for each of its parents; ZERO where it does not depend on it."""
    if node.op is None:
        return []
    partials = local(node.op, node._data, *[x._data if type(x) is Value else x for x in node.args])
    return [d for x, d in zip(node.args, partials, strict=True) if type(x) is Value]


def made(op: Op | None, a: Any, b: Any, data: float, grad: float) -> Value:
    node = _new(Value)
    node._data, node._grad, node._edits, node.op, node._a, node._b = data, grad, _edits, op, a, b
    return node


def restored(
    op: Op | None, args: tuple[Any, ...], data: float, grad: float, label: str = "", group: Group | None = None
) -> Value:
    """A node from its record, unchecked and without computing anything."""
    a, b = args if len(args) == 2 else (args[0] if len(args) == 1 else args or None, None)
    node = made(op, a, b, data, grad)
    return described(node, label, group) if label or group is not None else node


def described(node: Value, label: str, group: Group | None) -> Value:
    """The node with a label and a group."""
    node._about = label if group is None else (label, group) if label else group
    return node
