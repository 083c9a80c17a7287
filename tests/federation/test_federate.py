"""store/federation/federate.py: a service that may call another one, over HTTP, and what it does not do."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from fastapi.testclient import TestClient
from rdflib.namespace import RDFS
from tests.federation.conftest import ADMIN, HERE, Start
from tests.federation.elsewhere import THERE, Answer, Elsewhere, table

from medkg.config import Settings
from medkg.domain.errors import DeadlineExceeded, EndpointFailed, QueryRefused, SettingError
from medkg.domain.model import QueryRequest
from medkg.store.federation.allow import AllowList
from medkg.store.federation.federate import Federation
from medkg.store.room import Limits, Room
from medkg_api.app import create_app

PREFIX = "PREFIX ex: <http://example.org/> "
GRAPH = "https://w3id.org/medkg/graph/manual/loaded"
ROW = {"s": {"type": "uri", "value": "http://example.org/1"}}
TURTLE = "text/turtle"
ASKED = {
    "do": "query",
    "default": (),
    "named": (),
    "labels": (),
    "base": "",
    "accept": "",
    "results": "json",
    "graph": None,
}
"""What a reader is told with a query."""
XML = (
    b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<r:Description r:about="a:s"><p xmlns="a:">x</p></r:Description></r:RDF>'
)


@pytest.fixture(scope="module")
def client(start: Start, server: Elsewhere) -> Iterator[TestClient]:
    """A service that may call the endpoint, and fetch what is below /data."""
    with start(
        service_allow=f"{server.sparql} {server.url}/other", load_allow=f"{server.url}/data"
    ) as client:
        yield client


def ask(client: TestClient, text: str, accept: str = "application/sparql-results+json") -> Any:
    return client.post("/sparql", data={"query": PREFIX + text}, headers={"accept": accept})


def rows(response: Any) -> list[tuple[tuple[str, str], ...]]:
    """Return the rows of an answer in JSON, sorted, each as the names and the terms that are bound."""
    assert response.status_code == 200, response.text
    return by_row(response.json())


def by_row(found: Any) -> list[tuple[tuple[str, str], ...]]:
    return sorted(
        tuple(sorted((name, str(sorted(term.items()))) for name, term in row.items()))
        for row in found["results"]["bindings"]
    )


def detail(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: str = response.json()["detail"]
    assert not [word for word in ("Traceback", "oxigraph", "httpx", "/tmp/", ".py") if word in found]  # noqa: S108
    return found


def write(client: TestClient, text: str, token: str = ADMIN, **parameters: str) -> Any:
    return client.post(
        "/update",
        data={"update": PREFIX + text},
        params=parameters,
        headers={"authorization": f"Bearer {token}"},
    )


# --- Queries ---------------------------------------------------------------------------------------------

CLAUSE = "SERVICE <%> { ?s ex:q ?q FILTER(!isBlank(?s)) }"
QUERIES = {
    "alone": f"SELECT * {{ {CLAUSE} }}",
    "first": f"SELECT * {{ {CLAUSE} ?s ex:p ?o }}",
    "last": f"SELECT * {{ ?s ex:p ?o {CLAUSE} }}",
    "between": f"SELECT * {{ ?s ex:p ?o . {CLAUSE} . OPTIONAL {{ ?s rdfs:label ?l }} }}",
    "optional": f"SELECT * {{ ?s ex:p ?o OPTIONAL {{ {CLAUSE} }} }}",
    "optional with a filter": f"SELECT * {{ ?s ex:p ?o OPTIONAL {{ {CLAUSE} FILTER(?o = 'one') }} }}",
    "union": f"SELECT * {{ {{ ?s ex:p ?o }} UNION {{ {CLAUSE} }} }}",
    "minus": f"SELECT * {{ ?s ex:p ?o MINUS {{ {CLAUSE} }} }}",
    "exists": f"SELECT * {{ ?s ex:p ?o FILTER EXISTS {{ {CLAUSE} }} }}",
    "not exists": f"SELECT * {{ ?s ex:p ?o FILTER NOT EXISTS {{ {CLAUSE} }} }}",
    "subselect": f"SELECT * {{ ?s ex:p ?o {{ SELECT ?s (COUNT(?q) AS ?n) {{ {CLAUSE} }} GROUP BY ?s }} }}",
    "a group": "SELECT * { ?s ex:p ?o SERVICE <%> { SELECT ?s (MAX(?n) AS ?m) { ?s ex:n ?n } GROUP BY ?s } }",
    "graph": f"SELECT * {{ GRAPH ?g {{ ?s ex:p ?o {CLAUSE} }} FILTER(?g != <a:there>) }}",
    "graph alone": f"SELECT * {{ GRAPH ?g {{ {CLAUSE} }} FILTER(?g != <a:there>) }}",
    "two": "SELECT * { SERVICE <%> { ?s ex:q ?q } ?s ex:p ?o SERVICE <%> { ?s ex:n ?n } }",
    "two of the same": f"SELECT * {{ {CLAUSE} {CLAUSE} }}",
    "union of two": "SELECT * { { SERVICE <%> { ?s ex:q ?q } } UNION { SERVICE <%> { ?s ex:n ?q } } }",
    "repeated rows": "SELECT ?s { SERVICE <%> { { ?s ex:n 1 } UNION { ?s ex:n 1 } } }",
    "no variables": "SELECT * { ?s ex:p ?o SERVICE <%> { ex:1 ex:n 1 } }",
    "no variables, twice": "SELECT * { ?s ex:p ?o SERVICE <%> { { ex:1 ex:n 1 } UNION { ex:2 ex:n 2 } } }",
    "no variables, no row": "SELECT * { ?s ex:p ?o SERVICE <%> { ex:1 ex:n 2 } }",
    "no rows": "SELECT * { ?s ex:p ?o SERVICE <%> { ?s ex:none ?q } }",
    "an empty pattern": "SELECT * { ?s ex:p ?o SERVICE <%> {} }",
    "unbound": "SELECT * { ?s ex:p ?o SERVICE <%> { ?s ex:q ?q OPTIONAL { ?s ex:knows ?k } } }",
    "nothing in common": "SELECT * { ?a ex:p ?o SERVICE <%> { ?s ex:n ?n } }",
    "with VALUES": "SELECT * { ?s ex:p ?o SERVICE <%> { VALUES ?s { ex:1 ex:4 } ?s ex:q ?q } }",
    "behind VALUES": f"SELECT * {{ {CLAUSE} }} VALUES (?s ?x) {{ (ex:1 1) (UNDEF 2) }}",
    "with BIND": "SELECT * { SERVICE <%> { ?s ex:n ?n BIND(?n + 1 AS ?m) } BIND(?m + 1 AS ?k) ?s ex:p ?o }",
    "an aggregate": "SELECT (SUM(?n) AS ?sum) (COUNT(*) AS ?count) { SERVICE <%> { ?s ex:n ?n } ?s ex:p ?o }",
    "ordered": f"SELECT ?s ?q {{ {CLAUSE} }} ORDER BY DESC(?q) LIMIT 2 OFFSET 1",
    "distinct": "SELECT DISTINCT ?s { SERVICE <%> { ?s ?p ?o FILTER(!isBlank(?s) && !isBlank(?o)) } }",
    "a property path": "SELECT * { ?s ex:p ?o SERVICE <%> { ?s ex:knows+ ?k } }",
}


@pytest.fixture(scope="module")
def both() -> ox.Store:
    """What is here, as the service has it, and what is there, in a named graph."""
    store = ox.Store()
    label = '<http://example.org/1> <http://www.w3.org/2000/01/rdf-schema#label> "One"@en .'
    for name in (ox.DefaultGraph(), ox.NamedNode("http://example.org/graph")):
        store.load(HERE + label, format=ox.RdfFormat.TURTLE, to_graph=name)
    store.load(THERE, format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode("a:there"))
    return store


@pytest.mark.parametrize("name", QUERIES)
def test_the_result_is_that_of_one_store(
    client: TestClient, elsewhere: Elsewhere, both: ox.Store, name: str
) -> None:
    """A query that calls gives what it gives on one store in which the pattern is asked of a graph."""
    text = QUERIES[name]
    local = both.query(PREFIX + text.replace("SERVICE <%>", "GRAPH <a:there>"), prefixes={"rdfs": str(RDFS)})
    assert isinstance(local, ox.QuerySolutions)
    expected = json.loads(local.serialize(format=ox.QueryResultsFormat.JSON) or b"")

    found = ask(client, text.replace("%", elsewhere.sparql))

    assert rows(found) == by_row(expected)
    assert sorted(found.json()["head"]["vars"]) == sorted(expected["head"]["vars"])
    assert len(elsewhere.asked) == text.count("%")


def test_other_forms_call_too(client: TestClient, elsewhere: Elsewhere) -> None:
    """ASK, CONSTRUCT and DESCRIBE may have a clause."""
    clause = f"SERVICE <{elsewhere.sparql}> {{ ?s ex:n 1 }}"

    assert ask(client, f"ASK {{ {clause} ?s ex:p 'one' }}").json()["boolean"] is True
    assert ask(client, f"ASK {{ {clause} ?s ex:p 'two' }}").json()["boolean"] is False
    made = ask(client, f"CONSTRUCT {{ ?s ex:p ?o }} {{ {clause} ?s ex:p ?o }}", "application/n-triples")
    assert made.text == '<http://example.org/1> <http://example.org/p> "one" .\n'
    described = ask(client, f"DESCRIBE ?s {{ {clause} }}", "application/n-triples")
    assert '"one"' in described.text


def test_what_the_endpoint_is_asked(client: TestClient, elsewhere: Elsewhere) -> None:
    """It gets a form with the pattern as a query of its own, by the SPARQL protocol, and nothing else."""
    assert ask(
        client, f"SELECT * {{ SERVICE <{elsewhere.sparql}> {{ ?s ex:n ?n ; a medkg:Region }} }}"
    ).is_success

    (asked,) = elsewhere.asked
    assert (asked.method, asked.path) == ("POST", "/sparql")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert asked.headers["Accept"] == "application/sparql-results+json"
    assert asked.query == (
        "PREFIX ex: <http://example.org/>\nPREFIX medkg: <https://w3id.org/medkg/ontology#>\n"
        "SELECT * WHERE { ?s ex:n ?n ; a medkg:Region } LIMIT 10001"
    )
    assert "cookie" not in {name.lower() for name in asked.headers}
    assert "authorization" not in {name.lower() for name in asked.headers}


@pytest.mark.parametrize(
    "text",
    [
        "PREFIX there: <%/> SELECT * { SERVICE there:sparql { ?s ex:n 1 } }",
        "BASE <%/> SELECT * { SERVICE <sparql> { ?s ex:n 1 } }",
        "SELECT * {SERVICE<%/sparql>{?s ex:n 1}}",
        "SELECT * { service\n# a comment {\nsilent\n<%/x/../sparql> { ?s ex:n 1 } }",
    ],
)
def test_an_endpoint_may_be_written_in_any_way(client: TestClient, elsewhere: Elsewhere, text: str) -> None:
    """It is listed by what its name stands for."""
    found = ask(client, text.replace("%", elsewhere.url))

    assert [row["s"]["value"] for row in found.json()["results"]["bindings"]] == ["http://example.org/1"]


def test_the_example_of_the_handbook_runs(start: Start, elsewhere: Elsewhere) -> None:
    """The query that the handbook shows joins both, with its endpoint in the place of the one there."""
    page = (Path(__file__).parents[2] / "docs" / "sparql.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n(SELECT [^`]*SERVICE[^`]*)```", page)
    elsewhere.store.load(
        "PREFIX nuts: <http://data.europa.eu/nuts/code/> PREFIX there: <https://example.org/> "
        "nuts:PL22 there:population 4 . nuts:PL there:population 38 .",
        format=ox.RdfFormat.TURTLE,
    )
    regions = (
        "nuts:PL22 a medkg:Region ; skos:prefLabel 'Silesia'@en, 'Silésie'@fr . nuts:PL a medkg:Region ."
    )
    with start(service_allow=elsewhere.sparql) as client:
        insert = f"INSERT DATA {{ GRAPH <{GRAPH}> {{ {regions} }} }}"
        assert write(client, insert, unchecked="true").status_code == 200
        found = ask(client, example.replace("https://example.org/sparql", elsewhere.sparql), "text/csv")

    assert found.text == "region,name,population\r\nhttp://data.europa.eu/nuts/code/PL22,Silesia,4\r\n"


def test_an_answer_is_neither_kept_nor_tagged(client: TestClient, elsewhere: Elsewhere) -> None:
    """Another server may change at any time, so each request calls it again."""
    text = f"SELECT * {{ SERVICE <{elsewhere.sparql}> {{ ?s ex:n ?n }} }}"
    first, second = ask(client, text), ask(client, text)

    assert rows(first) == rows(second)
    assert "etag" not in first.headers
    assert first.headers["cache-control"] == "no-store"
    assert len(elsewhere.asked) == 2
    elsewhere.store.clear()
    assert rows(ask(client, text)) == []


def test_a_query_that_calls_nobody_is_kept_as_ever(client: TestClient, elsewhere: Elsewhere) -> None:
    """A query in which the word is no call has a tag, and nobody is asked."""
    text = "SELECT ?service { ?service ex:p 'one' }"

    assert "etag" in ask(client, text).headers
    assert ask(client, text).is_success
    assert elsewhere.asked == []


def test_labels_and_hints_are_those_of_here(client: TestClient, elsewhere: Elsewhere) -> None:
    """Labels are looked up here; of terms that were only asked for elsewhere nothing is said."""
    text = f"SELECT ?s {{ SERVICE <{elsewhere.sparql}> {{ ?s ex:n 1 OPTIONAL {{ ?s medkg:nonsense ?x }} }} }}"
    found = client.post("/sparql", data={"query": PREFIX + text, "labels": "en", "format": "csv"})

    assert found.text == "s,sLabel\r\nhttp://example.org/1,One\r\n"
    assert "x-medkg-hint" not in found.headers


def test_columns_come_in_the_order_of_the_text(client: TestClient, elsewhere: Elsewhere) -> None:
    """SELECT * names the columns as the query does, those of the clause too."""
    found = ask(
        client, f"SELECT * {{ ?s ex:p ?z SERVICE <{elsewhere.sparql}> {{ ?s ex:n ?b . ?s ex:q ?a }} }}"
    )

    assert found.json()["head"]["vars"] == ["s", "z", "b", "a"]


# --- Refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * { SERVICE <http://example.org/sparql> {} }", "<http://example.org/sparql> is not listed"),
        ("SELECT * { SERVICE SILENT <http://example.org/sparql> {} }", "is not listed"),
        ("SELECT * { SERVICE <%/sparqlx> {} }", "is not listed"),
        ("SELECT * { SERVICE <%/sparql/../data/x> {} }", "is not listed"),
        ("SELECT * { SERVICE <%/data/x> {} }", "is not listed"),
        (
            "SELECT * { SERVICE <%/sparql> {} SERVICE <http://169.254.169.254/> {} }",
            "169.254.169.254/> is not listed",
        ),
        ("SELECT * { SERVICE <urn:x> {} }", "<urn:x> is not listed"),
        ("SELECT * { SERVICE <x> {} }", "<https://medkg.test/x> is not listed"),
    ],
)
def test_what_is_not_listed_is_not_called(
    client: TestClient, elsewhere: Elsewhere, text: str, words: str
) -> None:
    """An endpoint that is not listed is refused with what is, and nobody is asked, not even the others."""
    found = detail(ask(client, text.replace("%", elsewhere.url)), 403)

    assert "SERVICE (line 1, column " in found
    assert words.replace("%", elsewhere.url) in found
    assert f"{elsewhere.sparql} {elsewhere.url}/other" in found
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("SELECT * { SERVICE ?x {} }", 403, "its endpoint is a variable"),
        ("SELECT * { SERVICE <%> { SERVICE <%> {} } }", 403, "it stands in another SERVICE"),
        ("ASK { ?s ?p trueSERVICE<%>{} }", 403, "can't be read for sure"),
        ("SELECT * { SERVICE <%> { ?s ?p } }", 400, "The triple before this has no object"),
        ("SELECT * { SERVICE <%> { ?s nope:p ?o } }", 400, "The prefix nope: is not declared"),
        ("SELECT * { SERVICE <%> {} } # " + "x" * 100_000, 413, "The query has 100,"),
        ("SELECT * {" + " SERVICE <%> {}" * 11 + "}", 413, "11 calls to other servers; the limit is 10"),
    ],
)
def test_what_can_not_be_done_calls_nobody(
    client: TestClient, elsewhere: Elsewhere, text: str, status: int, words: str
) -> None:
    """A query is read before anybody is asked."""
    assert words in detail(ask(client, text.replace("%", elsewhere.sparql)), status)
    assert elsewhere.asked == []


def test_ten_calls_are_made(client: TestClient, elsewhere: Elsewhere) -> None:
    """The limit itself is allowed."""
    clauses = f" SERVICE <{elsewhere.sparql}> {{ ex:1 ex:n 1 }}" * 10

    assert len(rows(ask(client, f"SELECT * {{ ?s ex:p 'one' {clauses} }}"))) == 1
    assert len(elsewhere.asked) == 10


def test_without_a_list_nothing_is_called(start: Start, elsewhere: Elsewhere) -> None:
    """As shipped, a service calls no other, and says so; the list of one keyword is not that of the other."""
    query, load = (
        f"SELECT * {{ SERVICE <{elsewhere.sparql}> {{}} }}",
        f"LOAD <{elsewhere.url}/data/x> INTO GRAPH <{GRAPH}>",
    )
    with start() as client:
        assert "this endpoint calls no other" in detail(ask(client, query), 403)
        assert "this endpoint calls no other" in detail(write(client, load), 403)
    with start(load_allow=elsewhere.url) as client:
        assert "this endpoint calls no other" in detail(ask(client, query), 403)
        both = f"{load}; {INSERT.replace('%', elsewhere.sparql)}"
        assert f"<{elsewhere.sparql}> is not listed. None is." in detail(write(client, both), 403)
    with start(service_allow=elsewhere.url) as client:
        assert "this endpoint calls no other" in detail(write(client, load), 403)
    assert elsewhere.asked == []


# --- Failures --------------------------------------------------------------------------------------------

FAILURES = {
    "404": (Answer(b"no", status=404), "answered with HTTP 404"),
    "500": (Answer(b"java.lang.NullPointerException", status=500), "answered with HTTP 500"),
    "400": (Answer(b"no such function", status=400), "answered with HTTP 400"),
    "a page": (Answer(b"<html>", "text/html"), "answers with text/html instead of"),
    "XML": (
        Answer(b"<sparql/>", "application/sparql-results+xml"),
        "answers with application/sparql-results+xml",
    ),
    "garbage": (Answer(b"garbage"), "something else than the rows of a SELECT, or with a part"),
    "half": (Answer(table(["s"], ROW)[:-3]), "something else than the rows of a SELECT, or with a part"),
    "broken off": (Answer(table(["s"], ROW), length=10_000), "broke its answer off"),
    "a boolean": (Answer(b'{"head":{},"boolean":true}'), "answers with a boolean"),
    "another variable": (Answer(table(["x"], {})), "a variable that it was not asked for"),
    "partial": (Answer(table(["s"], ROW), status=206), "cut its answer"),
    "a part, as Virtuoso says": (
        Answer(table(["s"], ROW), headers={"X-SQL-State": "S1TAT"}),
        "cut its answer",
    ),
    "as many rows as it sends": (
        Answer(table(["s"], ROW), headers={"X-SPARQL-MaxRows": "1"}),
        "1 rows at most",
    ),
    "elsewhere": (Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}), "that is not listed here"),
    "the cloud": (
        Answer(status=307, headers={"Location": "http://169.254.169.254/"}),
        "that is not listed here",
    ),
    "nested without end": (
        Answer(b'{"head":{"vars":["s"]},"results":{"bindings":' + b"[" * 1_000_000),
        "answers with",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_call_is_an_error_that_names_the_endpoint(
    client: TestClient, elsewhere: Elsewhere, name: str
) -> None:
    """502 with the endpoint and what it did, and nothing of its page. Silent, it is as if not there."""
    elsewhere.answers["/other"], words = FAILURES[name]
    text = f"SELECT * {{ ?s ex:p ?o SERVICE % <{elsewhere.url}/other> {{ ?s ex:n ?n }} }}"

    found = detail(ask(client, text.replace("%", "")), 502)
    assert found.startswith(f"<{elsewhere.url}/other> ")
    assert words in found
    assert "java" not in found
    silent = ask(client, text.replace("%", "SILENT"))
    assert len(rows(silent)) == 3
    assert silent.json()["head"]["vars"] == ["s", "o", "n"]


def test_a_closed_port(start: Start) -> None:
    """An endpoint that is not there is one that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/sparql"
    with start(service_allow=url) as client:
        text = f"SELECT * {{ ?s ex:p ?o SERVICE % <{url}> {{ ?s ex:n ?n }} }}"

        assert f"<{url}> does not answer" in detail(ask(client, text.replace("%", "")), 502)
        assert len(rows(ask(client, text.replace("%", "SILENT")))) == 3


