"""Random programs at special numbers: nan, infinities and signs of zeros are those of the eager engine, on every backend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random
from typing import Any

import numpy as np
import pytest

from autograd import compile
from autograd.structure import leaves, rebuild

from .checks import BACKENDS
from .programs import Program, eager, random_program

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]
EXTREME = [*SPECIAL, 1e300, -1e300, 1e-300, 5e-324, 710.0, -745.0]


def spoiled(rng: Random, tree: Any, share: float, numbers: list[float]) -> Any:
    """The structure with special numbers in place of a share of its own."""
    return rebuild(tree, iter([rng.choice(numbers) if rng.random() < share else float(v) for v in leaves(tree)]))


def program_at_special_numbers(seed: int) -> Program:
    rng = Random(seed)
    program = random_program(seed)
    share, numbers = rng.choice([0.1, 0.3, 0.6]), rng.choice([SPECIAL, SPECIAL, EXTREME])
    program.params = spoiled(rng, program.params, rng.choice([0.0, share]), numbers)
    program.rows = [spoiled(rng, row, share, numbers) for row in program.rows]
    return program


def different(found: Any, expected: Iterable[float], signs: bool = False) -> list[tuple[float, float]]:
    """The pairs that differ: in nan, in infinities, in the sign of a zero if it counts, or by more than a stated rounding."""
    pairs = zip(np.array(found, dtype=float).ravel().tolist(), np.array(expected, dtype=float).ravel().tolist(), strict=True)
    return [(a, b) for a, b in pairs if not alike(a, b, signs)]


def alike(a: float, b: float, signs: bool) -> bool:
    if not (math.isfinite(a) and math.isfinite(b)):
        return repr(a) == repr(b)
    if a == b == 0.0:
        return not signs or math.copysign(1.0, a) == math.copysign(1.0, b)
    return abs(a - b) <= 1e-9 * max(1.0, abs(b))


@np.errstate(all="ignore")
def check_special(program: Program) -> None:
    numbers, rows = [float(v) for v in leaves(program.params)], [[float(v) for v in leaves(row)] for row in program.rows]
    values, grads, input_grads = eager(program, numbers, rows)
    for backend in BACKENDS:
        f = compile(program.fn, program.params, program.rows[0], backend=backend)
        differences = [
            different(f(program.params, program.rows), values, signs=True),
            different(leaves(f.value_and_grad(program.params, program.rows, "sum")[1]), grads),
            different(f.input_grads(program.params, program.rows), input_grads),
        ]
        if f.report.repaired:  # formulas that overflow as written, and do not when compiled
            differences = [[(a, b) for a, b in pairs if math.isfinite(b)] for pairs in differences]
        assert not any(differences), f"{backend}: {differences} for {program}"


@pytest.mark.parametrize("start", range(0, 240, 20))
def test_a_few_hundred(start: int) -> None:
    for seed in range(start, start + 20):
        check_special(program_at_special_numbers(seed))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 20_000, 500))
def test_twenty_thousand(start: int) -> None:
    for seed in range(start, start + 500):
        check_special(program_at_special_numbers(seed))
