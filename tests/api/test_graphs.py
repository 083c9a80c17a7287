"""`/graphs`: the SPARQL 1.1 Graph Store HTTP Protocol."""

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib.namespace import RDF
from rdflib.term import URIRef
from tests.api.graphs import DOCUMENTS, GRAPH, MANUAL, ONE, TRIPLE, TURTLE, Send, triples, version

from medkg.domain.model import Role
from medkg.domain.namespaces import MEDKG, NUTS
from medkg.state import audit


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/turtle; charset=utf-8"),
        ("*/*", "text/turtle; charset=utf-8"),
        ("application/n-triples", "application/n-triples"),
        ("application/ld+json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("text/html, application/rdf+xml;q=0.5", "application/rdf+xml"),
    ],
)
def test_a_graph_is_read_by_everybody(
    reading: TestClient, read_triples: Any, accept: str, content_type: str
) -> None:
    """Whoever asks gets all triples of one graph, in the format of choice, with a tag and the version."""
    response = reading.get("/graphs", params={"graph": GRAPH + "source/two"}, headers={"accept": accept})
    head = reading.head("/graphs", params={"graph": GRAPH + "source/two"}, headers={"accept": accept})

    found = read_triples(response)
    assert response.headers["content-type"] == content_type
    assert len(found) == 3
    assert (NUTS.PL22, RDF.type, MEDKG.Region) in found
    assert response.headers["x-medkg-version"] == "1"
    assert response.headers["vary"].startswith("Accept")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "etag", "vary", "x-medkg-version"):
        assert head.headers[name] == response.headers[name]


def test_the_default_graph_can_be_read(reading: TestClient) -> None:
    """With ?default the merge comes, each triple once, without the mentions."""
    found = reading.get("/graphs?default", headers={"accept": "application/n-triples"}).text.splitlines()

    counted = reading.get(
        "/sparql", params={"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "format": "csv"}
    )
    assert len(found) == len(set(found)) == int(counted.text.split()[1])
    assert not any("speaks-of" in line for line in found)


def test_a_graph_is_not_sent_twice(reading: TestClient) -> None:
    """A tag stands for one format of one state; with it, the answer is 304."""
    address = {"graph": ONE}
    first = reading.get("/graphs", params=address)
    tag = first.headers["etag"]

    again = reading.get("/graphs", params=address, headers={"if-none-match": f'"x", {tag}'})
    other = reading.get(
        "/graphs", params=address, headers={"if-none-match": tag, "accept": "application/n-triples"}
    )

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200
    assert other.headers["etag"] != tag


@pytest.mark.parametrize(
    ("method", "params", "status", "detail"),
    [
        ("GET", {"graph": "urn:none"}, 404, "There is no graph <urn:none>."),
        ("GET", {"graph": GRAPH + "manual/none"}, 404, "There is no graph"),
        ("PUT", {}, 400, "A request is about one graph."),
        ("DELETE", {}, 400, "A request is about one graph."),
        ("GET", {"graph": [ONE, ONE]}, 400, "A request is about one graph."),
        ("GET", {"graph": ONE, "default": ""}, 400, "A request is about one graph."),
        ("GET", {"graph": ""}, 400, "The graph name '' is no absolute IRI."),
        ("GET", {"graph": "relative"}, 400, "The graph name 'relative' is no absolute IRI."),
        ("GET", {"graph": "urn:a b"}, 400, "The graph name 'urn:a b' is no absolute IRI."),
        ("GET", {"graph": "urn:<script>"}, 400, "The graph name"),
        ("GET", {"graph": ONE, "format": "csv"}, 406, "There is no format 'csv' here."),
        ("PATCH", {"graph": ONE}, 405, "PATCH is not taken here. Allowed: GET, HEAD, PUT, POST, DELETE"),
        ("ET", {"graph": ONE}, 405, "ET is not taken here."),
        ("P", {"graph": ONE}, 405, "P is not taken here."),
    ],
)
def test_a_bad_request_is_refused(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    reading: TestClient, read_problem: Any, method: str, params: dict[str, Any], status: int, detail: str
) -> None:
    """What names no graph, several, or none that is there, is told so."""
    assert read_problem(reading.request(method, "/graphs", params=params), status)["detail"].startswith(
        detail
    )


def test_options_names_the_methods(reading: TestClient) -> None:
    """OPTIONS is answered without a body."""
    response = reading.options("/graphs")

    assert response.status_code == 204
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}


