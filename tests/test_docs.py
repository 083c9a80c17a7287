"""The handbook says what the code does: its tables are complete, its links lead somewhere, its examples run.

A table row that is missing or wrong is printed as it should stand in the page.
"""

import ast
import contextlib
import io
import json
import re
import shlex
import shutil
import socket
import sys
import threading
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import click
import pyoxigraph as ox
import pytest
import typer
import uvicorn
from annotated_types import Ge, Gt, Le
from fastapi.testclient import TestClient
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rdflib import OWL, RDF, RDFS, SH, SKOS, Graph, Literal, URIRef
from rdflib.collection import Collection
from starlette.routing import BaseRoute

from medkg import __version__
from medkg.cli import app as command_line
from medkg.cli import main
from medkg.config import Settings, load
from medkg.domain import errors
from medkg.domain.model import Finding, Place, QueryRequest, Role, Severity
from medkg.domain.namespaces import MEDKG, PREFIXES, compact
from medkg.intake.roadmap import ACTION_COLUMNS, RULES, Repair
from medkg.services import questions, roadmaps, tokens
from medkg.services.explore import LISTINGS, MAX_SIZE
from medkg.services.reports import canonical, table, texts
from medkg.services.reports.summary import MAX_FINDINGS, MAX_PER_CODE, Check, summarise
from medkg.services.reports.text import as_text
from medkg.state.database import Database
from medkg.store import closures, policy
from medkg.store.closures import infer
from medkg.store.embedded import EmbeddedEngine
from medkg.store.formats import FORMATS
from medkg.store.room import Room
from medkg_api.app import PROTOCOLS, create_app
from medkg_api.problems import STATUS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (
    *sorted(DOCS.glob("*.md")),
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "SECURITY")),
)
GENERATED = {"build.md", "benchmarks.md", "validation-benchmarks.md"}
WRITTEN_BY_HAND = tuple(page for page in PAGES if page.name not in GENERATED)
LOCAL = "http://127.0.0.1:8000"
TEST_VARIABLES = {"MEDKG_SEEDS", "MEDKG_W3C"}
WRITING = {"backup", "restore", "token"}
"""The commands that change the data folder: their examples run on a copy."""
SEVERITIES = {SH.Violation: "violation", SH.Warning: "warning", SH.Info: "info"}

Command = click.Command


