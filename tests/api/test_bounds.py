"""Limits on answers: announced on every answer, and an answer over one is an error and never a part of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

GRAPH = "https://w3id.org/medkg/graph/"
NOTES = "SELECT ?note ?text { ?note <https://example.org/text> ?text }"
MEGABYTE = 1_048_576


@pytest.fixture(scope="module")
def few(start: Any) -> Iterator[TestClient]:
    """A client of a service whose answers have a hundred rows at most."""
    with start(max_rows=100, worker_memory_mb=512) as client:
        yield client


@pytest.fixture(scope="module")
def short(start: Any) -> Iterator[TestClient]:
    """A client of a service whose answers have a megabyte at most."""
    with start(max_answer_mb=1) as client:
        yield client


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_rows_over_the_limit_are_refused(few: TestClient, read_problem: Any, name: str) -> None:
    """One row too many is an error that names the limit and what to do; nothing of the answer is sent."""
    good = few.get("/sparql", params={"query": NOTES + " LIMIT 100", "format": name})
    bad = few.get("/sparql", params={"query": NOTES + " LIMIT 101", "format": name})

    assert good.status_code == 200
    problem = read_problem(bad, 403)
    assert problem["limit"] == "rows=100"
    assert "more than 100 rows" in problem["detail"]
    assert "LIMIT 100" in problem["detail"]
    for response in (good, bad):
        assert response.headers["x-medkg-limit"] == f"rows=100, bytes={128 * MEGABYTE}"


@pytest.mark.parametrize("name", ["ttl", "nt", "jsonld", "rdfxml"])
def test_triples_over_the_limit_are_refused(few: TestClient, read_problem: Any, name: str) -> None:
    """In a graph the triples count, wherever it is from."""
    query = f"CONSTRUCT {{ ?note <urn:t> ?text }} WHERE {{ {{ {NOTES} LIMIT %d }} }}"
    good = few.get("/sparql", params={"query": query % 100, "format": name})
    bad = few.get("/sparql", params={"query": query % 101, "format": name})
    graph = few.get("/graphs", params={"graph": GRAPH + "source/many", "format": name})
    small = few.get("/graphs", params={"graph": GRAPH + "source/one", "format": name})

    assert (good.status_code, small.status_code) == (200, 200)
    assert read_problem(bad, 403)["limit"] == read_problem(graph, 403)["limit"] == "rows=100"


def test_the_whole_dataset_is_limited_too(few: TestClient, read_problem: Any) -> None:
    """All graphs together are an answer like any other."""
    assert read_problem(few.get("/graphs"), 403)["limit"] == "rows=100"


def test_bytes_over_the_limit_are_refused(short: TestClient, read_problem: Any) -> None:
    """An answer of more bytes is an error, and one of several pieces below the limit arrives whole."""
    product = "SELECT ?text { ?note <https://example.org/text> ?text . VALUES ?times { %s } }"
    good = short.get("/sparql", params={"query": product % "1 2 3", "format": "csv"})
    bad = short.get("/sparql", params={"query": product % "1 2 3 4 5 6 7 8 9", "format": "csv"})

    assert len(good.text.splitlines()) == 9_001
    problem = read_problem(bad, 403)
    assert problem["limit"] == f"bytes={MEGABYTE}"
    assert f"{MEGABYTE:,} bytes" in problem["detail"]
    assert good.headers["x-medkg-limit"] == bad.headers["x-medkg-limit"] == f"bytes={MEGABYTE}"


def test_an_answer_over_the_limit_is_kept_by_nobody(short: TestClient) -> None:
    """A refusal stays one, however often it is asked for."""
    query = "SELECT * { ?a <https://example.org/text> ?b . ?c <https://example.org/text> ?d } LIMIT 9000"

    found = [short.get("/sparql", params={"query": query}).status_code for _ in range(3)]

    assert found == [403, 403, 403]


@pytest.mark.parametrize("size", [100, 101])
def test_head_has_the_status_of_get(few: TestClient, size: int) -> None:
    """Whether an answer is over a limit is known of a HEAD too."""
    found = [
        few.request(method, "/sparql", params={"query": f"{NOTES} LIMIT {size}"})
        for method in ("GET", "HEAD")
    ]

    assert found[0].status_code == found[1].status_code == (200 if size == 100 else 403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sparql"),
        ("GET", "/sparql?query=nonsense"),
        ("GET", "/sparql?query=ASK{}"),
        ("OPTIONS", "/sparql"),
        ("GET", "/graphs?default"),
        ("GET", "/graphs?graph=urn:nowhere"),
        ("GET", "/graphs/nowhere"),
        ("PUT", "/graphs?graph=urn:nowhere"),
    ],
)
def test_the_limit_is_on_every_answer(few: TestClient, method: str, path: str) -> None:
    """Good answers and bad ones tell the limit before anybody runs into it."""
    response = few.request(method, path)

    assert response.headers["x-medkg-limit"].startswith("rows=100, ")


def test_a_tagged_answer_tells_the_limit(few: TestClient) -> None:
    """An answer that the client has already tells it too."""
    first = few.get("/sparql?query=ASK{}")
    again = few.get("/sparql?query=ASK{}", headers={"if-none-match": first.headers["etag"]})

    assert again.status_code == 304
    assert again.headers["x-medkg-limit"] == first.headers["x-medkg-limit"]


def test_a_page_of_another_origin_may_read_the_limit(few: TestClient) -> None:
    """The header is among those that a browser shows to scripts."""
    response = few.get("/sparql?query=ASK{}", headers={"origin": "https://example.org"})

    assert "X-Medkg-Limit" in response.headers["access-control-expose-headers"]


def test_the_limits_are_listed(few: TestClient, short: TestClient) -> None:
    """Programs find both where they find the others."""
    assert few.get("/limits").json()["rows"] == 100
    assert few.get("/limits").json()["answer_bytes"] == 128 * MEGABYTE
    assert short.get("/limits").json()["rows"] is None
    assert short.get("/limits").json()["answer_bytes"] == MEGABYTE


def test_without_a_limit_none_is_told(reading: TestClient) -> None:
    """As shipped an answer may be as long as it is, and no header speaks of limits."""
    response = reading.get("/sparql", params={"query": NOTES, "format": "csv"})

    assert len(response.text.splitlines()) == 3_001
    assert "x-medkg-limit" not in response.headers
    assert reading.get("/limits").json()["answer_bytes"] is None


def test_a_browser_sees_the_refusal(few: TestClient, read_page: Any) -> None:
    """Whoever writes a query on the page reads the same words."""
    response = few.get("/sparql", params={"query": NOTES}, headers={"accept": "text/html"})

    assert response.status_code == 403
    read_page(response)
    assert "more than 100 rows" in response.text
