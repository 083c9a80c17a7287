"""Finds entities by what people call them: codes, slugs, and names in any language, spelt loosely."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process
from rdflib.term import URIRef

from medkg.domain.errors import ParameterError
from medkg.domain.model import Term
from medkg.domain.namespaces import MEDKG, display, slugify
from medkg.domain.naming import as_iris, fold, largest, short
from medkg.store.engine import Engine

__all__ = ["Names", "spelt", "worded"]

_NAMES: Final = """
SELECT ?item ?name ?class WHERE {
  ?item a ?class ; skos:prefLabel|skos:altLabel|skos:hiddenLabel|skos:notation|medkg:acronym ?name .
}
"""
_CLOSE_ENOUGH: Final = 70
"""Similarity (0 to 100) from which a name is offered as a suggestion."""


def worded(term: Term, labels: Mapping[URIRef, str]) -> str:
    """Return what people are shown for a term: its label, else its IRI in short, else its text."""
    return labels.get(term) or display(term) if isinstance(term, URIRef) else str(term)


def spelt(engine: Engine, class_: str) -> Iterator[tuple[URIRef, str]]:
    """Yield each entity of the medkg class *class_* with each of its names and the last part of its IRI."""
    for row in engine.select(_NAMES, {"class": MEDKG[class_]}).rows:
        item = row["item"]
        if isinstance(item, URIRef):
            yield item, str(row["name"])
            yield item, slugify(item)


@dataclass(frozen=True, slots=True)
class _Index:
    """The entities of one class, by folded name and by IRI."""

    by_name: Mapping[str, frozenset[URIRef]]
    by_iri: Mapping[str, URIRef]


class Names:
    """The names of the entities in one engine, read once per class and version."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._indexes: dict[tuple[int, str], _Index] = {}

    def region(self, name: str, *, parameter: str = "region") -> URIRef:
        """Return the region that a NUTS code, an IRI or a name means.

        Of regions with the same name that lie in each other the largest is meant (Luxembourg); current
        regions go before retired ones.

        :raises ParameterError: nothing or more than one thing is called that; candidates are named.
        """
        return self.entity(name, "Region", parameter=parameter)

    def entity(self, name: str, class_: str, *, parameter: str = "entity") -> URIRef:
        """Return the entity of the medkg class *class_* that an IRI, ``type/slug``, notation or name means.

        :raises ParameterError: nothing or more than one thing is called that; candidates are named.
        """
        index = self._index(class_)
        for iri in as_iris(name.strip()):
            if iri in index.by_iri:
                return index.by_iri[iri]
        found = largest(index.by_name.get(fold(name), frozenset()), self._is_retired)
        if len(found) == 1:
            return found[0]
        if found:
            raise ParameterError(
                parameter,
                f"{name!r} may mean {self._list(found)}.",
                remedy="Give the code or the identifier instead.",
            )
        raise ParameterError(
            parameter, f"No {_words(class_)} is called {name!r}.", remedy=self._suggest(name, index.by_name)
        )

    def _index(self, class_: str) -> _Index:
        key = (self._engine.version, class_)
        if key not in self._indexes:
            self._indexes = {old: index for old, index in self._indexes.items() if old[0] == key[0]}
            found: dict[str, set[URIRef]] = {}
            for item, name in spelt(self._engine, class_):
                found.setdefault(fold(name), set()).add(item)
            self._indexes[key] = _Index(
                {name: frozenset(items) for name, items in found.items()},
                {str(item): item for items in found.values() for item in items},
            )
        return self._indexes[key]

    def _is_retired(self, item: URIRef) -> bool:
        return any(self._engine.quads(item, None, MEDKG.RetiredRegion))

    def _suggest(self, name: str, index: Mapping[str, frozenset[URIRef]]) -> str:
        close = process.extract(
            fold(name), index.keys(), scorer=fuzz.ratio, limit=3, score_cutoff=_CLOSE_ENOUGH
        )
        items = list(dict.fromkeys(item for match, _, _ in close for item in sorted(index[match])))[:3]
        return (
            f"Did you mean {self._list(items)}?"
            if items
            else "Use a name, a code or an identifier of the graph."
        )

    def _list(self, items: Sequence[URIRef]) -> str:
        labels = self._engine.labels(items, ("en",))
        return " or ".join(f"{labels.get(item, item)} ({short(item)})" for item in items[:6])


def _words(class_: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", class_).split()
    return " ".join(word if word.isupper() else word.lower() for word in words)
