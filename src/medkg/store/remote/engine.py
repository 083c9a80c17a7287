"""The engine port on another SPARQL server, for our own code: questions, pages, and the command line."""

import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import httpx2
import pyoxigraph as ox
from rdflib.term import URIRef

from medkg.domain.errors import MedkgError
from medkg.domain.model import Quad, QueryRequest, Solutions, Term
from medkg.store import policy, results
from medkg.store.engine import Answer
from medkg.store.formats import Format, negotiate
from medkg.store.remote import answers, queries
from medkg.store.remote.answers import Inspection, Source
from medkg.store.remote.queries import Prepared
from medkg.store.remote.server import (
    HOPS,
    REDIRECTS,
    Call,
    Server,
    broken,
    query_call,
    redirected,
    refusal,
    silent,
)
from medkg.store.streaming import Pipe, stream
from medkg.store.terms import quad_from_ox, to_ox, triples_to_ox

__all__ = ["RemoteEngine"]

_BATCH: Final = 500
"""Terms whose labels are asked for at a time."""
_CONNECT: Final = 5.0
_ERROR_BYTES: Final = 65_536
_PIECE: Final = 65_536
"""Bytes that are taken together; some servers send a thousand at a time."""
_FRESH: Final = 60.0
"""Seconds for which the list of graphs is taken to be right."""


