"""Checks what strangers send beside the public graph, for the service: nothing is stored, nothing blocks."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from medkg.domain.errors import Busy, DeadlineExceeded, EngineCrashed, MedkgError, StoreFailed, TooLarge
from medkg.domain.submission import Decision
from medkg.services.examine import Asked
from medkg.services.reading import Document, Reading
from medkg.store.keeper import Keeper
from medkg.store.peer import Peer
from medkg.store.snapshots import Snapshots

__all__ = ["Checked", "Checking"]

_ERRAND: Final = "medkg.services.checker"
_AT_ONCE: Final = 4
_WAITING: Final = 50


@dataclass(frozen=True, slots=True)
class Checked:
    """The decision on a document, and the report on it in the format that was asked for."""

    decision: Decision
    body: bytes


class Checking:
    """Checks documents beside the current version under *snapshots*; its processes start with the first.

    *names* returns what tables are looked up by, as JSON; it is called in a thread.  *memory* is what one
    check may take, in bytes, *seconds* how long it may last.
    """

    def __init__(
        self, snapshots: Snapshots, names: Callable[[], str], *, memory: int, seconds: float
    ) -> None:
        self._snapshots = snapshots
        self._names = names
        self._memory = memory
        self._seconds = seconds
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._asking = 0
        self._changing = asyncio.Lock()
        self._keeper: Keeper | None = None
        self._reading: Reading | None = None
        self._leaving: dict[asyncio.Task[None], Keeper] = {}
        self._version = 0

    async def check(self, document: Document, asked: Asked, form: str) -> Checked:
        """Return what is said about a document, in the format *form* of :mod:`medkg.services.reports.faces`.

        :raises Busy: too many wait already.
        :raises ParameterError: there is no such profile.
        :raises TooLarge, DeadlineExceeded: it ended a process, or took too long.
        """
        if self._asking >= _WAITING:
            raise Busy("Too many documents wait to be checked.", remedy="Try again in a minute.")
        self._asking += 1
        try:
            async with self._places:
                return await self._check(document, asked, form)
        finally:
            self._asking -= 1
            if self._reading is not None:
                # Only now: a process that starts takes a processor from the one that checks.
                self._reading.warm()

    async def warm(self) -> None:
        """Start the processes."""
        _, reading = await self._ready()
        reading.warm()

    async def close(self) -> None:
        """End the processes."""
        async with self._changing:
            self._retire()
            for keeper in self._leaving.values():
                keeper.kill()
            await asyncio.gather(*self._leaving)

    async def _check(self, document: Document, asked: Asked, form: str) -> Checked:
        started = time.monotonic()
        _, reading = await self._ready()
        submission = await reading.read_json(document)
        keeper, peer = await self._fork()
        try:
            async with asyncio.timeout(self._seconds):
                head = asdict(asked) | {"form": form, "spent": time.monotonic() - started}
                head["sha256"] = hashlib.sha256(document.data).hexdigest()
                del head["started"]
                peer.send(head, submission)
                peer.send({}, document.data)
                await peer.drain()
                found, body = await peer.receive()
        except TimeoutError:
            raise DeadlineExceeded(
                f"The check was stopped: it took longer than {self._seconds:g} seconds.",
                remedy="Send the records in several files.",
            ) from None
        except EngineCrashed:
            if keeper.lost:
                raise
            raise TooLarge(
                "The document ended the process that checked it: it is too large.",
                remedy="Send the records in several files.",
            ) from None
        finally:
            peer.end()
        return Checked(Decision(found["decision"]), body)

    async def _fork(self) -> tuple[Keeper, Peer]:
        """Return a process for a check, with the version that is the current one by now."""
        settings = {"memory": self._memory}
        keeper, _ = await self._ready()
        try:
            return keeper, await keeper.fork("errand", None, settings)
        except StoreFailed:
            if not keeper.lost:
                raise
        # Another request brought the next version in between, or the process was killed.
        keeper, _ = await self._ready()
        return keeper, await keeper.fork("errand", None, settings)

    def _retire(self) -> None:
        """Let the processes of a version go, as soon as nobody is served by them."""
        if self._keeper is None or self._reading is None:
            return
        task = asyncio.create_task(self._leave(self._keeper, self._reading))
        self._leaving[task] = self._keeper
        task.add_done_callback(self._leaving.pop)
        self._keeper = self._reading = None

    async def _leave(self, keeper: Keeper, reading: Reading) -> None:
        with suppress(MedkgError):
            await reading.close()
        await keeper.close(self._seconds)

    async def _ready(self) -> tuple[Keeper, Reading]:
        """Return the processes for the current version, new ones when it is another."""
        async with self._changing:
            snapshot = self._snapshots.require()
            if self._keeper is None or self._keeper.lost or self._version != snapshot.version:
                keeper = Keeper.start()
                try:
                    await keeper.load(snapshot.merged, union=True)
                    await keeper.prepare(_ERRAND, snapshot.merged, snapshot.version)
                    names = await asyncio.to_thread(self._names)
                except BaseException:
                    keeper.kill()
                    raise
                self._retire()
                self._reading = Reading(names)
                self._keeper, self._version = keeper, snapshot.version
            assert self._reading is not None  # noqa: S101 - made with the keeper
            return self._keeper, self._reading
