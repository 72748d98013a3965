"""From Graphviz's language to an image: by the system's `dot`, else by the copy in the pygraphviz wheel, in a process of its own.

What lies in the current folder is never run: programs are looked for in the absolute folders of PATH only, Python is started in its
isolated mode. Every rendering has a time limit, and what comes out is looked at before it is called an image.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple
from xml.etree import ElementTree

from ..support.tables import printable

TIME_LIMIT = 30.0  # seconds
_WHEEL = "import sys, pygraphviz; sys.stdout.buffer.write(pygraphviz.AGraph(string=sys.stdin.read()).draw(format=sys.argv[1], prog='dot'))"
_PROGRAMS = ("dot.exe", "dot.bat") if os.name == "nt" else ("dot",)
_ENDS = {"png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"), "pdf": (b"%PDF-", b"%%EOF")}
_SVG = "{http://www.w3.org/2000/svg}svg"


class RenderError(RuntimeError):
    """A picture could not be made: Graphviz is missing, failed, or took too long."""


class _Renderer(NamedTuple):
    name: str
    command: list[str]


def render(source: str, format: str) -> bytes:
    """The image of a graph in Graphviz's language, as "svg", "png" or "pdf"."""
    failures = []
    for renderer in _renderers(format):
        try:
            return _rendered(renderer.command, source, format)
        except ValueError as failure:
            failures.append(f"{renderer.name}: {failure}")
    if failures:
        raise RenderError(f"Graphviz failed: {'; '.join(failures)}")
    raise RenderError(
        "drawing needs Graphviz, and neither the program `dot` nor the package pygraphviz was found: install one, by\n"
        "    apt install graphviz    (or brew install graphviz)\n"
        "    pip install 'pygraphviz>=2'"
    )


def _renderers(format: str) -> Iterator[_Renderer]:
    """What there is to render with, the best first."""
    if program := _program():
        yield _Renderer(program, [program, f"-T{format}"])
    if sys.executable and importlib.util.find_spec("pygraphviz"):
        yield _Renderer("pygraphviz", [sys.executable, "-I", "-X", "utf8", "-c", _WHEEL, format])


def _program() -> str | None:
    """The program `dot` in a folder that PATH names in full. A name alone would be looked up in the current folder, too."""
    places = (os.path.join(folder, name) for folder in os.get_exec_path() if os.path.isabs(folder) for name in _PROGRAMS)
    return next(filter(None, map(shutil.which, places)), None)


def _rendered(command: list[str], source: str, format: str) -> bytes:
    """What a command makes of the graph; a ValueError says what is wrong with it."""
    try:
        done = _run(command, source.encode())
    except subprocess.TimeoutExpired:
        raise RenderError(f"Graphviz did not finish within {TIME_LIMIT:.0f} s: draw a smaller graph") from None
    except OSError as error:
        raise ValueError(f"it could not be started ({error.strerror})") from None
    if done.returncode != 0:
        raise ValueError(_complaint(done))
    if not _is_image(done.stdout, format):
        raise ValueError(f"it reported success, but what it gave is no {format.upper()}: {done.stdout[:20]!r}")
    return done.stdout


def _run(command: list[str], source: bytes) -> subprocess.CompletedProcess[bytes]:
    """`subprocess.run` in a session of its own: whatever the program starts ends with it where it takes too long, or is interrupted."""
    pipe, home = subprocess.PIPE, os.path.dirname(command[0])
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=home, start_new_session=True) as process:
        try:
            out, err = process.communicate(source, TIME_LIMIT)
        except BaseException:
            if hasattr(os, "killpg"):
                with suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
    if "No module named 'pygraphviz'" in lines[-1]:
        return f"{sys.executable} itself does not have it (--user, PYTHONPATH and the current folder do not count): install it there"
    return printable(lines[-1][:500])


def _is_image(image: bytes, format: str) -> bool:
    """Whether it is an image from beginning to end."""
    if format in _ENDS:
        head, tail = _ENDS[format]
        return image.startswith(head) and image.rstrip().endswith(tail)
    try:
        svg = ElementTree.fromstring(image)
        text = image.decode()
    except (ElementTree.ParseError, ValueError, LookupError):  # the last are of encodings
        return False
    return svg.tag == _SVG and "<svg " in text and "viewBox" in svg.attrib and len(svg) > 0
