"""shacl/queries.py: queries of the shapes keep their meaning, whatever they look like, or are refused."""

import pytest
from tests.unit.shacl.graphs import run, text, values

from medkg.domain.errors import ShapesRefused

DATA = ":a <x:p> 1 , 2 , 3 ; :q :b . :b <x:p> 4 ."
COMPONENT = ":Most a sh:ConstraintComponent ; sh:parameter [ sh:path :most ] ; "
ASK = COMPONENT + 'sh:validator [ sh:ask """%s""" ; sh:message "over {$most}: {?value} of {$this}" ] . '


def numbers(shapes: str) -> list[str]:
    """Return the value nodes that are found, numbers by their digits."""
    return [value.strip('"').partition('"')[0] for value in values(DATA, shapes)]


def select(query: str, more: str = "") -> str:
    """Return a shape with a query."""
    return f':s sh:targetNode :a ; {more} sh:sparql [ sh:select """{query}""" ] .'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT $this { $this <x:p> 1 } # the end", [":a"]),
        ("# SELECT {\nSELECT#}\nDISTINCT $this ?value # {\n{ $this <x:p> ?value FILTER(?value < 2)}", ["1"]),
        ("select(2 + 3 AS ?value)$this{ $this <x:p> 1 . { SELECT $this { $this ?p ?o } LIMIT 1 } }", ["5"]),
        ("PREFIX # a\n : # b\n <x:> # c\nSELECT $this { $this :p 1 }", [":a"]),
        ("SELECT $this { $this <x:p> 1 FILTER('} # { SELECT ?medkg $currentShape' != '') }", [":a"]),
        ("SELECT $this ?value { $this <x:p> ?value } ORDER BY DESC(?value) LIMIT 1", ["3"]),
        ("SELECT $this (MAX(?x) AS ?value) { $this <x:p> ?x } GROUP BY $this # $currentShape", ["3"]),
        ("SELECT $this ?value { { SELECT $this (MIN(?x) AS ?value) { $this <x:p> ?x } GROUP BY $this } }",
         ["1"]),
        ("SELECT $this ?value { OPTIONAL { $this <x:no> ?x } FILTER(!BOUND(?x)) BIND($this AS ?value) }",
         [":a"]),
        ("SELECT $this { FILTER EXISTS { BIND($this AS ?y) ?y ?z 1 } FILTER NOT EXISTS { $this <x:p> 4 } }",
         [":a"]),
        ("SELECT $this ?value { { FILTER(isIRI($this)) BIND(0 AS ?value) } UNION { $this <x:p> ?value } }",
         ["0", "1", "2", "3"]),
        ("SELECT $this { GRAPH $shapesGraph { $currentShape ?p $this } }", [":a"]),
    ],
)  # fmt: skip
def test_queries_that_look_odd(query: str, expected: list[str]) -> None:
    """Comments, strings, case and modifiers change nothing about how a query is run at each focus node."""
    assert numbers(select(query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "BASE <x:y> SELECT $this { $this <x:p> 1 }",
        "SELECT $this { $this <p> 1 }",
        "SELECT $this\nFROM <x:g> { $this <x:p> 1 }",
        "SELECT $this (COUNT(?x) AS ?value) { $this <x:p> ?x }",
        "SELECT $this { FILTER(<https://example.org/function>($this)) }",
        "SELECT $this ?medkg { $this <x:p> ?medkg }",
        "SELECT $this { $this <x:p> ?x BIND(1 AS ?this) }",
        "SELECT $this { FILTER NOT EXISTS { $this <x:p> ?x MINUS { ?x ?y ?z } } }",
        "SELECT $this { FILTER EXISTS { VALUES ?x { 1 } $this <x:p> ?x } }",
        "SELECT $this { FILTER EXISTS { { SELECT ?x { $this <x:p> ?x } } } }",
        "SELECT $this { { SELECT $this { $currentShape ?p $this } } <x:p> 1 }",
        "SELECT $this { { SELECT $this { $currentShape ?p $this } } }",
        "SELECT ?x { $this <x:p> ?x }",
        "SELECT $this { $this <x:p> 1 } } UNION { ?x ?y ?z } #",
        "ASK {}",
        "DESCRIBE $this",
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_queries_that_are_refused(query: str, nested: bool) -> None:
    """What SHACL forbids, what the engine can't run and what would mix with our own variables is refused."""
    shapes = select(query)
    if nested:
        shapes = f":t sh:targetNode :a ; sh:not :s . {shapes.replace('sh:targetNode :a ;', '')}"
    with pytest.raises(ShapesRefused):
        run(DATA, shapes)


def test_a_path_in_a_query_is_one_step() -> None:
    """What stands behind $PATH belongs to no branch of it."""
    shapes = select(
        "SELECT $this ?value { $this $PATH/<x:p> ?value }", "sh:path [ sh:alternativePath ( :q :z ) ] ;"
    )
    assert numbers(shapes) == ["4"]


@pytest.mark.parametrize("repeat", [False, True])
def test_each_solution_is_a_result(repeat: bool) -> None:
    """Where results are counted as SHACL does, each solution of a query is one."""
    found = run(DATA, select("SELECT $this { $this <x:p> ?x }"), repeat=repeat)
    assert len(found) == (3 if repeat else 1)


def test_a_query_says_its_own_message() -> None:
    """What a query selects as ?message comes before what the shape would say."""
    shapes = select("SELECT $this ?message { BIND('said'@en AS ?message) }", "sh:message 'not said' ;")
    assert [[message.n3() for message in item.messages] for item in run(DATA, shapes)] == [['"said"@en']]


@pytest.mark.parametrize("path", ["sh:path <x:p> ;", "sh:path [ sh:zeroOrMorePath <x:p> ] ;", ""])
@pytest.mark.parametrize(
    "ask",
    ["ASK { FILTER(!isNumeric($value) || $value <= $most) }",
     "ask# }\nwhere# }\n{ FILTER(!isNumeric($value) || $value <= $most) } LIMIT 1 # }"],
)  # fmt: skip
def test_validators_that_ask(ask: str, path: str) -> None:
    """A validator is asked for each value node, and its message shows parameters and value."""
    found = run(DATA, ASK % ask + f":s sh:targetNode :a , 9 ; {path} :most 2 .")
    told = {(text(item.focus).partition('"^')[0], *map(str, item.messages)) for item in found}
    at_nine = {('"9', "over 2: 9 of 9")}
    at_a = {(":a", "over 2: 3 of https://example.org/a")}
    assert told == {"sh:path <x:p> ;": at_a, "": at_nine}.get(path, at_a | at_nine)


@pytest.mark.parametrize(
    "name", ["this", "value", "path", "PATH", "currentShape", "shapesGraph", "at-most", "1st"]
)
def test_names_of_parameters(name: str) -> None:
    """A parameter that can't be a variable of its own is refused."""
    with pytest.raises(ShapesRefused):
        run(
            DATA, f":Most a sh:ConstraintComponent ; sh:parameter [ sh:path :{name} ] . :s sh:targetNode :a ."
        )
