"""Measures the build and writes docs/build.md: how long it takes, its memory, and the triples of each graph.

Each run is a fresh process on an empty data folder, as on a fresh machine.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5
GRAPHS = "https://w3id.org/medkg/graph/"
PAGE = """# The build, measured

Written by `make bench`; do not edit.

Measured on {date}: {machine}, {packages}; load average {load:.1f} at the start.
{runs} runs, each a fresh process on an empty data folder.

**A build takes {median:.1f} s** (median; {low:.1f} to {high:.1f} s); peak memory {memory:.0f} MiB.

| stage | median, s |
|---|---|
{stages}

Result: {quads:,} quads in {number} named graphs; {merged:,} triples in the merge; {findings}.
SHA-256 of the canonical N-Quads, the same in every run: `{sha256}`.

## Triples by kind of graph

| graphs | number | triples |
|---|---|---|
{kinds}

## Triples of each graph

| graph | triples |
|---|---|
{graphs}
"""
ONE_RUN = """
import json, resource, sys, time
from pathlib import Path
from typing import Any
from medkg.domain.model import Severity
from medkg.services.build import build
from medkg.services.sources import Folders

stages = []
summary = build(
    Path(sys.argv[1]), Folders.installed(),
    progress=lambda stage, done, total: stages.append((stage, time.monotonic())),
)
end = time.monotonic()
starts = {}
for stage, moment in stages:
    starts.setdefault(stage, moment)
names = list(starts)
lengths = {n: (starts[names[i + 1]] if i + 1 < len(names) else end) - starts[n] for i, n in enumerate(names)}
print(json.dumps({
    "seconds": summary.seconds, "stages": lengths, "sha256": summary.sha256, "merged": summary.merged,
    "graphs": {str(k): v for k, v in summary.graphs.items()},
    "findings": {str(s): len(summary.report.of(s)) for s in Severity},
    "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
}))
"""


def main() -> None:
    """Run the builds one after the other and write the page."""
    load = os.getloadavg()[0]
    runs = []
    for number in range(1, RUNS + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", ONE_RUN, folder]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(found.stdout))
        print(f"run {number}: {runs[-1]['seconds']:.1f} s", flush=True)
        time.sleep(1)
    if len({run["sha256"] for run in runs}) != 1:
        sys.exit("the runs do not give the same graph")
    (ROOT / "docs" / "build.md").write_text(page(runs, load), encoding="utf-8")


def page(runs: list[dict[str, Any]], load: float) -> str:
    """Return the page for the measured runs."""
    seconds = [run["seconds"] for run in runs]
    last = runs[-1]
    graphs = {name.removeprefix(GRAPHS): count for name, count in last["graphs"].items()}
    stages = {stage: statistics.median(run["stages"][stage] for run in runs) for stage in last["stages"]}
    found = ", ".join(f"{number} {severity}s" for severity, number in last["findings"].items())
    return PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        packages=", ".join(f"{name} {version(name)}" for name in ("pyoxigraph", "pyshacl", "rdflib")),
        load=load,
        runs=len(runs),
        median=statistics.median(seconds),
        low=min(seconds),
        high=max(seconds),
        memory=max(run["rss"] for run in runs) / 1024,
        stages="\n".join(f"| {stage} | {value:.1f} |" for stage, value in stages.items()),
        quads=sum(graphs.values()),
        number=len(graphs),
        merged=last["merged"],
        findings=found,
        sha256=last["sha256"],
        kinds="\n".join(f"| {kind} | {number} | {count:,} |" for kind, number, count in kinds(graphs)),
        graphs="\n".join(f"| `graph/{name}` | {count:,} |" for name, count in graphs.items()),
    )


def kinds(graphs: dict[str, int]) -> list[tuple[str, int, int]]:
    """Return (kind, number of graphs, triples) for graphs that share the first part of their name."""
    found: dict[str, list[int]] = {}
    for name, count in graphs.items():
        found.setdefault(name.partition("/")[0], []).append(count)
    return [
        (f"`graph/{kind}/…`" if len(counts) > 1 else f"`graph/{kind}`", len(counts), sum(counts))
        for kind, counts in found.items()
    ]


if __name__ == "__main__":
    main()