def test_one_failure_ends_the_query(client: TestClient, elsewhere: Elsewhere) -> None:
    """A call that fails is not made good by another that does not."""
    elsewhere.answers["/other"] = Answer(status=500)
    one, other = (
        f"SERVICE <{elsewhere.sparql}> {{ ?s ex:n 1 }}",
        f"SERVICE <{elsewhere.url}/other> {{ ?s ex:q ?q }}",
    )
    text = f"SELECT * {{ {one} {other} }}"

    assert "/other> answered with HTTP 500" in detail(ask(client, text), 502)


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Answer(table(["s"], *[ROW] * 10_001)), 403, "answers with more than 10,000 rows"),
        (Answer(b" " * 10_000_001), 413, "sends more than 10,000,000 bytes"),
        (Answer(table(["s"], {"s": {"type": "bnode", "value": "x"}})), 501, "answers with blank nodes"),
    ],
    ids=["rows", "bytes", "blank nodes"],
)
def test_what_is_too_much_is_never_left_out(
    client: TestClient, elsewhere: Elsewhere, answer: Answer, status: int, words: str
) -> None:
    """Over the limits, and with blank nodes, nothing is answered; SILENT does not hide it."""
    elsewhere.answers["/other"] = answer
    for silent in ("", "SILENT"):
        text = f"SELECT * {{ SERVICE {silent} <{elsewhere.url}/other> {{ ?s ex:n ?n }} }}"
        assert words in detail(ask(client, text), status)


