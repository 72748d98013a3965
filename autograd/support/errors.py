"""Errors that more than one room raises."""

from __future__ import annotations


class RecordingError(TypeError):
    """A function that is being compiled needs the value of a recorded number, as a branch does. The message shows the line."""
