"""Size: a chain of a million operations, memory per node, and no reference cycles."""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import autograd
from autograd import Graph, Value, gradcheck, ops
from autograd.derivatives.checking import GradCheck

MILLION = """
import gc, pickle, sys, threading
from copy import copy, deepcopy

gc.disable()
from autograd import Graph, Value

path = sys.argv[1]
passed = set()


def chain(n):
    x = y = Value(1.0, "x")
    for _ in range(n // 2):
        y = y * 1.0
        y = y + x
    return x, y


def same(twin, y, n):
    twins = Graph(twin)
    return twin is not y and (twin.data, twin.grad, len(twins), twins[0].grad) == (y.data, y.grad, n + 1, n // 2 + 1)


def work(n):
    x, y = chain(n)

    def stage(name, check):
        print(name, n, file=sys.stderr, flush=True)
        assert check, name
        passed.add((name, n))

    y.backward()
    stage("backward", x.grad == n // 2 + 1)
    stage("copy", copy(y).args == y.args)
    g = Graph(y)
    stage("figures", (len(g), g.depth, g.edges) == (n + 1, n, 3 * n // 2))
    stage("str", 200 < len(str(g)) < 10_000)
    stage("forward", g.forward({"x": 2.0}) == n + 2 and g.forward({x: 1.0}) == n // 2 + 1)
    g.save(path)
    stage("save", True)
    del g
    stage("load", same(Graph.load(path).roots[0], y, n))
    stage("deepcopy", same(deepcopy(y), y, n))
    stage("pickle", same(pickle.loads(pickle.dumps(y)), y, n))
    y.zero_grad()
    stage("zero_grad", x.grad == y.grad == y.args[0].grad == 0.0)


def main():
    work(10_000)  # whatever is loaded or cached at first use
    before = sys.getallocatedblocks()
    work(1_000_000)
    left = sys.getallocatedblocks() - before
    assert abs(left) < 1000, f"{left} blocks of memory are left"
    assert len(passed) == 20
    print("done")


threading.stack_size(1024 * 1024)  # Python 3.13 takes half of it to free lists in lists
thread = threading.Thread(target=main)
thread.start()
thread.join()
"""


def test_a_million_operations_in_a_small_stack(tmp_path: Path) -> None:
    """Nothing recurses: build, differentiate, print, recompute, save, load, copy, pickle and free, in 1 MB of stack."""
    done = subprocess.run(
        [sys.executable, "-c", MILLION, str(tmp_path / "million.json")], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-2000:]


