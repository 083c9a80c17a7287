"""``/health``: whether the process lives and whether it can answer."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from medkg_api.deps import ContextDep

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.api_route("/health/live", methods=["GET", "HEAD"])
async def live() -> JSONResponse:
    """Answer as long as the process runs; on the event loop, so that no query can hold it up."""
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.api_route("/health/ready", methods=["GET", "HEAD"])
def ready(context: ContextDep) -> JSONResponse:
    """Answer 200 with the version of the data when a question can be answered, 503 when there is no graph."""
    context.engine.select("SELECT ?s { ?s a ?class } LIMIT 1")
    return JSONResponse(
        {"status": "ready", "version": context.engine.version}, headers={"Cache-Control": "no-store"}
    )
