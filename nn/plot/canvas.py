"""What the pictures have in common: Matplotlib, Axes, colours, grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.extend import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
INK, QUIET, PALE = "#1f2328", "#6e7781", "#d0d7de"
SIZE = (6.0, 4.0)

Range = tuple[float, float]


def matplotlib(module: str) -> Any:
    """A module of Matplotlib."""
    try:
        return import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise ImportError('nn.plot needs Matplotlib, which could not be imported: pip install "scalar-autograd[plot]"') from error


def axes(ax: Any, size: tuple[float, float] = SIZE) -> Any:
    """The Axes given, or those of a new figure."""
    if ax is None:
        _, ax = matplotlib("pyplot").subplots(figsize=size, layout="constrained")
        ax.spines[["top", "right"]].set_visible(False)
    elif not hasattr(ax, "contourf"):
        raise TypeError(f"ax must be Axes of Matplotlib, such as plt.subplots() gives (got {type(ax).__name__})")
    return ax


def labelled(ax: Axes, x: str, y: str, legend: bool = True) -> Axes:
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    if legend:
        ax.legend(frameon=False)
    return ax


def new_series(ax: Any, x: Sequence[float], y: Sequence[float], style: str, label: str) -> Any:
    """A line in the first colour that no series of these Axes has."""
    count = sum(line.get_gid() == "series" for line in ax.get_lines())
    (line,) = ax.plot(x, y, style, color=PALETTE[count % len(PALETTE)], label=label or None, gid="series")
    return line


def pale(colour: str) -> str:
    """The colour mixed with as much white: for areas, on which transparent colours would overlap at the borders."""
    rgb = matplotlib("colors").to_rgb(colour)
    return str(matplotlib("colors").to_hex([0.5 + 0.5 * part for part in rgb]))


def shades(*colours: str) -> Any:
    """A colour map through these colours."""
    return matplotlib("colors").LinearSegmentedColormap.from_list("shades", colours)


def between(low: float, high: float, count: int) -> list[float]:
    """`count` numbers at equal distances, both ends included."""
    return [low + (high - low) * (i / (count - 1)) for i in range(count)]


def around(column: Sequence[float]) -> Range:
    """The range of some numbers with a margin."""
    low, high = min(column), max(column)
    margin = 0.15 * (high - low) or 1.0
    return low - margin, high + margin


def checked_range(name: str, given: Any) -> Range:
    if len(given) != 2 or not all(map(math.isfinite, given)) or not given[0] < given[1]:
        raise ValueError(f"{name} must be two finite numbers, the lower first (got {shown(given)})")
    return float(given[0]), float(given[1])


class Grid(NamedTuple):
    """Points at equal distances in a rectangle."""

    x: list[float]
    y: list[float]

    @staticmethod
    def over(x: Range, y: Range, resolution: int) -> Grid:
        if not isinstance(resolution, int) or resolution < 2:
            raise ValueError(f"resolution must be an int of at least 2 (got {shown(resolution)})")
        return Grid(between(*x, resolution), between(*y, resolution))

    def points(self) -> list[list[float]]:
        """Line by line."""
        return [[a, b] for b in self.y for a in self.x]

    def table(self, numbers: Sequence[float]) -> list[Sequence[float]]:
        """Numbers, one for each point, as contours want them: a list for each line."""
        return [numbers[i : i + len(self.x)] for i in range(0, len(numbers), len(self.x))]
