"""The course of the validation benchmark: write the graphs, compare what is found, measure in rounds."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import machine, write_json
from benchmarks.processes import run
from benchmarks.validators import found, graph
from benchmarks.validators.engines import ENGINES, Row

__all__ = ["SETS", "SUBMITTED", "Case", "Course", "cases", "chosen"]

SUBMITTED: Final = "submissions"
SETS: Final = (*graph.SIZES, SUBMITTED)
"""What can be measured: a whole graph of some size, or submissions on their own."""
HERE: Final = Path(__file__).resolve().parent
INSTALLED: Final = """
import json, sys
from importlib.metadata import distributions
print(json.dumps([found.metadata["Name"].lower() for found in distributions()]))
"""


@dataclass(frozen=True, slots=True)
class Case:
    """One file to validate, and the mode of ``child.py`` in which this is done."""

    name: str
    mode: str
    data: Path
    triples: int


def cases(which: str, folder: Path, sizes: dict[str, graph.Size] | None = None) -> list[Case]:
    """Return what is measured in one of the sets, with its files in *folder*.

    This is the place for a submission that is validated against a graph, or sent over HTTP: a case for each,
    with the path of the graph, and one more mode in ``child.py``.  The submissions refer to the things of the
    largest graph.
    """
    sizes = dict(graph.SIZES) if sizes is None else sizes
    if which != SUBMITTED:
        data = folder / f"{which}.nt"
        return [Case("whole graph", "whole", data, graph.write(graph.triples(sizes[which]), data))]
    found_cases = []
    for name, actions in graph.SUBMISSIONS.items():
        data = folder / f"submission-{name}.nt"
        count = graph.write(graph.submission(actions, [*sizes.values()][-1]), data)
        found_cases.append(Case(f"{count} triples alone", "alone", data, count))
    return found_cases


def chosen(targets: Sequence[str] | None, peers: Path | None, triples: int) -> list[str]:
    """Return the engines to measure with so many triples; those that nobody named may be left out.

    :raises SystemExit: one that was named is not installed.
    """
    there = set(json.loads(run([str(peers), "-c", INSTALLED]))) if peers else set()
    names = []
    for name in targets or ENGINES:
        kind = ENGINES[name]
        lacking = [package for package in kind.packages if kind.is_peer and package not in there]
        if lacking and targets:
            raise SystemExit(f"{name} needs --peers: the Python of an environment with {', '.join(lacking)}.")
        if lacking or (kind.most < triples and not targets):
            print(f"{name}: left out, {'not installed' if lacking else 'too slow for this size'}", flush=True)
        else:
            names.append(name)
    return names


class Course:
    """One set: its cases, its engines, and what was found so far."""

    def __init__(self, which: str, of: Sequence[Case], options: argparse.Namespace, out: Path) -> None:
        self.cases, self.options, self.out = of, options, out
        self.which = which
        self.engines = chosen(options.targets, options.peers, max(case.triples for case in of))
        self.expected: dict[str, tuple[str, frozenset[Row]]] = {}
        self.results: dict[str, Any] = {
            "set": which,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": machine(),
            "load": os.getloadavg()[0],
            "rounds": options.rounds,
            "repeats": options.repeats,
            "titles": {name: ENGINES[name].title for name in self.engines},
            "versions": [],
            "cases": [{"name": case.name, "mode": case.mode, "triples": case.triples} for case in of],
            "found": {},
            "gave_up": [],
            "runs": [],
        }

    def measure(self) -> None:
        """Compare, then measure in rounds; what is found is kept after each step.

        :raises SystemExit: an engine finds other results than the first one, or fails.
        """
        for case in self.cases:
            for name in self.engines:
                self._run(case, name)
            if case.name in self.expected:
                self.results["found"][case.name] = len(self.expected[case.name][1])
        self._keep()
        for number in range(self.options.rounds):
            for case in self.cases:
                # The other way round every second time, so that nobody always comes after the same one.
                for name in self.engines[:: -1 if number % 2 else 1]:
                    measured = self._run(case, name)
                    if measured:
                        row = {"round": number, "case": case.name, "engine": name, **measured}
                        self.results["runs"].append(row)
                    self._keep()

    def _run(self, case: Case, name: str) -> dict[str, float] | None:
        """Run an engine in a fresh process and check what it finds; None when it takes too long."""
        if [case.name, name] in self.results["gave_up"]:
            return None
        report = self.out / f"{self.which}.child.json"
        python = str(self.options.peers) if ENGINES[name].is_peer else sys.executable
        command = [python, str(HERE / "child.py"), name, case.mode, str(self.options.repeats)]
        begin = time.perf_counter()
        try:
            run(
                [*command, str(HERE / "shapes.ttl"), str(case.data), str(report)],
                limit=self.options.limit,
            )
        except subprocess.TimeoutExpired:
            self.results["gave_up"].append([case.name, name])
            print(f"{case.name}, {name}: given up after {self.options.limit:g} s", flush=True)
            return None
        process = time.perf_counter() - begin
        told = json.loads(report.read_text(encoding="utf-8"))
        report.unlink()
        self._check(case, name, found.read(told["found"]))
        self.results["versions"] = sorted({*self.results["versions"], *told["versions"]})
        measured: dict[str, float] = {**told["measured"], "process_s": process}
        shown = f"{measured['total_s']:.4f} s, {measured['peak_mib']:.0f} MiB"
        print(f"{time.strftime('%H:%M:%S')} {case.name}, {name}: {shown}", flush=True)
        return measured

    def _check(self, case: Case, name: str, rows: frozenset[Row]) -> None:
        reference, expected = self.expected.setdefault(case.name, (name, rows))
        if not ENGINES[name].writes_paths:
            rows, expected = found.blurred(rows), found.blurred(expected)
        if rows != expected:
            raise SystemExit(
                f"{case.name}: {name} finds other results than {reference}. Nothing more is measured.\n"
                + found.difference(expected, rows)
            )

    def _keep(self) -> None:
        write_json(self.out / f"validation-{self.which}.json", self.results)
