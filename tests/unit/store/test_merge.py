"""store/merge.py: following changes leads to the same merge and closures as making them anew."""

from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import OWL, RDF, RDFS, SKOS

from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED
from medkg.store.difference import Difference
from medkg.store.merge import Merge, build_merge, is_asserted, make_plain

Node = ox.NamedNode | ox.BlankNode | ox.Literal
Statement = tuple[Node, ox.NamedNode, Node]


def _iri(name: str) -> ox.NamedNode:
    return ox.NamedNode(name if ":" in name else "https://example.org/" + name)


A, B, C, D = (_iri(name) for name in "abcd")
P, Q, R = (_iri(name) for name in "pqr")
TYPE, SUBCLASS, SUBPROPERTY = _iri(RDF.type), _iri(RDFS.subClassOf), _iri(RDFS.subPropertyOf)
INVERSE, SYMMETRIC = _iri(OWL.inverseOf), _iri(OWL.SymmetricProperty)
BROADER, NARROWER = _iri(SKOS.broader), _iri(SKOS.narrower)
UP, DOWN = _iri(SKOS.broaderTransitive), _iri(SKOS.narrowerTransitive)
INFERRED, MENTIONS = _iri(GRAPH_INFERRED), _iri(GRAPH["mentions/one"])
ONE, TWO = _iri("one"), _iri("two")


