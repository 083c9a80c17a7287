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
        self._sent = [(*quad[:2], _sent(quad[2], keep), None) for quad in triples]
        self._stored: list[Quad] | None = list(triples)
        if [quad[2] for quad in self._sent] == [quad[2] for quad in triples]:
            self._stored = None
        self._inside: list[Quad] = []
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
        self._put(stored=self._now)

    def take_out(self) -> None:
        """Make the graph what it was before."""
        self._graph.remove(self._inside)
        self._inside = []

    @property
    def added(self) -> list[Quad]:
        """The triples that the graph did not have, with what follows from them."""
        return self._inside

    def rows(
        self, text: str, bindings: Mapping[str, Term] | None = None, *, stored: bool = False
    ) -> Iterator[Sequence[Term | None]]:
        """See :class:`medkg.shacl.compiled.Data`."""
        if stored is not self._now and self._stored is not None:
            self._graph.remove(self._inside)
            self._put(stored=stored)
        return iter(list(self._graph.rows(text, bindings)))

    def _put(self, *, stored: bool) -> None:
        triples = self._stored if stored and self._stored is not None else self._sent
        self._inside = self._graph.insert(triples, self._schema)
        self._now = stored


def _sent(term: Term, keep: Keep) -> Term:
    return as_sent(term, keep) if isinstance(term, Literal) else term
