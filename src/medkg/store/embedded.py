"""The engine port on an embedded Oxigraph store, opened read-only on the current snapshot."""

import io
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import pyoxigraph as ox
from rdflib.term import Literal, URIRef

from medkg.domain.errors import Busy, MedkgError, ParameterError, QuerySyntaxError, StoreFailed
from medkg.domain.model import Quad, QueryRequest, Solutions, Term
from medkg.domain.namespaces import DCTERMS, PREFIXES, RDFS, SKOS
from medkg.store import policy
from medkg.store.engine import Answer
from medkg.store.formats import Format, negotiate
from medkg.store.snapshots import Snapshots
from medkg.store.streaming import Pipe, stream
from medkg.store.terms import from_ox, quad_from_ox, to_ox, triples_to_ox

__all__ = ["EmbeddedEngine"]

_RESULTS: Final[Mapping[str, ox.QueryResultsFormat]] = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_GRAPHS: Final[Mapping[str, ox.RdfFormat]] = {
    "ttl": ox.RdfFormat.TURTLE,
    "nt": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
}
_LABELS: Final = tuple(ox.NamedNode(str(name)) for name in (SKOS.prefLabel, RDFS.label, DCTERMS.title))
_MERGED: Final = ox.NamedNode("urn:medkg:merged")
_POSITION: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_FUNCTION: Final = re.compile(r"custom function (<[^>]*>) is not supported")
_EXPECTED: Final = re.compile(r"\b[A-Z][a-z]+(?: [\w']+){2,}")

_PATIENCE: Final = 2.0
"""Seconds that a query waits for one of the running ones to end."""

_Graph = ox.NamedNode | ox.BlankNode | ox.DefaultGraph
_Graphs = list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] | None
_Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    store: ox.Store


class EmbeddedEngine:
    """Answers from the newest snapshot under *root*; a newly published one is picked up by the next call.

    At most *parallel* queries of :meth:`run` are evaluated at the same time.

    :raises StoreMissing: nothing has been built in *root*.
    """

    def __init__(self, root: Path, *, limits: policy.Limits | None = None, parallel: int = 8) -> None:
        self._snapshots = Snapshots(root)
        self._limits = limits or policy.Limits()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(parallel)
        self._open: _Version | None = None
        self._current()

    @property
    def version(self) -> int:
        """The number of the current version."""
        return self._current().number

    def run(self, request: QueryRequest, accept: str) -> Answer:
        """See :meth:`medkg.store.engine.Engine.run`."""
        outline = policy.check(request.text, self._limits)
        current = self._current()

        if not self._places.acquire(timeout=_PATIENCE):
            raise Busy("Too many queries are running.", remedy="Try again in a few seconds.")

        # A result of the engine may only be touched by the thread that made it.
        def produce(pipe: Pipe[Format]) -> None:
            try:
                dataset = _dataset(current.store, request, outline)
                results = _evaluate(dataset, request.text, request.bindings)
                chosen = negotiate(accept, "graph" if isinstance(results, ox.QueryTriples) else "results")
                _serialize(results, pipe.begin(chosen), chosen)
            finally:
                self._places.release()

        chosen, chunks = stream(produce)
        return Answer(chosen, current.number, chunks)

    def select(self, text: str, bindings: Mapping[str, Term] | None = None) -> Solutions:
        """See :meth:`medkg.store.engine.Engine.select`."""
        results = _evaluate(_Dataset(self._current().store), text, bindings or {})
        if not isinstance(results, ox.QuerySolutions):
            raise TypeError("not a SELECT query")
        names = tuple(variable.value for variable in results.variables)
        rows = [
            {name: from_ox(term) for name, term in zip(names, solution, strict=True) if term is not None}
            for solution in results
        ]
        return Solutions(names, rows)

    def quads(
        self,
        subject: URIRef | None = None,
        predicate: URIRef | None = None,
        object_: Term | None = None,
        graph: URIRef | None = None,
    ) -> Iterator[Quad]:
        """See :meth:`medkg.store.engine.Engine.quads`."""
        pattern = (None if term is None else to_ox(term) for term in (subject, predicate, object_, graph))
        found = self._current().store.quads_for_pattern(*pattern)  # type: ignore[arg-type]
        return (quad_from_ox(quad) for quad in found if not isinstance(quad.graph_name, ox.DefaultGraph))

    def labels(self, terms: Iterable[URIRef], languages: Sequence[str]) -> dict[URIRef, str]:
        """See :meth:`medkg.store.engine.Engine.labels`."""
        store = self._current().store
        found = ((term, _label(store, term, languages)) for term in set(terms))
        return {term: label for term, label in found if label is not None}

    def serialize(self, triples: Iterable[Quad], format_: Format) -> bytes:
        """See :meth:`medkg.store.engine.Engine.serialize`."""
        file = io.BytesIO()
        _write(triples_to_ox(triples), file, format_)
        return file.getvalue()

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            self._open = None

    def _current(self) -> _Version:
        snapshot = self._snapshots.require()
        with self._lock:
            if self._open is None or self._open.number != snapshot.version:
                try:
                    self._open = _Version(snapshot.version, ox.Store.read_only(str(snapshot.path)))
                except (OSError, RuntimeError) as error:
                    raise StoreFailed(
                        "The graph in the data folder can't be opened.",
                        remedy="Restore the folder, or build into an empty one.",
                    ) from error
            return self._open


