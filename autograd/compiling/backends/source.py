"""Exporting: a program as the source of a function of (params, rows), for NumPy and for JAX.

The same text serves both: it only calls functions that numpy and jax.numpy have in common, on whole arrays, and changes none.
"""

from __future__ import annotations

import builtins
import keyword
import re
from ast import literal_eval
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from math import prod
from operator import index
from typing import Any, Final, NamedTuple

from ... import ops
from ...languages.definitions import STRING, Definitions
from ...languages.forms import ATOM, PRODUCT, Form
from ...languages.forms import Term as Text
from ...languages.source import array_form, identifier, number, own_names, wrapped
from ...ops.op import Op
from ...support.plain import shown
from ..program.instructions import Forward, Map, Operand, Reduce, Ref, Sum, Term
from ..program.program import Program
from ..record.layout import Layout, shape_of
from ..record.private_ops import fraction, log_fraction, peak, spread

MODULES: Final = {"numpy": ("np", "import numpy as np"), "jax": ("jnp", "import jax.numpy as jnp")}
_IN_JAX: Final = {
    "stop_gradient": "from jax.lax import stop_gradient",
    "erf": "from jax.scipy.special import erf",
    "erfc": "from jax.scipy.special import erfc",
    "lgammas": "from jax.scipy.special import gammaln as lgammas",
    "polygammas": "from jax.scipy.special import polygamma\n\n\ndef polygammas(n, x):\n    return polygamma(np.asarray(n).astype(int), x)",
}
_SMOOTHED: Final = {ops.abs: "magnitude", ops.power: "raised"}  # where JAX has other derivatives at 0
_OF_SOFTMAX: Final = {
    fraction: Form(PRODUCT, "<0*> / (<0+> + <1+>)"),
    log_fraction: Form(ATOM, "log_fraction(<0>, <1>, <2>)"),
}
_OURS: Final = {spread, peak, *_OF_SOFTMAX}
_BRACKETS: Final = ("(", ")")
_FEW: Final = 6  # parts of different arrays up to which each is named


def source(program: Program, params: Layout, inputs: Layout, module: str = "numpy", name: str = "f") -> str:
    """The source of `name(params, rows)`, which gives the values of the program, and of all it needs.

    Args:
        params, inputs: the structures that were compiled.
        module: "numpy", or "jax" for a function that jax.jit, jax.grad and jax.vmap take.
        name: of the function.

    Raises:
        ValueError: if the module is unknown, or the name cannot be that of a function.
    """
    if not isinstance(module, str) or module not in MODULES:
        raise ValueError(f"source can be written for {', '.join(map(repr, MODULES))} (got {shown(module)})")
    known = Definitions("languages/array_formulas", "ops/ieee", instead=_IN_JAX if module == "jax" else {})
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name in known.names | {"np", "jnp", "math"}:
        raise ValueError(f"name must be an identifier that means nothing else in the source (got {shown(name)})")
    text = known.standalone("\n".join(_Writer(program, params, inputs, module).lines(name)))
    return _with_jax(text) if module == "jax" else text


def _with_jax(text: str) -> str:
    """The text with the names of JAX, but for what strings in it say."""
    ours, theirs = MODULES["numpy"], MODULES["jax"]
    return re.sub(rf"({STRING})|\bnp\.", lambda found: found[1] or f"{theirs[0]}.", text.replace(f"{ours[1]}\n", f"{theirs[1]}\n", 1))


def to_jax(program: Program, params: Layout, inputs: Layout, functions: Mapping[str, Callable[..., Any]]) -> Callable[[Any, Any], Any]:
    """The program as a function of JAX.

    Raises:
        ImportError: if JAX is not installed.
        ValueError: if a primitive of the user's has no counterpart among `functions`.
    """
    needed = own_primitives(program)
    if missing := [op.name for op in needed.values() if op.name not in functions]:
        way_out = f"functions={{{missing[0]!r}: lambda x: ...}}"
        raise ValueError(f"JAX does not know your primitive {missing[0]!r}: pass a function of JAX arrays for it, as to_jax({way_out})")
    try:
        import jax  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        raise ImportError('to_jax needs JAX, which is not installed: pip install jax, or look at source("jax")') from None
    namespace: dict[str, Any] = {}
    exec(source(program, params, inputs, "jax"), namespace)
    f = namespace["f"]
    given = {name: functions[op.name] for name, op in needed.items()}
    return (lambda params, rows: f(params, rows, **given)) if given else f


def own_primitives(program: Program) -> dict[str, Op]:
    """The primitives that are the user's, by their names in the source."""
    used = [instruction.op for instruction in program.instructions if not isinstance(instruction, Sum)]
    return {name: op for op, name in own_names((op for op in used if op not in _OURS), _reserved()).items()}


