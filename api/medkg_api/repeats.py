"""Sends the answers again that the endpoint keeps, as they were sent before.

An answer that is kept would still be negotiated, tagged, compressed and given its header fields for each
request.  All of that follows from a few parts of the request: for one like another before it is known.
"""

from http import HTTPStatus
from operator import attrgetter
from typing import Final, NamedTuple

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medkg.domain.errors import RateLimited
from medkg.domain.model import QueryRequest
from medkg.store.engine import Endpoint, Reply
from medkg_api.limits import RateLimiter

__all__ = ["Repeats", "is_kept"]

_Fields = tuple[tuple[bytes, bytes], ...]
_Key = tuple[bytes, _Fields]
"""The query of an address, and the header fields that tell."""

_KEPT: Final = "medkg.kept"
"""What a handler leaves in the scope of a request."""
_TELLING: Final = frozenset({b"accept", b"accept-encoding"})
"""The header fields from which an answer follows, beside its address."""
_PARTICULAR: Final = frozenset({b"if-none-match", b"origin"})
"""Those that make it another answer, or none; such requests are rare."""
_ROOM: Final = 8 * 1_048_576
"""Bytes of what is remembered; the answers themselves stay with the endpoint, but for compressed ones."""
_OVERHEAD: Final = 2_000
"""Bytes of what is remembered of an answer beside what it was asked with and its body, roughly."""


class _Sent(NamedTuple):
    """An answer as it was sent: what was asked of the endpoint, and the body where it is not the kept one."""

    asked: QueryRequest
    accept: str
    version: int
    size: int
    headers: _Fields
    body: bytes | None
    weight: int


class Repeats:
    """ASGI middleware for one *path*; each request counts within the rate of its client.

    The endpoint decides whether it still has an answer; a new version, and a lack of room, leave none.
    """

    def __init__(self, app: ASGIApp, *, path: str, endpoint: Endpoint, limiter: RateLimiter) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint
        self._limiter = limiter
        self._sent: LRUCache[_Key, _Sent] = LRUCache(_ROOM, getsizeof=attrgetter("weight"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what was sent before, or pass the request on and remember what comes of it."""
        key = _key(scope, self._path)
        if key is None:
            await self._app(scope, receive, send)
            return
        found = self._again(key, scope)
        if found is None:
            recorder = _Recorder(send)
            await self._app(scope, receive, recorder)
            self._remember(key, scope, recorder)
            return
        headers, body = found
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _again(self, key: _Key, scope: Scope) -> tuple[list[tuple[bytes, bytes]], bytes] | None:
        """Return the header fields and the body of an answer that may be sent again."""
        sent = self._sent.get(key)
        reply = self._endpoint.kept(sent.asked, sent.accept) if sent is not None else None
        if sent is None or reply is None or reply.body is None:
            return None
        if (reply.version, len(reply.body)) != (sent.version, sent.size):
            return None
        try:
            self._limiter.check(scope["client"][0] if scope.get("client") else "")
        except RateLimited:
            # Who answers the others says so.
            return None
        return list(sent.headers), reply.body if sent.body is None else sent.body

    def _remember(self, key: _Key, scope: Scope, recorder: "_Recorder") -> None:
        told = scope.get(_KEPT)
        if told is None or not recorder.whole:
            return
        asked, accept, reply = told
        body = recorder.body if any(name == b"content-encoding" for name, _ in recorder.headers) else None
        query, fields = key
        # The text of the query is there in four forms at most.
        weight = _OVERHEAD + 4 * len(query) + sum(len(value) for _, value in fields) + len(body or b"")
        if weight < _ROOM // 16:
            size = len(reply.body or b"")
            self._sent[key] = _Sent(asked, accept, reply.version, size, recorder.headers, body, weight)


def is_kept(scope: Scope, asked: QueryRequest, accept: str, reply: Reply) -> None:
    """Say that a request is answered with what the endpoint keeps for *asked*."""
    scope[_KEPT] = asked, accept, reply


class _Recorder:
    """Passes messages on and holds the header fields and the body of an answer in one piece."""

    def __init__(self, send: Send) -> None:
        self.headers: _Fields = ()
        self.body = b""
        self.whole = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # Who sends it on adds to them.
            self.headers = tuple(message["headers"]) if message["status"] == HTTPStatus.OK else ()
        elif message["type"] == "http.response.body":
            self.whole = bool(self.headers) and not message.get("more_body")
            self.body = message.get("body", b"") if self.whole else b""
            # What comes in pieces is not remembered.
            self.headers = self.headers if self.whole else ()
        await self._send(message)


def _key(scope: Scope, path: str) -> _Key | None:
    """Return what the answer to a request follows from, or None where it may follow from more."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != path:
        return None
    telling = []
    for field in scope["headers"]:
        if field[0] in _TELLING:
            telling.append(field)
        elif field[0] in _PARTICULAR:
            return None
    return scope["query_string"], tuple(telling)
