"""``/``: the home page, and for programs what a client can do from here."""

from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.responses import Response

from medkg import __version__
from medkg.services import questions
from medkg.services.explore import LISTINGS
from medkg.store.formats import wants_html
from medkg_api.deps import Accept, ContextDep, Language
from medkg_api.headers import cached

__all__ = ["router"]

router = APIRouter(tags=["home"])

_READY = (2, 6, 12)
"""The three questions that the home page offers."""


@router.api_route("/", methods=["GET", "HEAD"])
def home(request: Request, context: ContextDep, accept: Accept, language: Language) -> Response:
    """Say what this is and where to start."""
    version = context.engine.version
    if wants_html(accept):
        ready = [questions.find(context.questions, str(number)) for number in _READY]
        page = context.pages.get_template("home.html").render(
            ready=ready, listings=LISTINGS, base_url=context.settings.base_url, language=language
        )
        return cached(request, version, HTMLResponse(page))
    base_url = context.settings.base_url
    paths = [
        "/sparql",
        "/questions",
        *(f"/api/{name}" for name in LISTINGS),
        "/ontology/context.jsonld",
        "/openapi.json",
    ]
    body = {
        "name": "medkg",
        "software": __version__,
        "version": version,
        "links": [base_url + path for path in paths],
    }
    return cached(request, version, JSONResponse(body))


@router.api_route("/logo.svg", methods=["GET", "HEAD"])
def logo() -> Response:
    """Return the logo that the header of the ontology names."""
    icon = files("medkg_api") / "static" / "icon.svg"
    return Response(icon.read_bytes(), media_type="image/svg+xml")


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
def robots() -> Response:
    """Let crawlers read the pages and keep them off the query endpoint."""
    return PlainTextResponse("User-agent: *\nDisallow: /sparql\n")
