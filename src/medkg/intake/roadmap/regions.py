"""The regions of a cell: several in one ("Slaskie / Veneto"), and names that hold separators themselves."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from medkg.intake.roadmap.letters import fold

__all__ = ["Regions", "Split"]

Resolve = Callable[[str], str | None]

_HARD: Final = re.compile(r"\s*[/;|]\s*")
_SOFT: Final = re.compile(
    r",\s+(?:(?:and|und|et|e|i|oraz|y)\s+)?|\s+(?:and|und|et|ed|e|i|oraz|y|&|\+|-|\u2013)\s+"
)
_DASH: Final = re.compile(r"\s*[-\u2010\u2011\u2013]\s*")
_NOTE: Final = re.compile(r"\s*\([^()]*\)$")
# Second halves of official names with a slash in them: the same region in its other language.
_SECOND_NAMES: Final = frozenset(
    (
        "bozen",
        "sudtirol",
        "suedtirol",
        "vallee d'aoste",
        "brussel",
        "brussels hoofdstedelijk gewest",
        "bristol area",
        "euskadi",
        "nafarroa",
        "comunidad valenciana",
        "comunitat valenciana",
        "illes balears",
        "islas baleares",
        "suisse",
        "svizzera",
        "kosovo",
        "troondelage",
    )
)
_WINDOW: Final = 4
_LONGEST_NAME: Final = 5


@dataclass(frozen=True, slots=True)
class Split:
    """The regions of a cell: their names and codes, whether it was cut, and names that were respelt."""

    names: tuple[str, ...]
    codes: tuple[str | None, ...]
    aliases: tuple[tuple[str, str], ...]
    confidence: float


class Regions:
    """Cuts region cells with *resolve* (a name gives its code, or None) and with what it has learnt.

    Without *resolve*, a slash or a semicolon separates regions unless an official name is known to hold it; a
    comma does when capitalised short names stand around it; "and" and a dash with spaces around it do only
    when both sides stand as regions of their own in the document.
    """

    def __init__(self, resolve: Resolve | None) -> None:
        self._resolving = resolve is not None
        self._resolve = lru_cache(maxsize=4096)(resolve or (lambda _: None))
        self._seen: set[str] = set()

    def learn(self, text: str) -> None:
        """Take in a region cell of the document, so that its names are known elsewhere."""
        for part in _HARD.split(text):
            if not _SOFT.search(part):
                self._seen.add(fold(part))

    def is_region(self, text: str) -> bool:
        """Tell whether each of the regions in *text* is known."""
        parts = [part for part in _HARD.split(text) if part]
        return bool(parts) and all(self._resolve(part) or fold(part) in self._seen for part in parts)

    def resolves(self, text: str) -> bool:
        """Tell whether *text* as a whole is the name of a region."""
        return self._resolve(text) is not None

    def split(self, text: str) -> Split:
        """Return the regions of a cell."""
        found: list[str] = []
        sure = 1.0
        for part in self._hard_parts(text):
            names, confidence = self._soft_parts(part)
            found += names
            sure = min(sure, confidence)
        spelt = [self._spelling(name) for name in found]
        aliases = tuple(pair for pair in zip(found, spelt, strict=True) if pair[0] != pair[1])
        codes = tuple(self._resolve(name) for name in spelt)
        return Split(
            tuple(spelt), codes, aliases, sure if None not in codes or not self._resolving else sure * 0.8
        )

    def _hard_parts(self, text: str) -> Iterator[str]:
        """Cut at slashes and semicolons, but for the names that hold one."""
        spans = list(_pieces(text, _HARD))
        index = 0
        while index < len(spans):
            last = max(index, self._end_of_name(text, spans, index))
            yield text[spans[index][0] : spans[last][1]]
            index = last + 1

    def _end_of_name(self, text: str, spans: Sequence[tuple[int, int]], index: int) -> int:
        """Return the last piece of the longest name that begins at piece *index*."""
        start = spans[index][0]
        for last in range(min(index + _WINDOW, len(spans)) - 1, index, -1):
            if self._resolve(text[start : spans[last][1]]):
                return last
        following = spans[index + 1 : index + 2]
        known_pair = following and fold(_SOFT.split(text[slice(*following[0])])[0]) in _SECOND_NAMES
        return index + 1 if known_pair and not self._resolve(text[start : spans[index][1]]) else index

    def _soft_parts(self, text: str) -> tuple[list[str], float]:
        """Cut at commas, "and" and dashes where that is safe."""
        if self._resolve(text) or self._resolve(_DASH.sub("-", text)):
            return [text], 1.0
        parts = [text[start:end] for start, end in _pieces(text, _SOFT)]
        if len(parts) < 2:  # noqa: PLR2004
            return parts, 1.0
        known = [bool(self._resolve(part)) or fold(part) in self._seen for part in parts]
        if all(known):
            return parts, 0.95
        listed = "," in text and all(map(_name_like, parts)) and (any(known) or not self._resolving)
        return (parts, 0.8) if listed else ([text], 1.0)

    def _spelling(self, name: str) -> str:
        """Return the name as it resolves: hyphens without spaces, no note behind; else as it stands."""
        variants = (name, _DASH.sub("-", name), _NOTE.sub("", name), _DASH.sub("-", _NOTE.sub("", name)))
        return next((variant for variant in variants if self._resolve(variant)), name)


def _pieces(text: str, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans between separators that hold something."""
    start = 0
    for match in separator.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _name_like(text: str) -> bool:
    """Tell whether *text* can be the name of a region: few words, a capital first, no digits."""
    short = len(text.split()) <= _LONGEST_NAME
    return short and text[0].isupper() and not any(char.isdigit() for char in text)
