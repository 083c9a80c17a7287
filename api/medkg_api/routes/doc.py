"""``/id`` and ``/doc``: every minted IRI answers, and so do the foreign ones that we describe."""

import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from rdflib.term import URIRef
from starlette.responses import Response

from medkg import assets
from medkg.domain.errors import ParameterError
from medkg.domain.namespaces import ID
from medkg.services import explore
from medkg.services.questions import fallback
from medkg.store import formats
from medkg_api.deps import Accept, ContextDep, Language
from medkg_api.headers import cached

__all__ = ["router"]

router = APIRouter(tags=["linked data"])

# A scheme, and none of the letters that no IRI has (RFC 3987, section 2.2).
_IRI: Final = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|\\^`]*')
_SUFFIXES: Final = {"ttl": "ttl", "nt": "nt", "jsonld": "jsonld", "rdf": "rdfxml", "html": "text/html"}


@router.api_route("/id/{kind}/{slug}", methods=["GET", "HEAD"])
def identifier(kind: str, slug: str) -> Response:
    """Send from the name of a thing to the document about it (303, Cool URIs for the Semantic Web)."""
    return RedirectResponse(f"/doc/{kind}/{slug}", 303, headers={"Vary": "Accept"})


@router.api_route("/doc/{kind}/{slug}", methods=["GET", "HEAD"])
def document(
    request: Request, context: ContextDep, accept: Accept, language: Language, kind: str, slug: str
) -> Response:
    """Describe one of our entities, as the client or a suffix (.ttl .nt .jsonld .rdf .html) wants it."""
    name, dot, suffix = slug.rpartition(".")
    if dot and suffix in _SUFFIXES:
        slug, accept = name, _SUFFIXES[suffix]
    return _describe(request, context, ID[f"{kind}/{slug}"], accept, language)


@router.api_route("/doc", methods=["GET", "HEAD"])
def foreign(request: Request, context: ContextDep, accept: Accept, language: Language, iri: str) -> Response:
    """Describe the entity with that IRI, ours or not."""
    if not _IRI.fullmatch(iri):
        raise ParameterError(
            "iri", f"{iri[:200]!r} is not an IRI.", remedy="Give an absolute IRI, percent-encoded."
        )
    return _describe(request, context, URIRef(iri), accept, language)


@router.api_route("/ontology/context.jsonld", methods=["GET", "HEAD"])
def json_ld_context() -> Response:
    """Return the JSON-LD context of all our JSON."""
    return FileResponse(assets.directory("ontology") / "context.jsonld", media_type="application/ld+json")


def _describe(request: Request, context: ContextDep, iri: URIRef, accept: str, language: str) -> Response:
    version = context.engine.version
    item = explore.entity(context.engine, iri, fallback(language))
    if formats.wants_html(accept):
        page = context.pages.get_template("entity.html").render(item=item, language=language)
        return cached(request, version, HTMLResponse(page))
    chosen = formats.negotiate(accept, "graph")
    body = context.engine.serialize(explore.triples(context.engine, item), chosen)
    return cached(request, version, Response(body, media_type=chosen.content_type))
