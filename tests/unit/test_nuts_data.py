"""data/nuts.ttl and data/aliases.ttl: the regions, their hierarchy, their names and how they are found."""

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
FILES = ("nuts.ttl", "aliases.ttl")
NUTS = "http://data.europa.eu/nuts/code/"
SCHEME = "http://data.europa.eu/nuts/scheme/"
MEDKG = "https://w3id.org/medkg/ontology#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCT = "http://purl.org/dc/terms/"
COUNTRY = "http://publications.europa.eu/resource/authority/country/"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMES = {f"{SKOS}prefLabel", f"{SKOS}altLabel", f"{SKOS}hiddenLabel"}
PARTNERS = {"AL", "BA", "CH", "IS", "LI", "ME", "MK", "NO", "RS", "TR", "UA", "XK"}
TYPES = ("urbanRural", "coastal", "metropolitan", "border", "island", "mountain")
NOT_DECOMPOSED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "ð": "d"})


@dataclass
class Regions:
    """Both files, read without a store, by code."""

    quads: list[ox.Quad] = field(default_factory=list)
    values: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, list[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(list))
    schemes: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def one(self, code: str, term: str) -> str:
        (value,) = self.values[code, term]
        return value

    @cached_property
    def codes(self) -> list[str]:
        return [code for (code, term) in self.values if term == f"{RDF}type"]

    @cached_property
    def retired(self) -> set[str]:
        return {code for code in self.codes if self.one(code, f"{RDF}type") == f"{MEDKG}RetiredRegion"}

    @cached_property
    def current(self) -> set[str]:
        return set(self.codes) - self.retired

    def ancestors(self, code: str) -> list[str]:
        found = []
        while parents := self.values.get((code, f"{SKOS}broader")):
            (parent,) = parents
            code = parent.removeprefix(NUTS)
            found.append(code)
        return found


@pytest.fixture(scope="module")
def regions() -> Regions:
    found = Regions()
    for name in FILES:
        for quad in ox.parse(path=DATA / name, format=ox.RdfFormat.TURTLE):
            found.quads.append(quad)
            assert isinstance(quad.subject, ox.NamedNode)
            assert isinstance(quad.object, ox.NamedNode | ox.Literal)
            subject, term = quad.subject.value, quad.predicate.value
            named = isinstance(quad.object, ox.Literal) and quad.object.language is not None
            if named and term in NAMES:
                assert isinstance(quad.object, ox.Literal)
                label = (term.removeprefix(SKOS), quad.object.value, quad.object.language or "")
                if subject.startswith(NUTS):
                    found.labels[subject.removeprefix(NUTS)].append(label)
                else:
                    found.schemes[subject].append(label[1:])
            elif subject.startswith(NUTS):
                found.values[subject.removeprefix(NUTS), term].append(quad.object.value)
    return found


