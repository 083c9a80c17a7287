"""One connection of a client: uvicorn's protocol, with an end to what comes too slowly, or is too much.

uvicorn waits for ever for a request that has begun, holds a head of any length in memory, and keeps a
connection whose client takes nothing.  Each of these costs a place, so here each has a limit.
"""

import asyncio
import fcntl
import json
import struct
import termios
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

__all__ = ["HEAD_BYTES", "LONGEST_URL", "Connection"]

HEAD_BYTES: Final = 65_536
"""Bytes that the header fields of a request may have together."""
LONGEST_URL: Final = 65_535
"""Bytes of an address; the parser takes no longer one."""
_SLOWEST: Final = 1_024
"""Bytes in a second that a client must take of an answer that waits for it."""

_DETAILS: Final = {
    400: "The request is not HTTP that can be read.",
    408: "The request came too slowly.",
    414: f"The address is longer than {LONGEST_URL:,} bytes. Send the query by POST.",
    431: f"The header fields are longer than {HEAD_BYTES:,} bytes.",
    503: "Too many connections are open. Try again in a few seconds.",
}


class Connection(HttpToolsProtocol):
    """A connection that is closed when its client is too slow, and refused when there are *most* others.

    *patience* is the number of seconds for the head of a request, for the next piece of its body, and for a
    piece of the answer; it is looked at every *pace* seconds.
    """

    def __init__(
        self, *arguments: Any, most: int = 1_000, patience: float = 30.0, pace: float = 5.0, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._most = most
        self._patience = patience
        self._pace = pace
        self._timer: asyncio.TimerHandle | None = None
        self._head_since: float | None = None
        self._head_bytes = 0
        self._data_at = 0.0
        self._over = False
        self._waiting: tuple[float, int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(cast("asyncio.Transport", _Joined(transport, self.loop)))
        self._head_since = self._data_at = self.loop.time()
        if len(self.connections) > self._most:
            self._refuse(503, "retry-after: 5\r\n")
        self._timer = self.loop.call_later(self._pace, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the connection was refused."""
        if self._over:
            return
        self._data_at = self.loop.time()
        super().data_received(data)
        if self._head_since is not None and not self._over and not self.transport.is_closing():
            # The head is not whole yet: all that came belongs to it.
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_URL + HEAD_BYTES:
                self._refuse(414 if len(self.url) > LONGEST_URL else 431)

    def on_message_begin(self) -> None:
        """Begin a request; its time runs."""
        super().on_message_begin()
        self._head_since = self._data_at
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Start the request, unless its head is too long."""
        self._head_since = None
        if self._over:
            return
        if len(self.url) > LONGEST_URL:
            self._refuse(414)
        elif sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES:
            self._refuse(431)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        if not self._over:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Send what is left of an answer now, and not a turn of the event loop later."""
        cast("_Joined", self.transport).flush()
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Note that the client has taken what waited for it."""
        self._waiting = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        del msg
        if self.cycle is not None and not self.cycle.response_complete:
            # What comes behind a request is no HTTP; a second answer would go into the middle of the first.
            self._over = True
            self.transport.close()
        else:
            self._refuse(400)

    def _look(self) -> None:
        """Close the connection if its client is too slow; else look again later."""
        now = self.loop.time()
        if self._stalled(now):
            self.transport.abort()
        elif self._head_since is not None and now - self._head_since >= self._patience:
            self._refuse(408) if self._head_bytes else self.transport.close()
        elif self._body_missing() and now - self._data_at >= self._patience:
            self._give_up_body()
        self._timer = self.loop.call_later(self._pace, self._look)

    def _body_missing(self) -> bool:
        """Tell whether the application waits for a body that does not come."""
        cycle = self.cycle
        return (
            cycle is not None
            and cycle.more_body
            and not cycle.response_complete
            and not self.flow.read_paused
        )

    def _give_up_body(self) -> None:
        if self.cycle.response_started:
            self.transport.abort()
            return
        self._refuse(408)
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    def _stalled(self, now: float) -> bool:
        """Tell whether the client has taken too little of what it was sent, while it alone is waited for."""
        if not (self.flow.write_paused or self.transport.is_closing()):
            self._waiting = None
            return False
        left = self.transport.get_write_buffer_size() + _unsent(self.transport)
        if self._waiting is None:
            self._waiting = now, left
        since, before = self._waiting
        if before - left >= _SLOWEST * self._patience:
            self._waiting = now, left
            return False
        return now - since >= self._patience

    def _refuse(self, status: int, fields: str = "") -> None:
        """Answer with an error (RFC 9457) and close; nothing more is read."""
        self._over = True
        problem = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": _DETAILS[status],
        }
        body = json.dumps(problem).encode()
        head = (
            "content-type: application/problem+json\r\ncache-control: no-store\r\nconnection: close\r\n"
            f"x-content-type-options: nosniff\r\n{fields}content-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.close()


class _Joined:
    """A transport that sends what is written in one turn of the event loop at once.

    uvicorn writes the head of an answer and its body apart, which costs a system call more, and wakes the
    client for a head.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send *data* with all that is written before the event loop turns."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Close when all is sent."""
        self.flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait."""
        return self._transport.get_write_buffer_size() + sum(map(len, self._pieces))

    def flush(self) -> None:
        """Send what waits."""
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))


def _unsent(transport: asyncio.Transport) -> int:
    """Return the bytes that the system still holds for the client, or 0 when it can't tell."""
    try:
        number = transport.get_extra_info("socket").fileno()
        (left,) = struct.unpack("i", fcntl.ioctl(number, termios.TIOCOUTQ, b"\0\0\0\0"))
    except (AttributeError, OSError, ValueError):
        return 0
    return int(left)
