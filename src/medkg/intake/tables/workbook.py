"""XLSX files: their sheets as rows of cells, read piece by piece by openpyxl."""

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, time, timedelta
from itertools import islice
from typing import Final, Protocol

import openpyxl
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook

from medkg.domain.model import Place
from medkg.intake.tables.codes import Code
from medkg.intake.tables.grid import Cell, Fault, Row, Sheet, letters
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.notes import Notes, Refused
from medkg.intake.tables.package import guard
from medkg.intake.tables.structure import Outline, Structure, outlines, structure

__all__ = ["open_xlsx"]

Score = Callable[[str, Sequence[Row]], float]


class _Raw(Protocol):
    """A cell as openpyxl gives it, a full one or an empty one."""

    @property
    def value(self) -> object:
        """What it holds."""

    @property
    def data_type(self) -> str:
        """The letter of its type; "e" is an error."""

    @property
    def number_format(self) -> str:
        """How its number is shown."""


_SAMPLE_ROWS: Final = 30
_MOST_SHEETS: Final = 50
_YEAR_ALONE: Final = re.compile(r"y{1,4}", re.IGNORECASE)
_CONDITION: Final = re.compile(r"\[[^\]]*\]")


def open_xlsx(data: bytes, file: str, limits: TableLimits, notes: Notes, score: Score) -> Sheet:
    """Return the sheet that *score* (of a name and the first rows) finds best; hidden sheets are not read.

    :raises Refused: no sheet can be read; also while its rows are read.
    """
    guard(data, file, limits, notes)
    place = Place(file=file)
    with _refusing(place):
        listed = outlines(data)
        book = _load(data)
    shown = [sheet for sheet in listed if not sheet.hidden and sheet.name in book.sheetnames]
    for sheet in listed:
        if sheet.hidden:
            notes.add(Code.SHEET_HIDDEN, Place(file=file, sheet=sheet.name), sheet=sheet.name)
    if not shown:
        raise Refused(Code.DAMAGED, place)
    chosen = _choose(book, shown[:_MOST_SHEETS], score, place, limits)
    if len(shown) > 1:
        others = ", ".join(sheet.name for sheet in shown if sheet != chosen)
        notes.add(Code.SHEET_CHOSEN, Place(file=file, sheet=chosen.name), sheet=chosen.name, others=others)
    place = Place(file=file, sheet=chosen.name)
    with _refusing(place):
        found = structure(data, chosen.part, limits.cells, limits.rows + _SAMPLE_ROWS)
    if found.columns > limits.cells:
        raise Refused(Code.ROW_TOO_WIDE, place, limit=str(limits.cells))
    if found.rows > limits.rows + _SAMPLE_ROWS:
        raise Refused(Code.TOO_MANY_ROWS, place, limit=str(limits.rows))

    def rows() -> Iterator[Row]:
        return _rows(book, chosen, found, place, limits)

    return Sheet(
        chosen.name,
        file,
        rows,
        merges=tuple(found.merges),
        hidden_columns=frozenset(found.hidden_columns),
        epoch=book.epoch,
    )


def _load(data: bytes) -> Workbook:
    with warnings.catch_warnings():
        # What openpyxl does not know (validation lists, themes) says nothing about the values.
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)


@contextmanager
def _refusing(place: Place) -> Iterator[None]:
    """Refuse the workbook for whatever goes wrong inside: there is no end to what can be broken in one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (Refused, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - openpyxl raises whatever its own code meets, up to AttributeError
        raise Refused(Code.DAMAGED, place) from None


def _choose(
    book: Workbook, shown: Sequence[Outline], score: Score, place: Place, limits: TableLimits
) -> Outline:
    """Return the sheet with the best score; of equals the first."""
    if len(shown) == 1:
        return shown[0]
    scores = []
    for sheet in shown:
        first = list(islice(_rows(book, sheet, Structure(rows=_SAMPLE_ROWS), place, limits), _SAMPLE_ROWS))
        scores.append(score(sheet.name, first))
    return shown[scores.index(max(scores))]


def _rows(
    book: Workbook, sheet: Outline, found: Structure, place: Place, limits: TableLimits
) -> Iterator[Row]:
    """Yield the rows that hold something."""
    with _refusing(place):
        page = book[sheet.name]
        # What a file says of its own extent may be wrong.
        page.reset_dimensions()
        rows = iter(
            page.iter_rows(
                max_row=max(found.rows, 1), max_col=max(found.columns, 1) if found.columns else None
            )
        )
    number = 0
    while True:
        with _refusing(place):
            cells = next(rows, None)
            if cells is None:
                return
            number += 1
            taken = {
                column: cell
                for column, raw in enumerate(cells[: limits.cells], start=1)
                if (cell := _cell(raw, f"{letters(column)}{number}", found)) is not None
            }
        if taken:
            yield Row(number, taken, max(taken), hidden=number in found.hidden_rows)


def _cell(raw: _Raw, name: str, found: Structure) -> Cell | None:
    """Return what a cell holds; None when it is empty."""
    value = raw.value
    computed = found.formulas.get(name)
    if value is None or value == "":
        return None if computed is None else Cell("", fault="uncomputed")
    if not isinstance(value, str | int | float | bool | date | time | timedelta):
        value = str(value)
    if isinstance(value, str):
        # Characters that XML can't hold are written like "_x000D_" (ECMA-376, part 1, section 22.9.2.19).
        value = unescape(value)
        if not value.strip() and computed is None:
            return None
    if isinstance(value, date) and _YEAR_ALONE.fullmatch(_CONDITION.sub("", raw.number_format)):
        # A day that is shown as its year was meant as that.
        value = value.year
    fault: Fault = "" if computed is None else "formula"
    return Cell(value, fault="error" if raw.data_type == "e" else fault)
