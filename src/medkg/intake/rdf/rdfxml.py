"""RDF/XML: every statement with the element or the attribute that states it."""

import re
from typing import Final

from rdflib.term import URIRef

from medkg.domain.model import Place, Quad
from medkg.domain.namespaces import RDF
from medkg.domain.submission import Submission
from medkg.intake.rdf.assembly import Placed, assemble, iri_in, stopped_at
from medkg.intake.rdf.elements import Element, Outline, outline
from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.lines import ByteLines
from medkg.intake.rdf.parsing import ParserStopped, Tap, parse

__all__ = ["read_rdfxml"]

_PIECE: Final = re.compile(
    rb"[^<]*+(?:<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*+>)|[^<]++|<",
    re.DOTALL,
)
"""Text with the tag behind it; the document is known to be well formed."""
_LIST_ITEM: Final = str(RDF) + "li"
_MEMBER: Final = str(RDF) + "_"


def read_rdfxml(text: str, limits: Limits, flaws: Flaws, base: str | None) -> Submission:
    """Return what an RDF/XML document says.

    A statement's place is its attribute, or else its property element from the first to the last character;
    the cells of a ``parseType="Collection"`` and reified statements have the place of their property element.
    A subject's place is the start tag of the element that describes it.

    The parser gets the document tag by tag, so that the last tag that it took is the one that completed the
    statement which it tells.

    :raises Refusal: the document can't be read.
    """
    data = text.encode()
    elements = outline(data, ByteLines(text, data), limits)
    if elements.foreign:
        raise Refusal("F-52", elements.tag(elements.root), found=elements.root.shown)
    pieces = _PIECE.findall(data)
    ends = []
    position = 0
    for piece in pieces:
        position += len(piece)
        ends.append(position)
    tap = Tap(pieces)
    stated: list[tuple[Quad, int]] = []
    try:
        for quad in parse(tap, "application/rdf+xml", base):
            if len(stated) >= limits.triples:
                raise Refusal("F-20", Place(), limit=limits.triples)
            stated.append((quad, ends[tap.taken - 1]))
    except ParserStopped as error:
        element = elements.at(ends[tap.taken - 1] if tap.taken else 0)
        place = elements.value(element, iri_in(error))
        raise stopped_at(error, place, "F-54", found=element.shown) from None
    placed = [_placed(quad, elements, position) for quad, position in stated]
    return assemble("application/rdf+xml", placed, limits, flaws)


def _placed(quad: Quad, elements: Outline, position: int) -> Placed:
    """Return the statement with its place, given where the tag ends that completed it."""
    element = elements.at(position)
    predicate = quad[1]
    attribute = elements.attribute(element, str(predicate)) if element.tag_end == position else None
    if attribute is not None:
        return Placed(quad, attribute, elements.tag(element))
    owner = element
    if element.parent is not None and _states(element, predicate):
        owner = element.parent
    is_type = predicate == RDF.type and owner is element
    place = elements.tag(element) if is_type else elements.whole(element)
    return Placed(quad, place, elements.tag(owner))


def _states(element: Element, predicate: URIRef) -> bool:
    """Tell whether an element is the property element of a predicate (``rdf:li`` is that of ``rdf:_1``)."""
    return element.name == str(predicate) or (element.name == _LIST_ITEM and predicate.startswith(_MEMBER))
