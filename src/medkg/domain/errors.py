"""The one error tree of medkg.

::

    MedkgError
    + InputError               the input is bad                       exit 1
    |   + SourceFileError      a shipped or given file can't be used  (file, line)
    |   + GraphInvalid         the graph breaks a shape               (findings)
    |   + QuerySyntaxError     SPARQL that does not parse             HTTP 400 (line, column)
    |   + QueryRefused         SPARQL that policy does not run        HTTP 403
    |   + Unauthorized         no token, or one that is not valid     HTTP 401
    |   + Forbidden            the token's role may not do this       HTTP 403
    |   + ParameterError       a value of a question or a filter      HTTP 400
    |   + NotFound             no such thing                          HTTP 404
    |   + MethodNotAllowed     an address that takes other methods     HTTP 405
    |   + NotAcceptable        no format that the client takes        HTTP 406
    |   + Conflict             the request fits no state of the data  HTTP 409
    |   + PreconditionFailed   If-Match names another state           HTTP 412
    |   + UnsupportedMedia     a body type that is not taken          HTTP 415
    |   + TooLarge             over a published limit                 HTTP 413
    |   + AnswerTooLarge       its answer is over a published limit   HTTP 403
    |   + RateLimited          one client asks too often              HTTP 429
    |   + RoadmapError         a text that is no roadmap table
    + CallError                the call is wrong                      exit 2
    |   + SettingError         a setting with a bad value
    |   + ShapesRefused        shapes that can't be used              HTTP 422
    + ServiceError             the service failed                     exit 3
        + StoreMissing         no graph has been built yet            HTTP 503
        + StoreFailed          the engine could not do its work       HTTP 500
        + AddressInUse         the port is taken
        + Busy                 others are at work; try again          HTTP 503
        + DeadlineExceeded     stopped after the time it may take     HTTP 503
        + EngineCrashed        the query ended the engine's process   HTTP 500
        + EndpointFailed       a server that it calls does not answer HTTP 502
        + NotSupported         the engine behind can't do this        HTTP 501
        + StorageFull          the disk is full                       HTTP 507

Every error says what is wrong, where, and what to do about it.  The faces map the tree once: the command line
to exit codes, the HTTP face to problem+json (RFC 9457).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medkg.domain.model import Finding

__all__ = [
    "AddressInUse",
    "AnswerTooLarge",
    "Busy",
    "CallError",
    "Conflict",
    "DeadlineExceeded",
    "EndpointFailed",
    "EngineCrashed",
    "Forbidden",
    "GraphInvalid",
    "InputError",
    "MedkgError",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "NotSupported",
    "ParameterError",
    "PreconditionFailed",
    "QueryRefused",
    "QuerySyntaxError",
    "RateLimited",
    "RoadmapError",
    "ServiceError",
    "SettingError",
    "ShapesRefused",
    "SourceFileError",
    "StorageFull",
    "StoreFailed",
    "StoreMissing",
    "TooLarge",
    "Unauthorized",
    "UnsupportedMedia",
    "from_wire",
    "to_wire",
]


class MedkgError(Exception):
    """Anything that medkg reports to a person: *message* says what is wrong, *remedy* what to do."""

    exit_code = 3

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the message with its remedy, as one paragraph."""
        return f"{self.message} {self.remedy}".strip()


class InputError(MedkgError):
    """The input is bad; the same call with better input works."""

    exit_code = 1


class SourceFileError(InputError):
    """A file can't be used: *path*, the *line* (1-based, None when it has none) and the reason."""

    def __init__(self, path: Path, reason: str, *, line: int | None = None, remedy: str = "") -> None:
        where = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{where}: {reason}", remedy=remedy)
        self.path = path
        self.line = line
        self.reason = reason


