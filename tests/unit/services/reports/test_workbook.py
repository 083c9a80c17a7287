"""The sender's workbook: bad cells are marked, everything else stays, and nothing of ours can run."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet
from tests.unit.services.reports.samples import CATALOGUE, CELL, HOSTILE, LONG, MARK, REPORTS, report

from medkg.domain.errors import InputError, TooLarge
from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.cells import MAX_COLUMNS
from medkg.services.reports.display import visible
from medkg.services.reports.workbook import FILLS, mark_rows, mark_workbook

FORMULA = "=SUM(C1:C3)"


def book_of(**cells: str) -> openpyxl.Workbook:
    """Return a workbook with one sheet, "Actions", that has these cells."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Actions"
    for name, value in cells.items():
        sheet[name] = value
    return book


def bytes_of(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def marked(book: openpyxl.Workbook, *findings: Finding, language: str = "en") -> openpyxl.Workbook:
    found = report(*findings, language=language, file="a.xlsx")
    return openpyxl.load_workbook(io.BytesIO(mark_workbook(found, CATALOGUE, bytes_of(book))), rich_text=True)


def at(cell: str, severity: Severity = Severity.WARNING, sheet: str = "Actions", **changes: Any) -> Finding:
    return replace(CELL, severity=severity, place=Place(sheet=sheet, cell=cell), **changes)


def comment_of(book: openpyxl.Workbook, cell: str) -> str:
    comment = book["Actions"][cell].comment
    return "" if comment is None else comment.text


def fill_of(book: openpyxl.Workbook, cell: str) -> str:
    return str(book["Actions"][cell].fill.start_color.rgb)


@pytest.mark.parametrize("severity", Severity)
def test_a_bad_cell_has_a_colour_and_a_comment(severity: Severity) -> None:
    """The colour tells the severity, the comment what is wrong and how to mend it; the value stays."""
    found = marked(book_of(D5="Slaskie", D6="Veneto"), at("D5", severity))

    assert fill_of(found, "D5") == FILLS[severity]
    word = CATALOGUE.words("en")(f"severity-{severity}").capitalize()
    assert comment_of(found, "D5") == (
        f"{word} A-03: The region “Slaskie” is not known.\n"
        "How to mend it: Write a NUTS code.\n"
        "Perhaps meant: Śląskie (PL22)"
    )
    assert found["Actions"]["D5"].value == "Slaskie"
    assert (fill_of(found, "D6"), comment_of(found, "D6")) == ("00000000", "")


def test_of_several_findings_the_gravest_gives_the_colour() -> None:
    """All findings of a cell stand in its one comment."""
    found = marked(book_of(D5="x"), at("D5", Severity.INFO), at("D5", Severity.VIOLATION, code="A-99"))

    assert fill_of(found, "D5") == FILLS[Severity.VIOLATION]
    assert comment_of(found, "D5").count(CELL.message) == 2
    assert comment_of(found, "D5").startswith("Violation A-99")


def test_a_comment_of_the_sender_is_kept() -> None:
    """Ours stands behind it, and the sender's name on it."""
    book = book_of(D5="x")
    book["Actions"]["D5"].comment = Comment("Ask Ann.", "Bob")
    found = marked(book, at("D5"))

    assert comment_of(found, "D5").startswith("Ask Ann.\n\nWarning A-03: The region")
    comment = found["Actions"]["D5"].comment
    assert comment is not None
    assert comment.author == "Bob"


@pytest.mark.parametrize("length", [0, 32_000, 32_700, 32_730, 32_767])
def test_a_comment_has_room_in_a_spreadsheet(length: int) -> None:
    """A comment has at most 32,767 characters; what the sender wrote is never cut for ours."""
    book = book_of(D5="x")
    if length:
        book["Actions"]["D5"].comment = Comment("y" * length, "Bob")
    found = marked(book, at("D5", message=LONG[0]), at("D5", message=LONG[1]))

    text = comment_of(found, "D5")
    assert len(text.encode("utf-16-le")) // 2 <= 32_767
    assert text.startswith("y" * length)
    assert fill_of(found, "D5") == FILLS[Severity.WARNING]


def test_what_the_sender_wrote_stays() -> None:
    """Values, formulas, styles, widths, other sheets, names and hidden sheets come back as they were."""
    book = book_of(A1="007", B1="=1+1", C1="text")
    sheet = book["Actions"]
    sheet["A2"], sheet["A3"], sheet["A4"] = 5, 1.5, True
    sheet["B2"].value = FORMULA
    sheet["C2"] = "=not a formula"
    sheet["C2"].data_type = "s"
    sheet["C2"].number_format = "@"
    sheet["C3"].font = Font(name="Courier New", bold=True)
    sheet.column_dimensions["A"].width = 33
    sheet.merge_cells("E1:F2")
    hidden = book.create_sheet("Lists")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "photonics"
    book.defined_names["kets"] = openpyxl.workbook.defined_name.DefinedName("kets", attr_text="Lists!$A$1")
    found = marked(book, at("D9"))

    after = found["Actions"]
    for row in book["Actions"].iter_rows():
        for cell in row:
            other = after[cell.coordinate]
            assert (other.value, other.data_type) == (cell.value, cell.data_type)
            assert other.number_format == cell.number_format
    assert (after["C3"].font.name, after["C3"].font.b) == ("Courier New", True)
    assert after.column_dimensions["A"].width == 33
    assert [str(area) for area in after.merged_cells.ranges] == ["E1:F2"]
    assert found.sheetnames == ["Actions", "Lists", "Problems"]
    assert (found["Lists"].sheet_state, found["Lists"]["A1"].value) == ("hidden", "photonics")
    assert found.defined_names["kets"].attr_text == "Lists!$A$1"


def test_the_letters_of_a_marked_cell_can_be_read() -> None:
    """White letters on a dark heading become dark on our light colour; the rest of the font stays."""
    book = book_of(A1="Region")
    book["Actions"]["A1"].font = Font(color="FFFFFFFF", bold=True, size=16)
    book["Actions"]["A1"].fill = PatternFill("solid", start_color="FF000080")
    font = marked(book, at("A1"))["Actions"]["A1"].font

    assert font.color is not None
    assert font.color.rgb == "FF1C2733"
    assert (font.b, font.sz) == (True, 16)


def test_letters_of_several_kinds_in_a_cell_stay() -> None:
    """A word in bold within a cell is still bold when the cell has been marked."""
    book = book_of()
    book["Actions"]["A1"] = CellRichText("Name: ", TextBlock(InlineFont(b=True), "Śląskie"))
    value = marked(book, at("A1"))["Actions"]["A1"].value

    assert isinstance(value, CellRichText)
    assert str(value) == "Name: Śląskie"
    assert [part.font.b for part in value if isinstance(part, TextBlock)] == [True]


def test_in_merged_cells_the_first_is_marked() -> None:
    """The first cell of a merged area holds its value, so the comment stands there."""
    book = book_of(B2="x")
    book["Actions"].merge_cells("B2:C4")
    found = marked(book, at("C4"))

    assert comment_of(found, "B2").startswith("Warning A-03")
    assert fill_of(found, "B2") == FILLS[Severity.WARNING]


@pytest.mark.parametrize(
    "place",
    [
        Place("a.xlsx", 3, 4),
        Place(sheet="Other", cell="A1"),
        Place(sheet="actions", cell="A1"),
        Place(sheet="Actions", cell="A0"),
        Place(sheet="Actions", cell="XFE1"),
        Place(sheet="Actions", cell="A1:B2"),
        Place(sheet="Actions"),
        Place(),
    ],
)
def test_a_finding_without_a_cell_is_in_the_list_alone(place: Place) -> None:
    """Where a place names no cell of the workbook, nothing is marked, and the finding is listed."""
    found = marked(book_of(A1="x"), replace(CELL, place=place))

    cells = [cell for row in found["Actions"].iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells] == ["A1"]
    assert cells[0].comment is None
    listed = [cell.value for row in found["Problems"].iter_rows() for cell in row]
    assert CELL.message in listed


def test_the_only_sheet_needs_no_name() -> None:
    """The cells of a file with one sheet are found without its name, and not where there are more."""
    one, two = book_of(A1="x"), book_of(A1="x")
    two.create_sheet("Second")

    assert comment_of(marked(one, at("A1", sheet="")), "A1")
    assert not comment_of(marked(two, at("A1", sheet="")), "A1")


def test_rows_of_a_csv_file_become_a_workbook() -> None:
    """Every cell of the file is a text in the place that it had, and is marked like any other."""
    rows = [["id", "region"], ["007", "Slaskie", "", "=1+1"], [], ["2021-10"]]
    found = report(at("B2", sheet=""), file="a.csv", language="it")

    book = openpyxl.load_workbook(io.BytesIO(mark_rows(found, CATALOGUE, rows)))
    sheet = book["Documento"]
    values = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
    assert values == [
        ["id", "region", "", ""],
        ["007", "Slaskie", "", "=1+1"],
        ["", "", "", ""],
        ["2021-10", "", "", ""],
    ]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert sheet["B2"].comment is not None
    assert book.sheetnames == ["Documento", "Problemi"]


@pytest.mark.parametrize("text", [*HOSTILE, *LONG])
def test_no_cell_of_a_csv_file_runs(text: str) -> None:
    """Whatever a cell begins with, it is a text, cut where a sheet can hold no more."""
    book = openpyxl.load_workbook(io.BytesIO(mark_rows(report(), CATALOGUE, [[text]])))
    cell = book["Document"]["A1"]

    assert cell.data_type in {"s", "n"}
    if cell.value is not None:
        assert cell.data_type == "s"
        assert str(cell.value).rstrip("…") in visible(text, lines=True)
        assert len(str(cell.value).encode("utf-16-le")) // 2 <= 32_767


def test_too_many_columns_are_refused() -> None:
    """A row that no sheet can hold is refused with the limits."""
    with pytest.raises(TooLarge, match=r"1,048,576 rows and 16,384 columns.* Ask for the report as CSV\."):
        mark_rows(report(), CATALOGUE, [["x"] * (MAX_COLUMNS + 1)])


def archive(*members: tuple[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as found:
        for name, text in members:
            found.writestr(name, text)
    return file.getvalue()


def broken() -> Sequence[bytes]:
    good = bytes_of(book_of(A1="x"))
    with zipfile.ZipFile(io.BytesIO(good)) as found:
        members = [(name, found.read(name).decode()) for name in found.namelist()]
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'
    sheet = "xl/worksheets/sheet1.xml"
    lost = '<c r="A1" t="s"><v>999</v></c>'
    return [
        b"",
        b"no archive",
        good[: len(good) // 2],
        archive(),
        archive(("[Content_Types].xml", "<x")),
        archive(*(member for member in members if member[0] != sheet)),
        archive(*((name, bomb if name == sheet else text) for name, text in members)),
        archive(*((name, text.replace('r="A1"', 'r="1A"')) for name, text in members)),
        archive(*((name, re.sub(r'<c r="A1".*?</c>', lost, text)) for name, text in members)),
    ]


def test_entities_of_a_workbook_are_never_expanded() -> None:
    """Workbooks are read with defusedxml, which openpyxl takes up by itself when it is installed."""
    assert openpyxl.xml.DEFUSEDXML


@pytest.mark.parametrize("document", broken(), ids=range(len(broken())))
def test_a_broken_workbook_is_refused_in_words(document: bytes) -> None:
    """What can't be read as a workbook is an error of the tree that says what to do."""
    with pytest.raises(InputError, match=r"can't be given back .* Ask for the report in another format"):
        mark_workbook(report(MARK), CATALOGUE, document)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(REPORTS, st.sampled_from(["Actions", "Bob's", "A & <B>", "='x'!A1", "Śląsk 数据"]))
def test_every_report_can_be_marked(found: SubmissionReport, title: str) -> None:
    """Whatever a stranger sends, the workbook opens again, and no cell of ours is more than a text."""
    book = book_of(A1="x", B2=FORMULA)
    sheet = book["Actions"]
    assert isinstance(sheet, Worksheet)
    sheet.title = title
    after = openpyxl.load_workbook(io.BytesIO(mark_workbook(found, CATALOGUE, bytes_of(book))))

    problems = after.worksheets[-1]
    assert {cell.data_type for row in problems.iter_rows() for cell in row if cell.value is not None} <= {"s"}
    assert after[title]["B2"].value == FORMULA
