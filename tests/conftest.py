"""What all tests share: no deadlines, and no primitive outlives the module that declared it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograd import operators, ops

settings.register_profile("scalar-autograd", deadline=None)
settings.load_profile("scalar-autograd")


@pytest.fixture(autouse=True, scope="module")
def _forget_primitives() -> Iterator[None]:
    yield
    for name in set(ops.table) - ops.builtin:
        del ops.table[name]
        operators._adopted.discard(name)
        for kind in operators._kinds:
            if name in vars(kind):
                delattr(kind, name)