def fold(name: str) -> str:
    """Return the name as a look-up compares it: no case, accents, hyphens or other signs."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(NOT_DECOMPOSED))
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.sub(r"\W+", " ", bare).split())


@pytest.fixture(scope="module")
def index(regions: Regions) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for code, labels in regions.labels.items():
        for _, text, _ in labels:
            found[fold(text)].add(code)
    return found


def find(name: str, index: dict[str, set[str]], regions: Regions) -> set[str]:
    """Return the regions of that name: those in force before retired ones, the topmost of each branch."""
    codes = index.get(fold(name), set())
    codes = (codes & regions.current) or codes
    return {code for code in codes if not codes.intersection(regions.ancestors(code))}


# --- the codes


@pytest.mark.parametrize(
    ("group", "counts"),
    [
        ("member", {0: 27, 1: 92, 2: 244, 3: 1165}),
        ("partner", {0: 12, 1: 31, 2: 82, 3: 318}),
        ("uk", {0: 1, 1: 12, 2: 41, 3: 179}),
    ],
)
def test_counts(regions: Regions, group: str, counts: dict[int, int]) -> None:
    """All regions of the members, the partner countries and the United Kingdom are there, at each level."""

    def group_of(code: str) -> str:
        return "partner" if code[:2] in PARTNERS else "uk" if code[:2] == "UK" else "member"

    levels = (int(regions.one(c, f"{MEDKG}nutsLevel")) for c in regions.current if group_of(c) == group)
    assert Counter(levels) == counts


def test_a_code_tells_level_and_notation(regions: Regions) -> None:
    """Level and notation of each region agree with the code in its address."""
    for code in regions.codes:
        assert regions.one(code, f"{SKOS}notation") == code
        assert regions.one(code, f"{MEDKG}nutsLevel") == str(len(code) - 2)


def test_each_region_but_a_country_lies_in_the_one_above(regions: Regions) -> None:
    """Each broader region exists and its code begins the code of the part; only UKN10 to UKN16 differ."""
    odd = set()
    for code in regions.codes:
        parents = regions.values.get((code, f"{SKOS}broader"), [])
        if len(code) == 2:
            assert parents == []
            continue
        (parent,) = (iri.removeprefix(NUTS) for iri in parents)
        assert parent in regions.codes
        assert len(parent) == len(code) - 1
        if not code.startswith(parent):
            odd.add((code, parent))
    assert odd == {(f"UKN{number}", "UKN0") for number in range(10, 17)}


def test_extra_regio_stays_out(regions: Regions) -> None:
    """Codes ending in Z stand for territory outside all regions and are left out."""
    assert [code for code in regions.codes if len(code) > 2 and code.endswith("Z")] == []


def test_schemes(regions: Regions) -> None:
    """Regions in force stand in the scheme of 2024, the British ones in 2016's, retired ones in 2021's."""
    for code in regions.codes:
        year = "2021" if code in regions.retired else "2016" if code.startswith("UK") else "2024"
        assert regions.one(code, f"{SKOS}inScheme") == f"{SCHEME}{year}"
    assert set(regions.schemes) == {f"{SCHEME}{year}" for year in ("2016", "2021", "2024")}
    for labels in regions.schemes.values():
        assert sorted(tag for _, tag in labels) == ["en", "fr", "it", "pl"]


@pytest.mark.parametrize(
    ("code", "authority"),
    [("PL22", "POL"), ("EL30", "GRC"), ("UKM", "GBR"), ("XK", "XKX"), ("NL33", "NLD"), ("NO", "NOR")],
)
def test_countries(regions: Regions, code: str, authority: str) -> None:
    """The country is the EU authority's, whose codes are neither those of NUTS nor two letters long."""
    assert regions.one(code, f"{MEDKG}country") == f"{COUNTRY}{authority}"


def test_a_country_is_one(regions: Regions) -> None:
    """All regions under a country name it, and no two countries share a code of the EU authority."""
    countries = {code[:2]: regions.one(code, f"{MEDKG}country") for code in regions.codes if len(code) == 2}
    assert len(set(countries.values())) == len(countries) == 40
    assert all(regions.one(code, f"{MEDKG}country") == countries[code[:2]] for code in regions.codes)


def test_typologies(regions: Regions) -> None:
    """Every NUTS 3 region of the members has each of the six typologies, in words, and no other region."""
    wanted = {
        code
        for code in regions.current
        if len(code) == 5 and code[:2] not in PARTNERS and not code.startswith("UK")
    }
    for kind in TYPES:
        term = f"{MEDKG}{kind}Type"
        assert {code for code, key in regions.values if key == term} == wanted
        values = {regions.one(code, term) for code in wanted}
        assert 2 <= len(values) <= 4
        assert all(value[0].islower() for value in values)


# --- retired codes


def test_every_retired_code_has_current_replacements(regions: Regions) -> None:
    """The 54 NUTS codes and 3 statistical regions given up after 2021 lead to codes in force, same level."""
    assert len(regions.retired) == 57
    assert sum(code.startswith("NO") for code in regions.retired) == 3
    for code in regions.retired:
        heirs = [iri.removeprefix(NUTS) for iri in regions.values[code, f"{DCT}isReplacedBy"]]
        assert heirs
        assert all(heir in regions.current and len(heir) == len(code) for heir in heirs)
    assert {code for code, term in regions.values if term == f"{DCT}isReplacedBy"} == regions.retired


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("NL31", {"NL35"}),
        ("NL33", {"NL36"}),
        ("PT16", {"PT19", "PT1D"}),
        ("PT17", {"PT1A", "PT1B"}),
        ("PT18", {"PT1C", "PT1D"}),
        ("FI197", {"FI19B"}),
        ("PT16B", {"PT1D1"}),
        ("DEG0N", {"DEG0R"}),
        ("LV006", {"LV00A"}),
        ("LV007", {"LV00A", "LV00B", "LV00C"}),
        ("NO082", {"NO083", "NO084", "NO085"}),
    ],
)
def test_replacements(regions: Regions, old: str, new: set[str]) -> None:
    """Renumbered, merged and split regions lead to their heirs."""
    assert {iri.removeprefix(NUTS) for iri in regions.values[old, f"{DCT}isReplacedBy"]} == new


