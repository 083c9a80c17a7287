"""The tests of the SPARQL 1.1 Service Description of the W3C, which say in words what to check."""

from collections.abc import Callable, Mapping
from typing import Final

import httpx2
import pytest
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.term import BNode, Node
from tests.w3c.answers import GRAPHS
from tests.w3c.client import Client
from tests.w3c.evaluation import media_type
from tests.w3c.manifests import Case, Kind, cases

SD: Final = Namespace("http://www.w3.org/ns/sparql-service-description#")

# Section 3 of the recommendation: the classes, the properties with their domain and range, the individuals.
_PROPERTIES: Final[Mapping[str, tuple[str, str]]] = {
    "endpoint": ("Service", ""),
    "feature": ("Service", "Feature"),
    "defaultEntailmentRegime": ("Service", "EntailmentRegime"),
    "entailmentRegime": ("NamedGraph", "EntailmentRegime"),
    "defaultSupportedEntailmentProfile": ("Service", "EntailmentProfile"),
    "supportedEntailmentProfile": ("NamedGraph", "EntailmentProfile"),
    "extensionFunction": ("Service", "Function"),
    "extensionAggregate": ("Service", "Aggregate"),
    "languageExtension": ("Service", "Feature"),
    "supportedLanguage": ("Service", "Language"),
    "propertyFeature": ("Service", "Feature"),
    "defaultDataset": ("Service", "Dataset"),
    "availableGraphs": ("Service", "GraphCollection"),
    "resultFormat": ("Service", ""),
    "inputFormat": ("Service", ""),
    "defaultGraph": ("Dataset", "Graph"),
    "namedGraph": ("GraphCollection", "NamedGraph"),
    "name": ("NamedGraph", ""),
    "graph": ("NamedGraph", "Graph"),
}
_PARENTS: Final[Mapping[str, str]] = {
    "Dataset": "GraphCollection",
    "Aggregate": "Feature",
    "Function": "Feature",
}
_CLASSES: Final = frozenset(
    {
        *("Service", "Feature", "Language", "Function", "Aggregate", "EntailmentRegime", "EntailmentProfile"),
        *("GraphCollection", "Dataset", "Graph", "NamedGraph"),
    }
)
_INDIVIDUALS: Final[Mapping[str, frozenset[str]]] = {
    "supportedLanguage": frozenset({"SPARQL10Query", "SPARQL11Query", "SPARQL11Update"}),
    "feature": frozenset(
        {"DereferencesURIs", "UnionDefaultGraph", "RequiresDataset", "EmptyGraphs", "BasicFederatedQuery"}
    ),
}


def _description(client: Client, accept: str = "text/turtle") -> Graph:
    response = client.send("GET", client.service.query, {"Accept": accept})
    assert response.status_code == httpx2.codes.OK, f"{response.status_code} {response.text[:1000]}"
    assert media_type(response) == accept
    return Graph().parse(data=response.content, format=accept, publicID=client.service.query)


def _returns_rdf(client: Client) -> None:
    response = client.send("GET", client.service.query, {})
    assert response.status_code == httpx2.codes.OK
    assert media_type(response) in GRAPHS, response.headers.get("content-type")
    for accept in ("text/turtle", "application/rdf+xml", "application/n-triples"):
        assert len(_description(client, accept)) > 0


def _has_endpoint_triple(client: Client) -> None:
    graph = _description(client)
    (service,) = graph.subjects(SD.endpoint, URIRef(client.service.query))
    assert (service, RDF.type, SD.Service) in graph


def _conforms_to_schema(client: Client) -> None:
    graph = _description(client)
    for subject, predicate, term in graph:
        if predicate == RDF.type and str(term).startswith(SD):
            assert str(term).removeprefix(SD) in _CLASSES, term
        if not str(predicate).startswith(SD):
            continue
        name = str(predicate).removeprefix(SD)
        domain, range_ = _PROPERTIES[name]
        assert isinstance(term, URIRef | BNode), (predicate, term)
        assert _may_be(graph, subject, domain), (subject, predicate)
        assert not range_ or _may_be(graph, term, range_), (predicate, term)
        if term.startswith(SD):
            assert term.removeprefix(SD) in _INDIVIDUALS[name], term
    for named in graph.objects(None, SD.namedGraph):
        assert len(set(graph.objects(named, SD.name))) == 1, named


def _may_be(graph: Graph, node: Node, name: str) -> bool:
    """Tell whether a node is of a class, or nothing is said of it that makes it something else."""
    types = {str(kind).removeprefix(SD) for kind in graph.objects(node, RDF.type) if str(kind).startswith(SD)}
    return not types or name in types | {_PARENTS.get(kind, kind) for kind in types}


_CHECKS: Final[Mapping[str, Callable[[Client], None]]] = {
    "returns-rdf": _returns_rdf,
    "has-endpoint-triple": _has_endpoint_triple,
    "conforms-to-schema": _conforms_to_schema,
}


@pytest.mark.parametrize("case", cases(Kind.DESCRIPTION))
def test_service_description(case: Case, client: Client) -> None:
    """The query address without a query answers with RDF in the terms of the vocabulary."""
    _CHECKS[case.name](client)
