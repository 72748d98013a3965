"""Layout: where the numbers of a nested structure stand in a flat vector, and back."""

from __future__ import annotations

from typing import Any

from ...numbers.value import Value
from ...support.plain import as_float, is_array, shown
from ...support.structure import DEEPEST, leaves, rebuild, same_structure
from ...support.tables import printable


class Layout:
    """The structure of an example.

    Attributes:
        what: what the numbers are, for messages: "params".
        size: how many there are.
        shape: of the array that could hold them, None if there is none.
        is_flat: whether that is a vector.
    """

    def __init__(self, what: str, example: Any) -> None:
        self.what = what
        self.size: int = len(leaves(example))
        self.example: Any = _skeleton(example)
        self.shape: tuple[int, ...] | None = shape_of(self.example)
        self.is_flat: bool = self.shape is not None and len(self.shape) == 1

    def numbers(self, tree: Any) -> list[float]:
        """The numbers of a structure like the example, in order, as floats.

        Raises:
            ValueError: if it has another structure.
            TypeError: if it holds something else than numbers.
        """
        return [self.number(x) for x in self.leaves(tree)]

    def number(self, x: Any) -> float:
        """One of the numbers as a float."""
        return x.data if type(x) is Value else x if type(x) is float else as_float(x, f"each number of {self.what}")

    def leaves(self, tree: Any) -> list[Any]:
        """The numbers of a structure like the example, in order, of whatever kind they are."""
        if not self.fits(tree):
            raise ValueError(f"{self.what} must have the structure that was compiled, {self} (got {described(tree)})")
        return leaves(tree)

    def fits(self, tree: Any) -> bool:
        """Whether a structure is like the example; a flat sequence may be an array."""
        if is_array(self.example) != is_array(tree):
            return self.shape is not None and shape_of(tree) == self.shape
        return same_structure(self.example, tree)

    def rebuilt(self, numbers: list[Any], like: Any = None) -> Any:
        """A structure like the example that holds the numbers, of any kind; arrays become object arrays where they must."""
        return rebuild(self.example if like is None else like, iter(numbers))

    def names(self) -> list[tuple[str, int, int]]:
        """A name for each array or list of numbers: how it is reached, its first place, how many."""
        found: list[tuple[str, int, int]] = []
        _name(self.example, "", 0, found)
        return found

    def __str__(self) -> str:
        return described(self.example)


def _skeleton(tree: Any) -> Any:
    """The structure with zeros for its numbers, so that no model is kept alive."""
    if is_array(tree):
        import numpy as np

        return np.zeros(tree.shape)
    if isinstance(tree, dict):
        return {key: _skeleton(branch) for key, branch in tree.items()}
    return rebuild(tree, iter([0.0] * len(leaves(tree))))


def shape_of(tree: Any, depth: int = 0) -> tuple[int, ...] | None:
    """The shape of lists within lists as an array has it, None if they are ragged or hold something else."""
    if is_array(tree):
        shape: tuple[int, ...] = tree.shape
        return shape
    if isinstance(tree, dict):
        return None
    if isinstance(tree, (list, tuple)):
        inner = {shape_of(branch, depth + 1) for branch in tree} if depth < DEEPEST else {None}
        if len(inner) > 1 or None in inner:
            return None
        return (len(tree), *next(iter(inner), ()))  # type: ignore[misc]
    return ()


def described(tree: Any, depth: int = 2) -> str:
    """A structure in words."""
    if is_array(tree):
        return f"an array of shape {tree.shape}"
    if isinstance(tree, dict):
        if depth == 0:
            return f"a dict of {len(tree)}"
        return "{" + ", ".join(f"{key!r}: {described(branch, depth - 1)}" for key, branch in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        if not any(isinstance(x, (list, tuple, dict)) or is_array(x) for x in tree):
            return f"{len(tree)} number{'s' * (len(tree) != 1)}"
        if depth == 0 or len(tree) > 8:
            return f"a {type(tree).__name__} of {len(tree)}"
        return "[" + ", ".join(described(branch, depth - 1) for branch in tree) + "]"
    return "a number" if isinstance(tree, (int, float, Value)) else shown(tree)


def _name(tree: Any, path: str, at: int, found: list[tuple[str, int, int]]) -> int:
    if is_array(tree):
        found.append((path, at, tree.size))
        return at + int(tree.size)
    if isinstance(tree, (dict, list, tuple)):
        branches = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
        nested = [isinstance(branch, (dict, list, tuple)) or is_array(branch) for _, branch in branches]
        if not isinstance(tree, dict) and not any(nested):
            found.append((path, at, len(tree)))
            return at + len(tree)
        for key, branch in branches:
            part = printable(str(key)) if isinstance(tree, dict) or path else f"p{key}"
            at = _name(branch, f"{path}.{part}" if path else part, at, found)
        return at
    found.append((path, at, 1))
    return at + 1


def as_rows(rows: Any) -> list[Any]:
    """The rows of an array or sequence, in order."""
    if (is_array(rows) and rows.ndim == 0) or not hasattr(rows, "__len__") or isinstance(rows, (str, dict)):
        raise ValueError(f"rows must be an array or a sequence of rows (got {shown(rows)})")
    return list(rows)