def test_inverses_are_not_written(regions: Regions) -> None:
    """skos:narrower and dct:replaces are made by the build, not kept here."""
    terms = {quad.predicate.value for quad in regions.quads}
    assert not terms & {f"{SKOS}narrower", f"{DCT}replaces", f"{SKOS}hasTopConcept"}


# --- names


def test_one_preferred_label_per_language(regions: Regions) -> None:
    """Over both files a region has at most one skos:prefLabel per language, and at least one in all."""
    for code in regions.codes:
        tags = Counter(tag for kind, _, tag in regions.labels[code] if kind == "prefLabel")
        assert tags
        assert max(tags.values()) == 1, (code, tags)


def test_a_name_has_one_kind(regions: Regions) -> None:
    """No name of a region is both preferred, alternative or hidden: SKOS forbids it."""
    for code, labels in regions.labels.items():
        names = Counter((text, tag) for _, text, tag in labels)
        assert max(names.values()) == 1, (code, names.most_common(1))


def test_names_are_clean(regions: Regions) -> None:
    """Names are NFC, without outer or doubled spaces, and in one script each."""
    for labels in regions.labels.values():
        for _, text, _ in labels:
            assert text == unicodedata.normalize("NFC", " ".join(text.split()))
            scripts = {unicodedata.name(character).split()[0] for character in text if character.isalpha()}
            assert len(scripts) == 1, text


@pytest.mark.parametrize("suffix", ["", "-latn"])
def test_scripts_fit_the_tags(regions: Regions, suffix: str) -> None:
    """Greek and Cyrillic languages are written in their script, and in Latin letters where tagged so."""
    for language in ("el", "bg", "mk", "sr", "uk", "cnr"):
        texts = [
            text for labels in regions.labels.values() for _, text, tag in labels if tag == language + suffix
        ]
        if language == "bg" and suffix:
            assert len(texts) == 36
        assert texts
        assert all(("LATIN" in unicodedata.name(text[0])) == bool(suffix) for text in texts)


def test_countries_and_aliased_regions_have_four_languages(regions: Regions) -> None:
    """Countries and the regions of aliases.ttl have a preferred label in English, French, Italian, Polish."""
    aliased = {
        quad.subject.value.removeprefix(NUTS)
        for quad in ox.parse(path=DATA / "aliases.ttl", format=ox.RdfFormat.TURTLE)
        if isinstance(quad.subject, ox.NamedNode)
    }
    assert len(aliased) > 60
    assert aliased <= regions.current
    for code in aliased | {code for code in regions.codes if len(code) == 2}:
        tags = {tag for kind, _, tag in regions.labels[code] if kind == "prefLabel"}
        assert tags >= {"en", "fr", "it", "pl"}, code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Silesia", "PL22"),
        ("Śląskie", "PL22"),
        ("Slaskie", "PL22"),
        ("slaskie", "PL22"),
        ("Silésie", "PL22"),
        ("Slesia", "PL22"),
        ("Upper Silesia", "PL22"),
        ("Górny Śląsk", "PL22"),
        ("Województwo śląskie", "PL22"),
        ("Lower Silesia", "PL51"),
        ("Dolnośląskie", "PL51"),
        ("Opole", "PL52"),
        ("Opolskie", "PL52"),
        ("Mazovia", "PL9"),
        ("Łódź Region", "PL71"),
        ("Warsaw", "PL911"),
        ("Milan", "ITC4C"),
        ("Veneto", "ITH3"),
        ("Vénétie", "ITH3"),
        ("Wenecja Euganejska", "ITH3"),
        ("Lombardy", "ITC4"),
        ("Piedmont", "ITC1"),
        ("Piemonte", "ITC1"),
        ("Tuscany", "ITI1"),
        ("Emilia Romagna", "ITH5"),
        ("Trento", "ITH2"),
        ("Puglia", "ITF4"),
        ("Auvergne Rhône-Alpes", "FRK"),
        ("Auvergne Rhone-Alpes", "FRK"),
        ("AUVERGNE RHONE ALPES", "FRK"),
        ("Auvergne-Rhône-Alpes", "FRK"),
        ("Alvernia-Rodano-Alpi", "FRK"),
        ("AURA", "FRK"),
        ("Rhône-Alpes", "FRK2"),
        ("Brittany", "FRH"),
        ("Bretagne", "FRH"),
        ("Normandy", "FRD"),
        ("Centre-Val de Loire", "FRB"),
        ("Brussels", "BE1"),
        ("Flanders", "BE2"),
        ("Vlaanderen", "BE2"),
        ("West Flanders", "BE25"),
        ("Wallonia", "BE3"),
        ("Wallonie", "BE3"),
        ("Région wallonne", "BE3"),
        ("Baden-Wuerttemberg", "DE1"),
        ("Bade-Wurtemberg", "DE1"),
        ("North Rhine-Westphalia", "DEA"),
        ("Thuringia", "DEG"),
        ("Upper Austria", "AT31"),
        ("Northern Netherlands", "NL1"),
        ("East Netherlands", "NL2"),
        ("South Netherlands", "NL4"),
        ("North Brabant", "NL41"),
        ("Limburg (NL)", "NL42"),
        ("Dutch Limburg", "NL42"),
        ("Belgian Limburg", "BE22"),
        ("Fryslan", "NL12"),
        ("South Holland", "NL36"),
        ("Zuid-Holland", "NL36"),
        ("Utrecht", "NL35"),
        ("Basque Country", "ES21"),
        ("Euskadi", "ES21"),
        ("Navarra", "ES22"),
        ("Castile and Leon", "ES41"),
        ("Castilla y León", "ES41"),
        ("Catalonia", "ES51"),
        ("Catalunya", "ES51"),
        ("Valencia", "ES52"),
        ("Andalucia", "ES61"),
        ("Murcia", "ES62"),
        ("Galicia", "ES11"),
        ("Asturias", "ES12"),
        ("Extremadura", "ES43"),
        ("Aragon", "ES24"),
        ("Norte", "PT11"),
        ("Centro (PT)", "PT19"),
        ("Hovedstaden", "DK01"),
        ("Capital Region of Denmark", "DK01"),
        ("Helsinki-Uusimaa", "FI1B"),
        ("Tampere Region", "FI19B"),
        ("Lapland", "FI1D7"),
        ("Kainuu", "FI1D8"),
        ("Central Finland", "FI198"),
        ("Skane", "SE224"),
        ("Örebro län", "SE124"),
        ("South Transdanubia", "HU23"),
        ("North Great Plain", "HU32"),
        ("Kosice", "SK042"),
        ("Usti", "CZ042"),
        ("Sterea Ellada", "EL64"),
        ("Attiki", "EL3"),
        ("Scotland", "UKM"),
        ("Wales", "UKL"),
        ("Slovenia", "SI"),
        ("Estonia", "EE"),
        ("Luxembourg", "LU"),
        ("Polska", "PL"),
        ("Greece", "EL"),
        ("GR", "EL"),
        ("Czech Republic", "CZ"),
        ("Viken", "NO082"),
    ],
)
def test_names_find_their_region(name: str, code: str, index: dict[str, set[str]], regions: Regions) -> None:
    """A name in any of the languages, with or without accents and hyphens, finds one region."""
    assert find(name, index, regions) == {code}


