"""What the tests of the ontology share: its files as graphs, and the kind of every declared term."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from rdflib import OWL, RDF, Graph, URIRef

ROOT = Path(__file__).parents[2]
KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)


@pytest.fixture(scope="session")
def core() -> Graph:
    """Return the core file: declarations, subsumption, labels and definitions."""
    return Graph().parse(ROOT / "ontology" / "medkg.ttl")


@pytest.fixture(scope="session")
def restrictions() -> Graph:
    """Return the file of domains, ranges, inverses, disjoint classes and restrictions."""
    return Graph().parse(ROOT / "ontology" / "medkg-restrictions.ttl")


@pytest.fixture(scope="session")
def alignments() -> Graph:
    """Return the file that declares foreign terms and links ours to them."""
    return Graph().parse(ROOT / "ontology" / "alignments.ttl")


@pytest.fixture(scope="session")
def vocabulary() -> Graph:
    """Return all concept schemes."""
    graph = Graph()
    for path in sorted((ROOT / "ontology" / "vocab").glob("*.ttl")):
        graph.parse(path)
    return graph


@pytest.fixture(scope="session")
def kinds(core: Graph, alignments: Graph) -> Mapping[str, frozenset[URIRef]]:
    """Return the kinds with which each term, ours or foreign, is declared."""
    found: dict[str, frozenset[URIRef]] = {}
    for graph in (core, alignments):
        for kind in KINDS:
            for term in graph.subjects(RDF.type, kind):
                found[str(term)] = found.get(str(term), frozenset()) | {kind}
    return MappingProxyType(found)
