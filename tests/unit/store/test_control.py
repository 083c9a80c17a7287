"""store/control.py: one service per data folder, which lends it to commands and always takes it back."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rdflib.term import Literal, URIRef

from medkg.domain.errors import Busy, ServiceError
from medkg.domain.model import Author, QueryRequest, Role, UpdateRequest
from medkg.store.control import SOCKET, Client, Control, Tenure, borrowed, connect
from medkg.store.room import Limits, Room
from medkg.store.snapshots import Snapshots
from medkg.store.writer import candidate

pytestmark = pytest.mark.anyio

ADMIN = Author("admin", Role.ADMIN, unchecked=True)
COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH <http://example.org/graph> { ?s ?p ?o } }"
INSERT = (
    'INSERT DATA { GRAPH <http://example.org/graph> { <http://example.org/s> <http://example.org/w> "%d" } }'
)
ABOUT = {"pid": 1, "software": "9.9", "address": "http://there", "started": "now"}
DIES = """
import os, signal, sys, time
from pathlib import Path
from medkg.store.control import borrowed
from medkg.store.snapshots import Snapshots
with borrowed(Path(sys.argv[1]), "a build"), Snapshots(Path(sys.argv[1])).holding("a build"):
    print("at work", flush=True)
    sys.stdin.read()
"""


def build(root: Path, number: int) -> int:
    """Publish a version with *number* triples."""
    graph = URIRef("http://example.org/graph")
    with candidate(root) as work:
        work.remove(graph)
        work.add(
            (URIRef(f"http://example.org/s{i}"), URIRef("http://example.org/p"), Literal(f"v{i}"), graph)
            for i in range(number)
        )
        work.close()
        return work.publish().version


@asynccontextmanager
async def command_at_work(root: Path) -> AsyncIterator[subprocess.Popen[str]]:
    """A process that has borrowed the folder, until its input is closed."""
    process = subprocess.Popen(  # noqa: ASYNC220 - it takes a moment
        [sys.executable, "-c", DIES, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert await in_thread(process.stdout.readline) == "at work\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data folder with a version of three triples."""
    build(tmp_path / "var", 3)
    return tmp_path / "var"


@pytest.fixture
async def room(root: Path) -> AsyncIterator[Room]:
    """A service on the folder: it holds it, listens, and answers."""
    with Tenure(root) as tenure:
        room = Room(root, limits=Limits(update_timeout=30.0, patience=30.0))
        await room.start()
        control = Control(tenure, room, ABOUT)
        await control.start()
        yield room
        await control.close()
        await room.close()


async def in_thread(work: Callable[[], Any]) -> Any:
    """Do what waits for the service, which runs on this loop."""
    async with asyncio.timeout(60):
        return await asyncio.to_thread(work)


async def count(room: Room) -> int:
    reply = await room.query(QueryRequest(COUNT), "text/csv")
    return int((reply.body or b"").split()[1])


async def write(room: Room, number: int) -> int:
    return (await room.update(UpdateRequest(INSERT % number), ADMIN)).version


async def refused(room: Room) -> str:
    """Return why a write is refused now, or nothing."""
    try:
        await write(room, 0)
    except Busy as error:
        return str(error)
    return ""


async def until_free(room: Room) -> None:
    async with asyncio.timeout(60):
        while await refused(room):  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.05)


def conversation(root: Path) -> Client:
    client = connect(root)
    assert client is not None
    return client


def test_one_service_per_folder(root: Path) -> None:
    """A second service, and a command that finds no socket, are told who holds the folder."""
    holder = rf"in use by the service \(process {os.getpid()}\)"
    with Tenure(root):
        with pytest.raises(Busy, match=holder), Tenure(root):
            pass
        with pytest.raises(Busy, match=holder), borrowed(root, "a build"):
            build(root, 1)
    assert build(root, 1) == 2


def test_what_a_crash_left_is_removed(root: Path) -> None:
    """A service that starts removes half-made versions, the writer's store and half-read documents."""
    kept = sorted(path.name for path in root.iterdir())
    for name in ("snapshots/.tmp-1/store", "live/0/store", "spool"):
        (root / name).mkdir(parents=True)
        (root / name / "left").write_text("half")
    with Tenure(root):
        assert sorted(path.name for path in root.iterdir()) == kept
        assert [path.name for path in (root / "snapshots").iterdir()] == ["1"]
        (root / "live").mkdir()
    assert sorted(path.name for path in root.iterdir()) == kept


async def test_the_socket_is_the_owner_s_alone(root: Path, room: Room) -> None:
    """The control socket is there while the service runs, for its user only, and says who serves what."""
    del room
    mode = (root / SOCKET).stat().st_mode

    with conversation(root) as client:
        told = await in_thread(lambda: client.ask("status"))

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert told == {**ABOUT, "lent_to": ""}


