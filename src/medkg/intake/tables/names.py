"""The names that cells are looked up by: of regions, concepts of lists, organisations, roadmaps."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from rapidfuzz import fuzz, process
from rdflib.term import URIRef

from medkg.domain.namespaces import NUTS
from medkg.domain.naming import as_iris, fold, largest, short

__all__ = ["Candidate", "Names"]

_CODE: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}")
_CLOSE_ENOUGH: Final = 70


@dataclass(frozen=True, slots=True)
class Candidate:
    """A thing that a name may mean; *level* is the NUTS level of a region, -1 for everything else."""

    iri: str
    label: str
    level: int = -1
    retired: bool = False

    def __str__(self) -> str:
        """Return what people are shown: the label, and what to write instead of it."""
        return f"{self.label} ({short(self.iri)})"


@dataclass(frozen=True, slots=True)
class Names:
    """Candidates by IRI; and for each class of medkg (``Region``, ``KET``) their IRIs by folded name."""

    things: Mapping[str, Candidate] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def find(self, kind: str, text: str) -> tuple[Candidate, ...]:
        """Return what *text* may mean, sorted by IRI: a code, an IRI, ``type/slug``, or a name loosely spelt.

        A code or an IRI means what it says, even a region that is retired.  Of several regions with a name
        the current ones are returned, and of regions that lie in each other the largest.
        """
        index = self.kinds.get(kind, {})
        for iri in self._literally(kind, text.strip()):
            if iri in self.things and iri in index.get(fold(self.things[iri].label), ()):
                return (self.things[iri],)
        found = [URIRef(iri) for iri in index.get(fold(text), ())]
        return tuple(
            self.things[str(iri)] for iri in largest(found, lambda iri: self.things[str(iri)].retired)
        )

    def near(self, kind: str, text: str, most: int = 3) -> tuple[Candidate, ...]:
        """Return the things of that kind whose names look most like *text*, the likest first."""
        index = self.kinds.get(kind, {})
        close = process.extract(
            fold(text), index.keys(), scorer=fuzz.ratio, limit=most, score_cutoff=_CLOSE_ENOUGH
        )
        iris = dict.fromkeys(iri for match, _, _ in close for iri in index[match])
        return tuple(self.things[iri] for iri in list(iris)[:most])

    def to_json(self) -> str:
        """Return the names as JSON, for another process."""
        things = {thing.iri: [thing.label, thing.level, thing.retired] for thing in self.things.values()}
        return json.dumps({"things": things, "kinds": self.kinds}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the names that :meth:`to_json` wrote."""
        content = json.loads(text)
        things = {iri: Candidate(iri, *values) for iri, values in content["things"].items()}
        kinds = {
            kind: {name: tuple(iris) for name, iris in index.items()}
            for kind, index in content["kinds"].items()
        }
        return cls(things, kinds)

    @staticmethod
    def _literally(kind: str, text: str) -> tuple[str, ...]:
        """Return the IRIs that *text* may stand for when it is no name: "pl 22", "roadmap/health"."""
        code = re.sub(r"\s", "", text).upper()
        codes = (f"{NUTS}{code}",) if kind == "Region" and _CODE.fullmatch(code) else ()
        return (*codes, *as_iris(text))
