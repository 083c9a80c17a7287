"""Months and years as people write them in roadmaps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from medkg.intake.roadmap.letters import fold

__all__ = ["Period", "is_date", "is_filler", "read_date", "read_period"]

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv gennaio gen styczen stycznia sty januar janner",
            "february feb fevrier fevr fev febbraio febb luty lutego lut februar feber",
            "march mar mars marzo marzec marca marz mrz maerz",
            "april apr avril avr aprile kwiecien kwietnia kwi",
            "may mai maggio mag maj maja",
            "june jun juin giugno giu czerwiec czerwca cze juni",
            "july jul juillet juil luglio lug lipiec lipca lip juli",
            "august aug aout aou agosto ago sierpien sierpnia sie",
            "september sept sep septembre settembre set sett wrzesien wrzesnia wrz",
            "october oct octobre ottobre ott pazdziernik pazdziernika paz oktober okt",
            "november nov novembre listopad listopada lis",
            "december dec decembre dicembre dic grudzien grudzien grudnia gru dezember dez",
        ),
        start=1,
    )
    for name in names.split()
}
_NUMERALS: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_ROMAN: Final = {name: number for number, name in enumerate(_NUMERALS, start=1)}
_FILLER_WORDS: Final = """
    ongoing, tbd, tbc, n/a, continuous, open, to be defined, laufend, offen, nd, n.d., en cours, in corso,
    w toku, a definir, da definire, do ustalenia, -, \u2013, \u2014, ?
"""
_FILLERS: Final = frozenset(phrase.strip() for phrase in _FILLER_WORDS.split(","))
# Words that may stand around a year without making it anything else than a year.
_VAGUE_WORDS: Final = """
    by the end of start mid early late until till about approx ca. circa year
    fin debut mi avant jusqu'a annee fine inizio meta entro fino a al anno
    koniec konca do poczatek polowa okolo rok roku ende anfang mitte bis etwa jahr
