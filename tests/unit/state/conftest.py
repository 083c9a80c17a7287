"""Real databases for the tests of the operational state: SQLite files and a PostgreSQL server."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from medkg.state.database import Database

IN_CI = os.environ.get("CI") == "true"  # noqa: TID251 - whether a missing server is a failure
NOBODY = 65534


def _program(name: str) -> str:
    """Return the path of a program of PostgreSQL; Debian keeps those of the server off the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = shutil.which(name) or (str(installed[-1]) if installed else None)
    if path is not None:
        return path
    missing = f"{name} is missing; Debian has it in the package postgresql"
    if IN_CI:
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a database on a PostgreSQL server of its own, on a socket in a folder of its own."""
    initdb, postgres = _program("initdb"), _program("postgres")
    # It refuses to run as root.
    user: dict[str, object] = (
        {"user": NOBODY, "group": NOBODY, "extra_groups": []} if not os.geteuid() else {}
    )
    with TemporaryDirectory(prefix="medkg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            os.chown(folder, NOBODY, NOBODY)
        make = [initdb, "-D", folder / "data", "-U", "medkg", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        made = subprocess.run(make, cwd=folder, capture_output=True, text=True, check=False, **user)  # type: ignore[call-overload]
        assert made.returncode == 0, made.stderr
        start = [postgres, "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(start, cwd=folder, stdout=log, stderr=log, **user)  # type: ignore[call-overload]
        try:
            url = f"postgresql://medkg@/postgres?host={folder}"
            _wait_for(url, folder / "log")
            yield url
        finally:
            # At once: nothing of it is kept.
            process.send_signal(signal.SIGQUIT)
            process.wait(30)


def _wait_for(url: str, log: Path) -> None:
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(log.read_text())


@pytest.fixture
def postgresql(server: str) -> str:
    """The URL of an empty PostgreSQL database; a new one each time would be seven megabytes each time."""
    import psycopg

    with psycopg.connect(server) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    return server


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "var"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty database: none, which is a file, in one run of a test, a server in the other."""
    found: str | None = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return found


@pytest.fixture
def open_database(url: str | None, data_folder: Path) -> Callable[[], Database]:
    """An opener of one and the same database."""
    return lambda: Database.open(data_folder, url)


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Iterator[Database]:
    """An open, empty database of either kind."""
    with open_database() as database:
        yield database


@pytest.fixture
def drop_root() -> Iterator[Callable[[], None]]:
    """A function that takes the rights of root away: they would hide that something can't be written."""
    root = os.geteuid() == 0
    yield lambda: os.seteuid(NOBODY) if root else None
    if root:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    with TemporaryDirectory(prefix="medkg-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
