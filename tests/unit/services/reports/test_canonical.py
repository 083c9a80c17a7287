"""The canonical JSON: always the same members in the same order, and every report keeps the schema."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from tests.unit.services.reports.samples import CELL, MARK, MONTH, REPORTS, many, report

from medkg.domain.submission import SubmissionReport
from medkg.services.reports.canonical import as_json, as_object, schema

SCHEMA: dict[str, Any] = json.loads(schema())
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    """The schema itself keeps the rules of JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_member_is_described() -> None:
    """Whoever reads the schema learns what each member means."""
    described = [*SCHEMA["properties"].values()]
    described += [item for part in SCHEMA["$defs"].values() for item in part["properties"].values()]

    assert [item for item in described if "description" not in item and "$ref" not in item] == []


def test_all_that_is_known_is_there() -> None:
    """A report is written member by member, in the order of the schema."""
    found = json.loads(as_json(report(MONTH)))

    assert found == {
        "decision": "rejected",
        "reason": "The document can't be accepted yet: 1 violation has to be mended first.",
        "counts": {"violation": 1, "warning": 0, "info": 0},
        "truncated": False,
        "omitted": {},
        "profile": "submission",
        "language": "en",
        "file": "actions.ttl",
        "media_type": "text/turtle",
        "shapes_version": "0.4.0",
        "data_version": 17,
        "input_sha256": "ab" * 32,
        "duration_ms": 12.346,
        "scope": "file",
        "findings": [
            {
                "code": "A-04",
                "severity": "violation",
                "message": "The start “10/2021” is no month.",
                "how_to_fix": "Write the year first: 2021-10.",
                "focus": "https://w3id.org/medkg/id/action/x",
                "path": "medkg:start",
                "value": "10/2021",
                "suggestion": "2021-10",
                "shape": "https://w3id.org/medkg/shapes#Action-start",
                "component": "http://www.w3.org/ns/shacl#PatternConstraintComponent",
                "location": {
                    "file": "actions.ttl",
                    "sheet": "",
                    "cell": "",
                    "line": 3,
                    "column": 17,
                    "end_line": 3,
                    "end_column": 26,
                    "pointer": "",
                },
                "related": [],
            }
        ],
    }
    assert list(found) == list(SCHEMA["properties"])
    finding = found["findings"][0]
    assert list(finding) == [name for name in SCHEMA["$defs"]["finding"]["properties"] if name != "lang"]


def test_a_cell_has_its_row_and_unknown_numbers_are_null() -> None:
    """A program need not take the name of a cell apart, and never meets a line 0."""
    [finding] = json.loads(as_json(report(CELL)))["findings"]

    assert finding["location"] == {
        "file": "",
        "sheet": "Actions",
        "cell": "D5",
        "row": 5,
        "line": None,
        "column": None,
        "end_line": None,
        "end_column": None,
        "pointer": "",
    }
    assert finding["related"] == ["http://data.europa.eu/nuts/code/PL22"]


def test_the_language_of_a_finding_is_told_where_it_is_another() -> None:
    """A message without a translation says which language it is in."""
    found = json.loads(as_json(report(replace(MARK, language="en"), MONTH, language="pl")))

    assert [item.get("lang") for item in found["findings"]] == [None, "en"]


def test_what_is_not_listed_is_counted() -> None:
    """The caps can be seen: how many are left out, and of which code."""
    found = json.loads(as_json(report(*many("A-02", 103), *many("A-01", 101))))

    assert (found["truncated"], found["omitted"]) == (True, {"A-01": 1, "A-02": 3})
    assert found["counts"]["violation"] == 204
    assert len(found["findings"]) == 200
    VALIDATOR.validate(found)


def test_letters_are_written_as_they_are() -> None:
    """The bytes are UTF-8 with letters, not with escapes, and end with a line end."""
    found = as_json(report(CELL))

    assert "Śląskie".encode() in found
    assert found.endswith(b"}\n")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REPORTS)
def test_every_report_keeps_the_schema(found: SubmissionReport) -> None:
    """Whatever a stranger sends, the report is JSON by the schema, says all of it, and comes out the same."""
    data = as_json(found)

    read = json.loads(data)
    VALIDATOR.validate(read)
    assert read == as_object(found)
    assert [item["message"] for item in read["findings"]] == [item.message for item in found.findings]
    assert [item["value"] for item in read["findings"]] == [item.value for item in found.findings]
    assert as_json(found) == data


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "maybe"},
        {"counts": {"violation": 1, "warning": 0}},
        {"input_sha256": "xyz"},
        {"unknown": 1},
        {"duration_ms": -1},
        {"findings": [{}]},
        {"language": "de"},
    ],
)
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    """The schema is not so wide that anything passes."""
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**as_object(report(MONTH)), **change})
