"""A candidate puts triples into a graph, as sent or as the engine keeps them, and takes them out again."""

from functools import cache
from typing import TYPE_CHECKING

import pytest
from rdflib.namespace import OWL, RDF, RDFS, SKOS, XSD
from rdflib.term import BNode, Literal, URIRef

from medkg.services.candidate import Candidate
from medkg.store.files import kept_literal
from medkg.store.memory import MemoryGraph

if TYPE_CHECKING:
    from medkg.domain.model import Quad

EX = "https://example.org/"
A, B, PART, WHOLE = (URIRef(EX + name) for name in ("a", "b", "part", "whole"))
ALL = "SELECT ?s ?p ?o { ?s ?p ?o }"
VALUES = f"SELECT ?o {{ <{A}> <{SKOS.notation}> ?o }}"


@pytest.fixture
def public() -> MemoryGraph:
    """A graph with one record, and a property with an inverse."""
    graph = MemoryGraph()
    graph.add([(PART, OWL.inverseOf, WHOLE, None), (A, RDFS.label, Literal("A"), None)])
    return graph


def shown(graph: MemoryGraph) -> set[str]:
    """Return all triples of a graph."""
    return {str(row) for row in graph.rows(ALL)}


def test_a_graph_is_as_before(public: MemoryGraph) -> None:
    """What was put in, with what follows from it, is gone afterwards; what was there before stays."""
    triples: list[Quad] = [
        (A, PART, B, None),
        (A, RDFS.label, Literal("A"), None),
        (BNode("x"), SKOS.note, Literal("01", datatype=XSD.integer), None),
    ]
    before = shown(public)
    with Candidate(public, triples, public.schema(), cache(kept_literal)) as candidate:
        assert list(candidate.rows(f"SELECT ?x {{ <{B}> <{WHOLE}> ?x }}")) == [[A]]
        assert len(candidate.added) == 3
        list(candidate.rows(ALL, stored=True))
    assert shown(public) == before


def test_without_a_schema_nothing_follows() -> None:
    """A graph that is judged as it was sent has the statements of its sender alone."""
    graph = MemoryGraph()
    graph.add([(PART, OWL.inverseOf, WHOLE, None)])
    with Candidate(graph, [(A, PART, B, None)], None, cache(kept_literal)) as candidate:
        assert sorted(list(row) for row in candidate.rows(ALL)) == [
            [A, PART, B],
            [PART, OWL.inverseOf, WHOLE],
        ]


@pytest.mark.parametrize(("text", "kept"), [("01", "1"), ("1", "1"), ("+1", "1")])
def test_a_literal_is_there_as_sent_or_as_kept(public: MemoryGraph, text: str, kept: str) -> None:
    """The two forms of a literal are there when they are asked for, in any order."""
    sent = Literal(text, datatype=XSD.integer, normalize=False)
    with Candidate(public, [(A, SKOS.notation, sent, None)], None, cache(kept_literal)) as candidate:
        for stored in (False, True, False, True, True):
            ((value,),) = candidate.rows(VALUES, stored=stored)
            if stored:
                assert str(value) == kept
            else:
                assert text in str(value)


def test_a_candidate_can_step_aside(public: MemoryGraph) -> None:
    """In between the graph can be asked without the triples."""
    with Candidate(public, [(A, RDF.type, B, None)], None, cache(kept_literal)) as candidate:
        candidate.take_out()
        assert not list(public.rows(f"SELECT * {{ <{A}> a ?c }}"))
        candidate.put_in()
        assert list(public.rows(f"SELECT * {{ <{A}> a ?c }}")) == [[B]]
