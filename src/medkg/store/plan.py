"""Chooses what a query is evaluated as: its own text, or one that has the same solutions with less work."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import pyoxigraph as ox

from medkg.domain.errors import MedkgError
from medkg.domain.model import QueryRequest
from medkg.domain.namespaces import RDF
from medkg.store.counting import counting
from medkg.store.counts import Counts
from medkg.store.evaluate import Dataset, Results, dataset, evaluate
from medkg.store.joins import Sizes, pairs, reordered
from medkg.store.lists import apart
from medkg.store.patterns import Block, Change, Unreadable, blocks, edited
from medkg.store.policy import Outline
from medkg.store.ranking import ranking
from medkg.store.source import Source

__all__ = ["Planner"]

_TYPE: Final = str(RDF.type)


class _Counted(NamedTuple):
    """The counts of a version: as a graph, what that graph has, and the triples of each predicate."""

    graph: ox.Store
    kinds: frozenset[ox.NamedNode]
    predicates: Mapping[str, int] | None


class Planner:
    """Evaluates queries on a version, and remembers what it has learnt of its numbers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: _Counted | None = None
        self._measured: Sizes | None = None

    def evaluate(self, request: QueryRequest, outline: Outline, base: str = "") -> Results:
        """Return the lazy results of a query that was checked; see :func:`medkg.store.evaluate.evaluate`."""
        named = bool(outline.reads_named or request.default_graphs or request.named_graphs)
        data = dataset(self._source.whole, request, outline) if named else Dataset(self._source.default)
        # What is wrong with a query is told of the text that was sent.
        with suppress(MedkgError, RuntimeError):
            found = self._shorter(data, request.text, outline, base, named=named)
            if found is not None:
                return evaluate(*found, {}, base, outline.prefixes)
        return evaluate(data, request.text, {}, base, outline.prefixes)

    def _shorter(
        self, data: Dataset, text: str, outline: Outline, base: str, *, named: bool
    ) -> tuple[Dataset, str] | None:
        """Return what has the same solutions as a query on *data* with less work, or None.

        What is known of numbers is that of the default graph, and of no use where it reads *named* graphs.
        """
        asked = None if named else counting(text, outline)
        if asked is not None:
            counted = self._counted
            return (Dataset(counted.graph), asked.text) if asked.kind in counted.kinds else None
        changes = apart(outline)
        if not named:
            with suppress(Unreadable):
                changes += self._ordered(text, outline, base)
        return (data, edited(text, changes)) if changes else None

    def _ordered(self, text: str, outline: Outline, base: str) -> list[Change]:
        """Return what begins with the patterns that match least, and sorts no more than it must.

        :raises Unreadable: the text has patterns that are not read here.
        """
        found = list(blocks(outline.tokens))
        changes = reordered(text, outline, found, self._sizes)
        return changes + self._cut(text, outline, found, changes, base)

    def _cut(
        self, text: str, outline: Outline, found: list[Block], changes: list[Change], base: str
    ) -> list[Change]:
        """Return what keeps a query for the first few solutions from sorting all, if anything does."""
        ranked = ranking(text, outline, found)
        if ranked is None or not self._are_many(2 * ranked.sampled, outline, found):
            return []
        sample = ranked.sample(text, outline.tokens, changes)
        rows = evaluate(Dataset(self._source.default), sample, {}, base, outline.prefixes)
        assert isinstance(rows, ox.QuerySolutions)  # noqa: S101 - what a SELECT gives
        cut = ranked.cut(text, outline.tokens, (row[0] for row in rows))
        return [] if cut is None else [cut]

    def _are_many(self, number: int, outline: Outline, found: list[Block]) -> bool:
        """Tell whether none of the patterns is known to match less than a number of triples."""
        numbers, texts = self._counted.predicates, outline.tokens.texts
        if numbers is not None:
            used = {texts[pattern.predicate[0]] for block in found for pattern in block.patterns}
            iris = (_TYPE if text == "a" else outline.iri(text) for text in used)
            if any(numbers.get(f"<{iri}>", 0) < number for iri in iris if iri is not None):
                return False
        looked_for = (pair for block in found for pair in pairs(block, outline).values())
        return all(self._sizes.up_to(number, pair) == number for pair in looked_for)

    @property
    def _counted(self) -> _Counted:
        if self._known is None:
            counts = self._source.counts or Counts(None, None)
            self._known = _Counted(*counts.store(), counts.predicates)
        return self._known

    @property
    def _sizes(self) -> Sizes:
        if self._measured is None:
            self._measured = Sizes(self._source.default)
        return self._measured
