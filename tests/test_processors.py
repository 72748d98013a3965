"""Whatever the order of additions and the last bit of exp, results stay within the bound that arithmetic gives."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from autograd import compile

from .compile.checks import check, difference
from .compile.programs import Shapes, network_function, random_program
from .processors import LOOPS, PROCESSORS, REAL, imitated, moved

EPS = np.finfo(float).eps
SUMS = {
    "dot": lambda a, b: np.dot(a, b),
    "matmul": lambda a, b: np.matmul(a, b),
    "matmul of families": lambda a, b: np.matmul(np.stack([a, -a]), np.stack([b, b]))[0],
    "inner": lambda a, b: np.inner(a, b.T),
    "einsum": lambda a, b: np.einsum("ft,tn->fn", a, b),
    "add.reduce": lambda a, b: np.add.reduce(a[:, :, None] * b[None], axis=1),
    "sum": lambda a, b: np.sum(a[:, :, None] * b[None], axis=1),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_within_the_bound(name: str, each_processor: str) -> None:
    """Of n products, each rounded, and n - 1 additions: n eps sum |a b|, in any order."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 40)), rng.normal(size=(40, 50))
    bound = a.shape[1] * EPS * (np.abs(a)[:, :, None] * np.abs(b)[None]).sum(axis=1)
    exact = (a.astype(np.longdouble)[:, :, None] * b.astype(np.longdouble)[None]).sum(axis=1)
    found, out = SUMS[name](a, b), np.empty((7, 50))
    assert np.dot(a, b, out=out) is out
    assert found.dtype == float
    assert (np.abs(found - exact) <= bound).all()
    assert (np.abs(out - exact) <= bound).all()


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_off_by_one_unit(name: str) -> None:
    f, x = REAL[name], np.linspace(0.01, 0.99, 200) + (name == "arccosh")
    operands = (x, x[::-1])[: f.nin]
    expected, out = f(*operands), np.empty(200)
    with imitated("ulp"):
        imitation = getattr(np, name)
        assert imitation(*operands, out=out) is out
        one = imitation(*(v[3] for v in operands))
    assert type(one) is np.float64
    assert one == pytest.approx(out[3], rel=4 * EPS, abs=0)
    assert set(np.sign((out - expected)[out != expected])) == {-1.0, 1.0}
    assert ((out == np.nextafter(expected, 9.0)) | (out == np.nextafter(expected, -9.0)) | (out == expected)).all()


def test_numbers_that_may_be_exact_stay() -> None:
    exact = np.array([0.0, -0.0, 1.0, -3.0, 1e300, 5e-324, np.inf, -np.inf])
    assert moved(exact).tobytes() == exact.tobytes()
    assert np.isnan(moved(np.array([np.nan]))).all()
    x = np.linspace(0.1, 0.9, 50)
    assert (moved(-x) == -moved(x)).all()


def results() -> list[float]:
    """All that a compiled network computes."""
    sizes, rows = [5, 8, 3], np.random.default_rng(0).normal(size=(60, 8))
    params = np.array(Shapes(sizes).random(Random(1), "flat"))
    f = compile(network_function(sizes, "dot", "tanh", "logsumexp", "flat"), params, rows[0])
    value, grads = f.value_and_grad(params, rows)
    return [value, *grads, *f(params, rows), *f.input_grads(params, rows).ravel()]


@pytest.mark.parametrize("name", PROCESSORS)
def test_compiled_code_computes_as_the_processor_does(name: str) -> None:
    """Other bits, or what is patched is not what the generated code calls; and the same at every call."""
    if name == "extended" and np.finfo(np.longdouble).eps == EPS:
        pytest.skip("long double has no more digits here")
    with imitated(None):
        here = results()
    with imitated(name):
        there = results()
        assert results() == there
    assert there != here
    assert difference(there, here) < 1e-13


def test_random_programs(each_processor: str) -> None:
    for seed in range(60):
        check(random_program(seed), ["numpy"])
