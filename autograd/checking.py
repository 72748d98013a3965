"""gradcheck: the derivatives of a function held against numerical differentiation, with knowledge of kinks and domains.

The function is evaluated on Values at the points of each difference, and the recorded graphs say where they lie: which
side of every kink, inside or outside the domain of every op. A difference is taken only between points on one side of
everything, by steps as small as that needs. Where no step is small enough the point lies on a kink, and where the
function is not finite it lies outside a domain; both are reported as what they are and not called wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .functional import grad
from .numeric import along, ridders, scale
from .op import as_float
from .structure import leaves
from .tables import table
from .value import Value, topological_order

OK, WRONG, UNSURE = "ok", "WRONG", "numerics too rough"
KINK, OUTSIDE, BORDER = "at a kink", "outside the domain", "at the border of the domain"


class Row(NamedTuple):
    """One derivative checked: of which entry, both results, and what to think of them."""

    input: str
    analytic: float
    numeric: float
    error: float
    verdict: str
    note: str = ""


class GradCheck:
    """The outcome of `gradcheck`: true unless a derivative is wrong. Prints as a table."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)

    def __bool__(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows whose derivative is wrong."""
        return tuple(row for row in self.rows if row.verdict == WRONG)

    def __str__(self) -> str:
        head = ("input", "analytic", "numeric", "error", "verdict")
        body = [(r.input, f"{r.analytic:.10g}", f"{r.numeric:.10g}", f"{r.error:.2g}", r.verdict + r.note) for r in self.rows]
        return table(head, body)

    __repr__ = __str__


def gradcheck(
    f: Callable[..., Any], *args: Any, order: int = 1, rtol: float = 1e-6, atol: float = 1e-8
) -> GradCheck:
    """Check the derivatives of `f` at `args` against numerical differentiation.

    Args:
        f: takes numbers or nested structures of them, returns one number.
        args: where to check; every number in them is checked.
        order: 1 for the gradient; 2 for the gradient and the Hessian, whose columns are held against differences of the gradient.
        rtol, atol: a derivative passes if |analytic - numeric| <= atol + rtol * |numeric|, with the estimated error of the numeric
            derivative allowed on top.

    Returns:
        A GradCheck: truthy if nothing is wrong; `print` shows input, analytic, numeric, error and verdict for each derivative.

    >>> bool(gradcheck(lambda x: x**3, 2.0))
    True
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2 (got {order!r})")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not as_float(tolerance, name) >= 0.0:
            raise ValueError(f"{name} must be 0 or more (got {tolerance!r})")
    if not args:
        raise TypeError("gradcheck needs at least one argument to differentiate with respect to: gradcheck(f, x)")
    numbers = [as_float(x, "an argument of gradcheck") for x in leaves(args)]
    names = input_names(args)

    def gradient(*at: Any) -> list[Any]:
        return leaves(grad(f, range(len(args)))(*at))

    rows = [
        _check(name, analytic, along(f, args, numbers, i), x, rtol, atol)
        for i, (name, x, analytic) in enumerate(zip(names, numbers, gradient(*args), strict=True))
    ]
    if order == 2:
        for i, name in enumerate(names):
            entry = _entry_of_gradient(gradient, i)
            second = leaves(grad(entry, range(len(args)))(*args))
            for j, (other, x) in enumerate(zip(names, numbers, strict=True)):
                section = along(f, args, numbers, j)
                rows.append(_check(f"{name}, {other}", second[j], section, x, rtol, atol, along(entry, args, numbers, j)))
    return GradCheck(rows)


def _entry_of_gradient(gradient: Callable[..., list[Any]], i: int) -> Callable[..., Any]:
    return lambda *at: gradient(*at)[i]


def _check(
    name: str,
    analytic: Any,
    section: Callable[[Any], Any],
    x: float,
    rtol: float,
    atol: float,
    differentiate: Callable[[Any], Any] | None = None,
) -> Row:
    """One derivative of `section` (or of `differentiate`, whose kinks and domain are those of `section`) at x."""
    analytic = float(analytic)
    here, outside = _side(section, x)
    if outside:
        return Row(name, analytic, math.nan, math.nan, OUTSIDE, f" of {outside}")
    h = 0.1 * scale(x)
    while True:
        sides = _side(section, x + h), _side(section, x - h)
        if all(side == here for side, _ in sides):
            break
        h /= 4.0
        if h < 1e-9 * (abs(x) or 1e-20):
            beyond = next((f" of {op}" for _, op in sides if op), "")
            return Row(name, analytic, math.nan, math.nan, BORDER if beyond else KINK, beyond)
    f = differentiate or section
    numeric, uncertainty = ridders(lambda t: float(f(t)), x, h)
    error = abs(analytic - numeric)
    rough = uncertainty > 1e-2 * abs(numeric) + atol
    if error <= atol + rtol * abs(numeric) + (0.0 if rough else 4.0 * uncertainty):
        return Row(name, analytic, numeric, error, OK)
    return Row(name, analytic, numeric, error, UNSURE if error <= 10.0 * uncertainty else WRONG)


Side = tuple[Any, ...]


def _side(section: Callable[[Any], Any], x: float) -> tuple[Side, str]:
    """On which side of each kink of its graph the function is at x, and the first op outside whose domain it is."""
    y = section(Value(x))
    if not isinstance(y, Value):
        return (), "" if math.isfinite(float(y)) else "the function"
    side: list[Any] = []
    for node in topological_order([y]):
        if node.op is None:
            continue
        operands = [float(a) for a in node.args]
        if not math.isfinite(node.data) and all(map(math.isfinite, operands)):
            return (node.op.name, "outside"), f"{node.op.name} at {', '.join(f'{a:.6g}' for a in operands)}"
        side.append(node.op.name)
        if node.op.kinks is not None:
            side.extend(math.copysign(1.0, s) if s else 0.0 for s in node.op.kinks(*operands))
    return tuple(side), ""


def input_names(args: tuple[Any, ...]) -> list[str]:
    """What to call each number of the arguments: x[0], x[1]["bias"], y, ..."""
    letters = "xyzuvw"
    roots = letters[: len(args)] if len(args) <= len(letters) else [f"x{i}" for i in range(len(args))]
    return [name for root, arg in zip(roots, args, strict=True) for name in _paths(root, arg)]


def _paths(root: str, tree: Any) -> list[str]:
    if hasattr(tree, "ndim") and getattr(tree, "shape", ()) != ():
        from itertools import product

        return [f"{root}[{', '.join(map(str, index))}]" for index in product(*map(range, tree.shape))]
    if isinstance(tree, dict):
        return [path for key, branch in tree.items() for path in _paths(f"{root}[{key!r}]", branch)]
    if isinstance(tree, (list, tuple)):
        return [path for i, branch in enumerate(tree) for path in _paths(f"{root}[{i}]", branch)]
    return [root]
