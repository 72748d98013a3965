"""The user's line, for errors that arise far below it."""

from __future__ import annotations

import linecache
import os
import sys
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_INSTALLED = f"{os.sep}site-packages{os.sep}"


def _stands_between(file: str) -> bool:
    """Whether code stands between the user's and ours: contextlib, copy, NumPy."""
    return (file.startswith(_LIBRARY) and _INSTALLED not in file) or f"{os.sep}numpy{os.sep}" in file


def user_line() -> str:
    """Where the innermost line outside this package is, and what it says; as a line of its own."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not os.path.abspath(file).startswith(_PACKAGE) and not _stands_between(file):
            source = linecache.getline(file, frame.f_lineno).strip()
            return f'\n  at line {frame.f_lineno} of "{file}", in {frame.f_code.co_name}{": " if source else ""}{source}'
        frame = frame.f_back
    return ""
