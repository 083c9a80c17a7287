"""What a reader tells beside the answer: the terms of our vocabularies that are not there."""

from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import GRAPH, GRAPH_ONTOLOGY, MEDKG, VOCAB
from medkg.store.hints import Named, unknown_terms
from medkg.store.source import Source

__all__ = ["Advice", "describes", "terms"]

_NAMESPACES: Final = (str(MEDKG), str(VOCAB))
_SCHEMES: Final = str(GRAPH["vocab/"])


class Advice:
    """Knows the terms of the ontology and the vocabularies in one version; collected when first needed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._terms = source.terms

    def on(self, outline: Named) -> tuple[str, ...]:
        """Return a sentence for each name in our namespaces that stands for nothing in the store."""
        if not any(name.iri.startswith(_NAMESPACES) for name in outline.names):
            return ()
        terms = self._known()
        # Without the vocabularies in the store there is nothing to be measured by.
        return unknown_terms(outline, terms, _NAMESPACES) if terms else ()

    def _known(self) -> frozenset[str]:
        if self._terms is None:
            self._terms = terms(self._source.whole)
        return self._terms


def terms(store: ox.Store) -> frozenset[str]:
    """Return the terms that the graphs of the ontology and the vocabularies in a store describe."""
    graphs = (name for name in store.named_graphs() if describes(name))
    return frozenset(
        quad.subject.value
        for graph in graphs
        for quad in store.quads_for_pattern(None, None, None, graph)
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(_NAMESPACES)
    )


def describes(graph: object) -> bool:
    """Tell whether a graph is that of the ontology or of a vocabulary."""
    return isinstance(graph, ox.NamedNode) and (
        graph.value == str(GRAPH_ONTOLOGY) or graph.value.startswith(_SCHEMES)
    )