def test_aliases_are_unambiguous(index: dict[str, set[str]], regions: Regions) -> None:
    """Each name in aliases.ttl finds its region or a country of the same name; only Limburg is two."""
    ambiguous = {"limburg", "limbourg"}
    for quad in ox.parse(path=DATA / "aliases.ttl", format=ox.RdfFormat.TURTLE):
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.object, ox.Literal)
        code, name = quad.subject.value.removeprefix(NUTS), quad.object.value
        found = find(name, index, regions)
        if fold(name) in ambiguous:
            assert found == {"BE22", "NL42"}
        else:
            assert found == {code} or (found == {code[:2]} and len(code) == 3), name


def test_silesias_keep_apart(index: dict[str, set[str]]) -> None:
    """No name of Silesia is a name of Lower Silesia or Opole, and the other way round."""
    codes = {"PL22", "PL51", "PL52"}
    assert [name for name, found in index.items() if len(found & codes) > 1] == []


# --- the form


def test_only_plain_forms(regions: Regions) -> None:
    """No blank node, no number type but xsd:integer: what data files may hold."""
    for quad in regions.quads:
        assert isinstance(quad.subject, ox.NamedNode)
        assert not isinstance(quad.object, ox.BlankNode)
        if isinstance(quad.object, ox.Literal) and quad.object.language is None:
            assert quad.object.datatype.value in {f"{XSD}integer", f"{XSD}string"}


def test_language_tags_are_lower_case() -> None:
    """Language tags are written as the store keeps them, in lower case."""
    for name in FILES:
        tags = set(re.findall(r'"@([A-Za-z0-9-]+)', (DATA / name).read_text("utf-8")))
        assert tags
        assert all(tag == tag.lower() for tag in tags)


def test_the_store_keeps_every_statement(regions: Regions) -> None:
    """What Oxigraph gives back is what the files say, and no statement stands there twice."""
    store = ox.Store()
    store.extend(regions.quads)
    assert set(store) == set(regions.quads)
    assert len(store) == len(regions.quads)