async def test_the_socket_goes_with_the_service(root: Path) -> None:
    """A socket that a dead service left is replaced; at the end there is none."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(root / SOCKET))
    assert connect(root) is None
    with Tenure(root) as tenure:
        control = Control(tenure, Room(root), ABOUT)
        await control.start()
        with conversation(root) as client:
            assert (await in_thread(lambda: client.ask("status")))["software"] == "9.9"
        await control.close()
    assert not (root / SOCKET).exists()
    assert connect(root) is None


async def test_a_deep_folder_has_a_socket_too(tmp_path: Path) -> None:
    """The address of a socket is short; a folder whose path is longer is reached all the same."""
    root = tmp_path / ("d" * 100) / ("e" * 100)
    build(root, 1)
    with Tenure(root) as tenure:
        control = Control(tenure, Room(root), ABOUT)
        await control.start()
        assert stat.S_IMODE((root / SOCKET).stat().st_mode) == 0o600
        with conversation(root) as client:
            assert (await in_thread(lambda: client.ask("status")))["pid"] == 1
        await control.close()
    assert not (root / SOCKET).exists()


async def test_a_build_while_the_service_runs(root: Path, room: Room) -> None:
    """A command borrows the folder, and the version that it made is served at once."""
    assert await write(room, 1) == 2

    def command() -> tuple[bool, int]:
        with borrowed(root, "a build") as lent:
            return lent, build(root, 7)

    lent, version = await in_thread(command)

    assert (lent, version, room.version) == (True, 3, 3)
    assert await count(room) == 7
    assert await write(room, 2) == 4
    assert await count(room) == 8


async def test_writes_are_refused_while_the_folder_is_lent(root: Path, room: Room) -> None:
    """A write that comes meanwhile is not kept waiting: it is told what is at work; queries are answered."""
    with conversation(root) as client:
        await in_thread(lambda: client.ask("hold", purpose="a build"))
        assert await refused(room) == "Nothing can be written: a build is at work. Try again when it is done."
        assert await count(room) == 3
        with conversation(root) as other:
            assert (await in_thread(lambda: other.ask("status")))["lent_to"] == "a build"
            for request in ("hold", "adopt", "release"):
                with pytest.raises(Busy, match="is lent to a build"):
                    await in_thread(partial(other.ask, request))
        assert await in_thread(lambda: client.ask("release")) == {"version": 1}
        assert await write(room, 1) == 2


async def test_the_write_under_way_is_waited_for(root: Path, room: Room) -> None:
    """A write that was accepted before is finished before the folder is lent, and its version is the base."""
    writing = asyncio.create_task(write(room, 1))
    await asyncio.sleep(0)
    with conversation(root) as client:
        await in_thread(lambda: client.ask("hold", purpose="a build"))
        assert writing.done()
        assert Snapshots(root).require().version == await writing == 2


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_a_command_that_dies_gives_the_folder_back(root: Path, room: Room, end: signal.Signals) -> None:
    """When a command is killed, the service has the folder again and goes on writing."""
    async with command_at_work(root) as process:
        assert "a build is at work" in await refused(room)
        with pytest.raises(Busy, match=rf"a build \(process {process.pid}\)"), Snapshots(root).holding("x"):
            pass
        process.send_signal(end)
        await until_free(room)
    with pytest.raises(Busy, match="in use by the service"), Snapshots(root).holding("x"):
        pass
    assert await count(room) == 4


async def test_what_a_command_made_before_it_died_is_served(root: Path, room: Room) -> None:
    """A version that was published, but not announced, is taken up when the conversation ends."""
    with conversation(root) as client:
        await in_thread(lambda: client.ask("hold", purpose="a build"))
        await in_thread(lambda: build(root, 5))
        assert room.version == 1
    await until_free(room)
    assert room.version == 3
    assert await count(room) == 6


async def test_the_folder_stays_lent_when_the_service_dies(root: Path) -> None:
    """A service that starts while a command is at work for one that ended does not get the folder."""
    with Tenure(root) as tenure:
        room = Room(root)
        await room.start()
        control = Control(tenure, room, ABOUT)
        await control.start()
        async with command_at_work(root) as process:
            await control.close()
            await room.close()
            tenure.give()
            with pytest.raises(Busy, match=rf"a build \(process {process.pid}\)"), Tenure(root):
                pass
            process.communicate("")
            assert process.returncode == 0
    with Tenure(root):
        pass


@pytest.mark.parametrize(
    "line", [b"\n", b"[]\n", b"\xff\xfe\n", b"{" * 100_000, b"null\n", b'{"do"', b'"hold"\n' * 3]
)
async def test_what_is_no_request_ends_the_conversation(root: Path, room: Room, line: bytes) -> None:
    """Whatever is sent to the socket, the service goes on."""
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(60)
        stranger.connect(str(root / SOCKET))
        with suppress(OSError):
            stranger.sendall(line)
            stranger.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            assert await in_thread(lambda: stranger.recv(100)) == b""
    assert await write(room, 1) == 2


async def test_an_unknown_request_is_named(root: Path, room: Room) -> None:
    """A request that this release does not know is an error, and the conversation goes on."""
    del room
    with conversation(root) as client:
        with pytest.raises(ServiceError, match="knows no request 'dance'"):
            await in_thread(lambda: client.ask("dance"))
        assert (await in_thread(lambda: client.ask("adopt"))) == {"version": 1}


def test_a_service_that_does_not_answer(root: Path) -> None:
    """A command that waits in vain says so."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(root / SOCKET))
        mute.listen()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(root / SOCKET))
        connection.settimeout(0.2)
        with Client(connection) as client, pytest.raises(Busy, match="does not answer"):
            client.ask("status")


def test_an_error_of_the_service_is_that_of_the_command(root: Path) -> None:
    """What the service says in an error is raised where it was asked, with its kind."""
    ours, theirs = socket.socketpair()
    with theirs, Client(ours) as client:
        theirs.sendall(json.dumps({"error": "Busy", "message": "Lent.", "remedy": "Wait."}).encode() + b"\n")
        with pytest.raises(Busy, match=r"Lent\. Wait\."):
            client.ask("hold", purpose="a build")
    assert root.is_dir()
