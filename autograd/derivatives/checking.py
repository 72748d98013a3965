"""gradcheck: the derivatives of a function held against numerical differentiation, with knowledge of kinks and domains.

Where a function has one slope, the derivative must be it. At a kink or a jump the derivative must be the slope of one side or lie between
the two, as the conventions of autograd.ops have it; at the border of its domain, the slope inside. How slopes are found without the
rules that are to be checked, `witness` tells. What it cannot tell is no pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..ops.op import Op
from ..support.plain import as_float, shown
from ..support.structure import leaves, rebuild
from ..support.tables import table
from .functional import grad
from .slopes import UNKNOWN, Slope
from .witness import Witness

if TYPE_CHECKING:
    from .signatures import Function, P, Structure

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
    """The outcome of `gradcheck`: true if every derivative that exists is right. Prints as a table."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows: tuple[Row, ...] = tuple(rows)

    def __bool__(self) -> bool:
        return not (self.failures or self.undecided)

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows whose derivative is wrong."""
        return tuple(row for row in self.rows if row.verdict == WRONG)

    @property
    def undecided(self) -> tuple[Row, ...]:
        """The rows where numerical differentiation is too rough to tell. They are not right: nothing vouches for them."""
        return tuple(row for row in self.rows if row.verdict == UNSURE)

    def __str__(self) -> str:
        head = ("input", "analytic", "numeric", "error", "verdict")
        body = [(r.input, f"{r.analytic:.10g}", f"{r.numeric:.10g}", f"{r.error:.2g}", r.verdict + r.note) for r in self.rows]
        return table(head, body)

    __repr__ = __str__


def gradcheck(
    f: Function[P], *args: Structure, order: Literal[1, 2] = 1, rtol: float = 1e-6, atol: float = 1e-8
) -> GradCheck:
    """Check the derivatives of `f` at `args` against numerical differentiation.

    Args:
        f: takes numbers or nested structures of them, returns one number.
        args: where to check; every number in them is checked.
        order: 1 for the gradient; 2 for the gradient and the Hessian, whose columns are held against differences of the gradient.
        rtol, atol: a derivative passes if |analytic - numeric| <= atol + rtol * |numeric|, with the estimated error of the numeric
            derivative allowed on top. If that error is larger than this and than 1e-4 of the derivative, numerics are too rough to tell.

    Returns:
        A GradCheck: truthy if nothing is wrong and nothing undecided; `print` shows input, analytic, numeric, error and verdict for
        each derivative. At a kink the derivative must lie between the slopes of both sides, at the border of the domain it must be
        that of the inside, and where the function is no finite number there is nothing to check.

    >>> bool(gradcheck(lambda x: x**3, 2.0))
    True
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2 (got {shown(order)})")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not as_float(tolerance, name) >= 0.0:
            raise ValueError(f"{name} must be 0 or more (got {shown(tolerance)})")
    if not args:
        raise TypeError("gradcheck needs at least one argument to differentiate with respect to: gradcheck(f, x)")
    numbers = [as_float(x, "an argument of gradcheck") for x in leaves(args)]
    names = input_names(f, args)

    function: Callable[..., Any] = f

    def gradient(*at: Any) -> list[Any]:
        return leaves(grad(f, range(len(args)))(*at))

    def check(outputs: Callable[..., list[Any]], names: list[list[str]], analytic: list[list[Any]]) -> list[Row]:
        witness = Witness(lambda at: outputs(*rebuild(args, iter(at))), numbers)
        tolerance = _Tolerance(rtol, atol)
        columns = [
            [_row(row[j], float(d[j]), i, j, witness, tolerance) for i, (row, d) in enumerate(zip(names, analytic, strict=True))]
            for j in range(len(numbers))
        ]
        return [row for rows in zip(*columns, strict=True) for row in rows]

    rows = check(lambda *at: [function(*at)], [names], [gradient(*args)])
    if order == 2:
        second = [leaves(grad(_entry_of_gradient(gradient, i), range(len(args)))(*args)) for i in range(len(names))]
        rows += check(gradient, [[f"{name}, {other}" for other in names] for name in names], second)
    return GradCheck(rows)


def _entry_of_gradient(gradient: Callable[..., list[Any]], i: int) -> Callable[..., Any]:
    return lambda *at: gradient(*at)[i]


