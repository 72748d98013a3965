"""Make the pictures of the README anew: python docs/regenerate.py."""

from __future__ import annotations

import io
from pathlib import Path

import nn
from autograd import draw, steps
from autograd.demo import sigmoid_example
from autograd.support import files

HERE = Path(__file__).parent


def main() -> None:
    f = sigmoid_example()
    f.backward()
    draw(f, partials=True).save(HERE / "sigmoid.svg")
    steps(f).save(HERE / "steps.gif")
    X, y = nn.datasets.moons(100, noise=0.1, seed=0)
    model = nn.MLP(2, [16, 16, 1], seed=0)
    nn.fit(model, X, y, loss="hinge", optimizer=nn.optim.Adam(model, lr=0.01), epochs=100, batch_size=20)
    picture = io.BytesIO()
    nn.plot.decision_boundary(model, X, y).figure.savefig(picture, format="png", dpi=100, bbox_inches="tight")
    files.write(HERE / "moons.png", picture.getvalue())


if __name__ == "__main__":
    main()
