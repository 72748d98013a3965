"""Random programs at special numbers: nan, infinities and signs of zeros are those of the eager engine, on every backend."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from autograd import Graph, Value, arctan, compile, grad, greater, jvp, log, ops, where
from autograd.ops.op import Op
from autograd.support.structure import leaves, rebuild

from .checks import BACKENDS
from .programs import Program, eager, random_program

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]
EXTREME = [*SPECIAL, 1e300, -1e300, 1e-300, 5e-324, 710.0, -745.0]


def spoiled(rng: Random, tree: Any, share: float, numbers: list[float]) -> Any:
    """The structure with special numbers in place of a share of its own."""
    return rebuild(tree, iter([rng.choice(numbers) if rng.random() < share else float(v) for v in leaves(tree)]))


def program_at_special_numbers(seed: int, numbers: list[float] = SPECIAL) -> Program:
    rng = Random(seed)
    program = random_program(seed)
    share = rng.choice([0.1, 0.3, 0.6])
    program.params = spoiled(rng, program.params, rng.choice([0.0, share]), numbers)
    program.rows = [spoiled(rng, row, share, numbers) for row in program.rows]
    return program


def different(found: Any, expected: Iterable[float], roundings: bool, signs: bool = False) -> list[tuple[float, float]]:
    """The pairs that differ: in nan, in infinities, in the sign of a zero if it counts, by more than a stated rounding if they count."""
    pairs = zip(np.array(found, dtype=float).ravel().tolist(), np.array(expected, dtype=float).ravel().tolist(), strict=True)
    return [(a, b) for a, b in pairs if not alike(a, b, roundings, signs)]


def alike(a: float, b: float, roundings: bool, signs: bool) -> bool:
    if not (math.isfinite(a) and math.isfinite(b)):
        return repr(a) == repr(b)
    if a == b == 0.0:
        return not signs or math.copysign(1.0, a) == math.copysign(1.0, b)
    return not roundings or abs(a - b) <= 1e-9 * max(1.0, abs(b))


SUMS = ("add", "sub", "sum", "mean", "dot")


def decided_by_rounding(program: Program, numbers: list[float], row: list[float]) -> bool:
    """Whether a sum comes so near to a kink that the order of its terms decides on the side."""
    p, x = rebuild(program.params, iter(map(Value, numbers))), rebuild(program.rows[0], iter(map(Value, row)))
    y = program.fn(p, x)
    for node in Graph(y) if isinstance(y, Value) else ():
        of_sums = any(parent.op and parent.op.name in SUMS for parent in node.parents)
        if of_sums and node.op and node.op.kinks and any(abs(s) < 1e-9 for s in node.op.kinks(*map(float, node.args))):
            return True
    return False


@np.errstate(all="ignore")
def check_special(program: Program, roundings: bool = True) -> None:
    """With `roundings`, finite numbers have to be close: where numbers as 1e300 cancel, the order of a sum decides on all digits."""
    numbers, rows = [float(v) for v in leaves(program.params)], [[float(v) for v in leaves(row)] for row in program.rows]
    values, grads, input_grads = eager(program, numbers, rows)
    for backend in BACKENDS:
        f = compile(program.fn, program.params, program.rows[0], backend=backend)
        differences = [
            different(f(program.params, program.rows), values, roundings, signs=True),
            different(leaves(f.value_and_grad(program.params, program.rows, "sum")[1]), grads, roundings),
            different(f.input_grads(program.params, program.rows), input_grads, roundings),
        ]
        if any(decided_by_rounding(program, numbers, row) for row in rows):  # on which side of a kink the row lies
            differences = differences[:1]
        if f.report.repaired:  # formulas that overflow as written, and do not when compiled
            differences = [[(a, b) for a, b in pairs if math.isfinite(b)] for pairs in differences]
        assert not any(differences), f"{backend}: {differences} for {program}"


EXACT = [op for name, op in ops.table.items() if name in ops.builtin and name not in ("sum", "mean", "dot", "norm", "swish")]
LINE = [*EXTREME, 5e-324, -1e-310, 1e-160, -1e-160, 1e-18, -1e-8, 0.3, -7.3, 26.7, -709.0, -720.0, 1e17, -1e17, 1e155, -1.7e308]


@pytest.mark.parametrize("op", EXACT, ids=lambda op: op.name)
def test_every_op_has_the_derivatives_of_the_eager_engine(op: Op) -> None:
    """At special and extreme numbers, to some ulps in values and derivatives: parameters, inputs and constants alike."""
    rng = Random(op.name)
    length = op.arity or rng.choice([2, 3])
    rows = [[rng.choice(op.choices.get(i, LINE)) for i in range(length)] for _ in range(20 if op.arity == 1 else 60)]
    rows += [[x] * length for x in LINE if op.arity is None]
    values, grads = [], []
    for row in rows:
        leaves_ = [Value(v) for v in row]
        y = op.apply(*leaves_)
        y.backward()
        values.append(y.data)
        grads.append([v.grad for v in leaves_])
    for backend in BACKENDS:
        f = compile(lambda p, x: op.apply(*x), [], rows[0], backend=backend)
        found = zip(f([], rows), f.input_grads([], rows).tolist(), strict=True)
        for row, y, row_grads, (value, input_grads) in zip(rows, values, grads, found, strict=True):
            pairs = [(value, y), *zip(input_grads, row_grads, strict=True)]
            assert all(within(a, b, 20) for a, b in pairs), f"{backend}: {op.name}{row} is {pairs}"


def by_reverse(f: Any) -> Any:
    return grad(f)


def by_forward(f: Any) -> Any:
    return lambda x: jvp(f, (x,), (1.0,))[1]


SMOOTH = {"arccosh": (1.7,), "cohypot": (1.7, 0.4), "polygamma": (1.0, 0.6), "where": (1.0, 0.6, 0.3), "exp_neg_square": (0.6, 0.5)}


@pytest.mark.parametrize("name", sorted(ops.builtin))
def test_derivatives_inside_a_compiled_function(name: str) -> None:
    """Of orders 2 and 3, in all compositions of reverse and forward mode, those of the eager engine, structural zeros among them."""
    op = ops.table[name]
    at = SMOOTH.get(name, (0.6, 0.3, -0.2, 0.9)[: op.arity or 4])
    for i, x in enumerate(at[:2]):

        def function(v: Any) -> Any:
            return op.apply(*at[:i], where(greater(v, 0.0), v, v * v), *at[i + 1 :])  # noqa: B023

        for modes in (*product((by_reverse, by_forward), repeat=2), (by_forward, by_reverse, by_forward)):
            f = functools.reduce(lambda g, mode: mode(g), modes, function)
            found = compile(lambda p, row: f(row[0]), [], [x], backend="reference")([], [[x], [-x]])  # noqa: B023
            assert [float(y) for y in found] == pytest.approx([f(x), f(-x)], rel=1e-10, abs=1e-12, nan_ok=True), (i, modes)


def within(a: float, b: float, ulps: int) -> bool:
    return repr(float(a)) == repr(b) or abs(a - b) <= ulps * math.ulp(b) < math.inf


@pytest.mark.parametrize("name", ["mean", "sum", "dot"])
def test_sums_whose_parts_overflow(name: str) -> None:
    """Finite, or infinite and not nan, where a partial sum or a product has overflowed."""
    op, big = ops.table[name], 1.7e308
    rows = [[big, 1e308, -big, -5.0], [big, big, -math.inf, 1.0], [1e200, 1e200, 1e200, -1e200], [big, big, 3.0, 3.0]]
    for backend in BACKENDS:
        f = compile(lambda p, x: op.apply(*x) + p[0], [0.0], rows[0], backend=backend)
        for found, row in zip(f([0.0], rows), rows, strict=True):
            assert within(found, op.apply(*row), 4), (backend, row)


def test_a_factor_that_is_0_is_no_structural_zero() -> None:
    """1 / inf is a number: times the infinite derivative of the logarithm it is nan."""
    for backend in BACKENDS:
        f = compile(lambda p, x: arctan(log(x[0] / math.inf)) * p[0], [1.0], [1.0], backend=backend)
        x = Value(1.0)
        arctan(log(x / math.inf)).backward()
        assert repr(float(f.input_grads([1.0], [[1.0]])[0][0])) == repr(x.grad)


@pytest.mark.parametrize("start", range(0, 80, 20))
def test_a_few_hundred(start: int) -> None:
    for seed in range(start, start + 20):
        check_special(program_at_special_numbers(seed))
        check_special(program_at_special_numbers(seed, EXTREME), roundings=False)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 10_000, 250))
def test_twenty_thousand(start: int) -> None:
    for seed in range(start, start + 250):
        check_special(program_at_special_numbers(seed))
        check_special(program_at_special_numbers(seed, EXTREME), roundings=False)
