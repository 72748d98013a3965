"""Pictures of graphs, as in the textbooks: forward values above, gradients below, left to right.

This module decides how things look and writes them in Graphviz's language; `scene.py` decides what is shown, and
`render.py` makes an image of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from ..graphs.graph import Graph
from ..numbers.groups import Group, outermost_first
from ..numbers.value import Value
from ..support import files
from ..support.plain import shown
from ..support.tables import printable, short
from .fallback import complaint, inline
from .render import render
from .scene import Arrow, Box, Scene, arrange, largest_gradient, span

if TYPE_CHECKING:
    import graphviz

Direction: TypeAlias = Literal["LR", "TB", "RL", "BT"]
_FORMATS = (".svg", ".png", ".pdf", ".dot", ".html")
_COMPACT = 200  # boxes above which each is one line of text
_SPAN = 800  # total length of edges up to which Graphviz finds room for labels on them in good time
_DISPLAYED = 100  # nodes up to which a Value shows itself as a picture
_FORWARD, _BACKWARD, _INK, _QUIET = "#0b5d1e", "#a31515", "#1f2328", "#6e7781"
_SHADES = ("#fffaf3", "#ffefd9", "#fee0b8", "#fdcb94", "#fdb170")  # of gradients, from small to large
_STEP = 3.0  # the ratio between the gradients of one shade and the next
_ZERO, _BAD, _PLAIN = "#e1e4e8", "#f5c2f0", "#ffffff"
_MATHEMATICAL = {"*": "×", "-": "−", "-x": "−x", "/": "÷"}


class Drawing:
    """A picture of a graph. Shows itself in a notebook; `save` writes it to a file.

    Attributes:
        source: the picture in Graphviz's language, the same for the same graph.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def save(self, path: str | PathLike[str]) -> str:
        """Write the picture in the format of the file's ending: .svg, .png, .pdf, .html or .dot. Returns the path.

        Raises:
            ValueError: if the ending is none of these.
            RenderError: if Graphviz is missing, fails, or takes longer than its time limit. No file is written then.
        """
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if ending not in _FORMATS:
            raise ValueError(f"cannot save a drawing as {path!r}: the name must end in {', '.join(_FORMATS)}")
        files.write(path, self._as(ending))
        return path

    def svg(self) -> str:
        """The picture as SVG."""
        return self._rendered("svg").decode()

    def _as(self, ending: str) -> bytes:
        if ending == ".dot":
            return self.source.encode()
        if ending == ".html":
            return _page(self.svg()).encode()
        return self._rendered(ending[1:])

    def _rendered(self, format: str) -> bytes:
        return render(self.source, format)

    def _repr_svg_(self) -> str | None:
        with suppress(Exception):  # the HTML says what is wrong, if it is
            return self.svg()
        return None

    def _repr_html_(self) -> str:
        try:
            return inline(self.svg())
        except Exception as error:
            return complaint(error)

    def __repr__(self) -> str:
        return f"<Drawing of {self.source.count(' [')} elements: .save('graph.svg') writes it>"


def draw(
    v: Value | Sequence[Value],
    *,
    direction: Direction = "LR",
    grad: bool = True,
    partials: bool = False,
    constants: bool = True,
    groups: bool = True,
    max_nodes: int = 1000,
) -> Drawing:
    """Draw the graph of a Value, or of several.

    Each box shows the forward value above, the operation or the label in the middle, and the gradient below. Its shade is the
    magnitude of the gradient, explained in a legend; exact zeros, nan and inf stand out. Leaves are round, roots have a double border,
    hovering shows all digits.

    Args:
        v: the root, or a sequence of roots.
        direction: which way the forward pass runs: "LR", "TB", "RL" or "BT".
        grad: show gradients, once backward has run from a root.
        partials: show on each edge the local derivative of the result in that operand; where edges are too long and too many to find
            room for labels, only on hovering.
        constants: show constants in the node that uses them: "+ 1".
        groups: put a frame around the nodes of each `autograd.group`.
        max_nodes: the largest number of boxes; groups of a larger graph are drawn as one box each.

    Raises:
        TypeError: if `v` is not a Value or a sequence of them.
        ValueError: if the graph has too many nodes even with its groups closed, or `direction` is unknown.
    """
    if direction not in get_args(Direction):
        raise ValueError(f"direction must be one of {', '.join(get_args(Direction))} (got {shown(direction)})")
    scene = arrange(Graph(v), max_nodes, groups)
    return Drawing(Writer(scene, grad, partials, constants).dot(direction))


