"""Answers as tables: JSON, CSV and XLSX, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from rdflib.term import Literal, URIRef

from medkg.domain.errors import TooLarge
from medkg.services.questions import Cell, Sheet

__all__ = ["harmless", "read_csv", "sheet_as_csv", "sheet_as_json", "write_xlsx"]

_MAX_SHEET_ROWS: Final = 1_048_575
_STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - East Asian spreadsheets take the wide ones too


def sheet_as_json(sheet: Sheet) -> dict[str, Any]:
    """Return an answer as a JSON object: the question in words, the values used, columns and rows."""
    question, language = sheet.question, sheet.language
    return {
        "question": question.worded(sheet.values, language),
        "slug": question.slug,
        "number": question.number,
        "title": question.title.get(language) or question.title["en"],
        "language": language,
        "version": sheet.version,
        "parameters": {
            name: _value_as_json(Cell(term, sheet.values[name])) for name, term in sheet.bindings.items()
        },
        "columns": [{"name": name, "label": sheet.heading(name)} for name in sheet.columns],
        "count": len(sheet.rows),
        "rows": [
            {name: _value_as_json(cell) for name, cell in zip(sheet.columns, row, strict=True) if cell}
            for row in sheet.rows
        ],
    }


def sheet_as_csv(sheet: Sheet) -> str:
    """Return an answer as CSV (RFC 4180): names, and where there are entities a column of their IRIs."""
    cells_by_column = ([row[index] for row in sheet.rows] for index in range(len(sheet.columns)))
    with_iri = [any(cell is not None and cell.iri for cell in cells) for cells in cells_by_column]
    header: list[str] = []
    for name, iri in zip(sheet.columns, with_iri, strict=True):
        header += [name, f"{name}_iri"] if iri else [name]
    return _csv(header, (_csv_row(row, with_iri) for row in sheet.rows))


def read_csv(data: bytes) -> list[list[str]]:
    """Return the rows of a CSV result as the engine writes it, the header first."""
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula (OWASP, CSV injection); numbers stay."""
    is_number = text.lstrip("+-").replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in _STARTS and not is_number else text


def write_xlsx(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a workbook with one sheet of text cells; nothing in it is taken for a formula or a link.

    :raises TooLarge: there are more rows than a sheet can hold.
    """
    if len(rows) > _MAX_SHEET_ROWS:
        raise TooLarge(
            f"{len(rows):,} rows do not fit into a sheet, which holds {_MAX_SHEET_ROWS:,}.",
            remedy="Choose CSV.",
        )
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Answer")
        bold = book.add_format({"bold": True})
        for index, row in enumerate((header, *rows)):
            for column, text in enumerate(row):
                sheet.write_string(index, column, text, bold if index == 0 else None)
        sheet.freeze_panes(1, 0)
        sheet.autofit()


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()


def _csv_row(row: Sequence[Cell | None], with_iri: Sequence[bool]) -> list[str]:
    cells: list[str] = []
    for cell, iri in zip(row, with_iri, strict=True):
        cells.append(harmless(cell.label) if cell else "")
        if iri:
            cells.append((cell.iri or "") if cell else "")
    return cells


def _value_as_json(cell: Cell) -> Mapping[str, str]:
    term = cell.term
    if isinstance(term, URIRef):
        return {"id": str(term), "label": cell.label}
    found = {"value": str(term)}
    if isinstance(term, Literal):
        if term.language:
            found["language"] = term.language
        elif term.datatype:
            found["datatype"] = str(term.datatype)
    return found
