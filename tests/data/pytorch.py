"""What PyTorch computes, written to pytorch.json: the judge of optimisers, schedules, losses, activations and layers.

Run by hand, from the root of the project, where torch is installed (the tests need only the file):

    python -m tests.data.pytorch

Everything is float64 on one thread of a CPU. JSON keeps a float as Python's repr, so every bit survives.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import torch  # type: ignore[import-not-found]
from torch.nn import functional as F  # type: ignore[import-not-found]
from torch.optim import lr_scheduler  # type: ignore[import-not-found]

from .valley import START, STEPS, gradient

Case = dict[str, Any]

# Optimisers: where each of 50 steps down the valley leads ----------------------------------------------------------------

OPTIMISERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.02}),
    ("SGD", {"lr": 0.01, "momentum": 0.9}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.02, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.3}),
    ("SGD", {"lr": 0.01, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("AdaGrad", {"lr": 0.1}),
    ("AdaGrad", {"lr": 0.5, "eps": 1e-6}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-3}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.05, "betas": [0.8, 0.9], "eps": 1e-4}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.05, "betas": [0.5, 0.99], "eps": 1e-6, "weight_decay": 0.0}),
]
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("inverse_sqrt", {}),
    ("step_decay", {"every": 7}),
    ("step_decay", {"every": 20, "factor": 0.1}),
    ("exponential", {"rate": 0.95}),
    ("cosine", {"steps": 50}),
    ("cosine", {"steps": 50, "final": 0.001}),
]
SCHEDULED: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.02, "momentum": 0.7, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
]


def optimisers() -> Iterator[Case]:
    for name, settings in OPTIMISERS:
        yield descent(name, settings, None, {})
    for name, settings in SCHEDULED:
        for schedule, shape in SCHEDULES:
            yield descent(name, settings, schedule, shape)


def descent(name: str, settings: dict[str, Any], schedule: str | None, shape: dict[str, Any]) -> Case:
    w = torch.tensor(START, requires_grad=True)
    optimiser = getattr(torch.optim, {"AdaGrad": "Adagrad"}.get(name, name))([w], foreach=False, **settings)
    follow = scheduler(optimiser, schedule, **shape)
    path, rates = [], []
    for _ in range(STEPS):
        rates.append(optimiser.param_groups[0]["lr"])
        w.grad = torch.tensor(gradient(w.tolist()))
        optimiser.step()
        follow.step()
        path.append(w.tolist())
    assert all(abs(x) < 3.0 for x in path[-1]), (name, settings, path[-1])
    case = {"optimiser": name, "settings": settings, "path": path}
    return case if schedule is None else {**case, "schedule": schedule, "shape": shape, "rates": rates}


def scheduler(optimiser: Any, name: str | None, **shape: Any) -> Any:
    match name:
        case "inverse_sqrt":
            return lr_scheduler.LambdaLR(optimiser, lambda done: 1.0 / math.sqrt(done + 1))
        case "step_decay":
            return lr_scheduler.StepLR(optimiser, shape["every"], shape.get("factor", 0.5))
        case "exponential":
            return lr_scheduler.ExponentialLR(optimiser, shape["rate"])
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimiser, shape["steps"], shape.get("final", 0.0))
    return lr_scheduler.LambdaLR(optimiser, lambda done: 1.0)


GRADIENTS = ([3.0, -4.0, 12.0], [0.3, -0.4, 0.0], [0.0, 0.0], [-1000.0, 1e-8, 20.0, 7.5], [0.6, 0.8])


def clipping() -> Iterator[Case]:
    for grads in GRADIENTS:
        for limit in (0.5, 1.0, 13.0):
            by_norm, norm = clipped(torch.nn.utils.clip_grad_norm_, grads, limit)
            by_value, _ = clipped(torch.nn.utils.clip_grad_value_, grads, limit)
            yield {"grads": grads, "limit": limit, "norm": norm.item(), "by_norm": by_norm, "by_value": by_value}


def clipped(clip: Callable[..., Any], grads: list[float], limit: float) -> tuple[list[float], Any]:
    parameters = [torch.zeros(()) for _ in grads]
    for p, g in zip(parameters, grads, strict=True):
        p.grad = torch.tensor(g)
    result = clip(parameters, limit)
    return [p.grad.item() for p in parameters], result


# Losses: of a row, and of a batch ----------------------------------------------------------------------------------------

LOGITS: list[list[float]] = [
    [0.0, 0.0, 0.0],
    [1e-8, -1e-8, 0.0],
    [20.0, -20.0, 0.0],
    [-20.0, 3.0, 20.0],
    [800.0, 799.5, -800.0],
    [1000.0, -1000.0, 0.0],
    [-1000.0, -1000.0, -1000.0],
    [1e6, -1e6, 3.0],
]
NUMBERS = [0.0, 1e-8, -1e-8, 0.3, -0.7, 2.5, 20.0, -20.0, 40.0, -40.0, 1000.0, -1000.0, 1e6, -1e6]
DISTRIBUTIONS = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.25, 0.75]]

# The margin losses have other names in PyTorch: multi_margin_loss of the two scores m and 0 is half of max(0, 1 - m)^p.
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": F.mse_loss,
    "half_mse": lambda x, y: F.mse_loss(x, y) / 2,
    "cross_entropy": F.cross_entropy,
    "kl_divergence": lambda x, p: F.kl_div(F.log_softmax(x, -1), p, reduction="batchmean"),
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
    "hinge": lambda x, y: F.margin_ranking_loss(x, torch.zeros_like(x), y, margin=1.0),
    "squared_hinge": lambda x, y: F.multi_margin_loss(torch.stack([x * y, torch.zeros_like(x)], -1), torch.zeros(len(x)).long(), p=2),
    "logistic": F.soft_margin_loss,
    "perceptron": lambda x, y: F.margin_ranking_loss(x, torch.zeros_like(x), y),
}


def targets(name: str, rng: Random) -> list[Any]:
    """What is paired with every prediction."""
    if name in ("mse", "half_mse"):
        return [0.0, round(rng.gauss(0.0, 2.0), 3)]
    if name == "binary_cross_entropy":
        return [0, 1, 0.3]
    return [-1, 1]


def losses() -> Iterator[Case]:
    rng = Random(0)
    logits = [*LOGITS, *([round(rng.gauss(0.0, 3.0), 3) for _ in range(3)] for _ in range(4))]
    numbers = [*NUMBERS, *(round(rng.gauss(0.0, 1.0), 3) for _ in range(4))]
    for name in ("cross_entropy", "kl_divergence"):
        for target in [*([0, 2] if name == "cross_entropy" else []), *DISTRIBUTIONS]:
            yield from (loss(name, [row], [target]) for row in logits)
        yield loss(name, logits[-4:], [*DISTRIBUTIONS, DISTRIBUTIONS[0]])
    yield loss("cross_entropy", logits[-4:], [0, 1, 2, 1])
    for name in LOSSES:
        if name not in ("cross_entropy", "kl_divergence"):
            pairs = [(x, y) for x in numbers for y in targets(name, rng) if name != "perceptron" or x]  # at 0 conventions differ
            yield from (loss(name, [x], [y]) for x, y in pairs)
            yield loss(name, *map(list, zip(*pairs[-12:], strict=True)))
    for name in ("mse", "half_mse"):
        yield loss(name, logits[-4:], logits[-5:-1])


def loss(name: str, predictions: list[Any], wanted: list[Any]) -> Case:
    """The mean over the rows; a single row is stored without the batch around it."""
    x = torch.tensor(predictions, requires_grad=True)
    indices = name == "cross_entropy" and isinstance(wanted[0], int)
    value = LOSSES[name](x, torch.tensor(wanted, dtype=torch.int64 if indices else torch.float64))
    (slope,) = torch.autograd.grad(value, x)
    rows = {"prediction": predictions, "target": wanted, "gradient": slope.tolist()}
    if len(predictions) == 1:
        rows = {key: rows[key][0] for key in rows}
    return {"loss": name, "batch": len(predictions) > 1, **rows, "value": value.item()}


# Activations -------------------------------------------------------------------------------------------------------------

POINTS = [0.0, *(s * x for x in (1e-8, 0.1, 0.5, 1.0, 1.7, 3.0, 5.5, 12.0, 20.0, 40.0, 1000.0, 1e6) for s in (1.0, -1.0))]
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "tanh": torch.tanh,
    "arctan": torch.arctan,
    "hardtanh": F.hardtanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "softplus": F.softplus,
    "swish": F.silu,
    "gelu": F.gelu,
}
LEARNABLE: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "prelu": (lambda x, slope: F.prelu(x.reshape(1), slope.reshape(1)).squeeze(), (0.25, -0.5)),
    "swish": (lambda x, beta: x * torch.sigmoid(beta * x), (1.0, 0.0, 2.5)),
}


def activations() -> Iterator[Case]:
    for name, f in ACTIVATIONS.items():
        for point in POINTS:
            x = torch.tensor(point, requires_grad=True)
            y = f(x)
            yield {"activation": name, "x": point, "value": y.item(), "slope": torch.autograd.grad(y, x)[0].item()}


def learnable() -> Iterator[Case]:
    """Activations with a parameter, and the derivative in it."""
    for name, (f, parameters) in LEARNABLE.items():
        for parameter in parameters:
            for point in POINTS:
                x, p = torch.tensor(point, requires_grad=True), torch.tensor(parameter, requires_grad=True)
                y = f(x, p)
                slopes = [slope.item() for slope in torch.autograd.grad(y, (x, p))]
                yield {"activation": name, "parameter": parameter, "x": point, "value": y.item(), "slopes": slopes}


def sequences() -> Iterator[Case]:
    for name, f in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
        for row in [*LOGITS, [0.5, -1.5, 2.0, 0.25]]:
            jacobian = torch.autograd.functional.jacobian(lambda x, f=f: f(x, -1), torch.tensor(row))
            yield {"activation": name, "x": row, "value": f(torch.tensor(row), -1).tolist(), "jacobian": jacobian.tolist()}


# Layers ------------------------------------------------------------------------------------------------------------------


def batch_norm() -> Case:
    """Three batches in training, the derivatives of a weighted sum of each one's outputs, then evaluation."""
    rng = Random(1)
    layer = torch.nn.BatchNorm1d(2)
    scale, shift = [1.5, -0.5], [0.25, 2.0]
    layer.weight.data, layer.bias.data = torch.tensor(scale), torch.tensor(shift)
    batches = [norm_batch(layer, rng, size) for size in (4, 3, 7)]  # of 2 rows the derivatives cancel to eps
    layer.eval()
    row = [0.7, -1.3]
    return {
        "scale": scale,
        "shift": shift,
        "batches": batches,
        "row": row,
        "evaluated": layer(torch.tensor([row]))[0].tolist(),
    }


