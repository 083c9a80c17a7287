"""The service's hold on the writer process: one command at a time, each within a deadline."""

import asyncio
import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from medkg import children
from medkg.domain.errors import DeadlineExceeded, EngineCrashed, StoreFailed
from medkg.store.peer import Peer, connect

if TYPE_CHECKING:
    import subprocess

__all__ = ["Scribe"]


class Scribe:
    """A writer that starts when it is first needed, and anew after it was killed; close it at the end.

    *settings* is what the process is told; see :mod:`medkg.store.writing`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = json.dumps(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._peer: Peer | None = None

    @property
    def pid(self) -> int:
        """The number of the process, or 0."""
        return self._process.pid if self._process is not None else 0

    async def command(self, head: dict[str, Any], body: bytes, seconds: float) -> dict[str, Any]:
        """Send a command and return its answer.

        :raises DeadlineExceeded: it took longer than *seconds*; the process was killed.
        :raises EngineCrashed: it ended the process.
        :raises MedkgError: what the writer says.
        """
        peer = await self._running()
        try:
            async with asyncio.timeout(seconds):
                peer.send(head, body)
                return (await peer.receive())[0]
        except TimeoutError:
            await self.close()
            raise DeadlineExceeded(
                f"The write was stopped: it took longer than {seconds:g} seconds.",
                remedy="Nothing was changed. Write less at a time.",
            ) from None
        except (EngineCrashed, asyncio.CancelledError):
            await self.close()
            raise

    async def close(self) -> None:
        """End the process, whatever it does."""
        process, peer = self._process, self._peer
        self._process = self._peer = None
        if peer is not None:
            peer.end()
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.to_thread(process.wait)

    async def _running(self) -> Peer:
        # It may have died a moment ago, before its socket could tell.
        alive = self._process is not None and self._process.poll() is None
        if alive and self._peer is not None and not self._peer.over:
            return self._peer
        await self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            arguments = ("medkg.store.writing", str(number), self._settings)
            self._process = children.spawn(*arguments, pass_fds=[number])
        peer = await connect(ours)
        peer.pid = self._process.pid
        self._peer = peer
        head, _ = await peer.receive()
        if not head.get("ready"):
            raise StoreFailed("The writer did not start.")
        return peer
