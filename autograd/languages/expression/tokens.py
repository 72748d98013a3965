"""Tokens: a text split into numbers, names and operators; anything else is refused where it stands."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from .errors import ExpressionError, Span
from .vocabulary import functions, normal

MAX_LENGTH, MAX_TOKENS, MAX_NESTING, MAX_DIGITS = 10_000, 2_000, 100, 300

_DIGITS = r"[0-9](?:_?[0-9])*"
_NUMBER = re.compile(rf"(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_OPERATOR = re.compile(r"\*\*|[-+*/%,()\[\]]")
_CLOSING = {")": "(", "]": "["}

_COMPARISON = "comparisons are functions here: write greater(a, b), less(a, b), equal(a, b), ..."
_CHOICE = "write where(condition, a, b) to choose between two numbers"
_TEXT = "text has no place in an expression: numbers, names, operators and functions have"
_INSTEAD = {
    "^": "^ is not an operator here: write ** for powers",
    "//": "// is not an operator here: write floor(a / b)",
    "@": "@ is not an operator here: write dot([a, b], [c, d]) for an inner product",
    ".": "a dot belongs inside a number: nothing here has attributes",
    "=": "= has no place inside an expression",
    "==": _COMPARISON,
    "<": _COMPARISON,
    ">": _COMPARISON,
    "!": _COMPARISON,
    "'": _TEXT,
    '"': _TEXT,
    "−": "write - for minus",
    "–": "write - for minus",
    "×": "write * for a product",
    "·": "write * for a product",
    "⋅": "write * for a product",
    "÷": "write / for a quotient",
    "²": "write **2 for a square",
    "³": "write **3 for a cube",
    "√": "write sqrt(x) for a square root",
    "if": _CHOICE,
    "else": _CHOICE,
    "and": _CHOICE,
    "or": _CHOICE,
    "not": _CHOICE,
}


class _Token(NamedTuple):
    kind: str  # number, name or operator
    text: str
    start: int

    @property
    def span(self) -> Span:
        return self.start, self.start + len(self.text)

    @property
    def ends_operand(self) -> bool:
        return self.kind != "operator" or self.text in _CLOSING


def _tokens(text: str) -> Iterator[_Token]:
    i = 0
    while i < len(text):
        if text[i].isspace():
            i += 1
            continue
        if number := _NUMBER.match(text, i):
            token = _Token("number", number[0], i)
        elif name := _name(text, i):
            token = _Token("name", name, i)
        elif (found := _OPERATOR.match(text, i)) and not text.startswith("//", i):
            token = _Token("operator", found[0], i)
        else:
            raise _refused(text, i)
        yield token
        i += len(token.text)


def _name(text: str, start: int) -> str:
    """The longest identifier from there on, as Python defines it, but for the dot that people write for a product."""
    end = start
    while end < len(text) and text[end] != "·" and (f"_{text[end]}" if end > start else text[end]).isidentifier():
        end += 1
    return text[start:end]


def _refused(text: str, i: int) -> ExpressionError:
    what = text[i : i + 2] if text[i : i + 2] in ("//", "==") else text[i]
    shown = what if what.isprintable() and not unicodedata.combining(what[0]) else f"U+{ord(what):04X}"
    return ExpressionError(_INSTEAD.get(what, f"{shown} has no meaning in an expression"), text, (i, i + len(what)))


def check(text: str) -> None:
    """Refuse what is too large, and what is not made of numbers, names and operators, each with an operator between."""
    if len(text) > MAX_LENGTH:
        problem = f"the expression is too long: {len(text)} characters, at most {MAX_LENGTH} are read"
        raise ExpressionError(problem, text, (MAX_LENGTH, MAX_LENGTH))
    if not text.strip():
        raise ExpressionError("the expression is empty", text, (len(text), len(text)))
    last: _Token | None = None
    brackets: list[_Token] = []
    for count, token in enumerate(_tokens(text)):
        if count == MAX_TOKENS:
            raise ExpressionError(f"the expression is too large: more than {MAX_TOKENS} numbers, names and operators", text, token.span)
        if token.kind != "operator":
            _check_operand(token, last, text)
        elif token.text in "([":
            brackets.append(token)
            if len(brackets) > MAX_NESTING:
                raise ExpressionError(f"nested too deeply: more than {MAX_NESTING} brackets inside each other", text, token.span)
        elif token.text in _CLOSING:
            if not brackets or brackets[-1].text != _CLOSING[token.text]:
                raise ExpressionError(f"nothing before this {token.text} opens it", text, token.span)
            brackets.pop()
        last = token
    if brackets:
        raise ExpressionError(f"this {brackets[-1].text} is never closed", text, brackets[-1].span)


def _check_operand(token: _Token, last: _Token | None, text: str) -> None:
    if token.kind == "name":
        word = normal(token.text)
        if keyword.iskeyword(word):
            raise ExpressionError(_INSTEAD.get(word, f"{word} is a word of Python's language and cannot be a name"), text, token.span)
    elif len(token.text) > MAX_DIGITS:
        raise ExpressionError(f"a number of more than {MAX_DIGITS} characters", text, token.span)
    if last and last.ends_operand:
        if last.kind == "number" and token.text in ("j", "J"):
            raise ExpressionError("complex numbers cannot be read, only real ones", text, (last.start, token.start + 1))
        left, right = short(last.text), short(token.text)
        way_out = f"the operand of {left} stands in brackets: {left}({right})"
        if normal(last.text) not in functions():
            way_out = f"an operator is missing: for a product write {left} * {right}"
        raise ExpressionError(way_out, text, token.span)


def short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"
