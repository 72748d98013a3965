"""Steps: the same numbers as backward, in an order in which every gradient is complete before it is passed on."""

from __future__ import annotations

import builtins
import copy
import math
import os
import pickle
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Graph, Value, exp, group
from autograd import sum as total_of
from autograd.numbers.value import derivatives
from autograd.ops.zeros import ZERO
from autograd.pictures import render
from autograd.pictures.draw import number
from autograd.stepping.gif import MAX_FRAMES
from autograd.stepping.notebook import embedded
from autograd.stepping.page import MAX_NODES, Show, page
from autograd.stepping.steps import Steps, steps
from autograd.stepping.trace import BACKWARD, FORWARD, sweep
from autograd.support import files

pytestmark = pytest.mark.usefixtures("each_graphviz")


def sigmoid_example() -> Value:
    w0, x0, w1, x1, w2 = (Value(x, n) for x, n in ((2, "w0"), (-1, "x0"), (-3, "w1"), (-2, "x1"), (-3, "w2")))
    f: Value = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    f.label = "L"
    return f


def diamond() -> tuple[Value, Value, Value, Value]:
    a = Value(1.0, "a")
    b = a + a
    c = b * 2.0
    return a, b, c, b + c


def chain(length: int) -> Value:
    x = Value(1.0, "x")
    y = x
    for _ in range(length):
        y = y * x
    return y


KINDS: dict[str, Callable[[Value, Value], Value]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "exp": lambda a, b: exp(a),
    "relu": lambda a, b: a.relu(),
    "constant": lambda a, b: 2.0 - a,
    "sum": lambda a, b: total_of([a, b, a, 1.0]),
}


@st.composite
def graphs(draw: st.DrawFn) -> Value:
    """Graphs with shared nodes, zeros, infinities and operations of one to several operands."""
    nodes = [Value(draw(st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e200, 3e-200]))) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(0, 12))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        kind = draw(st.sampled_from(list(KINDS)))
        nodes.append(KINDS[kind](a, b))
    return nodes[-1]


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@given(graphs())
def test_the_steps_add_up_to_exactly_what_backward_gives(v: Value) -> None:
    recorded = steps(v)
    totals = {id(step.receiver): step.total for step in recorded.backward}
    v.zero_grad()
    v.backward()
    for node in Graph(v):
        total = totals[id(node)]
        assert total is not None
        assert same(total, node.grad)


@given(graphs())
def test_every_gradient_is_complete_before_it_is_passed_on(v: Value) -> None:
    recorded = steps(v)
    last = {id(step.receiver): i for i, step in enumerate(recorded)}
    totals: dict[int, float] = {}
    reached = {id(v)}
    for i, step in enumerate(recorded):
        if step.phase == BACKWARD:
            assert step.total is not None
            if step.parent is not None:
                assert last[id(step.node)] < i
                assert step.upstream is not None
                assert step.partial is not None
                assert step.contribution is not None
                assert same(step.upstream, totals[id(step.node)])
                selected = any(p is step.parent and d is not ZERO for p, d in zip(step.node.parents, derivatives(step.node), strict=True))
                if id(step.node) in reached and selected:
                    assert same(step.contribution, step.upstream * step.partial)
                    reached.add(id(step.parent))
                else:
                    assert step.contribution == 0.0
                assert same(step.total, totals.get(id(step.parent), 0.0) + step.contribution)
            totals[id(step.receiver)] = step.total


@given(graphs())
def test_there_is_a_step_for_each_node_and_one_for_each_edge_and_the_seed(v: Value) -> None:
    recorded, graph = steps(v), Graph(v)
    assert [step.phase for step in recorded] == [FORWARD] * len(graph) + [BACKWARD] * (graph.edges + 1)
    for step, node in zip(recorded.forward, graph, strict=True):
        assert step.node is node
        assert same(step.value, node.data)
    assert Counter(id(step.node) for step in recorded.backward[1:]) == Counter({id(n): len(n.parents) for n in graph if n.parents})
    assert len(recorded) == len(list(recorded)) == len(recorded[:])
    assert recorded[-1] is recorded.backward[-1]


@given(graphs(), st.floats(-5, 5))
def test_nobodys_gradients_change(v: Value, mark: float) -> None:
    for node in Graph(v):
        node.grad = mark
    str(steps(v))
    assert all(node.grad == mark for node in Graph(v))


@given(graphs())
def test_copies_and_pickles_of_steps_tell_the_same(v: Value) -> None:
    recorded = steps(v)
    before, count = str(recorded), len(recorded[:])
    for twin in (pickle.loads(pickle.dumps(recorded)), copy.deepcopy(recorded)):
        assert (str(twin), len(twin[:])) == (before, count)
        assert twin.root is twin.graph[-1]


def test_a_wrong_order_gives_a_wrong_gradient_and_steps_does_not() -> None:
    a, b, c, d = diamond()

    def gradient_of_a(order: list[Value]) -> float | None:
        return [step.total for step in sweep(d, order) if step.parent is a][-1]

    assert gradient_of_a([d, c, b]) == 6.0
    assert gradient_of_a([d, b, c]) == 2.0
    d.backward()
    assert a.grad == steps(d)[-1].total == 6.0


