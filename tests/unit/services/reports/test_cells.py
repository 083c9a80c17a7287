"""Names of cells become rows and columns, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from medkg.services.reports.cells import MAX_COLUMNS, MAX_ROWS, position


@given(st.integers(1, MAX_ROWS), st.integers(1, MAX_COLUMNS))
def test_every_cell_of_a_sheet_is_found(row: int, column: int) -> None:
    """The name that a spreadsheet gives to a cell leads back to it."""
    assert position(f"{get_column_letter(column)}{row}") == (row, column)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "D",
        "5",
        "D0",
        "D05",
        "d5",
        "D5:E6",
        "$D$5",
        "XFE1",
        "A1048577",
        "AAAA1",
        "D5\n",
        "D\u0665",
        "\uff245",
        "A1!",
    ],
)
def test_what_is_no_cell_has_no_position(name: str) -> None:
    """A name outside a sheet, or none at all, gives nothing."""
    assert position(name) is None
