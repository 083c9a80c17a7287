"""One request to another server and its answer, between the event loop that reads and a thread that works."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Final, TypeVar

import httpx2

from medkg.domain.errors import DeadlineExceeded, StoreFailed
from medkg.store.remote import answers
from medkg.store.remote.answers import Inspection, Source
from medkg.store.remote.queries import Prepared
from medkg.store.remote.server import HOPS, REDIRECTS, Call, Server, broken, redirected, refusal, silent

__all__ = ["Clock", "Exchange", "Line"]

_T = TypeVar("_T")

_CONNECT: Final = 5.0
_ERROR_BYTES: Final = 65_536
_PIECE: Final = 65_536
"""Bytes that are taken together; some servers send a thousand at a time."""
_UNKNOWN: Final = "The SPARQL server did not say whether the change was made."
_LOOK: Final = "Look at the graph before you send it again."


class Clock:
    """The seconds that one request may still wait for the server."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Count the time inside.

        :raises DeadlineExceeded: there is none left.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(max(self._left, 0)):
                yield
        except TimeoutError:
            raise DeadlineExceeded(
                f"The query was stopped after {self._seconds:g} seconds.", remedy="Ask for less at a time."
            ) from None
        finally:
            self._left -= loop.time() - started


class Line:
    """The connections to a server."""

    def __init__(self, server: Server, parallel: int) -> None:
        # Each running query may look up labels, or compare its rows, beside it.
        limits = httpx2.Limits(max_connections=2 * parallel + 2, max_keepalive_connections=parallel)
        self._client = httpx2.AsyncClient(
            auth=server.auth,
            verify=server.certificates,
            timeout=httpx2.Timeout(None, connect=_CONNECT, pool=_CONNECT),
            limits=limits,
            trust_env=False,
        )

    async def send(self, call: Call, clock: Clock) -> httpx2.Response:
        """Return the response, whose body is still to come; redirects are followed on the same host.

        :raises DeadlineExceeded, StoreFailed: there is none.
        """
        url = call.url
        hops = 0
        while True:
            try:
                async with clock.running():
                    response = await self._client.send(call.build(self._client, url), stream=True)
            except httpx2.HTTPError as error:
                raise silent(error) from error
            if response.status_code not in REDIRECTS or hops == HOPS:
                return response
            hops += 1
            await response.aclose()
            url = redirected(url, response.headers.get("location", ""))

    async def whole(self, call: Call, clock: Clock, *, certain: bool = False) -> httpx2.Response:
        """Return a response with the start of its body.

        With *certain* the request changes something: without a response it must not be taken for not done.

        :raises StoreFailed: the server does not answer, or did not say whether the change was made.
        """
        try:
            response = await self.send(call, clock)
        except DeadlineExceeded:
            if certain:
                raise StoreFailed(_UNKNOWN, remedy=_LOOK) from None
            raise
        except StoreFailed as error:
            if certain and not isinstance(
                error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | None
            ):
                raise StoreFailed(_UNKNOWN, remedy=_LOOK) from None
            raise
        return await started(response, clock)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def started(response: httpx2.Response, clock: Clock) -> httpx2.Response:
    """Return the response with the start of its body, and close its connection."""
    text = b""
    try:
        async with clock.running():
            async for piece in response.aiter_raw():
                text += piece
                if len(text) >= _ERROR_BYTES:
                    break
    except (httpx2.HTTPError, DeadlineExceeded):
        pass
    finally:
        await response.aclose()
    headers = {name: value for name, value in response.headers.items() if name in {"location", "server"}}
    return httpx2.Response(response.status_code, headers=headers, content=text[:_ERROR_BYTES])


