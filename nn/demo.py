"""The demo of the command line: train a network on two moons, and show what it learned."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from autograd import Value, draw
from autograd.extend import files

from .fitting.fit import fit
from .modules.layers import MLP
from .optim import Adam


def moons(out: Path) -> None:
    """Train a 2-16-16-1 network with a hinge loss; write its decision boundary, its loss curve and the picture of a neuron to `out`."""
    try:
        import matplotlib.figure as _  # noqa: F401  (and with it NumPy)
    except ImportError:
        print('\nTo train a network as well, install Matplotlib: pip install "scalar-autograd[plot]"')
        return
    from . import datasets, plot  # they need NumPy and Matplotlib

    X, y = datasets.moons(100, noise=0.1, seed=0)
    model = MLP(2, [16, 16, 1], seed=0)
    print(f"\nA network to tell two moons apart, trained on {len(X)} points:\n\n{model.summary()}\n")
    history = fit(model, X, y, loss="hinge", optimizer=Adam(model, lr=0.01), epochs=100, batch_size=20)
    print(f"epoch {len(history)}: {history.describe(len(history))}\n")
    print(f"The decision boundary: {_saved(plot.decision_boundary(model, X, y), out / 'moons.png')}")
    print(f"The loss curve: {_saved(plot.history(history), out / 'loss.png')}")
    print(f"One neuron: {draw(_neuron(model, X[0]), partials=True).save(out / 'neuron.svg')}")


def _neuron(model: MLP, row: Any) -> Value:
    """The graph of the first neuron that is active for a row, differentiated."""
    x = [Value(v, f"x{i}") for i, v in enumerate(row)]
    out: Value = next((v for v in (neuron(x) for neuron in model[0].neurons) if v.data > 0.0), model[0].neurons[0](x))
    out.backward()
    return out


def _saved(ax: Any, path: Path) -> Path:
    picture = io.BytesIO()
    ax.figure.savefig(picture, format="png", dpi=120, bbox_inches="tight")
    files.write(path, picture.getvalue())
    return path
