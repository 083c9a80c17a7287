"""shacl/walks.py: a walk leads where the path leads, from nodes that no triple has too."""

from itertools import count

import pytest
from rdflib.namespace import SH
from tests.unit.shacl.graphs import EX, quads, read, text

from medkg.shacl.paths import read_path
from medkg.shacl.walks import may_be_empty, walk
from medkg.store.memory import MemoryGraph

DATA = ":a :p :b . :b :p :c ; :q :a . :c :q 'x' ."


@pytest.mark.parametrize(
    ("turtle", "expected", "empty"),
    [
        (":p", {":b"}, False),
        ("( :p :p :q )", {'"x"'}, False),
        ("[ sh:inversePath ( :p :q ) ]", {":a"}, False),
        ("[ sh:inversePath [ sh:inversePath :p ] ]", {":b"}, False),
        ("[ sh:alternativePath ( :p [ sh:inversePath :q ] ) ]", {":b"}, False),
        ("[ sh:zeroOrOnePath :p ]", {":a", ":b"}, True),
        ("[ sh:zeroOrMorePath :p ]", {":a", ":b", ":c"}, True),
        ("[ sh:oneOrMorePath :p ]", {":b", ":c"}, False),
        ("[ sh:oneOrMorePath [ sh:zeroOrOnePath :p ] ]", {":a", ":b", ":c"}, True),
        ("( [ sh:zeroOrOnePath :p ] [ sh:zeroOrMorePath :q ] )", {":a", ":b"}, True),
        ("( [ sh:zeroOrOnePath :p ] :q )", {":a"}, False),
        ("[ sh:alternativePath ( :q [ sh:zeroOrOnePath :z ] ) ]", {":a"}, True),
    ],
)
def test_walks(turtle: str, expected: set[str], empty: bool) -> None:
    """From a node the walk reaches what the path does, and itself where the path may be empty."""
    graph, numbers = read(f":s sh:path {turtle} ."), count()
    path = read_path(graph, next(graph.objects(None, SH.path)))
    data = MemoryGraph()
    data.add(quads(DATA))

    def ends(start: str, end: str = "?end") -> set[str]:
        steps = walk(path, "?start", end, lambda: f"?v{next(numbers)}")
        query = f"SELECT ?start ?end {{ BIND({start} AS ?start) LATERAL {{ {steps} }} }}"
        return {text(row[1] or row[0]) for row in data.rows(query)}

    assert ends(f"<{EX}a>") == expected
    assert ends(f"<{EX}nowhere>") == ({":nowhere"} if empty else set())
    assert may_be_empty(path) is empty
    reached = {f":{name}" for name in "abc" if ends(f"<{EX}a>", f"<{EX}{name}>")}
    assert reached == expected - {'"x"'}
