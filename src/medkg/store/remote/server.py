"""A SPARQL server behind an address: its URLs and credentials, what is sent, what its refusals mean."""

import re
import ssl
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

import httpx2

from medkg.domain.errors import (
    Busy,
    DeadlineExceeded,
    MedkgError,
    NotSupported,
    QueryRefused,
    QuerySyntaxError,
    SettingError,
    StoreFailed,
    TooLarge,
)

__all__ = [
    "HOPS",
    "LACKS",
    "REDIRECTS",
    "Call",
    "Credentials",
    "Server",
    "at",
    "broken",
    "graph_url",
    "lacking",
    "query_call",
    "redirected",
    "refusal",
    "silent",
    "update_call",
]

LACKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "conditional writes": "The SPARQL server has no versions of graphs, so If-Match can't be checked.",
        "idempotency keys": "The SPARQL server does not remember the keys of the writes that it has done.",
        "validation": "The SPARQL server stores a write at once, so it can't be validated before.",
        "snapshots": "The SPARQL server keeps no earlier versions.",
        "releases": "The SPARQL server keeps no earlier versions, so there are no releases.",
        "graph store": "No graph store was found beside the SPARQL server's query address.",
        "documents": "Nothing is set up to read documents for the SPARQL server.",
    }
)
"""What medkg can't do on another server, and why."""

HOPS: Final = 3
"""How often a request follows a redirect."""
REDIRECTS: Final = frozenset({301, 302, 307, 308})

_SETTING: Final = "MEDKG_STORE_URL"
_MEND: Final = f"Look at that server, or mend {_SETTING}."
_DETAIL: Final = 300
_ENGINE: Final = re.compile(r"error at (\d+):(\d+): ")
_PLACE: Final = re.compile(r"line:? (\d+)(?:,? (?:col\.?|column|position):? (\d+))?", re.IGNORECASE)
_VIRTUOSO: Final = re.compile(r"Virtuoso (\w{5}) Error ([^\r\n]*)")
_SLOW: Final = re.compile(r"timed? ?out|estimated execution time|cancelled|interrupted|S1T..", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers queries and updates and where its graphs are, without the credentials.

    *neighbours* are the addresses that an update and the graph store may have when none were given, likeliest
    first.  *default_graph* names the graph that stands for the default graph of a query without a dataset.
    """

    query_url: str
    update_url: str = ""
    graph_store_url: str = ""
    default_graph: str | None = None
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    neighbours: tuple[tuple[str, str], ...] = ()

    @property
    def auth(self) -> httpx2.Auth | None:
        """The credentials, for the client."""
        return Credentials(self.user, self.password) if self.user else None

    @property
    def certificates(self) -> ssl.SSLContext | bool:
        """What the client trusts: the system's certificates, or none where none are needed."""
        urls = (self.query_url, self.update_url, self.graph_store_url)
        # Reading those of the system takes a tenth of a second.
        secure = any(url.startswith("https:") for url in urls)
        return True if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as the arguments of the client's ``build_request``."""

    method: str
    url: str
    headers: Mapping[str, str]
    data: Mapping[str, str | Sequence[str]] | None = None
    content: Any = None

    def build(self, client: httpx2.Client | httpx2.AsyncClient, url: str = "") -> httpx2.Request:
        """Return the request, to another address of the server when one is given."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "medkg", **self.headers}
        return client.build_request(
            self.method, url or self.url, headers=headers, data=self.data, content=self.content
        )

    def asking(self, text: str, accept: str) -> "Call":
        """Return the same request with another query."""
        return replace(
            self, headers={**self.headers, "Accept": accept}, data={**(self.data or {}), "query": text}
        )


class Credentials(httpx2.Auth):
    """A user and a password, sent in the way that the server asks for and not before it asks."""

    def __init__(self, user: str, password: str) -> None:
        self._basic = httpx2.BasicAuth(user, password)
        self._digest = httpx2.DigestAuth(user, password)

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send the request, and again with the credentials when the server asks for them."""
        response = yield request
        challenges = " ".join(response.headers.get_list("www-authenticate")).lower()
        if response.status_code != httpx2.codes.UNAUTHORIZED or not challenges:
            return
        if "digest" in challenges:
            flow = self._digest.auth_flow(request)
            next(flow)
            yield flow.send(response)
        elif "basic" in challenges:
            yield from self._basic.auth_flow(request)


def at(
    url: str, *, update_url: str = "", graph_store_url: str = "", default_graph: str | None = None
) -> Server:
    """Return the server whose query address is *url*, which may hold a user and a password.

    :raises SettingError: an address is none of HTTP.
    """
    bare, user, password = _split(url)
    pairs = _neighbours(bare, known=bool(user))
    return Server(
        query_url=bare,
        update_url=_split(update_url)[0] if update_url else "",
        graph_store_url=_split(graph_store_url)[0] if graph_store_url else "",
        default_graph=default_graph,
        user=user,
        password=password,
        neighbours=pairs,
    )


def query_call(
    server: Server, text: str, accept: str, default: Sequence[str] = (), named: Sequence[str] = ()
) -> Call:
    """Return the request of a query (SPARQL 1.1 Protocol, section 2.1.2)."""
    data: dict[str, str | Sequence[str]] = {"query": text}
    if default:
        data["default-graph-uri"] = tuple(default)
    if named:
        data["named-graph-uri"] = tuple(named)
    return Call("POST", server.query_url, {"Accept": accept}, data)


def update_call(server: Server, text: str, using: Sequence[str] = (), named: Sequence[str] = ()) -> Call:
    """Return the request of an update (SPARQL 1.1 Protocol, section 2.2.1)."""
    data: dict[str, str | Sequence[str]] = {"update": text}
    if using:
        data["using-graph-uri"] = tuple(using)
    if named:
        data["using-named-graph-uri"] = tuple(named)
    return Call("POST", server.update_url, {}, data)


def graph_url(server: Server, graph: str | None) -> str:
    """Return the address of a graph (SPARQL 1.1 Graph Store HTTP Protocol, section 4.2)."""
    joint = "&" if urlsplit(server.graph_store_url).query else "?"
    return server.graph_store_url + joint + ("default" if graph is None else f"graph={quote(graph, safe='')}")


def redirected(url: str, location: str) -> str:
    """Return the address that a redirect leads to.

    :raises StoreFailed: it is on another host, which may not learn of the request.
    """
    target = urljoin(url, location)
    if _origin(target) != _origin(url):
        raise StoreFailed(
            "The SPARQL server sends medkg on to another host, where it does not go.",
            remedy=f"Put the right address into {_SETTING}.",
        )
    return target


def lacking(capability: str, remedy: str = "") -> NotSupported:
    """Return the error for what a server can't do; see :data:`LACKS`."""
    return NotSupported(LACKS[capability], remedy=remedy)


def silent(error: httpx2.HTTPError) -> MedkgError:
    """Return what it means that no response came."""
    if isinstance(error, httpx2.PoolTimeout):
        return Busy("Too many requests wait for the SPARQL server.", remedy="Try again in a few seconds.")
    if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout):
        return DeadlineExceeded("The SPARQL server took too long.", remedy="Ask for less at a time.")
    return StoreFailed("The SPARQL server does not answer.", remedy=_MEND)


