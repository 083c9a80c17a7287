"""The rules for a submitted graph: they look at it alone, and let through what the ontology allows.

They stand in a folder of their own, and a fixture is run without base.ttl: a submission is judged as it was
sent.
"""

import re
from functools import cache
from pathlib import Path

import pyshacl
import pytest
from rdflib import OWL, RDF, RDFS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import SH
from rdflib.term import Node

HERE = Path(__file__).parent / "submission"
ROOT = HERE.parents[2]
VALID = sorted((HERE / "valid").glob("*.ttl"))
INVALID = sorted((HERE / "invalid").glob("*.ttl"))
MEDKG = Namespace("https://w3id.org/medkg/ontology#")
MEDKGSH = Namespace("https://w3id.org/medkg/shapes#")
OTHER = URIRef("https://example.org/other")
RECORD = URIRef("https://w3id.org/medkg/id/record/alpha")


def read(*paths: Path) -> Graph:
    """Read Turtle files into one graph."""
    graph = Graph(bind_namespaces="none")
    for path in paths:
        graph.parse(path)
    return graph


@cache
def shapes() -> Graph:
    """Return the shapes as they are shipped; nobody changes this graph."""
    return read(*sorted((ROOT / "shapes" / "submission").glob("*.ttl")))


@cache
def ontology() -> Graph:
    """Return the ontology with its restrictions and alignments."""
    return read(*sorted((ROOT / "ontology").glob("*.ttl")))


def findings(data: Graph, rules: Graph | None = None) -> list[tuple[str, str, str]]:
    """Return code, severity and path of all that the rules find, sorted."""
    _, report, text = pyshacl.validate(data, shacl_graph=rules or shapes())
    assert isinstance(report, Graph), text
    return sorted(
        (
            str(shapes().value(report.value(result, SH.sourceShape), MEDKG.code)),
            str(report.value(result, SH.resultSeverity)).rpartition("#")[2].lower(),
            str(report.value(result, SH.resultPath)),
        )
        for result in report.objects(None, SH.result)
    )


def closed() -> list[tuple[URIRef, Node]]:
    """Return the classes with the closed shape of each, sorted."""
    return sorted(
        (URIRef(str(shapes().value(shape, SH.targetClass))), shape) for shape in shapes().subjects(SH.closed)
    )


def allowed(shape: Node) -> set[Node]:
    """Return the properties that a closed shape lets through."""
    return set(shapes().items(shapes().value(shape, SH.ignoredProperties) or RDF.nil))


def record(cls: URIRef, *properties: Node) -> Graph:
    """Return a graph with one record of a class, with a value for each property."""
    graph = Graph()
    graph.add((RECORD, RDF.type, cls))
    for item in properties:
        if item != RDF.type:
            graph.add((RECORD, item, OTHER))
    return graph


