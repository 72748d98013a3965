"""Where the Values of a module are: each is found under a name of its own, or refused where it would silently be left out."""

from __future__ import annotations

import gc
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from operator import mul
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, stop_gradient
from nn import Dropout, Linear, Module, Neuron, Sequential

Pair = namedtuple("Pair", ["first", "second"])


class Holder(Module):
    """A module that holds anything, and adds up all Values that can be reached in it."""

    def __init__(self, **attributes: Any) -> None:
        for name, x in attributes.items():
            setattr(self, name, x)

    def forward(self, x: Any) -> Any:
        return autograd.sum(x * v for v in reached(self))


def reached(module: Module) -> list[Any]:
    """The numbers in all attributes but the settings, by a walk of its own."""
    return [v for name in vars(module) if name != "training" for v in numbers_in(getattr(module, name))]


def numbers_in(x: Any) -> list[Any]:
    if isinstance(x, dict):
        return [v for item in x.values() for v in numbers_in(item)]
    if isinstance(x, (list, tuple)):
        return [v for item in x for v in numbers_in(item)]
    if isinstance(x, np.ndarray):
        return list(x.flat)
    return reached(x) if isinstance(x, Module) else [x]


# Found --------------------------------------------------------------------------------------------------------------------

keys = st.one_of(st.integers(0, 3), st.sampled_from("abc"))
trees = st.recursive(
    st.builds(Value, st.floats(-3, 3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.builds(Pair, inner, inner),
        st.dictionaries(keys, inner, max_size=3).filter(lambda d: len(set(map(str, d))) == len(d)),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3).map(OrderedDict),
        st.lists(st.floats(-3, 3), max_size=3).map(autograd.array),
        st.dictionaries(st.sampled_from("wv"), inner, max_size=2).map(lambda d: Holder(**d)),
    ),
    max_leaves=8,
)


@given(trees, trees)
def test_all_values_in_nested_containers_are_parameters(a: Any, b: Any) -> None:
    model = Holder(a=a, b=b)
    found = model.named_parameters()
    expected = reached(model)
    assert {id(v) for v in found.values()} == {id(v) for v in expected}
    assert len(found) == len(expected)
    assert model(2.0) == autograd.sum(2.0 * v.data for v in expected)
    with model.using([float(k) for k in range(len(found))]):
        assert sorted(reached(model)) == list(range(len(found)))
        assert model.parameters() == list(range(len(found)))
    assert [id(v) for v in reached(model)] == [id(v) for v in expected]


def test_containers_keep_their_kinds() -> None:
    counts = defaultdict(lambda: 7.0, a=Value(1.0))
    model = Holder(counts=counts, pair=Pair(Value(2.0), 3.0), point=np.array(Value(4.0), dtype=object), order=OrderedDict(z=Value(5.0)))
    assert list(model.named_parameters()) == ["counts.a", "pair.0", "point", "order.z"]
    with model.using([10.0, 20.0, 40.0, 50.0]):
        assert (model.counts["a"], model.counts["missing"]) == (10.0, 7.0)
        assert (model.pair.first, model.pair.second) == (20.0, 3.0)
        assert (model.point.shape, model.point.dtype, float(model.point)) == ((), float, 40.0)
        assert type(model.order) is OrderedDict
    with model.using([Value(1.0)] * 4):
        assert model.point.dtype == object
    assert counts == {"a": counts["a"]}
    assert type(counts["a"]) is Value


def test_a_container_that_holds_itself() -> None:
    loop: list[Any] = [Value(1.0)]
    loop += [loop, {"again": loop, "pair": (loop, Value(2.0))}]
    model = Holder(loop=loop)
    assert list(model.named_parameters()) == ["loop.0", "loop.2.pair.1"]
    with model.using([5.0, 6.0]):
        inside = model.loop
        assert inside[1] is inside[2]["again"] is inside[2]["pair"][0] is inside
        assert (inside[0], inside[2]["pair"][1]) == (5.0, 6.0)
    assert model.loop is loop
    assert loop[1] is loop
    del loop[1:], inside


