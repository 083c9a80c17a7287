"""store/remote/answers.py: an answer is whole or refused, in whatever pieces it comes."""

import io
import json
from itertools import pairwise

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medkg.domain.errors import StoreFailed
from medkg.store.formats import by_name
from medkg.store.remote import answers
from medkg.store.remote.answers import Inspection, Source
from medkg.store.remote.queries import Form

JSON = {"content-type": "application/sparql-results+json; charset=utf-8"}
TRIPLES = {"content-type": "application/n-triples"}
# As Virtuoso writes it: a blank node with an IRI, and a literal that looks like one.
ROWS = {
    "head": {"link": [], "vars": ["a", "b"]},
    "results": {
        "distinct": False,
        "bindings": [
            {
                "a": {"type": "bnode", "value": "nodeID://b1"},
                "b": {"type": "literal", "value": '"type": "bnode", "value": "nodeID://b1" }]{[ \\'},
            },
            {"a": {"type": "uri", "value": "nodeID://b1"}},
            {
                "b": {
                    "type": "typed-literal",
                    "value": "1",
                    "datatype": "http://www.w3.org/2001/XMLSchema#integer",
                }
            },
        ],
    },
}
TABLE = json.dumps(ROWS, indent=1).encode()
GRAPH = b'<a:b> <a:b> "c" .\n<a:b> <a:b> _:x .\n'


def _source(
    data: bytes, headers: dict[str, str], cuts: list[int] | None = None, limit: int | None = None
) -> Source:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts or [])})
    pieces = (data[start:end] for start, end in pairwise(places))
    kind: answers.Kind = "results" if headers is not TRIPLES else "graph"
    return Source(lambda: next(pieces, b""), Inspection(200, headers, kind, limit))


def _write(source: Source, form: Form, name: str) -> bytes:
    file = io.BytesIO()
    answers.write(source, form, file, by_name(name, answers.kind_of(form)))
    return file.getvalue()


@given(cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=60))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    """However the bytes come, blank nodes lose Virtuoso's name for them, and nothing else changes."""
    found = list(answers.rows(_source(TABLE, {**JSON, "x-sparql-maxrows": "4"}, cuts)))
    (first, literal), (iri, nothing), (_, number) = found
    assert first == ox.BlankNode("b1")
    assert literal == ox.Literal(ROWS["results"]["bindings"][0]["b"]["value"])  # type: ignore[index]
    assert (iri, nothing) == (ox.NamedNode("nodeID://b1"), None)
    assert number == ox.Literal("1", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer"))
    with pytest.raises(StoreFailed, match="3 rows at most"):
        list(answers.rows(_source(TABLE, {**JSON, "x-sparql-maxrows": "3"}, cuts)))


@given(
    end=st.integers(min_value=0, max_value=len(TABLE) - 1),
    name=st.sampled_from(["csv", "tsv", "json", "xml"]),
)
def test_a_table_cut_anywhere_is_refused(end: int, name: str) -> None:
    """There is no byte at which a table can end early without a word."""
    with pytest.raises(StoreFailed, match="cut the answer"):
        _write(_source(TABLE[:end], JSON), "select", name)


@given(end=st.integers(min_value=1, max_value=len(GRAPH) - 2))
def test_a_graph_cut_in_a_line_is_refused(end: int) -> None:
    """A graph that ends in a line is refused; one that ends behind a line looks whole to anybody."""
    if GRAPH[:end].rstrip(b"\n").endswith(b" ."):
        assert list(answers.triples(_source(GRAPH[:end], TRIPLES)))
        return
    with pytest.raises(StoreFailed, match="cut the answer"):
        _write(_source(GRAPH[:end], TRIPLES), "construct", "nt")


@pytest.mark.parametrize("behind", [b"The SPARQL operation has been cancelled", b"}", b"{}", b'"'])
@pytest.mark.parametrize("name", ["csv", "json"])
def test_words_behind_the_end_are_no_part_of_an_answer(behind: bytes, name: str) -> None:
    """A document with something behind it is refused, be it an answer of rows, a boolean or a graph."""
    for data, headers, form, format_ in (
        (TABLE, JSON, "select", name),
        (b'{"head":{},"boolean":true} ', JSON, "ask", name),
        (GRAPH, TRIPLES, "construct", "ttl"),
    ):
        with pytest.raises(StoreFailed, match="cut the answer"):
            _write(_source(data + behind, headers), form, format_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "most", "whole"), [(None, 4, True), (None, 3, False), (3, 3, True), (4, 3, False), (2, 3, True)]
)
def test_a_limit_of_the_query_is_no_cut(limit: int | None, most: int, whole: bool) -> None:
    """As many rows as the query asks for are all of them, though the server sends no more."""
    source = _source(TABLE, {**JSON, "x-sparql-maxrows": str(most)}, limit=limit)
    if whole:
        assert len(answers.solutions(_source(TABLE, JSON)).rows) == len(list(answers.rows(source))) == 3
    else:
        with pytest.raises(StoreFailed, match="rows at most"):
            list(answers.rows(source))


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (206, JSON, "cut the answer"),
        (200, {**JSON, "x-sql-state": "S1TAT"}, "cut the answer"),
        (200, {**JSON, "content-range": "bytes 0-9/100"}, "cut the answer"),
        (200, {"content-type": "application/sparql-results+xml", "x-sparql-maxrows": "9"}, "cut the answer"),
        (200, {**JSON, "content-encoding": "gzip"}, "compresses"),
        (200, {"content-type": "text/html"}, "text/html, which is no results"),
        (200, {"content-type": "text/csv"}, "text/csv, which is no results"),
        (200, TRIPLES, "application/n-triples, which is no results"),
        (200, {}, "no media type"),
    ],
)
def test_a_head_that_promises_no_whole_answer_is_refused(
    status: int, headers: dict[str, str], message: str
) -> None:
    """Known marks of a cut, and what is none of the forms asked for, are refused before a byte is read."""
    with pytest.raises(StoreFailed, match=message):
        Inspection(status, headers, "results")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"head":{},"boolean":true}', b"true"),
        (b'{"head":{"vars":["__ASK_RETVAL"]},"results":{"bindings":[]}}', b"false"),
        (
            b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"1"}}]}}',
            b"true",
        ),
        (
            b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"0"}}]}}',
            b"false",
        ),
    ],
)
def test_an_ask_is_a_boolean_in_every_dialect(data: bytes, value: bytes) -> None:
    """Virtuoso answers an ASK with a row or none."""
    assert _write(_source(data, JSON), "ask", "csv") == value


@pytest.mark.parametrize(("form", "data"), [("select", b'{"head":{},"boolean":true}'), ("ask", TABLE)])
def test_an_answer_of_another_form_is_refused(form: Form, data: bytes) -> None:
    """A boolean is no table, and a table no boolean."""
    with pytest.raises(StoreFailed, match="The SPARQL server answered a"):
        _write(_source(data, JSON), form, "json")
