"""Finds the queries that want the first few of many solutions, and cuts off most of what they need not sort.

The engine sorts all solutions of ``ORDER BY ?end LIMIT 10``, by looking up their terms at every comparison.
A sample of the solutions tells a key that enough of them do not go beyond.  What lies behind that key is not
among the first few: a filter leaves it out before the sorting.

Where the engine's order of the keys is none (it has numbers that are too large for it, and years of five
digits, before and behind the same ones), neither text has an order that could be kept.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import pyoxigraph as ox

from medkg.domain.namespaces import RDF, XSD
from medkg.store.patterns import Block, Change, Span, edited, extent, written
from medkg.store.policy import Outline
from medkg.store.tokens import Tokens

__all__ = ["Ranking", "ranking"]

_KEY: Final = "medkgKey"
_MOST: Final = 2_000
"""Solutions that a query may want; of more the sample would be as good as all."""
_DIGITS: Final = 9
_SAMPLE: Final = 256
_TIMES: Final = 4
"""Solutions in the sample for each that is wanted."""
_AFTER: Final = frozenset({"LIMIT", "OFFSET"})
_CONDITION: Final = frozenset(
    {"ASC", "DESC", "STR", "LCASE", "UCASE", "STRLEN", "YEAR", "ABS", "BOUND", "LANG", "COALESCE", "IF"}
)
"""Words that may stand in an ORDER BY: no aggregates, no EXISTS."""
_LANGUAGE: Final = re.compile(
    r"FILTER \( (?:LANG \( \S+ \) = \S+|LANGMATCHES \( LANG \( \S+ \) , \S+ \)) \)", re.IGNORECASE
)
"""The filters that leave enough for a sample to be found soon."""

_DAY: Final = r"\d{4}-\d\d-\d\d"
_TIME: Final = r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_VALUES: Final = {
    str(RDF.langString): re.compile(r".*", re.DOTALL),
    str(XSD.string): re.compile(r".*", re.DOTALL),
    str(XSD.integer): re.compile(r"[+-]?\d{1,18}"),
    str(XSD.decimal): re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?"),
    str(XSD.date): re.compile(_DAY),
    str(XSD.dateTime): re.compile(_DAY + _TIME),
}
"""Literals whose values are in the order of their texts, or of the numbers that they are."""
_NUMBERS: Final = frozenset({str(XSD.integer), str(XSD.decimal)})


class Ranking(NamedTuple):
    """A query that wants *wanted* solutions, those that it skips included, by its key first."""

    start: int
    group: Span
    key: Span
    descending: bool
    wanted: int

    @property
    def sampled(self) -> int:
        """The number of solutions that are looked at."""
        return max(_SAMPLE, _TIMES * self.wanted)

    def sample(self, text: str, tokens: Tokens, changes: list[Change]) -> str:
        """Return the query for the keys of a sample; *changes* go into the group."""
        group = edited(text, changes, extent(tokens, self.group))
        key = written(text, tokens, self.key)
        return f"{text[: tokens.starts[self.start]]}SELECT ({key} AS ?{_KEY}) {group} LIMIT {self.sampled}"

    def cut(self, text: str, tokens: Tokens, keys: Iterable[object]) -> Change | None:
        """Return the filter that *keys*, those of a sample, allow.

        It leaves out what the engine's operator puts behind the last that is wanted.  None where that would
        be nothing, and where the keys are not of one kind.
        """
        found = list[tuple[str | Decimal, ox.Literal]]()
        for key in keys:
            valued = _valued(key)
            if valued is None or (found and _kind(valued[1]) != _kind(found[0][1])):
                return None
            found.append(valued)
        if len(found) < self.sampled:
            return None
        found.sort(key=lambda item: item[0], reverse=self.descending)
        last = found[self.wanted - 1][1]
        at = tokens.starts[self.group[1] - 1]
        behind = "<" if self.descending else ">"
        return (at, at), f" FILTER(!COALESCE(({written(text, tokens, self.key)}) {behind} {last}, false)) "


def ranking(text: str, outline: Outline, found: Sequence[Block]) -> Ranking | None:
    """Return what a query ranks, or None when it does not, or in a way that is not read here.

    *found* are its blocks of triple patterns.
    """
    tokens, start = outline.tokens, outline.start
    if outline.form != "select" or outline.volatile or not {"ORDER", "LIMIT"} <= outline.words:
        return None
    try:
        opening = tokens.texts.index("{", start)
        behind = _closing(tokens, opening) + 1
        wanted = _wanted(tokens, behind)
        sorts = tokens[behind].is_("ORDER") and tokens[behind + 1].is_("BY")
        if not wanted or not sorts or _KEY in text or not _is_plain(tokens, (start, opening)):
            return None
        if not _is_star(tokens, found) or not _is_simple(tokens, (opening + 1, behind)):
            return None
        key = _key(tokens, behind + 2)
    except (ValueError, IndexError):
        return None
    descending = tokens[behind + 2].is_("DESC")
    return key and Ranking(start, (opening, behind), key, descending, wanted)


def _is_plain(tokens: Tokens, head: Span) -> bool:
    """Tell whether a query selects only variables, each solution as often as it comes."""
    return tokens[head[0]].is_("SELECT") and all(
        tokens.kinds[at] == "variable" or tokens.texts[at] == "*" or tokens[at].is_("WHERE")
        for at in range(head[0] + 1, head[1])
    )


def _is_star(tokens: Tokens, found: Sequence[Block]) -> bool:
    """Tell whether all patterns have the same variable as their subject."""
    subjects = {tokens.texts[pattern.subject[0]] for block in found for pattern in block.patterns}
    return len(subjects) == 1 and min(subjects)[0] in "?$"


def _is_simple(tokens: Tokens, group: Span) -> bool:
    """Tell whether a group has nothing but triple patterns without paths, and languages to filter by."""
    texts = tokens.texts[slice(*group)]
    rest = _LANGUAGE.sub("", " ".join(texts))
    return "{" not in texts and "operator" not in tokens.kinds[slice(*group)] and "FILTER" not in rest.upper()


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
        number = tokens.texts[end - 1]
        numbers[tokens.texts[end - 2].upper()] = int(number) if len(number) <= _DIGITS else _MOST + 1
        end -= 2
    words = (tokens.texts[index].upper() for index in range(at + 2, end) if tokens.kinds[index] == "word")
    if "LIMIT" not in numbers or "{" in tokens.texts[at:end] or not _CONDITION.issuperset(words):
        return 0
    wanted = sum(numbers.values())
    return wanted if wanted <= _MOST else 0


def _kind(key: ox.Literal) -> tuple[str, str | None]:
    return key.datatype.value, key.language


def _valued(term: object) -> tuple[str | Decimal, ox.Literal] | None:
    """Return what a key is sorted by, and the key; None when it has no order that is known for sure."""
    if not isinstance(term, ox.Literal):
        return None
    kind = term.datatype.value
    form = _VALUES.get(kind)
    if form is None or not form.fullmatch(term.value):
        return None
    return Decimal(term.value) if kind in _NUMBERS else term.value, term
