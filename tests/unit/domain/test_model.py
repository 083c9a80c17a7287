"""domain/model.py: the values that layers pass to each other are frozen, and know how to be read."""

import dataclasses
from typing import Any

import pytest
from rdflib.term import Literal

from medkg.domain.model import Finding, Place, QueryRequest, Report, Severity, Solutions

FINDING = Finding("A-01", Severity.VIOLATION, "The title is too long.", "https://example.org/a")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "A-01 https://example.org/a: The title is too long."),
        ({"path": "dct:title"}, "A-01 https://example.org/a dct:title: The title is too long."),
        ({"place": Place("a.ttl", 3)}, "A-01 https://example.org/a: The title is too long. (a.ttl:3)"),
        (
            {"path": "dct:title", "place": "a.ttl:3", "value": "not shown"},
            "A-01 https://example.org/a dct:title: The title is too long. (a.ttl:3)",
        ),
    ],
)
def test_a_finding_is_one_line(changes: dict[str, Any], text: str) -> None:
    """A finding reads as code, focus node, path, message and place; what is not known is left out."""
    assert str(dataclasses.replace(FINDING, **changes)) == text


@pytest.mark.parametrize(
    ("severities", "conforms"),
    [
        ([], True),
        ([Severity.WARNING, Severity.INFO], True),
        ([Severity.INFO, Severity.VIOLATION], False),
    ],
)
def test_only_violations_stop_anything(severities: list[Severity], conforms: bool) -> None:
    """A report conforms unless it holds a violation, and gives its findings by severity in their order."""
    findings = tuple(
        dataclasses.replace(FINDING, severity=severity, code=f"A-{number}")
        for number, severity in enumerate(severities)
    )
    report = Report(findings)
    assert report.conforms is conforms
    for severity in Severity:
        assert report.of(severity) == tuple(finding for finding in findings if finding.severity is severity)


def test_severities_are_ordered_by_gravity() -> None:
    """The gravest severity comes first, and each is its own word."""
    assert list(Severity) == ["violation", "warning", "info"]
    assert str(Severity.VIOLATION) == "violation"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (FINDING, "code"),
        (Report(), "findings"),
        (QueryRequest("ASK {}"), "text"),
        (Solutions(("a",), [{"a": Literal("x")}]), "rows"),
    ],
)
def test_values_are_frozen(value: object, field: str) -> None:
    """Nobody changes a value that another layer has been given."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, "changed")


def test_requests_do_not_share_their_bindings() -> None:
    """A request without bindings has an empty mapping of its own."""
    assert QueryRequest("ASK {}").bindings == {}
    assert QueryRequest("ASK {}").bindings is not QueryRequest("ASK {}").bindings


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place("a.ttl", 12, 5, 12, 9), "a.ttl:12:5"),
        (Place(line=12), "12"),
        (Place("a.xlsx", sheet="Actions", cell="D5"), "a.xlsx Actions!D5"),
        (Place(line=3, cell="B3"), "3 B3"),
        (Place(line=3, pointer="/@graph/0"), "3 /@graph/0"),
    ],
)
def test_a_place_is_written_as_people_write_it(place: Place, text: str) -> None:
    """A place shows what is known of it; it is false when nothing is."""
    assert (str(place), bool(place)) == (text, bool(text))


def test_a_finding_as_json_has_what_is_known() -> None:
    """Empty fields are left out, and the place stands under its own name, where it is known."""
    known = {"code": "A-01", "severity": "violation", "message": FINDING.message, "focus": FINDING.focus}
    assert FINDING.as_dict() == known
    located = dataclasses.replace(FINDING, value="x", place=Place(line=2, column=1))
    assert located.as_dict() == {**known, "value": "x", "location": {"line": 2, "column": 1}}
