"""Property testing for code that uses this package: Hypothesis strategies, assertions, a pytest fixture.

    from hypothesis import given
    from autograd.testing import assert_gradients, expressions, points_for

    @given(expressions())
    def test_any_expression(e):
        assert_gradients(e, *e.point)

`st.from_type(Value)` gives `values()`, and the fixture `gradcheck` is `assert_gradients`, both without an import.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from . import ops
from .checking import GradCheck, gradcheck
from .op import Op, named
from .value import Value


def _register() -> None:
    """Hypothesis calls this through an entry point, so that st.from_type(Value) works; it does so while it is first imported itself."""
    from hypothesis.strategies import register_type_strategy

    register_type_strategy(Value, lambda _: values())


from hypothesis import strategies as st

# Operands that are not any real number of their domain.
_CHOICES: dict[tuple[str, int], tuple[float, ...]] = {
    ("where", 0): (0.0, 1.0),
    ("polygamma", 0): (0.0, 1.0, 2.0),
}


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
    if (op.name, i) in _CHOICES:
        return st.sampled_from(_CHOICES[op.name, i])
    low, high = op.domain[min(i, len(op.domain) - 1)]
    return st.floats(max(low, -limit), min(high, limit), exclude_min=low > -limit, exclude_max=high < limit, allow_subnormal=False)


def smooth(op: Op, x: Iterable[float], margin: float = 1e-4) -> bool:
    """Whether `op` is defined at x and in its neighbourhood, with no kink there: no switch changes sign within the margin."""
    x = tuple(x)
    if not (_inside(op, x) and math.isfinite(op.forward(*x))):
        return False
    if op.kinks is None:
        return True
    here = [math.copysign(1.0, s) for s in op.kinks(*x)]
    if 0.0 in op.kinks(*x):
        return False
    for i, v in enumerate(x):
        if (op.name, i) in _CHOICES:
            continue
        h = margin * max(abs(v), margin)
        for near in (v - h, v + h):
            there = op.kinks(*x[:i], near, *x[i + 1 :])
            if [math.copysign(1.0, s) for s in there] != here:
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

    def __repr__(self) -> str:
        """As code, for the report of a failing example."""
        names = [f"x{i}" for i in range(len(self.point))]
        lines = [f"{name} = {x!r}" for name, x in zip(names, self.point, strict=True)]
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

    Args:
        operations: the ops to use, or their names; every op of the table by default, your own primitives included.
        max_inputs: the largest number of inputs.
        max_size: the largest number of operations.
        limit: no intermediate result is larger in absolute value.
    """
    choices = [named(op) if isinstance(op, str) else op for op in (operations or ops.table.values())]
    point = draw(st.lists(st.floats(-3.0, 3.0, allow_subnormal=False), min_size=1, max_size=max_inputs))
    deep = draw(st.booleans())  # prefer recent results to any
    numbers, steps = list(point), []
    for _ in range(draw(st.integers(1, max_size))):
        op = draw(st.sampled_from(choices))
        operands = draw(_operands(op, len(numbers), deep))
        at = tuple(numbers[x] if isinstance(x, int) else x for x in operands)
        if smooth(op, at) and abs(op.forward(*at)) <= limit:
            steps.append((op, operands))
            numbers.append(op.forward(*at))
    if not steps:
        steps.append((ops.square, (0,)))
    return Expression(point, steps)


def _operands(op: Op, count: int, deep: bool) -> st.SearchStrategy[tuple[int | float, ...]]:
    """Places of earlier numbers, with the odd constant; at least one is a place."""
    place = st.integers(max(0, count - 3) if deep else 0, count - 1)
    constant = st.floats(-2.0, 2.0, allow_subnormal=False)
    either = st.one_of(place, place, place, constant)

    def operand(i: int) -> st.SearchStrategy[int | float]:
        return st.sampled_from(_CHOICES[op.name, i]) if (op.name, i) in _CHOICES else either

    if op.arity is not None:
        chosen: st.SearchStrategy[Any] = st.tuples(*map(operand, range(op.arity)))
    elif op.name == "dot":
        chosen = st.lists(st.tuples(place, either), min_size=1, max_size=3).map(lambda p: (*(a for a, _ in p), *(b for _, b in p)))
    else:
        chosen = st.lists(either, min_size=1, max_size=5).map(tuple)

    def with_place(drawn: tuple[Any, int]) -> tuple[int | float, ...]:
        x, somewhere = drawn
        return x if any(isinstance(v, int) for v in x) else (*x[:-1], somewhere)

    return st.tuples(chosen, place).map(with_place)


def assert_gradients(f: Callable[..., Any], *args: Any, order: int = 1, rtol: float = 1e-6, atol: float = 1e-8) -> GradCheck:
    """Fail with a table of all derivatives unless those of `f` at `args` agree with numerical differentiation.

    Returns the GradCheck, of which points at kinks and outside domains can be read.
    """
    result = gradcheck(f, *args, order=order, rtol=rtol, atol=atol)
    if not result:
        raise AssertionError(f"{len(result.failures)} of {len(result.rows)} derivatives are wrong\n{result}")
    return result
