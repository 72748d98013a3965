"""The command line, and that the README's examples are true."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.__main__ import main

ROOT = Path(__file__).parents[1]


@pytest.mark.usefixtures("graphviz")
def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "a" / "b")]) == 0
    printed = capsys.readouterr().out
    lines = [re.split(r" {2,}", line.strip()) for line in printed.splitlines()]
    assert ["w0", "2", "-0.196612"] in lines
    assert ["v12", "reciprocal(v11)", "0.731059", "1", "d/dv11 = -0.534447"] in lines
    picture = (tmp_path / "a" / "b" / "sigmoid.svg").read_text("utf-8")
    assert picture.count('class="node"') == 13
    assert "-0.5344" in html.unescape(picture)


@pytest.mark.usefixtures("graphviz")
def test_demo_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "autograd", "demo", "--out", str(tmp_path)], capture_output=True, text=True, check=True)
    assert "sigmoid.svg" in done.stdout
    assert done.stderr == ""


def test_demo_says_when_the_picture_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["demo", "--out", str(tmp_path / "file")]) == 1
    captured = capsys.readouterr()
    assert "0.731059" in captured.out
    assert "no picture" in captured.err


def test_usage_without_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "demo" in capsys.readouterr().err


@pytest.mark.usefixtures("graphviz")
def test_examples_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each block of Python runs, in order, and results written behind # are those that come out."""
    pytest.importorskip("numpy")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
        for expression, result in re.findall(r"^(\w[^=\n]*?\)|\w+\.grad) +# ([-\[({]*\d[^a-z\n]*?)(?:, [a-z].*)?$", block, re.MULTILINE):
            assert repr(eval(expression, namespace)) == result
    printed = capsys.readouterr().out
    assert "at a kink" in printed
    program = re.search(r"print\(f.program\)\n((?:# .*\n)+)", "".join(blocks))
    assert program is not None
    assert re.sub("^# ", "", program[1], flags=re.MULTILINE) in printed
