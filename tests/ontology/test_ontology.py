"""The ontology files: complete in four languages, each in its part, covering all that data and shapes use."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse
from rdflib import OWL, RDF, RDFS, SKOS, XSD, BNode, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.collection import Collection
from rdflib.namespace import DCTERMS, FOAF, ORG, PROV, SDO, VANN, DefinedNamespace
from rdflib.term import Node

ROOT = Path(__file__).parents[2]
ONTOLOGY = ROOT / "ontology"
HEADERS = ("medkg.ttl", "medkg-restrictions.ttl", "alignments.ttl")
VOCABULARY_FILES = tuple(sorted((ONTOLOGY / "vocab").glob("*.ttl")))
DATA_FILES = tuple(sorted((ROOT / "data").rglob("*.ttl")))
USING_FILES = (
    *(ONTOLOGY / name for name in HEADERS),
    *VOCABULARY_FILES,
    *sorted((ROOT / "shapes").rglob("*.ttl")),
    *DATA_FILES,
    *sorted((ROOT / "data").rglob("*.rq")),
)

IRI = URIRef("https://w3id.org/medkg/ontology")
MEDKG = "https://w3id.org/medkg/ontology#"
LANGUAGES = ("en", "fr", "it", "pl")
LANGUAGE_VOCABULARIES = tuple(
    str(namespace) for namespace in (RDF, RDFS, OWL, XSD, "http://www.w3.org/ns/shacl#")
)
PROPERTY_KINDS = (OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)

CORE_TYPES = frozenset({OWL.Ontology, OWL.Class, *PROPERTY_KINDS})
CORE_PREDICATES = frozenset(
    {
        RDF.type,
        RDFS.label,
        RDFS.isDefinedBy,
        RDFS.subClassOf,
        RDFS.subPropertyOf,
        SKOS.definition,
        SKOS.scopeNote,
    }
)
RANGES_OF_VALUES = frozenset({XSD.integer, XSD.decimal, XSD.string, XSD.anyURI, RDFS.Literal})

# Properties that anything may carry, or that may lead to anything.
WITHOUT_DOMAIN = frozenset(
    {
        "acronym",
        "aim",
        "approach",
        "claim",
        "endDate",
        "hasObservation",
        "locality",
        "memberCount",
        "sha256",
        "startDate",
        "startTRL",
        "targetTRL",
    }
)
WITHOUT_RANGE = frozenset({"about", "country", "currency"})
# Days, months or years: their types are outside the datatype map of OWL 2.
DATES = frozenset(
    {
        "endDate",
        "established",
        "foundingDate",
        "memberFrom",
        "memberTo",
        "observedOn",
        "plannedFrom",
        "plannedTo",
        "startDate",
        "statedOn",
        "validFrom",
        "validTo",
    }
)
DATE_TYPES = frozenset({str(XSD.date), str(XSD.gYearMonth), str(XSD.gYear)})
VALUE_TYPES_OF_RANGE: Mapping[Node, frozenset[str]] = MappingProxyType(
    {
        XSD.integer: frozenset({str(XSD.integer)}),
        XSD.decimal: frozenset({str(XSD.integer), str(XSD.decimal)}),
        XSD.string: frozenset({str(XSD.string)}),
        RDFS.Literal: frozenset({str(RDF.langString)}),
    }
)
# How the JSON-LD context reads a plain value, where the range of the property does not say it.
TEXT_WITH_LANGUAGE = frozenset({"agenda", "aim", "approach", "claim", "continuation", "expectedEffect"})
COERCED_DATES = (
    ("startDate", "xsd:date"),
    ("endDate", "xsd:date"),
    ("plannedFrom", "xsd:gYearMonth"),
    ("plannedTo", "xsd:gYearMonth"),
)
# A figure may be whole or not, so its type is left to the document.
UNCOERCED = frozenset({"value"})
# Vocabularies that rdflib knows by heart.
BUNDLED_VOCABULARIES: tuple[type[DefinedNamespace], ...] = (SKOS, DCTERMS, FOAF, PROV, ORG, SDO, VANN)


def identify(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def terms(graph: Graph, *kinds: Node) -> list[URIRef]:
    """Return the terms of medkg that a graph declares as one of the kinds (all kinds by default)."""
    wanted = kinds or (OWL.Class, *PROPERTY_KINDS)
    found = {term for kind in wanted for term in graph.subjects(RDF.type, kind)}
    return sorted(term for term in found if isinstance(term, URIRef) and term.startswith(MEDKG))


def local(term: Node | str) -> str:
    return str(term).rpartition("#")[2]


def languages(graph: Graph, term: Node, predicate: URIRef) -> list[str]:
    return sorted(
        value.language or "" for value in graph.objects(term, predicate) if isinstance(value, RdfLiteral)
    )


def alternatives(graph: Graph, node: Node) -> list[Node]:
    """Return the classes of a union, or the class itself."""
    union = graph.value(node, OWL.unionOf)
    return [node] if union is None else list(Collection(graph, union))


def statements(path: Path) -> Iterator[Quad]:
    return iter(parse(path=path, format=RdfFormat.TURTLE))


def context() -> dict[str, object]:
    document = json.loads((ONTOLOGY / "context.jsonld").read_text(encoding="utf-8"))
    definitions = document["@context"]
    assert isinstance(definitions, dict)
    return definitions


def expand(value: str, definitions: Mapping[str, object]) -> str:
    prefix, colon, rest = value.partition(":")
    namespace = definitions.get(prefix)
    return f"{namespace}{rest}" if colon and isinstance(namespace, str) else value


# --- Labels, definitions, names


@pytest.mark.parametrize("predicate", [RDFS.label, SKOS.definition], ids=["label", "definition"])
def test_every_term_is_told_in_four_languages(core: Graph, predicate: URIRef) -> None:
    """Every term has exactly one label and one definition in each of the four languages."""
    told = {local(term): languages(core, term, predicate) for term in terms(core)}
    assert {name: found for name, found in told.items() if found != list(LANGUAGES)} == {}


def test_scope_notes_come_in_four_languages(core: Graph) -> None:
    """A scope note stands in all four languages or in none."""
    told = {local(term): languages(core, term, SKOS.scopeNote) for term in terms(core)}
    assert {name: found for name, found in told.items() if found not in ([], list(LANGUAGES))} == {}


@pytest.mark.parametrize(
    "name",
    [
        "Cluster",
        "Collaboration",
        "InnovationAction",
        "Observation",
        "Partnership",
        "Region",
        "hasMember",
        "memberOf",
    ],
)
def test_misleading_words_have_a_scope_note(core: Graph, name: str) -> None:
    """A word that is used otherwise elsewhere has a note saying what is not meant."""
    assert languages(core, URIRef(MEDKG + name), SKOS.scopeNote) == list(LANGUAGES)


def test_every_term_says_where_it_is_defined(core: Graph) -> None:
    """rdfs:isDefinedBy of every term is the ontology, and nothing else."""
    wrong = [local(term) for term in terms(core) if list(core.objects(term, RDFS.isDefinedBy)) != [IRI]]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty], ids=local)
def test_labels_tell_terms_apart(core: Graph, kind: URIRef, language: str) -> None:
    """No two classes, and no two properties of one kind, share a label in a language."""
    labels = Counter(
        str(label)
        for term in terms(core, kind)
        for label in core.objects(term, RDFS.label)
        if isinstance(label, RdfLiteral) and label.language == language
    )
    assert [label for label, count in labels.items() if count > 1] == []


def test_definitions_are_sentences_and_not_repeated(core: Graph) -> None:
    """Every definition ends with a full stop, and no two terms have the same one in a language."""
    texts = [value for term in terms(core) for value in core.objects(term, SKOS.definition)]
    assert [text for text in texts if not str(text).endswith(".")] == []
    assert [text for text, count in Counter(texts).items() if count > 1] == []


@pytest.mark.parametrize(
    ("kinds_named", "pattern"),
    [((OWL.Class,), r"[A-Z][A-Za-z0-9]+"), (PROPERTY_KINDS, r"[a-z][A-Za-z0-9]+")],
    ids=["classes", "properties"],
)
def test_names(core: Graph, kinds_named: tuple[URIRef, ...], pattern: str) -> None:
    """Names of classes begin with a capital, names of properties with a small letter."""
    wrong = [local(term) for term in terms(core, *kinds_named) if not re.fullmatch(pattern, local(term))]
    assert wrong == []


# --- Each file holds its own part


def test_the_core_only_declares_and_subsumes(core: Graph) -> None:
    """The core file has no domain, range, inverse, disjointness, characteristic, restriction or mapping."""
    odd_types = {local(kind) for kind in core.objects(None, RDF.type)} - {local(kind) for kind in CORE_TYPES}
    odd_predicates = {
        str(predicate)
        for term in terms(core)
        for predicate in core.predicates(term)
        if predicate not in CORE_PREDICATES
    }
    assert (odd_types, odd_predicates) == (set(), set())
    assert [node for node in core.all_nodes() if isinstance(node, BNode)] == []


@pytest.mark.parametrize("name", HEADERS)
def test_the_header_names_its_version(name: str) -> None:
    """Each ontology file has one header; its version IRI is the ontology's IRI followed by the version."""
    graph = Graph().parse(ONTOLOGY / name)
    (ontology,) = graph.subjects(RDF.type, OWL.Ontology)
    (version,) = graph.objects(ontology, OWL.versionInfo)
    assert list(graph.objects(ontology, OWL.versionIRI)) == [URIRef(f"{ontology}/{version}")]
    assert re.fullmatch(r"\d+\.\d+\.\d+", str(version))
    for predicate in (RDFS.label, DCTERMS.title, DCTERMS.description):
        assert languages(graph, ontology, predicate) == list(LANGUAGES)


