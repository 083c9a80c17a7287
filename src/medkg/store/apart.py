"""Reads graphs of a version in a process of its own, for one that must not open the engine's store.

The engine leaves threads behind in a process that opens a store on the disk, and a process with threads must
not fork.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pyoxigraph as ox
from rdflib.term import URIRef

from medkg.domain.errors import StoreFailed
from medkg.domain.model import Quad
from medkg.store.terms import quad_from_ox

__all__ = ["graphs_apart"]


def graphs_apart(path: Path, names: Sequence[URIRef]) -> list[Quad]:
    """Return the quads of some named graphs of the store in *path*.

    :raises StoreFailed: they can't be read.
    """
    receiving, sending = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(receiving)
            store = ox.Store.read_only(str(path))
            with os.fdopen(sending, "wb") as file:
                for name in names:
                    quads = store.quads_for_pattern(None, None, None, ox.NamedNode(str(name)))
                    ox.serialize(quads, file, ox.RdfFormat.N_QUADS)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(sending)
    with os.fdopen(receiving, "rb") as file:
        found = [quad_from_ox(quad) for quad in ox.parse(file, ox.RdfFormat.N_QUADS)]
    if os.waitpid(pid, 0)[1] != 0:
        raise StoreFailed("The graphs of the version can't be read.")
    return found
