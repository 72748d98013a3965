"""The file format of graphs, checked field by field on reading.

    {"format": "scalar-autograd graph", "version": 2, "sha256": "...", "graph": {
        "ops":    ["mul", "add"],             the names that "op" refers to
        "op":     [-1, -1, 0, 1],             one entry per node, operands first; -1 is a leaf
        "a":      [null, null, 0, 2],         the first operand: an int is an earlier node, a float a constant; a list of all operands if
        "b":      [null, null, 1, 1.0],       they are three or more. The second operand
        "data":   [2.0, 3.0, 6.0, "nan"],     all digits; "nan", "inf" and "-inf" are strings, since JSON has none;
        "grad":   [0.0, 0.0, 0.0, 0.0],       in a large graph a string: doubles, little-endian, in base 64
        "labels": {"0": "w"},
        "groups": [["layer", -1], ["neuron", 0]],  name and the place of the group around it, or -1
        "group":  [-1, -1, 1, 1],             the group of each node; empty if there are none
        "stale":  [],                         the nodes that were computed before an operand of theirs was given new data
        "roots":  [3], "single": true}}

Version 1 had "args", a list of operands for each node, in the place of "a" and "b", and strings for all numbers but places.
"""

from __future__ import annotations

import math
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from os import PathLike
from typing import Any

from ..numbers.groups import Group
from ..numbers.value import Value, described, made, outdated, stale
from ..ops import named
from ..ops.op import Op
from ..support import files
from ..support.files import invalid
from .grouping import groups_of

VERSION = 2
_LARGE = 10_000  # nodes above which speed counts for more than that a file can be read by people
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


# Writing -----------------------------------------------------------------------------------------------------------------


def save(path: str | PathLike[str], nodes: Sequence[Value], roots: Sequence[Value], single: bool) -> None:
    """Write the graph whose `nodes`, operands first, lead to `roots`."""
    place = dict(zip(map(id, nodes), range(len(nodes)), strict=True))
    ops: dict[Op | None, int] = {None: -1}
    for op in dict.fromkeys([node.op for node in nodes]):
        ops.setdefault(op, len(ops) - 1)
    groups = groups_of(nodes)
    graph = {
        "ops": [op.name for op in ops if op],
        "op": [ops[node.op] for node in nodes],
        "a": [place[id(x)] if type(x) is Value else _others(x, place) for x in [node._a for node in nodes]],
        "b": [place[id(x)] if type(x) is Value else _plain(x) for x in [node._b for node in nodes]],
        "data": _column([node._data for node in nodes]),
        "grad": _column([node._grad for node in nodes]),
        "labels": {str(i): label for i, node in enumerate(nodes) if (label := node.label)},
        "groups": [[group.name, -1 if group.parent is None else groups[group.parent]] for group in groups],
        "group": [-1 if node.group is None else groups[node.group] for node in nodes] if groups else [],
        "stale": [place[id(x)] for x in stale([x for x in nodes if x.op is not None], [x for x in nodes if x.op is None])],
        "roots": [place[id(root)] for root in roots],
        "single": single,
    }
    files.save(path, "graph", VERSION, graph)


def _others(x: Any, place: dict[int, int]) -> Any:
    """Operands that are not a single node: three or more of any kind, a constant, or none."""
    if type(x) is not tuple:
        return _plain(x)
    return [place[id(y)] if type(y) is Value else _plain(y) for y in x]


def _column(numbers: list[float]) -> list[Any] | str:
    if len(numbers) > _LARGE:
        return b64encode(_little_endian(array("d", numbers)).tobytes()).decode()
    return [_plain(x) for x in numbers]


def _little_endian(numbers: array[float]) -> array[float]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _plain(x: float | None) -> Any:
    """A number that JSON can write, or the name of one that it cannot."""
    return x if x is None or x - x == 0.0 else repr(x)


# Reading -----------------------------------------------------------------------------------------------------------------


def load(path: str | PathLike[str]) -> tuple[list[Value], bool]:
    """The roots of the graph in the file, and whether they were given as a single Value."""
    return files.load(path, "graph", VERSION, _graph, {1: lambda graph: _graph(_from_version_1(graph))})


def _graph(graph: dict[str, Any]) -> tuple[list[Value], bool]:
    nodes = _nodes(graph)
    _label(nodes, graph.get("labels"))
    _group(nodes, graph)
    for i in _list({"stale": [], **graph}, "stale"):  # not in files of early versions
        outdated(nodes[i] if _is_place(i, len(nodes)) else invalid(f"stale has {i!r}, which is no node"))
    roots = [nodes[r] if _is_place(r, len(nodes)) else invalid(f"root {r!r} is no node") for r in _list(graph, "roots")]
    single = graph.get("single")
    if not isinstance(single, bool) or (single and len(roots) != 1):
        invalid("single must be true for one root or false")
    return roots, single


