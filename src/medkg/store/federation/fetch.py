"""Fetches from addresses that the operator has listed, and from nowhere else.

A name may lead anywhere, and somewhere else at the next look-up.  So a host is looked up once, each of its
addresses has to be one of the public internet, and the connection goes to the address that was looked at; the
name stays what the server is asked for and what its certificate has to say.  An operator who lists an address
by its numbers, or ``localhost``, means it, and it is taken as it is.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

import httpx2

from medkg.domain.errors import EndpointFailed, TooLarge
from medkg.store.federation.allow import AllowList

__all__ = ["Fetched", "Fetcher", "Resolve", "Wish", "is_public", "look_up", "pinned"]

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host; raises OSError when it has none."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CONNECT: Final = 5.0
_TRIED: Final = 4
"""Addresses of one host that are tried."""
_HOPS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
_SEE_OTHER: Final = 303
_AGAIN: Final = "Try again later, or write SILENT to go on without it."
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LAST: Final = 0xFFFF_FFFF
"""The bits of an IPv4 address at the end of an IPv6 address."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be fetched: *iri* is what it is called in errors, *url* what the list has allowed."""

    iri: str
    url: httpx2.URL
    accept: str
    form: Mapping[str, str] | None = None
    """The fields of a form that is posted; None: it is a GET."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a wish, whose body is still to come; *url* is where it came from in the end."""

    iri: str
    url: httpx2.URL
    response: httpx2.Response

    async def pieces(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the body.

        :raises TooLarge: it has more than *limit* bytes.
        :raises EndpointFailed: it breaks off.
        """
        size = 0
        try:
            async for piece in self.response.aiter_raw():
                size += len(piece)
                if size > limit:
                    raise TooLarge(
                        f"<{self.iri}> sends more than {limit:,} bytes, which is the limit.",
                        remedy="Ask it for less.",
                    )
                yield piece
        except httpx2.HTTPError as error:
            raise EndpointFailed(f"<{self.iri}> broke its answer off.", remedy=_AGAIN) from error


class Fetcher:
    """Fetches one thing at a time, without cookies, credentials or proxies; *resolve* looks up hosts."""

    def __init__(self, *, secure: bool = True, resolve: Resolve | None = None) -> None:
        self._resolve = resolve or look_up
        # Reading the certificates of the system takes a tenth of a second.
        self._trusted = (
            httpx2.create_ssl_context(trust_env=False) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )

    @asynccontextmanager
    async def fetch(self, allowed: AllowList, wish: Wish) -> AsyncIterator[Fetched]:
        """Yield the answer, which is a success; each redirect has to be allowed, too.

        :raises EndpointFailed: there is none.
        """
        # A client for each shares nothing: no cookies, and no connection that another name was checked for.
        async with httpx2.AsyncClient(
            verify=self._trusted,
            trust_env=False,
            timeout=httpx2.Timeout(None, connect=_CONNECT),
            limits=httpx2.Limits(max_keepalive_connections=0),
        ) as client:
            fetched = await self._follow(client, allowed, wish)
            try:
                if not fetched.response.is_success:
                    status = fetched.response.status_code
                    raise EndpointFailed(f"<{wish.iri}> answered with HTTP {status}.", remedy=_AGAIN)
                if fetched.response.headers.get("content-encoding", "identity").lower() != "identity":
                    raise EndpointFailed(f"<{wish.iri}> compresses its answer, though it was not asked to.")
                yield fetched
            finally:
                await fetched.response.aclose()

    async def _follow(self, client: httpx2.AsyncClient, allowed: AllowList, wish: Wish) -> Fetched:
        url = wish.url
        followed = _REDIRECTS if wish.form is not None else _REDIRECTS | {_SEE_OTHER}
        for _ in range(_HOPS + 1):
            response = await self._send(client, url, wish)
            if response.status_code not in followed:
                return Fetched(wish.iri, url, response)
            await response.aclose()
            target = allowed.address(_joined(url, response.headers.get("location", "")))
            if target is None:
                raise EndpointFailed(
                    f"<{wish.iri}> leads to an address that is not listed here.",
                    remedy="Call the address that it leads to, if that is listed.",
                )
            url = target
        raise EndpointFailed(f"<{wish.iri}> leads from one address to the next.")

    async def _send(self, client: httpx2.AsyncClient, url: httpx2.URL, wish: Wish) -> httpx2.Response:
        failure: Exception | None = None
        for address in await self._addresses(url, wish.iri):
            try:
                return await client.send(pinned(client, url, address, wish), stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
            except httpx2.HTTPError as error:
                failure = error
                break
        raise EndpointFailed(f"<{wish.iri}> does not answer.", remedy=_AGAIN) from failure

    async def _addresses(self, url: httpx2.URL, iri: str) -> Sequence[str]:
        """Return the addresses that may be connected to for a host.

        :raises EndpointFailed: there are none, or one of them is not public.
        """
        if _literal(url.host) is not None:
            return (url.host,)
        try:
            found = await self._resolve(url.raw_host.decode("ascii"), url.port or 0)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise EndpointFailed(f"<{iri}> can't be called: its host is not known.", remedy=_AGAIN)
        if not all(_is_loopback(item) if url.host == "localhost" else is_public(item) for item in found):
            raise EndpointFailed(
                f"<{iri}> can't be called: its host has an address that is not public.",
                remedy="The operator can list it by that address, if it is meant.",
            )
        return found[:_TRIED]


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host.

    :raises OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def pinned(client: httpx2.AsyncClient, url: httpx2.URL, address: str, wish: Wish) -> httpx2.Request:
    """Return the request to *address* that asks for *url*, by its name."""
    named = _literal(url.host) is None
    return client.build_request(
        "GET" if wish.form is None else "POST",
        url.copy_with(host=address, fragment=None) if named else url.copy_with(fragment=None),
        headers={
            "Host": url.netloc.decode("ascii"),
            "Accept": wish.accept,
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "medkg",
        },
        data=wish.form,
        # The name that the certificate must be for; without it that would be the address.
        extensions={"sni_hostname": url.raw_host.decode("ascii")} if named else {},
    )


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, also as what is written inside of it."""
    found = _literal(address)
    if found is None:
        return False
    inner: _Address | None = None
    if isinstance(found, ipaddress.IPv6Address):
        if found.is_site_local or found.scope_id is not None:
            return False
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & _LAST)
    if inner is not None:
        return is_public(str(inner))
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _is_loopback(address: str) -> bool:
    found = _literal(address)
    return found is not None and found.is_loopback


def _literal(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _joined(url: httpx2.URL, location: str) -> str:
    try:
        return urljoin(str(url), location) if location else ""
    except ValueError:
        return ""
