"""Ops: what each primitive is, and nothing of what is done with it. Its row in `declarations` says all of it."""

from . import declarations as _declarations
from .declarations import *  # noqa: F403  (every primitive)
from .declarations import builtin as builtin
from .declarations import helpers as helpers
from .declarations import is_builtin as is_builtin
from .declarations import named as named
from .declarations import table as table
from .meaning import Mathematics as Mathematics
from .op import Op as Op

globals()["__all__"] = _declarations.__all__  # what the package exports; the stub beside this file is written by docs/stubs.py
