"""The endpoint port on another SPARQL server, for strangers: deadlines, back-pressure, and whole answers.

The event loop moves the bytes; a thread for each answer reads and writes them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import httpx2
import pyoxigraph as ox

from medkg.domain.errors import Busy, Conflict, MedkgError, NotFound
from medkg.domain.model import Author, Commit, GraphState, GraphWrite, QueryRequest, UpdateRequest
from medkg.store import labels, policy
from medkg.store.bounds import NONE, Bounds, Held, Tally
from medkg.store.engine import Reply
from medkg.store.formats import Format, negotiate
from medkg.store.remote import answers, queries
from medkg.store.remote.answers import Source
from medkg.store.remote.exchange import Clock, Exchange, Line
from medkg.store.remote.queries import Prepared
from medkg.store.remote.server import Call, Server, graph_url, lacking, query_call, refusal, update_call
from medkg.store.streaming import Chunks, Pipe, stream

__all__ = ["PARALLEL", "Parse", "RemoteEndpoint"]

Parse = Callable[[AsyncIterator[bytes], str, str], Awaitable[Path]]
"""Reads a document (its bytes, media type and base) and returns a file of N-Triples."""

_T = TypeVar("_T")

PARALLEL: Final = 16
"""Requests that run at a time, unless another number is given."""

_FRESH: Final = 60.0
"""Seconds for which the list of graphs is taken to be right."""
_PIECE: Final = 65_536
_OPEN: Final = frozenset({400, 401, 403, 405})
"""Statuses of an address that is there, though it does not take a HEAD from us."""


class RemoteEndpoint:
    """Passes requests on to another SPARQL server, *parallel* at a time; the others wait *patience* seconds.

    *timeout* and *update_timeout* are the seconds that a request may wait for the server; the time in which a
    client takes nothing does not count.  The version is the second in which this was made, and grows with
    each write; the server may change without it, so no answer is to be kept.  With *union* the operator sees
    to it that the default graph is the merge.  *parse* reads documents, in a process that may die of them.
    *bounds* are for the answers, which are counted where they are written anew.
    """

    def __init__(  # noqa: PLR0913 - each is a limit or a wish of its own
        self,
        server: Server,
        *,
        limits: policy.Limits | None = None,
        union: bool = True,
        timeout: float = 30.0,
        update_timeout: float = 60.0,
        parallel: int = PARALLEL,
        patience: float = 10.0,
        parse: Parse | None = None,
        bounds: Bounds = NONE,
    ) -> None:
        self.union = union
        self._server = server
        self._limits = limits or policy.Limits()
        self._timeout = timeout
        self._update_timeout = update_timeout
        self._patience = patience
        self._parse = parse
        self._bounds = bounds
        self._version = int(time.time())
        self._parallel = parallel
        self._places = asyncio.Semaphore(parallel)
        self._threads = ThreadPoolExecutor(parallel + 1, thread_name_prefix="medkg-remote")
        self._line = Line(server, parallel)
        self._open: set[Exchange] = set()
        self._locating = asyncio.Lock()
        self._located = False
        self._named: tuple[float, tuple[str, ...]] = (-_FRESH, ())
        self._asked = self._failed = 0

    @property
    def version(self) -> int:
        """The number of the current version: the second of the start, and one more for each write."""
        return self._version

    async def start(self) -> None:
        """Do nothing: the server is called when there is something to ask."""

    async def close(self) -> None:
        """Stop what runs, and close the connections."""
        for exchange in tuple(self._open):
            await exchange.close()
        await self._line.close()
        await asyncio.to_thread(self._threads.shutdown)

    def kept(self, request: QueryRequest, accept: str) -> None:
        """See :meth:`medkg.store.engine.Endpoint.kept`: who changes another server is not known here."""

    async def query(self, request: QueryRequest, accept: str, *, peek: bool = False) -> Reply:
        """See :meth:`medkg.store.engine.Endpoint.query`."""
        outline = await self._run(policy.check, request.text, self._limits)
        prepared = queries.prepare(request.text, request.bindings)
        kind = answers.kind_of(prepared.form)
        chosen = negotiate(accept, kind)
        default, named = request.default_graphs, request.named_graphs
        if not default and not named and not outline.has_dataset:
            default, named = await self._dataset(prepared.text)
        call = query_call(self._server, prepared.text, answers.ACCEPT[kind], default, named)
        languages = request.labels if prepared.form == "select" else ()
        return await self._reply(call, prepared, chosen, languages, peek=peek)

    async def update(self, request: UpdateRequest, author: Author, key: str = "") -> Commit:
        """See :meth:`medkg.store.engine.Endpoint.update`.

        The graphs that it changed are those that its text names.

        :raises NotSupported: it has a key, or is to be validated; the server can do neither.
        :raises StoreFailed: the server did not say whether it was done.
        """
        _writable(author, key)
        outline = await self._run(policy.check_update, request.text, self._limits)
        if self.union and outline.writes_default:
            raise _merged()
        text, shift = queries.prepare_update(request.text)
        await self._locate()
        using, named = request.using_graphs, request.using_named_graphs
        if not using and not named and not outline.has_with and not outline.reads_using:
            using, named = await self._dataset(text)
        response = await self._change(update_call(self._server, text, using, named))
        if not response.is_success:
            raise refusal(response, response.text, shift=shift)
        return self._committed(tuple(sorted(outline.touched or ())))

    async def write(self, change: GraphWrite, author: Author, key: str = "") -> Commit:
        """See :meth:`medkg.store.engine.Endpoint.write`.

        :raises NotSupported: it has a key, a condition, or is to be validated; or there is no graph store.
        :raises StoreFailed: the server did not say whether it was done.
        """
        _writable(author, key)
        if change.expected is not None or change.unexpected is not None:
            raise lacking("conditional writes", "Write without If-Match and If-None-Match.")
        if self.union and change.graph is None:
            raise _merged()
        await self._locate()
        if not self._server.graph_store_url:
            raise lacking("graph store", "Send an update.")
        headers = {} if change.triples is None else {"Content-Type": "application/n-triples"}
        if change.triples is not None:
            headers["Content-Length"] = str(change.triples.stat().st_size)
        content = None if change.triples is None else _File(change.triples)
        url = graph_url(self._server, change.graph)
        response = await self._change(Call(change.action.upper(), url, headers, content=content))
        if change.action == "delete" and response.status_code == httpx2.codes.NOT_FOUND:
            raise NotFound(f"There is no graph {change.graph}.")
        if not response.is_success:
            raise refusal(response, response.text)
        created = response.status_code == httpx2.codes.CREATED
        return self._committed((change.graph,) if change.graph is not None else (), created=created)

    async def parse(self, body: AsyncIterator[bytes], media_type: str, base: str) -> Path:
        """See :meth:`medkg.store.engine.Endpoint.parse`.

        :raises NotSupported: nothing was given to read documents.
        """
        if self._parse is None:
            raise lacking("documents")
        return await self._parse(body, media_type, base)

    async def read(self, graph: str | None, accept: str, *, peek: bool = False) -> Reply:
        """See :meth:`medkg.store.engine.Endpoint.read`; a graph without triples is taken for none."""
        chosen = negotiate(accept, "graph")
        prepared = queries.construct(graph)
        default: tuple[str, ...] = ()
        if graph is None:
            default, _ = await self._dataset("")
        elif not await self._rows(queries.some(graph)):
            raise NotFound(f"There is no graph {graph}.", remedy="The list of graphs names those there are.")
        call = query_call(self._server, prepared.text, answers.ACCEPT["graph"], default)
        return await self._reply(call, prepared, chosen, (), peek=peek)

    async def dump(self, accept: str, *, peek: bool = False) -> Reply:
        """See :meth:`medkg.store.engine.Endpoint.dump`; what stands for the default graph has no name."""
        chosen = negotiate(accept, "dataset")
        text = queries.dataset(plain=not self.union)
        call = query_call(self._server, text, answers.ACCEPT["results"], *await self._dataset(text))
        return await self._reply(call, Prepared("select", text), chosen, (), peek=peek)

    async def graphs(self) -> Mapping[str, GraphState]:
        """See :meth:`medkg.store.engine.Endpoint.graphs`; when a graph was changed is not known."""
        found: dict[str, GraphState] = {}
        for graph, number in await self._rows(queries.COUNTS):
            if isinstance(graph, ox.NamedNode) and isinstance(number, ox.Literal):
                found[graph.value] = GraphState(int(number.value), self._version)
        return found

    def counts(self) -> None:
        """Return None: to count on another server would be a walk through its graph."""

    def status(self) -> Mapping[str, float]:
        """Return how many requests run, were asked and failed."""
        return {"running": len(self._open), "asked": self._asked, "failed": self._failed}

    async def _reply(
        self, call: Call, prepared: Prepared, chosen: Format, languages: Sequence[str], *, peek: bool
    ) -> Reply:
        """Send a query; return its whole answer when it is small, else its first pieces."""
        exchange = await self._exchange(call, prepared)
        try:
            await exchange.open()
            columns = labels.Labels(self._look_up(exchange, languages)) if languages else None

            def produce(pipe: Pipe[Format]) -> None:
                source = Source(exchange.pull, exchange.inspection)
                tally = Tally(self._bounds.rows)
                with Held(pipe.begin(chosen), self._bounds.size) as held:
                    answers.write(source, prepared.form, held.file, chosen, columns=columns, tally=tally)
                    held.let_go()

            _, chunks = await self._run(stream, produce)
            first = await self._run(next, chunks, b"")
            second = await self._run(next, chunks, b"") if first else b""
        except BaseException as error:
            self._failed += isinstance(error, Exception)
            await exchange.close()
            raise
        if second and not peek:
            body = _Body((first, second), chunks, exchange, self._run)
            return Reply(chosen, self._version, None, body, volatile=True)
        chunks.close()
        await exchange.close()
        return Reply(chosen, self._version, None if second else first, volatile=True)

    async def _exchange(self, call: Call, prepared: Prepared) -> Exchange:
        """Wait for a place and return an exchange that holds it until it is closed."""
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise Busy("Too many queries are running.", remedy="Try again in a few seconds.") from None
        self._asked += 1
        exchange = Exchange(self._line, call, prepared, Clock(self._timeout), ended=self._ended)
        self._open.add(exchange)
        return exchange

    def _ended(self, exchange: Exchange) -> None:
        self._open.discard(exchange)
        self._places.release()

    async def _rows(self, text: str) -> list[Sequence[labels.Term | None]]:
        """Return the rows of a SELECT of our own."""
        call = query_call(self._server, text, answers.ACCEPT["results"])
        exchange = await self._exchange(call, Prepared("select", text))
        try:
            await exchange.open()
            source = Source(exchange.pull, exchange.inspection)
            return await self._run(lambda: list(answers.rows(source)))
        finally:
            await exchange.close()

    def _look_up(self, exchange: Exchange, languages: Sequence[str]) -> labels.LookUp:
        """Return what looks up labels, in the thread that writes the answer of *exchange*."""

        def look_up(terms: Sequence[ox.NamedNode]) -> Mapping[ox.NamedNode, ox.Literal]:
            text = queries.labels(terms)
            default = () if self._server.default_graph is None else (self._server.default_graph,)
            call = query_call(self._server, text, answers.ACCEPT["results"], default)
            with exchange.beside(call, Prepared("select", text)) as source:
                return answers.chosen_labels(answers.rows(source), languages)

        return look_up

    async def _dataset(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the dataset of a query that names none; see :class:`Server`."""
        default = self._server.default_graph
        if default is None:
            return (), ()
        if "GRAPH" not in text.upper():
            return (default,), ()
        made, named = self._named
        if time.monotonic() - made > _FRESH:
            named = answers.names(await self._rows(queries.GRAPHS))
            self._named = (time.monotonic(), named)
        return (default,), tuple(name for name in named if name != default)

    async def _locate(self) -> None:
        """Find the addresses for updates and graphs that were not given, beside that for queries."""
        async with self._locating:
            server = self._server
            if self._located or (server.update_url and server.graph_store_url):
                return
            found = ("", "")
            for update, store in server.neighbours if not server.graph_store_url else ():
                response = await self._line.whole(Call("HEAD", store, {}), Clock(self._timeout))
                if response.is_success or response.status_code in _OPEN:
                    found = (update, store)
                    break
            beside = found[0] or (server.neighbours[0][0] if server.neighbours else server.query_url)
            self._server = replace(
                server,
                update_url=server.update_url or beside,
                graph_store_url=server.graph_store_url or found[1],
            )
            self._located = True

    async def _change(self, call: Call) -> httpx2.Response:
        try:
            return await self._line.whole(call, Clock(self._update_timeout), certain=True)
        except MedkgError:
            self._failed += 1
            raise

    def _committed(self, changed: tuple[str, ...], *, created: bool = False) -> Commit:
        self._version += 1
        self._named = (-_FRESH, ())
        return Commit(self._version, changed, created)

    async def _run(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


class _Body:
    """The pieces of an answer that is not small; see :class:`medkg.store.engine.AsyncChunks`."""

    def __init__(
        self,
        held: tuple[bytes, bytes],
        chunks: Chunks[Format],
        exchange: Exchange,
        run: Callable[..., Awaitable[bytes]],
    ) -> None:
        self._held = list(held)
        self._chunks = chunks
        self._exchange = exchange
        self._run = run

    def __aiter__(self) -> "_Body":
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = self._held.pop(0) if self._held else await self._run(next, self._chunks, b"")
        except BaseException:
            await self.aclose()
            raise
        if not piece:
            await self.aclose()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Stop the exchange; nothing more comes."""
        self._held.clear()
        self._chunks.close()
        await self._exchange.close()


class _File:
    """The bytes of a file, as often as they are needed: a server may want them again with credentials."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece


def _merged() -> Conflict:
    return Conflict("The default graph is the merge of the others.", remedy="Name a graph.")


def _writable(author: Author, key: str) -> None:
    if key:
        raise lacking("idempotency keys", "Write without a key.")
    if not author.unchecked:
        raise lacking("validation", "An administrator can write unchecked.")
