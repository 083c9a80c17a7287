"""Media types and their negotiation (RFC 9110, section 12.5.1): pure functions and one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from medkg.domain.errors import NotAcceptable

__all__ = ["FORMATS", "GRAPH_FORMATS", "RESULT_FORMATS", "Format", "by_name", "negotiate", "wants_html"]

Kind = Literal["results", "graph"]

_SAME_TYPE: Final = 2


@dataclass(frozen=True, slots=True)
class Format:
    """A serialisation: short *name* (also the file extension), the media types it answers to, best first."""

    name: str
    kind: Kind
    media_types: tuple[str, ...]

    @property
    def content_type(self) -> str:
        """The media type as sent, with its character set where one applies."""
        main = self.media_types[0]
        return f"{main}; charset=utf-8" if main.startswith("text/") else main


FORMATS: Final = (
    Format("json", "results", ("application/sparql-results+json", "application/json")),
    Format("xml", "results", ("application/sparql-results+xml", "application/xml", "text/xml")),
    Format("csv", "results", ("text/csv",)),
    Format("tsv", "results", ("text/tab-separated-values",)),
    Format("ttl", "graph", ("text/turtle", "application/turtle", "application/x-turtle")),
    Format("nt", "graph", ("application/n-triples", "text/plain")),
    Format("jsonld", "graph", ("application/ld+json", "application/json")),
    Format("rdfxml", "graph", ("application/rdf+xml", "application/xml", "text/xml")),
)
RESULT_FORMATS: Final = tuple(entry for entry in FORMATS if entry.kind == "results")
GRAPH_FORMATS: Final = tuple(entry for entry in FORMATS if entry.kind == "graph")


@dataclass(frozen=True, slots=True)
class _Range:
    """One member of an Accept header."""

    type: str
    subtype: str
    quality: float

    def specificity(self, media_type: str) -> int:
        """Return 2 for the same type, 1 for ``type/*``, 0 for ``*/*`` and -1 when it does not match."""
        type_, _, subtype = media_type.partition("/")
        if (self.type, self.subtype) == (type_, subtype):
            return _SAME_TYPE
        if self.type == type_ and self.subtype == "*":
            return 1
        return 0 if self.type == self.subtype == "*" else -1


def by_name(name: str, kind: Kind) -> Format:
    """Return the format called *name* for that kind of result.

    :raises NotAcceptable: there is none; the message lists those there are.
    """
    for entry in FORMATS:
        if entry.name == name and entry.kind == kind:
            return entry
    raise NotAcceptable(f"There is no format {name!r} here.", remedy=_choices(kind))


def negotiate(accept: str, kind: Kind) -> Format:
    """Return the format that an Accept value prefers; an empty value takes the first of the table.

    A bare format name (``csv``) is taken too.  Between equal qualities the order of the table decides.

    :raises NotAcceptable: nothing fits; the message lists what is offered.
    """
    offers = RESULT_FORMATS if kind == "results" else GRAPH_FORMATS
    if not accept.strip():
        return offers[0]
    if "/" not in accept and accept.strip() != "*":
        return by_name(accept.strip(), kind)
    ranges = _parse(accept)
    best = max(offers, key=lambda offer: _quality(offer.media_types, ranges))
    if _quality(best.media_types, ranges) <= 0:
        raise NotAcceptable(f"Nothing here fits Accept: {accept[:200]}.", remedy=_choices(kind))
    return best


def wants_html(accept: str) -> bool:
    """Tell whether a client prefers a page: HTML is named and no machine format is preferred to it."""
    ranges = _parse(accept)
    html = max(
        (entry.quality for entry in ranges if entry.specificity("text/html") == _SAME_TYPE), default=0.0
    )
    # Browsers name application/xml too, and mean XHTML.
    others = [name for offer in FORMATS for name in offer.media_types if not name.endswith("/xml")]
    return html > 0 and html >= max(_quality_of(name, ranges) for name in others)


def _choices(kind: Kind) -> str:
    offers = RESULT_FORMATS if kind == "results" else GRAPH_FORMATS
    return "Ask for one of: " + ", ".join(f"{offer.name} ({offer.media_types[0]})" for offer in offers) + "."


def _quality(media_types: Sequence[str], ranges: Sequence[_Range]) -> float:
    return max(_quality_of(media_type, ranges) for media_type in media_types)


def _quality_of(media_type: str, ranges: Sequence[_Range]) -> float:
    matching = [(entry.specificity(media_type), entry.quality) for entry in ranges]
    # The most specific range that matches decides (RFC 9110), so "text/*;q=0.5, text/csv;q=0" refuses CSV.
    specificity, quality = max(matching, default=(-1, 0.0))
    return quality if specificity >= 0 else 0.0


def _parse(accept: str) -> tuple[_Range, ...]:
    return tuple(entry for part in accept.split(",") if (entry := _parse_range(part)) is not None)


def _parse_range(part: str) -> _Range | None:
    media_type, *parameters = (piece.strip() for piece in part.split(";"))
    type_, _, subtype = ("*/*" if media_type == "*" else media_type.lower()).partition("/")
    if not type_ or not subtype:
        return None
    quality = next((value for name in parameters if (value := _parse_quality(name)) is not None), 1.0)
    return _Range(type_, subtype, quality)


def _parse_quality(parameter: str) -> float | None:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return None
    try:
        return min(max(0.0, float(value)), 1.0)
    except ValueError:
        return 0.0
