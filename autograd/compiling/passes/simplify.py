"""Simplify: the same function with fewer and safer operations.

Rules look at one node whose operands are simplified already, and give the place of what replaces it. They hold for real
numbers; where a formula as written overflows or cancels (1/(1+exp(-x)), log(sum(exp(x)))), its replacement does not. Signs
of zeros and roundings may differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ... import ops
from ...ops import ieee
from ...ops.op import INDICATOR, Op
from ..record.private_ops import exp_difference, fraction, log_fraction, peak
from ..record.tape import CONST, Tape, live

Rule = Callable[[Tape, tuple[int, ...]], "int | None"]

_FEW = 4  # terms of a sum that are added one by one
_TERMS = 4096  # sums of exponentials longer than this are left as they are


def simplified(tape: Tape, roots: list[int]) -> tuple[Tape, list[int]]:
    """An equivalent tape, and the places of the roots on it. Leaves stay what they are, operations that nobody needs are left out."""
    new = Tape()
    marks = live(tape.nodes, roots)
    places = [-1] * len(tape.nodes)
    put, constant, find = new.put, new.constant, _RULES.get
    for i, node in enumerate(tape.nodes):
        if not marks[i]:
            continue
        head = node[0]
        if head is CONST:
            places[i] = constant(node[1])
        elif head.__class__ is Op:
            operands = tuple([places[j] for j in node[1:]])
            replaced = _folded(new, head, operands)
            if replaced is None and (rule := find(head)) is not None:
                replaced = rule(new, operands)
            places[i] = put((head, *operands)) if replaced is None else replaced
        else:
            places[i] = put(node)
    return new, [places[root] for root in roots]


def _folded(tape: Tape, op: Op, operands: tuple[int, ...]) -> int | None:
    """The constant that an operation on constants gives."""
    values = []
    for place in operands:
        node = tape.nodes[place]
        if node[0] is not CONST:
            return None
        values.append(node[1])
    return tape.constant(float(op.forward(*values)))


def _make(tape: Tape, op: Op, *operands: int) -> int:
    """An operation, simplified."""
    replaced = _folded(tape, op, operands)
    if replaced is None and (rule := _RULES.get(op)) is not None:
        replaced = rule(tape, operands)
    return tape.put((op, *operands)) if replaced is None else replaced


def _is(tape: Tape, place: int, op: Op) -> bool:
    return tape.nodes[place][0] is op


# Arithmetic --------------------------------------------------------------------------------------------------------------


def _add(tape: Tape, x: tuple[int, ...]) -> int | None:
    a, b = x
    if tape.value(a) == 0.0:
        return b
    if tape.value(b) == 0.0:
        return a
    return tape.put((ops.add, b, a)) if b < a else None


def _subtract(tape: Tape, x: tuple[int, ...]) -> int | None:
    a, b = x
    if tape.value(b) == 0.0:
        return a
    if tape.value(a) == 0.0:
        return _make(tape, ops.negative, b)
    return None


def _is_indicator(head: object) -> bool:
    return isinstance(head, Op) and head.family == INDICATOR


def _multiply(tape: Tape, x: tuple[int, ...]) -> int | None:
    for a, b in (x, x[::-1]):
        factor = tape.value(a)
        if factor == 1.0:
            return b
        if factor == -1.0:
            return _make(tape, ops.negative, b)
        if factor == 0.0 and _is_indicator(tape.nodes[b][0]):
            return a
    a, b = x
    return tape.put((ops.multiply, b, a)) if b < a else None


def _divide(tape: Tape, x: tuple[int, ...]) -> int | None:
    a, b = x
    if tape.value(b) == 1.0:
        return a
    if tape.value(a) == 1.0:
        return _make(tape, ops.reciprocal, b)
    z = _one_plus_exp(tape, b)
    if z is not None:  # e^z / (1 + e^z), and a / (1 + e^z)
        tape.repaired["a / (1 + exp(z))"] += 1
        if tape.nodes[a] == (ops.exp, z):
            return _make(tape, ops.sigmoid, z)
        return _make(tape, ops.multiply, a, _make(tape, ops.sigmoid, _make(tape, ops.negative, z)))
    return _share(tape, tape.nodes[a][1], b) if _is(tape, a, ops.exp) else None


def _negative(tape: Tape, x: tuple[int, ...]) -> int | None:
    node = tape.nodes[x[0]]
    return node[1] if node[0] is ops.negative else None


def _reciprocal(tape: Tape, x: tuple[int, ...]) -> int | None:
    z = _one_plus_exp(tape, x[0])
    if z is None:
        return None
    tape.repaired["1 / (1 + exp(z))"] += 1
    return _make(tape, ops.sigmoid, _make(tape, ops.negative, z))


def _power(tape: Tape, x: tuple[int, ...]) -> int | None:
    base, exponent = x[0], tape.value(x[1])
    if exponent == 0.0:
        return tape.constant(1.0)
    if exponent == 1.0:
        return base
    if exponent == 2.0:
        return _make(tape, ops.square, base)
    if exponent == 3.0:
        return _make(tape, ops.multiply, base, _make(tape, ops.square, base))
    if exponent == 4.0:
        return _make(tape, ops.square, _make(tape, ops.square, base))
    return _make(tape, ops.reciprocal, base) if exponent == -1.0 else None


def _same(tape: Tape, x: tuple[int, ...]) -> int | None:
    return x[0]


def _where(tape: Tape, x: tuple[int, ...]) -> int | None:
    condition = tape.value(x[0])
    if condition is not None:
        return x[1] if condition else x[2]
    return x[0] if _is_indicator(tape.nodes[x[0]][0]) and (tape.value(x[1]), tape.value(x[2])) == (1.0, 0.0) else None


# Exponentials and logarithms ---------------------------------------------------------------------------------------------


def _one_plus_exp(tape: Tape, place: int) -> int | None:
    """z where the node is 1 + e^z."""
    node = tape.nodes[place]
    if node[0] is ops.add:
        for a, b in (node[1:], node[:0:-1]):
            if tape.value(a) == 1.0 and _is(tape, b, ops.exp):
                return int(tape.nodes[b][1])
    return None


def _log(tape: Tape, x: tuple[int, ...]) -> int | None:
    inside = _log_of(tape, x)
    if inside is not None:
        tape.repaired["log of exp, of their sum, or of sigmoid"] += 1
    return inside


def _log_of(tape: Tape, x: tuple[int, ...]) -> int | None:
    node = tape.nodes[x[0]]
    op = node[0]
    if op is ops.exp:
        return int(node[1])
    if op is ops.sigmoid:
        return _make(tape, ops.log_sigmoid, node[1])
    if op is ops.subtract and tape.value(node[1]) == 1.0 and _is(tape, node[2], ops.sigmoid):  # 1 - sigmoid(z) = sigmoid(-z)
        return _make(tape, ops.log_sigmoid, _make(tape, ops.negative, tape.nodes[node[2]][1]))
    if op is fraction and _is(tape, node[1], exp_difference):
        return _make(tape, log_fraction, *tape.nodes[node[1]][1:], node[2])
    z = _one_plus_exp(tape, x[0])
    return _make(tape, ops.softplus, z) if z is not None else _log_of_sum(tape, x[0], at_least=2)


def _log1p(tape: Tape, x: tuple[int, ...]) -> int | None:
    node = tape.nodes[x[0]]
    if node[0] is not ops.exp:
        return None
    tape.repaired["log1p(exp(z))"] += 1
    return _make(tape, ops.softplus, node[1])


def _log_of_sum(tape: Tape, place: int, at_least: int) -> int | None:
    """logsumexp(z), where the node is the sum of all e^z and perhaps of positive constants.

    What stands for the logarithm of a part already stands for it here, so that running sums are gone through once.
    """
    if place in tape.logs:
        return tape.logs[place]
    found: list[int] = []
    stack = [place]
    while stack:
        i = stack.pop()
        node = tape.nodes[i]
        if i in tape.logs:
            found.append(tape.logs[i])
        elif node[0] is ops.exp:
            found.append(node[1])
        elif node[0] in (ops.add, ops.sum):
            stack.extend(reversed(node[1:]))
        elif node[0] is CONST and node[1] > 0.0:
            found.append(tape.constant(ieee.log(node[1])))
        else:
            return None
        if len(found) + len(stack) > _TERMS:
            return None
    if len(found) < at_least:
        return None
    tape.logs[place] = log = _make(tape, ops.logsumexp, *sorted(found))
    return log


def _share(tape: Tape, z: int, total: int) -> int | None:
    """e^z divided by a sum of exponentials."""
    log = _log_of_sum(tape, total, at_least=2)
    if log is None:
        return None
    tape.repaired["exp(z) / sum(exp)"] += 1
    terms = list(tape.nodes[log][1:])
    if z in terms:
        terms.remove(z)
        return _softmax(tape, (z, *terms))
    top = _make(tape, peak, *terms)  # without it, rounding the logarithm of large sums would move the exponential
    down, *rest = [_make(tape, ops.subtract, v, top) for v in (z, *terms)]
    return _make(tape, ops.exp, _make(tape, ops.subtract, down, _make(tape, ops.logsumexp, *rest)))


def _softmax(tape: Tape, x: tuple[int, ...]) -> int:
    top, rest = _top_and_rest(tape, x)
    return _make(tape, fraction, _make(tape, exp_difference, x[0], top), rest)


def _log_softmax(tape: Tape, x: tuple[int, ...]) -> int:
    return _make(tape, log_fraction, x[0], *_top_and_rest(tape, x))


def _top_and_rest(tape: Tape, x: tuple[int, ...]) -> tuple[int, int]:
    """The largest, and the sum of all e^(x - largest) but the first.

    Where there are many, the first is among them, times 0: so all outputs of a softmax read the same, and their sums become one product
    with a matrix.
    """
    top = _make(tape, peak, *x)
    first, *others = [_make(tape, exp_difference, v, top) for v in x]
    if len(others) > _FEW:
        others.append(_make(tape, ops.multiply, tape.constant(0.0), first))
    return top, _make(tape, ops.sum, *sorted(others))


def _single(tape: Tape, x: tuple[int, ...]) -> int | None:
    return x[0] if len(x) == 1 else None


def _sorted(op: Op) -> Rule:
    """For functions of a sequence whose order does not matter: one node for every order."""

    def rule(tape: Tape, x: tuple[int, ...]) -> int | None:
        if len(x) == 1:
            return x[0]
        in_order = tuple(sorted(x))
        return None if in_order == x else _make(tape, op, *in_order)

    return rule


_RULES: Final[dict[Op, Rule]] = {
    ops.add: _add,
    ops.subtract: _subtract,
    ops.multiply: _multiply,
    ops.divide: _divide,
    ops.negative: _negative,
    ops.positive: _same,
    ops.reciprocal: _reciprocal,
    ops.power: _power,
    ops.where: _where,
    ops.log: _log,
    ops.log1p: _log1p,
    ops.table["softmax"]: _softmax,
    ops.table["log_softmax"]: _log_softmax,
    ops.sum: _single,
    ops.mean: _single,
    ops.prod: _single,
    ops.max: _sorted(ops.max),
    ops.min: _sorted(ops.min),
    ops.logsumexp: _sorted(ops.logsumexp),
    peak: _sorted(peak),
}
