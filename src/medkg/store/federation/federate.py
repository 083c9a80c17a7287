"""Answers the calls of a query or an update before it is evaluated, so that the engine calls nobody.

The text is read, and what a stranger's server answers, in processes that may die of it; here are only bytes,
sockets and the clock.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import httpx2

from medkg.domain.errors import (
    Busy,
    DeadlineExceeded,
    EndpointFailed,
    EngineCrashed,
    SourceFileError,
    TooLarge,
    UnsupportedMedia,
)
from medkg.store import documents
from medkg.store.federation.allow import AllowList
from medkg.store.federation.calls import Call, TextKind, refusal
from medkg.store.federation.fetch import Fetched, Fetcher, Resolve, Wish
from medkg.store.federation.rows import MOST_ROWS, unit
from medkg.store.peer import Peer

__all__ = ["Federation", "Means", "Request", "Text"]

_T = TypeVar("_T")

_MOST_BYTES: Final = 10_000_000
"""Bytes that one endpoint may answer with."""
_RESULTS: Final = "application/sparql-results+json"
_RESULT_TYPES: Final = frozenset({_RESULTS, "application/json"})
_GRAPHS: Final = (
    "application/n-triples, text/turtle;q=0.9, application/rdf+xml;q=0.8, application/ld+json;q=0.5"
)
_PARTIAL: Final = 206
_VIRTUOSO_MOST: Final = 1_048_576
"""Rows behind which Virtuoso stops however high its limit is set."""


class Request(Protocol):
    """What is known of a query and an update alike."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def base(self) -> str:
        """What its relative IRIs are relative to."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a request is answered with: new readers without a store, and what reads documents with them.

    *seconds* is what the request may take, *text_bytes* how long its text and *document_bytes* how long a
    document may be.
    """

    fork: Callable[[], Awaitable[Peer]]
    parse: Callable[[AsyncIterator[bytes], str, str], Awaitable[Path]]
    seconds: float
    text_bytes: int
    document_bytes: int


@dataclass(frozen=True, slots=True)
class Text:
    """A text without calls, and what else its process is told: *head* goes into the head of its frame."""

    body: bytes
    head: dict[str, Any]


