"""The pytest plugin: the fixture `gradcheck`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(name="gradcheck", scope="session")
def gradcheck_fixture() -> Callable[..., Any]:
    """`gradcheck(f, *args)`: fail with a table unless the derivatives of f agree with numerical differentiation."""
    from autograd.testing import assert_gradients

    return assert_gradients
