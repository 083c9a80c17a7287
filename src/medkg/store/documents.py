"""Reads the documents that strangers send, in processes that may die of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from medkg.domain.errors import DeadlineExceeded, MedkgError, StorageFull
from medkg.store.formats import of_document
from medkg.store.keeper import Keeper
from medkg.store.peer import Peer

__all__ = ["Documents", "parse", "pass_through"]


async def parse(  # noqa: PLR0913 - what a document is, and what it may take
    fork: Callable[[], Awaitable[Peer]],
    folder: Path,
    body: AsyncIterator[bytes],
    media_type: str,
    base: str,
    *,
    seconds: float,
) -> Path:
    """Read a document in a process from *fork*; return a new file of N-Triples in *folder*.

    :raises UnsupportedMedia: the type is none of a graph.
    :raises SourceFileError: the document does not parse; with its line.
    :raises EngineCrashed: it ended its process.
    :raises DeadlineExceeded: it took longer than *seconds*.
    :raises StorageFull: the disk is full.
    """
    of_document(media_type)
    reader = await fork()
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, suffix=".nt", delete=False) as file:
        try:
            async with asyncio.timeout(seconds):
                head = {"do": "parse", "media_type": media_type, "base": base}
                await pass_through(reader, head, body, file.write)
        except BaseException as error:
            Path(file.name).unlink(missing_ok=True)  # noqa: ASYNC240 - at once, whatever ends this
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded("The document could not be read in time.") from None
            if isinstance(error, OSError):
                raise StorageFull("The document could not be put on the disk.") from error
            raise
    return Path(file.name)


async def pass_through(
    reader: Peer, head: dict[str, Any], body: AsyncIterator[bytes], write: Callable[[bytes], object]
) -> None:
    """Have a reader do something with a document, and hand what it makes of it to *write*; end the reader.

    An error of *body* wins over what the reader says of a document without an end.
    """
    reader.send(head)
    sending = asyncio.create_task(_send(reader, body))
    try:
        await _receive(reader, write)
        await sending
    except BaseException:
        if sending.done() and not sending.cancelled() and (told := sending.exception()) is not None:
            raise told from None
        raise
    finally:
        sending.cancel()
        with suppress(BaseException):
            await sending
        reader.end()


class Documents:
    """Reads documents beside an engine without readers of its own; *settings* is what a reader is told."""

    def __init__(self, folder: Path, settings: dict[str, Any], seconds: float) -> None:
        self._folder = folder
        self._settings = settings
        self._seconds = seconds
        self._keeper: Keeper | None = None

    async def parse(self, body: AsyncIterator[bytes], media_type: str, base: str) -> Path:
        """See :func:`parse`."""
        return await parse(self._fork, self._folder, body, media_type, base, seconds=self._seconds)

    async def close(self) -> None:
        """End the process that the readers come from."""
        if self._keeper is not None:
            await self._keeper.close(0)

    async def _fork(self) -> Peer:
        if self._keeper is None or self._keeper.lost:
            self._keeper = Keeper.start()
        return await self._keeper.fork("blank", None, self._settings)


async def _send(reader: Peer, body: AsyncIterator[bytes]) -> None:
    try:
        async for piece in body:
            reader.send({}, piece)
            await reader.drain()
    except MedkgError as error:
        # Who waits for the triples need not wait for the rest of the document.
        reader.end(error)
        raise
    reader.send({"end": True})


async def _receive(reader: Peer, write: Callable[[bytes], object]) -> None:
    ended = False
    while not ended:
        head, piece = await reader.receive()
        write(piece)
        ended = bool(head.get("end"))
