"""From Graphviz's language to an image: by the system's `dot`, else by the copy in the pygraphviz wheel, in a process of its own.

Every rendering has a time limit.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys

TIME_LIMIT = 30.0  # seconds
_WHEEL = "import sys, pygraphviz; sys.stdout.buffer.write(pygraphviz.AGraph(string=sys.stdin.read()).draw(format=sys.argv[1], prog='dot'))"


class RenderError(RuntimeError):
    """A picture could not be made: Graphviz is missing, failed, or took too long."""


def render(source: str, format: str) -> bytes:
    """The image of a graph in Graphviz's language, as "svg", "png" or "pdf"."""
    command = _command(format)
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(f"Graphviz did not finish within {TIME_LIMIT:.0f} s: draw a smaller graph") from None
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise RenderError(f"Graphviz failed: {complaint[-1][:500]}")
    return done.stdout


def _command(format: str) -> list[str]:
    if shutil.which("dot"):
        return ["dot", f"-T{format}"]
    if importlib.util.find_spec("pygraphviz"):
        return [sys.executable, "-c", _WHEEL, format]
    raise RenderError(
        "drawing needs Graphviz, and neither the program `dot` nor the package pygraphviz was found: install one, by\n"
        "    apt install graphviz    (or brew install graphviz)\n"
        "    pip install 'pygraphviz>=2'"
    )
