"""Text as everything here prints it: names that may be anything, and tables."""

from __future__ import annotations

from collections.abc import Sequence


def printable(text: str) -> str:
    """The text on one line. What a terminal would obey and what cannot be seen is written as Python writes it: \\x1b, \\n, \\u202e."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def short(name: str, limit: int = 40) -> str:
    """A name on one line, cut where it is longer than the limit."""
    name = printable(name[: limit + 1])
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns: the first and last to the left, figures to the right."""
    body = [[*map(printable, row)] for row in body]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    last = len(head) - 1

    def line(cells: Sequence[str]) -> str:
        placed = (c.ljust(w) if i in (0, last) else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return "  ".join(placed).rstrip()

    return "\n".join([line(head), line(["-" * w for w in widths]), *map(line, body)])