def test_the_files_share_one_version() -> None:
    """Core, restrictions and alignments are released together, under the version of the package."""
    versions = {
        str(version)
        for name in HEADERS
        for version in Graph().parse(ONTOLOGY / name).objects(None, OWL.versionInfo)
    }
    package = re.search(
        r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert package is not None
    assert versions == {package[1]}


def test_terms_are_declared_in_the_core_only(restrictions: Graph, alignments: Graph) -> None:
    """Restrictions and alignments declare no term of medkg."""
    assert terms(restrictions) == []
    assert terms(alignments) == []


def test_no_term_has_two_kinds(kinds: Mapping[str, frozenset[URIRef]]) -> None:
    """No term is both a class and a property, or a property of two kinds."""
    assert {term for term, found in kinds.items() if len(found) > 1} == set()


def test_nothing_is_said_about_foreign_terms_but_their_kind(alignments: Graph) -> None:
    """In the alignments a foreign term is the subject of one statement: its declaration."""
    said = [
        (subject, predicate)
        for subject, predicate in alignments.subject_predicates()
        if not str(subject).startswith(str(IRI)) and predicate != RDF.type
    ]
    assert said == []


@pytest.mark.parametrize("vocabulary", BUNDLED_VOCABULARIES, ids=str)
def test_foreign_terms_exist(alignments: Graph, vocabulary: type[DefinedNamespace]) -> None:
    """Every declared term of a vocabulary that rdflib knows by heart is in that vocabulary."""
    declared = {term for term in alignments.subjects(RDF.type) if str(term).startswith(str(vocabulary))}
    assert declared
    assert declared - {vocabulary[name] for name in vocabulary.__annotations__} == set()


# --- Domains, ranges and inverses


def test_restrictions_speak_of_declared_terms(
    restrictions: Graph, alignments: Graph, kinds: Mapping[str, frozenset[URIRef]]
) -> None:
    """Every class and property in the restrictions and alignments is declared with a kind."""
    unknown = {
        str(node)
        for graph in (restrictions, alignments)
        for triple in graph
        for node in triple
        if isinstance(node, URIRef) and node.startswith(MEDKG) and str(node) not in kinds
    }
    assert unknown == set()


def test_properties_have_a_domain(core: Graph, restrictions: Graph) -> None:
    """Every object and datatype property has one domain, except those that anything may carry."""
    properties = terms(core, OWL.ObjectProperty, OWL.DatatypeProperty)
    counts = {local(term): len(list(restrictions.objects(term, RDFS.domain))) for term in properties}
    assert {name for name, count in counts.items() if count == 0} == WITHOUT_DOMAIN
    assert {name for name, count in counts.items() if count > 1} == set()


def test_properties_have_a_range(core: Graph, restrictions: Graph) -> None:
    """Every object and datatype property has one range, except dates and those that lead outside."""
    properties = terms(core, OWL.ObjectProperty, OWL.DatatypeProperty)
    counts = {local(term): len(list(restrictions.objects(term, RDFS.range))) for term in properties}
    assert {name for name, count in counts.items() if count == 0} == WITHOUT_RANGE | DATES
    assert {name for name, count in counts.items() if count > 1} == set()


def test_ranges_of_values_are_in_the_datatype_map(core: Graph, restrictions: Graph) -> None:
    """A datatype property has a range that OWL 2 knows and that stores keep unchanged."""
    ranges = {
        found
        for term in terms(core, OWL.DatatypeProperty)
        for found in restrictions.objects(term, RDFS.range)
    }
    assert ranges - RANGES_OF_VALUES == set()


def test_inverses_mirror_each_other(restrictions: Graph) -> None:
    """The domain of a property is the range of its inverse, and the other way round."""
    pairs = list(restrictions.subject_objects(OWL.inverseOf))
    assert pairs

    def side(term: Node, predicate: URIRef) -> set[Node]:
        return {
            leaf
            for node in restrictions.objects(term, predicate)
            for leaf in alternatives(restrictions, node)
        }

    crooked = [
        local(one)
        for one, other in pairs
        if side(one, RDFS.domain) != side(other, RDFS.range)
        or side(one, RDFS.range) != side(other, RDFS.domain)
    ]
    assert crooked == []


def test_every_class_is_connected(core: Graph, restrictions: Graph) -> None:
    """Every class, or a class above or below it, is the domain or range of some property."""
    used = {
        leaf
        for predicate in (RDFS.domain, RDFS.range)
        for node in restrictions.objects(None, predicate)
        for leaf in alternatives(restrictions, node)
    }
    alone = [
        local(term)
        for term in terms(core, OWL.Class)
        if not used
        & {*core.transitive_objects(term, RDFS.subClassOf), *core.transitive_subjects(RDFS.subClassOf, term)}
    ]
    assert alone == []


@pytest.mark.parametrize("predicate", [RDFS.subClassOf, RDFS.subPropertyOf], ids=local)
def test_no_term_is_above_itself(core: Graph, alignments: Graph, predicate: URIRef) -> None:
    """The hierarchies have no circle."""
    both = core + alignments
    circles = [
        local(term)
        for term in terms(core)
        for parent in both.objects(term, predicate)
        if term in set(both.transitive_objects(parent, predicate))
    ]
    assert circles == []


# --- What data, vocabularies, shapes and questions use


@pytest.mark.parametrize("path", USING_FILES, ids=identify)
def test_no_term_dangles(path: Path, kinds: Mapping[str, frozenset[URIRef]]) -> None:
    """Every medkg: term that a file uses, also inside a query, is declared."""
    text = path.read_text(encoding="utf-8")
    used = set(re.findall(r"\bmedkg:([A-Za-z]\w*)", text)) | set(
        re.findall(rf"{re.escape(MEDKG)}(\w+)", text)
    )
    assert {name for name in used if MEDKG + name not in kinds} == set()


@pytest.mark.parametrize("path", [*VOCABULARY_FILES, *DATA_FILES], ids=identify)
def test_used_terms_are_declared_with_the_right_kind(
    path: Path, kinds: Mapping[str, frozenset[URIRef]]
) -> None:
    """Types are classes, object properties lead to things and datatype properties to values."""
    faults = set()
    for quad in statements(path):
        predicate = quad.predicate.value
        if predicate == str(RDF.type):
            target = quad.object.value if isinstance(quad.object, NamedNode) else "no IRI"
            if not target.startswith(LANGUAGE_VOCABULARIES) and OWL.Class not in kinds.get(target, ()):
                faults.add(("not a declared class", target))
        elif not predicate.startswith(LANGUAGE_VOCABULARIES):
            declared = kinds.get(predicate, frozenset())
            if not declared & set(PROPERTY_KINDS):
                faults.add(("not a declared property", predicate))
            elif OWL.ObjectProperty in declared and isinstance(quad.object, Literal):
                faults.add(("object property with a value", predicate))
            elif OWL.DatatypeProperty in declared and not isinstance(quad.object, Literal):
                faults.add(("datatype property with a thing", predicate))
    assert faults == set()


def test_data_keep_to_domains_and_ranges(core: Graph, restrictions: Graph) -> None:
    """Subjects and objects in the data have, by their stated types, a class of the domain or range."""
    quads = [quad for path in (*VOCABULARY_FILES, *DATA_FILES) for quad in statements(path)]
    types: dict[str, set[Node]] = {}
    for quad in quads:
        if quad.predicate.value == str(RDF.type) and isinstance(quad.object, NamedNode):
            above = core.transitive_objects(URIRef(quad.object.value), RDFS.subClassOf)
            types.setdefault(str(quad.subject), set()).update(node for node in above if node is not None)
    wanted = {
        (str(term), predicate): set(alternatives(restrictions, node))
        for predicate in (RDFS.domain, RDFS.range)
        for term, node in restrictions.subject_objects(predicate)
    }
    everything: set[Node] = set()
    faults = {
        (local(quad.predicate.value), local(predicate), str(node))
        for quad in quads
        for predicate, node in ((RDFS.domain, quad.subject), (RDFS.range, quad.object))
        if not isinstance(node, Literal)
        for allowed in [wanted.get((quad.predicate.value, predicate), everything)]
        if allowed and not allowed & types.get(str(node), everything)
    }
    assert faults == set()


def test_values_have_the_type_of_their_range(restrictions: Graph) -> None:
    """Numbers, text and dates in the data have the datatype that the range of their property names."""
    allowed = {MEDKG + name: DATE_TYPES for name in DATES}
    for term, found in restrictions.subject_objects(RDFS.range):
        if found in VALUE_TYPES_OF_RANGE:
            allowed[str(term)] = VALUE_TYPES_OF_RANGE[found]
    faults = {
        (local(quad.predicate.value), str(quad.object))
        for path in DATA_FILES
        for quad in statements(path)
        if isinstance(quad.object, Literal)
        and quad.object.datatype.value not in allowed.get(quad.predicate.value, {quad.object.datatype.value})
    }
    assert faults == set()


def test_functional_properties_have_one_value(restrictions: Graph) -> None:
    """No subject has, over all sources together, two values of a functional property."""
    functional = {str(term) for term in restrictions.subjects(RDF.type, OWL.FunctionalProperty)}
    values: dict[tuple[str, str], set[str]] = {}
    for path in DATA_FILES:
        for quad in statements(path):
            if quad.predicate.value in functional:
                key = (str(quad.subject), local(quad.predicate.value))
                values.setdefault(key, set()).add(str(quad.object))
    assert {key: found for key, found in values.items() if len(found) > 1} == {}


# --- The JSON-LD context


def test_the_context_covers_every_term(core: Graph) -> None:
    """Every class and property is a key of the context and leads to its own IRI."""
    definitions = context()
    wrong = {}
    for term in terms(core):
        entry = definitions.get(local(term))
        target = entry.get("@id") if isinstance(entry, dict) else entry
        if not isinstance(target, str) or expand(target, definitions) != str(term):
            wrong[local(term)] = entry
    assert wrong == {}


def test_the_context_reads_values_as_the_ontology_means_them(core: Graph, restrictions: Graph) -> None:
    """Object properties take IRIs, numbers and days are typed, text with languages is a language map."""
    definitions = context()
    dates = dict(COERCED_DATES)
    wrong = {}
    for term in terms(core, OWL.ObjectProperty, OWL.DatatypeProperty):
        name = local(term)
        expected: dict[str, str] = {"@id": f"medkg:{name}"}
        if (term, RDF.type, OWL.ObjectProperty) in core:
            expected["@type"] = "@id"
        elif name in TEXT_WITH_LANGUAGE:
            expected["@container"] = "@language"
        elif name in dates:
            expected["@type"] = dates[name]
        elif name not in UNCOERCED and restrictions.value(term, RDFS.range) in (XSD.integer, XSD.decimal):
            expected["@type"] = f"xsd:{local(restrictions.value(term, RDFS.range) or '')}"
        if definitions.get(name) != expected:
            wrong[name] = definitions.get(name)
    assert wrong == {}


def test_the_context_maps_to_declared_terms(kinds: Mapping[str, frozenset[URIRef]]) -> None:
    """Foreign terms of the context are declared too, and of the kind their coercion says."""
    definitions = context()
    wrong = {}
    for key, entry in definitions.items():
        target = entry.get("@id") if isinstance(entry, dict) else entry
        if not isinstance(target, str) or target.startswith(("@", "http")):
            continue
        iri = expand(target, definitions)
        declared = kinds.get(iri, frozenset())
        literal = isinstance(entry, dict) and entry.get("@type", "@id") != "@id"
        if not iri.startswith(LANGUAGE_VOCABULARIES) and (
            not declared or (literal and OWL.ObjectProperty in declared)
        ):
            wrong[key] = entry
    assert wrong == {}


def test_the_context_covers_every_property_of_the_data() -> None:
    """Every property that the data use, foreign ones included, has a key in the context."""
    definitions = context()
    targets = {
        expand(str(entry["@id"]), definitions) for entry in definitions.values() if isinstance(entry, dict)
    }
    used = {quad.predicate.value for path in DATA_FILES for quad in statements(path)}
    assert used - targets - {str(RDF.type)} == set()


def test_the_context_needs_no_other_document() -> None:
    """The context is one object without @import, nested contexts or addresses to fetch."""
    text = (ONTOLOGY / "context.jsonld").read_text(encoding="utf-8")
    assert text.count('"@context"') == 1
    assert "@import" not in text


def test_a_document_with_the_context_becomes_the_expected_statements() -> None:
    """A small JSON-LD document that uses the context yields exactly the statements that Turtle says."""
    document = {
        "@context": context(),
        "id": "entity:action/sample",
        "type": "InnovationAction",
        "prefLabel": {"en": "Sample", "pl": "Próbka"},
        "region": ["nuts:PL22", "nuts:ITH3"],
        "plannedFrom": "2021-10",
        "startDate": "2021-10-01",
        "actionStatus": "vocab:action-status/planned",
        "hasPhase": {"id": "entity:phase/sample-1", "type": "ActionPhase", "position": 1},
    }
    turtle = """
        @prefix medkg: <https://w3id.org/medkg/ontology#> .
        @prefix nuts: <http://data.europa.eu/nuts/code/> .
        @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
        <https://w3id.org/medkg/id/action/sample> a medkg:InnovationAction ;
            skos:prefLabel "Sample"@en , "Próbka"@pl ;
            medkg:region nuts:PL22 , nuts:ITH3 ;
            medkg:plannedFrom "2021-10"^^xsd:gYearMonth ;
            medkg:startDate "2021-10-01"^^xsd:date ;
            medkg:actionStatus <https://w3id.org/medkg/vocab/action-status/planned> ;
            medkg:hasPhase <https://w3id.org/medkg/id/phase/sample-1> .
        <https://w3id.org/medkg/id/phase/sample-1> a medkg:ActionPhase ; medkg:position 1 .
    """
    assert set(parse(json.dumps(document), format=RdfFormat.JSON_LD)) == set(
        parse(turtle, format=RdfFormat.TURTLE)
    )
