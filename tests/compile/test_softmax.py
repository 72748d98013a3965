"""Softmax, its logarithm and logsumexp keep their digits when they are compiled."""

from __future__ import annotations

import math
from typing import Any

import pytest

import autograd
from autograd import compile, softmax
from autograd.ops import ieee

from .. import oracle
from .checks import BACKENDS

every_backend = pytest.mark.parametrize("backend", BACKENDS)
LOGITS = [
    *([c] * 3 for c in (5.0, 1e15, 1e17)),
    *([0.3, -1.2, 2.0], [0.0, -40.0, -3.0], [-700.0, 0.1, -350.3], [3.0, -1e5, 2.9]),
]
WIDE = [[0.1 * k * k - 3.7 * k for k in range(8)], [0.37 * (k * 5 % 8) for k in range(8)], [-88.8 * k for k in range(8)]]


def by_hand(x: Any) -> list[Any]:
    terms = [autograd.exp(v) for v in x]
    return [t / sum(terms) for t in terms]


SOFTMAXES: dict[str, tuple[str, Any]] = {
    "softmax": ("softmax", softmax),
    "softmax by hand": ("softmax", by_hand),
    "log_softmax": ("log_softmax", autograd.log_softmax),
    "log of softmax": ("log_softmax", lambda x: [autograd.log(s) for s in softmax(x)]),
    "log of softmax by hand": ("log_softmax", lambda x: [autograd.log(s) for s in by_hand(x)]),
}


@every_backend
@pytest.mark.parametrize("form", SOFTMAXES)
def test_softmax_keeps_its_digits(form: str, backend: str) -> None:
    """Each output to 4 ulps, each of its derivatives to 1e-12 of itself, also where a share is nearly 1 or tiny."""
    name, fn = SOFTMAXES[form]
    for rows in (LOGITS, WIDE):
        n = len(rows[0])
        outputs = compile(lambda p, x: fn(x), [], rows[0], backend)([], rows)
        for i in range(n):
            slopes = compile(lambda p, x, i=i: fn(x)[i], [], rows[0], backend).input_grads([], rows)
            for row, y, slope in zip(rows, outputs, slopes, strict=True):
                order = [i, *(k for k in range(n) if k != i)]
                x = [row[k] for k in order]
                exact = oracle.value(name, x)
                assert abs(float(y[i]) - exact) <= 4.0 * math.ulp(oracle.rounded(exact)), (row, i)
                for j, k in enumerate(order):
                    assert float(slope[k]) == pytest.approx(oracle.rounded(oracle.first(name, x, j)), rel=1e-12, abs=1e-300), (row, i, k)


@every_backend
@pytest.mark.parametrize("count", [2, 3, 10])
@pytest.mark.parametrize("fn", [autograd.logsumexp, lambda x: autograd.log(sum(autograd.exp(v) for v in x))], ids=["op", "by hand"])
def test_shares_of_a_logsumexp_add_up_to_one(fn: Any, count: int, backend: str) -> None:
    """Whatever rounding makes of the logarithm of large sums."""
    f = compile(lambda p, x: fn(x), [], [0.0] * count, backend)
    rows = [[c + 0.5 * k * spread for k in range(count)] for c in (0.0, 1e9, -1e15, 1e17) for spread in (0.0, 1.0)]
    for row, shares in zip(rows, f.input_grads([], rows), strict=True):
        assert list(shares) == pytest.approx(ieee.shares(*row), rel=1e-13)
        assert math.fsum(shares) == pytest.approx(1.0, rel=1e-15 * count)
