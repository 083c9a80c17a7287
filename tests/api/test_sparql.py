"""`/sparql`: the SPARQL 1.1 Protocol for queries."""

import csv
import io
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fastapi.testclient import TestClient
from rdflib.term import URIRef
from tests.api.queries import ASK, SELECT

from medkg.config import Settings
from medkg.domain.namespaces import NUTS

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
FORM = {"content-type": "application/x-www-form-urlencoded"}
DIRECT = {"content-type": "application/sparql-query"}
NUTS_GRAPH = "https://w3id.org/medkg/graph/nuts"
ALIASES_GRAPH = "https://w3id.org/medkg/graph/source/aliases"


def number(response: Any) -> int:
    return int(response.json()["results"]["bindings"][0]["n"]["value"])


@pytest.mark.parametrize("way", ["get", "form", "direct"])
def test_a_query_comes_in_three_ways(client: TestClient, way: str) -> None:
    """By GET, by a posted form, and as the body itself, a query has the same answer (Protocol, 2.1)."""
    response = {
        "get": lambda: client.get("/sparql", params={"query": SELECT}),
        "form": lambda: client.post("/sparql", data={"query": SELECT}),
        "direct": lambda: client.post("/sparql", content=SELECT, headers=DIRECT),
    }[way]()

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/sparql-results+json"
    assert response.headers["x-medkg-version"] == "1"
    assert "Accept" in response.headers["vary"]
    assert response.json()["results"]["bindings"] == [
        {
            "region": {"type": "uri", "value": str(NUTS.PL22)},
            "name": {"type": "literal", "value": "Śląskie", "xml:lang": "pl"},
        }
    ]


def test_the_protocol_names_the_dataset(client: TestClient) -> None:
    """default-graph-uri and named-graph-uri choose the graphs; several default graphs are one merge."""
    in_graph = {
        name: number(client.get("/sparql", params={"query": COUNT, "default-graph-uri": name}))
        for name in (NUTS_GRAPH, ALIASES_GRAPH)
    }
    both = client.get(
        "/sparql", params=[("query", COUNT), *(("default-graph-uri", name) for name in in_graph)]
    )
    twice = client.get("/sparql", params=[("query", COUNT), *[("default-graph-uri", NUTS_GRAPH)] * 2])
    posted = client.post(
        f"/sparql?{urlencode({'default-graph-uri': NUTS_GRAPH})}", content=COUNT, headers=DIRECT
    )
    form = client.post("/sparql", data={"query": COUNT, "default-graph-uri": NUTS_GRAPH})

    assert number(both) == sum(in_graph.values())
    assert number(twice) == number(posted) == number(form) == in_graph[NUTS_GRAPH]


def test_named_graphs_are_what_graph_sees(client: TestClient) -> None:
    """With named-graph-uri, GRAPH sees those graphs alone, and the default graph is empty."""
    asked = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }"

    found = client.get("/sparql", params={"query": asked, "named-graph-uri": NUTS_GRAPH}).json()
    rest = client.get("/sparql", params={"query": COUNT, "named-graph-uri": NUTS_GRAPH})

    assert [row["g"]["value"] for row in found["results"]["bindings"]] == [NUTS_GRAPH]
    assert number(rest) == 0


def test_the_protocol_goes_before_from(client: TestClient) -> None:
    """A dataset of the request replaces the one in the query (Protocol, 2.1.4)."""
    query = COUNT.replace("{", f"FROM <{ALIASES_GRAPH}> {{")
    alone = client.get("/sparql", params={"query": query})
    both = client.get("/sparql", params={"query": query, "default-graph-uri": NUTS_GRAPH})
    nuts = client.get("/sparql", params={"query": COUNT, "default-graph-uri": NUTS_GRAPH})

    assert 0 < number(alone) < number(both) == number(nuts)


def test_a_graph_that_is_not_there_is_empty(client: TestClient) -> None:
    """An unknown graph is an empty one; nothing is fetched for it."""
    response = client.get("/sparql", params={"query": COUNT, "default-graph-uri": "http://127.0.0.1:9/x"})

    assert number(response) == 0


@pytest.mark.parametrize("name", ["default-graph-uri", "named-graph-uri"])
@pytest.mark.parametrize(
    "value", ["", "relative", "not an iri", "http://x/<y>", "http://x/%zz", "http://x:y/"]
)
def test_a_graph_must_be_an_iri(client: TestClient, read_problem: Any, name: str, value: str) -> None:
    """A graph that is no absolute IRI is a bad request that names it."""
    body = read_problem(client.get("/sparql", params={"query": COUNT, name: value}), 400)

    assert body["detail"] == f"The graph name {value!r} is no IRI. Write an absolute IRI."


def test_from_knows_the_prefixes_of_medkg(client: TestClient) -> None:
    """A prefix that needs no declaration needs none after FROM either."""
    response = client.get("/sparql", params={"query": COUNT.replace("{", "FROM graph:nuts {")})

    assert number(response) > 0


