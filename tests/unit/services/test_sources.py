"""The files of a build: each fault is found before anything is loaded, with file, line, reason and remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medkg.domain.errors import SourceFileError
from medkg.domain.model import Finding, Place, Severity
from medkg.domain.namespaces import GRAPH, GRAPH_CATALOG, GRAPH_NUTS, GRAPH_ONTOLOGY, GRAPH_SHAPES
from medkg.services import sources
from medkg.services.sources import Folders, Source

ACTION = "https://w3id.org/medkg/id/action/imaging-lab"
CATALOG = "catalog.ttl"
ROADMAP = "source/roadmap.ttl"


def silent(done: int, total: int) -> None:
    """Listen to the reading without a word."""


def read_and_check(folders: Folders) -> tuple[Source, ...]:
    found = sources.read(folders, silent)
    sources.check(found)
    return found


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


# What a test calls `world` is the World of conftest.py, which no test module can import.
Fault = Callable[[Any], object]


def replace(file: str, old: str, new: str) -> Fault:
    return lambda world: world.edit(file, old, new)


def add(file: str, text: str) -> Fault:
    return lambda world: append(world.folders.data / file, text)


# Fault, file, a text on the line that is to be named ("" for none), the reason, the remedy.
FAULTS = {
    "broken Turtle": (
        replace(ROADMAP, "medkg:region nuts:PL22 ;", "medkg:region nuts:PL22"),
        ROADMAP,
        "medkg:plannedFrom",
        "the file is not valid Turtle: ",
        "Mend the file and build again.",
    ),
    "unknown prefix": (
        replace(ROADMAP, "medkg:region nuts:PL22", "medkg:region nutz:PL22"),
        ROADMAP,
        "nutz:PL22",
        "the file is not valid Turtle: ",
        "Mend the file and build again.",
    ),
    "broken catalogue": (
        add(CATALOG, "\nfoo:bar a foo:Bar .\n"),
        CATALOG,
        "foo:bar",
        "the file is not valid Turtle: ",
        "Mend the file and build again.",
    ),
    "unknown region": (
        replace(ROADMAP, "nuts:PL22", "nuts:PL99"),
        ROADMAP,
        "nuts:PL99",
        "nuts:PL99 is not in NUTS 2024, nor a retired code of 2021.",
        "Look the code up in data/nuts.ttl.",
    ),
    "unknown region described": (
        add(ROADMAP, '\nnuts:XX1\n    skos:altLabel "Nowhere"@en .\n'),
        ROADMAP,
        "Nowhere",
        "nuts:XX1 is not in NUTS 2024, nor a retired code of 2021.",
        "Look the code up in data/nuts.ttl.",
    ),
    "file without record": (
        lambda world: world.write("source/secret.ttl", ""),
        "source/secret.ttl",
        "",
        "the file has no record in catalog.ttl, so its source is unknown.",
        "Add a dcat:Dataset with dct:title, dct:source, dct:license, dct:modified and medkg:file.",
    ),
    "record without file": (
        lambda world: (world.folders.data / ROADMAP).unlink(),
        CATALOG,
        'medkg:file "source/roadmap.ttl"',
        "the record names the file source/roadmap.ttl, which is not there.",
        "Add the file or remove the record.",
    ),
    "record without title": (
        replace(CATALOG, 'dct:title "The source source/roadmap"@en ;', ""),
        CATALOG,
        "<https://w3id.org/medkg/graph/source/roadmap> a",
        "the record of https://w3id.org/medkg/graph/source/roadmap lacks a title (dct:title).",
        "Say where the facts come from; what has no source stays out of the graph.",
    ),
    "record without source": (
        replace(CATALOG, "dct:source <https://example.org/source/roadmap> ;", ""),
        CATALOG,
        "<https://w3id.org/medkg/graph/source/roadmap> a",
        "the record of https://w3id.org/medkg/graph/source/roadmap lacks a source (dct:source, or ",
        "Say where the facts come from; what has no source stays out of the graph.",
    ),
    "record without licence": (
        replace(
            CATALOG,
            "source/roadmap> ;\n    dct:license <https://creativecommons.org/licenses/by/4.0/> ;",
            "source/roadmap> ;",
        ),
        CATALOG,
        "<https://w3id.org/medkg/graph/source/roadmap> a",
        "the record of https://w3id.org/medkg/graph/source/roadmap lacks a licence (dct:license).",
        "Say where the facts come from; what has no source stays out of the graph.",
    ),
    "record without date": (
        replace(CATALOG, 'dct:modified "2026-02-01"^^xsd:date ;', ""),
        CATALOG,
        "<https://w3id.org/medkg/graph/source/roadmap> a",
        "the record of https://w3id.org/medkg/graph/source/roadmap lacks a date (dct:modified).",
        "Say where the facts come from; what has no source stays out of the graph.",
    ),
    "split description": (
        add(
            ROADMAP,
            '\naction:other a medkg:InnovationAction .\naction:imaging-lab skos:altLabel "Lab"@en .\n',
        ),
        ROADMAP,
        "action:imaging-lab skos:altLabel",
        f"{ACTION} is described twice in this file: the IRI is a duplicate.",
        "Merge the two descriptions, or give the second one an IRI of its own.",
    ),
    "duplicate IRI": (
        add(ROADMAP, "\n# The same again.\naction:imaging-lab a medkg:InnovationAction .\n"),
        ROADMAP,
        "action:imaging-lab a medkg:InnovationAction .",
        f"{ACTION} is described twice in this file: the IRI is a duplicate.",
        "Merge the two descriptions, or give the second one an IRI of its own.",
    ),
    "blank node as subject": (
        add(ROADMAP, "\n[] a medkg:InnovationAction .\n"),
        ROADMAP,
        "[] a",
        "data files hold no blank nodes.",
        "Give the node an IRI.",
    ),
    "blank node as object": (
        replace(ROADMAP, "medkg:region nuts:PL22 ;", "medkg:region nuts:PL22 ; medkg:hasPhase _:first ;"),
        ROADMAP,
        "_:first",
        "data files hold no blank nodes.",
        "Give the node an IRI.",
    ),
    "literal that the store changes": (
        replace(ROADMAP, "medkg:region nuts:PL22 ;", "medkg:region nuts:PL22 ;\n    medkg:totalCost 1.10 ;"),
        ROADMAP,
        "1.10",
        'the store would change "1.10"^^<http://www.w3.org/2001/XMLSchema#decimal> into "1.1"^^',
        "Write the second form.",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(world: Any, name: str) -> None:
    """A fault in a file is reported with file, line, reason and what to do, before anything is loaded."""
    break_, file, on_line, reason, remedy = FAULTS[name]
    break_(world)

    with pytest.raises(SourceFileError) as caught:
        read_and_check(world.folders)

    error = caught.value
    assert error.path == world.folders.data / file
    assert error.line == (world.line_of(file, on_line) if on_line else None)
    assert error.reason.startswith(reason)
    assert error.remedy == remedy
    assert str(error).startswith(f"{error.path}:{error.line}: " if on_line else f"{error.path}: ")


def test_each_file_has_its_graph(world: Any) -> None:
    """The catalogue comes first; each other file is read once, into the graph of its folder or record."""
    found = sources.read(world.folders, silent)

    data, ontology = world.folders.data, world.folders.ontology
    assert found[0].path == data / CATALOG
    assert {source.path: source.graph for source in found} == {
        data / CATALOG: GRAPH_CATALOG,
        data / "nuts.ttl": GRAPH_NUTS,
        data / ROADMAP: GRAPH["source/roadmap"],
        ontology / "medkg.ttl": GRAPH_ONTOLOGY,
        ontology / "vocab" / "theme.ttl": GRAPH["vocab/theme"],
        **dict.fromkeys(world.folders.shapes.glob("*.ttl"), GRAPH_SHAPES),
    }
    assert {source.path for source in found if source.is_data} == {
        data / name for name in (CATALOG, "nuts.ttl", ROADMAP)
    }


def test_rules_for_a_submitted_graph_are_a_graph_of_their_own(world: Any) -> None:
    """What stands in shapes/submission/ is not among the shapes that a build applies to the merge."""
    path = world.folders.shapes / "submission" / "closed.ttl"
    path.parent.mkdir()
    path.write_text(
        "<https://example.org/a> <https://example.org/b> <https://example.org/c> .", encoding="utf-8"
    )

    found = {source.path: source for source in sources.read(world.folders, silent)}

    assert found[path].graph == GRAPH["shapes/submission"]
    assert not found[path].is_data


def test_the_installed_files_pass_every_check() -> None:
    """What we ship has no fault."""
    assert len(read_and_check(Folders.installed())) > 100


def test_progress_counts_the_files(world: Any) -> None:
    """Reading says how many files of how many it has read, in steps of one."""
    told: list[tuple[int, int]] = []

    found = sources.read(world.folders, lambda done, total: told.append((done, total)))

    assert told == [(done, len(found) - 1) for done in range(1, len(found))]


def test_the_model_may_hold_what_data_may_not(world: Any) -> None:
    """Blank nodes and codes that NUTS does not know are allowed in the ontology; OWL needs the first."""
    path = world.folders.ontology / "medkg.ttl"
    append(
        path, "medkg:region rdfs:range [ owl:oneOf () ] ; rdfs:seeAlso <http://data.europa.eu/nuts/code/XX> ."
    )

    read_and_check(world.folders)


def test_a_citation_stands_for_an_address(world: Any) -> None:
    """A source that is not on the web is named by its citation."""
    world.edit(
        CATALOG, "dct:source <https://example.org/source/roadmap>", 'dct:bibliographicCitation "A book."'
    )

    read_and_check(world.folders)


def test_a_missing_catalogue_is_named(world: Any) -> None:
    """Without a catalogue there is no source for anything."""
    (world.folders.data / CATALOG).unlink()

    with pytest.raises(SourceFileError, match=r"catalog\.ttl: the file can't be read \(No such file"):
        sources.read(world.folders, silent)


def test_findings_are_located(world: Any) -> None:
    """A finding is at the statement it is about, else where its entity is first described, else nowhere."""
    world.add_source("second", f'<{ACTION}> skos:altLabel "Lab"@en .')
    found = sources.read(world.folders, silent)

    def finding(focus: str, path: str = "", value: str = "") -> Finding:
        return Finding("A-01", Severity.VIOLATION, "Something is wrong.", focus, path, value)

    about = {
        finding(ACTION, "medkg:plannedTo", "2025-12"): (ROADMAP, '"2025-12"'),
        finding(ACTION, "medkg:region"): (ROADMAP, "nuts:PL22"),
        finding(ACTION, "skos:altLabel", "Lab"): ("source/second.ttl", "Lab"),
        finding(ACTION, "medkg:usesKET"): (ROADMAP, "action:imaging-lab a"),
        finding(ACTION): (ROADMAP, "action:imaging-lab a"),
        finding("shared identifier", value=ACTION): (ROADMAP, "action:imaging-lab a"),
    }
    nowhere = finding("https://w3id.org/medkg/id/action/nobody")

    assert sources.locate([*about, nowhere], found) == {
        key: Place(str(world.folders.data / file), world.line_of(file, text))
        for key, (file, text) in about.items()
    }


@pytest.mark.parametrize(
    ("literal", "kept"),
    [
        ("1.10", "1.1"),
        ('"007"^^xsd:integer', '"7"'),
        ('"1"^^xsd:boolean', '"true"'),
        ('"2026-01-01T00:00:00+00:00"^^xsd:dateTime', "2026-01-01T00:00:00Z"),
        ('"5"^^xsd:nonNegativeInteger', "XMLSchema#integer"),
    ],
)
def test_literals_that_the_store_would_change_are_refused(world: Any, literal: str, kept: str) -> None:
    """What is written is what is stored: the message gives the form to write."""
    world.edit(ROADMAP, "medkg:region nuts:PL22 ;", f"medkg:region nuts:PL22 ; medkg:value {literal} ;")

    with pytest.raises(SourceFileError, match="the store would change") as caught:
        read_and_check(world.folders)

    assert kept in caught.value.reason


@pytest.mark.parametrize(
    "literal",
    [
        "1.1",
        "-7",
        "true",
        '"2026-01-01T00:00:00Z"^^xsd:dateTime',
        '"2021-10"^^xsd:gYearMonth',
        '"Lab"@en',
        '"1.10"',
    ],
)
def test_literals_in_their_own_form_pass(world: Any, literal: str) -> None:
    """A literal in canonical form, and any plain text, is taken as it is."""
    world.edit(ROADMAP, "medkg:region nuts:PL22 ;", f"medkg:region nuts:PL22 ; medkg:value {literal} ;")

    read_and_check(world.folders)
