"""The operational database, opened when it is first needed: few requests need it, and no start."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from medkg.state import glance

if TYPE_CHECKING:
    from medkg.state.database import Database

__all__ = ["Opening"]


class Opening:
    """Gives the database of *url*, else that in *data_dir*; threads may share it."""

    def __init__(self, data_dir: Path, url: str | None) -> None:
        self._data_dir = data_dir
        self._url = url
        self._lock = threading.Lock()
        self._database: Database | None = None

    def __call__(self) -> "Database":
        """Return the open database; the first call may take half a second.

        :raises MedkgError: see :meth:`medkg.state.database.Database.open`.
        """
        with self._lock:
            if self._database is None:
                from medkg.state.database import Database

                self._database = Database.open(self._data_dir, self._url)
            return self._database

    def insist(self) -> None:
        """Open the database, unless it is seen at a glance that this will work.

        :raises MedkgError: see :meth:`__call__`.
        """
        if self._url is not None or not glance.is_current(self._data_dir):
            self()

    def close(self) -> None:
        """Close the database, if it is open."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
