"""Activations, losses and clipping far out: at +-1000 and +-1e6 all is finite and right, and identities hold everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Value, compile, grad, hessian, softmax

from .. import oracle
from . import exact
from .exact import close

FAR = [s * x for x in (1000.0, 1e6) for s in (1.0, -1.0)]
NUMBERS = [*FAR, 700.5, -745.25, 37.0, -37.0, 0.3, -0.3]
ROWS = [
    [1000.0, -1000.0, 0.0],
    [-1000.0, -1000.0, -1000.0],
    [1000.0, 1000.0, -1000.0],
    [1e6, -1e6, 3.0],
    [-1e6, 0.0, 1000.0],
    [1e6, 1e6 - 0.5, 1e6 - 40.0],
    [0.1, 0.2, 0.30000000000000004],
]
OF_ONE = ["sigmoid", "log_sigmoid", "tanh", "arctan", "hardtanh", "step", "relu", "leaky_relu", "elu", "softplus", "swish", "gelu"]
OF_A_ROW = ["softmax", "log_softmax"]


def slopes_of(f: Callable[..., Any], *x: float) -> list[float]:
    """The derivative of f in each of its numbers, by backward."""
    leaves = [Value(v) for v in x]
    f(*leaves).backward()
    return [leaf.grad for leaf in leaves]


def all_close(a: Sequence[float], b: Sequence[float]) -> bool:
    return len(a) == len(b) and all(map(math.isfinite, a)) and all(map(close, a, b))


# Activations -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", NUMBERS)
@pytest.mark.parametrize("name", OF_ONE)
def test_activations(name: str, x: float) -> None:
    f = nn.Activation(name)
    operands = {"leaky_relu": (x, 0.01), "elu": (x, 1.0), "swish": (x, 1.0)}.get(name, (x,))
    leaf = Value(x)
    (y,) = f([leaf])
    y.backward()
    assert all_close([y.data], [exact.op(name, *operands)])
    assert all_close([leaf.grad], exact.op_slopes(name, *operands)[:1])


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("name", OF_A_ROW)
def test_activations_of_a_row(name: str, row: list[float]) -> None:
    f = nn.Activation(name)
    for i in range(len(row)):
        order = [row[i], *row[:i], *row[i + 1 :]]
        assert all_close([f(order)[0]], [exact.op(name, *order)])
        assert all_close(slopes_of(lambda *z: f(list(z))[0], *order), exact.op_slopes(name, *order))


@pytest.mark.parametrize("x", NUMBERS)
@pytest.mark.parametrize("slope", [0.25, -2.0, 0.0])
def test_prelu(x: float, slope: float) -> None:
    layer = nn.PReLU(1, slope=slope)
    leaf = Value(x)
    (y,) = layer([leaf])
    y.backward()
    (parameter,) = layer.parameters()
    assert [y.data, leaf.grad, parameter.grad] == ([x, 1.0, 0.0] if x > 0 else [slope * x, slope, x])


@pytest.mark.parametrize("x", NUMBERS)
@pytest.mark.parametrize("beta", [0.0, 1.0, -1.0, 0.001, 1000.0])
def test_swish(beta: float, x: float) -> None:
    layer = nn.Swish(beta)
    leaf = Value(x)
    (y,) = layer([leaf])
    y.backward()
    (parameter,) = layer.parameters()
    assert all_close([y.data], [exact.op("swish", x, beta)])
    assert all_close([leaf.grad, parameter.grad], exact.op_slopes("swish", x, beta))


@given(x=st.floats(-1e6, 1e6))
def test_limits_of_swish(x: float) -> None:
    assert nn.Swish(0.0)([x])[0].data == x / 2
    assert abs(nn.Swish(1e9)([x])[0].data - max(x, 0.0)) <= 0.3e-9  # at most 0.2785 / beta, where beta x = -1.2785


@pytest.mark.parametrize("row", [[1000.0, -1000.0], [1e6, 1e6], [-1e6, 1000.0]], ids=str)
def test_maxout(row: list[float]) -> None:
    layer = nn.Maxout(2, 1, pieces=3, rng=0)
    leaves = [Value(x) for x in row]
    y = layer(leaves)
    y.backward()
    assert math.isfinite(y.data)
    assert math.isclose(y.data, sum(leaf.data * leaf.grad for leaf in leaves), rel_tol=1e-12)  # linear: biases start at 0


# Losses ------------------------------------------------------------------------------------------------------------------

OF_LOGITS = ["cross_entropy", "kl_divergence"]
MARGIN = ["hinge", "squared_hinge", "logistic", "perceptron"]
SOFT = [[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]
CASES: dict[str, list[tuple[Any, Any]]] = {
    "cross_entropy": [(row, target) for row in ROWS for target in (0, 1, 2, *SOFT)],
    "kl_divergence": [(row, target) for row in ROWS for target in SOFT],
    "binary_cross_entropy": [(x, y) for x in NUMBERS for y in (0, 1, 0.3)],
    **{name: [(x, y) for x in NUMBERS for y in (-1, 1)] for name in MARGIN},
    **{name: [*((x, y) for x in NUMBERS for y in (0.0, -1e6)), *((row, ROWS[0]) for row in ROWS)] for name in ("mse", "half_mse")},
}


@pytest.mark.parametrize("name", CASES)
def test_losses(name: str) -> None:
    loss = getattr(nn.losses, name)
    for prediction, target in CASES[name]:
        row = prediction if isinstance(prediction, list) else [prediction]
        leaves = [Value(x) for x in row]
        y = loss(leaves if row is prediction else leaves[0], target)
        y.backward()
        got, right = [leaf.grad for leaf in leaves], exact.loss_slopes(name, prediction, target)
        if target in SOFT:  # the last bits of the logits count in the value, and p - y is a difference of shares
            assert abs(y.data - exact.loss(name, prediction, target)) <= exact.blur(row), (y, prediction, target)
            assert all(abs(a - b) <= 1e-15 for a, b in zip(got, right, strict=True)), (got, right)
        else:
            assert all_close([y.data], [exact.loss(name, prediction, target)]), (y, prediction, target)
            assert all_close(got, right), (got, right)


@pytest.mark.parametrize("name", OF_LOGITS)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_second_derivatives_of_losses_of_logits(name: str, row: list[float]) -> None:
    """diag(p) - p p^T, whatever the target."""
    p = [exact.op("softmax", z, *row[:i], *row[i + 1 :]) for i, z in enumerate(row)]
    for target in (1, [0.2, 0.3, 0.5]):
        curvature = hessian(lambda z, target=target: getattr(nn.losses, name)(z, target))(row)
        for i, line in enumerate(curvature):
            for j, h in enumerate(line):
                assert abs(float(h) - p[i] * ((i == j) - p[j])) <= 1e-15


@pytest.mark.parametrize("name", OF_LOGITS)
@pytest.mark.parametrize("target", [0, [1, 0, 0], [1.0, 0.0, 0.0], [0.25, 0.75, 0.0]], ids=str)
@pytest.mark.parametrize("backend", [None, "reference", "numpy"])
def test_a_class_that_cannot_be_right_may_have_the_logit_minus_infinity(name: str, target: Any, backend: str | None) -> None:
    """It adds nothing to the loss, whose value and gradient are those of the other classes."""
    loss, z = getattr(nn.losses, name), [0.5, -1.0, -math.inf]
    left = target if isinstance(target, int) else target[:2]
    expected = grad(lambda v: loss(v, left))(z[:2])
    if backend is None:
        assert loss(z, target) == loss(z[:2], left)
        assert grad(lambda v: loss(v, target))(z) == [*expected, 0.0]
    elif isinstance(target, list):
        f = compile(lambda p, row: loss.row([p[0], p[1], row[0]], row[1:]), [0.0, 0.0], [0.0] * 4, backend)
        value, slopes = f.value_and_grad(z[:2], [[z[2], *target]])
        assert math.isclose(value, loss(z[:2], left), rel_tol=1e-14)
        assert slopes == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("z", "y", "value", "slope"), [
    (math.inf, 1, 0.0, 0.0), (-math.inf, 0, 0.0, 0.0), (math.inf, 0.0, math.inf, 1.0), (-math.inf, 1.0, math.inf, -1.0),
])  # fmt: skip
def test_binary_cross_entropy_of_infinite_logits(z: float, y: float, value: float, slope: float) -> None:
    loss = nn.losses.binary_cross_entropy
    assert loss(z, y) == value
    assert grad(lambda v: loss(v, y))(z) == slope
    for backend in ("reference", "numpy"):
        f = compile(lambda p, row: loss.row(p[0], row[0]), [0.0], [0.0], backend)
        assert f.value_and_grad([z], [[y]]) == (value, [slope])


@pytest.mark.parametrize(("name", "at"), [("hinge", 1.0), ("squared_hinge", 1.0), ("perceptron", 0.0)])
@pytest.mark.parametrize("target", [-1, 1])
def test_kinks_take_the_flat_side(name: str, at: float, target: int) -> None:
    assert slopes_of(lambda s: getattr(nn.losses, name)(s, target), at * target) == [0.0]


LOGITS = st.lists(st.one_of(st.floats(-1e6, 1e6), st.floats(-40.0, 40.0)), min_size=2, max_size=5)
WHOLE = st.integers(-(10**6), 10**6).map(float)
SCORES = st.one_of(st.floats(-1e6, 1e6), st.floats(-40.0, 40.0))
SIGNS = st.sampled_from([-1, 1])
DISTRIBUTION = st.lists(st.integers(0, 100), min_size=2, max_size=5).filter(any).map(lambda n: [k / sum(n) for k in n])


@given(z=LOGITS, data=st.data())
def test_the_gradient_of_softmax_with_cross_entropy_is_p_minus_y(z: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(z) - 1))
    got = grad(lambda x: nn.losses.cross_entropy(x, k))(z)
    p = [exact.op("softmax", v, *z[:i], *z[i + 1 :]) for i, v in enumerate(z)]
    assert all(abs(g - (p[i] - (i == k))) <= 1e-15 for i, g in enumerate(got))
    assert abs(math.fsum(got)) <= 1e-15
    assert nn.losses.cross_entropy(z, k) >= 0.0


@given(z=st.lists(WHOLE, min_size=2, max_size=5), shift=WHOLE, data=st.data())
def test_only_differences_of_logits_count(z: list[float], shift: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(z) - 1))
    assert nn.losses.cross_entropy([v + shift for v in z], k) == nn.losses.cross_entropy(z, k)


@given(z=LOGITS, data=st.data())
def test_the_order_of_classes_does_not_count(z: list[float], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(z))))
    k = data.draw(st.integers(0, len(z) - 1))
    assert close(float(nn.losses.cross_entropy([z[i] for i in order], order.index(k))), float(nn.losses.cross_entropy(z, k)))


@given(z=SCORES)
def test_two_classes_are_the_binary_and_the_logistic_loss(z: float) -> None:
    loss = float(nn.losses.binary_cross_entropy(z, 1))
    assert close(float(nn.losses.cross_entropy([0.0, z], 1)), loss)
    assert close(float(nn.losses.logistic(z, 1)), loss)
    assert close(float(nn.losses.binary_cross_entropy(-z, 0)), loss)


@given(s=SCORES, y=SIGNS)
def test_margin_losses_are_ordered(s: float, y: int) -> None:
    hinge, squared, logistic, perceptron = (float(getattr(nn.losses, name)(s, y)) for name in MARGIN)
    wrong = nn.losses.zero_one(s, y)
    assert type(wrong) is float
    assert 0.0 <= perceptron <= hinge
    assert close(squared, hinge * hinge / 2)
    assert -1e-9 <= logistic - perceptron <= math.log(2.0) + 1e-9
    assert wrong <= hinge
    assert wrong * math.log(2.0) <= logistic
    assert [float(getattr(nn.losses, name)(-s, -y)) for name in MARGIN] == [hinge, squared, logistic, perceptron]


@given(a=SCORES, b=SCORES, name=st.sampled_from(MARGIN))
def test_margin_losses_fall_with_the_margin(a: float, b: float, name: str) -> None:
    low, high = sorted((a, b))
    assert getattr(nn.losses, name)(high, 1) <= getattr(nn.losses, name)(low, 1)
    assert grad(lambda s: getattr(nn.losses, name)(s, 1))(a) <= 0.0


@given(p=DISTRIBUTION, data=st.data())
def test_divergence_is_cross_entropy_less_entropy(p: list[float], data: st.DataObject) -> None:
    z = data.draw(st.lists(st.floats(-50.0, 50.0), min_size=len(p), max_size=len(p)))
    divergence, crossed = float(nn.losses.kl_divergence(z, p)), float(nn.losses.cross_entropy(z, p))
    entropy = -math.fsum(q * math.log(q) for q in p if q)
    assert abs(divergence - (crossed - entropy)) <= exact.blur(z)
    assert divergence >= -exact.blur(z)


@given(z=st.lists(st.floats(-30.0, 30.0), min_size=2, max_size=5))
def test_divergence_from_itself_is_nothing(z: list[float]) -> None:
    p = [float(q) for q in softmax(z)]
    assert abs(nn.losses.kl_divergence(z, p)) <= exact.blur(z)
    assert all(abs(g) <= 1e-14 for g in grad(lambda x: nn.losses.kl_divergence(x, p))(z))


@settings(max_examples=30)
@given(pairs=st.lists(st.tuples(SCORES, SIGNS), min_size=1, max_size=6), name=st.sampled_from([*MARGIN, "mse", "half_mse"]))
def test_a_batch_is_the_mean_of_its_rows(pairs: list[tuple[float, int]], name: str) -> None:
    loss = getattr(nn.losses, name)
    s, y = [s for s, _ in pairs], [y for _, y in pairs]
    rows = [float(loss(a, b)) for a, b in pairs]
    assert close(float(loss(s, y)), math.fsum(rows) / len(rows))


# Layers and clipping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 2.0**30), (1e6, 0.0), (1e6, 1e6), (1000.0, -1000.0)])
def test_batch_norm_does_not_see_scale_and_offset(scale: float, offset: float) -> None:
    rows = [[-1.0], [0.5], [2.0]]
    near, far = nn.BatchNorm(1, eps=1e-12), nn.BatchNorm(1, eps=1e-12)
    expected = [y.data for (y,) in near.batch(rows)]
    assert [y.data for (y,) in far.batch([[scale * x + offset] for (x,) in rows])] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("x", [0.0, *FAR])
def test_batch_norm_of_equal_rows_is_the_shift(x: float) -> None:
    leaves = [Value(x) for _ in range(3)]
    outputs = nn.BatchNorm(1).batch([[leaf] for leaf in leaves])
    outputs[0][0].backward()
    assert [y[0].data for y in outputs] == [0.0, 0.0, 0.0]
    assert all(math.isfinite(leaf.grad) for leaf in leaves)


@pytest.mark.parametrize("scale", [1.0, 1000.0, 1e6, 1e200, 1e-200])
def test_clipping_by_norm_at_any_scale(scale: float) -> None:
    parameters = [Value(0.0), Value(0.0)]
    for p, g in zip(parameters, (3.0 * scale, -4.0 * scale), strict=True):
        p.grad = g
    norm = nn.optim.clip_grad_norm(parameters, 0.5)
    expected = [3.0 * scale, -4.0 * scale] if scale < 0.01 else [0.3, -0.4]
    assert math.isclose(norm, 5.0 * scale, rel_tol=1e-12)
    assert [p.grad for p in parameters] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "elu", "swish", "gelu"])
@given(x=st.lists(st.sampled_from(FAR), min_size=2, max_size=2))
@settings(max_examples=10)
def test_a_network_far_out(name: str, x: list[float]) -> None:
    """Saturated neurons give finite outputs and gradients, those of arbitrary precision."""
    neuron = nn.Neuron(2, name, rng=0)
    neuron(x).backward()
    *w, b = [p.data for p in neuron.parameters()]
    z = math.fsum(map(float.__mul__, w, x)) + b
    extra = {"elu": (1.0,), "swish": (1.0,)}.get(name, ())
    slope = exact.op_slopes(name, z, *extra)[0]
    assert close(float(neuron(x)), oracle.rounded(oracle.value(name, (z, *extra))))
    assert all_close([p.grad for p in neuron.parameters()], [slope * x[0], slope * x[1], slope])
