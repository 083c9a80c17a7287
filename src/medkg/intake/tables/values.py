"""The values of a cell as RDF terms, by the kind of its column."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rdflib.term import Literal, URIRef

from medkg.domain.model import Place, Term
from medkg.domain.namespaces import BASE, MEDKG
from medkg.intake.roadmap.dates import is_filler
from medkg.intake.tables.codes import Code
from medkg.intake.tables.columns import Column
from medkg.intake.tables.grid import Cell
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.lookups import Lookups, Named
from medkg.intake.tables.months import Month, read_month, read_months, worded
from medkg.intake.tables.names import Candidate, Names
from medkg.intake.tables.notes import Notes
from medkg.intake.tables.texts import Text, clean

__all__ = ["Values"]

_LEVEL: Final = re.compile(r"(?:trl)?\s*[-:]?\s*(\d{1,2})(?:[.,]0+)?", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?://[^\s/?#<>\"{}|\\^`]+[^\s<>\"{}|\\^`]*", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\s;|]+|,\s+")
_LONGEST_SHOWN: Final = 100
_LONGEST_NAME: Final = 2_000
"""Lists of names longer than this are text in the wrong column, and too long to be cut in all ways."""


class Values:
    """Reads cells; what is odd about one goes to *notes* with its place and the record it belongs to."""

    def __init__(self, names: Names, notes: Notes, epoch: datetime, limits: TableLimits) -> None:
        self._lookups = Lookups(names)
        self._notes = notes
        self._epoch = epoch
        self._limits = limits

    def text(self, cell: Cell, place: Place, focus: str = "") -> Text | None:
        """Return the cleaned text of a cell, None when it can't be used; tell why, and what was cleaned."""
        if not self._usable(cell, place, focus):
            return None
        found = clean(worded(cell.value))
        if found.spaces:
            self._notes.add(Code.SPACES, place, focus)
        if found.controls:
            self._notes.add(Code.CONTROL, place, focus, characters=found.controls)
        for word, proposal in found.lookalikes:
            self._notes.add(Code.LOOKALIKE, place, focus, word=word, proposal=proposal, suggestion=proposal)
        if found.garbled:
            shown = {"text": _short(found.text), "proposal": _short(found.garbled)}
            self._notes.add(Code.MOJIBAKE, place, focus, **shown, suggestion=shown["proposal"])
        return found

    def terms(self, column: Column, cell: Cell, place: Place, focus: str) -> Iterator[tuple[URIRef, Term]]:
        """Yield predicate and object of what a cell of *column* states; nothing for texts and identifiers."""
        if column.kind in {"month", "period"}:
            yield from self._months(column, cell, place, focus)
            return
        found = self.text(cell, place, focus)
        if found is None or not found.meant or column.predicate is None:
            return
        if column.kind == "address":
            terms: Sequence[URIRef] = self._addresses(found.text, place, focus)
        elif _WEB.match(found.meant):
            terms = self._addresses(found.meant, place, focus)
        elif column.kind == "level":
            terms = self._level(column, found.meant, place, focus)
        else:
            terms = self._names(column, found.meant, place, focus)
        if len(terms) > 1 and not column.many:
            self._notes.add(Code.TOO_MANY_VALUES, place, focus, column=column.name, value=_short(found.text))
            return
        yield from ((column.predicate, term) for term in dict.fromkeys(terms))

    def _usable(self, cell: Cell, place: Place, focus: str) -> bool:
        if cell.fault == "uncomputed":
            self._notes.add(Code.FORMULA_EMPTY, place, focus)
            return False
        if cell.fault == "error":
            self._notes.add(Code.ERROR_CELL, place, focus, value=_short(str(cell.value)))
            return False
        if isinstance(cell.value, str) and len(cell.value) > self._limits.characters:
            limit = str(self._limits.characters)
            self._notes.add(Code.CELL_TOO_LONG, place, focus, limit=limit, length=str(len(cell.value)))
            return False
        if cell.fault == "formula":
            self._notes.add(Code.FORMULA_VALUE, place, focus, value=_short(worded(cell.value)))
        return True

    def _months(
        self, column: Column, cell: Cell, place: Place, focus: str
    ) -> Iterator[tuple[URIRef, Literal]]:
        value = cell.value
        if isinstance(value, str):
            found = self.text(cell, place, focus)
            if found is None or not found.meant:
                return
            value = found.meant.replace("\n", " ")
        elif not self._usable(cell, place, focus):
            return
        if column.kind == "period":
            start, end = read_months(value, epoch=self._epoch)
            pairs = [(MEDKG.plannedFrom, start)] + [(MEDKG.plannedTo, end)] * (end != start or bool(end.text))
        elif column.predicate is not None:
            ends = column.predicate == MEDKG.plannedTo
            pairs = [(column.predicate, read_month(value, end=ends, epoch=self._epoch))]
        shown = _short(worded(value))
        self._tell_months(column, [month for _, month in pairs], shown, place, focus)
        yield from ((predicate, month.term) for predicate, month in pairs if month.text)

    def _tell_months(
        self, column: Column, months: Sequence[Month], shown: str, place: Place, focus: str
    ) -> None:
        """Tell once for a cell how its months were read."""
        texts = " / ".join(dict.fromkeys(month.text for month in months if month.text))
        match months[0].reading:
            case "rewritten":
                self._notes.add(Code.MONTH_REWRITTEN, place, focus, value=shown, month=texts)
            case "doubtful":
                self._notes.add(Code.MONTH_DOUBTFUL, place, focus, value=shown, month=texts, suggestion=texts)
            case "ambiguous":
                self._notes.add(Code.MONTH_AMBIGUOUS, place, focus, value=shown, column=column.name)
            case "open":
                self._notes.add(Code.MONTH_OPEN, place, focus, value=shown)
            case "none":
                self._notes.add(Code.MONTH_UNREADABLE, place, focus, value=shown, column=column.name)

    def _addresses(self, text: str, place: Place, focus: str) -> list[URIRef]:
        found: list[URIRef] = []
        for part in filter(None, _BETWEEN.split(text)):
            if _ADDRESS.fullmatch(part):
                found.append(URIRef(part))
            else:
                self._notes.add(Code.ADDRESS, place, focus, value=_short(part))
        return found

    def _level(self, column: Column, text: str, place: Place, focus: str) -> list[URIRef]:
        match = _LEVEL.fullmatch(text)
        name = str(int(match[1])) if match else text
        return self._meant(column, Named(text, self._lookups.one(column.class_, name)), place, focus)

    def _names(self, column: Column, text: str, place: Place, focus: str) -> list[URIRef]:
        if is_filler(text):
            return []
        if len(text) > _LONGEST_NAME:
            return self._meant(column, Named(text, ()), place, focus)
        reading = self._lookups.read(column.class_, text)
        if reading.mended and all(named.candidates for named in reading.names):
            names = " / ".join(named.text for named in reading.names)
            self._notes.add(Code.REGION_RESPELT, place, focus, value=_short(text), names=names)
        return [term for named in reading.names for term in self._meant(column, named, place, focus)]

    def _meant(self, column: Column, named: Named, place: Place, focus: str) -> list[URIRef]:
        """Return the one thing that a name means; tell when it means none, or several."""
        region = column.class_ == "Region"
        found = self._preferred(column, named, place, focus)
        if len(found) == 1:
            return [URIRef(found[0].iri)]
        values = {"name": _short(named.text), "column": column.name}
        if found:
            code = Code.REGION_AMBIGUOUS if region else Code.NAME_AMBIGUOUS
            candidates = " / ".join(map(str, found[:6]))
            self._notes.add(code, place, focus, **values, candidates=candidates, suggestion=candidates)
        else:
            code = Code.REGION_UNKNOWN if region else Code.NAME_UNKNOWN
            room = self._notes.room(code)
            near = self._lookups.near(column.class_, named.text[:_LONGEST_SHOWN]) if room else ""
            self._notes.add(code, place, focus, **values, suggestion=near)
        return []

    def _preferred(self, column: Column, named: Named, place: Place, focus: str) -> tuple[Candidate, ...]:
        """Return the candidates; only that of the first list that has one, where lists have an order."""
        if len(named.candidates) > 1:
            for prefix in column.prefer:
                inside = tuple(one for one in named.candidates if one.iri.startswith(BASE + prefix))
                if len(inside) == 1:
                    self._notes.add(
                        Code.NAME_PREFERRED, place, focus, name=_short(named.text), chosen=str(inside[0])
                    )
                    return inside
        return named.candidates


def _short(text: str) -> str:
    """Return a value as it is shown in a message: one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1] + "…"
