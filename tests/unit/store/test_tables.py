"""store/tables.py: rows that are written here are the bytes that the engine writes."""

from typing import cast

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medkg.store.labels import Row, Term
from medkg.store.tables import BY_ROW, HEADS

P = ox.NamedNode("https://example.org/p")
XSD = "http://www.w3.org/2001/XMLSchema#"
FORMATS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
# In TSV both forms of these are right: the engine writes them as they are, the rows as \u0001.
TEXTS = st.text(st.sampled_from("aé\U0001f600 \t\r\n\"',;\\<>&]{}\u0085\u2028\ufeff"), max_size=8)
PLAIN = st.one_of(
    TEXTS.map(ox.Literal),
    TEXTS.map(lambda text: ox.Literal(text, language="fr-be")),
    TEXTS.map(lambda text: ox.Literal(text, language="ar", direction=ox.BaseDirection.RTL)),
    TEXTS.map(lambda text: ox.Literal(text, datatype=ox.NamedNode("https://example.org/it's,a&b"))),
    st.sampled_from(
        [ox.NamedNode("https://example.org/é?a=b&c'd"), ox.BlankNode("b.1"), ox.Literal("x", language="en")]
    ),
    st.sampled_from(
        [
            ("1", "integer"),
            ("-7", "integer"),
            ("one", "integer"),
            ("1.5", "decimal"),
            ("0.001", "decimal"),
            ("1000000", "double"),
            ("NaN", "double"),
            ("false", "boolean"),
            ("2024-02-29", "date"),
        ]
    ).map(lambda pair: ox.Literal(pair[0], datatype=ox.NamedNode(XSD + pair[1]))),
)
WITH_TRIPLES = st.recursive(
    PLAIN, lambda objects: st.builds(ox.Triple, st.just(ox.BlankNode("s")), st.just(P), objects), max_leaves=2
)


def _results(values: list[Term]) -> ox.QuerySolutions:
    store = ox.Store()
    for place, value in enumerate(values):
        store.add(ox.Quad(ox.NamedNode(f"https://example.org/{place}"), P, value))
    query = "SELECT ?s ?gap ?é { ?s <https://example.org/p> ?é } ORDER BY ?s"
    return cast("ox.QuerySolutions", store.query(query))


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("name", list(FORMATS))
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_rows_are_the_bytes_of_the_engine(name: str, size: int, data: st.DataObject) -> None:
    """In batches of any size, by row and by the engine, a result is the same text; but for XML's CR."""
    values: list[Term] = data.draw(st.lists(PLAIN if name == "csv" else WITH_TRIPLES, max_size=5))
    rows: list[Row] = [list(solution) for solution in _results(values)]
    batches = iter([rows[start : start + size] for start in range(0, len(rows), size)])
    expected = (_results(values).serialize(format=FORMATS[name]) or b"").decode()
    found = "".join(BY_ROW[name](["s", "gap", "é"], batches))

    if name == "xml":
        expected, found = (text.replace("&#13;", "\r") for text in (expected, found))
    assert found == expected


@pytest.mark.parametrize("names", [[], ["x"], ["x", "é", "_1"]])
@pytest.mark.parametrize("name", list(HEADS))
def test_heads_are_those_of_the_engine(name: str, names: list[str]) -> None:
    """What the engine writes first is the head, which lets another one take its place."""
    variables = " ".join("?" + item for item in names) or "*"
    results = cast("ox.QuerySolutions", ox.Store().query(f"SELECT {variables} {{}}"))

    assert (results.serialize(format=FORMATS[name]) or b"").decode().startswith(HEADS[name](names))
