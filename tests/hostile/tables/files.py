"""Makes tables, good and bad: CSV files as bytes, workbooks by the usual libraries, bombs by hand."""

import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import openpyxl
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

from medkg.domain.naming import fold
from medkg.domain.submission import Submission
from medkg.intake.tables import Candidate, Names, TableLimits, read_csv, read_xlsx

NUTS = "http://data.europa.eu/nuts/code/"
BASE = "https://w3id.org/medkg/"
NAMESPACE = f"{BASE}id/action/x-"

HEADINGS = ("ID", "Title", "Description", "Region", "From", "To")
ACTION = ("a-1", "A shared laboratory", "Two hospitals share it.", "PL22", "2021-10", "2025-12")

_THINGS = (
    ("Region", NUTS + "PL22", "Silesia", 2, "Śląskie", "Slaskie", "PL22", "Silésie"),
    ("Region", NUTS + "ITH3", "Veneto", 2, "Vénétie", "ITH3", "Wenecja Euganejska"),
    ("Region", NUTS + "ITC4", "Lombardy", 2, "Lombardia", "ITC4"),
    ("Region", NUTS + "ITH1", "South Tyrol", 2, "Provincia Autonoma di Bolzano/Bozen", "ITH1"),
    ("Region", NUTS + "ITH4", "Friuli-Venezia Giulia", 2, "ITH4"),
    ("Region", NUTS + "BE22", "Limburg (Belgium)", 2, "Limburg", "BE22"),
    ("Region", NUTS + "NL42", "Limburg (Netherlands)", 2, "Limburg", "NL42"),
    ("Region", NUTS + "LU", "Luxembourg", 0, "LU"),
    ("Region", NUTS + "LU00", "Luxembourg", 2, "LU00"),
    ("KET", BASE + "vocab/ket-2009/photonics", "Photonics", -1, "Photonique", "Fotonica", "Fotonika"),
    ("KET", BASE + "vocab/ket-2012/photonics", "Photonics", -1, "Photonique", "Fotonica", "Fotonika"),
    ("KET", BASE + "vocab/ket-2018/artificial-intelligence", "Artificial intelligence", -1, "AI"),
    ("KET", BASE + "vocab/ket-2009/micro-nanoelectronics", "Micro- and nanoelectronics", -1),
    ("MaturityStage", BASE + "vocab/stage-jrc-manual/demonstrate", "Demonstrate", -1),
    ("MaturityStage", BASE + "vocab/stage-vanguard/demonstrate", "Demonstrate", -1),
    ("TechnologyReadinessLevel", BASE + "vocab/trl/6", "TRL 6: demonstrated", -1, "6"),
    ("ActionStatus", BASE + "vocab/action-status/planned", "Planned", -1),
    ("ActionStatus", BASE + "vocab/action-status/completed", "Completed", -1),
    ("Roadmap", BASE + "id/roadmap/health", "Roadmap for health", -1, "health"),
    ("Organisation", BASE + "id/organisation/medsilesia", "MedSilesia", -1, "medsilesia"),
)


def dice(seed: int) -> random.Random:
    """Return what chooses layouts and damages."""
    return random.Random(seed)  # noqa: S311 - nothing here is a secret


def small_names() -> Names:
    """Return a few names of each kind, and a retired region that shares one."""
    things: dict[str, Candidate] = {}
    kinds: dict[str, dict[str, tuple[str, ...]]] = {}
    retired = ("Region", NUTS + "PLX9", "Silesia", 2, "PLX9")
    for kind, iri, label, level, *others in (*_THINGS, retired):
        things[str(iri)] = Candidate(str(iri), str(label), int(level), retired=iri == NUTS + "PLX9")
        index = kinds.setdefault(str(kind), {})
        for name in {fold(str(name)) for name in (label, *others)}:
            index[name] = (*index.get(name, ()), str(iri))
    return Names(things, kinds)


def csv_bytes(*rows: Sequence[str], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Return rows as a CSV file; what needs quotes gets them."""

    def cell(text: str) -> str:
        quoted = any(char in text for char in (separator, '"', "\n"))
        return '"' + text.replace('"', '""') + '"' if quoted else text

    return "".join(separator.join(map(cell, row)) + "\r\n" for row in rows).encode(encoding)


def xlsx_bytes(*rows: Sequence[object], change: Callable[[Worksheet], object] | None = None) -> bytes:
    """Return rows as a workbook with a sheet "Actions"; *change* may do more to the sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Actions"
    for row in rows:
        sheet.append(list(row))
    if change:
        change(sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def written(fill: Callable[[xlsxwriter.Workbook], object], **options: object) -> bytes:
    """Return a workbook that *fill* writes with XlsxWriter, which keeps the values of formulas."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, **options})
    fill(book)
    book.close()
    return stream.getvalue()


def table_1904() -> bytes:
    """Return a table whose days are counted from 1904, with a number that stands for one of them."""

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Actions")
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ACTION[:4])
        sheet.write_datetime(1, 4, datetime(2021, 10, 1), book.add_format({"num_format": "mm/yyyy"}))  # noqa: DTZ001
        sheet.write_number(1, 5, 44530)

    return written(fill, date_1904=True)


def repacked(data: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """Return a zip file with some parts replaced or added, and those that are None left out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
    return stream.getvalue()


def edited(data: bytes, part: str, old: str, new: str) -> bytes:
    """Return a workbook with a text in one of its parts replaced, where it stands once."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read(part).decode()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {part}"
    return repacked(data, {part: text.replace(old, new).encode()})


def bomb(size: int) -> bytes:
    """Return a workbook with a sheet of so many bytes that packs to almost nothing."""
    sheet = b"<worksheet><sheetData>" + b"<row/>" * (size // 6) + b"</sheetData></worksheet>"
    return repacked(xlsx_bytes(HEADINGS, ACTION), {"xl/worksheets/sheet1.xml": sheet})


def lying_bomb(size: int) -> bytes:
    """Return a bomb whose directory says that its sheet has ten bytes."""
    data = bytearray(bomb(size))
    at = data.rfind(b"xl/worksheets/sheet1.xml") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


def as_csv(data: bytes, limits: TableLimits | None = None) -> Submission:
    """Read a CSV file with the small names."""
    return read_csv(
        data, names=small_names(), namespace=NAMESPACE, limits=limits or TableLimits(), file="t.csv"
    )


def as_xlsx(data: bytes, limits: TableLimits | None = None) -> Submission:
    """Read a workbook with the small names."""
    return read_xlsx(
        data, names=small_names(), namespace=NAMESPACE, limits=limits or TableLimits(), file="t.xlsx"
    )
