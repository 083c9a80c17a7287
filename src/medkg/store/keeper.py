"""The service's hold on a nursery process: forks readers through it, feeds it versions, buries the dead."""

import asyncio
import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from medkg import children
from medkg.domain.errors import StoreFailed, from_wire
from medkg.store.peer import Peer, connect

__all__ = ["Keeper", "Nursery"]

_PACKET: Final = 65_536


class Nursery(NamedTuple):
    """A nursery process, and the socket that it takes commands from."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    @classmethod
    def spawn(cls) -> "Nursery":
        """Start a nursery process; it takes half a second until it hears commands."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            number = theirs.fileno()
            # Not in a thread: who is cancelled while it waits for one would never learn of the process.
            return cls(children.spawn("medkg.store.nursery", str(number), pass_fds=[number]), ours)

    def close(self) -> None:
        """End the process; a keeper that has it may have done so before."""
        self.control.close()
        self.process.kill()
        self.process.wait()


class Keeper:
    """A nursery that runs; *quads* and *resident* (bytes) say what it holds in memory."""

    def __init__(self, nursery: Nursery) -> None:
        self.quads = 0
        self.resident = 0
        self.changes = 0
        self.lost = False
        self._ending: asyncio.Future[int] | None = None
        self._process, self._control = nursery
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._readers: set[Peer] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._control.fileno(), self._on_packet)

    @classmethod
    def start(cls, nursery: Nursery | None = None) -> "Keeper":
        """Start a nursery process, or take *nursery*."""
        return cls(nursery or Nursery.spawn())

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def fork(self, kind: str, path: Path | None, settings: dict[str, Any]) -> Peer:
        """Return a new reader that is ready: ``memory``, ``disk`` (of the store in *path*) or ``blank``.

        :raises MedkgError: it could not start.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            command = {"do": "fork", "kind": kind, "path": str(path), **settings}
            try:
                answer = await self._command(command, theirs.fileno())
            except BaseException:
                ours.close()
                raise
        peer = await connect(ours)
        peer.pid = answer["pid"]
        self._readers.add(peer)
        peer.on_lost.append(partial(self._bury, peer))
        try:
            await peer.receive()
        except BaseException:
            peer.end()
            raise
        return peer

    async def load(self, path: Path, *, union: bool) -> None:
        """Put a snapshot into the nursery's memory; with *union* its default graph is the merge."""
        self.quads = (await self._command({"do": "load", "path": str(path), "union": union}))["quads"]
        self.resident = children.resident_bytes(self.pid)

    async def prepare(self, module: str, path: Path, version: int) -> None:
        """Have *module* ready for errands on what is in memory, the version in the store *path*."""
        await self._command({"do": "prepare", "module": module, "path": str(path), "version": version})

    async def advance(self, folder: Path) -> None:
        """Apply the difference that the snapshot *folder* holds to what is in memory."""
        self.resident = (await self._command({"do": "next", "folder": str(folder)}))["resident"]
        self.changes += 1

    async def close(self, patience: float = 600.0) -> None:
        """End the process once its readers are gone, or after *patience* seconds, and they with it."""
        deadline = self._loop.time() + patience
        while self._readers and not self.lost and self._loop.time() < deadline:  # noqa: ASYNC110 - rare
            await asyncio.sleep(0.05)
        self._drop()
        if self._ending is not None:
            await asyncio.shield(self._ending)

    def kill(self) -> None:
        """End the process and its readers at once."""
        self._drop()

    async def _command(self, command: dict[str, Any], *descriptors: int) -> dict[str, Any]:
        if self.lost:
            raise StoreFailed("The nursery of readers is gone.")
        self._number += 1
        number = self._number
        answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._answers[number] = answer
        packet = json.dumps({**command, "id": number}).encode()
        try:
            await self._send(packet, descriptors)
            found = await answer
        finally:
            self._answers.pop(number, None)
            if answer.done() and not answer.cancelled():
                # The error may have reached this command twice; nobody else will ask for this one.
                answer.exception()
        if "error" in found:
            raise from_wire(found)
        return found

    async def _send(self, packet: bytes, descriptors: tuple[int, ...]) -> None:
        while True:
            try:
                socket.send_fds(self._control, [packet], descriptors)
            except BlockingIOError:
                await asyncio.sleep(0.01)
            except OSError:
                self._drop()
                raise StoreFailed("The nursery of readers is gone.") from None
            else:
                return

    def _on_packet(self) -> None:
        try:
            packet = self._control.recv(_PACKET)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            self._drop()
            return
        found = json.loads(packet)
        answer = self._answers.get(found["id"])
        if answer is not None and not answer.done():
            answer.set_result(found)

    def _drop(self) -> None:
        if self.lost:
            return
        self.lost = True
        self._process.kill()
        self._ending = self._loop.run_in_executor(None, self._process.wait)
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(StoreFailed("The nursery of readers is gone."))
        for reader in tuple(self._readers):
            reader.end()

    def _bury(self, reader: Peer) -> None:
        """Have a dead reader forgotten, so that its number may be used again."""
        self._readers.discard(reader)
        if self.lost:
            return
        # It may only have closed its socket, and waiting for a living one would hold the nursery.
        with suppress(ProcessLookupError):
            os.kill(reader.pid, signal.SIGKILL)
        self._reap(reader.pid)

    def _reap(self, pid: int) -> None:
        if self.lost:
            return
        try:
            self._control.send(json.dumps({"do": "reap", "pid": pid, "id": 0}).encode())
        except BlockingIOError:
            self._loop.call_later(0.1, self._reap, pid)
        except OSError:
            self._drop()
