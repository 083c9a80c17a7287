"""Terms between the engine (pyoxigraph) and the layers above (rdflib), without changing a literal."""

from collections.abc import Iterable, Iterator

import pyoxigraph as ox
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import ParameterError
from medkg.domain.model import Quad, Term

__all__ = ["from_ox", "graph_name", "quad_from_ox", "quads_to_ox", "to_ox", "triples_to_ox"]


def from_ox(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | ox.DefaultGraph) -> Term:
    """Return the rdflib term for an engine term; literals keep their lexical form.

    :raises TypeError: for a quoted triple, which medkg does not use.
    """
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    if isinstance(term, ox.Literal):
        if term.language:
            return Literal(term.value, lang=term.language)
        datatype = term.datatype.value
        # rdflib tells "x" from "x"^^xsd:string; RDF 1.1 does not, and the engine writes neither datatype.
        if datatype == "http://www.w3.org/2001/XMLSchema#string":
            return Literal(term.value)
        return Literal(term.value, datatype=URIRef(datatype), normalize=False)
    raise TypeError(f"not a term of medkg's graphs: {term}")


def to_ox(term: Term) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    """Return the engine term for an rdflib term."""
    if isinstance(term, URIRef):
        return ox.NamedNode(str(term))
    if isinstance(term, BNode):
        return ox.BlankNode(str(term))
    if term.language:
        return ox.Literal(str(term), language=term.language)
    if term.datatype is not None:
        return ox.Literal(str(term), datatype=ox.NamedNode(str(term.datatype)))
    return ox.Literal(str(term))


def graph_name(name: str, parameter: str = "graph") -> ox.NamedNode:
    """Return the engine's name of a graph that *parameter* of a request gives.

    :raises ParameterError: it is no IRI.
    """
    try:
        return ox.NamedNode(name)
    except ValueError:
        raise ParameterError(
            parameter, f"The graph name {name[:200]!r} is no IRI.", remedy="Write an absolute IRI."
        ) from None


def quad_from_ox(quad: ox.Quad) -> Quad:
    """Return a quad as rdflib terms, with None for the default graph."""
    graph = quad.graph_name
    subject, predicate = from_ox(quad.subject), from_ox(quad.predicate)
    if isinstance(subject, Literal) or not isinstance(predicate, URIRef):
        raise TypeError(f"not a quad of medkg's graphs: {quad}")
    name = URIRef(graph.value) if isinstance(graph, ox.NamedNode) else None
    return subject, predicate, from_ox(quad.object), name


def quads_to_ox(quads: Iterable[Quad]) -> Iterator[ox.Quad]:
    """Yield engine quads for rdflib ones."""
    for subject, predicate, object_, graph in quads:
        name = ox.DefaultGraph() if graph is None else ox.NamedNode(str(graph))
        yield ox.Quad(to_ox(subject), to_ox(predicate), to_ox(object_), name)  # type: ignore[arg-type]


def triples_to_ox(quads: Iterable[Quad]) -> Iterator[ox.Triple]:
    """Yield engine triples for rdflib quads, without their graphs."""
    return (quad.triple for quad in quads_to_ox(quads))
