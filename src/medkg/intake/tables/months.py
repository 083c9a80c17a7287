"""Months and years as people put them into tables."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from rdflib.term import Literal as Term

from medkg.domain.namespaces import XSD
from medkg.intake.roadmap.dates import is_filler, read_date, read_period
from medkg.intake.tables.grid import Value

__all__ = ["Month", "read_month", "read_months", "worded"]

Reading = Literal["exact", "rewritten", "doubtful", "ambiguous", "open", "none"]

_EXACT: Final = re.compile(r"(?:19|20|21)\d\d(?:-(?:0[1-9]|1[0-2]))?")
_SHORT_YEAR: Final = re.compile(r"(?P<month>[^\W\d_]{1,12})\.?[\s./'\u2019-]{1,3}(?P<year>\d\d)")
_NUMBERS: Final = re.compile(r"\d{1,2}\s?[/.-]\s?\d{2}")
_DIGITS: Final = re.compile(r"[0-9]{5,6}")
_DAY_FIRST: Final = re.compile(r"(?P<one>\d{1,2})\s?(?P<mark>[/-])\s?(?P<two>\d{1,2})\s?[/-]\s?\d{4}")
_SIX_DIGITS: Final = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])")
_YEARS: Final = range(1900, 2200)
_SERIALS: Final = range(20_000, 80_000)
"""The numbers of days that are taken for dates: from 1954 to 2119."""
_LAST_MONTH: Final = 12
_SURE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Month:
    """What a cell says: ``YYYY-MM``, ``YYYY``, or "" where it can't be told; and how it was read."""

    text: str
    reading: Reading

    @property
    def term(self) -> Term:
        """The literal, of xsd:gYearMonth or xsd:gYear."""
        return Term(self.text, datatype=XSD.gYearMonth if "-" in self.text else XSD.gYear)


_NONE: Final = Month("", "none")


def read_month(value: Value, *, end: bool, epoch: datetime) -> Month:
    """Return the month or year of a cell; *end* says that the last month of a quarter is meant.

    Exact is what is written as RDF has it, everything else was rewritten by a rule; where the rule may
    be wrong it is doubtful.  "10/21" is ambiguous, "ongoing" open.
    """
    if isinstance(value, date):
        return Month(f"{value.year:04}-{value.month:02}", "rewritten")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(float(value), epoch)
    return _text(value.strip(), end=end, epoch=epoch) if isinstance(value, str) else _NONE


def read_months(value: Value, *, epoch: datetime) -> tuple[Month, Month]:
    """Return the start and the end that one cell gives: "10/2021 - 12/2025"."""
    if isinstance(value, str):
        period = read_period(value)
        if period.start or period.end:
            reading: Reading = "rewritten" if period.confidence >= _SURE else "doubtful"
            return Month(period.start or "", reading), Month(period.end or "", reading)
    return read_month(value, end=False, epoch=epoch), read_month(value, end=True, epoch=epoch)


def worded(value: Value) -> str:
    """Return a value as its sender knows it, for a message: a date as ISO 8601 has it, 6.0 as 6."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _text(text: str, *, end: bool, epoch: datetime) -> Month:
    if _EXACT.fullmatch(text):
        return Month(text, "exact")
    if is_filler(text):
        return Month("", "open")
    if _NUMBERS.fullmatch(text):
        return Month("", "ambiguous")
    if _DIGITS.fullmatch(text):
        return _number(float(text), epoch)
    short = _SHORT_YEAR.fullmatch(text)
    whole = f"{short['month']} 20{short['year']}" if short else text
    found, confidence = read_date(whole, end=end)
    sure = confidence >= _SURE and not _month_first(text)
    return Month(found, "rewritten" if sure else "doubtful") if found else _NONE


def _month_first(text: str) -> bool:
    """Tell whether the first number of a date may be the month as well: 03/04/2021."""
    match = _DAY_FIRST.fullmatch(text)
    return bool(match and match["one"] != match["two"] and int(match["one"]) <= _LAST_MONTH)


def _number(number: float, epoch: datetime) -> Month:
    """Read a number: a year, a serial number of a day, or "10.2021" that a spreadsheet took for a number."""
    if number in _YEARS:
        return Month(str(int(number)), "exact")
    if _SERIALS.start <= number < _SERIALS.stop:
        day = epoch + timedelta(days=int(number))
        return Month(f"{day:%Y-%m}", "doubtful")
    if six := _SIX_DIGITS.fullmatch(f"{number:.0f}"):
        return Month(f"{six[1]}-{six[2]}", "rewritten")
    found, _ = read_date(f"{number:.4f}", end=False)
    return Month(found, "rewritten") if found else _NONE
