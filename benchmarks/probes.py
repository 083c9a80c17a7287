"""What wrk can't measure: first rows, fresh writes, deadlines, neighbours of a runaway query, restarts."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

from benchmarks.client import Address, Session, ask, fetch, first_byte, post
from benchmarks.load import percentile
from benchmarks.targets import Engine

__all__ = ["PROBES", "beside", "deadline", "first_row", "freshness", "restart"]

PREFIX: Final = "PREFIX medkg: <https://w3id.org/medkg/ontology#>\n"
MANY_ROWS: Final = (
    PREFIX + "SELECT ?a ?b { ?a a medkg:InnovationAction . ?b a medkg:Organisation } LIMIT 5000000"
)
# The filter needs both parts, so that none of them can be cut short.  A third one would take so much memory
# that a limit on that ends the query before its deadline.
RUNAWAY: Final = """SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f
FILTER(STRLEN(STR(?c)) + STRLEN(STR(?f)) = 1) }"""
CHEAP: Final = (
    PREFIX + "ASK { <https://w3id.org/medkg/id/action/1> a medkg:InnovationAction ; medkg:region ?region }"
)
GRAPH: Final = "https://w3id.org/medkg/graph/bench-probe"
DEADLINE_S: Final = 2
HEAD: Final = 250
"""Bytes of an answer that surely hold its head and a first row."""


def first_row(engine: Engine) -> dict[str, Any]:
    """Return when the first and the last of five million rows came; reading ends after a minute.

    *at_once* is when the first one comes from a server that has just started, the others are from one that
    was left alone until it rested.
    """
    at_once, _, _ = _many_rows(engine, rested=False)
    first, end, length = _many_rows(engine, rested=True)
    return {"at_once_s": at_once, "first_row_s": first, "until_s": end, "mib": length / 2**20}


def _many_rows(engine: Engine, *, rested: bool) -> tuple[float | None, float, int]:
    running = engine.start()
    engine.settle(running.address)
    try:
        fetch(running.address, CHEAP)
        if rested:
            # A reader begins to copy what it shares after a second.
            time.sleep(2)
            running.server.drain()
        return first_byte(running.address, MANY_ROWS, HEAD, 60)
    finally:
        running.server.stop()


def freshness(engine: Engine) -> dict[str, Any]:
    """Return how long a write of one triple takes, and until a query has seen it after its answer.

    *stale* counts the writes that the first query after the answer did not see.
    """
    running = engine.start()
    engine.settle(running.address)
    try:
        if not running.address.update:
            return {}
        acknowledged, seen, stale = [], [], 0
        for number in range(20):
            data = f"GRAPH <{GRAPH}> {{ <{GRAPH}> <{GRAPH}#n> {number} }}"
            answer = post(running.address, f"INSERT DATA {{ {data} }}")
            if answer.status not in {200, 201, 204}:
                return {"refused": answer.status}
            acknowledged.append(answer.seconds)
            taken, asked = _until_seen(running.address, f"ASK {{ {data} }}")
            seen.append(taken)
            stale += asked > 1
        post(running.address, f"DROP SILENT GRAPH <{GRAPH}>")
        return {
            "write_s": percentile(acknowledged, 0.5),
            "seen_s": percentile(seen, 0.5),
            "worst_s": max(seen),
            "stale": stale,
        }
    finally:
        running.server.stop()


def deadline(engine: Engine) -> dict[str, Any]:
    """Return how late a query is answered that may take two seconds, and whether work goes on after that."""
    running = engine.start(DEADLINE_S)
    engine.settle(running.address)
    try:
        answer = fetch(running.address, RUNAWAY, limit=30)
        rest = running.server.drain(20)
        late = answer.seconds - DEADLINE_S if answer.status else None
        return {"status": answer.status, "late_s": late, "rests_after_s": rest}
    finally:
        running.server.stop()


def beside(engine: Engine) -> dict[str, Any]:
    """Return how long a cheap ASK takes, alone and while a cross join runs, one at a time for ten seconds."""
    running = engine.start()
    engine.settle(running.address)
    try:
        alone = _cheap(running.address, 3)
        runaway = threading.Thread(target=fetch, args=(running.address, RUNAWAY, "*/*", 20), daemon=True)
        runaway.start()
        time.sleep(1)
        found = {"alone": alone, "beside": _cheap(running.address, 10)}
    finally:
        running.server.stop()
    runaway.join(30)
    return found


def restart(engine: Engine) -> dict[str, Any]:
    """Return how long the server takes from its start to the first answer, three times."""
    taken = []
    for _ in range(3):
        running = engine.start()
        running.server.stop()
        taken.append(running.ready_s)
    return {"ready_s": taken}


PROBES: Final[dict[str, Callable[[Engine], dict[str, Any]]]] = {
    "first_row": first_row,
    "freshness": freshness,
    "deadline": deadline,
    "beside": beside,
    "restart": restart,
}


def _cheap(address: Address, seconds: float) -> dict[str, Any]:
    taken, failed, end = [], 0, time.monotonic() + seconds
    with closing(Session(address, 10)) as session:
        while time.monotonic() < end:
            answer = session.fetch(CHEAP)
            if answer.good:
                taken.append(answer.seconds * 1e3)
            else:
                failed += 1
    if not taken:
        return {"n": 0, "failed": failed}
    return {
        "n": len(taken),
        "failed": failed,
        "p50_ms": percentile(taken, 0.5),
        "p99_ms": percentile(taken, 0.99),
    }


def _until_seen(address: Address, text: str, limit: float = 30) -> tuple[float, int]:
    """Ask until the answer is true; return the seconds that took and how often it was asked."""
    begin, asked = time.monotonic(), 1
    while not ask(address, text) and time.monotonic() < begin + limit:
        asked += 1
    return time.monotonic() - begin, asked
