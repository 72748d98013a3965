"""A recorded graph as the source of a Python function, for numbers or for NumPy arrays."""

from __future__ import annotations

import builtins
import keyword
import math
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..ops import ieee, is_builtin
from ..ops.op import INDICATOR, Op
from ..support.plain import shown
from .definitions import STRING, Definitions
from .forms import ATOM, POWER, PRODUCT, SIGNED, SUM, Form, Term
from .writing import WIDTH, Style, written

_STYLES: Final = ("python", "numpy")


def to_source(v: Value | Graph, name: str = "f", style: str = "python") -> str:
    """The source of a function of the leaves that computes the graph, and of all it needs: it runs without this package.

    Leaves with a label are its arguments, in the order in which the graph meets them; other leaves are arguments, too, with their
    data as defaults. A label that cannot be a name in Python is changed into one. Primitives of your own are keyword arguments, with _
    behind a name that means something else in the source.

    Args:
        v: a Value, or a Graph; for one of several roots the function returns a tuple. Graphs of any size are written.
        name: of the function.
        style: "python" for numbers, with the results of this package to the last bit; "numpy" for numbers and arrays, which broadcast.

    Raises:
        ValueError: if the name cannot be that of a function, or the style is unknown.

    >>> w, x = Value(2.0, "w"), Value(3.0, "x")
    >>> print(to_source(w * x + 1, "line"))
    def line(w, x):
        return w * x + 1.0
    """
    if style not in _STYLES:
        raise ValueError(f"style must be one of {', '.join(map(repr, _STYLES))} (got {shown(style)})")
    graph = v if isinstance(v, Graph) else Graph(v)
    definitions = Definitions("ops/ieee") if style == "python" else Definitions("languages/array_formulas", "ops/ieee")
    reserved = {*dir(builtins), *keyword.kwlist, *definitions.names, "np", "math", "operator"}
    if not isinstance(name, str) or not name.isidentifier() or name in reserved:
        raise ValueError(f"name must be an identifier that means nothing else in the source (got {shown(name)})")
    own = own_names((node.op for node in graph if node.op), reserved)
    names = _identifiers(graph, {*reserved, *own.values()})
    lines, results = written(graph, _Python(own) if style == "python" else _NumPy(own), names)
    body = [*(_leaves_as_arrays(graph, names) if style == "numpy" else ()), *(_assigned(name, text) for name, text in lines)]
    body.append(_one_line("return ", ", ".join(result.text for result in results)))
    head = [f"def {name}({', '.join([*_arguments(graph, names), *(['*', *own.values()] if own else [])])}):"]
    if style == "numpy":
        head.insert(0, '@np.errstate(all="ignore")  # the limits of IEEE 754 without warnings: 1 / 0 = inf')
    function = "\n".join([*head[:-1], *wrapped(head[-1], 0), *(line for text in body for line in wrapped(text, 4))])
    return definitions.standalone(function)


class _Source(Style):
    """Python. `own` gives the names of primitives of the user's."""

    def __init__(self, own: Mapping[Op, str]) -> None:
        self.own = own


class _Python(_Source):
    """Numbers: operators where they do what the op does, kernels elsewhere."""

    def number(self, x: float) -> Term:
        return Term(repr(x), SIGNED if math.copysign(1.0, x) < 0 else ATOM)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Form:
        if not is_builtin(op):
            return _call_own(op, self.own)
        if op.family == INDICATOR:
            return Form(ATOM, f"float(<0+> {op.symbol} <1+>)")
        by_number = op.operator in ("truediv", "mod") and args[-1] != 0.0 and not isinstance(args[-1], Value)
        if by_number or op.operator in _TOTAL:  # Python's own division raises at 0, its power above all floats
            return _OPERATORS[op.operator or ""]
        return _PYTHON.get(op.name) or _call(_kernel_name(op))


class _NumPy(_Source):
    """Numbers and arrays."""

    def number(self, x: float) -> Term:
        return number(x)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Form:
        return array_form(op, self.own)

    def write(self, op: Op, operands: list[Term], args: tuple[Value | float, ...]) -> Term:
        if op.arity is None and is_builtin(op):
            operands = [_call("stack").of(operands, self.brackets)]
        return super().write(op, operands, args)


def number(x: float) -> Term:
    """A constant in source that uses NumPy."""
    text = repr(x) if math.isfinite(x) else repr(x).replace("inf", "np.inf").replace("nan", "np.nan")
    return Term(text, SIGNED if text.startswith("-") else ATOM)


