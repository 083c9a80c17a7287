"""Compressed answers: which coding, what it does to tags, and that a stream stays one."""

import asyncio
import gzip
import zlib
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from medkg_api.compression import Compression, choose

LONG = b"the same words again and again, " * 500
ROWS = {"query": "SELECT * { ?s ?p ?o } ORDER BY ?s LIMIT 500", "format": "csv"}


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", ""),
        ("identity", ""),
        ("br", ""),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0, zstd", "zstd"),
        ("zstd;q=0", ""),
        ("*", "zstd"),
        ("*;q=0", ""),
        ("zstd;q=0, *;q=0.1", "gzip"),
        ("identity;q=1, *;q=0.1", ""),
        ("identity;q=0.5, gzip;q=0.2", ""),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity, gzip", "gzip"),
        ("gzip ; q=0.000", ""),
        ("gzip;q=nonsense", ""),
        ("gzip;q=nan", ""),
        ("gzip;q=9", ""),
        ("gzip;q=-1", ""),
        (",,;", ""),
        ("x," * 5_000 + "gzip", ""),
    ],
)
def test_the_client_chooses_the_coding(accept: str, coding: str) -> None:
    """Qualities, zero among them, aliases and stars are read as RFC 9110, section 12.5.3, says."""
    assert choose(accept) == coding


def decode(coding: str, data: bytes) -> bytes:
    """Return what a decoder gives of the bytes so far."""
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return zlib.decompressobj(wbits=31).decompress(data)


async def answer(
    pieces: list[bytes], headers: dict[str, str], *, status: int = 200, method: str = "GET", **asked: str
) -> tuple[dict[str, str], list[bytes]]:
    """Return the header fields and the pieces of an answer that has passed the middleware."""
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for number, data in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": data, "more_body": number < len(pieces)})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in asked.items()]
    await Compression(app)({"type": "http", "method": method, "headers": raw}, receive, send)
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(pieces) - 1) + [False]
    return (
        {name.decode(): value.decode() for name, value in sent[0]["headers"]},
        [message["body"] for message in sent[1:]],
    )


@pytest.mark.anyio
@pytest.mark.parametrize("coding", ["zstd", "gzip"])
async def test_each_piece_can_be_read_when_it_comes(coding: str) -> None:
    """A stream is not held back: what was sent so far decodes to what went in so far."""
    pieces = [b"first,row\r\n", b"second,row\r\n" * 1_000, b"", b"last,row\r\n", b""]

    headers, sent = await answer(pieces, {"content-type": "text/csv"}, accept_encoding=coding)

    assert headers["content-encoding"] == coding
    assert "content-length" not in headers
    for number in range(1, len(pieces)):
        assert decode(coding, b"".join(sent[:number])) == b"".join(pieces[:number])
    whole = b"".join(sent)
    assert decode(coding, whole) == b"".join(pieces)
    if coding == "gzip":
        assert gzip.decompress(whole) == b"".join(pieces)


@pytest.mark.anyio
@pytest.mark.parametrize("coding", ["zstd", "gzip"])
@pytest.mark.parametrize(("size", "aside"), [(2_000, False), (65_536, False), (4_000_000, True)])
async def test_a_large_body_holds_up_nobody(coding: str, size: int, *, aside: bool) -> None:
    """While a large body is compressed the event loop goes on; a small one is not worth the way."""
    body = (LONG * (size // len(LONG) + 1))[:size]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.ensure_future(others())
    headers, sent = await answer([body], {"content-type": "text/csv"}, accept_encoding=coding)
    seen = turns
    running.cancel()

    assert (seen > 0) is aside
    assert decode(coding, sent[0]) == body
    assert headers["content-length"] == str(len(sent[0]))


@pytest.mark.anyio
@pytest.mark.parametrize("coding", ["zstd", "gzip"])
async def test_a_whole_answer_has_the_length_that_it_is_sent_with(coding: str) -> None:
    """Length, coding and tag are those of the bytes that go out."""
    given = {
        "content-type": "text/csv",
        "content-length": str(len(LONG)),
        "etag": 'W/"1-a"',
        "vary": "Accept",
    }

    headers, sent = await answer([LONG], given, accept_encoding=coding)

    assert headers["content-encoding"] == coding
    assert headers["content-length"] == str(len(sent[0]))
    assert headers["etag"] == f'W/"1-a-{coding}"'
    assert headers["vary"] == "Accept, Accept-Encoding"
    assert decode(coding, sent[0]) == LONG


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * 999, {"content-type": "text/csv"}, 200),
        (LONG, {"content-type": "image/png"}, 200),
        (LONG, {"content-type": "text/csv", "content-encoding": "br"}, 200),
        (LONG, {"content-type": "text/csv", "content-range": "bytes 0-1/2"}, 206),
        (b"", {}, 204),
    ],
)
async def test_what_gains_nothing_stays_as_it_is(body: bytes, headers: dict[str, str], status: int) -> None:
    """Small, dense, encoded or partial bodies are not touched, nor is their tag."""
    given = {**headers, "etag": '"a"'}

    found, sent = await answer([body], given, status=status, accept_encoding="gzip")

    assert found == {**given, "vary": "Accept-Encoding"}
    assert sent == [body]


