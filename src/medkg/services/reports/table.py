"""A report as CSV that opens in a spreadsheet program, one row for each finding."""

import csv
import io
from typing import Final

from medkg.domain.model import Finding
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.display import visible
from medkg.services.reports.texts import Texts, Words
from medkg.services.tables import harmless

__all__ = ["COLUMNS", "as_csv"]

COLUMNS: Final = (
    "code",
    "severity",
    "place",
    "sheet",
    "cell",
    "line",
    "column",
    "focus",
    "path",
    "value",
    "message",
    "how_to_fix",
    "suggestion",
)


def as_csv(report: SubmissionReport, texts: Texts) -> bytes:
    """Return the findings of a report as CSV (RFC 4180) in UTF-8 with a byte order mark.

    The names of the columns are the same in all languages.  French, Italian and Polish spreadsheets expect
    semicolons between the cells, and get them; every cell is quoted, so either separator may stand in one.
    No cell is taken for a formula.
    """
    words = texts.words(report.language)
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter="," if words.language == "en" else ";", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows(_row(finding, words) for finding in report.findings)
    return file.getvalue().encode("utf-8-sig")


def _row(finding: Finding, words: Words) -> list[str]:
    place = finding.place
    cells = (
        finding.code,
        finding.severity.value,
        words.place(place),
        place.sheet,
        place.cell,
        str(place.line or ""),
        str(place.column or ""),
        finding.focus,
        finding.path,
        finding.value,
        finding.message,
        finding.remedy,
        finding.suggestion,
    )
    # A tab in front would be gone from sight before it is looked at, so the guard comes first.
    return [visible(harmless(cell), lines=True) for cell in cells]
