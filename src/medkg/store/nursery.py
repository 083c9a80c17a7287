"""The nursery: a process with one thread that holds a version in memory and forks readers, which share it.

Without a version it forks readers that open a snapshot from the disk themselves.  It never opens one itself,
because the engine's threads would make the next fork unsafe; and it never reads what a stranger wrote.  It
takes commands over a socket of packets, one at a time, each with an answer:

======== ====================================== ===========================================================
``fork`` ``kind``, ``path``, reader settings    forks a reader on the descriptor that came along: its ``pid``
``load`` ``path``, ``union``                    puts a snapshot into memory: the ``quads``
``next`` ``folder``                             applies the difference that a version brought
``reap`` ``pid``                                forgets a dead reader: its ``status``
======== ====================================== ===========================================================

A dead reader stays a zombie until it is reaped, so that its number can't be another's when it is killed.
"""

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import pyoxigraph as ox

from medkg import children
from medkg.domain.errors import MedkgError, StoreFailed, to_wire
from medkg.store import reader
from medkg.store.index import Index
from medkg.store.wire import Channel
from medkg.store.writer import is_public

__all__ = ["main"]

_PACKET: Final = 65_536
_YIELD: Final = 10
"""How much reading a version into memory yields to the requests."""


def main() -> None:
    """Take commands on the descriptor that the first argument names, until it is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    children.die_with_parent(os.getppid())
    children.keep_only([control.fileno()])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Collecting would write to pages that the readers share.
    gc.disable()
    _Nursery(control).run()


class _Nursery:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._store: ox.Store | None = None
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
                self._store = _load(Path(command["path"]), union=command["union"])
                gc.freeze()
                return {"quads": len(self._store)}
            case "next":
                self._apply(Path(command["folder"]))
                return {"resident": children.resident_bytes(self._pid)}
            case "reap":
                return {"status": os.waitpid(command["pid"], 0)[1]}
            case unknown:
                raise StoreFailed(f"The nursery knows no command {unknown!r}.")

    def _fork(self, command: dict[str, Any], descriptor: int) -> int:
        if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - threads, not files
            raise StoreFailed("The nursery has more than one thread and must not fork.")
        source: ox.Store | Path | None = Path(command["path"]) if command["kind"] == "disk" else None
        if command["kind"] == "memory":
            source = self._store
        pid = os.fork()
        if pid:
            return pid
        try:
            children.die_with_parent(self._pid)
            children.keep_only([descriptor])
            channel = Channel(socket.socket(fileno=descriptor))
            reader.run(channel, source, command)
        finally:
            os._exit(1)

    def _apply(self, folder: Path) -> None:
        """Apply the difference in the folder of a version, and take over its graphs, empty ones too."""
        if self._store is None:
            raise StoreFailed("The nursery holds no version.")
        for quad in ox.parse(path=folder / "removed.nq"):
            self._store.remove(quad)
        self._store.extend(ox.parse(path=folder / "added.nq"))
        _align(self._store, folder)


def _load(path: Path, *, union: bool) -> ox.Store:
    """Return a store in memory with the quads of a snapshot, which another process reads from the disk.

    With *union* the default graph is not read, but made: reading a quad takes far longer than making one.
    """
    receiving, sending = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(receiving)
            os.nice(_YIELD)
            with os.fdopen(sending, "wb") as file:
                _send(ox.Store.read_only(str(path)), file, union=union)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(sending)
    store = ox.Store()
    with os.fdopen(receiving, "rb") as file:
        # Parsed without new names for blank nodes: a later difference must find them.
        quads = ox.parse(file, ox.RdfFormat.N_QUADS)
        store.bulk_extend(_merged(quads) if union else quads)
    if os.waitpid(pid, 0)[1] != 0:
        raise StoreFailed("The snapshot could not be read into memory.")
    _align(store, path.parent)
    return store


def _send(store: ox.Store, file: IO[bytes], *, union: bool) -> None:
    if not union:
        store.dump(file, ox.RdfFormat.N_QUADS)
        return
    for name in list(store.named_graphs()):
        ox.serialize(store.quads_for_pattern(None, None, None, name), file, ox.RdfFormat.N_QUADS)


def _merged(quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
    """Yield quads, and the triples of the public graphs for the default graph."""
    public: dict[str, bool] = {}
    for quad in quads:
        yield quad
        name = quad.graph_name.value  # type: ignore[union-attr]
        if name not in public:
            public[name] = is_public(name)
        if public[name]:
            yield ox.Quad(quad.subject, quad.predicate, quad.object)


def _align(store: ox.Store, folder: Path) -> None:
    """Give a store the named graphs that the index of a version lists: N-Quads can't tell of empty ones."""
    wanted = {ox.NamedNode(name) for name in Index.read(folder).graphs}
    found = {name for name in store.named_graphs() if isinstance(name, ox.NamedNode)}
    for name in found - wanted:
        store.remove_graph(name)
    for name in wanted - found:
        store.add_graph(name)


if __name__ == "__main__":
    main()
