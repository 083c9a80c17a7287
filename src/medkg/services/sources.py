"""The files that a build is made of, and the checks that a file must pass before it may enter the graph."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg import assets
from medkg.domain.errors import SourceFileError
from medkg.domain.model import Quad
from medkg.domain.namespaces import (
    DCTERMS,
    GRAPH,
    GRAPH_CATALOG,
    GRAPH_NUTS,
    GRAPH_ONTOLOGY,
    GRAPH_SHAPES,
    MEDKG,
    NUTS,
    RDF,
    compact,
)
from medkg.store.files import kept_literal, places, read_turtle

__all__ = ["Folders", "Source", "check", "locate", "read"]


@dataclass(frozen=True, slots=True)
class Folders:
    """The three folders of RDF files that a build reads."""

    ontology: Path
    shapes: Path
    data: Path

    @classmethod
    def installed(cls) -> "Folders":
        """Return the folders of this installation."""
        return cls(assets.directory("ontology"), assets.directory("shapes"), assets.directory("data"))


@dataclass(frozen=True, slots=True)
class Source:
    """One file that was read: its named graph, and its triples in file order."""

    path: Path
    graph: URIRef
    quads: tuple[Quad, ...]

    @property
    def is_data(self) -> bool:
        """True for facts, false for the model (ontology, vocabularies, shapes)."""
        return self.graph not in {GRAPH_ONTOLOGY, GRAPH_SHAPES} and not self.graph.startswith(
            str(GRAPH["vocab/"])
        )


def read(folders: Folders, progress: Callable[[int, int], None]) -> tuple[Source, ...]:
    """Read every Turtle file of the three folders, the catalogue first; *progress* gets (done, total).

    :raises SourceFileError: a file does not parse, is missing, or has no record in the catalogue.
    """
    catalog = _read(folders.data / "catalog.ttl", GRAPH_CATALOG)
    files = dict(_model_files(folders)) | _data_files(folders.data, catalog)
    sources = [catalog]
    for done, (path, graph) in enumerate(sorted(files.items()), start=1):
        sources.append(_read(path, graph))
        progress(done, len(files))
    return tuple(sources)


def check(sources: Sequence[Source]) -> None:
    """Check what no shape can see: the files as they are written.

    :raises SourceFileError: the first fault, with file, line and what to do.
    """
    regions = {quad[0] for source in sources if source.graph == GRAPH_NUTS for quad in source.quads}
    kept: dict[Literal, bool] = {}
    for source in sources:
        _check_records(source)
        if source.is_data:
            _check_blank_nodes(source)
            _check_regions(source, regions)
            _check_literals(source, kept)
    _check_catalog(sources[0])


def locate(focus: str, sources: Iterable[Source]) -> str:
    """Return the first place, ``file:line``, at which *focus* is described; empty when there is none."""
    for source in sources:
        if source.is_data and any(str(quad[0]) == focus for quad in source.quads):
            line = next(
                (line for quad, line in places(source.path, source.graph) if str(quad[0]) == focus), None
            )
            return f"{source.path}:{line}" if line else str(source.path)
    return ""


def _read(path: Path, graph: URIRef) -> Source:
    return Source(path, graph, tuple(read_turtle(path, graph)))


def _model_files(folders: Folders) -> Iterator[tuple[Path, URIRef]]:
    yield from ((path, GRAPH_ONTOLOGY) for path in folders.ontology.glob("*.ttl"))
    yield from ((path, GRAPH_SHAPES) for path in folders.shapes.glob("*.ttl"))
    for path in (folders.ontology / "vocab").glob("*.ttl"):
        yield path, GRAPH[f"vocab/{path.stem}"]


def _data_files(folder: Path, catalog: Source) -> dict[Path, URIRef]:
    """Return the graph of each data file, which the catalogue says; the two must name the same files."""
    records = {
        folder / str(value): subject
        for subject, predicate, value, _ in catalog.quads
        if predicate == MEDKG.file and isinstance(subject, URIRef)
    }
    there = {path for path in folder.rglob("*.ttl") if path != catalog.path}
    for path in sorted(there - records.keys()):
        raise SourceFileError(
            path,
            "the file has no record in catalog.ttl, so its source is unknown.",
            remedy="Add a dcat:Dataset with dct:title, dct:source, dct:license, dct:modified and medkg:file.",
        )
    for path in sorted(records.keys() - there):
        line = _line(catalog, lambda quad, path=path: quad[1] == MEDKG.file and folder / str(quad[2]) == path)  # type: ignore[misc]
        raise SourceFileError(
            catalog.path,
            f"the record names the file {path.relative_to(folder)}, which is not there.",
            line=line,
            remedy="Add the file or remove the record.",
        )
    return records


_RECORD: Final[Mapping[str, tuple[URIRef, ...]]] = {
    "a title (dct:title)": (DCTERMS.title,),
    "a source (dct:source, or dct:bibliographicCitation)": (DCTERMS.source, DCTERMS.bibliographicCitation),
    "a licence (dct:license)": (DCTERMS.license,),
    "a date (dct:modified)": (DCTERMS.modified,),
}


def _check_catalog(catalog: Source) -> None:
    said: dict[URIRef | BNode, set[URIRef]] = {}
    for subject, predicate, _, _ in catalog.quads:
        said.setdefault(subject, set()).add(predicate)
    for subject, predicates in said.items():
        missing = [name for name, any_of in _RECORD.items() if predicates.isdisjoint(any_of)]
        if MEDKG.file in predicates and missing:
            raise SourceFileError(
                catalog.path,
                f"the record of {subject} lacks {missing[0]}.",
                line=_line(catalog, lambda quad, record=subject: quad[0] == record),  # type: ignore[misc]
                remedy="Say where the facts come from; what has no source stays out of the graph.",
            )


def _check_records(source: Source) -> None:
    types = Counter(quad for quad in source.quads if quad[1] == RDF.type)
    for quad, number in types.items():
        if number > 1:
            raise SourceFileError(
                source.path,
                f"{quad[0]} is described twice in this file: the IRI is a duplicate.",
                line=_line(source, lambda found, wanted=quad: found == wanted, skip=1),  # type: ignore[misc]
                remedy="Merge the two descriptions, or give the second one an IRI of its own.",
            )


def _check_blank_nodes(source: Source) -> None:
    if any(isinstance(term, BNode) for quad in source.quads for term in (quad[0], quad[2])):
        line = _line(source, lambda quad: isinstance(quad[0], BNode) or isinstance(quad[2], BNode))
        raise SourceFileError(
            source.path, "data files hold no blank nodes.", line=line, remedy="Give the node an IRI."
        )


def _check_regions(source: Source, regions: set[URIRef | BNode]) -> None:
    for quad in source.quads:
        for term in (quad[0], quad[2]):
            if isinstance(term, URIRef) and term.startswith(str(NUTS)) and term not in regions:
                raise SourceFileError(
                    source.path,
                    f"{compact(term)} is not in NUTS 2024, nor a retired code of 2021.",
                    line=_line(source, lambda found, wanted=quad: found == wanted),  # type: ignore[misc]
                    remedy="Look the code up in data/nuts.ttl.",
                )


def _check_literals(source: Source, kept: dict[Literal, bool]) -> None:
    for quad in source.quads:
        value = quad[2]
        if not isinstance(value, Literal) or value.datatype is None:
            continue
        if value not in kept:
            kept[value] = kept_literal(value).n3() == value.n3()
        if not kept[value]:
            raise SourceFileError(
                source.path,
                f"the store would change {value.n3()} into {kept_literal(value).n3()}.",
                line=_line(source, lambda found, wanted=quad: found == wanted),  # type: ignore[misc]
                remedy="Write the second form.",
            )


def _line(source: Source, wanted: Callable[[Quad], bool], *, skip: int = 0) -> int | None:
    """Return the line of the first quad that is wanted, after *skip* others."""
    lines = [line for quad, line in places(source.path, source.graph) if wanted(quad)]
    return lines[skip] if len(lines) > skip else None
