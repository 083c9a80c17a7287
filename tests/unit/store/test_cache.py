"""The cache of answers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from medkg.domain.errors import Busy
from medkg.store.cache import ResultCache
from medkg.store.engine import Reply
from medkg.store.formats import by_name

pytestmark = pytest.mark.anyio

MEGABYTE = 1_048_576


class Maker:
    """Makes replies slowly and counts them."""

    def __init__(self, body: bytes | None = b"rows", *, volatile: bool = False) -> None:
        self.calls = 0
        self._reply = Reply(by_name("json", "results"), 1, body, volatile=volatile)

    async def __call__(self) -> Reply:
        self.calls += 1
        await asyncio.sleep(0.01)
        return self._reply


async def test_an_answer_is_made_once() -> None:
    """The second request for a key gets the kept answer."""
    cache, make = ResultCache(MEGABYTE), Maker()

    first, second = await cache.get("a", make), await cache.get("a", make)

    assert (first, make.calls, cache.hits, cache.misses) == (second, 1, 1, 1)


async def test_requests_at_the_same_time_share_one_evaluation() -> None:
    """Ten requests that come while the first is evaluated wait for it and take its answer."""
    cache, make = ResultCache(MEGABYTE), Maker()

    replies = await asyncio.gather(*(cache.get("a", make) for _ in range(10)))

    assert make.calls == 1
    assert len(set(map(id, replies))) == 1


@pytest.mark.parametrize(
    ("limit", "make"),
    [
        (0, Maker()),
        (MEGABYTE, Maker(volatile=True)),
        (MEGABYTE, Maker(None)),
        (MEGABYTE, Maker(b"x" * (MEGABYTE // 16 + 1))),
    ],
    ids=["no cache", "volatile", "a stream", "too large"],
)
async def test_what_must_not_be_kept_is_made_each_time(limit: int, make: Maker) -> None:
    """Nothing is kept without room, and neither are volatile, streamed and very large answers."""
    cache = ResultCache(limit)

    await asyncio.gather(cache.get("a", make), cache.get("a", make))
    await cache.get("a", make)

    assert make.calls == 3
    assert cache.size == 0


async def test_the_bytes_are_bounded() -> None:
    """The least recently used answers leave when there is no more room."""
    cache = ResultCache(160_000)
    makers = [Maker(b"x" * 9_000) for _ in range(40)]

    for number, make in enumerate(makers):
        await cache.get(number, make)
    await cache.get(39, makers[39])
    await cache.get(0, makers[0])

    assert cache.size <= 160_000
    assert (makers[39].calls, makers[0].calls) == (1, 2)


async def failing() -> Reply:
    await asyncio.sleep(0.01)
    raise Busy("no")


@pytest.mark.parametrize("leader", [failing, Maker().__call__], ids=["fails", "is cancelled"])
async def test_who_waits_asks_itself_when_the_first_gets_nothing(
    leader: Callable[[], Awaitable[Reply]],
) -> None:
    """A failure or a client that leaves is that request's alone."""
    cache, make = ResultCache(MEGABYTE), Maker()
    first = asyncio.ensure_future(cache.get("a", leader))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(cache.get("a", make))
    await asyncio.sleep(0)
    if leader is not failing:
        first.cancel()

    assert (await second).body == b"rows"
    with pytest.raises((Busy, asyncio.CancelledError)):
        await first