def notebook_display(v: Value) -> dict[str, str]:
    """What a notebook shows for a Value: text, and a picture if the graph is small and can be drawn."""
    graph = Graph(v)
    shown = {"text/plain": repr(v)}
    if len(graph) > _DISPLAYED:
        shown["text/plain"] += f"\n{graph!r}: draw(...) makes a picture, print(Graph(...)) a table"
        return shown
    with suppress(Exception):  # a picture is a courtesy here; draw(v) says why there is none
        svg = draw(v).svg()
        shown |= {"image/svg+xml": svg, "text/html": inline(svg)}
    return shown


class Writer:
    """One picture in the making."""

    def __init__(self, scene: Scene, grad: bool, partials: bool, constants: bool) -> None:
        self.scene = scene
        self.labelled: bool = partials and span(scene.graph) <= _SPAN
        self.unlabelled: bool = partials and not self.labelled
        self.constants = constants
        self.compact: bool = len(scene.boxes) > _COMPACT
        self.roots: set[int] = set(map(id, scene.graph.roots))
        self.grad: bool = grad and any(root.grad != 0.0 for root in scene.graph.roots)  # else backward has not run
        self.top: float = largest_gradient(scene.graph.nodes) if self.grad else 0.0

    def dot(self, direction: str) -> str:
        dot = _digraph(direction)
        if self.grad and not self.compact:
            dot.attr(label=self._legend(), labelloc="b", labeljust="l")
        self._boxes(dot)
        for arrow in self.scene.arrows:
            self._arrow(dot, arrow)
        return str(dot.source)

    def _boxes(self, dot: graphviz.Digraph) -> None:
        """The boxes of each group in a frame of their own, nested as the groups are."""
        inside: dict[Group | None, list[Box]] = {}
        children: dict[Group | None, list[Group]] = {}
        for box in self.scene.boxes:
            inside.setdefault(box.within, []).append(box)
        for group in outermost_first(inside):
            children.setdefault(group.parent, []).append(group)
        self._frame(dot, None, inside, children)

    def _frame(
        self, dot: graphviz.Digraph, group: Group | None, inside: dict[Group | None, list[Box]], children: dict[Group | None, list[Group]]
    ) -> None:
        """The frame of one group; a scene has them no deeper than a few."""
        for box in inside.get(group, ()):
            self._box(dot, box)
        for child in children.get(group, ()):
            self._frames += 1
            with dot.subgraph(name=f"cluster_{self._frames}") as frame:
                frame.attr(label=_safe(short(child.name)), style="rounded", color="#afb8c1", fontcolor=_QUIET, labeljust="l")
                self._frame(frame, child, inside, children)

    _frames = 0

    def _box(self, dot: graphviz.Digraph, box: Box) -> None:
        node = box.members[0]
        style = {"id": box.id, "tooltip": _safe(self._tooltip(box).replace("\\", "\\\\")), "fillcolor": self._shade(box.members)}
        if box.title is not None:
            label = _rows((_INK, f"<B>{_text(short(box.title))}</B>"), *self._ranges(box))
            style |= {"shape": "box", "style": "filled", "penwidth": "2", "label": label}
        else:
            style |= {"label": self._label(node), "shape": "ellipse" if node.op is None else "box"}
            if id(node) in self.roots:
                style["peripheries"] = "2"
        if self.grad and style["fillcolor"] == _ZERO:
            style["style"] = "filled,dashed" if node.op is None or box.title else "filled,rounded,dashed"
        if not _finite(box.members, self.grad):
            style |= {"color": "#8a0080", "penwidth": "2.5"}
        dot.node(box.id, **style)

    def _label(self, node: Value) -> str:
        name = short(node.label)
        operation = _operation(node, self.constants)
        title = _text(f"{name} = {operation}" if name and operation else name or operation or "leaf")
        value, gradient = number(node.data), number(node.grad)
        if self.compact:
            return f"<{title} = {value}{f' | {gradient}' if self.grad else ''}>"
        rows = [(_FORWARD, value), (_INK, f"<B>{title}</B>")]
        if self.grad:
            rows.append((_BACKWARD, gradient))
        return _rows(*rows)

    def _ranges(self, box: Box) -> list[tuple[str, str]]:
        operations = sum(node.op is not None for node in box.members)
        counts = {"operations": operations, "leaves": len(box.members) - operations}
        rows = [(_QUIET, ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count))]
        if self.grad:
            gradients = [node.grad for node in box.members]
            rows.append((_BACKWARD, f"gradients {number(min(gradients))} to {number(max(gradients))}"))
        return rows

    def _tooltip(self, box: Box) -> str:
        if box.title is not None:
            return f"{box.title}: {len(box.members)} nodes"
        node = box.members[0]
        operation = f"{node.op.name}: " if node.op else ""
        return f"{node.label + ': ' if node.label else ''}{operation}data = {node.data!r}, grad = {node.grad!r}"

    def _shade(self, members: Sequence[Value]) -> str:
        if not _finite(members, self.grad):
            return _BAD
        if not self.grad:
            return _PLAIN
        size = largest_gradient(members)
        return _SHADES[_shade_of(size, self.top)] if size else _ZERO

    def _arrow(self, dot: graphviz.Digraph, arrow: Arrow) -> None:
        style = {"id": arrow.id}
        if len(arrow.partials) == 1:
            style["tooltip"] = style["labeltooltip"] = f"local derivative {arrow.partials[0]!r}"
            if self.labelled:
                style["label"] = number(arrow.partials[0])
        else:
            style["tooltip"] = f"{len(arrow.partials)} edges"
            style["penwidth"] = f"{min(1 + math.log10(len(arrow.partials)), 4):.2f}"
        dot.edge(arrow.tail, arrow.head, **style)

    def _legend(self) -> str:
        bounds = [self.top / _STEP**k for k in range(len(_SHADES) - 1, 0, -1)]
        texts = [f"&lt; {number(bounds[0])}", *(f"≥ {number(bound)}" for bound in bounds)]
        cells = [f'<TD BGCOLOR="{shade}">{text}</TD>' for shade, text in zip(_SHADES, texts, strict=True)]
        cells.append(f'<TD BGCOLOR="{_ZERO}">exactly 0</TD>')
        if not _finite(self.scene.graph.nodes, True):
            cells.append(f'<TD BGCOLOR="{_BAD}">nan or inf</TD>')
        if self.unlabelled:
            cells.append("<TD>local derivatives: hover over the edges</TD>")
        head = f'<TD>value <FONT COLOR="{_FORWARD}">above</FONT>, gradient <FONT COLOR="{_BACKWARD}">below</FONT>; |gradient|:</TD>'
        table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="3">'
        return f'<<FONT POINT-SIZE="9" COLOR="{_QUIET}">{table}<TR>{head}{"".join(cells)}</TR></TABLE></FONT>>'


