"""Answers of another server: whole or refused, and written anew in the format that was asked for.

Servers cut their answers without a word: Virtuoso after a number of rows or an amount of time, with a header
at best; Oxigraph puts a sentence behind the rows when a query was stopped; a proxy closes the connection.
CSV, TSV and Turtle that end early look like any other.  So answers are fetched as JSON, which has to close,
or as N-Triples, whose last line has to be one, read by the engine's own parsers, and written here.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Final, Literal

import pyoxigraph as ox

from medkg.domain.errors import StoreFailed
from medkg.domain.model import Solutions
from medkg.store import labels, results
from medkg.store.bounds import Tally
from medkg.store.formats import Format
from medkg.store.remote.queries import Form
from medkg.store.terms import from_ox

__all__ = [
    "ACCEPT",
    "Inspection",
    "Kind",
    "Source",
    "chosen_labels",
    "cut",
    "kind_of",
    "names",
    "rows",
    "solutions",
    "triples",
    "write",
]

Kind = Literal["results", "graph"]

ACCEPT: Final[Mapping[Kind, str]] = {
    "results": "application/sparql-results+json, application/sparql-results+xml;q=0.5",
    "graph": "application/n-triples, text/turtle;q=0.5, application/rdf+xml;q=0.4",
}
"""What is asked of a server: the forms in which a cut can be told, the surest first."""

_RESULTS: Final[Mapping[str, ox.QueryResultsFormat]] = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "application/xml": ox.QueryResultsFormat.XML,
    "text/xml": ox.QueryResultsFormat.XML,
}
_GRAPHS: Final[Mapping[str, ox.RdfFormat]] = {
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "text/plain": ox.RdfFormat.N_TRIPLES,
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
}
_TAIL: Final = 64
"""Bytes kept back from one piece to the next, longer than the longest thing that is looked for."""
# Virtuoso names a blank node by an IRI of its own.  A quote inside a JSON string has a backslash before it.
_NODE: Final = re.compile(
    rb'("type"\s{0,9}:\s{0,9}"bnode"\s{0,9},\s{0,9}"value"\s{0,9}:\s{0,9}"|<bnode>)nodeID://'
)
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_ROW_DEPTH: Final = 4
"""Brackets open inside a row of SPARQL JSON: the document, its results, their bindings, the row."""
_CAP: Final = 1_048_576
"""Rows behind which Virtuoso stops however high its limit is set."""
_SHORT: Final = 65_536
"""Bytes that the answer to an ASK may have."""
_PARTIAL: Final = 206


class Inspection:
    """What one answer is, and whether it is whole.

    *limit* is the number of rows that the query itself asks for: as many as that are no cut.

    :raises StoreFailed: the head of the answer says that it is cut, or it is none of a SPARQL server.
    """

    def __init__(self, status: int, headers: Mapping[str, str], kind: Kind, limit: int | None = None) -> None:
        if status == _PARTIAL or "x-sql-state" in headers or "content-range" in headers:
            raise cut()
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise StoreFailed("The SPARQL server compresses its answers, though it was not asked to.")
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        self.results = _RESULTS.get(media_type)
        self.graph = _GRAPHS.get(media_type)
        if (self.results if kind == "results" else self.graph) is None:
            raise StoreFailed(
                f"The SPARQL server answered with {media_type[:100] or 'no media type'}, which is no {kind}.",
                remedy="Look whether MEDKG_STORE_URL is the address for queries.",
            )
        self.virtuoso = "virtuoso" in headers.get("server", "").lower()
        announced = headers.get("x-sparql-maxrows", "")
        self._most = int(announced) if announced.isdecimal() else (_CAP if self.virtuoso else None)
        self._limit = limit
        self._rows: _Rows | None = None
        if self._most is not None and self.results == ox.QueryResultsFormat.JSON:
            self._rows = _Rows()
        elif announced:
            raise cut()
        self._tail = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the bytes to read for those that came."""
        if self._rows is not None:
            self._rows.feed(piece)
        data = _NODE.sub(rb"\1", self._tail + piece)
        self._tail = data[-_TAIL:]
        return data[:-_TAIL]

    def end(self) -> bytes:
        """Return the last bytes.

        :raises StoreFailed: there are as many rows as the server sends at most.
        """
        enough = self._limit is not None and self._most is not None and self._limit <= self._most
        if (
            self._rows is not None
            and self._most is not None
            and not enough
            and self._rows.count >= self._most
        ):
            raise cut(f"It sends {self._most:,} rows at most.")
        tail, self._tail = self._tail, b""
        return tail


