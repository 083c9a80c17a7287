"""A reader: a process that answers one request after the other on one version, and may be killed in any.

It is forked by the nursery and talks to the service over a socket, in frames: a request comes; a head with
the first piece of the answer goes back, then more pieces, and ``end``; or an error, at any time.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, cast

import pyoxigraph as ox

from medkg import children
from medkg.domain.errors import MedkgError, SourceFileError, StoreFailed, to_wire
from medkg.domain.model import QueryRequest
from medkg.store import contexts, evaluate, formats, labels, policy, results
from medkg.store.advice import Advice
from medkg.store.bounds import Bounds, Held, Tally
from medkg.store.federation import calls, rows
from medkg.store.formats import Format, by_name
from medkg.store.pages import SharedPages
from medkg.store.plan import Planner
from medkg.store.source import Source
from medkg.store.wire import AWAKE, Channel

__all__ = ["run"]

_PIECE: Final = 65_536


def run(channel: Channel, source: Source, settings: dict[str, Any]) -> None:
    """Answer until the service closes the channel, then end this process.

    *settings*: ``memory`` (bytes that it may take more), ``max_bytes``, ``max_depth``, ``union``, ``bounds``
    (rows and bytes of an answer; none of them where there is no limit), and ``own`` (whether there is enough
    memory for all readers to have all of the version).
    """
    try:
        pages = SharedPages(wanted=bool(settings.get("own")))
        _wall_in(source, settings["memory"])
    except BaseException as error:  # noqa: BLE001 - the service learns of it, whatever it is
        failure = error if isinstance(error, MedkgError) else StoreFailed("The graph can't be opened.")
        channel.send(to_wire(failure))
        os._exit(1)
    channel.send({"ready": True})
    children.run_deep(_loop, channel, _Reader(channel, source, settings, pages), [])


def _loop(channel: Channel, reader: "_Reader", pending: list[tuple[dict[str, Any], bytes]]) -> bool:
    """Answer; return True when another thread must go on, as this one has been made to yield to others.

    What that one has to answer first is in *pending*.
    """
    priority = _priority()
    try:
        while True:
            if not pending:
                reader.pages.own(channel)
            request = pending.pop() if pending else channel.receive(reader.awake)
            if _priority() != priority:
                pending.append(request)
                return True
            reader.answer(*request)
    except (EOFError, OSError):
        return False


def _priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def _wall_in(source: Source, memory: int) -> None:
    """Shut this process in, before it has another thread: a filter holds for its thread and those after."""
    walled = children.filter_calls()
    # Where there is no filter for calls, the wall keeps files away as well.
    source.open(all_files=not walled)
    children.limit_memory(memory + children.STACK)
    if not walled and not children.deny_sockets():
        raise StoreFailed("A reader could not be kept from opening sockets.")


class _Reader:
    def __init__(
        self, channel: Channel, source: Source, settings: dict[str, Any], pages: SharedPages
    ) -> None:
        self.pages = pages
        self.awake = 0.0
        self._channel = channel
        self._source = source
        self._advice = Advice(source)
        self._planner = Planner(source)
        self._limits = policy.Limits(settings["max_bytes"], settings["max_depth"])
        self._union = settings["union"]
        self._bounds = Bounds(*settings.get("bounds", ()))

    def answer(self, head: dict[str, Any], body: bytes) -> None:
        """Do what a request says, and send its answer or its error."""
        self.awake = AWAKE if head.get("alone") else 0.0
        jobs: dict[str, Callable[[dict[str, Any], bytes], None]] = {
            "query": self._query,
            "read": self._read,
            "dump": self._dump,
            "parse": self._parse,
            "calls": self._calls,
            "rows": self._rows,
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
        limits = self._limits
        if "max_bytes" in head:
            # With what other servers have answered in it, a text may be longer than that of a client.
            limits = replace(limits, max_bytes=head["max_bytes"])
        outline = policy.check(request.text, limits, head["base"])
        found = self._planner.evaluate(request, outline, head["base"])
        kind: formats.Kind = "graph" if isinstance(found, ox.QueryTriples) else "results"
        chosen = by_name(head[kind], kind) if head[kind] else formats.negotiate(head["accept"], kind)
        called = bool(head.get("called"))
        notes = () if called else self._advice.on(outline)
        volatile = outline.volatile or called
        about = {"format": chosen.name, "kind": kind, "volatile": volatile, "notes": notes}
        names = None
        if head["labels"] and isinstance(found, ox.QuerySolutions):
            names = labels.from_store(self._source.default, head["labels"])
        columns = evaluate.columns(request.text, found)

        def write(file: IO[bytes], tally: Tally) -> None:
            results.write(found, file, chosen, labels=names, columns=columns, tally=tally)

        self._send(head, about, write)

    def _calls(self, head: dict[str, Any], body: bytes) -> None:
        self._channel.send({"end": True}, calls.find(head, body, self._limits, union=self._union))

    def _rows(self, head: dict[str, Any], _: bytes) -> None:
        sink = _Sink(self._channel, {})
        rows.write(head, cast("IO[bytes]", _Source(self._channel)), sink.file)
        sink.finish()

    def _read(self, head: dict[str, Any], _: bytes) -> None:
        chosen: Format = by_name(head["format"], "graph")
        graph = ox.NamedNode(head["graph"]) if head["graph"] else ox.DefaultGraph()
        self._send_quads(head, chosen, self._graph(graph))

    def _dump(self, head: dict[str, Any], _: bytes) -> None:
        graphs: list[Any] = sorted(self._source.whole.named_graphs(), key=str)
        if not self._union:
            graphs.insert(0, ox.DefaultGraph())
        quads = chain.from_iterable(map(self._graph, graphs))
        self._send_quads(head, by_name(head["format"], "dataset"), quads)

    def _graph(self, name: ox.NamedNode | ox.BlankNode | ox.DefaultGraph) -> Iterator[ox.Quad]:
        store = self._source.default if isinstance(name, ox.DefaultGraph) else self._source.whole
        return store.quads_for_pattern(None, None, None, name)

    def _send_quads(self, head: dict[str, Any], chosen: Format, quads: Iterator[ox.Quad]) -> None:
        about = {"format": chosen.name, "kind": chosen.kind, "volatile": False}
        self._send(head, about, lambda file, tally: results.write_quads(quads, file, chosen, tally))

    def _send(
        self, head: dict[str, Any], about: dict[str, Any], write: Callable[[IO[bytes], Tally], None]
    ) -> None:
        """Send what *write* writes, within the bounds; only its beginning when no more is wanted."""
        sink = _Sink(self._channel, about, peek=bool(head.get("peek")))
        with suppress(_Enough), Held(sink.file, self._bounds.size) as held:
            write(held.file, Tally(self._bounds.rows))
            held.let_go()
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
            raise _unreadable(error, head["media_type"], source.start) from None
        except ValueError as error:
            raise SourceFileError(Path("document"), str(error)[:300]) from None
        if source.empty and reading is ox.RdfFormat.RDF_XML:
            raise SourceFileError(Path("document"), "The document is empty, and no XML.")
        sink.finish()


def _unreadable(error: SyntaxError, media_type: str, start: bytes) -> SourceFileError:
    if contexts.is_missing(error):
        return contexts.not_fetched(start)
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
        self.start = b""
        self._frames = _frames(channel)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most *size* bytes, or nothing at the end."""
        if not self._rest:
            self._rest = next(self._frames, b"")
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        self.empty = self.empty and not piece
        self.start += piece[: contexts.START - len(self.start)]
        return piece


def _frames(channel: Channel) -> Iterator[bytes]:
    while True:
        head, body = channel.receive()
        if body:
            yield body
        if head.get("end"):
            return


class _Enough(Exception):
    """Raised inside the engine's write call when the beginning of an answer was all that was asked for."""


class _Sink:
    """Collects what the engine writes into pieces and sends them; the first one carries the head.

    With *peek* an answer of several pieces ends before the first of them, which is then ``cut``.
    """

    def __init__(self, channel: Channel, head: dict[str, Any], *, peek: bool = False) -> None:
        self._channel = channel
        self._head = head
        self._peek = peek
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
            self._next()
        return len(data)

    def flush(self) -> None:
        """Do nothing; pieces go when they are full."""

    def finish(self) -> None:
        """Send what is left, and that it was the last."""
        self._send({"end": True})

    def _next(self) -> None:
        if self._peek:
            self._buffer.clear()
            self._send({"end": True, "cut": True})
            raise _Enough
        self._send({})

    def _send(self, head: dict[str, Any]) -> None:
        if not self._begun:
            head = {"begin": True, **self._head, **head}
            self._begun = True
        self._channel.send(head, bytes(self._buffer))
        self._buffer.clear()
