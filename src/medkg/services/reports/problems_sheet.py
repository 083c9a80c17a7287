"""The sheet of a workbook that lists the problems, with links to their cells; all of it are texts."""

from collections.abc import Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from medkg.domain.model import Finding
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.display import shortened, visible
from medkg.services.reports.summary import MAX_FINDINGS, MAX_PER_CODE
from medkg.services.reports.texts import Words
from medkg.services.tables import harmless

__all__ = ["add_problems", "put"]

_LONGEST_CELL: Final = 32_767
_LONGEST_TITLE: Final = 31
_COLUMNS: Final = (
    ("severity", 14),
    ("code", 9),
    ("place", 26),
    ("message", 60),
    ("remedy", 50),
    ("value", 30),
    ("suggestion", 30),
    ("focus", 40),
    ("path", 24),
)
"""The columns and their widths, in characters."""
_LINK: Final = "FF0B5CAB"
_BAND: Final = "FFF3F6F9"


def add_problems(
    book: Workbook, report: SubmissionReport, targets: Sequence[tuple[Finding, Cell | None]], words: Words
) -> None:
    """Add the sheet behind all others and show it first when the workbook is opened.

    *targets* are the findings with their cells; one without a cell is listed without a link.
    """
    sheet = book.create_sheet(_free_title(book, words("sheet-problems")))
    head = _head(report, words)
    for row, text in enumerate(head, start=1):
        put(sheet, row, 1, text).font = Font(bold=row == 1, size=14 if row == 1 else 11)
    top = len(head) + 2
    for column, (key, width) in enumerate(_COLUMNS, start=1):
        cell = put(sheet, top, column, words(key))
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", start_color=_BAND, end_color=_BAND)
        sheet.column_dimensions[cell.column_letter].width = width
    for row, (finding, target) in enumerate(targets, start=top + 1):
        _write(sheet, row, finding, target, words)
    sheet.freeze_panes = sheet.cell(top + 1, 1)
    if targets:
        sheet.auto_filter.ref = f"A{top}:{sheet.cell(top + len(targets), len(_COLUMNS)).coordinate}"
    _show(book, sheet)


def put(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """Write *text* as a text, whatever it begins with; what a sheet can't hold is cut or made visible."""
    cell = sheet.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError("a merged cell holds no text")
    cell.value = shortened(visible(text, lines=True), _LONGEST_CELL)
    # openpyxl takes "=1+1" for a formula and "#N/A" for an error.
    cell.data_type = "s"
    if harmless(text) != text:
        # A spreadsheet would, too, as soon as somebody edits the cell.
        cell.quotePrefix = True
    return cell


def _write(sheet: Worksheet, row: int, finding: Finding, target: Cell | None, words: Words) -> None:
    texts = (
        words(f"severity-{finding.severity}"),
        finding.code,
        words.place(finding.place),
        finding.message,
        finding.remedy,
        finding.value,
        finding.suggestion,
        finding.focus,
        finding.path,
    )
    for column, ((key, _), text) in enumerate(zip(_COLUMNS, texts, strict=True), start=1):
        cell = put(sheet, row, column, text)
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        if key == "place" and target is not None:
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=_location(target))
            cell.font = Font(color=_LINK, underline="single")


def _location(cell: Cell) -> str:
    """Return a cell as a link names it; a quote in the name of its sheet is doubled."""
    title = cell.parent.title.replace("'", "''")
    return f"'{title}'!{cell.coordinate}"


def _head(report: SubmissionReport, words: Words) -> list[str]:
    lines = [
        words(f"decision-{report.decision}"),
        report.reason,
        words.counts(report.counts),
        words("workbook-note") if report.findings else "",
    ]
    if report.truncated:
        total = sum(report.counts.values())
        caps = {"each": MAX_PER_CODE, "all": MAX_FINDINGS}
        lines.append(words("truncated", shown=len(report.findings), total=total, **caps))
        omitted = ", ".join(f"{code} ({number})" for code, number in report.omitted.items())
        lines.append(f"{words('omitted')}{words('colon')} {omitted}")
    return [line for line in lines if line]


def _free_title(book: Workbook, wanted: str) -> str:
    """Return *wanted*, with a number when a sheet has that name; capitals make no difference there."""
    taken = {title.casefold() for title in book.sheetnames}
    title, number = wanted, 1
    while title.casefold() in taken:
        number += 1
        suffix = f" ({number})"
        title = wanted[: _LONGEST_TITLE - len(suffix)] + suffix
    return title


def _show(book: Workbook, sheet: Worksheet) -> None:
    book.active = book.index(sheet)
    # Sheets that stay selected beside it would be edited together with it.
    for other in book.worksheets:
        other.sheet_view.tabSelected = other is sheet