FUNCTIONAL = """
import sys, threading
from autograd import exp, grad, hvp, jvp, vjp

N = 50_000


def f(x):
    for _ in range(N):
        x = x + 1.0
    return x * x


def work():
    assert grad(f)(1.0) == 2.0 * (N + 1)
    assert grad(grad(f))(1.0) == 2.0
    assert jvp(f, (1.0,), (1.0,))[1] == 2.0 * (N + 1)
    assert vjp(f, 1.0)[1](1.0) == (2.0 * (N + 1),)
    assert hvp(f, (1.0,), (3.0,)) == 6.0
    print("done")


threading.stack_size(1024 * 1024)  # Python 3.13 takes half of it to free lists in lists
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_transformations_of_long_computations_in_a_small_stack() -> None:
    done = subprocess.run([sys.executable, "-c", FUNCTIONAL], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-2000:]


# Memory -------------------------------------------------------------------------------------------------------------------


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def chain(length: int) -> Value:
    x = y = Value(1.0)
    for _ in range(length // 2):
        y = y * x
        y = y + 0.5
    return y


@pytest.mark.parametrize("length", [50_000])
def test_bytes_per_node(length: int) -> None:
    chain(10).backward()
    with no_collector():
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            y = chain(length)
            built = tracemalloc.get_traced_memory()[0] - before
            y.backward()
            after = tracemalloc.get_traced_memory()[0] - before
            del y
            left = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert built / length <= 140
    assert after / length <= 140
    assert left < 5_000  # of several millions


def refused(use: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="too many"):
        use()


PARTS: dict[str, tuple[Callable[[Graph, Path], Any], float]] = {  # with the bytes per node that each may take at most at a time
    "str": (lambda g, path: str(g), 200),
    "repr of steps": (lambda g, path: repr(autograd.steps(g.nodes[-1])), 300),
    "steps as a page": (lambda g, path: refused(lambda: autograd.steps(g.nodes[-1]).save(path / "x.html")), 300),
    "picture": (lambda g, path: refused(lambda: autograd.draw(g.nodes[-1])), 300),
    "save": (lambda g, path: g.save(path / "x.json"), 450),
    "load": (lambda g, path: Graph.load(path / "x.json"), 450),
    "pickle": (lambda g, path: len(pickle.dumps(g.nodes[-1])), 500),
}


def test_what_is_shown_in_part_is_computed_in_part(tmp_path: Path) -> None:
    """And files of large graphs take room for little more than the graph: peaks of memory, in bytes per node."""
    length = 12_000
    y = chain(length)
    y.backward()
    graph = Graph(y)
    found: dict[str, float] = {}
    with no_collector():
        for name, (use, _) in PARTS.items():
            use(graph, tmp_path)  # what is imported at first use
            tracemalloc.start()
            try:
                use(graph, tmp_path)
                found[name] = tracemalloc.get_traced_memory()[1] / length
            finally:
                tracemalloc.stop()
    assert not {name: found[name] for name, (_, most) in PARTS.items() if found[name] > most}, found


def network(x: Any) -> Any:
    hidden = [ops.tanh(ops.dot(x, [w, -w, 1.0])) for w in (0.1, 0.2, 0.3)]
    return ops.logsumexp(hidden) + ops.norm(x) * ops.clip(x[0], -1.0, 1.0) + 1 / (1 + ops.exp(-x[1] * x[2]))


POINT = [0.5, -0.25, 2.0]


def recorded() -> Value:
    y: Value = network([Value(x) for x in POINT])
    return y


def differentiated() -> Value:
    y = recorded()
    y.backward()
    return y


def failing_backward() -> None:
    broken = autograd.Op("broken", lambda x: x, lambda y, x: (1.0, 2.0))
    with pytest.raises(ValueError, match="returned 2 values"):
        (broken(recorded()) + 1).backward()


def anomalous() -> None:
    with pytest.raises(autograd.AnomalyError), autograd.detect_anomaly():
        autograd.log(recorded() * 0.0 - 1.0)


def pulled() -> Any:
    value, pullback = autograd.vjp(network, POINT)
    return value, pullback(1.0)


def pickled() -> Any:
    import pickle

    return pickle.loads(pickle.dumps(recorded()))


def copied() -> Any:
    from copy import deepcopy

    return deepcopy(recorded())


def saved() -> Any:
    Graph(recorded()).save(os.devnull)


def checked() -> GradCheck:
    return gradcheck(network, POINT)


USES: list[Callable[[], Any]] = [
    recorded,
    differentiated,
    failing_backward,
    anomalous,
    pulled,
    pickled,
    copied,
    checked,
    lambda: autograd.grad(network)(POINT),
    lambda: autograd.hessian(network)(POINT),
    lambda: autograd.jvp(network, (POINT,), (POINT,)),
    lambda: autograd.hvp(network, (POINT,), (POINT,)),
    lambda: autograd.jacobian(lambda x: [network(x), x[0]])(POINT),
    lambda: autograd.draw(recorded(), partials=True).source,
    lambda: str(Graph(recorded())),
    lambda: Graph(recorded()).forward(),
    lambda: Graph([differentiated(), differentiated()]).counts,
    lambda: recorded().zero_grad(),
]


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_no_reference_cycles(use: Callable[[], Any]) -> None:
    """With the collector off, no Value and no Graph outlives its last reference."""
    use()
    with no_collector():
        before = count()
        for _ in range(5):
            use()
        assert count() == before


def count() -> int:
    return sum(1 for x in gc.get_objects() if type(x) in (Value, autograd.Dual, Graph))
