"""Make the pictures of the README anew: python docs/regenerate.py."""

from __future__ import annotations

from pathlib import Path

from autograd import draw, steps
from autograd.demo import sigmoid_example

HERE = Path(__file__).parent


def main() -> None:
    f = sigmoid_example()
    f.backward()
    draw(f, partials=True).save(HERE / "sigmoid.svg")
    steps(f).save(HERE / "steps.gif")


if __name__ == "__main__":
    main()
