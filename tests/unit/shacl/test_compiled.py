"""shacl/compiled.py: the compiled shapes find what the reference finds, on graphs and shapes of any form."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.term import BNode, Node

from medkg.domain.errors import ShapesRefused
from medkg.domain.model import Quad
from medkg.services.validation import Engine, graph_of, results
from medkg.store.files import read_document

EX = "https://example.org/"
HEAD = """
@prefix : <https://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
NODES = (":a", ":b", ":c", ":d")
LITERALS = (
    '"x"', '"xy"', '"x"@en', '"y"@en', '"x"@fr', '"x"@en-gb', "1", "2", "1.5", '"1"',
    '"2021-10-01"^^xsd:date', '"2025-12-31"^^xsd:date', '"2021-10-01T00:00:00Z"^^xsd:dateTime',
)  # fmt: skip
PREDICATES = (":p", ":q", ":r")

terms = st.sampled_from(NODES + LITERALS)
triples = st.tuples(st.sampled_from(NODES), st.sampled_from(PREDICATES), terms)
# The reference puts nodes of different kinds in an order of its own, so that only numbers are compared here.
numbers = st.tuples(
    st.sampled_from(NODES), st.sampled_from((":low", ":high")), st.sampled_from(("1", "2", "1.5"))
)
types = st.tuples(st.sampled_from(NODES), st.just("a"), st.sampled_from((":C", ":D", ":E")))
data_graphs = st.lists(st.one_of(triples, triples, types, numbers), min_size=1, max_size=16, unique=True).map(
    lambda found: " ".join(f"{' '.join(triple)} ." for triple in found) + " :D rdfs:subClassOf :C ."
)

simple_paths = st.sampled_from(PREDICATES)
paths = st.one_of(
    simple_paths,
    simple_paths,
    simple_paths.map("[ sh:inversePath {} ]".format),
    simple_paths.map("[ sh:zeroOrMorePath {} ]".format),
    simple_paths.map("[ sh:oneOrMorePath {} ]".format),
    simple_paths.map("[ sh:zeroOrOnePath {} ]".format),
    st.tuples(simple_paths, simple_paths).map(lambda pair: f"( {' '.join(pair)} )"),
    st.tuples(simple_paths, simple_paths).map(lambda pair: f"[ sh:alternativePath ( {' '.join(pair)} ) ]"),
    st.tuples(simple_paths, simple_paths).map(lambda pair: f"( [ sh:inversePath {pair[0]} ] {pair[1]} )"),
)


def constraint(name: str, values: Sequence[str]) -> st.SearchStrategy[str]:
    """Return constraints of one kind."""
    return st.sampled_from(values).map(f"sh:{name} {{}}".format)


value_constraints = st.one_of(
    constraint("class", (":C", ":D", ":E")),
    constraint("datatype", ("xsd:string", "xsd:integer", "xsd:decimal", "xsd:date", "xsd:boolean")),
    constraint("nodeKind", ("sh:IRI", "sh:Literal", "sh:BlankNodeOrIRI", "sh:IRIOrLiteral", "sh:BlankNode")),
    constraint("minInclusive", ("1", "1.5")),
    constraint("maxExclusive", ("2", "1.5")),
    constraint("minLength", ("0", "2")),
    constraint("maxLength", ("1", "20")),
    constraint("pattern", ('"^x"', '"Y$" ; sh:flags "i"', '"example"')),
    constraint("languageIn", ('( "en" )', '( "en" "fr" )')),
    constraint("hasValue", (":a", '"x"', '"x"@en', "1")),
    constraint("in", ('( :a :b "x" )', '( 1 2 "x"@en )', "( :c )")),
    constraint("equals", (":q", ":r")),
    constraint("disjoint", (":q", ":r")),
)
path_constraints = st.one_of(
    constraint("minCount", ("0", "1", "2", "3")),
    constraint("maxCount", ("0", "1", "2")),
    constraint("uniqueLang", ("true", "false")),
)
pairs = st.sampled_from(("sh:path :low ; sh:lessThan :high", "sh:path :high ; sh:lessThanOrEquals :low"))


