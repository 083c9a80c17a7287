"""Backs up the whole state of a data folder by real copies, and restores it as the next version.

A backup is a folder::

    manifest.json   what the backup is: version, counts, software, time; size and SHA-256 of every file
    graph/          the folder of the version: its store, and what it says of itself
    state.sqlite    the operational database, where it is a file of SQLite

Documents that are just being read (``spool``) are no state.  Nor is what a version says of its difference to
the one before: the restored one follows another.
"""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final, Protocol, Self

from medkg.domain.errors import CallError, MedkgError, SourceFileError, StorageFull, StoreFailed
from medkg.services.manifest import MANIFEST, Entry, Manifest, damaged
from medkg.state import copies
from medkg.store import snapshots as layout
from medkg.store.control import borrowed
from medkg.store.disk import sync_tree
from medkg.store.index import FILE as INDEX
from medkg.store.index import Index
from medkg.store.snapshots import Snapshot, Snapshots

__all__ = ["Progress", "backup", "restore"]

_GRAPH: Final = "graph"
_STATE: Final = "state.sqlite"
_UNFINISHED: Final = ".tmp"
_NO_FILES: Final = frozenset({_UNFINISHED, "lost+found"})
_LEFT_OUT: Final = frozenset({"removed.nq", "added.nq", "LOCK", "LOG"})
_PIECE: Final = 1_048_576
_ATTEMPTS: Final = 3
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Progress(Protocol):
    """Told what the work is at: a stage, and how many of its bytes are done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note."""


def backup(root: Path, target: Path, *, url: str | None = None, progress: Progress) -> Manifest:
    """Copy the state of the data folder *root* into the folder *target*; *url* is that of the database.

    A service may run on it, and go on writing: the copy is of the version that is current at the start.

    :raises StoreMissing: nothing has been built.
    :raises CallError: *target* is not empty, or no folder.
    :raises StorageFull: there is no room for it; nothing of it stays.
    """
    made = _empty(target)
    work = target / _UNFINISHED
    try:
        with _writing_to(target):
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True, mode=0o700)
            manifest = _copy_state(root, work, url, progress)
            progress("Writing to disk", 0, 0)
            sync_tree(work)
            for entry in sorted(work.iterdir()):
                entry.rename(target / entry.name)
            work.rmdir()
            # Last, because a folder is a backup when it has a manifest.
            manifest.write(target)
    except BaseException:
        for name in (_UNFINISHED, _GRAPH):
            shutil.rmtree(target / name, ignore_errors=True)
        for name in (_STATE, MANIFEST, f".{MANIFEST}.tmp"):
            (target / name).unlink(missing_ok=True)
        if made:
            target.rmdir()
        raise
    return manifest


