"""steps: the forward and the backward pass, in a table, a notebook, a page or an animation."""

from __future__ import annotations

import os
from os import PathLike

from ..numbers.value import Value
from ..support import files
from ..support.plain import shown
from .gif import gif
from .notebook import embedded, show
from .page import page
from .trace import Trace

_ENDINGS = (".html", ".gif")


def steps(v: Value) -> Steps:
    """Every step of the forward and the backward pass of `v`, as a sequence. No node's `grad` changes.

    >>> x = Value(3.0, "x")
    >>> y = x * x
    >>> print(steps(y))
    forward: every node after its operands
    step  value  rule
    ----  -----  ----------------------
    0         3  x = 3
    1         9  v1 = x * x = 3 * 3 = 9
    <BLANKLINE>
    backward: every node after all that use it
    step  total  arrived  rule
    ----  -----  -------  --------------------------------------
    2         1   1 of 1  dv1/dv1 = 1
    3         3   1 of 2  dv1/dx += dv1/dv1 * dv1/dx = 1 * 3 = 3
    4         6   2 of 2  dv1/dx += dv1/dv1 * dv1/dx = 1 * 3 = 3

    Raises:
        TypeError: if `v` is not a Value.
        StaleGraphError: if the data of a leaf was set after something here was computed from it.
    """
    if not isinstance(v, Value):
        raise TypeError(f"steps needs a Value (got {shown(v)}, {type(v).__name__})")
    return Steps(v)


class Steps(Trace):
    """The forward steps, then the backward steps. Prints as a table, shows itself in a notebook as a page to step through.

    They are those of the moment at which it was made, and computed when they are asked for.
    """

    def save(self, path: str | PathLike[str]) -> str:
        """Write the steps as a page to step through (.html, one file that needs no network) or an animation (.gif). Returns the path.

        Raises:
            ValueError: if the ending is neither, or the graph is too large to step through.
            RenderError: if Graphviz is missing or fails. No file is written in either case.
            ImportError: if a .gif needs Pillow, and it is missing.
        """
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if ending not in _ENDINGS:
            raise ValueError(f"cannot save steps as {path!r}: the name must end in {' or '.join(_ENDINGS)}")
        content = page(self).encode() if ending == ".html" else gif(self)
        files.write(path, content)
        return path

    def show(self) -> None:
        """Show the page: in the notebook, else in the browser.

        Raises:
            RuntimeError: if there is neither.
        """
        show(self)

    def _repr_html_(self) -> str:
        return embedded(self)
