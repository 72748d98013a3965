"""Property testing for code that uses this package: Hypothesis strategies, assertions, a pytest fixture.

    from hypothesis import given, settings
    from autograd.testing import assert_gradients, expressions, points_for

    @settings(deadline=None)  # numerics take their time over a few
    @given(expressions())
    def test_any_expression(e):
        assert_gradients(e, *e.point)

`st.from_type(Value)` gives `values()`, and the fixture `gradcheck` is `assert_gradients`, both without an import.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from inspect import Parameter, Signature
from typing import Any, Literal

from . import ops
from .derivatives.checking import GradCheck, gradcheck
from .numbers.value import Value
from .ops import named
from .ops.op import Op


def _register() -> None:
    """Hypothesis calls this through an entry point, so that st.from_type(Value) works; it does so while it is first imported itself."""
    from hypothesis.strategies import register_type_strategy

    register_type_strategy(Value, lambda _: values())


from hypothesis import currently_in_test_context, reject
from hypothesis import strategies as st


def values(min_value: float = -1e3, max_value: float = 1e3) -> st.SearchStrategy[Value]:
    """Leaf Values with finite data between the bounds."""
    return st.builds(Value, st.floats(min_value, max_value))


def points_for(op: Op | str, limit: float = 1e3) -> st.SearchStrategy[tuple[float, ...]]:
    """Operands for `op` where its derivatives exist: inside its domain, off its kinks, with a finite result.

    Args:
        op: an Op or its name. Operands of a function of a sequence come as tuples of 1 to 6 numbers.
        limit: the largest absolute value of an operand.
    """
    op = named(op) if isinstance(op, str) else op
    if op.arity is not None:
        candidates: st.SearchStrategy[tuple[float, ...]] = st.tuples(*(_operand(op, i, limit) for i in range(op.arity)))
    elif op.name == "dot":
        pairs = st.lists(st.tuples(_operand(op, 0, limit), _operand(op, 0, limit)), min_size=1, max_size=3)
        candidates = pairs.map(lambda p: (*(a for a, _ in p), *(b for _, b in p)))
    else:
        candidates = st.lists(_operand(op, 0, limit), min_size=1, max_size=6).map(tuple)
    return candidates.filter(lambda x: smooth(op, x))


def _operand(op: Op, i: int, limit: float) -> st.SearchStrategy[float]:
    if i in op.choices:
        return st.sampled_from(op.choices[i])
    low, high = op.domain[min(i, len(op.domain) - 1)]
    return st.floats(max(low, -limit), min(high, limit), exclude_min=low > -limit, exclude_max=high < limit, allow_subnormal=False)


def smooth(op: Op, x: Iterable[float], margin: float = 1e-4) -> bool:
    """Whether `op` is defined at x and in its neighbourhood, with no kink there: no switch changes sign within the margin."""
    x = tuple(x)
    if not (_inside(op, x) and math.isfinite(op.forward(*x))):
        return False
    if op.kinks is None:
        return True
    here = op.kinks(*x)
    if 0.0 in here:
        return False
    signs = [math.copysign(1.0, s) for s in here]
    for i, v in enumerate(x):
        if i in op.choices:
            continue
        h = margin * max(abs(v), margin)
        for near in (v - h, v + h):
            there = op.kinks(*x[:i], near, *x[i + 1 :])
            if [math.copysign(1.0, s) for s in there] != signs:
                return False
    return True


def _inside(op: Op, x: tuple[float, ...]) -> bool:
    last = len(op.domain) - 1
    return all(op.domain[min(i, last)][0] < v < op.domain[min(i, last)][1] for i, v in enumerate(x))


class Expression:
    """A random expression: a function of `len(point)` numbers of any kind, smooth around `point`.

    Attributes:
        point: floats at which every operation is defined and off its kinks.
        steps: for each operation its Op and operands; an int refers to an input or an earlier step, a float is a constant.
    """

    def __init__(self, point: list[float], steps: list[tuple[Op, tuple[int | float, ...]]]) -> None:
        self.point = point
        self.steps = steps

    def __call__(self, *inputs: Any) -> Any:
        """The expression applied to numbers of any kind: floats, Values, Duals, arrays, ..."""
        return self.replay(inputs, lambda op, operands: op.apply(*operands))

    def replay(self, inputs: Iterable[Any], apply: Callable[[Op, tuple[Any, ...]], Any]) -> Any:
        """The expression computed with another meaning of its operations, as by a high-precision library."""
        numbers = list(inputs)
        if len(numbers) != len(self.point):
            raise TypeError(f"the expression takes {len(self.point)} numbers (got {len(numbers)})")
        for op, operands in self.steps:
            numbers.append(apply(op, tuple(numbers[x] if isinstance(x, int) else x for x in operands)))
        return numbers[-1]

    def value(self) -> Value:
        """The root of its graph at `point`."""
        root: Value = self(*map(Value, self.point))
        return root

    @property
    def __signature__(self) -> Signature:
        """Its inputs by the names that they have in the code."""
        return Signature([Parameter(f"x{i}", Parameter.POSITIONAL_ONLY) for i in range(len(self.point))])

    def __repr__(self) -> str:
        """As code, for the report of a failing example."""
        names = [f"x{i}" for i in range(len(self.point))]
        lines = [f"{', '.join(names)} = {', '.join(map(repr, self.point))}"]
        for op, operands in self.steps:
            names.append(f"v{len(names)}")
            arguments = ", ".join(names[x] if isinstance(x, int) else repr(x) for x in operands)
            lines.append(f"{names[-1]} = {op.name}({arguments})")
        return "\n".join(["Expression:", *lines])


@st.composite
def expressions(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    operations: Iterable[Op | str] | None = None,
    max_inputs: int = 4,
    max_size: int = 30,
    limit: float = 1e3,
) -> Expression:
    """Random expression DAGs with shared subexpressions, constants and repeated operands, from deep chains to wide trees.

    A failing example shrinks to the operations that fail, at the operands with which they did or simpler ones.

    Args:
        operations: the ops to use, or their names; every function of the package by default, your own primitives included.
        max_inputs: the largest number of inputs.
        max_size: the largest number of operations.
        limit: no intermediate result is larger in absolute value.
    """
    choices = tuple(named(op) if isinstance(op, str) else op for op in (operations or _offered()))
    inputs = [draw(_number(_PLACES[i % 4] + i // 4, 3.0)) for i in range(max_inputs)]
    constants = [draw(_number(c, 2.0)) for c in (2.0, -1.0, 0.25)]
    deep = draw(st.booleans())  # prefer recent results to any
    last = draw(st.integers(1, 4 * max_size))  # how many operations to keep, the results before them becoming inputs
    numbers, steps = [*inputs], []
    for _ in range(draw(st.integers(1, max_size))):
        op, code = draw(_one_of(choices)), draw(_up_to(2**24 - 1))
        if not code:
            continue  # so Hypothesis leaves an operation out
        operands = _operands(op, [code >> 4 * k & 15 for k in range(6)], len(numbers), constants, deep)
        at = tuple(numbers[x] if isinstance(x, int) else x for x in operands)
        if smooth(op, at) and abs(op.forward(*at)) <= limit:
            steps.append((op, operands))
            numbers.append(op.forward(*at))
    if not steps:
        return Expression(inputs[:1], [(ops.square, (0,))])
    cuts = (_live(numbers, steps, kept) for kept in range(min(last, len(steps)), len(steps) + 1))
    return next(expression for expression in cuts if len(expression.point) <= max_inputs)


_PLACES = (0.5, 1.5, -0.5, 2.5)  # simple numbers where few derivatives vanish


@cache
def _number(simplest: float, limit: float) -> st.SearchStrategy[float]:
    """A number that shrinks to the simplest."""
    return st.floats(-limit, limit, allow_subnormal=False).map(lambda x: x or (simplest if math.copysign(1.0, x) > 0.0 else 0.0))


_up_to = cache(partial(st.integers, 0))
_one_of = lru_cache(8)(st.sampled_from)


def _operands(op: Op, digits: list[int], count: int, constants: list[float], deep: bool) -> tuple[int | float, ...]:
    """Places among `count` earlier numbers, with the odd constant, as six digits of 0 to 15 tell; at least one is a place."""

    def place(digit: int) -> int:
        return count - 1 - (digit % min(3, count) if deep else (digit % 12) ** 2 * count // 144)

    def operand(i: int) -> int | float:
        digit = digits[i % 6]
        if i in op.choices:
            return op.choices[i][digit % len(op.choices[i])]
        return constants[digit % 3] if digit > 11 else place(digit)

    length = digits[5] % 3 + 1 if op.name == "dot" else digits[5] % 5 + 1
    if op.name == "dot":
        return (*(place(digits[i]) for i in range(length)), *(operand(3 + i) for i in range(length)))
    chosen = [operand(i) for i in range(length if op.arity is None else op.arity)]
    if not any(isinstance(x, int) for x in chosen):
        chosen[next(i for i in reversed(range(len(chosen))) if i not in op.choices)] = place(digits[0])
    return tuple(chosen)


def _offered() -> list[Op]:
    return [op for name, op in ops.table.items() if name not in ops.helpers]


def _live(numbers: list[float], steps: list[tuple[Op, tuple[int | float, ...]]], kept: int) -> Expression:
    """The expression of the last step: what it depends on among the last `kept` steps, and the numbers that these start from."""
    first = len(numbers) - kept
    live = {len(numbers) - 1}
    for place in range(len(numbers) - 1, first - 1, -1):
        if place in live:
            live.update(x for x in steps[place - len(numbers)][1] if isinstance(x, int))
    places = {place: i for i, place in enumerate(sorted(live))}
    point = [numbers[place] for place in places if place < first]
    kept_steps = [steps[place - len(numbers)] for place in places if place >= first]
    return Expression(point, [(op, tuple(places[x] if isinstance(x, int) else x for x in operands)) for op, operands in kept_steps])


def assert_gradients(f: Callable[..., Any], *args: Any, order: Literal[1, 2] = 1, rtol: float = 1e-6, atol: float = 1e-8) -> GradCheck:
    """Fail with a table of all derivatives unless those of `f` at `args` agree with numerical differentiation.

    Where nothing is wrong but numerics are too rough to tell, it fails, too; in a property test such an example is left out instead,
    as by `hypothesis.assume`. Returns the GradCheck, of which points at kinks and outside domains can be read.
    """
    __tracebackhide__ = True
    result = gradcheck(f, *args, order=order, rtol=rtol, atol=atol)
    if result.failures:
        raise AssertionError(f"{len(result.failures)} of {len(result.rows)} derivatives are wrong\n{result}")
    if result.undecided:
        if currently_in_test_context():
            reject()
        raise AssertionError(
            f"{len(result.undecided)} of {len(result.rows)} derivatives cannot be told, as numerics are too rough there: "
            f"check at another point, or with larger rtol and atol\n{result}"
        )
    return result
