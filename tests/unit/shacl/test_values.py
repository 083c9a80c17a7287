"""shacl/values.py: what one value node must be by itself."""

import pytest
from rdflib.namespace import SH
from rdflib.term import BNode, Literal, URIRef
from tests.unit.shacl.graphs import run, values

from medkg.domain.errors import ShapesRefused
from medkg.shacl.values import ValueTests, any_of, is_ambiguous

SHAPE = ":s sh:targetNode :a ; sh:path :p ; "


@pytest.mark.parametrize(
    ("constraint", "data", "expected"),
    [
        ("sh:pattern '^a.b$'", "'axb' , 'a\\nb' , 'axb\\n' , [ ]", ['"""a\nb"""', '"""axb\n"""', "_:"]),
        ("sh:pattern 'a.b' ; sh:flags 'q'", "'a.b' , 'axb'", ['"axb"']),
        ("sh:minLength 0", "[ ] , '' , <x:y>", ["_:"]),
        ("sh:maxLength 1", "'é' , '😀' , 'xy'", ['"xy"']),
        ("sh:languageIn ( 'EN' )", "'x'@en , 'x'@en-GB , 'x'@fr , 'x' , <x:y>", ['"x"', '"x"@fr', "<x:y>"]),
        ("sh:languageIn ()", "'x'@en", ['"x"@en']),
        (r"""sh:in ( 'x' "\\u0041" '\\' '\r\n\t' )""", r"""'x' , 'A' , "\\u0041" , '\\' , '\r\n\t'""",
         ['"A"']),
        ("sh:in ( 1 'x'@en )", "1 , 1.0 , 'x'@EN , 'x'", ['"1.0"^^xsd:decimal', '"x"']),
        ("sh:minInclusive 1", "1 , 0.5, 'NaN'^^xsd:double , 'INF'^^xsd:float , 'x' , 'y'^^xsd:byte, <x:>",
         ['"0.5"^^xsd:decimal', '"NaN"^^xsd:double', '"x"', '"y"^^xsd:byte', "<x:>"]),
        ("sh:minInclusive '2020-01-01T00:00:00Z'^^xsd:dateTime",
         "'2020-01-01T00:00:00'^^xsd:dateTime , '2020-01-02T00:00:00'^^xsd:dateTime",
         ['"2020-01-01T00:00:00"^^xsd:dateTime']),
        ("sh:nodeKind sh:BlankNodeOrLiteral", "[ ] , 'x' , <x:y>", ["<x:y>"]),
    ],
)  # fmt: skip
def test_values(constraint: str, data: str, expected: list[str]) -> None:
    """Odd texts, terms without an order and nodes without a text are judged as SHACL says."""
    found = [
        value.replace("<http://www.w3.org/2001/XMLSchema#", "xsd:")
        for value in values(f":a :p {data} .", f"{SHAPE}{constraint} .")
    ]
    assert [value.removesuffix(">") if "xsd:" in value else value for value in found] == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("[a-z-[aeiou]]", True), ("[[:alpha:]]", True), ("[a&&b]", True), ("[^a--b]", True), ("[a~~b]", True),
     ("[a][b]", False), (r"[\[a]", False), (r"\[[a]\]", False), ("a&&b--c", False), ("[a-z-]", False),
     (r"[\]\[]", False)],
)  # fmt: skip
def test_sets_within_sets_are_refused(pattern: str, expected: bool) -> None:
    """XPath takes an inner set of characters away and the engine adds it, so that neither is guessed."""
    assert is_ambiguous(pattern) is expected
    shapes = f"{SHAPE}sh:pattern {Literal(pattern).n3()} "
    if expected:
        with pytest.raises(ShapesRefused):
            run(":a :p 'x' .", f"{shapes} .")
    run(":a :p 'x' .", f"{shapes} ; sh:flags 'q' .")


def test_a_blank_node_is_no_term_of_the_data() -> None:
    """A blank node of the shapes is never the same as one of the data, and is refused."""
    with pytest.raises(ShapesRefused):
        ValueTests(lambda literal: literal, exact=False).term(BNode())


def test_what_has_no_test_of_its_own() -> None:
    """A component that needs more than the value has no test here, and of no tests none is true."""
    tests = ValueTests(lambda literal: literal, exact=False)
    assert tests.of(SH.ClassConstraintComponent, {}) is None
    assert tests.of(SH.MinLengthConstraintComponent, {}) is not None
    assert (any_of([]), any_of(["a", "b"])) == ("false", "a || b")
    assert tests.one_of("?x", [URIRef("x:y")]) == "COALESCE(?x IN (<x:y>), false)"


def test_lists_of_any_length() -> None:
    """A list of thousands of terms is looked through as one of two is."""
    numbers = " ".join(map(str, range(4_000)))
    assert values(":a :p 1 , 1.0 .", f"{SHAPE}sh:in ( {numbers} ) .") == values(
        ":a :p 1.0 .", f"{SHAPE}sh:in (1) ."
    )
    tags = " ".join(f"'x-{number:04}'" for number in range(4_000))
    data = ":a :p 'x'@x-3999-y , 'y'@en ."
    assert values(data, f"{SHAPE}sh:languageIn ( {tags} ) .") == ['"y"@en']
