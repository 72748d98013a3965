"""Values: the instructions of the forward pass as NumPy calls."""

from __future__ import annotations

from .... import ops
from ...program.instructions import Map, Opaque, Reduce, Ref, Sum, Term
from .kernels import kernel_of, partials_of, sequence_kernel_of, ufunc_of
from .names import Names, width_of


class Values(Names):
    """What computes values."""

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
