"""Another package of the same import name: say so before anything confusing happens."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn

OURS, NETWORKS = Path(autograd.__file__).parent, Path(nn.__file__).parent
FOREIGN = ("tracer.py", "wrap_util.py")
REMEDY = "pip uninstall autograd scalar-autograd && pip install scalar-autograd"


def run(code: str, *path: Path, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The code in a fresh interpreter that finds packages in these folders first."""
    setup = f"import sys; sys.path[:0] = {[str(p) for p in path]}; "
    return subprocess.run([sys.executable, *flags, "-c", setup + code], capture_output=True, text=True, timeout=60, check=False)


def copied(package: Path, folder: Path) -> Path:
    copy = Path(shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__")))
    for part in (copy, *copy.rglob("*")):
        part.chmod(0o755)  # also where the package may not be written to
    return copy


def foreign(folder: Path) -> Path:
    package = folder / "autograd"
    package.mkdir(parents=True, exist_ok=True)
    for name in (*FOREIGN, "__init__.py"):
        if not (package / name).exists():
            (package / name).write_text("")
    return package


def test_files_of_two_packages_in_one_folder(tmp_path: Path) -> None:
    package = copied(OURS, tmp_path)
    foreign(tmp_path)
    done = run("import autograd", tmp_path)
    assert done.returncode == 1
    message = done.stderr[done.stderr.index("ImportError") :]
    assert str(package) in message
    assert "scalar-autograd and HIPS's autograd" in message
    assert REMEDY in message


@pytest.mark.parametrize("ours_first", [True, False])
def test_another_package_elsewhere_on_the_path(tmp_path: Path, ours_first: bool) -> None:
    """The warning, whichever side of ours the other lies on; it comes from ours, so ours must be the one that is found."""
    copied(OURS, tmp_path / "ours")
    other = foreign(tmp_path / "theirs")
    path = (tmp_path / "ours", tmp_path / "theirs")
    if ours_first:
        done = run("import autograd; print(autograd.__distribution__)", *path)
    else:
        theirs = str(path[1])
        done = run(f"import autograd; sys.path.insert(0, {theirs!r}); autograd.support.guard.check()", path[0])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("UserWarning: HIPS's package autograd is installed too") == 1
    assert str(other) in done.stderr
    assert REMEDY in done.stderr


def test_the_warning_can_be_an_error_or_silenced(tmp_path: Path) -> None:
    copied(OURS, tmp_path / "ours")
    foreign(tmp_path / "theirs")
    path = (tmp_path / "ours", tmp_path / "theirs")
    assert run("import autograd", *path, flags=("-W", "error")).returncode == 1
    silent = run("import autograd", *path, flags=("-W", "ignore"))
    assert (silent.returncode, silent.stderr) == (0, "")


@pytest.mark.parametrize("present", [(), FOREIGN[:1], FOREIGN[1:]])
def test_silence_where_there_is_no_other(tmp_path: Path, present: tuple[str, ...]) -> None:
    package = copied(OURS, tmp_path)
    (tmp_path / "elsewhere" / "autograd").mkdir(parents=True)
    for name in present:
        (package / name).write_text("")
        (tmp_path / "elsewhere" / "autograd" / name).write_text("")
    done = run("import autograd", tmp_path, tmp_path / "elsewhere", flags=("-W", "error"))
    assert (done.returncode, done.stderr) == (0, "")


def test_odd_entries_of_the_path() -> None:
    done = run("sys.path[:0] = ['', '/nowhere', 'relative', 'archive.zip', sys.executable]; import autograd", flags=("-W", "error"))
    assert (done.returncode, done.stderr) == (0, "")


def test_nn_finds_another_autograd(tmp_path: Path) -> None:
    copied(NETWORKS, tmp_path)
    other = foreign(tmp_path)
    done = run("import nn", tmp_path)
    assert done.returncode == 1
    message = done.stderr[done.stderr.index("ImportError") :]
    assert "nn needs the package autograd of scalar-autograd" in message
    assert str(other / "__init__.py") in message
    assert REMEDY in message
