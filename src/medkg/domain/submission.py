"""What is read of a document that somebody sends, and what is said about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rdflib.term import BNode, URIRef

from medkg.domain.model import Finding, Place, Severity, Term

__all__ = ["Decision", "Flaw", "Statement", "Submission", "SubmissionReport"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One triple with the terms as they were sent (no literal is rewritten), and the place of its object."""

    subject: URIRef | BNode
    predicate: URIRef
    object: Term
    place: Place


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something about a document that is told to its sender: a code of the catalogue, where, and its values.

    *values* fill the placeholders of the message that the catalogue has for *code*.  *focus* is the node that
    it is about, where there is one.
    """

    code: str
    place: Place
    values: Mapping[str, str] = field(default_factory=dict)
    focus: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A document as read: its statements in the order of the document, the place of each record, its flaws.

    *records* maps a subject to the place where its description starts; a finding about something missing
    points there.  *media_type* is what the document was read as.  A document that can't be read has no
    statements and at least one flaw whose code is a violation.
    """

    media_type: str
    statements: tuple[Statement, ...] = ()
    records: Mapping[URIRef | BNode, Place] = field(default_factory=dict)
    flaws: tuple[Flaw, ...] = ()


class Decision(StrEnum):
    """What becomes of a document: it is good, it breaks rules, or it can't be read."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionReport:
    """What is said about one document, in one language; the faces of a report only lay it out.

    *counts* counts every finding, those beyond the caps included; *omitted* says how many of each code are
    not among *findings*.  *duration* is in milliseconds.
    """

    decision: Decision
    reason: str
    findings: tuple[Finding, ...]
    counts: Mapping[Severity, int]
    omitted: Mapping[str, int]
    profile: str
    language: str
    file: str
    media_type: str
    shapes_version: str
    data_version: int | None
    input_sha256: str
    duration: float
    scope: str

    @property
    def truncated(self) -> bool:
        """True when there are findings that are only counted."""
        return bool(self.omitted)
