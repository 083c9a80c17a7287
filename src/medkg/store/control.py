"""The hold on the data folder: a service has it for its whole life, and lends it over a socket beside it.

A command that makes a version takes the folder by its lock.  While a service has that, the command asks it,
over the socket ``control.sock``, to lend the folder: the service refuses writes, gives the lock away, goes on
answering queries, takes the lock back when the command is done, or dead, and serves what it has made.

A conversation is lines of JSON: a request with ``do``, an answer with what is told below or an error as
:func:`medkg.domain.errors.to_wire` has it.

=========== ===================== ======================================================================
``do``      takes                 answers
=========== ===================== ======================================================================
``status``                        ``pid``, ``software``, ``address``, ``started``, ``lent_to``
``hold``    ``purpose``           nothing: the lock is free, until this conversation ends
``adopt``                         ``version``, the current one, which is served now; the lock is back
``release``                       the same
=========== ===================== ======================================================================

Whoever can open the socket may hold up writes, so it is the owner's alone.
"""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from medkg.domain.errors import Busy, MedkgError, ServiceError, from_wire, to_wire
from medkg.store.snapshots import Snapshots

__all__ = ["SOCKET", "Client", "Control", "Served", "Tenure", "borrowed", "connect"]

SOCKET: Final = "control.sock"
_PATIENCE: Final = 120.0
"""Seconds that a command waits for an answer: a write may be under way, and a version to be read."""
_RETRY: Final = 0.05
_LONGEST_PATH: Final = 100
"""Bytes of a path that every system takes as the address of a socket."""


class Served(Protocol):
    """What serves the versions of the data folder."""

    async def pause(self, purpose: str) -> None:
        """Wait for the write under way, and refuse all others from now on."""

    def resume(self) -> None:
        """Take writes again."""

    async def adopt_current(self) -> int:
        """Serve the version that the pointer names; return its number."""


class Tenure:
    """The data folder *root*, held by the service while the block runs; what is no state of it is removed.

    :raises Busy: another process holds it; with its purpose and number.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = ExitStack()
        self._held = False

    def __enter__(self) -> Self:
        self.take()
        try:
            Snapshots(self.root).migrate()
            self._clear()
        except BaseException:
            self.give()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held:
            self._clear()
        self.give()

    def take(self) -> None:
        """Take the lock.

        :raises Busy: another process has it.
        """
        self._lock.enter_context(Snapshots(self.root).holding("the service"))
        self._held = True

    def give(self) -> None:
        """Let the lock go."""
        self._held = False
        self._lock.close()

    def _clear(self) -> None:
        """Remove what processes that ended, or were killed, have left."""
        Snapshots(self.root).sweep()
        for name in ("live", "spool"):
            shutil.rmtree(self.root / name, ignore_errors=True)


class Control:
    """The socket in the data folder of a running service; *about* is what ``status`` tells of it."""

    def __init__(self, tenure: Tenure, served: Served, about: Mapping[str, Any]) -> None:
        self._tenure = tenure
        self._served = served
        self._about = dict(about)
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._borrower: object | None = None
        self._purpose = ""
        self._closing = False

    async def start(self) -> None:
        """Listen; a socket that a dead service left is replaced.

        :raises ServiceError: there can be no socket in the folder.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Before it has a name, so that there is no moment in which others can open it.
            os.fchmod(listener.fileno(), 0o600)
            with _folder(self._tenure.root) as (folder, address):
                with suppress(FileNotFoundError):
                    os.unlink(SOCKET, dir_fd=folder)
                listener.bind(address)
                os.chmod(SOCKET, 0o600, dir_fd=folder)
            self._server = await asyncio.start_unix_server(self._begin, sock=listener)
        except OSError as error:
            listener.close()
            raise ServiceError(
                f"The control socket can't be made in the data folder ({error.strerror}).",
                remedy="Use a data folder on a local disk, with a shorter path.",
            ) from error

    async def close(self) -> None:
        """End all conversations and remove the socket; what was lent is not waited for."""
        self._closing = True
        if self._server is not None:
            self._server.close()
            (self._tenure.root / SOCKET).unlink(missing_ok=True)
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None  # noqa: S101 - streams run this as a task
        self._talks.add(talk)
        try:
            # A line that is too long, and one that is no JSON, end the conversation; so does the other side.
            with suppress(ValueError, OSError, asyncio.CancelledError):
                await self._talk(reader, writer)
        finally:
            writer.close()
            if self._borrower is reader:
                with suppress(MedkgError):
                    await self._take_back()
            self._talks.discard(talk)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            request = json.loads(line)
            if not isinstance(request, dict):
                return
            try:
                answer = await self._answer(request, reader)
            except MedkgError as error:
                answer = to_wire(error)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

    async def _answer(self, request: Mapping[str, Any], borrower: object) -> dict[str, Any]:
        match request.get("do"):
            case "status":
                return {**self._about, "lent_to": self._purpose}
            case "hold":
                await self._lend(str(request.get("purpose", "a command"))[:100], borrower)
                return {}
            case "adopt" | "release":
                if self._borrower is borrower:
                    await self._take_back()
                elif self._borrower is not None:
                    raise self._lent()
                return {"version": await self._served.adopt_current()}
            case unknown:
                raise ServiceError(f"The service knows no request {unknown!r}.")

    async def _lend(self, purpose: str, borrower: object) -> None:
        if self._borrower is not None:
            raise self._lent()
        self._borrower, self._purpose = borrower, purpose
        try:
            await self._served.pause(purpose)
        except BaseException:
            self._borrower, self._purpose = None, ""
            raise
        self._tenure.give()

    def _lent(self) -> Busy:
        return Busy(f"The data folder is lent to {self._purpose}.", remedy="Wait until it is done.")

    async def _take_back(self) -> None:
        """Take the lock from whoever has it, as soon as it is free, and serve what is current then."""
        try:
            while not self._closing:
                try:
                    self._tenure.take()
                except Busy:
                    await asyncio.sleep(_RETRY)
                else:
                    await self._served.adopt_current()
                    return
        finally:
            self._borrower, self._purpose = None, ""
            self._served.resume()


