"""The closures that a build materialises into ``graph/inferred``, each as one SPARQL update.

They are data, not rewriting: the standard's own ``skos:broaderTransitive`` and the types, superproperties and
inverses that the ontology declares.  Each rule reads the default graph, which holds the merge of the public
graphs, and writes to ``graph/inferred`` what nobody asserts; the builder repeats them until nothing is new.
"""

from typing import Final

from medkg.domain.namespaces import GRAPH_INFERRED

__all__ = ["RULES"]

_INSERT: Final = f"INSERT {{ GRAPH <{GRAPH_INFERRED}> {{ ?s ?p ?o }} ?s ?p ?o }} WHERE "
"""The closure stands in its own graph and in the merge, so that the next rule sees it."""

RULES: Final = (
    # Inverses (OWL 2 RL, prp-inv1 and prp-inv2) and symmetric properties (prp-symp).
    _INSERT
    + """{
        { ?q owl:inverseOf ?p } UNION { ?p owl:inverseOf ?q }
        ?o ?q ?s . FILTER(isIRI(?o)) FILTER NOT EXISTS { ?s ?p ?o }
    }""",
    _INSERT + "{ ?p a owl:SymmetricProperty . ?o ?p ?s . FILTER(isIRI(?o)) FILTER NOT EXISTS { ?s ?p ?o } }",
    # skos:broader and skos:narrower are each other's inverse (SKOS Reference, S25).
    _INSERT + "{ BIND(skos:narrower AS ?p) ?o skos:broader ?s . FILTER NOT EXISTS { ?s ?p ?o } }",
    _INSERT + "{ BIND(skos:broader AS ?p) ?o skos:narrower ?s . FILTER NOT EXISTS { ?s ?p ?o } }",
    # skos:broaderTransitive holds every ancestor (SKOS Reference, S22 to S24), without the concept itself.
    _INSERT
    + """{
        BIND(skos:broaderTransitive AS ?p) ?s skos:broader+ ?o . FILTER(?s != ?o)
        FILTER NOT EXISTS { ?s ?p ?o }
    }""",
    _INSERT
    + """{
        BIND(skos:narrowerTransitive AS ?p) ?o skos:broader+ ?s . FILTER(?s != ?o)
        FILTER NOT EXISTS { ?s ?p ?o }
    }""",
    # Types of the superclasses (OWL 2 RL, cax-sco).
    _INSERT
    + """{
        BIND(rdf:type AS ?p) ?s rdf:type ?class . ?class rdfs:subClassOf+ ?o .
        FILTER(isIRI(?o) && ?o != ?class) FILTER NOT EXISTS { ?s ?p ?o }
    }""",
    # Statements of the superproperties (OWL 2 RL, prp-spo1).
    _INSERT
    + """{
        ?s ?q ?o . ?q rdfs:subPropertyOf+ ?p .
        FILTER(isIRI(?p) && ?p != ?q) FILTER NOT EXISTS { ?s ?p ?o }
    }""",
)
