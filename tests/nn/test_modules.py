"""Modules: what they compute, what they own, how they are named, saved, loaded and drawn."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, draw, gradcheck
from nn import MLP, Activation, BatchNorm, Dropout, Linear, Maxout, Module, Neuron, PReLU, Sequential, Swish
from tests.extras import extra

np = extra("numpy")

rows = st.lists(st.floats(-3, 3), min_size=3, max_size=3)


def every_module() -> dict[str, Module]:
    """One of each, for rows of three numbers."""
    return {
        "Neuron": Neuron(3, "tanh", rng=0),
        "Linear": Linear(3, 2, "sigmoid", rng=1),
        "Linear without bias": Linear(3, 2, bias=False, rng=2),
        "MLP": MLP(3, [4, 2], seed=3),
        "Maxout": Maxout(3, 2, pieces=3, rng=4),
        "PReLU": PReLU(3),
        "PReLU shared": PReLU(),
        "Swish": Swish(0.7),
        "Activation": Activation("gelu"),
        "softmax": Activation("softmax"),
        "Dropout": Dropout(0.4, rng=5),
        "BatchNorm": BatchNorm(3),
        "Sequential": Sequential(Linear(3, 4, rng=6), BatchNorm(4), PReLU(4), Dropout(0.3, rng=7), Linear(4, 2, rng=8), math_identity),
    }


def math_identity(x: Any) -> Any:
    return x


MODULES = list(every_module())
each_module = pytest.mark.parametrize("name", MODULES)


# What they compute --------------------------------------------------------------------------------------------------------


@given(rows)
def test_linear_is_matrix_times_vector(x: list[float]) -> None:
    layer = Linear(3, 2, rng=1)
    layer.neurons[0].b.data, layer.neurons[1].b.data = 0.5, -0.25
    w = np.array([[p.data for p in neuron.w] for neuron in layer.neurons])
    assert [v.data for v in layer(x)] == pytest.approx(list(w @ x + [0.5, -0.25]), rel=1e-12, abs=1e-12)


@given(rows, st.floats(-2, 2))
def test_formulas(x: list[float], slope: float) -> None:
    assert PReLU(3, slope).predict([x])[0] == [max(v, 0.0) + slope * min(v, 0.0) for v in x]
    assert Swish(slope).predict([x])[0] == pytest.approx([v / (1 + math.exp(-slope * v)) for v in x], rel=1e-13, abs=1e-300)
    assert Activation("softmax").predict([x])[0] == autograd.softmax(x)
    maxout = Maxout(3, 2, pieces=3, rng=4)
    pieces = [piece.predict([x])[0] for piece in maxout.pieces]
    assert maxout.predict([x])[0] == [max(competing) for competing in zip(*pieces, strict=True)]
    assert Maxout(3, 1, rng=4).predict([x])[0] == max(piece.predict([x])[0] for piece in Maxout(3, 1, rng=4).pieces)


@each_module
def test_gradients_of_parameters_and_inputs(name: str) -> None:
    module = every_module()[name].eval()
    rng = Random(11)
    parameters, x = [rng.uniform(-1, 1) for _ in module.parameters()], [0.3, -0.8, 1.1]

    def f(parameters: list[Any], x: list[Any]) -> Any:
        with module.using(parameters):
            y = module(x)
        return autograd.sum(v * v for v in y) if isinstance(y, list) else y

    assert gradcheck(f, parameters, x)


@each_module
def test_predict_is_the_call_without_a_graph(name: str) -> None:
    module = every_module()[name].eval()
    x = [[0.3, -0.8, 1.1], [2.0, 0.1, -0.4]]
    assert module.predict(np.array(x)) == [[float(v) for v in y] if isinstance(y, list) else float(y) for y in map(module, x)]
    assert all(isinstance(p, Value) for p in module.parameters())


def test_single_numbers_go_through() -> None:
    assert Neuron.of([2.0])(3.0).data == 6.0
    assert Linear(1, 1, rng=0)(2.0).data == Linear(1, 1, rng=0)([2.0]).data
    model = Sequential(Linear(3, 1, rng=0), PReLU(), Dropout(0.5), Swish(), BatchNorm(1)).eval()
    assert isinstance(model([1.0, 2.0, 3.0]), Value)
    assert len(model.train().batch([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])) == 2


# Dropout and batch normalisation ------------------------------------------------------------------------------------------


def test_dropout_keeps_the_expectation_and_only_acts_in_training() -> None:
    dropout = Dropout(0.25, rng=1)
    out = dropout([1.0] * 20_000)
    assert set(out) == {0.0, 1.0 / 0.75}
    assert sum(out) / len(out) == pytest.approx(1.0, abs=4 * math.sqrt(0.25 / 0.75 / 20_000))  # four standard deviations
    assert dropout.eval()([1.0, 2.0]) == [1.0, 2.0]


def test_batch_norm_standardises_the_columns_of_a_batch() -> None:
    norm = BatchNorm(2, eps=1e-12)
    rows = [[1.0, -5.0], [2.0, 0.0], [6.0, 20.0]]
    out = np.array([[float(v) for v in row] for row in norm.batch(rows)])
    assert out.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert out.var(axis=0) == pytest.approx([1, 1], rel=1e-9)
    columns = np.array(rows)
    assert [v.data for v in norm.running_mean] == pytest.approx(0.1 * columns.mean(axis=0))
    assert [v.data for v in norm.running_variance] == pytest.approx(0.9 + 0.1 * columns.var(axis=0, ddof=1))
    running = [(v.data) for v in (*norm.running_mean, *norm.running_variance)]
    once = norm.eval()(rows[0])
    assert [float(v) for v in once] == [float(v) for v in norm.batch(rows)[0]]
    assert running == [(v.data) for v in (*norm.running_mean, *norm.running_variance)]


def test_the_borders_of_settings() -> None:
    for momentum, expected in ((0.0, [0.0, 1.0]), (1.0, [2.0, 2.0])):
        norm = BatchNorm(1, eps=5e-324, momentum=momentum)
        norm.batch([[1.0], [3.0]])
        assert [norm.running_mean[0].data, norm.running_variance[0].data] == expected
    assert (BatchNorm(3).shape, BatchNorm(3).eps, BatchNorm(3).momentum, Dropout().p) == ("3 -> 3", 1e-5, 0.1, 0.5)
    assert Dropout(0)([1.0, 2.0]) == [1.0, 2.0]
    norm.label = "mine"
    (y,), _ = norm.batch([[1.0], [3.0]])
    assert autograd.Graph(y).nodes[-1].group.path[0].name == "mine"


def test_a_number_is_dropped_where_the_draw_is_below_p() -> None:
    class Draws:
        def __init__(self, *draws: float) -> None:
            self.random = iter(draws).__next__

    dropout = Dropout(0.25)
    dropout.rng = Draws(0.0, 0.2499, 0.25, 0.9)  # type: ignore[assignment]
    assert dropout.mask(4) == [0.0, 0.0, 1 / 0.75, 1 / 0.75]


def test_batch_norm_differentiates_through_the_statistics() -> None:
    norm = BatchNorm(1)

    def f(x: list[Any]) -> Any:
        y = norm.batch([[v] for v in x])
        return autograd.sum(v**3 * k for k, (v,) in enumerate(y, start=1))

    assert gradcheck(f, [0.4, -1.2, 2.0, 0.1])


# What they own ------------------------------------------------------------------------------------------------------------


class Tied(Module):
    """Parameters in every kind of container, one of them twice, and things that are none."""

    def __init__(self) -> None:
        self.w = Value(1.0)
        self.table = {"a": [Value(2.0)], "b": (Value(3.0), Value(4.0))}
        matrix = np.array([[5.0, 6.0], [7.0, 8.0]])
        self.matrix = autograd.array(matrix)
        self.again = self.w
        self.parts = [Neuron.of([9.0], bias=False), {"deep": Neuron.of([10.0])}]
        self.same = self.parts[0]
        self.constant, self.name, self.numbers = 0.5, "tied", np.zeros(3)
        self.last = Value(1.0) * 2.0  # a result, not a parameter

    def forward(self, x: Any) -> Any:
        (a,), (b, c) = self.table["a"], self.table["b"]
        products = self.matrix @ [x, 1.0]
        return self.w * a + b * c * self.again + products.sum() + self.parts[0](x) + self.parts[1]["deep"](x) + self.same(x)


def test_names_of_parameters() -> None:
    names = Tied().named_parameters()
    assert list(names) == [
        "w", "table.a.0", "table.b.0", "table.b.1", "matrix.0.0", "matrix.0.1", "matrix.1.0", "matrix.1.1",
        "parts.0.w.0", "parts.1.deep.w.0", "parts.1.deep.b",
    ]  # fmt: skip
    assert [p.data for p in names.values()] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0]
    assert list(MLP(2, [2, 1]).named_parameters())[:4] == ["layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b",
                                                          "layers.0.neurons.1.w.0"]  # fmt: skip


def test_using_other_numbers_for_parameters() -> None:
    module = Tied()
    before = module.state_dict()
    numbers = [float(i) for i in range(1, 12)]
    expected = 1 * 2 + 3 * 4 * 1 + (5 * 2 + 6 + 7 * 2 + 8) + 9 * 2 + (10 * 2 + 11) + 9 * 2
    with module.using(numbers):
        assert module(2.0) == expected
    assert module.state_dict() == before
    assert autograd.grad(lambda p: _with(module, p))(numbers)[:2] == [2 + 12, 1.0]
    with module.using(numbers):
        assert list(module.named_parameters().values()) == numbers
        assert module.parts[1]["deep"].weights() == [10.0]  # type: ignore[index]
        with module.using([0.0] * 11):
            assert module(2.0) == 0.0
        assert module(2.0) == expected
    with pytest.raises(ZeroDivisionError), module.using(numbers):
        1 / 0  # noqa: B018
    assert isinstance(module.w, Value)
    assert module.again is module.w
    with pytest.raises(ValueError, match=r"one number for each of the 11 parameters \(got 2\)"), module.using([1.0, 2.0]):
        pass


def _with(module: Module, numbers: list[Any]) -> Any:
    with module.using(numbers):
        return module(2.0)


def test_weights_are_the_parameters_without_biases() -> None:
    model = Sequential(Linear(3, 4), BatchNorm(4), PReLU(4), Swish(), Linear(4, 2))
    assert len(model.parameters()) == 16 + 8 + 4 + 1 + 10
    assert len(model.weights()) == 12 + 8
    assert not {p.label for p in model.weights()} & {"b", "scale", "shift", "slope", "β"}


def test_train_and_eval_reach_every_part() -> None:
    model = Sequential(Linear(2, 2), Sequential(Dropout(0.5), BatchNorm(2)))
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert all(module.training for module in model.train().modules())
    model.layers[0].training = False
    model.predict([[1.0, 2.0]])
    assert [module for module in model.modules() if not module.training] == [model.layers[0]]


def test_parameter_counts() -> None:
    assert len(MLP(6, [5, 10, 3]).parameters()) == 128
    assert len(MLP(6, [5, 10, 3]).weights()) == 110
    lines = MLP(6, [5, 10, 3]).summary().splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["35", "60", "33", "128"]
    assert lines[2].split() == ["layers.0", "Linear", "relu", "6", "->", "5", "35"]
    assert Sequential(MLP(2, [3, 1]), Dropout(0.5)).summary().count("layers.0.layers.1") == 1
    assert [line.split()[0] for line in Tied().summary().splitlines()[2:]] == ["Tied", "total"]  # it is no container
    assert PReLU(3).summary().splitlines()[-1].split() == ["total", "3"]


def test_groups_show_the_structure() -> None:
    y = MLP(2, [3, 1])([1.0, 2.0])
    groups = {tuple(g.name for g in node.group.path) for node in autograd.Graph(y) if node.op and node.group}
    assert groups == {("MLP", "layer 1", f"neuron {i}") for i in (1, 2, 3)} | {("MLP", "layer 2", "neuron 1")}
    model = Sequential(Linear(2, 2), BatchNorm(2), Activation("softmax")).train()
    outputs = model.batch([[1.0, 2.0], [0.0, 1.0]])
    names = {node.group.path[0].name for node in autograd.Graph(outputs[0]) if node.op and node.group}
    assert names == {"1 Linear", "2 BatchNorm", "3 Activation"}
    assert "neuron 2" in draw(y).source


# State --------------------------------------------------------------------------------------------------------------------


@each_module
def test_saved_and_loaded_is_the_original(name: str, tmp_path: Path) -> None:
    module, other = every_module()[name], every_module()[name]
    rng = Random(1)
    for p in module.parameters():
        p.data = rng.choice([rng.gauss(0, 1), 5e-324, -0.0, math.inf, 1.7976931348623157e308])
    module.save(tmp_path / "model.json")
    assert other.load(tmp_path / "model.json") is other
    assert str(other.state_dict()) == str(module.state_dict())
    assert [id(p) for p in other.parameters()] != [id(p) for p in module.parameters()] or not module.parameters()


def test_running_statistics_are_saved(tmp_path: Path) -> None:
    norm = BatchNorm(1)
    norm.batch([[1.0], [5.0]])
    norm.save(tmp_path / "norm.json")
    assert BatchNorm(1).load(tmp_path / "norm.json").running_mean[0].data == norm.running_mean[0].data != 0.0


def test_a_state_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    model = MLP(2, [3, 1], seed=1)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"another shape than the model, which has 13 numbers: it lacks layers.0.neurons.2.w.0 and 3 more"):
        model.load_state_dict(MLP(2, [2, 1]).state_dict())
    with pytest.raises(ValueError, match=r"it has in addition layers.0.neurons.0.w.2 and 2 more"):
        model.load_state_dict(MLP(3, [3, 1]).state_dict())
    with pytest.raises(ValueError, match=r"no number for layers.1.neurons.0.b \(got 'x', str\)"):
        model.load_state_dict({**before, "layers.1.neurons.0.b": "x"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="a state must be a dict"):
        model.load_state_dict([1.0])  # type: ignore[arg-type]
    path = tmp_path / "model.json"
    model.save(path)
    for damaged in (path.read_text()[:-20], path.read_text().replace("0.", "1.", 1), json.dumps({"format": "other"})):
        (tmp_path / "damaged.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"model"):
            model.load(tmp_path / "damaged.json")
    autograd.Graph(Value(1.0)).save(tmp_path / "graph.json")
    with pytest.raises(ValueError, match='cannot be read as a model: it does not say "format": "scalar-autograd model"'):
        model.load(tmp_path / "graph.json")
    assert model.state_dict() == before


# Errors -------------------------------------------------------------------------------------------------------------------

ERRORS = {
    "unknown activation": (lambda: MLP(2, [3, 1], activation="rleu"), r"activation .*'rleu'.*did you mean 'relu'\?"),
    "activation of a layer": (lambda: Linear(2, 3, "softmax"), r"put nn.Activation\('softmax'\).* into a Sequential"),
    "activation of two numbers": (lambda: Neuron(2, "mul"), r"name of a function of one number.*'mul'"),
    "no activation": (lambda: Activation(None), "needs a function"),  # type: ignore[arg-type]
    "no sizes": (lambda: MLP(2, []), r"positive ints"),
    "negative size": (lambda: MLP(2, [3, -1]), r"positive ints.*\[3, -1\]"),
    "no inputs": (lambda: Linear(0, 2), r"n_in must be a positive int \(got 0\)"),
    "unknown init": (lambda: Linear(1, 2, init="xaiver"), r"init must be one of zeros, .*'xaiver'"),
    "dropout of everything": (lambda: Dropout(1.0), r"p must be at least 0 and below 1 \(got 1.0\)"),
    "no pieces": (lambda: Maxout(2, 2, pieces=0), "pieces must be a positive int"),
    "no width": (lambda: BatchNorm(0), r"n must be a positive int \(got 0\)"),
    "not callable": (lambda: Sequential(Linear(2, 2), "relu"), r"modules and functions \(got 'relu', str\)"),  # type: ignore[arg-type]
    "no formula": (lambda: Module()(1.0), r"Module has no forward"),
    "row of another length": (lambda: MLP(2, [3, 1])([1.0]), r"takes 2 inputs \(got 1\)"),
    "PReLU of another length": (lambda: PReLU(3)([1.0]), r"takes 3 numbers \(got 1\)"),
    "BatchNorm of another length": (lambda: BatchNorm(3).eval()([1.0]), r"takes 3 numbers \(got 1\)"),
    "BatchNorm of a row": (lambda: BatchNorm(1)([1.0]), r"call model.batch\(rows\), or model.eval\(\)"),
    "BatchNorm without eps": (lambda: BatchNorm(1, eps=0.0), r"eps must be above 0 and momentum from 0 to 1 \(got 0.0 and 0.1\)"),
    "BatchNorm of nan": (lambda: BatchNorm(1, eps=math.nan), r"eps must be above 0"),
    "BatchNorm of a negative momentum": (lambda: BatchNorm(1, momentum=-0.1), r"momentum from 0 to 1 \(got 1e-05 and -0.1\)"),
    "BatchNorm of a large momentum": (lambda: BatchNorm(1, momentum=1.1), r"momentum from 0 to 1 \(got 1e-05 and 1.1\)"),
    "dropout of a text": (lambda: Dropout("0.5"), r"p must be at least 0 and below 1 \(got '0.5'\)"),  # type: ignore[arg-type]
    "dropout of less than nothing": (lambda: Dropout(-0.1), r"p must be at least 0 and below 1 \(got -0.1\)"),
    "BatchNorm of one row": (lambda: BatchNorm(1).batch([[1.0]]), r"at least two rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors_tell_the_way_out(case: str) -> None:
    f, message = ERRORS[case]
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        f()


def test_nn_has_what_it_says() -> None:
    assert {"datasets", "linear", "plot", "preprocessing", "fit"} <= set(dir(nn))
    with pytest.raises(AttributeError, match="no attribute 'Transformer'"):
        nn.Transformer  # noqa: B018