def test_values_and_gradients_are_those_of_the_moment_the_steps_were_taken() -> None:
    x = Value(2.0, "x")
    y = x * x
    recorded = steps(y)
    before = str(recorded)
    Graph(y).forward({x: 7.0})
    assert str(recorded) == before
    assert number(4.0) in page(recorded)
    assert "49" not in {reveal.text for stop in Show(recorded).stops for reveal in stop.reveals}


def test_rules_are_written_out_with_their_numbers() -> None:
    recorded = steps(sigmoid_example())
    rules = [recorded.formula(i) for i in range(len(recorded))]
    assert rules[0] == "w0 = 2"
    assert rules[2] == "v2 = w0 * x0 = 2 * -1 = -2"
    assert rules[9] == "v9 = -v8 = -(1) = -1"
    assert rules[10] == "v10 = exp(v9) = exp(-1) = 0.3679"
    assert rules[11] == "v11 = 1 + v10 = 1 + 0.3679 = 1.368"
    assert rules[12] == "L = 1 / v11 = 1 / 1.368 = 0.7311"
    assert rules[13] == "dL/dL = 1"
    assert rules[-2] == "dL/dw0 += dL/dv2 * dv2/dw0 = 0.1966 * -1 = -0.1966"
    assert all(rule in str(recorded) for rule in rules)


def test_a_negative_base_is_bracketed_and_long_sequences_are_cut_short() -> None:
    assert steps(Value(-2.0, "x") ** 2).formula(1) == "v1 = x ** 2 = (-2) ** 2 = 4"
    many = total_of([Value(1.0, f"x{i}") for i in range(9)])
    recorded = steps(many)
    assert recorded.formula(9) == "v9 = sum(x0, x1, x2, x3, x4, x5, ...) = sum(1, 1, 1, 1, 1, 1, ...) = 9"


def test_long_graphs_do_not_recurse_and_print_their_ends() -> None:
    recorded = steps(chain(60_000))
    assert len(recorded) == 60_001 + 120_001
    assert recorded[-1].total == 60_001.0
    text = recorded.table(20)
    assert text.count("\n") == 2 * (20 + 4)
    assert "(59,981 more)" in text


def test_only_a_value_can_be_stepped_through() -> None:
    with pytest.raises(TypeError, match=r"steps needs a Value \(got 3.0, float\)"):
        steps(3.0)  # type: ignore[arg-type]


# Pages and animations ----------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(graphs())
def test_every_stop_of_a_page_shows_what_its_step_says(v: Value) -> None:
    recorded = steps(v)
    show = Show(recorded)
    assert len(show.stops) == len(recorded)
    ids = {id(node): f"n{i}" for i, node in enumerate(Graph(v))}
    completed = Counter[tuple[str, str]]()
    for stop, step in zip(show.stops, recorded, strict=True):
        (reveal,) = stop.reveals
        assert (stop.phase, stop.at, reveal.box) == (step.phase, ids[id(step.node)], ids[id(step.receiver)])
        assert reveal.text == (None if step.total is None else number(step.total))
        completed[stop.phase, reveal.box] += reveal.complete
    assert set(completed.values()) == {1}


def nested(layers: int, width: int) -> Value:
    level = [Value(0.5, f"x{i}") for i in range(3)]
    for layer in range(layers):
        with group(f"layer {layer}"):
            level = [total_of([x * (0.1 + i) for x in level]).tanh() for i in range(width)]
    total: Value = total_of(level)
    return total


def network(widths: list[int]) -> Value:
    level = [Value(0.5, f"x{i}") for i in range(3)]
    for width in widths:
        level = [total_of([x * Value(0.1 + i) for x in level]).tanh() for i in range(width)]
    total: Value = total_of(level)
    return total


def test_large_graphs_are_stepped_by_group() -> None:
    v = nested(3, 12)
    assert len(Graph(v)) > MAX_NODES
    recorded = steps(v)
    show = Show(recorded)
    assert len(show.stops) < 100
    assert sum(stop.rule[0] == ("name", "layer 1") for stop in show.stops) == 2
    for phase in (FORWARD, BACKWARD):
        complete = Counter(reveal.box for stop in show.stops if stop.phase == phase for reveal in stop.reveals if reveal.complete)
        assert set(complete) == {box.id for box in show.scene.boxes}
    edges = {edge for stop in show.stops for edge in stop.edges}
    assert edges == {arrow.id for arrow in show.scene.arrows}
    final = {reveal.box: reveal.text for stop in show.stops if stop.phase == BACKWARD for reveal in stop.reveals}
    v.zero_grad()
    v.backward()
    inside = {id(step.node) for step in recorded.forward if show.box_of[id(step.node)].title is not None}
    for node in Graph(v):
        if id(node) not in inside:
            assert final[show.box_of[id(node)].id] == number(node.grad)


