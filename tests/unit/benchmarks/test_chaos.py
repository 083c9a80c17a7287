"""benchmarks/chaos.py: a short run of it, and proof that it notices what is wrong."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medkg.store.room import Room

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
KILLS = 40


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


async def test_kills_at_random_moments_lose_nothing_and_leave_nothing(tmp_path: Path) -> None:
    """Whatever is killed under load, accepted writes stay, answers are right, and nothing is left over."""
    from benchmarks import chaos

    outcome = await chaos.run(tmp_path, KILLS)

    assert outcome.wrong == []
    assert sum(outcome.kills.values()) == KILLS
    assert {"reader", "writer", "nursery"} <= set(outcome.kills)
    assert outcome.answers > KILLS


async def test_a_lost_write_would_be_noticed(tmp_path: Path) -> None:
    """An answer from before a write that was accepted is called wrong."""
    from benchmarks import chaos

    chaos._build(tmp_path)
    room = Room(tmp_path)
    await room.start()
    outcome = chaos.Outcome(accepted={1}, sent=1)
    await chaos._check(room, outcome, "here")
    await room.close()

    assert [message.partition(" in version")[0] for message in outcome.wrong] == ["here: accepted and lost"]
