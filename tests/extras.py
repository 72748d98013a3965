"""What is not installed is skipped by its name.

A test module that needs an extra imports it as usual, at the top. One that needs it in a few places only says `np = extra("numpy")`:
then the tests that touch it are skipped, and `if np` leaves out the odd parameter.
"""

from __future__ import annotations

import doctest
from collections.abc import Generator
from importlib import import_module
from typing import Any, NoReturn

import pytest

EXTRAS = "IPython", "PIL", "ipykernel", "matplotlib", "mpmath", "nbclient", "nbformat", "numpy", "playwright", "sklearn", "sympy", "tqdm"


class Absent:
    """Stands in for a module."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, attribute: str) -> NoReturn:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        pytest.skip(f"needs {self.name}", allow_module_level=True)


def extra(name: str) -> Any:
    """The module of that name, or something that skips the test that touches it."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return Absent(name)


def wanted(error: BaseException | None) -> str | None:
    """The extra for want of which an import failed."""
    while error is not None:
        name = (getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, ImportError) and name in EXTRAS:
            return name
        error = error.__cause__ or error.__context__
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module, of tests or of the package, that cannot be imported for want of an extra is skipped."""
    report = yield
    if report.failed and (name := wanted(report.call.excinfo.value)):  # type: ignore[attr-defined]
        report.outcome, report.longrepr = "skipped", (str(collector.path), 0, f"Skipped: needs {name}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """So is an example in a docstring. A test is not: what it calls must do without, or say what it needs."""
    try:
        return (yield)
    except doctest.UnexpectedException as failure:
        if name := wanted(failure.exc_info[1]):
            pytest.skip(f"needs {name}")
        raise
