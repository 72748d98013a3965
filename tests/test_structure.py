"""Structures that are nested deeper than any that is meant, or that hold themselves: one clear error, whoever meets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import (
    Graph,
    Value,
    compile,
    draw,
    grad,
    gradcheck,
    group,
    hessian,
    hvp,
    jacobian,
    jvp,
    numeric_grad,
    primitive,
    steps,
    value_and_grad,
    vjp,
)
from autograd.languages.expression import read
from autograd.support.plain import shown


def lists(depth: int) -> Any:
    tree: Any = 1.0
    for _ in range(depth):
        tree = [tree]
    return tree


def dicts(depth: int) -> Any:
    tree: Any = 1.0
    for _ in range(depth):
        tree = {"a": tree}
    return tree


def holding_itself(tree: Any, put: Callable[[Any, Any], Any]) -> Any:
    put(tree, tree)
    return tree


TREES: dict[str, Callable[[], Any]] = {
    "101 lists": lambda: lists(101),
    "5000 lists": lambda: lists(5000),
    "5000 tuples": lambda: ((lists(5000),),),
    "5000 dicts": lambda: dicts(5000),
    "a list in itself": lambda: holding_itself([1.0], list.append),
    "a dict in itself": lambda: holding_itself({}, lambda d, x: d.update(a=x)),
    "a list twice in itself": lambda: holding_itself([], lambda d, x: d.extend([x, x])),
}
TRANSFORMATIONS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda tree: grad(lambda t: 1.0)(tree),
    "value_and_grad": lambda tree: value_and_grad(lambda t: 1.0)(tree),
    "jacobian": lambda tree: jacobian(lambda t: [1.0])(tree),
    "jacobian, result": lambda tree: jacobian(lambda x: tree)(1.0),
    "hessian": lambda tree: hessian(lambda t: 1.0)(tree),
    "jvp": lambda tree: jvp(lambda t: 1.0, (tree,), (tree,)),
    "jvp, primals": lambda tree: jvp(lambda t: 1.0, (tree,), (1.0,)),
    "jvp, tangents": lambda tree: jvp(lambda t: t, (1.0,), (tree,)),
    "jvp, result": lambda tree: jvp(lambda t: tree, (1.0,), (1.0,)),
    "vjp": lambda tree: vjp(lambda t: 1.0, tree),
    "vjp, result": lambda tree: vjp(lambda t: tree, 1.0),
    "vjp, cotangent": lambda tree: vjp(lambda t: t, 1.0)[1](tree),
    "hvp": lambda tree: hvp(lambda t: 1.0, (tree,), (tree,)),
    "hvp, vectors": lambda tree: hvp(lambda t: t * t, (1.0,), (tree,)),
    "numeric_grad": lambda tree: numeric_grad(lambda t: 1.0, tree),
    "gradcheck": lambda tree: gradcheck(lambda t: 1.0, tree),
    "compile, params": lambda tree: compile(lambda p, x: x[0], tree, [1.0], backend="reference"),
    "compile, row": lambda tree: compile(lambda p, x: p[0], [1.0], tree, backend="reference"),
    "compiled, params": lambda tree: compile(lambda p, x: p[0] * x[0], [1.0], [1.0], backend="reference")(tree, [[1.0]]),
    "compiled, row": lambda tree: compile(lambda p, x: p[0] * x[0], [1.0], [1.0], backend="reference")([1.0], [tree]),
}


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("use", TRANSFORMATIONS)
def test_too_deep_a_structure_is_refused(use: str, tree: str) -> None:
    with pytest.raises(ValueError, match=r"^the structure is nested more than 100 levels deep: does it contain itself\?$"):
        TRANSFORMATIONS[use](TREES[tree]())


def test_a_hundred_levels_are_no_problem() -> None:
    def innermost(tree: Any) -> Any:
        while isinstance(tree, list):
            (tree,) = tree
        return tree * tree

    gradient = grad(innermost)(lists(100))
    while isinstance(gradient, list):
        (gradient,) = gradient
    assert gradient == 2.0
    assert jvp(innermost, (lists(99),), (lists(99),)) == (1.0, 2.0)


OTHERS: dict[str, Callable[[Any], Any]] = {
    "Value": Value,
    "operator": lambda tree: Value(1.0) + tree,
    "function": lambda tree: autograd.exp(tree),
    "sequence": lambda tree: autograd.sum([tree]),
    "label": lambda tree: Value(1.0, tree),
    "data": lambda tree: setattr(Value(1.0), "data", tree),
    "seed": lambda tree: Value(1.0).backward(tree),
    "Graph": lambda tree: Graph([tree]),
    "forward": lambda tree: Graph(Value(1.0, "x")).forward({"x": tree}),
    "draw": lambda tree: draw([tree]),
    "direction": lambda tree: draw(Value(1.0), direction=tree),
    "steps": steps,
    "group": group,
    "primitive": lambda tree: primitive(tree, partials=lambda y, x: (1.0,)),
    "domain": lambda tree: primitive(lambda x: x, partials=lambda y, x: (1.0,), name="never", domain=tree),
    "kinks": lambda tree: primitive(lambda x: x, partials=lambda y, x: (1.0,), name="never", kinks=[tree]),
    "name": lambda tree: autograd.Op(tree, abs, lambda y, x: (1.0,)),
    "expression": lambda tree: read(tree, {}),
    "source": lambda tree: compile(lambda p, x: x[0], [], [1.0]).source(tree),
}


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("use", OTHERS)
def test_errors_can_show_what_cannot_be_written(use: str, tree: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        OTHERS[use](TREES[tree]())
    assert len(str(caught.value)) < 400


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_what_cannot_write_itself_is_shown_by_its_kind() -> None:
    assert shown(Broken()).startswith("<tests.test_structure.Broken object at ")
    with pytest.raises(TypeError, match=r"data of a Value must be a real number \(got <tests"):
        Value(Broken())
