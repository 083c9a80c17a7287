"""The port to whatever answers SPARQL: everything above this module knows the engine by it alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rdflib.term import URIRef

from medkg.domain.model import Quad, QueryRequest, Solutions, Term
from medkg.store.formats import Format
from medkg.store.streaming import Chunks

__all__ = ["Answer", "Engine"]


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
