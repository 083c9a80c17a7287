"""The readers that are ready: handed out for one request at a time, replaced when dead or old."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from medkg import children
from medkg.domain.errors import Busy, MedkgError
from medkg.store.peer import Peer

__all__ = ["Pool"]

_NICE: Final = 10
"""How much a request that takes very long yields to the others."""
_WORN: Final = 20_000
"""Requests after which a reader is replaced, with whatever its allocator has kept."""
_UNUSED: Final = 60.0
"""Seconds after which a reader leaves that is one too many; one that has worked is worth keeping.

A fresh one shares its memory, and pays for each page of it when it first reads there.
"""
_YOUNG: Final = 0.03
"""Seconds for which a request is likely to end soon."""
_BACK_OFF: Final = (0.05, 1.0)

Fork = Callable[[], Awaitable[Peer]]


class Pool:
    """Hands out readers of the current version.

    *size* requests run at a time, and one reader more waits ready.  While all of them have begun less than
    *young* seconds ago that one takes a request as well: readers of quick requests would else be idle from
    each answer to the next request.

    A request that has been running for a while is moved aside (:meth:`demote`) while there is room for
    *slow* of them: its place is free, and it goes on, in the end with less priority (:meth:`lower`).  At most
    *queue* requests wait, each for *patience* seconds.

    A reader that works while nothing else does is told so, unless there is but one processor: it and who
    waits for it need not sleep in the moments between small requests.
    """

    def __init__(self, *, size: int, slow: int, queue: int, patience: float, young: float = _YOUNG) -> None:
        self.size = size
        self._young = young
        self._eager = children.processors() > 1
        self._slow_size = slow
        self._queue = queue
        self._patience = patience
        self._fork: Fork | None = None
        self._generation = 0
        self._idle: list[Peer] = []
        self._busy: dict[Peer, float] = {}
        self._slow: set[Peer] = set()
        self._born: dict[Peer, int] = {}
        self._used: dict[Peer, int] = {}
        self._idle_since: dict[Peer, float] = {}
        self._starting = 0
        self._waiting: deque[asyncio.Future[Peer]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def switch(self, fork: Fork) -> None:
        """Serve a new version: *fork* makes its readers; those of older ones end with their request."""
        self._fork = fork
        self._generation += 1
        idle, self._idle = self._idle, []
        for reader in idle:
            self._retire(reader)
        self._fill()

    async def acquire(self) -> Peer:
        """Return a reader of the current version, which must be given back.

        :raises Busy: too many requests wait already, or none came free in time.
        """
        if self._idle and self._has_place():
            return self._take()
        if len(self._waiting) >= self._queue:
            raise _busy()
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Peer] = loop.create_future()
        self._waiting.append(place)
        timer = loop.call_later(self._patience, _give_up, place)
        try:
            return await place
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove(place)
            if place.done() and not place.cancelled() and place.exception() is None:
                # It came free in the moment in which nobody waited any more.
                self.release(place.result())
            raise
        finally:
            timer.cancel()

    def release(self, reader: Peer) -> None:
        """Take a reader back; one that is lost, old or worn is replaced."""
        self._slow.discard(reader)
        self._busy.pop(reader, None)
        worn = self._used.get(reader, 0) >= _WORN
        current = self._born.get(reader) == self._generation
        if worn or not current or reader.over or self._closed:
            self._retire(reader)
        else:
            self._keep(reader)
        self._fill()
        self._serve()

    def limit_slow(self, slow: int) -> None:
        """Have room for *slow* requests that were moved aside from now on."""
        self._slow_size = slow

    def demote(self, reader: Peer) -> bool:
        """Move a running request aside, if there is room; return whether it was."""
        if reader not in self._busy or len(self._slow) >= self._slow_size:
            return False
        del self._busy[reader]
        self._slow.add(reader)
        self._fill()
        self._serve()
        return True

    def lower(self, reader: Peer) -> None:
        """Let a running request that was moved aside yield to all others."""
        if reader in self._slow:
            children.lower_priority(reader.pid, _NICE)

    def numbers(self) -> dict[str, float]:
        """Return how many readers there are of each kind, and how many requests wait."""
        return {
            "readers_idle": len(self._idle),
            "readers_busy": len(self._busy),
            "readers_slow": len(self._slow),
            "readers_starting": self._starting,
            "queue": len(self._waiting),
        }

    def pids(self) -> tuple[int, ...]:
        """Return the process numbers of all living readers."""
        return tuple(reader.pid for reader in self._born)

    async def close(self) -> None:
        """End all readers and fail what waits."""
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        for reader in tuple(self._born):
            self._retire(reader)
        for place in self._waiting:
            if not place.done():
                place.set_exception(Busy("The service is stopping.", remedy="Try again later."))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def _has_place(self) -> bool:
        """Tell whether another request may run."""
        if len(self._busy) != self.size:
            return len(self._busy) < self.size
        return asyncio.get_running_loop().time() - min(self._busy.values()) < self._young

    def _keep(self, reader: Peer) -> None:
        """Have a reader wait for work; those that came last go first, so that the first may be needless."""
        now = asyncio.get_running_loop().time()
        self._idle.append(reader)
        self._idle_since[reader] = now
        while len(self._idle) > self.size + 1 and now - self._idle_since[self._idle[0]] > _UNUSED:
            self._retire(self._idle.pop(0))

    def _take(self) -> Peer:
        reader = self._idle.pop()
        reader.alone = self._eager and not (self._busy or self._slow or self._waiting)
        self._busy[reader] = asyncio.get_running_loop().time()
        self._used[reader] = self._used.get(reader, 0) + 1
        return reader

    def _serve(self) -> None:
        """Give what is free to those who wait, first come first served."""
        while self._waiting and self._idle and self._has_place():
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(self._take())

    def _fill(self) -> None:
        """Start as many readers as are missing."""
        while not self._closed and len(self._idle) + len(self._busy) + self._starting <= self.size:
            self._starting += 1
            task = asyncio.get_running_loop().create_task(self._start())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _start(self) -> None:
        pause, longest = _BACK_OFF
        try:
            while not self._closed and self._fork is not None:
                generation = self._generation
                try:
                    reader = await self._fork()
                except (MedkgError, OSError):
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, longest)
                    continue
                if generation != self._generation or self._closed:
                    reader.end()
                    continue
                self._born[reader] = generation
                reader.on_lost.append(partial(self._lost, reader))
                if not reader.over:
                    self._fresh(reader)
                    return
        finally:
            self._starting -= 1
            self._serve()

    def _fresh(self, reader: Peer) -> None:
        """Have a new reader wait behind those that have worked."""
        self._idle.insert(0, reader)
        self._idle_since[reader] = asyncio.get_running_loop().time()

    def _retire(self, reader: Peer) -> None:
        self._forget(reader)
        reader.end()

    def _forget(self, reader: Peer) -> None:
        for known in (self._born, self._used, self._idle_since):
            known.pop(reader, None)

    def _lost(self, reader: Peer) -> None:
        """Replace a reader that died while nothing was asked of it."""
        self._forget(reader)
        if reader in self._idle:
            self._idle.remove(reader)
            self._fill()


def _give_up(place: asyncio.Future[Peer]) -> None:
    if not place.done():
        place.set_exception(_busy())


def _busy() -> Busy:
    return Busy("Too many queries are running.", remedy="Try again in a few seconds.")
