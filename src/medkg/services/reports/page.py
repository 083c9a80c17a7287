"""A report as HTML for people: a page or a part of one, without scripts, with nothing from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from medkg.domain.model import Severity
from medkg.domain.submission import SubmissionReport
from medkg.services.reports.display import shortened, visible
from medkg.services.reports.summary import MAX_FINDINGS, MAX_PER_CODE, Group, groups
from medkg.services.reports.texts import Texts, Words

__all__ = ["as_html", "as_part", "make_templates", "style"]

_OPEN: Final = 10
"""Findings of a group that are seen at once; the others are opened by the reader."""
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Section:
    """The groups of one severity."""

    severity: Severity
    groups: tuple[Group, ...]


def make_templates() -> Environment:
    """Return the templates; everything put into them is escaped, and nothing may be missing."""
    templates = Environment(
        loader=PackageLoader("medkg.services.reports"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["shown"] = _shown
    return templates


def as_html(report: SubmissionReport, texts: Texts, templates: Environment) -> str:
    """Return a report as a page of its own, in the language of the report."""
    return templates.get_template("page.html").render(**_values(report, texts))


def as_part(report: SubmissionReport, texts: Texts, templates: Environment) -> str:
    """Return a report as one ``article`` for a page that has the style; its headings begin with h1."""
    return templates.get_template("report.html").render(**_values(report, texts))


def style() -> str:
    """Return the style sheet of a report; all of its rules are about the class ``report`` and below."""
    return (resources.files(__package__) / "templates" / "report.css").read_text(encoding="utf-8")


def _values(report: SubmissionReport, texts: Texts) -> dict[str, object]:
    words = texts.words(report.language)
    found = groups(report)
    return {
        "report": report,
        "words": words,
        "sections": _sections(found),
        "severities": list(Severity),
        "facts": _facts(report, words),
        "total": sum(report.counts.values()),
        "open": _OPEN,
        "caps": {"each": MAX_PER_CODE, "all": MAX_FINDINGS},
    }


def _sections(found: Sequence[Group]) -> list[_Section]:
    return [
        _Section(severity, tuple(part)) for severity, part in groupby(found, key=lambda group: group.severity)
    ]


def _facts(report: SubmissionReport, words: Words) -> list[tuple[str, str]]:
    """Return what is known of the check, each with its name."""
    known = (
        ("file", report.file),
        ("media-type", report.media_type),
        ("profile", report.profile),
        ("scope", report.scope),
        ("shapes-version", report.shapes_version),
        ("data-version", "" if report.data_version is None else str(report.data_version)),
        ("checksum", report.input_sha256),
        ("duration", f"{report.duration:.0f} ms"),
    )
    return [(words(key), value) for key, value in known if value]


def _shown(text: str) -> str:
    return visible(shortened(text, _LONGEST), lines=True)
