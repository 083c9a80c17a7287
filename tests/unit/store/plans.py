"""Small graphs, and what the planner and the engine alone find in them."""

from collections import Counter

import pyoxigraph as ox
from hypothesis import strategies as st

from medkg.domain.model import QueryRequest
from medkg.store import evaluate, policy
from medkg.store.counts import Counts
from medkg.store.plan import Planner
from medkg.store.source import Source

EX = "PREFIX ex: <urn:>\n"
A = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
NODES = [ox.NamedNode(f"urn:n{number}") for number in range(5)]
PREDICATES = [A, *(ox.NamedNode(f"urn:p{number}") for number in range(3))]
OBJECTS = [*NODES, ox.BlankNode("b"), ox.Literal("x"), ox.Literal("x", language="en"), ox.Literal(5)]

triples = st.builds(
    ox.Quad,
    st.sampled_from(NODES),
    st.sampled_from(PREDICATES),
    st.sampled_from(OBJECTS),
    st.just(ox.DefaultGraph()),
)
graphs = st.lists(triples, max_size=25)


def planner(quads: list[ox.Quad]) -> tuple[Planner, ox.Store]:
    store = ox.Store()
    store.extend(quads)
    return Planner(Source(store, counts=Counts.of(store))), store


def solutions(found: evaluate.Results) -> object:
    """Return all of a result, however its solutions are ordered and its blank nodes are called."""
    if isinstance(found, ox.QueryBoolean):
        return bool(found)
    if isinstance(found, ox.QueryTriples):
        return Counter(_shown(term) for triple in found for term in triple)
    names = [variable.value for variable in found.variables]
    return sorted(names), Counter(tuple(_shown(row[name]) for name in sorted(names)) for row in found)


def _shown(term: object) -> str:
    return "_:" if isinstance(term, ox.BlankNode) else str(term)


def expected(store: ox.Store, text: str) -> object:
    request = QueryRequest(text)
    outline = policy.outline(text)
    return solutions(evaluate.evaluate(evaluate.dataset(store, request, outline), text, {}, "urn:"))


def actual(work: Planner, text: str) -> object:
    outline = policy.check(text, policy.Limits(), "urn:")
    return solutions(work.evaluate(QueryRequest(text), outline, "urn:"))
