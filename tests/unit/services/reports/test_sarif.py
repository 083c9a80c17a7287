"""The SARIF log: the rules of SARIF 2.1.0 that a viewer relies on."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.services.reports.samples import CATALOGUE, CELL, HOSTILE, MARK, MONTH, REPORTS, many, report

from medkg import __version__
from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.sarif import as_sarif

LEVELS = {"violation": "error", "warning": "warning", "info": "note"}
URI = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?#]|%[0-9A-F]{2})+")
KNOWN = {
    "log": {"$schema", "version", "runs"},
    "run": {
        "tool",
        "language",
        "columnKind",
        "invocations",
        "artifacts",
        "results",
        "properties",
    },
    "driver": {"name", "version", "language", "rules"},
    "rule": {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"},
    "result": {
        "ruleId",
        "ruleIndex",
        "level",
        "message",
        "locations",
        "relatedLocations",
        "partialFingerprints",
        "properties",
    },
    "location": {"id", "physicalLocation", "logicalLocations"},
    "region": {"startLine", "startColumn", "endLine", "endColumn"},
    "artifact": {"location", "mimeType", "hashes"},
}


def run_of(found: SubmissionReport) -> dict[str, Any]:
    log = json.loads(as_sarif(found, CATALOGUE))
    assert set(log) == KNOWN["log"]
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


def check_message(message: dict[str, Any]) -> None:
    """Section 3.11: a text, no placeholder without arguments, and no link."""
    assert set(message) == {"text"}
    assert message["text"]
    assert not re.search(r"(?<!\{)(?:\{\{)*\{\d+\}(?!\})", message["text"])
    assert not re.search(r"\[[^\]]*\]\(", message["text"])


def check_region(region: dict[str, Any]) -> None:
    """Section 3.30: numbers from 1, and an end that is not before the start."""
    assert set(region) <= KNOWN["region"]
    assert all(isinstance(value, int) and value >= 1 for value in region.values())
    line, column = region["startLine"], region.get("startColumn", 1)
    end = region.get("endLine", line)
    assert end >= line
    if end == line and "endColumn" in region:
        assert region["endColumn"] >= column


def check_location(location: dict[str, Any]) -> None:
    """Sections 3.28, 3.29 and 3.33: a file by a relative reference, names that are not empty."""
    assert set(location) <= KNOWN["location"]
    for logical in location.get("logicalLocations", []):
        assert set(logical) == {"fullyQualifiedName", "kind"}
        assert logical["fullyQualifiedName"]
    if "physicalLocation" in location:
        physical = location["physicalLocation"]
        assert set(physical) <= {"artifactLocation", "region"}
        check_uri(physical["artifactLocation"]["uri"])
        if "region" in physical:
            check_region(physical["region"])


def check_uri(uri: str) -> None:
    assert URI.fullmatch(uri)
    assert urlsplit(uri)[:2] == ("", "")
    assert urlsplit(uri)[3:] == ("", "")


def check_run(run: dict[str, Any]) -> None:
    assert set(run) <= KNOWN["run"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert set(run["tool"]) == {"driver"}
    driver = run["tool"]["driver"]
    assert set(driver) == KNOWN["driver"]
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) == KNOWN["rule"]
        assert rule["defaultConfiguration"]["level"] in LEVELS.values()
        for name in ("shortDescription", "fullDescription", "help"):
            check_message(rule[name])
    [artifact] = run["artifacts"]
    assert set(artifact) <= KNOWN["artifact"]
    assert re.fullmatch(r"[^/]+/.+", artifact.get("mimeType", "text/turtle"))
    check_uri(artifact["location"]["uri"])
    for result in run["results"]:
        assert set(result) <= KNOWN["result"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS.values()
        check_message(result["message"])
        assert len(result["locations"]) == 1
        for location in (*result["locations"], *result.get("relatedLocations", [])):
            check_location(location)
            index = location.get("physicalLocation", {}).get("artifactLocation", {}).get("index", 0)
            assert index == 0
        numbers = [location["id"] for location in result.get("relatedLocations", [])]
        assert len(set(numbers)) == len(numbers)


def test_a_finding_is_a_result_at_its_place() -> None:
    """Level, words, region and names of a finding stand where a viewer looks for them."""
    run = run_of(report(MONTH))

    [result] = run["results"]
    assert result["ruleId"] == "A-04"
    assert result["level"] == "error"
    assert result["message"]["text"] == (
        "The start “10/2021” is no month. Write the year first: 2021-10. Perhaps meant: 2021-10"
    )
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "actions.ttl", "index": 0},
                "region": {"startLine": 3, "startColumn": 17, "endLine": 3, "endColumn": 26},
            },
            "logicalLocations": [
                {"fullyQualifiedName": "https://w3id.org/medkg/id/action/x", "kind": "resource"},
                {"fullyQualifiedName": "medkg:start", "kind": "property"},
            ],
        }
    ]
    assert result["properties"]["value"] == "10/2021"


def test_a_cell_is_a_logical_place() -> None:
    """A workbook has no lines; the sheet and the cell are named."""
    [result] = run_of(report(CELL))["results"]

    [location] = result["locations"]
    assert "region" not in location["physicalLocation"]
    assert {"fullyQualifiedName": "Actions!D5", "kind": "cell"} in location["logicalLocations"]
    [related] = result["relatedLocations"]
    assert related["logicalLocations"][0]["fullyQualifiedName"] == CELL.related[0]


def test_a_pointer_is_a_logical_place() -> None:
    """A value in a JSON document is named by its pointer."""
    [result] = run_of(report(replace(MARK, place=Place("a.json", pointer="/a/0"))))["results"]

    assert result["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "/a/0", "kind": "value"}]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "a.json"}


def test_a_code_is_a_rule_with_help() -> None:
    """Each code is described once, with its severity and how to mend what it finds."""
    run = run_of(report(MONTH, MONTH, CELL, MARK))

    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("medkg", __version__)
    assert [(rule["id"], rule["defaultConfiguration"]["level"]) for rule in driver["rules"]] == [
        ("A-04", "error"),
        ("A-03", "warning"),
        ("F-01", "note"),
    ]
    assert [rule["help"]["text"] for rule in driver["rules"]] == [MONTH.remedy, CELL.remedy, MARK.message]


def test_the_head_of_the_report_travels_along() -> None:
    """The decision and the circumstances are properties of the run; the checksum is the artifact's."""
    run = run_of(report(MONTH))

    assert run["properties"]["decision"] == "rejected"
    assert run["artifacts"] == [
        {
            "location": {"uri": "actions.ttl"},
            "mimeType": "text/turtle",
            "hashes": {"sha-256": "ab" * 32},
        }
    ]
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_what_is_not_listed_is_notified() -> None:
    """A viewer that shows notifications tells of the findings beyond the caps."""
    [invocation] = run_of(report(*many("A-01", 103)))["invocations"]

    [notification] = invocation["toolExecutionNotifications"]
    assert notification == {"level": "note", "message": {"text": "Counted, but not listed: A-01: 3"}}


