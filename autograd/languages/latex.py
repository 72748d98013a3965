"""A recorded graph as LaTeX."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Final

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..ops.meaning import Mathematics
from ..ops.op import Op
from .forms import ATOM, BARE, POWER, PRODUCT, SIGNED, SUM, TEX, Form, Term
from .writing import MAX_NODES, Style, Written, readable, written

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

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Written:
        if op.meaning is not None:
            return _Meant(op)
        return Form(ATOM, lambda x: rf"{_text(op.name)}\left({', '.join(t.text for t in x)}\right)")

    def too_long(self, text: str) -> bool:
        return len(text) > self.width and len(_MARKUP.sub("", text)) > self.width


class _Meant:
    """The form of an op that is what it means, in LaTeX."""

    def __init__(self, op: Op) -> None:
        self.op = op

    def of(self, operands: Sequence[Term], brackets: Sequence[str]) -> Term:
        assert self.op.meaning is not None
        meant = _number_of(self.op.meaning(_MATHEMATICS, *map(_Tex, operands))).term
        return Term(meant.text, min(meant.level, SIGNED) if meant.text.startswith("-") else meant.level)

    def repeats(self, i: int) -> bool:
        """Whether the i-th operand is written more than once; where all are, in a function of a sequence, that is no reason to name it."""
        if self.op.arity is None:
            return False
        marks = [Term(chr(0xE000 + k)) for k in range(self.op.arity)]  # letters that no label has
        return self.of(marks, TEX).text.count(marks[i].text) > 1


class _Tex:
    """A part of a formula that takes part in arithmetic."""

    def __init__(self, term: Term) -> None:
        self.term = term

    def within(self, least: int) -> str:
        return self.term.within(least, TEX)

    def __add__(self, other: _Tex | int) -> _Tex:
        right = _number_of(other).within(SUM)
        return _Tex(Term(self.within(SUM) + (f" - {right[1:]}" if right.startswith("-") else f" + {right}"), SUM))

    def __radd__(self, other: int) -> _Tex:
        return _number_of(other) + self

    def __sub__(self, other: _Tex | int) -> _Tex:
        return _Tex(Term(f"{self.within(SUM)} - {_number_of(other).within(PRODUCT)}", SUM))

    def __mul__(self, other: _Tex) -> _Tex:
        right = other.within(PRODUCT)
        return _Tex(Term(self.within(SIGNED) + (rf" \cdot {right}" if right[0].isdigit() else rf" \, {right}"), PRODUCT))

    def __neg__(self) -> _Tex:
        return _Tex(Term(f"-{self.within(PRODUCT)}", SIGNED))


def _number_of(x: _Tex | int) -> _Tex:
    return x if isinstance(x, _Tex) else _Tex(Term(str(x), SIGNED if x < 0 else ATOM))


def _function(name: str) -> Callable[..., _Tex]:
    """A function of its operands in brackets."""
    return lambda *x: _Tex(Term(rf"{name}\left({', '.join(_number_of(v).term.text for v in x)}\right)"))


def _named(name: str) -> Callable[..., _Tex]:
    return _function(rf"\operatorname{{{name}}}")


def _form(level: int, template: str) -> Callable[..., _Tex]:
    form = Form(level, template)
    return lambda *x: _Tex(form.of([_number_of(v).term for v in x], TEX))


class _Mathematics(Mathematics):
    """Mathematics in LaTeX. What it has a sign of its own for is written with it, not as what it is made of."""

    exp = staticmethod(_form(POWER, "e^{<0>}"))
    log, sin, cos, tan = (staticmethod(_function(rf"\{name}")) for name in ("log", "sin", "cos", "tan"))
    arcsin, arccos, arctan = (staticmethod(_function(rf"\{name}")) for name in ("arcsin", "arccos", "arctan"))
    sinh, cosh, tanh, max, min = (staticmethod(_function(rf"\{name}")) for name in ("sinh", "cosh", "tanh", "max", "min"))
    arctan2, arcsinh, arccosh, arctanh = (staticmethod(_named(name)) for name in ("arctan2", "arsinh", "arcosh", "artanh"))
    erf, erfc, sign, trunc, fmod = (staticmethod(_named(name)) for name in ("erf", "erfc", "sgn", "trunc", "fmod"))
    constant = staticmethod(_named("stop"))
    loggamma = staticmethod(_form(ATOM, r"\log\left|\Gamma\left(<0>\right)\right|"))
    polygamma = staticmethod(_form(ATOM, r"\psi^{\left(<0>\right)}\left(<1>\right)"))
    power = staticmethod(_form(POWER, "<0^>^{<1>}"))
    over = staticmethod(_form(PRODUCT, r"\frac{<0>}{<1>}"))
    root, cbrt = staticmethod(_form(ATOM, r"\sqrt{<0>}")), staticmethod(_form(ATOM, r"\sqrt[3]{<0>}"))
    abs = staticmethod(_form(ATOM, r"\left|<0>\right|"))
    floor = staticmethod(_form(ATOM, r"\left\lfloor <0>\right\rfloor"))
    ceil = staticmethod(_form(ATOM, r"\left\lceil <0>\right\rceil"))
    mod = staticmethod(_form(BARE, r"<0*> \;\mathrm{mod}\; <1^>"))
    greater, less = staticmethod(_form(BARE, "<0+> > <1+>")), staticmethod(_form(BARE, "<0+> < <1+>"))
    greater_equal, less_equal = staticmethod(_form(BARE, r"<0+> \geq <1+>")), staticmethod(_form(BARE, r"<0+> \leq <1+>"))
    equal, not_equal = staticmethod(_form(BARE, "<0+> = <1+>")), staticmethod(_form(BARE, r"<0+> \neq <1+>"))
    indicator = staticmethod(_form(ATOM, r"\left[<0>\right]"))
    logistic, logistic_slope = staticmethod(_function(r"\sigma")), staticmethod(_function(r"\sigma'"))
    log_logistic = staticmethod(_form(ATOM, r"\log\sigma\left(<0>\right)"))
    normal = staticmethod(_function(r"\Phi"))

    def log_to(self, base: int, x: _Tex) -> _Tex:
        return _function(rf"\log_{{{base}}}")(x)

    def where(self, condition: _Tex, x: _Tex, y: _Tex) -> _Tex:
        a, b, c = x.term.text, y.term.text, condition.term.text
        return _Tex(Term(rf"\begin{{cases}} {a} & \text{{if }} {c} \\ {b} & \text{{otherwise}} \end{{cases}}", BARE))

    def nonzero(self, x: _Tex) -> _Tex:
        text, start, end = x.term.text, r"\left[", r"\right]"
        is_relation = x.term.level == ATOM and text.startswith(start)
        return _Tex(Term(text[len(start) : -len(end)] if is_relation else rf"{text} \neq 0", BARE))

    def scaled(self, factor: _Tex, x: _Tex) -> _Tex:
        return x if factor.term.text == "1" else factor * x

    def total(self, *x: _Tex) -> _Tex:
        whole = reduce(add, x) if x else _number_of(0)
        return _Tex(Term(whole.within(SUM), SUM))

    def product(self, *x: _Tex) -> _Tex:
        whole = reduce(mul, x) if x else _number_of(1)
        return _Tex(Term(whole.within(SIGNED), SIGNED))


_MATHEMATICS: Final = _Mathematics()


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
