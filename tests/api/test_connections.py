"""connections.py: clients that are slow, greedy or confused, over raw sockets; others don't notice them."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import Any

import pytest
import uvicorn

from medkg_api.connections import HEAD_BYTES, LONGEST_URL, Connection

PATIENCE = 1.0
MOST = 250
BIG = 40_000_000


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the number of bytes of the body; /big answers much, /slow later, /early before the body."""
    size = 0
    while scope["path"] != "/early":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        if not message["more_body"]:
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * PATIENCE)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-seen", str(size).encode())]})
    for _ in range(BIG // 100_000 if scope["path"] == "/big" else 1):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server with little patience."""
    protocol = partial(Connection, most=MOST, patience=PATIENCE, pace=0.1)
    config = uvicorn.Config(
        application,
        http=protocol,  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_level="critical",
        timeout_keep_alive=1,
        timeout_graceful_shutdown=1,
        backlog=1024,
    )
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes; a reset is an end too."""
    found = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            found += piece
    return found


def exchange(port: int, *pieces: bytes) -> tuple[int, dict[str, Any]]:
    """Send pieces and return the status and the problem; status 0: closed without a word."""
    with connect(port) as connection:
        with suppress(ConnectionResetError, BrokenPipeError):
            for piece in pieces:
                connection.sendall(piece)
        answer = read_all(connection)
    if not answer:
        return 0, {}
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert b"application/problem+json" in head
    assert b"connection: close" in head
    problem: dict[str, Any] = json.loads(body)
    assert problem["status"] == status
    assert problem["detail"].endswith(".")
    return status, problem


def ask(port: int) -> float:
    """Ask as any client does; return the seconds until the answer is whole."""
    began = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(client):
        client.request("GET", "/")
        answer = client.getresponse()
        assert (answer.status, len(answer.read())) == (200, 100_000)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /?query=\xc3\x28 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(port: int, request_: bytes) -> None:
    """Bytes that are no request of HTTP/1.1 get a 400 and the end of the connection."""
    status, problem = exchange(port, request_)
    assert (status, problem["title"]) == (400, "Bad Request")


def test_a_chunk_that_is_none(port: int) -> None:
    """A broken body ends the connection; the application does not take it for a whole one."""
    with connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert b" 200 " not in read_all(connection)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", 431),
        (b"GET /" + b"x" * 1_000_000, 414),
        (b"GET /" + b"x" * LONGEST_URL + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ],
)
def test_a_head_that_is_too_long(port: int, head: bytes, status: int) -> None:
    """An endless header or address is refused before it takes memory; the answer may be lost to a reset."""
    assert exchange(port, head)[0] in {status, 0}


@pytest.mark.parametrize("length", [60_000, LONGEST_URL - 8])
def test_a_long_head_that_is_taken(port: int, length: int) -> None:
    """What stays below the limits is answered, in one piece or in many."""
    request = b"GET /?q=" + b"x" * (length - 4) + b" HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 60_000 + b"\r\n\r\n"
    for pieces in ([request], [request[at : at + 10_000] for at in range(0, len(request), 10_000)]):
        with connect(port) as connection:
            for piece in pieces:
                connection.sendall(piece)
            assert connection.recv(20).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((b"GET / HTTP/1.1\r\nHo",), 408),
        ((b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",), 408),
        ((b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",), 408),
        ((b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",), 408),
        ((), 0),
    ],
)
def test_what_does_not_come_is_not_waited_for(port: int, pieces: tuple[bytes, ...], status: int) -> None:
    """Half a head, a body shorter than announced, and silence end after the patience, not before."""
    began = time.monotonic()
    with connect(port) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = read_all(connection).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert time.monotonic() - began > PATIENCE * 0.9
    assert (int(answer.split()[1]) if answer else 0) == status


def test_a_head_that_drips(port: int) -> None:
    """A byte now and then does not keep a connection: the whole head has its time."""
    with connect(port) as connection, suppress(OSError):
        for _ in range(600):
            connection.sendall(b"X")
            time.sleep(0.1)
        pytest.fail("the connection is still kept after a minute")


def test_a_body_longer_than_announced(port: int) -> None:
    """What comes behind a body is no second request: the first is answered, then the connection ends."""
    with connect(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcdefgh\r\n\r\n")
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 200 ") <= 1
    assert answer.count(b"x-seen: 3\r\n") <= 1
    assert b"x-seen: 8" not in answer


def test_a_slow_answer_is_waited_for(port: int) -> None:
    """Patience is for the client, not for the application: what takes longer is still delivered."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(client):
        client.request("GET", "/slow")
        assert client.getresponse().status == 200


def test_a_connection_is_used_again(port: int) -> None:
    """Requests that follow one another on a connection have each their own time; idle ones are closed."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(client):
        for _ in range(4):
            client.request("POST", "/", body=b"abc")
            answer = client.getresponse()
            assert (answer.headers["x-seen"], len(answer.read())) == ("3", 100_000)
            time.sleep(0.5 * PATIENCE)
        kept = client.sock
        assert kept is not None
        assert kept.recv(1) == b""


def test_requests_in_a_row_are_answered_in_order(port: int) -> None:
    """Requests that are sent without waiting are all answered."""
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        found = b""
        while found.count(b"0\r\n\r\n") < 3:
            piece = connection.recv(65_536)
            assert piece
            found += piece
    assert found.count(b"HTTP/1.1 200 OK") == 3


def test_who_takes_nothing_is_left(port: int) -> None:
    """A client that asks for much and reads nothing loses its connection; one that reads gets all of it."""
    request = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect(port) as lazy, connect(port) as diligent:
        lazy.sendall(request)
        diligent.sendall(request)
        received = 0
        while received < BIG:
            received += len(diligent.recv(1_000_000))
        time.sleep(PATIENCE * 2.5)
        assert len(read_all(lazy)) < BIG


def test_a_slow_reader_that_goes_on_gets_everything(port: int) -> None:
    """A slow line is no reason to be cut off: what counts is that bytes flow."""
    with connect(port) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        slow.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        received, began = 0, time.monotonic()
        while received < BIG:
            piece = slow.recv(400_000)
            assert piece, f"cut off after {received} bytes"
            received += len(piece)
            if time.monotonic() < began + 4 * PATIENCE:
                time.sleep(0.02)


def test_others_do_not_notice(port: int) -> None:
    """With 200 connections that wait, send a half or read nothing, another client is served at once."""
    cut = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
    halves = (b"", b"GET / HT", cut, b"GET /big HTTP/1.1\r\n\r\n")
    with ExitStack() as stack:
        for number in range(200):
            stack.enter_context(connect(port)).sendall(halves[number % 4])
        times = sorted(ask(port) for _ in range(21))
    # Who had to wait for one of them would wait as long as the patience with it lasts.
    assert times[10] < PATIENCE


def test_too_many_connections_are_told(port: int) -> None:
    """Beyond the number of connections a new one gets a 503; when the others end, there is room again."""
    with ExitStack() as stack:
        for _ in range(MOST):
            stack.enter_context(connect(port))
        with connect(port) as connection:
            answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5\r\n" in answer
    for _ in range(600):
        with connect(port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            if read_all(connection).startswith(b"HTTP/1.1 200 "):
                break
        time.sleep(0.1)
    else:
        pytest.fail("there is never room again")


def test_half_closed_connections_are_forgotten(port: int) -> None:
    """A client that closes its side in the middle of a request costs nothing."""
    for piece in (b"", b"GET /", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"):
        with connect(port) as connection:
            connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            assert b"200" not in read_all(connection)
    ask(port)
