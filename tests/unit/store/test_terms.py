"""store/terms.py: a term that goes into the engine and comes back is the same term."""

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import XSD
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Quad, Term
from medkg.store.terms import from_ox, quad_from_ox, quads_to_ox, to_ox, triples_to_ox

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
IRIS = st.builds(
    URIRef, st.from_regex(r"https://example\.org/[A-Za-z0-9/_~é\u4e2d]{0,12}(#[a-z]{1,5})?", fullmatch=True)
)
LITERALS = st.one_of(
    st.builds(Literal, TEXTS),
    st.builds(
        lambda text, lang: Literal(text, lang=lang), TEXTS, st.sampled_from(["en", "de-at", "zh-hant"])
    ),
    st.builds(lambda text, type_: Literal(text, datatype=type_, normalize=False), TEXTS, IRIS),
    st.builds(
        lambda number, type_: Literal(f"{number:+06d}", datatype=type_, normalize=False),
        st.integers(-999, 999),
        st.sampled_from([XSD.integer, XSD.decimal, XSD.double, XSD.int, XSD.gYear, XSD.boolean]),
    ),
)
BNODES = st.builds(BNode, st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True))
TERMS = st.one_of(IRIS, LITERALS, BNODES)
QUADS = st.tuples(st.one_of(IRIS, BNODES), IRIS, TERMS, st.one_of(IRIS, st.none()))


@given(TERMS)
@settings(deadline=None)
def test_a_term_survives_the_way_to_the_engine_and_back(term: Term) -> None:
    """IRIs, blank nodes and literals, with any lexical form, language or datatype, come back unchanged."""
    back = from_ox(to_ox(term))
    assert (back, back.n3()) == (term, term.n3())


@given(st.lists(QUADS, max_size=5))
@settings(deadline=None)
def test_quads_survive_the_way_to_the_engine_and_back(quads: list[Quad]) -> None:
    """Quads keep their graph, where None is the default graph; triples are the same without it."""
    there = list(quads_to_ox(quads))
    assert [quad_from_ox(quad) for quad in there] == quads
    assert list(triples_to_ox(quads)) == [quad.triple for quad in there]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (Literal("x", datatype=XSD.string), Literal("x")),
        (Literal("x", lang="en-GB"), Literal("x", lang="en-gb")),
        (
            Literal("01", datatype=XSD.integer, normalize=False),
            Literal("01", datatype=XSD.integer, normalize=False),
        ),
        (Literal("no date", datatype=XSD.date), Literal("no date", datatype=XSD.date)),
    ],
)
def test_what_rdf_holds_for_equal_has_one_form(written: Literal, read: Literal) -> None:
    """xsd:string is the same as plain, languages are lower case, and no lexical form is changed."""
    found = from_ox(to_ox(written))
    assert found.n3() == read.n3()


def test_triple_terms_are_refused() -> None:
    """What medkg's graphs can't hold, a triple as a term or as a subject, is refused and not garbled."""
    node = ox.NamedNode("a:b")
    triple = ox.Triple(node, node, node)
    with pytest.raises(TypeError, match="not a term"):
        from_ox(triple)

    with pytest.raises(TypeError, match="not a term"):
        quad_from_ox(ox.Quad(node, node, triple))
