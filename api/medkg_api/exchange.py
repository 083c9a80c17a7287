"""What the protocol routes share: parameters and bodies within limits, answers as an engine streams them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from functools import lru_cache
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from medkg.domain.errors import CallError, TooLarge, UnsupportedMedia
from medkg.store.engine import Reply

__all__ = [
    "FORM",
    "Parameters",
    "ReplyResponse",
    "body_of",
    "check_coding",
    "check_length",
    "field",
    "media_type_of",
    "parameters_of",
    "pieces_of",
    "unless_left",
]

FORM: Final = "application/x-www-form-urlencoded"
Parameters = list[tuple[str, str]]
"""Names and values in the order they were sent; a name may come several times."""

_PATIENCE: Final = 30.0
"""Seconds that a client may take between two pieces of its body."""
_GRACE: Final = 0.1
"""Seconds after which it is worth looking whether the client is still there."""
_FIELDS: Final = 1_000
"""Parameters of one request; reading more holds up the others."""
_DIGITS: Final = 15
"""Digits of a Content-Length that are read; a longer one is longer than any limit."""

_SHORT: Final = 4_096

T = TypeVar("T")


def parameters_of(form: bytes, where: str) -> Parameters:
    """Return the pairs of a form, decoded once.

    :raises CallError: it is not UTF-8.
    """
    if not form:
        return []
    try:
        return list(_known_pairs(form) if len(form) <= _SHORT else _pairs(form))
    except UnicodeDecodeError:
        raise CallError(f"The {where} is not UTF-8.", remedy="Percent-encode the UTF-8 bytes.") from None
    except ValueError:
        raise CallError(f"The {where} has too many parameters.", remedy="Send fewer.") from None


def _pairs(form: bytes) -> tuple[tuple[str, str], ...]:
    text = form.decode("utf-8")
    return tuple(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS))


_known_pairs = lru_cache(maxsize=1_024)(_pairs)
"""Most queries are asked again and again, and decoding one costs as much as answering it from the cache."""


def field(request: Request, name: str) -> str:
    """Return the value of a header field that is a list: that of all its lines (RFC 9110, section 5.3)."""
    return ", ".join(request.headers.getlist(name))


def check_coding(request: Request) -> None:
    """Let only a body pass that is sent as it is.

    :raises UnsupportedMedia: it is compressed.
    """
    coding = field(request, "content-encoding").strip().lower()
    if coding not in {"", "identity"}:
        raise UnsupportedMedia(
            f"A body compressed with {coding[:40]!r} is not read.", remedy="Send it as it is."
        )


def check_length(request: Request, limit: int) -> None:
    """Refuse a body that says of itself that it is too long, before anything is done for it.

    :raises TooLarge: it is longer than *limit* bytes.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > _DIGITS or int(told) > limit):
        raise _too_large(limit)


def media_type_of(request: Request, taken: tuple[str, ...]) -> str:
    """Return the media type of a request's body, in lower case and without parameters.

    :raises UnsupportedMedia: it is none of *taken*, in another character set than UTF-8, or compressed.
    """
    main, *options = request.headers.get("content-type", "").split(";")
    media_type = main.strip().lower()
    if media_type not in taken:
        raise UnsupportedMedia(
            f"A body of type {media_type[:100] or 'none'!r} is not taken here.",
            remedy=f"Send one of: {', '.join(taken)}.",
        )
    for option in options:
        name, _, value = option.partition("=")
        if name.strip().lower() == "charset" and value.strip(" \"'").lower() not in {
            "utf-8",
            "utf8",
            "us-ascii",
        }:
            raise UnsupportedMedia(
                f"The character set {value.strip()[:40]!r} is not read.", remedy="Send UTF-8."
            )
    check_coding(request)
    return media_type


async def pieces_of(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes.

    :raises TooLarge: it is longer than *limit* bytes.
    :raises CallError: the client stopped in the middle.
    """
    check_length(request, limit)
    size = 0
    source = request.stream()
    while True:
        try:
            async with asyncio.timeout(_PATIENCE):
                piece = await anext(source, None)
        except TimeoutError:
            raise CallError(f"The body did not go on for {_PATIENCE:g} seconds.") from None
        except ClientDisconnect:
            raise CallError("The client left before its body was complete.") from None
        if piece is None:
            return
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        yield piece


async def body_of(request: Request, limit: int) -> bytes:
    """Return the whole body; see :func:`pieces_of`."""
    return b"".join([piece async for piece in pieces_of(request, limit)])


async def unless_left(receive: Receive, work: Awaitable[T]) -> T:
    """Return what *work* gives, or stop it when the client leaves before.

    :raises ClientDisconnect: the client has left.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        task.cancel()

    watchers: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    # Most requests are answered before a look would tell anything.
    timer = loop.call_later(_GRACE, lambda: watchers.append(loop.create_task(watch())))
    try:
        return await work
    except asyncio.CancelledError:
        if left and task.uncancel() == 0:
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        for watcher in watchers:
            watcher.cancel()


class ReplyResponse(Response):
    """Sends the answer of an engine: whole when it is small, else piece by piece as the engine makes it.

    A failure in the middle breaks the transfer, so that it can't be taken for a complete answer.
    """

    def __init__(self, reply: Reply, headers: Mapping[str, str], *, status: int = 200) -> None:
        super().__init__(reply.body, status, headers, reply.format.content_type)
        self._reply = reply
        if reply.body is None:
            del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; stop the evaluation when the client leaves."""
        chunks = self._reply.chunks
        if scope["method"] == "HEAD" or chunks is None:
            if chunks is not None:
                await chunks.aclose()
            self.body = b"" if scope["method"] == "HEAD" else self.body
            await super().__call__(scope, receive, send)
            return
        try:
            await unless_left(receive, self._stream(send))
        except ClientDisconnect:
            return
        finally:
            await chunks.aclose()

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunks = self._reply.chunks
        assert chunks is not None  # noqa: S101 - looked at before
        async for piece in chunks:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is longer than {limit:,} bytes.", remedy="Send a shorter one, or several.")