@dataclass(frozen=True)
class Block:
    """A fenced block of code in a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}-{self.line}"


@dataclass(frozen=True)
class Call:
    """A command of a console block, and the output shown under it."""

    block: Block
    words: tuple[str, ...]
    shown: str

    def __str__(self) -> str:
        return f"{self.block}-{' '.join(self.words)[:40]}"

    @property
    def command(self) -> str:
        """The name of the command, with that of its group."""
        pair = " ".join(self.words[:2])
        return pair if pair in commands() else self.words[0]


# --- Reading the pages -----------------------------------------------------------------------------------


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def prose_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def doc(name: str) -> str:
    return text_of(DOCS / f"{name}.md")


@cache
def blocks() -> tuple[Block, ...]:
    """Return the blocks of code of all pages."""
    return tuple(
        Block(page, text_of(page).count("\n", 0, match.start()) + 1, match[1], match[2])
        for page in PAGES
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    )


def blocks_in(language: str) -> list[Block]:
    return [block for block in blocks() if block.language == language]


def calls(program: str) -> list[Call]:
    """Return the calls of *program* in console blocks; a backslash at the end continues a line."""
    found = []
    for block in blocks_in("console"):
        for piece in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            typed, _, shown = piece.replace("\\\n", "").partition("\n")
            words = tuple(shlex.split(typed))
            if words[0] == program:
                found.append(Call(block, words[1:], shown))
    return found


def section(page: str, heading: str) -> str:
    """Return what stands under *heading* up to the next heading of its level or a higher one."""
    level = heading.partition(" ")[0]
    match = re.search(
        rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert match is not None, f"there is no heading {heading!r}"
    return match[1]


def rows(page: str) -> set[str]:
    return {line for line in page.splitlines() if line.startswith("| ")}


def first_cells(page: str, pattern: str) -> set[str]:
    """Return what *pattern* finds in the first cells of the tables of a page."""
    return {match[1] for line in rows(page) if (match := re.match(rf"\| `{pattern}` \|", line))}


def lacks(page: str, row: str) -> str:
    return "" if row in rows(page) else f"this row is missing: {row}"


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that a reader of Markdown gives to the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "") for title in titles)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in plain)


def links() -> list[tuple[Path, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page))
        if not urlsplit(target).scheme
    ]


def needs_token(call: Call) -> bool:
    return any("$TOKEN" in word for word in call.words)


# --- What the code says ----------------------------------------------------------------------------------


@cache
def commands() -> Mapping[str, Command]:
    """Return the commands by name; those of a group by its name and theirs."""
    found: dict[str, Command] = {}
    for name, command in cast("Any", typer.main.get_command(command_line)).commands.items():
        inner = getattr(command, "commands", None)
        found |= {name: command} if inner is None else {f"{name} {sub}": item for sub, item in inner.items()}
    return found


def options(command: Command) -> list[Any]:
    return [item for item in command.params if item.param_type_name == "option"]


@cache
def paths() -> Mapping[str, re.Pattern[str]]:
    """Return the addresses of the application, each with the expression that its routes match."""
    app = create_app(load(), cast("Any", object()))
    found = {route.path_format: route.path_regex for route in _flat(app.routes)}
    # One that ends with a slash stands for all below it.
    return found | {
        path: re.compile(re.escape(path) + ("" if path.endswith("/") else "$")) for path in PROTOCOLS
    }


def _flat(routes: Iterable[BaseRoute]) -> Iterator[Any]:
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is not None:
            yield from _flat(router.routes)
        elif hasattr(route, "path_format"):
            yield route


@cache
def ontology() -> Graph:
    graph = Graph()
    for path in (ROOT / "ontology").glob("*.ttl"):
        graph.parse(path)
    return graph


@cache
def shapes() -> Graph:
    graph = Graph()
    for path in (ROOT / "shapes").rglob("*.ttl"):
        graph.parse(path)
    return graph


def english(graph: Graph, subject: Any, predicate: URIRef) -> str:
    texts = [item for item in graph.objects(subject, predicate) if isinstance(item, Literal)]
    return str(next(item for item in texts if item.language in {"en", None}))


def terms(*kinds: URIRef) -> list[URIRef]:
    """Return our own terms of these kinds, sorted."""
    found = {term for kind in kinds for term in ontology().subjects(RDF.type, kind)}
    return sorted(term for term in found if isinstance(term, URIRef) and term.startswith(str(MEDKG)))


def domain_or_range(term: URIRef, predicate: URIRef) -> str:
    """Return the classes of a domain or range as the page lists them, "-" when there are none."""
    graph = ontology()
    named: list[str] = []
    for value in graph.objects(term, predicate):
        union = graph.value(value, OWL.unionOf)
        members = list(Collection(graph, union)) if union is not None else [value]
        named += [compact(str(member)).removeprefix("medkg:") for member in members]
    return ", ".join(f"`{name}`" for name in named) or "-"


def inverse(term: URIRef) -> str:
    graph = ontology()
    if (term, RDF.type, OWL.SymmetricProperty) in graph:
        return "itself"
    found = [*graph.objects(term, OWL.inverseOf), *graph.subjects(OWL.inverseOf, term)]
    return f"`{str(found[0]).removeprefix(str(MEDKG))}`" if found else ""


def property_row(term: URIRef) -> str:
    name = str(term).removeprefix(str(MEDKG))
    domain, range_ = (domain_or_range(term, predicate) for predicate in (RDFS.domain, RDFS.range))
    return f"| `medkg:{name}` | {domain} | {range_} | {inverse(term)} |"


def codes() -> list[str]:
    return sorted({str(code) for code in shapes().objects(None, MEDKG.code)})


def shape_row(code: str) -> str:
    """Return the row of a code; the closed shapes share one, and say the same."""
    graph = shapes()
    shape = next(graph.subjects(MEDKG.code, Literal(code)))
    severity = SEVERITIES[cast("URIRef", graph.value(shape, SH.severity))]
    return f"| {code} | {severity} | {english(graph, shape, SH.message)} |"


def profile_row(code: str) -> str:
    """Return the row of the severities of a code in the three profiles; "" when they are one."""
    graph = shapes()
    shape = next(graph.subjects(MEDKG.code, Literal(code)))
    stated = SEVERITIES[cast("URIRef", graph.value(shape, SH.severity))]
    other = {
        str(profile).rpartition("#")[2]: name
        for name in ("violation", "warning", "info", "ignored")
        for profile in graph.objects(shape, MEDKG[f"{name}In"])
    }
    cells = [other.get(f"{name}Profile", stated) for name in ("Draft", "Submission")]
    return f"| {code} | {' | '.join([*cells, stated])} |" if other else ""


def modules() -> list[str]:
    """Return the modules of the two packages; the reader of roadmaps and the migrations count as one each."""
    found = []
    for folder in (ROOT / "src", ROOT / "api"):
        for path in sorted(folder.rglob("*.py")):
            name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            if not name.startswith(("medkg.intake.roadmap.", "medkg.state.migrations.")):
                found.append(name)
    return found


def kinds_of_error() -> list[str]:
    return [name for name in errors.__all__ if isinstance(getattr(errors, name), type)]


def make_targets() -> Mapping[str, str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):.*## (.*)$", makefile, re.MULTILINE))


def variables() -> set[str]:
    """Return the variables that set something, in the product or in its tests."""
    return {f"MEDKG_{name.upper()}" for name in Settings.model_fields} | TEST_VARIABLES


def default_of(field: FieldInfo) -> str:
    if field.default in {None, PydanticUndefined, ""}:
        return "-"
    # As it is written in the environment.
    text = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
    return f"`{text.lower() if isinstance(field.default, bool) else text}`"


# --- The tables are complete -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_table(name: str) -> None:
    """A setting has a row with its name, its default, its bounds or choices, and its meaning."""
    field = Settings.model_fields[name]
    page = doc("settings")
    row = next((line for line in rows(page) if line.startswith(f"| `MEDKG_{name.upper()}` |")), "")
    bounds = [f"{item.ge}" for item in field.metadata if isinstance(item, Ge)]
    bounds += [f"{item.le}" for item in field.metadata if isinstance(item, Le)]
    bounds += [f"more than {item.gt}" for item in field.metadata if isinstance(item, Gt)]
    choices = [
        f"`{choice}`" for choice in getattr(field.annotation, "__args__", ()) if isinstance(choice, str)
    ]

    assert row.startswith(f"| `MEDKG_{name.upper()}` | {default_of(field)} | ")
    assert row.endswith(f" | {field.description} |")
    assert [part for part in (*bounds, *choices) if part not in row.replace(",", "")] == []


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_described(name: str) -> None:
    """A command has a section with a row for each of its options and arguments, and an example."""
    command = commands()[name]
    part = section(doc("cli"), f"## `medkg {name}`")
    expected = [
        f"| {', '.join(f'`{option}`' for option in item.opts)} | {item.help} |" for item in options(command)
    ]
    expected += [
        f"| `{item.name}` | {cast('Any', item).help} |"
        for item in command.params
        if item.param_type_name == "argument"
    ]

    assert [message for row in expected if (message := lacks(part, row))] == []
    assert f"$ medkg {name}" in part


@pytest.mark.parametrize("path", paths())
def test_every_address_is_described(path: str) -> None:
    """An address of the service has a row in the page of the HTTP interface."""
    assert path in first_cells(doc("api"), r"([^`]*)")


@pytest.mark.parametrize("name", LISTINGS)
def test_every_filter_is_described(name: str) -> None:
    """A list has a section with its class and a row for each filter."""
    listing = LISTINGS[name]
    part = section(doc("api"), f"### `/api/{name}`")

    assert f"`medkg:{listing.class_}`" in part
    assert first_cells(part, "([a-z]+)") == set(listing.filters)
    assert [
        message
        for filter_name, entry in listing.filters.items()
        if (message := lacks(part, f"| `{filter_name}` | {entry.meaning} |"))
    ] == []


@pytest.mark.parametrize("name", kinds_of_error())
def test_every_error_is_described(name: str) -> None:
    """An error has a row with its HTTP status and its exit code."""
    kind: type[errors.MedkgError] = getattr(errors, name)
    status = next(STATUS[parent] for parent in kind.__mro__ if parent in STATUS)

    assert any(
        line.startswith(f"| `{name}` | {status} | {kind.exit_code} | ") for line in rows(doc("errors"))
    )


@pytest.mark.parametrize("term", terms(OWL.Class), ids=compact)
def test_every_class_is_described(term: URIRef) -> None:
    """A class of the ontology has a row with its English definition."""
    row = f"| `{compact(term)}` | {english(ontology(), term, SKOS.definition)} |"

    assert lacks(doc("ontology"), row) == ""


@pytest.mark.parametrize(
    "term", terms(OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty), ids=compact
)
def test_every_property_is_described(term: URIRef) -> None:
    """A property of the ontology has a row with its domain, its range and its inverse."""
    assert lacks(doc("ontology"), property_row(term)) == ""


@pytest.mark.parametrize("scheme", sorted(path.stem for path in (ROOT / "ontology" / "vocab").glob("*.ttl")))
def test_every_vocabulary_is_listed(scheme: str) -> None:
    """A concept scheme has a row with its name and the class of its concepts."""
    graph = Graph().parse(ROOT / "ontology" / "vocab" / f"{scheme}.ttl")
    iri = next(graph.subjects(RDF.type, SKOS.ConceptScheme))
    concept = next(graph.subjects(SKOS.inScheme, iri))
    class_ = compact(str(graph.value(concept, RDF.type)))
    row = f"| `{scheme}` | {english(graph, iri, SKOS.prefLabel)} | `{class_}` |"

    assert lacks(doc("ontology"), row) == ""


@pytest.mark.parametrize("code", codes())
def test_every_shape_is_listed(code: str) -> None:
    """A shape has a row with its code, its severity and its English message."""
    assert lacks(doc("shapes"), shape_row(code)) == ""


def test_severities_that_differ_by_profile_are_listed() -> None:
    """A shape whose severity is not the same in all profiles has a row with the three; no other has."""
    found = rows(section(doc("shapes"), "## Profiles"))

    assert {row for row in found if re.match(r"\| [A-Z]-\d\d ", row)} == set(map(profile_row, codes())) - {""}


def test_the_page_on_constraints_names_codes_that_are_there() -> None:
    """Each of the 95 constraints has a row with codes of shapes, or with a note that says why it has none."""
    table = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in rows(doc("constraints"))
        if re.match(r"\| [A-Z]-\d\d ", row)
    ]

    assert len(table) == len({row[0] for row in table}) == 95
    assert {code for row in table for code in row[2].split(", ")} - set(codes()) == {"-"}
    assert [
        row[0] for row in table if row[2] == "-" and not row[7].startswith(("Not a shape", "Not yet"))
    ] == []


@pytest.mark.parametrize("question", questions.load(ROOT / "data" / "questions"), ids=lambda item: item.slug)
def test_every_question_is_listed(question: questions.Question) -> None:
    """A saved question has a row with its number, its slug, its wording and its parameters."""
    parameters = ", ".join(f"`{item.name}` ({item.kind})" for item in question.parameters)
    row = f"| {question.number} | `{question.slug}` | {question.text['en']} | {parameters} |"

    assert lacks(doc("questions"), row) == ""


@pytest.mark.parametrize("rule", RULES)
def test_every_repair_rule_has_a_true_example(rule: str, repairs: tuple[Repair, ...]) -> None:
    """A repair rule has a row, and its example is a repair that the reader makes in a text of the tests."""
    row = next((line for line in rows(doc("roadmaps")) if line.startswith(f"| `{rule}` |")), "")
    examples = {f" | {cell(item.before)} | {cell(item.after)} |" for item in repairs if item.rule == rule}

    assert row
    assert [example for example in examples if row.endswith(example)], sorted(examples)


def sample_roadmap() -> str:
    """Return the text that the page on roadmaps offers for trying."""
    return next(block.text for block in blocks_in("text") if block.page.stem == "roadmaps")


@pytest.fixture(scope="module")
def repairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repair, ...]:
    """Every repair that is made in the roadmaps of the tests and of the page."""
    sample = tmp_path_factory.mktemp("roadmap") / "roadmap.txt"
    sample.write_text(sample_roadmap(), encoding="utf-8")
    texts = sorted((ROOT / "tests" / "fixtures" / "roadmap").glob("*.txt"))
    return tuple(repair for path in (sample, *texts) for repair in roadmaps.read(path).repairs)


def cell(text: str) -> str:
    """Return a text as code in a cell of a table; line ends and tabs as signs, nothing as nothing."""
    return "`" + text.replace("\n", "⏎").replace("\t", "⇥").replace("|", "\\|") + "`" if text.strip() else ""


@pytest.mark.parametrize("column", ACTION_COLUMNS)
def test_every_column_of_a_roadmap_is_named(column: str) -> None:
    """A column of the file that a roadmap becomes is named."""
    assert f"`{column}`" in doc("roadmaps")


@pytest.mark.parametrize("name", make_targets())
def test_every_make_target_is_listed(name: str) -> None:
    """A target of the Makefile has a row with what it does."""
    assert lacks(text_of(ROOT / "CONTRIBUTING.md"), f"| `make {name}` | {make_targets()[name]} |") == ""


@pytest.mark.parametrize("name", modules())
def test_every_module_has_its_line(name: str) -> None:
    """A module has a row in the page on the architecture."""
    assert name in first_cells(doc("architecture"), "([a-z_.]+)")


@pytest.mark.parametrize("format_", FORMATS, ids=lambda item: f"{item.kind}-{item.name}")
def test_every_format_is_listed(format_: Any) -> None:
    """A format has a row with its short name and its media types."""
    media_types = ", ".join(f"`{name}`" for name in format_.media_types)

    assert lacks(doc("sparql"), f"| `{format_.name}` | {media_types} |") == ""


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_is_listed(prefix: str) -> None:
    """A prefix that queries may use undeclared has a row."""
    assert lacks(doc("sparql"), f"| `{prefix}` | `{PREFIXES[prefix]}` |") == ""


def test_every_member_of_a_report_is_described() -> None:
    """A member of a report, of a finding and of a location has a row in the page on reports."""
    schema = json.loads(canonical.schema())
    parts = (schema, *schema["$defs"].values())
    members = {name for part in parts for name in part["properties"]}
    page = section(doc("reports"), "## JSON")
    described = {name for row in rows(page) for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert described == members


def test_every_column_of_a_report_is_described() -> None:
    """The columns of the CSV of a report are named, in their order."""
    named = re.findall(r"`(\w+)`", section(doc("reports"), "## CSV"))

    assert tuple(named) == table.COLUMNS


def test_the_report_of_the_page_is_written_so() -> None:
    """The text that the page on reports shows is what comes of such a finding."""
    catalogue = texts.load()
    found = Finding(
        "A-04",
        Severity.VIOLATION,
        "The start “10/2021” is no month.",
        "",
        place=Place("actions.ttl", 3, 18, 3, 27),
        remedy="Write the year first: 2021-10.",
        suggestion="2021-10",
    )
    report = summarise([found], language="en", texts=catalogue, check=Check(file="actions.ttl"))
    source = '\n\n\tmedkg:startDate "10/2021"^^xsd:gYearMonth ;'

    shown = next(block.text for block in blocks_in("text") if block.page.stem == "reports")
    assert as_text(report, catalogue, source=source) == shown


def test_limits_are_those_of_the_code() -> None:
    """The pages give the limits that the code has."""
    assert f"at most {MAX_PER_CODE} findings of one code and {MAX_FINDINGS:,} in total" in doc("reports")
    assert f"more than {policy._MAX_OPERATORS} operators" in doc("sparql")
    assert f"more than {policy._MAX_PARTS} parts" in doc("sparql")
    assert f"at most {MAX_SIZE}" in doc("api")


INFERENCES = (
    ("ex:a ex:p ex:b . ex:p owl:inverseOf ex:q .", "ex:b ex:q ex:a ."),
    ("ex:a ex:p ex:b . ex:p a owl:SymmetricProperty .", "ex:b ex:p ex:a ."),
    ("ex:a skos:broader ex:b .", "ex:b skos:narrower ex:a ."),
    ("ex:a skos:narrower ex:b .", "ex:b skos:broader ex:a ."),
    ("ex:a skos:broader ex:b . ex:b skos:broader ex:c .", "ex:a skos:broaderTransitive ex:c ."),
    ("ex:a skos:broader ex:b . ex:b skos:broader ex:c .", "ex:c skos:narrowerTransitive ex:a ."),
    ("ex:a a ex:A . ex:A rdfs:subClassOf ex:B . ex:B rdfs:subClassOf ex:C .", "ex:a a ex:C ."),
    ("ex:a ex:p ex:b . ex:p rdfs:subPropertyOf ex:q . ex:q rdfs:subPropertyOf ex:r .", "ex:a ex:r ex:b ."),
)
"""An example of each rule of inference, in the order of the page: what is stated, and what follows."""


def triples(turtle: str) -> ox.Store:
    prefixes = {"ex": "https://example.org/", **PREFIXES}
    head = "".join(f"PREFIX {name}: <{iri}> " for name, iri in prefixes.items())
    store = ox.Store()
    store.load(head + turtle, format=ox.RdfFormat.TURTLE)
    return store


@pytest.mark.parametrize(("stated", "follows"), INFERENCES)
def test_what_is_inferred_is_what_the_code_infers(stated: str, follows: str) -> None:
    """What the page on the ontology says to follow does."""
    store = triples(stated)

    def facts(predicate: ox.NamedNode, object_: Any) -> Iterator[Any]:
        return (tuple(quad.triple) for quad in store.quads_for_pattern(None, predicate, object_, None))

    _, known = infer(facts)

    assert {tuple(quad.triple) for quad in triples(follows)} <= known


def test_every_closure_is_counted() -> None:
    """The page on the ontology tells all rules by which statements are inferred."""
    numbers = re.findall(r"^\| (\d) \|", section(doc("ontology"), "## What is inferred"), re.MULTILINE)

    assert numbers == [str(number) for number in range(1, len(INFERENCES) + 1)]
    assert ("", "one", "two", "three", "four", "five", "six", "seven", "eight")[len(numbers)] in str(
        closures.__doc__
    ).lower()


def test_the_index_leads_to_every_page() -> None:
    """The first page of the handbook links to all others."""
    linked = {target for page, target in links() if page == DOCS / "index.md"}

    assert {page.name for page in DOCS.glob("*.md")} - linked - {"index.md"} == set()


def test_the_changelog_begins_with_this_version() -> None:
    """The newest heading of the changelog is the version of the package."""
    headings = re.findall(
        r"^## \[([^\]]+)\] - \d{4}-\d{2}-\d{2}$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert headings[0] == project["version"] == __version__


# --- Nothing is described that is not there --------------------------------------------------------------


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.name)
def test_no_setting_is_invented(page: Path) -> None:
    """Every variable that a page names is a setting, or a switch of the tests."""
    assert set(re.findall(r"MEDKG_[A-Z_0-9]+", text_of(page))) - variables() == set()


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.name)
def test_no_address_is_invented(page: Path) -> None:
    """Every address that a page names is answered by a route."""
    code = re.findall(r"`(?:[A-Z]+ )?(/[^`\s]*)`", prose_of(page))
    full = re.findall(rf"{re.escape(LOCAL)}(/[^\s'\"`>)]*)", text_of(page))
    asked = {urlsplit(path).path for path in (*code, *full)}

    assert {path for path in asked if not any(known.match(path) for known in paths().values())} == set()


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.name)
def test_no_term_is_invented(page: Path) -> None:
    """Every medkg: term of a page is declared in the ontology, but for the slips that shapes warn of."""
    known = {
        str(term).removeprefix(str(MEDKG))
        for term in terms(OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    }

    by_hand = text_of(page).partition("<!-- GENERATED")[0]
    text = re.sub(r"^\| [A-Z]-\d\d \|.*$", "", by_hand, flags=re.MULTILINE)

    assert set(re.findall(r"(?<![\w/])medkg:(\w+)", text)) - known == set()


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.name)
def test_no_command_is_invented(page: Path) -> None:
    """Every command of medkg and every make target that a page names is there."""
    groups = {name.partition(" ")[0] for name in commands() if " " in name}
    named = {
        f"{first} {second}" if first in groups else first
        for first, second in re.findall(r"`medkg ([a-z]+) ?([a-z]*)", prose_of(page))
        if second or first not in groups
    }
    targets = set(re.findall(r"`make ([a-z-]+)", prose_of(page)))

    assert named - set(commands()) == set()
    assert targets - set(make_targets()) == set()


@pytest.mark.parametrize("call", calls("medkg"), ids=str)
def test_console_blocks_use_commands_and_options_that_are_there(call: Call) -> None:
    """A call of medkg in a console block names a command and options that the command line has."""
    if call.words == ("--version",):
        return
    command = commands()[call.command]
    known = {name for item in options(command) for name in item.opts} | {"--help"}
    if call.words[0] == "ask":
        known |= {
            f"--{item.name}"
            for question in questions.load(ROOT / "data" / "questions")
            for item in question.parameters
            if call.words[1:2] in {(question.slug,), (str(question.number),)}
        }

    assert {word for word in call.words if re.match(r"--?[a-z]", word)} - known == set()


@pytest.mark.parametrize("call", calls("make"), ids=str)
def test_console_blocks_use_make_targets_that_are_there(call: Call) -> None:
    """A call of make in a console block names a target of the Makefile."""
    assert call.words[0] in make_targets()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_hold_nothing_that_is_gone(page: Path) -> None:
    """The tables of codes, errors, rules and questions hold no row for something that is not there."""
    kinds: dict[str, tuple[str, set[str]]] = {
        "shapes.md": (r"\| ([A-Z]-\d\d) \|", set(codes())),
        "errors.md": (r"\| `([A-Z]\w+)` \|", set(kinds_of_error())),
        "roadmaps.md": (r"\| `([a-z]+-[a-z-]+)` \|", set(RULES)),
        "questions.md": (
            r"\| \d+ \| `([a-z-]+)` \|",
            {item.slug for item in questions.load(ROOT / "data" / "questions")},
        ),
        "settings.md": (r"\| `(MEDKG_\w+)` \|", variables()),
        "api.md": (r"\| `(/[^`]*)` \|", set(paths())),
        "architecture.md": (r"\| `(medkg\w*(?:\.\w+)*)` \|", set(modules())),
        "CONTRIBUTING.md": (r"\| `make ([a-z-]+)` \|", set(make_targets())),
    }
    pattern, known = kinds.get(page.name, ("(?!)", set()))

    assert {match[1] for line in rows(text_of(page)) if (match := re.match(pattern, line))} - known == set()


@pytest.mark.parametrize(("page", "target"), links(), ids=lambda item: getattr(item, "name", item))
def test_links_lead_somewhere(page: Path, target: str) -> None:
    """A relative link leads to a file that is there, and its anchor to a heading."""
    path, _, anchor = target.partition("#")
    aim = (page.parent / path).resolve() if path else page

    assert aim.exists()
    assert not anchor or anchor in anchors(aim)


# --- The examples run ------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks_in("sparql"), ids=str)
def test_queries_have_an_answer(block: Block, engine: EmbeddedEngine) -> None:
    """A query of the handbook parses, runs on the built graph, and finds something."""
    is_graph = re.search(r"^\s*(CONSTRUCT|DESCRIBE)\b", block.text, re.MULTILINE) is not None
    answer = engine.run(QueryRequest(block.text), "nt" if is_graph else "json")
    body = b"".join(answer.chunks)

    assert (
        body.strip()
        if is_graph
        else (found := json.loads(body)).get("boolean") or found["results"]["bindings"]
    )


def by_block(found: Iterable[Call]) -> list[list[Call]]:
    """Return the calls of each block, in order: one may need what another has made."""
    return [list(group) for _, group in groupby(found, key=lambda call: call.block)]


@pytest.mark.parametrize(
    "group",
    by_block(call for call in calls("medkg") if call.words[0] not in {"build", "serve"}),
    ids=lambda group: str(group[0]),
)
@pytest.mark.usefixtures("summary")
def test_commands_print_what_is_shown(
    group: list[Call],
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call of medkg in a console block prints what stands under it; "…" stands for anything."""
    for folder in ("tests", "ontology", "shapes"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "roadmap.txt").write_text(sample_roadmap(), encoding="utf-8")
    (tmp_path / "actions.csv").write_text(sample_table(), encoding="utf-8")
    if any(call.words[0] in WRITING for call in group):
        data_dir = copied(data_dir, tmp_path / "var")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDKG_DATA_DIR", str(data_dir))
    for call in group:
        monkeypatch.setattr(sys, "argv", ["medkg", *call.words])
        # One stream for both, as in a terminal, keeps the order.
        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            contextlib.suppress(SystemExit),
        ):
            main()

        assert_shown(call.shown, cast("Any", printed.buffer).getvalue().decode())


