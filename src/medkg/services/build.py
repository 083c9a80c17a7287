"""Builds the graph: ontology, vocabularies, shapes and data become one checked version of the store."""

import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from rdflib.term import Literal, URIRef

from medkg import __version__
from medkg.domain.errors import GraphInvalid
from medkg.domain.model import Place, Quad, Report, Severity
from medkg.domain.namespaces import (
    CATALOG,
    DCAT,
    DCTERMS,
    GRAPH,
    GRAPH_CATALOG,
    GRAPH_INFERRED,
    GRAPH_NUTS,
    GRAPH_ONTOLOGY,
    GRAPH_SHAPES,
    GRAPH_SHAPES_SUBMISSION,
    MEDKG,
    RDF,
    XSD,
)
from medkg.services import sources as source_files
from medkg.services import validation
from medkg.services.sources import Folders, Source
from medkg.store.writer import Candidate, candidate

__all__ = ["Progress", "Summary", "build"]

_OWNED: Final = frozenset(
    {
        GRAPH_ONTOLOGY,
        GRAPH_SHAPES,
        GRAPH_SHAPES_SUBMISSION,
        GRAPH_NUTS,
        GRAPH_CATALOG,
        GRAPH_INFERRED,
    }
)
_OWNED_FOLDERS: Final = (str(GRAPH["vocab/"]), str(GRAPH["source/"]))
_VOID_TRIPLES: Final = URIRef("http://rdfs.org/ns/void#triples")


class Progress(Protocol):
    """Told what the build is at: a stage, and how much of it is done (0 of 0: not countable)."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a build made: triples per named graph, entities per class, the report, hash and duration (s)."""

    version: int
    graphs: Mapping[URIRef, int]
    classes: Mapping[URIRef, int]
    merged: int
    report: Report
    sha256: str
    seconds: float


def build(
    root: Path,
    folders: Folders,
    *,
    progress: Progress,
    source_date: date | None = None,
    dump: Path | None = None,
) -> Summary:
    """Build the graph of *folders* as the next version in the data folder *root*.

    Replaces only the graphs that a build owns.  The canonical N-Quads of the whole go to *dump* when it is
    given; their SHA-256 is in the summary.  No clock enters the graph: its date is *source_date*, else the
    newest date of the catalogue.

    :raises SourceFileError: a file is broken; nothing is replaced.
    :raises GraphInvalid: a shape is violated; nothing is replaced.
    :raises Busy: another build is at work on *root*.
    """
    started = time.monotonic()
    files = source_files.read(folders, lambda done, total: progress("Reading", done, total))
    progress("Checking files", 0, 0)
    source_files.check(files)
    with candidate(root) as work:
        progress("Loading", 0, 0)
        _load(work, files, source_date)
        progress("Computing closures", 0, 0)
        work.close()
        progress("Validating", 0, 0)
        report = _validate(work, files)
        if not report.conforms:
            raise _invalid(report)
        progress("Writing", 0, 0)
        with dump.open("wb") if dump else nullcontext() as file:
            digest = work.write_canonical(file)
        graphs, classes = work.counts(), work.classes(str(MEDKG))
        merged = sum(1 for _ in work.merge())
        snapshot = work.publish()
    return Summary(snapshot.version, graphs, classes, merged, report, digest, time.monotonic() - started)


def _load(work: Candidate, files: tuple[Source, ...], source_date: date | None) -> None:
    """Put the files in place of the graphs that the last build owned, with the record of this build."""
    former = {quad[0] for quad in work.graph(GRAPH_CATALOG) if quad[1] == MEDKG.file}
    for graph in work.graphs():
        if graph in _OWNED or graph in former or str(graph).startswith(_OWNED_FOLDERS):
            work.remove(graph)
    work.add(chain(*(source.quads for source in files), _record(files, source_date)))


def _record(files: tuple[Source, ...], source_date: date | None) -> Iterator[Quad]:
    """Yield what the build says of itself: its date, its software, and the size of each graph."""
    quads: list[tuple[URIRef, URIRef, URIRef | Literal]] = [
        (CATALOG, RDF.type, DCAT.Catalog),
        (CATALOG, DCTERMS.title, Literal("medkg: the sources of the graph", lang="en")),
        (CATALOG, DCTERMS.creator, Literal(f"medkg {__version__}")),
        (CATALOG, DCTERMS.modified, Literal(str(source_date or _newest(files)), datatype=XSD.date)),
    ]
    sizes: dict[URIRef, set[tuple[object, ...]]] = {}
    for source in files:
        sizes.setdefault(source.graph, set()).update(quad[:3] for quad in source.quads)
    for graph, triples in sizes.items():
        if graph != GRAPH_CATALOG:
            quads.append((CATALOG, DCAT.dataset, graph))
            quads.append((graph, _VOID_TRIPLES, Literal(str(len(triples)), datatype=XSD.integer)))
    return ((subject, predicate, object_, GRAPH_CATALOG) for subject, predicate, object_ in quads)


def _newest(files: tuple[Source, ...]) -> date:
    days = [
        date.fromisoformat(str(value))
        for _, predicate, value, _ in files[0].quads
        if predicate == DCTERMS.modified and isinstance(value, Literal) and value.datatype == XSD.date
    ]
    return max(days, default=datetime.fromtimestamp(0, UTC).date())


def _validate(work: Candidate, files: tuple[Source, ...]) -> Report:
    """Validate the merge and the mentions, and say for each violation where its entity is described."""
    report = validation.validate(work.in_memory(), work.graph(GRAPH_SHAPES))
    places = source_files.locate(report.of(Severity.VIOLATION), files)
    return Report(tuple(replace(finding, place=places.get(finding, Place())) for finding in report.findings))


def _invalid(report: Report) -> GraphInvalid:
    violations = report.of(Severity.VIOLATION)
    number = f"{len(violations)} violation{'s' if len(violations) > 1 else ''}"
    return GraphInvalid(
        f"The graph was not replaced: {number} found.",
        violations,
        remedy="Mend the entities named above and build again.",
    )
