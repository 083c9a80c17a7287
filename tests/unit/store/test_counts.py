"""store/counts.py: the counts of a version are those of its default graph, however they came about."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.store import counts
from medkg.store.counts import INSTANCES, TRIPLES, Counts

TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
NODES = [ox.NamedNode(f"urn:n{number}") for number in range(4)]
OBJECTS = [*NODES, ox.BlankNode("b"), ox.Literal("x")]
GRAPHS = [ox.DefaultGraph(), ox.NamedNode("urn:g")]

quads = st.frozensets(
    st.builds(
        ox.Quad,
        st.sampled_from(NODES),
        st.sampled_from([TYPE, *NODES]),
        st.sampled_from(OBJECTS),
        st.sampled_from(GRAPHS),
    ),
    max_size=30,
)


def store_of(content: frozenset[ox.Quad]) -> ox.Store:
    store = ox.Store()
    store.extend(content)
    return store


@given(quads, quads)
def test_counts_follow_a_difference(before: frozenset[ox.Quad], after: frozenset[ox.Quad]) -> None:
    """What is taken away and added gives the counts that the new graph has."""
    known = Counts.of(store_of(before))

    assert known.changed(before - after, after - before) == Counts.of(store_of(after))


@given(quads)
def test_counts_survive_being_written(content: frozenset[ox.Quad]) -> None:
    """What JSON takes gives them back."""
    known = Counts.of(store_of(content))

    assert Counts.from_plain(known.plain()) == known
    assert Counts.from_plain(None) is None


def test_counts_are_a_graph() -> None:
    """Each predicate and each class has its number."""
    store, kinds = Counts({"<urn:p>": 3}, {"<urn:c>": 2}).store()

    assert kinds == {TRIPLES, INSTANCES}
    assert {(quad.subject.value, quad.predicate, quad.object.value) for quad in store} == {
        ("urn:p", TRIPLES, "3"),
        ("urn:c", INSTANCES, "2"),
    }


@pytest.mark.parametrize("odd", ["_:b", '"x"', "<<( <urn:s> <urn:p> <urn:o> )>>"])
def test_classes_without_a_name_are_no_graph(odd: str) -> None:
    """A class that is no IRI is counted, and keeps the classes from being asked for."""
    store, kinds = Counts({"<urn:p>": 3}, {"<urn:c>": 2, odd: 1}).store()

    assert kinds == {TRIPLES}
    assert len(store) == 1


def test_what_is_too_many_is_not_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is not known, and no change makes it known."""
    monkeypatch.setattr(counts, "_MANY", 2)
    content = [ox.Quad(node, node, NODES[0]) for node in NODES[:3]]
    known = Counts.of(store_of(frozenset(content)))

    assert known == Counts(None, {})
    assert known.changed(content, ()) == known
    assert known.store()[1] == {INSTANCES}
    assert Counts({"<urn:p>": 1}, {}).changed((), content) == Counts(None, {})
