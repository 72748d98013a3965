"""Writer: a program and its backward pass as the source of a Python function that calls NumPy.

Every array has its name in the source: r for values of rows, o for those in `once`, d for adjoints, g for what is gathered from
scattered places, b for buffers, w for matrices, x for parts of the rows that were given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .... import ops
from ....ops.op import Op
from ...passes.adjoint import Backward, reads
from ...program.instructions import Accumulate, Instruction, Map, Memory, Opaque, Operand, Outer, Pull, Reduce, Ref, Shares, Sum, Term
from ...program.program import Program
from .kernels import kernel_of, partials_of, sequence_kernel_of, ufunc_of

Array = NDArray[Any]
LARGE: Final = 4096  # numbers of a matrix that is not copied
FEW: Final = 16  # places that are written one by one where they follow no rule


class Writer:
    """Writes the source of one pass.

    Args:
        deterministic: whether all is added up in one order, whatever the number of rows and threads, which BLAS does not promise.
    """

    def __init__(self, program: Program, memory: Memory, steps: Backward | None, deterministic: bool) -> None:
        self.program, self.memory, self.steps, self.deterministic = program, memory, steps, deterministic
        self.constants: dict[str, Any] = {}
        self.setup: list[str] = []
        self.parts: dict[str, list[str]] = {"before": [], "run": [], "after": []}
        self.part = "before"
        self._names: dict[Any, str] = {}
        self._ufuncs: set[str] = set()
        self._parts_of_rows: set[str] = set()  # slices of the inputs with gaps between rows, which np.dot would copy
        self._written = {True: bytearray(memory.once), False: bytearray(memory.rows)}
        self._large: dict[str, tuple[int, int]] = {}  # matrices read from the parameters given, by name: where they are
        self._viewed = bytearray(memory.once)
        self._direct = self._reads_inputs_directly()
        self.adjoint_rows = 0
        self._write_all()
        self.adjoint_rows = sum(self._written[False])

    # The text

    def source(self) -> str:
        """A script: the views on memory that the code needs, then the functions that run on them."""
        lines = [f"{name} = np.{name}" for name in sorted(self._ufuncs)] + self.setup
        for part, arguments in (("before", ""), ("run", "p, x, seed"), ("after", "")):
            lines += ["", "", f"def {part}({arguments}):"]
            lines += [f"    {line}" for line in self.parts[part] or ["pass"]]
        return "\n".join(lines) + "\n"

    def _line(self, text: str) -> None:
        self.parts[self.part].append(text)

    def _call(self, ufunc: str, *arguments: str, out: str) -> None:
        self._ufuncs.add(ufunc)
        self._line(f"{ufunc}({', '.join(arguments)}, out={out})")

    def _name(self, key: Any, prefix: str, expression: str) -> str:
        """A name for a view or buffer that is made once."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"{prefix}{len(self._names)}"
            self.setup.append(f"{name} = {expression}")
        return name

    def _given(self, key: Any, prefix: str, x: Any, op: Op | None = None) -> str:
        """A name for an object that the source cannot spell. That of its op stands behind the number, so that it can be any name."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"{prefix}{len(self._names)}{f'_of_{op.name}' if op else ''}"
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
        for step in steps.rows:
            self._write(step)
        self.part = "after"
        for step in steps.once:
            self._write(step)

    def _seed(self) -> None:
        result = self.program.result
        memory = "d_once" if result.once else "d_rows"
        self._line(f"{memory}[{result.start}] = seed{' * n' if result.once else ''}")
        self._written[result.once][result.start] = 1

    def _write(self, instruction: Instruction) -> None:
        getattr(self, f"_{type(instruction).__name__.lower()}")(instruction)

    def _reads_inputs_directly(self) -> bool:
        """Whether all that is read of the inputs are slices, so that the rows need not be copied."""
        n = self.program.n_inputs
        if self.deterministic or any(not result.once and result.start < n for result in self.program.results):
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
        self._see(memory, ref)
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
        self._see(memory, ref)
        width = "1" if ref.once else "n"
        name = self._name(key, "g", f"np.empty(({', '.join(map(str, ref.shape))}, {width}))")
        at = self._given(("places", ref.places), "places", np.array(ref.places))
        flat_name = self._name((*key, "flat"), "g", f"{name}.reshape({ref.size}{'' if ref.once else ', n'})")
        part = "before" if ref.once and self.part == "run" else self.part
        self.parts[part].append(f"{memory}.take({at}, 0, {flat_name}, 'clip')")

    def _see(self, memory: str, ref: Ref) -> None:
        if memory == "once":
            for place in ref.places:
                self._viewed[place] = 1

    def copied(self) -> list[slice]:
        """Which parameters the code looks for in its own memory: all but the large matrices that are read where they are given."""
        n, at, spans = self.program.n_params, 0, []
        for result in self.program.results:
            self._see("once" if result.once else "rows", result)
        for start, end in sorted(span for span in self._large.values() if not any(self._viewed[slice(*span)])):
            spans.append(slice(at, start))
            at = end
        return [*spans, slice(at, n)]

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
            if text != "x":
                self._parts_of_rows.add(name)
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
        if families == 1 and self.part == "run" and ref.size >= LARGE and ref.is_block and ref.start + ref.size <= self.program.n_params:
            return self._given_matrix(ref, shape)
        key = ("matrix", shape, ref.places)
        return self._name(key, "w", f"{self._array(ref, shape)}[..., 0]")

    def _given_matrix(self, ref: Ref, shape: tuple[int, ...]) -> str:
        """A view of the parameters given: to copy a large matrix takes as long as a few rows."""
        key, span = ("given", shape, ref.places), (ref.start, ref.start + ref.size)
        if key not in self._names:
            self._names[key] = name = f"w{len(self._names)}"
            self._large[name] = span
            self._line(f"{name} = p[{span[0]}:{span[1]}].reshape({', '.join(map(str, shape))})")
        return self._names[key]

    def _right(self, ref: Ref) -> tuple[str, int]:
        """The right side of a product: (T, n), or (P, T, n) for several families."""
        families = ref.shape[0]
        return self._array(ref, ref.shape[1:] if families == 1 else ref.shape), families

    # Values

    def _map(self, m: Map) -> None:
        out = self._array(m.out)
        operands = [self._operand(x) for x in m.operands]
        ufunc = ufunc_of(m.op)
        if m.op is ops.relu:
            self._call("maximum", *operands, "0.0", out=out)
        elif ufunc is not None:
            self._call(ufunc, *operands, out=out)
        else:
            kernel = self._given(("kernel", m.op), "kernel", kernel_of(m.op), m.op)
            self._line(f"{kernel}({', '.join([*operands, out])})")

    def _reduce(self, s: Reduce) -> None:
        kernel = self._given(("kernel", s.op), "kernel", sequence_kernel_of(s.op), s.op)
        kept = f", {', '.join(self._exponentials(s.operand))}" if s.op is ops.logsumexp else ""
        self._line(f"{kernel}({self._array(s.operand)}, {self._array(s.out)}{kept})")

    def _exponentials(self, operand: Ref) -> tuple[str, str]:
        """Room for those that a logsumexp takes, and for their sums: its adjoint needs them."""
        (count, length), width = operand.shape, width_of(operand)
        sums = self._name(("sums of exponentials", operand), "b", f"np.empty(({count}, 1, {width}))")
        return self._name(("exponentials", operand), "b", f"np.empty(({count}, {length}, {width}))"), sums

    def _opaque(self, o: Opaque) -> None:
        kernel = self._given(("partials", o.op, len(o.operands)), "partials", partials_of(o.op, len(o.operands)), o.op)
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
        constant = s.constant
        if first.kind == "add" and abs(first.scale) == 1.0 and rest and (first.scale, rest[0].scale) != (-1.0, -1.0):
            self._add_first_two(first, rest.pop(0), out, s.out)
        else:
            constant = self._first_to(first, rest, out, s)
        for term in rest:
            self._call("subtract" if term.scale == -1.0 else "add", out, self._summand(term, s.out), out=out)
        if constant:
            self._call("add", out, self._number(constant), out=out)

    def _first_to(self, first: Term, rest: list[Term], out: str, s: Sum) -> float:
        """out = scale * first; a sign is combined with what is added to it. Gives the constant that is left to be added."""
        self._term_to(first, out, s.out)
        if first.scale == -1.0 and s.constant:
            self._call("subtract", self._number(s.constant), out, out=out)
            return 0.0
        if first.scale == -1.0 and rest and rest[0].scale == 1.0 and rest[0].kind == "add":
            self._call("subtract", self._array(rest.pop(0).left), out, out=out)
        elif first.scale == -1.0:
            self._call("negative", out, out=out)
        elif first.scale != 1.0:
            self._call("multiply", out, self._number(first.scale), out=out)
        return s.constant

    def _add_first_two(self, first: Term, second: Term, out: str, ref: Ref) -> None:
        """out = +- first +- second, where the first is there already."""
        a, b = self._array(first.left), self._summand(second, ref)
        if first.scale == -1.0:
            self._call("subtract", b, a, out=out)
        else:
            self._call("subtract" if second.scale == -1.0 else "add", a, b, out=out)

    def _summand(self, term: Term, ref: Ref) -> str:
        """The term with its scale, but for a sign."""
        if term.kind == "add":
            summand = self._array(term.left)
        else:
            summand = self._buffer((ref.size,), ref.once)
            self._term_to(term, summand, ref)
        if abs(term.scale) == 1.0:
            return summand
        scaled = self._buffer((ref.size,), ref.once)
        self._call("multiply", summand, self._number(term.scale), out=scaled)
        return scaled

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

    # Products and sums over rows. BLAS is fast, and adds up in an order that depends on how many columns there are, on the place of a
    # column among them, on threads and on the processor. einsum goes along the axis whose numbers lie side by side: along the rows, if
    # there are two at least, adding term after term to all of them alike. What is added up over the rows depends on these alone.

    def _product(self, a: str, b: str, out: str, plain: bool) -> None:
        """out = a @ b, (F, T) and (T, n), or that for each family."""
        if self.deterministic:
            self._line(f"np.einsum('{'ft,tn->fn' if plain else 'pft,ptn->pfn'}', {a}, {b}, out={out})")
        else:
            self._call("dot" if plain and b not in self._parts_of_rows else "matmul", a, b, out=out)

    def _product_over_rows(self, a: str, b: str, out: str, plain: bool) -> None:
        """out = a @ b^T, (F, n) and (T, n), or that for each family."""
        if self.deterministic:
            self._line(f"np.einsum('{'fn,tn->ft' if plain else 'pfn,ptn->pft'}', {a}, {b}, out={out})")
        elif plain:
            self._call("matmul" if b in self._parts_of_rows else "dot", a, f"{b}.T", out=out)
        else:
            self._call("matmul", a, f"{b}.transpose(0, 2, 1)", out=out)

    def _total_over_rows(self, g: str, line: str) -> None:
        """line = the sum over the rows of g."""
        if self.deterministic:
            self._line(f"np.add.reduce({g}, axis=1, out={line})")
        else:
            self._call("dot", g, "ones", out=line)

    def _dot_over_rows(self, g: str, factor: str, line: str, size: int) -> None:
        """line = the sum over the rows of g * factor; BLAS takes half as long."""
        if self.deterministic:
            self._line(f"np.einsum('kn,kn->k', {g}, {factor}, out={line})")
        elif size == 1:
            self._call("dot", g, self._indexed(factor, "[0]"), out=line)
        else:
            column = self._name((line, "column"), "s", f"{line}[:, None, None]")
            self._call("matmul", self._indexed(g, "[:, None]"), self._indexed(factor, "[..., None]"), out=column)

    # Adjoints

    def _accumulate(self, a: Accumulate) -> None:
        target, source = a.target, a.source
        if not self._reached(source):
            return
        g = self._array(source, (source.size, 1) if len(target.shape) > 1 else None, adjoint=True)
        over_rows = target.once and not source.once
        if a.scale != 1.0:
            g = self._scaled(source, a.scale, g)
        if over_rows and len(target.shape) == 1 and (a.factor is None or not a.factor.once):
            self._sum_over_rows(a, g)
            return
        into = None if over_rows else self._assignable(target)
        shares = into or self._buffer(target.shape, source.once)
        if a.factor is not None:
            self._call("multiply", g, self._array(a.factor), out=shares)
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

    def _scaled(self, source: Ref, scale: float, g: str) -> str:
        """The adjoint `g` of a block times a number, computed once: when it is read, it is complete."""
        key = ("scaled", source.once, source.places, scale)
        block = self._array(source, adjoint=True)
        if key not in self._names:
            self._call("multiply", block, self._number(scale), out=self._name(key, "b", f"np.empty(({source.size}, {width_of(source)}))"))
        name = self._names[key]
        return name if g == block else self._name((name, "column"), "s", f"{name}.reshape({source.size}, 1, {width_of(source)})")

    def _sum_over_rows(self, a: Accumulate, g: str) -> None:
        """The adjoint of numbers that are the same for all rows."""
        into = self._assignable(a.target) if a.target.is_block else None
        if into is not None:
            line = self._name((into, "line"), "d", f"d_once[{a.target.start}:{a.target.start + a.target.size}]")
        else:
            shares = self._buffer((a.target.size,), True)
            line = self._name((shares, "flat"), "s", f"{shares}[:, 0]")
        if a.factor is None:
            self._total_over_rows(g, line)
        else:
            self._dot_over_rows(g, self._array(a.factor), line, a.target.size)
        if into is not None:
            self._mark(a.target)
        else:
            self._deposit(a.target, shares)

    def _indexed(self, name: str, index: str) -> str:
        """A view of an array, made in advance unless the array is a part of the rows given."""
        is_given = name in self._parts_of_rows or name.startswith("x")
        return f"{name}{index}" if is_given else self._name((name, index), "s", f"{name}{index}")

    def _shares(self, s: Shares) -> None:
        self._call("divide", *self._exponentials(s.operand), out=self._array(s.out))

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
                self._product_over_rows(g, right, out, plain=True)
                if o.scale != 1.0:
                    self._call("multiply", out, self._number(o.scale), out=out)
                self._mark(o.target)
                return
            shares = self._name(("outer", size, length), "b", f"np.empty(({size}, {length}))")
            self._product_over_rows(g, right, shares, plain=True)
        else:
            shares = self._name(("outer", families, size, length), "b", f"np.empty(({families}, {size}, {length}))")
            self._product_over_rows(g, right, shares, plain=False)
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
        transposed = f"{matrix}.T" if families == 1 else f"{matrix}.transpose(0, 2, 1)"
        turned = transposed if matrix in self._large else self._name((matrix, "T"), "w", transposed)
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
        elif target.size <= FEW:
            self._deposit_each(target, shares)
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

    def _deposit_each(self, target: Ref, shares: str) -> None:
        """Place by place, which for few places is faster than an array of indices, and needs no zeros first."""
        written = self._written[target.once]
        lines = shares
        if len(target.shape) > 1:
            lines = self._name((shares, "lines"), "s", f"{shares}.reshape({target.size}, {width_of(target)})")
        for k, place in enumerate(target.places):
            own = self._array(Ref(target.once, (1,), (place,)), adjoint=True)
            share = self._name((lines, k), "s", f"{lines}[{k}:{k + 1}]")
            if written[place]:
                self._call("add", own, share, out=own)
            else:
                self._line(f"{own}[...] = {share}")
            written[place] = 1

    def _clear(self, memory: str, fresh: list[int]) -> None:
        if not fresh:
            return
        if fresh[-1] - fresh[0] == len(fresh) - 1 and fresh == sorted(fresh):
            self._line(f"{memory}[{fresh[0]}:{fresh[-1] + 1}] = 0.0")
        else:
            self._line(f"{memory}[{self._given(('places', tuple(fresh)), 'places', np.array(fresh))}] = 0.0")


def width_of(ref: Ref) -> str:
    """The length of the last axis of its array."""
    return "1" if ref.once else "n"


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