@pytest.mark.parametrize("depth", [100, 5000])
def test_nothing_recurses(depth: int) -> None:
    model = Holder(deep=reduce(lambda inner, _: [inner], range(depth), Value(1.0)))
    (name,) = model.named_parameters()
    assert name == "deep" + ".0" * depth
    with model.using([3.0]):
        x: Any = model.deep
        for _ in range(depth):
            (x,) = x
        assert x == 3.0
    chain = reduce(lambda inner, _: Holder(inner=inner), range(depth // 10), Neuron.of([1.0], bias=False))
    assert len(chain.modules()) == depth // 10 + 1
    assert len(chain.train().parameters()) == 1


def test_one_list_under_two_names() -> None:
    shared = [Value(1.0), Value(2.0)]
    model = Holder(a=shared, b={"inner": shared, "again": shared})
    assert list(model.named_parameters()) == ["a.0", "a.1"]
    with model.using([3.0, 4.0]):
        assert model.a == model.b["inner"] == [3.0, 4.0]
        assert model.b["inner"] is model.b["again"]


def test_slots() -> None:
    class Slotted(Module):
        __slots__ = ("__hidden", "unset", "w")

        def __init__(self) -> None:
            self.w, self.__hidden = [Value(2.0)], Value(3.0)

        def forward(self, x: Any) -> Any:
            return self.w[0] * x + self.__hidden

    model = Slotted()
    assert {p.data for p in model.parameters()} == {2.0, 3.0}
    assert model.predict([1.0]) == [5.0]
    with model.using([p.data * 10 for p in model.parameters()]):
        assert model(1.0) == 50.0
    assert model(1.0).data == 5.0


def test_a_module_that_holds_itself() -> None:
    part = Linear(1, 1, rng=0)
    model = Holder(w=Value(1.0), part=part)
    model.me, part.whole = [model], model  # type: ignore[attr-defined]
    assert model.modules() == [model, part, part.neurons[0]]
    assert list(model.named_parameters()) == ["w", "part.neurons.0.w.0", "part.neurons.0.b"]
    assert len(part.parameters()) == 3
    with model.using([5.0, 6.0, 7.0]):
        assert (model.me[0].w, part.whole.w, part(1.0)) == (5.0, 5.0, 13.0)  # type: ignore[attr-defined]


def test_other_arrays_beside_values_stay_as_they_are() -> None:
    index, name = np.array([1, 0]), np.array(["a"])
    model = Holder(table={"w": [Value(1.0), Value(2.0)], "index": index, "name": name, "pair": (index, name)})
    with model.using([3.0, 4.0]):
        assert model.table["index"] is model.table["pair"][0] is index
        assert model.table["name"] is name
        assert [model.table["w"][i] for i in model.table["index"]] == [4.0, 3.0]


def test_parts_whose_names_are_alike_are_all_found() -> None:
    model = Holder(parts={1: Dropout(0.1), "1": Dropout(0.2)}, other=[Holder(), Holder()])
    assert len(model.modules()) == 5
    assert not any(module.training for module in model.eval().modules())


# Refused ------------------------------------------------------------------------------------------------------------------


@dataclass
class Cell:
    gate: Any
    inner: Any = None


class Slots:
    __slots__ = ("w",)

    def __init__(self, w: Any) -> None:
        self.w = w


class Gate:
    """A layer of somebody who forgot to derive from Module."""

    def __init__(self) -> None:
        self.weights = {"w": [Value(2.0)]}

    def __call__(self, x: Any) -> Any:
        return self.weights["w"][0] * x


class Shared(Module):
    w = Value(2.0)

    def forward(self, x: Any) -> Any:
        return self.w * x


class Heir(Shared):
    parts = [Linear(1, 1)]  # noqa: RUF012


v = Value
HIDDEN: dict[str, tuple[Callable[[], Any], str]] = {
    "a set": (lambda: Holder(items={v(1.0), v(2.0)}), "a Value is in items, a set,"),
    "a frozenset": (lambda: Holder(items=[3.0, frozenset([(v(1.0),)])]), r"a Value is in items\.1, a frozenset,"),
    "a deque": (lambda: Holder(queue=deque([v(1.0)])), "a Value is in queue, a deque,"),
    "a deque of modules": (lambda: Holder(queue=deque([Linear(1, 1)])), "a Linear is in queue, a deque,"),
    "a dataclass": (lambda: Holder(cell=Cell(v(1.0))), "a Value is in cell, a Cell,"),
    "dataclasses": (lambda: Holder(cell=Cell(1.0, Cell({"a": (v(1.0),)}))), "a Value is in cell, a Cell,"),
    "slots": (lambda: Holder(part=Slots(v(1.0))), "a Value is in part, a Slots,"),
    "a namespace": (lambda: Holder(part=SimpleNamespace(w=v(1.0))), "a Value is in part, a SimpleNamespace,"),
    "a callable": (lambda: Sequential(Linear(1, 1), Gate()), r"a Value is in layers\.1, a Gate,"),
    "the class": (lambda: Shared(), r"a Value is in Shared\.w, which belongs to the class,"),
    "a class above": (lambda: Holder(part=Heir()), r"a (Linear is in Heir\.parts|Value is in Shared\.w), which belongs to the class,"),
    "an object array": (lambda: Holder(cell=Cell(autograd.array([[1.0]]))), "a Value is in cell, a Cell,"),
    "what holds itself": (lambda: Holder(cell=endless()), "a Value is in cell, a Cell,"),
    "a key": (lambda: Holder(table={v(1.0): 2.0}), "a Value is in table, as a key,"),
    "a mapping": (lambda: Holder(table=UserDict(a=v(1.0))), "a Value is in table, a UserDict,"),
    "a proxy": (lambda: Holder(table=MappingProxyType({"a": v(1.0)})), "a Value is in table, a mappingproxy,"),
    "an attribute of a function": (lambda: Holder(f=with_weight()), "a Value is in f, a function,"),
    "deep below": (lambda: Sequential(Holder(a=[{"b": {v(1.0)}}])), r"a Value is in layers\.0\.a\.0\.b, a set,"),
}  # fmt: skip


def endless() -> Cell:
    cell = Cell(None, {v(1.0)})
    cell.gate = [cell, {"again": cell}]
    return cell


def with_weight() -> Any:
    def f(x: Any) -> Any:
        return x

    f.w = v(1.0)  # type: ignore[attr-defined]
    return f


@pytest.mark.parametrize("case", HIDDEN)
def test_what_would_silently_be_left_out_is_refused_by_name(case: str) -> None:
    make, message = HIDDEN[case]
    model = make()
    uses: list[Callable[[], Any]] = [
        model.parameters, model.weights, model.state_dict, model.modules, model.train, model.summary, model.zero_grad,
        lambda: model.using([]), lambda: model.predict([1.0]), lambda: nn.optim.SGD(model, 0.1),
        lambda: nn.fit(model, [1.0], [1.0], loss="mse", progress=False),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(TypeError, match=f"^{message} where it would neither be trained nor saved: keep Values and modules among the"):
            use()


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ({"a.b": v(1.0), "a": {"b": v(2.0)}}, r"table\.a\.b"),
        ({1: v(1.0), "1": v(2.0)}, r"table\.1"),
        ({1: {"w": [v(1.0)]}, "1": Holder(w=[v(2.0)])}, r"table\.1\.w\.0"),
    ],
)
def test_two_values_of_one_name(table: Any, name: str) -> None:
    model = Holder(table=table)
    for use in (model.parameters, model.state_dict, lambda: model.predict([1.0]), lambda: nn.optim.SGD(model, 0.1)):
        with pytest.raises(ValueError, match=f"^two Values of the module have one name, {name}: rename one of the keys"):
            use()


def test_names_may_be_alike_where_the_value_is_the_same() -> None:
    w = v(1.0)
    assert list(Holder(table={1: w, "1": w}).named_parameters()) == ["table.1"]


def test_what_is_found_may_be_held_elsewhere_too() -> None:
    """Caches, optimisers and the like know parameters that have their places."""
    w, part = v(1.0), Linear(1, 1, rng=0)
    model = Holder(w=w, part=part, seen={w, part}, cell=Cell(w, deque([part])), order={part: 1.0, w: 2.0}, results={w * 2.0})
    model.optimizer = nn.optim.SGD(model, 0.1)  # type: ignore[attr-defined]
    model.history, model.whole = nn.History(loss=[1.0]), SimpleNamespace(me=model)  # type: ignore[attr-defined]
    assert list(model.named_parameters()) == ["w", "part.neurons.0.w.0", "part.neurons.0.b"]

    class Own(Shared):
        def __init__(self) -> None:
            self.w = v(3.0)

    assert Own().predict([2.0]) == [6.0]


ELSEWHERE = Value(2.0, "elsewhere")
UNSEEN: dict[str, Callable[[], Callable[[Any], Any]]] = {
    "a global name": lambda: lambda x: ELSEWHERE * x,
    "a closure": lambda: (lambda v: lambda x: v * x)(Value(2.0)),
    "the argument of a partial": lambda: partial(mul, Value(2.0)),
    "a result computed before": lambda: partial(mul, Value(20.0) * 0.1),
    "another model": lambda: (lambda n: lambda x: n([x]))(Neuron.of([2.0])),
}


class With(Module):
    """A neuron, and whatever else is computed."""

    def __init__(self, extra: Callable[[Any], Any], held: Callable[[Any], Any] = float) -> None:
        self.neuron, self.extra, self.held = Neuron.of([1.0]), extra, held

    def forward(self, x: Any) -> Any:
        return self.neuron(x) + self.held(self.extra(x[0]))


def train(model: Module, compiled: bool | str) -> nn.History:
    return nn.fit(model, [[1.0], [2.0]], [1.0, 3.0], loss="mse", epochs=2, compiled=compiled, progress=False)


@pytest.mark.parametrize("compiled", ["auto", False])
@pytest.mark.parametrize("case", UNSEEN)
def test_what_no_survey_sees_is_refused_before_training(case: str, compiled: bool | str) -> None:
    model = With(UNSEEN[case](), held=lambda y: y)
    before = model.state_dict()
    with pytest.raises(TypeError, match=r"the model computes with Value\(.*neither be trained nor saved.*stop_gradient\(x\)"):
        train(model, compiled)
    assert model.state_dict() == before
    assert len(train(With(UNSEEN[case](), held=stop_gradient), compiled)) == 2
    assert len(train(With(UNSEEN[case]()), compiled)) == 2


def test_results_are_no_parameters() -> None:
    assert Holder(last=v(1.0) * 2.0, seen={v(1.0) * 2.0}, none=None, text="w", numbers=np.zeros((3, 3))).parameters() == []


def test_buffers_of_any_shape_are_kept_and_restored() -> None:
    class Counting(Module):
        buffers = ("seen", "table")

        def __init__(self) -> None:
            self.w, self.seen, self.table = v(1.0), v(0.0), {"last": v(0.0)}

        def forward(self, x: Any) -> Any:
            self.seen.data += 1.0
            self.table["last"].data = float(x[0])
            return self.w * x[0] * 1e300

    model = Counting()
    assert model.state_dict() == {"w": 1.0, "seen": 0.0, "table.last": 0.0}
    assert list(model.named_parameters()) == ["w"]
    with pytest.raises(nn.TrainingError):
        nn.fit(model, [1.0, 1e300], [0.0, 0.0], loss="mse", compiled=False, progress=False)
    assert model.state_dict()["seen"] == 1.0  # the one prediction that looked at the shape


def test_a_survey_leaves_nothing_in_cycles() -> None:
    model = nn.MLP(2, [3, 1])
    model.predict([[1.0, 2.0]])
    gc.collect()
    gc.disable()
    try:
        with model.using([p.data for p in model.parameters()]), model.mode(training=False):
            model.predict([[1.0, 2.0]])
            model.summary()
        assert gc.collect() == 0
    finally:
        gc.enable()
