"""What a reader answers from: the version in memory, the one on the disk, or each for what it is best at.

Where the default graph is the merge of the others, memory holds the merge alone.  The engine's store in
memory chains all quads of a term, whatever their graph: a second copy of each triple would make most
questions half as slow again, and take twice the memory.  What asks for named graphs is answered from the
disk.
"""

from pathlib import Path

import pyoxigraph as ox

from medkg import children
from medkg.domain.errors import StoreFailed
from medkg.store.counts import Counts
from medkg.store.index import Index

__all__ = ["Source"]


class Source:
    """A version: *memory* is its store or, where *path* is given too, its default graph.

    *path* is the folder of its store, opened when it is needed.  *terms* are those of the ontology and the
    vocabularies, *counts* those of the default graph, where somebody has collected them.  With neither store
    there is nothing but documents to read.
    """

    def __init__(
        self,
        memory: ox.Store | None = None,
        path: Path | None = None,
        terms: frozenset[str] | None = None,
        counts: Counts | None = None,
    ) -> None:
        self.terms = terms
        self._counts = counts
        self._memory = memory
        self._path = path
        self._whole = memory if path is None else None

    @property
    def whole(self) -> ox.Store:
        """The store with all graphs.

        :raises StoreFailed: there is none, or it can't be opened.
        """
        if self._whole is None:
            self._whole = _opened(self._path)
        return self._whole

    @property
    def default(self) -> ox.Store:
        """A store with the default graph, and perhaps no other."""
        return self._memory if self._memory is not None else self.whole

    @property
    def counts(self) -> Counts | None:
        """The counts of the default graph, if they are known.

        :raises StoreFailed: what the version says of itself can't be read.
        """
        if self._counts is None and self._path is not None:
            self._counts = Index.read(self._path.parent).counts
        return self._counts

    def open(self, *, all_files: bool) -> None:
        """Open what every request needs; with *all_files* what any may need, since nothing opens later."""
        if self._path is not None and (self._memory is None or all_files):
            self._whole = self.whole


def _opened(path: Path | None) -> ox.Store:
    try:
        if path is not None:
            # The engine takes memory for each store, whatever it is asked; that is no request's.
            with children.memory_not_counted():
                return ox.Store.read_only(str(path))
    except (OSError, RuntimeError) as error:
        raise StoreFailed("The graph can't be opened.") from error
    raise StoreFailed("There is no graph here.")
