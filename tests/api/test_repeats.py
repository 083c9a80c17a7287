"""Kept answers that are sent again: the same to the byte as those that are made anew."""

import gzip
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from tests.api.updates import MANUAL, insert, post

ROWS = "SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o LIMIT 200"
NEWEST = "SELECT * { ?s ?p ?o } ORDER BY DESC(?s = <https://example.org/r>) ?s ?p ?o LIMIT 50"
REGIONS = "SELECT ?r { ?r a medkg:Region } ORDER BY ?r"
PLAIN = {"accept-encoding": "identity", "accept": "*/*"}


@pytest.fixture(scope="module")
def forgetful(start: Any) -> Iterator[TestClient]:
    """A client of a service that keeps no answers."""
    with start(result_cache_mb=0) as client:
        yield client


def address(query: str, **more: str) -> str:
    return "/sparql?" + urlencode({"query": query, **more})


def sent(client: TestClient, path: str, headers: dict[str, str], method: str = "GET") -> tuple[Any, ...]:
    """Return all of an answer as it went over the line, but for its identifier."""
    with client.stream(method, path, headers=headers) as response:
        fields = sorted(item for item in response.headers.multi_items() if item[0] != "x-request-id")
        # What is wrong was read when it was checked.
        body = response.read() if response.is_error else b"".join(response.iter_raw())
        return response.status_code, fields, body


def hits(client: TestClient) -> float:
    return float(client.app.state.context.endpoint.status()["cache_hits"])  # type: ignore[attr-defined]


WAYS: list[dict[str, str]] = [
    {},
    {"accept": "text/csv"},
    {"accept": "application/sparql-results+xml;q=0.9, text/csv;q=0.1"},
    {"accept-encoding": "gzip"},
    {"accept-encoding": "zstd"},
    {"accept-encoding": "zstd", "accept": "text/csv"},
    {"accept-encoding": "gzip", "origin": "https://elsewhere.example"},
    {"origin": "https://elsewhere.example"},
    {"if-none-match": '"another"'},
    {"accept": "text/html"},
    {"accept": "image/png"},
    {"accept-language": "fr", "user-agent": "another"},
]


@pytest.mark.parametrize(
    "path", [address(ROWS), address(REGIONS, labels="fr"), address("ASK {}", format="xml")]
)
def test_a_repeat_is_what_would_be_made_anew(reading: TestClient, forgetful: TestClient, path: str) -> None:
    """However requests for one answer are mixed, each gets what a service without a memory sends."""
    for headers in WAYS * 3:
        asked = {**PLAIN, **headers}
        assert sent(reading, path, asked) == sent(forgetful, path, asked), asked


def test_each_repeat_is_an_answer_of_its_own(reading: TestClient) -> None:
    """It has another identifier, counts as kept, and as a request."""
    path = address(REGIONS + "# repeated")
    reading.get(path)
    before = hits(reading)

    answers = [reading.get(path) for _ in range(5)]

    assert hits(reading) == before + 5
    assert len({answer.headers["x-request-id"] for answer in answers}) == 5
    assert reading.get(path, headers={"x-request-id": "mine"}).headers["x-request-id"] == "mine"


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_nothing_of_an_older_version_is_repeated(start: Any, admin: dict[str, str], coding: str) -> None:
    """What was written is in the next answer, under another tag."""
    with start() as client:
        path, headers = address(NEWEST), {**PLAIN, "accept": "text/csv", "accept-encoding": coding}
        old = [sent(client, path, headers) for _ in range(4)]
        post(
            client, insert(MANUAL + "new", "<https://example.org/r> a medkg:Region"), admin
        ).raise_for_status()
        new = [sent(client, path, headers) for _ in range(4)]

    assert old == old[:1] * 4
    assert new == new[:1] * 4
    bodies = [body if coding == "identity" else gzip.decompress(body) for _, _, body in (old[0], new[0])]
    assert b"https://example.org/r" not in bodies[0]
    assert b"https://example.org/r" in bodies[1]
    assert dict(old[0][1])["etag"] != dict(new[0][1])["etag"]


def test_repeats_count_within_the_rate(start: Any) -> None:
    """A client that asks too often is refused, also what would have cost nothing."""
    with start(rate_limit=20) as client:
        found = [client.get(address("ASK {}")).status_code for _ in range(14)]

    assert found == [200] * 10 + [429] * 4


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_only_a_get_is_repeated(reading: TestClient, forgetful: TestClient, method: str) -> None:
    """Another method is answered as ever, after the same address was asked with GET many times."""
    path = address("ASK { ?s ?p 1 }")
    for _ in range(4):
        sent(reading, path, PLAIN)

    assert sent(reading, path, PLAIN, method) == sent(forgetful, path, PLAIN, method)
