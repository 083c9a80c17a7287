"""Reading parameters and bodies within limits, and sending what an engine streams."""

import asyncio
from typing import Any, Self

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from medkg.domain.errors import CallError, EngineCrashed, TooLarge, UnsupportedMedia
from medkg.store.engine import Reply
from medkg.store.formats import by_name
from medkg_api.exchange import (
    ReplyResponse,
    field,
    media_type_of,
    parameters_of,
    pieces_of,
    unless_left,
)

JSON = by_name("json", "results")
TAKEN = ("application/sparql-query", "text/turtle")


def request(messages: list[Message] | None = None, *headers: tuple[str, str]) -> Request:
    """Make a request whose body arrives as these messages, and then nothing more."""
    waiting = list(messages or [])

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": raw}
    return Request(scope, receive)


def piece(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


@pytest.mark.parametrize(
    ("form", "values"),
    [
        (b"", []),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"query=", [("query", "")]),
        (b"query", [("query", "")]),
        (b"a=%2541+%2B&b=%C5%9A", [("a", "%41 +"), ("b", "Ś")]),
        ("a=Ś".encode(), [("a", "Ś")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
    ],
)
def test_parameters_are_decoded_once(form: bytes, values: list[tuple[str, str]]) -> None:
    """Names and values come in the order in which they were sent, and each is decoded once."""
    assert parameters_of(form, "address") == values


@pytest.mark.parametrize("form", [b"a=%FF", b"a=\xff", b"a=%C5", b"%FF=1", b"&".join([b"a=1"] * 1_001)])
def test_parameters_that_cannot_be_read_are_the_clients_mistake(form: bytes) -> None:
    """What is not UTF-8, or has too many parameters, is a wrong call."""
    with pytest.raises(CallError, match="The body "):
        parameters_of(form, "body")


def test_a_thousand_parameters_are_read() -> None:
    """A query over hundreds of graphs is no mistake."""
    assert len(parameters_of(b"&".join([b"a=1"] * 1_000), "body")) == 1_000


def test_a_list_may_come_in_several_lines() -> None:
    """Lines of one header field are one list (RFC 9110, section 5.3)."""
    asked = request([], ("accept", "text/csv;q=0.1"), ("x", "y"), ("accept", "text/turtle"))

    assert field(asked, "accept") == "text/csv;q=0.1, text/turtle"
    assert not field(asked, "if-match")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("text/turtle", "text/turtle"),
        ("Text/Turtle; charset=UTF-8", "text/turtle"),
        ('text/turtle;charset="utf-8";x=y', "text/turtle"),
        (" application/sparql-query ;charset=us-ascii", "application/sparql-query"),
    ],
)
def test_a_media_type_is_read_without_its_parameters(value: str, found: str) -> None:
    """Case, spaces and a character set that is UTF-8 make no difference."""
    assert media_type_of(request([], ("content-type", value)), TAKEN) == found


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", ""),),
        (("content-type", "text/plain"),),
        (("content-type", "text/turtle; charset=latin-1"),),
        (("content-type", "text/turtle"), ("content-encoding", "gzip")),
        (("content-type", "text/turtle"), ("content-encoding", "identity"), ("content-encoding", "br")),
    ],
)
def test_another_body_is_not_taken(headers: tuple[tuple[str, str], ...]) -> None:
    """Another type, another character set or a compressed body is 415."""
    with pytest.raises(UnsupportedMedia):
        media_type_of(request([], *headers), TAKEN)


@pytest.mark.anyio
async def test_a_body_is_read_as_it_comes() -> None:
    """Pieces are passed on, up to the limit to the byte."""
    asked = request([piece(b"ab"), piece(b"c"), piece(b"de", more=False)], ("content-length", "5"))

    assert b"".join([part async for part in pieces_of(asked, 5)]) == b"abcde"


@pytest.mark.anyio
@pytest.mark.parametrize("told", ["6", "9" * 16, "9" * 5_000])
async def test_a_body_that_says_it_is_too_long_is_not_read(told: str) -> None:
    """A Content-Length above the limit is refused before anything has come."""
    with pytest.raises(TooLarge, match="longer than 5 bytes"):
        await anext(pieces_of(request([], ("content-length", told)), 5))


@pytest.mark.anyio
async def test_a_body_that_grows_too_long_is_given_up() -> None:
    """Without a length, the piece that goes over the limit is the last one read."""
    seen: list[bytes] = []
    asked = request([piece(b"abc"), piece(b"def"), piece(b"g")])

    with pytest.raises(TooLarge):
        seen.extend([part async for part in pieces_of(asked, 5)])


