"""What tells one state of a store from another, quad by quad."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from medkg.store.index import Graph

__all__ = ["Difference", "Overhaul", "compare", "named_graphs", "quads_of"]

_MAX_QUADS: Final = 200_000
"""A longer difference is of no use: whoever follows the versions reads the new one instead."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The quads that left a store and those that entered it; no quad is among both."""

    removed: set[ox.Quad] = field(default_factory=set)
    added: set[ox.Quad] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)

    def __or__(self, other: "Difference") -> "Difference":
        """Return this difference followed by another one."""
        return Difference(
            (self.removed - other.added) | (other.removed - self.added),
            (self.added - other.removed) | (other.added - self.removed),
        )

    @property
    def quads(self) -> Iterator[ox.Quad]:
        """All quads that moved."""
        yield from self.removed
        yield from self.added

    @property
    def graphs(self) -> set[str]:
        """The names of the named graphs that are not what they were."""
        return {quad.graph_name.value for quad in self.quads if isinstance(quad.graph_name, ox.NamedNode)}

    def outside(self, graphs: Collection[Graph]) -> "Difference":
        """Return what of it is in other graphs than these."""
        return Difference(
            {quad for quad in self.removed if quad.graph_name not in graphs},
            {quad for quad in self.added if quad.graph_name not in graphs},
        )

    def apply(self, store: ox.Store) -> None:
        """Make the difference in a store."""
        for quad in self.removed:
            store.remove(quad)
        if self.added:
            store.extend(self.added)

    def write(self, folder: Path) -> bool:
        """Write ``removed.nq`` and ``added.nq`` unless they are too long to be of use; tell whether."""
        if len(self.removed) + len(self.added) > _MAX_QUADS:
            return False
        for name, quads in (("removed", self.removed), ("added", self.added)):
            ox.serialize(quads, folder / f"{name}.nq", ox.RdfFormat.N_QUADS)
        return True


@dataclass(frozen=True, slots=True)
class Overhaul:
    """A change that is too long to be told quad by quad: the named graphs that are not what they were."""

    graphs: set[str] = field(default_factory=set)

    def __or__(self, other: "Difference | Overhaul") -> "Overhaul":
        """Return this change followed by another one."""
        return Overhaul(self.graphs | other.graphs)

    def write(self, _folder: Path) -> bool:
        """Write nothing, and say so; see :meth:`Difference.write`."""
        return False


def compare(before: ox.Store, after: ox.Store, graphs: Iterable[Graph]) -> Difference:
    """Return the difference between two stores on the disk in these graphs.

    The engine keeps quads in an order that follows from their terms alone: read in step, two like stores are
    never far apart, and no more than their difference is held in memory.
    """
    result = Difference()
    for graph in graphs:
        removed: set[ox.Quad] = set()
        added: set[ox.Quad] = set()
        old = before.quads_for_pattern(None, None, None, graph)
        new = after.quads_for_pattern(None, None, None, graph)
        for one, other in zip_longest(old, new):
            if one == other:
                continue
            if one is not None:
                _cancel(one, added, removed)
            if other is not None:
                _cancel(other, removed, added)
        result.removed.update(removed)
        result.added.update(added)
    return result


def _cancel(quad: ox.Quad, waiting: set[ox.Quad], mine: set[ox.Quad]) -> None:
    if quad in waiting:
        waiting.remove(quad)
    else:
        mine.add(quad)


def quads_of(store: ox.Store, graphs: Iterable[Graph]) -> Iterator[ox.Quad]:
    """Yield what graphs of a store hold."""
    for graph in graphs:
        yield from store.quads_for_pattern(None, None, None, graph)


def named_graphs(*stores: ox.Store) -> list[ox.NamedNode]:
    """Return the named graphs of stores, those without a quad too."""
    found = {graph for store in stores for graph in store.named_graphs()}
    return [graph for graph in found if isinstance(graph, ox.NamedNode)]
