"""Loss surfaces over two weights, and the paths that descent takes on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.extend import shown

from ..support import rows
from .canvas import QUIET, Grid, Range, around, axes, checked_range, labelled, new_series, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHTS = ("#ffffff", "#e3e9ef", "#9fb1c2")  # from low to high, pale so that paths stand out

Surface = Callable[[float, float], Any]


def loss_surface(
    f: Surface,
    x_range: Range = (-1.0, 1.0),
    y_range: Range = (-1.0, 1.0),
    *,
    levels: int | Sequence[float] = 12,
    resolution: int = 80,
    ax: Axes | None = None,
) -> Axes:
    """The contours of f(w1, w2). The higher, the darker; where f is nan or inf, nothing is drawn.

    Args:
        f: a function of two floats.
        x_range, y_range: of w1 and of w2.
        levels: the heights of the contours, or how many. Then they are even in the root of the height, as the rings of a bowl.
        resolution: at how many points to take f in each direction.
    """
    grid = Grid.over(checked_range("x_range", x_range), checked_range("y_range", y_range), resolution)
    heights = [rows.number(f(a, b), "f") for a, b in grid.points()]
    finite = [h for h in heights if math.isfinite(h)]
    if not finite:
        raise ValueError(f"f must be finite somewhere in x_range={x_range} and y_range={y_range}")
    chosen = _rings(min(finite), max(finite), levels) if isinstance(levels, int) else sorted(rows.finite(x, "levels") for x in levels)
    if len(chosen) < 2:
        raise ValueError(f"levels must be at least 2 (got {shown(levels)})")
    table = grid.table([h if math.isfinite(h) else math.nan for h in heights])
    ax = axes(ax)
    ax.contourf(grid.x, grid.y, table, chosen, cmap=shades(*_HEIGHTS), extend="both")
    if any(min(finite) < level < max(finite) for level in chosen):
        ax.contour(grid.x, grid.y, table, chosen, colors=QUIET, linewidths=0.5, linestyles="solid")
    return labelled(ax, "w1", "w2", legend=False)


def _rings(low: float, high: float, count: int) -> list[float]:
    high = high if high > low else low + 1.0
    return [low + (high - low) * (i / (count - 1)) ** 2 for i in range(count)] if count > 1 else []


def descent_path(
    f: Surface,
    path: Sequence[Any],
    *,
    label: str = "",
    x_range: Range | None = None,
    y_range: Range | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The points that descent goes through on f(w1, w2), from a circle to a star.

    The surface is drawn first, unless the Axes show something already: so one surface can have several paths. It sets the limits, and a
    path that diverges leaves the picture.

    Args:
        f: the function of two floats that is minimised.
        path: points (w1, w2), of floats or Values.
        label: for the legend.
        x_range, y_range: of the surface; None for room for the path.
    """
    points = [_point(point, i) for i, point in enumerate(path)]
    if not points:
        raise ValueError("path is empty: it needs at least one point (w1, w2)")
    x, y = [a for a, _ in points], [b for _, b in points]
    ax = axes(ax)
    if not ax.has_data():
        loss_surface(f, x_range or around(x), y_range or around(y), ax=ax)
    ax.autoscale(False)
    colour = new_series(ax, x, y, ".-", label).get_color()
    ax.plot(x[:1], y[:1], "o", color=colour, markersize=8, markeredgecolor="white")
    ax.plot(x[-1:], y[-1:], "*", color=colour, markersize=14, markeredgecolor="white")
    return labelled(ax, "w1", "w2", legend=bool(label))


def _point(point: Any, i: int) -> tuple[float, float]:
    if not hasattr(point, "__len__") or len(point) != 2:
        raise ValueError(f"path must hold points of two numbers (path[{i}] is {shown(point)})")
    x, y = rows.number(point[0], f"path[{i}][0]"), rows.number(point[1], f"path[{i}][1]")
    if not math.isfinite(x) or not math.isfinite(y):
        raise ValueError(f"path must hold finite points (path[{i}] is {(x, y)}): end it where it diverges")
    return x, y
