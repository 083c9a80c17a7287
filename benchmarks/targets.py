"""The servers that are measured: how each is loaded, started and asked."""

import json
import secrets
import shutil
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.client import Address, ask, fetch, upload
from benchmarks.processes import Server, free_port, require, run
from benchmarks.workload import TEXTS, TextKind

__all__ = ["ENGINES", "NO_DEADLINE", "Dataset", "Engine", "Peers", "Running"]

GRAPH: Final = "https://w3id.org/medkg/graph/bench"
NO_DEADLINE: Final = 3_600
READY: Final = "ASK { ?s a <https://w3id.org/medkg/ontology#InnovationAction> }"
PEERS: Final = ("oxigraph==0.5.13", "rdflib-endpoint[cli,web]==0.6.3")
RDFLIB_VERSIONS: Final = """
from importlib.metadata import version

print(version("rdflib-endpoint"), version("rdflib"))
"""
_SETTLING_S: Final = 1_800
"""Seconds that the largest graph may take on its way into memory."""

LOAD_MEDKG: Final = """
import sys
from pathlib import Path
from rdflib.term import URIRef
from medkg.store.writer import candidate

root = Path(sys.argv[1])


def mib():
    store = next(root.glob("snapshots/*/store"))
    return sum(file.stat().st_blocks * 512 for file in store.iterdir()) / 2**20


with candidate(root) as work:
    work.load_file(Path(sys.argv[2]), URIRef(sys.argv[3]))
    work._store.optimize()
    named = mib()
    work.close()
    work._store.optimize()
    print(named, mib())
    work.publish()
"""
VIRTUOSO_INI: Final = """[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa

[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx

[Parameters]
ServerPort = 127.0.0.1:{sql}
DirsAllowed = {data}
NumberOfBuffers = 340000
MaxDirtyBuffers = 250000
MaxCheckpointRemap = 2000
CheckpointInterval = 0
ServerThreads = 40
ThreadsPerQuery = 2
AsyncQueueMaxThreads = 4
DefaultIsolation = 2
DisableTcpSocket = 0

[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = {folder}
ServerThreads = 20
MaxClientConnections = 40
KeepAliveTimeout = 60
MaxKeepAlives = 20

[SPARQL]
MaxQueryExecutionTime = {deadline}
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The files of one scale."""

    scale: str
    actions: int
    data: Path
    closure: Path
    triples: int
    added: int


class Peers:
    """The Python packages of other servers, in an environment of their own."""

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "bin"

    def program(self, name: str) -> str:
        """Return the path of a program, installing the packages first when they are missing."""
        if not (self._bin / name).is_file():
            run([sys.executable, "-m", "venv", str(self._bin.parent)])
            run([str(self._bin / "python"), "-m", "pip", "install", "--quiet", *PEERS])
        return str(self._bin / name)


@dataclass(frozen=True, slots=True)
class Running:
    """A started server, where it answers, and how long it took until it did."""

    server: Server
    address: Address
    ready_s: float


