"""The NumPy kernels compute what the scalar kernels compute, at ordinary and at special numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from autograd import ops
from autograd.compiling.backends.numpy import kernels
from autograd.compiling.record.private_ops import fraction, log_fraction, peak
from autograd.ops.op import Op

inf = float("inf")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -3.0, 1e-8, -1e-8, 1e8, -1e8, 40.0, -40.0, 700.0, -700.0, 720.0, -745.0, 800.0,
           -800.0, 1e-300, -1e-300, 1e300, -1e300, 5e-324, inf, -inf, float("nan")]  # fmt: skip
FIXED = [op for op in ops.table.values() if op.arity is not None and op.name in ops.builtin] + [fraction, log_fraction]
SUMS = ("sum", "mean", "dot")  # rounded once by the scalar kernels
SEQUENCES = [op for op in ops.table.values() if op.name in kernels.SEQUENCES] + [peak]


def same(found: NDArray[np.float64], expected: list[float]) -> None:
    """Equal to a few ulps; infinities, nan and signs of zeros exactly."""
    want = np.array(expected)
    equal = ((found == want) & (np.signbit(found) == np.signbit(want))) | (np.isnan(found) & np.isnan(want))
    with np.errstate(all="ignore"):
        error = np.where(equal, 0.0, np.abs(found - want) / np.maximum(np.abs(want), 1e-300))
    assert np.nan_to_num(error, nan=inf).max() < 1e-12


def points(count: int, seed: int) -> NDArray[np.float64]:
    """Special numbers in all combinations (or many), and ordinary ones of every size; shape (count, n)."""
    rng = np.random.default_rng(seed)
    mixed = list(itertools.product(SPECIAL, repeat=count)) if count < 3 else rng.choice(SPECIAL, (2000, count)).tolist()
    ordinary = [rng.normal(size=(200, count)) * scale for scale in (1e-3, 1.0, 10.0, 100.0)]
    return np.concatenate([np.array(mixed, dtype=float), *ordinary]).T.copy()


@pytest.mark.parametrize("op", FIXED, ids=lambda op: op.name)
def test_functions_of_numbers(op: Op) -> None:
    x = points(op.arity or 1, 0)
    if op.name == "polygamma":
        x = np.abs(np.round(x[:, -200:])) % 4, np.abs(x[:, -200:])[1]
        x = np.array([x[0][0], x[1]])
    if op is log_fraction:  # of an exponential, the largest, and the sum of others
        x = x[:, (x[0] <= x[1]) & ((x[2] >= 1.0) | (x[0] == x[1]) & (x[2] >= 0.0))]
    out = np.empty(x.shape[1])
    ufunc = kernels.ufunc_of(op)
    with np.errstate(all="ignore"):
        getattr(np, ufunc)(*x, out=out) if ufunc else kernels.kernel_of(op)(*x, out)
    same(out, [op.forward(*column) for column in x.T.tolist()])


@pytest.mark.parametrize("name", sorted(set(kernels.COMPOSITES) - {"swish", "fraction", "log_fraction"}))
def test_small_results_keep_their_digits(name: str) -> None:
    """To some ulps, those of denormal numbers included; swish but for what rounding beta * x costs."""
    op = ops.table[name]
    x = points(op.arity or 1, 1)
    out = np.empty(x.shape[1])
    with np.errstate(all="ignore"):
        kernels.kernel_of(op)(*x, out)
        want = np.array([op.forward(*column) for column in x.T.tolist()])
        finite = np.isfinite(want) & (np.abs(want) < 1e308)
        assert np.all(np.abs(out - want)[finite] <= 8.0 * np.spacing(np.abs(want[finite])))


@pytest.mark.parametrize("length", [1, 2, 3, 6])
@pytest.mark.parametrize("op", SEQUENCES, ids=lambda op: op.name)
def test_functions_of_sequences(op: Op, length: int) -> None:
    if op.name == "dot" and length % 2:
        pytest.skip("two sequences")
    x = points(length, length)
    if op.name in SUMS:
        x = np.abs(x)
    out = np.empty((1, x.shape[1]))
    with np.errstate(all="ignore"):
        kernels.sequence_kernel_of(op)(x[None], out)
    if op is peak:  # which is only ever subtracted
        out += 0.0
    same(out[0], [op.forward(*column) + (0.0 if op is peak else -0.0) for column in x.T.tolist()])


def test_operands_that_are_the_same_for_all_rows() -> None:
    x = np.linspace(-2.0, 2.0, 7)[None]
    for op in FIXED:
        if op.arity == 2 and op.name != "polygamma":
            out = np.empty((1, 7))
            ufunc = kernels.ufunc_of(op)
            with np.errstate(all="ignore"):
                getattr(np, ufunc)(x, 0.5, out=out) if ufunc else kernels.kernel_of(op)(x, 0.5, out)
            same(out[0], [op.forward(v, 0.5) for v in x[0].tolist()])


def test_a_users_op_never_runs_the_kernel_of_a_namesake() -> None:
    mine = Op("tanh", lambda x: x + 1.0, lambda y, x: (1.0,))
    assert kernels.ufunc_of(mine) is None
    out = np.empty(2)
    kernels.kernel_of(mine)(np.array([1.0, 2.0]), out)
    assert out.tolist() == [2.0, 3.0]
