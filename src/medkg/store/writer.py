"""Makes the next version of the graph: replaces graphs, closes them, merges them, publishes the result."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pyoxigraph as ox
from rdflib.term import URIRef

from medkg.domain.errors import SourceFileError, StoreFailed
from medkg.domain.model import Quad
from medkg.domain.namespaces import GRAPH_INFERRED
from medkg.store.disk import room
from medkg.store.index import Index, sizes
from medkg.store.memory import MemoryGraph
from medkg.store.merge import build_merge, is_public, make_plain
from medkg.store.snapshots import Snapshot, Snapshots
from medkg.store.terms import from_ox, quad_from_ox, quads_to_ox

__all__ = ["Candidate", "candidate", "is_public"]

_DEFAULT: Final = ox.DefaultGraph()
_INFERRED: Final = ox.NamedNode(str(GRAPH_INFERRED))


class Candidate:
    """A version in the making, on a store of its own that nobody reads yet.

    *folder* is that of the version; its store, with the merge, stands in ``store/``.
    """

    def __init__(self, store: ox.Store, folder: Path, snapshots: Snapshots) -> None:
        self._store = store
        self._folder = folder
        self._snapshots = snapshots

    def graphs(self) -> tuple[URIRef, ...]:
        """Return the names of the named graphs, sorted."""
        names = (name for name in self._store.named_graphs() if isinstance(name, ox.NamedNode))
        return tuple(sorted(URIRef(name.value) for name in names))

    def remove(self, graph: URIRef) -> None:
        """Remove a named graph."""
        self._store.remove_graph(ox.NamedNode(str(graph)))

    def add(self, quads: Iterable[Quad]) -> None:
        """Add quads of named graphs."""
        # Nobody reads a candidate, so the faster load that is not one transaction will do.
        with room():
            self._store.bulk_extend(quads_to_ox(quads))

    def load_file(self, path: Path, graph: URIRef) -> None:
        """Add a file of N-Triples to a named graph; its blank nodes get labels of their own.

        :raises SourceFileError: it is no N-Triples.
        """
        try:
            with room():
                self._store.bulk_load(
                    path=path, format=ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode(str(graph))
                )
        except SyntaxError as error:
            raise SourceFileError(path, str(error), line=error.lineno) from None

    def close(self) -> None:
        """Compute the default graph and ``graph/inferred`` anew.

        The default graph becomes the merge of the public named graphs, each triple once, with every closure.
        """
        with room():
            build_merge(self._store)

    def counts(self) -> Mapping[URIRef, int]:
        """Return the number of triples of each named graph, by name."""
        return {URIRef(name): number for name, number in sorted(sizes(self._store)[0].items())}

    def classes(self, namespace: str) -> Mapping[URIRef, int]:
        """Return the number of entities of each class of *namespace*, the closure included."""
        results = self._store.query("SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s a ?c } GROUP BY ?c")
        assert isinstance(results, ox.QuerySolutions)  # noqa: S101 - what a SELECT gives
        found = {str(from_ox(row["c"])): int(row["n"].value) for row in results}
        return {URIRef(name): found[name] for name in sorted(found) if name.startswith(namespace)}

    def merge(self) -> Iterator[Quad]:
        """Yield the triples of the default graph."""
        found = self._store.quads_for_pattern(None, None, None, ox.DefaultGraph())
        return (quad_from_ox(quad) for quad in found)

    def in_memory(self) -> MemoryGraph:
        """Return the merge and the mentions as one graph."""
        return MemoryGraph.copy(self._store, lambda name: not is_public(name))

    def graph(self, name: URIRef) -> Iterator[Quad]:
        """Yield the triples of one named graph."""
        found = self._store.quads_for_pattern(None, None, None, ox.NamedNode(str(name)))
        return (quad_from_ox(quad) for quad in found)

    def canonical(self) -> Iterator[bytes]:
        """Yield the lines of the named graphs as canonical N-Quads: sorted by their bytes.

        Blank nodes keep the labels that the file reader gave them.
        """
        lines = {
            _line(quad)
            for quad in self._store.quads_for_pattern(None, None, None, None)
            if isinstance(quad.graph_name, ox.NamedNode)
        }
        yield from sorted(lines)

    def publish(self) -> Snapshot:
        """Make this the current version and return it; the candidate can't be used afterwards.

        :raises StorageFull: the disk is full; the version before stays the current one.
        """
        with room():
            self._store.flush()
            self._store.optimize()
            self._index().write(self._folder)
        self.discard()
        return self._snapshots.publish(self._folder)

    def _index(self) -> Index:
        """Return the index of the version, when all else of it is there."""
        before, version = self._snapshots.latest(), self._snapshots.next_version
        if before is None:
            return Index.of(self._store, version)
        old, new = ox.Store.read_only(str(before.store)), self._store
        if not before.union:
            new = make_plain(self._store, self._folder / "store", old)
        return Index.read(before.path).following(old, new, version)

    def discard(self) -> None:
        """Let go of the store; the candidate can't be used afterwards."""
        # The engine holds a lock on the folder as long as the object lives.
        self.__dict__.pop("_store", None)

    def write_canonical(self, file: IO[bytes] | None) -> str:
        """Write the canonical N-Quads to *file* (None: nowhere) and return their SHA-256 in hexadecimal."""
        digest = hashlib.sha256()
        for line in self.canonical():
            digest.update(line)
            if file is not None:
                file.write(line)
        return digest.hexdigest()


@contextmanager
def candidate(root: Path) -> Iterator[Candidate]:
    """Yield a candidate that starts as a copy of the current version under *root*, or empty.

    It disappears when the block is left without :meth:`Candidate.publish`.

    :raises Busy: another process is changing the data folder.
    :raises StoreFailed: the current version can't be copied.
    """
    snapshots = Snapshots(root)
    with snapshots.holding("a build"):
        snapshots.migrate()
        with snapshots.candidate() as folder:
            latest = snapshots.latest()
            path = folder / ("store" if latest is None or latest.union else "merged")
            if latest is not None:
                _copy(latest, path)
            work = Candidate(ox.Store(str(path)), folder, snapshots)
            try:
                yield work
            finally:
                work.discard()


def _copy(snapshot: Snapshot, path: Path) -> None:
    try:
        with room():
            ox.Store.read_only(str(snapshot.merged)).backup(str(path))
    except (OSError, RuntimeError) as error:
        raise StoreFailed(
            "The graph in the data folder can't be copied: it is damaged.",
            remedy="Restore the folder, or build into an empty one.",
        ) from error


def _line(quad: ox.Quad) -> bytes:
    return f"{quad} .\n".encode()