def _digraph(direction: str) -> graphviz.Digraph:
    import graphviz

    return graphviz.Digraph(
        graph_attr={"rankdir": direction, "bgcolor": "white", "fontname": "Helvetica", "fontsize": "10", "nodesep": "0.2"},
        node_attr={
            "fontname": "Helvetica",
            "fontsize": "11",
            "style": "filled,rounded",
            "color": _QUIET,
            "fontcolor": _INK,
            "margin": "0.08,0.06",
            "height": "0.3",
            "width": "0.4",
        },
        edge_attr={"fontname": "Helvetica", "fontsize": "9", "color": _QUIET, "fontcolor": _INK, "arrowsize": "0.6"},
    )


def number(x: float) -> str:
    """A number to be read: four significant digits and a proper minus."""
    return f"{x:.4g}".replace("-", "−")


def _shade_of(size: float, top: float) -> int:
    """Which shade: the last for the largest gradients, one less for each factor of `_STEP` below."""
    below = math.floor((math.log(top) - math.log(size)) / math.log(_STEP) - 1e-9) if size < top else 0
    return max(len(_SHADES) - 1 - max(below, 0), 0)


def _finite(nodes: Sequence[Value], grad: bool) -> bool:
    return all(math.isfinite(n.data) and (not grad or math.isfinite(n.grad)) for n in nodes)


def _operation(node: Value, constants: bool = True) -> str:
    """The op as formulas write it, its constants in their places: "+ 1", "2 ×"."""
    if node.op is None:
        return ""
    symbol = _MATHEMATICAL.get(node.op.symbol, node.op.symbol)
    if not constants or len(node.args) > 3:
        return symbol
    given = [number(x) if not isinstance(x, Value) else "" for x in node.args]
    if len(given) == 2 and given[0] and node.op.name not in ("add", "mul"):
        return f"{given[0]} {symbol}"
    return " ".join(filter(None, (symbol, *given)))


def _rows(*rows: tuple[str, str]) -> str:
    lines = "".join(f'<TR><TD><FONT COLOR="{colour}">{text}</FONT></TD></TR>' for colour, text in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{lines}</TABLE>>'


def _text(text: str) -> str:
    """Text for an HTML-like label, in which Graphviz still reads its own escapes."""
    from html import escape

    return escape(printable(text)).replace("\\", "\\\\")


def _safe(text: str) -> str:
    """Text for an attribute: no escapes, no entities."""
    from html import escape

    import graphviz

    return str(graphviz.escape(escape(printable(text), quote=False)))


def _page(svg: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Computational graph</title>'
        "<style>body{margin:1rem;background:#fff}svg{max-width:100%;height:auto}</style></head><body>\n"
        f"{svg[svg.index('<svg') :]}</body></html>\n"
    )


