"""shacl/affected.py: what a change affects is validated again, and nothing that it affects is left out."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.shacl.graphs import changes, data_graphs, quads, read, shapes_graphs

from medkg.domain.model import Quad
from medkg.services.validation import Kept
from medkg.shacl.affected import CAP, Dependencies, Scope, Triple, run, targeted
from medkg.shacl.compiled import Validator, subclasses
from medkg.shacl.plan import Plan
from medkg.shacl.results import Result
from medkg.store.files import kept_literal
from medkg.store.memory import MemoryGraph

QUERY = """:s sh:targetClass :C ; sh:sparql [ sh:select
    "SELECT $this ?value {{ $this <https://example.org/p> ?x . ?x <https://example.org/q> ?value }}" ] {} ."""


def kept(data: Sequence[Quad]) -> Kept:
    """Return a data graph."""
    graph = MemoryGraph()
    graph.add(data)
    return Kept(graph)


def triples_of(data: Sequence[Quad]) -> list[Triple]:
    """Return the triples of quads."""
    return [quad[:3] for quad in data]


def both(
    before: Sequence[Quad], after: Sequence[Quad], shapes: str, *, cap: int = CAP
) -> tuple[Plan, Validator, Validator, Scope]:
    """Return a plan, what validates the data before and after a change, and what the change affects."""
    plan = Plan(read(shapes), subclasses(kept(before)), cache(kept_literal))
    old, new = Validator(plan, kept(before)), Validator(plan, kept(after))
    dependencies = Dependencies(plan)
    removed = set(triples_of(before)) - set(triples_of(after))
    added = set(triples_of(after)) - set(triples_of(before))
    scope = dependencies.scope(old, removed, cap=cap).joined(dependencies.scope(new, added, cap=cap))
    return plan, old, new, scope


def everything(validator: Validator, plan: Plan) -> set[Result]:
    """Return all results."""
    return set(run(validator, plan, Scope({}, reason="all")))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data_graphs, changes, shapes_graphs())
def test_nothing_that_changes_is_missed(data: str, change: tuple[list[int], str], shapes: str) -> None:
    """What a change adds to or takes from the results is found where the change is said to have an effect."""
    before = quads(data)
    dropped, more = change
    after = [quad for number, quad in enumerate(before) if number not in dropped] + quads(more)
    plan, old, new, scope = both(before, after, shapes)

    all_before, all_after = everything(old, plan), everything(new, plan)
    here_before, here_after = set(run(old, plan, scope)), set(run(new, plan, scope))

    assert all_after - all_before <= here_after <= all_after
    assert all_before - all_after <= here_before <= all_before


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (":x :p 1 .", set()),
        (":a :r 1 .", set()),
        (":a :p 1 .", {":a"}),
        (":b :q 1 .", {":a"}),
        (":a a :D .", set()),
        (":z a :C .", {":z"}),
        (":b a :E .", {":a"}),
    ],
)
def test_only_what_a_change_touches_is_affected(more: str, expected: set[str]) -> None:
    """The focus nodes are those from which a shape looks at the changed triple, and that are targets."""
    inner = "[ sh:path :q ; sh:minCount 1 ]"
    shapes = f":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:class :E ; sh:property {inner} ] ."
    data = quads(":a a :C ; :p :b . :c a :C ; :p :d .")
    plan, _, new, scope = both(data, data + quads(more), shapes)
    found = {node for nodes in targeted(new, plan, scope).starts.values() for node in nodes}
    assert {f":{str(node).rpartition('/')[2]}" for node in found} == expected
    assert not scope.reason


@pytest.mark.parametrize(
    ("declared", "whole", "starts"),
    [("", frozenset({0}), 0), ("; medkg:dependsOn ( :p :q )", frozenset(), 1)],
)
def test_a_query_that_does_not_say_what_it_reads_is_run_as_a_whole(
    declared: str, whole: frozenset[int], starts: int
) -> None:
    """A query with a declared path is run where that path leads back to; one without, at all its targets."""
    data = quads(":a a :C ; :p :b . :c a :C .")
    plan, _, new, scope = both(data, data + quads(":b :q 1 ."), QUERY.format(declared))
    assert (scope.whole, len(scope.starts)) == (whole, starts)
    assert [str(result.focus) for result in run(new, plan, scope)] == ["https://example.org/a"]


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:closed true ] .", {":a"}),
        (":s sh:targetClass :C ; sh:property [ sh:path :p ; sh:class :N ] .", {":a"}),
        (":s sh:targetClass :C ; sh:sparql [ sh:deactivated true ; sh:select 'SELECT $this {}' ] .", set()),
    ],
)
def test_edges_start_where_a_constraint_looks(shapes: str, expected: set[str]) -> None:
    """Closed shapes look at value nodes, classes without names at all types, queries that are off nowhere."""
    data = quads(":a a :C ; :p :b . :c a :C ; :p :d . [] rdfs:subClassOf :N .")
    plan, _, new, scope = both(data, data + quads(":b a :E ."), shapes)
    found = {node for nodes in targeted(new, plan, scope).starts.values() for node in nodes}
    assert {f":{str(node).rpartition('/')[2]}" for node in found} == expected
    assert not scope.whole


def test_a_change_of_the_classes_affects_everything() -> None:
    """With another class hierarchy, every shape may have other focus nodes."""
    data = quads(":a a :C .")
    *_, scope = both(
        data, data + quads(":C rdfs:subClassOf :D ."), ":s sh:targetClass :D ; sh:nodeKind sh:Literal ."
    )
    assert scope.reason == "the class hierarchy changes"


def test_a_change_that_affects_too_much_is_validated_in_full() -> None:
    """Beyond the cap, the reason is said and everything is run."""
    data = quads("".join(f":x{number} a :C ; :p :hub ." for number in range(20)))
    shapes = ":s sh:targetClass :C ; sh:property [ sh:path ( :p :q ) ; sh:maxCount 0 ] ."
    plan, _, new, scope = both(data, data + quads(":hub :q 1 ."), shapes, cap=10)
    assert scope.reason == "it affects more than 10 nodes"
    assert len(run(new, plan, scope)) == 20
