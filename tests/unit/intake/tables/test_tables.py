"""Tables as a whole: the same actions in any layout state the same, and nothing breaks the reader."""

import csv
import io
import random
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final
from typing import Literal as Literal_

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib.term import Literal, URIRef
from tests.hostile.tables.files import (
    ACTION,
    HEADINGS,
    NAMESPACE,
    NUTS,
    as_csv,
    as_xlsx,
    csv_bytes,
    dice,
    xlsx_bytes,
)

from medkg.domain.namespaces import MEDKG, RDF, SKOS
from medkg.domain.submission import Submission
from medkg.intake.tables import CSV, XLSX, Code
from medkg.intake.tables.columns import ColumnMap

COLUMNS: Final = {column.key: column for column in ColumnMap.load().columns}
KEYS: Final = ("id", "title", "description", "region", "from", "to", "ket", "start_trl", "organisation")
PROPERTY = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(alphabet="abcdefgh ąęłśéèàò,;'\"|", min_size=1, max_size=30)
ACTIONS = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.builds("Lab {}".format, TEXT),
            "description": TEXT,
            "region": st.sampled_from(["PL22", "Śląskie / Veneto", "Lombardia, Veneto", "pl22;ITC4", ""]),
            "from": st.sampled_from(["2021-10", "10/2021", "październik 2021", "Oct-21", "2021", ""]),
            "to": st.sampled_from(["2025-12", "12.2025", "grudzień 2025", "dicembre 2025", ""]),
            "ket": st.sampled_from(["AI", "Photonics", ""]),
            "start_trl": st.sampled_from(["6", "TRL 6", "6,0", ""]),
            "organisation": st.sampled_from(["MedSilesia", ""]),
        }
    ),
    min_size=1,
    max_size=5,
)


def stored() -> bytes:
    """Return a good workbook whose parts stand in the file as they are."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_bytes(HEADINGS, ACTION, ACTION))) as old,
        zipfile.ZipFile(stream, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return stream.getvalue()


STORED: Final = stored()


def mutated(chance: random.Random) -> bytes:
    """Return the workbook with some characters of its parts changed, and everything else sound."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(STORED)) as old, zipfile.ZipFile(stream, "w") as new:
        unlucky = chance.sample(old.namelist(), 2)
        for name in old.namelist():
            content = bytearray(old.read(name))
            for _ in range(chance.randint(1, 3) if name in unlucky else 0):
                content[chance.randrange(len(content))] = chance.choice(b'<>"/0123456789rcvtsn=:')
            new.writestr(name, bytes(content))
    return stream.getvalue()


def triples(found: Submission) -> set[tuple[str, str, str]]:
    """Return what a submission states."""
    return {(str(one.subject), str(one.predicate), one.object.n3()) for one in found.statements}


def laid_out(actions: Sequence[Mapping[str, str]], chance: random.Random) -> list[list[str]]:
    """Return actions as a table, with the columns in any order and headings in any language."""
    keys = chance.sample(KEYS, len(KEYS))
    language = chance.choice(["en", "fr", "it", "pl"])
    head = [chance.choice(COLUMNS[key].headings[language]) for key in keys]
    rows = [{"id": f"a-{number}", **action} for number, action in enumerate(actions)]
    return [head, *([row[key] for key in keys] for row in rows)]


@PROPERTY
@given(actions=ACTIONS, seed=st.integers())
def test_the_layout_of_a_csv_file_makes_no_difference(actions: list[dict[str, str]], seed: int) -> None:
    """Order of columns, language of headings, separator and encoding change nothing of what is stated."""
    chance = dice(seed)
    plain = as_csv(csv_bytes(*laid_out(actions, dice(1))))
    stream = io.StringIO()
    quoting: Literal_[0, 1] = chance.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
    separator = chance.choice(",;\t|")
    csv.writer(
        stream, delimiter=separator, quoting=quoting, lineterminator=chance.choice(["\n", "\r\n"])
    ).writerows(laid_out(actions, chance))
    encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16"])

    found = as_csv(stream.getvalue().encode(encoding))

    assert triples(found) == triples(plain)
    assert len(found.records) == len(actions)
    assert found.media_type == CSV


@PROPERTY
@given(actions=ACTIONS, seed=st.integers())
def test_a_workbook_says_what_the_same_csv_file_says(actions: list[dict[str, str]], seed: int) -> None:
    """The same cells give the same statements in the same cells, whatever the file."""
    rows = laid_out(actions, dice(seed))

    book, file = as_xlsx(xlsx_bytes(*rows)), as_csv(csv_bytes(*rows))

    assert triples(book) == triples(file)
    assert [one.place.cell for one in book.statements] == [one.place.cell for one in file.statements]
    assert book.media_type == XLSX


@settings(deadline=None, max_examples=150)
@given(data=st.binary(max_size=2000))
def test_any_bytes_give_a_submission(data: bytes) -> None:
    """Whatever is sent: no error, and a file without statements says why."""
    for found in (as_csv(data), as_xlsx(data), as_xlsx(b"PK\x03\x04" + data)):
        assert found.statements or found.flaws


@PROPERTY
@given(seed=st.integers(), kind=st.sampled_from(["csv", "xlsx"]))
def test_a_mutated_file_gives_a_submission(seed: int, kind: str) -> None:
    """A file with some bytes changed, lost or doubled is read or refused, and never an error."""
    chance = dice(seed)
    good = csv_bytes(HEADINGS, ACTION, ACTION) if kind == "csv" else xlsx_bytes(HEADINGS, ACTION, ACTION)
    data = bytearray(good)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(1, 20)]
            case _:
                data[at:at] = data[at : at + chance.randrange(1, 20)]

    found = as_csv(bytes(data)) if kind == "csv" else as_xlsx(bytes(data))

    assert found.statements or found.flaws