class Federation:
    """Calls the endpoints that *services* allows, and fetches the documents that *loads* allows.

    At most *parallel* requests do so at a time; others wait *patience* seconds.  *resolve* looks up hosts.
    """

    def __init__(
        self,
        services: AllowList,
        loads: AllowList,
        *,
        parallel: int = 4,
        patience: float = 10.0,
        resolve: Resolve | None = None,
    ) -> None:
        self._services = services
        self._loads = loads
        self._patience = patience
        self._fetcher = Fetcher(secure=services.secure or loads.secure, resolve=resolve)
        # A text that only looks like having calls need not wait for the endpoints of others.
        self._reading = asyncio.Semaphore(parallel)
        self._calling = asyncio.Semaphore(parallel)

    async def text(self, kind: TextKind, request: Request, means: Means) -> Text:
        """Return the text of a request with what came of its calls in their place.

        :raises QueryRefused: it calls what is not listed, or in a way that is not done here.
        :raises EndpointFailed: a server did not answer as it should, and the call is not silent.
        :raises TooLarge, AnswerTooLarge, NotSupported: what it answered can't be taken.
        :raises DeadlineExceeded: it all took too long.
        :raises Busy: too many requests wait for other servers.
        """
        body = request.text.encode("utf-8", "surrogatepass")
        if not self._may_call(kind, body):
            return Text(body, {})
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(means.seconds):
                async with self._place(self._reading):
                    calls = await _find(kind, body, request.base, means)
                wishes = [wish for call in calls if (wish := self._wish(call)) is not None]
                if not wishes:
                    return Text(body, {"spent": loop.time() - started})
                async with self._place(self._calling):
                    answers = await _together([self._answer(*wish, means) for wish in wishes])
        except TimeoutError:
            raise DeadlineExceeded(
                f"The {kind} was stopped after {means.seconds:g} seconds, while it waited for other servers.",
                remedy="Ask them for less, or send the requests one by one.",
            ) from None
        edited = _edited(
            request.text, [(*wish, answer) for wish, answer in zip(wishes, answers, strict=True)]
        )
        return Text(edited, {"called": True, "max_bytes": len(edited), "spent": loop.time() - started})

    def _may_call(self, kind: TextKind, body: bytes) -> bool:
        upper = body.upper()
        return (bool(self._services) and b"SERVICE" in upper) or (
            kind == "update" and bool(self._loads) and b"LOAD" in upper
        )

    @asynccontextmanager
    async def _place(self, places: asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                await places.acquire()
        except TimeoutError:
            raise Busy("Too many requests wait for other servers.", remedy="Try again in a minute.") from None
        try:
            yield
        finally:
            places.release()

    def _wish(self, call: Call) -> tuple[Call, Wish] | None:
        """Return what a call fetches, or None for one that stays in the text.

        :raises QueryRefused: it is not listed.
        """
        listed = self._services if call.keyword == "SERVICE" else self._loads
        url = listed.address(call.iri)
        if url is None:
            if call.keyword == "LOAD" and call.silent:
                # In a process that reaches nothing it does nothing, silently.
                return None
            remedy = f"Listed are the addresses below: {listed}" if listed else "None is."
            raise refusal(call.keyword, call.line, call.column, f"<{call.iri[:300]}> is not listed", remedy)
        if call.keyword == "LOAD":
            return call, Wish(call.iri, url, _GRAPHS)
        return call, Wish(call.iri, url, _RESULTS, {"query": f"{call.query} LIMIT {MOST_ROWS + 1}"})

    async def _answer(self, call: Call, wish: Wish, means: Means) -> bytes:
        """Return what stands for a call."""
        is_load = call.keyword == "LOAD"
        try:
            async with self._fetcher.fetch(self._loads if is_load else self._services, wish) as fetched:
                return await (_triples(call, fetched, means) if is_load else _rows(call, fetched, means))
        except EndpointFailed:
            if not call.silent:
                raise
            return b"INSERT DATA {}" if is_load else unit(call.variables).encode()


async def _find(kind: TextKind, body: bytes, base: str, means: Means) -> list[Call]:
    reader = await means.fork()
    try:
        reader.send({"do": "calls", "kind": kind, "base": base, "max_bytes": means.text_bytes}, body)
        await reader.drain()
        _, found = await reader.receive()
    finally:
        reader.end()
    return [Call(**fields) for fields in json.loads(found)]


async def _rows(call: Call, fetched: Fetched, means: Means) -> bytes:
    """Return the rows of an endpoint, as a block of data."""
    headers = fetched.response.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _RESULT_TYPES:
        raise EndpointFailed(
            f"<{call.iri}> answers with {media_type[:100] or 'no media type'} instead of {_RESULTS}.",
            remedy="Look whether it is the address of a SPARQL endpoint.",
        )
    partial = fetched.response.status_code == _PARTIAL or "content-range" in headers
    if partial or "x-sql-state" in headers:
        raise EndpointFailed(f"<{call.iri}> cut its answer.", remedy="Ask it for less.")
    head = {"do": "rows", "iri": call.iri, "variables": call.variables, "most": _announced(headers)}
    found = bytearray()
    try:
        reader = await means.fork()
        await documents.pass_through(reader, head, fetched.pieces(_MOST_BYTES), found.extend)
    except EngineCrashed:
        raise EndpointFailed(f"<{call.iri}> answers with what can't be read.") from None
    return bytes(found)


def _announced(headers: httpx2.Headers) -> int:
    """Return how many rows a server sends at most, as far as that is known; 0: it is not."""
    announced = headers.get("x-sparql-maxrows", "")
    if announced.isdecimal():
        return int(announced)
    return _VIRTUOSO_MOST if "virtuoso" in headers.get("server", "").lower() else 0


async def _triples(call: Call, fetched: Fetched, means: Means) -> bytes:
    """Return the triples of a document, as an operation that writes them."""
    media_type = fetched.response.headers.get("content-type", "")
    try:
        base = str(fetched.url.copy_with(fragment=None))
        path = await means.parse(fetched.pieces(means.document_bytes), media_type, base)
    except UnsupportedMedia as error:
        raise EndpointFailed(f"<{call.iri}> can't be loaded. {error}") from None
    except SourceFileError as error:
        raise EndpointFailed(f"<{call.iri}> can't be loaded: {error.reason}") from None
    except EngineCrashed:
        raise EndpointFailed(f"<{call.iri}> sends what can't be read.") from None
    try:
        triples = await asyncio.to_thread(_read, path, means.document_bytes)
    finally:
        path.unlink(missing_ok=True)
    if triples is None:
        raise TooLarge(
            f"<{call.iri}> holds more than {means.document_bytes:,} bytes of triples, which is the limit.",
            remedy="Fetch the document yourself and send it to the graph store.",
        )
    if call.graph is None:
        return b"INSERT DATA {\n%s}" % triples
    return b"INSERT DATA { GRAPH <%s> {\n%s} }" % (call.graph.encode(), triples)


def _read(path: Path, limit: int) -> bytes | None:
    return path.read_bytes() if path.stat().st_size <= limit else None


def _edited(text: str, answered: Sequence[tuple[Call, Wish, bytes]]) -> bytes:
    """Return the text with what came of its calls in their place."""
    pieces, done = [], 0
    for call, _, answer in sorted(answered, key=lambda item: item[0].start):
        pieces += [text[done : call.start].encode(), answer]
        done = call.end
    return b" ".join((*pieces, text[done:].encode()))


async def _together(work: Sequence[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Return what all give; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(item) for item in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
