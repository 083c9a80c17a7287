"""``/health``, ``/metrics`` and ``/limits``: whether the service lives, what it does, and what it takes."""

import ipaddress
from typing import Final

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from medkg.domain.model import QueryRequest
from medkg_api.backends import bounds
from medkg_api.deps import ContextDep
from medkg_api.writing import require_admin

__all__ = ["router"]

router = APIRouter(tags=["health"])

_PROXIED: Final = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)
"""Header fields that a request has which came through a proxy."""


@router.api_route("/health/live", methods=["GET", "HEAD"])
async def live() -> JSONResponse:
    """Answer as long as the process runs; on the event loop, so that no query can hold it up."""
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.api_route("/health/ready", methods=["GET", "HEAD"])
async def ready(context: ContextDep) -> JSONResponse:
    """Answer 200 with the version of the data when a query can be answered, 503 when it can't."""
    # The pages read the store in this process, strangers' queries in another.
    await to_thread.run_sync(context.engine.select, "SELECT ?s { ?s ?p ?o } LIMIT 1")
    reply = await context.endpoint.query(QueryRequest("ASK { ?s a ?class }"), "json")
    return JSONResponse({"status": "ready", "version": reply.version}, headers={"Cache-Control": "no-store"})


@router.api_route("/metrics", methods=["GET", "HEAD"])
async def metrics(request: Request, context: ContextDep) -> Response:
    """Return the metrics for Prometheus, to this machine or to a token of an administrator."""
    if not _is_local(request):
        await to_thread.run_sync(require_admin, context, request)
    body = await to_thread.run_sync(context.meter.text)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


@router.api_route("/limits", methods=["GET", "HEAD"])
def limits(context: ContextDep) -> JSONResponse:
    """Say what one request may take: times in seconds, sizes in bytes."""
    settings = context.settings
    answer = bounds(settings)
    return JSONResponse(
        {
            "query_timeout": settings.query_timeout_s,
            "update_timeout": settings.update_timeout_s,
            "query_bytes": settings.max_query_bytes,
            "query_depth": settings.max_query_depth,
            "query_memory": 1_048_576 * settings.worker_memory_mb,
            "body_bytes": 1_048_576 * settings.max_body_mb,
            "requests_per_minute": settings.rate_limit or None,
            "queries_at_a_time": settings.workers,
            "answer_bytes": answer.size or None,
            "rows": answer.rows or None,
            "service": bool(settings.service_allow.split()),
            "load": bool(settings.load_allow.split()),
        }
    )


def _is_local(request: Request) -> bool:
    """Tell whether a request comes from this machine itself, and not through a proxy on it."""
    if request.client is None or any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
