"""How large gradients are: of the weights from layer to layer, and of the output in each input."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from autograd import Value, mean
from autograd.extend import shown

from .. import losses
from ..losses import Formula, Loss, Name
from ..modules.instead import Instead
from ..modules.layers import Sequential
from ..modules.module import Module
from ..modules.normalization import Dropout
from ..modules.places import survey
from ..support import rows
from .canvas import PALETTE, SIZE, axes, labelled, new_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def gradient_flow(model: Module, X: Any, y: Any, loss: Name | Loss | Formula, *, label: str = "", ax: Axes | None = None) -> Axes:
    """The mean |gradient| of the weights in each layer, on a logarithmic scale: towards the first layer, vanishing gradients fall and
    exploding ones rise. A cross at the bottom is a layer whose gradients are all 0.

    Several models fit on one Axes, each in a colour of its own. The model stays as it is, its gradients too; dropout and batch
    normalisation behave as they are set at the moment, by `train` and `eval`.

    Args:
        model: layers with weights, in a Sequential; any other counts as one layer.
        X, y: rows and targets. The gradient is that of the mean loss over them.
        loss: of `nn.losses`, by name or itself, or a function of a prediction and a target.
        label: for the legend.
    """
    sizes = _sizes(model, X, y, losses.named(loss))
    ax = axes(ax)
    ax.set_yscale("log")
    layer = range(1, len(sizes) + 1)
    line = new_series(ax, layer, [size or math.nan for size in sizes], "o-", label)
    zero = [i for i, size in zip(layer, sizes, strict=True) if not size]
    ax.plot(zero, [0.03] * len(zero), "x", color=line.get_color(), transform=ax.get_xaxis_transform())
    ax.locator_params(axis="x", integer=True)
    return labelled(ax, "layer", "mean |gradient| of its weights", legend=bool(label))


def _sizes(model: Module, X: Any, y: Any, loss: Loss) -> list[float]:
    layers = [weights for weights in (layer.weights() for layer in _layers(model)) if weights]
    if not layers:
        raise ValueError(f"model has no weights whose gradients could be drawn (got {shown(model)})")
    gradient = _gradient(model, X, y, loss)
    return [mean([abs(gradient[id(w)]) for w in weights]) for weights in layers]


def _layers(model: Any) -> Iterator[Module]:
    if isinstance(model, Sequential):
        for layer in model:
            yield from _layers(layer)
    elif isinstance(model, Module):
        yield model


def _gradient(model: Module, X: Any, y: Any, loss: Loss) -> dict[int, float]:
    """The derivative of the mean loss in each parameter, by its id. Taken in copies of whatever changes: gradients, running statistics,
    generators."""
    given = rows.features(X)
    targets = rows.labels(y, len(given))
    loss.targets.check_all(targets, model.predict(given[:1])[0], "y")
    found = survey(model)
    copies = {id(place.value): Value(place.value.data) for place in found.places}
    generators = {id(module): {"rng": copy(module.rng)} for _, module in found.modules if isinstance(module, Dropout)}
    with found.instead(copies), Instead(generators):
        mean([loss.row(p, t) for p, t in zip(model.batch(given), targets, strict=True)]).backward()
    return {place: v.grad for place, v in copies.items()}


def sensitivity(model: Module, X: Any, names: Sequence[str] | None = None, *, output: int | None = None, ax: Axes | None = None) -> Axes:
    """How much the output answers to each input: the mean |d output / d input| over the rows, the largest on top.

    Compare inputs of one scale, such as standardised ones. The model behaves as in use, and stays as it is.

    Args:
        model: the network.
        X: rows of numbers.
        names: of the inputs; x0, x1, ... if None.
        output: which one of several.
    """
    given = rows.features(X)
    names = [f"x{j}" for j in range(len(given[0]))] if names is None else [str(name) for name in names]
    if len(names) != len(given[0]):
        raise ValueError(f"names must hold one name for each of the {len(given[0])} inputs (got {len(names)})")
    columns = zip(*_slopes(model, given, output), strict=True)
    sizes = [mean([abs(slope) for slope in column]) for column in columns]
    for name, size in zip(names, sizes, strict=True):
        if not math.isfinite(size):
            raise ValueError(f"the derivative of the output in {name} must be finite to be drawn (it is {size} on average)")
    bars = sorted(zip(sizes, names, strict=True), key=lambda bar: bar[0])
    ax = axes(ax, (SIZE[0], 1.0 + 0.22 * len(names)))
    ax.barh(range(len(bars)), [size for size, _ in bars], color=PALETTE[0])
    ax.set_yticks(range(len(bars)), [name for _, name in bars])
    return labelled(ax, "mean |d output / d input|", "", legend=False)


def _slopes(model: Module, given: list[list[float]], output: int | None) -> list[list[float]]:
    """The derivatives of the output in the inputs, row by row."""
    inputs = [[Value(x) for x in row] for row in given]
    with model.using(p.data for p in model.parameters()), model.mode(training=False):
        for y in model.batch(inputs):
            y = _one(y, output)
            if isinstance(y, Value):
                y.backward()
    return [[x.grad for x in row] for row in inputs]


def _one(y: Any, output: int | None) -> Any:
    if not hasattr(y, "__len__"):
        return y
    if output is None or not 0 <= output < len(y):
        raise ValueError(f"output must say which of the {len(y)} outputs is meant, from 0 to {len(y) - 1} (got {shown(output)})")
    return y[output]
