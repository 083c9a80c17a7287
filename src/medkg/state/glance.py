"""A look at the operational database: to load what opens it takes far longer than to open it.

What is looked for stands here, so that nothing of that is loaded: the file, and the step of its schema.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

__all__ = ["FILE", "STEP", "VERSION_TABLE", "is_current"]

FILE: Final = "state.sqlite"
"""The database in the data folder, where no other is named."""
VERSION_TABLE: Final = "medkg_schema"
"""Where Alembic keeps the step of the schema; its usual name may be taken in a shared database."""
STEP: Final = "0001"
"""The last step of the migrations: that of the tables in :mod:`medkg.state.schema`."""


def is_current(data_dir: Path) -> bool:
    """Tell whether the database in *data_dir* is as this version leaves it, and its owner's alone.

    False says nothing: :meth:`medkg.state.database.Database.open` mends it or tells what is wrong.
    """
    path = data_dir.absolute() / FILE
    try:
        shared = path.stat().st_mode & 0o077
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", timeout=0, uri=True)) as connection:
            journal = connection.execute("PRAGMA journal_mode").fetchone()
            steps = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()  # noqa: S608
    except (OSError, sqlite3.Error):
        return False
    return not shared and journal == ("wal",) and steps == [(STEP,)]
