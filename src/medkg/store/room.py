"""The engine room: the embedded store as strangers use it, behind processes that can be killed.

Each request runs in a reader of its own for that time, each write in the one writer.  The service hands them
over, watches the clock and passes the bytes on.  A write is accepted when its snapshot is the current one and
every reader handed out from then on sees it.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from medkg import children
from medkg.domain.errors import Busy, DeadlineExceeded, EngineCrashed, MedkgError, NotAcceptable
from medkg.domain.model import Author, Commit, GraphState, GraphWrite, QueryRequest, UpdateRequest
from medkg.store import documents
from medkg.store.answering import Clock, ask
from medkg.store.bounds import NONE, Bounds
from medkg.store.cache import ResultCache
from medkg.store.counts import Counts
from medkg.store.engine import Reply
from medkg.store.federation.calls import TextKind
from medkg.store.federation.federate import Federation, Means, Text
from medkg.store.formats import Kind, negotiate
from medkg.store.index import Index
from medkg.store.keeper import Nursery
from medkg.store.pool import Pool
from medkg.store.readers import Readers
from medkg.store.scribe import Scribe
from medkg.store.snapshots import Snapshot, Snapshots

__all__ = ["Check", "Limits", "Room"]

_QUAD: Final = 350
"""Bytes that a quad takes in memory, roughly."""
_LINGER: Final = 60.0
"""Seconds that a version stays on the disk after it was replaced, for what still reads it."""
_WRITES_WAITING: Final = 32
_FAREWELL: Final = 1.0
"""Seconds that a write under way gets when all ends."""

Check = Callable[[Path, tuple[str, ...]], Awaitable[None]]
"""Validates the folder of a version before it becomes the current one; raises GraphInvalid."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request and all of them may take: seconds, bytes and numbers."""

    workers: int = 2
    slow: int = 4
    slow_after: float = 0.25
    queue: int = 256
    patience: float = 10.0
    query_timeout: float = 30.0
    update_timeout: float = 60.0
    worker_memory: int = 1_073_741_824
    store_memory: int = 4_294_967_296
    cache: int = 67_108_864
    query_bytes: int = 100_000
    query_depth: int = 100
    body: int = 52_428_800
    answer: Bounds = NONE


