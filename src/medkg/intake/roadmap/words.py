"""What the document itself says about its words: the evidence for mending a broken one."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Literal

__all__ = ["HYPHENS", "Evidence", "Verdict"]

# Hyphen-minus, hyphen, soft hyphen, and the sign that old encodings turn a soft hyphen into.
HYPHENS: Final = "-\u2010\u00ad\u00ac"
Verdict = Literal["join", "keep", "leave"]

_LETTERS: Final = r"[^\W\d_]+"
_TOKEN: Final = re.compile(rf"{_LETTERS}(?:[-\u2010\u2011]{_LETTERS})*")
_TAIL_AFTER: Final = re.compile(rf"[{HYPHENS}](?:\s|$)")
_HEAD_BEFORE: Final = re.compile(rf"[^\W\d_][{HYPHENS}]\s$")
_PART: Final = re.compile(r"[-\u2010\u2011]")
# After "short- " these belong to the author ("short- and long-term"): the hyphen stands for a missing half.
_CONJUNCTIONS: Final = frozenset(
    ("and", "und", "oder", "bis", "sowie", "oraz", "lub", "albo", "nor", "och", "eller")
)
# These are syllables as well ("proget-to", "need-ed"): conjunctions only where they stand as words elsewhere.
_SHORT_CONJUNCTIONS: Final = frozenset(("or", "to", "et", "ou", "ed", "og"))


class Evidence:
    """How the document spells its words where nothing is broken.

    Built from the cells and the names that are known; halves of broken words are not counted.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._alone: set[str] = set()
        self._heads: set[str] = set()
        for text in texts:
            for match in _TOKEN.finditer(text):
                self._count(text, match)

    def _count(self, text: str, match: re.Match[str]) -> None:
        parts = _PART.split(match.group().casefold())
        cut_front = _is_tail(text, match.start())
        cut_back = _TAIL_AFTER.match(text, match.end()) is not None
        whole = parts[cut_front : len(parts) - cut_back]
        self._words.update(whole)
        pairs = list(pairwise(whole))
        self._pairs.update(pairs)
        self._heads.update(head for head, _ in pairs)
        # With a small letter: "To" is the header of a column in documents of any language.
        if len(parts) == len(whole) == 1 and match.group().islower():
            self._alone.update(whole)

    def verdict(self, left: str, right: str, *, chained: bool = False) -> tuple[Verdict, float]:
        """Say what a hyphen between *left* and *right* is, and how sure that is.

        "join": it broke a word; "keep": it is the word's own and only the line broke; "leave": nothing broke.
        *chained* says that the word has another hyphen ("state-of- the-art").
        """
        head, tail = left.casefold(), right.casefold()
        joined, hyphenated = self._words[head + tail], self._pairs[head, tail]
        if not joined and self._suspended(tail):
            return "leave", 1.0
        if hyphenated > joined:
            return "keep", 0.95
        if joined:
            return "join", 0.99
        return self._unattested(left, right, chained=chained)

    def _suspended(self, tail: str) -> bool:
        """Tell whether *tail* is a conjunction (or no syllable at all): the hyphen hangs on purpose then."""
        short = tail in _SHORT_CONJUNCTIONS and tail in self._alone
        return len(tail) < 2 or tail in _CONJUNCTIONS or short  # noqa: PLR2004 (a syllable has two letters)

    def _unattested(self, left: str, right: str, *, chained: bool) -> tuple[Verdict, float]:
        head, tail = left.casefold(), right.casefold()
        capitals = len(left) > 1 and left.isupper()
        if len(left) == 1 or (capitals and not right.isupper()):
            return "keep", 0.85  # e-health, SME-driven
        if right[0].isupper() and not capitals:
            return "keep", 0.8  # Kujawsko-Pomorskie
        if tail in self._words and (head in self._heads or (chained and head in self._words)):
            return "keep", 0.7  # cross-industry beside cross-border and industry
        return "join", 0.9


def _is_tail(text: str, start: int) -> bool:
    """Tell whether the word at *start* may be the second half of a broken one."""
    if start == 0:
        return text[0].islower()
    return _HEAD_BEFORE.search(text, max(0, start - 3), start) is not None
