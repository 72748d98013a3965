"""Derivatives of functions: grad, jacobian, hessian and their products, nesting to any order.

Reverse mode differentiates with respect to nodes, not levels: an argument that is already a Value is passed on as a new
node `pos(x)`, and the sweep stops there. What lies beyond belongs to an outer differentiation, so perturbations cannot be
confused and no trace stack is needed. If the recorded graph ends at the arguments, the sweep runs on floats; if it also
leads elsewhere, the same rules run on Values, and the result can be differentiated again.

Forward and reverse mode mix in either order because both are linear in the derivative: the gradient of a dual number is
the dual number of the gradients of its two parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, overload

from .. import ops
from ..numbers import watching
from ..numbers.dual import Dual, fresh_tag, primal, tangent
from ..numbers.local import local
from ..numbers.number import Number, real
from ..numbers.tracking import FLOAT, guarded, guarded_everywhere
from ..numbers.value import Value, propagate, require_current, topological_order
from ..ops.zeros import ZERO, contribution, number, plus, seed
from ..support.callers import user_line
from ..support.plain import as_float, is_array, is_plain, shown
from ..support.structure import leaves, outer, rebuild, same_structure, transform

if TYPE_CHECKING:
    from .signatures import (
        Function,
        Gradient,
        GradientInAny,
        GradientInSeveral,
        Hessian,
        P,
        Structure,
        T,
        ValueAndGradient,
        ValueAndGradientInAny,
    )


@overload
def grad(f: Function[P], argnums: Literal[0] = 0) -> Gradient: ...  # type: ignore[overload-overlap]
@overload
def grad(f: Function[P], argnums: int) -> GradientInAny: ...
@overload
def grad(f: Function[P], argnums: Sequence[int]) -> GradientInSeveral: ...
def grad(f: Function[P], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The function that returns the gradient of `f`.

    Args:
        f: takes numbers, or lists, tuples, dicts or NumPy arrays of numbers; returns one number.
        argnums: the positional argument to differentiate with respect to, or a sequence of them.

    Returns:
        A function of the same arguments. Its result has the structure of the argument, or is a tuple of such for a sequence of
        argnums; it consists of floats, and of Values where `f` also depends on Values outside its arguments.

    Raises:
        TypeError: on the call, if `f` returns anything but one number.
        ValueError: on the call, if an argnum is out of range.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        y, wrt, chosen = _record(f, argnums, args, kwargs)
        _require_scalar(y)
        return rebuild(chosen, map(number, _pull([y], wrt, [1.0])))

    return _named("grad", f, gradient)


@overload
def value_and_grad(f: Function[P], argnums: Literal[0] = 0) -> ValueAndGradient: ...
@overload
def value_and_grad(f: Function[P], argnums: int | Sequence[int]) -> ValueAndGradientInAny: ...
def value_and_grad(f: Function[P], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The function that returns `(f(...), grad(f)(...))` from one evaluation.

    >>> value_and_grad(lambda x: x[0] * x[1])([3.0, 4.0])
    (12.0, [4.0, 3.0])
    """

    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        y, wrt, chosen = _record(f, argnums, args, kwargs)
        _require_scalar(y)
        return _outcome(y, wrt), rebuild(chosen, map(number, _pull([y], wrt, [1.0])))

    return _named("value_and_grad", f, both)


def jacobian(f: Function[P], argnums: int | Sequence[int] = 0) -> Callable[..., Structure]:
    """The function that returns the matrix of derivatives of every output of `f` in every input.

    Its result has the structure of the output of `f`, with the structure of the argument in the place of each number;
    array outputs and array inputs give arrays of shape output.shape + input.shape.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 1.0]]
    """

    def matrix(*args: Any, **kwargs: Any) -> Any:
        ys, wrt, chosen = _record(f, argnums, args, kwargs)
        rows = [list(map(number, _pull([y], wrt, [1.0]))) for y in leaves(ys)]
        return outer(ys, chosen, rows)

    return _named("jacobian", f, matrix)


