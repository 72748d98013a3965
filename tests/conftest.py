"""What tests of pictures share."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator

import pytest

from autograd.pictures import render


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
