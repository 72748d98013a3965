"""What all tests share: no deadlines, and no primitive outlives the module that declared it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograd import operators, ops, render

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


@pytest.fixture(params=["dot", "wheel"], scope="module")
def each_graphviz(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs the tests of a module once with each Graphviz that this machine has: the system's program and the wheel."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "dot":
            if shutil.which("dot") is None:
                pytest.skip("the program dot is not installed")
        else:
            pytest.importorskip("pygraphviz")
            patch.setattr(render.shutil, "which", lambda name: None)
        yield


@pytest.fixture
def graphviz() -> None:
    """For tests that need Graphviz, whichever this machine has."""
    if shutil.which("dot") is None and importlib.util.find_spec("pygraphviz") is None:
        pytest.skip("neither the program dot nor pygraphviz is installed")
