"""The service description: what it says is what the service does."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rdflib import Graph
from rdflib.namespace import RDF, VOID, Namespace
from rdflib.term import Literal, URIRef

from medkg.domain.namespaces import GRAPH
from medkg.store.functions import EXTENSIONS

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
FORMATS = Namespace("http://www.w3.org/ns/formats/")
SERVICE = URIRef("https://medkg.test/sparql#service")
UPDATES = URIRef("https://medkg.test/update#service")
GEOSPARQL = "http://www.opengis.net/def/function/geosparql/"
# All functions of GeoSPARQL 1.1 (OGC 22-047r1), whether the engine has them or not.
NAMES = """
    aggBoundingBox aggBoundingCircle aggCentroid aggConcaveHull aggConvexHull aggUnion area asDGGS
    asGeoJSON asGML asKML asWKT boundary boundingCircle buffer centroid concaveHull convexHull
    coordinateDimension difference dimension distance ehContains ehCoveredBy ehCovers ehDisjoint
    ehEquals ehInside ehMeet ehOverlap envelope geometryN geometryType getSRID intersection is3D
    isEmpty isMeasured isSimple length maxX maxY maxZ metricArea metricBuffer metricDistance
    metricLength metricPerimeter minX minY minZ numGeometries perimeter rcc8dc rcc8ec rcc8eq
    rcc8ntpp rcc8ntppi rcc8po rcc8tpp rcc8tppi relate sfContains sfCrosses sfDisjoint sfEquals
    sfIntersects sfOverlaps sfTouches sfWithin spatialDimension symDifference transform union
