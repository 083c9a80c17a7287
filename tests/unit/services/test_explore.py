"""Lists and entities: filters, pages, and what is said of an entity by whom."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from rdflib.term import Literal, URIRef

from medkg.domain.errors import NotFound, ParameterError
from medkg.domain.namespaces import (
    DCTERMS,
    GRAPH,
    GRAPH_INFERRED,
    GRAPH_NUTS,
    ID,
    MEDKG,
    NUTS,
    RDF,
    SKOS,
    VOCAB,
)
from medkg.services import explore
from medkg.services.explore import LISTINGS, Page
from medkg.services.names import Names
from medkg.store.embedded import EmbeddedEngine

ACTIONS = {ID["action/medsilesia-competence-centre"], ID["action/medtech-biomed-observatory"]}

LYING_IN = "FILTER STRSTARTS(STR(?r), CONCAT('http://data.europa.eu/nuts/code/', '%s'))"
CALLED = "skos:prefLabel|skos:altLabel|skos:hiddenLabel ?name FILTER CONTAINS(LCASE(?name), '%s')"

# List, filter and value, with a query for exactly the items that are meant.
FILTERS = [
    ("regions", {"level": "0"}, "?item a medkg:Region ; medkg:nutsLevel 0 ."),
    ("regions", {"within": "PL2"}, "?item skos:broader* nuts:PL2 . FILTER(?item != nuts:PL2)"),
    (
        "regions",
        {"within": "Polska", "level": "2"},
        "?item medkg:nutsLevel 2 ; skos:broader/skos:broader nuts:PL .",
    ),
    ("regions", {"q": "ŚLĄSKIE"}, f"?item a medkg:Region ; {CALLED % 'śląskie'}"),
    ("clusters", {"region": "Italy"}, f"?item a medkg:Cluster ; medkg:inRegion ?r {LYING_IN % 'IT'}"),
    ("clusters", {"q": "medsilesia"}, "VALUES ?item { <https://w3id.org/medkg/id/organisation/medsilesia> }"),
    ("kets", {"scheme": "ket-2009"}, "?item skos:inScheme <https://w3id.org/medkg/vocab/ket-2009> ."),
    ("platforms", {"q": "energy"}, f"?item a medkg:SpecialisationPlatform ; {CALLED % 'energy'}"),
    (
        "partnerships",
        {"platform": "S3P-Industry"},
        "?item medkg:underPlatform <https://w3id.org/medkg/id/platform/s3p-industry> ; a medkg:Partnership .",
    ),
    (
        "partnerships",
        {"region": "FRK"},
        f"?item a medkg:Partnership ; medkg:hasMember ?m . ?m medkg:member ?r {LYING_IN % 'FRK'}",
    ),
    ("actions", {"region": "Veneto"}, "?item medkg:region nuts:ITH3 ."),
    (
        "actions",
        {"region": "Italia", "q": "observatory"},
        "VALUES ?item { <https://w3id.org/medkg/id/action/medtech-biomed-observatory> }",
    ),
    (
        "organisations",
        {"region": "PL"},
        f"?item a medkg:Organisation ; medkg:inRegion ?r {LYING_IN % 'PL'}",
    ),
    ("organisations", {"q": "silesia"}, f"?item a medkg:Organisation ; {CALLED % 'silesia'}"),
    ("events", {"region": "FR"}, f"?item a medkg:Event ; medkg:inRegion ?r {LYING_IN % 'FR'}"),
    ("events", {"q": "lyon"}, f"?item a medkg:Event ; {CALLED % 'lyon'}"),
]


def listed(engine: EmbeddedEngine, names: Names, name: str, given: Mapping[str, str], page: int = 1) -> Page:
    return explore.listing(engine, names, LISTINGS[name], given, page=page, size=500)


def everything(engine: EmbeddedEngine, names: Names, name: str, given: Mapping[str, str]) -> list[URIRef]:
    first = listed(engine, names, name, given)
    pages = [first, *(listed(engine, names, name, given, number) for number in range(2, first.pages + 1))]
    return [item.iri for page in pages for item in page.items]


@pytest.mark.parametrize("name", LISTINGS)
def test_a_list_holds_its_whole_class(engine: EmbeddedEngine, names: Names, name: str) -> None:
    """Without a filter a list has every entity of its class once, in the order of their IRIs."""
    rows = engine.select("SELECT DISTINCT ?s ?c { ?s a ?c }", {"c": MEDKG[LISTINGS[name].class_]}).rows

    found = everything(engine, names, name, {})

    assert len(found) > 1
    assert found == sorted(row["s"] for row in rows if isinstance(row["s"], URIRef))


@pytest.mark.parametrize(("name", "given", "meant"), FILTERS)
def test_a_filter_leaves_what_is_meant(
    engine: EmbeddedEngine, names: Names, name: str, given: dict[str, str], meant: str
) -> None:
    """A filter gives exactly the items that a query written for it gives, and there are some."""
    rows = engine.select(f"SELECT DISTINCT ?item {{ {meant} }} ORDER BY ?item").rows

    found = everything(engine, names, name, given)

    assert found
    assert found == [row["item"] for row in rows]


def test_every_filter_is_tested() -> None:
    """The table above has each filter of each list, but for those of actions that have tests of their own."""
    tested = {(name, filter_) for name, given, _ in FILTERS for filter_ in given}
    known = {(name, filter_) for name, list_ in LISTINGS.items() for filter_ in list_.filters}
    by_name = {pair for pair in known if pair[1] == "q"}

    assert known - tested - by_name == {("actions", "running"), ("actions", "ket")}


@pytest.mark.parametrize(
    ("month", "runs"),
    [("2021-09", False), ("2021-10", True), ("2023-03", True), ("2025-12", True), ("2026-01", False)],
)
def test_actions_run_from_their_first_to_their_last_month(
    engine: EmbeddedEngine, names: Names, month: str, runs: bool
) -> None:
    """An action runs in the months from plannedFrom to plannedTo, both included."""
    found = everything(engine, names, "actions", {"running": month})

    assert set(found) == (ACTIONS if runs else set())


def test_no_action_uses_a_ket_yet(engine: EmbeddedEngine, names: Names) -> None:
    """The sources name no Key Enabling Technology for an action: the filter is taken and leaves none."""
    assert everything(engine, names, "actions", {"ket": "ket-2012/photonics"}) == []


@pytest.mark.parametrize(
    ("name", "given", "message", "remedy"),
    [
        (
            "actions",
            {"colour": "red"},
            "The list of actions has no filter 'colour'.",
            "It takes: q, region, running, ket, page, size, lang.",
        ),
        ("actions", {"running": "2023-13"}, "'2023-13' is no value for running.", "such as 2023-03"),
        ("actions", {"running": "soon"}, "'soon' is no value for running.", "such as 2023-03"),
        ("actions", {"running": ""}, "'' is no value for running.", "such as 2023-03"),
        ("regions", {"level": "-1"}, "'-1' is no value for level.", "NUTS level, 0 to 3"),
        ("regions", {"level": "²"}, "'²' is no value for level.", "NUTS level, 0 to 3"),
        ("regions", {"q": "  "}, "'  ' is no value for q.", "text that a name contains"),
        ("actions", {"region": "Limburg"}, "'Limburg' may mean", "Give the code"),
        ("actions", {"ket": "magic"}, "No KET is called 'magic'.", ""),
        ("partnerships", {"platform": "Silesia"}, "No specialisation platform is called 'Silesia'.", ""),
    ],
)
def test_a_bad_filter_is_refused(  # noqa: PLR0913, PLR0917 - the table and the fixtures
    engine: EmbeddedEngine, names: Names, name: str, given: dict[str, str], message: str, remedy: str
) -> None:
    """An unknown filter or a value that can't be used names the filter, and says what would do."""
    with pytest.raises(ParameterError) as caught:
        listed(engine, names, name, given)

    assert caught.value.name == next(iter(given))
    assert caught.value.message.startswith(message)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("text", ['"', "' } ?s ?p ?o {", "\\", "?item", "x" * 1000, "\x00"])
