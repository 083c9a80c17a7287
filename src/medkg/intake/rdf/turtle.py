"""Turtle and N-Triples: every statement with the exact start and end of its object."""

import re
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Place, Quad
from medkg.domain.submission import Submission
from medkg.intake.rdf.assembly import Placed, assemble, bounded, stopped_at
from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import Lines
from medkg.intake.rdf.parsing import ParserStopped, parse
from medkg.intake.rdf.tokens import Kind
from medkg.intake.rdf.walk import Node, Trace, follow

__all__ = ["read_turtle"]

_SHOWN: Final = 30
_IRI: Final = re.compile(r"<([^<>\s]*)>")


def read_turtle(text: str, media_type: str, limits: Limits, flaws: Flaws, base: str | None) -> Submission:
    """Return what a Turtle or N-Triples document says.

    The document is read twice: by the parser for its statements, and beside it for their places.  Each pair
    is compared; should the two ever differ, no place from there on is told rather than a wrong one.

    :raises Refusal: the document can't be read.
    """
    lines = Lines(text)
    plain = media_type == "application/n-triples"
    traces = follow(text, lines, limits, base=base is not None and not plain, plain=plain)
    try:
        quads = bounded(parse(text.encode(), media_type, None if plain else base), limits)
    except ParserStopped as error:
        raise _refusal(error, text, lines) from None
    return assemble(media_type, _placed(quads, traces, lines), limits, flaws)


def _placed(quads: list[Quad], traces: list[Trace], lines: Lines) -> list[Placed]:
    agreed = len(quads) == len(traces)
    places: dict[int, Place] = {}
    placed = []
    for at, quad in enumerate(quads):
        agreed = agreed and _agree(quad, traces[at])
        if not agreed:
            placed.append(Placed(quad, Place(), Place()))
            continue
        subject, node = traces[at]
        # A subject is one node for all that is said of it in one go.
        described = places.get(id(subject))
        if described is None:
            described = places[id(subject)] = lines.place(subject.start, subject.end)
        placed.append(Placed(quad, lines.place(node.start, node.end), described))
    return placed


def _agree(quad: Quad, trace: Trace) -> bool:
    """Tell whether the terms of a statement are those that stand at the places."""
    return _same(quad[0], trace[0]) and _same(quad[2], trace[1])


def _same(term: URIRef | BNode | Literal, node: Node) -> bool:
    if isinstance(term, BNode):
        return node.kind == Kind.MARK
    if isinstance(term, Literal):
        return node.kind in {Kind.STRING, Kind.NUMBER} and str(term) == node.text
    # An IRI with dots as segments may have been resolved.
    return node.kind == Kind.IRI and (node.text is None or str(term) == node.text or "/." in node.text)


def _refusal(error: ParserStopped, text: str, lines: Lines) -> Refusal:
    at = lines.offset(error.line, error.column)
    found = text[at : at + _SHOWN].split("\n", 1)[0]
    iri = _IRI.match(text, at)
    if iri is not None:
        return stopped_at(error, lines.place(at, iri.end()), "F-29", iri=iri[1])
    return stopped_at(error, lines.place(at), "F-30" if found else "F-40", found=found)
