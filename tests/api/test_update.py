"""`/update`: the SPARQL 1.1 Protocol for updates, each one transaction."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from tests.api.updates import DIRECT, FORM, GRAPH, MANUAL, UNCHECKED, ask, insert, post, version


@pytest.mark.parametrize("way", ["form", "direct"])
def test_an_update_comes_in_two_ways(union: TestClient, admin: dict[str, str], way: str) -> None:
    """By a form and as the body itself, an update is done, and the answer names version and graphs."""
    before = version(union)
    graph = f"{MANUAL}way-{way}"
    bodies: dict[str, dict[str, Any]] = {
        "form": {"data": {"update": insert(graph)}, "headers": admin},
        "direct": {"content": insert(graph), "headers": {**admin, **DIRECT}},
    }

    response = union.post("/update", params=UNCHECKED, **bodies[way])

    assert response.status_code == 200
    assert response.json()["version"] == before + 1 == version(union)
    assert graph in response.json()["changed"]
    assert response.headers["x-medkg-version"] == str(before + 1)
    assert response.headers["cache-control"] == "no-store"
    assert ask(union, f"GRAPH <{graph}> {{ <urn:a> <urn:b> 1 }}")
    assert ask(union, "<urn:a> <urn:b> 1")


CALL = "{ SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"


OUTSIDE = "The update writes outside GRAPH"


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    ("POST", {"data": {"x": "y"}}, 400, "There is no update."),
    ("POST", {"data": {"update": ["CLEAR ALL", "CLEAR ALL"]}}, 400, "There are several updates"),
    ("POST", {"data": {"query": "ASK {}"}}, 400, "This address takes updates. Send queries to /sparql."),
    ("POST", {"data": {"update": "INSERT DATA {"}}, 400, "The update does not parse at line 1"),
    ("POST", {"data": {"update": "ASK {}"}}, 400, "The update does not parse at line 1"),
    ("POST", {"content": b"CLEAR \xff", "headers": DIRECT}, 400, "The body is not UTF-8 (byte 6)."),
    ("POST", {"content": b"update=%FF", "headers": FORM}, 400, "The body is not UTF-8."),
    ("POST", {"content": "CLEAR ALL", "headers": {"content-type": "text/plain"}}, 415, "A body of type"),
    (
        "POST",
        {"content": b"\x1f", "headers": {**DIRECT, "content-encoding": "gzip"}},
        415,
        "A body compressed",
    ),
    ("POST", {"content": b"#" * 1_048_577, "headers": DIRECT}, 413, "The body is longer than 1,048,576 "),
    ("POST", {"data": {"update": "LOAD <http://127.0.0.1:9/>"}}, 403, "LOAD (line 1, column 1)"),
    (
        "POST",
        {"data": {"update": f"INSERT {{ GRAPH <urn:x> {{ ?s ?p ?o }} }} WHERE {CALL}"}},
        403,
        "SERVICE (line 1, column 47)",
    ),
    ("POST", {"data": {"update": "INSERT DATA { <urn:a> <urn:b> 1 }"}}, 409, OUTSIDE),
    ("POST", {"data": {"update": "CLEAR DEFAULT"}}, 409, OUTSIDE),
    ("POST", {"data": {"update": "CLEAR ALL"}}, 409, OUTSIDE),
    ("POST", {"data": {"update": "CREATE GRAPH graph:source\\/one"}}, 409, "The graph"),
    ("GET", {}, 405, "GET is not taken here. Allowed: POST, OPTIONS."),
    ("PUT", {}, 405, "PUT is not taken here."),
    ("HEAD", {}, 405, ""),
]


@pytest.fixture(scope="module")
def bounded(start: Any) -> Iterator[TestClient]:
    """A client of a service that takes bodies of a megabyte."""
    with start(max_body_mb=1) as client:
        yield client


@pytest.mark.parametrize(("method", "arguments", "status", "detail"), BAD)
def test_a_bad_request_is_refused(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    bounded: TestClient,
    read_problem: Any,
    admin: dict[str, str],
    method: str,
    arguments: dict[str, Any],
    status: int,
    detail: str,
) -> None:
    """Each way to call the address wrongly has a status and a sentence of its own, and changes nothing."""
    before = version(bounded)
    headers = {**admin, **arguments.get("headers", {})}

    response = bounded.request(method, "/update", params=UNCHECKED, **{**arguments, "headers": headers})

    if method == "HEAD":
        assert (response.status_code, response.content) == (status, b"")
    else:
        assert read_problem(response, status)["detail"].startswith(detail)
    assert version(bounded) == before


def test_an_update_may_be_as_long_as_a_body(bounded: TestClient, admin: dict[str, str]) -> None:
    """What is written may be longer than what is asked."""
    text = insert(MANUAL + "long", " . ".join(f"<urn:s> <urn:p> <urn:object:{n}>" for n in range(5_000)))

    response = post(bounded, text, admin)

    assert len(text) > 100_000
    assert response.status_code == 200, response.text
    assert ask(bounded, f"GRAPH <{MANUAL}long> {{ <urn:s> <urn:p> <urn:object:4999> }}")


def test_options_names_the_methods(union: TestClient) -> None:
    """OPTIONS is answered without a body."""
    response = union.options("/update")

    assert (response.status_code, response.headers["allow"]) == (204, "POST, OPTIONS")


@pytest.mark.parametrize(
    "last",
    [
        "INSERT DATA { GRAPH <urn:one> { <urn:broken> } }",
        "CREATE GRAPH <https://w3id.org/medkg/graph/source/one>",
        "CLEAR GRAPH <urn:nothing-there>",
        "INSERT { GRAPH <urn:two> { ?s ?p ?o } } WHERE { BIND(<urn:no-such-function>(1) AS ?s) }",
    ],
)
def test_a_sequence_that_fails_changes_nothing(
    union: TestClient, admin: dict[str, str], read_problem: Any, last: str
) -> None:
    """Operations before the one that fails leave no trace, in no reader and no version."""
    before = version(union)
    graph = MANUAL + "never"

    response = post(union, f"{insert(graph)} ; DROP GRAPH <{GRAPH}source/many> ; {last}", admin)

    assert response.status_code in {400, 409, 501}, response.text
    read_problem(response, response.status_code)
    assert version(union) == before
    assert not ask(union, f"GRAPH <{graph}> {{ ?s ?p ?o }}")
    assert ask(union, f"GRAPH <{GRAPH}source/many> {{ ?s ?p ?o }}")


def test_a_sequence_is_one_version(union: TestClient, admin: dict[str, str]) -> None:
    """Several operations are one change, and each sees what those before it did."""
    before = version(union)
    graph = MANUAL + "sequence"

    response = post(
        union,
        f"{insert(graph, '<urn:s> <urn:p> 1')} ;"
        f"DELETE {{ GRAPH <{graph}> {{ ?s ?p 1 }} }} INSERT {{ GRAPH <{graph}> {{ ?s ?p 2 }} }}"
        f"WHERE {{ GRAPH <{graph}> {{ ?s ?p 1 }} }}",
        admin,
    )

    assert response.json()["version"] == before + 1
    assert ask(union, f"GRAPH <{graph}> {{ <urn:s> <urn:p> 2 }}")
    assert not ask(union, f"GRAPH <{graph}> {{ <urn:s> <urn:p> 1 }}")


def test_what_changes_nothing_makes_no_version(union: TestClient, admin: dict[str, str]) -> None:
    """A write of what is there already is accepted, and the version stays."""
    text = insert(MANUAL + "same")
    first = post(union, text, admin).json()["version"]

    again = post(union, text, admin)

    assert (again.status_code, again.json()) == (200, {"version": first, "changed": []})


def test_a_key_stands_for_one_write(union: TestClient, admin: dict[str, str]) -> None:
    """The same Idempotency-Key again gives the first version, and does nothing a second time."""
    graph = MANUAL + "keyed"
    headers = {**admin, "idempotency-key": "key-1"}
    text = f"INSERT {{ GRAPH <{graph}> {{ <urn:s> <urn:p> ?u }} }} WHERE {{ BIND(UUID() AS ?u) }}"
    first = post(union, text, headers)
    post(union, insert(MANUAL + "between"), admin)

    again = post(union, text, headers)
    other = post(union, text, {**admin, "idempotency-key": "key-2"})

    assert again.status_code == 200
    assert again.json()["version"] == first.json()["version"]
    assert other.json()["version"] > first.json()["version"] + 1
    rows = union.get(
        "/sparql", params={"query": f"SELECT ?u {{ GRAPH <{graph}> {{ ?s ?p ?u }} }}", "format": "csv"}
    )
    assert len(rows.text.split()) == 1 + 2


@pytest.mark.parametrize("key", ["a b", "ü", "x" * 201, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(
    union: TestClient, admin: dict[str, str], read_problem: Any, key: str
) -> None:
    """A key is short and visible, or the write is not done."""
    headers = [
        (b"idempotency-key", key.encode("latin-1")),
        *[(n.encode(), v.encode()) for n, v in admin.items()],
    ]
    before = version(union)

    response = union.post("/update", params=UNCHECKED, data={"update": insert(MANUAL + "k")}, headers=headers)

    read_problem(response, 400)
    assert version(union) == before


def test_a_reader_sees_what_was_acknowledged(union: TestClient, admin: dict[str, str]) -> None:
    """As soon as a write is answered, every query sees it, and the cache does not stand before it."""
    graph = MANUAL + "seen"
    query = {"query": f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}", "format": "csv"}
    for number in range(1, 6):
        tag = union.get("/sparql", params=query).headers["etag"]
        post(union, insert(graph, f"<urn:s> <urn:p> {number}"), admin)

        answer = union.get("/sparql", params=query, headers={"if-none-match": tag})

        assert answer.text.split() == ["n", str(number)]


def test_nobody_sees_the_old_under_the_new_number(serve: Any, admin: dict[str, str]) -> None:
    """While others ask the same all the time, each answer is that of the version that it names."""
    graph = MANUAL + "numbered"
    query = {"query": f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}", "format": "csv"}
    with serve() as (port, _):
        base = f"http://127.0.0.1:{port}"
        seen: list[tuple[int, int]] = []
        over = threading.Event()

        def ask_on() -> None:
            with httpx2.Client(base_url=base) as client:
                while not over.is_set():
                    answer = client.get("/sparql", params=query)
                    seen.append((int(answer.headers["x-medkg-version"]), int(answer.text.split()[1])))

        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        acknowledged = []
        with httpx2.Client(base_url=base, timeout=60) as client:
            for number in range(1, 13):
                text = insert(graph, f"<urn:s> <urn:p> {number}")
                body = client.post("/update", params=UNCHECKED, data={"update": text}, headers=admin).json()
                acknowledged.append(
                    (body["version"], int(client.get("/sparql", params=query).text.split()[1]))
                )
        over.set()
        for thread in threads:
            thread.join()

    assert acknowledged == [(number + 1, number) for number in range(1, 13)]
    assert len(seen) > 50
    assert {version - count for version, count in seen} == {1}
