"""Compiled functions against the eager engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import compile
from autograd.support.structure import leaves

from .programs import Program, eager

BACKENDS = ("reference", "numpy")
TOLERANCE = 1e-9


def difference(a: Any, b: Any) -> float:
    """The largest difference, relative to the larger of 1 and the size of what is compared; nan and infinities must be the same."""
    x, y = np.array(a, dtype=float).ravel(), np.array(b, dtype=float).ravel()
    assert x.shape == y.shape, f"{x.shape} numbers instead of {y.shape}"
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    with np.errstate(invalid="ignore"):
        error = np.where(same, 0.0, np.abs(x - y) / np.maximum(1.0, np.abs(y)))
    return float(np.max(np.nan_to_num(error, nan=np.inf), initial=0.0))


def check(program: Program, backends: Sequence[str] = BACKENDS) -> float:
    """The largest error of any backend in values, parameter gradients and input gradients; fails above the tolerance."""
    worst = 0.0
    numbers = [float(v) for v in leaves(program.params)]
    rows = [[float(v) for v in leaves(row)] for row in program.rows]
    values, grads, input_grads = eager(program, numbers, rows)
    for backend in backends:
        f = compile(program.fn, program.params, program.rows[0], backend=backend)
        total, found = f.value_and_grad(program.params, program.rows, reduction="sum")
        mean, mean_grads = f.value_and_grad(program.params, program.rows)
        errors = {
            "values": difference(f(program.params, program.rows), values),
            "sum": difference(total, sum(values)),
            "mean": difference(mean, sum(values) / len(values)),
            "gradient": difference(leaves(found), grads),
            "gradient of the mean": difference(leaves(mean_grads), [g / len(values) for g in grads]),
            "input gradients": difference(f.input_grads(program.params, program.rows), input_grads),
        }
        wrong = {what: error for what, error in errors.items() if not error <= TOLERANCE}
        assert not wrong, f"{backend} differs from the eager engine by {wrong}: {program}"
        worst = max(worst, *errors.values())
    return worst
