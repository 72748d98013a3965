"""RecordingError, which users catch: here, so that it can be named without loading the compiler."""

from __future__ import annotations


class RecordingError(TypeError):
    """A function that is being compiled needs the value of a recorded number, as a branch does. The message shows the line."""
