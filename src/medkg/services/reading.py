"""Reads what strangers send, in processes that may die of it; each reads one document.

The process says when it is ready, takes the names that tables are looked up by, then a document, and answers
with the submission as JSON.  What it may take of memory and time is limited by the system.
"""

import asyncio
import json
import logging
import os
import resource
import socket
import subprocess
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import partial
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg import children
from medkg.domain.errors import DeadlineExceeded, EngineCrashed, MedkgError, TooLarge, from_wire, to_wire
from medkg.domain.model import Place, Term
from medkg.domain.submission import Flaw, Statement, Submission
from medkg.intake.rdf import Limits, read_rdf, recognise
from medkg.intake.tables import CSV, XLSX, Names, TableLimits, read_csv, read_xlsx
from medkg.store.peer import Peer, connect
from medkg.store.wire import Channel

__all__ = ["Document", "Reading", "from_json", "main", "read", "to_json"]

_MEMORY: Final = 1_610_612_736
"""Bytes that reading one document may take."""
_SECONDS: Final = 30
"""Seconds of a processor that reading one document may take."""
_FIELDS: Final = tuple(item.name for item in fields(Place))
_PATIENCE: Final = 60.0
"""Seconds after which it is given up, however busy the machine is."""


@dataclass(frozen=True, slots=True)
class Document:
    """Some bytes, what they are said to be, the name of their file, and what its records may be called."""

    data: bytes
    declared: str | None = None
    file: str = ""
    namespace: str = ""


def read(document: Document, names: Names) -> Submission:
    """Return what a document says, whatever it is; in the process that calls."""
    recognised = recognise(document.data, document.declared, document.file or None)
    kind, first = recognised.media_type, recognised.flaws
    if kind is None:
        return Submission("", flaws=first)
    if kind in {CSV, XLSX}:
        reader = read_csv if kind == CSV else read_xlsx
        namespace = document.namespace + "action/"
        found = reader(document.data, names=names, namespace=namespace, limits=TableLimits())
    else:
        found = read_rdf(document.data, kind, limits=Limits())
    return Submission(found.media_type, found.statements, found.records, (*first, *found.flaws))


class Reading:
    """Has documents read; one process is always ready for the next.

    *names* is what tables are looked up by, as JSON; it is asked for when a process starts.
    """

    def __init__(self, names: str) -> None:
        self._names = names
        self._next: asyncio.Task[Peer] | None = None

    async def read(self, document: Document) -> Submission:
        """Return what a document says; see :meth:`read_json`."""
        return await asyncio.to_thread(from_json, await self.read_json(document))

    async def read_json(self, document: Document) -> bytes:
        """Return what a document says as JSON, for another process; see :meth:`warm` for the next document.

        :raises TooLarge: it ended the process that read it, or took more memory than it may.
        :raises DeadlineExceeded: it took too long.
        """
        peer = await self._taken()
        head = {"declared": document.declared, "file": document.file, "namespace": document.namespace}
        try:
            async with asyncio.timeout(_PATIENCE):
                peer.send(head, document.data)
                await peer.drain()
                found, body = await peer.receive()
        except TimeoutError:
            raise DeadlineExceeded(
                "The document could not be read in time.", remedy="Send a smaller one."
            ) from None
        except (EngineCrashed, EOFError, ConnectionError):
            raise TooLarge(
                "The document ended the process that read it: it is too large, or nested too deeply.",
                remedy="Send it in parts.",
            ) from None
        finally:
            peer.end()
        if "error" in found:
            raise from_wire(found)
        return body

    def warm(self) -> None:
        """Have a process started for the next document, if there is none."""
        self._next = self._next or asyncio.create_task(self._start())

    async def close(self) -> None:
        """End the process that is ready."""
        if self._next is not None:
            (await self._taken()).end()

    async def _taken(self) -> Peer:
        task, self._next = self._next, None
        if task is not None:
            with suppress(MedkgError):
                peer = await task
                if not peer.over:
                    return peer
        # There was none, or it died while it waited for a document: that says nothing about this one.
        return await self._start()

    async def _start(self) -> Peer:
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            process = children.spawn(__name__, str(number), pass_fds=[number])
        peer = await connect(ours)
        peer.pid = process.pid
        peer.on_lost.append(partial(_bury, process))
        try:
            peer.send({}, self._names.encode())
            await peer.drain()
            await peer.receive()
        except BaseException:
            peer.end()
            raise
        return peer


def _bury(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that is gone, beside the event loop."""
    asyncio.get_running_loop().run_in_executor(None, process.wait)


def to_json(submission: Submission) -> bytes:
    """Return a submission as JSON, for another process; see :func:`from_json`."""
    records = [[_term(subject), _place(place)] for subject, place in submission.records.items()]
    statements = [
        [_term(item.subject), str(item.predicate), _term(item.object), _place(item.place)]
        for item in submission.statements
    ]
    flaws = [[flaw.code, _place(flaw.place), dict(flaw.values), flaw.focus] for flaw in submission.flaws]
    found = {"type": submission.media_type, "records": records, "statements": statements, "flaws": flaws}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def from_json(text: bytes) -> Submission:
    """Return the submission that :func:`to_json` wrote."""
    found = json.loads(text.decode("utf-8", "surrogatepass"))
    return Submission(
        found["type"],
        tuple(
            Statement(_node(subject), URIRef(predicate), _read_term(value), Place(*place))
            for subject, predicate, value, place in found["statements"]
        ),
        {_node(subject): Place(*place) for subject, place in found["records"]},
        tuple(Flaw(code, Place(*place), values, focus) for code, place, values, focus in found["flaws"]),
    )


def _place(place: Place) -> list[str | int]:
    values = [getattr(place, name) for name in _FIELDS]
    while values and not values[-1]:
        values.pop()
    return values


def _term(term: Term) -> list[str | None]:
    if isinstance(term, Literal):
        return ["l", str(term), term.language, None if term.datatype is None else str(term.datatype)]
    return ["b" if isinstance(term, BNode) else "i", str(term)]


def _read_term(parts: list[str]) -> Term:
    if parts[0] == "l":
        _, text, language, datatype = parts
        return Literal(text, lang=language, datatype=datatype and URIRef(datatype), normalize=False)
    return _node(parts)


def _node(parts: list[str]) -> URIRef | BNode:
    return BNode(parts[1]) if parts[0] == "b" else URIRef(parts[1])


def main() -> None:
    """Read the document that comes on the descriptor in the first argument, and answer there."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    children.die_with_parent(os.getppid())
    # rdflib warns of literals that are no valid form of their type; the report is what says so.
    warnings.simplefilter("ignore")
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)
    _, names = channel.receive()
    known = Names.from_json(names.decode()) if names else Names()
    children.filter_calls()
    channel.send({"ready": True})
    head, data = channel.receive()
    children.limit_memory(_MEMORY)
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        found = read(Document(data, head["declared"], head["file"], head["namespace"]), known)
    except MemoryError:
        channel.send(
            to_wire(TooLarge("The document needs more memory than it may take.", remedy="Send it in parts."))
        )
    except MedkgError as error:
        channel.send(to_wire(error))
    else:
        channel.send({"ok": True}, to_json(found))


if __name__ == "__main__":
    main()
