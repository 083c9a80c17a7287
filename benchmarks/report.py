"""The page of the serving benchmark: tables and one plot, made from the raw results."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.plot import Bar, plot
from benchmarks.tables import median, number, spread, table
from benchmarks.workload import HEAVY_SHARE, MIXES, REQUESTS, TEMPLATES, VARIANTS

__all__ = ["page", "write"]

CONTROLS: Final = ("oxigraph", "oxigraph-memory")
SHORT: Final = (
    ("full", "medkg", "closure", "closure"),
    ("full", "medkg", "closure", "plain"),
    ("light", "medkg", "closure", "closure"),
    ("light", "medkg", "plain", "plain"),
    ("full", "medkg-cached", "plain", "plain"),
    ("light", "medkg-cached", "plain", "plain"),
)
"""What the first table compares: the mix, the server of ours, its text, and that of the others."""
PEERS: Final = ("oxigraph", "oxigraph-memory", "virtuoso")
PAGE: Final = """# Serving, measured

Written by `python benchmarks/serving.py --write`; do not edit.

Servers answer the same questions over the same made-up graph, one server at a time, on one machine. The
graph has the words of medkg's ontology and is skewed as real data is; `benchmarks/data.py` makes it. There
are {templates} kinds of question with up to {variants} variants each, and a load replays {requests:,} of
them: *light* holds lookups and small joins, *full* has {heavy:.0%} heavy ones among them. Popular variants
come again and again.

Every question has two texts. *plain* uses property paths over the trees of regions and technologies, as a
user would; *closure* uses `skos:broaderTransitive`. All servers hold the triples of the closure and get both
texts.

How it is done:

- The answers are compared first; where servers differ, it is said below.
- Servers take turns, in the other order every second round. Each is started for its turn, warmed with the
  load that follows, left alone until it rests after each run, and ended. medkg with its cache is asked every
  question of the mixes once before that, so that what is measured are repeats.
- wrk replays the load on the same machine, so that it takes a part of the processors. A refused request is no
  answer and does not count as one.
- Figures are medians over the rounds, with the lowest and highest in brackets. A ratio is taken within each
  round. A load ends after its time: an answer that takes longer than that is in no percentile.
- The other servers run with near-default settings.
- What the host of a virtual machine takes away from it now and then ("steal") hits most who answers thousands
  of small requests, and shows in the ranges.

{sections}
## The questions

| name | mix | asks for |
|---|---|---|
{questions}
"""
SINGLES: Final = """### Each kind of question, one at a time

