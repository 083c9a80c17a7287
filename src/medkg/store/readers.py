"""The readers of the current version: from memory when it fits and is loaded, from the disk until then."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

from medkg import children
from medkg.domain.errors import MedkgError, StoreFailed
from medkg.store.keeper import Keeper, Nursery
from medkg.store.peer import Peer
from medkg.store.pool import Pool
from medkg.store.snapshots import Snapshot

__all__ = ["Readers"]

_CHANGES: Final = 500
"""Versions after which the memory is loaded anew: a store in memory never gives old versions back."""
_GROWTH: Final = 1.5
_SHARE: Final = 0.7
"""Of the machine's memory what a version in memory may take with all of its readers.

Reading writes to the pages (the engine counts who holds what), so each reader ends up with most of its own.
"""
_SMALL: Final = 2_000_000
"""Bytes of a difference that is applied before a write is acknowledged; a larger one meanwhile."""


class Readers:
    """Hands out readers of the version it was told to serve.

    *settings* is what each reader is told; *memory* tells how many bytes a version in memory may take, *slow*
    how many requests may be moved aside where memory is not short; *nursery* is one that was started before.
    """

    def __init__(
        self, pool: Pool, settings: dict[str, Any], memory: int, slow: int, nursery: Nursery | None = None
    ) -> None:
        self.pool = pool
        self._slow = slow
        self._settings = settings
        self._limit = memory
        self._nursery = nursery
        self._disk: Keeper | None = None
        self._memory: Keeper | None = None
        self._loaded = 0
        self._fresh_size = 0
        self._snapshot: Snapshot | None = None
        self._reading: dict[Peer, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading: asyncio.Task[None] | None = None
        self._leaving: set[Keeper] = set()
        self._loading_from = 0
        self._trail: dict[int, Path] = {}

    @property
    def in_memory(self) -> bool:
        """True when the current version is served from memory."""
        served = self._snapshot.version if self._snapshot is not None else 0
        return self._memory is not None and self._loaded == served

    async def start(self, snapshot: Snapshot, size: int) -> None:
        """Serve *snapshot*, which takes about *size* bytes in memory; return when a reader is ready."""
        self._snapshot = snapshot
        self._serve_from_disk()
        # Loading would hold up the first reader.
        self.pool.release(await self.pool.acquire())
        self._load_if_it_fits(size)

    async def close(self) -> None:
        """End all processes."""
        leaving = tuple(self._leaving)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pool.close()
        for keeper in (*leaving, self._memory, self._disk):
            if keeper is not None:
                await keeper.close(patience=0.5)

    async def switch(self, snapshot: Snapshot, size: int, delta: Path | None) -> None:
        """Serve *snapshot* from now on; *delta* is the folder with its difference to the version before."""
        before = self._snapshot.version if self._snapshot else 0
        follows = self._loaded == before and before + 1 == snapshot.version
        self._snapshot = snapshot
        if self._loading_from and delta is not None:
            self._trail[snapshot.version] = delta
        memory = self._memory
        if memory is not None and follows and delta is not None and _bytes(delta) <= _SMALL:
            try:
                await memory.advance(delta)
            except MedkgError:
                self._memory = None
                self._let_go(memory)
            else:
                self._loaded = snapshot.version
                self._serve_from_memory()
                if memory.changes > _CHANGES or memory.resident > _GROWTH * self._fresh_size:
                    self._load_if_it_fits(size)
                return
        self._serve_from_disk()
        self._load_if_it_fits(size)

    async def blank(self) -> Peer:
        """Return a reader without a store, for documents; the caller ends it."""
        return await self._without_memory().fork("blank", None, self._settings)

    def used(self) -> frozenset[int]:
        """Return the versions whose folders are being read."""
        found = {number for reader, number in self._reading.items() if not reader.lost}
        if self._loading_from and self._snapshot is not None:
            found.update(range(self._loading_from, self._snapshot.version))
        return frozenset(found)

    def nurseries(self) -> tuple[int, ...]:
        """Return the process numbers of the nurseries."""
        return tuple(keeper.pid for keeper in (self._memory, self._disk) if keeper is not None)

    def memory_bytes(self) -> int:
        """Return the resident memory of the process that holds the version in memory."""
        return self._memory.resident if self._memory is not None else 0

    def _without_memory(self) -> Keeper:
        """Return the nursery that holds no version, a new one when the last is gone."""
        if self._disk is None or self._disk.lost:
            self._disk = Keeper.start(self._nursery)
            self._nursery = None
        return self._disk

    def _serve_from_disk(self) -> None:
        snapshot = self._snapshot
        assert snapshot is not None  # noqa: S101 - set by start and switch

        async def fork() -> Peer:
            keeper = self._without_memory()
            return self._note(await keeper.fork("disk", snapshot.store, self._settings), snapshot)

        self.pool.limit_slow(self._slow)
        self.pool.switch(fork)

    def _note(self, reader: Peer, snapshot: Snapshot) -> Peer:
        """Remember that a reader has the folder of a version open, or may open it."""
        reader.version = self._reading[reader] = snapshot.version
        reader.on_lost.append(partial(self._forget, reader))
        return reader

    def _forget(self, reader: Peer) -> None:
        self._reading.pop(reader, None)

    def _serve_from_memory(self) -> None:
        snapshot = self._snapshot
        assert snapshot is not None  # noqa: S101 - set by start and switch

        async def fork() -> Peer:
            memory = self._memory
            if memory is None or memory.lost:
                self._memory = None
                self._serve_from_disk()
                self._load_if_it_fits(self._fresh_size)
                raise StoreFailed("The version in memory is gone.")
            return self._note(await memory.fork("memory", snapshot.store, settings), snapshot)

        memory, needed = self.memory_bytes(), self.pool.size + 1
        copies = int(_SHARE * children.memory_bytes() / memory) - 1 if memory else self._slow + needed
        settings = {**self._settings, "own": copies >= needed}
        self.pool.limit_slow(max(0, min(self._slow, copies - needed)))
        self.pool.switch(fork)

    def _load_if_it_fits(self, size: int) -> None:
        if size > self._limit or (self._loading is not None and not self._loading.done()):
            return
        self._loading = self._spawn(self._load())

    async def _load(self) -> None:
        """Load the current version into a new nursery, let it catch up, and serve from it."""
        snapshot = self._snapshot
        assert snapshot is not None  # noqa: S101 - set by start and switch
        self._loading_from = snapshot.version
        keeper = Keeper.start()
        try:
            await keeper.load(snapshot.store, union=self._settings["union"])
            loaded = await self._catch_up(keeper, snapshot.version)
        except (MedkgError, asyncio.CancelledError) as error:
            keeper.kill()
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        finally:
            self._loading_from = 0
            self._trail.clear()
        old, self._memory = self._memory, keeper
        self._loaded = loaded
        self._fresh_size = keeper.resident
        self._serve_from_memory()
        if old is not None:
            self._let_go(old)

    async def _catch_up(self, keeper: Keeper, version: int) -> int:
        """Apply the differences of the versions that came meanwhile; return the number of the last.

        :raises StoreFailed: one of them has none.
        """
        while self._snapshot is not None and version < self._snapshot.version:
            folder = self._trail.get(version + 1)
            if folder is None:
                raise StoreFailed("The difference to the next version is not known.")
            await keeper.advance(folder)
            version += 1
        return version

    def _let_go(self, keeper: Keeper) -> None:
        """Close a nursery when the last of its readers is gone, at the latest with all others."""
        self._leaving.add(keeper)
        task = self._spawn(keeper.close())
        task.add_done_callback(lambda _: self._leaving.discard(keeper))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _bytes(folder: Path) -> int:
    return sum((folder / name).stat().st_size for name in ("removed.nq", "added.nq"))
