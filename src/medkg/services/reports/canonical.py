"""A report as JSON: the canonical form, which has all that is known, and its schema."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources

from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.cells import position

__all__ = ["as_json", "as_object", "schema"]

Json = str | int | float | bool | None | Mapping[str, "Json"] | Sequence["Json"]


def as_json(report: SubmissionReport) -> bytes:
    """Return a report as JSON in UTF-8: always the same members in the same order, so the same bytes."""
    return json.dumps(as_object(report), ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def as_object(report: SubmissionReport) -> dict[str, Json]:
    """Return a report as the value that its JSON has.

    A text that is not known is "", a number null.
    """
    return {
        "decision": report.decision.value,
        "reason": report.reason,
        "counts": {severity.value: report.counts.get(severity, 0) for severity in Severity},
        "truncated": report.truncated,
        "omitted": dict(sorted(report.omitted.items())),
        "profile": report.profile,
        "language": report.language,
        "file": report.file,
        "media_type": report.media_type,
        "shapes_version": report.shapes_version,
        "data_version": report.data_version,
        "input_sha256": report.input_sha256,
        "duration_ms": round(report.duration, 3),
        "scope": report.scope,
        "findings": [_finding(finding) for finding in report.findings],
    }


def schema() -> bytes:
    """Return the JSON Schema (2020-12) that every report keeps."""
    return (resources.files(__package__) / "report.schema.json").read_bytes()


def _finding(finding: Finding) -> dict[str, Json]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        **({"lang": finding.language} if finding.language else {}),
        "how_to_fix": finding.remedy,
        "focus": finding.focus,
        "path": finding.path,
        "value": finding.value,
        "suggestion": finding.suggestion,
        "shape": finding.shape,
        "component": finding.component,
        "location": _location(finding.place),
        "related": list(finding.related),
    }


def _location(place: Place) -> dict[str, Json]:
    cell = position(place.cell)
    return {
        "file": place.file,
        "sheet": place.sheet,
        "cell": place.cell,
        **({"row": cell[0]} if cell else {}),
        "line": place.line or None,
        "column": place.column or None,
        "end_line": place.end_line or None,
        "end_column": place.end_column or None,
        "pointer": place.pointer,
    }