def test_as_many_rows_as_there_may_be(client: TestClient, elsewhere: Elsewhere) -> None:
    """The limit itself is allowed, and the data are no operators or parts of the query."""
    elsewhere.answers["/other"] = Answer(table(["s", "n"], *[ROW] * 10_000))

    found = ask(client, f"SELECT (COUNT(*) AS ?c) {{ SERVICE <{elsewhere.url}/other> {{ ?s ex:n ?n }} }}")
    assert found.json()["results"]["bindings"][0]["c"]["value"] == "10000"


def test_the_deadline_includes_the_call(start: Start, elsewhere: Elsewhere) -> None:
    """An endpoint that does not answer in time ends the query with 503, and others go on meanwhile."""
    wait = threading.Event()
    elsewhere.answers["/sparql"] = Answer(wait=wait)
    with start(service_allow=elsewhere.sparql, query_timeout_s=2) as client:
        text = f"SELECT * {{ SERVICE <{elsewhere.sparql}> {{ ?s ?p ?o }} }}"
        assert "stopped after 2 seconds, while it waited" in detail(ask(client, text), 503)
        assert ask(client, "ASK { ?s ex:p 'one' }").json()["boolean"] is True
    wait.set()


@pytest.mark.anyio
async def test_what_a_call_took_is_no_longer_there_for_the_engine(root: Path, elsewhere: Elsewhere) -> None:
    """The time that other servers take is that of the query."""
    wait = threading.Event()
    elsewhere.answers["/sparql"] = Answer(table(["s"], ROW), wait=wait)
    listed = AllowList.read("MEDKG_SERVICE_ALLOW", elsewhere.url)
    room = Room(root, limits=Limits(query_timeout=3_600), federation=Federation(listed, AllowList()))
    await room.start()
    try:
        request = QueryRequest(f"SELECT * {{ SERVICE <{elsewhere.sparql}> {{ ?s ?p ?o }} }}")
        asking = asyncio.create_task(room._text("query", request))
        while not elsewhere.asked:  # noqa: ASYNC110 - another thread is waited for
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        wait.set()
        assert (await asking).head["spent"] >= 0.2

        product = " ".join(f"?s{number} ?p{number} ?o{number} ." for number in range(20))
        heavy = f"SELECT (COUNT(*) AS ?n) {{ {product} }}".encode()
        with pytest.raises(DeadlineExceeded, match="ran longer than 3600 seconds"):
            await room._ask({**ASKED, "spent": 3_600}, heavy, None)
    finally:
        await room.close()


