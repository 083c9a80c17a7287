"""The command line: what it prints where, and with which exit code it ends."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from rdflib import Graph
from rdflib.namespace import RDF

from medkg import __version__, cli
from medkg.domain.namespaces import BASE, MEDKG, NUTS, PREFIXES
from medkg.services.build import Summary

TESTS = Path(__file__).parents[1]
EXPECTED = TESTS / "ontology" / "questions"
FILL_DOWN = TESTS / "fixtures" / "roadmap" / "en_fill_down.txt"
COMMANDS = ("build", "serve", "query", "ask", "roadmap", "validate", "backup", "restore")
GROUPS = ("token",)
SELECT = """SELECT ?region ?name {
  VALUES ?region { nuts:PL22 } ?region skos:prefLabel ?name FILTER(LANG(?name) = "pl")
}"""
CONSTRUCT = "CONSTRUCT { nuts:PL22 a ?class } WHERE { GRAPH graph:nuts { nuts:PL22 a ?class } }"
NAMES = "region,name\r\nhttp://data.europa.eu/nuts/code/PL22,Śląskie\r\n"


@dataclass(frozen=True)
class Ended:
    """How a call ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(
    summary: Summary, data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """A caller of the command line, in process, on the graph of the session."""
    assert summary.version == 1
    monkeypatch.setenv("MEDKG_DATA_DIR", str(data_dir))

    def call(*arguments: object, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["medkg", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return call


def one_line(ended: Ended, code: int) -> str:
    """Return the message of a call that failed, which is one line and nothing else."""
    assert (ended.code, ended.out) == (code, ""), ended
    assert ended.err.startswith("medkg: ")
    assert ended.err.count("\n") == 1, ended.err
    return ended.err.removeprefix("medkg: ").removesuffix("\n")


def test_without_arguments_there_is_help(run: Run) -> None:
    """`medkg` alone shows what there is."""
    ended = run()

    shown = ended.out + ended.err
    assert "Usage: medkg" in shown
    assert all(f"  {name} " in shown for name in COMMANDS + GROUPS)
    assert "Traceback" not in shown


def test_the_version_is_printed(run: Run) -> None:
    """`medkg --version` prints name and version."""
    assert run("--version") == Ended(0, f"medkg {__version__}\n", "")


def test_the_commands_are_those_that_are_tested() -> None:
    """No command is without a test of its help; those of a group are tested beside it."""
    group: Any = typer.main.get_command(cli.app)

    assert set(group.commands) == {*COMMANDS, *GROUPS}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, name: str) -> None:
    """`--help` says what the command does, and shows a call of it."""
    ended = run(name, "--help")

    assert ended.code == 0
    assert f"Usage: medkg {name}" in ended.out
    assert f"Example: medkg {name}" in ended.out


def test_the_module_runs_too() -> None:
    """`python -m medkg` is the same program."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "medkg", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"medkg {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["query", "--nonsense"], 2),
        (["query", "ASK {}", "--format", "pdf"], 2),
        (["roadmap"], 2),
    ],
)
def test_a_wrong_call_ends_with_two(run: Run, arguments: list[str], code: int) -> None:
    """An unknown command, option or choice, or a missing argument, is a wrong call."""
    ended = run(*arguments)

    assert (ended.code, ended.out) == (code, "")
    assert "Usage: medkg" in ended.err
    assert "Error: " in ended.err


@pytest.mark.parametrize(
    ("variables", "arguments", "message"),
    [
        ({"MEDKG_PORT": "abc"}, ["serve"], "MEDKG_PORT has the value 'abc': input should be a valid integer"),
        (
            {},
            ["serve", "--port", "99999"],
            "MEDKG_PORT has the value 99999: input should be less than or equal",
        ),
        (
            {"MEDKG_LOG_LEVEL": "loud"},
            ["query", "ASK {}"],
            "MEDKG_LOG_LEVEL has the value 'loud': input should be",
        ),
        ({"MEDKG_PUBLIC_URL": "nowhere"}, ["serve"], "MEDKG_PUBLIC_URL has the value 'nowhere': "),
        ({"MEDKG_MAX_QUERY_BYTES": "0"}, ["query", "ASK {}"], "MEDKG_MAX_QUERY_BYTES has the value '0': "),
        (
            {"SOURCE_DATE_EPOCH": "today"},
            ["build"],
            "SOURCE_DATE_EPOCH has the value 'today': expected a number",
        ),
    ],
)
def test_a_bad_setting_is_one_line(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    arguments: list[str],
    message: str,
) -> None:
    """A setting that can't be used is named with its value and what was expected, before anything is done."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert one_line(run(*arguments), 2).startswith(message)


@pytest.mark.parametrize("arguments", [["query", "ASK {}"], ["ask", "shared-actions"]])
def test_without_a_graph_the_remedy_is_named(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """A reading command on an empty data folder says how to get a graph, and leaves the folder empty."""
    ended = run(*arguments, "--data-dir", tmp_path)

    assert one_line(ended, 3) == "There is no graph in the data folder yet. Run `medkg build` first."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (SELECT, ["region     name", "nuts:PL22  Śląskie"]),
        ("ASK { nuts:PL22 a medkg:Region }", ["yes"]),
        ("ASK { nuts:PL22 a medkg:Nothing }", ["no"]),
        ("SELECT ?s { ?s a medkg:Nothing }", ["no rows"]),
    ],
)
def test_a_query_is_answered_with_a_table(run: Run, query: str, shown: list[str]) -> None:
    """Rows are printed as a table with short names; yes and no are words."""
    ended = run("query", query)

    assert (ended.code, ended.err) == (0, "")
    assert [line.rstrip() for line in ended.out.splitlines()] == shown


@pytest.mark.parametrize("format_", ["json", "xml", "csv", "tsv"])
def test_rows_are_printed_in_every_format(run: Run, format_: str) -> None:
    """A SELECT is printed as the engine writes it, in each of the four forms."""
    ended = run("query", SELECT, "--format", format_)

    assert (ended.code, ended.err) == (0, "")
    assert "Śląskie" in ended.out
    starts = {"json": '{"head"', "xml": "<?xml", "csv": "region,name", "tsv": "?region\t?name"}
    assert ended.out.startswith(starts[format_])


@pytest.mark.parametrize(
    ("format_", "parser"),
    [("ttl", "turtle"), ("nt", "nt"), ("rdfxml", "xml"), (None, "turtle"), ("table", "turtle")],
)
def test_graphs_are_printed_in_every_format(run: Run, format_: str | None, parser: str) -> None:
    """A CONSTRUCT is printed as Turtle, or as what was asked for."""
    ended = run("query", CONSTRUCT, *(["--format", format_] if format_ else []))

    assert (ended.code, ended.err) == (0, "")
    assert set(Graph().parse(data=ended.out, format=parser)) == {(NUTS.PL22, RDF.type, MEDKG.Region)}


def test_a_graph_is_printed_as_json_ld(run: Run) -> None:
    """JSON-LD is JSON with the IRIs in it."""
    ended = run("query", CONSTRUCT, "--format", "jsonld")

    assert str(NUTS.PL22) in json.dumps(json.loads(ended.out)) or "nuts:PL22" in ended.out


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_query_comes_from_a_file_or_from_standard_input(run: Run, tmp_path: Path, way: str) -> None:
    """-f reads a file, a hyphen reads standard input."""
    path = tmp_path / "q.rq"
    path.write_text(SELECT, encoding="utf-8")

    ended = (
        run("query", "-f", path, "--format", "csv")
        if way == "file"
        else run("query", "-", "--format", "csv", stdin=SELECT)
    )

    assert (ended.code, ended.out) == (0, NAMES)


@pytest.mark.parametrize(("name", "arguments"), [("a.csv", []), ("a.txt", ["--format", "csv"])])
def test_an_answer_goes_to_a_file(run: Run, tmp_path: Path, name: str, arguments: list[str]) -> None:
    """-o writes a file, in the format that its name says or that was asked for, and prints nothing."""
    ended = run("query", SELECT, *arguments, "-o", tmp_path / name)

    assert ended == Ended(0, "", "")
    assert (tmp_path / name).read_bytes().decode() == NAMES


def test_a_workbook_can_be_read_back(run: Run, tmp_path: Path) -> None:
    """Xlsx has the rows as texts; what looks like a formula or an address is neither."""
    path = tmp_path / "a.xlsx"
    query = """SELECT ?a ?b { VALUES (?a ?b) { ("=1+1" nuts:PL22) ("Śląsk" UNDEF) ("007" "+1") } }"""

    ended = run("query", query, "--format", "xlsx", "-o", path)

    book = openpyxl.load_workbook(path)
    (sheet,) = book.worksheets
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]
    assert ended == Ended(0, "", "")
    assert [[cell.value or "" for cell in row] for row in sheet.iter_rows()] == [
        ["a", "b"],
        ["=1+1", str(NUTS.PL22)],
        ["Śląsk", ""],
        ["007", "+1"],
    ]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    book.close()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["query"], 2, "Give either a query or a file with one. See `medkg query --help`."),
        (["query", "ASK {{}}", "-f", "x.rq"], 2, "Give either a query or a file with one."),
        (
            ["query", "-f", "{tmp}/none.rq"],
            2,
            "The file {tmp}/none.rq can't be read (No such file or directory).",
        ),
        (["query", "-f", "{tmp}/bad.rq"], 2, "The file {tmp}/bad.rq is not UTF-8 text (byte 4)."),
        (["query", "SELECT * {{"], 1, "The query does not parse at line 1, column 11."),
        (["query", "ASK {{ SERVICE <http://x/> {{}} }}"], 1, "SERVICE (line 1, column 7) is not allowed"),
        (["query", "CLEAR ALL"], 1, "The query does not parse at line 1"),
        (["query", "ASK {{}}", "--format", "ttl"], 1, "There is no format 'ttl' here. Ask for one of: json"),
        (
            ["query", "ASK {{}}", "--format", "xlsx"],
            2,
            "A workbook needs a file to go to. Add -o answer.xlsx.",
        ),
        (
            ["query", CONSTRUCT.replace("{", "{{").replace("}", "}}"), "-o", "{tmp}/a.xlsx"],
            2,
            "A workbook holds rows, and this query makes a graph.",
        ),
        (["query", "ASK {{}}", "-o", "{tmp}/a.pdf"], 2, "The name {tmp}/a.pdf says no format. Add --format."),
        (["query", "ASK {{}}", "--format", "table", "-o", "{tmp}/a"], 2, "A table is for the terminal."),
        (["query", "ASK {{}}", "-o", "{tmp}/no/a.csv"], 2, "The file {tmp}/no/a.csv can't be written."),
        (["query", "ASK {{}}", "--format", "csv", "-o", "{tmp}"], 2, "The file {tmp} can't be written."),
        (
            ["query", "ASK {{}}", "--format", "csv", "-o", "/dev/full"],
            3,
            "the output: No space left on device",
        ),
        (["build", "--dump", "{tmp}/no/graph.nq"], 2, "The file {tmp}/no/graph.nq can't be written."),
        (["ask", "weather"], 1, "There is no question 'weather'."),
        (
            ["ask", "shared-actions", "--region", "Limburg"],
            1,
            "'Limburg' may mean Limburg (Belgium) (BE22) or",
        ),
        (
            ["ask", "shared-actions", "--colour", "red"],
            1,
            "The question 'shared-actions' has no parameter 'colour'.",
        ),
        (
            ["ask", "running-in-month", "--month=13"],
            1,
            "'13' is no value for month. Give a month such as 2023-03.",
        ),
        (
            ["ask", "shared-actions", "Veneto"],
            2,
            "'Veneto' is no parameter. Give parameters as --name value.",
        ),
        (["ask", "shared-actions", "--region"], 2, "'--region' is no parameter."),
        (
            ["roadmap", "{tmp}/none.txt"],
            2,
            "The file {tmp}/none.txt can't be read (No such file or directory).",
        ),
        (["roadmap", "{tmp}/bad.rq"], 1, "{tmp}/bad.rq is not UTF-8 text (byte 4)."),
        (
            ["roadmap", str(FILL_DOWN), "-o", "{tmp}/a.ods"],
            2,
            "The file {tmp}/a.ods is neither .csv nor .xlsx.",
        ),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    run: Run, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    """Bad input ends with 1, a wrong call with 2, a failure with 3, each with one line for a person."""
    (tmp_path / "bad.rq").write_bytes(b"ASK \xff")

    ended = run(*(argument.format(tmp=tmp_path) for argument in arguments))

    assert one_line(ended, code).startswith(message.format(tmp=tmp_path))


