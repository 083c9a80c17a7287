"""Clusters, projects and priorities: who said what, and what each source file must look like."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

DATA = Path(__file__).parents[2] / "data"
FILES = tuple(sorted((DATA / "source").glob("*.ttl")))
CATALOG = DATA / "catalog.ttl"

ID = "https://w3id.org/medkg/id/"
VOCAB = "https://w3id.org/medkg/vocab/"
GRAPH = "https://w3id.org/medkg/graph/source/"
NUTS = "http://data.europa.eu/nuts/code/"
MEDKG = "https://w3id.org/medkg/ontology#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
EXACT_MATCH = "http://www.w3.org/2004/02/skos/core#exactMatch"
DCT = "http://purl.org/dc/terms/"
NAMELESS = {f"{MEDKG}Membership", f"{MEDKG}Observation"}

Node = NamedNode | Literal
Said = set[tuple[str, str]]


@cache
def triples(path: Path) -> frozenset[Triple]:
    """The statements of one source file, each literal spelled as the file spells it."""
    return frozenset(quad.triple for quad in parse(path=path, format=RdfFormat.TURTLE))


def statements() -> Iterator[tuple[str, str, str, Node]]:
    """Every statement of the sources as file, subject, predicate and object."""
    for path in FILES:
        for triple in triples(path):
            subject, value = triple.subject, triple.object
            assert isinstance(subject, NamedNode), path
            assert isinstance(value, NamedNode | Literal), path
            yield path.stem, subject.value, triple.predicate.value, value


@cache
def by_subject() -> dict[str, dict[str, list[tuple[str, str]]]]:
    """For each subject and property, the sources with the values they give."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for source, subject, predicate, value in statements():
        found.setdefault(subject, {}).setdefault(predicate, []).append((source, value.value))
    return found


def short(iri: str) -> str:
    """An IRI without the part that all its kind share."""
    return iri.removeprefix(ID).removeprefix(VOCAB).replace(NUTS, "nuts:")


def said(subject: str, predicate: str) -> Said:
    """What each source says on one property of one entity."""
    full = predicate if predicate.startswith("http") else MEDKG + predicate
    return {(source, short(value)) for source, value in by_subject()[ID + subject].get(full, [])}


def instances(name: str) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """Every entity of one class, with its properties."""
    wanted = MEDKG + name
    return {
        iri: properties
        for iri, properties in by_subject().items()
        if wanted in {value for _, value in properties.get(TYPE, [])}
    }


def members(collaboration: str) -> set[tuple[str, str, str]]:
    """Each source with a member and the role that it gives the member."""
    return {
        (source, short(member), role.removeprefix(f"{VOCAB}role/"))
        for properties in instances("Membership").values()
        for source, whole in properties[f"{MEDKG}memberOf"]
        if whole == ID + collaboration
        for other, member in properties[f"{MEDKG}member"]
        if other == source
        for third, role in properties[f"{MEDKG}role"]
        if third == source
    }


def observed(about: str, metric: str) -> set[tuple[str, str, str, str]]:
    """Each source with a value, the qualifier and the date (empty when the source has none)."""
    return {
        (source, value, properties[f"{MEDKG}qualifier"][0][1].rpartition("/")[2], date)
        for properties in instances("Observation").values()
        if properties[f"{MEDKG}about"][0][1] == about
        and properties[f"{MEDKG}metric"][0][1] == f"{VOCAB}metric/{metric}"
        for source, value in properties[f"{MEDKG}value"]
        for date in {text for _, text in properties.get(f"{MEDKG}observedOn", [("", "")])}
    }


def clusters_in(country: str) -> set[str]:
    """The clusters that some source places in a region of the country."""
    return {
        short(iri).removeprefix("organisation/")
        for iri, properties in instances("Cluster").items()
        if any(region.startswith(NUTS + country) for _, region in properties.get(f"{MEDKG}inRegion", []))
    }


