"""Chooses what a query is evaluated as: its own text, or one that has the same solutions with less work."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import pyoxigraph as ox

from medkg.domain.errors import QuerySyntaxError
from medkg.domain.model import QueryRequest
from medkg.store.counting import counting
from medkg.store.evaluate import Dataset, Results, dataset, evaluate
from medkg.store.joins import Sizes, pairs, reordered
from medkg.store.patterns import Block, Change, Unreadable, blocks, edited
from medkg.store.policy import Outline
from medkg.store.ranking import ranking
from medkg.store.source import Source

__all__ = ["Planner"]


class Planner:
    """Evaluates queries on a version, and remembers what it has learnt of its numbers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: tuple[ox.Store, frozenset[ox.NamedNode]] | None = None
        self._measured: Sizes | None = None

    def evaluate(self, request: QueryRequest, outline: Outline, base: str = "") -> Results:
        """Return the lazy results of a query that was checked; see :func:`medkg.store.evaluate.evaluate`."""
        if outline.reads_named or request.default_graphs or request.named_graphs:
            data = dataset(self._source.whole, request, outline)
            return evaluate(data, request.text, {}, base)
        for data, text in self._shorter(request.text, outline, base):
            # What is wrong with a query is told of the text that was sent.
            with suppress(QuerySyntaxError):
                return evaluate(data, text, {}, base)
        return evaluate(Dataset(self._source.default), request.text, {}, base)

    def _shorter(self, text: str, outline: Outline, base: str) -> Iterator[tuple[Dataset, str]]:
        """Yield what has the same solutions as a query on the default graph, and takes less work."""
        asked = counting(text, outline)
        if asked is not None:
            store, kinds = self._counts
            if asked.kind in kinds:
                yield Dataset(store), asked.text
        elif changes := self._changes(text, outline, base):
            yield Dataset(self._source.default), edited(text, changes)

    def _changes(self, text: str, outline: Outline, base: str) -> list[Change]:
        """Return what makes a query less work: the order of its patterns, and what it need not sort."""
        try:
            found = list(blocks(outline.tokens))
        except Unreadable:
            return []
        changes = reordered(text, outline, found, self._sizes)
        ranked = ranking(text, outline)
        if ranked is not None and self._are_many(2 * ranked.sampled, found, outline):
            sample = ranked.sample(text, outline.tokens, changes)
            keys = evaluate(Dataset(self._source.default), sample, {}, base)
            assert isinstance(keys, ox.QuerySolutions)  # noqa: S101 - what a SELECT gives
            cut = ranked.cut(text, outline.tokens, [row[0] for row in keys])
            changes += [cut] if cut else []
        return changes

    def _are_many(self, number: int, found: Iterable[Block], outline: Outline) -> bool:
        """Tell whether none of the patterns is known to match less than a number of triples."""
        looked_for = (pair for block in found for pair in pairs(block, outline).values())
        return all(self._sizes.up_to(number, pair) == number for pair in looked_for)

    @property
    def _counts(self) -> tuple[ox.Store, frozenset[ox.NamedNode]]:
        if self._known is None:
            counts = self._source.counts
            self._known = (ox.Store(), frozenset()) if counts is None else counts.store()
        return self._known

    @property
    def _sizes(self) -> Sizes:
        if self._measured is None:
            self._measured = Sizes(self._source.default)
        return self._measured
