"""What goes into a model and comes out of it, as type checkers and editors see it. Nothing here runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd import Dual, Value

Table: TypeAlias = Any
"""Rows of numbers: nested lists, an array, a data frame of whatever library."""

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Inputs: TypeAlias = float | Value | Dual | Sequence[float | Value | Dual] | NDArray[Any]
    """A row, or a number."""

    # A model gives a number, or a list of them for several outputs: which, its type does not tell. So checkers allow what either can do.

    class Output(Value, list[Value]):  # type: ignore[misc]
        """What a model gives for a row: a Value, or a list of Values for several outputs."""

    class Prediction(float, list[float]):  # type: ignore[misc]
        """What a model predicts for a row: a float, or a list of floats for several outputs."""

else:
    Output = Value | list
    Prediction = float | list
