"""The page to step through: one HTML file that needs no network, its picture laid out once, its numbers revealed step by step.

Python decides what happens at each stop and writes it as data; page.js shows it. Of what users name, all reaches the page as
text: in the data every <, > and & is escaped, and the script sets nothing but the text of elements.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..pictures.draw import Drawing, Writer, number
from ..pictures.scene import Box, Scene, arrange, plan
from ..support.tables import short
from .trace import FORWARD, Part, Step, Trace

MAX_NODES = 300  # drawn one by one; groups of a larger graph are closed
MAX_STOPS = 3000
_SIGNS = {" * ": " × ", " / ": " ÷ ", " - ": " − ", "-": "−"}
_HERE = Path(__file__).parent


class Reveal(NamedTuple):
    """What a stop shows of one box: a new text for its number if it has one, and whether that number is now final."""

    box: str
    text: str | None
    complete: bool


class Stop(NamedTuple):
    """One position of the slider: one step, or several at once that happen inside a closed group."""

    phase: str
    at: str
    edges: list[str]
    reveals: list[Reveal]
    rule: list[Part]
    note: str


def page(steps: Trace) -> str:
    """The page as HTML.

    Raises:
        ValueError: if the graph is too large to step through, even with its groups closed.
        RenderError: if Graphviz is missing or fails.
    """
    show = Show(steps)
    data = {"boxes": [(box.id, box.title is not None) for box in show.scene.boxes], "stops": [_compact(stop) for stop in show.stops]}
    script = _asset("page.js")
    root = short(steps.graph.names()[id(steps.root)])
    parts = {
        "title": html.escape(f"{root}, step by step"),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "style": _asset("page.css"),
        "picture": _inline(show.drawing().svg()),
        "data": _json(data),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


class Show:
    """The stops of a graph, and the picture they step through."""

    def __init__(self, steps: Trace) -> None:
        _check_size(steps.graph)
        self.steps = steps
        self.root: Value = _as_recorded(steps)
        self.scene: Scene = arrange(Graph(self.root), MAX_NODES, True)
        self.box_of: dict[int, Box] = {id(node): box for box in self.scene.boxes for node in self._originals(box)}
        self.stops: list[Stop] = list(self._stops())
        if len(self.stops) > MAX_STOPS:
            raise ValueError(f"{len(self.stops):,} steps are too many to step through (at most {MAX_STOPS:,}): take a part of the graph")

    def drawing(self) -> Drawing:
        """The picture with every number that the steps will show; local derivatives on edges where Graphviz can place them soon."""
        writer = Writer(self.scene, True, True, True)
        writer.compact = False  # the number above, the title and the number below are revealed one by one
        return Drawing(writer.dot("LR"))

    def _originals(self, box: Box) -> list[Value]:
        return [self._original[id(node)] for node in box.members]

    @cached_property
    def _original(self) -> dict[int, Value]:
        return {id(copied): node for copied, node in zip(self.scene.graph, self.steps.graph, strict=True)}

    def _stops(self) -> Iterator[Stop]:
        start = len(self.steps.forward)
        for batch in self._batches(range(start)):
            yield self._computed(batch)
        arrived, left = dict[int, float | None](), Counter(self._receiver(step).id for step in self.steps.backward)
        done = start
        for batch in self._batches(range(start, len(self.steps))):
            for step in self.steps[done : batch[-1] + 1]:
                arrived[id(step.receiver)] = step.total
                left[self._receiver(step).id] -= 1
            done = max(done, batch[-1] + 1)
            yield self._passed_on(batch, arrived, left)

    def _batches(self, indices: range) -> list[list[int]]:
        """The steps of each stop: one between open nodes; all of a closed group at once, when the last of them is done."""
        batches: dict[Any, list[int]] = {}
        for i in indices:
            step = self.steps[i]
            box, to = self.box_of[id(step.node)], self._receiver(step)
            is_seed = step.phase != FORWARD and step.parent is None
            if is_seed or (box.title is None and to.title is None):
                key: Any = i
            else:
                key = box.id if box.title is not None else (box.id, to.id)
            batches.setdefault(key, []).append(i)
        return sorted(batches.values(), key=lambda batch: batch[-1])

    def _receiver(self, step: Step) -> Box:
        return self.box_of[id(step.receiver)]

    @cached_property
    def _ports(self) -> dict[int, int]:
        """For each backward step, which of the operands of its node it goes to."""
        passed: Counter[int] = Counter()
        ports = {}
        for i, step in enumerate(self.steps.backward, len(self.steps.forward)):
            if step.parent is not None:
                ports[i] = passed[id(step.node)]
                passed[id(step.node)] += 1
        return ports

    def _computed(self, batch: list[int]) -> Stop:
        steps = [self.steps[i] for i in batch]
        box = self.box_of[id(steps[0].node)]
        edges = _unique(self._edge(step.node, k, parent) for step in steps for k, parent in enumerate(step.node.parents))
        if box.title is None:
            rule, note = self.steps.parts(batch[0]), _computed_note(steps[0])
        else:
            rule = [("name", short(box.title)), ("sign", f": {len(batch):,} nodes computed")]
            note = "Every node of the group has its value."
        return Stop(FORWARD, box.id, edges, [Reveal(box.id, None, True)], rule, note)

    def _passed_on(self, batch: list[int], arrived: dict[int, float | None], left: Counter[str]) -> Stop:
        steps = [self.steps[i] for i in batch]
        box, reveals = self.box_of[id(steps[0].node)], {}
        for step in steps:
            to = self._receiver(step)
            text = number(arrived[id(step.receiver)] or 0.0) if to.title is None else None
            reveals[to.id] = Reveal(to.id, text, not left[to.id])
        edges = _unique(self._edge(self.steps[i].node, self._ports[i], self.steps[i].receiver) for i in batch if i in self._ports)
        if len(steps) == 1:
            rule, note = self.steps.parts(batch[0]), _passed_on_note(self.steps, batch[0])
        else:
            title = short(box.title) if box.title is not None else self.steps.names[id(steps[0].node)]
            rule = [("name", title), ("sign", f": {len(batch):,} contributions passed on")]
            note = "Every edge follows the same rule: upstream gradient × local derivative = contribution."
        return Stop(steps[0].phase, box.id, edges, list(reveals.values()), rule, note)

    def _edge(self, node: Value, port: int, parent: Value) -> str | None:
        """The arrow of an edge in the picture, if it has one: an edge inside a closed group has none."""
        head, tail = self.box_of[id(node)], self.box_of[id(parent)]
        if head.title is None and tail.title is None:
            return f"{head.id}-{port}"
        return f"{tail.id}-{head.id}" if head is not tail else None


def _check_size(graph: Graph) -> None:
    """Refuse a graph that is too large before anything is made of it."""
    try:
        plan(graph, MAX_NODES, True)
    except ValueError:
        raise ValueError(
            f"the graph has {len(graph):,} nodes and {graph.edges:,} edges, "
            f"too many to step through one by one (at most {MAX_NODES} nodes): "
            'step through a part of it, or name its parts with `with autograd.group("..."):`, so that each is one step'
        ) from None


def _as_recorded(steps: Trace) -> Value:
    """A copy of the graph with the values and gradients of the steps; nodes without a label have the name that the rules use."""
    root = copy.deepcopy(steps.root)
    gradients = {id(step.receiver): step.total for step in steps.backward}
    names = steps.graph.names()
    for copied, step in zip(Graph(root), steps.forward, strict=True):
        copied._data, copied._grad = step.value, gradients[id(step.node)] or 0.0
        name = names[id(step.node)]
        copied.label = name if copied.label in ("", name) else f"{copied.label} ({name})"
    return root


def _computed_note(step: Step) -> str:
    if step.node.op is None:
        return "A leaf: its value is given."
    return f"Operation {step.node.op.name}: every operand has its value already."


def _passed_on_note(steps: Trace, index: int) -> str:
    step = steps[index]
    if step.parent is None:
        return "The backward pass starts here: the derivative of the result in itself is 1."
    arrived, expected = steps.arrivals[index - len(steps.forward)]
    total = number(step.total or 0.0)
    name = steps.names[id(step.parent)]
    if arrived < expected:
        return f"Contribution {arrived} of {expected}: {name} has {total} so far, and waits for the rest before it passes anything on."
    added = f"Contribution {arrived} of {expected}: all" if expected > 1 else "All"
    return f"{added} of the gradient of {name} has arrived. It is {total}."


def _unique(edges: Iterator[str | None]) -> list[str]:
    return list(dict.fromkeys(edge for edge in edges if edge is not None))


def _compact(stop: Stop) -> list[Any]:
    return [stop.phase == FORWARD, stop.at, stop.edges, stop.reveals, typeset(stop.rule), stop.note]


def typeset(rule: list[Part]) -> list[Part]:
    """A rule with the signs of mathematics in place of those of programs."""
    return [_typeset(part) for part in rule]


def _typeset(part: Part) -> Part:
    role, *texts = part
    if role == "sign":
        return role, _SIGNS.get(texts[0], texts[0])
    return (role, texts[0].replace("-", "−")) if role in ("value", "gradient", "partial", "constant") else part


def _json(data: Any) -> str:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _inline(svg: str) -> str:
    """The picture as an element of the page, which gives it its size and a name."""
    svg = re.sub(r"<!--.*?-->|<title>[^<]*</title>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return re.sub(r'<svg width="[^"]*" height="[^"]*"', '<svg id="picture" role="img" aria-label="The computational graph"', svg, count=1)


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
