"""What loops are recovered: the same program from every way of writing the same network."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, compile, dot, logsumexp, primitive, relu, softmax, tanh
from autograd.compile.compiled import Compiled
from autograd.compile.program import Map, Sum
from autograd.compile.recording import _LEAN
from autograd.op import Op

from .checks import check
from .programs import AFFINE, LAYOUTS, Program, Shapes, network_function

MOONS, DIGITS = [2, 16, 16, 1], [64, 32, 10]
CROSS_ENTROPIES = ("logsumexp", "log sum exp", "log softmax", "softmax", "softmax by hand")


def compiled(sizes: Sequence[int], affine: str, activation: str, loss: str, layout: str = "flat", **options: Any) -> Compiled:
    fn = network_function(sizes, affine, activation, loss, layout, **options)
    return compile(fn, Shapes(sizes).random(Random(0), layout), [0.0] * (sizes[0] + sizes[-1]))


@pytest.mark.parametrize("affine", AFFINE)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_small_network_collapses_in_every_style(affine: str, layout: str) -> None:
    f = compiled(MOONS, affine, "relu", "hinge", layout)
    assert len(f.program) <= 7
    assert sum(isinstance(i, Map) for i in f.program.instructions) == 3


@pytest.mark.parametrize("affine", AFFINE)
@pytest.mark.parametrize("loss", CROSS_ENTROPIES)
def test_a_classifier_collapses_in_every_style(affine: str, loss: str) -> None:
    assert len(compiled(DIGITS, affine, "relu", loss).program) <= 10


@pytest.mark.parametrize("activation", ["1/(1+exp(-z))", "1.0/(exp(-z)+1.0)", "exp(z)/(1+exp(z))", "sigmoid"])
def test_every_way_to_write_a_sigmoid_is_one_instruction(activation: str) -> None:
    f = compiled([3, 4, 2], "dot", activation, "square")
    assert [i.op.name for i in f.program.instructions if isinstance(i, Map)] == ["sigmoid"]


def test_styles_that_mean_the_same_are_the_same_program() -> None:
    same = [style for style in AFFINE if style not in ("no bias", "twice negative")]
    texts = {str(compiled(MOONS, style, "relu", "hinge").program) for style in same}
    assert len(texts) == 1


def test_numpy_style_is_the_same_program() -> None:
    for layout in ("arrays", "by input"):
        loops = compiled(DIGITS, "dot", "tanh", "logsumexp", layout)
        arrays = compiled(DIGITS, "dot", "tanh", "logsumexp", layout, numpy_style=True)
        assert str(loops.program) == str(arrays.program)


def test_a_model_that_holds_its_parameters() -> None:
    model = nn.MLP(2, [16, 16, 1], seed=1)
    f = compile(lambda p, x: relu(1 - x[2] * model(x[:2])), model.parameters(), [0.0] * 3)
    assert len(f.program) == 7
    w = [p.data for p in model.parameters()]
    rows = np.array([[0.3, -0.4, 1.0], [0.5, 0.1, -1.0]])
    value, grads = f.value_and_grad(w, rows, "sum")
    eager = sum(relu(1 - y * model([a, b])) for a, b, y in rows)
    assert isinstance(eager, Value)
    eager.backward()
    assert value == pytest.approx(eager.data, rel=1e-12)
    assert grads == pytest.approx([p.grad for p in model.parameters()], rel=1e-9, abs=1e-12)


def test_the_program_reads_like_the_formulas() -> None:
    f = compiled(MOONS, "bias last", "relu", "hinge", "arrays")
    assert str(f.program) == (
        "h1 = p0.W @ x[0:2] + p0.b  (16)\n"
        "a1 = relu(h1)              (16)\n"
        "h2 = p1.W @ a1 + p1.b      (16)\n"
        "a2 = relu(h2)              (16)\n"
        "h3 = p2.W @ a2 + p2.b      (1)\n"
        "s1 = 1 - x[2] * h3         (1)\n"
        "a3 = relu(s1)              (1)\n"
        "return a3\n"
        "parameters: p0.W (16 x 2), p0.b (16), p1.W (16 x 16), p1.b (16), p2.W (16), p2.b (1)"
    )


def test_the_report_counts() -> None:
    f = compiled(MOONS, "bias last", "relu", "hinge")
    assert (f.report.nodes, f.report.instructions, f.report.scalars) == (677, 7, 3)
    assert str(f.report).startswith("677 operations for one row became 7 instructions, 3 of them on a single number\n3 products of mat")
    assert f.report.declined == []


def test_what_depends_on_parameters_alone_is_computed_once() -> None:
    plain, penalised = (compiled(DIGITS, "dot", "relu", "logsumexp", penalty=penalty) for penalty in (None, "squares"))
    assert len(penalised.program.rows) == len(plain.program.rows)
    assert len(plain.program.once) == 0
    assert len(penalised.program.once) <= 2


@pytest.mark.parametrize("steps", [2, 5, 9])
def test_time_steps_are_two_instructions_each(steps: int) -> None:
    def rnn(p: Any, x: Any) -> Any:
        h = p["h"]
        for row in x:
            h = [tanh(dot(p["W"][k], h) + dot(p["U"][k], row) + p["b"][k]) for k in range(4)]
        return dot(h, h)

    params = {"W": np.ones((4, 4)), "U": np.ones((4, 3)), "b": np.ones(4), "h": np.ones(4)}
    f = compile(rnn, params, np.zeros((steps, 3)))
    assert len(f.program) == 2 * steps + 2


@pytest.mark.parametrize("filters", [1, 3, 20])
@pytest.mark.parametrize("length", [8, 30])
def test_windows_that_share_their_weights_are_one_instruction(filters: int, length: int) -> None:
    def convolution(p: Any, x: Any) -> Any:
        found = [relu(dot(w, x[t : t + 5]) + b) for t in range(len(x) - 4) for w, b in zip(p["W"], p["b"], strict=True)]
        return logsumexp(found)

    rng = np.random.default_rng(0)
    params = {"W": rng.normal(size=(filters, 5)), "b": rng.normal(size=filters)}
    f = compile(convolution, params, np.zeros(length))
    assert len(f.program) == 3
    check(Program(convolution, params, list(rng.normal(size=(3, length))), "windows"))


def test_samples_in_one_row_share_their_weights() -> None:
    def batch(p: Any, x: Any) -> Any:
        return sum(tanh(dot(p["w"], row) + p["b"]) for row in x) / len(x)

    f = compile(batch, {"w": np.ones(3), "b": 1.0}, np.zeros((50, 3)))
    assert len(f.program) == 3


def test_random_structure_is_grouped_all_the_same() -> None:
    """Nodes of one level and kind are one instruction wherever their operands are."""
    rng = Random(3)
    pairs = [(rng.randrange(40), rng.randrange(40)) for _ in range(200)]
    f = compile(lambda p, x: sum(tanh(p[i] * x[j]) for i, j in pairs), [0.0] * 40, [0.0] * 40)
    assert len(f.program) == 3


@pytest.mark.parametrize("width", [4, 16, 64])
def test_the_number_of_instructions_does_not_depend_on_the_size(width: int) -> None:
    f = compiled([width, 2 * width, width], "dot", "tanh", "log softmax")
    assert len(f.program) == 8


def test_places_grow_with_the_nodes_and_no_faster() -> None:
    """What a program holds, and so the time to compile it, is proportional to what was recorded."""
    sizes = [8, 16, 32]
    held = []
    for n in sizes:
        f = compiled([n, n, n], "loop", "relu", "hinge")
        terms = [term for s in f.program.instructions if isinstance(s, Sum) for term in s.terms]
        refs = [ref.size for term in terms for ref in (term.left, term.right) if ref is not None]
        held.append((sum(refs) + f.program.memory.rows) / f.report.nodes)
    assert max(held) < 2.0
    assert held == sorted(held, reverse=True)


def test_attention_is_a_few_instructions() -> None:
    def attention(p: Any, x: Any) -> Any:
        q, k, v = ([[dot(w, row) for w in p[name]] for row in x] for name in "qkv")
        out = 0.0
        for a in q:
            shares = softmax([dot(a, b) for b in k])
            out = out + sum(s * u for s, row in zip(shares, v, strict=True) for u in row)
        return out

    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=(3, 4)) for name in "qkv"}
    f = compile(attention, params, np.zeros((5, 4)))
    assert len(f.program) <= 16
    assert f.report.declined == []
    check(Program(attention, params, list(rng.normal(size=(3, 5, 4))), "attention"))


def test_primitives_of_the_user() -> None:
    @primitive(partials=lambda y, x: (2.0 * x if x > 0 else x + x,))
    def branching(x: float) -> float:
        return x * x

    f = compile(lambda p, x: branching(p[0] * x[0]), [1.0], [0.0])
    assert len(f.program) == 2
    assert [reason.partition(":")[0] for reason in f.report.declined] == [
        "the partials of branching are computed on floats, one by one",
        "branching is computed on floats, one by one",
    ]
    check(Program(lambda p, x: branching(p[0] * x[0]), [1.5], [[2.0], [-1.0]], "branching"))


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 4), (3, 1), (3, 4)])
def test_residuals_and_diagonals(k: int, n: int) -> None:
    """Mixed terms in one sum: a matrix, a scaled copy and a plain copy of the same block."""

    def fn(p: Any, x: Any) -> Any:
        h = list(x)
        for _ in range(k):
            h = [tanh(dot(p["W"][i], h) + p["d"][i] * h[i] - h[i] + p["b"][i]) + 0.5 * h[i] for i in range(n)]
        return dot(h, p["b"])

    rng = np.random.default_rng(k + n)
    params = {"W": rng.normal(size=(n, n)), "d": rng.normal(size=n), "b": rng.normal(size=n)}
    check(Program(fn, params, list(rng.normal(size=(3, n))), "residual"))


def test_two_dimensional_windows_and_pooling() -> None:
    def fn(p: Any, x: Any) -> Any:
        size, width = len(x), 3
        maps = []
        for kernel, b in zip(p["K"], p["b"], strict=True):
            conv = [
                [sum(kernel[a][c] * x[i + a][j + c] for a in range(width) for c in range(width)) + b for j in range(size - 2)]
                for i in range(size - 2)
            ]
            corners = [(i, j) for i in range(0, size - 2, 2) for j in range(0, size - 2, 2)]
            pooled = [sum(conv[i + a][j + c] for a in (0, 1) for c in (0, 1)) / 4 for i, j in corners]
            maps += [tanh(v) for v in pooled]
        return logsumexp(maps)

    rng = np.random.default_rng(0)
    params = {"K": rng.normal(size=(2, 3, 3)), "b": rng.normal(size=2)}
    f = compile(fn, params, np.zeros((6, 6)))
    assert len(f.program) == 3  # the mean of single-use sums is one sum
    check(Program(fn, params, list(rng.normal(size=(3, 6, 6))), "2-d convolution"))


@pytest.mark.parametrize("op", list(_LEAN), ids=lambda op: op.name)
def test_lean_rules_are_the_rules_of_the_table(op: Op) -> None:
    rng = Random(0)
    for size in (0.1, 1.0, 10.0, 300.0):
        for _ in range(50):
            x = [rng.uniform(-size, size) for _ in range(op.arity or 4)]
            y = op.forward(*x)
            assert _LEAN[op](y, *x) == pytest.approx(op.partials(y, *x), rel=1e-11, abs=1e-300, nan_ok=True)
