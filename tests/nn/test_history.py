"""Histories: the best epoch, the table and the line of text, equality, files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.support import files
from nn import History

figures = st.lists(st.one_of(st.floats(-9, 9), st.sampled_from([math.nan, math.inf, -math.inf])), max_size=8)


def long(epochs: int) -> History:
    return History(
        loss=[1.0 / e for e in range(1, epochs + 1)],
        metric=[0.5] * epochs,
        learning_rate=[0.1] * epochs,
        metric_name="accuracy",
        stopped="completed",
        engine="compiled",
    )


@given(figures, figures)
def test_nan_is_never_best(loss: list[float], validation: list[float]) -> None:
    for history in (History(loss=loss), History(loss=validation, validation_loss=loss[: len(validation)])):
        monitored = history.validation_loss or history.loss
        assert history.monitored is monitored
        real = [x for x in monitored if x == x]
        if not real:
            assert history.best_epoch == 0
        else:
            assert monitored[history.best_epoch - 1] == min(real)
            assert min(real) not in monitored[: history.best_epoch - 1]
    history = History(loss=loss)
    lines = str(history).split("\n")
    assert len(lines) == (1 if not loss else len(loss) + 3)
    assert sum("best" in line for line in lines) == (history.best_epoch > 0)
    for e, x in enumerate(loss, start=1):
        assert lines[e + 1].split()[:2] == [f"{e}", f"{x:.6g}"]


@pytest.mark.parametrize("epochs", [1, 10, 11, 100, 101, 1000])
def test_of_long_runs_about_a_dozen_epochs_are_shown(epochs: int) -> None:
    history = long(epochs)
    history.loss[epochs // 2] = -1.0
    head, _, *body, end = str(history).splitlines()
    assert head.split() == ["epoch", "loss", "accuracy", "learning", "rate"]
    assert end == "completed, compiled"
    seen = [int(line.split()[0]) for line in body]
    assert seen == sorted({*range(1, epochs + 1, math.ceil(epochs / 10)), epochs // 2 + 1, epochs})
    assert len(seen) <= 12
    for line in body:
        e = int(line.split()[0])
        assert line.split()[1:4] == [f"{history.loss[e - 1]:.6g}", "0.5", "0.1"]
        assert ("best" in line) == (e == epochs // 2 + 1)


def test_the_line_of_an_epoch() -> None:
    history = long(3)
    assert history.describe(2) == "loss 0.5, accuracy 0.5"
    history.add(loss=1 / 3, learning_rate=0.1, metric=1.0)
    assert history.describe(4) == "loss 0.3333, accuracy 1"
    history.validation_loss, history.validation_metric = [1.0] * 4, [0.25] * 4
    assert history.describe(1) == "loss 1, accuracy 0.5, validation loss 1, validation accuracy 0.25"


def test_what_computed_them_is_no_difference_between_histories() -> None:
    assert long(3) == History(**{**vars(long(3)), "engine": "eager"})
    assert long(3) != History(**{**vars(long(3)), "stopped": "interrupted"})
    assert long(3) != long(4)


@given(figures)
def test_files_hold_every_figure(tmp_path_factory: pytest.TempPathFactory, loss: list[float]) -> None:
    path = tmp_path_factory.mktemp("history") / "history.json"
    history = History(loss=loss, metric_name="accuracy", stopped="completed", engine="eager: why")
    history.save(path)
    loaded = History.load(path)
    assert repr(loaded) == repr(history)
    assert json.loads(path.read_text())["version"] == 1


@pytest.mark.parametrize("column", [["x"], 3.0, [[1.0]], None])
def test_files_of_nonsense(column: Any, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    files.save(path, "history", 1, {**History().encoded(), "loss": column})
    with pytest.raises(ValueError, match="cannot be read as a history: loss is not a list of numbers"):
        History.load(path)
    files.save(path, "history", 1, {**History().encoded(), "loss": ["1", "2"], "metric": ["1"]})
    with pytest.raises(ValueError, match="cannot be read as a history: metric has 1 entries for 2 epochs"):
        History.load(path)
    files.save(path, "history", 1, {"loss": []})
    with pytest.raises(ValueError, match="cannot be read as a history: it must have engine, learning_rate, loss, metric, metric_name"):
        History.load(path)
