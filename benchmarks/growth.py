"""What a graph of this library costs: bytes per node, and time per node against its size."""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import job
from peers import LIBRARIES, Library, Ours
from steps import Step, Trainer

SHAPES = ("chain", "wide")
GRAPH_SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 5


@dataclass(frozen=True)
class Memory:
    """Bytes that the graph of one training step takes, beside the parameters, per node and per operation of the job."""

    library: str
    nodes: int
    node_after_forward: float
    node_after_backward: float
    operation_after_backward: float


@dataclass(frozen=True)
class Size:
    """Nanoseconds per node of a graph of a shape and size; `free` is the time to drop it."""

    shape: str
    regime: str
    nodes: int
    forward: float
    backward: float
    free: float

    @property
    def total(self) -> float:
        """Nanoseconds per node for everything."""
        return self.forward + self.backward + self.free


def operations(problem: job.Problem) -> int:
    """How many operations on numbers the job's scalar code performs."""
    trainer = Trainer(Ours(), problem)
    loss, _ = trainer.forward()
    return sum(node.op is not None for node in reachable(trainer.library, loss))


def reachable(library: Library, root: Any) -> list[Any]:
    """The nodes of the graph that ends in root."""
    found = {id(root): root}
    waiting = [root]
    while waiting:
        for x in library.parents(waiting.pop()):
            if id(x) not in found:
                found[id(x)] = x
                waiting.append(x)
    return list(found.values())


def memory(name: str) -> Memory:
    """Bytes per node of a library, in a process of its own."""
    found: Memory = _apart(_memory, name)
    return found


def _memory(name: str) -> Memory:
    problem = job.problem()
    trainer = Trainer(LIBRARIES[name](), problem)
    trainer.step()
    gc.collect()
    tracemalloc.start()
    loss, inputs = trainer.forward()
    forward, _ = tracemalloc.get_traced_memory()
    trainer.library.backward(loss)
    gc.collect()
    backward, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    nodes = len(reachable(trainer.library, loss)) - len(trainer.parameters)
    del inputs
    return Memory(name, nodes, forward / nodes, backward / nodes, backward / operations(problem))


def sizes(shape: str, regime: str) -> list[Size]:
    """Time per node at every size, in a process of its own."""
    found: list[Size] = _apart(_sizes, shape, regime)
    return found


def _sizes(shape: str, regime: str) -> list[Size]:
    (gc.enable if regime == "on" else gc.disable)()
    build = _chain if shape == "chain" else _wide
    taken: dict[int, list[Step]] = {n: [] for n in GRAPH_SIZES}
    nodes = {n: _count(build(n)) for n in GRAPH_SIZES}
    for _ in range(ROUNDS):
        for n in GRAPH_SIZES:
            gc.collect()
            taken[n] += [_timed(build, n) for _ in range(max(1, 20_000 // n))]
    return [_size(shape, regime, nodes[n], taken[n]) for n in GRAPH_SIZES]


def _size(shape: str, regime: str, nodes: int, taken: list[Step]) -> Size:
    forward, backward, free = (median(column) / nodes * 1e9 for column in zip(*taken, strict=True))
    return Size(shape, regime, nodes, forward, backward, free)


def _timed(build: Callable[[int], Any], n: int) -> Step:
    begin = perf_counter()
    root = build(n)
    computed = perf_counter()
    root.backward()
    differentiated = perf_counter()
    del root
    return Step(computed - begin, differentiated - computed, perf_counter() - differentiated)


def _count(root: Any) -> int:
    return len(reachable(Ours(), root))


def _chain(n: int) -> Any:
    """A graph as deep as it can be: n operations in a row."""
    number = Ours().number
    y, w, b = number(0.5), number(0.999), number(0.001)
    for _ in range(n // 2):
        y = y * w + b
    return y


def _wide(n: int) -> Any:
    """A graph of about n nodes that is much wider than deep: the job over as many rows as it takes."""
    loss, _ = Trainer(Ours(), job.problem(samples=max(1, round(n / _ROW)))).forward()
    return loss


_ROW = 660  # nodes of the job for one row, about


def _apart(function: Callable[..., Any], *args: str) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, args)