@PROPERTY
@given(seed=st.integers())
def test_a_workbook_with_mutated_parts_gives_a_submission(seed: int) -> None:
    """The same where the archive is sound and the XML in it is not."""
    found = as_xlsx(mutated(dice(seed)))

    assert found.statements or found.flaws


def test_records_and_statements_have_their_cells() -> None:
    """Each statement points to the cell of its object, each record to the first cell of its row."""
    found = as_csv(
        csv_bytes(("Region", "Title", "ID"), ("PL22", "A shared\nlaboratory", "1"), ("", "Another", "2"))
    )
    first, second = URIRef(f"{NAMESPACE}1"), URIRef(f"{NAMESPACE}2")

    stated = [
        (one.subject, one.predicate, one.object, one.place.cell, one.place.line) for one in found.statements
    ]
    assert stated == [
        (first, RDF.type, MEDKG.InnovationAction, "A2", 2),
        (first, MEDKG.region, URIRef(f"{NUTS}PL22"), "A2", 2),
        (first, SKOS.prefLabel, Literal("A shared laboratory", lang="en"), "B2", 2),
        (second, RDF.type, MEDKG.InnovationAction, "A3", 4),
        (second, SKOS.prefLabel, Literal("Another", lang="en"), "B3", 4),
    ]
    assert {subject: place.cell for subject, place in found.records.items()} == {first: "A2", second: "A3"}


def test_texts_have_the_language_that_the_table_says() -> None:
    """Behind the heading, else in a column of its own, else English, which is told."""
    rows = ("ID", "Title (pl)", "Title", "Language"), ("1", "Laboratorium", "Le laboratoire", "français")

    found = as_csv(csv_bytes(*rows))

    labels = {one.object for one in found.statements if one.predicate == SKOS.prefLabel}
    assert labels == {Literal("Laboratorium", lang="pl"), Literal("Le laboratoire", lang="fr")}
    assert Code.LANGUAGE not in {flaw.code for flaw in found.flaws}


def test_a_text_goes_on_in_the_rows_below() -> None:
    """In rows without a name a text goes on and lists have more values; the next name begins a record."""
    found = as_xlsx(
        xlsx_bytes(
            ("Title", "Description", "Region"),
            ("A shared laboratory", "It is", "PL22"),
            (None, "shared.", "Veneto"),
            ("Another one", "It is not.", None),
        )
    )

    stated = [(str(one.object), one.place.cell) for one in found.statements if one.predicate != RDF.type]
    assert stated == [
        ("A shared laboratory", "A2"),
        ("It is\nshared.", "B2"),
        (f"{NUTS}PL22", "C2"),
        (f"{NUTS}ITH3", "C3"),
        ("Another one", "A4"),
        ("It is not.", "B4"),
    ]


def test_a_title_may_go_on_too() -> None:
    """A title that begins small goes on where the row has neither place nor time; else it is a new one."""
    head = ("Title", "Description", "Region", "From")
    first = ("Preparing for the", "In several", "PL22", "2021")

    joined = as_csv(csv_bytes(head, first, ("competence centre", "steps.", "", "")))
    apart = as_csv(csv_bytes(head, first, ("competence centre", "steps.", "ITH3", "")))
    plain = as_csv(csv_bytes(head[:2], ("one lab", "It is."), ("two labs", "They are.")))

    labels = [str(one.object) for one in joined.statements if one.predicate == SKOS.prefLabel]
    assert labels == ["Preparing for the competence centre"]
    assert [len(found.records) for found in (joined, apart, plain)] == [1, 2, 2]


def test_a_repeated_identifier_changes_nothing_of_the_first() -> None:
    """The second row of an identifier, and what goes on below it, states nothing."""
    head = ("ID", "Title", "Description")
    once = as_csv(csv_bytes(head, ("1", "First", "It is.")))
    twice = as_csv(
        csv_bytes(head, ("1", "First", "It is."), ("1", "Second", "It is not."), ("", "", "And on."))
    )

    assert triples(twice) == triples(once)


def test_an_identifier_may_be_the_whole_iri() -> None:
    """An IRI in the namespace is its own identifier; of another one the last part is taken, and told."""
    found = as_csv(
        csv_bytes(("ID", "Title"), (f"{NAMESPACE}one", "First"), ("https://example.org/two", "Second"))
    )

    assert [str(subject) for subject in found.records] == [f"{NAMESPACE}one", f"{NAMESPACE}two"]


def test_the_language_of_names_and_their_web_addresses_make_no_difference() -> None:
    """A thing may be given by its address, also one that no name is known of."""
    address = "https://w3id.org/medkg/id/roadmap/another"
    found = as_csv(
        csv_bytes(("Title", "Roadmap"), ("First", f"{address} ; {address}-2"), ("Second", "health"))
    )

    given = [str(one.object) for one in found.statements if one.predicate == MEDKG.inRoadmap]
    assert given == [address, f"{address}-2", "https://w3id.org/medkg/id/roadmap/health"]


@pytest.mark.parametrize("headings", [("Timeframe",), ("Ramy czasowe",)])
def test_both_dates_may_stand_in_one_cell(headings: tuple[str, ...]) -> None:
    """A column for the whole period gives the start and the end."""
    found = as_csv(csv_bytes(("Title", *headings), ("A shared laboratory", "10/2021 - 12/2025")))

    dates = {one.predicate: str(one.object) for one in found.statements if one.place.cell == "B2"}
    assert dates == {MEDKG.plannedFrom: "2021-10", MEDKG.plannedTo: "2025-12"}
