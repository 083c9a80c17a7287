"""`/questions`: the saved questions over HTTP answer exactly what was worked out for them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from medkg import assets
from medkg.domain.namespaces import PREFIXES
from medkg.services import questions
from medkg.services.questions import LANGUAGES, Question

EXPECTED = Path(__file__).parents[1] / "ontology" / "questions"
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = "\"'><script>alert(1)</script>{{7*7}}"


@dataclass(frozen=True)
class Case:
    """A question with the values that are typed, the terms they mean, and every row, in order."""

    slug: str
    number: int
    parameters: Mapping[str, str]
    bindings: Mapping[str, str]
    columns: list[str]
    rows: list[list[str | None]]

    def __str__(self) -> str:
        return "-".join([self.slug, str(self.number)])


def cases() -> Iterator[Case]:
    for path in sorted(EXPECTED.glob("*.json")):
        for number, case in enumerate(json.loads(path.read_text(encoding="utf-8"))["cases"], start=1):
            # A fixture adds invented records, which the served graph does not have.
            if "fixture" not in case:
                slug = path.stem.partition("-")[2]
                bindings = case.get("bindings", {})
                yield Case(slug, number, case["parameters"], bindings, case["columns"], case["rows"])


CASES = list(cases())
FIRST = {case.slug: case for case in reversed(CASES)}


def full(text: str | None) -> str | None:
    """Write out a prefix of ours."""
    prefix, colon, name = (text or "").partition(":")
    return PREFIXES[prefix] + name if colon and prefix in PREFIXES else text


def cell(value: Mapping[str, str] | None) -> str | None:
    """Return the IRI of an entity, or a literal as it is written."""
    return None if value is None else value.get("id", value.get("value"))


@pytest.fixture(scope="module")
def shipped() -> tuple[Question, ...]:
    """The questions that we ship."""
    return questions.load(assets.directory("data") / "questions")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_answer_is_complete_and_in_order(client: TestClient, case: Case) -> None:
    """Each case gives exactly its rows, as IRIs and as the literals are written, in their order."""
    response = client.get(f"/questions/{case.slug}.json", params=dict(case.parameters))

    body = response.json()
    assert response.headers["content-type"] == "application/json"
    assert {name: cell(value) for name, value in body["parameters"].items()} == {
        name: full(value) for name, value in case.bindings.items()
    }
    assert [column["name"] for column in body["columns"]] == case.columns
    assert [[cell(row.get(name)) for name in case.columns] for row in body["rows"]] == [
        [full(value) for value in row] for row in case.rows
    ]
    assert body["count"] == len(case.rows)


@pytest.mark.parametrize("slug", FIRST)
def test_the_csv_has_the_same_rows(client: TestClient, slug: str) -> None:
    """The CSV of a question has the rows of its JSON: names, and IRIs beside them."""
    case = FIRST[slug]
    response = client.get(f"/questions/{slug}.csv", params=dict(case.parameters))

    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == f'inline; filename="{slug}.csv"'
    assert len(rows) == len(case.rows)
    for row, expected in zip(rows, case.rows, strict=True):
        for name, value in zip(case.columns, expected, strict=True):
            written = row.get(f"{name}_iri") or row[name].removeprefix("'")
            assert written == (full(value) or "")
            assert bool(row[name]) == (value is not None)


@pytest.mark.parametrize("slug", FIRST)
def test_the_query_can_be_sent_to_the_endpoint(client: TestClient, slug: str) -> None:
    """The query of a question, with its values in it, gives the same rows at /sparql."""
    case = FIRST[slug]
    response = client.get(f"/questions/{slug}.rq", params=dict(case.parameters))

    found = client.post("/sparql", data={"query": response.text, "format": "json"}).json()
    assert response.headers["content-type"].startswith("application/sparql-query")
    assert [
        [row[name]["value"] if name in row else None for name in case.columns]
        for row in found["results"]["bindings"]
    ] == [[full(value) for value in row] for row in case.rows]


def test_the_list_names_all_questions(client: TestClient, shipped: tuple[Question, ...]) -> None:
    """The list has each question in words, with its parameters, and addresses that answer."""
    body = client.get("/questions").json()["questions"]

    assert [(entry["number"], entry["slug"]) for entry in body] == [
        (question.number, question.slug) for question in shipped
    ]
    assert len(body) == len(FIRST) == 24
    assert body[1]["question"] == (
        "Which actions do Silesia and Veneto share, from when to when, and who says so?"
    )
    assert body[1]["parameters"] == [
        {"name": "region", "type": "region", "default": "Silesia", "label": "Region"},
        {"name": "other", "type": "region", "default": "Veneto", "label": "Other region"},
    ]
    for address in body[1]["links"].values():
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_speaks_the_language(
    client: TestClient, read_page: Any, shipped: tuple[Question, ...], language: str
) -> None:
    """Page and JSON of the list are in the language of the reader."""
    by_header = read_page(client.get("/questions", headers={**BROWSER, "accept-language": language}))
    by_parameter = read_page(client.get("/questions", params={"lang": language}, headers=BROWSER))
    body = client.get("/questions", params={"lang": language}).json()["questions"]

    words = [question.worded({}, language) for question in shipped]
    assert by_header.language == by_parameter.language == language
    assert [entry["question"] for entry in body] == words
    assert all(text in by_parameter.texts["a"] for text in words)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", FIRST)
def test_every_page_of_a_question(
    client: TestClient, read_page: Any, shipped: tuple[Question, ...], slug: str, language: str
) -> None:
    """The page has the question in words, a field for each parameter, headings, and as many rows."""
    question = next(item for item in shipped if item.slug == slug)
    response = client.get(f"/questions/{slug}", params={"lang": language}, headers=BROWSER)

    page = read_page(response)
    assert page.language == language
    assert page.texts["title"].startswith(question.title[language])
    assert page.tags.count("input") == len(question.parameters) + bool(question.parameters)
    assert page.tags.count("tr") == len(FIRST[slug].rows) + bool(FIRST[slug].rows)
    headings = "".join(heading[language] for heading in question.columns.values())
    assert page.texts.get("th", "") == (headings if FIRST[slug].rows else "")
    assert set(LANGUAGES) <= {link.partition("lang=")[2][:2] for link in page.links}


def test_the_links_of_a_page_keep_the_values(client: TestClient, read_page: Any) -> None:
    """Downloads and other languages ask with the values that were typed."""
    page = read_page(
        client.get("/questions/shared-actions", params={"region": "Śląskie", "other": "IT"}, headers=BROWSER)
    )

    answers = {
        link: client.get(link).json()
        for link in page.links
        if link.startswith("/questions/shared-actions") and (".json" in link or "lang=pl" in link)
    }

    assert len(answers) == 2
    for answer in answers.values():
        assert answer["parameters"]["other"]["id"] == "http://data.europa.eu/nuts/code/IT"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/json"),
        ("application/json", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0.1, application/json", "application/json"),
        ("text/html;q=0.2, text/csv", "text/csv; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
    ],
)
def test_the_client_chooses_the_form(client: TestClient, accept: str, content_type: str) -> None:
    """Accept chooses between a page, JSON and CSV, by quality."""
    response = client.get("/questions/shared-actions", headers={"accept": accept})

    assert response.headers["content-type"] == content_type


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/questions/weather", 404, "There is no question 'weather'. The list of questions names them all."),
        (
            "/questions/shared-things",
            404,
            "There is no question 'shared-things'. Did you mean shared-actions?",
        ),
        ("/questions/weather.json", 404, "There is no question 'weather'."),
        ("/questions/shared-actions.pdf", 404, "There is no answer as .pdf."),
        ("/questions/shared-actions?format=pdf", 406, "There is no format 'pdf' here."),
        (
            "/questions/shared-actions?format=xml",
            406,
            "There is no answer as xml here. Ask for one of: json, csv.",
        ),
        (
            "/questions/shared-actions?colour=red",
            400,
            "The question 'shared-actions' has no parameter 'colour'.",
        ),
        (
            "/questions/shared-actions.rq?colour=red",
            400,
            "The question 'shared-actions' has no parameter 'colour'.",
        ),
        (
            "/questions/shared-actions.json?region=Limburg",
            400,
            "'Limburg' may mean Limburg (Belgium) (BE22) or",
        ),
        (
            "/questions/shared-actions.csv?region=Silesja",
            400,
            "No region is called 'Silesja'. Did you mean Silesia",
        ),
        (
            "/questions/running-in-month?month=2023-13",
            400,
            "'2023-13' is no value for month. Give a month such as",
        ),
        ("/questions/shared-actions?lang=de", 400, "'de' is no language of this service."),
    ],
)
def test_a_bad_question_is_refused(
    client: TestClient, read_problem: Any, path: str, status: int, detail: str
) -> None:
    """A question, parameter, value, form or language that is not there is named, with what there is."""
    assert read_problem(client.get(path), status)["detail"].startswith(detail)


def test_no_form_fits(client: TestClient, read_problem: Any) -> None:
    """A client that takes neither page nor JSON nor CSV is told so."""
    read_problem(client.get("/questions/shared-actions", headers={"accept": "image/png"}), 406)


@pytest.mark.parametrize("suffix", ["", ".json", ".csv", ".rq"])
def test_an_empty_field_takes_the_default(client: TestClient, suffix: str) -> None:
    """A form that is sent with an empty field is answered like the question itself."""
    path = f"/questions/shared-actions{suffix}"

    assert client.get(path, params={"region": "", "other": ""}).text == client.get(path).text


def test_a_mistake_in_a_form_is_a_page(client: TestClient, read_page: Any) -> None:
    """A browser gets the error as a page, with the value as text."""
    response = client.get("/questions/shared-actions", params={"region": HOSTILE}, headers=BROWSER)

    page = read_page(response)
    assert response.status_code == 400
    assert "<script>alert(1)</script>" in page.texts["p"]
    assert "{{7*7}}" in page.texts["p"]
