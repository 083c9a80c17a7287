"""The ports to whatever answers SPARQL: everything above this module knows the engine by them alone.

:class:`Engine` answers the questions of our own code, :class:`Endpoint` those of strangers.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rdflib.term import URIRef

from medkg.domain.model import (
    Author,
    Commit,
    GraphState,
    GraphWrite,
    Quad,
    QueryRequest,
    Solutions,
    Term,
    UpdateRequest,
)
from medkg.store.counts import Counts
from medkg.store.formats import Format
from medkg.store.streaming import Chunks

__all__ = ["Answer", "Endpoint", "Engine", "Reply"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A serialised result: the format chosen and its bytes, which arrive while the engine works.

    Closing *chunks* before its end, or letting go of it, stops the evaluation.
    """

    format: Format
    version: int
    chunks: Chunks[Format]


class Engine(Protocol):
    """A read-only view of the current version of the graph.

    The default graph is the merge of the public named graphs, each triple once.  All methods are safe to call
    from several threads and may block: an event loop calls them in a worker thread.
    """

    versioned: bool
    """Whether the number of the version tells everything apart that changes what is answered."""

    @property
    def version(self) -> int:
        """The number of the current version; it grows by one with each published change."""

    def run(self, request: QueryRequest, accept: str) -> Answer:
        """Evaluate any query form and serialise its result in the format that *accept* prefers.

        :raises QuerySyntaxError: the text is not SPARQL 1.1; with line and column.
        :raises QueryRefused: the policy does not run it.
        :raises TooLarge: the text is longer or deeper than the limits.
        :raises Busy: too many queries are running.
        :raises NotAcceptable: no format of the result fits *accept* (an HTTP Accept value).
        """

    def select(self, text: str, bindings: Mapping[str, Term] | None = None) -> Solutions:
        """Evaluate a SELECT of our own with *bindings* for some of its projected variables."""

    def quads(
        self,
        subject: URIRef | None = None,
        predicate: URIRef | None = None,
        object_: Term | None = None,
        graph: URIRef | None = None,
    ) -> Iterator[Quad]:
        """Yield the quads of the named graphs (never the merge) that match the given terms."""

    def labels(self, terms: Iterable[URIRef], languages: Sequence[str]) -> dict[URIRef, str]:
        """Return a label for each term that has one, in the first of *languages* it has, else any."""

    def serialize(self, triples: Iterable[Quad], format_: Format) -> bytes:
        """Return triples (their graph is ignored) in a graph format, with medkg's prefixes."""

    def close(self) -> None:
        """Release the store; the engine can't be used afterwards."""


class AsyncChunks(Protocol):
    """Bytes that arrive while an engine works."""

    def __aiter__(self) -> "AsyncChunks":
        """Return itself."""

    async def __anext__(self) -> bytes:
        """Return the next bytes."""

    async def aclose(self) -> None:
        """Stop the evaluation; nothing more comes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The serialised answer to a request from outside.

    *body* is the whole of it when it is small, and then *chunks* is None; else *chunks* yields it while the
    engine works, and raises when the rest can't be had.  A large one has neither where it was asked for with
    *peek*.  *volatile* answers (NOW, RAND, ...) are neither
    cached nor tagged.  *notes* are sentences for the person who asked, such as "did you mean".  The
    ``aclose()`` of *chunks* must be called when the client leaves before the end.
    """

    format: Format
    version: int
    body: bytes | None
    chunks: AsyncChunks | None = None
    volatile: bool = False
    notes: tuple[str, ...] = ()


class Endpoint(Protocol):
    """The graph as strangers use it: any text, any size, with deadlines, from the event loop.

    With *union* the default graph of a query is the merge of the public graphs; without, everything is plain
    SPARQL.

    Who asks with *peek* wants to know how a request is answered and not the answer, as HEAD does: the engine
    stops where it would begin to send a large one.
    """

    union: bool

    @property
    def version(self) -> int:
        """The number of the current version; it grows with each accepted write."""

    async def start(self) -> None:
        """Start the processes or connections; must be awaited before anything else."""

    async def close(self) -> None:
        """Stop everything that was started."""

    def kept(self, request: QueryRequest, accept: str) -> Reply | None:
        """Return the answer to a query where it is known already, else None."""

    async def query(self, request: QueryRequest, accept: str, *, peek: bool = False) -> Reply:
        """Evaluate any query form.

        :raises QuerySyntaxError, QueryRefused, TooLarge, NotAcceptable: the request is bad.
        :raises AnswerTooLarge: its answer is over a limit that the operator has set.
        :raises Busy: no place within the patience of the queue.
        :raises DeadlineExceeded, EngineCrashed: it was stopped, or ended its process.
        """

    async def update(self, request: UpdateRequest, author: Author, key: str = "") -> Commit:
        """Evaluate an update in one transaction; with a *key* that was seen before, return its outcome.

        :raises QuerySyntaxError, QueryRefused, TooLarge: the request is bad.
        :raises Forbidden: it changes a graph that the author may not write.
        :raises Conflict: it writes outside GRAPH where the default graph is the merge.
        :raises DeadlineExceeded, Busy, StorageFull: nothing was changed.
        """

    async def write(self, change: GraphWrite, author: Author, key: str = "") -> Commit:
        """Change one whole graph; see :meth:`update`.

        :raises NotFound: ``delete`` of a graph that is not there.
        :raises PreconditionFailed: the graph is not in the expected state.
        """

    async def parse(self, body: AsyncIterator[bytes], media_type: str, base: str) -> Path:
        """Read a document in a process that may die of it; return a file of N-Triples, to be removed.

        :raises UnsupportedMedia: the type is none of a graph.
        :raises SourceFileError: the document does not parse; with its line.
        :raises TooLarge: it is longer than the limit.
        """

    async def read(self, graph: str | None, accept: str, *, peek: bool = False) -> Reply:
        """Serialise one graph (None: the default graph).

        :raises NotFound: there is no such graph.
        :raises AnswerTooLarge: it is over a limit that the operator has set.
        """

    async def dump(self, accept: str, *, peek: bool = False) -> Reply:
        """Serialise all named graphs, and the default graph when it is no merge of them.

        :raises NotAcceptable: no format of several graphs fits *accept*.
        :raises AnswerTooLarge: they are over a limit that the operator has set.
        """

    async def graphs(self) -> Mapping[str, GraphState]:
        """Return what is known of each named graph, by name."""

    def counts(self) -> Counts | None:
        """Return how many triples the default graph has by predicate and by class, where that is known."""

    def status(self) -> Mapping[str, float]:
        """Return gauges and counters for the operator."""
