"""The store that people write to and the one with the merge, which may be the same, kept in step."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import GRAPH_INFERRED
from medkg.store.difference import Difference, Overhaul, named_graphs, quads_of
from medkg.store.merge import Merge
from medkg.store.snapshots import Snapshot

__all__ = ["Pair"]

_INFERRED: Final = ox.NamedNode(str(GRAPH_INFERRED))


class Pair:
    """Copies of the stores of a version, made in *folder* by links to its files.

    *plain* is what people write to.  *merged* has the merge as its default graph, and is another store where
    that of *plain* is what people put there.

    :raises OSError, RuntimeError: the files can't be copied.
    """

    def __init__(self, folder: Path, snapshot: Snapshot) -> None:
        folder.mkdir(parents=True)
        self.plain = self.merged = _open_copy(snapshot.store, folder / "store")
        if not snapshot.union:
            self.merged = _open_copy(snapshot.merged, folder / "merged")
        self._merge = Merge(self.merged)

    @property
    def union(self) -> bool:
        """True when both are the same store."""
        return self.plain is self.merged

    def follow(self, change: Difference) -> Difference:
        """Bring the merge up with a change that *plain* has had; return what that took in *plain*."""
        if self.union:
            return self._merge.follow(change)
        self._follow_aside(change)
        return Difference()

    def infer_anew(self) -> Overhaul:
        """Make the merge anew from what *plain* holds; return what that took in *plain*."""
        if not self.union:
            graphs = [graph for graph in named_graphs(self.plain) if graph != _INFERRED]
            _refill(self.merged, quads_of(self.plain, graphs), graphs)
        self._merge.renew()
        return Overhaul({_INFERRED.value} if self.union else set())

    def refill(self, quads: Iterable[ox.Quad], graphs: Iterable[ox.NamedNode]) -> None:
        """Put *quads* in the place of all that *plain* holds, and have these graphs; the merge stays."""
        _refill(self.plain, quads, graphs)

    def backup(self, folder: Path) -> None:
        """Write the stores into the folder of a version."""
        self.plain.backup(str(folder / "store"))
        if not self.union:
            self.merged.backup(str(folder / "merged"))

    def _follow_aside(self, change: Difference) -> None:
        named = Difference(
            *(
                {quad for quad in quads if _is_shared(quad.graph_name)}
                for quads in (change.removed, change.added)
            )
        )
        named.apply(self.merged)
        self._merge.follow(named)
        here, there = set(named_graphs(self.plain)), set(named_graphs(self.merged))
        for graph in (here ^ there) - {_INFERRED}:
            (self.merged.add_graph if graph in here else self.merged.remove_graph)(graph)


def _open_copy(source: Path, target: Path) -> ox.Store:
    ox.Store.read_only(str(source)).backup(str(target))
    return ox.Store(str(target))


def _refill(store: ox.Store, quads: Iterable[ox.Quad], graphs: Iterable[ox.NamedNode]) -> None:
    # Emptying a store takes no time, and emptying a graph of it as long as deleting each of its quads.
    store.clear()
    store.bulk_extend(quads)
    for graph in graphs:
        store.add_graph(graph)


def _is_shared(graph: object) -> bool:
    """Tell whether a graph is in both stores: the default graph and the closures are different ones."""
    return isinstance(graph, ox.NamedNode) and graph != _INFERRED
