"""Export: a recorded graph as a SymPy expression, as LaTeX, or as the source of a Python function.

How each primitive is written is a row of the table in `formulas.py`; here it is decided what is written on a line of its own:
what has a label, what is used more than once, and what would make a line too long.
"""

from __future__ import annotations

import builtins
import keyword
import math
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..ops import ieee
from ..ops.op import Op
from ..support.plain import shown
from .definitions import STRING, Definitions
from .formulas import ATOM, FORMULAS, PRODUCT, SIGNED, TEX, Form, Term

MAX_NODES: Final = 500  # of a graph that is to be read as formulas
_MAX_TERMS: Final = 20_000  # of a SymPy expression, in which nothing is shared
_MAX_DEPTH: Final = 100  # of a SymPy expression: its functions recurse
_WIDTH: Final = 88  # of a line of source
_FEW: Final = 4  # operands up to which those of a long line get lines of their own one by one
_STYLES: Final = ("python", "numpy")


def to_sympy(
    v: Value | Graph, *, functions: Mapping[str, Callable[..., Any]] | None = None, max_nodes: int = MAX_NODES, **assumptions: Any
) -> Any:
    """The graph as a SymPy expression.

    Its symbols are the leaves: a leaf is named by its label if no other node has it, else v and its place in the Graph. Floats that
    are whole numbers become integers.

    Args:
        v: a Value, or a Graph; one of several roots gives a list of expressions.
        functions: for primitives of your own, by name, a function of SymPy expressions. One that is left out becomes an undefined
            function of that name.
        max_nodes: the size of graph above which it is refused.
        assumptions: what SymPy may assume of each symbol, such as real=True. Without, it may be any complex number.

    Raises:
        ValueError: if the graph, or its expression written out, is too large to be read.
        ImportError: if SymPy is not installed.

    >>> x, w = Value(2.0, "x"), Value(0.5, "w")
    >>> to_sympy((w * x).tanh() + 1)
    tanh(w*x) + 1
    """
    graph = _readable(v, max_nodes, "to_sympy")
    try:
        import sympy  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("to_sympy needs SymPy, which is not installed: pip install sympy") from None
    _check_terms(graph)
    names = graph.names()
    made: dict[int, Any] = {}
    try:
        for node in graph:
            if node.op is None:
                made[id(node)] = sympy.Symbol(names[id(node)], **assumptions)
            else:
                operands = [made[id(x)] if isinstance(x, Value) else _sympy_number(sympy, x) for x in node.args]
                made[id(node)] = _sympy_formula(sympy, node.op, functions or {})(*operands)
    except RecursionError:
        raise _too_deep(graph) from None
    results = [made[id(root)] for root in graph.roots]
    if _depth(results) > _MAX_DEPTH:
        raise _too_deep(graph)
    return results[0] if graph._single else results


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
    graph = _readable(v, max_nodes, "to_latex")
    names = _latex_names(graph)
    lines, results = _written(graph, _Latex(), names)
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
    lines, results = _written(graph, _Python(own) if style == "python" else _NumPy(own), names)
    body = [*(_leaves_as_arrays(graph, names) if style == "numpy" else ()), *(_assigned(name, text) for name, text in lines)]
    body.append(_one_line("return ", ", ".join(result.text for result in results)))
    head = [f"def {name}({', '.join([*_arguments(graph, names), *(['*', *own.values()] if own else [])])}):"]
    if style == "numpy":
        head.insert(0, '@np.errstate(all="ignore")  # the limits of IEEE 754 without warnings: 1 / 0 = inf')
    function = "\n".join([*head[:-1], *wrapped(head[-1], 0), *(line for text in body for line in wrapped(text, 4))])
    return definitions.standalone(function)


# What all have in common -------------------------------------------------------------------------------------------------


def _readable(v: Value | Graph, max_nodes: int, function: str) -> Graph:
    graph = v if isinstance(v, Graph) else Graph(v)
    if len(graph) > max_nodes:
        raise ValueError(
            f"the graph is too large to be read: {len(graph)} nodes, {function} writes up to max_nodes={max_nodes}. "
            "Export a part of it, or write all of it with to_source"
        )
    return graph


class _Style:
    """A language: its brackets, numbers and forms."""

    brackets = ("(", ")")
    width = _WIDTH

    def number(self, x: float) -> Term:
        raise NotImplementedError

    def write(self, op: Op, operands: list[Term], args: tuple[Value | float, ...]) -> Term:
        return self.form(op, args).of(operands, self.brackets)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Form:
        raise NotImplementedError

    def too_long(self, text: str) -> bool:
        return len(text) > self.width


def _written(graph: Graph, style: _Style, names: dict[int, str]) -> tuple[list[tuple[str, str]], list[Term]]:
    """The lines that define what has a line of its own, and the roots in their terms."""
    uses = Counter(id(x) for node in graph for x in node.parents)
    terms: dict[int, Term] = {}
    lines: list[tuple[str, str]] = []

    def settle(node: Value) -> Term:
        """Give a node a line of its own."""
        lines.append((names[id(node)], terms[id(node)].text))
        terms[id(node)] = Term(names[id(node)])
        return terms[id(node)]

    for node in graph:
        if node.op is None:
            terms[id(node)] = Term(names[id(node)])
            continue
        operands = [terms[id(x)] if isinstance(x, Value) else style.number(x) for x in node.args]
        form = style.form(node.op, node.args)
        inline = {i: x for i, x in enumerate(node.args) if isinstance(x, Value) and operands[i].text != names[id(x)]}
        for i in [i for i in inline if form.repeats(i)]:
            operands[i] = settle(inline.pop(i))
        term = style.write(node.op, operands, node.args)
        longest_first = sorted(inline, key=lambda i: -len(operands[i].text))
        while longest_first and style.too_long(term.text):
            some = longest_first[:1] if len(longest_first) <= _FEW else longest_first
            longest_first = longest_first[len(some) :]
            for i in some:
                operands[i] = settle(inline[i])
            term = style.write(node.op, operands, node.args)
        terms[id(node)] = term
        if node.label or uses[id(node)] > 1:
            settle(node)
    return lines, [terms[id(root)] for root in graph.roots]