class GraphInvalid(InputError):
    """The graph breaks shapes; *findings* holds every violation."""

    def __init__(self, message: str, findings: Sequence[Finding], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.findings = tuple(findings)


class QuerySyntaxError(InputError):
    """A SPARQL text that does not parse, with the *line* and *column* (1-based) where it stopped."""

    def __init__(self, message: str, *, line: int | None, column: int | None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.line = line
        self.column = column


class QueryRefused(InputError):
    """A SPARQL request that the policy does not run."""


class ParameterError(InputError):
    """A parameter has a value that can't be used; *name* says which."""

    def __init__(self, name: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.name = name


class NotFound(InputError):
    """Nothing answers to that name."""


class NotAcceptable(InputError):
    """No representation fits what the client accepts."""


class UnsupportedMedia(InputError):
    """The body is of a type that is not taken here."""


class TooLarge(InputError):
    """The request is over a published limit."""


class AnswerTooLarge(InputError):
    """The answer is over a published limit, that *limit* names (``rows=1000``); nothing of it is sent."""

    def __init__(self, message: str, *, limit: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.limit = limit


class RateLimited(InputError):
    """One client asks more often than it may; *retry_after* is the number of seconds to wait."""

    def __init__(self, message: str, *, retry_after: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after


class MethodNotAllowed(InputError):
    """The address does not take this method; *allowed* names those that it takes, separated by commas."""

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not taken here.", remedy=f"Allowed: {allowed}.")
        self.allowed = allowed


class Unauthorized(InputError):
    """The request needs a token and has none, or one that is not valid."""


class Forbidden(InputError):
    """The role of the token does not include what is asked."""


class Conflict(InputError):
    """What is asked does not fit the state or the mode of the data."""


class PreconditionFailed(InputError):
    """The graph has another state than the one that If-Match or If-None-Match speaks of."""


class RoadmapError(InputError):
    """A text can't be read as a roadmap table."""


class CallError(MedkgError):
    """The call itself is wrong."""

    exit_code = 2


class ShapesRefused(CallError):
    """Shapes that break the rules of SHACL, or ask for what is not evaluated here; nothing is validated."""


class SettingError(CallError):
    """A setting has a value that can't be used; the text is one line: name, value, what was expected."""


class ServiceError(MedkgError):
    """The service could not do its work."""


class StoreMissing(ServiceError):
    """There is no built graph in the data folder."""


class StoreFailed(ServiceError):
    """The engine could not do its work."""


class AddressInUse(ServiceError):
    """The address to listen on is taken."""


class Busy(ServiceError):
    """Others are at work: on the data folder, or on as many queries as run at a time."""


class DeadlineExceeded(ServiceError):
    """The request was stopped after the time that one may take; nothing of it remains."""


class EngineCrashed(ServiceError):
    """The request ended the process that evaluated it: too much memory, or too deep for the engine."""


class EndpointFailed(ServiceError):
    """Another server that the request calls, by SERVICE or LOAD, did not answer as it should."""


class NotSupported(ServiceError):
    """The engine behind this service can't do what is asked."""


class StorageFull(ServiceError):
    """The disk is full: nothing can be written, and everything can still be read."""


def to_wire(error: MedkgError) -> dict[str, Any]:
    """Return an error as plain values, for another process; see :func:`from_wire`."""
    fields = {name: value for name, value in vars(error).items() if isinstance(value, (str, int, Path))}
    return {"error": type(error).__name__, **{name: _plain(value) for name, value in fields.items()}}


def from_wire(fields: Mapping[str, Any]) -> MedkgError:
    """Return the error that another process sent as plain values.

    An error with constructor arguments of its own keeps them as attributes; an unknown name becomes a
    :class:`StoreFailed`.
    """
    kind = _tree().get(str(fields.get("error")), StoreFailed)
    error = kind.__new__(kind)
    MedkgError.__init__(error, str(fields.get("message", "")), remedy=str(fields.get("remedy", "")))
    for name, value in fields.items():
        if name != "error":
            setattr(error, name, value)
    return error


def _plain(value: str | int | Path) -> str | int:
    return str(value) if isinstance(value, Path) else value


def _tree(root: type[MedkgError] = MedkgError) -> dict[str, type[MedkgError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found
