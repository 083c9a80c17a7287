"""Saved questions: what a header must have, what a value may be, and what an answer holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib.namespace import XSD
from rdflib.term import Literal, URIRef

from medkg import assets
from medkg.domain.errors import NotFound, ParameterError, SourceFileError
from medkg.domain.namespaces import NUTS
from medkg.services import questions
from medkg.services.names import Names
from medkg.services.questions import LANGUAGES, Question
from medkg.store.embedded import EmbeddedEngine

TEXTS = '{ en = "%(en)s", fr = "%(en)s (fr)", it = "%(en)s (it)", pl = "%(en)s (pl)" }'
HEADER: Mapping[str, str] = {
    "number": "number = 7",
    "title": f"title = {TEXTS % {'en': 'Echo'}}",
    "question": f"question = {TEXTS % {'en': 'What is {value}, and {value} again?'}}",
    "type": '[parameters.value]\ntype = "text"',
    "default": 'default = "nothing"',
    "label": f"label = {TEXTS % {'en': 'Value'}}",
    "columns": f"[columns]\nlength = {TEXTS % {'en': 'Length'}}",
}
QUERY = "SELECT ?value ?length WHERE {\n  BIND(STRLEN(STR(?value)) AS ?length)\n}\n"

HOSTILE = [
    '"',
    "'''",
    "\\",
    "}",
    "{value}",
    '" . ?s ?p ?o . "',
    '") } UNION { ?s ?p ?o BIND("x" AS ?length) } #',
    "<http://example.org/>",
    "?length",
    "$value",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "\u202egnol\u0301 \U0001f4a9",
    "x" * 500,
]


def write(folder: Path, name: str = "07-echo.rq", **changes: str) -> Path:
    """Write a question whose header differs in some parts ("" leaves a part out)."""
    header = "\n".join({**HEADER, **changes}.values())
    lines = [f"#+ {line}" for line in header.splitlines()]
    path = folder / name
    path.write_text("\n".join([*lines, QUERY]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shipped() -> tuple[Question, ...]:
    """The questions that we ship."""
    return questions.load(assets.directory("data") / "questions")


@pytest.fixture
def echo(tmp_path: Path) -> Question:
    """A question that answers with the length of the text it was given."""
    write(tmp_path)
    return questions.load(tmp_path)[0]


def test_a_header_is_read(echo: Question) -> None:
    """Number and texts come from the header, the slug from the name of the file, the query is the rest."""
    (value,) = echo.parameters

    assert (echo.number, echo.slug, echo.query) == (7, "echo", QUERY)
    assert (value.name, value.kind, value.default, value.label["fr"]) == (
        "value",
        "text",
        "nothing",
        "Value (fr)",
    )
    assert echo.title == {"en": "Echo", "fr": "Echo (fr)", "it": "Echo (it)", "pl": "Echo (pl)"}
    assert list(echo.columns) == ["length"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": ""}, "the header of the question lacks 'number'"),
        ({"title": ""}, "the header of the question lacks 'title'"),
        ({"question": ""}, "the header of the question lacks 'question'"),
        ({"columns": ""}, "the header of the question lacks 'columns'"),
        ({"default": ""}, "the header of the question lacks 'default'"),
        ({"label": ""}, "the header of the question lacks 'label'"),
        ({"title": 'title = { en = "Echo" }'}, "the header of the question lacks 'fr'"),
        ({"title": "title = Echo"}, "the header of the question is not TOML: "),
        ({"title": 'title = "Echo"'}, "the header of the question can't be used: "),
        (
            {"type": '[parameters.value]\ntype = "colour"'},
            "the header of the question can't be used: 'colour' is no type of a parameter",
        ),
    ],
)
def test_a_header_with_a_fault_is_named(tmp_path: Path, changes: dict[str, str], reason: str) -> None:
    """A header that lacks something, or that can't be read, is refused with the name of the file."""
    path = write(tmp_path, **changes)

    with pytest.raises(SourceFileError) as caught:
        questions.load(tmp_path)

    assert caught.value.path == path
    assert caught.value.reason.startswith(reason)


def test_questions_come_by_number(tmp_path: Path) -> None:
    """The order of the list is that of the numbers, not of the names."""
    write(tmp_path, "1-last.rq", number="number = 30")
    write(tmp_path, "2-first.rq", number="number = 4")

    assert [question.slug for question in questions.load(tmp_path)] == ["first", "last"]


