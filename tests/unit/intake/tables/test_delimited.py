"""CSV files: what they are encoded in, what separates their cells, and the lines that cells begin in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile.tables.files import csv_bytes

from medkg.intake.tables.delimited import open_csv
from medkg.intake.tables.grid import Row
from medkg.intake.tables.limits import TableLimits
from medkg.intake.tables.notes import Notes


def read(data: bytes) -> tuple[list[Row], dict[str, str]]:
    """Return the rows of a file, and what was told of it by code."""
    notes = Notes(100)
    rows = list(open_csv(data, "t.csv", TableLimits(), notes, lambda _: 0.0).rows())
    return rows, {flaw.code: "".join(flaw.values.values()) for flaw in notes.flaws()}


def texts(data: bytes) -> list[list[str]]:
    """Return the cells of each row that hold something."""
    return [[str(cell.value) for cell in row.cells.values()] for row in read(data)[0]]


def test_cells_know_the_line_they_begin_in() -> None:
    """A cell of several lines moves what stands behind and below it; rows are counted by themselves."""
    rows, _ = read(b'a,"b\nc",d\r\n\r\n"e\r\n",f\rg')

    assert [(row.number, row.line, row.width) for row in rows] == [(1, 1, 3), (2, 3, 1), (3, 4, 2), (4, 6, 1)]
    assert [cell.line for row in rows for cell in row.cells.values()] == [1, 1, 2, 4, 5, 6]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_recognised(encoding: str) -> None:
    """UTF-8, UTF-16 and UTF-32 are told apart, with a byte order mark or (but for UTF-32) without."""
    assert texts(csv_bytes(("id", "Śląskie"), encoding=encoding)) == [["id", "Śląskie"]]


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("Śląskie, Małopolskie", "cp1250", "Windows-1250"),
        ("Łódź", "cp1250", "Windows-1250"),
        ("gęś", "cp1250", "Windows-1250"),
        ("Région Île-de-France", "cp1252", "Windows-1252"),
        ("la même fenêtre", "cp1252", "Windows-1252"),
        ("città, perché, più", "cp1252", "Windows-1252"),
        ("Thüringen", "cp1252", "Windows-1252"),
        ("œdème du cœur", "cp1252", "Windows-1252"),
        ("l\u2019été", "cp1252", "Windows-1252"),
    ],
)
def test_an_8_bit_encoding_is_told_by_its_letters(text: str, encoding: str, name: str) -> None:
    """Polish and French or Italian letters tell the two Windows encodings apart, also where there are few."""
    rows, told = read(csv_bytes(("id", text), encoding=encoding))

    assert [cell.value for cell in rows[0].cells.values()] == ["id", text]
    assert told["H-12"] == name


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_the_one_that_makes_even_rows(separator: str) -> None:
    """Where no heading helps, the rows with the most equal widths decide."""
    rows = ("a", "b; or, c", "d"), ("e", "f", "g"), ("h", "i", "j")

    assert texts(csv_bytes(*rows, separator=separator)) == [list(row) for row in rows]


def test_a_first_line_may_name_the_separator() -> None:
    """`sep=` is believed; the line is no row, but it counts as a line."""
    rows, told = read(b"sep=|\na;b;c|d\n")

    assert [(row.number, row.line, row.width) for row in rows] == [(1, 2, 2)]
    assert told["H-13"] == "|"


@given(
    rows=st.lists(
        st.lists(st.text(alphabet='ab ,;"\n\tż', max_size=8), min_size=2, max_size=4), min_size=1, max_size=6
    )
)
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    """Any texts, quoted as they have to be, come back; those of white space alone are empty."""
    data = b"sep=,\n" + csv_bytes(*rows)

    assert texts(data) == [[cell for cell in row if cell.strip()] for row in rows]
