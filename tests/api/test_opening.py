"""opening.py: the operational database is opened once, when it is needed."""

import sqlite3
import threading
from pathlib import Path

import pytest

from medkg.domain.errors import StoreFailed
from medkg.state.database import Database
from medkg_api.opening import Opening


def test_what_is_in_order_is_opened_with_the_first_use(tmp_path: Path) -> None:
    """To insist opens nothing; all who ask get the same one."""
    Database.open(tmp_path).close()
    opening = Opening(tmp_path, None)
    opening.insist()
    assert opening._database is None
    found = list[Database]()

    threads = [threading.Thread(target=lambda: found.append(opening())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert {id(database) for database in found} == {id(opening())}
    opening.close()
    opening.close()


def test_a_missing_database_is_made_at_once(tmp_path: Path) -> None:
    """So that a folder that can't be written stops the start."""
    opening = Opening(tmp_path, None)

    opening.insist()

    with sqlite3.connect(tmp_path / "state.sqlite") as connection:
        assert connection.execute("SELECT COUNT(*) FROM tokens").fetchone() == (0,)
    connection.close()
    opening.close()


def test_a_damaged_database_is_told_at_once(tmp_path: Path) -> None:
    """Not by the first request that needs it."""
    (tmp_path / "state.sqlite").write_text("no database\n" * 1_000, encoding="utf-8")
    opening = Opening(tmp_path, None)

    with pytest.raises(StoreFailed, match="damaged"):
        opening.insist()
    opening.close()


def test_another_database_is_opened_at_once(tmp_path: Path) -> None:
    """Of one with an address of its own nothing can be seen before."""
    opening = Opening(tmp_path, f"sqlite:///{tmp_path}/other.sqlite")

    opening.insist()

    assert (tmp_path / "other.sqlite").is_file()
    opening.close()