@overload
def hessian(f: Function[P], argnums: Literal[0] = 0) -> Hessian: ...
@overload
def hessian(f: Function[P], argnums: int | Sequence[int]) -> Callable[..., Structure]: ...
def hessian(f: Function[P], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The function that returns the matrix of second derivatives of a scalar `f`, structured as `jacobian(grad(f))`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    return _named("hessian", f, jacobian(grad(f, argnums), argnums))


def jvp(f: Function[P], primals: Sequence[Structure], tangents: Sequence[Structure]) -> tuple[Structure, Structure]:
    """The value of `f` and its derivative along a direction, by forward mode: `(f(x), J v)`.

    Args:
        f: a function of numbers or nested structures of them, to numbers or nested structures of them.
        primals: the arguments, a tuple or list.
        tangents: the direction, of the same structure as `primals`.

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    primals, tangents = _arguments(primals, "primals"), _arguments(tangents, "tangents")
    _require_like("tangents", tangents, "primals", primals)
    function: Callable[..., Any] = f
    tag = fresh_tag()
    duals = [Dual(_number(x), seed(_number(t)), tag) for x, t in zip(leaves(primals), leaves(tangents), strict=True)]
    with guarded_everywhere(_Direction(tag)):
        ys = function(*rebuild(primals, iter(duals)))
    for y in leaves(ys):
        _require_number(y)
    return transform(lambda y: primal(y, tag), ys), transform(lambda y: number(tangent(y, tag)), ys)


@overload
def vjp(f: Function[P], *primals: float) -> tuple[Structure, Callable[[Structure], tuple[float, ...]]]: ...
@overload
def vjp(f: Function[P], *primals: T) -> tuple[Structure, Callable[[Structure], tuple[T, ...]]]: ...
def vjp(f: Function[P], *primals: Structure) -> tuple[Structure, Callable[[Structure], tuple[Any, ...]]]:
    """The value of `f` and its pullback, by reverse mode: `(f(x), u -> u^T J)`.

    The pullback takes a cotangent with the structure of the output, and returns a tuple with one entry per argument.

    >>> y, pullback = vjp(lambda x, y: [x * y, x + y], 3.0, 4.0)
    >>> pullback([1.0, 0.0])
    (4.0, 3.0)
    """
    ys, wrt, chosen = _record(f, range(len(primals)), primals, {})

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        _require_like("the cotangent", cotangent, "the output", ys)
        seeds = [seed(_number(u)) for u in leaves(cotangent)]
        result: tuple[Any, ...] = rebuild(chosen, map(number, _pull(leaves(ys), wrt, seeds)))
        return result

    return transform(lambda y: _outcome(y, wrt), ys), pullback


@overload
def hvp(f: Function[P], primals: tuple[T], vectors: Sequence[Structure]) -> T: ...
@overload
def hvp(f: Function[P], primals: tuple[T, T], vectors: Sequence[Structure]) -> tuple[T, T]: ...
@overload
def hvp(f: Function[P], primals: Sequence[Structure], vectors: Sequence[Structure]) -> Structure: ...
def hvp(f: Function[P], primals: Sequence[Structure], vectors: Sequence[Structure]) -> Structure:
    """The Hessian of a scalar `f` times a vector, by forward over reverse mode, without forming the matrix.

    Returns:
        The product with the structure of the argument; a tuple with one entry per argument where there are several.

    >>> hvp(lambda x: x[0] ** 2 * x[1], ([3.0, 4.0],), ([1.0, 0.0],))
    [8.0, 6.0]
    """
    primals = _arguments(primals, "primals")
    argnums = 0 if len(primals) == 1 else range(len(primals))
    return jvp(grad(f, argnums), primals, _arguments(vectors, "vectors"))[1]


def _record(f: Function[P], argnums: int | Sequence[int], args: Any, kwargs: Any) -> tuple[Any, list[Value], Any]:
    """f of the arguments with nodes of their own in place of the chosen ones: the output, those nodes, the chosen arguments."""
    positions = _positions(argnums, len(args))
    wrt: list[Value] = []
    args = list(args)
    chosen = tuple(args[i] for i in positions)
    for i in positions:
        args[i] = transform(lambda x: _leaf(x, wrt), args[i])
    with guarded_everywhere(_Arguments(wrt)):
        ys = f(*args, **kwargs)
    _retire(wrt)
    for y in leaves(ys):
        _require_number(y)
    return ys, wrt, chosen[0] if isinstance(argnums, int) else chosen


def following(values: Sequence[Value]) -> AbstractContextManager[None]:
    """A block within which, in this context, nothing that depends on these Values becomes a float: for code that calls backward."""
    return guarded(_Arguments(values))


class TrackingError(TypeError):
    """A number that is being differentiated was turned into a plain float, or cut off otherwise, which would lose its derivative. The
    message shows the line."""


class _Tracker:
    """A guard that refuses floats of what it tracks; comparing is allowed, as the function runs anew for every point."""

    def tracks(self, x: Any) -> bool:
        raise NotImplementedError

    def converted(self, x: Any, doing: str = FLOAT) -> None:
        if self.tracks(x):
            why = f"{doing} a number that is being differentiated would lose its derivative"
            if doing == FLOAT:
                why += (
                    " (math.exp(x) and storing x in an array of floats call it too). Use the functions of the package (exp, sin, ...) and "
                    "arrays of dtype object"
                )
            raise TrackingError(f"{why}; where a constant is meant, stop_gradient(x).{user_line()}")

    def compared(self, x: Any) -> None:
        pass


class _Arguments(_Tracker):
    """Tracks what depends on the nodes of the arguments."""

    def __init__(self, wrt: Sequence[Value]) -> None:
        self._ids = set(map(id, wrt))

    def tracks(self, x: Any) -> bool:
        if isinstance(x, Dual):
            return self.tracks(x.primal) or self.tracks(x._tangent)
        waiting, seen = [x] if isinstance(x, Value) else [], set[int]()
        while waiting:
            node = waiting.pop()
            if id(node) in self._ids:
                return True
            if id(node) not in seen and node.op is not None and not node.op.is_flat:
                seen.add(id(node))
                waiting += node.parents
        return False


class _Direction(_Tracker):
    """Tracks the Duals of a tag."""

    def __init__(self, tag: int) -> None:
        self._tag = tag

    def tracks(self, x: Any) -> bool:
        if not isinstance(x, Dual):
            return False
        return (x.tag == self._tag and x._tangent is not ZERO) or self.tracks(x.primal) or self.tracks(x._tangent)


def _positions(argnums: int | Sequence[int], count: int) -> list[int]:
    chosen = list(argnums) if isinstance(argnums, Sequence) else [argnums]
    for i in chosen:
        if not isinstance(i, int) or isinstance(i, bool):
            raise TypeError(f"argnums must be an int or a sequence of ints (got {shown(argnums)})")
        if not -count <= i < count:
            raise ValueError(f"argnums {i} is out of range: the function was called with {count} positional argument(s)")
    positions = [i % count for i in chosen]
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums must name each argument once (got {shown(argnums)})")
    return positions


def _leaf(x: Any, wrt: list[Value]) -> Any:
    """A number with a fresh node inside it, at which the sweep will stop."""
    if isinstance(x, Dual):
        return Dual(_leaf(x.primal, wrt), x._tangent, x.tag)
    node: Any = ops.positive(x) if isinstance(x, Number) else Value(_number(x))
    wrt.append(node)
    return node


def _retire(wrt: list[Value]) -> None:
    """Make constants pos(x) of the leaves that stood for numbers. While `f` ran, they told inner differentiations that there is
    something outside; from now on nobody shall take them for Values of the user's.
    """
    for node in wrt:
        if isinstance(node, Value) and node.op is None:
            node.op, node._a = ops.positive, node.data


def _outcome(y: Any, wrt: list[Value]) -> Any:
    """A result for the caller: a float unless it depends on Values outside the arguments."""
    if isinstance(y, Dual):
        return Dual(_outcome(y.primal, wrt), _outcome(y._tangent, wrt), y.tag)
    if isinstance(y, Value):
        return y.data if _is_private(_beyond([y], wrt), wrt) else y
    return y if isinstance(y, Number) else float(y)


def _pull(ys: Sequence[Any], wrt: list[Value], seeds: Sequence[Any]) -> list[Any]:
    """The sum over the outputs of seed x derivative, in each node of `wrt`. Duals, in ys or seeds, are pulled part by part."""
    tags = [x.tag for x in (*ys, *seeds) if isinstance(x, Dual)]
    if not tags:
        for x in (*ys, *wrt):
            if hasattr(x, "_pull"):  # a kind of number with a trace of its own
                pulled: list[Any] = x._pull(ys, wrt, seeds)
                return pulled
        return _pull_values([(y, seed) for y, seed in zip(ys, seeds, strict=True) if isinstance(y, Value)], wrt)
    tag = max(tags)
    ys_primal, ys_tangent = [primal(y, tag) for y in ys], [number(tangent(y, tag)) for y in ys]
    seeds_primal, seeds_tangent = [primal(s, tag) for s in seeds], [tangent(s, tag) for s in seeds]
    values = _pull(ys_primal, wrt, seeds_primal)
    tangents = _pull([*ys_tangent, *ys_primal], wrt, [*seeds_primal, *seeds_tangent])
    return [Dual(v, t, tag) for v, t in zip(values, tangents, strict=True)]


def _pull_values(seeded: list[tuple[Value, Any]], wrt: list[Value]) -> list[Any]:
    order = _beyond([y for y, _ in seeded], wrt)
    require_current(order)
    on_floats = _is_private(order, wrt) and all(is_plain(upstream) for _, upstream in seeded)
    if on_floats and len(seeded) == 1:
        return _backward(*seeded[0], wrt)
    depends = set(map(id, wrt))
    for node in order:
        if any(id(x) in depends for x in node.parents):
            depends.add(id(node))
    adjoints: dict[int, Any] = {}  # what nothing has reached is not in it
    for y, upstream in seeded:
        if id(y) in depends:
            _add(adjoints, y, upstream)
    for node in reversed(order):
        if id(node) in adjoints:
            _pass_on(node, adjoints.pop(id(node)), adjoints, depends, on_floats)
    return [adjoints.get(id(x), ZERO) for x in wrt]


def _add(adjoints: dict[int, Any], node: Value, share: Any) -> None:
    if share is not ZERO:
        adjoints[id(node)] = plus(adjoints.get(id(node), ZERO), share)


def _backward(y: Value, upstream: float, wrt: list[Value]) -> list[float]:
    """The gradients by the sweep of `backward`, which is the fastest there is; nobody else sees these nodes."""
    zero = float("0")
    for x in wrt:
        x._grad = zero
    propagate(y, upstream, zero)
    return [ZERO if x._grad is zero else x._grad for x in wrt]


def _pass_on(node: Value, upstream: Any, adjoints: dict[int, Any], depends: set[int], on_floats: bool) -> None:
    """Add upstream x local derivative to the adjoint of each operand on the way to the arguments."""
    assert node.op is not None
    record = (node.data, *map(real, node.args)) if on_floats else (node, *node.args)
    partials = local(node.op, *record)
    for x, partial in zip(node.args, partials, strict=True):
        if isinstance(x, Value) and id(x) in depends:
            share = contribution(upstream, partial)
            if watching.on_derivative is not None and share is not ZERO:
                watching.on_derivative(node.op, node.args, share)
            _add(adjoints, x, share)


def _beyond(ys: list[Value], wrt: list[Value]) -> list[Value]:
    """Everything that the outputs depend on, in order, up to the nodes of `wrt`."""
    return topological_order(ys, known=set(map(id, wrt)))


def _is_private(order: list[Value], wrt: list[Value]) -> bool:
    """Whether a graph, listed up to the nodes of `wrt`, leads to no leaf, directly or beyond them."""
    return not any(node.op is None for node in order) and not any(node.parents for node in wrt)


def _number(x: Any) -> Any:
    return x if isinstance(x, Number) else as_float(x, "an argument to differentiate")


def _require_scalar(y: Any) -> None:
    if is_array(y) or isinstance(y, (list, tuple, dict)):
        raise TypeError(f"grad needs a function that returns one number, but it returned {_described(y)}: try jacobian")
    _require_number(y)


def _require_number(y: Any) -> None:
    if not (isinstance(y, Number) or is_plain(y)):
        raise TypeError(f"the function to differentiate must return numbers, but it returned {_described(y)}")


def _described(y: Any) -> str:
    if is_array(y):
        return f"an array of shape {y.shape}"
    if isinstance(y, (list, tuple, dict)):
        return f"a {type(y).__name__} of {len(y)}"
    return f"{shown(y)} (of type {type(y).__name__})"


def _arguments(x: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(x, (tuple, list)):
        raise TypeError(f"{name} must be a tuple or list with one entry per argument (got {shown(x)}): write ({shown(x)},)")
    return tuple(x)


def _require_like(name: str, tree: Any, model_name: str, model: Any) -> None:
    if not same_structure(model, tree):
        raise ValueError(f"{name} must have the structure of {model_name} (got {shown(tree)} for {shown(model)})")


def _named(transformation: str, f: Function[P], derived: Callable[..., Any]) -> Callable[..., Any]:
    derived.__name__ = derived.__qualname__ = f"{transformation}({getattr(f, '__name__', 'f')})"
    return derived
