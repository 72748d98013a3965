"""Files, written whole or not at all; those that are read again are JSON with a format, a version and a checksum, and nothing in it
that could run.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from os import PathLike
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
Reader = Callable[[dict[str, Any]], T]
Path = str | PathLike[str]
_STREAMS = ("/dev/fd/", "/dev/std", "/proc/")  # names of open files, which have a position and are not to be replaced


class Invalid(Exception):
    """What a file holds is not what it should."""


def invalid(problem: str) -> NoReturn:
    raise Invalid(problem)


def write(path: Path, content: bytes) -> None:
    """Write a file. What was there stays until all of the new content is there, and for good if that fails.

    Links are followed, and the rights of an old file kept; another hard link to it keeps the old content, as the file is a new one. What is
    no plain file (a pipe, a terminal) is written to as it is.

    Raises:
        OSError: as `open` does, of the path as it was given.
    """
    path = os.fsdecode(path)
    try:
        old = _found(path)
        if old is None or (stat.S_ISREG(old.st_mode) and not os.path.abspath(path).startswith(_STREAMS)):
            _replace(os.path.realpath(path), content, old)
        else:
            with open(path, "ab") as file:
                file.write(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) if error.errno else error from None


def _found(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        if not os.path.basename(path):  # "folder/" is no name for a file
            raise
        return None


def _replace(target: str, content: bytes, old: os.stat_result | None) -> None:
    mode = 0o666  # less the umask
    if old is not None:
        os.close(os.open(target, os.O_WRONLY))  # to replace a file takes rights to its folder only
        mode = stat.S_IMODE(old.st_mode)
    temporary = os.path.join(os.path.dirname(target), f".{os.urandom(8).hex()}.part")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
        if old is not None:
            _give(temporary, old)
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def _give(path: str, old: os.stat_result) -> None:
    """Give a file the owner and the rights of an old one, as far as this user and this system can."""
    with suppress(OSError, AttributeError):
        os.chown(path, old.st_uid, old.st_gid)
    with suppress(OSError):
        os.chmod(path, stat.S_IMODE(old.st_mode))


def save(path: Path, kind: str, version: int, contents: dict[str, Any]) -> None:
    """Write `contents`, of which JSON must be able to speak."""
    text = _text(contents, allow_nan=False)
    head = _text({"format": _format(kind), "version": version, "sha256": hashlib.sha256(text).hexdigest()})
    write(path, b'%b,"%b":%b}' % (head[:-1], kind.encode(), text))


def load(path: Path, kind: str, version: int, read: Reader[T], older: Mapping[int, Reader[T]] | None = None) -> T:
    """What `read` makes of the contents of a file that `save` wrote. `read` says what is wrong with them by `invalid`.

    Args:
        older: what reads the contents of files of older versions, by their version.

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
        readers = {**(older or {}), version: read}
        contents = _contents(document, kind, readers)
        if document.get("sha256") not in _digests(raw, kind, contents):
            invalid("its checksum does not match: the file was altered after it was saved")
        reader = readers[document["version"]]
        del raw, document  # of large files all this takes room
        return reader(contents)
    except (Invalid, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be read as a {kind}: {error}") from None


def _format(kind: str) -> str:
    return f"scalar-autograd {kind}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _text(contents: dict[str, Any], allow_nan: bool = True) -> bytes:
    return json.dumps(contents, sort_keys=True, separators=(",", ":"), allow_nan=allow_nan).encode()


def _digest(contents: dict[str, Any]) -> str:
    return hashlib.sha256(_text(contents)).hexdigest()


def _digests(raw: bytes, kind: str, contents: dict[str, Any]) -> Iterator[str]:
    """The checksum of the contents as they stand in the file, and as they are written here."""
    mark = b'"%b":' % kind.encode()
    yield hashlib.sha256(memoryview(raw)[raw.find(mark) + len(mark) : -1]).hexdigest()
    yield _digest(contents)


def _contents(document: Any, kind: str, readers: Mapping[int, Any]) -> dict[str, Any]:
    """The part of the document that matters, if there is something that reads it."""
    if not isinstance(document, dict) or document.get("format") != _format(kind):
        invalid(f'it does not say "format": "{_format(kind)}"')
    found = document.get("version")
    if type(found) is not int or found not in readers:
        versions = " and ".join(map(str, sorted(readers)))
        invalid(f"it has version {found!r}, and this release reads version {versions}: update scalar-autograd to read newer files")
    contents = document.get(kind)
    if not isinstance(contents, dict):
        invalid(f"it has no {kind} in it")
    return contents
