"""Keeps the engine from comparing long lists of VALUES with every other row.

It takes any VALUES for a thousand rows at most; of more it takes what matches the patterns beside it for the
smaller side, and goes through the whole list for each of that.  From a sub-SELECT it joins the list by its
values.  Both have the same solutions: a sub-SELECT of VALUES alone is these VALUES (SPARQL 1.1 Query,
section 18.2.4.3).
"""

from typing import Final

from medkg.store.patterns import Change, Span, extent
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["apart"]

_LONG: Final = 1_000
_TIED: Final = frozenset({"EXISTS", "LATERAL"})
"""What gives a group the values of the row that it is evaluated for."""


def apart(outline: Outline) -> list[Change]:
    """Return what puts each long list in the groups of a query into a sub-SELECT."""
    tokens, changes = outline.tokens, list[Change]()
    if outline.doubtful or "VALUES" not in outline.words or outline.words & _TIED:
        return changes
    for at in range(len(tokens)):
        if tokens.insides[at] == "{" and tokens[at].is_("VALUES"):
            span, rows = _list(tokens, at)
            if rows > _LONG:
                start, behind = extent(tokens, span)
                changes += [((start, start), "{ SELECT * { "), ((behind, behind), " } }")]
    return changes


def _list(tokens: Tokens, at: int) -> tuple[Span, int]:
    """Return the tokens of the VALUES at an index, and the number of their rows."""
    opening = tokens.texts.index("{", at)
    closing = tokens.texts.index("}", opening)
    several = tokens.texts[at + 1] == "("
    if several and opening == at + 3:
        # No variable has a value, and a sub-SELECT none to select.
        return (at, closing + 1), 0
    number = tokens.texts[opening:closing].count("(") if several else closing - opening - 1
    return (at, closing + 1), number