@dataclass(frozen=True, slots=True)
class _Dataset:
    """A store and the graphs of it that a query sees (None: all, and the store's default graph)."""

    store: ox.Store
    default_graph: _Graphs = None
    named_graphs: list[ox.NamedNode | ox.BlankNode] | None = None


def _evaluate(dataset: _Dataset, text: str, bindings: Mapping[str, Term]) -> _Results:
    try:
        return dataset.store.query(
            text,
            prefixes=dict(PREFIXES),
            default_graph=dataset.default_graph,
            named_graphs=dataset.named_graphs,
            substitutions={ox.Variable(name): to_ox(term) for name, term in bindings.items()},
        )
    except SyntaxError as error:
        raise _explain(error) from None
    except RuntimeError as error:
        raise _unsupported(error) from None
    except (OSError, ValueError) as error:
        raise StoreFailed("The query could not be evaluated.") from error


def _dataset(store: ox.Store, request: QueryRequest, outline: policy.Outline) -> _Dataset:
    """Return the dataset of a request: that of the protocol when it names one, else that of the query."""
    if request.default_graphs or request.named_graphs:
        default, named = request.default_graphs, request.named_graphs
    else:
        default, named = outline.default_graphs, outline.named_graphs
    if not default and not named:
        return _Dataset(store)
    named_nodes: list[ox.NamedNode | ox.BlankNode] = [_graph(name) for name in named]
    default_nodes: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [_graph(name) for name in default]
    if len(default_nodes) <= 1:
        return _Dataset(store, default_nodes, named_nodes)
    return _Dataset(_merged(store, default_nodes, named_nodes), [_MERGED], named_nodes)


def _graph(name: str) -> ox.NamedNode:
    try:
        return ox.NamedNode(name)
    except ValueError:
        raise ParameterError(
            "graph", f"The graph name {name[:200]!r} is no IRI.", remedy="Write an absolute IRI."
        ) from None


def _merged(store: ox.Store, default: Iterable[_Graph], named: Iterable[_Graph]) -> ox.Store:
    """Copy graphs into a store of their own, with the merge of *default*.

    The engine's own union of several graphs repeats a triple once per graph; an RDF merge (SPARQL 1.1 Query,
    section 13.2) holds it once.
    """
    copy = ox.Store()
    for name in default:
        quads = store.quads_for_pattern(None, None, None, name)
        copy.extend(ox.Quad(quad.subject, quad.predicate, quad.object, _MERGED) for quad in quads)
    for name in named:
        copy.extend(store.quads_for_pattern(None, None, None, name))
    return copy


class _Xml:
    """A file for XML: the engine writes carriage returns as they are, which XML reads as newlines."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        """Pass the bytes on."""
        self._file.write(data.replace(b"\r", b"&#13;"))
        return len(data)

    def flush(self) -> None:
        """Pass the call on."""
        self._file.flush()


def _serialize(results: _Results, file: IO[bytes], chosen: Format) -> None:
    if isinstance(results, ox.QueryTriples):
        _write(results, file, chosen)
    else:
        target = cast("IO[bytes]", _Xml(file)) if chosen.name == "xml" else file
        results.serialize(target, _RESULTS[chosen.name])


def _write(triples: Iterable[ox.Triple], file: IO[bytes], chosen: Format) -> None:
    target = cast("IO[bytes]", _Xml(file)) if chosen.name == "rdfxml" else file
    prefixes = dict(PREFIXES) if chosen.name != "nt" else None
    ox.serialize(triples, target, _GRAPHS[chosen.name], prefixes=prefixes)


def _label(store: ox.Store, term: URIRef, languages: Sequence[str]) -> str | None:
    """Return a label in the first of *languages* that there is one for, else any."""
    literals: list[Literal] = []
    for predicate in _LABELS:
        if literals:
            break
        for quad in store.quads_for_pattern(to_ox(term), predicate, None, ox.DefaultGraph()):  # type: ignore[arg-type]
            value = from_ox(quad.object)
            if isinstance(value, Literal):
                literals.append(value)
    if not literals:
        return None
    order = {language: rank for rank, language in enumerate(languages)}
    best = min(
        literals, key=lambda item: (order.get(item.language or "", len(order)), item.language or "", item)
    )
    return str(best)


def _unsupported(error: RuntimeError) -> MedkgError:
    match = _FUNCTION.search(str(error))
    if match is None:
        return StoreFailed("The query could not be evaluated.")
    return QuerySyntaxError(
        f"The query calls the function {match[1]}, which is not known here.",
        line=None,
        column=None,
        remedy="Use the functions of SPARQL 1.1.",
    )


def _explain(error: SyntaxError) -> MedkgError:
    """Return the engine's syntax error in plain words, with its place."""
    match = _POSITION.match(str(error))
    if match is None:
        return QuerySyntaxError(f"The query does not parse: {error}.", line=None, column=None)
    line, column, detail = int(match[1]), int(match[2]), match[3]
    # The engine lists every token it would have taken; its own sentences among them say what is wrong.
    sentences = [text for text in _EXPECTED.findall(detail) if not text.isupper()]
    reason = f" {sentences[0]}." if sentences else ""
    return QuerySyntaxError(
        f"The query does not parse at line {line}, column {column}.{reason}",
        line=line,
        column=column,
        remedy="Look at that place and just before it: a missing dot, bracket, quote or prefix?",
    )