def _reserved() -> set[str]:
    """What means something in the source of either module."""
    known = Definitions("languages/array_formulas", "ops/ieee", instead=_IN_JAX).names
    return {*known, *dir(builtins), *keyword.kwlist, "np", "jnp", "math", "params", "rows", "row", "x"}


class _Block(NamedTuple):
    """A run of places, and how the array that holds them is written."""

    name: str
    start: int
    size: int
    shape: tuple[int, ...] = ()

    @property
    def vector(self) -> str:
        return self.name if len(self.shape) < 2 else f"{self.name}.ravel()"


class _Part(NamedTuple):
    """A part of a nested structure that an array can hold: how it is reached, its place, its shape."""

    path: str
    start: int
    shape: tuple[int, ...]


class _Writer:
    """Writes the source of one program."""

    def __init__(self, program: Program, params: Layout, inputs: Layout, module: str) -> None:
        self.program, self.inputs, self.module = program, inputs, module
        own = own_primitives(program)
        self.own = {op: name for name, op in own.items()}
        self.taken = Counter({*_reserved(), *own})
        self.home: dict[tuple[bool, int], _Block] = {}
        self.named: dict[Ref, str] = {}
        self.body: list[str] = []
        self._take_params(params)
        self._take_constants()
        self._take_rows()

    def lines(self, name: str) -> Iterator[str]:
        for instruction in self.program.once:
            self._write(instruction, "c")
        for instruction in self.program.rows:
            self._write(instruction, _letter(instruction))
        own = self.own.values()
        result = self._result()
        if self.module == "numpy":
            yield '@np.errstate(all="ignore")  # the limits of IEEE 754 without warnings: 1 / 0 = inf'
        yield f"def {name}(params, rows{', *, ' if own else ''}{', '.join(own)}):"
        for text in [*self.body, f"return {result}"]:
            yield from wrapped(text, 4)

    # What is given

    def _take_params(self, params: Layout) -> None:
        for part in _parts(params.example, "params", 0):
            words = re.findall(r"\w+", part.path.removeprefix("params"))
            name = self._fresh(identifier("_".join(words)[:40]) if words and not words[0][0].isdigit() else "p")
            self._place(True, _Block(name, part.start, prod(part.shape), part.shape))
            shape = ", ".join(map(str, part.shape or (1,)))
            self.body.append(f"{name} = {self._array(part.path)}.reshape({shape})")

    def _take_constants(self) -> None:
        for _, run in groupby(enumerate(sorted(self.program.memory.constants)), lambda pair: pair[1] - pair[0]):
            places = [place for _, place in run]
            name = self._fresh("k1")
            numbers = ", ".join(number(self.program.memory.constants[place]).text for place in places)
            self._place(True, _Block(name, places[0], len(places)))
            self.body.append(f"{name} = np.array([{numbers}])")

    def _take_rows(self) -> None:
        size = self.program.n_inputs
        parts = [part.path for part in _parts(self.inputs.example, "row", 0)]
        if parts == ["row"]:
            rows = self._array("rows")
        elif self.module == "numpy":
            rows = f"np.array([np.concatenate([{', '.join(f'np.ravel({path})' for path in parts)}]) for row in rows], dtype=float)"
        else:
            rows = f"np.array([np.concatenate([{', '.join(f'np.ravel(np.asarray({path}))' for path in parts)}]) for row in rows])"
        if not parts:
            rows = "np.zeros(0)"
        self.body.append(f"x = {rows}.reshape(len(rows), {size})")
        if size:
            self._place(False, _Block("x", 0, size))

    def _array(self, path: str) -> str:
        return f"np.asarray({path}, dtype=float)" if self.module == "numpy" else f"np.asarray({path})"

    # Names

    def _fresh(self, wanted: str) -> str:
        """A name nobody has; a number at its end counts up."""
        letters = wanted.rstrip("0123456789")
        name, count = wanted, int(wanted[len(letters) :] or 1)
        while name in self.taken:
            count += 1
            name = f"{letters}{count}"
        self.taken[name] = 1
        return name

    def _place(self, once: bool, block: _Block) -> None:
        for place in range(block.start, block.start + block.size):
            self.home[once, place] = block

    # Instructions

    def _write(self, instruction: Forward, letter: str) -> None:
        if isinstance(instruction, Sum):
            text = self._sum(instruction)
        elif isinstance(instruction, Map):
            text = self._map(instruction)
        else:
            text = self._reduce(instruction, self._ref(instruction.operand, "p"))
        name = self._fresh(f"{letter}1")
        self.body.append(f"{name} = {text}")
        self._place(instruction.out.once, _Block(name, instruction.out.start, instruction.out.size))

    def _sum(self, s: Sum) -> str:
        terms = [(term.scale, self._term(term)) for term in sorted(s.terms, key=lambda t: t.kind != "product")]
        if s.constant or not terms:
            constant = number(abs(s.constant)).text
            terms.append((-1.0 if s.constant < 0 else 1.0, constant if terms else f"np.full({s.out.size}, {constant})"))
        if terms[0][0] < 0:  # 1 - a, rather than -a + 1
            terms.sort(key=lambda t: t[0] < 0)
        text = ""
        for scale, term in terms:
            factor = "" if abs(scale) == 1.0 else f"{number(abs(scale)).text} * "
            signs = (" - " if scale < 0 else " + ") if text else "-" if scale < 0 else ""
            text += signs + factor + (f"({term})" if (factor or signs == "-") and " " in term else term)
        return text

    def _term(self, term: Term) -> str:
        if term.kind == "product":
            return self._product(term)
        one, other = term.left, term.right
        if term.kind == "mul" and other and _repeats(one) != _repeats(other):  # what is repeated is broadcast
            one, other = (_single(ref) if _repeats(ref) else ref for ref in (one, other))
        left = self._ref(one, {"add": "b"}.get(term.kind, "w"))
        right = self._ref(other, "w") if other else ""
        if term.kind in ("total", "dot"):
            return f"np.sum({left}{' * ' * bool(right)}{right}, axis=-1)"
        return f"{left} * {right}" if right else left

    def _product(self, term: Term) -> str:
        assert term.right is not None
        families, units, length = term.left.shape
        if families == 1:
            weights = self._ref(term.left.reshaped(units, length), "W")
            if term.right.shape[0] == 1:
                return f"{self._ref(term.right.reshaped(length), 'w')} @ {weights}.T"
            return f"({self._ref(term.right, 'w')} @ {weights}.T).reshape(len(x), {units * term.right.shape[0]})"
        weights, right = self._ref(term.left, "W"), self._ref(term.right, "w")
        return f'np.einsum("pft,npt->npf", {weights}, {right}).reshape(len(x), {families * units})'

    def _map(self, m: Map) -> str:
        operands = [Text(self._ref(x, "p")) if isinstance(x, Ref) else number(x) for x in m.operands]
        if m.op in _OF_SOFTMAX:
            return _OF_SOFTMAX[m.op].of(operands, _BRACKETS).text
        if m.op is spread:
            return f"np.broadcast_to({operands[0].text}, (len(x), {m.out.size}))"
        if self.module == "jax" and m.op in _SMOOTHED and isinstance(m.operands[-1], Ref):
            return f"{_SMOOTHED[m.op]}({', '.join(x.text for x in operands)})"
        return array_form(m.op, self.own).of(operands, _BRACKETS).text

    def _reduce(self, r: Reduce, operand: str) -> str:
        if r.op is peak:
            return f"np.max({operand}, axis=-1)"
        if ops.is_builtin(r.op):
            return array_form(r.op, self.own).of([Text(operand)], _BRACKETS).text
        return array_form(r.op, self.own).of([Text(f"*np.moveaxis({operand}, -1, 0)")], _BRACKETS).text

    def _result(self) -> str:
        if not self.program.several:
            return self._column(self.program.result)
        columns = ", ".join(map(self._column, self.program.results))
        return f"np.stack([{columns}], axis=1)" if columns else "np.zeros((len(x), 0))"

    def _column(self, result: Ref) -> str:
        block = self.home[result.once, result.start]
        at = result.start - block.start
        return f"np.broadcast_to({block.vector}[{at}], (len(x),))" if result.once else f"{block.name}[:, {at}]"

    # Operands

    def _ref(self, ref: Operand, letter: str) -> str:
        """What a Ref means as an array of its shape, with an axis of rows before it if it is not the same for all."""
        assert isinstance(ref, Ref)
        known = self.named.get(ref)
        if known is None:
            known = self.named[ref] = self._named(ref, self._gathered(ref), letter)
        return known

    def _named(self, ref: Ref, text: str, letter: str) -> str:
        """Parameters that are part of a larger array have a name of their own."""
        if not ref.once or text.isidentifier():
            return text
        name = self._fresh(f"{letter}1")
        self.body.append(f"{name} = {text}")
        return name

    def _gathered(self, ref: Ref) -> str:
        blocks = [self.home[ref.once, place] for place in ref.places]
        if len(distinct := list(dict.fromkeys(blocks))) == 1:
            return _part_of(blocks[0], [place - blocks[0].start for place in ref.places], ref)
        runs = [(block, [place for _, place in run]) for block, run in groupby(zip(blocks, ref.places, strict=True), lambda pair: pair[0])]
        if len(runs) <= _FEW:
            parts = [_part_of(b, [place - b.start for place in places], Ref(ref.once, (len(places),), tuple(places))) for b, places in runs]
            return _reshaped(f"np.concatenate([{', '.join(parts)}], axis=-1)", (ref.size,), ref)
        start: dict[_Block, int] = {}
        for block in distinct:
            start[block] = sum(other.size for other in start)
        everything = _Block(f"np.concatenate([{', '.join(b.vector for b in distinct)}], axis=-1)", 0, sum(b.size for b in distinct))
        return _part_of(everything, [start[b] + place - b.start for b, place in zip(blocks, ref.places, strict=True)], ref)


