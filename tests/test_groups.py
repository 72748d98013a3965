"""Groups: which block recorded a node, through threads, copies, pickles and files."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from threading import Thread

import pytest

from autograd import Graph, Value, group, relu


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


def test_the_name_must_be_text() -> None:
    with pytest.raises(TypeError, match=r"name of a group must be a str \(got 3, int\)"):
        group(3)  # type: ignore[arg-type]
