"""The file format of graphs, checked field by field on reading.

    {"format": "scalar-autograd graph", "version": 1, "sha256": "...", "graph": {
        "ops":    ["mul", "add"],             the names that "op" refers to
        "op":     [-1, -1, 0, 1],             one entry per node, operands first; -1 is a leaf
        "args":   [[], [], [0, 1], [2, "1.0"]],  an int is an earlier node, a string a constant
        "data":   ["2.0", ...],               numbers as strings: JSON has no nan and no inf
        "grad":   ["0.0", ...],
        "labels": {"0": "w"},
        "groups": [["layer", -1], ["neuron", 0]],  name and the place of the group around it, or -1
        "group":  [-1, -1, 1, 1],             the group of each node; empty if there are none
        "roots":  [3], "single": true}}
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

from . import files
from .files import invalid
from .groups import Group
from .op import Op, named
from .value import Value, _restored

VERSION = 1


def save(path: str | PathLike[str], nodes: Sequence[Value], roots: Sequence[Value], single: bool) -> None:
    """Write the graph whose `nodes`, operands first, lead to `roots`."""
    place = {id(node): i for i, node in enumerate(nodes)}
    names: dict[str, int] = {}
    groups: dict[Group, int] = {}
    for node in nodes:
        for group in node.group.path if node.group else ():
            groups.setdefault(group, len(groups))
    graph = {
        "op": [names.setdefault(node.op.name, len(names)) if node.op else -1 for node in nodes],
        "ops": list(names),
        "args": [[place[id(x)] if isinstance(x, Value) else repr(x) for x in node.args] for node in nodes],
        "data": [repr(node.data) for node in nodes],
        "grad": [repr(node.grad) for node in nodes],
        "labels": {str(i): node.label for i, node in enumerate(nodes) if node.label},
        "groups": [[group.name, -1 if group.parent is None else groups[group.parent]] for group in groups],
        "group": [groups[node.group] if node.group else -1 for node in nodes] if groups else [],
        "roots": [place[id(root)] for root in roots],
        "single": single,
    }
    files.save(path, "graph", VERSION, graph)


def load(path: str | PathLike[str]) -> tuple[list[Value], bool]:
    """The roots of the graph in the file, and whether they were given as a single Value."""
    return files.load(path, "graph", VERSION, _graph)


def _graph(graph: dict[str, Any]) -> tuple[list[Value], bool]:
    ops = [_op(name) for name in _list(graph, "ops")]
    columns = [_list(graph, field) for field in ("op", "args", "data", "grad")]
    if len({len(column) for column in columns}) != 1:
        invalid("its columns op, args, data and grad are not of one length")
    labels = graph.get("labels")
    if not isinstance(labels, dict) or not all(isinstance(label, str) for label in labels.values()):
        invalid("labels must map places to strings")
    groups = _groups_of_nodes(graph, len(columns[0]))
    nodes: list[Value] = []
    for i, (code, args, data, grad) in enumerate(zip(*columns, strict=True)):
        op = _chosen(ops, code, i)
        operands = tuple(_operand(x, nodes, i) for x in args) if isinstance(args, list) else invalid(f"args of node {i} are no list")
        _check_operands(op, operands, i)
        figures = _number(data, "data", i), _number(grad, "grad", i)
        nodes.append(_restored(op, operands, *figures, labels.get(str(i), ""), groups[i]))
    if sum(1 for node in nodes if node.label) != len(labels):
        invalid("labels has entries that are empty or of no node")
    roots = [nodes[r] if _is_place(r, nodes) else invalid(f"root {r!r} is no node") for r in _list(graph, "roots")]
    single = graph.get("single")
    if not isinstance(single, bool) or (single and len(roots) != 1):
        invalid("single must be true for one root or false")
    return roots, single


def _groups_of_nodes(graph: dict[str, Any], count: int) -> list[Group | None]:
    groups: list[Group] = []
    for i, entry in enumerate(_list(graph, "groups")):
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and _is_code(entry[1], i)):
            invalid(f"group {i} is {str(entry)[:40]!r}, not a name and an earlier group or -1")
        groups.append(Group(entry[0], None if entry[1] == -1 else groups[entry[1]]))
    codes = _list(graph, "group") or [-1] * count
    if len(codes) != count or not all(_is_code(code, len(groups)) for code in codes):
        invalid("group must give for each node a group or -1")
    return [None if code == -1 else groups[code] for code in codes]


def _is_code(x: Any, count: int) -> bool:
    return type(x) is int and -1 <= x < count


def _list(graph: dict[str, Any], field: str) -> list[Any]:
    column = graph.get(field)
    return column if isinstance(column, list) else invalid(f"{field} is missing or no list")


def _op(name: Any) -> Op:
    return named(name) if isinstance(name, str) else invalid(f"op name {name!r} is no string")


def _chosen(ops: list[Op], code: Any, i: int) -> Op | None:
    if not _is_code(code, len(ops)):
        invalid(f"op of node {i} is {code!r}, not a number from -1 to {len(ops) - 1}")
    return None if code == -1 else ops[code]


def _operand(x: Any, nodes: list[Value], i: int) -> Any:
    if isinstance(x, str):
        return _number(x, "constant", i)
    return nodes[x] if _is_place(x, nodes) else invalid(f"operand {x!r} of node {i} is no earlier node")


def _is_place(x: Any, nodes: list[Value]) -> bool:
    return type(x) is int and 0 <= x < len(nodes)


def _check_operands(op: Op | None, operands: tuple[Any, ...], i: int) -> None:
    if op is None:
        if operands:
            invalid(f"node {i} is a leaf but has operands")
    elif op.arity not in (None, len(operands)):
        invalid(f"node {i} is {op.name!r} with {len(operands)} operand(s) instead of {op.arity}")
    elif not any(isinstance(x, Value) for x in operands):
        invalid(f"node {i} is {op.name!r} of no node")


def _number(text: Any, field: str, i: int) -> float:
    if isinstance(text, str) and len(text) < 40:
        try:
            return float(text)
        except ValueError:
            pass
    return invalid(f"{field} of node {i} is no number: {str(text)[:40]!r}")
