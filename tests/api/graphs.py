"""What the tests of `/graphs` share: names, a triple, and readers of answers."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from rdflib import Graph
from rdflib.term import URIRef

GRAPH = "https://w3id.org/medkg/graph/"
MANUAL = GRAPH + "manual/"
ONE = GRAPH + "source/one"
TURTLE = {"content-type": "text/turtle"}
TRIPLE = (URIRef("urn:a"), URIRef("urn:b"), URIRef("urn:c"))
DOCUMENTS = {
    "text/turtle": "<urn:a> <urn:b> <urn:c> .",
    "application/n-triples": "<urn:a> <urn:b> <urn:c> .\n",
    "application/ld+json": '[{"@id": "urn:a", "urn:b": [{"@id": "urn:c"}]}]',
    "application/rdf+xml": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="urn:">'
        '<rdf:Description rdf:about="urn:a"><x:b rdf:resource="urn:c"/></rdf:Description></rdf:RDF>'
    ),
}

Send = Callable[..., Any]


def version(client: TestClient) -> int:
    return int(client.app.state.context.endpoint.version)  # type: ignore[attr-defined]


def triples(response: Any) -> set[Any]:
    assert response.status_code == 200, response.text
    return set(Graph(bind_namespaces="none").parse(data=response.text, format="turtle"))
