"""Where a table begins: under titles and empty rows, with headings in one row or two."""

import pytest

from medkg.intake.tables.columns import ColumnMap
from medkg.intake.tables.grid import Cell, Merge, Row, Sheet
from medkg.intake.tables.headings import find_header, score
from medkg.intake.tables.notes import Notes, Refused

COLUMNS = ColumnMap.load()


def rows(*texts: str) -> list[Row]:
    """Return rows whose cells are separated by bars."""
    return [
        Row(number, {at: Cell(cell) for at, cell in enumerate(text.split("|"), start=1) if cell}, 9)
        for number, text in enumerate(texts, start=1)
    ]


def found(*texts: str, merges: tuple[Merge, ...] = ()) -> tuple[dict[str, int], int, list[str]]:
    """Return the columns by key, the last row of the headings, and what was told of them."""
    notes = Notes(100)
    first = rows(*texts)
    header = find_header(COLUMNS, Sheet("", "", lambda: iter(first), merges), first, notes)
    keys = {heading.column.key: at for at, heading in header.headings.items()}
    return keys, header.last, [flaw.code for flaw in notes.flaws()]


def test_headings_may_stand_below_other_rows() -> None:
    """The row with the most headings is theirs; what stands above is told."""
    keys, last, codes = found("Region Silesia", "", "ID|Title|Region", "1|Title of it|Region")

    assert (keys, last, codes) == ({"id": 1, "title": 2, "region": 3}, 3, ["H-26"])


@pytest.mark.parametrize("merges", [(), (Merge(1, 3, 1, 4), Merge(1, 1, 2, 1), Merge(1, 2, 2, 2))])
def test_two_rows_are_read_together(merges: tuple[Merge, ...]) -> None:
    """A heading over two others counts for both, in merged cells or not."""
    keys, last, codes = found("Region|Action|Timeframe|", "||From|To", "PL22|A lab|2021|2022", merges=merges)

    assert (keys, last, codes) == ({"region": 1, "title": 2, "from": 3, "to": 4}, 2, ["H-27"])


def test_a_row_of_data_is_no_heading() -> None:
    """A row below is taken for headings only when all of it is."""
    keys, last, codes = found("Title|Timeframe", "From here on|From", "Another|2021")

    assert (keys, last, codes) == ({"title": 1, "period": 2}, 1, [])


def test_the_language_tells_two_columns_apart() -> None:
    """The same column in two languages is no repetition; twice in one is."""
    _, _, codes = found("Title (en)|Title (pl)|Titre (fr)|Tytuł (pl)")

    assert codes == ["H-23"]


def test_a_table_without_titles_is_refused_with_what_they_may_be_called() -> None:
    """A column that every table needs is named, with its headings in four languages."""
    with pytest.raises(Refused) as caught:
        found("ID|Region", "1|PL22")

    assert caught.value.flaw.code == "H-22"
    assert caught.value.flaw.values["headings"] == "Title, Titre, Titolo, Tytuł"


def test_corrected_headings_count_a_little_less() -> None:
    """Of two rows the one with the better headings wins."""
    assert score(COLUMNS, rows("Title|Region")) == 2
    assert score(COLUMNS, rows("Titel|Region")) == pytest.approx(1.9)
    assert score(COLUMNS, rows("1|PL22")) == score(COLUMNS, []) == 0
