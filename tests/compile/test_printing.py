"""How programs read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from autograd import arctan2, compile, cos, dot, exp, logsumexp, maximum, norm, sin, tanh, where
from autograd import sum as total

FIVE = [1.0, 2.25, -3.0, 4.00001, 1e20]
READS: dict[str, tuple[Any, Any, Any, str]] = {
    "nothing": (lambda p, x: 2.5, [], [], "return [2.5]"),
    "a parameter": (lambda p, x: p[0], [0.0], [0.0], "return p[0]\nparameters: p[0] (1)"),
    "an input": (lambda p, x: x[0], [], [0.0], "return x"),
    "one of several inputs": (lambda p, x: x[1], [], [0.0] * 2, "return x[1]"),
    "a vector of constants": (
        lambda p, x: [where(x[i], FIVE[i], x[i]) for i in range(4)], [], [0.0] * 4,
        "a1 = where(x, [1, 2.25, -3, 4], x) (4)\nreturn a1",
    ),
    "a long vector of constants": (
        lambda p, x: [where(x[i], FIVE[i], x[i]) for i in range(5)], [], [0.0] * 5,
        "a1 = where(x, [1, 2.25, -3, ...], x) (5)\nreturn a1",
    ),
    "a matrix of constants": (
        lambda p, x: total([c * tanh(v) for c, v in zip(FIVE, x, strict=True)]), [], [0.0] * 5,
        "a1 = tanh(x) (5)\nh1 = [1, 2.25, -3, ...] @ a1 (1)\nreturn h1",
    ),
    "four blocks in a row": (
        lambda p, x: norm([tanh(x[0]), sin(x[0]), cos(x[0]), x[0]]), [], [0.0],
        "a1 = tanh(x) (1)\na2 = sin(x) (1)\na3 = cos(x) (1)\n"
        "m1 = norm([a1, a2, a3, x]) (1)\nreturn m1",
    ),
    "five blocks in a row": (
        lambda p, x: norm([tanh(x[0]), sin(x[0]), cos(x[0]), exp(x[0]), x[0]]), [], [0.0],
        "a1 = tanh(x) (1)\na2 = sin(x) (1)\na3 = cos(x) (1)\n"
        "a4 = exp(x) (1)\nm1 = norm([a1, a2, a3, ...]) (1)\nreturn m1",
    ),
    "parameters alone": (
        lambda p, x: exp(p[0]) * x[0] - 3, [1.0], [0.0],
        "c1 = exp(p[0]) (1)\nfor each row:\ns1 = c1 * x - 3 (1)\nreturn s1\nparameters: p[0] (1)",
    ),
    "results of rows and of parameters": (
        lambda p, x: [tanh(p[0] * x[0]), p[0] * 2.0, 2.5, x[0]], [1.0], [0.0],
        "c1 = 2 p[0] (1)\nfor each row:\ns1 = p[0] * x (1)\na1 = tanh(s1) (1)\nreturn a1, c1, [2.5], x\nparameters: p[0] (1)",
    ),
    "a constant before": (lambda p, x: 3 - x[0] * p[0], [1.0], [0.0], "s1 = 3 - p[0] * x (1)\nreturn s1\nparameters: p[0] (1)"),
    "nothing but minus": (
        lambda p, x: -x[0] - x[1] * p[0] - 2.0, [1.0], [0.0, 0.0],
        "s1 = -x[0] - p[0] * x[1] - 2 (1)\nreturn s1\nparameters: p[0] (1)",
    ),
    "factors": (
        lambda p, x: 0.5 * x[0] - 1e-7 * x[1] + 1234567.0, [], [0.0] * 2,
        "s1 = 0.5 x[0] - 1e-07 x[1] + 1.23457e+06 (1)\nreturn s1",
    ),
    "a constant operand": (
        lambda p, x: [maximum(v, 1 / 3) for v in x], [], [0.0] * 5, "a1 = maximum(x, 0.333333) (5)\nreturn a1",
    ),
    "slices": (
        lambda p, x: [maximum(x[i], x[i + 1]) for i in range(4)], [], [0.0] * 5,
        "a1 = maximum(x[0:4], x[1:5]) (4)\nreturn a1",
    ),
    "steps": (
        lambda p, x: total([sin(x[i]) for i in range(0, 6, 2)]) + total([cos(x[i]) for i in range(5, 0, -2)]), [], [0.0] * 6,
        "a1 = sin(x[0:5:2]) (3)\na2 = cos(x[5:0:-2]) (3)\ns1 = sum([a1, a2]) (1)\nreturn s1",
    ),
    "back to the first": (
        lambda p, x: logsumexp([p[i] * x[5 - i] for i in range(6)]), [1.0] * 6, [0.0] * 6,
        "s1 = w1 * x[5::-1] (6)\nm1 = logsumexp(s1) (1)\nreturn m1\nparameters: w1 (6)",
    ),
    "windows": (
        lambda p, x: total([dot(p, x[i : i + 3]) ** 2 for i in range(4)]), [1.0] * 3, [0.0] * 6,
        "h1 = W1 @ x[windows] (4)\ns1 = dot(h1, h1) (1)\nreturn s1\nparameters: W1 (3)",
    ),
    "no rule": (
        lambda p, x: [sin(x[i]) for i in (0, 1, 3)], [], [0.0] * 4,
        "a1 = sin(x[...]) (3)\nreturn a1",
    ),
    "one of a block, twice": (
        lambda p, x: logsumexp([x[1] * p[0], x[1] * p[1]]), [1.0] * 2, [0.0] * 2,
        "s1 = w1 * x[1] (2)\nm1 = logsumexp(s1) (1)\nreturn m1\nparameters: w1 (2)",
    ),
    "names of the structure": (
        lambda p, x: [dot(p["W"][i], x) + p["b"][i] for i in range(2)] + [p["s"] * x[0]],
        {"W": np.ones((2, 3)), "b": [1.0] * 2, "s": 0.0}, [0.0] * 3,
        "h1 = W @ x + b (2)\ns1 = s * x[0] (1)\nreturn [h1, s1]\nparameters: W (2 x 3), b (2), s (1)",
    ),
    "plus after minus": (
        lambda p, x: x[0] - 2.0 * x[1] + x[2], [], [0.0] * 3,
        "s1 = x[0] - 2 x[1] + x[2] (1)\nreturn s1",
    ),
    "minus first": (
        lambda p, x: x[2] - x[0] - x[1], [], [0.0] * 3,
        "s1 = x[2] - x[0] - x[1] (1)\nreturn s1",
    ),
    "parameters used twice": (
        lambda p, x: [p[0] * x[0] + x[1] * tanh(x[0] * p[0])], [0.0], [0.0] * 2,
        "s1 = p[0] * x[0] (1)\na1 = tanh(s1) (1)\ns2 = s1 + x[1] * a1 (1)\nreturn s2\nparameters: p[0] (1)",
    ),
    "vectors used twice": (
        lambda p, x: [maximum(p[i], x[i]) * arctan2(x[i + 1], p[i]) for i in range(3)], [0.0] * 3, [0.0] * 4,
        "a1 = maximum(p1, x[0:3]) (3)\na2 = arctan2(x[1:4], p1) (3)\ns1 = a1 * a2 (3)\nreturn s1\nparameters: p1 (3)",
    ),
    "in another order": (
        lambda p, x: [p["b"][i] * v for i, v in zip((1, 2, 0), x, strict=True)], {"b": [1.0] * 3}, [0.0] * 3,
        "s1 = b[...] * x (3)\nreturn s1\nparameters: b[...] (3)",
    ),
    "turned and backwards": (
        lambda p, x: [dot([p["W"][0][i], p["W"][1][i], p["W"][2][i]], x) + p["b"][1 - i] for i in range(2)],
        {"W": np.ones((3, 2)), "b": [1.0] * 2}, [0.0] * 3,
        "h1 = W.T @ x + b[::-1] (2)\nreturn h1\nparameters: W.T (2 x 3), b[::-1] (2)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_a_program_reads(name: str) -> None:
    fn, params, row, text = READS[name]
    assert re.sub(r" +\((?=\d+\)$)", " (", str(compile(fn, params, row).program), flags=re.MULTILINE) == text
