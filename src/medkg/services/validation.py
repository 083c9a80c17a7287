"""Validates graphs with shapes, by the engine that compiles them or by the reference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import cast

from rdflib import Graph
from rdflib.term import Literal, Node, URIRef

from medkg.domain.model import Quad, Report, Term
from medkg.shacl import literals
from medkg.shacl.compiled import Data, Validator, subclasses
from medkg.shacl.findings import findings
from medkg.shacl.plan import Plan
from medkg.shacl.queries import SHAPES_GRAPH
from medkg.shacl.results import Result
from medkg.store.files import kept_literal
from medkg.store.memory import MemoryGraph

__all__ = ["Engine", "Kept", "graph_of", "results", "validate"]


class Engine(StrEnum):
    """What runs the shapes: SPARQL that they are compiled to, or pySHACL."""

    compiled = "compiled"
    reference = "reference"


def validate(data: MemoryGraph, shapes: Iterable[Quad]) -> Report:
    """Validate *data*, in which the engine changed no literal; return the findings in English.

    :raises ShapesRefused: the shapes can't be used.
    """
    graph = graph_of(shapes)
    return findings(_run(graph, Kept(data), exact=False, repeat=False), graph)


def results(data: Iterable[Quad], shapes: Graph, engine: Engine, *, repeat: bool = False) -> list[Result]:
    """Validate *data*, read as one graph, and return the validation results.

    With *repeat* the compiled engine gives a result for each way that leads to it, as SHACL counts them; the
    reference always does.

    :raises ShapesRefused: the shapes can't be used.
    """
    if engine is Engine.reference:
        # It takes a moment to load, and only this engine needs it.
        from medkg.shacl import reference

        return reference.validate(graph_of(data, reference.CachingGraph()), shapes)
    loaded = _Loaded(data, shapes)
    return _run(shapes, loaded, exact=loaded.exact, repeat=repeat)


def _run(shapes: Graph, data: Data, *, exact: bool, repeat: bool) -> list[Result]:
    plan = Plan(shapes, subclasses(data), cache(kept_literal), exact=exact, repeat=repeat)
    validator = Validator(plan, data)
    validator.refuse_patterns()
    found = list(validator.run())
    return found if repeat else list(dict.fromkeys(found))


def graph_of(quads: Iterable[Quad], graph: Graph | None = None) -> Graph:
    """Return the triples of *quads* as a graph of rdflib: as *graph*, when one is given."""
    graph = Graph(bind_namespaces="none") if graph is None else graph
    for subject, predicate, object_, _ in quads:
        graph.add((subject, predicate, object_))
    return graph


@dataclass(frozen=True, slots=True)
class Kept:
    """A data graph in which every literal is as it was sent."""

    graph: MemoryGraph

    def rows(
        self, text: str, bindings: Mapping[str, Term] | None = None, *, stored: bool = False
    ) -> Iterator[Sequence[Term | None]]:
        """See :class:`medkg.shacl.compiled.Data`."""
        del stored
        return self.graph.rows(text, bindings)


class _Loaded:
    """A data graph in memory: once as it was sent, and where that differs once as the engine keeps it."""

    def __init__(self, data: Iterable[Quad], shapes: Graph) -> None:
        quads, keep = list(data), cache(kept_literal)
        sent = [(*quad[:2], _sent(quad[2], keep), None) for quad in quads]
        self.exact = sent != [(*quad[:3], None) for quad in quads] or any(
            _sent(term, keep) != term for term in shapes.objects() if isinstance(term, Literal)
        )
        self._sent, self._stored = MemoryGraph(), MemoryGraph()
        self._sent.add(sent)
        self._stored.add(_quad(triple, SHAPES_GRAPH) for triple in shapes)
        self._stored.add((*quad[:3], None) for quad in quads)

    def rows(
        self, text: str, bindings: Mapping[str, Term] | None = None, *, stored: bool = False
    ) -> Iterator[Sequence[Term | None]]:
        """See :class:`medkg.shacl.compiled.Data`."""
        return (self._stored if stored else self._sent).rows(text, bindings)


def _quad(triple: tuple[Node, Node, Node], graph: URIRef) -> Quad:
    return cast("Quad", (*triple, graph))


def _sent(term: Term, keep: literals.Keep) -> Term:
    return literals.as_sent(term, keep) if isinstance(term, Literal) else term
