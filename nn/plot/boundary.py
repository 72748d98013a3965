"""What a model says all over the plane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd import argmax

from ..support import rows
from .canvas import INK, PALETTE, Grid, around, axes, between, labelled, pale, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "o^sDvPX*"


def decision_boundary(model: Any, X: Any, y: Any, *, threshold: float = 0.0, resolution: int = 60, ax: Axes | None = None) -> Axes:
    """What a model says all over the plane, beneath the data.

    Of one output the score is shown in shades, and a line where it is at the threshold: that is the decision boundary. Of several outputs
    the largest wins, and each class has its region.

    Args:
        model: its `predict(rows)` gives for each row a score, or a list of scores.
        X: rows of two numbers.
        y: the class of each row; for several outputs its index.
        threshold: the score between two classes: 0 for scores and logits, 0.5 for probabilities.
        resolution: how many points of the plane to ask for in each direction.
    """
    data = Data(X, y)
    rows.finite(threshold, "threshold")
    grid = data.grid(resolution)
    seen = predicted(model, [*data.points, *grid.points()])
    count = len(data.points)
    ax = axes(ax)
    return scene(ax, data, grid, seen[count:], threshold, furthest(seen[:count], threshold))


class Data:
    """Points of the plane and their classes."""

    def __init__(self, X: Any, y: Any) -> None:
        self.points: list[rows.Row] = rows.features(X)
        if len(self.points[0]) != 2:
            raise ValueError(f"X must have rows of 2 numbers, to be drawn in the plane (got {len(self.points[0])}): choose two columns")
        self.y: list[int | Any] = [argmax(t) if isinstance(t, list) else t for t in rows.labels(y, len(self.points))]
        if len(set(self.y)) > len(_MARKERS):
            raise ValueError(f"y must hold classes, at most {len(_MARKERS)} of them (got {len(set(self.y))} different numbers)")

    def grid(self, resolution: int) -> Grid:
        x, y = zip(*self.points, strict=True)
        return Grid.over(around(x), around(y), resolution)

    def draw(self, ax: Any) -> None:
        for i, label in enumerate(sorted(set(self.y))):
            x, y = zip(*(p for p, t in zip(self.points, self.y, strict=True) if t == label), strict=True)
            look = {"color": PALETTE[i], "marker": _MARKERS[i], "edgecolors": "white", "linewidths": 0.7}
            ax.scatter(x, y, s=32, label=f"y = {label:g}", zorder=3, **look)


def predicted(model: Any, points: list[list[float]]) -> list[Any]:
    """The predictions, made sure to be finite."""
    if not hasattr(model, "predict"):
        raise TypeError(f"model must have predict(rows), as an nn.Module has (got {type(model).__name__})")
    predictions = [rows.plain(p, f"the prediction for {x}") for x, p in zip(points, model.predict(points), strict=True)]
    for x, p in zip(points, predictions, strict=True):
        if not all(map(math.isfinite, p if isinstance(p, list) else [p])):
            raise ValueError(f"the model must predict finite numbers to be drawn (for {x} it gives {p})")
    return predictions


def furthest(scores: list[Any], threshold: float) -> float:
    """How far scores go from the threshold; 1 if they are all there."""
    return max((abs(s - threshold) for s in scores if not isinstance(s, list)), default=0.0) or 1.0


def scene(ax: Any, data: Data, grid: Grid, predictions: list[Any], threshold: float, reach: float) -> Axes:
    """The picture: shades that go as far as `reach` from the threshold, or regions; and the data."""
    if isinstance(predictions[0], list):
        _regions(ax, grid, predictions)
    else:
        _shades(ax, grid, predictions, threshold, reach)
    data.draw(ax)
    ax.legend(loc="upper right")
    return labelled(ax, "x0", "x1", legend=False)


def _shades(ax: Any, grid: Grid, scores: list[float], threshold: float, reach: float) -> None:
    levels = between(threshold - reach, threshold + reach, 13)
    colours = shades(pale(PALETTE[0]), "#ffffff", pale(PALETTE[1]))
    ax.contourf(grid.x, grid.y, grid.table(scores), levels, cmap=colours, extend="both")
    if min(scores) < threshold < max(scores):
        ax.contour(grid.x, grid.y, grid.table(scores), [threshold], colors=INK, linewidths=1.5, linestyles="solid")


def _regions(ax: Any, grid: Grid, predictions: list[list[float]]) -> None:
    for k in range(len(predictions[0])):
        lead = [p[k] - max((*p[:k], *p[k + 1 :]), default=0.0) for p in predictions]
        if max(lead) > 0.0:
            ax.contourf(grid.x, grid.y, grid.table(lead), [0.0, max(lead)], colors=[pale(PALETTE[k % len(PALETTE)])])
