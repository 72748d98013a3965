"""Primitives as functions of NumPy arrays that stand alone: what exported source defines where NumPy has no function of its own.

Written so that the same text runs with jax.numpy in the place of numpy, and that JAX's derivatives of it follow the conventions of
the table: no branch that is not taken divides by zero or overflows. Functions of a sequence take it along the last axis.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ops.ieee import lgamma, polygamma

erf = np.vectorize(math.erf, otypes=[float])
erfc = np.vectorize(math.erfc, otypes=[float])
lgammas = np.vectorize(lgamma, otypes=[float])
polygammas = np.vectorize(polygamma, otypes=[float])


def magnitude(x: Any) -> Any:
    """|x| with derivative 0 at 0."""
    return x * np.sign(x)


def raised(a: Any, b: Any) -> Any:
    """a ** b with derivatives 0 at 0 ** 0."""
    origin = (a == 0.0) & (b == 0.0)
    return np.where(origin, 1.0, np.where(origin, 1.0, a) ** b)


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x), written so that the exponential never overflows."""
    z = np.exp(np.where(x >= 0.0, -x, x))
    return np.where(x >= 0.0, 1.0, z) / (1.0 + z)


def stop_gradient(x: Any) -> Any:
    """x, held constant."""
    return x


def sigmoid_slope(x: Any) -> Any:
    """e^-|x| / (1 + e^-|x|)^2."""
    z = np.exp(np.where(x >= 0.0, -x, x))
    return z / ((1.0 + z) * (1.0 + z))


def exp_difference(a: Any, b: Any) -> Any:
    return np.exp(difference(a, b))


def sigmoid_difference(a: Any, b: Any) -> Any:
    return sigmoid(difference(a, b))


def exp_neg_square(x: Any, scale: Any) -> Any:
    return np.exp(-scale * (x * x))


def difference(a: Any, b: Any) -> Any:
    """a - b, and 0 for equal infinities."""
    return np.where(np.isinf(a) & (a == b), 0.0, a - b)


def log_fraction(x: Any, top: Any, rest: Any) -> Any:
    d = difference(x, top)
    return d - np.log1p(rest + np.expm1(d))


def relu(x: Any) -> Any:
    return np.where(x <= 0.0, 0.0, x)  # in this order nan stays nan


def leaky_relu(x: Any, slope: Any) -> Any:
    return np.where(x > 0.0, x, slope * x)


def elu(x: Any, alpha: Any) -> Any:
    return np.where(x > 0.0, x, alpha * np.expm1(np.where(x > 0.0, 0.0, x)))


def swish(x: Any, beta: Any) -> Any:
    z = beta * x
    return np.where(z < -745.0, 0.0, x) * sigmoid(z)  # -inf times 0 would be nan, the limit is 0


def gelu(x: Any) -> Any:
    """x times the normal distribution function."""
    x = np.where(x < -40.0, -40.0, x)
    return 0.5 * x * erfc(-math.sqrt(0.5) * x)


def hardtanh(x: Any) -> Any:
    return np.where(x <= -1.0, -1.0, np.where(x >= 1.0, 1.0, x))


def stack(*x: Any) -> Any:
    """Numbers and arrays along a new last axis."""
    return np.stack(np.broadcast_arrays(*x), axis=-1)


def dot(xy: Any) -> Any:
    half = xy.shape[-1] // 2
    return np.sum(xy[..., :half] * xy[..., half:], axis=-1)


def norm(x: Any) -> Any:
    """The root of the sum of squares, of numbers divided by the largest: no square overflows."""
    m = np.max(np.abs(x), axis=-1, keepdims=True)
    m = np.where((m > 0.0) & (m < np.inf), m, 1.0)
    s = np.sum((x / m) ** 2, axis=-1)
    root = m[..., 0] * np.where(s == 0.0, 0.0, np.sqrt(np.where(s == 0.0, 1.0, s)))
    return np.where(np.any(np.isinf(x), axis=-1), np.inf, root)


def cohypot(a: Any, b: Any) -> Any:
    return np.sqrt(a - b) * np.sqrt(a + b)


def hypot(a: Any, b: Any) -> Any:
    return norm(stack(a, b))


def direction_cosine(a: Any, b: Any) -> Any:
    m = np.maximum(np.abs(a), np.abs(b))
    m = np.where((m > 0.0) & (m < np.inf), m, 1.0)
    r = hypot(a / m, b / m)
    return np.where(r == 0.0, 0.0, a / m / np.where(r == 0.0, 1.0, r))


def logsumexp(x: Any) -> Any:
    """m + log(1 + the other terms e^(x - m)), where m is the largest x: accurate also where one term dominates."""
    m = np.max(x, axis=-1, keepdims=True)
    d = x - np.where(np.isfinite(m), m, 0.0)
    others = np.sum(np.where(d < 0.0, np.exp(np.where(d < 0.0, d, 0.0)), 0.0), axis=-1) + (np.sum(d == 0.0, axis=-1) - 1.0)
    m = m[..., 0]
    return np.where(np.isfinite(m), m + np.log1p(np.where(np.isfinite(m), others, 0.0)), m)


def softmax(x: Any) -> Any:
    """The share of the first number: e^x over the sum of e^x."""
    z = exp_difference(x, np.max(x, axis=-1, keepdims=True))
    return z[..., 0] / np.sum(z, axis=-1)


def log_softmax(x: Any) -> Any:
    d = difference(x, np.max(x, axis=-1, keepdims=True))
    return d[..., 0] - logsumexp(d)
