"""Reads the RDF files that a build is made of, with the line of whatever is wrong."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final, cast

import pyoxigraph as ox
from rdflib.term import Literal, URIRef

from medkg.domain.errors import SourceFileError
from medkg.domain.model import Quad
from medkg.store.terms import from_ox, quad_from_ox, to_ox

__all__ = ["kept_literal", "places", "read_document", "read_turtle"]


def read_turtle(path: Path, graph: URIRef) -> list[Quad]:
    """Return the triples of a Turtle file as quads of *graph*, in file order, repeated ones included.

    Blank nodes get their RDFC-1.0 labels behind the name of the file, so that the same file always gives the
    same quads and two files never share a node.

    :raises SourceFileError: the file is not there or does not parse; with the line and the reason.
    """
    try:
        data = path.read_bytes()
        quads = list(ox.parse(data, format=ox.RdfFormat.TURTLE))
    except SyntaxError as error:
        reason = (error.msg or "it is not Turtle").strip().rstrip(".")
        raise SourceFileError(
            path,
            f"the file is not valid Turtle: {reason}.",
            line=error.lineno,
            remedy="Mend the file and build again.",
        ) from None
    except OSError as error:
        raise SourceFileError(path, f"the file can't be read ({error.strerror}).") from None
    if any(isinstance(term, ox.BlankNode) for quad in quads for term in (quad.subject, quad.object)):
        dataset = ox.Dataset(quads)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0_SHA_256)
        quads = [_relabel(quad, path) for quad in sorted(dataset, key=str)]
    return [(*quad_from_ox(quad)[:3], graph) for quad in quads]


_SUFFIXES: Final[Mapping[str, ox.RdfFormat]] = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".json": ox.RdfFormat.JSON_LD,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".trig": ox.RdfFormat.TRIG,
    ".nq": ox.RdfFormat.N_QUADS,
}


def read_document(path: Path) -> list[Quad]:
    """Return the triples of an RDF file, whatever graphs it has, as quads of the default graph.

    What it is written in is told by the end of its name; relative IRIs are relative to the file.

    :raises SourceFileError: the file is not there, has another kind of name, or does not parse.
    """
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        known = ", ".join(_SUFFIXES)
        raise SourceFileError(
            path, "the name does not tell its format.", remedy=f"Name it with one of {known}."
        )
    try:
        quads = ox.parse(path.read_bytes(), format=form, base_iri=path.resolve().as_uri())
        return [(*quad_from_ox(quad)[:3], None) for quad in quads]
    except SyntaxError as error:
        reason = (error.msg or "it does not parse").strip().rstrip(".")
        raise SourceFileError(path, f"{reason}.", line=error.lineno, remedy="Mend the file.") from None
    except TypeError:
        raise SourceFileError(path, "it has triples as terms, which are not taken here.") from None
    except OSError as error:
        raise SourceFileError(path, f"the file can't be read ({error.strerror}).") from None


def _relabel(quad: ox.Quad, path: Path) -> ox.Quad:
    name = f"{path.parent.name}-{path.stem}-"
    subject, object_ = (
        ox.BlankNode(name + term.value) if isinstance(term, ox.BlankNode) else term
        for term in (quad.subject, quad.object)
    )
    return ox.Quad(subject, quad.predicate, object_)  # type: ignore[arg-type]


class _Tap(io.RawIOBase):
    """A file that gives one byte per read and knows how far it has been read."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data
        self.position = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next byte, whatever *size* asks for."""
        del size
        byte = self._data[self.position : self.position + 1]
        self.position += 1
        return byte


def _object_end(data: bytes, position: int) -> int:
    """Step back over punctuation, white space and whole comment lines to the end of the object."""
    while position > 0:
        start = data.rfind(b"\n", 0, position) + 1
        if data[start:position].lstrip().startswith(b"#"):
            position = start
        elif data[position - 1 : position] in b" \t\r\n;,.)]":
            position -= 1
        else:
            break
    return position


def places(path: Path, graph: URIRef) -> Iterator[tuple[Quad, int]]:
    """Yield each quad of a Turtle file with the line (1-based) on which its object ends.

    The parser gives no positions; it is fed byte by byte, so the reader stands just behind the object, or
    behind its closing punctuation, when a triple comes out.  Slow: for messages about a file with a fault.
    """
    data = path.read_bytes()
    tap = _Tap(data)
    for quad in ox.parse(cast("IO[bytes]", tap), format=ox.RdfFormat.TURTLE):
        end = _object_end(data, min(tap.position, len(data)))
        yield (*quad_from_ox(quad)[:3], graph), data.count(b"\n", 0, end) + 1


def kept_literal(literal: Literal) -> Literal:
    """Return *literal* in the form in which the engine keeps it (``1.10`` becomes ``1.1``)."""
    store = ox.Store()
    node = ox.NamedNode("urn:medkg:literal")
    store.add(ox.Quad(node, node, to_ox(literal)))
    kept = next(from_ox(quad.object) for quad in store)
    return kept if isinstance(kept, Literal) else literal
