"""The one store that is written to: a scratch copy of the current version, whose changes become the next one.

The switch of the snapshot is the transaction.  Whatever fails before it leaves nothing: the copy is thrown
away, and made anew by links to the files of the current version.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyoxigraph as ox

from medkg.domain.errors import MedkgError, NotFound, PreconditionFailed, StoreFailed
from medkg.domain.model import Author, Commit, GraphState, GraphWrite, Role, UpdateRequest
from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED
from medkg.store import updates
from medkg.store.difference import Difference, compare, named_graphs
from medkg.store.disk import room
from medkg.store.index import Graph, Index, sizes
from medkg.store.merge import Merge, make_plain
from medkg.store.policy import Limits, UpdateOutline
from medkg.store.provenance import record, record_graph
from medkg.store.rights import check_rights, manual_slug
from medkg.store.snapshots import Snapshot, Snapshots
from medkg.store.terms import graph_name

__all__ = ["Live", "Prepared"]

_DEFAULT: Final = ox.DefaultGraph()
_INFERRED: Final = ox.NamedNode(str(GRAPH_INFERRED))
_SMALL: Final = 50_000
"""Quads that are read before a change, to be compared with those after it; more are compared on the disk."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A write that was done: what it led to, and the version in the making (None: there is none to make)."""

    commit: Commit
    folder: Path | None = None
    index: Index | None = None


@dataclass(frozen=True, slots=True)
class _Stores:
    """The store that is written to, and the one with the merge, which may be the same."""

    plain: ox.Store
    merged: ox.Store
    merge: Merge


