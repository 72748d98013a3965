"""What all tests share: no deadlines, no primitive outlives what declared it, and the whole suite uses all cores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograd.primitive import forgetting

pytest_plugins = ["tests.extras"]

settings.register_profile("scalar-autograd", deadline=None)
settings.load_profile("scalar-autograd")


@pytest.fixture(autouse=True, scope="module")
def _primitives_of_a_module() -> Iterator[None]:
    with forgetting():
        yield


@pytest.fixture(autouse=True)
def _primitives_of_a_test() -> Iterator[None]:
    with forgetting():
        yield