def sample_table() -> str:
    """Return the table that the page on validation shows."""
    (block,) = (block for block in blocks_in("csv") if block.page.name == "validation.md")
    return block.text


def copied(data_dir: Path, target: Path) -> Path:
    """Return a copy of the built graph, which a test may change."""
    shutil.copytree(
        data_dir, target, ignore=shutil.ignore_patterns("live", "spool", "service.lock", "state.*", "*.sock")
    )
    return target


def is_check(call: Call) -> bool:
    return any(word.startswith(f"{LOCAL}/validate") for word in call.words)


@pytest.mark.parametrize(
    "call", [call for call in calls("curl") if not needs_token(call) and not is_check(call)], ids=str
)
def test_requests_answer_what_is_shown(call: Call, client: TestClient) -> None:
    """A call of curl in a console block answers what stands under it; "…" stands for anything."""
    assert_answered(call, client)


@pytest.mark.usefixtures("summary")
def test_checks_answer_what_is_shown(data_dir: Path, tmp_path: Path) -> None:
    """The calls of curl that have a document checked answer what stands under them, by a whole service."""
    root = copied(data_dir, tmp_path / "var")
    settings = Settings(data_dir=root, public_url="https://medkg.test")  # type: ignore[arg-type]
    with TestClient(create_app(settings), base_url="https://medkg.test") as client:
        for call in filter(is_check, calls("curl")):
            assert_answered(call, client)


