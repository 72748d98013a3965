"""Recording: run a function once on numbers that write down what is done with them.

A recorded number has no value, only a place on the tape: it stands for every row at once. Whatever would need its value (a branch,
a conversion to float or int) is refused, because it would freeze what one row happens to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, final

from ... import ops
from ...numbers.local import local
from ...numbers.number import Method, Number
from ...numbers.tracking import FLOAT, guarded, guards, is_tracked
from ...numbers.value import Value, topological_order
from ...ops.op import Op
from ...ops.zeros import ZERO, contribution, number, plus, when
from ...support.callers import user_line
from ...support.errors import RecordingError
from ...support.plain import as_float, is_array, is_plain, shown
from ...support.structure import leaves, rebuild
from .gated import Gated
from .tape import CONST, INPUT, PARAM, Node, Tape, live

_new = object.__new__


def _refusing(doing: str, way_out: str) -> Callable[..., NoReturn]:
    def method(self: Recorded, *_: Any) -> NoReturn:
        why = "needs its value, which it does not have: it stands for all rows."
        raise RecordingError(f"{doing} {why} {way_out}{user_line()}")

    return method


_BRANCH = "Write where(greater(a, b), x, y), maximum, minimum or clip instead of a branch"
_comparing = _refusing("comparing a recorded number", f"{_BRANCH}; autograd.greater and its like are comparisons that can be recorded.")
_plain = "Functions of the package (exp, where, floor, ...) take recorded numbers as they are."


def _at(tape: Tape, place: int) -> Recorded:
    x = _new(Recorded)
    x._tape = tape
    x._place = place
    return x


def _operand(tape: Tape, x: Any, op: Op) -> int:
    """The place on the tape of whatever a recorded number meets."""
    if type(x) is Recorded:
        if x._tape is not tape:
            raise RecordingError(f"operand of {op.name} is a number of another recording, which has ended{user_line()}")
        return x._place
    if type(x) is float or x is ZERO:
        return tape.constant(x)
    if type(x) is Value:
        return tape.take_in(x) if isinstance(tape, Recording) else tape.constant(x.data)
    return tape.constant(as_float(x, f"operand of {op.name}"))


def _unary(op: Op) -> Method:
    def method(self: Recorded) -> Recorded:
        return _at(self._tape, self._tape.put((op, self._place)))

    return method


def _binary(op: Op) -> Method:
    def method(self: Recorded, other: Any) -> Any:
        tape = self._tape
        if type(other) is Recorded and other._tape is tape:
            return _at(tape, tape.put((op, self._place, other._place)))
        if not _meets(other):
            return NotImplemented
        return _at(tape, tape.put((op, self._place, _operand(tape, other, op))))

    return method


def _constant_first(op: Op) -> Method:
    def method(self: Recorded, other: Any) -> Any:
        if not _meets(other):
            return NotImplemented
        if op is ops.divide and type(other) is not Value and other == 1:
            return _at(self._tape, self._tape.put((ops.reciprocal, self._place)))
        return _at(self._tape, self._tape.put((op, _operand(self._tape, other, op), self._place)))

    return method


def _meets(other: Any) -> bool:
    """Whether this class answers for an operator between a recorded number and `other`; Duals answer themselves."""
    return type(other) in (float, int, Value, Recorded) or (not isinstance(other, Number) and not is_array(other) and is_plain(other))


@final
class Recorded(Number):
    """A number of a recording: a place on its tape."""

    __slots__ = ("_place", "_tape")

    _rank: ClassVar[int] = 2.5  # type: ignore[assignment]  # between Value, which it takes in, and Dual, which may carry it
    _place: int
    _tape: Tape

    def __repr__(self) -> str:
        return f"<recorded number {self._place}>"

    @classmethod
    def _apply(cls, op: Op, operands: tuple[Any, ...]) -> Recorded:
        tape = next(x._tape for x in operands if type(x) is Recorded)
        return _at(tape, tape.put((op, *[_operand(tape, x, op) for x in operands])))

    @classmethod
    def _method(cls, op: Op) -> Method:
        if op.name not in ops.builtin or op.defaults or op.arity not in (1, 2):
            return super()._method(op)
        return _unary(op) if op.arity == 1 else _binary(op)

    @classmethod
    def _reflected(cls, op: Op) -> Method:
        return _constant_first(op)

    if not TYPE_CHECKING:  # to a checker they are those of a Number
        _compared = _comparing
        _real = __float__ = _refusing("float() of a recorded number", _plain)
        __bool__ = _refusing("branching on a recorded number (if, while, and, or, not)", f"{_BRANCH}.")
        __int__ = _refusing("int() of a recorded number", _plain)
        __index__ = _refusing("using a recorded number as an index", "Choose between numbers with where(equal(i, 0), a, b).")
        __round__ = _refusing("round() of a recorded number", "Write floor(x + 0.5).")
        __complex__ = _refusing("complex() of a recorded number", _plain)
        __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _comparing
        __hash__ = _refusing("looking up a recorded number (in a dict or set)", "Choose between numbers with where(equal(x, 0), a, b).")

    def _when(self, derivative: Any) -> Gated:
        return Gated(self, derivative)

    def _pull(self, ys: Sequence[Any], wrt: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        if not isinstance(self._tape, Recording):
            raise RecordingError("the rule of a primitive must be written with functions of numbers, not with grad or vjp")
        return self._tape.pull(ys, wrt, seeds)

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        _refusing("copying or pickling a recorded number", "Use the number itself.")(self)


class Recording(Tape):
    """What one call of a function did.

    Args:
        fn: takes parameters and one row, returns a number, or a flat sequence of them.
        params: a nested structure of numbers. Values in it are parameters wherever the function meets them, so that a model that
            holds its parameters need not be given them.
        inputs: one example row; only its structure counts.

    Attributes:
        roots: the places of the results.
        several: whether fn returned a sequence, were it of one number.
        frozen: how many Values from elsewhere were taken for constants.
    """

    def __init__(self, fn: Callable[[Any, Any], Any], params: Any, inputs: Any) -> None:
        super().__init__()
        self.frozen: int = 0
        self._values: dict[int, tuple[Value, int]] = {}  # each Value met, kept so that its id stays its own
        numbers, row = leaves(params), leaves(inputs)
        for what, given in (("params", numbers), ("inputs", row)):
            for x in given:
                if type(x) is not Value:
                    as_float(x, f"each number of {what}")
        self.n_params: int = len(numbers)
        self.n_inputs: int = len(row)
        places = [self.put((PARAM, j)) for j in range(len(numbers))]
        for x, place in zip(numbers, places, strict=True):
            if type(x) is Value:
                self._values[id(x)] = x, place
        inputs_at = [self.put((INPUT, j)) for j in range(len(row))]
        self._leaves = len(self.nodes)
        self._around = guards()
        with guarded(_Parameters({i for i, (_, place) in self._values.items() if place in places})):
            result = fn(_on_tape(self, params, places), _on_tape(self, inputs, inputs_at))
        self.several: bool = isinstance(result, (list, tuple)) or (is_array(result) and result.ndim > 0)
        self.roots: list[int] = [self._place_of(x) for x in (_flat(result) if self.several else [result])]
        if self.frozen and self.n_params and not self._uses_params():
            raise RecordingError(
                f"fn computes with {self.frozen} Values that are not in params, and with none of params: "
                "pass the Values themselves (model.parameters()) as params, or use the params that fn receives"
            )

    def pull(self, ys: Sequence[Any], wrt: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """The sum over numbers on the tape of seed x derivative, in each node of `wrt`, recorded."""
        stops = [_operand(self, x, ops.positive) for x in wrt]
        roots = [(_operand(self, y, ops.positive), seed) for y, seed in zip(ys, seeds, strict=True) if isinstance(y, Number)]
        end = max([root for root, _ in roots], default=-1) + 1
        depends = bytearray(end)
        for place in range(min(stops, default=end), end):
            head, *operands = self.nodes[place]
            depends[place] = place in stops or (type(head) is Op and any(depends[j] for j in operands))
        adjoints: dict[int, Any] = {}
        for root, seed in roots:
            adjoints[root] = plus(adjoints.get(root, ZERO), seed)
        for place in range(end - 1, -1, -1):
            if depends[place] and place in adjoints and place not in stops:
                op, *operands = self.nodes[place]
                partials = local(op, *(_at(self, j) if depends[j] else self._constant_or_number(j) for j in (place, *operands)))
                for j, partial in zip(operands, partials, strict=True):
                    if depends[j]:
                        adjoints[j] = plus(adjoints.get(j, ZERO), contribution(adjoints[place], partial))
        return [adjoints.get(stop, ZERO) for stop in stops]

    def _constant_or_number(self, place: int) -> Any:
        x = self.value(place)
        return _at(self, place) if x is None else x

    def _place_of(self, result: Any) -> int:
        if is_array(result) and result.ndim == 0:
            result = result[()]
        if type(result) is Recorded:
            return _operand(self, result, ops.positive)
        if type(result) is Value:
            return self.take_in(result)
        if isinstance(result, Number):
            raise TypeError(f"fn must return numbers, it returned a {type(result).__name__}")
        if result is None:
            raise TypeError("fn must return a number, it returned None: is a return missing?")
        return self.constant(as_float(result, "what fn returns"))

    def put(self, node: Node) -> int:
        """A new place: what was computed twice is on the tape twice, so that a replay does what the eager engine does."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def take_in(self, value: Value) -> int:
        """The place of a Value that the function met: a parameter, something computed from Values, or a constant."""
        known = self._values.get(id(value))
        if known is None:
            for guard in self._around:
                guard.converted(value, "compiling a function that meets, as a constant,")
            for node in topological_order([value], known=self._values):
                if node.op is None and is_tracked(node):  # an argument of a derivative inside the function
                    place = self.put((ops.positive, self.constant(node.data)))
                elif node.op is None:
                    self.frozen += 1
                    place = self.constant(node.data)
                else:
                    args = [self._values[id(x)][1] if type(x) is Value else self.constant(x) for x in node.args]
                    place = self.put((node.op, *args))
                self._values[id(node)] = node, place
            known = self._values[id(value)]
        return known[1]

    def _uses_params(self) -> bool:
        return any(live(self.nodes, self.roots)[: self.n_params])

    @property
    def size(self) -> int:
        """How many operations were recorded."""
        return sum(1 for node in self.nodes[self._leaves :] if node[0] is not CONST)


