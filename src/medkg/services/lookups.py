"""The names of the graph, gathered for a process that reads tables and has no graph itself."""

from collections.abc import Sequence

from rdflib.term import URIRef

from medkg.domain.namespaces import MEDKG, RDF
from medkg.domain.naming import fold
from medkg.intake.tables import Candidate, Names
from medkg.intake.tables.columns import ColumnMap
from medkg.services.names import spelt
from medkg.store.engine import Engine

__all__ = ["gather"]

_LEVELS = "SELECT ?item ?level WHERE { ?item medkg:nutsLevel ?level }"


def gather(engine: Engine, languages: Sequence[str] = ("en",)) -> Names:
    """Return the names of everything that a column of a table may name, with labels in one of *languages*."""
    classes = sorted({column.class_ for column in ColumnMap.load().columns if column.class_})
    found = {class_: list(spelt(engine, class_)) for class_ in classes}
    items = {item for pairs in found.values() for item, _ in pairs}
    labels = engine.labels(sorted(items), languages)
    kinds = {class_: _index([*pairs, *_labelled(pairs, labels)]) for class_, pairs in found.items()}
    levels = {row["item"]: int(str(row["level"])) for row in engine.select(_LEVELS).rows}
    retired = {quad[0] for quad in engine.quads(None, RDF.type, MEDKG.RetiredRegion)}
    things = {
        str(item): Candidate(str(item), labels.get(item, str(item)), levels.get(item, -1), item in retired)
        for item in sorted(items)
    }
    return Names(things, kinds)


def _labelled(pairs: Sequence[tuple[URIRef, str]], labels: dict[URIRef, str]) -> list[tuple[URIRef, str]]:
    return [(item, labels.get(item, str(item))) for item in {item for item, _ in pairs}]


def _index(pairs: Sequence[tuple[URIRef, str]]) -> dict[str, tuple[str, ...]]:
    """Return the IRIs by folded name."""
    index: dict[str, set[str]] = {}
    for item, name in pairs:
        index.setdefault(fold(name), set()).add(str(item))
    return {name: tuple(sorted(iris)) for name, iris in sorted(index.items())}
