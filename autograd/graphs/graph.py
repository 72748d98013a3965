"""Graph: everything that some Values depend on, in an order in which it can be computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, TypeAlias, overload

from ..numbers.value import Value, recomputed, topological_order
from ..support.plain import as_float, shown
from ..support.tables import printable, short, table
from . import storage

_ROWS = 60  # of a printed table; the middle of a longer one is left out
_OPERANDS = 6  # of a node in it
Results: TypeAlias = Any  # a float; a list of them for a graph of several roots, which its type does not tell


class Graph(Sequence[Value]):
    """The computational graph of one Value, or of several: a sequence of its nodes, each after its operands.

    Args:
        roots: a Value, or a sequence of Values.

    Raises:
        TypeError: if a root is not a Value.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> g = Graph(a * b + 1)
    >>> len(g), g.edges, g.depth, g.counts
    (4, 3, 2, {'mul': 1, 'add': 1})
    >>> g.forward({a: 5.0})
    16.0
    """

    def __init__(self, roots: Value | Sequence[Value]) -> None:
        self._single = isinstance(roots, Value)
        given = [roots] if isinstance(roots, Value) or not isinstance(roots, Iterable) else list(roots)
        for root in given:
            if not isinstance(root, Value):
                raise TypeError(f"Graph needs a Value or a sequence of Values (got {shown(root)}, {type(root).__name__})")
        self.roots: tuple[Value, ...] = tuple(given)
        self.nodes: list[Value] = topological_order(self.roots)

    def __len__(self) -> int:
        return len(self.nodes)

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> list[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | list[Value]:
        return self.nodes[index]

    def __iter__(self) -> Iterator[Value]:
        return iter(self.nodes)

    def __contains__(self, node: object) -> bool:
        """Whether this very node is in the graph (== on Values compares their data)."""
        return any(node is other for other in self.nodes)

    @property
    def leaves(self) -> list[Value]:
        """The nodes that nothing computed: inputs and parameters."""
        return [node for node in self.nodes if node.op is None]

    @property
    def edges(self) -> int:
        """How many operands are Values; a * a has two edges."""
        return sum([len(node.parents) for node in self.nodes])

    @property
    def depth(self) -> int:
        """The number of operations on the longest path from a leaf to a root."""
        depth: dict[int, int] = {}
        for node in self.nodes:
            level = 0
            for parent in node.parents:
                if depth[id(parent)] >= level:
                    level = depth[id(parent)] + 1
            depth[id(node)] = level
        return max(depth.values(), default=0)

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes each op has, the most frequent first."""
        return dict(Counter([node.op.name for node in self.nodes if node.op]).most_common())

    def names(self, some: Iterable[Value] | None = None) -> dict[int, str]:
        """A name for each node by its id, or for some: its label if no other node has it, else v and its place in the order.

        A name can be printed: what cannot be seen in a label is escaped.
        """
        labels = {id(node): printable(node.label) for node in self.nodes if node.label}
        taken = Counter(labels.values())
        wanted = None if some is None else set(map(id, some))
        names: dict[int, str] = {}
        for i, key in enumerate(map(id, self.nodes)):
            if wanted is None or key in wanted:
                name = labels.get(key, "")
                if taken[name] != 1:
                    name = f"v{i}"
                    while name in taken:  # somebody's label
                        name += "'"
                names[key] = name
        return names

    def forward(self, updates: Mapping[Value, float] | Mapping[str, float] | Mapping[Value | str, float] | None = None) -> Results:
        """Recompute every node in place, after giving leaves new data.

        Args:
            updates: the new data of leaves. A key is the leaf itself or its label.

        Returns:
            The data of the root; a list of them if the graph was made from several.

        Raises:
            KeyError: if a key is no leaf of this graph, or a label that several leaves have. Nothing has changed then.
        """
        new = self._new_data(updates or {})
        data = dict(new)
        for node in self.nodes:
            if node.op is not None:
                result = node.op.forward(*[data[id(x)] if type(x) is Value else x for x in node.args])
                data[id(node)] = result if type(result) is float else as_float(result, f"result of primitive {node.op.name!r}")
            else:
                data.setdefault(id(node), node.data)
        for leaf in self.leaves:
            if id(leaf) in new:
                leaf.data = new[id(leaf)]
        computed = [node for node in self.nodes if node.op is not None]
        recomputed(computed, (data[id(node)] for node in computed))
        results = [root.data for root in self.roots]
        return results[0] if self._single else results

    def _new_data(self, updates: Mapping[Any, float]) -> dict[int, float]:
        """The new data of leaves by their ids."""
        leaves = {id(x): x for x in self.leaves}
        labelled: dict[str, list[Value]] = {}
        for leaf in leaves.values():
            if leaf.label:
                labelled.setdefault(leaf.label, []).append(leaf)
        data: dict[int, float] = {}
        for key, x in updates.items():
            found = [key] if id(key) in leaves else labelled.get(key, []) if isinstance(key, str) else []
            if len(found) != 1:
                problem = f"{len(found)} leaves have this label" if found else "no leaf of this graph"
                known = ", ".join(map(short, sorted(labelled))) or "none has a label"
                raise KeyError(f"cannot update {shown(key)}: {problem} (labels of leaves: {known})")
            data[id(found[0])] = as_float(x, f"new data of {shown(key)}")
        return data

    def __reduce__(self) -> tuple[type[Graph], tuple[Any]]:
        return Graph, (self.roots[0] if self._single else self.roots,)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the graph to a JSON file that `Graph.load` reads: structure, data, gradients and labels, exactly."""
        storage.save(path, self.nodes, self.roots, self._single)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Graph:
        """Read a graph that `save` wrote. Nothing in the file is executed.

        Raises:
            ValueError: if the file is not a graph, is truncated or has been altered, and says where.
            LookupError: if it needs a primitive that has not been declared.
        """
        roots, single = storage.load(path)
        return cls(roots[0] if single else roots)

    def __str__(self) -> str:
        first, last = (self.nodes, []) if len(self.nodes) <= _ROWS else (self.nodes[: _ROWS // 2], self.nodes[-(_ROWS // 2) :])
        shown = [*first, *last]
        names = self.names([*shown, *(x for node in shown for x in node.args[:_OPERANDS] if isinstance(x, Value))])
        rows = [_row(node, names) for node in shown]
        if last:
            rows.insert(len(first), ("...", f"{len(self.nodes) - len(shown)} more", "...", "..."))
        return f"{self!r}\n{table(('node', 'operation', 'data', 'grad'), rows)}"

    def __repr__(self) -> str:
        return f"<Graph of {len(self.nodes)} nodes, {len(self.leaves)} leaves, {self.edges} edges, depth {self.depth}>"


def _row(node: Value, names: dict[int, str]) -> tuple[str, str, str, str]:
    operands = [names[id(x)] if isinstance(x, Value) else f"{x:.6g}" for x in node.args[:_OPERANDS]]
    if len(node.args) > _OPERANDS:
        operands.append("...")
    operation = f"{node.op.name}({', '.join(operands)})" if node.op else "leaf"
    return names[id(node)], operation, f"{node.data:.6g}", f"{node.grad:.6g}"