class RemoteEngine:
    """Answers from another SPARQL server.

    The server has no versions: the number of the current one is the second in which this engine was made, so
    that another start has another.  What the default graph is without a dataset is the server's affair, or
    that of ``default_graph``.  Queries wait *timeout* seconds for each piece of an answer.
    """

    versioned = False

    def __init__(self, server: Server, *, limits: policy.Limits | None = None, timeout: float = 30.0) -> None:
        self._server = server
        self._limits = limits or policy.Limits()
        self._version = int(time.time())
        self._client = httpx2.Client(
            auth=server.auth,
            verify=server.certificates,
            timeout=httpx2.Timeout(timeout, connect=_CONNECT),
            trust_env=False,
        )
        self._named: tuple[float, tuple[str, ...]] = (-_FRESH, ())

    @property
    def version(self) -> int:
        """The second in which this engine was made; nothing is known of the server's own changes."""
        return self._version

    def run(self, request: QueryRequest, accept: str) -> Answer:
        """See :meth:`medkg.store.engine.Engine.run`."""
        outline = policy.check(request.text, self._limits)
        prepared = queries.prepare(request.text, request.bindings)
        kind = answers.kind_of(prepared.form)
        chosen = negotiate(accept, kind)
        default, named = request.default_graphs, request.named_graphs
        if not default and not named and not outline.has_dataset:
            default, named = self._dataset(prepared.text)
        call = query_call(self._server, prepared.text, answers.ACCEPT[kind], default, named)

        def produce(pipe: Pipe[Format]) -> None:
            with self._opened(call, prepared) as source:
                answers.write(source, prepared.form, pipe.begin(chosen), chosen)

        _, chunks = stream(produce)
        return Answer(chosen, self._version, chunks)

    def select(self, text: str, bindings: Mapping[str, Term] | None = None) -> Solutions:
        """See :meth:`medkg.store.engine.Engine.select`."""
        prepared = queries.prepare(text, bindings)
        if prepared.form != "select":
            raise TypeError("not a SELECT query")
        default, named = self._dataset(prepared.text)
        call = query_call(self._server, prepared.text, answers.ACCEPT["results"], default, named)
        with self._opened(call, prepared) as source:
            return answers.solutions(source)

    def quads(
        self,
        subject: URIRef | None = None,
        predicate: URIRef | None = None,
        object_: Term | None = None,
        graph: URIRef | None = None,
    ) -> Iterator[Quad]:
        """See :meth:`medkg.store.engine.Engine.quads`.

        :raises NotSupported: a term is a blank node.
        """
        given: dict[str, Term | None] = {"s": subject, "p": predicate, "o": object_, "g": graph}
        text = queries.pattern(given, without=self._server.default_graph)
        call = query_call(self._server, text, answers.ACCEPT["results"])
        with self._opened(call, Prepared("select", text)) as source:
            for row in answers.rows(source):
                found = iter(row)
                terms = [next(found) if term is None else to_ox(term) for term in given.values()]
                yield quad_from_ox(ox.Quad(*terms))  # type: ignore[arg-type]

    def labels(self, terms: Iterable[URIRef], languages: Sequence[str]) -> dict[URIRef, str]:
        """See :meth:`medkg.store.engine.Engine.labels`."""
        asked = sorted(set(terms))
        found: dict[URIRef, str] = {}
        for start in range(0, len(asked), _BATCH):
            text = queries.labels(to_ox(term) for term in asked[start : start + _BATCH])
            default, _ = self._dataset("")
            call = query_call(self._server, text, answers.ACCEPT["results"], default)
            with self._opened(call, Prepared("select", text)) as source:
                chosen = answers.chosen_labels(answers.rows(source), languages)
            found |= {URIRef(term.value): label.value for term, label in chosen.items()}
        return found

    def serialize(self, triples: Iterable[Quad], format_: Format) -> bytes:
        """See :meth:`medkg.store.engine.Engine.serialize`."""
        file = io.BytesIO()
        results.write_quads(triples_to_ox(triples), file, format_)
        return file.getvalue()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _dataset(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the dataset of a query that names none: the graph that stands for the default one, and all.

        A request that names a default graph and no others has no others (SPARQL 1.1 Protocol, section 2.1.4).
        """
        if self._server.default_graph is None:
            return (), ()
        if "GRAPH" not in text.upper():
            return (self._server.default_graph,), ()
        made, named = self._named
        if time.monotonic() - made > _FRESH:
            call = query_call(self._server, queries.GRAPHS, answers.ACCEPT["results"])
            with self._opened(call, Prepared("select", queries.GRAPHS)) as source:
                named = answers.names(answers.rows(source))
            self._named = (time.monotonic(), named)
        default = self._server.default_graph
        return (default,), tuple(name for name in named if name != default)

    @contextmanager
    def _opened(self, call: Call, prepared: Prepared) -> Iterator[Source]:
        """Send a query and yield its answer as a file; the connection is closed behind it."""
        response = self._send(call, prepared.shift)
        try:
            kind = answers.kind_of(prepared.form)
            inspection = Inspection(response.status_code, response.headers, kind, prepared.limit)
            pieces = response.iter_raw(_PIECE)

            def pull() -> bytes:
                try:
                    piece = next(pieces, b"")
                except httpx2.HTTPError as error:
                    raise broken(error) from error
                if not piece and inspection.virtuoso and prepared.rows is not None:
                    self._compare(call, prepared)
                return piece

            yield Source(pull, inspection)
        finally:
            response.close()

    def _compare(self, call: Call, prepared: Prepared) -> None:
        """Ask for the rows that triples were made of: Virtuoso only says of rows that they are cut."""
        rows = prepared.rows or ""
        select = Prepared("select", rows, limit=prepared.limit)
        with self._opened(call.asking(rows, answers.ACCEPT["results"]), select) as source:
            while source.read(_PIECE):
                pass

    def _send(self, call: Call, shift: int) -> httpx2.Response:
        url = call.url
        hops = 0
        try:
            while True:
                response = self._client.send(call.build(self._client, url), stream=True)
                if response.is_success:
                    return response
                if response.status_code not in REDIRECTS or hops == HOPS:
                    raise self._refused(response, shift)
                hops += 1
                response.close()
                url = redirected(url, response.headers.get("location", ""))
        except httpx2.HTTPError as error:
            raise silent(error) from error

    def _refused(self, response: httpx2.Response, shift: int) -> MedkgError:
        text = b""
        try:
            for piece in response.iter_raw():
                text += piece
                if len(text) >= _ERROR_BYTES:
                    break
        finally:
            response.close()
        return refusal(response, text[:_ERROR_BYTES].decode("utf-8", "replace"), shift=shift)
