"""How long recording and compiling take, against the size of the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from compiled_cases import Case, Irregular, Network

NETWORKS = ((2, 16, 16, 1), (16, 32, 10), (64, 32, 10), (128, 64, 10), (256, 128, 10), (784, 128, 10))
GRAPHS = (1000, 10_000)
SAID = 2.0  # seconds that recording may take, and compiling, with about 300 000 nodes


@dataclass(frozen=True)
class Compilation:
    """Seconds to record one row; to compile the recording; to derive and write the gradient, at its first call."""

    graph: str
    operations: int
    nodes: int  # parameters and inputs included
    instructions: int
    record: float
    compile: float
    first: float


def measure(rounds: int) -> list[Compilation]:
    """Medians."""
    networks = [Network("-".join(map(str, sizes)), 1, sizes) for sizes in NETWORKS]
    return [compilation(case, rounds) for case in (*networks, *(Irregular(f"irregular, {size}", 1, size) for size in GRAPHS))]


def compilation(case: Case, rounds: int) -> Compilation:
    """Everything anew each time."""
    from autograd import compile
    from autograd.compiling.record.recording import Recording

    params, rows = case.params, case.rows
    f = compile(case.scalar, params, rows[0])
    taken: list[tuple[float, float, float]] = []
    for _ in range(rounds):
        record, _ = _timed(lambda: Recording(case.scalar, params, rows[0]))
        both, g = _timed(lambda: compile(case.scalar, params, rows[0]))
        first, _ = _timed(partial(g.value_and_grad, params, rows))
        again, _ = _timed(partial(g.value_and_grad, params, rows))
        taken.append((record, both - record, first - again))
    seconds = (median(column) for column in zip(*taken, strict=True))
    operations = f.report.nodes
    return Compilation(case.label, operations, operations + len(params) + rows.shape[1], len(f.program), *seconds)


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    begin = perf_counter()
    result = function()
    return perf_counter() - begin, result