class _Parameters:
    """Guards the Values that are parameters: comparing or converting what depends on them would freeze it."""

    def __init__(self, params: set[int]) -> None:
        self.params = params

    def tracks(self, x: Any) -> bool:
        return type(x) is Recorded or (type(x) is Value and any(id(node) in self.params for node in topological_order([x])))

    def converted(self, x: Any, doing: str = FLOAT) -> None:
        if self.tracks(x):
            raise RecordingError(
                f"comparing or converting a Value that depends on params needs its value, which differs from call to call. {_BRANCH}; "
                f"autograd.max, min and abs are functions that can be recorded.{user_line()}"
            )

    def compared(self, x: Any) -> None:
        self.converted(x)


def _on_tape(tape: Tape, tree: Any, places: Iterable[int]) -> Any:
    """The structure with recorded numbers in place of its numbers."""
    return rebuild(tree, iter([_at(tape, place) for place in places]))


def _flat(result: Any) -> list[Any]:
    """The numbers of a sequence that a function returned."""
    numbers = list(result)
    if not numbers or any(isinstance(x, (list, tuple, dict)) or (is_array(x) and x.ndim) for x in numbers):
        raise TypeError(f"fn must return a number, or a flat sequence of numbers, it returned {_kind(result)}")
    return numbers


