"""A report as SARIF 2.1.0, which editors and code hosts show beside the lines of the document.

The section numbers are those of https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from medkg import __version__
from medkg.domain.model import Finding, Place, Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.canonical import Json, as_object
from medkg.services.reports.display import visible
from medkg.services.reports.summary import Group, groups
from medkg.services.reports.texts import Texts, Words

__all__ = ["as_sarif"]

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final[Mapping[Severity, str]] = MappingProxyType(
    {Severity.VIOLATION: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
)
_MEDIA_TYPE: Final = re.compile(r"[^/\s]+/[^/]+")
_NAMELESS: Final = "document"
"""A physical location must name an artifact (3.29.2), also when the document was sent without a name."""


def as_sarif(report: SubmissionReport, texts: Texts) -> bytes:
    """Return a report as a SARIF log with one run; its rules are the codes of the findings."""
    words = texts.words(report.language)
    codes = list(dict.fromkeys(finding.code for finding in report.findings))
    head = {name: value for name, value in as_object(report).items() if name != "findings"}
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "medkg",
                "version": __version__,
                "language": report.language,
                "rules": _rules(groups(report), codes, words),
            }
        },
        "language": report.language,
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, words)],
        "artifacts": [_artifact(report)],
        "results": [_result(finding, codes, report, words) for finding in report.findings],
        "properties": head,
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"


def _invocation(report: SubmissionReport, words: Words) -> Json:
    """Return how the check went; findings beyond the caps are told in a notification (3.20.21)."""
    invocation: dict[str, Json] = {"executionSuccessful": True}
    if report.truncated:
        text = "; ".join(f"{code}: {number}" for code, number in report.omitted.items())
        note: Json = {"level": "note", "message": {"text": _plain(f"{words('omitted')}: {text}")}}
        invocation["toolExecutionNotifications"] = [note]
    return invocation


def _artifact(report: SubmissionReport) -> Json:
    found: dict[str, Json] = {"location": {"uri": _uri(report.file)}}
    if _MEDIA_TYPE.fullmatch(report.media_type):
        found["mimeType"] = report.media_type
    if report.input_sha256:
        found["hashes"] = {"sha-256": report.input_sha256}
    return found


def _rules(found: Sequence[Group], codes: Sequence[str], words: Words) -> Json:
    """Return a rule for each code (3.49), its texts taken from the first finding with it."""
    first: dict[str, Group] = {}
    for group in found:
        first.setdefault(group.code, group)
    return [_rule(first[code], words) for code in codes]


def _rule(group: Group, words: Words) -> Json:
    finding = group.findings[0]
    help_text = group.remedy or finding.remedy or finding.message
    return {
        "id": group.code,
        "shortDescription": {"text": _plain(f"{group.code}: {words(f'severity-{group.severity}')}")},
        "fullDescription": {"text": _plain(finding.message or group.code)},
        "help": {"text": _plain(help_text or group.code)},
        "defaultConfiguration": {"level": _LEVELS[group.severity]},
    }


def _result(finding: Finding, codes: Sequence[str], report: SubmissionReport, words: Words) -> Json:
    result: dict[str, Json] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(_message(finding, words))},
        "locations": [_location(finding, report)],
        "partialFingerprints": {"medkg/1": _fingerprint(finding)},
        "properties": _properties(finding),
    }
    related: list[Json] = [
        {"id": number, "logicalLocations": [_logical(node, "resource")]}
        for number, node in enumerate(filter(None, finding.related), start=1)
    ]
    if related:
        result["relatedLocations"] = related
    return result


def _message(finding: Finding, words: Words) -> str:
    suggested = f"{words('suggestion')}: {finding.suggestion}" if finding.suggestion else ""
    return " ".join(filter(None, (finding.message, finding.remedy, suggested))) or finding.code


def _properties(finding: Finding) -> dict[str, Json]:
    known = {
        "focus": finding.focus,
        "path": finding.path,
        "value": finding.value,
        "suggestion": finding.suggestion,
        "how_to_fix": finding.remedy,
        "shape": finding.shape,
        "component": finding.component,
        "lang": finding.language,
    }
    return {name: value for name, value in known.items() if value}


def _location(finding: Finding, report: SubmissionReport) -> Json:
    place = finding.place
    artifact: dict[str, Json] = {"uri": _uri(place.file or report.file)}
    if not place.file or place.file == report.file:
        artifact["index"] = 0
    physical: dict[str, Json] = {"artifactLocation": artifact}
    if place.line:
        physical["region"] = _region(place)
    named = [
        (finding.focus, "resource"),
        (finding.path, "property"),
        (place.pointer, "value"),
        ("!".join(filter(None, (place.sheet, place.cell))), "cell" if place.cell else "sheet"),
    ]
    logical = [_logical(name, kind) for name, kind in named if name]
    found: dict[str, Json] = {"physicalLocation": physical}
    if logical:
        found["logicalLocations"] = logical
    return found


def _region(place: Place) -> Json:
    """Return a text region (3.30); its end is just behind the last character, as ours is."""
    region: dict[str, Json] = {"startLine": place.line}
    if place.column:
        region["startColumn"] = place.column
    start, end = (place.line, place.column or 1), (place.end_line or place.line, place.end_column)
    if end[0] < start[0] or (end[1] and end < start):
        return region
    if place.end_line:
        region["endLine"] = place.end_line
    if place.end_column:
        region["endColumn"] = place.end_column
    return region


def _logical(name: str, kind: str) -> Json:
    return {"fullyQualifiedName": name, "kind": kind}


def _uri(name: str) -> str:
    """Return a file name as a relative reference (RFC 3986, section 4.2); it never names another server."""
    return quote(("/" if name.startswith("/") else "") + name.lstrip("/")) or _NAMELESS


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same when lines move (3.27.17)."""
    parts = (finding.code, finding.focus, finding.path, finding.value)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(text: str) -> str:
    """Return *text* as a plain text message: braces are doubled (3.11.5), nothing is a link (3.11.6)."""
    return visible(text, lines=True).replace("{", "{{").replace("}", "}}").replace("](", "] (")
