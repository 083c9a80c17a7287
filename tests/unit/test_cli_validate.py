"""`medkg validate`: what it prints, and the exit code by the gravest finding."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from tests.unit.services.examining import GOOD, HEAD, publish

from medkg import cli

Run = Callable[..., tuple[int, str, str]]
SHAPE = """\
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix ex: <https://example.org/> .
ex:Shape a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:q ; sh:minCount 1 ] .
"""
TABLE = "id,title,description,region,start\nx1,A centre for imaging,What is to be done there,PL22,2021-13\n"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small graph and all rules."""
    folder = tmp_path_factory.mktemp("cli") / "var"
    publish(folder)
    return folder


@pytest.fixture
def run(
    published: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """A caller of the command, beside the small graph, in an empty folder."""
    monkeypatch.setenv("MEDKG_DATA_DIR", str(published))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["medkg", "validate", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, *capfd.readouterr()

    return call


def write(name: str, text: str) -> Path:
    """Write a file to the current folder."""
    path = Path(name)
    path.write_text(HEAD + text if path.suffix == ".ttl" else text, encoding="utf-8")
    return path


def test_a_good_file_is_accepted(run: Run) -> None:
    """Exit code 0, and nothing on standard error."""
    code, out, err = run(write("plan.ttl", GOOD), "--format", "json")
    told = json.loads(out)
    assert (code, err, told["decision"], told["file"]) == (0, "", "accepted", "plan.ttl")


def test_a_bad_file_is_rejected_with_its_places(run: Run) -> None:
    """Exit code 1, and file, line and column of the mistake, in the language that is asked for."""
    path = write("plan.ttl", GOOD.replace("nuts:PL22", "nuts:XX99"))
    line = HEAD.count("\n") + 7
    code, out, _ = run(path, "--lang", "pl")
    assert code == 1
    assert "R-02" in out
    assert str(line) in out
    assert "region" in out


MILD = GOOD.replace("    medkg:usesKET ket-2012:photonics ;\n", "")


@pytest.mark.parametrize(("fail_on", "expected"), [("violation", 0), ("warning", 1), ("info", 1)])
def test_the_exit_code_is_of_the_gravest_finding(run: Run, fail_on: str, expected: int) -> None:
    """A warning fails where the caller wants it to."""
    assert run(write("plan.ttl", MILD), "--fail-on", fail_on)[0] == expected


def test_a_profile_and_a_namespace_can_be_chosen(run: Run) -> None:
    """A draft may lack what a submission needs; records have to be in the namespace that is given."""
    path = write("plan.ttl", 'action:x a medkg:InnovationAction ; skos:prefLabel "A new centre"@en .')
    assert run(path, "--profile", "draft")[0] == 0
    assert run(path)[0] == 1
    code, out, _ = run(path, "--profile", "draft", "--namespace", "https://w3id.org/medkg/id/lab-")
    assert (code, "G-01" in out) == (1, True)


@pytest.mark.parametrize(
    ("name", "text"), [("empty.ttl", ""), ("empty.csv", ""), ("broken.nt", "<a> ."), ("x", "")]
)
def test_a_file_that_cannot_be_read_is_told(run: Run, name: str, text: str) -> None:
    """It has a report like every other, and exit code 1."""
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    code, out, _ = run(path, "--format", "json")
    assert (code, json.loads(out)["decision"]) == (1, "unreadable")


def test_a_table_is_known_by_what_it_is(run: Run) -> None:
    """Names are looked up whatever the file is called; a workbook comes back with marks."""
    Path("plan.csv").write_text(TABLE, encoding="utf-8")
    Path("plan.data").write_text(TABLE, encoding="utf-8")
    one, two = (json.loads(run(name, "--format", "json")[1]) for name in ("plan.csv", "plan.data"))
    cells = {(item["code"], item["location"]["cell"]) for item in one["findings"]}
    assert any(cell == "E2" for _, cell in cells)
    if two["media_type"] == "text/csv":
        assert cells <= {(item["code"], item["location"]["cell"]) for item in two["findings"]}
    assert run("plan.csv", "--format", "xlsx", "-o", "marked.xlsx")[0] == 1
    assert openpyxl.load_workbook(io.BytesIO(Path("marked.xlsx").read_bytes())).worksheets[0]["E2"].comment


@pytest.mark.parametrize("arguments", [("nowhere.ttl",), (".",), ("plan.ttl", "--format", "xlsx")])
def test_a_call_that_cannot_be_done_is_told_in_a_line(run: Run, arguments: tuple[str, ...]) -> None:
    """A file that is not there, a folder, a workbook of what is no table."""
    write("plan.ttl", GOOD)
    code, out, err = run(*arguments)
    assert (code in {1, 2}, out) == (True, "")
    assert err.startswith("medkg: ")
    assert "Traceback" not in err


def test_shapes_of_ones_own_need_no_graph(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --shapes any file is validated, by either engine, and reports that need places are refused."""
    monkeypatch.setenv("MEDKG_DATA_DIR", "nowhere")
    Path("shapes.ttl").write_text(SHAPE, encoding="utf-8")
    Path("data.ttl").write_text("<https://example.org/a> <https://example.org/p> 1 .", encoding="utf-8")
    for engine in ("compiled", "reference"):
        code, out, _ = run("data.ttl", "--shapes", "shapes.ttl", "--engine", engine, "--format", "ttl")
        assert (code, "conforms" in out) == (1, True)
    assert run("data.ttl", "--shapes", "shapes.ttl", "--format", "sarif")[0] == 2
