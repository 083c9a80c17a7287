"""A version on the disk, read as what it holds."""

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
from rdflib.term import URIRef

from medkg.domain.model import Quad
from medkg.store.memory import MemoryGraph
from medkg.store.snapshots import Snapshot
from medkg.store.terms import quad_from_ox
from medkg.store.writer import is_public

__all__ = ["Version"]


class Version:
    """The version in the folder *path*, opened read-only."""

    def __init__(self, path: Path) -> None:
        self._store = ox.Store.read_only(str(Snapshot(0, path).merged))

    def in_memory(self) -> MemoryGraph:
        """Return the merge and the mentions as one graph."""
        return MemoryGraph.copy(self._store, lambda name: not is_public(name))

    def graph(self, name: URIRef) -> Iterator[Quad]:
        """Yield the triples of one named graph."""
        return map(quad_from_ox, self._store.quads_for_pattern(None, None, None, ox.NamedNode(str(name))))
