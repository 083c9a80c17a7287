"""The three profiles: how grave each finding is in them, and on which statements a rule is checked."""

from functools import cache
from pathlib import Path

import pytest
from rdflib import RDF, RDFS, Graph, Literal, Namespace, URIRef
from rdflib.namespace import SH
from rdflib.term import Node

ROOT = Path(__file__).resolve().parents[2]
MEDKG = Namespace("https://w3id.org/medkg/ontology#")
MEDKGSH = Namespace("https://w3id.org/medkg/shapes#")
PROF = Namespace("http://www.w3.org/ns/dx/prof/")
LANGUAGES = ["en", "fr", "it", "pl"]
STATED = {SH.Violation: "violation", SH.Warning: "warning", SH.Info: "info"}
DIFFERING = {
    MEDKG.violationIn: "violation",
    MEDKG.warningIn: "warning",
    MEDKG.infoIn: "info",
    MEDKG.ignoredIn: "ignored",
}
GRAVITY = {"ignored": 0, "info": 1, "warning": 2, "violation": 3}
COUNTS = {SH.minCount, SH.qualifiedMinCount, SH.qualifiedValueShape}
ASIDE = {
    *(RDF.type, RDFS.isDefinedBy, RDFS.label, RDFS.comment),
    *(SH.path, SH.severity, SH.order, SH.group, SH.name, SH.description, SH.message),
    *(SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf),
}


@cache
def shapes() -> Graph:
    """Return all shapes, those for a submitted graph too; nobody changes this graph."""
    graph = Graph(bind_namespaces="none")
    for path in sorted((ROOT / "shapes").rglob("*.ttl")):
        graph.parse(path)
    return graph


def coded() -> list[URIRef]:
    """Return the shapes that have a code."""
    return sorted(URIRef(str(shape)) for shape in shapes().subjects(MEDKG.code))


def severity(shape: Node, profile: str) -> str:
    """Return how grave what a shape finds is in a profile."""
    for predicate, name in DIFFERING.items():
        if (shape, predicate, MEDKGSH[f"{profile}Profile"]) in shapes():
            return name
    return next(STATED[URIRef(str(value))] for value in shapes().objects(shape, SH.severity))


def of_code(code: str) -> Node:
    """Return a shape with a code."""
    return next(shapes().subjects(MEDKG.code, Literal(code)))


@pytest.mark.parametrize(
    ("code", "draft", "submission", "publication"),
    [
        ("P-03", "ignored", "violation", "warning"),  # lead
        ("J-03", "ignored", "violation", "warning"),
        ("A-03", "ignored", "violation", "warning"),  # regions
        ("P-04", "ignored", "violation", "warning"),
        ("C-02", "ignored", "violation", "warning"),
        ("O-04", "ignored", "violation", "warning"),
        ("J-01", "ignored", "violation", "warning"),  # identifier
        ("A-12", "ignored", "violation", "warning"),  # organisation in charge
        ("P-02", "info", "violation", "warning"),  # missing, or more than one
        ("A-02", "info", "warning", "warning"),
        ("A-09", "ignored", "warning", "info"),
        ("A-10", "ignored", "warning", "warning"),
        ("P-17", "info", "warning", "info"),
        ("R-07", "warning", "warning", "warning"),
        ("A-04", "violation", "violation", "violation"),
        ("G-04", "violation", "violation", "violation"),
    ],
)
def test_severities(code: str, draft: str, submission: str, publication: str) -> None:
    """What a submitter knows must be said; a source may be silent; a draft may be incomplete."""
    shape = of_code(code)

    assert tuple(severity(shape, name) for name in ("Draft", "Submission", "Publication")) == (
        draft,
        submission,
        publication,
    )


def test_each_profile_is_told_in_four_languages() -> None:
    """Each of the three profiles has a token, a name and a meaning; so has each thing that a rule reads."""
    graph = shapes()
    profiles = set(graph.subjects(RDF.type, PROF.Profile))
    scopes = {MEDKGSH.MergedGraph, MEDKGSH.EachGraph, MEDKGSH.SubmittedGraph}

    assert {str(graph.value(profile, PROF.hasToken)) for profile in profiles} == {
        "draft",
        "submission",
        "publication",
    }
    assert profiles == {MEDKGSH[f"{name}Profile"] for name in ("Draft", "Submission", "Publication")}
    for thing in profiles | scopes:
        for predicate in (RDFS.label, RDFS.comment):
            texts = [text for text in graph.objects(thing, predicate) if isinstance(text, Literal)]
            assert sorted(str(text.language) for text in texts) == LANGUAGES, thing


def test_a_shape_says_one_severity_for_a_profile_and_only_where_it_differs() -> None:
    """sh:severity is that of the publication; no profile is named twice, none to repeat what holds."""
    for shape in coded():
        named = [
            (profile, name)
            for predicate, name in DIFFERING.items()
            for profile in shapes().objects(shape, predicate)
        ]
        stated = STATED[URIRef(str(shapes().value(shape, SH.severity)))]
        profiles = [profile for profile, _ in named]
        assert len(profiles) == len(set(profiles)), shape
        assert set(profiles) <= {MEDKGSH.DraftProfile, MEDKGSH.SubmissionProfile}, shape
        assert stated not in {name for _, name in named}, shape


def test_only_shapes_with_a_code_differ_by_profile() -> None:
    """A helper finds nothing by itself, so it has no severity and reads nothing by itself."""
    for predicate in (*DIFFERING, MEDKG.reads):
        assert set(shapes().subjects(predicate)) <= set(coded())


def test_the_profiles_ask_for_more_and_more() -> None:
    """A draft is never judged harder than the public graph, and that never harder than a submission."""
    for shape in coded():
        draft, submission, publication = (
            GRAVITY[severity(shape, name)] for name in ("Draft", "Submission", "Publication")
        )
        assert draft <= publication <= submission, shape


def test_a_draft_may_be_incomplete() -> None:
    """What is only missing, and could be published with a warning, is not asked of a draft."""
    for shape in coded():
        said = set(shapes().predicates(shape))
        parts = {item for item in said - ASIDE if not str(item).startswith(str(MEDKG))}
        if parts and parts <= COUNTS and severity(shape, "Publication") != "violation":
            assert severity(shape, "Draft") == "ignored", shape


def test_what_a_shape_reads_is_known() -> None:
    """A shape reads the merge, each graph by itself (names), or the submitted graph."""
    said = {
        str(code): scope
        for shape, scope in shapes().subject_objects(MEDKG.reads)
        for code in shapes().objects(shape, MEDKG.code)
    }

    assert said == {
        "G-04": MEDKGSH.SubmittedGraph,
        "G-05": MEDKGSH.EachGraph,
        "G-18": MEDKGSH.SubmittedGraph,
    }


def test_a_source_names_what_it_types() -> None:
    """So the rule on names, which reads each graph by itself, misses no name that another source gives."""
    rule = of_code("G-05")
    classes = set(shapes().objects(rule, SH.targetClass))
    ontology = Graph().parse(ROOT / "ontology" / "medkg.ttl")
    nameless = set()
    for path in sorted((ROOT / "data" / "source").glob("*.ttl")):
        graph = Graph().parse(path)
        for subject, cls in graph.subject_objects(RDF.type):
            named = (subject, shapes().value(rule, SH.path), None) in graph
            if not named and set(ontology.transitive_objects(cls, RDFS.subClassOf)) & classes:
                nameless.add((path.name, str(subject)))

    assert nameless == set()
