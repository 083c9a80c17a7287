"""Keeps the merge and the closures of a store up with what its graphs assert, change by change.

The merge is the default graph: each triple of the public named graphs once, and what follows from them, which
stands in ``graph/inferred`` too unless a graph asserts it.  A change of the graphs costs what it moves, not
what the store holds: what a statement leads to is withdrawn with it, unless something else leads there.
A change of the schema costs as much as it has statements in its reach; where these are too many, or say
themselves what follows from what, all is inferred anew and compared.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from medkg.domain.namespaces import GRAPH, GRAPH_INFERRED, RDF
from medkg.store.closures import (
    BROADER,
    DECLARATIONS,
    TRANSITIVE,
    Object,
    Schema,
    Subject,
    Triple,
    infer,
    ladder,
)
from medkg.store.difference import Difference

__all__ = ["Merge", "build_merge", "is_asserted", "is_public", "make_plain"]

_MENTIONS: Final = str(GRAPH["mentions/"])
_DEFAULT: Final = ox.DefaultGraph()
_INFERRED: Final = ox.NamedNode(str(GRAPH_INFERRED))
_TYPE: Final = ox.NamedNode(str(RDF.type))
_MOST: Final = 100_000
"""Statements of which other things follow after a change of the schema, until all is inferred anew."""


def is_public(graph: str) -> bool:
    """Tell whether a named graph belongs to the merge that queries see as their default graph."""
    return not graph.startswith(_MENTIONS)


def is_asserted(graph: object) -> bool:
    """Tell whether a graph is a public one that somebody wrote."""
    return isinstance(graph, ox.NamedNode) and is_public(graph.value) and graph != _INFERRED


def build_merge(store: ox.Store) -> None:
    """Make the default graph of a store and its ``graph/inferred`` anew, whatever their size."""
    store.remove_graph(_INFERRED)
    store.clear_graph(_DEFAULT)
    # All in one load: each writes files of its own.
    store.bulk_extend(
        ox.Quad(quad.subject, quad.predicate, quad.object)
        for graph in list(store.named_graphs())
        if is_asserted(graph)
        for quad in store.quads_for_pattern(None, None, None, graph)
    )

    def facts(predicate: ox.NamedNode, object_: Object | None) -> Iterator[Triple]:
        return _triples(store.quads_for_pattern(None, predicate, object_, _DEFAULT))

    _, known = infer(facts)
    fresh = [triple for triple in known if _merged(triple) not in store]
    store.bulk_extend(quad for triple in fresh for quad in (_merged(triple), _inferred(triple)))


def make_plain(merged: ox.Store, path: Path, before: ox.Store | None) -> ox.Store:
    """Return a copy of a store at *path* without merge and closures.

    In their place stands what people wrote there: what *before*, a store of that kind, has in its default
    graph and in ``graph/inferred``.
    """
    merged.backup(str(path))
    plain = ox.Store(str(path))
    plain.clear_graph(_DEFAULT)
    plain.remove_graph(_INFERRED)
    if before is not None:
        for graph in (_DEFAULT, _INFERRED):
            plain.bulk_extend(before.quads_for_pattern(None, None, None, graph))
    plain.flush()
    return plain


class Merge:
    """The merge of one store, which nobody else changes; it must be right when this begins."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._schema: Schema | None = None

    def renew(self) -> None:
        """Make the merge anew from what the named graphs hold."""
        build_merge(self._store)
        self._schema = None

    def follow(self, change: Difference) -> Difference:
        """Bring the merge up with a change that the named graphs have already had; return what it took."""
        left, entered = self._moves(change)
        if not left and not entered:
            return Difference()
        old, new = self._schemas(left, entered)
        step = _Step(self._store, old, new, left, entered)
        if step.local:
            lost, gained = step.moves()
            self._schema = new
        else:
            lost, gained = self._anew(left, entered)
        result = Difference()
        for triple in lost:
            result.removed.add(_inferred(triple))
        for triple in gained:
            result.added.add(_inferred(triple))
        result.removed.update(map(_merged, (left - gained) | (lost - entered)))
        result.added.update(quad for quad in map(_merged, entered | gained) if quad not in self._store)
        result.apply(self._store)
        if lost and not any(self._store.quads_for_pattern(None, None, None, _INFERRED)):
            self._store.remove_graph(_INFERRED)
        return result

    def _moves(self, change: Difference) -> tuple[set[Triple], set[Triple]]:
        """Return the triples that no public graph asserts any longer, and those that one now does."""
        left = {
            triple
            for triple in _triples(quad for quad in change.removed if is_asserted(quad.graph_name))
            if not any(is_asserted(quad.graph_name) for quad in self._store.quads_for_pattern(*triple, None))
        }
        entered = {
            triple
            for triple in _triples(quad for quad in change.added if is_asserted(quad.graph_name))
            if _merged(triple) not in self._store or _inferred(triple) in self._store
        }
        return left, entered

    def _schemas(self, left: set[Triple], entered: set[Triple]) -> tuple[Schema, Schema]:
        """Return the schema before the change, and the one that its statements make of it."""
        if self._schema is None:
            self._schema = Schema(self._declared())
        if not any(map(Schema.declares, (*left, *entered))):
            return self._schema, self._schema
        return self._schema, Schema((set(self._declared()) - left) | entered)

    def _declared(self) -> Iterator[Triple]:
        for predicate, object_ in DECLARATIONS:
            yield from _triples(self._store.quads_for_pattern(None, predicate, object_, _DEFAULT))

    def _anew(self, left: set[Triple], entered: set[Triple]) -> tuple[set[Triple], set[Triple]]:
        """Infer all there is to infer; return what is inferred no longer, and what now is."""
        before = set(_triples(self._store.quads_for_pattern(None, None, None, _INFERRED)))

        def facts(predicate: ox.NamedNode, object_: Object | None) -> Iterator[Triple]:
            found = _triples(self._store.quads_for_pattern(None, predicate, object_, _DEFAULT))
            yield from (triple for triple in found if triple not in before and triple not in left)
            yield from (
                triple
                for triple in entered
                if triple[1] == predicate and (object_ is None or triple[2] == object_)
            )

        def asserted(triple: Triple) -> bool:
            if triple in before or triple in left:
                return triple in entered
            return triple in entered or _merged(triple) in self._store

        self._schema, known = infer(facts)
        after = {triple for triple in known if not asserted(triple)}
        return before - after, after - before


