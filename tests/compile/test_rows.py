"""What a row gives does not depend on the rows beside it: to the bit where that is promised, else within what roundings can do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import autograd
from autograd import compile
from autograd.compiling.backends.numpy import machine as numpy_backend
from autograd.support.structure import leaves, rebuild

from .checks import BACKENDS
from .programs import Program, Shapes, network_function, random_program
from .rounding import bounds

Array = NDArray[np.float64]
every_backend = pytest.mark.parametrize("backend", BACKENDS)
SIZES = [6, 20, 4]
NETWORK = network_function(SIZES, "dot", "tanh", "logsumexp", "flat")
WEIGHTS = np.array(Shapes(SIZES).random(Random(3), "flat"))


def table(program: Program, count: int) -> Array:
    """Rows like those of a program."""
    rng = np.random.default_rng(count)
    own = np.array([[float(v) for v in leaves(row)] for row in program.rows])
    return own[rng.integers(0, len(own), count)] * rng.choice([0.9, 0.95, 1.0, 1.05], (count, 1))


def given(program: Program, rows: Array) -> list[Any]:
    return [rebuild(program.rows[0], iter(row)) for row in rows.tolist()]


def same_bits(a: Any, b: Any) -> bool:
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    return a.shape == b.shape and bool(((a.view(np.uint64) == b.view(np.uint64)) | (np.isnan(a) & np.isnan(b))).all())


def parts(count: int, rng: np.random.Generator) -> Iterator[Any]:
    """Ways to choose some of so many rows: one, some that stand together, all in another order."""
    yield from ([0], [count - 1], [count // 2])
    for size in {2, 3, 7, count // 2 + 1, count - 1} & set(range(1, count)):
        start = int(rng.integers(0, count - size + 1))
        yield list(range(start, start + size))
    yield rng.permutation(count).tolist()


def check_bits(seed: int) -> None:
    program, rng = random_program(seed), np.random.default_rng(seed)
    count = int(rng.choice([2, 3, 8, 9, 17, 40]))
    rows = table(program, count)
    for backend in BACKENDS:
        f = compile(program.fn, program.params, program.rows[0], backend=backend, deterministic=True)
        for call in (f, f.input_grads):
            whole = call(program.params, given(program, rows))
            for part in parts(count, rng):
                assert same_bits(call(program.params, given(program, rows[part])), whole[part]), (backend, part, program)
        value, _ = f.value_and_grad(program.params, given(program, rows[:1]), "sum")
        assert same_bits([value + 0.0], f(program.params, given(program, rows[:1])) + 0.0), (backend, program)  # a sum has no -0.0


def check_bound(seed: int) -> None:
    """As BLAS adds up, a row may change with its batch, but no more than roundings allow."""
    program, rng = random_program(seed), np.random.default_rng(seed)
    count = int(rng.choice([2, 3, 8, 9, 17, 40]))
    rows = table(program, count)
    f = compile(program.fn, program.params, program.rows[0])
    numbers = [float(v) for v in leaves(program.params)]
    ways = list(parts(count, rng))
    allowed = {k: bounds(f, numbers, rows[k].tolist()) for k in {way[0] for way in ways}}
    for kind, call in enumerate((f, f.input_grads)):
        whole = call(program.params, given(program, rows))
        for way in ways:
            bound = allowed[way[0]][kind]
            if bound is not None:
                found, expected = call(program.params, given(program, rows[way]))[0], whole[way[0]]
                within = np.abs(found - expected) <= np.reshape(bound, found.shape)
                assert (within | (np.isnan(found) & np.isnan(expected))).all(), (way, found, expected, bound, program)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_deterministic_programs(start: int) -> None:
    for seed in range(start, start + 20):
        check_bits(seed)


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_programs_that_use_blas(start: int) -> None:
    for seed in range(start, start + 20):
        check_bound(seed)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100, 3000, 100))
def test_many_programs(start: int) -> None:
    for seed in range(start, start + 100):
        check_bits(seed)
        check_bound(seed)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 17, 40])
def test_wherever_a_batch_is_cut(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_backend, "CACHE", 1)
    monkeypatch.setattr(numpy_backend, "SHORTEST", 8)
    rows = np.random.default_rng(count).normal(size=(count, 10))
    f = compile(NETWORK, WEIGHTS, rows[0], deterministic=True)
    values, slopes, (total, grads) = f(WEIGHTS, rows), f.input_grads(WEIGHTS, rows), f.value_and_grad(WEIGHTS, rows, "sum")
    assert f._machine._pass("values").chunk == f._machine._pass("grads").chunk == 8
    each = [f.value_and_grad(WEIGHTS, row[None], "sum") for row in rows]
    assert total == pytest.approx(sum(value for value, _ in each), rel=1e-12)
    assert grads == pytest.approx(sum(slope for _, slope in each), rel=1e-12)
    for k in range(count):
        assert same_bits(f(WEIGHTS, rows[k : k + 1]), values[k : k + 1])
        assert same_bits(f.input_grads(WEIGHTS, rows[k : k + 1]), slopes[k : k + 1])


def layouts(rows: Array) -> list[Any]:
    """The same rows, kept in other ways."""
    shifted = np.zeros(rows.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(rows.shape)
    shifted[:] = rows
    return [
        np.asfortranarray(rows),
        rows[::-1].copy()[::-1],
        rows[:, ::-1].copy()[:, ::-1],
        rows.repeat(2, axis=0).repeat(3, axis=1)[::2, ::3],
        shifted,
        rows.astype(rows.dtype.newbyteorder()),
        rows.astype(np.float32),
        rows.astype(object),
        rows.tolist(),
    ]


@pytest.mark.parametrize(("backend", "deterministic"), [("reference", False), ("numpy", False), ("numpy", True)])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_layouts(backend: str, deterministic: bool, count: int) -> None:
    """How rows and params are kept in memory changes nothing."""
    fn = network_function(SIZES, "dot", "1/(1+exp(-z))", "logsumexp", "flat", residual=True)
    rows = np.random.default_rng(count).normal(size=(count, 10)).astype(np.float32).astype(float)
    f = compile(fn, WEIGHTS, rows[0], backend=backend, deterministic=deterministic)
    values, slopes, (total, grads) = f(WEIGHTS, rows), f.input_grads(WEIGHTS, rows), f.value_and_grad(WEIGHTS, rows)
    params = [WEIGHTS[::-1].copy()[::-1], WEIGHTS.repeat(2)[::2], WEIGHTS.tolist()]
    for p, kept in [*((WEIGHTS, kept) for kept in layouts(rows)), *((p, rows) for p in params)]:
        assert same_bits(f(p, kept), values)
        assert same_bits(f.input_grads(p, kept), slopes)
        again, others = f.value_and_grad(p, kept)
        assert again == total
        assert same_bits(np.array(others), np.array(grads))


def test_large_matrices_of_any_layout() -> None:
    """They are read where they are given."""
    p, rows = np.random.default_rng(0).normal(size=128 * 64), np.random.default_rng(1).normal(size=(3, 65))
    f = compile(lambda p, x: autograd.sum(np.tanh(np.array(p).reshape(128, 64) @ np.array(x[:64]))) * x[64], p, rows[0])
    assert same_bits(f(p[::-1].copy()[::-1], rows), f(p, rows))


def test_threads() -> None:
    rows = np.random.default_rng(0).normal(size=(64, 10))
    f = compile(NETWORK, WEIGHTS, rows[0], deterministic=True)
    expected = f(WEIGHTS, rows)
    found: dict[int, bool] = {}

    def work(k: int) -> None:
        found[k] = all(same_bits(f(WEIGHTS, rows[i : i + k]), expected[i : i + k]) for i in range(64))

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 5, 33)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys((1, 2, 5, 33), True)


def test_deterministic_programs_do_not_use_blas() -> None:
    for seed in range(40):
        program = random_program(seed)
        f = compile(program.fn, program.params, program.rows[0], deterministic=True)
        for kind in ("values", "grads", "input_grads"):
            assert not re.search(r"\b(dot|matmul|vdot|inner|tensordot)\b", f._machine.source(kind))


def test_programs_without_products_of_matrices_are_deterministic_as_they_are() -> None:
    f = compile(lambda p, x: autograd.logsumexp([p[0] * x[0], x[1], x[2]]) * autograd.norm(x), [1.0], [0.0] * 3)
    rows = np.random.default_rng(0).normal(size=(100, 3))
    assert f.deterministic
    assert (f.report.products, "BLAS" in str(f.report)) == (0, False)
    for call in (f, f.input_grads):
        assert all(same_bits(call([1.5], rows[k : k + 1]), call([1.5], rows)[k : k + 1]) for k in range(100))


def test_a_row_is_not_computed_with_more_care_because_of_another() -> None:
    """Next to its largest term, logsumexp takes another path."""
    f = compile(lambda p, x: autograd.logsumexp(x), [], [0.0] * 3)
    rows = np.random.default_rng(0).normal(size=(200, 3))
    assert same_bits(f([], np.vstack([rows, [[0.0, -40.0, -50.0]]]))[:200], f([], rows))


@every_backend
def test_rows_in_doubt(backend: str) -> None:
    """They are replayed together."""
    f = compile(lambda p, x: autograd.logsumexp(x[1:]) + autograd.sqrt(x[0]), [], [0.0] * 40, backend=backend)
    rows = np.random.default_rng(0).normal(size=(30, 40))
    rows[:20, 0] = 0.0  # where the slope is infinite
    slopes = f.input_grads([], rows)
    assert np.isinf(slopes[:20, 0]).all()
    for k in range(30):
        assert same_bits(f.input_grads([], rows[k : k + 1]), slopes[k : k + 1])


@every_backend
def test_whether_it_is_deterministic(backend: str) -> None:
    f = compile(NETWORK, WEIGHTS, [0.0] * 10, backend=backend)
    assert f.deterministic is (backend == "reference")
    assert f.report.products == (2 if backend == "numpy" else 0)
    assert ("\n2 products of matrices are left to BLAS: deterministic=True" in str(f.report)) is (backend == "numpy")
    g = compile(NETWORK, WEIGHTS, [0.0] * 10, backend=backend, deterministic=True)
    assert (g.deterministic, g.report.products) == (True, 0)
    assert "BLAS" not in str(g.report)


@pytest.mark.parametrize("given", [1, 0, None, "yes", np.True_])
def test_the_argument_is_true_or_false(given: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(f"deterministic must be True or False (got {given!r})")):
        compile(lambda p, x: p[0], [1.0], [0.5], deterministic=given)