@pytest.mark.parametrize("name", ["shared-actions", "2", "02-shared-actions"])
def test_a_question_is_found_by_slug_or_number(shipped: tuple[Question, ...], name: str) -> None:
    """The slug, the number, or the name of the file without its suffix finds a question."""
    assert questions.find(shipped, name).slug == "shared-actions"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("shared-action", "Did you mean shared-actions"),
        ("cluster-managers", "cluster-management"),
        ("weather", "The list of questions names them all."),
        ("", "The list of questions names them all."),
    ],
)
def test_an_unknown_question_gets_near_ones(shipped: tuple[Question, ...], name: str, remedy: str) -> None:
    """A name that no question has is refused with the slugs that share a word with it."""
    with pytest.raises(NotFound) as caught:
        questions.find(shipped, name)

    assert caught.value.message == f"There is no question {name!r}."
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("kind", "text", "remedy"),
    [
        ("month", "2023-13", "Give a month such as 2023-03."),
        ("month", "2023", "Give a month such as 2023-03."),
        ("month", "2023-03-01", "Give a month such as 2023-03."),
        ("month", "\u0662\u0660\u0662\u0663-03", "Give a month such as 2023-03."),
        ("date", "2023-02", "Give a date such as 2023-03-31."),
        ("date", "2023-02-32", "Give a date such as 2023-03-31."),
        ("integer", "1.5", "Give a whole number."),
        ("integer", "9999999999", "Give a whole number."),
        ("integer", "²", "Give a whole number."),
        ("language", "english", "Give a language code such as en."),
        ("language", "EN", "Give a language code such as en."),
        ("text", "x" * 501, "Give a text of 1 to 500 characters."),
        ("text", "a\x00b", "Give a text of 1 to 500 characters."),
        ("text", "a\nb", "Give a text of 1 to 500 characters."),
        ("text", "   ", "Give a text of 1 to 500 characters."),
        ("region", "Atlantis", "Did you mean"),
        ("region", "Limburg", "Give the code or the identifier instead."),
    ],
)
def test_a_bad_value_is_refused(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    tmp_path: Path, engine: EmbeddedEngine, names: Names, kind: str, text: str, remedy: str
) -> None:
    """A value that is not of its type names the parameter, the value, and what would do."""
    write(tmp_path, type=f'[parameters.value]\ntype = "{kind}"')
    (question,) = questions.load(tmp_path)

    with pytest.raises(ParameterError) as caught:
        questions.ask(engine, names, question, {"value": text})

    assert caught.value.name == "value"
    assert repr(text[:100]) in caught.value.message
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("kind", "text", "term"),
    [
        ("month", " 2023-03 ", Literal("2023-03", datatype=XSD.gYearMonth, normalize=False)),
        ("date", "2023-03-31", Literal("2023-03-31", datatype=XSD.date)),
        ("integer", "-7", Literal("-7", datatype=XSD.integer)),
        ("language", "fr", Literal("fr")),
        ("text", "a text", Literal("a text")),
        ("region", "Śląskie", NUTS.PL22),
    ],
)
def test_a_good_value_is_bound_as_a_term(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    tmp_path: Path, engine: EmbeddedEngine, names: Names, kind: str, text: str, term: Literal | URIRef
) -> None:
    """A value becomes a term of its type, which the query sees under the name of the parameter."""
    write(tmp_path, type=f'[parameters.value]\ntype = "{kind}"')
    (question,) = questions.load(tmp_path)

    sheet = questions.ask(engine, names, question, {"value": text})

    assert sheet.bindings == {"value": term}
    (row,) = sheet.rows
    assert row[0] is not None
    assert row[0].term == Literal(len(term), datatype=XSD.integer)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_stays_a_value(
    engine: EmbeddedEngine, names: Names, echo: Question, text: str
) -> None:
    """Quotes, braces and SPARQL in a value are characters of that value: the answer is its length."""
    sheet = questions.ask(engine, names, echo, {"value": text})

    ((length,),) = sheet.rows
    assert length is not None
    assert length.label == str(len(text.strip()))
    assert sheet.values == {"value": text.strip()}


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=500))
def test_any_text_can_be_asked_and_pasted(
    engine: EmbeddedEngine, names: Names, echo: Question, text: str
) -> None:
    """Any text is bound as it is; the query to take away holds it too, and gives the same answer."""
    wanted = text.strip() or "nothing"
    bindings = questions.bind(names, echo, {"value": text} if text.strip() else {})

    pasted = engine.select(questions.standalone(echo, bindings)).rows

    assert bindings == {"value": Literal(wanted)}
    assert [(row["value"], str(row["length"])) for row in pasted] == [(Literal(wanted), str(len(wanted)))]


