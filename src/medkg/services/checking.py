"""Checks what strangers send beside the public graph, for the service: nothing is stored, nothing blocks."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from medkg.domain.errors import Busy, DeadlineExceeded, EngineCrashed, MedkgError
from medkg.domain.submission import Decision
from medkg.services.examine import Asked
from medkg.services.reading import Document, Reading, to_json
from medkg.store.keeper import Keeper
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
        self._version = 0

    async def check(self, document: Document, asked: Asked, form: str) -> Checked:
        """Return what is said about a document, in the format *form* of :mod:`medkg.services.reports.faces`.

        :raises Busy: too many wait already.
        :raises ParameterError: there is no such profile.
        :raises EngineCrashed, DeadlineExceeded: it ended a process, or took too long.
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
            if self._reading is not None:
                with suppress(MedkgError):
                    await self._reading.close()
            if self._keeper is not None:
                await self._keeper.close(0)
            self._reading = self._keeper = None

    async def _check(self, document: Document, asked: Asked, form: str) -> Checked:
        started = time.monotonic()
        keeper, reading = await self._ready()
        submission = await reading.read(document)
        peer = await keeper.fork("errand", None, {"memory": self._memory})
        try:
            async with asyncio.timeout(self._seconds):
                head = asdict(asked) | {"form": form, "spent": time.monotonic() - started}
                head["sha256"] = hashlib.sha256(document.data).hexdigest()
                del head["started"]
                peer.send(head, to_json(submission))
                peer.send({}, document.data)
                await peer.drain()
                found, body = await peer.receive()
        except TimeoutError:
            raise DeadlineExceeded(
                f"The check was stopped: it took longer than {self._seconds:g} seconds.",
                remedy="Send the records in several files.",
            ) from None
        except EngineCrashed:
            raise EngineCrashed(
                "The document ended the process that checked it.", remedy="Send the records in several files."
            ) from None
        finally:
            peer.end()
        return Checked(Decision(found["decision"]), body)

    async def _ready(self) -> tuple[Keeper, Reading]:
        """Return the processes for the current version, new ones when it is another."""
        async with self._changing:
            snapshot = self._snapshots.require()
            if self._keeper is None or self._keeper.lost or self._version != snapshot.version:
                keeper = Keeper.start()
                try:
                    await keeper.load(snapshot.merged, union=True)
                    await keeper.prepare(_ERRAND, snapshot.merged, snapshot.version)
                except BaseException:
                    keeper.kill()
                    raise
                if self._keeper is not None:
                    await self._keeper.close(0)
                if self._reading is not None:
                    await self._reading.close()
                self._reading = Reading(await asyncio.to_thread(self._names))
                self._keeper, self._version = keeper, snapshot.version
            assert self._reading is not None  # noqa: S101 - made with the keeper
            return self._keeper, self._reading
