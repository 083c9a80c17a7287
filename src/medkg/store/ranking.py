"""Finds the queries that want the first few of many solutions, and cuts off most of what they need not sort.

The engine sorts all solutions of ``ORDER BY ?end LIMIT 10``, by looking up their terms at every comparison.
A sample of the solutions tells a key that enough of them do not go beyond.  What lies behind that key is not
among the first few: a filter leaves it out before the sorting.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import pyoxigraph as ox

from medkg.domain.namespaces import XSD
from medkg.store.patterns import Change, Span, edited, extent
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["Ranking", "ranking"]

_KEY: Final = "medkgKey"
_MOST: Final = 2_000
"""Solutions that a query may want; of more the sample would be as good as all."""
_SAMPLE: Final = 256
_TIMES: Final = 4
"""Solutions in the sample for each that is wanted."""
_PLAIN: Final = frozenset(str(name) for name in (XSD.string, XSD.integer, XSD.decimal))
_TIMELY: Final = frozenset(str(name) for name in (XSD.date, XSD.dateTime))
_ZONE: Final = re.compile(r"(?:Z|[+-]\d\d:\d\d)\Z")
_AFTER: Final = frozenset({"LIMIT", "OFFSET"})
_CONDITION: Final = frozenset(
    {"ASC", "DESC", "STR", "LCASE", "UCASE", "STRLEN", "YEAR", "ABS", "BOUND", "LANG", "COALESCE", "IF"}
)
"""Words that may stand in an ORDER BY: no aggregates, no EXISTS."""
_PATTERNS: Final = frozenset({"A", "FILTER", "LANG", "LANGMATCHES"})
"""Words that may stand in the group: of what these leave a sample is found soon, without a long search."""


class Ranking(NamedTuple):
    """A query that wants *wanted* solutions, offset included: its group, and the first that it sorts by."""

    start: int
    group: Span
    key: Span
    descending: bool
    wanted: int

    @property
    def sampled(self) -> int:
        """The number of solutions that are looked at first."""
        return max(_SAMPLE, _TIMES * self.wanted)

    def sample(self, text: str, tokens: Tokens, changes: Sequence[Change]) -> str:
        """Return the query for the keys of a sample, the first ones in order; *changes* go into the group."""
        start, behind = extent(tokens, self.group)
        group = edited(text, changes, (start, behind))
        key = text[slice(*extent(tokens, self.key))]
        order = "DESC" if self.descending else "ASC"
        return (
            f"{text[: tokens.starts[self.start]]}SELECT ?{_KEY} {{ {{ SELECT ({key} AS ?{_KEY}) {group} "
            f"LIMIT {self.sampled} }} }} ORDER BY {order}(?{_KEY}) LIMIT {self.wanted}"
        )

    def cut(self, text: str, tokens: Tokens, keys: Sequence[object]) -> Change | None:
        """Return the filter that *keys*, those of the sample, allow.

        It leaves out what the engine's operator puts behind the last of them: then its order does so, too, if
        the keys are of one kind that is ordered by its values.
        """
        last = keys[-1] if len(keys) == self.wanted else None
        if not isinstance(last, ox.Literal) or len({_kind(key) for key in keys}) > 1 or not _kind(last):
            return None
        at = tokens.starts[self.group[1] - 1]
        key = text[slice(*extent(tokens, self.key))]
        behind = "<" if self.descending else ">"
        return (at, at), f" FILTER(!COALESCE(({key}) {behind} {last}, false)) "


def ranking(text: str, outline: Outline) -> Ranking | None:
    """Return what a query ranks, or None when it does not, or in a way that is not read here."""
    tokens = outline.tokens
    if outline.form != "select" or outline.volatile or outline.doubtful or _KEY in text:
        return None
    try:
        start = next(at for at in range(len(tokens)) if tokens[at].is_("SELECT"))
        opening = tokens.texts.index("{", start)
        behind = _closing(tokens, opening) + 1
        if not _is_plain(tokens, (start + 1, opening)) or not _is_simple(tokens, (opening + 1, behind)):
            return None
        wanted = _wanted(tokens, behind)
        if not wanted or not (tokens[behind].is_("ORDER") and tokens[behind + 1].is_("BY")):
            return None
        key = _key(tokens, behind + 2)
    except (StopIteration, ValueError, IndexError):
        return None
    descending = tokens[behind + 2].is_("DESC")
    return key and Ranking(start, (opening, behind), key, descending, wanted)


def _is_plain(tokens: Tokens, head: Span) -> bool:
    """Tell whether a query selects only variables, each solution as often as it comes."""
    return all(
        tokens.kinds[at] == "variable" or tokens.texts[at] == "*" or tokens[at].is_("WHERE")
        for at in range(*head)
    )


def _is_simple(tokens: Tokens, group: Span) -> bool:
    """Tell whether a group has triple patterns without paths, and languages to filter by."""
    words = (tokens.texts[at].upper() for at in range(*group) if tokens.kinds[at] == "word")
    inner = tokens.texts[slice(*group)], tokens.kinds[slice(*group)]
    return "{" not in inner[0] and "operator" not in inner[1] and _PATTERNS.issuperset(words)


def _closing(tokens: Tokens, opening: int) -> int:
    """Return the index of the bracket that closes another."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += {"open": 1, "close": -1}.get(tokens.kinds[at], 0)
        if not depth:
            return at
    raise IndexError


def _key(tokens: Tokens, at: int) -> Span | None:
    """Return the first thing that is sorted by: a variable, a call, or what stands in brackets."""
    if tokens.kinds[at] == "variable":
        return at, at + 1
    if tokens[at].is_("ASC", "DESC"):
        at += 1
    opening = at + (tokens.texts[at] != "(")
    return (at, _closing(tokens, opening) + 1) if tokens.texts[opening] == "(" else None


def _wanted(tokens: Tokens, at: int) -> int:
    """Return how many solutions are wanted, with those that are skipped; 0 for all, or for too many."""
    end = len(tokens)
    numbers = dict[str, int]()
    while end - 2 > at and tokens.texts[end - 2].upper() in _AFTER and tokens.texts[end - 1].isdecimal():
        numbers[tokens.texts[end - 2].upper()] = int(tokens.texts[end - 1][:10])
        end -= 2
    words = (tokens.texts[index].upper() for index in range(at + 2, end) if tokens.kinds[index] == "word")
    if "LIMIT" not in numbers or "{" in tokens.texts[at:end] or not _CONDITION.issuperset(words):
        return 0
    wanted = sum(numbers.values())
    return wanted if wanted <= _MOST else 0


def _kind(term: object) -> tuple[str, bool] | None:
    """Return what kind of values a key belongs to, or None when it has no order that is known for sure."""
    if not isinstance(term, ox.Literal):
        return None
    kind = term.datatype.value
    if kind in _TIMELY:
        return kind, bool(_ZONE.search(term.value))
    return (kind, False) if kind in _PLAIN else None
