"""store/lists.py: long lists of VALUES are joined by their values."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.store.plans import EX, NODES, actual, expected, graphs, planner

from medkg.domain.errors import QuerySyntaxError
from medkg.store import lists, policy
from medkg.store.patterns import edited

LISTS = [
    "SELECT * { VALUES ?s { ex:n0 ex:n1 ex:n0 UNDEF } ?s ex:p0 ?o ; ex:p1 ?x }",
    "SELECT ?o { ?s ex:p0 ?o VALUES (?s ?x) { (ex:n0 ex:n1) (UNDEF 5) (ex:n1 UNDEF) } ?o ?p ?x }",
    "SELECT * { VALUES () { () () () } ?s ex:p0 ?o }",
    "SELECT * { ?s ex:p0 ?o OPTIONAL { VALUES ?o { ex:n0 ex:n1 5 } ?s ex:p1 ?o } }",
    "SELECT * { ?s ex:p0 ?o MINUS { VALUES ?o { ex:n0 ex:n1 ex:n2 } } }",
    "SELECT * { VALUES ?o { 5 'x' } FILTER(BOUND(?s)) ?s ex:p0 ?o OPTIONAL { ?s ex:p1 ?x FILTER(?x = ?o) } }",
    "SELECT ?s { { SELECT ?s { ?s ex:p0 ?o } VALUES ?s { ex:n0 ex:n1 } } VALUES ?s { ex:n1 ex:n2 } }",
    "SELECT * { { VALUES ?s { ex:n0 ex:n1 ex:n2 } } UNION { VALUES $o { 5 'x' 'x'@en } ?s ex:p0 ?o } }",
    "SELECT * { VALUES ?s { ex:n0 ex:n1 } BIND(STR(?s) AS ?t) VALUES ?o { ex:n3 ex:n0 } ?s ?p ?o }",
    "SELECT ?p (COUNT(*) AS ?n) { VALUES ?o { ex:n0 5 } ?s ?p ?o } GROUP BY ?p VALUES ?p { ex:p0 ex:p1 }",
    "SELECT * { ?s ex:p0 ?o FILTER EXISTS { VALUES ?o { ex:n0 ex:n1 } ?s ex:p1 ?o } }",
    "SELECT * { ?s ex:p0 ?o LATERAL { VALUES ?x { ex:n0 ex:n1 } ?s ex:p1 ?x } }",
    "SELECT * FROM ex:n0 { VALUES ?s { ex:n0 ex:n1 } ?s ex:p0 ?o }",
    "SELECT * { GRAPH ?g { VALUES ?s { ex:n0 ex:n1 } ?s ex:p0 ?o } VALUES ?g { ex:n0 ex:n1 } }",
    "SELECT * { VALUES ?s { ex:n0 ex:n1 } ?s ex:p0 ( ex:n0 ) }",
    "CONSTRUCT { ?s ex:p2 ?o } { VALUES ?s { ex:n0 ex:n1 } ?s ex:p0 ?o }",
    "ASK { VALUES ?s { ex:n0 ex:n1 } ?s ex:p0 ?o }",
]


@given(graphs, st.sampled_from(LISTS))
def test_lists_of_values_have_the_solutions_of_their_own_text(quads: list[ox.Quad], text: str) -> None:
    """Wherever they stand, with and without values for all of their variables, whatever is named a graph."""
    work, store = planner(
        [*quads, *(ox.Quad(one.subject, one.predicate, one.object, NODES[0]) for one in quads[::2])]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "_LONG", 1)

        assert actual(work, EX + text) == expected(store, EX + text)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (1_000, "SELECT * { VALUES ?s { %s } ?s ex:p0 ?o }"),
        (2_000, "SELECT * { ?s ex:p0 ?o FILTER EXISTS { VALUES ?s { %s } } }"),
        (2_000, "SELECT * { ?s ex:p0 ?o } VALUES ?s { %s }"),
    ],
)
def test_lists_stay_where_the_engine_joins_them_or_must_not(rows: int, text: str) -> None:
    """Short ones, those in what is evaluated for each row, and that behind all groups."""
    assert not lists.apart(policy.outline(EX + text % ("ex:n0 " * rows)))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { VALUES ?s }",
        "SELECT * { ?s ?p ?o VALUES }",
        "SELECT * { ?s ?p ?o VALUES ?s (1 2) }",
        "ASK { VALUES ?s 1 }",
        "SELECT * { VALUES ?s { 1 ?o } ?s ?p ?o }",
        "SELECT * { VALUES ?s { 1 2 } UNION { ?s ?p ?o } }",
        "SELECT * { { ?s ?p ?o } UNION VALUES ?s { 1 2 } }",
        "SELECT * { ?s ?p ?o OPTIONAL VALUES ?s { 1 2 } }",
        "SELECT * { ?s ?p ?o MINUS VALUES ?s { 1 2 } }",
        "SELECT * { GRAPH ex:g VALUES ?s { 1 2 } }",
        "SELECT * { { SELECT ?s WHERE VALUES ?s { 1 2 } } }",
        "SELECT * { { SELECT * VALUES ?s { 1 2 } } }",
        "SELECT * { { SELECT (1 AS ?x) VALUES ?s { 1 2 } } }",
    ],
)
def test_a_list_where_none_may_stand_is_a_mistake(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """As it is without anything in its place."""
    monkeypatch.setattr(lists, "_LONG", 1)

    with pytest.raises(QuerySyntaxError) as found:
        actual(planner([])[0], EX + text)
    with pytest.raises(QuerySyntaxError) as wanted:
        expected(planner([])[1], EX + text)

    assert str(found.value) == str(wanted.value)


@pytest.mark.parametrize(
    ("head", "row"), [("?s", "ex:n0"), ("?s", "'{'"), ("(?s)", "(ex:n0)"), ("(?s ?o)", "(<urn:x> 5)")]
)
def test_a_long_list_is_put_apart(head: str, row: str) -> None:
    """With its head and its rows, and nothing else."""
    given_list = f"VALUES {head} {{ {' '.join([row] * 1_001)} }}"
    text = f"{EX}SELECT * {{ ?s ex:p0 ?o . {given_list} ?s ex:p1 ?x }}"

    changed = edited(text, lists.apart(policy.outline(text)))

    apart = f"FILTER(true) {{ SELECT * {{ {given_list} }} }} FILTER(true)"
    assert changed == text.replace(given_list, apart)
