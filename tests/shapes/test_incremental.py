"""What our shapes say they depend on is right: a change is validated where it has an effect, none is missed.

Statements of base.ttl are taken out, and others are put in: those of base.ttl with another subject or object.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import Graph
from rdflib.namespace import RDF, RDFS
from rdflib.term import Node

from medkg.services.validation import Kept
from medkg.shacl.affected import Dependencies, Scope, Triple, run
from medkg.shacl.compiled import Validator, subclasses
from medkg.shacl.plan import Plan
from medkg.shacl.results import Result
from medkg.store.files import kept_literal
from medkg.store.memory import MemoryGraph

if TYPE_CHECKING:
    from medkg.domain.model import Quad

HERE = Path(__file__).parent
SHAPES = HERE.parents[1] / "shapes"


@cache
def base() -> tuple[Triple, ...]:
    """Return the statements of base.ttl, in an order that is always the same."""
    graph = Graph().parse(HERE / "base.ttl")
    triples = [triple for triple in graph if triple[1] != RDFS.subClassOf]
    return tuple(sorted(triples, key=lambda triple: tuple(map(str, triple))))


@cache
def terms() -> tuple[Node, ...]:
    """Return what stands in base.ttl as a subject or an object."""
    return tuple(sorted({term for triple in base() for term in (triple[0], triple[2])}, key=str))


@cache
def plan() -> Plan:
    """Return the shapes as they are shipped, compiled."""
    shapes = Graph(bind_namespaces="none")
    for file in sorted(SHAPES.glob("*.ttl")):
        shapes.parse(file)
    return Plan(shapes, subclasses(data(base())), cache(kept_literal))


@cache
def dependencies() -> Dependencies:
    """Return what the shapes depend on."""
    return Dependencies(plan())


def data(triples: tuple[Triple, ...]) -> Kept:
    """Return a data graph."""
    graph = MemoryGraph()
    graph.add(cast("Quad", (*triple, None)) for triple in triples)
    return Kept(graph)


def everything(validator: Validator) -> set[Result]:
    """Return all results."""
    return set(run(validator, plan(), Scope({}, reason="all")))


def moved(number: int, subject: int, value: int, keeps: str) -> Triple:
    """Return a statement of base.ttl with another subject or object; types keep their class."""
    one, predicate, other = base()[number % len(base())]
    if keeps == "subject" and predicate != RDF.type:
        return one, predicate, terms()[value % len(terms())]
    subjects = sorted({triple[0] for triple in base()}, key=str)
    return subjects[subject % len(subjects)], predicate, other


numbers = st.integers(0, 10_000)


def test_every_query_says_what_it_depends_on() -> None:
    """No shape of ours has to be run as a whole."""
    assert dependencies().whole == frozenset()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(numbers, max_size=4),
    st.lists(st.tuples(numbers, numbers, numbers, st.sampled_from(("subject", "object"))), max_size=4),
)
def test_nothing_that_a_change_affects_is_missed(
    dropped: list[int], added: list[tuple[int, int, int, str]]
) -> None:
    """What a change adds to or takes from the results is found where the shapes say that it has an effect."""
    gone = {base()[number % len(base())] for number in dropped}
    after = tuple(
        dict.fromkeys([*(item for item in base() if item not in gone), *(moved(*item) for item in added)])
    )
    old, new = Validator(plan(), data(base())), Validator(plan(), data(after))
    scope = (
        dependencies()
        .scope(old, set(base()) - set(after))
        .joined(dependencies().scope(new, set(after) - set(base())))
    )

    all_before, all_after = everything(old), everything(new)
    here_before, here_after = set(run(old, plan(), scope)), set(run(new, plan(), scope))

    assert all_after - all_before <= here_after <= all_after
    assert all_before - all_after <= here_before <= all_before
