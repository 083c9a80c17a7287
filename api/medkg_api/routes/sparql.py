"""``/sparql``: SPARQL 1.1 Protocol queries, the service description, and the page to write a query on."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from medkg import __version__
from medkg.domain.errors import CallError, MethodNotAllowed, ParameterError
from medkg.domain.model import QueryRequest
from medkg.services import questions
from medkg.store.engine import Reply
from medkg.store.formats import wants_html
from medkg_api import description
from medkg_api.deps import Context
from medkg_api.exchange import (
    FORM,
    Parameters,
    ReplyResponse,
    body_of,
    field,
    media_type_of,
    parameters_of,
    unless_left,
)
from medkg_api.headers import matches
from medkg_api.repeats import is_kept

__all__ = ["sparql"]

_DIRECT: Final = "application/sparql-query"
_ALLOWED: Final = "GET, HEAD, POST, OPTIONS"
_READY: Final = (2, 6, 11)
"""Numbers of the saved questions that the page offers to start from."""
_PAGE_BYTES: Final = 2_000_000
"""A larger answer is not shown as a page; it can be downloaded."""
_PAGE_ROWS: Final = 1_000
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_MAX_LANGUAGES: Final = 5


async def sparql(request: Request) -> Response:
    """Answer a query (SPARQL 1.1 Protocol, section 2.1); without one, say what this is, or show the page."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": _ALLOWED})
    if request.method not in {"GET", "HEAD", "POST"}:
        raise MethodNotAllowed(request.method, _ALLOWED)
    context: Context = request.app.state.context
    values = await _values(request, 4 * context.settings.max_query_bytes)
    asked = _request(values, f"{context.settings.base_url}/sparql")
    accept = next((value for name, value in values if name == "format"), field(request, "accept"))
    if wants_html(accept):
        if asked is None:
            return await to_thread.run_sync(_page, context, "", {})
        return await _answer_page(request, context, asked)
    if asked is None:
        if request.method == "POST":
            raise CallError(
                "There is no query.",
                remedy=f"Send it as the parameter query, or as a body of type {_DIRECT}.",
            )
        return await description.answer(request, context, accept)
    return await _answer(request, context, asked, accept)


async def _answer(request: Request, context: Context, asked: QueryRequest, accept: str) -> Response:
    endpoint = context.endpoint
    given = field(request, "if-none-match") if request.method != "POST" else ""
    # A star names no answer that was given before.
    if given not in {"", "*"} and matches(given, tag := _tag(endpoint.version, asked, accept)):
        # Whoever has the tag has the answer, and the tag names the version.
        return Response(status_code=304, headers=_fields(tag, endpoint.version))
    reply = endpoint.kept(asked, accept)
    if reply is not None:
        is_kept(request.scope, asked, accept, reply)
    else:
        peek = request.method == "HEAD"
        reply = await unless_left(request.receive, endpoint.query(asked, accept, peek=peek))
    tag = "" if reply.volatile else _tag(reply.version, asked, accept)
    return ReplyResponse(reply, _fields(tag, reply.version, reply.notes))


def _fields(tag: str, version: int, notes: tuple[str, ...] = ()) -> dict[str, str]:
    fields = {"X-Medkg-Version": str(version), "Vary": "Accept"}
    fields |= {"ETag": tag, "Cache-Control": "no-cache"} if tag else {"Cache-Control": "no-store"}
    if notes:
        fields["X-Medkg-Hint"] = " ".join(notes).encode("ascii", "replace").decode()
    return fields


def _tag(version: int, asked: QueryRequest, accept: str) -> str:
    rest = (__version__, asked.default_graphs, asked.named_graphs, asked.labels, asked.base, accept)
    # The text, by far the longest, comes last and as it is: what stands before it ends where it ends.
    seen = f"{rest!r}{asked.text}".encode("utf-8", "surrogatepass")
    return f'W/"{version}-{hashlib.blake2s(seen, digest_size=12).hexdigest()}"'


