"""store/remote/server.py: addresses, credentials and redirects."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from medkg.domain.errors import StoreFailed
from medkg.domain.model import Author, GraphWrite, QueryRequest, Role, UpdateRequest
from medkg.store.remote.endpoint import RemoteEndpoint
from medkg.store.remote.engine import RemoteEngine
from medkg.store.remote.server import LACKS, at, graph_url, lacking, redirected

ADMIN = Author("root", Role.ADMIN, unchecked=True)
EMPTY = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TRUE = (
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 26\r\n"
    b"Content-Type: application/sparql-results+json\r\n\r\n" + b'{"head":{},"boolean":true}'
)


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("http://h:7878/query", ("http://h:7878/update", "http://h:7878/store")),
        ("http://h/ds/query", ("http://h/ds/update", "http://h/ds/store")),
        ("http://h:8890/sparql", ("http://h:8890/sparql", "http://h:8890/sparql-graph-crud")),
        ("http://u:p@h:8890/sparql", ("http://h:8890/sparql-auth", "http://h:8890/sparql-graph-crud-auth")),
        ("http://h:8890/sparql-auth", ("http://h:8890/sparql-auth", "http://h:8890/sparql-graph-crud-auth")),
        (
            "https://h/repositories/x",
            ("https://h/repositories/x/statements", "https://h/repositories/x/rdf-graphs/service"),
        ),
    ],
)
def test_the_neighbours_of_an_address_are_known(url: str, first: tuple[str, str]) -> None:
    """Where a server has its updates and graphs is told from where it answers queries."""
    assert at(url).neighbours[0] == first


def test_credentials_are_kept_out_of_addresses() -> None:
    """User and password are taken out of the address, decoded, and not shown."""
    server = at("https://us%40er:p%3Aw@h/sparql?x=1", update_url="https://a:b@h/u")
    assert (server.query_url, server.user, server.password) == ("https://h/sparql?x=1", "us@er", "p:w")
    assert server.update_url == "https://h/u"
    assert "us@er" not in repr(server)
    assert "p:w" not in repr(server)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "http://h/b"),
        ("b?x=1", "http://h/b?x=1"),
        ("http://h:80/b", "http://h:80/b"),
        ("http://other/b", None),
        ("https://h/b", None),
        ("http://h:81/b", None),
        ("//other/b", None),
        ("file:///etc/passwd", None),
    ],
)
def test_redirects_lead_to_the_same_host(location: str, target: str | None) -> None:
    """Scheme, host and port stay the same, or the redirect is not followed."""
    if target is None:
        with pytest.raises(StoreFailed):
            redirected("http://h/a", location)
    else:
        assert redirected("http://h/a", location) == target


def test_graph_names_are_quoted() -> None:
    """A graph's name is one value of the address, whatever is in it; the default graph has none."""
    server = at("http://h/query", graph_store_url="http://h/store?key=1")
    assert (
        graph_url(server, "http://e/?a=1&b#c")
        == "http://h/store?key=1&graph=http%3A%2F%2Fe%2F%3Fa%3D1%26b%23c"
    )
    assert graph_url(at("http://h/query", graph_store_url="http://h/store"), None) == "http://h/store?default"


def test_every_lack_has_its_reason() -> None:
    """What a server can't do is an error with a sentence."""
    assert all(str(lacking(name)).endswith(".") for name in LACKS)


def test_basic_credentials_are_sent_when_asked_for(lying: Callable[[Any], Any]) -> None:
    """Nobody sees a password who did not ask for it."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        known = b"authorization: basic " + base64.b64encode(b"user:secret")
        if known.lower() in liar.requests[-1].lower():
            writer.write(TRUE)
        else:
            head = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n"
            writer.write(head + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    liar = lying(script)
    for user, answer in (("user:secret@", b"true"), ("user:wrong@", None), ("", None)):
        engine = RemoteEngine(at(liar.url.replace("http://", f"http://{user}")))
        liar.requests.clear()
        if answer is None:
            with pytest.raises(StoreFailed, match="does not let medkg in"):
                engine.run(QueryRequest("ASK {}"), "csv")
        else:
            assert b"".join(engine.run(QueryRequest("ASK {}"), "csv").chunks) == answer
        engine.close()
        assert b"uthorization" not in liar.requests[0]


@pytest.mark.parametrize(
    ("there", "given", "update", "store"),
    [
        (b"/store", {}, b"/update", b"/store"),
        (b"/data", {}, b"/update", b"/data"),
        (b"/none", {"update_url": "/u", "graph_store_url": "/g"}, b"/u", b"/g"),
        (b"/data", {"update_url": "/u"}, b"/u", b"/data"),
        (b"/none", {}, b"/update", b""),
    ],
)
def test_addresses_for_writes_are_found(
    lying: Callable[[Any], Any], there: bytes, given: dict[str, str], update: bytes, store: bytes
) -> None:
    """The graph store is looked for beside the query address; what is given is not looked for."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        looking = liar.requests[-1].startswith(b"HEAD")
        writer.write(EMPTY if not looking or b" " + there + b" " in liar.requests[-1] else MISSING)
        await writer.drain()

    liar = lying(script)
    base = liar.url.removesuffix("/query")
    server = at(liar.url, **{name: base + path for name, path in given.items()})

    async def main() -> None:
        endpoint = RemoteEndpoint(server)
        text = "INSERT DATA { GRAPH <a:b> { <a:b> <a:b> <a:b> } }"
        await endpoint.update(UpdateRequest(text), ADMIN)
        assert liar.requests[-1].startswith(b"POST " + update + b" ")
        assert len(liar.requests) > 1 or store not in {b"/store", b"/data"}
        if store:
            await endpoint.write(GraphWrite("delete", "a:b"), ADMIN)
            assert liar.requests[-1].startswith(b"DELETE " + store + b"?graph=a%3Ab ")
        else:
            with pytest.raises(Exception, match="No graph store"):
                await endpoint.write(GraphWrite("delete", "a:b"), ADMIN)
        await endpoint.close()

    asyncio.run(main())