class Client:
    """A conversation with the service of a data folder, for commands; close it at the end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation; the service takes back what it has lent."""
        self._lines.close()
        self._connection.close()

    def ask(self, do: str, **fields: str) -> dict[str, Any]:
        """Send a request and return the answer.

        :raises MedkgError: what the service says.
        :raises Busy: it says nothing.
        :raises ConnectionError: it has ended.
        """
        try:
            self._connection.sendall(json.dumps({"do": do, **fields}).encode() + b"\n")
            line = self._lines.readline()
        except TimeoutError:
            raise Busy("The service on the data folder does not answer.", remedy="Start it again.") from None
        if not line:
            raise ConnectionResetError("the service has ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise from_wire(answer)
        return answer


def connect(root: Path) -> Client | None:
    """Return a conversation with the service that holds the data folder *root*, or None when none listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_PATIENCE)
    try:
        with _folder(root) as (_, address):
            connection.connect(address)
    except OSError:
        connection.close()
        return None
    return Client(connection)


@contextmanager
def borrowed(root: Path, purpose: str) -> Iterator[bool]:
    """Have the service that holds the data folder lend it while the block runs; yield whether one does.

    The block takes the folder by :meth:`~medkg.store.snapshots.Snapshots.holding`.  Then the service has it
    back and serves the version that is current.

    :raises Busy: it is lent to another command already.
    """
    client = connect(root)
    if client is None:
        yield False
        return
    with client:
        try:
            client.ask("hold", purpose=purpose)
        except ConnectionError:
            # It has just ended, and its lock with it.
            yield False
            return
        yield True
        # A service that has ended meanwhile serves the version when it starts.
        with suppress(ConnectionError):
            client.ask("adopt")


@contextmanager
def _folder(root: Path) -> Iterator[tuple[int, str]]:
    """Yield a descriptor of a folder, and the address of the socket in it.

    An address has little more than a hundred bytes; through the descriptor it is short, however deep the
    folder lies.
    """
    plain = str(root / SOCKET)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        short = f"/proc/self/fd/{folder}"
        long = len(os.fsencode(plain)) > _LONGEST_PATH
        yield folder, f"{short}/{SOCKET}" if long and Path(short).is_dir() else plain
    finally:
        os.close(folder)