@pytest.mark.parametrize("name", ["x.html", "x.gif"])
def test_a_large_graph_without_groups_is_refused_and_leaves_no_file(name: str, tmp_path: Path) -> None:
    if name.endswith("gif"):
        pytest.importorskip("PIL")
    recorded = steps(chain(400))
    with pytest.raises(ValueError, match="401 nodes and 800 edges, too many to step through one by one"):
        recorded.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    assert "too many to step through" in embedded(recorded)
    assert "<iframe" not in embedded(recorded)


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.html or \.gif"):
        steps(Value(1.0)).save(tmp_path / "x.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.html", "x.gif"])
def test_an_error_of_the_renderer_leaves_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.endswith("gif"):
        pytest.importorskip("PIL")
    broken = [sys.executable, "-c", "import sys; sys.exit('broken')"]
    monkeypatch.setattr(render, "_renderers", lambda format: [render._Renderer("dot", broken)])
    recorded = steps(sigmoid_example())
    with pytest.raises(render.RenderError, match="broken"):
        recorded.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    assert "broken" in embedded(recorded)
    assert "dL/dL = 1" in embedded(recorded)


HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"'&amp;&",
    "{|}\\N\\n",
    "a\nb\r\tc",
    "😀\u2028",
    "x" * 10_000,
]


def test_a_page_is_one_file_in_which_labels_are_only_text(tmp_path: Path) -> None:
    v = total_of([Value(float(i), label) for i, label in enumerate(HOSTILE)])
    text = Path(steps(v).save(tmp_path / "x.html")).read_text(encoding="utf-8")
    assert text.count("<script") == text.count("</script") == 2
    assert "<img" not in text
    assert "\u2028" not in text
    assert not [address for address in text.split('"') if address.startswith("http") and "w3.org" not in address]
    assert len(text) < 60_000


def test_pages_are_the_same_for_the_same_graph() -> None:
    assert page(steps(sigmoid_example())) == page(steps(sigmoid_example()))
    assert embedded(steps(sigmoid_example())) == steps(sigmoid_example())._repr_html_()


def test_a_page_of_300_values_is_below_a_megabyte() -> None:
    v = network([6, 6, 6, 4])
    assert 250 < len(Graph(v)) <= MAX_NODES
    assert len(page(steps(v)).encode()) < 1_000_000


def test_an_animation_has_a_frame_for_each_step(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    *_, d = diamond()
    recorded = steps(d)
    with image.open(recorded.save(tmp_path / "x.gif")) as film:
        assert film.format == "GIF"
        assert film.n_frames == len(recorded)
        film.seek(0)
        first = film.convert("RGB").getcolors(1 << 24)
        film.seek(film.n_frames - 1)
        last = film.convert("RGB").getcolors(1 << 24)
    assert redness(last) > 4 * redness(first)


def redness(colours: list[tuple[int, tuple[int, int, int]]]) -> int:
    return sum(count for count, (r, g, b) in colours if r > 140 and g < 90 and b < 90)


def test_an_animation_of_too_many_steps_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    with pytest.raises(ValueError, match=f"too many for an animation .at most {MAX_FRAMES}"):
        steps(chain(150)).save(tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())


def test_an_animation_without_pillow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "PIL":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install pillow"):
        steps(Value(1.0)).save(tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The pages that a browser was asked to open, with a folder of their own for temporary files."""
    pages: list[Path] = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", lambda address: not pages.append(Path(address.removeprefix("file://"))))
    return pages


def test_without_a_notebook_show_opens_a_browser(opened: list[Path]) -> None:
    recorded = steps(sigmoid_example())
    recorded.show()
    (file,) = opened
    assert file.read_text(encoding="utf-8") == page(recorded)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 or os.name != "posix"


def test_pages_that_were_shown_do_not_stay_for_good(opened: list[Path], tmp_path: Path) -> None:
    """For a day they do: the browser may be late, or be asked to load one again."""
    recorded = steps(Value(1.0) * 2.0)
    others = [tmp_path / "steps-of-somebody-else.html", tmp_path / "scalar-autograd-steps-folder.html"]
    others[0].write_text("mine")
    others[1].mkdir()
    for _ in range(3):
        recorded.show()
    first, second, third = opened
    long_ago = first.stat().st_mtime - 25 * 60 * 60
    for path in (first, second, *others):
        os.utime(path, (long_ago, long_ago))
    recorded.show()
    assert {*tmp_path.iterdir()} == {third, opened[3], *others}


def test_a_page_that_cannot_be_written_leaves_no_file(opened: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        steps(Value(1.0) * 2.0).show()
    assert not opened
    assert not list(tmp_path.iterdir())


def test_where_there_is_no_browser(opened: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    with pytest.raises(RuntimeError, match=r"no browser .* \.save\('steps\.html'\)"):
        steps(Value(1.0) * 2.0).show()
    assert not list(tmp_path.iterdir())


def test_stepping_needs_neither_pillow_nor_ipython() -> None:
    code = (
        "import sys; from autograd import Value; from autograd import steps; s = steps(Value(2.0) * 3.0); str(s); s._repr_html_();"
        "print(sorted({'PIL', 'IPython', 'playwright'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_steps_are_what_steps_returns() -> None:
    recorded = steps(sigmoid_example())
    assert isinstance(recorded, Steps)
    assert repr(recorded) == "<Steps of L: 13 forward, 13 backward>"