def test_many_that_wait_do_not_stop_the_others(start: Start, elsewhere: Elsewhere) -> None:
    """Requests that wait for another server take no place of those that do not."""
    wait = threading.Event()
    elsewhere.answers["/sparql"] = Answer(wait=wait)
    with start(service_allow=elsewhere.sparql, query_timeout_s=60) as client:
        text = f"SELECT * {{ SERVICE SILENT <{elsewhere.sparql}> {{ ?s ?p ?o }} }}"
        threads = [threading.Thread(target=ask, args=(client, text)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for number in range(20):
            assert ask(client, f"ASK {{ ?service ex:p {number} }}").json()["boolean"] is False
        wait.set()
        for thread in threads:
            thread.join()


# --- Updates ---------------------------------------------------------------------------------------------

INSERT = f"INSERT {{ GRAPH <{GRAPH}> {{ ?s ex:n ?n }} }} WHERE {{ ?s ex:p ?o SERVICE <%> {{ ?s ex:n ?n }} }}"
LOAD = f"LOAD <%/data/x> INTO GRAPH <{GRAPH}>"
COUNT = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}"


def count(client: TestClient) -> int:
    return int(ask(client, COUNT).json()["results"]["bindings"][0]["n"]["value"])


@pytest.fixture
def unchecked(client: TestClient) -> dict[str, str]:
    """The parameter that skips the shapes, for a graph that is not there yet."""
    parameters = {"unchecked": "true"}
    assert write(client, f"DROP SILENT GRAPH <{GRAPH}>", **parameters).status_code == 200
    return parameters


def test_an_update_may_call(client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str]) -> None:
    """What an endpoint gives for a pattern in WHERE is written."""
    response = write(client, INSERT.replace("%", elsewhere.sparql), **unchecked)

    assert response.status_code == 200, response.text
    found = ask(client, f"SELECT * {{ GRAPH <{GRAPH}> {{ ?s ex:n ?n }} }}")
    assert [(row["s"]["value"][-1], row["n"]["value"]) for row in found.json()["results"]["bindings"]] in (
        [("1", "1"), ("2", "2")],
        [("2", "2"), ("1", "1")],
    )


