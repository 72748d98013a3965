"""Who is told of what the engine does: groups and detect_anomaly. While nobody asks, it costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..ops.op import Op
from . import value
from .value import Value

Watcher = Callable[[Value], None]

# Told of each derivative that forward mode or a transformation computes: the op, its operands, the tangent or contribution.
on_derivative: Callable[[Op, Sequence[Any], Any], None] | None = None

_watchers: dict[Watcher, int] = {}
_lock = threading.Lock()


def watch(watcher: Watcher) -> None:
    """Tell `watcher` of each new node in any thread, until `unwatch` has been called as often."""
    with _lock:
        _watchers[watcher] = _watchers.get(watcher, 0) + 1
        _install()


def unwatch(watcher: Watcher) -> None:
    """Take one `watch` back."""
    with _lock:
        _watchers[watcher] -= 1
        if not _watchers[watcher]:
            del _watchers[watcher]
        _install()


def _install() -> None:
    watchers = tuple(_watchers)
    if len(watchers) > 1:

        def tell_all(node: Value) -> None:
            for watcher in watchers:
                watcher(node)

        value.on_record = tell_all
    else:
        value.on_record = watchers[0] if watchers else None
