"""How long `import autograd` takes, beyond the start of the interpreter."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from time import perf_counter

ROUNDS = 15


@dataclass(frozen=True)
class Import:
    """Seconds of the import, alone and after NumPy (None where that is not installed), and whether it draws NumPy in."""

    alone: float
    after_numpy: float | None
    imports_numpy: bool


def measure() -> Import:
    """Medians of runs taken in turns."""
    after_numpy = _difference("import numpy") if find_spec("numpy") else None
    return Import(_difference("pass"), after_numpy, _imports_numpy())


def _difference(before: str) -> float:
    """Seconds that the import adds to a program."""
    programs = (before, f"{before}; import autograd")
    times: dict[str, list[float]] = {program: [] for program in programs}
    for _ in range(1 + ROUNDS):
        for program in programs:
            times[program].append(_seconds(program))
    without, with_import = (median(times[program][1:]) for program in programs)  # the first run warms the file cache
    return with_import - without


def _seconds(program: str) -> float:
    begin = perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return perf_counter() - begin


def _imports_numpy() -> bool:
    found = subprocess.run(
        [sys.executable, "-c", "import sys, autograd; print('numpy' in sys.modules)"], check=True, capture_output=True, text=True
    )
    return found.stdout.strip() == "True"
