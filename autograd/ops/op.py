"""Op: the record that declares one primitive, and the function that users call.

An op applies itself to any kind of number. Plain floats go straight to its kernel; anything else takes part by having
two attributes on its class: `_rank`, which says whose turn it is where kinds meet (forward mode wraps reverse mode, so Dual
outranks Value), and `_apply(op, operands)`, which carries the op out.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from ..support.plain import article, as_float, as_sequence, is_array, shown
from .broadcasting import elementwise
from .zeros import ZERO

Interval = tuple[float, float]
REAL: Final[Interval] = (float("-inf"), float("inf"))
INDICATOR, ACTIVATION = "indicator", "activation"


class Op:
    """One primitive: what it computes, and how it is differentiated.

    Attributes:
        name: the op's name in graphs, tables and files: "mul".
        forward: the kernel, from floats to a float.
        partials: `partials(y, *x)` gives the tuple of partial derivatives of the result `y` in each operand. It is written
            with operators and with functions of this package, so that it runs on every kind of number: on floats for
            backward, on Values and Duals for higher order.
        symbol: how pictures and formulas write it: "*".
        arity: the number of operands; None for a function of a sequence.
        defaults: values of trailing operands that may be left out.
        domain: for each operand the open interval inside which the op is defined (the last repeats for a sequence).
        kinks: `kinks(*x)` gives numbers that vanish where a derivative jumps or does not exist, and change sign across.
        meaning: `meaning(m, *x)` says it as mathematics, in the words of `Mathematics`, from which languages and tests derive. None for
            what has none: exports then write a call.
        operator: Python's name of the operator that records it: "add".
        family: INDICATOR for what is 0 or 1, ACTIVATION for what units of networks apply, else empty.
        choices: by the place of an operand that is no number of a whole interval, numbers that it may be.
        numpy: NumPy's name of the same function, where it differs.
        shortcuts: by the class of the first operand, a lean way to carry the op out that may answer NotImplemented.

    Raises:
        ValueError: if `name` cannot be a name in Python: it becomes one in methods and in generated source.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., float],
        partials: Callable[..., tuple[Any, ...]],
        *,
        symbol: str | None = None,
        arity: int | None = 1,
        defaults: tuple[float, ...] = (),
        domain: tuple[Interval, ...] = (REAL,),
        kinks: Callable[..., tuple[float, ...]] | None = None,
        meaning: Callable[..., Any] | None = None,
        operator: str | None = None,
        family: str = "",
        choices: Mapping[int, tuple[float, ...]] = MappingProxyType({}),
        numpy: str | None = None,
        doc: str | None = None,
    ) -> None:
        _check_name(name)
        if not isinstance(symbol, str | None):
            raise TypeError(f"the symbol of a primitive must be a str (got {shown(symbol)}, {article(type(symbol).__name__)})")
        fields = {
            "name": name,
            "forward": forward,
            "partials": partials,
            "symbol": symbol or name,
            "arity": arity,
            "defaults": defaults,
            "domain": domain,
            "kinks": kinks,
            "meaning": meaning,
            "operator": operator,
            "family": family,
            "choices": choices,
            "numpy": numpy or name,
            "shortcuts": {},
            "__name__": name,
            "__doc__": doc or f"The function that NumPy calls {numpy or name}, for every kind of number.",
        }
        self.__dict__.update(fields)

    name: str
    forward: Callable[..., float]
    partials: Callable[..., tuple[Any, ...]]
    symbol: str
    arity: int | None
    defaults: tuple[float, ...]
    domain: tuple[Interval, ...]
    kinks: Callable[..., tuple[float, ...]] | None
    meaning: Callable[..., Any] | None
    operator: str | None
    family: str
    choices: Mapping[int, tuple[float, ...]]
    numpy: str
    shortcuts: dict[type, Callable[..., Any]]

    def __setattr__(self, field: str, value: object) -> None:
        raise AttributeError(f"an Op is immutable: cannot set {field!r} of {self.name!r}; declare a new primitive instead")

    def __delattr__(self, field: str) -> None:
        raise AttributeError(f"an Op is immutable: cannot delete {field!r} of {self.name!r}")

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: object) -> Op:
        return self

    def __call__(self, *operands: Any) -> Any:
        """The op applied to numbers of any kind; to one sequence of them where `arity` is None."""
        if len(operands) != self.arity:
            operands = self._complete(operands)
        for x in operands:
            if type(x) is not float:
                break
        else:
            return self.forward(*operands)
        shortcut = self.shortcuts.get(type(operands[0]))
        result = NotImplemented if shortcut is None else shortcut(*operands)
        return self.apply(*operands) if result is NotImplemented else result

    def apply(self, *operands: Any) -> Any:
        """The op applied to exactly its operands, a sequence given one by one."""
        highest, rank, foreign = None, 0, False
        seen: type = float
        for x in operands:
            kind = type(x)
            if kind is not seen:
                seen = kind
                if kind is float:
                    continue
                its_rank = getattr(kind, "_rank", 0)
                if its_rank > rank:
                    highest, rank = x, its_rank
                foreign |= its_rank == 0
        if foreign and any(map(is_array, operands)):
            return elementwise(self.apply, operands)
        if highest is not None:
            return highest._apply(self, operands)
        if foreign:
            operands = tuple(as_float(x, f"operand of {self.name}") for x in operands)
        return self.forward(*operands)

    @property
    def takes_one(self) -> bool:
        """Whether it can be called with one number, its other operands having defaults; then it is also a method of numbers."""
        return self.arity is not None and self.arity - len(self.defaults) == 1

    @cached_property
    def is_flat(self) -> bool:
        """Whether no derivative flows through it: floor, sign, comparisons, stop_gradient. Found by trying its rule."""
        samples = [[v] * (self.arity or 2) for v in (0.3, 1.7)]
        try:
            return all(d is ZERO for x in samples for d in self.partials(self.forward(*x), *x))
        except Exception:  # a rule of the user's own may do anything
            return False

    def _complete(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operands with defaults filled in and a sequence spread out."""
        if self.arity is None:
            return as_sequence(operands[0] if len(operands) == 1 else None, f"{self.name}([a, b, c])")
        missing = self.arity - len(operands)
        if 0 <= missing <= len(self.defaults):
            return operands + self.defaults[len(self.defaults) - missing :]
        raise TypeError(f"{self.name}() takes {_count(self)}, got {len(operands)}")


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the name of a primitive must be a str (got {shown(name)}, {article(type(name).__name__)})")
    if not name.isidentifier():
        raise ValueError(f"the name of a primitive must be an identifier (got {name!r}): pass name=...")
    if not name.isprintable():  # from Python 3.13 on some letters are joined by what cannot be seen
        raise ValueError(f"the name of a primitive must be an identifier that can be seen (got {name!r}): choose another name")
    if keyword.iskeyword(name) or name == "__debug__":
        raise ValueError(f"{name!r} is a word of Python's language: choose another name")
    if not name.isascii():
        from unicodedata import normalize

        if (as_read := normalize("NFKC", name)) != name:
            raise ValueError(f"Python reads the name {name!r} as {as_read!r}: choose that one")


def _count(op: Op) -> str:
    arity = op.arity or 0
    least = arity - len(op.defaults)
    counts = str(arity) if least == arity else f"{least} to {arity}"
    return f"{counts} operand{'s' * (arity > 1)}"
