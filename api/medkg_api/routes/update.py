"""``/update``: SPARQL 1.1 Protocol updates, each one transaction, from who may write."""

from typing import Final

from anyio import to_thread
from fastapi import Request
from starlette.responses import JSONResponse, Response

from medkg.domain.errors import CallError, MethodNotAllowed
from medkg.domain.model import Commit, UpdateRequest
from medkg_api.deps import Context
from medkg_api.exchange import FORM, Parameters, body_of, media_type_of, parameters_of
from medkg_api.writing import author_of, key_of, outcome

__all__ = ["update"]

_DIRECT: Final = "application/sparql-update"
_ALLOWED: Final = "POST, OPTIONS"


async def update(request: Request) -> Response:
    """Carry out an update (SPARQL 1.1 Protocol, section 2.2) and say which version holds it."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": _ALLOWED})
    if request.method != "POST":
        raise MethodNotAllowed(request.method, _ALLOWED)
    context: Context = request.app.state.context
    values = parameters_of(request.scope["query_string"], "address")
    author = await to_thread.run_sync(author_of, context, request, values)
    media_type = media_type_of(request, (_DIRECT, FORM))
    body = await body_of(request, 1_048_576 * context.settings.max_body_mb)
    asked = _request([*values, *_sent(media_type, body)], f"{context.settings.base_url}/update")
    commit = await context.endpoint.update(asked, author, key_of(request))
    await to_thread.run_sync(outcome, context, author, "update", "", commit)
    return answer(commit)


def answer(commit: Commit, status: int = 200) -> Response:
    """Return what a write has led to."""
    return JSONResponse(
        {"version": commit.version, "changed": list(commit.changed)},
        status,
        headers={"X-Medkg-Version": str(commit.version), "Cache-Control": "no-store"},
    )


def _sent(media_type: str, body: bytes) -> Parameters:
    if media_type == FORM:
        return parameters_of(body, "body")
    try:
        return [("update", body.decode("utf-8"))]
    except UnicodeDecodeError as error:
        raise CallError(f"The body is not UTF-8 (byte {error.start}).") from None


def _request(values: Parameters, base: str) -> UpdateRequest:
    """Return the update of a request.

    :raises CallError: there is none, or there are several, or there is a query.
    """
    texts = [value for name, value in values if name == "update"]
    if any(name == "query" for name, _ in values):
        raise CallError("This address takes updates.", remedy="Send queries to /sparql.")
    if len(texts) != 1:
        raise CallError(
            "There is no update." if not texts else "There are several updates in one request.",
            remedy=f"Send one, as the parameter update of a form or as a body of type {_DIRECT}.",
        )
    return UpdateRequest(
        texts[0],
        tuple(value for name, value in values if name == "using-graph-uri"),
        tuple(value for name, value in values if name == "using-named-graph-uri"),
        base,
    )
