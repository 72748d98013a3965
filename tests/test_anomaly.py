"""detect_anomaly: the first nan or inf, forward or backward, with op, operands, labels and the user's line."""

from __future__ import annotations

import math
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import AnomalyError, Op, Value, detect_anomaly, exp, grad, jvp, log, ops, sqrt
from autograd.testing import Expression, expressions


def line() -> int:
    """The number of the caller's line."""
    return sys._getframe(1).f_lineno


def place(number: int) -> str:
    return f'line {number} of "{__file__}"'


# Forward ------------------------------------------------------------------------------------------------------------------


def test_forward_names_op_operands_labels_and_line() -> None:
    x = Value(-1.0, "x")
    at = line() + 2
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        log(x * 2.0)
    message = str(caught.value)
    assert message.startswith("log gave nan for operands mul = -2.0")
    assert place(at) in message
    assert "test_forward_names_op_operands_labels_and_line" in message


@pytest.mark.parametrize(
    ("compute", "parts"),
    [
        (lambda x, z: 1 / z, ["reciprocal gave inf", "z = 0.0"]),
        (lambda x, z: x / z, ["div gave -inf", "x = -2.0, z = 0.0"]),
        (lambda x, z: z / z, ["div gave nan", "z = 0.0, z = 0.0"]),
        (lambda x, z: x.sqrt(), ["sqrt gave nan", "x = -2.0"]),
        (lambda x, z: sqrt(x), ["sqrt gave nan", "x = -2.0"]),
        (lambda x, z: x**0.5, ["pow gave nan", "x = -2.0, 0.5"]),
        (lambda x, z: 3.0 / z, ["div gave inf", "3.0, z = 0.0"]),
        (lambda x, z: (x * -1000).exp(), ["exp gave inf", "mul = 2000.0"]),
        (lambda x, z: ops.logsumexp([x, z, math.nan]), ["logsumexp gave nan", "x = -2.0, z = 0.0, nan"]),
        (lambda x, z: ops.clip(x, math.nan, 1.0), ["clip gave nan", "x = -2.0, nan, 1.0"]),
        (lambda x, z: x.leaky_relu(math.inf), ["leaky_relu gave -inf", "x = -2.0, inf"]),
        (lambda x, z: x + math.inf, ["add gave inf", "x = -2.0, inf"]),
    ],
)
def test_forward_first_anomaly(compute: Any, parts: list[str]) -> None:
    x, z = Value(-2.0, "x"), Value(0.0, "z")
    assert not math.isfinite(compute(x, z).data)
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        compute(x, z) * 2
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert place(compute.__code__.co_firstlineno) in message


def test_it_is_an_arithmetic_error() -> None:
    assert issubclass(AnomalyError, ArithmeticError)


# Backward -----------------------------------------------------------------------------------------------------------------


def test_backward_names_the_rule_and_the_line() -> None:
    x = Value(0.0, "x")
    y = sqrt(x) * 3.0
    y.label = "y"
    at = line() + 2
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        y.backward()
    message = str(caught.value)
    assert message.startswith("backward gave gradient inf to x = 0.0: upstream 3.0 x local derivative inf of sqrt")
    assert place(at) in message
    assert x.grad == 0.0


def test_backward_keeps_the_gradients_of_leaves() -> None:
    x, z = Value(0.0), Value(2.0)
    x.grad, z.grad = 5.0, 6.0
    with detect_anomaly(), pytest.raises(AnomalyError):
        (x.sqrt() * z).backward()
    assert (x.grad, z.grad) == (5.0, 6.0)


@pytest.mark.parametrize("seed", [math.nan, math.inf])
def test_backward_from_an_anomalous_seed(seed: float) -> None:
    with detect_anomaly(), pytest.raises(AnomalyError, match=f"backward began with gradient {seed}"):
        (Value(1.0) * 2).backward(seed)


def test_a_rule_that_gives_nan() -> None:
    faulty = Op("faulty", lambda x: x, lambda y, x: (math.nan,))
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"gradient nan to w = 1\.0: upstream 1\.0 x local derivative nan of faulty"):
        faulty(Value(1.0, "w")).backward()


TRANSFORMATIONS: dict[str, Any] = {
    "grad": lambda: grad(sqrt)(0.0),
    "grad of grad": lambda: grad(grad(lambda x: x**1.5))(0.0),
    "jvp": lambda: jvp(sqrt, (0.0,), (1.0,)),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_transformations(name: str) -> None:
    """Their sweeps are backward passes too."""
    derivative = TRANSFORMATIONS[name]
    derivative()
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        derivative()
    assert __file__ in str(caught.value)


# Where it is active -------------------------------------------------------------------------------------------------------


@given(expressions())
def test_silent_where_all_is_finite(e: Expression) -> None:
    plain = e.value()
    plain.backward()
    if all(math.isfinite(node.grad) for node in autograd.Graph(plain)):
        with detect_anomaly():
            watched = e.value()
            watched.backward()
        assert [n.grad for n in autograd.Graph(watched)] == [n.grad for n in autograd.Graph(plain)]


def is_watched() -> bool:
    try:
        log(Value(-1.0))
    except AnomalyError:
        return True
    return False


@given(st.recursive(st.just([]), lambda blocks: st.lists(blocks, max_size=3), max_leaves=8))
def test_nested_blocks(blocks: list[Any]) -> None:
    def enter(blocks: list[Any], inside: bool) -> None:
        assert is_watched() == inside
        for inner in blocks:
            with detect_anomaly():
                enter(inner, True)
            assert is_watched() == inside

    enter(blocks, False)


def test_an_error_in_the_block_ends_it() -> None:
    with pytest.raises(RuntimeError), detect_anomaly():
        raise RuntimeError
    assert not is_watched()
    with pytest.raises(AnomalyError), detect_anomaly():
        log(Value(-1.0))
    assert not is_watched()


def test_as_a_decorator() -> None:
    assert detect_anomaly()(is_watched)()
    assert not is_watched()


def test_other_threads_are_not_watched() -> None:
    with detect_anomaly(), ThreadPoolExecutor(1) as pool:
        assert not pool.submit(is_watched).result()
        assert is_watched()


def test_it_costs_nothing_outside() -> None:
    from autograd.numbers import value

    with detect_anomaly():
        assert value.on_record is not None
    assert value.on_record is None
    assert value.on_sweep is None


def test_nothing_is_reported_twice_or_kept() -> None:
    x = Value(1000.0)
    y = exp(x)
    with detect_anomaly():
        z = y * 0.5 if math.isfinite(y.data) else x
    assert z is x
