"""The graphs and shapes of the validation benchmark: always the same, each triple once, each error found."""

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import Graph
from rdflib.namespace import RDF, SH

ROOT = Path(__file__).resolve().parents[3]
SHAPES = ROOT / "benchmarks/validators/shapes.ttl"


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.mark.parametrize(("name", "number"), [("9k", 9_006), ("87k", 87_395)])
def test_a_size_has_its_triples_each_once_and_they_parse(name: str, number: int) -> None:
    """The lines are as many as the engine reads different triples."""
    from benchmarks.validators import graph

    lines = list(graph.triples(graph.SIZES[name]))
    quads = set(ox.parse("".join(lines), format=ox.RdfFormat.N_TRIPLES))
    assert len(lines) == len(quads) == number


@pytest.mark.parametrize("number", [36, 307])
def test_a_submission_has_its_triples_and_refers_to_the_graph(number: int) -> None:
    """What a submission refers to is in the graph of the same size, and none of its actions is."""
    from benchmarks.validators import graph

    size = graph.SIZES["9k"]
    subjects = {line.split(" ")[0] for line in graph.triples(size)}
    lines = list(graph.submission(graph.SUBMISSIONS[number], size))
    assert len(set(lines)) == number
    assert not {line.split(" ")[0] for line in lines} & subjects
    objects = {line.split(" ")[2] for line in lines if "#type>" not in line}
    assert {one for one in objects if one.startswith("<https://w3id.org/medkg/id/")} <= subjects


def test_a_size_is_always_the_same_graph() -> None:
    """Nothing depends on the moment."""
    from benchmarks.validators import graph

    one, other = (list(islice(graph.triples(graph.SIZES["866k"]), 5_000)) for _ in range(2))
    assert one == other


def test_one_action_in_five_hundred_has_an_error() -> None:
    """The errors take turns, so that eight times five hundred actions have each of them once."""
    from benchmarks.validators import graph

    lines = "".join(graph.triples(graph.SIZES["87k"]))
    marks = ('"ACT-000250"', '"2026-10-01"', "region/outside> .", "#Unheard>", '"12"', "#unheardOf>")
    assert [lines.count(text) for text in marks] == [1] * len(marks)
    assert lines.count('identifier> "ACT-2021-000751"') == 2
    assert lines.count("#inPartnership>") == graph.SIZES["87k"].actions - 1


def test_shapes_have_the_mix_that_is_told() -> None:
    """Seven node shapes with a hundred constraints, two of them queries."""
    graph = Graph().parse(SHAPES)
    used = Counter(str(predicate).removeprefix(str(SH)) for predicate in graph.predicates())
    assert len(set(graph.subjects(RDF.type, SH.NodeShape))) == 7
    wanted = {"minCount": 26, "maxCount": 19, "class": 16, "datatype": 10, "nodeKind": 7, "uniqueLang": 4}
    wanted |= {"pattern": 3, "in": 3, "closed": 2, "languageIn": 2, "qualifiedMinCount": 2, "or": 2}
    wanted |= {"sparql": 2, "lessThanOrEquals": 1, "node": 1, "hasValue": 1, "inversePath": 3}
    assert {name: used[name] for name in wanted} == wanted
