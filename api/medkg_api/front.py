"""The outermost and the innermost of the application, as plain ASGI so that streamed answers stay streamed.

:class:`Front` is what every request passes: an identifier, safety headers, the meter, the log.
:class:`Dispatch` answers the protocol addresses itself, which saves them the cost of a web framework.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from itertools import count
from types import MappingProxyType
from typing import Final

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medkg.domain.errors import MedkgError
from medkg_api import problems
from medkg_api.headers import safety
from medkg_api.limits import RateLimiter
from medkg_api.metrics import Meter

__all__ = ["Dispatch", "Front", "Handler"]

Handler = Callable[[Request], Awaitable[Response]]

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LEFT: Final = 499
"""The status that the meter and the log give to a request whose client left, as nginx does."""
_SLOW: Final = 1.0

_log = structlog.get_logger("medkg_api")


class Front:
    """Names, counts and logs each request, and adds the headers that every answer has."""

    def __init__(
        self, app: ASGIApp, *, classes: Mapping[str, str], meter: Meter, verbose: bool = False
    ) -> None:
        self._app = app
        self._classes = classes
        self._meter = meter
        self._verbose = verbose
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and take note of how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        identifier = _identifier(scope) or f"{self._prefix}{next(self._numbers):08x}"
        status = _LEFT

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add(message["headers"], identifier)
            await send(message)

        structlog.contextvars.bind_contextvars(request=identifier)
        try:
            await self._app(scope, receive, send_marked)
        finally:
            seconds = loop.time() - started
            self._meter.count(self._classes.get(scope["path"], "pages"), status, seconds)
            # Even a line that is not written costs as much as a small query.
            if self._verbose or seconds > _SLOW or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _note(scope, status, seconds)
            structlog.contextvars.unbind_contextvars("request")


def _add(headers: list[tuple[bytes, bytes]], identifier: str) -> None:
    """Add what every answer has, but for what it has already."""
    present = dict(headers)
    fields = _safety(present.get(b"content-type", b""))
    headers += [field for field in fields if field[0] not in present]
    headers.append((b"x-request-id", identifier.encode()))


@lru_cache(maxsize=256)
def _safety(content_type: bytes) -> tuple[tuple[bytes, bytes], ...]:
    fields = safety(str(content_type, "latin-1"))
    return tuple((name.lower().encode(), value.encode()) for name, value in fields.items())


def _note(scope: Scope, status: int, seconds: float) -> None:
    remarkable = seconds > _SLOW or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    write = _log.info if remarkable else _log.debug
    write("request", method=scope["method"], path=scope["path"], status=status, seconds=round(seconds, 4))


class Dispatch:
    """Sends the requests for some paths to handlers of their own, within the rate of each client.

    A path that ends with a slash stands for all below it.  Each answer of a handler, good or bad, has the
    header *fields* that are given for it.

    What nobody foresaw is answered here, so that this answer passes the middleware like any other.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        handlers: Mapping[str, Handler],
        limiter: RateLimiter,
        fields: Mapping[Handler, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._handlers = handlers
        self._below = tuple(path for path in handlers if path.endswith("/"))
        self._limiter = limiter
        self._fields = fields

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for one of the paths, and pass the others on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        handler = self._handlers.get(path)
        if handler is None and path.startswith(self._below):
            handler = next(self._handlers[prefix] for prefix in self._below if path.startswith(prefix))
        if handler is None:
            await self._guarded(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            self._limiter.check(request.client.host if request.client else "")
            response = await handler(request)
        except ClientDisconnect:
            return
        except MedkgError as error:
            response = problems.from_medkg(request, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            response = problems.unexpected(request, error)
        if handler in self._fields:
            response.headers.update(self._fields[handler])
        await response(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:
            if started:
                # The transfer breaks, so that nobody takes it for a complete answer.
                raise
            await problems.unexpected(Request(scope, receive), error)(scope, receive, send)


def _identifier(scope: Scope) -> str:
    """Return the identifier that the client or a proxy gave the request, or nothing."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = str(value, "latin-1")
            if _IDENTIFIER.fullmatch(given):
                return given
    return ""