def test_the_questions_are_listed(run: Run) -> None:
    """`medkg ask` alone lists all questions with their numbers, names and parameters."""
    ended = run("ask")

    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert lines[0].split() == ["No.", "Name", "Question", "Parameters"]
    assert len([line for line in lines if line[:1].isdigit()]) == 24
    assert any("shared-actions" in line and line.rstrip().endswith("--region, --other") for line in lines)


def cases() -> list[Any]:
    """A few questions of each kind, with all their cases that need no invented records."""
    found = []
    for stem in (
        "02-shared-actions",
        "03-running-in-month",
        "06-partnership-leads",
        "20-actions-without-ket",
    ):
        content = json.loads((EXPECTED / f"{stem}.json").read_text(encoding="utf-8"))
        for number, case in enumerate(content["cases"]):
            if "fixture" not in case:
                found.append(pytest.param(stem[3:], case, id=f"{stem}-{number}"))
    return found


def full(text: str | None) -> str | None:
    prefix, colon, name = (text or "").partition(":")
    return PREFIXES[prefix] + name if colon and prefix in PREFIXES else text


@pytest.mark.parametrize(("slug", "case"), cases())
def test_a_question_is_answered_as_json(run: Run, slug: str, case: dict[str, Any]) -> None:
    """`medkg ask --format json` gives exactly the rows that were worked out."""
    given = [part for name, value in case["parameters"].items() for part in (f"--{name}", value)]

    ended = run("ask", slug, *given, "--format", "json")

    assert (ended.code, ended.err) == (0, "")
    cells = [[row.get(name, {}) for name in case["columns"]] for row in json.loads(ended.out)["rows"]]
    assert [[cell.get("id", cell.get("value")) for cell in row] for row in cells] == [
        [full(value) for value in row] for row in case["rows"]
    ]


