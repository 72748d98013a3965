"""The command line: python -m autograd demo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import Graph, Value, draw, exp
from .checking import table
from .render import RenderError


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m autograd", description="Scalar automatic differentiation that you can watch.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo_parser = commands.add_parser("demo", help="differentiate a sigmoid neuron step by step and draw its graph")
    demo_parser.add_argument("--out", metavar="DIR", type=Path, default=Path("demo"), help="folder for the picture (default: demo)")
    options = parser.parse_args(argv)
    return demo(options.out)


def demo(out: Path) -> int:
    """The sigmoid neuron of the textbooks: forward values, local derivatives and gradients as a table, and as a picture."""
    f = sigmoid_example()
    f.backward()
    print("f(w, x) = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))\n")
    print(walkthrough(Graph(f)))
    try:
        out.mkdir(parents=True, exist_ok=True)
        print(f"\nThe picture: {draw(f, partials=True).save(out / 'sigmoid.svg')}")
    except (RenderError, OSError) as error:
        print(f"\nno picture: {error}", file=sys.stderr)
        return 1
    return 0


def sigmoid_example() -> Value:
    w0, x0 = Value(2.0, "w0"), Value(-1.0, "x0")
    w1, x1 = Value(-3.0, "w1"), Value(-2.0, "x1")
    w2 = Value(-3.0, "w2")
    f: Value = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    return f


def walkthrough(graph: Graph) -> str:
    """Each node with its forward value, its local derivatives and its gradient."""
    names = graph.names()
    rows = []
    for node in graph:
        operands = ", ".join(names[id(x)] if isinstance(x, Value) else f"{x:g}" for x in node.args)
        edges = zip(node.parents, node.partials(), strict=True)
        local = ", ".join(f"d/d{names[id(x)]} = {d:.6g}" for x, d in edges)
        operation = f"{node.op.name}({operands})" if node.op else ""
        rows.append((names[id(node)], operation, f"{node.data:.6g}", f"{node.grad:.6g}", local))
    return table(("node", "operation", "forward", "gradient", "local derivatives"), rows)


if __name__ == "__main__":
    sys.exit(main())
