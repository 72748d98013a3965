"""Kernels: what the ops of the table compute on NumPy arrays, the same as their scalar kernels in `ieee`, to a few units in the
last place. Every kernel writes to `out`. An op that has none here runs its scalar kernel on each element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..op import Op

Array = NDArray[Any]
Kernel = Callable[..., Any]
_LARGEST = np.finfo(float).max

# Functions that NumPy has, by the name of the op.
UFUNCS: Final = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative", "pos": "positive", "pow": "power",
    "reciprocal": "reciprocal", "mod": "remainder", "fmod": "fmod", "abs": "absolute", "square": "square", "sqrt": "sqrt", "cbrt": "cbrt",
    "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p",
    "logaddexp": "logaddexp", "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan",
    "arctan2": "arctan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "arcsinh", "arccosh": "arccosh",
    "arctanh": "arctanh", "hypot": "hypot", "sign": "sign", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "maximum": "maximum",
    "minimum": "minimum", "greater": "greater", "greater_equal": "greater_equal", "less": "less", "less_equal": "less_equal",
    "equal": "equal", "not_equal": "not_equal", "spread": "positive",
    "stop_gradient": "positive",
}  # fmt: skip


def sigmoid(x: Array, out: Array) -> None:
    """1 / (1 + e^-x): where e^-x overflows, the result is 0 as it should be."""
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


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
    below = np.expm1(np.minimum(x, 0.0))
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


def clip(x: Any, low: Any, high: Any, out: Array) -> None:
    np.minimum(np.maximum(x, low), high, out=out)


def where(condition: Any, x: Any, y: Any, out: Array) -> None:
    np.copyto(out, np.where(np.not_equal(condition, 0.0), x, y))


def step(x: Any, out: Array) -> None:
    np.heaviside(x, 1.0, out=out)


# Functions of a sequence, along the second axis.


def total(x: Array, out: Array) -> None:
    np.add.reduce(x, axis=1, out=out)


def mean(x: Array, out: Array) -> None:
    total(x, out)
    np.divide(out, x.shape[1], out=out)


def prod(x: Array, out: Array) -> None:
    np.multiply.reduce(x, axis=1, out=out)


def largest(x: Array, out: Array) -> None:
    np.maximum.reduce(x, axis=1, out=out)


def smallest(x: Array, out: Array) -> None:
    np.minimum.reduce(x, axis=1, out=out)


def norm(x: Array, out: Array) -> None:
    np.hypot.reduce(x, axis=1, out=out, initial=0.0)


def dot(x: Array, out: Array) -> None:
    half = x.shape[1] // 2
    np.add.reduce(x[:, :half] * x[:, half:], axis=1, out=out)


def logsumexp(x: Array, out: Array) -> None:
    """m + log(sum of e^(x - m)), where m is the largest; near m, and where it is infinite, with more care."""
    m = np.maximum.reduce(x, axis=1)
    terms = x - m[:, None]
    np.exp(terms, out=terms)
    np.add.reduce(terms, axis=1, out=out)
    near = ~(out > 1.001)  # nan among them, too
    np.log(out, out=out)
    np.add(out, m, out=out)
    if near.any():
        np.copyto(out, _careful_logsumexp(x, m), where=near)  # only there: what a row gives is not for other rows to change


def _careful_logsumexp(x: Array, m: Array) -> Array:
    """m + log(1 + rest): the terms e^(x - m) but for one that is 1."""
    d = x - np.minimum(np.maximum(m, -_LARGEST), _LARGEST)[:, None]  # infinities would give inf - inf
    at_top = np.greater_equal(d, 0.0)
    np.exp(d, out=d)
    np.copyto(d, 0.0, where=at_top)
    rest: Array = np.add.reduce(d, axis=1)
    np.add(rest, np.add.reduce(at_top, axis=1) - 1.0, out=rest)
    np.log1p(rest, out=rest)
    return np.add(rest, m, out=rest)


COMPOSITES: Final[dict[str, Kernel]] = {
    f.__name__: f for f in (sigmoid, softplus, log_sigmoid, relu, leaky_relu, elu, swish, hardtanh, clip, where, step)
}
SEQUENCES: Final[dict[str, Kernel]] = {
    "sum": total, "mean": mean, "prod": prod, "max": largest, "min": smallest, "norm": norm, "dot": dot, "logsumexp": logsumexp,
    "peak": largest,
}  # fmt: skip


def is_vectorised(op: Op) -> bool:
    """Whether there is a kernel for whole arrays."""
    return _is_ours(op) and (op.name in UFUNCS or op.name in COMPOSITES or op.name in SEQUENCES)


def ufunc_of(op: Op) -> str | None:
    """NumPy's name of the op, if it is one call. A primitive of the user's may have a name of the table's, but is another op."""
    return UFUNCS.get(op.name) if _is_ours(op) else None


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
    each = np.frompyfunc(lambda *x: op.local(*x) if count > 1 else op.local(*x)[0], count + 1, count)

    def kernel(outs: tuple[Array, ...], *operands: Any) -> None:
        partials = each(*operands)
        for out, partial in zip(outs, partials if count > 1 else (partials,), strict=True):
            np.copyto(out, np.asarray(partial, dtype=float))

    return kernel


def _is_ours(op: Op) -> bool:
    from .. import ops
    from .flatten import spread
    from .simplify import peak

    return op in (peak, spread) or (op.name in ops.builtin and ops.table.get(op.name) is op)
