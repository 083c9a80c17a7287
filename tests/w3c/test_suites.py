"""What is run of the suites, and that the comparison of answers tells same from different."""

import random
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import BNode, Graph, URIRef
from rdflib.compare import isomorphic as same_for_rdflib
from tests.w3c.known import FAILURES, NOT_EXECUTABLE, OUT_OF_SCOPE
from tests.w3c.manifests import NO_SUITE, ROOT, Kind, groups, read_all
from tests.w3c.terms import XSD, Blank, Iri, Row, Statement, Table, Text, by_value, isomorphic

P: Final = Iri("urn:p")


@pytest.mark.skipif(ROOT is None, reason=NO_SUITE)
def test_every_group_is_run_or_left_out() -> None:
    """Each folder with a manifest has tests that are run, or a reason why not; the tables name real tests."""
    folders = {group for group, _ in groups()}
    names = {case.id for case in read_all()}
    assert folders == {case.group for case in read_all()} | OUT_OF_SCOPE.keys()
    assert {name for known in FAILURES.values() for name in known} | NOT_EXECUTABLE.keys() <= names
    assert FAILURES.keys() == set(Kind)


@pytest.mark.parametrize(("group", "reason"), OUT_OF_SCOPE.items(), ids=OUT_OF_SCOPE)
def test_group_out_of_scope(group: str, reason: str) -> None:
    """A group that is left out says why in the report of every run."""
    pytest.skip(f"{group}: {reason}")


edges = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=9)


def _rows(pairs: set[tuple[int, int]], names: Mapping[int, str]) -> list[Row]:
    return [(Blank(names[one]), P, Blank(names[other])) for one, other in pairs]


@given(edges, st.randoms(use_true_random=False))
def test_labels_do_not_matter(pairs: set[tuple[int, int]], chance: random.Random) -> None:
    """A graph is isomorphic to itself with other labels in another order."""
    names = [f"n{number}" for number in range(6)]
    chance.shuffle(names)
    rows = _rows(pairs, {number: f"b{number}" for number in range(6)})
    renamed = _rows(pairs, dict(enumerate(names)))
    chance.shuffle(renamed)
    assert isomorphic(rows, renamed)


@given(edges, edges)
def test_isomorphism_is_that_of_rdflib(some: set[tuple[int, int]], others: set[tuple[int, int]]) -> None:
    """Two graphs of blank nodes are isomorphic here when they are for RDFLib."""
    names = {number: f"b{number}" for number in range(6)}

    def graph(pairs: set[tuple[int, int]]) -> Graph:
        made = Graph()
        for one, other in pairs:
            made.add((BNode(names[one]), URIRef(P.value), BNode(names[other])))
        return made

    assert isomorphic(_rows(some, names), _rows(others, names)) == same_for_rdflib(graph(some), graph(others))


A, B, C = Blank("a"), Blank("b"), Blank("c")
ONE, TWO = Text("1"), Text("2")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ([], [], True),
        ([(ONE,), (TWO,)], [(TWO,), (ONE,)], True),
        ([(ONE,), (ONE,)], [(ONE,)], False),
        ([(ONE, None)], [(None, ONE)], False),
        ([(A,), (B,)], [(C,), (A,)], True),
        ([(A, A)], [(A, B)], False),
        ([(A, ONE), (A, TWO)], [(A, ONE), (B, TWO)], False),
        ([(Statement(A, P, ONE), A)], [(Statement(B, P, ONE), B)], True),
        ([(Statement(A, P, ONE), A)], [(Statement(B, P, ONE), A)], False),
        ([(Text("x"),)], [(Text("x", language="en"),)], False),
        ([(Text("x", XSD + "token"),)], [(Text("x"),)], False),
        # Two rings of three are not one ring of six, though each node looks the same.
        (
            [(Blank(str(n)), P, Blank(str(3 * (n // 3) + (n + 1) % 3))) for n in range(6)],
            [(Blank(str(n)), P, Blank(str((n + 1) % 6))) for n in range(6)],
            False,
        ),
    ],
)
def test_bags_of_rows(left: list[Row], right: list[Row], same: bool) -> None:
    """Rows are compared as bags, blank nodes by what they are, everything else exactly."""
    assert isomorphic(left, right) == isomorphic(right, left) == same


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (Text("2.20", XSD + "decimal"), Text("2.2", XSD + "decimal"), True),
        (Text("100", XSD + "decimal"), Text("1E2", XSD + "decimal"), False),
        (Text("1.0E6", XSD + "double"), Text("1000000", XSD + "double"), True),
        (Text("01", XSD + "integer"), Text("1", XSD + "integer"), True),
        (Text("1", XSD + "int"), Text("1", XSD + "integer"), False),
        (Text("1", XSD + "boolean"), Text("true", XSD + "boolean"), True),
        (Text("one", XSD + "integer"), Text("1", XSD + "integer"), False),
        (Text("01"), Text("1"), False),
        (Text("2006-08-23Z", XSD + "date"), Text("2006-08-23+00:00", XSD + "date"), False),
    ],
)
def test_numbers_are_compared_by_value(left: Text, right: Text, same: bool) -> None:
    """Numbers and truth values of one datatype are the same in every spelling; nothing else is."""
    assert (by_value(left) == by_value(right)) == same


def test_the_order_of_rows_counts_where_it_is_asked_for() -> None:
    """Numbered rows are the same in the same order alone."""
    table, other = Table(("x",), ((ONE,), (TWO,))), Table(("x",), ((TWO,), (ONE,)))
    assert isomorphic(table.rows, other.rows)
    assert not isomorphic(table.numbered(), other.numbered())
