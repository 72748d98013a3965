"""A curved valley for optimisers, with its gradient in closed form: rational arithmetic, the same to the last bit everywhere."""

from __future__ import annotations

from collections.abc import Sequence

START = (-0.9, 1.1, 0.6, 0.0)
STEPS = 50


def gradient(w: Sequence[float]) -> list[float]:
    """Of (1 - a)^2 / 2 + 5/2 (b - a^2)^2 + (c d - a)^2 / 2. At the start, that in c is 0."""
    a, b, c, d = w
    bend, knot = b - a * a, c * d - a
    return [a - 1.0 - 10.0 * a * bend - knot, 5.0 * bend, knot * d, knot * c]
