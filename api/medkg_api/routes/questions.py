"""``/questions``: the saved questions and their answers."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.responses import Response

from medkg.domain.errors import NotAcceptable, NotFound
from medkg.services import questions, tables
from medkg.services.questions import Question, Sheet
from medkg.store import formats
from medkg_api.deps import Accept, Context, ContextDep, Language
from medkg_api.headers import cached

__all__ = ["router"]

router = APIRouter(tags=["questions"])

_RESERVED = frozenset({"lang", "format"})


@router.api_route("/questions", methods=["GET", "HEAD"])
def list_questions(request: Request, context: ContextDep, accept: Accept, language: Language) -> Response:
    """Return the list of the saved questions, as a page or as JSON."""
    version = context.engine.version
    if formats.wants_html(accept):
        page = context.pages.get_template("questions.html").render(
            questions=context.questions, language=language
        )
        return cached(request, version, HTMLResponse(page))
    base_url = context.settings.base_url
    body = {"questions": [_summary(question, base_url, language) for question in context.questions]}
    return cached(request, version, JSONResponse(body))


@router.api_route("/questions/{name}.{extension}", methods=["GET", "HEAD"])
def answer_as(
    request: Request,
    context: ContextDep,
    language: Language,
    name: str,
    extension: str,
) -> Response:
    """Answer a question as JSON or CSV, or return its query, ready to run (.rq)."""
    version = context.engine.version
    question = questions.find(context.questions, name)
    if extension not in {"json", "csv", "rq"}:
        raise NotFound(f"There is no answer as .{extension[:20]}.", remedy="Ask for .json, .csv or .rq.")
    if extension == "rq":
        bindings = questions.bind(context.names, question, _given(request))
        response: Response = PlainTextResponse(
            questions.standalone(question, bindings), media_type="application/sparql-query"
        )
    else:
        response = _machine(_ask(request, context, question, language), extension)
    return cached(request, version, response)


@router.api_route("/questions/{name}", methods=["GET", "HEAD"])
def answer(request: Request, context: ContextDep, accept: Accept, language: Language, name: str) -> Response:
    """Answer a question as a page, or as JSON or CSV by Accept."""
    version = context.engine.version
    question = questions.find(context.questions, name)
    sheet = _ask(request, context, question, language)
    if formats.wants_html(accept):
        page = context.pages.get_template("question.html").render(
            question=question,
            sheet=sheet,
            language=language,
            given=request.query_params,
            query=request.url.query,
            text=questions.standalone(question, sheet.bindings),
        )
        return cached(request, version, HTMLResponse(page))
    return cached(request, version, _machine(sheet, _extension(accept)))


def _ask(request: Request, context: Context, question: Question, language: str) -> Sheet:
    return questions.ask(context.engine, context.names, question, _given(request), language)


def _given(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name not in _RESERVED}


def _extension(accept: str) -> str:
    """Return ``json`` or ``csv``, as the client prefers.

    :raises NotAcceptable: it takes neither.
    """
    chosen = formats.negotiate(accept, "results").name
    if chosen not in {"json", "csv"}:
        raise NotAcceptable(f"There is no answer as {chosen} here.", remedy="Ask for one of: json, csv.")
    return chosen


def _machine(sheet: Sheet, extension: str) -> Response:
    if extension == "csv":
        return Response(
            tables.sheet_as_csv(sheet),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="{sheet.question.slug}.csv"'},
        )
    return JSONResponse(tables.sheet_as_json(sheet))


def _summary(question: Question, base_url: str, language: str) -> dict[str, Any]:
    return {
        "number": question.number,
        "slug": question.slug,
        "title": question.title[language],
        "question": question.worded({}, language),
        "parameters": [
            {"name": item.name, "type": item.kind, "default": item.default, "label": item.label[language]}
            for item in question.parameters
        ],
        "links": {kind: f"{base_url}/questions/{question.slug}.{kind}" for kind in ("json", "csv", "rq")},
    }
