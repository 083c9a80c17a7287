"""Load on a server: wrk replays a mix, a client of our own times each kind of question."""

import json
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.client import Address, Session
from benchmarks.processes import require, run
from benchmarks.workload import Request

__all__ = ["Load", "drive", "percentile", "singles"]

LUA: Final = """
local distinct = {
%(distinct)s
}
local order = {%(order)s}
local ready, place = {}, 0

function init(args)
  for number, request in ipairs(distinct) do
    ready[number] = wrk.format("GET", request[1], {Accept = request[2]})
  end
end

function request()
  place = place %% #order + 1
  return ready[order[place]]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %%d, "microseconds": %%d, "bytes": %%d, "p50_us": %%d, "p99_us": %%d, ' ..
    '"max_us": %%d, "refused": %%d, "broken": %%d, "timeouts": %%d}\\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
"""
"""Every thread has its own Lua state; one thread replays the whole order."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk found.  *failed* are answers that are no results, and requests without any."""

    connections: int
    requests: int
    failed: int
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    mib_per_s: float

    def values(self) -> dict[str, float]:
        """Return the fields by name."""
        return asdict(self)


def drive(
    address: Address, requests: Sequence[Request], connections: int, seconds: float, folder: Path
) -> Load:
    """Replay *requests* in a circle for some seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "mix.lua"
    script.write_text(lua(address, requests), encoding="utf-8")
    command = [require("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["--timeout", "120s", "-s", str(script), f"http://127.0.0.1:{address.port}"]
    text = run(command, limit=seconds + 240)
    found = json.loads(text.partition("RESULT ")[2])
    failed = found["refused"] + found["broken"] + found["timeouts"]
    took = found["microseconds"] / 1e6
    return Load(
        connections=connections,
        requests=found["requests"],
        failed=failed,
        # A refusal is quick and no answer; it must not make a server look fast.
        rate=max(0, found["requests"] - found["refused"]) / took,
        p50_ms=found["p50_us"] / 1e3,
        p99_ms=found["p99_us"] / 1e3,
        max_ms=found["max_us"] / 1e3,
        mib_per_s=found["bytes"] / took / 2**20,
    )


def lua(address: Address, requests: Sequence[Request]) -> str:
    """Return the script that makes wrk send *requests* one after the other."""
    numbers: dict[tuple[str, str], int] = {}
    order = [
        numbers.setdefault((address.target(one.query), one.accept), len(numbers) + 1) for one in requests
    ]
    # A percent-encoded address has nothing that Lua would have to escape.
    distinct = ",\n".join(f'{{"{target}", "{accept}"}}' for target, accept in numbers)
    return LUA % {"distinct": distinct, "order": ",".join(map(str, order))}


def singles(address: Address, requests: Sequence[Request], seconds: float, limit: float) -> dict[str, Any]:
    """Send *requests* one at a time, all of them once and then again until some seconds are over.

    Only whole circles count, so that a slow server is not measured by its first requests alone.  *failed*
    counts answers that are no results; the circle with one of them is the last.
    """
    taken: list[float] = []
    failed, end = 0, time.monotonic() + seconds
    with closing(Session(address, limit)) as session:
        for _ in range(1_000):
            answers = [session.fetch(request.query, request.accept) for request in requests]
            taken += [answer.seconds * 1e3 for answer in answers if answer.good]
            failed += sum(not answer.good for answer in answers)
            if failed or time.monotonic() > end:
                break
    return {
        "n": len(taken),
        "failed": failed,
        "p50_ms": statistics.median(taken) if taken else None,
        "p99_ms": percentile(taken, 0.99) if taken else None,
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of *values* that at least *share* of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