def restore(root: Path, source: Path, *, url: str | None = None, progress: Progress) -> tuple[int, Manifest]:
    """Make the backup in *source* the next version of the data folder *root*; return its number.

    A service that runs on *root* serves it at once.  The operational database gets the content that it had.

    :raises SourceFileError: the backup is damaged, or of a newer version; nothing is changed.
    :raises Busy: another command is at work on *root*.
    :raises StorageFull: there is no room for it; nothing is changed.
    """
    manifest = Manifest.read(source)
    _verify(source, manifest, progress)
    with borrowed(root, "a restore") as lent, _Following(root, manifest.version).restoring() as snapshots:
        folder = snapshots.begin()
        # The folder of a version in the making is the one place where a crash leaves nothing for long.
        state = snapshots.begin()
        try:
            with _writing_to(root):
                _copy_graph(source, manifest, folder, snapshots.next_version, progress)
                _fetch_state(source, manifest, state)
                with _restoring_state(root, url, state / _STATE):
                    progress("Writing to disk", 0, 0)
                    snapshot = snapshots.publish(folder, prune=not lent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(state, ignore_errors=True)
    return snapshot.version, manifest


class _Following(Snapshots):
    """Versions whose numbers go on from those of a backup too, so that none means two things to a client."""

    def __init__(self, root: Path, version: int) -> None:
        super().__init__(root)
        self._version = version

    @property
    def next_version(self) -> int:
        return max(super().next_version, self._version + 1)

    @contextmanager
    def restoring(self) -> Iterator[Self]:
        with self.holding("a restore"):
            self.migrate()
            self.sweep()
            yield self


def _copy_state(root: Path, work: Path, url: str | None, progress: Progress) -> Manifest:
    snapshots = Snapshots(root)
    for attempt in range(_ATTEMPTS):
        snapshot = _current(snapshots)
        try:
            with _pinned(snapshots, snapshot):
                files = _copy_tree(snapshot.path, work / _GRAPH, progress)
                index = Index.read(work / _GRAPH)
            break
        except (FileNotFoundError, StoreFailed):
            # It was removed before it was pinned, because two others have come meanwhile.
            shutil.rmtree(work / _GRAPH, ignore_errors=True)
            if attempt == _ATTEMPTS - 1 or snapshots.require() == snapshot:
                raise
    progress("Copying the operational database", 0, 0)
    database = _save_state(root, url, work / _STATE)
    if database == "included":
        files[_STATE] = _entry(work / _STATE)
    return Manifest(
        version=snapshot.version,
        layout=layout.FORMAT,
        graphs=len(index.graphs),
        triples=index.default.triples,
        database=database,
        files=files,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        oxigraph=version_of("pyoxigraph"),
    )


def _current(snapshots: Snapshots) -> Snapshot:
    """Return the current version, in the layout of this release."""
    snapshot = snapshots.require()
    if not (snapshot.path / INDEX).is_file():
        with snapshots.holding("a backup"):
            snapshots.migrate()
        snapshot = snapshots.require()
    return snapshot


@contextmanager
def _pinned(snapshots: Snapshots, snapshot: Snapshot) -> Iterator[None]:
    """Keep a version while it is copied; a pin that another one has put there stays."""
    if (snapshots.root / "pins" / str(snapshot.version)).exists():
        yield
        return
    snapshots.pin(snapshot.version)
    try:
        yield
    finally:
        snapshots.unpin(snapshot.version)


def _copy_tree(source: Path, target: Path, progress: Progress) -> dict[str, Entry]:
    found = sorted(path for path in source.rglob("*") if path.is_file() and path.name not in _LEFT_OUT)
    total, done = sum(path.stat().st_size for path in found), 0
    files: dict[str, Entry] = {}
    for path in found:
        inner = path.relative_to(source)
        entry = _copy(path, target / inner)
        files[f"{_GRAPH}/{inner.as_posix()}"] = entry
        done += entry.size
        progress("Copying the graph", done, total)
    return files


def _copy_graph(source: Path, manifest: Manifest, folder: Path, version: int, progress: Progress) -> None:
    """Copy the graph of a backup into the folder of what becomes *version*."""
    names = [name for name in manifest.files if name.startswith(f"{_GRAPH}/")]
    total, done = sum(manifest.files[name].size for name in names), 0
    for name in names:
        entry = _copy(source / name, folder / name.removeprefix(f"{_GRAPH}/"))
        if entry != manifest.files[name]:
            raise damaged(source / name, "it has changed while it was read")
        done += entry.size
        progress("Copying the graph", done, total)
    index = Index.read(folder)
    # A graph may have had another content under the number in which it changed last.
    graphs = {name: replace(state, changed=version) for name, state in index.graphs.items()}
    replace(index, graphs=graphs, default=replace(index.default, changed=version)).write(folder)


def _save_state(root: Path, url: str | None, target: Path) -> str:
    if copies.is_external(url):
        return "external"
    return "included" if copies.save(root, url, target) else "none"


def _fetch_state(source: Path, manifest: Manifest, folder: Path) -> None:
    """Copy the operational database of a backup, where it has one, at the schema of this release."""
    if _STATE not in manifest.files:
        return
    if _copy(source / _STATE, folder / _STATE) != manifest.files[_STATE]:
        raise damaged(source / _STATE, "it has changed while it was read")
    (folder / _STATE).chmod(0o600)
    try:
        copies.check(folder / _STATE)
    except StoreFailed as error:
        raise SourceFileError(source / _STATE, error.message, remedy=error.remedy) from None


@contextmanager
def _restoring_state(root: Path, url: str | None, copy: Path) -> Iterator[None]:
    """Give the operational database the content of *copy*, where there is one, unless the block fails."""
    if copies.is_external(url) or not copy.is_file():
        yield
        return
    with copies.replacing(root, url, copy):
        yield


def _verify(source: Path, manifest: Manifest, progress: Progress) -> None:
    """Compare every file with the manifest.

    :raises SourceFileError: one is missing or damaged.
    """
    if f"{_GRAPH}/{INDEX}" not in manifest.files:
        raise damaged(source / MANIFEST, "it names no graph")
    total, done = sum(entry.size for entry in manifest.files.values()), 0
    for name, entry in manifest.files.items():
        path = source / name
        try:
            found = _entry(path)
        except OSError as error:
            raise damaged(path, str(error.strerror).lower()) from None
        if found != entry:
            raise damaged(path, "its content is not what the manifest says")
        done += entry.size
        progress("Verifying", done, total)


def _copy(source: Path, target: Path) -> Entry:
    """Copy the content of a file, and nothing else of it: never a link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("xb") as writer:
        while piece := reader.read(_PIECE):
            writer.write(piece)
            digest.update(piece)
            size += len(piece)
    return Entry(size, digest.hexdigest())


def _entry(path: Path) -> Entry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Entry(path.stat().st_size, digest.hexdigest())


def _empty(target: Path) -> bool:
    """Make sure that a folder is there and empty; return whether it was made.

    :raises CallError: it is not empty, or no folder.
    """
    try:
        made = not target.exists()
        target.mkdir(parents=True, mode=0o700, exist_ok=True)
        found = {entry.name for entry in target.iterdir()}
    except OSError as error:
        raise CallError(f"The folder {target} can't be used ({error.strerror}).") from None
    if found - _NO_FILES:
        raise CallError(f"The folder {target} is not empty.", remedy="Name a new one.")
    return made


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Run a block that writes into *folder*.

    :raises StorageFull: there is no room for it.
    """
    try:
        yield
    except MedkgError:
        raise
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise StorageFull(
            f"There is no room on the disk of {folder}: nothing was changed.",
            remedy="Make room and try again.",
        ) from error
