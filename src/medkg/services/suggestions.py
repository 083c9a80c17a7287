"""What may have been meant: names that look like a value that is not right."""

from collections.abc import Iterator
from typing import Final

from rapidfuzz import fuzz, process
from rdflib.namespace import SH
from rdflib.term import Literal, Node, URIRef

from medkg.domain.namespaces import compact, display
from medkg.services.rules import Rules
from medkg.shacl.compiled import Data
from medkg.shacl.literals import term_text
from medkg.shacl.paths import items
from medkg.shacl.results import Result

__all__ = ["Suggestions"]

_CLOSE: Final = 75
"""Similarity (0 to 100) from which a name is offered."""
_LABEL: Final = "<http://www.w3.org/2004/02/skos/core#prefLabel>"


class Suggestions:
    """Looks for what was meant, among the terms of the shapes and the things in a graph."""

    def __init__(self, rules: Rules, data: Data, language: str) -> None:
        self._rules = rules
        self._data = data
        self._language = language

    def of(self, result: Result) -> str:
        """Return what people are shown: the likest thing with its label; "" where nothing is like it."""
        if result.component == SH.ClosedConstraintComponent and result.path is not None:
            return self._property(result)
        if result.component == SH.ClassConstraintComponent and isinstance(result.value, URIRef):
            return self._instance(result, result.value)
        return ""

    def _property(self, result: Result) -> str:
        graph = self._rules.graph_of(result.shape)
        ignored = graph.value(result.shape, SH.ignoredProperties)
        names = (
            [node for node in items(graph, ignored) if isinstance(node, URIRef)]
            if ignored is not None
            else []
        )
        names += [node for inner in graph.objects(result.shape, SH.property) for node in _paths(graph, inner)]
        wanted = str(result.path.predicate) if result.path is not None else ""
        return _likest(wanted, {compact(str(name)): compact(str(name)) for name in names})

    def _instance(self, result: Result, value: URIRef) -> str:
        graph = self._rules.graph_of(result.shape)
        classes = [cls for cls in graph.objects(result.shape, SH["class"]) if isinstance(cls, URIRef)]
        names = {name: name for cls in classes for name in self._rules.instances.get(cls, ())}
        found = _likest(str(value), names)
        return self._labelled(found) if found else ""

    def _labelled(self, iri: str) -> str:
        """Return what people are shown for a thing: its label, and how it is written."""
        thing = URIRef(iri)
        rows = self._data.rows(f"SELECT ?label {{ {term_text(thing)} {_LABEL} ?label }}")
        labels = {item.language or "": str(item) for item, *_ in rows if isinstance(item, Literal)}
        label = labels.get(self._language) or labels.get("en") or next(iter(labels.values()), "")
        return f"{label} ({display(iri)})" if label else display(iri)


def _paths(graph: object, node: Node) -> Iterator[URIRef]:
    yield from (path for path in graph.objects(node, SH.path) if isinstance(path, URIRef))  # type: ignore[attr-defined]


def _likest(wanted: str, names: dict[str, str]) -> str:
    """Return what is shown for the name whose end looks most like that of *wanted*."""
    ends = {name: name.rstrip("/").rpartition("/")[2].rpartition(":")[2] for name in names}
    end = wanted.rstrip("/").rpartition("/")[2].rpartition("#")[2]
    best = process.extractOne(end, ends, scorer=fuzz.ratio, score_cutoff=_CLOSE)
    return names[best[2]] if best is not None and best[2] != wanted else ""
