"""The training as a film: how the decision boundary comes about."""

from __future__ import annotations

import base64
import io
from os import PathLike, fspath
from typing import Any

from autograd.extend import files

from ..support import rows
from ..support.checks import positive_int
from .boundary import Data, furthest, predicted, scene
from .canvas import matplotlib
from .course import Course

_PIXELS, _DPI = (480, 360), 80
_DURATION, _LAST = 150, 2500  # milliseconds


class TrainingGif:
    """Records the decision boundary while `nn.fit` trains, and makes an animated GIF of it. It shows itself in a notebook.

    Args:
        model, X, y, threshold, resolution: as for `decision_boundary`.
        every: how many epochs from one frame to the next. It doubles, and every second frame goes, when there are more than `max_frames`.
        max_frames: how many epochs to show at most. The model before and after training comes in addition.

    Raises:
        ImportError: if Matplotlib or Pillow is missing.

    >>> import nn
    >>> X, y = [[0.0, 0.0], [1.0, 1.0]], [-1, 1]
    >>> model = nn.Neuron(2, None, rng=0)
    >>> film = TrainingGif(model, X, y, every=10)
    >>> history = nn.fit(model, X, y, loss="hinge", epochs=40, on_epoch=film, progress=False)
    >>> film.epochs
    [10, 20, 30, 40]
    >>> film.save("training.gif")  # doctest: +SKIP
    """

    def __init__(
        self, model: Any, X: Any, y: Any, *, every: int = 1, max_frames: int = 50, threshold: float = 0.0, resolution: int = 30
    ) -> None:
        positive_int("every", every)
        positive_int("max_frames", max_frames)
        matplotlib("figure"), _pillow()  # better missed now than after the training
        self.every: int = every
        self.max_frames: int = max_frames
        self._model, self._threshold = model, rows.finite(threshold, "threshold")
        self._data = Data(X, y)
        self._grid = self._data.grid(resolution)
        self._before = self._look()
        self._seen: dict[int, list[Any]] = {}

    @property
    def epochs(self) -> list[int]:
        """Which epochs have been recorded."""
        return list(self._seen)

    def __call__(self, history: Course) -> None:
        """Record the model after this epoch, if it is its turn: for `on_epoch` of `nn.fit`."""
        if len(history) % self.every == 0:
            self._seen[len(history)] = self._look()
        while len(self._seen) > self.max_frames:
            self.every *= 2
            self._seen = {epoch: seen for epoch, seen in self._seen.items() if epoch % self.every == 0}

    def save(self, path: str | PathLike[str]) -> str:
        """Write the GIF. Returns the path."""
        path = fspath(path)
        if not path.lower().endswith(".gif"):
            raise ValueError(f"cannot save a GIF as {path!r}: the name must end in .gif")
        files.write(path, self.gif())
        return path

    def gif(self) -> bytes:
        """The animation: the model before training, after the recorded epochs, and as it is now."""
        shots = {"before": self._before, **{f"epoch {epoch}": seen for epoch, seen in self._seen.items()}, "after": self._look()}
        count = len(self._data.points)
        reach = max(furthest(seen[:count], self._threshold) for seen in shots.values())  # one scale for the whole film
        images = [self._frame(title, seen[count:], reach) for title, seen in shots.items()]
        palette = images[-1].quantize(128, method=_pillow().Quantize.FASTOCTREE)  # one for all frames: what does not move is stored once
        first, *others = [image.quantize(palette=palette, dither=0) for image in images]
        file = io.BytesIO()
        durations = [_DURATION] * len(others) + [_LAST]
        first.save(file, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
        return file.getvalue()

    def __repr__(self) -> str:
        return f"<TrainingGif of {len(self._seen)} epochs: .save('training.gif') writes it>"

    def _look(self) -> list[Any]:
        return predicted(self._model, [*self._data.points, *self._grid.points()])

    def _frame(self, title: str, predictions: list[Any], reach: float) -> Any:
        figure = matplotlib("figure").Figure([side / _DPI for side in _PIXELS], _DPI, layout="constrained")
        scene(figure.subplots(), self._data, self._grid, predictions, self._threshold, reach).set_title(title)
        canvas = matplotlib("backends.backend_agg").FigureCanvasAgg(figure)
        canvas.draw()
        image = _pillow().frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        return image.convert("RGB")

    def _repr_html_(self) -> str:
        return f'<img alt="The decision boundary while training" src="data:image/gif;base64,{base64.b64encode(self.gif()).decode()}"/>'


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("a GIF needs Pillow: pip install pillow") from None
    return Image
