"""What a read roadmap is: a title, its rows, and the log of what was repaired."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

__all__ = ["RULES", "Repair", "RoadmapRow", "RoadmapTable", "Rule"]

Rule = Literal[
    "hyphen-break",
    "hyphen-break-across-cells",
    "confusable-letter",
    "page-header-dropped",
    "page-number-dropped",
    "repeated-header-dropped",
    "column-shift",
    "name-alias",
    "fill-down",
    "markup-stripped",
    "cell-merge",
    "month-normalised",
    "region-split",
]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)


@dataclass(frozen=True, slots=True)
class Repair:
    """One change between the source and the rows.

    *line* is 1-based; *start* and *end* are Unicode offsets into the source, end exclusive.  *before* is what
    stood there, cell by cell with a tab between cells and a newline between lines, *after* what it became.
    A value repaired in several steps has an entry for each, whose *before* is what the steps before it left;
    between *start* and *end* there may be other cells when the parts stood in different rows.
    *confidence* is 0 when something could not be read and was left out: a person has to look.
    *row* counts the rows from 0; None means that the repair belongs to no row (headers, dropped lines).
    """

    rule: Rule
    line: int
    start: int
    end: int
    before: str
    after: str
    confidence: float
    row: int | None = None


@dataclass(frozen=True, slots=True)
class RoadmapRow:
    """One innovation action.

    *region_codes* runs parallel to *regions* (None: not resolved).  Paragraphs of *description* are separated
    by an empty line.  Dates are ``YYYY-MM``, or ``YYYY`` where the source gives only the year.  *lines* are
    the first and last line of the source.  *extras* holds the cells of columns that this reader has no word
    for, as (header, text) pairs; cells beyond the last column have the header "".
    """

    regions: tuple[str, ...]
    region_codes: tuple[str | None, ...]
    title: str
    description: str
    planned_from: str | None
    planned_to: str | None
    lines: tuple[int, int]
    extras: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RoadmapTable:
    """A roadmap: the document's *title* ("" when it has none), column headers as printed, rows, repairs."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[RoadmapRow, ...]
    repairs: tuple[Repair, ...]
