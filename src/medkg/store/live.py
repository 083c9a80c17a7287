"""The one store that is written to: a scratch copy of the current version, whose changes become the next one.

The switch of the snapshot is the transaction.  Whatever fails before it leaves nothing: the copy is thrown
away, and made anew by links to the files of the current version.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyoxigraph as ox

from medkg.domain.errors import MedkgError, NotFound, PreconditionFailed, StoreFailed
from medkg.domain.model import Author, Commit, GraphState, GraphWrite, Role, UpdateRequest
from medkg.domain.namespaces import GRAPH
from medkg.store import updates
from medkg.store.counts import Counts
from medkg.store.difference import Difference
from medkg.store.disk import room
from medkg.store.index import Index
from medkg.store.merge import make_plain
from medkg.store.policy import Limits
from medkg.store.provenance import record, record_graph
from medkg.store.rights import check_rights, manual_slug
from medkg.store.snapshots import Snapshot, Snapshots
from medkg.store.workspace import Change, Workspace

__all__ = ["Live", "Prepared"]

_DEFAULT: Final = ox.DefaultGraph()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A write that was done: what it led to, and the version in the making (None: there is none to make)."""

    commit: Commit
    folder: Path | None = None
    index: Index | None = None


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
        self._work: Workspace | None = None
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
        return self._work is None

    def reset(self) -> None:
        """Throw the store away and make it anew from the current version."""
        self.abort()
        self._work = None
        shutil.rmtree(self._folder, ignore_errors=True)
        snapshot = self._snapshots.require()
        if snapshot.union is not self._union:
            snapshot = self._convert(snapshot)
        self._index = Index.read(snapshot.path)
        # A path of its own each time: something may still refer to the former store, which holds its lock.
        with _storing():
            if self._index.counts is None:
                counts = Counts.of(ox.Store.read_only(str(snapshot.store)))
                self._index = replace(self._index, counts=counts)
            self._work = Workspace(self._folder / uuid4().hex, snapshot, self._index)
        self._snapshot = snapshot

    def update(
        self, request: UpdateRequest, author: Author, limits: Limits, *, now: datetime, key: str = ""
    ) -> Prepared:
        """Evaluate an update; see :meth:`medkg.store.engine.Endpoint.update`."""
        known = self._begin(key)
        if known is not None:
            return known

        def allow(graph: str) -> None:
            check_rights(author, graph, union=self._union)

        outline = updates.check(request, limits, union=self._union)
        for graph in outline.touched or ():
            allow(graph)
        if author.role is Role.SUBMITTER or (outline.writes_default and not self._union):
            check_rights(author, None, union=self._union)
        steps = updates.steps(request, outline)
        if steps is not None and steps.whole()[0] is None:
            for graph in sorted(self._index.graphs):
                allow(graph)
        with self._changing():
            with _storing():
                change = self._open.update(request, steps, allow)
            for graph in sorted(change.graphs | self._open.moved):
                allow(graph)
            created = bool(self._open.names - self._index.graphs.keys())
            return self._prepare(change, author, now, key, created=created)

    def write(self, change: GraphWrite, author: Author, *, now: datetime, key: str = "") -> Prepared:
        """Change one graph; see :meth:`medkg.store.engine.Endpoint.write`."""
        known = self._begin(key)
        if known is not None:
            return known
        check_rights(author, change.graph, union=self._union)
        state = self._index.default if change.graph is None else self._index.graphs.get(change.graph)
        _check_state(change, state)
        if change.action == "delete" and state is None:
            raise NotFound(
                f"There is no graph <{change.graph}>.",
                remedy="Ask SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }.",
            )
        with self._changing():
            with _storing():
                done = self._open.replace(change)
            return self._prepare(done, author, now, key, created=state is None)

    def publish(self) -> Commit:
        """Make the prepared version the current one.

        :raises StorageFull: the disk is full; the version before stays the current one.
        """
        prepared = self._prepared
        if prepared is None or prepared.folder is None or prepared.index is None:
            raise StoreFailed("Nothing was prepared to be published.")
        with self._changing(), _storing():
            self._snapshot = self._snapshots.publish(prepared.folder, prune=False)
        self._prepared = None
        self._index = prepared.index
        self._open.moved_to(self._snapshot, self._index)
        self._keys.clear()
        return replace(prepared.commit, delta=self._snapshot.path if prepared.commit.delta else None)

    def abort(self) -> None:
        """Forget the prepared version; the store must be made anew."""
        if self._prepared is not None and self._prepared.folder is not None:
            shutil.rmtree(self._prepared.folder, ignore_errors=True)
            self._work = None
        self._prepared = None

    def prune(self, keep: Iterable[int]) -> None:
        """See :meth:`medkg.store.snapshots.Snapshots.prune`."""
        self._snapshots.prune(frozenset(keep))

    def settle(self) -> None:
        """Do now what the next write would have to wait for."""
        if self.stale:
            self.reset()

    @property
    def _open(self) -> Workspace:
        assert self._work is not None  # noqa: S101 - every write begins with whole stores
        return self._work

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
            self._work = None
            raise

    def _prepare(self, change: Change, author: Author, now: datetime, key: str, *, created: bool) -> Prepared:
        """Make the version that holds a change, which the store has already had, ready to be published."""
        moved = self._open.moved
        if not change and not moved:
            if key:
                self._keys[key] = self.version
            return Prepared(Commit(self.version))
        version = self._snapshots.next_version
        with _storing():
            if self._union:
                change |= self._sign(change.graphs | moved, author, now)
            change = self._open.follow(change)
            index = self._open.index(change, version)
            index = index.remembering(self._keys | ({key: version} if key else {}))
            folder = self._snapshots.begin()
            self._prepared = Prepared(Commit(version), folder, index)
            self._open.pair.backup(folder)
            index.write(folder)
            kept = change.write(folder)
        changed = change.graphs | (index.graphs.keys() ^ self._index.graphs.keys())
        commit = Commit(version, tuple(sorted(changed)), created, folder if kept else None)
        self._prepared = Prepared(commit, folder, index)
        return self._prepared

    def _sign(self, graphs: Iterable[str], author: Author, now: datetime) -> Difference:
        """Renew the records of the graphs that were written by hand."""
        result, store = Difference(), self._open.pair.plain
        for slug in filter(None, map(manual_slug, graphs)):
            graph = record_graph(slug)
            old = self._open.quads([graph])
            there = store.contains_named_graph(ox.NamedNode(str(GRAPH[f"manual/{slug}"])))
            new = record(slug, author, now) if there else set()
            result |= Difference(old - new, new - old)
            if not new:
                store.remove_graph(graph)
        result.apply(store)
        return result

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
