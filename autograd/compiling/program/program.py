"""Program: a short list of array instructions that computes what the tape says, for all rows at once; and how it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .instructions import Forward, Map, Memory, Operand, Ref, Sum, Term


@dataclass
class Program:
    """What to do before the rows, and for the rows.

    Attributes:
        n_params, n_inputs: how many numbers it takes.
        once: the instructions that depend on parameters alone.
        rows: the instructions for each row.
        results: the places of the results.
        several: whether there may be more than one, so that values have a second axis.
        memory: how much of it they need.
        names: of parameters, from the structure that holds them: the first place and the count of each.
    """

    n_params: int
    n_inputs: int
    once: list[Forward]
    rows: list[Forward]
    results: tuple[Ref, ...]
    several: bool
    memory: Memory
    names: list[tuple[str, int, int]]

    @property
    def result(self) -> Ref:
        """The place of the only result."""
        (result,) = self.results
        return result

    @property
    def products(self) -> int:
        """How many of its terms are products of matrices."""
        return sum(term.kind == "product" for i in self.instructions if isinstance(i, Sum) for term in i.terms)

    @property
    def instructions(self) -> list[Forward]:
        return [*self.once, *self.rows]

    def __len__(self) -> int:
        return len(self.once) + len(self.rows)

    def __str__(self) -> str:
        """One line for each instruction, in the vocabulary of the field: how many elements it computes, what stands for parameters."""
        return "\n".join(_Printer(self).lines())


class _Printer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self._blocks: dict[tuple[bool, int], tuple[str, Ref]] = {}
        self._block_of: dict[tuple[bool, int], int] = {}
        self._params: dict[tuple[tuple[int, ...], tuple[int, ...]], str] = {}
        self._taken: Counter[str] = Counter()
        if program.n_inputs:
            self._name_block(Ref(False, (program.n_inputs,), tuple(range(program.n_inputs))), "x")
        self._leaves = {(at, size): path for path, at, size in program.names if path}

    def lines(self) -> Iterable[str]:
        rows = [self._line(instruction) for instruction in self.program.instructions]
        width = max((len(text) for text, _ in rows), default=0)
        for n, (text, size) in enumerate(rows):
            if n == len(self.program.once) and n:
                yield "for each row:"
            yield f"{text:<{width}}  ({size})"
        yield f"return {self._results()}"
        matrices = [f"{name} ({' x '.join(map(str, shape))})" for (_, shape), name in self._params.items()]
        if matrices:
            yield f"parameters: {', '.join(matrices)}"

    def _results(self) -> str:
        results = self.program.results
        if len({ref.once for ref in results}) == 1:
            return self._ref(Ref(results[0].once, (len(results),), tuple(ref.start for ref in results)))
        return ", ".join(map(self._ref, results))

    def _line(self, instruction: Forward) -> tuple[str, int]:
        if isinstance(instruction, Sum):
            right = self._sum(instruction)
            letter = "h" if any(term.kind == "product" for term in instruction.terms) else "s"
        elif isinstance(instruction, Map):
            right = f"{instruction.op.name}({', '.join(map(self._operand, instruction.operands))})"
            letter = "a"
        else:
            right = f"{instruction.op.name}({self._ref(instruction.operand)})"
            letter = "m"
        out = instruction.out
        name = self._fresh("c" if out.once else letter)
        self._name_block(out, name)
        return f"{name} = {right}", out.size

    def _fresh(self, letter: str) -> str:
        self._taken[letter] += 1
        return f"{letter}{self._taken[letter]}"

    def _name_block(self, ref: Ref, name: str) -> None:
        self._blocks[ref.once, ref.start] = name, ref
        for place in ref.places:
            self._block_of[ref.once, place] = ref.start

    # Operands

    def _sum(self, s: Sum) -> str:
        terms = [(term.scale, self._term(term)) for term in sorted(s.terms, key=lambda t: t.kind != "product")]
        if s.constant or not terms:
            terms.append((-1.0 if s.constant < 0 else 1.0, f"{abs(s.constant):.6g}"))
        if terms[0][0] < 0:  # 1 - a, rather than -a + 1
            terms.sort(key=lambda t: t[0] < 0)
        text = ""
        for scale, term in terms:
            text = _joined(text, scale, term)
        return text

    def _term(self, term: Term) -> str:
        if term.right is None:
            return f"sum({self._ref(term.left)})" if term.kind == "total" else self._ref(term.left, "b")
        right = self._ref(term.right)
        if term.kind == "dot":
            return f"dot({self._ref(term.left)}, {right})"
        return f"{self._ref(term.left, 'W' if term.kind == 'product' else 'w')} {'@' if term.kind == 'product' else '*'} {right}"

    def _operand(self, x: Operand) -> str:
        return self._ref(x) if isinstance(x, Ref) else f"{x:.6g}"

    def _ref(self, ref: Ref, letter: str = "p") -> str:
        starts = list(dict.fromkeys(self._block_of.get((ref.once, place), -1) for place in ref.places))
        if starts == [-1]:
            return self._constants(ref) if all(place in self.program.memory.constants for place in ref.places) else self._param(ref, letter)
        if len(starts) > 1:
            names = [self._blocks[ref.once, start][0] if start >= 0 else "p" for start in starts]
            return f"[{', '.join(names if len(names) <= 4 else [*names[:3], '...'])}]"
        name, whole = self._blocks[ref.once, starts[0]]
        return f"{name}{_part(ref, whole)}"

    def _constants(self, ref: Ref) -> str:
        numbers = [f"{self.program.memory.constants[place]:.4g}" for place in ref.places]
        return f"[{', '.join(numbers if len(numbers) <= 4 else [*numbers[:3], '...'])}]"

    def _param(self, ref: Ref, letter: str) -> str:
        """The name of parameters: as their structure calls them if that is all of a part of it, else a letter and a number."""
        shape = tuple([length for n, length in enumerate(ref.shape) if length > 1 or n == len(ref.shape) - 1])
        key = ref.places, shape
        if key not in self._params:
            path = self._leaves.get((min(ref.places), ref.size))
            if path is not None and sorted(ref.places) == list(range(min(ref.places), min(ref.places) + ref.size)):
                reversed_ = "[::-1]" if ref.reshaped(ref.size).strides == (-1,) else "[...]"
                self._params[key] = path if ref.is_block else f"{path}.T" if len(shape) > 1 else path + reversed_
            elif ref.size == 1:
                self._params[key] = f"p[{ref.start}]"
            else:
                self._params[key] = self._fresh("W" if len(shape) > 1 else letter)
        return self._params[key]


def _joined(text: str, scale: float, term: str) -> str:
    """`text` plus `scale` times `term`."""
    factor = "" if abs(scale) == 1.0 else f"{abs(scale):.6g} "
    if not text:
        return f"{'-' if scale < 0 else ''}{factor}{term}"
    return f"{text} {'-' if scale < 0 else '+'} {factor}{term}"


def _part(ref: Ref, whole: Ref) -> str:
    """Which elements of a block a ref means, as an index."""
    if ref.places == whole.places:
        return ""
    first = ref.start - whole.start
    if len(set(ref.places)) == 1:
        return f"[{first}]" if whole.size > 1 else ""
    if ref.is_block:
        return f"[{first}:{first + ref.size}]"
    line = ref.reshaped(ref.size).strides
    if line is not None:
        end = ref.places[-1] - whole.start + (1 if line[0] > 0 else -1)
        return f"[{first}:{end if end >= 0 else ''}:{line[0]}]"
    return "[windows]" if ref.strides is not None else "[...]"
