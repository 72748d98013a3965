"""Random graphs of up to 200 operations: value and derivatives in both modes against a replay in arbitrary precision.

How exact a result in floats can be depends on the expression: where it cancels, the rounding of an early result is magnified.
What to allow is therefore measured. The replay is repeated with every intermediate result moved by at most one rounding
(2^-53 of itself), at random; a good algorithm may be off by a modest multiple of what that does to the exact answer.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf  # type: ignore[import-untyped]

from autograd import Value, jvp, ops
from autograd.ops.op import Op
from autograd.testing import Expression, expressions

from .. import oracle

UNIT = 2.0**-53
MULTIPLE = 100.0
DIGITS = (80, 400)  # enough for derivatives down to 1e-60 also at tiny inputs; polygamma at a thousand digits would take seconds
Function = Callable[..., Any]

graphs = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def exactly(op: Op, operands: tuple[Any, ...]) -> Any:
    return oracle.ORACLE[op.name](*(mpf(x) for x in operands))


def replay(e: Expression) -> Function:
    return lambda *x: e.replay(x, exactly)


def shaken(e: Expression, seed: int) -> Function:
    """The expression with every result moved by a rounding, the same at every call."""

    def f(*x: Any) -> Any:
        rng = random.Random(seed)
        return e.replay(x, lambda op, operands: exactly(op, operands) * (1 + mpf(UNIT) * rng.choice((-1, 1))))

    return f


def measured(e: Expression, measure: Callable[[Function], Any]) -> list[Any]:
    """A measure of the exact expression, and of two shaken ones if these stay inside the domain of every operation."""
    exact = measure(replay(e))
    try:
        return [exact, *(measure(shaken(e, seed)) for seed in (1, 2))]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return [exact]


def assert_right(results: Sequence[float], measures: Sequence[Any]) -> None:
    """Each result is the exact measure, the first, to 1e-9, or to a multiple of what roundings do to it."""
    exact, *moved = measures
    if not moved:
        return  # one rounding more and the expression leaves the domain of an operation: there is nothing to compare with
    allowed = 1e-9 * abs(exact) + MULTIPLE * max(abs(m - exact) for m in moved) + 1e-60
    for result in results:
        if math.isfinite(result) or allowed < 1e300:
            assert abs(result - exact) <= allowed, f"{result}, not {mp.nstr(exact, 17)} +- {mp.nstr(allowed, 3)}"


@graphs
@given(e=expressions(max_size=200), data=st.data())
def test_value_and_gradient_of_random_graphs(e: Expression, data: st.DataObject) -> None:
    assume(all(op is not ops.stop_gradient for op, _ in e.steps))  # numerics do not hold constant what it holds
    n = len(e.point)
    leaves = [Value(x) for x in e.point]
    root = e(*leaves)
    root.backward()
    direction = data.draw(st.lists(st.sampled_from((-2.0, -1.0, 0.5, 1.0)), min_size=n, max_size=n))
    value, tangent = jvp(e, e.point, direction)
    assert value == root.data == e(*e.point)

    with mp.workdps(80):
        assert_right([root.data], measured(e, lambda f: f(*map(mpf, e.point))))
    slopes = [measured(e, lambda f, i=i: oracle.slope(f, e.point, i, DIGITS)) for i in range(n)]  # type: ignore[misc]
    for i, (leaf, slope) in enumerate(zip(leaves, slopes, strict=True)):
        along = jvp(e, e.point, [float(k == i) for k in range(n)])[1]
        assert_right([leaf.grad, along], slope)
    product = math.fsum(leaf.grad * d for leaf, d in zip(leaves, direction, strict=True))
    along_direction = [sum(s * d for s, d in zip(gradient, direction, strict=True)) for gradient in zip(*slopes, strict=False)]
    assert_right([tangent, product], along_direction)
