"""A recorded graph as LaTeX."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from typing import Final

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..ops.op import Op
from .forms import ATOM, PRODUCT, SIGNED, TEX, Form, Term
from .formulas import FORMULAS
from .writing import MAX_NODES, Style, readable, written

_LETTERS: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK: Final = frozenset(_LETTERS.split())
_LABEL: Final = re.compile(r"([^\W\d_]+)_?((?:\d+|(?<=_)\w+)?)((?:\[\w+\])*)('*)")
_SPECIAL: Final = {c: rf"\{c}" for c in "_&%$#{}"} | {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", " ": r"\ "}
_MARKUP: Final = re.compile(r"\\[a-zA-Z]+|[{}^_\\ ]")


def to_latex(v: Value | Graph, *, max_nodes: int = MAX_NODES) -> str:
    """The graph as mathematics: an expression, or an aligned environment of equations.

    What has a label, is used more than once or would make a line too long has an equation of its own. Leaves are named as `to_sympy`
    names them, w0 and w[0] as w with an index, alpha as the Greek letter.

    Args:
        v: a Value, or a Graph.
        max_nodes: the size of graph above which it is refused.

    Raises:
        ValueError: if the graph is too large to be read.

    >>> w, x = Value(2.0, "w"), Value(3.0, "x")
    >>> print(to_latex((w * x + 1).sigmoid() / 2))
    \\frac{\\sigma\\left(w \\, x + 1\\right)}{2}
    """
    graph = readable(v, max_nodes, "to_latex")
    names = _latex_names(graph)
    lines, results = written(graph, _Latex(), names)
    if not lines and len(results) == 1:
        return results[0].text
    known = {name for name, _ in lines}
    for root, result in zip(graph.roots, results, strict=True):
        if names[id(root)] not in known:
            lines.append((names[id(root)], result.text))
    if len(lines) == 1:
        return " = ".join(lines[0])
    equations = " \\\\\n".join(f"{name} &= {text}" for name, text in lines)
    return f"\\begin{{aligned}}\n{equations}\n\\end{{aligned}}"


class _Latex(Style):
    brackets = TEX
    width = 64  # without markup

    def number(self, x: float) -> Term:
        if not math.isfinite(x):
            return Term(r"\mathrm{nan}") if x != x else Term(r"\infty") if x > 0 else Term(r"-\infty", SIGNED)
        digits, _, exponent = (str(int(x)) if x.is_integer() and abs(x) < 1e15 else repr(x)).partition("e")
        text = rf"{digits.removesuffix('.0')} \cdot 10^{{{int(exponent)}}}" if exponent else digits
        return Term(text, SIGNED if x < 0 else PRODUCT if exponent else ATOM)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Form:
        if op in FORMULAS:
            return FORMULAS[op].latex
        return Form(ATOM, lambda x: rf"{_text(op.name)}\left({', '.join(t.text for t in x)}\right)")

    def too_long(self, text: str) -> bool:
        return len(text) > self.width and len(_MARKUP.sub("", text)) > self.width


def _latex_names(graph: Graph) -> dict[int, str]:
    names = graph.names()
    pretty = {i: _symbol(name) for i, name in names.items()}
    taken = Counter(pretty.values())
    return {i: pretty[i] if taken[pretty[i]] == 1 else _text(name) for i, name in names.items()}


def _symbol(name: str) -> str:
    """A label as mathematics: w_1 and w1 as w with the index 1, theta as the letter, other words upright."""
    found = _LABEL.fullmatch(unicodedata.normalize("NFKC", name))
    if found is None:
        return _text(name)
    letters, index, places, primes = found.groups()
    indices = [_word(part) for part in (index, *re.findall(r"\w+", places)) if part]
    return _word(letters) + (f"_{{{','.join(indices)}}}" if indices else "") + primes


def _word(word: str) -> str:
    if len(word) == 1 and not word.isascii() and word.isalpha():
        letters = unicodedata.name(word, "").split()  # GREEK SMALL LETTER THETA
        greek = letters[-1].capitalize() if "CAPITAL" in letters else letters[-1].lower() if letters else ""
        return rf"\{greek}" if letters[:1] == ["GREEK"] and greek in _GREEK else _text(word)
    if word in _GREEK:
        return rf"\{word}"
    return word if len(word) == 1 or word.isdigit() else _text(word)


def _text(name: str) -> str:
    return rf"\mathrm{{{''.join(_SPECIAL.get(c, c) for c in name)}}}"
