"""Pictures of graphs: forward value above, gradient below, from left to right as in the textbook figure.

This module writes the description in Graphviz's language; `render.py` turns it into an image.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from . import render
from .graph import Graph
from .value import Value

if TYPE_CHECKING:
    import graphviz

_DIRECTIONS = ("LR", "TB", "RL", "BT")
_FORMATS = (".svg", ".png", ".pdf", ".dot")


class Drawing:
    """A picture of a graph. Shows itself in a notebook; `save` writes it to a file."""

    def __init__(self, source: str) -> None:
        self.source = source

    def save(self, path: str | PathLike[str]) -> str:
        """Write the picture in the format of the file's ending: .svg, .png, .pdf or .dot. Returns the path."""
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if ending not in _FORMATS:
            raise ValueError(f"cannot save a drawing as {path!r}: the name must end in {', '.join(_FORMATS)}")
        picture = self.source.encode() if ending == ".dot" else render.render(self.source, ending[1:])
        with open(path, "wb") as file:
            file.write(picture)
        return path

    def _repr_svg_(self) -> str:
        return render.render(self.source, "svg").decode()


def draw(
    v: Value | Sequence[Value], *, direction: str = "LR", grad: bool = True, partials: bool = False, max_nodes: int = 500
) -> Drawing:
    """Draw the graph of a Value, or of several.

    Args:
        v: the root, or a sequence of roots.
        direction: which way the forward pass runs: "LR", "TB", "RL" or "BT".
        grad: show the gradient of each node.
        partials: show on each edge the local derivative of the result in that operand.
        max_nodes: refuse to draw more than this many nodes.

    Raises:
        ValueError: if the graph has more than `max_nodes` nodes, or the direction is unknown.
    """
    if direction not in _DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(_DIRECTIONS)} (got {direction!r})")
    graph = Graph(v)
    if len(graph) > max_nodes:
        raise ValueError(f"the graph has {len(graph)} nodes, more than max_nodes={max_nodes}: draw a part of it, or raise max_nodes")
    dot = _digraph(direction)
    place = {id(node): str(i) for i, node in enumerate(graph)}
    for node in graph:
        dot.node(place[id(node)], _label(node, grad), shape="box" if node.op else "ellipse", tooltip=_escaped(repr(node)))
        for parent, partial in zip(node.parents, node.partials(), strict=True):
            dot.edge(place[id(parent)], place[id(node)], label=f"{partial:.4g}" if partials else "")
    return Drawing(dot.source)


def _digraph(direction: str) -> graphviz.Digraph:
    import graphviz

    return graphviz.Digraph(
        graph_attr={"rankdir": direction, "bgcolor": "white"},
        node_attr={"fontname": "Helvetica", "fontsize": "11", "style": "filled,rounded", "fillcolor": "#f7f7f7", "color": "#555555"},
        edge_attr={"fontname": "Helvetica", "fontsize": "9", "color": "#777777", "arrowsize": "0.7"},
    )


def _label(node: Value, grad: bool) -> str:
    name = " ".join(filter(None, (node.label, f"[{_operation(node)}]" if node.op and node.label else _operation(node))))
    lines = [_escaped(name), f"{node.data:.4g}"]
    if grad:
        lines.append(f"grad {node.grad:.4g}")
    return "\\n".join(line for line in lines if line)


def _operation(node: Value) -> str:
    """The op as formulas write it, with its constants: "+ 1"."""
    if node.op is None:
        return ""
    constants = [f"{x:.4g}" for x in node.args if not isinstance(x, Value)]
    return " ".join([node.op.symbol, *constants])


def _escaped(text: str) -> str:
    import graphviz

    return str(graphviz.escape(text))
