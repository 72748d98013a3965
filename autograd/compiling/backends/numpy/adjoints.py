"""Adjoints: the instructions of the backward pass as NumPy calls. What is written first to a place is assigned, the rest is added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...program.instructions import Accumulate, Memory, Outer, Pull, Ref, Shares
from ...program.program import Program
from .names import FEW, width_of
from .values import Values

Array = NDArray[Any]


class Adjoints(Values):
    """What computes adjoints."""

    def __init__(self, program: Program, memory: Memory, deterministic: bool, direct: bool) -> None:
        super().__init__(program, memory, deterministic, direct)
        self._written = {True: bytearray(memory.once), False: bytearray(memory.rows)}

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