def expected(path: Path) -> set[tuple[str, str]]:
    """Return the codes and severities that the first line of a fixture promises."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    promise = re.fullmatch(r"# expect: (.+)", first)
    return {(item.split()[0], item.split()[1]) for item in promise[1].split(", ")} if promise else set()


@pytest.mark.parametrize("path", [*VALID, *INVALID], ids=lambda path: path.stem)
def test_a_fixture_has_the_findings_that_it_promises(path: Path) -> None:
    """No expected code is missing and no other code appears; a valid one promises nothing."""
    found = {(code, severity) for code, severity, _ in findings(read(path))}

    assert found == expected(path)
    assert bool(found) == (path in INVALID)


def test_each_mistake_of_a_fixture_is_found() -> None:
    """A slip of the pen, a property of another class and one of another vocabulary are three findings."""
    (path,) = (path for path in INVALID if path.stem.startswith("G-04"))

    assert [place for _, _, place in findings(read(path))] == [
        "https://schema.org/name",
        str(MEDKG.planedFrom),
        str(MEDKG.region),
    ]


def test_each_record_without_a_class_is_found() -> None:
    """A record without class, a region, a concept and a misspelt class are four findings."""
    (path,) = (path for path in INVALID if path.stem.startswith("G-18"))

    assert len(findings(read(path))) == 4


def test_without_a_rule_nothing_is_found() -> None:
    """What finds the mistakes is the rule, and each part of it is needed."""
    rules = read(*sorted((ROOT / "shapes" / "submission").glob("*.ttl")))
    rule = MEDKGSH["Submitted-class"]
    for predicate in (SH.qualifiedMinCount, SH.targetSubjectsOf):
        rules.remove((rule, predicate, None))
    rules.remove((rule, SH.qualifiedValueShape, None))
    for predicate in (SH.closed, SH.ignoredProperties):
        rules.remove((None, predicate, None))

    assert [findings(read(path), rules) for path in INVALID] == [[], []]


@pytest.mark.parametrize(("cls", "shape"), closed(), ids=lambda item: str(item).rpartition("#")[2])
def test_a_closed_class_lets_through_its_properties_and_no_other(cls: URIRef, shape: Node) -> None:
    """A record with all that its class can have is in order; one more property is found."""
    whole = record(cls, *allowed(shape))

    assert findings(whole) == []
    whole.add((RECORD, MEDKG.planedFrom, OTHER))
    assert findings(whole) == [("G-04", "violation", str(MEDKG.planedFrom))]


def test_every_class_of_records_is_closed() -> None:
    """The classes of which records can be submitted are those of G-18, and each has one closed shape."""
    names = shapes().items(shapes().value(MEDKGSH.SubmittableClass, SH["in"]) or RDF.nil)
    families = {
        cls
        for cls in ontology().subjects(RDF.type, OWL.Class)
        if str(cls).startswith(str(MEDKG))
        and any(
            parent != cls and str(parent).startswith(str(MEDKG))
            for parent in ontology().transitive_objects(cls, RDFS.subClassOf)
        )
    }
    submittable = [cls for cls, _ in closed()]

    assert sorted(map(str, names)) == list(map(str, submittable))
    # A class below one that can be submitted can be submitted itself.
    assert {
        cls
        for cls in families
        if cls not in submittable
        and set(ontology().transitive_objects(cls, RDFS.subClassOf)) & set(submittable)
    } == set()


def test_a_class_has_the_properties_of_the_classes_above_and_below_it() -> None:
    """An engine that knows the hierarchy aims the rule of a class at those below it, and finds nothing."""
    by_class = dict(closed())
    for cls, shape in closed():
        for below in set(ontology().transitive_subjects(RDFS.subClassOf, cls)) & set(by_class):
            assert allowed(by_class[URIRef(str(below))]) <= allowed(shape), (cls, below)


def test_our_own_sources_keep_to_the_closed_classes() -> None:
    """What the shipped sources say of records, one could submit: each file is in order by itself."""
    by_class = {cls: allowed(shape) for cls, shape in closed()}
    faults = set()
    for path in sorted((ROOT / "data" / "source").glob("*.ttl")):
        graph = read(path)
        for subject, cls in graph.subject_objects(RDF.type):
            if cls in by_class:
                faults |= {
                    (path.name, str(cls), str(item))
                    for item in graph.predicates(subject)
                    if item not in by_class[URIRef(str(cls))]
                }

    assert faults == set()


def test_the_rules_are_whole() -> None:
    """Each has an address, a code, a severity, what it reads, and its texts in four languages."""
    graph = shapes()
    coded = set(graph.subjects(MEDKG.code))
    for shape in coded:
        words = (SH.name, SH.description) if (shape, SH.path, None) in graph else (RDFS.label, RDFS.comment)
        assert isinstance(shape, URIRef)
        assert (shape, MEDKG.reads, MEDKGSH.SubmittedGraph) in graph, shape
        assert (shape, SH.severity, SH.Violation) in graph, shape
        for predicate in (SH.message, *words):
            texts = [text for text in graph.objects(shape, predicate) if isinstance(text, Literal)]
            assert sorted(str(text.language) for text in texts) == ["en", "fr", "it", "pl"], shape
    assert {str(code) for code in graph.objects(None, MEDKG.code)} == {"G-04", "G-18"}
    assert {
        predicate
        for node in graph.subjects()
        if isinstance(node, BNode)
        for predicate in graph.predicates(node)
    } == {RDF.first, RDF.rest}


def test_the_rules_pass_the_shapes_of_shacl() -> None:
    """The shapes are well-formed by SHACL's own rules; the closed ones are made alike, so one is enough."""
    rules = read(*sorted((ROOT / "shapes" / "submission").glob("*.ttl")))
    for _, shape in closed()[1:]:
        rules.remove((shape, None, None))

    conforms, _, text = pyshacl.validate(Graph(), shacl_graph=rules, meta_shacl=True)

    assert conforms, text
