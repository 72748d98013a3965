"""Layers with weights: Neuron, Linear, Maxout; and what puts layers together: Sequential, MLP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from autograd import Value, dot
from autograd import max as largest
from autograd.extend import shown

from .. import init as initial
from ..support.checks import positive_int
from .activations import Function, activation_function
from .module import Module

if TYPE_CHECKING:
    from ..support.types import Output
    from .activations import Name

_TOLD = 6  # levels of containers that are written out


class Neuron(Module):
    """activation(w . x + b), with bias 0 to begin with.

    Args:
        n_in: the number of inputs.
        activation: the name of a primitive of one operand, or a function; None for a linear unit.
        rng: a seed or generator for the weights.
        bias: whether there is a b.
        init: the initial weights, a name or function of `nn.init`; None for He's with rectifiers, Xavier's with others.

    >>> Neuron(2, "tanh", rng=0)([1.0, 2.0]).op.name
    'tanh'
    """

    def __init__(
        self,
        n_in: int,
        activation: Name | Function | None = "relu",
        rng: initial.Seed = None,
        *,
        bias: bool = True,
        init: initial.Name | initial.Initializer | None = None,
    ) -> None:
        (weights,) = initial.named(init, activation)(n_in, 1, initial.generator(rng))
        self._build(weights, activation, bias)

    @classmethod
    def of(cls, weights: Sequence[float], activation: Name | Function | None = None, bias: bool = True) -> Neuron:
        """A neuron with given weights."""
        neuron: Neuron = cls.__new__(cls)
        neuron._build(weights, activation, bias)
        return neuron

    def _build(self, weights: Sequence[float], activation: Name | Function | None, bias: bool) -> None:
        self.label = "neuron"
        self.w: list[Value] = [Value(w, f"w{i}") for i, w in enumerate(weights)]
        self.b: Value | None = Value(0.0, "b") if bias else None
        self.activation = activation
        self.shape: str = f"{len(self.w)} -> 1"
        self._f = activation_function(activation)

    def forward(self, x: Any) -> Any:
        w, b, f = self.w, self.b, self._f
        x = x if hasattr(x, "__len__") else [x]
        if len(x) != len(w):
            raise ValueError(f"the neuron takes {len(w)} inputs (got {len(x)})")
        z = dot(w, x) if b is None else dot(w, x) + b
        return z if f is None else f(z)

    def __repr__(self) -> str:
        return f"{self.activation or 'linear'} Neuron({len(self.w)})"


class Linear(Module):
    """Neurons side by side, each seeing all inputs: activation(W x + b).

    Args:
        n_in, n_out: how many numbers go in and come out. One output comes as a number, several as a list.
        activation: of every neuron; None, the default, leaves the layer linear.
        rng, bias, init: as for Neuron.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: Name | Function | None = None,
        rng: initial.Seed = None,
        *,
        bias: bool = True,
        init: initial.Name | initial.Initializer | None = None,
    ) -> None:
        weights = initial.named(init, activation)(n_in, n_out, initial.generator(rng))
        self.neurons: list[Neuron] = [Neuron.of(row, activation, bias) for row in weights]
        for i, neuron in enumerate(self.neurons, start=1):
            neuron.label = f"neuron {i}"
        self.activation = activation
        self.shape: str = f"{n_in} -> {n_out}"

    def forward(self, x: Any) -> Any:
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


Layer = Linear


class Maxout(Module):
    """The largest of K affine functions of all inputs, for each output (Goodfellow et al. 2013): max_k (W_k x + b_k)."""

    def __init__(self, n_in: int, n_out: int, pieces: int = 2, rng: initial.Seed = None) -> None:
        positive_int("pieces", pieces)
        rng = initial.generator(rng)
        self.pieces: list[Linear] = [Linear(n_in, n_out, rng=rng) for _ in range(pieces)]
        self.shape: str = f"{n_in} -> {n_out}"

    def forward(self, x: Any) -> Any:
        outputs = [piece(x) for piece in self.pieces]
        if not isinstance(outputs[0], list):
            return largest(outputs)
        return [largest(competing) for competing in zip(*outputs, strict=True)]


class Sequential(Module):
    """Modules one after the other, each taking what the one before gives."""

    container: ClassVar[bool] = True

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for layer in layers:
            if not callable(layer):
                raise TypeError(f"Sequential takes modules and functions (got {shown(layer)}, {type(layer).__name__})")
        self.layers: list[Callable[[Any], Any]] = list(layers)
        for i, layer in enumerate(layers, start=1):
            if isinstance(layer, Module) and not layer.label:
                layer.label = f"{i} {type(layer).__name__}"

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def batch(self, rows: Sequence[Any]) -> list[Output]:
        rows = list(rows)
        for layer in self.layers:
            rows = layer.batch(rows) if isinstance(layer, Module) else [layer(row) for row in rows]
        return rows

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Any:
        return self.layers[i]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __repr__(self) -> str:
        return self._told(_TOLD)

    def _told(self, levels: int) -> str:
        """Its parts in words; those of its parts so many levels down, as it may be deep, or hold itself."""
        parts = (layer._told(levels - 1) if isinstance(layer, Sequential) else str(layer) for layer in self.layers)
        return f"{type(self).__name__} of [{', '.join(parts) if levels else '...'}]"


class MLP(Sequential):
    """A multilayer perceptron.

    Args:
        n_in: the number of inputs.
        sizes: the number of neurons of each layer.
        activation: of the hidden layers.
        output: the activation of the last layer; None leaves it linear, as the losses want that take logits.
        init: the initial weights of every layer, as for Neuron.
        seed: makes the initial weights reproducible; None draws them anew.

    >>> model = MLP(6, [5, 10, 3])
    >>> len(model.parameters())
    128
    >>> MLP(3, [4, 1])([1.0, 2.0, 3.0]).op.name
    'add'
    """

    def __init__(
        self,
        n_in: int,
        sizes: Sequence[int],
        activation: Name | Function | None = "relu",
        output: Name | Function | None = None,
        *,
        init: initial.Name | initial.Initializer | None = None,
        seed: int | None = 0,
    ) -> None:
        widths = [n_in, *sizes]
        if len(widths) < 2 or not all(isinstance(width, int) and width > 0 for width in widths):
            got = f"{shown(n_in)} and {shown(list(sizes))}"
            raise ValueError(f"n_in and sizes of an MLP must be positive ints, one for each layer (got {got})")
        rng = Random(seed)
        activations = [activation] * (len(sizes) - 1) + [output]
        layers = [Linear(a, b, f, rng, init=init) for a, b, f in zip(widths, sizes, activations, strict=False)]
        for i, layer in enumerate(layers, start=1):
            layer.label = f"layer {i}"
        super().__init__(*layers)

    if TYPE_CHECKING:

        def __getitem__(self, i: int) -> Linear: ...
        def __iter__(self) -> Iterator[Linear]: ...
