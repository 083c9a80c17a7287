"""Wires the application: settings in, ASGI application out."""

import logging
import sys
import time
import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import structlog
from anyio import to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from medkg import __version__, assets
from medkg.config import Settings
from medkg.services import questions
from medkg.services.names import Names
from medkg.store.engine import Endpoint, Engine
from medkg.store.keeper import Nursery
from medkg_api import backends, problems
from medkg_api.compression import Compression
from medkg_api.deps import Context, make_pages
from medkg_api.front import Dispatch, Front, Handler
from medkg_api.limits import RateLimiter
from medkg_api.metrics import Meter
from medkg_api.openapi import protocols
from medkg_api.opening import Opening
from medkg_api.repeats import Repeats
from medkg_api.representations import JsonLd
from medkg_api.routes import api, doc, graphs, health, pages, sparql, update, validate
from medkg_api.routes import questions as question_routes

__all__ = ["PROTOCOLS", "create_app"]

PROTOCOLS: Final[Mapping[str, Handler]] = MappingProxyType(
    {"/sparql": sparql.sparql, "/update": update.update, "/graphs": graphs.graphs, "/graphs/": graphs.graphs}
)
"""The addresses that are answered beside the web framework."""
_PATHS: Final = tuple(PROTOCOLS)
_BELOW: Final = tuple(path for path in PROTOCOLS if path.endswith("/"))
_TAKEN_FIELDS: Final = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-Id",
)
_SHOWN_FIELDS: Final = (
    "ETag",
    "Link",
    "Retry-After",
    "X-Medkg-Hint",
    "X-Medkg-Limit",
    "X-Medkg-Version",
    "X-Request-Id",
)


def create_app(
    settings: Settings,
    engine: Engine | None = None,
    endpoint: Endpoint | None = None,
    nursery: Nursery | None = None,
) -> FastAPI:
    """Return the application for *settings*; *engine* and *endpoint* default to the store in the data folder.

    The processes of the endpoint start and stop with the application; *nursery* was started before.

    :raises StoreMissing: nothing has been built in the data folder.
    """
    backend = backends.choose(settings, engine, endpoint, nursery)
    _configure_logs(settings)
    app = _Application(
        title="medkg",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=_lifespan(backend),
    )
    known = questions.load(assets.directory("data") / "questions")
    json_ld = JsonLd(
        assets.directory("ontology") / "context.jsonld", f"{settings.base_url}/ontology/context.jsonld"
    )
    meter = Meter(backend.endpoint)
    url = settings.database_url
    limiter = RateLimiter(settings.rate_limit, time.monotonic)
    app.state.context = Context(
        settings,
        backend.engine,
        backend.endpoint,
        Opening(settings.data_dir, url.get_secret_value() if url else None),
        meter,
        Names(backend.engine),
        known,
        make_pages(),
        json_ld,
        limiter,
        backend.checking,
    )
    problems.install(app)
    for module in (api, doc, question_routes, health, pages, validate):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=str(files("medkg_api") / "static")), name="static")
    app.direct = _nowhere
    _add_middleware(app, settings, meter, backend.endpoint, limiter)
    _describe(app)
    return app


def _lifespan(backend: backends.Backend) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        database: Opening = app.state.context.database
        try:
            # A damaged database must stop the start, not the first request that needs it.
            await to_thread.run_sync(database.insist)
            await backend.endpoint.start()
            yield
        finally:
            await backend.endpoint.close()
            if backend.checking is not None:
                await backend.checking.close()
            await backend.close()
            await to_thread.run_sync(database.close)

    return living


def _describe(app: FastAPI) -> None:
    """Make the OpenAPI document; a HEAD is described by its GET, whose operation identifier it has."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        document = app.openapi()
    for operations in document["paths"].values():
        operations.pop("head", None)
    document["paths"] |= protocols()
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["bearer"] = {"type": "http", "scheme": "bearer"}


def _add_middleware(
    app: "_Application", settings: Settings, meter: Meter, endpoint: Endpoint, limiter: RateLimiter
) -> None:
    """Put the middleware around the application, and around what is answered beside the web framework."""
    limits = backends.bounds(settings).announced
    reading: tuple[Handler, ...] = (sparql.sparql, graphs.graphs) if limits else ()
    repeats = Middleware(Repeats, path="/sparql", endpoint=endpoint, limiter=limiter)
    innermost_first = (
        Middleware(
            Dispatch,
            handlers=PROTOCOLS,
            limiter=limiter,
            fields={handler: {"X-Medkg-Limit": limits} for handler in reading},
        ),
        Middleware(Compression),
        Middleware(
            _Cors,
            allow_origins=settings.cors_origins.split(),
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=_TAKEN_FIELDS,
            expose_headers=_SHOWN_FIELDS,
        ),
        *([repeats] if settings.result_cache_mb else ()),
        Middleware(
            Front,
            classes={path: path.strip("/") for path in PROTOCOLS},
            meter=meter,
            verbose=settings.log_level == "debug",
        ),
    )
    app.user_middleware = list(reversed(innermost_first))
    for middleware in innermost_first:
        app.direct = middleware.cls(app.direct, *middleware.args, **middleware.kwargs)


class _Cors(CORSMiddleware):
    """Passes requests that come from no web page on as they are, when pages from everywhere are welcome."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add what a web page of another origin needs."""
        if self.allow_all_origins and not any(name == b"origin" for name, _ in scope.get("headers", ())):
            await self.app(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


class _Application(FastAPI):
    """The web framework, and beside it the protocol addresses, which get by without its own layers."""

    direct: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request on whichever side it belongs to."""
        if scope["type"] == "http" and scope["path"].startswith(_PATHS):
            path = scope["path"]
            if path in PROTOCOLS or path.startswith(_BELOW):
                scope["app"] = self
                await self.direct(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


async def _nowhere(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stand behind the handlers of the protocol addresses, which let nothing through."""
    raise RuntimeError(scope["path"])


def _configure_logs(settings: Settings) -> None:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if settings.log_format == "json" else []),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
    )
