"""shacl/shapes.py: what a shapes graph says is read in full, and what breaks its syntax is refused."""

import pytest
from tests.unit.shacl.graphs import read, run, values

from medkg.domain.errors import ShapesRefused
from medkg.shacl.shapes import Shapes

SHAPE = ":s sh:targetNode :a ; sh:path :p ; "


@pytest.mark.parametrize(
    "shape",
    [
        "sh:qualifiedValueShape [ sh:nodeKind sh:IRI ] ; sh:qualifiedMinCount 'one'",
        "sh:qualifiedValueShape [ sh:nodeKind sh:IRI ] ; sh:qualifiedMaxCount -1",
        "sh:qualifiedValueShape [ sh:nodeKind sh:IRI ] ; sh:qualifiedMinCount 1 , 2",
        "sh:qualifiedValueShape [ ] ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShapesDisjoint 'true'",
        "sh:qualifiedValueShape [ ] , [ sh:nodeKind sh:IRI ] ; sh:qualifiedMinCount 1",
        "sh:pattern 'x' ; sh:flags 'i' , 's'",
        "sh:pattern 'x' ; sh:flags :i",
        "sh:pattern 'x' , 'y'",
        "sh:closed true ; sh:ignoredProperties ( 'p' )",
        "sh:closed true ; sh:ignoredProperties ( :p ) , ( :q )",
        "sh:closed true ; sh:ignoredProperties :p",
        "sh:closed 'true'",
        "sh:uniqueLang 'true'",
        "sh:deactivated 'true' ; sh:minCount 2",
        "sh:deactivated true , false ; sh:minCount 2",
        "sh:sparql [ sh:deactivated 1 ; sh:select 'SELECT $this {}' ]",
        "sh:severity sh:Info , sh:Warning ; sh:minCount 2",
        "sh:minCount '٢'^^xsd:integer",
        "sh:in _:list . _:list rdf:first 1 ; rdf:rest _:list",
        "sh:in _:list . _:list rdf:first 1",
        "sh:in 1",
    ],
)
def test_what_breaks_the_syntax_is_refused(shape: str) -> None:
    """A value that a parameter does not take, or a second one, is refused and never chosen from."""
    with pytest.raises(ShapesRefused):
        run(":a :p 1 .", f"{SHAPE}{shape} .")


@pytest.mark.parametrize(
    ("number", "least", "most"),
    [("1", [], []), ("+1", [], []), ("001", [], []), ("2", [":a"], []), ("0", [], [":a"]),
     (f"{2**64}", [":a"], []), ("9" * 5_000, [":a"], [])],
)  # fmt: skip
def test_counts_of_any_length(number: str, least: list[str], most: list[str]) -> None:
    """A count is a number of any length; no graph has more nodes than the engine can count."""
    assert values(":a :p 'x' .", f"{SHAPE}sh:minCount {number} .") == least
    assert values(":a :p 'x' .", f"{SHAPE}sh:maxCount {number} .") == most
    assert bool(values(":a :p 'x' .", f"{SHAPE}sh:minLength {number} .")) == bool(least)
    assert bool(values(":a :p 'x' .", f"{SHAPE}sh:maxLength {number} .")) == bool(most)


@pytest.mark.parametrize(
    "shapes",
    [
        ":s a sh:NodeShape ; sh:targetClass :C",
        ":s a sh:NodeShape ; sh:targetSubjectsOf :p",
        ":s a sh:NodeShape ; sh:targetObjectsOf :q",
        ":s sh:targetNode :a",
        ":C a rdfs:Class , sh:NodeShape",
        ":Meta rdfs:subClassOf rdfs:Class . :Kind rdfs:subClassOf sh:NodeShape . :C a :Meta , :Kind",
    ],
)
def test_targets(shapes: str) -> None:
    """Each kind of target has its focus nodes; a class that is a shape by any class of shapes is a target."""
    data = ":a a :C ; :p 1 . :b :q :a ."
    assert values(data, f"{shapes} ; sh:nodeKind sh:Literal .") == [":a"]


@pytest.mark.parametrize("place", ["shape", "property", "query", "nested"])
def test_what_is_deactivated_says_nothing(place: str) -> None:
    """A shape or a query that is deactivated has no results, and every node conforms to it."""
    off = {place: "sh:deactivated true ;"}
    shapes = (
        f":s sh:targetNode :a ; {off.get('shape', '')} "
        f"sh:property [ {off.get('property', '')} sh:path :p ; sh:maxCount 0 ] ; "
        f"sh:sparql [ {off.get('query', '')} sh:select 'SELECT $this {{}}' ] ; "
        f"sh:node [ {off.get('nested', '')} sh:nodeKind sh:Literal ] ."
    )
    assert len(run(":a :p 1 .", shapes)) == (0 if place == "shape" else 2)


def test_patterns_are_those_of_the_shapes_that_were_read() -> None:
    """The patterns come with their flags, so that they can be tried before they are needed."""
    shapes = Shapes(read(f"{SHAPE}sh:pattern 'x' ; sh:flags 'i' ; sh:node [ sh:pattern 'y' ] ."))
    shapes.refuse_recursion()
    assert {(str(text), flags and str(flags)) for text, flags in shapes.patterns()} == {
        ("x", "i"),
        ("y", None),
    }


NESTED = ("sh:not [ {} ]", "sh:property [ sh:path :p ; {} ]", "sh:path [ sh:inversePath {} ]")


@pytest.mark.parametrize("form", NESTED)
@pytest.mark.parametrize("depth", [31, 3_000])
def test_what_is_nested_too_deeply_is_refused(form: str, depth: int) -> None:
    """Shapes and paths that would be more than the engine can read are refused, and end nothing."""
    before, after = form.removeprefix("sh:path ").split("{}")
    inner = ":p" if form.startswith("sh:path") else "sh:nodeKind sh:IRI"
    whole = ("sh:path " if inner == ":p" else "") + before * depth + inner + after * depth
    with pytest.raises(ShapesRefused):
        run(":a :p 1 .", f":s sh:targetNode :a ; {whole} .")


def test_shapes_that_stand_for_too_many_are_refused() -> None:
    """A few shapes that use each other twice are a million when they are written out."""
    doubled = "".join(f":n{number} sh:and ( :n{number + 1} :n{number + 1} ) ." for number in range(20))
    with pytest.raises(ShapesRefused):
        run(":a :p 1 .", f":n0 sh:targetNode :a . {doubled} :n20 sh:nodeKind sh:IRI .")


@pytest.mark.parametrize(
    "shapes",
    [
        ":s sh:targetNode :a ; sh:node :s .",
        ":s sh:targetNode :a ; sh:not [ sh:path :p ; sh:qualifiedValueShape :s ; sh:qualifiedMinCount 1 ] .",
    ],
)
def test_shapes_that_refer_to_themselves_are_refused(shapes: str) -> None:
    """What recursion means is left open, and is not guessed."""
    with pytest.raises(ShapesRefused, match="refers to itself"):
        run(":a :p 1 .", shapes)
