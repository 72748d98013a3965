"""Pictures: what they show, that hostile text stays text, and that large graphs stay small."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Drawing, Graph, Value, draw, exp, group, log, ops, relu, sqrt
from autograd.demo import sigmoid_example
from autograd.pictures import render
from autograd.pictures.draw import number
from autograd.testing import Expression, expressions

pytestmark = pytest.mark.usefixtures("each_graphviz")

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {  # of the textbook's sigmoid graph: forward value and gradient of each node, in order
    "w0": ("2", "−0.1966"),
    "x0": ("−1", "0.3932"),
    "w0 * x0": ("−2", "0.1966"),
    "w1": ("−3", "−0.3932"),
    "x1": ("−2", "−0.5898"),
    "w1 * x1": ("6", "0.1966"),
    "w0 * x0 + w1 * x1": ("4", "0.1966"),
    "w2": ("−3", "0.1966"),
    "... + w2": ("1", "0.1966"),
    "neg": ("−1", "−0.1966"),
    "exp": ("0.3679", "−0.5344"),
    "+ 1": ("1.368", "−0.5344"),
    "reciprocal": ("0.7311", "1"),
}
TITLES = ["w0", "x0", "×", "w1", "x1", "×", "+", "w2", "+", "−x", "exp", "+ 1", "1/x"]


def rendered(drawing: Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.svg())


def texts(drawing: Drawing, kind: str = "node") -> dict[str, list[str]]:
    """The lines of text of every node or edge by its id, in the order of the graph."""
    groups = [g for g in rendered(drawing).iter(f"{SVG}g") if g.get("class") == kind]
    groups.sort(key=lambda g: [int(part) for part in re.findall(r"\d+", g.get("id", ""))])
    return {g.get("id", ""): ["".join(t.itertext()) for t in g.iter(f"{SVG}text")] for g in groups}


def test_the_textbook_figure() -> None:
    f = sigmoid_example()
    f.backward()
    assert list(texts(draw(f)).values()) == [[v, t, g] for (v, g), t in zip(FIGURES.values(), TITLES, strict=True)]


def test_local_derivatives_on_the_edges() -> None:
    f = sigmoid_example()
    f.backward()
    expected = {f"n{i}-{k}": [number(d)] for i, node in enumerate(Graph(f)) for k, d in enumerate(node.partials())}
    assert texts(draw(f, partials=True), "edge") == expected
    assert set(texts(draw(f), "edge")) == set(expected)


@pytest.mark.parametrize("ending", [".svg", ".png", ".pdf", ".dot", ".html"])
def test_every_format(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"graph{ending}"
    assert draw(sigmoid_example()).save(path) == str(path)
    head = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".dot": b"digraph", ".html": b"<!DOCTYPE html>"}[ending]
    assert path.read_bytes().startswith(head)


@settings(max_examples=15, deadline=None)
@given(expressions(max_size=12))
def test_any_graph_is_drawn_whole(e: Expression) -> None:
    root = e.value()
    root.backward()
    graph = Graph(root)
    shown = texts(draw(root))
    assert len(shown) == len(graph)
    for node, lines in zip(graph, shown.values(), strict=True):
        assert lines[0] == number(node.data)
    assert len(texts(draw(root), "edge")) == graph.edges


def test_the_source_is_deterministic() -> None:
    first, second = sigmoid_example(), sigmoid_example()
    assert draw(first, partials=True).source == draw(second, partials=True).source


class TestAppearance:
    def test_gradients_appear_once_backward_has_run(self) -> None:
        f = sigmoid_example()
        assert all(len(lines) == 2 for lines in texts(draw(f)).values())
        f.backward()
        assert all(len(lines) == 3 for lines in texts(draw(f)).values())
        assert all(len(lines) == 2 for lines in texts(draw(f, grad=False)).values())

    def test_the_legend_explains_the_shades(self) -> None:
        f = sigmoid_example()
        f.backward()
        words = " ".join(t for g in rendered(draw(f)).iter(f"{SVG}text") for t in g.itertext())
        assert "exactly 0" in words
        assert "≥ 0.3333" in words

    def test_dead_relu_and_infinity_stand_out(self) -> None:
        x = Value(-1.0, "x")
        dead = relu(x) + sqrt(Value(0.0, "z"))
        dead.backward()
        source = draw(dead).source
        assert source.count("dashed") == 1  # x only: the gradient of relu itself is 1
        assert source.count('penwidth=2.5') == 1
        assert "nan or inf" in source
        alive = Value(1.0) * 2
        alive.backward()
        assert "nan or inf" not in draw(alive).source

    def test_a_nan_in_the_forward_pass_stands_out(self) -> None:
        assert "penwidth=2.5" in draw(log(Value(-1.0))).source

    def test_leaves_and_roots_are_told_apart(self) -> None:
        source = draw(exp(Value(1.0))).source
        assert source.count("shape=ellipse") == 1
        assert source.count("peripheries=2") == 1

    def test_constants_are_folded_into_their_node(self) -> None:
        x = Value(2.0)
        titles = [lines[1] for lines in texts(draw((((1 - x * 3) ** 2) / 4) % 5)).values()]
        assert titles == ["leaf", "× 3", "1 −", "** 2", "÷ 4", "% 5"]
        assert [lines[1] for lines in texts(draw(x * 3, constants=False)).values()] == ["leaf", "×"]

    def test_all_digits_are_a_hover_away(self) -> None:
        assert "data = 0.3333333333333333" in html.unescape(draw(Value(1.0) / 3).svg())

    def test_directions(self) -> None:
        for direction in ("LR", "TB", "RL", "BT"):
            assert f"rankdir={direction}" in draw(Value(1.0), direction=direction).source


HOSTILE = [
    '"quoted" \'text\'',
    "<script>alert(1)</script>",
    "&amp; & &lt; &#60;",
    "{a|b|<c> d}",
    "back\\slash \\n \\N \\G \\\\",
    "two\nlines\r\n\tand a tab",
    "🎉 émoji 中文 \u202e",
    "\x00\x01\x1b[31m",
    "<b>bold</b> <!-- -->",
    "]]> --> %s {0} $(ls)",
    "x" * 10_000,
    "",
    "node [label=evil]",
    "\ud800",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_text(label: str, tmp_path: Path) -> None:
    v = Value(1.0, label)
    with group(label):
        w = v * 2
    w.label = label
    drawing = draw(w)
    tree = rendered(drawing)
    assert not list(tree.iter(f"{SVG}script"))
    assert len(texts(drawing)) == 2
    words = "".join("".join(t.itertext()) for t in tree.iter(f"{SVG}text")).replace("\xa0", " ")
    visible = "".join(repr(c)[1:-1] if not c.isprintable() else c for c in label if c != " ")
    assert visible[:10] in "".join(words.split())
    for ending in ("svg", "png", "pdf", "dot", "html"):
        drawing.save(tmp_path / f"x.{ending}")
    assert "<script" not in (tmp_path / "x.html").read_text("utf-8")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=50))
def test_any_label_gives_a_picture(label: str) -> None:
    assert len(texts(draw(Value(1.0, label) + 1))) == 2


def network(rows: int) -> Value:
    """A row of layers of neurons, grouped as code would."""
    w = [[Value(0.1 * (i + j), f"w{i}{j}") for i in range(3)] for j in range(4)]
    losses = []
    for r in range(rows):
        with group("model"):
            hidden = []
            for j in range(4):
                with group("neuron"):
                    hidden.append(relu(sum(w[j][i] * (r + 1.0) for i in range(3))))
        losses.append(ops.sum(hidden) * 0.5)
    loss: Value = ops.sum(losses)
    loss.backward()
    return loss


class TestNotebook:
    def test_a_small_value_shows_its_picture(self) -> None:
        shown = sigmoid_example()._repr_mimebundle_()
        assert shown["image/svg+xml"].count('class="node"') == 13
        assert shown["text/plain"].startswith("Value(data=0.731")
        assert shown["text/html"] == draw(sigmoid_example())._repr_html_()

    def test_a_large_one_a_summary(self) -> None:
        v = Value(1.0)
        for _ in range(200):
            v = v + 1.0
        shown = v._repr_mimebundle_()
        assert list(shown) == ["text/plain"]
        assert "201 nodes" in shown["text/plain"]

    def test_without_graphviz_it_is_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(render.shutil, "which", lambda name: None)
        monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
        assert list(Value(1.0)._repr_mimebundle_()) == ["text/plain"]

    def test_a_drawing_shows_itself(self) -> None:
        drawing = draw(Value(1.0))
        assert drawing._repr_svg_().startswith("<?xml")
        shown = drawing._repr_html_()
        style, image, picture = shown.index("<style>"), shown.index("<img"), shown.index('<svg style="max-width:100%')
        assert style < image < picture
        encoded = re.search(r"base64,([^\"]+)", shown)
        assert encoded is not None
        assert base64.b64decode(encoded[1]).decode() == drawing.svg()


class TestGroups:
    def test_frames_nest_as_groups_do(self) -> None:
        drawing = draw(network(2))
        clusters = [g for g in rendered(drawing).iter(f"{SVG}g") if g.get("class") == "cluster"]
        titles = ["".join(t.itertext()) for c in clusters for t in c.iter(f"{SVG}text")]
        assert sorted(titles) == ["model"] * 2 + ["neuron"] * 8
        assert "cluster" not in draw(network(2), groups=False).source

    def test_a_leaf_stands_where_it_is_used(self) -> None:
        x = Value(2.0, "x")
        with group("a"):
            y = x * Value(3.0, "w")
        z = y + x
        lines = draw(z).source.splitlines()
        first = next(i for i, line in enumerate(lines) if "cluster" in line)
        inside = "\n".join(lines[first : lines.index("\t}")])
        assert "<B>w</B>" in inside
        assert "<B>x</B>" not in inside

    def test_innermost_groups_close_first(self) -> None:
        loss = network(3)
        assert len(texts(draw(loss))) == len(Graph(loss))
        closed = texts(draw(loss, max_nodes=40))
        assert sum(lines[0] == "neuron" for lines in closed.values()) == 12
        assert {lines[1] for lines in closed.values() if lines[0] == "neuron"} == {"7 operations"}

    def test_then_whole_runs(self) -> None:
        closed = texts(draw(network(50), max_nodes=110))
        titles = [lines[0] for lines in closed.values()]
        assert "model / neuron (200 runs)" in titles
        assert "leaves" in titles

    def test_at_last_everything_outside(self) -> None:
        closed = texts(draw(network(200), max_nodes=10))
        assert sorted(lines[0] for lines in closed.values()) == ["leaves", "model (200 runs)", "outside"]

    def test_the_range_of_gradients(self) -> None:
        loss = network(50)
        low, high = min(n.grad for n in Graph(loss).leaves), max(n.grad for n in Graph(loss).leaves)
        leaves = next(lines for lines in texts(draw(loss, max_nodes=10)).values() if lines[0] == "leaves")
        assert leaves[1:] == ["12 leaves", f"gradients {number(low)} to {number(high)}"]


class TestLimits:
    def test_too_large_without_groups(self) -> None:
        v = Value(1.0)
        for _ in range(1500):
            v = v + 1.0
        with pytest.raises(ValueError, match=r"1,501 nodes and 1,500 edges, too many.*max_nodes=1000.*autograd.group.*raise max_nodes"):
            draw(v)
        assert len(texts(draw(v, max_nodes=2000))) == 1501

    def test_too_many_edges(self) -> None:
        x = [Value(1.0) for _ in range(60)]
        v = ops.sum([ops.dot(x, x) for _ in range(60)])
        with pytest.raises(ValueError, match=r"121 nodes and 7,260 edges, too many"):
            draw(v)

    def test_many_boxes_are_one_line_each(self) -> None:
        v = Value(1.0)
        for _ in range(250):
            v = v + 1.0
        assert all(len(lines) == 1 for lines in texts(draw(v)).values())

    def test_rendering_has_a_time_limit(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(render, "TIME_LIMIT", 1e-9)
        with pytest.raises(render.RenderError, match="draw a smaller graph"):
            draw(Value(1.0)).save(tmp_path / "x.svg")
        assert not (tmp_path / "x.svg").exists()

    def test_without_graphviz(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(render.shutil, "which", lambda name: None)
        monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
        drawing = draw(Value(1.0))
        assert drawing.source.startswith("digraph")
        with pytest.raises(render.RenderError, match=r"(?s)apt install graphviz.*pip install 'pygraphviz>=2'"):
            drawing.svg()

    def test_a_failing_graphviz_is_quoted(self) -> None:
        with pytest.raises(render.RenderError, match=r"^Graphviz failed: .*(syntax error|Invalid Input)"):
            render.render("digraph {", "svg")


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, -1234567.0, 1e-300, math.pi, math.inf, -math.inf, math.nan])
def test_numbers_are_read_back(x: float) -> None:
    back = float(number(x).replace("−", "-"))
    assert back == pytest.approx(x, rel=1e-3, nan_ok=True)
    assert len(re.sub(r"[^0-9]", "", number(x).split("e")[0])) <= 8


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw(Value(1.0), direction="UP"), ValueError, r"direction must be one of LR.*'UP'"),
        (lambda: draw(3.0), TypeError, "needs a Value"),  # type: ignore[arg-type]
        (lambda: draw(Value(1.0)).save("x.bmp"), ValueError, r"'x.bmp'.*must end in .svg"),
    ],
)
def test_bad_input(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
