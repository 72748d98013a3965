"""Graph.save and Graph.load: exact, whole or not at all, and safe against any file."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd import Graph, Value, exp, group, primitive, sum
from autograd.graphs import storage
from autograd.numbers.primitive import forget
from autograd.support import files
from autograd.testing import Expression, expressions

SPECIAL = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1, 1 / 3]
figures = st.one_of(st.sampled_from(SPECIAL), st.floats())
labels = st.one_of(st.just(""), st.text(), st.sampled_from(['"', "\\", "\x00", "\ud800", "w₀", "😀", "\u2028", "</script>"]))


@pytest.fixture(scope="module", autouse=True)
def _declared() -> None:
    primitive(lambda x: x**3, partials=lambda y, x: (3 * x * x,), name="cube")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def record(g: Graph) -> list[tuple[Any, ...]]:
    """All there is to know of a graph, by places instead of identities."""
    place = {id(node): i for i, node in enumerate(g)}
    nodes = [
        (node.op, [place[id(x)] if isinstance(x, Value) else repr(x) for x in node.args], repr(node.data), repr(node.grad), node.label)
        for node in g
    ]
    return [*nodes, tuple(place[id(root)] for root in g.roots), g._single]


def described(folder: Path, text: str | bytes) -> Graph:
    """What is read from a file with this text. There are ten thousand: none is made."""
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "open", lambda path, mode: io.BytesIO(raw), raising=False)
        return Graph.load(folder / "described.json")


# Round trip ---------------------------------------------------------------------------------------------------------------


@given(e=expressions(), data=st.data(), large=st.booleans())
def test_round_trip_is_exact(folder: Path, e: Expression, data: st.DataObject, large: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_LARGE", 0 if large else 10_000)
        _round_trip(folder, e, data)


def _round_trip(folder: Path, e: Expression, data: st.DataObject) -> None:
    leaves = [Value(x) for x in e.point]
    root = e(*leaves)
    root.backward()
    for node in Graph(root):
        node.grad = data.draw(figures)
        node.label = data.draw(labels)
        if node.op is None:
            node.data = data.draw(figures)
    extra = data.draw(st.lists(st.sampled_from([*leaves, root, root * 2, Value(1.0)]), max_size=3))
    g = Graph([root, *extra]) if extra or data.draw(st.booleans()) else Graph(root)
    path = folder / "graph.json"
    g.save(path)
    loaded = Graph.load(path)
    assert record(loaded) == record(g)
    assert os.listdir(folder).count("graph.json") == len([n for n in os.listdir(folder) if n.startswith("graph")])


@given(e=expressions())
def test_a_loaded_graph_is_alive(folder: Path, e: Expression) -> None:
    root = e.value()
    g = Graph(root)
    g.save(folder / "alive.json")
    loaded = Graph.load(folder / "alive.json")
    for each in (root, loaded[-1]):
        each.backward()
    assert record(loaded) == record(g)
    assert repr(loaded.forward()) == repr(g.forward())


VERSION_1 = (
    '{"format":"scalar-autograd graph","version":1,"sha256":"fc003185d76ef9f9cf14d9be39005a2a5f88a87bd93d8126370ffbbc01a46887","graph":'
    '{"op":[-1,0,1,2,3,-1,0,4],"ops":["mul","sum","exp","div","add"],'
    '"args":[[],[0,"2.0"],[1,"3.0",0,"inf"],[2],[3,0],[],[5,"-0.0"],[4,6]],"data":["1.5","3.0","inf","inf","inf","nan","nan","nan"],'
    '"grad":["nan","inf","inf","0.6666666666666666","1.0","0.0","1.0","1.0"],"labels":{"0":"x"},"groups":[["layer",-1],["neuron",0]],'
    '"group":[-1,1,1,1,1,-1,-1,-1],"roots":[7,0],"single":false}}'
)


def test_files_of_version_1_are_read(folder: Path) -> None:
    """As the first release wrote it, byte by byte."""
    x, w = Value(1.5, "x"), Value(math.nan)
    with group("layer"), group("neuron"):
        y = sum([x * 2, 3.0, x, math.inf]).exp() / x
    y = y + w * -0.0
    y.backward()
    loaded = described(folder, VERSION_1)
    assert record(loaded) == record(Graph([y, x]))
    assert [str(node.group) for node in loaded] == [str(node.group) for node in Graph([y, x])]
    loaded.save(folder / "again.json")
    assert record(Graph.load(folder / "again.json")) == record(loaded)


def test_of_nothing_and_of_a_leaf(folder: Path) -> None:
    for g in (Graph([]), Graph(Value(1.0, "x")), Graph([Value(math.nan)])):
        g.save(folder / "small.json")
        assert record(Graph.load(folder / "small.json")) == record(g)


def test_shared_operands_and_repeated_roots(folder: Path) -> None:
    a = Value(2.0)
    u = a * a
    g = Graph([u, u + u, a, u])
    g.save(str(folder / "shared.json"))
    loaded = Graph.load(str(folder / "shared.json"))
    assert loaded.roots[0] is loaded.roots[3] is loaded.roots[1].args[0] is loaded.roots[1].args[1]
    assert loaded.roots[2] is loaded.roots[0].args[0] is loaded.roots[0].args[1]


def test_the_file_is_plain_json(folder: Path) -> None:
    (exp(Value(1.0, "x")) + 1).backward()
    Graph(exp(Value(1.0, "x")) + 1).save(folder / "plain.json")

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    document = json.loads((folder / "plain.json").read_text("ascii"), parse_constant=refuse)
    assert (document["format"], document["version"]) == ("scalar-autograd graph", storage.VERSION)
    assert document["graph"]["ops"] == ["exp", "add"]


def test_own_primitives_must_be_declared_before_loading(folder: Path) -> None:
    from autograd import ops

    cube = ops.table["cube"]
    Graph(cube(Value(2.0))).save(folder / "cube.json")
    assert Graph.load(folder / "cube.json")[-1].op is cube
    forget("cube")
    with pytest.raises(LookupError, match=r"no primitive called 'cube'.*declared before it is used"):
        Graph.load(folder / "cube.json")


# Damage -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(folder: Path) -> bytes:
    x = Value(1.5, "x")
    y = sum([x * 2, 3.0, x]).exp() / x
    y.backward()
    Graph([y, x]).save(folder / "whole.json")
    return (folder / "whole.json").read_bytes()


def test_truncated_anywhere(folder: Path, small: bytes) -> None:
    for length in range(len(small)):
        with pytest.raises(ValueError, match="is not a graph file, or was cut short"):
            described(folder, small[:length])


def test_any_byte_altered(folder: Path, small: bytes) -> None:
    """It is refused, unless it is the same number with another last digit."""
    replacements = [*b'0 19,:[]{}"-x\\\x00\xff', None]
    accepted = 0
    for place in range(len(small)):
        for new in replacements:
            byte = small[place] ^ 1 if new is None else new
            if byte != small[place]:
                accepted += is_the_same(folder, small, small[:place] + bytes([byte]) + small[place + 1 :])
    assert accepted < 5


def is_the_same(folder: Path, whole: bytes, altered: bytes) -> bool:
    """Whether an altered file is read, as the whole one is."""
    try:
        loaded = described(folder, altered)
    except ValueError as error:
        assert "graph" in str(error)  # noqa: PT017
        return False
    assert record(loaded) == record(described(folder, whole))
    return True


@given(junk=st.binary(max_size=200))
def test_any_junk(folder: Path, junk: bytes) -> None:
    with pytest.raises(ValueError, match="graph"):
        described(folder, junk)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_inserted_or_deleted(folder: Path, small: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(small)))
    inserted = data.draw(st.one_of(st.just(b""), st.binary(min_size=1, max_size=4)))
    altered = small[:place] + inserted + small[place + data.draw(st.integers(0, 4)) :]
    is_the_same(folder, small, altered)  # white space between the tokens, or a number written otherwise


# Malice: well-formed files with a right checksum --------------------------------------------------------------------------

WHOLE: dict[str, Any] = {
    "ops": ["neg", "add", "dot"],
    "op": [-1, 0, 1],
    "a": [None, 0, 1],
    "b": [None, None, 2.0],
    "data": [1.0, -1.0, 1.0],
    "grad": [0.0, 0.0, 0.0],
    "labels": {"0": "x"},
    "groups": [["layer", -1], ["neuron", 0]],
    "group": [-1, 0, 1],
    "roots": [2],
    "single": True,
}


WHOLE_1 = {
    **{field: column for field, column in WHOLE.items() if field not in ("a", "b")},
    "args": [[], [0], [1, "2.0"]],
    "data": ["1.0", "-1.0", "1.0"],
    "grad": ["0.0", "0.0", "0.0"],
}


def document(graph: Any, **other: Any) -> str:
    version = 1 if isinstance(graph, dict) and "args" in graph else 2
    return json.dumps({"format": "scalar-autograd graph", "version": version, "sha256": files._digest(graph), "graph": graph, **other})


@pytest.mark.parametrize("whole", [WHOLE, WHOLE_1])
def test_the_models_of_these_files_are_whole(folder: Path, whole: dict[str, Any]) -> None:
    graph = described(folder, document(whole))
    assert graph[-1].data == 1.0
    assert repr(graph[-1].group) == "<Group layer / neuron>"


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode()


def test_numbers_in_base_64_are_doubles_little_end_first(folder: Path) -> None:
    graph = described(folder, document({**WHOLE, "data": packed(1.0, -0.0, math.inf), "grad": packed(0.1, 5e-324, -math.inf)}))
    assert [repr(node.data) for node in graph] == ["1.0", "-0.0", "inf"]
    assert [node.grad for node in graph] == [0.1, 5e-324, -math.inf]


def changed(field: str, value: Any) -> dict[str, Any]:
    """A file with one field that is not as it should be: of version 1 if it is a field that version 2 does not have so."""
    return {**(WHOLE_1 if field in ("args", "data 1", "grad 1") else WHOLE), field.removesuffix(" 1"): value}


MALICE: dict[str, dict[str, Any]] = {
    "operand is the node itself": changed("args", [[], [1], [1, "2.0"]]),
    "operand comes later": changed("args", [[], [2], [1, "2.0"]]),
    "operand is negative": changed("args", [[], [-1], [1, "2.0"]]),
    "operand is a bool": changed("args", [[], [False], [1, "2.0"]]),
    "operand is a float": changed("args", [[], [0.0], [1, "2.0"]]),
    "operand is null": changed("args", [[], [None], [1, "2.0"]]),
    "operand is huge": changed("args", [[], [10**4000], [1, "2.0"]]),
    "operand is a list": changed("args", [[], [[0]], [1, "2.0"]]),
    "operand is a word": changed("args", [[], ["x"], [1, "2.0"]]),
    "operand is a long number": changed("args", [[], [0], [1, "2" * 400]]),
    "too few operands": changed("args", [[], [], [1, "2.0"]]),
    "too many operands": changed("args", [[], [0, 0], [1, "2.0"]]),
    "only constants": changed("args", [[], ["1.0"], [1, "2.0"]]),
    "operands of a leaf": changed("args", [[0], [0], [1, "2.0"]]),
    "args are no list": changed("args", [[], 0, [1, "2.0"]]),
    "args are an object": changed("args", [[], {"0": 0}, [1, "2.0"]]),
    "args are a string": changed("args", [[], "0", [1, "2.0"]]),
    "code too large": changed("op", [-1, 0, 3]),
    "code too small": changed("op", [-2, 0, 1]),
    "code is a bool": changed("op", [-1, False, True]),
    "code is a float": changed("op", [-1, 0.0, 1]),
    "code is a name": changed("op", [-1, "neg", 1]),
    "code is null": changed("op", [None, 0, 1]),
    "code is huge": changed("op", [-1, 0, 10**4000]),
    "op name is no string": changed("ops", ["neg", 1, "dot"]),
    "op name is a list": changed("ops", ["neg", ["add"], "dot"]),
    "op name is unknown": changed("ops", ["neg", "os.system", "dot"]),
    "op name is special": changed("ops", ["neg", "__class__", "dot"]),
    "op name is empty": changed("ops", ["neg", "", "dot"]),
    "ops is an object": changed("ops", {"0": "neg"}),
    "data is a number": changed("data 1", [1.0, "-1.0", "1.0"]),
    "data is null": changed("data 1", [None, "-1.0", "1.0"]),
    "data is a word": changed("data 1", ["one", "-1.0", "1.0"]),
    "data is empty": changed("data 1", ["", "-1.0", "1.0"]),
    "data is complex": changed("data 1", ["1j", "-1.0", "1.0"]),
    "data is long": changed("data 1", ["1" * 1_000_000, "-1.0", "1.0"]),
    "grad is a list": changed("grad 1", [[], "0.0", "0.0"]),
    "grad is a bool": changed("grad 1", [True, "0.0", "0.0"]),
    "first operand is the node itself": changed("a", [None, 1, 1]),
    "first operand comes later": changed("a", [None, 2, 1]),
    "first operand is negative": changed("a", [None, -1, 1]),
    "first operand is a bool": changed("a", [None, False, 1]),
    "first operand is a word": changed("a", [None, "x", 1]),
    "first operand is a number in a string": changed("a", [None, "1.0", 1]),
    "first operand is an object": changed("a", [None, {}, 1]),
    "first operand is huge": changed("a", [None, 10**4000, 1]),
    "operands are one in a list": changed("a", [None, [0], 1]),
    "operands are two in a list": changed("a", [None, 0, [0, 1]]),
    "operands are three of one": changed("a", [None, [0, 0, 0], 1]),
    "operands are a list of lists": changed("a", [None, 0, [0, 1, [0]]]),
    "operands are a list with null": changed("a", [None, 0, [0, 1, None]]),
    "operands are a list and another": changed("a", [None, 0, [0, 1, 0]]),
    "second operand is the node itself": changed("b", [None, None, 2]),
    "second operand is a list": changed("b", [None, None, [0, 1, 0]]),
    "second operand is missing": changed("b", [None, None, None]),
    "second operand is one too many": changed("b", [None, 0, 2.0]),
    "second operand of a leaf": changed("b", [2.0, None, 2.0]),
    "first operand of a leaf": changed("a", [2.0, 0, 1]),
    "no operands": changed("a", [None, None, 1]),
    "second operand and no first": {**WHOLE, "a": [None, None, 1], "b": [None, 0, 2.0]},
    "only constants in version 2": changed("a", [None, 1.0, 1]),
    "data is whole": changed("data", [1, -1.0, 1.0]),
    "data is a number in a string": changed("data", ["1.0", -1.0, 1.0]),
    "data is a word of another kind": changed("data", ["infinity", -1.0, 1.0]),
    "data is true": changed("data", [True, -1.0, 1.0]),
    "data is a list": changed("data", [[], -1.0, 1.0]),
    "data is no base 64": changed("data", "AAAA" * 5 + "AAA?"),
    "data is half a number": changed("data", "AAAA"),
    "data is too few numbers": changed("data", packed(1.0, 2.0)),
    "grad is not padded": changed("grad", packed(1.0, 2.0, 3.0).rstrip("=") + "A"),
    "columns differ": changed("data", [1.0, -1.0]),
    "columns differ in a": changed("a", [None, 0]),
    "columns are empty": {**WHOLE, "op": [], "a": [], "b": [], "data": [], "grad": []},
    "data is a string": changed("data 1", "123"),
    "labels is a list": changed("labels", ["x"]),
    "label is no string": changed("labels", {"0": 1}),
    "label of no node": changed("labels", {"3": "x"}),
    "label of a word": changed("labels", {"zero": "x"}),
    "group inside itself": changed("groups", [["layer", 0], ["neuron", 0]]),
    "group inside a later one": changed("groups", [["layer", 1], ["neuron", -1]]),
    "group name is a number": changed("groups", [[1, -1], ["neuron", 0]]),
    "group is a name only": changed("groups", ["layer", "neuron"]),
    "group of a node is unknown": changed("group", [-1, 0, 2]),
    "group of a node is a bool": changed("group", [-1, False, 1]),
    "group of too few nodes": changed("group", [-1, 0]),
    "root is no node": changed("roots", [3]),
    "root is negative": changed("roots", [-1]),
    "root is a bool": changed("roots", [True]),
    "root is huge": changed("roots", [10**4000]),
    "root is a string": changed("roots", ["2"]),
    "roots is a number": changed("roots", 2),
    "single with two roots": changed("roots", [1, 2]),
    "single without a root": changed("roots", []),
    "single is a number": changed("single", 1),
    "single is null": changed("single", None),
    **{f"without {field}": {k: v for k, v in WHOLE.items() if k != field} for field in WHOLE},
    **{f"without {field} 1": {k: v for k, v in WHOLE_1.items() if k != field} for field in WHOLE_1 if field != "args"},
    **{f"{field} is null": changed(field, None) for field in WHOLE},
    **{f"{field} is a number": changed(field, 1) for field in WHOLE if field != "single"},
}


@pytest.mark.parametrize("name", sorted(MALICE))
def test_malice_is_refused(folder: Path, name: str) -> None:
    with pytest.raises((ValueError, LookupError), match=r"cannot be read as a graph: |there is no primitive called") as caught:
        described(folder, document(MALICE[name]))
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("version", [0, 3, 1.0, 2.0, True, "1", None, [1], 10**400, -1])
def test_other_versions_are_refused(folder: Path, version: Any) -> None:
    with pytest.raises(ValueError, match=r"it has version .*this release reads version 1 and 2: update"):
        described(folder, document(WHOLE, version=version))


@pytest.mark.parametrize(
    "text",
    [
        "null", "1", "[]", '"graph"', "{}", "NaN", "[NaN]", document([]), document(None), document(WHOLE, format="other"),
        document(WHOLE, format=1), document(WHOLE, sha256=None), document(WHOLE, sha256="0" * 64), document(WHOLE, sha256=[]),
        "1" * 5000, "\ufeff" + document(WHOLE), document(WHOLE) * 2, document(WHOLE).replace("1.0", "1e999"),
        document(WHOLE).replace("1.0", "Infinity"), document(WHOLE, version=1), document(WHOLE_1, version=2),
    ],
)  # fmt: skip
def test_other_documents_are_refused(folder: Path, text: str) -> None:
    with pytest.raises(ValueError, match="graph"):
        described(folder, text)


@pytest.mark.parametrize("nest", [lambda n: "[" * n + "]" * n, lambda n: '{"a":' * n + "1" + "}" * n, lambda n: "[" * n])
def test_deep_nesting_is_refused(folder: Path, nest: Callable[[int], str]) -> None:
    for depth in [*range(0, 2000, 7), *range(900, 1000), 100_000]:
        text = '{"format":"%s","version":1,"sha256":"","graph":{"args":%s}}' % ("scalar-autograd graph", nest(depth) or 0)  # noqa: UP031
        with pytest.raises(ValueError, match="graph"):
            described(folder, text)


@given(data=st.data())
def test_any_value_in_any_place(folder: Path, data: st.DataObject) -> None:
    """Anything JSON can say, anywhere in the graph: a clear error, or a graph."""
    words = st.one_of(st.text(max_size=3), st.sampled_from(["1.0", "neg"]))
    anything = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-4, 4), st.integers(), st.floats(), words),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["0", "1", "x"]), inner, max_size=3)),
        max_leaves=5,
    )
    graph = json.loads(json.dumps(data.draw(st.sampled_from([WHOLE, WHOLE_1]))))
    field = data.draw(st.sampled_from(sorted(graph)))
    if isinstance(graph[field], list) and data.draw(st.booleans()):
        graph[field][data.draw(st.integers(0, len(graph[field]) - 1))] = data.draw(anything)
    else:
        graph[field] = data.draw(anything)
    try:
        loaded = described(folder, document(graph))
    except (ValueError, LookupError) as error:
        assert "graph" in str(error) or "there is no primitive called" in str(error)  # noqa: PT017
    else:
        str(loaded)


# Saving -------------------------------------------------------------------------------------------------------------------


def test_a_failing_save_leaves_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "kept.json"
    Graph(Value(1.0)).save(path)
    before, names = path.read_bytes(), sorted(os.listdir(folder))

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    for module, name in ((files.os, "replace"), (files.json, "dumps")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(OSError, match="no space left"):
                Graph(Value(2.0)).save(path)
        assert path.read_bytes() == before
        assert sorted(os.listdir(folder)) == names


def test_a_save_interrupted_while_writing_leaves_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "kept.json"
    Graph(Value(1.0)).save(path)
    before, names = path.read_bytes(), sorted(os.listdir(folder))
    monkeypatch.setattr(files.json, "dumps", lambda *_, **__: "half a file \ud800")  # cannot be encoded: fails in write
    with pytest.raises(UnicodeEncodeError):
        storage.save(path, [], [], False)
    assert path.read_bytes() == before
    assert sorted(os.listdir(folder)) == names


def test_no_such_folder_or_file(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Graph(Value(1.0)).save(folder / "nowhere" / "graph.json")
    with pytest.raises(FileNotFoundError):
        Graph.load(folder / "nowhere.json")
    with pytest.raises(OSError, match="irectory"):
        Graph.load(folder)
