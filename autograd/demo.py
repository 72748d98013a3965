"""The demo: the sigmoid neuron of the textbooks, step by step, then whatever demos other packages add."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

from . import Graph, Value, draw, exp
from .pictures.render import RenderError
from .support.tables import table

GROUP = "scalar_autograd.demos"  # entry points: functions that take the folder to write to


def demo(out: Path) -> int:
    """Run all demos, which write their pictures to the folder `out`. Returns the exit code."""
    try:
        sigmoid(out)
        for further in entry_points(group=GROUP):
            further.load()(out)
    except (RenderError, OSError) as error:
        print(f"\nno picture: {error}", file=sys.stderr)
        return 1
    return 0


def sigmoid(out: Path) -> None:
    """Forward values, local derivatives and gradients as a table, and as a picture."""
    f = sigmoid_example()
    f.backward()
    print("f(w, x) = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))\n")
    print(walkthrough(Graph(f)))
    out.mkdir(parents=True, exist_ok=True)
    print(f"\nThe picture: {draw(f, partials=True).save(out / 'sigmoid.svg')}")


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