def test_an_unknown_parameter_is_refused(
    engine: EmbeddedEngine, names: Names, echo: Question, shipped: tuple[Question, ...]
) -> None:
    """A name that the question has no parameter for is refused, with those it has."""
    bare = next(question for question in shipped if not question.parameters)

    with pytest.raises(ParameterError) as caught:
        questions.ask(engine, names, echo, {"valeu": "x"})
    with pytest.raises(ParameterError) as none:
        questions.ask(engine, names, bare, {"region": "x"})

    assert str(caught.value) == "The question 'echo' has no parameter 'valeu'. It takes: value."
    assert caught.value.name == "valeu"
    assert none.value.remedy == "It takes: none."


@pytest.mark.parametrize("given", [{}, {"value": ""}])
def test_missing_and_empty_values_take_the_default(
    engine: EmbeddedEngine, names: Names, echo: Question, given: dict[str, str]
) -> None:
    """A form that is sent with an empty field asks with the default."""
    assert questions.ask(engine, names, echo, given).values == {"value": "nothing"}


def test_a_question_is_worded_with_its_values(echo: Question) -> None:
    """Values stand wherever the text names the parameter; a brace in a value is not a place."""
    assert echo.worded({}, "en") == "What is nothing, and nothing again?"
    assert echo.worded({"value": "{value}"}, "fr") == "What is {value}, and {value} again? (fr)"
    assert echo.worded({"value": "x"}, "de") == "What is x, and x again?"


@pytest.mark.parametrize(
    ("language", "worded", "heading", "region"),
    [
        ("en", "Which actions do Silesia and Veneto share", "Source", "Silesia"),
        ("fr", "Silésie et Vénétie", "Source", "Silésie"),
        ("it", "Quali azioni hanno in comune Slesia e Veneto", "Fonte", "Slesia"),
        ("pl", "Śląskie i Wenecja Euganejska", "Źródło", "Śląskie"),
    ],
)
def test_an_answer_speaks_the_language_asked_for(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    engine: EmbeddedEngine,
    names: Names,
    shipped: tuple[Question, ...],
    language: str,
    worded: str,
    heading: str,
    region: str,
) -> None:
    """Question, headings and labels are in the language; rows are the same in each."""
    question = questions.find(shipped, "shared-actions")

    sheet = questions.ask(engine, names, question, {}, language)

    assert worded in question.worded(sheet.values, language)
    assert sheet.heading("source") == heading
    assert sheet.values["region"] == region
    terms = [[cell and cell.term for cell in row] for row in sheet.rows]
    english = questions.ask(engine, names, question, {}).rows
    assert terms == [[cell and cell.term for cell in row] for row in english]


def test_entities_are_shown_by_name(
    engine: EmbeddedEngine, names: Names, shipped: tuple[Question, ...]
) -> None:
    """A cell of an entity has its label and its IRI; a literal has no IRI."""
    sheet = questions.ask(engine, names, questions.find(shipped, "shared-actions"), {})
    action, since, *_ = sheet.rows[0]

    assert action is not None
    assert action.iri == "https://w3id.org/medkg/id/action/medsilesia-competence-centre"
    assert action.label == "Preparing for MedSilesia competence center set-up"
    assert since is not None
    assert (since.iri, since.label) == (None, "2021-10")


def test_every_question_can_be_taken_away(
    engine: EmbeddedEngine, names: Names, shipped: tuple[Question, ...]
) -> None:
    """With its values written into it, each query we ship gives the same rows here."""
    for question in shipped:
        sheet = questions.ask(engine, names, question, {})
        text = questions.standalone(question, sheet.bindings)

        rows = engine.select(text).rows

        assert [[row.get(name) for name in sheet.columns] for row in rows] == [
            [cell and cell.term for cell in row] for row in sheet.rows
        ], question.slug


def test_every_question_has_the_four_languages(shipped: tuple[Question, ...]) -> None:
    """All texts of all questions are there in English, French, Italian and Polish."""
    for question in shipped:
        texts: list[Any] = [question.title, question.text, *question.columns.values()]
        texts += [item.label for item in question.parameters]
        assert all(set(text) == set(LANGUAGES) for text in texts), question.slug
