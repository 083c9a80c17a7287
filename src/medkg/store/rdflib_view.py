"""The current version of the graph for people who work with rdflib, through oxrdflib."""

from pathlib import Path

import pyoxigraph as ox
from oxrdflib import OxigraphStore
from rdflib import Dataset

from medkg.store.snapshots import Snapshots

__all__ = ["open_dataset"]


def open_dataset(root: Path) -> Dataset:
    """Return the current version under *root* as a read-only rdflib Dataset; nothing is copied.

    Its default graph is the merge of the public graphs, its contexts are the named graphs.  Oxigraph answers
    the queries, not rdflib.  A version that is published later is not seen.

    :raises StoreMissing: nothing has been built in *root*.
    """
    snapshot = Snapshots(root).require()
    return Dataset(store=OxigraphStore(store=ox.Store.read_only(str(snapshot.merged))))
