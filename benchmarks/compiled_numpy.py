"""The jobs written by hand in NumPy: plainly, and with every temporary allocated in advance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from compiled_cases import Array, Irregular, Network, Neuron

Call = Callable[[], Any]


def hinge(case: Network) -> Call:
    """2-16-16-1, as one writes it."""
    (W1, b1), (W2, b2), (W3, b3) = case.layers
    X, y = case.inputs, case.labels[:, None]
    n = len(X)

    def call() -> Any:
        h1 = np.maximum(X @ W1.T + b1, 0.0)
        h2 = np.maximum(h1 @ W2.T + b2, 0.0)
        losses = np.maximum(1.0 - y * (h2 @ W3.T + b3), 0.0)
        d3 = np.where(losses > 0.0, -y / n, 0.0)
        d2 = (d3 @ W3) * (h2 > 0.0)
        d1 = (d2 @ W2) * (h1 > 0.0)
        return losses.sum() / n, d1.T @ X, d1.sum(0), d2.T @ h1, d2.sum(0), d3.T @ h2, d3.sum(0)

    return call


def cross_entropy(case: Network) -> Call:
    """64-32-10 and 784-128-10."""
    (W1, b1), (W2, b2) = case.layers
    X, labels, each = case.inputs, case.labels, np.arange(case.count)
    n = len(X)

    def call() -> Any:
        h = np.maximum(X @ W1.T + b1, 0.0)
        z = h @ W2.T + b2
        z -= z.max(1, keepdims=True)
        e = np.exp(z)
        total = e.sum(1, keepdims=True)
        loss = (np.log(total).sum() - z[each, labels].sum()) / n
        d2 = e / total
        d2[each, labels] -= 1.0
        d2 /= n
        d1 = (d2 @ W2) * (h > 0.0)
        return loss, d1.T @ X, d1.sum(0), d2.T @ h, d2.sum(0)

    return call


def hinge_in_place(case: Network) -> Call:
    """The same into arrays made once."""
    (W1, b1), (W2, b2), (W3, b3) = case.layers
    X, y = case.inputs, case.labels[:, None]
    n = len(X)
    h1, h2, d1, d2 = (np.empty((n, len(W))) for W in (W1, W2, W1, W2))
    losses, d3, minus = np.empty((n, 1)), np.empty((n, 1)), -y / n
    grads = [np.empty_like(array) for array in (W1, b1, W2, b2, W3, b3)]
    G1, g1, G2, g2, G3, g3 = grads

    def call() -> Any:
        np.dot(X, W1.T, out=h1)
        np.add(h1, b1, out=h1)
        np.maximum(h1, 0.0, out=h1)
        np.dot(h1, W2.T, out=h2)
        np.add(h2, b2, out=h2)
        np.maximum(h2, 0.0, out=h2)
        np.dot(h2, W3.T, out=losses)
        np.add(losses, b3, out=losses)
        np.multiply(losses, y, out=losses)
        np.subtract(1.0, losses, out=losses)
        np.maximum(losses, 0.0, out=losses)
        np.multiply(losses > 0.0, minus, out=d3)
        np.dot(d3.T, h2, out=G3)
        np.add.reduce(d3, 0, out=g3)
        np.dot(d3, W3, out=d2)
        np.multiply(d2, h2 > 0.0, out=d2)
        np.dot(d2.T, h1, out=G2)
        np.add.reduce(d2, 0, out=g2)
        np.dot(d2, W2, out=d1)
        np.multiply(d1, h1 > 0.0, out=d1)
        np.dot(d1.T, X, out=G1)
        np.add.reduce(d1, 0, out=g1)
        return np.add.reduce(losses, None) / n, *grads

    return call


def cross_entropy_in_place(case: Network) -> Call:
    """The same into arrays made once."""
    (W1, b1), (W2, b2) = case.layers
    X, one_hot = case.inputs, np.eye(len(W2))[case.labels]
    n = len(X)
    h, d1 = np.empty((n, len(W1))), np.empty((n, len(W1)))
    z, e, peak, total = np.empty((n, len(W2))), np.empty((n, len(W2))), np.empty((n, 1)), np.empty((n, 1))
    grads = [np.empty_like(array) for array in (W1, b1, W2, b2)]
    G1, g1, G2, g2 = grads

    def call() -> Any:
        np.dot(X, W1.T, out=h)
        np.add(h, b1, out=h)
        np.maximum(h, 0.0, out=h)
        np.dot(h, W2.T, out=z)
        np.add(z, b2, out=z)
        np.maximum.reduce(z, 1, keepdims=True, out=peak)
        np.subtract(z, peak, out=z)
        np.exp(z, out=e)
        np.add.reduce(e, 1, keepdims=True, out=total)
        np.divide(e, total, out=e)
        np.log(total, out=total)
        loss = (np.add.reduce(total, None) - np.vdot(z, one_hot)) / n
        np.subtract(e, one_hot, out=e)
        np.divide(e, n, out=e)
        np.dot(e.T, h, out=G2)
        np.add.reduce(e, 0, out=g2)
        np.dot(e, W2, out=d1)
        np.multiply(d1, h > 0.0, out=d1)
        np.dot(d1.T, X, out=G1)
        np.add.reduce(d1, 0, out=g1)
        return loss, *grads

    return call


def neuron(case: Neuron) -> Call:
    """Value and gradient in the weights."""
    X, w, b = case.rows, case.params[:2], case.params[2]
    n = len(X)

    def call() -> Any:
        s = 1.0 / (1.0 + np.exp(-(X @ w + b)))
        d = s * (1.0 - s) / n
        return s.mean(), d @ X, d.sum()

    return call


def neuron_in_place(case: Neuron) -> Call:
    """The same into arrays made once."""
    X, w, b = case.rows, -case.params[:2], -case.params[2]
    n = len(X)
    s, d = np.empty(n), np.empty(n)

    def call() -> Any:
        _sigmoid(X, w, b, s)
        np.subtract(1.0, s, out=d)
        np.multiply(d, s, out=d)
        return s.sum() / n, np.dot(d, X) / n, d.sum() / n

    return call


def neuron_inputs(case: Neuron) -> Call:
    """The gradient of each row in its inputs."""
    X, w, b = case.rows, case.params[:2], case.params[2]

    def call() -> Any:
        s = 1.0 / (1.0 + np.exp(-(X @ w + b)))
        return (s * (1.0 - s))[:, None] * w

    return call


def neuron_inputs_in_place(case: Neuron) -> Call:
    """The same into arrays made once; the result is a new one."""
    X, w, b = case.rows, case.params[:2], case.params[2]
    s, d = np.empty(len(X)), np.empty(len(X))

    def call() -> Any:
        _sigmoid(X, -w, -b, s)
        np.subtract(1.0, s, out=d)
        np.multiply(d, s, out=d)
        return np.multiply(d[:, None], w)

    return call


def _sigmoid(X: Array, minus_w: Array, minus_b: Any, out: Array) -> None:
    np.dot(X, minus_w, out=out)
    np.add(out, minus_b, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.divide(1.0, out, out=out)


def irregular(case: Irregular) -> Call:
    """The statements of the graph and its adjoint, one by one, on columns."""
    names: dict[str, Any] = {name: getattr(np, name) for name in ("sin", "cos", "tanh", "exp")}
    exec(case.source("gradient"), names)
    gradient, params, columns = names["gradient"], case.params.tolist(), list(np.ascontiguousarray(case.rows.T))

    def call() -> Any:
        return [np.mean(x) for x in gradient(*params, *columns)]

    return call
