"""From findings to a report: the decision and its reason, counts, order, groups, and caps that are told."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import Final

from medkg.domain.model import Finding, Severity
from medkg.domain.submission import Decision, SubmissionReport
from medkg.services.reports.cells import position
from medkg.services.reports.texts import Texts, Words

__all__ = ["MAX_FINDINGS", "MAX_PER_CODE", "Check", "Group", "groups", "summarise"]

MAX_PER_CODE: Final = 100
MAX_FINDINGS: Final = 1_000

_GRAVITY: Final[Mapping[Severity, int]] = MappingProxyType(
    {severity: rank for rank, severity in enumerate(Severity)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was checked, with what, and how long it took; the fields are those of the report."""

    profile: str = ""
    file: str = ""
    media_type: str = ""
    shapes_version: str = ""
    data_version: int | None = None
    input_sha256: str = ""
    duration: float = 0.0
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one severity and code; *total* counts those that the caps left out, too."""

    severity: Severity
    code: str
    findings: tuple[Finding, ...]
    total: int

    @property
    def remedy(self) -> str:
        """How to mend all of them, "" when that is not the same for each."""
        remedies = {finding.remedy for finding in self.findings}
        return remedies.pop() if len(remedies) == 1 else ""


def summarise(
    findings: Iterable[Finding], *, language: str, texts: Texts, check: Check, readable: bool = True
) -> SubmissionReport:
    """Return what is said about one document.

    Violations come first, then by code and place.  At most 100 findings of a code and 1,000 in total are
    kept; each code of the gravest severity is among them before any has a second one.  A document that is
    not *readable* is neither accepted nor rejected.
    """
    ordered = sorted(findings, key=_order)
    counts = Counter(finding.severity for finding in ordered)
    kept = _capped(ordered)
    omitted = Counter(finding.code for finding in ordered)
    omitted.subtract(finding.code for finding in kept)
    words = texts.words(language)
    decision = _decision(counts, readable=readable)
    return SubmissionReport(
        decision=decision,
        reason=_reason(decision, counts, words),
        findings=kept,
        counts=MappingProxyType({severity: counts[severity] for severity in Severity}),
        omitted=MappingProxyType({code: number for code, number in sorted(omitted.items()) if number}),
        profile=check.profile,
        language=words.language,
        file=check.file,
        media_type=check.media_type,
        shapes_version=check.shapes_version,
        data_version=check.data_version,
        input_sha256=check.input_sha256,
        duration=check.duration,
        scope=check.scope,
    )


def groups(report: SubmissionReport) -> tuple[Group, ...]:
    """Return the findings of a report by severity and code, in their order; a group is never empty."""
    ordered = sorted(report.findings, key=lambda finding: (_GRAVITY[finding.severity], finding.code))
    found = [
        Group(severity, code, (members := tuple(part)), len(members) + report.omitted.get(code, 0))
        for (severity, code), part in groupby(ordered, key=lambda item: (item.severity, item.code))
    ]
    totals: Counter[Severity] = Counter()
    for group in found:
        totals[group.severity] += group.total
    # What is omitted is known by code alone.  A code that comes with several severities can make totals that
    # are too high; then a group counts what it lists.
    return tuple(
        group
        if totals[group.severity] <= report.counts.get(group.severity, 0)
        else replace(group, total=len(group.findings))
        for group in found
    )


def _decision(counts: Mapping[Severity, int], *, readable: bool) -> Decision:
    if not readable:
        return Decision.UNREADABLE
    return Decision.REJECTED if counts[Severity.VIOLATION] else Decision.ACCEPTED


def _reason(decision: Decision, counts: Mapping[Severity, int], words: Words) -> str:
    if decision is Decision.REJECTED:
        return words("reason-rejected", count=counts[Severity.VIOLATION])
    if decision is Decision.UNREADABLE:
        return words("reason-unreadable")
    told = words.counts(counts)
    return words("reason-accepted", counts=told) if told else words("reason-clean")


def _capped(ordered: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings within both caps, in their order."""
    ranks: Counter[str] = Counter()
    within: list[tuple[int, int, int]] = []
    for index, finding in enumerate(ordered):
        rank = ranks[finding.code]
        ranks[finding.code] += 1
        if rank < MAX_PER_CODE:
            within.append((_GRAVITY[finding.severity], rank, index))
    chosen = sorted(within)[:MAX_FINDINGS]
    return tuple(ordered[index] for index in sorted(index for _, _, index in chosen))


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    row, column = position(place.cell) or (0, 0)
    return (
        _GRAVITY[finding.severity],
        finding.code,
        place.file,
        place.sheet,
        place.line,
        place.column,
        row,
        column,
        place.pointer,
        finding.focus,
        finding.path,
        finding.value,
        finding.message,
    )
