"""Other processors, imitated: `--processor=NAME` runs the tests with a NumPy that rounds as it might elsewhere.

In which order a sum is added up depends on the processor, and where a BLAS does it (dot, matmul) on the number of columns as well;
exp and its like may be wrong in the last bit, each library in its own way. No test may expect one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import reduce
from typing import Any, Final

import pytest

from .extras import extra

np = extra("numpy")

Part = Callable[..., Any]  # the sum of the terms at some places, computed with numbers of some type

# Functions that no library rounds correctly.
LOOPS: Final = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh",
    "tanh", "arcsinh", "arccosh", "arctanh", "power", "float_power", "cbrt", "hypot", "logaddexp", "logaddexp2",
]  # fmt: skip


def backwards(part: Part, count: int, columns: int) -> Any:
    """From the last term to the first."""
    return part(np.arange(count)[::-1])


def pairwise(part: Part, count: int, columns: int) -> Any:
    """Halves of halves, down to a few."""

    def half(low: int, high: int) -> Any:
        middle = (low + high) // 2
        return half(low, middle) + half(middle, high) if high - low > 4 else part(np.arange(low, high))

    return half(0, count)


def blocks(part: Part, count: int, columns: int) -> Any:
    """Terms in any order, in up to four blocks, of which each begins at 0; another for every number of terms and of columns."""
    rng = np.random.default_rng([count, columns])
    cuts = np.sort(rng.integers(0, count + 1, 3))
    return reduce(np.add, (part(block) for block in np.split(rng.permutation(count), cuts)))


def extended(part: Part, count: int, columns: int) -> Any:
    """With more digits until all is added up, as where products are not rounded by themselves; not for an odd number of columns."""
    return part(np.arange(count), float if columns % 2 else np.longdouble)


SUMS: Final = ["dot", "matmul", "inner", "einsum", "add", "sum"]
ORDERS: Final = {"reversed": backwards, "pairwise": pairwise, "blocks": blocks, "extended": extended}
PROCESSORS: Final = (*ORDERS, "ulp")
REAL: Final = {name: getattr(np, name) for name in (*LOOPS, *SUMS)} if np else {}


def floats(*arrays: Any) -> bool:
    return all(isinstance(x, np.ndarray) and x.dtype == np.float64 for x in arrays)


def put(result: Any, out: Any) -> Any:
    """What a function gives back that may have been given a place to write to."""
    with np.errstate(over="ignore"):
        if out is None:
            return result.astype(float)
        out[...] = result
        return out


def product(f: Any, order: Any, second: Callable[[Any], int]) -> Any:
    """dot and its like: sums over the last axis of the first and an axis of the second."""

    def imitation(a: Any, b: Any, out: Any = None, **options: Any) -> Any:
        if options or not floats(a, b) or not (a.ndim and b.ndim and a.shape[-1] == b.shape[second(b)]):
            return f(a, b, **({} if out is None else {"out": out}), **options)

        def part(k: Any, kind: type = float) -> Any:
            return f(a.take(k, -1).astype(kind), b.take(k, second(b)).astype(kind))

        return put(order(part, a.shape[-1], b.shape[-1] if b.ndim > 1 else 1), out)

    return imitation


def summed(f: Any, order: Any, default: int | None) -> Any:
    """add.reduce and sum, with the axis that they take by default."""

    def imitation(a: Any, axis: Any = default, dtype: Any = None, out: Any = None, keepdims: bool = False, **options: Any) -> Any:
        if options or dtype is not None or not floats(a) or not isinstance(axis, int):
            return f(a, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **options)

        def part(k: Any, kind: type = float) -> Any:
            return f(a.take(k, axis).astype(kind), axis=axis, keepdims=keepdims)

        return put(order(part, a.shape[axis], 0), out)

    return imitation


def einsum(real: Any, order: Any) -> Any:
    """With one letter that is summed over."""

    def imitation(subscripts: Any, *arrays: Any, out: Any = None, **options: Any) -> Any:
        inputs, _, output = subscripts.partition("->") if isinstance(subscripts, str) else ("", "", "")
        letters = set(inputs) - set(output) - {","}
        if options or len(letters) != 1 or not floats(*arrays):
            return real(subscripts, *arrays, **({} if out is None else {"out": out}), **options)
        (letter,) = letters
        names = inputs.split(",")

        def part(k: Any, kind: type = float) -> Any:
            chosen = (x.take(k, name.index(letter)) if letter in name else x for x, name in zip(arrays, names, strict=True))
            return real(subscripts, *(x.astype(kind) for x in chosen))

        return put(order(part, arrays[0].shape[names[0].index(letter)], 0), out)

    return imitation


class Adding:
    """np.add, but for its `reduce`."""

    def __init__(self, real: Any, order: Any) -> None:
        self.real, self.reduce = real, summed(real.reduce, order, 0)

    def __call__(self, *operands: Any, **options: Any) -> Any:
        return self.real(*operands, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Loop:
    """A function of NumPy's, moved to a neighbour of what it gives, up, down or not at all, as the number itself decides."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __call__(self, *operands: Any, **options: Any) -> Any:
        result = self.real(*operands, **options)
        if type(result) is np.float64:
            return moved(result.reshape(1))[0]
        if isinstance(result, np.ndarray) and result.dtype == np.float64:
            np.copyto(result, moved(result), where=options.get("where", True))
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def moved(x: Any) -> Any:
    """Neighbours of numbers. What may be exact stays: integers, zeros, infinities."""
    bits = np.ascontiguousarray(x).view(np.int64)
    mixed = (bits & 0x7FFF_FFFF_FFFF_FFFF).astype(np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15) >> np.uint64(40)
    step = (mixed % np.uint64(3)).astype(np.int64) - 1
    stays = ~np.isfinite(x) | (np.abs(x) < 1e-300) | (x == np.rint(x))
    return np.where(stays, x, (bits + step).view(np.float64).reshape(x.shape))


@contextmanager
def imitated(name: str | None) -> Iterator[None]:
    """NumPy as on another processor, or as it is."""
    with pytest.MonkeyPatch.context() as patch:
        for f, imitation in (REAL | imitations(name)).items():
            patch.setattr(np, f, imitation)
        yield


def imitations(name: str | None) -> dict[str, Any]:
    """What takes the place of NumPy's functions."""
    if name is None:
        return {}
    if name == "ulp":
        return {f: Loop(REAL[f]) for f in LOOPS}
    order = ORDERS[name]
    return {
        "dot": product(REAL["dot"], order, lambda b: max(b.ndim - 2, 0)),
        "matmul": product(REAL["matmul"], order, lambda b: max(b.ndim - 2, 0)),
        "inner": product(REAL["inner"], order, lambda b: b.ndim - 1),
        "einsum": einsum(REAL["einsum"], order),
        "add": Adding(REAL["add"], order),
        "sum": summed(REAL["sum"], order, None),
    }


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processor", choices=PROCESSORS, help="imitate a processor that rounds otherwise")


@pytest.fixture(autouse=True, scope="session")
def _processor(pytestconfig: pytest.Config) -> Iterator[None]:
    name = pytestconfig.getoption("--processor")
    with imitated(name) if name else nullcontext():
        yield


@pytest.fixture(params=PROCESSORS)
def each_processor(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test on every processor."""
    with imitated(request.param):
        yield request.param