@pytest.mark.parametrize("media_type", DOCUMENTS)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_graph_is_made_from_each_format(send: Send, method: str, media_type: str) -> None:
    """PUT and POST make a graph that is not there: 201, and the triples are those of the document."""
    graph = f"{MANUAL}made-{method.lower()}-{len(media_type)}-{media_type[12:15]}".replace("+", "")

    response = send(method, graph, DOCUMENTS[media_type], content_type=media_type)

    assert response.status_code == 201, response.text
    assert graph in response.json()["changed"]
    assert triples(send("GET", graph)) == {TRIPLE}


def test_put_replaces_and_post_adds(send: Send, union: TestClient) -> None:
    """PUT leaves only what it brings; POST adds; both are 200 on a graph that is there."""
    graph = MANUAL + "life"

    statuses = [send("PUT", graph, "<urn:a> <urn:b> 1, 2 .").status_code]
    statuses.append(send("POST", graph, "<urn:a> <urn:b> 2, 3 .").status_code)
    added = len(triples(send("GET", graph)))
    statuses.append(send("PUT", graph, "<urn:a> <urn:b> 4 .").status_code)
    replaced = len(triples(send("GET", graph)))
    statuses.append(send("DELETE", graph).status_code)
    statuses.append(send("GET", graph).status_code)
    statuses.append(send("DELETE", graph).status_code)

    assert statuses == [201, 200, 200, 200, 404, 404]
    assert (added, replaced) == (3, 1)
    answer = union.get("/sparql", params={"query": f"ASK {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"})
    assert answer.json()["boolean"] is False


def test_an_empty_document_makes_an_empty_graph(send: Send) -> None:
    """A graph may be there without a triple, until it is removed."""
    graph = MANUAL + "empty"

    assert send("PUT", graph, "# nothing\n").status_code == 201
    assert triples(send("GET", graph)) == set()
    assert send("PUT", graph, "").status_code == 200
    assert send("DELETE", graph).status_code == 200
    assert send("GET", graph).status_code == 404


def test_relative_names_are_relative_to_the_graph(send: Send) -> None:
    """The base of a document is the graph that it is sent to (Graph Store Protocol, section 4)."""
    send("PUT", MANUAL + "base", "<#it> <urn:b> <other> .")

    assert triples(send("GET", MANUAL + "base")) == {
        (URIRef(MANUAL + "base#it"), URIRef("urn:b"), URIRef(MANUAL + "other"))
    }


def test_blank_nodes_of_two_documents_stay_apart(send: Send) -> None:
    """The same label in two documents is two nodes."""
    send("PUT", MANUAL + "nodes", "_:x <urn:b> 1 .")
    send("POST", MANUAL + "nodes", "_:x <urn:b> 2 .")

    assert len({subject for subject, _, _ in triples(send("GET", MANUAL + "nodes"))}) == 2


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_the_merge_is_written_by_nobody(
    send: Send, union: TestClient, read_problem: Any, method: str
) -> None:
    """With the union on, ?default can be read and not written."""
    before = version(union)

    body = read_problem(send(method, None, "<urn:a> <urn:b> 1 ."), 409)

    assert body["detail"].endswith("Name a graph: ?graph=IRI.")
    assert version(union) == before


def test_plain_sparql_writes_the_default_graph(plain: TestClient, admin: dict[str, str]) -> None:
    """Without the union, ?default is a graph like any other, and always there."""
    headers = {**admin, **TURTLE}

    put = plain.put("/graphs?default", content="<urn:a> <urn:b> <urn:c> .", headers=headers)
    found = triples(plain.get("/graphs?default"))
    deleted = plain.delete("/graphs?default", headers=admin)

    assert put.status_code == 200
    assert found == {TRIPLE}
    assert deleted.status_code == 200
    assert triples(plain.get("/graphs?default")) == set()
    assert triples(plain.get("/graphs", params={"graph": ONE}))


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_writing_needs_a_token(union: TestClient, read_problem: Any, method: str) -> None:
    """Without one, nothing is even read of the body."""
    response = union.request(
        method, "/graphs", params={"graph": MANUAL + "x"}, content="nonsense", headers=TURTLE
    )

    read_problem(response, 401)


CONDITIONS = [
    ("PUT", True, {"if_match": "{tag}"}, 200),
    ("PUT", True, {"if_match": '"g0"'}, 412),
    ("PUT", True, {"if_match": '"nonsense"'}, 412),
    ("PUT", True, {"if_match": "W/{tag}"}, 412),
    ("PUT", True, {"if_match": '"g1", {tag}, "x"'}, 200),
    ("PUT", True, {"if_match": '"g1", "x"'}, 412),
    ("PUT", True, {"if_match": "*"}, 200),
    ("PUT", False, {"if_match": "*"}, 412),
    ("PUT", False, {"if_match": '"g1"'}, 412),
    ("PUT", False, {"if_none_match": "*"}, 201),
    ("PUT", True, {"if_none_match": "*"}, 412),
    ("POST", True, {"if_none_match": "{tag}"}, 412),
    ("POST", True, {"if_none_match": "W/{tag}"}, 412),
    ("POST", True, {"if_none_match": '"x", {tag}'}, 412),
    ("POST", True, {"if_none_match": '"g1"'}, 200),
    ("POST", True, {"if_match": "{tag}"}, 200),
    ("DELETE", True, {"if_match": "{tag}"}, 200),
    ("DELETE", True, {"if_match": '"g0"'}, 412),
    ("DELETE", False, {"if_match": "*"}, 412),
]


