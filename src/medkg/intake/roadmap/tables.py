"""Roadmaps as CSV and as a workbook."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Final, TextIO

import xlsxwriter

from medkg.domain.errors import RoadmapError
from medkg.intake.roadmap.model import Repair, RoadmapRow, RoadmapTable

__all__ = ["ACTION_COLUMNS", "REPAIR_COLUMNS", "write_csv", "write_xlsx"]

# Header and width, in characters, of each column of the sheet of actions and the CSV file.
ACTION_COLUMNS: Final = {
    "Region": 24,
    "Region code": 14,
    "Innovation action": 40,
    "Description": 80,
    "From": 10,
    "To": 10,
}
REPAIR_COLUMNS: Final = {
    "Row": 6,
    "Line": 6,
    "Start": 8,
    "End": 8,
    "Rule": 26,
    "Before": 50,
    "After": 50,
    "Confidence": 11,
}
_SEPARATOR: Final = " / "
_LONGEST_CELL: Final = 32_767
# A cell that begins with one of these is run as a formula when a spreadsheet opens the CSV file.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(table: RoadmapTable, target: str | PathLike[str] | TextIO) -> None:
    """Write the rows as CSV (UTF-8) to a path or an open text file, under the headers of ACTION_COLUMNS.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    if isinstance(target, str | PathLike):
        with Path(target).open("w", encoding="utf-8", newline="") as file:
            write_csv(table, file)
        return
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(ACTION_COLUMNS)
    writer.writerows([_inert(cell) for cell in _action(row)] for row in table.rows)


def write_xlsx(table: RoadmapTable, path: str | PathLike[str]) -> None:
    """Write a workbook with the sheets "Actions" (the rows) and "Repairs" (the log of what was repaired).

    Every text is written as text, never as a formula or a link.  Raises :exc:`RoadmapError` when a text is
    longer than a cell may be (32,767 characters); nothing is written then.
    """
    actions = [_action(row) for row in table.rows]
    repairs = [_repair(repair) for repair in table.repairs]
    _check_lengths(actions)
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.set_properties({"title": table.title, "created": datetime(2000, 1, 1, tzinfo=UTC)})
        _sheet(workbook, "Actions", ACTION_COLUMNS, actions)
        _sheet(workbook, "Repairs", REPAIR_COLUMNS, repairs)


def _action(row: RoadmapRow) -> tuple[str, ...]:
    """Return the cells of a row, in the order of ACTION_COLUMNS."""
    codes = _SEPARATOR.join(code or "?" for code in row.region_codes) if any(row.region_codes) else ""
    regions = _SEPARATOR.join(row.regions)
    return regions, codes, row.title, row.description, row.planned_from or "", row.planned_to or ""


def _repair(repair: Repair) -> tuple[str | float, ...]:
    """Return the cells of a repair, in the order of REPAIR_COLUMNS; rows are counted from 1, as people do."""
    row = "" if repair.row is None else repair.row + 1
    before, after = (_shortened(text) for text in (repair.before, repair.after))
    return row, repair.line, repair.start, repair.end, repair.rule, before, after, repair.confidence


def _sheet(
    workbook: xlsxwriter.Workbook, name: str, columns: dict[str, int], rows: Sequence[tuple[str | float, ...]]
) -> None:
    sheet = workbook.add_worksheet(name)
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    bold = workbook.add_format({"bold": True})
    for index, (header, width) in enumerate(columns.items()):
        sheet.set_column(index, index, width)
        sheet.write_string(0, index, header, bold)
    for number, row in enumerate(rows, start=1):
        for index, value in enumerate(row):
            if isinstance(value, str) and value:
                sheet.write_string(number, index, value, wrapped)
            elif not isinstance(value, str):
                sheet.write_number(number, index, value, wrapped)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)


def _check_lengths(rows: list[tuple[str, ...]]) -> None:
    for number, row in enumerate(rows, start=1):
        for header, text in zip(ACTION_COLUMNS, row, strict=True):
            if len(text) > _LONGEST_CELL:
                raise RoadmapError(
                    f"{header} of action {number} has {len(text):,} characters; "
                    f"a workbook cell holds {_LONGEST_CELL:,}.",
                    remedy="Write CSV instead, which has no such limit.",
                )


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _shortened(text: str) -> str:
    """Return *text* so that it fits a cell: the log holds offsets, the source holds the rest."""
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "\u2026"
