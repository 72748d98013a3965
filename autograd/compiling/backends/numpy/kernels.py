"""Kernels: what the ops of the table compute on NumPy arrays, the same as their scalar kernels in `ieee`, to a few units in the
last place. Every kernel writes to `out`. An op that has none here runs its scalar kernel on each element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .... import ops
from ....numbers.local import local
from ....ops import ieee
from ....ops.ieee import TINY
from ....ops.op import Op
from ...record import private_ops

Array = NDArray[Any]
Kernel = Callable[..., Any]

def sigmoid(x: Array, out: Array) -> None:
    """1 / (1 + e^-x); where e^-x overflows, e^x."""
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)
    if not out.all():
        np.copyto(out, np.exp(x), where=out == 0.0)


def sigmoid_slope(x: Array, out: Array) -> None:
    """e^-|x| / (1 + e^-|x|)^2."""
    z = np.abs(x)
    np.negative(z, out=z)
    np.exp(z, out=z)
    np.add(z, 1.0, out=out)
    np.multiply(out, out, out=out)
    np.divide(z, out, out=out)
    np.minimum(out, 0.25, out=out)  # rounding would pass the peak


def sigmoid_difference(a: Any, b: Any, out: Array) -> None:
    low, high = np.minimum(a, b), np.maximum(a, b)
    z = np.empty_like(out)
    exp_difference(low, high, z)
    np.divide(np.where(np.less(a, b), z, 1.0), 1.0 + z, out=out)


def exp_difference(a: Any, b: Any, out: Array) -> None:
    """e^(a - b), with what rounding a - b loses fed back."""
    d = _difference(a, b)
    np.exp(d, out=out)
    lost: Array = _lost(a, b, d) * out
    np.copyto(lost, 0.0, where=~np.isfinite(lost))
    np.add(out, lost, out=out)


def _lost(a: Any, b: Any, d: Array) -> Array:
    """What rounding a - b to d loses (Knuth's two-sum)."""
    t = d - a
    lost: Array = (a - (d - t)) - (b + t)
    return lost


def _difference(a: Any, b: Any) -> Array:
    """a - b, and 0 for equal infinities."""
    d: Array = np.subtract(a, b)
    np.copyto(d, 0.0, where=np.equal(a, b))
    return d


def direction_cosine(a: Any, b: Any, out: Array) -> None:
    """a / hypot(a, b); where that has overflowed, or is denormal and has few digits, of a and b times a power of two."""
    r = np.hypot(a, b)
    scale = np.where(r < TINY, 2.0**60, np.where(r == np.inf, 2.0**-60, 1.0))
    a = a * scale
    np.hypot(a, b * scale, out=r)
    np.divide(a, np.where(r == 0.0, np.inf, r), out=out)
    np.copyto(out, 0.0, where=r == 0.0)


def exp_neg_square(x: Any, scale: Any, out: Array) -> None:
    """e^(-scale x^2), with what rounding x^2 loses (Dekker 1971) fed back."""
    square = np.multiply(x, x)
    exponent = scale * square
    np.exp(-exponent, out=out)
    c = np.multiply(x, 134217729.0)
    high = c - (c - x)
    low = x - high
    lost: Array = ((high * high - square) + 2.0 * high * low) + low * low
    np.multiply(out, 1.0 - scale * lost, out=out, where=(exponent > 2.0) & (exponent < 800.0))


def fraction(a: Any, b: Any, out: Array) -> None:
    np.divide(a, np.add(a, b), out=out)


def log_fraction(x: Any, top: Any, rest: Any, out: Array) -> None:
    d = _difference(x, top)
    np.add(np.expm1(d), rest, out=out)
    np.log1p(out, out=out)
    np.subtract(d, out, out=out)


def cohypot(a: Any, b: Any, out: Array) -> None:
    np.multiply(np.sqrt(np.subtract(a, b)), np.sqrt(np.add(a, b)), out=out)


def softplus(x: Array, out: Array) -> None:
    """max(x, 0) + log(1 + e^-|x|)."""
    rest = np.abs(x)
    np.negative(rest, out=rest)
    np.exp(rest, out=rest)
    np.log1p(rest, out=rest)
    np.maximum(x, 0.0, out=out)
    np.add(out, rest, out=out)


def log_sigmoid(x: Array, out: Array) -> None:
    softplus(np.negative(x), out)
    np.negative(out, out=out)


def relu(x: Array, out: Array) -> None:
    np.maximum(x, 0.0, out=out)


def leaky_relu(x: Array, slope: Any, out: Array) -> None:
    below = np.multiply(x, slope)
    np.copyto(out, np.where(np.greater(x, 0.0), x, below))


def elu(x: Array, alpha: Any, out: Array) -> None:
    below = np.expm1(np.where(np.greater(x, 0.0), 0.0, x))
    np.copyto(out, np.where(np.greater(x, 0.0), x, np.multiply(below, alpha)))


def swish(x: Array, beta: Any, out: Array) -> None:
    """x sigmoid(beta x); far below, e^(beta x) by its root, lest it is denormal before it is multiplied."""
    z = np.multiply(x, beta)
    share = np.empty_like(z)
    sigmoid(z, share)
    result = x * share
    low = z <= -700.0
    if low.any():
        root = np.exp(0.5 * z)
        exact = np.where(root > 0.0, x * root * root, np.copysign(0.0, x))
        result = np.where(low, exact, result)
    np.copyto(out, result)


def hardtanh(x: Array, out: Array) -> None:
    np.maximum(x, -1.0, out=out)
    np.minimum(out, 1.0, out=out)


def maximum(a: Any, b: Any, out: Array) -> None:
    """The first of zeros of both signs, where NumPy may take either."""
    np.maximum(a, b, out=out)
    np.copyto(out, a, where=np.equal(a, b))


def minimum(a: Any, b: Any, out: Array) -> None:
    np.minimum(a, b, out=out)
    np.copyto(out, a, where=np.equal(a, b))


def clip(x: Any, low: Any, high: Any, out: Array) -> None:
    inner = np.empty_like(out)
    maximum(x, low, inner)
    minimum(inner, high, out)


def where(condition: Any, x: Any, y: Any, out: Array) -> None:
    np.copyto(out, np.where(condition, x, y))


def step(x: Any, out: Array) -> None:
    np.heaviside(x, 1.0, out=out)


def stop_gradient(x: Any, out: Array) -> None:
    np.copyto(out, x)


# Functions of a sequence, along the second axis.


def total(x: Array, out: Array) -> None:
    np.add.reduce(x, axis=1, out=out)
    _one_by_one_where_infinite(ieee.total, x, out)


def mean(x: Array, out: Array) -> None:
    np.add.reduce(x, axis=1, out=out)
    np.divide(out, x.shape[1], out=out)
    _one_by_one_where_infinite(ieee.mean, x, out)


def _one_by_one_where_infinite(f: Callable[..., float], x: Array, out: Array) -> None:
    """By the scalar kernel where a part of the sum may have overflowed: finite numbers gave an infinity, or any numbers nan."""
    lost = ~np.isfinite(out)
    if lost.any():
        lost &= np.where(np.isnan(out), ~np.isnan(x).any(axis=1), np.isfinite(x).all(axis=1))
        out[lost] = [f(*numbers) for numbers in np.moveaxis(x, 1, -1)[lost].tolist()]


def prod(x: Array, out: Array) -> None:
    """Powers of two are kept apart where a part of the product might overflow, or lose digits below the normal numbers."""
    np.multiply.reduce(x, axis=1, out=out)
    sizes, edge = np.abs(x), 2.0 ** (1000.0 / x.shape[1])
    far = ~((np.minimum.reduce(sizes, axis=1) > 1.0 / edge) & (np.maximum.reduce(sizes, axis=1) < edge))
    if not far.any():
        return
    mantissas, exponents = np.frexp(x)
    product, powers = np.ones_like(out), np.add.reduce(exponents, axis=1)
    for k in range(x.shape[1]):
        product, shift = np.frexp(product * mantissas[:, k])
        powers += shift
    np.copyto(out, np.ldexp(product, powers), where=far)


def peak(x: Array, out: Array) -> None:
    np.maximum.reduce(x, axis=1, out=out)


def largest(x: Array, out: Array) -> None:
    """0.0 counts as larger than -0.0, where NumPy may take either."""
    np.maximum.reduce(x, axis=1, out=out)
    if not out.all():
        np.copyto(out, np.add.reduce(np.where(x == 0.0, x, -0.0), axis=1, initial=-0.0), where=out == 0.0)


def smallest(x: Array, out: Array) -> None:
    np.minimum.reduce(x, axis=1, out=out)
    if not out.all():
        np.copyto(out, -np.add.reduce(np.where(x == 0.0, -x, -0.0), axis=1, initial=-0.0), where=out == 0.0)


def norm(x: Array, out: Array) -> None:
    np.hypot.reduce(x, axis=1, out=out, initial=0.0)


def dot(x: Array, out: Array) -> None:
    half = x.shape[1] // 2
    np.add.reduce(x[:, :half] * x[:, half:], axis=1, out=out)
    _one_by_one_where_infinite(ieee.dot, x, out)


def logsumexp(x: Array, out: Array, terms: Array | None = None, sums: Array | None = None) -> None:
    """m + log(sum of e^(x - m)), where m is the largest; near m, and where it is infinite, with more care.

    What is left in `terms` are the exponentials, and in `sums` (with axes as x has them) their sums.
    """
    m = np.maximum.reduce(x, axis=1, keepdims=True)
    terms = np.subtract(x, m, out=terms)
    far = terms < -8.0  # where what rounding the difference loses would be magnified
    lost = _lost(x, m, terms) if far.any() else None
    np.exp(terms, out=terms)
    if lost is not None:
        lost = np.where(far & np.isfinite(lost), lost, 0.0)
        np.add(terms, np.multiply(lost, terms, out=lost), out=terms)
    sums = np.add.reduce(terms, axis=1, keepdims=True, out=sums)
    np.log(sums[:, 0], out=out)
    near = ~(sums[:, 0] > 1.001)  # nan among them, too
    if near.any():
        np.copyto(out, _careful_log_of_sum(x, m, terms, sums), where=near)  # only there: what a row gives is not for other rows to change
    np.add(out, m[:, 0], out=out)


def _careful_log_of_sum(x: Array, m: Array, terms: Array, sums: Array) -> Array:
    """log(1 + rest): the terms e^(x - m) but for one that is 1. So is e^(m - m) of infinities."""
    at_top = np.equal(x, m)
    np.copyto(terms, 1.0, where=at_top)
    np.add.reduce(terms, axis=1, keepdims=True, out=sums)
    rest: Array = np.add.reduce(np.where(at_top, 0.0, terms), axis=1)
    np.add(rest, np.add.reduce(at_top, axis=1) - 1.0, out=rest)
    return np.log1p(rest, out=rest)


COMPOSITES: Final[dict[str, Kernel]] = {
    f.__name__: f for f in (
        sigmoid, sigmoid_slope, sigmoid_difference, softplus, log_sigmoid, relu, leaky_relu, elu, swish, hardtanh, maximum, minimum,
        clip, where, step, stop_gradient, cohypot, direction_cosine, exp_neg_square, exp_difference, fraction, log_fraction,
    )
}
SEQUENCES: Final[dict[str, Kernel]] = {
    "sum": total, "mean": mean, "prod": prod, "max": largest, "min": smallest, "norm": norm, "dot": dot, "logsumexp": logsumexp,
    "peak": peak,
}  # fmt: skip


def is_vectorised(op: Op) -> bool:
    """Whether there is a kernel for whole arrays."""
    return ufunc_of(op) is not None or (_is_ours(op) and (op.name in COMPOSITES or op.name in SEQUENCES))


def ufunc_of(op: Op) -> str | None:
    """NumPy's name of the op, if it is one call. A primitive of the user's may have a name of the table's, but is another op."""
    is_one = _is_ours(op) and op.name not in COMPOSITES and isinstance(getattr(np, op.numpy, None), np.ufunc)
    return op.numpy if is_one else None


def kernel_of(op: Op) -> Kernel:
    """The kernel of an op of numbers."""
    known = COMPOSITES.get(op.name) if _is_ours(op) else None
    if known is not None:
        return known
    each = np.frompyfunc(op.forward, op.arity or 1, 1)

    def kernel(*operands: Any) -> None:
        np.copyto(operands[-1], np.asarray(each(*operands[:-1]), dtype=float))

    return kernel


def sequence_kernel_of(op: Op) -> Kernel:
    """The kernel of a function of a sequence."""
    known = SEQUENCES.get(op.name) if _is_ours(op) else None
    if known is not None:
        return known

    def kernel(x: Array, out: Array) -> None:
        columns = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]).tolist()
        out[...] = np.array([op.forward(*column) for column in columns], dtype=float).reshape(out.shape)

    return kernel


def partials_of(op: Op, count: int) -> Kernel:
    """The rule of an op on floats, one by one: `f(outs, result, *operands)`."""
    each = np.frompyfunc(lambda *x: local(op, *x) if count > 1 else local(op, *x)[0], count + 1, count)

    def kernel(outs: tuple[Array, ...], *operands: Any) -> None:
        partials = each(*operands)
        for out, partial in zip(outs, partials if count > 1 else (partials,), strict=True):
            np.copyto(out, np.asarray(partial, dtype=float))

    return kernel


def _is_ours(op: Op) -> bool:
    return op in private_ops.ALL or ops.is_builtin(op)