def test_a_hostile_filter_stays_a_text(engine: EmbeddedEngine, names: Names, text: str) -> None:
    """Quotes and SPARQL in a filter are characters to look for; no name has them."""
    assert listed(engine, names, "clusters", {"q": text}).total == 0


def test_pages_share_out_the_list(engine: EmbeddedEngine, names: Names) -> None:
    """Pages follow each other without a gap; the last one has the rest, and after it there is nothing."""
    clusters = LISTINGS["clusters"]
    whole = [item.iri for item in explore.listing(engine, names, clusters, {}, size=500).items]

    pages = [explore.listing(engine, names, clusters, {}, page=number, size=10) for number in range(1, 5)]

    assert [item.iri for page in pages for item in page.items] == whole
    assert [len(page.items) for page in pages] == [10, 10, len(whole) - 20, 0]
    assert {(page.total, page.pages, page.size) for page in pages} == {(len(whole), 3, 10)}


def test_an_empty_list_has_one_page(engine: EmbeddedEngine, names: Names) -> None:
    """Nothing found is one page without items."""
    page = listed(engine, names, "clusters", {"q": "no such cluster"})

    assert (page.total, page.pages, list(page.items)) == (0, 1, [])


def test_an_entity_says_who_says_what(engine: EmbeddedEngine) -> None:
    """Each statement has the graphs that make it; the sources give titles and addresses of those graphs."""
    item = explore.entity(engine, NUTS.PL22)
    said = {(entry.predicate, entry.value): entry for entry in item.statements}

    native = said[SKOS.prefLabel, Literal("Śląskie", lang="pl")]
    english = said[SKOS.prefLabel, Literal("Silesia", lang="en")]
    above = said[SKOS.broader, NUTS.PL2]
    assert (item.label, item.classes) == ("Silesia", (MEDKG.Region,))
    assert (native.graphs, native.inferred) == ((GRAPH_NUTS,), False)
    assert english.graphs == (GRAPH["source/aliases"],)
    assert above.label == "Makroregion południowy"
    assert item.sources[GRAPH_NUTS].title.startswith("NUTS 2024 and statistical regions")
    assert item.sources[GRAPH_NUTS].addresses == ("https://ec.europa.eu/eurostat/web/nuts/overview",)
    assert GRAPH_INFERRED not in item.sources


