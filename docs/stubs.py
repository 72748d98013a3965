"""Writes what editors and type checkers read of the primitives, from the table: the functions of the package, and the methods of numbers.

    python docs/stubs.py

A new row of the table, or a new word of one, is in the stubs once this has run; `tests/typing` says when it has to.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import autograd
from autograd import Op, ops
from autograd.numbers import number

ROOT = Path(autograd.__file__).parent
HEAD = """# Written by docs/stubs.py, from the table of ops.
# mypy: disable-error-code="overload-overlap, overload-cannot-match"
# (the first that fits is meant)
"""
EITHER = "_N | float"  # one kind of number, and floats
FUNCTIONS = '''
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias, TypeVar, overload

from numpy.typing import NDArray

from ..numbers.dual import Dual
from ..numbers.number import Number
from ..numbers.value import Value
from ..support.plain import Real
from . import ieee as ieee
from .declarations import is_builtin as is_builtin
from .declarations import named as named
from .meaning import Mathematics as Mathematics
from .op import Op as Op

_N = TypeVar("_N", bound=Number)
_K = TypeVar("_K", float, Value, Dual, Number)  # one kind of number alone
_Broadcast: TypeAlias = NDArray[Any] | Number | Real
_K1 = TypeVar("_K1", NDArray[Any], float, Value, Dual, Number, Value | float)  # arrays first: without NumPy it is not known what they are

class Primitive(Op):
    """A primitive of your own, of so many operands as its function takes."""

    @overload
    def __call__(self, x: _K1, /) -> _K1: ...
    @overload
    def __call__(self, *operands: _K) -> _K: ...
    @overload
    def __call__(self, *operands: _N | Real) -> _N: ...
    @overload
    def __call__(self, x: Iterable[_K], /) -> _K: ...
    @overload
    def __call__(self, x: Iterable[_N | Real], /) -> _N: ...
    @overload
    def __call__(self, *operands: _Broadcast) -> NDArray[Any]: ...

table: Final[dict[str, Op]]
"""Every primitive by its name, in the order of declaration; NumPy's name of one finds it too."""
builtin: Final[frozenset[str]]
"""The names of those that come with the package."""
helpers: Final[frozenset[str]]
"""Those among them that only rules are made of."""
'''
METHODS = '''
from typing import Any, TypeVar, overload

from numpy.typing import NDArray
from typing_extensions import Self

from ..support.plain import Real
from .number import Number

_N = TypeVar("_N", bound=Number)

class Methods:
    """What every kind of number can do."""
