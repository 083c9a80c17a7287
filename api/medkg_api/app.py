"""Wires the application: settings in, ASGI application out."""

import logging
import sys
import warnings
from importlib.resources import files

import structlog
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medkg import __version__, assets
from medkg.config import Settings
from medkg.services import questions
from medkg.services.names import Names
from medkg.store.embedded import EmbeddedEngine
from medkg.store.engine import Engine
from medkg.store.policy import Limits
from medkg_api import problems
from medkg_api.deps import Context, make_pages
from medkg_api.headers import safety
from medkg_api.representations import JsonLd
from medkg_api.routes import api, doc, health, pages, sparql
from medkg_api.routes import questions as question_routes

__all__ = ["create_app"]


def create_app(settings: Settings, engine: Engine | None = None) -> FastAPI:
    """Return the application for *settings*; *engine* defaults to the embedded store in the data folder.

    :raises StoreMissing: nothing has been built in the data folder.
    """
    if engine is None:
        limits = Limits(settings.max_query_bytes, settings.max_query_depth)
        engine = EmbeddedEngine(settings.data_dir, limits=limits)
    _configure_logs(settings)
    app = FastAPI(
        title="medkg",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    known = questions.load(assets.directory("data") / "questions")
    json_ld = JsonLd(
        assets.directory("ontology") / "context.jsonld", f"{settings.base_url}/ontology/context.jsonld"
    )
    app.state.context = Context(settings, engine, Names(engine), known, make_pages(), json_ld)
    problems.install(app)
    for module in (sparql, api, doc, question_routes, health, pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=str(files("medkg_api") / "static")), name="static")
    _add_middleware(app, settings)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Make the OpenAPI document; a HEAD is described by its GET, whose operation identifier it has."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        document = app.openapi()
    for operations in document["paths"].values():
        operations.pop("head", None)


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins.split(),
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Accept", "Accept-Language", "Content-Type"],
        expose_headers=["ETag", "Link", "X-Medkg-Version"],
    )

    app.add_middleware(_SafetyHeaders)


class _SafetyHeaders:
    """Adds the headers that every answer has; plain ASGI, so that streamed answers stay streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(safety(headers.get("content-type", "")))
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _configure_logs(settings: Settings) -> None:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
    )
