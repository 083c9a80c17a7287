"""The serving benchmark: answers that differ are found, and the tables say what was measured."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def _bag(body: str, name: str = "point", status: int = 200) -> Any:
    from benchmarks.client import Answered
    from benchmarks.compare import bag
    from benchmarks.workload import TEMPLATES, Request

    template = next(one for one in TEMPLATES if one.name == name)
    return bag(Request(template, 0, ""), Answered(status, body.encode(), 0.0))


def _rows(*values: dict[str, str]) -> str:
    rows = [{"x": value} for value in values]
    return json.dumps({"head": {"vars": ["x"]}, "results": {"bindings": rows}})


def _literal(text: str, datatype: str = "", language: str = "") -> dict[str, str]:
    more = {"datatype": XSD + datatype} if datatype else {"xml:lang": language} if language else {}
    return {"type": "literal", "value": text, **more}


IRI = {"type": "uri", "value": "http://example.org/a"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(_rows(IRI, _literal("a")), _rows(_literal("a"), IRI), id="order"),
        pytest.param(_rows(_literal("1.50", "decimal")), _rows(_literal("1.5", "decimal")), id="spelling"),
        pytest.param(_rows(_literal("3", "integer")), _rows(_literal("3", "int")), id="kind of number"),
        pytest.param(_rows(_literal("a", "string")), _rows(_literal("a")), id="plain string"),
        pytest.param(_rows(_literal("a", language="EN")), _rows(_literal("a", language="en")), id="language"),
        pytest.param(
            json.dumps({"head": {}, "boolean": True}),
            '{"head": {"vars": ["__ASK_RETVAL"]}, '
            '"results": {"bindings": [{"__ASK_RETVAL": {"type": "typed-literal", "value": "1"}}]}}',
            id="boolean as a table",
        ),
    ],
)
def test_spellings_of_one_answer_are_equal(one: str, other: str) -> None:
    """What the standard leaves open makes no difference."""
    assert _bag(one) == _bag(other)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(_rows(IRI), id="a row less"),
        pytest.param(_rows(IRI, IRI, IRI), id="a row more"),
        pytest.param(_rows(IRI, _literal("http://example.org/a")), id="text for an IRI"),
        pytest.param(_rows(IRI, {"type": "uri", "value": "http://example.org/b"}), id="another IRI"),
        pytest.param("{}", id="no result"),
        pytest.param("<html>", id="no JSON"),
    ],
)
def test_another_answer_is_a_difference(other: str) -> None:
    """A bag counts: one row more or less is found, and so is another term."""
    from benchmarks.compare import differences

    found = differences({"a": [_bag(_rows(IRI, IRI))], "b": [_bag(other)], "c": [_bag(_rows(IRI, IRI))]})
    assert [one["target"] for one in found] == ["b"]


def test_a_refusal_is_a_difference_with_its_status() -> None:
    """An error is not an empty answer."""
    from benchmarks.compare import differences

    (found,) = differences({"a": [_bag(_rows())], "b": [_bag("", status=503)]})
    assert (found["found"]["status"], found["expected"]["rows"]) == (503, 0)


def test_rows_that_a_limit_has_cut_are_only_counted() -> None:
    """Other rows are as right when LIMIT without an order cuts; a shorter answer is compared in full."""
    full = [
        _bag(_rows(*({"type": "uri", "value": f"{name}{n}"} for n in range(20))), "contains") for name in "ab"
    ]
    assert full[0] == full[1]
    short = [_bag(_rows({"type": "uri", "value": name}), "contains") for name in "ab"]
    assert short[0] != short[1]


def test_graphs_are_compared_as_sets_of_triples() -> None:
    """The order and the format of a graph make no difference, a triple does."""
    triple = (
        '<http://example.org/a> <http://example.org/p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
    )
    other = triple.replace('"1"', '"2"')
    xml = (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:e="http://example.org/"><rdf:Description rdf:about="http://example.org/a">'
        f'<e:p rdf:datatype="{XSD}integer">1</e:p></rdf:Description></rdf:RDF>'
    )
    assert _bag(triple + other, "describe") == _bag(other + triple, "describe")
    assert _bag(triple, "describe") == _bag(xml, "describe")
    assert _bag(triple, "describe") != _bag(other, "describe")


def test_a_script_for_wrk_holds_each_query_once_and_the_order_of_all() -> None:
    """A request that comes again is a number, so that the script of 4,000 requests stays small."""
    from benchmarks.client import Address
    from benchmarks.load import lua
    from benchmarks.workload import TEMPLATES, Request

    requests = [Request(TEMPLATES[0], number, f"ASK {{}} # {number}") for number in (1, 2, 1, 1)]
    script = lua(Address(80, "/query", extra={"default-graph-uri": "http://example.org/"}), requests)
    assert script.count("/query?query=ASK%20%7B%7D") == 2
    assert "default-graph-uri=http%3A%2F%2Fexample.org%2F" in script
    assert "local order = {1,2,1,1}" in script


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    """It is the smallest that so many values do not exceed."""
    from benchmarks.load import percentile

    assert percentile(range(1, 101), share) == value


def _run(engine: str, number: int, rate: float) -> dict[str, Any]:
    return {
        "round": number,
        "engine": engine,
        "text": "plain",
        "mix": "light",
        "connections": 16,
        "rate": rate,
        "p50_ms": 1.0,
        "p99_ms": 5.0,
        "failed": 0,
        "memory_mib": 100.0,
        **({"hit_rate": 0.25, "version_mib": 80.0} if engine == "medkg" else {}),
    }


def test_a_page_gives_medians_ranges_and_ratios_within_rounds(tmp_path: Path) -> None:
    """The ratio is that of the two rates of one round, not that of two medians."""
    from benchmarks import report

    rates = {"medkg": (300.0, 100.0, 200.0), "oxigraph": (100.0, 200.0, 400.0)}
    results = {
        "scale": "1m",
        "actions": 1,
        "triples": 900,
        "added": 100,
        "date": "2026-01-02",
        "machine": "a machine",
        "load": 0.1,
        "rounds": 3,
        "seconds": 8,
        "titles": {name: name for name in rates},
        "versions": ["medkg 1"],
        "mixes": {"light": 500, "full": 600},
        "prepared": {
            name: {"seconds": 1.0, "disk_mib": 2.0, "named_mib": 100.0, "merged_mib": 210.0} for name in rates
        },
        "bags": {name: [{}] for name in rates},
        "differences": [],
        "runs": [
            _run(name, number, rate) for name, found in rates.items() for number, rate in enumerate(found)
        ],
        "singles": [],
        "probes": {},
    }
    report.write([results], tmp_path)
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "| medkg, plain | 200 (100 - 300) | 1.00 (1.00 - 1.00) | 5.00 (5.00 - 5.00) |" in page
    assert "| 0 | 0.25 (0.25 - 0.25) | 0.50 (0.50 - 3.00) | - |" in page
    assert "| light, answers per s | 0.50 (0.50 - 3.00) |" in page
    assert "| light, p99 | 1.00 (1.00 - 1.00) |" in page
    assert (
        "100 MiB, with their merge and the closures 210 MiB. In memory medkg holds the merge alone, in 80"
        in page
    )
    assert "## 1,000 triples" in page
    assert "2 answers that were compared are equal" in page
    assert (tmp_path / "benchmarks.svg").read_text("utf-8").count("<rect class=") == 2


def test_nothing_measured_is_no_page(tmp_path: Path) -> None:
    """Without runs nothing is written."""
    from benchmarks import report

    with pytest.raises(SystemExit, match="nothing to write"):
        report.write([], tmp_path)
    assert list(tmp_path.iterdir()) == []
