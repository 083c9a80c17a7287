"""SPARQL servers that others wrote, on loopback, and servers that misbehave by the book."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest

from medkg.store.remote.server import Server, at

HERE = Path(__file__).resolve().parent
IN_CI = os.environ.get("CI") == "true"  # noqa: TID251 - whether a missing server may be passed over
MOST_ROWS = 1000
PATIENCE = 60.0
VIRTUOSO = """\
[Database]
DatabaseFile = {root}/virtuoso.db
ErrorLogFile = {root}/virtuoso.log
LockFile = {root}/virtuoso.lck
TransactionFile = {root}/virtuoso.trx
xa_persistent_file = {root}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {root}/temp.db
TransactionFile = {root}/temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
ServerThreads = 10
NumberOfBuffers = 2000
MaxDirtyBuffers = 1200
DirsAllowed = {root}
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = {root}
ServerThreads = 8
[SPARQL]
ResultSetMaxRows = {rows}
MaxQueryExecutionTime = 30
"""

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _missing(what: str) -> None:
    if IN_CI:
        pytest.fail(f"{what} is not installed, and CI=true")
    pytest.skip(f"{what} is not installed")


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, f"the server behind {url} ended"
        with suppress(httpx2.HTTPError):
            if httpx2.post(url, data={"query": "ASK {}"}, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"nothing answers at {url}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _fill(store_url: str, graphs: dict[str | None, bytes], auth: httpx2.Auth | None = None) -> None:
    with httpx2.Client(auth=auth, timeout=60, trust_env=False) as client:
        for name, text in graphs.items():
            params = {"default": ""} if name is None else {"graph": name}
            headers = {"Content-Type": "application/n-triples"}
            client.put(store_url, params=params, content=text, headers=headers).raise_for_status()


@pytest.fixture(scope="session")
def small() -> ox.Store:
    """The small graph, with the merge of its public graphs as the default graph."""
    store = ox.Store()
    store.load(path=HERE / "small.trig", format=ox.RdfFormat.TRIG)
    for quad in list(store):
        if isinstance(quad.graph_name, ox.NamedNode) and "/mentions/" not in quad.graph_name.value:
            store.add(ox.Quad(quad.subject, quad.predicate, quad.object))
    return store


@pytest.fixture(scope="session")
def graphs(small: ox.Store) -> dict[str | None, bytes]:
    """The graphs of the small graph, as N-Triples."""
    found: dict[str | None, bytes] = {}
    for quad in small:
        name = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else None
        found[name] = found.get(name, b"") + f"{quad.triple} .\n".encode()
    return found


@pytest.fixture(scope="session")
def crowd() -> bytes:
    """A graph with more triples than Virtuoso sends here."""
    return b"".join(
        b'<https://e.test/s%d> <https://e.test/p> "v" .\n' % number for number in range(MOST_ROWS + 500)
    )


@pytest.fixture(scope="session")
def oxigraph(
    tmp_path_factory: pytest.TempPathFactory, graphs: dict[str | None, bytes], crowd: bytes
) -> Iterator[Server]:
    """The native Oxigraph server with the small graph; queries are stopped after two seconds."""
    beside = Path(sys.executable).with_name("oxigraph")
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    if program is None:
        _missing("The Oxigraph server")
    base = f"http://127.0.0.1:{_port()}"
    folder = tmp_path_factory.mktemp("oxigraph")
    command = [str(program), "serve", "--location", str(folder), "--bind", base[7:], "--timeout-s", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(base + "/query", process)
        _fill(base + "/store", graphs | {"https://e.test/crowd": crowd})
        yield at(base + "/query")
    finally:
        _stop(process)


@pytest.fixture(scope="session")
def virtuoso(
    tmp_path_factory: pytest.TempPathFactory, graphs: dict[str | None, bytes], crowd: bytes
) -> Iterator[Server]:
    """A Virtuoso with the small graph (without the merge), which sends 1,000 rows at most."""
    program = shutil.which("virtuoso-t")
    if program is None:
        _missing("Virtuoso (the Debian package virtuoso-opensource)")
    folder = tmp_path_factory.mktemp("virtuoso")
    port = _port()
    text = VIRTUOSO.format(root=folder, sql=_port(), http=port, rows=MOST_ROWS)
    (folder / "virtuoso.ini").write_text(text, encoding="ascii")
    command = [str(program), "+foreground", "+configfile", "virtuoso.ini"]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
    base = f"127.0.0.1:{port}"
    try:
        _await(f"http://{base}/sparql", process)
        named: dict[str | None, bytes] = {name: text for name, text in graphs.items() if name is not None}
        url = f"http://{base}/sparql-graph-crud-auth"
        _fill(url, named | {"https://e.test/crowd": crowd}, httpx2.DigestAuth("dba", "dba"))
        yield at(f"http://dba:dba@{base}/sparql")
    finally:
        _stop(process)


class Liar:
    """A server whose every connection follows a script; its port is on loopback."""

    def __init__(self, script: Script) -> None:
        self.asked = threading.Event()
        self.closed = threading.Event()
        self.requests: list[bytes] = []
        self._script = script
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        ).result()
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/query"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line[15:])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            self.requests.append(head + await reader.readexactly(length))
            self.asked.set()
            await self._script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.closed.set()
        finally:
            with suppress(ConnectionError):
                writer.close()

    def stop(self) -> None:
        """Close every connection."""

        async def end() -> None:
            self._server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def lying() -> Iterator[Callable[[Script | bytes], Liar]]:
    """Start servers that follow a script, or send the same bytes to everybody."""
    started: list[Liar] = []

    def start(script: Script | bytes) -> Liar:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del reader
            writer.write(script if isinstance(script, bytes) else b"")
            await writer.drain()

        started.append(Liar(say if isinstance(script, bytes) else script))
        return started[-1]

    yield start
    for liar in started:
        liar.stop()
