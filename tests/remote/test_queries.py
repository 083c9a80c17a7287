"""store/remote/queries.py: texts on their way to another server, judged by what the engine makes of them."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.errors import NotSupported, ParameterError, QueryRefused, QuerySyntaxError
from medkg.domain.model import Term
from medkg.store.remote import queries

A, B = URIRef("https://e.test/a"), URIRef("https://e.test/b")


def _rows(text: str) -> list[tuple[str, ...]]:
    store = ox.Store()
    for name in ("a", "b"):
        node = ox.NamedNode(f"https://e.test/{name}")
        store.add(ox.Quad(node, ox.NamedNode("https://e.test/p"), ox.Literal(name)))
    found = store.query(text)
    assert isinstance(found, ox.QuerySolutions)
    return [tuple("" if term is None else str(term) for term in row) for row in found]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("SELECT * {}", "select"),
        ("BASE <https://e.test/> PREFIX : <x#> # SELECT\n ask{}", "ask"),
        ("PREFIX a:<https://e.test/>CONSTRUCT {} WHERE {}", "construct"),
        ("DESCRIBE <https://e.test/a>", "describe"),
    ],
)
def test_the_form_of_a_query_is_told(text: str, form: str) -> None:
    """The first word behind the prologue is the form, in any case."""
    assert queries.prepare(text).form == form


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("INSERT DATA { <a:b> <a:b> <a:b> }", 1, 1),
        ("# a query\n  DELETE WHERE { ?s ?p ?o }", 2, 3),
        ('DEFINE get:soft "soft" SELECT * {}', 1, 1),
        ("PREFIX a: <https://e.test/> LOAD <https://e.test/>", 1, 29),
        ("", 1, 1),
        ("SELECT * {", 1, 11),
    ],
)
def test_what_is_no_query_is_not_sent(text: str, line: int, column: int) -> None:
    """An update that comes as a query is refused here: Virtuoso would run it."""
    with pytest.raises(QuerySyntaxError) as caught:
        queries.prepare(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT (<bif:http_get>('http://127.0.0.1/') AS ?x) {}",
        "PREFIX b: <SQL:> SELECT (b:x() AS ?x) {}",
        r"SELECT (<\u0062if:x>() AS ?x) {}",
        r"SELECT (<\U00000062if:x>() AS ?x) {}",
        "SELECT * { ?s <java:com.example.Property> ?o }",
    ],
)
def test_functions_of_a_server_are_refused(text: str) -> None:
    """What a server has built in besides SPARQL may read files and open connections."""
    with pytest.raises(QueryRefused):
        queries.prepare(text)
    with pytest.raises(QueryRefused):
        queries.prepare_update(f"INSERT {{ ?s ?p ?o }} WHERE {{ {{ {text} }} }}")


@pytest.mark.parametrize(
    ("text", "shift", "start"),
    [
        ("SELECT * { ?s a skos:Concept }", 1, "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>\nSELECT"),
        ("PREFIX skos: <https://e.test/> SELECT * { ?s a skos:Concept }", 0, "PREFIX skos: <https://e"),
        ("SELECT * { ?s ?p ?o }", 0, "SELECT"),
    ],
)
def test_prefixes_that_are_taken_for_granted_are_sent(text: str, shift: int, start: str) -> None:
    """The prefixes of medkg need no declaration; the text's own one wins, and lines are counted."""
    prepared = queries.prepare(text)
    assert (prepared.shift, prepared.text.startswith(start)) == (shift, True)
    _rows(prepared.text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?s ?o { ?s ?p ?o }",
        "SELECT ?s ?o WHERE { ?s ?p ?o FILTER(?s = <https://e.test/a>) }",
        "SELECT ?s (MAX(?v) AS ?o) { ?s ?p ?v } GROUP BY ?s HAVING(COUNT(?v) = 1)",
        "SELECT ?s ?o { SELECT ?s ?o { ?s ?p ?o } }",
        "SELECT ?s (IF(EXISTS { ?s ?p ?any }, ?v, 1) AS ?o) { ?s ?p ?v }",
        "SELECT ?s ?o { { ?s ?p ?o } UNION { ?s ?p ?o } } LIMIT 1",
        "SELECT ?s ?o # {\n { # }\n ?s ?p ?o FILTER(STR(?o) != '{') }",
    ],
)
def test_a_bound_variable_has_its_value(text: str) -> None:
    """The answer has the rows with the value, wherever the outermost group is."""
    assert _rows(queries.prepare(text, {"s": A}).text) == [("<https://e.test/a>", '"a"')]


