"""Tables of text, as everything here prints them."""

from __future__ import annotations

from collections.abc import Sequence


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns: the first and last to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    last = len(head) - 1

    def line(cells: Sequence[str]) -> str:
        placed = (c.ljust(w) if i in (0, last) else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return "  ".join(placed).rstrip()

    return "\n".join([line(head), line(["-" * w for w in widths]), *map(line, body)])
