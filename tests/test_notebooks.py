"""The lessons: every notebook runs from top to bottom, and is stored with what it shows."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import nbclient  # noqa: F401  (what runs them)
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SCRIPT = runpy.run_path(str(FOLDER / "regenerate.py"))
ABSOLUTE_PATH = re.compile(r"/(?:home|Users|root|tmp|work|usr|opt|var|private)/|\b[A-Z]:\\\\?\w|file://")
LARGEST = 600_000  # bytes

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 3


@each_notebook
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    notebook = SCRIPT["run"](SCRIPT["read"](path), tmp_path)
    assert _stderr(notebook) == []


@each_notebook
def test_is_stored_with_its_outputs(path: Path) -> None:
    notebook = SCRIPT["read"](path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for output in _outputs(notebook) if output.output_type == "error"]
    assert _stderr(notebook) == []
    assert any(kind.startswith("image/") for output in _outputs(notebook) for kind in output.get("data", {}))
    assert notebook.metadata == SCRIPT["METADATA"]
    assert ABSOLUTE_PATH.findall(path.read_text(encoding="utf-8")) == []
    assert path.stat().st_size < LARGEST


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def _stderr(notebook: Any) -> list[str]:
    texts = [output.text for output in _outputs(notebook) if output.get("name") == "stderr"]
    return [text for text in texts if not text.startswith("Matplotlib is building the font cache")]  # once, where there are many fonts