def test_what_follows_is_told_from_what_is_said(engine: EmbeddedEngine) -> None:
    """Ancestors and superclasses are marked as inferred, come last, and are no main class."""
    item = explore.entity(engine, ID["organisation/biowin"])
    inferred = [entry for entry in item.statements if entry.inferred]

    assert item.classes == (MEDKG.Cluster,)
    assert (RDF.type, MEDKG.Organisation) in {(entry.predicate, entry.value) for entry in inferred}
    assert not any(later.inferred < sooner.inferred for sooner, later in pairwise(item.statements))
    assert item.statements[0].predicate in {RDF.type, SKOS.prefLabel}


@pytest.mark.parametrize(
    ("languages", "label"),
    [
        (("en",), "Silesia"),
        (("pl", "en"), "Śląskie"),
        (("fr",), "Silésie"),
        (("xx", "it", "en"), "Slesia"),
        (("xx",), "Silesia"),
    ],
)
def test_labels_fall_back(engine: EmbeddedEngine, languages: tuple[str, ...], label: str) -> None:
    """A label is in the first of the languages that there is one in, else in any."""
    assert explore.entity(engine, NUTS.PL22, languages).label == label


def test_a_label_in_no_asked_language_is_shown(engine: EmbeddedEngine) -> None:
    """A region with a native name only is called by it."""
    assert explore.entity(engine, NUTS.PL2, ("en", "fr")).label == "Makroregion południowy"


@pytest.mark.parametrize(
    "iri",
    [
        "https://w3id.org/medkg/id/action/nobody",
        "https://example.org/",
        "not an IRI",
        "",
        "relative",
        "http://x/%zz",
        "http://x/\x00",
        "http://[/",
    ],
)
def test_what_nobody_describes_is_not_found(engine: EmbeddedEngine, iri: str) -> None:
    """An IRI that no public graph describes is not found, and neither is what is no IRI."""
    with pytest.raises(NotFound, match="Nothing is known here"):
        explore.entity(engine, URIRef(iri))


def test_mentions_are_not_part_of_an_entity(engine: EmbeddedEngine) -> None:
    """Places in a source text are kept apart: an entity that only graph/mentions/ describes is not found."""
    mention = next(iter(engine.quads(None, RDF.type, MEDKG.SourceMention)))[0]

    assert isinstance(mention, URIRef)
    with pytest.raises(NotFound):
        explore.entity(engine, mention)


def test_a_description_names_what_it_links_to(engine: EmbeddedEngine) -> None:
    """The triples of an entity are what is said of it, closures too, and the names of its neighbours."""
    item = explore.entity(engine, ID["action/medtech-biomed-observatory"])

    found = {quad[:3] for quad in explore.triples(engine, item)}

    own = {(item.iri, entry.predicate, entry.value) for entry in item.statements}
    assert own <= found
    assert (NUTS.PL22, SKOS.prefLabel, Literal("Śląskie", lang="pl")) in found
    assert {predicate for subject, predicate, _ in found - own} == {SKOS.prefLabel}


def test_a_retired_region_and_a_concept_are_entities(engine: EmbeddedEngine) -> None:
    """Retired codes and vocabulary concepts have a description like everything else."""
    assert explore.entity(engine, NUTS.PT18).classes == (MEDKG.RetiredRegion,)
    assert explore.entity(engine, VOCAB["ket-2012/photonics"]).classes == (MEDKG.KET,)
    assert explore.entity(engine, GRAPH_NUTS).label.startswith("NUTS 2024")
    assert DCTERMS.license in {entry.predicate for entry in explore.entity(engine, GRAPH_NUTS).statements}
