"""Which addresses elsewhere may be called: those below the prefixes that the operator has listed."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

import httpx2

from medkg.domain.errors import SettingError

__all__ = ["AllowList"]

_PORTS: Final = {"http": 80, "https": 443}
_HIGHEST_PORT: Final = 65_535
_HOST: Final = re.compile(rb"[a-z0-9._-]+|[0-9a-f:.]+")
_SURPLUS: Final = re.compile(r"[?#*]|,https?:")
"""What no prefix has; the last is a list that is separated by commas."""
_EXPECTED: Final = (
    "expected addresses such as https://example.org/sparql, separated by spaces; "
    "each with http:// or https:// and a host, without a user, ?, # and *"
)
_LONGEST: Final = 2_000
"""Characters of an address that is called."""


class _Parts(NamedTuple):
    """What of an address is compared."""

    scheme: str
    host: bytes
    port: int
    path: str


class AllowList:
    """Prefixes of addresses; false when there are none.

    An address is below a prefix when scheme, host and port are the same, and its path is that of the prefix
    or goes on from it behind a slash.
    """

    def __init__(self, prefixes: Sequence[str] = ()) -> None:
        self._prefixes = tuple(prefixes)
        self._parts = [parts for text in prefixes if (parts := _parts_of(_url(text))) is not None]

    @classmethod
    def read(cls, setting: str, value: str) -> "AllowList":
        """Return the list that a setting holds.

        :raises SettingError: one of its prefixes can't be used.
        """
        prefixes = value.split()
        for text in prefixes:
            url = _url(text)
            if url is None or _parts_of(url) is None or _SURPLUS.search(text):
                # What stands before an @ may be a password.
                shown = "(not shown)" if "@" in value else repr(value[:_LONGEST])
                raise SettingError(f"{setting} has the value {shown}: {_EXPECTED}")
        return cls(prefixes)

    def __bool__(self) -> bool:
        return bool(self._prefixes)

    def __str__(self) -> str:
        return " ".join(self._prefixes)

    @property
    def secure(self) -> bool:
        """Whether one of the prefixes is of HTTPS."""
        return any(parts.scheme == "https" for parts in self._parts)

    def address(self, iri: str) -> httpx2.URL | None:
        """Return the address that an IRI stands for when it may be called, else None.

        It is what was compared that must be called: another reader might take the text for something else.
        """
        url = _url(iri)
        parts = _parts_of(url)
        if parts is None or not any(_is_below(parts, prefix) for prefix in self._parts):
            return None
        return url

    def allows(self, iri: str) -> bool:
        """Tell whether an IRI may be called."""
        return self.address(iri) is not None


def _url(text: str) -> httpx2.URL | None:
    if len(text) > _LONGEST or not text.isprintable() or " " in text or "\\" in text:
        return None
    try:
        return httpx2.URL(text)
    except httpx2.InvalidURL:
        return None


def _parts_of(url: httpx2.URL | None) -> _Parts | None:
    """Return the parts of an address of HTTP without a user and without detours, else None."""
    if url is None or url.scheme not in _PORTS or url.userinfo or not _HOST.fullmatch(url.raw_host):
        return None
    port = url.port or _PORTS[url.scheme]
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    if port > _HIGHEST_PORT or not _is_plain(path):
        return None
    return _Parts(url.scheme, url.raw_host, port, path)


def _is_plain(path: str) -> bool:
    """Tell whether no server can take a path for one that leads up again, however often it decodes it."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return not {".", ".."} & set(path.replace("\\", "/").split("/"))


def _is_below(parts: _Parts, prefix: _Parts) -> bool:
    if parts[:3] != prefix[:3]:
        return False
    folder = prefix.path if prefix.path.endswith("/") else prefix.path + "/"
    return parts.path == prefix.path or parts.path.startswith(folder)
