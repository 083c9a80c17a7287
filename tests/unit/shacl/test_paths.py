"""shacl/paths.py: paths and lists are read from a graph and written as SPARQL."""

import pytest
from rdflib.namespace import SH
from tests.unit.shacl.graphs import EX, read

from medkg.domain.errors import ShapesRefused
from medkg.shacl.paths import items, read_path


@pytest.mark.parametrize(
    ("turtle", "expected"),
    [
        (":p", "p"),
        ("[ sh:inversePath :p ]", "^p"),
        ("( :p :q :r )", "p/q/r"),
        ("( ( :p :q ) :r )", "(p/q)/r"),
        ("[ sh:alternativePath ( :p ( :q :r ) ) ]", "p|(q/r)"),
        ("[ sh:zeroOrMorePath [ sh:inversePath :p ] ]", "(^p)*"),
        ("[ sh:inversePath [ sh:oneOrMorePath :p ] ]", "^(p+)"),
        ("[ sh:zeroOrOnePath ( :p [ sh:oneOrMorePath :q ] ) ]", "(p/q+)?"),
    ],
)
def test_paths(turtle: str, expected: str) -> None:
    """Every form within every other keeps its meaning in brackets."""
    path = read_path(graph := read(f":s sh:path {turtle} ."), next(graph.objects(None, SH.path)))
    assert path.sparql().replace(f"<{EX}", "").replace(">", "") == expected
    assert path.is_simple is (expected == "p")


@pytest.mark.parametrize(
    "turtle",
    ["'p'", "[ ]", "[ sh:inversePath 'p' ]", "( :p )", "[ sh:alternativePath () ]",
     "[ sh:alternativePath :p ]",
     "[ sh:inversePath :p ; sh:oneOrMorePath :q ]", "[ sh:inversePath :p , :q ]", "[ :unknown :p ]",
     "_:x . _:x sh:inversePath _:x", "_:x . _:x rdf:first :p ; rdf:rest _:x", "_:x . _:x rdf:first :p",
     f"( {':p ' * 101})"],
)  # fmt: skip
def test_what_is_no_path_is_refused(turtle: str) -> None:
    """A node that is no path, contains itself, or is longer than an engine can read is refused."""
    graph = read(f":s sh:path {turtle} .")
    with pytest.raises(ShapesRefused):
        read_path(graph, next(graph.objects(None, SH.path)))


def test_lists() -> None:
    """A list gives its members in order, repeated ones too."""
    graph = read(":s sh:in ( 1 2 1 ) .")
    assert [str(item) for item in items(graph, next(graph.objects(None, SH["in"])))] == ["1", "2", "1"]
