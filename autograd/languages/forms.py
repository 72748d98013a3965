"""Forms: how an op is written in a language, with brackets where they are needed and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from re import split
from typing import Any, NamedTuple

TEX = (r"\left(", r"\right)")

# How tightly a text holds together, from a bare relation to a name. It needs brackets where something tighter is wanted.
BARE, SUM, SIGNED, PRODUCT, POWER, ATOM = range(6)
_LEAST = {"": BARE, "+": SUM, "-": SIGNED, "*": PRODUCT, "/": POWER, "^": ATOM}


class Term(NamedTuple):
    """A part of a formula."""

    text: str
    level: int = ATOM

    def within(self, least: int, brackets: Sequence[str]) -> str:
        return self.text if self.level >= least else f"{brackets[0]}{self.text}{brackets[1]}"


class Form(NamedTuple):
    """How an op is written: the level of the result, and a template or a function of the operands' Terms.

    In a template <0> is the first operand; <0+> the same in brackets unless it is at least a sum, <0*> a product, <0/> a power,
    <0^> a name, a number or a call.
    """

    level: int
    template: str | Callable[[Sequence[Term]], str]

    def of(self, operands: Sequence[Term], brackets: Sequence[str]) -> Term:
        """The form with its operands in place."""
        if callable(self.template):
            text = self.template(operands)
        else:
            parts = _parts(self.template)
            text = "".join([x if type(x) is str else operands[x[0]].within(x[1], brackets) for x in parts])
        return Term(text, min(self.level, SIGNED) if text.startswith("-") else self.level)

    def repeats(self, i: int) -> bool:
        """Whether the i-th operand is written more than once."""
        return isinstance(self.template, str) and self.template.count(f"<{i}") > 1


@cache
def _parts(template: str) -> list[Any]:
    """A template as texts and places: (operand, least level)."""
    pieces = split(r"<(\d)([-+*/^]?)>", template)
    places = [(int(i), _LEAST[mark]) for i, mark in zip(pieces[1::3], pieces[2::3], strict=True)]
    return [x for pair in zip(pieces[::3], [*places, ""], strict=True) for x in pair]
