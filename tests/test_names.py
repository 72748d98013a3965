"""Names of primitives, labels and keys, whatever they are: refused where they are given, or only names in all that is written."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd import Graph, Op, Value, compile, detect_anomaly, draw, exp, gradcheck, group, log, logsumexp, primitive, steps, tanh
from autograd.__main__ import main
from autograd.compiling.backends.source import own_primitives
from autograd.compiling.compiled import Compiled
from autograd.demo import walkthrough
from autograd.languages.latex import to_latex
from autograd.languages.source import identifier, to_source
from autograd.languages.sympy import to_sympy
from autograd.stepping.page import page

# Of what is generated, here and there.
VOCABULARY = """
    np jnp math operator p x n f r o d g b w s k h a m c params rows row once d_rows d_once ones seed scatter as_strided inputs before run
    after out r1 o1 d1 b1 b2 w1 x0 x1 h1 a1 s1 k1 m1 W1 kernel0 kernel1_of_x places0 layers0 logsumexp stack raised v v1 v2 relu erf sigmoid
    float map print exec eval len any sum max abs __import__ __name__ __class__ __builtins__ self _ match case type
    """.split()  # noqa: SIM905
words = st.sampled_from(VOCABULARY)
names = words | st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))
texts = st.text(max_size=12) | words | st.sampled_from(
    ["class", "None", "np.x", "x = np.y", "import numpy as np\n", "a  b", "(", "]", "'", '"', "\\", "\\'", "x; print(1)", "\x1b[31m",
     "\u202e", "½", "1st", "a²", "৴", "ª", "{{title}}", "</script>", "-->", "\ud800", "a" * 300 + " " + "b" * 300, "'); exec('"]
)  # fmt: skip


def own(name: str, power: float = 3.0, recorded: bool = True, symbol: str | None = None) -> Op:
    """x ** power as a primitive, with a rule that can be recorded or cannot."""

    def partials(y: Any, x: Any) -> Any:
        return (power * x ** (power - 1.0) if recorded else power * float(x) ** (power - 1.0),)

    return Op(name, lambda x: x**power, partials, symbol=symbol)


def together(name: str) -> Op:
    return Op(name, lambda *x: sum(x), lambda y, *x: (1.0,) * len(x), arity=None)


# Declaring ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=500)
@given(st.text(max_size=6) | texts)
@example("ﬁ")
@example("__debug__")
@example("\rA")
def test_a_name_is_one_in_python_or_refused(name: str) -> None:
    """What the parser itself says is the measure."""
    try:
        tree = ast.parse(f"def f(*, {name}): pass")
        builtins.compile(tree, "", "exec")
        read = "".join(arg.arg for arg in tree.body[0].args.kwonlyargs)  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, UnicodeError):
        read = ""
    if read == name and read.isidentifier() and read.isprintable():
        assert own(name).name == name
    else:
        with pytest.raises(ValueError, match=r"identifier|word of Python's language|choose that one"):
            own(name)


@pytest.mark.parametrize("name", sorted({*keyword.kwlist, "__debug__"}))
@pytest.mark.parametrize("declare", [own, partial(primitive, lambda x: x, partials=lambda y, x: (1.0,))])
def test_words_of_the_language_are_no_names(declare: Callable[..., Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is a word of Python's language: choose another name"):
        declare(name=name)


@pytest.mark.parametrize("bad", [3, b"x", None, ["x"]])
def test_a_name_must_be_text(bad: Any) -> None:
    with pytest.raises(TypeError, match="the name of a primitive must be a str"):
        own(bad)
    with pytest.raises(TypeError, match="the symbol of a primitive must be a str"):
        Op("x", abs, lambda y, x: (1.0,), symbol=bad or 1)


def test_a_function_without_a_name_needs_one() -> None:
    class Cube:
        def __call__(self, x: float) -> float:
            return x**3

    with pytest.raises(ValueError, match=r"must be an identifier \(got ''\): pass name="):
        primitive(Cube(), partials=lambda y, x: (3.0 * x * x,))


@pytest.mark.parametrize("start", range(0, sys.maxunicode, sys.maxunicode // 8 + 1))
def test_every_character_of_a_name_can_be_seen(start: int) -> None:
    for c in map(chr, range(start, min(start + sys.maxunicode // 8 + 1, sys.maxunicode + 1))):
        if f"a{c}".isidentifier() and not c.isprintable():  # U+200C and U+200D, from Python 3.13 on
            with pytest.raises(ValueError, match=r"that can be seen \(got 'a\\u200[cd]'\)"):
                own(f"a{c}")


# Compiled ----------------------------------------------------------------------------------------------------------------

ROWS = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]]


def neuron(first: Op, second: Op, many: Op) -> Callable[[Any, Any], Any]:
    def fn(p: Any, x: Any) -> Any:
        h = [tanh(sum(w * v for w, v in zip(p, x, strict=True)) + i) for i in range(2)]
        return first(h[0]) * second(h[1] * h[1] + 1.0) + many([first(x[0]), exp(x[1]), p[0]]) + logsumexp(h)

    return fn


@settings(max_examples=25)
@given(st.tuples(names, names, names), st.booleans())
def test_any_names_in_compiled_code(given_names: tuple[str, str, str], recorded: bool) -> None:
    """Two ops of one name, and ops of the names that the source uses itself, stay what they are."""
    ops = own(given_names[0], 3.0, recorded), own(given_names[1], 2.0), together(given_names[2])
    fn = neuron(*ops)
    params = [0.3, -0.7, 0.2]
    f, plain = compile(fn, params, ROWS[0], backend="numpy"), compile(fn, params, ROWS[0], backend="reference")
    same = neuron(own("cube", 3.0, recorded), own("square_", 2.0), together("total"))
    expected = compile(same, params, ROWS[0], backend="numpy")
    assert f(params, ROWS).tolist() == expected(params, ROWS).tolist()
    assert np.allclose(f(params, ROWS), plain(params, ROWS), rtol=1e-13)
    assert f.value_and_grad(params, ROWS)[1] == expected.value_and_grad(params, ROWS)[1]
    assert f.input_grads(params, ROWS).tolist() == expected.input_grads(params, ROWS).tolist()
    assert np.allclose(exported(f)(params, ROWS, **own_primitives(f.program)), f(params, ROWS), rtol=1e-13)


def exported(f: Compiled, name: str = "f") -> Callable[..., Any]:
    namespace: dict[str, Any] = {}
    exec(f.source("numpy", name), namespace)
    made: Callable[..., Any] = namespace[name]
    return made


class Keyed(str):
    """A key that lies about itself."""

    def __repr__(self) -> str:
        return "__import__('os').abort()"


@settings(max_examples=100)
@given(st.lists(texts, min_size=1, max_size=4, unique=True))
def test_any_keys_of_params(keys: list[str]) -> None:
    params = {key: [0.5 + i, 2.0] for i, key in enumerate(keys)}
    f = compile(lambda p, x: sum(p[key][0] * x[0] for key in keys), params, [1.0])
    expected = f(params, [[1.0], [3.0]]).tolist()
    assert exported(f)(params, [[1.0], [3.0]]).tolist() == expected
    namespace: dict[str, Any] = {}
    exec(f.source("jax").replace("import jax.numpy as jnp\n", "import numpy as jnp\n"), namespace)
    assert namespace["f"](params, [[1.0], [3.0]]).tolist() == expected


def test_keys_that_are_no_text() -> None:
    for key in (3, -1, 2.5, True, (1, "a"), None, np.int64(7), Keyed("k")):
        f = compile(lambda p, x, key=key: p[key] * x[0], {key: 2.0}, [1.0])
        assert exported(f)({key: 2.0}, [[3.0]]).tolist() == [6.0]
    for key in (object, float("inf"), Value):
        f = compile(lambda p, x, key=key: p[key] * x[0], {key: 2.0}, [1.0])
        with pytest.raises(ValueError, match="with keys that are strings or numbers"):
            f.source()


# Exported ----------------------------------------------------------------------------------------------------------------


def labelled(labels: list[str]) -> Iterator[Value]:
    for i, label in enumerate(labels):
        yield Value(0.25 + i, label)


@settings(max_examples=150)
@given(st.lists(texts, min_size=1, max_size=5), names, names)
def test_any_labels_and_names_in_source(labels: list[str], first: str, second: str) -> None:
    leaves = list(labelled(labels))
    a, b = own(first, 3.0), own(second, 2.0)
    v = a(sum(leaves, Value(1.0))) + b(leaves[0]) * logsumexp([exp(x) for x in leaves])
    for style in ("python", "numpy"):
        namespace: dict[str, Any] = {}
        exec(to_source(v, "made", style), namespace)
        parameters = inspect.signature(namespace["made"]).parameters.values()
        primitives = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        arguments = [leaf.data for leaf in Graph(v).leaves if leaf.label and [n.label for n in Graph(v)].count(leaf.label) == 1]
        result = namespace["made"](*arguments, **dict(zip(primitives, sorted((a, b), key=lambda op: op.name), strict=True)))
        assert float(result) == pytest.approx(v.data, rel=1e-13)


@settings(max_examples=300)
@given(st.text(max_size=30) | texts)
def test_any_text_as_an_identifier(text: str) -> None:
    word = identifier(text)
    assert word.isidentifier()
    assert unicodedata.normalize("NFKC", word) == word
    plain = text.isidentifier() and text.isascii() and "__" not in text and not text.endswith("_")
    assert not plain or word == text


def reason(use: Callable[[], Any]) -> str:
    try:
        use()
    except Exception as error:
        return str(error.args[0])
    raise AssertionError("no error")


@settings(max_examples=30)
@given(st.lists(texts, min_size=1, max_size=4), names)
def test_any_labels_and_names_in_what_is_shown(labels: list[str], name: str) -> None:
    """In tables, formulas, pictures and errors nothing reaches a terminal that it would obey."""
    with group(labels[0]), group(labels[-1]):
        v: Value = own(name, symbol=labels[0])(sum(labelled(labels), Value(1.0)))
        with detect_anomaly():
            anomaly = reason(lambda: log(Value(-1.0, labels[0])))
    v.backward()
    v.label = labels[0]
    graph = Graph(v)
    assert all(map(str.isprintable, graph.names().values()))
    assert len(set(graph.names().values())) == len(graph)
    keyed = {label: 1.0 + i for i, label in enumerate(labels)}
    program = compile(lambda p, x: sum(p[key] for key in keyed) * x[0], keyed, [1.0], backend="reference").program
    shown = [
        *(repr(v), str(graph), repr(v.group), walkthrough(graph), to_latex(v), str(to_sympy(v))),
        *(draw(v).source, draw(v, max_nodes=2).source),
        *(str(steps(v)), repr(steps(v)), str(gradcheck(lambda p: sum(p.values()), keyed)), str(program), anomaly),
        *(reason(lambda: graph.forward({"nobody": 1.0})), reason(lambda: graph.forward({labels[0]: None, "nobody": 1.0}))),
    ]
    assert all(line.isprintable() for text in shown for line in text.replace("\t", "").split("\n"))


def test_names_that_look_alike_once_escaped_stay_apart() -> None:
    """In a formula they would be one variable."""
    x, y = Value(2.0, "\n"), Value(3.0, "\\n")
    assert len({*Graph(x * y).names().values()}) == 3
    assert len(to_sympy(x * y).free_symbols) == 2
    assert Graph(x * y).forward({"\n": 5.0}) == 15.0


def test_the_command_line_escapes_what_it_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ("--\x1b[31m", "x\x1b x=1", "x x=\x07", "x \x1b=1", "x x=1 -o \x1b.png\x07", "x* x\u202e=1"):
        assert main(words.split(" ")) == 2
    printed = capsys.readouterr()
    assert all(line.isprintable() for line in (printed.out + printed.err).split("\n"))


def test_a_loaded_file_can_hold_anything(tmp_path: Path) -> None:
    v = Value(1.0, "\x1b]0;title\x07\x1b[2J\r\n\u202egnp.exe") * 2.0
    Graph(v).save(tmp_path / "x.json")
    loaded = Graph.load(tmp_path / "x.json")
    assert loaded[0].label == "\x1b]0;title\x07\x1b[2J\r\n\u202egnp.exe"
    assert str(loaded).split("\n")[3].split()[:2] == [r"\x1b]0;title\x07\x1b[2J\r\n\u202egnp.exe", "leaf"]
    assert steps(loaded[-1]).formula(0) == r"\x1b]0;title\x07\x1b[2J… = 1"


@pytest.mark.usefixtures("graphviz")
@settings(max_examples=10)
@given(st.lists(texts, min_size=1, max_size=4), names)
def test_any_labels_and_names_in_a_page(labels: list[str], name: str) -> None:
    text = page(steps(own(name)(sum(labelled(labels), Value(1.0)))))
    assert text.count("<script") == text.count("</script") == 2
    assert {*re.findall(r"{{\w+}}", text)} <= {*re.findall(r"{{\w+}}", " ".join(labels))}  # parts of the template are all filled in


def test_builtins_are_in_no_danger() -> None:
    before = dict(vars(builtins))
    f = compile(neuron(own("print"), own("exec", 2.0), together("sum")), [0.3, -0.7, 0.2], ROWS[0], backend="numpy")
    f.value_and_grad([0.3, -0.7, 0.2], ROWS)
    assert dict(vars(builtins)) == before
