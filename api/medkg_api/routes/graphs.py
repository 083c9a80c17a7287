"""``/graphs``: the SPARQL 1.1 Graph Store HTTP Protocol; a graph is ``?graph=IRI`` or ``?default``.

Read without either, it is the whole dataset.

Below it (``/graphs/anything``) an address is the name of a graph itself.
"""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote
from uuid import uuid4

from anyio import to_thread
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from medkg.domain.errors import CallError, Conflict, MethodNotAllowed, NotFound, PreconditionFailed
from medkg.domain.model import Author, GraphState, GraphWrite
from medkg.domain.namespaces import GRAPH
from medkg.store.formats import Format, negotiate
from medkg_api.deps import Context
from medkg_api.exchange import (
    Parameters,
    ReplyResponse,
    check_coding,
    check_length,
    field,
    parameters_of,
    pieces_of,
    unless_left,
)
from medkg_api.headers import matches
from medkg_api.routes.update import answer
from medkg_api.writing import author_of, key_of, outcome

__all__ = ["graphs"]

_ALLOWED: Final = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
_METHODS: Final = frozenset(_ALLOWED.split(", "))
_TAG: Final = re.compile(r'"g(\d{1,18})(?:-[a-z]+)*"')
# A scheme, and none of the letters that no IRI has (RFC 3987, section 2.2).
_IRI: Final = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|\\^`]*')
_MULTIPART: Final = "multipart/form-data"
_PARTS: Final = 100
_BELOW: Final = "/graphs/"
_PATH: Final = "/:@!$&'()*+,;=~"
"""What may stand in a path as it is (RFC 3986, section 3.3)."""
_UNION: Final = "Here the default graph is the merge of all graphs, which nobody writes by hand."


async def graphs(request: Request) -> Response:
    """Read, replace, extend or remove one graph, or read all of them."""
    method = request.method
    if method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": _ALLOWED})
    if method not in _METHODS:
        raise MethodNotAllowed(method, _ALLOWED)
    context: Context = request.app.state.context
    values = parameters_of(request.scope["query_string"], "address")
    accept = next((value for key, value in values if key == "format"), field(request, "accept"))
    if method in {"GET", "HEAD"} and _names_none(request, values):
        return await _dump(request, context, accept)
    name = _name(request, context, values)
    if method in {"GET", "HEAD"}:
        return await _read(request, context, name, accept)
    author = await to_thread.run_sync(author_of, context, request, values)
    if name is None and context.endpoint.union:
        raise Conflict(_UNION, remedy="Name a graph: ?graph=IRI.")
    return await _write(request, context, name, author)


async def _read(request: Request, context: Context, name: str | None, accept: str) -> Response:
    state = (await context.endpoint.graphs()).get(name or "")
    if state is None:
        raise NotFound(
            f"There is no graph <{name}>.", remedy="Ask SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }."
        )
    chosen = negotiate(accept, "graph")
    tag = _tag(state, chosen)
    fields = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if matches(field(request, "if-none-match"), tag):
        return Response(status_code=304, headers=fields)
    reading = context.endpoint.read(name, chosen.name, peek=request.method == "HEAD")
    reply = await unless_left(request.receive, reading)
    return ReplyResponse(reply, {**fields, "X-Medkg-Version": str(reply.version)})


async def _dump(request: Request, context: Context, accept: str) -> Response:
    """Return the whole dataset of one version."""
    endpoint = context.endpoint
    chosen = negotiate(accept, "dataset")
    given = field(request, "if-none-match")
    if given and matches(given, tag := _tag_of_all(endpoint.version, chosen)):
        return Response(status_code=304, headers=_fields_of_all(tag, endpoint.version))
    reply = await unless_left(request.receive, endpoint.dump(chosen.name, peek=request.method == "HEAD"))
    tag = "" if reply.volatile else _tag_of_all(reply.version, chosen)
    return ReplyResponse(reply, _fields_of_all(tag, reply.version))


def _tag_of_all(version: int, chosen: Format) -> str:
    return f'W/"{version}-{chosen.name}"'


def _fields_of_all(tag: str, version: int) -> dict[str, str]:
    known = {"ETag": tag, "Cache-Control": "no-cache"} if tag else {"Cache-Control": "no-store"}
    return {**known, "Vary": "Accept", "X-Medkg-Version": str(version)}


async def _write(request: Request, context: Context, name: str | None, author: Author) -> Response:
    state = (await context.endpoint.graphs()).get(name or "")
    expected, unexpected = _expected(request, state)
    key = key_of(request)
    if request.method == "DELETE":
        change = GraphWrite("delete", name, expected=expected, unexpected=unexpected)
        commit = await context.endpoint.write(change, author, key)
    else:
        triples = await _document(request, context, name)
        try:
            action: Literal["put", "post"] = "put" if request.method == "PUT" else "post"
            change = GraphWrite(action, name, triples, expected, unexpected)
            commit = await context.endpoint.write(change, author, key)
        finally:
            triples.unlink(missing_ok=True)
    await to_thread.run_sync(
        outcome, context, author, request.method.lower(), name or "default graph", commit
    )
    response = answer(commit, 201 if commit.created else 200)
    if commit.created and name is not None:
        response.headers["Location"] = _location(context, name)
    state = (await context.endpoint.graphs()).get(name or "")
    if state is not None:
        response.headers["ETag"] = _tag(state, None)
    return response


async def _document(request: Request, context: Context, name: str | None) -> Path:
    """Return a file with the triples of the body."""
    check_coding(request)
    media_type = request.headers.get("content-type", "")
    base = name or f"{context.settings.base_url}/graphs"
    limit = 1_048_576 * context.settings.max_body_mb
    check_length(request, limit)
    if not media_type.lower().startswith(_MULTIPART):
        return await context.endpoint.parse(pieces_of(request, limit), media_type, base)
    form = MultiPartParser(
        request.headers, pieces_of(request, limit), max_files=_PARTS, max_fields=_PARTS, max_part_size=limit
    )
    try:
        sent = await form.parse()
    except MultiPartException as error:
        reason = error.message.rstrip(".")
        raise CallError(f"The form does not parse: {reason}.", remedy="Send multipart/form-data.") from None
    try:
        parts = [part for _, part in sent.multi_items() if isinstance(part, UploadFile)]
        return await _merged(context, parts, base)
    finally:
        await sent.close()


async def _merged(context: Context, parts: Sequence[UploadFile], base: str) -> Path:
    if not parts:
        raise CallError("The form holds no document.", remedy="Send each document as a file part.")
    merged: Path | None = None
    try:
        for part in parts:
            piece = await context.endpoint.parse(_pieces(part), part.content_type or "", base)
            merged = await to_thread.run_sync(_append, merged, piece)
    except BaseException:
        if merged is not None:
            merged.unlink(missing_ok=True)
        raise
    assert merged is not None  # noqa: S101 - there was a part
    return merged


async def _pieces(part: UploadFile) -> AsyncIterator[bytes]:
    while piece := await part.read(65_536):
        yield piece


def _append(merged: Path | None, piece: Path) -> Path:
    if merged is None:
        return piece
    with merged.open("ab") as target, piece.open("rb") as source:
        while block := source.read(1_048_576):
            target.write(block)
    piece.unlink()
    return merged


def _names_none(request: Request, values: Parameters) -> bool:
    """Tell whether a request names no graph, neither as a parameter nor as an address below this one."""
    named = any(key in {"graph", "default"} for key, _ in values)
    return not named and request.scope["path"] in {_BELOW, _BELOW.rstrip("/")}


def _name(request: Request, context: Context, values: Parameters) -> str | None:
    """Return the graph that a request is about, None for the default graph.

    A POST that names none makes a new one (section 5.5 of the protocol).

    :raises CallError: it names none, or several, or no absolute IRI.
    """
    names = [value for key, value in values if key == "graph"]
    default = [key for key, _ in values if key == "default"]
    path = request.scope["path"]
    if path.startswith(_BELOW) and path != _BELOW:
        names.append(context.settings.base_url + quote(path, safe=_PATH))
    if request.method == "POST" and not names and not default:
        return _new(context)
    if len(names) + len(default) != 1:
        raise CallError("A request is about one graph.", remedy="Add ?graph=IRI, or ?default.")
    if default:
        return None
    if not _IRI.fullmatch(names[0]):
        raise CallError(
            f"The graph name {names[0][:200]!r} is no absolute IRI.", remedy="Percent-encode an IRI."
        )
    return names[0]


def _tag(state: GraphState, chosen: Format | None) -> str:
    return f'"g{state.changed}-{chosen.name}"' if chosen is not None else f'"g{state.changed}"'


def _expected(request: Request, state: GraphState | None) -> tuple[int | None, int | None]:
    """Return what If-Match and If-None-Match insist on; see :class:`GraphWrite`.

    *state* is that of the graph as the request came.  The writer looks again, when it is its turn.

    :raises PreconditionFailed: If-Match has no tag that this service gives.
    """
    wanted = field(request, "if-match").strip()
    unwanted = field(request, "if-none-match").strip()
    return _wanted(wanted, state) if wanted else None, _unwanted(unwanted, state) if unwanted else None


def _wanted(header: str, state: GraphState | None) -> int:
    if header == "*":
        return -1
    versions = [int(match[1]) for item in header.split(",") if (match := _TAG.fullmatch(item.strip()))]
    if not versions:
        raise PreconditionFailed("The entity tag is none of this graph.", remedy="Read the graph again.")
    # Of several, the only one that can still be right is that of now.
    return state.changed if state is not None and state.changed in versions else max(versions)


def _unwanted(header: str, state: GraphState | None) -> int | None:
    if header == "*":
        return -1
    items = (item.strip().removeprefix("W/") for item in header.split(","))
    versions = [int(match[1]) for item in items if (match := _TAG.fullmatch(item))]
    return state.changed if state is not None and state.changed in versions else None


def _new(context: Context) -> str:
    """Return the name of a graph that is not there yet."""
    number = uuid4().hex
    if context.endpoint.union:
        return str(GRAPH[f"manual/{number}"])
    return f"{context.settings.base_url}{_BELOW}{number}"


def _location(context: Context, name: str) -> str:
    """Return the address under which a graph is read."""
    base = context.settings.base_url
    return name if name.startswith(base + _BELOW) else f"{base}/graphs?graph={quote(name, safe='')}"
