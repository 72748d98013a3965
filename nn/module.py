"""Module: a part of a network, a function of numbers that owns its parameters, and a group in pictures.

The parameters of a module are the Values among its attributes, alone or in lists, tuples, dicts and object arrays; floats are constants.
Modules among its attributes are its parts. So a new kind of module is a constructor and a formula:

>>> class Line(Module):
...     def __init__(self):
...         self.w, self.b = Value(2.0), Value(1.0)
...     def forward(self, x):
...         return self.w * x + self.b
>>> line = Line()
>>> line(3.0).data, line.predict([3.0, 4.0]), list(line.named_parameters())
(7.0, [7.0, 9.0], ['w', 'b'])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeVar

from autograd import Value, group
from autograd.structure import transform
from autograd.tables import table

from . import state

M = TypeVar("M", bound="Module")


class Module:
    """A part of a network. A subclass sets its parameters in `__init__` and writes its formula, for one row, as `forward`.

    Attributes:
        label: the name of its group in pictures; that of the class if empty.
        training: whether it behaves as in training (dropout, batch normalisation) or as in use. Set by `train` and `eval`.
    """

    label: str = ""
    training: bool = True
    shape: str = ""  # how many numbers go in and come out, for `summary`: "3 -> 4"
    smallest_batch: ClassVar[int] = 1  # rows that a batch must have in training
    container: ClassVar[bool] = False  # whether `summary` shows its parts in its place
    biases: ClassVar[tuple[str, ...]] = ("b", "bias")  # attributes that regularisers leave out
    buffers: ClassVar[tuple[str, ...]] = ()  # attributes that are saved with the parameters, but not trained
    _originals: Mapping[str, Any] = MappingProxyType({})  # within `using`, what attributes hold otherwise,
    _numbers: Mapping[int, Any] = MappingProxyType({})  # and what stands for the Values among it, by their ids

    def forward(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x): write its formula there")

    def __call__(self, x: Any) -> Any:
        with group(self.label or type(self).__name__):
            return self.forward(x)

    def batch(self, rows: Sequence[Any]) -> list[Any]:
        """The outputs for several rows. Only what looks at a whole batch, such as BatchNorm, does more than one row after another."""
        return [self(row) for row in rows]

    def predict(self, rows: Iterable[Any]) -> list[Any]:
        """The outputs for rows as plain floats (lists of floats for several outputs), as in use, recording no graph."""
        with self.using(p.data for p in self.parameters()), self.mode(training=False):
            return [_plain(y) for y in self.batch([_plain(row) for row in rows])]

    # Parameters -----------------------------------------------------------------------------------------------------------

    def parameters(self) -> list[Value]:
        """The Values that training changes, each once."""
        return list(self.named_parameters().values())

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by where they are, such as "layers.0.neurons.1.w.0"; one used in several places has the first name."""
        return _once(place for place in _places(self) if place.attribute not in place.owner.buffers)

    def weights(self) -> list[Value]:
        """The parameters without biases: what regularisers act on."""
        return list(_once(p for p in _places(self) if p.attribute not in (*p.owner.buffers, *p.owner.biases)).values())

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next backward."""
        for p in self.parameters():
            p.grad = 0.0

    @contextmanager
    def using(self, numbers: Iterable[Any]) -> Iterator[None]:
        """Within the block, compute with these numbers (floats, Values, Duals) in place of the parameters, in their order.

        So a module becomes a pure function of parameters and row, as transformations need it:

        >>> import autograd, nn
        >>> neuron = nn.Neuron(1, None)
        >>> def f(w, b):
        ...     with neuron.using([w, b]):
        ...         return neuron([3.0])
        >>> autograd.grad(f, argnums=(0, 1))(2.0, 1.0)
        (3.0, 1.0)
        """
        places, parameters, given = list(_places(self)), self.parameters(), list(numbers)
        if len(given) != len(parameters):
            raise ValueError(f"using needs one number for each of the {len(parameters)} parameters (got {len(given)})")
        if any(place.owner._originals for place in places):
            raise RuntimeError("the module is in use with other numbers already: using cannot be nested")
        number = {id(p): x for p, x in zip(parameters, given, strict=True)}
        try:
            for _, owner, attribute, _ in places:
                content = vars(owner)[attribute]
                if attribute not in owner._originals:
                    owner._originals = {**owner._originals, attribute: content}
                    owner._numbers = number
                    vars(owner)[attribute] = transform(lambda v: number.get(id(v), v), content)
            yield
        finally:
            for _, owner, _, _ in places:
                vars(owner).update(owner._originals)
                for name in ("_originals", "_numbers"):
                    vars(owner).pop(name, None)

    # Parts ----------------------------------------------------------------------------------------------------------------

    def modules(self) -> list[Module]:
        """The module itself and all its parts, each once."""
        return list(_modules("", self).values())

    def train(self: M, training: bool = True) -> M:
        """Behave as in training: dropout drops, batch normalisation looks at the batch. Returns the module."""
        for module in self.modules():
            module.training = training
        return self

    def eval(self: M) -> M:
        """Behave as in use. Returns the module."""
        return self.train(False)

    @contextmanager
    def mode(self, *, training: bool) -> Iterator[None]:
        """Within the block, behave as in training or as in use; afterwards as before."""
        before = [(module, module.training) for module in self.modules()]
        self.train(training)
        try:
            yield
        finally:
            for module, training in before:
                module.training = training

    def summary(self) -> str:
        """A table of the layers with their shapes and numbers of parameters."""
        rows = [(name, layer._kind(), layer.shape, f"{len(layer.parameters())}") for name, layer in _layers("", self)]
        return table(("layer", "kind", "shape", "parameters"), [*rows, ("total", "", "", f"{len(self.parameters())}")])

    def _kind(self) -> str:
        """Its class, and its activation if it has one by name."""
        activation = getattr(self, "activation", None)
        return f"{type(self).__name__} {activation}" if isinstance(activation, str) else type(self).__name__

    # State ----------------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, float]:
        """Parameters and buffers as plain floats, by name."""
        return {name: v.data for name, v in _once(_places(self)).items()}

    def load_state_dict(self, given: Mapping[str, float]) -> None:
        """Take over a state.

        Raises:
            ValueError: if its names are not those of this module, or something in it is no number; then nothing changes.
        """
        values = _once(_places(self))
        numbers = state.checked(given, values, "the model")
        for name, v in values.items():
            v.data = numbers[name]

    def save(self, path: str | PathLike[str]) -> None:
        """Write parameters and buffers to a file of JSON. It appears whole or not at all, and nothing in it can run."""
        state.save(path, "model", self.state_dict())

    def load(self: M, path: str | PathLike[str]) -> M:
        """Take over what `save` wrote for a module of the same structure. Returns the module.

        Raises:
            ValueError: if the file is damaged or does not fit; then nothing changes.
        """
        self.load_state_dict(state.load(path, "model"))
        return self


# Where parameters are -----------------------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """A Value of a module: its full name, whose it is, and in which attribute."""

    name: str
    owner: Module
    attribute: str
    value: Value


def _places(module: Module) -> Iterator[_Place]:
    for prefix, owner in _modules("", module).items():
        for attribute, content in _attributes(owner).items():
            for name, leaf in _leaves(_joined(prefix, attribute), content):
                if isinstance(leaf, Value) and leaf.op is None:
                    yield _Place(name, owner, attribute, leaf)


def _once(places: Iterable[_Place]) -> dict[str, Any]:
    """The Values by name, each once; within `using` what stands for them."""
    first: dict[int, _Place] = {}
    for place in places:
        first.setdefault(id(place.value), place)
    return {place.name: place.owner._numbers.get(key, place.value) for key, place in first.items()}


def _modules(name: str, module: Module) -> dict[str, Module]:
    """The module and its parts by name, each once, a whole before its parts."""
    found: dict[int, tuple[str, Module]] = {}
    waiting = [(name, module)]
    while waiting:
        name, module = waiting.pop()
        if id(module) not in found:
            found[id(module)] = name, module
            attributes = [leaf for a, content in _attributes(module).items() for leaf in _leaves(_joined(name, a), content)]
            waiting += [(n, leaf) for n, leaf in reversed(attributes) if isinstance(leaf, Module)]
    return dict(found.values())


def _layers(name: str, module: Module) -> Iterator[tuple[str, Module]]:
    """The modules by name, with the parts of containers in their place."""
    if module.container:
        for part_name, part in _modules(name, module).items():
            if part is not module and part_name.rpartition(".")[0] == _joined(name, "layers"):
                yield from _layers(part_name, part)
    else:
        yield name, module


def _attributes(module: Module) -> dict[str, Any]:
    """What the attributes of a module hold; within `using`, what they hold otherwise."""
    return {name: content for name, content in {**vars(module), **module._originals}.items() if name not in ("_originals", "_numbers")}


def _leaves(name: str, content: Any) -> Iterator[tuple[str, Any]]:
    """What a nested container holds, each with its name."""
    if isinstance(content, dict):
        items: Iterable[tuple[Any, Any]] = content.items()
    elif isinstance(content, (list, tuple)) or getattr(content, "dtype", None) == "object":
        items = enumerate(content)
    else:
        yield name, content
        return
    for key, item in items:
        yield from _leaves(f"{name}.{key}", item)


def _joined(prefix: str, attribute: str) -> str:
    return f"{prefix}.{attribute}" if prefix else attribute


def _plain(x: Any) -> Any:
    if isinstance(x, (str, dict)):
        raise TypeError(f"rows and what a model makes of them must be numbers or lists of numbers (got {x!r}, {type(x).__name__})")
    return [_plain(item) for item in x] if hasattr(x, "__len__") else float(x)