@pytest.mark.parametrize(
    ("body", "media_type", "number"),
    [
        (b"<a:s> <b> <#c>, 1, 'x'@en, [ <a:p> 'node' ] .", TURTLE, 5),
        (b'<a:s> <a:p> "\\u0000 } ; DROP ALL ; \\" <a:x>" .\n', "application/n-triples", 1),
        (b'{"@id": "a:s", "a:p": ["x", "y"]}', "application/ld+json", 2),
        (
            XML,
            "application/rdf+xml",
            1,
        ),
        (b"", TURTLE, 0),
        (b"<a:s> <a:p> <<( <a:s> <a:p> <a:o> )>> .", TURTLE, 1),
    ],
)
def test_a_document_is_loaded(  # noqa: PLR0913, PLR0917 - a document is three things
    client: TestClient,
    elsewhere: Elsewhere,
    unchecked: dict[str, str],
    body: bytes,
    media_type: str,
    number: int,
) -> None:
    """LOAD fetches a listed document of each type of graph, and writes its triples into the graph."""
    elsewhere.answers["/data/x"] = Answer(body, media_type)

    response = write(client, LOAD.replace("%", elsewhere.url), **unchecked)

    assert response.status_code == 200, response.text
    assert count(client) == number
    (asked,) = elsewhere.asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/data/x", "")


