"""Bytes of an RDF document in, a submission out; whatever the bytes are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from medkg.domain.model import Place
from medkg.domain.submission import Submission
from medkg.intake.rdf.encoding import decode
from medkg.intake.rdf.flaws import Flaws, Refusal
from medkg.intake.rdf.jsonld import read_jsonld
from medkg.intake.rdf.limits import Limits
from medkg.intake.rdf.rdfxml import read_rdfxml
from medkg.intake.rdf.turtle import read_turtle
from medkg.intake.rdf.values import has_scheme

__all__ = ["read_rdf"]

_NONE: Final[Mapping[str, bytes]] = MappingProxyType({})


def read_rdf(
    data: bytes,
    media_type: str,
    *,
    limits: Limits,
    base: str | None = None,
    contexts: Mapping[str, bytes] = _NONE,
) -> Submission:
    """Return what an RDF document says: its statements with their places, its records, its flaws.

    *base* is what relative IRIs are relative to (none: they are refused, unless the document has one).
    *contexts* are the JSON-LD contexts that a document may name, by their IRI; nothing is ever fetched.
    *media_type* is one that :func:`medkg.intake.rdf.recognise` tells; any other is refused as the rest is: in
    a flaw, without statements.  Nothing is raised for what the bytes are.

    The parser may still end its process on input that is not thought of here: call this in a child process.
    """
    flaws = Flaws(limits.reported)
    try:
        text = decode(data, limits, flaws)
        return _read(text, media_type, limits, flaws, base, contexts)
    except Refusal as refusal:
        return Submission(media_type, flaws=(*flaws.all(), refusal.flaw))


def _read(  # noqa: PLR0913, PLR0917 - what read_rdf was given
    text: str, media_type: str, limits: Limits, flaws: Flaws, base: str | None, contexts: Mapping[str, bytes]
) -> Submission:
    usable = base if base and has_scheme(base) else None
    if media_type in {"text/turtle", "application/n-triples"}:
        return read_turtle(text, media_type, limits, flaws, usable)
    if media_type == "application/rdf+xml":
        return read_rdfxml(text, limits, flaws, usable)
    if media_type == "application/ld+json":
        return read_jsonld(text, limits, flaws, usable, contexts)
    if media_type in {"application/n-quads", "application/trig"}:
        raise Refusal("F-12", Place(), found=media_type)
    raise Refusal("F-11", Place(), found=media_type)
