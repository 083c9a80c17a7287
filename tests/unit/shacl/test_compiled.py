"""shacl/compiled.py: the compiled shapes find what the reference finds, on graphs and shapes of any form."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.unit.shacl.graphs import EX, HEAD, data_graphs, quads, read, shapes_graphs, text

from medkg.domain.errors import ShapesRefused
from medkg.services.validation import Engine, graph_of, results
from medkg.store.files import read_document


def found(data: str, shapes: str, engine: Engine) -> set[tuple[object, ...]]:
    """Return what an engine finds, as a set."""
    return {
        (text(item.focus), str(item.path), text(item.value), item.shape, item.component, item.severity)
        for item in results(quads(data), read(shapes), engine)
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data_graphs, shapes_graphs())
@example(
    ":a a :C ; :p 1 . :D rdfs:subClassOf :C .", ":s a sh:NodeShape ; sh:targetClass :C ; sh:closed true ."
)
def test_both_engines_find_the_same(data: str, shapes: str) -> None:
    """On any graph and any shapes of SHACL Core, the compiled engine finds what the reference finds."""
    assert found(data, shapes, Engine.compiled) == found(data, shapes, Engine.reference)


XSD = "http://www.w3.org/2001/XMLSchema#"


@pytest.mark.parametrize(
    ("constraint_", "expected"),
    [
        ("sh:datatype xsd:integer", {f'"5"^^<{XSD}int>', f'"1.10"^^<{XSD}decimal>'}),
        ("sh:datatype xsd:int", {f'"01"^^<{XSD}integer>', f'"1.10"^^<{XSD}decimal>'}),
        ("sh:maxLength 2", {f'"1.10"^^<{XSD}decimal>'}),
        ("sh:maxInclusive 1.2", {f'"5"^^<{XSD}int>'}),
        ('sh:in ( "01"^^xsd:integer "5"^^xsd:int )', {f'"1.10"^^<{XSD}decimal>'}),
        (f"sh:sparql [ sh:select 'SELECT $this ?value {{ $this <{EX}p> ?value FILTER(?value > 3) }}' ]",
         {f'"5"^^<{XSD}integer>'}),
    ],
)  # fmt: skip
def test_literals_are_judged_as_they_were_sent(constraint_: str, expected: set[str], tmp_path: Path) -> None:
    """A form that the engine would rewrite is judged as it is written; a query sees its value."""
    data, shapes_file = tmp_path / "data.ttl", tmp_path / "shapes.ttl"
    data.write_text(HEAD + ':a :p "01"^^xsd:integer , "5"^^xsd:int , "1.10"^^xsd:decimal .')
    shapes_file.write_text(HEAD + f":s sh:targetNode :a ; sh:path :p ; {constraint_} .")
    rules = graph_of(read_document(shapes_file))

    found = results(read_document(data), rules, Engine.compiled)

    assert {text(item.value) for item in found} == expected


@pytest.mark.parametrize(
    "shapes",
    [
        ":s a sh:NodeShape ; sh:targetNode :a ; sh:minCount 1 .",
        ":s a sh:PropertyShape ; sh:targetNode :a .",
        ":s sh:targetNode :a ; sh:path :p , :q ; sh:minCount 1 .",
        ":s sh:targetNode :a ; sh:path [ ] ; sh:minCount 1 .",
        ":s sh:targetNode :a ; sh:path :p ; sh:minCount 1 , 2 .",
        ":s sh:targetNode :a ; sh:path :p ; sh:minCount 'one' .",
        ":s sh:targetNode :a ; sh:node :s .",
        ":s sh:targetNode :a ; sh:not [ sh:property [ sh:path :p ; sh:node :s ] ] .",
        ":s sh:targetNode :a ; sh:in ( 1 [ ] ) .",
        ":s sh:targetNode :a ; sh:pattern '(' .",
        ":s sh:targetNode :a ; sh:js [ ] .",
        ":s sh:targetNode :a ; sh:rule [ ] .",
        ":s sh:targetNode :a ; sh:datatype 'text' .",
        ":s sh:targetNode :a ; sh:nodeKind sh:Anything .",
        ":s sh:targetNode :a ; sh:and ( 1 ) .",
        ":s sh:targetNode :a ; sh:severity 'grave' .",
        ":s sh:targetNode :a ; sh:message :text ; sh:nodeKind sh:IRI .",
        ":s sh:targetNode :a ; sh:sparql [ sh:select 'nonsense' ] .",
        ":s sh:targetNode :a ; sh:sparql [ sh:ask 'ASK {}' ] .",
        ":s sh:targetNode :a ; sh:sparql [ ] .",
        ":s sh:targetNode :a ; sh:sparql [ sh:select 'SELECT ?x { ?x ?y $this }' ] .",
        ":s sh:targetNode :a ; sh:sparql [ sh:select 'SELECT $this { $this unknown:p ?x }' ] .",
        ":g sh:entailment :RDFS . :s sh:targetNode :a ; sh:nodeKind sh:IRI .",
    ],
)
def test_what_can_not_be_compiled_is_refused(shapes: str) -> None:
    """Shapes that break a rule, or ask for what is not evaluated here, are refused and never passed over."""
    with pytest.raises(ShapesRefused):
        results(quads(":a :p 1 ."), read(shapes), Engine.compiled)