def priorities_of(region: str) -> dict[str, set[str]]:
    """The specialisation priorities of a region, each with its periods."""
    found: dict[str, set[str]] = {}
    for iri, properties in instances("S3Priority").items():
        if NUTS + region not in {value for _, value in properties[f"{MEDKG}ofRegion"]}:
            continue
        starts = dict(properties.get(f"{MEDKG}validFrom", []))
        ends = dict(properties.get(f"{MEDKG}validTo", []))
        periods = {f"{starts[source]}-{ends.get(source, '')}" for source in starts}
        found[short(iri).removeprefix("priority/")] = periods
    return found


# --- facts ---------------------------------------------------------------------------------------------


def test_s3martmed_has_five_clusters() -> None:
    """The partnership's profile names one coordinator and four partners."""
    source = "eccp-s3martmed"

    assert {each for each in members("cluster-partnership/s3martmed") if each[0] == source} == {
        (source, "organisation/lyonbiopole", "coordinator"),
        (source, "organisation/biowin", "partner"),
        (source, "organisation/biopmed", "partner"),
        (source, "organisation/medsilesia", "partner"),
        (source, "organisation/bioregio-stern", "partner"),
    }


def test_s3martmed_is_a_cosme_partnership_of_two_years() -> None:
    """Dates and funding of the partnership come from its profile and its own site."""
    assert ("eccp-s3martmed", "2018-10-01") in said("cluster-partnership/s3martmed", "startDate")
    assert ("eccp-s3martmed", "2020-09-30") in said("cluster-partnership/s3martmed", "endDate")
    assert said("cluster-partnership/s3martmed", "fundedUnder") >= {
        ("eccp-s3martmed", "funding-scheme/cosme"),
        ("s3martmed-own-site", "funding-scheme/cosme"),
    }


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        pytest.param(
            "managedBy",
            {
                ("medsilesia-o-klastrze", "organisation/gapr"),
                ("gliwice-medsilesia-2016", "organisation/gapr"),
                ("gapr-medsilesia-key-cluster-2023", "organisation/gapr"),
            },
            id="manager",
        ),
        pytest.param("foundingDate", {("medsilesia-o-klastrze", "2007-04-06")}, id="founding date"),
        pytest.param(
            "locality",
            {("medsilesia-o-klastrze", "Gliwice"), ("gliwice-medsilesia-2016", "Gliwice")},
            id="town",
        ),
        pytest.param(
            "inRegion",
            {
                ("medsilesia-o-klastrze", "nuts:PL22"),
                ("gliwice-medsilesia-2016", "nuts:PL22"),
                ("gapr-medsilesia-key-cluster-2023", "nuts:PL22"),
                ("clustercollaboration-s3martmed-start", "nuts:PL22"),
            },
            id="region",
        ),
    ],
)
def test_medsilesia(predicate: str, expected: Said) -> None:
    """Each fact on MedSilesia names the sources that give it."""
    assert said("organisation/medsilesia", predicate) == expected


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        (
            "IT",
            {
                "biopmed",
                "clust-er-health",
                "cluster-lombardo-scienze-della-vita",
                "tech4life",
                "techforlife",
            },
        ),
        ("FR", {"i-care-cluster", "i-care-lab", "lyonbiopole", "medicalps"}),
        ("BE", {"biowin", "medvia"}),
    ],
)
def test_clusters_of_a_country(country: str, expected: set[str]) -> None:
    """A country's clusters are found by the codes of their regions."""
    assert clusters_in(country) == expected


def test_lyonbiopole_member_counts_disagree() -> None:
    """Each count of members stays with its source, its date and its qualifier."""
    assert observed(f"{ID}organisation/lyonbiopole", "members") == {
        ("latribune-lyonbiopole-2016", "123", "exactly", ""),
        ("latribune-lyonbiopole-2016", "190", "exactly", "2015"),
        ("latribune-lyonbiopole-phase-iv-2018", "137", "exactly", "2013"),
        ("latribune-lyonbiopole-phase-iv-2018", "206", "exactly", "2017"),
        ("aderly-lyonbiopole-2018", "208", "exactly", "2017"),
    }


