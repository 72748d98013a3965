"""python -m autograd EXPRESSION name=number ...: what it prints and writes, and how it refuses."""

from __future__ import annotations

import builtins
import importlib.util
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, __version__
from autograd.__main__ import main
from autograd.languages.expression import MAX_TOKENS, read
from autograd.stepping.steps import Steps, steps

SIGMOID = ["1/(1+exp(-(w0*x0+w1*x1+w2)))", "w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(printed: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in printed.splitlines()]


# What it prints ----------------------------------------------------------------------------------------------------------


def test_the_table(capsys: Captured) -> None:
    assert main(SIGMOID) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("1/(1+exp(-(w0*x0+w1*x1+w2))) = 0.7310585786300049\n")
    table = rows(printed.out)
    assert ["w0", "2", "-0.196612"] in table
    assert ["x1", "-2", "-0.589836"] in table
    assert ["v12", "reciprocal(v11)", "0.731059", "1", "d/dv11 = -0.534447"] in table


def test_steps(capsys: Captured) -> None:
    assert main([*SIGMOID, "--steps"]) == 0
    expected = read(SIGMOID[0], {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3})
    assert capsys.readouterr().out.endswith(f"\n\n{steps(expected).table()}\n")


def test_an_expression_without_names_is_a_number(capsys: Captured) -> None:
    assert main(["2**10 + pi"]) == 0
    assert capsys.readouterr().out == f"2**10 + pi = {1024.0 + math.pi!r}\n"


VALUES = {
    "x=-1": -1.0,
    "x=+2.5": 2.5,
    "x=-1e-3": -1e-3,
    "x=1E5": 1e5,
    "x=nan": math.nan,
    "x=inf": math.inf,
    "x=-inf": -math.inf,
    "x=1_000": 1000.0,
    " x = 4 ": 4.0,
    "x=pi/4": math.pi / 4,
    "x=-1/3": -1 / 3,
}


@pytest.mark.parametrize("word", VALUES)
def test_numbers(word: str, capsys: Captured) -> None:
    assert main(["x", word]) == 0
    assert capsys.readouterr().out.startswith(f"x = {VALUES[word]!r}\n")


@pytest.mark.parametrize("words", [["x", "=", "2", "y=-3"], ["x=", "2", "y", "=-3"], ["y", "=", "-3", "x", "=2"], ["x =2", "y= ", " -3"]])
def test_spaces_around_the_equals_sign(words: list[str], capsys: Captured) -> None:
    assert main(["x*y", *words]) == 0
    assert capsys.readouterr().out.startswith("x*y = -6.0\n")


MINUS = [["-x", "x=2"], ["--", "-x", "x=2"], ["--steps", "-x", "x=2"], ["-x", "x=2", "--steps"], ["--", "---x", "x=2"], ["-1*x", "x=2"]]


@pytest.mark.parametrize("words", MINUS)
def test_an_expression_may_begin_with_a_minus(words: list[str], capsys: Captured) -> None:
    assert main(words) == 0
    assert " = -2.0\n" in capsys.readouterr().out


def test_names_of_constants_can_be_given(capsys: Captured) -> None:
    assert main(["e*2", "e=3"]) == 0
    assert capsys.readouterr().out.startswith("e*2 = 6.0\n")


def test_letters_of_several_forms(capsys: Captured) -> None:
    assert main(["ﬁ*θ", "fi=3", "θ=2"]) == main(["fi*θ", "ﬁ=3", "θ=2"]) == 0
    assert capsys.readouterr().out.count("= 6.0\n") == 2


def test_help_has_examples_that_run(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    examples = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  python -m autograd ")]
    assert len(examples) >= 4
    for example in examples:
        words = shlex.split(example)[3:]
        without_files = [w for i, w in enumerate(words) if w != "-o" and words[i - 1] != "-o"]
        assert main(without_files) == 0, example
    assert capsys.readouterr().err == ""


def test_version(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"{__version__}\n"


# What it writes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "beginning"), [("g.svg", b"<?xml"), ("g.png", b"\x89PNG"), ("g.pdf", b"%PDF"), ("g.dot", b"digraph"), ("G.SVG", b"<?xml")]
)
def test_pictures(folder: Path, name: str, beginning: bytes, capsys: Captured, request: pytest.FixtureRequest) -> None:
    if not name.endswith(".dot"):
        request.getfixturevalue("graphviz")
    assert main([*SIGMOID, "-o", name]) == 0
    assert (folder / name).read_bytes().startswith(beginning)
    assert capsys.readouterr().out.endswith(f"\nWritten: {name}\n")


def test_options_of_pictures(folder: Path) -> None:
    assert main([*SIGMOID, "-o", "plain.dot"]) == 0
    assert main([*SIGMOID, "--output=given.dot", "--partials", "--direction", "tb"]) == 0
    plain, chosen = (folder / "plain.dot").read_text("utf-8"), (folder / "given.dot").read_text("utf-8")
    assert "rankdir=LR" in plain
    assert "rankdir=TB" in chosen
    label = re.compile(r'label="?−0\.5344')
    assert not label.search(plain)
    assert label.search(chosen)


@pytest.mark.parametrize("name", ["steps.html", "steps.gif"])
def test_steps_as_a_page_or_an_animation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[tuple[Value, str]] = []
    monkeypatch.setattr(Steps, "save", lambda self, path: saved.append((self.root, path)))
    assert main(["x*x", "x=3", "-o", name]) == 0
    ((root, path),) = saved
    assert (root.data, path) == (9.0, name)


def test_several_files(folder: Path, capsys: Captured) -> None:
    assert main(["x*x", "x=3", "-o", "a.dot", "-o", "b.dot"]) == 0
    assert sorted(p.name for p in folder.iterdir()) == ["a.dot", "b.dot"]


# What it refuses ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    ([], "an expression is missing", "demo"),
    ([" "], "an expression is missing", ""),
    (["x^2", "x=1"], "write ** for powers", "     ^"),
    (["x*y + z", "y=1"], "no value for x, z", "x=1 z=1"),
    (["w1*x", "x=1", "w2=3"], "w1 (did you mean w2?)", "no w2"),
    (["x*y", "x=1", "q=3"], "no value for y", "no q"),
    (["exq(x)", "x=1"], "did you mean exp?", "    ^^^"),
    (["x", "x=1", "z=2"], "no name z", "its names are x"),
    (["speed", "speed=1", "sped=2"], "no name sped", "did you mean speed?"),
    (["1 + 1", "x=1"], "no name x", "none at all"),
    (["x", "x=1", "x=2"], "x is given twice", "as 1 and as 2"),
    (["ﬁ", "ﬁ=1", "fi=2"], "fi is given twice", ""),
    (["x", "x=abc"], "'abc' is not a number", "'x=abc'"),
    (["x", "x=1,5"], "'1,5' is not a number", ""),
    (["x", "x=x"], "'x' is not a number", ""),
    (["x", "x=__import__('os')"], "is not a number", ""),
    (["x", "x="], "a number is missing behind =", "x=1"),
    (["x*y", "x=", "y=2"], "a number is missing behind =", "'x='"),
    (["x", "=1"], "is not a name", "name=number"),
    (["x", "2=1"], "'2' is not a name", "name=number"),
    (["x", "x", "1"], "'x' is not name=number", "quotes"),
    (["x", "+", "1", "x=1"], "'+' is not name=number", "quotes"),
    (["x=1"], "the expression comes first", "'x=1'"),
    (["x", "x=1", "-o", "graph.txt"], "cannot write 'graph.txt'", ".svg"),
    (["x", "x=1", "-o", "graph"], "cannot write 'graph'", ".html"),
    (["x", "x=1", "-o"], "expected one argument", "--help"),
    (["x", "x=1", "--direction", "up"], "invalid choice", "LR"),
    (["x", "x=1", "--stepz"], "unrecognized arguments: --stepz", "--help"),
    (["--x", "x=1"], "unrecognized arguments: --x", "another --"),
    (["1 + 1", "-o", "graph.svg"], "no names", "nothing to draw"),
    (["1 + 1", "--steps"], "no names", "nothing to differentiate"),
    (["demo", "x=1"], "unrecognized arguments: x=1", "demo --help"),
    (["+".join(["x"] * MAX_TOKENS), "x=1"], "too large", "…"),
]


@pytest.mark.parametrize(("words", "problem", "way_out"), MISTAKES)
def test_mistakes(words: list[str], problem: str, way_out: str, folder: Path, capsys: Captured) -> None:
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert problem in printed.err
    assert way_out in printed.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["no/such/folder.dot", "folder.dot"])
