"""Puts the triple patterns of a query into the order of how much they match.

The engine knows no numbers: of several patterns with a constant predicate and object it begins with the one
that the text has first, however much matches it.  The order of the patterns of a block means nothing (SPARQL
1.1 Query, section 18.3.1), so the one that matches least can be the first.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import RDF
from medkg.store.patterns import NAMES, Block, Change, Pattern, Span, extent
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["Sizes", "pairs", "reordered"]

_FEW: Final = 64
_MANY: Final = 16_384
"""Matches of a pattern that are counted at most: among larger ones it matters less which goes first."""
_KEPT: Final = 10_000
_TYPE: Final = str(RDF.type)
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
            first, second = (_iri(outline, span) for span in (predicate, object_))
            if first is not None and second is not None and first != _TYPE:
                found[at] = ox.NamedNode(first), ox.NamedNode(second)
    return found


def reordered(text: str, outline: Outline, found: Iterable[Block], sizes: Sizes) -> list[Change]:
    """Return what makes the pattern that matches least the first one of its kind in each block of a text."""
    tokens, changes = outline.tokens, list[Change]()
    for block in found:
        looked_for = pairs(block, outline)
        if len(looked_for) > 1:
            places = list(looked_for)
            first = places[sizes.smallest(list(looked_for.values()))]
            order = block.patterns.copy()
            order.insert(places[0], order.pop(first))
            if first != places[0]:
                written = "".join(_written(text, tokens, pattern) for pattern in order)
                changes.append((extent(tokens, block.span), written))
    return changes


def _iri(outline: Outline, span: Span) -> str | None:
    """Return the IRI that some tokens are, or None when they are anything else."""
    start, behind = span
    if behind > start + 1 or outline.tokens.kinds[start] not in NAMES:
        return None
    text = outline.tokens.texts[start]
    return next((name.iri for name in outline.names if name.text == text), None)


def _written(text: str, tokens: Tokens, pattern: Pattern) -> str:
    """Return a pattern as a text of its own."""
    parts = (text[slice(*extent(tokens, span))] for span in pattern)
    return " ".join(parts) + " .\n"
