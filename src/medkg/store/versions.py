"""A version on the disk, read as what it holds."""

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
from rdflib.term import URIRef

from medkg.domain.model import Quad
from medkg.store.snapshots import Snapshot
from medkg.store.terms import quad_from_ox
from medkg.store.writer import is_public

__all__ = ["Version"]


class Version:
    """The version in the folder *path*, opened read-only."""

    def __init__(self, path: Path) -> None:
        self._store = ox.Store.read_only(str(Snapshot(0, path).merged))

    def merge(self) -> Iterator[Quad]:
        """Yield the triples of the default graph."""
        return map(quad_from_ox, self._store.quads_for_pattern(None, None, None, ox.DefaultGraph()))

    def hidden(self) -> Iterator[Quad]:
        """Yield the quads of the named graphs that are not in the merge."""
        for name in self._store.named_graphs():
            if isinstance(name, ox.NamedNode) and not is_public(name.value):
                yield from map(quad_from_ox, self._store.quads_for_pattern(None, None, None, name))

    def graph(self, name: URIRef) -> Iterator[Quad]:
        """Yield the triples of one named graph."""
        return map(quad_from_ox, self._store.quads_for_pattern(None, None, None, ox.NamedNode(str(name))))
