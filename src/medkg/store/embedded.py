"""The engine port on an embedded Oxigraph store, opened read-only on the current snapshot."""

import io
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyoxigraph as ox
from rdflib.term import Literal, URIRef

from medkg.domain.errors import Busy, StoreFailed
from medkg.domain.model import Quad, QueryRequest, Solutions, Term
from medkg.domain.namespaces import DCTERMS, RDFS, SKOS
from medkg.store import policy, results
from medkg.store.engine import Answer
from medkg.store.evaluate import Dataset, columns, dataset, evaluate
from medkg.store.formats import Format, negotiate
from medkg.store.snapshots import Snapshots
from medkg.store.streaming import Pipe, stream
from medkg.store.terms import from_ox, quad_from_ox, to_ox, triples_to_ox

__all__ = ["EmbeddedEngine"]

_LABELS: Final = tuple(ox.NamedNode(str(name)) for name in (SKOS.prefLabel, RDFS.label, DCTERMS.title))

_PATIENCE: Final = 2.0
"""Seconds that a query waits for one of the running ones to end."""


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    store: ox.Store


class EmbeddedEngine:
    """Answers from the newest snapshot under *root*; a newly published one is picked up by the next call.

    At most *parallel* queries of :meth:`run` are evaluated at the same time.

    :raises StoreMissing: nothing has been built in *root*.
    """

    versioned = True

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
                data = dataset(current.store, request, outline)
                found = evaluate(data, request.text, request.bindings)
                chosen = negotiate(accept, "graph" if isinstance(found, ox.QueryTriples) else "results")
                results.write(found, pipe.begin(chosen), chosen, columns=columns(request.text, found))
            finally:
                self._places.release()

        chosen, chunks = stream(produce)
        return Answer(chosen, current.number, chunks)

    def select(self, text: str, bindings: Mapping[str, Term] | None = None) -> Solutions:
        """See :meth:`medkg.store.engine.Engine.select`."""
        found = evaluate(Dataset(self._current().store), text, bindings or {})
        if not isinstance(found, ox.QuerySolutions):
            raise TypeError("not a SELECT query")
        names = tuple(variable.value for variable in found.variables)
        rows = [
            {name: from_ox(term) for name, term in zip(names, solution, strict=True) if term is not None}
            for solution in found
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
        results.write_quads(triples_to_ox(triples), file, format_)
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
                    self._open = _Version(snapshot.version, ox.Store.read_only(str(snapshot.merged)))
                except (OSError, RuntimeError) as error:
                    raise StoreFailed(
                        "The graph in the data folder can't be opened.",
                        remedy="Restore the folder, or build into an empty one.",
                    ) from error
            return self._open


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
