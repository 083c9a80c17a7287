"""Measures the check of one submission: in the engine beside a large graph, over HTTP, and of a workbook.

``python benchmarks/submissions.py engine`` puts 36 and 307 triples beside 87 thousand and 866 thousand and
validates what they can affect.  ``workbook`` reads one with 5,000 rows.  ``http URL FILE`` sends a file to a
service that runs.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import xlsxwriter
from benchmarks.machine import machine, wait_until_idle
from benchmarks.tables import spread, table
from benchmarks.validators.graph import SIZES, SUBMISSIONS, Size, submission, write
from benchmarks.validators.graph import triples as lines_of

from medkg.domain.model import Quad
from medkg.intake.tables import Names
from medkg.services.candidate import Candidate
from medkg.services.reading import Document, read
from medkg.services.validation import Kept, graph_of
from medkg.shacl import affected
from medkg.shacl.affected import Dependencies
from medkg.shacl.compiled import Validator, subclasses
from medkg.shacl.plan import Plan
from medkg.shacl.results import Result
from medkg.store.files import kept_literal, read_document
from medkg.store.memory import MemoryGraph

__all__ = ["Measured", "beside", "main"]

_SHAPES = Path(__file__).parent / "validators" / "shapes.ttl"
_REPEATS = 25
Measured = dict[str, list[float]]
"""Milliseconds of each step, one for each time."""


def beside(size: Size, folder: Path, repeats: int = _REPEATS) -> tuple[dict[int, Measured], list[float]]:
    """Check submissions beside a graph; return the times of each by its triples, and those of a fork.

    :raises SystemExit: a submission has other results than a validation of everything shows for it.
    """
    file = folder / "graph.nt"
    write(lines_of(size), file)
    store = ox.Store()
    store.bulk_load(path=file, format=ox.RdfFormat.N_TRIPLES)
    graph, keep = MemoryGraph.around(store), cache(kept_literal)
    plan = Plan(graph_of(read_document(_SHAPES)), subclasses(Kept(graph)), keep, exact=True)
    dependencies = Dependencies(plan)
    found = {}
    for number, actions in SUBMISSIONS.items():
        sent = folder / "submission.nt"
        write(submission(actions, size), sent)
        quads = read_document(sent)
        _compare(graph, plan, dependencies, quads)
        rows = [_once(graph, plan, dependencies, quads) for _ in range(repeats)]
        found[number] = {name: [1_000 * row[name] for row in rows] for name in rows[0]}
    return found, [1_000 * _fork() for _ in range(repeats)]


def _once(graph: MemoryGraph, plan: Plan, dependencies: Dependencies, quads: list[Quad]) -> dict[str, float]:
    start = time.perf_counter()
    with Candidate(graph, quads, None, cache(kept_literal)) as candidate:
        inside = time.perf_counter()
        validator = Validator(plan, candidate)
        scope = dependencies.scope(validator, [quad[:3] for quad in quads])
        scoped = time.perf_counter()
        affected.run(validator, plan, scope)
        end = time.perf_counter()
    return {
        "insert": inside - start,
        "scope": scoped - inside,
        "validate": end - scoped,
        "total": end - start,
    }


def _compare(graph: MemoryGraph, plan: Plan, dependencies: Dependencies, quads: list[Quad]) -> None:
    """Stop where a check of the submission does not show what a validation of everything does."""
    described = {quad[0] for quad in quads}

    def about(results: Sequence[Result]) -> set[Result]:
        return {result for result in results if result.focus in described}

    with Candidate(graph, quads, None, cache(kept_literal)) as candidate:
        validator = Validator(plan, candidate)
        scope = dependencies.scope(validator, [quad[:3] for quad in quads])
        some = about(affected.run(validator, plan, scope))
        if some != about(list(validator.run())):
            raise SystemExit("The check of the submission and the validation of everything differ.")


def _fork() -> float:
    start = time.perf_counter()
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return time.perf_counter() - start


def _engine() -> None:
    for name in ("87k", "866k"):
        with tempfile.TemporaryDirectory() as folder:
            found, forks = beside(SIZES[name], Path(folder))
        print(f"\nBeside {name} triples, ms; a fork of the process that holds them: {spread(forks, 1)}\n")
        steps = list(next(iter(found.values())))
        print(
            table(
                ["triples", *steps],
                [[str(n), *(spread(row[s], 1) for s in steps)] for n, row in found.items()],
            )
        )


def _workbook(rows: int = 5_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "actions.xlsx"
        book = xlsxwriter.Workbook(str(file))
        sheet = book.add_worksheet("Actions")
        sheet.write_row(0, 0, ["ID", "Title (en)", "Description (en)", "Region", "From", "To"])
        for row in range(1, rows + 1):
            cells = [
                f"a-{row}",
                f"Action number {row}",
                "What is done, and why it is done.",
                "PL22",
                "10/2021",
                "12/2025",
            ]
            sheet.write_row(row, 0, cells)
        book.close()
        before = resource.getrusage(resource.RUSAGE_SELF)
        found = read(Document(file.read_bytes(), None, file.name, "https://w3id.org/medkg/id/"), Names())
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{rows} rows, {len(found.statements)} statements: {after.ru_utime - before.ru_utime:.1f} s of CPU; "
        f"peak {after.ru_maxrss / 1024:.0f} MiB, {before.ru_maxrss / 1024:.0f} before"
    )


def _http(url: str, file: Path, pause: float = 2.0) -> None:
    body, times = file.read_bytes(), []
    for _ in range(_REPEATS):
        request = urllib.request.Request(  # noqa: S310 - an address that the caller gives
            f"{url}/validate?file={file.name}", body, {"Content-Type": "text/turtle"}
        )
        start = time.perf_counter()
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - an address that the caller gives
            answer.read()
        times.append(1_000 * (time.perf_counter() - start))
        # A process for the next one starts meanwhile, as between two people.
        time.sleep(pause)
    print(f"{file.name} over HTTP: first {times[0]:.0f} ms, then {spread(times[1:], 0)} ms")
    print(f"median {statistics.median(times[1:]):.0f} ms")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("engine", "workbook", "http"))
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("file", nargs="?", type=Path)
    asked = parser.parse_args(arguments)
    wait_until_idle()
    print(machine())
    tasks: dict[str, Callable[[], None]] = {
        "engine": _engine,
        "workbook": _workbook,
        "http": lambda: _http(asked.url, asked.file),
    }
    tasks[asked.what]()


if __name__ == "__main__":
    main()