class Live:
    """The store of the writer in the data folder *root*, which the caller holds.

    A write prepares the next version; :meth:`publish` or :meth:`abort` must follow.  Without *union* the
    default graph is what people put there, and a second store has the merge.

    :raises StoreMissing: nothing has been built.
    :raises StoreFailed: the current version can't be copied, or does not fit *union*.
    """

    def __init__(self, root: Path, *, union: bool = True) -> None:
        self.root = root
        self._snapshots = Snapshots(root)
        self._folder = root / "live"
        self._union = union
        self._stores: _Stores | None = None
        self._prepared: Prepared | None = None
        self._keys: dict[str, int] = {}
        """Keys of writes that changed nothing, until the next version takes them along."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._snapshots.migrate()
        self._snapshots.sweep()
        self.reset()

    @property
    def version(self) -> int:
        """The number of the version that the next write goes on from."""
        return self._snapshot.version

    @property
    def stale(self) -> bool:
        """True when a failure has left something in the store that belongs to no version."""
        return self._stores is None

    def reset(self) -> None:
        """Throw the store away and make it anew from the current version."""
        self.abort()
        self._stores = None
        shutil.rmtree(self._folder, ignore_errors=True)
        snapshot = self._snapshots.require()
        if snapshot.union is not self._union:
            snapshot = self._convert(snapshot)
        # A path of its own each time: something may still refer to the former store, which holds its lock.
        folder = self._folder / uuid4().hex
        with _storing():
            folder.mkdir(parents=True)
            plain = merged = _open_copy(snapshot.store, folder / "store")
            if not self._union:
                merged = _open_copy(snapshot.merged, folder / "merged")
            self._stores = _Stores(plain, merged, Merge(merged))
        self._index = Index.read(snapshot.path)
        self._snapshot = snapshot
        self._base: ox.Store | None = None

    def update(
        self, request: UpdateRequest, author: Author, limits: Limits, *, now: datetime, key: str = ""
    ) -> Prepared:
        """Evaluate an update; see :meth:`medkg.store.engine.Endpoint.update`."""
        known = self._begin(key)
        if known is not None:
            return known
        outline = updates.check(request, limits, union=self._union)
        for graph in outline.touched or ():
            check_rights(author, graph, union=self._union)
        if author.role is Role.SUBMITTER or (outline.writes_default and not self._union):
            check_rights(author, None, union=self._union)
        changed = self._watch(outline)
        updates.evaluate(self._open, request)
        with self._changing():
            if outline.touched is None:
                # Before the long way to what exactly has changed.
                self._check_sizes(author)
            change = changed()
            names = self._names()
            for graph in sorted(change.graphs | (names ^ set(self._index.graphs))):
                check_rights(author, graph, union=self._union)
            return self._prepare(change, author, now, key, created=bool(names - set(self._index.graphs)))

    def write(self, change: GraphWrite, author: Author, *, now: datetime, key: str = "") -> Prepared:
        """Change one graph; see :meth:`medkg.store.engine.Endpoint.write`."""
        known = self._begin(key)
        if known is not None:
            return known
        check_rights(author, change.graph, union=self._union)
        graph = _DEFAULT if change.graph is None else graph_name(change.graph)
        state = self._index.default if change.graph is None else self._index.graphs.get(change.graph)
        _check_state(change, state)
        if change.action == "delete" and state is None:
            raise NotFound(
                f"There is no graph <{change.graph}>.",
                remedy="Ask SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }.",
            )
        with self._changing():
            difference = self._replace(change, graph)
            return self._prepare(difference, author, now, key, created=state is None)

    def publish(self) -> Commit:
        """Make the prepared version the current one.

        :raises StorageFull: the disk is full; the version before stays the current one.
        """
        prepared = self._prepared
        if prepared is None or prepared.folder is None or prepared.index is None:
            raise StoreFailed("Nothing was prepared to be published.")
        with self._changing(), _storing():
            self._snapshot = self._snapshots.publish(prepared.folder, prune=False)
        self._prepared = self._base = None
        self._index = prepared.index
        self._keys.clear()
        return replace(prepared.commit, delta=self._snapshot.path if prepared.commit.delta else None)

    def abort(self) -> None:
        """Forget the prepared version; the store must be made anew."""
        if self._prepared is not None and self._prepared.folder is not None:
            shutil.rmtree(self._prepared.folder, ignore_errors=True)
            self._stores = None
        self._prepared = None

    def prune(self, keep: Iterable[int]) -> None:
        """See :meth:`medkg.store.snapshots.Snapshots.prune`."""
        self._snapshots.prune(frozenset(keep))

    def settle(self) -> None:
        """Do now what the next write would have to wait for."""
        if self.stale:
            self.reset()

    @property
    def _whole(self) -> _Stores:
        assert self._stores is not None  # noqa: S101 - every write begins with whole stores
        return self._stores

    @property
    def _open(self) -> ox.Store:
        return self._whole.plain

    def _begin(self, key: str) -> Prepared | None:
        """Return the outcome of a write that came before, or None when the store is ready for a new one."""
        self.abort()
        if self.stale:
            self.reset()
        version = self._keys.get(key, self._index.keys.get(key)) if key else None
        return None if version is None else Prepared(Commit(version))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.abort()
            self._stores = None
            raise

    def _names(self) -> set[str]:
        return {graph.value for graph in named_graphs(self._open)}

    def _watch(self, outline: UpdateOutline) -> Callable[[], Difference]:
        """Return what tells, after an update, how the graphs that it may touch have changed."""
        if outline.touched is None:
            return lambda: self._compare(None)
        graphs: list[Graph] = [graph_name(name) for name in outline.touched]
        states = [self._index.graphs.get(name) for name in outline.touched]
        if outline.writes_default:
            graphs.append(_DEFAULT)
            states.append(self._index.default)
        if sum(state.triples for state in states if state is not None) > _SMALL:
            return lambda: self._compare(graphs)
        before = self._quads(graphs)

        def changed() -> Difference:
            after = self._quads(graphs)
            return Difference(before - after, after - before)

        return changed

    def _quads(self, graphs: Iterable[Graph]) -> set[ox.Quad]:
        return {quad for graph in graphs for quad in self._open.quads_for_pattern(None, None, None, graph)}

    def _compare(self, graphs: list[Graph] | None) -> Difference:
        if self._base is None:
            self._base = ox.Store.read_only(str(self._snapshot.store))
        if graphs is None:
            graphs = [*named_graphs(self._base, self._open), *([] if self._union else [_DEFAULT])]
        return compare(self._base, self._open, graphs)

    def _check_sizes(self, author: Author) -> None:
        """Check the rights to the graphs whose size tells that they have changed."""
        named, _ = sizes(self._open)
        for name in sorted(named.keys() | self._index.graphs.keys()):
            state = self._index.graphs.get(name)
            if state is None or state.triples != named.get(name):
                check_rights(author, name, union=self._union)

    def _replace(self, change: GraphWrite, graph: ox.NamedNode | ox.DefaultGraph) -> Difference:
        """Make the change of one graph in the store; return what it comes to."""
        store = self._open
        new = updates.read(change.triples, graph) if change.triples is not None else set()
        if change.action == "post":
            difference = Difference(set(), {quad for quad in new if quad not in store})
        else:
            old = self._quads([graph])
            difference = Difference(old - new, new - old)
        with _storing():
            difference.apply(store)
            if isinstance(graph, ox.NamedNode):
                if change.action == "delete":
                    store.remove_graph(graph)
                else:
                    store.add_graph(graph)
        return difference

    def _prepare(
        self, change: Difference, author: Author, now: datetime, key: str, *, created: bool
    ) -> Prepared:
        """Make the version that holds a change, which the store has already had, ready to be published."""
        moved = self._names() ^ set(self._index.graphs)
        if not change and not moved:
            if key:
                self._keys[key] = self.version
            return Prepared(Commit(self.version))
        version = self._snapshots.next_version
        with _storing():
            if self._union:
                change |= self._sign(change.graphs | moved, author, now)
                change |= self._whole.merge.follow(change)
            else:
                self._follow_aside(change)
            names = self._names()
            index = self._index.changed(change.removed, change.added, names, version)
            index = index.remembering(self._keys | ({key: version} if key else {}))
            folder = self._snapshots.begin()
            self._prepared = Prepared(Commit(version), folder, index)
            self._open.backup(str(folder / "store"))
            if not self._union:
                self._whole.merged.backup(str(folder / "merged"))
            index.write(folder)
            kept = change.write(folder)
        changed = change.graphs | (names ^ set(self._index.graphs))
        commit = Commit(version, tuple(sorted(changed)), created, folder if kept else None)
        self._prepared = Prepared(commit, folder, index)
        return self._prepared

    def _sign(self, graphs: Iterable[str], author: Author, now: datetime) -> Difference:
        """Renew the records of the graphs that were written by hand."""
        result = Difference()
        for slug in filter(None, map(manual_slug, graphs)):
            graph = record_graph(slug)
            old = self._quads([graph])
            there = self._open.contains_named_graph(ox.NamedNode(str(GRAPH[f"manual/{slug}"])))
            new = record(slug, author, now) if there else set()
            result |= Difference(old - new, new - old)
            if not new:
                self._open.remove_graph(graph)
        result.apply(self._open)
        return result

    def _follow_aside(self, change: Difference) -> None:
        """Bring the store with the merge up with a change of the other one."""
        named = Difference(
            *(
                {quad for quad in quads if _is_shared(quad.graph_name)}
                for quads in (change.removed, change.added)
            )
        )
        named.apply(self._whole.merged)
        self._whole.merge.follow(named)
        here, there = set(named_graphs(self._open)), set(named_graphs(self._whole.merged))
        for graph in (here ^ there) - {_INFERRED}:
            (self._whole.merged.add_graph if graph in here else self._whole.merged.remove_graph)(graph)

    def _convert(self, snapshot: Snapshot) -> Snapshot:
        """Publish the version anew in the other mode, with the merge in its default graph or aside."""
        index = Index.read(snapshot.path)
        merged = ox.Store.read_only(str(snapshot.merged))
        with self._snapshots.candidate() as folder, _storing():
            if self._union:
                if index.default.triples:
                    raise StoreFailed(
                        f"The default graph holds {index.default.triples:,} triples, which would be lost "
                        "where it is the merge of the named graphs.",
                        remedy="Set MEDKG_UNION_DEFAULT_GRAPH=false, or move them to a named graph first.",
                    )
                merged.backup(str(folder / "store"))
                new = ox.Store.read_only(str(folder / "store"))
            else:
                merged.backup(str(folder / "merged"))
                new = make_plain(merged, folder / "store", None)
            old = ox.Store.read_only(str(snapshot.store))
            index.following(old, new, self._snapshots.next_version).write(folder)
            del new
            return self._snapshots.publish(folder, prune=False)


@contextmanager
def _storing() -> Iterator[None]:
    """Run a block that works on the store.

    :raises StorageFull: the disk is full.
    :raises StoreFailed: the engine could not do its work.
    """
    try:
        with room():
            yield
    except MedkgError:
        raise
    except (OSError, RuntimeError) as error:
        raise StoreFailed(
            "The store could not be written; nothing was changed.", remedy="See the log of the service."
        ) from error


def _open_copy(source: Path, target: Path) -> ox.Store:
    ox.Store.read_only(str(source)).backup(str(target))
    return ox.Store(str(target))


def _is_shared(graph: object) -> bool:
    """Tell whether a graph is in both stores: the default graph and the closures are different ones."""
    return isinstance(graph, ox.NamedNode) and graph != _INFERRED


def _check_state(change: GraphWrite, state: GraphState | None) -> None:
    """Compare a graph with what the client expects of it (RFC 9110, section 13.1)."""
    wanted, unwanted = change.expected, change.unexpected
    if wanted is not None and not _is_in(state, wanted):
        what = "has changed" if state is not None else "is not there"
    elif unwanted is not None and _is_in(state, unwanted):
        what = "is already there" if unwanted < 0 else "has not changed"
    else:
        return
    name = "The default graph" if change.graph is None else f"<{change.graph}>"
    raise PreconditionFailed(f"{name} {what}.", remedy="Read it again and decide anew.")


def _is_in(state: GraphState | None, number: int) -> bool:
    """Tell whether a graph is in a state: 0 not there, -1 there, else last changed in that version."""
    if number > 0:
        return state is not None and state.changed == number
    return (state is None) == (number == 0)
