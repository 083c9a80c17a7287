"""One request at one reader: its clock, and the bytes of its answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from medkg.domain.errors import DeadlineExceeded, MedkgError
from medkg.store.engine import Reply
from medkg.store.formats import by_name
from medkg.store.peer import Peer
from medkg.store.pool import Pool
from medkg.store.wire import AWAKE

__all__ = ["Clock", "ask"]

_LONG: Final = 8
"""How many times as long as a slow request one takes that yields to all others.

Sooner it would do harm: what is merely slow would wait for everything that is quick.
"""
_STALLED: Final = 10.0
"""Seconds that a client may take nothing of a waiting answer."""
_FAREWELL: Final = 0.5
"""Seconds until the work for a client that has left is ended.

A reader that has worked has pages of its own; to make those of a new one takes as long.
"""


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds that a request may take, and after which it is slow; *killed* hears of each that ends.

    *spent* seconds have gone by already.
    """

    timeout: float
    slow_after: float
    killed: Callable[[], None]
    spent: float = 0.0


async def ask(
    pool: Pool,
    clock: Clock,
    head: dict[str, Any],
    body: bytes,
    *,
    keep: Callable[[Reply], None] | None = None,
) -> Reply:
    """Have a reader answer; return the whole of a small answer, or a stream.

    *keep* gets an answer that was streamed, once it is whole, unless it is too large.
    """
    watch, first, piece = await _begun(pool, clock, head, body)
    number = watch.reader.version
    format_ = by_name(first["format"], first["kind"])
    notes = tuple(first.get("notes", ()))
    if first.get("end"):
        watch.done()
        # All that was asked of one that is cut is how it begins.
        whole = None if first.get("cut") else piece
        return Reply(format_, number, whole, volatile=first["volatile"], notes=notes)
    stream = _Stream(watch, piece)
    reply = Reply(format_, number, None, stream, volatile=first["volatile"], notes=notes)
    if keep is not None and not reply.volatile:
        stream.when_whole = lambda whole: keep(Reply(format_, number, whole, notes=notes))
    return reply


async def _begun(
    pool: Pool, clock: Clock, head: dict[str, Any], body: bytes
) -> tuple["_Watch", dict[str, Any], bytes]:
    """Return the watch over an answer that has begun, its head, and its first piece."""
    watch = _Watch(pool, clock, await pool.acquire())
    try:
        alone = watch.reader.alone
        watch.reader.send({**head, "alone": True} if alone else head, body)
        first, piece = await watch.reader.receive(AWAKE if alone else 0.0)
    except MedkgError:
        watch.done()
        raise
    except BaseException:
        # The client has left.
        watch.leave()
        raise
    return watch, first, piece


class _Watch:
    """Moves a request aside when it is slow, and ends it at its deadline.

    The clock stands while the client is what holds the answer up, but not for long.
    """

    def __init__(self, pool: Pool, clock: Clock, reader: Peer) -> None:
        self.reader = reader
        self._pool = pool
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._aside = self._loop.call_later(clock.slow_after, self._move_aside)
        self._left = max(clock.timeout - clock.spent, 0.0)
        self._since = self._loop.time()
        self._timer = self._loop.call_later(self._left, self._expire)
        reader.held = self._hold

    def stop(self) -> None:
        """Watch no longer."""
        self._aside.cancel()
        self._timer.cancel()
        self.reader.held = None

    def done(self) -> None:
        """Give the reader back."""
        self.stop()
        self._pool.release(self.reader)

    def leave(self) -> None:
        """End the reader, unless what it does ends by itself in a moment."""
        self.reader.held = None
        self._timer.cancel()
        self._timer = self._loop.call_later(_FAREWELL, self.abandon)
        self.reader.forsake(self.done)

    def abandon(self, reason: MedkgError | None = None) -> None:
        """End the reader, whatever it does."""
        self.stop()
        self._clock.killed()
        self.reader.end(reason)
        if reason is None:
            self._pool.release(self.reader)

    def _move_aside(self) -> None:
        self._pool.demote(self.reader)
        later = (_LONG - 1) * self._clock.slow_after
        self._aside = self._loop.call_later(later, self._pool.lower, self.reader)

    def _hold(self, held: bool) -> None:
        self._timer.cancel()
        now = self._loop.time()
        if held:
            self._left -= now - self._since
            self._timer = self._loop.call_later(_STALLED, self._stall)
        else:
            self._since = now
            self._timer = self._loop.call_later(max(self._left, 0), self._expire)

    def _expire(self) -> None:
        # Who waits for the answer gets this error, and gives the reader back.
        self.abandon(
            DeadlineExceeded(
                f"The query was stopped: it ran longer than {self._clock.timeout:g} seconds.",
                remedy="Ask for less: fewer patterns, a LIMIT, or one part at a time.",
            )
        )

    def _stall(self) -> None:
        self.abandon(DeadlineExceeded(f"The client took nothing of the answer for {_STALLED:g} seconds."))


class _Stream:
    """The rest of a large answer, as it comes."""

    _LARGEST = 4_194_304

    def __init__(self, watch: _Watch, first: bytes) -> None:
        self.when_whole: Callable[[bytes], None] | None = None
        self._watch: _Watch | None = watch
        self._next: bytes | None = first
        self._seen: list[bytes] = []
        self._size = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = self._next
        if piece is None:
            piece = await self._receive()
        self._next = None
        self._remember(piece)
        return piece

    async def aclose(self) -> None:
        """Stop the evaluation."""
        if self._watch is not None:
            watch, self._watch = self._watch, None
            watch.leave()

    async def _receive(self) -> bytes:
        if self._watch is None:
            raise StopAsyncIteration
        try:
            head, piece = await self._watch.reader.receive()
        except MedkgError:
            watch, self._watch = self._watch, None
            watch.done()
            raise
        except BaseException:
            await self.aclose()
            raise
        if head.get("end"):
            watch, self._watch = self._watch, None
            watch.done()
            if self.when_whole is not None:
                self.when_whole(b"".join([*self._seen, piece]))
                self.when_whole = None
            if not piece:
                raise StopAsyncIteration
        return piece

    def _remember(self, piece: bytes) -> None:
        if self.when_whole is None:
            return
        self._seen.append(piece)
        self._size += len(piece)
        if self._size > self._LARGEST:
            self.when_whole = None
            self._seen.clear()
