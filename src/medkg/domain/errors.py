"""The one error tree of medkg.

::

    MedkgError
    + InputError               the input is bad                       exit 1
    |   + SourceFileError      a shipped or given file can't be used  (file, line)
    |   + GraphInvalid         the graph breaks a shape               (findings)
    |   + QuerySyntaxError     SPARQL that does not parse             HTTP 400 (line, column)
    |   + QueryRefused         SPARQL that policy does not run        HTTP 403
    |   + ParameterError       a value of a question or a filter      HTTP 400
    |   + NotFound             no such thing                          HTTP 404
    |   + NotAcceptable        no format that the client takes        HTTP 406
    |   + UnsupportedMedia     a body type that is not taken          HTTP 415
    |   + TooLarge             over a published limit                 HTTP 413
    |   + RoadmapError         a text that is no roadmap table
    + CallError                the call is wrong                      exit 2
    |   + SettingError         a setting with a bad value
    + ServiceError             the service failed                     exit 3
        + StoreMissing         no graph has been built yet            HTTP 503
        + StoreFailed          the engine could not do its work       HTTP 500
        + AddressInUse         the port is taken
        + Busy                 others are at work; try again            HTTP 503

Every error says what is wrong, where, and what to do about it.  The faces map the tree once: the command line
to exit codes, the HTTP face to problem+json (RFC 9457).
"""

from collections.abc import Sequence
from pathlib import Path

from medkg.domain.model import Finding

__all__ = [
    "AddressInUse",
    "Busy",
    "CallError",
    "GraphInvalid",
    "InputError",
    "MedkgError",
    "NotAcceptable",
    "NotFound",
    "ParameterError",
    "QueryRefused",
    "QuerySyntaxError",
    "RoadmapError",
    "ServiceError",
    "SettingError",
    "SourceFileError",
    "StoreFailed",
    "StoreMissing",
    "TooLarge",
    "UnsupportedMedia",
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


class RoadmapError(InputError):
    """A text can't be read as a roadmap table."""


class CallError(MedkgError):
    """The call itself is wrong."""

    exit_code = 2


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
