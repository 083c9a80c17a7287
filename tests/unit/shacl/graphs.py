"""Graphs and shapes of any form, for the tests of what evaluates shapes, and what an engine finds in them."""

from collections.abc import Sequence
from itertools import count

import pyoxigraph as ox
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.term import BNode, Node, URIRef

from medkg.domain.model import Quad
from medkg.services.validation import Engine, graph_of, results
from medkg.shacl.results import Result
from medkg.store.terms import quad_from_ox

EX = "https://example.org/"
HEAD = """
@prefix : <https://example.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix medkg: <https://w3id.org/medkg/ontology#> .
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
        text += f"{turtle} {name} a sh:{kind} ; {target}{closed} ."
    return text


def read(turtle: str) -> Graph:
    """Return a graph."""
    return graph_of(quads(turtle))


def quads(turtle: str) -> list[Quad]:
    """Return the triples of a graph."""
    return [quad_from_ox(quad) for quad in ox.parse((HEAD + turtle).encode(), format=ox.RdfFormat.TURTLE)]


def run(data: str, shapes: str, *, repeat: bool = False) -> list[Result]:
    """Return the results of the compiled engine."""
    return results(quads(data), read(shapes), Engine.compiled, repeat=repeat)


def values(data: str, shapes: str) -> list[str]:
    """Return the value nodes of the results, in order; a focus node stands for a value that is not there."""
    return sorted(text(item.focus if item.value is None else item.value) for item in run(data, shapes))


def text(term: Node | None) -> str:
    """Return a term as the tests write it; a blank node has no name that both engines know."""
    if isinstance(term, URIRef) and term.startswith(EX):
        return f":{term.removeprefix(EX)}"
    return "" if term is None else "_:" if isinstance(term, BNode) else term.n3()


changes = st.tuples(
    st.lists(st.integers(0, 15), max_size=4),
    st.lists(st.one_of(triples, types, numbers), max_size=4).map(
        lambda found: " ".join(f"{' '.join(triple)} ." for triple in found)
    ),
)
"""The numbers of the triples that go, and the Turtle of those that come."""
