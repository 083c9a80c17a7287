"""cli_validate.py: `medkg validate` prints a report, and its exit code tells what is in it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from medkg import cli

PREFIXES = "@prefix : <https://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> . "
RULES = {
    "violation": ":s sh:targetNode :a ; sh:nodeKind sh:Literal ; sh:message 'No literal.' .",
    "warning": ":s sh:targetNode :a ; sh:nodeKind sh:Literal ; sh:severity sh:Warning .",
    "info": ":s sh:targetNode :a ; sh:nodeKind sh:Literal ; sh:severity sh:Info .",
    "none": ":s sh:targetNode :a ; sh:nodeKind sh:IRI .",
    "unusable": ":s sh:targetNode :a ; sh:minCount 1 .",
}

DEEP = '{"x:p":' * 5_000 + "1" + "}" * 5_000

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what calls `medkg validate` for a file and rules; it gives exit code, output and errors."""
    data = tmp_path / "data.ttl"
    data.write_text(PREFIXES + ":a :p 1 .")
    for name, text in RULES.items():
        (tmp_path / f"{name}.ttl").write_text(PREFIXES + text)

    def call(rules: str, *options: str, file: Path = data) -> tuple[int, str, str]:
        arguments = ["medkg", "validate", str(file), "--shapes", str(tmp_path / f"{rules}.ttl"), *options]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("rules", "fail_on", "expected"),
    [
        ("none", "info", 0),
        ("info", "info", 1),
        ("info", "warning", 0),
        ("info", "violation", 0),
        ("warning", "info", 1),
        ("warning", "warning", 1),
        ("warning", "violation", 0),
        ("violation", "info", 1),
        ("violation", "warning", 1),
        ("violation", "violation", 1),
        ("unusable", "info", 2),
    ],
)
def test_exit_codes(rules: str, fail_on: str, expected: int, run: Run) -> None:
    """The command fails for findings that are as grave as it is told, and for shapes that can't be used."""
    assert run(rules, "--fail-on", fail_on)[0] == expected


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_text_is_for_people(engine: str, run: Run) -> None:
    """A line for each finding is the output, and the counts stand beside it."""
    code, out, errors = run("violation", "--engine", engine)
    assert (code, out.count("\n")) == (1, 1)
    assert out.startswith("violation: ")
    assert "No literal." in out
    assert errors == "medkg: 1 violation, 0 warning, 0 info.\n"


def test_json_is_for_programs(run: Run) -> None:
    """JSON has the findings and nothing beside it."""
    code, out, errors = run("warning", "--format", "json")
    body = json.loads(out)
    assert (code, errors, body["conforms"]) == (0, "", False)
    assert [finding["severity"] for finding in body["findings"]] == ["warning"]


@pytest.mark.parametrize(
    ("form", "syntax"),
    [("ttl", ox.RdfFormat.TURTLE), ("nt", ox.RdfFormat.N_TRIPLES), ("jsonld", ox.RdfFormat.JSON_LD),
     ("rdfxml", ox.RdfFormat.RDF_XML)],
)  # fmt: skip
def test_reports_go_to_files(form: str, syntax: ox.RdfFormat, run: Run, tmp_path: Path) -> None:
    """A report of SHACL in any format is written where it is asked for."""
    target = tmp_path / "report"
    assert run("violation", "--format", form, "--output", str(target))[:2] == (1, "")
    kinds = {
        quad.object.value
        for quad in ox.parse(target.read_bytes(), format=syntax)
        if isinstance(quad.object, ox.NamedNode)
    }
    assert {
        "http://www.w3.org/ns/shacl#ValidationReport",
        "http://www.w3.org/ns/shacl#ValidationResult",
    } <= kinds


@pytest.mark.parametrize(
    ("name", "text"), [("broken.ttl", "a b c"), ("unknown.txt", ""), ("deep.jsonld", '{"x:p":' * 5_000)]
)
def test_files_that_can_not_be_read(name: str, text: str, run: Run, tmp_path: Path) -> None:
    """A file that does not parse, or ends the process that reads it, is an error in a sentence."""
    (tmp_path / name).write_text(text)
    code, out, errors = run("none", file=tmp_path / name)
    assert (code in {1, 3}, out) == (True, "")
    assert "Traceback" not in errors
    assert errors.strip()
