"""Every contender in a process of its own on one core, timed in turns."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from compiled_cases import Array, Case, cases
from compiled_peers import CONTENDERS, Ours, OursNumPy, gradient

TOLERANCE = 1e-9  # relative to the largest entry
NODES = 300_000  # of a graph that the eager engine builds for the check
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NPROC": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


@dataclass(frozen=True)
class Timing:
    """Seconds of a call: the median of each turn."""

    contender: str
    turns: list[float]

    @property
    def seconds(self) -> float:
        """The median."""
        return median(self.turns)

    def times(self, other: Timing) -> float:
        """How many times the other's time this one's is: the median over turns, each beside the other's."""
        return median(a / b for a, b in zip(self.turns, other.turns, strict=True))


@dataclass(frozen=True)
class Result:
    """A case, and everybody's time for it."""

    case: str
    rows: int
    timings: list[Timing]

    def of(self, contender: str) -> Timing | None:
        """The time of a contender, None if it took no part."""
        return next((timing for timing in self.timings if timing.contender == contender), None)

    def ratio(self, contender: str, other: str) -> float | None:
        """How many times as long as another a contender takes."""
        mine, theirs = self.of(contender), self.of(other)
        return mine.times(theirs) if mine and theirs else None


def serve(pipe: Connection, name: str) -> None:
    """The life of a measuring process: for each case a call is prepared and shown, then timed at each request."""
    if hasattr(os, "sched_setaffinity"):  # before anything makes threads
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    contender = CONTENDERS[name]()
    for case in cases():
        call: Any = None
        try:
            call = contender.call(case)
            pipe.send(None if call is None else contender.numbers(call()))
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        while budget := pipe.recv():
            pipe.send(_turn(call, budget))
    pipe.close()


def _turn(call: Any, budget: float) -> float:
    """The median of the calls that fit in a number of seconds, three at least."""
    for _ in range(2):
        call()
    times: list[float] = []
    begin = last = perf_counter()
    while last - begin < budget or len(times) < 3:
        start = perf_counter()
        call()
        last = perf_counter()
        times.append(last - start)
    return median(times)


class Runner:
    """The end of a measuring process that asks."""

    def __init__(self, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name), daemon=True)
        self._process.start()
        theirs.close()  # so that a process that dies is noticed

    def numbers(self) -> Array | None:
        """Value and gradient of the case that is next, None if the contender takes no part. A peer that fails takes none."""
        try:
            found: Array | str | None = self._pipe.recv()
        except EOFError:
            raise SystemExit(f"the process of {self.name} has ended: run again without it") from None
        if not isinstance(found, str):
            return found
        if issubclass(CONTENDERS[self.name], Ours):
            raise SystemExit(f"{self.name} fails: {found}")
        print(f"{self.name} is left out: {found}", file=sys.stderr)
        return None

    def turn(self, budget: float) -> float:
        """Seconds of a call."""
        self._pipe.send(budget)
        seconds: float = self._pipe.recv()
        return seconds

    def next(self) -> None:
        """Go on to the next case."""
        self._pipe.send(0.0)

    def close(self) -> None:
        """Wait for the end."""
        self._process.join()


def measure(names: Iterable[str], turns: int, budget: float) -> Iterator[Result]:
    """Each case: all gradients checked, then as many turns as asked for of as many seconds."""
    os.environ.update(ONE_THREAD)
    runners = [Runner(name) for name in names]
    for case in cases():
        given = [(runner, runner.numbers()) for runner in runners]
        part = [runner for runner, numbers in given if numbers is not None]
        check(case, {runner.name: numbers for runner, numbers in given if numbers is not None})
        taken: dict[str, list[float]] = {runner.name: [] for runner in part}
        for _ in range(turns):
            for runner in part:
                taken[runner.name].append(runner.turn(budget))
        for runner in runners:
            runner.next()
        yield Result(case.name, case.count, [Timing(name, times) for name, times in taken.items()])
    for runner in runners:
        runner.close()


def check(case: Case, given: dict[str, Array]) -> None:
    """Refuse to time anything unless all agree: the program with the eager engine on as many rows as it can take, all with the program."""
    from autograd import compile

    params, rows = case.params, case.rows
    f = compile(case.scalar, params, rows[0], backend=OursNumPy.backend)
    few = min(case.count, max(2, NODES // f.report.nodes))
    value, eager = gradient(case, few)
    ours = Ours.numbers(OursNumPy(), f.input_grads(params, rows[:few]) if case.of_inputs else f.value_and_grad(params, rows[:few]))
    expect(case, "the eager engine", ours, np.array(eager if case.of_inputs else [value, *eager]))
    all_rows = Ours.numbers(OursNumPy(), f.input_grads(params, rows) if case.of_inputs else f.value_and_grad(params, rows))
    for name, numbers in given.items():
        expect(case, name, all_rows, numbers)


def expect(case: Case, name: str, ours: Array, theirs: Array) -> None:
    """End the run where numbers differ."""
    off = np.abs(ours - theirs).max() / np.abs(ours).max() if ours.shape == theirs.shape else np.nan
    if not off <= TOLERANCE:
        raise SystemExit(f"{case.name}: value and gradient of {name} differ from those of the program by {off:.1e}: nothing more is timed")
