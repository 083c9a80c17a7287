"""store/closures.py: what is materialised is what the rules of RDFS, OWL 2 RL and SKOS say, and no more."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import OWL, RDF, RDFS, SKOS
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Term
from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED
from medkg.store.snapshots import Snapshots
from medkg.store.writer import Candidate

Triple = tuple[Term, Term, Term]


def _iri(name: str) -> URIRef:
    return URIRef("https://example.org/" + name)


A, B, C, D = (_iri(name) for name in "abcd")
P, Q, R = (_iri(name) for name in "pqr")


def _in_memory() -> Candidate:
    return Candidate(ox.Store(), Path(), Snapshots(Path()))


def _inferred(asserted: Iterable[Triple]) -> set[Triple]:
    """Return what the writer infers from triples, and check that it merges all of it once."""
    work = _in_memory()
    work.add((*triple, GRAPH["facts"]) for triple in asserted)  # type: ignore[misc]
    work.close()
    inferred = [quad[:3] for quad in work.graph(GRAPH_INFERRED)]
    merged = [quad[:3] for quad in work.merge()]
    assert sorted(map(str, merged)) == sorted(map(str, {*asserted, *inferred}))
    return set(inferred)


BROADER, NARROWER = SKOS.broader, SKOS.narrower
UP, DOWN = SKOS.broaderTransitive, SKOS.narrowerTransitive


@pytest.mark.parametrize(
    ("asserted", "inferred"),
    [
        pytest.param([], [], id="nothing from nothing"),
        pytest.param(
            [(A, RDF.type, B), (B, RDFS.subClassOf, C), (C, RDFS.subClassOf, D)],
            [(A, RDF.type, C), (A, RDF.type, D)],
            id="superclasses, not their hierarchy",
        ),
        pytest.param(
            [(A, RDF.type, B), (B, RDFS.subClassOf, C), (C, RDFS.subClassOf, B)],
            [(A, RDF.type, C)],
            id="equivalent classes",
        ),
        pytest.param(
            [(A, RDF.type, B), (B, RDFS.subClassOf, BNode("restriction")), (B, RDFS.subClassOf, B)],
            [],
            id="neither restrictions nor the class itself",
        ),
        pytest.param(
            [(A, P, B), (P, RDFS.subPropertyOf, Q), (Q, RDFS.subPropertyOf, R)],
            [(A, Q, B), (A, R, B)],
            id="superproperties",
        ),
        pytest.param(
            [(A, P, Literal("x", lang="en")), (P, RDFS.subPropertyOf, Q)],
            [(A, Q, Literal("x", lang="en"))],
            id="superproperties of literals",
        ),
        pytest.param([(A, P, B), (P, OWL.inverseOf, Q)], [(B, Q, A)], id="inverse, declared on one side"),
        pytest.param(
            [(A, Q, B), (P, OWL.inverseOf, Q)], [(B, P, A)], id="inverse, declared on the other side"
        ),
        pytest.param([(A, P, Literal("x")), (P, OWL.inverseOf, Q)], [], id="no inverse of a literal"),
        pytest.param(
            [(BNode("x"), P, B), (P, OWL.inverseOf, Q)], [], id="no inverse that points to a blank node"
        ),
        pytest.param([(A, P, B), (P, RDF.type, OWL.SymmetricProperty)], [(B, P, A)], id="symmetric"),
        pytest.param([(A, P, A), (P, RDF.type, OWL.SymmetricProperty)], [], id="symmetric on itself"),
        pytest.param(
            [(A, P, B), (P, RDFS.subPropertyOf, Q), (Q, OWL.inverseOf, R)],
            [(A, Q, B), (B, R, A)],
            id="inverse of a superproperty",
        ),
        pytest.param(
            [(A, BROADER, B), (B, BROADER, C)],
            [
                *((B, NARROWER, A), (C, NARROWER, B)),
                *((A, UP, B), (B, UP, C), (A, UP, C), (B, DOWN, A), (C, DOWN, B), (C, DOWN, A)),
            ],
            id="broader, all the way up and down",
        ),
        pytest.param(
            [(A, NARROWER, B)],
            [(B, BROADER, A), (B, UP, A), (A, DOWN, B)],
            id="narrower is broader read backwards",
        ),
        pytest.param(
            [(A, BROADER, B), (B, BROADER, A)],
            [
                *((A, NARROWER, B), (B, NARROWER, A)),
                *((A, UP, B), (B, UP, A), (A, DOWN, B), (B, DOWN, A)),
            ],
            id="a cycle of broader ends, and nothing is above itself",
        ),
        pytest.param(
            [(A, BROADER, B), (B, NARROWER, A), (A, UP, B), (B, DOWN, A)],
            [],
            id="what is asserted is not inferred",
        ),
    ],
)
def test_rules(asserted: list[Triple], inferred: list[Triple]) -> None:
    """Each rule gives what its standard says."""
    assert _inferred(asserted) == set(inferred)


def test_only_public_graphs_count() -> None:
    """What only a graph of mentions says leads to nothing, and does not keep a thing from being inferred."""
    mentions, work = GRAPH["mentions/x"], _in_memory()
    work.add([(A, P, B, mentions), (B, Q, A, mentions), (P, OWL.inverseOf, Q, GRAPH["one"])])
    work.close()
    assert list(work.graph(GRAPH_INFERRED)) == []
    work.add([(A, P, B, GRAPH["two"])])
    work.close()
    assert list(work.graph(GRAPH_INFERRED)) == [(B, Q, A, GRAPH_INFERRED)]


# --- Against a slow reference ----------------------------------------------------------------------


def _above(triples: set[Triple], relation: URIRef, start: Term) -> set[Term]:
    """Return what is reached over one or more steps of *relation*."""
    found: set[Term] = set()
    frontier = {start}
    while frontier:
        frontier = {o for s, p, o in triples if p == relation and s in frontier} - found
        found |= frontier
    return found


def _step(known: set[Triple]) -> Iterator[Triple]:
    """Yield all that follows by one application of a rule, whether it is RDF or not."""
    opposite = {(p, q) for p, declared, q in known if declared == OWL.inverseOf}
    opposite |= {(q, p) for p, q in opposite} | {(BROADER, NARROWER), (NARROWER, BROADER)}
    opposite |= {(p, p) for p, _, kind in known if kind == OWL.SymmetricProperty}
    for s, p, o in known:
        # The writer points no inverse at a blank node; SKOS has none.
        inverses = [
            other
            for own, other in opposite
            if own == p and (isinstance(s, URIRef) or p in {BROADER, NARROWER})
        ]
        yield from ((o, other, s) for other in inverses)
        yield from ((s, above, o) for above in _above(known, RDFS.subPropertyOf, p))
        if p == RDF.type:
            yield from (
                (s, RDF.type, above)
                for above in _above(known, RDFS.subClassOf, o)
                if isinstance(above, URIRef)
            )
        if p == BROADER:
            yield from ((s, UP, above) for above in _above(known, BROADER, s) if above != s)
            yield from ((above, DOWN, s) for above in _above(known, BROADER, s) if above != s)


def _reference(asserted: set[Triple]) -> set[Triple]:
    known = set(asserted)
    while True:
        fresh = {
            (s, p, o)
            for s, p, o in _step(known)
            if not isinstance(s, Literal) and isinstance(p, URIRef) and (s, p, o) not in known
        }
        if not fresh:
            return known - asserted
        known |= fresh


NODES = st.sampled_from([A, B, C, D])
PROPERTIES = st.sampled_from([P, Q, R])
FACT = st.tuples(NODES, PROPERTIES, st.one_of(NODES, st.just(Literal("x")), st.just(BNode("n"))))
SCHEMA = st.one_of(
    st.tuples(PROPERTIES, st.sampled_from([RDFS.subPropertyOf, OWL.inverseOf]), PROPERTIES),
    st.tuples(PROPERTIES, st.just(RDF.type), st.just(OWL.SymmetricProperty)),
    st.tuples(NODES, st.just(RDFS.subClassOf), st.one_of(NODES, st.just(BNode("n")))),
    st.tuples(NODES, st.just(RDF.type), NODES),
    st.tuples(NODES, st.sampled_from([BROADER, NARROWER]), NODES),
    st.tuples(PROPERTIES, st.just(RDFS.subPropertyOf), st.sampled_from([BROADER, RDF.type])),
)


@given(st.lists(FACT, max_size=4), st.lists(SCHEMA, max_size=8))
@settings(max_examples=400, deadline=None)
def test_the_closure_is_that_of_a_reference(facts: list[Triple], schema: list[Triple]) -> None:
    """On any small graph, cycles and all, the writer infers exactly what repeating the rules gives."""
    asserted = {*facts, *schema}
    assert _inferred(asserted) == _reference(asserted)
