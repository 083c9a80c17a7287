"""``/sparql``: SPARQL 1.1 Protocol queries, and the page to write one on."""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from medkg.domain.errors import CallError, TooLarge, UnsupportedMedia
from medkg.domain.model import QueryRequest
from medkg.services import questions
from medkg.store.formats import wants_html
from medkg_api.deps import Context

__all__ = ["router"]

router = APIRouter()

_FORM: Final = "application/x-www-form-urlencoded"
_DIRECT: Final = "application/sparql-query"
_READY: Final = (2, 6, 11)
"""Numbers of the saved questions that the page offers to start from."""
_PAGE_BYTES: Final = 2_000_000
"""A larger answer is not shown as a page; it can be downloaded."""
_PAGE_ROWS: Final = 1_000


async def sparql(request: Request) -> Response:
    """Answer a query (SPARQL 1.1 Protocol, section 2.1), or show the page to write one on."""
    context: Context = request.app.state.context
    values = await _values(request, 4 * context.settings.max_query_bytes)
    asked = _request(values)
    accept = next((value for name, value in values if name == "format"), request.headers.get("accept", ""))
    as_page = wants_html(accept)
    if asked is None and as_page:
        return await to_thread.run_sync(_page, context, "", {})
    if asked is None:
        raise CallError(
            "There is no query.",
            remedy="Send it as the parameter query, or as a body of type application/sparql-query.",
        )
    if as_page:
        return await to_thread.run_sync(_answer_page, context, asked)
    answer = await to_thread.run_sync(context.engine.run, asked, accept)
    fields = {"X-Medkg-Version": str(answer.version), "Vary": "Accept", "Cache-Control": "no-cache"}
    if request.method == "HEAD":
        answer.chunks.close()
        response = Response(headers={**fields, "Content-Type": answer.format.content_type})
        # The length is that of the GET answer, which nobody knows.
        del response.headers["content-length"]
        return response
    return StreamingResponse(answer.chunks, media_type=answer.format.content_type, headers=fields)


router.add_route("/sparql", sparql, methods=["GET", "POST"])


async def _values(request: Request, limit: int) -> list[tuple[str, str]]:
    """Return the parameters of a request, from its address, its form, or its body.

    :raises UnsupportedMedia: the body is of another type.
    :raises TooLarge: the body is longer than *limit* bytes.
    """
    values = _decoded(request.scope["query_string"], "address")
    if request.method != "POST":
        return values
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {_FORM, _DIRECT}:
        raise UnsupportedMedia(
            f"A body of type {media_type[:100] or 'none'!r} is not taken here.",
            remedy=f"Send {_DIRECT} or {_FORM}.",
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"The body is longer than {limit:,} bytes.", remedy="Send a shorter query.")
    if media_type == _FORM:
        return values + _decoded(bytes(body), "body")
    try:
        return [*values, ("query", body.decode("utf-8"))]
    except UnicodeDecodeError as error:
        raise CallError(f"The body is not UTF-8 (byte {error.start}).") from None


def _decoded(form: bytes, where: str) -> list[tuple[str, str]]:
    """Return the pairs of a form, decoded once.

    :raises CallError: it is not UTF-8.
    """
    try:
        return parse_qsl(form.decode("utf-8"), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise CallError(f"The {where} is not UTF-8.", remedy="Percent-encode the UTF-8 bytes.") from None


def _request(values: Sequence[tuple[str, str]]) -> QueryRequest | None:
    """Return what is asked, or None when there is no query.

    :raises CallError: there are several queries, or an update.
    """
    texts = [value for name, value in values if name == "query"]
    if any(name == "update" for name, _ in values):
        raise CallError("This address takes queries, not updates.")
    if not texts:
        return None
    if len(texts) > 1:
        raise CallError("There are several queries in one request.", remedy="Send one.")
    return QueryRequest(
        texts[0],
        tuple(value for name, value in values if name == "default-graph-uri"),
        tuple(value for name, value in values if name == "named-graph-uri"),
    )


def _answer_page(context: Context, asked: QueryRequest) -> Response:
    answer = context.engine.run(asked, "application/sparql-results+json, text/turtle;q=0.9")
    body = bytearray()
    for chunk in answer.chunks:
        body += chunk
        if len(body) > _PAGE_BYTES:
            answer.chunks.close()
            return _page(context, asked.text, {"too_large": True})
    if answer.format.kind == "graph":
        return _page(context, asked.text, {"graph": body.decode()})
    found = json.loads(body)
    if "boolean" in found:
        return _page(context, asked.text, {"boolean": found["boolean"]})
    rows = found["results"]["bindings"]
    return _page(
        context, asked.text, {"names": found["head"]["vars"], "rows": rows[:_PAGE_ROWS], "total": len(rows)}
    )


def _ready_query(context: Context, number: int) -> tuple[str, str]:
    """Return a saved question in words, and its query with the default values."""
    question = questions.find(context.questions, str(number))
    return question.worded({}, "en"), questions.standalone(
        question, questions.bind(context.names, question, {})
    )


def _page(context: Context, text: str, result: dict[str, object]) -> Response:
    ready = [_ready_query(context, number) for number in _READY]
    formats = ("ttl", "nt", "jsonld", "rdfxml") if "graph" in result else ("json", "xml", "csv", "tsv")
    downloads = (
        [(name, "/sparql?" + urlencode({"query": text, "format": name})) for name in formats] if text else []
    )
    page = context.pages.get_template("sparql.html").render(
        text=text, result=result, ready=ready, downloads=downloads, language="en"
    )
    return HTMLResponse(page, headers={"Vary": "Accept", "X-Medkg-Version": str(context.engine.version)})
