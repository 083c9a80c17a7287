"""The column map: headings in four languages, misspelt ones corrected, each heading one column's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.namespace import DCTERMS, FOAF, OWL, RDF, RDFS, SKOS
from tests.hostile.tables.files import dice

from medkg import assets
from medkg.domain.namespaces import MEDKG
from medkg.domain.naming import fold
from medkg.intake.tables.columns import Column, ColumnMap

COLUMNS = ColumnMap.load()
HEADINGS = [
    (column, language, heading)
    for column in COLUMNS.columns
    for language, headings in column.headings.items()
    for heading in headings
]


def read(text: str) -> tuple[str, str, str]:
    """Return key, language and correction of a heading; "" for each when it is none."""
    found = COLUMNS.read(text)
    return (found.column.key, found.language, found.corrected) if found else ("", "", "")


def test_every_column_has_headings_in_four_languages() -> None:
    """A column can be called something in English, French, Italian and Polish."""
    assert [
        column.key for column in COLUMNS.columns if set(column.headings) != {"en", "fr", "it", "pl"}
    ] == []


def test_a_heading_belongs_to_one_column() -> None:
    """No heading, loosely spelt, means two columns."""
    owners: dict[str, set[str]] = {}
    for column, _, heading in HEADINGS:
        owners.setdefault(fold(heading), set()).add(column.key)

    assert {heading: keys for heading, keys in owners.items() if len(keys) > 1 or not heading} == {}


@pytest.mark.parametrize("column", COLUMNS.columns, ids=lambda column: column.key)
def test_a_column_states_something_or_says_how_to_read(column: Column) -> None:
    """Each column has a property, but for those that name the record, its language or both dates at once."""
    assert (column.predicate is None) == (column.kind in {"id", "language", "period"})
    assert bool(column.class_) == (column.kind in {"name", "level"})


@pytest.mark.parametrize(
    ("text", "key", "language"),
    [
        ("TITLE", "title", ""),
        (" Titre : ", "title", ""),
        ("Titolo*", "title", ""),
        ("tytul", "title", ""),
        ("Suggested innovation action", "title", ""),
        ("Title (pl)", "title", "pl"),
        ("title_fr", "title", "fr"),
        ("Title@it", "title", "it"),
        ("Description [English]", "description", "en"),
        ("From (MM/YYYY)", "from", ""),
        ("À", "to", ""),
        ("Region(s)", "region", ""),
        ("Kod NUTS", "region_code", ""),
        ("Code", "id", ""),
        ("Key enabling technologies", "ket", ""),
    ],
)
def test_a_heading_is_found_however_it_is_written(text: str, key: str, language: str) -> None:
    """Case, accents, punctuation and notes make no difference; a language behind the heading is kept."""
    assert read(text) == (key, language, "")


@pytest.mark.parametrize(
    ("text", "key", "corrected"),
    [
        ("Descriptoin", "description", "Description"),
        ("Titel", "title", "Title"),
        ("Regoin", "region", "Region"),
        ("Feuile de rout", "roadmap", "Feuille de route"),
        ("Form", "", ""),
        ("Zyx", "", ""),
        ("x" * 500, "", ""),
        ("", "", ""),
    ],
)
def test_a_misspelt_heading_is_corrected_where_that_is_safe(text: str, key: str, corrected: str) -> None:
    """One slip in a word, two in a long one; a short word is not guessed at."""
    assert read(text) == (key, "", corrected)


def test_an_unknown_heading_gets_a_proposal() -> None:
    """What is no heading may look like one."""
    assert COLUMNS.near("Responsable organization") == "Responsible organisation"
    assert COLUMNS.near("qqqqqqqq") == ""


def test_properties_and_classes_are_terms_of_the_ontology() -> None:
    """What a column states, and what its values are, is declared in the ontology or is a term of others."""
    ontology = Graph().parse(assets.directory("ontology") / "medkg.ttl")
    used = {column.predicate for column in COLUMNS.columns if column.predicate}
    classes = {MEDKG[column.class_] for column in COLUMNS.columns if column.class_}

    assert used - set(ontology.subjects(RDFS.isDefinedBy)) == {SKOS.prefLabel, DCTERMS.description, FOAF.page}
    assert classes <= set(ontology.subjects(RDF.type, OWL.Class))


@given(number=st.integers(0, len(HEADINGS) - 1), seed=st.integers())
def test_every_heading_means_its_column_in_any_case(number: int, seed: int) -> None:
    """Each heading that the map has is found, in capitals or not."""
    column, _, heading = HEADINGS[number]
    flip = dice(seed)
    text = "".join(
        char.upper() if flip.random() < 0.5 and len(char.upper()) == 1 else char for char in heading
    )

    assert read(text)[0] == column.key
