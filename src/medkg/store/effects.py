"""Does the operations of an update one by one, and tells which quads each of them moves.

An operation with templates or data is not given to the engine as it stands: its WHERE is asked as a query,
and its templates are filled in with the answers.  So what moves is known before it does, whatever graphs the
variables stand for, and at the cost of what moves, not of what the store holds.  The engine still reads every
text: it expands a template, with a mark in place of each variable, in an empty store.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final
from uuid import uuid4

import pyoxigraph as ox

from medkg.domain.namespaces import PREFIXES
from medkg.store.difference import Difference
from medkg.store.index import Graph
from medkg.store.operations import Operation, Span
from medkg.store.terms import graph_name

__all__ = ["perform"]

_PREFIXES: Final = dict(PREFIXES)
_SOLUTIONS: Final = 10_000
"""Solutions that are filled in at a time."""

_Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_Row = tuple[_Term | None, ...]
"""A solution: the values of the variables, and a new blank node for each of the template."""
_Part = int | _Term | tuple["_Part", "_Part", "_Part"]
"""The place of a value in the solution, the term itself, or the parts of a quoted triple."""


def perform(store: ox.Store, text: str, items: Sequence[Operation], base: str = "") -> Difference:
    """Do operations of a text that parses, one after the other; return what those that write quads moved.

    Operations on whole graphs are left to the engine, and what they move is not told.  An error leaves what
    came before it in the store.

    :raises RuntimeError: a function is not known, or a graph is (not) there; what the engine says.
    :raises OSError, ValueError: the store can't be read or written.
    """
    result = Difference()
    for item in items:
        prologue = " ".join(text[start:end] for start, end in item.prologue)
        operation = _Operation(item, text, prologue, base)
        if item.deletes is None and item.inserts is None:
            operation.run(store)
            continue
        change = operation.change(store)
        if change:
            change.apply(store)
            result |= change
    return result


class _Operation:
    """One operation, with what its text stands in."""

    def __init__(self, item: Operation, text: str, prologue: str, base: str) -> None:
        self._item = item
        self._text = text
        self._prologue = prologue
        self._base = base or None

    def run(self, store: ox.Store) -> None:
        """Have the engine do it."""
        item = self._item
        if item.verb == "CLEAR" and item.graphs is None and item.default:
            # On the disk, CLEAR ALL would drop the graphs.
            self._update(store, "CLEAR NAMED ; CLEAR DEFAULT")
        else:
            self._update(store, self._text[item.start : item.end])

    def change(self, store: ox.Store) -> Difference:
        """Return what it would move: all deletions come before the first insertion (section 3.1.3)."""
        item = self._item
        if item.group is None:
            removed, added = (set(self._expanded(span)) for span in (item.deletes, item.inserts))
        else:
            removed, added = set(), set()
            deletes, inserts = (self._template(span) for span in (item.deletes, item.inserts))
            rows = self._rows(store)
            while some := list(islice(rows, _SOLUTIONS)):
                removed |= _as_kept(deletes.filled(some))
                added |= _as_kept(inserts.filled(some))
        return Difference(
            {quad for quad in removed if quad not in added and quad in store},
            {quad for quad in added if quad not in store},
        )

    def _update(self, store: ox.Store, text: str) -> None:
        store.update(f"{self._prologue} {text}", base_iri=self._base, prefixes=_PREFIXES)

    def _rows(self, store: ox.Store) -> Iterator[_Row]:
        """Yield the solutions of WHERE, those that come to the same once."""
        item = self._item
        names = " ".join(f"?{name}" for name in item.variables)
        if item.fresh:
            head, tail = f"SELECT {names or '*'}", ""
        else:
            head, tail = f"SELECT DISTINCT {names or '*'}", "" if names else "LIMIT 1"
        default, named = self._dataset()
        solutions = store.query(
            f"{self._prologue} {head} WHERE {self._piece(item.group)} {tail}",
            base_iri=self._base,
            prefixes=_PREFIXES,
            default_graph=default,
            named_graphs=named,
        )
        assert isinstance(solutions, ox.QuerySolutions)  # noqa: S101 - it is a SELECT
        return (tuple(solution) if names else () for solution in solutions)

    def _dataset(self) -> tuple[list[Graph] | None, list[ox.NamedNode | ox.BlankNode] | None]:
        """Return the default graph and the named graphs that WHERE reads (None: those of the store)."""
        item = self._item
        if item.using:
            default, named = item.dataset
            return [graph_name(name) for name in default], [graph_name(name) for name in named]
        return (None if item.home is None else [graph_name(item.home)]), None

    def _piece(self, span: Span | None) -> str:
        return "{}" if span is None else self._text[span[0] : span[1]]

    def _expanded(self, span: Span | None, values: str = "") -> Iterable[ox.Quad]:
        """Return the quads of a template, for one solution."""
        home = "" if self._item.home is None else f"WITH {graph_name(self._item.home)} "
        scratch = ox.Store()
        self._update(scratch, f"{home}INSERT {self._piece(span)} WHERE {{ {values} }}")
        return scratch

    def _template(self, span: Span | None) -> "_Template":
        # No text can hold these, since nobody knows them before.
        marks = [ox.NamedNode(f"urn:uuid:{uuid4()}") for _ in self._item.variables]
        names = " ".join(f"?{name}" for name in self._item.variables)
        values = f"VALUES ({names}) {{ ({' '.join(map(str, marks))}) }}"
        return _Template(self._expanded(span, values), marks)


class _Template:
    """Quads with places in them, which solutions fill."""

    def __init__(self, quads: Iterable[ox.Quad], marks: Sequence[ox.NamedNode]) -> None:
        self._places: dict[_Term, int] = {mark: place for place, mark in enumerate(marks)}
        self._quads = [tuple(map(self._part, quad)) for quad in quads]
        self._blanks = len(self._places) - len(marks)

    def _part(self, term: _Term | ox.DefaultGraph) -> "_Part | ox.DefaultGraph":
        if isinstance(term, ox.Triple):
            subject, predicate, object_ = map(self._part, term)
            return subject, predicate, object_  # type: ignore[return-value]
        if isinstance(term, ox.BlankNode):
            return self._places.setdefault(term, len(self._places))
        return term if isinstance(term, ox.DefaultGraph) else self._places.get(term, term)

    def filled(self, rows: Iterable[_Row]) -> Iterator[ox.Quad]:
        """Yield the quads for some solutions, each with blank nodes of its own."""
        for row in rows:
            values = row + tuple(ox.BlankNode() for _ in range(self._blanks))
            for parts in self._quads:
                try:
                    yield ox.Quad(*(_fill(part, values) for part in parts))
                except (TypeError, LookupError):
                    # A literal as subject, or a variable without a value: such a quad is left out.
                    continue


def _fill(part: _Part | ox.DefaultGraph, row: _Row) -> Any:
    if isinstance(part, int):
        value = row[part]
        if value is None:
            raise LookupError
        return value
    if isinstance(part, tuple):
        return ox.Triple(*(_fill(inner, row) for inner in part))
    return part


def _as_kept(quads: Iterable[ox.Quad]) -> set[ox.Quad]:
    """Return quads as a store gives them back: it keeps the value of a number, not how it was written."""
    scratch = ox.Store()
    scratch.extend(quads)
    return set(scratch)