# SymPy -------------------------------------------------------------------------------------------------------------------


def _sympy_formula(sympy: Any, op: Op, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    if op in FORMULAS:
        return lambda *x: FORMULAS[op].sympy(sympy, *x)
    return functions[op.name] if op.name in functions else sympy.Function(op.name)


def _sympy_number(sympy: Any, x: float) -> Any:
    return sympy.Integer(int(x)) if x.is_integer() else sympy.Float(x)


def _check_terms(graph: Graph) -> None:
    """SymPy's functions walk through an expression without seeing what is shared in it."""
    sizes: dict[int, int] = {}
    for node in graph:
        sizes[id(node)] = min(1 + sum(sizes[id(x)] for x in node.parents), 10**30)
    largest = max((sizes[id(root)] for root in graph.roots), default=0)
    if largest > _MAX_TERMS:
        raise ValueError(
            f"written out, the expression would have {largest:.3g} terms, as SymPy does not share what is used more than once. "
            "Export a part of the graph, or write all of it with to_latex or to_source"
        )


def _depth(expressions: list[Any]) -> int:
    """How deeply SymPy expressions are nested, found without recursion."""
    depth: dict[Any, int] = {}
    stack = [*expressions]
    while stack:
        todo = [x for x in stack[-1].args if x not in depth]
        if todo:
            stack += todo
        else:
            done = stack.pop()
            depth[done] = 1 + max([depth[x] for x in done.args], default=0)
    return max(depth.values(), default=0)


def _too_deep(graph: Graph) -> ValueError:
    return ValueError(f"the graph is nested too deeply for SymPy (depth {graph.depth}): to_latex and to_source write graphs of any depth")


# LaTeX -------------------------------------------------------------------------------------------------------------------

_LETTERS: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK: Final = frozenset(_LETTERS.split())
_LABEL: Final = re.compile(r"([^\W\d_]+)_?((?:\d+|(?<=_)\w+)?)((?:\[\w+\])*)('*)")
_SPECIAL: Final = {c: rf"\{c}" for c in "_&%$#{}"} | {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", " ": r"\ "}
_MARKUP: Final = re.compile(r"\\[a-zA-Z]+|[{}^_\\ ]")


class _Latex(_Style):
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


# Python source -----------------------------------------------------------------------------------------------------------


class _Source(_Style):
    """Python. `own` gives the names of primitives of the user's."""

    def __init__(self, own: Mapping[Op, str]) -> None:
        self.own = own


class _Python(_Source):
    """Numbers: operators where they do what the op does, kernels elsewhere."""

    def number(self, x: float) -> Term:
        return Term(repr(x), SIGNED if math.copysign(1.0, x) < 0 else ATOM)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Form:
        formula = FORMULAS.get(op)
        if formula is None:
            return _call_own(op, self.own)
        if formula.quotient and args[-1] != 0.0 and not isinstance(args[-1], Value) and isinstance(formula.numpy, Form):
            return formula.numpy
        return formula.python or _call(_kernel_name(op))


class _NumPy(_Source):
    """Numbers and arrays."""

    def number(self, x: float) -> Term:
        return number(x)

    def form(self, op: Op, args: tuple[Value | float, ...]) -> Form:
        return array_form(op, self.own)

    def write(self, op: Op, operands: list[Term], args: tuple[Value | float, ...]) -> Term:
        if op.arity is None and op in FORMULAS:
            operands = [_call("stack").of(operands, self.brackets)]
        return super().write(op, operands, args)


def number(x: float) -> Term:
    """A constant in source that uses NumPy."""
    text = repr(x) if math.isfinite(x) else repr(x).replace("inf", "np.inf").replace("nan", "np.nan")
    return Term(text, SIGNED if text.startswith("-") else ATOM)


def array_form(op: Op, own: Mapping[Op, str]) -> Form:
    """How an op is written with NumPy."""
    if op not in FORMULAS:
        return _call_own(op, own)
    form = FORMULAS[op].numpy
    return _call(form) if isinstance(form, str) else form


def own_names(used: Iterable[Op], reserved: Iterable[str]) -> dict[Op, str]:
    """The names in source of those ops that are the user's: none is reserved, no two are alike."""
    taken = set(reserved)
    own = (op for op in dict.fromkeys(used) if op not in FORMULAS)
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
    raise LookupError(f"the kernel of {op.name} has no name: give its row of FORMULAS a form for Python")


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
    return f"({text})" if len(text) > _WIDTH else text


def wrapped(text: str, indent: int) -> Iterable[str]:
    """The lines of a statement, broken inside brackets only."""
    if len(text) <= _WIDTH + 20:
        return [" " * indent + text]
    lines = textwrap.wrap(
        _only_in_brackets(text),
        _WIDTH + 20,
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
