"""A small HTTP client for what wrk can't measure: single queries, first bytes, writes."""

import http.client
import json
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

__all__ = ["Address", "Answered", "Session", "ask", "boolean", "fetch", "first_byte", "post", "upload"]

_ROWS: Final = "application/sparql-results+json"
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers SPARQL, and what every query must carry besides its text."""

    port: int
    query: str
    update: str = ""
    extra: Mapping[str, str] | None = None
    token: str = ""

    def target(self, text: str) -> str:
        """Return the path and parameters of a GET request for a query."""
        return f"{self.query}?" + urlencode({"query": text, **(self.extra or {})}, quote_via=quote)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back: status 0 stands for no answer within the limit, or a broken one."""

    status: int
    body: bytes
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the answer is a result."""
        return self.status == 200  # noqa: PLR2004 - HTTP's own number


class Session:
    """One connection that is kept open between queries."""

    def __init__(self, address: Address, limit: float = 60) -> None:
        self._address = address
        self._connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=limit)

    def fetch(self, text: str, accept: str = _ROWS) -> Answered:
        """Send a query and return the whole answer."""
        return self.send("GET", self._address.target(text), {"Accept": accept})

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answered:
        """Send any request and return the whole answer."""
        begin = time.monotonic()
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            return Answered(answer.status, answer.read(), time.monotonic() - begin)
        except (OSError, http.client.HTTPException):
            self.close()
            return Answered(0, b"", time.monotonic() - begin)

    def close(self) -> None:
        """Close the connection; the next query opens another."""
        self._connection.close()


def fetch(address: Address, text: str, accept: str = _ROWS, limit: float = 60) -> Answered:
    """Send one query on a connection of its own and return the whole answer."""
    with closing(Session(address, limit)) as session:
        return session.fetch(text, accept)


def post(address: Address, update: str, limit: float = 60) -> Answered:
    """Send an update and return the answer."""
    headers = {"Content-Type": "application/sparql-update"}
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    with closing(Session(address, limit)) as session:
        return session.send("POST", address.update, headers, update.encode())


def upload(address: Address, path: str, file: Path, limit: float = 3600) -> Answered:
    """Send a file of N-Triples to be added to the graph that *path* names."""
    begin, connection = time.monotonic(), http.client.HTTPConnection("127.0.0.1", address.port, timeout=limit)
    headers = {"Content-Type": "application/n-triples", "Content-Length": str(file.stat().st_size)}
    try:
        with file.open("rb") as body:
            connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return Answered(answer.status, answer.read(), time.monotonic() - begin)
    finally:
        connection.close()


def ask(address: Address, text: str, limit: float = 10) -> bool:
    """Tell whether an ASK query is answered with true; False also when nobody answers."""
    answer = fetch(address, text, limit=limit)
    with suppress(ValueError):
        return answer.good and boolean(json.loads(answer.body)) is True
    return False


def boolean(document: Mapping[str, Any]) -> bool | None:
    """Return what a document answers to ASK, or None when it is the answer to something else.

    Virtuoso 7 writes a table with one column of a name of its own where the standard has a boolean.
    """
    if "boolean" in document:
        return bool(document["boolean"])
    if document["head"].get("vars") == ["__ASK_RETVAL"]:
        return any(row["__ASK_RETVAL"]["value"] == "1" for row in document["results"]["bindings"])
    return None


def first_byte(address: Address, text: str, size: int, limit: float) -> tuple[float | None, float, int]:
    """Return the seconds until *size* bytes of the answer were there, those until its end, and its length.

    The first is None when fewer came; reading stops after *limit* seconds.
    """
    begin, first, length = time.monotonic(), None, 0
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=limit)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", address.target(text), headers={"Accept": _ROWS})
        answer = connection.getresponse()
        while answer.status == 200 and time.monotonic() < begin + limit:  # noqa: PLR2004 - HTTP's own number
            part = answer.read1(_CHUNK)
            if not part:
                break
            length += len(part)
            if first is None and length >= size:
                first = time.monotonic() - begin
    connection.close()
    return first, time.monotonic() - begin, length