@pytest.mark.parametrize(("method", "there", "condition", "status"), CONDITIONS)
def test_a_write_may_depend_on_the_state(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    send: Send, union: TestClient, method: str, there: bool, condition: dict[str, str], status: int
) -> None:
    """If-Match and If-None-Match keep a client from overwriting what it has not seen (RFC 9110, 13.1)."""
    graph = MANUAL + "conditional"
    send("DELETE", graph)
    if there:
        send("PUT", graph, "<urn:a> <urn:b> 1 .")
        tag = send("GET", graph).headers["etag"]
        assert tag.startswith('"')
        condition = {name: value.format(tag=tag) for name, value in condition.items()}
    before = version(union)

    response = send(method, graph, "<urn:a> <urn:b> 2 .", **condition)

    assert response.status_code == status, response.text
    assert version(union) == before + (status != 412)
    assert ("etag" in response.headers) == (status != 412 and method != "DELETE")


def test_the_tag_of_a_write_is_good_for_the_next(send: Send) -> None:
    """What a write answers as the tag can be insisted on, in the format of the tag or of none."""
    graph = MANUAL + "chain"
    tag = send("PUT", graph, "<urn:a> <urn:b> 1 .").headers["etag"]
    second = send("POST", graph, "<urn:a> <urn:b> 2 .", if_match=tag)

    assert second.status_code == 200
    assert send("POST", graph, "<urn:a> <urn:b> 3 .", if_match=tag).status_code == 412
    assert send("POST", graph, "<urn:a> <urn:b> 3 .", if_match=second.headers["etag"]).status_code == 200


def test_a_tag_of_a_compressed_answer_is_good_too(send: Send) -> None:
    """A client that read the graph compressed may insist on what it saw."""
    graph = MANUAL + "packed"
    send("PUT", graph, "".join(f"<urn:a> <urn:b> {number} .\n" for number in range(500)))
    tag = send("GET", graph, accept_encoding="gzip").headers["etag"]

    assert tag.endswith('-gzip"')
    assert send("PUT", graph, "<urn:a> <urn:b> 1 .", if_match=tag).status_code == 200


def test_other_graphs_keep_their_tags(send: Send) -> None:
    """A write changes the tag of its own graph alone."""
    before = send("GET", ONE).headers["etag"]
    send("PUT", MANUAL + "aside", f"<urn:a> <urn:b> {time.time_ns()} .")

    assert send("GET", ONE, if_none_match=before).status_code == 304


def test_a_key_stands_for_one_write(send: Send) -> None:
    """The same Idempotency-Key gives the first outcome again."""
    graph = MANUAL + "keyed"
    first = send("POST", graph, "_:x <urn:b> 1 .", idempotency_key="graphs-1")
    again = send("POST", graph, "_:x <urn:b> 1 .", idempotency_key="graphs-1")

    assert again.json()["version"] == first.json()["version"]
    assert len(triples(send("GET", graph))) == 1


def test_writes_are_on_record(send: Send, union: TestClient) -> None:
    """Each accepted write is in the audit trail, with its method and its graph."""
    graph = MANUAL + "audited"
    send("PUT", graph, "<urn:a> <urn:b> 1 .")
    accepted = send("DELETE", graph).json()["version"]

    database = union.app.state.context.database()  # type: ignore[attr-defined]
    with database.reading() as connection:
        last, first = audit.recent(connection, 2)

    assert (first.action, first.target, first.role) == ("put", graph, Role.ADMIN)
    assert (last.action, last.target, last.version) == ("delete", graph, accepted)


def test_the_pages_follow_the_write(send: Send, union: TestClient) -> None:
    """What is written is in the merge, with its closures, as soon as the write is answered."""
    send("PUT", MANUAL + "merged", "<urn:m> <urn:b> 1 .")
    there = union.get("/sparql", params={"query": "ASK { <urn:m> <urn:b> 1 }"}).json()["boolean"]
    send("DELETE", MANUAL + "merged")
    gone = union.get("/sparql", params={"query": "ASK { <urn:m> <urn:b> 1 }"}).json()["boolean"]

    assert (there, gone) == (True, False)
