"""Meaning: the namespace in which a row of the table says what a primitive is, in the words of mathematics.

A language or an arithmetic is a subclass. It supplies the atoms, which are declared here, and may say or compute in a way of its own what
is put together from them below. Of its numbers it supplies +, - and *, also with Python's whole numbers.
"""

from __future__ import annotations

from functools import reduce
from operator import add, mul
from typing import Any


class Mathematics:
    """Elementary functions of numbers of some kind. Whatever lacks an atom has no meaning for what is made of it."""

    exp: Any
    log: Any
    sin: Any
    cos: Any
    tan: Any
    arcsin: Any
    arccos: Any
    arctan: Any
    arctan2: Any
    sinh: Any
    cosh: Any
    tanh: Any
    arcsinh: Any
    arccosh: Any
    arctanh: Any
    erf: Any
    erfc: Any
    loggamma: Any  # log |gamma(x)|
    polygamma: Any
    power: Any
    over: Any
    root: Any
    abs: Any
    sign: Any
    floor: Any
    mod: Any
    max: Any
    min: Any
    greater: Any  # relations give conditions
    greater_equal: Any
    less: Any
    less_equal: Any
    equal: Any
    not_equal: Any
    where: Any  # of a condition and two numbers
    constant: Any  # its number, with derivative 0

    def square(self, x: Any) -> Any:
        return self.power(x, 2)

    def cbrt(self, x: Any) -> Any:
        return self.sign(x) * self.power(self.abs(x), self.over(1, 3))

    def exp2(self, x: Any) -> Any:
        return self.power(2, x)

    def expm1(self, x: Any) -> Any:
        return self.exp(x) - 1

    def log1p(self, x: Any) -> Any:
        return self.log(1 + x)

    def log_to(self, base: int, x: Any) -> Any:
        """The logarithm to a base."""
        return self.over(self.log(x), self.log(base))

    def ceil(self, x: Any) -> Any:
        return -self.floor(-x)

    def trunc(self, x: Any) -> Any:
        return self.sign(x) * self.floor(self.abs(x))

    def fmod(self, a: Any, b: Any) -> Any:
        return a - b * self.trunc(self.over(a, b))

    def indicator(self, condition: Any) -> Any:
        """1 where it holds, else 0."""
        return self.where(condition, 1, 0)

    def nonzero(self, x: Any) -> Any:
        """The condition that a number stands for."""
        return self.not_equal(x, 0)

    def total(self, *x: Any) -> Any:
        return reduce(add, x, 0)

    def product(self, *x: Any) -> Any:
        return reduce(mul, x, 1)

    def scaled(self, factor: Any, x: Any) -> Any:
        """A product whose factor need not be told where it is 1."""
        return factor * x

    def norm(self, *x: Any) -> Any:
        return self.root(self.total(*map(self.square, x)))

    def logistic(self, x: Any) -> Any:
        return self.power(1 + self.exp(-x), -1)

    def log_logistic(self, x: Any) -> Any:
        return -self.log1p(self.exp(-x))

    def logistic_slope(self, x: Any) -> Any:
        return self.logistic(x) * self.logistic(-x)

    def normal(self, x: Any) -> Any:
        """The normal distribution function."""
        return self.over(self.erfc(-self.over(x, self.root(2))), 2)

    def log_of_sum(self, *x: Any) -> Any:
        """log of the sum of e^x."""
        return self.log(self.total(*map(self.exp, x)))

    def share(self, x: Any, *others: Any) -> Any:
        """e^x over the sum of it and e to all others."""
        return self.over(self.exp(x), self.total(*map(self.exp, (x, *others))))

    def log_share(self, x: Any, *others: Any) -> Any:
        return x - self.log_of_sum(x, *others)
