"""Training steps of every library, each timed in a process of its own, in turns."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import job
from peers import LIBRARIES, Library

WARM_UP = 2
TOLERANCE = 1e-10
REGIMES = ("on", "off", "off, collected between steps")


class Step(NamedTuple):
    """Seconds of one training step: building numbers and computing; differentiating; letting go of the graph."""

    forward: float
    backward: float
    free: float

    @property
    def total(self) -> float:
        """Seconds of the whole step."""
        return sum(self)


@dataclass(frozen=True)
class Row:
    """The median step of one library under one regime of the garbage collector."""

    library: str
    regime: str
    total: float
    forward: float
    backward: float
    steps: int


class Trainer:
    """One library at the job."""

    def __init__(self, library: Library, problem: job.Problem) -> None:
        self.library, self.problem = library, problem
        self.layers = job.converted(problem.layers, library.number)
        self.parameters = list(job.parameters(self.layers))

    def forward(self) -> tuple[Any, list[list[Any]]]:
        """The loss, and the numbers made for the data."""
        library, data = self.library, self.problem
        inputs = [list(map(library.number, row)) for row in data.rows]
        library.zero_grad(self.parameters)  # once all inputs are there: XAD's tape begins here
        return job.hinge_loss(self.layers, inputs, data.labels, library.relu, library.neuron), inputs

    def step(self) -> Step:
        """One training step, timed."""
        begin = perf_counter()
        loss, inputs = self.forward()
        computed = perf_counter()
        self.library.backward(loss)
        differentiated = perf_counter()
        del loss, inputs
        return Step(computed - begin, differentiated - computed, perf_counter() - differentiated)

    def gradients(self) -> list[float]:
        """The derivatives of the loss in all parameters, then in all inputs."""
        loss, inputs = self.forward()
        self.library.backward(loss)
        return [self.library.gradient(leaf) for leaf in (*self.parameters, *(x for row in inputs for x in row))]


def serve(pipe: Connection, name: str, regime: str) -> None:
    """The life of a measuring process: warm up, show the gradients, then one step for each request."""
    if regime != "on":
        gc.disable()
    trainer = Trainer(LIBRARIES[name](), job.problem())
    for _ in range(WARM_UP):
        trainer.step()
    pipe.send(trainer.gradients())  # after steps, so that what a step leaves behind would show
    while pipe.recv():
        if regime == REGIMES[2]:
            gc.collect()
        pipe.send(trainer.step())


class Runner:
    """The end of a measuring process that asks."""

    def __init__(self, name: str, regime: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name, self.regime, self.steps = name, regime, list[Step]()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name, regime), daemon=True)
        self._process.start()
        theirs.close()  # so that a process that dies is noticed
        self.gradients: list[float] = self._pipe.recv()

    def step(self) -> None:
        """Have one more step made."""
        self._pipe.send(True)
        self.steps.append(self._pipe.recv())

    def close(self) -> None:
        """End the process."""
        self._pipe.send(False)
        self._process.join()

    def row(self) -> Row:
        """The median step."""
        totals, forwards, backwards = ([x.total for x in self.steps], [x.forward for x in self.steps], [x.backward for x in self.steps])
        return Row(self.name, self.regime, median(totals), median(forwards), median(backwards), len(self.steps))


def pairs(libraries: Iterable[type[Library]]) -> Iterator[tuple[str, str]]:
    """What is measured: each library under each regime that matters to it."""
    for library in libraries:
        for regime in REGIMES if library.pure_python else REGIMES[:1]:
            yield library.name, regime


def measure(libraries: Iterable[type[Library]], rounds: int) -> list[Row]:
    """The median of `rounds` steps of each library and regime, taken in turns so that drift of the machine hits all alike."""
    runners = [Runner(name, regime) for name, regime in pairs(libraries)]
    check(runners)
    for _ in range(rounds):
        for runner in runners:
            runner.step()
    for runner in runners:
        runner.close()
    return [runner.row() for runner in runners]


def check(runners: list[Runner]) -> None:
    """Refuse to compare the speed of libraries that do not agree on the gradients."""
    first, *others = runners
    for other in others:
        off = max(abs(a - b) for a, b in zip(first.gradients, other.gradients, strict=True))
        if not off <= TOLERANCE:
            raise SystemExit(f"the gradients of {other.name} differ from those of {first.name} by {off:.1e}: nothing is timed")
