"""Compiled functions are freed at once: nothing of them is left for the garbage collector."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from autograd import RecordingError, compile, dot, tanh

from .checks import BACKENDS
from .programs import random_program

every_backend = pytest.mark.parametrize("backend", BACKENDS)


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def model(p: Any, x: Any) -> Any:
    return tanh(dot(p, x)) * p[0] + tanh(x[1])


def garbage(work: Callable[[], Any]) -> int:
    """How many objects it leaves in cycles, the second time."""
    work()
    gc.collect()
    work()
    return gc.collect()


@every_backend
@pytest.mark.usefixtures("without_collector")
def test_of_compiling_calling_and_showing(backend: str) -> None:
    def work() -> None:
        f = compile(model, [0.5, -1.5], [0.0, 0.0], backend=backend)
        for count in range(12):
            rows = np.ones((count, 2))
            f([1.0, 2.0], rows), f.value_and_grad([1.0, 2.0], rows, "sum"), f.input_grads([1.0, 2.0], rows)
        repr(f), str(f.program), str(f.report), f.source(), f.trace([1.0, 2.0], [0.1, 0.2]), f.unchanged()

    assert garbage(work) == 0


@every_backend
@pytest.mark.usefixtures("without_collector")
def test_of_programs_of_every_kind(backend: str) -> None:
    def work() -> None:
        for seed in range(24):
            program = random_program(seed)
            f = compile(program.fn, program.params, program.rows[0], backend=backend)
            f(program.params, program.rows), f.value_and_grad(program.params, program.rows), f.input_grads(program.params, program.rows)
            del f, program

    assert garbage(work) == 0


@every_backend
@pytest.mark.usefixtures("without_collector")
def test_of_errors(backend: str) -> None:
    def work() -> None:
        with suppress(RecordingError):
            compile(lambda p, x: p[0] if x[0] > 0 else p[1], [1.0, 2.0], [0.5], backend=backend)
        f = compile(model, [0.5, -1.5], [0.0, 0.0], backend=backend)
        for params, rows in (([1.0], [[1.0, 2.0]]), ([1.0, 2.0], [[1.0]]), ([1.0, 2.0], 5.0), ([1.0, 2.0], [["a", 1.0]])):
            with suppress(ValueError, TypeError):
                f.value_and_grad(params, rows)

    assert garbage(work) == 0


@pytest.mark.usefixtures("without_collector")
def test_of_what_many_numbers_of_rows_need() -> None:
    f = compile(model, [0.5, -1.5], [0.0, 0.0])
    made: list[weakref.ref[Any]] = []
    for count in range(1, 60):
        f.value_and_grad([1.0, 2.0], np.ones((count, 2)))
        (work,) = f._machine._pass("grads")._idle
        made.append(weakref.ref(work._bound[count].rows))
    assert sum(rows() is not None for rows in made) == 8
    assert made[-1]() is not None
