"""A report as the sender's own workbook: bad cells are coloured and have a comment, a sheet lists them.

What openpyxl does not read is lost on the way: charts, shapes, text boxes, form controls, slicers; pictures
if Pillow is not installed; macros, signatures and custom XML; extensions of later versions, for example
sparklines and some conditional formats and data validations.  The values that formulas had are not kept: a
spreadsheet program computes them when it opens the file.  Threaded comments become plain ones, and a comment
that gets text of ours loses its size.  A conditional format of the sender can hide a colour of ours.
"""

import io
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Final, cast
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from medkg.domain.errors import InputError, TooLarge
from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.cells import MAX_COLUMNS, MAX_ROWS, position
from medkg.services.reports.display import shortened, visible
from medkg.services.reports.problems_sheet import add_problems, put
from medkg.services.reports.texts import Texts, Words

__all__ = ["FILLS", "mark_rows", "mark_workbook"]

_LONGEST_COMMENT: Final = 32_767
_SMALLEST_COMMENT: Final = 40
"""Where less room than this is left beside a comment of the sender, ours stands in the sheet alone."""
_AUTHOR: Final = "medkg"
_INK: Final = "FF1C2733"
FILLS: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.VIOLATION: "FFFFC7CE", Severity.WARNING: "FFFFEB9C", Severity.INFO: "FFDDEBF7"}
)
"""The colours of cells, as ARGB."""
_BROKEN: Final = (
    AttributeError,
    BadZipFile,
    EOFError,
    IndexError,
    InvalidFileException,
    KeyError,
    OSError,
    OverflowError,
    ParseError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What openpyxl raises on a workbook that it can't make sense of; it has no error of its own for that."""


def mark_workbook(report: SubmissionReport, texts: Texts, document: bytes) -> bytes:
    """Return the XLSX workbook *document* with the findings of *report* marked in it.

    Call it in a process that may be killed, with a document that has passed the guard of the intake.

    :raises InputError: it can't be read or written as a workbook.
    """
    try:
        with warnings.catch_warnings():
            # openpyxl warns of each thing that it leaves out; the list is above.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(document), rich_text=True)
            if not book.worksheets:
                # What can't be found is only warned of; a workbook without its sheets is not given back.
                raise _refused()
            return _marked(book, report, texts)
    except _BROKEN as error:
        raise _refused() from error


def mark_rows(report: SubmissionReport, texts: Texts, rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook made of the rows of a CSV file, every cell a text, with the findings marked in it.

    A cell of more than 32,767 characters is cut, as no sheet can hold it.

    :raises TooLarge: there are more rows or columns than a sheet can hold.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = texts.words(report.language)("sheet-document")
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise TooLarge(
                f"A sheet holds {MAX_ROWS:,} rows and {MAX_COLUMNS:,} columns; this file has more.",
                remedy="Ask for the report as CSV.",
            )
        for column, text in enumerate(row, start=1):
            if text:
                put(sheet, number, column, text)
    return _marked(book, report, texts)


def _refused() -> InputError:
    return InputError(
        "This workbook can't be given back with its problems marked.",
        remedy="Ask for the report in another format, or save the workbook anew and send it again.",
    )


def _marked(book: Workbook, report: SubmissionReport, texts: Texts) -> bytes:
    words = texts.words(report.language)
    found: dict[Cell, list[Finding]] = {}
    targets: list[tuple[Finding, Cell | None]] = []
    for finding in report.findings:
        cell = _cell(book, finding.place)
        targets.append((finding, cell))
        if cell is not None:
            found.setdefault(cell, []).append(finding)
    for cell, findings in found.items():
        _mark(cell, findings, words)
    add_problems(book, report, targets, words)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(book: Workbook, place: Place) -> Cell | None:
    """Return the cell of a place; of merged cells the first, which is the one that holds the value."""
    sheet = _sheet(book, place.sheet)
    where = position(place.cell)
    if sheet is None or where is None:
        return None
    cell = sheet.cell(*where)
    if isinstance(cell, Cell):
        return cell
    areas = (area for area in sheet.merged_cells.ranges if cell.coordinate in area)
    first = next(areas, None)
    top = sheet.cell(first.min_row, first.min_col) if first else None
    return top if isinstance(top, Cell) else None


def _sheet(book: Workbook, name: str) -> Worksheet | None:
    """Return the sheet of that name; the file of a CSV document has one, without a name."""
    named = [sheet for sheet in book.worksheets if sheet.title == name]
    if not name and len(book.worksheets) == 1:
        return book.worksheets[0]
    return named[0] if named else None


def _mark(cell: Cell, findings: Sequence[Finding], words: Words) -> None:
    gravest = min((finding.severity for finding in findings), key=list(Severity).index)
    cell.fill = PatternFill("solid", start_color=FILLS[gravest], end_color=FILLS[gravest])
    # White letters on a dark heading would vanish on a light colour.
    font = cast("Font", copy(cell.font))
    font.color = _INK
    cell.font = font
    text = "\n\n".join(_comment(finding, words) for finding in findings)
    before = f"{cell.comment.text}\n\n" if cell.comment is not None else ""
    room = _LONGEST_COMMENT - len(before.encode("utf-16-le", "surrogatepass")) // 2
    if before and room < _SMALLEST_COMMENT:
        return
    author = cell.comment.author if cell.comment is not None else _AUTHOR
    lines = text.count("\n") + len(text) // 40 + 2
    cell.comment = Comment(before + shortened(text, room), author, height=min(20 * lines, 400), width=320)


def _comment(finding: Finding, words: Words) -> str:
    head = f"{words(f'severity-{finding.severity}').capitalize()} {finding.code}"
    parts = [f"{head}{words('colon')} {finding.message}"]
    if finding.remedy:
        parts.append(f"{words('remedy')}{words('colon')} {finding.remedy}")
    if finding.suggestion:
        parts.append(f"{words('suggestion')}{words('colon')} {finding.suggestion}")
    return visible("\n".join(parts), lines=True)
