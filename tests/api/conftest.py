"""What the tests of the HTTP face share: a client that checks errors, small services, readers of answers."""

import re
import shutil
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
import uvicorn
from fastapi.testclient import TestClient
from rdflib import Graph
from rdflib.namespace import RDF, SH, SKOS, XSD
from rdflib.term import BNode, Literal, URIRef

from medkg.config import Settings
from medkg.domain.model import Author, Quad, Role
from medkg.domain.namespaces import GRAPH, GRAPH_ONTOLOGY, GRAPH_SHAPES, MEDKG, NUTS
from medkg.services import tokens
from medkg.store.writer import candidate
from medkg_api.app import create_app

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
EXCERPT = re.compile(r" Line \d+: .*-->.*\Z", re.DOTALL)
PLACES = re.compile(r"\.py\b|/(?:work|tmp|home|root|usr|var)/")
ADMIN = "the-admin-token-of-the-tests"
EX = "https://example.org/"


def _quads() -> Iterator[Quad]:
    one, two, many = GRAPH["source/one"], GRAPH["source/two"], GRAPH["source/many"]
    for graph in (one, two):
        yield NUTS.PL22, RDF.type, MEDKG.Region, graph
    for name, language in (("Śląskie", "pl"), ("Silesia", "en"), ("Silésie", "fr")):
        yield NUTS.PL22, SKOS.prefLabel, Literal(name, lang=language), one
    yield NUTS.ITH3, RDF.type, MEDKG.Region, two
    yield NUTS.ITH3, SKOS.prefLabel, Literal("Veneto", lang="it"), two
    yield URIRef(EX + "place"), URIRef(EX + "speaks-of"), NUTS.PL22, GRAPH["mentions/one"]
    yield MEDKG.Region, RDF.type, URIRef("http://www.w3.org/2002/07/owl#Class"), GRAPH_ONTOLOGY
    for number in range(3_000):
        note = URIRef(f"{EX}note/{number}")
        yield note, URIRef(EX + "text"), Literal(f"a note of some length, with the number {number}"), many
    shape, label = URIRef(EX + "RegionShape"), BNode("label")
    yield shape, RDF.type, SH.NodeShape, GRAPH_SHAPES
    yield shape, SH.targetClass, MEDKG.Region, GRAPH_SHAPES
    yield shape, SH.property, label, GRAPH_SHAPES
    yield label, SH.path, SKOS.prefLabel, GRAPH_SHAPES
    yield label, SH.minCount, Literal("1", datatype=XSD.integer), GRAPH_SHAPES
    yield label, SH.message, Literal("A region has a name.", lang="en"), GRAPH_SHAPES
    yield label, MEDKG.code, Literal("R-01"), GRAPH_SHAPES


QUADS = tuple(_quads())
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


class Start(Protocol):
    """Starts a service on a copy of the small graph, with settings of its own."""

    def __call__(self, **settings: Any) -> AbstractContextManager[TestClient]: ...


class Serve(Protocol):
    """Starts a service on the loopback, on a copy of the small graph; gives its port and its application."""

    def __call__(self, **settings: Any) -> AbstractContextManager[tuple[int, Any]]: ...


class ReadPage(Protocol):
    """Reads an answer as a page, and checks what every page must be."""

    def __call__(self, response: Any) -> Page: ...


class ReadProblem(Protocol):
    """Reads an answer as problem+json with the given status, and checks its shape."""

    def __call__(self, response: Any, status: int) -> dict[str, Any]: ...


def check_error(response: httpx2.Response) -> None:
    """Assert that an error tells nothing of the machine or the software behind the service."""
    if response.status_code >= 400:
        text = "" if response.request.method == "HEAD" else response.read().decode()
        assert not [word for word in INTERNALS if word in text], text
        assert not PLACES.search(text), text
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-request-id"]


@contextmanager
def checked(client: TestClient) -> Iterator[TestClient]:
    """Have every error that the client gets checked."""
    client.event_hooks["response"].append(check_error)
    client.follow_redirects = False
    yield client
    client.event_hooks["response"].remove(check_error)


@pytest.fixture(scope="session")
def client(client: TestClient) -> Iterator[TestClient]:
    """The client of the whole graph, whose errors are checked."""
    with checked(client):
        yield client