class _Rows:
    """Counts the rows of SPARQL JSON as it comes."""

    def __init__(self) -> None:
        self.count = 0
        self._depth = 0
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        text = _STRING.sub(b"", self._rest + piece)
        # An open string waits for its end.
        open_ = text.find(b'"')
        text, self._rest = (text, b"") if open_ < 0 else (text[:open_], text[open_:])
        for bracket in text:
            if bracket in b"{[":
                self._depth += 1
                self.count += bracket == ord("{") and self._depth == _ROW_DEPTH
            elif bracket in b"}]":
                self._depth -= 1


class Source:
    """The file that a parser reads: bytes that *pull* brings (b"" at the end), under inspection."""

    def __init__(self, pull: Callable[[], bytes], inspection: Inspection) -> None:
        self.inspection = inspection
        self._pull = pull
        self._data = b""
        self._place = 0
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Return some bytes, none at the end.

        :raises StoreFailed: the answer is cut.
        """
        while self._place >= len(self._data) and not self._ended:
            piece = self._pull()
            self._ended = not piece
            self._data = self.inspection.feed(piece) if piece else self.inspection.end()
            self._place = 0
        end = len(self._data) if size < 0 else self._place + size
        data = self._data[self._place : end]
        self._place += len(data)
        return data

    def drain(self) -> None:
        """Read what is behind the end of a document, which must be nothing.

        :raises StoreFailed: there is something, or the answer is cut.
        """
        while data := self.read(65_536):
            if data.strip():
                raise cut()


def cut(detail: str = "") -> StoreFailed:
    """Return the error for an answer that is not whole."""
    message = f"The SPARQL server cut the answer. {detail}".strip()
    return StoreFailed(message, remedy="Ask for less at a time, or raise that server's limits.")


def kind_of(form: Form) -> Kind:
    """Return what a query of this form gives."""
    return "graph" if form in {"construct", "describe"} else "results"


def rows(source: Source) -> Iterator[Sequence[labels.Term | None]]:
    """Yield the rows of a SELECT of our own.

    :raises StoreFailed: the answer is cut, or is none of a SELECT.
    """
    try:
        for row in _table(source):
            yield tuple(row)
    except (SyntaxError, ValueError):
        raise cut() from None
    source.drain()


def solutions(source: Source) -> Solutions:
    """Return the columns and the rows of a SELECT.

    :raises StoreFailed: the answer is cut, or is none of a SELECT.
    """
    try:
        table = _table(source)
        names_ = tuple(variable.value for variable in table.variables)
        found = [
            {name: from_ox(term) for name, term in zip(names_, row, strict=True) if term is not None}
            for row in table
        ]
    except (SyntaxError, ValueError):
        raise cut() from None
    source.drain()
    return Solutions(names_, found)


def names(found: Iterable[Sequence[labels.Term | None]]) -> tuple[str, ...]:
    """Return the IRIs of the first column."""
    return tuple(row[0].value for row in found if isinstance(row[0], ox.NamedNode))


def chosen_labels(
    found: Iterable[Sequence[labels.Term | None]], languages: Sequence[str]
) -> dict[ox.NamedNode, ox.Literal]:
    """Return the label of each term, from rows of terms, properties and labels."""
    texts: dict[ox.NamedNode, dict[ox.NamedNode, list[ox.Literal]]] = {}
    for term, name, text in found:
        if isinstance(term, ox.NamedNode) and isinstance(name, ox.NamedNode) and isinstance(text, ox.Literal):
            texts.setdefault(term, {}).setdefault(name, []).append(text)
    chosen: dict[ox.NamedNode, ox.Literal] = {}
    for term, by_name in texts.items():
        first = next(name for name in labels.PREDICATES if name in by_name)
        best = labels.best(by_name[first], languages)
        if best is not None:
            chosen[term] = best
    return chosen


def triples(source: Source) -> Iterator[ox.Triple]:
    """Yield the triples of a graph.

    :raises StoreFailed: the answer is cut.
    """
    try:
        for quad in ox.parse(source, format=source.inspection.graph):  # type: ignore[arg-type]
            yield quad.triple
    except (SyntaxError, ValueError):
        raise cut() from None
    source.drain()


def write(  # noqa: PLR0913 - what is read, how it is written, and what is wanted besides
    source: Source,
    form: Form,
    file: IO[bytes],
    chosen: Format,
    *,
    columns: labels.Labels | None = None,
    tally: Tally | None = None,
) -> None:
    """Write an answer in the format *chosen*, with *columns* of labels behind those of IRIs.

    A format of several graphs takes rows of subject, predicate, object and graph (unbound: the default one).
    *tally* counts the rows or triples.

    :raises StoreFailed: the answer is cut, or is none of this form.
    """
    if kind_of(form) == "graph":
        results.write_quads(triples(source), file, chosen, tally)
        return
    if chosen.kind == "dataset":
        results.write_quads(_quads(source), file, chosen, tally)
        return
    try:
        found = _boolean(source) if form == "ask" else _table(source)
        results.write(found, file, chosen, labels=columns, tally=tally)
    except (SyntaxError, ValueError):
        raise cut() from None
    source.drain()


def _quads(source: Source) -> Iterator[ox.Quad]:
    for subject, predicate, object_, graph in rows(source):
        yield ox.Quad(subject, predicate, object_, graph or ox.DefaultGraph())  # type: ignore[arg-type]


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _read(source: Source) -> ox.QuerySolutions | ox.QueryBoolean:
    return ox.parse_query_results(source, format=source.inspection.results)  # type: ignore[arg-type]


def _table(source: Source) -> ox.QuerySolutions:
    found = _read(source)
    if not isinstance(found, ox.QuerySolutions):
        raise StoreFailed("The SPARQL server answered a SELECT with a boolean.")
    return found


def _boolean(source: Source) -> ox.QueryBoolean:
    """Return the answer of an ASK; Virtuoso gives one row with a number for yes, and none for no."""
    # The parser stops at the boolean, so the end is looked at here.
    data = source.read(_SHORT)
    while len(data) < _SHORT and (more := source.read(_SHORT)):
        data += more
    as_json = source.inspection.results == ox.QueryResultsFormat.JSON
    if not (_is_json(data) if as_json else data.rstrip().endswith(b"</sparql>")):
        raise cut()
    found = ox.parse_query_results(data, format=source.inspection.results)
    if isinstance(found, ox.QueryBoolean):
        return found
    values = [term for row in found for term in row]
    if len(values) > 1 or not all(isinstance(term, ox.Literal) for term in values):
        raise StoreFailed("The SPARQL server answered an ASK with rows.")
    holds = any(isinstance(term, ox.Literal) and term.value not in {"0", "false"} for term in values)
    text = b'{"head":{},"boolean":%s}' % (b"true" if holds else b"false")
    answer = ox.parse_query_results(text, format=ox.QueryResultsFormat.JSON)
    if not isinstance(answer, ox.QueryBoolean):
        raise TypeError("not a boolean")
    return answer
