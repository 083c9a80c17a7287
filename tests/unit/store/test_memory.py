"""store/memory.py: a graph in memory answers SELECT queries, and says when it can't."""

import pyoxigraph as ox
import pytest
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import StoreFailed
from medkg.domain.model import Quad
from medkg.store.memory import MemoryGraph

A, P, G = URIRef("x:a"), URIRef("x:p"), URIRef("x:g")


def graph(*quads: Quad) -> MemoryGraph:
    """Return a graph of some quads."""
    memory = MemoryGraph()
    memory.add(quads)
    return memory


def test_rows_are_in_the_order_of_the_variables() -> None:
    """A row has a term for each variable, and None where there is none."""
    memory = graph((A, P, Literal("x", lang="en"), None), (A, P, BNode("b"), None), (A, P, A, G))
    assert len(memory) == 3
    rows = list(memory.rows("SELECT ?none ?o { ?s ?p ?o } ORDER BY ?o"))
    assert rows == [[None, BNode("b")], [None, Literal("x", lang="en")]]


@pytest.mark.parametrize(
    "term", [A, BNode("b"), Literal("1", datatype=URIRef("x:type")), Literal("x", lang="en")]
)
def test_bindings_are_terms(term: URIRef | BNode | Literal) -> None:
    """A variable that is bound before is that very term, a blank node too."""
    memory = graph((A, P, term, None), (A, P, Literal("other"), None))
    assert list(memory.rows("SELECT ?s ?o { ?s ?p ?o }", {"o": term})) == [[A, term]]


@pytest.mark.parametrize("text", ["SELECT nonsense", "SELECT * { SERVICE <http://[> {} }", "INSERT DATA {}"])
def test_what_can_not_be_run_is_an_error_of_medkg(text: str) -> None:
    """A text that the engine does not read fails as a store does."""
    with pytest.raises(StoreFailed):
        list(graph().rows(text))


def test_a_copy_is_one_graph() -> None:
    """A copy has the default graph and the named graphs that it hides in one, and leaves the others out."""
    store = ox.Store()
    names: list[ox.NamedNode | ox.DefaultGraph] = [
        ox.DefaultGraph(),
        ox.NamedNode("x:in"),
        ox.NamedNode("x:out"),
    ]
    for number, name in enumerate(names):
        store.add(ox.Quad(ox.NamedNode("x:s"), ox.NamedNode("x:p"), ox.Literal(number), name))
    copy = MemoryGraph.copy(store, lambda name: name == "x:in")
    assert sorted(str(row[0]) for row in copy.rows("SELECT ?o { ?s ?p ?o }")) == ["0", "1"]
