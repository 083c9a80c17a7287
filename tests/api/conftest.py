"""What the tests of the HTTP face share: a client that checks every error, and readers of its answers."""

import re
import warnings
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any, Protocol

import httpx2
import pytest
from fastapi.testclient import TestClient
from rdflib import Graph

INTERNALS = (
    "Traceback",
    "oxigraph",
    "rdflib",
    "rocksdb",
    "starlette",
    "fastapi",
    "site-packages",
    "Error(",
    "0x7f",
)
PLACES = re.compile(r"\.py\b|/(?:work|tmp|home|root|usr|var)/")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADS = {"link": "href", "script": "src", "img": "src", "iframe": "src", "form": "action", "object": "data"}


class Page(HTMLParser):
    """A page as a browser takes it: its title, texts, links, and whatever it loads from where."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.loads: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.language = ""
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert text.lower().startswith("<!doctype html>")
        assert self._open == [], f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"an attribute stands twice: {attrs}"
        assert not any(name.startswith("on") or name == "style" for name in given), (
            f"code in an attribute: {attrs}"
        )
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.language = given["lang"] if tag == "html" else self.language
        if tag == "a":
            self.links.append(given["href"])
        if tag in LOADS and LOADS[tag] in given:
            self.loads.append((tag, given[LOADS[tag]]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data


class ReadPage(Protocol):
    """Reads an answer as a page, and checks what every page must be."""

    def __call__(self, response: Any) -> Page: ...


class ReadProblem(Protocol):
    """Reads an answer as problem+json with the given status, and checks its shape."""

    def __call__(self, response: Any, status: int) -> dict[str, Any]: ...


def check_error(response: httpx2.Response) -> None:
    """Assert that an error tells nothing of the machine or the software behind the service."""
    if response.status_code >= 400:
        text = response.read().decode()
        assert not [word for word in INTERNALS if word in text], text
        assert not PLACES.search(text), text
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


@pytest.fixture(scope="session", autouse=True)
def _every_error_is_checked(client: TestClient) -> Iterator[None]:
    client.event_hooks["response"].append(check_error)
    client.follow_redirects = False
    yield
    client.event_hooks["response"].remove(check_error)


@pytest.fixture(scope="session")
def read_page() -> ReadPage:
    """A reader of pages: complete HTML in UTF-8, nothing loaded from elsewhere, no script allowed."""

    def read(response: Any) -> Page:
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "script-src" not in policy
        assert "unsafe" not in policy
        page = Page(response.text)
        assert page.language in {"en", "fr", "it", "pl"}
        assert page.texts["title"].strip()
        assert page.tags.count("h1") == page.tags.count("main") == 1
        assert "script" not in page.tags
        assert len(page.ids) == len(set(page.ids))
        assert all(target.startswith("/") and not target.startswith("//") for _, target in page.loads), (
            page.loads
        )
        return page

    return read


@pytest.fixture(scope="session")
def read_problem() -> ReadProblem:
    """A reader of errors (RFC 9457)."""

    def read(response: Any, status: int) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"
        check_error(response)
        body: dict[str, Any] = response.json()
        assert body["status"] == status
        assert body["type"] == "about:blank"
        assert body["title"]
        assert body["detail"].endswith((".", "?"))
        return body

    return read


@pytest.fixture(scope="session")
def read_triples() -> Callable[[Any], set[Any]]:
    """A reader of RDF by rdflib, in whatever form it came."""
    types = {
        "text/turtle": "turtle",
        "application/n-triples": "nt",
        "application/rdf+xml": "xml",
        "application/ld+json": "json-ld",
    }

    def read(response: Any) -> set[Any]:
        name = types[response.headers["content-type"].partition(";")[0]]
        with warnings.catch_warnings():
            # rdflib's own JSON-LD parser makes one.
            warnings.filterwarnings("ignore", message="ConjunctiveGraph is deprecated")
            return set(Graph(bind_namespaces="none").parse(data=response.text, format=name))

    return read
