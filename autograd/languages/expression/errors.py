"""ExpressionError: what is wrong with a text, with marks under the place."""

from __future__ import annotations

import unicodedata

Span = tuple[int, int]
_WIDTH = 76  # of an excerpt in a message


class ExpressionError(ValueError):
    """A text is not an expression, or lacks the value of a name. Prints with marks under the place.

    Attributes:
        message: what is wrong, on one line.
        text: the expression.
        spans: the places as pairs (start, end).
        column: where the first begins, counted from 1.
    """

    def __init__(self, message: str, text: str, *spans: Span) -> None:
        super().__init__(message, text, *spans)
        self.message, self.text, self.spans = message, text, spans

    @property
    def column(self) -> int:
        return min(start for start, _ in self.spans) + 1

    def __str__(self) -> str:
        return f"{self.message}\n{_underlined(self.text, self.spans)}"


def _underlined(text: str, spans: tuple[Span, ...]) -> str:
    """The part of the text around the first span, and marks below. Blanks of any kind show as spaces, wide characters count double."""
    first = min(start for start, _ in spans)
    low = max(0, min(first - _WIDTH // 2, len(text) - _WIDTH))
    high = min(low + _WIDTH, len(text))
    last = high + (high == len(text))  # the place behind the text can be marked, too
    marked = {i for start, end in spans for i in range(max(start, low), min(max(end, start + 1), last))}
    shown = [_visible(c) for c in text[low:high]]
    marks: list[str] = []
    for i, c in enumerate([*shown, " "][: last - low], low):
        marks += ("^" if i in marked else " ") * _columns(c)
        if i in marked:
            marks[-1:] = "^"  # also where the character takes no column of its own
    before, after = "…" * (low > 0), "…" * (high < len(text))
    return f"    {before}{''.join(shown)}{after}\n    {' ' * len(before)}{''.join(marks).rstrip()}"


def _visible(c: str) -> str:
    return " " if c.isspace() else c if c.isprintable() else "\ufffd"


def _columns(c: str) -> int:
    """The width of a character in a terminal."""
    return 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
