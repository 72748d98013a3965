"""Errors: the right type, and a message that names the argument, what was given, and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd
from autograd import Dual, Graph, Op, Value, draw, grad, gradcheck, hessian, hvp, jacobian, jvp, numeric_grad, ops, value_and_grad, vjp
from autograd.ops import named
from autograd.testing import assert_gradients, points_for
from tests.extras import extra

np = extra("numpy")


def square(x: Any) -> Any:
    return x * x


def pair(x: Any) -> list[Any]:
    return [x, x * 2]


def set_data() -> None:
    y = Value(2.0) * 3
    y.data = 1.0


def set_label() -> None:
    Value(1.0).label = 3  # type: ignore[assignment]


def set_grad() -> None:
    Value(1.0).grad = "1"  # type: ignore[assignment]


miscounted = Op("miscounted", lambda x: x, lambda y, x: (1.0, 2.0))
NUMBER = "must be a real number"

# What is called, the type of the error, and what its message says.
BAD: dict[str, tuple[Callable[[], Any], type[Exception], list[str]]] = {
    # Values
    "a string": (lambda: Value("3"), TypeError, ["data of a Value", NUMBER, "'3', a str"]),
    "None": (lambda: Value(None), TypeError, ["data of a Value", NUMBER, "None, a NoneType"]),
    "a complex": (lambda: Value(1j), TypeError, ["data of a Value", NUMBER, "1j, a complex"]),
    "a list": (lambda: Value([1]), TypeError, ["data of a Value", NUMBER, "[1], a list"]),
    "an array": (lambda: Value(np.array([1.0])), TypeError, ["data of a Value", NUMBER, "ndarray"]),
    "a complex scalar": (lambda: Value(np.complex128(1)), TypeError, ["data of a Value", NUMBER, "a complex128"]),
    "a Value": (lambda: Value(Value(1.0)), TypeError, ["data of a Value", NUMBER, "a Value"]),
    "a Dual": (lambda: Value(Dual(1.0)), TypeError, ["data of a Value", NUMBER, "a Dual"]),
    "something long": (lambda: Value("x" * 10_000), TypeError, ["data of a Value", NUMBER, "...", "a str"]),
    "label": (lambda: Value(1.0, 3), TypeError, ["label of a Value must be a str", "3, int"]),  # type: ignore[arg-type]
    "setting label": (set_label, TypeError, ["label of a Value must be a str", "3, int"]),
    "setting grad": (set_grad, TypeError, ["grad of a Value", NUMBER, "'1', a str"]),
    "setting data": (set_data, AttributeError, ["data of a computed Value", "'mul'", "set the data of leaves", "forward()"]),
    "seed": (lambda: Value(1.0).backward("1"), TypeError, ["seed of backward", NUMBER, "'1', a str"]),  # type: ignore[arg-type]
    "subclass": (lambda: type("V", (Value,), {}), TypeError, ["cannot be subclassed", "autograd.primitive"]),
    # Ops
    "unknown op": (lambda: named("tanhh"), LookupError, ["'tanhh'", "did you mean 'tanh'?"]),
    "nothing like it": (lambda: named("qqqqq"), LookupError, ["'qqqqq'", "see autograd.ops.table", "must be declared before"]),
    "operand of a function": (lambda: autograd.exp("1"), TypeError, ["operand of exp", NUMBER, "'1', a str"]),
    "operand among Values": (lambda: autograd.hypot(Value(1.0), None), TypeError, ["operand of hypot", NUMBER, "None"]),
    "element of a sequence": (lambda: autograd.sum([Value(1.0), "1"]), TypeError, ["operand of sum", NUMBER, "'1'"]),
    "too few": (lambda: autograd.hypot(1.0), TypeError, ["hypot() takes 2 operands, got 1"]),
    "too many": (lambda: autograd.exp(1.0, 2.0), TypeError, ["exp() takes 1 operand, got 2"]),
    "too many with defaults": (lambda: autograd.elu(1.0, 2.0, 3.0), TypeError, ["elu() takes 1 to 2 operands, got 3"]),
    "no sequence": (lambda: autograd.sum(1.0), TypeError, ["sum() takes numbers in a sequence: write sum([a, b, c])"]),
    "softmax of a number": (lambda: autograd.softmax(1.0), TypeError, ["softmax() takes numbers in a sequence"]),
    "argmax of a number": (lambda: autograd.argmax(1.0), TypeError, ["argmax() takes numbers in a sequence"]),
    "dot of numbers": (lambda: autograd.dot(1.0, 2.0), TypeError, ["write dot([a, b], [c, d])"]),
    "several for a sequence": (lambda: autograd.max(1.0, 2.0), TypeError, ["max() takes numbers in a sequence: write max([a, b, c])"]),
    "dot of lengths": (lambda: autograd.dot([1.0], [1.0, 2.0]), ValueError, ["two sequences of one length", "1 and 2"]),
    "max of nothing": (lambda: autograd.max([]), ValueError, ["max"]),
    "argmax of nothing": (lambda: autograd.argmax([]), ValueError, ["argmax"]),
    "mean of nothing": (lambda: autograd.mean([]), ValueError, ["mean"]),
    "setting an op": (lambda: setattr(ops.exp, "name", "x"), AttributeError, ["immutable", "'name'", "'exp'", "declare a new primitive"]),
    "partials": (lambda: miscounted(Value(1.0)).backward(), ValueError, ["'miscounted'", "2 values for 1 operand", "one partial"]),
    # Transformations
    "argnums too large": (lambda: grad(square, 1)(2.0), ValueError, ["argnums 1 is out of range", "1 positional argument"]),
    "argnums too small": (lambda: grad(square, -2)(2.0), ValueError, ["argnums -2 is out of range"]),
    "argnums without arguments": (lambda: grad(square)(x=2.0), ValueError, ["argnums 0 is out of range", "0 positional"]),
    "argnums twice": (lambda: grad(lambda a, b: a * b, (0, -2))(1.0, 2.0), ValueError, ["argnums must name each argument once", "(0, -2)"]),
    "argnums a string": (lambda: grad(square, ["0"])(2.0), TypeError, ["argnums must be an int or a sequence of ints"]),  # type: ignore[list-item]
    "argument a string": (lambda: grad(square)("2"), TypeError, ["an argument to differentiate", NUMBER, "'2', a str"]),
    "argument None": (lambda: jacobian(pair)(None), TypeError, ["an argument to differentiate", NUMBER, "None"]),
    "argument complex": (lambda: grad(square)(np.array([1j])), TypeError, ["an argument to differentiate", NUMBER]),
    "not one number": (lambda: grad(pair)(2.0), TypeError, ["returns one number", "a list of 2", "try jacobian"]),
    "an array of them": (lambda: value_and_grad(lambda x: x * 2)(np.ones(3)), TypeError, ["one number", "shape (3,)", "try jacobian"]),
    "hessian of a vector": (lambda: hessian(pair)(2.0), TypeError, ["returns one number", "a list of 2", "try jacobian"]),
    "returns None": (lambda: grad(lambda x: None)(2.0), TypeError, ["must return numbers", "None (of type NoneType)"]),
    "returns a string": (lambda: jacobian(lambda x: ["a"])(2.0), TypeError, ["must return numbers", "'a' (of type str)"]),
    "jvp without tuple": (lambda: jvp(square, 2.0, (1.0,)), TypeError, ["primals must be a tuple or list", "2.0", "write (2.0,)"]),
    "jvp tangents without tuple": (lambda: jvp(square, (2.0,), 1.0), TypeError, ["tangents must be a tuple or list", "write (1.0,)"]),
    "jvp structure": (lambda: jvp(square, (2.0,), ([1.0],)), ValueError, ["tangents must have the structure of primals", "([1.0],)"]),
    "jvp count": (lambda: jvp(square, (2.0,), (1.0, 2.0)), ValueError, ["tangents must have the structure of primals"]),
    "jvp strings": (lambda: jvp(square, ("2",), ("1",)), TypeError, ["an argument to differentiate", NUMBER, "'2'"]),
    "vjp structure": (lambda: vjp(pair, 2.0)[1](1.0), ValueError, ["the cotangent must have the structure of the output", "1.0"]),
    "vjp string": (lambda: vjp(square, 2.0)[1]("1"), TypeError, [NUMBER, "'1'"]),
    "hvp without tuple": (lambda: hvp(square, 2.0, (1.0,)), TypeError, ["primals must be a tuple or list", "write (2.0,)"]),
    "hvp vectors without tuple": (lambda: hvp(square, (2.0,), 1.0), TypeError, ["vectors must be a tuple or list", "write (1.0,)"]),
    "hvp structure": (lambda: hvp(square, (2.0,), ([1.0],)), ValueError, ["must have the structure of primals"]),
    # Checking
    "order": (lambda: gradcheck(square, 2.0, order=3), ValueError, ["order must be 1 or 2", "3"]),
    "rtol": (lambda: gradcheck(square, 2.0, rtol=-1.0), ValueError, ["rtol must be 0 or more", "-1.0"]),
    "atol nan": (lambda: gradcheck(square, 2.0, atol=float("nan")), ValueError, ["atol must be 0 or more", "nan"]),
    "atol a string": (lambda: gradcheck(square, 2.0, atol="x"), TypeError, ["atol", NUMBER]),  # type: ignore[arg-type]
    "nothing to check": (lambda: gradcheck(square), TypeError, ["at least one argument", "gradcheck(f, x)"]),
    "checking a string": (lambda: gradcheck(square, "2"), TypeError, ["an argument of gradcheck", NUMBER, "'2'"]),
    "method": (lambda: numeric_grad(square, 2.0, method="x"), ValueError, ["method must be one of 'central'", "'richardson'", "'x'"]),
    "nothing to differentiate": (lambda: numeric_grad(square), TypeError, ["at least one argument", "numeric_grad(f, x)"]),
    "complex step": (lambda: numeric_grad(autograd.relu, 2.0, method="complex"), ValueError, ["'complex'", "'relu'", "'richardson'"]),
    "wrong gradient": (
        lambda: assert_gradients(Op("off", square, lambda y, x: (x,)), 2.0),
        AssertionError,
        ["1 of 1 derivatives are wrong", "analytic", "WRONG"],
    ),
    "points of an unknown op": (lambda: points_for("expp"), LookupError, ["'expp'", "did you mean 'exp'?"]),
    # Graphs and pictures
    "graph of a number": (lambda: Graph(1.0), TypeError, ["Graph needs a Value or a sequence of Values", "1.0"]),  # type: ignore[arg-type]
    "graph of strings": (lambda: Graph(["x"]), TypeError, ["Graph needs a Value", "'x', str"]),  # type: ignore[list-item]
    "unknown leaf": (lambda: Graph(Value(1.0, "x")).forward({"y": 1.0}), KeyError, ["cannot update 'y'", "no leaf", "labels of leaves: x"]),
    "data of a leaf": (lambda: Graph(Value(1.0, "x")).forward({"x": "1"}), TypeError, ["new data of 'x'", NUMBER, "'1', a str"]),
    "direction": (lambda: draw(Value(1.0), direction="up"), ValueError, ["direction must be one of LR, TB, RL, BT", "'up'"]),
    "ending": (lambda: draw(Value(1.0)).save("graph.bmp"), ValueError, ["'graph.bmp'", "must end in .svg"]),
    "no ending": (lambda: draw(Value(1.0)).save("graph"), ValueError, ["'graph'", "must end in .svg"]),
    "too many nodes": (lambda: draw(Value(1.0) + 1, max_nodes=1), ValueError, ["2 nodes", "max_nodes=1", "draw a part of it"]),
    "drawing a number": (lambda: draw(1.0), TypeError, ["needs a Value", "1.0"]),  # type: ignore[arg-type]
    # Arrays
    "array of strings": (lambda: (np.array, autograd.array(["a"])), TypeError, ["array needs an array of real numbers", "['a']"]),
    "broadcast": (lambda: autograd.maximum(np.ones(2), autograd.array(np.ones(3))), ValueError, ["broadcast"]),
}


@pytest.mark.parametrize("name", BAD)
def test_error(name: str) -> None:
    call, error, parts = BAD[name]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error or error is LookupError
    assert all(part in message for part in parts), message
    assert len(message) < 2000
    assert not re.search(r" object at 0x", message)


def test_a_file_that_is_no_graph(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.txt' is not a graph file"):
        Graph.load(tmp_path / "notes.txt")


def test_nothing_is_written_for_an_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must end in"):
        draw(Value(1.0)).save(tmp_path / "graph.xyz")
    assert not list(tmp_path.iterdir())