class _Tolerance(NamedTuple):
    """How far a derivative may be off."""

    rtol: float
    atol: float

    def around(self, numeric: float) -> float:
        return self.atol + self.rtol * abs(numeric) if math.isfinite(numeric) else 0.0

    def is_met(self, slope: Slope) -> bool:
        """Whether a slope is known well enough to judge by it: within the tolerance, to four digits, or to nine of terms that cancel."""
        digits = max(1e-4 * abs(slope.middle), 1e-9 * slope.size) if slope.size < math.inf else 0.0
        return 0.5 * slope.width <= max(self.around(slope.middle), digits)


def _row(name: str, analytic: float, i: int, j: int, witness: Witness, tolerance: _Tolerance) -> Row:
    """The verdict on the derivative of the i-th output in the j-th input."""
    nowhere = _outside(witness, i, j)
    if nowhere:
        return Row(name, analytic, math.nan, math.nan, OUTSIDE, nowhere)
    left, right = witness.slopes(i, j, tolerance.is_met)
    sides = [s for s in (left, right) if s is not None]
    if not sides:
        return Row(name, analytic, math.nan, math.nan, OUTSIDE, f" of {witness.outside(j)} on both sides")
    if analytic == analytic and UNKNOWN in sides:
        return Row(name, analytic, math.nan, math.nan, UNSURE)
    low, high = min(s.middle for s in sides), max(s.middle for s in sides)
    numeric = low if analytic < low or low == high else high if analytic > high else analytic
    error = 0.0 if analytic == numeric else abs(analytic - numeric)
    allowed = tolerance.around(numeric) + 0.5 * max(s.width for s in sides)
    shown = [f"{s.middle if abs(s.middle) > 1e-3 * tolerance.atol else 0.0:.6g}" for s in sides]
    both = f": {shown[0]} on the left, {shown[1]} on the right" if len(sides) == 2 else ""
    differ = high - low > 2.0 * allowed
    if not error <= allowed:
        return Row(name, analytic, numeric, error, WRONG, f" {KINK}{both}" if differ else "")
    if not all(map(tolerance.is_met, sides)):
        return Row(name, analytic, numeric, error, UNSURE)
    if not both:
        return Row(name, analytic, numeric, error, BORDER, f" of {witness.outside(j)}")
    if differ or (left is not right and witness.breaks(i, j)):
        return Row(name, analytic, numeric, error, KINK, both)
    return Row(name, analytic, numeric, error, OK)


def _outside(witness: Witness, i: int, j: int) -> str:
    """Why the function has no derivative there: it is no finite number, or the input is none; empty elsewhere."""
    if not math.isfinite(witness.at[j]):
        return f": {witness.at[j]} is no place to differentiate at"
    if math.isfinite(witness.here.value(i)):
        return ""
    node = witness.here.outside()
    if node is None or node.op is None:
        return " of the function"
    return f" of {node.op.name} at {', '.join(f'{float(x):.6g}' for x in node.args)}"


# Names -------------------------------------------------------------------------------------------------------------------


def input_names(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """What to call each number of the arguments, after the parameters of `f`: x[0], weights[1]["bias"], y, ..."""
    roots = _parameters(f)[: len(args)]
    if len(roots) < len(args):
        roots = [*"xyzuvw"][: len(args)] if len(args) <= 6 else [f"x{i}" for i in range(len(args))]
    return [name for root, arg in zip(roots, args, strict=True) for name in _paths(root, arg)]


def _parameters(f: Callable[..., Any]) -> list[str]:
    """The names of the positional parameters of a function, as far as it tells them."""
    if isinstance(f, Op):
        return []
    import inspect  # here, as it would take a tenth of the time to import the package

    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _paths(root: str, tree: Any) -> list[str]:
    if hasattr(tree, "ndim") and getattr(tree, "shape", ()) != ():
        from itertools import product

        return [f"{root}[{', '.join(map(str, index))}]" for index in product(*map(range, tree.shape))]
    if isinstance(tree, dict):
        return [path for key, branch in tree.items() for path in _paths(f"{root}[{key!r}]", branch)]
    if isinstance(tree, (list, tuple)):
        return [path for i, branch in enumerate(tree) for path in _paths(f"{root}[{i}]", branch)]
    return [root]