def is_property(turtle: str) -> bool:
    """Tell whether the first shape of a text is a property shape."""
    return "sh:path" in turtle.partition("sh:severity")[0]


@st.composite
def shapes(draw: st.DrawFn, names: "count[int]", depth: int) -> tuple[str, str]:
    """Return the name of a shape, and the Turtle of it and of the shapes that it needs."""
    name, path = f":shape{next(names)}", draw(st.none() | paths)
    kinds = value_constraints if path is None else st.one_of(value_constraints, path_constraints)
    lines = draw(st.lists(kinds, min_size=1, max_size=2, unique_by=lambda line: line.partition(" ")[0]))
    lines += [draw(pairs) if draw(st.integers(0, 9)) == 0 else f"sh:path {path}"] if path else []
    others = ""
    for _ in range(draw(st.integers(0, 2)) if depth else 0):
        line, text = draw(nested(names, depth - 1, path is not None))
        if line.partition(" ")[0] not in {known.partition(" ")[0] for known in lines}:
            lines.append(line)
            others += text
    severity = draw(st.sampled_from(("sh:Violation", "sh:Warning")))
    return name, f"{name} {' ; '.join(lines)} ; sh:severity {severity} . {others}"


@st.composite
def nested(draw: st.DrawFn, names: "count[int]", depth: int, has_path: bool) -> tuple[str, str]:
    """Return a constraint that is made of other shapes, and the Turtle of those."""
    one, first = draw(shapes(names, depth))
    two, second = draw(shapes(names, depth))
    lines = [f"sh:{kind} ( {one} {two} )" for kind in ("and", "or", "xone")]
    lines += [f"sh:not {one}", f"sh:{'property' if is_property(first) else 'node'} {one}"]
    if has_path:
        counts = ("qualifiedMinCount 1", "qualifiedMaxCount 1", "qualifiedMaxCount 0", "qualifiedMinCount 2")
        lines += [f"sh:qualifiedValueShape {one} ; sh:{number}" for number in counts]
    return draw(st.sampled_from(lines)), first + second


@st.composite
def shapes_graphs(draw: st.DrawFn) -> str:
    """Return a shapes graph with one to three shapes that have targets."""
    names, text = count(1), ""
    for _ in range(draw(st.integers(1, 3))):
        name, turtle = draw(shapes(names, 2))
        kind = "PropertyShape" if is_property(turtle) else "NodeShape"
        target = draw(
            st.sampled_from(
                ("sh:targetClass :C", "sh:targetNode :a , :b", 'sh:targetNode "x"', "sh:targetSubjectsOf :p",
                 "sh:targetObjectsOf :p", "sh:targetClass :D , :E", "sh:targetClass :C ; sh:targetNode :d"),
            )
        )  # fmt: skip
        closed = draw(st.sampled_from(("", "", " ; sh:closed true ; sh:ignoredProperties ( :q )")))
        text += f"{turtle} {name} a sh:{kind} ; {target}{closed if kind == 'NodeShape' else ''} ."
    return text


def read(turtle: str) -> Graph:
    """Return a graph."""
    return Graph(bind_namespaces="none").parse(data=HEAD + turtle, format="turtle")


def quads(turtle: str) -> list[Quad]:
    """Return the triples of a graph."""
    return [cast("Quad", (*triple, None)) for triple in read(turtle)]


def found(data: str, shapes: str, engine: Engine) -> set[tuple[object, ...]]:
    """Return what an engine finds, as a set."""
    return {
        (item.focus.n3(), str(item.path), text(item.value), item.shape, item.component, item.severity)
        for item in results(quads(data), read(shapes), engine)
    }


def text(term: Node | None) -> str:
    """Return a term as text; a blank node has no name that both engines know."""
    return "" if term is None else "_:" if isinstance(term, BNode) else term.n3()


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