"""


@pytest.fixture(scope="module")
def plain(start: Any) -> Iterator[TestClient]:
    """A client of a service in which the default graph is one of its own."""
    with start(union_default_graph=False) as client:
        yield client


@pytest.fixture(params=["union", "plain"])
def service(request: pytest.FixtureRequest) -> TestClient:
    """A client of a service in each of the modes."""
    client: TestClient = request.getfixturevalue({"union": "reading"}.get(request.param, request.param))
    return client


def described(client: TestClient) -> Graph:
    response = client.get("/sparql", headers={"accept": "text/turtle"})
    assert response.status_code == 200
    return Graph(bind_namespaces="none").parse(data=response.text, format="turtle")


def count(client: TestClient, where: str) -> int:
    query = f"SELECT (COUNT(*) AS ?n) {{ {where} }}"
    answer = client.get("/sparql", params={"query": query}).json()
    return int(answer["results"]["bindings"][0]["n"]["value"])


def test_it_names_the_endpoints_and_what_they_take(service: TestClient) -> None:
    """There is one endpoint for queries and one for updates, on one dataset, each with its language."""
    graph = described(service)

    assert set(graph.subjects(RDF.type, SD.Service)) == {SERVICE, UPDATES}
    assert set(graph.objects(SERVICE, SD.endpoint)) == {URIRef("https://medkg.test/sparql")}
    assert set(graph.objects(UPDATES, SD.endpoint)) == {URIRef("https://medkg.test/update")}
    assert set(graph.objects(SERVICE, SD.supportedLanguage)) == {SD.SPARQL11Query, SD.SPARQL10Query}
    assert set(graph.objects(UPDATES, SD.supportedLanguage)) == {SD.SPARQL11Update}
    assert set(graph.objects(SERVICE, SD.defaultDataset)) == set(graph.objects(UPDATES, SD.defaultDataset))


def test_the_features_are_those_of_the_mode(reading: TestClient, plain: TestClient) -> None:
    """Only where the default graph is the merge is it said to be; no service calls or fetches anything."""
    features = {client: set(described(client).objects(SERVICE, SD.feature)) for client in (reading, plain)}

    assert features[reading] == {SD.EmptyGraphs, SD.UnionDefaultGraph}
    assert features[plain] == {SD.EmptyGraphs}


def test_each_format_that_it_names_is_given(reading: TestClient) -> None:
    """What is listed as a result format comes, and nothing else is listed."""
    media_types = {
        FORMATS["SPARQL_Results_JSON"]: ("application/sparql-results+json", "ASK {}"),
        FORMATS["SPARQL_Results_XML"]: ("application/sparql-results+xml", "ASK {}"),
        FORMATS["SPARQL_Results_CSV"]: ("text/csv", "ASK {}"),
        FORMATS["SPARQL_Results_TSV"]: ("text/tab-separated-values", "ASK {}"),
        FORMATS["Turtle"]: ("text/turtle", "CONSTRUCT {} {}"),
        FORMATS["N-Triples"]: ("application/n-triples", "CONSTRUCT {} {}"),
        FORMATS["JSON-LD"]: ("application/ld+json", "CONSTRUCT {} {}"),
        FORMATS["RDF_XML"]: ("application/rdf+xml", "CONSTRUCT {} {}"),
    }

    assert set(described(reading).objects(SERVICE, SD.resultFormat)) == set(media_types)
    for media_type, query in media_types.values():
        response = reading.get("/sparql", params={"query": query}, headers={"accept": media_type})
        assert response.headers["content-type"].partition(";")[0] == media_type


def test_the_dataset_is_the_real_one(service: TestClient) -> None:
    """Every graph is named once, with as many triples as it has; so is the default graph."""
    graph = described(service)
    dataset = graph.value(SERVICE, SD.defaultDataset)
    sizes = {}
    for named in graph.objects(dataset, SD.namedGraph):
        assert (named, RDF.type, SD.NamedGraph) in graph
        sizes[graph.value(named, SD.name)] = graph.value(
            graph.value(named, SD.graph), VOID.triples
        ).toPython()  # type: ignore[union-attr]

    assert (dataset, RDF.type, SD.Dataset) in graph
    assert set(sizes) >= {GRAPH["source/one"], GRAPH["source/two"], GRAPH["mentions/one"], GRAPH["shapes"]}
    for name, size in sizes.items():
        assert size == count(service, f"GRAPH <{name}> {{ ?s ?p ?o }}") > 0
    listed = service.get(
        "/sparql", params={"query": "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", "format": "csv"}
    )
    assert {str(name) for name in sizes} == set(listed.text.split()[1:])
    default = graph.value(dataset, SD.defaultGraph)
    assert graph.value(default, VOID.triples).toPython() == count(service, "?s ?p ?o")  # type: ignore[union-attr]


def test_the_parts_of_the_default_graph_are_counted(service: TestClient) -> None:
    """Each property has as many triples as it is said to, each class as many instances; none is left out."""
    graph = described(service)
    default = graph.value(graph.value(SERVICE, SD.defaultDataset), SD.defaultGraph)

    for part, by, size, number, query in (
        (VOID.propertyPartition, VOID.property, VOID.triples, VOID.properties, "?s ?x ?o"),
        (VOID.classPartition, VOID["class"], VOID.entities, VOID.classes, "?s a ?x"),
    ):
        told = {
            str(graph.value(one, by)): graph.value(one, size).toPython()  # type: ignore[union-attr]
            for one in graph.objects(default, part)
        }
        params = {"query": f"SELECT ?x (COUNT(*) AS ?n) {{ {query} }} GROUP BY ?x", "format": "csv"}
        rows = [row.split(",") for row in service.get("/sparql", params=params).text.split()[1:]]
        assert told == {iri: int(size) for iri, size in rows if not iri.startswith("_:")}
        assert graph.value(default, number, default=Literal(0)) == Literal(len(told))


def known_to_the_engine(client: TestClient, function: str) -> bool:
    """Tell whether a query that calls a function runs; an unknown one is an error of the query."""
    response = client.get("/sparql", params={"query": f"SELECT (<{function}>() AS ?x) {{}}"})
    assert response.status_code in {200, 400, 501}
    return response.status_code == 200


def test_the_functions_are_those_that_the_engine_knows(reading: TestClient) -> None:
    """Each function of GeoSPARQL 1.1 is listed if and only if a query may call it."""
    listed = {str(name) for name in described(reading).objects(SERVICE, SD.extensionFunction)}

    known = {GEOSPARQL + name for name in NAMES.split() if known_to_the_engine(reading, GEOSPARQL + name)}
    assert listed == set(EXTENSIONS) == known
    assert not known_to_the_engine(reading, GEOSPARQL + "nothing")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/turtle; charset=utf-8"),
        ("*/*", "text/turtle; charset=utf-8"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/ld+json", "application/ld+json"),
        ("application/n-triples", "application/n-triples"),
        ("text/html;q=0.1, text/turtle", "text/turtle; charset=utf-8"),
    ],
)
def test_it_comes_in_each_format_of_graphs(
    reading: TestClient, read_triples: Callable[[Any], set[Any]], accept: str, content_type: str
) -> None:
    """The same triples come in whatever format is asked for, tagged, and not twice."""
    response = reading.get("/sparql", headers={"accept": accept})
    tag = response.headers["etag"]
    again = reading.get("/sparql", headers={"accept": accept, "if-none-match": tag})

    assert response.headers["content-type"] == content_type
    assert read_triples(response) == set(described(reading))
    assert "Accept" in response.headers["vary"]
    assert (again.status_code, again.content) == (304, b"")
    assert reading.head("/sparql", headers={"accept": accept}).headers["etag"] == tag


def test_a_browser_gets_the_page_and_rows_are_not_acceptable(
    reading: TestClient, read_problem: Any, read_page: Any
) -> None:
    """HTML is the page to write a query on; a format of rows fits no description."""
    read_page(reading.get("/sparql", headers={"accept": "text/html,*/*;q=0.8"}))
    read_problem(reading.get("/sparql", headers={"accept": "text/csv"}), 406)


def test_it_follows_the_data(start: Any, admin: dict[str, str]) -> None:
    """After a write the description has the new graph and another tag."""
    with start() as client:
        before = client.get("/sparql", headers={"accept": "text/turtle"})
        name = GRAPH["manual/new"]
        client.put(
            "/graphs",
            params={"graph": name, "unchecked": "true"},
            content="<urn:a> <urn:b> 1, 2 .",
            headers={**admin, "content-type": "text/turtle"},
        )
        after = client.get(
            "/sparql", headers={"accept": "text/turtle", "if-none-match": before.headers["etag"]}
        )

        graph = Graph(bind_namespaces="none").parse(data=after.text, format="turtle")
        described_graph = graph.value(graph.value(None, SD.name, name), SD.graph)
        assert graph.value(described_graph, VOID.triples).toPython() == 2  # type: ignore[union-attr]
