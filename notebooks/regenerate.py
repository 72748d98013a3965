"""Run every notebook of this folder from top to bottom in a fresh kernel and store its outputs.

    python notebooks/regenerate.py            write the notebooks
    python notebooks/regenerate.py --check    write nothing; fail if a stored notebook is not what running it gives

The same code gives the same file: no times, no counters but those of the cells, cells numbered in order. `--check` compares
pictures and pages only by their kind, since their layout depends on the versions of Graphviz, Matplotlib and the fonts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
KERNEL = "isolated"
TIME_LIMIT = 120  # seconds for a cell
PICTURES = ("image/png", "image/svg+xml", "text/html")


def run(notebook: Any, folder: str | Path) -> Any:
    """The notebook with the outputs of running it in a fresh kernel whose working directory is `folder`.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails; it shows the cell and its traceback.
    """
    with _kernel_environment() as private:
        from nbclient import NotebookClient
        from traitlets.config import Config

        sockets = {"transport": "ipc", "ip": f"{private}/socket"} if os.name == "posix" else {}  # over TCP, ipykernel warns
        return NotebookClient(
            notebook,
            config=Config(KernelManager=sockets),
            kernel_name=KERNEL,
            timeout=TIME_LIMIT,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
        ).execute()


def read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)


def regenerated(path: Path) -> Any:
    """The notebook as it should be stored."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = run(read(path), folder)
    notebook.metadata.clear()
    notebook.metadata.update(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"
        cell.metadata.clear()
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise SystemExit(f"{path.name}, cell {i} wrote to stderr:\n{output.text}")
    return notebook


def comparable(notebook: Any) -> Any:
    """What `--check` compares: everything, but pictures and pages only by their kind."""
    cells = [dict(cell) for cell in notebook.cells]
    for cell in cells:
        cell["outputs"] = [_comparable_output(output) for output in cell.get("outputs", ())]
    return notebook.metadata, cells


def _comparable_output(output: Any) -> Any:
    data = output.get("data", {})
    return {**output, "data": {kind: kind if kind in PICTURES else content for kind, content in data.items()}}


@contextmanager
def _kernel_environment() -> Iterator[str]:
    """Run a kernel of this interpreter in isolated mode, whatever kernels, settings and plotting backends the user has installed,
    and whatever lies in the current folder.

    Yields a folder that lasts as long.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ.update(dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), folder))
        os.environ.pop("PYTHONSTARTUP", None)  # IPython obeys it in isolated mode, too
        os.environ["JUPYTER_PLATFORM_DIRS"] = "1"  # else some versions of jupyter_core warn that it will be the default
        os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
        kernel = Path(folder, "kernels", KERNEL, "kernel.json")
        kernel.parent.mkdir(parents=True)
        command = [sys.executable, "-I", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        kernel.write_text(json.dumps({"argv": command, "display_name": KERNEL, "language": "python"}), encoding="utf-8")
        try:
            yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the notebooks and store their outputs.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a stored notebook is not what running it gives")
    check = parser.parse_args(arguments).check
    stale = 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = regenerated(path)
        changed = comparable(notebook) != comparable(read(path))
        stale += changed
        print(f"{path.name}: {'changed' if changed else 'up to date'}")
        if not check:
            write(notebook, path)
    return 1 if check and stale else 0


def write(notebook: Any, path: Path) -> None:
    import nbformat

    from autograd import files

    files.write(path, f"{nbformat.writes(notebook)}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