def test_a_document_is_loaded_as_what_it_is(
    client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str]
) -> None:
    """The triples are those of the document, with its address in the end as the base."""
    elsewhere.answers["/data/x"] = Answer(status=303, headers={"Location": "/data/y/doc"})
    elsewhere.answers["/data/y/doc"] = Answer(b'<z> <#p> "a\\"b", 1.5 , "x"@en .', TURTLE + "; charset=utf-8")
    write(client, LOAD.replace("%", elsewhere.url), **unchecked)

    found = client.get("/graphs", params={"graph": GRAPH}, headers={"accept": "application/n-triples"}).text
    start = f"<{elsewhere.url}/data/y/z> <{elsewhere.url}/data/y/doc#p> "
    assert sorted(found.splitlines()) == sorted(
        start + value
        for value in ('"a\\"b" .', '"1.5"^^<http://www.w3.org/2001/XMLSchema#decimal> .', '"x"@en .')
    )


def test_operations_follow_each_other(
    client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str]
) -> None:
    """A LOAD stands between the others as it is written, and all are one transaction."""
    elsewhere.answers["/data/x"] = Answer(b"<a:s> <a:p> 1, 2 .", TURTLE)
    load = LOAD.replace("%", elsewhere.url)
    text = (
        f"INSERT DATA {{ GRAPH <{GRAPH}> {{ <a:s> <a:p> 3 }} }} ; {load} ; "
        f"DELETE DATA {{ GRAPH <{GRAPH}> {{ <a:s> <a:p> 1 }} }} ;"
    )
    response = write(client, text, **unchecked)
    assert response.status_code == 200, response.text
    assert count(client) == 2

    before = client.get("/health/ready").json()["version"]
    failed = write(
        client, f"DROP GRAPH <{GRAPH}> ; {load} ; CREATE GRAPH <http://example.org/graph>", **unchecked
    )
    assert failed.status_code == 409, failed.text
    assert count(client) == 2
    assert client.get("/health/ready").json()["version"] == before


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b"no", status=404), "answered with HTTP 404"),
        (Answer(b"<html>", "text/html"), "can't be loaded. A document of type 'text/html' is not taken here"),
        (Answer(b"x", ""), "can't be loaded. A document of type 'none' is not taken here"),
        (Answer(b"x", "application/n-quads"), "may hold several graphs"),
        (Answer(b"<a:s> <a:p>", TURTLE), "can't be loaded: The text/turtle does not parse"),
        (Answer(b"<a:s> <a:p> 1 .", TURTLE, length=100), "broke its answer off"),
        (Answer(status=302, headers={"Location": "/secret"}), "leads to an address that is not listed here"),
        (Answer(b"<a:p>" * 10, TURTLE, headers={"Content-Encoding": "br"}), "compresses its answer"),
    ],
    ids=str,
)
def test_a_document_that_can_not_be_loaded(
    client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str], answer: Answer, words: str
) -> None:
    """502 with its address and the reason, and nothing is changed; silent, the operation does nothing."""
    elsewhere.answers["/data/x"] = answer
    load = LOAD.replace("%", elsewhere.url)
    insert = f"INSERT DATA {{ GRAPH <{GRAPH}> {{ <a:s> <a:p> 1 }} }}"

    found = detail(write(client, f"{insert} ; {load}", **unchecked), 502)
    assert found.startswith(f"<{elsewhere.url}/data/x> ")
    assert words in found
    assert count(client) == 0
    silent = write(client, f"{insert} ; {load.replace('LOAD', 'LOAD SILENT')}", **unchecked)
    assert silent.status_code == 200, silent.text
    assert count(client) == 1


