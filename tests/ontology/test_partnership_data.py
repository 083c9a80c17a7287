"""Platforms, partnerships, members and support: what the source graphs must say, and who says it."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QuerySolutions,
    RdfFormat,
    Store,
    parse,
)

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "data" / "source").glob("*.ttl"))
CATALOG = ROOT / "data" / "catalog.ttl"

BASE = "https://w3id.org/medkg/"
MEDKG = f"{BASE}ontology#"
ID = f"{BASE}id/"
VOCAB = f"{BASE}vocab/"
GRAPH = f"{BASE}graph/source/"
NUTS = "http://data.europa.eu/nuts/code/"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCT = "http://purl.org/dc/terms/"
MAY_GO_UNNAMED = {"Membership", "Observation"}

PREFIXES = f"""
PREFIX medkg: <{MEDKG}>
PREFIX dct: <{DCT}>
PREFIX platform: <{ID}platform/>
PREFIX partnership: <{ID}partnership/>
PREFIX initiative: <{ID}initiative/>
PREFIX project: <{ID}project/>
PREFIX metric: <{VOCAB}metric/>
PREFIX role: <{VOCAB}role/>
"""

Row = tuple[str, ...]
Table = set[Row]
Memberships = dict[str, dict[tuple[str, str], set[str]]]

# Partnership -> source -> role -> who holds it. A source that names no lead does not appear.
LEADS: Memberships = {
    "ai-hmi": {},
    "batteries-materials": {("rinnovabili-batteries", "lead"): {"SI0"}},
    "bioenergy": {("s3platform-sixty-regions-energy", "lead"): {"FI1D7", "ES41"}},
    "bioeconomy": {},
    "chemicals": {
        ("reconfirm-newsletter-2018", "lead"): {"ITC4", "NL4"},
        ("ecrn-chemical-regions-cooperation", "lead"): {"ITC4", "NL42"},
        ("ecrn-steering-committee-2021", "lead"): {"ecrn"},
    },
    "consumer-involvement": {},
    "cybersecurity": {("ec-s3-cop-cybersecurity", "lead"): {"FRH"}},
    "high-tech-farming": {
        ("s3platform-high-tech-farming", "lead"): {"ITI1"},
        ("springer-high-tech-farming", "lead"): {"ITI1"},
    },
    "hydrogen-carbon-intensive": {("energylivenews-hydrogen-partnerships", "lead"): {"SK042"}},
    "hydrogen-valleys": {("energylivenews-hydrogen-partnerships", "lead"): {"ES24", "FRK", "FRD", "NL1"}},
    "marine-renewables": {},
    "medtech": {("ecomnews-aura-medtech-2018", "co-lead"): {"FRK"}},
    "mining": {("mireu-mining-partnership", "lead"): {"FI1D7", "FI1DC"}},
    "nano-enabled-products": {},
    "personalised-medicine": {
        ("reconfirm-newsletter-2018", "lead"): {"NL42", "NL2", "BE2"},
        ("thinkeast-personalised-medicine", "co-lead"): {"NL2", "BE2", "NL42"},
        ("saphire-flanders", "lead"): {"BE2"},
        ("ncpflanders-personalised-medicine", "coordinator"): {"ewi"},
    },
    "photonics": {},
    "smart-grids": {},
    "smart-sensors-4-agri-food": {},
    "smes-industry-4-0": {},
    "social-economy": {("ec-s3-cop-social-economy", "lead"): {"ES22"}},
    "solar-energy": {("s3platform-sixty-regions-energy", "lead"): {"ES43"}},
    "sport-vitality": {("epsi-clussport", "lead"): {"FI1D7", "NL4"}},
    "sustainable-buildings": {
        ("s3platform-sixty-regions-energy", "lead"): {"ES61", "HU32"},
        ("s3platform-sustainable-buildings", "lead"): {"ES61", "HU32"},
    },
    "textiles": {("tveuropa-regiotex-norte", "lead"): {"PT11"}},
    "traceability-big-data": {
        ("traceability-big-data-about", "lead"): {"ES61"},
        ("traceability-big-data-about", "co-lead"): {"ITH5"},
    },
    "water-smart-territories": {
        ("danube-inco-water-smart-territories", "lead"): {"ES24", "FRB", "NL12"},
        ("interregeurope-water-smart-territories", "coordinator"): {"ES24", "FRB", "NL12"},
    },
}

# The same shape, for those who take part without leading.
PARTICIPANTS: Memberships = {
    "ai-hmi": {("s3vanguard-baden-wuerttemberg", "founder"): {"ITC4", "DE1", "ES22", "NL41", "SE124"}},
    "batteries-materials": {
        ("rinnovabili-batteries", "partner"): {"FRK", "FRI", "ES61", "ES21", "ES41", "ITC4"},
    },
    "chemicals": {
        ("reconfirm-newsletter-2018", "partner"): {"ecrn"},
        ("ecrn-chemical-regions-cooperation", "member"): {"BE3", "CZ042", "PL9"},
    },
    "consumer-involvement": {
        ("slideplayer-15912053-consumer-involvement", "member"): {"FI199", "DK04", "SE123"},
    },
    "cybersecurity": {
        ("ec-s3-cop-cybersecurity", "partner"): {
            *("ES21", "ES41", "FI198", "EE0", "LU0", "DEA", "ITI1", "UKL", "BE3"),
        },
    },
    "high-tech-farming": {("springer-high-tech-farming", "member"): {"ES11", "NL36", "EE0"}},
    "medtech": {
        ("saphire-flanders", "member"): {"BE2"},
        ("saphire-wallonia", "member"): {"BE3"},
        ("saphire-baden-wuerttemberg", "member"): {"DE1"},
        ("clustercollaboration-s3martmed-start", "member"): {
            *("lyonbiopole", "biowin", "biopmed", "medsilesia", "bioregio-stern"),
        },
    },
    "mining": {("mireu-mining-partnership", "member"): {"ES41", "EL64", "SE331", "FI1D8", "ES12"}},
    "personalised-medicine": {("saphire-flanders", "member"): {"BE2"}},
    "social-economy": {
        ("ec-s3-cop-social-economy", "partner"): {"ITH5", "FI1D7", "ES62", "SE124", "SI0", "BE3"},
    },
    "sport-vitality": {
        ("epsi-clussport", "partner"): {"BE2", "FI1D8", "AT31", "ES52", "ES51", "FRK", "SE312", "ITH2"},
    },
    "textiles": {
        ("s3platform-textile-scoping-paper", "partner"): {
            *("FRK", "DE1", "ITF3", "ES51", "ITH5", "CZ052", "ITC4", "PL71"),
            *("PT11", "RO21", "ITC1", "ITF4", "ITI1", "ES52", "SE232", "BE25"),
        },
    },
}

UNDER_PLATFORM: dict[str, set[str]] = {
    "s3p-agrifood": {
        *("consumer-involvement", "high-tech-farming", "smart-sensors-4-agri-food", "traceability-big-data"),
    },
    "s3p-energy": {"bioenergy", "marine-renewables", "smart-grids", "solar-energy", "sustainable-buildings"},
    "s3p-industry": {
        *("ai-hmi", "batteries-materials", "bioeconomy", "chemicals", "cybersecurity", "medtech", "mining"),
        *("nano-enabled-products", "personalised-medicine", "photonics", "smes-industry-4-0"),
        *("social-economy", "sport-vitality", "textiles", "water-smart-territories"),
    },
}

# A thematic platform, when it began, and who says so. No source dates the start of S3P Agri-Food by itself.
PLATFORMS_ESTABLISHED: Table = {
    ("s3p-agrifood", "", ""),
    ("s3p-blue-economy", "2022", "s3platform-s3-thematic-platforms"),
    ("s3p-blue-economy", "2022-03", "ec-s3-cop-thematic-platforms"),
    ("s3p-energy", "2015-05", "s3platform-energy-open-invitation"),
    ("s3p-industry", "2016-06", "s3platform-industrial-modernisation"),
}

PARTNERSHIPS_ESTABLISHED: Table = {
    ("ai-hmi", "2018", "s3vanguard-baden-wuerttemberg"),
    ("batteries-materials", "2018", "rinnovabili-batteries"),
    ("chemicals", "2018-06", "eurada-chemical-regions"),
    ("chemicals", "2018-06", "reconfirm-newsletter-2018"),
    ("cybersecurity", "2018", "ec-s3-cop-cybersecurity"),
    ("medtech", "2017", "clustercollaboration-s3martmed-start"),
    ("personalised-medicine", "2018-05", "reconfirm-newsletter-2018"),
    ("social-economy", "2018", "ec-s3-cop-social-economy"),
    ("solar-energy", "2017-05", "s3platform-solar-energy"),
    ("sport-vitality", "2017", "ec-s3-cop-sport-vitality"),
    ("water-smart-territories", "2019", "danube-inco-water-smart-territories"),
}

MANAGEMENT: Table = {
    ("s3p", "jrc", "2011-07", "", "jrc-policy-brief-industrial-modernisation"),
    ("s3p", "jrc", "", "2020", "traceability-big-data-new-initiatives"),
    ("s3-thematic-platforms", "jrc", "", "2020", "ec-s3-cop-thematic-platforms"),
    ("s3-thematic-platforms", "dg-regio", "2020", "", "ec-s3-cop-thematic-platforms"),
}

# Metric, number, how the source qualifies it, date, source.
MEDTECH_COUNTS: Table = {
    ("regions-committed", "20", "more-than", "2017-11-08", "slideplayer-14434402-medtech"),
    ("regions-represented", "15", "as-stated", "2018-02-07", "medtech-workshop-2018"),
    ("member-regions", "24", "as-stated", "2018-11-12", "clustercollaboration-s3martmed-start"),
    ("partners", "5", "exactly", "2020-12-10", "ddriu-future-of-s3-platform"),
}

S3P_INDUSTRY_COUNTS: Table = {
    ("partnerships", "15", "exactly", "2018", "ecrn-chemical-regions-cooperation"),
    ("partnerships", "10", "exactly", "2018-04-12", "s3platform-steering-committee-2018-04-12"),
    ("partnerships", "21", "as-stated", "2019-06-14", "s3platform-steering-committee-2019-06-14"),
    ("partnerships", "20", "as-stated", "2019-06-14", "s3platform-steering-committee-2019-06-14"),
    ("partnerships", "21", "as-stated", "2020-03", "s3platform-steering-committee-2020-03-04"),
    ("partnerships", "23", "as-stated", "2020-03", "s3platform-steering-committee-2020-03-04"),
    ("partnerships-represented", "17", "exactly", "", "eurada-reconfirm-taf-workshop"),
}

# Number, first day, last day, town, region, status, source. No source was found for the fourth.
STEERING_COMMITTEES: Table = {
    ("1", "2017-03-17", "2017-03-17", "Brussels", "BE1", "held", "s3platform-steering-committee-meetings"),
    ("2", "2017-11-08", "2017-11-08", "Valencia", "ES52", "held", "s3platform-steering-committee-meetings"),
    (
        "3",
        "2018-04-12",
        "2018-04-12",
        "Rovaniemi",
        "FI1D7",
        "held",
        "s3platform-steering-committee-2018-04-12",
    ),
    ("5", "2019-06-14", "2019-06-14", "Warsaw", "PL911", "held", "s3platform-steering-committee-2019-06-14"),
    (
        "6",
        "2020-03-04",
        "2020-03-05",
        "Milan",
        "ITC4",
        "cancelled",
        "s3platform-steering-committee-2020-03-04",
    ),
}

RECONFIRM: Table = {
    ("ecorys", "lead", "ecorys-reconfirm"),
    ("eurada", "member", "eurada-reconfirm-taf-workshop"),
    ("inno-tsd", "member", "medtech-workshop-2018"),
    ("inno-tsd", "partner", "slideplayer-17205550-reconfirm"),
    ("jrc", "partner", "slideplayer-17205550-reconfirm"),
}

S3_COP_SERVICES = {
    *("scoping", "training-capacity-building", "governance", "mapping", "smart-partnering"),
    *("funding-finance-investment", "demonstration", "scale-up-commercialisation"),
}

VANGUARD_LEADS_OF_2015: Table = {
    ("vanguard-3d-printing", "BE2"),
    ("vanguard-3d-printing", "NL4"),
    ("vanguard-3d-printing", "PT11"),
    ("vanguard-adma-energy", "ES21"),
    ("vanguard-adma-energy", "UKM"),
    ("vanguard-bioeconomy", "ITC4"),
    ("vanguard-esm", "ES51"),
    ("vanguard-esm", "ITC4"),
    ("vanguard-new-nano-enabled-products", "FI19B"),
    ("vanguard-new-nano-enabled-products", "SE224"),
}

CHAIN_REACTIONS_EVENTS: Table = {
    ("chain-reactions-final-conference", ""),
    ("chain-reactions-kick-off-2019-05-21", "2019-05-21"),
    ("chain-reactions-steering-committee-2", "2019-10-29"),
    ("chain-reactions-steering-committee-3", "2020-09-17"),
    ("chain-reactions-exchange-workshop-2020-11-06", "2020-11-06"),
    ("chain-reactions-exchange-workshop-2020-12-18", "2020-12-18"),
    ("chain-reactions-mid-term-review-2021-01-14", "2021-01-14"),
    ("chain-reactions-exchange-workshop-2021-03-26", "2021-03-26"),
    ("chain-reactions-exchange-workshop-2021-07-01", "2021-07-01"),
}


@cache
def quads(path: Path) -> tuple[Quad, ...]:
    """The statements of one Turtle file."""
    return tuple(parse(path=path, format=RdfFormat.TURTLE))


@pytest.fixture(scope="module")
def store() -> Store:
    """All source files, each in the graph of its name."""
    loaded = Store()
    for path in SOURCES:
        loaded.load(path=path, format=RdfFormat.TURTLE, to_graph=NamedNode(f"{GRAPH}{path.stem}"))
    return loaded


def short(term: object) -> str:
    """The last part of an IRI, the text of a literal, nothing for an unbound variable."""
    if isinstance(term, NamedNode):
        return term.value.rsplit("/", 1)[-1]
    return term.value if isinstance(term, Literal) else ""


def rows(store: Store, query: str) -> list[Row]:
    """The rows of a SELECT in short form."""
    found = store.query(PREFIXES + query)
    assert isinstance(found, QuerySolutions)
    return [tuple(short(row[variable]) for variable in found.variables) for row in found]


def table(store: Store, query: str) -> Table:
    """The rows of a SELECT that must not repeat itself."""
    found = rows(store, query)
    assert len(found) == len(set(found)), found
    return set(found)


def memberships(store: Store, roles: str) -> Memberships:
    """Who takes part in which partnership, in one of the roles, by source and role."""
    found: Memberships = {}
    for (name,) in rows(store, "SELECT DISTINCT ?p { GRAPH ?g { ?p a medkg:Partnership } }"):
        found[name] = {}
    for name, member, role, graph in table(
        store,
        f"""SELECT ?p ?member ?role ?g {{ GRAPH ?g {{
            ?p a medkg:Partnership .
            ?m medkg:memberOf ?p ; medkg:member ?member ; medkg:role ?role .
            FILTER (?role {roles} (role:lead, role:co-lead, role:coordinator)) }} }}""",
    ):
        found[name].setdefault((graph, role), set()).add(member)
    return found


def test_who_leads_each_partnership_and_who_says_so(store: Store) -> None:
    assert memberships(store, "IN") == LEADS


def test_who_takes_part_in_each_partnership_and_who_says_so(store: Store) -> None:
    found = memberships(store, "NOT IN")
    assert {name: by_source for name, by_source in found.items() if by_source} == PARTICIPANTS


def test_membership_iris_follow_from_what_they_say(store: Store) -> None:
    """One membership, one IRI: the same in each source that states it."""
    for iri, collaboration, member, role in rows(
        store,
        """SELECT ?m ?c ?member ?role { GRAPH ?g {
            ?m medkg:memberOf ?c ; medkg:member ?member ; medkg:role ?role } }""",
    ):
        assert iri == f"{collaboration}-{member.lower()}-{role}"


@pytest.mark.parametrize("platform", sorted(UNDER_PLATFORM))
def test_partnerships_stand_under_their_platform(store: Store, platform: str) -> None:
    found = rows(store, f"SELECT DISTINCT ?p {{ GRAPH ?g {{ ?p medkg:underPlatform platform:{platform} }} }}")
    assert {name for (name,) in found} == UNDER_PLATFORM[platform]


def test_no_partnership_stands_under_two_platforms(store: Store) -> None:
    query = """SELECT DISTINCT ?p {
        GRAPH ?g { ?p medkg:underPlatform ?one } GRAPH ?h { ?p medkg:underPlatform ?other }
        FILTER (?one != ?other) }"""
    assert rows(store, query) == []


def test_four_thematic_platforms_and_their_years(store: Store) -> None:
    query = """SELECT DISTINCT ?p ?when ?g {
        { SELECT DISTINCT ?p { GRAPH ?any { ?p a medkg:ThematicPlatform } } }
        OPTIONAL { GRAPH ?g { ?p medkg:established ?when } } }"""
    assert table(store, query) == PLATFORMS_ESTABLISHED


def test_years_of_the_partnerships(store: Store) -> None:
    query = """SELECT ?p ?when ?g { GRAPH ?g { ?p a medkg:Partnership ; medkg:established ?when } }"""
    assert table(store, query) == PARTNERSHIPS_ESTABLISHED


def test_management_of_the_platforms_over_time(store: Store) -> None:
    query = """SELECT ?p ?who ?from ?to ?g { GRAPH ?g {
        ?m medkg:memberOf ?p ; medkg:member ?who ; medkg:role role:coordinator .
        { ?p a medkg:SpecialisationPlatform } UNION { ?p a medkg:ThematicPlatform }
        OPTIONAL { ?m medkg:memberFrom ?from } OPTIONAL { ?m medkg:memberTo ?to } } }"""
    assert table(store, query) == MANAGEMENT


@pytest.mark.parametrize(
    ("about", "expected"),
    [("partnership:medtech", MEDTECH_COUNTS), ("platform:s3p-industry", S3P_INDUSTRY_COUNTS)],
    ids=["medtech", "s3p-industry"],
)
def test_numbers_that_disagree_are_all_kept(store: Store, about: str, expected: Table) -> None:
    query = f"""SELECT ?metric ?value ?qualifier ?when ?g {{ GRAPH ?g {{
        ?o medkg:about {about} ; medkg:metric ?metric ; medkg:value ?value ; medkg:qualifier ?qualifier .
        OPTIONAL {{ ?o medkg:observedOn ?when }} }} }}"""
    assert table(store, query) == expected


def test_steering_committees_of_s3p_industry(store: Store) -> None:
    query = """SELECT ?number ?first ?last ?town ?region ?status ?g { GRAPH ?g {
        ?e medkg:eventOf platform:s3p-industry ; medkg:startDate ?first ; medkg:endDate ?last ;
            medkg:locality ?town ; medkg:inRegion ?region ; medkg:eventStatus ?status .
        FILTER CONTAINS(STR(?e), "/s3p-industry-steering-committee-")
        BIND (STRAFTER(STR(?e), "steering-committee-") AS ?number) } }"""
    assert table(store, query) == STEERING_COMMITTEES


def test_members_of_reconfirm(store: Store) -> None:
    query = """SELECT ?who ?role ?g { GRAPH ?g {
        ?m medkg:memberOf initiative:reconfirm ; medkg:member ?who ; medkg:role ?role } }"""
    assert table(store, query) == RECONFIRM


def test_services_of_the_community_of_practice(store: Store) -> None:
    query = "SELECT ?service { GRAPH ?g { initiative:s3-cop medkg:providesService ?service } }"
    assert {service for (service,) in table(store, query)} == S3_COP_SERVICES


def test_leads_of_the_vanguard_pilots_in_2015(store: Store) -> None:
    query = f"""SELECT ?pilot ?who {{ GRAPH <{GRAPH}s3vanguard-news-2015> {{
        ?m medkg:memberOf ?pilot ; medkg:member ?who ; medkg:role role:lead }} }}"""
    assert table(store, query) == VANGUARD_LEADS_OF_2015


def test_events_of_chain_reactions(store: Store) -> None:
    query = """SELECT ?e ?first { GRAPH ?g {
        ?e medkg:eventOf project:chain-reactions . OPTIONAL { ?e medkg:startDate ?first } } }"""
    assert table(store, query) == CHAIN_REACTIONS_EVENTS


def test_a_cancelled_event_never_counts_as_held(store: Store) -> None:
    query = f"""SELECT DISTINCT ?e {{
        GRAPH ?g {{ ?e medkg:eventStatus <{VOCAB}event-status/cancelled> }}
        GRAPH ?h {{ ?e medkg:eventStatus <{VOCAB}event-status/held> }} }}"""
    assert rows(store, query) == []


def test_events_end_on_or_after_their_first_day(store: Store) -> None:
    for event, first, last in rows(
        store,
        """SELECT ?e ?first ?last { GRAPH ?g {
            ?e a medkg:Event ; medkg:startDate ?first ; medkg:endDate ?last } }""",
    ):
        assert date.fromisoformat(first) <= date.fromisoformat(last), event


by_file = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)


@by_file
def test_no_blank_node(path: Path) -> None:
    assert not [q for q in quads(path) if BlankNode in {type(q.subject), type(q.object)}]


@by_file
def test_every_subject_has_one_class_and_an_english_name(path: Path) -> None:
    classes: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for quad in quads(path):
        subject = str(quad.subject)
        classes.setdefault(subject, [])
        if quad.predicate.value == RDF_TYPE:
            assert isinstance(quad.object, NamedNode)
            classes[subject].append(quad.object.value.removeprefix(MEDKG))
        if quad.predicate.value == f"{SKOS}prefLabel":
            assert isinstance(quad.object, Literal)
            names.setdefault(subject, []).append(quad.object.language or "")
    assert {subject: found for subject, found in classes.items() if len(found) != 1} == {}
    named = {subject for subject, (found,) in classes.items() if found not in MAY_GO_UNNAMED}
    assert {subject for subject in named if names.get(subject, []).count("en") != 1} == set()


def test_one_thing_has_one_english_name_in_all_files(store: Store) -> None:
    query = f"""SELECT DISTINCT ?s ?one ?other {{
        GRAPH ?g {{ ?s <{SKOS}prefLabel> ?one }} GRAPH ?h {{ ?s <{SKOS}prefLabel> ?other }}
        FILTER (LANG(?one) = "en" && LANG(?other) = "en" && STR(?one) < STR(?other)) }}"""
    assert rows(store, query) == []


def test_everything_pointed_at_is_described(store: Store) -> None:
    query = f"""SELECT DISTINCT ?o ?g {{ GRAPH ?g {{ ?s ?p ?o }}
        FILTER STRSTARTS(STR(?o), "{ID}") FILTER NOT EXISTS {{ GRAPH ?h {{ ?o a ?class }} }} }}"""
    assert rows(store, query) == []


def used(prefix: str) -> set[str]:
    """The IRIs of one namespace that some source file uses."""
    found = {q.object.value for path in SOURCES for q in quads(path) if isinstance(q.object, NamedNode)}
    return {iri for iri in found if iri.startswith(prefix)}


def subjects(path: Path) -> set[str]:
    """The IRIs that a Turtle file describes."""
    return {q.subject.value for q in quads(path) if isinstance(q.subject, NamedNode)}


def test_all_region_codes_exist() -> None:
    assert used(NUTS) - subjects(ROOT / "data" / "nuts.ttl") == set()


def test_all_concepts_exist() -> None:
    known = {iri for path in (ROOT / "ontology" / "vocab").glob("*.ttl") for iri in subjects(path)}
    assert used(VOCAB) - known == set()


@pytest.mark.skipif(not CATALOG.exists(), reason="the catalogue is merged later")
def test_every_file_has_a_catalogue_record() -> None:
    records: dict[str, set[str]] = {}
    for quad in quads(CATALOG):
        if isinstance(quad.subject, NamedNode):
            records.setdefault(quad.subject.value, set()).add(quad.predicate.value)
    required = {f"{DCT}{name}" for name in ("title", "publisher", "modified", "license", "rights")}
    missing = {
        path.stem: required - records.get(f"{GRAPH}{path.stem}", set())
        for path in SOURCES
        if not required <= records.get(f"{GRAPH}{path.stem}", set())
    }
    assert missing == {}
