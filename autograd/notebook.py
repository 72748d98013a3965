"""The page inside a notebook, and in a browser where there is no notebook.

A notebook that is not trusted strips styles and frames from its outputs. There the static picture remains; elsewhere the style
hides the picture, and the frame holds the page.
"""

from __future__ import annotations

import base64
import hashlib
import html
import sys
import tempfile
import webbrowser
from pathlib import Path

from .draw import draw
from .page import Show, page
from .render import RenderError
from .stepping import Steps

_HEIGHT = 560  # pixels


def embedded(steps: Steps) -> str:
    """The page for a notebook's output; the steps as a table, with the reason, where it cannot be made."""
    try:
        content = page(steps)
        picture = draw(Show(steps).root, max_nodes=300).svg()
    except (RenderError, ValueError) as error:
        return f"<p>{html.escape(str(error))}</p><pre>{html.escape(str(steps))}</pre>"
    name = f"fallback-{hashlib.sha256(content.encode()).hexdigest()[:12]}"  # other outputs of the notebook have theirs
    image = base64.b64encode(picture.encode()).decode()
    return (
        f"<style>.{name}{{display:none!important}}</style>"
        f'<img class="{name}" alt="The computational graph with values and gradients" src="data:image/svg+xml;base64,{image}"/>'
        f'<iframe title="Steps through the computational graph" sandbox="allow-scripts" width="100%" height="{_HEIGHT}" '
        f'style="display:block;border:0;border-radius:10px" srcdoc="{html.escape(content)}"></iframe>'
    )


def show(steps: Steps) -> None:
    """Show the page in the notebook that runs this code, else in the browser, from a temporary file."""
    if _in_notebook():
        from IPython.display import HTML, display

        display(HTML(embedded(steps)))  # type: ignore[no-untyped-call]
        return
    content = page(steps)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".html", prefix="steps-", delete=False) as file:
        file.write(content)
    webbrowser.open(Path(file.name).as_uri())


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")
