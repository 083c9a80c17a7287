"""How often one client may ask: a bucket of tokens that fills again with time."""

import ipaddress
import math
from collections.abc import Callable
from functools import lru_cache

from cachetools import LRUCache

from medkg.domain.errors import RateLimited

__all__ = ["RateLimiter"]

_CLIENTS = 20_000
_IPV6_SITE = 64
"""Bits that tell one IPv6 customer from another: whoever has one address of a /64 has all of them."""


class RateLimiter:
    """Lets each client send *per_minute* requests, half of them at once; 0 lets all pass."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._rate = per_minute / 60
        self._room = max(1.0, per_minute / 2)
        self._clock = clock
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(_CLIENTS)

    def check(self, address: str) -> None:
        """Count a request of a client.

        :raises RateLimited: it has sent too many.
        """
        if not self._rate:
            return
        client = _site(address)
        now = self._clock()
        left, before = self._buckets.get(client, (self._room, now))
        left = min(self._room, left + (now - before) * self._rate)
        if left < 1:
            self._buckets[client] = (left, now)
            wait = math.ceil((1 - left) / self._rate)
            raise RateLimited(
                f"This client sends more than {self._rate * 60:g} requests a minute.",
                retry_after=wait,
                remedy=f"Wait {wait} seconds, or ask for more in one request.",
            )
        self._buckets[client] = (left - 1, now)


@lru_cache(maxsize=4_096)
def _site(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        # So a socket for both protocols names its IPv4 clients, who share nothing.
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.ip_network((found, _IPV6_SITE), strict=False))
