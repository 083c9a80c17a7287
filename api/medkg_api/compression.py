"""Compresses answers with zstd or gzip, as the client prefers, without holding a stream back."""

import zlib
from http import HTTPStatus
from typing import Final, Protocol

import zstandard
from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Compression", "choose"]

_SMALLEST: Final = 1_000
_QUICK: Final = 65_536
"""Bytes that are compressed at once, in a few milliseconds: a piece of a streamed answer."""
_GZIP_LEVEL: Final = 5
_ZSTD_LEVEL: Final = 3
_ALIASES: Final = {"x-gzip": "gzip"}
_DENSE: Final = ("image/png", "application/zip", "application/vnd.openxmlformats", "application/gzip")


class _Compressor(Protocol):
    def piece(self, data: bytes) -> bytes:
        """Return the compressed bytes of a piece, all that the other side needs to read it."""

    def last(self, data: bytes) -> bytes:
        """Return the compressed bytes of the last piece, and the end."""


class _Gzip:
    def __init__(self) -> None:
        self._made = zlib.compressobj(_GZIP_LEVEL, wbits=31)

    def piece(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zlib.Z_SYNC_FLUSH)

    def last(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush()


class _Zstd:
    def __init__(self) -> None:
        self._made = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()

    def piece(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def last(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush()


_CODINGS: Final[dict[str, type[_Compressor]]] = {"zstd": _Zstd, "gzip": _Gzip}


class Compression:
    """ASGI middleware; an entity tag gets the name of the coding, since it names other bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with an eye on what is sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        accepted, known = (
            b", ".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")
            for wanted in (b"accept-encoding", b"if-none-match")
        )
        coding = choose(accepted)
        if not coding and not known:
            await self._app(scope, receive, _varied(send))
            return
        sender = _Sender(send, coding, known=known, head=scope["method"] == "HEAD")
        await self._app(scope, receive, sender)


def _varied(send: Send) -> Send:
    """Return what passes messages on, and says of an answer as it is that there might be others."""

    async def varied(message: Message) -> None:
        if message["type"] == "http.response.start":
            _add_vary(MutableHeaders(raw=message["headers"]))
        await send(message)

    return varied


class _Sender:
    """Passes messages on, compressed when the answer is worth it.

    *coding* is the preferred one, or ""; *known* are the tags that the client sent; a *head* is answered
    with the fields that the body would have had.
    """

    def __init__(self, send: Send, coding: str, *, known: str, head: bool) -> None:
        self._send = send
        self._coding = coding
        self._known = known
        self._head = head
        self._start: Message | None = None
        self._compressor: _Compressor | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            self._begin(start, body, more=more)
            body = await self._compressed(body, more=more)
            if self._compressor is not None and not more:
                MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
            await self._send(start)
        else:
            body = await self._compressed(body, more=more)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _compressed(self, body: bytes, *, more: bool) -> bytes:
        """Return a piece of the body as it is sent."""
        if self._compressor is None:
            return body
        work = self._compressor.piece if more else self._compressor.last
        # What takes longer than a moment must not hold up the other requests.
        return await to_thread.run_sync(work, body) if len(body) > _QUICK else work(body)

    def _begin(self, start: Message, body: bytes, *, more: bool) -> None:
        """Set the header fields of an answer, but for the length of a compressed body, and choose how to."""
        headers = MutableHeaders(raw=start["headers"])
        _add_vary(headers)
        if start["status"] == HTTPStatus.NOT_MODIFIED:
            # The tag stays the one that the client has.
            coding = next((name for name in _CODINGS if _marked(headers, name) in self._known), "")
            _mark(headers, coding)
            return
        if not self._coding or not _worth(start, headers, body, more=more, head=self._head):
            return
        headers["content-encoding"] = self._coding
        del headers["content-length"]
        _mark(headers, self._coding)
        if not self._head:
            self._compressor = _CODINGS[self._coding]()


def choose(accept: str) -> str:
    """Return the coding that an Accept-Encoding value prefers of those offered, or nothing.

    Between equal qualities, ours come before the body as it is (RFC 9110, section 12.5.3).
    """
    if not accept:
        return ""
    found: dict[str, float] = {}
    for part in accept[:1_000].split(","):
        name, *options = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
                quality = quality if 0 <= quality <= 1 else 0.0
        found[_ALIASES.get(name, name)] = quality
    rest = found.get("*", 0.0)
    best = max(_CODINGS, key=lambda name: found.get(name, rest))
    quality = found.get(best, rest)
    return best if quality > 0 and quality >= found.get("identity", 0.0) else ""


def _worth(start: Message, headers: MutableHeaders, body: bytes, *, more: bool, head: bool) -> bool:
    if start["status"] in {204, 206} or "content-encoding" in headers or "content-range" in headers:
        return False
    if headers.get("content-type", "").startswith(_DENSE):
        return False
    if head:
        # Without a length, the body would have come in pieces.
        length = headers.get("content-length")
        return length is None or int(length) >= _SMALLEST
    return more or len(body) >= _SMALLEST


def _mark(headers: MutableHeaders, coding: str) -> None:
    if coding and "etag" in headers:
        headers["etag"] = _marked(headers, coding)


def _marked(headers: MutableHeaders, coding: str) -> str:
    """Return the entity tag of an answer as it is with a coding."""
    return headers.get("etag", "").removesuffix('"') + f'-{coding}"'


def _add_vary(headers: MutableHeaders) -> None:
    known = headers.get("vary", "")
    if "accept-encoding" not in known.lower():
        headers["vary"] = f"{known}, Accept-Encoding" if known else "Accept-Encoding"
