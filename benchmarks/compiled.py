"""Compiled code of this library beside its peers, in one run: `python benchmarks/compiled.py`. See README.md here."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import compiled_growth
import compiled_turns
from compiled_peers import Ours, absent, present
from compiled_tables import Results, duration, markdown, plot
from eager import cpu, environment

from autograd.support import files

HERE = Path(__file__).parent
TABLE, PICTURE = HERE / "compiled.md", HERE.parent / "docs" / "compiled.png"
FULL, QUICK = (15, 0.1, 5), (3, 0.005, 1)  # turns, seconds of each, rounds of compiling


def measure(turns: int, budget: float, rounds: int) -> Results:
    """Everything; a line on each case as it comes."""
    kinds = list(present())
    about: dict[str, Any] = {**environment(), "cpu": cpu(), "libraries": {kind.distribution: kind.version() for kind in kinds}}
    about |= {"turns": turns, "budget": budget}
    results = []
    for result in compiled_turns.measure([kind.name for kind in kinds], turns, budget):
        times = ", ".join(f"{timing.contender} {duration(timing.seconds)}" for timing in result.timings)
        print(f"{result.case}: {times}", file=sys.stderr, flush=True)
        results.append(result)
    return Results(about, results, compiled_growth.measure(rounds))


def main() -> None:
    """Measure, print and, if asked to, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all checks, and timings of little worth")
    parser.add_argument("--write", action="store_true", help=f"also write {TABLE.name} and docs/{PICTURE.name} (needs matplotlib)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to FILE")
    options = parser.parse_args()
    for kind in absent():
        why = f"no backend {kind.backend!r}" if issubclass(kind, Ours) else f"not installed (pip install {kind.distribution})"
        print(f"{kind.name} is left out: {why}", file=sys.stderr)
    results = measure(*(QUICK if options.quick else FULL))
    print(markdown(results))
    if options.json:
        files.write(options.json, json.dumps(asdict(results), indent=2).encode())
    if options.write:
        files.write(TABLE, markdown(results).encode())
        plot(results, PICTURE)


if __name__ == "__main__":
    os.environ.update(compiled_turns.ONE_THREAD)
    main()
