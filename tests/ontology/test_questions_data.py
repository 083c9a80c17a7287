"""The saved questions: their headers are complete, and each gives the full answer that the data supports.

The expected answers in ``questions/`` are worked out from the sources, not from a run.  A case may lay
invented records (``fixture``) over the graph, so that what the data does not hold today is asked for too.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from rdflib.plugins.sparql import prepareQuery

from medkg.domain.namespaces import BASE, PREFIXES, compact
from medkg.store.merge import build_merge

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).with_name("questions")
FILES = sorted((ROOT / "data" / "questions").glob("*.rq"))
LANGUAGES = {"en", "fr", "it", "pl"}
NUMBERS = [*range(1, 23), 24, 25]
DATATYPES = {"month": "gYearMonth", "date": "date", "integer": "integer"}
TYPES = {"region", "entity", "text", "language", *DATATYPES}
GRAPH = f"{BASE}graph/"
XSD = PREFIXES["xsd"]
ELSEWHERE = "  # To run this elsewhere, uncomment the next line.\n  # VALUES "

Row = list[str | None]


@dataclass(frozen=True)
class Case:
    """An answer expected of a question: the values given, the terms they mean, and every row in order."""

    question: str
    number: int
    content: Mapping[str, Any]

    @property
    def bindings(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.content.get("bindings", {})
        return found

    def __str__(self) -> str:
        return "-".join([self.question, str(self.number), *self.content["parameters"].values()])


@cache
def header(path: Path) -> Mapping[str, Any]:
    """The TOML that a question begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tomllib.loads("\n".join(line.removeprefix("#+ ") for line in lines if line.startswith("#+")))


@cache
def body(path: Path) -> str:
    """The query of a question without its header."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#+")).strip() + "\n"


def projection(path: Path) -> list[str]:
    """The variables that the query answers with, in order."""
    found = ox.Store().query(body(path))
    assert isinstance(found, ox.QuerySolutions)
    return [variable.value for variable in found.variables]


def cases() -> Iterator[Case]:
    for path in FILES:
        content = json.loads((EXPECTED / f"{path.stem}.json").read_text(encoding="utf-8"))
        for number, case in enumerate(content["cases"], start=1):
            yield Case(path.stem, number, case)


CASES = list(cases())
by_question = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
by_case = pytest.mark.parametrize("case", CASES, ids=str)


def files() -> Iterator[tuple[Path, str]]:
    """The files of the graph, each with the name of its graph."""
    yield from ((path, "ontology") for path in (ROOT / "ontology").glob("*.ttl"))
    yield from ((path, "shapes") for path in (ROOT / "shapes").glob("*.ttl"))
    yield from ((path, "shapes/submission") for path in (ROOT / "shapes" / "submission").glob("*.ttl"))
    yield from ((path, f"vocab/{path.stem}") for path in (ROOT / "ontology" / "vocab").glob("*.ttl"))
    yield from (
        (path, f"{folder}/{path.stem}")
        for folder in ("source", "mentions")
        for path in (ROOT / "data" / folder).glob("*.ttl")
    )
    yield from ((ROOT / "data" / f"{name}.ttl", name) for name in ("aliases", "nuts"))
    yield ROOT / "data" / "catalog.ttl", "prov/build"


def close(store: ox.Store) -> None:
    """Give a store the default graph that users ask: the merge of the public graphs, with the closures."""
    build_merge(store)


@pytest.fixture(scope="session")
def question_store() -> ox.Store:
    """The graph as it is when a question is asked."""
    store = ox.Store()
    for path, name in files():
        store.load(path=path, format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(GRAPH + name))
    close(store)
    return store


@pytest.fixture(scope="session")
def extended_stores(question_store: ox.Store) -> Mapping[str, ox.Store]:
    """Copies of the graph, each with the invented records of one fixture."""
    stores = {path.name: ox.Store() for path in EXPECTED.glob("*.ttl")}
    for name, store in stores.items():
        path = EXPECTED / name
        graph = ox.NamedNode(f"{GRAPH}manual/{path.stem}")
        store.extend(question_store)
        store.load(path=path, format=ox.RdfFormat.TURTLE, to_graph=graph)
        close(store)
    return stores


def iri(text: str) -> ox.NamedNode:
    prefix, _, name = text.partition(":")
    return ox.NamedNode(PREFIXES[prefix] + name if prefix in PREFIXES else text)


def term(kind: str, text: str) -> ox.NamedNode | ox.Literal:
    """What a parameter of some type is bound to."""
    if kind in {"region", "entity"}:
        return iri(text)
    if kind in DATATYPES:
        return ox.Literal(text, datatype=ox.NamedNode(XSD + DATATYPES[kind]))
    return ox.Literal(text)


def cell(value: object) -> str | None:
    """A value as the expected answers write it."""
    if isinstance(value, ox.NamedNode):
        return compact(value.value)
    assert value is None or isinstance(value, ox.Literal), value
    return None if value is None else value.value


def rows(store: ox.Store, query: str, columns: list[str], bindings: Mapping[ox.Variable, Any]) -> list[Row]:
    """The rows of an answer: the columns that are shown."""
    found = store.query(query, substitutions=dict(bindings))
    assert isinstance(found, ox.QuerySolutions)
    return [[cell(row[column]) for column in columns] for row in found]


def test_the_questions_are_all_there() -> None:
    """Questions 1 to 25 but 23, each in a file of its number, with expected answers and no others."""
    assert [header(path)["number"] for path in FILES] == NUMBERS
    assert [int(path.stem[:2]) for path in FILES] == NUMBERS
    assert all(re.fullmatch(r"\d\d(-[a-z0-9]+)+", path.stem) for path in FILES)
    assert sorted(path.stem for path in EXPECTED.glob("*.json")) == [path.stem for path in FILES]


@by_question
def test_every_text_is_there_in_four_languages(path: Path) -> None:
    """Title, question, parameter labels and column headings are there in each language, and not empty."""
    about = header(path)
    texts = [
        about["title"],
        about["question"],
        *(parameter["label"] for parameter in about.get("parameters", {}).values()),
        *about["columns"].values(),
    ]

    assert set(about) - {"parameters"} == {"number", "title", "question", "columns"}
    for text in texts:
        assert set(text) == LANGUAGES
        assert all(words.strip() for words in text.values())


@by_question
def test_parameters_are_complete(path: Path) -> None:
    """A parameter has a known type and a default; only an entity has a class."""
    for name, parameter in header(path).get("parameters", {}).items():
        assert set(parameter) - {"class"} == {"type", "default", "label"}, name
        assert parameter["type"] in TYPES, name
        assert ("class" in parameter) == (parameter["type"] == "entity"), name
        assert parameter["default"].strip(), name


@by_question
def test_question_texts_name_the_parameters(path: Path) -> None:
    """A question has a place for each parameter, in every language, and for nothing else."""
    about = header(path)
    for text in about["question"].values():
        assert sorted(re.findall(r"\{(\w+)\}", text)) == sorted(about.get("parameters", {}))


@by_question
def test_parameters_and_columns_are_what_the_query_projects(path: Path) -> None:
    """Every parameter is projected, first; the rest are the columns, in order."""
    about = header(path)
    assert projection(path) == [*about.get("parameters", {}), *about["columns"]]


@by_question
def test_the_query_needs_nothing_from_here(path: Path) -> None:
    """The query declares the prefixes it uses, and another engine's parser takes it too."""
    text = body(path)
    declared = re.findall(r"^PREFIX ([\w-]+):", text, flags=re.MULTILINE)
    code = re.sub(r"#[^\n]*|<[^>\s]*>|\"[^\"]*\"", " ", text.replace("# VALUES", "VALUES"))

    # rdflib's parser knows some prefixes by itself: the names are looked at, too.
    used = set(re.findall(r"(?<![\w?-])([a-z][\w-]*):(?=[\w-])", code))

    assert sorted(used) == sorted(declared)
    prepareQuery(text)


