"""Programs as source: what is written computes the program, reads well, and is the same for JAX, for which NumPy stands in here."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import compile, exp, greater, logsumexp, maximum, ops, primitive, relu, tanh, where
from autograd.compiling.backends.source import own_primitives, source, to_jax
from autograd.compiling.compiled import Compiled
from autograd.languages import array_formulas
from autograd.languages.forms import Term
from autograd.languages.source import array_form
from nn import MLP

from .checks import TOLERANCE, difference
from .programs import random_program

Function = Callable[..., Any]


def text(f: Compiled, module: str = "numpy") -> str:
    return source(f.program, f._params, f._inputs, module)


def jax_function(f: Compiled, **functions: Function) -> Function:
    return to_jax(f.program, f._params, f._inputs, functions)


def function(f: Compiled) -> Function:
    namespace: dict[str, Any] = {}
    exec(text(f), namespace)
    made: Function = namespace["f"]
    return made


def body(f: Compiled) -> list[str]:
    """The lines of the function itself, what is given aside."""
    lines = text(f).rpartition("def f(")[2].splitlines()[1:]
    return [line.strip() for line in lines if not re.search(r"asarray\((params|rows)", line)]


@pytest.fixture
def jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy in the place of JAX."""
    names = ("jax", "jax.numpy", "jax.lax", "jax.scipy", "jax.scipy.special")
    package, numpy, lax, scipy, special = map(ModuleType, names)
    vars(numpy).update({name: getattr(np, name) for name in dir(np) if not name.startswith("__")})
    named = {"erf": "erf", "erfc": "erfc", "gammaln": "lgammas", "polygamma": "polygammas"}
    vars(special).update({theirs: getattr(array_formulas, ours) for theirs, ours in named.items()})
    package.numpy = numpy  # type: ignore[attr-defined]
    lax.stop_gradient = array_formulas.stop_gradient  # type: ignore[attr-defined]
    for module in (package, numpy, lax, scipy, special):
        monkeypatch.setitem(sys.modules, module.__name__, module)


# What it computes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", range(0, 300, 30))
def test_source_computes_the_program(start: int, jax: None) -> None:
    for seed in range(start, start + 30):
        program = random_program(seed)
        f = compile(program.fn, program.params, program.rows[0], backend="reference")
        own = {name: ops.table[name] for name in own_primitives(f.program)}
        expected = f(program.params, program.rows)
        assert difference(function(f)(program.params, program.rows, **own), expected) <= TOLERANCE, program
        with np.errstate(all="ignore"):
            assert difference(jax_function(f, **own)(program.params, program.rows), expected) <= TOLERANCE, program


@pytest.mark.parametrize("op", [ops.table[name] for name in sorted(ops.builtin)], ids=lambda op: op.name)
def test_every_primitive(op: Any, jax: None) -> None:
    count = op.arity or 4
    f = compile(lambda p, x: op.apply(*x) + p[0], [0.0], [0.0] * count, backend="reference")
    rows = np.array([[0.6, 0.3, 0.2, 0.9], [0.5, 0.5, 0.5, 0.5], [0.1, 0.8, 0.7, 0.4]])[:, :count]
    rows = np.round(rows) if op.name == "polygamma" else rows + 1.0 if op.name == "arccosh" else rows
    rows[:, 0] += op.name == "cohypot"
    rows[:, -1] = 1.5 if op.name == "polygamma" else rows[:, -1]
    assert difference(function(f)([0.0], rows), f([0.0], rows)) <= 1e-14
    assert difference(jax_function(f)([0.0], rows), f([0.0], rows)) <= 1e-14


def test_no_rows() -> None:
    f = compile(lambda p, x: tanh(p[0] * x[0] + p[1] * x[1]), [1.0, 1.0], [0.0, 0.0])
    assert function(f)([1.0, 2.0], []).shape == (0,)
    assert function(f)([1.0, 2.0], np.zeros((0, 2))).shape == (0,)


