"""Answers kept by what determines them, and requests for the same answer joined into one."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from cachetools import LRUCache

from medkg.store.engine import Reply

__all__ = ["ResultCache"]

_OVERHEAD = 512
"""Bytes that an entry takes beside its body and key, roughly."""


class ResultCache:
    """Whole answers, at most *limit* bytes of them, the least recently used leave first; 0 keeps none.

    *hits* and *misses* count the requests.
    """

    def __init__(self, limit: int) -> None:
        self.hits = 0
        self.misses = 0
        self.largest = limit // 16
        """Bytes of the largest answer that is kept."""
        self._kept: LRUCache[Hashable, Reply] = LRUCache(max(limit, 1), getsizeof=_size)
        self._coming: dict[Hashable, asyncio.Future[Reply | None]] = {}

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return int(self._kept.currsize)

    def kept(self, key: Hashable) -> Reply | None:
        """Return the answer that is kept for *key*, or None."""
        found = self._kept.get(key)
        self.hits += found is not None
        return found

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        """Return the answer for *key*: the kept one, that of a request under way, or what *make* returns."""
        if not self.largest:
            return await make()
        found = self.kept(key)
        coming = self._coming.get(key)
        if found is None and coming is not None:
            # Shielded: when one who waits leaves, the others still wait.
            found = await asyncio.shield(coming)
            self.hits += found is not None
        if found is not None:
            return found
        self.misses += 1
        return await self._make(key, make)

    def put(self, key: Hashable, reply: Reply) -> None:
        """Keep an answer that is whole, not volatile, and not too large."""
        if reply.body is not None and not reply.volatile and len(reply.body) <= self.largest:
            self._kept[key] = reply

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        if key in self._coming:
            return await make()
        coming = self._coming[key] = asyncio.get_running_loop().create_future()
        shared = None
        try:
            reply = await make()
            self.put(key, reply)
            shared = self._kept.get(key)
        finally:
            # Without an answer to share, those who wait ask themselves.
            del self._coming[key]
            if not coming.done():
                coming.set_result(shared)
        return reply


def _size(reply: Reply) -> int:
    return _OVERHEAD + len(reply.body or b"")
