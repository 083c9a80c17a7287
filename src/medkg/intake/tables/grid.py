"""A table as rows of cells, before anybody knows what it says; the same for CSV files and workbooks."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from medkg.domain.model import Place

__all__ = ["EPOCH", "Cell", "Fault", "Merge", "Row", "Sheet", "Value", "letters", "parse_range"]

Value = str | int | float | bool | date | time | timedelta
Fault = Literal["", "formula", "uncomputed", "error"]

EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - the dates of a table have no time zone
"""Day 0 of the serial numbers that spreadsheets count days with, where a workbook does not say 1904."""

_RANGE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})(?::([A-Z]{1,3})([0-9]{1,7}))?")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that holds something: *fault* says that it is a formula (without a value), or an error."""

    value: Value
    line: int = 0
    fault: Fault = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its number: its cells that hold something by column (both from 1), and how wide it is."""

    number: int
    cells: Mapping[int, Cell]
    width: int
    line: int = 0
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """A block of merged cells; what it holds stands in its first one."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook, or a CSV file, whose sheet has no name.

    *rows* gives the rows anew at each call, *epoch* is day 0 of its serial numbers.  In a *ragged* one a row
    may have more or fewer cells than the headings.
    """

    name: str
    file: str
    rows: Callable[[], Iterator[Row]]
    merges: tuple[Merge, ...] = ()
    hidden_columns: frozenset[int] = field(default_factory=frozenset)
    epoch: datetime = EPOCH
    ragged: bool = False

    def place(self, row: Row, column: int) -> Place:
        """Return where a cell of *row* stands."""
        cell = row.cells.get(column)
        line = (cell.line if cell else 0) or row.line
        return Place(file=self.file, line=line, sheet=self.name, cell=f"{letters(column)}{row.number}")


def letters(column: int) -> str:
    """Return what a spreadsheet calls a column: 1 is A, 28 is AB."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def parse_range(text: str) -> Merge | None:
    """Return the block that ``A3:B5`` or ``A3`` names; None when it is none."""
    match = _RANGE.fullmatch(text)
    if not match:
        return None
    left, top, right, bottom = match.groups()
    return Merge(int(top), _number(left), int(bottom or top), _number(right or left))


def _number(name: str) -> int:
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
