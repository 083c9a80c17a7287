"""The versions of the graph on disk: numbered immutable folders and an atomic pointer to the current one."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from medkg.domain.errors import Busy, StoreFailed, StoreMissing

__all__ = ["Snapshot", "Snapshots"]

_KEEP: Final = 2
"""Versions that stay: the current one and the one that readers may still have open."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the graph: its number and the folder of its store."""

    version: int
    path: Path


class Snapshots:
    """The versions under *root*, the data folder.

    It looks like this::

    root/current            the number of the current version, replaced atomically
    root/snapshots/<n>/     the store of version n, never changed once it is there
    root/snapshots/.tmp-*   a version in the making
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / "snapshots"
        self._pointer = root / "current"

    def current(self) -> Snapshot | None:
        """Return the current version, or None when nothing has been built.

        :raises StoreFailed: the pointer names a version that is not there.
        """
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

    @contextmanager
    def candidate(self) -> Iterator[Path]:
        """Yield the path, not yet there, of a version in the making; it is removed unless published."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Whoever makes a version holds the folder, so what lies here was left by a build that was killed.
        for leftover in self._folder.glob(".tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        # A path of its own each time: the engine locks a path until the last reference to its store is gone.
        with TemporaryDirectory(prefix=".tmp-", dir=self._folder, ignore_cleanup_errors=True) as folder:
            yield Path(folder) / "store"

    def publish(self, candidate: Path) -> Snapshot:
        """Make *candidate* the current version, under a number that was never used, and return it."""
        version = 1 + max([self._pointed(), *self._numbers()])
        target = self._folder / str(version)
        candidate.rename(target)
        _sync(self._folder)
        self._point_to(version)
        self._prune(version)
        return Snapshot(version, target)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the data folder for a change.

        :raises Busy: another process is changing it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "build.lock").open("w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(
                    "Another process is building the graph in this data folder.",
                    remedy="Wait until it is done.",
                ) from None
            yield

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
        entries = self._folder.iterdir() if self._folder.is_dir() else ()
        return [int(entry.name) for entry in entries if entry.name.isdigit()]

    def _point_to(self, version: int) -> None:
        fresh = self._pointer.with_name(".current.tmp")
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{version}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._pointer)
        _sync(self.root)

    def _prune(self, version: int) -> None:
        for entry in self._folder.iterdir():
            if entry.name.isdigit() and int(entry.name) <= version - _KEEP:
                shutil.rmtree(entry, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
