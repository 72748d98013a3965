"""Other numbers in a model, and a model in use, for one thread, task or generator: the shared model is never touched."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
from autograd import Value, compile, grad, hessian, jvp
from nn import MLP, BatchNorm, Dropout, Linear, Module, Sequential, plot
from nn.modules.instead import Instead
from tests.extras import extra

np = extra("numpy")

X = [[0.5, -1.0], [1.5, 0.25], [-2.0, 1.0], [0.0, 3.0]]
SIGNS = [1, -1, 1, -1]


class Line(Module):
    """w x + b, with its parameters in containers of every kind, reached in every way."""

    def __init__(self) -> None:
        self.w = [Value(2.0)]
        self.table = {"b": (Value(1.0),)}
        self.matrix: Any = autograd.array([[0.0]]) if np else [[Value(0.0)]]
        self.bound = self.line  # a method of the model itself, kept

    def line(self, x: Any) -> Any:
        return self.w[0] * x + self.table["b"][0] + self.matrix[0][0]

    def forward(self, x: Any) -> Any:
        return self.bound(x)


def line(numbers: list[Any], x: float) -> Any:
    return numbers[0] * x + numbers[1] + numbers[2]


def untouched(model: Module, before: dict[int, dict[str, Any]]) -> bool:
    return snapshot(model) == before


def snapshot(model: Module) -> dict[int, dict[str, Any]]:
    """What all parts hold, by identity where it is mutable."""
    return {id(m): {name: (id(x), repr(x)) for name, x in vars(m).items()} for m in model.modules()}


# One thread ---------------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.floats(-3, 3))
def test_all_ways_to_a_number_lead_to_the_other_one(numbers: list[float], x: float) -> None:
    model = Line()
    before = snapshot(model)
    with model.using(numbers):
        assert model(x) == model.line(x) == model.forward(x) == model.bound(x) == line(numbers, x)
        assert model.parameters() == numbers
        assert getattr(model, "w") == model.w == numbers[:1]  # noqa: B009
        assert untouched(model, before)
    assert model(x).data == line([2.0, 1.0, 0.0], x)
    assert untouched(model, before)


def test_the_inner_block_counts_and_the_outer_one_afterwards() -> None:
    model = Line()
    other = Line()
    whole = Sequential(model, other)
    with whole.using([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]):
        with model.using([10.0, 20.0, 30.0]):
            assert whole.parameters() == [10.0, 20.0, 30.0, 4.0, 5.0, 6.0]
            assert whole(1.0) == line([4.0, 5.0, 6.0], 60.0)
            assert whole.predict([1.0]) == [line([4.0, 5.0, 6.0], 60.0)]
        assert whole(1.0) == line([4.0, 5.0, 6.0], 6.0)
        with whole.using([0.0] * 6), pytest.raises(ZeroDivisionError):
            1 / 0  # noqa: B018
        assert model.parameters() == [1.0, 2.0, 3.0]
    assert all(type(p) is Value for p in whole.parameters())


def test_a_block_of_several_models_and_one_entered_twice() -> None:
    one, two = Line(), Line()
    twice = one.using([1.0, 2.0, 3.0])
    with ExitStack() as stack:
        stack.enter_context(twice)
        stack.enter_context(two.using([4.0, 5.0, 6.0]))
        with twice:
            assert (one(2.0), two(2.0)) == (7.0, 19.0)
        assert (one(2.0), two(2.0)) == (7.0, 19.0)
    assert (one(2.0).data, two(2.0).data) == (5.0, 5.0)


def test_a_shared_value_is_replaced_where_it_is_meant() -> None:
    one, two = Line(), Line()
    two.w = one.w
    with one.using([5.0, 0.0, 0.0]):
        assert (one(1.0), two(1.0).data) == (5.0, 3.0)
        assert two.parameters()[0] is one.__dict__["w"][0]


def test_what_a_block_assigns_goes_with_it() -> None:
    model = Line()
    before = snapshot(model)
    with model.using([1.0, 2.0, 3.0]):
        model.w = [7.0]
        assert model(1.0) == 12.0
    assert untouched(model, before)
    with model.mode(training=False):
        assert not model.training
        assert model.train().training
    assert model.eval().training is False
    with model.mode(training=True):
        model.eval()
    assert untouched(model, {id(model): {**before[id(model)], "training": (id(False), "False")}})
    model.label = "line"  # what no block replaces is assigned as ever
    assert model.label == "line"


def test_derivatives_of_every_kind_and_order() -> None:
    def f(p: list[Any]) -> Any:
        with model.using(p):
            return autograd.tanh(model(0.5))

    def by_hand(p: list[Any]) -> Any:
        return autograd.tanh(line(p, 0.5))

    model, p = Line(), [0.3, -0.2, 0.1]
    assert grad(f)(p) == grad(by_hand)(p)
    assert hessian(f)(p) == hessian(by_hand)(p)
    assert jvp(f, (p,), ([1.0, 2.0, 3.0],)) == jvp(by_hand, (p,), ([1.0, 2.0, 3.0],))
    compiled = compile(lambda p, x: f(p), p, [0.0])
    assert compiled.value_and_grad(p, [[0.0]])[1] == pytest.approx(grad(by_hand)(p), rel=1e-12)


def test_predict_computes_with_what_counts_at_the_moment() -> None:
    model = Line()
    with model.using([3.0, 0.0, 0.0]):
        assert model.predict([1.0, 2.0]) == [3.0, 6.0]
    with model.using([Value(4.0), 0.0, 0.0]):
        assert model.predict([1.0, 2.0]) == [4.0, 8.0]


def test_gradients_are_forgotten_where_there_are_any() -> None:
    model, w = Line(), Value(3.0)
    model.parameters()[0].grad = w.grad = 7.0
    with model.using([w, 1.0, 2.0]):
        model.zero_grad()
    assert (w.grad, model.parameters()[0].grad) == (0.0, 7.0)


def test_the_state_of_a_model_is_its_own() -> None:
    model = Line()
    with model.using([7.0, 8.0, 9.0]):
        assert list(model.state_dict().values()) == [2.0, 1.0, 0.0]
        model.load_state_dict({"w.0": 5.0, "table.b.0": 6.0, "matrix.0.0": 7.0})
        assert model(1.0) == 24.0
    assert model(1.0).data == 18.0


def test_frozen_models_are_used_as_any() -> None:
    @dataclass(frozen=True, eq=False)
    class Frozen(Module):
        w: Value
        keep: Any

        def forward(self, x: Any) -> Any:
            return self.keep(self.w * x)

    model = Frozen(Value(3.0), Dropout(0.5))
    assert model.predict([2.0]) == [6.0]
    with model.using([4.0]), model.mode(training=False):
        assert model(2.0) == 8.0


# Generators, context managers, tasks --------------------------------------------------------------------------------------


def outputs(model: Module, numbers: list[float]) -> Iterator[float]:
    with model.using(numbers):
        for x in (1.0, 2.0, 3.0):
            yield model(x)


def test_the_block_of_a_generator_holds_while_it_runs() -> None:
    model = Line()
    expected = {k: [line([k, 0.0, 0.0], x) for x in (1.0, 2.0, 3.0)] for k in (5.0, 7.0)}
    assert list(outputs(model, [5.0, 0.0, 0.0])) == expected[5.0]
    first, second = outputs(model, [5.0, 0.0, 0.0]), outputs(model, [7.0, 0.0, 0.0])
    seen = []
    for a, b in zip(first, second, strict=True):
        seen.append((a, b, model(1.0).data))
    assert seen == [(a, b, 3.0) for a, b in zip(expected[5.0], expected[7.0], strict=True)]
    abandoned = outputs(model, [5.0, 0.0, 0.0])
    with model.using([0.0, 1.0, 1.0]):
        next(abandoned)
        assert model(1.0) == 2.0
        del abandoned
        assert model(1.0) == 2.0
    assert model(1.0).data == 3.0


def test_generators_within_generators() -> None:
    model = Line()

    def both() -> Iterator[float]:
        with model.using([10.0, 0.0, 0.0]):
            yield from outputs(model, [5.0, 0.0, 0.0])
            yield model(1.0)

    seen = [(x, model(1.0).data) for x in both()]
    assert seen == [(5.0, 3.0), (10.0, 3.0), (15.0, 3.0), (10.0, 3.0)]


def test_a_generator_that_moves_to_another_context_is_told() -> None:
    model = Line()
    moving = outputs(model, [5.0, 0.0, 0.0])
    assert contextvars.copy_context().run(next, moving) == 5.0
    with pytest.raises(RuntimeError, match="the block ends in another thread or context than it began in"):
        list(moving)
    abandoned = outputs(model, [5.0, 0.0, 0.0])
    contextvars.copy_context().run(next, abandoned)
    abandoned.close()
    assert model(1.0).data == 3.0


def test_context_managers_made_of_blocks() -> None:
    model = Line()

    @contextmanager
    def frozen(w: float) -> Iterator[None]:
        with model.using([w, 0.0, 0.0]), model.mode(training=False):
            yield

    with frozen(5.0):
        assert (model(1.0), model.training) == (5.0, False)
        with frozen(6.0):
            assert model(1.0) == 6.0
        assert model(1.0) == 5.0
    assert (model(1.0).data, model.training) == (3.0, True)


def test_tasks_have_blocks_of_their_own() -> None:
    model = Line()

    async def steps(numbers: list[float]) -> AsyncIterator[float]:
        with model.using(numbers):
            for x in (1.0, 2.0, 3.0):
                await asyncio.sleep(0)
                yield model(x)

    async def work(k: float) -> list[float]:
        found = []
        with model.using([k, 0.0, 0.0]):
            for x in (1.0, 2.0, 3.0):
                await asyncio.sleep(0)
                found.append(model(x))
                found += model.predict([x])
        async for y in steps([k + 1, 0.0, 0.0]):
            found += [y, model(1.0).data]
        return found

    async def all_of_them() -> list[list[float]]:
        return list(await asyncio.gather(*map(work, (5.0, 6.0, 7.0))))

    with ThreadPoolExecutor(1) as alone:  # a driver of a browser may keep a loop running in this thread
        results = alone.submit(asyncio.run, all_of_them()).result()
    for k, found in zip((5.0, 6.0, 7.0), results, strict=True):
        assert found == [k, k, 2 * k, 2 * k, 3 * k, 3 * k, k + 1, 3.0, 2 * k + 2, 3.0, 3 * k + 3, 3.0]


# Threads ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def _switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*work: Callable[[], Any]) -> list[Any]:
    """The results of functions in threads that begin at once."""
    barrier = threading.Barrier(len(work))

    def begin(f: Callable[[], Any]) -> Any:
        barrier.wait()
        return f()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(begin, f) for f in work]]


def network() -> Sequential:
    return Sequential(Linear(2, 3, "tanh", rng=1), BatchNorm(3), Dropout(0.5, rng=2), Linear(3, 1, rng=3))


@pytest.mark.usefixtures("_switch_often")
def test_threads_predict_and_differentiate_on_one_model() -> None:
    model = network()
    before = snapshot(model)
    f = nn.row_loss(model, "hinge")
    points = [[k / 10 + i / 7 for i in range(len(model.parameters()))] for k in range(4)]

    def differentiated(p: list[float]) -> Any:
        with model.mode(training=False):
            return grad(f)(p, X[0], 1)

    def predicted(p: list[float]) -> Any:
        with model.using(p):
            return model.predict(X)

    expected = [model.predict(X), *map(differentiated, points), *map(predicted, points)]
    jobs = [lambda: model.predict(X), *[lambda p=p: differentiated(p) for p in points], *[lambda p=p: predicted(p) for p in points]]
    repeated = [lambda job=job: [job() for _ in range(6)] for job in jobs]
    assert together(*repeated) == [[result] * 6 for result in expected]
    assert untouched(model, before)


@pytest.mark.usefixtures("_switch_often")
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dropout", [True, False])
def test_a_fit_beside_others_is_the_fit_alone(compiled: bool, dropout: bool) -> None:
    """What is predicted meanwhile belongs to some epoch or the middle of one: it is finite, and nothing raises."""
    if compiled:
        pytest.importorskip("numpy")

    def make() -> Sequential:
        return Sequential(Linear(2, 3, "tanh", rng=1), *[Dropout(0.5)] * dropout, Linear(3, 1, rng=3))

    def fit(model: Module) -> nn.History:
        return nn.fit(model, X, SIGNS, loss="hinge", epochs=12, batch_size=2, validation=0.25, compiled=compiled, progress=False)

    def use(model: Sequential) -> None:
        f, p = nn.row_loss(model, "hinge"), [0.1] * len(model.parameters())
        while not done.is_set():
            with model.mode(training=False):
                assert grad(f)(p, X[0], 1) == expected
            assert all(abs(y) < 100.0 for y in model.predict(X))
            plot.gradients._gradient(model, X, SIGNS, nn.losses.hinge)
            plot.gradients._slopes(model, X, None)

    def fit_and_say() -> nn.History:
        try:
            return fit(shared)
        finally:
            done.set()

    alone, shared, done = make(), make(), threading.Event()
    with alone.mode(training=False):
        expected = grad(nn.row_loss(alone, "hinge"))([0.1] * len(alone.parameters()), X[0], 1)
    history = fit(alone)
    assert history.engine == ("compiled" if compiled else "eager, as asked for")
    beside = together(fit_and_say, lambda: use(shared), lambda: use(shared))[0]
    assert beside == history
    assert shared.state_dict() == alone.state_dict()


def test_compiling_leaves_gradients_and_modes_alone() -> None:
    """Another thread may be in the middle of a backward, or of predicting."""
    pytest.importorskip("numpy")
    model = Sequential(Linear(2, 3, "tanh", rng=1), Dropout(0.5, rng=2), Linear(3, 1, rng=3))
    before = snapshot(model)
    unset = ("batch_size", "replacement", "regularizer", "schedule", "clip_norm", "clip_value", "metric", "held_out")
    settings: dict[str, Any] = {**dict.fromkeys(unset), "seed": 0}
    run = nn.fitting.fit._run(True, model, (X, SIGNS), nn.losses.hinge, nn.optim.SGD(model, 0.1), **settings)
    assert run.history.engine == "compiled"
    assert untouched(model, before)


def test_gradient_flow_in_training_leaves_statistics_and_generators_alone() -> None:
    model = network()
    before, draws = snapshot(model), model[2].rng.getstate()
    assert plot.gradients._gradient(model, X, SIGNS, nn.losses.hinge)
    assert untouched(model, before)
    assert model[2].rng.getstate() == draws


def test_training_mode_within_a_block_keeps_the_state_of_layers() -> None:
    """Running statistics follow what is seen in training, whatever the numbers, and dropout draws on; in use neither moves."""
    model = network()
    numbers = [p.data for p in model.parameters()]
    model.batch(X)
    statistics = [v.data for v in model[1].running_mean]
    with model.using(numbers):
        model.batch(X)
    assert [v.data for v in model[1].running_mean] != statistics
    state, draws = model.state_dict(), model[2].rng.getstate()
    model.predict(X)
    with model.using(numbers), model.mode(training=False):
        model.batch(X)
    assert (model.state_dict(), model[2].rng.getstate()) == (state, draws)
    assert all(module.training for module in model.modules())


def test_what_a_thread_starts_needs_a_block_of_its_own() -> None:
    model = Line()
    with model.using([5.0, 0.0, 0.0]):
        (seen,) = together(lambda: float(model(1.0)))
        assert seen == (5.0 if getattr(sys.flags, "thread_inherit_context", 0) else 3.0)
        assert contextvars.copy_context().run(model, 1.0) == 5.0


def test_a_block_says_nothing_of_others() -> None:
    with Instead({}):
        assert Line()(1.0).data == 3.0
    assert MLP(2, [1]).mode(training=True).numbers == {}


def test_outside_of_blocks_attributes_are_read_as_any_others_are() -> None:
    """In a program of its own: blocks that other tests left open are still entered here."""
    code = """if True:
        import nn
        from nn.modules.instead import Replaceable
        model = nn.Linear(1, 1, rng=0)
        hung = lambda: {"__getattribute__", "__setattr__"} & set(vars(Replaceable))
        with model.using([4.0, 0.0]):
            assert len(hung()) == 2
            model.predict([[1.0]])
            assert model([1.0]) == 4.0
        assert not hung()
        assert type(model).__getattribute__ is object.__getattribute__
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