def norm_batch(layer: Any, rng: Random, size: int) -> Case:
    rows, weights = ([[round(rng.gauss(1.0, 3.0), 3) for _ in range(2)] for _ in range(size)] for _ in range(2))
    x = torch.tensor(rows, requires_grad=True)
    out = layer(x)
    dx, dscale, dshift = torch.autograd.grad((out * torch.tensor(weights)).sum(), (x, layer.weight, layer.bias))
    return {
        "rows": rows,
        "weights": weights,
        "out": out.tolist(),
        "d_rows": dx.tolist(),
        "d_scale": dscale.tolist(),
        "d_shift": dshift.tolist(),
        "running_mean": layer.running_mean.tolist(),
        "running_variance": layer.running_var.tolist(),
    }


def dropout() -> Iterator[Case]:
    """What becomes of numbers that are kept, and the derivative."""
    for p in (0.0, 0.1, 0.5, 0.8):
        x = torch.tensor([0.5, -1.5, 3.0] * 40, requires_grad=True)
        y = F.dropout(x, p)
        (slope,) = torch.autograd.grad(y.sum(), x)
        kept = {v: (out, d) for v, out, d in zip(x.tolist(), y.tolist(), slope.tolist(), strict=True) if out}
        yield {"p": p, "kept": [{"x": v, "value": out, "slope": d} for v, (out, d) in kept.items()]}


# -------------------------------------------------------------------------------------------------------------------------


def lines(x: Any) -> str:
    """JSON with one case a line."""
    if isinstance(x, dict) and any(isinstance(v, list) for v in x.values()):
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {lines(v)}" for key, v in x.items()) + "\n}"
    if isinstance(x, list):
        return "[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in x) + "\n]"
    return json.dumps(x)


def main() -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sections = (optimisers, clipping, losses, activations, learnable, sequences, dropout)
    data = {"torch": torch.__version__.partition("+")[0], **{f.__name__: list(f()) for f in sections}, "batch_norm": [batch_norm()]}
    Path(__file__).with_suffix(".json").write_text(lines(data) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
