"""Programs that are broken: an error that says so, the other Graphviz in their place, and displays that stay."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Graph, Op, Value, draw, group, ops, steps
from autograd.pictures import render
from autograd.pictures.render import RenderError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs are scripts of the shell")

WHOLE = {
    "svg": b'<svg viewBox="0 0 1 1" xmlns="http://www.w3.org/2000/svg"><g/></svg>',
    "png": b"\x89PNG\r\n\x1a\n...IEND\xaeB`\x82",
    "pdf": b"%PDF-1.7 ... %%EOF\n",
}
GARBAGE = {
    "nothing": "exit 0",
    "words": "echo hello",
    "an empty picture": "echo '<svg xmlns=\"http://www.w3.org/2000/svg\"/>'",
    "half a picture": "echo '<svg viewBox=\"0 0 1 1\" xmlns=\"http://www.w3.org/2000/svg\"><g>'",
    "half a PNG": "printf '\\211PNG\\r\\n\\032\\n'",
    "half a PDF": "echo '%PDF-1.7'",
    "another language": "echo '<html><body/></html>'",
    "a picture by another name": "echo '<s:svg viewBox=\"0 0 1 1\" xmlns:s=\"http://www.w3.org/2000/svg\"><s:g/></s:svg>'",
    "an unknown encoding": f"echo '<?xml version=\"1.0\" encoding=\"unknown\"?>{WHOLE['svg'].decode()}'",
    "another encoding": f"echo '<?xml version=\"1.0\" encoding=\"utf-16\"?>{WHOLE['svg'].decode()}'",
    "no text": "printf '\\377\\376\\000'",
}
BROKEN = {
    "fails": ("#!/bin/sh\necho 'no such font' >&2; exit 3", "no such font"),
    "fails without a word": ("#!/bin/sh\nexit 3", "exit code 3"),
    "sends to the terminal": ("#!/bin/sh\nprintf '\\033[2J\\007' >&2; exit 1", r"\\x1b\[2J\\x07$"),
    "is killed": ("#!/bin/sh\nkill -9 $$", "exit code -9"),
    "is of another machine": ("\x7fELF nothing", "could not be started"),
    "needs what is missing": ("#!/no/such/interpreter\n", "could not be started"),
}
FORMATS = pytest.mark.parametrize("format", ["svg", "png", "pdf"])


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a script the only `dot`, and hides the wheel."""

    def made(script: str) -> Path:
        path = tmp_path / "dot"
        path.write_text(script)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return path

    monkeypatch.setattr(render.importlib.util, "find_spec", lambda name: None)
    return made


@FORMATS
@pytest.mark.parametrize("name", GARBAGE)
def test_success_with_garbage_is_a_failure(name: str, format: str, program: Callable[[str], Path], tmp_path: Path) -> None:
    program(f"#!/bin/sh\n{GARBAGE[name]}")
    with pytest.raises(RenderError, match=rf"^Graphviz failed: .*dot: it reported success, but what it gave is no {format.upper()}: b"):
        draw(Value(1.0)).save(tmp_path / f"x.{format}")
    assert os.listdir(tmp_path) == ["dot"]


@FORMATS
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said(name: str, format: str, program: Callable[[str], Path]) -> None:
    script, complaint = BROKEN[name]
    program(script)
    with pytest.raises(RenderError, match=f"^Graphviz failed: .*dot: .*{complaint}"):
        render.render(draw(Value(1.0)).source, format)