class _Step:
    """What a change of the asserted triples leads to; *local* tells whether that can be found by itself."""

    def __init__(
        self, store: ox.Store, old: Schema, new: Schema, left: set[Triple], entered: set[Triple]
    ) -> None:
        self._store = store
        self._old = old
        self._schema = new
        self._left = left
        self._entered = entered
        self._ladder: set[Triple] = set()
        """The transitive statements of the hierarchy after the change, when it is another one."""
        self._withdrawn: set[Triple] = set()
        """What is in question: it may have followed from what no longer holds."""
        self._led_to = entered | new.consequences(entered)
        self._moving = False
        self.local = self._begin()

    def _begin(self) -> bool:
        if self._old is not self._schema:
            differing = None
            if not (self._old.describes_itself or self._schema.describes_itself):
                differing = self._differing()
            if differing is None:
                return False
            self._withdraw(self._left | differing)
        else:
            self._withdraw(self._left)
            if any(map(Schema.declares, (*self._withdrawn, *self._led_to))):
                return False
        hierarchy = {BROADER, *TRANSITIVE}
        self._moving = any(triple[1] in hierarchy for triple in (*self._withdrawn, *self._led_to))
        return not (self._moving and (self._old.tangled or self._schema.tangled))

    def _differing(self) -> set[Triple] | None:
        """Return what follows under one schema only from what held before, or None when that is too much."""
        found: set[Triple] = set()
        number = 0
        for predicate, object_ in self._old.differing(self._schema):
            for triple in _triples(self._store.quads_for_pattern(None, predicate, object_, _DEFAULT)):
                number += 1
                if number > _MOST:
                    return None
                found.update(set(self._old.step(triple)).symmetric_difference(self._schema.step(triple)))
        return found

    def _withdraw(self, triples: set[Triple]) -> None:
        """Put triples in question, and all that follows from them, before the change or after it."""
        found = triples | self._old.consequences(triples)
        if self._old is not self._schema:
            found |= self._schema.consequences(found)
        self._withdrawn |= found

    def moves(self) -> tuple[set[Triple], set[Triple]]:
        """Return the triples that are inferred no longer, and those that now are."""
        if self._moving:
            self._climb()
        holding = self._holding()
        lost, gained = set(), set()
        for triple in self._withdrawn | self._led_to:
            before = _inferred(triple) in self._store
            after = triple in holding and not self._asserted(triple)
            if before and not after:
                lost.add(triple)
            elif after and not before:
                gained.add(triple)
        return lost, gained

    def _climb(self) -> None:
        """Add what the hierarchy led to and leads to now."""
        before = set(_triples(self._store.quads_for_pattern(None, BROADER, None, _DEFAULT)))
        holding = self._holding()
        after = {triple for triple in before if triple not in self._withdrawn}
        after |= {triple for triple in holding if triple[1] == BROADER}
        old, self._ladder = ladder(before), ladder(after)
        self._withdraw(old - self._ladder)
        self._led_to |= (self._ladder - old) | self._schema.consequences(self._ladder - old)

    def _holding(self) -> set[Triple]:
        """Return those of the triples in question that hold after the change."""
        founded = {
            triple
            for triple in self._withdrawn
            if self._asserted(triple) or triple in self._ladder or self._has_reason(triple)
        }
        return self._led_to | founded | self._schema.consequences(founded)

    def _has_reason(self, triple: Triple) -> bool:
        """Tell whether a triple follows from one that held before and is not in question."""
        return any(
            reason not in self._withdrawn and _merged(reason) in self._store
            for reason in self._schema.reasons(triple, self._types)
        )

    def _types(self, node: Subject) -> Iterator[Object]:
        return (quad.object for quad in self._store.quads_for_pattern(node, _TYPE, None, _DEFAULT))

    def _asserted(self, triple: Triple) -> bool:
        """Tell whether a public graph asserts a triple after the change."""
        if triple in self._left:
            return False
        if triple in self._entered:
            return True
        return _merged(triple) in self._store and _inferred(triple) not in self._store


def _triples(quads: Iterable[ox.Quad]) -> Iterator[Triple]:
    for quad in quads:
        if not isinstance(quad.subject, ox.Triple):
            yield quad.subject, quad.predicate, quad.object


def _merged(triple: Triple) -> ox.Quad:
    return ox.Quad(*triple)


def _inferred(triple: Triple) -> ox.Quad:
    return ox.Quad(*triple, _INFERRED)