def test_a_file_that_cannot_be_written(name: str, folder: Path, capsys: Captured) -> None:
    (folder / "folder.dot").mkdir()
    assert main(["x*x", "x=3", "-o", name]) == 1
    printed = capsys.readouterr()
    assert "x*x = 9.0" in printed.out
    assert printed.err.startswith(f"error: {name} was not written: ")
    assert "Errno" not in printed.err
    assert [p.name for p in folder.rglob("*")] == ["folder.dot"]


def test_without_graphviz(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    assert main(["x*x", "x=3", "-o", "a.svg"]) == 1
    assert main(["x*x", "x=3", "-o", "a.dot"]) == 0
    assert "apt install graphviz" in capsys.readouterr().err
    assert [p.name for p in folder.iterdir()] == ["a.dot"]


def test_a_package_that_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    imported = builtins.__import__

    def without_graphviz(name: str, *rest: Any) -> Any:
        if name == "graphviz":
            raise ModuleNotFoundError("No module named 'graphviz'")
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_graphviz)
    assert main(["x*x", "x=3", "-o", "a.dot"]) == 1
    assert "No module named 'graphviz'" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_graph_too_large_to_draw(folder: Path, capsys: Captured) -> None:
    assert main(["+".join(["exp(x)"] * 390), "x=3", "-o", "a.dot"]) == 0
    assert main(["+".join(["-x"] * 660), "x=3", "-o", "a.svg"]) == 1
    assert "a.svg was not written" in capsys.readouterr().err
    assert [p.name for p in folder.iterdir()] == ["a.dot"]