# Python's operators, for numbers and arrays.
_OPERATORS: Final = {
    "add": Form(SUM, "<0+> + <1*>"),
    "sub": Form(SUM, "<0+> - <1*>"),
    "mul": Form(PRODUCT, "<0*> * <1/>"),
    "truediv": Form(PRODUCT, "<0*> / <1/>"),
    "mod": Form(SUM, "<0*> % <1/>"),
    "pow": Form(POWER, "<0^> ** <1^>"),
    "neg": Form(SIGNED, "-<0*>"),
    "pos": Form(SIGNED, "+<0*>"),
}
_TOTAL: Final = frozenset({"add", "sub", "mul", "neg", "pos"})  # those that do what the op does, whatever the numbers
_SQUARE: Final = Form(PRODUCT, "<0^> * <0^>")
# What reads better than a call of the function, or is none in NumPy.
_PYTHON: Final = {"square": _SQUARE, "abs": Form(ATOM, "abs(<0>)")}
_ARRAYS: Final = {
    "square": _SQUARE,
    "abs": Form(ATOM, "np.abs(<0>)"),
    "reciprocal": Form(PRODUCT, "1.0 / <0/>"),
    "lgamma": Form(ATOM, "lgammas(<0>)"),  # the name itself is that of the kernel on floats
    "polygamma": Form(ATOM, "polygammas(<0>, <1>)"),
    "step": Form(ATOM, "np.heaviside(<0>, 1.0)"),
    "clip": Form(ATOM, "np.minimum(np.maximum(<0>, <1>), <2>)"),
    "where": Form(ATOM, "np.where(<0+> != 0.0, <1>, <2>)"),
    "log_sigmoid": Form(SIGNED, "-np.logaddexp(0.0, -<0*>)"),
    "softplus": Form(ATOM, "np.logaddexp(0.0, <0>)"),
    **{name: Form(ATOM, f"np.{name}(<0>, axis=-1)") for name in ("sum", "mean", "prod", "max", "min")},
}


def array_form(op: Op, own: Mapping[Op, str]) -> Form:
    """How an op is written with NumPy. A function of a sequence has it along the last axis of its only operand."""
    if not is_builtin(op):
        return _call_own(op, own)
    if op.family == INDICATOR:
        return Form(ATOM, f"np.where(<0+> {op.symbol} <1+>, 1.0, 0.0)")
    if op.name in _ARRAYS:
        return _ARRAYS[op.name]
    if op.operator in _OPERATORS:
        return _OPERATORS[op.operator or ""]
    return _call(op.name if op.name in Definitions("languages/array_formulas").names else f"np.{op.numpy}")


def own_names(used: Iterable[Op], reserved: Iterable[str]) -> dict[Op, str]:
    """The names in source of those ops that are the user's: none is reserved, no two are alike."""
    taken = set(reserved)
    own = (op for op in dict.fromkeys(used) if not is_builtin(op))
    return {op: _free(op.name, taken) for op in sorted(own, key=lambda op: op.name)}


def _free(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken; it is from now on."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _call_own(op: Op, own: Mapping[Op, str]) -> Form:
    """A primitive of the user's, called as it is called elsewhere: a sequence as a list."""
    return _call(own[op]) if op.arity is not None else Form(ATOM, lambda x: f"{own[op]}([{', '.join(t.text for t in x)}])")


def _call(function: str) -> Form:
    return Form(ATOM, lambda x: f"{function}({', '.join(t.text for t in x)})")


@cache
def _kernel_name(op: Op) -> str:
    for prefix, module in (("", ieee), ("math.", math)):
        for name, f in vars(module).items():
            if f is op.forward:
                return prefix + name
    raise LookupError(f"the kernel of {op.name} has no name: give it a form in _PYTHON")


def _identifiers(graph: Graph, reserved: set[str]) -> dict[int, str]:
    """A name in Python for each node: its label where that can be one."""
    taken = set(reserved)
    return {i: _free(identifier(name), taken) for i, name in graph.names().items()}


def identifier(text: str) -> str:
    """A name in Python, as like the text as can be."""
    if text.isascii() and text.isidentifier() and "__" not in text and not text.endswith("_"):
        return text
    read = unicodedata.normalize("NFKC", text)  # as Python reads names
    word = re.sub("__+", "_", "".join(c if f"_{c}".isidentifier() else "_" for c in read)).rstrip("_") or "v"
    return word if word.isidentifier() else f"v_{word}"


def _arguments(graph: Graph, names: dict[int, str]) -> Iterator[str]:
    labels = Counter(node.label for node in graph)
    named = [leaf for leaf in graph.leaves if leaf.label and labels[leaf.label] == 1]
    known = set(map(id, named))
    yield from (names[id(leaf)] for leaf in named)
    for leaf in graph.leaves:
        if id(leaf) not in known:
            yield f"{names[id(leaf)]}={leaf.data!r}" if math.isfinite(leaf.data) else f'{names[id(leaf)]}=float("{leaf.data!r}")'


def _leaves_as_arrays(graph: Graph, names: dict[int, str]) -> list[str]:
    leaves = ", ".join(names[id(leaf)] for leaf in graph.leaves)
    if "," not in leaves:
        return [f"{leaves} = np.float64({leaves})"] if leaves else []
    return [f"{_bracketed(leaves)} = map(np.float64, ({leaves}))"]


def _assigned(name: str, text: str) -> str:
    return _one_line(f"{name} = ", text)


def _one_line(start: str, text: str) -> str:
    """A statement, in brackets where it has to be broken into lines."""
    return start + _bracketed(text)


def _bracketed(text: str) -> str:
    return f"({text})" if len(text) > WIDTH else text


def wrapped(text: str, indent: int) -> Iterable[str]:
    """The lines of a statement, broken inside brackets only."""
    if len(text) <= WIDTH + 20:
        return [" " * indent + text]
    lines = textwrap.wrap(
        _only_in_brackets(text),
        WIDTH + 20,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]


def _only_in_brackets(text: str) -> str:
    """The text with spaces to break lines at only where Python lets a statement go on: inside brackets, outside strings."""
    depth = 0
    marked = []
    for part in re.split(f"({STRING}|[][() ])", text):
        depth += (part in ("(", "[")) - (part in (")", "]"))
        marked.append(part if part == " " and depth else part.replace(" ", "\0"))
    return "".join(marked)
