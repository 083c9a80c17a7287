"""JSON-LD: what our JSON says as RDF is exactly what the sources say."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib import Graph
from rdflib.namespace import RDF, XSD
from rdflib.term import Literal, URIRef

from medkg import assets
from medkg.domain.namespaces import BASE, GRAPH, GRAPH_INFERRED, MEDKG, PREFIXES, SKOS
from medkg.services.explore import LISTINGS, Item, SourceNote, Statement
from medkg.store.embedded import EmbeddedEngine
from medkg.store.writer import is_public
from medkg_api.representations import JsonLd

PATH = assets.directory("ontology") / "context.jsonld"
ITEM = URIRef("https://w3id.org/medkg/id/action/x")
SOURCE = GRAPH["source/x"]


@pytest.fixture(scope="module")
def context() -> Mapping[str, Any]:
    """The JSON-LD context that we ship, read from its file: nothing is ever fetched."""
    found: Mapping[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))["@context"]
    return found


def expand(body: Mapping[str, Any], context: Mapping[str, Any]) -> set[Any]:
    """Read JSON-LD by rdflib, with the context in place of its address."""
    text = json.dumps({**body, "@context": context})
    with warnings.catch_warnings():
        # rdflib's own JSON-LD parser makes one.
        warnings.filterwarnings("ignore", message="ConjunctiveGraph is deprecated")
        found = Graph(bind_namespaces="none").parse(data=text, format="json-ld")
    return {(subject, predicate, plain(value)) for subject, predicate, value in found}


def plain(term: Any) -> Any:
    """Take away the datatype that every plain text has (RDF 1.1, section 3.3), as rdflib tells them apart."""
    return Literal(str(term)) if getattr(term, "datatype", None) == XSD.string else term


def asserted(engine: EmbeddedEngine, iri: str) -> set[Any]:
    """Return what the public sources say of an entity; the types that follow from it are not among it."""
    return {
        quad[:3]
        for quad in engine.quads(URIRef(iri))
        if quad[3] is not None and is_public(quad[3]) and quad[3] != GRAPH_INFERRED
    }


@pytest.mark.parametrize("name", LISTINGS)
def test_every_item_says_what_its_sources_say(
    client: TestClient, engine: EmbeddedEngine, context: Mapping[str, Any], name: str
) -> None:
    """Each item of each list, read as JSON-LD, gives exactly the asserted triples of the entity."""
    number, pages = 0, 1
    while number < pages:
        number += 1
        page = client.get(f"/api/{name}", params={"size": 500, "page": number}).json()
        pages = page["pages"]
        said = {triple for item in page["items"] for triple in asserted(engine, item["id"])}

        found = expand({"@graph": page["items"]}, context)

        assert sorted(said - found)[:3] == []
        assert sorted(found - said)[:3] == []


@pytest.mark.parametrize("path", ["/api/regions/PL22", "/api/actions/medtech-biomed-observatory"])
def test_a_single_item_says_the_same(
    client: TestClient, engine: EmbeddedEngine, context: Mapping[str, Any], path: str
) -> None:
    """An item alone is as complete as in its list; label, sources and said_by are no statements."""
    body = client.get(path).json()

    assert expand(body, context) == asserted(engine, body["id"])


def test_the_context_has_its_address(client: TestClient, context: Mapping[str, Any]) -> None:
    """The context that the answers name is served under that name."""
    address = client.get("/api/regions/PL22").json()["@context"]

    response = client.get(address)

    assert response.headers["content-type"] == "application/ld+json"
    assert response.json()["@context"] == context


def test_prefixes_mean_the_same_everywhere(context: Mapping[str, Any]) -> None:
    """A prefix of the context that queries know, too, stands for the same namespace in both."""
    # In JSON "country" is the property; the prefix is called "eucountry" there.
    shared = {name: context[name] for name in PREFIXES if name in context and name != "country"}

    assert len(shared) > 10
    assert shared == {name: PREFIXES[name] for name in shared}
    assert context["eucountry"] == PREFIXES["country"]


def item(*statements: tuple[URIRef, Any]) -> Item:
    said = [Statement(predicate, value, str(value), (SOURCE,)) for predicate, value in statements]
    return Item(
        ITEM, "X", (MEDKG.InnovationAction,), said, {SOURCE: SourceNote("The source", ("https://x/",))}
    )


@pytest.mark.parametrize(
    ("predicate", "value", "name", "written"),
    [
        (MEDKG.region, URIRef("http://x/r"), "region", [{"id": "http://x/r", "label": "http://x/r"}]),
        (MEDKG.plannedFrom, Literal("2021-10", datatype=XSD.gYearMonth), "plannedFrom", ["2021-10"]),
        (
            MEDKG.plannedFrom,
            Literal("2021", datatype=XSD.gYear),
            "plannedFrom",
            [{"@value": "2021", "@type": str(XSD.gYear)}],
        ),
        (MEDKG.plannedFrom, Literal("soon"), "plannedFrom", [{"@value": "soon", "@type": str(XSD.string)}]),
        (MEDKG.position, Literal("7", datatype=XSD.integer), "position", [7]),
        (SKOS.prefLabel, Literal("Lab", lang="en"), "prefLabel", {"en": "Lab"}),
        (SKOS.prefLabel, Literal("Lab"), "prefLabel", ["Lab"]),
        (MEDKG.sha256, Literal("ab"), "sha256", ["ab"]),
        (MEDKG.sha256, Literal("ab", lang="fr"), "sha256", [{"@value": "ab", "@language": "fr"}]),
        (MEDKG.totalCost, Literal("1.1", datatype=XSD.decimal), "totalCost", ["1.1"]),
        (URIRef(BASE + "ontology#made-up"), Literal("true", datatype=XSD.boolean), "medkg:made-up", [True]),
        (URIRef("https://example.org/p"), Literal("x"), "https://example.org/p", ["x"]),
    ],
)
def test_a_value_keeps_its_kind(
    context: Mapping[str, Any], predicate: URIRef, value: Any, name: str, written: Any
) -> None:
    """IRIs, languages and datatypes survive, whether the context has a rule for the property or not."""
    body = JsonLd(PATH, "https://medkg.test/c").item(item((predicate, value)))

    assert body[name] == written
    assert expand(body, context) == {(ITEM, predicate, value), (ITEM, RDF.type, MEDKG.InnovationAction)}


def test_texts_in_one_language_become_a_list(context: Mapping[str, Any]) -> None:
    """Two texts in one language stand in a list, in their order; no text is lost."""
    texts = [Literal(text, lang="en") for text in ("one", "two", "three")]

    body = JsonLd(PATH, "c").item(item(*((SKOS.altLabel, text) for text in texts)))

    assert body["altLabel"] == {"en": ["one", "two", "three"]}
    assert {triple[2] for triple in expand(body, context) if triple[1] == SKOS.altLabel} == set(texts)


def test_who_says_it_stands_beside(context: Mapping[str, Any]) -> None:
    """Sources have a title and addresses, said_by names the graphs per property, and neither is RDF."""
    body = JsonLd(PATH, "c").item(item((SKOS.altLabel, Literal("X", lang="en"))))

    assert body["sources"] == [{"id": str(SOURCE), "title": "The source", "addresses": ["https://x/"]}]
    assert body["said_by"] == {"altLabel": [str(SOURCE)]}
    assert {triple[0] for triple in expand(body, context)} == {ITEM}


def test_what_only_follows_is_left_out() -> None:
    """A statement that no source makes is not in the JSON."""
    inferred = Statement(SKOS.broaderTransitive, URIRef("http://x/r"), "r", (GRAPH_INFERRED,))
    entity = Item(ITEM, "X", (), [inferred], {})

    assert JsonLd(PATH, "c").item(entity) == {
        "@context": "c",
        "id": str(ITEM),
        "label": "X",
        "sources": [],
        "said_by": {},
    }