def _kind(x: Any) -> str:
    return f"an array of shape {x.shape}" if is_array(x) else f"a {type(x).__name__} of {len(x)}: {shown(x)}"


def _power_partials(y: Any, a: Any, b: Any) -> tuple[Any, ...]:
    """b a^(b-1) as b y / a for exponents below 1/2: see the table. At base 0, where that is nan, rows are replayed."""
    quotient, (_, of_exponent) = b * y / a, ops.power.partials(y, a, b)
    slope = ops.where(ops.less(b, 0.5), quotient, b * ops.power(a, b - 1.0))
    if type(b) is float and (b >= 0.5 or b.is_integer()):
        slope = b * ops.power(a, b - 1.0)
    return when(ops.not_equal(b, 0.0), slope), of_exponent


# Forms of a rule that take fewer instructions or keep more digits, where the table's own is written for one number at a time.
_LEAN: dict[Op, Callable[..., tuple[Any, ...]]] = {
    ops.tanh: lambda y, x: (ops.square(1.0 / ops.cosh(x)),),
    ops.power: _power_partials,
}


def record_partials(op: Op, operands: list[float | None]) -> tuple[Tape, list[int]]:
    """The tape of the rule `op.partials`: input j is the j-th operand, the input after the last operand is the result.

    Args:
        op: the primitive.
        operands: for each operand its float if it is a constant, else None.

    Returns:
        The tape, and for each operand the place of the partial derivative.

    Raises:
        Exception: whatever the rule of a user's own primitive raises when it cannot be recorded.
    """
    tape = Tape()
    inputs = [tape.put((INPUT, j)) for j in range(len(operands) + 1)]
    y = _at(tape, inputs[-1])
    x = [_at(tape, place) if known is None else known for place, known in zip(inputs, operands, strict=False)]
    lean = _LEAN.get(op)
    return tape, [_operand(tape, d if d is ZERO else number(d), op) for d in (lean(y, *x) if lean else local(op, y, *x))]