class Engine(ABC):
    """A way to serve the graph.  *folder* is where it keeps what it loaded."""

    name: str
    title: str
    texts: tuple[TextKind, ...] = TEXTS
    all_templates: bool = True
    """False: it is asked the light questions only, one at a time, and gets no mix."""
    probed: bool = True
    """Whether what wrk can't measure is measured for it."""
    keeps_results: bool = False
    """True: it is asked every question once before the loads, which are then repeats."""
    scales: tuple[str, ...] = ("small", "1m", "10m")
    store: str
    """The name of the folder; engines that share it are loaded once."""

    def __init__(self, dataset: Dataset, folder: Path, peers: Peers) -> None:
        self.dataset = dataset
        self.folder = folder / self.store
        self.peers = peers

    def prepare(self) -> dict[str, float]:
        """Load the graph unless it is there, and return the seconds that took and the MiB on disk."""
        note = self.folder / "prepared.json"
        if not note.is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            begin = time.monotonic()
            found = self.load()
            seconds = time.monotonic() - begin
            size = sum(file.stat().st_blocks * 512 for file in self.folder.rglob("*") if file.is_file())
            told = {"seconds": seconds, "disk_mib": size / 2**20, **found}
            note.write_text(json.dumps(told), encoding="utf-8")
        prepared: dict[str, float] = json.loads(note.read_text(encoding="utf-8"))
        return prepared

    def start(self, deadline: int = NO_DEADLINE) -> Running:
        """Start the server, with a deadline in seconds for each query if it knows such, and wait for it."""
        server, address = self.launch(deadline)
        return Running(server, address, server.wait(lambda: self.ready(address)))

    def ready(self, address: Address) -> bool:
        """Tell whether the server answers from the loaded graph."""
        return ask(address, READY)

    def settle(self, address: Address) -> None:  # noqa: B027 - most servers are ready at once
        """Wait until the server is as fast as it gets after a start."""

    def gauges(self, address: Address) -> dict[str, float]:
        """Return what the server counts of itself by name; most tell nothing."""
        del address
        return {}

    @abstractmethod
    def version(self) -> str:
        """Return the name and version of the software."""

    @abstractmethod
    def load(self) -> dict[str, float]:
        """Load the graph into the folder, which is empty; return what else is to be told of it."""

    @abstractmethod
    def launch(self, deadline: int) -> tuple[Server, Address]:
        """Start the server without waiting for it."""

    def server(
        self, command: list[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Server:
        """Start a process that logs into the folder above."""
        return Server(command, self.folder.parent / f"{self.name}.log", environment=environment, cwd=cwd)


class Medkg(Engine):
    """medkg whose readers share the graph in memory, without the cache of results."""

    name, store = "medkg", "medkg"
    title = "medkg, no cache"
    settings: Mapping[str, str] = {"MEDKG_RESULT_CACHE_MB": "0", "MEDKG_STORE_MEMORY_MB": "20000"}

    def version(self) -> str:
        """Return the name and version of the software."""
        return f"medkg {version('medkg')} on pyoxigraph {version('pyoxigraph')}"

    def load(self) -> dict[str, float]:
        """Load the graph; medkg computes the closure by itself."""
        told = run([sys.executable, "-c", LOAD_MEDKG, str(self.folder), str(self.dataset.data), GRAPH])
        named, merged = map(float, told.split())
        return {"named_mib": named, "merged_mib": merged}

    def launch(self, deadline: int) -> tuple[Server, Address]:
        """Start ``medkg serve``."""
        port, token = free_port(), secrets.token_urlsafe(32)
        environment = {
            "MEDKG_RATE_LIMIT": "0",
            "MEDKG_QUERY_TIMEOUT_S": str(deadline),
            "MEDKG_ADMIN_TOKEN": token,
            "MEDKG_LOG_LEVEL": "warning",
            **self.settings,
        }
        command = [
            sys.executable,
            "-m",
            "medkg",
            "serve",
            "--data-dir",
            str(self.folder),
            "--port",
            str(port),
        ]
        return self.server(command, environment), Address(
            port, "/sparql", "/update?unchecked=true", token=token
        )

    def settle(self, address: Address) -> None:
        """Wait until the version is in memory, which goes on behind the first answers."""
        if self.settings.get("MEDKG_STORE_MEMORY_MB") == "0":
            return
        ends = time.monotonic() + _SETTLING_S
        while not self.gauges(address)["medkg_in_memory"]:
            if time.monotonic() > ends:
                raise TimeoutError("The version did not get into memory.")
            time.sleep(0.5)

    def gauges(self, address: Address) -> dict[str, float]:
        """Return the plain gauges of ``/metrics``."""
        lines = _read(f"http://127.0.0.1:{address.port}/metrics").decode().splitlines()
        pairs = (line.split() for line in lines if not line.startswith("#") and "{" not in line)
        return {name: float(value) for name, value in pairs}


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        found: bytes = answer.read()
        return found


class MedkgDisk(Medkg):
    """medkg whose readers read the disk."""

    name = "medkg-disk"
    title = "medkg, on disk, no cache"
    probed = False
    settings: Mapping[str, str] = {"MEDKG_RESULT_CACHE_MB": "0", "MEDKG_STORE_MEMORY_MB": "0"}


class MedkgCached(Medkg):
    """medkg as it is when nothing is set but the memory."""

    name = "medkg-cached"
    title = "medkg, cache"
    keeps_results = True
    texts: tuple[TextKind, ...] = ("plain",)
    probed = False
    settings: Mapping[str, str] = {"MEDKG_STORE_MEMORY_MB": "20000"}


class Oxigraph(Engine):
    """The native server of Oxigraph on its RocksDB store."""

    name, store = "oxigraph", "oxigraph"
    title = "Oxigraph server, on disk"

    def version(self) -> str:
        """Return the name and version of the software."""
        return run([self.peers.program("oxigraph"), "--version"]).strip()

    def load(self) -> dict[str, float]:
        """Load both files and let the store tidy itself."""
        program, location = self.peers.program("oxigraph"), ["--location", str(self.folder / "store")]
        run(
            [
                program,
                "load",
                *location,
                "--file",
                str(self.dataset.data),
                "--file",
                str(self.dataset.closure),
            ]
        )
        run([program, "optimize", *location])
        return {}

    def launch(self, deadline: int) -> tuple[Server, Address]:
        """Start ``oxigraph serve``; its timeout costs a thread for each query, so it is not set in vain."""
        port = free_port()
        command = [self.peers.program("oxigraph"), "serve", "--bind", f"127.0.0.1:{port}", *self.place()]
        if deadline != NO_DEADLINE:
            command += ["--timeout-s", str(deadline)]
        return self.server(command), Address(port, "/query", "/update")

    def place(self) -> list[str]:
        """Return the arguments that say where the graph is."""
        return ["--location", str(self.folder / "store")]


class OxigraphMemory(Oxigraph):
    """The native server of Oxigraph with the graph in memory, loaded over HTTP at every start."""

    name, store = "oxigraph-memory", "oxigraph-memory"
    title = "Oxigraph server, in memory"

    def load(self) -> dict[str, float]:
        """Load nothing: there is no place to keep it."""
        return {}

    def place(self) -> list[str]:
        """Return no arguments: without a location the graph is in memory."""
        return []

    def start(self, deadline: int = NO_DEADLINE) -> Running:
        """Start the server and send it the graph."""
        server, address = self.launch(deadline)
        server.wait(lambda: ask(address, "ASK {}"))
        for file in (self.dataset.data, self.dataset.closure):
            answer = upload(address, "/store?default&no_transaction", file)
            if answer.status not in {200, 201, 204}:
                server.stop()
                raise SystemExit(f"Oxigraph refused {file.name}: {answer.status} {answer.body[:500]!r}")
        return Running(server, address, server.wait(lambda: self.ready(address)))


class Rdflib(Engine):
    """rdflib-endpoint on rdflib's own memory store, loaded from the files at every start."""

    name, store = "rdflib", "rdflib"
    title = "rdflib-endpoint, in memory"
    texts: tuple[TextKind, ...] = ("plain",)
    all_templates = False
    probed = False
    scales = ("small", "1m")

    def version(self) -> str:
        """Return the name and version of the software."""
        self.peers.program("rdflib-endpoint")
        found = run([self.peers.program("python"), "-c", RDFLIB_VERSIONS])
        return "rdflib-endpoint {} on rdflib {}".format(*found.split())

    def load(self) -> dict[str, float]:
        """Load nothing: there is no place to keep it."""
        return {}

    def launch(self, deadline: int) -> tuple[Server, Address]:
        """Start ``rdflib-endpoint serve``, which has no deadline."""
        del deadline
        port = free_port()
        program = self.peers.program("rdflib-endpoint")
        command = [program, "serve", "--host", "127.0.0.1", "--port", str(port)]
        files = [str(self.dataset.data), str(self.dataset.closure)]
        return self.server([*command, *files]), Address(port, "/")


class Virtuoso(Engine):
    """Virtuoso, with 2.7 GB of buffers; every query names our graph, for it holds others of its own."""

    name, store = "virtuoso", "virtuoso"
    title = "Virtuoso"

    def version(self) -> str:
        """Return the name and version of the software."""
        # The program says its version and ends with an error.
        program = require("virtuoso-t", "virtuoso-opensource")
        found = run(["/bin/sh", "-c", f"{program} -? 2>&1 || true"])
        return (
            "Virtuoso " + next(line for line in found.splitlines() if line.startswith("Version")).split()[1]
        )

    def load(self) -> dict[str, float]:
        """Start the server on an empty folder, let it load both files, and shut it down."""
        server, address, sql = self._launch(0)
        # The graph is empty yet, so any answer will do.
        server.wait(lambda: fetch(address, READY).good)
        isql = [require("isql-vt", "virtuoso-opensource"), f"127.0.0.1:{sql}", "dba", "dba"]
        names = [file.name for file in (self.dataset.data, self.dataset.closure)]
        listed = "".join(f"ld_dir('{self.dataset.data.parent}', '{name}', '{GRAPH}');" for name in names)
        try:
            run([*isql, f"exec={listed} rdf_loader_run(); checkpoint;"])
        finally:
            server.stop()
        return {}

    def launch(self, deadline: int) -> tuple[Server, Address]:
        """Start the server."""
        server, address, _ = self._launch(0 if deadline == NO_DEADLINE else deadline)
        return server, address

    def _launch(self, deadline: int) -> tuple[Server, Address, int]:
        port, sql = free_port(), free_port()
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)
        settings = VIRTUOSO_INI.format(
            folder=self.folder, data=self.dataset.data.parent, sql=sql, http=port, deadline=deadline
        )
        (self.folder / "virtuoso.ini").write_text(settings, encoding="utf-8")
        command = [require("virtuoso-t", "virtuoso-opensource"), "+foreground", "+configfile", "virtuoso.ini"]
        address = Address(port, "/sparql", extra={"default-graph-uri": GRAPH})
        return self.server(command, cwd=self.folder), address, sql


ENGINES: Final[dict[str, type[Engine]]] = {
    engine.name: engine
    for engine in (Medkg, MedkgDisk, MedkgCached, Oxigraph, OxigraphMemory, Virtuoso, Rdflib)
}