def test_a_document_over_the_limit(start: Start, elsewhere: Elsewhere, unchecked: dict[str, str]) -> None:
    """Neither a document nor the triples that it comes to may be larger than a document that is sent."""
    load = LOAD.replace("%", elsewhere.url).replace("LOAD", "LOAD SILENT")
    short = (
        b"@prefix e: <http://example.org/"
        + b"x" * 1_000
        + b"> . e:s e:p "
        + b", ".join(b"e:%d" % number for number in range(600))
    )
    with start(load_allow=elsewhere.url, max_body_mb=1) as client:
        elsewhere.answers["/data/x"] = Answer(b" " * 1_048_577, TURTLE)
        assert "sends more than 1,048,576 bytes" in detail(write(client, load, **unchecked), 413)
        elsewhere.answers["/data/x"] = Answer(short + b" .", TURTLE)
        assert "more than 1,048,576 bytes of triples" in detail(write(client, load, **unchecked), 413)
        elsewhere.answers["/data/x"] = Answer(b"<a:s> <a:p> '" + b"x" * 1_048_000 + b"' .", TURTLE)
        assert write(client, load, **unchecked).status_code == 200
        assert count(client) == 1


def test_a_load_that_is_not_listed(
    client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str]
) -> None:
    """It is refused with what is listed; silent, it does nothing, as ever."""
    load = f"LOAD <{elsewhere.url}/secret> INTO GRAPH <{GRAPH}>"

    found = detail(write(client, load, **unchecked), 403)
    assert (
        f"<{elsewhere.url}/secret> is not listed. Listed are the addresses below: {elsewhere.url}/data"
        in found
    )
    assert write(client, load.replace("LOAD", "LOAD SILENT"), **unchecked).status_code == 200
    assert count(client) == 0
    assert elsewhere.asked == []


def test_a_load_without_a_graph(start: Start, elsewhere: Elsewhere, unchecked: dict[str, str]) -> None:
    """It writes to the default graph where there is one, and is refused where that is the merge."""
    elsewhere.answers["/data/x"] = Answer(b"<a:s> <a:p> 1 .", TURTLE)
    load = f"LOAD <{elsewhere.url}/data/x>"
    with start(load_allow=elsewhere.url) as client:
        assert "writes outside GRAPH" in detail(write(client, load, **unchecked), 409)
        assert elsewhere.asked == []
    with start(load_allow=elsewhere.url, union_default_graph=False) as client:
        assert write(client, load, **unchecked).status_code == 200
        assert ask(client, "ASK { <a:s> <a:p> 1 }").json()["boolean"] is True


@pytest.mark.parametrize("text", [LOAD, INSERT.replace("<%>", "<%/sparql>")])
def test_nobody_is_called_for_a_stranger(client: TestClient, elsewhere: Elsewhere, text: str) -> None:
    """Without a token, or with a wrong one, an update calls nobody."""
    text = text.replace("%", elsewhere.url)

    assert client.post("/update", data={"update": PREFIX + text}).status_code == 401
    assert write(client, text, ADMIN[::-1]).status_code == 401
    assert elsewhere.asked == []


@pytest.mark.parametrize("graph", ["http://example.org/graph", "https://w3id.org/medkg/graph/inferred"])
def test_rights_are_those_of_any_write(client: TestClient, elsewhere: Elsewhere, graph: str) -> None:
    """A LOAD into a graph that its author may not write is refused, and leaves the graph as it is."""
    elsewhere.answers["/data/x"] = Answer(b"<a:s> <a:p> 1 .", TURTLE)
    load = f"LOAD <{elsewhere.url}/data/x> INTO GRAPH <{graph}>"

    assert f"<{graph}>" in detail(write(client, load), 403)
    assert ask(client, "ASK { GRAPH ?g { <a:s> <a:p> 1 } }").json()["boolean"] is False


def test_a_write_that_was_done_calls_nobody_again(
    client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str]
) -> None:
    """A request that is sent again with its key gets the first outcome, even when the server is gone."""
    elsewhere.answers["/data/x"] = Answer(b"<a:s> <a:p> 1 .", TURTLE)
    form = {"update": LOAD.replace("%", elsewhere.url)}
    headers = {"authorization": f"Bearer {ADMIN}", "idempotency-key": "once"}
    first = client.post("/update", data=form, params=unchecked, headers=headers)
    elsewhere.answers["/data/x"] = Answer(status=500)
    second = client.post("/update", data=form, params=unchecked, headers=headers)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["version"] == second.json()["version"]
    assert len(elsewhere.asked) == 1


