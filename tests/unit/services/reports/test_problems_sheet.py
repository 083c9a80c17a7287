"""The sheet of problems: a row for each, with a link that leads to its cell, in texts only."""

import io
import re

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from tests.unit.services.reports.samples import CATALOGUE, CELL, HOSTILE, LONG, MARK, many, report

from medkg.domain.model import Finding, Place, Severity
from medkg.services.reports import texts
from medkg.services.reports.display import visible
from medkg.services.reports.workbook import mark_workbook

HEADINGS = ("severity", "code", "place", "message", "remedy", "value", "suggestion", "focus", "path")
TITLES = {"en": "Problems", "fr": "Problèmes", "it": "Problemi", "pl": "Problemy"}


def marked(
    *findings: Finding, titles: tuple[str, ...] = ("Actions",), language: str = "en"
) -> openpyxl.Workbook:
    """Return a workbook with these sheets, after these findings were marked in it."""
    book = openpyxl.Workbook()
    book.worksheets[0].title = titles[0]
    for title in titles[1:]:
        book.create_sheet(title)
    file = io.BytesIO()
    book.save(file)
    found = report(*findings, language=language, file="a.xlsx")
    return openpyxl.load_workbook(io.BytesIO(mark_workbook(found, CATALOGUE, file.getvalue())))


def rows(sheet: Worksheet) -> list[list[str]]:
    return [[str(cell.value or "") for cell in row] for row in sheet.iter_rows()]


def links(sheet: Worksheet) -> list[str | None]:
    return [cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink]


def test_the_sheet_tells_the_decision_and_each_finding() -> None:
    """Decision, reason and counts stand on top; then a heading, and a row for each finding."""
    found = rows(marked(CELL, MARK).worksheets[-1])
    words = CATALOGUE.words("en")

    assert [row[0] for row in found[:4]] == [
        "Accepted",
        "The document can be accepted as it is. Worth a look: 1 warning, 1 note.",
        "1 warning, 1 note",
        "Bad cells are coloured and have a comment. Mend the cells, not this sheet; it may be deleted.",
    ]
    assert found[5:] == [
        [words(key) for key in HEADINGS],
        [
            "warning",
            "A-03",
            "sheet Actions, cell D5",
            CELL.message,
            CELL.remedy,
            CELL.value,
            CELL.suggestion,
            CELL.focus,
            CELL.path,
        ],
        ["note", "F-01", "the document as a whole", MARK.message, "", "", "", "", ""],
    ]


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_sheet_is_in_the_language_of_the_report(language: str) -> None:
    """Its name, its headings and the severities are in the language of the report."""
    book = marked(CELL, language=language)
    words = CATALOGUE.words(language)

    assert book.sheetnames[-1] == TITLES[language]
    assert rows(book.worksheets[-1])[5][3] == words("message")
    assert rows(book.worksheets[-1])[6][0] == words("severity-warning")


@pytest.mark.parametrize(
    ("titles", "title"),
    [
        (("Problems",), "Problems (2)"),
        (("PROBLEMS", "problems (2)"), "Problems (3)"),
        (("Actions",), "Problems"),
    ],
)
def test_its_name_is_free(titles: tuple[str, ...], title: str) -> None:
    """A sheet of the sender is never overwritten, nor two sheets named alike but for capitals."""
    assert marked(MARK, titles=titles).sheetnames == [*titles, title]


def test_it_is_shown_first() -> None:
    """The workbook opens with it, and no other sheet is selected beside it: both would be edited at once."""
    book = marked(MARK, titles=("Actions", "Lists"))

    assert book.active is book.worksheets[-1]
    assert [sheet.sheet_view.tabSelected for sheet in book.worksheets] == [False, False, True]


@pytest.mark.parametrize("title", ["Actions", "Bob's", "it''s", "A & <B>", "='x", "Śląsk 数据", "a b!c"])
def test_a_link_leads_to_the_cell(title: str) -> None:
    """The name of the sheet stands in quotes, and a quote in it is doubled."""
    book = marked(Finding("A", Severity.INFO, "m", "f", place=Place(sheet=title, cell="D5")), titles=(title,))

    [location] = links(book.worksheets[-1])
    match = re.fullmatch(r"'((?:[^']|'')+)'!D5", location or "")
    assert match is not None
    assert match[1].replace("''", "'") == title


def test_only_a_finding_with_a_cell_has_a_link() -> None:
    """What is about the workbook as a whole, or about a sheet that is not there, leads nowhere."""
    gone = Finding("A", Severity.INFO, "m", "f", place=Place(sheet="Gone", cell="A1"))

    assert links(marked(MARK, gone).worksheets[-1]) == []


@pytest.mark.parametrize("text", [*HOSTILE, *LONG])
def test_every_cell_is_a_text(text: str) -> None:
    """No text of a stranger becomes a formula or an error, and typing into its cell makes none of it."""
    finding = Finding(text, Severity.INFO, text, text, text, text, remedy=text, suggestion=text)
    sheet = marked(finding).worksheets[-1]

    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if str(cell.value)[:1] in set("=+-@\t\n"))
    assert all(len(str(cell.value).encode("utf-16-le")) // 2 <= 32_767 for cell in cells)
    last = [cell for cell in cells if cell.row == sheet.max_row]
    told = str(last[-1].value).rstrip("…")
    assert told in visible(text, lines=True) or told == "the document as a whole"


def test_what_is_not_listed_is_told() -> None:
    """The caps can be seen above the list."""
    found = [row[0] for row in rows(marked(*many("A-01", 102)).worksheets[-1])]

    assert found[4].startswith("Shown here: 100 of 102 findings.")
    assert found[5] == "Counted, but not listed: A-01 (2)"


def test_the_list_can_be_filtered() -> None:
    """The heading stays in sight and has filters; without findings there are none."""
    full, empty = marked(CELL, MARK).worksheets[-1], marked().worksheets[-1]

    assert (full.freeze_panes, full.auto_filter.ref) == ("A7", "A6:I8")
    assert empty.auto_filter.ref is None
