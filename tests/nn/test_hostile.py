"""What is given to models may be anything: names that a terminal would obey, structures that are deep or hold themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value

texts = st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Lo"]) | st.sampled_from("\x1b[2J\n\r\x9b\u202e."), max_size=20)


class Keyed(nn.Module):
    """Its parameters have names of the caller's choice."""

    def __init__(self, key: str, held: Any = None) -> None:
        self.d = {key: Value(1.0), "held": held}
        self.activation = self.shape = key

    def forward(self, x: Any) -> Any:
        return self.d[next(iter(self.d))] * x


def said(use: Callable[[], Any]) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        use()
    return str(caught.value)


@given(texts, st.sampled_from([1, 1000]))
def test_a_terminal_is_told_nothing_that_it_would_obey(text: str, times: int) -> None:
    key = text * times
    model = Keyed(key)
    state = model.state_dict()
    errors = [
        said(lambda: model.load_state_dict({})),
        said(lambda: model.load_state_dict({**state, f"more {key}": 1.0})),
        said(lambda: model.load_state_dict(dict.fromkeys(state, key))),
        said(lambda: Keyed("w", {f"{key}a.b": Value(1.0), f"{key}a": {"b": Value(2.0)}}).parameters()),
        said(lambda: Keyed("w", {key: {Value(1.0)}}).parameters()),
    ]
    assert max(map(len, errors)) < 400
    history = nn.History(loss=[1.0], metric=[1.0], metric_name=key, stopped=key, engine=key)
    tables = [model.summary(), str(history), history.describe(1)]
    assert all(line.isprintable() for text in (*errors, *tables) for line in text.split("\n"))


# Structures ---------------------------------------------------------------------------------------------------------------


def deep(x: Any) -> Any:
    for _ in range(1100):
        x = [x]
    return x


def itself() -> list[Any]:
    x: list[Any] = [1.0]
    x.append(x)
    return x


MLP = nn.MLP(2, [2, 1], seed=0)
ROW = [[1.0, 2.0]]
USES: dict[str, Callable[[Any], Any]] = {
    "X": lambda x: nn.fit(MLP, x, [1.0], loss="mse"),
    "a row": lambda x: nn.fit(MLP, [x], [1.0], loss="mse"),
    "y": lambda x: nn.fit(MLP, ROW, x, loss="mse"),
    "loss": lambda x: nn.fit(MLP, ROW, [1.0], loss=x),
    "optimizer": lambda x: nn.fit(MLP, ROW, [1.0], loss="mse", optimizer=x),
    "epochs": lambda x: nn.fit(MLP, ROW, [1.0], loss="mse", epochs=x),
    "compiled": lambda x: nn.fit(MLP, ROW, [1.0], loss="mse", compiled=x),
    "validation": lambda x: nn.fit(MLP, ROW, [1.0], loss="mse", validation=x),
    "rows": lambda x: MLP.predict(x),
    "an input": lambda x: MLP([x, x]),
    "state": lambda x: MLP.load_state_dict(x),
    "a number of a state": lambda x: MLP.load_state_dict(dict.fromkeys(MLP.state_dict(), x)),
    "mse": lambda x: nn.losses.mse(x, x),
    "cross entropy": lambda x: nn.losses.cross_entropy(x, x),
    "a target": lambda x: nn.losses.hinge(1.0, x),
    "standardizer": lambda x: nn.preprocessing.Standardizer().fit(x),
    "minibatches": lambda x: list(nn.preprocessing.minibatches(ROW, x)),
    "test": lambda x: nn.preprocessing.train_test_split(ROW, ROW, test=x),
    "params": lambda x: nn.optim.SGD(x, 0.1),
    "lr": lambda x: nn.optim.SGD(MLP, x),
    "betas": lambda x: nn.optim.Adam(MLP, betas=x),
    "n_in": lambda x: nn.MLP(x, [1]),
    "sizes": lambda x: nn.MLP(1, x),
    "activation": lambda x: nn.MLP(1, [1, 1], activation=x),
    "init": lambda x: nn.MLP(1, [1], init=x),
    "p": lambda x: nn.Dropout(x),
    "eps": lambda x: nn.BatchNorm(2, eps=x),
    "layers": lambda x: nn.Sequential(x),
    "strength": lambda x: nn.regularizers.l2(x),
    "schedule": lambda x: nn.schedules.step_decay(x, 1),
    "a linear model": lambda x: nn.linear.LinearRegression().fit(x, x),
}


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("given", [deep(1.0), deep(Value(1.0)), itself()], ids=["deep", "deep Value", "itself"])
def test_structures_that_are_deep_are_refused_in_words(name: str, given: Any) -> None:
    assert len(said(lambda: USES[name](given))) < 1000


class Holding(nn.Module):
    def __init__(self, held: Any) -> None:
        self.w = Value(1.0)
        self.held = held

    def forward(self, x: Any) -> Any:
        return self.w * x


def used(model: nn.Module) -> None:
    """All that a module does by itself."""
    model.train().eval().zero_grad()
    assert model.summary()
    assert repr(model)
    model.load_state_dict(model.state_dict())
    assert len(model.weights()) <= len(model.parameters()) < 4


@pytest.mark.parametrize("held", [deep(1.0), deep(Value(1.0)), itself()], ids=["deep", "deep Value", "itself"])
def test_a_module_holds_what_is_deep(held: Any) -> None:
    model = Holding(held)
    used(model)
    assert model.predict([2.0]) == [2.0]


def test_modules_in_modules() -> None:
    model: nn.Sequential = nn.Sequential(nn.Neuron(1))
    for _ in range(1100):
        model = nn.Sequential(model)
    assert len(model.parameters()) == 2
    assert len(repr(model)) < 1000
    itself = nn.Sequential(nn.Neuron(1))
    itself.layers.append(itself)
    used(itself)
    assert len(repr(itself)) < 1000
