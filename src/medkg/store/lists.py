"""Keeps the engine from comparing long lists of VALUES with every other row.

The engine takes what matches some patterns for a thousand solutions, however much it is, and begins with what
it takes for less.  So it goes through a longer list once for each of what may be very many solutions.  From a
sub-SELECT it joins the list by its values.  Both have the same solutions: a sub-SELECT of VALUES alone is
these VALUES (SPARQL 1.1 Query, section 18.2.4.3).
"""

from typing import Final

from medkg.store.patterns import Change, Span, extent
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["apart"]

_LONG: Final = 1_000
_TIED: Final = ("EXISTS", "LATERAL")
"""What gives a group the values of the row that it is evaluated for."""
_BEFORE: Final = "FILTER(true) { SELECT * { "
_BEHIND: Final = " } } FILTER(true)"
"""The filters keep a group from being what the words around a list would take and a list is not."""


def apart(outline: Outline) -> list[Change]:
    """Return what puts each long list in the groups of a query into a sub-SELECT."""
    tokens, changes = outline.tokens, list[Change]()
    if outline.doubtful or "VALUES" not in outline.words or any(map(_is_tied, outline.words)):
        return changes
    for at in range(len(tokens)):
        if tokens.insides[at] == "{" and tokens[at].is_("VALUES"):
            try:
                span, size = _list(tokens, at)
            except ValueError:
                # The engine says what is wrong with it.
                return []
            if size > _LONG:
                start, behind = extent(tokens, span)
                changes += [((start, start), _BEFORE), ((behind, behind), _BEHIND)]
    return changes


def _is_tied(word: str) -> bool:
    # The engine needs no space between words.
    return word.endswith(_TIED)


def _list(tokens: Tokens, at: int) -> tuple[Span, int]:
    """Return the tokens of the VALUES at an index, and about how many rows they have.

    :raises ValueError: there are no braces behind it.
    """
    opening = tokens.texts.index("{", at)
    closing = tokens.texts.index("}", opening)
    several = tokens.texts[at + 1] == "("
    rows = tokens.texts[opening:closing].count("(") if several else closing - opening - 1
    return (at, closing + 1), rows
