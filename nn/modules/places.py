"""Places: where the Values and the parts of a module are.

They are looked for among its attributes, alone or in lists, tuples, dicts and object arrays, nested as deeply as may be. What holds one
otherwise, such as a set or an object that is no module, is refused: it would silently be left untrained and unsaved.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import is_dataclass
from types import MappingProxyType, MemberDescriptorType
from typing import Any, NamedTuple

from autograd import Op, Value
from autograd.extend import is_array, leaves, rebuild, short

from .instead import Instead, Replaceable, replacing

Part = Any  # a Module, which lies above
_Path = tuple[Any, Any] | None  # the path of what is around, and the key there; None for the module itself
_SIMPLE = {float, int, bool, str, type(None), Op}  # hold nothing


class Place(NamedTuple):
    """A Value of a module: its full name, whose it is, in which attribute, and whether it is trained."""

    name: str
    owner: Part
    attribute: str
    value: Value
    trained: bool

    def number(self) -> Any:
        """The Value, or what stands for it in this block."""
        block = replacing(self.owner, self.attribute)
        return self.value if block is None else block.numbers.get(id(self.value), self.value)


class Survey(NamedTuple):
    """The parts of a module by name, a whole before its parts, each once; and the places of its Values, each as often as it occurs."""

    modules: list[tuple[str, Part]]
    places: list[Place]

    def instead(self, numbers: Mapping[int, Any], **attributes: Any) -> Instead:
        """A block within which numbers stand for Values, by their ids, and attributes of all parts read as given."""
        reading = {id(module): dict(attributes) for _, module in self.modules}
        for _, owner, attribute, *_ in self.places:
            if attribute not in reading[id(owner)]:
                reading[id(owner)][attribute] = _replaced(attributes_of(owner)[attribute], numbers)
        return Instead(reading, numbers)


def survey(module: Part) -> Survey:
    """All of a module.

    Raises:
        TypeError: if there is a Value or a module where it is not looked for.
        ValueError: if two Values have one name.
    """
    found: dict[int, tuple[str, Part]] = {}
    places: list[Place] = []
    hidden: list[tuple[str, Any]] = []
    waiting: list[tuple[_Path, Any]] = [(None, module)]
    while waiting:
        path, owner = waiting.pop()
        if id(owner) in found:
            continue
        found[id(owner)] = _name(path), owner
        hidden += _shared(owner)
        parts = []
        for attribute, content in attributes_of(owner).items():
            for inner, x in _visited((path, attribute), content):
                kind = type(x)
                if kind is Value:
                    if x.op is None:
                        places.append(Place(_name(inner), owner, attribute, x, attribute not in owner.buffers))
                elif isinstance(x, Replaceable):
                    parts.append((inner, x))
                elif isinstance(x, dict):
                    hidden += [(f"{_name(inner)}, as a key", key) for key in x if isinstance(key, (Value, Replaceable))]
                elif kind not in _SIMPLE and kind not in (list, tuple):
                    hidden += [(f"{_name(inner)}, a {kind.__name__}", y) for y in _hidden(x)]
        waiting += reversed(parts)
    _check(places, hidden, {id(place.value) for place in places} | found.keys())
    return Survey(list(found.values()), places)


def once(places: Iterable[Place]) -> list[Place]:
    """The first place of each Value."""
    first: dict[int, Place] = {}
    for place in places:
        first.setdefault(id(place.value), place)
    return list(first.values())


def _check(places: list[Place], hidden: list[tuple[str, Any]], known: set[int]) -> None:
    names: dict[str, Value] = {}
    for name, _, _, value, _ in places:
        if names.setdefault(name, value) is not value:
            way_out = "rename one of the keys or attributes that lead there"
            raise ValueError(f"two Values of the module have one name, {short(name, 100)}: {way_out}")
    for where, x in hidden:
        if id(x) not in known:
            raise TypeError(
                f"a {type(x).__name__} is in {short(where, 100)}, where it would neither be trained nor saved: keep Values and modules "
                "among the attributes of a module, alone or in lists, tuples, dicts and object arrays"
            )


def check_held(module: Part, output: Any) -> None:
    """Raise a TypeError if what the module computed depends on Values that are none of its own, say of a closure, a generator or a global
    name: they would silently be left untrained and unsaved.
    """
    held = {id(place.value) for place in survey(module).places}
    waiting = [x for x in leaves(output) if type(x) is Value]
    while waiting:
        x = waiting.pop()
        if id(x) in held:
            continue
        held.add(id(x))
        if x.op is None:
            raise TypeError(
                f"the model computes with {x!r}, which is not among its attributes and would neither be trained nor saved: keep it there, "
                "alone or in lists, tuples, dicts and object arrays; where a constant is meant, take a float, or stop_gradient(x)"
            )
        if not x.op.is_flat:
            waiting += x.parents


def attributes_of(x: Any) -> dict[str, Any]:
    """What the attributes of an object hold, whatever they read as."""
    own = getattr(x, "__dict__", None)
    return {**dict(_slots(x)), **(own if isinstance(own, dict) else {})}


def _slots(x: Any) -> Iterator[tuple[str, Any]]:
    for cls in type(x).__mro__:
        if "__slots__" in vars(cls):
            for name, member in vars(cls).items():
                if isinstance(member, MemberDescriptorType):
                    with suppress(AttributeError):  # not set
                        yield name, member.__get__(x)


# Containers ---------------------------------------------------------------------------------------------------------------


def _items(x: Any) -> list[tuple[Any, Any]] | None:
    """What a container holds, by its keys; None for anything else."""
    if isinstance(x, dict):
        return list(x.items())
    if isinstance(x, (list, tuple)):
        return list(enumerate(x))
    if is_array(x) and x.dtype == object:
        return [(".".join(map(str, index)), x[index]) for index in sys.modules["numpy"].ndindex(x.shape)]
    return None


def _visited(path: _Path, content: Any) -> Iterator[tuple[_Path, Any]]:
    """All that nested containers hold; the containers, too, each once and after what it holds."""
    waiting: list[tuple[_Path, Any, bool]] = [(path, content, False)]
    entered: set[int] = set()
    while waiting:
        path, x, left = waiting.pop()
        items = None if left else _items(x)
        if items is None:
            yield path, x
        elif id(x) not in entered:
            entered.add(id(x))
            waiting.append((path, x, True))
            waiting += [((path, key), item, False) for key, item in reversed(items) if type(item) not in _SIMPLE]


def _replaced(content: Any, numbers: Mapping[int, Any]) -> Any:
    """A copy of nested containers with numbers in the places of Values, by their ids."""
    containers = [x for _, x in _visited(None, content) if _items(x) is not None]
    stands = {**numbers, **{id(x): copy(x) for x in containers if isinstance(x, (dict, list))}}  # first, as they may hold themselves
    for x in containers:
        items = [stands.get(id(item), item) for _, item in _items(x) or ()]
        if isinstance(x, tuple):
            stands[id(x)] = type(x)._make(items) if hasattr(x, "_make") else tuple(items)
        elif is_array(x):
            stands[id(x)] = rebuild(x, iter(items))
    for x in containers:
        if isinstance(x, dict):
            stands[id(x)].update({key: stands.get(id(item), item) for key, item in x.items()})
        elif isinstance(x, list):
            stands[id(x)][:] = [stands.get(id(item), item) for item in x]
    return stands.get(id(content), content)


def _name(path: _Path) -> str:
    parts: list[str] = []
    while path is not None:
        path, key = path
        parts.append(str(key))
    return ".".join(filter(None, reversed(parts)))


# Elsewhere ----------------------------------------------------------------------------------------------------------------


def _shared(module: Part) -> Iterator[tuple[str, Any]]:
    """The Values and modules of a class, which all instances share that have nothing of their own in its place."""
    for cls in type(module).__mro__:
        if cls.__module__.partition(".")[0] not in ("nn", "builtins"):
            for name, x in vars(cls).items():
                if name not in vars(module):
                    yield from ((f"{cls.__name__}.{name}, which belongs to the class", y) for y in _hidden([x]))


def _hidden(x: Any) -> Iterator[Any]:
    """The Values and modules that an object holds, alone or in containers of any kind."""
    waiting = _held(x)
    entered: set[int] = set()
    while waiting:
        y = waiting.pop()
        if isinstance(y, Replaceable) or (type(y) is Value and y.op is None):
            yield y
        elif id(y) not in entered and (isinstance(y, _CONTAINERS) or is_array(y) or is_dataclass(y)):
            entered.add(id(y))
            waiting += _held(y)


_CONTAINERS = (dict, list, tuple, set, frozenset, deque, MappingProxyType)


def _held(x: Any) -> list[Any]:
    """What an object holds: a container in its places, any other in its attributes."""
    if isinstance(x, (dict, MappingProxyType)):
        return [*x, *x.values()]
    if isinstance(x, _CONTAINERS):
        return list(x)
    if is_array(x):
        return list(x.flat) if x.dtype == object else []
    return list(attributes_of(x).values())