def test_relative_names_are_relative_to_the_endpoint(client: TestClient) -> None:
    """What is relative in a query is relative to the address that it is sent to, unless it says otherwise."""
    answers = [
        client.get("/sparql", params={"query": query, "format": "csv"}).text.split()[1]
        for query in ("SELECT (<x> AS ?i) {}", "BASE <http://example.org/> SELECT (<x> AS ?i) {}")
    ]

    assert answers == ["https://medkg.test/x", "http://example.org/x"]


@pytest.mark.parametrize("graph", ["<a b>", "nowhere:x", '"text"'])
def test_a_bad_from_is_a_bad_query(client: TestClient, read_problem: Any, graph: str) -> None:
    """A FROM clause with something that is no IRI is an error of the query, not of the service."""
    response = client.get("/sparql", params={"query": COUNT.replace("{", f"FROM {graph} {{")})

    read_problem(response, 400)


@pytest.mark.parametrize(
    ("method", "arguments", "status", "detail"),
    [
        ("HEAD", {"params": {"query": "ASK {"}}, 400, None),
        ("POST", {"data": {"format": "csv"}}, 400, "There is no query."),
        (
            "GET",
            {"params": [("query", ASK), ("query", ASK)]},
            400,
            "There are several queries in one request.",
        ),
        (
            "POST",
            {"params": {"query": ASK}, "content": ASK, "headers": DIRECT},
            400,
            "There are several queries",
        ),
        (
            "GET",
            {"params": {"update": "CLEAR ALL"}},
            400,
            "This address takes queries. Send updates to /update",
        ),
        (
            "POST",
            {"data": {"update": "CLEAR ALL"}},
            400,
            "This address takes queries. Send updates to /update",
        ),
        ("POST", {"data": {"query": "CLEAR ALL"}}, 400, "The query does not parse at line 1"),
        (
            "POST",
            {"content": ASK, "headers": {"content-type": "text/plain"}},
            415,
            "A body of type 'text/plain' is",
        ),
        (
            "POST",
            {"content": ASK},
            415,
            "A body of type 'none' is not taken here. Send one of: application/sparql-query,",
        ),
        (
            "POST",
            {"files": {"query": ("q.rq", ASK)}},
            415,
            "A body of type 'multipart/form-data' is not taken",
        ),
        (
            "POST",
            {"content": "CLEAR ALL", "headers": {"content-type": "application/sparql-update"}},
            415,
            "A body of type 'application/sparql-update' is not taken here.",
        ),
        ("POST", {"content": b"ASK { \xff }", "headers": DIRECT}, 400, "The body is not UTF-8 (byte 6)."),
        (
            "GET",
            {"url": "/sparql?query=ASK%20%FF"},
            400,
            "The address is not UTF-8. Percent-encode the UTF-8",
        ),
        (
            "POST",
            {"content": b"query=ASK%20%FF", "headers": FORM},
            400,
            "The body is not UTF-8. Percent-encode",
        ),
        (
            "POST",
            {"content": b"query=ASK%20\xff", "headers": FORM},
            400,
            "The body is not UTF-8. Percent-encode",
        ),
        (
            "POST",
            {"content": b"#" * 500_000, "headers": DIRECT},
            413,
            "The body is longer than 400,000 bytes.",
        ),
        (
            "POST",
            {"data": {"query": "#" * 100_001}},
            413,
            "The query has 100,001 bytes; the limit is 100,000.",
        ),
        (
            "POST",
            {"data": {"query": "ASK " + "{" * 101 + "}" * 101}},
            413,
            "The query is nested 101 levels deep",
        ),
        ("PUT", {"content": ASK}, 405, "PUT is not taken here. Allowed: "),
        ("DELETE", {}, 405, "DELETE is not taken here. Allowed: "),
    ],
)
def test_a_bad_request_is_refused(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    client: TestClient,
    read_problem: Any,
    method: str,
    arguments: dict[str, Any],
    status: int,
    detail: str | None,
) -> None:
    """Each way to call the endpoint wrongly has a status and a sentence of its own."""
    response = client.request(method, **{"url": "/sparql", **arguments})

    if detail is None:
        assert (response.status_code, response.content) == (status, b"")
    else:
        assert read_problem(response, status)["detail"].startswith(detail)


