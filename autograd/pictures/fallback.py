"""What a notebook shows of rich output when it is not trusted: a static picture.

Such a notebook strips styles, frames and inline drawings from its outputs, and keeps images. Elsewhere the style hides the image.
"""

from __future__ import annotations

import base64
import hashlib
import html


def with_fallback(content: str, svg: str) -> str:
    """HTML that shows `content`, or the picture alone where `content` and styles are stripped."""
    name = f"fallback-{hashlib.sha256(content.encode()).hexdigest()[:12]}"  # other outputs of the notebook have theirs
    image = base64.b64encode(svg.encode()).decode()
    return (
        f"<style>.{name}{{display:none!important}}</style>"
        f'<img class="{name}" alt="The computational graph with values and gradients" src="data:image/svg+xml;base64,{image}"/>'
        f"{content}"
    )


def complaint(error: Exception) -> str:
    """HTML that says why there is no picture."""
    return f"<p>No picture: {html.escape(str(error))}</p>"


def inline(svg: str) -> str:
    """A picture for HTML, no wider than its place; hovering shows what it has to say. Its image where that is stripped."""
    drawing = svg[svg.index("<svg") :].replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)
    return with_fallback(drawing, svg)