class Room:
    """The endpoint on the store under *root*; see :class:`medkg.store.engine.Endpoint`.

    *check* validates what a steward writes; *federation* makes calls to other servers; *nursery* is one that
    was started before.
    """

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        root: Path,
        *,
        limits: Limits | None = None,
        union: bool = True,
        check: Check | None = None,
        federation: Federation | None = None,
        nursery: Nursery | None = None,
    ) -> None:
        self.union = union
        self._federation = federation
        self._root = root
        self._limits = limits or Limits()
        self._check = check
        self._snapshots = Snapshots(root)
        self._cache = ResultCache(self._limits.cache)
        pool = Pool(
            size=self._limits.workers,
            slow=self._limits.slow,
            queue=self._limits.queue,
            patience=self._limits.patience,
        )
        told = {
            "memory": self._limits.worker_memory,
            "max_bytes": self._limits.query_bytes,
            "max_depth": self._limits.query_depth,
            "union": union,
            "bounds": (self._limits.answer.rows, self._limits.answer.size),
        }
        self._readers = Readers(pool, told, self._limits.store_memory, self._limits.slow, nursery)
        # The writer's caches grow with the store; a single write is bounded by what one may read besides.
        own = {"root": str(root), "memory": 4 * self._limits.worker_memory, "max_bytes": self._limits.body}
        self._scribe = Scribe({**told, **own})
        self._clock = Clock(self._limits.query_timeout, self._limits.slow_after, self._count_kill)
        self._kills = 0
        self._snapshot: Snapshot | None = None
        self._index = Index()
        self._writing = asyncio.Lock()
        self._waiting = 0
        self._paused = ""
        self._replaced: dict[int, float] = {}

    @property
    def version(self) -> int:
        """The number of the current version."""
        return self._current.version

    async def start(self) -> None:
        """Start the processes; requests are answered from the disk until the version is in memory.

        :raises StoreMissing: nothing has been built.
        """
        if self._snapshots.require().union is not self.union:
            # The writer brings the version into the other mode when it starts.
            await self._scribe.command({"do": "adopt"}, b"", self._limits.update_timeout)
        self._snapshot = self._snapshots.require()
        self._index = Index.read(self._current.path)
        await self._readers.start(self._current, self._size(self._index))

    async def close(self) -> None:
        """End all processes; of a write that is not done in a moment nothing stays."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL), self._writing:
                pass
        await self._scribe.close()
        await self._readers.close()

    def kept(self, request: QueryRequest, accept: str) -> Reply | None:
        """See :meth:`medkg.store.engine.Endpoint.kept`."""
        return self._cache.kept(self._key(request, accept))

    async def query(self, request: QueryRequest, accept: str, *, peek: bool = False) -> Reply:
        """See :meth:`medkg.store.engine.Endpoint.query`."""
        results, graph = _plan(accept)
        key = self._key(request, accept)

        async def make() -> Reply:
            head = {
                "do": "query",
                "default": request.default_graphs,
                "named": request.named_graphs,
                "labels": request.labels,
                "base": request.base,
                "accept": accept,
                "results": results,
                "graph": graph,
                "peek": peek,
            }
            text = await self._text("query", request)
            return await self._ask(head | text.head, text.body, lambda reply: self._cache.put(key, reply))

        return await self._cache.get(key, make)

    async def read(self, graph: str | None, accept: str, *, peek: bool = False) -> Reply:
        """See :meth:`medkg.store.engine.Endpoint.read`."""
        head = {"do": "read", "graph": graph, "format": negotiate(accept, "graph").name, "peek": peek}
        return await self._ask(head, b"", None)

    async def dump(self, accept: str, *, peek: bool = False) -> Reply:
        """See :meth:`medkg.store.engine.Endpoint.dump`."""
        head = {"do": "dump", "format": negotiate(accept, "dataset").name, "peek": peek}
        return await self._ask(head, b"", None)

    async def graphs(self) -> Mapping[str, GraphState]:
        """See :meth:`medkg.store.engine.Endpoint.graphs`; the default graph is that without a name."""
        return {"": self._index.default, **self._index.graphs}

    def counts(self) -> Counts | None:
        """See :meth:`medkg.store.engine.Endpoint.counts`."""
        return self._index.counts

    async def update(self, request: UpdateRequest, author: Author, key: str = "") -> Commit:
        """See :meth:`medkg.store.engine.Endpoint.update`."""
        head = {
            "do": "update",
            "using": request.using_graphs,
            "using_named": request.using_named_graphs,
            "base": request.base,
        }
        key = _key(author, key, request)
        # What was done before is not done again, and calls nobody again.
        text = await self._text("update", request, call=key not in self._index.keys)
        return await self._write(head | text.head, text.body, author, key)

    async def write(self, change: GraphWrite, author: Author, key: str = "") -> Commit:
        """See :meth:`medkg.store.engine.Endpoint.write`."""
        head = {"do": "write", **asdict(change), "triples": change.triples and str(change.triples)}
        return await self._write(head, b"", author, _key(author, key, (change.action, change.graph)))

    async def parse(self, body: AsyncIterator[bytes], media_type: str, base: str) -> Path:
        """See :meth:`medkg.store.engine.Endpoint.parse`."""
        seconds = self._limits.update_timeout
        spool = self._root / "spool"
        return await documents.parse(self._readers.blank, spool, body, media_type, base, seconds=seconds)

    async def pause(self, purpose: str) -> None:
        """Wait for the write under way, and refuse all others, naming *purpose*, until :meth:`resume`.

        :raises Busy: writes are refused already.
        """
        if self._paused:
            raise _refused(self._paused)
        self._paused = purpose
        try:
            await self._writing.acquire()
        except BaseException:
            self._paused = ""
            raise

    def resume(self) -> None:
        """Take writes again."""
        self._paused = ""
        self._writing.release()

    async def adopt_current(self) -> int:
        """Serve the version that the pointer names, which another process has made; return its number."""
        async with nullcontext() if self._paused else self._writing:
            found = await asyncio.to_thread(self._snapshots.require)
            if found.version > self.version:
                # The store of the writer belongs to the version before.
                await self._scribe.close()
                await self._adopt(Commit(found.version))
        return self.version

    def status(self) -> Mapping[str, float]:
        """See :meth:`medkg.store.engine.Endpoint.status`; memory in bytes."""
        pids = self._readers.pool.pids()
        return {
            **self._readers.pool.numbers(),
            "version": self.version,
            "kills": self._kills,
            "cache_hits": self._cache.hits,
            "cache_misses": self._cache.misses,
            "cache_bytes": self._cache.size,
            "in_memory": float(self._readers.in_memory),
            "memory_of_version_bytes": self._readers.memory_bytes(),
            "memory_of_readers_bytes": sum(map(children.resident_bytes, pids)),
            "memory_of_writer_bytes": children.resident_bytes(self._scribe.pid) if self._scribe.pid else 0,
            "writes_waiting": self._waiting,
            "triples": self._index.default.triples,
        }

    def processes(self) -> list[tuple[str, int]]:
        """Return the kind and the number of each process that works for this room."""
        found = [("reader", pid) for pid in self._readers.pool.pids()]
        found += [("nursery", pid) for pid in self._readers.nurseries()]
        return found + ([("writer", self._scribe.pid)] if self._scribe.pid else [])

    @property
    def _current(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = self._snapshots.require()
        return self._snapshot

    def _key(self, request: QueryRequest, accept: str) -> tuple[object, ...]:
        """Return what the answer to a query follows from."""
        dataset = (request.default_graphs, request.named_graphs)
        return (self.version, request.text, request.base, dataset, request.labels, *_plan(accept))

    async def _text(
        self, kind: TextKind, request: QueryRequest | UpdateRequest, *, call: bool = True
    ) -> Text:
        """Return the text of a request, with what the servers that it calls have answered."""
        limits = self._limits
        if self._federation is None or not call:
            return Text(request.text.encode("utf-8", "surrogatepass"), {})
        query, update = (limits.query_timeout, limits.query_bytes), (limits.update_timeout, limits.body)
        means = Means(self._readers.blank, self.parse, *(query if kind == "query" else update), limits.body)
        return await self._federation.text(kind, request, means)

    def _count_kill(self) -> None:
        self._kills += 1

    async def _ask(self, head: dict[str, Any], body: bytes, keep: Callable[[Reply], None] | None) -> Reply:
        clock = replace(self._clock, spent=head["spent"]) if "spent" in head else self._clock
        return await ask(self._readers.pool, clock, head, body, keep=keep)

    async def _write(self, head: dict[str, Any], body: bytes, author: Author, key: str) -> Commit:
        """Have the writer carry out a command; other writes wait."""
        if self._paused:
            raise _refused(self._paused)
        if self._waiting >= _WRITES_WAITING:
            raise Busy("Too many writes are waiting.", remedy="Try again in a minute.")
        self._waiting += 1
        try:
            # A client that leaves must not cut off a write in the middle.
            return await asyncio.shield(asyncio.create_task(self._carry_out(head, body, author, key)))
        finally:
            self._waiting -= 1

    async def _carry_out(self, head: dict[str, Any], body: bytes, author: Author, key: str) -> Commit:
        async with self._writing:
            return await self._adopt(await self._written(head, body, author, key))

    async def _written(self, head: dict[str, Any], body: bytes, author: Author, key: str) -> Commit:
        """Return what a write has led to, once its version is the current one on the disk."""
        seconds = max(self._limits.update_timeout - head.get("spent", 0.0), 0.1)
        deadline = time.monotonic() + seconds
        checked = self.union and not author.unchecked and self._check is not None
        now = datetime.now(UTC).isoformat()
        head = {**head, "author": asdict(author), "key": key, "now": now}
        try:
            answer = await self._scribe.command({**head, "publish": not checked}, body, seconds)
            if answer["prepared"] is not None:
                answer = await self._publish_if_valid(answer, deadline)
        except (DeadlineExceeded, EngineCrashed):
            # The pointer may have moved before the writer ended.
            found = self._snapshots.require()
            if found.version == self.version:
                raise
            return Commit(found.version)
        return _commit(answer["commit"])

    async def _publish_if_valid(self, answer: dict[str, Any], deadline: float) -> dict[str, Any]:
        assert self._check is not None  # noqa: S101 - looked at by the caller
        try:
            async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                await self._check(Path(answer["prepared"]), tuple(answer["commit"]["changed"]))
        except BaseException as error:
            with suppress(MedkgError):
                await self._scribe.command({"do": "abort"}, b"", self._limits.update_timeout)
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded("The write could not be validated in time.") from None
            raise
        return await self._scribe.command({"do": "publish"}, b"", self._limits.update_timeout)

    async def _adopt(self, commit: Commit) -> Commit:
        """Serve the version that a write has led to."""
        before = self._current
        if commit.version <= before.version:
            return commit
        snapshot = self._snapshots.require()
        index = await asyncio.to_thread(Index.read, snapshot.path)
        delta = snapshot.path if (snapshot.path / "added.nq").exists() else None
        await self._readers.switch(snapshot, self._size(index), delta)
        # Only now: until here the readers are those of the version before.
        self._snapshot, self._index = snapshot, index
        self._replaced[before.version] = time.monotonic()
        await asyncio.to_thread(self._prune)
        return commit

    def _size(self, index: Index) -> int:
        """Return about how many bytes a version takes in memory, which may hold its default graph alone."""
        named = 0 if self.union else sum(state.triples for state in index.graphs.values())
        return _QUAD * (index.default.triples + named)

    def _prune(self) -> None:
        now = time.monotonic()
        self._replaced = {number: at for number, at in self._replaced.items() if now - at < _LINGER}
        self._snapshots.prune(self._readers.used() | frozenset(self._replaced))


def _refused(purpose: str) -> Busy:
    return Busy(f"Nothing can be written: {purpose} is at work.", remedy="Try again when it is done.")


def _key(author: Author, key: str, what: object) -> str:
    """Return what a write is remembered by: another author or another request is another write."""
    if not key:
        return ""
    return f"{author.name} {key} {hashlib.blake2s(repr(what).encode('utf-8', 'surrogatepass')).hexdigest()}"


def _commit(fields: Mapping[str, Any]) -> Commit:
    delta = fields["delta"]
    return Commit(fields["version"], tuple(fields["changed"]), fields["created"], delta and Path(delta))


@lru_cache(maxsize=512)
def _plan(accept: str) -> tuple[str | None, str | None]:
    """Return the formats that an Accept value leads to, for solutions and for graphs; None: there is none."""
    found: list[str | None] = []
    kinds: tuple[Kind, ...] = ("results", "graph")
    for kind in kinds:
        try:
            found.append(negotiate(accept, kind).name)
        except NotAcceptable:
            found.append(None)
    return found[0], found[1]