@pytest.fixture(scope="session")
def admin() -> dict[str, str]:
    """The header that makes a request one of an administrator."""
    return {"authorization": f"Bearer {ADMIN}"}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small graph: two sources that agree on one triple, mentions, and 3,000 notes."""
    folder = tmp_path_factory.mktemp("small")
    with candidate(folder) as work:
        work.add(QUADS)
        work.close()
        work.publish()
    return folder


@pytest.fixture(scope="session")
def start(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts services in process."""

    @contextmanager
    def started(**settings: Any) -> Iterator[TestClient]:
        app = create_app(small_settings(small, tmp_path_factory, settings))
        client = TestClient(app, base_url="https://medkg.test", raise_server_exceptions=False)
        with client, checked(client):
            yield client

    return started


@pytest.fixture(scope="session")
def serve(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Starts services on the loopback."""

    @contextmanager
    def serving(**settings: Any) -> Iterator[tuple[int, Any]]:
        app = create_app(small_settings(small, tmp_path_factory, settings))
        with socket.create_server(("127.0.0.1", 0), backlog=512) as bound:
            server = uvicorn.Server(
                uvicorn.Config(app, log_level="critical", access_log=False, timeout_graceful_shutdown=2)
            )
            thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
            thread.start()
            try:
                deadline = time.monotonic() + 60
                while not server.started and thread.is_alive() and time.monotonic() < deadline:
                    time.sleep(0.01)
                assert server.started
                yield bound.getsockname()[1], app
            finally:
                server.should_exit = True
                thread.join()

    return serving


@pytest.fixture(scope="session")
def reading(start: Start) -> Iterator[TestClient]:
    """A client of a small service that nobody writes to."""
    with start() as client:
        yield client


def small_settings(small: Path, folders: pytest.TempPathFactory, given: dict[str, Any]) -> Settings:
    """Return settings for a service on a copy of the small graph."""
    folder = folders.mktemp("service") / "var"
    shutil.copytree(small, folder)
    return Settings(
        **{
            "data_dir": folder,
            "public_url": "https://medkg.test",
            "admin_token": ADMIN,
            "rate_limit": 0,
            "workers": 2,
            "log_level": "error",
            **given,
        }
    )


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
        # Behind the sentences on a mistake stands the line with a mark in it.
        assert EXCERPT.sub("", body["detail"]).endswith((".", "?"))
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


@pytest.fixture(scope="module")
def union(start: Start) -> Iterator[TestClient]:
    """A client of a service whose default graph is the merge."""
    with start() as client:
        yield client


@pytest.fixture(scope="module")
def plain(start: Start) -> Iterator[TestClient]:
    """A client of a service in plain SPARQL."""
    with start(union_default_graph=False) as client:
        yield client


@pytest.fixture
def send(union: TestClient, admin: dict[str, str]) -> Callable[..., Any]:
    """Sends a request about a graph, as an administrator who skips the validation."""

    def sent(method: str, graph: str | None, content: Any = None, **headers: str) -> Any:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            fields = {"content-type": "text/turtle", **fields}
        params = {"unchecked": "true", **({"default": ""} if graph is None else {"graph": graph})}
        return union.request(method, "/graphs", params=params, content=content, headers={**admin, **fields})

    return sent


@pytest.fixture(scope="module")
def roles(union: TestClient, admin: dict[str, str]) -> dict[str, dict[str, str]]:
    """A header for each role."""
    database = union.app.state.context.database()  # type: ignore[attr-defined]
    author = Author("test", Role.ADMIN)
    found = {"admin": admin, "nobody": {}}
    for role in (Role.STEWARD, Role.SUBMITTER):
        _, secret = tokens.create(database, author, f"a-{role}", role)
        found[role.value] = {"authorization": f"Bearer {secret}"}
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder with a small graph."""
    root = tmp_path / "var"
    graph = URIRef("http://example.org/graph")
    with candidate(root) as work:
        work.add(
            (URIRef(f"http://example.org/s{i}"), URIRef("http://example.org/p"), Literal(f"v{i}"), graph)
            for i in range(2_000)
        )
        work.close()
        work.publish()
    return root