def test_founding_dates_of_biowin_disagree() -> None:
    """Three sources date the cluster, one of them a year earlier."""
    assert said("organisation/biowin", "foundingDate") == {
        ("eccp-biowin", "2006-07-01"),
        ("biowin-own-site", "2006"),
        ("medicen-european-clusters", "2005"),
    }


def test_medtech4europe_partners() -> None:
    """The project's nine partners and their roles are those of the fullest source."""
    source = "cea-leti-medtech4europe"
    roles = {(member, role) for origin, member, role in members("project/medtech4europe") if origin == source}

    assert roles == {
        ("nuts:FRK", "lead"),
        ("organisation/cea", "expert"),
        ("nuts:DK01", "partner"),
        ("nuts:NL42", "partner"),
        ("organisation/gapr", "partner"),
        ("organisation/helsinki-uusimaa-regional-council", "partner"),
        ("organisation/steinbeis-europa-zentrum", "partner"),
        ("organisation/stria", "partner"),
        ("organisation/techforlife", "partner"),
    }


def test_medtech4europe_roles_agree_between_sources() -> None:
    """No other page of the project gives a partner another role."""
    sources = {
        "cea-leti-medtech4europe",
        "ecomnews-aura-medtech-2018",
        "regionh-medtech4europe",
        "limburg-medtech4europe",
        "brightlands-medtech4europe-2018",
        "ddriu-medtech4europe-2018",
    }
    found = {each for each in members("project/medtech4europe") if each[0] in sources}

    assert {source for source, _, _ in found} == sources
    assert len({(member, role) for _, member, role in found}) == len({member for _, member, _ in found})


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("startDate", {("cea-leti-medtech4europe", "2018-06-01"), ("regionh-medtech4europe", "2018-06-01")}),
        ("endDate", {("cea-leti-medtech4europe", "2022-11-30"), ("regionh-medtech4europe", "2022-11-30")}),
        ("totalCost", {("cea-leti-medtech4europe", "1700000"), ("regionh-medtech4europe", "1716495")}),
        ("euContribution", {("cea-leti-medtech4europe", "1400000")}),
        (EXACT_MATCH, {("kohesio-medtech4europe", "https://linkedopendata.eu/entity/Q4301052")}),
    ],
)
def test_medtech4europe_dates_and_budget(predicate: str, expected: Said) -> None:
    """The rounded and the exact amount both stand, each with its source."""
    assert said("project/medtech4europe", predicate) == expected


def test_auvergne_rhone_alpes_co_leads_medtech() -> None:
    """The news text says that the region co-leads the group, on the day of its publication."""
    membership = "membership/medtech-frk-co-lead"
    source = "ecomnews-aura-medtech-2018"

    assert (source, "nuts:FRK", "co-lead") in members("partnership/medtech")
    assert (source, "2018-08-09") in said(membership, "statedOn")


def test_priorities_of_slaskie() -> None:
    """Three priorities come from the strategy of 2013 and two were added in 2018."""
    assert priorities_of("PL22") == {
        "pl22-energy": {"2013-2020"},
        "pl22-medicine": {"2013-2020"},
        "pl22-ict": {"2013-2020"},
        "pl22-green-economy": {"2018-"},
        "pl22-emerging-industries": {"2018-"},
    }


def test_priorities_of_veneto() -> None:
    """Six areas hold for 2021 to 2027 and only one of them is health."""
    period = {"2021-2027"}

    assert priorities_of("ITH3") == {
        "ith3-smart-agrifood": period,
        "ith3-smart-manufacturing": period,
        "ith3-smart-living-energy": period,
        "ith3-smart-health": period,
        "ith3-culture-creativity": period,
        "ith3-smart-destination": period,
    }
    assert {
        short(iri)
        for iri, properties in instances("S3Priority").items()
        if f"{NUTS}ITH3" in {value for _, value in properties[f"{MEDKG}ofRegion"]}
        and f"{VOCAB}theme/health" in {value for _, value in properties.get(f"{MEDKG}priorityTheme", [])}
    } == {"priority/ith3-smart-health"}