def test_other_methods_are_named(client: TestClient) -> None:
    """A 405 says which methods there are."""
    assert set(client.delete("/sparql").headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


def test_options_names_the_methods(client: TestClient) -> None:
    """OPTIONS is answered without a body."""
    response = client.options("/sparql")

    assert (response.status_code, response.content) == (204, b"")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


def test_without_a_query_the_endpoint_describes_itself(client: TestClient, read_triples: Any) -> None:
    """GET without a query gives the service description (Service Description, section 2)."""
    response = client.get("/sparql")

    endpoint = URIRef("http://www.w3.org/ns/sparql-service-description#endpoint")
    found = {str(object_) for _, predicate, object_ in read_triples(response) if predicate == endpoint}
    assert response.headers["content-type"] == "text/turtle; charset=utf-8"
    assert found == {"https://medkg.test/sparql", "https://medkg.test/update"}


@pytest.mark.parametrize(
    ("query", "line", "column"),
    [
        ("", 1, 1),
        ("SELECT * {", 1, 11),
        ("SELECT ?x {\n  ?x a medkg:Region .\n  ?x a nope:X\n}", 3, 8),
        ("SELECT * { ?s nope:p ?o }", 1, 15),
        ("ASK { ?s ?p 'Śląsk }", 1, 13),
    ],
)
def test_a_syntax_error_has_its_place(
    client: TestClient, read_problem: Any, query: str, line: int, column: int
) -> None:
    """A query that does not parse is answered with line and column, as numbers and in words."""
    body = read_problem(client.get("/sparql", params={"query": query}), 400)

    assert (body["line"], body["column"]) == (line, column)
    assert body["detail"].startswith(f"The query does not parse at line {line}, column {column}.")


@pytest.mark.parametrize(
    "pattern",
    [
        "SERVICE <http://127.0.0.1:9/> { ?s ?p ?o }",
        "SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o }",
        "BIND(<http://127.0.0.1:9/> AS ?x) service ?x { ?s ?p ?o }",
        "{ SELECT * { SERVICE#comment\n<http://127.0.0.1:9/> { ?s ?p ?o } } }",
    ],
)
def test_no_query_leaves_the_house(client: TestClient, read_problem: Any, pattern: str) -> None:
    """SERVICE is forbidden, however it is written."""
    body = read_problem(client.get("/sparql", params={"query": f"SELECT * {{ {pattern} }}"}), 403)

    assert body["detail"].startswith("SERVICE (line 1, column ")


def test_the_word_service_is_allowed_in_names_and_texts(client: TestClient) -> None:
    """A variable, a text or a comment may hold the word."""
    query = 'ASK { BIND("SERVICE <x>" AS ?service) } # SERVICE <http://127.0.0.1:9/>'

    assert client.get("/sparql", params={"query": query}).json()["boolean"] is True


def test_head_has_the_headers_and_no_body(client: TestClient) -> None:
    """HEAD answers like GET, without the rows."""
    got = client.get("/sparql", params={"query": SELECT, "format": "csv"})
    head = client.head("/sparql", params={"query": SELECT, "format": "csv"})

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "x-medkg-version", "cache-control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    "text", ["a%20b", "a+b", "a b", "100%", "Śląsk & Ąę", "%C5%9A", "'\"\\", "x=y&query=z"]
)
@pytest.mark.parametrize("way", ["get", "form", "direct"])
def test_a_query_is_decoded_once(client: TestClient, text: str, way: str) -> None:
    """Percent signs, plus signs and other letters of a query arrive as they were before encoding."""
    literal = json.dumps(text, ensure_ascii=False)
    query = f"SELECT ({literal} AS ?x) {{}}"
    encoded = f"query={quote(query, safe='')}"

    response = {
        "get": lambda: client.get(f"/sparql?{encoded}"),
        "form": lambda: client.post("/sparql", content=encoded, headers=FORM),
        "direct": lambda: client.post("/sparql", content=query.encode(), headers=DIRECT),
    }[way]()

    assert response.json()["results"]["bindings"] == [{"x": {"type": "literal", "value": text}}]


def test_a_long_answer_arrives_whole(client: TestClient) -> None:
    """All rows of a large answer come, in chunks, as the engine writes them."""
    query = "SELECT ?s ?p ?o { ?s ?p ?o }"

    rows = list(csv.reader(io.StringIO(client.get("/sparql", params={"query": query, "format": "csv"}).text)))

    assert len(rows) - 1 == number(client.get("/sparql", params={"query": COUNT}))


def test_which_actions_two_regions_share_and_who_says_so(client: TestClient) -> None:
    """Śląskie and Veneto share two actions, from October 2021 to December 2025, says the health roadmap."""
    query = """
    SELECT ?action ?from ?to ?source WHERE {
      ?one skos:prefLabel "Śląskie"@pl . ?other skos:prefLabel "Veneto"@it .
      GRAPH ?source {
        ?action a medkg:InnovationAction ; medkg:region ?one , ?other ;
          medkg:plannedFrom ?from ; medkg:plannedTo ?to .
      }
    }
    ORDER BY ?action
    """

    response = client.get("/sparql", params={"query": query}, headers={"accept": "text/csv"})

    base = "https://w3id.org/medkg"
    source = f"{base}/graph/source/chain-reactions-health-roadmap"
    assert response.text.splitlines() == [
        "action,from,to,source",
        f"{base}/id/action/medsilesia-competence-centre,2021-10,2025-12,{source}",
        f"{base}/id/action/medtech-biomed-observatory,2021-10,2025-12,{source}",
    ]


def test_limits_are_settings(settings: Settings, client: TestClient) -> None:
    """The longest query taken is the setting's, to the byte."""
    limit = settings.max_query_bytes
    longest = "ASK {}".ljust(limit)

    assert client.post("/sparql", content=longest, headers=DIRECT).status_code == 200
    assert client.post("/sparql", content=longest + " ", headers=DIRECT).status_code == 413
