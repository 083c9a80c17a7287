"""The disk under the store: what makes a folder durable, and what its errors mean."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from medkg.domain.errors import StorageFull

__all__ = ["replace_file", "room", "sync", "sync_tree"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NEW: Final = 2
"""Names of a new file of the engine: in the store that is written to, and in the version in the making."""
_TEXTS: Final = ("no space left on device", "disk quota exceeded", "max allowed space was reached")
"""The engine passes some errors of the system on as text alone."""


@contextmanager
def room() -> Iterator[None]:
    """Run a block that writes.

    :raises StorageFull: the disk has no room for it.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number in _FULL or any(text in str(error).lower() for text in _TEXTS):
            raise StorageFull(
                "The disk of the data folder is full; nothing was changed.",
                remedy="Make room on it and try again.",
            ) from error
        raise


def sync(path: Path) -> None:
    """Have the system write a file or the list of a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Have the system write a folder with all that is new in it to the disk.

    A file that has a name in two more places came there by a link: it is in a version that is on the disk.
    """
    for parent, _, files in os.walk(folder):
        for name in files:
            path = Path(parent, name)
            if path.stat().st_nlink <= _NEW:
                sync(path)
        sync(Path(parent))


def replace_file(path: Path, text: str) -> None:
    """Put *text* in place of a file, in one step that a crash can't cut."""
    fresh = path.with_name(f".{path.name}.tmp")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync(path.parent)