def _step(store: ox.Store, merge: Merge, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> Difference:
    """Change the named graphs, let the merge follow, and check the difference that it tells of."""
    before = set(store)
    change = Difference({quad for quad in removed if quad in before} - set(added), set(added) - before)
    change.apply(store)
    total = change | merge.follow(change)
    after = set(store)
    assert total.removed == before - after
    assert total.added == after - before
    return total


def _anew(store: ox.Store) -> set[ox.Quad]:
    """Return what a store holds whose merge is made anew from the same graphs."""
    other = ox.Store()
    other.extend(quad for quad in store if is_asserted(quad.graph_name) or quad.graph_name == MENTIONS)
    build_merge(other)
    return set(other)


NODES = st.sampled_from([A, B, C, D])
PROPERTIES = st.sampled_from([P, Q, R])
STATEMENTS = st.one_of(
    st.tuples(NODES, PROPERTIES, st.one_of(NODES, st.just(ox.Literal("x")), st.just(ox.BlankNode("n")))),
    st.tuples(st.just(ox.BlankNode("n")), PROPERTIES, NODES),
    st.tuples(NODES, st.just(TYPE), NODES),
    st.tuples(NODES, st.sampled_from([BROADER, NARROWER, UP, DOWN]), NODES),
)
SCHEMA = st.one_of(
    st.tuples(PROPERTIES, st.sampled_from([SUBPROPERTY, INVERSE]), PROPERTIES),
    st.tuples(PROPERTIES, st.just(TYPE), st.just(SYMMETRIC)),
    st.tuples(NODES, st.just(SUBCLASS), st.one_of(NODES, st.just(ox.BlankNode("n")))),
    st.tuples(st.just(ox.BlankNode("n")), st.just(SUBCLASS), NODES),
    st.tuples(PROPERTIES, st.just(SUBPROPERTY), st.sampled_from([BROADER, TYPE, UP, SUBCLASS])),
    st.tuples(st.sampled_from([UP, BROADER, TYPE]), st.just(SUBPROPERTY), PROPERTIES),
    st.tuples(st.just(UP), st.just(SUBPROPERTY), st.just(BROADER)),
    st.tuples(NODES, st.just(SUBCLASS), st.just(SYMMETRIC)),
)
TELLING = st.one_of(
    st.tuples(PROPERTIES, st.sampled_from([SUBPROPERTY, INVERSE]), PROPERTIES),
    st.tuples(PROPERTIES, st.just(TYPE), st.just(SYMMETRIC)),
    st.tuples(NODES, st.just(SUBCLASS), st.one_of(NODES, st.just(ox.BlankNode("n")))),
    st.tuples(st.just(ox.BlankNode("n")), st.just(SUBCLASS), NODES),
    st.tuples(PROPERTIES, st.sampled_from([SUBPROPERTY, INVERSE]), st.sampled_from([BROADER, UP])),
    st.tuples(st.sampled_from([UP, DOWN, BROADER, NARROWER, TYPE]), st.just(SUBPROPERTY), PROPERTIES),
)
"""Statements of a schema from which no statement of a schema follows."""
GRAPHS = st.sampled_from([ONE, TWO, MENTIONS])


def _quads(statements: st.SearchStrategy[Statement], size: int) -> st.SearchStrategy[list[ox.Quad]]:
    one = st.tuples(statements, GRAPHS).map(lambda pair: ox.Quad(*pair[0], pair[1]))  # type: ignore[arg-type]
    return st.lists(one, max_size=size)


@given(
    _quads(SCHEMA, 6),
    _quads(STATEMENTS, 10),
    st.lists(st.tuples(_quads(STATEMENTS, 5), _quads(STATEMENTS, 5)), min_size=1, max_size=5),
)
@settings(max_examples=400, deadline=None)
def test_following_changes_of_the_data_is_making_it_anew(
    schema: list[ox.Quad], data: list[ox.Quad], changes: list[tuple[list[ox.Quad], list[ox.Quad]]]
) -> None:
    """After any changes under any schema, the store holds what one made anew from its graphs does."""
    store = ox.Store()
    store.extend([*schema, *data])
    build_merge(store)
    merge = Merge(store)
    for removed, added in changes:
        _step(store, merge, removed, added)
        assert set(store) == _anew(store)
        _step(store, merge, [quad for quad in data if quad not in added][:3], [])
        assert set(store) == _anew(store)


@given(
    st.lists(
        st.tuples(_quads(st.one_of(SCHEMA, STATEMENTS), 6), _quads(st.one_of(SCHEMA, STATEMENTS), 6)),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=300, deadline=None)
def test_following_changes_of_the_schema_is_making_it_anew(
    changes: list[tuple[list[ox.Quad], list[ox.Quad]]],
) -> None:
    """The same holds when what is declared changes too, from an empty store on."""
    store = ox.Store()
    merge = Merge(store)
    everything: list[ox.Quad] = []
    for removed, added in changes:
        everything += added
        _step(store, merge, [*removed, *everything[::3]], added)
        assert set(store) == _anew(store)


@pytest.mark.parametrize("most", [100_000, 3, 0])
@given(
    _quads(TELLING, 4),
    _quads(STATEMENTS, 12),
    st.lists(
        st.tuples(_quads(st.one_of(TELLING, STATEMENTS), 4), _quads(st.one_of(TELLING, STATEMENTS), 4)),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=200, deadline=None)
def test_following_what_a_schema_reaches_is_making_it_anew(
    most: int,
    schema: list[ox.Quad],
    data: list[ox.Quad],
    changes: list[tuple[list[ox.Quad], list[ox.Quad]]],
) -> None:
    """A change of schema and data leads to the same, whether only what it reaches is looked at or all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medkg.store.merge._MOST", most)
        store = ox.Store()
        store.extend([*schema, *data])
        build_merge(store)
        merge = Merge(store)
        for removed, added in changes:
            _step(store, merge, [*removed, *schema[:1]], added)
            assert set(store) == _anew(store)
            _step(store, merge, [*data[:2], *added[:1]], schema[:2])
            assert set(store) == _anew(store)


def _store(*quads: ox.Quad) -> tuple[ox.Store, Merge]:
    store = ox.Store()
    store.extend(quads)
    build_merge(store)
    return store, Merge(store)


def _inferred(store: ox.Store) -> set[tuple[object, ...]]:
    found = store.quads_for_pattern(None, None, None, INFERRED)
    return {(quad.subject, quad.predicate, quad.object) for quad in found}


def test_a_triple_leaves_with_the_last_graph_that_asserts_it() -> None:
    """A triple of two graphs stays in the merge when one of them drops it, and leaves with the other."""
    both = [ox.Quad(A, P, B, graph) for graph in (ONE, TWO)]
    store, merge = _store(*both)
    assert _step(store, merge, both[:1], []).removed == {both[0]}
    assert ox.Quad(A, P, B) in store
    assert _step(store, merge, both[1:], []).removed == {both[1], ox.Quad(A, P, B)}


def test_a_triple_that_moves_between_graphs_stays() -> None:
    """What leaves one graph and enters another in one change does not leave the merge."""
    store, merge = _store(ox.Quad(A, P, B, ONE))
    total = _step(store, merge, [ox.Quad(A, P, B, ONE)], [ox.Quad(A, P, B, TWO)])
    assert total == Difference({ox.Quad(A, P, B, ONE)}, {ox.Quad(A, P, B, TWO)})


def test_mentions_do_not_enter() -> None:
    """A statement of a graph of mentions neither enters the merge nor leads to anything."""
    store, merge = _store(ox.Quad(P, INVERSE, Q, ONE))
    total = _step(store, merge, [], [ox.Quad(A, P, B, MENTIONS)])
    assert total == Difference(set(), {ox.Quad(A, P, B, MENTIONS)})


def test_what_has_another_reason_stays() -> None:
    """What follows from two statements is withdrawn with the second one only."""
    types = [ox.Quad(A, TYPE, class_, ONE) for class_ in (B, C)]
    store, merge = _store(*types, ox.Quad(B, SUBCLASS, D, ONE), ox.Quad(C, SUBCLASS, D, ONE))
    _step(store, merge, types[:1], [])
    assert (A, TYPE, D) in _inferred(store)
    _step(store, merge, types[1:], [])
    assert _inferred(store) == set()


def test_what_comes_to_be_asserted_is_inferred_no_longer() -> None:
    """A triple moves out of graph/inferred when a graph asserts it, and back when it no longer does."""
    store, merge = _store(ox.Quad(A, P, B, ONE), ox.Quad(P, INVERSE, Q, ONE))
    stated = ox.Quad(B, Q, A, TWO)
    total = _step(store, merge, [], [stated])
    assert total == Difference({ox.Quad(B, Q, A, INFERRED)}, {stated})
    total = _step(store, merge, [stated], [])
    assert total == Difference({stated}, {ox.Quad(B, Q, A, INFERRED)})


def test_nothing_holds_itself_up() -> None:
    """Two statements that follow from each other both go when the one that was asserted goes."""
    store, merge = _store(ox.Quad(A, P, B, ONE), ox.Quad(P, INVERSE, Q, ONE))
    _step(store, merge, [ox.Quad(A, P, B, ONE)], [])
    assert {quad for quad in store if quad.graph_name != ONE} == {ox.Quad(P, INVERSE, Q)}


def test_a_step_out_of_a_hierarchy_takes_its_ladder_along() -> None:
    """When a concept loses its broader one, those below lose their transitive links too."""
    rungs = [ox.Quad(A, BROADER, B, ONE), ox.Quad(B, BROADER, C, ONE)]
    store, merge = _store(*rungs)
    assert (A, UP, C) in _inferred(store)
    _step(store, merge, rungs[1:], [])
    assert _inferred(store) == {(B, NARROWER, A), (A, UP, B), (B, DOWN, A)}


def test_a_rung_that_was_asserted_too_stays() -> None:
    """A transitive statement that is no longer asserted is inferred, as long as the hierarchy leads there."""
    stated = ox.Quad(A, UP, B, TWO)
    store, merge = _store(ox.Quad(A, BROADER, B, ONE), stated)
    assert (A, UP, B) not in _inferred(store)
    total = _step(store, merge, [stated], [])
    assert total == Difference({stated}, {ox.Quad(A, UP, B, INFERRED)})


def test_a_change_of_the_schema_reaches_what_followed_from_it() -> None:
    """A class comes to be below another, and no longer is: its instances have that type, and no longer do."""
    store, merge = _store(
        ox.Quad(A, TYPE, B, ONE),
        ox.Quad(C, TYPE, B, ONE),
        ox.Quad(C, TYPE, R, ONE),
        ox.Quad(R, SUBCLASS, D, ONE),
    )
    stated = ox.Quad(B, SUBCLASS, D, TWO)
    _step(store, merge, [], [stated])
    assert _inferred(store) == {(A, TYPE, D), (C, TYPE, D)}
    _step(store, merge, [stated], [])
    assert _inferred(store) == {(C, TYPE, D)}


def test_a_property_may_come_to_lead_into_a_hierarchy() -> None:
    """A property that is declared to be below skos:broader makes a ladder of what it links."""
    store, merge = _store(ox.Quad(A, P, B, ONE), ox.Quad(B, BROADER, C, ONE))
    stated = ox.Quad(P, SUBPROPERTY, BROADER, TWO)
    _step(store, merge, [], [stated])
    assert {(A, UP, C), (C, DOWN, A)} < _inferred(store)
    _step(store, merge, [stated], [])
    assert set(store) == _anew(store)
    assert (A, UP, C) not in _inferred(store)


def test_a_declaration_may_be_inferred() -> None:
    """A statement from which a declaration follows changes what follows from all the others."""
    store, merge = _store(ox.Quad(A, P, B, ONE), ox.Quad(C, SUBCLASS, SYMMETRIC, ONE))
    stated = ox.Quad(P, TYPE, C, TWO)
    _step(store, merge, [], [stated])
    assert _inferred(store) == {(P, TYPE, SYMMETRIC), (B, P, A)}
    _step(store, merge, [stated], [])
    assert _inferred(store) == set()


def test_a_hierarchy_may_follow_from_its_own_closure() -> None:
    """Where the transitive property is declared to be below the hierarchy, the whole is inferred anew."""
    rungs = [ox.Quad(A, BROADER, B, ONE), ox.Quad(B, BROADER, C, ONE)]
    store, merge = _store(*rungs, ox.Quad(UP, SUBPROPERTY, BROADER, ONE))
    assert (A, BROADER, C) in _inferred(store)
    _step(store, merge, rungs[1:], [])
    assert set(store) == _anew(store)
    assert (A, BROADER, C) not in _inferred(store)


def test_an_empty_closure_is_no_graph() -> None:
    """graph/inferred is there while something is inferred, as when it is made anew."""
    stated = ox.Quad(A, BROADER, B, ONE)
    store, merge = _store()
    _step(store, merge, [], [stated])
    assert INFERRED in set(store.named_graphs())
    _step(store, merge, [stated], [])
    assert INFERRED not in set(store.named_graphs())


@pytest.mark.parametrize(
    ("graph", "asserted"),
    [
        (ONE, True),
        (MENTIONS, False),
        (INFERRED, False),
        (ox.DefaultGraph(), False),
        (ox.BlankNode("g"), False),
    ],
)
def test_what_counts_as_asserted(graph: object, asserted: bool) -> None:
    """Asserted is what stands in a public named graph that is not that of the closures."""
    assert is_asserted(graph) is asserted


@pytest.fixture
def merged(tmp_path: Path) -> ox.Store:
    store = ox.Store(str(tmp_path / "merged"))
    store.extend([ox.Quad(A, BROADER, B, ONE), ox.Quad(A, P, B, MENTIONS)])
    build_merge(store)
    return store


def test_a_plain_store_has_what_people_wrote(tmp_path: Path, merged: ox.Store) -> None:
    """Without the union a store has its named graphs, and a default graph of its own from the one before."""
    plain = make_plain(merged, tmp_path / "plain", None)
    named = {ox.Quad(A, BROADER, B, ONE), ox.Quad(A, P, B, MENTIONS)}
    assert set(plain) == named
    own = {ox.Quad(C, P, D), ox.Quad(C, P, D, INFERRED)}
    plain.extend(own)
    assert set(make_plain(merged, tmp_path / "next", plain)) == named | own
