"""From findings to a report: order, counts, both caps, the decision and its sentence."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.reports.samples import CATALOGUE, CELL, FINDINGS, MARK, MONTH, many, report

from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import Decision
from medkg.services.reports import texts
from medkg.services.reports.summary import MAX_FINDINGS, MAX_PER_CODE, Check, groups, summarise


@pytest.mark.parametrize(
    ("findings", "readable", "decision", "reason"),
    [
        ([], True, Decision.ACCEPTED, "The document keeps every rule; there is nothing to mend."),
        (
            [MARK, CELL],
            True,
            Decision.ACCEPTED,
            "The document can be accepted as it is. Worth a look: 1 warning, 1 note.",
        ),
        (
            [MARK, CELL, MONTH],
            True,
            Decision.REJECTED,
            "The document can't be accepted yet: 1 violation has to be mended first.",
        ),
        (
            [MONTH],
            False,
            Decision.UNREADABLE,
            "The document can't be read, so nothing that it says could be checked.",
        ),
    ],
)
def test_only_violations_stop_a_document(
    findings: list[Finding], readable: bool, decision: Decision, reason: str
) -> None:
    """A document is accepted without violations, rejected with some, and unreadable when it was not read."""
    found = report(*findings, readable=readable)

    assert (found.decision, found.reason) == (decision, reason)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_reason_is_in_the_language_of_the_report(language: str) -> None:
    """Each language has its own sentence, with the number of violations in it."""
    found = report(*many("A-01", 3), language=language)

    assert found.language == language
    assert found.reason == CATALOGUE.words(language)("reason-rejected", count=3)
    assert "3" in found.reason


def test_what_was_checked_is_told() -> None:
    """The circumstances of the check are those of the report, field by field."""
    check = Check(
        profile="draft",
        file="a.csv",
        media_type="text/csv",
        shapes_version="1",
        data_version=None,
        input_sha256="0" * 64,
        duration=1.5,
        scope="all",
    )
    found = summarise([], language="en", texts=CATALOGUE, check=check)

    assert {name: getattr(found, name) for name in Check.__dataclass_fields__} == {
        name: getattr(check, name) for name in Check.__dataclass_fields__
    }


def test_findings_are_ordered_by_gravity_code_and_place() -> None:
    """Violations come first, then codes, then places as they follow in the document: D10 after D5."""
    cells = [
        Finding("A-02", Severity.VIOLATION, "m", "f", place=Place(sheet="S", cell=cell))
        for cell in ("D10", "E5", "D5")
    ]
    lines = list(many("A-01", 11))

    found = report(MARK, CELL, *cells, *reversed(lines))

    assert [item.place.line for item in found.findings[:11]] == list(range(1, 12))
    assert [item.place.cell for item in found.findings[11:14]] == ["D5", "E5", "D10"]
    assert found.findings[14:] == (CELL, MARK)


def test_one_code_is_listed_a_hundred_times() -> None:
    """The first hundred places of a code are kept; the others are counted, and told by code."""
    found = report(*many("A-01", MAX_PER_CODE + 1), *many("A-02", MAX_PER_CODE))

    assert Counter(item.code for item in found.findings) == {"A-01": 100, "A-02": 100}
    assert found.findings[99].place.line == 100
    assert found.counts[Severity.VIOLATION] == 201
    assert dict(found.omitted) == {"A-01": 1}
    assert found.truncated


def test_a_report_lists_a_thousand_findings() -> None:
    """Of many codes each has its share of the thousand; a warning waits for all violations."""
    codes = [f"A-{number:02}" for number in range(25)]
    findings = [item for code in codes for item in many(code, 60)]

    found = report(*findings, *many("W-01", 5, Severity.WARNING))

    assert len(found.findings) == MAX_FINDINGS
    assert Counter(item.code for item in found.findings) == dict.fromkeys(codes, 40)
    assert dict(found.omitted) == {**dict.fromkeys(codes, 20), "W-01": 5}
    assert found.counts == {Severity.VIOLATION: 1500, Severity.WARNING: 5, Severity.INFO: 0}


@given(st.lists(FINDINGS, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_findings_does_not_matter(findings: list[Finding], random: object) -> None:
    """The same findings in any order give the same list, and every one is listed or counted."""
    mixed = list(findings)
    getattr(random, "shuffle")(mixed)  # noqa: B009 - hypothesis types its generator loosely
    one, two = report(*findings), report(*mixed)

    key = [(item.severity, item.code, item.place, item.focus, item.path, item.value) for item in one.findings]
    assert key == [
        (item.severity, item.code, item.place, item.focus, item.path, item.value) for item in two.findings
    ]
    assert sum(one.counts.values()) == len(findings) == len(one.findings) + sum(one.omitted.values())


def test_groups_hold_one_severity_and_code_and_count_all() -> None:
    """A group knows how many there are beyond those listed, and the remedy if it is the same for all."""
    found = groups(report(*many("A-01", 130), MONTH, CELL, MARK))

    assert [(group.code, group.severity, len(group.findings), group.total) for group in found] == [
        ("A-01", Severity.VIOLATION, 100, 130),
        ("A-04", Severity.VIOLATION, 1, 1),
        ("A-03", Severity.WARNING, 1, 1),
        ("F-01", Severity.INFO, 1, 1),
    ]
    assert [group.remedy for group in found] == ["", MONTH.remedy, CELL.remedy, ""]


def test_a_group_with_several_remedies_has_none_of_its_own() -> None:
    """What mends one finding is not offered for another."""
    other = Finding("A-04", Severity.VIOLATION, "m", "f", remedy="Another.")

    assert [group.remedy for group in groups(report(MONTH, other))] == [""]


def test_a_code_of_two_severities_has_two_groups() -> None:
    """What the caps left out of such a code is told by the report alone: its group is not known."""
    found = report(*many("A-01", 120), *many("A-01", 3, Severity.WARNING))

    assert [(group.severity, group.total) for group in groups(found)] == [(Severity.VIOLATION, 100)]
    assert dict(found.omitted) == {"A-01": 23}
