"""Examines a submission: what its sender is told, and whether it would be accepted.

Reading it came before, in a process that could be killed.  Here its statements are put beside the public
graph, where nobody else sees them, and validated with what they can affect.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rdflib.namespace import SH
from rdflib.term import Node

from medkg.domain.model import Finding, Place, Quad, Severity
from medkg.domain.submission import Flaw, Submission, SubmissionReport
from medkg.intake import scope
from medkg.intake.catalogue import Entry
from medkg.services.candidate import Candidate
from medkg.services.places import Places
from medkg.services.reports.summary import Check, summarise
from medkg.services.reports.texts import Texts
from medkg.services.rules import Rules, insist_on
from medkg.services.suggestions import Suggestions
from medkg.services.validation import Kept
from medkg.shacl import affected
from medkg.shacl.compiled import Data, Validator
from medkg.shacl.findings import findings
from medkg.shacl.results import Result
from medkg.store.memory import MemoryGraph

__all__ = ["Asked", "Examined", "Examiner"]


_SEVERITIES: Final = {Severity.VIOLATION: SH.Violation, Severity.WARNING: SH.Warning, Severity.INFO: SH.Info}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a document: by which profile and in which language, and what is known of it."""

    profile: str = "submission"
    language: str = "en"
    namespace: str = scope.OWN
    file: str = ""
    sha256: str = ""
    started: float = 0.0


@dataclass(frozen=True, slots=True)
class Examined:
    """The report on a document; all findings, without caps; the validation results behind some of them."""

    report: SubmissionReport
    findings: tuple[Finding, ...]
    results: tuple[Result, ...]


class Examiner:
    """Examines submissions to the graph *public*, version *version*; the graph is as before afterwards."""

    def __init__(
        self, public: MemoryGraph, rules: Rules, *, version: int, catalogue: Mapping[str, Entry], texts: Texts
    ) -> None:
        self._public = public
        self._rules = rules
        self._version = version
        self._catalogue = catalogue
        self._texts = texts

    def examine(self, submission: Submission, asked: Asked) -> Examined:
        """Return what is said about *submission*.

        :raises ParameterError: there is no such profile.
        """
        insist_on(asked.profile)
        places = Places(submission, asked.file)
        flaws = (*submission.flaws, *scope.judge(submission, namespace=asked.namespace))
        told = [self._told(flaw, places, asked.language) for flaw in flaws]
        reach, results = "", list[Result]()
        if submission.statements:
            found, reach = self._validated(submission, asked, places)
            told += [finding for finding, _ in found]
            results = [result for _, result in found]
        check = Check(
            profile=asked.profile,
            file=asked.file,
            media_type=submission.media_type,
            shapes_version=self._rules.version,
            data_version=self._version,
            input_sha256=asked.sha256,
            duration=1_000 * (time.monotonic() - asked.started),
            scope=reach,
        )
        readable = bool(submission.statements)
        report = summarise(told, language=asked.language, texts=self._texts, check=check, readable=readable)
        return Examined(report, tuple(told), tuple(results))

    def _told(self, flaw: Flaw, places: Places, language: str) -> Finding:
        entry = self._catalogue[flaw.code]
        return Finding(
            code=flaw.code,
            severity=entry.severity,
            message=entry.message(language, flaw.values),
            focus=flaw.focus,
            value=flaw.values.get("value", ""),
            place=places.in_file(flaw.place),
            remedy=entry.remedy(language, flaw.values),
            suggestion=flaw.values.get("suggestion", ""),
            language=language,
        )

    def _validated(
        self, submission: Submission, asked: Asked, places: Places
    ) -> tuple[list[tuple[Finding, Result]], str]:
        """Return what the shapes say, with the results that say it, and how much was validated."""
        rules = self._rules
        triples: list[Quad] = [
            (item.subject, item.predicate, item.object, None) for item in submission.statements
        ]
        described: set[Node] = {item.subject for item in submission.statements}
        with Candidate(self._public, triples, rules.schema, rules.keep) as candidate:
            results, reach = self._results(candidate, triples, described)
            # As it was sent: what follows from it are no statements of the sender.
            with Candidate(MemoryGraph(), triples, None, rules.keep) as own:
                results += self._alone(own)
            hints = Suggestions(rules, candidate, asked.language)
            found = [
                (replace(finding, place=places.of(result), suggestion=hints.of(result)), result)
                for result in results
                for finding in self._graded(result, asked)
            ]
        return [
            (finding, replace(result, severity=_SEVERITIES[finding.severity]))
            for finding, result in _all_placed(found, places)
        ], reach

    def _results(
        self, candidate: Candidate, triples: list[Quad], described: set[Node]
    ) -> tuple[list[Result], str]:
        """Return the results for what is described, and those for others that the submission brings about."""
        rules, validator = self._rules, Validator(self._rules.plan, candidate)
        changed = [quad[:3] for quad in (*triples, *candidate.added)]
        reach = rules.dependencies.scope(validator, changed)
        found = [item for item in affected.run(validator, rules.plan, reach) if item.shape not in rules.alone]
        others = {result.focus for result in found} - described
        if others:
            candidate.take_out()
            before = set(affected.run(Validator(rules.plan, Kept(self._public)), rules.plan, reach))
            candidate.put_in()
            found = [item for item in found if item.focus in described or item not in before]
        nodes = affected.targeted(validator, rules.plan, reach).size
        return found, reach.reason or str(nodes)

    def _alone(self, own: Data) -> Iterator[Result]:
        """Yield the results of the shapes that read the submitted graph by itself."""
        rules = self._rules
        yield from Validator(rules.closed, own).run()
        validator = Validator(rules.plan, own)
        for check in rules.plan.checks:
            if check.shape.node in rules.alone:
                yield from validator.everywhere(check)

    def _graded(self, result: Result, asked: Asked) -> Iterator[Finding]:
        """Yield the finding of a result as grave as the profile has it, or nothing."""
        (finding,) = findings([result], self._rules.graph_of(result.shape), (asked.language,)).findings
        severity = self._rules.severity(result.shape, finding.severity, asked.profile)
        if severity is not None:
            yield replace(finding, severity=severity, language=asked.language)


def _all_placed(found: Sequence[tuple[Finding, Result]], places: Places) -> Iterator[tuple[Finding, Result]]:
    """Yield findings with a place for each: one on a record of others is where the sender touched it."""
    nowhere = places.in_file(Place())
    known = {result.shape: finding.place for finding, result in reversed(found) if finding.place != nowhere}
    for finding, result in found:
        if finding.place == nowhere:
            place = known.get(result.shape, places.first)
            yield replace(finding, place=place), result
        else:
            yield finding, result