def test_no_document_stays_behind(
    client: TestClient, elsewhere: Elsewhere, unchecked: dict[str, str]
) -> None:
    """The files into which documents are read are gone, whatever came of them."""
    for answer in (Answer(b"<a:s> <a:p> 1 .", TURTLE), Answer(b"<a:s>", TURTLE), Answer(status=500)):
        elsewhere.answers["/data/x"] = answer
        write(client, LOAD.replace("%", elsewhere.url), **unchecked)

    context: Any = client.app
    assert list((context.state.context.settings.data_dir / "spool").iterdir()) == []


# --- What a service says of it -----------------------------------------------------------------------------

FEATURE = "<http://www.w3.org/ns/sparql-service-description#BasicFederatedQuery>"


def test_a_service_says_whether_it_calls_others(start: Start, client: TestClient) -> None:
    """The limits and the service description tell, so that a program need not try."""
    accept = {"accept": "application/n-triples"}
    with start() as other:
        limits = other.get("/limits").json()
        assert (limits["service"], limits["load"]) == (False, False)
        plain = other.get("/sparql", headers=accept)
        assert FEATURE not in plain.text
    limits = client.get("/limits").json()
    assert (limits["service"], limits["load"]) == (True, True)
    found = client.get("/sparql", headers={**accept, "if-none-match": plain.headers["etag"]})
    assert found.status_code == 200
    assert FEATURE in found.text


@pytest.mark.parametrize("name", ["service_allow", "load_allow"])
def test_a_bad_list_stops_the_start(root: Path, name: str) -> None:
    """One line names the setting, its value, and what was expected."""
    line = rf"^MEDKG_{name.upper()} has the value 'x': expected addresses such as .*$"
    with pytest.raises(SettingError, match=line):
        create_app(Settings(data_dir=root, **{name: "x"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["service_allow", "load_allow"])
def test_another_engine_calls_nobody(root: Path, name: str) -> None:
    """In front of another server a list stops the start: that server would have to make the calls."""
    given = {"data_dir": root, "store_url": "http://127.0.0.1:9/query", name: "http://a.org/"}
    line = rf"^MEDKG_{name.upper()} has the value 'http://a.org/': expected none, since .* MEDKG_STORE_URL$"
    with pytest.raises(SettingError, match=line):
        create_app(Settings.model_validate(given))


# --- The second wall -------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_the_engine_calls_nobody(root: Path, elsewhere: Elsewhere) -> None:
    """With the lists set, a reader and the writer still can't open a socket, whatever text gets to them."""
    everything = AllowList.read("MEDKG_SERVICE_ALLOW", elsewhere.url)
    room = Room(root, limits=Limits(), federation=Federation(everything, everything))
    await room.start()
    try:
        text = f"ASK {{ SERVICE <{elsewhere.sparql}> {{ ?s ?p ?o }} }}"
        with pytest.raises(QueryRefused, match="SERVICE"):
            await room._ask(ASKED, text.encode(), None)

        probe = await room._readers.blank()
        filters = [_filter(pid) for kind, pid in room.processes() if kind == "reader"] + [_filter(probe.pid)]
        assert filters
        assert set(filters) == {"2"}
        probe.end()
    finally:
        await room.close()
    assert elsewhere.asked == []


def _filter(pid: int) -> str:
    """Return the mode in which the system filters the calls of a process; 2 is by a program."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Seccomp:"))


@pytest.mark.anyio
async def test_a_name_that_leads_inside_is_not_called(root: Path, elsewhere: Elsewhere) -> None:
    """A listed endpoint whose name leads to this machine is an error; silent, it is as if not there."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        assert host == "a.test"
        return ["127.0.0.1"] if port else []

    url = f"http://a.test:{elsewhere.url.rpartition(':')[2]}/sparql"
    federation = Federation(AllowList.read("MEDKG_SERVICE_ALLOW", url), AllowList(), resolve=resolve)
    room = Room(root, federation=federation)
    await room.start()
    try:
        with pytest.raises(
            EndpointFailed, match=f"<{url}> can't be called: its host has an address that is not"
        ):
            await room.query(QueryRequest(f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}"), "text/csv")
        reply = await room.query(
            QueryRequest(f"SELECT (COUNT(*) AS ?n) {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}"), "text/csv"
        )
        assert reply.body == b"n\r\n1\r\n"
        assert reply.volatile
    finally:
        await room.close()
    assert elsewhere.asked == []


@pytest.mark.anyio
async def test_a_client_that_leaves_ends_the_call(root: Path, elsewhere: Elsewhere) -> None:
    """When nobody waits any more, the connection is closed and no process stays."""
    wait = threading.Event()
    elsewhere.answers["/sparql"] = Answer(wait=wait)
    everything = AllowList.read("MEDKG_SERVICE_ALLOW", elsewhere.url)
    room = Room(root, federation=Federation(everything, AllowList(), parallel=1))
    await room.start()
    try:
        text = f"SELECT * {{ SERVICE <{elsewhere.sparql}> {{ ?s ?p ?o }} }}"
        task = asyncio.create_task(room.query(QueryRequest(text), "text/csv"))
        while not elsewhere.asked:  # noqa: ASYNC110 - another thread is waited for
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        wait.set()
        elsewhere.answers.clear()
        # Its place is free again.
        reply = await room.query(QueryRequest(text.replace("?s ?p ?o", "?s ?p 1")), "text/csv")
        assert reply.body is not None
        assert reply.body.count(b"\r\n") == 2
    finally:
        await room.close()
