"""What a reader tells beside the answer: the terms of our vocabularies that are not there."""

from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import GRAPH, GRAPH_ONTOLOGY, MEDKG, VOCAB
from medkg.store.hints import Named, unknown_terms

__all__ = ["Advice"]

_NAMESPACES: Final = (str(MEDKG), str(VOCAB))
_SCHEMES: Final = str(GRAPH["vocab/"])


class Advice:
    """Knows the terms of the ontology and the vocabularies in one store; collected when first needed."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._terms: frozenset[str] | None = None

    def on(self, outline: Named) -> tuple[str, ...]:
        """Return a sentence for each name in our namespaces that stands for nothing in the store."""
        if not any(name.iri.startswith(_NAMESPACES) for name in outline.names):
            return ()
        terms = self._known()
        # Without the vocabularies in the store there is nothing to be measured by.
        return unknown_terms(outline, terms, _NAMESPACES) if terms else ()

    def _known(self) -> frozenset[str]:
        if self._terms is None:
            graphs = [ox.NamedNode(str(GRAPH_ONTOLOGY))]
            graphs += [
                name
                for name in self._store.named_graphs()
                if isinstance(name, ox.NamedNode) and name.value.startswith(_SCHEMES)
            ]
            self._terms = frozenset(
                quad.subject.value
                for graph in graphs
                for quad in self._store.quads_for_pattern(None, None, None, graph)
                if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(_NAMESPACES)
            )
        return self._terms