"""
_VAGUE: Final = frozenset(_VAGUE_WORDS.split())
_LONGEST: Final = 60
_VAGUE_CONFIDENCE: Final = 0.6

_YEAR: Final = r"(?P<year>(?:19|20|21)\d\d)"
_MONTH: Final = r"(?P<month>0?[1-9]|1[0-2])"
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_NAME: Final = r"(?P<name>[a-z]{3,12})\.?"
_ORDINAL: Final = r"(?P<part>[1-4]|i{1,3}|iv)(?:\.|o|e|er|eme|st|nd|rd|th|\u00b0)?"
_QUARTER: Final = r"(?:q|t|quarter|trimestre|trim\.|kwartal|quartal|kw\.?)"
_SHAPES: Final[tuple[tuple[re.Pattern[str], float], ...]] = tuple(
    (re.compile(shape), confidence)
    for shape, confidence in (
        (rf"{_YEAR}\s?[-/.]\s?{_MONTH}", 1.0),
        (rf"{_MONTH}\s?[-/.]\s?{_YEAR}", 1.0),
        (rf"{_YEAR}-{_MONTH}-{_DAY}", 1.0),
        (rf"{_DAY}\s?[-/.]\s?{_MONTH}\s?[-/.]\s?{_YEAR}", 0.95),
        (rf"(?:{_DAY}(?:st|nd|rd|th|er|\.)?\s)?{_NAME}[\s,/.-]{{0,3}}(?:of |de |del |di )?{_YEAR}", 1.0),
        (rf"{_YEAR}[\s,/.-]{{1,3}}{_NAME}", 1.0),
        (rf"(?P<roman>[ivx]{{1,4}})\s?[\s./-]\s?{_YEAR}", 0.9),
        (rf"(?:q|t)\s?(?P<part>[1-4])[\s,/.-]{{0,3}}{_YEAR}", 0.9),
        (rf"{_YEAR}[\s,/.-]{{0,3}}(?:q|t)\s?(?P<part>[1-4])", 0.9),
        (rf"{_ORDINAL}\s?{_QUARTER}[\s,/.-]{{0,3}}(?:of |de |del |di |du )?{_YEAR}", 0.9),
        (rf"(?:h|s)\s?(?P<half>[12])[\s,/.-]{{0,3}}{_YEAR}", 0.9),
        (_YEAR, 1.0),
    )
)
_LEAD: Final = re.compile(r"^(?:from|since|as of|od|von|ab|seit|dal|da|de|depuis|du|des|in|en|im|w)\s+(?=\S)")
_TRAIL: Final = re.compile(r"[\s,;]+(?:r\.?|roku)?$|(?<=\d)r\.?$|[,;.]$")
_BETWEEN: Final = re.compile(
    r"\s?[\u2013\u2014\u2012-]\s?|\s(?:to|till|until|through|bis|do|au|a|al|jusqu'a)\s|\s?[\u2192/]\s?"
)
_HAS_YEAR: Final = re.compile(r"\d{4}")
_SINCE: Final = re.compile(r"(?:from|since|as of|od|von|ab|seit|dal|da|depuis|a partir de)\s")
_UNTIL: Final = re.compile(r"(?:until|till|by|do|bis|jusqu'a|entro|fino a)\s+")


@dataclass(frozen=True, slots=True)
class Period:
    """A start and an end, each ``YYYY-MM``, ``YYYY`` or None, and how sure the reading is."""

    start: str | None
    end: str | None
    confidence: float


def read_date(text: str, *, end: bool) -> tuple[str | None, float]:
    """Return ``YYYY-MM`` or ``YYYY`` and how sure that is; (None, 0) when *text* is no date.

    A quarter or a half year gives its first month, or its last when it is the *end* of a period.
    """
    plain = _plain(text)
    for shape, confidence in _SHAPES if plain else ():
        match = shape.fullmatch(plain)
        month = _month(match, end=end) if match else None
        if match and month is not None:
            year = match["year"]
            return (f"{year}-{month:02}" if month else year), confidence
    return _vague_year(plain)


def read_period(text: str) -> Period:
    """Return the two dates of "10/2021 - 12/2025"; a single date is start and end, Nones when unreadable."""
    folded = fold(text) if len(text) <= _LONGEST else ""
    start, sure = read_date(text, end=False)
    if start and sure > _VAGUE_CONFIDENCE:
        return Period(start, None if _SINCE.match(folded) else read_date(text, end=True)[0], sure)
    until = _UNTIL.match(folded)
    if until and (found := read_date(folded[until.end() :], end=True))[0]:
        return Period(None, *found)
    for left, right in _splits(_plain(text)):
        (start, one), (end, other) = read_date(left, end=False), read_date(right, end=True)
        if start and end:
            return Period(start, end, min(one, other))
    return Period(None, None, 0.0)


def is_date(text: str) -> bool:
    """Tell whether *text* is a date or a period and nothing else."""
    if len(text) > _LONGEST or not _HAS_YEAR.search(text):
        return False
    period = read_period(text)
    return bool(period.start or period.end)


def is_filler(text: str) -> bool:
    """Tell whether *text* stands where no date is known ("ongoing", "tbd", a dash)."""
    return len(text) <= _LONGEST and fold(text) in _FILLERS


def _vague_year(plain: str) -> tuple[str | None, float]:
    """Return the year of "by the end of 2025": the year is all that such words say for certain."""
    years = [word for word in plain.split() if word not in _VAGUE]
    if len(years) == 1 and re.fullmatch(_YEAR, years[0]):
        return years[0], _VAGUE_CONFIDENCE
    return None, 0.0


def _plain(text: str) -> str:
    """Return *text* folded, without "from" before and "r." behind; "" when it is too long for a date."""
    if len(text) > _LONGEST:
        return ""
    return _TRAIL.sub("", _LEAD.sub("", fold(text), count=1)).strip()


def _splits(text: str) -> Iterator[tuple[str, str]]:
    for match in _BETWEEN.finditer(text):
        yield text[: match.start()], text[match.end() :]


def _month(match: re.Match[str], *, end: bool) -> int | None:
    """Return the month of a match, 0 when it gives only a year, None when the word is no month."""
    found = match.groupdict()
    if month := found.get("month"):
        return int(month)
    if name := found.get("name"):
        return _MONTHS.get(name)
    if roman := found.get("roman"):
        return _ROMAN.get(roman)
    if part := found.get("part"):
        return (_ROMAN.get(part) or int(part)) * 3 - (0 if end else 2)
    if half := found.get("half"):
        return int(half) * 6 - (0 if end else 5)
    return 0
