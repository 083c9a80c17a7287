"""`/sparql`: the formats of answers, and what is not acceptable."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib.namespace import RDF
from tests.api.queries import ASK, BROWSER, CONSTRUCT, SELECT

from medkg.domain.namespaces import MEDKG, NUTS


@pytest.mark.parametrize(
    ("accept", "content_type", "start"),
    [
        ("", "application/sparql-results+json", '{"head":'),
        ("*/*", "application/sparql-results+json", '{"head":'),
        ("application/json", "application/sparql-results+json", '{"head":'),
        ("application/sparql-results+xml", "application/sparql-results+xml", "<?xml"),
        ("text/csv", "text/csv; charset=utf-8", "region,name\r\n"),
        ("text/tab-separated-values", "text/tab-separated-values; charset=utf-8", "?region\t?name\n"),
        ("text/csv;q=0.5, text/tab-separated-values", "text/tab-separated-values; charset=utf-8", "?region"),
        ("text/html;q=0.1, text/csv", "text/csv; charset=utf-8", "region"),
        ("image/png, */*;q=0.1", "application/sparql-results+json", '{"head":'),
    ],
)
def test_rows_come_as_the_client_wants_them(
    client: TestClient, accept: str, content_type: str, start: str
) -> None:
    """Accept chooses JSON, XML, CSV or TSV, by quality."""
    response = client.get("/sparql", params={"query": SELECT}, headers={"accept": accept})

    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert response.text.startswith(start)
    assert "Śląskie" in response.text


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/turtle; charset=utf-8"),
        ("application/n-triples", "application/n-triples"),
        ("application/ld+json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/rdf+xml, text/turtle;q=0.9", "application/rdf+xml"),
    ],
)
def test_graphs_come_as_the_client_wants_them(
    client: TestClient, read_triples: Any, accept: str, content_type: str
) -> None:
    """Accept chooses Turtle, N-Triples, JSON-LD or RDF/XML, and each holds the same triples."""
    response = client.get("/sparql", params={"query": CONSTRUCT}, headers={"accept": accept})

    assert response.headers["content-type"] == content_type
    assert read_triples(response) == {(NUTS.PL22, RDF.type, MEDKG.Region)}


@pytest.mark.parametrize(
    ("query", "name", "content_type"),
    [
        (SELECT, "csv", "text/csv; charset=utf-8"),
        (SELECT, "xml", "application/sparql-results+xml"),
        (ASK, "json", "application/sparql-results+json"),
        (CONSTRUCT, "nt", "application/n-triples"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
    ],
)
def test_the_format_parameter_wins(client: TestClient, query: str, name: str, content_type: str) -> None:
    """The parameter format takes a short name or a media type, and goes before Accept."""
    response = client.get("/sparql", params={"query": query, "format": name}, headers=BROWSER)

    assert response.status_code == 200
    assert response.headers["content-type"] == content_type


def test_an_ask_is_answered_in_each_format(client: TestClient) -> None:
    """A yes is a yes in JSON, XML, CSV and TSV."""
    answers = {
        name: client.get("/sparql", params={"query": ASK, "format": name}).text
        for name in ("json", "xml", "csv", "tsv")
    }

    assert json.loads(answers["json"])["boolean"] is True
    assert "<boolean>true</boolean>" in answers["xml"]
    assert answers["csv"].strip() == answers["tsv"].strip() == "true"


@pytest.mark.parametrize(
    ("query", "accept", "offered"),
    [
        (SELECT, "image/png", "json (application/sparql-results+json), xml"),
        (SELECT, "text/turtle", "csv (text/csv), tsv (text/tab-separated-values)."),
        (CONSTRUCT, "text/csv", "ttl (text/turtle), nt (application/n-triples)"),
        (ASK, "text/csv;q=0", "json (application/sparql-results+json)"),
    ],
)
def test_what_nobody_can_write_is_not_acceptable(
    client: TestClient, read_problem: Any, query: str, accept: str, offered: str
) -> None:
    """When nothing fits Accept, the answer is 406 and names what is offered."""
    response = client.get("/sparql", params={"query": query}, headers={"accept": accept})

    assert offered in read_problem(response, 406)["detail"]


@pytest.mark.parametrize(("query", "name"), [(SELECT, "pdf"), (SELECT, "ttl"), (CONSTRUCT, "csv")])
def test_an_unknown_format_is_not_acceptable(
    client: TestClient, read_problem: Any, query: str, name: str
) -> None:
    """A format that is not there, or not for this kind of answer, is 406 and names those there are."""
    response = client.get("/sparql", params={"query": query, "format": name})

    assert read_problem(response, 406)["detail"].startswith(
        f"There is no format {name!r} here. Ask for one of: "
    )
