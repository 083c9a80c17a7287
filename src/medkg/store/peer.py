"""The asynchronous end of a frame socket: the service talks to its processes and never waits for them."""

import asyncio
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from medkg.domain.errors import EngineCrashed, MedkgError, from_wire
from medkg.store.wire import pack, unpack

__all__ = ["Peer", "connect"]

_HIGH: Final = 1_048_576
"""Bytes of an answer that may wait for a slow client before its process is held."""


class Peer(asyncio.Protocol):
    """A process at the other end: sends frames, hands out those that come, and can be ended.

    *held* is called with True when frames come faster than they are taken, with False when they flow again.
    It is *alone* while nothing else was under way when its work began.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.version = 0
        self.lost = False
        self.alone = False
        self.held: Callable[[bool], None] | None = None
        self.on_lost: list[Callable[[], None]] = []
        self._buffer = bytearray()
        self._frames: deque[tuple[dict[str, Any], bytes]] = deque()
        self._waiting = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._forsaken: Callable[[], None] | None = None
        self._failure: MedkgError | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def over(self) -> bool:
        """True when the process is gone or will be in a moment."""
        return self.lost or self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Take what came, and wake who waits for a frame."""
        self._buffer += data
        while (frame := unpack(self._buffer)) is not None:
            self._frames.append(frame)
            self._waiting += len(frame[1])
        if self._forsaken is not None:
            self._drop()
            return
        if self._waiting > _HIGH and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
            if self.held is not None:
                self.held(True)
        if self._frames:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the name is asyncio's
        """Fail who waits for a frame; all that came before can still be taken."""
        self.lost = True
        self._writable.set()
        self._wake()
        if self._forsaken is not None:
            # What was asked of it is over.
            self._frames.append(({"end": True}, b""))
            self._drop()
        for callback in self.on_lost:
            callback()

    def pause_writing(self) -> None:
        """Hold who sends."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let who sends go on."""
        self._writable.set()

    def send(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a frame; see :meth:`drain` for large ones."""
        if self._transport is not None and not self.lost:
            self._transport.write(pack(head, body))

    async def drain(self) -> None:
        """Wait until the other side has taken most of what was sent."""
        await self._writable.wait()

    async def receive(self, awake: float = 0.0) -> tuple[dict[str, Any], bytes]:
        """Return the next frame; the event loop does not sleep for the first *awake* seconds.

        :raises MedkgError: the frame is an error, or the reason given to :meth:`end`.
        :raises EngineCrashed: the process is gone.
        """
        while not self._frames:
            if self._failure is not None:
                raise self._failure
            if self.lost:
                raise EngineCrashed(
                    "The request ended the process that worked on it: it needs too much memory, "
                    "or is nested too deeply for the engine.",
                    remedy="Simplify the request. Nothing was changed, and other requests are not affected.",
                )
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            if awake:
                _stay_awake(loop, self._waiter, loop.time() + awake)
            await self._waiter
        head, body = self._frames.popleft()
        self._waiting -= len(body)
        if self._paused and self._waiting < _HIGH // 2:
            self._resume()
            if self.held is not None:
                self.held(False)
        if "error" in head:
            raise from_wire(head)
        return head, body

    def forsake(self, callback: Callable[[], None]) -> None:
        """Throw away what comes until the answer ends, or the process; call *callback* then."""
        if self.over:
            callback()
            return
        self._forsaken = callback
        self._resume()
        self._drop()

    def end(self, reason: MedkgError | None = None) -> None:
        """Kill the process; who waits for a frame gets *reason* at once."""
        self._ended = True
        self._forsaken = None
        self._failure = reason
        if reason is not None:
            self._frames.clear()
        if self.pid and not self.lost:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        if self._transport is not None:
            self._transport.abort()
        self._wake()

    def _drop(self) -> None:
        """Throw away frames; the last one of an answer is the end of that."""
        last = self._frames[-1][0] if self._frames else {}
        self._frames.clear()
        self._waiting = 0
        callback = self._forsaken
        if callback is not None and last.keys() & {"end", "error"}:
            self._forsaken = None
            callback()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _stay_awake(loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[None], until: float) -> None:
    """Have the loop look for what comes, and do all else that it has to, without a sleep in between."""
    if not waiter.done() and loop.time() < until:
        loop.call_soon(_stay_awake, loop, waiter, until)


async def connect(sock: socket.socket) -> Peer:
    """Return the asynchronous end on *sock*, one of a connected pair."""
    sock.setblocking(False)
    _, peer = await asyncio.get_running_loop().create_connection(Peer, sock=sock)
    return peer
