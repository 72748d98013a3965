"""Groups: which block recorded a node, through threads, copies, pickles and files."""

from __future__ import annotations

import copy
import io
import pickle
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import AnomalyError, Graph, Value, detect_anomaly, draw, group, log, relu, steps
from autograd import sum as total
from autograd.pictures.scene import _DEEPEST as DEEPEST
from autograd.pictures.scene import arrange, homes


def grouped() -> Value:
    x = Value(2.0, "x")
    with group("layer"):
        hidden = []
        for i in range(2):
            with group(f"neuron {i}"):
                hidden.append(relu(x * float(i + 1)))
        total = hidden[0] + hidden[1]
    return total * 2.0


def paths(v: Value) -> list[str]:
    return [repr(node.group) for node in Graph(v)]


EXPECTED = [
    "None",
    "<Group layer / neuron 0>",
    "<Group layer / neuron 0>",
    "<Group layer / neuron 1>",
    "<Group layer / neuron 1>",
    "<Group layer>",
    "None",
]


def test_nodes_know_the_innermost_block_that_recorded_them() -> None:
    assert paths(grouped()) == EXPECTED


def test_each_block_is_a_group_of_its_own() -> None:
    x = Value(1.0)
    with group("a"):
        first = x + 1
    with group("a"):
        second = x + 1
    assert first.group is not second.group
    assert first.group is not None
    assert second.group is not None
    assert first.group.name == second.group.name == "a"


def test_an_error_closes_the_block() -> None:
    with pytest.raises(ZeroDivisionError), group("a"):
        1 / 0  # noqa: B018
    assert (Value(1.0) + 1).group is None


def test_threads_have_groups_of_their_own() -> None:
    found: list[object] = []
    with group("here"):
        thread = Thread(target=lambda: found.append((Value(1.0) + 1).group))
        thread.start()
        thread.join()
    assert found == [None]


def test_copies_pickles_and_files_keep_them(tmp_path: Path) -> None:
    v = grouped()
    Graph(v).save(tmp_path / "g.json")
    loaded = Graph.load(tmp_path / "g.json")
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v)), loaded[-1]):
        assert paths(other) == EXPECTED
        first, second = (node.group for node in Graph(other)[1:3])
        assert first is second


# As deep as anybody likes ------------------------------------------------------------------------------------------------

DEPTH = 2000


@pytest.fixture(scope="module")
def deep() -> Value:
    """A node at every depth of a chain of groups, and some beside it."""
    x = y = Value(0.5, "x")
    with ExitStack() as blocks:
        for i in range(DEPTH):
            blocks.enter_context(group(f"level {i}"))
            y = y * x
        with group("other"):
            z = x + 1.0
    v: Value = y + z
    return v


def stored(v: Value) -> list[tuple[str, int]]:
    """The name of each node's group, and how many are around it."""
    return [(node.group.name, len(node.group.path)) if node.group else ("", 0) for node in Graph(v)]


def test_deep_groups_are_written_and_read(deep: Value, tmp_path: Path) -> None:
    expected = stored(deep)
    assert max(depth for _, depth in expected) == DEPTH + 1
    Graph(deep).save(tmp_path / "deep.json")
    pickled = pickle.dumps(deep)
    for other in (Graph.load(tmp_path / "deep.json")[-1], pickle.loads(pickled), copy.deepcopy(deep), copy.copy(deep)):
        assert stored(other) == expected
        groups = [node.group for node in Graph(other) if node.group]
        assert all(inner.parent is outer for outer, inner in pairwise(groups[:DEPTH]))
    assert pickle.dumps(pickle.loads(pickled)) == pickled


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_groups_are_pickled_by_themselves(deep: Value, protocol: int) -> None:
    innermost = deep.args[0].group  # type: ignore[union-attr]
    assert innermost is not None
    middle = innermost.path[DEPTH // 2]
    again, outer, node = pickle.loads(pickle.dumps([innermost, middle, deep.args[0]], protocol))
    assert [g.name for g in again.path] == [g.name for g in innermost.path]
    assert again.path[DEPTH // 2] is outer
    assert node.group is again
    file = io.BytesIO()
    pickle._Pickler(file, protocol).dump([middle, deep])  # type: ignore[attr-defined]
    first, root = pickle._loads(file.getvalue())  # type: ignore[attr-defined]
    assert root.args[0].group.path[DEPTH // 2] is first


@pytest.mark.usefixtures("graphviz")
def test_deep_groups_are_shown(deep: Value) -> None:
    assert repr(deep.args[0].group) == (
        f"<Group level 0 / level 1 / ... / {' / '.join(f'level {i}' for i in range(DEPTH - 10, DEPTH))}>"
    )
    assert len(str(Graph(deep))) < 10_000
    source = draw(deep).source
    assert source.count("subgraph") == DEEPEST - 1
    assert draw(deep).svg().count('class="cluster"') == DEEPEST - 1
    assert "<iframe" in steps(deep)._repr_html_()
    assert "subgraph" not in draw(deep, groups=False, max_nodes=3000).source
    assert draw(deep, max_nodes=4).source.count("tooltip") < 20


def test_deep_groups_are_told_in_part() -> None:
    with ExitStack() as blocks:
        for i in range(DEPTH):
            blocks.enter_context(group(f"level {i}"))
        with pytest.raises(AnomalyError, match=r"in level 0 / level 1 / \.\.\. / level 1990 / "), detect_anomaly():
            log(Value(-1.0))


@given(st.recursive(st.just(None), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=15), st.integers(1, 12))
def test_boxes_are_those_of_the_first_level_that_fits(tree: Any, limit: int) -> None:
    """Against the rule itself: levels close from the innermost on, one after another."""
    x = Value(1.0)

    def recorded(branch: Any) -> list[Value]:
        if branch is None:
            return [x * 2.0]
        with group("g"):
            return [v for twig in branch for v in recorded(twig)]

    v = total(recorded(tree))
    graph = Graph(v)
    try:
        scene = arrange(graph, limit, True)
    except ValueError:
        assert len({len(node.group.path) if node.group else 0 for node in graph}) + 1 > limit or limit < 3
        return
    home = homes(graph)
    deepest = max((len(g.path) for g in home.values()), default=0)

    def boxes(level: int) -> set[Any]:
        return {id(n) if len(p := home[id(n)].path if id(n) in home else ()) < level else p[level - 1] for n in graph}

    assert {id(n) for box in scene.boxes for n in box.members} == set(map(id, graph))
    fitting = [boxes(level) for level in range(deepest + 1, 0, -1) if len(boxes(level)) <= limit]
    if fitting:
        assert len(scene.boxes) == len(fitting[0])


def test_the_name_must_be_text() -> None:
    with pytest.raises(TypeError, match=r"name of a group must be a str \(got 3, int\)"):
        group(3)  # type: ignore[arg-type]
