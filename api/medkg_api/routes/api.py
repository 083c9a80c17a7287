"""``/api/...``: lists and items as JSON with the JSON-LD context."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from rdflib.term import URIRef
from starlette.responses import RedirectResponse, Response

from medkg.domain.errors import NotFound, ParameterError
from medkg.services import explore
from medkg.services.explore import LISTINGS, MAX_SIZE, Listing
from medkg.services.questions import fallback
from medkg_api.deps import ContextDep, Language
from medkg_api.headers import cached, page_links

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["entities"])

_RESERVED = frozenset({"page", "size", "lang"})


def _add(listing: Listing) -> None:
    """Add the two routes of one list; the filters are described in the OpenAPI document."""
    described: dict[str, Any] = {
        "parameters": [
            {"name": name, "in": "query", "description": entry.meaning, "schema": {"type": "string"}}
            for name, entry in listing.filters.items()
        ]
    }

    @router.api_route(
        f"/{listing.name}",
        methods=["GET", "HEAD"],
        name=f"list_{listing.name}",
        operation_id=f"list_{listing.name}",
        openapi_extra=described,
    )
    def list_items(
        request: Request,
        context: ContextDep,
        language: Language,
        page: Annotated[int, Query(ge=1, le=1_000_000, description="number of the page, from 1")] = 1,
        size: Annotated[int, Query(ge=1, le=MAX_SIZE, description="items on a page")] = 50,
    ) -> Response:
        """Return one page of the list, with Link headers to its neighbours."""
        # Read first: content newer than its tag is fetched again, older content never would be.
        version = context.engine.version
        given = {name: value for name, value in request.query_params.items() if name not in _RESERVED}
        found = explore.listing(
            context.engine,
            context.names,
            listing,
            given,
            page=page,
            size=size,
            languages=fallback(language),
        )
        links = page_links(request, context.settings.base_url, found)
        response = JSONResponse(context.json_ld.page(found, links), media_type="application/ld+json")
        if links:
            response.headers["Link"] = ", ".join(
                f'<{target}>; rel="{name}"' for name, target in links.items()
            )
        return cached(request, version, response, vary="Accept-Language")

    @router.api_route(
        f"/{listing.name}/{{key:path}}",
        methods=["GET", "HEAD"],
        name=f"get_{listing.name}",
        operation_id=f"get_{listing.name}",
    )
    def get_item(request: Request, context: ContextDep, language: Language, key: str) -> Response:
        """Return one item, named by code, slug, IRI or name."""
        if not key:
            return RedirectResponse(str(request.url.replace(path=request.url.path.rstrip("/"))))
        version = context.engine.version
        iri = _find(context, listing, key)
        item = explore.entity(context.engine, iri, fallback(language))
        response = JSONResponse(context.json_ld.item(item), media_type="application/ld+json")
        return cached(request, version, response, vary="Accept-Language")


def _find(context: ContextDep, listing: Listing, key: str) -> URIRef:
    """Return the entity that *key* names in a list; a slug alone is enough.

    :raises NotFound: there is none.
    """
    try:
        return context.names.entity(key, listing.class_, parameter=listing.name)
    except ParameterError as error:
        raise NotFound(error.message, remedy=error.remedy) from None


for _listing in LISTINGS.values():
    _add(_listing)