@by_question
def test_the_order_of_rows_is_fixed(path: Path) -> None:
    """Every column that is shown takes part in the order, so that no two rows can change places."""
    _, order, conditions = body(path).rpartition("\nORDER BY ")

    assert order
    assert set(header(path)["columns"]) <= set(re.findall(r"\?(\w+)", conditions))


@by_case
def test_the_answer_is_complete_and_in_order(
    question_store: ox.Store, extended_stores: Mapping[str, ox.Store], case: Case
) -> None:
    """Each case gives exactly the expected rows."""
    path = ROOT / "data" / "questions" / f"{case.question}.rq"
    parameters = header(path).get("parameters", {})
    fixture = case.content.get("fixture")
    store = extended_stores[fixture] if fixture else question_store
    bindings = {
        ox.Variable(name): term(parameters[name]["type"], text) for name, text in case.bindings.items()
    }

    found = rows(store, body(path), case.content["columns"], bindings)

    assert case.content["columns"] == list(header(path)["columns"])
    assert found == case.content["rows"]


@by_case
def test_an_empty_answer_is_meant(case: Case) -> None:
    """A case without rows says why, and one with rows does not."""
    assert ("why_empty" in case.content) == (case.content["rows"] == [])


@by_question
def test_the_first_case_asks_with_the_defaults(path: Path) -> None:
    """The first case of a question uses what its header offers."""
    parameters = header(path).get("parameters", {})
    first = next(case for case in CASES if case.question == path.stem)

    assert first.content["parameters"] == {name: entry["default"] for name, entry in parameters.items()}
    assert set(first.bindings) == set(parameters)


@by_question
def test_some_case_has_rows(path: Path) -> None:
    """No question goes without an answer that is not empty."""
    assert any(case.content["rows"] for case in CASES if case.question == path.stem)


@by_case
def test_what_is_typed_names_what_is_bound(question_store: ox.Store, case: Case) -> None:
    """A value as a person types it is a code, identifier or name of the entity, which is of the class."""
    path = ROOT / "data" / "questions" / f"{case.question}.rq"
    for name, parameter in header(path).get("parameters", {}).items():
        typed, bound = case.content["parameters"][name], case.bindings[name]
        if parameter["type"] not in {"region", "entity"}:
            assert typed == bound
            continue
        entity = iri(bound)
        of_class = ox.NamedNode(PREFIXES["medkg"] + parameter.get("class", "Region"))
        kind = ox.NamedNode(PREFIXES["rdf"] + "type")
        names = {
            quad.object.value
            for label in ("prefLabel", "altLabel", "hiddenLabel", "notation")
            for quad in question_store.quads_for_pattern(
                entity, ox.NamedNode(PREFIXES["skos"] + label), None, ox.DefaultGraph()
            )
            if isinstance(quad.object, ox.Literal)
        }
        names |= {entity.value.removeprefix(f"{BASE}id/"), entity.value.removeprefix(f"{BASE}vocab/")}
        assert ox.Quad(entity, kind, of_class) in question_store
        assert typed in names


@by_question
def test_a_pasted_query_gives_the_answer_to_the_defaults(question_store: ox.Store, path: Path) -> None:
    """The line that sets the parameters elsewhere does what binding the defaults does."""
    parameters = header(path).get("parameters", {})
    text = body(path)
    assert text.count(ELSEWHERE) == bool(parameters)
    first = next(case for case in CASES if case.question == path.stem)

    found = rows(question_store, text.replace("# VALUES ", "VALUES "), first.content["columns"], {})

    assert found == first.content["rows"]
