"""The NumPy backend: a program written out as straight-line NumPy code on preallocated arrays.

For each pass (values, gradient in the parameters, gradient in the inputs) one source text is generated. Its function `bind` makes
the views that the code needs, once for each number of rows; what it returns runs on them without allocating. Numbers of rows lie
along the last axis, so that a block is contiguous; many rows are done in chunks whose temporaries stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ..op import is_array
from .adjoint import Backward, reads
from .kernels import kernel_of, partials_of, sequence_kernel_of, ufunc_of
from .layout import Layout, as_rows
from .program import Accumulate, Instruction, Map, Memory, Opaque, Operand, Outer, Program, Pull, Ref, Sequence_, Sum, Term

Array = NDArray[Any]
CACHE: Final = 1 << 20  # bytes that the values of a chunk should fit in
SHORTEST, LONGEST = 256, 8192  # rows of a chunk
_PLAIN = {float, int, np.float64}
_SIZES = 8  # numbers of rows for which a workspace keeps its views


class NumPy:
    """Runs a program on arrays."""

    name = "numpy"

    def __init__(self, program: Program, backward_of: Any) -> None:
        self._program = program
        self._backward_of = backward_of
        self._passes: dict[str, Pass] = {}

    def _pass(self, kind: str) -> Pass:
        known = self._passes.get(kind)
        if known is None:
            if kind == "values":
                known = Pass(self._program, self._program.memory, None, None)
            else:
                memory, steps = self._backward_of(kind == "input_grads")
                known = Pass(self._program, memory, steps, kind == "input_grads")
            self._passes[kind] = known
        return known

    # Numbers in and out

    def params(self, layout: Layout, tree: Any) -> Array:
        if type(tree) is np.ndarray and tree.ndim == 1 and tree.dtype == np.float64 and len(tree) == layout.size and layout.is_flat:
            return tree
        return flat(layout, tree)

    def rows(self, layout: Layout, rows: Any) -> Array:
        """The rows as an array (n, n_inputs) of floats."""
        shape = layout.shape
        array = _numeric(rows) if shape is not None else None
        if array is not None and shape is not None:
            if array.ndim == len(shape) + 1 and array.shape[1:] == shape:
                return array.reshape(len(array), layout.size)
            if array.shape == (0,):
                return array.reshape(0, layout.size)
            if is_array(rows):
                raise ValueError(f"rows must have the shape (n, {', '.join(map(str, shape))}) (got an array of shape {array.shape})")
        numbers = [layout.numbers(row) for row in as_rows(rows)]
        return np.array(numbers, dtype=float).reshape(len(numbers), layout.size)

    def rebuilt(self, layout: Layout, like: Any, numbers: Array) -> Any:
        if type(like) is np.ndarray and layout.is_flat:
            return numbers.reshape(like.shape)
        return unflat(like, numbers)

    # Passes

    def values(self, params: Array, rows: Array) -> Array:
        """The result for each row."""
        return self._pass("values").values(params, rows)

    def value_and_grad(self, params: Array, rows: Array, seed: float) -> tuple[float, Array]:
        """The sum of seed * result over the rows, and its gradient in the parameters."""
        return self._pass("grads").value_and_grad(params, rows, seed)

    def input_grads(self, params: Array, rows: Array) -> Array:
        """The gradient of each result in its row."""
        return self._pass("input_grads").input_grads(params, rows)

    def source(self, kind: str = "grads") -> str:
        """The generated code of a pass: "values", "grads" or "input_grads"."""
        return self._pass(kind).source


def _numeric(rows: Any) -> Array | None:
    """The rows as an array of floats, None if they are ragged or hold something else than plain numbers."""
    try:
        array = np.asarray(rows)
    except ValueError:
        return None
    return array.astype(float, copy=False) if array.dtype.kind in "biuf" else None


def flat(layout: Layout, tree: Any) -> Array:
    """The numbers of a structure as a vector."""
    out = np.empty(layout.size)
    if _fill(layout.example, tree, out, 0) != layout.size:
        out[:] = layout.numbers(tree)  # which says what is wrong, if anything is
    return out


def _fill(example: Any, tree: Any, out: Array, at: int) -> int:
    """Write the numbers of a structure like the example to `out` from `at`; where it ended, or -1 if it is not one of plain numbers."""
    if type(example) is np.ndarray:
        if type(tree) is not np.ndarray or tree.shape != example.shape or tree.dtype.kind not in "biuf":
            return -1
        out[at : at + tree.size] = tree.ravel()
        return at + int(tree.size)
    if type(example) is dict:
        if type(tree) is not dict or tree.keys() != example.keys():
            return -1
        return _fill_all(example.values(), [tree[key] for key in example], out, at)
    if isinstance(example, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(example):
            return -1
        if set(map(type, tree)) <= _PLAIN:
            if not set(map(type, example)) <= _PLAIN:
                return -1
            out[at : at + len(tree)] = tree
            return at + len(tree)
        return _fill_all(example, tree, out, at)
    if type(tree) not in _PLAIN:
        return -1
    out[at] = tree
    return at + 1


def _fill_all(examples: Iterable[Any], trees: Iterable[Any], out: Array, at: int) -> int:
    for example, tree in zip(examples, trees, strict=True):
        at = _fill(example, tree, out, at)
        if at < 0:
            return at
    return at


def unflat(like: Any, numbers: Array) -> Any:
    """A structure like `like` of the numbers of a vector; arrays are views of it."""
    return _unflat(like, numbers, 0)[0]


def _unflat(like: Any, numbers: Array, at: int) -> tuple[Any, int]:
    if type(like) is np.ndarray:
        return numbers[at : at + like.size].reshape(like.shape), at + int(like.size)
    if isinstance(like, dict):
        branches: Any = {}
        for key, branch in like.items():
            branches[key], at = _unflat(branch, numbers, at)
        return branches, at
    if isinstance(like, (list, tuple)):
        if like and not any(isinstance(x, (list, tuple, dict, np.ndarray)) for x in like):
            branches, at = numbers[at : at + len(like)].tolist(), at + len(like)
        else:
            branches = []
            for branch in like:
                one, at = _unflat(branch, numbers, at)
                branches.append(one)
        if isinstance(like, tuple):
            branches = type(like)(*branches) if hasattr(like, "_fields") else tuple(branches)
        return branches, at
    return float(numbers[at]), at + 1


class Pass:
    """One generated source, and the workspaces that it runs in."""

    def __init__(self, program: Program, memory: Memory, steps: Backward | None, inputs: bool | None) -> None:
        self.program, self.memory, self.steps = program, memory, steps
        writer = Writer(program, memory, steps)
        self.source, self.constants = writer.source(), writer.constants
        self.result_once = program.result.once
        namespace: dict[str, Any] = {}
        exec(compile(self.source, f"<compiled program of {len(program)} instructions>", "exec"), namespace)
        self._bind = namespace["bind"]
        places = memory.rows + (writer.adjoint_rows if steps else 0)
        self.chunk = chunk_for(places)
        self._idle: list[Workspace] = []

    def _workspace(self) -> Workspace:
        """A workspace that nobody else uses: threads and calls within calls have their own."""
        try:
            return self._idle.pop()
        except IndexError:
            return Workspace(self)

    def values(self, params: Array, rows: Array) -> Array:
        out = np.empty(len(rows))
        work = self._workspace()
        with np.errstate(all="ignore"):
            work.start(params)
            for lo in range(0, len(rows), self.chunk):
                part = rows[lo : lo + self.chunk]
                bound = work.bound(len(part))
                bound.run(part.T, 0.0)
                out[lo : lo + self.chunk] = bound.result
        self._idle.append(work)
        return out

    def value_and_grad(self, params: Array, rows: Array, seed: float) -> tuple[float, Array]:
        count = len(rows)
        if not count:
            return 0.0, np.zeros(self.program.n_params)
        work = self._workspace()
        with np.errstate(all="ignore"):
            work.start(params)
            if count <= self.chunk:
                bound = work.bound(count)
                bound.run(rows.T, seed)
                value = bound.total()
            else:
                bound, value = self._chunks(work, rows, seed)
            bound.after()
            grads = work.d_once[: self.program.n_params].copy()
        self._idle.append(work)
        return float(seed * value), grads

    def _chunks(self, work: Workspace, rows: Array, seed: float) -> tuple[Bound, float]:
        sums = np.zeros_like(work.d_once)
        total = 0.0
        for lo in range(0, len(rows), self.chunk):
            part = rows[lo : lo + self.chunk]
            bound = work.bound(len(part))
            bound.run(part.T, seed)
            total += bound.total()
            sums += work.d_once
        work.d_once[:] = sums
        return bound, total

    def input_grads(self, params: Array, rows: Array) -> Array:
        out = np.zeros((len(rows), self.program.n_inputs))
        work = self._workspace()
        with np.errstate(all="ignore"):
            work.start(params)
            for lo in range(0, len(rows), self.chunk):
                part = rows[lo : lo + self.chunk]
                bound = work.bound(len(part))
                bound.run(part.T, 1.0)
                out[lo : lo + self.chunk] = bound.d_rows[: self.program.n_inputs].T
        self._idle.append(work)
        return out


def chunk_for(places: int) -> int:
    """How many rows at a time: a power of two, so that as many values as there are places fit in the cache."""
    rows = max(CACHE // (8 * max(places, 1)), 1)
    return min(max(1 << (rows.bit_length() - 1), SHORTEST), LONGEST)


class Workspace:
    """The memories of one call, and the code bound to them for each number of rows."""

    def __init__(self, of: Pass) -> None:
        self._of = of
        self.once = np.zeros(of.memory.once)
        self.d_once = np.zeros(of.memory.once)
        for place, x in of.memory.constants.items():
            self.once[place] = x
        self._bound: dict[int, Bound] = {}
        self._ready: set[int] = set()

    def start(self, params: Array) -> None:
        """Take in new parameters."""
        self.once[: len(params)] = params
        self._ready.clear()

    def bound(self, count: int) -> Bound:
        """The code for a number of rows, all that depends on parameters alone computed."""
        known = self._bound.get(count)
        if known is None:
            if len(self._bound) >= _SIZES:
                del self._bound[next(iter(self._bound))]
            known = self._bound[count] = Bound(self._of, self, count)
            self._ready.discard(count)
        if count not in self._ready:
            known.before()
            self._ready.add(count)
        return known


class Bound:
    """The code bound to arrays for one number of rows."""

    def __init__(self, of: Pass, work: Workspace, count: int) -> None:
        self.rows = np.zeros((of.memory.rows, count))
        self.d_rows = np.zeros((of.memory.rows if of.steps else 0, count))
        self.ones = np.ones(count)
        where = work.once if of.result_once else self.rows[of.program.result.start]
        self.result = where[of.program.result.start : of.program.result.start + 1] if of.result_once else where
        tools = {"np": np, "as_strided": as_strided, "scatter": scatter, "ones": self.ones, "n": count, **of.constants}
        self.before, self.run, self.after = of._bind(work.once, work.d_once, self.rows, self.d_rows, tools)

    def total(self) -> float:
        """The sum of the results."""
        if len(self.result) != len(self.ones):
            return float(self.result[0]) * len(self.ones)
        return float(self.result.dot(self.ones))


def scatter(memory: Array, layers: Sequence[tuple[Any, Any]], shares: Array) -> None:
    """Add shares to places, some of which occur more than once: layer by layer, in each of which they are distinct."""
    for places, chosen in layers:
        memory[places] += shares[chosen]


def layers_of(places: Sequence[int]) -> list[tuple[Array, Array]]:
    """Places split so that none occurs twice in a layer, with the indices of each."""
    seen: dict[int, int] = {}
    layers: list[tuple[list[int], list[int]]] = []
    for k, place in enumerate(places):
        depth = seen.get(place, 0)
        seen[place] = depth + 1
        if depth == len(layers):
            layers.append(([], []))
        layers[depth][0].append(place)
        layers[depth][1].append(k)
    return [(np.array(a), np.array(b)) for a, b in layers]


class Writer:
    """Writes the source of one pass."""

    def __init__(self, program: Program, memory: Memory, steps: Backward | None) -> None:
        self.program, self.memory, self.steps = program, memory, steps
        self.constants: dict[str, Any] = {}
        self.setup: list[str] = []
        self.parts: dict[str, list[str]] = {"before": [], "run": [], "after": []}
        self.part = "before"
        self._names: dict[Any, str] = {}
        self._ufuncs: set[str] = set()
        self._written = {True: bytearray(memory.once), False: bytearray(memory.rows)}
        self._direct = self._reads_inputs_directly()
        self.adjoint_rows = 0
        self._write_all()
        self.adjoint_rows = sum(self._written[False])

    # The text

    def source(self) -> str:
        lines = ["def bind(once, d_once, rows, d_rows, tools):"]
        lines += [f"    {name} = tools[{name!r}]" for name in ("np", "as_strided", "scatter", "ones", "n", *sorted(self.constants))]
        lines += [f"    {name} = np.{name}" for name in sorted(self._ufuncs)]
        lines += [f"    {line}" for line in self.setup]
        for part, arguments in (("before", ""), ("run", "x, seed"), ("after", "")):
            lines.append(f"    def {part}({arguments}):")
            lines += [f"        {line}" for line in self.parts[part] or ["pass"]]
        lines.append("    return before, run, after")
        return "\n".join(lines) + "\n"

    def _line(self, text: str) -> None:
        self.parts[self.part].append(text)

    def _call(self, ufunc: str, *arguments: str, out: str) -> None:
        self._ufuncs.add(ufunc)
        self._line(f"{ufunc}({', '.join(arguments)}, out={out})")

    def _name(self, key: Any, prefix: str, expression: str) -> str:
        """A name for a view or buffer that `bind` makes once."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"{prefix}{len(self._names)}"
            self.setup.append(f"{name} = {expression}")
        return name

    def _given(self, key: Any, prefix: str, x: Any) -> str:
        """A name for an object that the source cannot spell."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"{prefix}{len(self._names)}"
            self.constants[name] = x
        return name

    # Everything

    def _write_all(self) -> None:
        program, steps = self.program, self.steps
        for instruction in program.once:
            self._write(instruction)
        self.part = "run"
        if not self._direct and program.n_inputs:
            self._line(f"{self._name('x', 'inputs', f'rows[:{program.n_inputs}]')}[...] = x")
        for instruction in program.rows:
            self._write(instruction)
        if steps is None:
            return
        self._seed()
        for instruction in steps.rows:
            self._write(instruction)
        self.part = "after"
        for instruction in steps.once:
            self._write(instruction)

    def _seed(self) -> None:
        result = self.program.result
        memory = "d_once" if result.once else "d_rows"
        self._line(f"{memory}[{result.start}] = seed{' * n' if result.once else ''}")
        self._written[result.once][result.start] = 1

    def _write(self, instruction: Instruction) -> None:
        getattr(self, f"_{type(instruction).__name__.lower().rstrip('_')}")(instruction)

    def _reads_inputs_directly(self) -> bool:
        """Whether all that is read of the inputs are slices, so that the rows need not be copied."""
        n, result = self.program.n_inputs, self.program.result
        if not result.once and result.start < n:
            return False
        instructions = [*self.program.rows, *(self.steps.rows if self.steps else ())]
        for instruction in instructions:
            for ref in (*reads(instruction), *_reads_backward(instruction)):
                if not ref.once and min(ref.places) < n:
                    line = ref.reshaped(ref.size)
                    if max(ref.places) >= n or line.strides is None or (line.size > 1 and line.strides[0] <= 0):
                        return False
                    if len(ref.shape) > 1 and ref.shape[0] > 1:
                        return False
        return True

    # Operands

    def _array(self, ref: Ref, shape: tuple[int, ...] | None = None, adjoint: bool = False) -> str:
        """The name of an array of the ref's shape (or another of that size) + (n,), or + (1,) for places in `once`."""
        shape = ref.shape if shape is None else shape
        ref = Ref(ref.once, shape, ref.places)
        memory = ("d_" if adjoint else "") + ("once" if ref.once else "rows")
        if self._direct and not adjoint and not ref.once and ref.start < self.program.n_inputs:
            return self._slice_of_inputs(ref)
        key = (memory, ref.shape, ref.places)
        if ref.strides is not None:
            return self._name(key, memory[0] if not adjoint else "d", self._view(memory, ref))
        if key not in self._names:
            self._gather(key, memory, ref)
        return self._names[key]

    def _view(self, memory: str, ref: Ref) -> str:
        tail = ", None" if ref.once else ""
        if len(ref.shape) == 1 and ref.is_block:
            return f"{memory}[{ref.start}:{ref.start + ref.size}{tail}]"
        assert ref.strides is not None
        step = "8" if ref.once else "8 * n"
        strides = ", ".join([f"{s} * {step}" for s in ref.strides] + ["8"])
        width = "1" if ref.once else "n"
        return f"as_strided({memory}[{ref.start}:], ({', '.join(map(str, ref.shape))}, {width}), ({strides}))"

    def _gather(self, key: Any, memory: str, ref: Ref) -> None:
        """Copy scattered places to a buffer of their own, once: what is in memory does not change any more."""
        width = "1" if ref.once else "n"
        name = self._name(key, "g", f"np.empty(({', '.join(map(str, ref.shape))}, {width}))")
        at = self._given(("places", ref.places), "places", np.array(ref.places))
        flat_name = self._name((*key, "flat"), "g", f"{name}.reshape({ref.size}{'' if ref.once else ', n'})")
        part = "before" if ref.once and self.part == "run" else self.part
        self.parts[part].append(f"{memory}.take({at}, 0, {flat_name}, 'clip')")

    def _slice_of_inputs(self, ref: Ref) -> str:
        key = ("slice", ref.shape, ref.places)
        if key not in self._names:
            line = ref.reshaped(ref.size)
            step = line.strides[0] if line.strides and line.size > 1 else 1
            text = f"x[{ref.start}:{ref.places[-1] + 1}{f':{step}' if step != 1 else ''}]"
            if ref.places == tuple(range(self.program.n_inputs)):
                text = "x"
            self._names[key] = name = f"x{len(self._names)}"
            self._line(f"{name} = {text}{'[None]' if len(ref.shape) > 1 else ''}")
        return self._names[key]

    def _operand(self, x: Operand) -> str:
        return self._array(x) if isinstance(x, Ref) else self._number(x)

    def _number(self, x: float) -> str:
        if x - x == 0.0:
            return repr(float(x))
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(repr(x), "np.nan")

    def _buffer(self, shape: tuple[int, ...], once: bool, which: str = "") -> str:
        """Room for what is used at once."""
        width = "1" if once else "n"
        return self._name(("buffer", shape, once, which), "b", f"np.empty(({', '.join(map(str, shape))}, {width}))")

    def _matrix(self, ref: Ref, families: int) -> str:
        """Places in `once` as a matrix (F, T), or one for each family (P, F, T)."""
        shape = ref.shape[1:] if families == 1 else ref.shape
        key = ("matrix", shape, ref.places)
        return self._name(key, "w", f"{self._array(ref, shape)}[..., 0]")

    def _right(self, ref: Ref) -> tuple[str, int]:
        """The right side of a product: (T, n), or (P, T, n) for several families."""
        families = ref.shape[0]
        return self._array(ref, ref.shape[1:] if families == 1 else ref.shape), families

    # Values

    def _map(self, m: Map) -> None:
        out = self._array(m.out)
        operands = [self._operand(x) for x in m.operands]
        ufunc = ufunc_of(m.op)
        if ufunc is not None:
            self._call(ufunc, *operands, out=out)
        else:
            kernel = self._given(("kernel", m.op), m.op.name, kernel_of(m.op))
            self._line(f"{kernel}({', '.join([*operands, out])})")

    def _sequence(self, s: Sequence_) -> None:
        kernel = self._given(("kernel", s.op), s.op.name, sequence_kernel_of(s.op))
        self._line(f"{kernel}({self._array(s.operand)}, {self._array(s.out)})")

    def _opaque(self, o: Opaque) -> None:
        kernel = self._given(("partials", o.op, len(o.operands)), f"partials_of_{o.op.name}", partials_of(o.op, len(o.operands)))
        outs = ", ".join(self._array(out) for out in o.outs)
        operands = [self._operand(x) for x in (o.result, *o.operands)]
        self._line(f"{kernel}(({outs},), {', '.join(operands)})")

    def _sum(self, s: Sum) -> None:
        out = self._array(s.out)
        terms = sorted(s.terms, key=lambda t: t.kind != "product")  # a product writes where it is to be, others are added
        if not terms:
            self._line(f"{out}.fill({self._number(s.constant)})")
            return
        first, rest = terms[0], terms[1:]
        self._term_to(first, out, s.out)
        scale, constant = first.scale, s.constant
        if scale == -1.0 and constant:
            self._call("subtract", self._number(constant), out, out=out)
            constant = 0.0
        elif scale == -1.0 and rest and rest[0].scale == 1.0 and rest[0].kind == "add":
            self._call("subtract", self._array(rest.pop(0).left), out, out=out)
        elif scale == -1.0:
            self._call("negative", out, out=out)
        elif scale != 1.0:
            self._call("multiply", out, self._number(scale), out=out)
        for term in rest:
            self._add_term(term, out, s.out)
        if constant:
            self._call("add", out, self._number(constant), out=out)

    def _add_term(self, term: Term, out: str, ref: Ref) -> None:
        if term.kind == "add":
            summand = self._array(term.left)
        else:
            summand = self._buffer((ref.size,), ref.once)
            self._term_to(term, summand, ref)
        if abs(term.scale) != 1.0:
            scaled = self._buffer((ref.size,), ref.once)
            self._call("multiply", summand, self._number(term.scale), out=scaled)
            summand = scaled
        self._call("subtract" if term.scale == -1.0 else "add", out, summand, out=out)

    def _term_to(self, term: Term, out: str, ref: Ref) -> None:
        """out = the term without its scale."""
        left, right = term.left, term.right
        if term.kind == "add":
            self._line(f"{out}[...] = {self._array(left)}")
        elif term.kind == "mul":
            assert right is not None
            self._call("multiply", self._array(left), self._array(right), out=out)
        elif term.kind == "total":
            self._line(f"np.add.reduce({self._array(left)}, axis=1, out={out})")
        elif term.kind == "dot":
            assert right is not None
            self._line(f"np.einsum('ktn,ktn->kn', {self._array(left)}, {self._array(right)}, out={out})")
        else:
            assert right is not None
            name, families = self._right(right)
            matrix = self._matrix(left, families)
            if families > 1:
                out = self._reshaped(out, (families, ref.size // families))
            self._product(matrix, name, out, families == 1)

    def _reshaped(self, name: str, shape: tuple[int, ...]) -> str:
        return self._name(("reshaped", name, shape), "s", f"{name}.reshape({', '.join(map(str, shape))}, -1)")

    def _product(self, a: str, b: str, out: str, plain: bool) -> None:
        self._call("dot" if plain else "matmul", a, b, out=out)

    # Adjoints

    def _accumulate(self, a: Accumulate) -> None:
        target, source = a.target, a.source
        if not self._reached(source):
            return
        g = self._array(source, (source.size, 1) if len(target.shape) > 1 else None, adjoint=True)
        over_rows = target.once and not source.once
        if over_rows and len(target.shape) == 1 and (a.factor is None or not a.factor.once):
            shares = self._buffer((target.size,), True)
            flat_shares = self._name((shares, "flat"), "s", f"{shares}[:, 0]")
            if a.factor is None:
                self._call("dot", g, "ones", out=flat_shares)
            else:
                self._line(f"np.einsum('kn,kn->k', {g}, {self._array(a.factor)}, out={flat_shares})")
            if a.scale != 1.0:
                self._call("multiply", shares, self._number(a.scale), out=shares)
            self._deposit(target, shares)
            return
        into = None if over_rows else self._assignable(target)
        shares = into or self._buffer(target.shape, source.once)
        if a.factor is not None:
            self._call("multiply", g, self._array(a.factor), out=shares)
            if a.scale != 1.0:
                self._call("multiply", shares, self._number(a.scale), out=shares)
        elif a.scale != 1.0:
            self._call("multiply", g, self._number(a.scale), out=shares)
        elif into is None and len(target.shape) == 1:
            shares = g
        else:
            self._line(f"{shares}[...] = {g}")
        if over_rows:
            whole = self._buffer(target.shape, True, "sum")
            self._line(f"np.add.reduce({shares}, axis=-1, keepdims=True, out={whole})")
            shares = whole
        if into is None:
            self._deposit(target, shares)
        else:
            self._mark(target)

    def _outer(self, o: Outer) -> None:
        if not self._reached(o.source):
            return
        right, families = self._right(o.right)
        g = self._array(o.source, o.source.shape[1:] if families == 1 else o.source.shape, adjoint=True)
        size, length = o.source.shape[1], o.right.shape[1]
        if families == 1:
            into = self._assignable(o.target)
            if into is not None and o.target.is_block:
                view = f"d_once[{o.target.start}:{o.target.start + o.target.size}].reshape({size}, {length})"
                out = self._name(("d matrix", o.target.places), "dw", view)
                self._call("dot", g, f"{right}.T", out=out)
                if o.scale != 1.0:
                    self._call("multiply", out, self._number(o.scale), out=out)
                self._mark(o.target)
                return
            shares = self._name(("outer", size, length), "b", f"np.empty(({size}, {length}))")
            self._call("dot", g, f"{right}.T", out=shares)
        else:
            shares = self._name(("outer", families, size, length), "b", f"np.empty(({families}, {size}, {length}))")
            self._call("matmul", g, f"{right}.transpose(0, 2, 1)", out=shares)
            if o.target.shape[0] == 1:
                whole = self._name(("outer", size, length), "b", f"np.empty(({size}, {length}))")
                self._line(f"np.add.reduce({shares}, axis=0, out={whole})")
                shares = whole
        if o.scale != 1.0:
            self._call("multiply", shares, self._number(o.scale), out=shares)
        shape = ", ".join(map(str, o.target.shape))
        self._deposit(o.target, self._name((shares, "as", o.target.shape), "s", f"{shares}.reshape({shape}, 1)"))

    def _pull(self, p: Pull) -> None:
        if not self._reached(p.source):
            return
        families = p.target.shape[0]
        matrix = self._matrix(p.left, families)
        g = self._array(p.source, p.source.shape[1:] if families == 1 else p.source.shape, adjoint=True)
        shape = p.target.shape[1:] if families == 1 else p.target.shape
        target = p.target.reshaped(*shape)
        into = self._assignable(target) if target.is_block else None
        shares = into or self._buffer(shape, False)
        turned = self._name((matrix, "T"), "w", f"{matrix}.T" if families == 1 else f"{matrix}.transpose(0, 2, 1)")
        self._product(turned, g, shares, families == 1)
        if p.scale != 1.0:
            self._call("multiply", shares, self._number(p.scale), out=shares)
        if into is None:
            self._deposit(target, shares)
        else:
            self._mark(target)

    def _reached(self, source: Ref) -> bool:
        """Whether any adjoint has been written there; the others are 0, and stay so."""
        written = self._written[source.once]
        return any(written[place] for place in source.places)

    def _assignable(self, target: Ref) -> str | None:
        """The target's own array if what is computed can be written there: nothing was yet, and the places are distinct and regular."""
        written = self._written[target.once]
        if target.strides is None or not target.distinct or any(written[place] for place in target.places):
            return None
        if len(target.shape) > 1 and not target.is_block:
            return None
        return self._array(target, adjoint=True)

    def _mark(self, target: Ref) -> None:
        written = self._written[target.once]
        for place in target.places:
            written[place] = 1

    def _deposit(self, target: Ref, shares: str) -> None:
        """Add shares, an array of the target's shape + (n,), to the adjoints there."""
        memory = "d_once" if target.once else "d_rows"
        written = self._written[target.once]
        fresh = [place for place in dict.fromkeys(target.places) if not written[place]]
        if target.strides is not None and target.distinct:
            own = self._array(target, adjoint=True)
            if len(fresh) == target.size:
                self._line(f"{own}[...] = {shares}")
            else:
                self._clear(memory, fresh)
                self._call("add", own, shares, out=own)
        else:
            self._clear(memory, fresh)
            tail = "" if target.once else ", -1"
            lines = f"{shares}.reshape({target.size}{tail})"
            if len(set(target.places)) == 1:
                self._line(f"{memory}[{target.start}] += np.add.reduce({lines}, axis=0)")
            else:
                layers = layers_of(target.places)
                if len(layers) > 16:
                    self._line(f"np.add.at({memory}, {self._given(('places', target.places), 'places', np.array(target.places))}, {lines})")
                else:
                    self._line(f"scatter({memory}, {self._given(('layers', target.places), 'layers', layers)}, {lines})")
        self._mark(target)

    def _clear(self, memory: str, fresh: list[int]) -> None:
        if not fresh:
            return
        if fresh[-1] - fresh[0] == len(fresh) - 1 and fresh == sorted(fresh):
            self._line(f"{memory}[{fresh[0]}:{fresh[-1] + 1}] = 0.0")
        else:
            self._line(f"{memory}[{self._given(('places', tuple(fresh)), 'places', np.array(fresh))}] = 0.0")


def _reads_backward(instruction: Any) -> list[Ref]:
    """The values that a backward step reads."""
    if isinstance(instruction, Accumulate):
        return [instruction.factor] if instruction.factor is not None else []
    if isinstance(instruction, Outer):
        return [instruction.right]
    if isinstance(instruction, Pull):
        return [instruction.left]
    if isinstance(instruction, Opaque):
        return [x for x in (instruction.result, *instruction.operands) if isinstance(x, Ref)]
    return []
