"""store/remote/: servers that cut, stall, lead astray or lie are told apart from those that answer."""

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from medkg.domain.errors import (
    AnswerTooLarge,
    Busy,
    DeadlineExceeded,
    MedkgError,
    QueryRefused,
    QuerySyntaxError,
    SettingError,
    StoreFailed,
    TooLarge,
)
from medkg.domain.model import Author, GraphWrite, QueryRequest, Role, UpdateRequest
from medkg.store.bounds import Bounds
from medkg.store.engine import Reply
from medkg.store.remote.endpoint import RemoteEndpoint
from medkg.store.remote.engine import RemoteEngine
from medkg.store.remote.server import at

_T = TypeVar("_T")

Start = Callable[[Any], Any]
SELECT, CONSTRUCT = "SELECT ?a { ?a ?b ?c }", "CONSTRUCT { ?a ?b ?c } { ?a ?b ?c }"
ADMIN = Author("root", Role.ADMIN, unchecked=True)
ROW = {"a": {"type": "literal", "value": "x" * 1000}}
TABLE = json.dumps({"head": {"vars": ["a"]}, "results": {"bindings": [ROW] * 3}}).encode()
START = TABLE[: TABLE.rindex(b"]")]
GRAPH = b'<a:b> <a:b> "c" .\n' * 3
JSON, TRIPLES = "application/sparql-results+json", "application/n-triples"


