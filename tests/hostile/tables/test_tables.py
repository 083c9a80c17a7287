"""Bad tables: each gives its code at its cell, and nothing graver than that."""

import datetime as dt
import io
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet
from tests.hostile.tables.files import (
    ACTION,
    HEADINGS,
    as_csv,
    as_xlsx,
    bomb,
    csv_bytes,
    edited,
    lying_bomb,
    repacked,
    table_1904,
    written,
    xlsx_bytes,
)

import medkg.intake
from medkg.domain.submission import Submission
from medkg.intake.tables import Code, TableLimits

CATALOGUE = tomllib.loads(
    (Path(next(iter(medkg.intake.__path__))) / "catalogue" / "table.toml").read_text(encoding="utf-8")
)
SHEET = "xl/worksheets/sheet1.xml"
GOOD = xlsx_bytes(HEADINGS, ACTION)


def row(**changes: object) -> tuple[object, ...]:
    """Return the action with other values in the columns that are named in small letters."""
    values = dict(zip((heading.lower() for heading in HEADINGS), ACTION, strict=True)) | changes
    assert len(values) == len(HEADINGS)
    return tuple(values.values())


def texts(**changes: str) -> tuple[str, ...]:
    return tuple(map(str, row(**changes)))


def extra(heading: str, value: object) -> bytes:
    """Return a workbook with one more column, G."""
    return xlsx_bytes((*HEADINGS, heading), (*ACTION, value))


def formula(value: object) -> bytes:
    """Return a workbook whose title is a formula with that value."""

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Actions")
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ACTION)
        sheet.write_formula(1, 1, '="A shared "&"laboratory"', None, value)

    return written(fill)


def sheets(*names: str, hidden: str = "") -> bytes:
    """Return a workbook with the table in its last sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name in names:
        book.create_sheet(name).append(["Some notes", "of ours"])
    book.worksheets[-1].delete_rows(1)
    for line in (HEADINGS, ACTION):
        book.worksheets[-1].append(line)
    if hidden:
        book[hidden].sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def hide_row(sheet: Worksheet) -> None:
    sheet.row_dimensions[2].hidden = True


def hide_column(sheet: Worksheet) -> None:
    sheet.column_dimensions["D"].hidden = True


def zipped(**parts: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream.getvalue()


def packed(method: int) -> bytes:
    """Return the good workbook, packed in another way."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as old, zipfile.ZipFile(stream, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return stream.getvalue()


