"""The contenders, each reduced to a call that computes mean and gradient of a case."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import compiled_numpy as by_hand
import numpy as np
from common import Packaged
from compiled_cases import Array, Case, Irregular, Network, Neuron

Call = Callable[[], Any]


class Contender(Packaged):
    """Has a method for each kind of case it takes part in: it gives a call without arguments."""

    def call(self, case: Case) -> Call | None:
        """What is timed; None if the contender does not take part."""
        prepare = getattr(self, case.kind, None)
        return None if prepare is None else prepare(case)

    def numbers(self, result: Any) -> Array:
        """What a call gave as one vector: value, then gradient."""
        parts = result if isinstance(result, (tuple, list)) else [result]
        return np.concatenate([self.numbers(part) if isinstance(part, (tuple, list)) else np.ravel(np.asarray(part)) for part in parts])


class Ours(Contender):
    """This library: the scalar code of one row, compiled."""

    package = "autograd"
    distribution = "scalar-autograd"
    backend: ClassVar[str]

    def call(self, case: Case) -> Call:
        """Parameters as a flat array, rows as an array."""
        from autograd import compile

        params, rows = case.params, case.rows
        f = compile(case.scalar, params, rows[0], backend=self.backend)
        return (lambda: f.input_grads(params, rows)) if case.of_inputs else lambda: f.value_and_grad(params, rows)

    @classmethod
    def installed(cls) -> bool:
        """Whether the backend is there."""
        from autograd import compile

        try:
            compile(lambda p, x: p[0] * x[0], [0.0], [0.0], backend=cls.backend)
        except ValueError:
            return False
        return True


class OursNative(Ours):
    """The native machine."""

    name = "autograd, native"
    backend = "native"


class OursNumPy(Ours):
    """The NumPy backend."""

    name = "autograd, NumPy"
    backend = "numpy"


class NumPy(Contender):
    """Written by hand, plainly."""

    name = "NumPy by hand"
    package = distribution = "numpy"

    def network(self, case: Network) -> Call:
        return by_hand.hinge(case) if case.is_hinge else by_hand.cross_entropy(case)

    def neuron(self, case: Neuron) -> Call:
        return by_hand.neuron(case)

    def neuron_inputs(self, case: Neuron) -> Call:
        return by_hand.neuron_inputs(case)

    def irregular(self, case: Irregular) -> Call:
        return by_hand.irregular(case)


class NumPyInPlace(Contender):
    """Written by hand into arrays made in advance."""

    name = "NumPy by hand, out="
    package = distribution = "numpy"

    def network(self, case: Network) -> Call:
        return by_hand.hinge_in_place(case) if case.is_hinge else by_hand.cross_entropy_in_place(case)

    def neuron(self, case: Neuron) -> Call:
        return by_hand.neuron_in_place(case)

    def neuron_inputs(self, case: Neuron) -> Call:
        return by_hand.neuron_inputs_in_place(case)


class Torch(Contender):
    """PyTorch, one tensor for each array of parameters."""

    name = "torch"
    package = distribution = "torch"

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch = torch

    def prepared(self, mean: Callable[..., Any]) -> Callable[..., Any]:
        """What gives the mean of a case from its parameters and data."""
        return mean

    def network(self, case: Network) -> Call:
        torch = self.torch
        functional = torch.nn.functional
        X, labels = torch.from_numpy(case.inputs), torch.from_numpy(case.labels)
        params = [self._leaf(array) for layer in case.layers for array in layer]

        def mean(*params: Any) -> Any:
            x = X
            for n in range(0, len(params), 2):
                x = functional.linear(x if n == 0 else torch.relu(x), params[n], params[n + 1])
            return torch.relu(1 - labels * x[:, 0]).mean() if case.is_hinge else functional.cross_entropy(x, labels)

        return self._value_and_grad(mean, params)

    def neuron(self, case: Neuron) -> Call:
        torch, X = self.torch, self.torch.from_numpy(case.rows)
        params = [self._leaf(case.params[:2]), self._leaf(case.params[2])]
        return self._value_and_grad(lambda w, b: torch.sigmoid(X @ w + b).mean(), params)

    def neuron_inputs(self, case: Neuron) -> Call:
        w, b = self.torch.from_numpy(case.params[:2]), float(case.params[2])
        gradient = self._value_and_grad(lambda X: self.torch.sigmoid(X @ w + b).sum(), [self._leaf(case.rows)])
        return lambda: gradient()[1]

    def irregular(self, case: Irregular) -> Call | None:
        columns = list(self.torch.from_numpy(np.ascontiguousarray(case.rows.T)))
        return self._value_and_grad(lambda *p: case.apply(p, columns, self.torch).mean(), [self._leaf(x) for x in case.params])

    def _leaf(self, array: Any) -> Any:
        return self.torch.tensor(array, dtype=self.torch.float64, requires_grad=True)

    def _value_and_grad(self, mean: Callable[..., Any], params: list[Any]) -> Call:
        mean, grad = self.prepared(mean), self.torch.autograd.grad

        def call() -> Any:
            value = mean(*params)
            return value.detach(), grad(value, params, materialize_grads=True)

        return call


class TorchCompile(Torch):
    """The same through torch.compile, which writes C++."""

    name = "torch.compile"

    def prepared(self, mean: Callable[..., Any]) -> Callable[..., Any]:
        """Compiled for the shapes at hand."""
        self.torch.compiler.reset()
        compiled: Callable[..., Any] = self.torch.compile(mean, dynamic=False)
        return compiled

    def irregular(self, case: Irregular) -> Call | None:
        """Up to a hundred or so: more takes minutes."""
        return super().irregular(case) if case.operations <= 200 else None

    @classmethod
    def installed(cls) -> bool:
        """It needs a compiler for C++."""
        return super().installed() and (shutil.which("g++") or shutil.which("clang++")) is not None


class Jax(Contender):
    """JAX, jit(value_and_grad(f))."""

    name = "JAX jit"
    package = distribution = "jax"

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax

    def network(self, case: Network) -> Call:
        jax, jnp = self.jax, self.jax.numpy
        each = jnp.arange(case.count)

        def mean(layers: Any, X: Any, labels: Any) -> Any:
            *hidden, (W, b) = layers
            for weights, biases in hidden:
                X = jax.nn.relu(X @ weights.T + biases)
            z = X @ W.T + b
            if case.is_hinge:
                return jax.nn.relu(1 - labels * z[:, 0]).mean()
            return (jax.nn.logsumexp(z, axis=1) - z[each, labels]).mean()

        return self._ready(jax.jit(jax.value_and_grad(mean)), case.layers, case.inputs, case.labels)

    def neuron(self, case: Neuron) -> Call:
        def mean(p: Any, X: Any) -> Any:
            return self.jax.nn.sigmoid(X @ p[:2] + p[2]).mean()

        return self._ready(self.jax.jit(self.jax.value_and_grad(mean)), case.params, case.rows)

    def neuron_inputs(self, case: Neuron) -> Call:
        def total(X: Any, p: Any) -> Any:
            return self.jax.nn.sigmoid(X @ p[:2] + p[2]).sum()

        return self._ready(self.jax.jit(self.jax.grad(total)), case.rows, case.params)

    def irregular(self, case: Irregular) -> Call:
        jnp = self.jax.numpy
        functions = SimpleNamespace(sin=jnp.sin, tanh=jnp.tanh, sigmoid=self.jax.nn.sigmoid)

        def mean(p: Any, columns: Any) -> Any:
            return case.apply(list(p), list(columns), functions).mean()

        return self._ready(self.jax.jit(self.jax.value_and_grad(mean)), case.params, np.ascontiguousarray(case.rows.T))

    def _ready(self, function: Callable[..., Any], *arguments: Any) -> Call:
        arguments = self.jax.tree.map(self.jax.numpy.asarray, arguments)
        return lambda: self.jax.block_until_ready(function(*arguments))


class Numba(Contender):
    """Loops over rows and units, compiled by Numba."""

    name = "numba, loops"
    package = distribution = "numba"

    def __init__(self) -> None:
        import numba

        self._jit = numba.njit(fastmath={"reassoc", "contract", "nsz"})
        self._network = self._jit(_network)
        self._neuron, self._neuron_inputs = self._jit(_neuron), self._jit(_neuron_inputs)

    def network(self, case: Network) -> Call:
        sizes = np.array(case.sizes)
        params, X, labels, is_hinge = case.params, case.inputs, case.labels, case.is_hinge
        return lambda: self._network(params, X, labels, sizes, is_hinge)

    def neuron(self, case: Neuron) -> Call:
        params, X = case.params, case.rows
        return lambda: self._neuron(params, X)

    def neuron_inputs(self, case: Neuron) -> Call:
        params, X = case.params, case.rows
        return lambda: self._neuron_inputs(params, X)

    def irregular(self, case: Irregular) -> Call:
        jit = self._jit
        names: dict[str, Any] = {name: getattr(np, name) for name in ("sin", "cos", "tanh", "exp")}
        params, first = range(case.n_params), range(case.n_params + case.n_inputs)
        arguments = [f"p[{n}]" if n in params else f"x[k, {n - case.n_params}]" for n in first]
        lines = ["def mean(p, x):", f"    total, {', '.join(f'g{n}' for n in params)} = 0.0{', 0.0' * len(params)}"]
        lines += ["    for k in range(len(x)):", f"        value, {', '.join(f'd{n}' for n in params)} = gradient({', '.join(arguments)})"]
        lines += ["        total += value", *(f"        g{n} += d{n}" for n in params)]
        lines += [f"    return total / len(x), {', '.join(f'g{n} / len(x)' for n in params)}"]
        exec(case.source("gradient"), names)
        names["gradient"] = jit(names["gradient"])
        exec("\n".join(lines), names)
        mean, p, rows = jit(names["mean"]), case.params, case.rows
        return lambda: mean(p, rows)


def _network(p: Array, X: Array, labels: Array, sizes: Array, is_hinge: bool) -> Any:
    """Row by row, everything in the cache. The units of a layer lie side by side."""
    count, depth, widest = len(X), len(sizes) - 1, sizes.max()
    values, adjoints, grads, loss = np.zeros((depth + 1, widest)), np.zeros((depth + 1, widest)), np.zeros_like(p), 0.0
    for row in range(count):
        values[0, : sizes[0]] = X[row]
        at = 0
        for layer in range(depth):
            n_in, n_out = sizes[layer], sizes[layer + 1]
            bias = at + n_in * n_out
            for unit in range(n_out):
                h = p[bias + unit]
                for k in range(n_in):
                    h += p[at + unit * n_in + k] * values[layer, k]
                values[layer + 1, unit] = h if h > 0.0 or layer == depth - 1 else 0.0
            at = bias + n_out
        scores, label = values[depth, : sizes[depth]], labels[row]
        if is_hinge:
            margin = 1.0 - label * scores[0]
            loss += max(margin, 0.0)
            adjoints[depth, 0] = -label / count if margin > 0.0 else 0.0
        else:
            total, peak = 0.0, scores.max()
            for unit in range(sizes[depth]):
                adjoints[depth, unit] = np.exp(scores[unit] - peak)
                total += adjoints[depth, unit]
            loss += peak + np.log(total) - scores[int(label)]
            for unit in range(sizes[depth]):
                adjoints[depth, unit] /= total * count
            adjoints[depth, int(label)] -= 1.0 / count
        for layer in range(depth - 1, -1, -1):
            n_in, n_out = sizes[layer], sizes[layer + 1]
            at -= (n_in + 1) * n_out
            bias = at + n_in * n_out
            adjoints[layer, :n_in] = 0.0
            for unit in range(n_out):
                d = adjoints[layer + 1, unit]
                if d == 0.0:
                    continue
                grads[bias + unit] += d
                for k in range(n_in):
                    grads[at + unit * n_in + k] += d * values[layer, k]
                if layer > 0:
                    for k in range(n_in):
                        adjoints[layer, k] += d * p[at + unit * n_in + k]
            for k in range(n_in):
                if values[layer, k] <= 0.0:
                    adjoints[layer, k] = 0.0
    return loss / count, grads


def _neuron(p: Array, X: Array) -> Any:
    total, g0, g1, g2 = 0.0, 0.0, 0.0, 0.0
    for row in range(len(X)):
        s = 1.0 / (1.0 + np.exp(-(p[0] * X[row, 0] + p[1] * X[row, 1] + p[2])))
        d = s * (1.0 - s)
        total, g0, g1, g2 = total + s, g0 + d * X[row, 0], g1 + d * X[row, 1], g2 + d
    return total / len(X), g0 / len(X), g1 / len(X), g2 / len(X)


def _neuron_inputs(p: Array, X: Array) -> Any:
    grads = np.empty_like(X)
    for row in range(len(X)):
        s = 1.0 / (1.0 + np.exp(-(p[0] * X[row, 0] + p[1] * X[row, 1] + p[2])))
        d = s * (1.0 - s)
        grads[row, 0], grads[row, 1] = d * p[0], d * p[1]
    return grads


class Casadi(Contender):
    """CasADi: the graph of one row, its gradient, mapped over the rows and summed."""

    name = "CasADi map"
    package = distribution = "casadi"
    options: ClassVar[dict[str, Any]] = {}

    def network(self, case: Network) -> Call | None:
        """The hundred rows of the small network only: it is at home with small graphs."""
        if case.count > 100 or len(case.params) > 1000:
            return None
        import casadi

        p, row = casadi.SX.sym("p", len(case.params)), casadi.SX.sym("row", case.rows.shape[1])
        at, x = 0, row[: case.sizes[0]]
        for layer, (W, b) in enumerate(case.layers):
            weights = casadi.reshape(p[at : at + W.size], W.shape[1], W.shape[0]).T
            x = weights @ (x if layer == 0 else casadi.fmax(x, 0)) + p[at + W.size : at + W.size + b.size]
            at += W.size + b.size
        loss = casadi.fmax(1 - row[-1] * x[0], 0)
        one = casadi.Function("one", [p, row], [loss, casadi.gradient(loss, p)])
        mapped = one.map("mapped", "serial", case.count, [0], [0, 1])  # p is shared, results are summed
        many, all_rows = casadi.MX.sym("p", len(case.params)), casadi.MX.sym("rows", case.rows.shape[1], case.count)
        total = casadi.Function("total", [many, all_rows], [x / case.count for x in mapped(many, all_rows)], self.options)
        buffer, run = total.buffer()  # what it offers for calls in a loop
        arrays = [case.params.copy(), np.asfortranarray(case.rows.T).ravel("F").copy(), np.empty(1), np.empty(len(case.params))]
        for place in range(2):
            buffer.set_arg(place, memoryview(arrays[place]))
            buffer.set_res(place, memoryview(arrays[2 + place]))

        def call() -> Any:
            run()
            return arrays[2:]

        call.alive = total, buffer  # type: ignore[attr-defined]  # `run` does not keep what it runs

        return call


class CasadiGcc(Casadi):
    """The same as C, compiled by gcc."""

    name = "CasADi map, gcc"
    options: ClassVar[dict[str, Any]] = {
        "jit": True,
        "compiler": "shell",
        "jit_options": {"compiler": "gcc", "linker": "gcc", "flags": ["-O3", "-march=native", "-ffast-math"], "verbose": False},
    }

    @classmethod
    def installed(cls) -> bool:
        """It needs gcc."""
        return super().installed() and shutil.which("gcc") is not None


class Eager(Contender):
    """This library without compiling: a graph of Values for all rows."""

    name = "autograd, eager"
    package = "autograd"
    distribution = "scalar-autograd"

    def network(self, case: Network) -> Call | None:
        """Where it takes a fraction of a second."""
        return None if len(case.params) * case.count > 100_000 else lambda: gradient(case)


def gradient(case: Case, count: int | None = None) -> tuple[float, list[float]]:
    """Mean and gradient of the first rows of a case by the eager engine."""
    from autograd import Value

    params, rows = [Value(x) for x in case.params.tolist()], case.rows[:count].tolist()
    if case.of_inputs:
        leaves = [[Value(x) for x in row] for row in rows]
        for row in leaves:
            case.scalar(params, row).backward()
        return 0.0, [x.grad for row in leaves for x in row]
    loss = sum(case.scalar(params, row) for row in rows) / len(rows)
    loss.backward()
    return loss.data, [x.grad for x in params]


CONTENDERS: dict[str, type[Contender]] = {
    kind.name: kind
    for kind in (OursNative, OursNumPy, NumPy, NumPyInPlace, Jax, Torch, TorchCompile, Numba, Casadi, CasadiGcc, Eager)
}


def present() -> Iterator[type[Contender]]:
    """The contenders that can run here."""
    return (kind for kind in CONTENDERS.values() if kind.installed())


def absent() -> Iterator[type[Contender]]:
    """The contenders left out."""
    return (kind for kind in CONTENDERS.values() if not kind.installed())


