"""The record of who wrote a graph by hand, and when."""

from datetime import UTC, datetime
from typing import Final

import pyoxigraph as ox
from rdflib.namespace import FOAF

from medkg.domain.model import Author
from medkg.domain.namespaces import GRAPH, PROV, RDF, XSD

__all__ = ["record", "record_graph"]

_TYPE: Final = ox.NamedNode(str(RDF.type))


def record_graph(slug: str) -> ox.NamedNode:
    """Return the graph that holds the record of ``graph/manual/{slug}``."""
    return ox.NamedNode(str(GRAPH[f"prov/manual/{slug}"]))


def record(slug: str, author: Author, now: datetime) -> set[ox.Quad]:
    """Return what is recorded of the last write of ``graph/manual/{slug}``: its author and its end."""
    graph = record_graph(slug)
    written = ox.NamedNode(str(GRAPH[f"manual/{slug}"]))
    activity = ox.NamedNode(f"{graph.value}#activity")
    agent = ox.NamedNode(f"{graph.value}#agent")
    # The form that the store keeps: in UTC, without fractions of a second.
    time = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    triples: list[tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode | ox.Literal]] = [
        (written, _term(PROV.wasGeneratedBy), activity),
        (activity, _TYPE, _term(PROV.Activity)),
        (activity, _term(PROV.wasAssociatedWith), agent),
        (activity, _term(PROV.endedAtTime), ox.Literal(time, datatype=_term(XSD.dateTime))),
        (agent, _TYPE, _term(PROV.Agent)),
        (agent, _term(FOAF.name), ox.Literal(author.name)),
    ]
    return {ox.Quad(subject, predicate, object_, graph) for subject, predicate, object_ in triples}


def _term(name: str) -> ox.NamedNode:
    return ox.NamedNode(str(name))
