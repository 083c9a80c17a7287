"""The parser of record: the one place of intake that knows pyoxigraph."""

import io
import re
from collections.abc import Iterator, Mapping
from typing import IO, Final, cast

import pyoxigraph as ox
from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Quad, Term
from medkg.domain.namespaces import XSD

__all__ = ["ParserStopped", "Tap", "parse"]

_FORMATS: Final[Mapping[str, ox.RdfFormat]] = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/ld+json;streaming": ox.RdfFormat.STREAMING_JSON_LD,
}
_STRING: Final = str(XSD.string)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


class ParserStopped(Exception):
    """The parser stopped: why, in its own words, and where (1-based; 0 where it does not say)."""

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


class Tap(io.RawIOBase):
    """A file that hands out given pieces, one per read; *taken* says how many have been read to their end."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._at = 0
        self.taken = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return what is left of a piece, at most *size* bytes of it: the parser has no room for more."""
        if self.taken == len(self._pieces):
            return b""
        piece = self._pieces[self.taken]
        end = len(piece) if size < 0 else min(len(piece), self._at + size)
        part = piece[self._at : end]
        self._at = end
        if end == len(piece):
            self.taken, self._at = self.taken + 1, 0
        return part


def parse(source: bytes | Tap, media_type: str, base: str | None) -> Iterator[Quad]:
    """Yield the statements in the parser's order, literals as they were sent, blank nodes as it names them.

    :raises ParserStopped: the document is not of that format, or has triple terms or text directions.
    """
    data = source if isinstance(source, bytes) else cast("IO[bytes]", source)
    try:
        for quad in ox.parse(data, format=_FORMATS[media_type], base_iri=base):
            name = quad.graph_name
            subject, predicate = _term(quad.subject), _term(quad.predicate)
            if isinstance(subject, Literal) or not isinstance(predicate, URIRef):
                raise ParserStopped("a term stands where it may not")
            graph = None if isinstance(name, ox.DefaultGraph) else URIRef(name.value)
            yield subject, predicate, _term(quad.object), graph
    except SyntaxError as error:
        raise ParserStopped(str(error.msg), error.lineno or 0, error.offset or 0) from None
    except ValueError as error:
        raise ParserStopped(str(error)) from None


def _term(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Term:
    """Return the rdflib term; the literal keeps its lexical form."""
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    if isinstance(term, ox.Triple) or term.direction is not None:
        raise ParserStopped("RDF 1.2")
    if term.language:
        if not _LANGUAGE.fullmatch(term.language):
            raise ParserStopped("language tag")
        return Literal(term.value, lang=term.language)
    # rdflib tells "x" from "x"^^xsd:string; RDF 1.1 does not.
    if term.datatype.value == _STRING:
        return Literal(term.value)
    return Literal(term.value, datatype=URIRef(term.datatype.value), normalize=False)
