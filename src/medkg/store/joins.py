"""Puts the triple patterns of a query into the order of how much they match.

The engine knows no numbers: of several patterns with a constant predicate and object it begins with the one
that the text has first, however much matches it.  The order of the patterns of a block means nothing (SPARQL
1.1 Query, section 18.3.1), so the one that matches least can be the first.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import RDF
from medkg.store.patterns import NAMES, Block, Change, Pattern, Span, extent, written
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["Sizes", "pairs", "reordered"]

_FEW: Final = 64
_MANY: Final = 4_096
"""Matches of a pattern that are counted at most: among larger ones it matters less which goes first."""
_KEPT: Final = 10_000
_TYPE: Final = ox.NamedNode(str(RDF.type))
_OPEN: Final = frozenset({"variable", "label"})

Pair = tuple[ox.NamedNode, ox.NamedNode]


class Sizes:
    """How many triples of a default graph have a predicate and an object; what was counted is remembered."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._known: dict[Pair, tuple[int, bool]] = {}

    def smallest(self, pairs: Sequence[Pair]) -> int:
        """Return the index of the pair with the fewest triples; the first where that takes long to tell."""
        limit = _FEW
        while limit <= _MANY:
            numbers = [self.up_to(limit, pair) for pair in pairs]
            fewest = min(numbers)
            if fewest < limit:
                return numbers.index(fewest)
            limit *= 4
        return 0

    def up_to(self, limit: int, pair: Pair) -> int:
        """Return the number of triples of a pair, or *limit* where there are as many or more."""
        number, exact = self._known.get(pair, (0, False))
        if not exact and number < limit:
            quads = self._store.quads_for_pattern(None, *pair, ox.DefaultGraph())
            number = sum(1 for _ in islice(quads, limit))
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[pair] = (number, number < limit)
        return min(number, limit)


def pairs(block: Block, outline: Outline) -> dict[int, Pair]:
    """Return what those patterns of a block look for that ask for subjects alone, by their index.

    Types are left out: with these the engine begins last, wherever they stand.
    """
    tokens, found = outline.tokens, dict[int, Pair]()
    for at, (subject, predicate, object_) in enumerate(block.patterns):
        if tokens.kinds[subject[0]] in _OPEN:
            first, second = (_node(outline, span) for span in (predicate, object_))
            if first is not None and second is not None and first != _TYPE:
                found[at] = first, second
    return found


def reordered(text: str, outline: Outline, found: Iterable[Block], sizes: Sizes) -> list[Change]:
    """Return what makes, of the patterns for one subject in a block, the first the one that matches least.

    Which subject goes first stays: how many of one belong to one of the other is not known.
    """
    tokens, changes = outline.tokens, list[Change]()
    for block in found:
        order = block.patterns.copy()
        for places, looked_for in _subjects(block, outline):
            first, smallest = places[0], places[sizes.smallest(looked_for)]
            if smallest != first:
                order.remove(block.patterns[smallest])
                order.insert(order.index(block.patterns[first]), block.patterns[smallest])
        if order != block.patterns:
            changes.append((extent(tokens, block.span), "".join(_alone(text, tokens, one) for one in order)))
    return changes


def _subjects(block: Block, outline: Outline) -> Iterator[tuple[list[int], list[Pair]]]:
    """Yield the places of the patterns for one subject, where there are several, and what they look for."""
    if len(block.patterns) < 2:  # noqa: PLR2004 - one alone has its place
        return
    groups = dict[str, dict[int, Pair]]()
    for at, pair in pairs(block, outline).items():
        subject = outline.tokens.texts[block.patterns[at].subject[0]]
        groups.setdefault(subject, {})[at] = pair
    for group in groups.values():
        if len(group) > 1:
            yield list(group), list(group.values())


def _node(outline: Outline, span: Span) -> ox.NamedNode | None:
    """Return the IRI that some tokens are, or None when they are anything else."""
    start, behind = span
    if behind > start + 1 or outline.tokens.kinds[start] not in NAMES:
        return None
    iri = outline.iri(outline.tokens.texts[start])
    try:
        return None if iri is None else ox.NamedNode(iri)
    except ValueError:
        return None


def _alone(text: str, tokens: Tokens, pattern: Pattern) -> str:
    """Return a pattern as a text of its own."""
    return " ".join(written(text, tokens, span) for span in pattern) + " .\n"
