"""The frozen values that the layers of medkg pass to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from typing import Literal as Literal_

from rdflib.term import BNode, Literal, URIRef

__all__ = [
    "Author",
    "Commit",
    "Finding",
    "GraphState",
    "GraphWrite",
    "Place",
    "Quad",
    "QueryRequest",
    "Report",
    "Role",
    "Row",
    "Severity",
    "Solutions",
    "Term",
    "UpdateRequest",
]

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
class Place:
    """Where something stands in a document; what the document has no word for is empty, or 0.

    Lines and columns are 1-based and count Unicode characters; the end is just behind the last one.
    *pointer* is a JSON Pointer (RFC 6901), *cell* a cell of *sheet* such as "D5" (a CSV file has one sheet,
    without a name, and lines beside its cells).
    """

    file: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    sheet: str = ""
    cell: str = ""
    pointer: str = ""

    def __bool__(self) -> bool:
        """Tell whether anything is known."""
        return self != Place()

    def __str__(self) -> str:
        """Return it as people write it: ``file.ttl:12:5``, ``Actions!D5``."""
        numbers = [str(number) for number in (self.line, self.column) if number]
        sheet = "!".join(filter(None, (self.sheet, self.cell)))
        return " ".join(filter(None, (":".join(filter(None, (self.file, *numbers))), sheet, self.pointer)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is said about one focus node, in one language.

    *shape* and *component* are IRIs (SHACL, sections 2.1 and 4); *remedy* says how to mend it where the
    message does not; *suggestion* is what may have been meant; *related* names other nodes that it is about.
    *language* is that of the texts, where it is not the language of the report.
    """

    code: str
    severity: Severity
    message: str
    focus: str
    path: str = ""
    value: str = ""
    place: Place = Place()
    shape: str = ""
    component: str = ""
    remedy: str = ""
    suggestion: str = ""
    related: tuple[str, ...] = ()
    language: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what is known of it, as JSON has it; the place as an object under ``location``."""
        known = {name: value for name, value in asdict(self).items() if value and name != "place"}
        location = {name: value for name, value in asdict(self.place).items() if value}
        return {**known, "location": location} if location else known

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
    """A SPARQL query with its dataset (SPARQL 1.1 Protocol, section 2.1) and the values of variables.

    *labels* asks for columns with the label of each IRI, in the first of these languages that it has one in.
    *base* is what relative IRIs in the text are relative to.
    """

    text: str
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    bindings: Mapping[str, Term] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    base: str = ""


class Role(StrEnum):
    """What a token lets its holder do; each role includes what those after it may."""

    ADMIN = "admin"
    STEWARD = "steward"
    SUBMITTER = "submitter"


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: the name of the token, its role, and whether the write skips validation (admin only)."""

    name: str
    role: Role
    unchecked: bool = False


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """A SPARQL update with the dataset of its WHERE clauses (SPARQL 1.1 Protocol, section 2.2).

    *base* is what relative IRIs in the text are relative to.
    """

    text: str
    using_graphs: tuple[str, ...] = ()
    using_named_graphs: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True, slots=True)
class GraphWrite:
    """A change of one whole graph (SPARQL 1.1 Graph Store HTTP Protocol, sections 5.3 to 5.5).

    *graph* None is the default graph; *triples* is a file of N-Triples (None with ``delete``); *expected* is
    the number of the version that changed the graph last, when the client insists on one (0: no such graph,
    -1: the graph exists).
    """

    action: Literal_["put", "post", "delete"]
    graph: str | None
    triples: Path | None = None
    expected: int | None = None
    unexpected: int | None = None


@dataclass(frozen=True, slots=True)
class GraphState:
    """What is known of a named graph: the number of its triples, and the version that changed it last."""

    triples: int
    changed: int


@dataclass(frozen=True, slots=True)
class Commit:
    """An accepted write: the version that holds it, the graphs it changed, and whether it made a graph.

    *version* is the one before when nothing changed.  *delta* is the folder with the files ``removed.nq`` and
    ``added.nq``, the exact difference to the version before, or None when it is too large to be of use.
    """

    version: int
    changed: tuple[str, ...] = ()
    created: bool = False
    delta: Path | None = None


@dataclass(frozen=True, slots=True)
class Solutions:
    """The answer to a SELECT: the projected variables in order, and the rows in the engine's order."""

    variables: tuple[str, ...]
    rows: Sequence[Row]
