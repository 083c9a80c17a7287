"""The pool of readers, on real processes."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from medkg import children
from medkg.domain.errors import Busy, StoreFailed
from medkg.store.keeper import Keeper
from medkg.store.peer import Peer
from medkg.store.pool import Pool

pytestmark = pytest.mark.anyio

READER = {"memory": 536_870_912, "max_bytes": 1_000, "max_depth": 10, "union": True}


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    """A running nursery."""
    keeper = Keeper.start()
    yield keeper
    await keeper.close(0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - other processes are waited for
            await asyncio.sleep(0.01)


@pytest.fixture
async def pool(keeper: Keeper) -> AsyncIterator[Pool]:
    """A pool with two places, one for slow requests, and one that may wait for a moment."""
    async with filled(keeper, young=0) as pool:
        yield pool


@asynccontextmanager
async def filled(keeper: Keeper, young: float) -> AsyncIterator[Pool]:
    pool = Pool(size=2, slow=1, queue=1, patience=0.3, young=young)
    pool.switch(lambda: keeper.fork("blank", None, READER))
    await until(lambda: pool.numbers()["readers_idle"] == 3)
    yield pool
    await pool.close()


async def test_one_more_reader_than_places_waits_ready(pool: Pool) -> None:
    """A pool keeps a spare beside the readers that may work at a time."""
    assert len(set(pool.pids())) == 3
    assert pool.numbers()["readers_starting"] == 0


@pytest.mark.parametrize(("processors", "alone"), [(1, False), (2, True)])
async def test_a_reader_knows_when_nothing_else_runs(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, processors: int, *, alone: bool
) -> None:
    """The first of several requests is alone, where there is a processor besides; none beside another is."""
    monkeypatch.setattr(children, "processors", lambda: processors)
    async with filled(keeper, young=0) as pool:
        first = await pool.acquire()
        second = await pool.acquire()
        assert (first.alone, second.alone) == (alone, False)
        pool.demote(first)
        pool.release(second)
        beside_a_slow_one = await pool.acquire()
        assert not beside_a_slow_one.alone
        pool.release(first)
        pool.release(beside_a_slow_one)
        assert (await pool.acquire()).alone is alone


async def test_who_comes_when_all_work_waits_for_the_first_that_is_free(pool: Pool) -> None:
    """A request gets the place of one that ends, and the same reader if that is in order."""
    first, second = await pool.acquire(), await pool.acquire()
    third = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0.05)
    assert not third.done()

    pool.release(first)

    assert await third is not second
    assert not (await third).over


async def test_the_spare_works_while_all_are_young(keeper: Keeper) -> None:
    """One request more than there are places runs beside such as have just begun, and no second one."""
    async with filled(keeper, young=60) as pool:
        assert len({await pool.acquire() for _ in range(3)}) == 3
        with pytest.raises(Busy):
            await pool.acquire()


async def test_the_spare_does_not_work_beside_an_older_one(keeper: Keeper) -> None:
    """With one that takes longer the places are as many as there are."""
    async with filled(keeper, young=0.2) as pool:
        older = await pool.acquire()
        await asyncio.sleep(0.25)
        young = await pool.acquire()
        with pytest.raises(Busy):
            await pool.acquire()
        pool.release(older)
        pool.release(young)

        assert len({await pool.acquire() for _ in range(3)}) == 3


async def test_the_queue_is_bounded(pool: Pool) -> None:
    """Beyond the queue a request is refused at once, and within it after a while."""
    held = [await pool.acquire(), await pool.acquire()]
    waits = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0)

    with pytest.raises(Busy, match="Too many"):
        await pool.acquire()
    with pytest.raises(Busy, match="Too many"):
        await waits
    pool.release(held[0])
    assert not (await pool.acquire()).over


async def test_a_request_that_stops_waiting_loses_no_reader(pool: Pool) -> None:
    """Requests that are cancelled while they wait leave every place free in the end."""
    held = [await pool.acquire(), await pool.acquire()]
    for _ in range(20):
        waits = asyncio.ensure_future(pool.acquire())
        await asyncio.sleep(0.001)
        waits.cancel()
    waits = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0.001)
    pool.release(held[0])
    waits.cancel()
    await asyncio.gather(waits, return_exceptions=True)
    pool.release(held[1])

    await until(lambda: pool.numbers()["readers_idle"] == 3)
    assert (pool.numbers()["readers_busy"], pool.numbers()["queue"]) == (0, 0)


async def test_a_slow_request_makes_room(pool: Pool) -> None:
    """A slow request yields its place, later its priority; its reader has the full priority for the next."""
    slow, second = await pool.acquire(), await pool.acquire()
    await until(lambda: len(priorities(slow)) == 2)

    assert pool.demote(slow)
    third = await pool.acquire()
    assert not pool.demote(second)

    assert priorities(slow) == [0, 0]
    pool.lower(slow)
    pool.lower(second)
    assert (priorities(slow), priorities(second)) == ([0, 10], [0, 0])
    assert third not in {slow, second}
    pool.release(third)
    pool.release(slow)
    assert await pool.acquire() is slow
    await read_a_document(slow)
    await until(lambda: priorities(slow) == [0, 0])


def priorities(reader: Peer) -> list[int]:
    """Return those of the threads of a reader, the first of which only waits."""
    threads = sorted(int(entry.name) for entry in Path(f"/proc/{reader.pid}/task").iterdir())
    return [os.getpriority(os.PRIO_PROCESS, thread) for thread in threads]


async def read_a_document(reader: Peer) -> None:
    """Have a reader answer a request."""
    reader.send({"do": "parse", "media_type": "application/n-triples", "base": ""})
    reader.send({"end": True})
    assert (await reader.receive())[0]["end"]


async def test_what_slow_requests_have_started_is_kept_for_a_while(pool: Pool) -> None:
    """A reader more than needed waits with the others, and the one that worked last is taken first."""
    slow, second = await pool.acquire(), await pool.acquire()
    assert pool.demote(slow)
    await until(lambda: pool.numbers()["readers_idle"] == 2)
    pool.release(slow)
    pool.release(second)

    assert pool.numbers()["readers_idle"] == 4
    assert await pool.acquire() is second


async def test_there_is_room_for_slow_requests_as_long_as_there_is_memory(pool: Pool) -> None:
    """Without room for slow ones a request keeps its place."""
    pool.limit_slow(0)

    assert not pool.demote(await pool.acquire())


async def test_a_reader_that_dies_is_replaced(pool: Pool) -> None:
    """A reader that is killed while it waits leaves the pool, and a new one comes."""
    victim = pool.pids()[0]

    os.kill(victim, 9)

    await until(lambda: victim not in pool.pids() and pool.numbers()["readers_idle"] == 3)


async def test_an_ended_reader_is_not_handed_out_again(pool: Pool) -> None:
    """A reader that was ended at its deadline is replaced when it is given back."""
    reader = await pool.acquire()
    reader.end()
    pool.release(reader)

    assert await pool.acquire() is not reader


async def test_a_new_version_gets_new_readers(pool: Pool, keeper: Keeper) -> None:
    """After a switch nobody gets a reader of the version before, and those at work end with their request."""
    before = set(pool.pids())
    working = await pool.acquire()

    pool.switch(lambda: keeper.fork("blank", None, READER))

    assert (await pool.acquire()).pid not in before
    assert not working.over
    pool.release(working)
    assert working.over


async def test_forks_that_fail_are_tried_again() -> None:
    """A pool whose readers can't start refuses requests, and serves again when they can."""
    keeper = Keeper.start()
    broken = True

    async def fork() -> Peer:
        if broken:
            raise StoreFailed("no")
        return await keeper.fork("blank", None, READER)

    pool = Pool(size=1, slow=1, queue=5, patience=0.2)
    pool.switch(fork)
    with pytest.raises(Busy):
        await pool.acquire()
    broken = False
    await until(lambda: pool.numbers()["readers_idle"] == 2)

    await pool.close()
    await keeper.close(0)
