"""Expressions as text, read into graphs: "1 / (1 + exp(-(w*x + b)))".

Nothing in the text is executed. It is split into numbers, names and operators, and anything else is refused where it stands;
Python's own parser then says how these belong together, and a white list of its syntax becomes a short program for a stack.
That program records what the same Python code would record.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from .. import ops
from ..numbers.number import Float, Number
from ..numbers.value import Value
from ..ops.op import Op
from ..support.plain import as_float, shown

MAX_LENGTH, MAX_TOKENS, MAX_NESTING, MAX_DIGITS = 10_000, 2_000, 100, 300
CONSTANTS: Final = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}

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


# Text to tokens ----------------------------------------------------------------------------------------------------------

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


def _check(text: str) -> None:
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
        left, right = _short(last.text), _short(token.text)
        way_out = f"the operand of {left} stands in brackets: {left}({right})"
        if normal(last.text) not in functions():
            way_out = f"an operator is missing: for a product write {left} * {right}"
        raise ExpressionError(way_out, text, token.span)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"


def normal(name: str) -> str:
    """The name as Python sees it: some letters have several forms."""
    return unicodedata.normalize("NFKC", name)


# Tokens to a program -----------------------------------------------------------------------------------------------------

_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_NOT_ONE_NUMBER = {
    "softmax": "softmax gives several numbers, an expression is one: write exp(a - logsumexp(a, b, c))",
    "log_softmax": "log_softmax gives several numbers, an expression is one: write a - logsumexp(a, b, c)",
    "argmax": "argmax gives a position, which has no derivative: write max(a, b, c) for the largest number",
}
_OTHER_NAMES = {"ln": "log", "atan2": "arctan2", "fabs": "abs", "logistic": "sigmoid", "lse": "logsumexp"}

_Instruction = float | str | tuple[Callable[..., Any], int]  # put a number, put the value of a name, apply a function to the last n


def functions() -> dict[str, Op]:
    """Everything that can be called in an expression, by its names: every public primitive, those of your own included."""
    exported = {name: op for name, op in vars(ops).items() if isinstance(op, Op) and not name.startswith("_")}
    return {name: op for name, op in (ops.table | exported).items() if name not in ops.helpers and name not in _NOT_ONE_NUMBER}


class _Compiler:
    """The program of one expression in the making."""

    def __init__(self, text: str) -> None:
        _check(text)
        self.text = text
        self.source = "".join(" " if c.isspace() else c for c in text).strip()  # blanks of all kinds, as Python's parser wants them
        self.left = len(text) - len(text.lstrip())
        self.functions = functions()
        self.steps: list[_Instruction] = []
        self.names: dict[str, Span] = {}
        for node in _operands_first(self._tree()):
            self.steps.append(self._step(node))

    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            at = self.left + (error.offset - 1 if error.offset else len(self.source))
            problem = error.msg.partition(";")[0] if "zeros" in error.msg else "a number, a name or an opening bracket is missing here"
            raise ExpressionError(problem, self.text, (at, at)) from None
        except (MemoryError, RecursionError):
            whole = self.left, self.left + len(self.source)
            raise ExpressionError("the expression is nested too deeply", self.text, whole) from None

    def _step(self, node: ast.expr) -> _Instruction:
        match node:
            case ast.Constant(value=bool() | complex()):
                raise self._error("only real numbers can be read", node)
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                self.names.setdefault(name, self._span(node))
                return name
            case ast.UnaryOp(op=op) if type(op) in _OPERATORS:
                return _on_any_number(_OPERATORS[type(op)]), 1
            case ast.BinOp(op=op) if type(op) in _OPERATORS:
                return _on_any_number(_OPERATORS[type(op)]), 2
            case ast.Call():
                return self._call(node)
            case ast.Tuple(elts=[]):
                raise self._error("there is nothing between these brackets", node)
            case ast.Tuple():
                raise self._error("a comma separates the operands of a function, and decimals have a point: 1.5", node)
            case ast.List():
                raise self._error("a list can only be the operand of a function of a sequence: sum([a, b, c])", node)
            case ast.Subscript():
                raise self._error("nothing here has elements: give each number a name of its own, such as x0, x1", node)
        raise self._error("this cannot be read: an expression has numbers, names, + - * / % **, brackets and functions", node)

    def _call(self, node: ast.Call) -> _Instruction:
        if not isinstance(node.func, ast.Name):
            raise self._error("only functions can be called: for a product write * before the bracket", node.func)
        if node.keywords:
            raise self._error("operands are given by their order, without names", node.keywords[0].value)
        name = node.func.id
        op = self.functions.get(name)
        if op is None:
            raise self._error(self._unknown(name), node.func)
        if op.arity is not None:
            return self._fixed(op, name, node)
        return self._of_sequence(op, name, node)

    def _fixed(self, op: Op, name: str, node: ast.Call) -> _Instruction:
        count, most = len(node.args), op.arity or 0
        least = most - len(op.defaults)
        for argument in node.args:
            if isinstance(argument, (ast.List, ast.Tuple)):
                raise self._error(f"{name} takes numbers, not a list", argument)
        if not least <= count <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self._error(f"{name} takes {wanted} operand{'s' * (most > 1)}, here it has {count}", node)
        return op, count

    def _of_sequence(self, op: Op, name: str, node: ast.Call) -> _Instruction:
        lists = [a.elts for a in node.args if isinstance(a, (ast.List, ast.Tuple))]
        if name == "dot":
            if len(node.args) != 2 or len(lists) != 2 or len(lists[0]) != len(lists[1]) or not lists[0]:
                raise self._error("dot takes two lists of one length: dot([a, b], [c, d])", node)
        elif lists and len(node.args) > 1:
            raise self._error(f"{name} takes numbers or one list of them: {name}(a, b, c) or {name}([a, b, c])", node)
        operands = _operands(node)
        if not operands:
            raise self._error(f"{name} needs at least one operand", node)
        return op.apply, len(operands)

    def _unknown(self, name: str) -> str:
        if name in _NOT_ONE_NUMBER:
            return _NOT_ONE_NUMBER[name]
        near = _OTHER_NAMES.get(name) or nearest(name, self.functions, 0.6)
        if near:
            return f"there is no function {_short(name)}: did you mean {near}?"
        return f"there is no function {_short(name)}: for a product write {_short(name)} * (...)"

    def _span(self, node: ast.expr) -> Span:
        """Where a node stands in the text. The parser counts bytes."""
        source = self.source.encode()
        start, end = node.col_offset, node.end_col_offset or node.col_offset
        return self.left + len(source[:start].decode()), self.left + len(source[:end].decode())

    def _error(self, message: str, node: ast.expr) -> ExpressionError:
        return ExpressionError(message, self.text, self._span(node))


def _operands(node: ast.expr) -> list[ast.expr]:
    """What a node is computed from, lists in a call spread out."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Call(args=args):
            return [x for a in args for x in (a.elts if isinstance(a, (ast.List, ast.Tuple)) else [a])]
    return []


