"""Media types and their negotiation (RFC 9110, section 12.5.1): pure functions and tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from medkg.domain.errors import NotAcceptable, UnsupportedMedia

__all__ = [
    "DATASET_FORMATS",
    "DOCUMENTS",
    "FORMATS",
    "GRAPH_FORMATS",
    "RESULT_FORMATS",
    "Format",
    "Kind",
    "among",
    "by_name",
    "negotiate",
    "of_document",
    "wants_html",
]

Kind = Literal["results", "graph", "dataset", "report"]

_SAME_TYPE: Final = 2
_MAX_HEADER: Final = 4_096
"""Characters of an Accept value that are read; browsers send 200."""
# A comma or semicolon in a quoted string separates nothing; a quote that is never closed runs to the end.
_MEMBER: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+(?:"|\Z))++', re.DOTALL)
_PIECE: Final = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*+(?:"|\Z))++', re.DOTALL)
_QUALITY: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}", re.ASCII)


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
    Format("nq", "dataset", ("application/n-quads", "text/x-nquads")),
    Format("trig", "dataset", ("application/trig", "application/x-trig")),
)
RESULT_FORMATS: Final = tuple(entry for entry in FORMATS if entry.kind == "results")
GRAPH_FORMATS: Final = tuple(entry for entry in FORMATS if entry.kind == "graph")
DATASET_FORMATS: Final = tuple(entry for entry in FORMATS if entry.kind == "dataset")

# What several formats share (application/xml, text/plain) says too little about a document that is sent here.
_VAGUE: Final = frozenset({"application/json", "application/xml", "text/xml", "text/plain"})
DOCUMENTS: Final[Mapping[str, Format]] = MappingProxyType(
    {name: entry for entry in GRAPH_FORMATS for name in entry.media_types if name not in _VAGUE}
)
"""The media types in which a document that holds one graph is read."""

_OTHER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "turtle": "ttl",
        "n3": "ttl",
        "ntriples": "nt",
        "n-triples": "nt",
        "json-ld": "jsonld",
        "rdf+xml": "rdfxml",
        "rdf": "rdfxml",
        "xml": "rdfxml",
        "nquads": "nq",
        "n-quads": "nq",
    }
)
"""What SPARQLWrapper and others call the formats of graphs, where a format of tables has not that name."""


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
    raise NotAcceptable(f"There is no format {name[:200]!r} here.", remedy=_choices(kind))


def negotiate(accept: str, kind: Kind) -> Format:
    """Return the format that an Accept value prefers; an empty value takes the first of the table.

    A bare format name (``csv``) is taken too, also as other programs call it (``turtle``).  Between equal
    qualities the order of the table decides.  Parameters other than the quality are passed over; so is what
    stands after the first 4,096 characters.

    :raises NotAcceptable: nothing fits; the message lists what is offered.
    """
    accept = _bounded(accept)
    if "/" not in accept and (name := accept.strip()) not in {"", "*"}:
        names = {offer.name for offer in _offers(kind)}
        other = _OTHER_NAMES.get(name, name)
        return by_name(other if name not in names and other in names else name, kind)
    chosen = _preferred(accept, kind)
    if chosen is None:
        raise NotAcceptable(f"Nothing here fits Accept: {accept[:200]}.", remedy=_choices(kind))
    return chosen


def among(accept: str, offers: tuple[Format, ...]) -> Format:
    """Return the one of *offers* that an Accept value prefers, or the one of that name; the first for none.

    :raises NotAcceptable: nothing fits; the message lists what is offered.
    """
    accept = _bounded(accept)
    named = {entry.name: entry for entry in offers}
    if "/" not in accept and (name := accept.strip()) not in {"", "*"}:
        found = named.get(_OTHER_NAMES.get(name, name))
    else:
        found = _best(accept, offers)
    if found is None:
        raise NotAcceptable(f"Nothing here fits Accept: {accept[:200]}.", remedy=_listed(offers))
    return found


def wants_html(accept: str) -> bool:
    """Tell whether a client prefers a page: HTML is named and no machine format is preferred to it."""
    return _prefers_html(_bounded(accept))


def of_document(content_type: str) -> Format:
    """Return the format of a document that holds one graph, by the Content-Type that it is sent with.

    :raises UnsupportedMedia: it is of another type, of one for several graphs, or not in UTF-8.
    """
    head, *parameters = [piece.strip().lower() for piece in _PIECE.findall(content_type[:_MAX_HEADER])] or [
        ""
    ]
    remedy = "Send one of: " + ", ".join(entry.media_types[0] for entry in GRAPH_FORMATS) + "."
    if any(head in entry.media_types for entry in DATASET_FORMATS):
        raise UnsupportedMedia(
            f"A document of type {head!r} may hold several graphs, and one is taken here.", remedy=remedy
        )
    if head not in DOCUMENTS:
        raise UnsupportedMedia(
            f"A document of type {head[:100] or 'none'!r} is not taken here.", remedy=remedy
        )
    for name, _, value in (parameter.partition("=") for parameter in parameters):
        if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMedia(
                f"The character set {value.strip()[:100]} is not taken here.", remedy="Send UTF-8."
            )
    return DOCUMENTS[head]


def _offers(kind: Kind) -> Sequence[Format]:
    return {"results": RESULT_FORMATS, "graph": GRAPH_FORMATS, "dataset": DATASET_FORMATS}[kind]


def _choices(kind: Kind) -> str:
    return _listed(_offers(kind))


def _listed(offers: Sequence[Format]) -> str:
    return "Ask for one of: " + ", ".join(f"{offer.name} ({offer.media_types[0]})" for offer in offers) + "."


def _bounded(accept: str) -> str:
    """Return what is read of a header: all of it, or its whole members within the limit."""
    start = accept[:_MAX_HEADER]
    return accept if len(accept) <= _MAX_HEADER else start.rpartition(",")[0] or start


@lru_cache(maxsize=256)
def _preferred(accept: str, kind: Kind) -> Format | None:
    return _best(accept, tuple(_offers(kind)))


def _best(accept: str, offers: tuple[Format, ...]) -> Format | None:
    if not accept.strip():
        return offers[0]
    ranges = _parse(accept)
    best = max(offers, key=lambda offer: _quality(offer.media_types, ranges))
    return best if _quality(best.media_types, ranges) > 0 else None


@lru_cache(maxsize=256)
def _prefers_html(accept: str) -> bool:
    ranges = _parse(accept)
    html = max(
        (entry.quality for entry in ranges if entry.specificity("text/html") == _SAME_TYPE), default=0.0
    )
    # Browsers name application/xml too, and mean XHTML.
    others = [name for offer in FORMATS for name in offer.media_types if not name.endswith("/xml")]
    return html > 0 and html >= max(_quality_of(name, ranges) for name in others)


def _quality(media_types: Sequence[str], ranges: Sequence[_Range]) -> float:
    main = media_types[0]
    # The first type is what is sent, whatever other name was asked for: who refuses it gets another format.
    if any(entry.specificity(main) == _SAME_TYPE and entry.quality == 0 for entry in ranges):
        return 0.0
    return max(_quality_of(media_type, ranges) for media_type in media_types)


def _quality_of(media_type: str, ranges: Sequence[_Range]) -> float:
    matching = [(entry.specificity(media_type), entry.quality) for entry in ranges]
    # The most specific range that matches decides (RFC 9110), so "text/*;q=0.5, text/csv;q=0" refuses CSV.
    specificity, quality = max(matching, default=(-1, 0.0))
    return quality if specificity >= 0 else 0.0


def _parse(accept: str) -> tuple[_Range, ...]:
    return tuple(
        entry for part in _MEMBER.findall(accept) if (entry := _parse_range(part.strip())) is not None
    )


def _parse_range(part: str) -> _Range | None:
    media_type, *parameters = [piece.strip() for piece in _PIECE.findall(part)] or [""]
    type_, _, subtype = ("*/*" if media_type == "*" else media_type.lower()).partition("/")
    if not type_ or not subtype:
        return None
    quality = next((value for name in parameters if (value := _parse_quality(name)) is not None), 1.0)
    return _Range(type_, subtype, quality)


def _parse_quality(parameter: str) -> float | None:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return None
    # A quality that can't be read refuses: the client meant some reservation.
    return min(float(value), 1.0) if _QUALITY.fullmatch(value := value.strip()) else 0.0
