"""Whether validators find the same: their results as sets, in one spelling."""

from collections.abc import Iterable, Sequence
from functools import cache

import pyoxigraph as ox
from benchmarks.validators.engines import Row
from rdflib import Graph
from rdflib.namespace import SH
from rdflib.term import BNode, Literal, Node, URIRef

from medkg.domain.errors import ShapesRefused
from medkg.services.validation import graph_of
from medkg.shacl.paths import read_path
from medkg.store.files import kept_literal
from medkg.store.terms import from_ox, quad_from_ox, to_ox

__all__ = ["blurred", "difference", "read"]

_SHOWN = 5
"""Results that a message about a difference shows of each side."""


def read(told: str | Iterable[Sequence[str | None]]) -> frozenset[Row]:
    """Return the results that an engine told, as rows or as a report in N-Triples.

    A set: SHACL counts a result of a query once for each solution, and some engines once for each node.
    Numbers and dates are spelled as a store does that keeps values, and all blank nodes are one.
    """
    rows = _rows(told) if isinstance(told, str) else told
    return frozenset(
        (_term(focus), _path(path), _term(value), _term(component), _term(severity))
        for focus, path, value, component, severity in rows
    )


def blurred(rows: frozenset[Row]) -> frozenset[Row]:
    """Return results without what tells one path of several steps from another."""
    return frozenset(
        (focus, path if path is None or _is_predicate(path) else "several steps", value, component, severity)
        for focus, path, value, component, severity in rows
    )


def difference(expected: frozenset[Row], found: frozenset[Row]) -> str:
    """Say in which results *found* differs from what is *expected*; nothing if it does not."""
    sides = (("lacks", expected - found), ("has besides", found - expected))
    return "".join(
        f"  {what} {len(rows)}:\n" + "".join(f"    {row}\n" for row in sorted(rows, key=str)[:_SHOWN])
        for what, rows in sides
        if rows
    )


def _rows(report: str) -> Iterable[Row]:
    quads = ox.parse(report, format=ox.RdfFormat.N_TRIPLES)
    graph = graph_of(quad_from_ox(quad) for quad in quads)
    for result in graph.objects(None, SH.result):
        path = graph.value(result, SH.resultPath)
        yield (
            _text(graph.value(result, SH.focusNode)),
            None if path is None else _written(graph, path),
            _text(graph.value(result, SH.value)),
            _text(graph.value(result, SH.sourceConstraintComponent)),
            _text(graph.value(result, SH.resultSeverity)),
        )


def _written(graph: Graph, path: Node) -> str:
    try:
        return read_path(graph, path).sparql()
    except ShapesRefused:
        return "unreadable"


def _text(node: Node | None) -> str | None:
    return str(to_ox(node)) if isinstance(node, URIRef | BNode | Literal) else None


def _is_predicate(path: str) -> bool:
    return path.startswith("<") and path.find(">") == len(path) - 1


@cache
def _term(text: str | None) -> str | None:
    if text is None:
        return None
    if text.startswith("_:"):
        return "_:"
    (quad,) = ox.parse(f"<urn:a> <urn:a> {text} .", format=ox.RdfFormat.N_TRIPLES)
    term = from_ox(quad.object)
    return _text(kept_literal(term) if isinstance(term, Literal) else term)


def _path(text: str | None) -> str | None:
    """Return a path without spaces, and without brackets around the whole of it."""
    if text is None:
        return None
    text = text.replace(" ", "")
    return text[1:-1] if text.startswith("(") and text.find(")") == len(text) - 1 else text
