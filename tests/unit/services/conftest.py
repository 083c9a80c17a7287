"""A world small enough to be built many times: a few terms, two shapes, three regions, one source."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from medkg.services.build import Summary, build
from medkg.services.sources import Folders

PREFIXES = """\
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix medkg: <https://w3id.org/medkg/ontology#> .
@prefix nuts: <http://data.europa.eu/nuts/code/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix action: <https://w3id.org/medkg/id/action/> .
@prefix country: <http://publications.europa.eu/resource/authority/country/> .

"""
ONTOLOGY = """\
@prefix medkg: <https://w3id.org/medkg/ontology#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
medkg:InnovationAction rdfs:subClassOf <https://example.org/Plan> , [ owl:onProperty medkg:region ] .
medkg:region owl:inverseOf medkg:regionOfAction .
"""
VOCABULARY = """\
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<https://w3id.org/medkg/vocab/theme> skos:note "A list of themes."@en .
"""
SHAPES = """\
@prefix medkg: <https://w3id.org/medkg/ontology#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix shape: <https://w3id.org/medkg/shapes#> .
shape:Action a sh:NodeShape ; sh:targetClass medkg:InnovationAction ;
    sh:property shape:Action-region , shape:Action-phase .
shape:Action-region a sh:PropertyShape ; sh:path medkg:region ; sh:minCount 1 ; medkg:code "A-06" ;
    sh:severity sh:Violation ; sh:message "Nobody plans this action. Name its region."@en .
shape:Action-phase a sh:PropertyShape ; sh:path medkg:hasPhase ; sh:minCount 1 ; medkg:code "A-11" ;
    sh:severity sh:Warning ; sh:message "There are no phases. Add them."@en .
"""
NUTS = """\
<http://data.europa.eu/nuts/scheme/2024> a skos:ConceptScheme ;
    skos:prefLabel "NUTS 2024"@en , "NUTS 2024"@fr , "NUTS 2024"@it , "NUTS 2024"@pl .
nuts:PL a medkg:Region ; skos:notation "PL" ; medkg:nutsLevel 0 ; medkg:country country:POL ;
    skos:prefLabel "Poland"@en , "Pologne"@fr , "Polonia"@it , "Polska"@pl ;
    skos:inScheme <http://data.europa.eu/nuts/scheme/2024> .
nuts:PL2 a medkg:Region ; skos:notation "PL2" ; medkg:nutsLevel 1 ; medkg:country country:POL ;
    skos:prefLabel "Makroregion południowy"@pl ; skos:broader nuts:PL ;
    skos:inScheme <http://data.europa.eu/nuts/scheme/2024> .
nuts:PL22 a medkg:Region ; skos:notation "PL22" ; medkg:nutsLevel 2 ; medkg:country country:POL ;
    skos:prefLabel "Silesia"@en , "Śląskie"@pl ; skos:broader nuts:PL2 ;
    skos:inScheme <http://data.europa.eu/nuts/scheme/2024> .
"""
ACTION = """\
action:imaging-lab a medkg:InnovationAction ;
    skos:prefLabel "A shared imaging laboratory"@en ;
    dct:description "Two hospitals share one laboratory for images."@en ;
    medkg:region nuts:PL22 ;
    medkg:plannedFrom "2021-10"^^xsd:gYearMonth ;
    medkg:plannedTo "2025-12"^^xsd:gYearMonth .
"""
RECORD = """\
<https://w3id.org/medkg/graph/{graph}> a dcat:Dataset ;
    dct:title "The source {graph}"@en ;
    dct:source <https://example.org/{graph}> ;
    dct:license <https://creativecommons.org/licenses/by/4.0/> ;
    dct:modified "{day}"^^xsd:date ;
    dct:publisher "Somebody" ;
    medkg:file "{file}" .
"""


@dataclass(frozen=True)
class World:
    """The folders of a build, the data folder it goes to, and what a test does with them."""

    folders: Folders
    root: Path

    def write(self, file: str, text: str) -> Path:
        """Write a Turtle file of the data, with the usual prefixes before it."""
        path = self.folders.data / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PREFIXES + text, encoding="utf-8")
        return path

    def edit(self, file: str, old: str, new: str) -> Path:
        """Replace a text that stands once in a file of the data."""
        path = self.folders.data / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    def add_source(self, slug: str, text: str, day: str = "2026-02-01") -> Path:
        """Write a source with its record in the catalogue."""
        catalog = self.folders.data / "catalog.ttl"
        record = RECORD.format(graph=f"source/{slug}", file=f"source/{slug}.ttl", day=day)
        catalog.write_text(catalog.read_text(encoding="utf-8") + record, encoding="utf-8")
        return self.write(f"source/{slug}.ttl", text)

    def line_of(self, file: str, text: str) -> int:
        """Return the line (1-based) of the last place of a text in a file of the data."""
        before, found, _ = (self.folders.data / file).read_text(encoding="utf-8").rpartition(text)
        assert found, f"{text!r} is not in {file}"
        return before.count("\n") + 1

    def build(self, *, source_date: date | None = None, dump: Path | None = None) -> Summary:
        """Build it."""
        return build(self.root, self.folders, progress=ignore, source_date=source_date, dump=dump)

    def versions(self) -> set[str]:
        """Return what stands in the folder of the versions."""
        folder = self.root / "snapshots"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def ignore(stage: str, done: int, total: int) -> None:
    """Listen to a build without a word."""


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[[str], World]:
    """A maker of worlds, each in a folder of its own."""

    def make(name: str) -> World:
        home = tmp_path / name
        folders = Folders(home / "ontology", home / "shapes", home / "data")
        for folder in (folders.ontology / "vocab", folders.shapes):
            folder.mkdir(parents=True)
        (folders.shapes / "action.ttl").write_text(SHAPES, encoding="utf-8")
        (folders.ontology / "medkg.ttl").write_text(ONTOLOGY, encoding="utf-8")
        (folders.ontology / "vocab" / "theme.ttl").write_text(VOCABULARY, encoding="utf-8")
        world = World(folders, home / "var")
        world.write("nuts.ttl", NUTS)
        world.write("catalog.ttl", RECORD.format(graph="nuts", file="nuts.ttl", day="2026-01-31"))
        world.add_source("roadmap", ACTION)
        return world

    return make


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    """A small world of its own for each test."""
    return make_world("world")
