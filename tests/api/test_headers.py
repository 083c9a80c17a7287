"""Headers that many answers share: entity tags, what they vary by, who may read them, how they are packed."""

import gzip
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from medkg.config import Settings
from medkg.services.explore import Page
from medkg.store.embedded import EmbeddedEngine
from medkg_api.app import create_app
from medkg_api.headers import cached, page_links, safety

TAGGED = [
    "/",
    "/questions",
    "/questions/shared-actions",
    "/questions/shared-actions.csv",
    "/questions/shared-actions.rq",
    "/api/kets",
    "/api/regions/PL22",
    "/doc/action/medtech-biomed-observatory.ttl",
    "/doc?iri=http://data.europa.eu/nuts/code/PL22",
]


def request(path: str = "/x", **headers: str) -> Request:
    """Make a request as a route gets it."""
    path, _, query = path.partition("?")
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "server": ("medkg.test", 443),
            "path": path,
            "query_string": query.encode(),
            "headers": raw,
        }
    )


def tag(version: int = 1, path: str = "/x", **headers: str) -> str:
    return cached(request(path, **headers), version, PlainTextResponse("x")).headers["etag"]


def test_a_tag_stands_for_what_was_sent() -> None:
    """The tag changes with the version, the address and what was negotiated, and with nothing else."""
    same = {tag(), tag(user_agent="x"), tag(if_none_match='"y"')}
    others = {
        tag(2),
        tag(path="/y"),
        tag(path="/x?a=1"),
        tag(path="/x?a=2"),
        tag(accept="text/csv"),
        tag(accept_language="pl"),
    }

    assert len(same) == 1
    assert len(same | others) == 7
    assert all(entry.startswith(('W/"1-', 'W/"2-')) for entry in same | others)


@pytest.mark.parametrize(
    ("known", "status"),
    [("{tag}", 304), ('"other", {tag}', 304), ("*", 304), ('"other"', 200), ("", 200), ('W/"1-"', 200)],
)
def test_what_the_client_has_is_not_sent_again(known: str, status: int) -> None:
    """If-None-Match takes one tag, several, or a star (RFC 9110, section 13.1.2)."""
    response = cached(
        request(if_none_match=known.format(tag=tag())), 1, PlainTextResponse("x"), vary="Accept"
    )

    assert response.status_code == status
    assert response.headers["etag"] == tag()
    assert response.headers["vary"] == "Accept"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-medkg-version"] == "1"


@pytest.mark.parametrize("path", TAGGED)
def test_answers_from_the_graph_are_tagged(client: TestClient, path: str) -> None:
    """Whatever is made from the graph has a tag, says its version, and is not sent twice."""
    first = client.get(path)
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    polish = client.get(path, headers={"accept-language": "pl", "if-none-match": first.headers["etag"]})

    assert first.status_code == 200
    assert first.headers["x-medkg-version"] == "1"
    assert "Accept-Language" in first.headers["vary"]
    assert (again.status_code, again.content) == (304, b"")
    assert polish.status_code == 200


@pytest.mark.parametrize(
    ("number", "given", "relations"),
    [
        (1, "", {"first": "1", "last": "3", "next": "2"}),
        (2, "?page=2&q=a%20b", {"first": "1", "prev": "1", "next": "3", "last": "3"}),
        (3, "?page=3", {"first": "1", "prev": "2", "last": "3"}),
        (9, "?page=9", {"first": "1", "last": "3"}),
    ],
)
def test_links_lead_to_pages_that_are_there(number: int, given: str, relations: dict[str, str]) -> None:
    """A link keeps the other parameters, has the public address, and leads to no page beyond the last."""
    found = page_links(request(f"/api/x{given}"), "https://public.example", Page([], 25, number, 10))

    assert {name: link.rpartition("page=")[2].partition("&")[0] for name, link in found.items()} == relations
    assert all(link.startswith("https://public.example/api/x?") for link in found.values())
    assert all("q=a+b" in link for link in found.values()) == ("q=" in given)


def test_pages_have_a_policy_and_others_none() -> None:
    """The policy for content is for pages; two headers are for everything."""
    assert set(safety("text/html; charset=utf-8")) - set(safety("text/csv")) == {"Content-Security-Policy"}


@pytest.mark.parametrize("path", ["/sparql?query=ASK%7B%7D", "/api/kets", "/nothing"])
def test_any_web_page_may_read(client: TestClient, path: str) -> None:
    """Public data is readable from every origin, without credentials, with the useful headers."""
    headers = client.get(path, headers={"origin": "https://elsewhere.example"}).headers

    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    assert set(headers["access-control-expose-headers"].split(", ")) == {
        "ETag",
        "Link",
        "Retry-After",
        "X-Medkg-Hint",
        "X-Medkg-Limit",
        "X-Medkg-Version",
        "X-Request-Id",
    }


def test_a_browser_may_ask_first(client: TestClient) -> None:
    """A preflight for a posted query is answered."""
    response = client.options(
        "/sparql",
        headers={
            "origin": "https://elsewhere.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
    )

    assert response.status_code == 200
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "content-type" in response.headers["access-control-allow-headers"].lower()


def test_origins_can_be_named(settings: Settings, engine: EmbeddedEngine) -> None:
    """With the setting, only the named origins may read from a page."""
    app = create_app(
        settings.model_copy(update={"cors_origins": "https://a.example https://b.example"}), engine
    )

    with TestClient(app) as client:
        allowed = [
            client.get("/health/live", headers={"origin": origin}).headers.get("access-control-allow-origin")
            for origin in ("https://a.example", "https://b.example", "https://c.example")
        ]

    assert allowed == ["https://a.example", "https://b.example", None]


@pytest.mark.parametrize(
    "path", ["/api/kets?size=100", "/sparql?query=SELECT%20*%20%7B?s%20a%20?c%7D&format=csv"]
)
def test_answers_are_packed_for_those_who_take_it(client: TestClient, path: str) -> None:
    """A larger answer is sent as gzip when that is accepted, and says that it varies by it."""
    plain = client.get(path, headers={"accept-encoding": "identity"})
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as response:
        packed = b"".join(response.iter_raw())

    assert "content-encoding" not in plain.headers
    assert response.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["vary"]
    assert gzip.decompress(packed) == plain.content
    assert len(packed) < len(plain.content) / 2


def test_nothing_tells_the_software(client: TestClient) -> None:
    """No header names the server or its language."""
    headers: Any = client.get("/").headers

    assert "server" not in headers
    assert "x-powered-by" not in headers
