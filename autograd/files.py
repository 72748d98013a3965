"""Files: JSON with a format, a version and a checksum, written whole or not at all, with nothing in it that could run."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from os import PathLike
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
Path = str | PathLike[str]


class Invalid(Exception):
    """What a file holds is not what it should."""


def invalid(problem: str) -> NoReturn:
    raise Invalid(problem)


def save(path: Path, kind: str, version: int, contents: dict[str, Any]) -> None:
    """Write `contents`, of which JSON must be able to speak. The file appears whole or not at all."""
    document = {"format": _format(kind), "version": version, "sha256": _digest(contents), kind: contents}
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    temporary = f"{os.fspath(path)}.{os.getpid()}.{threading.get_ident()}.part"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def load(path: Path, kind: str, version: int, read: Callable[[dict[str, Any]], T]) -> T:
    """What `read` makes of the contents of a file that `save` wrote. `read` says what is wrong with them by `invalid`.

    Raises:
        ValueError: if the file is of another kind, was cut short or altered, or is of a later version.
    """
    with open(path, "rb") as file:
        raw = file.read()
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} is not a {kind} file, or was cut short: {error}") from None
    try:
        return read(_contents(document, kind, version))
    except (Invalid, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be read as a {kind}: {error}") from None


def _format(kind: str) -> str:
    return f"scalar-autograd {kind}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _digest(contents: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(contents, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _contents(document: Any, kind: str, version: int) -> dict[str, Any]:
    """The part of the document that matters, if it is whole and unaltered."""
    if not isinstance(document, dict) or document.get("format") != _format(kind):
        invalid(f'it does not say "format": "{_format(kind)}"')
    found = document.get("version")
    if type(found) is not int or found != version:
        invalid(f"it has version {found!r}, and this release reads version {version}: update scalar-autograd to read newer files")
    contents = document.get(kind)
    if not isinstance(contents, dict):
        invalid(f"it has no {kind} in it")
    if document.get("sha256") != _digest(contents):
        invalid("its checksum does not match: the file was altered after it was saved")
    return contents