def _repeats(ref: Ref) -> bool:
    return ref.size > 1 and len(set(ref.places)) == 1


def _single(ref: Ref) -> Ref:
    return Ref(ref.once, (1,), ref.places[:1])


def _letter(instruction: Forward) -> str:
    if isinstance(instruction, Sum):
        return "h" if any(term.kind == "product" for term in instruction.terms) else "s"
    return "a" if isinstance(instruction, Map) else "m"


def _parts(tree: Any, path: str, at: int) -> Iterator[_Part]:
    """The largest parts of a structure that an array can hold."""
    shape = shape_of(tree)
    if shape is not None:
        if prod(shape):
            yield _Part(path, at, shape)
        return
    for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
        for part in _parts(branch, f"{path}[{_literal(key)}]", at):
            yield part
            at = part.start + prod(part.shape)


def _literal(key: Any) -> str:
    """A key as source that means it."""
    if isinstance(key, str):
        return str.__repr__(key)
    text = repr(index(key) if hasattr(key, "__index__") else key)
    try:
        if literal_eval(text) == key:
            return text
    except (ValueError, SyntaxError):
        pass
    raise ValueError(f"source can be written for structures with keys that are strings or numbers (got the key {shown(key)})")


# Parts of an array, as indices -------------------------------------------------------------------------------------------


