"""Where a cell of a spreadsheet stands: from "D5" to row 5, column 4."""

import re
from typing import Final

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "position"]

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
_NAME: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


def position(cell: str) -> tuple[int, int] | None:
    """Return row and column of the cell with that name, from 1, or None when a sheet has no such cell."""
    found = _NAME.fullmatch(cell)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    row = int(found[2])
    return (row, column) if row <= MAX_ROWS and column <= MAX_COLUMNS else None
