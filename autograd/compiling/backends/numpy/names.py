"""Names: what arrays, views and buffers are called in the source that is written.

r stands for values of rows, o for those in `once`, d for adjoints, g for what is gathered from scattered places, b for buffers, w for
matrices, x for parts of the rows that were given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ....ops.op import Op
from ...program.instructions import Memory, Operand, Ref
from ...program.program import Program

LARGE: Final = 4096  # numbers of a matrix that is not copied
FEW: Final = 16  # places that are written one by one where they follow no rule


class Names:
    """The text of one pass, as far as it is written, and the names in it."""

    def __init__(self, program: Program, memory: Memory, deterministic: bool, direct: bool) -> None:
        self.program, self.memory, self.deterministic = program, memory, deterministic
        self.constants: dict[str, Any] = {}
        self.setup: list[str] = []
        self.parts: dict[str, list[str]] = {"before": [], "run": [], "after": []}
        self.part = "before"
        self._names: dict[Any, str] = {}
        self._ufuncs: set[str] = set()
        self._parts_of_rows: set[str] = set()  # slices of the inputs with gaps between rows, which np.dot would copy
        self._large: dict[str, tuple[int, int]] = {}  # matrices read from the parameters given, by name: where they are
        self._viewed = bytearray(memory.once)
        self._direct = direct

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

    def _indexed(self, name: str, index: str) -> str:
        """A view of an array, made in advance unless the array is a part of the rows given."""
        is_given = name in self._parts_of_rows or name.startswith("x")
        return f"{name}{index}" if is_given else self._name((name, index), "s", f"{name}{index}")


def width_of(ref: Ref) -> str:
    """The length of the last axis of its array."""
    return "1" if ref.once else "n"