def _http(
    body: bytes, *headers: str, status: str = "200 OK", type_: str = JSON, length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {type_}", "Connection: close", *headers]
    if not any("chunked" in header for header in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _chunked(body: bytes, *, end: bool) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body) + (b"0\r\n\r\n" if end else b"")


def _run(url: str, work: Callable[[RemoteEndpoint], Awaitable[_T]], **how: Any) -> _T:
    async def main() -> _T:
        endpoint = RemoteEndpoint(at(url), **how)
        try:
            return await work(endpoint)
        finally:
            await endpoint.close()

    return asyncio.run(main())


async def _whole(reply: Reply) -> bytes:
    if reply.chunks is None:
        return reply.body or b""
    return b"".join([piece async for piece in reply.chunks])


def _both(url: str, text: str, accept: str) -> list[Callable[[], bytes]]:
    """Return what asks by the endpoint, and what asks by the engine."""

    async def work(endpoint: RemoteEndpoint) -> bytes:
        return await _whole(await endpoint.query(QueryRequest(text), accept))

    def run() -> bytes:
        engine = RemoteEngine(at(url))
        try:
            return b"".join(engine.run(QueryRequest(text), accept).chunks)
        finally:
            engine.close()

    return [lambda: _run(url, work), run]


CHUNKED = "Transfer-Encoding: chunked"
CUTS: dict[str, tuple[bytes, str]] = {
    "fewer bytes than announced": (_http(TABLE[:-100], length=len(TABLE)), SELECT),
    "an announced part": (_http(TABLE[:-100]), SELECT),
    "no last chunk": (_http(_chunked(TABLE, end=False), CHUNKED), SELECT),
    "a broken chunk": (_http(b"ffff\r\n" + TABLE, CHUNKED), SELECT),
    "a sentence behind the rows": (_http(_chunked(START + b"cancelled", end=True), CHUNKED), SELECT),
    "206": (_http(TABLE, status="206 Partial Content"), SELECT),
    "the state of a timeout": (_http(TABLE, "X-SQL-State: S1TAT"), SELECT),
    "as many rows as there may be": (_http(TABLE, "X-SPARQL-MaxRows: 3"), SELECT),
    "two answers": (_http(TABLE + TABLE), SELECT),
    "a graph that ends in a line": (_http(GRAPH[:-5], type_=TRIPLES), CONSTRUCT),
    "a sentence behind the triples": (_http(GRAPH + b"cancelled", type_=TRIPLES), CONSTRUCT),
    "a graph without its last chunk": (_http(_chunked(GRAPH, end=False), CHUNKED, type_=TRIPLES), CONSTRUCT),
    "a graph with fewer bytes": (_http(GRAPH, type_=TRIPLES, length=1000), CONSTRUCT),
}


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("accept", ["", "text/csv, text/turtle"])
def test_cut_answers_are_errors(lying: Start, name: str, accept: str) -> None:
    """However an answer is cut, nobody gets the part for the whole."""
    raw, text = CUTS[name]
    for ask in _both(lying(raw).url, text, accept):
        with pytest.raises(StoreFailed, match="cut the answer"):
            ask()


@pytest.mark.parametrize(
    ("raw", "text", "start"),
    [
        (_http(TABLE), SELECT, b"a\r\nxxx"),
        (_http(_chunked(TABLE, end=True), CHUNKED), SELECT, b"a\r\nxxx"),
        (_http(TABLE, "X-SPARQL-MaxRows: 4"), SELECT, b"a\r\nxxx"),
        (_http(TABLE, "X-SPARQL-MaxRows: 3"), SELECT + " LIMIT 3", b"a\r\nxxx"),
        (_http(GRAPH, type_=TRIPLES + "; charset=utf-8"), CONSTRUCT, b'<a:b> <a:b> "c" .'),
        (_http(b"# Empty NT\n", type_=TRIPLES), CONSTRUCT, b""),
        (_http(b'<a:b> <a:b> "c" .', type_="text/turtle"), CONSTRUCT, b'<a:b> <a:b> "c" .'),
    ],
)
def test_whole_answers_are_passed_on(lying: Start, raw: bytes, text: str, start: bytes) -> None:
    """An answer that is whole is one, with any framing and in any form that was asked for."""
    accept = "nt" if text == CONSTRUCT else "csv"
    for ask in _both(lying(raw).url, text, accept):
        assert ask().startswith(start)


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        ("401 Unauthorized", b"", StoreFailed, "does not let medkg in"),
        ("403 Forbidden", b"", StoreFailed, "does not let medkg in"),
        ("404 Not Found", b"", StoreFailed, "HTTP 404"),
        ("408 Request Timeout", b"", DeadlineExceeded, "too long"),
        ("413 Content Too Large", b"", TooLarge, "larger than"),
        ("429 Too Many Requests", b"", Busy, "busy"),
        ("500 Internal Server Error", b"boom", StoreFailed, "HTTP 500"),
        ("500 Error", b"Virtuoso S1T00 Error SR171: Transaction timed out\n", DeadlineExceeded, "too long"),
        (
            "500 Error",
            b"Virtuoso 42000 Error The estimated execution time 9 exceeds",
            DeadlineExceeded,
            "too long",
        ),
        (
            "500 Error",
            b"Virtuoso 22023 Error SR008: needs an integer\n\nSPARQL query:",
            StoreFailed,
            "an integer",
        ),
        ("503 Service Unavailable", b"", Busy, "busy"),
        ("504 Gateway Timeout", b"", DeadlineExceeded, "too long"),
        ("400 Bad Request", b"error at 2:3: expected X", QuerySyntaxError, "line 2, column 3"),
        ("400 Bad Request", b"Encountered ... at line 4, column 5.", QuerySyntaxError, "line 4, column 5"),
        ("400 Bad Request", b"Parse error: no place", QuerySyntaxError, "no place"),
        ("400 Bad Request", b"Virtuoso 22023 Error TR002: no start", QueryRefused, "no start"),
        ("400 Bad Request", b"Virtuoso 37000 Error SP030: line 7: syntax", QuerySyntaxError, "line 7"),
        ("302 Found", b"", StoreFailed, "HTTP 302|another host"),
    ],
)
def test_statuses_are_errors_of_ours(
    lying: Start, status: str, body: bytes, error: type[MedkgError], message: str
) -> None:
    """Each refusal of a server is the error of the tree that fits it."""
    raw = _http(body, "Location: /query", status=status, type_="text/plain")
    for ask in _both(lying(raw).url, SELECT, "csv"):
        with pytest.raises(error, match=message):
            ask()


