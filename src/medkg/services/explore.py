"""Lists and single entities: what the REST interface and the entity pages show."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rdflib.term import Literal, URIRef

from medkg.domain.errors import NotFound, ParameterError
from medkg.domain.model import Quad, Term
from medkg.domain.namespaces import (
    DCTERMS,
    GRAPH_CATALOG,
    GRAPH_INFERRED,
    MEDKG,
    RDF,
    SKOS,
    XSD,
)
from medkg.services.names import Names, worded
from medkg.store.engine import Engine
from medkg.store.writer import is_public

__all__ = ["LISTINGS", "Filter", "Item", "Listing", "Page", "Statement", "entity", "listing"]

MAX_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list: the SPARQL pattern on ``?item`` that it adds, and what it means.

    *kind* is ``region``, ``text``, ``month``, ``integer``, or the local name of the class that is meant.
    """

    pattern: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the entities of one class, with the filters it takes."""

    name: str
    class_: str
    filters: Mapping[str, Filter]


_NAMED: Final = Filter(
    "FILTER EXISTS { ?item skos:prefLabel|skos:altLabel|skos:hiddenLabel|skos:notation ?text "
    "FILTER CONTAINS(LCASE(STR(?text)), LCASE(STR(?q))) }",
    "text",
    "text that a name contains",
)


def _place(path: str, meaning: str) -> Filter:
    """Return a filter on a region, which takes in the regions that lie in it."""
    return Filter(f"?item {path} ?place . ?place skos:broaderTransitive? ?region .", "region", meaning)


_MEMBER: Final = Filter(
    "?item medkg:hasMember/medkg:member ?place . ?place skos:broaderTransitive? ?region .",
    "region",
    "member region, by code or name; a larger region takes in those that lie in it",
)
_LOCATED: Final = _place("medkg:inRegion", "region where it is, by code or name; takes in what lies in it")

LISTINGS: Final[Mapping[str, Listing]] = MappingProxyType(
    {
        listing.name: listing
        for listing in (
            Listing(
                "regions",
                "Region",
                {
                    "q": _NAMED,
                    "level": Filter("?item medkg:nutsLevel ?level .", "integer", "NUTS level, 0 to 3"),
                    "within": Filter(
                        "?item skos:broaderTransitive ?within .", "region", "region that it lies in"
                    ),
                },
            ),
            Listing("clusters", "Cluster", {"q": _NAMED, "region": _LOCATED}),
            Listing(
                "kets",
                "KET",
                {
                    "q": _NAMED,
                    "scheme": Filter(
                        "?item skos:inScheme ?list . "
                        "FILTER(STR(?list) = CONCAT('https://w3id.org/medkg/vocab/', STR(?scheme)))",
                        "text",
                        "list of KETs: ket-2009, ket-2012 or ket-2018",
                    ),
                },
            ),
            Listing("platforms", "SpecialisationPlatform", {"q": _NAMED}),
            Listing(
                "partnerships",
                "Partnership",
                {
                    "q": _NAMED,
                    "platform": Filter(
                        "?item medkg:underPlatform ?platform .",
                        "SpecialisationPlatform",
                        "platform it runs under",
                    ),
                    "region": _MEMBER,
                },
            ),
            Listing(
                "actions",
                "InnovationAction",
                {
                    "q": _NAMED,
                    "region": _place("medkg:region", "region, by code or name; takes in what lies in it"),
                    "running": Filter(
                        "?item medkg:plannedFrom ?from . OPTIONAL { ?item medkg:plannedTo ?to } "
                        # A year as the end means its last month, so only as much is compared as is said.
                        "FILTER(STR(?from) <= STR(?running) && "
                        "(!BOUND(?to) || SUBSTR(STR(?running), 1, STRLEN(STR(?to))) <= STR(?to)))",
                        "month",
                        "month in which it runs, such as 2023-03",
                    ),
                    "ket": Filter("?item medkg:usesKET ?ket .", "KET", "Key Enabling Technology it uses"),
                },
            ),
            Listing("organisations", "Organisation", {"q": _NAMED, "region": _LOCATED}),
            Listing(
                "events",
                "Event",
                {"q": _NAMED, "region": _LOCATED},
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: the items with their labels, the number of all, and where the page stands."""

    items: Sequence["Item"]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """The number of pages, at least one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said of an entity: property, value, its label, and the named graphs that say so."""

    predicate: URIRef
    value: Term
    label: str
    graphs: tuple[URIRef, ...]

    @property
    def inferred(self) -> bool:
        """True when no source says it and it follows from the ontology."""
        return self.graphs == (GRAPH_INFERRED,)


@dataclass(frozen=True, slots=True)
class Item:
    """An entity: IRI, label, main classes, what is said of it, and the sources that say it."""

    iri: URIRef
    label: str
    classes: tuple[URIRef, ...]
    statements: Sequence[Statement]
    sources: Mapping[URIRef, "SourceNote"]


@dataclass(frozen=True, slots=True)
class SourceNote:
    """Where a named graph was taken from, as the catalogue says."""

    title: str
    addresses: tuple[str, ...]


