"""The validation benchmark: engines run apart, must find the same, and the page says what was measured."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
SH = "http://www.w3.org/ns/shacl#"
XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def _options(*targets: str, **values: Any) -> argparse.Namespace:
    fixed = {"peers": None, "rounds": 2, "repeats": 2, "limit": 120.0}
    return argparse.Namespace(targets=list(targets), **(fixed | values))


def _small(folder: Path) -> Any:
    """Return the case of a small graph in which each rule is broken twice."""
    from benchmarks.validators import course, graph

    size = graph.Size(33, 40, 5, 30, 5, error_every=2)
    return course.cases("small", folder, {"small": size})


def test_our_engines_find_each_error_and_the_same(tmp_path: Path) -> None:
    """Two ways of ours and the two of pySHACL agree on a graph that breaks every rule twice."""
    from benchmarks.validators import course

    one = course.Course(
        "small",
        _small(tmp_path),
        _options("medkg", "medkg-file", "pyshacl", "pyshacl-cached", rounds=0),
        tmp_path,
    )
    one.measure()
    _, rows = one.expected["whole graph"]
    kept = json.loads((tmp_path / "validation-small.json").read_text("utf-8"))
    assert kept["found"] == {"whole graph": len(rows)}
    components = {str(row[3]).removeprefix(f"<{SH}").removesuffix("ConstraintComponent>") for row in rows}
    assert components >= {"Pattern", "LessThanOrEquals", "SPARQL", "MinCount", "In", "MaxInclusive", "Closed"}


def test_engines_take_turns_the_other_way_round_every_second_time(tmp_path: Path) -> None:
    """Each run has its times and its memory."""
    from benchmarks.validators import course

    one = course.Course("small", _small(tmp_path), _options("medkg-file", "medkg"), tmp_path)
    one.measure()
    runs = one.results["runs"]
    assert [run["engine"] for run in runs] == ["medkg-file", "medkg", "medkg", "medkg-file"]
    for run in runs:
        steps = run["shapes_s"] + run["load_s"] + run["validate_s"]
        assert run["process_s"] > run["total_s"] == pytest.approx(steps)
        assert run["peak_mib"] > 1


def test_a_submission_on_its_own_is_validated_again_and_again(tmp_path: Path) -> None:
    """Both submissions are measured, and what they refer to is missed."""
    from benchmarks.validators import course

    of = course.cases(course.SUBMITTED, tmp_path)
    one = course.Course(course.SUBMITTED, of, _options("medkg", rounds=1), tmp_path)
    one.measure()
    assert [run["case"] for run in one.results["runs"]] == ["36 triples alone", "307 triples alone"]
    assert min(one.results["found"].values()) > 10


def test_other_results_end_the_benchmark_loudly(tmp_path: Path) -> None:
    """The message names the engine, and what it lacks and has besides; nothing is measured."""
    from benchmarks.validators import course

    (case,) = _small(tmp_path)
    one = course.Course("small", [case], _options("medkg"), tmp_path)
    alien = ("<urn:a>", None, None, f"<{SH}ClosedConstraintComponent>", f"<{SH}Violation>")
    one.expected[case.name] = "another", frozenset({alien})
    with pytest.raises(SystemExit, match=r"(?s)medkg finds other results than another.*lacks 1.*has besides"):
        one.measure()
    assert one.results["runs"] == []


def test_an_engine_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """It is not asked again, and that is kept."""
    from benchmarks.validators import course

    one = course.Course("small", _small(tmp_path), _options("medkg", limit=0.01), tmp_path)
    one.measure()
    assert one.results["gave_up"] == [["whole graph", "medkg"]]
    assert one.results["runs"] == []


def test_engines_that_are_slow_or_not_installed_are_left_out_unless_named() -> None:
    """Who names one that is not there is told what to install."""
    from benchmarks.validators import course

    assert course.chosen(None, None, 87_000) == ["medkg", "medkg-file", "pyshacl", "pyshacl-cached"]
    assert course.chosen(None, None, 866_000) == ["medkg", "medkg-file", "pyshacl-cached"]
    assert course.chosen(["pyshacl"], None, 866_000) == ["pyshacl"]
    # The environment of the tests has none of the peers, and stands for one that lacks them.
    for peers in (None, Path(sys.executable)):
        with pytest.raises(SystemExit, match="needs --peers: the Python of an environment with shacl-rust"):
            course.chosen(["medkg", "shacl-rust"], peers, 36)


def _row(path: str | None = None, value: str | None = None) -> tuple[str | None, ...]:
    return "<urn:a>", path, value, f"<{SH}InConstraintComponent>", f"<{SH}Violation>"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(_row("<urn:p> / ^<urn:q>"), _row("(<urn:p>/^<urn:q>)"), id="path"),
        pytest.param(_row(value='"a"'), _row(value=f'"a"^^<{XSD}string>'), id="plain string"),
        pytest.param(
            _row(value=f'"1.50"^^<{XSD}decimal>'), _row(value=f'"1.5"^^<{XSD}decimal>'), id="number"
        ),
        pytest.param(_row(value="_:b0"), _row(value="_:c7"), id="blank node"),
    ],
)
def test_spellings_of_one_result_are_equal(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    """What engines spell differently makes no difference, nor does a result that comes twice."""
    from benchmarks.validators import found

    assert found.read([one, one]) == found.read([other])


@pytest.mark.parametrize("other", [_row("<urn:q>"), _row("^<urn:p>"), _row("<urn:p>", '"a"'), _row()])
def test_another_result_is_a_difference(other: tuple[str | None, ...]) -> None:
    """Another path or value is another result."""
    from benchmarks.validators import found

    right = found.read([_row("<urn:p>")])
    assert "lacks 1" in found.difference(right, found.read([other]))
    assert found.difference(right, right) == ""


def test_a_report_is_read_as_rows_are() -> None:
    """A report in N-Triples gives the same results, its details none."""
    from benchmarks.validators import found

    report = f"""_:r <{SH}result> _:x .
        _:x <{SH}focusNode> <urn:a> .
        _:x <{SH}resultPath> _:p .
        _:p <{SH}inversePath> <urn:p> .
        _:x <{SH}value> "a" .
        _:x <{SH}sourceConstraintComponent> <{SH}InConstraintComponent> .
        _:x <{SH}resultSeverity> <{SH}Violation> .
        _:x <{SH}detail> _:y .
        _:y <{SH}focusNode> <urn:b> ."""
    assert found.read(report) == found.read([_row("^<urn:p>", '"a"')])


def test_paths_of_several_steps_are_blurred_and_predicates_are_not() -> None:
    """An engine that does not tell the first is still held to the second."""
    from benchmarks.validators import found

    rows = [found.read([_row(path)]) for path in ("<urn:p>/<urn:q>", "unreadable", "<urn:p>", None)]
    first, second, third, fourth = map(found.blurred, rows)
    assert first == second
    assert (third, fourth) == (rows[2], rows[3])
    assert first != third


def _run(engine: str, number: int, total: float, **steps: float) -> dict[str, Any]:
    return {
        "round": number,
        "case": "whole graph",
        "engine": engine,
        "total_s": total,
        "process_s": total + 1,
        "peak_mib": 50.0,
        **steps,
    }


def test_a_page_gives_medians_ranges_and_ratios_within_rounds(tmp_path: Path) -> None:
    """The ratio is that of the two times of one round, not that of two medians."""
    from benchmarks.validators import page

    times = {"medkg": (2.0, 4.0, 3.0), "shacl-rust": (4.0, 2.0, 12.0)}
    results = {
        "set": "9k",
        "date": "2026-01-02",
        "machine": "a machine",
        "load": 0.1,
        "rounds": 3,
        "repeats": 15,
        "titles": {"medkg": "medkg", "shacl-rust": "shacl-rust", "pyshacl": "pySHACL"},
        "versions": ["medkg 1", "shacl-rust 2"],
        "cases": [{"name": "whole graph", "mode": "whole", "triples": 9_006}],
        "found": {"whole graph": 1_208},
        "gave_up": [["whole graph", "pyshacl"]],
        "runs": [
            _run(name, number, total, **({"load_s": 1.0} if name == "medkg" else {}))
            for name, found in times.items()
            for number, total in enumerate(found)
        ],
    }
    page.write([results], tmp_path)
    text = (tmp_path / "validation-benchmarks.md").read_text("utf-8")
    assert "## A graph of 9,006 triples" in text
    assert "Results that all engines find in these 9,006 triples: 1,208." in text
    assert "given up: pySHACL." in text
    assert (
        "| medkg | - | 1.00 (1.00 - 1.00) | - | 3.00 (2.00 - 4.00) | 4.00 (3.00 - 5.00) | 50 (50 - 50) |"
        in text
    )
    assert "| 50 (50 - 50) | 2.00 (0.50 - 4.00) |" in text


def test_nothing_measured_is_no_page(tmp_path: Path) -> None:
    """Without runs nothing is written."""
    from benchmarks.validators import page

    with pytest.raises(SystemExit, match="nothing to write"):
        page.write([], tmp_path)
    assert list(tmp_path.iterdir()) == []