@pytest.mark.parametrize(
    "page",
    sorted({call.block.page for call in calls("curl") if needs_token(call)}),
    ids=lambda page: page.name,
)
def test_writes_answer_what_is_shown(
    page: Path, data_dir: Path, engine: EmbeddedEngine, tmp_path: Path
) -> None:
    """The calls of curl with a token answer, in the order of the page, what stands under them."""
    root = copied(data_dir, tmp_path / "var")
    with Database.open(root) as database:
        _, secret = tokens.create(database, tokens.local_author(), "docs", Role.STEWARD)
    settings = Settings(data_dir=root, public_url="https://medkg.test")  # type: ignore[arg-type]
    # Without the check, which has tests of its own and takes as long as that of a build.
    with TestClient(create_app(settings, engine, Room(root)), base_url="https://medkg.test") as client:
        for call in calls("curl"):
            if call.block.page == page and needs_token(call):
                words = tuple(word.replace("$TOKEN", secret) for word in call.words)
                assert_answered(replace(call, words=words), client)


def assert_answered(call: Call, client: TestClient) -> None:
    words = [word.replace(LOCAL, "https://medkg.test") for word in call.words]
    pretty = words[-4:] == ["|", "python3", "-m", "json.tool"]
    printed = curl(client, words[:-4] if pretty else words).replace("https://medkg.test", LOCAL)
    if pretty:
        printed = json.dumps(json.loads(printed), indent=4) + "\n"

    assert_shown(call.shown, printed)


