"""Structural zeros: derivatives that are 0 because a result does not depend on an operand, not because a number happens to be 0.

Whatever comes from upstream, be it infinite or nan, a structural zero contributes nothing: the branch that `where` does not take, the
operand that `maximum` does not select, relu below 0, x**0, a direction without a component in an argument. So

    grad(lambda x: where(greater(x, 0.0), log(x), 0.0))(0.0)

is 0, although log'(0) is infinite. Exactly those zeros are structural that a rule writes with `when` (or as ZERO), that a user gives as
a seed or a direction, and those of nodes that nothing but such zeros reaches. Any other zero is a number: sqrt(x)**2 at 0 has the
derivative 0 * inf = nan, for there the limit is 1, and arithmetic cannot know. Forward mode multiplies from the other end than reverse
mode, so where a product of three derivatives overflows on its way to 0, one of them may give 0 and the other nan.
"""

from __future__ import annotations

from typing import Any, Final


class StructuralZero(float):
    """The type of ZERO: a float that is known by its identity. Arithmetic on it gives plain floats."""

    __slots__ = ()


ZERO: Final = StructuralZero()


def when(condition: Any, derivative: Any) -> Any:
    """`derivative` where the condition holds (is not 0), a structural zero elsewhere: for the rules of primitives.

    >>> from autograd import grad, greater, log, primitive, when
    >>> @primitive(partials=lambda y, x: (when(greater(x, 0.0), 1.0),))
    ... def ramp(x):
    ...     return max(x, 0.0)
    >>> grad(lambda x: log(ramp(x)))(-1.0)  # log'(0) is infinite, but the ramp is flat here
    0.0
    """
    if type(condition) is float:
        return derivative if condition else ZERO
    select = getattr(type(condition), "_when", None)
    return select(condition, derivative) if select is not None else derivative if condition else ZERO


def seed(x: Any) -> Any:
    """A seed or a component of a direction: a plain 0 is structural."""
    return ZERO if type(x) is float and x == 0.0 else x


def contribution(upstream: Any, partial: Any) -> Any:
    """upstream x partial, nothing if either is; without recording a multiplication by one."""
    if partial is ZERO or upstream is ZERO:
        return ZERO
    if type(upstream) is float and upstream == 1.0:
        return partial
    return upstream if type(partial) is float and partial == 1.0 else upstream * partial


def plus(total: Any, share: Any) -> Any:
    """The sum of what has arrived, where ZERO is nothing; zeros that are numbers come out as +0."""
    if share is ZERO:
        return total
    if total is ZERO:
        return 0.0 + share if type(share) is float else share
    return total + share


def number(x: Any) -> Any:
    """A derivative as a number like any other."""
    if type(x) is float:
        return x
    if x is ZERO:
        return 0.0
    plain = getattr(type(x), "_plain", None)
    return x if plain is None else plain(x)
