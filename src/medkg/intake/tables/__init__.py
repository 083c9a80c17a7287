"""Reading tables of innovation actions: a CSV or XLSX file in, statements with their cells out.

What a column may be called and what it states stands in ``columns.toml``.  Nothing is fetched, nothing is
run, and a file that can't be read gives a submission without statements that says why.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from medkg.domain.model import Place
from medkg.domain.naming import fold
from medkg.domain.submission import Submission
from medkg.intake.tables.codes import Code
from medkg.intake.tables.columns import ColumnMap
from medkg.intake.tables.delimited import open_csv
from medkg.intake.tables.grid import Row, Sheet
from medkg.intake.tables.headings import find_header, score
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.names import Candidate, Names
from medkg.intake.tables.notes import Notes, Refused
from medkg.intake.tables.records import Records, Table
from medkg.intake.tables.values import Values
from medkg.intake.tables.workbook import open_xlsx

__all__ = [
    "CSV",
    "XLSX",
    "Candidate",
    "Code",
    "Names",
    "TableLimits",
    "read_csv",
    "read_xlsx",
    "rows_of_csv",
]

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_SAMPLE_ROWS: Final = 30
_NAMED: Final = 1.5
"""What the name of a sheet counts for, in headings."""


def read_csv(data: bytes, *, names: Names, namespace: str, limits: TableLimits, file: str = "") -> Submission:
    """Return what a CSV file says (RFC 4180, with any separator and encoding); never raises.

    A record is called *namespace* and its identifier, the cells are looked up among *names*.
    """
    columns = ColumnMap.load()

    def opened(notes: Notes) -> Sheet:
        return open_csv(data, file, limits, notes, lambda rows: score(columns, rows))

    return _Reader(columns, names, namespace, limits).read(CSV, opened)


def read_xlsx(
    data: bytes, *, names: Names, namespace: str, limits: TableLimits, file: str = ""
) -> Submission:
    """Return what a sheet of a workbook says (ECMA-376, without macros); never raises.

    The sheet is the one whose name and headings look most like a table of actions; else as :func:`read_csv`.
    """
    columns = ColumnMap.load()

    def worth(name: str, rows: Sequence[Row]) -> float:
        return score(columns, rows) + _NAMED * (fold(name) in columns.sheets)

    def opened(notes: Notes) -> Sheet:
        return open_xlsx(data, file, limits, notes, worth)

    return _Reader(columns, names, namespace, limits).read(XLSX, opened)


def rows_of_csv(data: bytes, limits: TableLimits | None = None) -> Iterator[list[str]]:
    """Yield the rows of a CSV file as texts, as :func:`read_csv` reads them; as far as it can be read."""
    columns = ColumnMap.load()
    with suppress(Refused):
        sheet = open_csv(data, "", limits or TableLimits(), Notes(0), lambda rows: score(columns, rows))
        for row in sheet.rows():
            cells = row.cells
            yield [str(cells[n].value) if n in cells else "" for n in range(1, row.width + 1)]


@dataclass(frozen=True, slots=True)
class _Reader:
    """What both formats have in common, once there is a sheet."""

    columns: ColumnMap
    names: Names
    namespace: str
    limits: TableLimits

    def read(self, media_type: str, opened: Callable[[Notes], Sheet]) -> Submission:
        """Return what the sheet says that *opened* gives, or why there is nothing."""
        notes = Notes(self.limits.flaws)
        try:
            records = self._records(opened(notes), notes)
            statements = tuple(records.read())
        except Refused as refusal:
            notes.refuse(refusal)
            return Submission(media_type, flaws=notes.flaws())
        if not statements:
            notes.add(Code.NO_RECORDS, records.start)
        return Submission(media_type, statements, records.places, notes.flaws())

    def _records(self, sheet: Sheet, notes: Notes) -> Records:
        first = list(islice(sheet.rows(), _SAMPLE_ROWS))
        if not any(row.cells for row in first):
            raise Refused(Code.NO_RECORDS, Place(file=sheet.file, sheet=sheet.name))
        table = Table(sheet, find_header(self.columns, sheet, first, notes), self.columns)
        values = Values(self.names, notes, sheet.epoch, self.limits)
        return Records(table, values, notes, self.namespace, self.limits)