@pytest.mark.parametrize(
    "text",
    ["CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "CONSTRUCT WHERE { ?s ?p ?o }", "DESCRIBE ?s { ?s ?p ?o }"],
)
def test_values_are_bound_in_graphs_too(text: str) -> None:
    """A CONSTRUCT and a DESCRIBE take values as a SELECT does."""
    store = ox.Store()
    for name in ("a", "b"):
        node = ox.NamedNode(f"https://e.test/{name}")
        store.add(ox.Quad(node, ox.NamedNode("https://e.test/p"), ox.Literal(name)))
    found = store.query(queries.prepare(text, {"s": B}).text)
    assert isinstance(found, ox.QueryTriples)
    assert [str(triple.subject) for triple in found] == ["<https://e.test/b>"]


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    kind=st.sampled_from([{}, {"lang": "en-GB"}, {"datatype": A}]),
)
def test_any_text_is_a_value_and_nothing_else(text: str, kind: dict[str, str]) -> None:
    """Quotes, braces and line ends in a value stay in the value."""
    value = Literal(text, normalize=False, **kind)
    prepared = queries.prepare("SELECT ?x { FILTER(STRLEN(STR(?x)) >= 0) }", {"x": value})
    ((found,),) = _rows(prepared.text)
    assert found == queries.term_text(value)


@pytest.mark.parametrize(
    ("bindings", "error"),
    [
        ({"s": BNode("x")}, NotSupported),
        ({"s": URIRef("https://e.test/> ?x ?y } #")}, ParameterError),
        ({"s) { ?x": A}, ParameterError),
        ({"": A}, ParameterError),
    ],
)
def test_what_can_not_be_bound_safely_is_refused(bindings: dict[str, Term], error: type[Exception]) -> None:
    """A blank node, an IRI that is none, and a name that is none are not sent."""
    with pytest.raises(error):
        queries.prepare("SELECT ?s { ?s ?p ?o }", bindings)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("SELECT * { ?s ?p ?o } LIMIT 5", 5),
        ("SELECT * { ?s ?p ?o } OFFSET 3 LIMIT 5", 5),
        ("SELECT * { ?s ?p ?o } # LIMIT 5", None),
        ("SELECT * { { SELECT * { ?s ?p ?o } LIMIT 5 } }", None),
        ("SELECT * { ?s ?p 'LIMIT 5' }", None),
        ("PREFIX e: <https://e.test/> SELECT * { ?s e:LIMIT 5 }", None),
    ],
)
def test_the_rows_that_a_query_asks_for_are_told(text: str, limit: int | None) -> None:
    """Only a LIMIT of the whole query says how many rows it asks for."""
    assert queries.prepare(text).limit == limit


@pytest.mark.parametrize(
    "text",
    [
        "CONSTRUCT { ?s ?p [] } FROM <https://e.test/g> WHERE { ?s ?p ?o } LIMIT 5",
        "CONSTRUCT FROM <https://e.test/g> WHERE { ?s ?p ?o } LIMIT 5",
        "CONSTRUCT { } { { SELECT ?s { ?s ?p ?o } } } LIMIT 5",
        "DESCRIBE ?s FROM <https://e.test/g> WHERE { ?s ?p ?o } LIMIT 5",
        "DESCRIBE ?s <https://e.test/WHERE> { ?s ?p ?o } LIMIT 5",
        "DESCRIBE * { ?s a skos:Concept } LIMIT 5",
    ],
)
def test_the_rows_behind_triples_can_be_asked_for(text: str) -> None:
    """The SELECT that stands behind a CONSTRUCT or DESCRIBE parses, and keeps its dataset and its limit."""
    rows = queries.prepare(text).rows
    assert rows is not None
    assert rows.endswith("LIMIT 5")
    assert ("FROM <https://e.test/g>" in rows) == ("FROM" in text)
    _rows(rows)


def test_a_description_without_a_pattern_has_no_rows() -> None:
    """A DESCRIBE of an IRI alone is made of no rows."""
    assert queries.prepare("DESCRIBE <https://e.test/a>").rows is None
