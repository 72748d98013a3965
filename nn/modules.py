"""Modules: parts of a network, each a function of numbers that owns its parameters, and a group in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from autograd import Op, Value, dot, group, ops


class Module:
    """Something with parameters. A subclass says what they are and how it is called."""

    def parameters(self) -> list[Value]:
        """The Values that training changes."""
        return []

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next backward."""
        for p in self.parameters():
            p.grad = 0.0


def activation_op(name: str | None) -> Op | None:
    """The primitive of that name, of one operand; None for a linear unit."""
    if name is None:
        return None
    op = ops.table.get(name)
    if op is None or not op.takes_one:
        raise ValueError(f"activation must be None or the name of a primitive of one operand, such as 'relu' or 'tanh' (got {name!r})")
    return op


class Neuron(Module):
    """activation(w . x + b), weights uniform in [-1, 1], bias 0.

    Args:
        n_in: the number of inputs.
        activation: the name of a primitive, or None for a linear unit.
        rng: draws the weights.
    """

    def __init__(self, n_in: int, activation: str | None = "relu", rng: Random | None = None) -> None:
        rng = rng or Random()
        self.w = [Value(rng.uniform(-1.0, 1.0)) for _ in range(n_in)]
        self.b = Value(0.0)
        self.activation = activation
        self._op = activation_op(activation)

    def __call__(self, x: Sequence[Any]) -> Any:
        if len(x) != len(self.w):
            raise ValueError(f"the neuron takes {len(self.w)} inputs (got {len(x)})")
        with group("neuron"):
            z = dot(self.w, x) + self.b
            return z if self._op is None else self._op(z)

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{self.activation or 'linear'} Neuron({len(self.w)})"


class Linear(Module):
    """Neurons side by side, each seeing all inputs.

    Args:
        n_in, n_out: how many numbers go in and come out.
        activation: of every neuron; None, the default, leaves the layer linear.
        rng: draws the weights.
    """

    def __init__(self, n_in: int, n_out: int, activation: str | None = None, rng: Random | None = None) -> None:
        rng = rng or Random()
        self.neurons = [Neuron(n_in, activation, rng) for _ in range(n_out)]

    def __call__(self, x: Sequence[Any]) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Value]:
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


Layer = Linear


class MLP(Module):
    """A multilayer perceptron.

    Args:
        n_in: the number of inputs.
        sizes: the number of neurons of each layer.
        activation: of the hidden layers.
        output: the activation of the last layer; None leaves it linear.
        seed: makes the initial weights reproducible; None draws them anew.

    Calling it with `n_in` numbers gives a number, or a list of them if the last layer has several neurons.

    >>> MLP(3, [4, 1])([1.0, 2.0, 3.0]).op.name
    'add'
    """

    def __init__(
        self, n_in: int, sizes: Sequence[int], activation: str | None = "relu", output: str | None = None, seed: int | None = 0
    ) -> None:
        rng = Random(seed)
        widths = [n_in, *sizes]
        for width in widths:
            if not isinstance(width, int) or width < 1:
                raise ValueError(f"sizes of an MLP must be positive ints (got {widths!r})")
        last = len(sizes) - 1
        self.layers = [Linear(widths[i], widths[i + 1], output if i == last else activation, rng) for i in range(len(sizes))]

    def __call__(self, x: Sequence[Any]) -> Any:
        for i, layer in enumerate(self.layers, start=1):
            with group(f"layer {i}"):
                x = layer(x if hasattr(x, "__len__") else [x])
        return x

    def parameters(self) -> list[Value]:
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