def listing(  # noqa: PLR0913 - paging and language are optional and named
    engine: Engine,
    names: Names,
    list_: Listing,
    given: Mapping[str, str],
    *,
    page: int = 1,
    size: int = 50,
    languages: Sequence[str] = ("en",),
) -> Page:
    """Return one page of a list, ordered by IRI; *given* are the filters by name.

    :raises ParameterError: an unknown filter, or a value that can't be used.
    """
    for name in given:
        if name not in list_.filters:
            raise ParameterError(
                name,
                f"The list of {list_.name} has no filter {name!r}.",
                remedy=f"It takes: {', '.join(list_.filters)}, page, size, lang.",
            )
    bindings: dict[str, Term] = {"class": MEDKG[list_.class_]}
    bindings |= {name: _value(names, name, list_.filters[name], text) for name, text in given.items()}
    # Only constants of this module make up the text; every value is bound as a term.
    patterns = "\n  ".join(list_.filters[name].pattern for name in given)
    variables = " ".join(f"?{name}" for name in bindings)
    text = f"SELECT DISTINCT ?item {variables} WHERE {{\n  ?item a ?class .\n  {patterns}\n}} ORDER BY ?item"
    found = [row["item"] for row in engine.select(text, bindings).rows]
    shown = [item for item in found[(page - 1) * size : page * size] if isinstance(item, URIRef)]
    return Page([entity(engine, item, languages) for item in shown], len(found), page, size)


def entity(engine: Engine, iri: URIRef, languages: Sequence[str] = ("en",)) -> Item:
    """Return what the public graphs say of an entity; statements by property, asserted ones first.

    :raises NotFound: nothing is said of it, or it is no IRI at all.
    """
    said: dict[tuple[URIRef, Term], set[URIRef]] = {}
    for _, predicate, value, graph in _quads(engine, iri):
        if graph is not None and is_public(graph):
            said.setdefault((predicate, value), set()).add(graph)
    if not said:
        raise NotFound(f"Nothing is known here of {iri}.", remedy="Look it up in a list, or ask by name.")
    values = {value for _, value in said if isinstance(value, URIRef)}
    labels = engine.labels(values | {iri}, languages)
    statements = [
        Statement(predicate, value, worded(value, labels), tuple(sorted(graphs)))
        for (predicate, value), graphs in said.items()
    ]
    statements.sort(key=_statement_order)
    graphs = {graph for entry in statements for graph in entry.graphs if graph != GRAPH_INFERRED}
    return Item(
        iri,
        worded(iri, labels),
        _main_classes(statements),
        statements,
        _sources(engine, graphs, languages),
    )


def triples(engine: Engine, item: Item) -> list[Quad]:
    """Return a description of an entity as triples: what is said of it, and the names of what it links to."""
    found: list[Quad] = [(item.iri, entry.predicate, entry.value, None) for entry in item.statements]
    for value in sorted({entry.value for entry in item.statements if isinstance(entry.value, URIRef)}):
        names = {quad[:3] for quad in engine.quads(value, SKOS.prefLabel)}
        found.extend((*name, None) for name in sorted(names, key=lambda name: str(name[2].n3())))
    return found


def _quads(engine: Engine, iri: URIRef) -> Iterable[Quad]:
    try:
        return engine.quads(iri)
    except ValueError:  # what the engine says to a text that is no absolute IRI
        return ()


def _value(names: Names, name: str, filter_: Filter, text: str) -> Term:
    match filter_.kind:
        case "region":
            return names.region(text, parameter=name)
        case "text" if text.strip():
            return Literal(text)
        case "integer" if re.fullmatch(r"[0-9]{1,9}", text):
            return Literal(text, datatype=XSD.integer, normalize=False)
        case "month" if re.fullmatch(r"[0-9]{4}-(?:0[1-9]|1[0-2])", text):
            return Literal(text)
        case "text" | "integer" | "month":
            raise ParameterError(
                name, f"{text[:100]!r} is no value for {name}.", remedy=f"Give: {filter_.meaning}."
            )
        case class_:
            return names.entity(text, class_, parameter=name)


def _statement_order(statement: Statement) -> tuple[bool, bool, str, str]:
    named = statement.predicate in {SKOS.prefLabel, RDF.type}
    return statement.inferred, not named, str(statement.predicate), str(statement.value)


def _main_classes(statements: Iterable[Statement]) -> tuple[URIRef, ...]:
    """Return the classes of our own ontology that a source asserts; the superclasses are inferred."""
    found = {
        entry.value
        for entry in statements
        if entry.predicate == RDF.type and isinstance(entry.value, URIRef) and not entry.inferred
    }
    return tuple(sorted(value for value in found if value.startswith(str(MEDKG))))


def _sources(
    engine: Engine, graphs: Iterable[URIRef], languages: Sequence[str]
) -> Mapping[URIRef, SourceNote]:
    titles = engine.labels(graphs, languages)
    return {
        graph: SourceNote(
            titles.get(graph, str(graph)),
            tuple(sorted(str(quad[2]) for quad in engine.quads(graph, DCTERMS.source, None, GRAPH_CATALOG))),
        )
        for graph in sorted(graphs)
    }
