"""Kills the processes of the engine room at random moments under load; nothing may be lost or wrong.

Run ``python benchmarks/chaos.py --kills 1000``.  Each accepted write puts the same number into two graphs;
every answer must have the same numbers in both, all that were accepted before it was asked for, and none that
was never sent.  At the end all accepted numbers must be there, and no process, no file in
the making and no forgotten version may be left.
"""

import argparse
import asyncio
import csv
import io
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rdflib.term import Literal, URIRef

from medkg.domain.errors import MedkgError
from medkg.domain.model import Author, QueryRequest, Role, UpdateRequest
from medkg.store.room import Limits, Room
from medkg.store.writer import candidate

__all__ = ["Outcome", "run"]

_ADMIN = Author("chaos", Role.ADMIN, unchecked=True)
_ONE, _TWO = "urn:chaos:one", "urn:chaos:two"
_PAIRS = f"""
SELECT ?one ?two {{
  {{ GRAPH <{_ONE}> {{ ?s <urn:n> ?one }} }} UNION {{ GRAPH <{_TWO}> {{ ?s <urn:n> ?two }} }}
}}
"""
_RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
_LIMITS = Limits(query_timeout=2.0, update_timeout=5.0, patience=20.0, cache=0)


@dataclass(slots=True)
class Outcome:
    """What happened; *wrong* lists every answer or state that should not have been."""

    kills: Counter[str] = field(default_factory=Counter)
    accepted: set[int] = field(default_factory=set)
    sent: int = 0
    answers: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the outcome as a few lines."""
        kills = ", ".join(f"{number} {what}" for what, number in sorted(self.kills.items()))
        errors = ", ".join(f"{number} {what}" for what, number in sorted(self.errors.items())) or "none"
        return (
            f"kills: {kills}\nwrites: {self.sent} sent, {len(self.accepted)} accepted\n"
            f"answers: {self.answers} checked; errors told to clients: {errors}\nwrong: {len(self.wrong)}\n"
            + "\n".join(self.wrong[:20])
        )


async def run(root: Path, kills: int, seed: int = 1) -> Outcome:
    """Kill *kills* processes of a room in the empty folder *root*, under load, and return what happened."""
    _build(root)
    outcome, chance = Outcome(), random.Random(seed)  # noqa: S311 - not for secrets
    room = Room(root, limits=_LIMITS)
    await room.start()
    seen: set[int] = set()
    over = asyncio.Event()
    load = [asyncio.create_task(_write(room, outcome, over)) for _ in range(2)]
    load += [asyncio.create_task(_ask(room, outcome, over)) for _ in range(4)]
    load += [asyncio.create_task(_run_away(room, outcome, over))]
    while sum(outcome.kills.values()) < kills:
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        seen.update(pid for _, pid in room.processes())
        _kill(room, outcome, chance)
    over.set()
    await asyncio.gather(*load)
    await _check(room, outcome, "at the end")
    seen.update(pid for _, pid in room.processes())
    await room.close()
    await _check_leftovers(root, seen, outcome)
    again = Room(root, limits=_LIMITS)
    await again.start()
    await _check(again, outcome, "after a restart")
    await again.close()
    return outcome


def _build(root: Path) -> None:
    with candidate(root) as work:
        graph = URIRef("urn:chaos:base")
        work.add((URIRef(f"urn:s{i}"), URIRef("urn:p"), Literal(str(i)), graph) for i in range(400))
        work.close()
        work.publish()


async def _write(room: Room, outcome: Outcome, over: asyncio.Event) -> None:
    while not over.is_set():
        outcome.sent += 1
        number = outcome.sent
        data = f"<urn:c> <urn:n> {number}"
        text = f"INSERT DATA {{ GRAPH <{_ONE}> {{ {data} }} GRAPH <{_TWO}> {{ {data} }} }}"
        for attempt in range(20):
            try:
                await room.update(UpdateRequest(text), _ADMIN, f"key-{number}")
            except MedkgError as error:
                outcome.errors[f"write {type(error).__name__}"] += 1
                if attempt % 2:
                    # Some clients give up: their write may or may not have been accepted.
                    break
            else:
                outcome.accepted.add(number)
                break


async def _ask(room: Room, outcome: Outcome, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            await _check(room, outcome, "in between")
        except MedkgError as error:
            outcome.errors[f"query {type(error).__name__}"] += 1


async def _run_away(room: Room, outcome: Outcome, over: asyncio.Event) -> None:
    while not over.is_set():
        try:
            await room.query(QueryRequest(_RUNAWAY), "text/csv")
        except MedkgError as error:
            outcome.errors[f"runaway {type(error).__name__}"] += 1


async def _check(room: Room, outcome: Outcome, when: str) -> None:
    """Ask for all numbers, and note what is wrong with the answer."""
    least, version = set(outcome.accepted), room.version
    reply = await room.query(QueryRequest(_PAIRS), "text/csv")
    body = reply.body if reply.chunks is None else b"".join([piece async for piece in reply.chunks])
    rows = list(csv.DictReader(io.StringIO((body or b"").decode())))
    one = {int(row["one"]) for row in rows if row["one"]}
    two = {int(row["two"]) for row in rows if row["two"]}
    outcome.answers += 1
    if one != two:
        outcome.wrong.append(f"{when}: half a write: {sorted(one ^ two)[:5]}")
    if missing := least - one:
        outcome.wrong.append(f"{when}: accepted and lost in version {version}: {sorted(missing)[:5]}")
    if one and max(one) > outcome.sent:
        outcome.wrong.append(f"{when}: never sent: {max(one)}")


def _kill(room: Room, outcome: Outcome, chance: random.Random) -> None:
    what, pid = chance.choice(room.processes())
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    outcome.kills[what] += 1


async def _check_leftovers(root: Path, seen: set[int], outcome: Outcome) -> None:
    for _ in range(100):
        if not _children() & seen:
            break
        await asyncio.sleep(0.05)
    outcome.wrong += [f"left over: process {pid}" for pid in _children() & seen]
    outcome.wrong += [f"left over: {path}" for path in (root / "snapshots").glob(".tmp-*")]
    outcome.wrong += [f"left over: {path}" for path in (root / "spool").glob("*")]


def _children() -> set[int]:
    """Return the processes that descend from this one, zombies included."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found: set[int] = set()
    wave = {os.getpid()}
    while wave:
        wave = {pid for pid, parent in parents.items() if parent in wave} - found
        found |= wave
    return found


def main() -> None:
    """Run from the command line; the exit code is 1 when something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run(Path(folder), given.kills, given.seed))
    print(f"{outcome}\n{time.monotonic() - started:.0f} s")
    sys.exit(bool(outcome.wrong))


if __name__ == "__main__":
    main()