'''
OF_SEQUENCES = {  # functions that are no ops themselves: their operands, and what holds the result
    "dot": (("x", "y"), "{}"),
    "softmax": (("x",), "list[{}]"),
    "log_softmax": (("x",), "list[{}]"),
}


def functions() -> str:
    """The stub of autograd.ops."""
    exported = [name for name in ops.declarations.__all__ if hasattr(ops, name)]
    found = {name: getattr(ops, name) for name in exported}
    kinds = {kind(op): op for op in found.values() if isinstance(op, Op)}
    names = [op.name for op in ops.table.values() if op.takes_one and op.name not in ops.helpers]
    return "\n".join(
        [
            f'{HEAD}"""{ops.__doc__}"""\n{FUNCTIONS}',
            f"Unary: TypeAlias = Literal[\n    {_quoted(names)}\n]",
            '"""The names of the functions of one number."""\n',
            f"__all__ = [  # noqa: RUF022 (in the order of the table)\n    {_quoted(exported)}\n]",
            *(line for name, op in kinds.items() for line in _class(name, op)),
            "",
            *(line for name, f in found.items() if isinstance(f, Op) for line in (f"{name}: {kind(f)}", _doc(f.__doc__))),
            *(line for name, f in found.items() if name in OF_SEQUENCES for line in _of_sequences(name, f)),
            f"def argmax(x: Iterable[Number | Real], /) -> int:\n{_doc(ops.argmax.__doc__, 4)}",
            "",
        ]
    )


def kind(op: Op) -> str:
    """The class of all ops that are called alike."""
    return "Of_" + "_".join(operands(op))


def operands(op: Op) -> list[str]:
    """What its operands are called: as the kernel has it or, where that is a builtin, the rule."""
    for f, first in ((op.forward, 0), (op.partials, 1)):
        if inspect.isfunction(f):
            names = list(inspect.signature(f).parameters)[first:]
            return ["sequence"] if op.arity is None else names
    raise TypeError(f"the operands of {op.name} have no names: neither its kernel nor its rule is a function")


def _class(name: str, op: Op) -> Iterator[str]:
    """Of one operand one signature: of several, an operand of type Any would match all, and checkers not know the result."""
    call = "def __call__(self, {}, /)".format("x: Iterable[{}]" if op.arity is None else _parameters(op, "{}"))
    lines = [f"{call.replace('{}', '_K1')} -> _K1: ..."] if op.arity == 1 else _overloads(call, "{}")
    if op.arity not in (None, 1):
        lines += ["@overload", f"def __call__(self, {_parameters(op, '_Broadcast')}, /) -> NDArray[Any]: ..."]
    yield f"\nclass {name}(Op):"
    yield textwrap.indent("\n".join(lines), "    ")


def _overloads(signature: str, result: str) -> list[str]:
    """Of one kind of number alone, and of one with floats among them."""
    mixed = [("Value | float", "Value")] * ("Iterable" in signature)  # a list is looked at by itself, before its type is asked for
    return [
        line
        for takes, gives in (("_K", "_K"), *mixed, (EITHER, "_N"))
        for line in ("@overload", f"{signature.replace('{}', takes)} -> {result.replace('{}', gives)}: ...")
    ]


def _parameters(op: Op, kind: str, skipped: int = 0) -> str:
    names = operands(op)
    defaults = [""] * (len(names) - len(op.defaults)) + [f" = {x}" for x in op.defaults]
    given = list(zip(names, defaults, strict=True))[skipped:]
    return ", ".join(f"{name}: {kind}{' | Real' if kind == '{}' and default else ''}{default}" for name, default in given)


def _of_sequences(name: str, f: object) -> Iterator[str]:
    parameters, result = OF_SEQUENCES[name]
    *lines, last = _overloads(f"def {name}({', '.join(f'{p}: Iterable[{{}}]' for p in parameters)}, /)", result)
    yield from (*lines, last.removesuffix(" ..."), _doc(f.__doc__, 4))


def methods() -> str:
    """The stub of the operators and methods of numbers."""
    lines = [f'{HEAD}"""{inspect.getdoc(inspect.getmodule(number.Methods))}"""\n{METHODS}']
    unary, binary = ([op.operator for op in ops.table.values() if op.operator and op.arity == n] for n in (1, 2))
    for name in unary:
        lines.append(f"    def __{name}__(self) -> Self: ...")
    for name in binary:
        for kinds in (("Self | Real", "Self"), ("NDArray[Any]", "NDArray[Any]"), ("_N", "Self | _N")):
            lines += ["    @overload", f"    def __{name}__(self, other: {kinds[0]}, /) -> {kinds[1]}: ..."]
        for kinds in (("Real", "Self"), ("NDArray[Any]", "NDArray[Any]")):
            lines += ["    @overload", f"    def __r{name}__(self, other: {kinds[0]}, /) -> {kinds[1]}: ..."]
    for op in number.methods():
        others = _parameters(op, "Self | Real", skipped=1)
        lines += [f"    def {op.name}(self{f', {others}, /' if others else ''}) -> Self:", _doc(op.__doc__, 8)]
    return "\n".join([*lines, ""])


def _doc(text: str | None, indent: int = 0) -> str:
    lines = textwrap.wrap(f'"""{text}"""', 136 - indent)
    return textwrap.indent("\n".join(lines), " " * indent)


def _quoted(words: list[str]) -> str:
    return "\n    ".join(textwrap.wrap(", ".join(f'"{word}"' for word in words) + ",", 130))


STUBS = {ROOT / "ops" / "__init__.pyi": functions, ROOT / "numbers" / "methods.pyi": methods}

if __name__ == "__main__":
    for path, stub in STUBS.items():
        path.write_text(stub(), "utf-8")
        print(path)
