"""The concept schemes: complete in four languages, sound as SKOS, and home of every concept that is used."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

ROOT = Path(__file__).parents[2]
FILES = tuple(sorted((ROOT / "ontology" / "vocab").glob("*.ttl")))
USERS = tuple(
    sorted(path for folder in ("data", "ontology", "shapes") for path in (ROOT / folder).rglob("*.ttl"))
)

BASE = "https://w3id.org/medkg/vocab/"
MEDKG = "https://w3id.org/medkg/ontology#"
DCT = "http://purl.org/dc/terms/"
OWL = "http://www.w3.org/2002/07/owl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"

LANGUAGES = ["en", "fr", "it", "pl"]
MAPPINGS = {f"{SKOS}{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related")}
CLASS_OF_SCHEME = {
    "action-status": "ActionStatus",
    "enabler": "Enabler",
    "event-status": "EventStatus",
    "ket-2009": "KET",
    "ket-2012": "KET",
    "ket-2018": "KET",
    "medtech": "MedTechCategory",
    "metric": "Metric",
    "purpose": "Purpose",
    "qualifier": "Qualifier",
    "repair-rule": "RepairRule",
    "role": "Role",
    "s3-domain": "S3Domain",
    "sector": "Sector",
    "service-s3cop": "SupportService",
    "stage-jrc-manual": "MaturityStage",
    "stage-jrc-site": "MaturityStage",
    "stage-vanguard": "MaturityStage",
    "stakeholder": "StakeholderType",
    "submission-status": "SubmissionStatus",
    "theme": "Theme",
    "transnational-effort": "TransnationalEffort",
    "trl": "TechnologyReadinessLevel",
}
CONCEPTS_OF_SCHEME = {
    "ket-2009": {
        "advanced-materials",
        "biotechnology",
        "micro-nanoelectronics",
        "nanotechnology",
        "photonics",
    },
    "ket-2012": {
        "advanced-manufacturing-technologies",
        "advanced-materials",
        "industrial-biotechnology",
        "micro-nanoelectronics",
        "nanotechnology",
        "photonics",
    },
    "ket-2018": {
        "advanced-manufacturing",
        "advanced-materials",
        "artificial-intelligence",
        "life-science-technologies",
        "micro-nano-electronics-photonics",
        "security-connectivity",
    },
    "medtech": {
        "connected-solutions",
        "in-vitro-diagnostics",
        "medical-devices",
        "medical-imaging",
        "medical-technologies",
    },
    "trl": {"1", "2", "3", "4", "5", "6", "7", "8", "9"},
}
KETS_OF_2009_IN_2012 = {
    ("advanced-materials", "closeMatch", "advanced-materials"),
    ("micro-nanoelectronics", "closeMatch", "micro-nanoelectronics"),
    ("nanotechnology", "closeMatch", "nanotechnology"),
    ("photonics", "closeMatch", "photonics"),
}
KETS_OF_2012_IN_2018 = {
    ("advanced-manufacturing-technologies", "exactMatch", "advanced-manufacturing"),
    ("advanced-materials", "broadMatch", "advanced-materials"),
    ("industrial-biotechnology", "broadMatch", "life-science-technologies"),
    ("micro-nanoelectronics", "broadMatch", "micro-nano-electronics-photonics"),
    ("nanotechnology", "broadMatch", "advanced-materials"),
    ("photonics", "broadMatch", "micro-nano-electronics-photonics"),
}

by_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
by_ket_file = pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem.startswith("ket-")], ids=lambda path: path.stem
)


@cache
def triples(path: Path) -> frozenset[Triple]:
    """The statements of a Turtle file, each literal spelled as the file spells it."""
    return frozenset(quad.triple for quad in parse(path=path, format=RdfFormat.TURTLE))


class Resource:
    """One subject of a file, with its properties looked up by IRI."""

    def __init__(self, iri: str, graph: frozenset[Triple]) -> None:
        self.iri = iri
        self._properties = [(t.predicate.value, t.object) for t in graph if t.subject == NamedNode(iri)]

    def iris(self, predicate: str) -> list[str]:
        """The IRIs that are values of the property."""
        return [v.value for p, v in self._properties if p == predicate and isinstance(v, NamedNode)]

    def literals(self, predicate: str) -> list[Literal]:
        """The literals that are values of the property."""
        return [v for p, v in self._properties if p == predicate and isinstance(v, Literal)]

    def languages(self, predicate: str) -> list[str]:
        """The languages in which the property is given, one entry for each value."""
        return sorted(literal.language or "" for literal in self.literals(predicate))

    def mappings(self) -> list[tuple[str, str]]:
        """Property and target of every mapping."""
        return [(p, v.value) for p, v in self._properties if p in MAPPINGS and isinstance(v, NamedNode)]


def scheme_iri(path: Path) -> str:
    return BASE + path.stem


@cache
def concepts(path: Path) -> tuple[Resource, ...]:
    """Everything that the file describes, except the scheme itself."""
    graph = triples(path)
    iris = {t.subject.value for t in graph if isinstance(t.subject, NamedNode)} - {scheme_iri(path)}
    return tuple(Resource(iri, graph) for iri in sorted(iris))


@cache
def home_of_concepts() -> dict[str, str]:
    """The file, by its name, in which each concept is described."""
    return {concept.iri: path.stem for path in FILES for concept in concepts(path)}


def mapping_table(source: str, target: str) -> set[tuple[str, str, str]]:
    """All mappings between two schemes, in either direction, by the last parts of the three IRIs."""
    return {
        (concept.iri.rsplit("/", 1)[1], predicate.removeprefix(SKOS), other.rsplit("/", 1)[1])
        for path in FILES
        for concept in concepts(path)
        for predicate, other in concept.mappings()
        if {path.stem, home_of_concepts().get(other)} == {source, target}
    }


def test_the_schemes_of_the_model_are_all_there() -> None:
    assert {path.stem for path in FILES} == set(CLASS_OF_SCHEME)


@by_file
def test_a_file_describes_the_scheme_it_is_named_after(path: Path) -> None:
    scheme = Resource(scheme_iri(path), triples(path))

    assert scheme.iris(f"{RDF}type") == [f"{SKOS}ConceptScheme"]
    for name in (f"{DCT}title", f"{SKOS}prefLabel", f"{DCT}description"):
        assert scheme.languages(name) == LANGUAGES, name
    assert scheme.iris(f"{DCT}license") == ["https://creativecommons.org/licenses/by/4.0/"]
    for name in (f"{DCT}created", f"{DCT}modified", f"{OWL}versionInfo"):
        assert len(scheme.literals(name)) == 1, name


@by_file
def test_a_concept_has_the_class_of_its_scheme_and_no_other(path: Path) -> None:
    expected = [f"{MEDKG}{CLASS_OF_SCHEME[path.stem]}"]

    assert {c.iri: c.iris(f"{RDF}type") for c in concepts(path) if c.iris(f"{RDF}type") != expected} == {}


@by_file
def test_a_concept_is_in_exactly_one_scheme(path: Path) -> None:
    home = scheme_iri(path)

    assert concepts(path)
    for concept in concepts(path):
        assert concept.iri.startswith(f"{home}/"), concept.iri
        assert concept.iris(f"{SKOS}inScheme") == [home], concept.iri
        assert concept.iris(f"{RDFS}isDefinedBy") == [home], concept.iri


def test_no_concept_is_described_in_two_files() -> None:
    homes = Counter(concept.iri for path in FILES for concept in concepts(path))

    assert [iri for iri, count in homes.items() if count > 1] == []


@by_file
def test_labels_and_definitions_come_once_in_each_language(path: Path) -> None:
    for concept in concepts(path):
        assert concept.languages(f"{SKOS}prefLabel") == LANGUAGES, concept.iri
        assert concept.languages(f"{SKOS}definition") == LANGUAGES, concept.iri


@by_file
def test_definitions_are_translated_and_end_like_sentences(path: Path) -> None:
    for concept in concepts(path):
        texts = [literal.value for literal in concept.literals(f"{SKOS}definition")]
        assert len(set(texts)) == len(LANGUAGES), concept.iri
        assert all(text[0].isupper() and text.endswith(".") for text in texts), concept.iri


@by_file
def test_a_label_is_preferred_by_one_concept_of_the_scheme(path: Path) -> None:
    labels = Counter(
        (literal.language, literal.value.casefold())
        for concept in concepts(path)
        for literal in concept.literals(f"{SKOS}prefLabel")
    )

    assert [label for label, count in labels.items() if count > 1] == []


@by_file
def test_an_alternative_label_differs_from_the_preferred_one(path: Path) -> None:
    for concept in concepts(path):
        preferred = set(concept.literals(f"{SKOS}prefLabel"))
        assert preferred.isdisjoint(concept.literals(f"{SKOS}altLabel")), concept.iri
        assert set(concept.languages(f"{SKOS}altLabel")) <= set(LANGUAGES), concept.iri


@by_file
def test_the_notation_is_the_last_part_of_the_iri(path: Path) -> None:
    for concept in concepts(path):
        expected = concept.iri.removeprefix(f"{scheme_iri(path)}/")
        assert [literal.value for literal in concept.literals(f"{SKOS}notation")] == [expected]


@by_file
def test_broader_stays_in_the_scheme_and_makes_no_circle(path: Path) -> None:
    broader = {concept.iri: concept.iris(f"{SKOS}broader") for concept in concepts(path)}

    assert {target for above in broader.values() for target in above} <= set(broader)
    for start, above in broader.items():
        seen: set[str] = set()
        ahead = list(above)
        while ahead:
            here = ahead.pop()
            assert here != start, f"{start} is above itself"
            if here not in seen:
                seen.add(here)
                ahead.extend(broader[here])


@by_file
def test_what_has_nothing_above_is_marked_as_top_concept(path: Path) -> None:
    home = scheme_iri(path)
    expected = {concept.iri for concept in concepts(path) if not concept.iris(f"{SKOS}broader")}

    assert {c.iri for c in concepts(path) if c.iris(f"{SKOS}topConceptOf") == [home]} == expected
    assert set(Resource(home, triples(path)).iris(f"{SKOS}hasTopConcept")) == expected


@by_file
def test_mappings_lead_to_a_concept_of_another_scheme(path: Path) -> None:
    for concept in concepts(path):
        targets = [target for _, target in concept.mappings()]
        assert len(set(targets)) == len(targets), f"two mappings of {concept.iri} to one concept"
        assert all(target in home_of_concepts() for target in targets), concept.iri
        assert all(home_of_concepts()[target] != path.stem for target in targets), concept.iri


def test_no_pair_of_concepts_is_mapped_in_both_directions() -> None:
    pairs = Counter(
        frozenset((concept.iri, target))
        for path in FILES
        for concept in concepts(path)
        for _, target in concept.mappings()
    )

    assert [sorted(pair) for pair, count in pairs.items() if count > 1] == []


@pytest.mark.parametrize("scheme", sorted(CONCEPTS_OF_SCHEME))
def test_a_closed_list_holds_exactly_its_entries(scheme: str) -> None:
    slugs = {iri.rsplit("/", 1)[1] for iri, home in home_of_concepts().items() if home == scheme}

    assert slugs == CONCEPTS_OF_SCHEME[scheme]


def test_kets_of_2012_are_mapped_to_those_of_2018() -> None:
    assert mapping_table("ket-2012", "ket-2018") == KETS_OF_2012_IN_2018


def test_only_entries_with_the_same_label_are_mapped_from_2009_to_2012() -> None:
    assert mapping_table("ket-2009", "ket-2012") == KETS_OF_2009_IN_2012
    assert mapping_table("ket-2009", "ket-2018") == set()


@by_ket_file
def test_a_ket_says_what_is_a_reading_by_medkg(path: Path) -> None:
    for concept in concepts(path):
        notes = [literal.value for literal in concept.literals(f"{SKOS}editorialNote")]
        assert "Definition by medkg." in notes, concept.iri
        assert any("medkg's reading" in note for note in notes) == bool(concept.mappings()), concept.iri


def test_the_ket_lists_carry_year_and_source() -> None:
    schemes = {p.stem: Resource(scheme_iri(p), triples(p)) for p in FILES if p.stem.startswith("ket-")}

    years = {name: [v.value for v in scheme.literals(f"{DCT}issued")] for name, scheme in schemes.items()}
    assert years == {"ket-2009": ["2009"], "ket-2012": ["2012"], "ket-2018": ["2018"]}
    assert all(scheme.iris(f"{DCT}source") for scheme in schemes.values())


@by_file
def test_there_are_no_blank_nodes_and_the_store_keeps_every_literal(path: Path) -> None:
    graph = triples(path)
    store = Store()
    store.extend(Quad(t.subject, t.predicate, t.object, DefaultGraph()) for t in graph)

    assert not any(isinstance(term, BlankNode) for t in graph for term in (t.subject, t.object))
    assert {quad.triple for quad in store} == graph


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_concept_that_is_used_exists(path: Path) -> None:
    known = {scheme_iri(file) for file in FILES} | set(home_of_concepts())
    used = {
        term.value
        for triple in triples(path)
        for term in (triple.subject, triple.object)
        if isinstance(term, NamedNode) and term.value.startswith(BASE)
    }

    assert used - known == set()


def test_concepts_are_used_at_all() -> None:
    data = [path for path in USERS if path.is_relative_to(ROOT / "data")]
    used = {t.object.value for path in data for t in triples(path) if isinstance(t.object, NamedNode)}

    assert used & set(home_of_concepts())


def test_no_two_descriptions_in_four_languages_were_mixed_up() -> None:
    """Letters that only one of the four languages uses must not stand in another language's text."""
    letters = {"fr": set("êîôûëïœç"), "it": set("ìò"), "pl": set("ąęłńśźż")}
    mixed = [
        (concept.iri, literal.language)
        for path in FILES
        for concept in concepts(path)
        for name in ("prefLabel", "altLabel", "definition")
        for literal in concept.literals(f"{SKOS}{name}")
        for language, own in letters.items()
        if literal.language != language and own & set(literal.value.casefold())
    ]

    assert mixed == []
