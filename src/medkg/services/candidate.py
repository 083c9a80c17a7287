"""The public graph with a submission in it, which nobody else sees: changed, asked, and made as before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from rdflib.term import Literal

from medkg.domain.model import Quad, Term
from medkg.shacl.literals import Keep, as_sent
from medkg.store.closures import Schema
from medkg.store.memory import MemoryGraph

__all__ = ["Candidate"]


class Candidate:
    """A graph with some more triples: as they were sent, or as the engine keeps them, whatever is asked for.

    The two differ where a literal is not in canonical form.
    """

    def __init__(
        self, graph: MemoryGraph, triples: Sequence[Quad], schema: Schema | None, keep: Keep
    ) -> None:
        self._graph = graph
        self._schema = schema
        sent: list[Quad] = [(*quad[:2], _sent(quad[2], keep), None) for quad in triples]
        pairs = [pair for pair in zip(sent, triples, strict=True) if pair[0][2] != pair[1][2]]
        self._alike = [quad for quad, stored in zip(sent, triples, strict=True) if quad[2] == stored[2]]
        self._forms = [one for one, _ in pairs], [other for _, other in pairs]
        """The triples that differ: as they were sent, and as the engine keeps them."""
        self._inside: list[Quad] = []
        self._differing: list[Quad] = []
        self._now = False

    def __enter__(self) -> Self:
        """Put the triples into the graph."""
        self.put_in()
        return self

    def __exit__(self, *_: object) -> None:
        """Take out what was put in."""
        self.take_out()

    def put_in(self) -> None:
        """Put the triples into the graph."""
        self._inside = self._graph.insert(self._alike, self._schema)
        self._differing = self._graph.insert(self._forms[self._now], self._schema)

    def take_out(self) -> None:
        """Make the graph what it was before."""
        self._graph.remove(self.added)
        self._inside, self._differing = [], []

    @property
    def added(self) -> list[Quad]:
        """The triples that the graph did not have, with what follows from them."""
        return [*self._inside, *self._differing]

    def rows(
        self, text: str, bindings: Mapping[str, Term] | None = None, *, stored: bool = False
    ) -> Iterator[Sequence[Term | None]]:
        """See :class:`medkg.shacl.compiled.Data`."""
        if stored is not self._now:
            self._now = stored
            if self._forms[stored]:
                self._graph.remove(self._differing)
                self._differing = self._graph.insert(self._forms[stored], self._schema)
        return iter(list(self._graph.rows(text, bindings)))


def _sent(term: Term, keep: Keep) -> Term:
    return as_sent(term, keep) if isinstance(term, Literal) else term
