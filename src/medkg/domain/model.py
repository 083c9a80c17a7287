"""The frozen values that the layers of medkg pass to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rdflib.term import BNode, Literal, URIRef

__all__ = ["Finding", "Quad", "QueryRequest", "Report", "Row", "Severity", "Solutions", "Term"]

Term = URIRef | Literal | BNode
"""An RDF term as it travels between layers."""

Quad = tuple[URIRef | BNode, URIRef, Term, URIRef | None]
"""Subject, predicate, object and the named graph; None stands for the default graph."""

Row = Mapping[str, Term]
"""One solution: the bound variables by name."""


class Severity(StrEnum):
    """How grave a finding is (SHACL, section 2.1.4); only violations stop anything."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a shape says about one focus node, in English."""

    code: str
    severity: Severity
    message: str
    focus: str
    path: str = ""
    value: str = ""
    place: str = ""

    def __str__(self) -> str:
        """Return one line: code, focus node, path, message, and the place when it is known."""
        path = f" {self.path}" if self.path else ""
        place = f" ({self.place})" if self.place else ""
        return f"{self.code} {self.focus}{path}: {self.message}{place}"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a validation: every finding, the gravest first."""

    findings: tuple[Finding, ...] = ()

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of that severity."""
        return tuple(finding for finding in self.findings if finding.severity is severity)

    @property
    def conforms(self) -> bool:
        """True when there is no violation; warnings and infos do not stop anything."""
        return not self.of(Severity.VIOLATION)


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A SPARQL query with its dataset (SPARQL 1.1 Protocol, section 2.1) and the values of variables."""

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    bindings: Mapping[str, Term] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Solutions:
    """The answer to a SELECT: the projected variables in order, and the rows in the engine's order."""

    variables: tuple[str, ...]
    rows: Sequence[Row]
