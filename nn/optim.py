"""Optimisers. Each is its published update rule, written for one parameter w, its gradient g and its running quantities:

    w, *running = rule(w, g, *running)

The rule is plain arithmetic, so it serves floats and NumPy arrays of all parameters alike. Where PyTorch has the same optimiser,
defaults and updates are PyTorch's.

>>> from autograd import Value
>>> w = Value(3.0)
>>> optimizer = SGD([w], lr=0.1)
>>> for _ in range(100):
...     optimizer.zero_grad()
...     (w * w).backward()
...     optimizer.step()
>>> round(w.data, 6)
0.0
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, ClassVar

from autograd import Value
from autograd.extend import shown

from .modules.module import Module
from .schedules import Schedule
from .support import state


class Optimizer:
    """What all optimisers share.

    Args:
        params: the Values to change, or the module whose parameters they are.
        lr: the learning rate, or a schedule: a function of the number of the update, from 1.

    Attributes:
        params: the list of Values.
        lr: may be set at any time, to a number or a schedule.
        t: how many updates there have been.
        running: for each name in `slots` a list with one number per parameter.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Module | Iterable[Value], lr: float | Schedule) -> None:
        self.params: list[Value] = params.parameters() if isinstance(params, Module) else list(params)
        if not self.params or not all(isinstance(p, Value) and p.op is None for p in self.params):
            raise ValueError("params must be a module or leaf Values, at least one, such as model.parameters()")
        self.lr = lr
        self.t: int = 0
        self.running: dict[str, list[float]] = {name: [0.0] * len(self.params) for name in self.slots}

    @property
    def lr(self) -> float | Schedule:
        return self._lr

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        if not callable(lr):
            _check("lr", lr, 0.0)
        self._lr = lr

    def rate(self, t: int) -> float:
        """The learning rate of update number t."""
        return self._lr(t) if callable(self._lr) else self._lr

    def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
        """The new w and running quantities. `self.t` is the number of this update."""
        raise NotImplementedError

    def step(self) -> None:
        """One update of all parameters from their gradients, all or none."""
        self.take(*self.updated([p.data for p in self.params], [p.grad for p in self.params]))

    def take(self, w: Sequence[float], running: dict[str, list[float]]) -> None:
        """Carry out an update that `updated` has computed."""
        for p, x in zip(self.params, w, strict=True):
            p.data = x
        self.running = running
        self.t += 1

    def updated(self, w: Sequence[float], g: Sequence[float]) -> tuple[list[float], dict[str, list[float]]]:
        """The parameters and running quantities that the next update would give."""
        lr = self.rate(self.t + 1)
        columns = list(zip(*(self.rule(lr, *numbers) for numbers in zip(w, g, *self.running.values(), strict=True)), strict=True))
        return list(columns[0]), {name: list(column) for name, column in zip(self.slots, columns[1:], strict=True)}

    def zero_grad(self) -> None:
        """Forget the gradients, before the next backward."""
        for p in self.params:
            p.grad = 0.0

    def state_dict(self) -> dict[str, float]:
        """The number of updates and the running quantities, by name."""
        return {"t": float(self.t), **{f"{name}.{i}": x for name, column in self.running.items() for i, x in enumerate(column)}}

    def load_state_dict(self, given: Mapping[str, float]) -> None:
        """Take over a state of an optimiser of the same kind for as many parameters; otherwise a ValueError, and nothing changes."""
        numbers = state.checked(given, self.state_dict(), "the optimiser")
        self.t = int(numbers["t"])
        self.running = {name: [numbers[f"{name}.{i}"] for i in range(len(self.params))] for name in self.slots}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the state to a file."""
        state.save(path, "optimizer", self.state_dict())

    def load(self, path: str | PathLike[str]) -> None:
        """Take over the state that `save` wrote."""
        self.load_state_dict(state.load(path, "optimizer"))


class SGD(Optimizer):
    """w <- w - lr g; with momentum v <- momentum v + g, w <- w - lr v (Polyak 1964); Nesterov's looks ahead: w <- w - lr (g + momentum v).

    Args:
        momentum: in [0, 1).
        nesterov: as in Sutskever et al. 2013; needs momentum.
        weight_decay: adds weight_decay * w to the gradient.
    """

    slots: ClassVar[tuple[str, ...]] = ("v",)

    def __init__(
        self,
        params: Module | Iterable[Value],
        lr: float | Schedule,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.momentum: float = _check("momentum", momentum, 0.0, 1.0)
        self.weight_decay: float = _check("weight_decay", weight_decay, 0.0)
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0 (got momentum=0)")
        self.nesterov = nesterov

    def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
        (v,) = running
        g = g + self.weight_decay * w
        v = self.momentum * v + g
        return w - lr * (g + self.momentum * v if self.nesterov else v), v


class AdaGrad(Optimizer):
    """s <- s + g^2, w <- w - lr g / (sqrt(s) + eps) (Duchi et al. 2011)."""

    slots: ClassVar[tuple[str, ...]] = ("s",)

    def __init__(self, params: Module | Iterable[Value], lr: float | Schedule = 0.01, eps: float = 1e-10) -> None:
        super().__init__(params, lr)
        self.eps: float = _check("eps", eps, 0.0)

    def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
        (s,) = running
        s = s + g * g
        return w - lr * g / (s**0.5 + self.eps), s


class RMSprop(Optimizer):
    """s <- alpha s + (1 - alpha) g^2, w <- w - lr g / (sqrt(s) + eps) (Tieleman & Hinton 2012)."""

    slots: ClassVar[tuple[str, ...]] = ("s",)

    def __init__(self, params: Module | Iterable[Value], lr: float | Schedule = 0.01, alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(params, lr)
        self.alpha: float = _check("alpha", alpha, 0.0, 1.0)
        self.eps: float = _check("eps", eps, 0.0)

    def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
        (s,) = running
        s = self.alpha * s + (1.0 - self.alpha) * g * g
        return w - lr * g / (s**0.5 + self.eps), s


class Adam(Optimizer):
    """Running means m of g and v of g^2, freed of their bias towards 0 (Kingma & Ba 2015, algorithm 1):

        m <- beta1 m + (1 - beta1) g,  v <- beta2 v + (1 - beta2) g^2
        w <- w - lr m_hat / (sqrt(v_hat) + eps),  m_hat = m / (1 - beta1^t),  v_hat = v / (1 - beta2^t)
    """

    slots: ClassVar[tuple[str, ...]] = ("m", "v")

    def __init__(
        self,
        params: Module | Iterable[Value],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, lr)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ValueError(f"betas must be two numbers (got {shown(betas)})")
        self.betas: tuple[float, float] = _check("betas[0]", betas[0], 0.0, 1.0), _check("betas[1]", betas[1], 0.0, 1.0)
        self.eps: float = _check("eps", eps, 0.0)

    def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
        (m, v), (beta1, beta2), t = running, self.betas, self.t + 1
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g * g
        m_hat, v_hat = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
        return w - lr * m_hat / (v_hat**0.5 + self.eps), m, v


class AdamW(Adam):
    """Adam with weights that decay by themselves, w <- w - lr weight_decay w, apart from the gradient (Loshchilov & Hutter 2019)."""

    def __init__(
        self,
        params: Module | Iterable[Value],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps)
        self.weight_decay: float = _check("weight_decay", weight_decay, 0.0)

    def rule(self, lr: float, w: Any, g: Any, *running: Any) -> tuple[Any, ...]:
        return super().rule(lr, w - lr * self.weight_decay * w, g, *running)


# Clipping -----------------------------------------------------------------------------------------------------------------


def clip_grad_norm(params: Module | Iterable[Value], max_norm: float) -> float:
    """Scale all gradients so that their Euclidean norm, taken together, is at most `max_norm`. Returns the norm before."""
    _check("max_norm", max_norm, 0.0)
    values = _values(params)
    g = [p.grad for p in values]
    for p, x in zip(values, shortened(g, max_norm), strict=True):
        p.grad = x
    return math.hypot(*g)


def shortened(g: list[float], longest: float) -> list[float]:
    """A vector of the same direction whose Euclidean norm is at most `longest`. One with a nan is left as it is."""
    norm = math.hypot(*g)
    if norm == math.inf > max(map(abs, g)):  # it does not fit a float, though each number does
        return shortened([x / 2.0**64 for x in g], longest)
    return [x / norm * longest for x in g] if norm > longest else g  # longest / norm may be subnormal


def clip_grad_value(params: Module | Iterable[Value], limit: float) -> None:
    """Cut each gradient off at -limit and limit."""
    _check("limit", limit, 0.0)
    for p in _values(params):
        p.grad = min(max(p.grad, -limit), limit)


def _values(params: Module | Iterable[Value]) -> list[Value]:
    return params.parameters() if isinstance(params, Module) else list(params)


def _check(name: str, x: float, least: float, below: float = math.inf) -> float:
    if isinstance(x, (int, float)) and least <= x < below:
        return float(x)
    limits = f"at least {least:g}" + (f" and below {below:g}" if below < math.inf else "")
    raise ValueError(f"{name} must be a number, {limits} (got {shown(x)})")
