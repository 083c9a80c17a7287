"""Copies of the operational database, made and put back while others use it; of SQLite files only."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from medkg.domain.errors import Busy, MedkgError, StorageFull, StoreFailed
from medkg.state.database import Database
from medkg.state.glance import FILE

__all__ = ["check", "is_external", "replacing", "save"]

_PATIENCE: Final = 30.0
"""Seconds that a copy waits for writers."""
_UNREADABLE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_external(url: str | None) -> bool:
    """Tell whether the database of *url* (None: the one in the data folder) is no file of SQLite."""
    return url is not None and not url.startswith("sqlite")


def save(data_dir: Path, url: str | None, target: Path) -> bool:
    """Copy the database to the file *target*, readable for its owner alone; return whether there is one.

    :raises StoreFailed: it is damaged.
    :raises StorageFull: there is no room for the copy.
    :raises Busy: writers held it for too long.
    """
    source = _path(data_dir, url)
    if not source.is_file():
        return False
    target.touch(mode=0o600)
    _copy(source, target)
    if not _is_sound(target):
        raise StoreFailed(
            f"The operational database {source.name} is damaged.", remedy="Restore it from a backup."
        )
    return True


def check(copy: Path) -> None:
    """Bring a copy to the schema of this version.

    :raises StoreFailed: it is damaged, or comes from a newer version.
    """
    if not _is_sound(copy):
        raise StoreFailed("The operational database in it is damaged.")
    Database.open(copy.parent, _url(copy)).close()


@contextmanager
def replacing(data_dir: Path, url: str | None, copy: Path) -> Iterator[None]:
    """Give the database the content of *copy*; when the block fails, it gets back what it had.

    Those who have it open see the new content in their next transaction.  A damaged one is moved away first.
    """
    path = _path(data_dir, url)
    if path.is_file() and not _is_sound(path):
        path.replace(path.with_name(f"{path.name}.damaged"))
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
    Database.open(data_dir, url).close()
    former = copy.with_name("former.sqlite")
    former.touch(mode=0o600)
    _copy(path, former)
    try:
        _copy(copy, path)
        yield
    except BaseException:
        _copy(former, path)
        raise


def _path(data_dir: Path, url: str | None) -> Path:
    return data_dir / FILE if url is None else Path(str(sa.make_url(url).database))


def _url(path: Path) -> str:
    return sa.URL.create("sqlite", database=str(path.absolute())).render_as_string()


def _copy(source: Path, target: Path) -> None:
    """Give *target* the content of *source* in one transaction."""
    deadline = time.monotonic() + _PATIENCE

    def check_time(status: int, remaining: int, total: int) -> None:
        del total
        if remaining and status and time.monotonic() > deadline:
            raise _held(source)

    try:
        with closing(_open(source)) as reader, closing(_open(target)) as writer:
            reader.backup(writer, progress=check_time)
    except sqlite3.Error as error:
        raise _explained(error, source) from error


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)


def _is_sound(path: Path) -> bool:
    try:
        with closing(_open(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _UNREADABLE:
            return False
        raise _explained(error, path) from error


def _explained(error: sqlite3.Error, path: Path) -> MedkgError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageFull(
            "There is no room for a copy of the operational database: nothing was changed.",
            remedy="Make room and try again.",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return _held(path)
    return StoreFailed(f"The operational database {path.name} can't be copied ({error}).")


def _held(path: Path) -> Busy:
    return Busy(f"The operational database {path.name} is held by another process.", remedy="Try again.")
