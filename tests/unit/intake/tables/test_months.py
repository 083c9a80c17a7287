"""Months: every usual way to write one gives the same, and what can't be told is not guessed."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib.namespace import XSD

from medkg.intake.tables.grid import EPOCH, Value
from medkg.intake.tables.months import read_month, read_months, worded


@pytest.mark.parametrize(
    ("value", "text", "reading"),
    [
        ("2021-10", "2021-10", "exact"),
        ("2021", "2021", "exact"),
        (2021, "2021", "exact"),
        (2021.0, "2021", "exact"),
        ("10/2021", "2021-10", "rewritten"),
        ("2021/10", "2021-10", "rewritten"),
        ("10.2021", "2021-10", "rewritten"),
        (10.2021, "2021-10", "rewritten"),
        (1.202, "2020-01", "rewritten"),
        ("202110", "2021-10", "rewritten"),
        (202110, "2021-10", "rewritten"),
        ("Oct-21", "2021-10", "rewritten"),
        ("paź 21", "2021-10", "rewritten"),
        ("October 2021", "2021-10", "rewritten"),
        ("octobre 2021", "2021-10", "rewritten"),
        ("ottobre 2021", "2021-10", "rewritten"),
        ("październik 2021", "2021-10", "rewritten"),
        ("X 2021", "2021-10", "rewritten"),
        ("X.21", "2021-10", "rewritten"),
        ("15.10.2021", "2021-10", "rewritten"),
        ("2021-10-15", "2021-10", "rewritten"),
        ("31/10/2021", "2021-10", "rewritten"),
        (date(2021, 10, 1), "2021-10", "rewritten"),
        (datetime(2021, 10, 1, 12), "2021-10", "rewritten"),  # noqa: DTZ001
        ("03/04/2021", "2021-04", "doubtful"),
        ("by the end of 2025", "2025", "doubtful"),
        (44470, "2021-10", "doubtful"),
        ("44470", "2021-10", "doubtful"),
        ("10/21", "", "ambiguous"),
        ("10-21", "", "ambiguous"),
        ("ongoing", "", "open"),
        ("w toku", "", "open"),
        ("13/2021", "", "none"),
        ("2021-13", "", "none"),
        ("0/2021", "", "none"),
        ("Octember 2021", "", "none"),
        ("soon", "", "none"),
        ("1821-10", "", "none"),
        (True, "", "none"),
        (3.5, "", "none"),
        (float("inf"), "", "none"),
        (float("nan"), "", "none"),
        (timedelta(days=3), "", "none"),
    ],
)
def test_a_month_is_read_in_every_usual_form(value: Value, text: str, reading: str) -> None:
    """A month or a year comes out as RDF has it, with how sure that is."""
    found = read_month(value, end=False, epoch=EPOCH)

    assert (found.text, found.reading) == (text, reading)


def test_a_quarter_ends_with_its_last_month() -> None:
    """Where a period ends, the last month of a quarter is meant."""
    assert read_month("Q3 2021", end=False, epoch=EPOCH).text == "2021-07"
    assert read_month("Q3 2021", end=True, epoch=EPOCH).text == "2021-09"


def test_days_may_be_counted_from_1904() -> None:
    """A serial number counts from the day that the workbook says."""
    epoch = datetime(1904, 1, 1)  # noqa: DTZ001

    assert read_month(43008, end=False, epoch=epoch).text == "2021-10"


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ("10/2021 - 12/2025", "2021-10", "2025-12"),
        ("2021–2025", "2021", "2025"),  # noqa: RUF001
        ("od 10/2021 do 12/2025", "2021-10", "2025-12"),
        ("until 2025", "", "2025"),
        (2021, "2021", "2021"),
        ("soon", "", ""),
    ],
)
def test_one_cell_may_hold_start_and_end(value: Value, start: str, end: str) -> None:
    """A period gives two dates; a single date is both."""
    first, last = read_months(value, epoch=EPOCH)

    assert (first.text, last.text) == (start, end)


@given(value=st.one_of(st.text(max_size=80), st.integers(), st.floats(), st.dates(), st.booleans()))
def test_any_value_gives_a_valid_literal_or_none(value: Value) -> None:
    """Whatever stands in a cell: no error, and no literal that is not of its datatype."""
    found = read_month(value, end=True, epoch=EPOCH)

    assert bool(found.text) == (found.reading in {"exact", "rewritten", "doubtful"})
    if found.text:
        assert found.term.datatype == (XSD.gYearMonth if "-" in found.text else XSD.gYear)
        assert len(found.text) in {4, 7}
        assert worded(value)