# --- form ----------------------------------------------------------------------------------------------


def test_sources_have_no_blank_nodes() -> None:
    """Every node can be named from outside."""
    found = {
        path.name
        for path in FILES
        for triple in triples(path)
        if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode)
    }

    assert found == set()


def test_subjects_are_typed_and_named_in_their_file() -> None:
    """A file can be read alone: each subject has one medkg class and, where it needs one, an English name."""
    wrong = set()
    for path in FILES:
        classes: dict[str, list[str]] = {}
        names: dict[str, list[str]] = {}
        for triple in triples(path):
            assert isinstance(triple.subject, NamedNode)
            subject, value = triple.subject.value, triple.object
            classes.setdefault(subject, [])
            if triple.predicate.value == TYPE and isinstance(value, NamedNode):
                classes[subject].append(value.value)
            if triple.predicate.value == PREF_LABEL and isinstance(value, Literal) and value.language == "en":
                names.setdefault(subject, []).append(value.value)
        for subject, types in classes.items():
            if not subject.startswith(ID):
                continue
            own = [each for each in types if each.startswith(MEDKG)]
            nameless = set(own) <= NAMELESS
            if len(own) != 1 or not (nameless or len(names.get(subject, [])) == 1):
                wrong.add((path.stem, short(subject)))

    assert wrong == set()


def test_an_entity_has_one_english_name() -> None:
    """All sources call an entity by the same English name."""
    names: dict[str, set[str]] = {}
    for _, subject, predicate, value in statements():
        if predicate == PREF_LABEL and isinstance(value, Literal) and value.language == "en":
            names.setdefault(subject, set()).add(value.value)

    assert {subject: found for subject, found in names.items() if len(found) > 1} == {}


def test_an_observation_belongs_to_one_source() -> None:
    """Two sources never share an observation, so no value is overwritten."""
    shared = {iri for iri, found in instances("Observation").items() if len(found[TYPE]) > 1}

    assert shared == set()


def test_region_codes_exist() -> None:
    """Each NUTS code of the sources is in the list of regions."""
    known = {
        quad.subject.value
        for quad in parse(path=DATA / "nuts.ttl", format=RdfFormat.TURTLE)
        if isinstance(quad.subject, NamedNode)
    }
    used = {
        value.value
        for _, _, _, value in statements()
        if isinstance(value, NamedNode) and value.value.startswith(NUTS)
    }

    assert used - known == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_store_keeps_each_literal(path: Path) -> None:
    """No literal is rewritten when a source is loaded into the store."""
    store = Store()
    store.extend(Quad(triple.subject, triple.predicate, triple.object) for triple in triples(path))

    assert {quad.triple for quad in store} == triples(path)


@pytest.mark.skipif(not CATALOG.exists(), reason="the catalogue is not built yet")
def test_each_source_file_has_a_catalogue_record() -> None:
    """The catalogue says of each file which graph it is, and where its facts were seen."""
    records: dict[str, dict[str, set[str]]] = {}
    for quad in parse(path=CATALOG, format=RdfFormat.TURTLE):
        assert isinstance(quad.subject, NamedNode)
        assert isinstance(quad.object, NamedNode | Literal)
        record = records.setdefault(quad.subject.value, {})
        record.setdefault(quad.predicate.value, set()).add(quad.object.value)

    wrong = {
        path.stem
        for path in FILES
        for record in [records.get(GRAPH + path.stem, {})]
        if record.get(f"{MEDKG}file") != {f"source/{path.name}"}
        or not {f"{DCT}title", f"{DCT}publisher", f"{DCT}license", f"{DCT}rights"} <= record.keys()
        or not record.keys() & {f"{DCT}source", f"{DCT}bibliographicCitation"}
    }
    assert wrong == set()
