"""The formats of a report by name, and what each is served as."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from rdflib.term import Literal, URIRef

from medkg.domain.model import Finding, Quad
from medkg.domain.namespaces import SH
from medkg.services.examine import Examined
from medkg.services.reports.canonical import as_json
from medkg.services.reports.page import as_html, make_templates
from medkg.services.reports.sarif import as_sarif
from medkg.services.reports.table import as_csv
from medkg.services.reports.text import as_text
from medkg.services.reports.texts import Texts
from medkg.shacl.results import Result, report
from medkg.store.formats import by_name
from medkg.store.results import write_quads
from medkg.store.terms import triples_to_ox

__all__ = ["FACES", "Face", "render"]

DOCUMENT: Final = URIRef("https://w3id.org/medkg/shapes#DocumentConstraintComponent")
"""What a finding comes from that no shape makes."""


@dataclass(frozen=True, slots=True)
class Face:
    """A format of a report: its name, which is also its suffix, and its media type."""

    name: str
    media_type: str


FACES: Final[Mapping[str, Face]] = MappingProxyType(
    {
        face.name: face
        for face in (
            Face("json", "application/json"),
            Face("html", "text/html; charset=utf-8"),
            Face("text", "text/plain; charset=utf-8"),
            Face("csv", "text/csv; charset=utf-8"),
            Face("sarif", "application/sarif+json"),
            Face("ttl", "text/turtle; charset=utf-8"),
            Face("nt", "application/n-triples"),
            Face("jsonld", "application/ld+json"),
            Face("rdfxml", "application/rdf+xml"),
        )
    }
)


def render(
    examined: Examined, name: str, texts: Texts, *, source: str | None = None, width: int = 100
) -> bytes:
    """Return a report in the format called *name*; *source* is the text of the document, for lines of it."""
    told = examined.report
    faces: dict[str, Callable[[], bytes]] = {
        "json": lambda: as_json(told),
        "html": lambda: as_html(told, texts, make_templates()).encode(),
        "text": lambda: as_text(told, texts, width=width, source=source).encode(),
        "csv": lambda: as_csv(told, texts),
        "sarif": lambda: as_sarif(told, texts),
    }
    return faces[name]() if name in faces else _rdf(examined, name)


def _rdf(examined: Examined, name: str) -> bytes:
    """Return the ``sh:ValidationReport`` of all findings (SHACL, section 3.6)."""
    documents = [_result(finding) for finding in examined.findings if not finding.component]
    file = io.BytesIO()
    quads = [cast("Quad", (*triple, None)) for triple in report((*examined.results, *documents))]
    write_quads(triples_to_ox(quads), file, by_name(name, "graph"))
    return file.getvalue()


def _result(finding: Finding) -> Result:
    """Return a result for what was found in the document itself; what it is about has a name only in part."""
    focus = URIRef(finding.focus) if ":" in finding.focus else Literal(finding.place.file or "document")
    severity = URIRef(str(SH[finding.severity.capitalize()]))
    message = Literal(
        f"{finding.code}: {finding.message} {finding.remedy}".strip(), lang=finding.language or "en"
    )
    return Result(focus, None, None, DOCUMENT, DOCUMENT, severity, (message,))