def _part_of(block: _Block, places: list[int], ref: Ref) -> str:
    """The text for an array in the shape of `ref` of the places in a block."""
    if places == list(range(block.size)):
        if len(block.shape) > 1:
            return block.name if block.shape == ref.shape else f"{block.name}.reshape({_shape(ref.shape)})"
        return _reshaped(block.name, (block.size,), ref)
    rows = "" if ref.once else ":, "
    line = _line(places)
    if line is not None:
        return _reshaped(f"{block.vector}[{rows}{line}]", (len(places),), ref)
    strides = Ref(ref.once, ref.shape, tuple(places)).strides
    if strides is not None and len(strides) == 2:
        return _table(block, places[0], ref, strides, rows)
    return _reshaped(f"{block.vector}[{rows}np.array([{', '.join(map(str, places))}])]", (len(places),), ref)


def _line(places: Sequence[int]) -> str | None:
    """A slice, if that is what the places are."""
    first, last = places[0], places[-1]
    if len(places) == 1:
        return f"{first}:{first + 1}"
    step = places[1] - first
    if step == 0 or list(places) != [first + step * k for k in range(len(places))]:
        return None
    stop = last + (1 if step > 0 else -1)
    return f"{first}:{stop if stop >= 0 else ''}{f':{step}' if step != 1 else ''}"


def _table(block: _Block, first: int, ref: Ref, strides: Sequence[int], rows: str) -> str:
    """A matrix at regular distances: part of each row of a wider matrix, where its rows do not overlap."""
    count, length = ref.shape
    down, along = strides
    before = max(0, first + count * down - block.size)  # so that the last row is whole
    start = first - before
    if along > 0 and start >= 0 and before + (length - 1) * along < down:
        wide = f"{block.vector}[{rows}{start}:{start + count * down}].reshape({'' if ref.once else '-1, '}{count}, {down})"
        every = _line([before + along * t for t in range(length)])
        return f"{wide}[..., {every}]" if length < down else wide
    index = f"{first} + {down} * np.arange({count})[:, None] + {along} * np.arange({length})"
    return f"{block.vector}[{rows}{index}]"


def _reshaped(text: str, shape: tuple[int, ...], ref: Ref) -> str:
    if ref.shape == shape:
        return text
    return f"{text}.reshape({'' if ref.once else 'len(x), '}{_shape(ref.shape)})"


def _shape(shape: Sequence[int]) -> str:
    return ", ".join(map(str, shape))
