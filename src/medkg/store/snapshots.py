"""The versions of the graph on disk: numbered immutable folders and an atomic pointer to the current one."""

import fcntl
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

import pyoxigraph as ox

from medkg.domain.errors import Busy, StoreFailed, StoreMissing
from medkg.store.disk import replace_file, room, sync, sync_tree
from medkg.store.index import FILE, Index

__all__ = ["FORMAT", "Snapshot", "Snapshots"]

FORMAT: Final = 2
"""The number of the layout described below; in the first one a version was the folder of its store."""
_HOLDER: Final = re.compile(r"(\d+) (.+)")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the graph: its number and its folder."""

    version: int
    path: Path

    @property
    def store(self) -> Path:
        """The store that queries see."""
        inner = self.path / "store"
        return inner if inner.is_dir() else self.path

    @property
    def merged(self) -> Path:
        """The store whose default graph is the merge of the public graphs."""
        inner = self.path / "merged"
        return inner if inner.is_dir() else self.store

    @property
    def union(self) -> bool:
        """True when the store that queries see has the merge as its default graph."""
        return not (self.path / "merged").is_dir()


class Snapshots:
    """The versions under *root*, the data folder.

    It looks like this::

    root/format                    the number of this layout
    root/current                   the number of the current version, replaced atomically
    root/service.lock              held by the one process that may write, with its number and purpose
    root/pins/<n>                  there when version n must stay
    root/snapshots/<n>/            version n, never changed once it is there
    root/snapshots/<n>/store/      the store that queries see
    root/snapshots/<n>/merged/     the store with the merge, where that is another one
    root/snapshots/<n>/index.json  its graphs, their sizes and ages, its counts, the keys of accepted writes
    root/snapshots/<n>/removed.nq  with added.nq: the difference to version n-1, where it was kept
    root/snapshots/.tmp-*/         a version in the making
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / "snapshots"
        self._pointer = root / "current"
        self._pins = root / "pins"
        self._known = False

    def current(self) -> Snapshot | None:
        """Return the current version, or None when nothing has been built.

        :raises StoreFailed: the pointer names a version that is not there, or the layout is not known here.
        """
        self._check_format()
        text = self._read_pointer()
        while text is not None:
            if text.isascii() and text.isdigit() and (self._folder / text).is_dir():
                return Snapshot(int(text), self._folder / text)
            # Its version may have been replaced twice since it was read.
            before, text = text, self._read_pointer()
            if text == before:
                raise StoreFailed(
                    "The data folder is damaged: its pointer names no version.", remedy="Run `medkg build`."
                )
        return None

    def latest(self) -> Snapshot | None:
        """Return the version to go on from: the current one, or the newest when the pointer is lost."""
        self._check_format()
        numbers, current = self._numbers(), self._pointed()
        version = current if current in numbers else max(numbers, default=0)
        return Snapshot(version, self._folder / str(version)) if version else None

    def require(self) -> Snapshot:
        """Return the current version.

        :raises StoreMissing: nothing has been built.
        """
        snapshot = self.current()
        if snapshot is None:
            raise StoreMissing("There is no graph in the data folder yet.", remedy="Run `medkg build` first.")
        return snapshot

    def find(self, version: int) -> Snapshot | None:
        """Return a version that is still there, or None."""
        path = self._folder / str(version)
        return Snapshot(version, path) if path.is_dir() else None

    @property
    def next_version(self) -> int:
        """The number of the next version, one that was never used."""
        return 1 + max([self._pointed(), *self._numbers()])

    @contextmanager
    def holding(self, purpose: str) -> Iterator[None]:
        """Hold the data folder for writing; *purpose* says who does, as in "the service".

        :raises Busy: another process holds it; with its purpose and number.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        # Opened for appending, so that what the holder wrote stays there for the others.
        with (self.root / "service.lock").open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _held(lock) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()} {purpose}\n")
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def sweep(self) -> None:
        """Remove what a writer that was killed has left; only for the one that holds the folder."""
        for leftover in self._folder.glob(".tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        numbers, current = self._numbers(), self._pointed()
        if current in numbers:
            # It got its number and died before the pointer named it: nobody has seen it.
            for number in numbers:
                if number > current:
                    shutil.rmtree(self._folder / str(number), ignore_errors=True)

    def begin(self) -> Path:
        """Make and return the folder of a version in the making."""
        # A path of its own each time: the engine locks a path until the last reference to its store is gone.
        folder = self._folder / f".tmp-{uuid4().hex}"
        with room():
            folder.mkdir(parents=True)
        return folder

    @contextmanager
    def candidate(self) -> Iterator[Path]:
        """Yield the empty folder of a version in the making; it is removed unless published."""
        # Whoever makes a version holds the folder, so what lies there was left by one that was killed.
        self.sweep()
        folder = self.begin()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, candidate: Path, *, prune: bool = True) -> Snapshot:
        """Make *candidate* the current version, under a number that was never used, and return it.

        All of it is on the disk before it gets its number, and before the pointer names it.

        :raises StorageFull: the disk is full; the version before stays the current one.
        """
        self._check_format()
        version = self.next_version
        target = self._folder / str(version)
        with room():
            sync_tree(candidate)
            if not self._known:
                self._put_format()
            candidate.rename(target)
            try:
                sync(self._folder)
                replace_file(self._pointer, f"{version}\n")
            except OSError:
                # Nobody has seen it yet; as a version that nothing names it would only lie there.
                if self._pointed() != version:
                    shutil.rmtree(target, ignore_errors=True)
                raise
        if prune:
            self.prune()
        return Snapshot(version, target)

    def prune(self, keep: Collection[int] = ()) -> None:
        """Remove what is older than the current version and its predecessor, but *keep* and the pinned."""
        current = self._pointed()
        pinned = {int(entry.name) for entry in _entries(self._pins) if entry.name.isdigit()}
        older = sorted(number for number in self._numbers() if number < current)
        for number in set(older[:-1]) - pinned - set(keep):
            shutil.rmtree(self._folder / str(number), ignore_errors=True)

    def pin(self, version: int) -> None:
        """Keep a version until it is unpinned."""
        with room():
            self._pins.mkdir(parents=True, exist_ok=True)
            (self._pins / str(version)).touch()
            sync(self._pins)

    def unpin(self, version: int) -> None:
        """Let a version go when it is old enough."""
        (self._pins / str(version)).unlink(missing_ok=True)

    def migrate(self) -> None:
        """Bring the data folder to this layout; only for the one that holds it.

        The current version is published anew, by links to its files; a crash before that leaves it as it was.

        :raises StoreFailed: the folder is of a later layout, or its store can't be read.
        """
        latest = self.latest()
        if latest is not None and not (latest.path / FILE).is_file():
            self._renew(latest)
        if self.root.is_dir() and not self._known:
            with room():
                self._put_format()
        for number in self._numbers():
            if not (self._folder / str(number) / FILE).is_file():
                shutil.rmtree(self._folder / str(number), ignore_errors=True)

    def _renew(self, snapshot: Snapshot) -> None:
        with self.candidate() as folder:
            try:
                with room():
                    for source in {snapshot.store, snapshot.merged}:
                        name = "merged" if source.name == "merged" else "store"
                        ox.Store.read_only(str(source)).backup(str(folder / name))
                    Index.of(ox.Store.read_only(str(folder / "store")), self.next_version).write(folder)
            except (OSError, RuntimeError) as error:
                raise StoreFailed(
                    "The graph in the data folder can't be brought to the layout of this release.",
                    remedy="Restore the folder, or build into an empty one.",
                ) from error
            self.publish(folder)

    def _put_format(self) -> None:
        replace_file(self.root / "format", f"{FORMAT}\n")
        self._known = True

    def _check_format(self) -> None:
        if self._known:
            return
        try:
            text = (self.root / "format").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            # The first layout had no such file.
            return
        if text != str(FORMAT):
            raise StoreFailed(
                f"The data folder has the layout {text[:20]!r}; this release knows {FORMAT}.",
                remedy="Use the release that wrote it, or another data folder.",
            )
        self._known = True

    def _read_pointer(self) -> str | None:
        try:
            return self._pointer.read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreFailed(f"The data folder can't be read ({error.strerror}).") from None

    def _pointed(self) -> int:
        text = self._read_pointer() or ""
        return int(text) if text.isascii() and text.isdigit() else 0

    def _numbers(self) -> list[int]:
        return [int(entry.name) for entry in _entries(self._folder) if entry.name.isdigit()]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _held(lock: IO[str]) -> Busy:
    """Return the error that names the holder; it may not have written yet who it is."""
    lock.seek(0)
    match = _HOLDER.match(lock.readline())
    holder = f"{match[2]} (process {match[1]})" if match else "another process"
    return Busy(f"The data folder is in use by {holder}.", remedy="Wait until it is done, or stop it.")
