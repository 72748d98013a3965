"""Nothing that lies in the current folder is executed: no module, no program."""

from __future__ import annotations

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from autograd import Value, draw, steps
from autograd.pictures import render

ROOT = Path(__file__).parents[1]
PACKAGES = {"pygraphviz", "graphviz", "PIL", "numpy", "IPython", "ipykernel", "ipykernel_launcher", "zmq", "matplotlib", "sitecustomize"}


@cache
def left_to_import() -> set[str]:
    """The modules that are not there yet once Python is, which is not ours to keep from the current folder."""
    loaded = subprocess.run([sys.executable, "-c", "import sys, runpy; print(*sys.modules)"], capture_output=True, text=True, check=True)
    return {*sys.stdlib_module_names, *PACKAGES} - {name.partition(".")[0] for name in loaded.stdout.split()}


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder full of modules and programs that leave a trace when they run, and all hints to look there."""
    trace = tmp_path / "executed"
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in left_to_import():
        (folder / f"{name}.py").write_text(f"open({str(trace)!r}, 'a').write('{name}\\n')\nraise ImportError('hostile')\n")
    for name in ("dot", "dot.bat", "dot.exe"):
        (folder / name).write_text(f"#!/bin/sh\necho program >> '{trace}'\n")
        (folder / name).chmod(0o755)
    (folder / "bin").mkdir()
    shutil.copy(folder / "dot", folder / "bin" / "dot")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PYTHONSTARTUP", str(folder / "random.py"))
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "bin", f".{os.sep}bin", os.environ["PATH"], "."]))
    yield folder
    assert not trace.exists(), trace.read_text()


def without_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the copy of Graphviz in the wheel."""
    pytest.importorskip("pygraphviz")
    monkeypatch.setattr(render, "_program", lambda: None)


def test_there_is_something_to_hijack() -> None:
    assert {"random", "tempfile", "subprocess", "pygraphviz", "argparse", "typing", "json"} <= left_to_import()


@pytest.mark.parametrize("wheel", [False, True])
@pytest.mark.usefixtures("graphviz")
def test_pictures(wheel: bool, hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if wheel:
        without_programs(monkeypatch)
    v = Value(1.0, "x") * 2.0
    assert draw(v).svg().count('class="node"') == 2
    assert "image/svg+xml" in v._repr_mimebundle_()
    assert "<iframe" in steps(v)._repr_html_()


def test_a_program_in_the_current_folder_is_not_seen(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "bin"]))
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(render.RenderError, match="apt install graphviz"):
        draw(Value(1.0)).svg()


def test_a_package_that_the_interpreter_itself_does_not_have(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found, as modules of the current folder are, and not imported; the error says where it has to be."""
    bare = getattr(sys, "_base_executable", sys.executable)
    if not subprocess.run([bare, "-I", "-c", "import pygraphviz"], capture_output=True, check=False).returncode:
        pytest.skip("every interpreter here has pygraphviz")
    monkeypatch.setattr(render, "_program", lambda: None)
    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(render.sys, "executable", bare)
    with pytest.raises(render.RenderError, match=r"pygraphviz: .* itself does not have it .*: install it there"):
        draw(Value(1.0)).svg()


@pytest.mark.usefixtures("graphviz")
def test_the_command_line(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python puts the current folder first for `python -m`: the package takes it away before it imports anything."""
    monkeypatch.delenv("PYTHONPATH")
    if importlib.util.find_spec("pygraphviz"):
        monkeypatch.setenv("PATH", str(hostile / "nothing"))
    words = ["x * y", "x=1", "y=2", "--steps", "-o", "a.svg", "-o", "b.html"]
    if importlib.util.find_spec("PIL"):
        words += ["-o", "c.gif"]
    done = subprocess.run([sys.executable, "-m", "autograd", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("a.svg").read_text().count('class="node"') == 3


@pytest.mark.slow
def test_kernels_of_notebooks(hostile: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    script = runpy.run_path(str(ROOT / "notebooks" / "regenerate.py"))
    cell = nbformat.v4.new_code_cell("import sys, random, tempfile, autograd; print(sys.flags.isolated)")
    notebook = script["run"](nbformat.v4.new_notebook(cells=[cell]), hostile)
    assert notebook.cells[0].outputs[0].text == "1\n"