async def _values(request: Request, limit: int) -> Parameters:
    """Return the parameters of a request, from its address, its form, or its body.

    :raises UnsupportedMedia: the body is of another type.
    :raises TooLarge: the body is longer than *limit* bytes.
    """
    values = parameters_of(request.scope["query_string"], "address")
    if request.method != "POST":
        return values
    media_type = media_type_of(request, (_DIRECT, FORM))
    body = await body_of(request, limit)
    if media_type == FORM:
        return values + parameters_of(body, "body")
    try:
        return [*values, ("query", body.decode("utf-8"))]
    except UnicodeDecodeError as error:
        raise CallError(f"The body is not UTF-8 (byte {error.start}).") from None


def _request(values: Parameters, base: str) -> QueryRequest | None:
    """Return what is asked, or None when there is no query.

    :raises CallError: there are several queries, or an update.
    """
    given: dict[str, list[str]] = {}
    for name, value in values:
        given.setdefault(name, []).append(value)
    if "update" in given:
        raise CallError("This address takes queries.", remedy="Send updates to /update, by POST.")
    texts = given.get("query", ())
    if not texts:
        return None
    if len(texts) > 1:
        raise CallError("There are several queries in one request.", remedy="Send one.")
    return QueryRequest(
        texts[0],
        tuple(given.get("default-graph-uri", ())),
        tuple(given.get("named-graph-uri", ())),
        labels=_languages(given["labels"]) if "labels" in given else (),
        base=base,
    )


def _languages(values: list[str]) -> tuple[str, ...]:
    """Return the languages that labels are wanted in.

    :raises ParameterError: one is no language tag, or there are too many.
    """
    found = tuple(item.strip().lower() for value in values for item in value.split(","))
    if len(found) > _MAX_LANGUAGES or not all(map(_LANGUAGE.fullmatch, found)):
        raise ParameterError(
            "labels",
            "The languages for labels can't be read.",
            remedy=f"Give up to {_MAX_LANGUAGES} language tags separated by commas, as in labels=fr,en.",
        )
    return found


async def _answer_page(request: Request, context: Context, asked: QueryRequest) -> Response:
    accept = "application/sparql-results+json, text/turtle;q=0.9"
    reply = await unless_left(request.receive, context.endpoint.query(asked, accept))
    body = await _whole(reply)
    if body is None:
        return await to_thread.run_sync(_page, context, asked.text, {"too_large": True})
    return await to_thread.run_sync(_page, context, asked.text, _result(reply, body))


async def _whole(reply: Reply) -> bytes | None:
    """Return all of an answer, or None when it is too large for a page."""
    if reply.chunks is None:
        return reply.body
    found = bytearray()
    try:
        async for piece in reply.chunks:
            found += piece
            if len(found) > _PAGE_BYTES:
                return None
    finally:
        await reply.chunks.aclose()
    return bytes(found)


def _result(reply: Reply, body: bytes) -> dict[str, object]:
    notes = {"notes": reply.notes}
    if reply.format.kind == "graph":
        return {"graph": body.decode(), **notes}
    found = json.loads(body)
    if "boolean" in found:
        return {"boolean": found["boolean"], **notes}
    rows = found["results"]["bindings"]
    return {"names": found["head"]["vars"], "rows": rows[:_PAGE_ROWS], "total": len(rows), **notes}


def _ready_query(context: Context, number: int) -> tuple[str, str]:
    """Return a saved question in words, and its query with the default values."""
    question = questions.find(context.questions, str(number))
    return question.worded({}, "en"), questions.standalone(
        question, questions.bind(context.names, question, {})
    )


def _page(context: Context, text: str, result: Mapping[str, object]) -> Response:
    ready = [_ready_query(context, number) for number in _READY]
    formats = ("ttl", "nt", "jsonld", "rdfxml") if "graph" in result else ("json", "xml", "csv", "tsv")
    downloads = (
        [(name, "/sparql?" + urlencode({"query": text, "format": name})) for name in formats] if text else []
    )
    page = context.pages.get_template("sparql.html").render(
        text=text, result=result, ready=ready, downloads=downloads, language="en"
    )
    return HTMLResponse(page, headers={"Vary": "Accept", "X-Medkg-Version": str(context.engine.version)})
