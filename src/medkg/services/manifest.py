"""What a backup says of itself: the version it is of, and the size and SHA-256 of each of its files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from medkg import __version__
from medkg.domain.errors import SourceFileError
from medkg.store import snapshots as layout
from medkg.store.disk import replace_file

__all__ = ["FORMAT", "MANIFEST", "Entry", "Manifest", "damaged"]

FORMAT: Final = 1
"""The number of the layout of a backup."""
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; *database* is ``included``, ``none`` or ``external``."""

    version: int
    layout: int
    graphs: int
    triples: int
    database: str
    files: Mapping[str, Entry]
    made: str
    software: str = __version__
    oxigraph: str = ""
    format: int = FORMAT

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest of the backup in *folder*.

        :raises SourceFileError: it is none that this release can read; with its file.
        """
        path = folder / MANIFEST
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
            if found["format"] > FORMAT or found["layout"] > layout.FORMAT:
                raise SourceFileError(
                    path,
                    f"the backup was made by a newer version of medkg ({found['software']})",
                    remedy="Restore it with that version.",
                )
            files = {
                _safe(path, name): Entry(int(entry["size"]), str(entry["sha256"]))
                for name, entry in found.pop("files").items()
            }
            return cls(**found, files=files)
        except OSError as error:
            raise SourceFileError(
                path, f"there is no backup that can be read ({error.strerror})", remedy="Name its folder."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise damaged(path, "it can't be read") from None

    def write(self, folder: Path) -> None:
        """Write the manifest, when all else is on the disk."""
        replace_file(folder / MANIFEST, json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")


def _safe(path: Path, name: str) -> str:
    """Return the name of a file inside a backup."""
    inner = PurePosixPath(name)
    if inner.is_absolute() or ".." in inner.parts or name == MANIFEST:
        raise damaged(path, f"it names {name!r}, which is no file of a backup")
    return name


def damaged(path: Path, reason: str) -> SourceFileError:
    """Return the error for a file of a backup that can't be used."""
    return SourceFileError(
        path, f"the backup is damaged: {reason}", remedy="Nothing was changed. Use another backup."
    )