def test_a_question_is_answered_as_a_table(run: Run) -> None:
    """The question in words stands over the rows, both in the language asked for."""
    ended = run("ask", "2", "--region=Śląskie", "--other", "Vénétie", "--lang", "it")

    lines = [line.split("  ")[0].rstrip() for line in ended.out.splitlines()]
    assert (ended.code, ended.err) == (0, "")
    assert lines == [
        "Quali azioni hanno in comune Slesia e Veneto, da quando a quando, e chi lo dice?",
        "Azione",
        "Preparing for MedSilesia competence center set-up",
        "Powering the transnational medtech-biomed observatory as trend watch and collaboration platform",
    ]


def test_a_question_is_answered_as_csv(run: Run) -> None:
    """CSV has names and IRIs, and nothing else is printed."""
    ended = run("ask", "shared-actions", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ended.out, newline="")))
    assert (ended.code, ended.err) == (0, "")
    assert [row["action_iri"] for row in rows] == [
        f"{BASE}id/action/medsilesia-competence-centre",
        f"{BASE}id/action/medtech-biomed-observatory",
    ]


def test_an_unknown_language_is_a_wrong_call(run: Run) -> None:
    """A language that the questions are not in is refused, and those there are are named."""
    ended = run("ask", "shared-actions", "--lang", "de")

    assert ended.code == 2
    assert "'en', 'fr', 'it', 'pl'" in ended.err


