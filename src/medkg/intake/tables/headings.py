"""Where the table of a sheet begins: its headings, in one row or two, below whatever stands above them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from medkg.domain.model import Place
from medkg.intake.tables.codes import Code
from medkg.intake.tables.columns import Column, ColumnMap, Heading
from medkg.intake.tables.grid import Merge, Row, Sheet, letters
from medkg.intake.tables.notes import Notes, Refused
from medkg.intake.tables.texts import clean

__all__ = ["Header", "find_header", "score"]

_EXACT: Final = 1.0
_CORRECTED: Final = 0.9
_LONGEST: Final = 200
"""How much of a cell is looked at for a heading."""


@dataclass(frozen=True, slots=True)
class Header:
    """The headings of a table: *texts* as they stand there and what they say, by column; *rows* they take."""

    texts: Mapping[int, str]
    headings: Mapping[int, Heading]
    rows: tuple[Row, ...]

    @property
    def last(self) -> int:
        """The number of their last row."""
        return self.rows[-1].number

    def place(self, sheet: Sheet, at: int) -> Place:
        """Return where the heading of a column stands."""
        row = next((row for row in reversed(self.rows) if at in row.cells), self.rows[-1])
        return sheet.place(row, at)

    def of(self, key: str) -> tuple[int, ...]:
        """Return the columns with that key, from the left."""
        return tuple(sorted(at for at, heading in self.headings.items() if heading.column.key == key))


def score(columns: ColumnMap, rows: Sequence[Row]) -> float:
    """Return how many headings the best row of *rows* has."""
    return max((_worth(header) for header in _candidates(columns, rows, ())), default=0.0)


def find_header(columns: ColumnMap, sheet: Sheet, first: Sequence[Row], notes: Notes) -> Header:
    """Return the headings that stand in the first rows, and tell what is odd about them.

    :raises Refused: there are none, or a column that every table needs is not among them.
    """
    found = max(_candidates(columns, first, sheet.merges), key=_worth, default=None)
    if found is None or not _worth(found):
        row = first[0] if first else None
        raise Refused(
            Code.NO_HEADINGS, sheet.place(row, min(row.cells)) if row and row.cells else _start(sheet)
        )
    above = [row for row in first if row.number < found.rows[0].number and row.cells]
    if above:
        rows = f"{above[0].number}-{above[-1].number}" if len(above) > 1 else str(above[0].number)
        notes.add(Code.ROWS_SKIPPED, sheet.place(above[0], min(above[0].cells)), rows=rows)
    if len(found.rows) > 1:
        rows = f"{found.rows[0].number}-{found.last}"
        notes.add(Code.TWO_HEADINGS, sheet.place(found.rows[0], min(found.rows[0].cells)), rows=rows)
    return _checked(columns, sheet, found, notes)


def _checked(columns: ColumnMap, sheet: Sheet, found: Header, notes: Notes) -> Header:
    """Tell of unknown, misspelt, doubled and hidden columns; return the headings without the doubled."""
    kept: dict[int, Heading] = {}
    taken: dict[tuple[str, str], int] = {}
    for at, text in sorted(found.texts.items()):
        place = found.place(sheet, at)
        heading = found.headings.get(at)
        if heading is None:
            notes.add(Code.COLUMN_UNKNOWN, place, heading=text, suggestion=columns.near(text))
            continue
        key = heading.column.key, heading.language
        if key in taken:
            first = found.place(sheet, taken[key]).cell
            notes.add(Code.COLUMN_TWICE, place, heading=text, first=first, column=heading.column.name)
            continue
        taken[key] = at
        kept[at] = heading
        if heading.corrected:
            notes.add(Code.HEADING_CORRECTED, place, heading=text, corrected=heading.corrected)
        if at in sheet.hidden_columns:
            notes.add(Code.COLUMN_HIDDEN, place, column=letters(at), heading=text)
    for column in columns.columns:
        if column.required and not any(heading.column == column for heading in kept.values()):
            raise _missing(sheet, found, column)
    return Header(found.texts, kept, found.rows)


def _missing(sheet: Sheet, found: Header, column: Column) -> Refused:
    row = found.rows[-1]
    examples = ", ".join(names[0] for names in column.headings.values())
    return Refused(
        Code.COLUMN_MISSING, sheet.place(row, min(row.cells)), column=column.name, headings=examples
    )


def _candidates(columns: ColumnMap, rows: Sequence[Row], merges: Sequence[Merge]) -> Iterator[Header]:
    """Yield what each row, and each two rows under each other, say when they are read as headings."""
    filled = [row for row in rows if row.cells]
    for index, row in enumerate(filled):
        upper = {at: _heading(row, at) for at in row.cells}
        yield _header(columns, upper, (row,))
        below = filled[index + 1] if index + 1 < len(filled) else None
        if below is not None and below.number == row.number + 1:
            spread = _spread(upper, below, row.number, merges)
            texts = {
                at: _joined(columns, spread.get(at, ""), _heading(below, at))
                for at in spread.keys() | below.cells
            }
            # A row below that says nothing as headings is the first one of the data.
            if all(at not in below.cells or columns.read(texts[at]) for at in texts):
                yield _header(columns, texts, (row, below))


def _header(columns: ColumnMap, texts: Mapping[int, str], rows: tuple[Row, ...]) -> Header:
    read = {at: heading for at, text in texts.items() if (heading := columns.read(text))}
    return Header(texts, read, rows)


def _worth(header: Header) -> float:
    """Return how sure it is that these are headings: the columns they name, corrected ones a little less."""
    best: dict[tuple[str, str], float] = {}
    for heading in header.headings.values():
        key = heading.column.key, heading.language
        best[key] = max(best.get(key, 0), _CORRECTED if heading.corrected else _EXACT)
    return sum(best.values())


def _heading(row: Row, at: int) -> str:
    cell = row.cells.get(at)
    return clean(str(cell.value)[:_LONGEST]).meant.replace("\n", " ") if cell else ""


def _spread(upper: Mapping[int, str], below: Row, number: int, merges: Sequence[Merge]) -> dict[int, str]:
    """Return the upper headings with those over several columns repeated, in merged cells or to the right."""
    spread = dict(upper)
    for merge in merges:
        if merge.top <= number <= merge.bottom and merge.left in upper:
            spread |= dict.fromkeys(
                range(merge.left, min(merge.right, merge.left + 50) + 1), upper[merge.left]
            )
    for at in sorted(below.cells):
        if at not in spread and at - 1 in spread:
            spread[at] = spread[at - 1]
    return {at: text for at, text in spread.items() if at in below.cells or at in upper}


def _joined(columns: ColumnMap, upper: str, lower: str) -> str:
    """Return the heading that two cells under each other make: "Timeframe" over "From" is "From"."""
    both = f"{upper} {lower}".strip()
    return both if not lower or not upper or _exact(columns, both) else lower


def _exact(columns: ColumnMap, text: str) -> bool:
    heading = columns.read(text)
    return heading is not None and not heading.corrected


def _start(sheet: Sheet) -> Place:
    return Place(file=sheet.file, sheet=sheet.name)
