"""Eager speed of this library beside its peers, in one run: `python benchmarks/eager.py`. See README.md here."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import growth
import imports
import job
import steps
from common import Target
from peers import Micrograd, Ours, absent, present
from steps import REGIMES

from autograd.support import files

ON, OFF, COLLECTED = REGIMES
FLAT = 1.5  # time per node at the largest size over that at the smallest, caches included


@dataclass(frozen=True)
class Results:
    """Everything measured in one run."""

    environment: dict[str, Any]
    operations: int
    steps: list[steps.Row]
    memory: list[growth.Memory]
    sizes: list[growth.Size]
    imports: imports.Import

    def seconds(self, library: str, regime: str) -> float | None:
        """The median step of a library, None if it was left out."""
        return next((row.total for row in self.steps if (row.library, row.regime) == (library, regime)), None)


def environment() -> dict[str, Any]:
    """What a reader needs to judge the figures."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {kind.distribution: kind.version() for kind in present()},
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def cpu() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def measure(rounds: int) -> Results:
    """Everything, speed of the peers first: it refuses to go on where gradients differ."""
    environs = environment()  # before the load is our own
    libraries = list(present())
    return Results(
        environs,
        growth.operations(job.problem()),
        steps.measure(libraries, rounds),
        [growth.memory(kind.name) for kind in libraries if kind.pure_python],
        [size for shape in growth.SHAPES for regime in (ON, OFF) for size in growth.sizes(shape, regime)],
        imports.measure(),
    )


def targets(results: Results) -> list[Target]:
    """What this library sets out to reach."""
    found = results.imports
    bytes_per_node = next(m.node_after_backward for m in results.memory if m.library == Ours.name)
    return [
        Target("speed against micrograd, gc off", 4.0, speed(results, OFF), "x"),
        Target("speed against micrograd, gc off, collected between steps", 4.0, speed(results, COLLECTED), "x"),
        Target("speed against micrograd, gc on", 15.0, speed(results, ON), "x"),
        Target("bytes per node, with data and gradient", 140.0, bytes_per_node, at_most=True),
        Target("growth of time per node from the smallest graph to the largest, gc off", FLAT, worst(results, OFF), "x", at_most=True),
        Target("growth of time per node from the smallest graph to the largest, gc on", FLAT, worst(results, ON), "x", at_most=True),
        Target("import", 60.0, found.alone * 1e3, " ms", at_most=True),
        Target("import after NumPy", 60.0, None if found.after_numpy is None else found.after_numpy * 1e3, " ms", at_most=True),
    ]


def speed(results: Results, regime: str) -> float | None:
    """How many times micrograd's time is ours."""
    theirs, ours = results.seconds(Micrograd.name, regime), results.seconds(Ours.name, regime)
    return theirs / ours if theirs and ours else None


def growths(results: Results) -> dict[tuple[str, str], float]:
    """For each shape and regime the time per node of the largest graph, divided by that of the smallest."""
    series: dict[tuple[str, str], list[growth.Size]] = {}
    for size in results.sizes:
        series.setdefault((size.shape, size.regime), []).append(size)
    return {key: found[-1].total / found[0].total for key, found in series.items()}


def worst(results: Results, regime: str) -> float:
    """The largest growth under a regime."""
    return max(factor for (_, where), factor in growths(results).items() if where == regime)


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Text in columns: the first to the left, numbers to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = ["  ".join(_aligned(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([title, aligned[0], "-" * len(aligned[0]), *aligned[1:], ""])


def _aligned(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)


def step_table(results: Results) -> str:
    """One line for each library and regime; the ratio is to this library on the same code under the same regime."""
    header = ("library", "garbage collector", "ms/step", "ratio", "forward ns/op", "backward ns/op")
    rows = []
    for regime in REGIMES:
        ours = results.seconds(Ours.name, regime) or float("nan")
        for row in (row for row in results.steps if row.regime == regime):
            ns = [f"{seconds / results.operations * 1e9:.0f}" for seconds in (row.forward, row.backward)]
            rows.append([row.library, regime, f"{row.total * 1e3:.1f}", f"{row.total / ours:.2f}", *ns])
    return table(f"One training step, 2-16-16-1, hinge loss, 100 rows: {results.operations} operations", header, rows)


def memory_table(results: Results) -> str:
    """Bytes of the graph of one training step."""
    header = ("library", "nodes", "bytes/node after forward", "after backward", "bytes/operation after backward")
    rows = (
        [m.library, str(m.nodes), *(f"{x:.1f}" for x in (m.node_after_forward, m.node_after_backward, m.operation_after_backward))]
        for m in results.memory
    )
    return table("Memory of its graph, parameters aside", header, rows)


def size_table(results: Results) -> str:
    """Nanoseconds per node against the size of the graph."""
    header = ("graph", "gc", "nodes", "forward ns/node", "backward ns/node", "freeing ns/node", "total", "growth")
    first: dict[tuple[str, str], float] = {}
    rows = []
    for s in results.sizes:
        base = first.setdefault((s.shape, s.regime), s.total)
        ns = (f"{x:.0f}" for x in (s.forward, s.backward, s.free, s.total))
        rows.append([s.shape, s.regime, str(s.nodes), *ns, f"{s.total / base:.2f}"])
    return table("This library: time per node against the size of the graph", header, rows)


def report(results: Results) -> str:
    """The whole run as text."""
    env = results.environment
    versions = ", ".join(f"{name} {version}" for name, version in env["libraries"].items())
    load = "unknown" if env["load_average"] is None else ", ".join(f"{x:.2f}" for x in env["load_average"])
    heading = f"{env['python']}; {versions}\n{env['cpu']}, {env['cores']} cores; load average at the start {load}\n"
    verdicts = table("Targets", ("what", "target", "reached", "verdict"), (target.cells() for target in targets(results)))
    numpy = "It imports NumPy.\n" if results.imports.imports_numpy else "It does not import NumPy.\n"
    return "\n".join([heading, step_table(results), memory_table(results), size_table(results), verdicts + numpy])


def as_json(results: Results) -> str:
    """The whole run for programs: seconds for steps and imports, nanoseconds per node for sizes."""
    verdicts = [{**asdict(target), "verdict": target.verdict} for target in targets(results)]
    return json.dumps({**asdict(results), "targets": verdicts}, indent=2)


def main() -> None:
    """Measure, print and, if asked to, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="counted steps of each library (at least 7; default 9)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to FILE")
    options = parser.parse_args()
    if options.rounds < 7:
        parser.error("--rounds must be at least 7: the median of fewer says little")
    for kind in absent():
        print(f"{kind.name} is left out: it is not installed (pip install {kind.distribution})", file=sys.stderr)
    results = measure(options.rounds)
    print(report(results))
    if options.json:
        files.write(options.json, as_json(results).encode())


if __name__ == "__main__":
    main()