def test_a_fingerprint_outlives_the_line() -> None:
    """The same finding on another line is the same; another value is another finding."""
    same = replace(MONTH, place=Place("actions.ttl", 99), message="Said otherwise.")
    other = replace(MONTH, value="11/2021")

    one, two, three = (
        run_of(report(item))["results"][0]["partialFingerprints"] for item in (MONTH, same, other)
    )
    assert one == two != three


@pytest.mark.parametrize(
    ("place", "region"),
    [
        (Place("a", 3), {"startLine": 3}),
        (Place("a", 3, 5), {"startLine": 3, "startColumn": 5}),
        (Place("a", 3, 5, 4, 1), {"startLine": 3, "startColumn": 5, "endLine": 4, "endColumn": 1}),
        (Place("a", 3, 5, 3, 2), {"startLine": 3, "startColumn": 5}),
        (Place("a", 3, 5, 2, 9), {"startLine": 3, "startColumn": 5}),
        (Place("a", 3, 5, 0, 9), {"startLine": 3, "startColumn": 5, "endColumn": 9}),
        (Place("a", 3, 0, 5), {"startLine": 3, "endLine": 5}),
    ],
)
def test_a_region_never_ends_before_it_starts(place: Place, region: dict[str, int]) -> None:
    """An end that is missing or makes no sense is left out."""
    [result] = run_of(report(replace(MONTH, place=place)))["results"]

    assert result["locations"][0]["physicalLocation"]["region"] == region


@pytest.mark.parametrize(
    "name", ["", "//evil.example/x", "a b:c?d#e.ttl", "Śląskie.ttl", "/etc/x", "%41.ttl"]
)
def test_a_file_name_is_a_relative_reference(name: str) -> None:
    """No file name leads to another server, and a viewer gets the name back."""
    uri = run_of(report(MARK, file=name))["artifacts"][0]["location"]["uri"]

    check_uri(uri)
    assert unquote(uri) == (("/" if name.startswith("/") else "") + name.lstrip("/") or "document")


@pytest.mark.parametrize(
    ("text", "written"),
    [("{0}", "{{0}}"), ("{{x}", "{{{{x}}"), ("[a](b)", "[a] (b)"), ("a\u202eb\nc", "a⟨U+202E⟩b\nc")],
)
def test_braces_are_doubled_and_links_broken(text: str, written: str) -> None:
    """A message is written so that a viewer shows what was sent (sections 3.11.5 and 3.11.6)."""
    [result] = run_of(report(Finding("A-01", Severity.INFO, text, "")))["results"]

    assert result["message"]["text"] == written


@pytest.mark.parametrize("text", [*HOSTILE, "{0}", "{{0}}", "{", "}", "[a](b)", "[a]](b)", "a](b"])
def test_a_hostile_text_is_only_a_text(text: str) -> None:
    """No placeholder and no link comes of what a stranger wrote."""
    finding = Finding("A-01", Severity.INFO, f"x{text}", text, remedy=text, suggestion=text)

    check_run(run_of(report(finding)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REPORTS)
def test_every_report_is_a_log(found: SubmissionReport) -> None:
    """Whatever a stranger sends, the log keeps the rules, and has a result for each finding."""
    run = run_of(found)

    check_run(run)
    assert [(item["ruleId"], item["level"]) for item in run["results"]] == [
        (finding.code, LEVELS[finding.severity]) for finding in found.findings
    ]
