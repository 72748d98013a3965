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
from .op import as_float
from .slopes import Interval, middle, width
from .structure import leaves, rebuild
from .tables import table
from .witness import Witness

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
        return all(row.verdict not in (WRONG, UNSURE) for row in self.rows)

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
    names = input_names(f, args)

    def gradient(*at: Any) -> list[Any]:
        return leaves(grad(f, range(len(args)))(*at))

    def check(g, names, analytic):
        return _rows(lambda at: g(*rebuild(args, iter(at))), numbers, names, analytic, _Tolerance(rtol, atol))

    rows = check(lambda *at: [f(*at)], [names], [gradient(*args)])
    if order == 2:
        second = [leaves(grad(_entry_of_gradient(gradient, i), range(len(args)))(*args)) for i in range(len(names))]
        rows += check(gradient, [[f"{name}, {other}" for other in names] for name in names], second)
    return GradCheck(rows)


def _entry_of_gradient(gradient: Callable[..., list[Any]], i: int) -> Callable[..., Any]:
    return lambda *at: gradient(*at)[i]


class _Tolerance(NamedTuple):
    rtol: float
    atol: float

    def __call__(self, numeric: float) -> float:
        return self.atol + self.rtol * abs(numeric) if math.isfinite(numeric) else 0.0

    def enough(self, s: Interval) -> bool:
        """Whether a slope is known well enough to judge by: within the tolerance, or to four digits."""
        return width(s) <= 2.0 * max(self(middle(s)), 1e-4 * abs(middle(s)))


def _rows(f, numbers, names, analytic, tolerance) -> list[Row]:
    witness = Witness(f, numbers)
    return [
        _row(name, float(d), witness, i, j, tolerance)
        for i in range(len(names)) for j, (name, d) in enumerate(zip(names[i], analytic[i], strict=True))
    ]


def _row(name: str, analytic: float, witness: Witness, i: int, j: int, tolerance: _Tolerance) -> Row:
    """The verdict on one derivative."""
    if not math.isfinite(witness.at[j]):
        return Row(name, analytic, math.nan, math.nan, OUTSIDE, f": {witness.at[j]} is no place to differentiate at")
    if not math.isfinite(witness.here.value(i)):
        op = witness.here.outside()
        return Row(name, analytic, math.nan, math.nan, OUTSIDE, f" of {op or 'the function'}")
    left, right = witness.slopes(i, j, tolerance.enough)
    sides = [s for s in (left, right) if s is not None]
    if not sides:
        return Row(name, analytic, math.nan, math.nan, OUTSIDE, " on both sides")
    low, high = min(map(middle, sides)), max(map(middle, sides))
    numeric = min(max(analytic, low), high) if low <= analytic <= high else low if analytic < low else high
    error = 0.0 if analytic == numeric else abs(analytic - numeric)
    allowed = tolerance(numeric) + 0.5 * max(map(width, sides))
    if not error <= allowed:
        return Row(name, analytic, numeric, error, WRONG)
    if not all(map(tolerance.enough, sides)):
        return Row(name, analytic, numeric, error, UNSURE)
    if len(sides) == 1:
        return Row(name, analytic, numeric, error, BORDER)
    if high - low > 2.0 * allowed:
        return Row(name, analytic, numeric, error, KINK, f": {middle(left):.6g} on the left, {middle(right):.6g} on the right")
    return Row(name, analytic, numeric, error, OK)


def input_names(f, args: tuple[Any, ...]) -> list[str]:
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
