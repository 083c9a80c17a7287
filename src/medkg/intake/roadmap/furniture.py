"""What a page carries besides the table: page numbers and running headers, often misread."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from medkg.intake.roadmap.dates import is_date
from medkg.intake.roadmap.letters import fold
from medkg.intake.roadmap.lines import Line

__all__ = ["Furniture", "is_page_number"]

_PAGE_WORD: Final = r"(?:page|pag\.?|pagina|p\.|seite|s\.|strona|str\.|folio)"
_PAGE_NUMBER: Final = re.compile(
    rf"(?:[-\u2013\u2014|]\s?)?(?:{_PAGE_WORD}\s?)?\d{{1,3}}(?:\s?(?:/|of|von|z|di|sur|de|\|)\s?\d{{1,3}})?"
    rf"(?:\s?{_PAGE_WORD})?(?:\s?[-\u2013\u2014|])?"
)
_CAPITAL_WORD: Final = re.compile(r"[^\W\d_]\w*(?:[-'\u2019]\w+)*")
_LONGEST_CELL: Final = 40
_MOST_CELLS: Final = 3
_MOST_WORDS: Final = 4
_MOST_NAMES: Final = 400
_DISTANCE: Final = 3
_SHORTEST: Final = 5

Name = tuple[str, ...]


def is_page_number(text: str) -> bool:
    """Tell whether *text* is a page number and nothing else."""
    return len(text) <= 20 and _PAGE_NUMBER.fullmatch(text.casefold()) is not None  # noqa: PLR2004


class _Names:
    """The names that a page may carry, for finding the one that a line is a misreading of."""

    def __init__(self, names: frozenset[Name]) -> None:
        self._whole = ["".join(name) for name in names if len("".join(name)) >= _SHORTEST]
        self._by_length: dict[int, list[Name]] = {}
        for name in names:
            self._by_length.setdefault(len(name), []).append(name)

    def near(self, words: Name) -> bool:
        """Tell whether *words* are a misreading of a name, run together or word by word."""
        if any(distance <= len(meant) // 3 for meant, distance, _ in _close("".join(words), self._whole)):
            return True
        names = self._by_length.get(len(words), []) if len(words) > 1 else []
        firsts = _close(words[0], [name[0] for name in names])
        return any(all(map(_alike, words, names[index])) for _, _, index in firsts)


def _close(word: str, meant: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the words at a small distance, each with its distance and index."""
    return process.extract(word, meant, scorer=Levenshtein.distance, score_cutoff=_DISTANCE, limit=None)


class Furniture:
    """Knows the lines that belong to the page, from the text before the table, known names and all lines."""

    def __init__(self, head: Sequence[Line], known_names: Iterable[str], lines: Iterable[Line]) -> None:
        self._head = {fold(" ".join(line.filled)) for line in head if line.filled}
        self._names = _Names(frozenset(_names(known_names, head)))
        self._counts = Counter(_key(line) for line in lines if line.filled)

    def header(self, line: Line, *, after_gap: bool, tail: bool) -> float:
        """Return how surely *line* is a misread page header in cells of its own, 0 when it is none.

        *after_gap*: a page may have ended before it; *tail*: it may be the rest of a region name.
        """
        words = _capitals(line)
        if not words or (tail and len(line.filled) == 1):
            return 0.0
        if self._counts[_key(line)] > 1 and not _description_like(line):
            return 0.9
        several = len(words) > 1
        if (several or after_gap) and self._names.near(words):
            return 0.9
        return 0.6 if several and after_gap and len(line.filled) > 1 and not any(line.texts[2:]) else 0.0

    def running(self, line: Line) -> float:
        """Return how surely a line outside of all cells repeats on every page; 0.5 when nothing says so."""
        text = fold(" ".join(line.filled))
        if text in self._head or self._counts[_key(line)] > 1:
            return 0.95
        words = tuple(text.upper().split())
        return 0.9 if len(words) <= _MOST_WORDS and self._names.near(words) else 0.5


def _key(line: Line) -> str:
    return fold("\t".join(line.filled)) if len(line.filled) <= _MOST_CELLS else ""


def _capitals(line: Line) -> Name:
    """Return the words of a line of one to three short cells in capitals, or nothing."""
    cells = line.filled
    if not 0 < len(cells) <= _MOST_CELLS or any(len(cell) > _LONGEST_CELL for cell in cells):
        return ()
    text = " ".join(cells)
    return () if not text.isupper() or any(map(is_date, cells)) else tuple(text.split())


def _description_like(line: Line) -> bool:
    """Tell whether a single cell stands far from the left, where running headers don't."""
    return not any(line.texts[:2])


def _names(known: Iterable[str], head: Iterable[Line]) -> Iterator[Name]:
    """Yield known names, then every run of capitalised words in the text before the table, up to a limit."""
    for name in known:
        yield tuple(name.upper().split())
    left = _MOST_NAMES
    for line in head:
        for run in _runs(" ".join(line.filled)):
            for start in range(len(run)):
                for end in range(start + 1, min(start + _MOST_WORDS, len(run)) + 1):
                    if not left:
                        return
                    left -= 1
                    yield tuple(word.upper() for word in run[start:end])


def _runs(text: str) -> Iterator[list[str]]:
    run: list[str] = []
    position = 0
    for match in _CAPITAL_WORD.finditer(text):
        joined = text[position : match.start()].isspace() and match.group()[0].isupper()
        if not joined and run:
            yield run
            run = []
        if match.group()[0].isupper():
            run.append(match.group())
        position = match.end()
    if run:
        yield run


def _alike(word: str, meant: str) -> bool:
    limit = min(_DISTANCE, max(len(word), len(meant)) // 2)
    return Levenshtein.distance(word, meant, score_cutoff=limit) <= limit