def _operands_first(root: ast.expr) -> list[ast.expr]:
    """Every node after its operands, from left to right. No recursion: a sum of a thousand terms is a thousand deep."""
    backwards, stack = [], [root]
    while stack:
        node = stack.pop()
        backwards.append(node)
        stack.extend(_operands(node))
    return backwards[::-1]


def _on_any_number(python: Callable[..., Any]) -> Callable[..., Any]:
    """Python's operator, with IEEE arithmetic where all operands are floats."""

    def apply(*operands: Any) -> Any:
        if all(type(x) is float for x in operands):
            return float(python(*map(Float, operands)))
        return python(*operands)

    return apply


def nearest(name: str, known: Iterable[str], likeness: float = 0.5) -> str | None:
    """The known name that `name` was probably meant to be; w1 and w2 are half alike."""
    return next(iter(get_close_matches(name[:100], list(known), 1, likeness)), None)


# The public part ---------------------------------------------------------------------------------------------------------


class Expression:
    """An expression read from text, to be evaluated on numbers of any kind.

    Args:
        text: numbers, names, + - * / % **, brackets, and the functions of the package; pi, e, inf and nan are known. All
            arithmetic is that of floats, which follow IEEE 754.

    Attributes:
        names: the names that need a value, in order of appearance.
        constants: the known names among those that appear; a value given to one replaces it.

    Raises:
        ExpressionError: if the text is anything else; it shows the place.

    >>> f = Expression("a * exp(-a) + b")
    >>> f.names
    ('a', 'b')
    >>> f.evaluate({"a": 0.0, "b": 2.0})
    Value(data=2.0, grad=0.0)
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"an expression must be a str (got {shown(text)}, {type(text).__name__})")
        self.text = text
        compiled = _Compiler(text)
        self._steps, self._places = compiled.steps, compiled.names
        self.names = tuple(name for name in self._places if name not in CONSTANTS)
        self.constants = tuple(name for name in self._places if name in CONSTANTS)

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """Record the expression.

        Args:
            names: a number for each name. Plain numbers become leaves with the name as their label; Values and Duals are used as
                they are. Names that do not appear are left alone.

        Raises:
            ExpressionError: if names have no number, and lists them all.
        """
        bound = self._bind({normal(name): x for name, x in names.items()})
        stack: list[Any] = []
        for step in self._steps:
            if isinstance(step, tuple):
                function, count = step
                operands = stack[-count:]
                del stack[-count:]
                stack.append(function(*operands))
            else:
                stack.append(bound[step] if isinstance(step, str) else step)
        result = stack.pop()
        return result if isinstance(result, Number) else Value(result)

    def _bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if missing := [name for name in self.names if name not in given]:
            raise self._unbound(missing, given)
        constants = {name: CONSTANTS[name] for name in self.constants if name not in given}
        return constants | {name: _leaf(name, given[name]) for name in self._places if name in given}

    def _unbound(self, missing: list[str], given: Mapping[str, Any]) -> ExpressionError:
        known = functions()
        if called := [name for name in missing if name in known]:
            message = f"{called[0]} is a function: write {called[0]}(...)"
            return ExpressionError(message, self.text, self._places[called[0]])
        candidates = [name for name in (*given, *CONSTANTS) if name not in self._places]
        guesses = [(name, nearest(name, candidates)) for name in missing]
        listed = ", ".join(f"{_short(name)} (did you mean {_short(guess)}?)" if guess else _short(name) for name, guess in guesses)
        return ExpressionError(f"no value for {listed}", self.text, *(self._places[name] for name in missing))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def _leaf(name: str, x: Any) -> Any:
    return x if isinstance(x, Number) else Value(as_float(x, f"the value of {name}"), name)


def read(text: str, names: Mapping[str, Any]) -> Value:
    """The Value of an expression, recorded as the same Python code would be.

    Args:
        text: the expression, as for `Expression`.
        names: a number or a Value for each name in it.

    Raises:
        ExpressionError: if the text is not an expression, or a name has no number.

    >>> y = read("x**2 + 3*x", {"x": 2})
    >>> y.data
    10.0
    """
    value: Value = Expression(text).evaluate(names)
    return value
