"""Writing roadmaps: CSV and workbooks that spreadsheets open without running anything."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from medkg.intake.roadmap import (
    ACTION_COLUMNS,
    REPAIR_COLUMNS,
    Repair,
    RoadmapError,
    RoadmapRow,
    RoadmapTable,
    write_csv,
    write_xlsx,
)

ROW = RoadmapRow(
    ("Slaskie", "Veneto"), ("PL22", None), "Ward", "One.\n\nTwo, „two”.", "2021-10", None, (2, 3)
)
REPAIR = Repair("hyphen-break", 2, 10, 18, "ac- tion", "action", 0.9, 0)
TABLE = RoadmapTable("Roadmap", ("Region",), (ROW,), (REPAIR,))
CELLS = ["Slaskie / Veneto", "PL22 / ?", "Ward", "One.\n\nTwo, „two”.", "2021-10", ""]


def with_title(title: str) -> RoadmapTable:
    """Return a table of one row with that title."""
    row = RoadmapRow(("Veneto",), (None,), title, "D.", None, None, (2, 2))
    return RoadmapTable("Roadmap", (), (row,), ())


def test_csv_has_one_line_for_each_action(tmp_path: Path) -> None:
    """A path and an open file get the same text."""
    file = io.StringIO(newline="")
    write_csv(TABLE, file)
    write_csv(TABLE, tmp_path / "roadmap.csv")
    text = (tmp_path / "roadmap.csv").read_bytes().decode()
    assert text == file.getvalue()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [list(ACTION_COLUMNS), CELLS]


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("x")', "\uff1d1"])
def test_csv_cells_are_never_formulas(title: str) -> None:
    """An apostrophe keeps a spreadsheet from running the cell."""
    file = io.StringIO(newline="")
    write_csv(with_title(title), file)
    assert list(csv.reader(io.StringIO(file.getvalue(), newline="")))[1][2] == f"'{title}"


def test_a_workbook_has_the_actions_and_the_repairs(tmp_path: Path) -> None:
    """Rows of the log count from 1, as people do."""
    write_xlsx(TABLE, tmp_path / "roadmap.xlsx")
    book = openpyxl.load_workbook(tmp_path / "roadmap.xlsx")
    assert book.sheetnames == ["Actions", "Repairs"]
    actions = list(book["Actions"].values)
    assert actions == [tuple(ACTION_COLUMNS), tuple(cell or None for cell in CELLS)]
    repairs = list(book["Repairs"].values)
    assert repairs == [tuple(REPAIR_COLUMNS), (1, 2, 10, 18, "hyphen-break", "ac- tion", "action", 0.9)]


@pytest.mark.parametrize("title", ["=1+1", "http://example.org", "007", "@SUM(A1)"])
def test_workbook_cells_are_texts(tmp_path: Path, title: str) -> None:
    """No formula, no link and no number comes of a text."""
    write_xlsx(with_title(title), tmp_path / "roadmap.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "roadmap.xlsx")["Actions"].cell(2, 3)
    assert (cell.value, cell.data_type, cell.hyperlink) == (title, "s", None)


def test_a_text_too_long_for_a_cell_is_refused(tmp_path: Path) -> None:
    """The workbook isn't written with a text cut off; the error says where and what to do."""
    with pytest.raises(RoadmapError, match=r"Innovation action of action 1 has 32,768 characters.*CSV"):
        write_xlsx(with_title("x" * 32_768), tmp_path / "roadmap.xlsx")
    assert not (tmp_path / "roadmap.xlsx").exists()
