"""A column of labels behind each column of IRIs in a result, without touching the query.

The rows are taken in batches, and the labels of a batch are looked up in one call.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import DCTERMS, RDFS, SKOS

__all__ = ["BATCH", "PREDICATES", "Labels", "LookUp", "Row", "Term", "best", "from_store"]

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Row = Sequence[Term | None]
LookUp = Callable[[Sequence[ox.NamedNode]], Mapping[ox.NamedNode, ox.Literal]]
"""Gives the label of each of these IRIs that has one."""

BATCH: Final = 1_000
"""Rows that are taken together, and those that decide which columns get labels."""
PREDICATES: Final = tuple(ox.NamedNode(str(name)) for name in (SKOS.prefLabel, RDFS.label, DCTERMS.title))
"""What a label is, best first: the first of them that an IRI has decides."""

_FALLBACK: Final = "en"
_SUFFIX: Final = "Label"
_KNOWN: Final = 20_000
"""IRIs whose labels are kept between batches."""

_Graph = ox.NamedNode | ox.BlankNode | ox.DefaultGraph


class Labels:
    """The labels of a result's IRIs, as *look_up* gives them; each IRI is asked for about once.

    For one result: it remembers what it has seen of one version of the data.
    """

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._known: dict[Term | None, ox.Literal | None] = {}

    def widen(
        self, names: Sequence[str], batches: Iterator[list[Row]]
    ) -> tuple[list[str], Iterator[list[Row]]]:
        """Return the names and the rows of a result with its columns of labels.

        A column ``x`` with an IRI in it within the first batch gets a column ``xLabel`` right behind it,
        unless the result has one of that name; the cell is unbound where there is no label.  An IRI that
        turns up in another column later on has no label: the head is sent by then.
        """
        first = next(batches, [])
        labelled = frozenset(
            place
            for place, name in enumerate(names)
            if name + _SUFFIX not in names and any(type(row[place]) is ox.NamedNode for row in first)
        )
        wide: list[str] = []
        for place, name in enumerate(names):
            wide += [name, name + _SUFFIX] if place in labelled else [name]
        taken = chain([first], batches) if first else batches
        return wide, (self._widened(batch, labelled) for batch in taken)

    def _widened(self, batch: list[Row], labelled: frozenset[int]) -> list[Row]:
        if not labelled:
            return batch
        columns = list(zip(*batch, strict=True))
        self._learn({term for place in labelled for term in columns[place]})
        wide: list[Sequence[Term | None]] = []
        for place, column in enumerate(columns):
            wide.append(column)
            if place in labelled:
                wide.append([self._known.get(term) for term in column])
        return list(zip(*wide, strict=True))

    def _learn(self, terms: set[Term | None]) -> None:
        """Look up the IRIs among *terms* whose labels are not known; a batch has all of its own."""
        if len(self._known) > _KNOWN:
            self._known.clear()
        new = [term for term in terms if type(term) is ox.NamedNode and term not in self._known]
        if new:
            found = self._look_up(new)
            self._known.update((term, found.get(term)) for term in new)


def from_store(store: ox.Store, languages: Sequence[str] = (), graph: _Graph | None = None) -> Labels:
    """Return the labels that stand in one graph of a store (the default graph, when none is named).

    They may only be used by the thread that may use the store's results.
    """
    where = ox.DefaultGraph() if graph is None else graph

    def label(term: ox.NamedNode) -> ox.Literal | None:
        for predicate in PREDICATES:
            values = (quad.object for quad in store.quads_for_pattern(term, predicate, None, where))
            chosen = best((value for value in values if isinstance(value, ox.Literal)), languages)
            if chosen is not None:
                return chosen
        return None

    def look_up(terms: Sequence[ox.NamedNode]) -> dict[ox.NamedNode, ox.Literal]:
        found = ((term, label(term)) for term in terms)
        return {term: chosen for term, chosen in found if chosen is not None}

    return Labels(look_up)


def best(literals: Iterable[ox.Literal], languages: Sequence[str]) -> ox.Literal | None:
    """Return the literal in the first of *languages* that there is one for, else in English, else any.

    A language takes its own variants where it has none itself (``fr`` takes ``fr-be``).  Among the rest the
    order is that of the tags, literals without one first, and then of the texts: the same data gives the same
    label.
    """
    wanted = [language.lower() for language in (*languages, _FALLBACK)]

    def order(literal: ox.Literal) -> tuple[int, str, str]:
        tag = (literal.language or "").lower()
        for rank, language in enumerate(wanted):
            if tag == language:
                return 2 * rank, tag, literal.value
            if tag.startswith(language + "-"):
                return 2 * rank + 1, tag, literal.value
        return 2 * len(wanted), tag, literal.value

    return min(literals, key=order, default=None)
