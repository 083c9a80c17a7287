"""The page of the validation benchmark, made from the raw results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.tables import spread, table

__all__ = ["page", "write"]

PAGE: Final = """# Validation, measured

Written by `python benchmarks/validation.py --write`; do not edit.

Validators read the same shapes and the same made-up graph, one at a time, on one machine. There are seven
node shapes with a hundred constraints: counts, classes, datatypes, patterns, languages, closed shapes,
qualified ones, paths, and two queries, of which one looks for an identifier in the whole graph. One
innovation action in 500 breaks one of the rules. `benchmarks/validators/` makes the graphs and has the
shapes.

How it is done:

- What is found is compared first, and again after each run: focus node, path, value, constraint component and
  severity, as sets. A difference ends the benchmark. The reports of pyshifty do not tell one path of several
  steps from another, so that this is left out there.
- Each run is a fresh process. The clock starts when the engine is imported and ends when its results are
  there. *Whole process* is all that a shell would wait for. Memory is the most that the process had.
- Engines take turns, in the other order every second round. Figures are medians over the rounds, with the
  lowest and highest in brackets. A ratio is taken within each round.
- *medkg, graph in the store* validates what the store holds, as a build does. *medkg, terms as written* keeps
  every literal as the file spells it, as `medkg validate` does. *pySHACL, queries read once* is medkg's
  reference engine.
- *shapes* is reading and compiling them. A dash stands for what can't be told apart: some engines do all in
  one step.
- Files are N-Triples, the shapes Turtle; all engines run with the settings they come with.

{sections}"""
SECTION: Final = """## {title}

Measured on {date}: {machine}; {versions}; load average {load:.1f} at the start.
Rounds: {rounds}.

{cases}
"""
ALONE: Final = """Shapes are read once and the data {repeats} times, and a run is the median of these. What
the submission refers to is not there, which engines report too."""
STEPS: Final = ("shapes", "load", "validate", "total")
Runs = dict[int, Mapping[str, Any]]
"""The runs of one engine by round."""


def write(measured: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the page for the results of some sets.

    :raises SystemExit: there are none.
    """
    if not any(results["runs"] for results in measured):
        raise SystemExit("Nothing was measured yet, so there is nothing to write.")
    (folder / "validation-benchmarks.md").write_text(page(measured), encoding="utf-8")


def page(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the page for the results of some sets."""
    return PAGE.format(sections="\n".join(map(_section, measured)))


def _section(results: Mapping[str, Any]) -> str:
    whole = [case for case in results["cases"] if case["mode"] == "whole"]
    return SECTION.format(
        title=f"A graph of {whole[0]['triples']:,} triples" if whole else "A submission on its own",
        date=results["date"],
        machine=results["machine"],
        versions=", ".join(results["versions"]),
        load=results["load"],
        rounds=results["rounds"],
        cases="\n\n".join(_case(results, case) for case in results["cases"]),
    )


def _case(results: Mapping[str, Any], case: Mapping[str, Any]) -> str:
    """Return what was measured in one case."""
    is_whole = case["mode"] == "whole"
    runs = _by_engine(results, case["name"])
    number, found = case["triples"], results["found"].get(case["name"], 0)
    said = [f"Results that all engines find in these {number:,} triples: {found:,}."]
    said += [] if is_whole else [ALONE.format(repeats=results["repeats"])]
    late = [results["titles"][name] for which, name in results["gave_up"] if which == case["name"]]
    said += [f"Not ready in time, and given up: {', '.join(late)}."] if late else []
    title = "" if is_whole else f"### {case['name']}\n\n"
    return f"{title}{' '.join(said)}\n\n{_figures(results, runs)}"


def _figures(results: Mapping[str, Any], runs: Mapping[str, Runs]) -> str:
    """Return the table of a case."""
    first, reference = next(iter(runs.items()), ("", {}))
    is_short = all(run["total_s"] < 1 for run in reference.values())
    unit, factor = ("ms", 1_000) if is_short else ("s", 1)
    rows = []
    for name, found in runs.items():
        times = [
            spread(run[f"{step}_s"] * factor for run in found.values() if f"{step}_s" in run)
            for step in STEPS
        ]
        process = spread(run["process_s"] for run in found.values())
        memory = spread((run["peak_mib"] for run in found.values()), 0)
        both = found.keys() & reference.keys()
        ratio = spread((found[one]["total_s"] / reference[one]["total_s"] for one in both), 2)
        rows.append([results["titles"][name], *times, process, memory, ratio])
    head = ("engine", *(f"{step}, {unit}" for step in STEPS), "whole process, s", "memory, MiB")
    return table((*head, f"times *{results['titles'].get(first, '')}*"), rows)


def _by_engine(results: Mapping[str, Any], case: str) -> dict[str, Runs]:
    """Return the runs of a case by engine, and then by round."""
    found: dict[str, Runs] = {}
    for name in results["titles"]:
        for run in results["runs"]:
            if (run["case"], run["engine"]) == (case, name):
                found.setdefault(name, {})[run["round"]] = run
    return found
