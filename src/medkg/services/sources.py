"""The files that a build is made of, and the checks that a file must pass before it may enter the graph."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg import assets
from medkg.domain.errors import SourceFileError
from medkg.domain.model import Finding, Place, Quad
from medkg.domain.namespaces import (
    DCTERMS,
    GRAPH,
    GRAPH_CATALOG,
    GRAPH_NUTS,
    GRAPH_ONTOLOGY,
    GRAPH_SHAPES,
    GRAPH_SHAPES_SUBMISSION,
    ID,
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
    """One file that was read: its named graph, its triples in file order; facts, or part of the model."""

    path: Path
    graph: URIRef
    quads: tuple[Quad, ...]
    is_data: bool


def read(folders: Folders, progress: Callable[[int, int], None]) -> tuple[Source, ...]:
    """Read every Turtle file of the three folders, the catalogue first; *progress* gets (done, total).

    :raises SourceFileError: a file does not parse, is missing, or has no record in the catalogue.
    """
    catalog = _read(folders.data / "catalog.ttl", GRAPH_CATALOG, is_data=True)
    model = dict(_model_files(folders))
    files = model | _data_files(folders.data, catalog)
    sources = [catalog]
    for done, (path, graph) in enumerate(sorted(files.items()), start=1):
        sources.append(_read(path, graph, is_data=path not in model))
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
        _check_literals(source, kept)
        if source.is_data:
            _check_blank_nodes(source)
            _check_regions(source, regions)
    _check_catalog(sources[0])


def locate(findings: Sequence[Finding], sources: Sequence[Source]) -> dict[Finding, Place]:
    """Return for each finding the file and line of the statement it is about, else of its focus node.

    Where the focus is a literal that entities share, it is the entity that the finding names as its value.
    A finding about something that nobody says has no such statement; neither has one about what is inferred.
    """
    sought = {name for finding in findings for name in (finding.focus, finding.value) if name}
    said: dict[str, list[tuple[Source, Quad]]] = {}
    for source in sources:
        for quad in source.quads:
            subject = str(quad[0])
            for name in {subject, compact(subject)} & sought:
                said.setdefault(name, []).append((source, quad))
    found: dict[Finding, tuple[Source, Quad]] = {}
    for finding in findings:
        about = said.get(finding.focus) or said.get(finding.value, [])
        exact = (entry for entry in about if _is_about(finding, entry[1]))
        if about:
            found[finding] = next(exact, about[0])
    files = {source.path: source for source, _ in found.values()}
    lines = {path: dict(_first_lines(source)) for path, source in files.items()}
    return {
        finding: Place(str(source.path), lines[source.path].get(quad, 0))
        for finding, (source, quad) in found.items()
    }


def _is_about(finding: Finding, quad: Quad) -> bool:
    value = str(quad[2]) if isinstance(quad[2], Literal) else compact(str(quad[2]))
    return compact(str(quad[1])) == finding.path and (value == finding.value or not finding.value)


def _first_lines(source: Source) -> Iterator[tuple[Quad, int]]:
    seen: set[Quad] = set()
    for quad, line in places(source.path, source.graph):
        if quad not in seen:
            seen.add(quad)
            yield quad, line


def _read(path: Path, graph: URIRef, *, is_data: bool) -> Source:
    return Source(path, graph, tuple(read_turtle(path, graph)), is_data)


def _model_files(folders: Folders) -> Iterator[tuple[Path, URIRef]]:
    yield from ((path, GRAPH_ONTOLOGY) for path in folders.ontology.glob("*.ttl"))
    yield from ((path, GRAPH_SHAPES) for path in folders.shapes.glob("*.ttl"))
    # A graph of their own: they hold for one submitted graph, and would find what is right in the merge.
    yield from ((path, GRAPH_SHAPES_SUBMISSION) for path in (folders.shapes / "submission").glob("*.ttl"))
    for path in (folders.ontology / "vocab").glob("*.ttl"):
        yield path, GRAPH[f"vocab/{path.stem}"]


def _data_files(folder: Path, catalog: Source) -> dict[Path, URIRef]:
    """Return the graph of each data file, which the catalogue says; the two must name the same files."""
    records: dict[Path, URIRef] = {}
    for quad in catalog.quads:
        graph, predicate, value, _ = quad
        if predicate == MEDKG.file and isinstance(graph, URIRef):
            path = folder / str(value)
            if path in records or not (graph == GRAPH_NUTS or str(graph).startswith(_DATA_GRAPHS)):
                raise SourceFileError(
                    catalog.path,
                    f"the file {value} can't be the graph {graph}.",
                    line=_line(catalog, lambda found, wanted=quad: found == wanted),  # type: ignore[misc]
                    remedy="One file is one graph, called graph/source/... or graph/mentions/...",
                )
            records[path] = graph
    there = {path for path in folder.rglob("*") if _is_data_file(path)} - {catalog.path}
    for path in sorted(there - records.keys()):
        raise SourceFileError(
            path,
            "the file has no record in catalog.ttl, so its source is unknown.",
            remedy="Add a dcat:Dataset with dct:title, dct:source, dct:license, dct:modified and medkg:file.",
        )
    for path in sorted(records.keys() - there):
        name = str(path.relative_to(folder))
        line = _line(catalog, lambda quad, name=name: (quad[1], str(quad[2])) == (MEDKG.file, name))  # type: ignore[misc]
        raise SourceFileError(
            catalog.path,
            f"the record names the file {path.relative_to(folder)}, which is not there.",
            line=line,
            remedy="Add the file or remove the record.",
        )
    return records


def _is_data_file(path: Path) -> bool:
    """Tell whether a file under data/ has to be in the catalogue: any but a saved question."""
    return path.is_file() and path.suffix != ".rq" and not path.name.startswith(".")


_DATA_GRAPHS: Final = (str(GRAPH["source/"]), str(GRAPH["mentions/"]))

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
    """Refuse a second description of an entity of ours in one file: a slip, or two things of one name."""
    number = _second_description(source.quads) if source.is_data else None
    if number is not None:
        lines = (line for _, line in places(source.path, source.graph))
        raise SourceFileError(
            source.path,
            f"{source.quads[number][0]} is described twice in this file: the IRI is a duplicate.",
            line=next(islice(lines, number, None), None),
            remedy="Merge the two descriptions, or give the second one an IRI of its own.",
        )


def _second_description(quads: Sequence[Quad]) -> int | None:
    """Return the number of the first triple that takes up an entity again, or gives it its type again."""
    closed: set[URIRef | BNode] = set()
    typed: set[Quad] = set()
    former: URIRef | BNode | None = None
    for number, quad in enumerate(quads):
        subject = quad[0]
        if subject != former and former is not None:
            closed.add(former)
        if subject.startswith(str(ID)) and (subject in closed or quad in typed):
            return number
        if quad[1] == RDF.type:
            typed.add(quad)
        former = subject
    return None


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
