"""store/federation/rows.py: an answer becomes a block of data that means the same, or an error."""

import io
import json
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.federation.elsewhere import table

from medkg.domain.errors import AnswerTooLarge, EndpointFailed, MedkgError, NotSupported
from medkg.store.federation.rows import MOST_ROWS, unit, write
from medkg.store.tokens import read

XSD = "http://www.w3.org/2001/XMLSchema#"


def block(answer: bytes, *variables: str, most: int = 0) -> str:
    target = io.BytesIO()
    write({"iri": "a:x", "variables": variables, "most": most}, io.BytesIO(answer), target)
    return target.getvalue().decode()


def solutions(text: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the variables and the rows of a group, as the engine has them."""
    found = ox.Store().query(f"SELECT * {{ {text} }}")
    assert isinstance(found, ox.QuerySolutions)
    names = [variable.value for variable in found.variables]
    return names, [tuple(row) for row in found]


def uri(value: str) -> dict[str, str]:
    return {"type": "uri", "value": value}


def literal(value: str, **more: str) -> dict[str, str]:
    return {
        "type": "literal",
        "value": value,
        **{name.replace("_", ":"): text for name, text in more.items()},
    }


def test_every_kind_of_term_comes_through() -> None:
    """IRIs, strings, languages, directions, datatypes and triples are the same in the block."""
    triple = {"subject": uri("a:s"), "predicate": uri("a:p"), "object": literal('"o"')}
    values = [
        uri("http://example.org/\u00e9#x"),
        literal(""),
        literal("quote \" ' back \\ line \n return \r tab \t zero \0 \u2028 \U0001f600"),
        literal("}) } UNION { SERVICE <a:y> { # ?x"),
        literal("x", xml_lang="en-GB"),
        literal("x", xml_lang="ar", its_dir="rtl"),
        literal("1", datatype=XSD + "integer"),
        literal("1.5", datatype=XSD + "decimal"),
        literal("none", datatype=XSD + "integer"),
        {"type": "triple", "value": triple},
        {"type": "triple", "value": {**triple, "object": {"type": "triple", "value": triple}}},
    ]
    answer = table(["a"], *({"a": value} for value in values))
    parsed = ox.parse_query_results(answer, ox.QueryResultsFormat.JSON)
    assert isinstance(parsed, ox.QuerySolutions)

    assert solutions(block(answer, "a")) == (["a"], [tuple(row) for row in parsed])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_string_comes_through(text: str) -> None:
    """No text ends the literal that it is in, for the engine and for our own reading."""
    found = block(table(["a"], {"a": literal(text)}), "a")

    assert solutions(found)[1] == [(ox.Literal(text),)]
    reading = read(f"SELECT * {{ {found} }}")
    assert reading.doubt is None
    assert [token.kind for token in reading.tokens].count("string") == 1


def test_rows_and_columns_stay_as_they_are() -> None:
    """Repeated rows are repeated, what is unbound stays unbound, and the columns are those of the clause."""
    answer = table(["b", "a"], {"a": literal("1")}, {"b": literal("2")}, {}, {"a": literal("1")})

    names, rows = solutions(block(answer, "a", "b", "c"))
    assert names == ["a", "b", "c"]
    one, two = ox.Literal("1"), ox.Literal("2")
    assert rows == [(one, None, None), (None, two, None), (None, None, None), (one, None, None)]


@pytest.mark.parametrize(
    ("answer", "variables", "number"),
    [
        (table([]), [], 0),
        (table([], {}, {}, {}), [], 3),
        (table(["a"]), ["a"], 0),
        (table(["a"], {}), ["a"], 1),
        (table([]), ["a"], 0),
        (b'{"results":{"bindings":[{}]},"head":{"vars":["a"]},"x":[1]}', ["a"], 1),
    ],
)
def test_no_rows_and_no_columns(answer: bytes, variables: list[str], number: int) -> None:
    """Without rows nothing joins; without columns each row joins with everything."""
    assert solutions(block(answer, *variables)) == (variables, [(None,) * len(variables)] * number)


@pytest.mark.parametrize("variables", [(), ("a",), ("a", "b")])
def test_a_failed_call_that_is_silent_is_one_row_that_binds_nothing(variables: tuple[str, ...]) -> None:
    """So all rows beside it stay (SPARQL 1.1 Federated Query, section 2.3), and the columns are there."""
    assert solutions(unit(variables)) == (list(variables), [(None,) * len(variables)])


ROW = {"a": literal("x")}
GOOD = table(["a"], ROW)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"<html>no</html>",
        b"\xff\xfe",
        b'<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"/>',
        GOOD[:-1],
        GOOD[:-10],
        GOOD + b"cancelled",
        GOOD + GOOD,
        json.dumps({"head": {}, "boolean": True}).encode(),
        table(["a"], {"a": uri("a:b> } SERVICE <a:x")}),
        table(["a"], {"a": uri("relative")}),
        table(["a"], {"a": uri("")}),
        table(["a"], {"a": uri("a:\\u003E")}),
        table(["a"], {"a": literal("x", datatype="a:b> ) }")}),
        table(["a"], {"a": literal("x", xml_lang="en } SERVICE")}),
        table(["a"], {"a": {"type": "other", "value": "x"}}),
        table(["a"], {"a": "x"}),
        table(["a"], {"b": literal("x")}),
        table(["a", "a"], ROW),
        table(["a) { } SERVICE <a:y> { ?s ?p ?o"], {}),
        table(["?a"], {}),
        table(["b"], {"b": literal("x")}),
        table(["a", "b"], ROW),
        b'{"head":{"vars":["a"]},"results":{"bindings":' + b"[" * 100_000,
    ],
    ids=lambda answer: answer[:60].decode("latin-1"),
)
def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    """What is cut, garbled, of another form, or about other variables is an error that names the endpoint."""
    with pytest.raises(EndpointFailed, match=r"^<a:x> ") as caught:
        block(answer, "a")
    assert "SERVICE <" not in str(caught.value)


@pytest.mark.parametrize(
    "term",
    [
        {"type": "bnode", "value": "b"},
        {
            "type": "triple",
            "value": {
                "subject": {"type": "bnode", "value": "b"},
                "predicate": uri("a:p"),
                "object": uri("a:o"),
            },
        },
    ],
)
def test_blank_nodes_are_refused(term: dict[str, Any]) -> None:
    """A blank node means nothing outside of the answer that it is in."""
    with pytest.raises(NotSupported, match="<a:x> answers with blank nodes"):
        block(table(["a"], ROW, {"a": term}), "a")


@pytest.mark.parametrize(
    ("rows", "most", "error"),
    [
        (MOST_ROWS, 0, None),
        (MOST_ROWS + 1, 0, AnswerTooLarge),
        (9, 10, None),
        (10, 10, EndpointFailed),
        (11, 10, EndpointFailed),
        (MOST_ROWS, MOST_ROWS, EndpointFailed),
        (MOST_ROWS, MOST_ROWS + 1, None),
    ],
)
def test_too_many_rows_are_an_error(rows: int, most: int, error: type[MedkgError] | None) -> None:
    """More than the limit, or as many as the endpoint sends at most, are not taken for all of them."""
    answer = table(["a"], *[ROW] * rows)
    if error is None:
        assert len(solutions(block(answer, "a", most=most))[1]) == rows
        return
    with pytest.raises(error, match=r"^<a:x> .*rows"):
        block(answer, "a", most=most)