def test_results_that_do_not_depend_on_rows() -> None:
    f = compile(lambda p, x: p[0] * p[0], [1.0], [0.0])
    assert function(f)([3.0], [[1.0], [2.0]]).tolist() == [9.0, 9.0]
    g = compile(lambda p, x: 4.0, [1.0], [0.0])
    assert function(g)([3.0], [[1.0], [2.0]]).tolist() == [4.0, 4.0]
    h = compile(lambda p, x: x[1], [], [0.0, 0.0])
    assert function(h)([], [[1.0, 5.0], [2.0, 6.0]]).tolist() == [5.0, 6.0]


def test_rows_without_numbers() -> None:
    f = compile(lambda p, x: exp(p[0]), [1.0], [])
    assert function(f)([0.0], [[], [], []]).tolist() == [1.0, 1.0, 1.0]


def test_several_results() -> None:
    f = compile(lambda p, x: [p[0] * x[0], x[1], p[0]], [1.0], [0.0, 0.0])
    assert function(f)([2.0], [[1.0, 5.0], [3.0, 6.0]]).tolist() == [[2.0, 5.0, 2.0], [6.0, 6.0, 2.0]]


def test_structures(jax: None) -> None:
    """Ragged lists, names that are taken, keys that are no names, tuples for rows."""
    params = {"x": [1.0, 2.0], "np": np.ones((2, 2)), "class": 3.0, 5: [[1.0], [2.0, 4.0]], "two words": (0.5, [0.25])}
    row: tuple[list[float], float, dict[str, list[list[float]]]] = ([1.0, 2.0], 3.0, {"y": [[4.0, 5.0], [6.0, 7.0]]})

    def fn(p: Any, r: Any) -> Any:
        first = p["x"][0] * r[0][0] + p["x"][1] * r[0][1] + p["np"][1][0] * r[1] + p["class"]
        return first + p[5][1][1] * r[2]["y"][1][0] + p["two words"][1][0] * r[2]["y"][0][1] + p["two words"][0] * p[5][0][0]

    f = compile(fn, params, row)
    assert f(params, [row, row]).tolist() == function(f)(params, [row, row]).tolist() == jax_function(f)(params, [row, row]).tolist()


# How it reads ------------------------------------------------------------------------------------------------------------


def network(p: Any, x: Any) -> Any:
    h = [relu(sum(w * v for w, v in zip(ws, x, strict=True)) + b) for ws, b in zip(p["W1"], p["b1"], strict=True)]
    z = [sum(w * v for w, v in zip(ws, h, strict=True)) + b for ws, b in zip(p["W2"], p["b2"], strict=True)]
    return logsumexp(z) - z[1]


PARAMS = {"W1": np.ones((8, 3)), "b1": np.ones(8), "W2": np.ones((4, 8)), "b2": np.ones(4)}


def test_a_network() -> None:
    f = compile(network, PARAMS, [0.0] * 3)
    assert body(f) == [
        "h1 = x @ W1.T + b1",
        "a1 = relu(h1)",
        "h2 = a1 @ W2.T + b2",
        "m1 = logsumexp(h2.reshape(len(x), 1, 4))",
        "s1 = m1 - h2[:, 1:2]",
        "return s1[:, 0]",
    ]


def test_a_network_of_neurons() -> None:
    """Weights and bias of each neuron stand together: matrices are views of the vector of parameters."""
    model = MLP(2, [16, 16, 1], activation="relu", seed=0)
    f = compile(lambda p, x: model(x), model.parameters(), [0.0, 0.0])
    assert body(f)[:6] == [
        "W1 = p[0:48].reshape(16, 3)[..., 0:2]",
        "b1 = p[2:48:3]",
        "h1 = x @ W1.T + b1",
        "a1 = relu(h1)",
        "W2 = p[48:320].reshape(16, 17)[..., 0:16]",
        "b2 = p[64:320:17]",
    ]
    assert body(f)[-1] == "return h3[:, 0]"


def test_a_loop_over_time() -> None:
    def fn(p: Any, x: Any) -> Any:
        h = [0.5, 0.5, 0.5]
        for v in x:
            h = [tanh(sum(u * a for u, a in zip(us, h, strict=True)) + w * v) for us, w in zip(p["U"], p["w"], strict=True)]
        return sum(h)

    f = compile(fn, {"U": np.ones((3, 3)), "w": np.ones(3)}, [0.0] * 4)
    assert [line for line in body(f) if "@" in line] == [f"h{t} = a{t} @ U.T + w * x[:, {t}:{t + 1}]" for t in (1, 2, 3)]


