"""Progress of a training run: a bar of tqdm where it is installed, else a line that is written over."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """A bar over epochs, on stderr, if that is a terminal or a notebook.

    Args:
        total, done: how many epochs there will be, and have been.
        shown: False for silence.
    """

    def __init__(self, total: int, done: int, shown: bool) -> None:
        self.total: int = total
        self.done: int = done
        self.shown: bool = shown and (sys.stderr.isatty() or "ipykernel" in sys.modules)
        self._bar: Any = None

    def __enter__(self) -> Progress:
        self._start, self._first, self._written = time.monotonic(), self.done, 0.0
        if self.shown:
            try:
                from tqdm import tqdm
            except ImportError:
                pass
            else:
                self._bar = tqdm(total=self.total, initial=self.done, unit="epoch")
        return self

    def advance(self, figures: str) -> None:
        """One more epoch is done."""
        self.done += 1
        if self._bar is not None:
            self._bar.set_postfix_str(figures, refresh=False)
            self._bar.update()
        elif self.shown and (time.monotonic() - self._written > 0.1 or self.done == self.total):
            self._written = time.monotonic()
            print(f"\r\033[K{self.line(figures, self._written - self._start)}", end="", file=sys.stderr, flush=True)

    def line(self, figures: str, elapsed: float) -> str:
        """The plain line, after so many seconds."""
        left = elapsed / max(self.done - self._first, 1) * (self.total - self.done)
        return f"epoch {self.done}/{self.total}: {figures}, {left // 60:.0f}:{left % 60:02.0f} left"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self.shown and self.done > self._first:
            print(file=sys.stderr)
