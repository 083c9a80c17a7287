"""The one mapping of medkg's errors to HTTP: problem+json (RFC 9457), or a page for a browser."""

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from medkg.domain import errors
from medkg.domain.errors import MedkgError
from medkg.store.formats import wants_html
from medkg_api.headers import safety

__all__ = ["STATUS", "from_medkg", "install", "problem", "unexpected"]

STATUS: Final[Mapping[type[MedkgError], int]] = MappingProxyType(
    {
        errors.QuerySyntaxError: 400,
        errors.ParameterError: 400,
        errors.RoadmapError: 400,
        errors.SourceFileError: 400,
        errors.GraphInvalid: 422,
        errors.ShapesRefused: 422,
        errors.QueryRefused: 403,
        errors.Unauthorized: 401,
        errors.Forbidden: 403,
        errors.NotFound: 404,
        errors.MethodNotAllowed: 405,
        errors.NotAcceptable: 406,
        errors.Conflict: 409,
        errors.PreconditionFailed: 412,
        errors.TooLarge: 413,
        # 413 and 414 speak of what is sent; this is understood and not done (RFC 9110, section 15.5.4).
        errors.AnswerTooLarge: 403,
        errors.UnsupportedMedia: 415,
        errors.RateLimited: 429,
        errors.InputError: 400,
        errors.CallError: 400,
        errors.SettingError: 500,
        errors.StoreMissing: 503,
        errors.Busy: 503,
        errors.DeadlineExceeded: 503,
        errors.NotSupported: 501,
        errors.EndpointFailed: 502,
        errors.StorageFull: 507,
        errors.AddressInUse: 500,
        errors.EngineCrashed: 500,
        errors.StoreFailed: 500,
        errors.ServiceError: 500,
        errors.MedkgError: 500,
    }
)

_FINDINGS: Final = 50

_log = structlog.get_logger("medkg_api")


def install(app: FastAPI) -> None:
    """Make *app* answer every error in the one shape."""

    async def on_medkg(request: Request, error: Exception) -> Response:
        return from_medkg(request, error)

    async def on_http(request: Request, error: Exception) -> Response:
        return _from_http(request, error)

    async def on_validation(request: Request, error: Exception) -> Response:
        return _from_validation(request, error)

    async def on_any(request: Request, error: Exception) -> Response:
        return unexpected(request, error)

    app.add_exception_handler(MedkgError, on_medkg)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(Exception, on_any)


def problem(
    request: Request, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any
) -> Response:
    """Return an error answer: HTML when the client is a browser, problem+json otherwise."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    fields = {"Cache-Control": "no-store", "Vary": "Accept", **(headers or {})}
    if wants_html(request.headers.get("accept", "")):
        page = request.app.state.context.pages.get_template("problem.html")
        return HTMLResponse(page.render(problem=body, language="en"), status, headers=fields)
    return JSONResponse(body, status, headers=fields, media_type="application/problem+json")


def unexpected(request: Request, error: Exception) -> Response:
    """Return the answer to an error that nobody foresaw: logged in full, told in one sentence."""
    # Made here: what a renderer makes of an exception may take seconds, and show the values of all variables.
    trace = "".join(traceback.format_exception(error))
    _log.error("unexpected", error=type(error).__name__, path=request.url.path, trace=trace)
    response = problem(request, 500, "Something went wrong here; it is not your request.")
    # This answer may come from outside all middleware.
    response.headers.update(safety(response.headers["content-type"]))
    return response


def from_medkg(request: Request, error: Exception) -> Response:
    """Return the answer to one of medkg's errors, by the table of statuses."""
    kinds = (kind for kind in type(error).__mro__ if kind in STATUS)
    status = STATUS[next(kinds, MedkgError)]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("failed", error=type(error).__name__, cause=repr(error.__cause__), path=request.url.path)
    extra: dict[str, Any] = {
        name: value
        for name in ("line", "column", "name", "limit")
        if (value := getattr(error, name, None)) is not None
    }
    if isinstance(error, errors.GraphInvalid):
        extra["findings"] = [finding.as_dict() for finding in error.findings[:_FINDINGS]]
    headers: dict[str, str] = {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "10"
    if isinstance(error, errors.RateLimited):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="medkg"'
    if allowed := getattr(error, "allowed", ""):
        headers["Allow"] = allowed
    return problem(request, status, str(error), headers=headers, **extra)


def _from_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError from error
    details = {
        404: "There is no such page here. The home page lists what there is.",
        405: f"{request.method} is not taken here. Allowed: {(error.headers or {}).get('Allow', '')}.",
    }
    return problem(
        request, error.status_code, details.get(error.status_code, error.detail), headers=error.headers
    )


def _from_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError from error
    first = error.errors()[0]
    name = str(first["loc"][-1])
    return problem(
        request, 400, f"The parameter {name} has a value that can't be used: {first['msg']}.", name=name
    )
