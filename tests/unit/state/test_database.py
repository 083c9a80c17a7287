"""state/database.py: a database opens at the schema of the code, or says what is wrong and what to do."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from medkg.domain.errors import Busy, SettingError, StorageFull, StoreFailed, StoreMissing
from medkg.domain.model import Author, Role
from medkg.state import audit
from medkg.state import database as module
from medkg.state.database import Database
from medkg.state.glance import VERSION_TABLE

ADA = Author("ada", Role.ADMIN)


def _record(database: Database, target: str = "graph") -> None:
    with database.writing() as connection:
        audit.record(connection, ADA, "test", target)


def _targets(database: Database) -> list[str]:
    with database.reading() as connection:
        return [entry.target for entry in audit.recent(connection, 1000)][::-1]


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


# --- A database that works -------------------------------------------------------------------------


def test_a_new_database_is_a_file_of_its_owner(data_folder: Path) -> None:
    """The file and those that SQLite keeps beside it can be read by their owner alone, whatever the umask."""
    before = os.umask(0)
    try:
        with Database.open(data_folder) as database:
            _record(database)
            files = {path.name: _mode(path) for path in data_folder.iterdir()}
    finally:
        os.umask(before)

    assert files == dict.fromkeys(("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"), 0o600)
    assert [path.name for path in data_folder.iterdir()] == ["state.sqlite"]


def test_a_file_that_others_may_read_is_closed_to_them(data_folder: Path) -> None:
    """A file that came with wider rights, from a copy perhaps, loses them when it is opened."""
    Database.open(data_folder).close()
    file = data_folder / "state.sqlite"
    file.chmod(0o664)
    Database.open(data_folder).close()

    assert _mode(file) == 0o600


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 5000)]
)
def test_every_connection_is_set_up(data_folder: Path, pragma: str, value: object) -> None:
    """Readers don't wait for writers, references are checked, and writers wait for each other."""
    with Database.open(data_folder) as database, database.reading() as one, database.reading() as two:
        assert [one.exec_driver_sql(f"PRAGMA {pragma}").scalar() for one in (one, two)] == [value, value]


def test_what_was_written_is_there_the_next_time(open_database: Callable[[], Database]) -> None:
    """Opening a database again changes nothing in it."""
    for number in range(3):
        with open_database() as database:
            _record(database, str(number))
            assert _targets(database) == [str(before) for before in range(number + 1)]


def test_a_block_that_fails_leaves_nothing(database: Database) -> None:
    """All that a block writes is kept, or none of it."""
    with suppress(ZeroDivisionError), database.writing() as connection:
        audit.record(connection, ADA, "test", "lost")
        raise ZeroDivisionError
    _record(database, "kept")

    assert _targets(database) == ["kept"]


def test_a_failed_migration_leaves_nothing(data_folder: Path) -> None:
    """A migration that stops half-way leaves the database as it was: its steps are one transaction."""
    file = data_folder / "state.sqlite"
    data_folder.mkdir()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE audit (stranger TEXT)")
    connection.close()

    with pytest.raises(StoreFailed, match=r"^The operational database state\.sqlite could not do its work\."):
        Database.open(data_folder)

    connection = sqlite3.connect(file)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("audit",)]
    connection.close()


@pytest.mark.parametrize("name", ["plain", "a b", "100%", "ś?#&=", "%(here)s"])
def test_any_name_of_a_folder_will_do(tmp_path: Path, name: str) -> None:
    """Letters that mean something in a URL or in a configuration file mean nothing in a folder's name."""
    with Database.open(tmp_path / name) as database:
        _record(database)

    assert (tmp_path / name / "state.sqlite").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_url_names_another_file(tmp_path: Path) -> None:
    """With a URL, nothing is written to the data folder."""
    with Database.open(tmp_path / "var", f"sqlite:///{tmp_path}/elsewhere/tokens.db") as database:
        _record(database)

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "tokens.db"]


# --- Many at a time --------------------------------------------------------------------------------


def test_threads_share_a_database(database: Database) -> None:
    """Twenty threads that write at a time, more than there are connections, all get their turn."""
    threads, each = 20, 10
    start = threading.Barrier(threads)

    def work(thread: int) -> None:
        start.wait()
        for number in range(each):
            _record(database, f"{thread}-{number}")
            assert f"{thread}-{number}" in _targets(database)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))

    found = _targets(database)
    assert sorted(found) == sorted(
        f"{thread}-{number}" for thread in range(threads) for number in range(each)
    )


def test_a_database_is_made_once(open_database: Callable[[], Database]) -> None:
    """Several that open a database that is not there yet make it once, and all of them can use it."""
    number = 6
    start = threading.Barrier(number)

    def work(index: int) -> None:
        start.wait()
        with open_database() as database:
            _record(database, str(index))

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(work, range(number)))

    with open_database() as database:
        assert sorted(_targets(database)) == [str(index) for index in range(number)]


