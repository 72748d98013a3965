"""Expressions and their values: with numbers for names, a program records what the same Python code would record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...numbers.number import Number
from ...numbers.value import Value
from ...support.plain import as_float, shown
from .errors import ExpressionError
from .program import Program, nearest
from .tokens import short
from .vocabulary import CONSTANTS, functions, normal


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
        compiled = Program(text)
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
        listed = ", ".join(f"{short(name)} (did you mean {short(guess)}?)" if guess else short(name) for name, guess in guesses)
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
