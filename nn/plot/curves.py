"""Activations over their input, and histories over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd import grad

from ..modules.activations import Function, activation_function
from .canvas import PALE, PALETTE, QUIET, Range, axes, between, checked_range, labelled
from .course import Course

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..modules.activations import Name


def activations(
    names: Name | Function | Sequence[Name | Function] = ("sigmoid", "tanh", "relu"),
    derivatives: bool = True,
    *,
    x_range: Range = (-4.0, 4.0),
    ax: Axes | None = None,
) -> Axes:
    """Activations over their input, and dashed in the same colour their derivatives, as autograd gives them.

    Args:
        names: one or several, by name or as functions of a number.
        derivatives: whether to draw them.
        x_range: from where to where.

    >>> ax = activations("tanh")
    >>> [line.get_label() for line in ax.get_legend().get_lines()]
    ['tanh', 'derivative of tanh']
    """
    chosen = [names] if isinstance(names, str) or callable(names) else list(names)
    functions = [(f if isinstance(f, str) else getattr(f, "__name__", "f"), _function(f)) for f in chosen]
    x = between(*checked_range("x_range", x_range), 801)
    ax = axes(ax)
    ax.axhline(0.0, color=PALE, linewidth=1.0, zorder=0)
    for i, (name, f) in enumerate(functions):
        colour = PALETTE[i % len(PALETTE)]
        ax.plot(x, [float(f(v)) for v in x], color=colour, label=name)
        if derivatives:
            ax.plot(x, [float(grad(f)(v)) for v in x], "--", color=colour, label=f"derivative of {name}")
    return labelled(ax, "x", "")


def _function(f: Name | Function) -> Function:
    function = activation_function(f)
    if function is None:
        raise ValueError("names must be names of activations or functions of one number (got None)")
    return function


def history(history: Course, *, log: bool = False, ax: Axes | None = None) -> Axes:
    """Loss over the epochs, and the metric if there is one, by an axis of its own on the right; dashed for the rows held out.

    Args:
        history: what `nn.fit` returns.
        log: whether the axis of the loss is logarithmic.
    """
    if not len(history):
        raise ValueError("the history has no epochs: train first")
    ax = axes(ax)
    lines = _course(ax, "loss", PALETTE[0], history.loss, history.validation_loss)
    if log:
        ax.set_yscale("log")
    if history.validation_loss and history.best_epoch:
        lines.append(ax.axvline(history.best_epoch, color=QUIET, linestyle=":", linewidth=1.2, label="best epoch"))
    if history.metric:
        lines += _course(ax.twinx(), history.metric_name or "metric", PALETTE[1], history.metric, history.validation_metric)
    lines[-1].axes.legend(handles=lines, loc="center right")  # of the Axes that lie above, or lines would cross it
    ax.set_xlabel("epoch")
    ax.locator_params(axis="x", integer=True)
    return ax


def _course(ax: Any, name: str, colour: str, training: Sequence[float], validation: Sequence[float]) -> list[Any]:
    epochs = range(1, len(training) + 1)
    ax.set_ylabel(name, color=colour)
    lines: list[Any] = ax.plot(epochs, training, color=colour, label=name)
    if validation:
        lines += ax.plot(epochs, validation, "--", color=colour, label=f"validation {name}")
    return lines