# What the file is, the file, how it is read, the code, and where: cell, or line.
WORKBOOKS: dict[str, tuple[Callable[[], bytes], Code, str]] = {
    "a text file": (lambda: b"ID,Title\n1,A\n", Code.DAMAGED, ""),
    "an empty file": (lambda: b"", Code.DAMAGED, ""),
    "a truncated zip file": (lambda: GOOD[: len(GOOD) // 2], Code.DAMAGED, ""),
    "only the end of a zip file": (lambda: b"PK\x05\x06" + b"\0" * 18, Code.OTHER_FORMAT, ""),
    "a way to pack that asks for memory": (lambda: packed(zipfile.ZIP_LZMA), Code.DAMAGED, ""),
    "no list of sheets": (lambda: repacked(GOOD, {"xl/workbook.xml": None}), Code.DAMAGED, ""),
    "no sheet": (lambda: repacked(GOOD, {SHEET: None}), Code.DAMAGED, ""),
    "a sheet that is no XML": (lambda: repacked(GOOD, {SHEET: b"<worksheet><row"}), Code.DAMAGED, ""),
    "all sheets hidden": (
        lambda: edited(GOOD, "xl/workbook.xml", 'state="visible"', 'state="veryHidden"'),
        Code.DAMAGED,
        "",
    ),
    "a password, or .xls": (lambda: bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, Code.PROTECTED, ""),
    "a bomb": (lambda: bomb(60 * 2**20), Code.UNPACKS_TOO_LARGE, ""),
    "a small bomb": (lambda: bomb(5 * 2**20), Code.UNPACKS_TOO_LARGE, ""),
    "macros": (lambda: repacked(GOOD, {"xl/vbaProject.bin": b"x"}), Code.MACROS, ""),
    "macros by type": (
        lambda: repacked(GOOD, {"[Content_Types].xml": b"<Types>macroEnabled.main+xml</Types>"}),
        Code.MACROS,
        "",
    ),
    "an .ods": (
        lambda: zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
        Code.OTHER_FORMAT,
        "",
    ),
    "a .docx": (lambda: zipped(word__document_xml="<w/>"), Code.OTHER_FORMAT, ""),
    "some zip": (lambda: zipped(readme_txt="hello"), Code.OTHER_FORMAT, ""),
    "a document type": (
        lambda: repacked(GOOD, {SHEET: b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'}),
        Code.DOCTYPE,
        "",
    ),
    "a document type in UTF-16": (
        lambda: repacked(GOOD, {SHEET: "<!DOCTYPE x []><worksheet/>".encode("utf-16")}),
        Code.DOCTYPE,
        "",
    ),
    "links to other files": (
        lambda: repacked(GOOD, {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"}),
        Code.PARTS_IGNORED,
        "",
    ),
    "embedded objects": (
        lambda: repacked(GOOD, {"xl/embeddings/oleObject1.bin": b"x"}),
        Code.PARTS_IGNORED,
        "",
    ),
    "an empty sheet": (xlsx_bytes, Code.NO_RECORDS, ""),
    "headings alone": (lambda: xlsx_bytes(HEADINGS), Code.NO_RECORDS, "A1"),
    "no headings": (lambda: xlsx_bytes(ACTION, ACTION), Code.NO_HEADINGS, "A1"),
    "no title": (
        lambda: xlsx_bytes(("ID", "Region", "From"), ("1", "PL22", "2021")),
        Code.COLUMN_MISSING,
        "A1",
    ),
    "a heading twice": (lambda: extra("Titre", "Again"), Code.COLUMN_TWICE, "G1"),
    "a misspelt heading": (lambda: extra("Raodmap", "health"), Code.HEADING_CORRECTED, "G1"),
    "an unknown heading": (lambda: extra("Zyx", "1"), Code.COLUMN_UNKNOWN, "G1"),
    "a note beside the table": (
        lambda: xlsx_bytes(HEADINGS, (*ACTION, None, "see below")),
        Code.COLUMN_UNKNOWN,
        "H2",
    ),
    "a title above": (lambda: xlsx_bytes(["My plan"], [], HEADINGS, ACTION), Code.ROWS_SKIPPED, "A1"),
    "two rows of headings": (
        lambda: xlsx_bytes(
            ("Region", "Suggested innovation action", "Description", "Timeframe"),
            (None, None, None, "From", "To"),
            ("PL22", "A shared laboratory", "It is shared.", "2021-10", "2025-12"),
        ),
        Code.TWO_HEADINGS,
        "A1",
    ),
    "a sheet of several": (lambda: sheets("Notes", "Plan"), Code.SHEET_CHOSEN, ""),
    "a hidden sheet": (lambda: sheets("Old", "Plan", hidden="Old"), Code.SHEET_HIDDEN, ""),
    "a hidden row": (lambda: xlsx_bytes(HEADINGS, ACTION, change=hide_row), Code.ROW_HIDDEN, "A2"),
    "a hidden column": (lambda: xlsx_bytes(HEADINGS, ACTION, change=hide_column), Code.COLUMN_HIDDEN, "D1"),
    "merged regions": (
        lambda: xlsx_bytes(
            HEADINGS, ACTION, row(id="a-2", region=None), change=lambda sheet: sheet.merge_cells("D2:D3")
        ),
        Code.FILLED_DOWN,
        "D3",
    ),
    "merged descriptions": (
        lambda: xlsx_bytes(
            HEADINGS,
            ACTION,
            row(id="a-2", description=None),
            change=lambda sheet: sheet.merge_cells("C2:C3"),
        ),
        Code.MERGED,
        "C2",
    ),
    "cells merged sideways": (
        lambda: xlsx_bytes(HEADINGS, row(to=None), change=lambda sheet: sheet.merge_cells("E2:F2")),
        Code.MERGED,
        "E2",
    ),
    "a row that goes on": (
        lambda: xlsx_bytes(HEADINGS, ACTION, (None, None, "And more.", "Veneto")),
        Code.CONTINUED,
        "C3",
    ),
    "dates without an action": (
        lambda: xlsx_bytes(HEADINGS, ACTION, (None, None, None, None, "2021")),
        Code.NO_IDENTIFIER,
        "E3",
    ),
    "an identifier without letters": (
        lambda: xlsx_bytes(("Title",), ("???",), ("A shared laboratory",)),
        Code.NO_IDENTIFIER,
        "A2",
    ),
    "a formula never computed": (
        lambda: xlsx_bytes(HEADINGS, row(title="=A1&B1")),
        Code.FORMULA_EMPTY,
        "B2",
    ),
    "a formula with a value": (lambda: formula("A shared laboratory"), Code.FORMULA_VALUE, "B2"),
    "an error": (lambda: formula("#N/A"), Code.ERROR_CELL, "B2"),
    "an error without a formula": (
        lambda: xlsx_bytes(HEADINGS, row(region="#REF!")),
        Code.ERROR_CELL,
        "D2",
    ),
    "a day after the last one": (
        lambda: xlsx_bytes(
            HEADINGS,
            row(**{"from": 1e10}),
            change=lambda sheet: setattr(sheet["E2"], "number_format", "mm/yyyy"),
        ),
        Code.ERROR_CELL,
        "E2",
    ),
    "a no-break space": (lambda: xlsx_bytes(HEADINGS, row(region="PL22\u00a0")), Code.SPACES, "D2"),
    "a zero-width space": (lambda: xlsx_bytes(HEADINGS, row(region="PL\u200b22")), Code.SPACES, "D2"),
    "a Cyrillic S": (lambda: xlsx_bytes(HEADINGS, row(region="\u0405laskie")), Code.LOOKALIKE, "D2"),
    "a Cyrillic e": (lambda: xlsx_bytes(HEADINGS, row(region="V\u0435neto")), Code.LOOKALIKE, "D2"),
    "a Greek A": (lambda: xlsx_bytes(HEADINGS, row(title="\u0391ttica lab")), Code.LOOKALIKE, "B2"),
    "garbled letters": (
        lambda: xlsx_bytes(HEADINGS, row(region="Śląskie".encode().decode("cp1252"))),
        Code.MOJIBAKE,
        "D2",
    ),
    "letters garbled in Poland": (
        lambda: xlsx_bytes(HEADINGS, row(region="Śląskie".encode().decode("cp1250"))),
        Code.MOJIBAKE,
        "D2",
    ),
    "a control character": (
        lambda: edited(GOOD, SHEET, "A shared laboratory", "A shared&#133; laboratory"),
        Code.CONTROL,
        "B2",
    ),
    "an escaped null": (lambda: xlsx_bytes(HEADINGS, row(title="A lab_x0000_")), Code.CONTROL, "B2"),
    "a real date": (
        lambda: xlsx_bytes(HEADINGS, row(**{"from": dt.date(2021, 10, 1)})),
        Code.MONTH_REWRITTEN,
        "E2",
    ),
    "days from 1904": (table_1904, Code.MONTH_REWRITTEN, "E2"),
    "a number of days": (lambda: xlsx_bytes(HEADINGS, row(**{"from": 44470})), Code.MONTH_DOUBTFUL, "E2"),
    "a month as a number": (lambda: xlsx_bytes(HEADINGS, row(to=12.2025)), Code.MONTH_REWRITTEN, "F2"),
    "true for a month": (lambda: xlsx_bytes(HEADINGS, row(to=True)), Code.MONTH_UNREADABLE, "F2"),
    "an unknown region": (lambda: xlsx_bytes(HEADINGS, row(region="Silesja")), Code.REGION_UNKNOWN, "D2"),
    "a region of two": (lambda: xlsx_bytes(HEADINGS, row(region="Limburg")), Code.REGION_AMBIGUOUS, "D2"),
    "a region broken over lines": (
        lambda: xlsx_bytes(HEADINGS, row(region="Slaskie / Ve-\nneto")),
        Code.REGION_RESPELT,
        "D2",
    ),
    "an unknown technology": (lambda: extra("KETs", "Fotonix"), Code.NAME_UNKNOWN, "G2"),
    "a stage of two lists": (lambda: extra("Stage", "Demonstrate"), Code.NAME_AMBIGUOUS, "G2"),
    "a technology of two lists": (lambda: extra("KET", "Photonics"), Code.NAME_PREFERRED, "G2"),
    "a level that is none": (lambda: extra("TRL", 10), Code.NAME_UNKNOWN, "G2"),
    "two statuses": (lambda: extra("Status", "Planned / Completed"), Code.TOO_MANY_VALUES, "G2"),
    "a bad address": (lambda: extra("Link", "www.example.org"), Code.ADDRESS, "G2"),
    "a language that is none": (lambda: extra("Language", "Klingon"), Code.NAME_UNKNOWN, "G2"),
    "an identifier twice": (
        lambda: xlsx_bytes(HEADINGS, ACTION, row(title="Another one")),
        Code.IDENTIFIER_TWICE,
        "A3",
    ),
    "identifiers alike once made": (
        lambda: xlsx_bytes(HEADINGS, ACTION, row(id="A 1")),
        Code.IDENTIFIER_TWICE,
        "A3",
    ),
    "an identifier with spaces": (lambda: xlsx_bytes(HEADINGS, row(id="A 1")), Code.IDENTIFIER_MADE, "A2"),
    "a text that is too long": (
        lambda: xlsx_bytes(HEADINGS, row(description="x" * 20_001)),
        Code.CELL_TOO_LONG,
        "C2",
    ),
    "a cell far to the right": (
        lambda: xlsx_bytes(HEADINGS, ACTION, change=lambda sheet: sheet.cell(2, 300, "x")),
        Code.ROW_TOO_WIDE,
        "",
    ),
    "a cell far below": (
        lambda: xlsx_bytes(HEADINGS, ACTION, change=lambda sheet: sheet.cell(30_000, 1, "x")),
        Code.TOO_MANY_ROWS,
        "",
    ),
}

HEAD = ",".join(HEADINGS)
LINE = ",".join(ACTION)
FILES: dict[str, tuple[bytes, Code, str, int]] = {
    "an empty file": (b"", Code.NO_RECORDS, "", 0),
    "blank lines": (b"\n\n \n", Code.NO_RECORDS, "", 0),
    "headings alone": (f"{HEAD}\n".encode(), Code.NO_RECORDS, "A1", 1),
    "an HTML page": (b"<!DOCTYPE html>\n<html>404</html>\n", Code.NO_HEADINGS, "A1", 1),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), Code.NOT_TEXT, "", 1),
    "control characters": (b"\x01\x02\x03\x04" * 40, Code.NOT_TEXT, "", 1),
    "bytes of no encoding": (f"{HEAD}\n".encode() + b"1,\x81\x98\x90,x\n", Code.NOT_TEXT, "", 2),
    "UTF-16 cut in a letter": (HEAD.encode("utf-16") + b"\n", Code.NOT_TEXT, "", 1),
    "a byte order mark": (csv_bytes(HEADINGS, ACTION, encoding="utf-8-sig"), Code.ENCODING, "", 1),
    "UTF-16": (csv_bytes(HEADINGS, ACTION, encoding="utf-16"), Code.ENCODING, "", 1),
    "UTF-16 without a mark": (csv_bytes(HEADINGS, ACTION, encoding="utf-16-be"), Code.ENCODING, "", 1),
    "Windows-1250": (csv_bytes(HEADINGS, texts(region="Śląskie"), encoding="cp1250"), Code.ENCODING, "", 1),
    "Windows-1252": (csv_bytes(HEADINGS, texts(region="Vénétie"), encoding="cp1252"), Code.ENCODING, "", 1),
    "semicolons": (csv_bytes(HEADINGS, ACTION, separator=";"), Code.SEPARATOR, "", 1),
    "tabs": (csv_bytes(HEADINGS, ACTION, separator="\t"), Code.SEPARATOR, "", 1),
    "bars": (csv_bytes(HEADINGS, ACTION, separator="|"), Code.SEPARATOR, "", 1),
    "a line for Excel": (b"sep=;\r\n" + csv_bytes(HEADINGS, ACTION, separator=";"), Code.SEPARATOR, "", 1),
    "an open quote at the end": (f'{HEAD}\n{LINE}\n2,"Open\n'.encode(), Code.QUOTE, "", 3),
    "an open quote before others": (
        f'{HEAD}\n2,"Open lab,x,PL22,2021,2022\n3,"Closed lab",x,PL22,2021,2022\n'.encode(),
        Code.QUOTE,
        "",
        2,
    ),
    "text behind a quote": (f'{HEAD}\n2,"An open" lab,x,PL22,2021,2022\n'.encode(), Code.QUOTE, "", 2),
    "more cells than headings": (f"{HEAD}\n{LINE},more\n".encode(), Code.ROW_TOO_LONG, "G2", 2),
    "fewer cells than headings": (f"{HEAD}\n2,Some lab\n".encode(), Code.ROW_TOO_SHORT, "B2", 2),
    "a formula": (f"{HEAD}\n{LINE}\n2,=CMD(),x,,,\n".encode(), Code.FORMULA_EMPTY, "B3", 3),
    "an error": (f"{HEAD}\n2,Some lab,#N/A,,,\n".encode(), Code.ERROR_CELL, "C2", 2),
    "an impossible month": (csv_bytes(HEADINGS, texts(to="13/2021")), Code.MONTH_UNREADABLE, "F2", 2),
    "a word for a month": (csv_bytes(HEADINGS, texts(to="soonish")), Code.MONTH_UNREADABLE, "F2", 2),
    "an ambiguous month": (csv_bytes(HEADINGS, texts(to="10/21")), Code.MONTH_AMBIGUOUS, "F2", 2),
    "a day and a month": (csv_bytes(HEADINGS, texts(to="03/04/2021")), Code.MONTH_DOUBTFUL, "F2", 2),
    "a vague year": (csv_bytes(HEADINGS, texts(to="end of 2025")), Code.MONTH_DOUBTFUL, "F2", 2),
    "no end": (csv_bytes(HEADINGS, texts(to="ongoing")), Code.MONTH_OPEN, "F2", 2),
    "Roman numerals": (csv_bytes(HEADINGS, texts(to="X 2021")), Code.MONTH_REWRITTEN, "F2", 2),
    "a cell below one of two lines": (
        csv_bytes(HEADINGS, texts(description="one\ntwo"), texts(id="a-2", region="Atlantis")),
        Code.REGION_UNKNOWN,
        "D3",
        4,
    ),
    "a cell behind one of two lines": (
        csv_bytes(HEADINGS, texts(description="one\ntwo", region="Atlantis")),
        Code.REGION_UNKNOWN,
        "D2",
        3,
    ),
    "no language": (csv_bytes(HEADINGS, ACTION), Code.LANGUAGE, "B1", 1),
    "very many cells": (HEAD.encode() + b"\n" + b"," * 300, Code.ROW_TOO_WIDE, "", 2),
    "very many rows": (HEAD.encode() + b"\n" * 20_100, Code.TOO_MANY_ROWS, "", 20_031),
    "an injected record": (
        csv_bytes(HEADINGS, ACTION, texts(id="https://evil.example/x/../a-1")),
        Code.IDENTIFIER_TWICE,
        "A3",
        3,
    ),
}


def check(found: Submission, code: Code, cell: str, line: int = 0) -> None:
    """Check that the code is there, at its place, and that nothing graver is said."""
    places = [(flaw.place.cell, flaw.place.line) for flaw in found.flaws if flaw.code == code]
    assert (cell, line) in places, found.flaws
    grave = {flaw.code for flaw in found.flaws if CATALOGUE[flaw.code]["severity"] == "violation"}
    assert grave == ({code} if CATALOGUE[code]["severity"] == "violation" else set())
    for flaw in found.flaws:
        for text in ("message", "remedy"):
            assert CATALOGUE[flaw.code][text]["pl"].format_map(dict(flaw.values))


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_bad_workbook_is_told_with_its_cell(name: str) -> None:
    """Whatever is wrong with a workbook has a code, a cell, and a sentence with its values."""
    build, code, cell = WORKBOOKS[name]

    check(as_xlsx(build()), code, cell)


@pytest.mark.parametrize("name", FILES)
def test_a_bad_csv_file_is_told_with_its_cell_and_line(name: str) -> None:
    """Whatever is wrong with a CSV file has a code, a line, a cell, and a sentence with its values."""
    data, code, cell, line = FILES[name]

    check(as_csv(data), code, cell, line)


def test_what_can_be_said_is_provoked() -> None:
    """Each code has a table here that provokes it."""
    provoked = {case[1] for case in (*WORKBOOKS.values(), *FILES.values())}

    assert set(Code) - provoked == {Code.MORE}


def test_a_directory_that_lies_unpacks_to_nothing_large() -> None:
    """A part that is larger than the directory says is damaged, and is not unpacked beyond that."""
    check(as_xlsx(lying_bomb(60 * 2**20)), Code.DAMAGED, "")


def test_much_of_the_same_is_counted() -> None:
    """One mistake in all rows is told so often as the limit says; then how often it was there beside."""
    data = csv_bytes(HEADINGS, *(texts(id=f"a-{number}", region="Atlantis") for number in range(50)))

    found = as_csv(data, TableLimits(flaws=10))

    assert [flaw.place.cell for flaw in found.flaws if flaw.code == Code.REGION_UNKNOWN][-1] == "D11"
    more = {flaw.values["code"]: flaw.values["count"] for flaw in found.flaws if flaw.code == Code.MORE}
    assert more == {Code.REGION_UNKNOWN: "40"}
    assert len(found.records) == 50


def test_a_file_over_the_limit_of_rows_states_nothing() -> None:
    """What is too long is refused as a whole: half a table would look like all of it."""
    rows = [texts(id=f"a-{number}") for number in range(30)]

    assert len(as_csv(csv_bytes(HEADINGS, *rows), TableLimits(rows=30)).records) == 30
    for found in (
        as_csv(csv_bytes(HEADINGS, *rows), TableLimits(rows=29)),
        as_xlsx(xlsx_bytes(HEADINGS, *rows), TableLimits(rows=29)),
    ):
        assert (found.statements, dict(found.records)) == ((), {})
        assert [flaw.code for flaw in found.flaws][-1] == Code.TOO_MANY_ROWS
