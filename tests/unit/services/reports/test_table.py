"""The CSV: it opens in a spreadsheet, loses nothing, and runs nothing."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.services.reports.samples import CATALOGUE, CELL, HOSTILE, MONTH, REPORTS, report

from medkg.domain.model import Finding, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.display import visible
from medkg.services.reports.table import COLUMNS, as_csv
from medkg.services.tables import harmless

BEGINNINGS = set("=+-@\t\r\n")


def read(data: bytes, separator: str = ",") -> list[list[str]]:
    text = data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))


def test_a_finding_is_a_row() -> None:
    """Each column has what it is named after; what is not known is empty."""
    header, *rows = read(as_csv(report(MONTH, CELL), CATALOGUE))

    assert header == list(COLUMNS)
    assert [dict(zip(COLUMNS, row, strict=True)) for row in rows] == [
        {
            "code": "A-04",
            "severity": "violation",
            "place": "line 3, column 17",
            "sheet": "",
            "cell": "",
            "line": "3",
            "column": "17",
            "focus": "https://w3id.org/medkg/id/action/x",
            "path": "medkg:start",
            "value": "10/2021",
            "message": "The start “10/2021” is no month.",
            "how_to_fix": "Write the year first: 2021-10.",
            "suggestion": "2021-10",
        },
        {
            "code": "A-03",
            "severity": "warning",
            "place": "sheet Actions, cell D5",
            "sheet": "Actions",
            "cell": "D5",
            "line": "",
            "column": "",
            "focus": "https://w3id.org/medkg/id/action/y",
            "path": "medkg:region",
            "value": "Slaskie",
            "message": "The region “Slaskie” is not known.",
            "how_to_fix": "Write a NUTS code.",
            "suggestion": "Śląskie (PL22)",
        },
    ]


def test_excel_knows_the_letters() -> None:
    """A byte order mark tells Excel that the file is UTF-8; lines end as RFC 4180 has it."""
    found = as_csv(report(), CATALOGUE)

    assert found.startswith(b"\xef\xbb\xbf")
    assert found.endswith(b"\r\n")
    assert found.count(b"\r\n") == 1


@pytest.mark.parametrize(("language", "separator"), [("en", ","), ("fr", ";"), ("it", ";"), ("pl", ";")])
def test_cells_are_separated_as_the_language_expects(language: str, separator: str) -> None:
    """Both separators may stand in a cell, whichever one the file has."""
    finding = Finding("A-01", Severity.INFO, "one; two, three", "f;,", value='"quoted";,')

    _, row = read(as_csv(report(finding, language=language), CATALOGUE), separator)

    assert len(row) == len(COLUMNS)
    assert row[7:11] == ["f;,", "", '"quoted";,', "one; two, three"]


@pytest.mark.parametrize("value", HOSTILE)
def test_nothing_is_a_formula(value: str) -> None:
    """No cell begins with a sign that a spreadsheet takes for a formula, in any column of a stranger's."""
    finding = Finding(value, Severity.INFO, value, value, value, value, remedy=value, suggestion=value)

    _, row = read(as_csv(report(finding), CATALOGUE))

    assert [cell for cell in row if cell[:1] in BEGINNINGS] == []
    assert row[9] == visible(harmless(value), lines=True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REPORTS)
def test_every_text_comes_back(found: SubmissionReport) -> None:
    """A strict reader gets the rows back, whatever the texts, made visible and harmless."""
    separator = "," if found.language == "en" else ";"
    _, *rows = read(as_csv(found, CATALOGUE), separator)

    def cell(text: str) -> str:
        return visible(harmless(text), lines=True)

    assert [(row[0], row[1], row[7], row[9], row[10]) for row in rows] == [
        (cell(item.code), item.severity, cell(item.focus), cell(item.value), cell(item.message))
        for item in found.findings
    ]