class Exchange:
    """A query that is sent, and its answer; *ended* is told once when it is closed."""

    def __init__(  # noqa: PLR0913 - the last two are for exchanges that others start
        self,
        line: Line,
        call: Call,
        prepared: Prepared,
        clock: Clock,
        *,
        ended: Callable[["Exchange"], None] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._line = line
        self._call = call
        self._prepared = prepared
        self._clock = clock
        self._ended = ended
        self._loop = loop or asyncio.get_running_loop()
        self._response: httpx2.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._task: asyncio.Task[object] | None = None
        self._beside: Exchange | None = None
        self._closed = False
        self._inspection: Inspection | None = None

    @property
    def inspection(self) -> Inspection:
        """What watches over the answer, once it is open."""
        if self._inspection is None:
            raise TypeError("not open")
        return self._inspection

    async def open(self) -> None:
        """Send the query and look at the head of its answer.

        :raises MedkgError: the server refuses, or does not answer in time.
        """
        response = self._response = await self._line.send(self._call, self._clock)
        if not response.is_success:
            response = await started(response, self._clock)
            raise refusal(response, response.text, shift=self._prepared.shift)
        kind = answers.kind_of(self._prepared.form)
        self._inspection = Inspection(response.status_code, response.headers, kind, self._prepared.limit)
        self._pieces = response.aiter_raw(_PIECE)

    def pull(self) -> bytes:
        """Return the next bytes, in a thread; b"" at the end.

        :raises MedkgError: the answer is cut, or does not come in time.
        """
        return self._wait(self._next)

    @contextmanager
    def beside(self, call: Call, prepared: Prepared) -> Iterator[Source]:
        """Send another query while this one goes on, in a thread; its time is the same."""
        other = Exchange(self._line, call, prepared, self._clock, loop=self._loop)
        self._wait(partial(self._open_beside, other))
        try:
            yield Source(other.pull, other.inspection)
        finally:
            self._wait(other.close)

    async def close(self) -> None:
        """Stop: the connection is closed, and a thread that waits for bytes is told."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._beside is not None:
                await self._beside.close()
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait({self._task})
            if self._response is not None:
                await self._response.aclose()
        finally:
            if self._ended is not None:
                self._ended(self)

    def _wait(self, work: Callable[[], Coroutine[object, object, _T]]) -> _T:
        """Have the event loop do something, and wait for it in a thread."""
        if self._closed:
            raise _closed()
        outcome: Future[_T] = Future()

        async def run() -> None:
            try:
                outcome.set_result(await work())
            except asyncio.CancelledError:
                outcome.set_exception(_closed())
                raise
            except BaseException as error:  # noqa: BLE001 - it is raised in the thread
                outcome.set_exception(error)

        # A task must be held by somebody as long as it runs.
        tasks: list[asyncio.Task[None]] = []
        self._loop.call_soon_threadsafe(lambda: tasks.append(self._loop.create_task(run())))
        return outcome.result()

    async def _open_beside(self, other: "Exchange") -> None:
        if self._closed:
            raise _closed()
        self._beside = other
        await other.open()

    async def _next(self) -> bytes:
        if self._closed or self._pieces is None:
            raise _closed()
        self._task = asyncio.current_task()
        try:
            async with self._clock.running():
                piece = await anext(self._pieces, b"")
            if not piece and self.inspection.virtuoso and self._prepared.rows is not None:
                await self._compare(self._prepared.rows)
        except httpx2.HTTPError as error:
            raise broken(error) from error
        finally:
            self._task = None
        return piece

    async def _compare(self, rows: str) -> None:
        """Ask for the rows that triples were made of: Virtuoso only says of rows that they are cut."""
        call = self._call.asking(rows, answers.ACCEPT["results"])
        other = Exchange(self._line, call, Prepared("select", rows, limit=self._prepared.limit), self._clock)
        try:
            await other.open()
            while piece := await other._next():
                other.inspection.feed(piece)
            other.inspection.end()
        finally:
            await other.close()


def _closed() -> StoreFailed:
    """Return what a thread is told that works on for nobody."""
    return StoreFailed("The answer was closed.")
