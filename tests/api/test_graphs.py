"""`/graphs`: the SPARQL 1.1 Graph Store HTTP Protocol."""

import gzip
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib import Graph
from rdflib.namespace import RDF
from rdflib.term import URIRef

from medkg.domain.model import Role
from medkg.domain.namespaces import MEDKG, NUTS
from medkg.state import audit

GRAPH = "https://w3id.org/medkg/graph/"
MANUAL = GRAPH + "manual/"
ONE = GRAPH + "source/one"
TURTLE = {"content-type": "text/turtle"}
TRIPLE = (URIRef("urn:a"), URIRef("urn:b"), URIRef("urn:c"))
DOCUMENTS = {
    "text/turtle": "<urn:a> <urn:b> <urn:c> .",
    "application/n-triples": "<urn:a> <urn:b> <urn:c> .\n",
    "application/ld+json": '[{"@id": "urn:a", "urn:b": [{"@id": "urn:c"}]}]',
    "application/rdf+xml": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="urn:">'
        '<rdf:Description rdf:about="urn:a"><x:b rdf:resource="urn:c"/></rdf:Description></rdf:RDF>'
    ),
}
# Ten levels of ten: a billion letters, if anybody writes them out.
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY e0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    + ']><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="urn:x:">'
    '<rdf:Description rdf:about="urn:a"><x:b>&e9;</x:b></rdf:Description></rdf:RDF>'
)


@pytest.fixture(scope="module")
def union(start: Any) -> Iterator[TestClient]:
    """A client of a service whose default graph is the merge, and that takes bodies of a megabyte."""
    with start(max_body_mb=1, worker_memory_mb=512, update_timeout_s=20) as client:
        yield client


@pytest.fixture(scope="module")
def plain(start: Any) -> Iterator[TestClient]:
    """A client of a service in plain SPARQL."""
    with start(union_default_graph=False) as client:
        yield client


Send = Callable[..., Any]


@pytest.fixture
def send(union: TestClient, admin: dict[str, str]) -> Send:
    """Sends a request about a graph, as an administrator who skips the validation."""

    def sent(method: str, graph: str | None, content: Any = None, **headers: str) -> Any:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            fields = {**TURTLE, **fields}
        params = {"unchecked": "true", **({"default": ""} if graph is None else {"graph": graph})}
        return union.request(method, "/graphs", params=params, content=content, headers={**admin, **fields})

    return sent


def version(client: TestClient) -> int:
    return int(client.app.state.context.endpoint.version)  # type: ignore[attr-defined]


def spool(client: TestClient) -> list[Path]:
    """Return the files of documents that were read and not removed."""
    folder = client.app.state.context.settings.data_dir / "spool"  # type: ignore[attr-defined]
    return list(folder.iterdir()) if folder.exists() else []


def triples(response: Any) -> set[Any]:
    assert response.status_code == 200, response.text
    return set(Graph(bind_namespaces="none").parse(data=response.text, format="turtle"))


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
        ("GET", {}, 400, "A request is about one graph."),
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


def multipart(*parts: tuple[str, str, str]) -> dict[str, Any]:
    files = [("document", (name, io.BytesIO(text.encode()), kind)) for name, text, kind in parts]
    return {"files": files}


def test_a_form_brings_several_documents(union: TestClient, admin: dict[str, str], send: Send) -> None:
    """multipart/form-data may hold documents of several formats, which make one graph together."""
    graph = MANUAL + "form"
    form = multipart(
        ("a.ttl", "_:x <urn:b> 1 .", "text/turtle"),
        ("b.nt", "_:x <urn:b> <urn:c> .\n", "application/n-triples"),
        ("c.rdf", DOCUMENTS["application/rdf+xml"], "application/rdf+xml"),
    )

    response = union.post("/graphs", params={"graph": graph, "unchecked": "1"}, headers=admin, **form)

    found = triples(send("GET", graph))
    assert response.status_code == 201, response.text
    assert len(found) == 3
    assert TRIPLE in found
    assert len({subject for subject, _, _ in found}) == 3
    assert spool(union) == []


