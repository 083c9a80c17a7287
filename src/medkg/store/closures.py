"""The closures that are materialised into ``graph/inferred``: what follows from what the graphs assert.

They are data, not rewriting: the standard's own ``skos:broaderTransitive`` and the types, superproperties and
inverses that the ontology declares.  Eight rules give them:

- inverses (OWL 2 RL, prp-inv1 and prp-inv2) and symmetric properties (prp-symp), of IRIs;
- ``skos:broader`` and ``skos:narrower`` as each other's inverse (SKOS Reference, S25), both ways;
- ``skos:broaderTransitive`` and ``skos:narrowerTransitive`` between a concept and each of its ancestors (S22
  to S24), without the concept itself;
- types of the superclasses (OWL 2 RL, cax-sco) and statements of the superproperties (prp-spo1), where these
  are IRIs.

All but the two transitive ones take one statement besides the schema, so that what follows from a statement
can be told from it alone: :class:`Schema` does, for the whole graph and for a change of it alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import OWL, RDF, RDFS, SKOS

__all__ = [
    "BROADER",
    "DECLARATIONS",
    "TRANSITIVE",
    "Facts",
    "Object",
    "Schema",
    "Subject",
    "Triple",
    "infer",
    "ladder",
]

Subject = ox.NamedNode | ox.BlankNode
Object = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Triple = tuple[Subject, ox.NamedNode, Object]
"""Subject, predicate and object, as terms of the engine."""

Facts = Callable[[ox.NamedNode, Object | None], Iterable[Triple]]
"""Gives the asserted statements of a property, all of them or those with one object."""

_Links = Mapping[Object, AbstractSet[Object]]
_Above = Mapping[Object, frozenset[ox.NamedNode]]

_TYPE: Final = ox.NamedNode(str(RDF.type))
_SUBCLASS: Final = ox.NamedNode(str(RDFS.subClassOf))
_SUBPROPERTY: Final = ox.NamedNode(str(RDFS.subPropertyOf))
_INVERSE: Final = ox.NamedNode(str(OWL.inverseOf))
_SYMMETRIC: Final = ox.NamedNode(str(OWL.SymmetricProperty))
_NARROWER: Final = ox.NamedNode(str(SKOS.narrower))
_ABOVE: Final = ox.NamedNode(str(SKOS.broaderTransitive))
_BELOW: Final = ox.NamedNode(str(SKOS.narrowerTransitive))
BROADER: Final = ox.NamedNode(str(SKOS.broader))
TRANSITIVE: Final = (_ABOVE, _BELOW)
DECLARATIONS: Final = ((_SUBCLASS, None), (_SUBPROPERTY, None), (_INVERSE, None), (_TYPE, _SYMMETRIC))
"""The statements that make the schema, by property and object."""

_NONE: Final[frozenset[Object]] = frozenset()
_DECLARING: Final = frozenset({_SUBCLASS, _SUBPROPERTY, _INVERSE})
_SKOS: Final = {BROADER: _NARROWER, _NARROWER: BROADER}


class Schema:
    """What follows from one statement, by the classes and properties that *declared* statements describe."""

    def __init__(self, declared: Iterable[Triple]) -> None:
        links: dict[ox.NamedNode, dict[Object, set[Object]]] = {name: {} for name, _ in DECLARATIONS}
        for subject, predicate, object_ in declared:
            if self.declares((subject, predicate, object_)):
                links[predicate].setdefault(subject, set()).add(object_)
        self._superclasses = _reached(links[_SUBCLASS])
        self._superproperties = _reached(links[_SUBPROPERTY])
        self._opposites: dict[Object, set[ox.NamedNode]] = {}
        for one, others in links[_INVERSE].items():
            for other in others:
                self._oppose(one, other)
                self._oppose(other, one)
        for one in links[_TYPE]:
            self._oppose(one, one)
        self._subclasses = _turned(self._superclasses)
        self._subproperties = _turned(self._superproperties)
        self.properties: frozenset[ox.NamedNode] = frozenset(
            name
            for name in (
                *self._superproperties,
                *self._opposites,
                *_SKOS,
                *[_TYPE] * bool(self._superclasses),
            )
            if isinstance(name, ox.NamedNode)
        )
        """Those whose statements something can follow from."""

    @staticmethod
    def declares(triple: Triple) -> bool:
        """Tell whether a statement belongs to the schema."""
        _, predicate, object_ = triple
        return predicate in _DECLARING or (predicate == _TYPE and object_ == _SYMMETRIC)

    @property
    def tangled(self) -> bool:
        """True when hierarchies follow from the transitive properties, which follow from hierarchies."""
        reached: set[ox.NamedNode] = set()
        front: set[ox.NamedNode] = set(TRANSITIVE)
        while front:
            reached |= front
            further = {
                name
                for known in front
                for name in (*self._superproperties.get(known, ()), *self._opposites.get(known, ()))
            }
            front = further - reached
        return not reached.isdisjoint({BROADER, _NARROWER, _TYPE})

    @property
    def describes_itself(self) -> bool:
        """True when a statement of the schema may follow from another statement."""
        declaring = {*_DECLARING, _TYPE}
        return any(
            not declaring.isdisjoint(names) for links in self.links[:2] for names in links.values()
        ) or any(_SYMMETRIC in names for names in self._superclasses.values())

    @property
    def links(self) -> tuple[_Links, _Links, _Links]:
        """The superproperties and the opposites of each property, and the superclasses of each class."""
        return self._superproperties, self._opposites, self._superclasses

    def differing(self, other: "Schema") -> Iterator[tuple[ox.NamedNode, Object | None]]:
        """Yield property and object (None: any) of the statements from which *other* things may follow."""
        *properties, classes = (
            {name for name in one.keys() | two.keys() if one.get(name, _NONE) != two.get(name, _NONE)}
            for one, two in zip(self.links, other.links, strict=True)
        )
        for name in set().union(*properties):
            if isinstance(name, ox.NamedNode):
                yield name, None
        for name in classes:
            yield _TYPE, name

    def consequences(self, start: Iterable[Triple]) -> set[Triple]:
        """Return all that follows from each of the statements by itself, and those that others lead to."""
        found: set[Triple] = set()
        front = [triple for triple in start if triple[1] in self.properties]
        while front:
            for triple in self.step(front.pop()):
                if triple not in found:
                    found.add(triple)
                    if triple[1] in self.properties:
                        front.append(triple)
        return found

    def step(self, triple: Triple) -> Iterator[Triple]:
        """Yield what follows from a statement in one step."""
        subject, predicate, object_ = triple
        if isinstance(object_, ox.NamedNode | ox.BlankNode):
            # The writer points no inverse at a blank node; SKOS has none.
            if isinstance(subject, ox.NamedNode):
                for name in self._opposites.get(predicate, ()):
                    yield object_, name, subject
            if predicate in _SKOS:
                yield object_, _SKOS[predicate], subject
        for name in self._superproperties.get(predicate, ()):
            yield subject, name, object_
        if predicate == _TYPE:
            for above in self._superclasses.get(object_, ()):
                yield subject, _TYPE, above

    def reasons(self, triple: Triple, types: Callable[[Subject], Iterable[Object]]) -> Iterator[Triple]:
        """Yield the statements that this one follows from in one step; *types* gives those of a node."""
        subject, predicate, object_ = triple
        if isinstance(object_, ox.NamedNode):
            for name in self._opposites.get(predicate, ()):
                yield object_, name, subject
        if predicate in _SKOS and isinstance(object_, ox.NamedNode | ox.BlankNode):
            yield object_, _SKOS[predicate], subject
        for below in self._subproperties.get(predicate, ()):
            if isinstance(below, ox.NamedNode):
                yield subject, below, object_
        if predicate == _TYPE and (classes := self._subclasses.get(object_)):
            for class_ in types(subject):
                if class_ in classes:
                    yield subject, _TYPE, class_

    def _oppose(self, one: Object, other: Object) -> None:
        if isinstance(other, ox.NamedNode):
            self._opposites.setdefault(one, set()).add(other)


def _reached(links: Mapping[Object, set[Object]]) -> _Above:
    """Return the IRIs that are reached from each node over one or more links, without the node itself."""
    found: dict[Object, frozenset[ox.NamedNode]] = {}
    for start in links:
        seen: set[Object] = set()
        front = [start]
        while front:
            fresh = links.get(front.pop(), set()) - seen
            seen |= fresh
            front.extend(fresh)
        found[start] = frozenset(node for node in seen if isinstance(node, ox.NamedNode) and node != start)
    return found


def _turned(links: _Above) -> _Links:
    turned: dict[Object, set[Object]] = {}
    for start, ends in links.items():
        for end in ends:
            turned.setdefault(end, set()).add(start)
    return {end: frozenset(starts) for end, starts in turned.items()}


def ladder(hierarchy: Iterable[Triple]) -> set[Triple]:
    """Return the transitive statements that follow from those of ``skos:broader``."""
    links: dict[Object, set[Object]] = {}
    for below, predicate, above in hierarchy:
        if predicate == BROADER:
            links.setdefault(below, set()).add(above)
    found: set[Triple] = set()
    for start in links:
        seen: set[Object] = set()
        front = [start]
        while front:
            fresh = links.get(front.pop(), set()) - seen
            seen |= fresh
            front.extend(fresh)
        for end in seen - {start}:
            if isinstance(start, ox.NamedNode | ox.BlankNode):
                found.add((start, _ABOVE, end))
            if isinstance(end, ox.NamedNode | ox.BlankNode):
                found.add((end, _BELOW, start))
    return found


def infer(facts: Facts) -> tuple[Schema, set[Triple]]:
    """Return the schema of a whole graph and all that follows in it, be it asserted as well or not."""
    declared = {triple for predicate, object_ in DECLARATIONS for triple in facts(predicate, object_)}
    known: set[Triple] = set()
    while True:
        schema = Schema(declared)
        for predicate in schema.properties:
            known |= schema.consequences(facts(predicate, None))
        known |= schema.consequences(known)
        _climb(schema, facts, known)
        # What was inferred may itself say what follows from what.
        grown = declared.union(triple for triple in known if Schema.declares(triple))
        if grown == declared:
            return schema, known
        declared = grown


def _climb(schema: Schema, facts: Facts, known: set[Triple]) -> None:
    """Add the transitive statements, and what follows from them, to what is known."""
    fresh: set[Triple] = {(BROADER, BROADER, BROADER)}
    while any(predicate == BROADER for _, predicate, _ in fresh):
        steps = ladder((*facts(BROADER, None), *known))
        fresh = (steps | schema.consequences(steps)) - known
        known |= fresh
