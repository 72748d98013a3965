"""What all tests share: no deadlines, no primitive outlives what declared it, and all cores work on the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograd.numbers.primitive import forgetting

pytest_plugins = ["tests.extras", "tests.processors"]

# The suite stays short and gives the same again, so that what turns it red is a change; `--hypothesis-profile=thorough` looks for more.
settings.register_profile("scalar-autograd", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("scalar-autograd")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite runs on up to four cores, if pytest-xdist is there, and chosen files in one process; -n says otherwise."""
    option, is_worker = config.option, "PYTEST_XDIST_WORKER" in os.environ
    is_whole = config.args_source is config.ArgsSource.TESTPATHS
    if is_whole and not is_worker and getattr(option, "numprocesses", 0) is None and not option.usepdb:
        option.numprocesses, option.maxprocesses, option.dist = "logical", option.maxprocesses or 4, "worksteal"


@pytest.fixture(autouse=True, scope="module")
def _primitives_of_a_module() -> Iterator[None]:
    with forgetting():
        yield


@pytest.fixture(autouse=True)
def _primitives_of_a_test() -> Iterator[None]:
    with forgetting():
        yield
