"""What the routes are given: settings, engine, names, questions, and how a client wants its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from jinja2 import Environment, PackageLoader, select_autoescape

from medkg.config import Settings
from medkg.domain.errors import ParameterError
from medkg.domain.namespaces import display, local_path
from medkg.services.checking import Checking
from medkg.services.names import Names
from medkg.services.questions import LANGUAGES, Question
from medkg.store.engine import Endpoint, Engine
from medkg_api.limits import RateLimiter
from medkg_api.metrics import Meter
from medkg_api.opening import Opening
from medkg_api.representations import JsonLd

__all__ = ["Accept", "Context", "ContextDep", "Language", "insist_on_language", "make_pages"]


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that every route may need; one per application."""

    settings: Settings
    engine: Engine
    endpoint: Endpoint
    database: Opening
    meter: Meter
    names: Names
    questions: tuple[Question, ...]
    pages: Environment
    json_ld: JsonLd
    limiter: RateLimiter
    checking: Checking | None


def _context(request: Request) -> Context:
    context = request.app.state.context
    if not isinstance(context, Context):
        raise TypeError("the application has no context")
    return context


def _accept(request: Request) -> str:
    """Return the Accept value, or the ``format`` parameter, which wins and takes short names too."""
    return request.query_params.get("format") or request.headers.get("accept", "")


def _language(request: Request) -> str:
    """Return the language of the answer: ``lang``, else the best of Accept-Language, else English."""
    asked = request.query_params.get("lang")
    if asked:
        return insist_on_language(asked)
    ranked = sorted(_ranges(request.headers.get("accept-language", "")).items(), key=lambda item: -item[1])
    return next((language for language, quality in ranked if language in LANGUAGES and quality > 0), "en")


def insist_on_language(asked: str) -> str:
    """Let only a language pass that the service speaks.

    :raises ParameterError: it does not speak this one.
    """
    if asked not in LANGUAGES:
        raise ParameterError(
            "lang",
            f"{asked[:20]!r} is no language of this service.",
            remedy=f"Use one of: {', '.join(LANGUAGES)}.",
        )
    return asked


ContextDep = Annotated[Context, Depends(_context)]
Accept = Annotated[str, Depends(_accept)]
Language = Annotated[str, Depends(_language)]


def make_pages() -> Environment:
    """Return the templates; everything put into them is escaped."""
    pages = Environment(
        loader=PackageLoader("medkg_api"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["short"] = display
    pages.filters["link"] = _link
    return pages


def _link(iri: str) -> str:
    """Return where an IRI leads on this service: its own page for our entities, a description for others."""
    from urllib.parse import quote

    path = local_path(iri)
    if path is not None and path.startswith("/id/"):
        return "/doc/" + path.removeprefix("/id/")
    return f"/doc?iri={quote(iri, safe='')}"


def _ranges(header: str) -> Mapping[str, float]:
    """Return the quality of each primary tag of an Accept-Language value (RFC 9110, section 12.5.4)."""
    found: dict[str, float] = {}
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        quality = parameter.strip().removeprefix("q=") or "1"
        try:
            value = float(quality)
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        found[primary] = max(found.get(primary, 0.0), value)
    return found
