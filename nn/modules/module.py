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

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from autograd import Value, group
from autograd.extend import table

from ..support import state
from ..support.rows import by_rows, plain
from .instead import Instead, Replaceable
from .places import once, survey

if TYPE_CHECKING:
    from ..support.types import Inputs, Output, Prediction, Table

M = TypeVar("M", bound="Module")


class Module(Replaceable):
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

    def forward(self, x: Any) -> Any:  # of what and to what, a subclass says
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x): write its formula there")

    def __call__(self, x: Inputs) -> Output:
        with group(self.label or type(self).__name__):
            output: Output = self.forward(x)
            return output

    def batch(self, rows: Sequence[Any]) -> list[Output]:
        """The outputs for several rows. Only what looks at a whole batch, such as BatchNorm, does more than one row after another."""
        return [self(row) for row in rows]

    def predict(self, rows: Table) -> list[Prediction]:
        """The outputs for rows as plain floats (lists of floats for several outputs), as in use, recording no graph."""
        given = [plain(row, f"rows[{i}]") for i, row in enumerate(by_rows(rows, "rows"))]
        found = survey(self)
        with found.instead({id(p.value): float(p.number()) for p in found.places if p.trained}, training=False):
            return [plain(y, f"the prediction for rows[{i}]") for i, y in enumerate(self.batch(given))]

    # Parameters -----------------------------------------------------------------------------------------------------------

    def parameters(self) -> list[Value]:
        """The Values that training changes, each once."""
        return list(self.named_parameters().values())

    def named_parameters(self) -> dict[str, Value]:
        """The parameters by where they are, such as "layers.0.neurons.1.w.0"; one used in several places has the first name.

        Raises:
            TypeError, ValueError: if a Value or a module is where it is not looked for, such as in a set, or two have one name.
        """
        return {place.name: place.number() for place in once(p for p in survey(self).places if p.trained)}

    def weights(self) -> list[Value]:
        """The parameters without biases: what regularisers act on."""
        return [place.number() for place in once(p for p in survey(self).places if p.trained and p.attribute not in p.owner.biases)]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next backward."""
        for p in self.parameters():
            if isinstance(p, Value):  # what `using` gave may be another number
                p.grad = 0.0

    def using(self, numbers: Iterable[Any]) -> Instead:
        """Within the block, compute with these numbers (floats, Values, Duals) in place of the parameters, in their order.

        So a module becomes a pure function of parameters and row, as transformations need it:

        >>> import autograd, nn
        >>> neuron = nn.Neuron(1, None)
        >>> def f(w, b):
        ...     with neuron.using([w, b]):
        ...         return neuron([3.0])
        >>> autograd.grad(f, argnums=(0, 1))(2.0, 1.0)
        (3.0, 1.0)

        The module itself is not touched, and others may use it at the same time, with numbers of their own or without: the block holds in
        its thread and task alone (a thread that it starts needs a block of its own), in a generator while that runs. The innermost counts.
        """
        found, given = survey(self), list(numbers)
        values = [place.value for place in once(p for p in found.places if p.trained)]
        if len(given) != len(values):
            raise ValueError(f"using needs one number for each of the {len(values)} parameters (got {len(given)})")
        return found.instead(dict(zip(map(id, values), given, strict=True)))

    # Parts ----------------------------------------------------------------------------------------------------------------

    def modules(self) -> list[Module]:
        """The module itself and all its parts, each once."""
        return [module for _, module in survey(self).modules]

    def train(self: M, training: bool = True) -> M:
        """Behave as in training: dropout drops, batch normalisation looks at the batch. Returns the module."""
        for module in self.modules():
            module.training = training
        return self

    def eval(self: M) -> M:
        """Behave as in use. Returns the module."""
        return self.train(False)

    def mode(self, *, training: bool) -> Instead:
        """Within the block, behave as in training or as in use; others, and whatever runs afterwards, see it as before."""
        return Instead({id(module): {"training": training} for module in self.modules()})

    def summary(self) -> str:
        """A table of the layers with their shapes and numbers of parameters; the parts of a container are in its place."""
        rows: list[tuple[str, ...]] = []
        inside: set[str] = set()
        for name, layer in survey(self).modules:
            if layer is self or name.rpartition(".")[0] in inside:
                if layer.container:
                    inside.add(f"{name}.layers".lstrip("."))
                else:
                    rows.append((name, layer._kind(), layer.shape, f"{len(layer.parameters())}"))
        return table(("layer", "kind", "shape", "parameters"), [*rows, ("total", "", "", f"{len(self.parameters())}")])

    def _kind(self) -> str:
        """Its class, and its activation if it has one by name."""
        activation = getattr(self, "activation", None)
        return f"{type(self).__name__} {activation}" if isinstance(activation, str) else type(self).__name__

    # State ----------------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, float]:
        """Parameters and buffers as plain floats, by name."""
        return {place.name: place.value.data for place in once(survey(self).places)}

    def load_state_dict(self, given: Mapping[str, float]) -> None:
        """Take over a state.

        Raises:
            ValueError: if its names are not those of this module, or something in it is no number; then nothing changes.
        """
        values = {place.name: place.value for place in once(survey(self).places)}
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