WORDS = ("x", "x=1", "y=2", "x*y", "=", "x=", "-x", "--", "--steps", "--direction", "LR", "-1", "(", "demo")


@settings(max_examples=500)
@given(st.lists(st.text(max_size=12) | st.sampled_from(WORDS), max_size=6).filter(lambda words: "-h" not in words and words != ["demo"]))
def test_any_words_are_answered_with_an_exit_code(words: list[str]) -> None:
    assert main(words) in (0, 2)


# As a program ------------------------------------------------------------------------------------------------------------


def program(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "autograd", *words], capture_output=True, encoding="utf-8", check=False, env=env)


def test_as_a_program(folder: Path) -> None:
    done = program(*SIGMOID, "-o", "g.dot")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1/(1+exp(-(w0*x0+w1*x1+w2))) = 0.7310585786300049\n")
    assert (folder / "g.dot").exists()
    wrong = program("x^2", "x=1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: ^ is not an operator here: write ** for powers\n    x^2\n     ^\n"


def test_a_terminal_without_unicode() -> None:
    done = program("θ*2", "θ=3", env={**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(r"\u03b8*2 = 6.0")


def test_a_reader_that_stops_early() -> None:
    """As `| head` does: no complaint."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        done = subprocess.run([sys.executable, "-m", "autograd", *SIGMOID], stdout=closed, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
