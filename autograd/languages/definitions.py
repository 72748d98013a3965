"""Definitions: the source of functions of this package, taken out with all they need, so that it runs without the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

STRING = r"'(?:[^'\\]|\\.)*'" + r'|"(?:[^"\\]|\\.)*"'  # a literal in source
_NAMES = re.compile(rf"{STRING}|#.*|(?<![\w.])[^\W\d]\w*")  # strings and comments hide what they hold; attributes are no names
_IMPORTS = {"math": "import math", "operator": "import operator", "np": "import numpy as np"}


class _Definition(NamedTuple):
    source: str
    uses: frozenset[str]
    line: int  # 0 for an import


class Definitions:
    """What some modules of this package define on their top level. A name that several define is the first one's.

    Args:
        modules: their names.
        instead: statements that import what they define from elsewhere, by name.

    Attributes:
        names: all of them.
    """

    def __init__(self, *modules: str, instead: Mapping[str, str] | None = None) -> None:
        self._modules = [_definitions(module) for module in modules]
        if instead:
            self._modules.insert(0, {name: _Definition(text, frozenset(), 0) for name, text in instead.items()})
        self.names = frozenset(name for module in self._modules for name in module)

    def standalone(self, code: str) -> str:
        """The code, after the definitions and imports that it needs."""
        used = frozenset(_NAMES.findall(code))  # much faster than to parse it, and code may be long
        needed = self._needed(used)
        imports = [line for name, line in _IMPORTS.items() if name in used.union(*(d.uses for d in needed))]
        imports += [d.source for d in needed if not d.line]
        parts = ["\n".join(imports), *_spaced([d.source for d in needed if d.line]), code]
        return "\n\n\n".join(part for part in parts if part)

    def _needed(self, used: frozenset[str]) -> list[_Definition]:
        """The definitions of these names, and of what those use, in an order in which they can be executed."""
        found: dict[str, tuple[int, _Definition]] = {}
        new = set(used & self.names)
        while new:
            name = new.pop()
            place = next(i for i, known in enumerate(self._modules) if name in known)
            found[name] = -place, self._modules[place][name]
            new |= (found[name][1].uses & self.names) - set(found)
        in_order = sorted(found.values(), key=lambda entry: (entry[0], entry[1].line))
        return list({d.source: d for _, d in in_order}.values())


@cache
def _definitions(module: str) -> dict[str, _Definition]:
    """By name, the functions and constants of a module, given by its path in the package.

    It is read, not imported: it may need what is not installed.
    """
    text = files("autograd").joinpath(*f"{module}.py".split("/")).read_text(encoding="utf-8")
    lines = text.splitlines()
    found: dict[str, _Definition] = {}
    for statement in ast.parse(text).body:
        uses = _names_in(statement)
        if isinstance(statement, ast.FunctionDef):
            body = lines[statement.body[0].lineno - 1 : statement.end_lineno]
            found[statement.name] = _Definition("\n".join([_head(statement), *body]), uses, statement.lineno)
        elif isinstance(statement, ast.Assign):
            source = "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
            targets = [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            found.update({name: _Definition(source, uses, statement.lineno) for name in targets})
    return found


def _names_in(code: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(code) if isinstance(node, ast.Name))


def _head(function: ast.FunctionDef) -> str:
    """The first line of a function, without types."""
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return f"def {function.name}({ast.unparse(function.args)}):"


def _spaced(sources: list[str]) -> list[str]:
    """Definitions on one line close together."""
    close: list[str] = []
    for source in sources:
        if close and not source.startswith("def ") and not close[-1].startswith("def "):
            close[-1] += f"\n{source}"
        else:
            close.append(source)
    return close
