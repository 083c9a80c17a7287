"""shacl/results.py: results become the triples of a report."""

import pytest
from rdflib.namespace import RDF, SH
from rdflib.term import BNode, Literal, URIRef
from tests.unit.shacl.graphs import run, text

from medkg.shacl.paths import Kind, Path
from medkg.shacl.results import Result, fill, report

A, P = URIRef("https://example.org/a"), URIRef("https://example.org/p")


def result(**fields: object) -> Result:
    """Return a result with some fields of its own."""
    known: dict[str, object] = {
        "focus": A, "path": None, "value": None, "shape": A, "component": SH.ClassConstraintComponent,
        "severity": SH.Violation,
    }  # fmt: skip
    return Result(**{**known, **fields})  # type: ignore[arg-type]


def test_a_report_without_results_conforms() -> None:
    """No results, and the report says so."""
    assert [(predicate, str(value)) for _, predicate, value in report([])] == [
        (RDF.type, str(SH.ValidationReport)),
        (SH.conforms, "true"),
    ]


def test_the_nodes_of_a_report_are_its_own() -> None:
    """Nodes of the data and of the shapes that are called as ours would be keep their names to themselves."""
    inner = result(focus=BNode("r4"))
    triples = report([result(focus=BNode("r1"), value=BNode("r2"), shape=BNode("r3"), details=(inner,))])
    heads = {node for node, predicate, kind in triples if predicate == RDF.type}
    assert len(heads) == 3
    assert not heads & {BNode(f"r{number}") for number in range(1, 5)}


def test_paths_are_written_out() -> None:
    """A path of any form is written as SHACL writes it, anew for each result."""
    step = Path(Kind.PREDICATE, predicate=P)
    several = Path(Kind.ALTERNATIVE, (Path(Kind.INVERSE, (step,)), Path(Kind.SEQUENCE, (step, step))))
    triples = report([result(path=several)] * 2)
    names = [predicate for _, predicate, _ in triples]
    assert names.count(SH.alternativePath) == names.count(SH.inversePath) == 2
    assert names.count(RDF.first) == 2 * (2 + 2)


def test_messages_show_values() -> None:
    """A variable in braces becomes its value, and one that has none stays as it is."""
    messages = [Literal("{?x} {$x} {?y} {x}", lang="en")]
    assert fill(messages, {"x": Literal(1)}) == (Literal("1 1 {?y} {x}", lang="en"),)


def test_details_say_why() -> None:
    """A value that does not conform to a shape says what in it is broken; a blank node says it as well."""
    shapes = ":s sh:targetNode :a ; sh:path :p ; sh:node [ sh:property [ sh:path :q ; sh:minCount 1 ] ] ."
    for value in (":b", "_:b", "'b'"):
        [found] = run(f":a :p {value} .", shapes)
        [detail] = found.details
        assert (detail.focus, detail.component) == (found.value, SH.MinCountConstraintComponent)


@pytest.mark.parametrize("value", [":b", "_:b"])
@pytest.mark.parametrize("repeat", [False, True])
def test_details_lie_behind_paths(value: str, repeat: bool) -> None:
    """A detail may be further away than the value node, and begins at that one alone."""
    inner = "sh:path [ sh:alternativePath ( :q :r ) ] ; sh:property [ sh:path :x ; sh:maxCount 0 ]"
    data = f":a :p {value} . {value} :q :c ; :r :c . :c :x 1 . [ :q [ :x 1 ] ] ."
    [found] = run(
        data, f":s sh:targetNode :a ; sh:path :p ; sh:node [ sh:property [ {inner} ] ] .", repeat=repeat
    )
    assert [text(detail.focus) for detail in found.details] == [":c"]