def broken(error: httpx2.HTTPError) -> MedkgError:
    """Return what it means that a response stopped in the middle."""
    if isinstance(error, httpx2.TimeoutException):
        return silent(error)
    return StoreFailed("The SPARQL server cut the answer.", remedy="Try again; ask for less at a time.")


def refusal(response: httpx2.Response, text: str, *, shift: int = 0) -> MedkgError:
    """Return what a status other than success means; *text* is the body, or its start.

    *shift* lines of ours stand before the text that the server speaks of.
    """
    status = response.status_code
    if status in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        return StoreFailed(
            f"The SPARQL server does not let medkg in (HTTP {status}).",
            remedy=f"Look at the user and the password in {_SETTING}, and at what that user may do.",
        )
    if status in {httpx2.codes.CONTENT_TOO_LARGE, httpx2.codes.URI_TOO_LONG}:
        return TooLarge("The request is larger than the SPARQL server takes.", remedy="Send a shorter one.")
    slow = status in {httpx2.codes.REQUEST_TIMEOUT, httpx2.codes.GATEWAY_TIMEOUT}
    if slow or (response.is_server_error and _SLOW.search(text.strip().split("\n", 1)[0])):
        return DeadlineExceeded("The SPARQL server took too long.", remedy="Ask for less at a time.")
    if status in {httpx2.codes.TOO_MANY_REQUESTS, httpx2.codes.SERVICE_UNAVAILABLE}:
        return Busy("The SPARQL server is busy.", remedy="Try again in a few seconds.")
    if status == httpx2.codes.BAD_REQUEST:
        return _rejected(text, shift)
    found = _VIRTUOSO.search(text)
    detail = f" {found[2].strip()[:_DETAIL]}" if found else ""
    return StoreFailed(f"The SPARQL server answered with HTTP {status}.{detail}", remedy=_MEND)


def _rejected(text: str, shift: int) -> MedkgError:
    """Return the error of a query that the server does not take, with its place where the server says it."""
    detail = text.strip().split("\n", 1)[0].strip()[:_DETAIL]
    virtuoso = _VIRTUOSO.search(text)
    if virtuoso is not None:
        detail = virtuoso[2].strip()[:_DETAIL]
        if virtuoso[1] != "37000":
            return QueryRefused(f"The SPARQL server does not run the query: {detail}")
    found = _ENGINE.match(text) or _PLACE.search(detail)
    line = int(found[1]) - shift if found else 0
    if found is None or line < 1:
        return QuerySyntaxError(f"The SPARQL server can't read the query: {detail}", line=None, column=None)
    column = int(found[2]) if found[2] else None
    where = f"line {line}, column {column}" if column else f"line {line}"
    return QuerySyntaxError(
        f"The query does not parse at {where}.",
        line=line,
        column=column,
        remedy="Look at that place and just before it: a missing dot, bracket, quote or prefix?",
    )


def _split(url: str) -> tuple[str, str, str]:
    """Return an address without its credentials, and these."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise SettingError(
            f"{_SETTING} can't be used: expected an address that begins with http:// or https://"
        )
    bare = parts.netloc.rpartition("@")[2]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return urlunsplit((parts.scheme, bare, parts.path or "/", parts.query, "")), user, password


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _neighbours(url: str, *, known: bool) -> tuple[tuple[str, str], ...]:
    """Return where servers have updates and graphs: beside the query address, by their habits."""
    folder, _, last = url.partition("?")[0].rpartition("/")
    beside = [(f"{folder}/update", f"{folder}/store"), (f"{folder}/update", f"{folder}/data")]
    open_ = (f"{folder}/sparql", f"{folder}/sparql-graph-crud")
    guarded = (f"{folder}/sparql-auth", f"{folder}/sparql-graph-crud-auth")
    if last == "sparql":
        return (guarded, open_, *beside) if known else (open_, *beside)
    if last == "sparql-auth":
        return (guarded,)
    if "/repositories/" in url:
        return ((f"{url}/statements", f"{url}/rdf-graphs/service"),)
    return tuple(beside)
