"""The stores that are written to: does a write in them, and tells what it comes to.

What moves is told by the operations where it can be, else by comparing the graphs that may have changed with
those of the version before.  Where most of the store goes, it is made anew from what is left.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from medkg.domain.model import GraphWrite, UpdateRequest
from medkg.domain.namespaces import GRAPH_INFERRED
from medkg.store import updates
from medkg.store.difference import Difference, Overhaul, compare, named_graphs, quads_of
from medkg.store.index import Graph, Index, sizes
from medkg.store.pair import Pair
from medkg.store.snapshots import Snapshot
from medkg.store.terms import graph_name
from medkg.store.updates import Steps

__all__ = ["Allow", "Change", "Workspace"]

_DEFAULT: Final = ox.DefaultGraph()
_INFERRED: Final = ox.NamedNode(str(GRAPH_INFERRED))
_SMALL: Final = 50_000
"""Quads that are read before a change, to be compared with those after it; more are compared on the disk."""
_LARGE: Final = 200_000
"""Quads of a change that is not followed one by one, where less than that is left; no difference is kept."""

Allow = Callable[[str], None]
"""Returns when a named graph may be written, and raises an error when it may not."""
Change = Difference | Overhaul


class Workspace:
    """The stores made in *folder* from a version, and what its index says.

    Each write takes them further; after an error they hold anything.

    :raises OSError, RuntimeError: the files can't be copied.
    """

    def __init__(self, folder: Path, snapshot: Snapshot, index: Index) -> None:
        self.pair = Pair(folder, snapshot)
        self.moved_to(snapshot, index)

    def moved_to(self, snapshot: Snapshot, index: Index) -> None:
        """Take the version that was made of the stores as the one that they are compared with."""
        self._snapshot = snapshot
        self._index = index
        self._base: ox.Store | None = None

    @property
    def names(self) -> set[str]:
        """The names of the named graphs."""
        return {graph.value for graph in named_graphs(self._open)}

    @property
    def moved(self) -> set[str]:
        """The named graphs that have come or gone."""
        return self.names ^ self._index.graphs.keys()

    def update(self, request: UpdateRequest, steps: Steps | None, allow: Allow) -> Change:
        """Do an update; return what it comes to.

        :raises MedkgError: see :func:`medkg.store.updates.evaluate`; or what *allow* raises, who is asked
            where that saves the long way to what exactly has changed.
        """
        return self._clear(steps) or self._told(self._evaluate(request, steps, allow))

    def replace(self, change: GraphWrite) -> Change:
        """Make the change of one graph; return what it comes to.

        :raises SourceFileError: what is to be written is no N-Triples.
        """
        names, default = ([], True) if change.graph is None else ([change.graph], False)
        if change.action == "delete" and (emptied := self._empty(names, stay=False, default=default)):
            return emptied
        graph = _DEFAULT if change.graph is None else graph_name(change.graph)
        new = updates.read(change.triples, graph) if change.triples is not None else set()
        if change.action == "post":
            difference = Difference(set(), {quad for quad in new if quad not in self._open})
        else:
            old = self.quads([graph])
            difference = Difference(old - new, new - old)
        told = self._told(difference)
        if isinstance(told, Overhaul) and change.action == "put":
            self._refill(new, names, stay=True, default=default)
        else:
            difference.apply(self._open)
        if isinstance(graph, ox.NamedNode):
            (self._open.remove_graph if change.action == "delete" else self._open.add_graph)(graph)
        return told

    def follow(self, change: Change) -> Change:
        """Bring the merge up with a change; return the change with what that took."""
        if isinstance(change, Overhaul):
            return change | self.pair.infer_anew()
        return change | self.pair.follow(change)

    def index(self, change: Change, version: int) -> Index:
        """Return the index after a change, which makes *version*."""
        if isinstance(change, Difference):
            return self._index.changed(change.removed, change.added, self.names, version)
        fresh, known = Index.of(self._open, version), self._index
        same = {name: known.graphs.get(name, state) for name, state in fresh.graphs.items()}
        graphs = same | {name: fresh.graphs[name] for name in fresh.graphs.keys() & change.graphs}
        return replace(fresh, graphs=graphs, keys=known.keys)

    def quads(self, graphs: Iterable[Graph]) -> set[ox.Quad]:
        """Return what graphs hold."""
        return set(quads_of(self._open, graphs))

    @property
    def _open(self) -> ox.Store:
        return self.pair.plain

    @property
    def _before(self) -> ox.Store:
        """The store of the version before."""
        if self._base is None:
            self._base = ox.Store.read_only(str(self._snapshot.store))
        return self._base

    def _evaluate(self, request: UpdateRequest, steps: Steps | None, allow: Allow) -> Difference:
        """Do an update in the store; return what it comes to."""
        names, default = (None, True) if steps is None else steps.whole()
        changed = self._watch(names, default=default)
        moved = updates.evaluate(self._open, request, steps)
        if names is None:
            # Before the long way to what exactly has changed.
            self._check_sizes(allow)
            return changed()
        watched: set[Graph] = {graph_name(name) for name in names}
        if default:
            watched.add(_DEFAULT)
        return moved.outside(watched) | changed()

    def _watch(self, names: Collection[str] | None, *, default: bool) -> Callable[[], Difference]:
        """Return what tells, after an update, how these graphs (None: all) have changed."""
        if names is None:
            return lambda: self._compare(None)
        graphs: list[Graph] = [graph_name(name) for name in names]
        states = [self._index.graphs.get(name) for name in names]
        if default:
            graphs.append(_DEFAULT)
            states.append(self._index.default)
        if sum(state.triples for state in states if state is not None) > _SMALL:
            return lambda: self._compare(graphs)
        before = self.quads(graphs)

        def changed() -> Difference:
            after = self.quads(graphs)
            return Difference(before - after, after - before)

        return changed

    def _compare(self, graphs: list[Graph] | None) -> Difference:
        if graphs is None:
            graphs = [*named_graphs(self._before, self._open), *([] if self.pair.union else [_DEFAULT])]
        return compare(self._before, self._open, graphs)

    def _check_sizes(self, allow: Allow) -> None:
        """Check the rights to the graphs whose size tells that they have changed."""
        named, _ = sizes(self._open)
        for name in sorted(named.keys() | self._index.graphs.keys()):
            state = self._index.graphs.get(name)
            if state is None or state.triples != named.get(name):
                allow(name)

    def _told(self, change: Difference) -> Change:
        """Return a change as it is to be followed: quad by quad, or by making anew what follows."""
        moved = len(change.removed) + len(change.added)
        rest = self._total + len(change.added) - len(change.removed)
        return Overhaul(change.graphs) if moved > max(_LARGE, rest) else change

    def _clear(self, steps: Steps | None) -> Overhaul | None:
        """Do an update that only empties or drops graphs, where these are most of the store."""
        item = steps.items[0] if steps is not None and len(steps.items) == 1 else None
        if item is None or item.verb not in {"CLEAR", "DROP"}:
            return None
        names = self._index.graphs.keys() if item.graphs is None else item.graphs
        return self._empty(names, stay=item.verb == "CLEAR", default=item.default)

    def _empty(self, names: Collection[str], *, stay: bool, default: bool) -> Overhaul | None:
        """Empty or drop graphs, where these are most of the store; return what that changed, else None."""
        known = self._index.graphs
        gone = sum(known[name].triples for name in names if name in known)
        gone += default * self._index.default.triples
        if gone <= max(_LARGE, self._total - gone):
            return None
        self._refill((), names, stay=stay, default=default)
        return Overhaul({name for name in names if name in known and known[name].triples})

    def _refill(self, quads: Iterable[ox.Quad], names: Collection[str], *, stay: bool, default: bool) -> None:
        """Put quads in the place of some graphs: make the store anew from the others, which are few."""
        there = named_graphs(self._before)
        kept = [graph for graph in there if graph.value not in names]
        copied: list[Graph] = [*kept, *([] if default else [_DEFAULT])]
        if self.pair.union:
            # What the merge and the closures hold is made anew.
            copied = [graph for graph in kept if graph != _INFERRED]
        self.pair.refill(chain(quads, quads_of(self._before, copied)), there if stay else kept)

    @property
    def _total(self) -> int:
        """The number of triples that were written, and of those that graph/inferred has."""
        named = sum(state.triples for state in self._index.graphs.values())
        return named if self.pair.union else named + self._index.default.triples
