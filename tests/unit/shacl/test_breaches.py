"""shacl/breaches.py: constraints whose meaning is easily got wrong, one by one."""

import pytest
from tests.unit.shacl.graphs import run, text, values


def test_a_closed_property_shape_closes_its_value_nodes() -> None:
    """At a property shape it is the value nodes that may have no other predicates, each by itself."""
    data = ":a :p :b , :c ; :z 1 . :b :x 1 ; :y 2 . :c :x 1 ."
    shapes = ":s sh:targetNode :a ; sh:path :p ; sh:closed true ; sh:ignoredProperties ( :y ) ."
    found = [(text(item.focus), str(item.path), text(item.value)) for item in run(data, shapes, repeat=True)]
    one = '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert found == [(":a", "https://example.org/x", one)] * 2


@pytest.mark.parametrize("name", ["lessThan", "lessThanOrEquals"])
@pytest.mark.parametrize(
    ("one", "other"), [(":b", ":b"), (":b", ":c"), ("1", ":b"), ("_:x", "_:x"), ("1", "'1'")]
)
def test_what_has_no_order_is_a_violation(name: str, one: str, other: str) -> None:
    """Nodes that SPARQL can't compare break an order, equal ones too."""
    assert len(run(f":a :p {one} ; :q {other} .", f":s sh:targetNode :a ; sh:path :p ; sh:{name} :q .")) == 1


@pytest.mark.parametrize(
    "constraint", ["sh:targetNode :a ; sh:not [ sh:class :C ]", "sh:targetClass :C ; sh:nodeKind sh:Literal"]
)
def test_a_class_without_a_name_has_instances_too(constraint: str) -> None:
    """The way to a class leads over blank nodes as over IRIs."""
    data = ":a a [ rdfs:subClassOf [ rdfs:subClassOf :B ] ] . :B rdfs:subClassOf :C . :b a [ ] ."
    assert values(data, f":s {constraint} .") == [":a"]


@pytest.mark.parametrize("path", [":p", "[ sh:zeroOrMorePath :p ]", "( [ sh:zeroOrOnePath :p ] :p )"])
def test_equal_sets_of_values(path: str) -> None:
    """What only one of the two ways leads to is a violation, on ways of length zero too."""
    found = values(
        ":a :p :b . :b :p :c . :a :q :z .", f":s sh:targetNode :a ; sh:path {path} ; sh:equals :q ."
    )
    assert found == {":p": [":b", ":z"], "(": [":b", ":c", ":z"]}.get(
        path[:2].strip(), [":a", ":b", ":c", ":z"]
    )
