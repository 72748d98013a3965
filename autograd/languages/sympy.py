"""A recorded graph as a SymPy expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Final

from ..graphs.graph import Graph
from ..numbers.value import Value
from ..ops.meaning import Mathematics
from ..ops.op import Op
from .writing import MAX_NODES, readable

_MAX_TERMS: Final = 20_000  # of a SymPy expression, in which nothing is shared
_MAX_DEPTH: Final = 100  # of a SymPy expression: its functions recurse


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
    graph = readable(v, max_nodes, "to_sympy")
    try:
        import sympy  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("to_sympy needs SymPy, which is not installed: pip install sympy") from None
    _check_terms(graph)
    names, symbolic = graph.names(), _Symbolic(sympy)
    made: dict[int, Any] = {}
    try:
        for node in graph:
            if node.op is None:
                made[id(node)] = sympy.Symbol(names[id(node)], **assumptions)
            else:
                operands = [made[id(x)] if isinstance(x, Value) else _number(sympy, x) for x in node.args]
                made[id(node)] = _formula(symbolic, node.op, functions or {})(*operands)
    except RecursionError:
        raise _too_deep(graph) from None
    results = [made[id(root)] for root in graph.roots]
    if _depth(results) > _MAX_DEPTH:
        raise _too_deep(graph)
    return results[0] if graph._single else results


def _formula(symbolic: _Symbolic, op: Op, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    if op.meaning is not None:
        return partial(op.meaning, symbolic)
    return functions[op.name] if op.name in functions else symbolic.sympy.Function(op.name)


_NAMES = {
    "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arctan2": "atan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "erf": "erf", "erfc": "erfc", "gamma": "gamma", "polygamma": "polygamma", "abs": "Abs", "sign": "sign", "floor": "floor",
    "ceil": "ceiling", "mod": "Mod", "max": "Max", "min": "Min", "greater": "Gt", "greater_equal": "Ge", "less": "Lt",
    "less_equal": "Le", "equal": "Eq", "not_equal": "Ne",
}  # fmt: skip


class _Symbolic(Mathematics):
    """Mathematics in SymPy. A function of symbols is left as it is: at every level SymPy's simplifications look at all that is below."""

    gamma: Any

    def __init__(self, sympy: Any) -> None:
        self.sympy = sympy
        for ours, theirs in _NAMES.items():
            setattr(self, ours, partial(self._call, getattr(sympy, theirs)))

    def _call(self, f: Any, *x: Any) -> Any:
        x = tuple(map(self.sympy.sympify, x))
        return f(*x, evaluate=all(v.is_number for v in x))

    def power(self, a: Any, b: Any) -> Any:
        a = self.sympy.sympify(a)
        return self.sympy.Pow(a, b, evaluate=a.is_number)

    def over(self, a: Any, b: Any) -> Any:
        return a * self.power(b, -1)

    def root(self, x: Any) -> Any:
        return self.power(x, self.sympy.S.Half)

    def loggamma(self, x: Any) -> Any:
        return self.log(self.abs(self.gamma(x)))

    def total(self, *x: Any) -> Any:
        return self.sympy.Add(*x)

    def product(self, *x: Any) -> Any:
        return self.sympy.Mul(*x)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return self.sympy.Piecewise((x, condition), (y, True), evaluate=condition in (True, False))

    def nonzero(self, x: Any) -> Any:
        is_indicator = isinstance(x, self.sympy.Piecewise) and [value for value, _ in x.args] == [1, 0]
        return x.args[0][1] if is_indicator else self.not_equal(x, 0)

    def constant(self, x: Any) -> Any:
        return _constant(self.sympy)(x)


@cache
def _constant(s: Any) -> Any:
    """The function of SymPy's that is x with derivative 0. Of a number it is the number."""
    rules = {"eval": classmethod(lambda cls, x: x if x.is_number else None), "fdiff": lambda self, i=1: s.S.Zero}
    return type("stop_gradient", (s.Function,), rules)


def _number(sympy: Any, x: float) -> Any:
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