def test_a_function_of_own_primitives(jax: None) -> None:
    @primitive(partials=lambda y, x: (3.0 * x * x,))  # type: ignore[untyped-decorator]
    def cube(x: float) -> float:
        return x * x * x

    f = compile(lambda p, x: cube(x[0]) * p[0], [1.0], [0.0])
    assert "def f(params, rows, *, cube):" in text(f)
    assert function(f)([2.0], [[3.0]], cube=cube).tolist() == [54.0]
    with pytest.raises(ValueError, match=r"JAX does not know your primitive 'cube'.*to_jax\(functions=\{'cube': lambda x"):
        jax_function(f)
    assert jax_function(f, cube=lambda x: x**3)([2.0], [[3.0]]).tolist() == [54.0]


def test_lines_are_of_sensible_length() -> None:
    order = np.random.default_rng(0).permutation(200).tolist()
    f = compile(lambda p, x: sum(p[0] * maximum(x[i], x[j]) for i, j in itertools.pairwise(order)), [1.0], [0.0] * 200)
    assert max(map(len, text(f).splitlines())) <= 130
    rows = np.random.default_rng(1).normal(size=(3, 200))
    assert difference(function(f)([2.0], rows), f([2.0], rows)) <= TOLERANCE


def test_for_jax() -> None:
    f = compile(lambda p, x: where(greater(x[0], 0.0), ops.erf(p[0] * x[0]), ops.lgamma(x[0])), [1.0], [0.0])
    lines = text(f, "jax").splitlines()
    assert lines[0] == "import jax.numpy as jnp"
    assert "from jax.scipy.special import erf" in lines
    assert "from jax.scipy.special import gammaln as lgammas" in lines
    assert not re.search(r"(?<!j)np\.|errstate|float\)", "\n".join(lines))


# In jax.numpy with the same meaning. What else is used has to be looked up there first.
IN_JAX = set(
    """
    abs arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh array asarray any broadcast_arrays broadcast_to cbrt ceil concatenate
    cos cosh einsum exp exp2 expm1 floor fmod full heaviside inf isfinite isinf log log10 log1p log2 logaddexp max maximum mean min
    minimum moveaxis nan prod ravel sign sin sinh sqrt square stack sum tan tanh trunc where zeros
    """.split()  # noqa: SIM905
)


def test_nothing_is_used_that_jax_does_not_have() -> None:
    package = Path(autograd.__file__).parent
    forms = [array_form(ops.table[name], {}).of([Term("x")] * 3, "()").text for name in ops.builtin]
    sources = [(package / name).read_text("utf-8") for name in ("languages/array_formulas.py", "compiling/backends/source.py")]
    written = "\n".join([*map(str, forms), *sources])
    only_numpy = {"errstate", "vectorize"}  # never in what is written for JAX
    assert set(re.findall(r"\bnp\.(\w+)", written)) - only_numpy <= IN_JAX


# Errors ------------------------------------------------------------------------------------------------------------------


def test_other_modules() -> None:
    f = compile(lambda p, x: x[0], [], [0.0])
    with pytest.raises(ValueError, match=r"source can be written for 'numpy', 'jax' \(got 'torch'\)"):
        text(f, "torch")
    for name in ("two words", "class", "relu", "np"):
        with pytest.raises(ValueError, match="name must be an identifier that means nothing else in the source"):
            source(f.program, f._params, f._inputs, name=name)


def test_without_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r'to_jax needs JAX, which is not installed: pip install jax, or look at source\("jax"\)'):
        jax_function(compile(lambda p, x: x[0], [], [0.0]))


@pytest.mark.parametrize(
    ("params", "rows"), [([1.0], [[1.0, 2.0]]), ([1.0] * 3, [[1.0, 2.0]]), ([1.0] * 2, [[1.0]]), ([1.0] * 2, [[1.0] * 3])]
)
def test_other_structures(params: list[float], rows: list[list[float]]) -> None:
    f = compile(lambda p, x: p[0] * x[0] + p[1] * x[1], [1.0, 1.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="cannot reshape"):
        function(f)(params, rows)
