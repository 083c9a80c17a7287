"""OWL 2 RL reasoning over ontology, vocabularies and data: no contradiction is found, a planted one is.

The reasoner (owlrl) compares things, not values: that values have the datatype of their range and that
functional datatype properties have one value is checked in test_ontology.py.
"""

from pathlib import Path

import owlrl
import pytest
from rdflib import OWL, RDF, RDFS, SKOS, Graph, URIRef

ROOT = Path(__file__).parents[2]
NUTS = "http://data.europa.eu/nuts/code/"
ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#error")

PREFIXES = """
    @prefix medkg: <https://w3id.org/medkg/ontology#> .
    @prefix ex: <https://example.org/> .
"""


@pytest.fixture(scope="module")
def ontology(core: Graph, restrictions: Graph, alignments: Graph) -> Graph:
    return core + restrictions + alignments


@pytest.fixture(scope="module")
def facts(vocabulary: Graph) -> Graph:
    """Return the vocabularies, the facts of all sources, and the regions they name with all above these."""
    graph = Graph() + vocabulary
    for path in sorted((ROOT / "data" / "source").glob("*.ttl")):
        graph.parse(path)
    nuts = Graph().parse(ROOT / "data" / "nuts.ttl")
    named = {node for node in graph.objects() if isinstance(node, URIRef) and node.startswith(NUTS)}
    regions = {above for node in named for above in nuts.transitive_objects(node, SKOS.broader)}
    for region in regions:
        graph += nuts.triples((region, None, None))
    return graph


def contradictions(graph: Graph) -> list[str]:
    """Return what the reasoner objects to in the closure of a graph.

    Headers and annotations are left out: they have no bearing on the logic and only cost time.
    """
    annotations = {
        RDFS.label,
        RDFS.isDefinedBy,
        RDFS.seeAlso,
        *graph.subjects(RDF.type, OWL.AnnotationProperty),
    }
    headers = set(graph.subjects(RDF.type, OWL.Ontology))
    logic = Graph()
    logic += (triple for triple in graph if triple[1] not in annotations and triple[0] not in headers)
    # owlrl's own ideas of XML Schema literals would replace those of rdflib for the rest of the process.
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, improved_datatypes=False).expand(logic)
    return sorted(str(message) for message in logic.objects(None, ERROR))


def test_the_ontology_alone_is_free_of_contradiction(ontology: Graph) -> None:
    """Core, restrictions and alignments contradict nothing among themselves."""
    assert contradictions(ontology) == []


def test_all_facts_together_are_free_of_contradiction(ontology: Graph, facts: Graph) -> None:
    """The facts of all sources together do not contradict the ontology, although the sources disagree."""
    assert contradictions(ontology + facts) == []


@pytest.mark.parametrize(
    "planted",
    [
        "ex:x a medkg:Organisation , medkg:Project .",
        "ex:x a medkg:ClusterPartnership , medkg:Partnership .",
        "ex:x a medkg:Region . ex:membership medkg:role ex:x .",
        "ex:x a medkg:Event . ex:cluster medkg:managedBy ex:x .",
        "ex:x a medkg:Grant . ex:x medkg:hasPhase ex:phase .",
        "ex:a a medkg:Region . ex:b a medkg:Event . ex:m medkg:member ex:a . ex:m medkg:member ex:b .",
    ],
)
def test_a_planted_contradiction_is_found(ontology: Graph, planted: str) -> None:
    """Disjoint classes, ranges, domains and functional properties are really enforced."""
    assert contradictions(ontology + Graph().parse(data=PREFIXES + planted)) != []
