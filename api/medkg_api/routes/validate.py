"""``/validate``: what somebody wants to submit is checked; nothing is stored."""

import re
from typing import Final

from fastapi import APIRouter, BackgroundTasks, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import HTMLResponse, Response

from medkg.domain.errors import CallError, MethodNotAllowed, NotSupported, UnsupportedMedia
from medkg.domain.submission import Decision
from medkg.intake import scope
from medkg.intake.rdf import Limits
from medkg.services.examine import Asked
from medkg.services.reading import Document
from medkg.services.reports import canonical, faces, page
from medkg.services.rules import PROFILES, insist_on
from medkg.store.formats import Format, among, wants_html
from medkg_api.deps import Accept, Context, ContextDep, Language, insist_on_language
from medkg_api.exchange import check_coding, pieces_of
from medkg_api.headers import safety

__all__ = ["router"]

router = APIRouter(tags=["validation"])

_FORM: Final = "multipart/form-data"
_TAKEN: Final = (
    "text/turtle",
    "application/n-triples",
    "application/ld+json",
    "application/rdf+xml",
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
# What says little, or is refused with a reason when the document is looked at.
_LOOKED_AT: Final = frozenset(
    {"", "application/octet-stream", "application/json", "application/xml", "application/zip"}
)
_LONGEST: Final = Limits().bytes
_SAFE: Final = re.compile(r"[^\w.-]+")
_SHORT: Final = 65_536
_FIELDS: Final = 8


@router.api_route("/validate", methods=["GET", "HEAD"], include_in_schema=False)
async def form(context: ContextDep, language: Language, tasks: BackgroundTasks) -> Response:
    """Return the page to upload a file on, which works without scripts."""
    if context.checking is not None:
        # Whoever looks at the page will send something in a minute.
        tasks.add_task(context.checking.warm)
    template = context.pages.get_template("validate.html")
    shown = template.render(language=language, profiles=PROFILES, limit=_LONGEST // 1_000_000, report="")
    return HTMLResponse(shown, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language"})


@router.get("/validate.schema.json")
def schema() -> Response:
    """Return the JSON Schema of a report."""
    return Response(canonical.schema(), media_type="application/schema+json")


@router.get("/validate.css", include_in_schema=False)
def style() -> Response:
    """Return the style sheet of a report."""
    return Response(page.style(), media_type="text/css")


@router.post(
    "/validate",
    responses={400: {"description": "It can't be read; the report says why."}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                name: {"schema": {"type": "string", "format": "binary"}} for name in (*_TAKEN, _FORM)
            },
        }
    },
)
async def validate(
    request: Request, context: ContextDep, accept: Accept, language: Language, profile: str = "submission"
) -> Response:
    """Check a document: Turtle, N-Triples, JSON-LD, RDF/XML, CSV or XLSX, raw or as the file of a form.

    200 says what would become of it, both ways; 400 comes with the same report when it can't be read.
    """
    if context.checking is None:
        raise NotSupported(
            "Submissions are not checked beside another server's graph.",
            remedy="Use a service without MEDKG_STORE_URL.",
        )
    context.limiter.check(request.client.host if request.client else "")
    document, values = await _document(request)
    shown = among(values.get("format") or accept or "application/json", faces.FACES)
    if not values.get("format") and wants_html(accept):
        shown = among("html", faces.FACES)
    asked = Asked(
        values.get("profile") or profile,
        insist_on_language(values.get("lang") or language),
        file=document.file,
    )
    insist_on(asked.profile)
    in_page = shown.name == "html"
    checked = await context.checking.check(document, asked, "part" if in_page else shown.name)
    body = _page(context, asked.language, checked.body) if in_page else checked.body
    status = 400 if checked.decision is Decision.UNREADABLE else 200
    return Response(body, status, _headers(shown, document.file), shown.content_type)


@router.api_route("/validate", methods=["DELETE", "PATCH", "PUT"], include_in_schema=False)
def refuse(request: Request) -> Response:
    """Refuse other methods, and say which are taken on both routes.

    :raises MethodNotAllowed: always.
    """
    raise MethodNotAllowed(request.method, "GET, HEAD, POST")


async def _document(request: Request) -> tuple[Document, dict[str, str]]:
    """Return the document of a request, and the fields of the form that it came with.

    :raises UnsupportedMedia: the body is of a type that no document here has.
    :raises TooLarge: it is too long.
    :raises CallError: the form has no file, or can't be read.
    """
    check_coding(request)
    declared = request.headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind == _FORM:
        return await _uploaded(request)
    if kind not in _LOOKED_AT and not kind.startswith("text/") and kind not in _TAKEN and "+" not in kind:
        raise UnsupportedMedia(
            f"A body of type {kind[:100]!r} is not taken here.", remedy=f"Send one of: {', '.join(_TAKEN)}."
        )
    data = b"".join([piece async for piece in pieces_of(request, _LONGEST)])
    name = request.query_params.get("file", "")[:200]
    return Document(data, declared or None, name, scope.OWN), {}


async def _uploaded(request: Request) -> tuple[Document, dict[str, str]]:
    parser = MultiPartParser(
        request.headers,
        pieces_of(request, _LONGEST + _SHORT),
        max_files=1,
        max_fields=_FIELDS,
        max_part_size=_SHORT,
    )
    try:
        sent = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise CallError("The form can't be read.", remedy="Send one file, as multipart/form-data.") from None
    try:
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise CallError("There is no file in the form.", remedy="Choose a file in the field “file”.")
        data = await file.read()
        values = {name: value for name, value in sent.items() if isinstance(value, str)}
    finally:
        await sent.close()
    return Document(data, file.content_type, file.filename[:200], scope.OWN), values


def _page(context: Context, language: str, report: bytes) -> bytes:
    template = context.pages.get_template("validate.html")
    limit = _LONGEST // 1_000_000
    shown = template.render(language=language, profiles=PROFILES, limit=limit, report=report.decode())
    return shown.encode()


def _headers(shown: Format, file: str) -> dict[str, str]:
    fields = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    if shown.name in {"xlsx", "csv"}:
        stem = (
            _SAFE.sub("-", file.rpartition(".")[0] or "report").encode("ascii", "ignore").decode() or "report"
        )
        fields["Content-Disposition"] = f'attachment; filename="{stem}-report.{shown.name}"'
    return fields | dict(safety(shown.content_type))