def test_what_is_no_answer_is_none(lying: Start) -> None:
    """A page, a compressed body and what is not HTTP at all are no answers."""
    for raw, message in (
        (_http(b"<html>", type_="text/html"), "text/html, which is no results"),
        (_http(TABLE, "Content-Encoding: gzip"), "compresses"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not answer"),
        (b"", "does not answer"),
        (_http(b'{"head":{},"boolean":true}'), "a boolean"),
    ):
        for ask in _both(lying(raw).url, SELECT, "csv"):
            with pytest.raises(StoreFailed, match=message):
                ask()


def test_redirects_stay_on_the_host(lying: Start) -> None:
    """A redirect is followed on the same host with the same question, and never to another."""
    other = lying(_http(TABLE))

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        moved = b"POST /query " in liar.requests[-1]
        writer.write(_http(b"", "Location: /moved", status="307 Moved") if moved else _http(TABLE))
        await writer.drain()

    liar = lying(script)
    for ask in _both(liar.url, SELECT, "csv"):
        assert ask().startswith(b"a\r\nxxx")
    assert liar.requests[0].partition(b"\r\n\r\n")[2] == liar.requests[1].partition(b"\r\n\r\n")[2]
    astray = lying(_http(b"", f"Location: {other.url}", status="307 Moved"))
    for ask in _both(astray.url.replace("http://", "http://user:secret@"), SELECT, "csv"):
        with pytest.raises(StoreFailed, match="on to another host") as caught:
            ask()
        assert "secret" not in str(caught.value)
    assert other.requests == []


def test_nobody_there_is_told() -> None:
    """A server that is down is an error that says so and what to look at."""
    for ask in _both("http://user:secret@127.0.0.1:9/query", SELECT, "csv"):
        with pytest.raises(StoreFailed, match=r"does not answer.*MEDKG_STORE_URL") as caught:
            ask()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a:secret@host/", "http://", "secret:80/query", "http://[::1/secret", "http://secret:x/"],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    """A bad setting is one line, without its value: it may hold a password."""
    with pytest.raises(SettingError, match="MEDKG_STORE_URL") as caught:
        at(url)
    assert "secret" not in str(caught.value)


# --- Time ----------------------------------------------------------------------------------------------


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del writer
    await reader.read()
    raise ConnectionResetError


async def _trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del reader
    writer.write(_http(START, CHUNKED).partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + _chunked(START, end=False))
    while True:
        writer.write(_chunked(b" ", end=False))
        await writer.drain()
        await asyncio.sleep(0.05)


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del reader
    writer.write(_http(b"", CHUNKED) + _chunked(START, end=False))
    row = b"," + json.dumps(ROW).encode()
    while True:
        writer.write(_chunked(row * 100, end=False))
        await writer.drain()


@pytest.mark.parametrize("script", [_silent, _trickle])
def test_slow_servers_are_stopped(lying: Start, script: Any) -> None:
    """No first byte, or one at a time: the deadline counts all the waiting, and the connection is closed."""
    liar = lying(script)

    async def work(endpoint: RemoteEndpoint) -> float:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await _whole(await endpoint.query(QueryRequest(SELECT), "csv"))
        assert endpoint.status() == {"running": 0, "asked": 1, "failed": 1}
        return time.monotonic() - started

    assert 0.4 < _run(liar.url, work, timeout=0.5) < 2
    assert liar.closed.wait(5)


def test_an_answer_without_end_is_taken_in_pieces(lying: Start) -> None:
    """What is not read is not fetched: memory stays bounded, and leaving closes the connection."""
    liar = lying(_endless)

    async def work(endpoint: RemoteEndpoint) -> int:
        reply = await endpoint.query(QueryRequest(SELECT), "csv")
        assert reply.body is None
        assert reply.chunks is not None
        taken = 0
        async for piece in reply.chunks:
            taken += len(piece)
            assert len(piece) < 1_000_000
            if taken > 1_000_000:
                break
        # The client takes nothing for longer than the deadline, which does not count.
        await asyncio.sleep(0.7)
        assert await anext(reply.chunks)
        await reply.chunks.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(reply.chunks)
        return int(endpoint.status()["running"])

    assert _run(liar.url, work, timeout=0.5) == 0
    assert liar.closed.wait(5)


def test_a_look_is_not_the_answer(lying: Start) -> None:
    """Who only looks at an answer without end learns that it begins, and the connection is closed."""
    liar = lying(_endless)

    async def work(endpoint: RemoteEndpoint) -> int:
        reply = await endpoint.query(QueryRequest(SELECT), "csv", peek=True)
        assert (reply.body, reply.chunks) == (None, None)
        return int(endpoint.status()["running"])

    assert _run(liar.url, work) == 0
    assert liar.closed.wait(5)


@pytest.mark.parametrize(
    ("bounds", "text", "accept", "limit"),
    [
        (Bounds(2, 10_000), SELECT, "csv", "rows=2"),
        (Bounds(2, 10_000), SELECT, "json", "rows=2"),
        (Bounds(0, 2_000), SELECT, "json", "bytes=2000"),
        (Bounds(2, 10_000), CONSTRUCT, "ttl", "rows=2"),
        (Bounds(3, 10_000), SELECT, "json", ""),
        (Bounds(3, 10_000), CONSTRUCT, "nt", ""),
    ],
)
def test_answers_over_the_bounds_are_errors(
    lying: Start, bounds: Bounds, text: str, accept: str, limit: str
) -> None:
    """The operator's limits hold for the answers of another server too."""
    triples = b"".join(b'<a:b> <a:b> "%d" .\n' % number for number in range(3))
    body = _http(TABLE) if text == SELECT else _http(triples, type_=TRIPLES)
    url = lying(body).url

    async def work(endpoint: RemoteEndpoint) -> bytes:
        return await _whole(await endpoint.query(QueryRequest(text), accept))

    if not limit:
        assert len(_run(url, work, bounds=bounds)) > 30
        return
    with pytest.raises(AnswerTooLarge) as caught:
        _run(url, work, bounds=bounds)
    assert caught.value.limit == limit


def test_an_endless_answer_ends_at_the_bounds(lying: Start) -> None:
    """What is held back is bounded, and the server is not listened to any longer."""
    liar = lying(_endless)

    async def work(endpoint: RemoteEndpoint) -> None:
        with pytest.raises(AnswerTooLarge):
            await endpoint.query(QueryRequest(SELECT), "csv")

    _run(liar.url, work, bounds=Bounds(0, 1_000_000))
    assert liar.closed.wait(5)


def test_a_late_failure_breaks_the_answer(lying: Start) -> None:
    """What fails behind the first pieces is raised where the next would be."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        row = b"," + json.dumps(ROW).encode()
        writer.write(_http(b"", CHUNKED) + _chunked(START + row * 1000, end=False))
        await writer.drain()
        await _silent(reader, writer)

    async def work(endpoint: RemoteEndpoint) -> int:
        reply = await endpoint.query(QueryRequest(SELECT), "csv")
        assert reply.chunks is not None
        taken = [await anext(reply.chunks), await anext(reply.chunks)]
        with pytest.raises(DeadlineExceeded):
            taken += [piece async for piece in reply.chunks]
        return sum(map(len, taken))

    assert _run(lying(script).url, work, timeout=0.5) > 100_000


def test_a_client_that_leaves_early_stops_the_query(lying: Start) -> None:
    """A task that is cancelled while it waits for the first piece lets go of its connection and its place."""
    liar = lying(_silent)

    async def work(endpoint: RemoteEndpoint) -> None:
        task = asyncio.create_task(endpoint.query(QueryRequest(SELECT), "csv"))
        await asyncio.to_thread(liar.asked.wait, 5)
        assert endpoint.status()["running"] == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert endpoint.status()["running"] == 0

    _run(liar.url, work)
    assert liar.closed.wait(5)


def test_only_so_many_run_at_a_time(lying: Start) -> None:
    """A query that finds no place in time is told so, and one that ends makes place."""
    liar = lying(_silent)

    async def work(endpoint: RemoteEndpoint) -> None:
        first = asyncio.create_task(endpoint.query(QueryRequest(SELECT), "csv"))
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await endpoint.query(QueryRequest(SELECT), "csv")
        with pytest.raises(DeadlineExceeded):
            await first
        with pytest.raises(DeadlineExceeded):
            await endpoint.query(QueryRequest(SELECT), "csv")

    _run(liar.url, work, parallel=1, patience=0.2, timeout=0.5)


def test_closing_ends_what_runs(lying: Start) -> None:
    """The end of the service is the end of its queries."""
    liar = lying(_endless)

    async def main() -> None:
        endpoint = RemoteEndpoint(at(liar.url))
        reply = await endpoint.query(QueryRequest(SELECT), "csv")
        assert reply.chunks is not None
        await endpoint.close()

    asyncio.run(main())
    gc.collect()
    assert liar.closed.wait(5)


@pytest.mark.parametrize("kind", ["update", "write"])
def test_an_unanswered_write_is_not_called_undone(lying: Start, tmp_path: Any, kind: str) -> None:
    """When no answer comes, nobody knows whether the change was made, and the error says so."""
    file = tmp_path / "graph.nt"
    file.write_text("<a:b> <a:b> <a:b> .\n", encoding="ascii")

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if liar.requests[-1].startswith(b"HEAD"):
            writer.write(_http(b""))
            await writer.drain()
        else:
            await _silent(reader, writer)

    async def work(endpoint: RemoteEndpoint) -> None:
        before = endpoint.version
        text = "INSERT DATA { GRAPH <a:b> { <a:b> <a:b> <a:b> } }"
        put = GraphWrite("put", "https://e.test/x", file)
        change = (
            endpoint.write(put, ADMIN) if kind == "write" else endpoint.update(UpdateRequest(text), ADMIN)
        )
        with pytest.raises(StoreFailed, match="did not say whether"):
            await change
        assert endpoint.version == before

    liar = lying(script)
    _run(liar.url, work, update_timeout=0.3)
    assert liar.requests[-1].startswith(b"PUT /store?graph=" if kind == "write" else b"POST /update ")