Milliseconds (median of the rounds' medians), one connection; a dash stands for no result.

"""
SECTION: Final = """## {triples:,} triples

Measured on {date}: {machine}; {versions}; load average {load:.1f} at the start.
{actions:,} innovation actions; {added:,} of the triples are the closure. {rounds} rounds, {seconds:g} s for
each run. The light mix has {light:,} different queries among its {requests:,} requests, the full mix
{full:,}: a cache of results to which they are replayed is hit nearly always, which no real load does.

{plot}{answers}

### In short

Sixteen connections; how many times as many answers per second as the other server gives, and below it how
many times its p99. With the same texts on both sides the engines are compared; with *plain* on the other
side, what its users get who don't know of the closure. The point question is asked over one connection, and
its ratio is that of the medians: how many times as long an answer takes.

{short}

{tables}
{singles}### Loading, memory, start

{loading}
{probes}"""


def write(measured: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the page and its plots for the results of some scales.

    :raises SystemExit: there are none.
    """
    if not any(results["runs"] for results in measured):
        raise SystemExit("Nothing was measured yet, so there is nothing to write.")
    drawn = plot(
        [(f"{results['triples'] + results['added']:,} triples", _bars(results)) for results in measured]
    )
    (folder / "benchmarks.svg").write_text(drawn, encoding="utf-8")
    (folder / "benchmarks.md").write_text(page(measured), encoding="utf-8")


def page(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the page for the results of some scales."""
    questions = (f"| `{one.name}` | {'full' if one.heavy else 'both'} | {one.what} |" for one in TEMPLATES)
    return PAGE.format(
        templates=len(TEMPLATES),
        variants=VARIANTS,
        requests=REQUESTS,
        heavy=HEAVY_SHARE,
        sections="\n".join(_section(results, first=not place) for place, results in enumerate(measured)),
        questions="\n".join(questions),
    )


def _section(results: Mapping[str, Any], *, first: bool) -> str:
    return SECTION.format(
        triples=results["triples"] + results["added"],
        date=results["date"],
        machine=results["machine"],
        versions=", ".join(results["versions"]),
        load=results["load"],
        actions=results["actions"],
        added=results["added"],
        rounds=results["rounds"],
        seconds=results["seconds"],
        light=results["mixes"]["light"],
        full=results["mixes"]["full"],
        requests=REQUESTS,
        plot="![Requests per second](benchmarks.svg)\n\n" if first else "",
        answers=_answers(results),
        short=_short(results),
        tables="\n".join(
            _loads(results, mix, connections)
            for connections in sorted({run["connections"] for run in results["runs"]}, reverse=True)
            for mix in MIXES
        ),
        singles=_singles(results),
        loading=_loading(results),
        probes=_probes(results),
    )


def _answers(results: Mapping[str, Any]) -> str:
    """Say where servers gave other answers than the first."""
    found = results["differences"]
    compared = sum(len(bags) for bags in results["bags"].values())
    if not found:
        return f"All {compared:,} answers that were compared are equal."
    rows = (
        (
            f"`{one['target']}`",
            f"{one['found']['template']} {one['found']['variant']}",
            _told(one["expected"]),
            _told(one["found"]),
        )
        for one in found
    )
    reference = found[0]["reference"]
    head = f"Of {compared:,} answers that were compared, {len(found)} differ from those of `{reference}`:"
    return f"{head}\n\n{table(('target', 'question', 'expected', 'found'), rows)}"


def _told(bag: Mapping[str, Any]) -> str:
    if bag["status"] != 200:  # noqa: PLR2004 - HTTP's own number
        return f"status {bag['status']}" if bag["status"] else "no answer"
    return "unreadable" if bag["digest"] == "unreadable" else f"{bag['rows']} rows ({bag['digest'] or 'any'})"


def _short(results: Mapping[str, Any]) -> str:
    """Return the table of the ratios that matter most."""
    titles = results["titles"]
    peers = [name for name in PEERS if name in titles]
    rows = []
    for mix, ours, text, other in SHORT:
        runs = _by_target(results, mix, 16)
        found = runs.get((ours, text), {})
        for what, name in (("answers per s", "rate"), ("p99", "p99_ms")) if found else ():
            row = [f"{titles[ours]}, {text} · others: {other}", f"{mix}, {what}"]
            rows.append(row + [_ratio(found, runs.get((peer, other), {}), name) for peer in peers])
    if points := _points(results, "medkg"):
        row = ["medkg, no cache, plain · others: plain", "point, one connection, time"]
        theirs = [_points(results, peer) for peer in peers]
        rows.append(row + [spread((a / b for a, b in zip(points, one, strict=False)), 2) for one in theirs])
    return table(("compared", "mix", *(titles[peer] for peer in peers)), rows)


def _points(results: Mapping[str, Any], engine: str) -> list[float]:
    """Return the medians of the point question in each round."""
    wanted = (engine, "plain", "point")
    return [
        row["p50_ms"]
        for row in results["singles"]
        if (row["engine"], row["text"], row["template"]) == wanted and row["n"]
    ]


def _by_target(
    results: Mapping[str, Any], mix: str, connections: int
) -> dict[tuple[str, str], dict[int, Mapping[str, Any]]]:
    """Return the runs of a mix by server and text, and then by round."""
    found: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for run in results["runs"]:
        if run["mix"] == mix and run["connections"] == connections:
            found.setdefault((run["engine"], run["text"]), {})[run["round"]] = run
    return found


def _loads(results: Mapping[str, Any], mix: str, connections: int) -> str:
    """Return the table of one mix with so many connections."""
    by_target = _by_target(results, mix, connections)
    rows = []
    for (engine, text), found in by_target.items():
        row = [f"{results['titles'][engine]}, {text}", spread(run["rate"] for run in found.values())]
        row += [spread(run[name] for run in found.values()) for name in ("p50_ms", "p99_ms")]
        row.append(str(sum(run["failed"] for run in found.values())))
        row.append(spread((run["hit_rate"] for run in found.values() if "hit_rate" in run), digits=2))
        row += [_ratio(found, by_target.get((control, text), {})) for control in CONTROLS]
        rows.append(row)
    head = (
        "server, text",
        "answers per s",
        "p50, ms",
        "p99, ms",
        "failed",
        "from the cache",
        *(f"times {name}" for name in CONTROLS),
    )
    title = f"### The {mix} mix, {connections} connection{'s' if connections > 1 else ''}"
    return f"{title}\n\n{table(head, rows)}\n"


def _ratio(
    found: Mapping[int, Mapping[str, Any]], control: Mapping[int, Mapping[str, Any]], name: str = "rate"
) -> str:
    """Return the ratios within each round to a control: of the rates, or of what else is named."""
    ratios = [
        run[name] / control[number][name] for number, run in found.items() if _value(control, number, name)
    ]
    return spread(ratios, digits=2)


def _value(runs: Mapping[int, Mapping[str, Any]], number: int, name: str) -> float:
    return float(runs[number][name]) if number in runs else 0.0


def _singles(results: Mapping[str, Any]) -> str:
    """Return the table of each kind of question."""
    if not results["singles"]:
        return ""
    targets = list(dict.fromkeys((row["engine"], row["text"]) for row in results["singles"]))
    taken: dict[tuple[str, str, str], list[float]] = {}
    for row in results["singles"]:
        if row["n"] and not row["failed"]:
            taken.setdefault((row["template"], row["engine"], row["text"]), []).append(row["p50_ms"])
    rows = (
        [f"`{one.name}`", *(median(taken.get((one.name, *target), ())) for target in targets)]
        for one in TEMPLATES
    )
    head = ("question", *(f"{engine}, {text}" for engine, text in targets))
    return f"{SINGLES}{table(head, rows)}\n\n"


def _loading(results: Mapping[str, Any]) -> str:
    memory: dict[str, list[float]] = {}
    for run in results["runs"]:
        memory.setdefault(run["engine"], []).append(run["memory_mib"])
    rows = [
        (
            results["titles"][name],
            # Stores that were loaded beside other work have no time that would mean anything.
            number(prepared["seconds"], 1) if "seconds" in prepared else "-",
            number(prepared["disk_mib"], 0),
            number(max(memory[name]), 0) if name in memory else "-",
            spread(results["probes"].get(name, {}).get("restart", {}).get("ready_s", ()), digits=2),
        )
        for name, prepared in results["prepared"].items()
    ]
    head = ("server", "load, s", "on disk, MiB", "memory under load at most, MiB", "start to first answer, s")
    return table(head, rows) + _merge(results)


def _merge(results: Mapping[str, Any]) -> str:
    """Say what the merge of the named graphs costs."""
    held = [run["version_mib"] for run in results["runs"] if run.get("version_mib")]
    disk = results["prepared"].get("medkg", {})
    said = []
    if "merged_mib" in disk:
        said.append(
            f"On the disk the named graphs take {disk['named_mib']:.0f} MiB, with their merge and the "
            f"closures {disk['merged_mib']:.0f} MiB."
        )
    if held:
        said.append(
            f"In memory medkg holds the merge alone, in {max(held):.0f} MiB; what asks for named graphs is "
            "answered from the disk."
        )
    return (
        "\n\nWhat the default graph costs that is the merge of the named ones: " + " ".join(said)
        if said
        else ""
    )


def _probes(results: Mapping[str, Any]) -> str:
    """Return the table of what was measured one by one."""
    if not results["probes"]:
        return ""
    rows = [
        (
            results["titles"][name],
            _seconds(found, "first_row", "at_once_s"),
            _seconds(found, "first_row", "first_row_s"),
            _seconds(found, "freshness", "write_s"),
            _seconds(found, "freshness", "seen_s") + _stale(found.get("freshness", {})),
            _late(found.get("deadline", {})),
            _cheap(found.get("beside", {}), "alone"),
            _cheap(found.get("beside", {}), "beside"),
        )
        for name, found in results["probes"].items()
    ]
    head = (
        "server",
        "first of 5 million rows, just started, s",
        "the same, rested, s",
        "one write, s",
        "write answered to seen, s",
        "answer after a deadline of 2 s",
        "ASK alone, p50 and p99, ms",
        "ASK beside a cross join, p50 and p99, ms",
    )
    return f"\n### One by one\n\n{table(head, rows)}\n"


def _stale(found: Mapping[str, Any]) -> str:
    return f" ({found['stale']} of 20 not at once)" if found.get("stale") else ""


def _late(found: Mapping[str, Any]) -> str:
    if not found.get("status"):
        return "none within 30 s"
    rest = "rests at once" if found["rests_after_s"] == 0 else "works on"
    if found["rests_after_s"]:
        rest = f"rests after {found['rests_after_s']:.1f} s more"
    return f"{found['late_s']:+.2f} s, status {found['status']}, {rest}"


def _cheap(found: Mapping[str, Any], name: str) -> str:
    one = found.get(name, {})
    if not one.get("n"):
        return "-"
    failed = f", {one['failed']} failed" if one["failed"] else ""
    return f"{one['p50_ms']:.1f} · {one['p99_ms']:.1f} (n = {one['n']}{failed})"


def _seconds(found: Mapping[str, Any], probe: str, name: str) -> str:
    value = found.get(probe, {}).get(name)
    return "-" if value is None else f"{value:.3f}"


def _bars(results: Mapping[str, Any]) -> dict[str, list[Bar]]:
    """Return the bars of each mix at sixteen connections."""
    panels: dict[str, list[Bar]] = {}
    for mix in MIXES:
        rates: dict[str, list[float]] = {}
        for run in results["runs"]:
            if run["mix"] == mix and run["connections"] > 1:
                rates.setdefault(f"{results['titles'][run['engine']]}, {run['text']}", []).append(run["rate"])
        panels[f"{mix} mix, 16 connections, answers per second"] = [
            Bar(name, statistics.median(found), min(found), max(found)) for name, found in rates.items()
        ]
    return panels