def test_databases_are_made_side_by_side(tmp_path: Path) -> None:
    """Several databases that are made at a time, in threads of one process, don't get in each other's way."""
    number = 6
    start = threading.Barrier(number)

    def work(index: int) -> list[str]:
        start.wait()
        with Database.open(tmp_path / str(index)) as database:
            _record(database, str(index))
            return _targets(database)

    with ThreadPoolExecutor(number) as pool:
        assert list(pool.map(work, range(number))) == [[str(index)] for index in range(number)]


def test_processes_share_a_database(data_folder: Path, url: str | None) -> None:
    """Commands in processes of their own, started where there is nothing yet, all write what they have to."""
    code = (
        "import sys; from pathlib import Path; from medkg.state.database import Database;"
        "from medkg.state import audit; from medkg.domain.model import Author, Role\n"
        "import alembic.command; print(flush=True); sys.stdin.readline()\n"
        "with Database.open(Path(sys.argv[1]), sys.argv[3] or None) as database:\n"
        "    for number in range(20):\n"
        "        with database.writing() as connection:\n"
        "            audit.record(connection, Author('a', Role.ADMIN), 'test', sys.argv[2])\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, str(data_folder), str(number), url or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in running]
    assert ended == [(b"", 0)] * 4

    with Database.open(data_folder, url) as database:
        assert sorted(_targets(database)) == sorted("0123" * 20)


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    """While a write is under way, others read what was there before it."""
    _record(database, "before")
    with database.writing() as connection:
        audit.record(connection, ADA, "test", "unfinished")
        assert _targets(database) == ["before"]


def test_a_writer_that_waits_too_long_is_told(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that another process holds on to is busy, not broken."""
    monkeypatch.setattr(module, "_WAIT_S", 0.1)
    with Database.open(data_folder) as database:
        other = sqlite3.connect(data_folder / "state.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match=r"is held by another process\. Try again\."):
            _record(database)
        other.close()
        _record(database)


# --- Databases that can't be used ------------------------------------------------------------------


@pytest.mark.parametrize("step", ["9999", "0002", "head", ""])
def test_a_database_from_the_future_is_refused(open_database: Callable[[], Database], step: str) -> None:
    """A schema that this version does not know is left alone, with what to do about it."""
    with open_database() as database, database.writing() as connection:
        table = sa.table(VERSION_TABLE, sa.column("version_num"))
        connection.execute(sa.update(table).values(version_num=step))

    message = rf"made by a newer version of medkg \(step {step} of its schema\)\. Install that version, or"
    for _ in range(2):
        with pytest.raises(StoreFailed, match=message):
            open_database()


def _noise(length: int) -> bytes:
    return hashlib.shake_256(b"noise").digest(length)


def _garbage(file: Path) -> None:
    file.write_bytes(_noise(20_000))


def _text(file: Path) -> None:
    file.write_text("These are not the tokens that you are looking for.\n" * 100)


def _no_header(file: Path) -> None:
    file.write_bytes(bytes(100) + file.read_bytes()[100:])


def _half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _noise_inside(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4096] + _noise(len(content) - 4096))


@pytest.mark.parametrize("damage", [_garbage, _text, _no_header, _half, _noise_inside])
def test_a_damaged_file_is_named(data_folder: Path, damage: Callable[[Path], None]) -> None:
    """A file that is no database any more is named, and is not touched; moving it away helps, as is said."""
    with Database.open(data_folder) as database:
        _record(database)
    file = data_folder / "state.sqlite"
    damage(file)
    left = file.read_bytes()

    with (
        pytest.raises(StoreFailed, match=r"state\.sqlite is damaged\. Restore it .* or move it away"),
        Database.open(data_folder) as database,
    ):
        _targets(database)
    assert file.read_bytes() == left

    file.rename(data_folder / "damaged")
    with Database.open(data_folder) as database:
        assert _targets(database) == []


def test_a_full_disk_is_named(data_folder: Path) -> None:
    """A write for which there is no room fails as a whole, and what is stored can still be read."""
    with Database.open(data_folder) as database:
        _record(database, "before")
        with database.writing() as connection:
            # The pool gives the same connection to the next block.
            connection.exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(StorageFull, match="the disk is full"):
            _record(database, "x" * 100_000)
        assert _targets(database) == ["before"]


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_cannot_be_written_is_named(
    open_folder: Path, drop_root: Callable[[], None], there: bool
) -> None:
    """In a folder without the right to write, the message says to make it writable, database or not."""
    folder = open_folder / "var"
    folder.mkdir()
    if there:
        with Database.open(folder) as database:
            _record(database)
        os.chown(folder / "state.sqlite", 65534 if os.geteuid() == 0 else -1, -1)
    folder.chmod(0o555)
    drop_root()

    with (
        pytest.raises(
            StoreFailed, match=r"^The operational database state\.sqlite can't be .*\. Make it and"
        ),
        Database.open(folder) as database,
    ):
        _record(database)


def test_a_file_of_somebody_else_is_named(open_folder: Path, drop_root: Callable[[], None]) -> None:
    """A file that this user may not open is an error of its rights, not of its content."""
    Database.open(open_folder).close()
    open_folder.chmod(0o777)
    drop_root()

    with pytest.raises(StoreFailed, match=r"can't be opened\. Make it and its folder writable"):
        Database.open(open_folder)


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_that_cannot_be_entered_is_named(
    open_folder: Path, drop_root: Callable[[], None], create: bool
) -> None:
    """Where it can't be told whether there is a database, the rights of the folder are the error."""
    folder = open_folder / "var"
    folder.mkdir(mode=0)
    drop_root()

    with pytest.raises(StoreFailed, match=r"can't be opened \(Permission denied\)\. Make it and its folder"):
        Database.open(folder, create=create)


def test_a_path_that_is_no_folder_is_named(tmp_path: Path) -> None:
    """A data folder that is a file, and a database that is a folder, are errors that say so."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match=r"can't be opened \((File exists|Not a directory)\)\. Make it and"):
        Database.open(tmp_path / "file")

    (tmp_path / "var" / "state.sqlite").mkdir(parents=True)
    with pytest.raises(StoreFailed, match=r"can't be opened\. Make it and its folder"):
        Database.open(tmp_path / "var")


def test_a_missing_file_is_not_made_unasked(data_folder: Path) -> None:
    """Whoever only reads finds out that there is nothing, and leaves no folder behind."""
    with pytest.raises(StoreMissing, match="Run `medkg token create` first"):
        Database.open(data_folder, create=False)
    assert not data_folder.exists()

    Database.open(data_folder).close()
    Database.open(data_folder, create=False).close()


# --- URLs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "state.sqlite",
        "/var/lib/state.sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///relative.sqlite",
        "sqlite://user:geheim@host/var/state.sqlite",
        "sqlite:////var/state.sqlite?mode=ro",
        "sqlite+aiosqlite:////var/state.sqlite",
        "postgres://medkg:geheim@localhost/medkg",
        "postgresql://medkg:geheim@localhost",
        "postgresql+psycopg2://medkg:geheim@localhost/medkg",
        "mysql://medkg:geheim@localhost/medkg",
        "postgresql://medkg:geheim@localhost:port/medkg",
        "geheim",
    ],
)
def test_a_url_that_names_no_database_is_one_line(data_folder: Path, url: str) -> None:
    """What can't be used as a URL is refused by one line that says what is expected, without its password."""
    with pytest.raises(SettingError) as caught:
        Database.open(data_folder, url)

    line = str(caught.value)
    assert line.startswith("MEDKG_DATABASE_URL ")
    assert line.endswith(": expected sqlite:////absolute/path or postgresql://user@host/database")
    assert "geheim" not in line
    assert "\n" not in line
    assert not data_folder.exists()


# --- PostgreSQL alone ------------------------------------------------------------------------------


def test_a_server_that_does_not_answer_is_named(data_folder: Path, tmp_path: Path) -> None:
    """Without a server at its address, the message says to start it or to correct the setting."""
    with pytest.raises(
        StoreFailed, match=r"can't be reached\. Start its server, or correct .*DATABASE_URL\."
    ):
        Database.open(data_folder, f"postgresql://medkg:geheim@/medkg?host={tmp_path}")


def test_a_missing_driver_is_named(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where medkg was installed without the driver of PostgreSQL, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        SettingError, match=r"its driver is not installed\. Run `pip install 'medkg\[postgres\]'`"
    ):
        Database.open(data_folder, "postgresql://medkg@localhost/medkg")


@pytest.mark.parametrize("usage", [True, False])
def test_a_user_without_rights_is_named(data_folder: Path, postgresql: str, usage: bool) -> None:
    """A user who may not make tables, read them, or see the schema at all, is refused with what to grant."""
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
        if not usage:
            connection.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    guest = postgresql.replace("medkg@", "guest@")
    for _ in range(2):
        with pytest.raises(StoreFailed, match=r"refuses its user\. Grant the user all rights"):
            Database.open(data_folder, guest)
        Database.open(data_folder, postgresql).close()


def test_a_read_only_server_is_named(data_folder: Path, postgresql: str) -> None:
    """A standby server can't be written, and the message says which one can."""
    Database.open(data_folder, postgresql).close()
    url = f"{postgresql}&options=-c%20default_transaction_read_only%3Don"
    with (
        Database.open(data_folder, url) as database,
        pytest.raises(StoreFailed, match=r"its server is read-only\. Name the primary server\."),
    ):
        _record(database)


def test_a_server_that_was_started_again_is_used_again(data_folder: Path, postgresql: str) -> None:
    """Connections that the server closed are replaced without an error."""
    import psycopg

    with Database.open(data_folder, postgresql) as database:
        _record(database, "before")
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() AND datname = current_database()")  # fmt: skip  # noqa: E501
        _record(database, "after")
        assert _targets(database) == ["before", "after"]
    assert not data_folder.exists()
