"""Statements with their places become a submission: blank nodes named by their order, limits held."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rdflib.term import BNode, Literal, URIRef

from medkg.domain.model import Place, Quad, Term
from medkg.domain.submission import Statement, Submission
from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.parsing import ParserStopped
from medkg.intake.rdf.values import bad_character, check_iri, check_literal, check_number

__all__ = ["Placed", "assemble", "bounded", "iri_in", "stopped_at"]


_CHARACTER: Final = re.compile(r"Invalid IRI code point '(.)'")
_IRI: Final = re.compile(r"parsing IRI '(.*?)': ")


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement of the parser with the place of its object, and where its subject is described."""

    quad: Quad
    place: Place
    subject: Place


def bounded(quads: Iterable[Quad], limits: Limits) -> list[Quad]:
    """Return the statements of the parser.

    :raises Refusal: there are too many.
    :raises ParserStopped: see :func:`medkg.intake.rdf.parsing.parse`.
    """
    kept: list[Quad] = []
    for quad in quads:
        if len(kept) >= limits.triples:
            raise Refusal("F-20", Place(), limit=limits.triples)
        kept.append(quad)
    return kept


def assemble(media_type: str, placed: list[Placed], limits: Limits, flaws: Flaws) -> Submission:
    """Return the submission with its statements in the order of the document.

    Blank nodes are ``b0``, ``b1`` and so on in that order, so that the same document gives the same nodes.

    :raises Refusal: there is no statement, one is in a named graph, or a term is over a limit.
    """
    if not placed:
        raise Refusal("F-02", Place(line=1, column=1))
    if all(item.place for item in placed):
        placed = sorted(placed, key=lambda item: (item.place.line, item.place.column))
    labels: dict[BNode, BNode] = {}
    statements = []
    records: dict[URIRef | BNode, Place] = {}
    for item in placed:
        subject, predicate, object_, graph = item.quad
        if graph is not None:
            raise Refusal("F-25", item.place)
        _check(item, limits)
        node = _renamed(subject, labels) if isinstance(subject, BNode) else subject
        value: Term = _renamed(object_, labels) if isinstance(object_, BNode) else object_
        statements.append(Statement(node, predicate, value, item.place))
        records.setdefault(node, item.subject)
    return Submission(media_type, tuple(statements), records, flaws.all())


def _renamed(node: BNode, labels: dict[BNode, BNode]) -> BNode:
    return labels.setdefault(node, BNode(f"b{len(labels)}"))


def _check(item: Placed, limits: Limits) -> None:
    subject, predicate, object_, _ = item.quad

    def where() -> Place:
        return item.place

    if isinstance(subject, URIRef):
        check_iri(subject, lambda: item.subject, limits)
    check_iri(predicate, where, limits)
    if isinstance(object_, URIRef):
        check_iri(object_, where, limits)
    elif isinstance(object_, Literal):
        check_literal(object_, where, limits)
        if object_.datatype is not None:
            check_iri(object_.datatype, where, limits)
            check_number(object_, str(object_.datatype), where)


def stopped_at(error: ParserStopped, place: Place, code: str, **values: object) -> Refusal:
    """Return the refusal for what the parser stopped at, told by what it says of it where that is known."""
    reason = error.reason.lower()
    if "rdf 1.2" in reason or "direction" in reason:
        return Refusal("F-24", place)
    if "language tag" in reason or "subtag" in reason or "language code" in reason:
        return Refusal("F-46", place, found=values.get("found", ""))
    if "no scheme found" in reason:
        return Refusal("F-35", place, iri=iri_in(error))
    character = _CHARACTER.search(error.reason)
    if character is not None:
        return bad_character(iri_in(error), character[1], place)
    if "parsing iri" in reason or "invalid iri" in reason:
        return Refusal("F-29", place, iri=iri_in(error))
    return Refusal(code, place, **values)


def iri_in(error: ParserStopped) -> str:
    """Return the IRI that the parser complains of, where it repeats it."""
    found = _IRI.search(error.reason)
    return found[1] if found else ""