def test_a_roadmap_is_printed(run: Run) -> None:
    """The rows go to standard output, the log of repairs and the totals to standard error."""
    ended = run("roadmap", FILL_DOWN)

    assert ended.code == 0
    assert ended.out.splitlines()[0].split() == [
        "Region",
        "Region",
        "code",
        "Innovation",
        "action",
        "Description",
        "From",
        "To",
    ]
    assert "Kainuu / Lapland  FI1D8 / FI1D7  Night line" in ended.out
    log = ended.err.splitlines()
    assert "line 5: fill-down: '' -> 'Lapland' (80%)" in log
    assert log[-1] == f"4 actions, {len(log) - 1} repairs"


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_roadmap_goes_to_a_file(run: Run, tmp_path: Path, name: str) -> None:
    """With -o the rows go to a table that a spreadsheet opens; the log is still printed."""
    path = tmp_path / name

    ended = run("roadmap", FILL_DOWN, "-o", path)

    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1].startswith("4 actions, ")
    if name.endswith(".csv"):
        assert len(list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))) == 5
    else:
        book = openpyxl.load_workbook(path)
        assert book["Actions"].max_row == 5
        book.close()


def test_a_reader_that_leaves_is_no_error(summary: Summary, data_dir: Path) -> None:
    """When a pipe is closed early, the program ends without a word."""
    assert summary.version == 1
    query = "SELECT ?s ?p ?o { ?s ?p ?o }"
    command = [sys.executable, "-m", "medkg", "query", query, "--format", "csv", "--data-dir", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "s,p,o\n"
        process.stdout.close()
        err = process.stderr.read()

    assert err == ""