@pytest.mark.anyio
@pytest.mark.parametrize("accept", ["zstd", "gzip", "identity"])
@pytest.mark.parametrize("length", ["20000", "20", None])
async def test_head_has_the_fields_of_get(accept: str, length: str | None) -> None:
    """HEAD has the coding and the tag that GET has, and no length that GET would not have."""
    body = [b"x" * int(length)] if length is not None else [b"x" * 20_000, b""]
    given = {"content-type": "text/csv", "etag": '"a"'} | (
        {} if length is None else {"content-length": length}
    )

    head, sent = await answer([b""], given, method="HEAD", accept_encoding=accept)
    get, _ = await answer(body, given, accept_encoding=accept)

    assert sent == [b""]
    assert head.get("content-encoding") == get.get("content-encoding")
    assert (head["etag"], head["vary"]) == (get["etag"], get["vary"])
    assert head.get("content-length") in {None, get.get("content-length")}


@pytest.mark.anyio
@pytest.mark.parametrize("accept", ["", "zstd", "gzip"])
@pytest.mark.parametrize("known", ['"a"', '"a-zstd"', '"b", "a-gzip"'])
async def test_what_was_not_modified_keeps_the_tag_of_the_client(accept: str, known: str) -> None:
    """A 304 names the tag that the client has, whatever coding it would take now (RFC 9110, 15.4.5)."""
    found, sent = await answer(
        [b""], {"etag": '"a"'}, status=304, accept_encoding=accept, if_none_match=known
    )

    assert found["etag"] in known
    assert sent == [b""]
    assert "content-encoding" not in found


@pytest.mark.anyio
async def test_lines_of_a_field_are_one_list() -> None:
    """A client may send Accept-Encoding in several lines."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": LONG})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "headers": [(b"accept-encoding", b"br"), (b"accept-encoding", b"gzip")],
    }
    await Compression(app)(scope, app, send)  # type: ignore[arg-type]

    assert (b"content-encoding", b"gzip") in sent[0]["headers"]


def raw(client: TestClient, **headers: str) -> tuple[Any, bytes]:
    """Return an answer and its bytes as they were sent."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream("GET", "/sparql", params=ROWS, headers=fields) as response:
        return response, b"".join(response.iter_raw())


def test_each_coding_has_a_tag_and_each_tag_is_known(reading: TestClient) -> None:
    """The codings of an answer have tags of their own; with any of them the answer is not sent again."""
    answers = {coding: raw(reading, accept_encoding=coding) for coding in ("identity", "gzip", "zstd")}
    tags = {coding: response.headers["etag"] for coding, (response, _) in answers.items()}

    plain = answers["identity"][1]
    assert len(set(tags.values())) == 3
    assert decode("gzip", answers["gzip"][1]) == decode("zstd", answers["zstd"][1]) == plain
    for tag in tags.values():
        for coding in tags:
            response, sent = raw(reading, accept_encoding=coding, if_none_match=tag)
            assert (response.status_code, sent, response.headers["etag"]) == (304, b"", tag)
    assert raw(reading, accept_encoding="gzip", if_none_match='W/"1-0-gzip"')[0].status_code == 200