def curl(client: TestClient, words: list[str]) -> str:
    """Do what curl does with the options that the handbook uses, and return what it prints."""
    plain, headers, data = set(), {}, []
    method = ""
    rest = iter(words)
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(":")
            headers[name] = value.strip()
        elif word == "-X":
            method = next(rest)
        elif word == "--data-urlencode":
            name, _, value = next(rest).partition("=")
            data.append(f"{name}={quote(value, safe='')}")
        elif word == "--data-binary":
            value = next(rest)
            data.append(sample_table() if value == "@actions.csv" else value)
        else:
            plain.add(word)
    (url,) = plain - {"-s", "-i", "-G"}
    if "-G" in plain:
        url, data = f"{url}?{'&'.join(data)}", []
    if data:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    body = "&".join(data).encode() if data else None
    method = method or ("POST" if data else "GET")
    answer = client.request(method, url, headers=headers, content=body, follow_redirects=False)
    head = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"]
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    return ("\n".join([*head, "", ""]) if "-i" in plain else "") + answer.text


def assert_shown(shown: str, printed: str) -> None:
    """Compare lines; in what is shown, "…" stands for any text and as a line of its own for any lines."""
    if not shown.strip():
        return
    wanted = [line.rstrip() for line in shown.strip("\n").split("\n")]
    found = [line.rstrip() for line in printed.replace("\r", "").strip("\n").split("\n")]
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in wanted
    )

    matches = re.fullmatch(pattern, "\n".join(found) + "\n") is not None
    assert matches, "it prints:\n" + "\n".join(found)


@pytest.fixture(scope="module")
def address(settings: Settings, engine: EmbeddedEngine) -> Iterator[str]:
    """The address of a real server on the built graph."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(settings, engine), log_level="error", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_python_examples_run(block: Block, address: str) -> None:
    """An example in Python runs against a real server and finds rows."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block.text.replace(LOCAL, address), str(block), "exec"), names)  # noqa: S102 - our own page

    assert names["rows"]
    assert printed.getvalue()


def imported_by(block: Block) -> set[str]:
    """Return the names that the statements of import in an example have."""
    found = set()
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_python_examples_name_no_private_thing() -> None:
    """An example in Python imports nothing that begins with an underscore."""
    imported = set().union(*map(imported_by, blocks_in("python")))

    assert {name for name in imported if name.startswith("_")} == set()
