"""The operational database: opened by URL, migrated to the schema of this version, safe for threads."""

import errno
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from medkg.domain.errors import Busy, MedkgError, SettingError, StorageFull, StoreFailed, StoreMissing
from medkg.state.glance import FILE, STEP, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["Database"]

_WAIT_S: Final = 5
"""How long a write waits for another one, and how long a database server may take to answer."""
_MIGRATION_LOCK: Final = 0x6D65646B67
"""The number of the PostgreSQL advisory lock that one migration at a time holds ("medkg")."""
_MIGRATING: Final = threading.Lock()
"""Alembic keeps the migration under way in globals of its modules, so one thread at a time runs it."""
_EXPECTED: Final = "expected sqlite:////absolute/path or postgresql://user@host/database"

_WRITABLE: Final = "Make it and its folder writable for the user who runs medkg."
_DAMAGED: Final = (
    "Restore it from a backup, or move it away: an empty one is made then, "
    "without the tokens and the audit trail."
)
_Fault = tuple[type[MedkgError], str, str]
_FAILED: Final[_Fault] = (StoreFailed, "could not do its work", "")
_SILENT: Final[_Fault] = (
    StoreFailed,
    "can't be reached",
    "Start its server, or correct the setting MEDKG_DATABASE_URL.",
)
_SQLITE_FAULTS: Final[Mapping[int, _Fault]] = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: (Busy, "is held by another process", "Try again."),
        sqlite3.SQLITE_LOCKED: (Busy, "is held by another process", "Try again."),
        sqlite3.SQLITE_CORRUPT: (StoreFailed, "is damaged", _DAMAGED),
        sqlite3.SQLITE_NOTADB: (StoreFailed, "is damaged", _DAMAGED),
        sqlite3.SQLITE_CANTOPEN: (StoreFailed, "can't be opened", _WRITABLE),
        sqlite3.SQLITE_READONLY: (StoreFailed, "can't be written", _WRITABLE),
        sqlite3.SQLITE_FULL: (StorageFull, "can't be written: the disk is full", "Make room."),
    }
)
"""By primary result code (https://www.sqlite.org/rescode.html)."""
_POSTGRESQL_FAULTS: Final[Mapping[str, _Fault]] = MappingProxyType(
    {
        "25006": (StoreFailed, "can't be written: its server is read-only", "Name the primary server."),
        "3F000": (StoreFailed, "refuses its user", "Grant the user all rights on the database."),
        "42501": (StoreFailed, "refuses its user", "Grant the user all rights on the database."),
        "53100": (StorageFull, "can't be written: the disk of its server is full", "Make room."),
    }
)
"""By SQLSTATE (PostgreSQL documentation, appendix A)."""


