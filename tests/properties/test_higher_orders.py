"""Derivatives of orders 1 to 4, in all compositions of reverse and forward mode, keep their digits near 0, near borders and far out.

Each is right to 1e-12 of itself, where it is not about to overflow. The points are off the roots that a derivative has elsewhere than at 0:
there its terms cancel. So they do for two kinds of ops at points that are left out here: norm and cohypot far along one operand, whose
second derivative in it is a small difference; and a share of three or more that is near one half, or of two that nearly tie, in the third
derivative of logsumexp.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from autograd import grad, jvp, ops
from autograd.ops.op import Op
from autograd.testing import _inside

from .. import oracle

Function = Callable[[Any], Any]
Point = tuple[float, ...]

LINE = [0.0, 1e-300, -1e-18, 1e-18, 1e-8, -1e-3, 0.3, -0.99, 1.7, -5.0, 40.0, -300.0, 600.0, -720.0, 1e5, -1e18, 1e100]
NEAR_ONE = [1.0 - 2.0**-53, 1.0 - 1e-10, -1.0 + 1e-10, 1.0 + 2.0**-52, 1.0 + 1e-10]
ONE_NUMBER = [
    "reciprocal", "square", "sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin",
    "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "erf", "erfc", "lgamma", "sigmoid", "log_sigmoid",
    "softplus", "swish", "gelu", "sigmoid_slope",
]  # fmt: skip
SHARES = [(0.0, -40.0, -3.0), (-40.0, 0.0, -3.0), (0.0, -300.0), (1.0, 2.0, 3.0)]
SEVERAL: dict[str, list[Point]] = {
    "div": [(3.0, 4.0), (1e100, 1e-20), (1e-18, 7.0)],
    "pow": [(3.0, 4.0), (2.0, 0.5), (1e-10, 3.0), (1e-10, 0.3), (1.0, 1e-18), (1e10, -0.3), (0.5, 2.0), (3.0, 0.0), (1.0, 0.0)],
    "logaddexp": [(0.0, 1e-18), (1e-8, 0.0), (3.0, -20.0), (-300.0, 300.0), (1e17, 1e17), (2.0, 2.0)],
    "exp_difference": [(1e17, 1e17), (-300.0, 300.0), (2.0, 2.5)],
    "sigmoid_difference": [(0.0, 1e-18), (3.0, -20.0), (-300.0, 300.0), (1e17, 1e17)],
    "arctan2": [(3.0, 4.0), (1e-18, 1.0), (1.0, -1e-18), (1e8, 1.0)],
    "hypot": [(3.0, 4.0), (1e-70, 1e-70), (1e8, 1.0), (1.0, -1e-8), (1e-18, 1.0), (1.0, 0.0)],
    "direction_cosine": [(3.0, 4.0), (1e8, 1.0), (1.0, 1e-8), (1e-18, 1.0)],
    "norm": [(3.0, 4.0, 1.0)],
    "cohypot": [(1.0, 0.3), (5.0, 4.0)],
    "swish": [(1.0, 1e-18), (-3.0, 2.0), (30.0, 2.7), (-30.0, 7.0), (1e-8, 2.0)],
    "exp_neg_square": [(0.0, 1.0), (0.3, 0.5), (1e-18, 1.0), (-5.0, 0.5), (20.0, 1.0)],
    "logsumexp": SHARES,
    "softmax": SHARES,
    "log_softmax": SHARES,
    "prod": [(1.0, 2.0, 3.0), (1e-18, 2.0, 5.0), (0.0, 2.0, 3.0)],
}


def by_reverse(f: Function) -> Function:
    return grad(f)


def by_forward(f: Function) -> Function:
    return lambda x: jvp(f, (x,), (1.0,))[1]


def compositions(order: int, turn: int) -> Iterator[tuple[Function, ...]]:
    """All of the first two orders, of the others one of mixed modes in turn, and those of one mode."""
    everything = list(product((by_reverse, by_forward), repeat=order))
    yield from everything if order <= 2 else (everything[0], everything[-1], everything[turn % len(everything)])


def check(op: Op, x: Point, i: int, turn: int, every: bool = False) -> None:
    for order, exact in enumerate(oracle.orders(op.name, x, i), start=1):
        nearest = oracle.rounded(exact)
        if abs(nearest) > 1e290:
            return
        for modes in product((by_reverse, by_forward), repeat=order) if every else compositions(order, turn):

            def f(v: Any) -> Any:
                return op.apply(*x[:i], v, *x[i + 1 :])

            for mode in modes:
                f = mode(f)
            d = float(f(x[i]))
            assert math.isclose(d, nearest, rel_tol=1e-12, abs_tol=1e-318), (
                f"{op.name}{x}, order {order} in operand {i} by {[mode.__name__ for mode in modes]}: {d}, not {nearest}"
            )


def points(name: str) -> list[Point]:
    op = ops.table[name]
    line = LINE if op.domain[0] == (-math.inf, math.inf) else LINE + NEAR_ONE
    return [(x, *op.defaults) for x in line if _inside(op, (x,)) and not (op.kinks and 0.0 in op.kinks(x))]


@pytest.mark.parametrize("name", ONE_NUMBER)
def test_functions_of_one_number(name: str) -> None:
    for turn, x in enumerate(points(name)):
        check(ops.table[name], x, 0, turn)


@pytest.mark.parametrize("name", SEVERAL)
def test_functions_of_several_numbers(name: str) -> None:
    for turn, x in enumerate(SEVERAL[name]):
        for i in range(len(x)):
            check(ops.table[name], x, i, turn + i)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_NUMBER)
def test_all_compositions(name: str) -> None:
    for x in points(name):
        check(ops.table[name], x, 0, 0, every=True)


def test_no_smooth_op_is_left_out() -> None:
    """But those whose rules are constants, and the polygammas, which differ by their order alone."""
    linear = {"add", "sub", "mul", "neg", "pos", "sum", "mean", "dot", "polygamma", "stop_gradient"}
    kinked = {name for name in ops.builtin if ops.table[name].kinks is not None} - set(ONE_NUMBER) - set(SEVERAL)
    assert set(ONE_NUMBER) | set(SEVERAL) == ops.builtin - linear - kinked - {"where"}
