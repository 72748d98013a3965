"""The page inside a notebook, and in a browser where there is no notebook.

The page is in a frame; a notebook that is not trusted shows a static picture in its place.
"""

from __future__ import annotations

import html
import os
import sys
import tempfile
import time
import webbrowser
from contextlib import suppress
from pathlib import Path

from ..pictures.draw import draw
from ..pictures.fallback import complaint, with_fallback
from ..support import files
from .page import Show, page
from .trace import Trace

_HEIGHT = 560  # pixels
_PREFIX = "scalar-autograd-steps-"
_KEPT = 24 * 60 * 60  # seconds that a page is kept for browsers


def embedded(steps: Trace) -> str:
    """The page for a notebook's output; the reason, and the steps as a table, where it cannot be made. Whatever is wrong, this is shown."""
    try:
        content = page(steps)
        picture = draw(Show(steps).root, max_nodes=300).svg()
    except Exception as error:
        return f"{complaint(error)}<pre>{html.escape(_table(steps))}</pre>"
    frame = (
        f'<iframe title="Steps through the computational graph" sandbox="allow-scripts" width="100%" height="{_HEIGHT}" '
        f'style="display:block;border:0;border-radius:10px" srcdoc="{html.escape(content)}"></iframe>'
    )
    return with_fallback(frame, picture)


def _table(steps: Trace) -> str:
    with suppress(Exception):  # a rule of the user's failed
        return str(steps)
    return repr(steps)


def show(steps: Trace) -> None:
    """Show the page in the notebook that runs this code, else in the browser, from a temporary file.

    The browser may come to it long after this program has ended, so the file stays for a day: the first page shown after that removes it.
    """
    if _in_notebook():
        from IPython.display import HTML, display

        display(HTML(embedded(steps)))  # type: ignore[no-untyped-call]
        return
    content = page(steps)
    _remove_old_pages()
    descriptor, name = tempfile.mkstemp(".html", _PREFIX)
    os.close(descriptor)
    try:
        files.write(name, content.encode())
        if not webbrowser.open(Path(name).as_uri()):
            raise RuntimeError("no browser could be started: write the page with .save('steps.html'), and open it where there is one")
    except BaseException:
        os.remove(name)
        raise


def _remove_old_pages() -> None:
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.html"):
        with suppress(OSError):  # somebody else's, or gone already
            if time.time() - old.lstat().st_mtime > _KEPT:
                old.unlink()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")