class Database:
    """An open operational database.

    Threads may share it. Processes may not: one that was forked opens it anew.
    """

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._writer = engine.execution_options(immediate=True)
        self._name = name

    @classmethod
    def open(cls, data_dir: Path, url: str | None = None, *, create: bool = True) -> Self:
        """Return the database of *url*, else ``state.sqlite`` in *data_dir*, at the schema of this version.

        A file that is missing is made, readable for its owner alone, unless *create* is False.

        :raises SettingError: the URL names no database that can be used.
        :raises StoreMissing: there is no file, and none is to be made.
        :raises StoreFailed: it can't be opened, is damaged, or comes from a newer version.
        :raises StorageFull: the disk is full.
        :raises Busy: another process held it for too long.
        """
        if url is None:
            address = sa.URL.create("sqlite", database=str(data_dir.absolute() / FILE))
        else:
            address = _address(url)
        if address.get_backend_name() == "sqlite":
            path = Path(str(address.database))
            name = f"The operational database {path.name}"
            _prepare_file(path, name, create=create)
            engine = _sqlite(address)
        else:
            name = "The operational database"
            engine = _postgresql(address)
        database = cls(engine, name)
        try:
            database._migrate()
        except BaseException:
            database.close()
            raise
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that only reads.

        :raises MedkgError: the database failed; :meth:`open` says how.
        """
        with self._explaining(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that is kept as a whole, or not at all when its block fails.

        :raises MedkgError: the database failed; :meth:`open` says how.
        """
        with self._explaining(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            kind, what, remedy = _fault(error)
            raise kind(f"{self._name} {what}.", remedy=remedy) from error

    def _migrate(self) -> None:
        """Bring the schema to this version.

        :raises StoreFailed: a newer version of medkg made it.
        """
        with self.reading() as connection:
            if _step(connection) == STEP:
                return
        # Alembic takes a moment to import, and its command line tools come along.
        from alembic import command
        from alembic.migration import MigrationContext
        from alembic.script import ScriptDirectory

        config = _migrations()
        steps = ScriptDirectory.from_config(config)
        known = {step.revision for step in steps.walk_revisions()}

        def step_of(connection: sa.Connection) -> str | None:
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
            step = context.get_current_revision()
            if step is not None and step not in known:
                raise StoreFailed(
                    f"{self._name} was made by a newer version of medkg (step {step} of its schema).",
                    remedy="Install that version, or restore a backup that this one made.",
                )
            return step

        with self.reading() as connection:
            step_of(connection)
        with _MIGRATING, self.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            # Another process may have been faster.
            step_of(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _step(connection: sa.Connection) -> str | None:
    """Return the step that a database is at, as Alembic has noted it; None when it has not, or not one."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    column: sa.ColumnClause[str] = sa.column("version_num")
    steps = connection.scalars(sa.select(column).select_from(sa.table(VERSION_TABLE))).all()
    return steps[0] if len(steps) == 1 else None


def _migrations() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "medkg.state:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _address(url: str) -> sa.URL:
    """Read a URL; what an error says of it holds no password."""
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise SettingError(f"MEDKG_DATABASE_URL can't be read: {_EXPECTED}") from None
    shown = f"MEDKG_DATABASE_URL has the value {address.render_as_string(hide_password=True)!r}: {_EXPECTED}"
    if address.drivername in {"sqlite", "sqlite+pysqlite"}:
        elsewhere = (address.host, address.port, address.username, address.password, *address.query)
        if any(elsewhere) or not Path(address.database or "").is_absolute():
            raise SettingError(shown)
        return address
    if address.drivername not in {"postgresql", "postgresql+psycopg"} or not address.database:
        raise SettingError(shown)
    return address.set(drivername="postgresql+psycopg")


def _prepare_file(path: Path, name: str, *, create: bool) -> None:
    """Make the file of a SQLite database when it is missing, and keep others from reading it."""
    try:
        if not path.exists():
            if not create:
                raise StoreMissing(
                    "There is no operational database yet.", remedy="Run `medkg token create` first."
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_empty(path)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(f"{name} can't be made: the disk is full.", remedy="Make room.") from error
        raise StoreFailed(f"{name} can't be opened ({error.strerror}).", remedy=_WRITABLE) from error


def _make_empty(path: Path) -> None:
    """Make an empty file that its owner alone may read; SQLite gives the same rights to those beside it.

    The file is closed before it has its name: closing a database file drops all locks that this process has
    on it, those of another thread too (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    with TemporaryDirectory(prefix=".state-", dir=path.parent) as folder:
        empty = Path(folder) / path.name
        empty.touch(mode=0o600)
        # The mode stays with the file; to change it later, others would have to be away.
        with closing(sqlite3.connect(empty)) as made:
            made.execute("PRAGMA journal_mode=WAL").close()
        with suppress(FileExistsError):
            path.hardlink_to(empty)


def _sqlite(address: sa.URL) -> sa.Engine:
    """Return an engine whose transactions hold all statements; those of the driver leave CREATE TABLE out."""
    engine = sa.create_engine(address, hide_parameters=True, connect_args={"timeout": _WAIT_S})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        del record
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer that begins as a reader fails at once, without waiting, when another one was faster.
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(address: sa.URL) -> sa.Engine:
    if "connect_timeout" not in address.query:
        address = address.update_query_dict({"connect_timeout": str(_WAIT_S)})
    try:
        # The server may have been started again since a connection was used last.
        return sa.create_engine(address, hide_parameters=True, pool_pre_ping=True)
    except ImportError:
        raise SettingError(
            "MEDKG_DATABASE_URL names a PostgreSQL database, and its driver is not installed.",
            remedy="Run `pip install 'medkg[postgres]'`.",
        ) from None


def _fault(error: SQLAlchemyError) -> _Fault:
    """Return what is wrong with the database, from what its driver says."""
    if isinstance(error, PoolTimeout):
        return Busy, "answers too many requests at a time", "Try again."
    cause: Any = error.orig if isinstance(error, DBAPIError) else None
    code, state = getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None)
    if code is not None:
        # The low byte of an extended result code is the primary one.
        return _SQLITE_FAULTS.get(code & 0xFF, _FAILED)
    if state is not None:
        return _POSTGRESQL_FAULTS.get(state, _FAILED)
    return _SILENT if isinstance(error, OperationalError) else _FAILED
