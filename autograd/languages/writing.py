"""Writing: what has a line of its own in a formula or in source: what has a label, is used more than once, or would make a line too long.

How a primitive is written follows from what it means, see `ops/meaning.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..ops.op import Op
from .forms import Term

MAX_NODES: Final = 500  # of a graph that is to be read as formulas
WIDTH: Final = 88  # of a line of source
_FEW: Final = 4  # operands up to which those of a long line get lines of their own one by one


def readable(v: Value | Graph, max_nodes: int, function: str) -> Graph:
    graph = v if isinstance(v, Graph) else Graph(v)
    if len(graph) > max_nodes:
        raise ValueError(
            f"the graph is too large to be read: {len(graph)} nodes, {function} writes up to max_nodes={max_nodes}. "
            "Export a part of it, or write all of it with to_source"
        )
    return graph


class Written(Protocol):
    """How an op is written, as a Form says or some other way."""

    def of(self, operands: Sequence[Term], brackets: Sequence[str]) -> Term: ...
    def repeats(self, i: int) -> bool: ...


class Style:
    """A language: its brackets, numbers and forms."""

    brackets = ("(", ")")
    width = WIDTH

    def number(self, x: float) -> Term:
        raise NotImplementedError

    def write(self, op: Op, operands: list[Term], args: tuple[Value | float, ...]) -> Term:
        return self.form(op, args).of(operands, self.brackets)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Written:
        raise NotImplementedError

    def too_long(self, text: str) -> bool:
        return len(text) > self.width


def written(graph: Graph, style: Style, names: dict[int, str]) -> tuple[list[tuple[str, str]], list[Term]]:
    """The lines that define what has a line of its own, and the roots in their terms."""
    uses = Counter(id(x) for node in graph for x in node.parents)
    terms: dict[int, Term] = {}
    lines: list[tuple[str, str]] = []

    def settle(node: Value) -> Term:
        """Give a node a line of its own."""
        lines.append((names[id(node)], terms[id(node)].text))
        terms[id(node)] = Term(names[id(node)])
        return terms[id(node)]

    for node in graph:
        if node.op is None:
            terms[id(node)] = Term(names[id(node)])
            continue
        operands = [terms[id(x)] if isinstance(x, Value) else style.number(x) for x in node.args]
        form = style.form(node.op, node.args)
        inline = {i: x for i, x in enumerate(node.args) if isinstance(x, Value) and operands[i].text != names[id(x)]}
        for i in [i for i in inline if form.repeats(i)]:
            operands[i] = settle(inline.pop(i))
        term = style.write(node.op, operands, node.args)
        longest_first = sorted(inline, key=lambda i: -len(operands[i].text))
        while longest_first and style.too_long(term.text):
            some = longest_first[:1] if len(longest_first) <= _FEW else longest_first
            longest_first = longest_first[len(some) :]
            for i in some:
                operands[i] = settle(inline[i])
            term = style.write(node.op, operands, node.args)
        terms[id(node)] = term
        if node.label or uses[id(node)] > 1:
            settle(node)
    return lines, [terms[id(root)] for root in graph.roots]
