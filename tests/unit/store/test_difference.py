"""store/difference.py: what tells two stores apart is exact, however the quads are spread."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medkg.store.difference import Difference, Overhaul, compare, named_graphs

GRAPHS = [ox.NamedNode(f"urn:g{number}") for number in range(3)]
TERMS = [ox.NamedNode(f"urn:{number}") for number in range(4)]
QUADS = st.builds(
    ox.Quad,
    st.sampled_from([*TERMS, ox.BlankNode("b")]),
    st.sampled_from(TERMS[:2]),
    st.sampled_from([*TERMS, ox.Literal("x"), ox.Literal("x", language="en"), ox.Literal("long" * 9)]),
    st.sampled_from([*GRAPHS, ox.DefaultGraph()]),
)  # fmt: skip
SETS = st.sets(QUADS, max_size=40)


@pytest.fixture
def stores(tmp_path: Path) -> tuple[ox.Store, ox.Store]:
    return ox.Store(str(tmp_path / "one")), ox.Store(str(tmp_path / "two"))


@given(SETS, SETS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_two_stores_are_compared_quad_by_quad(
    stores: tuple[ox.Store, ox.Store], old: set[ox.Quad], new: set[ox.Quad]
) -> None:
    """The difference of two stores on the disk is that of their quads, for any graphs asked for."""
    before, after = stores
    for store, quads in ((before, old), (after, new)):
        store.clear()
        store.extend(quads)
    everywhere: list[ox.NamedNode | ox.DefaultGraph] = [*named_graphs(before, after), ox.DefaultGraph()]
    assert compare(before, after, everywhere) == Difference(old - new, new - old)
    some: list[ox.NamedNode | ox.DefaultGraph] = [ox.DefaultGraph(), GRAPHS[0]]
    found = compare(before, after, some)
    assert found.removed == {quad for quad in old - new if quad.graph_name in some}
    assert found.added == {quad for quad in new - old if quad.graph_name in some}


@given(SETS, SETS, SETS)
@settings(max_examples=100, deadline=None)
def test_one_difference_after_another(one: set[ox.Quad], two: set[ox.Quad], three: set[ox.Quad]) -> None:
    """Two differences that follow each other are one; applied to a store it leads to the end."""
    first, second = Difference(one - two, two - one), Difference(two - three, three - two)
    whole = first | second
    assert whole == Difference(one - three, three - one)
    assert bool(whole) is (one != three)
    store = ox.Store()
    store.extend(one)
    whole.apply(store)
    assert set(store) == three


@given(SETS, SETS, st.sets(st.sampled_from([*GRAPHS, ox.DefaultGraph()])))
@settings(max_examples=100, deadline=None)
def test_a_part_of_a_difference(
    one: set[ox.Quad], two: set[ox.Quad], graphs: set[ox.NamedNode | ox.DefaultGraph]
) -> None:
    """What is outside some graphs is all of the difference that is not in them."""
    found = Difference(one - two, two - one).outside(graphs)
    assert found.removed == {quad for quad in one - two if quad.graph_name not in graphs}
    assert found.added == {quad for quad in two - one if quad.graph_name not in graphs}


def test_an_overhaul_takes_what_follows_it(tmp_path: Path) -> None:
    """A change that is not told quad by quad names its graphs and those after it, and is not kept."""
    added = {ox.Quad(TERMS[0], TERMS[0], TERMS[0], GRAPHS[1]), ox.Quad(TERMS[0], TERMS[0], TERMS[0])}
    whole = Overhaul({"urn:g0"}) | Difference(set(), added) | Overhaul({"urn:g2"})
    assert whole == Overhaul({"urn:g0", "urn:g1", "urn:g2"})
    assert not whole.write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_difference_is_written_unless_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files hold their quads as N-Quads; a difference over the limit has none."""
    removed, added = ({ox.Quad(term, TERMS[0], ox.BlankNode("b"), GRAPHS[0])} for term in TERMS[:2])
    difference = Difference(removed, added)
    assert difference.write(tmp_path)
    assert set(ox.parse(path=tmp_path / "removed.nq")) == removed
    assert set(ox.parse(path=tmp_path / "added.nq")) == added
    assert difference.graphs == {"urn:g0"}
    monkeypatch.setattr("medkg.store.difference._MAX_QUADS", 1)
    assert not difference.write(tmp_path / "nowhere")
