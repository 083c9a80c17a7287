"""state/glance.py: it is seen whether a database has to be opened to know that it is in order."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from medkg.state import glance
from medkg.state.database import Database


def _older(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"UPDATE {glance.VERSION_TABLE} SET version_num = '0000'")  # noqa: S608 - our own name
        connection.commit()


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _text(file: Path) -> None:
    file.write_text("no database\n" * 1_000, encoding="utf-8")


def _shared(file: Path) -> None:
    file.chmod(0o644)


def _without_wal(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _gone(file: Path) -> None:
    file.unlink()


def test_a_database_of_this_version_is_in_order(tmp_path: Path) -> None:
    """What was opened once is, also while it is open, and to look changes nothing."""
    with Database.open(tmp_path):
        assert glance.is_current(tmp_path)
    content = (tmp_path / glance.FILE).read_bytes()

    assert glance.is_current(tmp_path)
    assert (tmp_path / glance.FILE).read_bytes() == content


@pytest.mark.parametrize("change", [_older, _empty, _text, _shared, _without_wal, _gone])
def test_what_has_to_be_opened_is_told(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Another step, damage, the rights of others, another journal and a missing file; none is made."""
    with Database.open(tmp_path):
        pass
    file = tmp_path / glance.FILE
    change(file)
    there = file.exists()

    assert not glance.is_current(tmp_path)
    assert file.exists() is there