@pytest.mark.parametrize(
    ("arguments", "status", "detail"),
    [
        ({"data": {"a": "b"}, "files": {}}, 415, "A document of type"),
        (multipart(("a.ttl", "<urn:a> <urn:b> 1 .", "image/png")), 415, "A document of type 'image/png'"),
        (
            multipart(("a.ttl", "<urn:a> <urn:b> 1 .", "text/turtle"), ("b.ttl", "<urn:a", "text/turtle")),
            400,
            "document:1: The text/turtle does not parse",
        ),
        (
            {"content": b"--b--\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}},
            400,
            "The form holds no document.",
        ),
        (
            {"content": b"xx", "headers": {"content-type": "multipart/form-data"}},
            400,
            "The form does not parse: Missing boundary",
        ),
        (
            {"content": b"nonsense", "headers": {"content-type": "multipart/form-data; boundary=b"}},
            400,
            "The form ",
        ),
        (multipart(*[("a.ttl", "", "text/turtle")] * 101), 400, "The form does not parse: Too many files."),
        (multipart(("a.ttl", "#" * 1_100_000, "text/turtle")), 413, "The body is longer than"),
    ],
)
def test_a_form_that_cannot_be_read_changes_nothing(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    union: TestClient,
    admin: dict[str, str],
    read_problem: Any,
    arguments: dict[str, Any],
    status: int,
    detail: str,
) -> None:
    """A form without documents, with one that is wrong, or too long, is refused as a whole."""
    before = version(union)
    headers = {**admin, **arguments.get("headers", {})}

    response = union.put(
        "/graphs", params={"graph": MANUAL + "bad-form"}, **{**arguments, "headers": headers}
    )

    assert read_problem(response, status)["detail"].startswith(detail)
    assert version(union) == before
    assert spool(union) == []


BROKEN = [
    ("text/turtle", "<urn:a> <urn:b> 1 .\n<urn:a> <urn:b> .\n", "document:2: The text/turtle does not parse"),
    ("text/turtle", b"<urn:a> <urn:b> '\xff' .", "document:1: "),
    ("application/n-triples", "<urn:a> <urn:b> x .", "document:1: "),
    ("application/ld+json", '{"@id": ', "document"),
    ("application/ld+json", '{"@context": "http://127.0.0.1:9/context", "a": 1}', "document"),
    ("application/rdf+xml", "<rdf:RDF>", "document"),
]


@pytest.mark.parametrize(("media_type", "text", "detail"), BROKEN)
def test_a_broken_document_changes_nothing(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    send: Send, union: TestClient, read_problem: Any, media_type: str, text: str | bytes, detail: str
) -> None:
    """What does not parse is refused with its line, and the graph stays as it was."""
    graph = MANUAL + "kept"
    send("PUT", graph, "<urn:a> <urn:b> <urn:c> .")
    before = version(union)

    response = send("PUT", graph, text, content_type=media_type)

    assert read_problem(response, 400)["detail"].startswith(detail)
    assert version(union) == before
    assert triples(send("GET", graph)) == {TRIPLE}
    assert spool(union) == []


@pytest.mark.parametrize(
    ("media_type", "content", "headers"),
    [
        ("text/plain", "<urn:a> <urn:b> 1 .", {}),
        ("", "<urn:a> <urn:b> 1 .", {}),
        ("application/n-quads", "<urn:a> <urn:b> <urn:c> <urn:g> .", {}),
        ("application/trig", "<urn:g> { <urn:a> <urn:b> <urn:c> }", {}),
        ("text/turtle; charset=latin-1", "<urn:a> <urn:b> 1 .", {}),
        ("text/turtle", gzip.compress(b"<urn:a> <urn:b> 1 ."), {"content_encoding": "gzip"}),
        ("multipart/form-data; boundary=b", b"--b--\r\n", {"content_encoding": "zstd"}),
    ],
)
def test_another_body_is_not_taken(
    send: Send, read_problem: Any, media_type: str, content: Any, headers: dict[str, str]
) -> None:
    """A body of another type, of several graphs, in another character set, or compressed, is 415."""
    response = send("PUT", MANUAL + "other", content, content_type=media_type, **headers)

    assert "Send" in read_problem(response, 415)["detail"]


def hostile() -> list[Any]:
    """Return documents that would end a process, or fill its memory."""
    deep = 100_000
    return [
        pytest.param("application/rdf+xml", BOMB, id="entities"),
        pytest.param("application/ld+json", "[" * deep + "]" * deep, id="lists"),
        pytest.param("application/ld+json", '{"@graph":[' * 20_000 + "]}" * 20_000, id="graphs"),
        pytest.param("application/ld+json", '{"urn:a":' * 20_000 + "1" + "}" * 20_000, id="objects"),
        pytest.param("text/turtle", "<urn:a> <urn:b> " + "[<urn:b> " * 20_000, id="nodes"),
        pytest.param("text/turtle", "<urn:a> <urn:b> " + "(" * deep, id="collections"),
        pytest.param("text/turtle", '<urn:a> <urn:b> """' + "x" * 500_000, id="string"),
        pytest.param("application/rdf+xml", "<a>" * deep, id="elements"),
    ]


@pytest.mark.parametrize(("media_type", "text"), hostile())
def test_a_hostile_document_ends_in_a_clear_answer(
    send: Send, union: TestClient, media_type: str, text: str
) -> None:
    """Whatever it does to the process that reads it, the client is told within seconds, and others go on."""
    before = version(union)
    began = time.monotonic()

    response = send("PUT", MANUAL + "hostile", text, content_type=media_type)

    assert response.status_code in {400, 413, 500}, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert time.monotonic() - began < 20
    assert union.get("/sparql", params={"query": "ASK { ?s ?p ?o }"}).json()["boolean"] is True
    assert version(union) == before
    assert spool(union) == []


def test_a_body_over_the_limit_is_refused_early(send: Send, read_problem: Any) -> None:
    """By its Content-Length, before it is read."""
    response = send("PUT", MANUAL + "long", "#" * 1_048_577)

    assert read_problem(response, 413)["detail"] == (
        "The body is longer than 1,048,576 bytes. Send a shorter one, or several."
    )


def test_a_body_over_the_limit_is_refused_late(send: Send, union: TestClient, read_problem: Any) -> None:
    """Without a length, as soon as it is too long; a body of just the limit is taken."""
    pieces = iter([b"#" * 65_536] * 17)
    began = time.monotonic()

    response = send("PUT", MANUAL + "long", pieces)

    assert time.monotonic() - began < 10, "nobody may wait for the rest"

    assert read_problem(response, 413)["detail"].startswith("The body is longer than 1,048,576 bytes.")
    assert spool(union) == []
    assert send("PUT", MANUAL + "long", ("#" * 1_048_575 + "\n").encode()).status_code == 201


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
