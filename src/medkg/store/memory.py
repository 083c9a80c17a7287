"""A graph in memory, asked by code of our own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Self

import pyoxigraph as ox

from medkg.domain.errors import StoreFailed
from medkg.domain.model import Quad, Term
from medkg.store.closures import DECLARATIONS, Schema
from medkg.store.terms import from_ox, quad_from_ox, quads_to_ox, to_ox

__all__ = ["MemoryGraph"]


class MemoryGraph:
    """The default graph and the named graphs of some quads, in the engine's own memory."""

    def __init__(self) -> None:
        self._store = ox.Store()

    def __len__(self) -> int:
        """Return the number of quads."""
        return len(self._store)

    def add(self, quads: Iterable[Quad]) -> None:
        """Add quads; those without a graph go to the default graph."""
        self._store.bulk_extend(quads_to_ox(quads))

    def insert(self, triples: Iterable[Quad], schema: Schema | None = None) -> list[Quad]:
        """Add triples to the default graph, with what follows from each; return those that were not there."""
        given = [quad.triple for quad in quads_to_ox(triples)]
        plain = [(item.subject, item.predicate, item.object) for item in given]
        follows = schema.consequences(plain) if schema is not None else ()  # type: ignore[arg-type]
        fresh = [
            quad
            for triple in dict.fromkeys((*plain, *follows))
            if (quad := ox.Quad(*triple)) not in self._store
        ]
        self._store.extend(fresh)
        return [quad_from_ox(quad) for quad in fresh]

    def remove(self, triples: Iterable[Quad]) -> None:
        """Take triples out of the default graph."""
        for quad in quads_to_ox(triples):
            self._store.remove(quad)

    def schema(self) -> Schema:
        """Return what the classes and properties in the graph let follow from a statement."""
        found = (
            (quad.subject, quad.predicate, quad.object)
            for name, value in DECLARATIONS
            for quad in self._store.quads_for_pattern(None, name, value, ox.DefaultGraph())
        )
        return Schema(found)  # type: ignore[arg-type]

    @classmethod
    def around(cls, store: ox.Store) -> Self:
        """Return the graph that is *store*, which is changed with it."""
        graph = cls()
        graph._store = store
        return graph

    @classmethod
    def copy(cls, store: ox.Store, hidden: Callable[[str], bool]) -> Self:
        """Return one default graph with that of *store* and its named graphs that are *hidden* from it."""
        graph = cls()
        names = [
            name for name in store.named_graphs() if isinstance(name, ox.NamedNode) and hidden(name.value)
        ]
        graphs: list[ox.NamedNode | ox.DefaultGraph] = [ox.DefaultGraph(), *names]
        for name in graphs:
            quads = store.quads_for_pattern(None, None, None, name)
            graph._store.bulk_extend(ox.Quad(*quad.triple) for quad in quads)
        return graph

    def rows(self, text: str, bindings: Mapping[str, Term] | None = None) -> Iterator[Sequence[Term | None]]:
        """Yield the rows of a SELECT, in the order of its variables; *bindings* are values of some.

        :raises StoreFailed: the engine does not read or can't evaluate the text.
        """
        values: dict[ox.Variable, ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple] = {
            ox.Variable(name): to_ox(term) for name, term in (bindings or {}).items()
        }
        try:
            found = self._store.query(text, substitutions=values)
            if not isinstance(found, ox.QuerySolutions):
                raise TypeError("not a SELECT query")
            for row in found:
                yield [None if term is None else from_ox(term) for term in row]
        except (SyntaxError, RuntimeError, OSError) as error:
            raise StoreFailed(f"The engine could not evaluate a query: {error}.") from error
