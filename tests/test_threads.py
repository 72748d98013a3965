"""Threads: separate graphs may be built and differentiated at once."""

from __future__ import annotations

import copy
import math
import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier
from typing import Any

import pytest

from autograd import AnomalyError, Graph, Value, detect_anomaly, exp, grad, hessian, jvp, log, ops
from autograd import sum as total

THREADS = 8


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """The results of `work` in threads that begin together."""
    barrier = Barrier(THREADS)

    def begin(i: int) -> Any:
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


def f(x: list[Any]) -> Any:
    terms = [exp(-v * v) * x[0] + ops.tanh(v) for v in x]
    return total(terms) / (1 + x[0] * x[0])


def points(i: int) -> list[float]:
    return [math.sin(i + j) for j in range(20)]


def test_backward() -> None:
    def work(i: int) -> list[float]:
        found = []
        for _ in range(20):
            x = [Value(p) for p in points(i)]
            f(x).backward()
            found = [v.grad for v in x]
        return found

    assert at_once(work) == [work(i) for i in range(THREADS)]


def test_transformations() -> None:
    def work(i: int) -> Any:
        x = points(i)[:4]
        return [(grad(f)(x), jvp(f, (x,), (x,)), hessian(f)(x), grad(lambda t: grad(f)([t, *x])[0])(0.5)) for _ in range(5)][-1]

    assert at_once(work) == [work(i) for i in range(THREADS)]


def test_pickling_copying_and_recomputing() -> None:
    def work(i: int) -> list[float]:
        found = []
        for _ in range(10):
            leaf = Value(points(i)[0], "x")
            y = f([leaf, *points(i)])
            u, twin = pickle.loads(pickle.dumps((leaf, y)))
            twin = copy.deepcopy((twin, u))[0]
            Graph(twin).forward({"x": 0.25})
            twin.backward()
            found = [twin.data, Graph(twin).leaves[0].grad, y.data]
        return found

    assert at_once(work) == [work(i) for i in range(THREADS)]


def test_anomalies_are_seen_only_by_threads_that_ask() -> None:
    def work(i: int) -> list[Any]:
        found: list[Any] = []
        with detect_anomaly() if i % 2 else nullcontext():
            for _ in range(100):
                x = [Value(p) for p in points(i)]
                f(x).backward()
                found = [v.grad for v in x]
                try:
                    found.append(repr(log(Value(-1.0)).data))
                except AnomalyError:
                    found.append("anomaly")
        found.append(repr(log(Value(-1.0)).data))
        return found

    expected = [work(i) for i in range(THREADS)]
    assert [e[-2] for e in expected] == ["nan", "anomaly"] * (THREADS // 2)
    assert at_once(work) == expected


def test_graphs_made_in_one_thread_are_used_in_another() -> None:
    x = Value(0.5)
    y = f([x, 0.1])

    def work(i: int) -> float:
        return grad(lambda t: t * 1.0)(float(y)) + i

    assert at_once(work) == [1.0 + i for i in range(THREADS)]
    with ThreadPoolExecutor(1) as pool:
        pool.submit(y.backward).result()
    assert x.grad == grad(lambda t: f([t, 0.1]))(0.5)
