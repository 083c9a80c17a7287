"""A reader: a process that answers one request after the other on one version, and may be killed in any.

It is forked by the nursery and talks to the service over a socket, in frames: a request comes; a head with
the first piece of the answer goes back, then more pieces, and ``end``; or an error, at any time.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

import pyoxigraph as ox

from medkg import children
from medkg.domain.errors import MedkgError, SourceFileError, StoreFailed, to_wire
from medkg.domain.model import QueryRequest
from medkg.store import evaluate, formats, labels, policy, results
from medkg.store.advice import Advice
from medkg.store.formats import Format, by_name
from medkg.store.wire import Channel

__all__ = ["run"]

_PIECE: Final = 65_536


def run(channel: Channel, source: ox.Store | Path | None, settings: dict[str, Any]) -> None:
    """Answer until the service closes the channel, then end this process.

    *source* is an open store, the folder of one, or None for a process that only reads documents.
    *settings*: ``memory`` (bytes that it may take more), ``max_bytes``, ``max_depth``, ``union``.
    """
    children.run_deep(_loop, channel, source, settings)


def _loop(channel: Channel, source: ox.Store | Path | None, settings: dict[str, Any]) -> None:
    try:
        store = ox.Store.read_only(str(source)) if isinstance(source, Path) else source
        _wall_in(settings["memory"])
        channel.send({"ready": True})
        reader = _Reader(channel, store, settings)
        while True:
            reader.answer(*channel.receive())
    except (EOFError, OSError):
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - the service learns of it, whatever it is
        failure = error if isinstance(error, MedkgError) else StoreFailed("The graph can't be opened.")
        channel.send(to_wire(failure))
        os._exit(1)


def _wall_in(memory: int) -> None:
    children.limit_memory(memory)
    if not children.deny_sockets():
        raise StoreFailed("A reader could not be kept from opening sockets.")


class _Reader:
    def __init__(self, channel: Channel, store: ox.Store | None, settings: dict[str, Any]) -> None:
        self._channel = channel
        self._store = store
        self._advice = Advice(store) if store is not None else None
        self._limits = policy.Limits(settings["max_bytes"], settings["max_depth"])
        self._union = settings["union"]

    def answer(self, head: dict[str, Any], body: bytes) -> None:
        """Do what a request says, and send its answer or its error."""
        jobs: dict[str, Callable[[dict[str, Any], bytes], None]] = {
            "query": self._query,
            "read": self._read,
            "parse": self._parse,
        }
        try:
            jobs[head["do"]](head, body)
        except MedkgError as error:
            self._channel.send(to_wire(error))
        except (MemoryError, RecursionError):
            self._channel.send(to_wire(StoreFailed("The request needs more memory than it may take.")))
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - one request fails, the reader goes on
            failure = StoreFailed("The request could not be answered.", remedy=f"({type(error).__name__})")
            self._channel.send(to_wire(failure))

    def _query(self, head: dict[str, Any], body: bytes) -> None:
        request = QueryRequest(
            body.decode("utf-8", "surrogatepass"), tuple(head["default"]), tuple(head["named"])
        )
        outline = policy.check(request.text, self._limits, head["base"])
        store = cast("ox.Store", self._store)
        found = evaluate.evaluate(evaluate.dataset(store, request, outline), request.text, {}, head["base"])
        kind: formats.Kind = "graph" if isinstance(found, ox.QueryTriples) else "results"
        chosen = by_name(head[kind], kind) if head[kind] else formats.negotiate(head["accept"], kind)
        notes = self._advice.on(outline) if self._advice is not None else ()
        about = {"format": chosen.name, "kind": kind, "volatile": outline.volatile, "notes": notes}
        sink = _Sink(self._channel, about)
        names = None
        if head["labels"] and isinstance(found, ox.QuerySolutions):
            names = labels.from_store(store, head["labels"])
        columns = evaluate.columns(request.text, found)
        results.write(found, sink.file, chosen, labels=names, columns=columns)
        sink.finish()

    def _read(self, head: dict[str, Any], _: bytes) -> None:
        chosen: Format = by_name(head["format"], "graph")
        graph = ox.NamedNode(head["graph"]) if head["graph"] else ox.DefaultGraph()
        sink = _Sink(self._channel, {"format": chosen.name, "kind": "graph", "volatile": False})
        store = cast("ox.Store", self._store)
        results.write_quads(store.quads_for_pattern(None, None, None, graph), sink.file, chosen)
        sink.finish()

    def _parse(self, head: dict[str, Any], _: bytes) -> None:
        reading = results.RDF_FORMATS[formats.of_document(head["media_type"]).name]
        sink = _Sink(self._channel, {})
        source = _Source(self._channel)
        try:
            quads = ox.parse(
                cast("IO[bytes]", source),
                reading,
                base_iri=head["base"],
                without_named_graphs=True,
                rename_blank_nodes=True,
            )
            ox.serialize((quad.triple for quad in quads), sink.file, ox.RdfFormat.N_TRIPLES)
        except SyntaxError as error:
            raise _unreadable(error, head["media_type"]) from None
        except ValueError as error:
            raise SourceFileError(Path("document"), str(error)[:300]) from None
        if source.empty and reading is ox.RdfFormat.RDF_XML:
            raise SourceFileError(Path("document"), "The document is empty, and no XML.")
        sink.finish()


def _unreadable(error: SyntaxError, media_type: str) -> SourceFileError:
    # lineno is that of the document; the parser gives none for some errors.
    return SourceFileError(
        Path("document"),
        f"The {media_type} does not parse: {str(error.msg)[:300]}",
        line=error.lineno,
        remedy="Nothing was changed. Mend the document and send it again.",
    )


class _Source:
    """The document of a request, as a file: frames until one says ``end``."""

    def __init__(self, channel: Channel) -> None:
        self.empty = True
        self._frames = _frames(channel)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most *size* bytes, or nothing at the end."""
        if not self._rest:
            self._rest = next(self._frames, b"")
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        self.empty = self.empty and not piece
        return piece


def _frames(channel: Channel) -> Iterator[bytes]:
    while True:
        head, body = channel.receive()
        if body:
            yield body
        if head.get("end"):
            return


class _Sink:
    """Collects what the engine writes into pieces and sends them; the first one carries the head."""

    def __init__(self, channel: Channel, head: dict[str, Any]) -> None:
        self._channel = channel
        self._head = head
        self._begun = False
        self._buffer = bytearray()

    @property
    def file(self) -> IO[bytes]:
        """The sink as the file that writers want."""
        return cast("IO[bytes]", self)

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._buffer += data
        if len(self._buffer) >= _PIECE:
            self._send({})
        return len(data)

    def flush(self) -> None:
        """Do nothing; pieces go when they are full."""

    def finish(self) -> None:
        """Send what is left, and that it was the last."""
        self._send({"end": True})

    def _send(self, head: dict[str, Any]) -> None:
        if not self._begun:
            head = {"begin": True, **self._head, **head}
            self._begun = True
        self._channel.send(head, bytes(self._buffer))
        self._buffer.clear()
