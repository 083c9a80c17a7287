"""domain/model.py: the values that layers pass to each other are frozen, and know how to be read."""

import dataclasses

import pytest
from rdflib.term import Literal

from medkg.domain.model import Finding, QueryRequest, Report, Severity, Solutions

FINDING = Finding("A-01", Severity.VIOLATION, "The title is too long.", "https://example.org/a")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "A-01 https://example.org/a: The title is too long."),
        ({"path": "dct:title"}, "A-01 https://example.org/a dct:title: The title is too long."),
        ({"place": "a.ttl:3"}, "A-01 https://example.org/a: The title is too long. (a.ttl:3)"),
        (
            {"path": "dct:title", "place": "a.ttl:3", "value": "not shown"},
            "A-01 https://example.org/a dct:title: The title is too long. (a.ttl:3)",
        ),
    ],
)
def test_a_finding_is_one_line(changes: dict[str, str], text: str) -> None:
    """A finding reads as code, focus node, path, message and place; what is not known is left out."""
    assert str(dataclasses.replace(FINDING, **changes)) == text  # type: ignore[arg-type]


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
