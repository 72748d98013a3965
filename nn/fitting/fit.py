"""fit: train a model on rows of data."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from numbers import Integral
from os import PathLike
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from autograd.extend import shown

from .. import losses
from ..losses import Formula, Loss
from ..modules.module import Module
from ..optim import Adam, Optimizer
from ..preprocessing import split_off
from ..regularizers import Regularizer
from ..schedules import Schedule
from ..support import rows
from .history import History
from .interrupting import interruptible
from .progress import Progress
from .run import Metric, Run, measured

if TYPE_CHECKING:
    from ..support.types import Table


def row_loss(model: Module, loss: losses.Name | Loss | Formula) -> Callable[[Sequence[Any], Sequence[Any], Any], Any]:
    """The loss of one row as a pure function of parameters, row and target: for transformations, and for compiling.

    >>> import autograd, nn
    >>> f = row_loss(nn.Neuron(2, None), "mse")
    >>> autograd.grad(f)([1.0, 2.0, 0.5], [3.0, 4.0], 10.0)
    [9.0, 12.0, 3.0]
    """
    formula = losses.named(loss)

    def f(parameters: Sequence[Any], x: Sequence[Any], y: Any) -> Any:
        with model.using(parameters):
            return formula.row(model(x), y)

    return f


def evaluate(
    model: Module, X: Table, y: Table, loss: losses.Name | Loss | Formula, metric: Metric | None = None
) -> tuple[float, float | None]:
    """The mean loss over rows, and the accuracy (or mean of another metric); None where the loss knows no right and wrong.

    >>> import nn
    >>> evaluate(nn.Neuron.of([1.0]), [2.0, -1.0, 0.5], [1, -1, -1], "hinge")
    (0.5, 0.666...)
    """
    formula = losses.named(loss)
    given = rows.features(X)
    targets = rows.labels(y, len(given))
    formula.targets.check_all(targets, model.predict(given[:1])[0], "y")
    return measured(model, (given, targets), formula, metric or formula.targets.right)


def fit(
    model: Module,
    X: Table,
    y: Table,
    *,
    loss: losses.Name | Loss | Formula,
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    validation: float | tuple[Table, Table] | None = None,
    early_stopping: int | None = None,
    regularizer: Regularizer | None = None,
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    replacement: bool = False,
    metric: Metric | None = None,
    on_epoch: Callable[[History], object] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    compiled: Literal["auto", True, False] = "auto",
    progress: bool = True,
    seed: int | None = 0,
) -> History:
    """Train a model.

    Each epoch goes through the rows in minibatches, in a new order: forward, backward, clipping, update. Ctrl-C ends it after the batch at
    hand and keeps the model and the history. Afterwards the model behaves as in use (`model.eval()`).

    Args:
        model: its parameters are changed in place.
        X: n rows of numbers, in lists, an array or a data frame.
        y: n targets: numbers, indices of classes, or rows of numbers, as the loss wants them.
        loss: of `nn.losses`, by name or itself, or a function of a prediction and a target.
        optimizer: of `nn.optim`, with its own parameters; None for Adam with a learning rate of 0.01.
        epochs: how many there are to be in all, those of a checkpoint included.
        batch_size: rows per update; None for all.
        validation: the fraction of rows to hold out, or other rows as (X, y); measured after every epoch.
        early_stopping: stop when so many epochs have brought no lower validation loss (without validation: loss), and return to the best.
        regularizer: of `nn.regularizers`; its penalty is added to the loss of every batch, not to the figures reported.
        schedule: of `nn.schedules`; sets the optimiser's learning rate for each epoch.
        clip_norm, clip_value: limits for the norm of all gradients together, and for each.
        replacement: draw the rows of a batch with replacement.
        metric: a function of a prediction and a target, to be averaged; None for the accuracy where the loss is of classification.
        on_epoch: called with the history after every epoch.
        checkpoint: a file that holds everything after each epoch; if it exists, training goes on from it, to the bit as if never stopped.
        compiled: "auto" compiles model and loss where it can, and says in `history.engine` why where it cannot; True insists on it, False
            does without. What is compiled is computed as recorded: print and the like in a model of one's own happen once.
        progress: show a bar.
        seed: of the order of rows, the rows held out and dropout; None for a different one each time.

    Returns:
        The history: loss and metric per epoch.

    Raises:
        ValueError, TypeError: for data, targets or settings that cannot be meant; nothing has changed then.
        TypeError: if the model computes with Values that it does not hold.
        autograd.TrackingError: if the model, the loss or the regulariser makes a float of what depends on the parameters.
        TrainingError: at a nan or inf; it names epoch, batch and node.

    >>> import nn
    >>> model = nn.MLP(2, [4, 1], activation="tanh", seed=3)
    >>> history = nn.fit(model, [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1], loss="hinge", epochs=200)
    >>> history.metric[-1], [round(score) for score in model.predict([[0, 1], [1, 1]])]
    (1.0, [1, -1])
    """
    seed = Random().getrandbits(32) if seed is None else seed
    for name, n in (("epochs", epochs), ("batch_size", batch_size), ("early_stopping", early_stopping)):
        if n is not None and (not isinstance(n, Integral) or n < 1):
            raise ValueError(f"{name} must be a positive int (got {shown(n)})")
    if not isinstance(optimizer, Optimizer | None):
        raise TypeError(f"optimizer must be one of nn.optim, such as nn.optim.Adam(model) (got {shown(optimizer)})")
    data, held_out = split_off(X, y, validation, seed)
    if compiled not in ("auto", True, False):
        raise ValueError(f"compiled must be 'auto', True or False (got {shown(compiled)})")
    run = _run(
        compiled,
        model,
        data,
        losses.named(loss),
        Adam(model, lr=0.01) if optimizer is None else optimizer,
        batch_size=batch_size,
        replacement=replacement,
        regularizer=regularizer,
        schedule=schedule,
        clip_norm=clip_norm,
        clip_value=clip_value,
        metric=metric,
        held_out=held_out,
        seed=seed,
        watched=on_epoch is not None,
    )
    if checkpoint is not None and os.path.exists(checkpoint):
        run.resume(checkpoint)
    _train(run, int(epochs), early_stopping, on_epoch, checkpoint, Progress(int(epochs), len(run.history), progress))
    if early_stopping is not None and run.best is not None:
        model.load_state_dict(run.best)
    return run.history


def _run(compiled: Literal["auto", True, False], *args: Any, **settings: Any) -> Run:
    """A run, checked; a compiled one where that is possible."""
    run = Run(*args, **settings)
    run.check()
    run.history.engine = "eager, as asked for"
    if compiled:
        try:
            from .compiled_run import CompiledRun, Uncompilable
        except ModuleNotFoundError as error:
            return _eager(run, f"{error.name} is not installed", compiled)
        faster = CompiledRun(*args, **settings)
        try:
            faster.prepare()
        except Uncompilable as reason:
            return _eager(run, str(reason), compiled)
        faster.history.engine = "compiled"
        return faster
    return run


def _eager(run: Run, reason: str, compiled: Literal["auto", True, False]) -> Run:
    if compiled is True:
        raise ValueError(f"compiled=True, but this cannot be compiled: {reason}")
    run.history.engine = f"eager: {reason}"
    return run


def _train(
    run: Run,
    epochs: int,
    patience: int | None,
    on_epoch: Callable[[History], object] | None,
    checkpoint: str | PathLike[str] | None,
    progress: Progress,
) -> None:
    """All epochs, until there have been enough or something stops them."""
    history = run.history
    history.stopped = "interrupted"
    run.model.train()
    try:
        with interruptible() as interrupted, progress as bar:
            while len(history) < epochs and not _overdue(history, patience):
                if not run.epoch(interrupted):
                    return
                if checkpoint is not None:
                    run.save(checkpoint)
                bar.advance(history.describe(len(history)))
                if on_epoch is not None:
                    on_epoch(history)
    except KeyboardInterrupt:
        return
    finally:
        run.model.eval()
    history.stopped = "completed" if len(history) >= epochs else "early stopping"


def _overdue(history: History, patience: int | None) -> bool:
    return patience is not None and len(history) - history.best_epoch >= patience
