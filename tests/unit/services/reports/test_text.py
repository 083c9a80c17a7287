"""The text for terminals: a place to click on, the line with a caret, hints, the decision last."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.unit.services.reports.samples import CATALOGUE, CELL, HOSTILE, MARK, MONTH, REPORTS, many, report

from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports import texts
from medkg.services.reports.display import visible
from medkg.services.reports.text import as_text

SOURCE = '@prefix a: <b> .\naction:x\n\tmedkg:start "10/2021"^^xsd:gYearMonth ;\r\nlast'
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def lines(found: SubmissionReport, **options: object) -> list[str]:
    return as_text(found, CATALOGUE, **options).splitlines()  # type: ignore[arg-type]


def test_a_finding_is_written_as_compilers_do() -> None:
    """Place, severity, code and message; the line and a caret; hints; counts and decision last."""
    month = replace(MONTH, place=Place("actions.ttl", 3, 14, 3, 23))

    assert as_text(report(month), CATALOGUE, source=SOURCE) == (
        "actions.ttl:3:14: violation A-04: The start “10/2021” is no month.\n"
        '    3 |     medkg:start "10/2021"^^xsd:gYearMonth ;\n'
        "      |                 ^^^^^^^^^\n"
        "  = meant?  : 2021-10\n"
        "  = mend    : Write the year first: 2021-10.\n"
        "\n"
        "actions.ttl: 1 violation\n"
        "Not accepted. The document can't be accepted yet: 1 violation has to be mended first.\n"
    )


def test_without_the_document_the_value_is_shown() -> None:
    """A cell is named as spreadsheets do; without a line to show, the value stands among the hints."""
    assert as_text(report(CELL, language="pl", file="a.xlsx"), CATALOGUE) == (
        "a.xlsx:Actions!D5: ostrzeżenie A-03: The region “Slaskie” is not known.\n"
        "  = wartość   : Slaskie\n"
        "  = może      : Śląskie (PL22)\n"
        "  = zobacz też: http://data.europa.eu/nuts/code/PL22\n"
        "  = popraw    : Write a NUTS code.\n"
        "\n"
        "a.xlsx: 1 ostrzeżenie\n"
        "Przyjęty. Dokument można przyjąć bez zmian. Warto jednak sprawdzić: 1 ostrzeżenie.\n"
    )


def test_a_document_without_findings_has_its_decision() -> None:
    """Nothing is made up where there is nothing to say."""
    assert as_text(report(file=""), CATALOGUE) == (
        "There are no findings.\nAccepted. The document keeps every rule; there is nothing to mend.\n"
    )


def test_the_same_remedy_is_said_once() -> None:
    """What mends all findings of a code stands behind the last; one of its own stands with its finding."""
    others = [replace(MONTH, place=Place("a.ttl", line)) for line in (7, 8)]
    same = as_text(report(MONTH, *others), CATALOGUE)
    own = as_text(report(MONTH, replace(MONTH, remedy="Another.")), CATALOGUE)

    assert same.count(MONTH.remedy) == 1
    assert own.count(MONTH.remedy) == own.count("Another.") == 1


def test_what_is_not_listed_is_told() -> None:
    """The caps can be seen, at the code and at the end."""
    found = lines(report(*many("A-01", 103)), width=200)

    assert "  … 3 more" in found
    assert (
        "Shown here: 100 of 103 findings. At most 100 of one code and 1000 in total are listed; "
        "the counts are of all." in found
    )
    assert "Counted, but not listed: A-01 (3)" in found


@pytest.mark.parametrize(
    ("line", "place", "mark"),
    [
        ("abcdef", Place("", 1, 3, 1, 5), "  ^^"),
        ("abcdef", Place("", 1, 3), "  ^"),
        ("abcdef", Place("", 1, 3, 2, 1), "  ^^^^"),
        ("abcdef", Place("", 1, 3, 1, 2), "  ^"),
        ("abcdef", Place("", 1, 7), "      ^"),
        ("abcdef", Place("", 1, 99), "      ^"),
        ("", Place("", 1, 1), "^"),
        ("数据x", Place("", 1, 2, 1, 3), "  ^^"),
        ("数据x", Place("", 1, 3), "    ^"),
        ("e\u0301x", Place("", 1, 3), " ^"),
        ("\tx", Place("", 1, 2), "    ^"),
        ("\u202ex", Place("", 1, 2), "        ^"),
    ],
)
def test_the_caret_stands_under_the_place(line: str, place: Place, mark: str) -> None:
    """Columns count characters; the caret counts the cells that they take on a terminal."""
    found = lines(report(replace(MARK, place=place)), source=line or "\n")

    assert found[2] == f"      | {mark}"


def test_a_line_without_a_column_has_no_caret() -> None:
    """Where only the line is known, it is shown as it is."""
    found = lines(report(replace(MARK, place=Place("", 2))), source="one\r\ntwo\rthree")

    assert found[1:3] == ["    2 | two", ""]


@pytest.mark.parametrize("column", [1, 50, 5_000, 99_990, 100_000])
def test_of_a_long_line_the_part_with_the_place_is_shown(column: int) -> None:
    """However long a line is, the caret points at its character, within the width."""
    line = "".join(chr(ord("a") + number % 26) for number in range(100_000))
    found = lines(report(replace(MARK, place=Place("", 1, column)), file="a"), source=line, width=60)

    assert all(len(item) <= 60 for item in found)
    assert found[1][found[2].index("^")] == line[column - 1]


def test_a_line_of_another_file_is_not_shown() -> None:
    """The document that was given is the only one whose lines are known."""
    found = lines(report(replace(MONTH, place=Place("other.ttl", 3, 14))), source=SOURCE)

    assert found[:2] == [
        "other.ttl:3:14: violation A-04: The start “10/2021” is no month.",
        "  = value   : 10/2021",
    ]


def test_a_value_is_shown_unless_a_caret_points_at_it() -> None:
    """Where only the line is known, the value still tells what is meant on it."""
    found = lines(report(replace(MONTH, place=Place("", 3))), source=SOURCE)

    assert "  = value   : 10/2021" in found


@pytest.mark.parametrize("line", [0, 5, 9_999])
def test_a_line_that_is_not_there_is_not_shown(line: int) -> None:
    """A place outside the document that was given is told, and no line is made up."""
    found = lines(report(replace(MARK, place=Place("", line, 1))), source=SOURCE)

    assert found[1] == ""


def test_a_place_is_never_folded() -> None:
    """A long file name with spaces stays on a line of its own, so that a click on it works."""
    name = "a very long folder name/" * 5 + "file.ttl"
    found = lines(report(replace(MARK, place=Place(name, 3, 5))), width=60)

    assert found[0] == f"{name}:3:5:"
    assert found[1] == "  note F-01: A byte order mark was taken away."


@pytest.mark.parametrize("width", [0, 40, 57, 80, 300])
def test_lines_keep_to_the_width(width: int) -> None:
    """All but places fold at words; the narrowest text has forty cells."""
    wordy = replace(MONTH, message="word " * 60, remedy="数据 " * 80, value="x" * 300, place=Place("", 3))
    found = lines(report(wordy, CELL), width=width)

    assert max(map(cell_len, found)) <= max(width, 40)
    assert sum(line.count("word") for line in found) == 60


def test_colours_come_only_when_asked() -> None:
    """Without colours there is no escape sequence; with them the same letters stand."""
    found = report(MONTH, CELL, MARK)
    plain, coloured = (as_text(found, CATALOGUE, colour=colour, source=SOURCE) for colour in (False, True))

    assert "\x1b" not in plain
    assert "\x1b[1;31m" in coloured
    stripped = [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()]
    assert stripped == plain.splitlines()


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there are colours, and how wide the lines are, is said by the caller alone."""
    before = as_text(report(MONTH), CATALOGUE, colour=True, width=90)
    for name, value in {"NO_COLOR": "1", "COLUMNS": "45", "TERM": "dumb", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    assert as_text(report(MONTH), CATALOGUE, colour=True, width=90) == before
    assert "\x1b" not in as_text(report(MONTH), CATALOGUE, width=90)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_words_are_in_the_language_of_the_report(language: str) -> None:
    """Severity, hints and decision are in the language of the report."""
    words = CATALOGUE.words(language)
    found = as_text(report(MONTH, CELL, language=language), CATALOGUE, width=300)

    for key in ("severity-violation", "severity-warning", "hint-remedy", "hint-value", "decision-rejected"):
        assert words(key) in found


@pytest.mark.parametrize("text", HOSTILE)
def test_a_stranger_does_not_steer_the_terminal(text: str) -> None:
    """Control characters and changes of direction are shown, not sent; markup is a text."""
    finding = Finding("A-01", Severity.INFO, text, text, text, text, Place(text, 1, 2), remedy=text)
    found = as_text(report(finding, file=text), CATALOGUE, source=text)

    assert visible(found, lines=True).replace("\t", "") == found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REPORTS, st.integers(0, 120), st.sampled_from([None, SOURCE, *HOSTILE]))
def test_every_report_can_be_written(found: SubmissionReport, width: int, source: str | None) -> None:
    """Whatever a stranger sends, the lines are printable and the decision is the last thing said."""
    text = as_text(found, CATALOGUE, width=width, source=source)

    assert visible(text, lines=True).replace("\t", "") == text
    decision = CATALOGUE.words(found.language)(f"decision-{found.decision}")
    assert any(line.startswith(f"{decision}.") for line in text.splitlines()[-6:])
