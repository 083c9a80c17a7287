"""Roadmap tables with the names that medkg knows: codes for regions, rows to read, files to open."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from medkg.domain.errors import CallError, RoadmapError
from medkg.services import roadmaps

TEXTS = Path(__file__).parents[2] / "fixtures" / "roadmap"
FILL_DOWN = TEXTS / "en_fill_down.txt"


def test_regions_get_their_codes() -> None:
    """A region is named by the data that we ship: each name of a row has its NUTS code beside it."""
    found = list(roadmaps.rows(roadmaps.read(FILL_DOWN)))

    assert [row[:3] + row[4:] for row in found] == [
        ["Lapland", "FI1D7", "Mobile clinics", "2022", "2024"],
        ["Lapland", "FI1D7", "Shared records", "2023-01", "2023-12"],
        ["Kainuu / Lapland", "FI1D8 / FI1D7", "Night line", "", "2024-06"],
        ["Kainuu", "FI1D8", "Winter school", "2024-01", "2024-02"],
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [("Śląskie", "PL22"), ("Limburg", None), ("Atlantis", None), ("Luxembourg", "LU"), ("Norte", "PT11")],
)
def test_a_name_means_one_region_or_none(tmp_path: Path, name: str, code: str | None) -> None:
    """A name of several regions, or of none, gets a question mark; nothing is guessed."""
    path = tmp_path / "roadmap.txt"
    path.write_text(
        f"Region\tInnovation action\tDescription\tFrom\tTo\n{name}\tA lab\tIt is shared.\t2022\t2023\n",
        encoding="utf-8",
    )

    (row,) = roadmaps.rows(roadmaps.read(path))

    assert row[:2] == [name, code or "?"]


def test_each_repair_is_one_line() -> None:
    """The log has a line for each repair, with place, rule, before, after and confidence."""
    table = roadmaps.read(FILL_DOWN)

    lines = list(roadmaps.log(table))

    assert len(lines) == len(table.repairs)
    assert "line 5: fill-down: '' -> 'Lapland' (80%)" in lines
    assert not any("\n" in line for line in lines)


def test_a_csv_file_has_the_rows(tmp_path: Path) -> None:
    """The CSV file has the headings and the rows that are printed."""
    table = roadmaps.read(FILL_DOWN)

    roadmaps.write(table, tmp_path / "out.CSV")

    text = (tmp_path / "out.CSV").read_bytes().decode("utf-8")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == list(roadmaps.columns())
    assert len(rows) == len(table.rows)


def test_a_workbook_has_rows_and_repairs(tmp_path: Path) -> None:
    """The workbook has a sheet of actions and one of repairs, one row for each."""
    table = roadmaps.read(FILL_DOWN)

    roadmaps.write(table, tmp_path / "out.xlsx")

    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Actions", "Repairs"]
    assert book["Actions"].max_row == 1 + len(table.rows)
    assert book["Repairs"].max_row == 1 + len(table.repairs)
    book.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.ods", "is neither .csv nor .xlsx. Choose one of the two."),
        ("out", "is neither .csv nor .xlsx. Choose one of the two."),
        ("no/such/folder/out.csv", "can't be written (No such file or directory)."),
    ],
)
def test_other_targets_are_refused(tmp_path: Path, name: str, message: str) -> None:
    """A file of another kind, or in a folder that is not there, is a wrong call."""
    with pytest.raises(CallError) as caught:
        roadmaps.write(roadmaps.read(FILL_DOWN), tmp_path / name)

    assert str(caught.value) == f"The file {tmp_path / name} {message}"


def test_bad_files_are_told_apart(tmp_path: Path) -> None:
    """A file that is not there is a wrong call; one that is no text, or no table, is bad input."""
    binary, prose = tmp_path / "binary.txt", tmp_path / "prose.txt"
    binary.write_bytes(b"Region\xff\n")
    prose.write_text("There is no table in here.\n", encoding="utf-8")

    with pytest.raises(CallError, match=r"can't be read \(No such file or directory\)\."):
        roadmaps.read(tmp_path / "none.txt")
    with pytest.raises(CallError, match=r"can't be read \(Is a directory\)\."):
        roadmaps.read(tmp_path)
    with pytest.raises(RoadmapError, match=r"is not UTF-8 text \(byte 6\)\. Save the text as UTF-8"):
        roadmaps.read(binary)
    with pytest.raises(RoadmapError):
        roadmaps.read(prose)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """A text saved with a byte order mark reads like one without."""
    path = tmp_path / "bom.txt"
    path.write_bytes(b"\xef\xbb\xbf" + FILL_DOWN.read_bytes())

    assert list(roadmaps.rows(roadmaps.read(path))) == list(roadmaps.rows(roadmaps.read(FILL_DOWN)))
