"""The libraries compared, each reduced to what the job needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import job
from common import Packaged


class Library(Packaged):
    """How numbers are made, differentiated and read. A subclass imports its package when it is made, not before."""

    pure_python = True  # whether Python's garbage collector has a part in its speed

    number: Callable[[float], Any]  # makes a leaf
    relu: Callable[[Any], Any]

    def neuron(self, weights: Sequence[Any], x: Sequence[Any], bias: Any) -> Any:
        """w . x + b."""
        return job.neuron(weights, x, bias)

    def zero_grad(self, leaves: Iterable[Any]) -> None:
        """Forget the gradients of an earlier step."""
        for leaf in leaves:
            leaf.grad = 0.0

    def backward(self, loss: Any) -> None:
        """Differentiate the loss in all leaves."""
        loss.backward()

    def gradient(self, leaf: Any) -> float:
        """What backward found."""
        return float(leaf.grad)

    def parents(self, node: Any) -> Iterable[Any]:
        """The operands of a node, where the library shows them."""
        raise NotImplementedError


class Ours(Library):
    """This library, on the same scalar code as the others."""

    name = "autograd"
    package = "autograd"
    distribution = "scalar-autograd"

    def __init__(self) -> None:
        from autograd import Value

        self.number, self.relu = Value, Value.relu  # type: ignore[attr-defined]  # methods of ops are installed when the class is made

    def parents(self, node: Any) -> Iterable[Any]:
        """The operands of a node."""
        parents: tuple[Any, ...] = node.parents
        return parents


class OursFused(Ours):
    """This library with one node for the inner product of a neuron, as its own layers have it."""

    name = "autograd, dot()"

    def __init__(self) -> None:
        super().__init__()
        from autograd import dot

        self._dot = dot

    def neuron(self, weights: Sequence[Any], x: Sequence[Any], bias: Any) -> Any:
        """w . x + b in two nodes."""
        return self._dot(weights, x) + bias


class Micrograd(Library):
    """The model of readable engines."""

    name = package = distribution = "micrograd"

    def __init__(self) -> None:
        from micrograd.engine import Value

        self.number, self.relu = Value, Value.relu

    def parents(self, node: Any) -> Iterable[Any]:
        """The operands of a node."""
        parents: set[Any] = node._prev
        return parents


class Torch(Library):
    """PyTorch, with a 0-d tensor for each number."""

    name = "torch, 0-d"
    package = distribution = "torch"
    pure_python = False

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.number = lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True)
        self.relu = torch.relu

    def zero_grad(self, leaves: Iterable[Any]) -> None:
        """Forget the gradients of an earlier step."""
        for leaf in leaves:
            leaf.grad = None


class Xad(Library):
    """XAD's adjoint tape: C++ behind Python operators."""

    name = "XAD"
    package = distribution = "xad"
    pure_python = False

    def __init__(self) -> None:
        from xad.adj_1st import Real, Tape
        from xad.math import max

        self._real, self._tape = Real, Tape()
        self._tape.activate()
        self.relu = lambda x: max(x, 0.0)

    def number(self, x: float) -> Any:
        """An input of the tape."""
        leaf = self._real(x)
        self._tape.registerInput(leaf)
        return leaf

    def zero_grad(self, leaves: Iterable[Any]) -> None:
        """Begin a recording of what is done with the inputs made so far."""
        self._tape.newRecording()

    def backward(self, loss: Any) -> None:
        """Run the tape backward."""
        self._tape.registerOutput(loss)
        loss.derivative = 1.0
        self._tape.computeAdjoints()

    def gradient(self, leaf: Any) -> float:
        """What backward found."""
        return float(leaf.derivative)


LIBRARIES: dict[str, type[Library]] = {kind.name: kind for kind in (Ours, OursFused, Micrograd, Xad, Torch)}


def present() -> Iterator[type[Library]]:
    """The libraries that can be measured here."""
    return (kind for kind in LIBRARIES.values() if kind.installed())


def absent() -> Iterator[type[Library]]:
    """The libraries left out because they are not installed."""
    return (kind for kind in LIBRARIES.values() if not kind.installed())