def _nodes(graph: dict[str, Any]) -> list[Value]:
    ops = [*map(_op, _list(graph, "ops")), None]  # so that -1 means None
    columns = [_codes(_list(graph, "op"), len(ops) - 1), _list(graph, "a"), _list(graph, "b")]
    columns += [_numbers(graph, field) for field in ("data", "grad")]
    if len({len(column) for column in columns}) != 1:
        invalid("its columns op, a, b, data and grad are not of one length")
    nodes: list[Value] = []
    for i, (code, a, b, data, grad) in enumerate(zip(*columns, strict=True)):
        op = ops[code]
        a = nodes[a] if type(a) is int and 0 <= a < i else _operands(a, nodes, i)
        b = nodes[b] if type(b) is int and 0 <= b < i else _operand(b, nodes, i)
        node = made(op, a, b, data, grad)
        if type(a) is not Value or op is None or op.arity != (1 if b is None else 2):
            _check(op, node.args, i)
        nodes.append(node)
    return nodes


def _check(op: Op | None, operands: tuple[Any, ...], i: int) -> None:
    if op is None:
        if operands:
            invalid(f"node {i} is a leaf but has operands")
    elif op.arity not in (None, len(operands)):
        invalid(f"node {i} is {op.name!r} with {len(operands)} operand(s) instead of {op.arity}")
    elif not any(isinstance(x, Value) for x in operands):
        invalid(f"node {i} is {op.name!r} of no node")


def _operands(x: Any, nodes: list[Value], i: int) -> Any:
    """What stands for the first operand, or for all of them."""
    if isinstance(x, list):
        if len(x) < 3 or None in x:
            invalid(f"the list of operands of node {i} has less than three")
        return tuple([_operand(y, nodes, i) for y in x])
    return _operand(x, nodes, i)


def _operand(x: Any, nodes: list[Value], i: int) -> Any:
    if x is None or type(x) is float:
        return x
    if isinstance(x, str):
        return _named_number(x, "constant", i)
    return nodes[x] if _is_place(x, i) else invalid(f"operand {x!r} of node {i} is no earlier node")


def _codes(codes: list[Any], count: int) -> list[Any]:
    for i, code in enumerate(codes):
        if not (type(code) is int and -1 <= code < count):
            invalid(f"op of node {i} is {code!r}, not a number from -1 to {count - 1}")
    return codes


def _numbers(graph: dict[str, Any], field: str) -> list[float]:
    column = graph.get(field)
    if not isinstance(column, str):
        return [x if type(x) is float else _named_number(x, field, i) for i, x in enumerate(_list(graph, field))]
    numbers = array("d")
    try:
        numbers.frombytes(b64decode(column, validate=True))
    except ValueError as error:
        invalid(f"{field} is no list, and no numbers in base 64: {error}")
    return _little_endian(numbers).tolist()


def _named_number(x: Any, field: str, i: int) -> float:
    return _SPECIAL[x] if isinstance(x, str) and x in _SPECIAL else invalid(f"{field} of node {i} is no number: {str(x)[:40]!r}")


def _label(nodes: list[Value], labels: Any) -> None:
    if not isinstance(labels, dict) or not all(isinstance(label, str) and label for label in labels.values()):
        invalid("labels must map places to strings that are not empty")
    places = {str(i): node for i, node in enumerate(nodes)} if labels else {}
    for key, label in labels.items():
        if key not in places:
            invalid(f"labels has an entry of no node: {key[:40]!r}")
        places[key].label = label


def _group(nodes: list[Value], graph: dict[str, Any]) -> None:
    groups: list[Group] = []
    for i, entry in enumerate(_list(graph, "groups")):
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and _is_place(entry[1], i, -1)):
            invalid(f"group {i} is {str(entry)[:40]!r}, not a name and an earlier group or -1")
        groups.append(Group(entry[0], None if entry[1] == -1 else groups[entry[1]]))
    codes = _list(graph, "group")
    if codes and (len(codes) != len(nodes) or not all(_is_place(code, len(groups), -1) for code in codes)):
        invalid("group must give for each node a group or -1")
    for node, code in zip(nodes, codes, strict=False):
        if code != -1:
            described(node, node.label, groups[code])


def _is_place(x: Any, count: int, first: int = 0) -> bool:
    return type(x) is int and first <= x < count


def _list(graph: dict[str, Any], field: str) -> list[Any]:
    column = graph.get(field)
    return column if isinstance(column, list) else invalid(f"{field} is missing or no list")


def _op(name: Any) -> Op:
    return named(name) if isinstance(name, str) else invalid(f"op name {name!r} is no string")


# Version 1 ---------------------------------------------------------------------------------------------------------------


def _from_version_1(graph: dict[str, Any]) -> dict[str, Any]:
    operands = [_operands_1(args, i) for i, args in enumerate(_list(graph, "args"))]
    columns = {
        "a": [args if len(args) > 2 else args[0] if args else None for args in operands],
        "b": [args[1] if len(args) == 2 else None for args in operands],
        **{field: [_number_1(x, field, i) for i, x in enumerate(_list(graph, field))] for field in ("data", "grad")},
    }
    return {**graph, **columns}


def _operands_1(args: Any, i: int) -> list[Any]:
    if not isinstance(args, list):
        invalid(f"args of node {i} are no list")
    for x in args:
        if not isinstance(x, str) and type(x) is not int:
            invalid(f"operand {x!r} of node {i} is no earlier node")
    return [_number_1(x, "constant", i) if isinstance(x, str) else x for x in args]


def _number_1(text: Any, field: str, i: int) -> float:
    if isinstance(text, str) and len(text) < 40:
        try:
            return float(text)
        except ValueError:
            pass
    return invalid(f"{field} of node {i} is no number: {str(text)[:40]!r}")
