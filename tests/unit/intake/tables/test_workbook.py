"""Workbooks: which sheet is read, and that its cells are what a spreadsheet program shows."""

import io
from datetime import datetime

import openpyxl
import pytest
import xlsxwriter
from tests.hostile.tables.files import edited, written, xlsx_bytes

from medkg.intake.tables.grid import Row, Sheet, letters, parse_range
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.notes import Notes
from medkg.intake.tables.package import guard
from medkg.intake.tables.structure import outlines, structure
from medkg.intake.tables.workbook import open_xlsx

SHEET = "xl/worksheets/sheet1.xml"


def opened(data: bytes) -> Sheet:
    """Return the sheet of a workbook that is read where only names count."""
    return open_xlsx(data, "t.xlsx", TableLimits(), Notes(100), lambda name, _: float(name == "Plan"))


def values(data: bytes) -> dict[str, object]:
    """Return what the cells hold, by name."""
    return {
        f"{letters(at)}{row.number}": cell.value
        for row in opened(data).rows()
        for at, cell in row.cells.items()
    }


def test_rows_have_their_numbers_and_empty_ones_are_left_out() -> None:
    """Empty rows and cells are not there; numbers are those that people see."""
    data = xlsx_bytes(["a", None, "c"], [], [None, " "], [1, True, datetime(2021, 10, 1)])  # noqa: DTZ001

    assert values(data) == {"A1": "a", "C1": "c", "A4": 1, "B4": True, "C4": datetime(2021, 10, 1)}  # noqa: DTZ001
    assert [row.width for row in opened(data).rows()] == [3, 3]


@pytest.mark.parametrize(
    ("shown", "value"),
    [("yyyy", 2021), ("[$-409]YYYY", 2021), ("mm/yyyy", datetime(2021, 10, 1)), ("0.00", 44470)],  # noqa: DTZ001
)
def test_a_number_is_what_it_is_shown_as(shown: str, value: object) -> None:
    """The same number is a day, a year, or a number, by its format."""

    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet().write_number("A1", 44470, book.add_format({"num_format": shown}))

    assert values(written(fill)) == {"A1": value}


def test_rows_can_be_read_again() -> None:
    """Each call gives all rows anew."""
    sheet = opened(xlsx_bytes(["a"], ["b"]))

    assert list(sheet.rows()) == list(sheet.rows())


def test_a_sheet_may_lie_about_its_extent() -> None:
    """What a sheet says of its own size is not believed."""
    data = edited(xlsx_bytes(["a", "b"], ["c", "d"]), SHEET, 'ref="A1:B2"', 'ref="A1:A1"')

    assert values(data) == {"A1": "a", "B1": "b", "A2": "c", "B2": "d"}


def test_the_best_sheet_is_read() -> None:
    """The sheet that is judged best is read, also when it is the last one."""
    book = openpyxl.Workbook()
    for name in ("Notes", "Plan"):
        book.create_sheet(name).append([name])
    stream = io.BytesIO()
    book.save(stream)

    assert opened(stream.getvalue()).name == "Plan"


def test_the_structure_of_a_sheet_is_found() -> None:
    """Formulas, merged cells, hidden rows and columns, and where the last cell stands."""

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Actions")
        sheet.write_formula("B2", "=1+1", None, 2)
        sheet.merge_range("A3:A5", "x")
        sheet.set_row(6, None, None, {"hidden": True})
        sheet.set_column("C:D", None, None, {"hidden": True})
        sheet.write("E7", "y")

    data = written(fill)
    (sheet,) = outlines(data)
    found = structure(data, sheet.part, 100, 100)

    assert (sheet.name, sheet.part, sheet.hidden) == ("Actions", SHEET, False)
    assert found.formulas == {"B2": True}
    assert [(merge.top, merge.left, merge.bottom, merge.right) for merge in found.merges] == [(3, 1, 5, 1)]
    assert (found.hidden_rows, found.hidden_columns) == ({7}, {3, 4})
    assert (found.rows, found.columns) == (7, 5)


def test_a_good_workbook_passes_the_guard() -> None:
    """A workbook of a spreadsheet program gives nothing to tell."""
    notes = Notes(100)
    guard(xlsx_bytes(["a"]), "t.xlsx", TableLimits(), notes)
    guard(written(lambda book: book.add_worksheet()), "t.xlsx", TableLimits(), notes)

    assert notes.flaws() == ()


@pytest.mark.parametrize(("column", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (16384, "XFD")])
def test_columns_have_the_letters_of_a_spreadsheet(column: int, name: str) -> None:
    """Columns are called as people see them, and are found by that."""
    assert letters(column) == name
    block = parse_range(f"{name}3")
    assert block
    assert (block.top, block.left, block.bottom, block.right) == (3, column, 3, column)


@pytest.mark.parametrize("text", ["", "3", "A", "A0x", "A1:B", "a1", "$A$1", "AAAA1"])
def test_what_is_no_range_is_none(text: str) -> None:
    """A damaged name of a block is not guessed at."""
    assert parse_range(text) is None


def test_a_cell_stands_in_its_sheet() -> None:
    """The place of a cell has the file, the sheet and its name."""
    sheet = opened(xlsx_bytes(["a"]))

    assert str(sheet.place(Row(3, {}, 0), 4)) == "t.xlsx Actions!D3"