@pytest.mark.anyio
async def test_a_client_that_leaves_in_its_body_made_no_request() -> None:
    """Half a body is never taken for a whole one."""
    asked = request([piece(b"abc"), {"type": "http.disconnect"}])

    with pytest.raises(CallError, match="left before its body was complete"):
        async for _ in pieces_of(asked, 100):
            pass


@pytest.mark.anyio
async def test_work_is_done_while_the_client_waits() -> None:
    """What the work gives or raises comes back."""

    async def work() -> int:
        await asyncio.sleep(0.15)
        return 7

    async def failing() -> int:
        await asyncio.sleep(0)
        raise EngineCrashed("It ended.")

    assert await unless_left(request().receive, work()) == 7
    with pytest.raises(EngineCrashed):
        await unless_left(request().receive, failing())


@pytest.mark.anyio
async def test_work_stops_when_the_client_leaves() -> None:
    """A client that leaves frees what it had asked for."""
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    left: list[Message] = [{"type": "http.request"}, {"type": "http.disconnect"}]
    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(unless_left(request(left).receive, work()), 10)

    assert stopped.is_set()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.anyio
async def test_who_stops_the_service_stops_the_work() -> None:
    """A cancellation from elsewhere is not taken for a client that left."""
    task = asyncio.create_task(unless_left(request().receive, asyncio.Event().wait()))
    await asyncio.sleep(0.15)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


class Chunks:
    """Pieces of an answer, of which one may be an error."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = list(pieces)
        self.closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if not self._pieces:
            raise StopAsyncIteration
        found = self._pieces.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def aclose(self) -> None:
        self.closed = True


async def send_all(response: ReplyResponse, method: str = "GET", **named: Any) -> list[Message]:
    """Return the messages that a response sends."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await response({"type": "http", "method": method}, named.get("receive", request().receive), send)
    return sent


def body(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "expected"), [("GET", b"{}"), ("HEAD", b"")])
async def test_a_small_answer_is_sent_whole(method: str, expected: bytes) -> None:
    """It has its length and its type; HEAD has both without the body."""
    sent = await send_all(ReplyResponse(Reply(JSON, 1, b"{}"), {"x-y": "z"}), method)

    headers = dict(sent[0]["headers"])
    assert headers == {
        b"x-y": b"z",
        b"content-length": b"2",
        b"content-type": b"application/sparql-results+json",
    }
    assert body(sent) == expected


@pytest.mark.anyio
async def test_a_large_answer_is_sent_in_pieces() -> None:
    """Each piece goes as it comes, without a length in advance, and then the end."""
    chunks = Chunks(b"ab", b"cd")

    sent = await send_all(ReplyResponse(Reply(JSON, 1, None, chunks), {}))

    assert b"content-length" not in dict(sent[0]["headers"])
    assert [message.get("body") for message in sent[1:]] == [b"ab", b"cd", b""]
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, False]
    assert chunks.closed


@pytest.mark.anyio
async def test_head_of_a_large_answer_stops_the_evaluation() -> None:
    """HEAD sends no piece, and holds no reader."""
    chunks = Chunks(b"ab")

    sent = await send_all(ReplyResponse(Reply(JSON, 1, None, chunks), {}), "HEAD")

    assert body(sent) == b""
    assert b"content-length" not in dict(sent[0]["headers"])
    assert chunks.closed


@pytest.mark.anyio
async def test_a_late_failure_never_ends_the_answer() -> None:
    """When a piece fails, the end is not sent, so the server breaks the transfer."""
    chunks = Chunks(b"ab", EngineCrashed("It ended."), b"cd")
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    response = ReplyResponse(Reply(JSON, 1, None, chunks), {})
    with pytest.raises(EngineCrashed):
        await response({"type": "http", "method": "GET"}, request().receive, send)

    assert [message.get("more_body") for message in sent[1:]] == [True]
    assert chunks.closed


@pytest.mark.anyio
async def test_a_client_that_leaves_in_the_answer_stops_it() -> None:
    """The evaluation is closed as soon as nobody listens."""

    class Endless(Chunks):
        async def __anext__(self) -> bytes:
            await asyncio.sleep(0.01)
            return b"x"

    chunks = Endless()
    left = request([{"type": "http.disconnect"}]).receive

    sent = await asyncio.wait_for(send_all(ReplyResponse(Reply(JSON, 1, None, chunks), {}), receive=left), 10)

    assert chunks.closed
    assert sent[-1]["more_body"] is True
