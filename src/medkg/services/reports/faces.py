"""The formats of a report by name, and what each is served as."""

import io
from typing import TYPE_CHECKING, Final, cast

from rdflib.term import Literal, URIRef

from medkg.domain.errors import NotAcceptable
from medkg.domain.model import Finding, Quad
from medkg.domain.namespaces import SH
from medkg.domain.submission import Decision
from medkg.intake.tables import CSV, XLSX, rows_of_csv
from medkg.services.examine import Examined
from medkg.services.reports.canonical import as_json
from medkg.services.reports.page import as_html, as_part, make_templates
from medkg.services.reports.sarif import as_sarif
from medkg.services.reports.table import as_csv
from medkg.services.reports.text import as_text
from medkg.services.reports.texts import Texts
from medkg.services.reports.workbook import mark_rows, mark_workbook
from medkg.shacl.results import Result, report
from medkg.store.formats import Format, by_name
from medkg.store.results import write_quads
from medkg.store.terms import triples_to_ox

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FACES", "render"]

DOCUMENT: Final = URIRef("https://w3id.org/medkg/shapes#DocumentConstraintComponent")
"""What a finding comes from that no shape makes."""


FACES: Final = (
    Format("json", "report", ("application/json",)),
    Format("html", "report", ("text/html",)),
    Format("text", "report", ("text/plain",)),
    Format("csv", "report", ("text/csv",)),
    Format("xlsx", "report", (XLSX,)),
    Format("sarif", "report", ("application/sarif+json",)),
    Format("ttl", "report", ("text/turtle",)),
    Format("nt", "report", ("application/n-triples",)),
    Format("jsonld", "report", ("application/ld+json",)),
    Format("rdfxml", "report", ("application/rdf+xml",)),
)
"""What a report can be asked for as; the first is canonical."""


def render(examined: Examined, name: str, texts: Texts, *, document: bytes = b"", width: int = 100) -> bytes:
    """Return a report in the format called *name*; *document* is what was sent."""
    told = examined.report
    faces: dict[str, Callable[[], bytes]] = {
        "json": lambda: as_json(told),
        "html": lambda: as_html(told, texts, make_templates()).encode(),
        "part": lambda: as_part(told, texts, make_templates()).encode(),
        "text": lambda: as_text(told, texts, width=width, source=_source(told.media_type, document)).encode(),
        "csv": lambda: as_csv(told, texts),
        "sarif": lambda: as_sarif(told, texts),
        "xlsx": lambda: _workbook(examined, texts, document),
    }
    return faces[name]() if name in faces else _rdf(examined, name)


def _source(media_type: str, document: bytes) -> str | None:
    """Return the text of a document whose places are lines."""
    return None if media_type == XLSX else document.decode("utf-8-sig", "replace")


def _workbook(examined: Examined, texts: Texts, document: bytes) -> bytes:
    """Return the sender's workbook with its problems marked, or the table of a CSV file as one.

    :raises NotAcceptable: the document is no table.
    """
    told = examined.report
    if told.decision is Decision.UNREADABLE or told.media_type not in {CSV, XLSX}:
        raise NotAcceptable(
            "Only a table that can be read comes back as a workbook.", remedy="Ask for html or csv."
        )
    if told.media_type == XLSX:
        return mark_workbook(told, texts, document)
    return mark_rows(told, texts, rows_of_csv(document))


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
