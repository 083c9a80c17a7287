"""`/graphs` without a graph: the whole dataset, in the formats that hold several graphs."""

from typing import Any

import pyoxigraph as ox
import pytest
from fastapi.testclient import TestClient

GRAPH = "https://w3id.org/medkg/graph/"
ADDRESSES = ("/graphs", "/graphs/")
FORMATS = {
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
}
COUNTS = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"


def dataset(response: Any) -> ox.Dataset:
    assert response.status_code == 200, response.text
    found = ox.Dataset(ox.parse(response.content, FORMATS[response.headers["content-type"]]))
    found.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return found


def sizes(client: TestClient) -> dict[str, int]:
    """Return the names of the graphs that a query sees, each with the number of its triples."""
    rows = client.get("/sparql", params={"query": COUNTS, "format": "json"}).json()["results"]["bindings"]
    return {row["g"]["value"]: int(row["n"]["value"]) for row in rows}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/n-quads"),
        ("*/*", "application/n-quads"),
        ("application/trig", "application/trig"),
        ("text/x-nquads", "application/n-quads"),
        ("text/turtle, application/trig;q=0.1", "application/trig"),
    ],
)
def test_all_graphs_come_at_once(reading: TestClient, address: str, accept: str, content_type: str) -> None:
    """Whoever asks gets each named graph under its name, and not the merge of them; HEAD the same fields."""
    response = reading.get(address, headers={"accept": accept})
    head = reading.head(address, headers={"accept": accept})

    found: dict[str, int] = {}
    for quad in dataset(response):
        assert isinstance(quad.graph_name, ox.NamedNode)
        found[quad.graph_name.value] = found.get(quad.graph_name.value, 0) + 1
    assert found == sizes(reading)
    assert found[GRAPH + "mentions/one"] == 1
    assert response.headers["content-type"] == content_type
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "etag", "vary", "cache-control", "x-medkg-version"):
        assert head.headers[name] == response.headers[name]


def test_the_formats_hold_the_same(reading: TestClient) -> None:
    """N-Quads and TriG are two ways to write one dataset, blank nodes included."""
    found = [dataset(reading.get("/graphs", params={"format": name})) for name in ("nq", "trig")]

    assert found[0] == found[1]


def test_what_is_inferred_has_its_graph(reading: TestClient) -> None:
    """The graph of what follows from the others is sent like them."""
    names = {str(quad.graph_name) for quad in dataset(reading.get("/graphs"))}

    assert names <= {f"<{name}>" for name in sizes(reading)}
    assert (f"<{GRAPH}inferred>" in names) == (GRAPH + "inferred" in sizes(reading))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("asked", [{"accept": "text/turtle"}, {"accept": "application/ld+json"}, {}])
def test_a_format_of_one_graph_is_refused(
    reading: TestClient, read_problem: Any, method: str, asked: dict[str, str]
) -> None:
    """A format without names of graphs can't hold them; the answer lists those that can."""
    response = reading.request(method, "/graphs" + ("" if asked else "?format=ttl"), headers=asked)

    assert response.status_code == 406
    if method == "GET":
        assert "nq (application/n-quads), trig (application/trig)" in read_problem(response, 406)["detail"]


def test_the_dataset_is_not_sent_twice(start: Any, admin: dict[str, str]) -> None:
    """A tag stands for one format of one version: 304 until something is written, whatever it is."""
    with start() as client:
        tag = client.get("/graphs").headers["etag"]
        again = client.get("/graphs", headers={"if-none-match": f'"x", {tag}'})
        other = client.get("/graphs", headers={"if-none-match": tag, "accept": "application/trig"})
        packed = client.get("/graphs", headers={"accept-encoding": "gzip"}).headers["etag"]
        kept = client.get("/graphs", headers={"accept-encoding": "gzip", "if-none-match": packed})
        written = client.put(
            "/graphs",
            params={"graph": GRAPH + "manual/x", "unchecked": "true"},
            content="<urn:a> <urn:b> <urn:c> .",
            headers={**admin, "content-type": "text/turtle"},
        )
        after = client.get("/graphs", headers={"if-none-match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200
    assert kept.status_code == 304
    assert written.status_code == 201
    assert after.status_code == 200
    assert after.headers["etag"] != tag
    assert f"<{GRAPH}manual/x>" in after.text


def test_plain_sparql_has_the_default_graph_too(start: Any, admin: dict[str, str]) -> None:
    """Where the default graph is no merge, it is part of the dataset."""
    with start(union_default_graph=False) as client:
        headers = {**admin, "content-type": "text/turtle"}
        client.put("/graphs?default", content="<urn:a> <urn:b> <urn:c> .", headers=headers)
        found = set(dataset(client.get("/graphs")))

    a, b, c = map(ox.NamedNode, ("urn:a", "urn:b", "urn:c"))
    assert ox.Quad(a, b, c) in found
    assert f"<{GRAPH}source/one>" in {str(quad.graph_name) for quad in found}


def test_several_graphs_are_named_one_by_one(reading: TestClient, read_problem: Any) -> None:
    """There is no choice of some graphs: it is one or all."""
    response = reading.get("/graphs", params={"graph": [GRAPH + "source/one", GRAPH + "source/two"]})

    assert read_problem(response, 400)["detail"].startswith("A request is about one graph.")
