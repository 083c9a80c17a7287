"""The nursery: a process with one thread that holds a version in memory and forks readers, which share it.

Without a version it forks readers that open a snapshot from the disk themselves.  It never opens one itself,
because the engine's threads would make the next fork unsafe; and it never reads what a stranger wrote.  It
takes commands over a socket of packets, one at a time, each with an answer:

======== ====================================== ===========================================================
``fork`` ``kind``, ``path``, reader settings    forks a reader on the descriptor that came along: its ``pid``
``load`` ``path``, ``union``                    puts a snapshot into memory: the ``quads``; with ``union``
                                                its default graph alone (see :mod:`medkg.store.source`)
``next`` ``folder``                             applies the difference that a version brought
``prepare`` ``module``, ``path``, ``version``   has a module above the store ready for errands on the version
``reap`` ``pid``                                forgets a dead reader: its ``status``
======== ====================================== ===========================================================

A process of the kind ``errand`` does what that module says, with the version in memory as its own.  A dead
reader stays a zombie until it is reaped, so that its number can't be another's when it is killed.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import pyoxigraph as ox

from medkg import children
from medkg.domain.errors import MedkgError, StoreFailed, to_wire
from medkg.store import reader
from medkg.store.advice import describes, terms
from medkg.store.counts import Counts
from medkg.store.index import Index
from medkg.store.memory import MemoryGraph
from medkg.store.source import Source
from medkg.store.wire import Channel

__all__ = ["main"]

_PACKET: Final = 65_536
_YIELD: Final = 10
"""How much reading a version into memory yields to the requests."""


def main() -> None:
    """Take commands on the descriptor that the first argument names, until it is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    children.die_with_parent(os.getppid())
    children.keep_only([control.fileno()])
    children.raise_descriptors()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Collecting would write to pages that the readers share.
    gc.disable()
    _Nursery(control).run()


class _Nursery:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._version: _Version | None = None
        self._errand: Callable[[Channel], None] | None = None
        self._pid = os.getpid()

    def run(self) -> None:
        """Obey until the service closes the socket."""
        while True:
            try:
                packet, descriptors, _, _ = socket.recv_fds(self._control, _PACKET, 1)
            except ConnectionResetError:
                return
            if not packet:
                return
            command = json.loads(packet)
            try:
                answer = self._obey(command, descriptors)
            except MedkgError as error:
                answer = to_wire(error)
            except (OSError, ValueError, MemoryError) as error:
                answer = to_wire(StoreFailed(f"The nursery failed ({error})."))
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            try:
                self._control.send(json.dumps({**answer, "id": command["id"]}).encode())
            except BrokenPipeError:
                return

    def _obey(self, command: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        match command["do"]:
            case "fork":
                return {"pid": self._fork(command, descriptors[0])}
            case "load":
                self._version = _Version(Path(command["path"]), union=command["union"])
                gc.freeze()
                return {"quads": len(self._version.store)}
            case "next":
                if self._version is None:
                    raise StoreFailed("The nursery holds no version.")
                self._version.advance(Path(command["folder"]))
                return {"resident": children.resident_bytes(self._pid)}
            case "prepare":
                if self._version is None:
                    raise StoreFailed("The nursery holds no version.")
                module = importlib.import_module(command["module"])
                graph = MemoryGraph.around(self._version.store)
                self._errand = module.prepare(graph, Path(command["path"]), command["version"])
                gc.freeze()
                return {"prepared": True}
            case "reap":
                return {"status": os.waitpid(command["pid"], 0)[1]}
            case unknown:
                raise StoreFailed(f"The nursery knows no command {unknown!r}.")

    def _fork(self, command: dict[str, Any], descriptor: int) -> int:
        if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - threads, not files
            raise StoreFailed("The nursery has more than one thread and must not fork.")
        source = Source()
        if command["kind"] == "disk":
            source = Source(path=Path(command["path"]))
        elif command["kind"] == "memory" and self._version is not None:
            source = self._version.source(Path(command["path"]))
        pid = os.fork()
        if pid:
            return pid
        try:
            children.die_with_parent(self._pid)
            children.keep_only([descriptor])
            channel = Channel(socket.socket(fileno=descriptor))
            if command["kind"] == "errand":
                self._run_errand(channel, command)
            else:
                reader.run(channel, source, command)
        finally:
            os._exit(1)

    def _run_errand(self, channel: Channel, command: dict[str, Any]) -> None:
        if self._errand is None:
            raise StoreFailed("The nursery is not prepared for errands.")
        children.filter_calls()
        children.limit_memory(command["memory"] + children.STACK)
        channel.send({"ready": True})
        children.run_deep(self._errand, channel)


class _Version:
    """A version in memory: all of it, or with *union* its default graph alone."""

    def __init__(self, path: Path, *, union: bool) -> None:
        self.store = ox.Store()
        self._union = union
        self._terms: frozenset[str] | None = self._load(path)
        self._counts = self._align(path.parent)

    def source(self, path: Path) -> Source:
        """Return what a reader answers from; *path* is the folder of the same version on the disk."""
        return Source(self.store, path if self._union else None, self._terms, self._counts)

    def advance(self, folder: Path) -> None:
        """Apply the difference in the folder of a version."""
        for quad in self._held(ox.parse(path=folder / "removed.nq")):
            self.store.remove(quad)
        self.store.extend(self._held(ox.parse(path=folder / "added.nq")))
        self._counts = self._align(folder)

    def _held(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Yield those of the quads that belong here; where the terms change, the readers collect them."""
        for quad in quads:
            if describes(quad.graph_name):
                self._terms = None
            if not self._union or isinstance(quad.graph_name, ox.DefaultGraph):
                yield quad

    def _load(self, path: Path) -> frozenset[str]:
        """Read a snapshot, which another process takes from the disk; return the terms that it describes."""
        receiving, sending = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                os.close(receiving)
                os.nice(_YIELD)
                with os.fdopen(sending, "wb") as file:
                    _send(ox.Store.read_only(str(path)), file, union=self._union)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(sending)
        with os.fdopen(receiving, "rb") as file:
            found = frozenset(json.loads(file.readline() or b"[]"))
            # Parsed without new names for blank nodes: a later difference must find them.
            self.store.bulk_extend(ox.parse(file, ox.RdfFormat.N_QUADS))
        if os.waitpid(pid, 0)[1] != 0:
            raise StoreFailed("The snapshot could not be read into memory.")
        return found

    def _align(self, folder: Path) -> Counts | None:
        """Take over the named graphs of the index, as N-Quads can't tell of empty ones; return its counts."""
        index = Index.read(folder)
        if self._union:
            return index.counts
        wanted = {ox.NamedNode(name) for name in index.graphs}
        found = {name for name in self.store.named_graphs() if isinstance(name, ox.NamedNode)}
        for name in found - wanted:
            self.store.remove_graph(name)
        for name in wanted - found:
            self.store.add_graph(name)
        return index.counts


def _send(store: ox.Store, file: IO[bytes], *, union: bool) -> None:
    file.write(json.dumps(sorted(terms(store))).encode() + b"\n")
    if union:
        store.dump(file, ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph())
    else:
        store.dump(file, ox.RdfFormat.N_QUADS)


if __name__ == "__main__":
    main()
