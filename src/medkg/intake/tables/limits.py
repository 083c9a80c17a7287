"""How large a table may be."""

from dataclasses import dataclass

__all__ = ["TableLimits"]


@dataclass(frozen=True, slots=True)
class TableLimits:
    """What is read at most: rows, cells in a row, characters in a cell; what a workbook may unpack to.

    *unpacked* is in bytes, *ratio* what a workbook may grow by when it is unpacked, *parts* the number of
    files in it.  *flaws* is how often one code is reported; how many more there are is told.
    """

    rows: int = 20_000
    cells: int = 200
    characters: int = 20_000
    unpacked: int = 50 * 2**20
    ratio: int = 100
    parts: int = 1_000
    flaws: int = 100
