"""Reads roadmap tables with the names that medkg knows: of regions, and of projects for page headers."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rdflib.term import URIRef

from medkg import assets
from medkg.domain.errors import CallError, RoadmapError
from medkg.domain.namespaces import GRAPH_NUTS, MEDKG, NUTS, RDF, SKOS
from medkg.domain.naming import fold, largest
from medkg.intake.roadmap import ACTION_COLUMNS, RoadmapTable, read_roadmap, write_csv, write_xlsx
from medkg.store.files import read_turtle

__all__ = ["columns", "log", "read", "rows", "write"]

_NAMES = frozenset({SKOS.prefLabel, SKOS.altLabel, SKOS.hiddenLabel, SKOS.notation})


def read(path: Path) -> RoadmapTable:
    """Read the extracted text of a roadmap table.

    :raises CallError: the file can't be read.
    :raises RoadmapError: it is no UTF-8 text, or no roadmap table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CallError(f"The file {path} can't be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise RoadmapError(
            f"{path} is not UTF-8 text (byte {error.start}).", remedy="Save the text as UTF-8 and try again."
        ) from None
    data = assets.directory("data")
    return read_roadmap(text, resolve=_resolver(data), known_names=_projects(data))


def rows(table: RoadmapTable) -> Iterator[list[str]]:
    """Yield the actions as cells, in the order of the columns of the file that :func:`write` makes."""
    for row in table.rows:
        codes = " / ".join(code or "?" for code in row.region_codes)
        planned = [row.planned_from or "", row.planned_to or ""]
        yield [" / ".join(row.regions), codes, row.title, row.description, *planned]


def log(table: RoadmapTable) -> Iterator[str]:
    """Yield one line for each repair: place, rule, before and after, confidence."""
    for repair in table.repairs:
        change = f"{repair.before!r} -> {repair.after!r}"
        yield f"line {repair.line}: {repair.rule}: {change} ({repair.confidence:.0%})"


def write(table: RoadmapTable, path: Path) -> None:
    """Write the actions as a .csv file, or with the log of the repairs as an .xlsx file.

    :raises CallError: the file is neither, or can't be written.
    """
    writers: dict[str, Callable[[RoadmapTable, Path], None]] = {".csv": write_csv, ".xlsx": write_xlsx}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise CallError(f"The file {path} is neither .csv nor .xlsx.", remedy="Choose one of the two.")
    try:
        writer(table, path)
    except OSError as error:
        raise CallError(f"The file {path} can't be written ({error.strerror}).") from None


def columns() -> Sequence[str]:
    """Return the headings of the cells of :func:`rows`."""
    return tuple(ACTION_COLUMNS)


def _resolver(data: Path) -> Callable[[str], str | None]:
    """Return a function from a region's name to its NUTS code; None when it means no or several regions."""
    index: dict[str, set[URIRef]] = {}
    retired: set[URIRef] = set()
    for name in ("nuts.ttl", "aliases.ttl"):
        for subject, predicate, value, _ in read_turtle(data / name, GRAPH_NUTS):
            if isinstance(subject, URIRef) and subject.startswith(str(NUTS)):
                if predicate in _NAMES:
                    index.setdefault(fold(str(value)), set()).add(subject)
                if predicate == RDF.type and value == MEDKG.RetiredRegion:
                    retired.add(subject)

    def resolve(name: str) -> str | None:
        found = largest(index.get(fold(name), ()), retired.__contains__)
        return found[0].removeprefix(str(NUTS)) if len(found) == 1 else None

    return resolve


def _projects(data: Path) -> tuple[str, ...]:
    """Return the names of the projects that medkg knows; a page header is often one of them, misread."""
    names: set[str] = set()
    for path in (data / "source").glob("*.ttl"):
        quads = read_turtle(path, GRAPH_NUTS)
        projects = {quad[0] for quad in quads if quad[1] == RDF.type and quad[2] == MEDKG.Project}
        names |= {str(quad[2]) for quad in quads if quad[0] in projects and quad[1] in _NAMES}
    return tuple(sorted(names))
