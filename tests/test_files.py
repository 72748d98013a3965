"""Every file is written whole or not at all, where and with the rights that it had."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Graph, Value, draw, steps
from autograd.support import files
from nn.demo import _saved

unix = pytest.mark.skipif(os.name != "posix", reason="links, rights and pipes are those of Unix")


def film() -> Any:
    pytest.importorskip("matplotlib")
    pytest.importorskip("PIL")
    X, y = [[0.0, 0.0], [1.0, 1.0]], [-1, 1]
    return nn.plot.TrainingGif(nn.Neuron(2, None, rng=0), X, y, resolution=3)


def figure(path: Path) -> None:
    _saved(nn.plot.activations(["relu"], ax=pytest.importorskip("matplotlib.figure").Figure().subplots()), path)


def history() -> nn.History:
    model = nn.Neuron(1, None, rng=0)
    return nn.fit(model, [[0.0], [1.0]], [-1, 1], loss="hinge", epochs=40, progress=False)


SAVERS: dict[str, Callable[[Path], Any]] = {
    "x.json": lambda path: Graph(Value(1.0, "x" * 100) * 2.0).save(path),
    "model.json": lambda path: nn.MLP(2, [3, 1], seed=0).save(path),
    "history.json": lambda path: history().save(path),
    "x.dot": lambda path: draw(Value(1.0) * 2.0).save(path),
    "film.gif": lambda path: film().save(path),
    "figure.png": figure,
    "notebook.ipynb": lambda path: files.write(path, b"{}" * 100),
}
DRAWN: dict[str, Callable[[Path], Any]] = {
    **{f"x{ending}": lambda path: draw(Value(1.0) * 2.0).save(path) for ending in (".svg", ".png", ".pdf", ".html")},
    **{f"steps{ending}": lambda path: steps(Value(1.0) * 2.0).save(path) for ending in (".html", ".gif")},
}


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def keeps_the_old_one(save: Callable[[Path], Any], path: Path) -> None:
    path.write_bytes(b"what was there")
    with room(40), pytest.raises(OSError, match=path.name):
        save(path)
    assert path.read_bytes() == b"what was there"
    assert os.listdir(path.parent) == [path.name]
    save(path)
    assert path.stat().st_size > 40
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("name", SAVERS)
def test_on_a_full_disk_the_old_file_stays(name: str, tmp_path: Path) -> None:
    keeps_the_old_one(SAVERS[name], tmp_path / name)


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize("name", DRAWN)
def test_on_a_full_disk_the_old_picture_stays(name: str, tmp_path: Path) -> None:
    if name.endswith("gif"):
        pytest.importorskip("PIL")
    keeps_the_old_one(DRAWN[name], tmp_path / name)


def test_a_disk_that_is_full_before_there_was_a_file(tmp_path: Path) -> None:
    with room(40), pytest.raises(OSError, match=r"too large.*new\.json"):
        files.write(tmp_path / "new.json", b"x" * 41)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_writer_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept"
    files.write(path, b"old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write(path, b"new")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["kept"])


@given(old=st.none() | st.binary(), new=st.binary())
def test_what_is_written_is_what_was_given(old: bytes | None, new: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("files")
    path = folder / ("n" * 255)  # the longest name there can be
    if old is not None:
        files.write(path, old)
    files.write(path, new)
    assert path.read_bytes() == new
    assert os.listdir(folder) == [path.name]


# Where, and with which rights --------------------------------------------------------------------------------------------


@unix
@pytest.mark.parametrize("exists", [True, False])
def test_links_stay_and_what_they_lead_to_is_written(exists: bool, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target, link, around = tmp_path / "far" / "target", tmp_path / "link", tmp_path / "around"
    if exists:
        target.write_bytes(b"old")
    link.symlink_to(Path("far") / "target")
    around.symlink_to(link)
    files.write(around, b"new")
    assert target.read_bytes() == b"new"
    assert link.is_symlink()
    assert around.is_symlink()
    assert os.listdir(tmp_path / "far") == ["target"]


@unix
def test_another_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    (tmp_path / "other").hardlink_to(tmp_path / "x")
    files.write(tmp_path / "x", b"new")
    assert ((tmp_path / "x").read_bytes(), (tmp_path / "other").read_bytes()) == (b"new", b"old")


@unix
def test_a_path_in_bytes(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.json"
    for x in (1.0, 2.0):
        Graph(Value(x)).save(path)  # type: ignore[arg-type]
        assert Graph.load(path).roots[0].data == x  # type: ignore[arg-type]


@unix
def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(OSError, match="link"):
        files.write(tmp_path / "link", b"new")
    assert os.listdir(tmp_path) == ["link"]


@unix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755, 0o700])
def test_the_rights_of_a_file_stay(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    path.chmod(mode)
    files.write(path, b"new")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"new")


@unix
def test_nobody_else_can_read_a_private_file_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "x", []
    path.write_bytes(b"old")
    path.chmod(0o600)
    monkeypatch.setattr(files, "_give", lambda temporary, old: seen.append(stat.S_IMODE(os.stat(temporary).st_mode)))
    files.write(path, b"new")
    assert seen == [0o600]


@unix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_a_new_file_obeys_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        files.write(tmp_path / "x", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~mask


@unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_what_may_not_be_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    for protected, mode in ((path, 0o444), (tmp_path, 0o555)):
        protected.chmod(mode)
        try:
            with pytest.raises(PermissionError):
                files.write(path, b"new")
        finally:
            protected.chmod(0o755)
        assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["x"])


@pytest.mark.parametrize("name", ["folder", "nowhere/x", "nowhere/", ""])
def test_what_is_no_file_is_an_error_that_names_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(OSError, match="irectory") as caught:
        files.write(name, b"new")
    assert caught.value.filename == name
    assert os.listdir() == ["folder"]


@unix
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    files.write(pipe, b"new" * 100_000)
    reader.join()
    assert read == [b"new" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@unix
@pytest.mark.parametrize("to_file", [True, False])
def test_standard_output_is_written_to(to_file: bool, tmp_path: Path) -> None:
    code = "from autograd.extend import files; files.write('/dev/stdout', b'new')"
    if to_file:
        with open(tmp_path / "out", "wb") as out:
            before = os.fstat(out.fileno()).st_ino
            subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
        assert ((tmp_path / "out").read_bytes(), (tmp_path / "out").stat().st_ino) == (b"new", before)
    else:
        assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout == b"new"