def test_a_program_that_vanishes(program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = program("#!/bin/sh\n")
    monkeypatch.setattr(render, "_program", lambda: str(path.with_name("gone")))
    with pytest.raises(RenderError, match=r"gone: it could not be started \(No such file"):
        draw(Value(1.0)).svg()


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("dot", 1.0), KeyboardInterrupt()], ids=["late", "interrupted"])
def test_what_the_program_started_ends_with_it(
    error: BaseException, program: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    program(f"#!/bin/sh\n(echo started; /bin/sleep 20; echo ended) > '{tmp_path}/pipe' &\nwait")
    pipes: list[BinaryIO] = []

    def communicate(*_: Any) -> None:
        pipes.append(os.fdopen(os.open(tmp_path / "pipe", os.O_RDONLY), "rb"))
        assert pipes[0].readline() == b"started\n"
        raise error

    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    with pytest.raises((RenderError, KeyboardInterrupt)):
        draw(Value(1.0)).svg()
    with pipes[0] as pipe:
        assert pipe.read() == b""


@FORMATS
@given(st.data())
def test_an_image_that_is_cut_is_none(format: str, data: st.DataObject) -> None:
    whole = WHOLE[format]
    assert render._is_image(whole, format)
    assert not render._is_image(whole[: data.draw(st.integers(0, len(whole.rstrip()) - 1))], format)
    assert not render._is_image(data.draw(st.binary(max_size=50)), format)


@pytest.mark.parametrize("script", ["exit 0", "exit 1"])
def test_the_wheel_steps_in(script: str, program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygraphviz")
    path = program(f"#!/bin/sh\n{script}")
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(path.parent))
    assert draw(Value(1.0) * 2.0).svg().count('class="node"') == 2
    with pytest.raises(RenderError, match=r"dot: .*; pygraphviz: "):
        render.render("digraph {", "svg")


# Displays ----------------------------------------------------------------------------------------------------------------


def refusing() -> Value:
    """A Value that cannot be drawn: its rule fails."""

    def partials(y: Any, x: Any) -> Any:
        raise RuntimeError("no derivative")

    v: Value = Op("refusing", lambda x: x, partials)(Value(1.0))
    return v


def crowded() -> Value:
    """Few nodes, too many edges."""
    x = [Value(1.0) for _ in range(40)]
    v: Value = ops.sum([ops.dot(x, x) for _ in range(40)])
    return v


def deep() -> Value:
    blocks = [group(f"level {i}") for i in range(3000)]
    for block in blocks:
        block.__enter__()
    v = Value(1.0) * 2.0
    for block in reversed(blocks):
        block.__exit__()
    return v


def plain() -> Value:
    return Value(1.0, "x") * 2.0


VALUES = pytest.mark.parametrize("make", [plain, refusing, crowded, deep])
OTHER = "echo '<svg viewBox=\"\" xmlns=\"http://www.w3.org/2000/svg\"><g/></svg>'"
SCRIPTS = pytest.mark.parametrize("script", ["exit 0", "echo hello", "exit 1", OTHER])


@VALUES
@SCRIPTS
def test_a_value_always_shows_itself(make: Callable[[], Value], script: str, program: Callable[[str], Path]) -> None:
    program(f"#!/bin/sh\n{script}")
    v = make()
    assert v._repr_mimebundle_()["text/plain"].startswith(repr(v))


@SCRIPTS
def test_a_drawing_says_why_there_is_no_picture(script: str, program: Callable[[str], Path]) -> None:
    path = program(f"#!/bin/sh\n{script}")
    drawing = draw(Value(1.0) * 2.0)
    if drawing._repr_svg_() is None:
        assert drawing._repr_html_().startswith(f"<p>No picture: Graphviz failed: {path}: ")
    path.unlink()
    assert drawing._repr_svg_() is None
    assert drawing._repr_html_().startswith("<p>No picture: drawing needs Graphviz")


@SCRIPTS
@VALUES
def test_steps_always_show_their_table(make: Callable[[], Value], script: str, program: Callable[[str], Path]) -> None:
    v = make()
    path = program(f"#!/bin/sh\n{script}")
    recorded = steps(v)
    recorded._repr_html_()
    path.unlink()
    shown = recorded._repr_html_()
    assert "<p>No picture: " in shown
    assert "<pre>&lt;Steps of" in shown if make is refusing else "<pre>forward: every node" in shown


@VALUES
@SCRIPTS
def test_ipython_has_nothing_to_complain_of(
    make: Callable[[], Value], script: str, program: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    program(f"#!/bin/sh\n{script}")
    v = make()
    for shown in (v, steps(v), Graph(v), draw(Value(1.0) * 2.0)):
        content, _ = formatters.DisplayFormatter().format(shown)
        assert content["text/plain"]
    assert capfd.readouterr() == ("", "")


def test_an_animation_of_something_else_is_an_error(program: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    for inside in ("", '<g class="graph" transform="translate(4 4)"/>', "<a/>"):
        program(f"#!/bin/sh\necho '<svg viewBox=\"0 0 9 9\" xmlns=\"http://www.w3.org/2000/svg\"><g/>{inside}</svg>'")
        with pytest.raises(RenderError, match="an SVG, but of something else"):
            steps(Value(1.0) * 2.0).save(tmp_path / "x.gif")
    assert os.listdir(tmp_path) == ["dot"]


def test_an_animation_of_a_damaged_image_is_an_error(program: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    real = render._program()
    if real is None:
        pytest.skip("the program dot is not installed")
    png = "printf '\\211PNG\\r\\n\\032\\nIEND\\256B`\\202'"
    program(f'#!/bin/sh\nif [ "$1" = -Tpng ]; then {png}; else exec {real} "$1"; fi')
    with pytest.raises(RenderError, match="no whole PNG"):
        steps(Value(1.0) * 2.0).save(tmp_path / "x.gif")
    assert os.listdir(tmp_path) == ["dot"]
