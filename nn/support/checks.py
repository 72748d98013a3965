"""Checks of arguments that many have in common."""

from __future__ import annotations

from autograd.extend import shown


def positive_int(name: str, n: object) -> None:
    """Raise a ValueError that names the argument unless n is an int above 0."""
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"{name} must be a positive int (got {shown(n)})")
