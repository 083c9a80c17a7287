"""How many triples the default graph of a version has with each predicate, and with each class as a type."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import pyoxigraph as ox

from medkg.domain.namespaces import RDF, XSD

__all__ = ["INSTANCES", "TRIPLES", "Counts"]

TRIPLES: Final = ox.NamedNode("urn:medkg:triples")
INSTANCES: Final = ox.NamedNode("urn:medkg:instances")

_PREDICATES: Final = "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p"
_CLASSES: Final = "SELECT ?c (COUNT(*) AS ?n) { ?s a ?c } GROUP BY ?c"
_TYPE: Final = ox.NamedNode(str(RDF.type))
_INTEGER: Final = ox.NamedNode(str(XSD.integer))
_DEFAULT: Final = ox.DefaultGraph()
_MANY: Final = 10_000
"""Predicates or classes that are counted one by one; where there are more, who asks must read the graph."""

Table = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of triples by predicate or class, as N-Triples write these; None where there are too many."""

    predicates: Table | None
    classes: Table | None

    @classmethod
    def of(cls, store: ox.Store) -> Self:
        """Return the counts of the default graph of a store."""
        return cls(_counted(store, _PREDICATES), _counted(store, _CLASSES))

    def changed(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> Self:
        """Return the counts after a difference, of which the default graph matters alone."""
        predicates, classes = Counter[str](), Counter[str]()
        for quads, step in ((removed, -1), (added, 1)):
            for quad in quads:
                if quad.graph_name == _DEFAULT:
                    predicates[str(quad.predicate)] += step
                    if quad.predicate == _TYPE:
                        classes[str(quad.object)] += step
        return type(self)(_moved(self.predicates, predicates), _moved(self.classes, classes))

    def store(self) -> tuple[ox.Store, frozenset[ox.NamedNode]]:
        """Return the counts as a graph, and which of ``TRIPLES`` and ``INSTANCES`` it has.

        A class that is no IRI can't be told in a graph, so that the classes are left out.
        """
        found, kinds = ox.Store(), set[ox.NamedNode]()
        for kind, table in ((TRIPLES, self.predicates), (INSTANCES, self.classes)):
            if table is not None and all(map(_is_iri, table)):
                kinds.add(kind)
                found.extend(
                    ox.Quad(ox.NamedNode(name[1:-1]), kind, ox.Literal(str(number), datatype=_INTEGER))
                    for name, number in table.items()
                )
        return found, frozenset(kinds)

    @classmethod
    def from_plain(cls, plain: Any) -> Self | None:
        """Return the counts that :meth:`plain` gave; None for None."""
        return None if plain is None else cls(*plain)

    def plain(self) -> list[Table | None]:
        """Return the counts as JSON takes them."""
        return [self.predicates, self.classes]


def _is_iri(name: str) -> bool:
    return name[0] == "<" != name[1]


def _counted(store: ox.Store, text: str) -> Table | None:
    found = {str(term): int(number.value) for term, number in store.query(text)}  # type: ignore[union-attr]
    return _few(dict(sorted(found.items())))


def _moved(table: Table | None, by: Table) -> Table | None:
    if table is None or not by:
        return table
    found = Counter(table)
    found.update(by)
    return _few({name: number for name, number in found.items() if number})


def _few(table: dict[str, int]) -> Table | None:
    return table if len(table) <= _MANY else None
