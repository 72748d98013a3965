"""From tokens to a short program for a stack: a white list of Python's syntax, as Python's own parser reads it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final

from ...numbers.number import Float
from ...ops.op import Op
from .errors import ExpressionError, Span
from .tokens import check, short
from .vocabulary import NOT_ONE_NUMBER, functions

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
_OTHER_NAMES = {"ln": "log", "atan2": "arctan2", "fabs": "abs", "logistic": "sigmoid", "lse": "logsumexp"}

Instruction = float | str | tuple[Callable[..., Any], int]  # put a number, put the value of a name, apply a function to the last n


class Program:
    """The program of one expression in the making."""

    def __init__(self, text: str) -> None:
        check(text)
        self.text = text
        self.source = "".join(" " if c.isspace() else c for c in text).strip()  # blanks of all kinds, as Python's parser wants them
        self.left = len(text) - len(text.lstrip())
        self.functions = functions()
        self.steps: list[Instruction] = []
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

    def _step(self, node: ast.expr) -> Instruction:
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

    def _call(self, node: ast.Call) -> Instruction:
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

    def _fixed(self, op: Op, name: str, node: ast.Call) -> Instruction:
        count, most = len(node.args), op.arity or 0
        least = most - len(op.defaults)
        for argument in node.args:
            if isinstance(argument, (ast.List, ast.Tuple)):
                raise self._error(f"{name} takes numbers, not a list", argument)
        if not least <= count <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self._error(f"{name} takes {wanted} operand{'s' * (most > 1)}, here it has {count}", node)
        return op, count

    def _of_sequence(self, op: Op, name: str, node: ast.Call) -> Instruction:
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
        if name in NOT_ONE_NUMBER:
            return NOT_ONE_NUMBER[name]
        near = _OTHER_NAMES.get(name) or nearest(name, self.functions, 0.6)
        if near:
            return f"there is no function {short(name)}: did you mean {near}?"
        return f"there is no function {short(name)}: for a product write {short(name)} * (...)"

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
